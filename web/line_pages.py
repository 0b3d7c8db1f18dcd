"""What the previews of uploaded lists have in common: a page of lines at a time, and the workbook of the lines with errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import Response, request

from engine.queries import Page
from web.annexes import XLSX
from web.desk import whole

SIZE = 100  # lines on one page
Line = TypeVar("Line")


def page_of(rows: Sequence[Line]) -> tuple[Sequence[Line], Page]:
    """(lines of the page that is asked for by `page`, of the address or the form; which page that is, without its items). The last page for a number beyond it."""
    page = min(whole(request.values.get("page"), 1, 1000), max(1, -(-len(rows) // SIZE)))
    return rows[(page - 1) * SIZE : page * SIZE], Page([], len(rows), page, SIZE)


def errors_of(book: bytes) -> Response:
    """The lines with errors as a workbook (错误行.xlsx), to mend and to upload."""
    return Response(book, mimetype=XLSX, headers={"Content-Disposition": "attachment; filename=errors.xlsx; filename*=UTF-8''%E9%94%99%E8%AF%AF%E8%A1%8C.xlsx"})
