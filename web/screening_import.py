"""填好的附件1、附件2导入: as page and API do it; on the page: upload, preview, bring in, mend."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from engine.errors import EngineError, Invalid, NotFound
from engine.forms import folded
from engine.model import Actor
from processes import documents, import_screening, kept_lists, organisation
from processes.bureau import Bureau
from processes.identity import mask_name
from processes.import_screening import Preview, Row
from web import importing
from web.desk import bureau, idem, lang, me, new_key, whole
from web.errors import fields_of
from web.households import Told
from web.line_pages import errors_of, page_of
from web.screening import bp as screening_bp

bp = Blueprint("filled", __name__, url_prefix="/import")
AT_ONCE = 300  # visits in one request
LABELS = {"visited_on": lazy_gettext("Visited on"), "first_visitor": lazy_gettext("Login of the first visitor"), "second_visitor": lazy_gettext("Login of the second visitor")}
Lines = Mapping[int, Mapping[str, str | None]]


# -- for both doors


def look(made: Bureau, actor: Actor, data: bytes, options: Mapping[str, Any] | None = None, lines: Lines | None = None) -> Preview:
    """The annex as it stands today, judged for this actor."""
    with importing.reading, made.office.read() as conn:
        return import_screening.preview(io.BytesIO(data), conn, made.office.keys.on(conn), actor, options or {}, made.office.today(), lines=lines, production=made.settings.production)


def kept(made: Bureau, actor: Actor, digest: str, options: Mapping[str, Any] | None = None, lines: Lines | None = None) -> Preview:
    """The same for a file that this actor uploaded before."""
    return look(made, actor, kept_lists.fetch(made.office.keys, made.settings.files, actor, digest), options, lines)


def bring_in(made: Bureau, seen: Preview, actor: Actor) -> dict[str, Any]:
    """Every good line (the first AT_ONCE), each in an act of its own; what fails is named and stops no other. Invalid while a question is open."""
    if open_questions := import_screening.unanswered(seen):
        raise Invalid(open_questions)
    visits, known, errors = list[dict[str, int]](), [row.number for row in seen.rows if row.state == "known"], {row.number: row.errors or row.differs for row in seen.rows if row.errors or row.differs}
    for row in seen.good[:AT_ONCE]:
        try:
            number = made.office.retrying(partial(_one, made, actor, seen, row))
        except EngineError as error:
            errors[row.number] = fields_of(error) or {"_": [str(error)]}
        else:
            if number is None:
                known.append(row.number)
            else:
                visits.append({"row": row.number, "screening": number})
    return {"imported": visits, "known": sorted(known), "blank": [row.number for row in seen.rows if row.state == "blank"],
            "errors": [{"row": n, "errors": errors[n]} for n in sorted(errors)], "left": len(seen.good[AT_ONCE:])}  # fmt: skip


def _one(made: Bureau, actor: Actor, seen: Preview, row: Row) -> int | None:
    with made.office.act(actor) as act:
        return import_screening.commit(made.cases, act, seen, row)


def report(seen: Preview, language: str) -> dict[str, Any]:
    """A preview as JSON: names masked, no ID numbers."""
    return {"list": seen.digest, "annex": seen.annex, "rows": [told(row, language) for row in seen.rows],
            "counts": {state: sum(row.state == state for row in seen.rows) for state in import_screening.STATES},
            "questions": {name: importing.in_words([text], language)[0] for name, text in seen.questions.items()}}  # fmt: skip


def told(row: Row, language: str) -> dict[str, Any]:
    errors, differs = ({column: importing.in_words(texts, language) for column, texts in said.items()} for said in (row.errors, row.differs))
    shown = row.home is not None
    return {"row": row.number, "state": row.state, "applicant": mask_name(row.name) if row.name else "", "household_id": row.home[0] if shown and row.home else None,
            "household_no": row.home[1] if row.home else None, "community": row.home[2] if row.home else None, "visited_on": row.said.get("visited_on"),
            "visitors": list(row.said.get("visitors") or ()), "result": row.said.get("result"), "qualifies": row.said.get("qualifies"),
            "errors": errors, "differs": differs, "answers": row.answers}  # fmt: skip


# -- the pages


@bp.route("/", methods=["GET", "POST"])
def upload() -> ResponseReturnValue:
    """Choose a file; what is neither annex is refused at once and not kept."""
    who, done = import_screening.allow(me()), Told()
    if request.method == "POST":
        with done:
            file = request.files.get("file")
            if file is None or not file.filename:
                raise Invalid({"file": [_("Choose a file")]})
            with file.stream as stream:
                data = stream.read(documents.MAX_BYTES + 1)
            look(bureau(), who, data)
            digest = kept_lists.keep(bureau().office.keys, bureau().settings.files, me(), data)
            return redirect(url_for("screening.filled.show", digest=digest))
    return render_template("filled_upload.html", wrong=[text for texts in done.errors.values() for text in texts], trouble=done.trouble), done.status


@bp.route("/<string(length=64):digest>", methods=["GET", "POST"])
def show(digest: str) -> ResponseReturnValue:
    """The preview; sent, the ticked lines come in, or all."""
    who, done = import_screening.allow(me()), Told()
    if request.method == "POST":
        with done:
            result_of = importing.once(bureau(), me(), idem(), lambda: _bring_in(digest, who))
            key = request.form.get("_key", "")[:80] or new_key()
            importing.once(bureau(), me(), _shown(key, digest), lambda: result_of)
            return redirect(url_for("screening.filled.result", digest=digest, key=key))
    seen = _asked(digest, who)
    shown, found = page_of(seen.rows)
    lines = [{**told(row, lang()), "ticked": row.state == "new" and (request.method == "GET" or str(row.number) in request.form.getlist("row"))} for row in shown]
    with bureau().office.read() as conn:
        places = {line["community"]: organisation.unit_name(conn, line["community"]) for line in lines if line["community"]}
    return render_template("filled_preview.html", seen=seen, lines=lines, places=places, counts=report(seen, lang())["counts"], found=found, errors=done.errors,
                           trouble=done.trouble, asked=import_screening.OPTIONS[seen.annex], labels=LABELS, typed=request.values), done.status  # fmt: skip


def _asked(digest: str, who: Actor) -> Preview:
    """With what was answered so far, as far as it makes sense."""
    try:
        return kept(bureau(), who, digest, _answers("all"))
    except Invalid:
        return kept(bureau(), who, digest)


def _shown(key: str, digest: str) -> tuple[str, Any]:
    return f"shown-{key}", digest


def _answers(of: str) -> dict[str, str]:
    return {name: folded(request.form.get(f"{of}-{name}", "")).strip()[:60] for name in LABELS if request.form.get(f"{of}-{name}")}


def _bring_in(digest: str, who: Actor) -> dict[str, Any]:
    form = request.form
    chosen = None if form.get("_do") == "all" else {whole(n, 0, 10**6) for n in form.getlist("row")}
    if chosen is not None and not chosen:
        raise Invalid({"rows": [_("Tick at least one household")]})
    lines = {int(n): _answers(n) for n in form.getlist("row") if n.isascii() and n.isdecimal() and len(n) < 7}
    seen = kept(bureau(), who, digest, _answers("all"), lines)
    if chosen:
        seen = import_screening.choose(seen, chosen)
    return bring_in(bureau(), seen, who)


@bp.get("/<string(length=64):digest>/done/<key>")
def result(digest: str, key: str) -> ResponseReturnValue:
    """What became of the lines that were sent with this key."""
    import_screening.allow(me())
    with bureau().office.act(me(), _shown(key[:80], digest)) as act:
        done = act.recall()
    if done is None:
        raise NotFound("没有这个页面")
    wrong = [{"row": one["row"], "errors": {column: importing.in_words(texts, lang()) for column, texts in one["errors"].items()}} for one in done["errors"]]
    return render_template("filled_result.html", digest=digest, done=done, wrong=wrong, at_once=AT_ONCE)


@bp.get("/<string(length=64):digest>/errors.xlsx")
def errors(digest: str) -> ResponseReturnValue:
    """The lines with errors under the heading as printed, why in the last column."""
    return errors_of(import_screening.error_workbook(kept(bureau(), import_screening.allow(me()), digest)))


@bp.post("/<string(length=64):digest>/discard")
def discard(digest: str) -> ResponseReturnValue:
    import_screening.allow(me())
    kept_lists.discard(bureau().office.keys, bureau().settings.files, me(), digest)
    flash(_("The file was removed; visits that were brought in stay."))
    return redirect(url_for("screening.filled.upload"))


screening_bp.register_blueprint(bp)
