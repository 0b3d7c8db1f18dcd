"""Backups: the database as of one moment and the documents in one zip; people's data keys in a file of their own.

Whoever has only the zip can check every seal and read nothing personal. A person who is erased is erased from old backups
too, once the old key files are gone: keep those apart, and not for long. A restored key of an erased person is dropped again.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, inspect, select

from engine import store
from engine.crypto import Keys
from engine.errors import Conflict, EngineError
from engine.model import stamp
from engine.store import Store
from processes import erasure, schema
from processes.bureau import Bureau

FORMAT = 1
_TORN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)  # what reading a member of a damaged zip raises


class BadBackup(EngineError):
    """A file that is not a whole backup; the text says what is wrong."""


def write(made: Bureau, out: Path, keys: Path) -> dict[str, int]:
    """How many entries, documents and keys were written. Files appear under their names when they are whole, the keys first: keys
    that are newer than the backup beside them open it, older ones would not open all of it. What a backup that was killed left
    behind, the next one to the same name removes."""
    settings = made.settings
    part, keys_part, folder = (path.with_name(path.name + end) for path, end in ((out, ".part"), (keys, ".part"), (out, ".work")))
    with _folder(folder), zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        copy = folder / "database"
        kind = "sqlite" if made.office.store.sqlite else "postgresql"
        (_copy_sqlite if kind == "sqlite" else _copy_postgresql)(made.office.store, copy)
        with made.office.read() as conn:  # after the database: a key too many is no harm
            found = {row.subject: base64.b64encode(row.wrapped).decode() for row in conn.execute(select(store.subject_key))}
            entries = conn.scalar(select(func.count()).select_from(store.entry)) or 0
        files = sorted(path for path in settings.files.glob("*") if path.is_file() and not path.name.endswith(".part")) if settings.files.is_dir() else []
        sums = {"database": _add(archive, copy, "database")}
        for path in files:
            with contextlib.suppress(FileNotFoundError):  # swept meanwhile: no document named it, or its household was erased
                sums[f"files/{path.name}"] = _add(archive, path, f"files/{path.name}")
        manifest = {"format": FORMAT, "kind": kind, "made_at": stamp(datetime.now(UTC)), "entries": entries, "sums": sums}
        archive.writestr("manifest.json", json.dumps(manifest))
    keys_part.touch(mode=0o600)
    keys_part.write_text(json.dumps({"format": FORMAT, "made_at": manifest["made_at"], "keys": found}))
    _whole(keys_part, keys)
    _whole(part, out)
    return {"entries": entries, "files": len(sums) - 1, "keys": len(found)}


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """A folder that only we read, empty at first and gone at the end: the copy of a SQLite database holds the keys for a moment."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder)


def read(settings: Any, file: Path, keys: Path, told: Callable[[int, int], None] = lambda _done, _all: None) -> dict[str, int]:
    """Into an empty database and folder. BadBackup when a sum does not fit or a file is none of ours, before anything is filled;
    Conflict when something is there already. `told` hears how many of how many documents are back."""
    known = _keys_of(keys)
    with _opened(file) as archive, tempfile.TemporaryDirectory() as folder:
        manifest = _checked(archive)
        _refuse_full(settings, manifest["kind"])
        copy = Path(folder) / "database"
        with archive.open("database") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        (_restore_sqlite if manifest["kind"] == "sqlite" else _restore_postgresql)(settings.database, copy)
        settings.files.mkdir(parents=True, exist_ok=True)
        names = [name for name in manifest["sums"] if name.startswith("files/")]
        for done, name in enumerate(names, start=1):
            told(done, len(names))
            with archive.open(name) as source, (settings.files / Path(name).name).open("wb") as target:
                shutil.copyfileobj(source, target)
    schema.upgrade(settings.database, Keys(settings.data_key))  # of an earlier version; and the guard
    return {"entries": manifest["entries"], "files": len(names), "keys": _keys_back(settings, known)}


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise BadBackup("不是完整的备份文件 / not a whole backup: no zip") from None


def _keys_of(file: Path) -> dict[str, bytes]:
    """Subject -> its wrapped key. Read before anything is filled: what is filled is not filled again."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        if said["format"] == FORMAT:
            return {str(subject): base64.b64decode(wrapped, validate=True) for subject, wrapped in said["keys"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise BadBackup("不是备份的密钥文件 / not a key file of a backup")


def _keys_back(settings: Any, known: dict[str, bytes]) -> int:
    opened = Store(settings.database)
    with opened.write() as conn:
        gone = erasure.erased(conn)
        rows = [{"subject": subject, "wrapped": wrapped} for subject, wrapped in known.items() if subject not in gone]
        conn.execute(delete(store.subject_key))
        if rows:
            conn.execute(insert(store.subject_key), rows)
    opened.close()
    return len(rows)


def _checked(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        manifest = json.loads(archive.read("manifest.json"))
    except (KeyError, ValueError, RecursionError, *_TORN):
        raise BadBackup("备份文件没有清单 / the backup has no manifest") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadBackup(f"不认识的备份格式 / unknown format: {manifest.get('format') if isinstance(manifest, dict) else manifest!r}")
    sums = manifest.get("sums")
    if not (isinstance(sums, dict) and "database" in sums and manifest.get("kind") in ("sqlite", "postgresql") and isinstance(manifest.get("entries"), int)):
        raise BadBackup("备份清单不完整 / the manifest is not whole")
    for name, expected in manifest["sums"].items():
        digest = hashlib.sha256()
        try:
            with archive.open(name) as source:
                for block in iter(lambda: source.read(1 << 20), b""):
                    digest.update(block)
        except (KeyError, *_TORN):
            raise BadBackup(f"备份文件不完整 / not whole: {name}") from None
        if digest.hexdigest() != expected:
            raise BadBackup(f"备份文件与清单不符 / not what the manifest says: {name}")
    return manifest


def _refuse_full(settings: Any, kind: str) -> None:
    opened = Store(settings.database)
    try:
        if kind != ("sqlite" if opened.sqlite else "postgresql"):
            raise Conflict(f"备份来自 {kind}，不能恢复到另一种数据库", f"The backup is of {kind}")
        if inspect(opened.engine).get_table_names():
            raise Conflict("数据库不是空的，不恢复", "The database is not empty")
        if settings.files.is_dir() and any(settings.files.iterdir()):
            raise Conflict("材料文件夹不是空的，不恢复", "The folder of documents is not empty")
    finally:
        opened.close()


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        for block in iter(lambda: source.read(1 << 20), b""):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _whole(part: Path, name: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(name)
    descriptor = os.open(name.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# -- SQLite: the driver's own online copy


def _copy_sqlite(opened: Store, copy: Path) -> None:
    source = sqlite3.connect(str(opened.url.database))
    target = sqlite3.connect(copy, isolation_level=None)
    source.backup(target)
    target.execute("PRAGMA secure_delete=ON")
    target.execute("DELETE FROM subject_key")
    target.execute("VACUUM")
    target.close()
    source.close()


def _restore_sqlite(database: str, copy: Path) -> None:
    path = Path(database.removeprefix("sqlite:///"))
    for old in path.parent.glob(path.name + "*"):  # the empty file that was just opened, and its journals
        old.unlink()
    shutil.copyfile(copy, path)
    path.chmod(0o600)


# -- PostgreSQL: its own tools


def _copy_postgresql(opened: Store, copy: Path) -> None:
    _tool("pg_dump", opened.url, "--format=custom", "--exclude-table-data=subject_key", f"--file={copy}")


def _restore_postgresql(database: str, copy: Path) -> None:
    opened = Store(database)
    url = opened.url
    opened.close()
    _tool("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(copy), dbname=True)


def _tool(name: str, url: Any, *arguments: str, dbname: bool = False) -> None:
    program = shutil.which(name) or next(iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)), None)
    if program is None:
        raise EngineError(f"没有找到 {name} / {name} is not installed (package postgresql-client)")
    target = url.set(drivername="postgresql", password=None).render_as_string()
    known = {**os.environ} | ({"PGPASSWORD": url.password} if url.password else {})
    done = subprocess.run([program, *([f"--dbname={target}"] if dbname else [target]), *arguments], env=known, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise EngineError(f"{name}: {done.stderr.strip()[:500]}")

