"""Conditions, timers and deadline rules as safe expressions: an allow-list of syntax, compiled once into closures.

Names are facts; a fact that is not set yet is None. There is no attribute access, no float, and every size is bounded.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

MAX_SOURCE, MAX_NODES, MAX_SIZE, MAX_INT = 2_000, 200, 10_000, 10**18

Facts = Mapping[str, Any]
Compiled = Callable[[Facts, Mapping[str, Callable[..., Any]]], Any]


class ExpressionError(Exception):
    """Base of both."""


class BadExpression(ExpressionError):
    """The text is not an expression of ours; found when a drawing is deployed."""


class ExpressionFailed(ExpressionError):
    """The expression could not be computed on these facts."""


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}  # fmt: skip
_EQUAL: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not}  # fmt: skip
_ORDER: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt), ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda a, b: a in b), ast.NotIn: ("not in", lambda a, b: a not in b)}  # fmt: skip
BUILTINS: Mapping[str, Callable[..., Any]] = {"len": len, "min": min, "max": max, "abs": abs, "date": date.fromisoformat}


@dataclass(frozen=True)
class Expression:
    source: str
    names: frozenset[str]  # the facts it reads
    functions: frozenset[str]
    _compiled: Compiled

    def evaluate(self, facts: Facts, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
        try:
            return _bounded(self._compiled(facts, functions or {}))
        except ExpressionError:
            raise
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
            raise ExpressionFailed(f"{self.source!r}: {error}") from error


def compile_expression(source: str, functions: tuple[str, ...] = ()) -> Expression:
    """`functions`: names, beside BUILTINS, that may be called; they are handed to `evaluate`."""
    if not isinstance(source, str):  # before the cache, which would fail on what cannot be hashed
        raise BadExpression("an expression is text")
    return _compile(source, functions)


@lru_cache(maxsize=2048)
def _compile(source: str, functions: tuple[str, ...]) -> Expression:
    if len(source) > MAX_SOURCE:
        raise BadExpression("expression too long")
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadExpression(f"not an expression: {source[:80]!r}") from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise BadExpression("expression too complex")
    compiler = _Compiler(frozenset(BUILTINS) | frozenset(functions))
    try:
        compiled = compiler.build(tree.body)
    except RecursionError as error:
        raise BadExpression("expression too deep") from error
    return Expression(source, frozenset(compiler.names), frozenset(compiler.called), compiled)


class _Compiler:
    def __init__(self, callable_names: frozenset[str]) -> None:
        self.callable_names = callable_names
        self.names: set[str] = set()
        self.called: set[str] = set()

    def build(self, node: ast.expr) -> Compiled:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise BadExpression(f"not allowed here: {type(node).__name__}")
        built: Compiled = method(node)
        return built

    def _constant(self, node: ast.Constant) -> Compiled:
        value = node.value
        if value is not None and not isinstance(value, (bool, int, str)):
            raise BadExpression(f"not allowed here: {value!r}")
        _bounded(value, BadExpression)
        return lambda _f, _g: value

    def _name(self, node: ast.Name) -> Compiled:
        name = node.id
        if name.startswith("_"):
            raise BadExpression(f"not a fact: {name}")
        if name in self.callable_names:
            raise BadExpression(f"{name} is a function, not a fact")
        self.names.add(name)
        return lambda facts, _g: facts.get(name)

    def _boolop(self, node: ast.BoolOp) -> Compiled:
        parts, stop = [self.build(v) for v in node.values], isinstance(node.op, ast.Or)

        def run(facts: Facts, functions: Any) -> Any:
            result: Any = None
            for part in parts:
                result = part(facts, functions)
                if bool(result) is stop:
                    break
            return result

        return run

    def _unaryop(self, node: ast.UnaryOp) -> Compiled:
        operand = self.build(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda f, g: not operand(f, g)
        if isinstance(node.op, ast.USub):
            return lambda f, g: -_number(operand(f, g))
        raise BadExpression("not allowed here: unary operator")

    def _binop(self, node: ast.BinOp) -> Compiled:
        apply = _ARITHMETIC.get(type(node.op))
        if apply is None:
            raise BadExpression(f"not allowed here: {type(node.op).__name__}")
        left, right = self.build(node.left), self.build(node.right)
        return lambda f, g: _bounded(apply(_number(left(f, g)), _number(right(f, g))))

    def _compare(self, node: ast.Compare) -> Compiled:
        first = self.build(node.left)
        rest = [(_comparison(op, right), self.build(right)) for op, right in zip(node.ops, node.comparators, strict=True)]
        if len(rest) == 1:
            [(compare, right)] = rest
            return lambda f, g: compare(first(f, g), right(f, g))

        def run(facts: Facts, functions: Any) -> bool:
            left = first(facts, functions)
            for compare, part in rest:
                following = part(facts, functions)
                if not compare(left, following):
                    return False
                left = following
            return True

        return run

    def _ifexp(self, node: ast.IfExp) -> Compiled:
        test, yes, no = self.build(node.test), self.build(node.body), self.build(node.orelse)
        return lambda f, g: yes(f, g) if test(f, g) else no(f, g)

    def _list(self, node: ast.List | ast.Tuple) -> Compiled:
        # A tuple is a list too: facts are JSON, and (1, 2) must equal what a form stored.
        values = [_constant_of(element) for element in node.elts]
        return lambda _f, _g: list(values)

    _tuple = _list

    def _subscript(self, node: ast.Subscript) -> Compiled:
        key: Any = _constant_of(node.slice)
        if type(key) not in (int, str):
            raise BadExpression("only constant subscripts")
        whole = self.build(node.value)

        def run(facts: Facts, functions: Any) -> Any:
            held: Any = whole(facts, functions)
            if not isinstance(held, (dict, list)):
                raise ExpressionFailed("only lists and tables have parts")
            return held[key]

        return run

    def _call(self, node: ast.Call) -> Compiled:
        if not isinstance(node.func, ast.Name) or node.func.id not in self.callable_names:
            raise BadExpression("no such function")
        name, named = node.func.id, _named(node)
        if name in BUILTINS and named:
            raise BadExpression(f"{name} takes no named arguments")
        self.called.add(name)
        args = [self.build(a) for a in node.args]  # a starred argument is no allowed node

        def run(facts: Facts, functions: Mapping[str, Callable[..., Any]]) -> Any:
            function = functions.get(name) or BUILTINS.get(name)
            if function is None:
                raise ExpressionFailed(f"{name} is not given here")
            return _bounded(function(*[a(facts, functions) for a in args], **named))

        return run


def _named(node: ast.Call) -> dict[str, str]:
    named: dict[str, str] = {}
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg is None or not isinstance(value, str):
            raise BadExpression("named arguments are constant text")
        if keyword.arg in named:  # ast.parse lets it pass
            raise BadExpression(f"{keyword.arg} is given twice")
        named[keyword.arg] = value
    return named


def _constant_of(node: ast.expr) -> Any:
    minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if isinstance(node, ast.UnaryOp) and minus else node
    value = inner.value if isinstance(inner, ast.Constant) else ...
    if value is not None and not isinstance(value, (bool, int, str)):
        raise BadExpression("only constants stand here")
    _bounded(value, BadExpression)
    return -_number(value, BadExpression) if minus else value


def _comparison(op: ast.cmpop, right: ast.expr) -> Callable[[Any, Any], Any]:
    # Whether two equal texts are one object is chance, and a replay must not depend on it.
    if isinstance(op, (ast.Is, ast.IsNot)) and not (isinstance(right, ast.Constant) and type(right.value) in (type(None), bool)):
        raise BadExpression("`is` asks for None, True or False only")
    if type(op) in _EQUAL:
        return _EQUAL[type(op)]
    sign, compare = _ORDER[type(op)]

    def run(a: Any, b: Any) -> Any:
        try:
            return compare(a, b)
        except TypeError as error:
            if a is None or b is None:
                raise ExpressionFailed(f"a fact that is not set cannot be compared by {sign}") from error
            raise ExpressionFailed(f"{type(a).__name__} {sign} {type(b).__name__} cannot be compared") from error

    return run


def _number(value: Any, error: type[ExpressionError] = ExpressionFailed) -> Any:
    if value is None:
        raise error("a fact that is not set is no number")
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise error(f"not a number: {type(value).__name__}")
    return value


def _bounded(value: Any, error: type[ExpressionError] = ExpressionFailed) -> Any:
    if isinstance(value, (str, list, dict)) and len(value) > MAX_SIZE:
        raise error("value too large")
    if isinstance(value, int) and abs(value) > MAX_INT:
        raise error("number too large")
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value) > MAX_INT):
        raise error("number too large")
    return value


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline rule: `n` working or calendar days since a fact (or since the task opened); promptly has no last day.
    `stopped` names the fact that holds for how many working days the clock stood still: they are added. `limit` names the fact
    that holds the number itself, where the law gives it by date or circumstance; then `n` is None."""

    kind: str  # workdays | days | promptly
    n: int | None = None
    since: str | None = None
    stopped: str | None = None
    limit: str | None = None

    @property
    def facts(self) -> frozenset[str]:
        return frozenset(name for name in (self.since, self.stopped, self.limit) if name)


def parse_due(source: str) -> Due:
    """`workdays(10, since='accepted_on')`, `days(3, since='decided_on')` or `promptly()`; BadExpression for the rest.
    Working days may also be `workdays(10, since='accepted_on', stopped='stopped_workdays')`, and their number that of a fact:
    `workdays('limit_workdays', since='accepted_on')`."""
    compile_expression(source, ("workdays", "days", "promptly"))  # sizes, syntax, names
    return _parse_due(source)


@lru_cache(maxsize=512)
def _parse_due(source: str) -> Due:
    call = ast.parse(source.strip(), mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise BadExpression(f"not a deadline rule: {source!r}")
    kind, named = call.func.id, _named(call)
    values = [_constant_of(a) for a in call.args]
    if kind == "promptly" and not values and not named:
        return Due("promptly")
    allowed = {"workdays": {"since", "stopped"}, "days": {"since"}}.get(kind)
    if allowed is None or len(values) != 1 or named.keys() - allowed:
        raise BadExpression(f"not a deadline rule: {source!r}")
    n, since, stopped = values[0], named.get("since"), named.get("stopped")
    limit = n if isinstance(n, str) and kind == "workdays" else None
    if limit is None and (isinstance(n, bool) or not isinstance(n, int) or not 0 < n <= 3660):
        raise BadExpression(f"not a number of days: {n!r}")
    for name in (since, stopped, limit):
        if name is not None and (not name.isidentifier() or name.startswith("_")):
            raise BadExpression(f"not a fact: {name!r}")
    return Due(kind, None if limit else n, since, stopped, limit)
