"""Messages between cases: one act, a cause on both records; what cannot be delivered undoes the whole act."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.cases import Cases
from engine.errors import Conflict, Invalid, NotWaiting
from engine.forms import Form, number, text
from engine.model import Actor
from engine.office import history
from engine.process import Message, Process

WHO = Actor("ann", "Ann", frozenset({"clerk"}), "120116")
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:yb="urn:yingbao:bpmn:1" '
    'targetNamespace="t"><bpmn:message id="m_answer" name="answer"/><bpmn:process id="{key}" isExecutable="true">'
)
TASK = (
    '<bpmn:userTask id="{0}" name="{0}"><bpmn:extensionElements><yb:task role="clerk" level="street" due="promptly()"/>'
    "</bpmn:extensionElements></bpmn:userTask>"
)
ASKER = (
    HEAD.format(key="asker") + '<bpmn:startEvent id="begin"/>' + TASK.format("ask")
    + '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m_answer"/></bpmn:intermediateCatchEvent>'
    + TASK.format("use") + '<bpmn:endEvent id="over"/>'
    '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="ask"/><bpmn:sequenceFlow id="f2" sourceRef="ask" targetRef="wait"/>'
    '<bpmn:sequenceFlow id="f3" sourceRef="wait" targetRef="use"/><bpmn:sequenceFlow id="f4" sourceRef="use" targetRef="over"/>'
    "</bpmn:process></bpmn:definitions>"
)  # fmt: skip
TELLER = (
    HEAD.format(key="teller") + '<bpmn:startEvent id="begin"/>' + TASK.format("tell") + '<bpmn:endEvent id="over"/>'
    '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="tell"/><bpmn:sequenceFlow id="f2" sourceRef="tell" targetRef="over"/>'
    "</bpmn:process></bpmn:definitions>"
)  # fmt: skip


class Nothing(Form):
    note = text("备注", "Note", required=False)


class Telling(Form):
    first = number("先告知", "First", fact=True)
    second = number("再告知", "Second", required=False, fact=True)
    words = text("内容", "Words")


class Answer(Form):
    words = text("内容", "Words")
    level = number("级别", "Level", fact=True)


def numbers(answers):
    return [answers[name] for name in ("first", "second") if answers.get(name) is not None]


def tells(act, _case, answers, _facts):
    return [Message(f"AS-2018-{n:06d}", "answer", {"words": answers["words"], "level": 7}) for n in numbers(answers)]


@pytest.fixture
def made(office, tmp_path):
    def process(key, prefix, xml, **more):
        path = Path(tmp_path) / f"{key}.bpmn"
        path.write_text(xml, encoding="utf-8")
        return Process(key, key, key, prefix, path, Nothing, frozenset({"clerk"}), unit_of=lambda *_: "120116011", **more)

    asker = process("asker", "AS", ASKER, forms={"ask": Nothing, "use": Nothing}, messages={"answer": Answer})
    teller = process("teller", "TE", TELLER, forms={"tell": Telling}, sends={"tell": tells},
                     partners={"tell": lambda _conn, _case, raw: numbers(raw)})  # fmt: skip
    return office, Cases({"asker": asker, "teller": teller})


def start(made, key):
    office, cases = made
    with office.act(WHO) as act:
        told = cases.start(act, key, {})
    return told["case"], int(told["case"][-6:])


def open_task(made, case_id):
    office, cases = made
    with office.act(WHO) as act:
        [task] = [t for t in cases._case(act, case_id).tasks if t["state"] == "open"]
    return task["id"]


def complete(made, case_id, **answers):
    office, cases = made
    task = open_task(made, case_id)
    with office.act(WHO) as act:
        return cases.complete(act, task, answers)


def record(made, case_id):
    office, _ = made
    with office.read() as conn:
        return history(conn, office.keys.on(conn), case_id)


def asked(made):
    """A case that waits for the answer."""
    no, case_id = start(made, "asker")
    complete(made, case_id)
    return no, case_id


def test_one_act_is_a_cause_on_both_records_and_both_replay(made):
    office, cases = made
    no, asker = asked(made)
    told, teller = start(made, "teller")
    task = open_task(made, teller)
    with office.act(WHO, ("k1", {"a": 1})) as act:
        first = cases.complete(act, task, {"first": asker, "words": "同意"})
    with office.act(WHO, ("k1", {"a": 1})) as act:
        assert cases.complete(act, task, {"first": asker, "words": "同意"}) == first
    sent, got = record(made, teller)[-1], record(made, asker)[-1]
    assert sent.data["sent"] == [[no, "answer"]]
    assert (got.event, got.data["from"], got.data["facts"]) == ("message_received", [told, sent.seq], {"level": 7})
    assert "同意" not in got.body.decode()
    assert got.actor == "ann"
    with office.read() as conn:
        for case_id in (asker, teller):
            assert len(cases.replayed(conn, office.keys.on(conn), case_id)) == len(record(made, case_id))


def test_what_cannot_be_delivered_undoes_the_whole_act(made):
    _, waiting = asked(made)
    _, busy = start(made, "asker")  # has not asked yet
    _, teller = start(made, "teller")
    before = {n: len(record(made, n)) for n in (waiting, busy, teller)}
    with pytest.raises(NotWaiting, match="不在等候"):
        complete(made, teller, first=waiting, second=busy, words="同意")
    assert {n: len(record(made, n)) for n in before} == before
    complete(made, teller, first=waiting, words="同意")


def test_one_act_tells_a_case_one_thing(made):
    _, waiting = asked(made)
    _, teller = start(made, "teller")
    with pytest.raises(ValueError, match="two things"):
        complete(made, teller, first=waiting, second=waiting, words="同意")


def test_a_bad_answer_is_refused_like_anybody_s(made):
    _, waiting = asked(made)
    _, teller = start(made, "teller")
    with pytest.raises(Invalid):
        complete(made, teller, first=waiting, words="")
    assert len(record(made, waiting)) == 2


def test_two_that_tell_the_same_cases_crosswise_do_not_wait_for_each_other(made):
    """Locks are taken in ascending order whatever the order of the messages: every act ends, each case hears one of them."""
    rounds = 6
    pairs = [(asked(made)[1], asked(made)[1]) for _ in range(rounds)]
    tellers = [(start(made, "teller")[1], start(made, "teller")[1]) for _ in range(rounds)]
    told = []

    def tell(teller, first, second):
        try:
            complete(made, teller, first=first, second=second, words="同意")
            told.append("done")
        except NotWaiting:
            told.append("late")
        except Conflict as conflict:
            told.append(str(conflict))

    for (a, b), (one, two) in zip(pairs, tellers, strict=True):
        both = [threading.Thread(target=tell, args=(one, a, b)), threading.Thread(target=tell, args=(two, b, a))]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert sorted(told) == ["done"] * rounds + ["late"] * rounds
