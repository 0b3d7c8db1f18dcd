"""The life of a benefit: pending first payment -> active -> suspended -> active | stopped -> closed, each change by a decision.

A benefit is a record of its own. What a decision changes counts from a month; what is payable in a month is the last
decision whose month has begun (`payable`). Everything here is called by the acts of cases and jobs: it opens no transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select

from engine.dmn import noting
from engine.errors import Conflict, NotFound, Refused
from engine.model import SHANGHAI, Data, Put
from engine.office import Act, Office, Record
from engine.store import job
from processes import dmn, households, law, special_cases
from processes.benefit_tables import benefit_adjustment, settlement
from processes.calendar import add_workdays
from processes.tables import benefit, benefit_person

OF_DESTITUTE = frozenset({"ability_regained", "obligor_able"})  # reasons of REASONS for which only 特困 ends (domain 2.4.8)
LIVE = ("pending_first_payment", "active", "suspended")
RESUMING = ("keep", "grace", "increase", "decrease", "convert")  # what a re-check may conclude that ends a suspension, too
OWED = ("found", "agreed")  # a settlement that is still to be paid
# code, zh, en, exit class where it is the same however it came to light (None: that of the trigger)
REASONS = [
    ("unchanged", "情况没有变化", "Nothing has changed", None),
    ("income_changed", "收入变化", "Income changed", None),
    ("member_changed", "家庭人口变化", "Members changed", None),
    ("income_over", "收入超过标准", "Income over the standard", None),
    ("property_over", "财产超过规定", "Property over the limit", None),
    ("death_single", "享受待遇人员死亡", "The recipient died", "other"),
    ("imprisoned", "成员服刑", "Member in prison", "other"),
    ("ability_regained", "特困人员恢复劳动能力", "A destitute person can work again", None),
    ("obligor_able", "法定义务人具有履行义务能力", "A legal supporter is able", None),
    ("moved_out_district", "户籍迁出本区", "Moved out of the district", "other"),
    ("moved_inside_district", "户籍在本区内迁移", "Moved inside the district", None),
    ("converted", "救助类别转换", "Another kind of assistance", "other"),
    ("voluntary", "自愿退出", "Asked to leave", "voluntary"),
    ("fraud", "隐瞒、虚报或伪造", "Lied, hid or forged", None),
    ("refused_jobs", "三次无正当理由拒绝就业", "Refused suitable work three times", None),
    ("no_cooperation", "拒不配合复核", "Will not be re-checked", "cleared"),
    ("special_case", "联席会议决议", "Resolution of the joint meeting", None),
]
# Reasons of what is decided outside a re-check: code, zh, en
SUSPENSIONS = [
    ("unreachable", "无法与家庭取得联系", "The household cannot be reached"),
    ("payment_returned", "救助金发放被退回", "The payment was returned"),
    ("under_verification", "家庭情况有待核实", "The household's situation is to be verified"),
]
RESUMPTIONS = [
    ("verified", "情况已经核实", "The situation is verified"),
    ("account_mended", "收款账户已经更正", "The bank account is mended"),
]
BEGAN_TO_WORK = ("job_started", "就业渐退", "Began to work: grace period")  # of a grace period, and of nothing else
OTHER_REASONS = [
    BEGAN_TO_WORK,
    ("grant", "批准救助", "Granted"),
    ("class_changed", "复审类别调整", "Another review class"),
    ("appeal", "行政复议、诉讼的结果", "Outcome of an appeal"),
    ("standard_adjusted", "救助标准调整", "Adjustment of the standard"),
]
REASON_WORDS: Mapping[str, tuple[str, str]] = {
    code: (zh, en) for code, zh, en in [*((c, z, e) for c, z, e, _ in REASONS), *SUSPENSIONS, *RESUMPTIONS, *OTHER_REASONS]
}
_NEW_JOB = insert(job).inline()
WAITING = ("ready", "running", "incident")  # states of a job that will still be done
CLASSES = ("A", "B", "C")
_LAW_SINCE = date(2012, 12, 12)  # N220: there are no intervals of reviews from before it


@dataclass(frozen=True, slots=True)
class Change:
    """A decision on a benefit. `from_month`: the first month for which it counts ("2019-02"). What is None stays as it is."""

    kind: str  # keep | grace | increase | decrease | convert | stop | suspend | resume | holder | transfer
    reason_code: str
    from_month: str
    case_no: str | None = None
    batch_no: str | None = None
    amount_fen: int | None = None
    category: str | None = None
    law_version: str | None = None
    exit_class: str | None = None  # of a stop
    reviewed_on: str | None = None  # the household was re-reviewed on this day: the next review counts from it
    review_class: str | None = None
    grace_until: str | None = None  # of a grace period: its last month
    grace_person: int | None = None  # and who began to work
    person_id: int | None = None  # from here on it is this one's (特困), no more the household's
    self_care: str | None = None
    recount: bool = True  # whether the household's members of now are those whom the benefit counts from here on


# -- months


def month_after(day: date) -> str:
    """Changes count from the month after the decision, never pro rata (N220 art 29; domain 2.9)."""
    return f"{day.year + day.month // 12}-{day.month % 12 + 1:02d}"


def first_of(month: str) -> date:
    return date(int(month[:4]), int(month[5:7]), 1)


def months(first: str, last: str) -> list[str]:
    """All months from the first to the last, both included; empty when `last` is earlier."""
    start, end = (int(m[:4]) * 12 + int(m[5:7]) - 1 for m in (first, last))
    return [f"{n // 12}-{n % 12 + 1:02d}" for n in range(start, end + 1)]


def add_months(day: date, n: int) -> date:
    """The same day n months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    return date(year, month + 1, day.day)


def next_review(last: date, review_class: str, category: str, hukou_kind: str) -> date:
    """When a household reviewed (or granted) on `last` is reviewed again, by the law of that day (domain 2.6)."""
    row = "destitute" if is_destitute(category) else review_class
    return add_months(last, int(dmn.decide("review-interval", last_on=last, review_class=row, hukou_kind=hukou_kind)["months"]))


def is_destitute(category: str) -> bool:
    """特困: in an institution or at home (destitute_institutional, destitute_dispersed)."""
    return category.startswith("destitute")


def next_report(last: date, review_class: str) -> date:
    """When the household has to report the next time of itself (domain 1.6)."""
    return add_months(last, int(law.value(f"report_months_{review_class}", last).amount))


def suggest_class(snapshot: Mapping[str, Any]) -> str:
    """The class by the words of N220 art 33, from the household as `households.snapshot` gives it: A for heavy illness or
    disability without anybody able to work, C where somebody could work, else B. People may set another one."""
    members = [m for m in snapshot["members"] if not m.get("excluded_reason")]
    able = any(m.get("labour_ability") == "full" and not m.get("full_time_student") for m in members if not _minor(m, snapshot))
    heavy = any(m.get("serious_illness") or str(m.get("disability_grade") or "") in ("1", "2") for m in members)
    found: str = dmn.decide("review-class", able=able, heavy=heavy)["review_class"]
    return found


def _minor(member: Mapping[str, Any], snapshot: Mapping[str, Any]) -> bool:
    born = member.get("birth_date")
    return born is not None and add_months(date.fromisoformat(born), 12 * 16) > first_of(snapshot["benefit_month"])


# -- beginning


def begin(act: Act, event: str, values: Mapping[str, Any], data: Mapping[str, Any]) -> int:
    """A new benefit of a household, as a record of its own; its row's id. `values`: household_id, category, amount_fen, status,
    first_payment_month, members, and what else is known. Plans its reviews, its duty to report and its first month."""
    household_id = int(values["household_id"])
    house = households.row(act.conn, household_id)
    record = act.new("benefit", house["street"], subject=f"household:{household_id}")
    with noting() as asked:
        review_class = values.get("review_class") or house["review_class"] or _suggested(act, household_id)
        due, report = next_review(act.today, review_class, values["category"], house["hukou_kind"]), next_report(act.today, review_class)
    if (again := special_cases.look_again(act.conn, values.get("case_no"))) is not None:
        due = max(min(due, again), act.today)
    row_id = record.next_id()
    row = {**values, "amount_from": values["first_payment_month"], "review_class": review_class, "last_review_on": act.today.isoformat(),
           "next_review_on": due.isoformat(), "next_report_on": report.isoformat()}  # fmt: skip
    puts = [Put("benefit", row_id, row)]
    for person_id, id_blind in _whose(act, household_id, row.get("person_id")):
        if id_blind and row.get("person_id"):
            households.refuse_second_benefit(act.conn, id_blind)
        counted = {"benefit_id": row_id, "person_id": person_id, "id_blind": id_blind, "active": True}
        puts.append(Put("benefit_person", record.next_id(), counted, f"person:{person_id}"))
    before = {"category": None, "amount_fen": 0, "members": 0, "status": None}
    granted = Change("grant", "grant", values["first_payment_month"], case_no=values.get("case_no"))
    puts.append(_adjustment(act, record, row_id, before, row, granted))
    act.append(record, event, {**data, **act.used(asked)}, puts=puts)
    dates = [("review_due", due), ("report_due", report)]
    if row["status"] == "pending_first_payment":
        dates.append(("benefit_month", first_of(row["first_payment_month"])))
    act.write(_NEW_JOB, [_job(record.id, kind, day) for kind, day in dates])
    return row_id


def _whose(act: Act, household_id: int, person_id: int | None) -> list[tuple[int, str | None]]:
    """(person id, blind index) of those whom a benefit counts: the household's members, or the one whose it is (特困), counted there or not."""
    if person_id is None:
        return households.counted_members(act.conn, household_id, act.today)
    return [(m["person_id"], m["id_blind"]) for m in households.members_of(act.conn, household_id) if m["person_id"] == person_id]


def undated(conn: Connection, after: int, most: int) -> list[int]:
    """Live benefits from before reviews had dates: ids after one, so many."""
    where = and_(benefit.c.id > after, benefit.c.status.in_(LIVE), benefit.c.next_review_on.is_(None))
    return list(conn.scalars(select(benefit.c.id).where(where).order_by(benefit.c.id).limit(most)))


def give_dates(act: Act, benefit_id: int) -> bool:
    """Class, reviews and reports of a benefit from before there were any, counted from its grant; whether it had none."""
    record = act.open("benefit", benefit_id >> 16)
    found = row(act.conn, benefit_id)
    if found["next_review_on"] or found["status"] not in LIVE:
        return False
    house = households.row(act.conn, found["household_id"])
    begun = date.fromisoformat(found["granted_on"]) if found["granted_on"] else first_of(found["first_payment_month"])
    last = min(max(begun, _LAW_SINCE), act.today)
    with noting() as asked:
        review_class = house["review_class"] or _suggested(act, found["household_id"])
        due = max(next_review(last, review_class, found["category"], house["hukou_kind"]), act.today)
    report = max(next_report(last, review_class), act.today)
    values = {"amount_from": found["amount_from"] or found["first_payment_month"], "review_class": review_class, "last_review_on": last.isoformat(),
              "next_review_on": due.isoformat(), "next_report_on": report.isoformat()}  # fmt: skip
    act.append(record, "benefit_dated", act.used(asked), puts=[Put("benefit", benefit_id, values)])
    plan(act, record.id, "review_due", due)
    plan(act, record.id, "report_due", report)
    if found["status"] == "pending_first_payment":
        plan(act, record.id, "benefit_month", first_of(found["first_payment_month"]))
    return True


def date_all(office: Office, each: int = 50) -> int:
    """Dates for all benefits that have none, an act for each: what an upgrade does, and does no second time. How many."""
    after, done = 0, 0
    while True:
        with office.read() as conn:
            found = undated(conn, after, each)
        if not found:
            return done
        for benefit_id in found:
            with office.act() as act:
                done += give_dates(act, benefit_id)
        after = found[-1]


def _suggested(act: Act, household_id: int) -> str:
    return suggest_class(households.snapshot(act.conn, act.keys, household_id, act.today))


def plan(act: Act, record_id: int, kind: str, day: date, key: str | None = None) -> None:
    """A job of the benefit at the beginning of a day, unless one waits for the key, which is the day when none is given. One that
    is done already found its date moved away and did nothing: when the date comes back, the day gets another, "2019-02-01.2"."""
    wanted = key or day.isoformat()
    known = select(job.c.state).where(job.c.record_id == record_id, job.c.kind == kind, or_(job.c.key == wanted, job.c.key.startswith(f"{wanted}.")))
    states = act.conn.scalars(known).all()
    if not any(state in WAITING for state in states):
        act.write(_NEW_JOB, [_job(record_id, kind, day) | {"key": f"{wanted}.{len(states) + 1}" if states else wanted}])


def _job(record_id: int, kind: str, day: date) -> dict[str, Any]:
    due = datetime.combine(day, datetime.min.time(), SHANGHAI)
    return {"kind": kind, "record_id": record_id, "key": day.isoformat(), "due_at": due, "state": "ready", "data": "{}"}


# -- looking


def ended_by_death(conn: Connection, household_id: int) -> bool:
    """Whether the household's last benefit was stopped because its only recipient died."""
    last = select(benefit.c.exit_reason).where(benefit.c.household_id == household_id).order_by(benefit.c.id.desc()).limit(1)
    return conn.scalar(last) == "death_single"


def live(conn: Connection, household_id: int, person_id: int | None = None) -> Mapping[Any, Any] | None:
    """The household's benefit that is paid, about to be paid, or suspended; one of a single person (特困) only where there is no other,
    or where it is asked for by `person_id`."""
    where = and_(benefit.c.household_id == household_id, benefit.c.status.in_(LIVE))
    if person_id is not None:
        where = and_(where, benefit.c.person_id == person_id)
    return conn.execute(select(benefit).where(where).order_by(benefit.c.person_id.is_not(None), benefit.c.id.desc()).limit(1)).mappings().one_or_none()


def number(benefit_id: int) -> str:
    """How letters and lists name a benefit: B0000123."""
    return f"B{benefit_id >> 16:07d}"


def row(conn: Connection, benefit_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(benefit).where(benefit.c.id == benefit_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这项救助待遇")
    return found


def history_of(conn: Connection, benefit_id: int) -> list[Mapping[Any, Any]]:
    """Its decisions, oldest first."""
    query = select(benefit_adjustment).where(benefit_adjustment.c.benefit_id == benefit_id).order_by(benefit_adjustment.c.id)
    return list(conn.execute(query).mappings())


def payable(conn: Connection, benefit_id: int, month: str) -> int:
    """Fen that the decisions taken so far give for a month: of the decisions whose month has begun, the last. A benefit from
    before there were such rows is paid what its own row says."""
    fen, status = _decided(conn, benefit_id, month)
    return fen if status in ("active", "pending_first_payment") else 0


def amount_in(conn: Connection, benefit_id: int, month: str) -> int:
    """What `payable` would be if payment were not suspended."""
    fen, status = _decided(conn, benefit_id, month)
    return fen if status in LIVE else 0


def _decided(conn: Connection, benefit_id: int, month: str) -> tuple[int, str]:
    """(fen, status) by the last decision whose month has begun."""
    fen, status, _ = decided_of(row(conn, benefit_id), history_of(conn, benefit_id), month)
    return fen, status


def decided_of(found: Mapping[Any, Any], decisions: Sequence[Mapping[Any, Any]], month: str) -> tuple[int, str, int]:
    """(fen, status, id of the decision; 0: from before there were any) of a benefit's row and all its decisions, oldest first: pure."""
    if begun := [d for d in decisions if d["from_month"] <= month]:
        return int(begun[-1]["after_fen"]), begun[-1]["after_status"], int(begun[-1]["id"])
    if month < found["first_payment_month"]:
        return 0, "pending_first_payment", 0
    return int(decisions[0]["before_fen"] if decisions else found["amount_fen"]), "active", 0


def share_withheld(conn: Connection, benefit_id: int, month: str) -> bool:
    """Whether the amount of a month was decided without the share of a member who refused work three times (domain 2.9)."""
    amounts = [d for d in history_of(conn, benefit_id) if d["from_month"] <= month and d["kind"] in ("grant", "increase", "decrease", "convert")]
    return bool(amounts) and amounts[-1]["reason_code"] == "refused_jobs"


# -- deciding


def decide(act: Act, benefit_id: int, change: Change, said: str = "") -> int:
    """Write a decision on a live benefit: its row, the persons it counts, the adjustment with before and after, the next review.
    `said`: the reason in the words of who decided; personal. Returns the id of the adjustment. Raises what `allow` raises."""
    record = act.open("benefit", benefit_id >> 16)
    before = row(act.conn, benefit_id)
    allow(before, change, act.today)
    with noting() as asked:
        after = _after(act, before, change)
    changed = _changed(before, after)
    puts = [Put("benefit", benefit_id, changed)] if changed else []
    if change.kind == "stop":
        puts += [Put("benefit_person", n, {"active": False}) for n in _counted(act.conn, benefit_id).values()]
    elif _recounts(change):
        puts += _people(act, record, benefit_id, before["household_id"], after["person_id"])
    adjustment = _adjustment(act, record, benefit_id, before, after, change)
    told = {
        "kind": change.kind,
        "reason": change.reason_code,
        "from_month": change.from_month,
        "case": change.case_no,
        "batch": change.batch_no,
    }
    personal = {f"household:{before['household_id']}": {"adjustment": adjustment.id, "reason": said}} if said else {}
    act.append(record, "benefit_changed", {k: v for k, v in told.items() if v} | act.used(asked), personal=personal, puts=[*puts, adjustment])
    _follow(act, record.id, before, after)
    if change.kind == "stop" and before["person_id"] is not None:
        households.count_again(act, before["household_id"], before["person_id"])
    return adjustment.id


def assessed(act: Act, benefit_id: int, self_care: str, case_no: str) -> None:
    """The class of self-care of a running benefit is another one from now on (N43 art 23); its amount is the standard as before."""
    record, before = act.open("benefit", benefit_id >> 16), row(act.conn, benefit_id)
    if before["status"] not in LIVE:
        raise Conflict("这项待遇已经停发", "This benefit is stopped already")
    act.append(record, "self_care_assessed", {"case": case_no, "before": before["self_care"], "after": self_care}, puts=[Put("benefit", benefit_id, {"self_care": self_care})])


def allow(before: Mapping[Any, Any], change: Change, today: date) -> None:
    """Raises Conflict when the benefit is not one that this can be decided on, Refused when the month is over already: what
    was payable in a month that is past stays so, and what is owed for it is a settlement."""
    status, first = before["status"], before["amount_from"] or before["first_payment_month"]
    if status not in LIVE:
        raise Conflict("这项待遇已经停发", "This benefit is stopped already")
    if change.kind == "suspend" and status != "active":
        raise Conflict("只有正在发放的待遇可以暂停", "Only a benefit that is being paid can be suspended")
    if change.kind == "resume" and status != "suspended":
        raise Conflict("这项待遇没有暂停，不需要恢复", "This benefit is not suspended")
    if change.from_month < first:
        raise Refused(
            "from-month",
            f"变更不能早于上一次决定的执行月份 {first}",
            f"A change may not count from before the last one: {first}",
        )
    if change.from_month < f"{today:%Y-%m}":
        raise Refused("past-month", "变更不能从已经过去的月份起执行", "A change may not count from a month that is over")


def resumes(before: Mapping[Any, Any], change: Change) -> bool:
    """A re-check that finds the household still entitled ends a suspension, too: what was to be verified is verified (N220 art 33)."""
    return before["status"] == "suspended" and change.reviewed_on is not None and change.kind in RESUMING


def _recounts(change: Change) -> bool:
    return change.recount and change.kind not in ("suspend", "resume")


def _after(act: Act, before: Mapping[Any, Any], change: Change) -> dict[str, Any]:
    after = {**before, "amount_from": change.from_month}
    if change.amount_fen is not None:
        after["amount_fen"] = change.amount_fen
    if change.category:
        after["category"] = change.category
    if change.law_version:
        after["law_version"] = change.law_version
    after |= _of_one(str(after["category"]), change)
    if change.kind != "stop" and _recounts(change):
        after["members"] = len(_whose(act, before["household_id"], after["person_id"]))
    if change.kind == "stop":
        after |= {"status": "stopped", "stopped_from": change.from_month, "exit_class": change.exit_class or "other", "exit_reason": change.reason_code,
                  "next_review_on": None, "next_report_on": None, "grace_until": None, "grace_person": None}  # fmt: skip
        return after
    if change.kind in ("suspend", "resume"):
        after["status"] = "suspended" if change.kind == "suspend" else "active"
    if resumes(before, change):
        after["status"] = "active"
    if change.kind in RESUMING and change.reviewed_on:  # whatever else a re-check concludes ends a grace period
        after |= {"grace_until": change.grace_until, "grace_person": change.grace_person}
    return after | _dates(act, after, change)


def _of_one(category: str, change: Change) -> dict[str, Any]:
    """Whose it is from here on, where that changes: one person's, or the household's again."""
    if change.person_id is not None:
        return {"person_id": change.person_id, "self_care": change.self_care}
    return {} if is_destitute(category) else {"person_id": None, "self_care": None}


def _dates(act: Act, after: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The next review and report: counted anew from a review, or with another class from the last one."""
    review_class = change.review_class or after["review_class"] or _suggested(act, after["household_id"])
    if change.reviewed_on is None and review_class == after["review_class"]:
        return {}
    last = date.fromisoformat(change.reviewed_on or after["last_review_on"] or act.today.isoformat())
    hukou = households.row(act.conn, after["household_id"])["hukou_kind"]
    due = max(next_review(last, review_class, after["category"], hukou), act.today)
    reported = last if change.reviewed_on else _last_report(after) or last
    if (again := _look_again(act, after["id"], change)) is not None:
        due = min(due, again)
    if after.get("grace_until"):  # concluded in its last month, so that what follows counts from the month after it
        due = max(min(due, first_of(after["grace_until"])), act.today)
    return {"review_class": review_class, "last_review_on": last.isoformat(), "next_review_on": due.isoformat(),
            "next_report_on": coming_report(reported, review_class, act.today).isoformat()}  # fmt: skip


def _look_again(act: Act, benefit_id: int, change: Change) -> date | None:
    """The day, still to come, on which what the joint meeting resolved is looked at again. What is kept stays under the resolution
    by which it was decided."""
    cases = [change.case_no]
    if change.kind == "keep":
        for decision in reversed(history_of(act.conn, benefit_id)):
            cases.append(decision["case_no"])
            if decision["kind"] in ("grant", "increase", "decrease", "convert"):
                break
    days = [special_cases.look_again(act.conn, no) for no in cases]
    return min((day for day in days if day is not None and day > act.today), default=None)


def _last_report(before: Mapping[str, Any]) -> date | None:
    """From when the duty to report was counted: a household that reported yesterday does not owe again because its class changed."""
    if not before["next_report_on"] or not before["review_class"]:
        return None
    planned = date.fromisoformat(before["next_report_on"])
    return add_months(planned, -int(law.value(f"report_months_{before['review_class']}", planned).amount))


def coming_report(last: date, review_class: str, today: date) -> date:
    """When it reports the next time; a day that is over would never come, and on this one it may have been reminded already."""
    return max(next_report(last, review_class), today + timedelta(days=1))


def _changed(before: Mapping[Any, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if before[name] != value}


def _counted(conn: Connection, benefit_id: int) -> dict[int, int]:
    """person id -> row id of those whom the benefit counts now."""
    query = select(benefit_person.c.person_id, benefit_person.c.id).where(
        benefit_person.c.benefit_id == benefit_id, benefit_person.c.active
    )
    return {r.person_id: r.id for r in conn.execute(query)}


def _people(act: Act, record: Record, benefit_id: int, household_id: int, whose: int | None = None) -> list[Put]:
    """Who joined the household is counted from now on, who left it no longer; of one person's benefit it is he alone."""
    counted, members = _counted(act.conn, benefit_id), _whose(act, household_id, whose)
    here = {person_id for person_id, _ in members}
    puts = [Put("benefit_person", n, {"active": False}) for person_id, n in counted.items() if person_id not in here]
    for person_id, id_blind in members:
        if person_id not in counted:
            if id_blind:
                households.refuse_second_benefit(act.conn, id_blind)
            values = {"benefit_id": benefit_id, "person_id": person_id, "id_blind": id_blind, "active": True}
            puts.append(Put("benefit_person", record.next_id(), values, f"person:{person_id}"))
    return puts


def _adjustment(
    act: Act, record: Record, benefit_id: int, before: Mapping[Any, Any], after: Mapping[Any, Any], change: Change
) -> Put:
    values = {
        "benefit_id": benefit_id, "household_id": after["household_id"], "case_no": change.case_no, "batch_no": change.batch_no,
        "kind": change.kind, "reason_code": change.reason_code, "before_category": before["category"], "after_category": after["category"],
        "before_fen": before["amount_fen"], "after_fen": 0 if change.kind == "stop" else after["amount_fen"],
        "before_members": before["members"], "after_members": 0 if change.kind == "stop" else after["members"], "before_status": before["status"], "after_status": after["status"],
        "decided_on": act.today.isoformat(), "decided_by": act.actor.id, "from_month": change.from_month, "law_version": after.get("law_version"),
    }  # fmt: skip
    return Put("benefit_adjustment", record.next_id(), values)


def _follow(act: Act, record_id: int, before: Mapping[Any, Any], after: Mapping[str, Any]) -> None:
    """The jobs of its dates; a job whose date has moved finds so and does nothing."""
    for name, kind in (("next_review_on", "review_due"), ("next_report_on", "report_due")):
        if after[name] and after[name] != before[name]:
            plan(act, record_id, kind, date.fromisoformat(after[name]))
    if after["status"] == "stopped":  # not the job of the first payment, which may be of the same day
        plan(act, record_id, "benefit_month", first_of(after["stopped_from"]), f"stop.{after['stopped_from']}")


def month_begins(act: Act, record_id: int) -> None:
    """A month has begun: the first payment's makes the benefit active, the one from which it is stopped closes it. While money
    is still to be settled it stays, and is looked at again when the next month begins."""
    record = act.open("benefit", record_id)
    found = row(act.conn, record_id * 65536 + 1)
    month = f"{act.today:%Y-%m}"
    if found["status"] == "pending_first_payment" and month >= found["first_payment_month"]:
        act.append(record, "benefit_active", {"month": month}, puts=[Put("benefit", found["id"], {"status": "active"})])
    elif found["status"] == "stopped" and month >= found["stopped_from"]:
        if _unsettled(act.conn, found["id"]):
            later = month_after(act.today)
            plan(act, record_id, "benefit_month", first_of(later), f"settle.{later}")
            return
        act.append(record, "benefit_closed", {"month": month}, puts=[Put("benefit", found["id"], {"status": "closed"})])


def _unsettled(conn: Connection, benefit_id: int) -> bool:
    where = and_(settlement.c.benefit_id == benefit_id, settlement.c.status.in_(OWED))
    return conn.scalar(select(settlement.c.id).where(where).limit(1)) is not None


# -- money of past months


def overpaid(conn: Connection, benefit_id: int, right: Mapping[str, int]) -> dict[str, int]:
    """Month -> fen paid (by the decisions of that time) above what was right; `right`: month -> fen. Underpaid months count
    negative, months that were right are left out."""
    found = {month: payable(conn, benefit_id, month) - fen for month, fen in right.items()}
    return {month: fen for month, fen in sorted(found.items()) if fen}


def charged(conn: Connection, benefit_id: int, over: Mapping[str, int]) -> dict[str, int]:
    """Month -> fen of these months' difference that was found before, whatever became of it: asked back counts positive, paid later
    negative. `over` as `overpaid` gives it."""
    found: dict[str, int] = {}
    for one in of_settlements(conn, benefit_id):
        sign = 1 if one["kind"] == "recovery" else -1
        for month, fen in _by_month(one, over, sign).items():
            if month in over:
                found[month] = found.get(month, 0) + sign * fen
    return {month: fen for month, fen in sorted(found.items()) if fen}


def months_of(one: Mapping[Any, Any]) -> list[str]:
    """The months of a settlement; of one from before they were kept, all from its first to its last."""
    return sorted(json.loads(one["months"])) if one["months"] else months(one["from_month"], one["to_month"])


def _by_month(one: Mapping[Any, Any], over: Mapping[str, int], sign: int) -> dict[str, int]:
    """A settlement's parts. One from before they were kept is taken from its months as far as they differ, the earliest first."""
    if one["months"]:
        kept: dict[str, int] = json.loads(one["months"])
        return kept
    found, left = {}, int(one["amount_fen"])
    for month in months(one["from_month"], one["to_month"]):
        found[month] = min(left, max(0, sign * over.get(month, 0)))
        left -= found[month]
    return found


def suspended_months(conn: Connection, benefit_id: int, until: str) -> dict[str, int]:
    """Month -> fen that was not paid because of the present suspension, up to the month before `until`."""
    since = next((a["from_month"] for a in reversed(history_of(conn, benefit_id)) if a["kind"] == "suspend"), until)
    found = {month: amount_in(conn, benefit_id, month) - payable(conn, benefit_id, month) for month in months(since, until) if month < until}
    return {month: fen for month, fen in found.items() if fen}


def settle(act: Act, benefit_id: int, case_no: str | None, reason_code: str, found: Mapping[str, int]) -> list[Put]:
    """Write down what is to be paid back or paid later for past months (`found` as `overpaid` gives it). Returns puts for the
    benefit's record; the household's agreement comes later (`agree`)."""
    record = act.open("benefit", benefit_id >> 16)
    household_id = row(act.conn, benefit_id)["household_id"]
    puts = []
    for kind, sign in (("recovery", 1), ("arrears", -1)):
        here = {month: fen * sign for month, fen in found.items() if fen * sign > 0}
        if here:
            values = {"benefit_id": benefit_id, "household_id": household_id, "case_no": case_no, "kind": kind, "reason_code": reason_code,
                      "from_month": min(here), "to_month": max(here), "amount_fen": sum(here.values()),
                      "months": json.dumps(dict(sorted(here.items()))), "status": "found"}  # fmt: skip
            puts.append(Put("settlement", record.next_id(), values))
    if puts:
        act.append(record, "settlement_found", {"months": len(found)}, puts=puts)
    return puts


def agree(act: Act, settlement_id: int, instalment_fen: int, first_month: str) -> None:
    """The plan by which a settlement is paid back: so much a month from a month on, the last instalment being the rest."""
    found = act.conn.execute(select(settlement).where(settlement.c.id == settlement_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这笔追缴或补发")
    if found["status"] not in OWED:
        raise Conflict("这笔款项已经结清或免除", "This is settled already")
    values = {
        "instalment_fen": instalment_fen,
        "first_month": first_month,
        "agreed_on": act.today.isoformat(),
        "status": "agreed",
    }
    act.append(
        act.open("benefit", found["benefit_id"] >> 16), "settlement_agreed", puts=[Put("settlement", settlement_id, values)]
    )


def one_settlement(conn: Connection, benefit_id: int, settlement_id: int) -> Mapping[Any, Any]:
    """A settlement of this benefit."""
    where = and_(settlement.c.id == settlement_id, settlement.c.benefit_id == benefit_id)
    found = conn.execute(select(settlement).where(where)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这笔追缴或补发")
    return found


def clear(act: Act, found: Mapping[Any, Any], status: str, data: Data, said: str = "", more: Sequence[Put] = ()) -> None:
    """A settlement is over: the money came (settled), or it is not asked back (waived). `said`: why, in the words of who decided;
    personal. `more`: what else the entry writes. A benefit that waited for nothing else is closed. Raises Conflict when it is over already."""
    if found["status"] not in OWED:
        raise Conflict("这笔款项已经结清或免除", "This is settled already")
    record = act.open("benefit", found["benefit_id"] >> 16)
    personal = {f"household:{found['household_id']}": {"settlement": found["id"], "reason": said}} if said else {}
    told = {"settlement": found["id"], "status": status, **data}
    act.append(record, "settlement_cleared", told, personal=personal, puts=[Put("settlement", found["id"], {"status": status}), *more])
    if row(act.conn, found["benefit_id"])["status"] == "stopped":  # else the first of a month has nothing to do with it
        month_begins(act, record.id)


def reopen(act: Act, found: Mapping[Any, Any]) -> None:
    """Arrears that were settled are owed again: the bank took back what had been credited of them."""
    record = act.open("benefit", found["benefit_id"] >> 16)
    act.append(record, "settlement_reopened", {"settlement": found["id"]}, puts=[Put("settlement", found["id"], {"status": "found"})])


def instalments(amount_fen: int, instalment_fen: int, first_month: str) -> list[tuple[str, int]]:
    """(month, fen) of a plan: equal parts, the last one the rest. ValueError when a part is not above zero."""
    if instalment_fen <= 0:
        raise ValueError("an instalment is above zero")
    n = -(-amount_fen // instalment_fen)
    end = first_of(first_month)
    return [(f"{add_months(end, k):%Y-%m}", min(instalment_fen, amount_fen - k * instalment_fen)) for k in range(n)]


def of_settlements(conn: Connection, benefit_id: int) -> Sequence[Mapping[Any, Any]]:
    return list(
        conn.execute(select(settlement).where(settlement.c.benefit_id == benefit_id).order_by(settlement.c.id)).mappings()
    )


def retry_day(today: date) -> date:
    """When a job of a benefit that cannot be done now is tried again: the next working day."""
    return add_workdays(today, 1)


def try_again(act: Act, record_id: int, kind: str, key: str | None = None) -> None:
    """Plan a job of a benefit for the next working day; under its own `key` where somebody counts it."""
    plan(act, record_id, kind, retry_day(act.today), key)
