"""Nothing that people read is left as a code: facts, articles, deadline rules, kinds of income, refusals."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest
from flask import Flask, current_app, session

import web
from engine.forms import Form, json_schema
from processes import bureau as bureaus
from processes import deliveries, household_forms
from processes.change_report_2012_forms import ConcludeChange
from processes.dibao_2012_forms import StreetOpinion
from processes.joint_meeting_forms import ScreenRow
from web import desk, english, wording

MACHINE = {"household_id", "street", "community", "means_round", "edge", "street_notice_from", "district_notice_from", "district_notice_ended_on",
           "person_id", "new_holder", "new_community", "destitute_person", "refusing_member", "supported_person_id", "benefit_id", "finding_id"}  # fmt: skip
ROOT = Path(__file__).parents[2]
PROCESSES = list(bureaus.CATALOGUE.values())


@pytest.fixture(params=["zh", "en"])
def lang(request):
    app = Flask("web")  # with its templates
    web._words(app)
    app.secret_key = "x"
    desk.speak(app)
    with app.test_request_context():
        session["lang"] = request.param
        yield request.param


def has_chinese(text: str) -> bool:
    return re.search(r"[一-鿿]", text) is not None


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.key)
def test_every_fact_has_words_or_is_the_machines_own(process):
    named = {n for f in [*process.forms.values(), *process.messages.values(), process.start_form]
             for n, field in f._declared_fields.items() if field.metadata.get("fact")}  # fmt: skip
    source = (ROOT / "processes/dibao_2012.py").read_text(encoding="utf-8") + (ROOT / "processes/dibao_2012_forms.py").read_text(encoding="utf-8")
    named |= set(re.findall(r'"([a-z_]+_(?:on|until|from))":', source))
    assert named - set(wording.FACTS) - MACHINE - {"posted_on", "removed_on", "surveyed_on", "held_on", "signed_on", "received_on", "enquired_on",
                                                   "visited_on", "investigated_on", "granted_on", "issued_on"} == set()  # fmt: skip


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.key)
def test_every_node_says_its_article_and_its_deadline_in_words(lang, process):
    for node in process.drawing.of_kind("userTask").values():
        assert not re.search(r"\b(N220|N23|T\w+) art", wording.article(node.law)), node.id
        said = wording.deadline(node.due)
        assert "(" not in said, node.id
        assert (said in ("及时办理", "Promptly")) == (node.due == "promptly()"), node.id
        assert has_chinese(said) == (lang == "zh")


def test_every_choice_of_every_form_has_words(lang):
    forms = [f for p in PROCESSES for f in [*p.forms.values(), *p.messages.values(), p.start_form]]
    forms += [household_forms.HouseholdIn, household_forms.MemberIn, household_forms.IncomeIn, household_forms.PropertyIn]
    for form in forms:
        for name, field in form._declared_fields.items():
            for choice in field.metadata.get("choices", ()):
                said = wording.choice_word(choice)
                assert said and said != choice[0] or choice[0] == choice[2].lower(), (form, name, choice)
                assert has_chinese(said) == (lang == "zh"), (form, name, choice)
            if lang == "en":
                assert not has_chinese(wording.hint(field.metadata).replace("民发〔2012〕220号", "").replace("民发〔2021〕57号", "")), (form, name)


def test_the_parts_of_long_forms_begin_with_the_first_field_and_have_titles(lang):
    forms = {f for p in PROCESSES for f in [*p.forms.values(), *p.messages.values(), p.start_form]} | {household_forms.HouseholdIn}
    parted = {form for form in forms if form.SECTIONS}
    assert {form.__name__ for form in parted} >= {"HomeSurvey", "ReviewOpinion", "ConcludeChange", "RegisterChange", "HouseholdIn"}
    for form in parted:
        order = [name for name in form().fields if name in form.SECTIONS]
        assert order == list(form.SECTIONS), form
        assert order[0] == next(iter(form().fields)), form
        assert all(has_chinese(zh) and not has_chinese(en) for zh, en in form.SECTIONS.values()), form
    macros = current_app.jinja_env.get_template("macros.html").make_module({"either": desk.either, "hint": wording.hint, "choice_word": wording.choice_word})
    heads = re.findall(r'<h2 class="part">(.*?) <span class="src">(.*?)</span>', macros.fields(ConcludeChange(context={}), {}, {}, [], []))
    assert [text for _, text in heads] == [(f"第 {n} / 4 部分" if lang == "zh" else f"Part {n} of 4") for n in (1, 2, 3, 4)]
    assert heads[0][0] == ("结论和理由" if lang == "zh" else "Conclusion and reason")


def answers_that_ask(form):
    """Field -> an answer, of one field or of none, after which the form misses it although it may be left out."""
    declared, found = form._declared_fields, {}
    for name, field in [("", None), *declared.items()]:
        codes = [c[0] for c in field.metadata.get("choices", ())] if field else []
        single = field is not None and field.metadata.get("widget") in ("radio", "select")
        values = codes if single else [[c] for c in codes] or ([True, False] if field and field.metadata.get("widget") == "yes_no" else [None])
        for value in values:
            said = {name: value} if value is not None else {}
            wrong = form(context={"facts": {}, "today": date(2018, 12, 3), "actor": None, "lang": "zh", "published": 2018}).validate(said)
            found |= {n: said for n in wrong if n in declared and not declared[n].required and n not in said}
    return found


def test_no_field_is_called_optional_that_another_answer_asks_for():
    """Each says when it is needed, on the page and in the API's form, in both languages."""
    forms = {f for p in PROCESSES for f in [*p.forms.values(), *p.messages.values(), p.start_form]}
    forms |= {f for f in vars(household_forms).values() if isinstance(f, type) and issubclass(f, Form)} | {deliveries.Delivery, ScreenRow}
    lacking = {f"{form.__name__}.{name}": said for form in forms for name, said in answers_that_ask(form).items() if name not in form.NEEDED}
    assert lacking == {}
    for form in forms:
        for name, (zh, en) in form.NEEDED.items():
            assert has_chinese(zh) and not has_chinese(en), (form, name)
    shown = json_schema(StreetOpinion, "en")["properties"]["reason_code"]
    assert shown["description"] == "needed to refuse or to send back"
    assert json_schema(StreetOpinion)["properties"]["clause"]["description"].endswith("；不同意或退回时必填")


@pytest.mark.parametrize(("lang", "said"), [("zh", '理由 <span class="opt">（不同意或退回时必填）'), ("en", 'Reason <span class="opt">(needed to refuse or to send back)')], indirect=["lang"])
def test_the_label_says_when_a_field_is_needed(lang, said):
    label = current_app.jinja_env.get_template("macros.html").make_module({"either": desk.either}).label
    form = StreetOpinion(context={})
    assert said in label(form.fields["reason_code"])
    assert "opt" in label(form.fields["clause"])
    assert "opt" not in label(form.fields["opinion"])


def test_every_code_has_words(lang):
    for kind, codes in wording.CODES.items():
        for code in codes:
            said = wording.word(kind, code)
            assert said, (kind, code)
            assert has_chinese(said) == (lang == "zh"), (kind, code)


@pytest.mark.parametrize(("number", "said"), [("1", "一"), ("10", "十"), ("13", "十三"), ("20", "二十"), ("27", "二十七"), ("18-19", "十八至十九")])
def test_articles_are_counted_in_chinese(number, said):
    assert wording._chinese(number) == said


REFUSING = {"NotFound", "Refused", "Conflict", "NotWaiting", "Broken", "Invalid", "ValidationError"}


def text_of(node):
    """The text of a literal, with 7 where something is put in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
    return None


def said_alone(node, *, within=False):
    """(line, text) of every Chinese text below a node that is a refusal's and has no English beside it: an argument of what is
    raised, an error of a field. `within`: something around it refuses."""
    name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", "")) if isinstance(node, ast.Call) else ""
    if name == "say":  # says both
        return
    if name in REFUSING:
        if len(node.args) >= {"Refused": 3, "Broken": 3, "Conflict": 2, "NotWaiting": 2}.get(name, 9):
            return  # with its English
        within = True
    text = text_of(node)
    if text is not None:
        if within and has_chinese(text):
            yield node.lineno, text
        return
    for below in ast.iter_child_nodes(node):
        alone = isinstance(node, ast.List) and len(node.elts) == 1  # wrong[path] = ["…"]
        yield from said_alone(below, within=within or (alone and text_of(below) is not None))


def test_refusals_said_in_chinese_only_have_english():
    """Whatever engine and processes refuse with a Chinese text alone is known to web/english.py."""
    lacking, found = [], 0
    papers = {"letters.py", "benefit_letters.py", "meeting_papers.py", "temporary_letters.py"}  # what these say is printed, in Chinese only
    for path in sorted([*(ROOT / "processes").glob("*.py"), *(ROOT / "engine").glob("*.py")]):
        if path.name in papers:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for line, text in said_alone(function):
                found += 1
                if english.english(text) == text:
                    lacking.append(f"{path.name}:{line} {text}")
    assert found > 150, "the texts are still found"
    assert sorted(set(lacking)) == []


def test_a_plan_of_repayment_is_said_in_few_words_and_a_gap_or_another_amount_is_not_lost():
    assert wording.instalments([("2018-12", 100), ("2019-01", 100), ("2019-02", 80)]) == [("2018-12", "2019-01", 100), ("2019-02", "2019-02", 80)]
    assert wording.instalments([{"month": "2018-12", "fen": 5}, {"month": "2019-02", "fen": 5}]) == [("2018-12", "2018-12", 5), ("2019-02", "2019-02", 5)]
