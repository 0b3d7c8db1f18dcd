"""复议与诉讼: what a household does against a decision, what the body makes of it, and what the district owes after it (domain 2.7; S11).

An appeal is a record of its own, tied to the letter by which the decision was told: the decision's case or benefit is not changed by
it. Nothing decides by itself: "revoked and redo" and "changed" leave a flag (`follow`) until somebody names the new case, or an
approver decides anew on the benefit, with what is paid later for months that are over (docs/decisions/042). Objections to a check
and during a notice are no appeals; they are worked inside the case. This module opens no transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from engine import store
from engine.cases import acts_of
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form, choice, document, number, on_date, text
from engine.forms import money as yuan_field
from engine.model import SHANGHAI, Actor, Data, Put
from engine.office import Act, Record
from engine.queries import Page, case_row, case_tasks, within
from processes import benefit_acts, benefits, calendar, deliveries, documents, duties, erasure, households, law, readers
from processes.appeal_tables import appeal
from processes.benefit_act_tables import benefit_proposal, standard_batch, standard_result
from processes.benefits import Change
from processes.case_tables import letter
from processes.letters import REVIEW_BY_GOVERNMENT_ONLY, chinese_date
from processes.tables import benefit

HANDLERS = frozenset({"complaint_officer", "district_examiner", "supervisor"})  # who keeps the appeal's record
DECIDERS = frozenset({"approver"})  # who decides anew after it
KINDS = {"review": ("行政复议", "Administrative review"), "suit": ("行政诉讼", "Lawsuit")}
BODIES = {"district_government": ("滨海新区人民政府", "Binhai government"), "city_bureau": ("天津市民政局", "Tianjin civil affairs bureau"),
          "court": ("人民法院", "Court")}  # fmt: skip
OUTCOMES = {"maintained": ("维持", "Maintained"), "redo": ("撤销并责令重新作出", "Revoked, to be decided anew"), "changed": ("变更", "Changed")}
STATES = {"lodged": ("已提出，待受理", "Lodged"), "accepted": ("已受理，审理中", "Accepted"), "rejected": ("不予受理", "Rejected"),
          "withdrawn": ("已撤回", "Withdrawn"), **OUTCOMES}  # fmt: skip
UNDECIDED = ("lodged", "accepted")
MOST = 2000  # characters of what is written


class AppealLodged(Form):
    """提起: an administrative review is asked for, or the household goes to court."""

    kind = choice("类型", "Kind", [(code, *words) for code, words in KINDS.items()])
    body = choice("受理机关", "Body", [(code, *words) for code, words in BODIES.items()])
    lodged_on = on_date("提出日期", "Lodged on")
    lodged_by = text("提出人（姓名、与申请人的关系）", "By whom (name, relation to the applicant)", max=100)
    grounds = text("请求和理由", "What is asked, and why", max=MOST, widget="textarea")
    document = document("申请书或应诉通知书（扫描件）", "Application or summons (scan)")


class AppealAccepted(Form):
    """受理."""

    accepted_on = on_date("受理日期", "Accepted on")


class AppealRejected(Form):
    """不予受理."""

    decided_on = on_date("决定日期", "Rejected on")
    received_on = on_date("申请人收到日期", "Received by the household on", required=False)
    summary = text("理由", "Reason", max=MOST, widget="textarea")
    decision_document = document("决定书（扫描件）", "Decision (scan)")


class AppealExtended(Form):
    """延长审理期限."""

    days = number("延长天数", "Days more")


class AppealDecided(Form):
    """复议决定或判决."""

    outcome = choice("结果", "Outcome", [(code, *words) for code, words in OUTCOMES.items()])
    decided_on = on_date("决定（判决）日期", "Decided on")
    received_on = on_date("申请人收到日期", "Received by the household on", required=False)
    decision_no = text("文号", "Number", max=60)
    summary = text("决定内容和理由", "What was decided, and why", max=MOST, widget="textarea")
    decision_document = document("决定书（判决书）扫描件", "Decision (scan)")


class AppealWithdrawn(Form):
    """撤回."""

    decided_on = on_date("撤回日期", "Withdrawn on")
    summary = text("说明", "Note", required=False, max=MOST, widget="textarea")


class AppealRedone(Form):
    """重新办理: the case in which it was, or is, decided anew."""

    case_no = text("重新办理的个案号", "Number of the new case", max=40)


class AppealRedress(Form):
    """执行复议决定或判决: the district decides on the benefit anew; months that are over are paid later."""

    amount_fen = yuan_field("每月金额", "Yuan a month")
    from_month = text("应自何月起执行", "From which month it should have counted", max=7, hint="如 2019-02", hint_en="Like 2019-02")
    opinion = text("意见", "Opinion", max=500, widget="textarea")


# -- the acts


def lodge(act: Act, letter_id: int, said: Data) -> dict[str, Any]:
    """Record that a household appeals against the decision of a letter; `said` as `AppealLodged` understood it. Raises Refused
    `appeal-late` after the last day, which counts from the proven delivery; `no-remedy`, `review-pending`, `suit-pending`, `body`."""
    row = _letter(act.conn, letter_id)
    house = households.row(act.conn, row["household_id"])
    if not of_appeals(act.actor).covers(house["community"]):
        raise NotFound("没有这份文书")
    _handler(act, house["community"], row)
    if row["kind"] not in deliveries.WITH_REMEDIES:
        raise Refused("no-remedy", "这份文书不是可以申请行政复议、提起行政诉讼的决定", "This letter tells no decision that can be appealed")
    erasure.refuse_restricted(act.conn, house["id"])
    earlier = of_letter(act.conn, letter_id)
    _fits(act, row, earlier, said)
    last = last_day(row, earlier, str(said["kind"]), str(said["lodged_on"]))
    if last is not None and said["lodged_on"] > last:
        raise _late(row, str(said["kind"]), last)
    subject = f"household:{house['id']}"
    record = act.new("appeal", house["community"], subject=subject)
    row_id = record.next_id()
    values = {
        "letter_id": letter_id, "household_id": house["id"], "case_no": row["case_no"], "benefit_id": _benefit_of(act.conn, letter_id), "unit": house["community"],
        "kind": said["kind"], "body": said["body"], "lodged_on": said["lodged_on"], "lodged_by": said["lodged_by"], "grounds": said["grounds"],
        "document": said.get("document"), "last_day": last, "recorded_by": act.actor.id, "state": "lodged",
    }  # fmt: skip
    told = {"letter": letter_id, "case": row["case_no"], "kind": said["kind"], "delivered_on": row["delivered_on"], "last_day": last}
    act.append(record, "appeal_lodged", told, puts=[Put("appeal", row_id, values, subject)])
    return _moved(row_id, "lodged")


def accept(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """The body accepts it: a review is decided within 60 days from here (LFY art 31)."""
    record, row = _opened(act, appeal_id, ("lodged",))
    _days(act, row, said, "accepted_on", row["lodged_on"], AppealAccepted)
    due = _after(str(said["accepted_on"]), "appeal_decision_days") if row["kind"] == "review" else None
    return _change(act, record, row, "accepted", {"accepted_on": said["accepted_on"], "due_on": due})


def extend(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """The body of a review takes longer, once, 30 days at most (LFY art 31)."""
    record, row = _opened(act, appeal_id, ("accepted",))
    if row["kind"] != "review" or row["due_on"] is None:
        raise Refused("extension", "只有行政复议可以登记延长审理期限", "Only a review's time is extended")
    if row["extended_days"]:
        raise Conflict("已经延长过一次", "It was extended once already")
    most = int(law.value("appeal_extension_days", date.fromisoformat(row["accepted_on"])).amount)
    if not 1 <= int(said["days"]) <= most:
        raise Invalid({"days": [f"应在 1 至 {most} 之间"]})
    due = (date.fromisoformat(row["due_on"]) + timedelta(days=int(said["days"]))).isoformat()
    return _change(act, record, row, "accepted", {"due_on": due, "extended_days": said["days"]}, "appeal_extended")


def reject(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """The body does not accept it."""
    record, row = _opened(act, appeal_id, ("lodged",))
    _days(act, row, said, "decided_on", row["lodged_on"], AppealRejected)
    return _change(act, record, row, "rejected", {**_paper(said), "summary": said["summary"], "outcome_by": act.actor.id})


def withdraw(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """Who lodged it takes it back before it is decided."""
    record, row = _opened(act, appeal_id, UNDECIDED)
    _days(act, row, said, "decided_on", row["accepted_on"] or row["lodged_on"], AppealWithdrawn)
    return _change(act, record, row, "withdrawn", {"decided_on": said["decided_on"], "summary": said.get("summary"), "outcome_by": act.actor.id})


def decide(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """The body's decision, or the judgment: maintained, redo, changed. The last two leave a flag for the district; nothing else changes."""
    record, row = _opened(act, appeal_id, ("accepted",))
    _days(act, row, said, "decided_on", row["accepted_on"], AppealDecided)
    outcome = str(said["outcome"])
    values = {**_paper(said), "decision_no": said["decision_no"], "summary": said["summary"], "outcome_by": act.actor.id,
              "follow": None if outcome == "maintained" else "open"}  # fmt: skip
    return _change(act, record, row, outcome, values)


def redone(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """Name the case of the same household in which it is decided anew: opened after the outcome, and another than the appealed one."""
    record, row = _owed(act, appeal_id)
    _handler(act, row["unit"], _letter(act.conn, row["letter_id"]))
    no = str(said["case_no"]).strip().upper()
    try:
        case = case_row(act.conn, no)
    except NotFound:
        raise Invalid({"case_no": ["没有这件个案"]}) from None
    if case["subject"] != f"household:{row['household_id']}" or no == row["case_no"]:
        raise Invalid({"case_no": ["应为同一家庭另行办理的个案"]})
    if case["opened_at"].astimezone(SHANGHAI).date().isoformat() < row["decided_on"]:
        raise Invalid({"case_no": [f"应在决定日期（{row['decided_on']}）之后立案"]})
    values = {"follow": "done", "followed_by": act.actor.id, "followed_on": act.today.isoformat(), "followed_case": no}
    return _change(act, record, row, row["state"], values, "appeal_redone")


def redress(act: Act, appeal_id: int, said: Data) -> dict[str, Any]:
    """An approver, another than who decided first and than who recorded the outcome, decides anew on the household's live benefit:
    the amount counts from the month after (domain 2.9); what the months from `from_month` until then were paid too little becomes a
    settlement of arrears, to the fen, less what was found for them before (decision 021). The household gets it in writing."""
    record, row = _owed(act, appeal_id)
    told = _letter(act.conn, row["letter_id"])
    if act.actor.post_over(row["unit"], DECIDERS) is None:
        raise Refused("role", "只有区级审批人可以作出执行决定", "Only approvers of the district decide anew")
    _handler(act, row["unit"], told, DECIDERS)
    if act.actor.id == row["outcome_by"]:
        raise Refused("four-eyes", "登记结果的人不能作出执行决定（双人规则）", "Who recorded the outcome does not decide anew")
    found = benefits.live(act.conn, row["household_id"])
    if found is None:
        raise Conflict("这户没有正在享受的待遇：先重新办理个案，批准后再补发", "The household has no live benefit: a new case comes first, arrears after its grant")
    change, right = _right(act, found, told, said)
    over = benefits.overpaid(act.conn, found["id"], right)
    known = benefits.charged(act.conn, found["id"], over)
    owed = {month: known.get(month, 0) - fen for month, fen in over.items() if known.get(month, 0) - fen > 0}
    if not owed and change.kind == "keep":
        raise Refused("nothing-changes", "金额没有变化，也没有应补发的款项", "Neither the amount changes nor is anything owed")
    adjustment = benefits.decide(act, found["id"], change, str(said["opinion"]))
    benefits.settle(act, found["id"], benefits.number(found["id"]), "appeal", {month: -fen for month, fen in owed.items()})
    _tell(act, row, found, change, owed, str(said["opinion"]))
    values = {"follow": "done", "followed_by": act.actor.id, "followed_on": act.today.isoformat(), "adjustment_id": adjustment}
    return {**_change(act, record, row, row["state"], values, "appeal_redressed"), "adjustment_id": adjustment, "arrears_fen": sum(owed.values())}


def _right(act: Act, found: Mapping[Any, Any], told: Mapping[Any, Any], said: Data) -> tuple[Change, dict[str, int]]:
    """The decision on the benefit, and what was right for each month before it counts."""
    first, fen = str(said["from_month"]), int(said["amount_fen"])
    month = max(benefits.month_after(act.today), str(found["amount_from"] or found["first_payment_month"]))
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", first):
        raise Invalid({"from_month": ["月份应写作 2019-02"]})
    if not told["issued_on"][:7] <= first <= month:
        raise Invalid({"from_month": [f"应在 {told['issued_on'][:7]} 至 {month} 之间"]})
    if fen < found["amount_fen"]:
        raise Refused("redress-lower", "执行复议决定、判决不减少救助金额；应当减少的另行复核", "An appeal makes nobody's amount smaller: that is for a review")
    ends = found["status"] == "suspended" and told["kind"] == "suspension"
    kind = "resume" if ends else "increase" if fen > found["amount_fen"] else "keep"
    change = Change(kind, "appeal", month, amount_fen=fen, law_version=law.version(act.today), recount=False)
    return change, {one: fen for one in benefits.months(first, month) if one < month}


def _tell(act: Act, row: Mapping[Any, Any], found: Mapping[Any, Any], change: Change, owed: Mapping[str, int], opinion: str) -> None:
    house = households.row(act.conn, row["household_id"])
    record = act.open("benefit", found["id"] >> 16)
    facts = {"household_id": house["id"], "street": house["street"], "community": house["community"]}
    said = {
        "before_category": found["category"], "before_fen": found["amount_fen"], "amount_fen": change.amount_fen, "from_month": change.from_month, "opinion": opinion,
        "appealed": f"{BODIES[row['body']][0]}{chinese_date(row['decided_on'])}{'行政复议决定' if row['kind'] == 'review' else '行政判决'}（{row['decision_no']}）",
        "arrears_fen": sum(owed.values()), "arrears_months": sorted(owed), "no_label": "待遇编号", "resumes": change.kind == "resume",
    }  # fmt: skip
    act.append(record, "appeal_redressed", {"appeal": row["id"]}, puts=[benefit_acts.letter_of(act, record, "redress", facts, said)])


def _change(act: Act, record: Record, row: Mapping[Any, Any], state: str, values: Data, event: str = "") -> dict[str, Any]:
    act.append(record, event or f"appeal_{state}", {"case": row["case_no"]}, puts=[Put("appeal", row["id"], {"state": state, **values}, str(record.subject))])
    return _moved(row["id"], state)


def _moved(appeal_id: int, state: str) -> dict[str, Any]:
    return {"appeal": appeal_id, "state": state}


def _paper(said: Data) -> dict[str, Any]:
    return {name: said.get(name) for name in ("decided_on", "received_on", "decision_document")}


# -- who may, and when


def _handler(act: Act, unit: str, told: Mapping[Any, Any], roles: frozenset[str] = HANDLERS) -> None:
    """Who decided handles no appeal against it, nor does a near relative (domain 5.3, 5.4)."""
    post = act.actor.post_over(unit, roles)
    if post is None:
        raise Refused("role", "行政复议、诉讼由投诉受理人、区级审查人或监督主管登记办理", "Complaint officers, examiners of the district and supervisors handle appeals")
    broken = duties.may_handle_appeal(act.actor.id, deciders=deciders(act.conn, told), relatives=households.recused_staff(act.conn, told["household_id"]))
    if broken:
        raise Refused(broken.rule, broken.zh, broken.en)
    act.through(post)


def deciders(conn: Connection, told: Mapping[Any, Any]) -> frozenset[str]:
    """Who made the decision that a letter tells: of a case those of its deciding steps, of an act on a benefit or a batch who confirmed it."""
    found = {told["issued_by"]}
    owner = told["id"] >> 16
    if conn.scalar(select(store.record.c.kind).where(store.record.c.id == owner)) == "case":
        found |= {one.staff for one in acts_of(None, case_tasks(conn, owner)) if one.node in duties.DECIDED}
    found.update(conn.scalars(select(benefit_proposal.c.settled_by).where(benefit_proposal.c.letter_id == told["id"])))
    batch = select(standard_batch.c.settled_by).join(standard_result, standard_result.c.batch_id == standard_batch.c.id)
    found.update(conn.scalars(batch.where(standard_result.c.letter_id == told["id"])))
    return frozenset(who for who in found if who)


def _fits(act: Act, row: Mapping[Any, Any], earlier: Sequence[Mapping[Any, Any]], said: Data) -> None:
    kind, body = said["kind"], said["body"]
    wrong = documents.foreign(act.conn, AppealLodged(), said, row["household_id"])
    if said["lodged_on"] < row["issued_on"]:
        wrong["lodged_on"] = [f"不能早于文书日期（{row['issued_on']}）"]
    if (kind == "suit") != (body == "court"):
        wrong["body"] = ["行政诉讼向人民法院提起，行政复议向复议机关申请"]
    if act.office.production and not said.get("document"):
        wrong["document"] = ["请附申请书或应诉通知书的扫描件"]
    if wrong:
        raise Invalid(wrong)
    if body == "city_bureau" and (row["issued_on"] >= REVIEW_BY_GOVERNMENT_ONLY or _by_the_street(act.conn, row)):
        raise Refused("body", "对这项决定应向滨海新区人民政府申请行政复议", "A review of this decision is asked for at the government of Binhai")
    if any(one["kind"] == kind and one["state"] not in ("rejected", "withdrawn") for one in earlier):
        raise Conflict(f"对这项决定已经登记过{KINDS[str(kind)][0]}", "Such an appeal against this decision is recorded already")
    if kind == "review" and any(one["kind"] == "suit" and one["state"] != "withdrawn" for one in earlier):
        raise Refused("suit-pending", "已经提起行政诉讼，不能再申请行政复议", "It is before the court: no review any more")
    for one in earlier:
        pending = one["state"] == "lodged" or (one["state"] == "accepted" and said["lodged_on"] <= one["due_on"])
        if kind == "suit" and one["kind"] == "review" and pending:
            raise Refused("review-pending", "行政复议正在进行，复议期限内不能提起行政诉讼", "A review is under way: no lawsuit within its time")


def _by_the_street(conn: Connection, row: Mapping[Any, Any]) -> bool:
    """Whether the street confirmed it itself: as the letter says, one body alone reviews that."""
    return any(one["node"] == "street_confirmation" and one["state"] == "done" for one in case_tasks(conn, row["id"] >> 16))


def _late(row: Mapping[Any, Any], kind: str, last: str) -> Refused:
    return Refused("appeal-late", f"已超过{KINDS[kind][0]}期限：文书 {row['delivered_on']} 送达，最后一日为 {last}",
                   f"Too late: delivered on {row['delivered_on']}, the last day was {last}")  # fmt: skip


def last_day(row: Mapping[Any, Any], earlier: Sequence[Mapping[Any, Any]], kind: str, on: str) -> str | None:
    """Until when an appeal of this kind may be lodged against a letter; None while nothing runs: the delivery is not proven, or the day
    on which the household got the review's decision is not known. A lawsuit after a review: 15 days from its receipt, or from the end
    of the time in which the body did not decide (LXS art 45); after a rejected one the direct way stays open besides."""
    direct = deliveries.last_days(row["kind"], row["delivered_on"], row["issued_on"])["review_until" if kind == "review" else "suit_until"]
    reviews = [one for one in earlier if one["kind"] == "review" and one["state"] != "withdrawn"]
    if kind == "review" or not reviews:
        return direct
    last = reviews[-1]
    from_day = last["due_on"] if last["state"] == "accepted" and on > last["due_on"] else last["received_on"]
    after = deliveries.open_day(date.fromisoformat(_after(from_day, "suit_after_review_days"))) if from_day else None
    return max(day for day in (after, direct) if day) if last["state"] == "rejected" and after and direct else direct if last["state"] == "rejected" else after


def _after(day: str, rule: str) -> str:
    found = date.fromisoformat(day)
    return (found + timedelta(days=int(law.value(rule, found).amount))).isoformat()


def _days(act: Act, row: Mapping[Any, Any], said: Data, name: str, since: str, form: type[Form]) -> None:
    """The day is not before the step before it; papers are the household's own, and in production the decision is scanned."""
    wrong = documents.foreign(act.conn, form(), said, row["household_id"])
    if said[name] < since:
        wrong[name] = [f"不能早于 {since}"]
    if (said.get("received_on") or said[name]) < said[name]:
        wrong["received_on"] = [f"不能早于决定日期（{said[name]}）"]
    if act.office.production and "decision_document" in form().fields and not said.get("decision_document"):
        wrong["decision_document"] = ["请附决定书的扫描件"]
    if wrong:
        raise Invalid(wrong)


def _opened(act: Act, appeal_id: int, states: Sequence[str]) -> tuple[Record, Mapping[Any, Any]]:
    """The appeal, locked, for one of its handlers."""
    seen(act.conn, act.actor, appeal_id)
    record = act.open("appeal", appeal_id >> 16)
    row = _row(act.conn, appeal_id)
    _handler(act, row["unit"], _letter(act.conn, row["letter_id"]))
    if row["state"] not in states:
        raise Conflict(f"这项复议或诉讼的状态是“{STATES[row['state']][0]}”，不能这样办理", f"It is {STATES[row['state']][1].lower()}: this cannot be done now")
    return record, row


def _owed(act: Act, appeal_id: int) -> tuple[Record, Mapping[Any, Any]]:
    seen(act.conn, act.actor, appeal_id)
    record = act.open("appeal", appeal_id >> 16)
    row = _row(act.conn, appeal_id)
    if row["follow"] != "open":
        raise Conflict("这项复议或诉讼没有待办的后续处理", "Nothing is owed after this appeal")
    return record, row


# -- looking


def of_appeals(actor: Actor) -> Actor:
    """The actor in the posts in which he reads appeals: those who read cases and opinions."""
    found = readers.of_cases(actor)
    return found.only(found.roles - {"means_checker"})


def _row(conn: Connection, appeal_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(appeal).where(appeal.c.id == appeal_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这项复议或诉讼")
    return found


def seen(conn: Connection, actor: Actor, appeal_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    found = _row(conn, appeal_id)
    if not of_appeals(actor).covers(found["unit"]):
        raise NotFound("没有这项复议或诉讼")
    return found


def _letter(conn: Connection, letter_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(letter).where(letter.c.id == letter_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这份文书")
    return found


def _benefit_of(conn: Connection, letter_id: int) -> int | None:
    """The benefit in whose own record the letter stands."""
    first = letter_id >> 16 << 16
    found: int | None = conn.scalar(select(benefit.c.id).where(benefit.c.id.between(first, first | 65535)))
    return found


def of_letter(conn: Connection, letter_id: int) -> Sequence[Mapping[Any, Any]]:
    return conn.execute(select(appeal).where(appeal.c.letter_id == letter_id).order_by(appeal.c.id)).mappings().all()


def may_lodge(actor: Actor, letter_row: Mapping[Any, Any], unit: str) -> bool:
    """Whether a page offers it: a letter with remedies, for one of the handlers."""
    return letter_row["kind"] in deliveries.WITH_REMEDIES and actor.post_over(unit, HANDLERS) is not None


_OPEN = or_(appeal.c.state.in_(UNDECIDED), appeal.c.follow == "open")


def waiting(conn: Connection, actor: Actor) -> int:
    """How many wait for what the district owes after them."""
    areas = actor.only(HANDLERS | DECIDERS).areas
    if not areas:
        return 0
    return conn.scalar(select(func.count()).select_from(appeal).where(appeal.c.follow == "open", within(appeal.c.unit, areas))) or 0


def listed(conn: Connection, actor: Actor, *, state: str | None = None, case_no: str | None = None, benefit_id: int | None = None,
           page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """The appeals that the actor reads, those that are nearest to a last day first. `state`: one of STATES; "open": undecided, or
    something is owed after it; "owed": the latter alone."""
    where: list[ColumnElement[bool]] = [within(appeal.c.unit, of_appeals(actor).areas)]
    if case_no:
        where.append(appeal.c.case_no == case_no)
    if benefit_id:  # also against the letters of its grant and its re-checks
        found = benefits.row(conn, benefit_id)
        cases = {one["case_no"] for one in benefits.history_of(conn, benefit_id) if one["case_no"]} | {found["case_no"]}
        where.append(or_(appeal.c.benefit_id == benefit_id, and_(appeal.c.household_id == found["household_id"], appeal.c.case_no.in_(sorted(filter(None, cases))))))
    if state:
        where.append(_OPEN if state == "open" else appeal.c.follow == "open" if state == "owed" else appeal.c.state == state)
    total = conn.scalar(select(func.count()).select_from(appeal).where(*where)) or 0
    order = (func.coalesce(appeal.c.follow, "") != "open", appeal.c.state.not_in(UNDECIDED), func.coalesce(appeal.c.due_on, appeal.c.lodged_on), appeal.c.id)
    query = select(appeal).where(*where).order_by(*order).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


_SHOWN = ("id", "letter_id", "case_no", "benefit_id", "household_id", "unit", "kind", "body", "lodged_on", "document", "last_day", "recorded_by", "state", "accepted_on",
          "due_on", "extended_days", "decided_on", "received_on", "decision_no", "decision_document", "outcome_by", "follow", "followed_by", "followed_on", "followed_case",
          "adjustment_id")  # fmt: skip


def told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Appeals in JSON. waits_until, days_left: the body's next last day and calendar days until then (below zero: over), while it is
    undecided; suit_until: the last day to go to court after a review; may: what the actor can do now."""
    return [_told(conn, keys, row, actor, today) for row in rows]


def _told(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], actor: Actor, today: date) -> dict[str, Any]:
    decision = _letter(conn, row["letter_id"])
    until = row["due_on"] if row["state"] == "accepted" else _checked_by(row) if row["state"] == "lodged" and row["kind"] == "review" else None
    again = last_day(decision, [row], "suit", today.isoformat()) if row["kind"] == "review" and row["state"] not in UNDECIDED else None
    sealed = {name: keys.reveal("appeal", name, row["id"], row[name]) if row[name] else None for name in ("lodged_by", "grounds", "summary")}
    return {**{name: row[name] for name in _SHOWN}, **sealed, "letter_kind": decision["kind"], "letter_number": decision["number"], "delivered_on": decision["delivered_on"],
            "waits_until": until, "days_left": (date.fromisoformat(until) - today).days if until else None, "suit_until": again,
            "may": _may(conn, row, decision, actor)}  # fmt: skip


def _checked_by(row: Mapping[Any, Any]) -> str:
    lodged = date.fromisoformat(row["lodged_on"])
    return calendar.add_workdays(lodged, int(law.value("appeal_check_workdays", lodged).amount)).isoformat()


def _may(conn: Connection, row: Mapping[Any, Any], decision: Mapping[Any, Any], actor: Actor) -> list[str]:
    steps = {"lodged": ["accept", "reject", "withdraw"], "accepted": ["outcome", "extend", "withdraw"]}.get(row["state"], [])
    if row["kind"] == "suit" or row["extended_days"]:
        steps = [one for one in steps if one != "extend"]
    owed = row["follow"] == "open"
    if not steps and not owed:
        return []
    if duties.may_handle_appeal(actor.id, deciders=deciders(conn, decision), relatives=households.recused_staff(conn, row["household_id"])):
        return []
    handles, decides = actor.post_over(row["unit"], HANDLERS) is not None, actor.post_over(row["unit"], DECIDERS) is not None
    return [*(steps if handles else []), *(["redone"] if owed and handles else []), *(["redress"] if owed and decides and actor.id != row["outcome_by"] else [])]
