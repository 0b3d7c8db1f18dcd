"""API: changes of staff, posts and declared relatives. One administrator proposes, another confirms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine.errors import Invalid, Refused
from engine.office import Act
from processes import identity, law, organisation
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_staff", __name__, url_prefix="/api/v1", description="Staff, posts, declared relatives")

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "add": ("name", "password", "posts"), "posts": ("posts",), "relative": ("relation", "name", "id_no"), "deactivate": ()}  # fmt: skip
_EXAMPLE = {"login": "wang.fang", "kind": "posts", "posts": [{"role": "reviewer", "unit": "120116011"}]}


class Post(schemas.Strict):
    role = schemas.one_of(*organisation.ROLES, required=True)
    unit = schemas.text("code of a unit", required=True, most=20)


class StaffChangeIn(schemas.Strict):
    """`add`: name, password, posts. `posts`: posts. `relative`: relation, name, id_no. `deactivate`: nothing."""

    login = schemas.text("whose", required=True)
    kind = schemas.one_of(*_NEEDED, required=True)
    name = schemas.text("of the staff member, or of his relative")
    password = schemas.text("at least 8 characters; to be changed", most=200)
    posts = fields.List(fields.Nested(Post), validate=validate.Length(1, 20, error="1 至 20 个岗位"))
    relation = schemas.one_of(*law.ever_near())
    id_no = schemas.text("of the relative", most=40)


class StaffChange(schemas.Said):
    id = fields.Integer(required=True)
    staff_login = fields.String(required=True)
    kind = fields.String(required=True)
    proposed_by = fields.String(required=True)
    state = fields.String(required=True)


class TokensOf(schemas.Strict):
    login = schemas.text("whose tokens stop working", required=True)


class Tokens(schemas.Said):
    login = fields.String(required=True)
    tokens = fields.Integer(required=True, metadata={"description": "how many work"})


class TokensRevoked(schemas.Said):
    login = fields.String(required=True)
    revoked = fields.Integer(required=True, metadata={"description": "how many worked until now"})


def _administrator() -> None:
    if "admin" not in me().roles:
        raise Refused("admin", "只有系统管理员可以变更人员和岗位", "Only administrators change staff")


@operation(blp, "GET", "/staff-changes", schemas.paged(StaffChange), asks=schemas.Paging, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """What was proposed and waits for a second administrator."""
    _administrator()
    with bureau().office.read() as conn:
        rows = [
            {k: r[k] for k in ("id", "staff_login", "kind", "proposed_by", "state")} for r in organisation.changes(conn)
        ]
    return schemas.cut(rows, asked["page"], asked["size"])


@operation(blp, "POST", "/staff-changes", schemas.Id, status=201, takes=StaffChangeIn, example=_EXAMPLE)
def propose(said: dict[str, Any]) -> Any:
    """Propose a change; it has no effect until another administrator confirms it."""

    def work(act: Act) -> dict[str, Any]:
        return {"id": organisation.propose_change(act, said["login"], said["kind"], _detail(act, said))}

    return once(said, work)


def _detail(act: Act, said: dict[str, Any]) -> dict[str, Any]:
    needed = _NEEDED[said["kind"]]
    given = said.keys() - {"login", "kind"}
    if wrong := {n: ["必须填写"] for n in needed if not said.get(n)} | {
        n: ["这种变更没有这一项"] for n in given - set(needed)
    }:
        raise Invalid(wrong)
    detail = {name: said[name] for name in needed}
    if "posts" in detail:
        detail["posts"] = [[p["role"], p["unit"]] for p in detail["posts"]]
    if "id_no" in detail:
        detail["id_no"] = identity.normalise(detail["id_no"])
        if why := identity.problem(detail["id_no"], act.today, production=bureau().settings.production):
            raise Invalid({"id_no": [why]})
    return detail


@operation(blp, "POST", "/staff-changes/<row:change_id>/confirm", schemas.Id, optional=True, replies=(404,))
def confirm(change_id: int) -> Any:
    """The second administrator confirms; the change has effect at once."""

    def work(act: Act) -> dict[str, Any]:
        organisation.confirm_change(act, change_id)
        return {"id": change_id}

    return once({}, work)


@operation(blp, "POST", "/staff-changes/<row:change_id>/refuse", schemas.Id, optional=True, replies=(404,))
def refuse(change_id: int) -> Any:
    """The second administrator says no, or the proposer takes it back."""

    def work(act: Act) -> dict[str, Any]:
        organisation.refuse_change(act, change_id)
        return {"id": change_id}

    return once({}, work)


# -- tokens


@operation(blp, "GET", "/staff-tokens", schemas.paged(Tokens), asks=schemas.Paging, replies=(403,))
def tokens(asked: dict[str, Any]) -> Any:
    """Who has tokens that work, and how many; for administrators. A token itself is never shown again."""
    _administrator()
    with bureau().office.read() as conn:
        rows = [{"login": login, "tokens": n} for login, n in organisation.live_tokens(conn).items()]
    return schemas.cut(rows, asked["page"], asked["size"])


@operation(blp, "POST", "/staff-tokens/revoke", TokensRevoked, takes=TokensOf, example={"login": "li.wei"}, replies=(404,))
def revoke(said: dict[str, Any]) -> Any:
    """All tokens of a staff member stop working at once; one administrator is enough."""

    def work(act: Act) -> dict[str, Any]:
        return {"login": said["login"], "revoked": organisation.revoke_tokens(act, said["login"])}

    return once(said, work)
