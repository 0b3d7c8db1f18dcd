"""API: notifications — a worker's inbox, where residents want to be told, and the outbox."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.forms import Whole
from processes import notifications
from web import inbox
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_notifications", __name__, url_prefix="/api/v1", description="Inbox of a worker; messages to residents who agreed, by SMS and e-mail")
_s, _n, _l = schemas.said_text, schemas.said_number, schemas.said_list


class ContactRow(schemas.Said):
    id = _n()
    household_id = _n()
    person_id = _n()
    channel = _s("sms | email")
    address = _s("masked")
    lang = _s("zh | en")
    active = fields.Boolean(required=True)
    agreed_on = _s()
    ended_on = _s(none=True)


class ContactMade(schemas.Said):
    contact = _n()
    household_id = _n()


class OutboxRow(schemas.Said):
    id = _n()
    household_id = _n()
    street = _s()
    channel = _s("sms | email")
    event = _s(" | ".join(notifications.EVENTS))
    lang = _s("zh | en")
    address = _s("masked")
    state = _s(" | ".join(notifications.STATES))
    why = _s(" | ".join(notifications.WHY), none=True)
    made_at = _s()
    sent_at = _s(none=True)
    receipt = _s("of the gateway", none=True)
    digest = _s("sha256 of the text; the text itself is not kept")


class OutboxPage(schemas.paged(OutboxRow)):  # type: ignore[misc]
    sums = fields.Dict(required=True, keys=fields.String(), values=fields.Integer(), metadata={"description": "state -> how many"})
    channels = _l(fields.String(), "that are switched on")


class OutboxQuery(schemas.Paging):
    state = schemas.one_of(*notifications.STATES)
    event = schemas.one_of(*notifications.EVENTS)
    channel = schemas.one_of("sms", "email")
    household_id = Whole()


class InboxPart(schemas.Said):
    key = _s("new | late | soon | returned | signing")
    count = _n("up to 5,000")
    tasks = _l(fields.Integer(), "the first ten: GET tasks/{id}")


class InboxTold(schemas.Said):
    since = _s("when you last looked; what opened after it is new")
    new = _n("tasks that opened since; with `taken_back`, what the badge shows")
    parts = _l(InboxPart)
    taken_back = _n("credits that the bank took back where you are finance officer, until they are credited again: GET payments-taken-back?waiting=true; 0 for other posts")


class InboxSeen(schemas.Said):
    new = _n()


@operation(blp, "GET", "/inbox", InboxTold)
def show() -> Any:
    """Your digest: new since you last looked, late, due within three days, returned to you, where your opinion is asked for, and for finance officers what the bank took back (decision 083)."""
    made = bureau()
    with made.office.read() as conn:
        found = inbox.digest(conn, me(), made.office)
    return {"since": found.since.isoformat(), "new": found.new, "parts": [{"key": part.key, "count": part.count, "tasks": [row["id"] for row in part.rows]} for part in found.parts],
            "taken_back": found.back.total}  # fmt: skip


@operation(blp, "POST", "/inbox/seen", InboxSeen, takes=schemas.Nothing, example={})
def seen(said: dict[str, Any]) -> Any:
    """You have looked: nothing is new. What the bank took back stays until it is credited again."""

    def work(act: Any) -> dict[str, Any]:
        notifications.look(act)
        return {"new": 0}

    return once(said, work)


@operation(blp, "GET", "/households/<row:household_id>/contacts", schemas.paged(ContactRow), asks=schemas.Paging, replies=(404,))
def contacts(household_id: int, asked: dict[str, Any]) -> Any:
    """Where members of a household want to be told, the latest first."""
    made = bureau()
    with made.office.read() as conn:
        return schemas.cut(notifications.contacts(conn, made.office.keys.on(conn), me(), household_id), asked["page"], asked["size"])


@operation(blp, "POST", "/households/<row:household_id>/contacts", ContactMade, status=201, takes=notifications.ContactIn, example={"person_id": 17, "channel": "sms", "address": "13800138000"}, replies=(404,))
def agree(household_id: int, said: dict[str, Any]) -> Any:
    """A member agreed to be told at this number or address; it takes the place of his earlier one of that channel."""
    return once(said, lambda act: notifications.agree(act, household_id, said))


@operation(blp, "POST", "/contacts/<row:contact_id>/end", ContactMade, takes=schemas.Nothing, example={}, replies=(404,))
def end(contact_id: int, said: dict[str, Any]) -> Any:
    """He wants no more messages there; what waits is not sent."""
    return once(said, lambda act: notifications.switch_off(act, contact_id))


@operation(blp, "GET", "/outbox", OutboxPage, asks=OutboxQuery, replies=(403,))
def outbox(asked: dict[str, Any]) -> Any:
    """Messages to residents, the latest first, for administrators and supervisors: what, when and whether, never the text. What failed for good is an incident (GET incidents)."""
    made = bureau()
    with made.office.read() as conn:
        found = notifications.outbox(conn, made.office.keys.on(conn), me(), state=asked.get("state"), event=asked.get("event"), channel=asked.get("channel"), household_id=asked.get("household_id"), page=asked["page"], size=asked["size"])
        sums = notifications.sums(conn, me())
    return {**schemas.listed(list(found.items), found.total, found.page, found.size), "sums": sums, "channels": sorted(made.gateways)}
