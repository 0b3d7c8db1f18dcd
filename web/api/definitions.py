"""API: versions of drawings, tables and law files (propose, compare, try, confirm), and running cases put on another drawing."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from engine.office import Act
from processes import case_migrations, definitions, dry_run
from web import definitions as shared
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.api.schemas import Said, _b, _many, _n, _s
from web.desk import bureau

blp = Blueprint("api_definitions", __name__, url_prefix="/api/v1", description="Deployed definitions and migrations of running cases")


class DefinitionText(schemas.Strict):
    name = schemas.text("the file's name: a law file is known by it (parameters.yaml); drawings and tables are known by what they hold", most=100, example="dibao-2012.bpmn")
    text = fields.String(required=True, validate=validate.Length(1, shared.MOST_TEXT, error=f"最多 {shared.MOST_TEXT} 个字"), metadata={"description": "BPMN, DMN or YAML, kept byte by byte (UTF-8)"})


class DefinitionProposal(DefinitionText):
    reason = schemas.text("why", required=True, most=definitions.MOST_WORDS)


class DefinitionConfirmation(schemas.Strict):
    from_on = schemas.text("first day on which it counts; from tomorrow when left out, and not earlier", most=10, example="2019-01-01")


class DefinitionWithdrawal(schemas.Strict):
    reason = schemas.text("why", required=True, most=definitions.MOST_WORDS)


class DefinitionFinding(Said):
    rule = _s()
    element = _s("id of the element, or name of the value")
    line = _n()
    message = _s()
    message_en = _s()
    advice = _s("what to do instead")
    advice_en = _s()


class DefinitionCheck(Said):
    kind = _s("drawing | table | law")
    key = _s("process, table or law file")
    sha256 = _s()
    findings = _many(DefinitionFinding, "none: it may be proposed")


class DefinitionNumber(Said):
    number = _n()


class Definition(Said):
    number = _n()
    kind = _s("drawing | table | law")
    key = _s("process, table or law file")
    sha256 = _s("of its text; of a law file, of the text as it is kept")
    before = _s("sha256 of the version that it was proposed to follow")
    reason = _s()
    state = _s("proposed | confirmed | withdrawn")
    from_on = _s("first day on which it counts", none=True)
    proposed_by = _s()
    proposed_on = _s()
    settled_by = _s("who confirmed or withdrew it", none=True)
    settled_on = _s(none=True)


class DefinitionDifference(Said):
    part = _s("node | flow | lane | head | column | row | value")
    id = _s()
    change = _s("added | removed | changed")
    before = fields.Dict(required=True, metadata={"description": "name -> text, of what differs"})
    after = fields.Dict(required=True)


class DefinitionWhole(Definition):
    differences = _many(DefinitionDifference)
    findings = _many(DefinitionFinding, "of a proposal, as the installed program sees it now")


class Installed(Said):
    kind = _s()
    key = _s()
    sha256 = _s()
    number = _n("of its deployment; none: it comes with the program", none=True)
    from_on = _s(none=True)


class InstalledList(Said):
    items = _many(Installed)


class DefinitionQuery(schemas.Paging):
    kind = schemas.one_of(*definitions.KINDS)
    key = schemas.text("process, table or law file")
    state = schemas.one_of(*definitions.STATES)


class DryRunQuery(schemas.Strict):
    last = schemas.bounded(1, dry_run.MOST, dry_run.LAST, "how many of the cases that finished last")


class TriedCase(Said):
    case = _s()
    result = _s("same | different | cannot")
    entry = _n("the first one that differs, or cannot be done", none=True)
    why = _s("of cannot; empty, like what follows, where you do not read the case")
    why_en = _s()
    recorded = _s()
    computed = _s()


class DryRun(Said):
    same = _n()
    different = _n()
    cannot = _n()
    items = _many(TriedCase)


_ENDS = {name: schemas.text(about, required=True, most=64) for name, about in (("from", "drawing: sha256 or its beginning (8 or more), number of a deployment, or `program`"), ("to", "named in the same way"))}
MigrationQuestion: type[Schema] = type("MigrationQuestion", (schemas.Strict,), {"process": schemas.text("key of a process", required=True, example="dibao-2012"), **_ENDS})
MigrationProposal: type[Schema] = type("MigrationProposal", (MigrationQuestion,), {"ground": schemas.text("the legal ground", required=True, most=definitions.MOST_WORDS)})


class MigrationHindrance(Said):
    node = _s("id of the element, or empty")
    zh = _s()
    en = _s()


class MigrationVerdict(Said):
    case = _s()
    can = _b()
    why = _many(MigrationHindrance, "what keeps it where it is")


class MigrationTried(Said):
    cases = _n()
    can = _n()
    items = _many(MigrationVerdict)


CaseMigration: type[Schema] = type("CaseMigration", (Said,), {
    "number": _n(), "process": _s(), "from": _s("sha256"), "to": _s("sha256"), "ground": _s(), "state": _s("proposed | confirmed | withdrawn"), "cases": _n("in the dry run"),
    "can": _n("of these"), "moved": _n(), "stays": _n("something keeps it where it is"), "waits": _n("for a worker"), "ended": _n("before it could move"), "proposed_by": _s(), "proposed_on": _s(),
    "settled_by": _s(none=True), "settled_on": _s(none=True)})  # fmt: skip


class MigrationItem(Said):
    case = _s()
    state = _s("waits | moved | stays")
    moved_on = _s(none=True)
    why = _many(MigrationHindrance)


class MigrationItemQuery(schemas.Paging):
    state = schemas.one_of("waits", "moved", "stays")


def _findings(found: Any) -> list[dict[str, Any]]:
    return [{"rule": f.rule, "element": f.element, "line": f.line, "message": f.message_zh, "message_en": f.message_en, "advice": f.advice_zh, "advice_en": f.advice_en} for f in found]


@operation(blp, "GET", "/definitions", schemas.paged(Definition), asks=DefinitionQuery, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Proposals and versions, the newest first."""
    shared.reads(me())
    with bureau().office.read() as conn:
        found = definitions.listed(conn, kind=asked.get("kind"), key=asked.get("key"), state=asked.get("state"), page=asked["page"], size=asked["size"])
    return schemas.listed([shared.told(row) for row in found.items], found.total, found.page, found.size)


@operation(blp, "GET", "/definitions/installed", InstalledList, replies=(403,))
def installed() -> Any:
    """Everything that can be deployed, with the version in force today."""
    shared.reads(me())
    made = bureau()
    with made.office.read() as conn:
        rows = definitions.installed(conn, made.cases, made.office.today())
    return {"items": [{"sha256": row.pop("digest"), **row} for row in rows]}


@operation(blp, "POST", "/definitions/check", DefinitionCheck, takes=DefinitionText)
def check(said: dict[str, Any]) -> Any:
    """What the lint and the installed module have against a text. Nothing is kept."""
    shared.reads(me())
    made = bureau()
    with made.office.read():
        found = definitions.understood(made.cases, said["text"].encode(), said.get("name", ""), made.office.today())
    return {"kind": found.kind, "key": found.key, "sha256": found.digest, "findings": _findings(found.findings)}


@operation(blp, "POST", "/definitions", DefinitionNumber, status=201, takes=DefinitionProposal)
def propose(said: dict[str, Any]) -> Any:
    """An administrator of the district proposes a version; 422 with `errors.text`, line by line, when lint or module have something against it."""
    told = once(said, lambda act: definitions.propose(act, bureau().cases, said["text"].encode(), said.get("name", ""), said["reason"]))
    return told, {"Location": f"/api/v1/definitions/{told['number']}"}


@operation(blp, "GET", "/definitions/<row:number>", DefinitionWhole, replies=(403, 404))
def show(number: int) -> Any:
    """A version, and what it changes in the one that it follows."""
    shared.reads(me())
    made = bureau()
    with made.office.read() as conn:
        row = definitions.row(conn, number)
        changes = definitions.compared(conn, made.cases, row)
        return {**shared.told(row), "differences": [shared.difference(one) for one in changes], "findings": _findings(shared.findings_of(conn, row))}


@operation(blp, "GET", "/definitions/<row:number>/text", ("application/xml", "text/plain"), replies=(403, 404))
def text(number: int) -> Any:
    """The file as it was handed in."""
    shared.reads(me())
    return shared.text_file(number)


@operation(blp, "GET", "/definitions/<row:number>/dry-run", DryRun, asks=DryRunQuery, replies=(403, 404))
def tried(number: int, asked: dict[str, Any]) -> Any:
    """The last finished cases under this version, in memory: same, different at an entry, or cannot, because."""
    shared.reads(me())
    made = bureau()
    with made.office.snapshot() as conn:
        found = dry_run.run(conn, made.office.keys.on(conn), made.cases, definitions.row(conn, number), asked["last"])
    return {**dry_run.counts(found), "items": [shared.verdict(me(), one) for one in found]}


@operation(blp, "POST", "/definitions/<row:number>/confirmation", DefinitionNumber, takes=DefinitionConfirmation, replies=(404,))
def confirm(number: int, said: dict[str, Any]) -> Any:
    """A supervisor or approver of the district puts it in force; rule `four-eyes`: not who proposed it."""
    return once(said, lambda act: definitions.confirm(act, bureau().cases, number, shared.day_of(said.get("from_on"))))


@operation(blp, "POST", "/definitions/<row:number>/withdrawal", DefinitionNumber, takes=DefinitionWithdrawal, replies=(404,))
def withdraw(number: int, said: dict[str, Any]) -> Any:
    """Before it is confirmed; once it is, only by who may confirm, before its first day."""
    return once(said, lambda act: definitions.withdraw(act, number, said["reason"]))


# -- migrations


@operation(blp, "POST", "/case-migrations/dry-run", MigrationTried, takes=MigrationQuestion, replies=(404,))
def look(said: dict[str, Any]) -> Any:
    """A verdict for each running case on that drawing; nothing is written."""
    shared.reads(me())
    made = bureau()
    here, there = shared.wanted(said["process"], said["from"], said["to"])
    found = case_migrations.look(made.office, made.cases, said["process"], here, there)
    return {"cases": len(found), "can": sum(one.can for one in found), "items": [shared.looked(one) for one in found]}


@operation(blp, "POST", "/case-migrations", DefinitionNumber, status=201, takes=MigrationProposal, replies=(404,))
def propose_migration(said: dict[str, Any]) -> Any:
    """An administrator of the district proposes it, on its legal ground; the cases of the dry run are listed with it."""
    made = bureau()
    here, there = shared.wanted(said["process"], said["from"], said["to"])
    found = case_migrations.look(made.office, made.cases, said["process"], here, there)

    def work(act: Act) -> dict[str, Any]:
        return case_migrations.propose(act, made.cases, said["process"], here, there, said["ground"], found)

    told = once(said, work)
    return told, {"Location": f"/api/v1/case-migrations/{told['number']}"}


@operation(blp, "GET", "/case-migrations", schemas.paged(CaseMigration), asks=schemas.Paging, replies=(403,))
def migrations(asked: dict[str, Any]) -> Any:
    """The newest first."""
    shared.reads(me())
    with bureau().office.read() as conn:
        found = case_migrations.listed(conn, asked["page"], asked["size"])
        rows = [shared.moved_told(row, case_migrations.progress(conn, row["id"])) for row in found.items]
    return schemas.listed(rows, found.total, found.page, found.size)


@operation(blp, "GET", "/case-migrations/<row:number>", CaseMigration, replies=(403, 404))
def migration(number: int) -> Any:
    """How far it is."""
    shared.reads(me())
    with bureau().office.read() as conn:
        return shared.moved_told(case_migrations.row(conn, number), case_migrations.progress(conn, number))


@operation(blp, "GET", "/case-migrations/<row:number>/items", schemas.paged(MigrationItem), asks=MigrationItemQuery, replies=(403, 404))
def items(number: int, asked: dict[str, Any]) -> Any:
    """Its cases, and what became of them."""
    shared.reads(me())
    with bureau().office.read() as conn:
        case_migrations.row(conn, number)
        found = case_migrations.items(conn, number, state=asked.get("state"), page=asked["page"], size=asked["size"])
    return schemas.listed([shared.item(row) for row in found.items], found.total, found.page, found.size)


@operation(blp, "POST", "/case-migrations/<row:number>/confirmation", DefinitionNumber, takes=schemas.Nothing, optional=True, replies=(404,))
def confirm_migration(number: int, said: dict[str, Any]) -> Any:
    """A supervisor or approver of the district agrees; rule `four-eyes`. Workers move the cases, each in an act of its own."""
    return once(said, lambda act: case_migrations.confirm(act, number))


@operation(blp, "POST", "/case-migrations/<row:number>/withdrawal", DefinitionNumber, takes=DefinitionWithdrawal, replies=(404,))
def withdraw_migration(number: int, said: dict[str, Any]) -> Any:
    """Before it is confirmed."""
    return once(said, lambda act: case_migrations.withdraw(act, number, said["reason"]))
