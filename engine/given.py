"""Which facts a form or a service gives: said beside it and held to it, so that a drawing's conditions can be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Mapping[str, Any]])


def gives(*names: str) -> Callable[[F], F]:
    """Declares the facts that a function may give, all of them. One that it gives without saying so is a TypeError."""
    declared = frozenset(names)

    def mark(function: F) -> F:
        @wraps(function)
        def held(*args: Any, **kwargs: Any) -> Mapping[str, Any]:
            found = function(*args, **kwargs)
            if odd := found.keys() - declared:
                raise TypeError(f"{function.__qualname__} gives {', '.join(sorted(odd))} without saying so")
            return found

        held.gives = declared  # type: ignore[attr-defined]
        return cast("F", held)

    return mark


def given(function: Callable[..., Any]) -> frozenset[str] | None:
    """The facts that a function says it gives; None when it does not say."""
    found: frozenset[str] | None = getattr(function, "gives", None)
    return found
