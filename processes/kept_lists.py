"""An uploaded list between its preview and its import: encrypted, only for who uploaded it, gone after a working day.

A list is named by the SHA-256 of its bytes, so that numbers of lines can never meet another file.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from engine.crypto import Keys, Unreadable
from engine.errors import Invalid, NotFound
from engine.model import Actor
from processes.documents import MAX_BYTES, write

KEEP = 8 * 3600  # seconds: as long as a session
EACH = 5  # lists that one person has open at once; the oldest goes first
_GONE = "名单不在了（上传后保留 8 小时），请重新上传"


def keep(keys: Keys, folder: Path, actor: Actor, data: bytes) -> str:
    """Keep an uploaded list; the SHA-256 of its bytes. Nothing is read yet: `import_annex1.preview` says what it is."""
    if not data:
        raise Invalid({"file": ["文件是空的"]})
    if len(data) > MAX_BYTES:
        raise Invalid({"file": ["文件太大，最多 8 MB"]})
    sweep(folder)
    digest = hashlib.sha256(data).hexdigest()
    place, name = folder / "lists", _name(keys, actor, digest)
    write(place, name, keys.seal_file(name, data))
    mine = sorted((_written(f), f) for f in place.glob(f"{_owner(keys, actor)}-*") if f.suffix != ".part")
    for _, old in mine[:-EACH]:
        old.unlink(missing_ok=True)
    return digest


def fetch(keys: Keys, folder: Path, actor: Actor, digest: str) -> bytes:
    """The bytes of a list that this person uploaded. NotFound when it is another's, too old, or not what was uploaded."""
    name = _name(keys, actor, digest)
    path = folder / "lists" / name
    try:
        if _written(path) < time.time() - KEEP:
            path.unlink(missing_ok=True)
        data = keys.open_file(name, path.read_bytes())
    except (FileNotFoundError, Unreadable):
        raise NotFound(_GONE) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise NotFound(_GONE)
    return data


def discard(keys: Keys, folder: Path, actor: Actor, digest: str) -> None:
    (folder / "lists" / _name(keys, actor, digest)).unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove lists that were kept long enough; how many."""
    old = [f for f in (folder / "lists").glob("*") if _written(f) < time.time() - KEEP]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _written(file: Path) -> float:
    """When, in seconds; 0 when somebody has just removed it."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0


def _owner(keys: Keys, actor: Actor) -> str:
    return keys.blind(f"list:{actor.id}")[:16]


def _name(keys: Keys, actor: Actor, digest: str) -> str:
    """Nobody else finds it, and a look into the folder tells neither whose nor which."""
    return f"{_owner(keys, actor)}-{keys.blind(f'list:{actor.id}:{digest}')}"
