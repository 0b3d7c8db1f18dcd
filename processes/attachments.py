"""Files of a unit's own work (attachments), as `documents` are those of a household: safe on disk before an act names them.

Each is a record of its own and has a key of its own, which stands sealed in its entry: no household's key would fit, and a
unit's would never be given up.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select

from engine.crypto import BoundKeys, Cipher, Unreadable, file_commitment
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Office
from processes import documents, readers
from processes.attachment_tables import attachment
from processes.tables import unit as unit_table

ADDERS = frozenset({"window_clerk", "civil_affairs_officer", "investigator", "reviewer", "street_leader", "spot_checker", "district_examiner", "approver", "supervisor",
                    "village_committee"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that lies safe on disk and that nothing names yet."""

    unit: str
    path: Path
    media_type: str
    size: int
    cipher: Cipher = field(repr=False)
    commitment: str = ""


def stage(office: Office, actor: Actor, folder: Path, unit: str, stream: IO[bytes]) -> Staged:
    """Read, look at, encrypt and write a file for a unit: PDF, PNG and JPEG by their first bytes, up to 8 MB. Raises NotFound, Refused, Invalid."""
    with office.read() as conn:
        _may(conn, actor, unit)
    data = stream.read(documents.MAX_BYTES + 1)
    media_type, name, cipher = documents.sniff(data), secrets.token_hex(16), Cipher(os.urandom(32))
    documents.write(folder, name, cipher.seal(data, name.encode()))
    return Staged(unit, folder / name, media_type, len(data), cipher, file_commitment(cipher, data))


def keep(act: Act, staged: Staged, kind: str, title: str) -> int:
    """Make a staged file an attachment of the unit; its id."""
    post = _may(act.conn, act.actor, staged.unit)
    if not staged.path.exists():
        raise Conflict("这份材料在登记之前已失效，请重新上传", "The file lapsed before it was recorded; send it again")
    act.through(post)
    made = act.new("attachment", staged.unit)
    number, subject = made.next_id(), f"attachment:{made.id}"
    values = {"unit": staged.unit, "kind": documents.plain(kind)[:30] or "other", "title": documents.plain(title.replace("\\", "/").rpartition("/")[2])[:120], "media_type": staged.media_type,
              "size": staged.size, "commitment": staged.commitment, "stored_name": staged.path.name, "file_key": base64.b64encode(staged.cipher.key).decode(),
              "uploaded_by": act.actor.id, "uploaded_on": act.today.isoformat()}  # fmt: skip
    act.append(made, "attachment_kept", {"kind": values["kind"]}, puts=[Put("attachment", number, values, subject)])
    return number


def _may(conn: Connection, actor: Actor, unit: str) -> str:
    """The post with which the actor adds files there."""
    if conn.scalar(select(unit_table.c.id).where(unit_table.c.code == unit)) is None or not actor.covers(unit):
        raise NotFound("没有这个机构")
    post = actor.post_over(unit, ADDERS)
    if post is None:
        raise Refused("attachment", "您的岗位在这个机构不能上传材料", "Your post adds no files for this unit")
    return post


def fetch(conn: Connection, keys: BoundKeys, folder: Path, actor: Actor, attachment_id: int) -> tuple[bytes, str]:
    """(bytes, media type), checked against what the record says; NotFound for who may not read it: the unit's readers of cases, and who sent it in."""
    row = conn.execute(select(attachment).where(attachment.c.id == attachment_id)).mappings().one_or_none()
    if row is None or not _reads(actor, row) or not (folder / row["stored_name"]).exists():
        raise NotFound("没有这份材料")
    cipher = Cipher(base64.b64decode(keys.reveal("attachment", "file_key", row["id"], row["file_key"])))
    try:
        data = cipher.open((folder / row["stored_name"]).read_bytes(), row["stored_name"].encode())
    except Unreadable:
        raise NotFound("这份材料与记录不符") from None
    if file_commitment(cipher, data) != row["commitment"]:
        raise NotFound("这份材料与记录不符")
    return data, row["media_type"]


def _reads(actor: Actor, row: Mapping[Any, Any]) -> bool:
    return row["uploaded_by"] == actor.id or readers.of_cases(actor).covers(row["unit"])


def opens(conn: Connection, actor: Actor, attachment_id: int) -> bool:
    """Whether the actor may open the file."""
    row = conn.execute(select(attachment).where(attachment.c.id == attachment_id)).mappings().one_or_none()
    return row is not None and _reads(actor, row)


def known(conn: Connection, ids: Collection[int]) -> dict[int, Mapping[Any, Any]]:
    """id -> row, of those that there are."""
    wanted = sorted({n for n in ids if n < 2**63})
    return {row["id"]: row for row in conn.execute(select(attachment).where(attachment.c.id.in_(wanted))).mappings()} if wanted else {}


def refuse_foreign(conn: Connection, unit: str, named: Mapping[str, Collection[int]]) -> None:
    """Invalid when a field names a file that is not there, or of a unit that neither holds this one nor lies in it. `named`: path of the field -> ids."""
    rows = known(conn, {n for ids in named.values() for n in ids})
    theirs = {n for n, row in rows.items() if row["unit"].startswith(unit) or unit.startswith(row["unit"])}
    if wrong := {path: ["本机构没有这份材料"] for path, ids in named.items() if set(ids) - theirs}:
        raise Invalid(wrong)
