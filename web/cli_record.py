"""The commands about the record itself: prove it, take it away, keep it safe, forget a person."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from engine import notes, queries, sealing
from engine.bpmn import Drawing
from engine.errors import NotFound
from engine.office import history
from engine.proof import Verdict, judge
from processes import backup as backups
from processes import bureau as bureaus
from processes import divergences, documents, erasure, evidence, organisation
from processes import verify as verifying
from processes.rebuild import differences
from web.opening import bureau, settings, writable
from web.progress import progress
from web.sequencer import public_file
from web.settings import Settings

_KEY_HELP = "public key of the sequencer (name+id+base64), or a file that holds it; else the .pub beside the signing key"
_UNSIGNED = {
    "no key": "signatures NOT CHECKED: the sequencer's public key is not here; give it with --key",
    "no openssl": "signatures NOT CHECKED: there is no openssl here that verifies SM2",
}


@click.command()
@click.argument("case", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.option("--processes", type=click.IntRange(1, 256), default=max(1, os.cpu_count() or 1), help="how many at a time")
@click.option("--resume", type=click.Path(dir_okay=False, path_type=Path), default=None, help="keep results here; a run that was interrupted goes on from it")
@click.option("--old", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a checkpoint kept elsewhere")
@click.option("--key", "key", default=None, metavar="KEY", help=_KEY_HELP)
@click.option("--witness", "witnesses", multiple=True, metavar="KEY", help="public key of a witness, or a file that holds it: its lines are checked")
def verify(
    case: str | None, processes: int, resume: Path | None, old: tuple[Path, ...], key: str | None, witnesses: tuple[str, ...], *, as_json: bool
) -> None:
    """Check every seal, the tree and its checkpoints, and do every case again. Exit 1: something is not as it was written; 2:
    nothing wrong was found, but the signatures could not be checked."""
    made = bureau()
    signed_by = _public(made.settings, key)
    seen_by = [one for key_ in witnesses for one in _public(made.settings, key_)]
    with progress("records") as told:
        report = verifying.run(made.settings, processes=processes, resume=resume, old=_held(old), keys=signed_by, witnesses=seen_by, told=told, only=case)
    click.echo(json.dumps(asdict(report), ensure_ascii=False) if as_json else "\n".join(_lines(report)))
    sys.exit(report.exit)


@click.command()
@click.argument("case", required=False)
@click.option("--bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, help="instead: all cases of an evidence bundle")
@click.option("--json", "as_json", is_flag=True)
def replay(case: str | None, bundle: Path | None, *, as_json: bool) -> None:
    """Do a case again from its record, step by step: same, different at entry n, or cannot, because. Exit 1 unless same; 3: no bundle."""
    if (case is None) == (bundle is None):
        raise click.UsageError("a case, or --bundle")
    made = bureau()
    if bundle is not None:
        sys.exit(_replay_bundle(made, bundle, as_json=as_json))
    with made.office.snapshot() as conn:
        row = queries.case_row(conn, str(case))
        entries = history(conn, made.office.keys.on(conn), row["id"])
        steps: list[dict[str, Any]] = []
        verdict = judge(made.cases, conn, entries, lambda e, run: steps.append(
            {"seq": e.seq, "at": e.said["at"], "actor": e.actor, "event": e.event, "active": list(run.path().active)}))  # fmt: skip
    said = asdict(verdict) | {"steps": steps}
    lines = [f"{s['seq']:>4} {s['at'][:19]} {s['actor']:<16} {s['event']:<18} -> {', '.join(s['active'])}" for s in steps]
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else "\n".join([*lines, _words(verdict)]))
    sys.exit(0 if verdict.result == "same" else 1)


@click.command()
@click.option("--check", "only_check", is_flag=True, help="compare only; change nothing")
def rebuild(*, only_check: bool) -> None:
    """Build the business rows anew from the records and compare them."""
    with progress("records") as told:
        found = differences(bureau().office, told)
    for line in found[:50]:
        click.echo(line)
    click.echo(f"{len(found)} differences")
    if found and not only_check:
        click.echo("run with --check; mending is done from a backup, with two persons", err=True)
    sys.exit(1 if found else 0)


@click.group()
def export() -> None:
    """Take something away."""


@export.command("evidence")
@click.option("--cases", default="", help="case numbers with commas between; none for the whole record")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--as", "login", required=True, help="the auditor who takes it away; the cases are of his area")
@click.option("--reason", required=True, help="why; stands in his record")
@click.option("--without-personal", is_flag=True, help="seals, chain and tree only: payloads and attachments stay here")
@click.option("--old", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a checkpoint that the auditor holds")
def export_evidence(cases: str, out: Path, login: str, reason: str, old: tuple[Path, ...], *, without_personal: bool) -> None:
    """What an auditor needs to check cases without us: a zip for audit_verify.py (docs/evidence.md)."""
    writable(out)  # before the record says that somebody took it away
    made = bureau()
    numbers = tuple(dict.fromkeys(no.strip() for no in cases.split(",") if no.strip()))
    wanted = evidence.Wanted(numbers, login, made.settings.files, not without_personal, tuple(one.size for one in _held(old)),
                             _public_text(made.settings), made.settings.origin)  # fmt: skip
    with made.office.act(_acting(made, login).only({"auditor"})) as act:
        evidence.note_taking(act, numbers, reason, personal=not without_personal)
    with made.office.snapshot() as conn, out.open("wb") as file, progress("entries") as told:
        manifest = evidence.write(conn, made.office.keys.on(conn), wanted, file, told)
    click.echo(f"{len(manifest['cases'])} cases, {len(manifest['records'])} records -> {out.name}")


@export.command("verifier")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def export_verifier(out: Path) -> None:
    """audit_verify.py: one file that checks a bundle with plain Python."""
    import engine

    out.write_bytes((Path(str(engine.__file__)).parent / "audit_verify.py").read_bytes())
    click.echo(f"python3 {out.name} bundle.zip --policy policy.txt")


@click.command()
def checkpoint() -> None:
    """Print the newest signed checkpoint: what is filed on paper, or sent to somebody who keeps it."""
    with bureau().office.read() as conn:
        row = sealing.latest(conn)
    if row is None:
        raise click.ClickException("nothing is sealed yet")
    click.echo(row["note"], nl=False)


@click.group()
def forget() -> None:
    """Restrict, then erase, what is known about a person (PIPL art 47)."""


def _acting(made: bureaus.Bureau, login: str) -> Any:
    with made.office.read() as conn:
        actor = organisation.find_actor(conn, login)
    if actor is None:
        raise NotFound(f"没有这个账号：{login}")
    return actor


@forget.command("restrict")
@click.argument("whom")
@click.option("--as", "login", required=True)
@click.option("--reason", type=click.Choice(erasure.REASONS), required=True)
def restrict(whom: str, login: str, reason: str) -> None:
    """The data are kept and not worked with. WHOM: the person's number, or who is named in a case (other:12.5.objector)."""
    made = bureau()
    with made.office.act(_acting(made, login)) as act:
        click.echo(json.dumps(erasure.restrict(act, int(whom) if whom.isdecimal() else whom, reason), ensure_ascii=False))


@forget.command("propose")
@click.argument("restriction", type=int)
@click.option("--as", "login", required=True)
def propose(restriction: int, login: str) -> None:
    """Ask for the erasure, once the retention is over."""
    made = bureau()
    with made.office.act(_acting(made, login)) as act:
        click.echo(json.dumps(erasure.propose(act, restriction), ensure_ascii=False))


@forget.command("erase")
@click.argument("restriction", type=int)
@click.option("--as", "login", required=True, help="another person than the one who asked")
def erase(restriction: int, login: str) -> None:
    """Destroy the key and blank the rows. It cannot be undone."""
    made = bureau()
    with made.office.act(_acting(made, login)) as act:
        told = erasure.erase(act, restriction)
    with made.office.read() as conn:
        documents.sweep(conn, made.settings.files)
    click.echo(json.dumps(told, ensure_ascii=False))


@forget.command("lift")
@click.argument("restriction", type=int)
@click.option("--as", "login", required=True)
def lift(restriction: int, login: str) -> None:
    """The restriction ends."""
    made = bureau()
    with made.office.act(_acting(made, login)) as act:
        click.echo(json.dumps(erasure.lift(act, restriction), ensure_ascii=False))


@click.group()
def divergence() -> None:
    """A known difference of a replay: accepted by two persons, with a reason."""


@divergence.command("propose")
@click.argument("case")
@click.option("--as", "login", required=True)
@click.option("--reason", required=True)
def propose_divergence(case: str, login: str, reason: str) -> None:
    """Propose to accept how the case differs now."""
    made = bureau()
    with made.office.act(_acting(made, login)) as act:
        click.echo(json.dumps(divergences.propose(act, made.cases, case, reason), ensure_ascii=False))


@divergence.command("accept")
@click.argument("row", type=int)
@click.option("--as", "login", required=True, help="another person than the one who proposed it")
@click.option("--refuse", is_flag=True)
def accept_divergence(row: int, login: str, *, refuse: bool) -> None:
    """Accept it, or refuse to."""
    made = bureau()
    with made.office.act(_acting(made, login)) as act:
        click.echo(json.dumps(divergences.settle(act, made.cases, row, accept=not refuse), ensure_ascii=False))


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="database and documents")
@click.option("--keys", type=click.Path(dir_okay=False, path_type=Path), required=True, help="people's data keys: keep it apart, and not for long")
def backup(out: Path, keys: Path) -> None:
    """Copy database and documents while work goes on; people's keys go to a file of their own."""
    made = bureau()
    told = backups.write(made, writable(out), writable(keys))
    click.echo(f"{told['entries']} entries, {told['files']} documents -> {out.name}; {told['keys']} keys -> {keys.name}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keys", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--verify", "check", is_flag=True, help="afterwards: every seal, the tree, every case, every row")
@click.option("--old", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a checkpoint kept elsewhere")
@click.option("--key", "key", default=None, metavar="KEY", help=_KEY_HELP)
def restore(file: Path, keys: Path, old: tuple[Path, ...], key: str | None, *, check: bool) -> None:
    """Fill an empty database and an empty folder from a backup. Exit 1: what came back is not what was written; 2: nothing wrong
    was found, but the signatures could not be checked."""
    chosen = settings()
    held, signed_by = _held(old), _public(chosen, key)  # bad ones are refused before anything is filled
    with progress("documents") as moved:
        told = backups.read(chosen, file, keys, moved)
    click.echo(f"{told['entries']} entries, {told['files']} documents, {told['keys']} keys")
    if not check:
        return
    with progress("records") as moved:
        report = verifying.run(chosen, old=held, keys=signed_by, told=moved)
    with progress("records") as moved:
        found = differences(bureau().office, moved)
    click.echo("\n".join([*_lines(report), *found[:50], f"{len(found)} differences"]))
    sys.exit(1 if found else report.exit)


COMMANDS: tuple[click.Command, ...] = (verify, replay, rebuild, export, checkpoint, forget, divergence, backup, restore)


def _lines(report: verifying.Report) -> list[str]:
    def where(one: dict[str, Any]) -> str:
        place = str(one.get("case") or (f"record {one['record']}" if one.get("record") else "tree"))
        return f"{place}, entry {one['entry']}" if one.get("entry") else place

    lines = [f"{where(one)}: {one['what']}" for one in report.faults]
    lines += [f"{one['case']}: {_words(Verdict(**{'entries': 0} | {k: v for k, v in one.items() if k != 'case'}))}" for one in report.wrong]
    lines += [f"{one['case']}: {one['result']} at entry {one.get('entry')}, accepted by two persons" for one in report.accepted]
    lines += [f"{one['case']}: entries {one['entries']} by the recorded result, for personal data were erased" for one in report.by_record]
    waiting = f", {report.waiting} wait to be sealed" if report.waiting else ""
    if report.cosigned or report.cosigned_unknown:
        more = f", {report.cosigned_unknown} of witnesses whose key was not given (--witness)" if report.cosigned_unknown else ""
        lines.append(f"{report.cosigned} lines of witnesses hold{more}")
    if report.earlier:
        lines.append(f"{report.earlier} of {report.records} records by the results of an earlier run, for the same bytes: a last word needs a run without --resume")
    if not report.complete:
        lines.append(_UNSIGNED[report.signatures])
    whole = "all as it was written" if report.complete else "nothing wrong found, but the SIGNATURES WERE NOT CHECKED"
    verdict = whole if report.good else f"{len(report.faults) + len(report.wrong)} faults"
    return [*lines, f"{report.cases} cases, {report.records} records, {report.entries} entries, {report.sealed} sealed{waiting}: {verdict}"]


def _words(verdict: Verdict) -> str:
    by_law = f"\n  by the law that the entries name: {verdict.recorded_law}" if verdict.recorded_law else ""
    if verdict.result == "different":
        return f"different at entry {verdict.entry}\n  recorded: {verdict.recorded}\n  computed: {verdict.computed}" + by_law
    if verdict.result == "cannot":
        return f"cannot at entry {verdict.entry}, because {verdict.why}" + by_law
    return "same" + (f" (entries {list(verdict.by_record)} by the recorded result: personal data were erased)" if verdict.by_record else "")


def _replay_bundle(made: bureaus.Bureau, file: Path, *, as_json: bool) -> int:
    """Every case of a bundle, with the bundle's own drawings. 3, like the verifier, when it is no bundle or cannot be read."""
    found: list[dict[str, Any]] = []
    try:
        with zipfile.ZipFile(file) as archive, made.office.snapshot() as conn:
            evidence.refuse_bad(archive, file.stat().st_size)
            made.cases.lend({digest: Drawing.parse(xml) for digest, xml in evidence.drawings(archive).items()}, evidence.tables(archive), evidence.laws(archive))
            listed = json.loads(archive.read("manifest.json"))["cases"]
            told = evidence.entries(archive, {case["record"] for case in listed})
            found += [{"case": case["no"], **asdict(judge(made.cases, conn, told[case["record"]]))} for case in listed]
    except SQLAlchemyError:
        raise  # of our own database
    except Exception as error:  # noqa: BLE001 - whatever somebody's file makes of zip, JSON, XML and entries: bad input, said in words
        click.echo(f"yingbao: not a bundle that can be replayed: {str(error) or type(error).__name__}"[:500], err=True)
        return 3
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for one in found:
            click.echo(f"{one['case']}: {_words(Verdict(**{k: v for k, v in one.items() if k != 'case'}))}")
    return 0 if all(one["result"] == "same" for one in found) else 1


def _held(files: tuple[Path, ...]) -> list[notes.Checkpoint]:
    try:
        return evidence.held(file.read_text(encoding="utf-8") for file in files)
    except UnicodeDecodeError:
        raise notes.BadNote("not a checkpoint: the file is no text") from None


def _public_text(chosen: Settings) -> str:
    file = public_file(chosen.signing_key)
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _public(chosen: Settings, given: str | None) -> list[notes.Verifier]:
    """The key whose signature checkpoints must have: as given (the key, or a file that holds it), else its public half beside the
    signing key; none where neither is here."""
    text = _public_text(chosen)
    if given is not None:
        try:
            text = Path(given).read_text(encoding="utf-8") if Path(given).is_file() else given
        except UnicodeDecodeError:
            raise notes.BadNote("not a verifier key: the file is no text") from None
    return [notes.Verifier.parse(text)] if text or given is not None else []
