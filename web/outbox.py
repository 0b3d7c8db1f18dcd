"""通知: where residents want to be told, and the outbox of messages to them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from processes import gateways, households, notifications, organisation
from web.desk import bureau, idem, me, whole
from web.leads import filled

bp = Blueprint("outbox", __name__)


@bp.get("/outbox")
def show() -> ResponseReturnValue:
    made, asked = bureau(), request.args
    args: dict[str, Any] = {name: asked[name] for name, known in (("state", notifications.STATES), ("event", notifications.EVENTS), ("channel", gateways.CHANNELS)) if asked.get(name) in known}
    with made.office.read() as conn:
        found = notifications.outbox(conn, made.office.keys.on(conn), me(), **args, page=whole(asked.get("page"), 1, 100_000))
        sums = notifications.sums(conn, me())
        places = {row["street"]: organisation.unit_name(conn, row["street"]) for row in found.items}
    return render_template("outbox.html", found=found, sums=sums, places=places, args=args, words=notifications, channels=gateways.CHANNELS, on=sorted(made.gateways))


@bp.get("/households/<int:household_id>/contacts")
def contacts(household_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        rows = notifications.contacts(conn, made.office.keys.on(conn), me(), household_id)
        house = households.row(conn, household_id)
        people = {m["person_id"]: m["name"] for m in households.members_of(conn, household_id)}
    may = me().post_over(house["community"], notifications.RECORDERS) is not None
    return render_template("contacts.html", rows=rows, house=house, people=people, may=may, channels=gateways.CHANNELS, on=sorted(made.gateways))


@bp.route("/households/<int:household_id>/contacts/new", methods=["GET", "POST"])
def agree(household_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        notifications.contacts(conn, made.office.keys.on(conn), me(), household_id)  # whoever may see them
        members = [dict(m) for m in households.members_of(conn, household_id)]
    back = url_for("outbox.contacts", household_id=household_id)
    return filled(notifications.ContactIn, _("Agreed to be told"), back, lambda act, said: notifications.agree(act, household_id, said), {"channel": "sms", "lang": "zh"}, lambda _done: back, members=members)


@bp.post("/contacts/<int:contact_id>/end")
def end(contact_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        done = notifications.switch_off(act, contact_id)
    flash(_("No more messages are sent there."))
    return redirect(url_for("outbox.contacts", household_id=done["household_id"]))
