"""Statistics of supervision (domain 1.13): the district's spot checks by street (N220 art 26), and inspections by unit and kind of problem."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.crypto import BoundKeys
from engine.office import history
from engine.queries import Area, within
from processes import organisation
from processes.audit import facts_of
from processes.supervision_forms import PROBLEMS
from processes.supervision_tables import inspection_finding as finding
from processes.supervision_tables import inspection_target as target

VISITS = ("spot_check_visit", "late_spot_check_visit")
_REASONS = ("drawn", "near_relative", "doubtful", "reported")


def spot_checks(conn: Connection, keys: BoundKeys, area: Area, first: date, last: date) -> list[dict[str, Any]]:
    """By street, of the files that the district received in a period: received, to_visit (drawn by lot, and why else: near_relative, doubtful,
    reported; a file can have several reasons), visited, errors (the visit did not agree with the street's survey), percent visited of those received."""
    row = store.record.c
    lines: dict[str, Counter[str]] = defaultdict(Counter)
    visited = dict[int, str]()
    for case in conn.execute(select(row.id, row.unit, row.state).where(row.kind == "case", within(row.unit, area)).order_by(row.id)):
        facts = facts_of(case.state)
        if not first.isoformat() <= str(facts.get("submitted_on") or "")[:10] <= last.isoformat():
            continue
        line = lines[case.unit[:9]]
        line["received"] += 1
        reasons = str(facts.get("spot_reason") or "").split()
        if facts.get("spot_check") or reasons:
            line["to_visit"] += 1
            visited[case.id] = case.unit[:9]
        for reason in reasons:
            line[reason] += reason in _REASONS
    done = _done(conn, sorted(visited))
    for case_id in done:
        line = lines[visited[case_id]]
        line["visited"] += 1
        line["errors"] += _disagreed(conn, keys, case_id)
    return [{"unit": code, "unit_name": organisation.unit_name(conn, code), **{name: lines[code][name] for name in ("received", "to_visit", *_REASONS, "visited", "errors")},
             "percent": lines[code]["visited"] * 1000 // lines[code]["received"] / 10} for code in sorted(lines)]  # fmt: skip


def _done(conn: Connection, ids: Sequence[int]) -> list[int]:
    """Of these cases those whose spot check was visited."""
    found, task = set[int](), store.task.c
    for start in range(0, len(ids), 500):
        found |= set(conn.scalars(select(task.case_id).where(task.case_id.in_(ids[start : start + 500]), task.node.in_(VISITS), task.state == "done")))
    return sorted(found)


def _disagreed(conn: Connection, keys: BoundKeys, case_id: int) -> bool:
    """Whether the last visit of the district disagreed with the street, as the visitor wrote it."""
    answers: list[Mapping[str, Any]] = []
    for entry in history(conn, keys, case_id):
        if entry.event == "task_completed" and str(entry.data.get("task", "")).rpartition(".")[0] in VISITS:
            said = [part["said"].get("answers", {}) for part in entry.personal.values() if part and part.get("said")]
            answers += [entry.data.get("facts", {}), *said]
    words = [one[name] for one in answers for name in ("agrees", "late_agrees") if one.get(name) is not None]
    return bool(words) and words[-1] is False


def inspections(conn: Connection, area: Area, first: date, last: date, today: date) -> list[dict[str, Any]]:
    """By street, of what was inspected in a period: inspected, with_findings, findings by kind, put_right (done or verified), accepted, overdue."""
    lines: dict[str, Counter[str]] = defaultdict(Counter)
    where = (within(target.c.unit, area), target.c.inspected_on.between(first.isoformat(), last.isoformat()))
    streets = dict[int, str]()
    for one in conn.execute(select(target.c.id, target.c.unit).where(*where)):
        lines[one.unit[:9]]["inspected"] += 1
        streets[one.id] = one.unit[:9]
    bad = set[int]()
    ids = sorted(streets)
    for start in range(0, len(ids), 500):
        for row in conn.execute(select(finding.c.target_id, finding.c.kind, finding.c.state, finding.c.due_on).where(finding.c.target_id.in_(ids[start : start + 500]))):
            line = lines[streets[row.target_id]]
            line["with_findings"] += row.target_id not in bad
            bad.add(row.target_id)
            line["findings"] += 1
            line[row.kind] += 1
            line["put_right"] += row.state in ("done", "verified")
            line["accepted"] += row.state == "accepted"
            line["overdue"] += row.state in ("open", "replied", "upheld") and row.due_on < today.isoformat()
    return [{"unit": code, "unit_name": organisation.unit_name(conn, code), **{name: lines[code][name] for name in ("inspected", "with_findings", "findings", "put_right", "accepted", "overdue")},
             "kinds": [{"kind": kind, "zh": zh, "en": en, "found": lines[code][kind]} for kind, zh, en in PROBLEMS]} for code in sorted(lines)]  # fmt: skip
