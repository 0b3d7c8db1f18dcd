"""How many SQL statements a completion costs, step by step on the road to 660.00: each one is a journey to the database."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from engine import postgres
from engine.office import history

# Measured, not wished for: lower them when the engine does with less.
PLAIN = {"sqlite": 10, "postgresql": 11}  # a completion in which no service runs and no letter is issued; who holds what is asked there each time
ANY = 29  # the grant, which asks whether a meeting wants it looked at again, and whether anybody may do what comes next
JOURNEYS, ANY_JOURNEYS = 2, 7  # to PostgreSQL and back, when what acts of this kind ask is known

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK")


@contextmanager
def counted(office):
    """The statements that go to the database; what opens and ends the transaction is not counted, for drivers differ in it."""
    said: list[str] = []

    def note(_conn, _cursor, statement, _parameters, _context, _many):
        if not statement.startswith(TRANSACTION):
            said.append(statement)

    event.listen(office.store.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(office.store.engine, "before_cursor_execute", note)


def last_entry(district):
    with district.office.read() as conn:
        return history(conn, district.office.keys.on(conn), district.case()["id"])[-1]


@contextmanager
def travelled(monkeypatch):
    """The journeys to PostgreSQL by the short way: how many statements went with each."""
    made: list[int] = []
    line, exchange, one = postgres.Line, postgres.Line._exchange, postgres.Line._one

    def together(self, sends):
        made.append(len(sends))
        return exchange(self, sends)

    def alone(self, *asked):
        if not self._behind and self._sure:  # else it goes with others
            made.append(1)
        return one(self, *asked)

    with monkeypatch.context() as patch:
        patch.setattr(line, "_exchange", together)
        patch.setattr(line, "_one", alone)
        yield made


@pytest.fixture
def costs(district, monkeypatch):
    """[(node, statements, journeys, what ran, letters)] of each completion from the application to the delivery."""
    return lambda serial: road(district, monkeypatch, serial)


def road(district, monkeypatch, serial):
    found = []

    def do(who, node, **answers):
        task = district.tasks()[node]
        with travelled(monkeypatch) as journeys, counted(district.office) as said, district.office.act(district.people[who]) as act:
            told = district.cases.complete(act, task["id"], answers)
        entry = last_entry(district)
        letters = [put for put in entry.said.get("puts", ()) if put["table"] == "letter" and "number" in put["set"]]
        found.append((node, len(said), len(journeys), [ran[0] for ran in entry.data["then"].get("ran", [])], len(letters)))
        return told

    district.at("2018-12-03T09:00")
    district.apply(district.household(210_000, serial=100 + serial))
    district.accept()  # the drawing is read once a process; that is not what a completion costs
    with monkeypatch.context() as patch:
        patch.setattr(district, "do", do)
        district.to_street_opinion(210_000, serial=serial)
        district.review()
        district.street()
        district.post()
        district.to_decision()
        district.do("app", "decide", decision="granted", opinion="批准")
        district.do("clerk", "deliver_approval", delivered_on="2018-12-19", method="direct", recipient="张一")
    assert district.facts()["amount_fen"] == 66_000
    return found


def said(kind, costs):
    lines = [f"{node:<24}{n:>4}{journeys:>4}  {'letter ' * letters}{' '.join(ran)}" for node, n, journeys, ran, letters in costs]
    sys.stdout.write("\n".join(["", f"statements and journeys per completion on {kind}", *lines, ""]))


def test_a_completion_costs_no_more_statements_than_it_did(costs, district):
    kind, found = district.office.store.url.get_backend_name(), costs(5)
    said(kind, found)
    plain = {node: n for node, n, _, ran, letters in found if not ran and not letters}
    assert len(found) >= 15
    assert len(plain) >= 8
    assert max(plain.values()) <= PLAIN[kind], plain
    assert max(n for _, n, *_ in found) <= ANY


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_what_acts_of_a_kind_ask_is_asked_with_one_journey(costs):
    first, *_, last = (costs(serial) for serial in range(5, 9))
    said("postgresql, the fourth time", last)
    assert sum(n for _, _, n, *_ in last) < 0.7 * sum(n for _, _, n, *_ in first)
    assert max(n for _, _, n, ran, letters in last if not ran and not letters) <= JOURNEYS
    assert max(n for _, _, n, *_ in last) <= ANY_JOURNEYS


def test_the_count_sees_every_statement(district):
    from sqlalchemy import text

    with counted(district.office) as said, district.office.act() as act:
        act.conn.execute(text("SELECT 1"))
        act.conn.exec_driver_sql("SELECT 2")
    assert said == ["SELECT 1", "SELECT 2"]
