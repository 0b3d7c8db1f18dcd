"""Bringing in a list, as page, API and command line do it: what is told of a preview, and one act per household."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from engine.errors import Conflict, EngineError, Invalid
from engine.model import Actor
from processes import import_annex1 as annex1
from processes import kept_lists
from processes.bureau import Bureau
from processes.identity import mask_name
from processes.import_annex1 import Preview, Row
from processes.money import yuan
from processes.organisation import DISTRICT
from web.english import english
from web.errors import fields_of

_IMPORTER = Actor("import", "批量导入", annex1.IMPORTERS, DISTRICT)
reading = threading.BoundedSemaphore(2)  # a hostile workbook costs memory and seconds; many at once must not take all of it

AT_ONCE = 300  # households in one request: about ten seconds on a small machine

Lines = Mapping[int, Mapping[str, str | None]]


@dataclass
class Result:
    """What became of the lines, by their numbers in the sheet."""

    homes: dict[int, int] = field(default_factory=dict)  # line -> household that was made
    known: list[int] = field(default_factory=list)  # were here already
    errors: dict[int, dict[str, list[str]]] = field(default_factory=dict)
    left: int = 0  # good lines that were too many for one call: call again

    @property
    def imported(self) -> int:
        return len(self.homes)

    def told(self) -> dict[str, Any]:
        """As JSON: no names, for it is kept with the idempotency key."""
        homes = [{"row": n, "household_id": home} for n, home in self.homes.items()]
        errors = [{"row": n, "errors": said} for n, said in self.errors.items()]
        return {"imported": homes, "known": self.known, "errors": errors, "left": self.left}


# -- for all doors


def look(made: Bureau, actor: Actor, data: bytes, options: Mapping[str, Any] | None = None, lines: Lines | None = None) -> Preview:
    """The list as it stands today, judged for this actor. `options`, `lines`: answers for all, and line by line."""
    with reading, made.office.read() as conn:
        return annex1.preview(io.BytesIO(data), conn, made.office.keys.on(conn), actor, options or {}, made.office.today(),
                              lines=lines, production=made.settings.production)  # fmt: skip


def kept(made: Bureau, actor: Actor, digest: str, options: Mapping[str, Any] | None = None, lines: Lines | None = None) -> Preview:
    """The same for a list that this actor uploaded before."""
    return look(made, actor, kept_lists.fetch(made.office.keys, made.settings.files, actor, digest), options, lines)


def bring_in(made: Bureau, seen: Preview, actor: Actor = _IMPORTER, *, most: int | None = None, watched: bool = False) -> Result:
    """Every good line (the first `most` of them), each in a transaction of its own; what fails is named and stops no other.
    Invalid while a question is open."""
    if open_questions := annex1.unanswered(seen):
        raise Invalid(open_questions)
    result = Result(known=[r.number for r in seen.known], errors={r.number: r.errors for r in seen.bad}, left=len(seen.good[most:] if most else []))
    for count, row in enumerate(tqdm(seen.good[:most], desc="households", disable=None if watched else True), start=1):
        try:
            home = made.office.retrying(partial(_one, made, actor, seen, row))
        except EngineError as error:
            result.errors[row.number] = fields_of(error) or {"_": [str(error)]}
        else:
            result.homes.update({row.number: home} if home else {})
            result.known += [] if home else [row.number]
        if watched and count % 1000 == 0:
            click.echo(f"{count} households", err=True)
    return result


def _one(made: Bureau, actor: Actor, seen: Preview, row: Row) -> int | None:
    with made.office.act(actor) as act:
        return annex1.commit(act, seen, row)


def once(made: Bureau, actor: Actor, idem: tuple[str, Any] | None, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Work of many acts under one idempotency key: a repeat gets the first answer. Broken off in between, the repeat does
    the rest: no line ever comes in twice, key or no key."""
    if idem is None:
        return work()
    if (first := _recalled(made, actor, idem)) is not None:
        return first
    done = work()
    try:
        with made.office.act(actor, idem) as act:
            if (first := act.recall()) is None:
                act.remember(done)
    except Conflict:  # the same request, sent twice at once
        first = _recalled(made, actor, idem)
    return first or done


def _recalled(made: Bureau, actor: Actor, idem: tuple[str, Any]) -> dict[str, Any] | None:
    with made.office.act(actor, idem) as act:
        found: dict[str, Any] | None = act.recall()
    return found


def report(seen: Preview, language: str = "zh") -> dict[str, Any]:
    """A preview as JSON: what the API and `--json` give. Names masked, no ID numbers."""
    return {
        "list": seen.digest,
        "rows": [told(row, language) for row in seen.rows],
        "counts": {state: sum(r.state == state for r in seen.rows) for state in ("new", "known", "differs", "error")},
        "questions": {name: in_words([text], language)[0] for name, text in seen.questions.items()},
    }


def in_words(texts: Sequence[str], language: str) -> list[str]:
    return [english(text) for text in texts] if language == "en" else list(texts)


def told(row: Row, language: str = "zh") -> dict[str, Any]:
    """One line of a preview. Headings of columns stay as annex 1 prints them: they are names."""
    data = row.data
    errors, differs = ({column: in_words(texts, language) for column, texts in said.items()} for said in (row.errors, row.differs))
    return {
        "row": row.number, "state": row.state, "applicant": mask_name(data.get("name", "")), "members": data.get("members"),
        "category": data.get("category"), "amount_fen": data.get("amount_fen"), "street": listed(row, "乡镇（街道）"),
        "place": listed(row, "村（居委会）"), "community": data.get("community"), "household_id": row.home and row.home[0],
        "errors": errors, "differs": differs, "hints": in_words(row.hints, language), "answers": row.answers,
    }  # fmt: skip


def listed(row: Row, heading: str) -> str:
    """A cell as it stands in the list, for showing."""
    cells = dict(zip(annex1.HEADINGS, row.cells, strict=False))
    return str(cells.get(heading) or "").strip()[:60]


# -- the command line


def run(made: Bureau, file: Path, options: Mapping[str, Any], error_file: Path | None, *, commit: bool, all_or_nothing: bool,
        as_json: bool, rows: str | None = None, lines: Lines | None = None) -> int:  # fmt: skip
    """Exit code: 0 all lines are good (or known), 1 some have errors, 2 questions are open."""
    with file.open("rb") as stream:
        seen = look(made, _IMPORTER, stream.read(annex1.MAX_BYTES + 1), options, lines)
    if rows is not None:
        seen = annex1.choose(seen, numbers(rows, [r.number for r in seen.rows]))
    if error_file is not None and seen.bad:
        error_file.write_bytes(annex1.error_workbook(seen))
    result = Result(known=[r.number for r in seen.known], errors={r.number: r.errors for r in seen.bad})
    if commit and not seen.questions and not (all_or_nothing and seen.bad):
        result = bring_in(made, seen, watched=True)
    _say(seen, result, as_json=as_json, listing=not commit)
    return 2 if commit and seen.questions else 1 if result.errors else 0


def numbers(text: str, there: Sequence[int]) -> list[int]:
    """ "3,5-9" -> lines: a single one must be in the list, a range means those of it that are. Invalid when it is no such text."""
    found: list[int] = []
    for part in text.replace("，", ",").split(","):
        first, dash, last = part.strip().partition("-")
        if not all(end.isascii() and end.isdecimal() and len(end) < 7 for end in ([first, last] if dash else [first])):
            raise Invalid({"rows": [f"行号写成 3,5-9，不能是 {part.strip()[:20]}"]})
        within = [n for n in there if int(first) <= n <= int(last)] if dash else [int(first)]
        if not within:
            raise Invalid({"rows": [f"名单中没有这些行：{part.strip()}"]})
        found += within
    return found


def answers_of(file: Path) -> dict[int, dict[str, str | None]]:
    """{"5": {"hukou_kind": "rural"}}: answers line by line, from a JSON file. Invalid when it is not that."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        read = {int(n): dict(own) for n, own in said.items()}
    except (ValueError, AttributeError, TypeError):
        raise Invalid({"answers": ['应为 JSON：{"行号": {"hukou_kind": …, "review_class": …, "first_payment_month": …}}']}) from None
    if not all(v is None or isinstance(v, str) for own in read.values() for v in own.values()):
        raise Invalid({"answers": ["答案应为文字"]})
    return read


def _say(seen: Preview, result: Result, *, as_json: bool, listing: bool) -> None:
    if as_json:
        click.echo(json.dumps({**report(seen), "result": result.told()}, ensure_ascii=False))
        return
    if listing:
        for row in seen.rows:
            line = told(row)
            click.echo("\t".join(map(str, (row.number, line["applicant"], line["members"] or "", yuan(line["amount_fen"]), line["street"], line["place"],
                                           _STATES[row.state]))))  # fmt: skip
    for what, marked in (("", result.errors), ("与系统不一致：", {r.number: r.differs for r in seen.rows if r.differs})):
        for number, said in marked.items():
            click.echo(f"第 {number} 行：{what}" + "；".join(f"{c}：{'，'.join(t)}" for c, t in said.items()))
    for text in seen.questions.values():
        click.echo(f"导入前请回答：{text}")
    click.echo(f"共 {len(seen.rows)} 户：可导入 {len(seen.good)}，已有 {len(seen.known)}，有错误 {len(seen.bad)}；本次导入 {result.imported} 户")


_STATES = {"new": "可导入", "known": "已在系统", "differs": "已在系统，与名单不一致", "error": "有错误"}
