"""What every command begins with: the settings, and the district they name."""

from __future__ import annotations

import os
from pathlib import Path

import click

from processes import bureau as bureaus
from processes import schema
from web.settings import Settings


def settings() -> Settings:
    found = Settings.from_environment()
    if found.database.startswith("sqlite:///"):
        Path(found.database.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return found


def bureau() -> bureaus.Bureau:
    found = settings()
    schema.refuse_old(found.database)
    made = bureaus.build(found)
    bureaus.refuse_other_key(made)
    return made


def writable(out: Path) -> Path:
    """Asked before a long or recorded work whose result goes there. Raises ClickException."""
    if not os.access(out if out.exists() else out.resolve().parent, os.W_OK):
        raise click.ClickException(f"{out} cannot be written")
    return out
