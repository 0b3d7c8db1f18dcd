# Yingbao. `make demo` and `make test` do all the set-up they need.
VENV ?= .venv
PY := $(VENV)/bin/python
BASE ?= python3

.PHONY: help install demo test check catalogue load clean
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
check: install ## lint, types, import directions
	$(VENV)/bin/ruff check engine processes web tests
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
test: install check ## all checks and tests
	$(PY) -m pytest -n 2 --dist worksteal
catalogue: install ## after a change of texts on pages: new ones into the .po, then the .mo; fill in the Chinese between two runs
	mkdir -p build
	$(VENV)/bin/pybabel -q extract -F pyproject.toml -k lazy_gettext -k lazy_pgettext:1c,2 --sort-output --no-wrap --add-location=file --project=yingbao --version=0.1.0 -o build/messages.pot web
	$(VENV)/bin/pybabel -q update -i build/messages.pot -d web/translations -l zh_Hans_CN --no-fuzzy-matching --ignore-obsolete --no-wrap --ignore-pot-creation-date
	$(VENV)/bin/pybabel -q compile -d web/translations -l zh_Hans_CN
load: install ## the sizes of the issues, with figures; not part of test
	$(VENV)/bin/yingbao bench
	$(VENV)/bin/yingbao bench --timers
	$(PY) -m pytest -s tests/e2e/load_demo.py
	YINGBAO_TEST_KILLS=25 $(PY) -m pytest -s tests/engine/test_kill_worker.py tests/engine/test_kill.py
	YINGBAO_TEST_REVIEWS=50000 $(PY) -m pytest -s tests/processes/test_review_2012.py -k due_in_one_second
	YINGBAO_TEST_PAYMENTS=100000 YINGBAO_TEST_PAYMENT_KILLS=20 $(PY) -m pytest -s tests/processes/test_payments_load.py
	YINGBAO_TEST_HISTORIES=1000 $(PY) -m pytest -s tests/processes/test_account_book.py
	YINGBAO_TEST_WHATIF=5000 $(PY) -m pytest -s tests/processes/test_whatif.py
	YINGBAO_TEST_MACHINE_RUNS=200 $(PY) -m pytest -s tests/processes/test_machine.py
	$(VENV)/bin/yingbao bench --evidence
	$(VENV)/bin/yingbao bench --replay
	$(VENV)/bin/yingbao bench --whatif
	YINGBAO_TEST_TAMPERED=200 YINGBAO_TEST_TAMPERED_CASES=1000 $(PY) -m pytest -s tests/processes/test_verify.py
	YINGBAO_TEST_TAMPERED=0 YINGBAO_TEST_TAMPERED_CASES=3700 $(PY) -m pytest -s tests/processes/test_verify.py -k "granted_cases and sqlite"
	YINGBAO_TEST_ENTRIES=1000000 $(PY) -m pytest -s tests/engine/test_audit_verify.py -k million
clean:
	rm -rf $(VENV) build var *.egg-info
