"""An auditor's finding, the unit's right of reply, and the decision: who may what and when, all of it a record of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.office import history
from processes import findings, rebuild
from processes.finding_tables import finding, finding_reply
from processes.findings import Finding

SAID = Finding("serious", "民发〔2012〕220号第十八条", "入户调查只有一人签字", 2)


@pytest.fixture
def case(district):
    district.no = district.apply(district.household(210_000))
    district.accept()
    return district.no


def raised(district, said=SAID, who="auditor"):
    with district.office.act(district.people[who]) as act:
        return findings.raise_on(act, district.cases, district.no, said)["finding"]


def answer(district, who, number, text="签字页已补入案卷"):
    with district.office.act(district.people[who]) as act:
        return findings.reply(act, number, text)


def settle(district, number, outcome, who="auditor", text="属实"):
    with district.office.act(district.people[who]) as act:
        return findings.settle(act, number, outcome, text)


def told(district, who, number):
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        return findings.told(conn, keys, [findings.seen(conn, district.people[who], number)], district.people[who], district.office.today())[0]


def test_a_finding_is_replied_to_and_accepted(district, case):
    before = district.case()["head"]
    number = raised(district)
    assert told(district, "rita", number)["may"] == ["reply"]
    assert told(district, "auditor", number)["may"] == []
    assert answer(district, "rita", number)["state"] == "replied"
    assert told(district, "auditor", number)["may"] == ["accept", "uphold"]
    assert settle(district, number, "accepted")["state"] == "accepted"
    found = told(district, "auditor", number)
    assert [(one["kind"], one["staff"], one["late"]) for one in found["said"]] == [("reply", "rita", False), ("verdict", "auditor", False)]
    assert (found["text"], found["unit"], found["settled_by"]) == (SAID.text, "120116001", "auditor")
    assert district.case()["head"] == before, "auditing a case does not change the case"
    assert rebuild.differences(district.office) == []


def test_the_record_names_the_entry_by_its_seal_and_keeps_the_words_sealed(district, case):
    number = raised(district)
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), number >> 16)
        leaf = conn.scalar(select(store.entry.c.leaf).where(store.entry.c.record_id == district.case()["id"], store.entry.c.seq == 2))
        stored = conn.execute(select(finding.c.text)).scalar_one()
    assert [entry.event for entry in entries] == ["finding_raised"]
    assert entries[0].data == {"case": case, "entry": 2, "leaf": leaf}
    assert SAID.text.encode() not in entries[0].body
    assert SAID.text.encode() not in stored
    assert entries[0].said["sealed"].keys() == {district.case()["subject"]}, "it falls with the household's key"


def test_nothing_is_decided_before_the_reply_or_its_last_day(district, case, clock):
    number = raised(district)
    for outcome in ("accepted", "upheld"):
        with pytest.raises(Refused) as refused:
            settle(district, number, outcome)
        assert refused.value.rule == "right-of-reply"
    assert told(district, "auditor", number)["due_on"] == "2018-12-17", "ten working days after 2018-12-03"
    clock.set("2018-12-17T18:00")
    with pytest.raises(Refused):
        settle(district, number, "upheld")
    clock.set("2018-12-19T09:00")
    found = told(district, "auditor", number)
    assert (found["late"], found["may"]) == (2, ["uphold"])
    with pytest.raises(Refused):
        settle(district, number, "accepted")
    assert settle(district, number, "upheld")["state"] == "upheld"
    with pytest.raises(Conflict):
        answer(district, "rita", number)


def test_a_late_reply_counts_and_says_so(district, case, clock):
    number = raised(district)
    clock.set("2018-12-20T09:00")
    answer(district, "rita", number)
    assert told(district, "auditor", number)["said"][0]["late"] is True
    assert told(district, "auditor", number)["may"] == ["accept", "uphold"]


@pytest.mark.parametrize(("who", "error"), [("clerk", "auditor"), ("sue", "auditor"), ("admin", "auditor")])
def test_only_auditors_raise(district, case, who, error):
    with pytest.raises(Refused) as refused:
        raised(district, who=who)
    assert refused.value.rule == error


def test_another_street_neither_reads_nor_replies(district, case):
    number = raised(district)
    with pytest.raises(NotFound):
        answer(district, "stranger", number)
    with district.office.read() as conn:
        assert findings.listed(conn, district.people["stranger"]).total == 0
        assert findings.waiting(conn, district.people["stranger"]) == 0
        assert findings.listed(conn, district.people["rita"]).total == 1
        assert findings.waiting(conn, district.people["rita"]) == 1
        assert findings.waiting(conn, district.people["auditor"]) == 0
    answer(district, "rita", number)
    with district.office.read() as conn:
        assert findings.waiting(conn, district.people["rita"]) == 0
        assert findings.waiting(conn, district.people["auditor"]) == 1


def test_an_auditor_does_not_reply_and_the_unit_does_not_decide(district, case):
    number = raised(district)
    with pytest.raises(Refused) as refused:
        answer(district, "auditor", number)
    assert refused.value.rule == "handling-unit"
    answer(district, "rita", number)
    with pytest.raises(Refused) as refused:
        settle(district, number, "accepted", who="rita")
    assert refused.value.rule == "auditor"


@pytest.mark.parametrize(("said", "field"), [
    (Finding("huge", "条文", "内容"), "severity"), (Finding("minor", " ", "内容"), "article"), (Finding("minor", "条" * 201, "内容"), "article"),
    (Finding("minor", "条文", "  "), "text"), (Finding("minor", "条文", "字" * 2001), "text"), (Finding("minor", "条文", "内容", 99), "entry"),
])  # fmt: skip
def test_what_is_not_complete_is_refused_with_its_field(district, case, said, field):
    with pytest.raises(Invalid) as invalid:
        raised(district, said)
    assert field in invalid.value.fields
    with district.office.read() as conn:
        assert conn.execute(select(finding)).all() == []


def test_a_repeated_request_raises_one_finding(district, case):
    for _ in range(2):
        with district.office.act(district.people["auditor"], ("k1", ["raise"])) as act:
            number = findings.raise_on(act, district.cases, case, SAID)["finding"]
    for _ in range(2):
        with district.office.act(district.people["rita"], ("k2", ["reply"])) as act:
            findings.reply(act, number, "已补")
    with district.office.read() as conn:
        assert len(conn.execute(select(finding)).all()) == 1
        assert len(conn.execute(select(finding_reply)).all()) == 1


def test_an_auditor_who_worked_on_the_case_does_not_audit_it(district, case):
    from processes import organisation

    with district.office.act() as act:
        organisation.change_posts(act, "clerk", [("auditor", "120116")])
    with district.office.read() as conn:
        district.people["clerk"] = organisation.find_actor(conn, "clerk")
    with pytest.raises(Refused) as refused:
        raised(district, who="clerk")
    assert refused.value.rule == "own-case"
