"""API: auditors' findings, the unit's replies, and what the auditor makes of them."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from processes import findings
from processes.findings import Finding
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.cases import visible
from web.desk import bureau

blp = Blueprint("api_findings", __name__, url_prefix="/api/v1", description="Findings of the auditors, with the units' right of reply")

_EXAMPLE = {"severity": "serious", "article": "N220 art 18", "text": "入户调查只有一人签字", "entry": 7}


def _listed(asked: dict[str, Any], case_no: str | None = None) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        if case_no is not None:
            visible(conn, me(), case_no)
        found = findings.listed(conn, me(), state=asked.get("state"), case_no=case_no, page=asked["page"], size=asked["size"])
        items = findings.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "GET", "/findings", schemas.paged(schemas.FindingRow), asks=schemas.FindingQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Findings on your units, and for auditors those of their area: what waits for a reply first."""
    return _listed(asked)


@operation(blp, "GET", "/cases/<no:no>/findings", schemas.paged(schemas.FindingRow), asks=schemas.FindingQuery, replies=(404,))
def of_case(no: str, asked: dict[str, Any]) -> Any:
    """The findings on a case that you may read."""
    return _listed(asked, no)


@operation(blp, "POST", "/cases/<no:no>/findings", schemas.FindingMoved, status=201, takes=schemas.FindingIn, example=_EXAMPLE, replies=(404,))
def write(no: str, said: dict[str, Any]) -> Any:
    """An auditor writes a finding on a case, or on one of its entries. The case itself is not changed."""
    with bureau().office.read() as conn:
        visible(conn, me(), no)
    told = once(said, lambda act: findings.raise_on(act, bureau().cases, no, Finding(said["severity"], said["article"], said["text"], said.get("entry"))))
    return told, {"Location": f"/api/v1/findings/{told['finding']}"}


@operation(blp, "GET", "/findings/<row:finding_id>", schemas.FindingRow, replies=(404,))
def show(finding_id: int) -> Any:
    """One finding with what was said about it. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        row = findings.seen(conn, me(), finding_id)
        return findings.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]


@operation(blp, "POST", "/findings/<row:finding_id>/reply", schemas.FindingMoved, takes=schemas.FindingText, example={"text": "第二名调查人的签字页已补入案卷"}, replies=(404,))
def reply(finding_id: int, said: dict[str, Any]) -> Any:
    """The handling unit's people reply, until the auditor has decided; after the last day the reply says that it is late."""
    return once(said, lambda act: findings.reply(act, finding_id, said["text"]))


@operation(blp, "POST", "/findings/<row:finding_id>/accept", schemas.FindingMoved, takes=schemas.FindingText, example={"text": "签字页属实"}, replies=(404,))
def accept(finding_id: int, said: dict[str, Any]) -> Any:
    """The auditor accepts the reply: the finding is closed."""
    return once(said, lambda act: findings.settle(act, finding_id, "accepted", said["text"]))


@operation(blp, "POST", "/findings/<row:finding_id>/uphold", schemas.FindingMoved, takes=schemas.FindingText, example={"text": "签字页日期晚于公示日期"}, replies=(404,))
def uphold(finding_id: int, said: dict[str, Any]) -> Any:
    """The auditor upholds the finding: after the reply, or after its last day."""
    return once(said, lambda act: findings.settle(act, finding_id, "upheld", said["text"]))
