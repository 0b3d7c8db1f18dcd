"""慰问 and gifts of social forces (M15, domain 1.15): visits with money or goods and where they come from, donations and who received them.

None of it is income of anybody (domain 3.4.2: charity and festival gifts are not counted): nothing here writes an income.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act
from engine.queries import Page, within
from processes import erasure, households, identity, organisation, readers
from processes.festival_batches import paged
from processes.festival_forms import SOURCES
from processes.festival_tables import condolence_visit as visit
from processes.festival_tables import donation
from processes.money import yuan
from processes.tables import household, person, unit

RECORDERS = frozenset({"civil_affairs_officer", "window_clerk", "investigator", "street_leader", "village_committee", "finance_officer"})
READERS = RECORDERS | {"reviewer", "district_examiner", "approver", "supervisor", "auditor"}


def number(donation_id: int) -> str:
    """How pages and forms name a donation: JZ0000123."""
    return f"JZ{donation_id >> 16:07d}"


def receive(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A donation that a unit received. `said`: as understood by DonationIn. Returns {"donation"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    code = str(said["unit"])
    if act.conn.scalar(select(unit.c.id).where(unit.c.code == code)) is None:
        raise Invalid({"unit": ["没有这个单位"]})
    _post(act, code)
    record = act.new("donation", code)
    number, subject = record.next_id(), f"donation:{record.id}"
    values = {"unit": code, "donor": said["donor"], "donor_kind": said["donor_kind"], "received_on": said["received_on"], "cash_fen": said.get("cash") or 0, "goods": said.get("goods") or None, "goods_fen": said.get("goods_value") or 0,
              "purpose": said.get("purpose") or None, "recorded_by": act.actor.id, "recorded_on": act.today.isoformat()}  # fmt: skip
    act.append(record, "donation_received", {"kind": said["donor_kind"], "cash_fen": values["cash_fen"]}, puts=[Put("donation", number, values, subject)])
    return _done(act, {"donation": number})


def pay_visit(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A visit with what was given. Of a donation no more money is given away than came in. `said`: as understood by VisitIn. Returns {"visit"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    household_id, cash = said.get("household_id"), said.get("cash") or 0
    community = _home(act, household_id) if household_id is not None else _place(act, said["community"])
    _post(act, community)
    if said.get("donation_id") is not None:
        _from_gift(act, said["donation_id"], community, said["visited_on"], cash, said.get("goods_value") or 0)
    record = act.new("condolence", community, subject=f"household:{household_id}" if household_id is not None else None)
    number = record.next_id()
    subject = f"household:{household_id}" if household_id is not None else f"condolence:{record.id}"
    values = {"unit": community, "household_id": household_id, "target": said.get("target") or None, "visited_on": said["visited_on"], "visitors": said["visitors"], "cash_fen": cash, "goods": said.get("goods") or None,
              "goods_fen": said.get("goods_value") or 0, "source": said["source"], "donation_id": said.get("donation_id"), "recorded_by": act.actor.id, "recorded_on": act.today.isoformat()}  # fmt: skip
    act.append(record, "condolence_paid", {"source": said["source"], "cash_fen": cash}, puts=[Put("condolence_visit", number, values, subject)])
    return _done(act, {"visit": number})


def _from_gift(act: Act, donation_id: int, community: str, day: str, cash: int, worth: int) -> None:
    row = _gift(act.conn, act.actor, donation_id)
    if not community.startswith(row["unit"]):
        raise Refused("other-unit", "这笔捐赠由另一单位接收", "Another unit received this donation")
    if str(day) < row["received_on"]:
        raise Invalid({"visited_on": ["不能早于捐赠的接收日期"]})
    act.open("donation", donation_id >> 16)  # one after another
    given = act.conn.execute(select(func.sum(visit.c.cash_fen), func.sum(visit.c.goods_fen)).where(visit.c.donation_id == donation_id)).one()
    if cash > row["cash_fen"] - int(given[0] or 0):
        raise Refused("more-than-given", f"超过捐款余额 {yuan(row['cash_fen'] - int(given[0] or 0))} 元", f"More than the {yuan(row['cash_fen'] - int(given[0] or 0))} that are left of the donation")
    if row["goods_fen"] and worth > row["goods_fen"] - int(given[1] or 0):
        raise Refused("more-than-given", f"超过捐赠物品余值 {yuan(row['goods_fen'] - int(given[1] or 0))} 元", f"More than the goods worth {yuan(row['goods_fen'] - int(given[1] or 0))} that are left")


def _post(act: Act, code: str) -> None:
    post = act.actor.post_over(code, RECORDERS)
    if post is None:
        raise Refused("condolence-recorder", "由本辖区的民政、居村和资金岗位人员登记", "The civil affairs staff, committees and finance officers of the area enter this")
    act.through(post)


def _home(act: Act, household_id: int) -> str:
    row = households.row(act.conn, household_id)
    if not readers.of_benefits(act.actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    erasure.refuse_restricted(act.conn, household_id)
    return str(row["community"])


def _place(act: Act, code: str) -> str:
    if act.conn.scalar(select(unit.c.id).where(unit.c.code == code, unit.c.level == "community")) is None:
        raise Invalid({"community": ["没有这个居村"]})
    return code


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


# -- looking


def reads(actor: Actor) -> bool:
    return not actor.roles.isdisjoint(READERS)


def areas_of(actor: Actor) -> tuple[str, ...]:
    return actor.only(actor.roles & READERS).areas


def _gift(conn: Connection, actor: Actor, donation_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(donation).where(donation.c.id == donation_id)).mappings().one_or_none()
    if row is None or not any(row["unit"].startswith(own) or own.startswith(row["unit"]) for own in areas_of(actor)):
        raise NotFound("没有这笔捐赠")
    return row


def visits(conn: Connection, keys: BoundKeys, actor: Actor, *, since: str | None = None, until: str | None = None, unit_code: str | None = None, source: str | None = None, household_id: int | None = None,
           donation_id: int | None = None, page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Visits of the actor's area, the latest first: target in words (masked name of a registered household's applicant)."""
    c = visit.c
    where: list[ColumnElement[bool]] = [within(c.unit, areas_of(actor)), *_between(c.visited_on, since, until), *([within(c.unit, unit_code)] if unit_code else [])]
    where += [column == value for column, value in ((c.source, source), (c.household_id, household_id), (c.donation_id, donation_id)) if value is not None]
    found = paged(conn, select(visit).where(*where).order_by(c.visited_on.desc(), c.id.desc()), page, size)
    homes = _homes(conn, {row["household_id"] for row in found.items if row["household_id"]})
    names = {home: identity.mask_name(row.name) for home, row in homes.items()}
    of = {row.id: row for row in conn.execute(select(donation.c.id, donation.c.donor, donation.c.received_on).where(donation.c.id.in_({row["donation_id"] for row in found.items if row["donation_id"]})))}
    rows: list[Mapping[Any, Any]] = [{**{col.name: row[col.name] for col in c if col.name != "target"}, "target": names.get(row["household_id"]) if row["household_id"] else keys.reveal("condolence_visit", "target", row["id"], row["target"]) if row["target"] else None,
             "household_no": homes[row["household_id"]].no if row["household_id"] in homes else None, **_gift_told(of.get(row["donation_id"]))}
            for row in found.items]  # fmt: skip
    return Page(rows, found.total, found.page, found.size)


def _homes(conn: Connection, ids: Iterable[int]) -> dict[int, Any]:
    """Household -> its number and the applicant's name."""
    query = select(household.c.id, household.c.no, person.c.name).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(list(ids)))
    return {row.id: row for row in conn.execute(query)}


def _gift_told(row: Any) -> dict[str, Any]:
    return {"donation_no": number(row.id), "donor": row.donor, "donation_on": row.received_on} if row is not None else {"donation_no": None, "donor": None, "donation_on": None}


def open_gifts(conn: Connection, actor: Actor) -> list[tuple[str, str]]:
    """Donations of which a visit of the actor's area may still give: (number, in words), the latest first."""
    areas, d = areas_of(actor), donation.c
    mine = or_(within(d.unit, areas), *(d.unit == area[:n] for area in areas for n in (6, 9) if len(area) > n)) if areas else d.id < 0
    given = select(func.coalesce(func.sum(visit.c.cash_fen), 0)).where(visit.c.donation_id == d.id).scalar_subquery()
    rows = conn.execute(select(d.id, d.donor, d.received_on, d.cash_fen, given.label("given")).where(mine).order_by(d.received_on.desc(), d.id.desc()).limit(200))
    return [(number(row.id), f"{row.received_on} {row.donor} {yuan(row.cash_fen - int(row.given))}") for row in rows]


def _between(column: Any, since: str | None, until: str | None) -> list[ColumnElement[bool]]:
    return [*([column >= since] if since else []), *([column <= until] if until else [])]


def gifts(conn: Connection, actor: Actor, *, since: str | None = None, until: str | None = None, unit_code: str | None = None, donor_kind: str | None = None, donation_id: int | None = None, page: int = 1, size: int = 25) -> Page:
    """Donations received in the actor's area, the latest first, with what is left of the money and how many visits gave of them."""
    c = donation.c
    where: list[ColumnElement[bool]] = [within(c.unit, areas_of(actor)), *_between(c.received_on, since, until), *([within(c.unit, unit_code)] if unit_code else [])]
    where += [column == value for column, value in ((c.donor_kind, donor_kind), (c.id, donation_id)) if value is not None]
    found = paged(conn, select(donation).where(*where).order_by(c.received_on.desc(), c.id.desc()), page, size)
    given = {row.donation_id: row for row in conn.execute(select(visit.c.donation_id, func.count().label("n"), func.sum(visit.c.cash_fen).label("fen")).where(visit.c.donation_id.in_([r["id"] for r in found.items])).group_by(visit.c.donation_id))}
    rows: list[Mapping[Any, Any]] = [{**dict(row), "no": number(row["id"]), "recipients": given[row["id"]].n if row["id"] in given else 0, "left_fen": row["cash_fen"] - int(given[row["id"]].fen if row["id"] in given else 0)} for row in found.items]
    return Page(rows, found.total, found.page, found.size)


def sums(conn: Connection, actor: Actor, *, since: str | None = None, until: str | None = None, unit_code: str | None = None) -> dict[str, Any]:
    """Per paying unit and source: {"units": [{unit, source, visits, households, cash_fen, goods_fen}], "donations": [{unit, donations, cash_fen, goods_fen}], and the sums of both}."""
    c, d, street = visit.c, donation.c, func.substr(visit.c.unit, 1, 9)
    mine: list[ColumnElement[bool]] = [within(c.unit, areas_of(actor)), *_between(c.visited_on, since, until), *([within(c.unit, unit_code)] if unit_code else [])]
    query = select(street.label("unit"), c.source, func.count().label("visits"), func.count(c.household_id.distinct()).label("households"), func.sum(c.cash_fen).label("cash_fen"), func.sum(c.goods_fen).label("goods_fen")).where(*mine).group_by(street, c.source)
    order = list(SOURCES)
    units = sorted(({**dict(row), "cash_fen": int(row["cash_fen"]), "goods_fen": int(row["goods_fen"])} for row in conn.execute(query).mappings()), key=lambda row: (row["unit"], order.index(row["source"])))
    theirs: list[ColumnElement[bool]] = [within(d.unit, areas_of(actor)), *_between(d.received_on, since, until), *([within(d.unit, unit_code)] if unit_code else [])]
    gifts_: dict[str, dict[str, Any]] = defaultdict(lambda: {"donations": 0, "cash_fen": 0, "goods_fen": 0})
    for row in conn.execute(select(d.unit, func.count().label("n"), func.sum(d.cash_fen).label("cash"), func.sum(d.goods_fen).label("goods")).where(*theirs).group_by(d.unit)):
        one = gifts_[row.unit[:9]]
        one["donations"], one["cash_fen"], one["goods_fen"] = one["donations"] + row.n, one["cash_fen"] + int(row.cash), one["goods_fen"] + int(row.goods)
    given = [{"unit": code, **one} for code, one in sorted(gifts_.items())]
    return {"units": units, "donations": given, **{name: sum(row[name] for row in units) for name in ("visits", "cash_fen", "goods_fen")},
            "received_fen": sum(row["cash_fen"] for row in given), "received_goods_fen": sum(row["goods_fen"] for row in given)}  # fmt: skip


def named(conn: Connection, codes: Iterable[str]) -> dict[str, str]:
    return {code: organisation.unit_name(conn, code) for code in set(codes)}
