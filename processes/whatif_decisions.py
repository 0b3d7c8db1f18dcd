"""The decisions of a period, each with the figures by which it was made, for `whatif`: nothing of what the household is today.

    cases open in the period ──bodies──> facts at the end, where it was assessed ──payload──> figures of then
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, cast, literal, or_, select

from engine import store
from engine.crypto import BoundKeys
from engine.model import SHANGHAI, Data, read_body
from engine.office import entries_at
from engine.queries import Area, within
from engine.replaying import snapshots_of
from processes.conclusions import WITHOUT_FIGURES
from processes.counterfactual import NOT_FIGURES
from processes.event_log import midnight
from processes.grace import household_of
from processes.tables import household

_IDS: Any = bindparam("ids", expanding=True)
_OF = store.record.c.subject == literal("household:").concat(cast(household.c.id, String))
_CASES = (
    select(store.record.c.id, store.record.c.no.label("case_no"), store.record.c.process, household.c.id.label("household_id"), household.c.no.label("household_no"),
           household.c.street, household.c.community)
    .join(household, _OF)
    .where(store.record.c.id.in_(_IDS))
    .order_by(store.record.c.id)
)  # fmt: skip
_BODIES = select(store.entry.c.record_id, store.entry.c.body).where(store.entry.c.record_id.in_(_IDS)).order_by(store.entry.c.record_id, store.entry.c.seq)
_KNOWN = ("decision", "conclusion", "reason_code", "decided_on", "category", "amount_fen", "decided_fen", "benefit_category", "benefit_fen", "resolution", "self_care", "help_fen",
          "need_outcome", "aid_fen", "emergency_fen", "ordered_on", "persons")  # fmt: skip
RULES = {  # first word of a process's key -> the service whose figures are computed again
    "dibao": "assess", "low": "assess", "review": "assess", "change": "assess", "destitute": "assess_destitute", "illness": "assess_expenditure", "temporary": "assess_need",
}  # fmt: skip
_SORTED = "sort_request"  # of temporary assistance: where the kind of hukou stands when nothing was assessed
_NODES = frozenset(RULES.values())
_DECIDED = b'"decided_on":"'  # as a body, which is canonical JSON, has it


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision. row: ids and places, as `whatif` shows them; figures: None where nothing was assessed or they are gone; known: the
    day whose knowledge of the law counted; follows: whether what was decided is what the figures gave; rule: the service that assessed
    them; facts: what the case knows besides; spot: day and kind of hukou of help on the spot."""

    row: Mapping[str, Any]
    figures: Data | None
    known: date
    follows: bool
    rule: str = "assess"
    facts: Mapping[str, Any] = field(default_factory=dict)
    spot: tuple[date, str] | None = None


@dataclass
class _Case:
    facts: dict[str, Any] = field(default_factory=dict)
    assessed: tuple[int, date, Data] | None = None  # number and day of the entry, and what it came to
    sorted: int | None = None  # number of the entry in which a request was sorted
    helped: date | None = None  # on which help on the spot was decided, or written down


def cases(since: date, until: date, scope: str, area: Area | None) -> Select[Any]:
    """Ids of the cases in which something may have been decided from the one day to the other, that one too."""
    row = store.record.c
    query = select(row.id).join(household, _OF).where(
        row.kind == "case", row.opened_at < midnight(until + timedelta(days=1)), or_(row.closed_at.is_(None), row.closed_at >= midnight(since)), within(household.c.community, scope))  # fmt: skip
    return (query if area is None else query.where(within(household.c.community, area))).order_by(row.id)


def of_cases(conn: Connection, keys: BoundKeys, ids: Sequence[int], since: date, until: date) -> list[Decided]:
    """The decisions of these cases that were made in the period, in five statements however many they are."""
    bodies = defaultdict[int, list[bytes]](list)
    for row in conn.execute(_BODIES, {"ids": list(ids)}):
        bodies[row.record_id].append(row.body)
    read = {n: _read(found) for n, found in bodies.items() if any(_DECIDED in body for body in found)}
    wanted = {n: case for n, case in read.items() if since.isoformat() <= str(case.facts.get("decided_on") or "") <= until.isoformat()}
    places = sorted({(n, seq) for n, case in wanted.items() for seq in (case.assessed and case.assessed[0], case.sorted) if seq is not None})
    kept: dict[int, dict[str, Any]] = {}
    for entry in entries_at(conn, keys, places) if places else ():
        kept.setdefault(entry.record_id, {}).update(snapshots_of(entry))
    return [_decided(row, wanted[row["id"]], kept.get(row["id"], {})) for row in conn.execute(_CASES, {"ids": list(wanted)}).mappings()] if wanted else []


def _read(bodies: Sequence[bytes]) -> _Case:
    """What a case knows at its end, and its last assessment; without what was taken back."""
    entries, case = [read_body(body) for body in bodies], _Case()
    undone = {said["data"]["undoes"] for said in entries if said["event"] == "task_taken_back"}
    for said in entries:
        if said["seq"] in undone:
            continue
        facts = said["data"].get("facts") or {}
        case.facts |= _only(facts)
        if "emergency_fen" in facts:
            case.helped = date.fromisoformat(facts.get("ordered_on") or _day(said["at"]).isoformat())
        for node, result in said["data"].get("then", {}).get("ran", ()):
            case.facts |= _only(result or {})
            if node in _NODES:
                case.assessed = said["seq"], _day(said["at"]), result or {}
            if node == _SORTED:
                case.sorted = said["seq"]
    return case


def _only(facts: Data) -> dict[str, Any]:
    return {name: facts[name] for name in _KNOWN if name in facts}


def _day(at: str) -> date:
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date()


def _decided(row: Mapping[Any, Any], case: _Case, kept: Mapping[str, Any]) -> Decided:
    _seq, day, gave = case.assessed or (0, date.fromisoformat(case.facts["decided_on"]), {})
    rule, once = RULES.get(row["process"].split("-")[0]), 0
    if rule == "assess_need":
        word, category, once, follows = _helped(case.facts, gave)
        fen = 0
    elif rule == "assess_expenditure":  # its amount is what is given once, and nobody computes it
        word, category, fen, follows = _outcome(case.facts | {"amount_fen": gave.get("amount_fen")}, gave)
        once, follows = int(case.facts.get("help_fen") or 0) if word == "granted" else 0, follows and case.facts.get("resolution") != "approve_as"
    else:
        word, category, fen, follows = _outcome(case.facts, gave)
    told = {**row, "status": word, "recorded": category, "recorded_fen": fen, "recorded_once_fen": once, "decided_on": case.facts["decided_on"]}
    figures = kept.get(rule or "")
    hukou_kind = kept.get(_SORTED, {}).get("hukou_kind")
    spot = (case.helped, str(hukou_kind)) if case.helped is not None and hukou_kind else None
    return Decided(told, None if figures is None else household_of(figures), day, follows and rule is not None, rule or "assess", case.facts, spot)


def _helped(facts: Data, gave: Data) -> tuple[str, str, int, bool]:
    """Of temporary assistance: (what was decided, category, fen given once, whether it is what the figures gave). Help on the spot asks no figures."""
    spot, word = int(facts.get("emergency_fen") or 0), facts.get("decision")
    if word is None:
        return "granted", "temporary_assistance", spot, True
    fits = gave.get("need_outcome") == "fits"
    if word == "granted":
        return "granted", "temporary_assistance", spot + int(facts.get("aid_fen") or 0), fits and facts.get("resolution") != "approve_as"
    over = str(gave.get("need_outcome") or "refused")
    return str(word), "temporary_assistance" if spot else "refused" if fits else over, spot, word == "refused" and not fits  # its reason is no fact of the case: the figures said no


def _outcome(facts: Data, gave: Data) -> tuple[str, str, int, bool]:
    """(what was decided, category, fen a month, whether it is what the figures gave)."""
    category, refused = str(gave.get("category")), str(gave.get("category")).startswith("refused")
    figured = (gave.get("category"), gave.get("amount_fen"))
    if word := facts.get("conclusion"):
        if word == "stop":
            return word, category if refused else "refused", 0, refused and facts.get("reason_code") not in WITHOUT_FIGURES
        fen = facts.get("decided_fen")
        now = (facts.get("benefit_category"), facts.get("benefit_fen")) if word not in ("increase", "decrease", "convert") else (facts.get("category"), facts.get("amount_fen") if fen is None else fen)
        return word, str(now[0]), int(now[1] or 0), now == figured and word not in ("suspend", "grace")
    word = str(facts.get("decision"))
    if word == "granted":
        now = facts.get("category"), facts.get("amount_fen")
        return word, str(now[0]), int(now[1] or 0), now == figured
    return word, category if refused else "refused", 0, word == "refused" and refused and facts.get("reason_code") not in NOT_FIGURES
