"""监督检查 (M13, domain 1.13; N649 arts 57, 64): the district inspects a random sample of cases, households or visits; what it finds is replied to,
put right and verified.

Lots are drawn as the auditors' are (processes/audit.py): the seed is committed to with the plan, revealed with the draw, and anybody can
compute the sample again. Until the draw nobody knows who is inspected; afterwards nobody can say that it was another seed.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from engine import store
from engine.cases import acts_of
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import Actor, Data, Put, canonical
from engine.office import Act, Record, history, seals_hold
from engine.queries import Page, case_row, case_tasks, within
from processes import audit, findings, households, identity, in_benefit, organisation, readers
from processes.audit import Check, Listed
from processes.event_log import midnight
from processes.screening_tables import screening
from processes.supervision_tables import inspection_finding as finding
from processes.supervision_tables import inspection_plan as plan
from processes.supervision_tables import inspection_target as target
from processes.tables import household, person, unit

INSPECTORS = frozenset({"supervisor"})
STATES = {"planned": ("已承诺种子，待抽取", "Seed committed, to be drawn"), "drawn": ("检查中", "Being inspected"), "closed": ("已办结", "Closed")}
FINDING_STATES = {"open": ("待答复、整改", "Waits for reply or to be put right"), "replied": ("已答复，待认定", "Replied, to be decided"), "accepted": ("答复成立，已了结", "Reply accepted, closed"),
                  "upheld": ("维持认定，整改中", "Upheld, to be put right"), "done": ("已整改，待复核", "Put right, to be verified"), "verified": ("已复核", "Verified")}  # fmt: skip
LISTS = (*FINDING_STATES, "overdue")
ALGORITHM = audit.ALGORITHM
MOST_UNITS, MOST_ITEMS, MOST_SIZE, MOST = 40, 30, 500, 100_000
_UNDONE = ("open", "replied", "upheld")


# -- the plan and its draw


def make(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """`said`: as understood by SupervisionPlanIn. Fixes the population and commits to a random seed. Returns {"plan", "population", "commitment"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(organisation.DISTRICT, INSPECTORS)
    if post is None:
        raise Refused("inspector", "检查计划由区级监督人员制定", "Supervisors of the district make the plans")
    units, items = _units(act.conn, said["units"]), [line.strip()[:200] for line in said["items"].splitlines() if line.strip()]
    if not 1 <= len(items) <= MOST_ITEMS:
        raise Invalid({"items": [f"请填写 1 至 {MOST_ITEMS} 项检查内容"]})
    if not 1 <= said["size"] <= MOST_SIZE:
        raise Invalid({"size": [f"应在 1 至 {MOST_SIZE} 之间"]})
    first, last = (_iso(said[name]) for name in ("from_on", "until_on"))
    listed = population(act.conn, said["kind"], units, first, last, by_street=said["method"] == "by_street")
    if not listed:
        raise Invalid({"units": ["这些单位在期间内没有可抽查的对象"]})
    if len(listed) > MOST:
        raise Invalid({"units": [f"抽查范围超过 {MOST} 件，请缩小"]})
    act.through(post)
    seed = secrets.token_bytes(32)
    definition: Data = {"algorithm": ALGORITHM, "kind": said["kind"], "units": units, "from_on": first, "until_on": last, "method": said["method"], "size": said["size"],
                        "cases": len(listed), "population": audit.population_hash(listed)}  # fmt: skip
    record = act.new("inspection", organisation.DISTRICT)
    number = record.next_id()
    values = {"title": said["title"].strip(), "units": json.dumps(units), "kind": said["kind"], "from_on": first, "until_on": last, "due_on": _iso(said["due_on"]), "items": json.dumps(items, ensure_ascii=False),
              "method": said["method"], "size": said["size"], "population": len(listed), "definition": canonical(definition).decode(), "commitment": audit.commitment(seed, definition),
              "kept_seed": seed.hex(), "state": "planned", "made_by": act.actor.id, "made_on": act.today.isoformat()}  # fmt: skip
    committed = {"definition": definition, "commitment": values["commitment"], "cases": [[one.no, one.seq, one.stratum] for one in listed]}
    act.append(record, "inspection_planned", committed, puts=[Put("inspection_plan", number, values, f"inspection:{number}")])
    told = {"plan": number, "population": len(listed), "commitment": values["commitment"]}
    act.remember(told)
    return told


def _iso(day: date | str) -> str:
    return day if isinstance(day, str) else day.isoformat()


def _units(conn: Connection, text: str) -> list[str]:
    codes = sorted({organisation.code_of(conn, code) for code in folded(text).replace("，", ",").replace("、", ",").split(",") if code.strip()})
    if not 1 <= len(codes) <= MOST_UNITS:
        raise Invalid({"units": [f"请填写 1 至 {MOST_UNITS} 个单位代码"]})
    known = set(conn.scalars(select(unit.c.code).where(unit.c.code.in_(codes), unit.c.level != "department")))
    if lacking := [code for code in codes if code not in known]:
        raise Invalid({"units": [f"没有这个机构：{lacking[0][:20]}"]})
    return [code for code in codes if not any(code != other and code.startswith(other) for other in codes)]


def population(conn: Connection, kind: str, units: Sequence[str], first: str, last: str, *, by_street: bool) -> list[Listed]:
    """What may be drawn, in order of the numbers' bytes, each with its latest entry: cases opened in the period, households in benefit on its
    last day, confirmed visits of the period."""
    row = store.record.c
    query = select(row.id, row.no, row.unit, row.seq, row.head)
    if kind == "cases":
        query = query.where(row.kind == "case", within(row.unit, tuple(units)), row.opened_at >= midnight(date.fromisoformat(first)), row.opened_at < midnight(date.fromordinal(date.fromisoformat(last).toordinal() + 1)))
        found = [Listed(one.no, one.seq, one.head, one.unit[:9] if by_street else "") for one in conn.execute(query)]
    else:
        if kind == "households":
            places = {one["household_id"]: (one["household_id"], one["street"]) for one in in_benefit.on(conn, tuple(units), date.fromisoformat(last))}
        else:
            s = screening.c
            visits = select(s.id, s.street).where(within(s.community, tuple(units)), s.state == "confirmed", s.visited_on.between(first, last))
            places = {one.id: (one.id >> 16, one.street) for one in conn.execute(visits)}
        heads = _heads(conn, {record for record, _ in places.values()})
        found = [Listed(str(ref), *heads[record], street if by_street else "") for ref, (record, street) in places.items()]
    return sorted(found, key=lambda one: one.no.encode())


def _heads(conn: Connection, ids: set[int]) -> dict[int, tuple[int, str]]:
    row, found, wanted = store.record.c, dict[int, tuple[int, str]](), sorted(ids)
    for start in range(0, len(wanted), 500):
        found |= {one.id: (one.seq, one.head) for one in conn.execute(select(row.id, row.seq, row.head).where(row.id.in_(wanted[start : start + 500])))}
    return found


def draw(act: Act, plan_id: int) -> dict[str, Any]:
    """Reveal the seed and list what is inspected. Returns {"plan", "drawn"}."""
    record, row = _opened(act, plan_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if row["state"] != "planned":
        raise Conflict("这份计划已经抽取，结果不会再变", "This sample is drawn already; it does not change any more")
    seed = bytes.fromhex(act.keys.reveal("inspection_plan", "kept_seed", row["id"], row["kept_seed"]))
    committed = history(act.conn, act.keys, record.id)[0].data
    drawn = audit.draw(seed, [(no, stratum) for no, _, stratum in committed["cases"]], row["size"])
    where = _places(act.conn, row["kind"], [no for no, _ in drawn])
    values = {"seed": seed.hex(), "state": "drawn", "drawn_by": act.actor.id, "drawn_on": act.today.isoformat()}
    puts = [Put("inspection_plan", plan_id, values)]
    puts += [Put("inspection_target", record.next_id(), {"plan_id": plan_id, "place": n, "ref": no, "unit": where[no], "stratum": stratum}) for n, (no, stratum) in enumerate(drawn, start=1)]
    act.append(record, "inspection_drawn", {"seed": seed.hex(), "drawn": [[no, stratum] for no, stratum in drawn]}, puts=puts)
    told = {"plan": plan_id, "drawn": [no for no, _ in drawn]}
    act.remember(told)
    return told


def _places(conn: Connection, kind: str, refs: Sequence[str]) -> dict[str, str]:
    """The unit of each thing that was drawn."""
    if kind == "cases":
        return {row.no: row.unit for row in conn.execute(select(store.record.c.no, store.record.c.unit).where(store.record.c.no.in_(refs)))}
    table = household if kind == "households" else screening
    return {str(row.id): row.community for row in conn.execute(select(table.c.id, table.c.community).where(table.c.id.in_([int(ref) for ref in refs])))}


def checks(conn: Connection, keys: BoundKeys, plan_id: int) -> list[Check]:
    """Compute a sample again from its record."""
    row = conn.execute(select(plan).where(plan.c.id == plan_id)).mappings().one()
    entries = history(conn, keys, plan_id >> 16)
    said, drawn = entries[0].data, next((entry.data for entry in entries if entry.event == "inspection_drawn"), None)
    definition, seed = said["definition"], bytes.fromhex(drawn["seed"]) if drawn else None
    listed = _as_committed(conn, row["kind"], said["cases"])
    again = audit.draw(seed, [(no, stratum) for no, _, stratum in said["cases"]], definition["size"]) if seed else None
    refs = list(conn.scalars(select(target.c.ref).where(target.c.plan_id == plan_id).order_by(target.c.place)))
    return [
        Check("seals", "封存链完整", "The seals hold", seals_hold(entries) is None),
        Check("population", "总体清单与承诺的摘要一致", "The population has the hash that was committed to", audit.population_hash(listed) == definition["population"] and len(listed) == definition["cases"]),
        Check("commitment", "公开的种子与承诺一致", "The revealed seed is the one that was committed to", None if seed is None else audit.commitment(seed, definition) == said["commitment"]),
        Check("draw", "重新计算得到同样的样本", "Computed again, the same sample is drawn", None if drawn is None else [list(one) for one in again or ()] == drawn["drawn"]),
        Check("rows", "页面所示与记录一致", "What the pages show is what the record says", row["commitment"] == said["commitment"] and refs == [no for no, _ in again or ()]),
    ]


def _as_committed(conn: Connection, kind: str, cases: Sequence[Sequence[Any]]) -> list[Listed]:
    """The population of the first entry, with the heads that stand on the record."""
    row, leaves = store.record.c, dict[tuple[str, int], str]()
    for start in range(0, len(cases), 400):
        part = cases[start : start + 400]
        query = select(row.id, row.no, store.entry.c.seq, store.entry.c.leaf).join(store.entry, store.entry.c.record_id == row.id).where(store.entry.c.seq.in_({seq for _, seq, _ in part}))
        if kind == "cases":
            leaves |= {(one.no, one.seq): one.leaf for one in conn.execute(query.where(row.no.in_([no for no, _, _ in part])))}
            continue
        ids = {(int(no) >> 16 if kind == "visits" else int(no)): str(no) for no, _, _ in part}
        leaves |= {(ids[one.id], one.seq): one.leaf for one in conn.execute(query.where(row.id.in_(ids)))}
    return [Listed(no, seq, leaves.get((no, seq), ""), stratum) for no, seq, stratum in cases]


def _opened(act: Act, plan_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """The plan, locked, for who inspects."""
    seen(act.conn, act.actor, plan_id)
    post = act.actor.post_over(organisation.DISTRICT, INSPECTORS)
    if post is None:
        raise Refused("inspector", "检查由区级监督人员进行", "Supervisors of the district inspect")
    act.through(post)
    record = act.open("inspection", plan_id >> 16)
    return record, act.conn.execute(select(plan).where(plan.c.id == plan_id)).mappings().one()


# -- inspecting


def inspect(act: Act, target_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one case, household or visit; `said`: as understood by SupervisionResult. Returns {"target", "findings"}."""
    one = act.conn.execute(select(target).where(target.c.id == target_id)).mappings().one_or_none()
    if one is None:
        raise NotFound("没有这项抽查对象")
    record, row = _opened(act, one["plan_id"])
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    one = act.conn.execute(select(target).where(target.c.id == target_id)).mappings().one()
    if row["state"] != "drawn" or one["inspected_on"] is not None:
        raise Conflict("这项已经检查", "This was inspected already")
    _keep_away(act, row["kind"], one["ref"])
    failed = _failed(said, len(json.loads(row["items"])))
    day = _iso(said["inspected_on"])
    if day < row["drawn_on"]:
        raise Invalid({"inspected_on": [f"不能早于抽取日期（{row['drawn_on']}）"]})
    if any(_iso(found["due_on"]) < act.today.isoformat() for found in said.get("findings") or ()):
        raise Invalid({"findings": ["整改期限不能早于今天"]})
    about = f"inspection:{row['id']}"
    puts = [Put("inspection_target", target_id, {"inspected_by": act.actor.id, "inspected_on": day, "failed": json.dumps(failed), "note": said["note"]}, about)]
    until = findings.last_day(act.today, act.office.published).isoformat()
    numbers = list[int]()
    for found in said.get("findings") or ():
        numbers.append(record.next_id())
        puts.append(Put("inspection_finding", numbers[-1], {"plan_id": row["id"], "target_id": target_id, "unit": one["unit"], "kind": found["kind"], "text": found["text"], "raised_by": act.actor.id,
                                                            "raised_on": act.today.isoformat(), "reply_until": until, "due_on": _iso(found["due_on"]), "state": "open"}, about))  # fmt: skip
    act.append(record, "inspected", {"target": target_id, "findings": len(numbers)}, puts=puts)
    told = {"target": target_id, "findings": numbers}
    act.remember(told)
    return told


def _failed(said: Mapping[str, Any], items: int) -> list[int]:
    words = [word.strip() for word in folded(said.get("failed") or "").replace("，", ",").replace("、", ",").split(",") if word.strip()]
    if any(not (word.isascii() and word.isdecimal() and len(word) < 4 and 1 <= int(word) <= items) for word in words):
        raise Invalid({"failed": [f"请填写检查项序号，1 至 {items}"]})
    if bool(words) != bool(said.get("findings")):
        raise Invalid({"findings": ["有不符合项的，请写明问题"]} if words else {"failed": ["有问题的，请写明不符合的检查项序号"]})
    return sorted({int(word) for word in words})


def _keep_away(act: Act, kind: str, ref: str) -> None:
    """Who worked on it, or is a near relative of the household, does not inspect it."""
    home: int | None = None
    if kind == "cases":
        case = case_row(act.conn, ref)
        if act.actor.id in {one.staff for one in acts_of(case["opened_by"], case_tasks(act.conn, case["id"]))}:
            raise Refused("own-case", "您经办过这件个案，不能检查", "You have worked on this case: somebody else inspects it")
        subject, _, number = str(case["subject"] or "").partition(":")
        home = int(number) if subject == "household" else None
    elif kind == "visits":
        row = act.conn.execute(select(screening.c.household_id, screening.c.first_visitor, screening.c.second_visitor).where(screening.c.id == int(ref))).one()
        if act.actor.id in (row.first_visitor, row.second_visitor):
            raise Refused("own-case", "您参加了这次走访，不能检查", "You were on this visit: somebody else inspects it")
        home = row.household_id
    else:
        home = int(ref)
    if home is not None:
        households.refuse_relative(act, home)


def close(act: Act, plan_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """All that was drawn is inspected, and the conclusion written."""
    record, row = _opened(act, plan_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if row["state"] != "drawn":
        raise Conflict("只有检查中的计划可以办结", "Only what is being inspected can be closed")
    left = act.conn.scalar(select(func.count()).select_from(target).where(target.c.plan_id == plan_id, target.c.inspected_on.is_(None))) or 0
    if left:
        raise Conflict(f"还有 {left} 项没有检查", f"{left} are not inspected yet")
    act.append(record, "inspection_closed", puts=[Put("inspection_plan", plan_id, {"state": "closed", "closed_by": act.actor.id, "closed_on": act.today.isoformat(), "conclusion": said["conclusion"]})])
    told = {"plan": plan_id, "state": "closed"}
    act.remember(told)
    return told


# -- findings: right of reply, decision, put right, verified


def _found(act: Act, finding_id: int) -> tuple[Record, Mapping[Any, Any]]:
    query = select(finding).where(finding.c.id == finding_id)
    row = act.conn.execute(query).mappings().one_or_none()
    if row is None or not readers.of_cases(act.actor).covers(row["unit"]):
        raise NotFound("没有这项检查问题")
    record = act.open("inspection", finding_id >> 16)
    return record, act.conn.execute(query).mappings().one()


def _unit(act: Act, row: Mapping[Any, Any]) -> None:
    post = act.actor.post_over(row["unit"], findings.REPLIERS - INSPECTORS)
    if post is None:
        raise Refused("handling-unit", "由被检查单位的经办人员或负责人办理", "The people of the inspected unit do this")
    act.through(post)


def _inspector(act: Act, row: Mapping[Any, Any]) -> None:
    post = act.actor.post_over(row["unit"], INSPECTORS)
    if post is None:
        raise Refused("inspector", "由区级监督人员认定和复核", "Supervisors of the district decide and verify")
    act.through(post)


def _moved(act: Act, record: Record, row: Mapping[Any, Any], event: str, values: dict[str, Any]) -> dict[str, Any]:
    act.append(record, event, {"finding": row["id"]}, puts=[Put("inspection_finding", row["id"], values, f"inspection:{row['plan_id']}")])
    told = {"finding": row["id"], "state": values["state"]}
    act.remember(told)
    return told


def reply(act: Act, finding_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The unit replies, once, while nothing is decided."""
    record, row = _found(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _unit(act, row)
    if row["state"] != "open":
        raise Conflict("这项问题已答复或已认定", "This finding is replied to or decided already")
    return _moved(act, record, row, "inspection_replied", {"state": "replied", "replied_by": act.actor.id, "replied_on": act.today.isoformat(), "reply": said["text"]})


def settle(act: Act, finding_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The reply is accepted, or the finding upheld: after the reply, or after its last day."""
    record, row = _found(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _inspector(act, row)
    if row["state"] not in ("open", "replied"):
        raise Conflict("这项问题已经认定或整改", "This finding is decided or put right already")
    if row["state"] == "open" and (said["verdict"] == "accepted" or act.today.isoformat() <= row["reply_until"]):
        raise Refused("right-of-reply", f"被检查单位还没有答复，答复期限至 {row['reply_until']}", f"The unit has not replied yet; it may until {row['reply_until']}")
    return _moved(act, record, row, f"inspection_{said['verdict']}", {"state": said["verdict"], "settled_by": act.actor.id, "settled_on": act.today.isoformat(), "verdict": said["text"]})


def rectify(act: Act, finding_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The unit has put it right: at once (立查立纠), or after the finding was upheld."""
    record, row = _found(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _unit(act, row)
    if row["state"] not in ("open", "upheld"):
        raise Conflict("这项问题不在整改中", "This finding does not wait to be put right")
    if _iso(said["done_on"]) < row["raised_on"]:
        raise Invalid({"done_on": ["不能早于发现日期"]})
    return _moved(act, record, row, "inspection_rectified", {"state": "done", "done_by": act.actor.id, "done_on": _iso(said["done_on"]), "done_text": said["text"]})


def verify(act: Act, finding_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A supervisor verifies what was put right, or sends it back; its day stays."""
    record, row = _found(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _inspector(act, row)
    if act.actor.id == row["done_by"]:
        raise Refused("own-rectification", "不能复核本人登记的整改结果", "Nobody verifies what he put right himself")
    if row["state"] != "done":
        raise Conflict("这项问题没有待复核的整改结果", "Nothing of this finding waits to be verified")
    values: dict[str, Any] = {"verified_by": act.actor.id, "verified_on": act.today.isoformat(), "verify_text": said["text"]}
    if said["verdict"] == "verified":
        return _moved(act, record, row, "inspection_verified", values | {"state": "verified"})
    back = {"state": "upheld", "done_by": None, "done_on": None, "done_text": None, "sent_back": (row["sent_back"] or 0) + 1,
            "undone": json.dumps([*json.loads(row["undone"] or "[]"), [row["done_on"], act.today.isoformat()]][-12:])}  # fmt: skip
    return _moved(act, record, row, "inspection_sent_back", values | back)


# -- looking


def reads(actor: Actor) -> bool:
    """Whether the pages concern somebody in these posts: the district reads plans, units their findings."""
    return not actor.roles.isdisjoint(findings.REPLIERS | {"auditor"})


def seen(conn: Connection, actor: Actor, plan_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(plan).where(plan.c.id == plan_id)).mappings().one_or_none()
    if row is None or not readers.of_cases(actor).covers(organisation.DISTRICT):
        raise NotFound("没有这份检查计划")
    return row


def listed(conn: Connection, actor: Actor, *, state: str | None = None, page: int = 1, size: int = 25) -> Page:
    """The plans, the newest first; the district alone reads them."""
    if not readers.of_cases(actor).covers(organisation.DISTRICT):
        return Page([], 0, page, size)
    where = [plan.c.state == state] if state else []
    total = conn.scalar(select(func.count()).select_from(plan).where(*where)) or 0
    return Page(list(conn.execute(select(plan).where(*where).order_by(plan.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def told(conn: Connection, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Plans in JSON with how far they are: drawn, inspected, with_findings, findings, overdue."""
    found, mine = list[dict[str, Any]](), actor.post_over(organisation.DISTRICT, INSPECTORS) is not None
    for row in rows:
        targets = conn.execute(select(target.c.id, target.c.inspected_on).where(target.c.plan_id == row["id"])).all()
        raised = conn.execute(select(finding.c.target_id, finding.c.state, finding.c.due_on).where(finding.c.plan_id == row["id"])).all()
        left = sum(one.inspected_on is None for one in targets)
        may = [verb for verb, allowed in (("draw", row["state"] == "planned"), ("inspect", row["state"] == "drawn" and left > 0), ("close", row["state"] == "drawn" and not left)) if mine and allowed]
        shown = ("id", "title", "kind", "from_on", "until_on", "due_on", "method", "size", "population", "commitment", "seed", "state", "made_by", "made_on", "drawn_by", "drawn_on", "closed_by", "closed_on", "conclusion")
        found.append({**{name: row[name] for name in shown}, "units": json.loads(row["units"]), "items": json.loads(row["items"]), "drawn": len(targets), "inspected": len(targets) - left,
                      "with_findings": len({one.target_id for one in raised}), "findings": len(raised), "overdue": sum(_late(one, today) for one in raised),
                      "late": row["state"] != "closed" and row["due_on"] < today.isoformat(), "may": may})  # fmt: skip
    return found


def _late(row: Any, today: date) -> bool:
    return bool(row.state in _UNDONE and row.due_on < today.isoformat())


def targets(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], actor: Actor) -> list[dict[str, Any]]:
    """What was drawn, in the order of the draw: who it is (masked), and the result."""
    rows = conn.execute(select(target).where(target.c.plan_id == row["id"]).order_by(target.c.place)).mappings().all()
    names = _names(conn, row["kind"], [one["ref"] for one in rows])
    raised = Counter(conn.scalars(select(finding.c.target_id).where(finding.c.plan_id == row["id"])))
    mine = actor.post_over(organisation.DISTRICT, INSPECTORS) is not None and row["state"] == "drawn"
    return [{**{name: one[name] for name in ("id", "place", "ref", "unit", "stratum", "inspected_by", "inspected_on")}, "name": names.get(one["ref"], ""), "failed": json.loads(one["failed"] or "[]"),
             "note": keys.reveal("inspection_target", "note", one["id"], one["note"]) if one["note"] else None, "findings": raised[one["id"]],
             "may": ["inspect"] if mine and one["inspected_on"] is None else []} for one in rows]  # fmt: skip


def _names(conn: Connection, kind: str, refs: Sequence[str]) -> dict[str, str]:
    if kind == "cases":
        subjects = {row.no: row.subject for row in conn.execute(select(store.record.c.no, store.record.c.subject).where(store.record.c.no.in_(refs)))}
        known = households.applicant_names(conn, subjects.values())
        return {no: identity.mask_name(known[subject]) for no, subject in subjects.items() if subject in known}
    base = select(household.c.id, household.c.no, person.c.name).join(person, person.c.id == household.c.applicant_id)
    ids = [int(ref) for ref in refs]
    if kind == "households":
        return {str(row.id): f"{identity.mask_name(row.name)} {row.no}" for row in conn.execute(base.where(household.c.id.in_(ids)))}
    query = base.add_columns(screening.c.id.label("visit"), screening.c.visited_on).join(screening, screening.c.household_id == household.c.id).where(screening.c.id.in_(ids))
    return {str(row.visit): f"{identity.mask_name(row.name)} {row.no} {row.visited_on}" for row in conn.execute(query)}


def findings_listed(conn: Connection, actor: Actor, today: date, *, which: str | None = None, plan_id: int | None = None, kind: str | None = None, unit_code: str | None = None,
                    page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Findings on the actor's units, what is to be put right first."""
    f = finding.c
    where: list[ColumnElement[bool]] = [within(f.unit, readers.of_cases(actor).areas)]
    where += [column == value for column, value in ((f.plan_id, plan_id), (f.kind, kind)) if value is not None]
    if unit_code:
        where.append(within(f.unit, unit_code))
    if which == "overdue":
        where += [f.state.in_(_UNDONE), f.due_on < today.isoformat()]
    elif which:
        where.append(f.state == which)
    total = conn.scalar(select(func.count()).select_from(finding).where(*where)) or 0
    query = select(finding).where(*where).order_by(or_(f.state == "accepted", f.state == "verified"), f.due_on, f.id).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def finding_seen(conn: Connection, actor: Actor, finding_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(finding).where(finding.c.id == finding_id)).mappings().one_or_none()
    if row is None or not readers.of_cases(actor).covers(row["unit"]):
        raise NotFound("没有这项检查问题")
    return row


def findings_told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Findings in JSON. may: reply, rectify (the unit); settle, verify (the district)."""
    plans = {row.id: row for row in conn.execute(select(plan.c.id, plan.c.title, plan.c.kind).where(plan.c.id.in_({row["plan_id"] for row in rows})))}
    refs = {row.id: row.ref for row in conn.execute(select(target.c.id, target.c.ref).where(target.c.id.in_({row["target_id"] for row in rows})))}
    sealed = ("text", "reply", "verdict", "done_text", "verify_text")
    shown = ("id", "plan_id", "target_id", "unit", "kind", "raised_by", "raised_on", "reply_until", "due_on", "state", "replied_by", "replied_on", "settled_by", "settled_on", "done_by", "done_on", "verified_by", "verified_on")
    found = []
    for row in rows:
        unit_acts, judges = actor.post_over(row["unit"], findings.REPLIERS - INSPECTORS) is not None, actor.post_over(row["unit"], INSPECTORS) is not None
        decides = row["state"] == "replied" or (row["state"] == "open" and today.isoformat() > row["reply_until"])
        may = [verb for verb, allowed in (("reply", unit_acts and row["state"] == "open"), ("rectify", unit_acts and row["state"] in ("open", "upheld")),
                                          ("settle", judges and decides), ("verify", judges and row["state"] == "done" and actor.id != row["done_by"])) if allowed]  # fmt: skip
        found.append({**{name: row[name] for name in shown}, **{name: keys.reveal("inspection_finding", name, row["id"], row[name]) if row[name] else None for name in sealed},
                      "sent_back": row["sent_back"] or 0, "plan": plans[row["plan_id"]].title, "about": plans[row["plan_id"]].kind, "ref": refs[row["target_id"]],
                      "late": row["state"] in _UNDONE and row["due_on"] < today.isoformat(), "may": may})  # fmt: skip
    return found


