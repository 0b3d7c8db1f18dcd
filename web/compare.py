"""Two cases beside each other: the path, the days, the facts, the outcome, the calculation; what differs is said in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Connection

from engine import queries
from engine.model import Actor
from processes import case_steps, readers
from processes.money import yuan
from web import replaying, wording
from web.cases import OUTCOMES
from web.replaying import Opened
from web.wording import moment

WORDS = {
    "same": lazy_gettext("same"), "differs": lazy_gettext("differs"), "left": lazy_gettext("only in the first"), "right": lazy_gettext("only in the second"),
}  # fmt: skip
_OWN = frozenset({"household_id", "case_no", "street", "community", "second_investigator"})  # facts that are bound to differ and say nothing


def like(conn: Connection, actor: Actor, row: Mapping[Any, Any]) -> list[str]:
    """Numbers of some cases of the same process that the actor may see, those with the same outcome first."""
    found = queries.cases(conn, readers.of_cases(actor).areas, process=row["process"], size=50).items
    others = [one for one in found if one["no"] != row["no"]]
    return [one["no"] for one in sorted(others, key=lambda one: (one["outcome"] != row["outcome"], -one["id"]))[:8]]


def compare(conn: Connection, left: Opened, right: Opened) -> dict[str, Any]:
    """In JSON: heads of both, their paths aligned by node, their facts, their calculations. `differs` counts what differs."""
    path = _path(left, right)
    facts = _facts(left, right)
    sums = [replaying.computation(conn, case, case.last) for case in (left, right)]
    lines = _lines(*sums)
    heads = [_head(left), _head(right)]
    return {
        "heads": heads, "path": path, "facts": facts, "computation": lines, "same_process": left.process.key == right.process.key,
        "same_outcome": left.row["outcome"] == right.row["outcome"],
        "differs": {"path": _count(path), "facts": _count(facts), "computation": _count(lines)},
    }  # fmt: skip


def _count(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["is"] != "same" for row in rows)


def _head(case: Opened) -> dict[str, Any]:
    begun, last = case.steps[0].at, case.steps[-1].at
    return {
        "case": case.row["no"], "process": case.process.key, "outcome": case.row["outcome"], "outcome_words": str(OUTCOMES.get(case.row["outcome"], _("open"))),
        "begun": moment(begun), "last": moment(last), "days": (case_steps.day(last) - case_steps.day(begun)).days, "steps": case.last,
        "oddities": sum(bool(case.odd(n)) for n in range(1, case.last + 1)), "result": case.replayed.result,
    }  # fmt: skip


def _path(left: Opened, right: Opened) -> list[dict[str, Any]]:
    """The causes of both cases in order, aligned by node: gaps where only one went through it."""
    ours, theirs = _causes(left), _causes(right)
    matcher = SequenceMatcher(None, [node for node, _place in ours], [node for node, _place in theirs], autojunk=False)
    rows: list[dict[str, Any]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            rows += [_pair(left, right, x[1], y[1]) for x, y in zip(ours[a:b], theirs[c:d], strict=True)]
        else:
            rows += [_pair(left, right, x[1], None) for x in ours[a:b]] + [_pair(left, right, None, y[1]) for y in theirs[c:d]]
    return rows


def _causes(case: Opened) -> list[tuple[str, int]]:
    """(node or message, place) of what moved the case; what was taken back is left out."""
    found = []
    for step, entry in zip(case.steps, case.kept.closed, strict=True):
        if step.undone or entry.said.get("event") not in ("case_started", "task_completed", "message_received", "timer_fired"):
            continue
        found.append((step.node or str(entry.data.get("message") or "start"), step.seq))
    return found


def _pair(left: Opened, right: Opened, ours: int | None, theirs: int | None) -> dict[str, Any]:
    one, two = (_visit(case, place) if place else None for case, place in ((left, ours), (right, theirs)))
    either = one or two or {}
    said = "left" if two is None else "right" if one is None else "same"
    notes = []
    if one and two:
        notes += [_("another outcome")] if one["outcome"] != two["outcome"] else []
        notes += [_("%(n)s days more", n=one["days"] - two["days"])] if one["days"] > two["days"] else []
        notes += [_("%(n)s days less", n=two["days"] - one["days"])] if one["days"] < two["days"] else []
        said = "differs" if notes else "same"
    return {"name": either.get("name"), "left": one, "right": two, "is": said, "notes": notes}


def _visit(case: Opened, place: int) -> dict[str, Any]:
    step, entry = case.steps[place - 1], case.kept.closed[place - 1]
    story = case.story()
    who = str(entry.data.get("completer", entry.actor))
    days = (case_steps.day(step.at) - case_steps.day(step.opened)).days if step.opened else 0
    return {"step": place, "name": story.title(entry) or story.event(entry), "at": moment(step.at), "who": case.names.get(who, who), "days": days,
            "outcome": replaying.outcome_of(case, place), "odd": [replaying.odd_words(step, code) for code in case.odd(place)]}  # fmt: skip


def _facts(left: Opened, right: Opened) -> list[dict[str, Any]]:
    """Facts that people read, at the end of both."""
    ends = [case.replayed.stands[-1].facts if case.replayed.stands else {} for case in (left, right)]
    rows = []
    for name, (label, _kind) in wording.FACTS.items():
        values = [facts.get(name) for facts in ends]
        if name in _OWN or all(value in (None, "") for value in values):
            continue
        said = [wording.fact(name, value, wording.forms_of(case.process), case.names) if value not in (None, "") else "—" for value, case in zip(values, (left, right), strict=True)]
        rows.append({"name": name, "label": str(label), "left": said[0], "right": said[1], "is": "same" if said[0] == said[1] else "differs"})
    return rows


def _lines(ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The calculations line beside line, by the source that each line rests on."""
    if not ours and not theirs:
        return []
    rows = [_line_pair(_("Result"), _result(ours), _result(theirs)), _line_pair(_("Standard applied"), str((ours or {}).get("law_version") or "—"), str((theirs or {}).get("law_version") or "—"))]
    one, two = ((found or {}).get("lines", []) for found in (ours, theirs))
    matcher = SequenceMatcher(None, [line["source"] for line in one], [line["source"] for line in two], autojunk=False)
    for _kind, a, b, c, d in matcher.get_opcodes():
        for x, y in zip_longest(one[a:b], two[c:d]):
            rows.append(_line_pair((x or y)["source_words"], x["text"] if x else "—", y["text"] if y else "—"))
    return rows


def _line_pair(label: str, ours: str, theirs: str) -> dict[str, Any]:
    return {"label": label, "left": ours, "right": theirs, "is": "same" if ours == theirs else "left" if theirs == "—" else "right" if ours == "—" else "differs"}


def _result(found: Mapping[str, Any] | None) -> str:
    if not found:
        return "—"
    amount = f" {yuan(found['amount_fen'])}" if found.get("amount_fen") else ""
    return wording.word("category", found["category"]) + amount
