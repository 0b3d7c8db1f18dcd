"""The right to be forgotten against a record that forgets nothing (PIPL art 47; reliability 2.8).

While the record must be kept, a person's data are *restricted*: they stay, and nobody works with them. After that they are
*erased*: the data key is destroyed, so that what was written about the person cannot be read by anybody, and the same
act blanks every business row, blind index, draft, file and letter. Every seal, the tree and the replay stay valid: they
hold commitments only. What a household shares falls with its last member's key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import OTHERS, SHANGHAI, Data, Put
from engine.office import Act, Record, read_entry, stored_of
from processes import law
from processes.case_tables import letter, letter_bytes
from processes.complaint_tables import complaint
from processes.intake_tables import intake
from processes.lead_tables import lead
from processes.proof_tables import erasure
from processes.tables import benefit, household, household_member, person

REASONS = ("request", "retention_over", "wrong_person")
ARTICLE = "PIPL art 47"
_CASES = select(store.record.c.id).where(store.record.c.kind == "case")
ASKERS, DECIDERS = frozenset({"civil_affairs_officer", "supervisor", "admin"}), frozenset({"supervisor", "admin"})


def erased(conn: Connection) -> frozenset[str]:
    """Subjects whose key was destroyed by an act that stands in the record."""
    return frozenset(conn.scalars(select(erasure.c.subject).where(erasure.c.state == "erased")))


def restricted(conn: Connection, subjects: Collection[str]) -> frozenset[str]:
    """Those of the subjects with whose data nobody works."""
    found = erasure.c.state.in_(("restricted", "proposed"))
    return frozenset(conn.scalars(select(erasure.c.subject).where(erasure.c.subject.in_(list(subjects)), found)))


def refuse_restricted(conn: Connection, household_id: int) -> None:
    """Refused when the data of the household, or of somebody in it, are restricted or erased."""
    members = conn.scalars(select(household_member.c.person_id).where(household_member.c.household_id == household_id)).all()
    subjects = [f"household:{household_id}", *(f"person:{n}" for n in members)]
    held = conn.scalar(select(func.count()).select_from(erasure).where(erasure.c.subject.in_(subjects), erasure.c.state.in_(("restricted", "proposed", "erased"))))
    if held:
        raise Refused("restricted", "该家庭有成员的个人信息已限制处理，只能保存，不能办理", "Personal data of this household are restricted: they are kept, not worked with")


def households_of(conn: Connection, person_id: int) -> list[int]:
    return list(conn.scalars(select(household_member.c.household_id).where(household_member.c.person_id == person_id).distinct().order_by(household_member.c.household_id)))


def keep_until(conn: Connection, subject: str) -> date | None:
    """The first day on which the data of a person, or of somebody named in a case, may be erased; None while a case is open
    or a benefit runs."""
    if subject.startswith(OTHERS):
        ended = list(conn.scalars(select(store.record.c.closed_at).where(store.record.c.id == _record_of(subject))))
    else:
        houses = households_of(conn, int(subject.partition(":")[2]))
        if conn.scalar(select(func.count()).select_from(benefit).where(benefit.c.household_id.in_(houses), benefit.c.status != "closed")):
            return None
        ended = list(conn.scalars(_CASES.with_only_columns(store.record.c.closed_at).where(store.record.c.subject.in_([f"household:{n}" for n in houses]))))
    if None in ended:
        return None
    last = max((closed.astimezone(SHANGHAI).date() for closed in ended), default=date.min)
    if last == date.min:
        return last
    years = int(law.value("record_retention_years", last).amount)
    return date(last.year + years + 1, 1, 1)  # counted from the end of the year of the decision


# -- verbs


def restrict(act: Act, whom: int | str, reason: str) -> dict[str, Any]:
    """From now on somebody's data are kept and not worked with. `whom`: a person's id; or the subject of who is named in an
    entry without being a party, as the case's record gives it ("other:12.5.objector"): his words are shown no more."""
    _may(act, ASKERS)
    _reason(reason)
    subject = f"person:{whom}" if isinstance(whom, int) else whom
    unit = _person(act, whom) if isinstance(whom, int) else _named(act, whom)
    if _standing(act.conn, subject) is not None:
        raise Conflict("该人员的个人信息已限制处理或已删除", "This person's data are restricted or erased already")
    until = keep_until(act.conn, subject)
    if until is None:
        raise Conflict("该人员还有在办个案或在享待遇，不能限制处理", "The person has an open case or a running benefit")
    record = act.new("erasure", unit)
    row_id = record.next_id()
    values = {"subject": subject, "state": "restricted", "reason": reason, "asked_by": act.actor.id, "asked_on": act.today.isoformat(),
              "keep_until": until.isoformat() if until > date.min else None}  # fmt: skip
    act.append(record, "processing_restricted", {"subject": values["subject"], "article": ARTICLE}, puts=[Put("erasure", row_id, values)])
    return _told(act, row_id, values)


def lift(act: Act, row_id: int) -> dict[str, Any]:
    """The restriction ends: the person came back, or it was a mistake."""
    _may(act, DECIDERS)
    row, record = _opened(act, row_id, ("restricted", "proposed"))
    values = {"state": "lifted", "decided_by": act.actor.id, "decided_on": act.today.isoformat()}
    act.append(record, "restriction_lifted", {"subject": row["subject"]}, puts=[Put("erasure", row_id, values)])
    return _told(act, row_id, {**row, **values})


def propose(act: Act, row_id: int) -> dict[str, Any]:
    """Ask that restricted data be erased. Conflict while the record must be kept."""
    _may(act, ASKERS)
    row, record = _opened(act, row_id, ("restricted",))
    _over(act, row["subject"])
    values = {"state": "proposed", "asked_by": act.actor.id, "asked_on": act.today.isoformat()}
    act.append(record, "erasure_proposed", {"subject": row["subject"]}, puts=[Put("erasure", row_id, values)])
    return _told(act, row_id, {**row, **values})


def erase(act: Act, row_id: int) -> dict[str, Any]:
    """Another person destroys the key and blanks the rows. It cannot be undone. The documents' files go after the commit, by
    `documents.sweep`: were they removed here, an act that comes to nothing would have lost them."""
    _may(act, DECIDERS)
    row, record = _opened(act, row_id, ("proposed",))
    if row["asked_by"] in act.actor.persons:
        raise Refused("two-persons", "删除须由提出人以外的另一人决定", "Another person than the one who asked decides on the erasure")
    _over(act, row["subject"])
    subjects = [row["subject"], *_left_alone(act.conn, row["subject"])]
    found = _Forgotten(act, subjects)
    found.write()
    values = {"state": "erased", "decided_by": act.actor.id, "decided_on": act.today.isoformat()}
    puts = [Put("erasure", row_id, values)]
    for subject in subjects[1:]:
        shared = {"subject": subject, "state": "erased", "reason": row["reason"], "asked_by": row["asked_by"], "asked_on": row["asked_on"], "decided_by": act.actor.id, "decided_on": act.today.isoformat()}
        puts.append(Put("erasure", record.next_id(), shared))
    act.append(record, "erased", {"subject": row["subject"], "subjects": subjects, "reason": row["reason"], "article": ARTICLE}, puts=puts)
    found.shred()
    return _told(act, row_id, {**row, **values})


def _left_alone(conn: Connection, subject: str) -> Iterator[str]:
    """Households of the person in which nobody else's data are left; with what others said of them."""
    if subject.startswith(OTHERS):
        return
    person_id, gone = int(subject.partition(":")[2]), erased(conn)
    for household_id in households_of(conn, person_id):
        members = set(conn.scalars(select(household_member.c.person_id).where(household_member.c.household_id == household_id)))
        alone = all(f"person:{n}" in gone for n in members - {person_id})
        if alone or conn.scalar(select(household.c.applicant_id).where(household.c.id == household_id)) == person_id:
            yield from _unregistered(conn, household_id, gone)
        if alone:
            yield f"household:{household_id}"
            yield from sorted({f"case:{n >> 16}" for n in conn.scalars(select(complaint.c.id).where(complaint.c.household_id == household_id))})
            table = store.payload.c
            cases = _CASES.where(store.record.c.subject == f"household:{household_id}")
            yield from conn.scalars(select(table.subject).where(table.record_id.in_(cases), table.subject.startswith(OTHERS), table.subject.not_in(gone)).order_by(table.subject))


def _unregistered(conn: Connection, household_id: int, gone: Collection[str]) -> Iterator[str]:
    """What was written, under keys of its own, about somebody whom nobody had registered yet, and who turned out to be of this household: leads and
    intakes. They tell of who was in need, so they fall with the applicant, or with the last of the household."""
    for table, kinds in ((lead, ("lead", "case")), (intake, ("intake",))):  # a lead's own key is its record's, or its case's (decision 081)
        ids = conn.scalars(select(table.c.id).where(table.c.household_id == household_id).order_by(table.c.id))
        subjects = [f"{kind}:{number >> 16}" for number in ids for kind in kinds]
        written = set(conn.scalars(select(store.payload.c.subject).where(store.payload.c.subject.in_(subjects))))
        yield from (subject for subject in subjects if subject in written and subject not in gone)


@dataclass
class _Forgotten:
    """All that was written about some subjects: where it stands, and what becomes of it."""

    act: Act
    subjects: Sequence[str]

    def write(self) -> None:
        """An entry `erased` in each record that holds a part of theirs, with blanks for the columns it had put."""
        conn = self.act.conn
        table = store.payload
        holders = conn.execute(
            select(store.record.c.id, store.record.c.kind)
            .where(store.record.c.id.in_(select(table.c.record_id).where(table.c.subject.in_(self.subjects))))
            .order_by(store.record.c.id)
        ).all()
        for holder in holders:
            blanks, named = self._blanks(holder.id)
            record = self.act.open(holder.kind, holder.id)
            for subject in sorted(named):
                puts = [Put(name, row_id, values, blank=True) for (name, row_id, whose), values in sorted(blanks.items(), key=lambda item: item[0]) if whose == subject]
                self.act.append(record, "erased", {"subject": subject, "article": ARTICLE}, puts=puts)

    def _blanks(self, record_id: int) -> tuple[dict[tuple[str, int, str], dict[str, Any]], set[str]]:
        """(table, row, subject) -> column -> blank, for all that their payloads in this record had put; and whose these were."""
        stored, payloads = stored_of(self.act.conn, record_id)
        found: dict[tuple[str, int, str], dict[str, Any]] = {}
        named: set[str] = set()
        for kept in stored:
            entry = read_entry(self.act.keys, kept, payloads.get(kept.seq, {}))
            named |= entry.personal.keys() & set(self.subjects)
            for index, put in enumerate(entry.said.get("puts", ())):
                secret = entry.personal.get(put.get("of"))
                if put.get("of") in self.subjects and secret:
                    columns = secret["puts"][str(index)]
                    found.setdefault((put["table"], put["id"], put["of"]), {}).update({name: _blank(put["table"], name) for name in columns})
        return found, named

    def shred(self) -> None:
        """What is no part of the record: keys, drafts, notes, letters' bytes."""
        conn, houses = self.act.conn, [int(s.partition(":")[2]) for s in self.subjects if s.startswith("household:")]
        conn.execute(delete(store.subject_key).where(store.subject_key.c.subject.in_(self.subjects)))
        if not houses:
            return
        cases = _CASES.where(store.record.c.subject.in_([f"household:{n}" for n in houses]))
        conn.execute(delete(store.draft).where(store.draft.c.task_id.in_(select(store.task.c.id).where(store.task.c.case_id.in_(cases)))))
        conn.execute(delete(store.case_note).where(store.case_note.c.case_id.in_(cases)))
        conn.execute(delete(letter_bytes).where(letter_bytes.c.id.in_(select(letter.c.id).where(letter.c.household_id.in_(houses)))))


def _blank(table: str, column: str) -> Any:
    found = store.metadata.tables[table].c[column]
    if found.nullable:
        return None
    kind: type = found.type.python_type
    return "" if kind in (str, bytes) else kind(0)


def _record_of(subject: str) -> int:
    """The record in which somebody is named, from "other:12.5.objector"; 0 when it says none."""
    number = subject.removeprefix(OTHERS).partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0


def _named(act: Act, subject: str) -> str:
    """The unit of the record in which somebody is named."""
    record, table = store.record.c, store.payload.c
    query = select(record.unit).join(store.payload, table.record_id == record.id).where(record.id == _record_of(subject), table.subject == subject)
    unit = act.conn.scalar(query) if subject.startswith(OTHERS) else None
    if unit is None or not act.actor.covers(unit):
        raise NotFound("没有这个人")
    return str(unit)


def _person(act: Act, person_id: int) -> str:
    """The unit whose staff answer for a person's data."""
    if act.conn.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        raise NotFound("没有这个人")
    houses = households_of(act.conn, person_id)
    unit = act.conn.scalar(select(store.record.c.unit).where(store.record.c.id == (houses[-1] if houses else person_id)))  # their ids are their records'
    if unit is None or not act.actor.covers(unit):
        raise NotFound("没有这个人")
    return str(unit)


def _opened(act: Act, row_id: int, states: Sequence[str]) -> tuple[Mapping[Any, Any], Record]:
    row = act.conn.execute(select(erasure).where(erasure.c.id == row_id)).mappings().one_or_none()
    record = act.open("erasure", row_id >> 16) if row else None
    if row is None or record is None or not act.actor.covers(record.unit):
        raise NotFound("没有这项限制")
    if row["state"] not in states:
        raise Conflict("这项限制已经处理", "This has been settled")
    return row, record


def _standing(conn: Connection, subject: str) -> Any:
    return conn.scalar(select(erasure.c.id).where(erasure.c.subject == subject, erasure.c.state.in_(("restricted", "proposed", "erased"))))


def _over(act: Act, subject: str) -> None:
    until = keep_until(act.conn, subject)
    if until is None:
        raise Conflict("该人员还有在办个案或在享待遇，不能删除", "The person has an open case or a running benefit")
    if until > act.today:
        raise Conflict(f"保管期限未满（至{until.isoformat()}），只能限制处理，不能删除", f"The record is kept until {until.isoformat()}: data are restricted, not erased")


def _reason(reason: str) -> None:
    if reason not in REASONS:
        raise Invalid({"reason": [f"须为 {'、'.join(REASONS)} 之一"]})


def _may(act: Act, roles: frozenset[str]) -> None:
    if roles.isdisjoint(act.actor.roles):
        raise Refused("role", "您的岗位不能办理个人信息的限制与删除", "Your post does not restrict or erase personal data")


def _told(act: Act, row_id: int, values: Data) -> dict[str, Any]:
    told = {"id": row_id, **{name: values.get(name) for name in ("subject", "state", "reason", "keep_until")}}
    act.remember(json.loads(json.dumps(told)))
    return told
