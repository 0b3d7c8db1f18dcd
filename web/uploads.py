"""Files that are sent with a form: kept once, chosen on the page when it comes back, closed whatever happens.

A browser forgets the chosen files when a form is refused, with or without JavaScript. So they become papers of the
household before the form is judged; the page that comes back has them chosen and says so.
"""

from __future__ import annotations

from typing import IO, Any

import flask
from flask import g, request

from engine.errors import Invalid
from engine.forms import Form
from processes import documents, households
from web.desk import bureau, caseworker, me


class Request(flask.Request):
    """A request that closes every file it began to read: werkzeug forgets those of a form that it gives up on (413)."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        made = super()._get_file_stream(*args, **kwargs)
        self.__dict__.setdefault("begun", []).append(made)
        return made

    def close(self) -> None:
        super().close()
        for stream in self.__dict__.get("begun", ()):
            stream.close()


def keep(form_class: type[Form], typed: dict[str, Any], household_id: int, case_no: str | None) -> None:
    """Keep the files sent with a form and put their numbers into `typed`. Raises Invalid for those that cannot be kept,
    after the good ones were."""
    wrong: dict[str, list[str]] = {}
    for name, field in form_class().fields.items():
        widget = field.metadata.get("widget")
        for file in _sent(name) if widget in ("document", "documents") else []:
            try:
                number = _kept(name, file, household_id, case_no)
            except Invalid as error:
                wrong.setdefault(name, []).extend(f"{text}：{file.filename}" for texts in error.fields.values() for text in texts)
                continue
            already = [str(n) for n in typed.get(name, [])] if widget == "documents" else []
            typed[name] = number if widget == "document" else [*already, *([] if str(number) in already else [number])]
    if wrong:
        raise Invalid(wrong)


def _sent(name: str) -> list[Any]:
    return [f for f in request.files.getlist(f"{name}__file") if f.filename]


def _kept(kind: str, file: Any, household_id: int, case_no: str | None) -> int:
    made = bureau()
    with made.office.read() as conn:
        caseworker(households.row(conn, household_id)["community"])
    staged = documents.stage(made.office, me(), made.settings.files, household_id, file.stream)
    with made.office.act(me()) as act:
        caseworker(households.row(act.conn, household_id)["community"])
        number = documents.keep(act, staged, kind, file.filename, case_no, once=True)
    titles().append(file.filename)
    return number


def titles() -> list[str]:
    """The names of the files that this request kept, for the page that comes back."""
    found: list[str] = g.setdefault("kept_files", [])
    return found
