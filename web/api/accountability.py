"""API: 追责, matters of accountability: opened, proposed with discipline inspection, replied to, concluded."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import accountability
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.api.schemas import said_list, said_number, said_text
from web.desk import bureau

blp = Blueprint("api_accountability", __name__, url_prefix="/api/v1", description="追责: by category, with the right to reply; what is concluded counts in the ledger (L5)")


class MatterQuery(schemas.Paging):
    state = schemas.one_of(*accountability.STATES)


class MatterMoved(schemas.Said):
    matter = said_number()
    state = said_text("opened | proposed | concluded | dropped")


class MatterAnswer(schemas.Said):
    staff = said_text()
    said_on = said_text()
    late = fields.Boolean(required=True)
    text = said_text()


class Matter(schemas.Said):
    id = said_number()
    unit = said_text()
    persons = said_list(fields.String(), "logins of those concerned")
    findings = said_list(fields.Integer())
    cases = said_list(fields.String())
    facts = said_text(none=True)
    opened_by = said_text()
    opened_on = said_text()
    state = said_text("opened | proposed | concluded | dropped")
    category = said_text(" | ".join(accountability.CATEGORIES), none=True)
    sub_type = said_text(" | ".join(accountability.SUB_TYPES), none=True)
    severity = said_text("ordinary | serious", none=True)
    wrong = said_text("wrong_grant | missed", none=True)
    treatment = said_text(" | ".join(accountability.TREATMENTS), none=True)
    discipline = said_text(none=True)
    proposal = said_text(none=True)
    proposed_by = said_text(none=True)
    proposed_on = said_text(none=True)
    reply_until = said_text(none=True)
    replies = said_list(MatterAnswer)
    conclusion = said_text(none=True)
    concluded_by = said_text(none=True)
    concluded_on = said_text(none=True)
    transferred_to = said_text(none=True)
    rectified_on = said_text(none=True)
    may = said_list(fields.String(), "what you may do with it now: propose, reply, conclude, drop")


@operation(blp, "GET", "/accountability", schemas.paged(Matter), asks=MatterQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Matters of your area (supervisors, auditors), and those that concern yourself once there is a proposal; the newest first."""
    made = bureau()
    with made.office.read() as conn:
        found = accountability.listed(conn, me(), state=asked.get("state"), page=asked["page"], size=asked["size"])
        items = accountability.told(conn, made.office.keys.on(conn), found.items, me())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/accountability", MatterMoved, status=201, takes=accountability.MatterOpened,
           example={"unit": "120116011", "persons": "ann, bob", "findings": "4259841", "cases": "DB-2018-000123", "facts": "入户调查未到现场"})  # fmt: skip
def begin(said: dict[str, Any]) -> Any:
    """Open a matter on a finding or a case. 403 `role`; `own-matter` for who is concerned himself."""
    told = once(said, lambda act: accountability.open_matter(act, said))
    return told, {"Location": f"/api/v1/accountability/{told['matter']}"}


@operation(blp, "GET", "/accountability/<row:matter_id>", Matter, replies=(404,))
def show(matter_id: int) -> Any:
    """One matter. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        return accountability.told(conn, made.office.keys.on(conn), [accountability.seen(conn, me(), matter_id)], me())[0]


@operation(blp, "POST", "/accountability/<row:matter_id>/propose", MatterMoved, takes=accountability.MatterProposed, replies=(404,),
           example={"category": "objective_deviation", "severity": "ordinary", "treatment": "exempt", "discipline": "街道纪工委 王某", "proposal": "系统数据延迟所致"})  # fmt: skip
def propose(matter_id: int, said: dict[str, Any]) -> Any:
    """Category and treatment, jointly with discipline inspection. 422 for a treatment that the category does not allow; 403 `no-finding` for negligence without one."""
    return once(said, lambda act: accountability.propose(act, matter_id, said))


@operation(blp, "POST", "/accountability/<row:matter_id>/reply", MatterMoved, takes=accountability.MatterReply, replies=(404,), example={"text": "当日确已入户"})
def reply(matter_id: int, said: dict[str, Any]) -> Any:
    """Somebody concerned replies; after `reply_until` the reply says that it is late. 403 `concerned` for everybody else."""
    return once(said, lambda act: accountability.reply(act, matter_id, said))


@operation(blp, "POST", "/accountability/<row:matter_id>/conclude", MatterMoved, takes=accountability.MatterConcluded, replies=(404,), example={"conclusion": "免于追责", "rectified_on": "2019-02-20"})
def conclude(matter_id: int, said: dict[str, Any]) -> Any:
    """The treatment as proposed. 403 `own-proposal` for who proposed it, `right-of-reply` while those concerned may still reply."""
    return once(said, lambda act: accountability.conclude(act, matter_id, said))


@operation(blp, "POST", "/accountability/<row:matter_id>/drop", MatterMoved, takes=accountability.MatterDropped, replies=(404,), example={"conclusion": "问题不实"})
def drop(matter_id: int, said: dict[str, Any]) -> Any:
    """Nothing is asked of anybody; by another than who opened it (403 `own-proposal`). Does not count in L5."""
    return once(said, lambda act: accountability.drop(act, matter_id, said))
