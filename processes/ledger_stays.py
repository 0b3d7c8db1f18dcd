"""Who was in benefit, where, from which day to which: stays of persons and of households, from the records, for the ledger (domain 8).

A day counts as it ended: a benefit counts from the day of its decision, and no more from the day on which its stop was decided.
Rows of decisions have dates; where members joined or left between them, the entries of the benefit's record say when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.model import SHANGHAI, Data, read_body
from processes import benefits, law
from processes.benefit_tables import benefit_adjustment
from processes.tables import benefit, benefit_person, household

_AT_ONCE = 400
_STILL = frozenset({"grant", "stop", "suspend", "resume"})  # decisions after which a benefit counts the same people


@dataclass(frozen=True, slots=True)
class Stay:
    """One stretch in which a benefit counts `key` (a person's id, or a household's) while the household lives in one community.
    Days are ISO text; `until`: the first day on which it is over, None while it goes on."""

    key: int
    benefit_id: int
    household_id: int
    community: str
    since: str
    until: str | None
    how: str  # granted | joined | listed (brought in from a list) | moved
    ended: str | None = None  # stopped | left | moved
    first: str = ""  # category when it began, and when it ended
    last: str = ""
    exit_class: str | None = None  # of a stop
    began_by: int | None = None  # the decisions: ids of benefit_adjustment
    ended_by: int | None = None

    def on(self, day: str) -> bool:
        """Whether it counts at the end of a day."""
        return self.since <= day and (self.until is None or self.until > day)


@dataclass(frozen=True, slots=True)
class Stays:
    """All of the district: `persons` and `households`, each key with its stays in order; `decisions`: id -> row of benefit_adjustment."""

    persons: Mapping[int, Sequence[Stay]]
    households: Mapping[int, Sequence[Stay]]
    decisions: Mapping[int, Mapping[Any, Any]]


def day_of(said: Data) -> str:
    """The business day of an entry's body, in the district."""
    return datetime.fromisoformat(said["at"]).astimezone(SHANGHAI).date().isoformat()


def all_of(conn: Connection, until: date) -> Stays:
    """What the records say up to a day: what was decided afterwards is left out, so that the day can be asked for at any time."""
    last = until.isoformat()
    decided: dict[int, list[Mapping[Any, Any]]] = defaultdict(list)
    for row in conn.execute(select(benefit_adjustment).where(benefit_adjustment.c.decided_on <= last).order_by(benefit_adjustment.c.id)).mappings():
        decided[row["benefit_id"]].append(row)
    people: dict[int, list[int]] = defaultdict(list)
    for one in conn.execute(select(benefit_person.c.benefit_id, benefit_person.c.person_id).order_by(benefit_person.c.id)):
        people[one.benefit_id].append(one.person_id)
    rows = conn.execute(select(benefit, household.c.community).join(household, household.c.id == benefit.c.household_id).order_by(benefit.c.id)).mappings().all()
    counted = _counted(conn, [row["id"] for row in rows if not _constant(decided[row["id"]], people[row["id"]])], last)
    moved = moves(conn)
    persons: dict[int, list[Stay]] = defaultdict(list)
    houses: dict[int, list[Stay]] = defaultdict(list)
    for row in rows:
        whole = _whole(row, decided[row["id"]], last)
        if whole is None:
            continue
        for stay in _pieces(whole, moved.get(row["household_id"], ())):
            houses[stay.key].append(stay)
        for person_id, since, over in counted.get(row["id"]) or [(n, None, None) for n in people[row["id"]]]:
            for stay in _pieces(_of_person(whole, person_id, since, over, decided[row["id"]]), moved.get(row["household_id"], ())):
                persons[person_id].append(stay)
    return Stays(persons, houses, {row["id"]: row for rows in decided.values() for row in rows})


def _constant(decisions: Sequence[Mapping[Any, Any]], people: Sequence[int]) -> bool:
    """Whether a benefit has counted the same people from its grant to its end: then the rows say all. Who joins has a row more; who
    leaves makes the members fewer."""
    if not decisions or decisions[0]["kind"] != "grant":
        return not decisions  # from before there were rows of decisions
    if len(people) != decisions[0]["after_members"]:
        return False
    return all(row["kind"] in _STILL or row["before_members"] == row["after_members"] for row in decisions)


def _whole(row: Mapping[Any, Any], decisions: Sequence[Mapping[Any, Any]], last: str) -> Stay | None:
    """A benefit from its grant to its stop, as the household's stay; None where it had not begun on the last day."""
    grant = next((d for d in decisions if d["kind"] == "grant"), None)
    listed = row["granted_on"] is None and (grant is None or grant["case_no"] is None)
    since = benefits.first_of(row["first_payment_month"]).isoformat() if listed else (row["granted_on"] or grant["decided_on"])  # type: ignore[index]
    if since > last:
        return None
    first = grant["after_category"] if grant else row["category"]
    found = Stay(row["household_id"], row["id"], row["household_id"], row["community"], since, None, "listed" if listed else "granted", first=first,
                 last=decisions[-1]["after_category"] if decisions else row["category"], began_by=grant["id"] if grant else None)  # fmt: skip
    if (stop := next((d for d in decisions if d["kind"] == "stop"), None)) is not None:
        return replace(found, until=stop["decided_on"], ended="stopped", last=stop["before_category"], exit_class=row["exit_class"], ended_by=stop["id"])
    if not decisions and row["stopped_from"] and f"{row['stopped_from']}-01" <= last:  # from before there were rows of decisions
        return replace(found, until=f"{row['stopped_from']}-01", ended="stopped", exit_class=row["exit_class"])
    return found


def _of_person(whole: Stay, person_id: int, since: str | None, over: str | None, decisions: Sequence[Mapping[Any, Any]]) -> Stay:
    """One person's part of it; since, over: days on which he joined and left, where it was not with the benefit."""
    stay = replace(whole, key=person_id)
    if since is not None and since > whole.since:
        stay = replace(stay, since=since, how="joined", began_by=_decided(decisions, since))
    if over is not None and (whole.until is None or over < whole.until):
        stay = replace(stay, until=over, ended="left", exit_class=None, ended_by=_decided(decisions, over))
    return stay


def _decided(decisions: Sequence[Mapping[Any, Any]], day: str) -> int | None:
    return next((d["id"] for d in reversed(decisions) if d["decided_on"] == day and d["kind"] not in ("grant", "suspend", "resume")), None)


def _counted(conn: Connection, ids: Collection[int], last: str) -> dict[int, list[tuple[int, str | None, str | None]]]:
    """Benefit -> (person, day on which he joined or None: with the grant, day on which he left or None), from the entries of its record."""
    found: dict[int, dict[int, tuple[int, str | None, str | None]]] = {n: {} for n in ids}
    for some in _batches(sorted(ids)):
        by_record = {n >> 16: n for n in some}
        query = select(store.entry.c.record_id, store.entry.c.seq, store.entry.c.body).where(store.entry.c.record_id.in_(list(by_record)))
        for record_id, seq, body in conn.execute(query.order_by(store.entry.c.record_id, store.entry.c.seq)):
            said = read_body(body)
            day, rows = day_of(said), found[by_record[record_id]]
            for put in said.get("puts", ()) if day <= last else ():
                values = put.get("set", {})
                if put["table"] != "benefit_person":
                    continue
                if "person_id" in values:
                    rows[put["id"]] = (values["person_id"], None if seq == 1 else day, None)
                elif values.get("active") is False and put["id"] in rows:
                    rows[put["id"]] = (*rows[put["id"]][:2], day)
    return {n: list(rows.values()) for n, rows in found.items()}


def _batches(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[n : n + _AT_ONCE] for n in range(0, len(ids), _AT_ONCE)]


def moves(conn: Connection, household_id: int | None = None) -> dict[int, list[tuple[str, str, str]]]:
    """Household -> (day, community before, community after) of its moves in the district, in order: all come by a report of change.
    household_id: of that one alone."""
    cases = store.record.c
    query = select(cases.subject).where(cases.kind == "case", cases.process.in_(law.procedures("change_report")), cases.subject.is_not(None)).distinct()
    if household_id is not None:
        query = query.where(cases.subject == f"household:{household_id}")
    ids = sorted({int(subject.partition(":")[2]) for subject in conn.scalars(query) if subject.startswith("household:")})
    found: dict[int, list[tuple[str, str, str]]] = {}
    for some in _batches(ids):
        entries = select(store.entry.c.record_id, store.entry.c.body).where(store.entry.c.record_id.in_(list(some)))
        for record_id, body in conn.execute(entries.order_by(store.entry.c.record_id, store.entry.c.seq)):  # a household's number is its record's
            said = read_body(body)
            if said["event"] == "household_moved":
                found.setdefault(record_id, []).append((day_of(said), said["data"]["from"], said["data"]["to"]))
    return found


def community_on(moved: Sequence[tuple[str, str, str]], day: str) -> str:
    """Where a household that has moved lived at the end of a day."""
    return next((before for on, before, _ in moved if on > day), moved[-1][2])


def communities(conn: Connection, homes: Collection[int], day: date) -> dict[int, str]:
    """Household -> the community where it lived on a day."""
    moved, found, ids = moves(conn), dict[int, str](), sorted(homes)
    for some in _batches(ids):
        found |= {row.id: row.community for row in conn.execute(select(household.c.id, household.c.community).where(household.c.id.in_(list(some))))}
    return found | {home: community_on(moved[home], day.isoformat()) for home in ids if home in moved}


def _pieces(stay: Stay, moved: Sequence[tuple[str, str, str]]) -> list[Stay]:
    """A stay, cut where the household moved while it lasted. The community of its row is that of now."""
    found, rest = [], stay
    if moved:
        rest = replace(stay, community=community_on(moved, stay.since))
    for day, _before, after in moved:
        if stay.since < day and (stay.until is None or day < stay.until):
            found.append(replace(rest, until=day, ended="moved", exit_class=None, ended_by=None))
            rest = replace(rest, since=day, community=after, how="moved", began_by=None)
    return [*found, rest]
