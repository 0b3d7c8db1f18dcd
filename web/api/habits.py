"""API: what people do around a task (加签 减签 催办 抄送 办理意见 备注 拿回), substitutes (代理), tasks of leavers (离职转办)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine import habits, queries
from engine.errors import Refused
from engine.forms import Text
from engine.office import Act
from processes import duties, substitutes
from processes.organisation import ROLES
from web.api import schemas
from web.api.desk import me, named_task, once, say, spoken
from web.api.operation import operation
from web.desk import as_whom, bureau
from web.habits import of_leavers
from web.tasks import seen

blp = Blueprint("api_habits", __name__, url_prefix="/api/v1", description="Around tasks: signers, urging, copies, comments, substitutes, hand-over")

_s, _n, _many = schemas.said_text, schemas.said_number, schemas.said_list


# -- bodies


class Signers(schemas.Strict):
    kind = schemas.one_of("before", "after", required=True, about="before it is handed in: you see their opinion first; after: it takes effect when all agree")
    staff = fields.List(Text(validate=validate.Length(max=60, error="最多 60 个字")), required=True, metadata={"description": "logins, see GET staff; each once"})
    question = schemas.text("what they are asked", required=True, most=habits.LONGEST)


class Opinion(schemas.Strict):
    agrees = fields.Boolean(required=True, truthy={True}, falsy={False})
    words = schemas.text("the opinion", required=True, most=habits.LONGEST)


class SignerGone(schemas.Strict):
    staff = schemas.text("login of a signer who has not answered", required=True)
    reason = schemas.text("why", required=True, most=habits.LONGEST)


class Urging(schemas.Strict):
    words = schemas.text("what to add", most=habits.LONGEST)


class CopyTo(schemas.Strict):
    staff = fields.List(Text(validate=validate.Length(max=60, error="最多 60 个字")), required=True, metadata={"description": "logins of colleagues in whose area the case lies"})


class Words(schemas.Strict):
    text = schemas.text("what is said", required=True, most=habits.LONGEST)


class Why(schemas.Strict):
    reason = schemas.text("why", required=True, most=habits.LONGEST)


class Appointment(schemas.Strict):
    absent = schemas.text("login of who is away; you when left out")
    substitute = schemas.text("login; serves in the same unit or below it", required=True)
    from_on = schemas.text("first day", required=True, most=10, example="2018-12-03")
    until_on = schemas.text(f"last day, at most {duties.LONGEST} days in all", required=True, most=10, example="2018-12-14")
    reason = schemas.text("why", required=True, most=400)
    roles = fields.List(schemas.one_of(*ROLES), load_default=list, metadata={"description": "posts that are lent; all when left out"})


class LeaverHandOver(schemas.Strict):
    case = schemas.text("number of the case", required=True, most=40, example="DB-2018-000123")
    who = schemas.text("login of who has left", required=True)
    to = schemas.text("login of who gets the tasks", required=True)
    reason = schemas.text("why", required=True, most=habits.LONGEST)


# -- answers


class Signer(schemas.Said):
    kind = _s("before | after")
    staff = _s()
    state = _s("asked | agreed | disagreed | withdrawn")
    round = _n("handed in for the n-th time")
    asked_by = _s()
    asked_on = _s()
    question = _s()
    answered_on = _s(none=True)
    words = _s()


class Urged(schemas.Said):
    staff = _s()
    urged_on = _s()


class Copied(schemas.Said):
    staff = _s()
    sent_by = _s()
    sent_on = _s()
    read_on = _s(none=True)


class Commented(schemas.Said):
    id = _n()
    task_id = _n(none=True)
    staff = _s()
    said_at = _s()
    text = _s()


class Noted(schemas.Said):
    id = _n()
    staff = _s()
    at = _s()
    text = _s()


class HandedIn(schemas.Said):
    staff = _s()
    on_behalf_of = _s(none=True)
    answers = fields.Dict(required=True, metadata={"description": "as typed"})


class Around(schemas.Said):
    """Notes are for those who handle the case; others get null."""

    task = _n()
    handed_in = fields.Nested(HandedIn, required=True, allow_none=True, metadata={"description": "what waits for its signers"})
    signers = _many(Signer)
    urges = _many(Urged)
    copies = _many(Copied)
    comments = _many(Commented, "of the whole case: part of the file")
    notes = fields.List(fields.Nested(Noted), required=True, allow_none=True, metadata={"description": "working notes: not in the record"})


class Signed(schemas.Said):
    """Whose the task is; or, when the last signer agreed, what the completion brought about."""

    case = _s()
    task = fields.Integer()
    assignee = fields.String(allow_none=True)
    etag = fields.String()
    seq = fields.Integer()
    opened = fields.List(fields.String())
    outcome = fields.String()


class Substitution(schemas.Said):
    id = _n()
    absent = _s()
    substitute = _s()
    from_on = _s()
    until_on = _s("the last day")
    roles = _many(fields.String(), "posts that are lent; none: all")
    reason = _s(none=True)
    set_by = _s()
    ended_on = _s(none=True)
    state = _s("planned | active | over | ended")


class LeftTask(schemas.Said):
    id = _n()
    case = _s()
    node = _s()
    unit = _s()
    assignee = _s("who has left")
    due_on = _s(none=True)


class Stayed(schemas.Said):
    task = _n()
    rule = _s()
    message = _s()


class HandedOver(schemas.Said):
    case = _s()
    moved = _many(fields.Integer(), "ids of the tasks that were handed over")
    stayed = _many(Stayed, "tasks that the colleague may not get, and the rule")


# -- around a task


@operation(blp, "GET", "/tasks/<row:task_id>/around", Around, replies=(404,))
def show(task_id: int) -> Any:
    """Signers with questions and opinions, urges, copies with read marks, the case's comments, and (for handlers) its notes."""
    made = bureau()
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
        keys, case = made.office.keys.on(conn), queries.case_row(conn, row["no"])
        handles = habits.handles(case, queries.case_tasks(conn, case["id"]), me())
        notes = [{**n, "at": n["at"].isoformat()} for n in habits.notes(conn, keys, case)] if handles else None
        return {
            "task": task_id, "signers": [{**one, "words": one["words"] or ""} for one in _only(Signer, habits.opinions(conn, keys, task_id))],
            "handed_in": habits.handed_in(conn, keys, task_id), "urges": _only(Urged, habits.urges(conn, task_id)),
            "copies": _only(Copied, habits.copies(conn, task_id)), "comments": _only(Commented, habits.comments(conn, keys, case["id"])), "notes": notes,
        }  # fmt: skip


def _only(shape: type[schemas.Said], rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    names = shape._declared_fields
    return [{name: row[name] for name in names} for row in rows]


def _do(task_id: int, said: Any, verb: Callable[[Act], dict[str, Any]], *, lent: bool = False) -> dict[str, Any]:
    """A verb on a task that the caller may see. `lent`: he may do it for an absent colleague; an opinion or a comment is his own."""

    def work(act: Act) -> dict[str, Any]:
        named_task(act, task_id)
        return verb(act)

    return once(said, work, _capacity(task_id) if lent else None)


def _capacity(task_id: int) -> Any:
    with bureau().office.read() as conn:
        row = queries.task_row(conn, task_id)
    return as_whom(me(), row)


@operation(blp, "POST", "/tasks/<row:task_id>/signers", schemas.Held, takes=Signers, if_match=True, replies=(404,),
           example={"kind": "before", "staff": ["li.wei"], "question": "收入口径请把关"})  # fmt: skip
def add_signers(task_id: int, said: dict[str, Any]) -> Any:
    """加签: ask colleagues for their opinion. They are held to recusal and separation of duties, and must cover the unit."""
    return _do(task_id, said, lambda act: bureau().habits.add_signers(act, task_id, said["kind"], said["staff"], said["question"]), lent=True)


@operation(blp, "POST", "/tasks/<row:task_id>/signers/withdraw", schemas.Held, takes=SignerGone, if_match=True, replies=(404,))
def withdraw_signer(task_id: int, said: dict[str, Any]) -> Any:
    """减签: withdraw a signer who has not answered; by who asked, or a supervisor."""
    return _do(task_id, said, lambda act: bureau().habits.withdraw_signer(act, task_id, said["staff"], said["reason"]))


@operation(blp, "POST", "/tasks/<row:task_id>/sign", Signed, takes=Opinion, if_match=True, replies=(404,), example={"agrees": True, "words": "同意"})
def sign(task_id: int, said: dict[str, Any]) -> Any:
    """Your opinion as a signer. The last consent to what was handed in brings it about; one who does not agree sends it back."""
    return _do(task_id, said, lambda act: bureau().habits.sign(act, task_id, agrees=said["agrees"], words=said["words"], lang=spoken()))


@operation(blp, "POST", "/tasks/<row:task_id>/urge", schemas.Held, takes=Urging, optional=True, if_match=True, replies=(404,))
def urge(task_id: int, said: dict[str, Any]) -> Any:
    """催办: once a day for each task."""
    return _do(task_id, said, lambda act: bureau().habits.urge(act, task_id, said.get("words") or ""))


@operation(blp, "POST", "/tasks/<row:task_id>/copies", schemas.Held, takes=CopyTo, if_match=True, replies=(404,))
def copy(task_id: int, said: dict[str, Any]) -> Any:
    """抄送 to colleagues in whose area the case lies. They find it under tasks?view=copied."""
    return _do(task_id, said, lambda act: bureau().habits.copy(act, task_id, said["staff"]))


@operation(blp, "POST", "/tasks/<row:task_id>/copies/read", schemas.Held, optional=True, if_match=True, replies=(404,))
def mark_read(task_id: int) -> Any:
    """已阅: mark what was copied to you as read."""
    return _do(task_id, {}, lambda act: bureau().habits.mark_read(act, task_id))


@operation(blp, "POST", "/tasks/<row:task_id>/comments", schemas.Held, takes=Words, if_match=True, replies=(404,))
def comment(task_id: int, said: dict[str, Any]) -> Any:
    """办理意见: recorded, part of the file."""
    return _do(task_id, said, lambda act: bureau().habits.comment(act, task_id, said["text"]))


@operation(blp, "POST", "/tasks/<row:task_id>/notes", schemas.Held, takes=Words, if_match=True, replies=(404,))
def note(task_id: int, said: dict[str, Any]) -> Any:
    """备注: a working note for those who handle the case; not in the record."""
    return _do(task_id, said, lambda act: bureau().habits.note(act, task_id, said["text"]))


@operation(blp, "POST", "/tasks/<row:task_id>/take-back", schemas.Moved, takes=Why, if_match=True, replies=(404,))
def take_back(task_id: int, said: dict[str, Any]) -> Any:
    """拿回: undo your own completion, while it is the latest thing that happened and nothing came of it but tasks that nobody opened."""
    return _do(task_id, said, lambda act: bureau().habits.take_back(act, task_id, said["reason"]), lent=True)


# -- 代理


@operation(blp, "GET", "/substitutes", schemas.paged(Substitution), asks=schemas.Paging)
def substitutions(asked: dict[str, Any]) -> Any:
    """Substitutions that concern you, and of the people whom you supervise; the latest first."""
    today = bureau().office.today()
    with bureau().office.read() as conn:
        rows = [{**r, "roles": r["roles"].split(), "state": substitutes.state_of(r, today)} for r in substitutes.listed(conn, me())]
    return schemas.cut(rows, asked["page"], asked["size"])


@operation(blp, "POST", "/substitutes", schemas.Id, status=201, takes=Appointment,
           example={"substitute": "li.wei", "from_on": "2018-12-03", "until_on": "2018-12-14", "reason": "病假"})  # fmt: skip
def appoint(said: dict[str, Any]) -> Any:
    """代理: appoint a substitute for a period; the absent one himself, or his supervisor."""

    def work(act: Act) -> dict[str, Any]:
        made = substitutes.appoint(act, said.get("absent") or me().id, said["substitute"], said["from_on"], said["until_on"], said["reason"], said["roles"])
        return {"id": made}

    return once(said, work)


@operation(blp, "POST", "/substitutes/<row:substitute_id>/end", schemas.Id, optional=True, replies=(404,))
def end(substitute_id: int) -> Any:
    """End a substitution before its time, at once."""

    def work(act: Act) -> dict[str, Any]:
        substitutes.end(act, substitute_id)
        return {"id": substitute_id}

    return once({}, work)


# -- 离职转办


@operation(blp, "GET", "/handovers", schemas.paged(LeftTask), asks=schemas.Paging, replies=(403,))
def leavers(asked: dict[str, Any]) -> Any:
    """Open tasks of people who are not active any more; for supervisors and administrators."""
    if me().roles.isdisjoint({"supervisor", "admin"}):
        raise Refused("supervisor", "离职转办由主管办理", "A supervisor hands over the tasks of a leaver")
    with bureau().office.read() as conn:
        rows = [{**{k: r[k] for k in ("id", "node", "unit", "assignee", "due_on")}, "case": r["no"]} for r in of_leavers(conn, me())]
    return schemas.cut(rows, asked["page"], asked["size"])


@operation(blp, "POST", "/handovers", HandedOver, takes=LeaverHandOver, replies=(404,),
           example={"case": "DB-2018-000123", "who": "wang.fang", "to": "li.wei", "reason": "离职"})  # fmt: skip
def hand_over(said: dict[str, Any]) -> Any:
    """离职转办: the tasks of a leaver in one case to a colleague; each is checked, and what he may not get stays where it is."""
    told = once(said, lambda act: bureau().habits.hand_over(act, said["case"], said["who"], said["to"], said["reason"]))
    return {**told, "stayed": [{"task": s["task"], "rule": s["rule"], "message": say(s["zh"], s["en"])} for s in told["stayed"]]}
