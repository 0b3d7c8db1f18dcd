"""What waits after a visit is the finding (domain 1.1): put right by its day, or helped by social forces, and verified by another person.

A case of it is begun with the visit, one for each finding. The drawing owns order, lanes and last days; the finding's row is what the case
wrote last, and the verbs of `screening_findings` do the case's tasks (docs/decisions/082).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.errors import Conflict, Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Actor, Data, Put
from engine.office import Act
from engine.process import Broken, CaseRef, Process
from processes import calendar, documents, duties, households, leads, organisation
from processes.screening import CHECKERS, VISITORS
from processes.screening_forms import CASE, FindingCase, PutRight, RectificationChecked, SocialHelp
from processes.screening_tables import screening_finding

RECTIFIERS = VISITORS | leads.VERIFIERS
DOES = ("put_right", "social_help")
CHECKS = "verify_rectification"
STARTED = ("screening_id", "household_id", "street", "community", "finding_kind", "found_on", "rectify_by", "extra_workdays")


def row_of(act: Act, finding_id: int) -> Mapping[Any, Any]:
    return act.conn.execute(select(screening_finding).where(screening_finding.c.id == finding_id)).mappings().one()


@gives(*STARTED)
def begin(act: Act, facts: Data) -> Data:
    """All comes from the finding's row. One from before there was a process is taken into it like that, while it is open."""
    row: Mapping[Any, Any] | None = act.conn.execute(select(screening_finding).where(screening_finding.c.id == facts["finding_id"])).mappings().one_or_none()
    post = act.actor.post_over(row["community"], VISITORS) if row else None
    if row is None or post is None:
        raise Refused("finding", "没有这项排查问题，或不在您的辖区", "No such finding in your area")
    act.open("screening", row["id"] >> 16)
    row = row_of(act, row["id"])
    if row["case_no"] is not None or row["state"] != "open":
        raise Conflict("这项问题已在整改流程中，或已经完成整改", "This finding has its case already, or is done")
    act.through(post)
    home = households.row(act.conn, row["household_id"])
    return {"screening_id": row["screening_id"], "household_id": row["household_id"], "street": home["street"], "community": row["community"],
            "finding_kind": row["kind"], "found_on": row["found_on"], "rectify_by": row["due_on"], "extra_workdays": 0}  # fmt: skip


def may(verb: str, node: str, role: str, actor_id: str, *, acts: Sequence[duties.HasActed], actor_roles: Any, **more: Any) -> Broken | None:
    """None, or the rule that keeps somebody from a task: he put it right himself, or is a near relative."""
    held = OTHERS.get(node, frozenset()) & set(actor_roles)
    if broken := duties.may(verb, node, role if role in actor_roles else next(iter(sorted(held)), role), actor_id, acts=acts, actor_roles=actor_roles, **more):
        return broken
    done = [one.staff for one in acts if one.node in DOES]
    if node == CHECKS and verb != "add_signer" and actor_id in done[-1:]:
        return Broken("own-rectification", "不能复核本人登记的整改结果", "Nobody verifies what he put right himself")
    return None


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, _acts: Sequence[Any]) -> None:
    if node == "start":
        return
    row = row_of(act, facts["finding_id"])
    if node == CHECKS:
        if row["done_by"] in act.actor.persons:
            raise Refused("own-rectification", "不能复核本人登记的整改结果", "Nobody verifies what he put right himself")
        return
    wrong = documents.foreign(act.conn, form, answers, row["household_id"])
    if answers["done_on"] < row["found_on"]:
        wrong["done_on"] = [form.say("不能早于发现日期", "Not before it was found")]
    if wrong:
        raise Invalid(wrong)


# -- the row


def done(actor: Actor, said: Mapping[str, Any]) -> dict[str, Any]:
    """The finding's columns when it was put right. `said`: days as text."""
    return {"state": "done", "done_on": said["done_on"], "done_by": actor.id, "done_text": said["text"], "proof_id": said.get("proof_id"),
            "outcome": said.get("outcome") or None, "unfounded": said.get("unfounded")}  # fmt: skip


def checked(actor: Actor, today: str, row: Mapping[Any, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The same when somebody else looked at it: verified, or open once more."""
    values: dict[str, Any] = {"verified_by": actor.id, "verified_on": today, "verify_text": said.get("text") or None}
    if said["verdict"] == "verified":
        return values | {"state": "verified"}
    undone = [*json.loads(row["undone"] or "[]"), [row["done_on"], today]][-12:]
    return values | {"state": "open", "done_on": None, "done_by": None, "done_text": None, "proof_id": None, "outcome": None, "unfounded": None,
                     "sent_back": (row["sent_back"] or 0) + 1, "undone": json.dumps(undone)}  # fmt: skip


def _put(facts: Data, values: Data) -> list[Put]:
    return [Put("screening_finding", facts["finding_id"], values, f"household:{facts['household_id']}")]


def _on_start(_act: Act, case: CaseRef, _answers: Data, facts: Data) -> list[Put]:
    return _put(facts, {"case_no": case.no})


def _on_done(act: Act, _case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    return _put(facts, done(act.actor, answers))


def _on_check(act: Act, _case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    return _put(facts, checked(act.actor, act.today.isoformat(), row_of(act, facts["finding_id"]), answers))


# Whoever visits or helps to apply may say what he did, whoever may verify verifies, as before there were tasks; they stand in one post's list.
OTHERS: Mapping[str, frozenset[str]] = {**dict.fromkeys(DOES, RECTIFIERS), CHECKS: CHECKERS}

SCREENING = Process(
    key=CASE,
    title="摸底排查问题整改",
    title_en="Findings of the screening",
    prefix="PC",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "screening.bpmn")),
    start_form=FindingCase,
    starters=VISITORS,
    forms={"put_right": PutRight, "social_help": SocialHelp, CHECKS: RectificationChecked},
    others=OTHERS,
    vet=vet,
    effects={"start": _on_start, "put_right": _on_done, "social_help": _on_done, CHECKS: _on_check},
    begin=begin,
    unit_of=organisation.unit_at,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
