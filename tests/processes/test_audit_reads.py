"""Read log and log of administration: what people did is there, whoever did it, and reasons only while their key lives."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from engine import store
from engine.errors import Invalid, NotFound
from processes import audit_reads as ar
from processes import households, organisation, readers


def looked(district, **kind):
    with district.office.read() as conn:
        return ar.reads(conn, district.office.keys.on(conn), ar.Wanted("120116", **kind))


def administered(district, **kind):
    with district.office.read() as conn:
        return ar.administered(conn, district.office.keys.on(conn), ar.Wanted(kind.pop("area", "120116"), **kind), size=100)


@pytest.fixture
def read(district):
    """A document, a phone number and a health field were read, by two people, on three days."""
    district.home = district.household(210_000)
    district.no = district.apply(district.home)
    with district.office.read() as conn:
        member = households.view(conn, district.office.keys.on(conn), district.home)["members"][0]["person_id"]
    with district.office.act(district.people["rita"]) as act:
        readers.note(act, "document_read", {"document": district.scan})
    district.clock.advance(days=1)
    with district.office.act(district.people["rita"]) as act:
        households.reveal(act, "household", district.home, "phone", "核对电话")
    district.clock.advance(days=1)
    with district.office.act(district.people["exam"]) as act:
        households.reveal(act, "person", member, "health", "审查残疾情况")
    return district


def test_who_looked_at_what_when_and_why_the_newest_first(read):
    found = looked(read)
    assert [(one.who, one.about["kind"], one.reason) for one in found.items] == [
        ("exam", "health_revealed", "审查残疾情况"), ("rita", "field_revealed", "核对电话"), ("rita", "document_read", None)]  # fmt: skip
    assert {one.about["household_id"] for one in found.items} == {read.home}
    assert found.items[2].about["document"] == "signature"
    assert found.total == 3


def test_an_export_of_the_whole_record_is_a_reading_of_each_case(read):
    with read.office.act(read.people["rita"]) as act:
        readers.note(act, "evidence_exported", {"cases": [], "personal": True}, "专项审计")
        readers.note(act, "evidence_exported", {"cases": ["DB-2018-999999"], "personal": True}, "专项审计")
    assert [one.event for one in looked(read, case=read.no, event="evidence_exported").items] == ["evidence_exported"]


def test_filters_and_pages(read):
    today = read.office.today()
    assert [one.who for one in looked(read, who="rita").items] == ["rita", "rita"]
    assert [one.who for one in looked(read, event="health_revealed").items] == ["exam"]
    assert looked(read, event="field_revealed").total == 1, "health is a kind of its own"
    assert looked(read, case=read.no).total == 3
    assert looked(read, from_on=today).total == 1
    assert looked(read, until_on=today.replace(day=today.day - 2)).total == 1
    other = read.apply(read.household(210_000, serial=2))
    assert looked(read, case=other).total == 0
    with pytest.raises(NotFound):
        looked(read, case="DB-2018-999999")
    with pytest.raises(Invalid):
        looked(read, event="units_listed")
    with pytest.raises(Invalid):
        ar.day("from_on", "yesterday")
    with read.office.read() as conn:
        keys = read.office.keys.on(conn)
        pages = [ar.reads(conn, keys, ar.Wanted("120116"), page, 2) for page in (1, 2, 3)]
        assert ar.reads(conn, keys, ar.Wanted(())).total == 0
        assert ar.reads(conn, keys, ar.Wanted("120116005")).total == 0, "a reader of another street is not this auditor's"
    assert [len(page.items) for page in pages] == [2, 1, 0]


def test_a_reason_whose_key_is_gone_is_said_to_be_erased(read):
    with read.office.store.write() as conn:
        conn.execute(delete(store.subject_key).where(store.subject_key.c.subject == "staff:rita"))
    found = looked(read)
    assert [(one.who, one.reason) for one in found.items] == [("exam", "审查残疾情况"), ("rita", ""), ("rita", None)]


def test_administration_of_staff_tokens_incidents_and_hand_overs(district):
    with district.office.act(district.people["admin"]) as act:
        change = organisation.propose_change(act, "rita", "posts", {"posts": [["reviewer", "120116005"]]})
    with district.office.act(district.people["admin2"]) as act:
        organisation.confirm_change(act, change)
    with district.office.act() as act:
        organisation.make_token(act, "ann", "cli")
    with district.office.act(district.people["admin"]) as act:
        organisation.revoke_tokens(act, "ann")
    district.apply(district.household(210_000))
    number = district.tasks()["completeness_check"]["id"]
    with district.office.act(district.people["clerk"]) as act:
        district.cases.claim(act, number)
    with district.office.act(district.people["clerk"]) as act:
        district.cases.transfer(act, number, "clerk2", "休假")
    found = administered(district)
    events = [one.event for one in found.items]
    for event in ("staff_added", "change_proposed", "change_confirmed", "posts_changed", "token_made", "tokens_revoked", "task_transferred", "units_listed"):
        assert event in events, event
    assert "task_claimed" not in events, "work is no administration"
    assert "case_started" not in events
    [moved] = administered(district, event="task_transferred").items
    assert (moved.who, moved.about["no"], moved.reason) == ("clerk", district.no, "休假")
    [confirmed] = administered(district, event="change_confirmed").items
    assert (confirmed.who, confirmed.about["login"]) == ("admin2", "rita")
    assert {one.who for one in administered(district, who="admin").items} == {"admin"}
    assert [one.event for one in administered(district, case=district.no).items] == ["task_transferred"]
    assert administered(district, area="120116005").total < found.total
    with pytest.raises(Invalid):
        administered(district, event="document_read")


def test_what_only_sounds_like_an_event_is_none(district):
    """Data that names an event is no event: the place in the bytes counts."""
    district.apply(district.household(210_000))
    number = district.tasks()["completeness_check"]["id"]
    with district.office.act(district.people["clerk"]) as act:
        record = act.open("case", number >> 16)
        act.append(record, "case_commented", {"event": "incident_skipped"})
    assert administered(district, event="incident_skipped").total == 0
    assert "case_commented" not in [one.event for one in administered(district).items]
