"""Whether the conditions of one gateway exclude each other, decided by trying them.

The facts have no bound, the literals of the conditions do: a fact that is only compared with literals behaves like one of these,
like a value between two of them, or like a value that is none of them. Every part that is no such comparison (two facts compared,
membership in a fact) is taken as a truth of its own that may be either. So no overlap is missed; two conditions that exclude each
other for a deeper reason than this can see are refused all the same, and the author writes one as `not` the other.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from engine.expression import Expression, ExpressionError, compile_expression

MAX_TRIED = 50_000
_OTHER = "…"  # a text that no condition mentions; `_other` makes it longer until that is so


class TooMany(Exception):
    """More values, or longer conditions, than are tried."""


@dataclass(slots=True)
class _Term:
    """What literals are compared with: a fact, or a computation on facts, with the literals that stand beside it."""

    literals: list[Any] = field(default_factory=list)
    ordered: bool = False  # by <, <=, > or >=
    truth: bool = False  # stands alone as a condition
    free: bool = False  # no comparison with literals: true or false
    length: bool = False  # len(...): a whole number, not negative

    def values(self) -> list[Any]:
        if self.free:
            return [True, False]
        if self.length:
            whole = {0, 1, *(v + n for v in self.literals if isinstance(v, int) for n in (-1, 0, 1))}
            return sorted(n for n in whole if n >= 0)
        known = [*self.literals, *(int(v) for v in self.literals if isinstance(v, bool))]  # 0 == False, but 0 is not False
        known += [0, "", []] if self.truth else []  # what is false in other ways than None
        found = [*known, *(self._between(known) if self.ordered else []), self._other(), None, True, False]
        return list({repr(value): value for value in found}.values())  # 1 and True are equal, but not the same

    def _other(self) -> str:
        other = _OTHER
        while other in self.literals:
            other += _OTHER
        return other

    @staticmethod
    def _between(known: Sequence[Any]) -> Iterator[Any]:
        """One value below, between and above those that are told apart, of each kind that has an order."""
        numbers = sorted({Decimal(int(v)) for v in known if isinstance(v, int)})
        for low, high in itertools.pairwise(numbers):
            yield int(low) + 1 if high - low > 1 else low + Decimal("0.5")
        yield from [int(numbers[0]) - 1, int(numbers[-1]) + 1] if numbers else []
        texts = [v for v in known if isinstance(v, str)]
        yield from ["", *(text + "\0" for text in texts)] if texts else []  # nothing stands between a text and itself with "\0"
        for day in (v for v in known if isinstance(v, date)):
            yield from (day + timedelta(days=n) for n in (-1, 1) if date.min < day < date.max)


class Ways:
    """The conditions of the flows out of one gateway, by the flow's id. Raises BadExpression for a text that is no expression, TooMany."""

    def __init__(self, conditions: Mapping[str, str]) -> None:
        self.terms: dict[str, _Term] = {}
        self._named: dict[str, str] = {}  # term -> the name that stands for it
        self._conditions = {flow: self._rewritten(text) for flow, text in conditions.items()}

    def overlaps(self) -> Iterator[tuple[str, str, str]]:
        """(flow, later flow, values for which both are true), for every pair of flows that overlap. Raises TooMany."""
        for one, other in itertools.combinations(self._conditions, 2):
            for facts in self._assignments([one, other]):
                if self._holds(one, facts) and self._holds(other, facts):
                    yield one, other, self._told(facts)
                    break

    def hole(self) -> str | None:
        """Values for which all conditions are computed and none is true, or None. Raises TooMany."""
        for facts in self._assignments(list(self._conditions)):
            if all(self._holds(flow, facts) is False for flow in self._conditions):
                return self._told(facts)
        return None

    def _holds(self, flow: str, facts: Mapping[str, Any]) -> bool | None:
        """None: cannot be computed for these values (a number compared with a text), so no way is taken."""
        try:
            return bool(self._conditions[flow].evaluate(facts))
        except ExpressionError:
            return None

    def _assignments(self, flows: Sequence[str]) -> Iterator[dict[str, Any]]:
        read = frozenset().union(*(self._conditions[flow].names for flow in flows))
        names = {name: term for term, name in self._named.items() if name in read}
        domains = [self.terms[term].values() for term in names.values()]
        tried = 1
        for domain in domains:
            tried *= len(domain)
        if tried > MAX_TRIED:
            raise TooMany
        for values in itertools.product(*domains):
            yield dict(zip(names, values, strict=True))

    def _told(self, facts: Mapping[str, Any]) -> str:
        terms = {name: term for term, name in self._named.items()}
        return ", ".join(f"{terms[name]} = {value!r}" for name, value in facts.items())

    # -- the condition with a name in place of every term, so that the engine's own evaluator tries it

    def _rewritten(self, text: str) -> Expression:
        compile_expression(text)  # refuses what is not allowed before anything is made of it
        try:
            return compile_expression(ast.unparse(self._truth(ast.parse(text.strip(), mode="eval").body)))
        except ExpressionError as error:  # written out it is longer than an expression may be
            raise TooMany from error

    def _truth(self, node: ast.expr) -> ast.expr:
        """`node` where only its truth counts."""
        if isinstance(node, ast.BoolOp):
            return ast.BoolOp(node.op, [self._truth(part) for part in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ast.UnaryOp(node.op, self._truth(node.operand))
        if isinstance(node, ast.IfExp):
            return ast.IfExp(self._truth(node.test), self._truth(node.body), self._truth(node.orelse))
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if _literal(node):
            return node
        name = self._stand_in(node)
        self.terms[ast.unparse(node)].truth = True
        return name

    def _compared(self, node: ast.Compare) -> ast.expr:
        sides = [node.left, *node.comparators]
        if len({ast.unparse(side) for side in sides if not _literal(side)}) != 1 or not all(
            _plain(op, left, right) for op, left, right in zip(node.ops, sides, sides[1:], strict=False)
        ):
            return node if all(map(_literal, sides)) else self._stand_in(node, free=True)
        replaced = [side if _literal(side) else self._stand_in(side) for side in sides]
        term = self.terms[next(ast.unparse(side) for side in sides if not _literal(side))]
        term.ordered |= any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            term.literals += [_value(left)] if _literal(left) else []
            term.literals += (_value(right) if isinstance(op, ast.In | ast.NotIn) else [_value(right)]) if _literal(right) else []
        return ast.Compare(replaced[0], node.ops, replaced[1:])

    def _stand_in(self, node: ast.expr, *, free: bool = False) -> ast.Name:
        text = ast.unparse(node)
        length = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"
        self.terms.setdefault(text, _Term(free=free, length=length))
        return ast.Name(self._named.setdefault(text, f"t{len(self._named)}"))


def _literal(node: ast.expr) -> bool:
    """Reads no fact, so it always has the same value: also date('2018-01-01')."""
    if any(isinstance(part, ast.Name) for part in ast.walk(node) if not _function_of(part, node)):
        return False
    try:
        compile_expression(ast.unparse(node)).evaluate({})
    except ExpressionError:
        return False
    return True


def _function_of(name: ast.AST, whole: ast.expr) -> bool:
    return any(isinstance(part, ast.Call) and part.func is name for part in ast.walk(whole))


def _value(node: ast.expr) -> Any:
    return compile_expression(ast.unparse(node)).evaluate({})


def _plain(op: ast.cmpop, left: ast.expr, right: ast.expr) -> bool:
    """A comparison that the domain of its literals decides: no part of a text, no list in order, nothing found inside a fact."""
    if isinstance(op, ast.In | ast.NotIn):
        return _literal(right) and isinstance(_value(right), list)
    ordered = isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    return not ordered or not any(_literal(side) and isinstance(_value(side), list) for side in (left, right))
