"""What festival payments need to know beyond the benefit: how a dwelling is heated, and another department's list (优抚, domain 1.15)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import Actor, Put
from engine.office import Act, Office
from engine.queries import Page, within
from processes import erasure, festival_list_file, households, identity, readers
from processes.calendar import spring_festival
from processes.festival_batches import MAKERS, areas_of, batched, paged
from processes.festival_tables import festival_heating as heated
from processes.festival_tables import festival_listed as listed_person
from processes.tables import unit

DESCRIBERS = MAKERS | {"investigator", "reviewer"}


def describe(act: Act, household_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """How a household's dwelling is heated in a season; the latest description counts for batches made from then on. `said`: as understood by HeatingIn."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    row = households.row(act.conn, household_id)
    if not readers.of_benefits(act.actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    post = act.actor.post_over(row["community"], DESCRIBERS)
    if post is None:
        raise Refused("festival-maker", "供热情况由街镇经办人员登记", "The street's staff describe the heating")
    act.through(post)
    spring_festival(int(said["year"]), act.office.published)
    erasure.refuse_restricted(act.conn, household_id)
    record = act.open("household", household_id)
    values = {"household_id": household_id, "year": said["year"], "central": said["central"], "area": folded(said["area"]) if said.get("area") else None, "fee_fen": said.get("fee"),
              "three_nos": bool(said.get("three_nos")), "recorded_by": act.actor.id, "recorded_on": act.today.isoformat()}  # fmt: skip
    number = record.next_id()
    act.append(record, "heating_described", {"year": said["year"]}, puts=[Put("festival_heating", number, values, f"household:{household_id}")])
    return _done(act, {"heating": number, "household_id": household_id, "year": said["year"]})


def of_household(conn: Connection, actor: Actor, household_id: int) -> list[dict[str, Any]]:
    """All descriptions of a household's heating, the latest first."""
    row = households.row(conn, household_id)
    if not readers.of_benefits(actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    return [dict(one) for one in conn.execute(select(heated).where(heated.c.household_id == household_id).order_by(heated.c.id.desc())).mappings()]


def take_list(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """Persons of another department's list. What is wrong with one is reported by its place (from 1), and the rest is taken. `said`: as understood by FestivalList.
    Returns {"year", "taken", "refused": [{"row", "zh", "en"}]}."""
    return take(act, int(said["year"]), said["department"], list(enumerate(said["persons"], 1)), [])


def preview(office: Office, actor: Actor, of: int, raw: bytes) -> dict[str, Any]:
    """What each line of a workbook would do, names masked; nothing is taken. Raises Invalid for what is no such list, or no known year.
    Returns {"year", "rows": [{"row", "state" (new, known, error), "name", "community", "zh", "en"}]}."""
    with office.read() as conn:
        keys, year = office.keys.on(conn), spring_festival(of, office.published).year
        good, faults = festival_list_file.read(conn, actor, raw)
        known, places = _known(conn, keys, year, good), _places(conn, good)
    rows = [{"row": one["row"], "state": "error", "name": "", "community": None, "zh": one["zh"], "en": one["en"]} for one in faults]
    for place, one in good:
        number = identity.normalise(one["id_no"])
        why = _wrong(actor, one, number, places, known, keys.blind(number), office)
        known.add(keys.blind(number))
        rows.append({"row": place, "state": "new" if why is None else "known" if why == _HERE else "error", "name": identity.mask_name(one["name"]), "community": one["community"], "zh": why and why[0], "en": why and why[1]})
    return {"year": year, "rows": sorted(rows, key=lambda one: one["row"])}


def error_workbook(office: Office, actor: Actor, of: int, raw: bytes) -> bytes:
    """The lines with errors, to mend and to upload. Raises Invalid as `preview`."""
    return festival_list_file.error_workbook(raw, {row["row"]: row["zh"] for row in preview(office, actor, of, raw)["rows"] if row["state"] == "error"})


def take_file(act: Act, said: Mapping[str, Any], raw: bytes, rows: Collection[int] | None = None) -> dict[str, Any]:
    """The same from a workbook: `row` is the line of the sheet. `said`: as understood by FestivalListFile; `rows`: these lines alone, none: all.
    Raises Invalid for what is no such list, or has no such line."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    good, faults = festival_list_file.read(act.conn, act.actor, raw)
    if rows is not None:
        if unknown := sorted(set(rows) - {n for n, _ in good} - {one["row"] for one in faults}):
            raise Invalid({"rows": [f"名单中没有这些行：{'、'.join(map(str, unknown[:20]))}"]})
        good, faults = [one for one in good if one[0] in rows], [one for one in faults if one["row"] in rows]
    return take(act, int(said["year"]), said["department"], good, faults)


def _known(conn: Connection, keys: BoundKeys, year: int, persons_: Sequence[tuple[int, Mapping[str, Any]]]) -> set[str]:
    """Who of them is on the year's list, as blind indexes."""
    blinds = [keys.blind(identity.normalise(one["id_no"])) for _, one in persons_]
    return {blind for some in batched(blinds, 500) for blind in conn.scalars(select(listed_person.c.id_blind).where(listed_person.c.year == year, listed_person.c.id_blind.in_(some)))}


def _places(conn: Connection, persons_: Sequence[tuple[int, Mapping[str, Any]]]) -> set[str]:
    return set(conn.scalars(select(unit.c.code).where(unit.c.level == "community", unit.c.code.in_({one["community"] for _, one in persons_}))))


def take(act: Act, of: int, department: str, persons_: Sequence[tuple[int, Mapping[str, Any]]], faults: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Persons of a list that is read already: (place, person as ListedPerson), the season `of`, and `faults` of lines that were none. One record `festival_list`,
    entries of 150 persons at most. Returns {"year", "taken", "refused": [{"row", "zh", "en"}]}. Raises Invalid for no known year."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    year = spring_festival(of, act.office.published).year
    numbers = [identity.normalise(one["id_no"]) for _, one in persons_]
    households.hold(act, numbers)
    places, known = _places(act.conn, persons_), _known(act.conn, act.keys, year, persons_)
    taken, refused = [], list(faults)
    for (place, one), number in zip(persons_, numbers, strict=True):
        blind = act.keys.blind(number)
        if (why := _wrong(act.actor, one, number, places, known, blind, act.office)) is not None:
            refused.append({"row": place, "zh": why[0], "en": why[1]})
            continue
        known.add(blind)
        taken.append((one, number, blind))
    if taken:
        record = act.new("festival_list", taken[0][0]["community"][:9])
        puts = []
        for one, number, blind in taken:
            row_id = record.next_id()
            values = {"year": year, "street": one["community"][:9], "community": one["community"], "department": department, "hukou_kind": one["hukou_kind"], "name": one["name"], "id_no": number, "id_blind": blind,
                      "account": folded(one["account"]), "holder": one.get("holder") or None, "entered_by": act.actor.id, "entered_on": act.today.isoformat()}  # fmt: skip
            puts.append(Put("festival_listed", row_id, values, f"listed:{row_id}"))
        for some in batched(puts, 150):  # what an entry holds
            act.append(record, "festival_list_taken", {"year": year, "department": department, "persons": len(some)}, puts=some)
    return _done(act, {"year": year, "taken": len(taken), "refused": sorted(refused, key=lambda one: one["row"])})


_HERE = ("本年度名单中已有此人", "He is on this year's list already")


def _wrong(actor: Actor, one: Mapping[str, Any], number: str, places: set[str], known: set[str], blind: str, office: Office) -> tuple[str, str] | None:
    account = folded(one["account"])
    checks = (
        (one["community"] not in places, ("没有这个居村", "No such community")),
        (actor.post_over(one["community"], MAKERS) is None, ("不在您的辖区", "Not in your area")),
        (not identity.allowed(number, office.production, today=office.today()), ("身份证号不正确", "Not a valid ID number")),
        (bool(one["employed"]), ("有工作单位的由单位发放，不列入本名单", "Who has an employer is paid there")),
        (not (account.isascii() and account.isdecimal() and 12 <= len(account) <= 30), ("银行账号应为 12 至 30 位数字", "The account has 12 to 30 digits")),
        (blind in known, _HERE),
    )
    return next((words for wrong, words in checks if wrong), None)


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


def persons(conn: Connection, keys: BoundKeys, actor: Actor, *, year: int | None = None, page: int = 1, size: int = 25) -> Page:
    """The listed persons of the actor's area, names and accounts masked."""
    where = [within(listed_person.c.street, areas_of(actor)), *([listed_person.c.year == year] if year is not None else [])]
    found = paged(conn, select(listed_person).where(*where).order_by(listed_person.c.id.desc()), page, size)
    rows: list[Mapping[Any, Any]] = [{**{name: row[name] for name in ("id", "year", "street", "community", "department", "hukou_kind", "entered_by", "entered_on")}, "name": identity.mask_name(row["name"]),
             "account": f"****{keys.reveal('festival_listed', 'account', row['id'], row['account'])[-4:]}" if row["account"] else None} for row in found.items]  # fmt: skip
    return Page(rows, found.total, found.page, found.size)
