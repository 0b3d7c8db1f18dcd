"""A case that does not replay as it was recorded, and is known to: two persons accept that one difference, with a reason.

Nothing in the case's record changes. Should the case differ in another way later, that is another mark, and not accepted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.cases import Cases
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Put
from engine.office import Act, history
from engine.proof import Verdict, judge
from processes.proof_tables import divergence

MOST_WORDS = 400  # of a reason
PROPOSERS, ACCEPTERS = frozenset({"auditor"}), frozenset({"auditor", "supervisor"})


def accepted(conn: Connection, case_id: int) -> frozenset[str]:
    table = divergence
    return frozenset(conn.scalars(select(table.c.mark).where(table.c.case_id == case_id, table.c.state == "accepted")))


def propose(act: Act, cases: Cases, no: str, reason: str) -> dict[str, Any]:
    """Propose to accept how the case differs now. Conflict when it does not; NotFound outside the actor's area."""
    _allowed(act, PROPOSERS)
    if not 0 < len(reason.strip()) <= MOST_WORDS:
        raise Invalid({"reason": [f"请写明认可的理由，最多 {MOST_WORDS} 字"]})
    if len(no) > 40:
        raise Invalid({"case": ["没有这件个案"]})
    row = act.conn.execute(select(store.record).where(store.record.c.no == no)).mappings().one_or_none()
    if row is None or not act.actor.covers(row["unit"]):
        raise NotFound(f"没有这件个案：{no}")
    verdict = _differs(act, cases, row["id"])
    if verdict.mark in accepted(act.conn, row["id"]):
        raise Conflict("这一差异已经认可", "This difference has been accepted already")
    record = act.new("divergence", row["unit"], subject=f"case:{row['id']}")
    values = {"case_id": row["id"], "case_no": no, "result": verdict.result, "entry": verdict.entry, "mark": verdict.mark, "reason": reason.strip(),
              "state": "proposed", "proposed_by": act.actor.id, "proposed_on": act.today.isoformat()}  # fmt: skip
    row_id = record.next_id()
    act.append(record, "divergence_proposed", {"recorded": verdict.recorded[:2000], "computed": verdict.computed[:2000]},
               puts=[Put("divergence", row_id, values, f"case:{row['id']}")])  # fmt: skip
    told = {"id": row_id, "case": no, "state": "proposed", "entry": verdict.entry}
    act.remember(told)
    return told


def settle(act: Act, cases: Cases, row_id: int, *, accept: bool) -> dict[str, Any]:
    """Another person accepts or refuses. Conflict when the case differs in another way by now, or not at all."""
    _allowed(act, ACCEPTERS)
    row = act.conn.execute(select(divergence).where(divergence.c.id == row_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这项差异")
    record = act.open("divergence", row_id >> 16)
    if not act.actor.covers(record.unit):
        raise NotFound("没有这项差异")
    if row["state"] != "proposed":
        raise Conflict("这项差异已经处理", "This has been settled")
    if row["proposed_by"] in act.actor.persons:
        raise Refused("two-persons", "认可差异须由提出人以外的另一人办理", "Another person than the one who proposed it accepts it")
    if accept and _differs(act, cases, row["case_id"]).mark != row["mark"]:
        raise Conflict("该个案现在的差异与提出时不同", "The case differs in another way now")
    state = "accepted" if accept else "refused"
    values = {"state": state, "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    act.append(record, f"divergence_{state}", puts=[Put("divergence", row_id, values)])
    told = {"id": row_id, "case": row["case_no"], "state": state, "entry": row["entry"]}
    act.remember(told)
    return told


def _differs(act: Act, cases: Cases, case_id: int) -> Verdict:
    verdict = judge(cases, act.conn, history(act.conn, act.keys, case_id))
    if verdict.result == "same":
        raise Conflict("这件个案重演一致，没有差异", "The case replays the same")
    return verdict


def _allowed(act: Act, roles: frozenset[str]) -> None:
    if roles.isdisjoint(act.actor.roles):
        raise Refused("role", "只有审计人员可以处理重演差异", "Only auditors settle differences of replays")
