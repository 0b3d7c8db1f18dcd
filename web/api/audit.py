"""API: the auditor's workbench. Auditors only."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import Invalid
from engine.model import SHANGHAI
from processes import audit, audit_lists, audit_reads, event_log
from processes.audit import auditor
from web import audit as pages
from web.api import schemas
from web.api.desk import me, once, say
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_audit", __name__, url_prefix="/api/v1/audit", description="Anomalies, random samples, event log, conformance, read log")

_s, _n, _many = schemas.said_text, schemas.said_number, schemas.said_list
_DAY = {"most": 10, "example": "2018-12-03"}
_EXAMPLE = {"purpose": "四季度例行抽查", "unit": "120116011", "process": "dibao-2012", "basis": "opened", "from_on": "2018-11-01", "size": 10, "strata": ["outcome"]}


# -- query strings and bodies


class ListQuery(schemas.Paging):
    """The parameters stand for this one look; the office's own are YINGBAO_AUDIT."""

    process = schemas.text("key of a process", example="dibao-2012")
    seconds = schemas.text("quick: an approval that took less", most=7)
    late_days = schemas.text("late: days past the last day that are let pass", most=7)
    band_yuan = schemas.text("unlike: width of a band of income per head", most=7)
    place = schemas.one_of(*audit_lists.PLACES, about="unlike: compared within")
    share_percent = schemas.text("skipped_visits: share of spot-check visits; 0: the law's", most=7)


class SampleIn(schemas.Strict):
    """The population, and how many of it."""

    purpose = schemas.text("what the sample is for", required=True, most=400)
    unit = schemas.text("it and those below it", required=True, most=20)
    process = schemas.text("key of a process; all when left out")
    basis = schemas.one_of(*audit.BASES, about="what the period is about; opened when left out")
    from_on = schemas.text("first day", **_DAY)  # type: ignore[arg-type]
    until_on = schemas.text("last day", **_DAY)  # type: ignore[arg-type]
    outcome = schemas.text("the end event, or open")
    category = schemas.text("as it was computed: dibao, low_income, refused_income …")
    size = schemas.bounded(1, audit.MOST_SIZE, 1, "how many cases")
    strata = fields.List(schemas.one_of(*audit.STRATA), load_default=list, metadata={"description": "one case at least from each stratum, the rest in proportion"})


class Period(schemas.Strict):
    """Cases that began in the period, whole."""

    process = schemas.text("key of a process; all when left out")
    from_on = schemas.text("first day", **_DAY)  # type: ignore[arg-type]
    until_on = schemas.text("last day", **_DAY)  # type: ignore[arg-type]


class LogQuery(schemas.Paging):
    who = schemas.text("login")
    event = schemas.text("what was done")
    case = schemas.text("number of a case", most=40)
    from_on = schemas.text("first day", **_DAY)  # type: ignore[arg-type]
    until_on = schemas.text("last day", **_DAY)  # type: ignore[arg-type]


# -- answers


class AnomalyList(schemas.Said):
    key = _s(example="late")
    title = _s()
    rule = _s("what it finds")
    parameters = schemas._object("name -> value that it goes by")
    findings = _n()


class Finding(schemas.Said):
    case = _s("number of the case; none where it is about a street", none=True)
    unit = _s()
    what = schemas._object("the figures behind it")
    task = _s("key of the task", none=True)
    seq = _n("number of the entry", none=True)
    also = _many(fields.String(), "the other cases that it is about")


class DrawnCase(schemas.Said):
    place = _n("in the order of the draw")
    case = _s()
    stratum = _s()


class SampleRow(schemas.Said):
    no = _s(example="SJ-2018-000123")
    unit = _s()
    purpose = _s()
    size = _n()
    population = _n("cases")
    population_hash = _s()
    commitment = _s()
    seed = _s("hex; none until the draw", none=True)
    made_by = _s()
    made_on = _s()
    drawn_by = _s(none=True)
    drawn_on = _s(none=True)
    state = _s("committed | drawn")
    definition = schemas._object("what was committed to, beside the seed")
    drawn = _many(DrawnCase)


class SampleCommitted(schemas.Said):
    sample = _s()
    population = _n()
    commitment = _s()


class SampleDrawn(schemas.Said):
    sample = _s()
    drawn = _many(fields.String())


class SampleCheck(schemas.Said):
    name = _s()
    text = _s()
    good = fields.Boolean(required=True, allow_none=True, metadata={"description": "none: nothing to compare before the draw"})
    detail = _s()


class SampleChecked(schemas.Said):
    good = schemas._b()
    checks = _many(SampleCheck)


class PopulationCase(schemas.Said):
    no = _s()
    seq = _n("of its latest entry when the list was made")
    head = _s("hash of that entry; empty when it is not on the record any more")
    stratum = _s()


class Deviates(schemas.Said):
    kind = _s("unknown | skipped | extra | out_of_order | unfinished | beyond_end")
    activity = _s()
    position = _n("of the event, from 1")
    ref = _s("entry, or line of the file")


class Deviating(schemas.Said):
    case = _s()
    process = _s()
    fitness = fields.Float(required=True)
    events = _n()
    deviations = _many(Deviates)


class Conformance(schemas.Said):
    cases = _n()
    deviating = _n()
    fitness = fields.Float(required=True, metadata={"description": "mean over the cases, 0 to 1"})
    cut = schemas._b()
    items = _many(Deviating)


class LogLine(schemas.Said):
    at = _s()
    who = _s()
    on_behalf_of = _s()
    unit = _s()
    event = _s()
    data = schemas._object("as it stands in the entry")
    about = schemas._object("where it leads")
    record = _n()
    seq = _n()
    reason = _s("none: none was given; empty: erased", none=True)


# -- anomalies


@operation(blp, "GET", "/lists", schemas.paged(AnomalyList), replies=(403,))
def lists() -> Any:
    """The lists of anomalies of your area, with their rules and numbers."""
    who, settings = auditor(me()), bureau().settings.audit
    with bureau().office.read() as conn:
        numbers = audit_lists.counts(conn, audit_lists.Scope(who.areas, bureau().office.today(), settings, keys=bureau().office.keys))
    found = [{"key": one.key, "title": say(one.zh, one.en), "rule": say(one.rule_zh, one.rule_en), "findings": numbers[one.key],
              "parameters": {name: getattr(settings, name) for name in one.parameters}} for one in audit_lists.LISTS.values()]  # fmt: skip
    return schemas.cut(found, 1, schemas.MAX_SIZE)


@operation(blp, "GET", "/lists/<name:key>", schemas.paged(Finding), asks=ListQuery, replies=(403, 404))
def findings(key: str, asked: dict[str, Any]) -> Any:
    """The findings of a list."""
    who, process = auditor(me()), asked.get("process")
    settings = pages.parameters(asked)
    with bureau().office.read() as conn:
        found = pages.found(conn, who, key, settings, process, asked["page"], asked["size"])
    hits: list[Any] = found.items
    items = [{"case": hit.no or None, "unit": hit.unit, "what": dict(hit.what), "task": hit.task, "seq": hit.seq, "also": list(hit.also)} for hit in hits]
    return schemas.listed(items, found.total, found.page, found.size)


# -- samples


@operation(blp, "GET", "/samples", schemas.paged(SampleRow), asks=schemas.Paging, replies=(403,))
def samples(asked: dict[str, Any]) -> Any:
    """Every sample of your area, drawn or not, the newest first."""
    who = auditor(me())
    with bureau().office.read() as conn:
        found = audit.samples(conn, who.areas, asked["page"], asked["size"])
        items = [pages.sample_told(conn, row) for row in found.items]
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/samples", SampleCommitted, status=201, takes=SampleIn, example=_EXAMPLE, replies=(404,))
def commit(said: dict[str, Any]) -> Any:
    """Fix the population as it stands now, and commit to a random seed. The cases are not drawn yet."""
    auditor(me())
    return once(said, lambda act: audit.commit_seed(act, pages.population(said), said["size"], said["strata"], said["purpose"]))


@operation(blp, "GET", "/samples/<no:no>", SampleRow, replies=(403, 404))
def sample(no: str) -> Any:
    """A sample; its seed and its cases from the draw on."""
    who = auditor(me())
    with bureau().office.read() as conn:
        return pages.sample_told(conn, audit.sample(conn, who.areas, no))


@operation(blp, "POST", "/samples/<no:no>/draw", SampleDrawn, optional=True, replies=(404,))
def draw(no: str) -> Any:
    """Reveal the seed and list the cases."""
    auditor(me())
    return once({"sample": no}, lambda act: audit.draw_sample(act, no))


@operation(blp, "GET", "/samples/<no:no>/check", SampleChecked, replies=(403, 404))
def check(no: str) -> Any:
    """Compute it again from the record."""
    who = auditor(me())
    checks = audit.verify(bureau().office, no, who.areas)
    return {"good": all(one.good is not False for one in checks),
            "checks": [{"name": one.name, "text": say(one.zh, one.en), "good": one.good, "detail": one.detail} for one in checks]}  # fmt: skip


@operation(blp, "GET", "/samples/<no:no>/population", schemas.paged(PopulationCase), asks=schemas.Paging, replies=(403, 404))
def population(no: str, asked: dict[str, Any]) -> Any:
    """The population as it was committed to, in its order: with it anybody computes the hash and the draw."""
    who = auditor(me())
    with bureau().office.read() as conn:
        listed = audit.population_of(conn, audit.sample(conn, who.areas, no)["id"])
    return schemas.cut([{"no": one.no, "seq": one.seq, "head": one.head, "stratum": one.stratum} for one in listed], asked["page"], asked["size"])


# -- event log and conformance


@operation(blp, "GET", "/log/<name:kind>", tuple(event_log.FORMATS.values()), asks=Period, replies=(403, 404))
def log(kind: str, asked: dict[str, Any]) -> Any:
    """The event log as `xes` (IEEE 1849-2016) or `csv`: ids, posts, units and times, no personal data. That you took it is written down."""
    who = auditor(me())
    return pages.log_response(kind, who, pages.log_wanted(who, asked.get("process"), asked.get("from_on"), asked.get("until_on")))


@operation(blp, "GET", "/conformance", Conformance, asks=Period, replies=(403, 404))
def conformance(asked: dict[str, Any]) -> Any:
    """Our cases against the drawings that they name, the latest 2,000 of the choice; `cut`: there are more."""
    who = auditor(me())
    wanted = pages.log_wanted(who, asked.get("process"), asked.get("from_on"), asked.get("until_on"))
    with bureau().office.read() as conn:
        found, cut = pages.held(conn, wanted)
    return pages.held_told(found, cut=cut)


_UPLOAD = {
    "type": "object", "required": ["file", "process"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": "XES, or CSV with the columns case and activity; at most 8 MB"},
                   "process": {"type": "string", "description": "whose present drawing it is held against", "example": "dibao-2012"}}}  # fmt: skip


@operation(blp, "POST", "/conformance", Conformance, sent=_UPLOAD, media="multipart/form-data", replies=(400, 404, 413, 415))
def conformance_of() -> Any:
    """Another system's log against a drawing. Nothing of it is kept."""
    auditor(me())
    if request.mimetype != "multipart/form-data":
        abort(415, description=say("请以 multipart/form-data 提交", "Send multipart/form-data"))
    if unknown := sorted({*request.form, *request.files} - {"file", "process"}):
        raise Invalid({unknown[0][:60]: [say("没有这一项", "Unknown field")]})
    files = request.files.getlist("file")
    if len(files) != 1:
        raise Invalid({"file": [say("请选择一个文件", "One file is needed")]})
    with files[0].stream as stream:
        data = stream.read(event_log.MAX_BYTES + 1)
    return pages.held_told(pages.held_foreign(request.form.get("process", ""), data))


# -- logs


@operation(blp, "GET", "/reads", schemas.paged(LogLine), asks=LogQuery, replies=(403, 404))
def reads(asked: dict[str, Any]) -> Any:
    """Who looked at which document or field, and why. That you looked is written down."""
    who = auditor(me())
    return _told(pages.read_log(me(), pages.logs_wanted(who, asked), asked["page"], asked["size"]))


@operation(blp, "GET", "/admin", schemas.paged(LogLine), asks=LogQuery, replies=(403, 404))
def administered(asked: dict[str, Any]) -> Any:
    """Staff, posts, tokens, substitutes, hand-overs, incidents, standards, samples, the training clock, settings, erasures, accepted differences."""
    who = auditor(me())
    with bureau().office.read() as conn:
        found = audit_reads.administered(conn, bureau().office.keys.on(conn), pages.logs_wanted(who, asked), asked["page"], asked["size"])
    return _told(found)


def _told(found: Any) -> Any:
    items = [{"at": one.at.astimezone(SHANGHAI).isoformat(), "who": one.who, "on_behalf_of": one.on_behalf_of, "unit": one.unit, "event": one.event, "data": dict(one.data),
              "about": dict(one.about), "record": one.record_id, "seq": one.seq, "reason": one.reason} for one in found.items]  # fmt: skip
    return schemas.listed(items, found.total, found.page, found.size)
