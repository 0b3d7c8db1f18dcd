"""审计工作台: lists of anomalies, random samples, event log and conformance, who read what, who administered what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.errors import Invalid, NotFound, Refused
from engine.model import Actor
from engine.queries import Page
from processes import audit, audit_lists, audit_reads, conformance, event_log, organisation, readers
from processes.audit import auditor
from processes.audit_lists import LISTS, Parameters, Scope
from processes.bureau import CATALOGUE
from web import wording
from web.desk import bureau, either, idem, lang, me, whole
from web.errors import said, words

bp = Blueprint("audit", __name__, url_prefix="/audit")

SHOWN = 50
MOST_HELD = 2_000  # cases that the page of conformance looks at; the command line takes all
_DEVIATIONS: Mapping[str, LazyString] = {
    "unknown": lazy_gettext("The drawing does not have this activity"), "skipped": lazy_gettext("Left out"), "extra": lazy_gettext("Not possible there"),
    "out_of_order": lazy_gettext("Out of order"), "unfinished": lazy_gettext("Missing at the end"), "beyond_end": lazy_gettext("After the end"),
}  # fmt: skip
_WAYS: Mapping[str, LazyString] = {
    "transfer": lazy_gettext("transfer"), "delegation": lazy_gettext("delegation"), "hand-over": lazy_gettext("hand-over of a leaver's work"),
    "substitution": lazy_gettext("substitution"), "signature": lazy_gettext("added signer"),
}  # fmt: skip
_HOW: Mapping[str, LazyString] = {"declared": lazy_gettext("declared by the household"), "found": lazy_gettext("found by the staff member's own declaration"),
                                  "member": lazy_gettext("is a member of the household")}  # fmt: skip
_LACKING: Mapping[str, LazyString] = {"home_survey": lazy_gettext("home survey"), "survey_cosign": lazy_gettext("second investigator's signature"),
                                      "spot_check_visit": lazy_gettext("district's spot-check visit"), "rate": lazy_gettext("rate of spot-check visits")}  # fmt: skip
PARAMETERS: Mapping[str, LazyString] = {"seconds": lazy_gettext("Seconds"), "late_days": lazy_gettext("Days that are let pass"), "band_yuan": lazy_gettext("Width of a band (yuan)"),
                                        "place": lazy_gettext("Compared within"), "share_percent": lazy_gettext("Share in percent (0: the law's)")}  # fmt: skip
PLACES: Mapping[str, LazyString] = {"community": lazy_gettext("a community"), "street": lazy_gettext("a street"), "district": lazy_gettext("the district")}
STRATA: Mapping[str, LazyString] = {"process": lazy_gettext("Procedure"), "street": lazy_gettext("Street"), "outcome": lazy_gettext("Outcome"), "category": lazy_gettext("Calculated category")}


# -- what pages and API share


def parameters(asked: Mapping[str, str]) -> Parameters:
    """The office's parameters with what the auditor asked for this once."""
    return Parameters.understood({name: asked[name] for name in PARAMETERS if asked.get(name)}, bureau().settings.audit)


def found(conn: Connection, who: Actor, key: str, settings: Parameters, process: str | None, page: int, size: int) -> Page:
    """A page of a list of anomalies, each with its entry."""
    if key not in LISTS:
        raise NotFound("没有这个页面")
    hits = LISTS[key].find(conn, Scope(who.areas, bureau().office.today(), settings, process, bureau().office.keys))
    shown = audit_lists.located(conn, hits[(page - 1) * size : page * size])
    return Page(shown, len(hits), page, size)  # type: ignore[arg-type]


def population(asked: Mapping[str, Any]) -> audit.Population:
    """Out of what a form or a body says; empty parts are left out."""
    given = {name: str(asked[name]).strip() for name in ("unit", "process", "basis", "from_on", "until_on", "outcome", "category") if asked.get(name)}
    if (process := given.get("process")) is not None and process not in CATALOGUE:
        raise NotFound(f"没有这项业务：{process}")
    return audit.Population(**given)


def sample_told(conn: Connection, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A sample in JSON."""
    told = {name: row[name] for name in ("no", "unit", "purpose", "size", "population", "population_hash", "commitment", "seed", "made_by", "made_on", "drawn_by", "drawn_on")}
    drawn = [{"place": c["place"], "case": c["case_no"], "stratum": c["stratum"]} for c in audit.drawn_cases(conn, row["id"])]
    return {**told, "state": "committed" if row["seed"] is None else "drawn", "definition": json.loads(row["definition"]), "drawn": drawn}


def log_wanted(who: Actor, process: str | None, from_on: str | None, until_on: str | None) -> event_log.Wanted:
    if process and process not in CATALOGUE:
        raise NotFound(f"没有这项业务：{process}")
    return event_log.Wanted(who.areas, process or None, audit_reads.day("from_on", from_on), audit_reads.day("until_on", until_on))


def log_response(kind: str, who: Actor, wanted: event_log.Wanted) -> Response:
    """The log as a file, streamed a case at a time; that it was taken stands in the reader's own record."""
    if kind not in event_log.FORMATS:
        raise NotFound("没有这个页面")
    made = bureau()
    with made.office.act(who) as act:
        readers.note(act, "log_exported", {"format": kind, "process": wanted.process, "from": _iso(wanted.from_on), "to": _iso(wanted.until_on)})

    def pieces() -> Iterator[bytes]:
        with made.office.read() as conn:
            cases = event_log.traces(conn, lambda digest: made.cases.drawing(conn, digest), wanted)
            for piece in event_log.chunks(kind, cases):
                yield piece.encode()

    headers = {"Content-Disposition": f'attachment; filename="yingbao-log.{kind}"'}
    return Response(stream_with_context(pieces()), mimetype=event_log.FORMATS[kind], headers=headers)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def held(conn: Connection, wanted: event_log.Wanted) -> tuple[list[event_log.Held], bool]:
    """Our cases against their drawings, the latest first, at most MOST_HELD of them; and whether there were more."""
    rows = event_log.newest(conn, wanted, MOST_HELD + 1)
    drawings = lambda digest: bureau().cases.drawing(conn, digest)  # noqa: E731 - read with this connection
    found: list[event_log.Held] = []
    for start in range(0, min(len(rows), MOST_HELD), event_log.BATCH):
        part = rows[start : min(start + event_log.BATCH, MOST_HELD)]
        found += event_log.conform(drawings, event_log.of_cases(conn, drawings, part))
    return found, len(rows) > MOST_HELD


def held_foreign(process: str, data: bytes) -> list[event_log.Held]:
    """Another system's log against the present drawing of a process."""
    if process not in CATALOGUE:
        raise NotFound(f"没有这项业务：{process}")
    model = conformance.model(CATALOGUE[process].drawing.xml)
    return event_log.conform_foreign(model, event_log.parse(data), process)


def held_told(cases: Sequence[event_log.Held], *, cut: bool = False) -> dict[str, Any]:
    """In JSON: the sums, and each case that deviates."""
    odd = [one for one in cases if not one.verdict.fits]
    return {
        "cases": len(cases), "deviating": len(odd), "fitness": round(float(conformance.fitness_of([one.verdict for one in cases])), 6), "cut": cut,
        "items": [{"case": one.no, "process": one.process, "fitness": round(float(one.verdict.fitness), 6), "events": one.verdict.events,
                   "deviations": [{"kind": d.kind, "activity": d.activity, "position": d.position, "ref": d.ref} for d in one.verdict.deviations]} for one in odd],
    }  # fmt: skip


def logs_wanted(who: Actor, asked: Mapping[str, Any]) -> audit_reads.Wanted:
    part = {name: str(asked[name]).strip() or None for name in ("who", "event", "case") if asked.get(name)}
    return audit_reads.Wanted(who.areas, **part, from_on=audit_reads.day("from_on", asked.get("from_on")), until_on=audit_reads.day("until_on", asked.get("until_on")))


def read_log(who: Actor, wanted: audit_reads.Wanted, page: int, size: int) -> Page:
    """A page of the read log. It shows reasons, so looking at it is itself written down."""
    made = bureau()
    with made.office.read() as conn:
        found = audit_reads.reads(conn, made.office.keys.on(conn), wanted, page, size)
    with made.office.act(who) as act:
        readers.note(act, "read_log_read", {"who": wanted.who, "case": wanted.case, "page": page})
    return found


# -- pages


@bp.before_request
def _only_auditors() -> None:
    """Every page here, whatever its method, before anything of it is read."""
    if me():
        auditor(me())


def who() -> Actor:
    return auditor(me())


@bp.get("/")
def show() -> ResponseReturnValue:
    """The lists with their numbers."""
    with bureau().office.read() as conn:
        numbers = audit_lists.counts(conn, Scope(who().areas, bureau().office.today(), bureau().settings.audit, keys=bureau().office.keys))
    return render_template("audit.html", lists=LISTS, numbers=numbers)


@bp.get("/lists/<key>")
def listing(key: str) -> ResponseReturnValue:
    asked = request.args
    if key not in LISTS:
        raise NotFound("没有这个页面")
    wrong, settings = dict[str, list[str]](), bureau().settings.audit
    try:
        settings = parameters(asked)
    except Invalid as error:
        wrong = error.fields
    process = asked.get("process") if asked.get("process") in CATALOGUE else None
    with bureau().office.read() as conn:
        hits = found(conn, who(), key, settings, process, whole(asked.get("page"), 1, 100_000), SHOWN)
        shown: list[Any] = hits.items
        people = wording.names_of(conn, [hit.what.get("by") for hit in shown])
        rows = [{"hit": hit, "place": organisation.unit_name(conn, hit.unit), "lines": lines(conn, key, hit, people)} for hit in shown]
    return render_template("audit_list.html", key=key, one=LISTS[key], found=hits, rows=rows, settings=settings, names=PARAMETERS, places=PLACES, process=process,
                           processes=CATALOGUE, wrong=wrong, typed=asked), 422 if wrong else 200  # fmt: skip


def lines(conn: Connection, key: str, hit: audit_lists.Hit, people: Mapping[str, str]) -> list[tuple[str, str]]:  # noqa: PLR0911 - one line per list
    """The figures behind a finding, in words: (label, text)."""
    what = hit.what
    by = f"{people.get(what['by'], what['by'])}（{what['by']}）" if what.get("by") else "—"
    match key:
        case "late":
            done = what["done_on"] or _("still open")
            return [(_("Step"), activity(what["node"])), (_("Last day allowed"), what["due_on"]), (_("Done on"), done), (_("Days late"), str(what["days"])), (_("By"), by)]
        case "several_roles":
            roles = _(", ").join(either(*organisation.ROLES.get(role, (role, role))) for role in what["roles"])
            return [(_("Who"), by), (_("In the posts"), roles), (_("Reached by"), _(", ").join(str(_WAYS[way]) for way in what["ways"]))]
        case "quick":
            since = _("from opening the task") if what["from"] == "opened" else _("from its arrival; no opening is known")
            return [(_("Step"), activity(what["node"])), (_("By"), by), (_("Took"), _("%(n)s seconds", n=what["seconds"]) + f" · {since}"), (_("Done on"), what["done_on"])]
        case "skipped_visits":
            found = [(_("Lacking"), _(", ").join(str(_LACKING[name]) for name in what["lacking"]))]
            if "month" in what:
                rate = _("%(drawn)s of %(files)s files, at least %(share)s in a hundred", drawn=what["drawn"], files=what["files"], share=what["share"])
                return [*found, (_("Month"), what["month"]), (_("Drawn"), rate)]
            return [*found, (_("Decided on"), what["decided_on"] or "—"), (_("Outcome"), outcome(what["outcome"])), *([(_("Why"), wording.word("spot", what["why"]))] if what["why"] else [])]
        case "unlike":
            band = _("%(low)s to under %(high)s yuan", low=what["from_yuan"], high=what["below_yuan"])
            alike = [(_("Place"), organisation.unit_name(conn, what["place"])), (_("Members counted"), str(what["members"])), (_("Income per head"), band), (_("Cause of hardship"), what["cause"] or "—")]
            return [*alike, *((_decision(name), _(", ").join(nos[:20]) + ("…" if len(nos) > 20 else "")) for name, nos in what["outcomes"].items())]
        case "undeclared":
            kin = str(_HOW["member"]) if what["relation"] == "self" else wording.word("kin", what["relation"])
            return [(_("Who"), by), (_("Relation"), kin), (_("Step"), activity(what["node"]) if what["node"] else _("did not act in the case"))]
        case _:
            return [(_("Who"), by), (_("Known because"), str(_HOW[what["how"]])), (_("Step"), activity(what["node"]))]


def _decision(name: str) -> str:
    decision, _colon, category = name.partition(":")
    said = {"granted": _("Granted"), "refused": _("Refused")}.get(decision, decision)
    return f"{said} · {wording.word('category', category)}" if category else said


def activity(node: str) -> str:
    """A node of whatever process, in words."""
    for process in CATALOGUE.values():
        if (one := process.drawing.nodes.get(node)) is not None and one.name:
            return either(one.name, one.name_en)
        if node in process.messages:
            return next((either(n.name, n.name_en) for n in process.drawing.nodes.values() if n.id == node), node)
    return _("Application") if node == "start" else node


def outcome(code: str | None) -> str:
    return _("under way") if code in (None, audit.STILL_OPEN) else {"granted": _("Granted"), "refused": _("Refused")}.get(str(code)) or activity(str(code))


# -- samples


@bp.get("/samples")
def samples() -> ResponseReturnValue:
    return _samples({}, {})


def _samples(typed: Mapping[str, Any], errors: Mapping[str, list[str]], status: int = 200) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        listed = audit.samples(conn, who().areas, whole(request.args.get("page"), 1, 100_000), SHOWN)
        units = organisation.units(conn, who().areas)
        units = [unit for unit in units if unit["level"] in ("district", "street")]
        people = wording.names_of(conn, [row["made_by"] for row in listed.items])
        outcomes = audit.outcomes(conn, who().areas)
    return render_template("audit_samples.html", found=listed, units=units, people=people, outcomes=[audit.STILL_OPEN, *outcomes], outcome=outcome, strata=STRATA, processes=CATALOGUE,
                           categories=wording.CODES["category"], typed=typed, errors=errors, chosen=request.form.getlist("strata")), status  # fmt: skip


@bp.post("/samples")
def commit() -> ResponseReturnValue:
    """Fix the population and commit to a seed."""
    typed = request.form
    size = whole(typed.get("size"), 0, audit.MOST_SIZE + 1)
    try:
        with bureau().office.act(me(), idem()) as act:
            told = audit.commit_seed(act, population(typed), size, typed.getlist("strata"), typed.get("purpose", ""))
    except Invalid as error:
        return _samples(typed, said(error, lang()), 422)
    except Refused as error:
        return _samples(typed, {"unit": [words(error, lang())]}, 403)
    flash(_("The seed is committed to: %(n)s cases. Nobody knows yet which of them will be drawn.", n=told["population"]))
    return redirect(url_for("audit.sample", no=told["sample"]))


@bp.get("/samples/<no>")
def sample(no: str) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = audit.sample(conn, who().areas, no)
        cases = audit.drawn_cases(conn, row["id"])
        people = wording.names_of(conn, [row["made_by"], row["drawn_by"]])
        place = organisation.unit_name(conn, row["unit"])
        places = {code: organisation.unit_name(conn, code) for code in {case["unit"] for case in cases}}
    definition = json.loads(row["definition"])
    checks = audit.verify(made.office, no, who().areas) if request.args.get("check") else None
    return render_template("audit_sample.html", row=row, definition=definition, cases=cases, people=people, place=place, places=places, checks=checks, outcome=outcome, strata=STRATA,
                           stratum=_stratum, processes=CATALOGUE)  # fmt: skip


def _stratum(names: Sequence[str], text: str) -> str:
    """A stratum in words: its parts in the order of its definition."""
    found = []
    for name, part in zip(names, text.split("/"), strict=False):
        match name:
            case "process":
                found.append(either(CATALOGUE[part].title, CATALOGUE[part].title_en) if part in CATALOGUE else part)
            case "outcome":
                found.append(outcome(part))
            case "category":
                found.append(wording.word("category", part) if part != "none" else "—")
            case _:
                found.append(part)
    return " · ".join(found)


@bp.post("/samples/<no>/draw")
def draw(no: str) -> ResponseReturnValue:
    """Reveal the seed and list the cases."""
    with bureau().office.act(me(), idem()) as act:
        told = audit.draw_sample(act, no)
    flash(_("%(n)s cases are drawn.", n=len(told["drawn"])))
    return redirect(url_for("audit.sample", no=no))


@bp.get("/samples/<no>/population.csv")
def population_file(no: str) -> ResponseReturnValue:
    """The whole population as it was committed to, for whoever wants to compute the draw again."""
    with bureau().office.read() as conn:
        listed = audit.population_of(conn, audit.sample(conn, who().areas, no)["id"])
    text = "\ufeffno,seq,head,stratum\r\n" + "".join(f"{one.no},{one.seq},{one.head},{event_log.harmless(one.stratum)}\r\n" for one in listed)
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{no}-population.csv"'})


# -- event log and conformance


@bp.get("/log.<kind>")
def log(kind: str) -> ResponseReturnValue:
    asked = request.args
    return log_response(kind, who(), log_wanted(who(), asked.get("process"), asked.get("from_on"), asked.get("until_on")))


@bp.route("/conformance", methods=["GET", "POST"])
def conform() -> ResponseReturnValue:
    """Our cases, or with POST the log that was uploaded."""
    asked = request.form if request.method == "POST" else request.args
    shown: dict[str, Any] = {"processes": CATALOGUE, "words": _DEVIATIONS, "activity": activity, "typed": asked, "wrong": {}, "most": MOST_HELD, "told": None}
    try:
        if request.method == "POST":
            file = request.files.get("file")
            shown["told"] = held_told(held_foreign(asked.get("process", ""), file.read(event_log.MAX_BYTES + 1) if file else b""))
        else:
            wanted = log_wanted(who(), asked.get("process"), asked.get("from_on"), asked.get("until_on"))
            with bureau().office.read() as conn:
                cases, cut = held(conn, wanted)
            shown["told"] = held_told(cases, cut=cut)
    except Invalid as error:
        shown["wrong"] = said(error, lang())
    return render_template("audit_conformance.html", foreign=request.method == "POST", **shown), 422 if shown["wrong"] else 200


# -- logs


@bp.get("/reads")
def reads() -> ResponseReturnValue:
    return _log_page("reads")


@bp.get("/admin")
def administered() -> ResponseReturnValue:
    return _log_page("admin")


def _log_page(kind: str) -> ResponseReturnValue:
    made, asked, wrong = bureau(), request.args, dict[str, list[str]]()
    page, listed = whole(asked.get("page"), 1, 100_000), Page([], 0, 1, SHOWN)
    try:
        wanted = logs_wanted(who(), asked)
        if kind == "reads":
            listed = read_log(me(), wanted, page, SHOWN)
        else:
            with made.office.read() as conn:
                listed = audit_reads.administered(conn, made.office.keys.on(conn), wanted, page, SHOWN)
    except Invalid as error:
        wrong = said(error, lang())
    except NotFound as error:
        wrong = {"case": [words(error, lang())]}
    shown: list[Any] = listed.items
    with made.office.read() as conn:
        people = wording.names_of(conn, [name for one in shown for name in (one.who, one.on_behalf_of, one.about.get("login"))])
    events = audit_reads.READS if kind == "reads" else audit_reads.ADMIN
    return render_template("audit_log.html", kind=kind, found=listed, people=people, events=events, typed=asked, wrong=wrong,
                           fields={"address": _("Address"), "phone": _("Phone"), "bank_account": _("Bank account"), "hardship_cause": _("Cause of hardship"), "id_no": _("ID number"), "health": _("Health"), "labour_ability": _("Labour ability")}), 422 if wrong else 200  # fmt: skip
