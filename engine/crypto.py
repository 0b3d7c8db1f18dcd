"""Keys: fields and payloads are encrypted here and nowhere else.

The site key wraps one data key per subject (a person, a household, a staff member); erasing a subject's row makes what
was written about it unreadable while every seal stays valid. AES-256-GCM; stored as version, nonce, ciphertext.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, insert, select

from engine.model import canonical
from engine.prepared import Prepared, run_all
from engine.store import subject_key

_V1 = b"\x01"
_WRAPPED = Prepared(select(subject_key.c.wrapped).where(subject_key.c.subject == bindparam("the_subject")))
_NEW_KEY = Prepared(insert(subject_key))
_SOME_WRAPPED = select(subject_key).order_by(subject_key.c.subject).limit(5)  # several: a single one may be spoiled


class Unreadable(Exception):
    """A ciphertext was altered, moved to another row, or belongs to another key."""


@dataclass(frozen=True)
class Cipher:
    key: bytes
    _suite: AESGCM = field(init=False, compare=False, repr=False)  # made once: it costs as much as using it

    def __post_init__(self) -> None:
        object.__setattr__(self, "_suite", AESGCM(self.key))

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(12)
        return _V1 + nonce + self._suite.encrypt(nonce, plain, aad)

    def open(self, blob: bytes, aad: bytes) -> bytes:
        if blob[:1] != _V1:
            raise Unreadable("unknown cipher version")
        try:
            return self._suite.decrypt(blob[1:13], blob[13:], aad)
        except InvalidTag as error:
            raise Unreadable("wrong key, or altered, or moved") from error

    @property
    def attachments(self) -> bytes:
        """The key of commitments to files: an auditor may have it without being able to read anything with it."""
        return _derive(self.key, "attachments")


class Keys:
    """Everything derived from `YINGBAO_DATA_KEY` (32 bytes, base64)."""

    def __init__(self, site_key: str) -> None:
        raw = base64.b64decode(site_key, validate=True)
        if len(raw) != 32:
            raise ValueError("YINGBAO_DATA_KEY must be 32 bytes in base64")
        self._wrap = Cipher(_derive(raw, "wrap"))
        self._field = Cipher(_derive(raw, "field"))
        self._file = Cipher(_derive(raw, "file"))
        self._index = _derive(raw, "blind-index")

    def on(self, conn: Connection) -> BoundKeys:
        return BoundKeys(self, conn)

    def blind(self, text: str) -> str:
        """Blind index for exact search: 32 hex digits, the same for the same text."""
        return hmac.new(self._index, text.encode(), hashlib.sha256).hexdigest()[:32]

    def seal_field(self, table: str, column: str, row: int, text: str) -> bytes:
        return self._field.seal(text.encode(), f"{table}.{column}:{row}".encode())

    def reveal(self, table: str, column: str, row: int, blob: bytes | None) -> str:
        """The text of a sealed column ("" when empty); Unreadable when it was altered or moved."""
        return "" if blob is None else self._field.open(blob, f"{table}.{column}:{row}".encode()).decode()

    def seal_file(self, name: str, plain: bytes) -> bytes:
        """A file of nobody's record, kept for hours; bound to its name."""
        return self._file.seal(plain, name.encode())

    def open_file(self, name: str, blob: bytes) -> bytes:
        return self._file.open(blob, name.encode())

    def fit(self, conn: Connection) -> bool:
        """Whether these are the keys of this database: one of its first subjects' keys opens, or there is none yet."""
        found = conn.execute(_SOME_WRAPPED).all()
        return not found or any(self._opens(row.subject, row.wrapped) for row in found)

    def _opens(self, subject: str, wrapped: bytes) -> bool:
        try:
            self.unwrap(subject, wrapped)
        except Unreadable:
            return False
        return True

    def wrap(self, subject: str, key: bytes) -> bytes:
        return self._wrap.seal(key, subject.encode())

    def unwrap(self, subject: str, wrapped: bytes) -> Cipher:
        return Cipher(self._wrap.open(wrapped, subject.encode()))


class BoundKeys:
    """Keys on an open connection, where subjects' data keys are found or made."""

    def __init__(self, keys: Keys, conn: Connection) -> None:
        self.site, self._conn = keys, conn
        self._known: dict[str, Cipher] = {}
        self.made: list[dict[str, Any]] = []  # rows of new keys that whoever writes has still to write
        self.blind, self.reveal, self.seal_field = keys.blind, keys.reveal, keys.seal_field

    def learn(self, subject: str, wrapped: bytes) -> None:
        self._known[subject] = self.site.unwrap(subject, wrapped)

    def find(self, subject: str) -> Cipher | None:
        """The subject's cipher, or None when its key was erased or never made."""
        if subject not in self._known:
            found = _WRAPPED.row(self._conn, {"the_subject": subject})
            if found is None:
                return None
            self.learn(subject, found["wrapped"])
        return self._known[subject]

    def beside(self, subject: str, wrapped: bytes | None) -> Cipher | None:
        """As `find`, where the subject's wrapped key was read together with what it opens."""
        if wrapped is not None and subject not in self._known:
            self.learn(subject, wrapped)
        return None if wrapped is None else self._known[subject]

    def fresh(self, subject: str) -> Cipher:
        """The cipher of a subject that cannot be there yet. Its row goes to `made`, to be written with what it seals."""
        key = AESGCM.generate_key(256)
        self.made.append({"subject": subject, "wrapped": self.site.wrap(subject, key)})
        self._known[subject] = found = Cipher(key)
        return found

    def subject(self, subject: str) -> Cipher:
        """The subject's cipher; made at first use (needs a writing transaction then)."""
        found = self.find(subject)
        if found is None:
            key = AESGCM.generate_key(256)
            run_all(self._conn, [(_NEW_KEY, [{"subject": subject, "wrapped": self.site.wrap(subject, key)}])])
            found = self._known[subject] = Cipher(key)
        return found


def commitment(salt: bytes, data: Any) -> str:
    """Keyed, so that a short list of possible values cannot be tried against it."""
    return commitment_to(salt, canonical(data))


def file_commitment(cipher: Cipher, content: bytes) -> str:
    """The commitment to a letter's or document's bytes."""
    return hmac.digest(cipher.attachments, content, "sha256").hex()


def fits(cipher: Cipher, content: bytes, said: Any, committed: str) -> bool:
    """Whether a file is the one that was committed to; earlier ones were as JSON (`said`), with the subject's own key."""
    return committed in (file_commitment(cipher, content), commitment(cipher.key, said))


def commitment_to(salt: bytes, written: bytes) -> str:
    """The commitment to data that stand in canonical bytes already."""
    return hmac.digest(salt, written, "sha256").hex()


def _derive(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, f"yingbao/{purpose}/1".encode(), hashlib.sha256).digest()
