"""One case at a glance, beside the lists of the supervisor's board: what is proposed, from which figures, and what to look at twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from engine import queries
from engine.bpmn import Run
from engine.cases import task_etag
from engine.model import Actor
from engine.office import history
from processes import households, organisation, readers, risks
from processes.bureau import CATALOGUE
from web import wording
from web.cases import assessed, visible
from web.desk import bureau

_PROPOSED = ("check_conclusion", "category", "members_counted", "per_capita", "amount_fen", "review_conclusion", "street_outcome", "signoff", "district_outcome",
             "conclusion", "reason_code", "resolution", "decision")  # fmt: skip


def facts_of(conn: Connection, row: Mapping[Any, Any]) -> dict[str, Any]:
    made = bureau()
    return dict(Run.load(made.cases.drawing(conn, row["drawing"]), row["state"], made.office.clock()).facts)


def found(conn: Connection, actor: Actor, no: str) -> tuple[Mapping[Any, Any], dict[str, Any], list[risks.Risk], Mapping[str, Any] | None]:
    """The case's row, its facts, its risks and its household (None: a meeting). NotFound for who may not see it."""
    row = visible(conn, actor, no)
    facts, keys = facts_of(conn, row), bureau().office.keys.on(conn)
    house = households.view(conn, keys, facts["household_id"]) if facts.get("household_id") else None
    return row, facts, risks.of_case(conn, row, house, facts) if house else [], house


def view(conn: Connection, actor: Actor, no: str) -> dict[str, Any]:
    """For the page."""
    row, facts, listed, house = found(conn, actor, no)
    process, keys = CATALOGUE[row["process"]], bureau().office.keys.on(conn)
    tasks = [task for task in queries.case_tasks(conn, row["id"]) if task["state"] == "open"]
    entries = readers.told_to(conn, actor, row["unit"], history(conn, keys, row["id"]))
    nodes = bureau().cases.drawing(conn, row["drawing"]).nodes
    names = wording.names_of(conn, [task["assignee"] for task in tasks])
    people = {member["person_id"]: member["name"] for member in house["members"]} if house else {}
    return {
        "case": row, "house": house, "process": process, "people": names,
        "lines": wording.fact_lines({name: facts[name] for name in _PROPOSED if name in facts}, wording.forms_of(process), names),
        "result": assessed(entries, house) if house else None, "law_version": facts.get("law_version"),
        "risks": [{"code": risk.code, "of": risk.of, "people": [people[n] for n in risk.people if n in people]} for risk in listed],
        "tasks": [{**task, "etag": task_etag(task), "name": nodes[task["node"]], "colleagues": organisation.colleagues(conn, task["role"], task["unit"]),
                   "mine": actor.holds("supervisor", task["unit"])} for task in tasks],
    }  # fmt: skip
