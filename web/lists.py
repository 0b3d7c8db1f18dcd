"""导入名单: upload a street's existing list, see what each line would do, answer what it does not say, bring it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Invalid, NotFound
from engine.forms import folded
from processes import households, kept_lists, organisation
from processes import import_annex1 as annex1
from processes.import_annex1 import Preview, Row
from web import importing
from web.desk import bureau, idem, lang, me, new_key, whole
from web.households import Told
from web.households import bp as households_bp
from web.line_pages import errors_of, page_of

bp = Blueprint("lists", __name__, url_prefix="/import")

ASKED = tuple(annex1.OPTIONS)


@bp.route("/", methods=["GET", "POST"])
def upload() -> ResponseReturnValue:
    """Choose a file. What is no list in the layout of annex 1 is refused at once and not kept."""
    who = annex1.allow(me())
    told = Told()
    if request.method == "POST":
        with told:
            file = request.files.get("file")
            if file is None or not file.filename:
                raise Invalid({"file": [_("Choose a file")]})
            with file.stream as stream:  # a large upload is a temporary file
                data = stream.read(annex1.MAX_BYTES + 1)
            importing.look(bureau(), who, data)
            digest = kept_lists.keep(bureau().office.keys, bureau().settings.files, me(), data)
            return redirect(url_for("households.lists.show", digest=digest))
    return render_template("list_upload.html", wrong=[text for texts in told.errors.values() for text in texts], trouble=told.trouble,
                           headings=annex1.HEADINGS), told.status  # fmt: skip


@bp.route("/<string(length=64):digest>", methods=["GET", "POST"])
def show(digest: str) -> ResponseReturnValue:
    """The preview, a page of lines at a time; sent, the ticked lines come in (or all)."""
    annex1.allow(me())
    told = Told()
    if request.method == "POST":
        with told:
            done = importing.once(bureau(), me(), idem(), lambda: _bring_in(digest))
            key = request.form.get("_key", "")[:80] or new_key()
            importing.once(bureau(), me(), _shown(key, digest), lambda: done)
            return redirect(url_for("households.lists.result", digest=digest, key=key))
    return _preview(digest, told)


def _shown(key: str, digest: str) -> tuple[str, Any]:
    """Under this the result is kept, to be looked at again: it holds numbers, no names."""
    return f"shown-{key}", digest


def _preview(digest: str, told: Told) -> ResponseReturnValue:
    seen = importing.kept(bureau(), annex1.allow(me()), digest)
    shown, found = page_of(seen.rows)
    lines = [{**importing.told(row, lang()), "ticked": _ticked(row)} for row in shown]
    with bureau().office.read() as conn:
        places = {line["community"]: organisation.unit_name(conn, line["community"]) for line in lines if line["community"]}
    counts = importing.report(seen)["counts"]
    return render_template("list_preview.html", seen=seen, lines=lines, places=places, counts=counts, found=found,
                           errors=told.errors, trouble=told.trouble, asked=ASKED, typed=request.values, more=_more(seen, shown)), told.status  # fmt: skip


def _more(seen: Preview, shown: Sequence[Row]) -> int:
    """How many good lines there are on all pages, when they are on more than this one."""
    return len(seen.good) if any(row not in shown for row in seen.good) else 0


def _ticked(row: Row) -> bool:
    """All good lines at first; then those that were sent."""
    return row.state == "new" and (request.method == "GET" or request.form.get("_do") == "all" or str(row.number) in request.form.getlist("row"))


def _bring_in(digest: str) -> dict[str, Any]:
    form = request.form
    chosen = None if form.get("_do") == "all" else {whole(n, 0, 10**6) for n in form.getlist("row")}
    if chosen is not None and not chosen:
        raise Invalid({"rows": [_("Tick at least one household")]})
    seen = importing.kept(bureau(), annex1.allow(me()), digest, _answers("all"), _lines())
    done = importing.bring_in(bureau(), annex1.choose(seen, chosen) if chosen else seen, annex1.allow(me()), most=importing.AT_ONCE)
    return done.told()


def _answers(of: str) -> dict[str, str]:
    return {name: folded(request.form.get(f"{of}-{name}", "")).strip()[:20] for name in ASKED}


def _lines() -> dict[int, Mapping[str, str | None]]:
    """Answers that were given line by line: only those of ticked lines count."""
    return {int(n): _answers(n) for n in request.form.getlist("row") if n.isascii() and n.isdecimal() and len(n) < 7}


@bp.get("/<string(length=64):digest>/done/<key>")
def result(digest: str, key: str) -> ResponseReturnValue:
    """What became of the lines that were sent with this key."""
    annex1.allow(me())
    with bureau().office.act(me(), _shown(key[:80], digest)) as act:
        done = act.recall()
    if done is None:
        raise NotFound("没有这个页面")
    homes = [entry["household_id"] for entry in done["imported"]]
    with bureau().office.read() as conn:
        names = households.applicant_names(conn, [f"household:{home}" for home in homes])
        numbers = {home: households.row(conn, home)["no"] for home in homes}
    wrong = [{"row": e["row"], "errors": {column: importing.in_words(texts, lang()) for column, texts in e["errors"].items()}} for e in done["errors"]]
    return render_template("list_result.html", digest=digest, done=done, names=names, numbers=numbers, wrong=wrong, at_once=importing.AT_ONCE)


@bp.get("/<string(length=64):digest>/errors.xlsx")
def errors(digest: str) -> ResponseReturnValue:
    """The lines with errors, why in the last column."""
    return errors_of(annex1.error_workbook(importing.kept(bureau(), annex1.allow(me()), digest)))


@bp.post("/<string(length=64):digest>/discard")
def discard(digest: str) -> ResponseReturnValue:
    annex1.allow(me())
    kept_lists.discard(bureau().office.keys, bureau().settings.files, me(), digest)
    flash(_("The list was removed; households that were brought in stay."))
    return redirect(url_for("households.lists.upload"))


def mine() -> bool:
    """Whether the page is for who is signed in."""
    return not me().roles.isdisjoint(annex1.IMPORTERS)


households_bp.register_blueprint(bp)
