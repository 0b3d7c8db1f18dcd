"""主动发现 (M05, domain 1.5): the case of a lead. Somebody gives it, somebody else of the street verifies it, the committee helps to apply, and the
application that follows tells the case so; what the lead's row says is written by this case alone (decision 081).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.errors import Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import Broken, CaseRef, Process
from processes import calendar, duties, households, law, leads, organisation
from processes.lead_forms import ApplicationStarted, AppliedAtOnce, HelpApply, LeadIn, LeadVerified, LeadWithdrawn
from processes.lead_tables import lead

KEY = leads.KEY


def may(verb: str, node: str, role: str, actor_id: str, *, relatives: Any, facts: Mapping[str, Any], **more: Any) -> Broken | None:
    """None, or the rule that keeps somebody from a lead: its giver does not verify it, and near relatives verify and help nobody. A lead may be
    given, withdrawn and linked by them: that judges nothing."""
    if node in ("verify_lead", "lead_verified") and actor_id == facts.get("finder_login"):
        return Broken("own-lead", *leads.OWN)
    if verb == "start":
        return Broken("near-relative", *leads.RELATIVE) if node == "lead_verified" and actor_id in relatives else None
    return duties.may(verb, node, role, actor_id, relatives=relatives, facts=facts, **more)


# -- the start


@gives("street", "community", "finder_login", "given_by", "given_on", "given_at", "lead_verify_workdays", "lead_help_workdays")
def begin(act: Act, facts: Data) -> Data:
    """Where it is, who gave it, and when: the moment is the record's (decision 057)."""
    community = leads.giver_of(act, facts)
    limits = {name: int(law.value(name, act.today).amount) for name in ("lead_verify_workdays", "lead_help_workdays")}
    return {"street": community[:9], "community": community, "finder_login": leads.finder(act, facts, community), "given_by": act.actor.id, "given_on": act.today.isoformat(),
            "given_at": act.now.astimezone(UTC).isoformat(), **limits}  # fmt: skip


# -- what only the tables can tell


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, _acts: Sequence[Any]) -> None:
    if node == "start":
        leads.named(answers)
    if node in ("verify_lead", "lead_verified"):
        leads.judge_verified(act, answers, facts["community"], facts["given_at"], form.say)
    if node in ("application_started", "applied_at_once") or (node == "help_apply" and answers["help_outcome"] == "applied"):
        leads.judge_application(act, answers["application_no"], facts.get("household_id"), facts["community"])
    if node == "lead_withdrawn" and act.actor.id not in (facts.get("finder_login"), facts["given_by"]):
        raise Refused("lead-withdrawal", *leads.NOT_HIS)


# -- services


def _application(act: Act, facts: Data) -> Data:
    found = leads.application(act, facts["application_no"])
    return {"opened_at": found.opened.astimezone(UTC).isoformat(), "applied_on": found.on, "household_id": found.facts.get("household_id")}


@gives("applied_on", "counts", "why_not", "applicant_household_id")
def judge_discovery(found_by: str, given_at: str, given_on: str, snapshot: Data) -> Data:
    """Whether the lead counts as 基层主动发现: fixed here, with the application's moment as it stood."""
    told = leads.judged(found_by, given_at, given_on, datetime.fromisoformat(snapshot["opened_at"]), snapshot["applied_on"])
    return {**told, "applicant_household_id": snapshot["household_id"]}


# -- effects


def _on_start(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    home = facts.get("household_id")
    values = {
        "street": facts["street"], "community": facts["community"], "household_id": home, "known_as": answers.get("known_as") or None, "hardship": answers["hardship"],
        "reason": answers["reason"], "found_on": answers["found_on"], "found_by": facts["found_by"], "finder_login": facts["finder_login"],
        "finder": answers.get("finder") or None, "recorded_by": facts["given_by"], "recorded_on": facts["given_on"], "recorded_at": facts["given_at"], "state": "reported",
        "discovery_no": case.no,
    }  # fmt: skip
    return [Put("lead", case.next_id(), values, f"case:{case.id}" if home is None else f"household:{home}")]


def _put(act: Act, case: CaseRef, values: Mapping[str, Any]) -> list[Put]:
    """The row keeps the subject with which it was written, also when the application has told whose it is."""
    first, last = case.id << 16, (case.id + 1) << 16
    row = act.conn.execute(select(lead.c.id, lead.c.known_as, lead.c.household_id).where(lead.c.id > first, lead.c.id < last)).one()
    return [Put("lead", row.id, values, f"case:{case.id}" if row.known_as or row.household_id is None else f"household:{row.household_id}")]


def _on_verified(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    return _put(act, case, leads.verified(act, answers))


def _on_at_once(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    return _put(act, case, leads.verified(act, {**answers, "outcome": facts["outcome"]}))


def _ended(act: Act, outcome: str, note: str) -> dict[str, Any]:
    return {"state": "closed", "outcome": outcome, "help_note": note, "closed_on": act.today.isoformat(), "closed_by": act.actor.id}


def _on_help(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    if answers["help_outcome"] == "applied":
        return _put(act, case, {"help_note": answers["help_note"]})
    return _put(act, case, {**_ended(act, answers["help_outcome"], answers["help_note"]), "referred_to": answers.get("referred_to") or None})


def _on_withdrawal(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    return _put(act, case, _ended(act, "withdrawn", answers["reason"]))


def _on_judged(act: Act, case: CaseRef, _answers: Data, facts: Data) -> list[Put]:
    return _put(act, case, leads.applied_row(act, facts["application_no"], {**facts, "household_id": facts["applicant_household_id"]}))


DISCOVERY = Process(
    key=KEY,
    title="主动发现",
    title_en="Proactive discovery",
    prefix="XS",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "discovery.bpmn")),
    start_form=LeadIn,
    starters=leads.RECORDERS,
    forms={"verify_lead": LeadVerified, "help_apply": HelpApply},
    messages={"lead_verified": LeadVerified, "application_started": ApplicationStarted, "applied_at_once": AppliedAtOnce, "lead_withdrawn": LeadWithdrawn},
    senders={"lead_verified": leads.VERIFIERS, "application_started": leads.VERIFIERS, "lead_withdrawn": leads.RECORDERS},
    services={"judge_discovery": judge_discovery},
    gather={"judge_discovery": _application},
    vet=vet,
    effects={
        "start": _on_start,
        "verify_lead": _on_verified,
        "lead_verified": _on_verified,
        "applied_at_once": _on_at_once,
        "help_apply": _on_help,
        "lead_withdrawn": _on_withdrawal,
        "judge_discovery": _on_judged,
    },
    begin=begin,
    unit_of=organisation.unit_at,
    subject=lambda _facts: "",
    recused=households.RECUSED,
    may=may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
