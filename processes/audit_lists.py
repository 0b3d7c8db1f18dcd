"""Lists of anomalies: what an auditor should look at first. Each finds cases by a rule that it states; none of them decides.

A list is a pure function over rows that one or two statements read for the whole area; nothing is decrypted, and entries
are read only for the cases of the page that is shown (`located`). An anomaly is a question, no verdict: the law may well
have been kept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Connection, or_, select

from engine import store
from engine.crypto import Keys
from engine.errors import Invalid
from engine.model import SHANGHAI
from engine.queries import Area, within
from processes import deadlines, duties, law, organisation, spot_check
from processes.audit import facts_of
from processes.case_tables import spot_file
from processes.tables import household, household_member, near_relative, person, post, staff, staff_relative

# Emergency help is decided at once, that is no oddity.
APPROVALS = duties.APPROVE - {"emergency_decide"} | duties.SIGN | duties.WRITE | {"district_examination", "district_recheck", "approve_agenda", "announce_item"}
VISITS = frozenset({"spot_check_visit", "late_spot_check_visit"})
SURVEYS = frozenset({"home_survey"})
SIGNATURES = frozenset({"survey_cosign"})
PLACES = ("community", "street", "district")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the rules go by; the office's own from YINGBAO_AUDIT, an auditor's for one look from the page's address."""

    seconds: int = 30  # an approval that took less time from the opening of the task is too quick
    late_days: int = 0  # calendar days past the last day that are let pass
    band_yuan: int = 200  # width of a band of income per head
    place: str = "street"  # like cases are compared within a community, a street or the district
    share_percent: int = 0  # of spot-check visits; 0: as the law of the day says

    @classmethod
    def understood(cls, said: Mapping[str, str], default: Parameters | None = None) -> Parameters:
        """From words, as addresses and settings carry them; what is not said stays as it is. Invalid names what is wrong."""
        made, wrong = default or cls(), dict[str, list[str]]()
        for one in fields(cls):
            text = said.get(one.name, "")
            if not text:
                continue
            low, high = _BOUNDS.get(one.name, (0, 0))
            if one.name == "place":
                if text not in PLACES:
                    wrong["place"] = ["请从所列各项中选择：" + "、".join(PLACES)]
                else:
                    made = replace(made, place=text)
            elif not (text.isascii() and text.isdecimal() and len(text) < 8 and low <= int(text) <= high):
                wrong[one.name] = [f"应在 {low} 至 {high} 之间"]
            else:
                made = replace(made, **{one.name: int(text)})  # type: ignore[arg-type]
        if odd := set(said) - {one.name for one in fields(cls)}:
            wrong |= {name: ["没有这一项"] for name in odd}
        if wrong:
            raise Invalid(wrong)
        return made


_BOUNDS = {"seconds": (1, 86_400), "late_days": (0, 365), "band_yuan": (1, 100_000), "share_percent": (0, 100)}


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding. `what`: the figures behind it, in codes, dates and logins; `task`: key of the task whose entry to show."""

    case_id: int | None
    no: str
    unit: str
    what: Mapping[str, Any]
    task: str | None = None
    also: tuple[str, ...] = ()  # numbers of the other cases that it is about
    seq: int | None = None  # the entry, once it was located


@dataclass(frozen=True, slots=True)
class Scope:
    area: Area
    today: date
    parameters: Parameters = field(default_factory=Parameters)
    process: str | None = None
    keys: Keys | None = None  # without them, causes of hardship are not told apart


Finder = Callable[[Connection, Scope], list[Hit]]


@dataclass(frozen=True, slots=True)
class List:
    key: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    parameters: tuple[str, ...]  # names of those that it goes by
    find: Finder


_TASK = (store.task.c.id, store.task.c.case_id, store.task.c.key, store.task.c.node, store.task.c.role, store.task.c.unit, store.task.c.state, store.task.c.due_on,
         store.task.c.opened_at, store.task.c.closed_at, store.task.c.done_by, store.task.c.done_for, store.task.c.owner, store.record.c.no, store.record.c.unit.label("case_unit"))  # fmt: skip


def _cases(scope: Scope) -> list[Any]:
    row = store.record.c
    return [row.kind == "case", within(row.unit, scope.area), *([row.process == scope.process] if scope.process else [])]


def _tasks(conn: Connection, scope: Scope, *where: Any, more: Sequence[Any] = ()) -> Sequence[Any]:
    query = select(*_TASK, *more).join(store.record, store.record.c.id == store.task.c.case_id).where(*_cases(scope), *where)
    return conn.execute(query.order_by(store.task.c.id)).all()


def _on(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


# -- late


def late(conn: Connection, scope: Scope) -> list[Hit]:
    rows = _tasks(conn, scope, store.task.c.due_on.is_not(None), store.task.c.state.in_(("open", "done")), store.task.c.due_on < scope.today.isoformat())
    return late_of(rows, scope.today, scope.parameters)


def late_of(rows: Iterable[Any], today: date, parameters: Parameters) -> list[Hit]:
    """Tasks that were done after their last day, or are open past it; the latest first."""
    found = []
    for row in rows:
        end = today if row.state == "open" else _on(row.closed_at)
        days = (end - date.fromisoformat(row.due_on)).days
        if days > parameters.late_days:
            said = {"node": row.node, "due_on": row.due_on, "done_on": None if row.state == "open" else end.isoformat(), "days": days, "by": row.done_by}
            found.append(Hit(row.case_id, row.no, row.case_unit, said, row.key))
    return sorted(found, key=lambda hit: (-hit.what["days"], hit.no))


# -- one person in several roles, on the way of a colleague


_HANDED = {"task_transferred": "transfer", "task_delegated": "delegation", "tasks_handed_over": "hand-over"}


def several_roles(conn: Connection, scope: Scope) -> list[Hit]:
    rows = _tasks(conn, scope, store.task.c.done_by.is_not(None), store.task.c.state == "done")
    signed = _signed(conn, scope)
    doubtful = {case for (case, _), roles in _roles(rows, signed).items() if len(roles) > 1}
    handed = _handed(conn, doubtful) if doubtful else {}
    return several_roles_of(rows, signed, handed)


def _signed(conn: Connection, scope: Scope) -> Sequence[Any]:
    signer = store.task_signer.c
    query = select(store.task.c.case_id, store.task.c.role, store.task.c.key, signer.staff, store.record.c.no, store.record.c.unit.label("case_unit"))
    query = query.join(store.task_signer, signer.task_id == store.task.c.id).join(store.record, store.record.c.id == store.task.c.case_id)
    return conn.execute(query.where(*_cases(scope), signer.state.in_(("agreed", "disagreed")))).all()


def _roles(rows: Iterable[Any], signed: Iterable[Any]) -> dict[tuple[int, str], set[str]]:
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in rows:
        found[row.case_id, row.done_by].add(row.role)
    for row in signed:
        found[row.case_id, row.staff].add(row.role)
    return found


def _handed(conn: Connection, cases: Iterable[int]) -> dict[tuple[int, str], tuple[str, str]]:
    """(case, task key) -> (to whom, how), the latest hand-over of each task."""
    found: dict[tuple[int, str], tuple[str, str]] = {}
    for body in _bodies(conn, cases):
        if (how := _HANDED.get(body["event"])) is None:
            continue
        data = body["data"]
        keys = data["tasks"] if isinstance(data.get("tasks"), list) else [data.get("task")]
        to = data.get("assignee") or data.get("to")
        found |= {(body["record"], key): (str(to), how) for key in keys if isinstance(key, str)}
    return found


_AT_ONCE = 400


def _bodies(conn: Connection, cases: Iterable[int]) -> Iterable[dict[str, Any]]:
    ordered = sorted(cases)
    for start in range(0, len(ordered), _AT_ONCE):
        query = select(store.entry.c.body).where(store.entry.c.record_id.in_(ordered[start : start + _AT_ONCE])).order_by(store.entry.c.record_id, store.entry.c.seq)
        for body in conn.scalars(query):
            yield json.loads(body)


def several_roles_of(rows: Iterable[Any], signed: Iterable[Any], handed: Mapping[tuple[int, str], tuple[str, str]]) -> list[Hit]:
    """Who acted in one case in more than one role, and came to at least one of the tasks by delegation, as a substitute, by
    transfer or hand-over, or as an added signer."""
    acts: dict[tuple[int, str], list[tuple[str, str, str]]] = defaultdict(list)  # (case, login) -> (role, key, way)
    places: dict[int, tuple[str, str]] = {}
    for row in rows:
        to, how = handed.get((row.case_id, row.key), ("", ""))
        way = how if to == row.done_by else "delegation" if row.owner not in (None, row.done_by) else "substitution" if row.done_for else "own"
        acts[row.case_id, row.done_by].append((row.role, row.key, way))
        places[row.case_id] = (row.no, row.case_unit)
    for row in signed:
        acts[row.case_id, row.staff].append((row.role, row.key, "signature"))
        places[row.case_id] = (row.no, row.case_unit)
    found = []
    for (case_id, login), done in acts.items():
        roles, ways = sorted({role for role, _, _ in done}), sorted({way for _, _, way in done} - {"own"})
        if len(roles) > 1 and ways:
            key = next(key for _, key, way in done if way != "own")
            found.append(Hit(case_id, *places[case_id], {"by": login, "roles": roles, "ways": ways}, key))
    return sorted(found, key=lambda hit: hit.no)


# -- approved within seconds


def quick(conn: Connection, scope: Scope) -> list[Hit]:
    seen, task = store.task_seen.c, store.task.c
    more = [select(seen.at).where(seen.task_id == task.id, seen.staff == task.done_by).scalar_subquery().label("seen_at")]
    rows = _tasks(conn, scope, task.done_by.is_not(None), task.done_by != "system", task.state == "done", task.node.in_(APPROVALS), more=more)
    return quick_of(rows, scope.parameters)


def quick_of(rows: Iterable[Any], parameters: Parameters) -> list[Hit]:
    """Approvals that were handed in within so many seconds of the moment at which the approver opened the task; where no
    opening is known (handed in by a program), of its arrival. The quickest first."""
    found = []
    for row in rows:
        opened = _utc(row.seen_at) or row.opened_at
        took = (row.closed_at - opened).total_seconds()
        if 0 <= took < parameters.seconds:
            said = {"node": row.node, "by": row.done_by, "seconds": int(took), "from": "opened" if row.seen_at else "arrived", "done_on": _on(row.closed_at).isoformat()}
            found.append(Hit(row.case_id, row.no, row.case_unit, said, row.key))
    return sorted(found, key=lambda hit: (hit.what["seconds"], hit.no))


def _utc(moment: Any) -> datetime | None:
    """A moment that a sub-select read: SQLite gives it without its zone."""
    found: datetime | None = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


# -- visits that were not made


def skipped_visits(conn: Connection, scope: Scope) -> list[Hit]:
    """Cases decided without the visits and signatures that their procedure asks for, and streets below the share of spot checks."""
    row = store.record.c
    rows = conn.execute(select(row.id, row.no, row.unit, row.process, row.outcome, row.state).where(*_cases(scope)).order_by(row.id)).all()
    done: dict[int, set[str]] = defaultdict(set)
    visits = SURVEYS | SIGNATURES | VISITS
    task = store.task.c
    query = select(task.case_id, task.node).join(store.record, row.id == task.case_id).where(*_cases(scope), task.state == "done", task.node.in_(visits))
    for case_id, node in conn.execute(query):
        done[case_id].add(node)
    found = skipped_visits_of(((r, facts_of(r.state)) for r in rows), done)
    if scope.process in (None, *deadlines.applications()):
        streets = scope.area if isinstance(scope.area, str) else tuple(scope.area)
        files = conn.execute(select(spot_file).where(within(spot_file.c.street, streets))).mappings().all()
        found += below_rate_of(files, scope.parameters, scope.today)
    return found


def skipped_visits_of(cases: Iterable[tuple[Any, Mapping[str, Any]]], done: Mapping[int, set[str]]) -> list[Hit]:
    """Decided cases without the home survey that their process asks for, without its second signature, or without the
    district's visit although the case was drawn, is doubtful, was reported, or concerns a near relative (N220 art 26)."""
    found = []
    for row, facts in cases:
        if not _decided(row, facts):
            continue
        made, lacking = done.get(row.id, set()), []
        if _asks_for_survey(row, facts):
            lacking += [] if made & SURVEYS else ["home_survey"]
            lacking += [] if made & SIGNATURES else ["survey_cosign"]
        if row.process in deadlines.applications() and _asks_for_visit(facts) and not made & VISITS:
            lacking.append("spot_check_visit")
        if lacking:
            said = {"lacking": lacking, "decided_on": facts.get("decided_on"), "why": facts.get("spot_reason") or "", "outcome": row.outcome or facts.get("decision")}
            found.append(Hit(row.id, row.no, row.unit, said))
    return found


def _decided(row: Any, facts: Mapping[str, Any]) -> bool:
    """Whether the district has decided, in a case that was not withdrawn, moved or found to be about nothing."""
    return bool(facts.get("decided_on") or facts.get("decision")) and row.outcome not in ("ended_withdrawn", "ended_terminated", "ended_transferred", "ended_no_change", "handled")


def _asks_for_survey(row: Any, facts: Mapping[str, Any]) -> bool:
    if row.process in deadlines.applications():  # a refusal may follow from the means check alone
        return facts.get("decision") == "granted" or (facts.get("submitted_on") is not None and facts.get("check_conclusion") == "consistent")
    if row.process in law.procedures("change_report"):
        return bool(facts.get("check_home"))
    return row.process in law.procedures("review") and facts.get("conclusion") not in (None, "stop")


def _asks_for_visit(facts: Mapping[str, Any]) -> bool:
    return any(facts.get(name) for name in ("spot_check", "late_drawn", "near_relative", "reported")) and facts.get("submitted_on") is not None


def below_rate_of(files: Iterable[Mapping[Any, Any]], parameters: Parameters, today: date) -> list[Hit]:
    """Streets of whose files that have passed the draw fewer were drawn than the rate asks for, month by month of receipt.
    The month that still runs is left out."""
    months: dict[tuple[str, str], list[Mapping[Any, Any]]] = defaultdict(list)
    for file in files:
        if file["received_on"][:7] < today.isoformat()[:7]:
            months[file["street"], file["received_on"][:7]].append(file)
    found = []
    for (street, month), received in sorted(months.items()):
        share = parameters.share_percent or int(spot_check.share(date.fromisoformat(f"{month}-28")) * 100)
        drawn = sum(1 for file in received if file["drawn"] or file["late"])
        if drawn * 100 < share * len(received):
            found.append(Hit(None, "", street, {"month": month, "files": len(received), "drawn": drawn, "share": share, "lacking": ["rate"]}))
    return found


# -- like cases, unlike outcomes


def unlike(conn: Connection, scope: Scope) -> list[Hit]:
    """`unlike_of` over the decided applications of the area."""
    row = store.record.c
    where = (*_cases(scope), row.process.in_(deadlines.applications()))
    rows = conn.execute(select(row.id, row.no, row.unit, row.state).where(*where).order_by(row.id)).all()
    decided = [(r, facts) for r in rows if (facts := facts_of(r.state)).get("decision") and facts.get("household_id")]
    causes: dict[int, str] = {}
    keys = scope.keys.on(conn) if scope.keys else None
    wanted = sorted({facts["household_id"] for _, facts in decided})
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(household.c.id, household.c.hardship_cause).where(household.c.id.in_(wanted[start : start + _AT_ONCE]))
        causes |= {house: keys.reveal("household", "hardship_cause", house, cause) if keys else "" for house, cause in conn.execute(query)}
    return unlike_of(decided, causes, scope.parameters)


def unlike_of(decided: Iterable[tuple[Any, Mapping[str, Any]]], causes: Mapping[int, str], parameters: Parameters) -> list[Hit]:
    """Households alike in number of members, band of income per head, cause of hardship and place, whose cases were decided
    unlike (granted or refused, and as what). One finding for each such group, at its rarest outcome."""
    groups: dict[tuple[str, int, int, str], list[tuple[Any, str]]] = defaultdict(list)
    for row, facts in decided:
        band = _band(facts.get("per_capita"), parameters.band_yuan)
        if band is None:
            continue
        place = {"community": facts.get("community"), "street": facts.get("street"), "district": ""}[parameters.place] or row.unit[:6]
        key = (str(place), int(facts.get("members_counted") or 0), band, causes.get(facts["household_id"], ""))
        groups[key].append((row, f"{facts['decision']}:{facts.get('category') or ''}"))
    found = []
    for (place, members, band, cause), cases in sorted(groups.items()):
        outcomes: dict[str, list[Any]] = defaultdict(list)
        for row, outcome in cases:
            outcomes[outcome].append(row)
        if len(outcomes) < 2:
            continue
        rarest = min(outcomes, key=lambda name: (len(outcomes[name]), name))
        first = outcomes[rarest][0]
        said = {"place": place, "members": members, "from_yuan": band * parameters.band_yuan, "below_yuan": (band + 1) * parameters.band_yuan, "cause": cause,
                "outcomes": {name: [row.no for row in rows] for name, rows in sorted(outcomes.items())}}  # fmt: skip
        found.append(Hit(first.id, first.no, first.unit, said, also=tuple(row.no for row, _ in cases if row.no != first.no)))
    return found


def _band(per_capita: Any, width: int) -> int | None:
    try:
        return int(Decimal(str(per_capita)) // width)
    except (InvalidOperation, ValueError):
        return None


# -- near relatives among those who handled the case


def relatives(conn: Connection, scope: Scope) -> list[Hit]:
    """`relatives_of` over who did tasks of the area's cases, or began them."""
    related = _related(conn)
    if not related:
        return []
    houses = {f"household:{house}" for house, _ in related}
    rows = _tasks(conn, scope, store.record.c.subject.in_(houses), or_(store.task.c.done_by.is_not(None), store.task.c.done_for.is_not(None)), more=[store.record.c.subject])
    query = select(store.record.c.id, store.record.c.no, store.record.c.unit, store.record.c.subject, store.record.c.opened_by)
    begun = conn.execute(query.where(*_cases(scope), store.record.c.subject.in_(houses), store.record.c.opened_by.is_not(None))).all()
    return relatives_of(rows, begun, related)


def _related(conn: Connection) -> dict[tuple[int, str], str]:
    """(household, login) -> how it is known that they are near relatives: declared by the household, found by the staff
    member's own declaration, or he is a member himself. Members who have left count."""
    found: dict[tuple[int, str], str] = {}
    members = select(household_member.c.household_id, staff.c.login).join(person, person.c.id == household_member.c.person_id)
    query = members.join(staff_relative, staff_relative.c.id_blind == person.c.id_blind).join(staff, staff.c.id == staff_relative.c.staff_id)
    found |= dict.fromkeys(map(_pair, conn.execute(query)), "found")
    found |= dict.fromkeys(map(_pair, conn.execute(members.join(staff, staff.c.person_blind == person.c.id_blind))), "member")
    declared = select(near_relative.c.household_id, near_relative.c.staff_login).where(near_relative.c.staff_login.is_not(None), near_relative.c.revoked_on.is_(None))
    return found | dict.fromkeys(map(_pair, conn.execute(declared)), "declared")


def _pair(row: Any) -> tuple[int, str]:
    return row[0], row[1]


def relatives_of(rows: Iterable[Any], begun: Iterable[Any], related: Mapping[tuple[int, str], str]) -> list[Hit]:
    """Who handled a case, began it, or had it handled in his place, and is a near relative of the household, as known today:
    also one who became so, or whose kinship came out, after he had acted."""
    found: dict[tuple[int, str], Hit] = {}

    def hit(case_id: int, no: str, unit: str, subject: str, login: str | None, node: str, key: str | None) -> None:
        how = related.get((int(subject.partition(":")[2]), login or ""))
        if how and (case_id, str(login)) not in found:
            found[case_id, str(login)] = Hit(case_id, no, unit, {"by": login, "how": how, "node": node}, key, seq=None if key else 1)

    for row in begun:
        hit(row.id, row.no, row.unit, row.subject, row.opened_by, "start", None)
    for row in rows:
        for login in (row.done_by, row.done_for):
            hit(row.case_id, row.no, row.case_unit, row.subject, login, row.node, row.key)
    return sorted(found.values(), key=lambda one: one.no)


# -- near relatives whom nobody declared


def undeclared(conn: Connection, scope: Scope) -> list[Hit]:
    """`undeclared_of` over the area's cases."""
    kin = _kin(conn, law.near_relations(scope.today))
    if not kin:
        return []
    row, houses = store.record.c, {house for house, _ in kin}
    subjects = [f"household:{house}" for house in houses]
    cases = conn.execute(select(row.id, row.no, row.unit, row.subject, row.opened_by).where(*_cases(scope), row.subject.in_(subjects)).order_by(row.id)).all()
    if not cases:
        return []
    touched: dict[tuple[int, str], tuple[str, str | None]] = {}
    for one in cases:
        if one.opened_by:
            touched[one.id, one.opened_by] = ("start", None)
    for one in _tasks(conn, scope, row.subject.in_(subjects), or_(store.task.c.done_by.is_not(None), store.task.c.done_for.is_not(None))):
        for login in (one.done_by, one.done_for):
            touched.setdefault((one.case_id, login), (one.node, one.key))
    held = select(staff.c.login, post.c.unit).join(staff, staff.c.id == post.c.staff_id).where(staff.c.active, post.c.active, post.c.role.in_(organisation.HANDLERS))
    posts: dict[str, set[str]] = defaultdict(set)
    for login, unit in conn.execute(held.where(staff.c.login.in_({login for _, login in kin}))):
        posts[login].add(unit)
    return undeclared_of(cases, kin, _declared(conn, houses), touched, posts)


def _kin(conn: Connection, near: frozenset[str]) -> dict[tuple[int, str], str]:
    """(household, login) -> what the register of staff says: the relation, or "self" for a member of the household. Members who have left count."""
    members = select(household_member.c.household_id, staff.c.login).join(person, person.c.id == household_member.c.person_id)
    query = members.add_columns(staff_relative.c.relation).join(staff_relative, staff_relative.c.id_blind == person.c.id_blind)
    found = {(house, login): relation for house, login, relation in conn.execute(query.join(staff, staff.c.id == staff_relative.c.staff_id)) if relation in near}
    return found | dict.fromkeys(map(_pair, conn.execute(members.join(staff, staff.c.person_blind == person.c.id_blind))), "self")


def _declared(conn: Connection, houses: Iterable[int]) -> dict[int, set[str] | None]:
    """Household -> logins and names that it declared, or the street registered; None: it said that there is a relative, and nobody is registered yet."""
    ids = sorted(houses)
    found: dict[int, set[str] | None] = dict.fromkeys(conn.scalars(select(household.c.id).where(household.c.id.in_(ids), household.c.near_relative_declared)))
    rows = conn.execute(select(near_relative.c.household_id, near_relative.c.staff_login, near_relative.c.staff_name).where(near_relative.c.household_id.in_(ids), near_relative.c.revoked_on.is_(None))).all()
    named_only = select(staff.c.login, staff.c.name).where(staff.c.name.in_({r.staff_name for r in rows if not r.staff_login}))
    logins: dict[str, str] = {login: name for login, name in conn.execute(named_only)}  # noqa: C416 - rows are no pairs to mypy
    for one in rows:
        named: set[str] = {one.staff_login} if one.staff_login else {login for login, name in logins.items() if name == one.staff_name}
        found[one.household_id] = (found.get(one.household_id) or set()) | named
    return found


def undeclared_of(cases: Iterable[Any], kin: Mapping[tuple[int, str], str], declared: Mapping[int, set[str] | None], touched: Mapping[tuple[int, str], tuple[str, str | None]],
                  posts: Mapping[str, set[str]]) -> list[Hit]:  # fmt: skip
    """Cases of a household with a member who, by the register of staff, is a near relative of somebody who handled the case or
    whose post handles or leads cases there, or sits on the committee (N220 art 14), and whom neither the household declared nor the
    street registered. Who handled the case comes first."""
    found = []
    for row in cases:
        house = int(row.subject.partition(":")[2])
        said = declared.get(house, set())
        for (of, login), relation in sorted(kin.items()):
            node, key = touched.get((row.id, login), ("", None))
            handles = node or any(row.unit.startswith(unit) for unit in posts.get(login, ()))
            if of == house and handles and said is not None and login not in said:
                what = {"by": login, "relation": relation, "node": node or None}
                found.append(Hit(row.id, row.no, row.unit, what, key, seq=None if key else 1))
    return sorted(found, key=lambda hit: (hit.what["node"] is None, hit.no))


LISTS: Mapping[str, List] = {one.key: one for one in (
    List("late", "超过时限", "Late", "办结日晚于最后一日的环节，或过了最后一日仍未办结的环节。", "Tasks done after their last day, or open past it.", ("late_days",), late),
    List("several_roles", "一人多岗", "One person in several roles", "同一人在同一个案中以两个以上岗位办理，其中至少一项是经委托、代理、转办、离职转办或加签得到的。",
         "One person acted in a case in two or more roles, and came to at least one task by delegation, substitution, transfer, hand-over or as an added signer.", (), several_roles),
    List("quick", "秒批", "Approved within seconds", "审核、审批从打开待办到提交不足规定的秒数；没有打开记录的，从待办到达起算。",
         "An opinion or approval handed in within so many seconds of the opening of the task; where no opening is known, of its arrival.", ("seconds",), quick),
    List("skipped_visits", "未走访", "Visits not made", "已作决定而没有入户调查、没有第二调查人签字，或者应当入户抽查而没有抽查；街镇当月抽查比例不足。",
         "Decided without the home survey, its second signature, or the spot-check visit that was due; streets below the rate of a month.", ("share_percent",), skipped_visits),
    List("unlike", "同类不同果", "Like cases, unlike outcomes", "人口、人均收入档次、致困原因和地点相同的家庭，决定不同。",
         "Households alike in members, band of income per head, cause of hardship and place, decided unlike.", ("band_yuan", "place"), unlike),
    List("relatives", "近亲属经办", "Near relatives", "经办人是（或后来成为、后来发现是）申请家庭的近亲属或成员。",
         "Somebody who handled the case is a near relative of the household, or became or was found to be one later.", (), relatives),
    List("undeclared", "近亲属未申报", "Near relative not declared", "按工作人员登记，申请家庭有成员是经办人员或居村委会成员的近亲属（范围见 relation_scope），而申请时没有申报、街镇也没有登记。",
         "By the register of staff a member of the household is a near relative (relation_scope) of somebody who handles or leads cases there or sits on its committee, and it was neither declared nor registered.", (), undeclared),
)}  # fmt: skip


def located(conn: Connection, hits: Sequence[Hit]) -> list[Hit]:
    """The same with the number of the entry each is about: the completion of its task, or else the latest that names it."""
    cases = {hit.case_id for hit in hits if hit.case_id and hit.task and hit.seq is None}
    seqs: dict[tuple[int, str], int] = {}
    done: set[tuple[int, str]] = set()
    for body in _bodies(conn, cases):
        data = body.get("data", {})
        opened = [key for key, _ in data.get("then", {}).get("opened", ())]
        for key in [*opened, data.get("task")]:
            at = (body["record"], key)
            if isinstance(key, str) and at not in done:
                seqs[at] = body["seq"]
        if body["event"] == "task_completed":
            done.add((body["record"], data["task"]))
    return [hit if hit.seq is not None or hit.case_id is None or hit.task is None else replace(hit, seq=seqs.get((hit.case_id, hit.task))) for hit in hits]


def counts(conn: Connection, scope: Scope) -> dict[str, int]:
    """How many findings each list has."""
    return {key: len(one.find(conn, scope)) for key, one in LISTS.items()}

