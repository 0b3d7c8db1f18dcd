"""Scans and photos: encrypted under the household's key, safe on disk before the transaction that names them begins."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import BigInteger, Connection, bindparam, select

from engine import store
from engine.crypto import BoundKeys, Cipher, Unreadable, file_commitment, fits
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form
from engine.model import Actor, Put
from engine.office import Act, Office
from engine.prepared import Prepared
from processes import erasure, readers
from processes.attachment_tables import attachment
from processes.tables import document

MAX_BYTES = 8 * 1024 * 1024
_MAGIC = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_ORPHAN_AFTER = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that lies safe on disk and that nothing names yet: `keep` makes it a household's document, or it is swept."""

    household_id: int
    path: Path
    media_type: str
    size: int
    commitment: str
    cipher: Cipher = field(repr=False)


def stage(office: Office, actor: Actor, folder: Path, household_id: int, stream: IO[bytes]) -> Staged:
    """Read, look at, encrypt, write and fsync a file, before the act that keeps it opens: PDF, PNG and JPEG by their first
    bytes, up to 8 MB. No transaction waits for the disk (DESIGN 3.2). Raises NotFound, Refused, Invalid; writes nothing then."""
    with office.read() as conn:
        unit = conn.scalar(_UNIT, {"household_id": household_id})
        if unit is None or not readers.of_cases(actor).covers(unit):
            raise NotFound("没有这户家庭")
        cipher = _cipher(office.keys.on(conn), household_id)
    data = stream.read(MAX_BYTES + 1)
    media_type, name = sniff(data), secrets.token_hex(16)
    write(folder, name, cipher.seal(data, name.encode()))
    return Staged(household_id, folder / name, media_type, len(data), file_commitment(cipher, data), cipher)


def keep(act: Act, staged: Staged, kind: str, title: str, case_no: str | None = None, *, once: bool = False) -> int:
    """Make a staged file a document; its id. The sent name is only a title.
    `once`: the same bytes sent again as the same kind are the household's document that is there already."""
    record = act.open("household", staged.household_id)
    if not readers.of_cases(act.actor).covers(record.unit):
        raise NotFound("没有这户家庭")
    act.through(act.actor.post_over(record.unit))
    if _cipher(act.keys, staged.household_id) != staged.cipher or not staged.path.exists():
        raise Conflict("这份材料在登记之前已失效，请重新上传", "The file lapsed before it was recorded; send it again")
    kind, title = plain(kind)[:30] or "other", plain(title.replace("\\", "/").rpartition("/")[2])[:120]
    same = {"household_id": staged.household_id, "kind": kind, "commitment": staged.commitment}
    if once and (known := act.conn.scalar(_SAME, same)) is not None:
        return int(known)
    values = {
        **same, "case_no": case_no, "title": title, "media_type": staged.media_type, "size": staged.size,
        "stored_name": staged.path.name, "uploaded_by": act.actor.id, "uploaded_on": act.today.isoformat(),
    }  # fmt: skip
    row_id = record.next_id()
    act.append(record, "document_kept", {"kind": kind}, puts=[Put("document", row_id, values, f"household:{staged.household_id}")])
    return row_id


def _cipher(keys: BoundKeys, household_id: int) -> Cipher:
    """The household's cipher. It is made with the household; where it is gone, nothing is written about it any more."""
    found = keys.find(f"household:{household_id}")
    if found is None:
        raise Refused("erased", "该家庭的个人信息已删除，不能再存入材料", "The data of this household are erased: nothing is kept for it any more")
    return found


_UNIT = select(store.record.c.unit).where(store.record.c.id == bindparam("household_id"), store.record.c.kind == "household")
_SAME = select(document.c.id).where(document.c.household_id == bindparam("household_id"), document.c.kind == bindparam("kind"),
                                    document.c.commitment == bindparam("commitment")).order_by(document.c.id).limit(1)  # fmt: skip


def plain(text: str) -> str:
    """A name as sent, without control characters: it is shown, never used as a path."""
    return "".join(c for c in text if c.isprintable()).strip()


def sniff(data: bytes) -> str:
    """The media type by the first bytes; Invalid for what is kept nowhere."""
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
    blob = (folder / row["stored_name"]).read_bytes()
    try:
        data = cipher.open(blob, row["stored_name"].encode())
    except Unreadable:
        data = _as_before(cipher, blob, document_id)
    if not fits(cipher, data, data.hex(), row["commitment"]):
        raise NotFound("这份材料与记录不符")
    return data, row["media_type"], row["household_id"]


def _as_before(cipher: Cipher, blob: bytes, document_id: int) -> bytes:
    """Files from before they were staged are bound to the document's number, not to their name."""
    try:
        return cipher.open(blob, f"document:{document_id}".encode())
    except Unreadable:
        raise NotFound("这份材料与记录不符") from None


_AT_ONCE = 4  # papers that are asked for in one statement; a form seldom names more
_THEIRS = Prepared(select(document.c.id).where(document.c.id.in_([bindparam(f"id_{n}", type_=BigInteger) for n in range(_AT_ONCE)]), document.c.household_id == bindparam("household_id")))


def foreign(conn: Connection, form: Form, answers: Mapping[str, Any], household_id: int) -> dict[str, list[str]]:
    """The fields of a form that name papers which this household does not have: field -> why."""
    named: dict[str, set[int]] = {}
    for name, asked in form.fields.items():
        if asked.metadata.get("widget") in ("document", "documents") and answers.get(name):
            given = answers[name]
            named[name] = set(given) if isinstance(given, list) else {given}
    if not named:
        return {}
    wanted, known = sorted(set().union(*named.values())), set[int]()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        asked_for = {f"id_{n}": some[min(n, len(some) - 1)] for n in range(_AT_ONCE)}
        known.update(row["id"] for row in _THEIRS.rows(conn, asked_for | {"household_id": household_id}))
    return {name: ["这户没有这份材料"] for name, ids in named.items() if ids - known}


def sweep(conn: Connection, folder: Path) -> int:
    """Remove what has no business on the disk: files that no document names, an hour after they were written (their act was
    refused, or a crash came between), and the files of households that are erased."""
    gone = erasure.erased(conn)
    dead: set[str] = set()
    named: set[str] = set()
    for row in conn.execute(select(document.c.stored_name, document.c.household_id)):
        (dead if f"household:{row.household_id}" in gone else named).add(row.stored_name)
    named.update(conn.scalars(select(attachment.c.stored_name)))
    old = time.time() - _ORPHAN_AFTER
    away = [f for f in folder.glob("*") if f.is_file() and (f.name in dead or (f.name not in named and f.stat().st_mtime < old))]
    for file in away:
        file.unlink(missing_ok=True)
    return len(away)
