"""待办, the list: what it is narrowed to and sorted by, who sent each task, the same list as CSV, and whether something new has come."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection, and_, func, or_, select

from engine import queries, store
from engine.errors import Invalid
from engine.model import SYSTEM, Actor
from processes import audit, deadlines, households, organisation, saved_views
from processes.bureau import CATALOGUE
from processes.event_log import harmless
from processes.identity import mask_name
from processes.tables import household, unit
from web import batch, wording
from web.desk import as_whom, bureau, either, lang, me, standing_in, whole
from web.errors import said
from web.tasks import bp, node_name, why_unmanned

SIZES = (25, 50, 100, 200)
_COMMUNITY = 12  # digits of a community's code


@bp.get("/tasks")
def listing() -> ResponseReturnValue:
    return _listing(request.args)


def _listing(args: Mapping[str, str], trouble: str = "") -> ResponseReturnValue:
    """`trouble`: why the view could not be kept."""
    view = args.get("view") or "mine"
    page, size = whole(args.get("page"), 1, 100_000), whole(args.get("size"), SIZES[0], SIZES[-1])
    made, actor = bureau(), me()
    today, standing = made.office.today(), standing_in(actor)
    with made.office.read() as conn:
        counts, chosen = queries.counts(conn, actor, today, deadlines.calm_from(today), standing), _chosen(args, today)
        total = counts.get(view) if chosen == queries.Filter() else None
        found = queries.tasks(conn, actor, view, chosen, page, size, standing=standing, sort=_sort(args), total=total)
        rows, over, why = told(conn, actor, found.items), overlong(conn, found.items, today), why_unmanned(conn, found.items)
        away = wording.names_of(conn, [one.on_behalf_of for one in standing])
        places = _places(conn, actor, args.get("unit", ""))
        colleagues = batch.colleagues(conn, found.items) if view in ("mine", "copied") else []
        views = saved_views.listed(conn, actor.id)
        chips = _chips(conn, args)
    g.waiting = known = sum(counts[name] for name in ("mine", "available", "signing", *(("substitute",) if standing else ())))
    kept = {k: v for k, v in args.items() if k != "page"}
    return render_template("tasks.html", view=view, found=found, rows=rows, counts=counts, args=kept, standing=standing, away=away, known=known, places=places,
                           steps=_steps(args.get("process", "")), processes=CATALOGUE, sizes=SIZES, sorts=_sorts(), verbs=batch.offered(view), colleagues=colleagues,
                           over=over, why=why, views=views, chips=chips, dues=_dues(), view_keys=saved_views.KEYS, trouble=trouble, name=request.form.get("name", "")), 422 if trouble else 200  # fmt: skip


def overlong(conn: Connection, items: Sequence[Mapping[Any, Any]], today: date) -> dict[int, dict[str, Any]]:
    """Case -> the limit of the whole procedure, of those rows whose open case is beyond it (domain 2.2)."""
    young = deadlines.not_overlong_since(today)
    cases = {row["case_id"] for row in items if row["process"] in deadlines.limited() and row["state"] == "open" and row["case_opened_at"] < young}
    if not cases:
        return {}
    c, found = store.record.c, {}
    for row in conn.execute(select(c.id, c.state).where(c.id.in_(cases), c.closed_at.is_(None))):
        limit = deadlines.whole_case(audit.facts_of(row.state), today)
        if limit and limit["workdays_left"] < 0:
            found[row.id] = limit
    return found


# -- what it is narrowed to, and views of it that are kept


def _dues() -> dict[str, str]:
    return {"late": _("Late (red card)"), "yellow": _("Soon due (yellow card)"), "today": _("Due today"), "soon": _("Within 3 days")}


def _chips(conn: Connection, args: Mapping[str, str]) -> list[tuple[str, str, dict[str, str]]]:
    """Each filter in force: what it is, what it is set to in words, and the address without it."""
    unit, process, node = args.get("unit", ""), CATALOGUE.get(args.get("process", "")), args.get("node", "")
    flags = {"returned": _("returned"), "escalated": _("escalated"), "late": _("late, with the supervisor"), "unmanned": _("nobody may do it")}
    steps = {key: name for _title, nodes in _steps("") for key, name in nodes.items()}
    told = [("unit", _("Unit"), organisation.unit_name(conn, unit) if unit else ""), ("process", _("Process"), either(process.title, process.title_en) if process else args.get("process", "")),
            ("node", _("Step"), steps.get(node, node)), ("no", _("Case no."), args.get("no", "").strip()), ("due", _("Deadline"), _dues().get(args.get("due", ""), "")),
            ("flag", _("Marked"), flags.get(args.get("flag", ""), ""))]  # fmt: skip
    return [(label, text, {k: v for k, v in args.items() if v and k not in (key, "page")}) for key, label, text in told if text]


@bp.post("/tasks/views")
def keep_view() -> ResponseReturnValue:
    """The form beside the filter keeps the list as it is, under a name; `drop`: forgets one."""
    form = request.form
    kept: dict[str, Any] = {key: form[key] for key in saved_views.KEYS if form.get(key)}
    try:
        with bureau().office.act(me()) as act:
            if (number := form.get("drop", "")).isascii() and number.isdecimal() and len(number) < 10:
                saved_views.drop(act, int(number))
            else:
                saved_views.keep(act, form.get("name", ""), form)
    except Invalid as error:
        return _listing(kept, "；".join(text for texts in said(error, lang()).values() for text in texts))
    flash(_("Forgotten.") if "drop" in form else _("Kept."))
    return redirect(url_for("tasks.listing", **kept))


def _sorts() -> dict[str, str]:
    return {"due": _("Deadline"), "oldest": _("Longest received first"), "newest": _("Latest received first"), "unit": _("Unit")}


def _sort(args: Mapping[str, str]) -> str:
    return args["sort"] if args.get("sort") in queries.SORTS else "due"


def _chosen(args: Mapping[str, str], today: date) -> queries.Filter:
    """What the page's form, or the CSV's address, asks for."""
    due, flag = args.get("due"), args.get("flag")
    before = {"late": today, "yellow": deadlines.calm_from(today), "today": today + timedelta(days=1), "soon": today + timedelta(days=4)}.get(due or "")
    since = today if due in ("today", "yellow", "soon") else None
    return narrowed(args, before, since, flag if flag in ("returned", "escalated", "late") else None)


def narrowed(asked: Mapping[str, Any], before: date | None, since: date | None, flag: str | None) -> queries.Filter:
    """For pages and API. A community's tasks are those of the households that live there, also where a street or the district
    does them; a street's are those of its own and its communities' desks."""
    place, subjects = asked.get("unit") or None, None
    if place and len(place) == _COMMUNITY:
        lives = select(household.c.id).where(household.c.community == place).subquery()
        place, subjects = None, select("household:" + func.cast(lives.c.id, store.record.c.subject.type))
    no = (asked.get("no") or "").strip()
    return queries.Filter(unit=place, node=asked.get("node") or None, process=asked.get("process") or None, no=no or None, flag=flag,
                          due_before=before, due_from=since, subjects=subjects)  # fmt: skip


def _places(conn: Connection, actor: Actor, place: str) -> list[Mapping[Any, Any]]:
    """Streets under my posts, and the communities of the one that is chosen, or of the only one."""
    areas = actor.areas
    streets = organisation.units(conn, areas, "street")
    near = [place[:9]] if len(place) >= 9 else [one["code"] for one in streets] if len(streets) == 1 else [area for area in areas if len(area) >= 9]
    found = [one for one in organisation.units(conn, near, "community") if any(one["code"].startswith(area) for area in areas)] if near else []
    return sorted([*streets, *found], key=lambda one: one["code"])


def _steps(process: str) -> list[tuple[str, dict[str, str]]]:
    """Title of a process -> its steps, for the list to choose from; a step that several have stands at the first."""
    known: set[str] = set()
    found = []
    for key, one in CATALOGUE.items():
        if process in ("", key):
            nodes = {n.id: either(n.name, n.name_en) for n in one.drawing.of_kind("userTask").values() if n.id not in known}
            known |= nodes.keys()
            found.append((either(one.title, one.title_en), nodes))
    return found


def told(conn: Connection, actor: Actor, items: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Rows as people read them: `applicant` (not masked), `node_name`, `place`, `sender`, `instead_of`."""
    subjects = [row["subject"] for row in items]
    names, sent = households.applicant_names(conn, subjects), senders(conn, items)
    lives = _communities(conn, subjects)
    people = wording.names_of(conn, sent.values())
    codes = {row["unit"] for row in items} | set(lives.values())
    places = dict(conn.execute(select(unit.c.code, unit.c.name).where(unit.c.code.in_(codes))).all())
    found = []
    for row in items:
        codes_of = dict.fromkeys([row["unit"], lives.get(row["subject"], row["unit"])])
        found.append({
            **row, "applicant": names.get(row["subject"] or "", ""), "node_name": node_name(row), "instead_of": as_whom(actor, row).on_behalf_of,
            "place": " ".join(places.get(code, code) for code in codes_of), "sender": people.get(sent[row["id"]], sent[row["id"]]) if sent[row["id"]] != SYSTEM.id else _("message or period"),
            "delegated": row["owner"] is not None})  # fmt: skip
    return found


def _communities(conn: Connection, subjects: Collection[str | None]) -> dict[str, str]:
    numbers = [int(one.partition(":")[2]) for one in subjects if one and one.startswith("household:")]
    rows = conn.execute(select(household.c.id, household.c.community).where(household.c.id.in_(numbers)))
    return {f"household:{row.id}": row.community for row in rows}


def senders(conn: Connection, items: Sequence[Mapping[Any, Any]]) -> dict[int, str]:
    """Task -> login of who sent it: who delegated it; else who did the step that opened it (the same act, hence the same moment;
    where a clock stood still, the nearest before it); else who began the case; the system where a message or a period did."""
    t = store.task.c
    cases, done = sorted({row["case_id"] for row in items}), dict[tuple[int, Any], list[tuple[int, str]]]()
    for n in range(0, len(cases), SIZES[-1]):  # SQLite takes no condition with a thousand parts
        theirs = or_(*(store.tasks_of(case) for case in cases[n : n + SIZES[-1]]))
        for x in conn.execute(select(t.case_id, t.closed_at, t.id, t.done_by).where(and_(theirs, t.done_by.is_not(None)))):
            done.setdefault((x.case_id, x.closed_at), []).append((x.id, x.done_by))
    begun = {row["id"]: row["opened_by"] for row in items if row["opened_at"] == row["case_opened_at"]}
    before = {row["id"]: max((one for one in done.get((row["case_id"], row["opened_at"]), ()) if one[0] < row["id"]), default=(0, ""))[1] for row in items}
    return {row["id"]: row["owner"] or before[row["id"]] or begun.get(row["id"]) or SYSTEM.id for row in items}


# -- the same list as a file


@bp.get("/tasks/export")
def export() -> ResponseReturnValue:
    args, today = request.args, bureau().office.today()
    return csv_of(me(), args.get("view", "mine"), _chosen(args, today), _sort(args))


def csv_of(actor: Actor, view: str, chosen: queries.Filter, sort: str, only: Collection[int] | None = None) -> Response:
    """The whole list, not just the page shown; `only`: those of it. Names are masked as on the page."""
    with bureau().office.read() as conn:
        found = queries.tasks(conn, actor, view, chosen, 1, queries.MOST, standing=standing_in(actor), sort=sort)
        rows = told(conn, actor, [row for row in found.items if only is None or row["id"] in only])
        people = wording.names_of(conn, [row["assignee"] for row in rows])
    out = io.StringIO()
    out.write("\ufeff")  # a spreadsheet takes it for UTF-8 then
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow([_("Case no."), _("Applicant"), _("Process"), _("Step"), _("Unit"), _("Received"), _("From"), _("Deadline"), _("With")])
    for row in rows:
        process = CATALOGUE[row["process"]]
        cells = [row["no"], mask_name(row["applicant"]), either(process.title, process.title_en), row["node_name"], row["place"], wording.moment(row["opened_at"]),
                 row["sender"], row["due_on"] or _("promptly"), people.get(row["assignee"], row["assignee"] or "")]  # fmt: skip
        lines.writerow([harmless(cell) for cell in cells])
    name = f"tasks-{view}-{bureau().office.today().isoformat()}.csv"
    return Response(out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


# -- something new


@bp.get("/tasks/news")
def news() -> ResponseReturnValue:
    """For the page's script: how many tasks have come since the list was made. `since`: seconds of the office's clock; `known`: how
    many waited then, so that one handed over to me counts, too."""
    text = request.args.get("since", "")
    since = datetime.fromtimestamp(int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0, UTC)
    made, actor = bureau(), me()
    with made.office.read() as conn:
        came = queries.arrived(conn, actor, since)
        more = queries.waiting(conn, actor, standing_in(actor)) - whole(request.args.get("known"), 0, queries.MOST * len(queries.VIEWS))
    n = max(came, more)
    return jsonify(n=n, message=_("%(n)s new tasks.", n=n) if n > 0 else "")
