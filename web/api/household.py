"""API: households, persons, documents."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import Response, abort, request
from flask_smorest import Blueprint
from sqlalchemy import Connection, Table, select

from engine import queries
from engine.errors import Invalid, NotFound
from engine.forms import choice, on_date
from engine.office import Act
from processes import documents, household_changes, households, readers, recusals
from processes.change_kinds import DEPARTING
from processes.household_forms import (
    AuthorizationIn,
    HardshipsIn,
    HouseholdIn,
    IncomeList,
    MemberIn,
    NearRelativeIn,
    PropertyList,
)
from processes.tables import authorization, document
from processes.tables import near_relative as near_relative_table
from web.api import schemas
from web.api.desk import caseworker, load, me, once, say
from web.api.operation import operation
from web.cases import printed, visible
from web.desk import bureau, enters

blp = Blueprint("api_households", __name__, url_prefix="/api/v1", description="Households, persons, documents")

_EXAMPLE = {
    "community": "120116011001", "hukou_kind": "urban", "address": "演示路1号", "phone": "13800138000",
    "members": [{"name": "张一", "id_no": "120116197503010011", "relation": "head", "employment": "employed", "labour_ability": "full",
                 "income": [{"kind": "wage_income", "amount_fen": "2100.00", "period": "month"}]}]}  # fmt: skip
_UPLOAD = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": "PDF, PNG or JPEG, at most 8 MB"},
                   "kind": {"type": "string", "maxLength": 30}, "title": {"type": "string", "maxLength": 120}}}  # fmt: skip
class Departed(schemas.Strict):
    on = on_date("离开日期", "Left on")
    left_reason = choice("原因", "Reason", DEPARTING, required=False)


_SHOWN = ("id", "kind", "title", "media_type", "size", "uploaded_by", "uploaded_on")


def _visible(conn: Connection, household_id: int) -> Mapping[Any, Any]:
    """For those whose area it lies in, or who have a task of a case of it; for others there is no such household."""
    row = households.row(conn, household_id)
    if readers.of_cases(me()).covers(row["community"]):
        return row
    for case in queries.cases(conn, "", subject=f"household:{household_id}", size=100).items:
        try:
            visible(conn, me(), case["no"])
        except NotFound:
            continue
        return row
    raise NotFound("没有这户家庭")


def _change(household_id: int, said: Any, work: Callable[[Act], Any]) -> dict[str, Any]:
    """One act on a household that the caller may see and change."""

    def checked(act: Act) -> dict[str, Any]:
        enters(act.conn, me(), household_id, _visible(act.conn, household_id)["community"])
        return work(act) or {"household_id": household_id}

    return once(said, checked)


@operation(blp, "POST", "/households", schemas.Registered, status=201, takes=HouseholdIn, example=_EXAMPLE)
def register(said: dict[str, Any]) -> Any:
    """Register a household, its members, income and property. Money is yuan as text, although named _fen."""

    def work(act: Act) -> dict[str, Any]:
        caseworker(said["community"])
        household_id = households.register(act, said, production=bureau().settings.production)
        return {"id": household_id, "members": [m["person_id"] for m in households.members_of(act.conn, household_id)]}

    told = once(said, work)
    return told, {"Location": f"/api/v1/households/{told['id']}"}


@operation(blp, "GET", "/households", schemas.paged(schemas.HouseholdRow), asks=schemas.HouseholdQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Households of your area: by exact ID or the beginning of a member's name."""
    return _found(asked)


@operation(blp, "POST", "/households/search", schemas.paged(schemas.HouseholdRow), takes=schemas.HouseholdSearch)
def search(said: dict[str, Any]) -> Any:
    """The same; what is looked for stays out of addresses and logs."""
    return _found(said)


def _found(asked: dict[str, Any]) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        found = households.search(conn, made.office.keys.on(conn), readers.of_cases(me()).areas, name=asked.get("name") or "", id_no=asked.get("id_no") or "",
                                  page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed([dict(r) for r in found.items], found.total, found.page, found.size)


@operation(blp, "GET", "/households/<row:household_id>", schemas.Household, replies=(404,))
def show(household_id: int) -> Any:
    """The household, its members, income and property; sealed fields masked."""
    made = bureau()
    with made.office.read() as conn:
        _visible(conn, household_id)
        return households.view(conn, made.office.keys.on(conn), household_id, on=made.office.today(), production=made.office.production)


@operation(blp, "GET", "/households/<row:household_id>/changes", schemas.HouseholdChanges, replies=(404,))
def changes(household_id: int) -> Any:
    """How its data changed, oldest first: old and new values. What is sealed is only said to have changed."""
    made = bureau()
    with made.office.read() as conn:
        _visible(conn, household_id)
        found = household_changes.of_household(conn, made.office.keys.on(conn), household_id)
    return {"items": [{"at": one.at.isoformat(), "by": one.by, "event": one.event, "lines": [asdict(line) for line in one.lines]} for one in found]}


@operation(
    blp,
    "POST",
    "/households/<row:household_id>/members",
    schemas.MemberMade,
    status=201,
    takes=MemberIn,
    replies=(404,),
)
def add_member(household_id: int, said: dict[str, Any]) -> Any:
    def work(act: Act) -> dict[str, Any]:
        return {"person_id": households.add_member(act, household_id, said, production=bureau().settings.production)}

    return _change(household_id, said, work)


@operation(blp, "POST", "/households/<row:household_id>/members/<row:person_id>/departure", schemas.HouseholdTouched, takes=Departed, replies=(404,))
def departure(household_id: int, person_id: int, said: dict[str, Any]) -> Any:
    """The member no longer belongs to the household from a day on; the head stays."""
    return _change(household_id, said, lambda act: households.end_member(act, household_id, person_id, said["on"], said.get("left_reason")))


@operation(blp, "POST", "/households/<row:household_id>/members/<row:person_id>/naming", schemas.HouseholdTouched, takes=MemberIn, replies=(404,))
def naming(household_id: int, person_id: int, said: dict[str, Any]) -> Any:
    """A member who was only counted so far (imported lists) gets a name and an ID."""

    def work(act: Act) -> None:
        households.name_member(act, household_id, person_id, said, production=bureau().settings.production)

    return _change(household_id, said, work)


@operation(
    blp,
    "PUT",
    "/households/<row:household_id>/members/<row:person_id>/income",
    schemas.HouseholdTouched,
    takes=IncomeList,
    replies=(404,),
)
def income(household_id: int, person_id: int, said: dict[str, Any]) -> Any:
    """Replace what the member declares as income."""
    return _change(household_id, said, lambda act: households.set_income(act, household_id, person_id, said["income"]))


@operation(
    blp, "PUT", "/households/<row:household_id>/property", schemas.HouseholdTouched, takes=PropertyList, replies=(404,)
)
def set_property(household_id: int, said: dict[str, Any]) -> Any:
    """Replace what the household declares as property."""
    return _change(household_id, said, lambda act: households.set_property(act, household_id, said["property"]))


@operation(
    blp, "PUT", "/households/<row:household_id>/hardships", schemas.HouseholdTouched, takes=HardshipsIn, replies=(404,)
)
def set_hardships(household_id: int, said: dict[str, Any]) -> Any:
    """Replace the hardships that the household declares; the assessment of a running case reads them."""
    return _change(household_id, said, lambda act: households.set_hardships(act, household_id, said))


@operation(
    blp,
    "POST",
    "/households/<row:household_id>/near-relatives",
    schemas.HouseholdTouched,
    status=201,
    takes=NearRelativeIn,
    replies=(404,),
)
def near_relative(household_id: int, said: dict[str, Any]) -> Any:
    """A member is a near relative of staff: he is recused."""
    return _change(household_id, said, lambda act: households.declare_near_relative(act, household_id, said))


@operation(
    blp,
    "POST",
    "/households/<row:household_id>/authorizations",
    schemas.HouseholdTouched,
    status=201,
    takes=AuthorizationIn,
    replies=(404,),
)
def authorise(household_id: int, said: dict[str, Any]) -> Any:
    """An adult member signed that registries may be asked."""

    def work(act: Act) -> None:
        households.authorise(
            act, household_id, said["person_id"], said["signed_on"], said["valid_until"], said.get("document_id")
        )

    return _change(household_id, said, work)


@operation(blp, "POST", "/households/<row:household_id>/near-relatives/<row:statement_id>/revocation", schemas.HouseholdTouched, takes=schemas.Reason, replies=(404,))
def revoke(household_id: int, statement_id: int, said: dict[str, Any]) -> Any:
    """Ask that a statement which was a mistake is taken back. The recusal holds until another person agrees."""
    return _change(household_id, said, lambda act: recusals.ask(act, household_id, statement_id, said["reason"]))


@operation(blp, "POST", "/households/<row:household_id>/near-relatives/<row:statement_id>/revocation/confirm", schemas.HouseholdTouched, replies=(404,))
def revocation_confirmed(household_id: int, statement_id: int) -> Any:
    """A street leader or supervisor, who did not ask, agrees: the recusal is over, the statement stays on the record."""
    return _second(household_id, lambda act: recusals.agree(act, household_id, statement_id))


@operation(blp, "POST", "/households/<row:household_id>/near-relatives/<row:statement_id>/revocation/refuse", schemas.HouseholdTouched, replies=(404,))
def revocation_refused(household_id: int, statement_id: int) -> Any:
    """He does not agree: the statement stands."""
    return _second(household_id, lambda act: recusals.refuse(act, household_id, statement_id))


def _second(household_id: int, work: Callable[[Act], None]) -> dict[str, Any]:
    def checked(act: Act) -> dict[str, Any]:
        _visible(act.conn, household_id)
        work(act)
        return {"household_id": household_id}

    return once({}, checked)


_STATEMENT = tuple(schemas.NearRelative._declared_fields)


@operation(blp, "GET", "/households/<row:household_id>/near-relatives", schemas.paged(schemas.NearRelative), asks=schemas.Paging, replies=(404,))
def near_relatives(household_id: int, asked: dict[str, Any]) -> Any:
    """Relatives among staff and committees that were declared or found (N220 art 14)."""
    return _rows_of(household_id, near_relative_table, _STATEMENT, asked)


@operation(blp, "GET", "/households/<row:household_id>/authorizations", schemas.paged(schemas.Authorised), asks=schemas.Paging, replies=(404,))
def authorisations(household_id: int, asked: dict[str, Any]) -> Any:
    """Who signed that registries may be asked, when, until when, and the signed page."""
    return _rows_of(household_id, authorization, ("id", "person_id", "signed_on", "valid_until", "document_id"), asked)


def _rows_of(household_id: int, table: Table, names: Sequence[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    with bureau().office.read() as conn:
        _visible(conn, household_id)
        rows = conn.execute(select(table).where(table.c.household_id == household_id).order_by(table.c.id)).mappings().all()
    return schemas.cut([{name: row[name] for name in names} for row in rows], asked["page"], asked["size"])


@operation(blp, "GET", "/households/<row:household_id>/sheets/<name:kind>", ("text/html",), replies=(403, 404))
def sheet(household_id: int, kind: str) -> Any:
    """A sheet for paper, prefilled, before there is a case: application, declaration, authorisation."""
    made = bureau()
    with made.office.read() as conn:
        caseworker(_visible(conn, household_id)["community"])
        house = households.view(conn, made.office.keys.on(conn), household_id)
    return printed(kind, house)


@operation(blp, "POST", "/households/<row:household_id>/reveal", schemas.Revealed, takes=schemas.Reveal, replies=(404,))
def reveal(household_id: int, said: dict[str, Any]) -> Any:
    """A sealed field in plain, for a reason; every reading is recorded, a repeat too."""
    person = said["person_id"]
    with bureau().office.act(me()) as act:  # no idempotency key: the answer must not be kept in clear
        _visible(act.conn, household_id)
        if person is not None and person not in {m["person_id"] for m in households.members_of(act.conn, household_id)}:
            raise NotFound("这户没有这名成员")
        kind, row_id = ("person", person) if person is not None else ("household", household_id)
        return {"value": households.reveal(act, kind, row_id, said["field"], said["reason"])}


# -- documents


@operation(
    blp,
    "POST",
    "/households/<row:household_id>/documents",
    schemas.Id,
    status=201,
    sent=_UPLOAD,
    media="multipart/form-data",
    replies=(400, 404, 413, 415),
)
def upload(household_id: int) -> Any:
    """Keep a scan or photo: PDF, PNG or JPEG by its first bytes, at most 8 MB."""
    data, kind, title = _uploaded()
    made = bureau()
    with made.office.read() as conn:
        enters(conn, me(), household_id, _visible(conn, household_id)["community"])
    staged = documents.stage(made.office, me(), made.settings.files, household_id, io.BytesIO(data))

    def work(act: Act) -> dict[str, Any]:
        return {"id": documents.keep(act, staged, kind, title)}

    return _change(household_id, [kind, title, hashlib.sha256(data).hexdigest()], work)


def _uploaded() -> tuple[bytes, str, str]:
    if request.mimetype != "multipart/form-data":
        abort(415, description=say("请以 multipart/form-data 提交", "Send multipart/form-data"))
    if unknown := sorted({*request.form, *request.files} - {"file", "kind", "title"}):
        raise Invalid({unknown[0][:60]: [say("没有这一项", "Unknown field")]})
    file = request.files.get("file")
    if file is None or len(request.files.getlist("file")) > 1:
        raise Invalid({"file": [say("请选择一个文件", "One file is needed")]})
    told = load(
        schemas.Upload,
        {"kind": request.form.get("kind", "other"), "title": request.form.get("title") or file.filename or "file"},
    )
    return file.stream.read(documents.MAX_BYTES + 1), told["kind"], told["title"]


@operation(
    blp,
    "GET",
    "/households/<row:household_id>/documents",
    schemas.paged(schemas.DocumentRow),
    asks=schemas.Paging,
    replies=(404,),
)
def listed_documents(household_id: int, asked: dict[str, Any]) -> Any:
    with bureau().office.read() as conn:
        _visible(conn, household_id)
        rows = conn.execute(
            select(document).where(document.c.household_id == household_id).order_by(document.c.id)
        ).mappings()
        return schemas.cut([{k: r[k] for k in _SHOWN} for r in rows], asked["page"], asked["size"])


@operation(blp, "GET", "/documents/<row:document_id>", ("application/pdf", "image/png", "image/jpeg"), replies=(404,))
def document_bytes(document_id: int) -> Any:
    """The file; the reading stands in your own record."""
    made = bureau()
    with made.office.act(me()) as act:
        household_id = act.conn.scalar(select(document.c.household_id).where(document.c.id == document_id))
        if household_id is None:
            raise NotFound("没有这份材料")
        _visible(act.conn, household_id)
        data, media_type, _ = documents.fetch(act.conn, act.keys, made.settings.files, document_id)
        readers.note(act, "document_read", {"document": document_id})
    headers = {
        "Content-Disposition": f'attachment; filename="document-{document_id}"',
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(data, mimetype=media_type, headers=headers)
