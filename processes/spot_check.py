"""The draw of the district's spot check: nobody chooses, and everybody can check afterwards.

Of each ten files of a street, in order of receipt, three are drawn by a permutation. The hash of its seed is recorded
before the ten begin, the seed itself when they are over: when they are full, or at the month's end, when an incomplete
ten is filled up to the same share in the order of the permutation (N220 art 26: at least 30 %; all near-relative,
doubtful and reported cases besides).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from sqlalchemy import String, bindparam, cast, exists, select

from engine import jobs
from engine.dmn import noting
from engine.model import SHANGHAI, Data, Put
from engine.office import Act, Record
from engine.prepared import Prepared
from engine.store import record
from processes import dmn
from processes.case_tables import spot_file, spot_register
from processes.screening_forms import CASE

BLOCK = 10
_REGISTER = Prepared(select(spot_register).where(spot_register.c.street == bindparam("the_street")))
_BY_RECORD = select(spot_register).where(spot_register.c.record_id == bindparam("the_record"))
_UNDER_WAY = exists().where(record.c.subject == "household:" + cast(spot_file.c.household_id, String), record.c.kind == "case", record.c.process != CASE, record.c.closed_at.is_(None))
_FILES = (
    select(spot_file, _UNDER_WAY.label("under_way"))
    .where(spot_file.c.street == bindparam("the_street"), spot_file.c.block == bindparam("the_block"))
    .order_by(spot_file.c.position)
)
_LATEST = Prepared(select(spot_file).where(spot_file.c.household_id == bindparam("the_household")).order_by(spot_file.c.id.desc()).limit(1))


def seed_hash(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()


def order(seed: str, size: int = BLOCK) -> list[int]:
    """The permutation of the positions 0..size-1 that the seed gives: by their keyed hashes."""
    return sorted(range(size), key=lambda n: hashlib.sha256(f"{seed}:{n}".encode()).digest())


def wanted(files: int, on: date) -> int:
    """How many of so many files are visited at least, by the law of the day (N220 art 26)."""
    return ceil(Fraction(share(on)) * files)


def share(on: date) -> Decimal:
    """The share of a street's files that are visited, at least (`dmn/spot-share.dmn`)."""
    found: Decimal = dmn.decide("spot-share", on=on)["share"]
    return found


def reasons(*, near_relative: bool, doubtful: bool, reported: bool, drawn: bool) -> list[str]:
    """Why a file is visited (`dmn/spot-check.dmn`); empty: it is not."""
    said = dmn.decide("spot-check", near_relative=near_relative, doubtful=doubtful, reported=reported, drawn=drawn)
    return [one["reason"] for one in said.found if one["reason"] != "none"]


def drawn(seed: str, on: date) -> frozenset[int]:
    """Which positions of a full block are drawn."""
    return frozenset(order(seed)[: wanted(BLOCK, on)])


def late(seed: str, files: Sequence[Mapping[Any, Any]], on: date) -> list[int]:
    """Positions that fill an incomplete block up to the share, in the order of the permutation. Files whose case is
    closed, or has gone past the last point where a visit is possible, are left out."""
    lacking = wanted(len(files), on) - sum(1 for file in files if file["drawn"])
    free = {file["position"] for file in files if file["under_way"] and not file["drawn"] and not file["passed_on"]}
    return sorted([n for n in order(seed) if n in free][: max(lacking, 0)])


def draw(act: Act, street: str, household_id: int) -> bool:
    """Enter a file into its street's register, in order of receipt; whether it is drawn."""
    row = _REGISTER.row(act.conn, {"the_street": street})
    if row is None:
        log = act.new("register", street)
        row_id = log.next_id()
        seed, block, position = _new_block(act, log, row_id, street, 1), 1, 0
    else:
        log, [row] = act.open_and_see("register", row["record_id"], (_REGISTER, {"the_street": street}))
        row_id = row["id"]
        seed = act.keys.reveal("spot_register", "seed", row_id, row["seed"])
        block, position = row["block"], row["position"]
    with noting() as asked:
        taken = position in drawn(seed, act.today)
    file = {"street": street, "block": block, "position": position, "household_id": household_id, "received_on": act.today.isoformat(), "drawn": taken, "late": False}
    said = {"case": str(household_id), "block": block, "position": position, "drawn": taken, **act.used(asked)}
    act.append(log, "file_received", said, puts=[Put("spot_register", row_id, {"position": position + 1}), Put("spot_file", log.next_id(), file)])
    if position == 0:
        jobs.plan(act.conn, "spot_month_end", log.id, str(block), _next_month(act.today), {})
    if position + 1 == BLOCK:
        act.append(log, "block_closed", {"block": block, "seed": seed, "hash": seed_hash(seed)})
        _new_block(act, log, row_id, street, block + 1)
    return taken


def kept(act: Act, household_id: int) -> bool | None:
    """A file that the district returned and gets again keeps its place and its draw, or one household could fill two of the ten; whether
    it was drawn, at once or at the month's end. None: it has no place. Until it goes on once more it can be drawn late again."""
    file = _LATEST.row(act.conn, {"the_household": household_id})
    if file is None:
        return None
    log, [file, *_] = act.open_and_see("register", file["id"] >> 16, (_LATEST, {"the_household": household_id}))
    drawn = bool(file["drawn"] or file["late"])
    said: Data = {"case": str(household_id), "block": file["block"], "position": file["position"], "drawn": drawn}
    act.append(log, "file_received_again", said, puts=[Put("spot_file", file["id"], {"passed_on": None})] if file["passed_on"] else [])
    return drawn


def month_end(act: Act, record_id: int, block: int) -> None:
    """Fill the block up to the share and close it, unless it was full before the month was over."""
    log = act.open("register", record_id)
    row = act.conn.execute(_BY_RECORD, {"the_record": record_id}).mappings().one()
    if row["block"] != block:
        return
    files = list(act.conn.execute(_FILES, {"the_street": row["street"], "the_block": block}).mappings())
    seed = act.keys.reveal("spot_register", "seed", row["id"], row["seed"])
    with noting() as asked:
        added = late(seed, files, act.today)
    lacking = wanted(len(files), act.today) - sum(1 for file in files if file["drawn"]) - len(added)
    said = {**act.used(asked), "block": block, "files": len(files), "seed": seed, "hash": seed_hash(seed), "late": added, "short": max(lacking, 0)}
    puts = [Put("spot_file", file["id"], {"late": True}) for file in files if file["position"] in added]
    act.append(log, "block_closed", said, puts=puts)
    _new_block(act, log, row["id"], row["street"], block + 1)


def drawn_late(act: Act, household_id: int) -> bool:
    """Whether a case's file was added at a month's end and not yet sent to a visit for it. The case goes on from here to
    its decision, so the file is marked as past: no later draw takes it."""
    file = _LATEST.row(act.conn, {"the_household": household_id})
    if file is None or file["passed_on"]:
        return False
    log, [file, *_] = act.open_and_see("register", file["id"] >> 16, (_LATEST, {"the_household": household_id}))
    said: Data = {"case": str(household_id), "block": file["block"], "position": file["position"], "late": file["late"]}
    act.append(log, "file_passed", said, puts=[Put("spot_file", file["id"], {"passed_on": act.today.isoformat()})])
    return bool(file["late"])


def _next_month(day: date) -> datetime:
    first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return datetime.combine(first, datetime.min.time(), SHANGHAI)


def _new_block(act: Act, log: Record, row_id: int, street: str, block: int) -> str:
    seed = secrets.token_hex(32)
    values = {"record_id": log.id, "street": street, "block": block, "position": 0, "seed_hash": seed_hash(seed), "seed": seed}
    put = Put("spot_register", row_id, values, subject=f"register:{street}")
    act.append(log, "block_opened", {"block": block, "hash": seed_hash(seed)}, puts=[put])
    return seed
