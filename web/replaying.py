"""What the replay shows of a case as of an entry: one function for the page, its JSON and the API.

All of it is read from the record as it lies there now, or done again from it; nothing is taken from the rows of today that
an entry could tell. Words are in the reader's language; codes stand beside them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Connection, select

from engine import sealing, store
from engine.bpmn import Drawing
from engine.crypto import BoundKeys
from engine.dmn import NoDecision
from engine.errors import Invalid, NotFound
from engine.model import SYSTEM, Actor, Entry, read_body
from engine.office import Kept
from engine.process import Process
from engine.replaying import snapshots_of
from engine.replays import Replayed, Stand
from processes import (
    calendar,
    case_steps,
    counterfactual,
    dmn,
    eligibility,
    expenditure,
    findings,
    households,
    letters,
    organisation,
    readers,
)
from processes.bureau import CATALOGUE
from processes.case_steps import Step
from processes.eligibility_facts import BadFacts
from processes.identity import mask_name
from processes.law import BadLaw
from processes.tables import document
from web import wording
from web.cases import OUTCOMES, Story
from web.desk import bureau, either
from web.tasks import named_lines
from web.wording import moment

ODD = {
    "late": lazy_gettext("late"), "returned": lazy_gettext("sent back"), "taken_back": lazy_gettext("taken back"), "escalated": lazy_gettext("escalated"),
    "on_behalf": lazy_gettext("done for somebody else"), "incident": lazy_gettext("a job failed"), "hasty": lazy_gettext("decided within seconds"),
    "seal": lazy_gettext("seal broken"), "replay": lazy_gettext("replay differs"),
}  # fmt: skip
WHY = {
    "seal": lazy_gettext("The seal of the entry does not fit its bytes, its predecessor or its personal parts."),
    "head": lazy_gettext("The last entry is not the head of the record."),
    "tree": lazy_gettext("The entry is not the one that was sealed in the tree."),
    "replay": lazy_gettext("Done again, something else comes out than the record says."),
}
BY_RECORDED_LAW = {
    "same": lazy_gettext("By the law that the entries name, as it was kept, the same comes out as the record says: the law files were changed since."),
    "different": lazy_gettext("By the law that the entries name something else comes out, too: the change does not lie in the law files."),
    "cannot": lazy_gettext("By the law that the entries name it cannot be done again either, or its text was not kept."),
}
_REASONS = ("opinion", "reason", "reasons", "dissent", "report", "note")  # fields in which people say why
_COST = (KeyError, ValueError, TypeError, AttributeError)  # what reading an entry that somebody spoiled may raise


@dataclass
class Opened:
    """A case's record, opened for looking: what the steps have in common."""

    row: Mapping[Any, Any]
    process: Process
    drawing: Drawing
    kept: Kept
    replayed: Replayed
    steps: Sequence[Step]
    names: Mapping[str, str]
    keys: BoundKeys
    _units: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return len(self.steps)

    def odd(self, place: int) -> list[str]:
        """What is odd about step n (from 1)."""
        found = list(self.steps[place - 1].odd)
        if place == min(self.replayed.entry or 0, self.last):
            found.append("replay" if self.replayed.reason in ("replay", "record") else "seal")
        return found

    def story(self, titles: Mapping[str, str] | None = None) -> Story:
        return Story(self.process, self.drawing, [], self.names, titles or {})

    def unit(self, conn: Connection, code: str) -> str:
        if code not in self._units:
            self._units[code] = organisation.unit_name(conn, code) if code else ""
        return self._units[code]


class Unreadable(Exception):
    """A body is no entry at all: nothing can be shown, only said."""


def opened(conn: Connection, row: Mapping[Any, Any]) -> Opened:
    """Read the record of a case, and do it again unless that was done. Raises Unreadable."""
    made, process = bureau(), CATALOGUE[row["process"]]
    keys = made.office.keys.on(conn)
    try:
        kept = Kept(conn, keys, row["id"])
    except _COST as error:
        raise Unreadable(str(error) or type(error).__name__) from error
    try:
        drawing = made.cases.drawing(conn, row["drawing"])
    except NotFound:
        drawing = process.drawing  # the replay says that its own is gone
    replayed = made.replays.of(conn, row, kept)
    try:
        steps, logins = _steps_of(kept, process, drawing)
    except (*_COST, BadLaw) as error:
        raise Unreadable(str(error) or type(error).__name__) from error
    return Opened(row, process, drawing, kept, replayed, steps, wording.names_of(conn, logins), keys)


_read: OrderedDict[str, tuple[Sequence[Step], frozenset[str]]] = OrderedDict()  # digest of a record -> its steps, and whom it names
_read_lock = threading.Lock()
_READ = 32


def _steps_of(kept: Kept, process: Process, drawing: Drawing) -> tuple[Sequence[Step], frozenset[str]]:
    """Remembered by all bytes of the record, like what doing it again gave."""
    with _read_lock:
        found = _read.get(kept.digest())
    if found is None:
        found = case_steps.steps(process, drawing, kept.closed), frozenset(wording.logins_in(kept.closed))
        with _read_lock:
            _read[kept.digest()] = found
            while len(_read) > _READ:
                _read.popitem(last=False)
    return found


def tell(conn: Connection, case: Opened, actor: Actor, step: int | None, *, whole: bool = True) -> dict[str, Any]:
    """The case as of entry `step` (the last one when it is None), in JSON. `whole`: also what is the same for every step. Invalid
    when there is no such entry."""
    place = case.last if step is None else step
    if not 0 < place <= case.last:
        raise Invalid({"step": [_("there are %(n)s entries", n=case.last)]})
    stand = case.replayed.at(place)
    papers = _documents(conn, case, place)
    line = _line(conn, case, actor, place, {str(p["id"]): p["title"] for p in papers})
    sums = computation(conn, case, place)
    return {
        "case": case.row["no"], "process": case.process.key, "title": either(case.process.title, case.process.title_en),
        "outcome": case.row["outcome"], "outcome_words": str(OUTCOMES.get(case.row["outcome"], _("open"))),
        **verdict(case), "entries": case.last, "step": place,
        "shown": _shown(conn, case, place, line),
        **_stand(case, stand),
        "documents": papers, "letters": _letters(case, place), "notices": _notices(case, place),
        "law": _law(case, place, sums), "computation": sums, "deadline": _deadline(case, place), "seal": _seal(conn, case, place),
        "anomalies": [n for n in range(1, case.last + 1) if case.odd(n)], "findings": _findings(conn, case, actor),
        **({"steps": [_brief(case, n) for n in range(1, case.last + 1)], "decisions": decisions(conn, case, actor)} if whole else {}),
    }  # fmt: skip


def verdict(case: Opened) -> dict[str, Any]:
    """Whether doing it again gives what the record says; where not, both sides."""
    found = case.replayed
    said: dict[str, Any] = {"result": found.result}
    if found.result == "different":
        said |= {"entry": found.entry, "reason": found.reason, "why": str(WHY[found.reason])}
    if found.result == "cannot":
        said |= {"reason": found.reason, "why": found.recorded}
    elif found.recorded or found.computed:
        said |= {"recorded": found.recorded, "computed": found.computed}
    if found.recorded_law:
        said |= {"recorded_law": found.recorded_law, "recorded_law_words": str(BY_RECORDED_LAW[found.recorded_law])}
    return said


def _stand(case: Opened, stand: Stand | None) -> dict[str, Any]:
    if stand is None:
        return {"facts": {}, "fact_lines": [], "done": {}, "active": [], "active_words": [], "flows": []}
    lines = wording.fact_lines(stand.facts, wording.forms_of(case.process), case.names)
    nodes = case.drawing.nodes
    return {
        "facts": dict(stand.facts), "fact_lines": [{"label": label, "value": value} for label, value in lines], "done": dict(stand.path.done),
        "active": list(stand.path.active), "active_words": [node_name(case, n) for n in stand.path.active if n in nodes], "flows": sorted(stand.path.flows),
    }  # fmt: skip


def node_name(case: Opened, node: str) -> str:
    found = case.drawing.nodes.get(node)
    return either(found.name, found.name_en or found.name) if found else node


# -- the entry


def _line(conn: Connection, case: Opened, actor: Actor, place: int, titles: Mapping[str, str]) -> dict[str, Any] | None:
    """The entry told to the actor by the case's story; None when it cannot be read."""
    before = case.replayed.at(place - 1)
    try:
        [entry] = readers.told_to(conn, actor, case.row["unit"], [case.kept.entry(place - 1)])
        return case.story(titles).line(entry, dict(before.facts) if before else {})
    except _COST:
        return None


def _shown(conn: Connection, case: Opened, place: int, line: Mapping[str, Any] | None) -> dict[str, Any]:
    entry, step = case.kept.closed[place - 1], case.steps[place - 1]
    if line is None:
        return {"step": place, "event": step.event, "what": _("This entry cannot be read."), "node": "", "name": "", "at": "", "who": None, "received": None,
                "took": "", "answers": [], "changes": [], "erased": False, "opens": [], "odd": _odd(case, place), "undone": False}  # fmt: skip
    opens = [{"node": key.rpartition(".")[0], "name": node_name(case, key.rpartition(".")[0]), "due_on": due} for key, due in line["then"].get("opened", ())]
    return {
        "step": place, "event": entry.event, "what": line["event"], "node": line["id"], "name": line["node"], "at": entry.at.isoformat(),
        "who": _who(conn, case, entry, step, line), "received": step.opened.isoformat() if step.opened and entry.event == "task_completed" else None,
        "took": span(step) if entry.event == "task_completed" else "",
        "answers": [{"label": label, "value": value} for label, value in line["answers"]],
        "changes": [{"label": label, "before": before, "after": after} for label, before, after in line["changes"]],
        "erased": line["erased"], "opens": opens, "odd": _odd(case, place), "undone": step.undone,
    }  # fmt: skip


def _who(conn: Connection, case: Opened, entry: Entry, step: Step, line: Mapping[str, Any]) -> dict[str, Any]:
    """Who acted, in which post and unit. The post of who completes a task is that of its lane; of others the record names the unit alone."""
    node, said = case.drawing.nodes.get(step.node), entry.said["actor"]
    role = node.role if node is not None and entry.event in ("task_completed", "task_claimed", "task_submitted") and entry.actor != SYSTEM.id else ""
    unit = str(said.get("unit") or "")
    instead = entry.actor != SYSTEM.id and (said.get("for") or (entry.event == "task_completed" and entry.data.get("owner")))
    return {
        "login": line["login"], "name": line["who"], "post": role or None, "post_words": either(*organisation.ROLES[role]) if role in organisation.ROLES else "",
        "unit": unit or None, "unit_words": case.unit(conn, unit), "on_behalf_of": instead or None, "on_behalf_words": case.names.get(str(instead), str(instead)) if instead else "",
    }  # fmt: skip


def _odd(case: Opened, place: int) -> list[dict[str, str]]:
    return [{"code": code, "words": odd_words(case.steps[place - 1], code)} for code in case.odd(place)]


def odd_words(step: Step, code: str) -> str:
    if code == "late" and step.late:
        return _("%(n)s working days late", n=step.late)
    if code == "hasty":
        return _("decided within %(n)s seconds", n=step.seconds)
    return str(ODD[code])


def span(step: Step) -> str:
    """From the arrival of a task to its end."""
    if step.opened is None:
        return ""
    minutes = max(0, int((step.at - step.opened).total_seconds())) // 60
    days, rest = divmod(minutes, 24 * 60)
    return _("%(days)s d %(hours)s h", days=days, hours=rest // 60) if days else _("%(hours)s h %(minutes)s min", hours=rest // 60, minutes=rest % 60)


def _brief(case: Opened, place: int) -> dict[str, Any]:
    """A step in the list of all steps."""
    entry, step = case.kept.closed[place - 1], case.steps[place - 1]
    if step.event == case_steps.UNREADABLE:
        return {"step": place, "event": step.event, "what": _("This entry cannot be read."), "name": "", "at": "", "who": "", "outcome": "", "odd": _odd(case, place), "undone": False}
    story, who = case.story(), str(entry.data.get("completer", entry.actor))
    return {"step": place, "event": entry.event, "what": story.event(entry), "name": story.title(entry), "at": moment(entry.at), "who": case.names.get(who, who),
            "outcome": outcome_of(case, place), "odd": _odd(case, place), "undone": step.undone}  # fmt: skip


def outcome_of(case: Opened, place: int) -> str:
    """What was chosen, in the words of the form: 同意."""
    facts = case.kept.closed[place - 1].data.get("facts", {})
    chosen = (name for name in facts if wording.FACTS.get(name, ("", ""))[1] == "form" and isinstance(facts[name], str))
    return next((wording.fact(name, facts[name], wording.forms_of(case.process), case.names) for name in chosen), "")


def decisions(conn: Connection, case: Opened, actor: Actor) -> list[dict[str, Any]]:
    """Who decided what, and why: the steps of those whose word moves the case, without what was taken back."""
    found = []
    deciding = [step for step in case.steps if step.decides and not step.undone]
    told = readers.told_to(conn, actor, case.row["unit"], [case.kept.entry(step.seq - 1) for step in deciding])
    for step, entry in zip(deciding, told, strict=True):
        given = Story.given(list(entry.personal.values()))
        node, who = case.drawing.nodes[step.node], case.kept.closed[step.seq - 1]
        login = str(who.data.get("completer", who.actor))
        found.append({
            "step": step.seq, "node": step.node, "name": node_name(case, step.node), "at": moment(step.at), "login": login, "who": case.names.get(login, login),
            "post": node.role, "post_words": either(*organisation.ROLES[str(node.role)]), "decision": outcome_of(case, step.seq),
            "why": next((str(given[name]) for name in _REASONS if given.get(name)), ""),
        })  # fmt: skip
    return found


# -- what was there as of the entry


def _rows(case: Opened, place: int, table: str) -> list[dict[str, Any]]:
    """The rows of a table as the case's own entries up to here made them, without what is personal."""
    found: dict[int, dict[str, Any]] = {}
    for entry in case.kept.closed[:place]:
        for put in entry.said.get("puts", ()):
            if put.get("table") == table:
                found.setdefault(put["id"], {"id": put["id"]}).update(put.get("set", {}))
    return list(found.values())


def _letters(case: Opened, place: int) -> list[dict[str, Any]]:
    shown = ("id", "kind", "number", "issued_on", "delivered_on", "delivery_method")
    return [{**{name: row.get(name) for name in shown}, "title": letters.TITLES.get(row.get("kind", ""), row.get("kind", ""))} for row in _rows(case, place, "letter")]


_STAGES = {"street_opinion": lazy_gettext("Street notice"), "temporary_assistance": lazy_gettext("Street notice"), "destitute_stop": lazy_gettext("Notice of the stop")}


def _notices(case: Opened, place: int) -> list[dict[str, Any]]:
    shown = ("id", "stage", "posted_on", "until_on", "removed_on")
    return [{**{name: row.get(name) for name in shown}, "title": str(_STAGES.get(row.get("stage", ""), _("District notice")))} for row in _rows(case, place, "notice")]


def _documents(conn: Connection, case: Opened, place: int) -> list[dict[str, Any]]:
    """The household's papers that were kept by then: their entries stand in the household's record."""
    kind, _sep, number = (case.row["subject"] or "").partition(":")
    if kind != "household":
        return []
    at = case.steps[place - 1].at
    rows = conn.execute(select(document.c.id, document.c.kind, document.c.title, document.c.uploaded_on, document.c.uploaded_by).where(
        document.c.household_id == int(number), document.c.uploaded_on <= case_steps.day(at).isoformat()).order_by(document.c.id)).all()  # fmt: skip
    that_day = {row.id for row in rows if row.uploaded_on == case_steps.day(at).isoformat()}
    later = _kept_after(conn, int(number), at, that_day) if that_day else frozenset()
    return [{"id": row.id, "kind": row.kind, "title": row.title or wording.word("document", row.kind), "uploaded_on": row.uploaded_on,
             "uploaded_by": row.uploaded_by} for row in rows if row.id not in later]  # fmt: skip


def _kept_after(conn: Connection, household_id: int, at: Any, ids: set[int]) -> frozenset[int]:
    """Of these papers of one day, those that came after the moment."""
    bodies = conn.scalars(select(store.entry.c.body).where(store.entry.c.record_id == household_id))
    found: set[int] = set()
    for body in (one for one in bodies if b'"document_kept"' in one):
        entry = Entry(household_id, 0, body, "", read_body(body))
        if entry.at > at:
            found |= {put["id"] for put in entry.said.get("puts", ()) if put["table"] == "document"} & ids
    return frozenset(found)


def _law(case: Opened, place: int, sums: Mapping[str, Any] | None) -> dict[str, Any]:
    """The article that the drawing names for the task, and what the computation rests on."""
    node = case.drawing.nodes.get(case.steps[place - 1].node)
    task = (node.law or "") if node is not None else ""
    sources = list(dict.fromkeys(line["source"] for line in sums["lines"] if line["source"])) if sums else []
    return {
        "task": task or None, "task_words": wording.article(task) if task else "", "drawing": case.row["drawing"],
        "version": sums["law_version"] if sums else None, "tables": tables_of(case.kept.closed[place - 1]), "sources": [{"code": code, "words": wording.article(code)} for code in sources],
    }  # fmt: skip


def tables_of(entry: Entry) -> list[dict[str, Any]]:
    """The decision tables by which an entry was decided, and the rows that fired."""
    found = {said["table"]: said for said in entry.data.get("decided", ()) if said["table"] in dmn.SHELF.tables}
    return [{"name": name, "title": either(dmn.SHELF.tables[name].zh, dmn.SHELF.tables[name].en), "rules": said["rules"]} for name, said in found.items()]


def computation(conn: Connection, case: Opened, place: int) -> dict[str, Any] | None:
    """The last assessment up to here, computed again from the snapshot that its entry keeps; None before the first one."""
    undone = case_steps.taken_back(case.kept.closed[:place])
    for n in range(place, 0, -1):
        ran = dict(case.kept.closed[n - 1].data.get("then", {}).get("ran", ()))
        service = next((name for name in ("assess", "assess_expenditure") if name in ran), None)
        if service is None or n in undone:
            continue
        recorded = ran[service]
        said = {"step": n, "category": recorded.get("category", ""), "amount_fen": recorded.get("amount_fen"), "law_version": recorded.get("law_version"), "lines": []}
        figures = snapshots_of(case.kept.entry(n - 1)).get(service)
        if figures is None:
            return {**said, "from": "record", "agrees": None}
        try:
            result = eligibility.assess(figures) if service == "assess" else {**expenditure.assess(figures), "amount_fen": recorded.get("amount_fen")}
        except (*_COST, ArithmeticError, BadFacts, BadLaw, NoDecision) as error:
            return {**said, "from": "record", "agrees": False, "why": str(error)}
        kind, _sep, number = (case.row["subject"] or "").partition(":")
        house = {"members": households.members_of(conn, int(number)) if kind == "household" else []}
        named = named_lines(result, house)
        lines = [{"text": either(line["zh"], line["en"]), "source": line["source"], "source_words": wording.article(line["source"])} for line in named["lines"]]
        agrees = all(recorded[name] == result[name] for name in recorded.keys() & result.keys())
        would = [either(one["zh"], one["en"]) for one in counterfactual.told(figures, case.kept.closed[:place])] if service == "assess" else []
        return {**said, "would": would, "inputs": _inputs(figures, house["members"]), "category": result["category"], "amount_fen": result["amount_fen"], "law_version": result["law_version"], "lines": lines, "from": "snapshot", "agrees": agrees}
    return None


def _inputs(figures: Mapping[str, Any], members: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Income and property by which it was computed, and where each is from: declared, checked or seen; None: recorded before that was kept."""
    names = {str(m["person_id"]): mask_name(m["name"]) for m in members}
    found = [(names.get(m["ref"], m["ref"]), "income", item) for m in figures["members"] for item in m.get("income") or ()]
    found += [(names.get(item.get("owner", ""), ""), "property", item) for item in figures.get("property") or ()]
    return [{"what": what, "who": who, "kind": item["kind"], "kind_words": wording.word("income", item["kind"]), "amount": item.get("amount"), "period": item.get("period"),
             "when": str(item.get("month") or item.get("year") or "") or None, "source": item.get("source"), "source_words": wording.word("source", item["source"]) if item.get("source") else None}
            for who, what, item in found]  # fmt: skip


def _deadline(case: Opened, place: int) -> dict[str, Any] | None:
    """When the task was due, and when it was done; None for what had no last day."""
    step = case.steps[place - 1]
    if not step.due:
        return None
    node, done = case.drawing.nodes.get(step.node), case_steps.day(step.at).isoformat()
    left = calendar.workdays_between(case_steps.day(step.at), case_steps.day(step.at).fromisoformat(step.due))
    return {"due_on": step.due, "done_on": done if step.event == "task_completed" else None, "late_workdays": step.late,
            "left_workdays": max(0, left) if not step.late else 0, "rule": node.due if node else None, "rule_words": wording.deadline(node.due if node else None)}  # fmt: skip


def _seal(conn: Connection, case: Opened, place: int) -> dict[str, Any]:
    """The entry's leaf, and its place in the tree and the newest checkpoint; `index` is None while it waits for the sequencer."""
    entry, broken = case.kept.closed[place - 1], case.replayed.entry
    holds = not (case.replayed.reason in ("seal", "tree", "head") and broken is not None and min(broken, case.last) == place)
    said = {"leaf": entry.leaf, "previous": entry.said.get("prev"), "holds": holds}
    index = sealing.index_of(conn, case.row["id"], place)
    if index is None:
        state = sealing.state(conn)
        return {**said, "index": None, "tree_size": state.size, "checkpoint": None, "signed_at": None, "waits_too_long": state.late}
    last = sealing.latest(conn)
    return {**said, "index": index, "tree_size": last["tree_size"] if last else None, "checkpoint": last["note"] if last else None,
            "signed_at": last["at"].isoformat() if last else None, "waits_too_long": False}  # fmt: skip


def _findings(conn: Connection, case: Opened, actor: Actor) -> list[dict[str, Any]]:
    """Auditors' findings on the case that the reader may read."""
    found = findings.listed(conn, actor, case_no=case.row["no"], size=100).items
    return findings.told(conn, case.keys, found, actor, bureau().office.today())


# -- who looked

_seen_lock = threading.Lock()
_SEEN = 20_000


def note_reading(actor: Actor, row: Mapping[Any, Any]) -> None:
    """Opening the replay of a case is written down: once a day for each reader and case, not for each step. Not for who holds one
    of its tasks now: that he works on it stands in the case. Having acted in it once is no leave to read it unseen for ever."""
    made = bureau()
    key = (actor.id, row["no"], made.office.today().isoformat())
    with _seen_lock:
        seen: OrderedDict[tuple[str, str, str], None] = current_app.extensions.setdefault("replays-seen", OrderedDict())
        if key in seen:
            return
    task = store.task
    with made.office.read() as conn:
        if conn.scalar(select(task.c.id).where(store.tasks_of(row["id"]), store.is_open, task.c.assignee == actor.id).limit(1)) is not None:
            return
    with made.office.act(actor) as act:
        act.through(actor.post_over(row["unit"]))
        readers.note(act, "case_read", {"case": row["no"], "where": "replay"})
    with _seen_lock:
        seen[key] = None
        while len(seen) > _SEEN:
            seen.popitem(last=False)
