"""The draw of the district's spot check: nobody chooses, and everybody can check afterwards.

Of each ten files of a street, in order of receipt, three are drawn by a permutation. The hash of its seed is recorded
before the ten begin, the seed itself when they are full (N220 art 26: at least 30 %; all near-relative, doubtful and
reported cases besides).
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import bindparam, select

from engine.model import Put
from engine.office import Act, Record
from processes.case_tables import spot_register

BLOCK, DRAWN = 10, 3
_REGISTER = select(spot_register).where(spot_register.c.street == bindparam("the_street"))


def seed_hash(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()


def drawn(seed: str, size: int = BLOCK, count: int = DRAWN) -> frozenset[int]:
    """Which positions (0..size-1) of a block are drawn: the `count` smallest of the keyed hashes."""
    order = sorted(range(size), key=lambda n: hashlib.sha256(f"{seed}:{n}".encode()).digest())
    return frozenset(order[:count])


def draw(act: Act, street: str, case_no: str) -> bool:
    """Enter a file into its street's register, in order of receipt; whether it is drawn."""
    row = act.conn.execute(_REGISTER, {"the_street": street}).mappings().one_or_none()
    if row is None:
        record = act.new("register", street)
        row_id = record.next_id()
        seed, block, position = _new_block(act, record, row_id, street, 1), 1, 0
    else:
        record, row_id = act.open("register", row["record_id"]), row["id"]
        row = act.conn.execute(_REGISTER, {"the_street": street}).mappings().one()  # as it stands now that it is locked
        seed = act.keys.reveal("spot_register", "seed", row_id, row["seed"])
        block, position = row["block"], row["position"]
    taken = position in drawn(seed)
    said = {"case": case_no, "block": block, "position": position, "drawn": taken}
    act.append(record, "file_received", said, puts=[Put("spot_register", row_id, {"position": position + 1})])
    if position + 1 == BLOCK:
        act.append(record, "block_closed", {"block": block, "seed": seed, "hash": seed_hash(seed)})
        _new_block(act, record, row_id, street, block + 1)
    return taken


def _new_block(act: Act, record: Record, row_id: int, street: str, block: int) -> str:
    seed = secrets.token_hex(32)
    values = {"record_id": record.id, "street": street, "block": block, "position": 0, "seed_hash": seed_hash(seed), "seed": seed}
    put = Put("spot_register", row_id, values, subject=f"register:{street}")
    act.append(record, "block_opened", {"block": block, "hash": seed_hash(seed)}, puts=[put])
    return seed
