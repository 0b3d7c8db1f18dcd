"""资金发放 (payment run): list, check by another person, approval, bank file, the bank's answers, reissue, close (N220 art 31; domain 5.3.1).

The drawing owns order, lanes and deadlines; `payments` and the modules beside it own the money and the work in parts. The case is about
no household: who is paid stands in the parts' records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.jobs import Handler
from engine.model import Data, Put
from engine.office import Act, Office
from engine.process import Broken, CaseRef, Process
from processes import (
    account_book,
    benefits,
    calendar,
    duties,
    organisation,
    payment_answers,
    payment_files,
    payment_lists,
    payments,
)
from processes.bank_port import Bank
from processes.payment_forms import FORMS, RunIn

KEY = "payment-run"
_MAKE = frozenset({"start", "prepare_list", "prepare_reissue"})
_CHECK = frozenset({"check_list", "check_reissue"})
_APPROVE = frozenset({"approve_list"})
_DEFAULT_PROFILE = "own-csv"


def handlers(office: Office, bank: Bank) -> dict[str, Handler]:
    """The jobs of all runs, by kind."""
    return {**payment_lists.handlers(office), **payment_files.handlers(office, bank), "payment_answer": payment_answers.answering, "payment_release": payments.releasing}


def may(verb: str, node: str, role: str, actor_id: str, *, acts: Sequence[duties.HasActed], relatives: Any, facts: Mapping[str, Any], **more: Any) -> Broken | None:
    """None, or the rule that keeps somebody from a run: who makes a list neither checks nor approves it, who checks it does not approve it."""
    if broken := duties.may(verb, node, role, actor_id, acts=acts, relatives=(), facts=facts, **more):
        return broken
    mine = {act.node for act in acts if act.staff == actor_id}
    if node in _CHECK and mine & _MAKE:
        return Broken("maker-checks", "发放清单由您编制，应由另一人复核（双人规则）", "You made this list: somebody else checks it")
    if node in _APPROVE and mine & _MAKE:
        return Broken("maker-approves", "发放清单由您编制，不能由您审批（岗位分离）", "You made this list: you may not approve the payment")
    if node in _APPROVE and mine & _CHECK:
        return Broken("checker-approves", "发放清单由您复核，应由另一人审批（岗位分离）", "You checked this list: somebody else approves the payment")
    if node in _MAKE and mine & (_CHECK | _APPROVE):
        return Broken("checker-makes", "您复核或审批过本次发放，不能再编制清单（岗位分离）", "You checked or approved this run: you may not make its list")
    return None


@gives("pay_by", "pay_eve")
def begin(act: Act, facts: Data) -> Data:
    """One run for a unit and a month, within the maker's post. Raises Refused, Invalid."""
    scope, month = facts["scope"], facts["month"]
    known = {row["code"]: row["level"] for row in organisation.units(act.conn, scope)} if scope.isascii() and scope.isdecimal() else {}
    if known.get(scope) not in ("district", "street"):
        raise Invalid({"scope": ["没有这个区、街镇"]})
    post = act.actor.post_over(scope, payments.MAKERS)
    if post is None:
        raise Refused("unit", "这个单位不在您的辖区", "This unit is not in your area")
    act.through(post)
    if not "2012-12" <= month <= benefits.month_after(act.today):
        raise Invalid({"month": ["只能发放到下个月"]})
    if begun := account_book.posted_from(act.conn, month):
        raise Refused("books-begun", f"账簿已从 {begun} 起建立，不能发放更早的月份；以前月份应补发的，由补发决定办理", f"The books begin in {begun}: what is owed for earlier months is found by a decision")
    payments.refuse_second(act, scope, month)
    last = payments.pay_by(month)
    return {"pay_by": last, "pay_eve": (date.fromisoformat(last) - timedelta(days=1)).isoformat()}


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, _acts: Sequence[Any]) -> None:
    """The rules that need the run's rows."""
    if "case_no" not in facts:  # the start: `begin` has looked
        return
    run = payments.of_case(act.conn, facts["case_no"])
    match node:
        case "prepare_list" if answers["list_outcome"] == "submit":
            payments.refuse_unfit(act.conn, run)
        case "check_list" if answers["check_outcome"] == "agree":
            payments.refuse_unfit(act.conn, run)
        case "approve_list" if answers["approval_outcome"] == "approve":
            payments.refuse_unfit(act.conn, run)
        case "enter_returns":
            _vet_returns(act, run, form, answers)
        case "close_run":
            payment_files.refuse_outstanding(act.conn, run)


def _vet_returns(act: Act, run: Any, form: Form, answers: Data) -> None:
    payment_files.refuse_outstanding(act.conn, run)
    sums = payments.totals(act.conn, run["id"])
    left = sums["held"] + sums["returned"]
    if answers["returns_outcome"] == "reissue" and not left:
        raise Refused("nothing-to-reissue", "没有退回或暂缓的明细", "Nothing came back, and nothing was held")
    if answers["returns_outcome"] == "close" and left and not answers.get("opinion"):
        raise Invalid({"opinion": [form.say(f"还有 {left} 笔没有发放成功，请写明不再补发的理由", f"{left} payments did not succeed: say why they are not reissued")]})


# -- effects


def _run(act: Act, case: CaseRef, **values: Any) -> list[Put]:
    return [Put("payment_run", payments.of_case(act.conn, case.no)["id"], values)]


def _on_start(act: Act, case: CaseRef, _answers: Data, facts: Data) -> list[Put]:
    values = {"case_no": case.no, "scope": facts["scope"], "month": facts["month"], "pay_by": facts["pay_by"], "status": "listing", "listings": 1, "scanned_to": 0, "compared_to": 0,
              "not_due": 0, "elsewhere": 0, "files": 0, "made_by": act.actor.id, "made_on": act.today.isoformat()}  # fmt: skip
    payment_lists.begin_listing(act, case.id, 1)
    return [Put("payment_run", case.id, values)]


def _on_list(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    if answers["list_outcome"] == "submit":
        return _run(act, case, status="checking", submitted_by=act.actor.id)
    payments.release(act, case.id)
    return _run(act, case, status="called_off", closed_on=act.today.isoformat())


def _on_check(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    return _run(act, case, status="approving", checked_by=act.actor.id) if answers["check_outcome"] == "agree" else _run(act, case, status="ready")


def _on_approval(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    if answers["approval_outcome"] != "approve":
        return _run(act, case, status="ready")
    sums = payments.totals(act.conn, case.id)
    return _run(act, case, status="approved", approved_by=act.actor.id, approved_on=act.today.isoformat(), approved_items=sums["items"] + sums["held"],
                approved_fen=sums["total_fen"] + sums["held_fen"])  # fmt: skip


def _on_file(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    run = payments.of_case(act.conn, case.no)
    return payment_files.begin_file(act, run, case.no, case.next_id(), answers.get("profile") or _DEFAULT_PROFILE, answers["pay_on"])


def _on_reissue(act: Act, case: CaseRef, answers: Data, _facts: Data) -> None:
    payment_files.mark_again(act, payments.of_case(act.conn, case.no), answers.get("same_account") or ())
    if not payment_files.marked(act.conn, case.id):
        raise Refused("nothing-to-reissue", "没有可补发的明细：请先办理账户变更，或选择按原账户重发", "Nothing can be reissued: change an account first, or send to the same one again")


def _on_close(act: Act, case: CaseRef, _answers: Data, facts: Data) -> list[Put]:
    """What was never credited is free for a later run, and the unit's accounts are posted."""
    payments.release(act, case.id, unpaid=True)
    account_book.begin_posting(act, facts["scope"])
    return _run(act, case, status="closed", closed_on=act.today.isoformat())


PAYMENT_RUN = Process(
    key=KEY,
    title="社会救助资金发放",
    title_en="Payment run",
    prefix="FF",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "payment-run.bpmn")),
    start_form=RunIn,
    starters=payments.MAKERS,
    forms=FORMS,
    vet=vet,
    effects={"start": _on_start, "prepare_list": _on_list, "check_list": _on_check, "approve_list": _on_approval, "send_file": _on_file, "prepare_reissue": _on_reissue, "close_run": _on_close},
    begin=begin,
    unit_of=lambda _level, _facts: organisation.DISTRICT,
    subject=lambda _facts: "",
    may=may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
