"""A job that failed five times waits for a person: who decides, what each decision does, and that it happens once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from engine import incidents, jobs
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.office import history, seals_hold
from engine.store import job
from processes import organisation
from processes.rebuild import differences

DAY = 24


@pytest.fixture
def stuck(district):
    """A case whose registries stay away, and have become an incident."""
    district.apply(district.household(210_000))
    district.accept()
    fail(district)
    return district


def fail(district):
    for _ in range(jobs.TRIES):
        district.bureau.jobs.run_all()
        district.clock.advance(hours=DAY)


def the_job(district):
    with district.office.read() as conn:
        return conn.execute(select(job).where(job.c.kind == "means_check")).mappings().one()


def events(district):
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), district.case()["id"])
    assert seals_hold(entries) is None
    return entries


def decide(district, who, verb, reason="", idem=None):
    made = district.bureau
    with district.office.act(district.people[who], idem) as act:
        return incidents.decide(act, made.jobs, made.cases.refuse_relatives, the_job(district)["id"], verb, reason)


def test_five_failures_open_an_incident_and_nothing_is_decided_by_itself(stuck):
    assert (the_job(stuck)["state"], the_job(stuck)["attempts"]) == ("incident", 5)
    last = next(e for e in reversed(events(stuck)) if e.event == "incident_opened")
    assert dict(last.data) == {"job": "means_check", "key": "round.1", "tries": 5, "trouble": "RegistryFailed"}
    assert stuck.facts().get("registry_status") is None
    stuck.clock.advance(days=300)
    stuck.bureau.jobs.run_all()
    assert the_job(stuck)["state"] == "incident"
    assert [e.event for e in events(stuck)].count("incident_opened") == 1
    assert differences(stuck.office) == []


def test_retry_is_as_if_it_had_never_failed(stuck):
    assert decide(stuck, "sue", "retry") == {"incident": the_job(stuck)["id"], "state": "ready", "case": stuck.no}
    assert (the_job(stuck)["state"], the_job(stuck)["attempts"]) == ("ready", 0)
    stuck.bureau.registry.query = lambda *_: {"status": "done", "answers": []}
    stuck.bureau.jobs.run_all()
    assert the_job(stuck)["state"] == "done"
    assert "means_check" in stuck.tasks()
    assert [(e.event, e.actor) for e in events(stuck)[-2:]] == [("incident_retried", "sue"), ("message_received", "system")]


def test_after_a_retry_five_more_failures_make_another_incident(stuck):
    decide(stuck, "sue", "retry")
    fail(stuck)
    assert the_job(stuck)["state"] == "incident"
    assert [e.event for e in events(stuck) if e.event.startswith("incident")] == ["incident_opened", "incident_retried", "incident_opened"]


def test_skip_tells_the_case_honestly_that_there_is_no_answer(stuck):
    decide(stuck, "sue", "skip", "区大数据中心答复：接口停用至年底")
    assert the_job(stuck)["state"] == "done"
    assert stuck.facts()["registry_status"] == "unavailable"
    assert "means_check" in stuck.tasks()
    skipped, received = events(stuck)[-2:]
    assert (skipped.event, skipped.actor, dict(skipped.data)) == ("incident_skipped", "sue", {"job": "means_check", "key": "round.1"})
    assert "接口停用" not in skipped.body.decode(), "the reason is personal"
    assert [said["said"]["reason"] for said in skipped.personal.values()] == ["区大数据中心答复：接口停用至年底"]
    assert (received.event, received.actor) == ("message_received", "sue")
    with stuck.office.read() as conn:
        assert stuck.cases.replayed(conn, stuck.office.keys.on(conn), stuck.case()["id"])
    stuck.do("checker", "means_check", check_conclusion="consistent", report="人工核对")
    assert differences(stuck.office) == []


def test_cancel_gives_the_job_up_and_leaves_the_case_where_it_is(stuck):
    before = stuck.tasks().keys()
    decide(stuck, "admin", "cancel", "不再需要")
    assert the_job(stuck)["state"] == "cancelled"
    assert stuck.tasks().keys() == before
    with stuck.office.read() as conn:
        assert [row["state"] for row in incidents.of_record(conn, stuck.case()["id"])] == ["cancelled"]
        assert incidents.listed(conn, "120116").total == 0
    fail(stuck)
    assert the_job(stuck)["state"] == "cancelled"
    stuck.send("clerk", "withdrawal", withdrawn_on=stuck.office.today().isoformat(), reason="已就业")
    assert the_job(stuck)["state"] == "dropped"


@pytest.mark.parametrize("verb", ["skip", "cancel"])
def test_going_on_without_it_needs_a_reason(stuck, verb):
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid):
            decide(stuck, "sue", verb, reason)
    assert the_job(stuck)["state"] == "incident"


@pytest.mark.parametrize(("who", "error"), [("clerk", Refused), ("lee", Refused), ("auditor", Refused), ("checker", Refused), ("stranger", NotFound)])
def test_only_a_supervisor_of_the_unit_or_an_administrator_decides(stuck, who, error):
    seq = stuck.case()["seq"]
    for verb in incidents.VERBS:
        with pytest.raises(error):
            decide(stuck, who, verb, "理由")
    assert (the_job(stuck)["state"], stuck.case()["seq"]) == ("incident", seq)


def test_a_supervisor_who_is_a_near_relative_keeps_away(stuck):
    from processes import households

    with stuck.office.read() as conn:
        row = households.members_of(conn, stuck.facts()["household_id"])[0]
        number = stuck.office.keys.on(conn).reveal("person", "id_no", row["person_id"], row["id_no"])
    with stuck.office.act() as act:
        organisation.declare_relative(act, "sue", "sibling", "张一", number)
    with pytest.raises(Refused) as refused:
        decide(stuck, "sue", "skip", "理由")
    assert refused.value.rule == "near-relative"
    assert decide(stuck, "admin", "skip", "理由")["state"] == "done"


def test_nothing_can_stand_for_a_timer(district):
    d = district
    d.to_street_opinion()
    d.review()
    d.street()
    d.post()

    def broken(_job):
        raise RuntimeError

    d.bureau.jobs.handlers = {**d.bureau.jobs.handlers, "timer": broken}
    d.clock.advance(days=9)
    fail(d)
    with d.office.read() as conn:
        [row] = incidents.listed(conn, "120116").items
    assert row["kind"] == "timer"
    with d.office.act(d.people["sue"]) as act, pytest.raises(Refused) as refused:
        incidents.decide(act, d.bureau.jobs, d.cases.refuse_relatives, row["id"], "skip", "公示可以了")
    assert refused.value.rule == "skip"
    with d.office.act(d.people["sue"]) as act:
        incidents.decide(act, d.bureau.jobs, d.cases.refuse_relatives, row["id"], "retry")
    d.bureau.jobs.handlers = {**d.bureau.jobs.handlers, "timer": lambda one: lambda act: d.cases.tick(act, one.record_id, one.key)}
    d.bureau.jobs.run_all()
    assert "remove_street_notice" in d.tasks()


def test_what_was_decided_is_decided(stuck):
    decide(stuck, "sue", "skip", "理由")
    for verb in incidents.VERBS:
        with pytest.raises(Conflict):
            decide(stuck, "admin", verb, "理由")


def test_the_same_request_twice_gets_the_same_answer_once(stuck):
    idem = ("key-1", {"reason": "理由"})
    first = decide(stuck, "sue", "skip", "理由", idem)
    seq = stuck.case()["seq"]
    assert decide(stuck, "sue", "skip", "理由", idem) == first
    assert stuck.case()["seq"] == seq


def test_two_people_at_once_have_one_effect_and_the_other_is_told(stuck):
    told, gate = [], threading.Barrier(6)
    seq = stuck.case()["seq"]

    def press(who, verb):
        gate.wait()
        try:
            decide(stuck, who, verb, "理由")
            told.append(verb)
        except Conflict as error:
            told.append(str(error))

    pressed = [threading.Thread(target=press, args=args) for args in
               (("sue", "skip"), ("admin", "skip"), ("admin2", "cancel"), ("sue", "cancel"), ("admin", "skip"), ("admin2", "cancel"))]  # fmt: skip
    for one in pressed:
        one.start()
    for one in pressed:
        one.join()
    done = [t for t in told if t in incidents.VERBS]
    assert (len(done), len(told)) == (1, 6)
    assert all("别人" in t for t in told if t not in incidents.VERBS)
    assert the_job(stuck)["state"] == {"skip": "done", "cancel": "cancelled"}[done[0]]
    assert stuck.case()["seq"] == seq + {"skip": 2, "cancel": 1}[done[0]]


def test_an_incident_of_a_case_that_ends_is_dropped(stuck):
    stuck.send("clerk", "withdrawal", withdrawn_on=stuck.office.today().isoformat(), reason="已就业")
    assert the_job(stuck)["state"] == "dropped"


def test_registries_are_not_asked_when_the_case_does_not_wait_any_more(district, monkeypatch):
    asked = []
    monkeypatch.setattr(district.bureau.registry, "query", lambda *request: asked.append(request) or {"answers": []})
    district.apply(district.household(210_000))
    district.accept()
    district.registries()
    district.bureau.jobs.run_all()
    assert (asked, the_job(district)["state"]) == ([], "done")
