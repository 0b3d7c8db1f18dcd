"""排查计划 (domain 1.1): one population of one community, with the households of the records and those added by hand, who visits them and when.

A household of a plan counts as visited by a confirmed visit since the plan's first day; nothing is ticked off by hand (decision 067).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Area, Page, within
from processes import calendar, erasure, households, in_benefit, organisation, readers, screening
from processes.annexes import FULL
from processes.identity import mask, mask_name
from processes.law import value
from processes.screening_forms import IN_BENEFIT, REFUSED
from processes.screening_tables import screening as visit
from processes.screening_tables import screening_plan as plan
from processes.screening_tables import screening_plan_home as home
from processes.tables import household, household_member, person, unit

PLANNERS = frozenset({"civil_affairs_officer", "street_leader"})
OTHERS = ("elderly", "disabled", "serious_illness")  # not in benefit: a visit as one of them does for all three
MOST_TEAMS = 20
LISTS = ("today", "left", "visited")
_AT_ONCE = 500
SHEET = {  # words of the sheet for paper, which is Chinese in every interface
    "title": "入户摸底排查走访表", "visitors": "每户由两名调查人入户，当场填写并签字", "members": "家庭人口", "planned": "计划走访", "address": "住址", "phone": "电话", "day": "走访日期",
    "met": "接待人", "causes": "致困原因", "assistance": "除城乡低保、低收入、特困供养外享受的救助", "result": "入户核查结果及说明", "hardship": "救助后是否仍有困难（写明）", "near": "近亲属是否享受社会救助",
    "near_staff": "是否经办人员、居村委会成员近亲属", "findings": "发现的问题（写明）", "policy": "救助政策落实不到位", "unlawful": "违规享受救助待遇", "outstanding": "经政府救助后仍存在突出困难",
    "qualifies": "是否达到救助条件（未在保的填写）", "signed": "调查人签字", "signed2": "第二名调查人签字", "yes": "是", "no": "否",
}  # fmt: skip


# -- whom the records show


def population(conn: Connection, keys: BoundKeys, community: str, kind: str, on: date) -> list[int]:
    """Households of a community (or a wider unit) that belong to a population on a day: in benefit by the decisions; refused applications of
    2018; else not in benefit, with a member who is old (as of the support of the destitute), disabled or gravely ill by his entries."""
    if kind == IN_BENEFIT:
        return sorted({one["household_id"] for one in in_benefit.on(conn, community, on)})
    if kind == REFUSED:
        asked = sorted({one["facts"]["household_id"] for one in screening.refused(conn, "", on)})
        return sorted(conn.scalars(select(household.c.id).where(household.c.id.in_(asked), within(household.c.community, community))))
    has = {one["household_id"] for one in in_benefit.on(conn, community, on)}
    m = household_member.c
    query = select(m.household_id, person.c.id, person.c.birth_date, person.c.health).join(person, person.c.id == m.person_id).join(household, household.c.id == m.household_id)
    query = query.where(within(household.c.community, community), m.from_on <= on.isoformat(), or_(m.to_on.is_(None), m.to_on > on.isoformat()))
    old = _born_before(on)
    found = set[int]()
    for row in conn.execute(query):
        if row.household_id not in has and row.household_id not in found and _fits(keys, kind, row, old):
            found.add(row.household_id)
    return sorted(found)


def _born_before(on: date) -> str:
    """The last day of birth of who is old on a day."""
    years = int(value("destitute_age_years", on).amount)
    return f"{on.year - years}-{on:%m-%d}"


def _fits(keys: BoundKeys, kind: str, row: Any, old: str) -> bool:
    if kind == "elderly":
        return bool(row.birth_date) and row.birth_date <= old
    health = json.loads(keys.reveal("person", "health", row.id, row.health) or "{}") if row.health else {}
    if kind == "disabled":
        return bool(health.get("disability_kind") or health.get("disability_grade"))
    return bool(health.get("serious_illness") or health.get("serious_outpatient_illness"))


# -- making and changing a plan


def make(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """`said`: as understood by ScreeningPlanIn. The households are shared out among the teams and over the working days of the plan, near relatives
    apart. Returns {"plan", "households", "unassigned": those that no team may visit}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    community = said["community"]
    if act.conn.scalar(select(unit.c.id).where(unit.c.code == community, unit.c.level == "community")) is None:
        raise Invalid({"community": ["没有这个居村"]})
    post = _post(act.actor, community)
    teams = _teams(act.conn, said["teams"], community)
    first, last = (_day(said[name]) for name in ("from_on", "until_on"))
    twice = select(plan.c.id).where(plan.c.community == community, plan.c.population == said["population"], plan.c.from_on <= last.isoformat(), plan.c.until_on >= first.isoformat())
    if act.conn.scalar(twice) is not None:
        raise Conflict("这个居村在这段时间已有同一排查对象的计划，请在原计划中补充", "There is a plan for this population and time already: add to it")
    act.through(post)
    record = act.new("screening_plan", community)
    number = record.next_id()
    values = {"street": community[:9], "community": community, "population": said["population"], "from_on": first.isoformat(), "until_on": last.isoformat(),
              "teams": json.dumps(teams), "note": said.get("note") or None, "made_by": act.actor.id, "made_on": act.today.isoformat(), "drawn_up_on": act.today.isoformat()}  # fmt: skip
    shown = population(act.conn, act.keys, community, said["population"], act.today)
    puts, alone = _shared(act, record, {**values, "id": number}, shown, teams, _workdays(max(first, act.today), last))
    act.append(record, "screening_planned", {"population": said["population"], "households": len(shown)}, puts=[Put("screening_plan", number, values), *puts])
    told = {"plan": number, "households": len(shown), "unassigned": alone}
    act.remember(told)
    return told


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def _post(actor: Actor, community: str) -> str:
    post = actor.post_over(community, PLANNERS)
    if post is None:
        raise Refused("planner", "排查计划由本街镇的民政专干或负责人制定", "Civil affairs officers and leaders of the street make the plans")
    return post


def _teams(conn: Connection, rows: Sequence[Mapping[str, Any]], community: str) -> list[tuple[str, str]]:
    if len(rows) > MOST_TEAMS:
        raise Invalid({"teams": [f"最多 {MOST_TEAMS} 组"]})
    wrong = dict[str, list[str]]()
    for n, row in enumerate(rows):
        wrong |= {f"teams.{n}.{name}": texts for name, texts in _unfit(conn, row["first"], row["second"], community).items()}
    if wrong:
        raise Invalid(wrong)
    return [(row["first"], row["second"]) for row in rows]


def _unfit(conn: Connection, first: str, second: str, community: str) -> dict[str, list[str]]:
    """Why two do not visit there together: field -> words."""
    wrong = dict[str, list[str]]()
    for name, login in (("first", first), ("second", second)):
        found = organisation.find_actor(conn, login)
        if found is None:
            wrong[name] = ["没有这位工作人员，或已停用"]
        elif found.post_over(community, screening.VISITORS) is None:
            wrong[name] = ["这位工作人员在这个居村没有排查岗位"]
    if first == second:
        wrong["second"] = ["入户排查须由两人以上进行，第二名调查人不能是同一人"]
    return wrong


def _workdays(first: date, last: date) -> list[date]:
    """The working days of a plan that are still to come, or all its days where there is none."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)] or [last]
    return [day for day in days if calendar.is_workday(day)] or days


def _shared(act: Act, record: Record, of: Mapping[str, Any], homes: Sequence[int], teams: Sequence[tuple[str, str]], days: Sequence[date]) -> tuple[list[Put], int]:
    """Rows for households: team after team, evenly over the days. Which no team may visit stays without one; how many those are."""
    puts, alone = list[Put](), 0
    for n, one in enumerate(homes):
        near = households.recused_staff(act.conn, one)
        fit = [team for team in (*teams[n % len(teams) :], *teams[: n % len(teams)]) if near.isdisjoint(team)] if teams else []
        alone += not fit
        first, second = fit[0] if fit else (None, None)
        puts.append(_put(record, of, one, first, second, days[n * len(days) // len(homes)].isoformat() if fit else None))
    return puts, alone


def _put(record: Record, of: Mapping[str, Any], household_id: int, first: str | None, second: str | None, visit_on: str | None, reason: str | None = None) -> Put:
    values = {"plan_id": of["id"], "household_id": household_id, "community": of["community"], "population": of["population"], "from_on": of["from_on"],
              "by_hand": reason is not None, "reason": reason, "first": first, "second": second, "visit_on": visit_on}  # fmt: skip
    return Put("screening_plan_home", record.next_id(), values, f"household:{household_id}")


def _opened(act: Act, plan_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """The plan, locked, for who may change it."""
    row = seen(act.conn, act.actor, plan_id)
    act.through(_post(act.actor, row["community"]))
    return act.open("screening_plan", plan_id >> 16), row


def renew(act: Act, plan_id: int) -> dict[str, Any]:
    """Ask the records again: who belongs to the population by now and is not in the plan is added. Returns {"plan", "added", "unassigned"}."""
    record, row = _opened(act, plan_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    known = set(act.conn.scalars(select(home.c.household_id).where(home.c.plan_id == plan_id)))
    new = [one for one in population(act.conn, act.keys, row["community"], row["population"], act.today) if one not in known]
    days = _workdays(min(max(_day(row["from_on"]), act.today), max(_day(row["until_on"]), act.today)), max(_day(row["until_on"]), act.today))
    puts, alone = _shared(act, record, row, new, [(a, b) for a, b in json.loads(row["teams"])], days)
    act.append(record, "screening_plan_renewed", {"added": len(new)}, puts=[Put("screening_plan", plan_id, {"drawn_up_on": act.today.isoformat()}), *puts])
    told = {"plan": plan_id, "added": len(new), "unassigned": alone}
    act.remember(told)
    return told


def add(act: Act, plan_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A household that the records do not show, with the reason; `said`: as understood by HomeAdded. Returns {"home", "plan"}."""
    record, row = _opened(act, plan_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    where = act.conn.execute(select(household.c.community).where(household.c.id == said["household_id"])).scalar_one_or_none()
    if where is None or not readers.of_cases(act.actor).covers(where):
        raise NotFound("没有这户家庭")
    if where != row["community"]:
        raise Invalid({"household_id": ["这户家庭不在计划的居村"]})
    erasure.refuse_restricted(act.conn, said["household_id"])
    if act.conn.scalar(select(home.c.id).where(home.c.plan_id == plan_id, home.c.household_id == said["household_id"], home.c.dropped_on.is_(None))) is not None:
        raise Conflict("这户家庭已在计划中", "This household is in the plan already")
    screening.check_population(act, said["household_id"], {"population": row["population"], "visited_on": act.today})
    first, second = said.get("first") or None, said.get("second") or None
    if (first is None) != (second is None):
        raise Invalid({"second" if second is None else "first": ["请填写两名调查人"]})
    if first is not None and second is not None:
        _may_visit(act.conn, said["household_id"], first, second, row)
    day = said.get("visit_on")
    put = _put(record, row, said["household_id"], first, second, _within(row, day) if day else None, said["reason"])
    act.append(record, "screening_home_added", {}, puts=[put])
    told = {"home": put.id, "plan": plan_id}
    act.remember(told)
    return told


def _may_visit(conn: Connection, household_id: int, first: str, second: str, row: Mapping[Any, Any]) -> None:
    wrong = _unfit(conn, first, second, row["community"])
    near = households.recused_staff(conn, household_id)
    wrong |= {name: ["调查人与这户家庭成员有近亲属关系，应当回避"] for name, login in (("first", first), ("second", second)) if login in near}
    if wrong:
        raise Invalid(wrong)


def _within(row: Mapping[Any, Any], day: date | str) -> str:
    said = _day(day).isoformat()
    if not row["from_on"] <= said <= row["until_on"]:
        raise Invalid({"visit_on": [f"应在计划期间内：{row['from_on']} 至 {row['until_on']}"]})
    return said


def assign(act: Act, home_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Who visits a household of a plan, and when; `said`: as understood by HomeAssigned."""
    record, row, one = _home(act, home_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _may_visit(act.conn, one["household_id"], said["first"], said["second"], row)
    values = {"first": said["first"], "second": said["second"], "visit_on": _within(row, said["visit_on"])}
    return _changed(act, record, one, "screening_home_assigned", values)


def drop(act: Act, home_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A household is not visited after all (moved away, died), with the reason; coverage of the community does not go by plans."""
    record, _, one = _home(act, home_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    return _changed(act, record, one, "screening_home_dropped", {"dropped_on": act.today.isoformat(), "dropped_why": said["reason"]})


def _home(act: Act, home_id: int) -> tuple[Record, Mapping[Any, Any], Mapping[Any, Any]]:
    query = select(home).where(home.c.id == home_id)
    one = act.conn.execute(query).mappings().one_or_none()
    if one is None:
        raise NotFound("计划中没有这户")
    record, row = _opened(act, one["plan_id"])
    one = act.conn.execute(query).mappings().one()
    if one["dropped_on"] is not None and act.recall() is None:
        raise Conflict("这户已移出计划", "This household was taken out of the plan")
    return record, row, one


def _changed(act: Act, record: Record, one: Mapping[Any, Any], event: str, values: dict[str, Any]) -> dict[str, Any]:
    act.append(record, event, {"home": one["id"]}, puts=[Put("screening_plan_home", one["id"], values, f"household:{one['household_id']}")])
    told = {"home": one["id"], "plan": one["plan_id"]}
    act.remember(told)
    return told


# -- looking


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """Plans of the area of who reads cases there, and those where the actor visits."""
    mine = select(home.c.plan_id).where(or_(home.c.first == actor.id, home.c.second == actor.id))
    return or_(within(plan.c.community, readers.of_cases(actor).areas), plan.c.id.in_(mine))


def seen(conn: Connection, actor: Actor, plan_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(plan).where(plan.c.id == plan_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这份排查计划")
    return row


def plans(actor: Actor) -> bool:
    return not actor.roles.isdisjoint(PLANNERS)


def listed(conn: Connection, actor: Actor, *, unit_code: str | None = None, kind: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Plans that the actor reads, the latest to be finished first."""
    where = [_theirs(actor)]
    if unit_code:
        where.append(within(plan.c.community, unit_code))
    if kind:
        where.append(plan.c.population == kind)
    total = conn.scalar(select(func.count()).select_from(plan).where(*where)) or 0
    query = select(plan).where(*where).order_by(plan.c.until_on.desc(), plan.c.community, plan.c.id)
    return Page(list(conn.execute(query.limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def _done() -> ColumnElement[bool]:
    """Whether a household of a plan was visited: a confirmed visit since the plan began, of its population."""
    v = visit.c
    same = or_(v.population == home.c.population, and_(v.population.in_(OTHERS), home.c.population.in_(OTHERS)))
    return select(v.id).where(v.household_id == home.c.household_id, v.state == "confirmed", v.visited_on >= home.c.from_on, same).exists()


def told(conn: Connection, rows: Sequence[Mapping[Any, Any]], today: date) -> list[dict[str, Any]]:
    """Plans in JSON with how far they are: households (without those taken out), visited, left, late (past their day)."""
    ids = [row["id"] for row in rows]
    counts = {row.plan_id: row for row in conn.execute(
        select(home.c.plan_id, func.count().label("n"), func.count().filter(_done()).label("visited"),
               func.count().filter(and_(~_done(), home.c.visit_on < today.isoformat())).label("late"))
        .where(home.c.plan_id.in_(ids), home.c.dropped_on.is_(None)).group_by(home.c.plan_id))}  # fmt: skip
    found = []
    for row in rows:
        n, visited, late = (counts[row["id"]].n, counts[row["id"]].visited, counts[row["id"]].late) if row["id"] in counts else (0, 0, 0)
        found.append({**{name: row[name] for name in ("id", "street", "community", "population", "from_on", "until_on", "note", "made_by", "made_on", "drawn_up_on")},
                      "teams": [{"first": a, "second": b} for a, b in json.loads(row["teams"])], "households": n, "visited": visited, "left": n - visited,
                      "late": late if row["until_on"] >= today.isoformat() else n - visited})  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which households: of one plan, or of all where `login` visits; which: today (planned up to today and not visited yet) | left | visited."""

    plan_id: int | None = None
    login: str | None = None
    which: str | None = None


def homes(conn: Connection, wanted: Wanted, today: date, page: int = 1, size: int = 25) -> Page:
    """By the day of the visit, those without one last; taken out ones only with their plan and last of all."""
    where: list[ColumnElement[bool]] = []
    if wanted.plan_id is not None:
        where.append(home.c.plan_id == wanted.plan_id)
    if wanted.login is not None:
        where += [or_(home.c.first == wanted.login, home.c.second == wanted.login), home.c.dropped_on.is_(None)]
    if wanted.which is not None:
        where += [_done() if wanted.which == "visited" else ~_done(), home.c.dropped_on.is_(None)]
    if wanted.which == "today":
        where.append(home.c.visit_on <= today.isoformat())
    total = conn.scalar(select(func.count()).select_from(home).where(*where)) or 0
    query = select(home, _done().label("visited")).where(*where).order_by(home.c.dropped_on.is_not(None), home.c.visit_on.is_(None), home.c.visit_on, home.c.id)
    return Page(list(conn.execute(query.limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def may_full(actor: Actor, rows: Iterable[Mapping[Any, Any]]) -> bool:
    """Whether names, addresses and telephones are for the actor: of the households that he visits, and of those where he works cases."""
    return all(actor.id in (row["first"], row["second"]) or actor.post_over(row["community"], FULL) is not None for row in rows)


def homes_told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, *, full: bool) -> list[dict[str, Any]]:
    """Households of plans in JSON. Name, address and telephone in full where asked for and allowed; else the name masked, the rest left out."""
    ids = sorted({row["household_id"] for row in rows})
    houses, sizes = dict[int, Any](), defaultdict[int, int](int)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        query = select(household, person.c.name, person.c.id_no).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(some))
        houses |= {row["id"]: row for row in conn.execute(query).mappings()}
        m = household_member.c
        sizes.update({row[0]: row[1] for row in conn.execute(select(m.household_id, func.count()).where(m.household_id.in_(some), m.to_on.is_(None)).group_by(m.household_id))})
    hidden = erasure.restricted(conn, [f"household:{one}" for one in ids] + [f"person:{house['applicant_id']}" for house in houses.values()])
    return [_home_told(keys, row, houses[row["household_id"]], sizes[row["household_id"]], actor, hidden, full=full) for row in rows]


def _home_told(keys: BoundKeys, row: Mapping[Any, Any], house: Mapping[Any, Any], size: int, actor: Actor, hidden: Collection[str], *, full: bool) -> dict[str, Any]:
    plain = full and may_full(actor, [row]) and not {f"household:{house['id']}", f"person:{house['applicant_id']}"} & set(hidden)
    number = keys.reveal("person", "id_no", house["applicant_id"], house["id_no"]) if house["id_no"] else ""
    state = "dropped" if row["dropped_on"] else "visited" if row["visited"] else "left"
    plans_here = actor.post_over(row["community"], PLANNERS) is not None and state == "left"
    visits = actor.post_over(row["community"], screening.VISITORS) is not None and readers.of_cases(actor).covers(row["community"]) and state == "left"
    words = {name: keys.reveal("screening_plan_home", name, row["id"], row[name]) if row[name] and readers.of_cases(actor).covers(row["community"]) else None for name in ("reason", "dropped_why")}
    return {**{name: row[name] for name in ("id", "plan_id", "household_id", "community", "population", "by_hand", "first", "second", "visit_on", "dropped_on")}, **words,
            "household_no": house["no"], "applicant": house["name"] if plain else mask_name(house["name"]), "id_no": mask(number), "members": size, "state": state,
            **{name: (keys.reveal("household", name, house["id"], house[name]) or None) if plain and house[name] else None for name in ("address", "phone")},
            "may": [verb for verb, allowed in (("visit", visits), ("assign", plans_here), ("drop", plans_here)) if allowed]}  # fmt: skip


def note(act: Act, rows: Sequence[Mapping[Any, Any]]) -> None:
    """Who takes a visit list reads the names and addresses of all on it: it stands in his reading log."""
    readers.note(act, "visit_list_read", {"households": len(rows), "plans": sorted({row["plan_id"] for row in rows})})


# -- who is missing


def missing(conn: Connection, area: Area, on: date, since: date, kind: str) -> list[int]:
    """Households in benefit (or refused in 2018) on a day that no confirmed visit since a day has reached, by community."""
    shown = {one["household_id"] for one in in_benefit.on(conn, area, on)} if kind == IN_BENEFIT else {one["facts"]["household_id"] for one in screening.refused(conn, "", on)}
    v = visit.c
    there = set(conn.scalars(select(v.household_id).where(v.population == kind, v.state == "confirmed", v.visited_on.between(since.isoformat(), on.isoformat()))))
    ids = sorted(shown - there)
    rows: list[tuple[str, int]] = []
    for start in range(0, len(ids), _AT_ONCE):
        rows += [(row.community, row.id) for row in conn.execute(select(household.c.id, household.c.community).where(household.c.id.in_(ids[start : start + _AT_ONCE]), within(household.c.community, area)))]
    return [one for _, one in sorted(rows)]


def missing_told(conn: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Those households with their name masked, and who is planned to visit them, when."""
    query = select(household.c.id, household.c.no, household.c.street, household.c.community, person.c.name).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(ids))
    known = {row.id: row for row in conn.execute(query)}
    planned = {row.household_id: row for row in conn.execute(select(home).where(home.c.household_id.in_(ids), home.c.dropped_on.is_(None)).order_by(home.c.id))}
    found = []
    for one in ids:
        row, plan_row = known[one], planned.get(one)
        found.append({"household_id": one, "household_no": row.no, "applicant": mask_name(row.name), "street": row.street, "community": row.community,
                      **{name: getattr(plan_row, name) if plan_row is not None else None for name in ("plan_id", "first", "second", "visit_on")}})  # fmt: skip
    return found
