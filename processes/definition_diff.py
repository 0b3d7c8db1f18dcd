"""What is different between two versions of a drawing, a decision table or a law file: pure, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.dmn import Table
from engine.outline import Element, outline
from processes import law

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """change: added | removed | changed. part: node | flow | lane | head | column | row | value. before, after: name -> text, of what
    differs (all of it, where it was added or removed)."""

    part: str
    id: str
    change: str
    before: Mapping[str, str]
    after: Mapping[str, str]


def differences(kind: str, before: bytes, after: bytes, key: str = "") -> list[Difference]:
    """Of two texts of one kind (drawing | table | law) that the lint has passed; `key`: the law file's name."""
    if kind == "drawing":
        return _drawings(before, after)
    if kind == "table":
        return _tables(Table.parse(before), Table.parse(after))
    return _laws(before, after, key)


def _between(part: str, before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> list[Difference]:
    found = []
    for name in [*before, *(one for one in after if one not in before)]:
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            found.append(Difference(part, name, "added" if old is None else "removed", old or NOTHING, new or NOTHING))
        elif odd := [field for field in {**old, **new} if old.get(field, "") != new.get(field, "")]:
            found.append(Difference(part, name, "changed", {f: old.get(f, "") for f in odd}, {f: new.get(f, "") for f in odd}))
    return found


def _drawings(before: bytes, after: bytes) -> list[Difference]:
    old, new = outline(before), outline(after)

    def told(elements: Mapping[str, Element]) -> dict[str, dict[str, str]]:
        return {one.id: {"kind": one.kind, **one.said} for one in elements.values()}

    pairs = (("node", old.nodes, new.nodes), ("flow", old.flows, new.flows), ("lane", old.lanes, new.lanes))
    return [one for part, here, there in pairs for one in _between(part, told(here), told(there))]


def _tables(old: Table, new: Table) -> list[Difference]:
    def columns(table: Table) -> dict[str, dict[str, str]]:
        said = {one.name: {"as": "input", "type": one.kind, "values": one.domain.text, "label": one.zh, "label_en": one.en} for one in table.inputs}
        return said | {one.name: {"as": "output", "type": one.kind, "values": one.values.text, "label": one.zh, "label_en": one.en} for one in table.outputs}

    def rows(table: Table) -> dict[str, dict[str, str]]:
        ordered = table.policy == "FIRST"  # only there the place of a row decides anything
        return {rule.id: {
            **{one.name: test.text for one, test in zip(table.inputs, rule.tests, strict=True)}, **{one.name: text for one, text in zip(table.outputs, rule.texts, strict=True)},
            **dict(zip(table.notes, rule.notes, strict=True)), **({"place": str(place)} if ordered else {})} for place, rule in enumerate(table.rules, 1)}  # fmt: skip

    heads = [{table.key: {"hit_policy": table.policy, "title": table.zh, "title_en": table.en}} for table in (old, new)]
    return [*_between("head", *heads), *_between("column", columns(old), columns(new)), *_between("row", rows(old), rows(new))]


def _laws(before: bytes, after: bytes, file: str) -> list[Difference]:
    def values(raw: bytes) -> dict[str, dict[str, str]]:
        found = {}
        for name, rows in law.read(raw, file, law.fits_in(file)).items():
            for row in rows:
                known = f", known {row.known_from}" if row.known_from else ""
                found[f"{name} {row.since}{known}"] = {
                    "name": name, "from": row.since.isoformat(), "value": row.text, "source": row.source, "unverified": "true" if row.unverified else "",
                    "known_from": row.known_from.isoformat() if row.known_from else "",
                }  # fmt: skip
        return found

    return _between("value", values(before), values(after))
