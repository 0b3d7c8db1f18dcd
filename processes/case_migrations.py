"""迁移: running cases of one process put from one version of its drawing on another, on a legal ground, by two persons (decision 050).

Each case moves in an act of its own, by a job: the same cause `case_moved` as at an acceptance under a newer law (decision 036), which
names the migration and its ground. A worker that dies leaves a job that is done again, and a case that has moved is not moved twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select

from engine import store
from engine.bpmn import Run
from engine.cases import Cases
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.jobs import Handler, Job
from engine.migration import Hindrance, hindrances
from engine.model import Put
from engine.office import Act, Office, Record
from engine.queries import Page
from processes.definition_tables import case_migration, case_migration_item, definition
from processes.definitions import DECIDERS, MOST_WORDS, PROPOSERS
from processes.organisation import DISTRICT

KIND = "case_migration"
MOST = 20_000  # cases of one migration: the record gives out its rows' ids
_NEW_JOBS = insert(store.job).inline()
_DIGEST = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case of the dry run: it can move where nothing hinders it."""

    case_id: int
    no: str
    unit: str
    hindrances: tuple[Hindrance, ...]

    @property
    def can(self) -> bool:
        return not self.hindrances


def versions(conn: Connection, cases: Cases, key: str, day: date) -> list[str]:
    """Digests of the drawings of a process that are, or once were, in force on a day: the program's own, those whose first day has come,
    those that cases run or ran on. NotFound when there is no such process."""
    if key not in cases.processes:
        raise NotFound(f"没有这项业务：{key} / no such process")
    c, d = store.record.c, definition.c
    used = conn.scalars(select(c.drawing).where(c.kind == "case", c.process == key, c.drawing.is_not(None)).distinct())
    begun = conn.scalars(select(d.digest).where(d.kind == "drawing", d.key == key, d.state == "confirmed", d.from_on <= day.isoformat()).order_by(d.id))
    return list(dict.fromkeys([cases.processes[key].drawing.digest, *begun, *used]))


def digest_of(conn: Connection, cases: Cases, key: str, name: str, said: str, day: date) -> str:
    """The drawing that somebody means by `said`: a digest or its beginning, the number of a deployment, or "program". `name`: of the
    field, for Invalid."""
    known = versions(conn, cases, key, day)
    if said == "program":
        return cases.processes[key].drawing.digest
    if said.isascii() and said.isdecimal() and len(said) < 8:
        d = definition.c
        row = conn.execute(select(d.digest, d.state, d.from_on).where(d.id == int(said), d.kind == "drawing", d.key == key)).one_or_none()
        if row is None:
            raise Invalid({name: [f"{key} 没有这次部署：{said}"]}, {name: [f"{key} has no deployment {said}"]})
        if row.state != "confirmed" or row.from_on > day.isoformat():
            raise Invalid({name: [f"部署 {said} 还没有施行，不能迁移到未施行的流程图"]}, {name: [f"deployment {said} is not in force yet: no case moves there"]})
        return str(row.digest)
    found = [one for one in known if one.startswith(said)] if _DIGEST.fullmatch(said) else []
    if len(found) != 1:
        raise Invalid({name: [f"{key} 没有（或不止一份）这样的流程图：{said[:64]}"]}, {name: [f"{key} has no drawing (or several) of that name: {said[:64]}"]})
    return found[0]


def look(office: Office, cases: Cases, key: str, here: str, there: str) -> list[Verdict]:
    """The dry run: a verdict for each running case of the process on the drawing `here`. Nothing is written."""
    with office.read() as conn:
        return _looked(office, conn, cases, key, here, there)


def _looked(office: Office, conn: Connection, cases: Cases, key: str, here: str, there: str) -> list[Verdict]:
    if here == there:
        raise Invalid({"to": ["两份流程图相同"]}, {"to": ["both are the same drawing"]})
    old, new = cases.drawing(conn, here), cases.drawing(conn, there) if there != cases.processes[key].drawing.digest else cases.processes[key].drawing
    if found := cases.processes[key].faults_of(new.xml):
        raise Invalid({"to": [f"所装模块不能办这份流程图：{f.rule} {f.element}" for f in found]}, {"to": [f"the installed module does not fit that drawing: {f.rule} {f.element}" for f in found]})
    c = store.record.c
    rows = conn.execute(select(c.id, c.no, c.unit, c.state).where(c.kind == "case", c.process == key, c.drawing == here, c.closed_at.is_(None)).order_by(c.id).limit(MOST + 1)).all()
    if len(rows) > MOST:
        raise Invalid({"from": [f"在办个案超过 {MOST} 件"]}, {"from": [f"more than {MOST} running cases"]})
    now = office.clock()
    return [Verdict(row.id, row.no, row.unit, tuple(hindrances(Run.load(old, row.state, now), new))) for row in rows]


# -- two persons


def propose(act: Act, cases: Cases, key: str, here: str, there: str, ground: str, looked: Sequence[Verdict]) -> dict[str, Any]:
    """`looked`: the dry run. Each of its cases is listed; those that cannot move stay where they are."""
    _at_the_district(act, PROPOSERS, "只有区级系统管理员可以提出个案迁移", "Only administrators of the district propose a migration")
    if not 0 < len(ground.strip()) <= MOST_WORDS:
        raise Invalid({"ground": [f"请写明法律依据，最多 {MOST_WORDS} 字"]}, {"ground": [f"name the legal ground, in at most {MOST_WORDS} characters"]})
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if not any(one.can for one in looked):
        raise Conflict("没有可以迁移的在办个案", "No running case can move")
    m = case_migration.c
    if waits := act.conn.scalar(select(m.id).where(m.state == "proposed", m.process == key, m.here == here)):
        raise Conflict(f"这些个案已有一项待确认的迁移：{waits}", f"A migration of these cases waits to be confirmed already: {waits}")
    cases._keep(act.conn, cases.processes[key].drawing)  # the program's own may not have been needed yet
    record = act.new(KIND, DISTRICT)
    values = {"process": key, "here": here, "there": there, "ground": ground.strip(), "state": "proposed", "cases": len(looked), "can": sum(one.can for one in looked),
              "proposed_by": act.actor.id, "proposed_on": act.today.isoformat()}  # fmt: skip
    items = [Put("case_migration_item", record.next_id(), {
        "migration_id": record.id, "case_id": one.case_id, "case_no": one.no, "unit": one.unit, "state": "waits" if one.can else "stays", "why": _why(one.hindrances)})
        for one in looked]  # fmt: skip
    act.append(record, "migration_proposed", {"process": key, "from": here, "to": there}, puts=[Put("case_migration", record.id, values), *items])
    told = {"number": record.id}
    act.remember(told)
    return told


def confirm(act: Act, number: int) -> dict[str, Any]:
    """Another person agrees; workers move the cases that can."""
    _at_the_district(act, DECIDERS, "只有区级监督主管或审批人可以确认个案迁移", "Only supervisors and approvers of the district confirm a migration")
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, one = _opened(act, number)
    if one["state"] != "proposed":
        raise Conflict("这项迁移已经处理", "This migration is settled already")
    if one["proposed_by"] in act.actor.persons:
        raise Refused("four-eyes", "提出迁移的人不能自己确认（双人规则）", "Who proposed it may not confirm it")
    act.append(record, "migration_confirmed", {"process": one["process"], "from": one["here"], "to": one["there"]}, puts=[Put(KIND, number, _settled(act, "confirmed"))])
    item = case_migration_item.c
    waiting = act.conn.scalars(select(item.case_id).where(item.migration_id == number, item.state == "waits").order_by(item.case_id)).all()
    act.write(_NEW_JOBS, [{"kind": KIND, "record_id": case_id, "key": str(number), "due_at": act.now, "state": "ready", "data": "{}"} for case_id in waiting])
    told = {"number": number}
    act.remember(told)
    return told


def withdraw(act: Act, number: int, reason: str) -> dict[str, Any]:
    """Before it is confirmed, by its proposer or who might confirm it."""
    _at_the_district(act, PROPOSERS | DECIDERS, "只有区级系统管理员、监督主管或审批人可以撤回个案迁移", "Only administrators, supervisors and approvers of the district withdraw a migration")
    if not 0 < len(reason.strip()) <= MOST_WORDS:
        raise Invalid({"reason": [f"请写明理由，最多 {MOST_WORDS} 字"]}, {"reason": [f"say why, in at most {MOST_WORDS} characters"]})
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, one = _opened(act, number)
    if one["state"] != "proposed":
        raise Conflict("这项迁移已经处理", "This migration is settled already")
    if one["proposed_by"] not in act.actor.persons and act.actor.post_over(DISTRICT, DECIDERS) is None:
        raise Refused("role", "只有提出人或可以确认的人可以撤回", "Only who proposed it, or may confirm it, withdraws it")
    act.append(record, "migration_withdrawn", {"process": one["process"]}, personal={f"staff:{act.actor.id}": {"reason": reason.strip()}},
               puts=[Put(KIND, number, _settled(act, "withdrawn"))])  # fmt: skip
    told = {"number": number}
    act.remember(told)
    return told


def _settled(act: Act, state: str) -> dict[str, Any]:
    return {"state": state, "settled_by": act.actor.id, "settled_on": act.today.isoformat()}


# -- one case


def handler(cases: Cases) -> Handler:
    def of(job: Job) -> Callable[[Act], None]:
        return lambda act: move(act, cases, int(job.key), job.record_id)

    return of


def move(act: Act, cases: Cases, number: int, case_id: int) -> None:
    """Put one case there, where nothing hinders it as it stands now; either way the migration's record says what became of it. The case is
    locked before the migration: it is the older record."""
    one, c = row(act.conn, number), case_migration_item.c
    why = {"migration": number, "ground": one["ground"]}
    of = select(c.id, c.state).where(c.migration_id == number, c.case_id == case_id)
    act.open("case", case_id)
    record = act.open(KIND, number)
    item = act.conn.execute(of).one()
    if item.state != "waits":
        return
    found = cases.migrate(act, case_id, one["here"], one["there"], why)
    values = {"state": "stays", "why": _why(found)} if found else {"state": "moved", "moved_on": act.today.isoformat()}
    act.append(record, "migration_stayed" if found else "migration_moved", {"case": case_id}, puts=[Put("case_migration_item", item.id, values)])


def waiting(office: Office, number: int) -> list[int]:
    """Its cases that are still to be moved; ids in order."""
    c, ended = case_migration_item.c, store.record.c.closed_at
    query = select(c.case_id).join(store.record, store.record.c.id == c.case_id).where(c.migration_id == number, c.state == "waits", ended.is_(None))
    with office.read() as conn:
        return list(conn.scalars(query.order_by(c.case_id)))


# -- reading


def row(conn: Connection, number: int) -> Mapping[Any, Any]:
    found = conn.execute(select(case_migration).where(case_migration.c.id == number)).mappings().one_or_none()
    if found is None:
        raise NotFound(f"没有这项迁移：{number}")
    return found


def listed(conn: Connection, page: int = 1, size: int = 25) -> Page:
    total = conn.scalar(select(func.count()).select_from(case_migration)) or 0
    rows = conn.execute(select(case_migration).order_by(case_migration.c.id.desc()).limit(size).offset((page - 1) * size)).mappings().all()
    return Page(list(rows), total, page, size)


def progress(conn: Connection, number: int) -> dict[str, int]:
    """moved, stays, waits, and ended: it came to its end before it could move."""
    item, closed = case_migration_item.c, store.record.c.closed_at.is_not(None)
    query = select(item.state, closed.label("closed"), func.count().label("n")).join(store.record, store.record.c.id == item.case_id)
    found = {"moved": 0, "stays": 0, "waits": 0, "ended": 0}
    for one in conn.execute(query.where(item.migration_id == number).group_by(item.state, closed)):
        found["ended" if one.state == "waits" and one.closed else one.state] += one.n
    return found


def items(conn: Connection, number: int, *, state: str | None = None, page: int = 1, size: int = 50) -> Page:
    """Its cases; `why` as it is kept: JSON [{node, zh, en}]."""
    c = case_migration_item.c
    where = and_(c.migration_id == number, c.state == state if state else c.id.is_not(None))
    total = conn.scalar(select(func.count()).select_from(case_migration_item).where(where)) or 0
    rows = conn.execute(select(case_migration_item).where(where).order_by(c.id).limit(size).offset((page - 1) * size)).mappings().all()
    return Page(list(rows), total, page, size)


def _why(found: Sequence[Hindrance]) -> str:
    return json.dumps([asdict(one) for one in found], ensure_ascii=False)


def _opened(act: Act, number: int) -> tuple[Record, Mapping[Any, Any]]:
    row(act.conn, number)
    record = act.open(KIND, number)
    return record, row(act.conn, number)


def _at_the_district(act: Act, roles: frozenset[str], zh: str, en: str) -> None:
    post = act.actor.post_over(DISTRICT, roles)
    if post is None:
        raise Refused("role", zh, en)
    act.through(post)
