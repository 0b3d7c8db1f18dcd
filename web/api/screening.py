"""API: 摸底排查 — visits, their findings, coverage — and 附件1, 附件2."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine.errors import Invalid, NotFound
from engine.forms import Whole
from processes import annexes, readers, screening, screening_apply, screening_findings, screening_plans
from processes.screening_forms import POPULATIONS, RectificationChecked, Rectified, ScreeningIn
from web.annexes import XLSX, made_for, sent
from web.api import schemas
from web.api.cases import START_EXAMPLE, StartCase
from web.api.desk import me, once, spoken
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau
from web.screening import AT_ONCE, confirm_all

blp = Blueprint("api_screening", __name__, url_prefix="/api/v1", description="全面摸底排查: visits, findings, coverage, annexes")
_s, _n = schemas.said_text, schemas.said_number
FROM_VISIT = {"type": "object", "required": ["process", "answers"], "additionalProperties": False,
              "properties": {"process": {"type": "string", "description": "of an application, see GET processes"}, "answers": {"type": "object", "description": "as of POST cases; `household_id` may be left out"}}}  # fmt: skip
_CODES = tuple(code for code, _zh, _en in POPULATIONS)
_EXAMPLE = {"household_id": 7, "population": "in_benefit", "visited_on": "2018-12-03", "second_visitor": "wang", "met_person": "户主", "causes": ["illness"], "assistance": ["medical"], "result": "true",
            "still_hardship": True, "hardship_text": "大病自费", "relative_of_staff": False, "relatives_on_assistance": False,
            "findings": [{"kind": "policy_not_implemented", "text": "未享受取暖补贴", "due_on": "2018-12-20"}]}  # fmt: skip


def _yes(about: str = "", *, none: bool = False) -> fields.Boolean:
    return fields.Boolean(required=True, allow_none=none, metadata={"description": about} if about else {})


class ScreeningFindingRow(schemas.Said):
    id = _n()
    kind = _s("policy_not_implemented | unlawful_benefit | outstanding_hardship")
    text = _s()
    found_on = _s()
    due_on = _s("by when it is put right; of the first two kinds", none=True)
    referred_to = _s("social help; of the third", none=True)
    state = _s("open | done | verified")
    done_on = _s(none=True)
    done_by = _s(none=True)
    done_text = _s(none=True)
    proof_id = _n("a document of the household", none=True)
    outcome = _s("of social help: helped | partly | none", none=True)
    verified_by = _s("who verified it, or sent it back", none=True)
    verified_on = _s(none=True)
    verify_text = _s(none=True)
    sent_back = _n("how often it went back to be put right")
    unfounded = _yes("as said when it was done: there was nothing to put right", none=True)
    case_no = _s("the case whose tasks it is worked by; none: found before there was the process", none=True)
    late = _yes("open past its day")
    may = schemas.said_list(fields.String(), "what you may do now: rectify, verify")


class ScreeningFindingListed(ScreeningFindingRow):
    screening_id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s()


class ScreeningFindingQuery(schemas.Paging):
    list = schemas.one_of(*screening_findings.LISTS, about="overdue: open past its day")
    kind = schemas.one_of(*screening_findings.KINDS)
    unit = schemas.text("code of a unit: it and those below it", most=20)


class ScreeningRow(schemas.Said):
    id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    street = _s()
    community = _s()
    population = _s(" | ".join(_CODES))
    visited_on = _s()
    first_visitor = _s("who entered it")
    second_visitor = _s("who confirms it")
    companions = _s(none=True)
    met_person = _s("null: brought in from an annex", none=True)
    causes = schemas.said_list(fields.String())
    assistance = schemas.said_list(fields.String(), "besides dibao, low-income relief and destitute support")
    result = _s("true | changed | untrue; this and the next are null where they came from annex 2, which does not ask", none=True)
    result_text = _s(none=True)
    still_hardship = _yes(none=True)
    hardship_text = _s(none=True)
    relative_of_staff = _yes(none=True)
    relatives_on_assistance = _yes(none=True)
    qualifies = _yes("of who is not in benefit", none=True)
    state = _s("recorded | confirmed")
    confirmed_on = _s(none=True)
    lead_id = _n("the lead of who qualifies", none=True)
    policy_explained = _yes(none=True)
    leaflet_given = _yes(none=True)
    entered_by = _s("who brought it in from an annex, where he is no visitor: then both visitors confirm", none=True)
    first_confirmed_on = _s(none=True)
    case_no = _s("the application that was begun from the visit", none=True)
    findings = schemas.said_list(ScreeningFindingRow)
    may = schemas.said_list(fields.String(), "what you may do now: confirm, apply")


class ScreeningMoved(schemas.Said):
    screening = _n()
    state = _s()
    lead = _n("of who qualifies", none=True)


class ScreeningFindingMoved(schemas.Said):
    finding = _n()
    state = _s()


class ScreeningQuery(schemas.Paging):
    population = schemas.one_of(*_CODES)
    state = schemas.one_of(*screening.STATES)
    finding = schemas.one_of(*screening.FINDING_STATES, about="with a finding in this state")
    household_id = Whole()
    mine = schemas.one_of("true", "false", about="only those that wait for your own confirmation")
    unit = schemas.text("code of a unit: it and those below it", most=20)


class CoverageNumbers(schemas.Said):
    to_screen = _n("households")
    screened = _n("of them, by a confirmed visit")
    percent = fields.Float(required=True, allow_none=True, metadata={"description": "one decimal, never rounded up to 100; null: nobody is to be screened"})


class CoverageRow(schemas.Said):
    community = _s()
    in_benefit = fields.Nested(CoverageNumbers, required=True)
    refused_2018 = fields.Nested(CoverageNumbers, required=True)
    elsewhere = _n("households of the elderly, disabled and gravely ill not in benefit that were visited")


class Coverage(schemas.Said):
    since = _s()
    on = _s()
    target = _n("per cent of the households in benefit")
    total = fields.Nested(CoverageRow, required=True, metadata={"description": "of all these communities; `community` is the unit that was asked for, or empty"})
    communities = schemas.said_list(CoverageRow)


class CoverageQuery(schemas.Strict):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)
    since = schemas.text("ISO day; left out: 2018-11-19", most=10)


class MissingQuery(CoverageQuery):
    population = schemas.one_of("in_benefit", "refused_2018", about="left out: in_benefit")
    page = schemas.bounded(1, schemas.MAX_PAGE, 1, "first page is 1")
    size = schemas.bounded(1, schemas.MAX_SIZE, 25, f"at most {schemas.MAX_SIZE}")


class MissingRow(schemas.Said):
    household_id = _n()
    household_no = _s()
    applicant = _s("masked")
    street = _s()
    community = _s()
    plan_id = _n("the latest plan that it is in", none=True)
    first = _s("login of the first visitor", none=True)
    second = _s(none=True)
    visit_on = _s(none=True)


class AnnexQuery(schemas.Strict):
    unit = schemas.text("code of a district, street or community; may be left out by who has one area", most=20, example="120116001")
    on = schemas.text("ISO day; left out: today", most=10)
    full = schemas.one_of("true", "false", about="names and numbers in full, for those who work there; noted in your reading log")


class AnnexTold(schemas.Said):
    annex = _n()
    title = _s()
    unit = _s()
    on = _s()
    full = _yes()
    headings = schemas.said_list(fields.String(), "as printed; of annex 2 the last one stands over two columns")
    under_last = schemas.said_list(fields.String(), "the two columns under the last heading of annex 2")
    notes = schemas.said_list(fields.String())
    rows = schemas.said_list(fields.List(fields.String()), "cells as text, money with two decimals")


def _day(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid({name: ["日期应如 2018-12-03"]}) from None


@operation(blp, "GET", "/screenings", schemas.paged(ScreeningRow), asks=ScreeningQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Visits of your area, and those where you are a visitor: what waits for its second visitor first."""
    made = bureau()
    with made.office.read() as conn:
        found = screening.listed(conn, me(), population=asked.get("population"), state=asked.get("state"), finding=asked.get("finding"), household_id=asked.get("household_id"), mine=asked.get("mine") == "true",
                                 unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])  # fmt: skip
        items = screening.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/screenings", ScreeningMoved, status=201, takes=ScreeningIn, example=_EXAMPLE, replies=(404,))
def write(said: dict[str, Any]) -> Any:
    """A visit to a registered household, entered by one visitor; it counts when the second one has confirmed it. Who is not in benefit and
    qualifies becomes a lead at once."""
    told = once(plain(said), lambda act: screening.record(bureau().cases, act, said))
    return told, {"Location": f"/api/v1/screenings/{told['screening']}"}


@operation(blp, "GET", "/screenings/<row:screening_id>", ScreeningRow, replies=(404,))
def show(screening_id: int) -> Any:
    """One visit with its findings."""
    made = bureau()
    with made.office.read() as conn:
        row = screening.seen(conn, me(), screening_id)
        return screening.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]


@operation(blp, "POST", "/screenings/<row:screening_id>/confirmation", ScreeningMoved, optional=True, replies=(404,))
def confirm(screening_id: int) -> Any:
    """The second visitor confirms it himself."""
    return once({}, lambda act: screening.confirm(act, screening_id))


class ConfirmMany(schemas.Strict):
    screenings = fields.List(Whole(), required=True, validate=validate.Length(1, AT_ONCE, error=f"应为 1 至 {AT_ONCE} 次"), metadata={"description": "their ids"})


class NotConfirmed(schemas.Said):
    screening = _n()
    message = _s()


class ConfirmedMany(schemas.Said):
    confirmed = schemas.said_list(fields.Integer())
    errors = schemas.said_list(NotConfirmed)


@operation(blp, "POST", "/screenings/confirmations", ConfirmedMany, takes=ConfirmMany, example={"screenings": [4259841, 4325377]})
def confirm_many(said: dict[str, Any]) -> Any:
    """Confirm several visits, each as with POST screenings/{id}/confirmation; which cannot be is named. A repeat confirms nothing twice."""
    return confirm_all(me(), said["screenings"], spoken())


@operation(blp, "POST", "/screening-findings/<row:finding_id>/rectification", ScreeningFindingMoved, takes=Rectified, example={"done_on": "2018-12-10", "text": "已补发取暖补贴"}, replies=(404,))
def rectify(finding_id: int, said: dict[str, Any]) -> Any:
    """A finding is put right, with a document of the household as proof if there is one; or social help says what came of it (`outcome`)."""
    return once(plain(said), lambda act: screening_findings.rectify(bureau().cases, act, finding_id, said))


@operation(blp, "POST", "/screening-findings/<row:finding_id>/verification", ScreeningFindingMoved, takes=RectificationChecked, example={"verdict": "verified", "text": "已查看补发凭证"}, replies=(404,))
def verify(finding_id: int, said: dict[str, Any]) -> Any:
    """Another person verifies what was put right, or sends it back. 403 `rectification-checker`, `own-rectification`."""
    return once(plain(said), lambda act: screening_findings.verify(bureau().cases, act, finding_id, said))


@operation(blp, "GET", "/screening-findings", schemas.paged(ScreeningFindingListed), asks=ScreeningFindingQuery)
def findings(asked: dict[str, Any]) -> Any:
    """Findings of confirmed visits of your area: open ones first, by the day by which they are to be put right."""
    made = bureau()
    with made.office.read() as conn:
        found = screening_findings.listed(conn, me(), made.office.today(), which=asked.get("list"), kind=asked.get("kind"), unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])
        items = screening_findings.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/screenings/<row:screening_id>/application", schemas.Moved, status=201, takes=StartCase, sent=FROM_VISIT, example=START_EXAMPLE, replies=(404,))
def apply(screening_id: int, said: dict[str, Any]) -> Any:
    """Begin an application of the visited household, which the visit found to qualify: as POST cases, and the visit's lead is verified (unless you gave it) and linked
    in the same act. 403 `visit-qualifies`, `no-application`; 409 when one was begun."""
    told = once(said, lambda act: screening_apply.begin(act, bureau().cases, screening_id, said["process"], said["answers"], lang=spoken()))
    return told, {"Location": f"/api/v1/cases/{told['case']}"}


@operation(blp, "GET", "/screenings/coverage", Coverage, asks=CoverageQuery, replies=(404,))
def coverage(asked: dict[str, Any]) -> Any:
    """Per community: households in benefit and those refused in 2018, and how many of them were visited."""
    area, unit, on, since = _covered(asked)
    with bureau().office.read() as conn:
        found = screening.coverage(conn, area, on, since) if area else []
    return {"since": since.isoformat(), "on": on.isoformat(), "target": screening.TARGET, "total": screening.covered(found, unit or ""), "communities": found}


def _covered(asked: dict[str, Any]) -> tuple[Any, str | None, date, date]:
    """(area, unit that was asked for, as of, since)."""
    unit, on, since = asked.get("unit"), _day(asked.get("on"), "on") or bureau().office.today(), _day(asked.get("since"), "since") or screening.SINCE
    if unit and not readers.of_cases(me()).covers(unit):
        raise NotFound("没有这个机构")
    return unit or readers.of_cases(me()).areas, unit, on, since


@operation(blp, "GET", "/screenings/missing", schemas.paged(MissingRow), asks=MissingQuery, replies=(404,))
def missing(asked: dict[str, Any]) -> Any:
    """Who is missing from the coverage: households that no confirmed visit since the day has reached, by community, and who is planned to go there."""
    area, _, on, since = _covered(asked)
    with bureau().office.read() as conn:
        ids = screening_plans.missing(conn, area, on, since, asked.get("population") or "in_benefit") if area else []
        page, size = asked["page"], asked["size"]
        rows = screening_plans.missing_told(conn, ids[(page - 1) * size : page * size])
    return schemas.listed(rows, len(ids), page, size)


@operation(blp, "GET", "/annexes/1.xlsx", (XLSX,), asks=AnnexQuery, replies=(403, 404))
def annex_1_file(asked: dict[str, Any]) -> Any:
    """附件1 as a workbook, as printed: households in benefit. A full one can be brought in again as a list."""
    return sent(_annex(1, asked))


@operation(blp, "GET", "/annexes/2.xlsx", (XLSX,), asks=AnnexQuery, replies=(403, 404))
def annex_2_file(asked: dict[str, Any]) -> Any:
    """附件2 as a workbook, as printed: applications of 2018 that were refused."""
    return sent(_annex(2, asked))


@operation(blp, "GET", "/annexes/1", AnnexTold, asks=AnnexQuery, replies=(403, 404))
def annex_1(asked: dict[str, Any]) -> Any:
    """附件1 as text, cell by cell."""
    return _told(_annex(1, asked))


@operation(blp, "GET", "/annexes/2", AnnexTold, asks=AnnexQuery, replies=(403, 404))
def annex_2(asked: dict[str, Any]) -> Any:
    """附件2 as text, cell by cell."""
    return _told(_annex(2, asked))


def _annex(number: int, asked: dict[str, Any]) -> annexes.Annex:
    return made_for(me(), number, asked.get("unit"), _day(asked.get("on"), "on"), full=asked.get("full") == "true")


def _told(found: annexes.Annex) -> dict[str, Any]:
    first = found.number == 1
    return {"annex": found.number, "title": found.title, "unit": found.unit, "on": found.on.isoformat(), "full": found.full,
            "headings": list(annexes.HEADINGS[found.number]), "under_last": [] if first else list(annexes.CHECKED), "notes": list(found.notes),
            "rows": [["" if cell is None else str(cell) if isinstance(cell, (str, int)) else f"{cell:.2f}" for cell in row] for row in found.rows]}  # fmt: skip
