"""监督检查: the district's plans, their draw and proof, inspecting, findings, statistics, and the report for paper."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import NotFound, Refused
from processes import organisation, readers, screening, supervision, supervision_statistics
from processes.supervision_forms import (
    SupervisionClosed,
    SupervisionPlanIn,
    SupervisionRectified,
    SupervisionReply,
    SupervisionResult,
    SupervisionSettled,
    SupervisionVerified,
)
from web import wording
from web.attachments import units_of
from web.desk import bureau, idem, me, whole
from web.leads import filled

bp = Blueprint("supervision", __name__, url_prefix="/supervision")
_VERBS: dict[str, tuple[Any, Any]] = {"reply": (SupervisionReply, supervision.reply), "settle": (SupervisionSettled, supervision.settle), "rectify": (SupervisionRectified, supervision.rectify),
                                      "verify": (SupervisionVerified, supervision.verify)}  # fmt: skip


def mine() -> bool:
    """Whether the page is for who is signed in."""
    return supervision.reads(me())


def _makes() -> bool:
    return me().post_over(organisation.DISTRICT, supervision.INSPECTORS) is not None


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Plans, findings, and the numbers by street."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("list",) if asked.get(name) in supervision.LISTS}
    areas = readers.of_cases(me()).areas
    with made.office.read() as conn:
        keys, today = made.office.keys.on(conn), made.office.today()
        plans = supervision.told(conn, supervision.listed(conn, me(), size=100).items, me(), today)
        found = supervision.findings_listed(conn, me(), today, which=args.get("list"), page=whole(asked.get("page"), 1, 10_000))
        rows = supervision.findings_told(conn, keys, found.items, me(), today)
        spot = supervision_statistics.spot_checks(conn, keys, areas, screening.SINCE, today) if areas else []
        seen = supervision_statistics.inspections(conn, areas, screening.SINCE, today, today) if areas else []
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
    return render_template("supervision.html", plans=plans, found=found, rows=rows, spot=spot, seen=seen, places=places, args=args, lists=supervision.LISTS, makes=_makes())


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not _makes():
        raise Refused("inspector", "检查计划由区级监督人员制定", "Supervisors of the district make the plans")
    today = bureau().office.today().isoformat()
    return filled(SupervisionPlanIn, _("Plan an inspection"), url_for("supervision.listing"), supervision.make, {"from_on": screening.SINCE.isoformat(), "until_on": today}, lambda done: url_for("supervision.show", plan_id=done["plan"]),
                  units_of(supervision.INSPECTORS, "street"))


@bp.get("/<int:plan_id>")
def show(plan_id: int) -> ResponseReturnValue:
    """A plan with its sample, the proof of the draw, and its findings; prints as the report."""
    made = bureau()
    with made.office.read() as conn:
        keys, today = made.office.keys.on(conn), made.office.today()
        row = supervision.seen(conn, me(), plan_id)
        one = supervision.told(conn, [row], me(), today)[0]
        targets = supervision.targets(conn, keys, row, me())
        found = supervision.findings_told(conn, keys, supervision.findings_listed(conn, me(), today, plan_id=plan_id, size=2_000).items, me(), today)
        checks = supervision.checks(conn, keys, plan_id)
        places = {code: organisation.unit_name(conn, code) for code in {*one["units"], *(t["unit"] for t in targets)}}
        people = wording.names_of(conn, [one["made_by"], one["drawn_by"], one["closed_by"], *(t["inspected_by"] for t in targets)])
    return render_template("supervision_plan.html", one=one, targets=targets, rows=found, checks=checks, places=places, people=people)


@bp.post("/<int:plan_id>/draw")
def draw(plan_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        supervision.draw(act, plan_id)
    flash(_("The sample is drawn; the seed is public."))
    return redirect(url_for("supervision.show", plan_id=plan_id))


@bp.route("/<int:plan_id>/close", methods=["GET", "POST"])
def close(plan_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        supervision.seen(conn, me(), plan_id)
    back = url_for("supervision.show", plan_id=plan_id)
    return filled(SupervisionClosed, _("Close the inspection"), back, lambda act, said: supervision.close(act, plan_id, said), {}, lambda _done: back)


@bp.route("/<int:plan_id>/targets/<int:target_id>", methods=["GET", "POST"])
def inspect(plan_id: int, target_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = supervision.seen(conn, me(), plan_id)
        if not any(one["id"] == target_id for one in supervision.targets(conn, made.office.keys.on(conn), row, me())):
            raise NotFound("没有这项抽查对象")
    back = url_for("supervision.show", plan_id=plan_id)
    return filled(SupervisionResult, _("Enter what was inspected"), back, lambda act, said: supervision.inspect(act, target_id, said), {"inspected_on": made.office.today().isoformat()}, lambda _done: back)


@bp.get("/findings/<int:finding_id>")
def finding(finding_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        one = supervision.findings_told(conn, made.office.keys.on(conn), [supervision.finding_seen(conn, me(), finding_id)], me(), made.office.today())[0]
        place = organisation.unit_name(conn, one["unit"])
        people = wording.names_of(conn, [one[name] for name in ("raised_by", "replied_by", "settled_by", "done_by", "verified_by")])
    return render_template("supervision_finding.html", one=one, place=place, people=people, district=readers.of_cases(me()).covers(organisation.DISTRICT))


@bp.route("/findings/<int:finding_id>/<any(reply, settle, rectify, verify):verb>", methods=["GET", "POST"])
def act_on(finding_id: int, verb: str) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        supervision.finding_seen(conn, me(), finding_id)
    form, work = _VERBS[verb]
    back = url_for("supervision.finding", finding_id=finding_id)
    values = {"done_on": bureau().office.today().isoformat()} if verb == "rectify" else {}
    return filled(form, wording.word("inspection_verb", verb), back, lambda act, said: work(act, finding_id, said), values, lambda _done: back)
