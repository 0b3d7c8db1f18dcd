"""The economic investigation that every process shares: registries asked, findings kept, figures computed, two investigators.

Nodes of the same name in several drawings (`request_means_check`, `means_check`, `home_survey`, `survey_cosign`, `assess`)
are served from here; the rules of separation of duties know them by these names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import jobs
from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data
from engine.office import Act
from engine.process import CaseRef
from processes import benefits, documents, duties, eligibility, households, law, organisation
from processes.dibao_2012_forms import PROOFS, Deliver
from processes.eligibility_facts import BadFacts


@gives("means_round")
def request_means_check(means_round: int | None) -> Data:
    return {"means_round": (means_round or 0) + 1}


@gives("category", "amount_fen", "per_capita", "members_counted", "law_version", "edge")
def assess(snapshot: Data) -> Data:
    """The arithmetic of domain 3 on what was declared, checked and seen. Keeps figures, not sentences."""
    return of_result(eligibility.assess(dict(snapshot)))


def of_result(result: Data) -> dict[str, Any]:
    """The facts of `assess` from what `eligibility.assess` found."""
    return {
        "category": result["category"],
        "amount_fen": result["amount_fen"],
        "per_capita": result["per_capita"],
        "members_counted": result["members_counted"],
        "law_version": result["law_version"],
        "edge": "edge" in result["flags"],
    }


def figures(act: Act, facts: Data) -> Data:
    """The household for `assess`, by the standard of the month from which the amount will count (domain 3.3: benefit_month; N220 art 29)."""
    known = households.snapshot(act.conn, act.keys, facts["household_id"], act.today)
    return known | {"applied_on": facts["applied_on"], "benefit_month": benefits.month_after(act.today)} | asked_as(facts)


def asked_as(facts: Data) -> dict[str, Any]:
    """Who applies for low-income relief itself proves each hardship (TLOW): what the members suggest is no proof."""
    return {"programme": "low_income", "hardships_proved": True} if facts.get("programme") == "low_income" else {}


def refuse_old_figures(act: Act, facts: Data) -> None:
    """Raises Refused when a decision of today would count from a month with another standard than that of the assessment."""
    month = benefits.month_after(act.today)
    if facts.get("law_version") not in (None, law.version(benefits.first_of(month))):
        raise Refused(
            "figures-old", f"测算用的不是执行月份 {month} 的救助标准，请退回重新调查测算",
            f"The calculation is by another standard than that of {month}, from which it would count: return the case for a new survey")  # fmt: skip


def refuse_changed_figures(act: Act, facts: Data, *, amount: bool = True) -> None:
    """Raises Refused when the household as it stands today gives another category, or another `amount`, than the case was computed to:
    income, property and members may have changed since (N220 arts 26 and 32). What the joint meeting resolved stands, and where nothing
    was computed there is nothing to compare. The case goes back: a decided amount is never computed on the side (decision 029)."""
    if facts.get("category") is None or facts.get("resolution") == "approve_as":
        return
    try:
        now = assess(figures(act, facts))
    except BadFacts:
        now = {"category": None, "amount_fen": None}  # the data of today cannot be computed at all
    if now["category"] == facts["category"] and (not amount or now["amount_fen"] == facts["amount_fen"]):
        return
    month = benefits.month_after(act.today)
    raise Refused(
        "figures-changed", f"家庭情况或标准在测算后有变化，按现有资料测算 {month} 的结果与本案测算结果不一致，请退回重新调查测算",
        f"The household or the standard changed after the calculation: the data of today give another result for {month}. Return the case for a new survey")  # fmt: skip


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    """Papers named in a form are the household's own, the second investigator could sign, a delivery is proved. Raises Invalid."""
    wrong = documents.foreign(act.conn, form, answers, facts["household_id"])
    if node == "home_survey":
        wrong |= second(act, str(answers["second_investigator"]), facts, acts)
    if act.office.production:
        wrong |= unsigned(node, answers) | (unproved(answers) if isinstance(form, Deliver) else {})
    if wrong:
        raise Invalid(wrong)


# What residents sign and what hung on a board is seen on a page or photo: a tick that somebody else typed is no signature
# (N220 arts 12, 20, 23, 25, 29). Asked for in real cases; in training nobody has a page to scan. By task or message: field, words.
_POSTED, _REMOVED = ("photo", "请附公示张贴的照片"), ("photo", "请附公示揭下的照片")
PAPERS: Mapping[str, tuple[str, str]] = {
    "democratic_review": ("signed_document", "请附全体参加人员签字的评议记录扫描件，勾选不能代替签字"),
    "reject_after_check": ("receipt_document", "请附申请人签收核对结果告知书的送达回证"),
    "withdrawal": ("signed_document", "请附申请人签字的撤回申请扫描件"),
    "recovery_plan": ("signed_document", "请附双方签字的还款协议扫描件"),
    **dict.fromkeys(("post_street_notice", "post_district_notice", "post_stop_notice", "publish_result"), _POSTED),
    **dict.fromkeys(("remove_street_notice", "remove_district_notice", "remove_stop_notice"), _REMOVED),
}


def unsigned(node: str, answers: Data) -> dict[str, list[str]]:
    """The page or photo that a task or message needs and does not name: field -> why. Who agrees to no plan signs none."""
    if answers.get("plan_outcome") == "refuses":
        return {}
    field, why = PAPERS.get(node, ("", ""))
    return {field: [why]} if field and not answers.get(field) else {}


def unproved(answers: Data) -> dict[str, list[str]]:
    """Appeal periods run from the delivery, so it is proved; in training nobody has a signed page to scan."""
    fields, why = PROOFS.get(str(answers["method"]), ((), ""))
    return {fields[0]: [why]} if fields and not any(answers.get(name) for name in fields) else {}


def second(act: Act, login: str, facts: Data, acts: Sequence[Any]) -> dict[str, list[str]]:
    """Whoever could not sign cannot be named: the case would wait for him for ever. Neither can the one in whose place the survey is made
    (delegation, substitution): it counts as his own."""
    if login in facts.get("done_as", ()):
        return {"second_investigator": ["第二调查人不能是本人，也不能是委托您办理或由您代理的人"]}
    who = organisation.find_actor(act.conn, login)
    if who is None or not who.holds("investigator", facts["street"]):
        return {"second_investigator": ["本街镇没有这位入户调查人"]}
    related = households.recused_staff(act.conn, facts["household_id"])
    broken = duties.may("assign", "survey_cosign", "investigator", login, actor_roles=who.roles, acts=[a for a in acts if a.node != "home_survey"],
                        relatives=related, facts={})  # fmt: skip
    return {"second_investigator": [f"不能由其担任第二调查人：{broken.zh}"]} if broken else {}


def ask_registries(act: Act, case: CaseRef, _answers: Data, facts: Data) -> None:
    data = {"household_id": facts["household_id"]}
    jobs.plan(act.conn, "means_check", case.id, f"round.{facts['means_round']}", act.now, data)


def keep_report(act: Act, case: CaseRef, answers: Data, facts: Data) -> None:
    """As `keep_findings`, of an application: the report that the declaration is right is a new version in place of the one before
    (domain 5.3), after an objection (N220 art 20) or in an application after another, and what that one found counts no longer. In a review
    "consistent" is said of what is on file, findings and all."""
    if answers.get("check_conclusion") == "consistent":
        households.drop_findings(act, facts["household_id"])
    keep_findings(act, case, answers, facts)


def keep_findings(act: Act, _case: CaseRef, answers: Data, facts: Data) -> None:
    """What the check found stands before what was declared, before anything is computed from it."""
    household_id = facts["household_id"]
    if answers.get("found_assets") is not None:
        found = {"kind": "monetary_assets", "amount_fen": answers["found_assets"]}
        households.set_property(act, household_id, [found], source="checked")
    if answers.get("found_income") is not None:
        who = households.applicant(act.conn, household_id)["id"]
        item = {"kind": "other_income", "amount_fen": answers["found_income"], "period": "month"}
        households.set_income(act, household_id, who, [item], source="checked")
