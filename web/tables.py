"""决策表: each table with its rows, and which row fired in a case. Page and API tell the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.dmn import Table
from engine.errors import NotFound
from engine.model import Actor
from engine.office import Kept
from processes import dmn, readers
from web import replaying, wording
from web.cases import visible
from web.desk import bureau, me

bp = Blueprint("tables", __name__)


@bp.get("/tables")
def listing() -> ResponseReturnValue:
    return render_template("decision_tables.html", tables=listed())


@bp.get("/tables/<name>")
def show(name: str) -> ResponseReturnValue:
    """`?case=NO`: as that case was decided by it, with the row that fired."""
    return render_template("decision_table.html", table=told(me(), name, request.args.get("case")), article=wording.article)


def listed() -> list[dict[str, Any]]:
    with bureau().office.read():
        return [_head(table) | {"rows": len(table.rules)} for table in map(dmn.SHELF.current, sorted(dmn.SHELF.tables))]


def told(actor: Actor, name: str, case: str | None = None) -> dict[str, Any]:
    """A table in JSON. With a case: its text as the case's latest decision by it names it, and all decisions by that text; who reads
    another's case is noted, as at its replay. NotFound: no such table, or the case was not decided by it."""
    if name not in dmn.SHELF.tables:
        raise NotFound(f"没有这张决策表：{name} / no such decision table")
    if not case:
        with bureau().office.read():
            return _whole(dmn.SHELF.current(name), None, [])
    made = bureau()
    with made.office.snapshot() as conn:
        row = visible(conn, actor, case)
        readers.opens_replay(actor, row["unit"])
        entries = Kept(conn, made.office.keys.on(conn), row["id"]).closed
        asked = [entry for entry in entries if any(said["table"] == name for said in entry.data.get("decided", ()))]
        if not asked:
            raise NotFound(f"个案 {case} 没有用过决策表 {name} / the case was not decided by this table")
        digest = asked[-1].data["tables"][name]
        table = made.cases.table(conn, asked[-1], digest)
    replaying.note_reading(actor, row)
    decided = [{"entry": entry.seq, **_decision(said)} for entry in asked if entry.data["tables"][name] == digest for said in entry.data["decided"] if said["table"] == name]
    with made.office.read():
        return _whole(table, row["no"], decided)


def _decision(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"inputs": said["inputs"], "rules": said["rules"], "outputs": said["outputs"]}


def _head(table: Table) -> dict[str, Any]:
    return {"name": table.key, "title": table.zh, "title_en": table.en, "hit_policy": table.policy, "sha256": table.digest}


def _whole(table: Table, case: str | None, decided: list[dict[str, Any]]) -> dict[str, Any]:
    fired = set(decided[-1]["rules"]) if decided else set()
    columns = [[{"name": one.name, "label": one.zh, "label_en": one.en, "type": one.kind, "values": values} for one, values in part] for part in (
        [(one, one.domain.text) for one in table.inputs], [(one, one.values.text) for one in table.outputs])]  # fmt: skip
    rows = []
    for rule in table.rules:
        notes = dict(zip(table.notes, rule.notes, strict=True))
        rows.append({"id": rule.id, "when": [test.text for test in rule.tests], "then": list(rule.texts), "source": notes.get("source", ""),
                     "unverified": bool(notes.get("unverified")), "note": notes.get("zh", ""), "note_en": notes.get("en", ""), "fired": rule.id in fired})  # fmt: skip
    current = dmn.SHELF.digest(table.key) == table.digest
    return {**_head(table), "current": current, "inputs": columns[0], "outputs": columns[1], "rules": rows, "case": case, "decided": decided}
