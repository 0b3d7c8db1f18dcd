"""What brought an exit about: of several triggers the one with the earliest day counts (domain 8, precedence).

A tip counts when it was proved, by the day on which it was registered; a household's own word by the day on which it said so; a screening
by the day of the visit that found unlawful benefit; a re-check by the day on which its registries contradicted the household, else by the
one on which means check and home visit were both done. On one day the moment of the entry decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.model import read_body
from processes import benefits, change_kinds, law
from processes.complaint_rows import PROVED
from processes.complaint_tables import complaint
from processes.ledger_stays import day_of
from processes.screening_tables import screening, screening_finding

FINISHING = ("means_check", "survey_cosign")  # the tasks that finish the means check and the home visit
_CONTRADICTS = frozenset({"inconsistent", "exceeds_standard"})
_FIXED = {code: kind for code, _, _, kind in benefits.REASONS}
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trigger:
    """kind: as which an exit would count; day: ISO; moment: of its entry; what: report | told | check | tip | screening; source: the number of
    the case or the id of the finding."""

    day: str
    moment: datetime
    kind: str  # voluntary | cleared | reported
    what: str
    source: str


class Triggers:
    """The triggers of the district up to a day, read when first asked for."""

    def __init__(self, conn: Connection, until: str) -> None:
        self._conn, self._until = conn, until
        self._tips: Mapping[int, Sequence[tuple[Trigger, str]]] | None = None
        self._found: Mapping[int, Sequence[tuple[Trigger, str]]] | None = None

    def of_exit(self, decision: Mapping[Any, Any], earlier: Sequence[Mapping[Any, Any]], fallback: str | None) -> tuple[str | None, Trigger | None]:
        """As which the exit by a decision counts, and by what. `earlier`: the decisions before it on the same benefit; fallback: the class
        that the case came to, for an exit without a trigger of its own. Death, prison and moving away are no matter of triggers."""
        fixed = _FIXED.get(decision["reason_code"])
        if fixed == "other" or decision["case_no"] is None:
            return fixed or fallback, None
        found = sorted(self._before(decision, earlier), key=lambda one: (one.day, one.moment))
        if decision["reason_code"] == "fraud":  # who lied leaves by the check or the tip, never of his own will (domain 2.9)
            found = [one for one in found if one.kind != "voluntary"]
            fallback = "cleared" if fallback == "voluntary" else fallback
        return (found[0].kind, found[0]) if found else (fixed or fallback, None)

    def _before(self, decision: Mapping[Any, Any], earlier: Sequence[Mapping[Any, Any]]) -> Iterable[Trigger]:
        """Since the last re-check of the household that was concluded: what came up before it was dealt with by it."""
        home, day = decision["household_id"], decision["decided_on"]
        dealt = max((one["decided_on"] for one in earlier if one["case_no"] is not None and one["case_no"] != decision["case_no"]), default="")
        yield from self._of_case(decision["case_no"], day)
        for listed in (self._complaints(), self._screenings()):
            yield from (one for one, done in listed.get(home, ()) if one.day <= day and done >= dealt)

    def _of_case(self, no: str, day: str) -> Iterable[Trigger]:
        """What the case itself began with or was told, and what its checks came to."""
        row = self._conn.execute(select(store.record.c.id, store.record.c.process, store.record.c.opened_at).where(store.record.c.no == no)).one()
        report = row.process in law.procedures("change_report")
        done: dict[str, str] = {}
        moments: dict[str, datetime] = {}
        entries = select(store.entry.c.seq, store.entry.c.body).where(store.entry.c.record_id == row.id).order_by(store.entry.c.seq)
        for seq, body in self._conn.execute(entries):
            said = read_body(body)
            at, data = datetime.fromisoformat(said["at"]), said["data"]
            if (seq == 1 and report) or data.get("message") == "change_reported":
                by = named(said, "reported_by")
                kind = change_kinds.exit_trigger("public" if by == "others" else str(by))
                yield Trigger(str(named(said, "reported_on") or day_of(said)), at, kind, "report" if seq == 1 else "told", no)
            elif said["event"] == "task_completed" and (node := str(data["task"]).rpartition(".")[0]) in FINISHING and node not in done:
                done[node], moments[node] = day_of(said), at
                if node == "means_check" and named(said, "check_conclusion") in _CONTRADICTS:
                    yield Trigger(done[node], at, "cleared", "check", no)
        if len(done) == len(FINISHING) and not report:
            last = max(FINISHING, key=lambda node: (done[node], moments[node]))
            yield Trigger(done[last], moments[last], "cleared", "check", no)
        elif not report:  # stopped without a check: by its opening at the latest day
            yield Trigger(day, _LAST, "cleared", "check", no)

    def _complaints(self) -> Mapping[int, Sequence[tuple[Trigger, str]]]:
        if self._tips is None:
            found: dict[int, list[tuple[Trigger, str]]] = defaultdict(list)
            row = complaint.c
            query = select(row.household_id, row.case_no, row.received_on, row.concluded_on, store.record.c.opened_at).join(store.record, store.record.c.no == row.case_no)
            for one in self._conn.execute(query.where(row.finding.in_(PROVED), row.household_id.is_not(None), row.concluded_on <= self._until)):
                found[one.household_id].append((Trigger(one.received_on, one.opened_at, "reported", "tip", one.case_no), one.concluded_on))
            self._tips = found
        return self._tips

    def _screenings(self) -> Mapping[int, Sequence[tuple[Trigger, str]]]:
        if self._found is None:
            found: dict[int, list[tuple[Trigger, str]]] = defaultdict(list)
            seen = screening_finding.c
            query = select(seen.id, seen.household_id, seen.found_on, seen.done_on, seen.screening_id).join(screening, screening.c.id == seen.screening_id)
            where = (seen.kind == "unlawful_benefit", screening.c.state == "confirmed", screening.c.confirmed_on <= self._until)
            rows = self._conn.execute(query.where(*where)).all()
            moments = _first_moments(self._conn, sorted({row.screening_id >> 16 for row in rows}))
            for row in rows:
                found[row.household_id].append((Trigger(row.found_on, moments[row.screening_id >> 16], "cleared", "screening", str(row.id)), row.done_on or "9999"))
            self._found = found
        return self._found


def _first_moments(conn: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for start in range(0, len(ids), 500):
        query = select(store.entry.c.record_id, store.entry.c.body).where(store.entry.c.record_id.in_(ids[start : start + 500]), store.entry.c.seq == 1)
        found |= {number: datetime.fromisoformat(read_body(body)["at"]) for number, body in conn.execute(query)}
    return found


def named(value: Any, name: str) -> Any:
    """What stands under a name somewhere in an entry's public part."""
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        return next((found for one in value.values() if (found := named(one, name)) is not None), None)
    return None
