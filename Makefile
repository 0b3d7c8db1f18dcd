# Yingbao. `make demo` and `make test` do all the set-up they need.
VENV ?= .venv
PY := $(VENV)/bin/python
BASE ?= python3

.PHONY: help install demo test check load clean
help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/.installed: requirements.txt pyproject.toml
	$(BASE) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

install: $(VENV)/.installed ## make .venv with everything in it
demo: install ## fill a district with people and cases, and serve it on http://127.0.0.1:8000
	$(VENV)/bin/yingbao demo
check: install ## formatting, lint, types, import directions
	$(VENV)/bin/ruff check engine processes web tests
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
test: install check ## all checks and tests
	$(PY) -m pytest -n 2
load: install ## the sizes of the issues, with figures; not part of test
	$(VENV)/bin/yingbao bench
	YINGBAO_TEST_MACHINE_RUNS=200 $(PY) -m pytest -s tests/processes/test_machine.py
clean:
	rm -rf $(VENV) build var *.egg-info
