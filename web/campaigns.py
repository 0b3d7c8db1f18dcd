"""专项行动: the home page of the campaign, the part of a unit, the matrix of duties and obligations, and the forms of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Connection

from engine.errors import NotFound
from engine.forms import Form, from_html, understand
from engine.office import Act
from processes import campaign_forms as forms
from processes import campaign_obligations, campaigns, organisation
from web import wording
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("campaigns", __name__, url_prefix="/campaign")

Work = Callable[[Act, int, Mapping[str, Any]], dict[str, Any]]
# of a campaign: form, title, act
OF_CAMPAIGN: Mapping[str, tuple[type[Form], Any, Work]] = {
    "amendment": (forms.CampaignChanged, lazy_gettext("Change the campaign"), campaigns.change),
    "closure": (forms.CampaignClosed, lazy_gettext("End the campaign early"), campaigns.close),
    "unit": (forms.UnitAdded, lazy_gettext("Add a unit"), campaigns.add_unit),
    "stage": (forms.StageIn, lazy_gettext("Add a stage"), campaigns.add_stage),
    "duty": (forms.DutyIn, lazy_gettext("Add a duty"), campaigns.add_duty),
    "obligation": (forms.ObligationIn, lazy_gettext("Add an obligation"), campaigns.add_obligation),
}
# of a unit in a campaign
OF_UNIT: Mapping[str, tuple[type[Form], Any, Work]] = {
    "part": (forms.PartIn, lazy_gettext("Leader, staff, premises and equipment"), campaigns.set_part),
    "plan": (forms.PlanIn, lazy_gettext("Plan for a stage"), campaigns.set_plan),
    "shortfall": (forms.ShortfallIn, lazy_gettext("Enter a shortfall"), campaigns.add_shortfall),
}
# of one row
OF_ROW: Mapping[str, tuple[type[Form], Any, Work]] = {
    "stage": (forms.StageIn, lazy_gettext("Change the stage"), campaigns.change_stage),
    "duty": (forms.DutyIn, lazy_gettext("Change the duty"), campaigns.change_duty),
    "obligation": (forms.ObligationChanged, lazy_gettext("Change the obligation"), campaigns.change_obligation),
    "remedy": (forms.Remedied, lazy_gettext("Say how it was remedied"), campaigns.remedy),
    "verification": (forms.Judged, lazy_gettext("Verify the remedy"), campaigns.verify),
    "judgement": (forms.Judged, lazy_gettext("Confirm or send back"), campaigns.judge),
    "proof": (forms.ProofIn, lazy_gettext("Enter what was done"), campaigns.prove),
}
DROPS: Mapping[str, Callable[[Act, int], dict[str, Any]]] = {"unit": campaigns.drop_unit, "stage": campaigns.drop_stage, "duty": campaigns.drop_duty, "obligation": campaigns.drop_obligation}


def keeps(row: Mapping[Any, Any]) -> bool:
    """Whether who is signed in keeps this campaign, and it is not closed."""
    return me().post_over(row["unit"], campaigns.KEEPERS) is not None and row["state"] == "open"


def begins() -> bool:
    return not me().roles.isdisjoint(campaigns.KEEPERS)


def _names(conn: Connection, rows: list[Any], *columns: str) -> dict[str, str]:
    return wording.names_of(conn, [row[name] for row in rows for name in columns])


def _places(conn: Connection, codes: Any) -> dict[str, str]:
    return {code: organisation.unit_name(conn, code) for code in {*codes}}


def row_number(name: str) -> int:
    """A row's number in the address; 0 when it is none."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


# -- pages


@bp.get("")
def home() -> ResponseReturnValue:
    """Day n, what is due for the reader's unit, who is late; `?id=`: another campaign than that of today."""
    made, today = bureau(), bureau().office.today()
    asked = row_number("id")
    with made.office.snapshot() as conn:
        row = campaigns.seen(conn, me(), asked) if asked else campaigns.current(conn, me(), today)
        others = [one for one in campaigns.listed(conn, me(), today, size=20).items if row is None or one["id"] != row["id"]]
        if row is None:
            return render_template("campaign_none.html", others=[campaigns.told(one, today) for one in others], begins=begins(), words=campaigns)
        units = campaigns.units_of(conn, row, me())
        own = campaigns.own_unit(units, me())
        found = campaigns.standing(conn, row, units, today)
        mine = [one for one in found if own is not None and one["unit"] == own["unit"]]
        stages, codes = campaigns.stages_told(conn, row, today), [one["unit"] for one in units]
        plans = {one["stage"]: one for one in campaigns.plans(conn, row, [own["unit"]] if own else [])}
        lacking = campaigns.shortfalls(conn, row, codes, today, me(), state="open")
        waiting = campaigns.proofs(conn, row, codes, me(), state="entered") if keeps(row) else []
        places = _places(conn, [*codes, row["unit"]])
        return render_template(
            "campaign.html", c=campaigns.told(row, today), row=row, own=own, mine=_due_first(mine), lines=campaign_obligations.by_obligation(found) if len(units) > 1 else [], stages=stages, plans=plans,
            late_shortfalls=[one for one in lacking if one["late"]], lacking=lacking, waiting=waiting, places=places, keeps=keeps(row), begins=begins(), others=[campaigns.told(one, today) for one in others],
            words=campaigns, states=campaign_obligations.STATES, writes=own is not None and campaigns.writes(me(), own["unit"], own["level"]) is not None)  # fmt: skip


def _due_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is late and what is due next first, what is done last."""
    return sorted(rows, key=lambda one: (one["state"] == "met", one["due_on"] is None, one["due_on"] or ""))


@bp.get("/<int:campaign_id>/units")
def units(campaign_id: int) -> ResponseReturnValue:
    """Every unit that takes part, of the reader's area: who leads, with what, and how it stands."""
    today = bureau().office.today()
    with bureau().office.snapshot() as conn:
        row = campaigns.seen(conn, me(), campaign_id)
        rows = campaigns.units_of(conn, row, me())
        told = [campaigns.unit_told(conn, one, me()) for one in rows]
        found = campaigns.standing(conn, row, rows, today)
        lacking = campaigns.shortfalls(conn, row, [one["unit"] for one in rows], today, me())
        counts = {one["unit"]: {state: sum(line["state"] == state for line in found if line["unit"] == one["unit"]) for state in campaign_obligations.STATES} for one in rows}
        open_ones = {one["unit"]: sum(line["state"] != "verified" for line in lacking if line["unit"] == one["unit"]) for one in rows}
    return render_template("campaign_units.html", c=campaigns.told(row, today), rows=told, counts=counts, lacking=open_ones, keeps=keeps(row))


@bp.get("/<int:campaign_id>/units/<unit>")
def show_unit(campaign_id: int, unit: str) -> ResponseReturnValue:
    """A unit's part: leader and staff, plans, shortfalls, what it owes and what it entered."""
    today = bureau().office.today()
    with bureau().office.snapshot() as conn:
        row, one = _unit(conn, campaign_id, unit)
        lacking = campaigns.shortfalls(conn, row, [unit], today, me())
        entered = campaigns.proofs(conn, row, [unit], me())
        plans = {plan["stage"]: plan for plan in campaigns.plans(conn, row, [unit])}
        people = _people(conn, one, lacking, entered, list(plans.values()))
        return render_template(
            "campaign_unit.html", c=campaigns.told(row, today), one=campaigns.unit_told(conn, one, me()), stages=campaigns.stages_told(conn, row, today), plans=plans, lacking=lacking,
            entered=entered, owed_list=_due_first(campaigns.standing(conn, row, [one], today)), people=people, words=campaigns, kinds={code: (zh, en) for code, zh, en in forms.SHORTFALLS},
            states=campaign_obligations.STATES, open=row["state"] == "open")  # fmt: skip


def _people(conn: Connection, one: Mapping[Any, Any], lacking: list[Any], entered: list[Any], plans: list[Any]) -> dict[str, str]:
    return _names(conn, [one, *plans], "said_by") | _names(conn, lacking, "raised_by", "remedied_by", "verified_by") | _names(conn, entered, "entered_by", "judged_by")


@bp.get("/<int:campaign_id>/duties")
def duties(campaign_id: int) -> ResponseReturnValue:
    """The matrix of three levels, and the dated obligations of each."""
    today = bureau().office.today()
    with bureau().office.read() as conn:
        row = campaigns.seen(conn, me(), campaign_id)
        return render_template("campaign_duties.html", c=campaigns.told(row, today), duties=campaigns.duties_told(conn, row), owed=campaigns.obligations_told(conn, row),
                               stages=campaigns.stages_told(conn, row, today), levels={code: (zh, en) for code, zh, en in forms.LEVELS}, keeps=keeps(row))  # fmt: skip


def _unit(conn: Connection, campaign_id: int, unit: str) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    row = campaigns.seen(conn, me(), campaign_id)
    one = next((one for one in campaigns.units_of(conn, row, me()) if one["unit"] == unit), None)
    if one is None:
        raise NotFound("没有这个机构，或不在您的辖区")
    return row, one


# -- forms


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    return form_page(forms.CampaignIn, _("Begin a campaign"), url_for("campaigns.home"), campaigns.begin, {}, lambda done: url_for("campaigns.home", id=done["campaign"]))


@bp.route("/<int:campaign_id>/new/<what>", methods=["GET", "POST"])
def of_campaign(campaign_id: int, what: str) -> ResponseReturnValue:
    form_class, heading, work = _known(OF_CAMPAIGN, what)
    with bureau().office.read() as conn:
        row = campaigns.seen(conn, me(), campaign_id)
        places = organisation.units(conn, row["unit"], "street") if what == "unit" else []
    values = {**row, "report_weekday": str(row["report_weekday"])} if what == "amendment" else {}
    back = url_for("campaigns.home", id=campaign_id) if what in ("amendment", "closure") else url_for("campaigns.units" if what == "unit" else "campaigns.duties", campaign_id=campaign_id)
    return form_page(form_class, heading, back, lambda act, said: work(act, campaign_id, said), values, lambda _done: back, places=places)


@bp.route("/<int:campaign_id>/units/<unit>/<what>", methods=["GET", "POST"])
def of_unit(campaign_id: int, unit: str, what: str) -> ResponseReturnValue:
    """`?stage=`: of which the plan is."""
    form_class, heading, work = _known(OF_UNIT, what)
    with bureau().office.read() as conn:
        row, one = _unit(conn, campaign_id, unit)
        values: dict[str, Any] = campaigns.unit_told(conn, one, me()) if what == "part" else {}
        fixed: dict[str, Any] = {"unit": unit}
        if what == "plan":
            fixed["stage"] = row_number("stage")
            values = next((dict(plan) for plan in campaigns.plans(conn, row, [unit], stage=fixed["stage"])), {})
    back = url_for("campaigns.show_unit", campaign_id=campaign_id, unit=unit)
    return form_page(form_class, heading, back, lambda act, said: work(act, campaign_id, said), values, lambda _done: back, fixed)


@bp.route("/<what>/<int:row_id>", methods=["GET", "POST"])
def of_row(what: str, row_id: int) -> ResponseReturnValue:
    """`?unit=`: of a proof, whose it is."""
    form_class, heading, work = _known(OF_ROW, what)
    with bureau().office.read() as conn:
        row, one = campaigns.row_seen(conn, me(), {"remedy": "shortfall", "verification": "shortfall", "judgement": "proof", "proof": "obligation"}.get(what, what), row_id)
    unit = one.get("unit") or request.args.get("unit", "")[:20]
    back = url_for("campaigns.show_unit", campaign_id=row["id"], unit=unit) if unit else url_for("campaigns.duties", campaign_id=row["id"])
    values = {} if what in ("remedy", "verification", "judgement", "proof") else dict(one)
    return form_page(form_class, heading, back, lambda act, said: work(act, row_id, said), values, lambda _done: back, {"unit": unit} if what == "proof" else {})


@bp.post("/<what>/<int:row_id>/removal")
def drop(what: str, row_id: int) -> ResponseReturnValue:
    if what not in DROPS:
        raise NotFound("没有这个页面")
    with bureau().office.act(me(), idem()) as act:
        done = once(act, lambda: DROPS[what](act, row_id))
    return redirect(url_for("campaigns.units" if what == "unit" else "campaigns.duties", campaign_id=done["campaign"]))


def _known(listed: Mapping[str, tuple[type[Form], Any, Work]], what: str) -> tuple[type[Form], str, Work]:
    if what not in listed:
        raise NotFound("没有这个页面")
    form_class, heading, work = listed[what]
    return form_class, str(heading), work


def once(act: Act, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Sent twice, done once."""
    done: dict[str, Any] | None = act.recall()
    if done is None:
        done = work()
        act.remember(done)
    return done


def form_page(form_class: type[Form], title: str, back: str, work: Callable[[Act, Any], dict[str, Any]], values: dict[str, Any], then: Callable[[dict[str, Any]], str],
          fixed: Mapping[str, Any] | None = None, places: Sequence[Mapping[Any, Any]] = ()) -> ResponseReturnValue:  # fmt: skip
    """A form, and when it is sent, the act; then the page that `then` names. `fixed`: what the address says already."""
    made, told = bureau(), Told()
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    more = request.form.get("_do") == "row"
    typed = from_html(form_class, request.form) if request.method == "POST" else {name: value for name, value in values.items() if value is not None}
    if request.method == "POST" and not more:
        with told:
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                done = once(act, lambda: work(act, said))
            return redirect(then(done))
    return render_template("form_page.html", title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[], back=back, fixed=fixed or {}, communities=places,
                           extra=whole(request.form.get("_rows"), 0, 50) if more else 0), told.status  # fmt: skip
