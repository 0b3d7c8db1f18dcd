"""API: long-term displays and objections, for the staff; what the public may see, for everybody."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.forms import Whole
from processes import displays, guide, objections, phones
from processes.display_forms import DisplayIn, ObjectionHandled, ObjectionIn, PhoneIn, Posted, TakenDown
from processes.progress import ProgressIn
from web import displays as pages
from web import public
from web.api import schemas
from web.api.desk import me, once
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_displays", __name__, url_prefix="/api/v1", description="长期公示, 公示异议, and what everybody may see")
_s, _n = schemas.said_text, schemas.said_number
_PHOTO = 4259842


def _yes(about: str = "") -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"description": about} if about else {})


class DisplayMoved(schemas.Said):
    display = _n()
    version = _n("of the sheet that counts now")


class MayDo(schemas.Said):
    reprint = _yes()
    post = schemas.said_list(fields.String(), "levels at which you may record a posting")
    take_down = schemas.said_list(fields.String(), "levels at which you may record a removal")


class DisplayRow(schemas.Said):
    id = _n()
    benefit_id = _n()
    household_id = _n()
    street = _s()
    community = _s()
    applicant = _s("as the sheet shows it: a minor's name is masked; null: erased", none=True)
    masked = _yes()
    members = _n()
    category = _s("dibao | low_income")
    amount_fen = _n()
    version = _n()
    made_on = _s()
    made_by = _s()
    district_version = _n("the version that hangs there; null: none", none=True)
    street_version = _n(none=True)
    community_version = _n(none=True)
    state = _s("to_post | to_reprint | to_remove | posted | ended")
    since = _s("from when the period of what is to be done counts")
    due_on = _s("its last day; null: nothing is to be done", none=True)
    late = _yes()


class PostingRow(schemas.Said):
    id = _n()
    level = _s("district | street | community")
    place = _s()
    version = _n()
    posted_on = _s()
    posted_by = _s()
    photo_posted = _n("number of the document")
    removed_on = _s(none=True)
    removed_by = _s(none=True)
    photo_removed = _n("null: still up, or replaced by a newer sheet, which the photo of its posting shows", none=True)
    removed_why = _s("ended | replaced | correction", none=True)


class DisplayShown(DisplayRow):
    postings = schemas.said_list(PostingRow)
    may = fields.Nested(MayDo, required=True)


class OwedRow(schemas.Said):
    benefit_id = _n()
    household_id = _n()
    street = _s()
    community = _s()
    since = _s("day of the grant")
    due_on = _s()
    late = _yes()


class DisplayCounts(schemas.Said):
    to_post = _n()
    to_reprint = _n()
    to_remove = _n()
    posted = _n()
    ended = _n()
    late = _n("beyond their period, of the first three")
    owed = _n("dibao benefits without a display")


class DisplayQuery(schemas.Paging):
    state = schemas.one_of(*displays.STATES)
    late = fields.Boolean(metadata={"description": "only what is beyond its period"})
    unit = schemas.text("code of a unit: it and those below it", most=20)
    household_id = Whole()


class OwedQuery(schemas.Paging):
    unit = schemas.text("code of a unit: it and those below it", most=20)


class BoardQuery(schemas.Strict):
    unit = schemas.text("code of a community", required=True, most=20)


class ObjectionRow(schemas.Said):
    id = _n()
    notice_id = _n(none=True)
    display_id = _n(none=True)
    household_id = _n()
    community = _s()
    case_no = _s("of the notice", none=True)
    complaint_no = _s("to who reads complaints there", none=True)
    is_named = _yes("who it is stands with the complaint")
    grounds = _s(none=True)
    note = _s(none=True)
    received_on = _s()
    due_on = _s()
    late = _yes()
    state = _s("received | taken_up | dismissed | complaint (of a display: the complaint goes on)")
    handled_by = _s(none=True)
    handled_on = _s(none=True)
    may = schemas.said_list(fields.String(), "what you may do now: handle")


class ObjectionQuery(schemas.Paging):
    state = schemas.one_of(*objections.STATES)


class ObjectionMoved(schemas.Said):
    objection = _n()
    state = _s()


class ObjectionMade(schemas.Said):
    no = _s("number of the complaint that it is")


class PublicDisplay(schemas.Said):
    id = _n()
    street = _s()
    street_name = _s()
    community = _s()
    community_name = _s()
    applicant = _s()
    members = _n()
    category = _s()
    amount_fen = _n()
    made_on = _s()


class PhoneRow(schemas.Said):
    unit = _s()
    name = _s()
    level = _s("district | street")
    phone = _s("null: none is published, the hotline stands for it", none=True)
    hours = _s(none=True)
    address = _s(none=True)


class PhoneKept(PhoneRow):
    published = _yes()
    set_on = _s(none=True)


class PhoneSet(schemas.Said):
    unit = _s()
    phone = _s()
    hours = _s(none=True)
    address = _s(none=True)
    published = _yes()
    set_by = _s()
    set_on = _s()


class PhoneList(schemas.Said):
    hotline = _s()
    items = schemas.said_list(PhoneRow)


class PhonesKept(schemas.Said):
    items = schemas.said_list(PhoneKept)


class GuideLine(schemas.Said):
    part = _s()
    zh = _s()
    en = _s()
    source = _s()
    article = _s()
    article_en = _s()
    to_confirm = _yes("the bureau still has to confirm a number of it")


class GuideAmount(schemas.Said):
    name = _s()
    title = _s()
    title_en = _s()
    value = _s()
    unit = _s()
    unit_en = _s()
    since = _s()
    source = _s()
    article = _s()
    article_en = _s()
    to_confirm = _yes()


class Guide(schemas.Said):
    programme = _s()
    title = _s()
    title_en = _s()
    on = _s()
    since = _s("first day of the version")
    until = _s("first day of the next one; null: none is known", none=True)
    decider = fields.Nested(GuideLine, required=True, allow_none=True)
    parts = fields.Dict(required=True, metadata={"description": "condition, paper, step, deadline → lines"}, keys=fields.String(), values=fields.List(fields.Nested(GuideLine)))
    amounts = schemas.said_list(GuideAmount)
    versions = schemas.said_list(fields.String(), "first days of all versions")


class GuideTitle(schemas.Said):
    programme = _s()
    title = _s()
    title_en = _s()


class GuideQuery(schemas.Strict):
    on = schemas.text("as it was on that day; today when it is left out", most=10, example="2018-12-03")


# -- the staff


@operation(blp, "GET", "/displays", schemas.paged(DisplayRow), asks=DisplayQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Long-term displays of your area: what is to be taken down, printed anew and put up first."""
    made = bureau()
    with made.office.read() as conn:
        found = displays.listed(conn, me(), made.office.today(), state=asked.get("state"), late=bool(asked.get("late")), unit=asked.get("unit"), household_id=asked.get("household_id"),
                                page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed([{name: row[name] for name in DisplayRow._declared_fields} for row in found.items], found.total, found.page, found.size)


@operation(blp, "GET", "/displays/counts", DisplayCounts)
def counted() -> Any:
    """How many displays of your area are in which state, are late, and are owed."""
    made = bureau()
    with made.office.read() as conn:
        return displays.counts(conn, me(), made.office.today())


@operation(blp, "GET", "/displays/owed", schemas.paged(OwedRow), asks=OwedQuery)
def owing(asked: dict[str, Any]) -> Any:
    """Dibao benefits of your area that have no display yet, the oldest first."""
    made = bureau()
    with made.office.read() as conn:
        found = displays.owed(conn, me(), made.office.today(), unit=asked.get("unit"), page=asked["page"], size=asked["size"])
    return schemas.listed(found.items, found.total, found.page, found.size)


@operation(blp, "POST", "/displays", DisplayMoved, status=201, takes=DisplayIn, example={"benefit_id": 655361}, replies=(404,))
def make(said: dict[str, Any]) -> Any:
    """Make the sheet of a benefit: name (a minor's masked), members, category, amount. Nothing hangs yet."""
    told = once(said, lambda act: displays.make(act, said["benefit_id"]))
    return told, {"Location": f"/api/v1/displays/{told['display']}"}


@operation(blp, "GET", "/displays/<row:display_id>", DisplayShown, replies=(404,))
def show(display_id: int) -> Any:
    """One display with its postings and removals. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        row = displays.seen(conn, me(), display_id, made.office.today())
        hung = [{name: one[name] for name in PostingRow._declared_fields} for one in displays.postings(conn, display_id)]
    return {**{name: row[name] for name in DisplayRow._declared_fields}, "postings": hung, "may": displays.may(me(), row)}


@operation(blp, "POST", "/displays/<row:display_id>/reprint", DisplayMoved, optional=True, replies=(404,))
def reprint(display_id: int) -> Any:
    """A new version of the sheet, after the benefit, the applicant or the community has changed; 409 while nothing has."""
    return once({}, lambda act: displays.reprint(act, display_id))


@operation(blp, "POST", "/displays/<row:display_id>/postings", DisplayMoved, status=201, takes=Posted, replies=(404,),
           example={"level": "community", "place": "居委会公示栏", "posted_on": "2018-12-21", "photo": _PHOTO})  # fmt: skip
def post(display_id: int, said: dict[str, Any]) -> Any:
    """张贴: the present version hangs at one of the three levels, with a photo (a document of the household). An older one there is replaced by it."""
    return once(plain(said), lambda act: displays.post(act, display_id, said))


@operation(blp, "POST", "/displays/<row:display_id>/removals", DisplayMoved, status=201, takes=TakenDown, replies=(404,),
           example={"level": "community", "taken_down_on": "2019-01-03", "photo": _PHOTO, "why": "ended"})  # fmt: skip
def take_down(display_id: int, said: dict[str, Any]) -> Any:
    """揭下, with a photo. `ended` only once the benefit has been stopped; `correction` where the sheet is wrong."""
    return once(plain(said), lambda act: displays.take_down(act, display_id, said))


@operation(blp, "GET", "/displays/<row:display_id>/sheet", ("text/html",), replies=(403, 404))
def sheet(display_id: int) -> Any:
    """The sheet to print, from the whitelist alone, with a QR code of its public page."""
    return pages.sheet_of(me(), display_id)


@operation(blp, "GET", "/displays/board", ("text/html",), asks=BoardQuery, replies=(404,))
def board(asked: dict[str, Any]) -> Any:
    """One sheet with all displays of a community, to print."""
    return pages.board_of(me(), asked["unit"])


@operation(blp, "GET", "/objections", schemas.paged(ObjectionRow), asks=ObjectionQuery)
def raised(asked: dict[str, Any]) -> Any:
    """Objections to notices and displays of your area: those to be handled first."""
    made = bureau()
    with made.office.read() as conn:
        found = objections.listed(conn, me(), state=asked.get("state"), page=asked["page"], size=asked["size"])
        items = objections.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "GET", "/objections/<row:objection_id>", ObjectionRow, replies=(404,))
def objection(objection_id: int) -> Any:
    """One objection. Who made it is asked for at the complaint, by the complaint officer."""
    made = bureau()
    with made.office.read() as conn:
        row = objections.seen(conn, me(), objection_id)
        return objections.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]


@operation(blp, "POST", "/objections/<row:objection_id>/handling", ObjectionMoved, takes=ObjectionHandled, replies=(404,), example={"outcome": "dismiss", "note": "反映的情况已在入户调查中核实"})
def handle(objection_id: int, said: dict[str, Any]) -> Any:
    """What becomes of an objection to a notice: `take_up` puts it before the case in the same act, `dismiss` needs a reason."""
    return once(said, lambda act: objections.handle(bureau().cases, act, objection_id, said))


@operation(blp, "GET", "/phones", PhonesKept, replies=(403,))
def kept() -> Any:
    """The telephones of district and streets, those that are not published, too (administrators)."""
    pages.keeper(me())
    with bureau().office.read() as conn:
        return {"items": phones.listed(conn, all_units=True)}


@operation(blp, "PUT", "/units/<no:code>/phone", PhoneSet, takes=PhoneIn, replies=(404,), example={"phone": "022-12345678", "hours": "工作日 9:00-17:00", "published": True})
def number(code: str, said: dict[str, Any]) -> Any:
    """The published complaint telephone of the district or a street, on the record (administrators)."""
    return once(said, lambda act: phones.put(act, code, said))


# -- everybody


def _kept_for() -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={public.kept_for()}"}


@operation(blp, "GET", "/public/displays", schemas.paged(PublicDisplay), asks=OwedQuery, public=True)
def hanging(asked: dict[str, Any]) -> Any:
    """Public: the long-term displays that hang, whitelisted fields only. There is no search by name or ID; who has left assistance is gone."""
    found = public.hanging(asked.get("unit") or "", asked["page"], asked["size"])
    return schemas.listed(found.items, found.total, found.page, found.size), _kept_for()


@operation(blp, "GET", "/public/displays/<row:display_id>", PublicDisplay, public=True, replies=(404,))
def one_display(display_id: int) -> Any:
    """Public: one display; 404 once the benefit has ended."""
    return public.one_display(display_id), _kept_for()


@operation(blp, "GET", "/public/notices/<row:notice_id>", schemas.Notice, public=True, replies=(404,))
def one_notice(notice_id: int) -> Any:
    """Public: a notice that runs, with the days left; 404 from the day on which it is over."""
    return public.one_notice(notice_id), _kept_for()


@operation(blp, "POST", "/public/notices/<row:notice_id>/objections", ObjectionMade, status=201, takes=ObjectionIn, public=True, replies=(404, 429), example={"grounds": "该户有一辆小汽车"})
def object_notice(notice_id: int, said: dict[str, Any]) -> Any:
    """Public: object to a notice that runs, with or without a name. It is a complaint, too; its number is the answer."""
    return {"no": public.objected(notice_id=notice_id, said=said)["complaint"]}


@operation(blp, "POST", "/public/displays/<row:display_id>/objections", ObjectionMade, status=201, takes=ObjectionIn, public=True, replies=(404, 429), example={"grounds": "该户有一辆小汽车"})
def object_display(display_id: int, said: dict[str, Any]) -> Any:
    """Public: object to a long-term display, with or without a name. It is handled as a complaint; its number is the answer."""
    return {"no": public.objected(display_id=display_id, said=said)["complaint"]}


@operation(blp, "GET", "/public/phones", PhoneList, public=True)
def telephones() -> Any:
    """Public: the complaint telephones that district and streets publish (N220 art 35)."""
    with bureau().office.read() as conn:
        return {"hotline": phones.HOTLINE, "items": phones.listed(conn)}, _kept_for()


class ProgressStep(schemas.Said):
    programme = _s("null: of the whole", none=True)
    title = _s()
    title_en = _s()
    zh = _s()
    en = _s()
    on = _s("null: not yet", none=True)
    until = _s("last day of whose turn it is", none=True)
    state = _s("done | now | next")
    n = _n()
    of = _n()


class ProgressTold(schemas.Said):
    steps = schemas.said_list(ProgressStep)


@operation(blp, "POST", "/public/progress", ProgressTold, takes=ProgressIn, public=True, replies=(404, 429), example={"no": "SL-2018-000123", "code": "ABCDEFGH"})
def looked_up(said: dict[str, Any]) -> Any:
    """Public: where an intake or an application stands, for who has its number and query code. 404 for a wrong number and for a wrong code alike; 429 with
    Retry-After for too many tries from one address or of one number, counted in the database."""
    return {"steps": public.looked_up(said)}


@operation(blp, "GET", "/public/guide", schemas.paged(GuideTitle), public=True)
def guides() -> Any:
    """Public: the nine programmes of the policy guide."""
    rows = [{"programme": name, "title": guide.title(name)[0], "title_en": guide.title(name)[1]} for name in guide.PROGRAMMES]
    return schemas.listed(rows, len(rows), 1, len(rows)), _kept_for()


@operation(blp, "GET", "/public/guide/<name:programme>", Guide, asks=GuideQuery, public=True, replies=(404,))
def one_guide(programme: str, asked: dict[str, Any]) -> Any:
    """Public: conditions, papers, steps, deadlines and amounts of a programme on a day, with their sources, and since when. 404 before there was any."""
    on = guide.day_of(asked["on"]) if asked.get("on") else bureau().office.today()
    return guide.of(programme, on), _kept_for()
