"""What every API call needs: the actor of a token, a JSON body that is one, pages, and the act with its idempotency key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from flask import abort, g, request

from engine.model import Actor
from engine.office import Act
from processes import organisation
from web.desk import bureau

MAX_DEPTH, MAX_SIZE, MAX_PAGE, MAX_ID = 12, 200, 1_000_000, 2**62


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Only with a bearer token of an active staff member."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        actor = None
        if scheme.lower() == "bearer" and token:
            with bureau().office.read() as conn:
                actor = organisation.actor_for_token(conn, token.strip())
        if actor is None:
            abort(401, description="需要有效的令牌 / a valid bearer token is needed")
        g.api_actor = actor
        return view(*args, **kwargs)

    return wrapped


def me() -> Actor:
    found: Actor = g.api_actor
    return found


def body() -> dict[str, Any]:
    """The request's JSON object. 400 not JSON, 415 not said to be, 422 not an object or absurd."""
    if not request.is_json:
        abort(415, description="请以 application/json 提交 / send application/json")
    try:
        said = json.loads(request.get_data().decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_no_twins)
        json.dumps(said, ensure_ascii=False).encode("utf-8")  # a lone surrogate is no text
    except (ValueError, RecursionError):
        abort(400, description="不是正确的 JSON / not valid JSON")
    if not isinstance(said, dict):
        abort(422, description="应当是一个对象 / an object is expected")
    if _depth(said) > MAX_DEPTH:
        abort(422, description="嵌套过深 / nested too deeply")
    return said


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _depth(value: Any, at: int = 1) -> int:
    if at > MAX_DEPTH + 1 or not isinstance(value, (dict, list)):
        return at
    inner = value.values() if isinstance(value, dict) else value
    return max((_depth(v, at + 1) for v in inner), default=at)


def whole(name: str, default: int, top: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and 1 <= int(text) <= top):
        abort(422, description=f"{name}: 1..{top}")
    return int(text)


def paging() -> tuple[int, int]:
    return whole("page", 1, MAX_PAGE), whole("size", 25, MAX_SIZE)


def known_id(number: int) -> int:
    if number > MAX_ID:
        abort(404)
    return number


@contextmanager
def acting(sent: Any) -> Iterator[Act]:
    """The one transaction of a changing call; `Idempotency-Key` makes a repeat harmless."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > 100:
        abort(422, description="Idempotency-Key: at most 100 characters")
    with bureau().office.act(me(), (key, [request.path, sent]) if key else None) as act:
        yield act


def if_match() -> str | None:
    given = request.headers.get("If-Match")
    return given.strip().removeprefix("W/").strip('"') if given else None
