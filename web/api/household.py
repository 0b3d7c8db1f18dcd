"""API: households, persons, documents."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request
from flask_smorest import Blueprint

from engine.errors import NotFound
from engine.forms import Form, json_schema, understand
from processes import documents, households, readers
from processes.household_forms import AuthorizationIn, HouseholdIn, IncomeList, MemberIn, NearRelativeIn, PropertyList
from web.api import schemas
from web.api.desk import acting, body, known_id, me, paging, signed_in
from web.api.misc import load
from web.desk import bureau

blp = Blueprint("api_households", __name__, url_prefix="/api/v1", description="Households, persons, documents")


def _takes(form: type[Form]) -> Any:
    return blp.doc(requestBody={"content": {"application/json": {"schema": json_schema(form, "en")}}, "required": True})


def _understood(form: type[Form], said: Any) -> dict[str, Any]:
    return understand(form(context={"today": bureau().office.today(), "actor": me(), "facts": {}}), said)


def _visible(conn: Any, household_id: int) -> None:
    row = households.row(conn, known_id(household_id))
    if not me().covers(row["community"]):
        raise NotFound("没有这户家庭")


@blp.post("/households")
@_takes(HouseholdIn)
@blp.response(201, schemas.AnyObject)
@signed_in
def register() -> Any:
    said = body()
    with acting(said) as act:
        if (told := act.recall()) is not None:
            return told
        household_id = households.register(act, _understood(HouseholdIn, said), production=bureau().settings.production)
        made = {"id": household_id, **{"members": [m["person_id"] for m in households.members_of(act.conn, household_id)]}}
        act.remember(made)
        return made


@blp.get("/households")
@blp.response(200, schemas.AnyObject)
@signed_in
def listing() -> Any:
    """Exact ID (?id_no=) or the beginning of a name (?name=)."""
    page, size = paging()
    made = bureau()
    with made.office.read() as conn:
        found = households.search(conn, made.office.keys.on(conn), me().unit, name=request.args.get("name", "")[:60],
                                  id_no=request.args.get("id_no", "")[:40], page=page, size=size)  # fmt: skip
    return {"items": [dict(r) for r in found.items], "total": found.total, "page": page, "size": size, "pages": found.pages}


@blp.get("/households/<int:household_id>")
@blp.response(200, schemas.AnyObject)
@signed_in
def show(household_id: int) -> Any:
    made = bureau()
    with made.office.read() as conn:
        _visible(conn, household_id)
        return households.view(conn, made.office.keys.on(conn), household_id)


@blp.post("/households/<int:household_id>/members")
@_takes(MemberIn)
@blp.response(201, schemas.AnyObject)
@signed_in
def add_member(household_id: int) -> Any:
    said = body()
    with acting(said) as act:
        _visible(act.conn, household_id)
        return {"person_id": households.add_member(act, household_id, _understood(MemberIn, said), production=bureau().settings.production)}


@blp.put("/households/<int:household_id>/members/<int:person_id>/income")
@_takes(IncomeList)
@blp.response(200, schemas.AnyObject)
@signed_in
def income(household_id: int, person_id: int) -> Any:
    said = body()
    with acting(said) as act:
        _visible(act.conn, household_id)
        households.set_income(act, household_id, known_id(person_id), _understood(IncomeList, said)["income"])
    return {"household_id": household_id, "person_id": person_id}


@blp.put("/households/<int:household_id>/property")
@_takes(PropertyList)
@blp.response(200, schemas.AnyObject)
@signed_in
def set_property(household_id: int) -> Any:
    said = body()
    with acting(said) as act:
        _visible(act.conn, household_id)
        households.set_property(act, household_id, _understood(PropertyList, said)["property"])
    return {"household_id": household_id}


@blp.post("/households/<int:household_id>/near-relatives")
@_takes(NearRelativeIn)
@blp.response(201, schemas.AnyObject)
@signed_in
def near_relative(household_id: int) -> Any:
    said = body()
    with acting(said) as act:
        _visible(act.conn, household_id)
        households.declare_near_relative(act, household_id, _understood(NearRelativeIn, said))
    return {"household_id": household_id}


@blp.post("/households/<int:household_id>/authorizations")
@_takes(AuthorizationIn)
@blp.response(201, schemas.AnyObject)
@signed_in
def authorise(household_id: int) -> Any:
    said = body()
    with acting(said) as act:
        _visible(act.conn, household_id)
        data = _understood(AuthorizationIn, said)
        households.authorise(act, household_id, data["person_id"], data["signed_on"], data["valid_until"], data.get("document_id"))
    return {"household_id": household_id}


@blp.post("/households/<int:household_id>/reveal")
@blp.doc(requestBody={"content": {"application/json": {"schema": schemas.Reveal}}, "required": True})
@blp.response(200, schemas.AnyObject)
@signed_in
def reveal(household_id: int) -> Any:
    """A sealed field in plain, for a reason; the reading is recorded."""
    said = load(schemas.Reveal(), body())
    with acting(None) as act:
        _visible(act.conn, household_id)
        person = said["person_id"]
        if person is not None and person not in {m["person_id"] for m in households.members_of(act.conn, household_id)}:
            raise NotFound("这户没有这名成员")
        kind, row_id = ("person", person) if person is not None else ("household", household_id)
        return {"value": households.reveal(act, kind, row_id, said["field"], said["reason"])}


@blp.post("/households/<int:household_id>/documents")
@blp.doc(requestBody={"content": {"multipart/form-data": {"schema": {"type": "object", "properties": {
    "file": {"type": "string", "format": "binary"}, "kind": {"type": "string"}, "title": {"type": "string"}}, "required": ["file"]}}}})  # fmt: skip
@blp.response(201, schemas.AnyObject)
@signed_in
def upload(household_id: int) -> Any:
    file = request.files.get("file")
    if file is None:
        abort(422, description="缺少文件 / a file is needed")
    with acting(None) as act:
        number = documents.store(act, bureau().settings.files, known_id(household_id), request.form.get("kind", "other"),
                                 request.form.get("title") or file.filename or "", file.stream)  # fmt: skip
    return {"id": number}


@blp.get("/documents/<int:document_id>")
@blp.doc(responses={"200": {"description": "the document", "content": {"application/octet-stream": {}}}})
@signed_in
def document(document_id: int) -> Any:
    made = bureau()
    with acting(None) as act:
        data, media_type, household_id = documents.fetch(act.conn, act.keys, made.settings.files, known_id(document_id))
        unit = households.row(act.conn, household_id)["community"]
        if not me().covers(unit) and not unit.startswith(me().unit):
            raise NotFound("没有这份材料")
        readers.note(act, "document_read", {"document": document_id})
    return Response(data, mimetype=media_type)
