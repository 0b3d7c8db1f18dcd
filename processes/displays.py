"""长期公示 (M11, domain 1.11; N220 arts 25, 29, 34): who is in benefit hangs on the boards of district, street and community.

A display is a record of its own, one for each benefit. Its sheet shows the whitelist and nothing else: the applicant's name (a minor's is
masked), how many members, amount, category. The sheet is a copy of what counted when it was made; where the benefit has changed since, a new version is
made and put up. Postings and removals come with a photo. The periods are an office's rule (law values `display_*`, unverified).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Page, within
from processes import benefits, calendar, documents, erasure, households, identity, law, readers
from processes.benefit_tables import benefit_adjustment
from processes.display_forms import LEVELS, Posted, TakenDown
from processes.display_tables import display, display_posting
from processes.tables import benefit, household, person

SHOWN = frozenset({"dibao", "low_income"})  # 低收入 follows the dibao procedure (TLOW); of 特困 no source asks for a long-term display
OWED = frozenset({"dibao"})  # whom the paper has displayed [seed]: these are on the overdue list when they are not
REQUIRED = ("street", "community")  # 各相关管委会: where there is a zone committee, its board, too
LEVEL_NAMES = tuple(code for code, _zh, _en in LEVELS)
# Who puts up and takes off a sheet at a level.
POSTERS: Mapping[str, frozenset[str]] = {
    "community": frozenset({"village_committee", "window_clerk", "civil_affairs_officer"}),
    "street": frozenset({"window_clerk", "civil_affairs_officer"}),
    "district": frozenset({"district_examiner", "supervisor", "civil_affairs_officer"}),
}
MAKERS = frozenset({"window_clerk", "civil_affairs_officer", "village_committee"})
STATES = {"to_post": ("待张贴", "To be posted"), "to_reprint": ("待重新印制", "To be printed anew"), "to_remove": ("待揭下", "To be taken down"),
          "posted": ("公示中", "Displayed"), "ended": ("已结束", "Ended")}  # fmt: skip
_PERIODS = {"to_post": "display_post_workdays", "to_reprint": "display_reprint_workdays", "to_remove": "display_remove_workdays"}


# -- the sheet


def _current(conn: Connection, one: Mapping[Any, Any], on: date) -> dict[str, Any]:
    """What the whitelist says of a benefit on a day: by the last decision whose month has begun; before the first month by the grant."""
    house = households.row(conn, one["household_id"])
    who = conn.execute(select(person.c.name, person.c.birth_date).where(person.c.id == (one["person_id"] or house["applicant_id"]))).mappings().one()
    name, masked = identity.public_name(who["name"], who["birth_date"], on)
    month = max(f"{on:%Y-%m}", one["first_payment_month"])
    begun = [d for d in benefits.history_of(conn, one["id"]) if d["from_month"] <= month]
    last = begun[-1] if begun and (one["amount_from"] or "") > month else None
    fen, members, category = (last["after_fen"], last["after_members"], last["after_category"]) if last else (one["amount_fen"], one["members"], one["category"])
    return {"street": house["street"], "community": house["community"], "applicant": name, "masked": masked, "members": members, "category": category, "amount_fen": fen}


def _in_benefit(one: Mapping[Any, Any], on: date) -> bool:
    """A benefit that is stopped, or becomes one that is not displayed, from a later month on is displayed until then."""
    month = f"{on:%Y-%m}"
    if one["category"] not in SHOWN and (one["amount_from"] or "") <= month:
        return False
    return one["status"] in benefits.LIVE or (one["status"] == "stopped" and one["stopped_from"] > month)


def make(act: Act, benefit_id: int) -> dict[str, Any]:
    """The first sheet of a benefit. Returns {"display", "version"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    one = act.conn.execute(select(benefit).where(benefit.c.id == benefit_id)).mappings().one_or_none()
    house = households.row(act.conn, one["household_id"]) if one else None
    if one is None or house is None or not readers.of_cases(act.actor).covers(house["community"]):
        raise NotFound("没有这项救助待遇")
    act.open("benefit", benefit_id >> 16)  # two who make the same sheet at once wait for each other here
    _through(act, house["community"], MAKERS, "长期公示由居村委会、窗口经办人或民政专干办理", "The committee, window clerks and civil affairs officers make displays")
    _recusal(act, one["household_id"])
    if one["category"] not in SHOWN:
        raise Refused("display-category", "只有低保和低收入家庭实行长期公示，其他救助不得公开", "Only households on dibao or low-income relief are displayed; nothing else is made public")
    if not _in_benefit(one, act.today):
        raise Refused("display-ended", "这项救助已经停止，不再公示", "This benefit has ended: it is not displayed any more")
    if act.conn.scalar(select(display.c.id).where(display.c.benefit_id == benefit_id)) is not None:
        raise Conflict("这项待遇已有长期公示", "This benefit has a display already")
    record = act.new("display", house["community"], subject=f"household:{one['household_id']}")
    number = record.next_id()
    values = {"benefit_id": benefit_id, "household_id": one["household_id"], **_current(act.conn, one, act.today), "version": 1,
              "made_on": act.today.isoformat(), "made_by": act.actor.id}  # fmt: skip
    act.append(record, "display_made", {"version": 1}, puts=[Put("display", number, values, record.subject)])
    return _done(act, {"display": number, "version": 1})


def reprint(act: Act, display_id: int) -> dict[str, Any]:
    """A new version of the sheet, after the benefit, the applicant or the community has changed. Refused while nothing has."""
    record, row, one = _opened(act, display_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    now = _current(act.conn, one, act.today)
    moved = row["community"] if act.actor.post_over(row["community"], MAKERS) else now["community"]
    _through(act, moved, MAKERS, "长期公示由居村委会、窗口经办人或民政专干办理", "The committee, window clerks and civil affairs officers make displays")
    _recusal(act, row["household_id"])
    if not _in_benefit(one, act.today):
        raise Refused("display-ended", "这项救助已经停止，不再公示", "This benefit has ended: it is not displayed any more")
    if all(row[name] == value for name, value in now.items()):
        raise Conflict("公示内容没有变化，不需要重新印制", "Nothing of the sheet has changed")
    version = row["version"] + 1
    values = {**now, "version": version, "made_on": act.today.isoformat(), "made_by": act.actor.id}
    act.append(record, "display_reprinted", {"version": version}, puts=[Put("display", display_id, values, record.subject)])
    return _done(act, {"display": display_id, "version": version})


def post(act: Act, display_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """张贴: the present version hangs at a level; an older one that hung there is replaced by it. `said`: as understood by Posted."""
    record, row, one = _opened(act, display_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    level = said["level"]
    _level_post(act, row, level)
    _recusal(act, row["household_id"])
    if not _in_benefit(one, act.today):
        raise Refused("display-ended", "这项救助已经停止，不再公示", "This benefit has ended: it is not displayed any more")
    if any(row[name] != value for name, value in _current(act.conn, one, act.today).items()):
        raise Refused("display-stale", "救助情况已变化，请先重新印制公示表", "The benefit has changed since: print the sheet anew first")
    if row[f"{level}_version"] == row["version"]:
        raise Conflict("这一层级已张贴现行公示表", "The present sheet hangs there already")
    wrong = documents.foreign(act.conn, Posted(), said, row["household_id"])
    if said["posted_on"] < row["made_on"]:
        wrong["posted_on"] = [f"不能早于公示表制作日期（{row['made_on']}）"]
    if wrong:
        raise Invalid(wrong)
    day = said["posted_on"]
    hung = _hanging(act.conn, display_id, level)
    puts = [Put("display_posting", hung["id"], {"removed_on": day, "removed_by": act.actor.id, "removed_why": "replaced"})] if hung else []
    values = {"display_id": display_id, "level": level, "place": said["place"], "version": row["version"], "posted_on": day, "posted_by": act.actor.id, "photo_posted": said["photo"]}
    puts += [Put("display_posting", record.next_id(), values), Put("display", display_id, {f"{level}_version": row["version"]})]
    act.append(record, "display_posted", {"level": level, "version": row["version"]}, puts=puts)
    return _done(act, {"display": display_id, "version": row["version"]})


def take_down(act: Act, display_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """揭下: the sheet is off the board of a level. While the household is in benefit only to be corrected. `said`: as understood by TakenDown."""
    record, row, one = _opened(act, display_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    level = said["level"]
    _level_post(act, row, level)
    _recusal(act, row["household_id"])
    hung = _hanging(act.conn, display_id, level)
    if hung is None:
        raise Conflict("这一层级没有张贴公示表", "Nothing hangs there")
    if said["why"] == "ended" and one["status"] in benefits.LIVE and _in_benefit(one, act.today):
        raise Refused("display-live", "这户仍在享受救助，公示期间不能以救助停止为由揭下", "The household is still in benefit: its display stays up")
    wrong = documents.foreign(act.conn, TakenDown(), said, row["household_id"])
    if said["taken_down_on"] < hung["posted_on"]:
        wrong["taken_down_on"] = [f"不能早于张贴日期（{hung['posted_on']}）"]
    if wrong:
        raise Invalid(wrong)
    gone = {"removed_on": said["taken_down_on"], "removed_by": act.actor.id, "photo_removed": said["photo"], "removed_why": said["why"]}
    puts = [Put("display_posting", hung["id"], gone), Put("display", display_id, {f"{level}_version": None})]
    act.append(record, "display_taken_down", {"level": level, "why": said["why"]}, puts=puts)
    return _done(act, {"display": display_id, "version": row["version"]})


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


def _opened(act: Act, display_id: int) -> tuple[Record, Mapping[Any, Any], Mapping[Any, Any]]:
    """(record, locked; row; its benefit). NotFound for who does not read it."""
    if act.conn.scalar(select(display.c.id).where(display.c.id == display_id, _theirs(act.actor))) is None:
        raise NotFound("没有这份长期公示")
    record = act.open("display", display_id >> 16)
    row = act.conn.execute(select(display).where(display.c.id == display_id)).mappings().one()
    return record, row, benefits.row(act.conn, row["benefit_id"])


def _hanging(conn: Connection, display_id: int, level: str) -> Mapping[Any, Any] | None:
    where = and_(display_posting.c.display_id == display_id, display_posting.c.level == level, display_posting.c.removed_on.is_(None))
    return conn.execute(select(display_posting).where(where)).mappings().one_or_none()


def level_unit(row: Mapping[Any, Any], level: str) -> str:
    """Whose board it is: the code of the district, street or community."""
    return str(row["community"]) if level == "community" else str(row["community"])[: 6 if level == "district" else 9]


def _level_post(act: Act, row: Mapping[Any, Any], level: str) -> None:
    words = {"community": ("居村的公示由居村委会、窗口经办人或民政专干张贴、揭下", "At the community the committee, window clerks and civil affairs officers post"),
             "street": ("街镇的公示由窗口经办人或民政专干张贴、揭下", "At the street window clerks and civil affairs officers post"),
             "district": ("区级（管委会）的公示由区级审批、监督或民政人员张贴、揭下", "At the district its examiners, supervisors and civil affairs officers post")}  # fmt: skip
    _through(act, level_unit(row, level), POSTERS[level], *words[level])


def _through(act: Act, place: str, roles: frozenset[str], zh: str, en: str) -> None:
    if (held := act.actor.post_over(place, roles)) is None:
        raise Refused("display-post", zh, en)
    act.through(held)


def _recusal(act: Act, household_id: int) -> None:
    households.refuse_relative(act, household_id)
    erasure.refuse_restricted(act.conn, household_id)


# -- states: computed, for the benefit goes on without asking its display

_CHANGED = select(func.max(benefit_adjustment.c.decided_on)).where(benefit_adjustment.c.benefit_id == benefit.c.id).correlate(benefit).scalar_subquery()


def _hangs() -> ColumnElement[bool]:
    return or_(*(display.c[f"{level}_version"].is_not(None) for level in LEVEL_NAMES))


def _live(on: date) -> ColumnElement[bool]:
    month = f"{on:%Y-%m}"
    kind = or_(benefit.c.category.in_(SHOWN), benefit.c.amount_from > month)
    return and_(kind, or_(benefit.c.status.in_(benefits.LIVE), and_(benefit.c.status == "stopped", benefit.c.stopped_from > month)))


def _stale(on: date) -> ColumnElement[bool]:
    """Whether the sheet says something else than the benefit does, as far as that has begun."""
    grown = benefits.add_months(on, -12 * identity.ADULT_YEARS).isoformat()
    minor = func.coalesce(person.c.birth_date, "") > grown
    month = case((benefit.c.first_payment_month > f"{on:%Y-%m}", benefit.c.first_payment_month), else_=f"{on:%Y-%m}")
    begun = or_(benefit.c.amount_from.is_(None), benefit.c.amount_from <= month)
    differs = or_(benefit.c.amount_fen != display.c.amount_fen, benefit.c.members != display.c.members, benefit.c.category != display.c.category)
    return or_(and_(begun, differs), minor != display.c.masked, and_(~minor, person.c.name != display.c.applicant), household.c.community != display.c.community)


def _missing() -> ColumnElement[bool]:
    older = [or_(display.c[f"{level}_version"].is_(None), display.c[f"{level}_version"] < display.c.version) for level in REQUIRED]
    return or_(*older, display.c.district_version < display.c.version)


def _state(on: date) -> Any:
    return case((and_(~_live(on), _hangs()), "to_remove"), (~_live(on), "ended"), (_stale(on), "to_reprint"), (_missing(), "to_post"), else_="posted")


def _since(on: date) -> Any:
    """From which day the period of what is to be done counts: the decision, or the month from which it counts, whichever is later."""
    ended = func.coalesce(benefit.c.stopped_from, "") + "-01"
    begun = func.coalesce(benefit.c.amount_from, "") + "-01"
    decided = func.coalesce(_CHANGED, display.c.made_on)
    return case((~_live(on), case((ended > decided, ended), else_=decided)), (_stale(on), case((begun > decided, case((begun <= on.isoformat(), begun), else_=decided)), else_=decided)),
                else_=display.c.made_on)  # fmt: skip


def _joined(on: date) -> Any:
    return (select(display, _state(on).label("state"), _since(on).label("since"))
            .join(benefit, benefit.c.id == display.c.benefit_id).join(household, household.c.id == display.c.household_id)
            .join(person, person.c.id == func.coalesce(benefit.c.person_id, household.c.applicant_id)))  # fmt: skip


def _period(state: str, on: date) -> int:
    return int(law.value(_PERIODS[state], on).amount)


def _too_long_ago(on: date, workdays: int) -> str:
    """The last day of which the period of so many working days is over on a day."""
    day = on
    while calendar.add_workdays(day, workdays) >= on:
        day -= timedelta(days=1)
    return day.isoformat()


def _late(on: date) -> ColumnElement[bool]:
    return or_(*(and_(_state(on) == state, _since(on) <= _too_long_ago(on, _period(state, on))) for state in _PERIODS))


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """Of the area where it hangs, and of that to which the household has moved since."""
    areas = readers.of_cases(actor).areas
    return or_(within(display.c.community, areas), display.c.household_id.in_(select(household.c.id).where(within(household.c.community, areas))))


def listed(conn: Connection, actor: Actor, on: date, *, state: str | None = None, late: bool = False, unit: str | None = None, household_id: int | None = None,
           page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Displays of the actor's area, with `state`, `since` and `due_on`: what is to be done first, the longest waiting first."""
    where = [_theirs(actor)]
    if state:
        where.append(_state(on) == state)
    if late:
        where.append(_late(on))
    if unit:
        where.append(within(display.c.community, unit))
    if household_id is not None:
        where.append(display.c.household_id == household_id)
    query = _joined(on).where(*where)
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = case({"to_remove": 0, "to_reprint": 1, "to_post": 2, "posted": 3}, value=_state(on), else_=4)
    rows = conn.execute(query.order_by(order, _since(on), display.c.id).limit(size).offset((page - 1) * size)).mappings()
    return Page([_dated(row, on) for row in rows], total, page, size)


def counts(conn: Connection, actor: Actor, on: date) -> dict[str, int]:
    """State -> how many of the actor's area; "late": beyond their period; "owed": benefits that should be displayed and are not."""
    states = _joined(on).where(_theirs(actor)).subquery()
    found: dict[str, int] = {row[0]: row[1] for row in conn.execute(select(states.c.state, func.count()).group_by(states.c.state))}
    late = conn.scalar(select(func.count()).select_from(_joined(on).where(_theirs(actor), _late(on)).subquery())) or 0
    return {**dict.fromkeys(STATES, 0), **found, "late": late, "owed": owed(conn, actor, on, size=1).total}


def _dated(row: Mapping[Any, Any], on: date) -> dict[str, Any]:
    due = calendar.add_workdays(date.fromisoformat(row["since"]), _period(row["state"], on)).isoformat() if row["state"] in _PERIODS else None
    return {**row, "due_on": due, "late": due is not None and due < on.isoformat()}


def owed(conn: Connection, actor: Actor, on: date, *, unit: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Dibao benefits of the area that have no display yet: benefit_id, household_id, community, since, due_on, late; the oldest first."""
    where = [within(household.c.community, readers.of_cases(actor).areas), _live(on), benefit.c.category.in_(OWED), display.c.id.is_(None)]
    if unit:
        where.append(within(household.c.community, unit))
    since = func.coalesce(benefit.c.granted_on, benefit.c.first_payment_month + "-01")
    query = (select(benefit.c.id.label("benefit_id"), benefit.c.household_id, household.c.street, household.c.community, since.label("since"))
             .join(household, household.c.id == benefit.c.household_id).outerjoin(display, display.c.benefit_id == benefit.c.id).where(*where))  # fmt: skip
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    n = int(law.value("display_post_workdays", on).amount)
    rows: list[Mapping[Any, Any]] = []
    for row in conn.execute(query.order_by(since, benefit.c.id).limit(size).offset((page - 1) * size)).mappings():
        due = calendar.add_workdays(date.fromisoformat(row["since"]), n).isoformat()
        rows.append({**row, "due_on": due, "late": due < on.isoformat()})
    return Page(rows, total, page, size)


def seen(conn: Connection, actor: Actor, display_id: int, on: date) -> dict[str, Any]:
    """One display with state and dates; NotFound for who does not read it."""
    row = conn.execute(_joined(on).where(display.c.id == display_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这份长期公示")
    return _dated(row, on)


def postings(conn: Connection, display_id: int) -> Sequence[Mapping[Any, Any]]:
    return conn.execute(select(display_posting).where(display_posting.c.display_id == display_id).order_by(display_posting.c.id)).mappings().all()


def may(actor: Actor, row: Mapping[Any, Any]) -> dict[str, Any]:
    """What the actor can do now: {"reprint": bool, "post": [levels], "take_down": [levels]}."""
    live, held = row["state"] not in ("to_remove", "ended"), [level for level in LEVEL_NAMES if actor.post_over(level_unit(row, level), POSTERS[level]) is not None]
    stale = row["state"] == "to_reprint"
    return {"reprint": stale and not actor.roles.isdisjoint(MAKERS),
            "post": [level for level in held if live and not stale and row[f"{level}_version"] != row["version"]],
            "take_down": [level for level in held if row[f"{level}_version"] is not None]}  # fmt: skip


# -- what the public sees

PUBLIC = ("id", "street", "community", "applicant", "members", "category", "amount_fen", "made_on")


def public(conn: Connection, on: date, unit: str = "", *, display_id: int | None = None, page: int = 1, size: int = 50) -> Page:
    """The whitelist of what hangs somewhere and is of a household in benefit: a benefit that ends is gone from here by itself."""
    where = [_hangs(), _live(on), household.c.community == display.c.community, within(display.c.community, unit)]
    if display_id is not None:
        where.append(display.c.id == display_id)
    query = _joined(on).with_only_columns(*(display.c[name] for name in PUBLIC)).where(*where)
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = conn.execute(query.order_by(display.c.community, display.c.id).limit(size).offset((page - 1) * size)).mappings()
    return Page(list(rows), total, page, size)


def of_board(conn: Connection, actor: Actor, on: date, unit: str) -> list[dict[str, Any]]:
    """The displays in force of a community, for the sheet that hangs there; one cannot print those of a whole street by accident."""
    if not readers.of_cases(actor).covers(unit):
        raise NotFound("没有这个居村")
    query = _joined(on).where(display.c.community == unit, _live(on)).order_by(display.c.id)
    return [_dated(row, on) for row in conn.execute(query).mappings()]
