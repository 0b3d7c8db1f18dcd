"""Checks an evidence bundle of 应保 Yingbao without the system that wrote it, without network, without further packages.

    python3 audit_verify.py bundle.zip [--policy policy.txt] [--old checkpoint.txt ...] [--json] [--lang zh|en]

A bundle is a zip of text files (docs/evidence.md). Every act in a case is an entry; its exact bytes are hashed, each entry names
the hash of the one before, all entries of all cases are the leaves of one tree, and the tree's root was signed at the time and
shown to witnesses. So nothing can be altered, removed or put in between later without contradicting something that others hold.

What is asked, in this order; the first that is broken is named with its record and entry, and all others below it:

    0 every file is the one that the manifest names          6 older checkpoints are part of this one
    1 entries are in the one canonical form (RFC 8785)       7 opened personal parts are what was committed to
    2 an entry is the one it says it is                      8 the tables show what the entries put there
    3 each record's chain has no gap, from 1 to its head     9 nobody acted in two posts that exclude each other
    4 the entries are in the signed tree                    10 recorded amounts follow from inputs and law
    5 the signatures on the tree hold

Exit: 0 proven; 1 broken; 2 nothing broken, but not all could be checked; 3 this is no bundle (or policy) that can be read.

How it is built: lines stream from the zip; whole records are dealt to processes (`check_part`), which check 1, 2, 3, 7, 9 and 10
inside of a record and say what they found of the tree and of the tables; those are put together at the end (`Bundle`).
Nothing from the bundle is run, written to disk or trusted in size. Needs Python 3.9.
"""

# Python 3.9 has no `X | None` at run time, no strict zip and no pairwise; one long look along an entry reads more easily than five.
# ruff: noqa: UP045, B905, RUF007, PTH118, PTH202, FBT001, C901, PLR0912
from __future__ import annotations

import argparse
import base64
import binascii
import gc
import hashlib
import hmac
import json
import math
import multiprocessing
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Optional
from xml.etree import ElementTree as ET

MOST_BYTES, MOST_SMALL, MOST_LINE = 8 << 30, 64 << 20, 32 << 20  # of all files; of one that is read as a whole; of a line
MOST_RATIO, MOST_FILES, MOST_FINDINGS = 200, 200_000, 100_000
MANY = 20_000  # entries from which further processes are worth their start
NAMES = re.compile(
    r"manifest\.json|checkpoints?\.txt|consistency\.jsonl|log\.pub|entries\.jsonl|tree\.txt|payloads\.jsonl|rows\.jsonl|duties\.json"
    r"|computations\.jsonl|attachments\.jsonl|drawings/[0-9a-f]{64}\.bpmn|tables/[0-9a-f]{64}\.dmn|law/(?:[0-9a-f]{64}/)?[a-z_0-9]{1,60}\.yaml|attachments/(?:0|[1-9][0-9]{0,8})"
)
NEEDED = ("manifest.json", "checkpoint.txt", "checkpoints.txt", "consistency.jsonl", "log.pub", "entries.jsonl", "tree.txt", "payloads.jsonl",
          "rows.jsonl", "duties.json", "computations.jsonl", "attachments.jsonl")  # fmt: skip
CHECKS = {0: ("清单", "manifest"), 1: ("规范格式", "canonical form"), 2: ("条目本身", "the entry itself"), 3: ("个案链", "chain of the record"),
          4: ("总树", "tree"), 5: ("签名与见证", "signature and witnesses"), 6: ("与以前的检查点一致", "consistency with older checkpoints"),
          7: ("个人信息承诺", "commitments of personal parts"), 8: ("业务数据", "rows and attachments"), 9: ("岗位分离", "separation of duties"),
          10: ("计算", "computations")}  # fmt: skip
HEX64, GENESIS = re.compile(r"[0-9a-f]{64}"), "0" * 64


class BadBundle(Exception):
    """Not something that can be judged at all: exit 3. zh and en say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Finding(NamedTuple):
    check: int
    record: Optional[int]
    seq: Optional[int]
    zh: str
    en: str


def need(fits: bool, en: str) -> None:
    if not fits:
        raise BadBundle(f"格式不对：{en}", en)


def is_int(value: Any, least: int = 0) -> bool:
    return type(value) is int and least <= value < 1 << 63


def is_hash(value: Any) -> bool:
    return type(value) is str and HEX64.fullmatch(value) is not None


# -- JSON: one reader that notices what is not exact, and RFC 8785

_odd: list[str] = []  # numbers of the last text that the standard library's encoder might not write as RFC 8785 does


def _float(text: str) -> float:
    _odd.append(text)
    return float(text)


def _int(text: str) -> int:
    if len(text) > 15:
        if len(text) > 400:
            raise ValueError("a number of more than 400 digits")
        _odd.append(text)
    return int(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_float, parse_int=_int, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False)
# That same encoder in C, made once and not for each value; where Python comes without it, through the front door.
_C = getattr(json.encoder, "c_make_encoder", None)
_parts = _C(None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", True, False, False) if _C else None
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")  # with such letters keys sort otherwise in UTF-16


def _encode(value: Any) -> str:
    return "".join(_parts(value, 0)) if _parts else _ENCODER.encode(value)


def parsed(text: str) -> Any:
    """The value of a JSON text; ValueError when it is none, too deep, or has numbers that no honest writer writes."""
    _odd.clear()
    try:
        if text[:1] == "{":  # without the wrapper, which looks for blanks
            value, end = _DECODER.scan_once(text, 0)  # type: ignore[attr-defined]
            if end == len(text):
                return value
        return _DECODER.decode(text)
    except StopIteration:
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def canonical(value: Any, text: str) -> str:
    """RFC 8785 of a value that was just read from `text`. ValueError where it has none."""
    if not _odd and (text.isascii() or _ASTRAL.search(text) is None):
        return _encode(value)  # the standard library writes the same, and in C
    try:
        return _slowly(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _slowly(value: Any) -> str:
    if type(value) is dict:
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_ENCODER.encode(key)}:{_slowly(value[key])}" for key in keys) + "}"
    if type(value) is list:
        return "[" + ",".join(map(_slowly, value)) + "]"
    if type(value) is int and abs(value) >= 1 << 53:  # a double for everybody else; the text differs when it is not exact
        return _number(float(value)) if abs(value) < 1 << 1023 else _no_constant(f"{str(value)[:20]}...")
    return _number(value) if type(value) is float else _ENCODER.encode(value)


def _number(value: float) -> str:
    """As ECMAScript writes it: the shortest digits, an exponent only from 1e21 up and below 1e-6."""
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    sign, digits, exponent = re.fullmatch(r"(-?)([0-9.]+)(?:e([-+][0-9]+))?", repr(value)).groups()  # type: ignore[union-attr]
    whole, _, part = digits.partition(".")
    point, digits = len(whole) + int(exponent or 0), whole + part
    stripped = digits.lstrip("0")
    point, digits = point - (len(digits) - len(stripped)), stripped.rstrip("0")
    if not digits:
        return "0"
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1:+d}"


def read_line(line: bytes, what: str) -> tuple[dict[str, Any], str]:
    try:
        text = line.decode()
        said = parsed(text)
    except ValueError as error:
        raise BadBundle(f"{what} 中有一行不是 JSON", f"a line of {what} is not JSON ({error})") from None
    if type(said) is not dict:
        raise BadBundle(f"{what} 中有一行不是对象", f"a line of {what} is an object")
    return said, text


# -- hashes and signatures


def _sm3(text: bytes) -> bytes:
    """GB/T 32905, for where OpenSSL lacks it."""
    m = 0xFFFFFFFF

    def rot(x: int, n: int) -> int:
        n %= 32
        return ((x << n) | (x >> (32 - n))) & m

    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = text + b"\x80" + b"\0" * ((55 - len(text)) % 64) + (8 * len(text)).to_bytes(8, "big")
    for start in range(0, len(padded), 64):
        w = [int.from_bytes(padded[start + n : start + n + 4], "big") for n in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rot(w[j - 3], 15)
            w.append(x ^ rot(x, 15) ^ rot(x, 23) ^ rot(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            s = rot((rot(a, 12) + e + rot(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & m, 7)
            ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if j < 16 else (e & f) | (~e & m & g)
            one, two = (ff + d + (s ^ rot(a, 12)) + (w[j] ^ w[j + 4])) & m, (gg + h + s + w[j]) & m
            a, b, c, d, e, f, g, h = one, a, rot(b, 9), c, two ^ rot(two, 9) ^ rot(two, 17), e, rot(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


def digest(suite: int, text: bytes) -> bytes:
    if suite == 1:
        return hashlib.sha256(text).digest()
    try:
        return hashlib.new("sm3", text).digest()
    except ValueError:
        return _sm3(text)


_P, _L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
Point = tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, T = XY/Z


def _plus(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(n: int, p: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while n:
        if n & 1:
            found = _plus(found, p)
        n, p = n >> 1, _plus(p, p)
    return found


def _point(raw: bytes) -> Point | None:
    """A point from its 32 bytes; None when it is not on the curve, or not written in the one way (RFC 8032 5.1.3)."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def ed25519(key: bytes, text: bytes, signature: bytes) -> bool:
    """RFC 8032 5.1.7, without the cofactor; a second way to write the same signature is refused."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, s, base = _point(key), int.from_bytes(signature[32:], "little"), _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    if a is None or base is None or s >= _L or _point(signature[:32]) is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % _L
    x, y, z, _ = _plus(_times(s, base), _times(k, (-a[0] % _P, a[1], a[2], -a[3] % _P)))
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


_SM2_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


def sm2(key: bytes, text: bytes, signature: bytes) -> bool | None:
    """GB/T 32918 with SM3 and the standard's identity, by the system's `openssl`; None when it cannot say."""
    if len(key) != 64 or not signature:
        return False
    if len(signature) == 64:  # r and s, as modules give them: openssl wants DER
        halves = [signature[n : n + 32].lstrip(b"\0") or b"\0" for n in (0, 32)]
        parts = b"".join(b"\x02" + bytes([len(h)]) + h for h in (b"\0" + h if h[0] > 127 else h for h in halves))
        signature = b"\x30" + bytes([len(parts)]) + parts
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("key", "text", "signature")]
        for name, content in zip(files, (_SM2_KEY + key, text, signature)):
            Path(name).write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", files[0], "-rawin", "-digest", "sm3", "-in", files[1],
                   "-sigfile", files[2], "-pkeyopt", "distid:1234567812345678"]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603 - names of our own files only
        except (OSError, subprocess.SubprocessError):
            return None
    return True if done.returncode == 0 else False if b"Verification Failure" in done.stdout + done.stderr else None


# -- the tree (RFC 6962)


def _whole_root(suite: int, level: bytes) -> bytes:
    """Of leaves one after the other, none missing."""
    while len(level) > 32:
        pairs = [digest(suite, b"\x01" + level[n : n + 64]) for n in range(0, len(level) - 32, 64)]
        level = b"".join(pairs) + (level[-32:] if len(level) % 64 else b"")
    return level


def root_of(suite: int, size: int, places: list[int], leaves: bytes, rest: Iterator[bytes]) -> bytes:
    """The root from leaves at rising `places` (32 bytes each, one after the other), and a hash from `rest` for each part without any."""

    def part(start: int, end: int, low: int, high: int) -> bytes:
        if low == high:
            return next(rest)
        if end - start == high - low:  # a leaf of each place: pairs from the left, a last one alone goes up as it is
            return _whole_root(suite, leaves[32 * low : 32 * high])
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        cut, top = low, high
        while cut < top:
            half = (cut + top) // 2
            cut, top = (half + 1, top) if places[half] < middle else (cut, half)
        left = part(start, middle, low, cut)
        return digest(suite, b"\x01" + left + part(middle, end, cut, high))

    return part(0, size, 0, len(places)) if size else digest(suite, b"")


def consistent(suite: int, old: int, new: int, roots: tuple[bytes, bytes], proof: list[bytes]) -> bool:
    """RFC 9162 2.1.4.2: the tree of `new` leaves begins with that of `old`."""
    if not 0 < old < new:
        return old == new and roots[0] == roots[1] and not proof
    steps, here, last = (proof if old & (old - 1) else [roots[0], *proof]), old - 1, new - 1
    if not steps:
        return False
    while here & 1:
        here, last = here >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            was, now = digest(suite, b"\x01" + step + was), digest(suite, b"\x01" + step + now)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            now = digest(suite, b"\x01" + now + step)
        here, last = here >> 1, last >> 1
    return last == 0 and (was, now) == roots


# -- signed notes and the policy (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy)


class Key(NamedTuple):
    name: str
    id: bytes
    kind: str  # log | witness | sm2
    raw: bytes

    def holds(self, text: str, signature: bytes) -> bool | None:
        """Whether the key made the signature; None: nobody here can say."""
        if self.kind == "sm2":
            return sm2(self.raw, text.encode(), signature)
        if self.kind == "witness":
            text = f"cosignature/v1\ntime {int.from_bytes(signature[:8], 'big')}\n{text}"
            signature = signature[8:]
        return ed25519(self.raw, text.encode(), signature)


def unbase64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadBundle("不是 base64", f"not base64: {text[:40]!r}") from None
    return raw


def read_key(text: str) -> Key:
    name, _, rest = text.strip().partition("+")
    named, _, coded = rest.partition("+")
    raw = unbase64(coded)
    long = raw[:1] == b"\xff"
    kind = {b"\x01": "log", b"\x04": "witness", b"\xffsm2-with-sm3": "sm2"}.get(raw[:13] if long else raw[:1], "")
    key = raw[13:] if long else raw[1:]
    need(bool(kind) and re.fullmatch(r"[^\s+]+", name) is not None, f"a verifier key is name+id+base64: {text[:60]!r}")
    need(hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == named, f"the key's id does not fit: {text[:60]!r}")
    need(len(key) == (64 if kind == "sm2" else 32), f"the key's length does not fit: {text[:60]!r}")
    return Key(name, bytes.fromhex(named), kind, key)


class Note(NamedTuple):
    text: str
    origin: str
    size: int
    root: bytes
    lines: list[tuple[str, bytes, bytes]]  # name, key id, signature


def read_note(note: str) -> Note:
    text, gap, below = note.strip("\n").rpartition("\n\n")
    parts = text.split("\n")
    need(bool(gap) and len(parts) == 3 and bool(parts[0]) and re.fullmatch(r"0|[1-9][0-9]{0,18}", parts[1]) is not None, "a checkpoint is origin, size, root, an empty line, signatures")
    root, lines = unbase64(parts[2]), list[tuple[str, bytes, bytes]]()
    need(len(root) == 32, "a checkpoint's root has 32 bytes")
    for line in below.split("\n"):
        words = line.split(" ")
        need(len(words) == 3 and words[0] == "\u2014" and re.fullmatch(r"[^\s+]+", words[1]) is not None and len(lines) < 100, f"not a signature line: {line[:60]!r}")
        raw = unbase64(words[2])
        need(len(raw) > 4, "a signature line holds a signature")
        lines.append((words[1], raw[:4], raw[4:]))
    return Note(text + "\n", parts[0], int(parts[1]), root, lines)


def notes_in(text: str) -> list[Note]:
    """All checkpoints of a text: one after the other, with lines `-----` or empty lines between."""
    blocks = [block.strip("\n") for block in re.split(r"\n-----(?:\n|$)|\n\n+", text.replace("\r\n", "\n"))]
    blocks = [block for block in blocks if block and block != "-----"]
    need(len(blocks) % 2 == 0, "a checkpoint is a text, an empty line, and signatures")
    return [read_note(f"{blocks[n]}\n\n{blocks[n + 1]}") for n in range(0, len(blocks), 2)]


class Policy:
    """Whom the auditor trusts: the log's key, witnesses, and how many of them have to have signed."""

    def __init__(self, text: str) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum: str | None = None
        self.duties: str | None = None
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                self._line(line.split())
        need(bool(self.logs), "the policy names no log")
        need(self.quorum is not None, "the policy says no quorum (`quorum none` for no witness)")

    def _line(self, words: list[str]) -> None:
        kind, said = words[0], words[1:]
        new = bool(said) and said[0] not in (*self.witnesses, *self.groups, "none")
        if kind == "log" and len(said) in (1, 2):
            self.logs.append(read_key(said[0]))
        elif kind == "witness" and len(said) in (2, 3) and new:
            self.witnesses[said[0]] = read_key(said[1])
        elif kind == "group" and len(said) > 2 and new and all(name in self.witnesses or name in self.groups for name in said[2:]):
            need(said[1] in ("any", "all") or re.fullmatch(r"[1-9][0-9]{0,3}", said[1]) is not None, f"how many of the group: {said[1]!r}")
            count = {"any": 1, "all": len(said) - 2}.get(said[1]) or int(said[1])
            need(count <= len(said) - 2, f"more asked for than are in the group {said[0]!r}")
            self.groups[said[0]] = (count, said[2:])
        elif kind == "quorum" and len(said) == 1 and self.quorum is None and (said[0] == "none" or not new):
            self.quorum = said[0]
        elif kind == "duties" and len(said) == 1 and is_hash(said[0]):
            self.duties = said[0]
        else:
            raise BadBundle(f"政策文件这一行看不懂：{' '.join(words)[:60]}", f"the policy has a line that says nothing: {' '.join(words)[:60]!r}")

    def enough(self, signed: set[str]) -> bool:
        def met(name: str) -> bool:
            if name in self.witnesses:
                return name in signed
            count, members = self.groups[name]
            return sum(map(met, members)) >= count

        return self.quorum == "none" or met(str(self.quorum))


def signed_by(key: Key, note: Note) -> bool | None:
    """Whether a line of the note is the key's; False also when there is none."""
    said = [key.holds(note.text, signature) for name, key_id, signature in note.lines if (name, key_id) == (key.name, key.id)]
    return True if True in said else None if None in said else False


# -- the law, and amounts


_ROW = re.compile(r'- \{from: ([0-9]{4}-[0-9]{2}-[0-9]{2}), value: (?:"([^"\\]*)"|([^",{}\s]+)), source: (?:"[^"\\]*"|[^",{}#]+)(?:, unverified: (?:true|false))?(?:, announced: (?:true|false))?(?:, known_from: ([0-9]{4}-[0-9]{2}-[0-9]{2}))?(?:, announced: (?:true|false))?\}')
_TITLE = re.compile(r'("[^"\\]+"|[^\s:"#{}\[\]&*-][^\s:"#]*):(?: (?:&(\w+)|\*(\w+)))?')
Law = dict[str, dict[str, list[tuple[str, ...]]]]  # file -> name -> [(first day, value, or with a third: the day from which it was known)]


def read_law(raw: bytes, file: str) -> dict[str, list[tuple[str, ...]]]:
    """The part of YAML in which law files are written: names, each with dated values; `&mark` and `*mark` for the same values again."""
    found: dict[str, list[tuple[str, ...]]] = {}
    marks: dict[str, list[tuple[str, ...]]] = {}
    rows: list[tuple[str, ...]] | None = None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadBundle(f"{file} 不是 UTF-8", f"{file} is not UTF-8") from None
    for line in text.splitlines():
        said = re.sub(r"(^|\s)#.*$", "", line).strip()
        row, title = _ROW.fullmatch(said), _TITLE.fullmatch(said)
        if row is not None and rows is not None:
            rows.append((row[1], row[2] if row[2] is not None else row[3], *([row[4]] if row[4] else [])))
        elif title is not None and title[1].strip('"') not in found:
            need(title[3] is None or title[3] in marks, f"{file}: *{title[3]} was never marked")
            rows = None if title[3] else []
            found[title[1].strip('"')] = marks[title[3]] if rows is None else rows
            if title[2]:
                marks[title[2]] = found[title[1].strip('"')]
        else:
            need(not said, f"{file}: this line is not a name and not a dated value: {line[:60]!r}")
    return found


def amount(text: Any) -> Any:
    """A value as the steps write it: decimal text or `a/b`, true or false, `=text`. ValueError when it is none."""
    if type(text) is bool or (type(text) is str and text.startswith("=")):
        return text
    if type(text) is str and re.fullmatch(r"-?[0-9]{1,40}(\.[0-9]{1,20})?|-?[0-9]{1,80}/[1-9][0-9]{0,79}", text):
        return Fraction(text)
    raise ValueError(f"not a value: {str(text)[:40]!r}")


def given(value: Any) -> Any:
    """An input or a law value as it stands there -> a value of the steps."""
    if type(value) is int:
        value = str(value)
    try:
        return amount(value)
    except ValueError:
        if type(value) is str:
            return "=" + value
        raise


def rounded(value: Fraction, places: int) -> Fraction:
    """Half away from zero."""
    scale = 10**places
    whole = (abs(value) * scale * 2 + 1) // 2
    return Fraction(-whole if value < 0 else whole, scale)


def _places(value: Any) -> int:
    if type(value) is not Fraction or value.denominator != 1 or not 0 <= value <= 20:
        raise ValueError("places are 0 to 20")
    return int(value)


NUMBERS: dict[str, Callable[[list[Any]], Any]] = {
    "add": lambda a: sum(a, Fraction()), "sub": lambda a: a[0] - sum(a[1:], Fraction()), "mul": math.prod, "max": max, "min": min,
    "div": lambda a: a[0] / a[1], "lt": lambda a: a[0] < a[1], "le": lambda a: a[0] <= a[1],
    "half_up": lambda a: rounded(a[0], _places(a[1])), "floor": lambda a: Fraction(math.floor(a[0] * 10 ** _places(a[1])), 10 ** _places(a[1])),
}  # fmt: skip
EXACTLY = {"div": 2, "lt": 2, "le": 2, "half_up": 2, "floor": 2, "eq": 2, "if": 3, "not": 1}


def computed(op: str, args: list[Any]) -> Any:
    """What an operation gives. ValueError when it cannot be done with these."""
    if len(args) != EXACTLY.get(op, max(1, len(args))) or len(args) > 10_000:
        raise ValueError(f"{op} of {len(args)} values")
    if op in NUMBERS:
        if not all(type(a) is Fraction for a in args):
            raise ValueError(f"{op} is for numbers")
        try:
            value = NUMBERS[op](args)
        except ZeroDivisionError:
            raise ValueError("division by zero") from None
        if type(value) is Fraction and max(abs(value.numerator), value.denominator).bit_length() > 4000:
            raise ValueError("larger than any amount")
        return value
    if op == "eq":
        return type(args[0]) is type(args[1]) and args[0] == args[1]
    if not all(type(a) is bool for a in (args[:1] if op == "if" else args)):
        raise ValueError(f"{op} is for true and false")
    if op == "if":
        return args[1] if args[0] else args[2]
    if op in ("and", "or", "not"):
        return all(args) if op == "and" else any(args) if op == "or" else not args[0]
    raise ValueError(f"unknown operation {op[:20]!r}")


def pointed(data: Any, pointer: str) -> Any:
    """RFC 6901; KeyError when nothing is there."""
    for word in pointer.split("/")[1:] if pointer.startswith("/") else [None]:
        name = word.replace("~1", "/").replace("~0", "~") if word is not None else None
        if type(data) is list and name is not None and re.fullmatch(r"0|[1-9][0-9]{0,8}", name) and int(name) < len(data):
            data = data[int(name)]
        elif type(data) is dict and name in data:
            data = data[name]
        else:
            raise KeyError(pointer)
    return data


PLAIN = frozenset(map(Fraction, (0, 1, 2, 12, 100)))  # numbers that steps may write themselves: nothing, counting, places, months, fen
MIXING = ("add", "sub", "max", "min")


def _told(arg: Any) -> Any:
    value = amount(arg)
    if type(value) is Fraction and value not in PLAIN:
        raise ValueError(f"{arg[:40]} is neither an input nor law")
    return value


def _grounded(op: str, args: list[Any], known: list[bool]) -> bool:
    """Whether a result comes from an input or the law, by which of the args do. ValueError where a number is mixed in that does not."""
    if op in MIXING and any(known) and any(value and not one for value, one in zip(args, known)):
        raise ValueError(f"{op} takes in a number that is neither an input nor law")
    return known[1 if args[0] else 2] if op == "if" else known[0] if op in ("half_up", "floor") else any(known)


def run_steps(steps: list[Any], snapshot: Any, law: Law) -> tuple[dict[str, Any], set[str]]:
    """Every step computed again: id -> value, and the ids of what comes from an input or the law. ValueError names the first one
    that is not what it says."""
    known: dict[str, Any] = {}
    grounded: set[str] = set()
    for step in steps:
        name, op, args = step.get("id"), step.get("op"), step.get("args", [])
        if type(name) is not str or type(op) is not str or type(args) is not list or name in known or not all(type(a) in (str, bool) for a in args):
            raise ValueError(f"step {str(name)[:40]!r} is not well formed")
        try:
            if op == "input":
                value, ground = given(pointed(snapshot, step["from"])), True
            elif op == "law":
                file, entry, day, *when = step["from"]  # when: the day of the decision, where the value was ever corrected
                rows = [(row[0], row[2] if len(row) > 2 else "", row[1]) for row in law[file][entry]]
                value, ground = given(max(row for row in rows if row[0] <= day and (not when or row[1] <= when[0]))[2]), True
            else:
                taken = [known[a] if type(a) is str and a in known else _told(a) for a in args]
                value = computed(op, taken)
                ground = _grounded(op, taken, [a in grounded for a in args])
            said = amount(step.get("value"))
        except KeyError as error:
            raise ValueError(f"step {name}: nothing stands at {str(error)[:60]}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"step {name}: {error}") from None
        if type(value) is not type(said) or value != said:
            raise ValueError(f"step {name}: {op} gives {shown(value)}, it says {shown(said)}")
        known[name] = value
        grounded |= {name} if ground else set()
    return known, grounded


def shown(value: Any) -> str:
    return str(value)[:60]


def fits(fact: str, recorded: Any, value: Any) -> bool:
    """Whether a recorded fact is the value; facts in fen are a hundred times the yuan of the steps."""
    if fact.endswith("_fen") and type(value) is Fraction:
        value = value * 100
    try:
        said = given(recorded)
    except ValueError:
        return False
    return type(said) is type(value) and said == value


# -- decision tables


class Table(NamedTuple):
    """A decision table: its name, hit policy, (name, type) of inputs and outputs, rows as (id, cells)."""

    key: str
    policy: str
    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]]
    rules: list[tuple[str, list[str]]]


_DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
_LIT = r'"[^"\\]*"|date\(\s*"[0-9]{4}-[0-9]{2}-[0-9]{2}"\s*\)|(?:true|false)(?!\w)|-?[0-9]{1,18}(?:\.[0-9]{1,9})?(?!\w)'
_ATOM = re.compile(rf"\s*(?:(<=|>=|<|>)\s*({_LIT})|([\[\](])\s*({_LIT})\s*\.\.\s*({_LIT})\s*([\[\])])|({_LIT}))\s*(?:,|$)")


def read_table(raw: bytes) -> Table:
    """ValueError for what is no decision table of the plain kind."""
    if b"<!" in re.sub(rb"<!--.*?-->", b"", raw, flags=re.DOTALL):
        raise ValueError("no DOCTYPE stands in a decision table")  # so nothing in it can be unfolded
    try:
        [decision] = ET.fromstring(raw).iter(f"{_DMN}decision")  # noqa: S314 - without DOCTYPE there are no entities
        [table] = decision.iter(f"{_DMN}decisionTable")
    except (ET.ParseError, ValueError) as error:
        raise ValueError(f"not a file with one decision table ({error})") from None

    def texts(element: Any, name: str) -> list[str]:
        return ["".join(one.itertext()).strip() for one in element.iterfind(_DMN + name)]

    inputs = [("".join(e.itertext()).strip(), e.get("typeRef", "")) for e in table.iterfind(f"{_DMN}input/{_DMN}inputExpression")]
    outputs = [(e.get("name", ""), e.get("typeRef", "")) for e in table.iterfind(f"{_DMN}output")]
    rules = [(e.get("id", ""), texts(e, "inputEntry") + texts(e, "outputEntry")) for e in table.iterfind(f"{_DMN}rule")]
    if table.get("hitPolicy", "UNIQUE") not in ("UNIQUE", "FIRST", "COLLECT") or not all(len(cells) == len(inputs) + len(outputs) for _, cells in rules):
        raise ValueError("no hit policy that is known here, or rows that do not fit the columns")
    return Table(decision.get("id", ""), table.get("hitPolicy", "UNIQUE"), inputs, outputs, rules)


def literal(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"'):
        return text[1:-1]
    return ("day", text.split('"')[1]) if text.startswith("date") else Fraction(text)


def typed(value: Any, kind: str) -> Any:
    """A value as an entry writes it: numbers and days are texts."""
    if type(value) is bool and kind == "boolean":
        return value
    if type(value) is str and len(value) < 200 and kind in ("string", "number", "date"):
        return value if kind == "string" else Fraction(value) if kind == "number" else ("day", value)
    raise ValueError(f"{shown(value)} is no {kind}")


def cell_holds(text: str, value: Any) -> bool:
    """Whether a condition of a table holds: `-`, values, `<` `<=` `>` `>=`, intervals, lists of them, `not(…)`."""
    if text == "-":
        return True
    negated = text.startswith("not(") and text.endswith(")")
    inner, at, holds = text[4:-1] if negated else text, 0, False
    while at < len(inner):
        match = _ATOM.match(inner, at)
        if match is None:
            raise ValueError(f"{shown(text)} is no condition")
        sign, end, opened, low, high, closed, one = match.groups()
        if one is not None:
            holds = holds or value == literal(one)
        elif sign is not None:
            other = literal(end)
            holds = holds or (value < other if sign == "<" else value <= other if sign == "<=" else value > other if sign == ">" else value >= other)
        else:
            first, last = literal(low), literal(high)
            holds = holds or ((first < value or (first == value and opened == "[")) and (value < last or (value == last and closed == "]")))
        at = match.end()
    return holds != negated


def decided(table: Table, inputs: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """Ids of the rows that fire, and their outputs as values. ValueError when no row fits, or two of UNIQUE do."""
    if type(inputs) is not dict or set(inputs) != {name for name, _ in table.inputs}:
        raise ValueError("other inputs than the table's")
    values = [typed(inputs[name], kind) for name, kind in table.inputs]
    try:
        found = [rule for rule in table.rules if all(cell_holds(cell, value) for cell, value in zip(rule[1], values))]
    except TypeError as error:
        raise ValueError(f"a condition of another type than its input ({error})") from None
    if not found or (table.policy == "UNIQUE" and len(found) > 1):
        raise ValueError(f"{len(found)} rows fit")
    found = found[:1] if table.policy == "FIRST" else found
    return [name for name, _ in found], [{out[0]: literal(cell) for out, cell in zip(table.outputs, cells[len(values):])} for _, cells in found]


# -- what is checked inside of a record


class Record(NamedTuple):
    kind: str
    seq: int
    head: str


Duty = tuple[str, frozenset[str], frozenset[str], bool]  # rule, nodes, others, and whether only the last of the others counts


class Setup(NamedTuple):
    log: str
    suite: int
    records: dict[int, Record]
    duties: list[Duty]
    laws: dict[str, Law]  # by the digest that entries name
    law: str  # the digest for entries that name none
    drawings: frozenset[str]
    tables: dict[str, Table]


class Part(NamedTuple):
    """Whole records: their lines of entries.jsonl, payloads.jsonl and computations.jsonl."""

    entries: list[bytes]
    payloads: list[bytes]
    computations: list[bytes]


class Result(NamedTuple):
    broken: list[Finding]
    gaps: list[Finding]
    records: list[int]
    places: list[int]
    leaves: bytes
    rows: list[tuple[tuple[str, int], str]]  # (table, id) -> JSON [at, record, seq, part that nobody can see, subject], a tab, the values
    missing: list[tuple[int, int, str, Optional[str]]]  # record, seq, subject, why it was withheld
    erased: list[str]
    withheld: list[tuple[int, int]]  # computations without their inputs


_setup: Setup
_rules_of: dict[str, list[tuple[str, frozenset[str], bool]]]  # node -> the duties that bind who does it


def _begin(setup: Setup) -> None:
    global _setup, _rules_of  # what every call in this process needs
    _setup, _rules_of = setup, {}
    for rule, nodes, others, last in setup.duties:
        for node in nodes:
            _rules_of.setdefault(node, []).append((rule, others, last))


def _begin_worker(setup: Setup) -> None:
    _unswept()
    _begin(setup)


def _unswept() -> None:
    """Nothing that is read here points back to itself, and looking for such things takes a twentieth of the time."""
    gc.disable()


def check_part(part: Part) -> Result:
    """Checks 1, 2, 3, 7, 9, 10 of some records, and what they say of the tree and of rows."""
    result = Result([], [], [], [], b"", [], [], [], [])
    payloads: dict[tuple[int, int], dict[str, tuple[Any, str]]] = {}
    for line in part.payloads:
        said, text = read_line(line, "payloads.jsonl")
        where, subject = (said.get("record"), said.get("seq")), said.get("subject")
        need(is_int(where[0]) and is_int(where[1]) and type(subject) is str, "a payload names record, seq and subject")
        mine = payloads.setdefault((int(where[0]), int(where[1])), {})  # type: ignore[arg-type]
        if subject in mine:
            raise BadBundle("同一条目同一人有两份个人信息", f"two payloads of the same entry and subject: {where}")
        if "withheld" in said:
            need(type(said["withheld"]) is str, "withheld says why")
            mine[str(subject)] = (None, said["withheld"])
        else:
            need(is_hash(said.get("salt")) and "data" in said, "an opened payload has a salt of 32 bytes, and data")
            mine[str(subject)] = (said["data"], _commitment(said, text))
    steps: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for line in part.computations:
        said, _ = read_line(line, "computations.jsonl")
        need(is_int(said.get("record")) and is_int(said.get("seq")) and type(said.get("node")) is str, "a computation names record, seq and node")
        shaped = type(said.get("steps")) is list and all(type(s) is dict for s in said["steps"]) and type(said.get("result")) is dict
        need(shaped, "a computation has steps and a result")
        steps.setdefault((said["record"], said["seq"]), []).append(said)
    leaves: list[bytes] = []
    walk: _Walk | None = None
    for line in part.entries:
        record, seq, index, body = _entry(line)
        if walk is None or walk.record != record:
            if walk is not None:
                walk.end()
            walk = _Walk(record, result, payloads, steps)
        leaf = walk.entry(seq, body)
        if index is None:
            result.gaps.append(Finding(4, record, seq, "尚未封存", "not sealed yet"))
        else:
            result.places.append(index)
            leaves.append(leaf)
    if walk is not None:
        walk.end()
    for (record, seq), mine in payloads.items():  # those that no entry took
        result.broken.extend(Finding(7, record, seq, f"{s} 的个人信息没有对应的承诺", f"no entry committed to the part of {s}") for s in mine)
    for record, seq in steps:
        result.broken.append(Finding(10, record, seq, "没有这一条目的计算", "there is no entry of this computation"))
    return result._replace(leaves=b"".join(leaves))


def _commitment(said: dict[str, Any], text: str) -> str:
    """What an entry must have said of an opened payload; "" when the data have no canonical form."""
    try:
        written = canonical(said["data"], text).encode()
    except ValueError:
        return ""
    return hmac.digest(bytes.fromhex(said["salt"]), written, "sha256").hex()


_ENTRY = re.compile(rb'\{"record":(0|[1-9][0-9]{0,17}),"seq":(0|[1-9][0-9]{0,17}),"index":(null|0|[1-9][0-9]{0,17}),"body":"')


def _entry(line: bytes) -> tuple[int, int, int | None, str]:
    """record, seq, index and body of a line of entries.jsonl. As the exporter writes it, and with no escapes in the body but those
    of its quotes, taking them out is all that a JSON reader would do with it; every other line is left to one."""
    found = _ENTRY.match(line)
    if found is not None and line.endswith(b'"}'):
        escaped = line[found.end() : -2]
        quotes, raw = escaped.count(b'\\"'), escaped.replace(b"\\", b"")
        if quotes == len(escaped) - len(raw) == raw.count(b'"'):
            try:
                if (body := raw.decode()).isprintable():  # so there is no control character in it, which JSON forbids
                    return int(found[1]), int(found[2]), None if found[3] == b"null" else int(found[3]), body
            except UnicodeDecodeError:
                pass
    said, _ = read_line(line, "entries.jsonl")
    record, seq, index, text = said.get("record"), said.get("seq"), said.get("index"), said.get("body")
    need(is_int(record) and is_int(seq) and (index is None or is_int(index)) and type(text) is str, "an entry has record, seq, index and body")
    return record, seq, index, text  # type: ignore[return-value]


_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class _Walk:
    """Along the entries of one record."""

    def __init__(self, record: int, result: Result, payloads: Any, steps: Any) -> None:
        self.record, self.result, self.payloads, self.steps = record, result, payloads, steps
        self.expected = _setup.records.get(record)
        self.seq, self.leaf, self.acts = 0, GENESIS, list[tuple[int, str, frozenset[str]]]()
        self.named: str | None = None
        self.lacking: list[Any] = []  # digests of law files that are not in the bundle, each told once
        result.records.append(record)

    def broken(self, check: int, seq: int | None, zh: str, en: str) -> None:
        if len(self.result.broken) < MOST_FINDINGS:
            self.result.broken.append(Finding(check, self.record, seq, zh, en))

    def entry(self, seq: int, text: str) -> bytes:
        """Check one entry; its leaf in the tree comes back."""
        raw = text.encode("utf-8", "surrogatepass")
        if seq != self.seq + 1:
            self.broken(3, seq, f"第 {self.seq} 条之后是第 {seq} 条", f"entry {self.seq} is followed by entry {seq}")
        leaf = hashlib.sha256(b"\x00" + raw)
        before, number = self.leaf, self.seq
        self.seq, self.leaf = seq, leaf.hexdigest()
        said = self._read(seq, text)
        if said is not None:
            if said["prev"] != before and seq == number + 1:
                whose = number or seq
                self.broken(3, whose, f"第 {seq} 条所载的前一条封印与第 {number} 条不符", f"entry {seq} names another seal of the entry before it than entry {number} has")
            self._personal(seq, said)
            self._duties(seq, said)
        else:
            self.payloads.pop((self.record, seq), None)
            self.steps.pop((self.record, seq), None)
        return leaf.digest() if _setup.suite == 1 else digest(2, b"\x00" + raw)

    def end(self) -> None:
        """The record's row names how many entries it has, and the seal of the last."""
        if self.expected is None:
            self.broken(3, None, "清单中没有这份记录", "the manifest does not name this record")
        elif self.seq != self.expected.seq:
            self.broken(3, min(self.seq, self.expected.seq) + 1, f"记录共 {self.expected.seq} 条，证据中到第 {self.seq} 条", f"the record has {self.expected.seq} entries, the bundle ends with {self.seq}")
        elif self.leaf != self.expected.head:
            self.broken(3, self.seq, "最后一条与记录所载封印不符", "the last entry is not the one whose seal the record names")

    def _read(self, seq: int, text: str) -> dict[str, Any] | None:
        try:
            said = parsed(text)
            if canonical(said, text) != text:
                self.broken(1, seq, "不是规范格式", "not in canonical form")
        except ValueError as error:
            self.broken(1, seq, "不是规范的 JSON", f"not canonical JSON ({error})")
            return None
        wrong = _misshaped(said)
        if not wrong:
            kind = self.expected.kind if self.expected else said["kind"]
            if (said["record"], said["seq"], said["log"], said["kind"]) != (self.record, seq, _setup.log, kind):
                same = {"record": self.record, "seq": seq, "log": _setup.log, "kind": kind}
                wrong = [name for name, value in same.items() if said[name] != value]
        drawing = said["data"].get("drawing") if not wrong and "data" in said else None
        if drawing is not None and (type(drawing) is not str or drawing not in _setup.drawings):
            self.result.gaps.append(Finding(2, self.record, seq, "证据中没有这张流程图", "the drawing that it names is not in the bundle"))
        if wrong:
            self.broken(2, seq, f"字段不符：{'、'.join(wrong)}", f"does not fit: {', '.join(wrong)}")
            return None
        return said  # type: ignore[no-any-return]

    def _personal(self, seq: int, said: dict[str, Any]) -> None:
        """Check 7, and with what was opened the rows and computations of this entry."""
        opened: dict[str, Any] = {}
        here = self.payloads.pop((self.record, seq), _NONE)
        for subject, committed in said.get("sealed", {}).items():
            data, found = here.pop(subject, (None, None))
            if data is None:
                self.result.missing.append((self.record, seq, subject, found))
            elif not hmac.compare_digest(found, committed):
                self.broken(7, seq, f"{subject} 的个人信息与承诺不符", f"the part of {subject} is not what was committed to")
            else:
                opened[subject] = data
        for subject in here:
            self.broken(7, seq, f"没有对 {subject} 的承诺", f"the entry committed to no part of {subject}")
        if said["event"] == "erased" and type(said.get("data", {}).get("subject")) is str:
            self.result.erased.append(said["data"]["subject"])
        for number, put in enumerate(said.get("puts", ())):
            self._put(seq, said["at"], put, str(number), opened)
        self._amounts(seq, said, opened)
        self._tables(seq, said.get("data", {}))

    def _put(self, seq: int, at: str, put: dict[str, Any], number: str, opened: dict[str, Any]) -> None:
        values, subject = put.get("set", {}), put.get("of")
        hidden = subject is not None and subject not in opened
        if subject in opened:
            try:
                private = opened[subject]["puts"][number]
                values = {**values, **private}
            except (KeyError, TypeError):
                self.broken(7, seq, f"{subject} 的部分没有第 {number} 项的列", f"the part of {subject} lacks the columns of put {number}")
                hidden = True
        rest = f'["{at}",{self.record},{seq},false,null]' if subject is None else _encode([at, self.record, seq, hidden, subject])
        self.result.rows.append(((put["table"], put["id"]), f"{rest}\t{_encode(values)}"))

    def _duties(self, seq: int, said: dict[str, Any]) -> None:
        """Check 9: who acts here after having acted there."""
        event = said["event"]
        if event not in ("task_taken_back", "case_started", "task_completed", "signer_answered"):
            return
        data, actor = said.get("data", {}), said["actor"]
        if event == "task_taken_back":
            self.acts = [act for act in self.acts if act[0] != data.get("undoes")]
            return
        if event == "case_started":
            node, persons = "start", [actor["id"], actor.get("for")]
        elif type(data.get("task")) is str:
            node, persons = data["task"].rpartition(".")[0], [actor["id"]]
            if event == "task_completed":
                persons += [actor.get("for"), data.get("owner"), data.get("on_behalf_of")]
        else:
            return
        who = frozenset(p for p in persons if type(p) is str)
        for rule, others, last in _rules_of.get(node, ()):
            done = [act for act in self.acts if act[1] in others]
            for _, earlier, whom in done[-1:] if last else done:
                for person in sorted(who & whom):
                    self.broken(9, seq, f"{person} 先办 {earlier}，又办 {node}（{rule}）", f"{person} did {earlier}, then {node} ({rule})")
        self.acts.append((seq, node, who))

    def _amounts(self, seq: int, said: dict[str, Any], opened: dict[str, Any]) -> None:
        """Check 10: every amount that a service gave follows from a computation in the bundle, by the law that the entry names."""
        named = said.get("data", {}).get("law", _setup.law)
        law = _setup.laws.get(named) if type(named) is str else None
        if law is None and named not in self.lacking:
            self.lacking.append(named)
            self.result.gaps.append(Finding(10, self.record, seq, "条目所载的法规文件不在证据中", "the law files that the entry names are not in the bundle"))
        then = said.get("data", {}).get("then")
        if then is None and (self.record, seq) not in self.steps:
            return
        listed = then.get("ran") if type(then) is dict else None
        listed = listed if type(listed) is list else []
        ran = {r[0]: r[1] for r in listed if type(r) is list and len(r) == 2 and type(r[0]) is str and type(r[1]) is dict}
        snapshots = {}
        for data in opened.values():
            inner = data.get("said") if type(data) is dict else None
            if type(inner) is dict and type(inner.get("snapshots")) is dict:
                snapshots.update(inner["snapshots"])
        covered: set[tuple[str, str]] = set()
        for one in self.steps.pop((self.record, seq), ()):
            node, result = one["node"], one["result"]
            covered |= {(node, fact) for fact in result}
            if node not in ran:
                self.broken(10, seq, f"条目中没有 {node}", f"{node} did not run in this entry")
                continue
            if node not in snapshots and len(opened) < len(said.get("sealed", {})):
                self.result.withheld.append((self.record, seq))
                continue
            if law is None:
                continue
            try:
                known, grounded = run_steps(one["steps"], snapshots.get(node), law)
            except ValueError as error:
                self.broken(10, seq, f"{node} 的计算不成立：{error}", f"{node}: {error}")
                continue
            for fact, name in result.items():
                if type(name) is not str or name not in known or not fits(fact, ran[node].get(fact), known[name]):
                    self.broken(10, seq, f"{node} 的 {fact} 与计算不符", f"{node}: {fact} is recorded as {shown(ran[node].get(fact))}, which the steps do not give")
                elif fact.endswith("_fen") and known[name] and name not in grounded:
                    self.broken(10, seq, f"{node} 的 {fact} 不出自任何输入或法规", f"{node}: {fact} comes from no input and from no law")
        for node, facts in ran.items():
            for fact, value in facts.items():
                if fact.endswith("_fen") and value is not None and (node, fact) not in covered and law is not None:
                    if node not in snapshots and len(opened) < len(said.get("sealed", {})):
                        self.result.withheld.append((self.record, seq))
                    else:
                        self.result.gaps.append(Finding(10, self.record, seq, f"{node} 的 {fact} 没有附计算", f"no computation shows how {node} came to {fact}"))


    def _tables(self, seq: int, data: dict[str, Any]) -> None:
        """Check 10: what the entry says that decision tables said, the tables in the bundle say, too."""
        if "tables" not in data and "decided" not in data:
            return
        named, told = data.get("tables", {}), data.get("decided", [])
        if type(named) is not dict or type(told) is not list or not all(type(one) is dict for one in told):
            self.broken(10, seq, "决策表的记载不合格式", "what it says of decision tables is not well formed")
            return
        for name, digest in named.items():
            if type(digest) is not str or digest not in _setup.tables:
                self.result.gaps.append(Finding(10, self.record, seq, f"证据中没有决策表 {shown(name)}", f"the decision table {shown(name)} is not in the bundle"))
        for one in told:
            name = one.get("table")
            digest = named.get(name) if type(name) is str else None
            if type(digest) is not str:
                self.broken(10, seq, f"条目没有指明决策表 {shown(name)}", f"the entry does not name the decision table {shown(name)}")
            elif (table := _setup.tables.get(digest)) is not None:
                self._decided(seq, table, one)

    def _decided(self, seq: int, table: Table, one: dict[str, Any]) -> None:
        try:
            rules, outputs = decided(table, one.get("inputs"))
            kinds = dict(table.outputs)
            listed = one.get("outputs")
            same = type(listed) is list and len(listed) == len(outputs) and all(
                type(said) is dict and set(said) == set(right) and all(typed(said[n], kinds[n]) == right[n] for n in right) for said, right in zip(listed, outputs))
        except ValueError as error:
            self.broken(10, seq, f"决策表 {table.key} 不能得出所载结果：{error}", f"the decision table {table.key}: {error}")
            return
        if table.key != one.get("table") or rules != one.get("rules") or not same:
            self.broken(10, seq, f"决策表 {table.key} 给出的是 {'、'.join(rules)} 行，与所载不符", f"the decision table {table.key} gives row {', '.join(rules)}, the entry says otherwise")


def _is_put(value: Any) -> bool:
    return (type(value) is dict and type(value.get("table")) is str and is_int(value.get("id")) and type(value.get("set", {})) is dict
            and type(value.get("of", "")) is str)  # fmt: skip


def _misshaped(said: Any) -> list[str]:
    """Names of the fields that are not of their kind."""
    if type(said) is not dict:
        return ["{}"]
    try:  # as almost every entry is
        actor, record, seq = said["actor"], said["record"], said["seq"]
        if (type(said["v"]) is type(record) is type(seq) is int and said["v"] == 1 and 0 <= record < 1 << 63 and 0 <= seq < 1 << 63
                and type(actor) is dict and type(said["log"]) is type(said["kind"]) is type(said["event"]) is type(actor["id"]) is str
                and is_hash(said["prev"]) and _AT.fullmatch(said["at"])
                and type(said.get("data", _NONE)) is dict and ("puts" not in said or _SHAPE["puts"](said["puts"]))
                and ("sealed" not in said or _SHAPE["sealed"](said["sealed"])) and ("clock" not in said or _SHAPE["clock"](said["clock"]))):  # fmt: skip
            return []
    except (KeyError, TypeError):
        pass
    return [name for name, right in _SHAPE.items() if not (right(said[name]) if name in said else name in _OPTIONAL)]


_SHAPE: dict[str, Any] = {
    "v": lambda v: v == 1 and type(v) is int,
    "log": lambda v: type(v) is str,
    "record": is_int,
    "kind": lambda v: type(v) is str,
    "seq": is_int,
    "prev": is_hash,
    "at": lambda v: type(v) is str and _AT.fullmatch(v) is not None,
    "clock": lambda v: type(v) is str and _AT.fullmatch(v) is not None,
    "actor": lambda v: type(v) is dict and type(v.get("id")) is str,
    "event": lambda v: type(v) is str,
    "data": lambda v: type(v) is dict,
    "puts": lambda v: type(v) is list and all(map(_is_put, v)),
    "sealed": lambda v: type(v) is dict and all(map(is_hash, v.values())),
}
_OPTIONAL = frozenset({"clock", "data", "puts", "sealed"})
_NONE: dict[str, Any] = {}


# -- the bundle as a whole


_HASHLIKE = re.compile('"[0-9a-f]{64}"')
_PUT_ONCE = re.compile(rb'\{"table":"([a-z_0-9]{1,60})","id":(0|[1-9][0-9]{0,17}),"values":')


class _Stream:
    """A file of the bundle, read once from front to back, hashed on the way."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.name, self._file, self._sum, self.size = name, archive.open(name), hashlib.sha256(), 0

    def lines(self) -> Iterator[bytes]:
        """Without their ends; split a block at a time, for `readline` of a zip's member is slow."""
        begun = list[bytes]()  # the line that the last block did not end
        for block in self.blocks():
            first, *others = block.split(b"\n")
            begun.append(first)
            if sum(map(len, begun)) > MOST_LINE:
                raise BadBundle(f"{self.name} 有一行过长", f"{self.name} has a line of more than {MOST_LINE} bytes")
            if others:
                yield b"".join(begun)
                yield from others[:-1]
                begun = others[-1:]
        if any(begun):
            yield b"".join(begun)

    def blocks(self) -> Iterator[bytes]:
        while block := self._file.read(1 << 20):
            self._sum.update(block)
            self.size += len(block)
            yield block

    def digest(self) -> str:
        return self._sum.hexdigest()


class Bundle:
    """An opened bundle; `check` does everything and fills `broken` and `gaps`."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.archive, self.broken, self.gaps = archive, list[Finding](), list[Finding]()
        self.names = {info.filename for info in self._members(size)}
        need(not (lacking := [name for name in NEEDED if name not in self.names]), f"the bundle lacks {', '.join(lacking)}")
        raw = b"".join(self._open("manifest.json").blocks())
        said = self._json(raw, "manifest.json")
        need(type(said) is dict and said.get("format") == 1, "manifest.json names format 1")
        need(type(said.get("log")) is str and said.get("suite") in (1, 2) and type(said["suite"]) is int, "the manifest names log and suite")
        self.suite: int = said["suite"]
        self.log: str = said["log"]
        need(type(said.get("law", "")) is str, "the manifest names the law by its digest")
        self.law: str = said.get("law", "")
        self.files = said.get("files")
        need(type(self.files) is dict and all(type(f) is dict and is_hash(f.get("sha256")) and is_int(f.get("size")) for f in self.files.values()), "the manifest's files have sha256 and size")
        self.records: dict[int, Record] = {}
        need(type(said.get("records")) is list and bool(said["records"]), "the manifest lists records")
        for one in said["records"]:
            fine = type(one) is dict and is_int(one.get("record")) and type(one.get("kind")) is str and is_int(one.get("seq"), 1) and is_hash(one.get("head"))
            need(fine and one["record"] not in self.records, "each record once, with record, kind, seq and head")
            self.records[one["record"]] = Record(one["kind"], one["seq"], one["head"])
        cases = said.get("cases")
        need(type(cases) is list and all(type(c) is dict and type(c.get("no")) is str and is_int(c.get("record")) and c["record"] in self.records for c in cases), "each case has its number and a record of the list")
        self.cases = [c["no"] for c in cases]
        for name in sorted(self.names ^ {"manifest.json", *self.files}):
            self.fail(0, f"{name} 与清单不符", f"{name} is only in the manifest, or only in the bundle")
        self.entries = 0
        self.leaves = (0, 0)  # of the tree: how many lie in the bundle as entries, of how many
        self.erased: set[str] = set()

    def fail(self, check: int, zh: str, en: str, where: tuple[int | None, int | None] = (None, None)) -> None:
        if len(self.broken) < MOST_FINDINGS:
            self.broken.append(Finding(check, *where, zh, en))

    def gap(self, check: int, zh: str, en: str, where: tuple[int | None, int | None] = (None, None)) -> None:
        if len(self.gaps) < MOST_FINDINGS:
            self.gaps.append(Finding(check, *where, zh, en))

    # -- files

    def _members(self, size: int) -> list[zipfile.ZipInfo]:
        """Names, kinds and claimed sizes, before anything is unpacked."""
        found, seen = self.archive.infolist(), set[str]()
        need(len(found) <= MOST_FILES, "too many files")
        for info in found:
            name = info.filename
            need(NAMES.fullmatch(name) is not None and "\0" not in info.orig_filename, f"no bundle has a file of this name: {name[:80]!r}")
            need(name not in seen, f"two files of one name: {name}")
            need(not info.flag_bits & 1, f"{name} is encrypted")
            need(info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), f"{name} is packed in another way than deflate")
            need(not stat.S_ISLNK(info.external_attr >> 16), f"{name} is a link")
            need(info.file_size <= max(10 << 20, MOST_RATIO * info.compress_size), f"{name} claims to unpack to {info.file_size} bytes")
            small = name in ("manifest.json", "checkpoint.txt", "checkpoints.txt", "consistency.jsonl", "log.pub", "duties.json") or name.startswith(("law/", "tables/"))
            need(not small or info.file_size <= MOST_SMALL, f"{name} is too large")
            seen.add(name)
        need(sum(info.file_size for info in found) <= MOST_BYTES, "the files together are too large")
        need(sum(info.compress_size for info in found) <= size, "files overlap")
        return found

    def _open(self, name: str) -> _Stream:
        return _Stream(self.archive, name)

    def _held(self, stream: _Stream) -> None:
        """Check 0 for a file that was read to its end."""
        named = self.files.get(stream.name)
        if named is not None and (named["sha256"], named["size"]) != (stream.digest(), stream.size):
            self.fail(0, f"{stream.name} 与清单所载摘要不符", f"{stream.name} is not the file whose hash the manifest names")

    def _small(self, name: str) -> bytes:
        stream = self._open(name)
        raw = b"".join(stream.blocks())
        self._held(stream)
        return raw

    def _lines(self, name: str) -> Iterator[bytes]:
        stream = self._open(name)
        yield from stream.lines()
        self._held(stream)

    def _text(self, name: str) -> str:
        try:
            return self._small(name).decode()
        except UnicodeDecodeError:
            raise BadBundle(f"{name} 不是 UTF-8", f"{name} is not UTF-8") from None

    @staticmethod
    def _json(raw: bytes, name: str) -> Any:
        try:
            return parsed(raw.decode())
        except ValueError as error:
            raise BadBundle(f"{name} 不是 JSON", f"{name} is not JSON ({error})") from None

    # -- the order of things

    def check(self, policy: Policy | None, old: list[Note], processes: int) -> None:
        note = self._signatures(policy)
        self._older(note, old, policy)
        setup = Setup(self.log, self.suite, self.records, self._rules(policy), *self._laws(), self._drawings(), self._tables())
        places, leaves = list[int](), bytearray()
        rows: dict[tuple[str, int], str] = {}
        missing, seen, withheld = list[tuple[int, int, str, Optional[str]]](), set[int](), list[tuple[int, int]]()
        for result in dealt(self._parts(), setup, processes):
            self.broken.extend(result.broken[: MOST_FINDINGS - len(self.broken)])
            self.gaps.extend(result.gaps[: MOST_FINDINGS - len(self.gaps)])
            places += result.places
            leaves += result.leaves
            seen.update(result.records)
            missing += result.missing
            withheld += result.withheld
            self.erased.update(result.erased)
            for key, said in result.rows:
                rows[key] = f"{rows[key]}\n{said}" if key in rows else said
        for record in sorted(self.records.keys() - seen):
            self.fail(3, "这份记录没有任何条目", "no entry of this record is in the bundle", (record, 1))
        root_holds = self._tree(note, places, leaves, processes)
        unseen = set()
        for record, seq, subject, why in missing:
            if subject not in self.erased:
                unseen.add((record, seq))
                said = f"（{why}）" if why else ""
                self.gap(7, f"没有 {subject} 的个人信息{said}，也没有删除记录", f"the part of {subject} is not here and was not erased{f' ({why})' if why else ''}", (record, seq))
        for where in withheld:
            if where in unseen:
                self.gap(10, "缺少输入，无法核对计算", "without its inputs the computation cannot be checked", where)
        attached = self._rows(rows)
        root_holds()
        self._attachments(attached)

    def _rules(self, policy: Policy | None) -> list[Duty]:
        raw = self._small("duties.json")
        if policy is not None and policy.duties not in (None, hashlib.sha256(raw).hexdigest()):
            self.fail(9, "岗位分离规则不是政策文件所定的那一份", "duties.json is not the one that the policy names")
        said = self._json(raw, "duties.json")

        def words(value: Any) -> bool:
            return type(value) is list and all(type(word) is str for word in value)

        fine = type(said) is list and all(
            type(r) is dict and type(r.get("rule")) is str and words(r.get("nodes")) and words(r.get("others")) and type(r.get("last", False)) is bool for r in said
        )
        need(fine, "duties.json lists rule, nodes and others, and whether the last of the others alone counts")
        return [(r["rule"], frozenset(r["nodes"]), frozenset(r["others"]), r.get("last", False)) for r in said]

    def _laws(self) -> tuple[dict[str, Law], str]:
        """Each law under the digest of its files, by which entries name it, and the digest for entries that name none: that of
        the manifest, or of files that lie directly in `law/`."""
        raw: dict[str, dict[str, bytes]] = {}
        for name in sorted(self.names):
            if name.startswith("law/"):
                folder, _, file = name[4:].rpartition("/")
                raw.setdefault(folder, {})[file] = self._small(name)
        laws, default = dict[str, Law](), self.law
        for folder, files in raw.items():
            told = hashlib.sha256(b"".join(b"%s\0%d\0%s" % (file.encode(), len(text), text) for file, text in files.items())).hexdigest()
            if folder not in ("", told):
                self.fail(10, f"law/{folder} 的内容与名称所载摘要不符", f"law/{folder} is not the law of this digest")
            laws[folder or told] = {file: read_law(text, f"law/{file}") for file, text in files.items()}
            default = default or told
        return laws, default

    def _drawings(self) -> frozenset[str]:
        found = set()
        for name in sorted(self.names):
            if name.startswith("drawings/"):
                stream = self._open(name)
                for _ in stream.blocks():
                    pass
                self._held(stream)
                if stream.digest() != name[9:-5]:
                    self.fail(2, f"{name} 的内容与名称所载摘要不符", f"{name} is not the drawing of this hash")
                found.add(name[9:-5])
        return frozenset(found)

    def _tables(self) -> dict[str, Table]:
        found = dict[str, Table]()
        for name in sorted(self.names):
            if name.startswith("tables/"):
                raw = self._small(name)
                if hashlib.sha256(raw).hexdigest() != name[7:-4]:
                    self.fail(10, f"{name} 的内容与名称所载摘要不符", f"{name} is not the table of this hash")
                try:
                    found[name[7:-4]] = read_table(raw)
                except ValueError as error:
                    raise BadBundle(f"{name} 无法读懂", f"{name}: {error}") from None
        return found

    def _parts(self) -> Iterator[Part]:
        """Whole records, some thousand entries at a time: the three files are in the order of their records."""
        entries, payloads, computations = (_Ahead(self._lines(f"{name}.jsonl"), name) for name in ("entries", "payloads", "computations"))
        part = Part([], [], [])
        while entries.record is not None:
            record = entries.record
            payloads.take(record, part.payloads)
            computations.take(record, part.computations)
            before = len(part.entries)
            entries.take(record, part.entries)
            self.entries += len(part.entries) - before
            if len(part.entries) >= 2000:
                yield part
                part = Part([], [], [])
        payloads.take(None, part.payloads)
        computations.take(None, part.computations)
        yield part

    # -- 4, 5, 6: the tree, who signed it, and what was known of it before

    def _tree(self, note: Note, places: list[int], leaves: bytearray, processes: int) -> Callable[[], None]:
        """Check 4. What comes back compares the root, which another process computes meanwhile where the whole of a large tree is here."""
        self.leaves = (len(places), note.size)
        order = sorted(range(len(places)), key=places.__getitem__) if any(a >= b for a, b in zip(places, places[1:])) else None
        if order is not None:
            places, leaves = [places[n] for n in order], bytearray(b"".join(leaves[32 * n : 32 * n + 32] for n in order))
        twice = [a for a, b in zip(places, places[1:]) if a == b]
        for place in twice:
            self.fail(4, f"两条记录都称是总树第 {place} 片", f"two entries say they are leaf {place}")
        if places and places[-1] >= note.size:
            self.fail(4, f"总树只有 {note.size} 片，却有第 {places[-1]} 片", f"an entry says it is leaf {places[-1]} of a tree of {note.size}")
        rest = self._hashes()
        sound = not twice and (not places or places[-1] < note.size)
        pool = multiprocessing.Pool(1, gc.disable) if sound and len(places) == note.size >= MANY and processes > 1 else None
        aside = pool.apply_async(_whole_root, (self.suite, bytes(leaves))) if pool is not None else None

        def root_holds() -> None:
            found: bytes | None = None
            if pool is not None and aside is not None:
                with pool:
                    found = aside.get()
            elif sound:
                try:
                    found = root_of(self.suite, note.size, places, bytes(leaves), rest)
                except (StopIteration, RuntimeError):
                    self.fail(4, "tree.txt 的行数不足", "tree.txt has too few lines")
            if found is not None and found != note.root:
                self.fail(4, "由条目算出的树根与检查点不符", "the entries do not give the root that was signed")
            if sum(1 for _ in rest):
                self.fail(4, "tree.txt 有多余的行", "tree.txt has lines that no part of the tree takes")

        return root_holds

    def _hashes(self) -> Iterator[bytes]:
        for line in self._lines("tree.txt"):
            need(re.fullmatch(rb"[0-9a-f]{64}", line) is not None, "a line of tree.txt is a hash")
            yield bytes.fromhex(line.decode())

    def _signatures(self, policy: Policy | None) -> Note:
        """Check 5. The signature has to hold; of witnesses as many as the policy asks for."""
        found = notes_in(self._text("checkpoint.txt"))
        need(len(found) == 1, "checkpoint.txt is one checkpoint")
        note, own = found[0], read_key(self._text("log.pub"))
        if note.origin != self.log:
            self.fail(5, f"检查点属于 {note.origin}，不是 {self.log}", f"the checkpoint is of {note.origin}, not of {self.log}")
        self.keys = policy.logs if policy is not None else [own]
        held = self._holds(note)
        if held is False:
            self.fail(5, "检查点没有有效的登记签名", "no signature of the log's key holds on the checkpoint")
        elif held is None:
            self.gap(5, "本机没有能验 SM2 的 openssl", "no `openssl` here that verifies SM2")
        if policy is None:
            self.gap(5, "没有政策文件：签名密钥只是证据自己声称的", "no policy: the key is only what the bundle says it is")
            return note
        if own not in policy.logs:
            self.fail(5, "log.pub 不是政策文件中的密钥", "log.pub is not the key of the policy")
        signed = set()
        for name, key in policy.witnesses.items():
            said = signed_by(key, note)
            if said:
                signed.add(name)
            elif any(line[:2] == (key.name, key.id) for line in note.lines):
                self.fail(5, f"见证 {name} 的签名不成立", f"the line of the witness {name} does not hold")
        if not policy.enough(signed):
            self.gap(5, f"见证不足：只有 {len(signed)} 个", f"too few witnesses signed: {', '.join(sorted(signed)) or 'none'}")
        return note

    def _holds(self, note: Note) -> bool | None:
        said = [signed_by(key, note) for key in self.keys]
        return True if True in said else None if None in said else False

    def _older(self, note: Note, old: list[Note], policy: Policy | None) -> None:
        """Check 6: the older ones of the bundle, and those that the auditor kept."""
        proofs: dict[int, list[bytes]] = {}
        for line in self._lines("consistency.jsonl"):
            said, _ = read_line(line, "consistency.jsonl")
            need(is_int(said.get("old")) and type(said.get("proof")) is list and all(map(is_hash, said["proof"])), "a line of consistency.jsonl has old and proof")
            proofs[said["old"]] = [bytes.fromhex(one) for one in said["proof"]]
        for kept, own in [(one, False) for one in notes_in(self._text("checkpoints.txt"))] + [(one, True) for one in old]:
            zh, en = f"检查点（{kept.size}）", f"checkpoint of {kept.size} entries"
            if kept.origin != self.log:
                self.fail(6, f"{zh}属于 {kept.origin}", f"the {en} is of {kept.origin}")
            elif not (known := self._holds(kept) or self._cosigned(kept, policy)) and known is not None:
                self.fail(6, f"{zh}没有有效签名", f"no signature holds on the {en}")
            elif kept.size > note.size:
                self.fail(6, f"{zh}比现在的 {note.size} 条还多：有条目被删去", f"the {en} is larger than this one of {note.size}: entries are gone")
            elif kept.size in (0, note.size):
                if kept.size and kept.root != note.root:
                    self.fail(6, f"{zh}同样大小而树根不同", f"the {en} has another root at the same size")
            elif kept.size not in proofs:
                (self.gap if own else self.fail)(6, f"证据中没有从{zh}起的证明，请按它重新导出", f"the bundle has no proof from the {en}; ask for it")
            elif not consistent(self.suite, kept.size, note.size, (kept.root, note.root), proofs[kept.size]):
                self.fail(6, f"{zh}不是现在总树的一部分", f"the {en} is not part of this tree")

    def _cosigned(self, note: Note, policy: Policy | None) -> bool | None:
        return any(signed_by(key, note) for key in policy.witnesses.values()) if policy is not None else False

    # -- 8: tables and attachments

    def _rows(self, rows: dict[tuple[str, int], str]) -> dict[tuple[str, int], Any]:
        """Compare each row with what the puts add up to. Of those that may have an attachment: (table, id) -> digests in its columns,
        whether its subject was erased, record and seq of the last put, whether it has to have one."""
        known = dict[tuple[str, int], Any]()
        for line in self._lines("rows.jsonl"):
            start = _PUT_ONCE.match(line)
            if start is not None and self._as_put(line, start, rows):
                continue
            said, _ = read_line(line, "rows.jsonl")
            key, shown_ = (said.get("table"), said.get("id")), said.get("values")
            need(type(key[0]) is str and is_int(key[1]) and type(shown_) is dict, "a row has table, id and values")
            if key not in rows:
                self.fail(8, f"{key[0]} {key[1]} 没有任何条目写入", f"no entry put the row {key[0]} {key[1]}")
            else:
                self._row(key, rows.pop(key), shown_, known)  # type: ignore[arg-type]
        for table, number in sorted(rows):
            record, seq = _puts(rows[table, number])[-1][1:3]
            self.fail(8, f"{table} {number} 应有而没有", f"the row {table} {number} is gone", (record, seq))
        return known

    @staticmethod
    def _as_put(line: bytes, start: re.Match[bytes], rows: dict[tuple[str, int], str]) -> bool:
        """Whether a line of rows.jsonl shows to the letter what one put wrote, all of it seen, and nothing that has an attachment.
        What the puts hold was written by the encoder here, so a line that is the same text is the same JSON."""
        key = start[1].decode(), int(start[2])
        puts = rows.get(key, "")
        rest, _, values = puts.partition("\t")
        if "\n" in puts or ",false," not in rest or line[start.end() :] != values.encode() + b"}" or _HASHLIKE.search(values) is not None:
            return False
        del rows[key]
        return True

    def _row(self, key: tuple[str, int], puts: str, values: dict[str, Any], known: Any) -> None:
        if "\n" not in puts and ",false," in puts and _HASHLIKE.search(puts) is None and puts.partition("\t")[2] == _encode(values):
            return  # put once, and as it was
        said = _puts(puts)
        last: dict[str, tuple[Any, int]] = {}
        hidden = -1
        for order, put in enumerate(said):
            hidden = order if put[3] else hidden
            last.update({name: (value, order) for name, value in put[5].items()})
        for name in sorted(last.keys() | values.keys()):
            value, order = last.get(name, (None, -1))
            there = values.get(name)
            if same(there, value) or (type(there) is str and type(value) is int and there == str(value)):
                continue  # encrypted columns hold text
            where = (said[max(order, 0)][1], said[max(order, 0)][2])
            if order < hidden:
                if there is not None:
                    self.gap(8, f"{key[0]} {key[1]} 的 {name} 出自看不到的部分", f"{name} of {key[0]} {key[1]} may come from a part that is not here", where)
            else:
                self.fail(8, f"{key[0]} {key[1]} 的 {name} 与条目不符", f"{name} of {key[0]} {key[1]} is not what the entries put there", where)
        gone = any(put[4] in self.erased for put in said)
        digests = [v for v, _ in last.values() if is_hash(v)]
        if not digests:
            return
        known[key] = (digests, gone, said[-1][1], said[-1][2], "digest" in last and bool(last["digest"][0]))

    def _attachments(self, known: dict[tuple[str, int], Any]) -> None:
        given_ = set[tuple[str, int]]()
        first = 0 if "attachments/0" in self.names else 1
        taken = set()
        for number, line in enumerate(self._lines("attachments.jsonl"), start=first):
            said, _ = read_line(line, "attachments.jsonl")
            key, name = (said.get("table"), said.get("row")), f"attachments/{number}"
            need(type(key[0]) is str and is_int(key[1]), "an attachment names table and row")
            texts, gone, record, seq, _ = known.get(key, ([], False, None, None, False))  # type: ignore[arg-type]
            given_.add(key)  # type: ignore[arg-type]
            if "withheld" in said:
                if not gone:
                    self.gap(8, f"{key[0]} {key[1]} 的附件没有给出", f"the attachment of {key[0]} {key[1]} is withheld", (record, seq))
                continue
            need(is_hash(said.get("digest")) and type(said.get("key")) is str and re.fullmatch(r"([0-9a-f]{2}){0,64}", said["key"]) is not None, "an attachment has digest and key")
            need(name in self.names, f"{name} is missing")
            taken.add(name)
            stream, secret = self._open(name), bytes.fromhex(said["key"])
            sum_ = hmac.new(secret, digestmod=hashlib.sha256) if secret else hashlib.sha256()
            for block in stream.blocks():
                sum_.update(block)
            self._held(stream)
            if sum_.hexdigest() != said["digest"]:
                self.fail(8, f"{key[0]} {key[1]} 的附件与摘要不符", f"the attachment of {key[0]} {key[1]} is not the one of its digest", (record, seq))
            elif said["digest"] not in texts:
                self.fail(8, f"{key[0]} {key[1]} 的条目没有这份附件的摘要", f"no entry names this attachment's digest in {key[0]} {key[1]}", (record, seq))
        for name in sorted(n for n in self.names if n.startswith("attachments/") and n not in taken):
            self.fail(8, f"{name} 不属于任何一行", f"{name} belongs to no row")
        for (table, number), (_, gone, record, seq, has) in known.items():
            if has and not gone and (table, number) not in given_:
                self.gap(8, f"{table} {number} 的附件不在证据中", f"the attachment of {table} {number} is not in the bundle", (record, seq))


def _puts(text: str) -> list[list[Any]]:
    """What was put into a row, the last one last: [at, record, seq, hidden, subject, values]."""
    found = []
    for line in text.split("\n"):
        rest, _, values = line.partition("\t")
        found.append([*json.loads(rest), json.loads(values)])
    return sorted(found, key=lambda put: put[:3])


def same(one: Any, other: Any) -> bool:
    """As JSON: true is not 1."""
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


class _Ahead:
    """Lines of a file, and of which record the next one is."""

    def __init__(self, lines: Iterator[bytes], name: str) -> None:
        self._lines, self._name = lines, name
        self.record: int | None = -1
        self._look(next(lines, None))

    def _look(self, line: bytes | None) -> None:
        before, self.record = self.record, None
        self._line, self._start = line or b"", b""
        if line is None:
            return
        found = re.match(rb'\{"record": ?([0-9]{1,18}),', line)
        if found is not None:
            self.record, self._start = int(found[1]), found[0]
        else:
            number = read_line(line, f"{self._name}.jsonl")[0].get("record")
            need(is_int(number), f"a line of {self._name}.jsonl names its record")
            self.record = int(number)  # type: ignore[arg-type]
        if before is not None and self.record < before:
            raise BadBundle(f"{self._name}.jsonl 未按记录排序", f"{self._name}.jsonl is not in the order of its records")

    def take(self, record: int | None, to: list[bytes]) -> None:
        """All lines up to this record's last; None: all that are left."""
        while self.record is not None and (record is None or self.record <= record):
            to.append(self._line)
            line = next(self._lines, None)
            while line is not None and self._start and line.startswith(self._start):  # of the same record: nothing to look for
                to.append(line)
                line = next(self._lines, None)
            self._look(line)


def dealt(parts: Iterator[Part], setup: Setup, processes: int) -> Iterator[Result]:
    """`check_part` of each, in order; in several processes once there is much, and never far ahead of who reads."""
    _begin(setup)
    first, count = list[Part](), 0
    for part in parts:
        first.append(part)
        count += len(part.entries)
        if count >= MANY:
            break
    if count < MANY or processes < 2:
        yield from map(check_part, first)
        yield from map(check_part, parts)
        return
    with multiprocessing.Pool(processes, _begin_worker, (setup,)) as pool:
        waiting = deque(pool.apply_async(check_part, (part,)) for part in first)
        for part in parts:
            waiting.append(pool.apply_async(check_part, (part,)))
            if len(waiting) > 3 * processes:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()


# -- the command


def verify(path: str, policy: str | None = None, old: Iterable[str] = (), processes: int = 1) -> tuple[int, Bundle]:
    """(exit code, the bundle with `broken` and `gaps`). BadBundle when it cannot be judged."""
    try:
        trusted = Policy(_outside(policy)) if policy is not None else None
        kept = [note for file in old for note in notes_in(_outside(file))]
        with zipfile.ZipFile(path) as archive:
            bundle = Bundle(archive, os.path.getsize(path))
            bundle.check(trusted, kept, processes)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, OverflowError, UnicodeError) as error:
        raise BadBundle(f"打不开：{error}", f"cannot be opened: {error}") from None
    bundle.broken.sort(key=_order)
    bundle.gaps.sort(key=_order)
    return (1 if bundle.broken else 2 if bundle.gaps else 0), bundle


def _order(finding: Finding) -> tuple[int, int, int]:
    return finding.check, finding.record or 0, finding.seq or 0


def _outside(path: str) -> str:
    raw = Path(path).read_bytes()
    need(len(raw) <= MOST_SMALL, f"{path} is too large")
    return raw.decode()


def _line(finding: Finding, lang: str, *, gap: bool) -> str:
    names = CHECKS[finding.check]
    zh = f"［{finding.check} {names[0]}］" + (f"记录 {finding.record}" if finding.record is not None else "") + (f" 第 {finding.seq} 条" if finding.seq is not None else "") + f"：{finding.zh}"
    en = f"[{finding.check} {names[1]}] " + (f"record {finding.record}, " if finding.record is not None else "") + (f"entry {finding.seq}: " if finding.seq is not None else "") + finding.en
    return {"zh": ("未能核对" if gap else "不符") + zh, "en": ("not checked " if gap else "broken ") + en}.get(lang) or f"{'未能核对' if gap else '不符'}{zh} / {en}"


def _part_of(here: int, size: int, lang: str) -> str:
    """What the tree does not say of a part of it: which of its other leaves belong to the same records."""
    zh = f"总树共 {size} 片，本包载有 {here} 片：各记录是否到此为止，由出具单位声明，只有载有全部条目的证据包才能证明"
    en = f"{here} of the tree's {size} leaves are here: that a record ends where it does is the office's word; only a bundle of the whole record proves it"
    return {"zh": zh, "en": en}.get(lang) or f"{zh} / {en}"


VERDICTS = {0: ("证明成立：十项全部相符", "proven: all ten checks hold"), 1: ("被改动：以下第一项起不符", "tampering: the first broken check and all others"),
            2: ("不完整：没有发现改动，但有几项未能核对", "incomplete: nothing is broken, but not all could be checked"), 3: ("不是可核对的证据", "bad input")}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="audit_verify.py", description="核对应保证据包 / checks a Yingbao evidence bundle")
    parser.add_argument("bundle")
    parser.add_argument("--policy", help="所信任的密钥与见证 / whom you trust (C2SP tlog-policy)")
    parser.add_argument("--old", action="append", default=[], help="以前保存的检查点 / a checkpoint that you kept")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lang", choices=("zh", "en", "both"), default="both")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    try:
        asked = parser.parse_args(argv)
    except SystemExit as end:
        return 3 if end.code else 0
    broken, gaps, cases, entries, leaves = list[Finding](), list[Finding](), list[str](), 0, (0, 0)
    if argv is None:  # this is all that the process is for
        _unswept()
    try:
        code, found = verify(asked.bundle, asked.policy, asked.old, asked.processes)
        broken, gaps, cases, entries, leaves = found.broken, found.gaps, found.cases, found.entries, found.leaves
        why = ("", "")
    except BadBundle as error:
        code, why = 3, (error.zh, error.en)
    except Exception as error:  # noqa: BLE001 - an auditor gets words; what we did not think of is bad input too
        code, why = 3, (f"意外：{error!r}"[:300], f"unexpected: {error!r}"[:300])
    verdict = {"zh": VERDICTS[code][0], "en": VERDICTS[code][1]}
    if asked.json:
        said = {"exit": code, "verdict": verdict["en"], "cases": cases, "entries": entries, "leaves": leaves, "why": why[1], "broken": [f._asdict() for f in broken], "gaps": [f._asdict() for f in gaps]}
        out = json.dumps(said, ensure_ascii=True, indent=1) + "\n"
    else:
        both = asked.lang == "both"
        lines = [f"{verdict['zh']} / {verdict['en']}" if both else verdict[asked.lang]]
        lines += [f"{why[0]} / {why[1]}" if both else why[0 if asked.lang == "zh" else 1]] if why[1] else []
        lines += [_line(f, asked.lang, gap=False) for f in broken] + [_line(f, asked.lang, gap=True) for f in gaps]
        lines += [f"{'、'.join(cases[:20])}: {entries}"] if code < 3 else []
        lines += [_part_of(*leaves, asked.lang)] if code < 3 and leaves[0] < leaves[1] else []
        out = "\n".join(lines) + "\n"
    sys.stdout.buffer.write(out.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
