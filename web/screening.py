"""摸底排查: visits of one's area, entering and confirming one, findings to be put right and verified, coverage per community and who is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import EngineError, NotFound, Refused
from engine.model import Actor
from engine.queries import Page
from processes import organisation, readers, screening, screening_findings, screening_plans
from processes.screening_forms import IN_BENEFIT, POPULATIONS, REFUSED, RectificationChecked, Rectified, ScreeningIn
from web import wording
from web.desk import bureau, idem, lang, me, whole
from web.errors import words
from web.leads import filled

bp = Blueprint("screening", __name__, url_prefix="/screening")
_POPULATIONS = tuple(code for code, _zh, _en in POPULATIONS)
AT_ONCE = 200  # visits confirmed in one request


def enters() -> bool:
    """Whether the reader enters visits somewhere: who sees no household can confirm one, not enter it."""
    return not (readers.of_cases(me()).roles & screening.VISITORS).isdisjoint(me().roles)


def waiting_for_me() -> int:
    """How many visits wait for who is signed in to confirm them."""
    with bureau().office.read() as conn:
        return screening.waiting(conn, me())


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Visits, and how far the communities are."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("population", "state", "finding", "mine") if asked.get(name)}
    with made.office.read() as conn:
        found = screening.listed(conn, me(), population=args.get("population") if args.get("population") in _POPULATIONS else None,
                                 state=args.get("state") if args.get("state") in screening.STATES else None, mine="mine" in args,
                                 finding=args.get("finding") if args.get("finding") in screening.FINDING_STATES else None, page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        rows = screening.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
        areas = readers.of_cases(me()).areas
        covered = screening.coverage(conn, areas, made.office.today()) if areas else []
        places = {code: organisation.unit_name(conn, code) for code in {row["community"] for row in [*rows, *covered]}}
        people = wording.names_of(conn, [row[name] for row in rows for name in ("first_visitor", "second_visitor")])
        late = screening_findings.overdue(conn, me(), made.office.today())
    return render_template("screening.html", found=found, rows=rows, covered=covered, whole=screening.covered(covered, ""), target=screening.TARGET, late=late, args=args, places=places, people=people, populations=_POPULATIONS,
                           states=screening.STATES, finding_states=screening.FINDING_STATES, many=any("confirm" in row["may"] for row in rows), enters=enters(), imports=not me().roles.isdisjoint(screening.VISITORS) and enters())  # fmt: skip


@bp.get("/missing")
def missing() -> ResponseReturnValue:
    """Who is missing from the coverage: `?unit=&population=`."""
    made, today = bureau(), bureau().office.today()
    unit, kind = request.args.get("unit", "")[:20], request.args.get("population", IN_BENEFIT)
    kind = kind if kind in (IN_BENEFIT, REFUSED) else IN_BENEFIT
    if unit and not readers.of_cases(me()).covers(unit):
        raise NotFound("没有这个机构")
    area: Any = unit or readers.of_cases(me()).areas
    page, size = whole(request.args.get("page"), 1, 10_000), 25
    with made.office.read() as conn:
        ids = screening_plans.missing(conn, area, today, screening.SINCE, kind) if area else []
        rows = screening_plans.missing_told(conn, ids[(page - 1) * size : page * size])
        places = {code: organisation.unit_name(conn, code) for code in {row["community"] for row in rows} | ({unit} if unit else set())}
        people = wording.names_of(conn, [row[name] for row in rows for name in ("first", "second") if row[name]])
    return render_template("screening_missing.html", found=Page([], len(ids), page, size), rows=rows, unit=unit, kind=kind, kinds=(IN_BENEFIT, REFUSED), places=places, people=people, enters=enters())


@bp.get("/findings")
def findings() -> ResponseReturnValue:
    """What visits found: to be put right, overdue, waiting to be verified, verified."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("list", "kind") if asked.get(name)}
    with made.office.read() as conn:
        found = screening_findings.listed(conn, me(), made.office.today(), which=args.get("list") if args.get("list") in screening_findings.LISTS else None,
                                          kind=args.get("kind") if args.get("kind") in screening_findings.KINDS else None, page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        rows = screening_findings.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
        places = {code: organisation.unit_name(conn, code) for code in {row["community"] for row in rows}}
    return render_template("screening_findings.html", found=found, rows=rows, args=args, places=places, lists=screening_findings.LISTS, kinds=screening_findings.KINDS)


def confirm_all(actor: Actor, ids: Sequence[int], language: str) -> dict[str, Any]:
    """Each visit in an act of its own: {"confirmed": ids, "errors": [{screening, message}]}."""
    done, wrong = list[int](), list[dict[str, Any]]()
    for one in dict.fromkeys(ids[:AT_ONCE]):
        try:
            with bureau().office.act(actor) as act:
                screening.confirm(act, one)
        except EngineError as error:
            wrong.append({"screening": one, "message": words(error, language)})
        else:
            done.append(one)
    return {"confirmed": done, "errors": wrong}


@bp.post("/confirmations")
def confirmations() -> ResponseReturnValue:
    """The ticked visits of the list."""
    done = confirm_all(me(), [whole(n, 0, 10**18 - 1) for n in request.form.getlist("visit")], lang())
    flash(_("%(n)s visits are confirmed.", n=len(done["confirmed"])) + "".join(_(" %(id)s: %(why)s", id=one["screening"], why=one["message"]) for one in done["errors"][:5]))
    return redirect(url_for("screening.listing", mine=1))


@bp.get("/<int:screening_id>")
def show(screening_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = screening.seen(conn, me(), screening_id)
        one = screening.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]
        place = organisation.unit_name(conn, one["community"])
        people = wording.names_of(conn, [one["first_visitor"], one["second_visitor"], one["entered_by"], *(f[name] for f in one["findings"] for name in ("done_by", "verified_by"))])
    return render_template("screening_visit.html", one=one, place=place, people=people, reads=readers.of_cases(me()).covers(one["community"]))


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """`?household=`: the one that was visited."""
    if not enters():
        raise Refused("visitor", "入户排查由本辖区的民政专干、居村委会成员、调查人或窗口经办人登记", "Visits are entered by the civil affairs officers, committee members, investigators and clerks of the area")
    values = {"visited_on": bureau().office.today().isoformat(), "household_id": request.args.get("household", "")[:18],
              "population": request.args.get("population", "")[:20], "second_visitor": request.args.get("second", "")[:60]}  # fmt: skip
    return filled(ScreeningIn, _("Enter a visit"), url_for("screening.listing"), lambda act, said: screening.record(bureau().cases, act, said), values, lambda done: url_for("screening.show", screening_id=done["screening"]),
                  offline=f"screening-{values['household_id'] or 'new'}")  # fmt: skip


@bp.post("/<int:screening_id>/confirmation")
def confirm(screening_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        screening.confirm(act, screening_id)
    flash(_("The visit is confirmed."))
    return redirect(url_for("screening.show", screening_id=screening_id))


@bp.route("/<int:screening_id>/findings/<int:finding_id>", methods=["GET", "POST"])
def rectify(screening_id: int, finding_id: int) -> ResponseReturnValue:
    home = _of_visit(screening_id, finding_id)
    back = url_for("screening.show", screening_id=screening_id)
    return filled(Rectified, _("Say what was done"), back, lambda act, said: screening_findings.rectify(bureau().cases, act, finding_id, said), {"done_on": bureau().office.today().isoformat()}, lambda _done: back, household_id=home)


@bp.route("/<int:screening_id>/findings/<int:finding_id>/verification", methods=["GET", "POST"])
def verify(screening_id: int, finding_id: int) -> ResponseReturnValue:
    _of_visit(screening_id, finding_id)
    back = url_for("screening.show", screening_id=screening_id)
    return filled(RectificationChecked, _("Verify what was put right"), back, lambda act, said: screening_findings.verify(bureau().cases, act, finding_id, said), {}, lambda _done: back)


def _of_visit(screening_id: int, finding_id: int) -> int:
    """The household of a finding of this visit."""
    with bureau().office.read() as conn:
        row = screening.seen(conn, me(), screening_id)
    if finding_id >> 16 != screening_id >> 16 or not readers.of_cases(me()).covers(row["community"]):
        raise NotFound("没有这项排查问题")
    return int(row["household_id"])
