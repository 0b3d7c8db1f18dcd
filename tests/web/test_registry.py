"""The means check over real HTTP: late, failing, contradictory and partial registries, and answers in no agreed form."""

from __future__ import annotations

import contextlib
import threading
from datetime import date, timedelta

import httpx
import pytest
from flask import Flask, Response
from sqlalchemy import select
from werkzeug.serving import make_server

from engine.forms import understand
from engine.jobs import BACKOFF
from engine.store import job
from processes import identity, registry_port
from processes.dibao_2012_forms import RegistryAnswer
from processes.registry_port import SOURCES, Registry, RegistryBusy, RegistryFailed, conclude
from web.registry import CONTRADICTORY, DOWN, FAILING, LATE, PARTIAL, create_registry

DECLARED = {
    "members": [{"ref": "1", "income": [{"kind": "wage_income", "amount": "1500.00", "period": "month", "month": None, "year": None}]}],
    "property": [{"kind": "monetary_assets", "amount": "3000.00"}],
}


@contextlib.contextmanager
def serving(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)  # its end is noticed at the next poll
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def number(mark="10"):
    """An invented ID whose two digits before the check digit are `mark`."""
    found = (identity.invent(date(1970, 1, 1), sex, n) for n in range(500) for sex in ("male", "female"))
    return next(n for n in found if n[-3:-1] == mark)


def person(mark="10", ref="1", **more):
    return {"ref": ref, "id_no": number(mark), "name": "某人", "authorisation_id": 7, **more}


@pytest.fixture(scope="module")
def base():
    known = {number("10"): [
        {"source": "social_security", "item": "monthly_wage", "value": "2100.00"}, {"source": "tax", "item": "monthly_wage", "value": "2100.00"},
        {"source": "deposits", "item": "balance", "value": "2000.00"}, {"source": "deposits", "item": "balance", "value": "1500.50"},
        {"source": "vehicle", "item": "plate", "value": "津A12345"}]}  # fmt: skip
    with serving(create_registry(known)) as address:
        yield address


def results(answer, declared=DECLARED):
    """The message, proven to fit the form that the case reads it with."""
    told = conclude(answer, declared)
    understand(RegistryAnswer(context={"today": date(2018, 12, 3)}), told)
    return told


def test_an_answer_is_compared_with_what_was_declared(base):
    told = results(Registry(base).query("q1", [person()]))
    assert told["status"] == "complete"
    assert [(r["item"], r["value"]) for r in told["results"] if r["source"] == "comparison"] == [
        ("月工资", "申报 1500.00，查得 2100.00，相差 600.00"),
        ("货币财产", "申报 3000.00，查得 3500.50，相差 500.50"),
        ("机动车辆", "申报 0，查得 1"),
    ]
    assert {r["source"] for r in told["results"]} == {"comparison", *SOURCES}


def test_what_was_declared_in_full_is_no_difference(base):
    declared = {"members": [{"ref": "1", "income": [
        {"kind": "wage_income", "amount": "2000.00", "month": "2018-10"}, {"kind": "wage_income", "amount": "2200.00", "month": "2018-11"}]}],
        "property": [{"kind": "monetary_assets", "amount": "3500.50"}, {"kind": "vehicle"}]}  # fmt: skip
    assert not [r for r in results(Registry(base).query("q2", [person()]), declared)["results"] if r["source"] == "comparison"]


def test_a_late_registry_says_when_to_ask_again(base):
    with pytest.raises(RegistryBusy) as busy:
        Registry(base).query("late-1", [person(LATE)])
    assert busy.value.retry_after == 1
    assert results(Registry(base).query("late-1", [person(LATE)]))["status"] == "complete"


def test_a_failing_registry_answers_at_the_third_try(base):
    for _ in range(2):
        with pytest.raises(RegistryFailed):
            Registry(base).query("fail-1", [person(FAILING)])
    assert results(Registry(base).query("fail-1", [person(FAILING)]))["status"] == "complete"


def test_contradictory_and_partial_answers_are_called_so(base):
    assert results(Registry(base).query("q3", [person(CONTRADICTORY)]))["status"] == "contradictory"
    told = results(Registry(base).query("q4", [person(PARTIAL)]))
    assert (told["status"], {r["source"] for r in told["results"] if r["status"] == "unavailable"}) == ("partial", {"tax", "deposits"})


def test_nobody_is_asked_about_without_an_authorisation(base):
    for missing in (None, ""):
        with pytest.raises(RegistryFailed, match="403"):
            Registry(base).query("q5", [person(), person("11", "2", authorisation_id=missing)])


@pytest.mark.parametrize("body", [None, [], {}, {"request_id": 1, "persons": [], "sources": []}, {"request_id": "x", "persons": [1], "sources": []},
                                  {"request_id": "x", "persons": [], "sources": [1]}, {"request_id": "x", "persons": [{"ref": "1"}], "sources": []}])  # fmt: skip
def test_a_wrong_question_gets_a_400(base, body):
    assert httpx.post(f"{base}/v1/queries", json=body, trust_env=False).status_code == 400


ODD = [
    (200, "not json"), (200, "[]"), (200, "{}"), (200, '{"answers": 1}'), (200, '{"answers": [1]}'), (200, '{"answers": [{"source": "moon", "status": "answered"}]}'),
    (200, '{"answers": [{"source": "tax", "status": "maybe"}]}'), (200, '{"answers": [{"source": "tax", "status": "answered", "found": 5}]}'),
    (200, '{"answers": [{"source": "tax", "status": "answered", "found": [{"ref": "99", "item": "x", "value": "y"}]}]}'),
    (200, '{"answers": [{"source": "tax", "status": "answered", "found": [{"ref": "1", "item": ["x"], "value": {}}]}]}'),
    (200, "[" * 100_000), (200, '{"answers": ["' + "x" * 2_000_000 + '"]}'), (302, ""), (404, ""), (500, "{}"), (204, ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), ODD, ids=range(len(ODD)))
def test_an_answer_in_no_agreed_form_is_a_failure_never_a_crash(status, body):
    app = Flask("odd")
    app.post("/v1/queries")(lambda: Response(body, status, content_type="application/json", headers={"Location": "/v1/queries"}))
    with serving(app) as base, pytest.raises(RegistryFailed):
        Registry(base).query("q", [person()])


@pytest.mark.parametrize(("said", "wait"), [("30", 30), ("999999", registry_port.LONGEST_WAIT), ("-5", 60), ("soon", 60), ("0", 60), ("", 60), ("²", 60)])
def test_how_long_to_wait_is_kept_within_reason(said, wait):
    assert registry_port._wait(said) == wait


def test_nobody_there_and_nobody_answering_are_failures():
    with pytest.raises(RegistryFailed):
        Registry("http://127.0.0.1:9").query("q", [person()])
    with pytest.raises(RegistryFailed):
        Registry("http://[::1").query("q", [person()])
    asleep, app = threading.Event(), Flask("slow")
    app.post("/v1/queries")(lambda: (asleep.wait(5), ("", 200))[1])
    with serving(app) as base:
        with pytest.raises(RegistryFailed, match="Timeout"):
            Registry(base, timeout=0.2).query("q", [person()])
        asleep.set()


def test_foreign_text_is_made_fit_and_many_rows_are_cut_and_called_partial():
    found = [{"ref": "1", "item": "note", "value": "坏\x00\u202e字" * 200, "as_of": "2018-11-30T00:00:00"} for _ in range(150)]
    answers = [{"source": s, "status": "answered", "found": found if s == "tax" else []} for s in SOURCES]
    told = results({"answers": answers})
    assert (told["status"], len(told["results"])) == ("partial", 100)
    assert {r["value"] for r in told["results"] if "value" in r} == {"坏字" * 100}


def test_a_source_that_says_nothing_is_missing():
    told = results({"answers": [{"source": "tax", "status": "answered", "found": []}]})
    assert told["status"] == "partial"
    assert len(told["results"]) == len(SOURCES)


# -- the whole way: a job asks, the case hears


@pytest.fixture
def fresh():
    with serving(create_registry()) as address:
        yield address


def wire(district, base):
    district.bureau.registry._base = base


def answered(district):
    with district.office.read() as conn:
        [row] = conn.execute(select(job).where(job.c.kind == "means_check")).mappings()
    return row["state"], district.facts().get("registry_status")


@pytest.mark.parametrize(("mark", "tries", "status"), [("10", 1, "complete"), (LATE, 2, "complete"), (FAILING, 3, "complete"), (CONTRADICTORY, 1, "contradictory"), (PARTIAL, 1, "partial")])
def test_the_job_asks_over_http_and_tells_the_case(district, clock, fresh, mark, tries, status):
    wire(district, fresh)
    district.apply(district.household(210_000, n=1, last={"id_no": number(mark)}))
    district.accept()
    for n in range(tries):
        district.bureau.jobs.run_all()
        assert (answered(district)[0] == "done") == (n == tries - 1)
        clock.now += timedelta(seconds=BACKOFF[n])
    assert answered(district) == ("done", status)


def test_registries_that_stay_away_are_an_incident_after_five_tries_and_decide_nothing(district, clock):
    wire(district, "http://127.0.0.1:9")
    district.apply(district.household(210_000))
    district.accept()
    for _ in range(4):
        district.bureau.jobs.run_all()
        assert answered(district) == ("ready", None)
        clock.now += timedelta(hours=3)
    district.bureau.jobs.run_all()
    assert answered(district) == ("incident", None)


def test_a_registry_that_is_always_down_is_an_incident_like_any_other(district, clock, fresh):
    wire(district, fresh)
    district.apply(district.household(210_000, n=1, last={"id_no": number(DOWN)}))
    district.accept()
    for _ in range(5):
        district.bureau.jobs.run_all()
        clock.now += timedelta(hours=3)
    assert answered(district) == ("incident", None)
