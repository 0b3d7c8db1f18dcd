"""The web application over a test's district."""

from __future__ import annotations

import copy
from typing import Any

from flask import Flask

from web import create_app

_MADE: dict[tuple[str, bool], Flask] = {}


def app_of(bureau: Any) -> Flask:
    """`create_app(bureau=bureau)`, put together once a process: its routes, its document of the API and its compiled templates
    are the same over every district. What belongs to one district, and what a test might set, is the copy's own."""
    kind = (bureau.settings.secret_key, bureau.settings.production)
    if kind not in _MADE:
        _MADE[kind] = create_app(bureau=bureau)
        _MADE[kind].extensions.pop("bureau")  # only a copy is asked
    made = copy.copy(_MADE[kind])
    made.extensions = {**made.extensions, "bureau": bureau}
    made.config = copy.copy(made.config)
    return made
