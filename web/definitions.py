"""部署与迁移: versions of drawings, tables and law files with their differences and dry runs; running cases put on another drawing.

Pages and API tell the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext, lazy_pgettext
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.dmn import Table
from engine.errors import Refused
from engine.forms import Form, from_html, on_date, text, understand
from engine.lint import Finding
from engine.model import Actor
from engine.office import Act
from processes import case_migrations, definitions, dmn, dry_run, parameters, readers
from processes.bureau import CATALOGUE
from processes.definition_diff import Difference
from processes.organisation import DISTRICT
from web import svg, wording
from web.desk import bureau, either, idem, lang, me, whole
from web.households import Told

bp = Blueprint("definitions", __name__, url_prefix="/definitions")

READERS = definitions.PROPOSERS | definitions.DECIDERS | {"auditor"}
SHOWN = 50
MOST_TEXT = 900_000  # characters of a definition that a page or a call carries; the command line takes the lint's 2 MB
STATES: Mapping[str, LazyString] = {"proposed": lazy_pgettext("definition", "proposed"), "confirmed": lazy_pgettext("definition", "confirmed"), "withdrawn": lazy_pgettext("definition", "withdrawn")}
CHANGES: Mapping[str, LazyString] = {"added": lazy_pgettext("definition", "added"), "removed": lazy_pgettext("definition", "removed"), "changed": lazy_pgettext("definition", "changed")}
PARTS: Mapping[str, LazyString] = {
    "node": lazy_pgettext("definition", "step"), "flow": lazy_pgettext("definition", "flow"), "lane": lazy_pgettext("definition", "lane"), "head": lazy_pgettext("definition", "table"),
    "column": lazy_pgettext("definition", "column"), "row": lazy_pgettext("definition", "row"), "value": lazy_pgettext("definition", "value"),
}  # fmt: skip
RESULTS: Mapping[str, LazyString] = {"same": lazy_gettext("comes out the same"), "different": lazy_gettext("comes out different"), "cannot": lazy_gettext("cannot be done")}
ITEMS: Mapping[str, LazyString] = {"moved": lazy_gettext("moved"), "stays": lazy_gettext("stays where it is"), "waits": lazy_gettext("to be moved"), "ended": lazy_gettext("ended before it could move")}


# -- what page and API share


def reads(who: Actor) -> None:
    """Refused to who has no post at the district that deploys, confirms or audits."""
    if who.post_over(DISTRICT, READERS) is None:
        raise Refused("role", "只有区级系统管理员、监督主管、审批人和审计可以查看部署", "Only administrators, supervisors, approvers and auditors of the district see deployments")


def told(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {"number": row["id"], **{name: row[name] for name in ("kind", "key", "before", "reason", "state", "from_on", "proposed_by", "proposed_on", "settled_by", "settled_on")}, "sha256": row["digest"]}


def findings_of(conn: Connection, one: Mapping[Any, Any]) -> Sequence[Finding]:
    """What lint and module have against a proposal as things stand now; of others nothing is said."""
    if one["state"] != "proposed":
        return ()
    made = bureau()
    raw = definitions.text(conn, made.cases, one["kind"], one["key"], one["digest"])
    return definitions.understood(made.cases, raw, one["key"] if one["kind"] == "law" else "", made.office.today()).findings


def difference(one: Difference) -> dict[str, Any]:
    return {"part": one.part, "id": one.id, "change": one.change, "before": dict(one.before), "after": dict(one.after)}


def verdict(who: Actor, one: dry_run.Tried) -> dict[str, Any]:
    """What differs tells of the case: only to who reads it."""
    reads_it = readers.of_cases(who).covers(one.unit)
    trial = one.trial
    return {"case": one.no, "result": trial.result, "entry": trial.entry, "why": trial.zh if reads_it else "", "why_en": trial.en if reads_it else "",
            "recorded": trial.recorded[:2000] if reads_it else "", "computed": trial.computed[:2000] if reads_it else ""}  # fmt: skip


def moved_told(row: Mapping[Any, Any], progress: Mapping[str, int]) -> dict[str, Any]:
    return {"number": row["id"], "from": row["here"], "to": row["there"], **progress,
            **{name: row[name] for name in ("process", "ground", "state", "cases", "can", "proposed_by", "proposed_on", "settled_by", "settled_on")}}  # fmt: skip


def item(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {"case": row["case_no"], "state": row["state"], "moved_on": row["moved_on"], "why": json.loads(row["why"])}


def looked(one: case_migrations.Verdict) -> dict[str, Any]:
    return {"case": one.no, "can": one.can, "why": [{"node": h.node, "zh": h.zh, "en": h.en} for h in one.hindrances]}


def wanted(key: str, here: str, there: str) -> tuple[str, str]:
    """The digests of two drawings of a process, as somebody names them. NotFound, Invalid."""
    cases = bureau().cases
    with bureau().office.read() as conn:
        day = bureau().office.today()
        return case_migrations.digest_of(conn, cases, key, "from", here, day), case_migrations.digest_of(conn, cases, key, "to", there, day)


def proposed(act: Act, key: str, here: str, there: str, ground: str, seen: Sequence[case_migrations.Verdict]) -> dict[str, Any]:
    return case_migrations.propose(act, bureau().cases, key, here, there, ground, seen)


# -- forms of the pages


class Confirmation(Form):
    """From when it counts."""

    from_on = on_date("施行日期", "In force from", required=False, not_future=False, hint="不填为次日", hint_en="Left out: from tomorrow")


class Withdrawal(Form):
    """Why it is taken off the table."""

    reason = text("理由", "Reason", max=definitions.MOST_WORDS, widget="textarea")


class Agreement(Form):
    """Nothing to say: the second person agrees."""


class Migration(Form):
    """Which running cases go where, and why they may."""

    process = text("流程", "Process", max=60, hint="如 dibao-2012", hint_en="Like dibao-2012")
    here = text("原流程图", "From which drawing", max=64, hint="SHA-256（或其开头）、部署编号，或 program（程序自带）", hint_en="SHA-256 or its beginning, the number of a deployment, or program (its own)")
    there = text("新流程图", "To which drawing", max=64, hint="写法同上", hint_en="Named in the same way")
    ground = text("法律依据", "Legal ground", max=definitions.MOST_WORDS, widget="textarea")


# -- pages


def _tables() -> dict[str, Table]:
    """The decision tables as they stand today: a page calls each by its title."""
    return {name: dmn.SHELF.current(name) for name in dmn.SHELF.tables}


@bp.get("/")
def listing() -> ResponseReturnValue:
    reads(me())
    made = bureau()
    with made.office.read() as conn:
        found = definitions.listed(conn, page=whole(request.args.get("page"), 1, 100_000), size=SHOWN)
        installed = definitions.installed(conn, made.cases, made.office.today())
        moves = case_migrations.listed(conn, size=SHOWN)
        people = wording.names_of(conn, [who for row in (*found.items, *moves.items) for who in (row["proposed_by"], row["settled_by"]) if who])
    return render_template("definitions.html", found=found, installed=installed, moves=moves, people=people, kinds=definitions.KINDS, states=STATES, titles=CATALOGUE, tables=_tables(), may_propose=_may(definitions.PROPOSERS))


def _may(roles: frozenset[str]) -> bool:
    return me().post_over(DISTRICT, roles) is not None


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """A file with the reason; what the lint has against it is said line by line."""
    reads(me())
    outcome, typed = Told(), {name: request.form.get(name, "")[:limit] for name, limit in (("reason", 1000), ("text", MOST_TEXT), ("name", 100))}
    if request.method == "POST":
        file, done = request.files.get("file"), None
        raw = file.read(MOST_TEXT * 4) if file else typed["text"].encode()
        name = (file.filename or "") if file else typed["name"]
        with outcome, bureau().office.act(me(), idem()) as act:
            done = definitions.propose(act, bureau().cases, raw, name.rpartition("/")[2], typed["reason"])
        if done is not None:
            flash(_("Recorded."))
            return redirect(url_for("definitions.show", number=done["number"]))
    return render_template("definition_new.html", typed=typed, errors=outcome.errors, trouble=outcome.trouble, files=definitions.FILES), outcome.status


@bp.get("/<int(max=999999999999999999):number>")
def show(number: int) -> ResponseReturnValue:
    """What it changes, both drawings marked, what the lint says, and (`?last=20`) the dry run."""
    reads(me())
    made, last = bureau(), whole(request.args.get("last"), 0, dry_run.MOST) if request.args.get("last") else 0
    with made.office.snapshot() as conn:
        one = definitions.row(conn, number)
        changes = definitions.compared(conn, made.cases, one)
        texts = [definitions.text(conn, made.cases, one["kind"], one["key"], one[name]) for name in ("before", "digest")]
        findings = findings_of(conn, one)
        trials = dry_run.run(conn, made.office.keys.on(conn), made.cases, one, last) if last else []
        people = wording.names_of(conn, [who for who in (one["proposed_by"], one["settled_by"]) if who])
    open_ = one["state"] == "proposed"
    mine, decides = one["proposed_by"] == me().id, _may(definitions.DECIDERS)
    return render_template("definition.html", one=one, changes=changes, pictures=pictures(texts, changes) if one["kind"] == "drawing" else [], findings=findings, people=people,
                           trials=[verdict(me(), t) for t in trials], counts=dry_run.counts(trials) if last else None, last=last or dry_run.LAST, kinds=definitions.KINDS, states=STATES,
                           words=CHANGES, parts=PARTS, results=RESULTS, titles=CATALOGUE, tables=_tables(), may_confirm=decides and open_ and not mine,
                           may_withdraw=(open_ and (mine or decides)) or (one["state"] == "confirmed" and decides and one["from_on"] > made.office.today().isoformat()))  # fmt: skip


def pictures(texts: Sequence[bytes], changes: Sequence[Difference]) -> list[str]:
    """Both drawings as SVG: what the other lacks, and what differs."""
    found = []
    for place, (xml, gone, title) in enumerate(zip(texts, ("removed", "added"), (_("Before"), _("After")), strict=True)):
        here = [one for one in changes if one.change in (gone, "changed")]
        marks = svg.Marks(looks={one.id: one.change for one in here if one.part == "node"}, flows=frozenset(one.id for one in here if one.part == "flow"), compared=True)
        found.append(svg.render(xml, marks, title=title, lang=lang(), name="ba"[place]))
    return found


@bp.get("/<int(max=999999999999999999):number>/text")
def show_text(number: int) -> ResponseReturnValue:
    reads(me())
    return text_file(number)


def text_file(number: int) -> Response:
    """The file as it was handed in."""
    made = bureau()
    with made.office.read() as conn:
        one = definitions.row(conn, number)
        raw = definitions.text(conn, made.cases, one["kind"], one["key"], one["digest"])
    ending = {"drawing": ".bpmn", "table": ".dmn", "law": ""}[one["kind"]]
    return Response(raw, mimetype="text/plain" if one["kind"] == "law" else "application/xml", headers={"Content-Disposition": f'attachment; filename="{one["key"]}{ending}"'})


@bp.route("/<int(max=999999999999999999):number>/confirm", methods=["GET", "POST"])
def confirm(number: int) -> ResponseReturnValue:
    _known(number)
    back = url_for("definitions.show", number=number)
    return _page(Confirmation, _("Put deployment %(n)s in force", n=number), lambda act, typed: definitions.confirm(act, bureau().cases, number, day_of(typed.get("from_on"))), back)


def day_of(typed: Any) -> date | None:
    """Raises Invalid."""
    return typed if isinstance(typed, date) else parameters.day_of("from_on", typed) if typed else None


@bp.route("/<int(max=999999999999999999):number>/withdraw", methods=["GET", "POST"])
def withdraw(number: int) -> ResponseReturnValue:
    _known(number)
    return _page(Withdrawal, _("Withdraw deployment %(n)s", n=number), lambda act, typed: definitions.withdraw(act, number, typed["reason"]), url_for("definitions.show", number=number))


def _known(number: int) -> None:
    reads(me())
    with bureau().office.read() as conn:
        definitions.row(conn, number)


@bp.route("/migrations/new", methods=["GET", "POST"])
def migrate() -> ResponseReturnValue:
    """The dry run first; with the verdicts before him, the administrator proposes it."""
    reads(me())
    outcome, found, made = Told(), None, bureau()
    form = Migration(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(Migration, request.form)
    with outcome:
        if request.method == "POST":
            answers = understand(form, typed)
            here, there = wanted(answers["process"], answers["here"], answers["there"])
            found = case_migrations.look(made.office, made.cases, answers["process"], here, there)
            if request.form.get("as") == "propose":
                with made.office.act(me(), idem()) as act:
                    done = proposed(act, answers["process"], here, there, answers["ground"], found)
                flash(_("Recorded."))
                return redirect(url_for("definitions.migration", number=done["number"]))
    renamed = {{"from": "here", "to": "there"}.get(name, name): texts for name, texts in outcome.errors.items()}
    shown = None if found is None else [{"no": one.no, "can": one.can, "why": [either(h.zh, h.en) for h in one.hindrances]} for one in found[:500]]
    return render_template("migration_new.html", form=form, values=typed, errors=renamed, trouble=outcome.trouble, found=shown, total=len(found or ()), can=sum(one.can for one in found or ()),
                           may_propose=_may(definitions.PROPOSERS)), outcome.status  # fmt: skip


@bp.get("/migrations/<int(max=999999999999999999):number>")
def migration(number: int) -> ResponseReturnValue:
    reads(me())
    with bureau().office.read() as conn:
        one = case_migrations.row(conn, number)
        found = case_migrations.items(conn, number, page=whole(request.args.get("page"), 1, 100_000), size=SHOWN)
        progress = case_migrations.progress(conn, number)
        people = wording.names_of(conn, [who for who in (one["proposed_by"], one["settled_by"]) if who])
    rows = [{**item(row), "why": [either(h["zh"], h["en"]) for h in json.loads(row["why"])]} for row in found.items]
    mine, decides, open_ = one["proposed_by"] == me().id, _may(definitions.DECIDERS), one["state"] == "proposed"
    return render_template("migration.html", one=one, found=found, rows=rows, progress=progress, people=people, states=STATES, items=ITEMS, may_confirm=open_ and decides and not mine,
                           may_withdraw=open_ and (mine or decides))  # fmt: skip


@bp.route("/migrations/<int(max=999999999999999999):number>/confirm", methods=["GET", "POST"])
def confirm_migration(number: int) -> ResponseReturnValue:
    return _migration_page(number, Agreement, _("Confirm migration %(n)s", n=number), lambda act, _typed: case_migrations.confirm(act, number))


@bp.route("/migrations/<int(max=999999999999999999):number>/withdraw", methods=["GET", "POST"])
def withdraw_migration(number: int) -> ResponseReturnValue:
    return _migration_page(number, Withdrawal, _("Withdraw migration %(n)s", n=number), lambda act, typed: case_migrations.withdraw(act, number, typed["reason"]))


def _migration_page(number: int, form_class: type[Form], title: str, work: Callable[[Act, Mapping[str, Any]], Any]) -> ResponseReturnValue:
    reads(me())
    with bureau().office.read() as conn:
        case_migrations.row(conn, number)
    return _page(form_class, title, work, url_for("definitions.migration", number=number))


def _page(form_class: type[Form], title: str, work: Callable[[Act, Mapping[str, Any]], Any], back: str) -> ResponseReturnValue:
    made, outcome = bureau(), Told()
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(form_class, request.form)
    if request.method == "POST":
        with outcome, made.office.act(me(), idem()) as act:
            work(act, understand(form, typed))
        if outcome.status == 200:
            flash(_("Recorded."))
            return redirect(back)
    return render_template("form_page.html", title=title, form=form, values=typed, errors=outcome.errors, trouble=outcome.trouble, papers=[], colleagues=[], back=back), outcome.status

