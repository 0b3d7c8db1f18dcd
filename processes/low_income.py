"""天津市城乡低收入家庭救助 (TLOW, from 2016-04-01; domain 2.10): an application of its own, by the steps of the dibao procedure of the day.

Two drawings, chosen by the day of acceptance (law/procedures.yaml, decision 045): `low-income-2016` beside dibao-2012, `low-income-2021`
beside dibao-2021. What both do alike is theirs; here is what low-income relief has of its own: hardships with their proof, consent to
dibao where the household fits that, the certificate of the street.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from engine.errors import Invalid
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef
from processes import dibao_2012, dibao_2021, documents, eligibility, households, paperwork, special_cases
from processes.dibao_2012 import DIBAO_2012
from processes.dibao_2021 import DIBAO_2021
from processes.low_income_forms import FORMS_2016, FORMS_2021, LowIncomeApplication, ProvedHardship

MATTER = "low_income"
ELDERLY = 60  # all members at least so old, and childless (TLOW, hardship 五)


def _round(names: tuple[str, ...]) -> tuple[str, ...]:
    """Facts that belong to one round of investigation, of this application."""
    return (*(name for name in names if name != "low_income_consent"), "dibao_consent", "hardships_counted")


_ROUND_2016, _ROUND_2021 = _round(dibao_2012._ROUND), _round(dibao_2021._ROUND)


@gives(*_ROUND_2016, "investigation_from")
def open_investigation_2016(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    since = accepted_on if investigation_from is None else today.isoformat()
    return {**dict.fromkeys(_ROUND_2016), "investigation_from": since}


@gives(*_ROUND_2021, "investigation_from")
def open_investigation_2021(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    since = accepted_on if investigation_from is None else today.isoformat()
    return {**dict.fromkeys(_ROUND_2021), "investigation_from": since}


# -- hardships and their proof


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    """Beside what dibao asks: each hardship is one that the household can have, with a paper of its own."""
    dibao_2012.vet(act, node, form, answers, facts, acts)
    if node == "hardship_proof" and (wrong := _misproved(act, answers, facts)):
        raise Invalid(wrong)


def _misproved(act: Act, answers: Data, facts: Data) -> dict[str, list[str]]:
    """Field -> why, of rows whose paper is another household's, or that the members contradict."""
    said = answers.get("hardships") or ()
    if not said:
        return {}
    house = households.snapshot(act.conn, act.keys, facts["household_id"], act.today)
    members = {m["ref"]: m for m in house["members"]}
    wrong: dict[str, list[str]] = {}
    for n, one in enumerate(said):
        asked = documents.foreign(act.conn, ProvedHardship(context={}), one, facts["household_id"])
        wrong |= {f"hardships.{n}.{name}": why for name, why in asked.items()}
        who = members.get(str(one["person_id"])) if one.get("person_id") is not None else None
        if one.get("person_id") is not None and who is None:
            wrong[f"hardships.{n}.person_id"] = ["这户没有这名成员"]
        elif who is not None and who.get("excluded_reason"):
            wrong[f"hardships.{n}.person_id"] = ["这名成员不计入家庭人口"]
        elif why := contradicted(str(one["hardship"]), list(members.values()), house["childless"], date.fromisoformat(facts["applied_on"])):
            wrong[f"hardships.{n}.hardship"] = [why]
    return wrong


def contradicted(hardship: str, members: Sequence[Mapping[str, Any]], childless: bool | None, applied: date) -> str | None:  # noqa: FBT001
    """Why a household with these members (as `eligibility.assess` takes them) cannot have this hardship; None when it can (domain 3.8)."""
    counted = [m for m in members if not m.get("excluded_reason")]
    if hardship == "single_parent_student":
        if any(m.get("relation") == "spouse" for m in members):
            return "家庭成员中有配偶，不属于单亲家庭"
        if not any(m.get("relation") in ("child", "adult_child_in_school") and eligibility._studies(m) for m in counted):
            return "家庭成员中没有在校子女"
    if hardship == "elderly_childless":
        if childless is False or any(m.get("relation") in ("child", "adult_child_in_school", "adult_child_dependent") for m in members):
            return "家庭有子女，不属于成员均年满60周岁且无子女"
        if not all(m.get("birth_date") and eligibility._age(m["birth_date"], applied) >= ELDERLY for m in counted):
            return "家庭成员没有全部年满60周岁"
    return None


def _keep_hardships(act: Act, _case: CaseRef, answers: Data, facts: Data) -> None:
    """What was proved stands in the place of what was declared, before anything is computed from it."""
    kinds = sorted({one["hardship"] for one in answers.get("hardships") or ()})
    childless = True if "elderly_childless" in kinds else households.row(act.conn, facts["household_id"])["childless"]
    households.set_hardships(act, facts["household_id"], {"hardships": kinds, "childless": childless})


# -- the certificate


def _on_certificate(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "low_income_certificate", facts, answers)


def _on_approval_delivered(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """The decision and, where one was issued, the certificate are handed over together."""
    return [*paperwork.delivered(act, case, "approval", answers), *paperwork.delivered(act, case, "low_income_certificate", answers)]


def _bpmn(key: str) -> Path:
    return Path(str(resources.files("processes") / "bpmn" / f"{key}.bpmn"))


_BEFORE = {**DIBAO_2012.before, "hardship_proof": _keep_hardships}
_EFFECTS = {"issue_certificate": _on_certificate, "deliver_approval": _on_approval_delivered}


def _requests(key: str) -> dict[str, Any]:
    return {"street_opinion": special_cases.requests(key), "district_examination": special_cases.requests(key)}


LOW_INCOME_2016 = replace(
    DIBAO_2012,
    key="low-income-2016",
    title="低收入家庭救助申请审核审批（2016年政策）",
    title_en="Low-income relief: application, review, approval (2016 policy)",
    prefix="DS",
    bpmn=_bpmn("low-income-2016"),
    start_form=LowIncomeApplication,
    forms=FORMS_2016,
    former={},
    services={**DIBAO_2012.services, "open_investigation": open_investigation_2016},
    former_rules={},
    vet=vet,
    before=_BEFORE,
    effects={**{name: effect for name, effect in DIBAO_2012.effects.items() if name not in ("reject_after_check", "special_case_decision")}, **_requests("low-income-2016"), **_EFFECTS},
    begin=dibao_2012.begin("low-income-2016", MATTER),
    moves=dibao_2012.moving(MATTER),
)
LOW_INCOME_2021 = replace(
    DIBAO_2021,
    key="low-income-2021",
    title="低收入家庭救助申请审核确认（2021年办法）",
    title_en="Low-income relief: application and confirmation (2021 rules)",
    prefix="DS",
    bpmn=_bpmn("low-income-2021"),
    start_form=LowIncomeApplication,
    forms=FORMS_2021,
    services={**DIBAO_2021.services, "open_investigation": open_investigation_2021},
    vet=vet,
    before=_BEFORE,
    effects={**DIBAO_2021.effects, **_requests("low-income-2021"), **_EFFECTS},
    begin=dibao_2012.begin("low-income-2021", MATTER),
    moves=dibao_2012.moving(MATTER),
)
