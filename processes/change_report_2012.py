"""主动报告: a household in benefit reports what has changed, or others do; the change is registered, checked and concluded
(N220 arts 32-33; N649 art 13; domain 1.6, 1.8, 2.9).

The drawing owns order, lanes and deadlines. What this process shares with the re-review is in `conclusions` and `investigation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Gather, Process
from engine.store import record
from processes import (
    benefits,
    calendar,
    change_kinds,
    conclusions,
    duties,
    households,
    investigation,
    organisation,
    paperwork,
    report_duties,
    special_cases,
    stop_notice,
)
from processes.change_report_2012_forms import FORMS, MESSAGES, ChangeReport, member_rows

STARTERS = frozenset({"window_clerk", "civil_affairs_officer", "village_committee", "grid_worker"})
KEY = "change-report-2012"
# Facts of one round: a further change, or a new investigation, begins without them.
_ROUND = (*conclusions.ROUND, "check_conclusion", "survey_ended_on", "agree", "convert_consent", "overpaid_since")
_HANDED = ("from_street", "from_community", "handed_over_on", "transfer_outcome")


# -- services: pure


@gives("exit_reason", "transfers")
def sort_change(  # facts by name
    kind: str, wants_exit: bool | None, person_id: int | None, new_community: str | None, street: str, snapshot: Data  # noqa: FBT001
) -> Data:
    """Which way the change goes: out of assistance, to another street, or a re-check."""
    others = set(snapshot["counted"]) - {person_id}
    gone = {"death": "death_single", "imprisonment": "imprisoned"}.get(kind)
    reason = None
    if wants_exit:
        reason = "voluntary"
    elif gone and not others:
        reason = gone
    elif kind == "move_out" and person_id is None and not new_community:
        reason = "moved_out_district"
    return {"exit_reason": reason, "transfers": bool(new_community) and str(new_community)[:9] != street and reason is None}


@gives(*_HANDED, "street", "community")
def hand_over(new_community: str, street: str, community: str, today: date) -> Data:
    """The file lies with the new street from now on; the household is there when that street has accepted it."""
    return {"from_street": street, "from_community": community, "handed_over_on": today.isoformat(), "transfer_outcome": None,
            "street": new_community[:9], "community": new_community}  # fmt: skip


@gives(*_HANDED, "street", "community", "new_community", "transfers")
def take_back(from_street: str, from_community: str) -> Data:
    return {**dict.fromkeys(_HANDED), "street": from_street, "community": from_community, "new_community": None, "transfers": None}


@gives("transferred_on", "transfer_month", "handed_over_on", "from_street", "from_community")
def apply_transfer(today: date, snapshot: Data) -> Data:
    """From which month the new street pays: the benefit itself goes on, without a gap and never twice."""
    month = max(benefits.month_after(today), snapshot["first"])
    return {"transferred_on": today.isoformat(), "transfer_month": month, "handed_over_on": None, "from_street": None, "from_community": None}


@gives(*_ROUND, "investigation_from", "check_means", "check_home")
def open_investigation(today: date, check_means: bool | None, check_home: bool | None) -> Data:  # noqa: FBT001
    """Whoever sends a case back for a survey that asked for no checks gets both."""
    asked = {"check_means": bool(check_means), "check_home": bool(check_home)}
    if not any(asked.values()):
        asked = dict.fromkeys(asked, True)
    return {**dict.fromkeys(_ROUND), "investigation_from": today.isoformat(), **asked}


@gives(*_ROUND, *_HANDED, "street", "community", "exit_reason", "transfers", "transferred_on", "supplement_asked_on", "new_community", "reopened_on")
def reopen_change(street: str, community: str, from_street: str | None, from_community: str | None, today: date) -> Data:
    """A further change: everything that was concluded is open again; a file on its way is with the old street."""
    cleared = dict.fromkeys((*_ROUND, *_HANDED, "exit_reason", "transfers", "transferred_on", "supplement_asked_on", "new_community"))
    return {**cleared, "street": from_street or street, "community": from_community or community, "reopened_on": today.isoformat()}


@gives("withdrawn_on")
def close_withdrawn(today: date) -> Data:
    return {"withdrawn_on": today.isoformat()}


# -- gathering


STARTED = (*conclusions.STARTED, "granted_on", "destitute")


def begin(key: str) -> Gather:
    """What a report begins with; Refused on a day of another procedure (law/procedures.yaml)."""

    @gives(*STARTED)
    def at_start(act: Act, facts: Data) -> Data:
        conclusions.refuse_other_procedure("change_report", key, act.today)
        return _begin(act, facts)

    return at_start


def _begin(act: Act, facts: Data) -> Data:
    nothing = facts["kind"] == "no_change" and not facts.get("doubted")  # ends at once and touches nothing: a review may be under way
    started = conclusions.begin(act, facts["household_id"], change_kinds.exit_trigger(facts["reported_by"]), STARTERS, beside=nothing)
    return started | {"granted_on": conclusions.granted_on(act.conn, started["benefit_id"]), "destitute": benefits.is_destitute(started["benefit_category"])}


def _counted(act: Act, facts: Data) -> Data:
    return {"counted": [person_id for person_id, _ in households.counted_members(act.conn, facts["household_id"], act.today)]}


def _first_month(act: Act, facts: Data) -> Data:
    found = benefits.row(act.conn, facts["benefit_id"])
    return {"first": found["amount_from"] or found["first_payment_month"]}


# -- what may not be said


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    if node in ("start", "change_reported"):
        _vet_report(act, answers, facts)
    if node == "register_change" and answers["evidence_outcome"] == "complete":
        _vet_registration(act, answers, facts)
    conclusions.vet(act, node, form, answers, facts)
    if node == "withdrawal":
        _vet_withdrawal(facts)
    investigation.vet(act, node, form, answers, facts, acts)


def _vet_report(act: Act, answers: Data, facts: Data) -> None:
    conclusions.refuse_stranger(act.conn, facts["household_id"], answers.get("person_id"))
    conclusions.refuse_before(facts["granted_on"], answers.get("event_on") or answers["reported_on"])


def _vet_withdrawal(facts: Data) -> None:
    if facts["others_reported"]:
        raise Refused("not-its-report", "不是救助家庭自己的报告，不能撤回", "This is not the household's own report")
    if facts.get("change_entered") and not facts.get("wants_exit"):
        raise Refused("change-registered", "变化已经登记，应继续核实，不能撤回报告", "The change is registered and must be verified")


def _members(act: Act, facts: Data) -> dict[int, Mapping[Any, Any]]:
    return {m["person_id"]: m for m in households.members_of(act.conn, facts["household_id"])}


def _vet_registration(act: Act, answers: Data, facts: Data) -> None:
    members, leaves = _members(act, facts), {row["person_id"]: row for row in answers.get("leaves") or ()}
    wrong = {path: ["这户没有这名成员"] for path, person_id in member_rows(answers) if person_id not in members}
    wrong |= {path: ["此人已登记离户"] for path, person_id in member_rows(answers)
              if not path.startswith("leaves") and person_id in leaves}  # fmt: skip
    if len(leaves) < len(answers.get("leaves") or ()):
        wrong["leaves"] = ["同一成员不能重复登记"]
    if not wrong:
        wrong = _vet_leaving(answers, facts, members, leaves) | _vet_move(act, answers, facts)
    if wrong:
        raise Invalid(wrong)


def _vet_leaving(answers: Data, facts: Data, members: Mapping[int, Any], leaves: Mapping[int, Any]) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    holder = next((n for n, m in members.items() if m["relation"] == "head"), 0)
    counted = {n for n, m in members.items() if not m["excluded_reason"]}
    reason, person_id = {"death": "death", "imprisonment": "imprisonment"}.get(facts["kind"]), facts.get("person_id")
    if reason and person_id in counted and counted != {person_id} and leaves.get(person_id, {}).get("left_reason") != reason:
        wrong["leaves"] = ["请登记该成员离户（或不再计入）的日期和原因"]
    for n, row in enumerate(answers.get("leaves") or ()):
        if row["left_on"] < members[row["person_id"]]["from_on"]:
            wrong[f"leaves.{n}.left_on"] = [f"不能早于入户日期（{members[row['person_id']]['from_on']}）"]
    if leaves.get(holder, {}).get("left_reason") not in (None, "imprisonment") and not answers.get("new_holder"):
        wrong["new_holder"] = ["申请人死亡或离户的，请登记新的申请人；家庭只有一人的不登记离户"]
    if answers.get("new_holder") is not None and answers["new_holder"] == holder:
        wrong["new_holder"] = ["此人已是申请人"]
    return wrong


def _vet_move(act: Act, answers: Data, facts: Data) -> dict[str, list[str]]:
    code = answers.get("new_community")
    if not code:
        return {}
    found = next((u for u in organisation.units(act.conn, code, "community") if u["code"] == code), None)
    if found is None or code == facts["community"]:
        return {"new_community": ["本区没有这个居村，或与现居村相同"]}
    return {}


# -- effects


def _register(act: Act, _case: CaseRef, answers: Data, facts: Data) -> None:
    """What has changed is entered before anything is computed from it."""
    if answers["evidence_outcome"] != "complete":
        return
    home = facts["household_id"]
    if answers.get("new_holder"):
        households.change_holder(act, home, answers["new_holder"])
    for row in answers.get("leaves") or ():
        if row["left_reason"] == "imprisonment":
            households.exclude_member(act, home, row["person_id"], "prison")
        else:
            households.end_member(act, home, row["person_id"], row["left_on"], row["left_reason"])
    for row in answers.get("persons") or ():
        households.set_person(act, home, row["person_id"], row)
    incomes: dict[int, list[Data]] = {}
    for row in answers.get("incomes") or ():
        incomes.setdefault(row["person_id"], []).append(row)
    for person_id, items in incomes.items():
        households.set_income(act, home, person_id, items)
    if answers.get("property") or answers.get("no_property"):
        households.set_property(act, home, answers.get("property") or ())
    code = answers.get("new_community")
    if code and code[:9] == facts["street"]:
        households.move(act, home, code, answers.get("new_address"))


def _on_report(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    """A receipt for the household's own report, which also answers its duty; nobody is told of a tip."""
    if answers["reported_by"] not in change_kinds.BY_HOUSEHOLD:
        return []
    report_duties.answer(act, facts["benefit_id"], case.no, answers["reported_on"])
    return paperwork.issue(act, case, "report_receipt", facts, answers)


def _on_further_change(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    return [*_on_report(act, case, answers, facts), *_lapsed(act, case, answers, facts)]


def _lapsed(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
    """Nobody waits any more for the meeting, and the notice of a stop comes down."""
    return [*special_cases.lapsed(act, case, answers, facts), *stop_notice.taken_down(act, case)]


def _on_registration(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if answers["evidence_outcome"] == "complete":
        return ()
    return paperwork.issue(act, case, "evidence_request", facts, {"missing": answers["missing"]})


def _transfer(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """Household, benefit, what it still owes, and this case belong to the new street; the amount stays what it is."""
    benefit_id, street = facts["benefit_id"], facts["street"]
    households.move(act, facts["household_id"], facts["community"], answers.get("address"), from_month=facts["transfer_month"])
    benefits.decide(act, benefit_id, benefits.Change("transfer", "moved_inside_district", facts["transfer_month"], case_no=case.no))
    report_duties.moved(act, benefit_id, street)
    for kind, record_id in (("benefit", benefit_id >> 16), ("case", case.id)):
        found = act.open(kind, record_id)
        found.unit = found.changes["unit"] = street
    return paperwork.issue(act, case, "transfer", facts, {})


def _conclude(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """Beside what every re-check brings about: another holder is an adjustment of its own."""
    puts = conclusions.apply_conclusion(act, case, answers, facts)
    if facts.get("new_holder") and facts["conclusion"] != "stop":
        benefits.decide(act, facts["benefit_id"], benefits.Change("holder", "member_changed", facts["from_month"], case_no=case.no))
    return puts


def _transfer_delivered(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
    return paperwork.delivered(act, case, "transfer", answers)


def _partners(conn: Connection, case_id: int, _raw: Data) -> list[int]:
    """The household and its benefit, to which most acts of this case append."""
    subject = conn.scalar(select(record.c.subject).where(record.c.id == case_id)) or ""
    household_id = int(subject.partition(":")[2] or 0)
    found = benefits.live(conn, household_id)
    return [household_id, *([found["id"] >> 16] if found else [])]


CHANGE_REPORT_2012 = Process(
    key=KEY,
    title="救助家庭主动报告变化（2012年办法）",
    title_en="Report of a change by a household in benefit (2012 rules)",
    prefix="BG",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "change-report-2012.bpmn")),
    start_form=ChangeReport,
    starters=STARTERS,
    forms=FORMS,
    messages=MESSAGES,
    senders={
        "change_reported": STARTERS,
        "withdrawal": frozenset({"window_clerk", "civil_affairs_officer"}),
        "not_cooperating": frozenset({"investigator", "civil_affairs_officer"}),
        "objection": stop_notice.SENDERS,
    },
    services={
        "sort_change": sort_change,
        "hand_over": hand_over,
        "take_back": take_back,
        "apply_transfer": apply_transfer,
        "open_investigation": open_investigation,
        "request_means_check": investigation.request_means_check,
        "reopen_change": reopen_change,
        "close_withdrawn": close_withdrawn,
        **conclusions.SERVICES,
    },
    gather={"sort_change": _counted, "apply_transfer": _first_month, **conclusions.GATHER},
    vet=vet,
    former_rules=conclusions.FORMER_RULES,
    before={"register_change": _register, "means_check": investigation.keep_findings},
    effects={
        **conclusions.EFFECTS,
        **stop_notice.EFFECTS,
        "start": _on_report,
        "change_reported": _on_further_change,
        "register_change": _on_registration,
        "apply_transfer": _transfer,
        "deliver_transfer": _transfer_delivered,
        "request_means_check": investigation.ask_registries,
        "street_opinion": special_cases.requests(KEY),
        "resolution": special_cases.resolved,
        "close_withdrawn": _lapsed,
        "apply_conclusion": _conclude,
    },
    partners=dict.fromkeys(("register_change", "receive_transfer", "street_signoff", "decide", "recovery_plan"), _partners),
    begin=begin(KEY),
    unit_of=organisation.unit_at,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=duties.may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
