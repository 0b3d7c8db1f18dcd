"""What must not stand in anything that is public, exported or logged: the numbers, accounts, telephones and illnesses of the district's own
people, and the names of minors (N220 art 34, N649 art 61; domain 1.11, the whitelist).

Pure but for `known`, which reads the district's secrets under its keys. What is found is told by kind, place and whose it is, never in clear.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from engine.crypto import BoundKeys, Unreadable
from engine.forms import folded
from processes import identity
from processes.complaint_tables import complaint_reporter
from processes.display_tables import unit_phone
from processes.household_forms import DISABILITIES
from processes.intake_tables import intake
from processes.tables import household, person, staff

ID, ACCOUNT, PHONE, ILLNESS, MINOR, ID_LIKE = "id_number", "bank_account", "phone", "illness", "minor_name", "id_like"
# Words that tell of somebody's health wherever they stand beside a name; policy texts, which name nobody, may say them.
WORDS = ("残疾", "重病", "大病", "疾病", "患病", "病人", "癌", "肿瘤", "尿毒症", "透析", "白血病", "精神障碍", "精神病", "智力障碍", "瘫痪", "失明", "聋哑", "disab", "illness", "cancer")
_DIGITS = re.compile(r"[0-9](?:[ \-\u00a0]?[0-9]){5,}(?:[ \-]?[Xx])?")
_TAGS = re.compile(r"<[^>]*>")
_LEAST = 7  # digits: what is shorter is no telephone of anybody
_LONG = 11  # of an address of ours, from how many on they are no row of a table: a mobile telephone has so many


@dataclass(frozen=True, slots=True)
class Found:
    """A secret where it must not be. hint: its first two and last two signs."""

    where: str
    kind: str
    whose: str
    hint: str


@dataclass(frozen=True)
class Known:
    """numbers: digits -> (kind, whose); illnesses: words of own people -> whose; minors: names that no grown-up has, the staff neither -> whose;
    logins: of staff whose login tells of an office and not of anybody's health, as the Disabled Persons' Federation's."""

    numbers: Mapping[str, tuple[str, str]]
    illnesses: Mapping[str, str]
    minors: Mapping[str, str]
    lengths: tuple[int, ...] = field(default=())
    logins: tuple[str, ...] = ()


# -- what is secret


def known(conn: Connection, keys: BoundKeys, on: date) -> Known:
    """The secrets of everybody in the district: persons, households, who asked at a window, who complained. What is erased has none. A number
    that an office publishes is no secret, whoever else has it."""
    numbers: dict[str, tuple[str, str]] = {}
    illnesses: dict[str, str] = {}
    young: dict[str, str] = {}
    grown: set[str] = set()
    columns = (person.c.id, person.c.name, person.c.birth_date, person.c.id_no, person.c.phone, person.c.health)
    for row in conn.execute(select(*columns)).mappings():
        whose = f"person:{row['id']}"
        _add(numbers, ID, whose, _clear(keys, "person", "id_no", row))
        _add(numbers, PHONE, whose, _clear(keys, "person", "phone", row))
        for word in _health(_clear(keys, "person", "health", row)):
            illnesses.setdefault(word, whose)
        if row["name"]:
            masked = identity.public_name(row["name"], row["birth_date"], on)[1]
            young.setdefault(row["name"], whose) if masked else grown.add(row["name"])
    for row in conn.execute(select(household.c.id, household.c.phone, household.c.bank_account, household.c.hardship_cause)).mappings():
        whose = f"household:{row['id']}"
        _add(numbers, PHONE, whose, _clear(keys, "household", "phone", row))
        _add(numbers, ACCOUNT, whose, _clear(keys, "household", "bank_account", row))
    for table, kind in ((intake, "intake"), (complaint_reporter, "complaint_reporter")):
        for row in conn.execute(select(table.c.id, table.c.phone)).mappings():
            _add(numbers, PHONE, f"{kind}:{row['id']}", _clear(keys, kind, "phone", row))
    for phone in conn.scalars(select(unit_phone.c.phone).where(unit_phone.c.published)):
        numbers.pop(_bare(phone), None)
    logins = set[str]()
    for row in conn.execute(select(staff.c.login, staff.c.name)).mappings():
        grown.add(row["name"])
        if any(word in row["login"].lower() for word in WORDS):
            logins.add(row["login"].lower())
    return Known(numbers, illnesses, {name: whose for name, whose in young.items() if name not in grown and len(name) > 1}, tuple(sorted({len(n) for n in numbers})),
                 tuple(sorted(logins, key=len, reverse=True)))  # fmt: skip


def _clear(keys: BoundKeys, table: str, column: str, row: Mapping[Any, Any]) -> str:
    if not row[column]:
        return ""
    try:
        return keys.reveal(table, column, row["id"], row[column]) or ""
    except Unreadable:  # erased: its key is gone
        return ""


def _bare(text: str) -> str:
    return re.sub(r"[^0-9Xx]", "", folded(text)).upper()


def _add(numbers: dict[str, tuple[str, str]], kind: str, whose: str, text: str) -> None:
    if len(bare := _bare(text)) >= _LEAST:
        numbers.setdefault(bare, (kind, whose))


def _health(text: str) -> Iterator[str]:
    said = json.loads(text) if text else {}
    for name in ("serious_illness", "serious_outpatient_illness"):
        if isinstance(said.get(name), str) and len(said[name].strip()) > 1:
            yield said[name].strip()
    kind = next((zh for code, zh, _ in DISABILITIES if code == said.get("disability_kind")), None)
    if kind:
        yield f"{kind}残疾"


# -- looking


def look(where: str, text: str, secrets: Known, *, people: bool, policy: bool = False) -> list[Found]:
    """What stands in a text and must not. people: it tells of people, so no word on health may stand in it and no minor's name; policy: it is a
    document of examples, so numbers that merely look like somebody's are not looked for."""
    plain, where = folded(html.unescape(text)), _DIGITS.sub(lambda run: _hint(run.group()) if len(_bare(run.group())) >= _LONG else run.group(), where)
    found: dict[tuple[str, str], Found] = {}
    for view in dict.fromkeys((plain, _TAGS.sub("", plain), _TAGS.sub(" ", plain))):
        for run in _DIGITS.finditer(view):
            for kind, whose, number in _in_run(run.group(), secrets, policy=policy):
                found.setdefault((kind, whose), Found(where, kind, whose, _hint(number)))
        if people:
            for kind, whose, word in _words(view, secrets):
                found.setdefault((kind, whose), Found(where, kind, whose, _hint(word)))
    return list(found.values())


def _in_run(run: str, secrets: Known, *, policy: bool) -> Iterator[tuple[str, str, str]]:
    """Numbers at the beginning and the end of each run of digits, with and without what separates it: two that are written together hide
    neither, and what only happens to lie in the middle of a digest is none."""
    pieces = {_bare(run), *(_bare(piece) for piece in re.split(r"[ \-\u00a0]", run))}
    hits = {part for piece in pieces for length in secrets.lengths for part in (piece[:length], piece[-length:]) if part in secrets.numbers}
    for number in sorted(hits):
        yield (*secrets.numbers[number], number)
    for piece in () if policy else sorted(pieces - secrets.numbers.keys()):
        if len(piece) == 18 and identity.allowed(piece, production=False):
            yield ID_LIKE, "?", piece


def _words(view: str, secrets: Known) -> Iterator[tuple[str, str, str]]:
    low = view.lower()
    for login in secrets.logins:
        low = low.replace(login, "")
    low = low.replace("illness-expenditure", "")  # a process's name, in event logs without names
    for word in WORDS:
        if word in low:
            yield ILLNESS, f"word:{word}", word
    for word, whose in secrets.illnesses.items():
        if word in view:
            yield ILLNESS, whose, word
    for name, whose in secrets.minors.items():
        if name in view:
            yield MINOR, whose, name


def _hint(secret: str) -> str:
    return secret[:1] + "…" if len(secret) < _LEAST else f"{secret[:2]}…{secret[-2:]}"
