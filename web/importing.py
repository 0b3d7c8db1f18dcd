"""`yingbao import households`: preview, error workbook, then one act per household."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from engine.model import Actor
from processes.bureau import Bureau
from processes.import_annex1 import Preview, Result, commit, error_workbook, preview
from processes.organisation import DISTRICT

_IMPORTER = Actor("import", "批量导入", frozenset(), DISTRICT)


def run(made: Bureau, file: Path, options: Mapping[str, Any], error_file: Path | None, *, commit: bool, all_or_nothing: bool, as_json: bool) -> int:
    """Exit code: 0 all lines are good (or known), 1 some have errors, 2 questions are open."""
    with file.open("rb") as stream, made.office.read() as conn:
        seen = preview(stream, conn, made.office.keys.on(conn), _IMPORTER, options, made.office.today(),
                       production=made.settings.production)  # fmt: skip
    if error_file is not None and seen.bad:
        error_file.write_bytes(error_workbook(seen))
    result = Result(0, len(seen.known), len(seen.bad))
    if commit and not seen.questions and not (all_or_nothing and seen.bad):
        result = bring_in(made, seen)
    _tell(seen, result, as_json=as_json)
    return 2 if commit and seen.questions else 1 if seen.bad else 0


def bring_in(made: Bureau, seen: Preview, actor: Actor = _IMPORTER) -> Result:
    done = 0
    for row in tqdm(seen.good, desc="households", disable=None):
        with made.office.act(actor) as act:
            done += commit(act, seen, row)
    return Result(done, len(seen.known) + len(seen.good) - done, len(seen.bad))


def _tell(seen: Preview, result: Result, *, as_json: bool) -> None:
    rows = [{"row": r.number, "errors": r.errors} for r in seen.bad]
    if as_json:
        said = {"rows": len(seen.rows), "good": len(seen.good), "known": len(seen.known), "errors": rows, "questions": seen.questions,
                "imported": result.imported}  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"第 {row['row']} 行：" + "；".join(f"{c}：{'，'.join(t)}" for c, t in row["errors"].items()))  # type: ignore[attr-defined]
    for text in seen.questions.values():
        click.echo(f"导入前请回答：{text}")
    click.echo(f"共 {len(seen.rows)} 户：可导入 {len(seen.good)}，已有 {len(seen.known)}，有错误 {len(seen.bad)}；本次导入 {result.imported} 户")
