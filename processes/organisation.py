"""The district's tree and its staff: units, posts, declared relatives, sign-in, tokens. Changes need two administrators."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

import argon2
from sqlalchemy import Connection, String, and_, bindparam, func, literal, select

from engine import unmanned
from engine.cases import Holder
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Data, Put
from engine.office import Act
from engine.prepared import Prepared
from engine.process import Logins, Process
from engine.queries import Area, within
from processes import identity, law, routing
from processes.tables import api_token, post, staff, staff_change, unit

DISTRICT = "120116"
ROLES = {
    "window_clerk": ("窗口经办人", "Window clerk"),
    "civil_affairs_officer": ("民政专干", "Civil affairs officer"),
    "investigator": ("入户调查人", "Investigator"),
    "reviewer": ("审核人", "Reviewer"),
    "street_leader": ("街镇分管领导", "Street leader"),
    "means_checker": ("核对员", "Means checker"),
    "spot_checker": ("区级抽查人", "Spot checker"),
    "district_examiner": ("区级审查人", "District examiner"),
    "approver": ("审批人", "Approver"),
    "finance_officer": ("资金发放岗", "Finance officer"),
    "meeting_secretary": ("联席会议秘书", "Meeting secretary"),
    "meeting_member": ("联席会议成员", "Meeting member"),
    "meeting_liaison": ("联席会议联络员", "Meeting liaison"),
    "meeting_convener": ("联席会议召集人", "Meeting convener"),
    "department_worker": ("部门经办人", "Department worker"),
    "complaint_officer": ("投诉举报受理人", "Complaint officer"),
    "supervisor": ("监督主管", "Supervisor"),
    "auditor": ("审计", "Auditor"),
    "grid_worker": ("网格员", "Grid worker"),
    "village_committee": ("居村委会成员", "Village committee"),
    "volunteer": ("志愿者", "Volunteer"),
    "admin": ("系统管理员", "Administrator"),
}
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
RESERVED = frozenset({"system", "import"})  # who acts when nobody is signed in
# 低保经办人员 and 居村委会成员 (domain 5.4): who handle or lead acceptance, investigation, audit or approval, and committee members.
HANDLERS = frozenset({"window_clerk", "civil_affairs_officer", "investigator", "reviewer", "street_leader", "means_checker", "spot_checker",
                      "district_examiner", "approver", "supervisor", "village_committee"})  # fmt: skip
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DUMMY = _HASHER.hash("no such person")


@lru_cache(maxsize=1)
def divisions() -> tuple[Mapping[str, str], ...]:
    """The real streets, zones and communities (2023): level, code, name, parent_code."""
    with (resources.files("processes") / "data" / "binhai_divisions.csv").open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def seed(act: Act) -> int:
    """Write the tree into the record of the district; how many units."""
    record = act.new("unit", DISTRICT)
    rows = [{"code": DISTRICT, "name": "滨海新区", "level": "district", "parent_code": ""}]
    rows += [{k: d[k] for k in ("code", "name", "level", "parent_code")} for d in divisions()]
    rows += _departments()
    for start in range(0, len(rows), 100):
        puts = [Put("unit", record.next_id(), row) for row in rows[start : start + 100]]
        act.append(record, "units_listed", puts=puts)
    return len(rows)


def _departments() -> list[dict[str, str]]:
    return [{"code": one.code, "name": one.name, "level": "department", "parent_code": DISTRICT} for one in routing.departments()]


def add_departments(act: Act) -> int:
    """Departments that a district from before the joint meeting lacks are listed in its record; how many."""
    district = act.conn.scalar(select(unit.c.id).where(unit.c.code == DISTRICT))
    known = set(act.conn.scalars(select(unit.c.code).where(unit.c.level == "department")))
    lacking = [row for row in _departments() if row["code"] not in known]
    if district is None or not lacking:
        return 0
    record = act.open("unit", district >> 16)
    act.append(record, "units_listed", puts=[Put("unit", record.next_id(), row) for row in lacking])
    return len(lacking)


def unit_at(level: str, facts: Mapping[str, Any]) -> str:
    """The unit that does a case's work at a level: the street and the community of its facts, else the district."""
    return {"street": facts.get("street"), "community": facts.get("community")}.get(level) or DISTRICT


def unit_name(conn: Connection, code: str) -> str:
    return conn.scalar(select(unit.c.name).where(unit.c.code == code)) or code


def units(conn: Connection, under: Area = DISTRICT, level: str | None = None) -> list[Mapping[Any, Any]]:
    query = select(unit).where(within(unit.c.code, under)).order_by(unit.c.code)
    return list(conn.execute(query if level is None else query.where(unit.c.level == level)).mappings())


def code_of(conn: Connection, said: str) -> str:
    """The code of a unit that somebody names by its name, if that is one unit's; else what he said: it is a code, or nothing."""
    said = said.strip()
    found = list(conn.scalars(select(unit.c.code).where(unit.c.name == said).limit(2))) if said and not said.isascii() else []
    return str(found[0]) if len(found) == 1 else said


# -- staff


def add_staff(act: Act, login: str, name: str, password: str, posts: Iterable[Sequence[str]], id_no: str = "", *, hashed: str = "") -> int:
    """A new staff member with posts [(role, unit)]; the row's id. `hashed`: the password's hash, when it was proposed before."""
    _good_login(act.conn, login)
    if not name.strip() or len(name) > 60:
        raise Invalid({"name": ["请填写姓名，最多 60 字"]})
    pairs = _good_posts(act.conn, posts)
    record = act.new("staff", pairs[0][1], subject=f"staff:{login}")
    staff_id = record.id
    values = {"login": login, "name": name.strip(), "active": True, "password_hash": hashed or hash_password(password),
              "person_blind": act.keys.blind(_good_number(act, id_no)) if id_no else None}  # fmt: skip
    puts = [Put("staff", staff_id, values, f"staff:{login}")]
    puts += [Put("post", record.next_id(), {"staff_id": staff_id, "role": r, "unit": u, "active": True}) for r, u in pairs]
    act.append(record, "staff_added", {"login": login}, puts=puts)
    unmanned.plan(act, record, gained=pairs)
    return staff_id


def _good_login(conn: Connection, login: str) -> None:
    if not LOGIN.fullmatch(login) or login in RESERVED:
        raise Invalid({"login": ["登录名用 2 至 60 个小写字母、数字、点、下划线或连字符，不能用 system、import"]})
    if conn.scalar(select(staff.c.id).where(staff.c.login == login)) is not None:
        raise Conflict(f"登录名 {login} 已被使用", f"The login {login} is taken")


def hash_password(password: str) -> str:
    if not 8 <= len(password) <= 200:
        raise Invalid({"password": ["密码为 8 至 200 位"]})
    return _HASHER.hash(password)


def _good_number(act: Act, id_no: str) -> str:
    """The ID as households keep it: else the cross-match would find nothing."""
    number = identity.normalise(id_no)
    if why := identity.problem(number, act.today):
        raise Invalid({"id_no": [why]})
    return number


def _good_posts(conn: Connection, posts: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    pairs = [(p[0], p[1]) for p in posts]
    if not pairs:
        raise Invalid({"posts": ["至少一个岗位"]})
    for role, code in pairs:
        if role not in ROLES:
            raise Invalid({"posts": [f"没有这个岗位：{role}"]})
        if conn.scalar(select(unit.c.id).where(unit.c.code == code)) is None:
            raise Invalid({"posts": [f"没有这个机构：{code}"]})
    return pairs


def change_posts(act: Act, login: str, posts: Iterable[Sequence[str]]) -> None:
    """All posts of a staff member, (role, unit) each, in place of those he had; who is kept from open tasks by that is looked for again. Raises Invalid, NotFound."""
    pairs = _good_posts(act.conn, posts)
    row = _staff(act.conn, login)
    record = act.open("staff", row["id"])
    old = act.conn.execute(select(post).where(post.c.staff_id == row["id"], post.c.active)).mappings().all()
    puts = [Put("post", held["id"], {"active": False}) for held in old]
    puts += [Put("post", record.next_id(), {"staff_id": row["id"], "role": r, "unit": u, "active": True}) for r, u in pairs]
    act.append(record, "posts_changed", {"login": login}, puts=puts)
    before = {(held["role"], held["unit"]) for held in old}
    unmanned.plan(act, record, lost=before - {*pairs}, gained={*pairs} - before)


def _good_relation(act: Act, relation: str) -> None:
    if relation not in law.near_relations(act.today):
        raise Invalid({"relation": ["没有这种近亲属关系"]})


def deactivate(act: Act, login: str) -> None:
    row = _staff(act.conn, login)
    record = act.open("staff", row["id"])
    act.append(record, "staff_deactivated", {"login": login}, puts=[Put("staff", row["id"], {"active": False})])
    unmanned.plan(act, record, lost=_posts_of(act.conn, row["id"]))


def declare_relative(act: Act, login: str, relation: str, name: str, id_no: str) -> None:
    """A near relative of a staff member: households with this person are recused from him."""
    _good_relation(act, relation)
    row = _staff(act.conn, login)
    blind = act.keys.blind(_good_number(act, id_no))
    record = act.open("staff", row["id"])
    values = {"staff_id": row["id"], "relation": relation, "name": name, "id_blind": blind}
    act.append(record, "relative_declared", {"login": login}, puts=[Put("staff_relative", record.next_id(), values, f"staff:{login}")])
    unmanned.plan(act, record, lost=_posts_of(act.conn, row["id"]))


def _posts_of(conn: Connection, staff_id: int) -> list[tuple[str, str]]:
    return [(row.role, row.unit) for row in conn.execute(select(post.c.role, post.c.unit).where(post.c.staff_id == staff_id, post.c.active))]


def _staff(conn: Connection, login: str) -> Mapping[Any, Any]:
    row = conn.execute(select(staff).where(staff.c.login == login)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有这位工作人员：{login}")
    return row


# -- changes by administrators: one proposes, another confirms

_KINDS: Mapping[str, Callable[..., Any]] = {"posts": change_posts, "relative": declare_relative, "deactivate": deactivate, "add": add_staff}
_DETAILS = {"posts": {"posts"}, "relative": {"relation", "name", "id_no"}, "deactivate": set(), "add": {"name", "password", "posts"}}


def propose_change(act: Act, login: str, kind: str, detail: Mapping[Any, Any]) -> int:
    """What another administrator may confirm; wrong proposals are refused here, so that confirming is one look and one press."""
    _admins_only(act)
    if kind not in _KINDS:
        raise Invalid({"kind": ["没有这种变更"]})
    checked = _checked_detail(act, login, kind, dict(detail))
    record = act.new("staff_change", DISTRICT, subject=f"staff:{login}")
    values = {"staff_login": login, "kind": kind, "detail": json.dumps(checked, ensure_ascii=False),
              "proposed_by": act.actor.id, "state": "proposed"}  # fmt: skip
    act.append(record, "change_proposed", puts=[Put("staff_change", record.id, values, f"staff:{login}")])
    return record.id


def _admins_only(act: Act) -> None:
    if "admin" not in act.actor.roles:
        raise Refused("admin", "只有系统管理员可以变更人员和岗位", "Only administrators change staff")


def _checked_detail(act: Act, login: str, kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    wrong = (_DETAILS[kind] - detail.keys()) | (detail.keys() - _DETAILS[kind] - ({"id_no"} if kind == "add" else set()))
    if wrong:
        raise Invalid({name: ["缺少这一项，或没有这一项"] for name in sorted(wrong)})
    if "posts" in detail:
        detail["posts"] = _good_posts(act.conn, detail["posts"])
    if detail.get("id_no") or kind == "relative":
        detail["id_no"] = _good_number(act, str(detail["id_no"]))
    if kind == "relative":
        _good_relation(act, detail["relation"])
    if kind != "add":
        _staff(act.conn, login)
        return detail
    _good_login(act.conn, login)
    return {k: v for k, v in detail.items() if k != "password"} | {"password": "", "hashed": hash_password(detail["password"])}


def _proposed(act: Act, change_id: int) -> Mapping[Any, Any]:
    """A change that still waits, its record locked: two administrators cannot settle it twice."""
    _admins_only(act)
    act.open("staff_change", change_id)
    row = act.conn.execute(select(staff_change).where(staff_change.c.id == change_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这项变更")
    if row["state"] != "proposed":
        raise Conflict("这项变更已经处理", "This change is settled already")
    return row


def refuse_change(act: Act, change_id: int) -> None:
    """Another administrator says no, or the proposer takes it back."""
    _proposed(act, change_id)
    record = act.open("staff_change", change_id)
    act.append(record, "change_refused", puts=[Put("staff_change", change_id, {"state": "refused", "confirmed_by": act.actor.id})])


def confirm_change(act: Act, change_id: int) -> None:
    """A proposed change of staff takes effect by a second person (domain 5.2). Raises Refused "two-persons" for its proposer, NotFound, Conflict for one that is
    settled already."""
    row = _proposed(act, change_id)
    if row["proposed_by"] == act.actor.id:
        raise Refused("two-persons", "提出变更的人不能自己确认（双人规则）", "The proposer may not confirm")
    detail = json.loads(act.keys.reveal("staff_change", "detail", change_id, row["detail"]))
    record = act.open("staff_change", change_id)
    act.append(record, "change_confirmed", puts=[Put("staff_change", change_id, {"state": "confirmed", "confirmed_by": act.actor.id})])
    _KINDS[row["kind"]](act, row["staff_login"], **detail)


def changes(conn: Connection, state: str = "proposed") -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(staff_change).where(staff_change.c.state == state).order_by(staff_change.c.id)).mappings())


# -- who is who

_ACTOR = Prepared(
    select(staff.c.name, post.c.role, post.c.unit)
    .select_from(staff)
    .outerjoin(post, and_(post.c.staff_id == staff.c.id, post.c.active))
    .where(staff.c.login == bindparam("the_login", type_=String), staff.c.active)
)


_AT_ONCE = 4  # roles that are asked for in one statement


@lru_cache(maxsize=64)
def _holding(recused: Logins | None, roles: int = _AT_ONCE) -> Prepared:
    """Posts in office with one of so many roles over a unit, and whether recusal keeps the holder from a case."""
    kept_away = literal(value=False) if recused is None else staff.c.login.in_(recused)
    posts = select(staff.c.login, post.c.role, post.c.unit, kept_away.label("recused")).join(post, post.c.staff_id == staff.c.id)
    covers = func.substr(bindparam("the_unit", type_=String), 1, func.length(post.c.unit)) == post.c.unit
    return Prepared(posts.where(staff.c.active, post.c.active, post.c.role.in_([bindparam(f"role_{n}", type_=String) for n in range(roles)]), covers))


def holding(roles: Sequence[str], place: str) -> tuple[Prepared, dict[str, Any]]:
    """The question who holds one of these posts over a place: login, role, unit."""
    return _holding(None, len(roles)), {f"role_{n}": role for n, role in enumerate(roles)} | {"the_unit": place}


def holders(conn: Connection, process: Process, facts: Data, tasks: Sequence[Mapping[Any, Any]], recused: frozenset[str] | None) -> list[Holder]:
    """Everybody in office who holds the role of one of these tasks of a case over its unit, and some who hold another's there. The
    tasks of a case lie in one line of units (community, street, district) as a rule: then they are asked for at once. `recused`: whom the
    rules keep away from the case, where that is known."""
    found: list[Holder] = []
    units = sorted({task["unit"] for task in tasks}, key=len, reverse=True)
    for place in [one for n, one in enumerate(units) if not any(longer.startswith(one) for longer in units[:n])]:
        roles = sorted({task["role"] for task in tasks if place.startswith(task["unit"])})
        for start in range(0, len(roles), _AT_ONCE):
            some = roles[start : start + _AT_ONCE]
            wanted = {f"role_{n}": some[min(n, len(some) - 1)] for n in range(_AT_ONCE)} | {"the_unit": place}
            if recused is None:
                rows = _holding(process.recused).rows(conn, wanted | process.recusal_facts(facts))
            else:
                rows = _holding(None).rows(conn, wanted)
            found += [Holder(row["login"], row["role"], row["unit"], bool(row["recused"]) or row["login"] in (recused or ())) for row in rows]
    return list(dict.fromkeys(found))


def find_actor(conn: Connection, login: str) -> Actor | None:
    """The staff member as an actor: each role where the post is held; `unit` is one that covers all posts."""
    rows = _ACTOR.rows(conn, {"the_login": login})
    if not rows:
        return None
    posts = tuple((row["role"], row["unit"]) for row in rows if row["role"] is not None)
    return Actor(login, rows[0]["name"], frozenset(role for role, _ in posts), _common([code for _, code in posts]), posts=posts)


def _common(codes: Sequence[str]) -> str:
    """The unit that covers all: the shortest, when it is a prefix of the rest; else the district."""
    shortest = min(codes, key=len, default="none")
    return shortest if all(code.startswith(shortest) for code in codes) else DISTRICT


def sign_in(conn: Connection, login: str, password: str) -> Actor | None:
    """The actor, or None; takes the same time whether the login exists or not."""
    query = select(staff.c.password_hash, staff.c.active).where(staff.c.login == login)
    row = conn.execute(query).one_or_none() if LOGIN.fullmatch(login) else None
    try:
        _HASHER.verify(row.password_hash if row and row.password_hash else _DUMMY, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return None
    return find_actor(conn, login) if row and row.active else None


def make_token(act: Act, login: str, name: str) -> str:
    """A bearer token; only its digest is kept."""
    row = _staff(act.conn, login)
    token = "yb_" + secrets.token_urlsafe(32)
    record = act.open("staff", row["id"])
    values = {"staff_id": row["id"], "digest": hashlib.sha256(token.encode()).hexdigest(), "name": name, "revoked": False}
    act.append(record, "token_made", {"name": name}, puts=[Put("api_token", record.next_id(), values)])
    return token


def revoke_tokens(act: Act, login: str) -> int:
    """All tokens of a staff member stop working; how many did. One administrator is enough: a lost token cannot wait for a second."""
    if act.actor.roles.isdisjoint({"admin", "system"}):
        raise Refused("admin", "只有系统管理员可以吊销令牌", "Only administrators revoke tokens")
    row = _staff(act.conn, login)
    live = act.conn.scalars(select(api_token.c.id).where(api_token.c.staff_id == row["id"], api_token.c.revoked.is_(False))).all()
    if live:
        act.append(act.open("staff", row["id"]), "tokens_revoked", puts=[Put("api_token", n, {"revoked": True}) for n in live])
    return len(live)


def live_tokens(conn: Connection) -> dict[str, int]:
    """login -> how many tokens still work; who has none is left out."""
    query = select(staff.c.login, func.count()).join(api_token, api_token.c.staff_id == staff.c.id)
    rows = conn.execute(query.where(api_token.c.revoked.is_(False)).group_by(staff.c.login).order_by(staff.c.login))
    return {row[0]: row[1] for row in rows}


def actor_for_token(conn: Connection, token: str) -> Actor | None:
    digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    query = select(staff.c.login).join(api_token, api_token.c.staff_id == staff.c.id)
    login = conn.scalar(query.where(api_token.c.digest == digest, api_token.c.revoked.is_(False)))
    return find_actor(conn, login) if login else None


def colleagues(conn: Connection, role: str | None = None, unit_code: str = "") -> list[dict[str, Any]]:
    """Active staff with a role whose post covers the unit: for pickers."""
    query = select(staff.c.login, staff.c.name, post.c.role, post.c.unit).join(post, post.c.staff_id == staff.c.id)
    query = query.where(staff.c.active, post.c.active).order_by(staff.c.login)
    if role:
        query = query.where(post.c.role == role)
    rows = conn.execute(query).mappings()
    return [dict(r) for r in rows if not unit_code or unit_code.startswith(r["unit"])]


def staff_count(conn: Connection) -> int:
    return conn.scalar(select(func.count()).select_from(staff)) or 0


