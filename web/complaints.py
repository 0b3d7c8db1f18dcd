"""投诉举报: the complaint officer's list, the page on which a complaint is entered with its reporter, who complained (shown with a reason, each
reading recorded), and the form for everybody, without sign-in. No address and no log holds who complained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests

from engine.errors import NotFound, Refused
from engine.forms import from_html, understand
from engine.model import Actor
from processes import attempts, complaint_papers, complaint_rows, complaints, organisation
from processes.complaint_forms import CHANNELS, FINDINGS, STATES, ComplaintIn, PublicComplaint, ReporterIn
from processes.complaint_rows import Filter
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("complaints", __name__)

TRIES, WINDOW_SECONDS = 10, 60
_CODES: Mapping[str, tuple[str, ...]] = {"state": tuple(c for c, _z, _e in STATES), "channel": tuple(c for c, _z, _e in CHANNELS), "finding": tuple(c for c, _z, _e in FINDINGS)}
_INSIDE = ("is_named", "reporter_id")  # what registering sets by itself


def reader(who: Actor) -> Actor:
    """Somebody in the posts in which he sees complaints. Refused where there is none."""
    made = who.only(who.roles & complaints.READS)
    if not made.posts:
        raise Refused("role", "只有投诉举报受理人、监督人员和审计人员可以查看投诉举报", "Only complaint officers, supervisors and auditors see complaints")
    return made


def handles(who: Actor | None) -> bool:
    return who is not None and not who.roles.isdisjoint(complaints.READS)


def reporter_of(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """{name, phone, address} as understood, None for an anonymous complaint. Raises Invalid."""
    found = understand(ReporterIn(context={"lang": lang()}), {name: value for name, value in (said or {}).items() if value not in (None, "")})
    return found if found.get("name") else None


def everybodys(said: Mapping[str, Any]) -> dict[str, str]:
    """A complaint by the public form: {"no"}. Raises Invalid, TooManyRequests for more than TRIES a minute from one address."""
    counted(request.remote_addr or "")
    found = understand(PublicComplaint(context={"lang": lang()}), dict(said))
    reporter = {name: found.get(name) for name in ("name", "phone", "address")} if found.get("name") else None
    made = bureau()
    told = {"channel": "web", "received_on": made.office.today().isoformat(), "target_kind": "unknown", "target_unit": found["street"], "allegation": f"{found['about']}：{found['allegation']}"}
    with made.office.act() as act:
        return {"no": complaints.register(made.cases, act, told, reporter)["case"]}


def counted(address: str) -> None:
    """One more complaint or objection from an address, counted in the database for all processes. Raises TooManyRequests for more than TRIES a minute."""
    if wait := attempts.tried(bureau().office, "open-form", address, TRIES, WINDOW_SECONDS):
        raise TooManyRequests(retry_after=wait)


@bp.get("/complaints")
def listing() -> ResponseReturnValue:
    made, asked, who = bureau(), request.args, reader(me())
    args = {name: asked[name] for name in ("state", "channel", "finding", "late") if asked.get(name)}
    wanted = Filter(**{name: args[name] for name, codes in _CODES.items() if args.get(name) in codes}, late="late" in args)
    today = made.office.today()
    with made.office.read() as conn:
        found = complaint_rows.search(conn, who.areas, me().id, wanted, today, page=whole(asked.get("page"), 1, 10_000))
        counted = complaint_rows.counts(conn, who.areas, me().id, today)
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in found.items}
    return render_template("complaints.html", found=found, counts=counted, args=args, places=places, codes_of=_CODES, enters=not me().roles.isdisjoint(complaints.OFFICER))


@bp.route("/complaints/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if me().roles.isdisjoint(complaints.OFFICER):
        raise Refused("starter", "您的岗位不能发起这项业务", "Your post may not start this")
    made, told = bureau(), Told()
    typed = from_html(Entry, request.form)
    if request.method == "POST":
        with told:
            said = {name: value for name, value in typed.items() if name not in ReporterIn._declared_fields}
            reporter = reporter_of({name: typed.get(name) for name in ("name", "phone", "address")})
            with made.office.act(me(), idem()) as act:
                no = complaints.register(made.cases, act, said, reporter, lang=lang())["case"]
        if told.status == 200:
            return redirect(url_for("cases.show", no=no))
    form = Entry(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    values = typed or {"received_on": made.office.today().isoformat()}
    return render_template("form_page.html", title=_("Enter a complaint"), form=form, values=values, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[], back=url_for("complaints.listing")), told.status


class Entry(ComplaintIn, ReporterIn):
    """The page: the complaint and its reporter; whether it is named follows."""

    class Meta(ComplaintIn.Meta):
        exclude = _INSIDE


@bp.route("/complaints/<int:complaint_id>/reporter", methods=["GET", "POST"])
def reporter(complaint_id: int) -> ResponseReturnValue:
    made, told, shown = bureau(), Told(), None
    if me().roles.isdisjoint(complaints.OFFICER):
        raise Refused("reporter", "举报人身份只有投诉举报受理人可以查看", "Who complained is shown to the complaint officer only")
    if request.method == "POST":
        with told, made.office.act(me()) as act:
            shown = complaints.reveal(act, complaint_id, request.form.get("reason", "")[:400])
    page = render_template("complaint_reporter.html", shown=shown, errors=told.errors, trouble=told.trouble)
    answer = make_response(page, told.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def printed(actor: Actor, complaint_id: int, kind: str) -> Response:
    """登记表, 核查报告 or 反馈书, for those who read complaints there and are not recused; as long as nobody else may open it there is none."""
    who, made = reader(actor), bureau()
    with made.office.read() as conn:
        row = complaint_rows.row(conn, complaint_id)
        if row is None or not complaints.opens(conn, who, row["case_no"], had_task=False):
            raise NotFound("没有这件举报")
        page = complaint_papers.paper(kind, complaint_papers.facts_of(conn, made.office.keys.on(conn), row), made.office.today().isoformat())
    return Response(page, mimetype="text/html", headers={"Cache-Control": "no-store"})


@bp.get("/complaints/<int:complaint_id>/feedback")
def feedback(complaint_id: int) -> ResponseReturnValue:
    """反馈书, to print: it names nobody."""
    return printed(me(), complaint_id, "feedback")


@bp.get("/complaints/<int:complaint_id>/papers/<kind>")
def paper(complaint_id: int, kind: str) -> ResponseReturnValue:
    return printed(me(), complaint_id, kind)
