"""The command line: the third door to the same engine. Exit 0 done or true, 1 found wrong, 2 bad usage or input."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, ProgrammingError

from engine.crypto import Keys
from engine.errors import EngineError
from engine.lint import MAX_BYTES, Finding, check_drawing
from engine.model import SHANGHAI
from processes import benefits, organisation, parameters, recounts, schema
from processes import bureau as bureaus
from processes.eligibility_facts import BadFacts
from processes.law import BadLaw
from web import cli_audit, cli_definitions, cli_whatif, logs, privacy_scan, training
from web import cli_record as record
from web.opening import bureau as _bureau
from web.opening import settings as _settings
from web.settings import BadSetting, Settings, driver

PORT = click.IntRange(1, 65535)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """应保 Yingbao: casework for social assistance."""


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point; errors that are for people are printed without a traceback."""
    try:
        cli.main(argv and list(argv), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Abort:
        sys.exit(130)
    except (EngineError, BadFacts, BadLaw, BadSetting, OSError, UnicodeError, OverflowError, RecursionError, ArgumentError, DatabaseError) as error:
        if isinstance(error, (IntegrityError, ProgrammingError)):
            raise  # of ours, not of what was asked for
        click.echo(_shown(f"yingbao: {_words(error)}"), err=True)
        sys.exit(2)


def _words(error: Exception | BadSetting) -> str:
    """What a file, a number or a database that cannot be used says of itself, without where in our code it was met."""
    match error:
        case socket.gaierror():
            return f"not an address to listen on: {error.strerror}"
        case OSError():
            return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        case DatabaseError():
            return "the database cannot be used: " + str(error.orig).strip().partition("\n")[0]
        case UnicodeError():
            return f"something that was given is no text ({error.reason if isinstance(error, (UnicodeDecodeError, UnicodeEncodeError)) else error})"
        case OverflowError() | RecursionError():
            return "something that was given is too large" if isinstance(error, OverflowError) else "something that was given is nested too deeply"
    return str(error)


def _shown(text: str) -> str:
    """Arguments may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _upgraded(settings: Settings) -> None:
    """The newest schema, the units that came with it, and the last days that a newly published calendar moved."""
    schema.upgrade(settings.database, Keys(settings.data_key))
    made = bureaus.build(settings)
    bureaus.refuse_other_key(made)
    with made.office.act() as act:
        organisation.add_departments(act)
    if moved := recounts.recompute(made.office, made.cases):
        click.echo(f"{moved} deadlines moved: a calendar was published")
    if dated := benefits.date_all(made.office):
        click.echo(f"{dated} benefits got the dates of their next review and report")
    made.office.store.close()


@cli.command()
def upgrade() -> None:
    """Bring the database to the newest schema."""
    _upgraded(_settings())
    click.echo("database is up to date")


@cli.command()
@click.option("--host", default=None, help="address to listen on (YINGBAO_HOST)")
@click.option("--port", type=PORT, default=None, help="port to listen on (YINGBAO_PORT)")
@click.option("--no-worker", is_flag=True, help="do not run timers and jobs in this process")
def serve(host: str | None, port: int | None, *, no_worker: bool) -> None:
    """Serve pages and API, with a worker for timers and jobs."""
    from web.serving import run

    settings = _settings()
    place = (host or settings.host, port or settings.port)
    socket.getaddrinfo(*place)  # one that is no address is refused before anything begins
    _upgraded(settings)
    run(settings, *place, worker=not no_worker)


@cli.command()
@click.option("--once", is_flag=True, help="do what is due, then stop")
def worker(*, once: bool) -> None:
    """Run timers and jobs beside the server; start as many as wanted on PostgreSQL."""
    from web.serving import noted, run_worker

    made = _bureau()
    noted(made, "worker", made.settings)
    if once:
        click.echo(f"{made.jobs.run_all()} jobs")
        return
    run_worker(made)


@cli.command()
@click.option("--once", is_flag=True, help="seal what waits, then stop")
@click.option("--parent", type=int, default=None, hidden=True)
def sequencer(*, once: bool, parent: int | None) -> None:
    """Seal committed entries in the tree and sign checkpoints; `serve` starts one by itself. Exit 1: an entry was altered before."""
    from web import sequencer as sealing_process

    settings = _settings()
    schema.refuse_old(settings.database)
    if not once:
        logs.configure(logging.INFO if settings.production else logging.WARNING)
        sealing_process.run(settings, parent)
        return
    done = sealing_process.once(settings)
    for fault in done.faults:
        click.echo(f"not sealed: {fault}", err=True)
    click.echo(f"{done.count} entries sealed")
    sys.exit(1 if done.faults else 0)


@cli.group()
def key() -> None:
    """Keys that sign: the sequencer's, a witness's."""


@key.command("new")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), default=None, help="YINGBAO_SIGNING_KEY when not given")
@click.option("--name", default=None, help="the record's name when not given")
def key_new(file: Path | None, name: str | None) -> None:
    """Make a key file that only its owner reads, once; print the public half."""
    from web.sequencer import make_key

    if name is not None and not re.fullmatch(r"[^\s+]{1,200}", name):
        raise click.UsageError("--name is one word without +, as it stands in signed notes")
    settings = _settings()
    wanted = file or settings.signing_key
    try:
        click.echo(make_key(wanted, name or settings.origin))
    except FileExistsError:
        if not wanted.exists():
            raise  # its folder is a file
        raise click.ClickException("there is a key already; it is never overwritten") from None


@cli.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="its key, and what it has seen")
@click.option("--log", "known", multiple=True, required=True, metavar="KEY", help="public key of a record, name+id+base64; or a file that holds it")
@click.option("--name", default="yingbao-witness")
@click.option("--host", default="127.0.0.1")
@click.option("--port", type=PORT, default=8710)
def witness(folder: Path, known: tuple[str, ...], name: str, host: str, port: int) -> None:
    """Cosign checkpoints of other people's records (C2SP tlog-witness), on a machine that is not theirs."""
    from web.serving import run_witness

    socket.getaddrinfo(host, port)
    run_witness(folder, [Path(one).read_text(encoding="utf-8") if Path(one).is_file() else one for one in known], name, host, port)


@cli.command()
@click.option("--port", type=PORT, default=8700)
def registry(port: int) -> None:
    """Serve the bundled registries (invented people) for demo and tests."""
    from web.serving import run_registry

    run_registry(port)


@cli.command()
@click.option("--households", type=click.IntRange(1, 20_000), default=320, help="how many invented households")
@click.option("--seed", type=int, default=2018)
@click.option("--campaign", is_flag=True, help="live through the whole campaign, until 2019-02-28; takes some minutes")
@click.option("--no-serve", is_flag=True, help="fill the database and stop")
@click.option("--port", type=PORT, default=None)
def demo(households: int, seed: int, port: int | None, *, campaign: bool, no_serve: bool) -> None:
    """Fill a district that lives through 2018-11-19 to 2018-12-20, print its accounts, serve it."""
    from web.demo import run

    run(_settings(), households=households, seed=seed, serve=not no_serve, port=port, campaign=campaign)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def lint(files: tuple[Path, ...], *, as_json: bool) -> None:
    """Say what in a drawing or table would be run wrongly, or not at all, and what in a law file (.yaml) is malformed or back-dated."""
    found = [(str(path), finding) for path in files for finding in _linted(path)]
    if as_json:
        rows = [{"file": path, "rule": f.rule, "element": f.element, "line": f.line, "zh": f.message_zh,
                 "en": f.message_en, "advice": f.advice_en, "advice_zh": f.advice_zh} for path, f in found]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for path, f in found:
            click.echo(f"{path}:{f.line}: {f.rule} [{f.element}] {f.message_zh} / {f.message_en} -> {f.advice_zh} / {f.advice_en}")
        click.echo(f"{len(found)} findings")
    sys.exit(1 if found else 0)


def _linted(path: Path) -> list[Finding]:
    """What is wrong with one file. No more of it is read than is needed to say that it is too large."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
    return parameters.faults(raw, path.name) if path.suffix in (".yaml", ".yml") else check_drawing(raw)


@cli.command()
def check() -> None:
    """Check that every drawing and its module fit, and that the database is of this version."""
    for process in bureaus.CATALOGUE.values():
        process.check()
    schema.refuse_old(_settings().database)
    click.echo(f"{len(bureaus.CATALOGUE)} processes fit; the database is of this version")
    cli_definitions.check(bureaus.build(_settings()))
    today = datetime.now(SHANGHAI).date()
    for one in parameters.overdue(today):  # a warning: the value still applies
        click.echo(f"{one['file']}: {one['name']} = {one['value']}: {one['warning']['zh']} / {one['warning']['en']}", err=True)


@cli.group()
def user() -> None:
    """Accounts of staff."""


@user.command("add")
@click.argument("login")
@click.argument("name")
@click.option("--post", "posts", multiple=True, required=True, metavar="ROLE@UNIT", help="e.g. window_clerk@120116011")
@click.option("--password", default=None, help="asked for when not given")
def user_add(login: str, name: str, posts: tuple[str, ...], password: str | None) -> None:
    """Add a staff member with posts."""
    pairs = [tuple(post.split("@", 1)) for post in posts]
    if any(len(pair) != 2 for pair in pairs):
        raise click.UsageError("--post is ROLE@UNIT")
    chosen = password or click.prompt("password", hide_input=True, confirmation_prompt=True)
    with _bureau().office.act() as act:
        organisation.add_staff(act, login, name, chosen, pairs)
    click.echo(f"{login} added")


@user.command("token")
@click.argument("login")
@click.option("--name", default="cli")
def user_token(login: str, name: str) -> None:
    """Make a bearer token for the API and print it once."""
    with _bureau().office.act() as act:
        token = organisation.make_token(act, login, name)
    click.echo(token)


@user.command("revoke")
@click.argument("login")
def user_revoke(login: str) -> None:
    """All bearer tokens of a staff member stop working at once."""
    with _bureau().office.act() as act:
        done = organisation.revoke_tokens(act, login)
    click.echo(f"{done} tokens revoked")


@cli.group()
def clock() -> None:
    """The business clock of a training database."""


def _movable() -> bureaus.Bureau:
    made = _bureau()
    if made.settings.production:
        raise click.ClickException("the clock of a production database is never moved")
    return made


@clock.command("show")
def clock_show() -> None:
    click.echo(_bureau().office.clock().astimezone(SHANGHAI).isoformat(timespec="seconds"))


@clock.command("set")
@click.argument("moment")
def clock_set(moment: str) -> None:
    """Set the clock, e.g. 2018-12-03T09:00 (Asia/Shanghai), and run what came due. Not back, once there is casework."""
    try:
        wanted = datetime.fromisoformat(moment)
    except ValueError:
        raise click.UsageError(f"not a moment: {moment}") from None
    click.echo(f"{training.set_to(_movable(), wanted)} jobs came due")


@clock.command("advance")
@click.argument("days", type=click.IntRange(1, 400))
def clock_advance(days: int) -> None:
    """Move the clock DAYS days on, a day at a time, so that timers fire in order."""
    made = _movable()
    done = training.advance(made, days)
    click.echo(f"{made.office.clock().astimezone(SHANGHAI):%Y-%m-%d %H:%M}, {done} jobs came due")


@cli.group("import")
def import_() -> None:
    """Bring in existing lists."""


@import_.command("households")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hukou", "--hukou-kind", "hukou_kind", type=click.Choice(["urban", "rural"]), default=None, help="for all lines")
@click.option("--review-class", type=click.Choice(["A", "B", "C"]), default=None, help="for all lines")
@click.option("--first-month", "--first-payment-month", "first_payment_month", default=None, metavar="YYYY-MM", help="for all lines")
@click.option("--answers", "answers_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help='line by line, before those for all: {"5": {"hukou_kind": "rural"}}')  # fmt: skip
@click.option("--rows", default=None, metavar="3,5-9", help="these lines of the sheet only")
@click.option("--errors", "error_file", type=click.Path(dir_okay=False, path_type=Path), help="where the error workbook goes")
@click.option("--preview", is_flag=True, help="show every line and change nothing (what happens without --commit)")
@click.option("--commit", is_flag=True, help="bring the good rows in; without it this is a preview")
@click.option("--all-or-nothing", is_flag=True, help="bring in nothing when any row has an error")
@click.option("--json", "as_json", is_flag=True)
def import_households(file: Path, error_file: Path | None, answers_file: Path | None, rows: str | None,
                      *, preview: bool, commit: bool, all_or_nothing: bool, as_json: bool, **options: Any) -> None:  # fmt: skip
    """A street's list of households in benefit, in the layout of annex 1 (附件1). Exit 1: some line has errors; 2: a question is open."""
    from web.importing import answers_of, run

    if preview and commit:
        raise click.UsageError("--preview and --commit exclude each other")
    lines = answers_of(answers_file) if answers_file else {}
    sys.exit(run(_bureau(), file, options, error_file, commit=commit, all_or_nothing=all_or_nothing, as_json=as_json, rows=rows, lines=lines))


@cli.command()
@click.option("--database", default=None, help="measure this database; a scratch SQLite file when not given")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="a hundredth of the size")
@click.option("--timers", is_flag=True, help="instead: 50,000 due timers, two worker processes, people at work beside them")
@click.option("--evidence", is_flag=True, help="instead: what seals, tree, guard and encryption cost")
@click.option("--replay", is_flag=True, help="instead: what a step of the replay's playback costs, of a case of a hundred entries")
@click.option("--public", is_flag=True, help="instead: a notice that everybody looks at, beside an empty view")
@click.option("--whatif", "trial", is_flag=True, help="instead: a changed standard over 100,000 households, two processes")
def bench(database: str | None, *, as_json: bool, quick: bool, timers: bool, evidence: bool, replay: bool, public: bool, trial: bool) -> None:
    """Measure completions, starts and lists beside the floor of this machine. Exit 1: a timer was lost, or came twice; a notice or a
    what-if is slower than wanted."""
    from web import bench_evidence, bench_public, bench_replay, bench_timers, bench_whatif
    from web.bench import run

    chosen = database or os.environ.get("YINGBAO_BENCH_DATABASE")
    chosen = driver(chosen) if chosen else None
    if timers:
        sys.exit(bench_timers.run(chosen, as_json=as_json, jobs=500 if quick else 50_000))
    if public:
        sys.exit(bench_public.run(chosen, as_json=as_json, requests=50 if quick else 1000))
    if trial:
        sys.exit(bench_whatif.run(chosen, as_json=as_json, households=1000 if quick else 100_000))
    if evidence:
        bench_evidence.run(as_json=as_json, quick=quick, database=chosen)
        return
    if replay:
        bench_replay.run(as_json=as_json, quick=quick, database=chosen)
        return
    run(chosen, as_json=as_json, quick=quick)


for command in record.COMMANDS:
    cli.add_command(command)
cli_audit.add_to(cli, record.export, _bureau)
cli.add_command(privacy_scan.command(_bureau))
cli.add_command(cli_whatif.whatif)
cli.add_command(cli_definitions.deploy)
cli.add_command(cli_definitions.migrate)
