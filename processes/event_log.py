"""The event log of cases for process mining: XES (IEEE 1849-2016) and CSV out, both back in.

Made from the sealed bodies of entries alone, nothing is decrypted: ids, logins, posts, units, times; no names, no opinions,
no facts. A trace is a case, whole: period, process and area choose cases by the day on which they began. One entry makes
several events (a task is completed, a service ran, others opened), in the order of the record and with its time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree
from sqlalchemy import Connection, Select, select

from engine import store
from engine.errors import Invalid
from engine.model import SHANGHAI, Data, read_body
from engine.queries import Area, within
from processes import conformance
from processes.conformance import Model, Seen

BATCH = 200  # cases that are read at once
MAX_BYTES, MAX_EVENTS = 8 * 1024 * 1024, 200_000  # of a log that somebody uploads
FORMATS = {"xes": "application/xml", "csv": "text/csv"}
COLUMNS = ("case", "seq", "process", "drawing", "case_unit", "activity", "name", "lifecycle", "at", "resource", "on_behalf_of", "role", "unit", "event", "due_on", "leaf")
_AROUND = {"task_claimed": "assign", "task_released": "reassign", "task_transferred": "reassign", "task_delegated": "reassign",
           "tasks_handed_over": "reassign", "task_submitted": "unknown", "task_taken_back": "pi_abort", "task_late": "unknown",
           "task_escalated": "unknown", "task_manned": "unknown", "deadline_recomputed": "unknown"}  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")  # how a cell begins that a spreadsheet would calculate


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases; every part but the area may be left out. Days in Asia/Shanghai, the last one included."""

    area: Area
    process: str | None = None
    from_on: date | None = None
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    activity: str
    name: str  # as the drawing has it
    lifecycle: str  # XES's standard transitional model
    at: datetime
    resource: str
    on_behalf_of: str
    role: str  # the post of the activity's lane
    unit: str  # of the post in which it was done
    event: str  # as the record calls it
    due_on: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Trace:
    id: int
    no: str
    process: str
    drawing: str
    unit: str
    closed: bool
    events: list[Event] = field(default_factory=list)

    def seen(self) -> list[Seen]:
        return [Seen(e.activity, e.lifecycle, e.at.isoformat(), str(e.seq)) for e in self.events]


Drawings = Callable[[str], Any]  # digest -> engine.bpmn.Drawing


def chosen(wanted: Wanted) -> Select[Any]:
    """The rows of `record` of the cases that are wanted, without an order."""
    row = store.record.c
    query = select(store.record).where(row.kind == "case", within(row.unit, wanted.area))
    if wanted.process:
        query = query.where(row.process == wanted.process)
    if wanted.from_on:
        query = query.where(row.opened_at >= midnight(wanted.from_on))
    if wanted.until_on:
        query = query.where(row.opened_at < midnight(wanted.until_on + timedelta(days=1)))
    return query


def newest(conn: Connection, wanted: Wanted, most: int) -> Sequence[Mapping[Any, Any]]:
    """Rows of `record`, the latest case first."""
    return conn.execute(chosen(wanted).order_by(store.record.c.id.desc()).limit(most)).mappings().all()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def traces(conn: Connection, drawings: Drawings, wanted: Wanted) -> Iterator[Trace]:
    """Cases in order of their ids, a batch at a time: as much memory as BATCH of them needs."""
    last = 0
    while rows := conn.execute(chosen(wanted).where(store.record.c.id > last).order_by(store.record.c.id).limit(BATCH)).mappings().all():
        yield from of_cases(conn, drawings, rows)
        last = rows[-1]["id"]


def of_cases(conn: Connection, drawings: Drawings, rows: Sequence[Mapping[Any, Any]]) -> Iterator[Trace]:
    """The traces of these rows of `record`, in their order."""
    found = {r["id"]: Trace(r["id"], r["no"], r["process"], r["drawing"], r["unit"], r["closed_at"] is not None) for r in rows}
    columns = (store.entry.c.record_id, store.entry.c.seq, store.entry.c.leaf, store.entry.c.body)
    query = select(*columns).where(store.entry.c.record_id.in_(found)).order_by(store.entry.c.record_id, store.entry.c.seq)
    for row in conn.execute(query):
        trace = found[row.record_id]
        trace.events.extend(_events(read_body(row.body), row.leaf, drawings(trace.drawing)))
    yield from found.values()


def _events(said: Data, leaf: str, drawing: Any) -> Iterator[Event]:
    data, who, event, at = said.get("data", {}), said["actor"], said["event"], datetime.fromisoformat(said["at"])
    then = data.get("then", {})

    def made(activity: str, lifecycle: str, resource: str = "system", due_on: str | None = None) -> Event:
        node = drawing.nodes.get(activity)
        own = resource == who["id"]
        return Event(said["seq"], activity, node.name if node else activity, lifecycle, at, resource, who.get("for", "") if own else "",
                     (node.role if node else "") or "", who["unit"] if own else "", event, due_on or "", leaf)  # fmt: skip

    cause = _cause(event, data, drawing)
    if cause is not None:
        yield made(cause, _AROUND.get(event, "complete"), who["id"])
    for service, _ in then.get("ran", ()):
        yield made(service, "complete")
    for key in then.get("gone", ()):
        yield made(_node(key), "withdraw")
    for key, due_on in then.get("opened", ()):
        yield made(_node(key), "schedule", due_on=due_on)
    if then.get("ended"):
        yield made(then["ended"], "complete")


def _cause(event: str, data: Data, drawing: Any) -> str | None:
    """The activity that an entry is about; None: it is about none of the drawing's."""
    if event == "case_started":
        return conformance.model(drawing.xml).start
    if event == "message_received":
        return str(data["message"])
    if event == "timer_fired":
        node = _node(data["timer"])
        behind = conformance.model(drawing.xml).nodes_of(node)
        return min(behind) if len(behind) == 1 else node
    key = data.get("task")
    return _node(key) if isinstance(key, str) and (event == "task_completed" or event in _AROUND) else None


def _node(key: str) -> str:
    return key.rpartition(".")[0]


# -- out


def csv_chunks(found: Iterable[Trace]) -> Iterator[str]:
    """CSV with a byte order mark, for spreadsheets; a case at a time. No cell is a formula."""
    yield "\ufeff" + _line(COLUMNS)
    for trace in found:
        yield "".join(_line(_cells(trace, event)) for event in trace.events)


def _cells(t: Trace, e: Event) -> list[str]:
    return [t.no, str(e.seq), t.process, t.drawing, t.unit, e.activity, e.name, e.lifecycle, e.at.astimezone(SHANGHAI).isoformat(),
            e.resource, e.on_behalf_of, e.role, e.unit, e.event, e.due_on, e.leaf]  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(_DANGEROUS) else cell


_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>
<global scope="event"><string key="concept:name" value="UNKNOWN"/><date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/><string key="lifecycle:transition" value="complete"/></global>
<classifier name="Activity" scope="event" keys="concept:name"/>
<classifier name="Activity and transition" scope="event" keys="concept:name lifecycle:transition"/>
<string key="lifecycle:model" value="standard"/>
"""


def xes_chunks(found: Iterable[Trace], name: str) -> Iterator[str]:
    """XES with the extensions concept, time, org and lifecycle; a case at a time. what begins with yb_ is our own."""
    yield _HEAD + _text("concept:name", name) + "\n"
    for trace in found:
        head = _text("concept:name", trace.no) + _text("yb_process", trace.process) + _text("yb_drawing", trace.drawing) + _text("yb_unit", trace.unit)
        yield f"<trace>{head}\n{''.join(map(_xes_event, trace.events))}</trace>\n"
    yield "</log>\n"


def _xes_event(e: Event) -> str:
    said = [_text("concept:name", e.activity), f'<date key="time:timestamp" value="{e.at.isoformat(timespec="milliseconds")}"/>',
            _text("lifecycle:transition", e.lifecycle), _text("org:resource", e.resource), _text("org:role", e.role), _text("org:group", e.unit),
            _text("yb_name", e.name), _text("yb_event", e.event), f'<int key="yb_seq" value="{e.seq}"/>', _text("yb_leaf", e.leaf),
            _text("yb_on_behalf_of", e.on_behalf_of), _text("yb_due_on", e.due_on)]  # fmt: skip
    return f"<event>{''.join(said)}</event>\n"


def _text(key: str, value: str) -> str:
    """A string attribute; nothing where there is no value. Control characters, which XML cannot hold, become spaces."""
    kept = "".join(c if c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff" else " " for c in value)
    return f"<string key={quoteattr(key)} value={quoteattr(kept)}/>" if value else ""


def chunks(kind: str, found: Iterable[Trace], name: str = "yingbao") -> Iterator[str]:
    """The log as `xes` or `csv`."""
    if kind not in FORMATS:
        raise Invalid({"format": ["应为 xes 或 csv"]})
    return xes_chunks(found, name) if kind == "xes" else csv_chunks(found)


# -- in: a log of another system, or one of ours


@dataclass(frozen=True, slots=True)
class Foreign:
    """A case of a log that was uploaded."""

    no: str
    events: list[Seen]
    drawing: str = ""  # digest, where the log names it
    closed: bool = False


_ALIASES = {
    "case": ("case", "case:concept:name", "case_id", "caseid", "case id", "个案", "个案号"),
    "activity": ("activity", "concept:name", "task", "activity name", "环节", "活动"),
    "lifecycle": ("lifecycle", "lifecycle:transition", "transition"),
    "at": ("at", "time:timestamp", "timestamp", "time", "时间"),
    "drawing": ("drawing",),
}


def parse(data: bytes) -> list[Foreign]:
    """Read an XES or CSV log, told apart by how it begins. Invalid says what is wrong with it."""
    if not data.strip():
        raise Invalid({"file": ["文件是空的"]})
    if len(data) > MAX_BYTES:
        raise Invalid({"file": ["文件太大，最多 8 MB"]})
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return _parse_xes(data) if start == b"<" else _parse_csv(data)


def _parse_csv(data: bytes) -> list[Foreign]:
    cases: dict[str, list[Seen]] = {}
    drawings: dict[str, str] = {}
    try:
        for number, said in _rows(_decoded(data)):
            if number > MAX_EVENTS + 1:
                raise Invalid({"file": [f"事件太多，最多 {MAX_EVENTS} 条"]})
            if not said["case"] or not said["activity"]:
                raise Invalid({"file": [f"第 {number} 行没有个案或环节"]})
            cases.setdefault(said["case"], []).append(Seen(said["activity"], said["lifecycle"].lower() or "complete", said["at"], str(number)))
            drawings.setdefault(said["case"], said["drawing"])
    except csv.Error as error:
        raise Invalid({"file": [f"不是正确的 CSV：{error}"]}) from None
    if not cases:
        raise Invalid({"file": ["日志里没有事件"]})
    return [Foreign(no, events, drawings[no]) for no, events in cases.items()]


def _decoded(data: bytes) -> str:
    """UTF-8, or what spreadsheets here write."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise Invalid({"file": ["不是 CSV 或 XES 日志"]})


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines with the columns that we know, by whatever name they go; without blank ones."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    found = {what: next((names[a] for a in aliases if a in names), None) for what, aliases in _ALIASES.items()}
    if found["case"] is None or found["activity"] is None:
        raise Invalid({"file": ["缺少 case（个案）或 activity（环节）列"]})
    for number, row in enumerate(reader, start=2):
        said = {what: _plain(row.get(name) if name else None) for what, name in found.items()}
        if any(said.values()):
            yield number, said


def _plain(value: Any) -> str:
    """A cell without what made it harmless."""
    text = value.strip() if isinstance(value, str) else ""
    return text[1:] if text.startswith("'") and text[1:].startswith(_DANGEROUS) else text


def _parse_xes(data: bytes) -> list[Foreign]:
    found: list[Foreign] = []
    many = 0
    try:
        walk = etree.iterparse(io.BytesIO(data), events=("end",), tag=("{*}trace", "trace"), resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        for number, (_, trace) in enumerate(walk, start=1):
            events = []
            for event in trace.iterchildren("{*}event", "event"):
                many += 1
                said = _attributes(event)
                if not said.get("concept:name"):
                    raise Invalid({"file": [f"第 {number} 个个案有一个事件没有 concept:name"]})
                events.append(Seen(said["concept:name"], said.get("lifecycle:transition", "complete").lower() or "complete", said.get("time:timestamp", ""), str(many)))
            if many > MAX_EVENTS:
                raise Invalid({"file": [f"事件太多，最多 {MAX_EVENTS} 条"]})
            head = _attributes(trace)
            found.append(Foreign(head.get("concept:name") or f"#{number}", events, head.get("yb_drawing", "")))
            trace.clear()
    except etree.XMLSyntaxError as error:
        raise Invalid({"file": [f"不是正确的 XES：{str(error)[:200]}"]}) from None
    if not found:
        raise Invalid({"file": ["日志里没有个案"]})
    return found


def _attributes(element: Any) -> dict[str, str]:
    return {child.get("key"): child.get("value", "") for child in element if isinstance(child.tag, str) and child.get("key")}


# -- held against the drawings


@dataclass(frozen=True, slots=True)
class Held:
    """A case with its verdict."""

    no: str
    process: str
    drawing: str
    closed: bool
    verdict: conformance.Verdict


def conform(drawings: Drawings, found: Iterable[Trace]) -> Iterator[Held]:
    """Each of our cases against the drawing that its record names. Our logs record everything."""
    for trace in found:
        verdict = conformance.check(_model(drawings, trace.drawing), trace.seen(), obligatory=_OURS, closed=trace.closed)
        yield Held(trace.no, trace.process, trace.drawing, trace.closed, verdict)


_OURS = conformance.KINDS - {"inner"}


def _model(drawings: Drawings, digest: str) -> Model:
    return conformance.model(drawings(digest).xml)


def conform_foreign(model: Model, found: Sequence[Foreign], process: str) -> list[Held]:
    """The cases of an uploaded log against one drawing. A case counts as over when an end event of the drawing is in it."""
    obligatory = conformance.recorded(model, [case.events for case in found])
    ends = {n.id for n in model.nodes.values() if n.kind == "endEvent"}
    out = []
    for case in found:
        closed = any(e.lifecycle == "complete" and model.nodes_of(e.activity) & ends for e in case.events)
        out.append(Held(case.no, process, case.drawing, closed, conformance.check(model, case.events, obligatory=obligatory, closed=closed)))
    return out

