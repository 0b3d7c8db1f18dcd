"""API: how the record stands, proofs, evidence to take away, and what is decided about the record itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, send_file
from flask_smorest import Blueprint
from marshmallow import ValidationError, fields, validates_schema

from engine import sealing
from engine.errors import NotFound
from processes import divergences, erasure
from processes import evidence as bundles
from web import record
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_record", __name__, url_prefix="/api/v1", description="The record: seal, proofs, evidence, differences, erasure")


class RecordState(schemas.Said):
    log = schemas._s("name of the record", example="yingbao/binhai")
    sealed = schemas._n("entries in the tree")
    waiting = schemas._n("entries that wait for it")
    oldest_seconds = schemas._n("for how long the first of them waits")
    late = schemas._b()
    checkpoint = schemas._s("C2SP signed note", none=True)
    signed_at = schemas._s(none=True)
    witnesses = fields.List(fields.String(), required=True)
    guard = fields.List(fields.String(), required=True, metadata={"description": "triggers that are missing, rights that the login should not have; empty is good"})
    key = schemas._s("public half of the signing key, name+id+base64", none=True)


class ProofQuery(schemas.Strict):
    case = schemas.text(required=True, most=40, example="DB-2018-000123")
    seq = schemas.bounded(1, 10**6, 1, "number of the entry")


class InclusionProof(schemas.Said):
    case = schemas._s()
    seq = schemas._n()
    index = schemas._n("place in the tree, from 0")
    tree_size = schemas._n()
    suite = schemas._n("1: SHA-256, 2: SM3")
    proof = fields.List(fields.String(), required=True, metadata={"description": "hex, from the leaf up (RFC 6962 2.1.1)"})
    checkpoint = schemas._s()


class EvidenceIn(schemas.Strict):
    cases = fields.List(fields.String(), required=True, metadata={"description": f"at most {bundles.MOST_CASES}", "example": ["DB-2018-000123"]})
    reason = schemas.text("kept in the reader's record", required=True, most=400, example="年度审计抽查")
    personal = fields.Boolean(load_default=True, metadata={"description": "false: payloads and attachments stay here"})


class Divergence(schemas.Said):
    id = schemas._n()
    case = schemas._s()
    result = schemas._s("different | cannot")
    entry = schemas._n(none=True)
    state = schemas._s("proposed | accepted | refused")
    proposed_by = schemas._s()
    proposed_on = schemas._s()
    settled_by = schemas._s(none=True)
    settled_on = schemas._s(none=True)
    reason = schemas._s()


class DivergenceIn(schemas.Strict):
    case = schemas.text(required=True, most=40, example="DB-2018-000123")
    reason = schemas.text(required=True, most=400, example="旧版本取整方式不同，已核实金额无误")


class DivergenceTold(schemas.Said):
    id = schemas._n()
    case = schemas._s()
    state = schemas._s()
    entry = schemas._n(none=True)


class Restriction(schemas.Said):
    id = schemas._n()
    subject = schemas._s("person:N, household:N, or other:… for who is named in an entry of a case")
    state = schemas._s("restricted | proposed | erased | lifted")
    reason = schemas._s("request | retention_over | wrong_person")
    asked_by = schemas._s()
    asked_on = schemas._s()
    decided_by = schemas._s(none=True)
    decided_on = schemas._s(none=True)
    keep_until = schemas._s("first day on which the data may be erased", none=True)


class RestrictionIn(schemas.Strict):
    person = schemas.bounded(1, 10**15, 0, "id of the person")
    subject = schemas.text("who is named in an entry of a case without being a party, as its record gives it: other:12.5.objector", most=40)
    reason = schemas.one_of(*erasure.REASONS, required=True)

    @validates_schema(skip_on_field_errors=False)
    def _one(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data.get("person")) == bool(data.get("subject")):
            raise ValidationError({"person": ["请填写人员编号或所记他人的编号其中一项"]})


class RestrictionTold(schemas.Said):
    id = schemas._n()
    subject = schemas._s()
    state = schemas._s()
    reason = schemas._s()
    keep_until = schemas._s(none=True)


@operation(blp, "GET", "/record", RecordState, replies=(403,))
def state() -> Any:
    """How the record stands: sealed, waiting, signed, guarded."""
    record.reader(me())
    with bureau().office.read() as conn:
        return record.standing(conn)


@operation(blp, "GET", "/record/checkpoint", ("text/plain",), replies=(403, 404))
def checkpoint() -> Any:
    """The newest checkpoint with the witnesses' lines: keep it where nobody of us can change it."""
    record.reader(me())
    with bureau().office.read() as conn:
        last = sealing.latest(conn)
    if last is None:
        raise NotFound("记录还没有盖封")
    return Response(last["note"], mimetype="text/plain")


@operation(blp, "GET", "/record/proof", InclusionProof, asks=ProofQuery, replies=(403, 404))
def proof(asked: dict[str, Any]) -> Any:
    """That one entry of a case stands in the tree of the newest checkpoint."""
    record.reader(me())
    with bureau().office.read() as conn:
        return record.proof(conn, me(), asked["case"], asked["seq"])


@operation(blp, "POST", "/record/evidence", ("application/zip",), takes=EvidenceIn, replies=(403, 404))
def evidence(said: dict[str, Any]) -> Any:
    """A bundle for audit_verify.py (docs/evidence.md). That it was made, and why, stands in your own record."""
    file, name = record.bundle(me(), tuple(said["cases"]), said["reason"], personal=said["personal"])
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)  # type: ignore[arg-type]


@operation(blp, "GET", "/divergences", schemas.paged(Divergence), asks=schemas.Paging, replies=(403,))
def divergence_list(asked: dict[str, Any]) -> Any:
    """Replays that differ, and what was decided about them."""
    with bureau().office.read() as conn:
        return schemas.cut(record.divergences_of(conn, record.reader(me())), asked["page"], asked["size"])


@operation(blp, "POST", "/divergences", DivergenceTold, status=201, takes=DivergenceIn, replies=(403, 404))
def divergence_propose(said: dict[str, Any]) -> Any:
    """Propose to accept how a case differs now. 409 when it replays the same."""
    return once(said, lambda act: divergences.propose(act, bureau().cases, said["case"], said["reason"]))


@operation(blp, "POST", "/divergences/<row:number>/accept", DivergenceTold, optional=True, replies=(403, 404))
def divergence_accept(number: int) -> Any:
    """Another person accepts exactly this difference."""
    return once({}, record.acts("accept", number))


@operation(blp, "POST", "/divergences/<row:number>/refuse", DivergenceTold, optional=True, replies=(403, 404))
def divergence_refuse(number: int) -> Any:
    """Another person refuses."""
    return once({}, record.acts("refuse", number))


@operation(blp, "GET", "/restrictions", schemas.paged(Restriction), asks=schemas.Paging, replies=(403,))
def restriction_list(asked: dict[str, Any]) -> Any:
    """Whose data are restricted or erased, in your area."""
    actor = record.reader(me())
    with bureau().office.read() as conn:
        return schemas.cut(record.restrictions(conn, actor), asked["page"], asked["size"])


@operation(blp, "POST", "/restrictions", RestrictionTold, status=201, takes=RestrictionIn, replies=(403, 404))
def restriction_new(said: dict[str, Any]) -> Any:
    """From now on a person's data are stored and not worked with (PIPL art 47)."""
    return once(said, lambda act: erasure.restrict(act, said.get("subject") or said["person"], said["reason"]))


@operation(blp, "POST", "/restrictions/<row:number>/lift", RestrictionTold, optional=True, replies=(403, 404))
def restriction_lift(number: int) -> Any:
    """The restriction ends."""
    return once({}, record.acts("lift", number))


@operation(blp, "POST", "/restrictions/<row:number>/propose", RestrictionTold, optional=True, replies=(403, 404))
def erasure_propose(number: int) -> Any:
    """Ask for the erasure; 409 while the record must be kept."""
    return once({}, record.acts("propose", number))


@operation(blp, "POST", "/restrictions/<row:number>/erase", RestrictionTold, optional=True, replies=(403, 404))
def erasure_decide(number: int) -> Any:
    """Another person destroys the key and blanks the rows. It cannot be undone."""
    told = once({}, record.acts("erase", number))
    record.sweep()
    return told
