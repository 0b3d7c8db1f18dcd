"""投诉举报 (complaints, domain 1.12): received, accepted within 15 days, investigated by two, concluded within 60 days (30 more with approval),
told to who gave his name, and acted upon.

Who complained is a record of its own (kind `complaint_reporter`), under a key of its own: no entry, page, letter or export of the case
holds it (docs/decisions/055). The drawing owns order, lanes and deadlines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, or_, select, union_all

from engine import jobs, store
from engine.cases import Cases
from engine.errors import Invalid, NotFound, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import OTHERS, SYSTEM, Actor, Data, Put
from engine.office import Act
from engine.process import Broken, CaseRef, Logins, Process
from engine.queries import within
from processes import benefits, calendar, complaint_rows, conclusions, duties, erasure, households, law, organisation, readers
from processes.complaint_forms import FORMS, PROVED, ComplaintIn
from processes.complaint_tables import complaint, complaint_reporter
from processes.event_log import midnight
from processes.tables import benefit, household, near_relative, post, staff, staff_relative, unit

KEY = "complaint"
STARTERS = frozenset({"system", "complaint_officer"})
READS = frozenset({"complaint_officer", "supervisor", "auditor"})
OFFICER = frozenset({"complaint_officer"})
REVIEW_JOB = "complaint_review"
REVIEW_OPENED = "complaint_review_opened"
_ACCEPT, _HANDLE, _MORE = 15, 60, 30  # days, as on the drawing (LXF arts 22, 34)

# -- recusal: the one complained about and his near relatives, the household's near relatives, everybody of the unit complained about

_TARGET: Any = bindparam("target_login")
_OF_TARGET = select(staff.c.id).where(staff.c.login == _TARGET).scalar_subquery()
_HIS_BLIND = select(staff.c.person_blind).where(staff.c.login == _TARGET).scalar_subquery()
_SAY_THEY = select(staff_relative.c.staff_id).where(staff_relative.c.id_blind == _HIS_BLIND)
_SAYS_HE = select(staff_relative.c.id_blind).where(staff_relative.c.staff_id == _OF_TARGET)
RECUSED: Logins = union_all(
    *households.RECUSED.selects,
    select(staff.c.login).where(staff.c.login == _TARGET),
    select(staff.c.login).where(or_(staff.c.id.in_(_SAY_THEY), staff.c.person_blind.in_(_SAYS_HE))),
    select(staff.c.login).join(post, post.c.staff_id == staff.c.id).where(post.c.active, post.c.unit == bindparam("recused_unit")),
)


def may(verb: str, node: str, role: str, actor_id: str, *, acts: Sequence[duties.HasActed], relatives: Any, facts: Mapping[str, Any], **more: Any) -> Broken | None:
    """None, or the rule that keeps somebody from a complaint (domain 5.2, 5.3.5)."""
    if actor_id == facts.get("target_login"):
        return Broken("complaint-target", "您是被举报人，应当回避，不能办理这件举报", "The complaint is about you: you may not handle it")
    if actor_id in relatives:
        return Broken("complaint-recused", "您与被举报的人员、家庭有近亲属关系，或属于被举报的单位，应当回避", "You are a near relative of who is complained about, or belong to that unit: you may not handle it")
    if broken := duties.may(verb, node, role, actor_id, acts=acts, relatives=(), facts=facts, **more):
        return broken
    if node == "investigate_cosign":
        first = [act.staff for act in acts if act.node == "investigate"]
        if first and first[-1] == actor_id:
            return Broken("two-investigators", "核查应由两人进行并分别签字，不能由同一人再次签字", "Two distinct investigators must sign")
        if facts.get("second_investigator") not in (None, actor_id):
            return Broken("named-investigator", "应由核查报告上的第二核查人本人签字", "Only the second investigator named in the report may sign")
    return None


# -- services


@gives("concluded_on", "action_review")
def act_on_finding(result: str, today: date, snapshot: Data) -> Data:
    """A re-check is opened where a complaint about a household in benefit is proved, wholly or partly."""
    return {"concluded_on": today.isoformat(), "action_review": result in PROVED and bool(snapshot["in_benefit"])}


def _in_benefit(act: Act, facts: Data) -> Data:
    home = facts.get("household_id")
    return {"in_benefit": home is not None and benefits.live(act.conn, home) is not None}


# -- the start

STARTED = ("street", "household_id", "recused_unit")


@gives(*STARTED)
def begin(act: Act, facts: Data) -> Data:
    """Where it is handled: the street of the household, of the staff's post, of the unit. Refused outside the officer's area."""
    found = _target(act.conn, facts)
    place = found.pop("place")
    handled = act.actor.post_over(place, OFFICER)
    if act.actor.id != SYSTEM.id:
        if handled is None:
            raise Refused("unit", "举报对象不在您的辖区", "That is not in your area")
        act.through(handled)
    if (number := facts.get("reporter_id")) is not None:
        _unused(act, number, place)
    return {**found, "street": place[:9]}


def _target(conn: Connection, facts: Data) -> dict[str, Any]:
    """{place, and household_id or recused_unit}; NotFound would tell who is registered, so all that is missing is refused alike."""
    missing = Refused("target", "没有这个举报对象", "There is no such household, benefit, member of staff or unit")
    kind, home = facts["target_kind"], facts.get("household_id")
    if kind == "benefit":
        home = conn.scalar(select(benefit.c.household_id).where(benefit.c.id == facts["benefit_id"]))
    if kind in ("household", "benefit"):
        place = conn.scalar(select(household.c.community).where(household.c.id == home))
        if place is None:
            raise missing
        return {"household_id": home, "place": place, "recused_unit": None}
    if kind == "staff":
        query = select(post.c.unit).join(staff, staff.c.id == post.c.staff_id).where(staff.c.login == facts["target_login"]).order_by(post.c.active.desc(), post.c.id)
        place = conn.scalar(query.limit(1))
    else:
        place = conn.scalar(select(unit.c.code).where(unit.c.code == facts["target_unit"]))
    if place is None:
        raise missing
    return {"household_id": None, "place": place, "recused_unit": place if kind == "facility" else None}


def _unused(act: Act, number: int, place: str) -> None:
    """A reporter's entry was made in this act: by `register`, or it is somebody else's."""
    row = act.conn.execute(select(complaint_reporter.c.unit).where(complaint_reporter.c.id == number)).one_or_none()
    taken = complaint_rows.by_reporter(act.conn, number) if row else None
    if row is None or taken is not None or not place.startswith(row.unit):
        raise Invalid({"reporter_id": ["没有这个举报人登记号，或已用于另一件举报"]})


def register(cases: Cases, act: Act, said: Data, reporter: Data | None, *, lang: str = "zh") -> dict[str, Any]:
    """登记举报: the reporter's entry, where he gave his name, and the case. `said`: as ComplaintIn, without reporter_id and is_named;
    `reporter`: {name, phone?, address?}; None: anonymous. Answers as `Cases.start`."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if STARTERS.isdisjoint(act.actor.roles):
        raise Refused("starter", "您的岗位不能发起这项业务", "Your post may not start this")
    known = {**said, "is_named": reporter is not None}
    if reporter is not None:
        known["reporter_id"] = _keep(act, reporter)
    return cases.start(act, KEY, known, lang=lang)


def _keep(act: Act, reporter: Data) -> int:
    """The record is closed as it is made, so that the years for which it is kept run from then (`erasure.keep_until`)."""
    record = act.new("complaint_reporter", organisation.DISTRICT, closed_at=act.now)
    record.subject = record.changes["subject"] = subject = f"{OTHERS}{record.id}.1.reporter"
    values = {"unit": organisation.DISTRICT, **{name: reporter.get(name) for name in ("name", "phone", "address")}}
    row_id = record.next_id()
    act.append(record, "reporter_kept", puts=[Put("complaint_reporter", row_id, values, subject)])
    return row_id


def reveal(act: Act, complaint_id: int, reason: str) -> dict[str, Any]:
    """Who complained, to the complaint officer of the area, with a reason; each reading is in the reader's own record. Refused to all
    others, and to whom recusal keeps from the complaint."""
    row = complaint_rows.row(act.conn, complaint_id)
    if row is None or act.actor.post_over(row["unit"], OFFICER) is None or _kept_away(act.conn, act.actor, row):
        raise Refused("reporter", "举报人身份只有投诉举报受理人可以查看", "Who complained is shown to the complaint officer only")
    if not reason.strip():
        raise Invalid({"reason": ["请写明查看原因"]})
    if row["reporter_id"] is None:
        raise NotFound("这件举报是匿名的")
    who = act.conn.execute(select(complaint_reporter).where(complaint_reporter.c.id == row["reporter_id"])).mappings().one()
    subject = f"{OTHERS}{who['id'] >> 16}.1.reporter"
    if erasure.restricted(act.conn, [subject]):
        raise Refused("restricted", "举报人的个人信息已限制处理", "The reporter's data are restricted")
    readers.note(act, "field_revealed", {"kind": "complaint_reporter", "id": who["id"], "field": "reporter", "case": row["case_no"]}, reason.strip())
    return {name: act.keys.reveal("complaint_reporter", name, who["id"], who[name]) or None if who[name] else None for name in ("name", "phone", "address")}


def _kept_away(conn: Connection, actor: Actor, row: Mapping[Any, Any]) -> bool:
    facts = {"household_id": row["household_id"], "target_login": row["target_login"], "recused_unit": row["target_unit"] if row["target_kind"] == "facility" else None}
    return actor.id == row["target_login"] or not COMPLAINT.recused_from(conn, facts).isdisjoint(actor.persons)


def opens(conn: Connection, actor: Actor, case_no: str, *, had_task: bool) -> bool:
    """Whether somebody reads a complaint's case: who handles, supervises or audits complaints there, and who had a task of it; never who
    is recused from it."""
    row = complaint_rows.of_case(conn, case_no)
    return row is not None and (had_task or actor.post_over(row["unit"], READS) is not None) and not _kept_away(conn, actor, row)


def listed(conn: Connection, actor: Actor) -> ColumnElement[bool]:
    """What a list of cases shows of complaints (a condition on `record`): those that `opens` would open as a complaint's reader, and those of
    which the actor had a task. To everybody else there are none, not even their numbers."""
    areas = actor.only(actor.roles & READS).areas
    mine = select(store.task.c.case_id).where(or_(store.task.c.assignee == actor.id, store.task.c.done_by == actor.id))
    shown = or_(within(store.record.c.unit, areas), store.record.c.id.in_(mine))
    if hidden := _hidden(conn, actor):
        shown = and_(shown, store.record.c.id.not_in(hidden))
    return or_(store.record.c.process != KEY, shown)


def _hidden(conn: Connection, actor: Actor) -> list[int]:
    """Records of complaints from which the actor is recused. Who is a near relative of nobody is asked for once, not for each complaint."""
    own = [unit_code for _role, unit_code in actor.posts]
    related = or_(near_relative.c.staff_login == actor.id, near_relative.c.staff_name == actor.name)
    known = conn.scalar(select(near_relative.c.id).where(related).limit(1)) or conn.scalar(
        select(staff.c.id).outerjoin(staff_relative, staff_relative.c.staff_id == staff.c.id).where(staff.c.login == actor.id, or_(staff_relative.c.id.is_not(None), staff.c.person_blind.is_not(None))).limit(1))
    query = select(complaint)
    if not known:
        query = query.where(or_(complaint.c.target_login == actor.id, complaint.c.target_unit.in_(own)))
    return [row["id"] >> 16 for row in conn.execute(query).mappings().all() if _kept_away(conn, actor, row)]


def refuse_kept_away(conn: Connection, actor: Actor, case_no: str) -> None:
    """Refused to whom recusal keeps from a complaint's task, also to look at it; nothing for every other case."""
    row = complaint_rows.of_case(conn, case_no) if case_no.startswith(f"{COMPLAINT.prefix}-") else None
    if row is not None and _kept_away(conn, actor, row):
        raise Refused("complaint-recused", "您应当回避这件举报，不能查看", "You are recused from this complaint")


# -- what only the tables can tell


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, _acts: Sequence[Any]) -> None:
    if node == "investigate":
        _vet_second(act, form, answers, facts)
    if node == "accept_complaint" and answers.get("target_kind"):
        found = _target(act.conn, answers)
        if not found["place"].startswith(facts["street"]):
            raise Invalid({"target_kind": [form.say("查明的对象不在本辖区，请转送", "What was found is not in this area: pass it on")]})
        known = {"household_id": found["household_id"], "target_login": answers.get("target_login"), "recused_unit": found["recused_unit"]}
        if act.actor.id in COMPLAINT.recused_from(act.conn, known):
            raise Refused("complaint-recused", "您与查明的举报对象有利害关系，应当回避", "You are recused from what was found out")


def _vet_second(act: Act, form: Form, answers: Data, facts: Data) -> None:
    """Who is named as the second can sign: an investigator over the place, whom nothing recuses. Nobody else may sign for him."""
    login = answers["second_investigator"]
    if login in facts.get("done_as", ()):
        raise Invalid({"second_investigator": [form.say("第二核查人不能是本人，也不能是委托您办理或由您代理的人", "The second investigator is neither you nor in whose place you act")]})
    found = organisation.find_actor(act.conn, login)
    if found is None or found.post_over(facts["street"], {"investigator"}) is None:
        raise Invalid({"second_investigator": [form.say("不是本辖区的核查人员", "No investigator of this area")]})
    if login == facts.get("target_login") or login in COMPLAINT.recused_from(act.conn, facts):
        raise Invalid({"second_investigator": [form.say("此人应当回避", "He is recused from this complaint")]})


# -- effects


def _after(day: str, n: int) -> str:
    """A last day, on a working day (domain 10), as the tasks' own."""
    end = date.fromisoformat(day) + timedelta(days=n)
    return max(end, calendar.add_workdays(end - timedelta(days=1), 1)).isoformat()


def _row(act: Act, case: CaseRef, **values: Any) -> list[Put]:
    row = complaint_rows.of_case(act.conn, case.no)
    return [] if row is None else [Put("complaint", row["id"], values)]


def _on_start(_act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    names = ("channel", "received_on", "is_named", "reporter_id", "target_kind", "household_id", "benefit_id", "target_login", "target_unit")
    values = {"case_no": case.no, "unit": facts["street"], **{name: facts.get(name) for name in names}, "allegation": answers["allegation"], "state": "received",
              "due_on": _after(facts["received_on"], _ACCEPT)}  # fmt: skip
    return [Put("complaint", case.next_id(), values, f"case:{case.id}")]


def _on_acceptance(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    if answers["acceptance"] != "accept":
        return _row(act, case, state="not_accepted")
    found = {name: facts.get(name) for name in ("target_kind", "household_id", "benefit_id", "target_login", "target_unit")}
    return _row(act, case, state="investigating", accepted_on=facts["accepted_on"], due_on=_after(facts["accepted_on"], _HANDLE), **found)


def _on_extension(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    return _row(act, case, due_on=_after(facts["accepted_on"], _HANDLE + _MORE)) if answers["extension"] == "agree" else []


def _on_finding(act: Act, case: CaseRef, _answers: Data, facts: Data) -> list[Put]:
    if facts["action_review"] and (found := benefits.live(act.conn, facts["household_id"])) is not None:
        jobs.plan(act.conn, REVIEW_JOB, found["id"] >> 16, str(case.id), act.now, {})  # with the benefit: this case is over, and its jobs with it
    state = "concluded" if facts["is_named"] else "closed"
    return _row(act, case, state=state, finding=facts["result"], event_on=facts.get("event_on"), concluded_on=facts["concluded_on"])


def _on_feedback(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    return _row(act, case, state="closed", feedback_on=answers["delivered_on"])


def _on_telling(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    return _row(act, case, feedback_on=answers["delivered_on"])


# -- the re-check that follows


def open_review(cases: Cases, act: Act, record_id: int, key: str) -> None:
    """The re-check of a benefit about which a complaint was proved; behind another case of the household it is tried on the next
    working day. Nothing where the benefit has ended meanwhile. `record_id`: the benefit's; `key`: the case's id, and the day of a retry."""
    case_id = int(key.partition(".")[0])
    row = complaint_rows.of_record(act.conn, case_id)
    if row is None or row["review_no"] is not None or benefits.live(act.conn, row["household_id"]) is None:
        return
    act.open("household", row["household_id"])
    if conclusions.open_case(act.conn, row["household_id"]) is not None:
        again = benefits.retry_day(act.today)
        jobs.plan(act.conn, REVIEW_JOB, record_id, f"{case_id}.{again}", midnight(again), {})
        return
    told = cases.start(act, law.procedure("review", act.today), {"household_id": row["household_id"], "occasion": "complaint", "complaint_no": row["case_no"], "note": "群众举报核查属实"})
    act.append(act.open("case", case_id), REVIEW_OPENED, {"case": told["case"]}, puts=[Put("complaint", row["id"], {"review_no": told["case"]})])


COMPLAINT = Process(
    key=KEY,
    title="投诉举报",
    title_en="Complaints",
    prefix="JB",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "complaint.bpmn")),
    start_form=ComplaintIn,
    starters=STARTERS,
    forms=FORMS,
    services={"act_on_finding": act_on_finding},
    gather={"act_on_finding": _in_benefit},
    vet=vet,
    effects={
        "start": _on_start,
        "accept_complaint": _on_acceptance,
        "approve_extension": _on_extension,
        "act_on_finding": _on_finding,
        "tell_not_accepted": _on_telling,
        "deliver_feedback": _on_feedback,
        "deliver_feedback_extended": _on_feedback,
    },
    begin=begin,
    unit_of=organisation.unit_at,
    subject=lambda _facts: "",
    recused=RECUSED,
    may=may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
