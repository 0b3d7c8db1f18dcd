"""API: files of a unit's own work — photos of inspections, attendance sheets, evidence of publicity."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from flask import abort, request
from flask_smorest import Blueprint

from engine.errors import Invalid
from engine.office import Act
from processes import attachments, documents
from web.api import schemas
from web.api.desk import load, me, once, say
from web.api.operation import operation
from web.attachments import sent
from web.desk import bureau

blp = Blueprint("api_attachments", __name__, url_prefix="/api/v1", description="Files that belong to a unit and to no household")
_UPLOAD = {
    "type": "object", "required": ["file", "unit"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": "PDF, PNG or JPEG, at most 8 MB"}, "unit": {"type": "string", "maxLength": 20},
                   "kind": {"type": "string", "maxLength": 30}, "title": {"type": "string", "maxLength": 120}}}  # fmt: skip


@operation(blp, "POST", "/attachments", schemas.Id, status=201, sent=_UPLOAD, media="multipart/form-data", replies=(400, 404, 413, 415))
def upload() -> Any:
    """Keep a scan or photo for a unit that your post covers: PDF, PNG or JPEG by its first bytes, at most 8 MB. 403 `attachment`."""
    if request.mimetype != "multipart/form-data":
        abort(415, description=say("请以 multipart/form-data 提交", "Send multipart/form-data"))
    if unknown := sorted({*request.form, *request.files} - {"file", "unit", "kind", "title"}):
        raise Invalid({unknown[0][:60]: [say("没有这一项", "Unknown field")]})
    file, unit = request.files.get("file"), request.form.get("unit", "")[:20]
    if file is None or len(request.files.getlist("file")) > 1:
        raise Invalid({"file": [say("请选择一个文件", "One file is needed")]})
    told = load(schemas.Upload, {"kind": request.form.get("kind", "other"), "title": request.form.get("title") or file.filename or "file"})
    data, made = file.stream.read(documents.MAX_BYTES + 1), bureau()
    staged = attachments.stage(made.office, me(), made.settings.files, unit, io.BytesIO(data))

    def work(act: Act) -> dict[str, Any]:
        return {"id": attachments.keep(act, staged, told["kind"], told["title"])}

    return once([unit, told, hashlib.sha256(data).hexdigest()], work)


@operation(blp, "GET", "/attachments/<row:attachment_id>", ("application/pdf", "image/png", "image/jpeg"), replies=(404,))
def show(attachment_id: int) -> Any:
    """The file, for the unit's readers and who sent it in."""
    return sent(me(), attachment_id, "attachment")
