"""The auditor's commands: lists, samples, conformance, the event log. They read; nothing is changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, select

from processes import audit, audit_lists, conformance, event_log
from processes.bureau import CATALOGUE, Bureau

DAY = click.DateTime(["%Y-%m-%d"])


def add_to(cli: click.Group, export: click.Group, opened: Callable[[], Bureau]) -> None:
    """Put the commands into the group of all commands, and `log` into that of exports. `opened` gives the bureau."""
    cli.add_command(_group(opened))
    export.add_command(_log(opened))


def _group(opened: Callable[[], Bureau]) -> click.Group:
    @click.group("audit")
    def made() -> None:
        """What auditors look at: lists of anomalies, random samples, conformance."""

    made.add_command(_lists(opened))
    made.add_command(_sample(opened))
    made.add_command(_conformance(opened))
    return made


def _lists(opened: Callable[[], Bureau]) -> click.Command:
    @click.command("lists")
    @click.argument("key", required=False, type=click.Choice(list(audit_lists.LISTS)))
    @click.option("--process", default=None, type=click.Choice(list(CATALOGUE)))
    @click.option("--set", "said", multiple=True, metavar="NAME=VALUE", help="a parameter, e.g. seconds=60; the rest is YINGBAO_AUDIT")
    @click.option("--json", "as_json", is_flag=True)
    def made(key: str | None, process: str | None, said: tuple[str, ...], *, as_json: bool) -> None:
        """Findings of one list, or how many each has."""
        if any("=" not in word for word in said):
            raise click.UsageError("--set is NAME=VALUE")
        bureau = opened()
        parameters = audit_lists.Parameters.understood(dict(word.split("=", 1) for word in said), bureau.settings.audit)
        with bureau.office.read() as conn:
            scope = audit_lists.Scope("", bureau.office.today(), parameters, process, bureau.office.keys)
            if key is None:
                numbers = audit_lists.counts(conn, scope)
                _told(numbers, [f"{n:>6}  {name:<16} {audit_lists.LISTS[name].zh}" for name, n in numbers.items()], as_json=as_json)
                return
            hits = audit_lists.located(conn, audit_lists.LISTS[key].find(conn, scope))
        rows = [asdict(hit) for hit in hits]
        _told(rows, [f"{hit.no or hit.unit} {f'entry {hit.seq}' if hit.seq else ''} {json.dumps(dict(hit.what), ensure_ascii=False)}" for hit in hits], as_json=as_json)

    return made


def _sample(opened: Callable[[], Bureau]) -> click.Command:
    @click.command("sample")
    @click.argument("no")
    @click.option("--check", "again", is_flag=True, help="compute it again from the record")
    @click.option("--json", "as_json", is_flag=True)
    def made(no: str, *, again: bool, as_json: bool) -> None:
        """A random sample: what was committed to, and what was drawn. Exit 1: --check found something that does not fit."""
        bureau = opened()
        if not again:
            with bureau.office.read() as conn:
                row = audit.sample(conn, "", no)
                drawn = [case["case_no"] for case in audit.drawn_cases(conn, row["id"])]
            said = {name: row[name] for name in ("no", "purpose", "commitment", "population", "population_hash", "seed", "made_by", "made_on", "drawn_by", "drawn_on")}
            _told({**said, "definition": json.loads(row["definition"]), "drawn": drawn}, [*(f"{k}: {v}" for k, v in said.items()), row["definition"], *drawn], as_json=as_json)
            return
        checks = audit.verify(bureau.office, no)
        words = {True: "good", False: "WRONG", None: "not yet"}
        lines = [f"{words[one.good]:<8}{one.zh} / {one.en}{': ' if one.detail else ''}{one.detail}" for one in checks]
        _told([asdict(one) for one in checks], lines, as_json=as_json)
        sys.exit(1 if any(one.good is False for one in checks) else 0)

    return made


def _conformance(opened: Callable[[], Bureau]) -> click.Command:
    @click.command("conformance")
    @click.option("--process", default=None, type=click.Choice(list(CATALOGUE)), help="with --file: whose present drawing the log is held against")
    @click.option("--from", "from_on", type=DAY, default=None, help="cases begun on this day or later")
    @click.option("--to", "until_on", type=DAY, default=None, help="cases begun on this day or before")
    @click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, help="an XES or CSV log of another system")
    @click.option("--json", "as_json", is_flag=True)
    def made(process: str | None, from_on: Any, until_on: Any, file: Path | None, *, as_json: bool) -> None:
        """Whether what happened fits the drawings. Exit 1: some case deviates."""
        if file is not None:
            if process is None:
                raise click.UsageError("--file needs --process")
            with file.open("rb") as opened_file:
                data = opened_file.read(event_log.MAX_BYTES + 1)
            model = conformance.model(CATALOGUE[process].bpmn.read_bytes())
            _conform(event_log.conform_foreign(model, event_log.parse(data), process), as_json=as_json)
        bureau = opened()
        with bureau.office.read() as conn:
            wanted = event_log.Wanted("", process, _date(from_on), _date(until_on))
            drawings = lambda digest: bureau.cases.drawing(conn, digest)  # noqa: E731 - read with this connection
            _conform(event_log.conform(drawings, event_log.traces(conn, drawings, wanted)), as_json=as_json)

    return made


def _conform(held: Iterable[event_log.Held], *, as_json: bool) -> None:
    found = list(held)
    odd = [one for one in found if not one.verdict.fits]
    fitness = float(conformance.fitness_of([one.verdict for one in found]))
    said = {"cases": len(found), "deviating": len(odd), "fitness": round(fitness, 6),
            "cases_deviating": [{"case": one.no, "fitness": round(float(one.verdict.fitness), 6), "deviations": [asdict(d) for d in one.verdict.deviations]} for one in odd]}  # fmt: skip
    lines = [f"{one.no} {float(one.verdict.fitness):.3f} " + "; ".join(f"{d.kind} {d.activity} at {d.position}" for d in one.verdict.deviations) for one in odd]
    _told(said, [*lines, f"{len(found)} cases, {len(odd)} deviate, fitness {fitness:.4f}"], as_json=as_json)
    sys.exit(1 if odd else 0)


def _log(opened: Callable[[], Bureau]) -> click.Command:
    @click.command("log")
    @click.option("--format", "kind", type=click.Choice(list(event_log.FORMATS)), required=True)
    @click.option("--process", default=None, type=click.Choice(list(CATALOGUE)))
    @click.option("--from", "from_on", type=DAY, default=None, help="cases begun on this day or later")
    @click.option("--to", "until_on", type=DAY, default=None, help="cases begun on this day or before")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
    def made(kind: str, process: str | None, from_on: Any, until_on: Any, out: Path) -> None:
        """The event log of whole cases, for process mining: ids, posts, units and times, no personal data."""
        bureau = opened()
        wanted = event_log.Wanted("", process, _date(from_on), _date(until_on))
        with bureau.office.read() as conn:
            total = conn.scalar(select(func.count()).select_from(event_log.chosen(wanted).subquery())) or 0
            found = event_log.traces(conn, lambda digest: bureau.cases.drawing(conn, digest), wanted)
            with out.open("w", encoding="utf-8", newline="") as file, click.progressbar(length=total, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
                file.writelines(event_log.chunks(kind, _counted(found, lambda: bar.update(1))))
        click.echo(f"{total} cases")

    return made


def _counted(found: Iterable[event_log.Trace], told: Callable[[], None]) -> Iterable[event_log.Trace]:
    for number, trace in enumerate(found, start=1):
        yield trace
        told()
        if number % 1000 == 0 and not sys.stderr.isatty():
            click.echo(f"{number} cases", err=True)


def _date(moment: Any) -> date | None:
    return None if moment is None else moment.date()


def _told(data: Any, lines: Iterable[str], *, as_json: bool) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, default=str) if as_json else "\n".join(lines))
