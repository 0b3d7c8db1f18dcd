"""How many SQL statements a completion costs, step by step on the road to 660.00: each one is a journey to the database."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from engine.office import history

# Measured, not wished for: lower them when the engine does with less.
PLAIN = 10  # a completion in which no service runs and no letter is issued
ANY = 29  # the grant, which asks whether a meeting wants it looked at again, and whether anybody may do what comes next

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


@pytest.fixture
def costs(district, monkeypatch):
    """[(node, statements, what ran, letters)] of each completion from the application to the delivery."""
    found = []
    def do(who, node, **answers):
        task = district.tasks()[node]
        with counted(district.office) as said, district.office.act(district.people[who]) as act:
            told = district.cases.complete(act, task["id"], answers)
        entry = last_entry(district)
        letters = [put for put in entry.said.get("puts", ()) if put["table"] == "letter" and "number" in put["set"]]
        found.append((node, len(said), [ran[0] for ran in entry.data["then"].get("ran", [])], len(letters)))
        return told

    district.apply(district.household(210_000, serial=5))
    district.accept()  # the drawing is read once a process; that is not what a completion costs
    monkeypatch.setattr(district, "do", do)
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    district.at("2018-12-11T09:00")
    district.submit()
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    district.at("2018-12-19T09:00")
    district.do("vera", "remove_district_notice", removed_on="2018-12-19", objections="none")
    district.do("app", "decide", decision="granted", opinion="批准")
    district.do("clerk", "deliver_approval", delivered_on="2018-12-19", method="direct", recipient="张一")
    assert district.facts()["amount_fen"] == 66_000
    return found


def test_a_completion_costs_no_more_statements_than_it_did(costs, district):
    kind = district.office.store.url.get_backend_name()
    lines = [f"{node:<24}{n:>4}  {'letter ' * letters}{' '.join(ran)}" for node, n, ran, letters in costs]
    sys.stdout.write("\n".join(["", f"statements per completion on {kind}", *lines, ""]))
    plain = {node: n for node, n, ran, letters in costs if not ran and not letters}
    assert len(costs) >= 16
    assert len(plain) >= 8
    assert max(plain.values()) <= PLAIN, plain
    assert max(n for _, n, _, _ in costs) <= ANY


def test_the_count_sees_every_statement(district):
    from sqlalchemy import text

    with counted(district.office) as said, district.office.act() as act:
        act.conn.execute(text("SELECT 1"))
        act.conn.exec_driver_sql("SELECT 2")
    assert said == ["SELECT 1", "SELECT 2"]
