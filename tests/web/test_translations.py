"""Every text of a page has its Chinese: the catalogue is whole and compiled, and no Chinese stands where it cannot be translated."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from web.desk import CHINESE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "web/translations" / CHINESE / "LC_MESSAGES"
HAN = re.compile(r"[一-鿿]")

# Modules whose Chinese is not a text of a page.
DATA_MODULES = {
    "english.py": "the table from refusals said in Chinese to their English",
    "bench_crowd.py": "invented people whose assessment is measured",
    "demo.py": "invented people, places and papers of the demonstration",
    "demo_benefits.py": "invented lists, reports and reviews of the demonstration",
    "demo_meetings.py": "invented people and votes of the demonstration",
    "demo_campaign.py": "the invented campaign of the demonstration",
    "demo_training.py": "invented classes and activities of the demonstration",
    "demo_facilities.py": "invented facilities, hazards and visits of the demonstration",
    "demo_festival.py": "invented donors and reasons of the demonstration",
    "demo_screening.py": "invented visits and findings of the demonstration",
    "demo_programmes.py": "invented applicants and findings of the demonstration",
    "demo_help.py": "invented emergencies of the demonstration",
    "demo_intakes.py": "invented matters at the window of the demonstration",
    "demo_public.py": "invented opening hours, places and objections of the demonstration",
    "demo_notifications.py": "invented residents of the demonstration",
    "demo_payments.py": "invented accounts and answers of a bank of the demonstration",
    "demo_tips.py": "invented leads, complaints and findings of the demonstration",
    "bench.py": "invented answers of the load test",
    "cli.py": "the operator's terminal",
    "importing.py": "the operator's terminal",
    "registry.py": "answers of the invented registries",
    "svg.py": "drawings are made for any caller, who names the language; the drawing carries its names in both",
}
# In the other modules: calls that take data in both languages, or Chinese whose English is in english.py.
DATA_CALLS = {
    "Refused": "a refusal carries its rule and both languages, for pages and API",
    "Conflict": "the same, of something that has changed meanwhile",
    "NotFound": "its English is in english.py",
    "number": "a label of a form, (zh, en)",
    "rows": "a label of a form, (zh, en)",
    "text": "a label of a form, (zh, en)",
    "choice": "a label of a form, (zh, en)",
    "on_date": "a label of a form, (zh, en)",
}
DATA_NAMES = {
    ("wording.py", "_HINTS_EN"): "English for hints of forms that processes give in Chinese only",
    ("wording.py", "_DIGITS"): "numerals",
    ("wording.py", "_ANNEX1"): "the heads of the columns of annex 1, as the workbook has them",
    ("wording.py", "_chinese"): "numerals",
    ("wording.py", "_numeral"): "numerals",
    ("tasks.py", "named_lines"): "finds a member in a line that processes say in both languages",
    ("__init__.py", "API_TITLE"): "the name of the product",
}
OWN_NAME = "{{ '中文' if lang == 'en' else 'English' }}"  # a language is called by its own name


def catalogue():
    with (FOLDER / "messages.po").open("rb") as file:
        return {(m.context, m.id): m for m in read_po(file, locale=CHINESE) if m.id}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """(context, English) of every text in web/, found with the very options of `make catalogue`."""
    line = next(x for x in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "pybabel -q extract" in x)
    found = tmp_path_factory.mktemp("catalogue") / "messages.pot"
    options = line.split("extract", 1)[1].replace("-F pyproject.toml", f"-F {ROOT / 'pyproject.toml'}").replace("build/messages.pot", str(found))
    CommandLineInterface().run(["pybabel", "-q", "extract", *options.split()[:-1], str(ROOT / "web")])
    with found.open("rb") as file:
        return {(m.context, m.id) for m in read_po(file) if m.id}


def test_every_text_has_its_chinese_and_nothing_is_left_over(extracted):
    assert len(extracted) > 300
    known = catalogue()
    assert extracted - set(known) == set(), "run `make catalogue` and fill in the Chinese"
    assert set(known) - extracted == set(), "run `make catalogue`: these are said nowhere"
    assert [key for key, m in known.items() if not m.string or m.fuzzy] == []


def test_placeholders_are_the_same_in_both():
    for (_, english), m in catalogue().items():
        names = [sorted(re.findall(r"%\((\w+)\)s", text)) for text in (english, m.string)]
        assert names[0] == names[1], english
        assert not re.search(r"%(?!\(\w+\)s|%)", english + m.string), f"a bare %: {english}"


def test_texts_are_plain():
    """Templates take a text as it is: Jinja does not escape what gettext gives."""
    for (_, english), m in catalogue().items():
        assert not set("<>&") & set(english + m.string), english
        assert not HAN.search(english), english


def test_the_compiled_catalogue_says_what_the_readable_one_says():
    with (FOLDER / "messages.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    readable = {f"{context}\x04{english}" if context else english: m.string for (context, english), m in catalogue().items()}
    assert {k: v for k, v in compiled.items() if k} == readable, "run `make catalogue`"


@pytest.mark.parametrize("path", sorted((ROOT / "web/templates").glob("**/*.html")), ids=lambda p: p.name)
def test_no_chinese_stands_in_a_template(path):
    assert HAN.findall(path.read_text(encoding="utf-8").replace(OWN_NAME, "")) == []


def loose(path: Path) -> list[str]:
    """Chinese in string literals of a module, without docstrings and without what DATA_CALLS and DATA_NAMES name."""
    found: list[str] = []

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DATA_CALLS:
            return
        names = [getattr(t, "id", "") for t in (*getattr(node, "targets", ()), getattr(node, "target", None))]
        names += [getattr(node, "name", ""), getattr(node, "arg", "")]
        if any((path.name, name) in DATA_NAMES for name in names if isinstance(name, str)):
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and HAN.search(node.value):
            found.append(f"{path.name}:{node.lineno} {node.value}")
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(path.read_text(encoding="utf-8")))
    return found


def test_no_chinese_stands_in_a_module_of_pages():
    modules = sorted((ROOT / "web").glob("*.py"))
    assert set(DATA_MODULES) <= {p.name for p in modules}
    assert [text for p in modules if p.name not in DATA_MODULES for text in loose(p)] == []


def test_what_is_called_data_is_still_there():
    """An exception that nobody needs any more goes away."""
    for module, name in DATA_NAMES:
        assert re.search(rf"\b{name}\b", (ROOT / "web" / module).read_text(encoding="utf-8")), (module, name)
