"""联席会议: the requests that wait, the meetings, and the room in which one is held; on paper, on the wall, or each in his own session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Connection, select

from engine import queries, store
from engine.bpmn import Run
from engine.cases import acts_of, barred, task_etag
from engine.crypto import BoundKeys
from engine.errors import Conflict, EngineError, Invalid, Refused
from engine.forms import Form, from_html
from engine.model import Actor
from processes import households, meeting_papers, meeting_units, meetings, organisation, special_cases
from processes.benefit_tables import special_case_request
from processes.identity import mask_name
from processes.joint_meeting import JOINT_MEETING
from processes.joint_meeting_forms import CHOICES, MEASURES, MOTIONS, RECUSALS, Convening, MinutesConfirmation
from web import wording
from web.desk import bureau, either, idem, lang, me, whole
from web.errors import said, status_of, words

bp = Blueprint("meetings", __name__)
Row = Mapping[Any, Any]

PHASES = (
    ("prepare", lazy_gettext("Preparation"), ("convened",)),
    ("screen", lazy_gettext("Screening"), ("screened", "approved")),
    ("sit", lazy_gettext("Sitting"), ("open",)),
    ("minutes", lazy_gettext("Minutes"), ("drafting", "confirming")),
    ("issued", lazy_gettext("Issued"), ("issued",)),
)
STATUS = {
    "convened": lazy_gettext("convened"), "screened": lazy_gettext("screened"), "approved": lazy_gettext("agenda approved"),
    "open": lazy_gettext("sitting"), "drafting": lazy_gettext("minutes being drafted"), "confirming": lazy_gettext("minutes being confirmed"),
    "issued": lazy_gettext("minutes issued"), "called_off": lazy_gettext("called off"), "listed": lazy_gettext("listed"),
    "admitted": lazy_gettext("on the agenda"), "sent_back": lazy_gettext("sent back"), "announced": lazy_gettext("announced"),
    "deferred": lazy_gettext("deferred"), "lapsed": lazy_gettext("lapsed"), "dropped": lazy_gettext("not studied"),
}  # fmt: skip
ROOM = frozenset({"meeting_secretary", "meeting_convener", "meeting_member", "meeting_liaison", "supervisor", "auditor"})


# -- what is shown, to the page and to the API alike


def requests(conn: Connection, keys: BoundKeys, actor: Actor) -> list[dict[str, Any]]:
    """Requests that wait, of the actor's area, the most urgent first."""
    table = special_case_request
    query = select(table).where(table.c.status == "submitted", queries.within(table.c.street, actor.areas)).order_by(table.c.due_on, table.c.id)
    rows = list(conn.execute(query).mappings())
    listed = meetings.agendas_of(conn, [row["id"] for row in rows])
    names = households.applicant_names(conn, [f"household:{row['household_id']}" for row in rows])
    return [
        {
            **{k: row[k] for k in ("id", "case_no", "process", "household_id", "street", "trigger_code", "origin", "ordinary_category", "ordinary_fen",
                                   "submitted_by", "submitted_on", "due_on")},
            "applicant": mask_name(names.get(f"household:{row['household_id']}", "")), "facts": _read(keys, row, "facts"), "wish": _read(keys, row, "wish"),
            "meetings": listed.get(row["id"], []), "studied_before": meetings.studied_before(conn, row["case_no"]),
        }
        for row in rows
    ]  # fmt: skip


def _read(keys: BoundKeys, row: Row, name: str) -> str:
    return meeting_papers.reveal(keys, "special_case_request", name, row)


def room(conn: Connection, keys: BoundKeys, meeting: Row) -> dict[str, Any]:
    """A meeting as those in the room see it: agenda, attendance, sums, votes, results, minutes."""
    today = bureau().office.today()
    seats = meetings.attendance(conn, meeting["no"])
    whole = meetings.sum_of(conn, meeting, None, today)
    return {
        **{k: meeting[k] for k in ("no", "kind", "status", "planned_on", "held_on", "place", "secretary", "convener", "minutes_no", "issued_on")},
        "invited": meeting["invited"].split(),
        "sum": _sum(whole),
        "attendance": [{k: seat[k] for k in ("unit", "staff", "name", "voting", "present")} for seat in seats],
        "items": [_item(conn, keys, meeting, item, seats) for item in meetings.items(conn, meeting["no"])],
        "minutes": [_minutes(conn, keys, one) for one in meetings.minutes(conn, meeting["no"])],
    }


def _sum(found: meetings.Sum) -> dict[str, Any]:
    return {
        "expected": found.expected, "required": found.required, "present": sorted(found.present), "recused": sorted(found.recused), "quorum": found.quorum,
        "lacking": sorted(found.lacking), "base": found.base, "needed": found.needed, "votes_for": found.votes_for, "votes_against": found.votes_against,
        "abstain": found.abstain, "missing": sorted(found.missing), "passed": found.passed, "tie": found.tie,
    }  # fmt: skip


def _item(conn: Connection, keys: BoundKeys, meeting: Row, item: Row, seats: list[Row]) -> dict[str, Any]:
    today = bureau().office.today()
    asked: Mapping[Any, Any] = meetings.request(conn, item["request_id"]) or {}
    staff = {seat["staff"]: seat["unit"] for seat in seats if seat["voting"] and seat["staff"]}
    away = meetings.kept_away(conn, item, staff)
    sealed = {k: meeting_papers.reveal(keys, "agenda_item", k, item) or None for k in ("again_reason", "sent_back_reason", "discussion", "reasons", "conditions")}
    return {
        **{k: item[k] for k in ("position", "case_no", "household_id", "request_id", "status", "presenter", "sent_back_code", "motion", "ballot", "resolution",
                                "approved_category", "approved_fen", "fixed", "fixed_until", "referred_to", "review_on", "announced_on", "announced_by")},
        **sealed,
        "applicant": mask_name(households.applicant(conn, item["household_id"])["name"]),
        "trigger_code": asked["trigger_code"], "facts": _read(keys, asked, "facts"), "wish": _read(keys, asked, "wish"),
        "ordinary_category": asked["ordinary_category"], "ordinary_fen": asked["ordinary_fen"], "due_on": asked["due_on"],
        "waits": asked["status"] == "submitted", "sum": _sum(meetings.sum_of(conn, meeting, item, today)),
        "votes": [{**{k: vote[k] for k in ("unit", "staff", "choice", "paper")},
                   "dissent": meeting_papers.reveal(keys, "meeting_vote", "dissent", vote) or None} for vote in meetings.votes(conn, item)],
        "recusals": [{"unit": staff[login], "staff": login, "why": either(broken.zh, broken.en)} for login, broken in sorted(away.items())],
        "measures": [{k: one[k] for k in ("kind", "amount_fen", "by_whom")} for one in meetings.measures(conn, item)],
    }  # fmt: skip


def _minutes(conn: Connection, keys: BoundKeys, one: Row) -> dict[str, Any]:
    confirmed = [{**{k: c[k] for k in ("unit", "staff", "agrees", "confirmed_on")},
                  "objection": meeting_papers.reveal(keys, "minutes_confirmation", "objection", c) or None} for c in meetings.confirmations(conn, one["id"])]  # fmt: skip
    return {**{k: one[k] for k in ("version", "edited", "drafted_by", "drafted_on", "digest", "size")}, "confirmations": confirmed,
            "text": meeting_papers.reveal(keys, "meeting_minutes", "text", one)}  # fmt: skip


def facts(conn: Connection, meeting: Row) -> dict[str, Any]:
    case = queries.case_row(conn, meeting["no"])
    made = bureau()
    return Run.load(made.cases.drawing(conn, case["drawing"]), case["state"], made.office.clock()).facts


# -- pages


@bp.get("/meetings")
def listing() -> ResponseReturnValue:
    return _listing()


def _listing(errors: Mapping[str, list[str]] | None = None, typed: Mapping[str, Any] | None = None, status: int = 200) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        keys = made.office.keys.on(conn)
        asked, found = requests(conn, keys, me()), meetings.of(conn, me())
        places = {row["street"]: organisation.unit_name(conn, row["street"]) for row in asked}
    form = Convening(context={"today": made.office.today(), "lang": lang()})
    return render_template("meetings.html", form=form, errors=errors or {}, typed=typed or {}, status_words=STATUS, secretary=meetings.is_secretary(me()),
                           triggers=_words(special_cases.TRIGGERS), asked=asked, found=found, places=places), status  # fmt: skip


def _words(choices: Any) -> dict[str, str]:
    return {code: either(zh, en) for code, zh, en in choices}


@bp.post("/meetings")
def convene() -> ResponseReturnValue:
    made, typed = bureau(), from_html(Convening, request.form)
    try:
        with made.office.act(me(), idem()) as act:
            told = made.cases.start(act, JOINT_MEETING.key, typed, lang=lang())
    except Invalid as error:
        return _listing(said(error, lang()), typed, 422)
    return redirect(url_for("meetings.show", no=told["case"]))


@bp.get("/meetings/<no>")
def show(no: str) -> ResponseReturnValue:
    return _room(no)


def _room(no: str, *, trouble: str = "", errors: Mapping[str, list[str]] | None = None, typed: Mapping[str, Any] | None = None, status: int = 200) -> ResponseReturnValue:
    made, actor, form_sent = bureau(), me(), request.form
    with made.office.read() as conn:
        keys = made.office.keys.on(conn)
        meeting = meetings.visible(conn, actor, no)
        shown, task, known = room(conn, keys, meeting), meetings.open_task(conn, meeting), facts(conn, meeting)
        people = wording.names_of(conn, [shown["secretary"], shown["convener"], *(seat["staff"] for seat in shown["attendance"])])
        broken = _barred(conn, task, known, actor) if task else None
        prefilled = _prefilled(conn, keys, shown, task) if task and broken is None else {}
    if request.args.get("view") == "projector":
        return render_template("meeting_projector.html", meeting=shown, **_vocabulary())
    form_class = JOINT_MEETING.form_of(task["node"]) if task else None
    form = form_class(context={"facts": known, "today": made.office.today(), "actor": actor, "lang": lang()}) if form_class else None
    node = JOINT_MEETING.drawing.nodes[task["node"]] if task else None
    mine = [unit for unit in known.get("to_confirm") or () if actor.holds(meetings.MEMBER, unit)]
    return render_template(
        "meeting.html", meeting=shown, task=task, form=form, node=node, may=task is not None and broken is None, why_not=broken and either(broken.zh, broken.en),
        values=typed if typed is not None else prefilled, errors=errors or {}, trouble=trouble, etag=task_etag(task) if task else "", people=people,
        secretary=meetings.is_secretary(actor), confirms=mine if shown["status"] == "confirming" else [], waiting=known.get("to_confirm") or [],
        seat=next((s for s in shown["attendance"] if s["staff"] == actor.id and s["voting"]), None), extra=whole(form_sent.get("_rows"), 0, 50), **_vocabulary(),
    ), status  # fmt: skip


def _vocabulary() -> dict[str, Any]:
    units = {one.code: either(one.name, one.name_en) for one in meeting_units.every()}
    return {"units": units, "phases": PHASES, "status_words": STATUS, "triggers": _words(special_cases.TRIGGERS), "resolutions": _words(special_cases.RESOLUTIONS),
            "categories": _words(special_cases.APPROVED_ALL), "choices": CHOICES, "choice_words": _words(CHOICES), "measure_words": _words(MEASURES),
            "recusal_choices": RECUSALS, "motions": MOTIONS, "chair": meeting_units.CHAIR, "required": sorted(meeting_units.REQUIRED)}  # fmt: skip


def _barred(conn: Connection, task: Row, known: Mapping[str, Any], actor: Actor) -> Any:
    case = conn.execute(select(store.record).where(store.record.c.id == task["case_id"])).mappings().one()
    acts = acts_of(case["opened_by"], queries.case_tasks(conn, task["case_id"]))
    return barred(conn, JOINT_MEETING, known, acts, task, "complete", actor)


def _prefilled(conn: Connection, keys: BoundKeys, shown: Mapping[str, Any], task: Row) -> dict[str, Any]:
    """What the form of the meeting's task holds before anybody types: one row for each item, for each invited unit; the text."""
    match task["node"]:
        case "screen_agenda":
            return {"items": [{"position": item["position"], "admitted": True, "presenter": item["presenter"] or ""} for item in shown["items"]]}
        case "open_meeting":
            return {"held_on": bureau().office.today().isoformat(), "opening": "open", "members": [{"unit": unit, "present": True} for unit in shown["invited"]]}
        case "announce_item":
            ready = [item["position"] for item in shown["items"] if item["status"] == "admitted"]
            return {"item": ready[0]} if ready else {}
        case "draft_minutes":
            return {"text": meeting_papers.generated(conn, keys, shown["no"], bureau().office.today())}
    return {}


def _did(no: str, work: Any, told: str) -> ResponseReturnValue:
    """An act in the room: back to the room, or the room with what is wrong."""
    try:
        with bureau().office.act(me(), idem()) as act:
            if act.recall() is None:
                meetings.visible(act.conn, me(), no)
                work(act)
                if act.recall() is None:
                    act.remember({"meeting": no})
    except Invalid as error:
        return _room(no, trouble="；".join(text for texts in said(error, lang()).values() for text in texts), status=422)
    except (Refused, Conflict) as error:
        return _room(no, trouble=words(error, lang()), status=status_of(error))
    flash(told)
    return redirect(url_for("meetings.show", no=no) + request.form.get("_at", ""))


@bp.post("/meetings/<no>/step")
def step(no: str) -> ResponseReturnValue:
    """Do the meeting's own task: screening, opening, announcement, minutes, issue."""
    made, form = bureau(), request.form
    with made.office.read() as conn:
        task = meetings.open_task(conn, meetings.visible(conn, me(), no))
    if task is None:
        return _room(no, trouble=_("Nothing is to be done here now."), status=409)
    form_class: type[Form] = JOINT_MEETING.form_of(task["node"])
    typed = from_html(form_class, form)
    if form.get("_do") == "row":
        return _room(no, typed=typed)
    try:
        with made.office.act(me(), idem()) as act:
            made.cases.complete(act, task["id"], typed, etag=form.get("_etag") or None, lang=lang())
    except Invalid as error:
        return _room(no, errors=said(error, lang()), typed=typed, status=422)
    except EngineError as error:
        return _room(no, trouble=words(error, lang()), typed=typed, status=status_of(error))
    flash(_("Submitted."))
    return redirect(url_for("meetings.show", no=no))


@bp.post("/meetings/<no>/items/<int:position>/votes")
def vote(no: str, position: int) -> ResponseReturnValue:
    """A member's own vote; or, from the secretary's grid, the paper votes that are filled in, civil affairs last."""
    form = request.form
    given = [(one.code, form[f"vote-{one.code}"]) for one in meeting_units.every() if form.get(f"vote-{one.code}")]

    def work(act: Any) -> None:
        if not meetings.is_secretary(me()):
            meetings.cast_vote(act, no, position, form.get("choice", ""), dissent=form.get("dissent", "")[:2000])
            return
        meetings.enter_votes(act, no, position, {unit: (choice, form.get(f"dissent-{unit}", "")[:2000]) for unit, choice in given})

    return _did(no, work, _("Votes recorded."))


@bp.post("/meetings/<no>/items/<int:position>/recusals")
def recuse(no: str, position: int) -> ResponseReturnValue:
    unit = request.form.get("unit") or None
    return _did(no, lambda act: meetings.recuse(act, no, position, request.form.get("ground", ""), unit=unit), _("Recusal recorded."))


@bp.post("/meetings/<no>/items/<int:position>/ballots")
def ballot(no: str, position: int) -> ResponseReturnValue:
    form = request.form
    return _did(no, lambda act: meetings.new_ballot(act, no, position, form.get("motion", ""), form.get("reason", "")[:2000]), _("A new ballot is open."))


@bp.post("/meetings/<no>/attendance")
def attend(no: str) -> ResponseReturnValue:
    form = request.form
    here, login = form.get("present") == "true", form.get("staff", "").strip()[:60] or None
    return _did(no, lambda act: meetings.attend(act, no, form.get("unit", ""), present=here, login=login), _("Attendance recorded."))


@bp.post("/meetings/<no>/confirm")
def confirm(no: str) -> ResponseReturnValue:
    typed = from_html(MinutesConfirmation, request.form)
    return _did(no, lambda act: meetings.confirm(act, bureau().cases, no, typed, lang()), _("Recorded."))


@bp.get("/meetings/<no>/minutes")
def minutes(no: str) -> ResponseReturnValue:
    """The issued minutes byte for byte; before, the version that is to be confirmed."""
    return Response(minutes_bytes(me(), no), mimetype="text/html")


def minutes_bytes(actor: Actor, no: str) -> bytes:
    made = bureau()
    with made.office.read() as conn:
        keys, meeting = made.office.keys.on(conn), meetings.visible(conn, actor, no)
        if meeting["status"] == "issued":
            return meeting_papers.issued_bytes(conn, keys, meeting)
        return meeting_papers.draft_page(conn, keys, meeting).encode()


@bp.get("/meetings/<no>/vote-sheet")
def vote_sheet(no: str) -> ResponseReturnValue:
    return Response(sheet(me(), no), mimetype="text/html")


def sheet(actor: Actor, no: str) -> str:
    made = bureau()
    with made.office.read() as conn:
        return meeting_papers.vote_sheet(conn, made.office.keys.on(conn), meetings.visible(conn, actor, no))
