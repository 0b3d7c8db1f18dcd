"""`yingbao deploy` and `yingbao migrate`: versions of drawings, tables and law files, and running cases put on another drawing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from engine.errors import EngineError, Invalid, NotFound
from engine.lint import MAX_BYTES
from engine.model import Actor
from processes import case_migrations, definitions, dry_run, organisation, parameters
from processes.bureau import Bureau
from web.opening import bureau
from web.progress import progress


def check(made: Bureau) -> None:
    """Refuse (exit 1) where a version in force does not fit the installed program: it was replaced by another one since."""
    bad = 0
    with made.office.read() as conn:
        for one in definitions.installed(conn, made.cases, made.office.today()):
            if one["number"] is not None:
                raw = definitions.text(conn, made.cases, one["kind"], one["key"], one["digest"])
                name = one["key"] if one["kind"] == "law" else ""
                for f in definitions.understood(made.cases, raw, name, made.office.today()).findings:
                    bad += 1
                    click.echo(f"deployment {one['number']} ({one['key']}): {f.rule} [{f.element}] {f.message_zh} / {f.message_en}", err=True)
    made.office.store.close()
    if bad:
        sys.exit(1)


def _actor(made: Bureau, login: str | None) -> Actor:
    if not login:
        raise click.UsageError("--as LOGIN says who acts")
    with made.office.read() as conn:
        found = organisation.find_actor(conn, login)
    if found is None:
        raise NotFound(f"没有这个账号：{login} / no such account")
    return found


def _refused(error: EngineError) -> None:
    """Both languages, and exit 2."""
    if isinstance(error, Invalid):
        for name, texts in error.fields.items():
            known = (error.english or {}).get(name, [])
            for place, text in enumerate(texts):
                click.echo(f"yingbao: {name}: {text}" + (f" / {known[place]}" if place < len(known) else ""), err=True)
    else:
        other = str(getattr(error, "en", ""))
        click.echo(f"yingbao: {error}" + (f" / {other}" if other and other != str(error) else ""), err=True)
    sys.exit(2)


def _out(said: Any, lines: Sequence[str], *, as_json: bool) -> None:
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(lines))


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "login", default=None, metavar="LOGIN", help="who acts")
@click.option("--reason", default="", help="why; stands on the record")
@click.option("--confirm", "confirmed", type=int, default=None, metavar="N", help="the second person puts deployment N in force")
@click.option("--from", "from_on", default=None, metavar="DATE", help="with --confirm: from this day on; from tomorrow when left out")
@click.option("--withdraw", "withdrawn", type=int, default=None, metavar="N", help="take deployment N off the table")
@click.option("--show", "shown", type=int, default=None, metavar="N", help="what deployment N changes")
@click.option("--dry-run", "tried", type=int, default=None, metavar="N", help="deployment N tried on finished cases, in memory")
@click.option("--last", type=click.IntRange(1, dry_run.MOST), default=dry_run.LAST, help="with --dry-run: on how many of the last ones")
@click.option("--json", "as_json", is_flag=True)
def deploy(files: tuple[Path, ...], login: str | None, reason: str, from_on: str | None, last: int, *, as_json: bool, **asked: int | None) -> None:
    """Propose a new version of a drawing, decision table or law file (FILE…); a second person puts it in force (--confirm N). Without
    anything: what is deployed. Exit 1: the check has something against a file, or the dry run found a case that comes out otherwise."""
    chosen = {name: number for name, number in asked.items() if number is not None}
    if len(chosen) + bool(files) > 1:
        raise click.UsageError("FILE…, --confirm, --withdraw, --show and --dry-run exclude each other")
    if from_on is not None and "confirmed" not in chosen:
        raise click.UsageError("--from goes with --confirm")
    made = bureau()
    try:
        if files:
            _propose(made, files, login, reason, as_json=as_json)
        elif "confirmed" in chosen:
            since = parameters.day_of("from_on", from_on) if from_on else None
            with made.office.act(_actor(made, login)) as act:
                definitions.confirm(act, made.cases, chosen["confirmed"], since)
                row = definitions.row(act.conn, chosen["confirmed"])
            _out({"number": row["id"], "from_on": row["from_on"]}, [f"{row['id']} {row['key']}: in force from {row['from_on']}"], as_json=as_json)
        elif "withdrawn" in chosen:
            with made.office.act(_actor(made, login)) as act:
                definitions.withdraw(act, chosen["withdrawn"], reason)
            _out({"number": chosen["withdrawn"]}, [f"{chosen['withdrawn']}: withdrawn"], as_json=as_json)
        elif "shown" in chosen:
            _show(made, chosen["shown"], as_json=as_json)
        elif "tried" in chosen:
            _try(made, chosen["tried"], last, as_json=as_json)
        else:
            _list(made, as_json=as_json)
    except EngineError as error:
        _refused(error)


def _propose(made: Bureau, files: Sequence[Path], login: str | None, reason: str, *, as_json: bool) -> None:
    """All of them, or none."""
    actor, found = _actor(made, login), []
    try:
        with made.office.act(actor) as act:
            for path in files:
                with path.open("rb") as file:
                    raw, at = file.read(MAX_BYTES + 1), path
                found.append({"file": str(path), **definitions.propose(act, made.cases, raw, path.name, reason)})
    except definitions.NotSound as error:
        rows = [{"file": str(at), "rule": f.rule, "element": f.element, "line": f.line, "zh": f.message_zh, "en": f.message_en, "advice": f.advice_en} for f in error.findings]
        _out(rows, [f"{one['file']}:{one['line']}: {one['rule']} [{one['element']}] {one['zh']} / {one['en']} -> {one['advice']}" for one in rows], as_json=as_json)
        sys.exit(1)
    _out(found, [f"{one['file']}: proposed as {one['number']}; another person: yingbao deploy --confirm {one['number']} --as LOGIN" for one in found], as_json=as_json)


def _list(made: Bureau, *, as_json: bool) -> None:
    with made.office.read() as conn:
        rows = [dict(row) for row in definitions.listed(conn, size=1000).items]
        here = definitions.installed(conn, made.cases, made.office.today())
    lines = [f"{row['id']:>6} {row['kind']:<8}{row['key']:<24}{row['state']:<10}{row['from_on'] or '—':<12}{row['digest'][:16]}  {row['proposed_by']}" for row in rows]
    lines += [f"in force: {one['kind']:<8}{one['key']:<24}{one['digest'][:16]}  {one['number'] or 'program'}" for one in here]
    _out({"versions": rows, "in_force": here}, lines, as_json=as_json)


def _show(made: Bureau, number: int, *, as_json: bool) -> None:
    with made.office.read() as conn:
        row = definitions.row(conn, number)
        found = definitions.compared(conn, made.cases, row)
    said = {**dict(row), "differences": [{"part": d.part, "id": d.id, "change": d.change, "before": dict(d.before), "after": dict(d.after)} for d in found]}
    lines = [f"{row['id']} {row['kind']} {row['key']}: {row['state']}, {row['reason']}"]
    lines += [f"  {d.change:<8}{d.part} {d.id}: {_side(d.before)} -> {_side(d.after)}" for d in found]
    _out(said, lines, as_json=as_json)


def _side(said: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={text}" for name, text in said.items() if text) or "—"


def _try(made: Bureau, number: int, last: int, *, as_json: bool) -> None:
    with made.office.snapshot() as conn, progress("cases") as told:
        found = dry_run.run(conn, made.office.keys.on(conn), made.cases, definitions.row(conn, number), last, told)
    counts = dry_run.counts(found)
    said = {**counts, "items": [{"case": t.no, "result": t.trial.result, "entry": t.trial.entry, "why": t.trial.zh, "why_en": t.trial.en} for t in found]}
    lines = [f"{t.no}: {t.trial.result}" + (f" at entry {t.trial.entry}" if t.trial.entry else "") + (f": {t.trial.zh} / {t.trial.en}" if t.trial.zh else "") for t in found]
    _out(said, [*lines, ", ".join(f"{n} {result}" for result, n in counts.items())], as_json=as_json)
    sys.exit(1 if counts["different"] or counts["cannot"] else 0)


@click.command()
@click.option("--process", "key", default=None, metavar="KEY", help="e.g. dibao-2012")
@click.option("--from", "here", default=None, metavar="VERSION", help="SHA-256 of the drawing (or its beginning), number of a deployment, or program")
@click.option("--to", "there", default=None, metavar="VERSION", help="named in the same way")
@click.option("--dry-run", "only_look", is_flag=True, help="a verdict for each case; nothing is written")
@click.option("--ground", default="", help="the legal ground; stands on the record of each case")
@click.option("--as", "login", default=None, metavar="LOGIN", help="who acts")
@click.option("--confirm", "confirmed", type=int, default=None, metavar="N", help="the second person agrees to migration N; its cases are moved")
@click.option("--withdraw", "withdrawn", type=int, default=None, metavar="N")
@click.option("--reason", default="", help="with --withdraw: why")
@click.option("--resume", "resumed", type=int, default=None, metavar="N", help="go on with migration N, which was interrupted")
@click.option("--json", "as_json", is_flag=True)
def migrate(key: str | None, here: str | None, there: str | None, ground: str, login: str | None, reason: str, *, only_look: bool, as_json: bool,
            confirmed: int | None, withdrawn: int | None, resumed: int | None) -> None:  # fmt: skip
    """Put the running cases of a process that stand on one version of its drawing on another: a dry run, a proposal with its legal ground, and
    another person who confirms. Exit 1: some case cannot move, or did not."""
    if sum(one is not None for one in (key, confirmed, withdrawn, resumed)) != 1 or (key is not None) != (None not in (here, there)):
        raise click.UsageError("--process with --from and --to; or --confirm N; or --withdraw N; or --resume N")
    made = bureau()
    try:
        if key is not None and here is not None and there is not None:
            _move(made, key, here, there, None if only_look else (login, ground), as_json=as_json)
        elif withdrawn is not None:
            with made.office.act(_actor(made, login)) as act:
                case_migrations.withdraw(act, withdrawn, reason)
            _out({"number": withdrawn}, [f"{withdrawn}: withdrawn"], as_json=as_json)
        elif confirmed is not None:
            with made.office.act(_actor(made, login)) as act:
                case_migrations.confirm(act, confirmed)
            _finish(made, confirmed, as_json=as_json)
        elif resumed is not None:
            with made.office.read() as conn:
                if case_migrations.row(conn, resumed)["state"] != "confirmed":
                    raise click.UsageError(f"migration {resumed} is not confirmed")
            _finish(made, resumed, as_json=as_json)
    except EngineError as error:
        _refused(error)


def _move(made: Bureau, key: str, here: str, there: str, proposing: tuple[str | None, str] | None, *, as_json: bool) -> None:
    with made.office.read() as conn:
        day = made.office.today()
        old, new = (case_migrations.digest_of(conn, made.cases, key, name, said, day) for name, said in (("from", here), ("to", there)))
    found = case_migrations.look(made.office, made.cases, key, old, new)
    said: dict[str, Any] = {"cases": len(found), "can": sum(one.can for one in found),
                            "items": [{"case": one.no, "can": one.can, "why": [{"node": h.node, "zh": h.zh, "en": h.en} for h in one.hindrances]} for one in found]}  # fmt: skip
    lines = [f"{one.no}: {'can move' if one.can else 'cannot: ' + '; '.join(f'{h.zh} / {h.en}' for h in one.hindrances)}" for one in found]
    lines.append(f"{said['can']} of {said['cases']} cases can move")
    if proposing is not None:
        with made.office.act(_actor(made, proposing[0])) as act:
            said |= case_migrations.propose(act, made.cases, key, old, new, proposing[1], found)
        lines.append(f"proposed as {said['number']}; another person: yingbao migrate --confirm {said['number']} --as LOGIN")
    _out(said, lines, as_json=as_json)
    sys.exit(1 if said["can"] < said["cases"] else 0)


def _finish(made: Bureau, number: int, *, as_json: bool) -> None:
    """Move its cases now, one act each; a worker of `serve` that does some of them at the same time is in nobody's way."""
    for case_id in case_migrations.waiting(made.office, number):
        made.office.retrying(lambda case_id=case_id: _one(made, number, case_id))  # type: ignore[misc]
    with made.office.read() as conn:
        found = case_migrations.progress(conn, number)
    _out({"number": number, **found}, [f"{number}: " + ", ".join(f"{n} {state}" for state, n in found.items())], as_json=as_json)
    sys.exit(1 if found["stays"] or found["waits"] else 0)


def _one(made: Bureau, number: int, case_id: int) -> None:
    with made.office.act() as act:
        case_migrations.move(act, made.cases, number, case_id)
