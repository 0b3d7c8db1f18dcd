"""收件箱: what is new, late, soon due, returned or asked of a worker, and what the bank took back of what he paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine import queries
from engine.model import SHANGHAI, Actor
from engine.office import Office
from engine.queries import Page
from processes import bank_files, notifications, payments
from web.desk import bureau, idem, me
from web.tasks import node_name

bp = Blueprint("inbox", __name__)
SOON, FIRST = timedelta(days=3), 10


@dataclass(frozen=True)
class Part:
    key: str
    count: int
    rows: list[Mapping[Any, Any]]
    view: str  # of the list of tasks that shows all of it
    more: Mapping[str, str]


@dataclass(frozen=True)
class Digest:
    since: datetime
    new: int
    parts: list[Part]
    back: Page  # credits that the bank took back, until they are credited again (decision 083)


def digest(conn: Connection, actor: Actor, office: Office) -> Digest:
    """What waits for somebody, by why it should be looked at: of his own tasks and those that he may take."""
    today, since = office.today(), _since(conn, actor, office)
    late, soon, back = queries.Filter(due_before=today), queries.Filter(due_from=today, due_before=today + SOON + timedelta(days=1)), queries.Filter(flag="returned")
    both = ("mine", "available")
    newest = sorted((row for view in both for row in queries.tasks(conn, actor, view, None, 1, FIRST, sort="newest", total=0).items if row["opened_at"] > since), key=lambda row: row["opened_at"], reverse=True)
    new = queries.arrived(conn, actor, since)
    parts = [Part("new", new, newest[:FIRST], "available", {"sort": "newest"})]
    for key, narrowed, more in (("late", late, {"due": "late"}), ("soon", soon, {"due": "soon"}), ("returned", back, {"flag": "returned"})):
        pages = [queries.tasks(conn, actor, view, narrowed, 1, FIRST) for view in both]
        parts.append(Part(key, sum(page.total for page in pages), [row for page in pages for row in page.items][:FIRST], "mine" if pages[0].total else "available", more))
    asked = queries.tasks(conn, actor, "signing", None, 1, FIRST)
    return Digest(since, new, [*parts, Part("signing", asked.total, list(asked.items), "signing", {})], payments.unsettled(conn, actor, FIRST))


def _since(conn: Connection, actor: Actor, office: Office) -> datetime:
    """When he last looked; who never did sees what is of today."""
    return notifications.seen_at(conn, actor.id) or datetime.combine(office.today(), time(), SHANGHAI)


def unread() -> int:
    """The number beside 收件箱 in the head of every page: tasks that opened since he last looked, and what the bank took back, until it is paid again."""
    if "unread" not in g:
        made = bureau()
        with made.office.read() as conn:
            g.unread = queries.arrived(conn, me(), _since(conn, me(), made.office)) + payments.unsettled(conn, me()).total
    return int(g.unread)


@bp.get("/inbox")
def show() -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        found = digest(conn, me(), made.office)
    titles = {"new": _("New since you last looked"), "late": _("Late"), "soon": _("Due within three days"), "returned": _("Sent back"), "signing": _("Your opinion is asked for")}
    return render_template("inbox.html", found=found, titles=titles, node_name=node_name, pays=not me().roles.isdisjoint(payments.MAKERS), causes=bank_files.CAUSES)


@bp.post("/inbox/seen")
def seen() -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        notifications.look(act)
    return redirect(url_for("inbox.show"))
