"""Facts are declared where they are given: a name that nobody gives is refused at start, wherever it is asked for."""

from __future__ import annotations

import dataclasses

import pytest

from engine.errors import BadProcess
from engine.forms import Form, text
from engine.given import given, gives
from processes.dibao_2012 import DIBAO_2012


def drawn(tmp_path, old, new):
    """The process with a changed drawing."""
    xml = DIBAO_2012.bpmn.read_text(encoding="utf-8")
    assert old in xml
    changed = tmp_path / "dibao-2012.bpmn"
    changed.write_text(xml.replace(old, new, 1), encoding="utf-8")
    return dataclasses.replace(DIBAO_2012, bpmn=changed)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("spot_check == True", "spot_chek == True", "spot_chek"),
        ("category == 'low_income'", "catgory == 'low_income'", "catgory"),
        ("since='decided_on'", "since='decided'", "decided"),
        (">street_notice_until<", ">street_notice_untill<", "street_notice_untill"),
    ],
)
def test_a_misspelt_fact_on_the_drawing_is_refused_at_start(tmp_path, old, new, name):
    with pytest.raises(BadProcess, match=rf"unknown-fact .*: no form or service gives {name}\b"):
        drawn(tmp_path, old, new).check()


def test_the_drawing_as_it_stands_asks_for_nothing_unknown():
    DIBAO_2012.check()
    known = DIBAO_2012.known_facts
    assert {"household_id", "complete", "near_relative", "street", "first_payment_month", "registry_status", "objection_on"} <= known
    assert "opinion" not in known, "what is personal is no fact"


def test_a_service_that_asks_for_a_fact_nobody_gives_is_refused():
    @gives("first_payment_month")
    def grant(decidedon):
        return {}

    with pytest.raises(BadProcess, match="decidedon"):
        dataclasses.replace(DIBAO_2012, services={**DIBAO_2012.services, "grant": grant}).check()


def test_who_does_not_say_what_he_gives_is_refused():
    class Mute(DIBAO_2012.forms["home_survey"]):
        def extra_facts(self, loaded):
            return {"survey_ended_on": loaded["surveyed_on"]}

    for wrong in (
        dataclasses.replace(DIBAO_2012, services={**DIBAO_2012.services, "grant": lambda decided_on: {}}),
        dataclasses.replace(DIBAO_2012, forms={**DIBAO_2012.forms, "home_survey": Mute}),
        dataclasses.replace(DIBAO_2012, begin=lambda _act, _facts: {}),
    ):
        with pytest.raises(BadProcess, match="does not say which facts it gives"):
            wrong.check()


def test_what_was_not_declared_cannot_be_given():
    @gives("a", "b")
    def service(n):
        return {"a": n} if n else {"c": n}

    assert (given(service), service(1), given(len)) == (frozenset({"a", "b"}), {"a": 1}, None)
    with pytest.raises(TypeError, match="c without saying so"):
        service(0)


def test_a_plain_form_gives_its_marked_fields_only():
    class Plain(Form):
        said = text("说", "Said", fact=True)
        opinion = text("意见", "Opinion")

    process = dataclasses.replace(DIBAO_2012, forms={"x": Plain}, former={}, messages={}, services={}, start_form=Form)
    assert process.known_facts - given(DIBAO_2012.begin) == {"said"}
