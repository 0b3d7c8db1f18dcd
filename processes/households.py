"""Households and their people: registering, income and property, authorisations, near relatives, and what may be shown.

A household and each of its persons are records of their own; a person known by ID is used again, never entered twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Boolean, Connection, String, and_, bindparam, cast, exists, func, literal, null, or_, select, union_all

from engine import store, unmanned
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Put
from engine.office import Act, Record
from engine.prepared import Prepared, together
from engine.process import logins
from engine.queries import Area, Page, within
from processes import erasure, identity, law, readers
from processes.money import yuan
from processes.screening_forms import CASE
from processes.tables import (
    authorization,
    benefit,
    benefit_person,
    document,
    household,
    household_member,
    income_item,
    near_relative,
    person,
    property_item,
    staff,
    staff_relative,
    unit,
)

_CURRENT = household_member.c.to_on.is_(None)
_STREETS, _COMMUNITIES = unit.alias("its_street"), unit.alias("its_community")
_HERE: Any = bindparam("household_id")
_BLINDS = (
    select(person.c.id_blind)
    .join(household_member, household_member.c.person_id == person.c.id)
    .where(household_member.c.household_id == _HERE, _CURRENT, person.c.id_blind.is_not(None))
    .scalar_subquery()
)
_RELATIVES = select(staff_relative.c.staff_id).where(staff_relative.c.id_blind.in_(_BLINDS)).scalar_subquery()
_RELATED_STAFF = select(staff.c.login).where(or_(staff.c.person_blind.in_(_BLINDS), staff.c.id.in_(_RELATIVES)))
_STANDS = near_relative.c.revoked_on.is_(None)  # not taken back as a mistake
_DECLARED_STAFF = select(near_relative.c.staff_login).where(near_relative.c.household_id == _HERE, _STANDS)
_MEMBERS = Prepared(
    select(household_member.c.person_id, household_member.c.relation, household_member.c.from_on, household_member.c.excluded_reason, *[c for c in person.c if c.name != "id"])
    .join(person, person.c.id == household_member.c.person_id)
    .where(household_member.c.household_id == _HERE, _CURRENT)
)
_IN_FORCE = and_(authorization.c.person_id == household_member.c.person_id, authorization.c.household_id == household_member.c.household_id,
                 authorization.c.signed_on <= bindparam("on"), authorization.c.valid_until >= bindparam("on"))  # fmt: skip
_SIGNED = Prepared(
    select(household_member.c.person_id, person.c.birth_date, person.c.placeholder, exists().where(_IN_FORCE).label("signed"),
           exists().where(_IN_FORCE, authorization.c.document_id.is_not(None)).label("on_paper"))
    .join(person, person.c.id == household_member.c.person_id)
    .where(household_member.c.household_id == _HERE, _CURRENT)
)
_HOUSE = Prepared(select(household).where(household.c.id == _HERE))
_ITS_KEY = store.subject_key.c.subject == literal("person:", String) + cast(person.c.id, String)
_APPLICANT = Prepared(select(person.c.id, person.c.name, person.c.birth_date, store.subject_key.c.wrapped)
    .join(household, household.c.applicant_id == person.c.id).outerjoin(store.subject_key, _ITS_KEY).where(household.c.id == _HERE))  # fmt: skip
_INCOMES = Prepared(select(income_item).where(income_item.c.household_id == _HERE, income_item.c.valid))
_PROPERTIES = Prepared(select(property_item).where(property_item.c.household_id == _HERE, property_item.c.valid))
# For an assessment, which decisions ask for again: as few journeys as may be.
_COUNTED_MEMBERS = Prepared(_MEMBERS.statement.join(household, household.c.id == household_member.c.household_id).add_columns(
    household.c.hukou_kind, household.c.hardships, household.c.childless))  # fmt: skip
_OWNED = Prepared(union_all(
    select(literal("income").label("what"), income_item.c.id, income_item.c.person_id, income_item.c.kind, income_item.c.amount_fen, income_item.c.source,
           income_item.c.period, income_item.c.month, income_item.c.year, cast(null(), Boolean).label("functional_vehicle"))
    .where(income_item.c.household_id == _HERE, income_item.c.valid),
    select(literal("property"), property_item.c.id, property_item.c.person_id, property_item.c.kind, property_item.c.amount_fen, property_item.c.source,
           cast(null(), income_item.c.period.type), cast(null(), income_item.c.month.type), cast(null(), income_item.c.year.type), property_item.c.functional_vehicle)
    .where(property_item.c.household_id == _HERE, property_item.c.valid),
))  # fmt: skip
_UNNAMED = Prepared(
    select(func.count().label("n")).select_from(household_member).join(person, person.c.id == household_member.c.person_id)
    .where(household_member.c.household_id == _HERE, _CURRENT, person.c.placeholder)
)  # fmt: skip
# The same of many households at once.
_MANY: Any = bindparam("ids", expanding=True)
_MANY_HOUSES = select(household.c.id, household.c.hukou_kind, household.c.hardships, household.c.childless).where(household.c.id.in_(_MANY))
_MANY_MEMBERS = (
    select(household_member.c.household_id, household_member.c.person_id, household_member.c.relation, household_member.c.excluded_reason,
           person.c.birth_date, person.c.sex, person.c.labour_ability, person.c.employment, person.c.full_time_student, person.c.health)
    .join(person, person.c.id == household_member.c.person_id)
    .where(household_member.c.household_id.in_(_MANY), _CURRENT)
)  # fmt: skip
_MANY_INCOMES = select(literal("income").label("what"), income_item).where(income_item.c.household_id.in_(_MANY), income_item.c.valid)
_MANY_PROPERTIES = select(literal("property").label("what"), property_item).where(property_item.c.household_id.in_(_MANY), property_item.c.valid)
_LETTERHEAD = Prepared(
    select(person.c.name.label("applicant"), household.c.hukou_kind, _STREETS.c.name.label("street_name"), _COMMUNITIES.c.name.label("community_name"),
           select(func.count()).select_from(household_member).where(household_member.c.household_id == _HERE, _CURRENT).scalar_subquery().label("size"))
    .select_from(household)
    .join(person, person.c.id == household.c.applicant_id)
    .outerjoin(_STREETS, _STREETS.c.code == household.c.street)
    .outerjoin(_COMMUNITIES, _COMMUNITIES.c.code == household.c.community)
    .where(household.c.id == _HERE)
)  # fmt: skip
_RELATED = Prepared(
    select(or_(exists(select(near_relative.c.id).where(near_relative.c.household_id == _HERE, _STANDS)), exists(_RELATED_STAFF)).label("known"))
)
RECUSED = union_all(_RELATED_STAFF, _DECLARED_STAFF)  # near relatives of a member, found or declared
_HEALTH = ("disability_kind", "disability_grade", "serious_illness", "serious_outpatient_illness")
HEALTH_KINDS = frozenset({"disabled_member", "major_illness"})  # hardships that tell of somebody's health
REVEALABLE = {"household": ("address", "phone", "bank_account", "hardship_cause", "hardships"), "person": ("id_no", "phone", "health", "labour_ability")}


def register(act: Act, data: Mapping[Any, Any], *, production: bool = False) -> int:
    """A new household with its members; `data` as understood by household_forms.HouseholdIn. Returns its id."""
    _area(act, data["community"])
    members = data["members"]
    heads = [m for m in members if m["relation"] == "head"]
    if len(heads) != 1:
        raise Invalid({"members": ["应有且只有一名户主（申请人）"]})
    numbers = [identity.normalise(m["id_no"]) for m in members if m.get("id_no")]
    if len(set(numbers)) != len(numbers):
        raise Invalid({"members": ["同一身份证号不能重复登记"]})
    hold(act, numbers)
    people = [_person(act, m, f"members.{n}", production=production) for n, m in enumerate(members)]
    record = act.new("household", str(data["community"]))
    record.subject = record.changes["subject"] = subject = f"household:{record.id}"
    applicant = people[members.index(heads[0])]
    values = {
        "no": f"H{record.id:07d}",
        "street": data["community"][:9],
        "community": data["community"],
        "applicant_id": applicant,
        "hukou_kind": data["hukou_kind"],
        "near_relative_declared": bool(data.get("near_relative_declared")),
        "review_class": data.get("review_class"),
        **{k: data.get(k) for k in ("address", "phone", "bank_account", "bank_holder", "hardship_cause") if data.get(k)},
        **{k: v for k, v in _hardships(data).items() if v is not None},
    }
    puts = [Put("household", record.id, values, subject)]
    for member, person_id in zip(members, people, strict=True):
        puts.append(_membership(record.next_id(), record.id, person_id, member, act.today, subject))
    act.append(record, "household_registered", {"no": values["no"]}, puts=puts)
    for member, person_id in zip(members, people, strict=True):
        if member.get("income"):
            set_income(act, record.id, person_id, member["income"])
    if data.get("property"):
        set_property(act, record.id, data["property"])
    return record.id


def _hardships(data: Mapping[Any, Any]) -> dict[str, Any]:
    """What a household declares beyond income and property; the kinds are sealed like health, which two of them tell."""
    kinds = sorted(data.get("hardships") or ())
    return {"hardships": json.dumps(kinds) if kinds else None, "childless": data.get("childless")}


def _area(act: Act, community: str) -> None:
    if len(community) < 12 or not act.actor.covers(community):
        raise Refused("unit", "这个居村不在您的辖区", "This community is outside your area")
    act.through(act.actor.post_over(community))


def _membership(row_id: int, household_id: int, person_id: int, member: Mapping[Any, Any], day: date, subject: str) -> Put:
    values = {"household_id": household_id, "person_id": person_id, "relation": member["relation"], "from_on": day.isoformat(),
              "to_on": None, "excluded_reason": member.get("excluded_reason")}  # fmt: skip
    return Put("household_member", row_id, values, subject)


def hold(act: Act, numbers: Iterable[str]) -> None:
    """Nobody else enters a person with one of these IDs until the act ends. SQLite has one writer at a time anyway."""
    if act.conn.dialect.name == "postgresql":
        for lock in sorted(int(act.keys.blind(number)[:15], 16) for number in numbers):
            act.conn.execute(select(func.pg_advisory_xact_lock(lock)))


def known_person(conn: Connection, keys: BoundKeys, number: str) -> int | None:
    """The person with this normalised ID number."""
    found: int | None = conn.scalar(select(person.c.id).where(person.c.id_blind == keys.blind(number)))
    return found


def _good_number(act: Act, number: str, path: str, *, production: bool) -> None:
    if why := identity.problem(number, act.today, production=production):
        raise Invalid({f"{path}.id_no" if path else "id_no": [why]})


def _person(act: Act, data: Mapping[Any, Any], path: str, *, production: bool, joins: int | None = None) -> int:
    """The person's id: found by the blind index of the ID, or entered now. `joins`: the household that is there already."""
    number = identity.normalise(data.get("id_no") or "")
    if number:
        _good_number(act, number, path, production=production)
        known = known_person(act.conn, act.keys, number)
        if known is not None:
            _free(act.conn, known, joins)
            return known
    record = act.new("person", act.unit or "120116")
    record.subject = record.changes["subject"] = subject = f"person:{record.id}"
    values = {k: v for k, v in _values(act, data, number).items() if v is not None}
    act.append(record, "person_registered", puts=[Put("person", record.id, values, subject)])
    return record.id


def _values(act: Act, data: Mapping[Any, Any], number: str) -> dict[str, Any]:
    born = identity.birth_date(number) if number else None
    return {
        "name": data["name"],
        "id_no": number or None,
        "id_blind": act.keys.blind(number) if number else None,
        "birth_date": born.isoformat() if born else data.get("birth_date"),
        "sex": identity.sex(number) if number else data.get("sex"),
        "health": _health(data),
        "phone": data.get("phone"),
        "labour_ability": data.get("labour_ability", "full"),
        "employment": data.get("employment", "none"),
        "full_time_student": bool(data.get("full_time_student")),
        "placeholder": bool(data.get("placeholder")),
    }


def _health(data: Mapping[Any, Any]) -> str | None:
    said = {k: data[k] for k in _HEALTH if data.get(k)}
    return json.dumps(said, ensure_ascii=False) if said else None


def _free(conn: Connection, person_id: int, joins: int | None = None) -> None:
    """A living person is a member of one household, and counted in one benefit, at a time (domain 3.2). A case under way is
    named with its street, for whoever stands at a second window cannot open it (S34)."""
    dead = select(household_member.c.id).where(household_member.c.person_id == person_id, household_member.c.left_reason == "death")
    if conn.scalar(dead.limit(1)):
        raise Refused("deceased", "此人已登记死亡，不能再登记为家庭成员；登记有误的，请先更正", "This person is registered as deceased; if that is wrong, mend it first")
    query = select(household.c.id, household.c.no, unit.c.name).join(household_member, household_member.c.household_id == household.c.id)
    other = conn.execute(query.join(unit, unit.c.code == household.c.street).where(household_member.c.person_id == person_id, _CURRENT)).one_or_none()
    if other:
        row = store.record.c
        case = conn.scalar(select(row.no).where(row.kind == "case", row.process != CASE, row.subject == f"household:{other.id}", row.closed_at.is_(None)).order_by(row.id).limit(1))
        zh, en = (f"，在办个案 {case}", f", case {case}") if case else ("", "")
        raise Refused("one-household", f"此人已登记在{other.name}的家庭 {other.no}{zh}，不能重复登记", f"This person is a member of household {other.no} of {other.name}{en}")
    counted = select(household.c.no).join(benefit, benefit.c.household_id == household.c.id).join(benefit_person, benefit_person.c.benefit_id == benefit.c.id)
    paid = conn.scalar(counted.where(benefit_person.c.person_id == person_id, benefit_person.c.active, household.c.id != (joins or 0)))
    if paid:
        raise Refused("one-benefit", f"此人仍计入家庭 {paid} 的救助待遇，请先办理变更", f"This person is still counted in the benefit of household {paid}")


def add_member(act: Act, household_id: int, data: Mapping[Any, Any], *, production: bool = False) -> int:
    """Who joins a household, with his income; his person id. `data` as household_forms.MemberIn. Raises Invalid for a wrong number and
    for a second head, Refused for who is a member elsewhere or registered as deceased, and for who may not change the household."""
    record = _open(act, household_id)
    if data["relation"] == "head":
        raise Invalid({"relation": ["这户已有户主（申请人），请按与户主的关系填写"]})
    hold(act, [identity.normalise(data["id_no"])] if data.get("id_no") else [])
    person_id = _person(act, data, "", production=production, joins=household_id)
    act.append(record, "member_added", puts=[_membership(record.next_id(), household_id, person_id, data, act.today, f"household:{household_id}")])
    _keep_away(act, record, household_id)
    if data.get("income"):
        set_income(act, household_id, person_id, data["income"])
    return person_id


def _keep_away(act: Act, record: Record, household_id: int) -> None:
    """A member whose number is known now may be a near relative of those who have its cases in hand."""
    if recused_staff(act.conn, household_id):
        unmanned.plan(act, record, subject=f"household:{household_id}")


def end_member(act: Act, household_id: int, person_id: int, on: str, reason: str | None = None) -> None:
    """A member left on a day (ISO text); the head stays as long as the household does."""
    record = _open(act, household_id)
    member = _current(act.conn, household_id, person_id)
    if member["relation"] == "head":
        raise Refused("head-stays", "户主（申请人）不能移出，请先变更申请人", "The head cannot leave the household")
    if not member["from_on"] <= on <= act.today.isoformat():
        raise Invalid({"on": ["离户日期不能早于入户日期，也不能晚于今天"]})
    told, kept_away = {"to_on": on} | ({"left_reason": reason} if reason else {}), recused_staff(act.conn, household_id)
    act.append(record, "member_ended", puts=[Put("household_member", member["id"], told, f"household:{household_id}")])
    if kept_away:  # perhaps for this member's sake
        unmanned.plan(act, record, subject=f"household:{household_id}")


def exclude_member(act: Act, household_id: int, person_id: int, reason: str) -> None:
    """A member stays one, but is not counted any more (domain 3.2): in prison, conscript, missing."""
    record, member = _open(act, household_id), _current(act.conn, household_id, person_id)
    put = Put("household_member", member["id"], {"excluded_reason": reason}, f"household:{household_id}")
    act.append(record, "member_excluded", puts=[put])


DESTITUTE = "destitute"  # why who is supported as destitute is not counted in the household (domain 3.7)


def count_again(act: Act, household_id: int, person_id: int) -> None:
    """Whose support as a destitute person ends is a member like the others again, who may be moved to dibao (N43 art 27). By the benefit's
    own act, so nobody's area is asked for. Nothing where he is gone, or is not counted for another reason."""
    found = next((m for m in members_of(act.conn, household_id) if m["person_id"] == person_id), None)
    if found is None or found["excluded_reason"] != DESTITUTE:
        return
    record, member = act.open("household", household_id), _current(act.conn, household_id, person_id)
    act.append(record, "member_counted", puts=[Put("household_member", member["id"], {"excluded_reason": None}, f"household:{household_id}")])


def change_holder(act: Act, household_id: int, person_id: int) -> None:
    """申请人变更: another member stands for the household. Who was its head is the new one's spouse, or a member like others."""
    record, subject = _open(act, household_id), f"household:{household_id}"
    before = row(act.conn, household_id)["applicant_id"]
    if before == person_id:
        raise Conflict("此人已是申请人", "This member is the holder already")
    new, old = _current(act.conn, household_id, person_id), _current(act.conn, household_id, before)
    relation = "spouse" if new["relation"] == "spouse" else "parent" if new["relation"] == "child" else "other"
    puts = [Put("household", household_id, {"applicant_id": person_id}), Put("household_member", new["id"], {"relation": "head"}, subject),
            Put("household_member", old["id"], {"relation": relation}, subject)]  # fmt: skip
    act.append(record, "holder_changed", {"from": before, "to": person_id}, puts=puts)


def move(act: Act, household_id: int, community: str, address: str | None = None, **data: Any) -> None:
    """The household lives in another community from now on. Whoever takes it over works there, so his area is not asked for
    where it was; `data` is said in the entry."""
    record, before = act.open("household", household_id), row(act.conn, household_id)
    _area(act, community)
    values = {"street": community[:9], "community": community} | ({"address": address} if address else {})
    act.append(record, "household_moved", {"from": before["community"], "to": community, **data},
               puts=[Put("household", household_id, values, f"household:{household_id}")])  # fmt: skip
    record.unit = record.changes["unit"] = community


def set_person(act: Act, household_id: int, person_id: int, data: Mapping[Any, Any]) -> None:
    """What is new about a member: employment, labour ability, study, disability, illness; what is left out stays."""
    _open(act, household_id)
    member = next((m for m in members_of(act.conn, household_id) if m["person_id"] == person_id), None)
    if member is None:
        raise NotFound("这户没有这名成员")
    values = {k: data[k] for k in ("labour_ability", "employment", "full_time_student") if data.get(k) is not None}
    if any(data.get(k) for k in _HEALTH):
        known = json.loads(act.keys.reveal("person", "health", person_id, member["health"]) or "{}")
        values["health"] = _health({**known, **{k: data[k] for k in _HEALTH if data.get(k)}})
    if values:
        act.append(act.open("person", person_id), "person_changed", puts=[Put("person", person_id, values, f"person:{person_id}")])


def _current(conn: Connection, household_id: int, person_id: int) -> Mapping[Any, Any]:
    where = and_(household_member.c.household_id == household_id, household_member.c.person_id == person_id, _CURRENT)
    found = conn.execute(select(household_member).where(where)).mappings().one_or_none()
    if found is None:
        raise NotFound("这户没有这名成员")
    return found


def name_member(act: Act, household_id: int, person_id: int, data: Mapping[Any, Any], *, production: bool = False) -> None:
    """A placeholder, counted in an imported list, gets his name and ID at the first visit. `data` as household_forms.MemberIn. Raises
    Invalid for a wrong number and a second head, Conflict for who is named, or registered, already."""
    _open(act, household_id)
    member = _current(act.conn, household_id, person_id)
    if not act.conn.scalar(select(person.c.placeholder).where(person.c.id == person_id)):
        raise Conflict("这名成员已经登记过姓名", "This member is named already")
    if (data["relation"] == "head") != (member["relation"] == "head"):
        raise Invalid({"relation": ["待登记的是户主（申请人），关系请填户主" if member["relation"] == "head" else "这户已有户主（申请人），请按与户主的关系填写"]})
    number = identity.normalise(data["id_no"])
    _good_number(act, number, "", production=production)
    hold(act, [number])
    if known_person(act.conn, act.keys, number) is not None:
        raise Conflict("此人已登记，请先将待登记成员移出，再增加成员", "This person is known already: end the placeholder and add the person")
    refuse_second_benefit(act.conn, act.keys.blind(number))
    subject = f"person:{person_id}"
    values = {k: v for k, v in _values(act, data, number).items() if v is not None}
    act.append(act.open("person", person_id), "person_named", puts=[Put("person", person_id, values, subject)])
    told = {"relation": data["relation"], "excluded_reason": data.get("excluded_reason")}
    record = act.open("household", household_id)
    act.append(record, "member_named", puts=[Put("household_member", member["id"], told, f"household:{household_id}")])
    _keep_away(act, record, household_id)
    for counted in act.conn.execute(select(benefit_person).where(benefit_person.c.person_id == person_id, benefit_person.c.active)).mappings():
        put = Put("benefit_person", counted["id"], {"id_blind": act.keys.blind(number)}, subject)
        act.append(act.open("benefit", counted["benefit_id"] // 65536), "member_named", puts=[put])
    if data.get("income"):
        set_income(act, household_id, person_id, data["income"])


def set_income(act: Act, household_id: int, person_id: int, items: Sequence[Mapping[Any, Any]], source: str = "declared") -> None:
    """Replace a member's income items of one source. items: kind, amount_fen, period, month?, year?"""
    record = _open(act, household_id)
    if person_id not in {m["person_id"] for m in members_of(act.conn, household_id)}:
        raise NotFound("这户没有这名成员")
    where = and_(income_item.c.household_id == household_id, income_item.c.person_id == person_id, income_item.c.source == source, income_item.c.valid)
    puts = [Put("income_item", n, {"valid": False}) for n in act.conn.scalars(select(income_item.c.id).where(where))]
    for item in items:
        values = {"household_id": household_id, "person_id": person_id, "kind": item["kind"], "amount_fen": item["amount_fen"],
                  "period": item.get("period", "month"), "month": item.get("month"), "year": item.get("year"), "source": source,
                  "valid": True}  # fmt: skip
        puts.append(Put("income_item", record.next_id(), values, f"household:{household_id}"))
    act.append(record, "income_declared" if source == "declared" else "income_found", {"person": person_id}, puts=puts)


def set_property(act: Act, household_id: int, items: Sequence[Mapping[Any, Any]], source: str = "declared") -> None:
    """Replace what a household owns by one `source` ("declared" by it, "checked" by the investigation); amounts in whole fen, None: not known. Raises NotFound for a person who is no member."""
    record = _open(act, household_id)
    members = {None, *(m["person_id"] for m in members_of(act.conn, household_id))}
    if any(item.get("person_id") not in members for item in items):
        raise NotFound("这户没有这名成员")
    where = and_(property_item.c.household_id == household_id, property_item.c.source == source, property_item.c.valid)
    puts = [Put("property_item", n, {"valid": False}) for n in act.conn.scalars(select(property_item.c.id).where(where))]
    for item in items:
        values = {"household_id": household_id, "person_id": item.get("person_id"), "kind": item["kind"], "amount_fen": item.get("amount_fen"),
                  "functional_vehicle": bool(item.get("functional_vehicle")), "source": source, "valid": True}  # fmt: skip
        puts.append(Put("property_item", record.next_id(), values, f"household:{household_id}"))
    act.append(record, "property_declared" if source == "declared" else "property_found", puts=puts)


def drop_findings(act: Act, household_id: int) -> None:
    """What earlier checks found counts no longer: a later report says that the declaration is right. Nothing is written where there is nothing."""
    people = {m["person_id"] for m in members_of(act.conn, household_id)}
    found = [row["person_id"] for row in _INCOMES.rows(act.conn, {"household_id": household_id}) if row["source"] == "checked"]
    for person_id in sorted(people.intersection(found)):
        set_income(act, household_id, person_id, [], source="checked")
    if any(row["source"] == "checked" for row in _PROPERTIES.rows(act.conn, {"household_id": household_id})):
        set_property(act, household_id, [], source="checked")


def set_hardships(act: Act, household_id: int, data: Mapping[Any, Any]) -> None:
    """Replace the hardships that a household declares; `data` as household_forms.HardshipsIn. What is left out is unknown."""
    record = _open(act, household_id)
    act.append(record, "hardships_declared", puts=[Put("household", household_id, _hardships(data), f"household:{household_id}")])


def declare_near_relative(act: Act, household_id: int, data: Mapping[Any, Any]) -> None:
    """The applicant's statement that a member is a near relative of staff (N220 art 14)."""
    record = _open(act, household_id)
    if data["relation"] not in law.near_relations(act.today):
        raise Invalid({"relation": ["没有这种近亲属关系"]})
    login = data.get("staff_login")
    if login and act.conn.scalar(select(staff.c.id).where(staff.c.login == login)) is None:
        raise Invalid({"staff_login": [f"没有这位工作人员：{login}"]})
    subject = f"household:{household_id}"
    values = {"household_id": household_id, "staff_login": data.get("staff_login"), "staff_name": data["staff_name"],
              "position": data.get("position"), "relation": data["relation"]}  # fmt: skip
    puts = [Put("near_relative", record.next_id(), values, subject), Put("household", household_id, {"near_relative_declared": True})]
    act.append(record, "near_relative_declared", puts=puts)
    if login:
        unmanned.plan(act, record, subject=subject)


def register_near_relative(act: Act, household_id: int, data: Mapping[Any, Any]) -> None:
    """The street's single registration (单独登记, N220 art 14); whom the household declared already is not entered twice."""
    login = data.get("staff_login")
    known = and_(near_relative.c.household_id == household_id, near_relative.c.staff_login == login, near_relative.c.relation == data["relation"], _STANDS)
    if login and act.conn.scalar(select(near_relative.c.id).where(known)) is not None:
        return
    name = data.get("staff_name") or act.conn.scalar(select(staff.c.name).where(staff.c.login == login)) or ""
    declare_near_relative(act, household_id, {**data, "staff_name": name})


def authorise(act: Act, household_id: int, person_id: int, signed_on: str, valid_until: str, document_id: int | None = None) -> None:
    """A member's authorisation of the means check (N220 art 12). In real cases the page that he signed is named. Raises NotFound for who is
    no member, Invalid for wrong days, for a page that the household has not, and for who is only counted: a page names who signs it."""
    record = _open(act, household_id)
    member = next((m for m in members_of(act.conn, household_id) if m["person_id"] == person_id), None)
    if member is None:
        raise NotFound("这户没有这名成员")
    if member["placeholder"]:
        raise Invalid({"person_id": ["这名成员还没有登记姓名和身份证号，请先补登"]})
    if signed_on > act.today.isoformat() or valid_until < signed_on:
        raise Invalid({"signed_on": ["签署日期不能晚于今天，有效期不能早于签署日期"]})
    if document_id is None and act.office.production:
        raise Invalid({"document_id": ["请附本人签字的授权书扫描件（民发〔2012〕220号第十二条）"]})
    where = and_(document.c.id == document_id, document.c.household_id == household_id)
    if document_id is not None and act.conn.scalar(select(document.c.id).where(where)) is None:
        raise Invalid({"document_id": ["这户没有这份材料"]})
    values = {"household_id": household_id, "person_id": person_id, "signed_on": signed_on, "valid_until": valid_until, "document_id": document_id}
    act.append(record, "check_authorised", {"person": person_id}, puts=[Put("authorization", record.next_id(), values)])


def _open(act: Act, household_id: int) -> Any:
    record = act.open("household", household_id)
    if not readers.of_cases(act.actor).covers(record.unit):
        raise NotFound("没有这户家庭")
    erasure.refuse_restricted(act.conn, household_id)
    act.through(act.actor.post_over(record.unit))
    return record


# -- reading


def row(conn: Connection, household_id: int) -> Mapping[Any, Any]:
    found = _HOUSE.row(conn, {"household_id": household_id})
    if found is None:
        raise NotFound("没有这户家庭")
    return found


def members_of(conn: Connection, household_id: int) -> list[Mapping[Any, Any]]:
    """Current members, head first: membership columns and the person's (sealed ones still sealed)."""
    return _head_first(_MEMBERS.rows(conn, {"household_id": household_id}))


def _head_first(members: Iterable[Mapping[Any, Any]]) -> list[Mapping[Any, Any]]:
    return sorted(members, key=lambda m: (m["relation"] != "head", m["person_id"]))


def _adult(member: Mapping[Any, Any], on: date) -> bool:
    born = member["birth_date"]
    if not born:
        return not member["placeholder"]
    day = date.fromisoformat(born)
    return on.year - day.year - ((on.month, on.day) < (day.month, day.day)) >= 18


def missing_authorisations(conn: Connection, household_id: int, on: date, *, production: bool = False) -> list[int]:
    """Adult members without an authorisation in force (N220 art 12). In `production` one counts only with its signed page."""
    rows = _SIGNED.rows(conn, {"household_id": household_id, "on": on.isoformat()})
    return sorted(m["person_id"] for m in rows if not m["on_paper" if production else "signed"] and _adult(m, on))


def unnamed(conn: Connection, household_id: int) -> int:
    """How many members are only counted: without name and ID number nobody authorises, and no registry is asked."""
    return int(_UNNAMED.rows(conn, {"household_id": household_id})[0]["n"])


def _in_force(conn: Connection, household_id: int, on: date) -> dict[int, int]:
    """person id -> number of the newest authorisation in force on the day."""
    day = on.isoformat()
    where = and_(authorization.c.household_id == household_id, authorization.c.signed_on <= day, authorization.c.valid_until >= day)
    query = select(authorization.c.person_id, authorization.c.id).where(where).order_by(authorization.c.id)
    return {row.person_id: row.id for row in conn.execute(query)}


def anybody_signed(conn: Connection, household_id: int, on: date) -> bool:
    """Whether any authorisation of the household is in force: a guardian's, registered with the minor, where no adult lives there."""
    return bool(_in_force(conn, household_id, on))


def near_relative_known(conn: Connection, household_id: int) -> bool:
    """Whether a near relative of staff or committee members is registered or found by the cross match."""
    return bool(_RELATED.rows(conn, {"household_id": household_id})[0]["known"])


def recused_staff(conn: Connection, household_id: int) -> frozenset[str]:
    """Logins of everybody who is a near relative of a member, found or declared."""
    return logins(conn, RECUSED, {"household_id": household_id})


def refuse_relative(act: Act, household_id: int) -> None:
    """Recusal outside tasks (domain 5.4). Raises Refused "near-relative" where who acts, or for whom he stands in, is a near relative of a member."""
    if not recused_staff(act.conn, household_id).isdisjoint(act.actor.persons):
        raise Refused("near-relative", "您与这户家庭成员有近亲属关系，应当回避", "You are a near relative of the household")


def counted_members(conn: Connection, household_id: int, _on: date) -> list[tuple[int, str | None]]:
    """(person id, blind index) of the members that a benefit counts."""
    return [(m["person_id"], m["id_blind"]) for m in members_of(conn, household_id) if not m["excluded_reason"]]


def applicant(conn: Connection, household_id: int) -> Mapping[Any, Any]:
    found = _APPLICANT.row(conn, {"household_id": household_id})
    if found is None:
        raise NotFound("没有这户家庭")
    return found


def who(conn: Connection, household_id: int, person_id: int | None) -> Mapping[Any, Any]:
    """{"id", "name", "birth_date"} of the member whom a matter is about; of the applicant (also his `wrapped` key) where it is about the household."""
    found = next((m for m in members_of(conn, household_id) if m["person_id"] == person_id), None) if person_id else None
    return applicant(conn, household_id) if found is None else {"id": found["person_id"], "name": found["name"], "birth_date": found["birth_date"]}


def applicant_names(conn: Connection, subjects: Iterable[str | None]) -> dict[str, str]:
    """subject "household:12" -> applicant's name, for lists."""
    ids = {int(s.partition(":")[2]) for s in subjects if s and s.startswith("household:")}
    query = select(household.c.id, person.c.name).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(ids))
    return {f"household:{row_id}": name for row_id, name in conn.execute(query)} if ids else {}


def letterhead(conn: Connection, household_id: int) -> Mapping[Any, Any]:
    """What a letter says of its addressee: applicant, size (members), hukou_kind, street_name, community_name."""
    found = _LETTERHEAD.row(conn, {"household_id": household_id})
    if found is None:
        raise NotFound("没有这户家庭")
    return found


def snapshot(conn: Connection, keys: BoundKeys, household_id: int, on: date, *, declared: bool = False) -> dict[str, Any]:
    """The household as `eligibility.assess` reads it. What was checked or seen stands before what was declared; with `declared` only what
    the household said itself."""
    here = {"household_id": household_id}
    members, owned = together(conn, (_COUNTED_MEMBERS, here), (_OWNED, here))
    if declared:
        owned = [one for one in owned if one["source"] == "declared"]
    people = _head_first(members)
    house: Mapping[Any, Any] = people[0] if people else row(conn, household_id)
    return _as_read(keys, household_id, house, people, owned, on)


def snapshots(conn: Connection, keys: BoundKeys, ids: Collection[int], on: date) -> dict[int, dict[str, Any]]:
    """`snapshot` of many households (some thousand at most), in four statements however many they are. Unknown ids are left out."""
    houses = conn.execute(_MANY_HOUSES, {"ids": list(ids)}).mappings().all()
    people, owned = defaultdict[int, list[Mapping[Any, Any]]](list), defaultdict[int, list[Mapping[Any, Any]]](list)
    for found, query in ((people, _MANY_MEMBERS), (owned, _MANY_INCOMES), (owned, _MANY_PROPERTIES)):
        for one in conn.execute(query, {"ids": list(ids)}).mappings():
            found[one["household_id"]].append(one)
    return {h["id"]: _as_read(keys, h["id"], h, _head_first(people[h["id"]]), owned[h["id"]], on) for h in houses}


def _as_read(keys: BoundKeys, household_id: int, house: Mapping[Any, Any], people: Sequence[Mapping[Any, Any]], owned: Sequence[Mapping[Any, Any]], on: date) -> dict[str, Any]:
    incomes = _best((i for i in owned if i["what"] == "income"), lambda i: (i["person_id"], i["kind"], _undeclared(i)))
    properties = _best((i for i in owned if i["what"] == "property"), lambda i: i["kind"])
    members: list[dict[str, Any]] = []
    for m in people:
        health = json.loads(keys.reveal("person", "health", m["person_id"], m["health"]) or "{}")
        members.append({
            "ref": str(m["person_id"]), "relation": m["relation"], "birth_date": m["birth_date"], "sex": m["sex"],
            "labour_ability": _ability(keys, m), "employment": m["employment"], "full_time_student": bool(m["full_time_student"]),
            "excluded_reason": m["excluded_reason"], **health,
            "income": [_income(i) for i in incomes if i["person_id"] == m["person_id"]],
        })  # fmt: skip
    return {
        "benefit_month": f"{on:%Y-%m}",
        "applied_on": on.isoformat(),
        "hukou_kind": house["hukou_kind"],
        "members": members,
        "property": [_asset(i, {m["ref"] for m in members}) for i in properties],
        "hardships": _kinds(keys, household_id, house["hardships"]),
        "childless": house["childless"],
    }


def _ability(keys: BoundKeys, member: Mapping[Any, Any]) -> str | None:
    return keys.reveal("person", "labour_ability", member["person_id"], member["labour_ability"]) or None


def _kinds(keys: BoundKeys, household_id: int, sealed: bytes | None) -> list[str]:
    found: list[str] = json.loads(keys.reveal("household", "hardships", household_id, sealed) or "[]")
    return found


def _undeclared(item: Mapping[Any, Any]) -> bool:
    """What a check found beyond the declaration is kept as other income: it comes on top of other income that was declared, in whose
    place it does not stand (H is the sum of all that is counted, domain 3.3)."""
    return bool(item["kind"] == "other_income" and item["source"] == "checked")


def _best(items: Iterable[Mapping[Any, Any]], of: Callable[[Mapping[Any, Any]], Any]) -> list[Mapping[Any, Any]]:
    """Of what is the same thing (income: person and kind; property: kind, for the household owns it): seen before checked
    before declared."""
    rank = {"declared": 0, "checked": 1, "seen": 2}
    found: dict[Any, list[Mapping[Any, Any]]] = {}
    for item in sorted(items, key=lambda i: (i["id"])):
        found.setdefault(of(item), []).append(item)
    kept: list[Mapping[Any, Any]] = []
    for group in found.values():
        top = max(rank[i["source"]] for i in group)
        kept += [i for i in group if rank[i["source"]] == top]
    return kept


def _income(item: Mapping[Any, Any]) -> dict[str, Any]:
    """`source`: declared, checked or seen; it decides nothing in the arithmetic, and says with a decision on what it rests."""
    return {"kind": item["kind"], "amount": yuan(item["amount_fen"]), "period": item["period"], "month": item["month"], "year": item["year"], "source": item["source"]}


def _asset(item: Mapping[Any, Any], members: Collection[str]) -> dict[str, Any]:
    """`members`: refs of who may own it; what belonged to somebody who left is the household's until it says otherwise."""
    said: dict[str, Any] = {"kind": item["kind"], "functional_vehicle": bool(item["functional_vehicle"]), "source": item["source"]}
    if str(item["person_id"]) in members:
        said["owner"] = str(item["person_id"])
    return said | ({"amount": yuan(item["amount_fen"])} if item["amount_fen"] is not None else {})


def _hidden(text: str, *, plain: bool) -> str | None:
    """A word or two: half of it masked would still tell it."""
    return None if not text else text if plain else "****"


def view(conn: Connection, keys: BoundKeys, household_id: int, *, plain: bool = False, on: date | None = None, production: bool = False) -> dict[str, Any]:
    """A household for people: personal numbers and health masked unless `plain` (letters only). `on`: the day on which an
    authorisation has to be in force to be shown, in `production` with its page; left out: whether there ever was one."""
    house = row(conn, household_id)

    def sealed(name: str) -> str:
        text = keys.reveal("household", name, household_id, house[name])
        return text if plain else _masked(text)

    incomes = _INCOMES.rows(conn, {"household_id": household_id})
    assets = _PROPERTIES.rows(conn, {"household_id": household_id})
    if on is None:
        signed = set(conn.scalars(select(authorization.c.person_id).where(authorization.c.household_id == household_id)))
    else:
        found = _SIGNED.rows(conn, {"household_id": household_id, "on": on.isoformat()})
        signed = {m["person_id"] for m in found if m["on_paper" if production else "signed"]}
    members = []
    for m in members_of(conn, household_id):
        number = keys.reveal("person", "id_no", m["person_id"], m["id_no"])
        members.append({
            "person_id": m["person_id"], "name": m["name"], "relation": m["relation"], "id_no": number if plain else identity.mask(number),
            "birth_date": m["birth_date"], "sex": m["sex"], "employment": m["employment"], "labour_ability": _hidden(_ability(keys, m) or "", plain=plain),
            "full_time_student": bool(m["full_time_student"]), "placeholder": m["placeholder"], "excluded_reason": m["excluded_reason"],
            "authorised": m["person_id"] in signed,
            "income": [_income(i) for i in incomes if i["person_id"] == m["person_id"]],
        })  # fmt: skip
    return {
        "id": household_id,
        **{k: house[k] for k in ("no", "street", "community", "hukou_kind", "review_class", "near_relative_declared", "bank_holder")},
        "hardship_cause": _hidden(keys.reveal("household", "hardship_cause", household_id, house["hardship_cause"]), plain=plain),
        "applicant": next((m["name"] for m in members if m["person_id"] == house["applicant_id"]), ""),
        "address": sealed("address"),
        "phone": sealed("phone"),
        "bank_account": sealed("bank_account"),
        "members": members,
        "property": [_asset(i, {str(m["person_id"]) for m in members}) for i in assets],
        "hardships": [kind if plain or kind not in HEALTH_KINDS else "****" for kind in _kinds(keys, household_id, house["hardships"])],
        "childless": house["childless"],
    }


def _masked(text: str) -> str:
    return text if not text else text[:2] + "*" * max(2, len(text) - 4) + text[-2:] if len(text) > 4 else "****"


def search(conn: Connection, keys: BoundKeys, area: Area, *, name: str = "", id_no: str = "", page: int = 1, size: int = 25) -> Page:
    """Households of a unit (or several) by a member's name (beginning) or exact ID."""
    name = "".join(c for c in name if c.isprintable())
    query = select(household.c.id, household.c.no, household.c.community, household.c.street, person.c.name.label("applicant"))
    query = query.join(person, person.c.id == household.c.applicant_id).where(within(household.c.community, area))
    if name or id_no:
        found = select(household_member.c.household_id).join(person, person.c.id == household_member.c.person_id).where(_CURRENT)
        found = found.where(person.c.id_blind == keys.blind(identity.normalise(id_no))) if id_no else found.where(person.c.name.startswith(name, autoescape=True))
        query = query.where(household.c.id.in_(found.scalar_subquery()))
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = conn.execute(query.order_by(household.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()
    return Page(list(rows), total, page, size)


def reveal(act: Act, kind: str, row_id: int, field: str, reason: str) -> str:
    """A sealed field in plain, for a reason; the reading stands in the reader's own record, not in the case's."""
    if field not in REVEALABLE.get(kind, ()):
        raise Invalid({"field": ["这一项不能查看明文"]})
    if not reason.strip():
        raise Invalid({"reason": ["请写明查看理由"]})
    table = household if kind == "household" else person
    found = act.conn.execute(select(table).where(table.c.id == row_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这项资料")
    if erasure.restricted(act.conn, [f"{kind}:{row_id}"]):
        raise Refused("restricted", "该项个人信息已限制处理，不能查看", "These personal data are restricted")
    readers.note(act, "field_revealed", {"kind": kind, "id": row_id, "field": field}, reason)
    return act.keys.reveal(kind, field, row_id, found[field])


def check_request(conn: Connection, keys: BoundKeys, household_id: int, on: date) -> dict[str, Any]:
    """What the registries are asked, and what was declared: {"persons": [...], "declared": snapshot}.
    Each person comes with the number of the authorisation in force; None: not signed, and the registries refuse."""
    signed = _in_force(conn, household_id, on)
    guardian = next(iter(signed.values()), None)  # an adult member signs for minors (domain 1.7)
    persons = [
        {"ref": str(m["person_id"]), "id_no": keys.reveal("person", "id_no", m["person_id"], m["id_no"]), "name": m["name"],
         "authorisation_id": signed.get(m["person_id"], None if _adult(m, on) else guardian)}
        for m in members_of(conn, household_id)
        if m["id_no"] is not None
    ]  # fmt: skip
    return {"persons": persons, "declared": snapshot(conn, keys, household_id, on, declared=True)}


def active_benefits(conn: Connection, household_id: int) -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(benefit).where(benefit.c.household_id == household_id)).mappings())


def refuse_second_benefit(conn: Connection, blind: str) -> None:
    """One active benefit per person: said before the unique index would."""
    if conn.scalar(select(benefit_person.c.id).where(benefit_person.c.id_blind == blind, benefit_person.c.active)):
        raise Conflict("此人已在享受救助待遇", "This person already receives a benefit")
