"""Pages of what people do around tasks: the forms below a task, substitutes (代理), and the tasks of leavers (离职转办)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection, select

from engine import habits, queries
from engine.errors import Conflict, EngineError, Invalid, NotFound, Refused
from engine.model import Actor
from engine.office import Act
from engine.queries import within
from engine.store import task as task_table
from processes import duties, organisation, substitutes
from processes.tables import staff
from web import wording
from web.desk import as_whom, bureau, either, idem, lang, me, new_key
from web.errors import said, status_of, words
from web.tasks import _page, node_name, seen, unchanged

bp = Blueprint("habits", __name__)

Verb = Callable[[Act, int], Any]
_AS_SEEN = frozenset({"signers", "sign", "withdraw_signer", "take_back"})  # these go by how the task stands; words and copies go with any


def _logins() -> list[str]:
    return [login.strip()[:60] for login in request.form.getlist("staff") if login.strip()]


def _sent(name: str) -> str:
    return request.form.get(name, "")


def _verbs() -> Mapping[str, Verb]:
    do = bureau().habits
    return {
        "signers": lambda act, n: do.add_signers(act, n, _sent("kind"), _logins(), _sent("question")),
        "sign": _sign,
        "withdraw_signer": lambda act, n: do.withdraw_signer(act, n, _sent("signer"), _sent("reason")),
        "urge": lambda act, n: do.urge(act, n, _sent("urging")),
        "copy": lambda act, n: do.copy(act, n, _logins()),
        "read": do.mark_read,
        "comment": lambda act, n: do.comment(act, n, _sent("text")),
        "note": lambda act, n: do.note(act, n, _sent("text")),
        "take_back": lambda act, n: do.take_back(act, n, _sent("reason")),
    }


def _sign(act: Act, task_id: int) -> Any:
    if (agrees := _sent("agrees")) not in ("true", "false"):
        raise Invalid({"agrees": [_("Say whether you agree.")]})
    return bureau().habits.sign(act, task_id, agrees=agrees == "true", words=_sent("words"), lang=lang())


@bp.post("/tasks/<int:task_id>/around")
def around(task_id: int) -> ResponseReturnValue:
    """One of the forms below a task; the pressed button says which."""
    made, verb = bureau(), request.form.get("_do", "")
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
    work = _verbs().get(verb)
    if work is None:
        raise NotFound("没有这种操作")
    who = as_whom(me(), row) if verb in ("signers", "take_back") else me()  # an opinion, a comment or a read mark is one's own
    try:
        with made.office.act(who, idem()) as act:
            unchanged(act, task_id, lambda act: work(act, task_id), any_state=verb not in _AS_SEEN)
    except Invalid as error:
        return _page(task_id, trouble=_joined(error), status=422)
    except Conflict as error:
        return _page(task_id, conflict=words(error, lang()), status=409)
    except Refused as error:
        return _page(task_id, trouble=words(error, lang()), status=403)
    flash(_("Recorded."))
    return redirect(url_for("tasks.show", task_id=task_id) + "#around")


def _joined(error: Invalid) -> str:
    return "；".join(f"{wording.HABIT_FIELDS.get(path, _('Reason') if path == 'reason' else path)}{_(': ')}{text}"
                    for path, texts in said(error, lang()).items() for text in texts)  # fmt: skip


# -- 代理


@bp.route("/substitutes", methods=["GET", "POST"])
def deputies() -> ResponseReturnValue:
    made, actor, trouble, status = bureau(), me(), "", 200
    if request.method == "POST":
        try:
            with made.office.act(actor, idem()) as act:
                if act.recall() is None:
                    act.remember({"done": _settle(act)})
            flash(_("Recorded."))
            return redirect(url_for("habits.deputies"))
        except Invalid as error:
            trouble, status = "；".join(text for texts in said(error, lang()).values() for text in texts), 422
        except (Refused, Conflict, NotFound) as error:
            trouble, status = words(error, lang()), status_of(error)
    today = made.office.today()
    with made.office.read() as conn:
        rows = [{**r, "state": substitutes.state_of(r, today), "posts": [either(*t) for t in substitutes.titles(r)]} for r in substitutes.listed(conn, actor)]
        names = wording.names_of(conn, [r[n] for r in rows for n in ("absent", "substitute", "set_by")])
        people = sorted({(p["login"], p["name"]) for p in organisation.colleagues(conn) if any(p["unit"].startswith(u) for u in actor.areas)})
    return render_template("substitutes.html", rows=rows, people=names, colleagues=people, trouble=trouble, longest=duties.LONGEST), status


def _settle(act: Act) -> int:
    if "end" in request.form:
        number = _sent("end")
        substitutes.end(act, int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0)
        return 0
    role = _sent("role")
    return substitutes.appoint(act, _sent("absent").strip()[:60] or me().id, _sent("substitute").strip()[:60], _sent("from_on").strip(), _sent("until_on").strip(),
                               _sent("reason"), [role] if role else [])  # fmt: skip


# -- 离职转办


@bp.route("/handovers", methods=["GET", "POST"])
def leavers() -> ResponseReturnValue:
    actor = me()
    if actor.roles.isdisjoint({"supervisor", "admin"}):
        raise Refused("supervisor", "离职转办由主管办理", "A supervisor hands over the tasks of a leaver")
    trouble, status, told = "", 200, []
    if request.method == "POST":
        try:
            told = _handed_over()
        except Invalid as error:
            trouble, status = "；".join(text for texts in said(error, lang()).values() for text in texts), 422
        except EngineError as error:
            trouble, status = words(error, lang()), status_of(error)
    with bureau().office.read() as conn:
        rows = of_leavers(conn, actor)
        names = wording.names_of(conn, [row["assignee"] for row in rows])
        people = sorted({(p["login"], p["name"]) for p in organisation.colleagues(conn) if any(p["unit"].startswith(u) for u in actor.areas)})
    return render_template("handovers.html", rows=rows, people=names, colleagues=people, node_name=node_name, told=told, trouble=trouble, new_key=new_key), status


def of_leavers(conn: Connection, who: Actor) -> list[Mapping[Any, Any]]:
    """Open tasks of people who are not active any more, in the area that `who` supervises or administers."""
    area = who.only({"supervisor", "admin"}).areas
    return habits.left_behind(conn, within(task_table.c.unit, area), select(staff.c.login).where(staff.c.active))


def _handed_over() -> list[dict[str, Any]]:
    """One act for each case that was ticked: what one refuses does not stop the others."""
    found, chosen = [], request.form.getlist("case")[:200]
    if not chosen:
        raise Invalid({"case": [_("Tick at least one case.")]})
    for one in chosen:
        no, _sep, who = one.partition(" ")
        with bureau().office.act(me()) as act:
            found.append(bureau().habits.hand_over(act, no, who, _sent("to").strip()[:60], _sent("reason")))
    return found
