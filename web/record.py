"""记录与封签: how the record stands (seal, witnesses, guard), the checkpoint to print, and what is decided about the record itself."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection, select

from engine import guard, merkle, notes, sealing, store
from engine.errors import EngineError, Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import OTHERS, Actor, stamp
from engine.office import Act
from processes import divergences, documents, erasure, evidence, readers
from processes.proof_tables import divergence
from processes.proof_tables import erasure as restriction
from web.desk import bureau, idem, lang, me, whole
from web.errors import said, status_of, words
from web.sequencer import public_file

bp = Blueprint("record", __name__)

READERS = frozenset({"auditor", "supervisor", "admin"})


def reader(actor: Actor) -> Actor:
    """The actor in the posts that may look at the record's own state."""
    found = actor.only(READERS)
    if not found.roles:
        raise Refused("role", "记录与封签只对审计、监督主管和系统管理员开放", "The state of the record is for auditors, supervisors and administrators")
    return found


def standing(conn: Connection) -> dict[str, Any]:
    """How the record stands, in JSON."""
    found, last = sealing.state(conn), sealing.latest(conn)
    witnesses = conn.scalars(select(store.cosignature.c.witness).where(store.cosignature.c.tree_size == found.size)).all()
    held = guard.rights(conn)
    return {
        "log": bureau().office.origin, "sealed": found.size, "waiting": found.waiting, "oldest_seconds": found.oldest, "late": found.late,
        "checkpoint": last["note"] if last else None, "signed_at": stamp(found.signed_at) if found.signed_at else None, "witnesses": sorted(witnesses),
        "guard": [*guard.missing(conn), *(f"login:{name}" for name, has in held.items() if has)], "key": public_key(),
    }  # fmt: skip


def public_key() -> str | None:
    file = public_file(bureau().settings.signing_key)
    return file.read_text(encoding="utf-8").strip() if file.exists() else None


def proof(conn: Connection, actor: Actor, no: str, seq: int) -> dict[str, Any]:
    """That one entry stands in the tree: its place and the hashes up to the newest root (RFC 6962 2.1.1)."""
    row = conn.execute(select(store.record.c.id, store.record.c.unit).where(store.record.c.no == no)).one_or_none()
    if row is None or not readers.of_cases(actor).covers(row.unit):
        raise NotFound(f"没有这件个案：{no}")
    place, last = sealing.index_of(conn, row.id, seq), sealing.latest(conn)
    if place is None or last is None or place >= last["tree_size"]:
        raise NotFound("这一条还没有盖封")
    suite = sealing.suite_of(conn)
    path = merkle.inclusion(suite, sealing.stored(conn, suite), place, last["tree_size"])
    return {"case": no, "seq": seq, "index": place, "tree_size": last["tree_size"], "suite": suite.number, "proof": [one.hex() for one in path], "checkpoint": last["note"]}


def bundle(who: Actor, cases: tuple[str, ...], reason: str, *, personal: bool) -> tuple[io.BufferedIOBase, str]:
    """An evidence bundle as a file, and its name; that it was made stands in the reader's record. Raises Invalid, NotFound."""
    evidence.vet(cases)
    made = bureau()
    with made.office.act(who.only({"auditor"})) as act:
        evidence.note_taking(act, cases, reason, personal=personal)
    wanted = evidence.Wanted(cases, who.id, Path(made.settings.files), personal, (), public_key() or "", made.office.origin)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    with made.office.snapshot() as conn:
        evidence.write(conn, made.office.keys.on(conn), wanted, file)
    file.seek(0)
    return file, f"evidence-{made.office.today():%Y%m%d}-{len(cases)}.zip"


def numbers(text: str) -> tuple[str, ...]:
    """Case numbers with commas, spaces or line ends between."""
    return tuple(dict.fromkeys(text.replace(",", " ").replace("，", " ").replace("、", " ").split()))


def divergences_of(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    keys = bureau().office.keys
    query = select(divergence, store.record.c.unit).join(store.record, store.record.c.id == divergence.c.case_id).order_by(divergence.c.id.desc())
    rows = [row for row in conn.execute(query).mappings() if actor.covers(row["unit"])]
    return [{"id": r["id"], "case": r["case_no"], "result": r["result"], "entry": r["entry"], "state": r["state"], "proposed_by": r["proposed_by"], "proposed_on": r["proposed_on"],
             "settled_by": r["settled_by"], "settled_on": r["settled_on"], "reason": keys.reveal("divergence", "reason", r["id"], r["reason"])} for r in rows]  # fmt: skip


def restrictions(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    """Those of the actor's area; a restriction belongs to the unit of its own record."""
    names = ("id", "subject", "state", "reason", "asked_by", "asked_on", "decided_by", "decided_on", "keep_until")
    query = select(restriction, store.record.c.unit).join(store.record, store.record.c.id == restriction.c.id // 0x10000).order_by(restriction.c.id.desc())
    return [{name: row[name] for name in names} for row in conn.execute(query).mappings() if actor.covers(row["unit"])]


def acts(verb: str, number: int) -> Callable[[Act], dict[str, Any]]:
    """What a button or an address about an existing row does."""
    made = bureau()
    known: Mapping[str, Callable[[Act], dict[str, Any]]] = {
        "accept": lambda act: divergences.settle(act, made.cases, number, accept=True),
        "refuse": lambda act: divergences.settle(act, made.cases, number, accept=False),
        "lift": lambda act: erasure.lift(act, number),
        "propose": lambda act: erasure.propose(act, number),
        "erase": lambda act: erasure.erase(act, number),
    }
    if verb not in known:
        raise NotFound("没有这种操作")
    return known[verb]


def sweep() -> None:
    """The files of who was just erased, after the commit; whatever keeps this from happening, the hourly sweep does it."""
    made = bureau()
    with made.office.read() as conn:
        documents.sweep(conn, made.settings.files)


# -- pages


@bp.get("/record")
def show() -> ResponseReturnValue:
    return _page()


def _page(status: int = 200, errors: list[str] | None = None) -> ResponseReturnValue:
    actor = reader(me())
    with bureau().office.read() as conn:
        found = {"state": standing(conn), "divergences": divergences_of(conn, actor), "restrictions": restrictions(conn, actor)}
    return render_template("record.html", **found, errors=errors or [], typed=request.form, reasons=erasure.REASONS), status


@bp.get("/record/checkpoint")
def sheet() -> ResponseReturnValue:
    """The sheet that is printed every day and filed: the checkpoint in words and as a QR code."""
    reader(me())
    with bureau().office.read() as conn:
        found = standing(conn)
    code = segno.make(found["checkpoint"], error="m").svg_inline(scale=3, border=2, svgclass=None, lineclass=None) if found["checkpoint"] else ""
    parts = notes.read(found["checkpoint"])[0] if found["checkpoint"] else None
    return render_template("record_sheet.html", state=found, code=code, root=parts.root.hex() if parts else "")


@bp.post("/record/evidence")
def export() -> ResponseReturnValue:
    try:
        file, name = bundle(me(), numbers(request.form.get("cases", "")), request.form.get("reason", ""), personal="without_personal" not in request.form)
    except (EngineError, Invalid) as error:
        return _failed(error)
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)  # type: ignore[arg-type]


@bp.post("/record/divergences")
def propose() -> ResponseReturnValue:
    return _do(lambda act: divergences.propose(act, bureau().cases, request.form.get("case", "").strip(), request.form.get("reason", "")))


@bp.post("/record/restrictions")
def restrict() -> ResponseReturnValue:
    sent = folded(request.form.get("person", ""))[:40]
    whom = sent if sent.startswith(OTHERS) else whole(sent, 0, 10**15)
    return _do(lambda act: erasure.restrict(act, whom, request.form.get("reason", "")))


@bp.post("/record/rows/<int:number>")
def decide(number: int) -> ResponseReturnValue:
    """The pressed button says what is meant."""
    answer = _do(acts(request.form.get("_do", ""), number))
    if request.form.get("_do") == "erase":
        sweep()
    return answer


def _do(work: Callable[[Act], Any]) -> ResponseReturnValue:
    reader(me())
    try:
        with bureau().office.act(me(), idem()) as act:
            if act.recall() is None:
                work(act)
    except (EngineError, Invalid) as error:
        return _failed(error)
    flash(_("Recorded."))
    return redirect(url_for("record.show"))


def _failed(error: EngineError) -> ResponseReturnValue:
    if isinstance(error, Invalid):
        return _page(422, [text for texts in said(error, lang()).values() for text in texts])
    return _page(status_of(error), [words(error, lang())])

