"""What every API call needs: the actor of a token, a body that is JSON, a known query, the one act with its key."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import abort, g, request
from marshmallow import Schema, ValidationError

from engine import queries
from engine.cases import task_etag
from engine.errors import Conflict, Invalid, Refused
from engine.forms import Form, flat, understand
from engine.model import Actor
from engine.office import Act
from engine.process import Broken
from processes import organisation
from web.desk import READERS, bureau, roles_for
from web.tasks import seen

MAX_BODY, MAX_DEPTH, MAX_INT = 1024 * 1024, 12, 2**53 - 1  # bytes; levels; what every JSON reader keeps exactly
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")
_KEY = re.compile(r"[\x21-\x7e]{1,100}")
_CHINESE = {
    "Missing data for required field.": "必须填写", "Field may not be null.": "不能为空", "Unknown field.": "没有这一项",
    "Not a valid string.": "应当是文字", "Not a valid integer.": "应当是整数", "Not a valid boolean.": "应当是 true 或 false",
    "Not a valid list.": "应当是一个列表", "Not a valid mapping type.": "应当是一组字段", "Invalid input type.": "应当是一组字段",
    "Invalid type.": "应当是一组字段"}  # fmt: skip


# -- who asks, in which language


def spoken() -> str:
    return request.accept_languages.best_match(["zh", "en"], default="zh") or "zh"


def say(zh: str, en: str) -> str:
    return en if spoken() == "en" else zh


def unmanned(barring: Iterable[tuple[str | None, Broken]]) -> list[dict[str, Any]]:
    """Whom which rule keeps from a task that nobody may do, as schemas.Unmanned."""
    return [{"staff": login, "rule": broken.rule, "why": say(broken.zh, broken.en)} for login, broken in barring]


def authenticate() -> None:
    """Only with a bearer token of an active staff member; read anew for each call, so that a removed post counts at once."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    actor = None
    if scheme.lower() == "bearer" and 0 < len(token) <= 200:
        with bureau().office.read() as conn:
            actor = organisation.actor_for_token(conn, token.strip())
    if actor is None:
        abort(401, description=say("需要有效的令牌（Authorization: Bearer …）", "A valid bearer token is needed"))
    g.api_actor = actor


def me() -> Actor:
    found: Actor = g.api_actor
    return found


def caseworker(unit: str) -> None:
    """Households and documents are entered by those who do casework there; auditors and administrators only read."""
    if roles_for(me(), unit) <= READERS:
        raise Refused("casework", "您的岗位只能查看，不能登记家庭资料", "Your post may read, not enter")


# -- what was sent


def body(*, optional: bool = False) -> dict[str, Any]:
    """The request's JSON object. 415 not said to be JSON, 413 too large, 400 not JSON, 422 not an object or absurd."""
    raw = _sent()
    if optional and not raw.strip():
        return {}
    if not request.is_json:
        abort(415, description=say("请以 application/json 提交", "Send application/json"))
    try:
        said = json.loads(raw.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_no_twins)
        deep = _depth(said) > MAX_DEPTH
    except (ValueError, RecursionError):
        abort(
            400,
            description=say(
                "不是正确的 JSON（UTF-8，同名字段不能出现两次）", "Not valid JSON (UTF-8, no name given twice)"
            ),
        )
    if deep:
        abort(400, description=say(f"嵌套过深，最多 {MAX_DEPTH} 层", f"Nested too deeply, at most {MAX_DEPTH} levels"))
    if not isinstance(said, dict):
        raise Invalid({"_": [say("应当是一个 JSON 对象", "A JSON object is expected")]})
    _sane(said, "")
    return said


def _sent() -> bytes:
    if (request.content_length or 0) > MAX_BODY or len(raw := request.get_data()) > MAX_BODY:
        abort(413, description=say("提交的内容太大，最多 1 MB", "Too large, at most 1 MB"))
    return raw


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


def _sane(value: Any, path: str) -> None:
    """What no database keeps and no reader agrees on is refused before any form looks at it."""
    match value:
        case dict():
            for name, inner in value.items():
                _sane(name, path or "_")
                _sane(inner, f"{path}.{name}" if path else name)
        case list():
            for n, inner in enumerate(value):
                _sane(inner, f"{path}.{n}")
        case str() if _UNREADABLE.search(value):
            raise Invalid({_readable(path): [say("含有不能保存的字符", "Characters that cannot be kept")]})
        case int() if abs(value) > MAX_INT:
            raise Invalid({path: [say("数字太大", "The number is too large")]})
        case float() if not math.isfinite(value):
            raise Invalid({path: [say("不是数字", "Not a number")]})


def _readable(path: str) -> str:
    return _UNREADABLE.sub("?", path)


def query(schema: type[Schema]) -> dict[str, Any]:
    """The query string as the schema understands it; unknown and repeated names are refused."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise Invalid({_readable(twice[0][:60]): [say("只能给一次", "Given more than once")]})
    return load(schema, request.args.to_dict())


def load(schema: type[Schema], said: Any) -> dict[str, Any]:
    """What a schema understood, with errors in words for caseworkers."""
    if issubclass(schema, Form):
        context: dict[str, Any] = {
            "today": bureau().office.today(),
            "actor": me() if "api_actor" in g else None,
            "facts": {},
            "lang": spoken(),
        }
        return understand(schema(context=context), said)
    try:
        loaded: dict[str, Any] = schema().load(said)
    except ValidationError as error:
        found = flat(error.messages)
        raise Invalid(
            found if spoken() == "en" else {k: [_CHINESE.get(t, t) for t in v] for k, v in found.items()}
        ) from error
    return loaded


# -- acting


def once(sent: Any, work: Callable[[Act], dict[str, Any]], who: Actor | None = None) -> dict[str, Any]:
    """The one transaction of a changing call. `who`: the caller, where he stands in for somebody. With `Idempotency-Key` a repeat has no effect and gets the first answer."""
    idem = key_of(sent)
    try:
        with bureau().office.act(who or me(), idem) as act:
            if (told := _earlier(act)) is not None:
                return told
            told = work(act)
            if idem and act.recall() is None:
                act.remember(told)
            return told
    except Conflict:
        if idem:  # the same request, sent twice at once: the other one may have been first
            with bureau().office.act(me(), idem) as act:
                if (told := _earlier(act)) is not None:
                    return told
        raise


def _earlier(act: Act) -> dict[str, Any] | None:
    told: dict[str, Any] | None = act.recall()
    return told


def key_of(sent: Any) -> tuple[str, Any] | None:
    """The `Idempotency-Key` of the call with what it covers, or None."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Invalid({"Idempotency-Key": [say("1 至 100 个可见的 ASCII 字符", "1 to 100 visible ASCII characters")]})
    return key, [request.method, request.path, sent]


def named_task(act: Act, task_id: int) -> Mapping[Any, Any]:
    """The task, if I may see it; with `If-Match`, locked and still as the caller last saw it."""
    row = queries.task_row(act.conn, task_id)
    seen(me(), row)
    g.task_of_this_call = task_id  # a conflict says how it stands
    if wanted := if_match():
        act.open("case", row["case_id"])
        row = queries.task_row(act.conn, task_id)
        if task_etag(row) not in wanted:
            stale(say(f"这件待办已经办结（{row['done_by'] or ''}），您这次提交没有生效", "This task is closed already; nothing was changed")
                  if row["state"] != "open" else "")  # fmt: skip
    return row


def if_match() -> frozenset[str]:
    """The tags of `If-Match`, quoted or bare; empty when there is none or it is `*`."""
    given = request.headers.get("If-Match", "")
    tags = frozenset(t.strip().removeprefix("W/").strip('"') for t in given.split(","))
    return frozenset() if tags in (frozenset({""}), frozenset({"*"})) else tags


def stale(text: str = "") -> None:
    abort(
        412,
        description=text or say("在您打开后有变化，请核对后再提交", "It has changed since you opened it; look again"),
    )
