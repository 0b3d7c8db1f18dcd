"""What the bank answers: read and compared outside of any transaction, each line written down once; what it takes back of what was credited
is booked, also of a closed run (decisions 069, 083).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.jobs import Job
from engine.model import Actor, Put
from engine.office import Act, Office
from processes import account_book, bank_files
from processes.bank_files import Sent
from processes.payment_tables import (
    payment_file,
    payment_item,
    payment_return,
    payment_return_fault,
    payment_run,
    payment_sending,
)
from processes.payments import MAKERS, NEW_JOBS, Row, files_of, officer, seen

APPLIED = 1000  # lines of an answer that are applied at once; more are applied part by part by jobs


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as read and compared, before anything is written."""

    file: Row
    data: bytes
    found: bank_files.Compared
    lines: int


def read_answer(office: Office, actor: Actor, no: str, file_no: str | None, data: bytes) -> Reading:
    """Read and compare an answer, outside of any transaction. `file_no`: of which file; None: as its header says. Raises Refused."""
    with office.read() as conn:
        run = seen(conn, actor, no)
        if actor.post_over(run["scope"], MAKERS) is None:
            raise Refused("role", "只有资金发放岗可以登记回盘", "Only finance officers enter the bank's answers")
        files = [row for row in files_of(conn, run["id"]) if file_no in (None, row["no"])]
        if not files:
            raise NotFound("没有这个银行文件")
        answer, file = _of_file(files, data, chosen=file_no is not None)
        if file["state"] != "sent":
            raise Conflict("这个文件还没有送出", "This file is not sent yet")
        keys, today, sent = office.keys.on(conn), office.today(), {}
        for row in conn.execute(select(payment_sending).where(payment_sending.c.file_id == file["id"])).mappings():
            sent[row["serial"]] = Sent(keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], date.fromisoformat(file["made_on"]),
                                       {"sent": None, "paid": "paid"}.get(row["state"], row["cause"] or "other"))  # fmt: skip
    return Reading(file, data, bank_files.compare(answer, sent, today), answer.read)


def _of_file(files: Sequence[Row], data: bytes, *, chosen: bool) -> tuple[bank_files.Answer, Row]:
    """The answer, and the file that it is about."""
    wrong: bank_files.BadFile | None = None
    for key in dict.fromkeys(row["profile"] for row in files):
        try:
            answer = bank_files.read_back(bank_files.profile(key), data)
        except bank_files.BadFile as bad:
            wrong = bad
            continue
        named = [row for row in files if row["no"] == answer.file]
        if named:
            return answer, named[0]
        if chosen and answer.file is None:
            return answer, files[0]
        wrong = bank_files.BadFile("other-file", f"回盘文件写明的文件号是 {answer.file or '（无）'}，不是本次发放的文件", f"The answer names the file {answer.file or '(none)'}, which is not one of this run")
    if wrong is None:  # pragma: no cover - there is at least one file
        raise NotFound("没有这个银行文件")
    raise Refused(wrong.code, wrong.zh, wrong.en)


def take_answer(act: Act, no: str, reading: Reading) -> dict[str, Any]:
    """Enter an answer: its lines count, its faults are listed with their line numbers. The same file again changes nothing. What it takes
    back of what was credited is booked, also when the run is closed (decision 083).

    Small ones are applied at once; of large ones each part of the list by a job of its own. The bytes as they came stand, sealed, in
    the run's record."""
    run = seen(act.conn, act.actor, no)
    officer(act, run["scope"])
    record = act.open("case", run["id"])
    digest = act.keys.blind(sha256(reading.data).hexdigest())
    earlier = act.conn.execute(select(payment_return).where(payment_return.c.file_id == reading.file["id"], payment_return.c.digest == digest)).mappings().one_or_none()
    if earlier is not None:
        return returned(act.conn, act.keys, earlier) | {"again": True}
    found, row_id, subject = reading.found, record.next_id(), f"case:{run['id']}"
    values = {"run_id": run["id"], "file_id": reading.file["id"], "digest": digest, "lines": reading.lines, "taken": len(found.taken), "repeated": found.repeated,
              "faults": len(found.faults), "back": len(found.back), "entered_by": act.actor.id, "entered_on": act.today.isoformat()}  # fmt: skip
    puts = [Put("payment_return", row_id, values)]
    for fault in found.faults[:_MOST_FAULTS]:
        said = {"return_id": row_id, "line": fault.number, "code": fault.code, "serial": fault.serial and fault.serial[:60]}
        puts.append(Put("payment_return_fault", record.next_id(), said | ({"text": fault.text[:400]} if fault.text else {}), subject))
    act.append(record, "payment_answered", {"file": reading.file["no"], "digest": digest}, personal={subject: {"answer": reading.data.decode("latin-1")}}, puts=puts)
    _apply(act, reading.file, row_id, found.taken, found.back)
    return returned(act.conn, act.keys, act.conn.execute(select(payment_return).where(payment_return.c.id == row_id)).mappings().one()) | {"again": False}


_MOST_FAULTS = 5000  # are kept as rows; the answer itself is kept whole


def _apply(act: Act, file: Row, return_id: int, lines: Sequence[bank_files.Line], back: Sequence[bank_files.Line]) -> None:
    ids = {row.serial: row.id for row in act.conn.execute(select(payment_sending.c.serial, payment_sending.c.id).where(payment_sending.c.file_id == file["id"]))}
    parts, backs = _by_part(ids, lines), _by_part(ids, back)
    if len(lines) + len(back) <= APPLIED:
        for part in sorted({*parts, *backs}):
            _answered(act, part, return_id, parts.get(part, ()))
            _take_back(act, part, return_id, backs.get(part, ()))
        return

    def sealed(some: Sequence[_Said]) -> list[_Said]:
        return [(n, result, day, base64.b64encode(act.keys.seal_field("payment_sending", "reason", n, reason)).decode() if reason else "") for n, result, day, reason in some]

    rows = [{"kind": "payment_answer", "record_id": part, "key": str(return_id), "due_at": act.now, "state": "ready",
             "data": json.dumps({"lines": sealed(parts.get(part, ())), "back": sealed(backs.get(part, ()))})} for part in sorted({*parts, *backs})]  # fmt: skip
    act.write(NEW_JOBS, rows)


_Said = tuple[int, str, str | None, str]  # sending, result, day, the bank's reason


def _by_part(ids: Mapping[str, int], lines: Sequence[bank_files.Line]) -> dict[int, list[_Said]]:
    parts: dict[int, list[_Said]] = {}
    for line in lines:
        day = line.credited_on.isoformat() if line.credited_on else None
        parts.setdefault(ids[line.serial] >> 16, []).append((ids[line.serial], line.result, day, line.reason if line.result != "paid" else ""))
    return parts


def answering(job: Job) -> Callable[[Act], None]:
    def effect(act: Act) -> None:
        lines, back = ([(n, result, day, act.keys.reveal("payment_sending", "reason", n, base64.b64decode(reason)) if reason else "") for n, result, day, reason in job.data.get(name, ())]
                       for name in ("lines", "back"))  # fmt: skip
        _answered(act, job.record_id, int(job.key), lines)
        _take_back(act, job.record_id, int(job.key), back)

    return effect


def _answered(act: Act, part_id: int, return_id: int, lines: Sequence[_Said]) -> None:
    """Write down what the bank did with some payments of a part: once, whoever says it again."""
    part = act.open("payment_part", part_id)
    query = select(payment_sending, payment_item.c.household_id, payment_item.c.benefit_id, payment_item.c.settlement_id).join(payment_item, payment_item.c.id == payment_sending.c.item_id)
    rows = {row["id"]: row for row in act.conn.execute(query.where(payment_sending.c.id.in_([n for n, _, _, _ in lines]), payment_sending.c.state == "sent")).mappings()}
    puts = []
    for n, result, day, reason in lines:
        if n not in rows:
            continue
        paid = result == "paid"
        values = {"state": "paid" if paid else "returned", "cause": None if paid else result, "credited_on": day if paid else None, "answered_on": act.today.isoformat(), "return_id": return_id}
        puts.append(Put("payment_sending", n, values | ({"reason": reason} if reason else {}), f"household:{rows[n]['household_id']}"))
        puts.append(Put("payment_item", rows[n]["item_id"], {"state": "credited" if paid else "returned", "cause": values["cause"], "credited_on": values["credited_on"]}))
    if puts:
        act.append(part, "items_answered", {"return": return_id}, puts=puts)
    arrears = {(row["benefit_id"], row["settlement_id"]) for n, result, _, _ in lines if result == "paid" and (row := rows.get(n)) and row["settlement_id"]}
    for benefit_id, settlement_id in sorted(arrears):
        account_book.arrears_paid(act, benefit_id, settlement_id)


def _take_back(act: Act, part_id: int, return_id: int, lines: Sequence[_Said]) -> None:
    """收回: the bank takes back what it credited. The sending says so and keeps its day of crediting; the item is open again: in its run while
    that goes on, else for the next one; the books post the reverse. Once, whoever says it again (decision 083)."""
    if not lines:
        return
    part = act.open("payment_part", part_id)
    query = select(payment_sending, payment_item.c.household_id, payment_item.c.benefit_id, payment_item.c.settlement_id, payment_run.c.status.label("run_status"))
    query = query.join(payment_item, payment_item.c.id == payment_sending.c.item_id).join(payment_run, payment_run.c.id == payment_sending.c.run_id)
    rows = {row["id"]: row for row in act.conn.execute(query.where(payment_sending.c.id.in_([n for n, _, _, _ in lines]), payment_sending.c.state == "paid")).mappings()}
    puts, today = [], act.today.isoformat()
    for n, result, _day, reason in lines:
        if n in rows:
            values = {"state": "taken_back", "cause": result, "taken_back_on": today, "back_return_id": return_id} | ({"reason": reason} if reason else {})
            puts.append(Put("payment_sending", n, values, f"household:{rows[n]['household_id']}"))
            puts.append(Put("payment_item", rows[n]["item_id"], {"state": "returned", "cause": result, "credited_on": None} | ({"live": False} if rows[n]["run_status"] == "closed" else {})))
    if puts:
        act.append(part, "items_taken_back", {"return": return_id}, puts=puts)
    for benefit_id in sorted({row["benefit_id"] for row in rows.values()}):
        account_book.taken_back(act, benefit_id, {row["settlement_id"] for row in rows.values() if row["benefit_id"] == benefit_id and row["settlement_id"]})


def returned(conn: Connection, keys: BoundKeys, row: Row) -> dict[str, Any]:
    """An answer with its faults, in JSON. `applied`: lines that are written down by now."""
    applied = conn.scalar(select(func.count()).select_from(payment_sending).where(or_(payment_sending.c.return_id == row["id"], payment_sending.c.back_return_id == row["id"]))) or 0
    faults = [{"line": one["line"], "code": one["code"], "serial": one["serial"], "text": keys.reveal("payment_return_fault", "text", one["id"], one["text"]) if one["text"] else None}
              for one in conn.execute(select(payment_return_fault).where(payment_return_fault.c.return_id == row["id"]).order_by(payment_return_fault.c.line, payment_return_fault.c.id)).mappings()]  # fmt: skip
    file = conn.scalar(select(payment_file.c.no).where(payment_file.c.id == row["file_id"]))
    return {"id": row["id"], "file": file, **{name: row[name] for name in ("lines", "taken", "repeated", "faults", "entered_by", "entered_on")}, "back": row["back"] or 0, "applied": applied, "problems": faults}


def return_told(conn: Connection, keys: BoundKeys, run: Row, return_id: int) -> dict[str, Any]:
    """One answer of a run; NotFound."""
    row = conn.execute(select(payment_return).where(payment_return.c.id == return_id, payment_return.c.run_id == run["id"])).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次回盘")
    return returned(conn, keys, row)
