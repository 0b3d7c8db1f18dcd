"""What a supervisor should look at twice before a case goes on: doubles, data that disagree, near relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from engine import store
from processes import benefits, households
from processes.tables import benefit, benefit_person, household_member

CODES = ("double_benefit", "double_case", "two_households", "check_differs", "sources_differ", "registries_differ", "doubtful", "reported", "near_relative")


@dataclass(frozen=True)
class Risk:
    """`code`: of CODES. `of`: numbers of benefits, cases or households that it is about. `people`: numbers of persons."""

    code: str
    of: Sequence[str] = ()
    people: Sequence[int] = ()


def of_case(conn: Connection, case: Mapping[Any, Any], house: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Risk]:
    """`case`: its row; `house`: households.view; `facts`: those of the run. Nothing is computed again."""
    people = [member["person_id"] for member in house["members"]]
    relative = bool(facts.get("near_relative") or house["near_relative_declared"] or households.near_relative_known(conn, house["id"]))
    simple = [
        Risk("check_differs") if facts.get("check_conclusion") == "inconsistent" else None,
        _sources(house),
        Risk("registries_differ") if facts.get("registry_status") == "contradictory" else None,
        Risk("doubtful") if facts.get("doubtful") else None,
        Risk("reported") if facts.get("reported") else None,
        Risk("near_relative") if relative else None,
    ]
    return [*_doubles(conn, case, house["id"], people), *(risk for risk in simple if risk)]


def _doubles(conn: Connection, case: Mapping[Any, Any], household_id: int, people: Sequence[int]) -> list[Risk]:
    """One person, one household, one benefit, one application at a time (domain 3.2)."""
    b, p, m, r = benefit.c, benefit_person.c, household_member.c, store.record.c
    paid = conn.execute(select(b.id, p.person_id).join(benefit_person, p.benefit_id == b.id).where(p.person_id.in_(people), p.active, b.household_id != household_id)).all()
    lives = conn.execute(select(m.household_id, m.person_id).where(m.person_id.in_(people), m.household_id != household_id, m.to_on.is_(None))).all()
    theirs = [f"household:{household_id}", *(f"household:{row.household_id}" for row in lives)]
    where = and_(r.kind == "case", r.subject.in_(theirs), r.closed_at.is_(None), r.id != case["id"], or_(r.process == case["process"], r.subject != theirs[0]))
    running = conn.scalars(select(r.no).where(where).order_by(r.id)).all()
    found = [Risk("double_benefit", sorted({benefits.number(row.id) for row in paid}), sorted({row.person_id for row in paid}))] if paid else []
    found += [Risk("two_households", people=sorted({row.person_id for row in lives}))] if lives else []
    return found + ([Risk("double_case", list(running))] if running else [])


def _sources(house: Mapping[str, Any]) -> Risk | None:
    """Members whose income of one kind is told differently by what was declared and what was checked or seen."""
    people = []
    for member in house["members"]:
        told: dict[tuple[Any, ...], dict[str, str]] = {}
        for item in member["income"]:
            told.setdefault((item["kind"], item["period"]), {})[item["source"]] = item["amount"]
        if any(len(set(amounts.values())) > 1 for amounts in told.values()):
            people.append(member["person_id"])
    return Risk("sources_differ", people=people) if people else None
