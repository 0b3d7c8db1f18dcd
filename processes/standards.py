"""调标: one decision that puts all benefits of the district on a new standard (domain 2.8.3, 3.1; S36).

Proposed for a month whose law has a new standard, computed from each household's figures in stretches by jobs, confirmed
by another person, and applied by one job for each benefit: a worker that dies leaves a job that is done again, and the row of
its result can be there once only. Nothing is converted: who may be entitled to more is listed, to be asked (example 31);
what the figures on file do not explain is listed, for a person to look at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, insert, or_, select

from engine import store
from engine.dmn import NoDecision
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.jobs import Handler, Job, plan
from engine.model import Put
from engine.office import Act, Office, Record
from engine.queries import Area, Page, within
from processes import benefit_acts, benefits, eligibility, households, law
from processes.benefit_act_tables import standard_batch, standard_item, standard_result
from processes.benefits import LIVE, Change, first_of
from processes.case_tables import letter as issued
from processes.eligibility_facts import BadFacts
from processes.money import to_fen
from processes.organisation import DISTRICT
from processes.tables import benefit, household, person

PROPOSERS = frozenset({"finance_officer", "approver"})
DECIDERS = frozenset({"approver"})
SCAN = 50  # benefits computed and listed in one transaction: some ten milliseconds on SQLite
FEED = 200  # jobs written down in one transaction
AGAIN = timedelta(minutes=1)  # between two looks at whether all is done
REASONS = {  # why a person has to look: zh, en
    "figures_differ": ("在册资料算不出现在的金额", "The figures on file do not explain the present amount"),
    "no_figures": ("在册资料不全，无法计算", "The figures on file are not complete"),
    "other_category": ("按新标准属于其他救助类别", "By the new standard it is another kind of assistance"),
}
_AMOUNTS = ("dibao_standard_urban", "dibao_standard_rural", "low_income_cash_urban", "low_income_cash_rural", "destitute_urban",
            "destitute_rural_institutional", "destitute_rural_dispersed")  # fmt: skip
_NEW_JOBS = insert(store.job).inline()


# -- the law


def months_with_new_standard(today: date) -> list[str]:
    """The months for which a batch may be proposed: the last new standard that has begun, and one that begins next month. Not
    earlier: every other decision counts from next month, and none may count from before the last one."""
    every = sorted({f"{v.since:%Y-%m}" for name in _AMOUNTS for v in law.every(name)})
    begun = [month for month in every if month <= f"{today:%Y-%m}"]
    return begun[-1:] + [month for month in every if month == benefits.month_after(today)]


def _before(month: str) -> str:
    day = first_of(month) - timedelta(days=1)
    return f"{day:%Y-%m}"


# -- what a benefit comes to: pure


@dataclass(frozen=True, slots=True)
class Outcome:
    """state: change | unchanged | person. standards: yuan text before and after; income: the household's a month, yuan text."""

    state: str
    after_fen: int
    reason: str | None = None
    contact: bool = False
    per_capita: str | None = None
    income: str | None = None
    standards: tuple[str, str] = ("", "")


def outcome(category: str, amount_fen: int, members: int, snapshot: Mapping[str, Any], month: str) -> Outcome:
    """A benefit by the standard that begins in `month`. `snapshot`: the household as `eligibility.assess` reads it. The figures
    must explain the present amount, by the old standard or already by the new one; else a person looks."""
    if category.startswith("destitute"):
        return _destitute(category, amount_fen, members, str(snapshot["hukou_kind"]), month)
    try:
        was, now = (eligibility.assess({**snapshot, "benefit_month": m}) for m in (_before(month), month))
    except (BadFacts, law.BadLaw, NoDecision):
        return Outcome("person", amount_fen, "no_figures")
    said = {"per_capita": now["per_capita"], "income": now["income_after_deductions"], "standards": _named(category, str(snapshot["hukou_kind"]), month)}
    present = (category, amount_fen)
    if present not in ((was["category"], was["amount_fen"]), (now["category"], now["amount_fen"])):
        return Outcome("person", amount_fen, "figures_differ", **said)
    if now["category"] == category:
        return _compared(amount_fen, now["amount_fen"], said)
    if category == "low_income" and now["category"] == "dibao":  # stays what it is until the household applies
        cash = to_fen(law.value(f"low_income_cash_{snapshot['hukou_kind']}", first_of(month)).amount) if amount_fen else 0
        return _compared(amount_fen, cash, {**said, "contact": True})
    return Outcome("person", amount_fen, "other_category", **said)


def _compared(before_fen: int, after_fen: int, said: Mapping[str, Any]) -> Outcome:
    return Outcome("unchanged" if before_fen == after_fen else "change", after_fen, **said)


def _destitute(category: str, amount_fen: int, members: int, hukou: str, month: str) -> Outcome:
    """特困: the standard times the persons, not a difference (domain 3.3)."""
    was, now = (law.value(_destitute_name(category, hukou), first_of(m)).amount * members for m in (_before(month), month))
    said: Mapping[str, Any] = {"standards": _named(category, hukou, month)}
    if amount_fen not in (to_fen(Decimal(was)), to_fen(Decimal(now))):
        return Outcome("person", amount_fen, "figures_differ", **said)
    return _compared(amount_fen, to_fen(Decimal(now)), said)


def _destitute_name(category: str, hukou: str) -> str:
    if hukou == "urban":
        return "destitute_urban"
    return "destitute_rural_institutional" if category == "destitute_institutional" else "destitute_rural_dispersed"


def _named(category: str, hukou: str, month: str) -> tuple[str, str]:
    name = _destitute_name(category, hukou) if category.startswith("destitute") else {"dibao": f"dibao_standard_{hukou}"}.get(category, f"low_income_cash_{hukou}")
    return law.value(name, first_of(_before(month))).text, law.value(name, first_of(month)).text


# -- the figures of a household


def snapshot_of(conn: Connection, keys: Any, found: Mapping[Any, Any], today: date) -> dict[str, Any]:
    """The household's figures of now. Income that is dated counts by the window of the decision that the benefit rests on."""
    known = households.snapshot(conn, keys, found["household_id"], today)
    return known | {"applied_on": _decided_on_figures_of(conn, found, today)}


def _decided_on_figures_of(conn: Connection, found: Mapping[Any, Any], today: date) -> str:
    """The day of application (or of the re-check) from which the present figures are."""
    cases = [a["case_no"] for a in benefits.history_of(conn, found["id"]) if a["case_no"]] or ([found["case_no"]] if found["case_no"] else [])
    body = conn.scalar(select(store.entry.c.body).join(store.record, store.record.c.id == store.entry.c.record_id).where(store.record.c.no == cases[-1], store.entry.c.seq == 1)) if cases else None
    return figures_day(found, body, today)


def figures_day(found: Mapping[Any, Any], begun: bytes | None, today: date) -> str:
    """The day of application that stands in the first entry of the case on which a benefit rests; `begun`: that entry's body, None
    where there is no such case."""
    said = json.loads(begun) if begun else {}
    if day := said.get("data", {}).get("facts", {}).get("applied_on"):
        return str(day)
    if said:
        return str(said["at"])[:10]
    return str(found["last_review_on"] or found["granted_on"] or today.isoformat())


# -- the decision: two persons


def propose(act: Act, month: str) -> str:
    """Begin a batch for the month whose law has a new standard; its number. The list is computed by jobs."""
    act.through(_at_the_district(act, PROPOSERS, "只有区级审批人或资金发放岗可以提出调标", "Only the district's approvers and finance officers propose it"))
    if month not in (possible := months_with_new_standard(act.today)):
        raise Invalid({"effective_month": [f"这个月没有新的救助标准，或已有更新的标准；可以提出的月份：{'、'.join(possible)}"]})
    others = act.conn.execute(select(standard_batch.c.no, standard_batch.c.status).where(standard_batch.c.effective_month == month)).all()
    if known := next((other.no for other in others if other.status != "withdrawn"), None):
        raise Conflict(f"{month} 的调标已有批次 {known}", f"There is a batch for {month} already: {known}")
    record = act.new("standard_batch", DISTRICT)
    no = f"TB-{month}" + (f"-{len(others) + 1}" if others else "")
    values = {
        "no": no, "effective_month": month, "law_version": law.version(first_of(month)), "status": "computing", "scanned_to": 0, "fed_to": 0, "fed": 0,
        "proposed_by": act.actor.id, "proposed_on": act.today.isoformat(), "changes": 0, "unchanged": 0, "persons": 0, "contacts": 0, "before_fen": 0,
        "after_fen": 0,
    }  # fmt: skip
    act.append(record, "standard_proposed", {"no": no, "month": month}, puts=[Put("standard_batch", record.id, values)])
    plan(act.conn, "standard_scan", record.id, "0", act.now, {})
    return no


def confirm(act: Act, no: str, opinion: str) -> None:
    """The district decides as it is listed; workers put the benefits on the new standard."""
    act.through(_at_the_district(act, DECIDERS, "只有区级审批人可以确认调标", "Only approvers of the district confirm it"))
    record, batch = _opened(act, no)
    if batch["status"] != "proposed":
        raise Conflict(*_NOT_NOW[batch["status"]])
    if batch["proposed_by"] == act.actor.id:
        raise Refused("four-eyes", "提出调标的人不能自己确认（双人规则）", "Who proposed it may not confirm it")
    values = {"status": "confirmed", "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    personal = {f"staff:{act.actor.id}": {"opinion": opinion}} if opinion else {}
    act.append(record, "standard_confirmed", {"no": no}, personal=personal, puts=[Put("standard_batch", record.id, values)])
    plan(act.conn, "standard_feed", record.id, "0", act.now, {})


def withdraw(act: Act, no: str, reason: str) -> None:
    """Taken off the table before it is confirmed, by its proposer or by an approver; the month is free for another batch."""
    act.through(_at_the_district(act, PROPOSERS, "只有区级审批人或资金发放岗可以撤销调标", "Only the district's approvers and finance officers withdraw it"))
    record, batch = _opened(act, no)
    if batch["status"] not in ("computing", "proposed"):
        raise Conflict(*_NOT_NOW[batch["status"]])
    if batch["proposed_by"] != act.actor.id and act.actor.post_over(DISTRICT, DECIDERS) is None:
        raise Refused("role", "只有区级审批人或提出人本人可以撤销调标", "Only an approver, or who proposed it, withdraws it")
    values = {"status": "withdrawn", "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    act.append(record, "standard_withdrawn", {"no": no}, personal={f"staff:{act.actor.id}": {"reason": reason}}, puts=[Put("standard_batch", record.id, values)])


_NOT_NOW = {
    "computing": ("名单还在计算，请稍后再确认", "The list is still being computed"),
    "proposed": ("这个批次还没有确认", "This batch is not confirmed yet"),
    "confirmed": ("这个批次已经确认，正在执行", "This batch is confirmed and being applied"),
    "finished": ("这个批次已经执行完毕", "This batch is finished"),
    "withdrawn": ("这个批次已经撤销", "This batch was withdrawn"),
}


def _at_the_district(act: Act, roles: frozenset[str], zh: str, en: str) -> str:
    post = act.actor.post_over(DISTRICT, roles)
    if post is None:
        raise Refused("role", zh, en)
    return post


def _opened(act: Act, no: str) -> tuple[Record, Mapping[Any, Any]]:
    record = act.open("standard_batch", batch_row(act.conn, no)["id"])
    return record, batch_row(act.conn, no)  # as it stands now that it is locked


# -- jobs: the list


def handlers(office: Office) -> dict[str, Handler]:
    return {"standard_scan": _scanning(office), "standard_feed": _feeding, "standard_item": _applying, "standard_finish": _finishing}


def _scanning(office: Office) -> Handler:
    """Computes outside of any transaction, and writes a stretch of the list in one."""

    def handler(job: Job) -> Callable[[Act], None]:
        with office.read() as conn:
            batch, keys = _by_id(conn, job.record_id), office.keys.on(conn)
            query = _benefits(int(job.key)).where(benefit.c.status.in_(LIVE)).limit(SCAN)
            found = [_item(conn, keys, row, batch, office.today()) for row in conn.execute(query).mappings()]
        return lambda act: _list(act, job, found)

    return handler


def _benefits(after: int) -> Select[Any]:
    return (
        select(benefit, household.c.community, household.c.hukou_kind)
        .join(household, household.c.id == benefit.c.household_id)
        .where(benefit.c.id > after)
        .order_by(benefit.c.id)
    )


def _item(conn: Connection, keys: Any, found: Mapping[Any, Any], batch: Mapping[Any, Any], today: date) -> dict[str, Any]:
    came = outcome(found["category"], found["amount_fen"], found["members"], snapshot_of(conn, keys, found, today), batch["effective_month"])
    return {
        "batch_id": batch["id"], "benefit_id": found["id"], "household_id": found["household_id"], "community": found["community"],
        "category": found["category"], "state": came.state, "reason": came.reason, "contact": came.contact, "members": found["members"],
        "per_capita": came.per_capita, "before_fen": found["amount_fen"], "after_fen": came.after_fen,
    }  # fmt: skip


def _list(act: Act, job: Job, found: Sequence[Mapping[str, Any]]) -> None:
    """Items stand in records of their own: one record gives out 65,535 ids and no more."""
    record, batch = act.open("standard_batch", job.record_id), _by_id(act.conn, job.record_id)
    if batch["status"] != "computing" or batch["scanned_to"] != int(job.key):
        return
    if not found:
        act.append(record, "standard_listed", puts=[Put("standard_batch", record.id, {"status": "proposed"})])
        return
    listed = act.new("standard_list", DISTRICT)
    act.append(listed, "benefits_listed", {"batch": batch["no"]}, puts=[Put("standard_item", listed.next_id(), item) for item in found])
    last = found[-1]["benefit_id"]
    states = [item["state"] for item in found]
    values = {
        "scanned_to": last, "changes": batch["changes"] + states.count("change"), "unchanged": batch["unchanged"] + states.count("unchanged"),
        "persons": batch["persons"] + states.count("person"), "contacts": batch["contacts"] + sum(item["contact"] for item in found),
        "before_fen": batch["before_fen"] + sum(item["before_fen"] for item in found if item["state"] != "person"),
        "after_fen": batch["after_fen"] + sum(item["after_fen"] for item in found if item["state"] != "person"),
    }  # fmt: skip
    act.append(record, "standard_scanned", puts=[Put("standard_batch", record.id, values)])
    plan(act.conn, "standard_scan", record.id, str(last), act.now, {})


# -- jobs: what becomes of it


def _feeding(job: Job) -> Callable[[Act], None]:
    """Write down a job for each benefit: those that live now, and those of the list that do so no more."""
    return lambda act: _feed(act, job)


def _feed(act: Act, job: Job) -> None:
    record, batch = act.open("standard_batch", job.record_id), _by_id(act.conn, job.record_id)
    if batch["status"] != "confirmed" or batch["fed_to"] != int(job.key):
        return
    listed = exists().where(standard_item.c.batch_id == record.id, standard_item.c.benefit_id == benefit.c.id)
    query = select(benefit.c.id).where(benefit.c.id > batch["fed_to"], or_(benefit.c.status.in_(LIVE), listed)).order_by(benefit.c.id).limit(FEED)
    ids = list(act.conn.scalars(query))
    if not ids:
        plan(act.conn, "standard_finish", record.id, "0", act.now, {})
        return
    _list_newcomers(act, batch, ids)
    data = json.dumps({"batch": record.id})
    act.write(_NEW_JOBS, [{"kind": "standard_item", "record_id": n >> 16, "key": str(record.id), "due_at": act.now, "state": "ready", "data": data} for n in ids])
    act.append(record, "standard_fed", puts=[Put("standard_batch", record.id, {"fed_to": ids[-1], "fed": batch["fed"] + len(ids)})])
    plan(act.conn, "standard_feed", record.id, str(ids[-1]), act.now, {})


def _list_newcomers(act: Act, batch: Mapping[Any, Any], ids: Sequence[int]) -> None:
    """Benefits that began after the list was made stand on it too, as they are: what they come to is computed when it is their turn."""
    known = set(act.conn.scalars(select(standard_item.c.benefit_id).where(standard_item.c.batch_id == batch["id"], standard_item.c.benefit_id.in_(ids))))
    if not (new := [n for n in ids if n not in known]):
        return
    listed = act.new("standard_list", DISTRICT)
    puts = []
    for found in act.conn.execute(_benefits(0).where(benefit.c.id.in_(new))).mappings():
        values = {
            "batch_id": batch["id"], "benefit_id": found["id"], "household_id": found["household_id"], "community": found["community"],
            "category": found["category"], "state": "new", "reason": None, "contact": False, "members": found["members"], "per_capita": None,
            "before_fen": found["amount_fen"], "after_fen": found["amount_fen"],
        }  # fmt: skip
        puts.append(Put("standard_item", listed.next_id(), values))
    act.append(listed, "benefits_listed", {"batch": batch["no"]}, puts=puts)


def _applying(job: Job) -> Callable[[Act], None]:
    return lambda act: apply(act, job.data["batch"], job.record_id)


def apply(act: Act, batch_id: int, record_id: int) -> None:
    """Put one benefit on the new standard, by its figures of now, whatever was proposed. Everything is in the benefit's own record."""
    record, batch = act.open("benefit", record_id), _by_id(act.conn, batch_id)
    found = act.conn.execute(_benefits(0).where(benefit.c.id == record_id * 65536 + 1)).mappings().one()
    done = exists().where(standard_result.c.batch_id == batch_id, standard_result.c.benefit_id == found["id"])
    if act.conn.scalar(select(done)):
        return
    if found["status"] not in LIVE:
        _note(act, record, batch, found, Outcome("stopped", found["amount_fen"]))
        return
    came = outcome(found["category"], found["amount_fen"], found["members"], snapshot_of(act.conn, act.keys, found, act.today), batch["effective_month"])
    from_month = max(batch["effective_month"], f"{act.today:%Y-%m}", found["amount_from"] or found["first_payment_month"])
    if came.state == "person":
        _note(act, record, batch, found, came)
        return
    owed = _owed(act.conn, found, batch["effective_month"], from_month, came.after_fen)
    if came.state == "change":
        kind = "increase" if came.after_fen > found["amount_fen"] else "decrease"
        change = Change(kind, "standard_adjusted", from_month, batch_no=batch["no"], amount_fen=came.after_fen, law_version=batch["law_version"], recount=False)
        benefits.decide(act, found["id"], change)
    benefits.settle(act, found["id"], batch["no"], "standard_adjusted", {month: -fen for month, fen in owed.items()})
    letter = _letter(act, record, batch, found, came, from_month, owed) if came.state == "change" or owed else None
    _note(act, record, batch, found, came, from_month, sum(owed.values()), letter)


def _owed(conn: Connection, found: Mapping[Any, Any], month: str, from_month: str, after_fen: int) -> dict[str, int]:
    """Month -> fen that months between the new standard and this decision were paid below it; suspended months: nothing."""
    spans = [m for m in benefits.months(max(month, found["first_payment_month"]), from_month) if m < from_month]
    paid = {m: benefits.payable(conn, found["id"], m) for m in spans}
    return {m: after_fen - fen for m, fen in paid.items() if 0 < fen < after_fen}


def _letter(act: Act, record: Record, batch: Mapping[Any, Any], found: Mapping[Any, Any], came: Outcome, from_month: str, owed: Mapping[str, int]) -> Put:
    house = households.row(act.conn, found["household_id"])
    facts = {"household_id": house["id"], "street": house["street"], "community": house["community"]}
    said = {
        "before_category": found["category"], "before_fen": found["amount_fen"], "amount_fen": came.after_fen, "from_month": from_month,
        "effective_month": batch["effective_month"], "standards": list(came.standards), "members": found["members"], "income": came.income,
        "contact": came.contact, "arrears_fen": sum(owed.values()), "arrears_months": sorted(owed), "no_label": "调标批次",
    }  # fmt: skip
    return benefit_acts.letter_of(act, record, "standard_adjustment", facts, said, batch["no"])


def _note(act: Act, record: Record, batch: Mapping[Any, Any], found: Mapping[Any, Any], came: Outcome, from_month: str | None = None, arrears: int = 0,
          letter: Put | None = None) -> None:  # fmt: skip
    mine = and_(standard_item.c.batch_id == batch["id"], standard_item.c.benefit_id == found["id"])
    item = act.conn.execute(select(standard_item).where(mine)).mappings().one_or_none()
    values = {
        "batch_id": batch["id"], "benefit_id": found["id"], "household_id": found["household_id"], "community": found["community"],
        "outcome": "applied" if came.state == "change" else came.state, "reason": came.reason, "contact": came.contact,
        "recomputed": item is None or (item["before_fen"], item["after_fen"]) != (found["amount_fen"], came.after_fen),
        "before_fen": found["amount_fen"], "after_fen": came.after_fen, "from_month": from_month, "arrears_fen": arrears,
        "letter_id": letter and letter.id, "done_on": act.today.isoformat(),
    }  # fmt: skip
    puts = [Put("standard_result", record.next_id(), values)]
    act.append(record, "standard_applied", {"batch": batch["no"], "outcome": values["outcome"]}, puts=puts + ([letter] if letter else []))


def _finishing(job: Job) -> Callable[[Act], None]:
    return lambda act: _finish(act, job)


def _finish(act: Act, job: Job) -> None:
    """All have their result: totals, and the end. Else somebody looks again in a minute; what failed for good is an incident."""
    record, batch = act.open("standard_batch", job.record_id), _by_id(act.conn, job.record_id)
    told = progress(act.conn, batch)
    if batch["status"] != "confirmed":
        return
    if told["done"] < batch["fed"]:
        plan(act.conn, "standard_finish", record.id, str(int(job.key) + 1), act.now + AGAIN, {})
        return
    values = {"status": "finished", "finished_on": act.today.isoformat(), **{name: told[name] for name in _TOTALS}}
    act.append(record, "standard_finished", {"no": batch["no"], **{name: told[name] for name in _TOTALS}}, puts=[Put("standard_batch", record.id, values)])


_TOTALS = ("applied", "left_alone", "stopped", "for_persons", "applied_before_fen", "applied_after_fen", "arrears_fen")


# -- looking


def _by_id(conn: Connection, batch_id: int) -> Mapping[Any, Any]:
    return conn.execute(select(standard_batch).where(standard_batch.c.id == batch_id)).mappings().one()


def batch_row(conn: Connection, no: str) -> Mapping[Any, Any]:
    found = conn.execute(select(standard_batch).where(standard_batch.c.no == no)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这个调标批次")
    return found


def batches(conn: Connection) -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(standard_batch).order_by(standard_batch.c.id.desc())).mappings())


def progress(conn: Connection, batch: Mapping[Any, Any]) -> dict[str, int]:
    """How far the workers are: `of` benefits, `done`, and what became of them."""
    result = standard_result.c

    def of(name: str, value: Any = 1) -> Any:
        return func.coalesce(func.sum(case((result.outcome == name, value), else_=0)), 0)

    query = select(
        func.count().label("done"), of("applied").label("applied"), of("unchanged").label("left_alone"), of("stopped").label("stopped"),
        of("person").label("for_persons"), of("applied", result.before_fen).label("applied_before_fen"),
        of("applied", result.after_fen).label("applied_after_fen"), func.coalesce(func.sum(result.arrears_fen), 0).label("arrears_fen"),
    ).where(result.batch_id == batch["id"])  # fmt: skip
    return {"of": int(batch["fed"]), **{name: int(n) for name, n in conn.execute(query).mappings().one().items()}}


def items(conn: Connection, batch_id: int, area: Area, *, view: str | None = None, page: int = 1, size: int = 50) -> Page:
    """The list of a batch in an area. `view`: change | unchanged | person | contact | new, by what was proposed; or applied |
    recomputed | stopped, by what became of it. Rows: the item with the result's columns (`outcome`, `done_*`), and the applicant's name."""
    item, result = standard_item.c, standard_result.c
    done = [result[n].label(f"done_{n}") for n in ("reason", "before_fen", "after_fen", "from_month", "arrears_fen", "recomputed", "letter_id")]
    joined = standard_item.outerjoin(standard_result, and_(result.batch_id == item.batch_id, result.benefit_id == item.benefit_id))
    joined = joined.join(household, household.c.id == item.household_id).join(person, person.c.id == household.c.applicant_id)
    told = issued.c.delivered_on.label("done_delivered_on")
    where = and_(item.batch_id == batch_id, within(item.community, area), _view(view))
    total = conn.scalar(select(func.count()).select_from(joined).where(where)) or 0
    query = select(standard_item, result.outcome, *done, told, household.c.no.label("household_no"), person.c.name.label("applicant"))
    query = query.select_from(joined.outerjoin(issued, issued.c.id == result.letter_id)).where(where).order_by(item.benefit_id).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


VIEWS = ("change", "unchanged", "person", "contact", "new", "applied", "recomputed", "stopped")


def _view(view: str | None) -> ColumnElement[bool]:
    item, result = standard_item.c, standard_result.c
    if view == "contact":
        return or_(item.contact, func.coalesce(result.contact, False))
    if view == "recomputed":
        return result.recomputed.is_(True)
    if view in ("applied", "stopped"):
        return result.outcome == view
    return item.state == view if view else item.id.is_not(None)


def letters_of(conn: Connection, batch_id: int, area: Area, *, page: int = 1, size: int = 100) -> Page:
    """Ids of the letters that the batch issued in an area, in the order in which they are handed out: by community."""
    result = standard_result.c
    where = and_(result.batch_id == batch_id, result.letter_id.is_not(None), within(result.community, area))
    total = conn.scalar(select(func.count()).select_from(standard_result).where(where)) or 0
    query = select(result.letter_id, result.community).where(where).order_by(result.community, result.benefit_id).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)
