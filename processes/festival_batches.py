"""两节补贴发放 (M15, domain 1.15; S26): batches of a paying unit with frozen items, maker and checker apart, the file to the bank and its answer,
what comes back paid again, and how far each unit is by the last working day before the holiday.

Each kind of money of a season reaches a household or person once: `festival_claim`, unique while live; what is paid for each person claims each of the household's
people too, so that who is counted elsewhere by a later batch (split, merged, moved, supported by himself) is not paid for twice. What cannot be paid yet (no account, heating unknown)
is in the batch as left out, with the cause, and is taken by a later batch (decision 072).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.orm import aliased

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import Actor, Put
from engine.office import Act, Office, Record
from engine.queries import Area, Page, within
from processes import (
    bank_files,
    erasure,
    festival,
    households,
    identity,
    in_benefit,
    law,
    ledger_stays,
    organisation,
    payment_accounts,
    readers,
)
from processes.bank_files import Head, Line, Payment, Sent
from processes.calendar import SpringFestival, next_spring_festival, spring_festival
from processes.festival_forms import CAUSES, day_of
from processes.festival_tables import festival_batch as batch
from processes.festival_tables import festival_claim as claim
from processes.festival_tables import festival_heating as heated
from processes.festival_tables import festival_item as item
from processes.festival_tables import festival_listed as listed_person
from processes.money import yuan
from processes.tables import benefit, household, person, unit

MAKERS = frozenset({"finance_officer", "civil_affairs_officer", "window_clerk"})
CHECKERS = frozenset({"finance_officer", "street_leader", "approver"})
_CHECKERS_ONLY = ("festival-checker", "由街镇分管领导、资金发放岗或审批人复核", "Street leaders, finance officers and approvers check a batch")
READERS = MAKERS | CHECKERS | {"district_examiner", "supervisor", "auditor"}
BATCH_STATES = {"made": ("待复核", "To be checked"), "approved": ("已复核", "Approved"), "refused": ("复核未通过", "Refused")}
ITEM_STATES = {
    "pending": ("待发放", "To be paid"), "sent": ("已送银行", "Sent to the bank"), "credited": ("已到账", "Credited"), "returned": ("退回", "Returned"), "reissued": ("已重发", "Paid again"),
    "proposed": ("重发待复核", "To be paid again: to be checked"), "left_out": ("暂不能发放", "Cannot be paid yet"), "dropped": ("作废", "Dropped"),
    "closing": ("不再发放待复核", "To be closed: to be checked"), "closed": ("不再发放", "Closed, not paid"),
}  # fmt: skip
LEFT_OUT = {"no_account": ("没有银行账户", "No bank account"), "no_heating": ("供热情况未登记", "Heating not described"), "suspended": ("待遇暂停", "Benefit suspended"), "no_amount": ("金额为零", "Nothing to be paid")}
WHY: Mapping[str, tuple[str, str]] = {**CAUSES, **LEFT_OUT}
PROGRESS = {"not_begun": ("未开始", "Not begun"), "under_way": ("发放中", "Under way"), "finished": ("已完成", "Finished"), "finished_late": ("逾期完成", "Finished late"), "overdue": ("逾期未完成", "Not finished in time")}
EARLIEST = 120  # days before the last working day: an earlier cut-off is a typing error
MOST_ROWS = 65_000  # of one batch, items and claims: its record numbers 65,535 rows
_COUNTED = ("pending", "sent", "credited", "returned", "closing", "closed")
_SETTLED = ("credited", "closed")
_CLOSABLE = ("returned", "left_out")
_RANK = {"destitute_dispersed": 0, "dibao": 1, "low_income": 2}  # who brings a household its heating subsidy, where several could
_ROWS = 150  # rows of one entry


def batched(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """In lists of so many: what one statement or one entry takes."""
    listed_ = list(rows)
    for start in range(0, len(listed_), size):
        yield listed_[start : start + size]


# -- making


def make(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A batch of a street's households and listed persons as they were on the cut-off day. `said`: as understood by FestivalBatchIn.
    Returns {"batch", "state", "items", "left_out", "total_fen"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    street, cut_off, festival_, kinds = _asked(act, said)
    post = act.actor.post_over(street, MAKERS)
    if post is None:
        raise Refused("festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人生成批次", "Finance officers, civil affairs officers and clerks of the unit make a batch")
    act.through(post)
    entitled = entitled_on(act.conn, act.keys, street, cut_off, festival_.year)
    payees = [one["payee"] for one in entitled] + [f"household:{one['household_id']}" for one in entitled if one["household_id"]] + [whom for one in entitled for whom in one["people"]]
    taken = _taken(act.conn, festival_.year, payees)
    found = list(_items(entitled, kinds, cut_off, taken, _by_person(act.conn, festival_.year, [one["payee"] for one in entitled if one["people"]])))
    paid = [one for one in found if one["state"] == "pending"]
    if not paid:
        waiting = len(found)
        raise Refused("nothing-due", f"没有可以发放的明细：本次未列入批次的 {waiting} 项缺银行账户或供热情况" if waiting else "没有需要发放的人员：都已在本年度的批次中，或当天没有人享受待遇",
                      f"Nothing to be paid: {waiting} lack an account or a description of their heating" if waiting else "Nobody is left to be paid")  # fmt: skip
    if sum(1 + len(one["claims"]) for one in found) > MOST_ROWS:
        raise Refused("too-many", f"一个批次最多 {MOST_ROWS} 行，请分补贴种类生成", f"At most {MOST_ROWS} rows in a batch: make one for each kind of money")
    record = act.new("festival_batch", street)
    number, total = record.next_id(), sum(one["amount_fen"] for one in paid)
    values = {
        "year": festival_.year, "street": street, "kinds": " ".join(kinds), "cut_off": cut_off.isoformat(), "deadline": festival_.last_workday.isoformat(), "law_digest": law.digest(),
        "items": len(paid), "left_out": len(found) - len(paid), "total_fen": total, "state": "made", "made_by": act.actor.id, "made_on": act.today.isoformat(), "files": 0,
    }  # fmt: skip
    act.append(record, "festival_batch_made", {name: values[name] for name in ("year", "kinds", "cut_off", "items", "total_fen")}, puts=[Put("festival_batch", number, values)])
    for some in batched(found, _ROWS):
        act.append(record, "festival_items_listed", puts=[put for one in some for put in _puts(record, number, festival_.year, street, one)])
    return _done(act, {"batch": number, "state": "made", "items": len(paid), "left_out": len(found) - len(paid), "total_fen": total})


def _asked(act: Act, said: Mapping[str, Any]) -> tuple[str, date, SpringFestival, list[str]]:
    street, cut_off = str(said["street"]), day_of(said["cut_off"])
    if act.conn.scalar(select(unit.c.level).where(unit.c.code == street)) not in ("street", "zone"):
        raise Invalid({"street": ["没有这个街镇或管委会"]})
    found = spring_festival(int(said["year"]), act.office.published)
    first = found.last_workday - timedelta(days=EARLIEST)
    if not first <= cut_off <= found.last_workday:
        raise Invalid({"cut_off": [f"截止日期应在 {first} 至 {found.last_workday} 之间"]})
    return street, cut_off, found, [kind for kind in festival.KINDS if kind in said["kinds"]]


def entitled_on(conn: Connection, keys: BoundKeys, street: Area, cut_off: date, year: int) -> list[dict[str, Any]]:
    """Who is entitled in an area by the state of a day, with what the amounts follow from: payee, grouping, household_id, person_id, listed_id, street, community, hukou_kind, members, people (payees of
    those whom the household's benefit counts), name, holder, account (plain), suspended, heating (None: not described)."""
    rows = in_benefit.on(conn, street, cut_off)
    homes, people, warm = _homes(conn, {row["household_id"] for row in rows}), _names(conn, {row["person_id"] or row["applicant_id"] for row in rows}), _heating(conn, {row["household_id"] for row in rows}, year)
    found, accounts = [], dict[int, payment_accounts.Account]()
    counted = _counted_by(conn, cut_off, {row["benefit_id"] for row in rows if row["person_id"] is None})
    for some in batched(sorted(homes), 500):
        accounts |= payment_accounts.of_households(conn, keys, some, f"{cut_off:%Y-%m}")
    for row in rows:
        home, whom = homes[row["household_id"]], row["person_id"]
        name, at = people.get(whom or row["applicant_id"], ""), accounts.get(row["household_id"])
        found.append({
            "payee": f"person:{whom}" if whom else f"household:{home['id']}", "grouping": row["category"], "household_id": home["id"], "person_id": whom, "listed_id": None,
            "street": row["street"], "community": row["community"], "hukou_kind": home["hukou_kind"], "members": 1 if whom else row["members"], "people": counted.get(row["benefit_id"], []),
            "name": name, "holder": (at and at.holder) or name,
            "account": (at and at.account) or None, "suspended": row["status"] == "suspended", "heating": warm.get(home["id"]),
        })  # fmt: skip
    return found + _listed(conn, keys, street, year)


def _listed(conn: Connection, keys: BoundKeys, street: Area, year: int) -> list[dict[str, Any]]:
    c = listed_person.c
    rows = conn.execute(select(listed_person).where(c.year == year, within(c.street, street)).order_by(c.community, c.id)).mappings()
    return [{"payee": f"listed:{row['id']}", "grouping": "preferential", "household_id": None, "person_id": None, "listed_id": row["id"], "street": row["street"], "community": row["community"],
             "hukou_kind": row["hukou_kind"], "members": 1, "people": [], "name": row["name"], "holder": row["holder"] or row["name"],
             "account": keys.reveal("festival_listed", "account", row["id"], row["account"]) if row["account"] else None, "suspended": False, "heating": None} for row in rows]  # fmt: skip


def _counted_by(conn: Connection, day: date, benefits_: Collection[int]) -> dict[int, list[str]]:
    """Benefit -> the payees of those whom it counted on a day."""
    found: dict[int, list[str]] = defaultdict(list)
    for person_id, stays in sorted(ledger_stays.all_of(conn, day).persons.items()):
        for number in sorted({stay.benefit_id for stay in stays if stay.benefit_id in benefits_ and stay.on(day.isoformat())}):
            found[number].append(f"person:{person_id}")
    return found


def _homes(conn: Connection, ids: set[int]) -> dict[int, Mapping[Any, Any]]:
    h = household.c
    query = select(h.id, h.hukou_kind)
    return {row["id"]: row for some in batched(sorted(ids), 500) for row in conn.execute(query.where(h.id.in_(some))).mappings()}


def _names(conn: Connection, ids: set[int]) -> dict[int, str]:
    return {row.id: row.name for some in batched(sorted(ids), 500) for row in conn.execute(select(person.c.id, person.c.name).where(person.c.id.in_(some)))}


def _heating(conn: Connection, ids: set[int], year: int) -> dict[int, Mapping[Any, Any]]:
    """The latest description of each dwelling's heating in a season."""
    query = select(heated).where(heated.c.year == year).order_by(heated.c.id)
    return {row["household_id"]: row for some in batched(sorted(ids), 500) for row in conn.execute(query.where(heated.c.household_id.in_(some))).mappings()}


def _taken(conn: Connection, year: int, payees: Sequence[str]) -> set[tuple[str, str]]:
    """(kind, payee) of what stands in a batch of the year already."""
    query = select(claim.c.kind, claim.c.payee).where(claim.c.year == year, claim.c.live)
    return {(row.kind, row.payee) for some in batched(sorted(set(payees)), 500) for row in conn.execute(query.where(claim.c.payee.in_(some)))}


def _by_person(conn: Connection, year: int, payees: Sequence[str]) -> set[tuple[str, str]]:
    """(kind, payee) of households in a batch whose people are claimed one by one: who joined one since is not among them. Batches of before decision 086 name no people."""
    other = aliased(claim)
    people = select(other.c.id).where(other.c.item_id == claim.c.item_id, other.c.kind == claim.c.kind, other.c.live, other.c.payee.startswith("person:")).exists()
    query = select(claim.c.kind, claim.c.payee).where(claim.c.year == year, claim.c.live, people)
    return {(row.kind, row.payee) for some in batched(sorted(set(payees)), 500) for row in conn.execute(query.where(claim.c.payee.in_(some)))}


def _bearers(entitled: Sequence[Mapping[str, Any]]) -> set[str]:
    """The payees that bring their household its heating subsidy: one of each household."""
    best: dict[int, Mapping[str, Any]] = {}
    for one in entitled:
        if one["grouping"] in _RANK and (one["household_id"] not in best or _RANK[one["grouping"]] < _RANK[best[one["household_id"]]["grouping"]]):
            best[one["household_id"]] = one
    return {one["payee"] for one in best.values()}


def _items(entitled: Sequence[dict[str, Any]], kinds: Sequence[str], cut_off: date, taken: set[tuple[str, str]], by_person: Collection[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """What each gets, which is then in `taken` too, and what he cannot get yet; who joined a household of `by_person` gets his own: {**entitled, state, cause, lines, claims [(kind, payee, fen)], amount_fen}."""
    bearers = _bearers(entitled)
    for one in entitled:
        wanted = [(kind, f"household:{one['household_id']}" if kind == "heating" else one["payee"]) for kind in kinds if kind != "heating" or one["payee"] in bearers]
        new = {kind: [whom for whom in one["people"] if (kind, whom) not in taken] for kind in kinds if kind != "heating"}
        wanted = [pair for pair in wanted if (pair not in taken or pair in by_person) and not (one["people"] and new.get(pair[0]) == [])]
        lines, causes = dict[str, festival.Line](), dict[str, str]()
        for kind, _ in wanted:
            cause, line = _line(one, kind, cut_off, len(one["people"]) - len(new.get(kind, one["people"])))
            if cause is not None:
                causes[kind] = cause
            if line is not None:
                lines[kind] = line
        if lines:
            claims = [(kind, payee, lines[kind]["amount_fen"]) for kind, payee in wanted if kind in lines and (kind, payee) not in taken] + [(kind, whom, 0) for kind in new if kind in lines for whom in new[kind]]
            taken |= {(kind, payee) for kind, payee, _ in claims}
            yield {**one, "state": "pending", "cause": None, "lines": list(lines.values()), "claims": claims,
                   "amount_fen": sum(line["amount_fen"] for line in lines.values())}  # fmt: skip
        for cause in sorted(set(causes.values())):
            yield {**one, "state": "left_out", "cause": cause, "lines": [], "claims": [(kind, payee, 0) for kind, payee in wanted if causes.get(kind) == cause], "amount_fen": 0}


def _line(one: Mapping[str, Any], kind: str, cut_off: date, elsewhere: int) -> tuple[str | None, festival.Line | None]:
    """(why not, None) or (None, the amount). elsewhere: how many of the household have this money of the season from another batch."""
    if one["suspended"]:
        return "suspended", None
    if not one["account"]:
        return "no_account", None
    warm = one["heating"]
    if kind == "heating":
        if one["grouping"] != "low_income" and warm is None:
            return "no_heating", None
        line = festival.heating(one["grouping"], cut_off, **({} if warm is None else {"three_nos": warm["three_nos"] and one["grouping"] == "dibao", "central": warm["central"], "area": warm["area"], "fee_fen": warm["fee_fen"]}))
    else:
        count = min(one["members"], len(one["people"]) - elsewhere) if elsewhere else one["members"]
        line = festival.lines_for([kind], one["grouping"], one["hukou_kind"], count, cut_off)[0]
        if elsewhere:
            line |= {"zh": f"{line['zh']}（另 {elsewhere} 人本年度已在其他明细发放）", "en": f"{line['en']} ({elsewhere} more have it from another item of the season)"}
    return (None, line) if line["amount_fen"] > 0 else ("no_amount", None)


def _subject(row: Mapping[Any, Any]) -> str:
    return f"household:{row['household_id']}" if row["household_id"] else f"listed:{row['listed_id']}"


def _puts(record: Record, batch_id: int, year: int, street: str, one: Mapping[str, Any]) -> list[Put]:
    number = record.next_id()
    values = {
        "batch_id": batch_id, "year": year, "street": street, **{name: one[name] for name in ("community", "household_id", "person_id", "listed_id", "grouping", "hukou_kind", "members", "name", "holder", "account")},
        "lines": json.dumps(one["lines"], ensure_ascii=False), "amount_fen": one["amount_fen"], "state": one["state"], "cause": one["cause"],
    }  # fmt: skip
    puts = [Put("festival_item", number, values, _subject(one))]
    for kind, payee, amount in one["claims"]:
        puts.append(Put("festival_claim", record.next_id(), {"item_id": number, "batch_id": batch_id, "year": year, "street": street, "kind": kind, "payee": payee, "amount_fen": amount, "live": one["state"] == "pending"}))
    return puts


# -- checking, sending, what the bank answers


def check(act: Act, batch_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A second person agrees to the batch, or refuses it: then nobody of it is claimed any more. `said`: as understood by FestivalVerdict."""
    record, row = _opened(act, batch_id, CHECKERS, *_CHECKERS_ONLY)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if row["state"] != "made":
        raise Conflict("该批次已经复核", "This batch is checked already")
    if row["made_by"] in act.actor.persons:
        raise Refused("own-batch", "批次是您生成的，应由另一人复核", "You made this batch: somebody else checks it")
    agreed = said["outcome"] == "agree"
    values = {"state": "approved" if agreed else "refused", "approved_by": act.actor.id, "approved_on": act.today.isoformat(), "opinion": said.get("opinion") or None}
    act.append(record, "festival_batch_checked", {"outcome": said["outcome"]}, puts=[Put("festival_batch", batch_id, values)])
    if not agreed:
        puts = [Put("festival_item", number, {"state": "dropped"}) for number in act.conn.scalars(select(item.c.id).where(item.c.batch_id == batch_id).order_by(item.c.id))]
        puts += [Put("festival_claim", number, {"live": False}) for number in act.conn.scalars(select(claim.c.id).where(claim.c.batch_id == batch_id, claim.c.live).order_by(claim.c.id))]
        for some in batched(puts, _ROWS):
            act.append(record, "festival_items_dropped", puts=some)
    return _done(act, {"batch": batch_id, "state": values["state"]})


def send(act: Act, batch_id: int, profile: str) -> dict[str, Any]:
    """What waits in an approved batch goes into one file for the bank. Returns {"batch", "file", "items", "total_fen"}; the file: `bank_file`."""
    record, row = _opened(act, batch_id, MAKERS, "festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人送银行", "Finance officers, civil affairs officers and clerks of the unit send a batch")
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    form = _profile(profile)
    if row["state"] != "approved":
        raise Conflict("复核通过的批次才能送银行", "Only an approved batch goes to the bank")
    waiting = list(act.conn.execute(select(item).where(item.c.batch_id == batch_id, item.c.state == "pending").order_by(item.c.id)).mappings())
    if not waiting:
        raise Conflict("该批次没有待发放的明细", "Nothing of this batch waits to be paid")
    bad = next(((one["id"], field) for one in waiting if (field := bank_files.writable(form, _payment(act.keys, one))) is not None), None)
    if bad is not None:
        raise Refused("bank-form", f"明细 {bad[0]} 的{_FIELDS.get(bad[1], bad[1])}不符合银行文件格式", f"Item {bad[0]}: its {bad[1]} does not fit the bank's form")
    number, today, total = row["files"] + 1, act.today.isoformat(), sum(one["amount_fen"] for one in waiting)
    act.append(record, "festival_file_made", {"file": number, "items": len(waiting), "total_fen": total, "profile": form.key}, puts=[Put("festival_batch", batch_id, {"files": number})])
    for some in batched(waiting, _ROWS):
        act.append(record, "festival_items_sent", {"file": number}, puts=[Put("festival_item", one["id"], {"state": "sent", "file_no": number, "sent_on": today}) for one in some])
    return _done(act, {"batch": batch_id, "file": number, "items": len(waiting), "total_fen": total})


_FIELDS = {"holder": "户名", "account": "账号", "amount": "金额", "serial": "编号"}


def _profile(key: str) -> bank_files.Profile:
    if key not in bank_files.profiles():
        raise Invalid({"profile": ["请从所列银行文件格式中选择"]})
    return bank_files.profile(key)


def _serial(item_id: int) -> str:
    return f"F{item_id}"


def _payment(keys: BoundKeys, one: Mapping[Any, Any]) -> Payment:
    return Payment(_serial(one["id"]), one["holder"] or "", "", keys.reveal("festival_item", "account", one["id"], one["account"]) if one["account"] else "", one["amount_fen"], "两节补贴")


def bank_file(act: Act, batch_id: int, number: int, profile: str) -> tuple[str, bytes]:
    """(name, bytes) of a file that was made: the same each time, whoever fetches it is noted."""
    row = seen(act.conn, act.actor, batch_id)
    if act.actor.post_over(row["street"], MAKERS) is None:
        raise Refused("festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人送银行", "Finance officers, civil affairs officers and clerks of the unit send a batch")
    form = _profile(profile)
    rows = list(act.conn.execute(select(item).where(item.c.batch_id == batch_id, item.c.file_no == number).order_by(item.c.id)).mappings())
    if not rows:
        raise NotFound("没有这个银行文件")
    readers.note(act, "festival_list_read", {"batch": batch_id, "file": number})
    payer, sent = organisation.unit_name(act.conn, row["street"]), date.fromisoformat(rows[0]["sent_on"])
    head = Head(f"F{batch_id}-{number}", str(batch_id), "两节补贴", payer, "", sent, sent)
    try:
        data = bank_files.write(form, head, [_payment(act.keys, one) for one in rows])
    except bank_files.Unwritable as error:  # another form than the one it was sent in
        raise Refused("bank-form", f"{_FIELDS.get(error.field, error.field)}不符合银行文件格式", f"{error.field} does not fit the bank's form") from error
    return f"festival-{row['year']}-{row['street']}-{batch_id}-{number}.{form.suffix}", data


_NOT_YOURS = ("festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人登记银行回盘", "Finance officers, civil affairs officers and clerks of the unit enter the bank's answer")
_SPARE = 1000  # lines of an answer that a small batch has no items for: a header, a trailer, what was sent again


def answer(act: Act, batch_id: int, lines: Sequence[Line], faults: Sequence[bank_files.Fault] = (), file: str | None = None) -> dict[str, Any]:
    """What the bank says of items, from a file or by hand: amounts are compared; what is wrong is reported line by line, and the rest counts.
    Returns {"batch", "credited", "returned", "repeated", "faults": [{"line", "item", "code", "zh", "en"}]}."""
    record, row = _opened(act, batch_id, MAKERS, *_NOT_YOURS)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if row["state"] != "approved" or not row["files"]:
        raise Conflict("该批次还没有送银行", "This batch has not gone to the bank yet")
    known = {}
    for one in act.conn.execute(select(item).where(item.c.batch_id == batch_id, item.c.file_no.is_not(None))).mappings():
        result = {"credited": "paid", "sent": None}.get(one["state"], one["cause"] or "other")
        known[_serial(one["id"])] = Sent(act.keys.reveal("festival_item", "account", one["id"], one["account"]), one["amount_fen"], date.fromisoformat(one["sent_on"]), result)
    found = bank_files.compare(bank_files.Answer(file, tuple(lines), tuple(faults), len(lines)), known, act.today)
    puts = [Put("festival_item", int(line.serial[1:]), _answered(line, act.today)) for line in (*found.taken, *found.back)]
    for some in batched(puts, _ROWS):
        act.append(record, "festival_items_answered", {"items": len(some)}, puts=some)
    credited = sum(line.result == "paid" for line in found.taken)
    told = {"batch": batch_id, "credited": credited, "returned": len(found.taken) - credited + len(found.back), "repeated": found.repeated,
            "faults": [{"line": one.number, "item": int(one.serial[1:]) if one.serial and one.serial[1:].isdecimal() and len(one.serial) < 19 else None, "code": one.code,
                        **dict(zip(("zh", "en"), bank_files.FAULTS[one.code], strict=True))} for one in found.faults]}  # fmt: skip
    return _done(act, told)


def _answered(line: Line, today: date) -> dict[str, Any]:
    day = (line.credited_on or today).isoformat()
    if line.result == "paid":
        return {"state": "credited", "credited_on": day}
    return {"state": "returned", "credited_on": None, "returned_on": day, "cause": line.result, "cause_text": line.reason or None}


def by_hand(said: Mapping[str, Any]) -> list[Line]:
    """The lines of FestivalResults as those of a file."""
    return [Line(n, _serial(one["item"]), None, one["amount"], "paid" if one["result"] == "credited" else one["cause"], day_of(one["on"]), one.get("cause_text") or "") for n, one in enumerate(said["results"], 1)]


def read_answer(office: Office, actor: Actor, batch_id: int, data: bytes, profile: str) -> bank_files.Answer:
    """The bank's answer as its file, read outside of any transaction and for nobody but who may enter it. Raises Invalid where it is none of that profile, Refused where
    it is of another batch, or far longer than this one: each line that does not fit is told of."""
    with office.read() as conn:
        row = seen(conn, actor, batch_id)
    if actor.post_over(row["street"], MAKERS) is None:
        raise Refused(*_NOT_YOURS)
    form = _profile(profile)
    if data.count(b"\n") > 2 * row["items"] + _SPARE:
        raise Refused("other-batch", "文件的行数远多于本批次的明细，不是本批次的回盘文件", "The file has far more lines than this batch has items")
    try:
        read = bank_files.read_back(form, data)
    except bank_files.BadFile as error:
        raise Invalid({"file": [error.zh]}) from error
    if read.file and not read.file.startswith(f"F{batch_id}-"):
        raise Refused("other-batch", "这个回盘文件不是本批次的", "This answer is of another batch")
    return read


# -- what came back is paid again


def reissue(act: Act, item_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A returned item is to be paid again, to an account of the household; it waits for a second person. `said`: as understood by FestivalReissue."""
    record, found = _item_opened(act, item_id, MAKERS, "festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人提出重发", "Finance officers, civil affairs officers and clerks of the unit have it paid again")
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if found["state"] != "returned" and not (found["state"] == "closed" and found["file_no"]):  # an heir may turn up
        raise Conflict("只有被退回的明细可以重发", "Only what came back is paid again")
    if act.conn.scalar(select(item.c.id).where(item.c.reissue_of == item_id, item.c.state == "proposed")) is not None:
        raise Conflict("该明细的重发正在等待复核", "It waits to be checked already")
    if found["household_id"]:
        erasure.refuse_restricted(act.conn, found["household_id"])
    account, holder = _account(act, found, said)
    old = act.keys.reveal("festival_item", "account", item_id, found["account"])
    if account == old and holder == found["holder"] and found["cause"] != "other":
        raise Refused("same-account", f"原账户因“{CAUSES[found['cause']][0]}”退回，请填写新账户，或先变更家庭登记的账户", f"It came back from this account ({CAUSES[found['cause']][1]}): give another one, or have the household's changed first")
    number = record.next_id()
    kept = ("batch_id", "year", "street", "community", "household_id", "person_id", "listed_id", "grouping", "hukou_kind", "members", "name", "lines", "amount_fen")
    values = {**{name: found[name] for name in kept}, "holder": holder, "account": account, "state": "proposed", "reissue_of": item_id, "proposed_by": act.actor.id, "reason": said["reason"]}
    act.append(record, "festival_reissue_proposed", {"item": item_id}, puts=[Put("festival_item", number, values, _subject(found))])
    return _done(act, {"item": number, "reissue_of": item_id, "state": "proposed"})


def _account(act: Act, found: Mapping[Any, Any], said: Mapping[str, Any]) -> tuple[str, str]:
    """Account and holder: those given, or the household's as registered now. The holder is a member of the household, or the listed person himself."""
    if said.get("account"):
        account, holder = folded(said["account"]), said["holder"]
        names = {m["name"] for m in households.members_of(act.conn, found["household_id"])} if found["household_id"] else {found["name"]}
        if holder not in names:
            raise Refused("not-theirs", "户名不是该家庭成员，不能发放到这个账户", "The holder is no member of the household")
        return account, holder
    if not found["household_id"]:
        raise Invalid({"account": ["名单人员的重发应填写账号和户名"]})
    at = payment_accounts.of_households(act.conn, act.keys, {found["household_id"]}, f"{act.today:%Y-%m}").get(found["household_id"])
    if at is None or not at.account:
        raise Invalid({"account": ["家庭没有登记银行账户，请填写"]})
    return at.account, at.holder or found["name"]


def agree(act: Act, item_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A second person agrees that a returned item is paid again to that account, or refuses. `said`: as understood by FestivalVerdict."""
    record, found = _item_opened(act, item_id, CHECKERS, *_CHECKERS_ONLY)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _refuse_check(act, found, "proposed", "proposed_by", nothing=("没有等待复核的重发", "Nothing waits to be checked here"), own=("重发是您提出的，应由另一人复核", "You proposed this: somebody else checks it"))
    old, agreed = found["reissue_of"], said["outcome"] == "agree"
    puts = [Put("festival_item", item_id, {"state": "pending" if agreed else "dropped", "agreed_by": act.actor.id, "cause_text": said.get("opinion") or None})]
    if agreed:
        puts.append(Put("festival_item", old, {"state": "reissued"}))
        puts += [Put("festival_claim", number, {"item_id": item_id}) for number in act.conn.scalars(select(claim.c.id).where(claim.c.item_id == old).order_by(claim.c.id))]
    act.append(record, "festival_reissue_checked", {"item": old, "outcome": said["outcome"]}, puts=puts)
    return _done(act, {"item": item_id, "reissue_of": old, "state": puts[0].values["state"]})


# -- what can never be paid is closed


def propose_closing(act: Act, item_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """An item that came back, or could not be paid from the start, can never be paid; it waits for a second person. `said`: as understood by
    FestivalClosing. Returns {"item", "state"}."""
    record, found = _item_opened(act, item_id, MAKERS, "festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人提出不再发放", "Finance officers, civil affairs officers and clerks of the unit propose to close it")
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if found["state"] not in _CLOSABLE:
        raise Conflict("只有退回或暂不能发放的明细可以不再发放", "Only what came back or cannot be paid is closed")
    if act.conn.scalar(select(item.c.id).where(item.c.reissue_of == item_id, item.c.state == "proposed")) is not None:
        raise Conflict("该明细的重发正在等待复核", "It waits to be paid again: that is checked first")
    if found["state"] == "left_out" and not _unclaimed(act.conn, item_id):
        raise Conflict("已由后来的批次发放", "A later batch pays it")
    values = {"state": "closing", "closing": said["cause"], "closing_reason": said["reason"], "closing_by": act.actor.id, "closed_by": None}
    act.append(record, "festival_closing_proposed", {"item": item_id, "cause": said["cause"]}, puts=[Put("festival_item", item_id, values, _subject(found))])
    return _done(act, {"item": item_id, "state": "closing"})


def check_closing(act: Act, item_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A second person agrees that it is never paid: what it stood for is in no later batch, and its money stays with the unit. Or refuses: it is
    what it was. `said`: as understood by FestivalVerdict."""
    record, found = _item_opened(act, item_id, CHECKERS, *_CHECKERS_ONLY)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _refuse_check(act, found, "closing", "closing_by", nothing=("没有等待复核的不再发放", "Nothing waits to be closed here"), own=("不再发放是您提出的，应由另一人复核", "You proposed to close it: somebody else checks it"))
    agreed = said["outcome"] == "agree"
    before = "returned" if found["file_no"] else "left_out"
    puts = [Put("festival_item", item_id, {"state": "closed" if agreed else before, "closed_by": act.actor.id, "closed_on": act.today.isoformat() if agreed else None})]
    if agreed:
        puts += [Put("festival_claim", number, {"live": True}) for number in _unclaimed(act.conn, item_id)]
    personal = {_subject(found): {"opinion": said["opinion"]}} if said.get("opinion") else {}
    act.append(record, "festival_closing_checked", {"item": item_id, "outcome": said["outcome"]}, personal=personal, puts=puts)
    return _done(act, {"item": item_id, "state": puts[0].values["state"]})


def _unclaimed(conn: Connection, item_id: int) -> list[int]:
    """Claims of an item that was left out which no later batch has."""
    later = aliased(claim)
    taken = select(later.c.id).where(later.c.year == claim.c.year, later.c.kind == claim.c.kind, later.c.payee == claim.c.payee, later.c.live).exists()
    return list(conn.scalars(select(claim.c.id).where(claim.c.item_id == item_id, ~claim.c.live, ~taken).order_by(claim.c.id)))


def _item_opened(act: Act, item_id: int, roles: frozenset[str], rule: str, zh: str, en: str) -> tuple[Record, Mapping[Any, Any]]:
    """The item as it stands while its batch is locked, for who may do that to it, and the batch's record."""
    found = _item(act.conn, act.actor, item_id)
    record, _ = _opened(act, found["batch_id"], roles, rule, zh, en)
    return record, _item(act.conn, act.actor, item_id)


def _refuse_check(act: Act, found: Mapping[Any, Any], state: str, by: str, *, nothing: tuple[str, str], own: tuple[str, str]) -> None:
    """Only what waits in that state is checked, and not by who proposed it (column `by`). Raises Conflict (`nothing`), Refused (`own`)."""
    if found["state"] != state:
        raise Conflict(*nothing)
    if found[by] in act.actor.persons:
        raise Refused("own-batch", *own)


def _opened(act: Act, batch_id: int, roles: frozenset[str], rule: str, zh: str, en: str) -> tuple[Record, Mapping[Any, Any]]:
    """The batch, locked, for who may do that to it."""
    row = seen(act.conn, act.actor, batch_id)
    post = act.actor.post_over(row["street"], roles)
    if post is None:
        raise Refused(rule, zh, en)
    act.through(post)
    record = act.open("festival_batch", batch_id >> 16)
    return record, seen(act.conn, act.actor, batch_id)


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


# -- which season is at work

AFTER, AT_MOST = 30, 180  # days after New Year: for the report; until what is not finished gives way to the next season


def season(conn: Connection, areas: Area, today: date, published: int | None = None) -> int:
    """The year of the Spring Festival that a page shows when none is asked for: the one just past while its work goes on (something is not
    finished, or the days of the report are not over), else the coming one; the one just past where nobody knows the coming holidays yet."""
    passed, began = next(((year, day) for year in (today.year, today.year - 1) if (day := _new_year(year, published)) is not None and day <= today), (None, today))
    if passed is None:
        return next_spring_festival(today, published).year
    coming = passed + 1
    known = _new_year(coming, published) is not None
    if conn.scalar(select(batch.c.id).where(batch.c.year == coming, batch.c.state != "refused", within(batch.c.street, areas)).limit(1)) is not None:
        return coming
    over = (today - began).days
    if not known or over <= AFTER:
        return passed
    if conn.scalar(select(batch.c.id).where(batch.c.year == passed, batch.c.state != "refused", within(batch.c.street, areas)).limit(1)) is None:
        return coming
    return passed if over <= AT_MOST and any(row["state"] not in ("finished", "finished_late") for row in progress(conn, areas, passed, today, published)["units"]) else coming


def _new_year(year: int, published: int | None) -> date | None:
    try:
        return spring_festival(year, published).new_year
    except Invalid:
        return None


def seasons(conn: Connection, areas: Area, chosen: int) -> list[int]:
    """The years that one may look at: those with batches, and those around the one chosen; the latest first."""
    return sorted({*conn.scalars(select(batch.c.year).where(within(batch.c.street, areas)).distinct()), chosen - 1, chosen, chosen + 1}, reverse=True)


# -- looking


def reads(actor: Actor) -> bool:
    return not actor.roles.isdisjoint(READERS)


def areas_of(actor: Actor) -> tuple[str, ...]:
    """Where the actor reads batches."""
    return actor.only(actor.roles & READERS).areas


def seen(conn: Connection, actor: Actor, batch_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(batch).where(batch.c.id == batch_id, within(batch.c.street, areas_of(actor)))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这个批次")
    return row


def _item(conn: Connection, actor: Actor, item_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(item).where(item.c.id == item_id, within(item.c.street, areas_of(actor)))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这项明细")
    return row


def listed(conn: Connection, actor: Actor, *, year: int | None = None, street: str | None = None, state: str | None = None, page: int = 1, size: int = 25) -> Page:
    where: list[ColumnElement[bool]] = [within(batch.c.street, areas_of(actor))]
    where += [column == value for column, value in ((batch.c.year, year), (batch.c.street, street), (batch.c.state, state)) if value is not None]
    return paged(conn, select(batch).where(*where).order_by(batch.c.id.desc()), page, size)


def items(conn: Connection, actor: Actor, *, batch_id: int | None = None, item_id: int | None = None, year: int | None = None, street: str | None = None, state: str | None = None, household_id: int | None = None,
          page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Items of the area: those of a batch, or whatever narrows them. What waits for somebody first."""
    where: list[ColumnElement[bool]] = [within(item.c.street, areas_of(actor))]
    pairs = ((item.c.batch_id, batch_id), (item.c.id, item_id), (item.c.year, year), (item.c.street, street), (item.c.state, state), (item.c.household_id, household_id))
    where += [column == value for column, value in pairs if value is not None]
    return paged(conn, select(item).where(*where).order_by(item.c.community, item.c.id), page, size)


def paged(conn: Connection, query: Any, page: int, size: int) -> Page:
    total = conn.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return Page(list(conn.execute(query.limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def told(rows: Iterable[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Batches as shown; `may`: what the actor may do now (check, send, answer)."""
    return [{**{c.name: row[c.name] for c in batch.c}, "kinds": row["kinds"].split(), "may": _may(row, actor)} for row in rows]


def _may(row: Mapping[Any, Any], actor: Actor) -> list[str]:
    makes, checks = (actor.post_over(row["street"], roles) is not None for roles in (MAKERS, CHECKERS))
    found = ["check"] if row["state"] == "made" and checks and row["made_by"] not in actor.persons else []
    if row["state"] == "approved" and makes:
        found += ["send", *(["answer"] if row["files"] else [])]
    return found


def told_items(keys: BoundKeys, rows: Iterable[Mapping[Any, Any]], actor: Actor, *, full: bool = False) -> list[dict[str, Any]]:
    """Items as shown: names masked unless `full`, of the account the last four figures."""
    return [_told_item(keys, row, actor, full=full) for row in rows]


def _told_item(keys: BoundKeys, row: Mapping[Any, Any], actor: Actor, *, full: bool) -> dict[str, Any]:
    account = keys.reveal("festival_item", "account", row["id"], row["account"]) if row["account"] else None
    hide: Callable[[str], str] = str if full else identity.mask_name
    makes, checks = (actor.post_over(row["street"], roles) is not None for roles in (MAKERS, CHECKERS))
    may = _may_item(row, actor, makes=makes, checks=checks)
    plain = ("id", "batch_id", "year", "street", "community", "household_id", "person_id", "listed_id", "grouping", "hukou_kind", "members", "amount_fen", "state", "cause", "cause_text", "file_no", "sent_on", "credited_on",
             "returned_on", "reissue_of", "proposed_by", "reason", "agreed_by", "closing", "closing_reason", "closing_by", "closed_by", "closed_on")  # fmt: skip
    return {**{name: row[name] for name in plain}, "name": hide(row["name"] or ""), "holder": hide(row["holder"] or ""), "account": account and f"****{account[-4:]}", "lines": json.loads(row["lines"]),
            "amount": yuan(row["amount_fen"]), "may": may}  # fmt: skip


def _may_item(row: Mapping[Any, Any], actor: Actor, *, makes: bool, checks: bool) -> list[str]:
    """reissue, close; check (what is paid again), check_closing: by somebody else."""
    found = []
    if makes:
        found += ["reissue"] if row["state"] == "returned" or (row["state"] == "closed" and row["file_no"]) else []
        found += ["close"] if row["state"] in _CLOSABLE else []
    if checks:
        found += ["check"] if row["state"] == "proposed" and row["proposed_by"] not in actor.persons else []
        found += ["check_closing"] if row["state"] == "closing" and row["closing_by"] not in actor.persons else []
    return found


def sheet(act: Act, batch_id: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """发放清单 of a batch, all its items by community with names in full; whoever makes it is noted."""
    row = seen(act.conn, act.actor, batch_id)
    full = act.actor.post_over(row["street"], MAKERS | CHECKERS) is not None
    rows = act.conn.execute(select(item).where(item.c.batch_id == batch_id, item.c.state.not_in(("left_out", "dropped", "proposed"))).order_by(item.c.community, item.c.id)).mappings()
    if full:
        readers.note(act, "festival_list_read", {"batch": batch_id})
    return told([row], act.actor)[0], told_items(act.keys, rows, act.actor, full=full)


def progress(conn: Connection, areas: Area, year: int, today: date, published: int | None = None) -> dict[str, Any]:
    """How far each paying unit of an area is: {"year", "spring_festival", "deadline", "units": [{unit, kinds, missing_kinds, items, credited, sent, pending, returned, closing, closed, left_out, amount_fen, credited_fen, closed_fen, closed_causes {cause: {items, fen}}, share,
    late, state}], "finished": units, and the sums}. `share` of items that are credited, or closed with a cause by two persons (decision 084), per cent, cut off to one place ("100.0" only when all are). A unit is
    finished when each kind of money is credited to everybody whom a batch lists, or closed; after the last working day before the holiday it is overdue, or finished late."""
    found = spring_festival(year, published)
    deadline, counted = found.last_workday.isoformat(), _counted(conn, areas, year, found.last_workday.isoformat())
    kinds, left, causes = _kinds_of(conn, areas, year), _left_out(conn, areas, year), _closed_causes(conn, areas, year)
    units = sorted({*counted, *left, *_streets(conn, areas)})
    rows = [{**_unit_row(code, counted.get(code, {}), kinds.get(code, set()), left.get(code, 0), today.isoformat() > deadline), "closed_causes": causes.get(code, {})} for code in units]
    sums = {name: sum(row[name] for row in rows) for name in ("items", "credited", "closed", "left_out", "amount_fen", "credited_fen", "closed_fen")}
    return {"year": year, "spring_festival": found.new_year.isoformat(), "deadline": deadline, "units": rows, "finished": sum(row["state"] in ("finished", "finished_late") for row in rows),
            **sums, "share": _share(sums["credited"] + sums["closed"], sums["items"] + sums["left_out"])}  # fmt: skip


def _counted(conn: Connection, areas: Area, year: int, deadline: str) -> dict[str, dict[str, Any]]:
    c = item.c
    late = or_(and_(c.state == "credited", c.credited_on > deadline), and_(c.state == "closed", c.closed_on > deadline))
    query = select(c.street, c.state, late.label("late"), func.count().label("n"), func.sum(c.amount_fen).label("fen")).where(c.year == year, within(c.street, areas), c.state.in_(_COUNTED)).group_by(c.street, c.state, late)
    found: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    for row in conn.execute(query):
        one = found[row.street]
        one[row.state] += row.n
        one["amount_fen"] += int(row.fen)
        for state in _SETTLED:
            one[f"{state}_fen"] += int(row.fen) if row.state == state else 0
        one["late"] += row.n if row.late else 0
    return found


def _closed_causes(conn: Connection, areas: Area, year: int) -> dict[str, dict[str, dict[str, int]]]:
    """Unit -> why -> how many items are never paid, and how much stays with it."""
    c = item.c
    query = select(c.street, c.closing, func.count().label("n"), func.sum(c.amount_fen).label("fen")).where(c.year == year, within(c.street, areas), c.state == "closed").group_by(c.street, c.closing)
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for row in conn.execute(query.order_by(c.street, c.closing)):
        found[row.street][row.closing] = {"items": row.n, "fen": int(row.fen)}
    return found


def _kinds_of(conn: Connection, areas: Area, year: int) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in conn.execute(select(claim.c.street, claim.c.kind).where(claim.c.year == year, claim.c.live, within(claim.c.street, areas)).distinct()):
        found[row.street].add(row.kind)
    return found


def _left_out(conn: Connection, areas: Area, year: int) -> dict[str, int]:
    """Payees that a batch could not pay and no later one has."""
    later = aliased(claim)
    taken = select(later.c.id).where(later.c.year == claim.c.year, later.c.kind == claim.c.kind, later.c.payee == claim.c.payee, later.c.live).exists()
    query = select(claim.c.street, func.count(claim.c.payee.distinct()).label("n")).join(item, item.c.id == claim.c.item_id)
    query = query.where(claim.c.year == year, ~claim.c.live, item.c.state == "left_out", within(claim.c.street, areas), ~taken).group_by(claim.c.street)
    return {row.street: row.n for row in conn.execute(query)}


def _streets(conn: Connection, areas: Area) -> list[str]:
    """Units with somebody in benefit."""
    query = select(household.c.street).join(benefit, benefit.c.household_id == household.c.id).where(or_(benefit.c.status == "active", benefit.c.status == "pending_first_payment"), within(household.c.street, areas))
    return list(conn.scalars(query.distinct()))


def _unit_row(code: str, one: Mapping[str, int], kinds: set[str], left: int, over: bool) -> dict[str, Any]:  # noqa: FBT001
    numbers = {name: one.get(name, 0) for name in (*_COUNTED, "late", "amount_fen", "credited_fen", "closed_fen")}
    items_ = sum(numbers[name] for name in _COUNTED)
    missing = [kind for kind in festival.KINDS if kind not in kinds]
    whole = items_ > 0 and not missing and not left and numbers["credited"] + numbers["closed"] == items_
    if whole:
        state = "finished_late" if numbers["late"] else "finished"
    else:
        state = "overdue" if over else "under_way" if items_ or left else "not_begun"
    return {"unit": code, "kinds": [kind for kind in festival.KINDS if kind in kinds], "missing_kinds": missing, "items": items_, **numbers, "left_out": left, "share": _share(numbers["credited"] + numbers["closed"], items_ + left), "state": state}


def _share(part: int, whole: int) -> str | None:
    return f"{part * 1000 // whole // 10}.{part * 1000 // whole % 10}" if whole else None
