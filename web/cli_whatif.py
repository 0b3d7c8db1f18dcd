"""`yingbao whatif`: a changed law over all households in benefit, or over the decisions of a period, on the command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from engine.errors import Invalid
from processes import whatif as forecasts
from processes.money import yuan
from processes.organisation import DISTRICT
from processes.whatif_law import BadChange
from web.english import english
from web.opening import bureau, writable
from web.progress import progress

_OPTIONS = {"from_on": "from", "until_on": "to"}


@click.command()
@click.option("--law", "--table", "files", multiple=True, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="changed amounts (YAML) or a changed table (.dmn); may be said again")
@click.option("--on", default="", metavar="YYYY-MM-DD", help="a day of the month that is tried; over decisions, left out: what the files say of each decision's own month")
@click.option("--over", type=click.Choice(forecasts.OVER), default=forecasts.OVER[0], help="households in benefit as they stand, or the decisions of a period from the figures of then")
@click.option("--from", "from_on", default="", metavar="YYYY-MM-DD", help="first day of the decisions")
@click.option("--to", "until_on", default="", metavar="YYYY-MM-DD", help="their last day")
@click.option("--scope", default=DISTRICT, metavar="UNIT", help="code of a unit: the households of it and of those below it")
@click.option("--margin", default=forecasts.MARGIN, metavar="YUAN", help="a head: what is nearer to a line is a near miss")
@click.option("--csv", "out", type=click.Path(dir_okay=False, path_type=Path), help="where a line for each household goes (numbers, no names)")
@click.option("--view", type=click.Choice(forecasts.VIEWS), default="all", help="which of them")
@click.option("--json", "as_json", is_flag=True)
@click.option("--processes", type=click.IntRange(1, 256), default=max(1, os.cpu_count() or 1), help="how many at a time")
@click.option("--resume", type=click.Path(dir_okay=False, path_type=Path), help="keep results here; a run that was interrupted goes on from it")
def whatif(files: tuple[Path, ...], on: str, over: str, from_on: str, until_on: str, scope: str, margin: str, out: Path | None, view: str, processes: int, resume: Path | None, *, as_json: bool) -> None:
    """Try a changed law over the households in benefit as they stand, or over decisions of before; nothing is written to them. Exit 2: a file is no good."""
    try:
        asked = forecasts.Question.understood([file.read_bytes() for file in files], on, scope, margin, over=over, from_on=from_on, until_on=until_on)
    except BadChange as error:
        for fault in error.faults:
            click.echo(f"{'/'.join(file.name for file in files)}:{fault.line}: {fault.en} / {fault.zh}", err=True)
        sys.exit(2)
    except Invalid as error:
        for path, texts in (error.english or error.fields).items():
            click.echo(f"--{_OPTIONS.get(path, path)}: {'; '.join(english(text) for text in texts)}", err=True)
        sys.exit(2)
    if out is not None:
        writable(out)
    made = bureau()
    try:
        with progress("households" if over == forecasts.OVER[0] else "cases") as told:
            report = forecasts.run(made, asked, processes=processes, resume=resume, told=told)
    finally:
        made.office.store.close()
    if out is not None:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
            file.writelines(forecasts.csv_lines(report.seen(view)))
    said = report.told()
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else _text(said))


def _text(said: Mapping[str, Any]) -> str:
    what = "households" if said["from_on"] is None else f"decisions from {said['from_on']} to {said['until_on']}"
    lines = [f"{said['month']}  {said['scope']}  {said['households']} {what}" + "".join(f", {one['households']} left out ({one['reason']})" for one in said["left_out"])]
    lines += [f"  {one['name']}: {one['before']} -> {one['after']} (since {one['since']}, {one['source']})" for one in said["law"]["values"]]
    lines += [f"  table {one['name']}: {one['before'][:16]} -> {one['after'][:16]}" for one in said["law"]["tables"]]
    lines += [f"a month: {yuan(said['before_fen'])} -> {yuan(said['after_fen'])} yuan (on record {yuan(said['recorded_fen'])}; {said['differs']} differ from it)"]
    if said["before_once_fen"] or said["after_once_fen"]:
        lines += [f"given once: {yuan(said['before_once_fen'])} -> {yuan(said['after_once_fen'])} yuan"]
    lines += [f"{one['move']:<8}{one['households']:>8}{yuan(one['before_fen']):>18} -> {yuan(one['after_fen']):>18}" for one in said["moves"]]
    lines += [f"near the {one['line']}, {one['side']} it: {one['households']} (within {said['margin']} yuan a head)" for one in said["near"]]
    for one in said["streets"]:
        lines.append(f"{one['street']} {one['street_name']} {one['category']}: {one['households_before']} -> {one['households_after']}, {yuan(one['before_fen'])} -> {yuan(one['after_fen'])}")
    if said["earlier"]:
        lines.append(f"{said['earlier']} of them were computed by the interrupted run")
    return "\n".join(lines)
