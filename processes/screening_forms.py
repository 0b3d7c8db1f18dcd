"""What a visit of the screening asks for (domain 1.1), and what is said when a finding is put right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, number, on_date, rows, several, text, yes_no
from engine.given import gives
from processes.household_number import household

CASE = "screening"  # the process of what visits found; it decides on no benefit, so it stands beside every other case
IN_BENEFIT, REFUSED = "in_benefit", "refused_2018"
POPULATIONS = [
    (IN_BENEFIT, "在保家庭", "In benefit"),
    ("elderly", "未享受救助的老年人", "Elderly, not in benefit"),
    ("disabled", "未享受救助的残疾人", "Disabled, not in benefit"),
    ("serious_illness", "未享受救助的重特大疾病患者家庭", "Gravely ill, not in benefit"),
    (REFUSED, "2018年申请救助未获批准", "Refused in 2018"),
]
CAUSES = [
    ("illness", "因病", "Illness"),
    ("disability", "因残", "Disability"),
    ("old_age", "年老", "Old age"),
    ("lack_labour", "缺乏劳动力", "No labour"),
    ("unemployment", "失业", "Unemployment"),
    ("education", "因学", "Education"),
    ("disaster", "因灾", "Disaster"),
    ("single_parent", "单亲", "Single parent"),
    ("other", "其他", "Other"),
]
ASSISTANCE = [
    ("medical", "医疗救助", "Medical assistance"),
    ("education", "教育救助", "Educational assistance"),
    ("housing", "住房救助", "Housing assistance"),
    ("employment", "就业救助", "Employment assistance"),
    ("temporary", "临时救助", "Temporary assistance"),
    ("disaster", "受灾人员救助", "Disaster relief"),
    ("heating", "取暖补贴", "Heating subsidy"),
    ("disabled_subsidy", "残疾人补贴", "Subsidy for the disabled"),
    ("other", "其他政策", "Another policy"),
]
RESULTS = [("true", "属实", "As recorded"), ("changed", "情况有变化", "Changed"), ("untrue", "不属实", "Not as recorded")]
SOCIAL = "outstanding_hardship"
FINDINGS = [
    ("policy_not_implemented", "救助政策落实不到位", "Policy not carried out"),
    ("unlawful_benefit", "违规享受救助待遇", "Benefit against the rules"),
    (SOCIAL, "经政府救助后仍存在突出困难", "Grave hardship after assistance"),
]
OLDEST = 366  # days


class ScreeningFinding(Form):
    """One finding: the first two kinds are put right by a day, the third goes to social help."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"due_on": ("前两类必填", "needed of the first two kinds"), "referred_to": ("突出困难必填", "needed of grave hardship")}
    kind = choice("问题类型", "Kind", FINDINGS, widget="select")
    due_on = on_date("整改期限", "To be put right by", required=False, not_future=False)
    referred_to = text("转介的社会力量", "Social help that it is referred to", required=False, max=100)
    text = text("问题情况", "What was found", max=500)  # last: from here on the name is the field

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        kind, wrong = data.get("kind"), dict[str, list[str]]()
        if kind == SOCIAL:
            if not data.get("referred_to"):
                wrong["referred_to"] = [self.say("请写明转介的社会力量", "Say to which social help")]
            if data.get("due_on"):
                wrong["due_on"] = [self.say("突出困难不设整改期限", "Not of grave hardship")]
        elif kind:
            if not data.get("due_on"):
                wrong["due_on"] = [self.say("请填写整改期限", "Say by when")]
            if data.get("referred_to"):
                wrong["referred_to"] = [self.say("只有突出困难填写", "Only of grave hardship")]
        if wrong:
            raise ValidationError(wrong)


class ScreeningIn(Form):
    """入户排查: one visit to one household, by two visitors who each answer for it."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "result_text": ("有变化或不属实必填", "needed when it is not as recorded"), "hardship_text": ("仍有困难必填", "needed when hardship remains"),
        "qualifies": ("未在保的必填", "needed of who is not in benefit")}  # fmt: skip
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {"household_id": ("走访", "Visit"), "causes": ("家庭情况", "The household"), "findings": ("发现的问题", "Findings")}
    household_id = household("家庭", "Household")
    population = choice("排查对象", "Population", POPULATIONS, widget="select")
    visited_on = on_date("走访日期", "Visited on")
    second_visitor = text("第二名调查人登录名", "Login of the second visitor", max=60, hint="由其本人登录确认", hint_en="He confirms it himself")
    companions = text("其他同行人员", "Others who came along", required=False, max=200)
    met_person = text("接待人", "Who was met", max=60)
    causes = several("致困原因", "Causes of hardship", CAUSES, required=True)
    assistance = several("除城乡低保、低收入、特困供养外享受的救助", "Assistance besides dibao, low-income relief and destitute support", ASSISTANCE)
    result = choice("核查结果", "Result of the check", RESULTS)
    result_text = text("核查情况", "What was seen", required=False, max=300)
    still_hardship = yes_no("救助后是否仍有困难", "Hardship remains")
    hardship_text = text("困难情况", "Which", required=False, max=200)
    relative_of_staff = yes_no("是否经办人员、居村委会成员近亲属", "Near relative of staff")
    relatives_on_assistance = yes_no("近亲属是否享受社会救助", "Near relatives in assistance")
    qualifies = yes_no("是否达到救助条件", "Qualifies for assistance", required=False)
    policy_explained = yes_no("是否讲解政策", "Policy explained", required=False)
    leaflet_given = yes_no("是否发放明白纸、小册子", "Leaflet given", required=False)
    findings = rows("问题", "Findings", ScreeningFinding)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = {**self._words(data), **self._days(data)}
        if wrong:
            raise ValidationError({name: [self.say(*said)] for name, said in wrong.items()})

    def _words(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        wrong: dict[str, tuple[str, str]] = {}
        if data.get("result") in ("changed", "untrue") and not data.get("result_text"):
            wrong["result_text"] = ("请写明核查情况", "Say what was seen")
        if data.get("still_hardship") and not data.get("hardship_text"):
            wrong["hardship_text"] = ("请写明困难情况", "Say which hardship")
        if data.get("population") == IN_BENEFIT and data.get("qualifies") is not None:
            wrong["qualifies"] = ("在保家庭不填", "Not of who is in benefit")
        if data.get("population") not in (None, IN_BENEFIT) and data.get("qualifies") is None:
            wrong["qualifies"] = ("请填写是否达到救助条件", "Say whether it qualifies")
        return wrong

    def _days(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        visited, today = data.get("visited_on"), self.context_value("today")
        if visited and today and visited < today - timedelta(days=OLDEST):
            return {"visited_on": ("日期已超过一年，请核对", "More than a year ago: please check the date")}
        early = [one for one in data.get("findings") or () if isinstance(one.get("due_on"), date) and visited and one["due_on"] < visited]
        return {"findings": ("整改期限不能早于走访日期", "To be put right after the visit")} if early else {}


OUTCOMES = [("helped", "已解决", "Solved"), ("partly", "部分解决", "Partly solved"), ("none", "未能解决", "Not solved")]
VERDICTS = [("verified", "整改属实", "Put right"), ("returned", "退回整改", "Back to be put right")]


def _unfounded() -> Any:
    return yes_no("是否经核实问题不成立", "It proved unfounded", required=False)


class Rectified(Form):
    """整改（帮扶）完成, of either kind."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"outcome": ("突出困难必填", "needed of grave hardship")}
    done_on = on_date("完成日期", "Done on")
    unfounded = _unfounded()
    outcome = choice("帮扶结果", "What came of the help", OUTCOMES, required=False, widget="select")
    proof_id = document("整改佐证材料", "Proof")
    text = text("整改或帮扶结果", "What was done", max=500, widget="textarea")


class RectificationChecked(Form):
    """整改复核."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"text": ("退回必填", "needed when it goes back")}
    verdict = choice("复核意见", "Verdict", VERDICTS, fact=True)
    text = text("说明", "Why", required=False, max=500, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("verdict") == "returned" and not data.get("text"):
            raise ValidationError({"text": [self.say("退回整改请写明原因", "Say why it goes back")]})


class FindingCase(Form):
    """The case of a finding: everything else stands in the finding's row."""

    finding_id = number("排查问题", "Finding", fact=True)


class PutRight(Form):
    """整改完成."""

    done_on = on_date("完成日期", "Done on")
    unfounded = _unfounded()
    proof_id = document("整改佐证材料", "Proof")
    text = text("整改结果", "What was done", max=500, widget="textarea")

    @gives("proved_unfounded")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"proved_unfounded": bool(loaded.get("unfounded"))}


class SocialHelp(Form):
    """社会力量帮扶的结果."""

    done_on = on_date("完成日期", "Done on")
    outcome = choice("帮扶结果", "What came of the help", OUTCOMES, widget="select")
    proof_id = document("帮扶佐证材料", "Proof of the help")
    text = text("帮扶情况", "How the household was helped", max=500, widget="textarea")


class Team(Form):
    """Two who visit together."""

    first = text("调查人登录名", "Login of the first visitor", max=60)
    second = text("第二名调查人登录名", "Login of the second visitor", max=60)


class ScreeningPlanIn(Form):
    """排查计划: one population of one community."""

    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {"community": ("计划", "Plan"), "teams": ("分组", "Teams")}
    community = text("居村", "Community", max=20)
    population = choice("排查对象", "Population", POPULATIONS, widget="select")
    from_on = on_date("开始日期", "From", not_future=False)
    until_on = on_date("完成日期", "Until", not_future=False)
    note = text("说明", "Note", required=False, max=400)
    teams = rows("调查组", "Teams", Team, required=True, least=1, hint="每组两人，分别本人确认", hint_en="Two each, who both answer for the visit")

    @validates_schema(skip_on_field_errors=False)
    def _days(self, data: Mapping[str, Any], **_: Any) -> None:
        first, last, today = data.get("from_on"), data.get("until_on"), self.context_value("today")
        if first and today and abs((first - today).days) > OLDEST:
            raise ValidationError({"from_on": [self.say("日期相差一年以上，请核对", "More than a year away: please check the date")]})
        if first and last and last < first:
            raise ValidationError({"until_on": [self.say("完成日期不能早于开始日期", "Not before the first day")]})
        if first and last and (last - first).days > OLDEST:
            raise ValidationError({"until_on": [self.say("计划不能超过一年", "A plan lasts a year at most")]})


class HomeAdded(Form):
    """A household that the records do not show, by hand."""

    household_id = household("家庭", "Household")
    reason = text("加入理由", "Why", max=200)
    first = text("调查人登录名", "Login of the first visitor", required=False, max=60)
    second = text("第二名调查人登录名", "Login of the second visitor", required=False, max=60)
    visit_on = on_date("计划走访日期", "To be visited on", required=False, not_future=False)


class HomeAssigned(Form):
    """Who visits a household, and when."""

    first = text("调查人登录名", "Login of the first visitor", max=60)
    second = text("第二名调查人登录名", "Login of the second visitor", max=60)
    visit_on = on_date("计划走访日期", "To be visited on", not_future=False)


class HomeDropped(Form):
    """Why a household is not visited after all."""

    reason = text("移出理由", "Why", max=200)
