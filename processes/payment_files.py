"""Files to the bank: what goes into the next one, also once more, filled part by part and handed over under its number (decision 069)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from hashlib import sha256

from sqlalchemy import Connection, and_, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.jobs import Handler, Job, Later, plan
from engine.model import Put
from engine.office import Act, Office, Record
from processes import bank_files, payment_accounts, payments, readers
from processes.bank_files import Head, Payment
from processes.bank_port import Bank, BankFailed
from processes.payment_accounts import Account
from processes.payment_tables import (
    payment_file,
    payment_item,
    payment_problem,
    payment_sending,
)
from processes.payments import PROBLEMS, UNPAID, Row, by_id, officer, seen, totals

PAYER = "天津市滨海新区民政局"
_SENDABLE = and_(payment_item.c.live, or_(payment_item.c.state == "listed", payment_item.c.again))


def handlers(office: Office, bank: Bank) -> dict[str, Handler]:
    return {"payment_fill": _filling, "payment_hand_over": _handing_over(office, bank)}


def begin_file(act: Act, run: Row, case_no: str, file_id: int, profile: str, pay_on: str) -> list[Put]:
    """The next file of a run; workers fill it, part by part, and hand it over."""
    seq = run["files"] + 1
    values = {"run_id": run["id"], "no": f"{case_no}-{seq:02d}", "seq": seq, "profile": profile, "state": "making", "pay_on": pay_on, "made_by": act.actor.id,
              "made_on": act.today.isoformat(), "filled_to": 0, "count": 0, "total_fen": 0}  # fmt: skip
    plan(act.conn, "payment_fill", run["id"], f"{seq}.0", act.now, {})
    return [Put("payment_file", file_id, values), Put("payment_run", run["id"], {"status": "paying", "files": seq})]


def _filling(job: Job) -> Callable[[Act], None]:
    seq, after = (int(n) for n in job.key.split("."))
    return lambda act: _fill(act, job.record_id, seq, after)


def _fill(act: Act, run_id: int, seq: int, after: int) -> None:
    record, run = act.open("case", run_id), by_id(act.conn, run_id)
    file = act.conn.execute(select(payment_file).where(payment_file.c.run_id == run_id, payment_file.c.seq == seq)).mappings().one()
    if file["state"] != "making" or file["filled_to"] != after:
        return
    number = act.conn.scalar(select(func.min(payment_item.c.part)).where(payment_item.c.run_id == run_id, payment_item.c.part > after, _SENDABLE))
    if number is None:
        act.append(record, "payment_file_made", {"file": file["no"], "count": file["count"], "total_fen": file["total_fen"]}, puts=[Put("payment_file", file["id"], {"state": "made"})])
        plan(act.conn, "payment_hand_over", run_id, file["no"], act.now, {})
        return
    part = act.open("payment_part", number)
    items = list(act.conn.execute(select(payment_item).where(payment_item.c.part == number, payment_item.c.run_id == run_id, _SENDABLE).order_by(payment_item.c.id)).mappings())
    puts, sent, total = _sendings(act, part, run, file, items)
    act.append(part, "items_sent", {"file": file["no"]}, puts=puts)
    values = {"filled_to": number, "count": file["count"] + sent, "total_fen": file["total_fen"] + total}
    act.append(record, "payment_file_filled", {"file": file["no"], "count": sent, "total_fen": total}, puts=[Put("payment_file", file["id"], values)])
    plan(act.conn, "payment_fill", run_id, f"{seq}.{number}", act.now, {})


def _sendings(act: Act, part: Record, run: Row, file: Row, items: Sequence[Row]) -> tuple[list[Put], int, int]:
    """Puts of a part of a file, how many are sent, and their sum. The first time an item goes to the account that was approved with
    it; again, to the one that counts now."""
    form, puts, total, line = bank_files.profile(file["profile"]), [], 0, file["count"]
    again = payment_accounts.of_households(act.conn, act.keys, {i["household_id"] for i in items if i["again"]}, run["month"])
    for item in items:
        subject = f"household:{item['household_id']}"
        account = again[item["household_id"]] if item["again"] else Account(item["account_id"], item["holder"] or "", item["bank"] or "", act.keys.reveal("payment_item", "account", item["id"], item["account"]))
        serial = f"{file['no']}-{line + 1:06d}"
        payment = Payment(serial, account.holder, account.bank, account.account, item["amount_fen"], _note(run))
        if (wrong := bank_files.writable(form, payment)) is not None or not account.account:
            held = {"state": "held", "again": False}
            puts += [Put("payment_item", item["id"], held), payments.problem_put(part, run["id"], item["id"], "unwritable" if wrong else "no_account")]
            continue
        line, total = line + 1, total + item["amount_fen"]
        values = {"file_id": file["id"], "run_id": run["id"], "item_id": item["id"], "attempt": item["attempts"] + 1, "serial": serial, "line": line,
                  "amount_fen": item["amount_fen"], "holder": account.holder, "bank": account.bank, "account": account.account, "state": "sent"}  # fmt: skip
        puts.append(Put("payment_sending", part.next_id(), values, subject))
        puts.append(Put("payment_item", item["id"], {"state": "sent", "again": False, "attempts": item["attempts"] + 1}))
    return puts, line - file["count"], total


def _note(run: Row) -> str:
    return f"社会救助 {run['month']}"


def file_bytes(conn: Connection, keys: BoundKeys, file: Row) -> bytes:
    """The bytes of a file: the same whenever they are made, for sendings never change what was sent."""
    run, form = by_id(conn, file["run_id"]), bank_files.profile(file["profile"])
    rows = conn.execute(select(payment_sending).where(payment_sending.c.file_id == file["id"]).order_by(payment_sending.c.line)).mappings()
    payments = [Payment(row["serial"], row["holder"] or "", row["bank"] or "", keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], _note(run)) for row in rows]
    head = Head(file["no"], run["case_no"], "monthly", PAYER, "", date.fromisoformat(file["pay_on"]), date.fromisoformat(file["made_on"]))
    return bank_files.write(form, head, payments)


def _handing_over(office: Office, bank: Bank) -> Handler:
    """Gives the file to the bank, outside of any transaction, under its number: when its acknowledgement is lost it is given again, and
    the bank has it once."""

    def handler(job: Job) -> Callable[[Act], None]:
        with office.read() as conn:
            file = file_row(conn, job.key)
            data = file_bytes(conn, office.keys.on(conn), file)
        try:
            if file["count"]:
                bank.send(file["no"], bank_files.profile(file["profile"]).suffix, data)
        except BankFailed as trouble:
            raise Later(None, str(trouble)) from trouble
        digest = office.keys.blind(sha256(data).hexdigest())
        return lambda act: _handed_over(act, job, digest)

    return handler


def _handed_over(act: Act, job: Job, digest: str) -> None:
    record, file = act.open("case", job.record_id), file_row(act.conn, job.key)
    if file["state"] == "made":
        act.append(record, "payment_file_sent", {"file": file["no"], "digest": digest},
                   puts=[Put("payment_file", file["id"], {"state": "sent", "digest": digest, "sent_on": act.today.isoformat()})])  # fmt: skip


def file_row(conn: Connection, no: str) -> Row:
    found = conn.execute(select(payment_file).where(payment_file.c.no == no)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这个银行文件")
    return found


def download(act: Act, no: str, file_no: str, reason: str) -> tuple[str, bytes]:
    """(name, bytes) of a file, for a finance officer who carries it to the bank; noted in his reading log, for names and accounts stand in it."""
    run = seen(act.conn, act.actor, no)
    officer(act, run["scope"])
    file = file_row(act.conn, file_no)
    if file["run_id"] != run["id"] or file["state"] == "making":
        raise NotFound("没有这个银行文件，或还在生成")
    readers.note(act, "payment_file_read", {"case": no, "file": file_no}, reason)
    return f"{file_no}.{bank_files.profile(file['profile']).suffix}", file_bytes(act.conn, act.keys, file)


# -- reissuing


def reissuable(conn: Connection, run: Row) -> list[Row]:
    """Items that were held or came back, with `changed_account`: whether an account confirmed since waits for them."""
    query = select(payment_item).where(payment_item.c.run_id == run["id"], payment_item.c.live, payment_item.c.state.in_(UNPAID)).order_by(payment_item.c.id)
    return list(conn.execute(query).mappings())


def mark_again(act: Act, run: Row, same_account: Collection[int]) -> None:
    """Mark what goes into the next file: items whose account was changed since they were last sent or listed, and those that are sent to
    the same account once more. Raises Invalid where one cannot be."""
    items = reissuable(act.conn, run)
    if odd := set(same_account) - {item["id"] for item in items if item["state"] == "returned" or not _unpayable(act.conn, item["id"])}:
        raise Refused("not-reissuable", f"这些明细不能按原账户重发：{'、'.join(str(n) for n in sorted(odd)[:10])}", f"These items cannot be sent to the same account again: {sorted(odd)[:10]}")
    homes = {item["household_id"] for item in items}
    accounts = payment_accounts.of_households(act.conn, act.keys, homes, run["month"])
    last = _last_accounts(act.conn, act.keys, items)
    for part in sorted({item["part"] for item in items}):
        puts = []
        for item in (i for i in items if i["part"] == part):
            now = accounts[item["household_id"]]
            moved = bool(now.account) and (now.account, payment_accounts.plain(now.holder)) != last[item["id"]]
            again = moved or item["id"] in same_account
            if again != item["again"]:
                puts.append(Put("payment_item", item["id"], {"again": again}))
        if puts:
            act.append(act.open("payment_part", part), "items_marked", puts=puts)


def _unpayable(conn: Connection, item_id: int) -> bool:
    """Whether an item was held for what nobody's word heals."""
    kinds = [kind for kind, (_, _, healed) in PROBLEMS.items() if not healed]
    return conn.scalar(select(payment_problem.c.id).where(payment_problem.c.item_id == item_id, payment_problem.c.kind.in_(kinds)).limit(1)) is not None


def _last_accounts(conn: Connection, keys: BoundKeys, items: Sequence[Row]) -> dict[int, tuple[str, str]]:
    """Item -> (account, holder) to which it was last sent, or with which it was listed."""
    found = {item["id"]: (keys.reveal("payment_item", "account", item["id"], item["account"]) if item["account"] else "", payment_accounts.plain(item["holder"] or "")) for item in items}
    for row in conn.execute(select(payment_sending).where(payment_sending.c.item_id.in_(found)).order_by(payment_sending.c.attempt)).mappings():
        found[row["item_id"]] = (keys.reveal("payment_sending", "account", row["id"], row["account"]), payment_accounts.plain(row["holder"] or ""))
    return found


def marked(conn: Connection, run_id: int) -> int:
    return conn.scalar(select(func.count()).select_from(payment_item).where(payment_item.c.run_id == run_id, payment_item.c.live, payment_item.c.again)) or 0


def refuse_outstanding(conn: Connection, run: Row) -> None:
    """Nothing follows a file before the bank has answered for every line of it: what it did not answer for may have been paid."""
    if conn.scalar(select(payment_file.c.id).where(payment_file.c.run_id == run["id"], payment_file.c.state != "sent").limit(1)):
        raise Conflict("银行文件还没有送出，请稍后再办", "The file is not with the bank yet")
    if n := totals(conn, run["id"])["sent"]:
        raise Refused("outstanding", f"还有 {n} 笔没有回盘，不能补发或结清", f"The bank has not answered for {n} payments yet")
