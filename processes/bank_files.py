"""Files to and from the bank, by profile: pure. `write` makes a file of payments; `read_back` reads what the bank answers; `compare`
holds the answer against what was sent, line by line: what is wrong is a fault with its line number, and the rest counts.

What a bank wants is configuration (data/bank_profiles.yaml). Nothing here knows a run, a record or the clock; monthly payments and
festival payments use it alike.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from engine.errors import NotFound
from processes.money import LIMIT_FEN, BadMoney, parse, yuan

MOST_BYTES = 48 * 1024 * 1024  # of an answer: 100,000 lines of a fixed profile are 16 MB
MOST_LINES = 250_000  # of an answer: every line that is wrong is told of, and a run has 100,000
MOST_LINE = 4000  # bytes of one line; a longer one is none of ours
_TOTAL_LIMIT = 10**15  # fen

# Why the bank gives money back: zh, en
CAUSES: Mapping[str, tuple[str, str]] = {
    "account_closed": ("账户已销户", "The account is closed"),
    "no_such_account": ("账号不存在", "No such account"),
    "name_differs": ("户名与账号不符", "The holder's name does not fit the account"),
    "account_frozen": ("账户冻结或止付", "The account is frozen"),
    "account_dormant": ("账户为不动户（睡眠户）", "The account is dormant"),
    "other": ("其他原因", "Another cause"),
}
# What may be wrong with a line of an answer (or with the whole, at line 0 or its last one): zh, en
FAULTS: Mapping[str, tuple[str, str]] = {
    "truncated": ("行不完整，字段缺失", "The line is cut short"),
    "too_long": ("行过长或多出字段", "The line is too long"),
    "unreadable": ("行的编码或引号不正确，无法读取", "The line's encoding or quoting cannot be read"),
    "unknown_kind": ("不是明细行，也不是首行或尾行", "Neither a detail nor the header or trailer"),
    "bad_amount": ("金额格式不正确", "The amount is not an amount"),
    "bad_date": ("入账日期不正确", "The day of crediting is no such day, or cannot be"),
    "unknown_code": ("处理结果代码未配置", "The code of the result is not configured"),
    "unknown_item": ("本文件中没有这个流水号", "No payment of this file has this serial number"),
    "wrong_amount": ("金额与发出的不一致", "The amount is not the one that was sent"),
    "wrong_account": ("账号与发出的不一致", "The account is not the one that was sent"),
    "duplicate": ("同一流水号重复出现，只计第一次", "The serial number again: the first one counts"),
    "contradictory": ("同一流水号结果互相矛盾，均未处理", "The same serial number with different results: none was taken"),
    "already": ("此前回盘为退回，本次为入账，未改动", "It came back by an earlier answer, which now says credited: nothing was changed"),
    "no_header": ("缺少首行", "The header is missing"),
    "no_trailer": ("缺少尾行，文件可能不完整", "The trailer is missing: the file may be cut off"),
    "totals_differ": ("尾行合计与明细不符", "The totals of the trailer do not fit the details"),
    "after_trailer": ("尾行之后还有内容", "Something follows the trailer"),
}


class BadFile(ValueError):
    """The whole cannot be taken. code, zh, en."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(zh)
        self.code, self.zh, self.en = code, zh, en


class Unwritable(ValueError):
    """A value does not fit the bank's form; `field` and `serial` say which."""

    def __init__(self, field: str, serial: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.serial, self.why = field, serial, why


# -- profiles


@dataclass(frozen=True, slots=True)
class Field:
    """One place of a line. `fixed`: its text; `name`: what stands there. `width` in bytes, 0: as long as it is."""

    name: str
    fixed: str | None = None
    form: str = "text"  # text | yuan | fen | date | number
    width: int = 0
    fill: str = " "
    right: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """How one bank writes: of what is sent, and (`back`) of its answer, the header, the details and the trailer."""

    key: str
    title: str
    title_en: str
    layout: str  # csv | fixed
    encoding: str
    suffix: str
    head: tuple[Field, ...]
    item: tuple[Field, ...]
    tail: tuple[Field, ...]
    back_head: tuple[Field, ...]
    back_item: tuple[Field, ...]
    back_tail: tuple[Field, ...]
    codes: Mapping[str, str]  # the bank's code -> "paid" or one of CAUSES


_HEAD = frozenset({"file", "run", "kind", "payer", "payer_account", "pay_on", "made_on", "count", "total"})
_SUMS = frozenset({"paid_count", "paid_total", "back_count", "back_total"})
_ITEM = frozenset({"line", "serial", "holder", "bank", "account", "amount", "note"})
_BACK = frozenset({"serial", "holder", "account", "amount", "status", "reason", "credited_on", "line", "bank", "note"})
_ASKED = frozenset({"serial", "amount", "status"})  # without which an answer says nothing
_FORMS = frozenset({"text", "yuan", "fen", "date", "number"})


def _field(said: Mapping[str, Any], known: frozenset[str], layout: str) -> Field:
    if odd := set(said) - {"is", "of", "as", "width", "fill", "align"}:
        raise ValueError(f"a field says {sorted(odd)}")
    name, fixed, form = str(said.get("of", "")), said.get("is"), str(said.get("as", "text"))
    if (fixed is None) == (name not in known) or (fixed is not None and name) or form not in _FORMS:
        raise ValueError(f"a field is a text or one of {sorted(known)}, as one of {sorted(_FORMS)}: {dict(said)}")
    width, fill = int(said.get("width", 0)), str(said.get("fill", " "))
    if (layout == "fixed" and not 0 < width <= 400) or len(fill) != 1 or not fill.isascii():
        raise ValueError(f"a field of a fixed line has a width and is filled with one character: {dict(said)}")
    right = said.get("align", "right" if form in ("yuan", "fen", "number") else "left") == "right"
    return Field(name, None if fixed is None else str(fixed), form, width, fill, right)


def _profile(key: str, said: Mapping[str, Any]) -> Profile:
    layout, back = str(said["layout"]), said["back"]
    if layout not in ("csv", "fixed"):
        raise ValueError(f"{key}: layout {layout}")
    "".encode(said["encoding"])

    def fields(rows: Any, known: frozenset[str]) -> tuple[Field, ...]:
        found = tuple(_field(row, known, layout) for row in rows or ())
        if found and found[0].fixed is None:
            raise ValueError(f"{key}: a line begins with the text that says what it is")
        return found

    head, item, tail = fields(said.get("head"), _HEAD), fields(said["item"], _ITEM | _HEAD), fields(said.get("tail"), _HEAD)
    back_head, back_item, back_tail = fields(back.get("head"), _HEAD | _SUMS), fields(back["item"], _BACK), fields(back.get("tail"), _HEAD | _SUMS)
    codes = {str(code): str(meaning) for code, meaning in said["codes"].items()}
    if not {field.name for field in back_item} >= _ASKED:
        raise ValueError(f"{key}: an answer's details give {sorted(_ASKED)}")
    if "paid" not in codes.values() or (odd := set(codes.values()) - {"paid", *CAUSES}):
        raise ValueError(f"{key}: a code means paid or one of {sorted(CAUSES)}" + (f", not {sorted(odd)}" if "paid" in codes.values() else ""))
    marks = [fields_[0].fixed for fields_ in (back_head, back_item, back_tail) if fields_]
    if len(set(marks)) != len(marks) or (layout == "fixed" and len({len(mark or "") for mark in marks}) != 1):
        raise ValueError(f"{key}: header, detail and trailer begin differently, in texts of one length")
    return Profile(key, str(said["title"]), str(said["title_en"]), layout, str(said["encoding"]), str(said["suffix"]), head, item, tail, back_head, back_item, back_tail, codes)


def read_profiles(text: str) -> dict[str, Profile]:
    """Profiles of a YAML text. ValueError says what is wrong with it."""
    said = yaml.safe_load(text)
    if not isinstance(said, dict):
        raise ValueError("bank profiles: a mapping of names")  # noqa: TRY004 - one error for all that a file can have wrong
    try:
        return {str(key): _profile(str(key), value) for key, value in said.items()}
    except (KeyError, TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"bank profiles: {error!r}") from error


@cache
def _known() -> dict[str, Profile]:
    return read_profiles(resources.files("processes").joinpath("data/bank_profiles.yaml").read_text("utf-8"))


def profiles() -> Mapping[str, Profile]:
    """All that may be chosen: those of the program, and those of the bureau's own file."""
    return _known()


def install(file: Path) -> None:
    """Take a bureau's own profiles (YINGBAO_BANK_PROFILES), at start; one may stand for one of the program's. ValueError, OSError."""
    _known().update(read_profiles(file.read_text("utf-8")))


def profile(key: str) -> Profile:
    """NotFound where there is none."""
    if key not in profiles():
        raise NotFound("没有这种银行文件格式")
    return profiles()[key]


# -- writing


@dataclass(frozen=True, slots=True)
class Payment:
    """One line of what is sent. serial: ours, unique for each item and file; the bank pays it once, however often it is sent."""

    serial: str
    holder: str
    bank: str
    account: str
    amount_fen: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the lines. file: number of the file; pay_on: the day on which the bank is to credit."""

    file: str
    run: str
    kind: str
    payer: str
    payer_account: str
    pay_on: date
    made_on: date


def write(form: Profile, head: Head, payments: Sequence[Payment]) -> bytes:
    """The bytes for the bank: the same for the same payments, whenever they are made. Raises Unwritable, also for a
    payment of nothing and for a serial that stands there twice: a file is whole or is not made."""
    seen: set[str] = set()
    for one in payments:
        if one.serial in seen:
            raise Unwritable("serial", one.serial, "twice in one file")
        if not 0 < one.amount_fen <= LIMIT_FEN:
            raise Unwritable("amount", one.serial, "not an amount to be paid")
        seen.add(one.serial)
    above = _head_values(head) | {"count": len(payments), "total": sum(one.amount_fen for one in payments)}
    lines = [_line(form, form.head, above, "")] if form.head else []
    for number, one in enumerate(payments, start=1):
        values = {**above, "line": number, "serial": one.serial, "holder": one.holder, "bank": one.bank, "account": one.account, "amount": one.amount_fen, "note": one.note}
        lines.append(_line(form, form.item, values, one.serial))
    if form.tail:
        lines.append(_line(form, form.tail, above, ""))
    return b"".join(line + b"\r\n" for line in lines)


def writable(form: Profile, one: Payment) -> str | None:
    """None, or the name of the value that does not fit the bank's form: asked before a list is approved."""
    values = {"line": 1, "serial": one.serial, "holder": one.holder, "bank": one.bank, "account": one.account, "amount": one.amount_fen, "note": one.note}
    for field in form.item:
        if field.name in values:
            try:
                _cell(form, field, values[field.name], one.serial)
            except Unwritable as wrong:
                return wrong.field
    return None


def _head_values(head: Head) -> dict[str, Any]:
    return {"file": head.file, "run": head.run, "kind": head.kind, "payer": head.payer, "payer_account": head.payer_account, "pay_on": head.pay_on, "made_on": head.made_on}


def _line(form: Profile, fields: Sequence[Field], values: Mapping[str, Any], serial: str) -> bytes:
    cells = [_cell(form, field, field.fixed if field.fixed is not None else values[field.name], serial) for field in fields]
    if form.layout == "fixed":
        return b"".join(cells)
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([cell.decode(form.encoding) for cell in cells])
    return out.getvalue().encode(form.encoding)


def _cell(form: Profile, field: Field, value: Any, serial: str) -> bytes:
    text = _shown(field, value)
    if any(not c.isprintable() for c in text):
        raise Unwritable(field.name, serial, "a control character")
    try:
        raw = text.encode(form.encoding)
    except UnicodeEncodeError:
        raise Unwritable(field.name, serial, f"not to be written in {form.encoding}") from None
    if not field.width:
        return raw
    if len(raw) > field.width:  # never cut: a name or an account that is cut is another one
        raise Unwritable(field.name, serial, f"longer than {field.width} bytes")
    fill = field.fill.encode() * (field.width - len(raw))
    return fill + raw if field.right else raw + fill


def _shown(field: Field, value: Any) -> str:
    match field.form:
        case "yuan":
            return yuan(value)
        case "date":
            return f"{value:%Y%m%d}" if value else ""
    return "" if value is None else str(value)


# -- what the bank answers


@dataclass(frozen=True, slots=True)
class Line:
    """One detail of an answer, readable. result: "paid" or one of CAUSES; `reason`: the bank's own words."""

    number: int
    serial: str
    account: str | None  # None: this profile's answers do not repeat it
    amount_fen: int
    result: str
    credited_on: date | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in an answer that was not taken; `number`: its line, from 1. `text`: the line as it came (personal)."""

    number: int
    code: str  # one of FAULTS
    text: str = ""
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as read: the number of the file that it names (None: it has no header), details, and what is wrong."""

    file: str | None
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]
    read: int  # lines of the file, empty ones at its end left out


class _Wrong(Exception):
    def __init__(self, code: str, serial: str | None = None) -> None:
        super().__init__(code)
        self.code, self.serial = code, serial


def read_back(form: Profile, data: bytes) -> Answer:
    """Read an answer. What cannot be read of it is a fault of its line. Raises BadFile where there is nothing to be read at all:
    empty, too large, too many lines, or no single line that looks like this profile."""
    if len(data) > MOST_BYTES:
        raise BadFile("too_large", f"回盘文件太大，最多 {MOST_BYTES // 1024 // 1024} MB", f"The file is too large: at most {MOST_BYTES // 1024 // 1024} MB")
    if data.count(b"\n") > MOST_LINES:
        raise BadFile("too_many_lines", f"回盘文件行数太多，最多 {MOST_LINES} 行", f"The file has too many lines: at most {MOST_LINES}")
    encoding = form.encoding
    if data.startswith(b"\xef\xbb\xbf"):
        data, encoding = data[3:], "utf-8"
    rows = data.replace(b"\r\n", b"\n").split(b"\n")
    while rows and not rows[-1].strip(b" \r\n\t\x1a"):
        rows.pop()
    if not rows:
        raise BadFile("empty", "回盘文件是空的", "The file is empty")
    state = _Reading(form, encoding)
    for number, raw in enumerate(rows, start=1):
        state.take(number, raw)
    return state.done(len(rows))


class _Reading:
    """Goes through an answer from above."""

    def __init__(self, form: Profile, encoding: str) -> None:
        self.form, self.encoding = form, encoding
        self.file: str | None = None
        self.lines: list[Line] = []
        self.faults: list[Fault] = []
        self.details = 0
        self.head = self.tail = False
        self.odd = 0

    def take(self, number: int, raw: bytes) -> None:
        text = raw[:MOST_LINE].decode(self.encoding, "replace")
        try:
            self._kind(number, raw)
        except _Wrong as wrong:
            self.odd += wrong.code == "unknown_kind"
            self.faults.append(Fault(number, wrong.code, text, wrong.serial))

    def _kind(self, number: int, raw: bytes) -> None:
        form = self.form
        if len(raw) > MOST_LINE:
            raise _Wrong("too_long")
        cells = self._cells(raw) if form.layout == "csv" else None
        mark = cells[0] if cells else raw[: len((form.back_item[0].fixed or "").encode(self.encoding))].decode(self.encoding, "replace")
        if self.tail:
            raise _Wrong("after_trailer")
        if form.back_head and mark == form.back_head[0].fixed:
            if self.head or self.details:
                raise _Wrong("unknown_kind")
            self.head = True  # said even where the rest of the line is unreadable
            self.file = str(self._values(form.back_head, raw, cells).get("file") or "") or None
        elif mark == form.back_item[0].fixed:
            self.details += 1
            self.lines.append(self._detail(number, self._values(form.back_item, raw, cells)))
        elif form.back_tail and mark == form.back_tail[0].fixed:
            self.tail = True
            self._sums(number, self._values(form.back_tail, raw, cells))
        else:
            raise _Wrong("unknown_kind")

    def _cells(self, raw: bytes) -> list[str]:
        try:
            found = next(csv.reader([raw.decode(self.encoding)], strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            raise _Wrong("unreadable") from None
        return [cell.strip() for cell in found]

    def _values(self, fields: Sequence[Field], raw: bytes, cells: list[str] | None) -> dict[str, str]:
        if cells is None:
            cells = self._sliced(fields, raw)
        elif len(cells) != len(fields):
            raise _Wrong("truncated" if len(cells) < len(fields) else "too_long")
        return {field.name: cell for field, cell in zip(fields, cells, strict=True) if field.fixed is None}

    def _sliced(self, fields: Sequence[Field], raw: bytes) -> list[str]:
        whole = sum(field.width for field in fields)
        if self.encoding != self.form.encoding:  # saved again as UTF-8: widths are of the profile's own encoding
            try:
                raw = raw.decode(self.encoding).encode(self.form.encoding)
            except UnicodeError:
                raise _Wrong("unreadable") from None
        raw = raw.rstrip(b"\r")
        if len(raw) < whole:  # blanks at the end may have been cut off; anything else may not
            last, short = fields[-1], whole - len(raw)
            if last.fill != " " or last.right or last.name not in ("reason", "note") or short > last.width:
                raise _Wrong("truncated")
            raw += b" " * short
        if raw[whole:].strip():
            raise _Wrong("too_long")
        found, at = [], 0
        for field in fields:
            try:
                cell = raw[at : at + field.width].decode(self.form.encoding)
            except UnicodeDecodeError:
                raise _Wrong("unreadable") from None
            found.append(cell.strip())
            at += field.width
        return found

    def _detail(self, number: int, said: Mapping[str, str]) -> Line:
        serial = said["serial"]
        if not serial:
            raise _Wrong("truncated")
        if not serial.isprintable():  # a NUL among them: no database would keep it
            raise _Wrong("unreadable")
        by_name = {field.name: field for field in self.form.back_item}
        fen = _amount(by_name["amount"], said["amount"])
        if fen is None:
            raise _Wrong("bad_amount", serial)
        if (result := self.form.codes.get(said["status"])) is None:
            raise _Wrong("unknown_code", serial)
        day = _day(said.get("credited_on", ""))
        if (said.get("credited_on") and day is None) or (result == "paid" and "credited_on" in said and day is None):
            raise _Wrong("bad_date", serial)
        return Line(number, serial, said.get("account"), fen, result, day, "".join(c for c in said.get("reason", "") if c.isprintable())[:200])

    def _sums(self, number: int, said: Mapping[str, str]) -> None:
        """The trailer is of the whole: with a line that could not be read it cannot fit, and that line is reported already."""
        if any(fault.code not in ("no_header", "unknown_kind") for fault in self.faults):
            return
        of = {True: [line for line in self.lines if line.result == "paid"], False: [line for line in self.lines if line.result != "paid"]}
        right = {"count": len(self.lines), "total": sum(line.amount_fen for line in self.lines)}
        for paid, name in ((True, "paid"), (False, "back")):
            right |= {f"{name}_count": len(of[paid]), f"{name}_total": sum(line.amount_fen for line in of[paid])}
        by_name = {field.name: field for field in self.form.back_tail}
        for name, text in said.items():
            if name in right and (_amount(by_name[name], text) if name.endswith("total") else _number(text)) != right[name]:
                self.faults.append(Fault(number, "totals_differ"))
                return

    def done(self, read: int) -> Answer:
        if not self.details and not self.head and not self.tail:
            raise BadFile("not_this_profile", "文件中没有一行符合所选的银行格式，请核对格式和文件", "No line of the file fits the chosen format")
        if self.form.back_head and not self.head:
            self.faults.insert(0, Fault(1, "no_header"))
        if self.form.back_tail and not self.tail:
            self.faults.append(Fault(read, "no_trailer"))
        return Answer(self.file, tuple(self.lines), tuple(sorted(self.faults, key=lambda fault: fault.number)), read)


def _amount(field: Field, text: str) -> int | None:
    """Fen, or None. A total may be larger than any single payment."""
    try:
        if field.form == "fen":
            return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
        return parse(text, limit=_TOTAL_LIMIT)
    except BadMoney:
        return None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None


def _day(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent under a serial, and what an earlier answer said of it (None: nothing yet)."""

    account: str
    amount_fen: int
    sent_on: date
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """`taken`: lines that count, each serial once; `repeated`: so many said what was known already; `faults`: all, by line; `back`: lines
    that take back what an earlier answer credited, each serial once."""

    taken: tuple[Line, ...]
    repeated: int
    faults: tuple[Fault, ...]
    back: tuple[Line, ...] = ()


def compare(answer: Answer, sent: Mapping[str, Sent], today: date) -> Compared:
    """Hold an answer against what was sent: serial -> Sent. Amount and account must be those that were sent, the day neither before
    the sending nor to come. A line that repeats an earlier answer changes nothing. One that gives back what was credited takes it back
    (decision 083); one that credits what came back is a fault: it may have been paid again since."""
    said: dict[str, set[tuple[Any, ...]]] = {}
    for line in answer.lines:
        said.setdefault(line.serial, set()).add((line.amount_fen, line.result))
    seen: Counter[str] = Counter()
    taken, back, repeated, faults = [], [], 0, list(answer.faults)
    for line in answer.lines:
        code = _fault_of(line, sent.get(line.serial), said[line.serial], seen[line.serial], today)
        seen[line.serial] += code is None or code == "duplicate"
        if code is not None:
            faults.append(Fault(line.number, code, "", line.serial))
        elif (known := sent[line.serial].result) == "paid" and line.result != "paid":
            back.append(line)
        elif known is not None:
            repeated += 1
        else:
            taken.append(line)
    return Compared(tuple(taken), repeated, tuple(sorted(faults, key=lambda fault: fault.number)), tuple(back))


def _fault_of(line: Line, known: Sent | None, said: set[tuple[Any, ...]], before: int, today: date) -> str | None:
    """The first that is wrong with a line."""
    if known is None:
        return "unknown_item"
    day = line.credited_on
    wrong = {
        "contradictory": len({result for _, result in said}) > 1,
        "wrong_amount": line.amount_fen != known.amount_fen,
        "wrong_account": bool(line.account) and line.account != known.account,
        "bad_date": day is not None and not known.sent_on <= day <= today,
        "duplicate": before > 0,
        "already": known.result not in (None, "paid") and line.result == "paid",
    }
    return next((code for code, so in wrong.items() if so), None)


def write_back(form: Profile, head: Head, lines: Iterable[Line]) -> bytes:
    """An answer as a bank writes it: for the fake bank of the demo and the tests, and for whoever tries a profile out."""
    code = {meaning: code for code, meaning in reversed(list(form.codes.items()))}
    rows = list(lines)
    paid = [line for line in rows if line.result == "paid"]
    back = [line for line in rows if line.result != "paid"]
    sums = {"count": len(rows), "total": sum(line.amount_fen for line in rows)}
    for name, of in (("paid", paid), ("back", back)):
        sums |= {f"{name}_count": len(of), f"{name}_total": sum(line.amount_fen for line in of)}
    above = _head_values(head) | sums
    found = [_line(form, form.back_head, above, "")] if form.back_head else []
    for line in rows:
        values = {"line": line.number, "serial": line.serial, "holder": "", "bank": "", "note": "", "account": line.account, "amount": line.amount_fen,
                  "status": code[line.result], "reason": line.reason, "credited_on": line.credited_on}  # fmt: skip
        found.append(_line(form, form.back_item, values, line.serial))
    if form.back_tail:
        found.append(_line(form, form.back_tail, above, ""))
    return b"".join(line + b"\r\n" for line in found)
