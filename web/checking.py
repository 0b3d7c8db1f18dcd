"""核对后提交: before a decision that no other step undoes, its answers and what follows from them are shown once more.

The first press tries the whole act and undoes it: whatever the engine would refuse is said before anybody checks. The second one,
from the page that showed the answers, does it. All that was typed travels in the page, so that it works without a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.forms import Form
from engine.model import Actor
from web.desk import bureau, lang


class _EnoughError(Exception):
    """Undoes an act that was only tried."""


def final(form_class: type[Form]) -> Mapping[str, tuple[str, ...]] | None:
    """Field -> answers of it that nobody undoes; empty: all of the form is so; None: nothing."""
    found: Mapping[str, tuple[str, ...]] | None = getattr(form_class, "FINAL", None)
    return found


def wanted(form_class: type[Form], typed: Mapping[str, Any]) -> bool:
    """Whether these answers are checked before they are submitted."""
    grave = final(form_class)
    return grave is not None and (not grave or any(typed.get(name) in answers for name, answers in grave.items()))


def tried(actor: Actor, task_id: int, typed: Mapping[str, Any], etag: str | None) -> dict[str, Any]:
    """What completing the task would bring: `opened`, perhaps `outcome`, `waits_for_signers`. Nothing stays. Raises what completing raises."""
    made, told = bureau(), dict[str, Any]()
    try:
        with made.office.act(actor) as act:
            told = made.cases.complete(act, task_id, typed, etag=etag, lang=lang())
            raise _EnoughError  # noqa: TRY301 - this is how an act is undone
    except _EnoughError:
        return told


def inputs(typed: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Names and values of a form's inputs that `engine.forms.from_html` reads as `typed`."""
    found: list[tuple[str, str]] = []
    for name, value in typed.items():
        key = f"{prefix}{name}"
        for n, one in enumerate(value if isinstance(value, list) else [value]):
            found += inputs(one, f"{key}-{n}-") if isinstance(one, Mapping) else [(key, str(one))]
    return found
