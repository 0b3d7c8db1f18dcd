"""The account into which a household is paid: as registered with it, or as changed since by two persons, from a month's run on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Data, Put
from engine.office import Act
from engine.queries import Area, Page, within
from processes import benefits, households
from processes.payment_tables import payment_account
from processes.tables import document, household, household_member, person

ASKERS = frozenset({"window_clerk", "reviewer", "civil_affairs_officer", "finance_officer"})
CONFIRMERS = frozenset({"reviewer", "finance_officer"})
STATES = ("proposed", "confirmed", "refused")


@dataclass(frozen=True, slots=True)
class Account:
    """Where a household is paid. id: of the change that said so; 0: as registered."""

    id: int
    holder: str
    bank: str
    account: str


def plain(name: str) -> str:
    """A name as it is compared: banks and forms write it with and without spaces."""
    return "".join(name.split())


# -- which one counts


def of_households(conn: Connection, keys: BoundKeys, ids: Collection[int], month: str) -> dict[int, Account]:
    """The account of each household for a month's run: the last confirmed change that counts by then, else as registered."""
    found: dict[int, Account] = {}
    rows = conn.execute(select(household.c.id, household.c.bank_holder, household.c.bank_account).where(household.c.id.in_(ids)))
    for row in rows:
        found[row.id] = Account(0, row.bank_holder or "", "", keys.reveal("household", "bank_account", row.id, row.bank_account) if row.bank_account else "")
    changes = select(payment_account).where(payment_account.c.household_id.in_(ids), payment_account.c.state == "confirmed", payment_account.c.from_month <= month)
    for change in conn.execute(changes.order_by(payment_account.c.id)).mappings():
        found[change["household_id"]] = Account(change["id"], change["holder"] or "", change["bank"] or "", keys.reveal("payment_account", "account", change["id"], change["account"]))
    return found


def names(conn: Connection, ids: Collection[int]) -> dict[int, set[str]]:
    """Household -> names of its members of now, as they are compared with an account's holder."""
    query = select(household_member.c.household_id, person.c.name).join(person, person.c.id == household_member.c.person_id)
    found: dict[int, set[str]] = {}
    for row in conn.execute(query.where(household_member.c.household_id.in_(ids), household_member.c.to_on.is_(None))):
        found.setdefault(row.household_id, set()).add(plain(row.name or ""))
    return found


# -- changing it: two persons


def propose(act: Act, household_id: int, said: Data) -> dict[str, Any]:
    """Ask for another account, from a run on that is not over. `said` as AccountChange. Refused where the holder is no member."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, house = _opened(act, household_id, ASKERS, "只有本辖区的经办人员可以申请变更账户", "Only the area's staff ask for another account")
    if waiting(act.conn, household_id) is not None:
        raise Conflict("这户已有待复核的账户变更", "A change of this household's account waits already")
    if plain(said["holder"]) not in names(act.conn, [household_id]).get(household_id, ()):
        raise Refused("account-holder", "开户人不是这户的家庭成员，救助金应发放到家庭成员名下的账户", "The account's holder is no member of this household")
    if said["from_month"] > benefits.month_after(act.today) or said["from_month"] < f"{benefits.add_months(act.today.replace(day=1), -12):%Y-%m}":
        raise Invalid({"from_month": ["应为过去十二个月至下个月的发放"]})
    if (paper := said.get("document_id")) is not None and act.conn.scalar(select(document.c.household_id).where(document.c.id == paper)) != household_id:
        raise Invalid({"document_id": ["没有这户的这份材料"]})
    row_id = record.next_id()
    values = {"household_id": household_id, "community": house["community"], **{name: said[name] for name in ("holder", "bank", "account", "reason", "from_month")},
              "document_id": paper, "state": "proposed", "proposed_by": act.actor.id, "proposed_on": act.today.isoformat()}  # fmt: skip
    act.append(record, "account_change_proposed", {"from_month": said["from_month"]}, puts=[Put("payment_account", row_id, values, f"household:{household_id}")])
    told = {"change": row_id, "state": "proposed"}
    act.remember(told)
    return told


def settle(act: Act, change_id: int, said: Data) -> dict[str, Any]:
    """Another person confirms or refuses it. The account as registered stays: runs of earlier months are paid there."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    household_id = _row(act.conn, change_id)["household_id"]
    record, _ = _opened(act, household_id, CONFIRMERS, "只有本辖区的审核人或资金发放岗可以复核账户变更", "Only reviewers and finance officers confirm another account")
    change = _row(act.conn, change_id)
    if change["state"] != "proposed":
        raise Conflict("这项账户变更已经处理", "This change is settled already")
    if change["proposed_by"] in act.actor.persons:
        raise Refused("four-eyes", "申请变更账户的人不能自己复核（双人规则）", "Who asked for the change may not confirm it")
    confirmed, subject = said["outcome"] == "confirm", f"household:{household_id}"
    settled = {"state": "confirmed" if confirmed else "refused", "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    puts = [Put("payment_account", change_id, settled)]
    if confirmed and plain(change["holder"]) not in names(act.conn, [household_id]).get(household_id, ()):
        raise Refused("account-holder", "开户人已不是这户的家庭成员", "The account's holder is no member of this household any more")
    act.append(record, f"account_change_{settled['state']}", {"change": change_id}, personal={subject: {"opinion": said["opinion"]}}, puts=puts)
    told = {"change": change_id, "state": settled["state"]}
    act.remember(told)
    return told


def _opened(act: Act, household_id: int, roles: Collection[str], zh: str, en: str) -> tuple[Any, Mapping[Any, Any]]:
    house = households.row(act.conn, household_id)
    if not act.actor.covers(house["community"]):
        raise NotFound("没有这户家庭")
    post = act.actor.post_over(house["community"], roles)
    if post is None:
        raise Refused("role", zh, en)
    act.through(post)
    households.refuse_relative(act, household_id)
    return act.open("household", household_id), house


# -- looking


def _row(conn: Connection, change_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(payment_account).where(payment_account.c.id == change_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这项账户变更")
    return found


def refuse_stranger(actor: Actor, house: Mapping[Any, Any]) -> None:
    """For who works elsewhere there is no such household."""
    if actor.post_over(house["community"], ASKERS) is None:
        raise NotFound("没有这户家庭")


def seen(conn: Connection, actor: Actor, change_id: int) -> Mapping[Any, Any]:
    """A change in the actor's area; NotFound else."""
    found = _row(conn, change_id)
    if not actor.covers(found["community"]):
        raise NotFound("没有这项账户变更")
    return found


def papers(conn: Connection, household_id: int) -> list[Mapping[Any, Any]]:
    """The household's papers, the newest first: one of them may prove an account."""
    return list(conn.execute(select(document).where(document.c.household_id == household_id).order_by(document.c.id.desc()).limit(50)).mappings())


def waiting(conn: Connection, household_id: int) -> Mapping[Any, Any] | None:
    query = select(payment_account).where(payment_account.c.household_id == household_id, payment_account.c.state == "proposed")
    return conn.execute(query).mappings().one_or_none()


def listed(conn: Connection, area: Area, *, state: str | None = None, household_id: int | None = None, page: int = 1, size: int = 25) -> Page:
    """Changes of an area: those that wait first, then the newest."""
    where = [within(payment_account.c.community, area)]
    if state:
        where.append(payment_account.c.state == state)
    if household_id is not None:
        where.append(payment_account.c.household_id == household_id)
    total = conn.scalar(select(func.count()).select_from(payment_account).where(*where)) or 0
    query = select(payment_account, household.c.no.label("household_no")).join(household, household.c.id == payment_account.c.household_id).where(*where)
    query = query.order_by(payment_account.c.state != "proposed", payment_account.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


_SHOWN = ("id", "household_id", "household_no", "community", "holder", "bank", "from_month", "document_id", "state", "proposed_by", "proposed_on", "settled_by", "settled_on")


def hidden(account: str) -> str:
    """Its last four digits."""
    return f"**** {account[-4:]}" if account else ""


def told(keys: BoundKeys, rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """In JSON: the account itself by its last four digits only."""
    return [{**{name: row[name] for name in _SHOWN}, "account": hidden(keys.reveal("payment_account", "account", row["id"], row["account"])),
             "reason": keys.reveal("payment_account", "reason", row["id"], row["reason"])} for row in rows]  # fmt: skip
