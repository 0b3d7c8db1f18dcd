"""The decision tables in force: what the law answers by rows. Each `*.dmn` here is checked when the program starts; who decides by
one asks it by name, and the entry of a case names the table's text (docs/decisions/034)."""

from __future__ import annotations

from importlib import resources

from engine.dmn import Shelf, Table

RAW = {file.name.removesuffix(".dmn"): file.read_bytes() for file in sorted(resources.files(__package__).iterdir(), key=lambda f: f.name) if file.name.endswith(".dmn")}
SHELF = Shelf({name: Table.load(raw) for name, raw in RAW.items()})
if odd := sorted(name for name, table in SHELF.tables.items() if table.key != name):
    raise ValueError(f"the file and its decision have two names: {odd}")
decide = SHELF.decide
