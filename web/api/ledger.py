"""API: 作战台账, the campaign's numbers by unit and period, with their check sums and who is counted in each."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import accountability, ledger, ledger_problems, ledger_snapshots
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.api.schemas import one_of, said_list, said_number, said_text
from web.desk import bureau

blp = Blueprint("api_ledger", __name__, url_prefix="/api/v1", description="作战台账: numbers computed from the records; none can be set by hand")


class LedgerQuery(schemas.Strict):
    unit = schemas.text("code of a district, street or community in your area; your own when left out", most=20, example="120116011")
    from_ = schemas.text("first day; the first day of the campaign when left out", most=10, example="2018-11-19", data_key="from", attribute="from")
    to = schemas.text("last day; today when left out: any day before gives the numbers of that day", most=10, example="2019-02-28")


class LedgerListQuery(schemas.Paging, LedgerQuery):
    count = one_of("persons", "households", about="what is counted; persons when left out")
    day_from = schemas.text("only what is counted by something on this day or later: a week of the trend", most=10, example="2018-12-03")
    day_to = schemas.text("or on this day or earlier", most=10, example="2018-12-09")


class LedgerMatterQuery(schemas.Paging, LedgerQuery):
    state = one_of(*ledger_problems.MATTERS, about="concluded in the period (when left out), opened in it, or open at its end")
    category = one_of(*accountability.CATEGORIES, about="of the matter")


class LedgerProblemQuery(schemas.Paging, LedgerQuery):
    type = one_of(*ledger_problems.PROBLEMS, about="of the finding")
    state = one_of(*ledger_problems.STATES, about="at the end of the period")


class LedgerBoth(schemas.Said):
    persons = said_number()
    households = said_number()


class LedgerNumber(LedgerBoth):
    number = said_text("L1, L2, L3, L4, L4a, L4b, L4c, L4d")
    name = said_text()
    zh = said_text()
    en = said_text()
    definition_zh = said_text()
    definition_en = said_text()


class LedgerCorrection(LedgerBoth):
    kind = said_text("moved_in | moved_out | listed | converted_in | converted_out | again")
    zh = said_text()
    en = said_text()


class LedgerCheck(schemas.Said):
    check = said_text("i_persons | i_households | ii_persons | ii_households | iii | iv | v | vi | vii | vii_households")
    zh = said_text()
    en = said_text()
    left = said_number()
    right = said_number()
    ok = fields.Boolean(required=True, metadata={"description": "iv and v: left is not more than right; all others: both are the same"})


class LedgerUnit(schemas.Said):
    unit = said_text()
    unit_name = said_text()
    start = said_number("persons in benefit before the period")
    end = said_number("persons in benefit at its end")
    ok = fields.Boolean(required=True, metadata={"description": "all its own check sums hold"})
    L1 = said_number()
    L2 = said_number()
    L3 = said_number()
    L4 = said_number()
    L4a = said_number()
    L4b = said_number()
    L4c = said_number()
    L4d = said_number()


class LedgerCategory(schemas.Said):
    category = said_text()
    zh = said_text()
    en = said_text()
    concluded = said_number()


class LedgerViolations(schemas.Said):
    concluded = said_number("L5: matters of accountability concluded in the period, cases and not persons: GET ledger/L5")
    opened = said_number("in the period")
    open = said_number("at its end")
    categories = said_list(LedgerCategory)
    matters = said_list(fields.Integer(), "those concluded: GET accountability/{id}")


class LedgerProblemType(schemas.Said):
    type = said_text()
    zh = said_text()
    en = said_text()
    found = said_number()


class LedgerProblems(schemas.Said):
    found = said_number("L6: findings raised in the period: GET ledger/L6")
    settled = said_number("at its end")
    overdue = said_number("neither settled nor replied to by the last day")
    types = said_list(LedgerProblemType, "auditors' findings say no type: other")
    findings = said_list(fields.Integer(), "GET findings/{id}")
    screening_findings = said_list(fields.Integer(), "of screenings: GET screenings")


class Ledger(schemas.Said):
    unit = said_text()
    unit_name = said_text()
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    numbers = said_list(LedgerNumber)
    start = fields.Nested(LedgerBoth, required=True)
    end = fields.Nested(LedgerBoth, required=True)
    corrections = said_list(LedgerCorrection)
    checks = said_list(LedgerCheck)
    ok = fields.Boolean(required=True, metadata={"description": "all check sums hold"})
    units = said_list(LedgerUnit, "the units below")
    violations = fields.Nested(LedgerViolations, required=True)
    problems = fields.Nested(LedgerProblems, required=True)


class LedgerTrigger(schemas.Said):
    what = said_text("report (the household's or somebody else's) | told (in a review) | check | tip | screening")
    day = said_text("the earliest day of all that could have brought it about")
    source = said_text("number of the case, of the complaint, or id of the screening's finding")


class LedgerPerson(schemas.Said):
    person_id = said_number("of households: the applicant")
    name = said_text("masked")
    id_no = said_text("masked", none=True)
    household_id = said_number()
    household_no = said_text()
    counts = said_number("1, or -1 of a correction that takes away")
    community = said_text("where the household lived on the day")
    day = said_text("of the decision, or on which the re-check was complete")
    case_no = said_text(none=True)
    benefit = said_text(none=True)
    benefit_id = said_number(none=True)
    exit_class = said_text("voluntary | cleared | reported | other", none=True)
    trigger = fields.Nested(LedgerTrigger, required=True, allow_none=True, metadata={"description": "of an exit: what brought it about"})
    record_id = said_number(none=True)
    entry = said_number("number of the entry in that record", none=True)


class LedgerMatter(schemas.Said):
    id = said_number("GET accountability/{id} for those who handle it")
    unit = said_text()
    state = said_text("at the end of the period: concluded | dropped | open")
    category = said_text(none=True)
    opened_on = said_text()
    concluded_on = said_text(none=True)
    cases = said_list(fields.String(), "on which it was opened")
    record_id = said_number()
    entry = said_number("by which it was concluded; opened, while it is open", none=True)


class LedgerProblem(schemas.Said):
    source = said_text("screening | audit")
    id = said_number("audit: GET findings/{id}; screening: of a screening's findings")
    type = said_text("policy | unlawful | hardship | procedure | money | other")
    unit = said_text()
    found_on = said_text()
    due_on = said_text(none=True)
    state = said_text("at the end of the period: settled | overdue | open")
    settled_on = said_text(none=True)
    household_id = said_number(none=True)
    case_no = said_text(none=True)
    record_id = said_number()
    entry = said_number("that raised it", none=True)


class SnapshotIn(schemas.Strict):
    unit = schemas.text("code of a unit for which you report; your own when left out", most=20, example="120116011")
    from_ = schemas.text("first day; that of the campaign when left out", most=10, example="2018-11-19", data_key="from", attribute="from")
    to = schemas.text("last day; today when left out", most=10, example="2019-02-20")


class SnapshotTaken(schemas.Said):
    snapshot = said_number()
    digest = said_text()
    known = fields.Boolean(required=True, metadata={"description": "the unit's last snapshot says the same already, and stands: this is it"})


class SnapshotRow(schemas.Said):
    id = said_number()
    unit = said_text()
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    taken_by = said_text()
    taken_on = said_text()
    digest = said_text("SHA-256 of unit, period, figures and who is counted")


class SnapshotSum(schemas.Said):
    number = said_text("L1 … L6")
    entered = said_number()
    left = said_number()


class Snapshot(schemas.Said):
    id = said_number()
    unit = said_text()
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    taken_by = said_text()
    taken_on = said_text()
    previous = said_number("the unit's snapshot before it", none=True)
    digest = said_text()
    intact = fields.Boolean(required=True, metadata={"description": "the digest is that of what is kept"})
    figures = fields.Nested(Ledger, required=True, metadata={"description": "as they were"})
    changes = said_list(SnapshotSum, "since the snapshot before it: GET …/changes says who")
    reproduced = fields.Boolean(required=True, metadata={"description": "the same unit and period count the same today"})
    drift = said_list(SnapshotSum, "how they do not: GET …/changes?against=now says who")


class SnapshotChange(schemas.Said):
    number = said_text()
    change = said_text("entered | left")
    why = said_text("first | happened | belated | reclassified | period | converted | moved | corrected")
    zh = said_text()
    en = said_text()
    person_id = said_number(none=True)
    name = said_text("masked", none=True)
    id_no = said_text("masked", none=True)
    item = said_text("of L5 and L6: accountability:id, screening:id, audit:id", none=True)
    household_id = said_number(none=True)
    household_no = said_text(none=True)
    day = said_text(none=True)
    case_no = said_text(none=True)


class SnapshotQuery(schemas.Paging):
    unit = schemas.text("code of one unit", most=20)


class SnapshotChangeQuery(schemas.Paging):
    against = one_of("previous", "now", about="since the snapshot before it (when left out), or from it to today")
    number = one_of(*ledger.NUMBERS, *ledger_snapshots.ITEMS, about="of this number alone")


def _wanted(conn: Any, asked: dict[str, Any]) -> ledger.Asked:
    return ledger.asked(conn, me(), asked.get("unit"), asked.get("from"), asked.get("to"), bureau().office.today())


@operation(blp, "GET", "/ledger", Ledger, asks=LedgerQuery, replies=(404,))
def show(asked: dict[str, Any]) -> Any:
    """L1 to L4 with their parts, L5 (`violations`) and L6 (`problems`), the state at both ends, corrections and check sums, and the same numbers of the units below."""
    made = bureau()
    with made.office.snapshot() as conn:
        return ledger.told(conn, _wanted(conn, asked), made.office.today())


@operation(blp, "GET", "/ledger/<number:number>", schemas.paged(LedgerPerson), asks=LedgerListQuery, replies=(404,))
def persons(number: str, asked: dict[str, Any]) -> Any:
    """Who is counted in a number (L1 … L4d), at an end of the period (`start`, `end`) or as a correction (its kind), in the order of the days, each with
    the case and the entry that says so. Names and IDs are masked."""
    made = bureau()
    with made.office.snapshot() as conn:
        found = ledger.persons_of(conn, made.office.keys.on(conn), _wanted(conn, asked), made.office.today(), number, count=asked.get("count") or "persons", days=(asked.get("day_from") or "", asked.get("day_to") or "9999"),
                                  page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "GET", "/ledger/L5", schemas.paged(LedgerMatter), asks=LedgerMatterQuery, replies=(404,))
def matters(asked: dict[str, Any]) -> Any:
    """The matters of accountability of L5, each with its entry. Who was concerned and what was decided is read at GET accountability by those who handle it."""
    with bureau().office.snapshot() as conn:
        wanted = _wanted(conn, asked)
        found = ledger_problems.matters_of(conn, wanted.unit, wanted.since, wanted.until, state=asked.get("state") or "concluded", category=asked.get("category"),
                                           page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "GET", "/ledger/L6", schemas.paged(LedgerProblem), asks=LedgerProblemQuery, replies=(404,))
def problems(asked: dict[str, Any]) -> Any:
    """The findings of L6, as they stood at the end of the period, each with its entry."""
    with bureau().office.snapshot() as conn:
        wanted = _wanted(conn, asked)
        found = ledger_problems.problems_of(conn, wanted.unit, wanted.since, wanted.until, kind=asked.get("type"), state=asked.get("state"), page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)


# -- snapshots


@operation(blp, "POST", "/ledger/snapshots", SnapshotTaken, status=201, takes=SnapshotIn, replies=(404,), example={"unit": "120116011", "from": "2018-11-19", "to": "2018-11-30"})
def take(said: dict[str, Any]) -> Any:
    """Keep the ledger as it is now, with who is counted: for a report. It never changes. 403 `snapshot` for who does not report for the unit."""
    told = once(said, lambda act: ledger_snapshots.take(act, ledger.asked(act.conn, me(), said.get("unit"), said.get("from"), said.get("to"), act.today)))
    return told, {"Location": f"/api/v1/ledger/snapshots/{told['snapshot']}"}


@operation(blp, "GET", "/ledger/snapshots", schemas.paged(SnapshotRow), asks=SnapshotQuery)
def snapshots(asked: dict[str, Any]) -> Any:
    """Snapshots of the units that you read, the newest first."""
    with bureau().office.read() as conn:
        found = ledger_snapshots.listed(conn, me(), asked.get("unit"), page=asked["page"], size=asked["size"])
    items = [{**{name: row[name] for name in ("id", "unit", "taken_by", "taken_on", "digest")}, "from": row["since"], "to": row["until"]} for row in found.items]
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "GET", "/ledger/snapshots/<row:snapshot_id>", Snapshot, replies=(404,))
def snapshot(snapshot_id: int) -> Any:
    """What a snapshot said, what is different from the one before, and whether the same question gives the same today."""
    made = bureau()
    with made.office.snapshot() as conn:
        return ledger_snapshots.told(conn, ledger_snapshots.seen(conn, me(), snapshot_id), made.office.today())


@operation(blp, "GET", "/ledger/snapshots/<row:snapshot_id>/changes", schemas.paged(SnapshotChange), asks=SnapshotChangeQuery, replies=(404,))
def changes(snapshot_id: int, asked: dict[str, Any]) -> Any:
    """Who entered and who left each number, and why. Names and IDs are masked."""
    made = bureau()
    with made.office.snapshot() as conn:
        row = ledger_snapshots.seen(conn, me(), snapshot_id)
        found = ledger_snapshots.changes_of(conn, made.office.keys.on(conn), row, made.office.today(), against=asked.get("against") or "previous", number=asked.get("number"),
                                            page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed(list(found.items), found.total, found.page, found.size)
