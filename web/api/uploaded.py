"""Lists that are uploaded through the API: what the list of a street and a filled-in annex have in common."""

from __future__ import annotations

from flask import abort, request

from engine.errors import Invalid
from web.api.desk import say


def one_file(most: int, *beside: str) -> bytes:
    """The part `file` of a multipart request, and nothing beside it but what is named; one byte more than `most` where it is too large."""
    if request.mimetype != "multipart/form-data":
        abort(415, description=say("请以 multipart/form-data 提交", "Send multipart/form-data"))
    if unknown := sorted({*request.form, *request.files} - {"file", *beside}):
        raise Invalid({unknown[0][:60]: [say("没有这一项", "Unknown field")]})
    files = request.files.getlist("file")
    if len(files) != 1:
        raise Invalid({"file": [say("请选择一个文件", "One file is needed")]})
    with files[0].stream as stream:  # a large upload is a temporary file
        return bytes(stream.read(most + 1))


def place(name: str) -> str:
    """Where in the body an answer stands."""
    return name if name in ("rows", "file") else f"row_answers.{name}" if "." in name else f"answers.{name}"
