"""Files of a unit's own work on the pages: sent with a form they are kept before it is judged, so that a refused form has them still."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from engine.errors import Invalid
from engine.forms import Form, from_html, understand
from engine.model import Actor
from engine.office import Act
from processes import attachments, organisation
from web.desk import bureau, idem, lang, me, whole
from web.households import Told
from web.uploads import titles

bp = Blueprint("attachments", __name__)
_SUFFIX = "__file"


@bp.get("/attachments/<int:attachment_id>")
def show(attachment_id: int) -> ResponseReturnValue:
    return sent(me(), attachment_id, "inline")


def sent(who: Actor, attachment_id: int, how: str) -> Response:
    """The file; it tells of no household, so its reading is noted nowhere. how: inline | attachment."""
    made = bureau()
    with made.office.read() as conn:
        data, media_type = attachments.fetch(conn, made.office.keys.on(conn), made.settings.files, who, attachment_id)
    headers = {"Content-Disposition": f'{how}; filename="attachment-{attachment_id}"', "Content-Security-Policy": "default-src 'none'"}
    return Response(data, mimetype=media_type, headers=headers)


def with_files(unit: str, kind: str) -> MultiDict[str, str]:
    """The form as sent, with the numbers of the files that came with it: a field `photo` has its file as `photo__file`, in rows too. Raises Invalid for those that cannot
    be kept, after the good ones were; what was typed goes on from there."""
    form, wrong = MultiDict(request.form), dict[str, list[str]]()
    made = bureau()
    for name in sorted(n for n in request.files if n.endswith(_SUFFIX)):
        for file in request.files.getlist(name):
            if not file.filename:
                continue
            key = name.removesuffix(_SUFFIX)
            try:
                staged = attachments.stage(made.office, me(), made.settings.files, unit, file.stream)
                with made.office.act(me()) as act:
                    number = attachments.keep(act, staged, kind, file.filename)
            except Invalid as error:
                wrong.setdefault(key.replace("-", "."), []).extend(f"{text}：{file.filename}" for texts in error.fields.values() for text in texts)
                continue
            titles().append(file.filename)
            form.setlist(key, [*(v for v in form.getlist(key) if v), str(number)])
    if wrong:
        raise Broken(wrong, form)
    return form


def filled(page: str, form_class: type[Form], title: str, unit: str, back: str, work: Callable[[Act, Any], dict[str, Any]], values: dict[str, Any], then: Callable[[dict[str, Any]], str],
           *, read: Callable[[type[Form], Any], dict[str, Any]] = from_html, communities: Any = (), **more: Any) -> ResponseReturnValue:  # fmt: skip
    """As `leads.filled`, with files of a unit (`communities`: the units to choose from): they are kept before the form is judged, and the page that comes back has them. `read`: the form as sent -> what was typed."""
    made, told, typed = bureau(), Told(), values
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        with told:
            typed = read(form_class, request.form)
            try:
                typed = read(form_class, with_files(unit, "photo"))
            except Broken as error:
                typed = read(form_class, error.form)
                raise
            if request.form.get("_do") != "row":
                said = understand(form, typed)
                with made.office.act(me(), idem()) as act:
                    done = work(act, said)
                flash(_("Recorded."))
                return redirect(then(done))
    with made.office.read() as conn:
        papers = named(conn, typed)
    return render_template(page, title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=papers, colleagues=[], communities=communities, back=back,
                           extra=whole(request.form.get("_rows"), 0, 50) if request.form.get("_do") == "row" else 0, **more), told.status  # fmt: skip


def units_of(roles: Collection[str], *levels: str) -> list[Mapping[Any, Any]]:
    """The units for which one of the reader's posts with these roles works."""
    with bureau().office.read() as conn:
        return [one for one in organisation.units(conn, me().only(me().roles & set(roles)).areas) if one["level"] in levels]


class Broken(Invalid):
    """Some of the files cannot be kept; `form` is what was sent, with the others' numbers."""

    def __init__(self, fields: dict[str, list[str]], form: MultiDict[str, str]) -> None:
        super().__init__(fields)
        self.form = ImmutableMultiDict(form)


def named(conn: Connection, typed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files that a form names, to be chosen again on the page."""
    return [{"id": row["id"], "title": row["title"], "kind": row["kind"], "uploaded_on": row["uploaded_on"]} for row in attachments.known(conn, _numbers(typed)).values()]


def _numbers(typed: Any, name: str = "") -> set[int]:
    """The numbers under names of files, at any depth."""
    if isinstance(typed, Mapping):
        return {n for key, value in typed.items() for n in _numbers(value, str(key))}
    if isinstance(typed, (list, tuple)):
        return {n for value in typed for n in _numbers(value, name)}
    text = str(typed)
    return {int(text)} if name in FILES and text.isascii() and text.isdigit() and len(text) < 19 else set()


FILES = frozenset({"photo", "photos", "sheet", "evidence"})
