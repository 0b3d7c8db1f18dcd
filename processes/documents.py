"""Scans and photos: encrypted under the household's key, safe on disk before the transaction that names them commits."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, bindparam, select

from engine.crypto import BoundKeys, Unreadable, file_commitment, fits
from engine.errors import Invalid, NotFound
from engine.forms import Form
from engine.model import Put
from engine.office import Act
from processes import readers
from processes.tables import document, household

MAX_BYTES = 8 * 1024 * 1024
_MAGIC = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_ORPHAN_AFTER = 3600  # seconds


def store(act: Act, folder: Path, household_id: int, kind: str, title: str, stream: IO[bytes], case_no: str | None = None,
          *, once: bool = False) -> int:  # fmt: skip
    """Keep a file; the document's id. PDF, PNG and JPEG by their first bytes, up to 8 MB; the sent name is only a title.
    `once`: the same bytes sent again as the same kind are the household's document that is there already."""
    data = stream.read(MAX_BYTES + 1)
    media_type = _sniff(data)
    if act.conn.scalar(select(household.c.id).where(household.c.id == household_id)) is None:
        raise NotFound("没有这户家庭")
    record = act.open("household", household_id)
    if not readers.of_cases(act.actor).covers(record.unit):
        raise NotFound("没有这户家庭")
    act.through(act.actor.post_over(record.unit))
    cipher = act.keys.subject(f"household:{household_id}")
    committed = file_commitment(cipher, data)
    kind, title = _plain(kind)[:30] or "other", _plain(title.replace("\\", "/").rpartition("/")[2])[:120]
    if once and (known := act.conn.scalar(_SAME, {"household_id": household_id, "kind": kind, "commitment": committed})) is not None:
        return int(known)
    row_id, name = record.next_id(), secrets.token_hex(16)
    write(folder, name, cipher.seal(data, f"document:{row_id}".encode()))
    values = {
        "household_id": household_id, "case_no": case_no, "kind": kind, "title": title, "media_type": media_type,
        "size": len(data), "commitment": committed, "stored_name": name, "uploaded_by": act.actor.id,
        "uploaded_on": act.today.isoformat(),
    }  # fmt: skip
    act.append(record, "document_kept", {"kind": kind}, puts=[Put("document", row_id, values, f"household:{household_id}")])
    return row_id


_SAME = select(document.c.id).where(document.c.household_id == bindparam("household_id"), document.c.kind == bindparam("kind"),
                                    document.c.commitment == bindparam("commitment")).order_by(document.c.id).limit(1)  # fmt: skip


def _plain(text: str) -> str:
    """A name as sent, without control characters: it is shown, never used as a path."""
    return "".join(c for c in text if c.isprintable()).strip()


def _sniff(data: bytes) -> str:
    if not data:
        raise Invalid({"file": ["文件是空的"]})
    if len(data) > MAX_BYTES:
        raise Invalid({"file": ["文件太大，最多 8 MB"]})
    for magic, media_type in _MAGIC:
        if data.startswith(magic):
            return media_type
    raise Invalid({"file": ["只接受 PDF、PNG 或 JPEG 文件"]})


def write(folder: Path, name: str, data: bytes) -> None:
    """Written and fsynced under a temporary name, then renamed: a crash leaves an orphan, never half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / name)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fetch(conn: Connection, keys: BoundKeys, folder: Path, document_id: int) -> tuple[bytes, str, int]:
    """(bytes, media type, household id) of a document; checked against what the record says of it."""
    row = conn.execute(select(document).where(document.c.id == document_id)).mappings().one_or_none()
    cipher = keys.find(f"household:{row['household_id']}") if row else None
    if row is None or cipher is None or not (folder / row["stored_name"]).exists():
        raise NotFound("没有这份材料")
    try:
        data = cipher.open((folder / row["stored_name"]).read_bytes(), f"document:{document_id}".encode())
    except Unreadable:
        raise NotFound("这份材料与记录不符") from None
    if not fits(cipher, data, data.hex(), row["commitment"]):
        raise NotFound("这份材料与记录不符")
    return data, row["media_type"], row["household_id"]


_THEIRS = select(document.c.id).where(document.c.id.in_(bindparam("ids", expanding=True)), document.c.household_id == bindparam("household_id"))


def foreign(conn: Connection, form: Form, answers: Mapping[str, Any], household_id: int) -> dict[str, list[str]]:
    """The fields of a form that name papers which this household does not have: field -> why."""
    named: dict[str, set[int]] = {}
    for name, field in form.fields.items():
        if field.metadata.get("widget") in ("document", "documents") and answers.get(name):
            given = answers[name]
            named[name] = set(given) if isinstance(given, list) else {given}
    if not named:
        return {}
    known = set(conn.scalars(_THEIRS, {"ids": sorted(set().union(*named.values())), "household_id": household_id}))
    return {name: ["这户没有这份材料"] for name, ids in named.items() if ids - known}


def sweep(conn: Connection, folder: Path) -> int:
    """Remove files that no document names, an hour after they were written: what a crash left behind."""
    named = set(conn.scalars(select(document.c.stored_name)))
    old = time.time() - _ORPHAN_AFTER
    orphans = [f for f in folder.glob("*") if f.is_file() and f.name not in named and f.stat().st_mtime < old]
    for file in orphans:
        file.unlink(missing_ok=True)
    return len(orphans)
