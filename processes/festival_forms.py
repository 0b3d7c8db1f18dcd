"""What is asked for festival payments, heating, visits and donations (domain 1.15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, folded, money, number, on_date, rows, several, text, yes_no
from processes import festival
from processes.household_number import donation, household


def choices(words: Mapping[str, tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(code, zh, en) for code, (zh, en) in words.items()]


CAUSES: Mapping[str, tuple[str, str]] = {
    "account_closed": ("账户已销户", "Account closed"), "account_frozen": ("账户冻结或长期不动", "Account frozen or dormant"), "wrong_account": ("账号有误", "Wrong account number"),
    "name_differs": ("户名不符", "Name of the holder differs"), "deceased": ("持卡人死亡", "The holder has died"), "bank_error": ("银行处理失败", "Failed at the bank"), "other": ("其他", "Other"),
}  # fmt: skip
CLOSINGS: Mapping[str, tuple[str, str]] = {
    "died_without_heirs": ("死亡且无人继承", "Died without heirs"), "moved_away": ("迁出本区", "Moved away"), "not_entitled": ("经核实不应享受", "Not entitled after all"),
    "paid_elsewhere": ("已由其他单位发放", "Paid by another unit"), "renounced": ("本人书面放弃", "Renounced in writing"), "never_found": ("多方查找无法联系", "Cannot be found"), "other": ("其他", "Other"),
}  # fmt: skip
OUTCOMES = [("agree", "同意", "Agree"), ("refuse", "不同意", "Refuse")]
RESULTS = [("credited", "已到账", "Credited"), ("returned", "退回", "Returned")]
SOURCES: Mapping[str, tuple[str, str]] = {"government": ("财政资金", "Government funds"), "lottery": ("福彩公益金", "Welfare lottery"), "party": ("党费", "Party dues"), "unit": ("单位自筹", "The unit's own funds"),
                                          "society": ("社会捐赠", "Gifts of society"), "other": ("其他", "Other")}  # fmt: skip
DONORS: Mapping[str, tuple[str, str]] = {"enterprise": ("企业", "Enterprise"), "social_organisation": ("社会组织", "Social organisation"), "institution": ("事业单位", "Institution"), "individual": ("个人", "Individual"),
                                         "other": ("其他", "Other")}  # fmt: skip
_AREA, _ACCOUNT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,2})?"), re.compile(r"[0-9]{12,30}")


def _area_of(form: Form, data: Mapping[str, Any]) -> dict[str, list[str]]:
    said = data.get("area")
    if said and (not _AREA.fullmatch(folded(said)) or float(folded(said)) <= 0):
        return {"area": [form.say("面积写成数字，如 48.5", "Write a number, like 48.5")]}
    return {}


class FestivalFacts(Form):
    """两节补贴测算: the facts of one household or person."""

    group = choice("救助类别", "Programme", choices(festival.GROUPS), widget="select")
    hukou_kind = choice("户籍性质", "Household register", choices(festival.HUKOU))
    members = number("享受人数", "Persons in benefit", required=False, hint="不填为 1 人", hint_en="1 when left out")
    year = number("春节年份", "Year of the Spring Festival", required=False, hint="不填为即将到来的春节", hint_en="The next one when left out")
    on = on_date("按哪一天的标准", "Amounts of which day", required=False, not_future=False, hint="不填为节前最后一个工作日", hint_en="The last working day before the holiday when left out")
    kinds = several("补贴种类", "Kinds of money", choices(festival.KINDS), hint="不选为年终一次性补贴和过节费；填写了供热情况的含取暖补贴", hint_en="Year-end subsidy and festival allowance when none is chosen; with heating where it is described")
    three_nos = yes_no("“三无”低保家庭", "Dibao without ability, income and supporter", required=False)
    central = yes_no("集中供热", "Central heating", required=False)
    area = text("建筑面积（平方米）", "Floor area (m2)", required=False, max=10)
    fee = money("应缴供热费", "Heating fee", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = _area_of(self, data)
        if data.get("fee") is not None and data.get("central") is False:
            wrong["fee"] = [self.say("未集中供热的不填供热费", "No fee without central heating")]
        if data.get("three_nos") and data.get("group") not in (None, "dibao"):
            wrong["three_nos"] = [self.say("只有低保家庭填写", "Only of dibao households")]
        if wrong:
            raise ValidationError(wrong)


class HeatingIn(Form):
    """供热情况登记: how a household's dwelling is heated in a season."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"fee": ("集中供热的必填", "needed with central heating")}
    year = number("采暖季截止年份", "Year in which the season ends")
    central = yes_no("集中供热", "Central heating")
    area = text("建筑面积（平方米）", "Floor area (m2)", required=False, max=10)
    fee = money("应缴供热费", "Heating fee", required=False)
    three_nos = yes_no("“三无”低保家庭", "Dibao without ability, income and supporter", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = _area_of(self, data)
        if data.get("central") and data.get("fee") is None:
            wrong["fee"] = [self.say("集中供热的应填写应缴供热费", "Needed with central heating")]
        if data.get("central") is False and data.get("fee") is not None:
            wrong["fee"] = [self.say("未集中供热的不填供热费", "No fee without central heating")]
        today = self.context_value("today")
        if today and data.get("year") is not None and not today.year - 1 <= data["year"] <= today.year + 1:
            wrong["year"] = [self.say("只登记本采暖季的情况", "Of this season only")]
        if wrong:
            raise ValidationError(wrong)


class FestivalBatchIn(Form):
    """生成发放批次."""

    street = text("发放单位（街镇、管委会）", "Paying unit (street or zone)", max=20)
    year = number("春节年份", "Year of the Spring Festival")
    kinds = several("补贴种类", "Kinds of money", choices(festival.KINDS), required=True)
    cut_off = on_date("享受人员截止日期", "Cut-off date: who is in benefit on that day")


class FestivalVerdict(Form):
    """复核: of a batch, or of an item that takes the place of a returned one."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"opinion": ("不同意的必填", "needed when refused")}
    outcome = choice("复核结果", "Outcome", OUTCOMES)
    opinion = text("复核意见", "Opinion", required=False, max=200, widget="textarea")

    @validates_schema
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["outcome"] == "refuse" and not data.get("opinion"):
            raise ValidationError({"opinion": [self.say("不同意的应写明理由", "Say why")]})


class FestivalResult(Form):
    """What the bank says of one item."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"cause": ("退回的必填", "needed when returned")}
    item = number("明细编号", "Item")
    result = choice("结果", "Result", RESULTS)
    amount = money("金额", "Amount")
    on = on_date("日期", "Date")
    cause = choice("退回原因", "Cause", choices(CAUSES), required=False, widget="select")
    cause_text = text("说明", "In words", required=False, max=200)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("result") == "returned" and not data.get("cause"):
            raise ValidationError({"cause": [self.say("退回的应写明原因", "Say why it came back")]})
        if data.get("result") == "credited" and data.get("cause"):
            raise ValidationError({"cause": [self.say("只有退回的填写", "Only of what came back")]})


class FestivalResults(Form):
    """银行回盘登记."""

    results = rows("到账或退回的明细", "Items credited or returned", FestivalResult, required=True, least=1)


class FestivalReissue(Form):
    """退回后重新发放: to the household's account as it stands now, or to another one of a member."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"holder": ("填写了账号的必填", "needed with an account"), "account": ("填写了户名的必填", "needed with a holder")}
    account = text("新账号", "New account", required=False, max=40, hint="不填则用家庭现在登记的账号", hint_en="The household's account as registered now, when left out")
    holder = text("户名", "Account holder", required=False, max=60)
    reason = text("重发理由", "Why it is paid again", max=200, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        for one, other in (("account", "holder"), ("holder", "account")):
            if data.get(one) and not data.get(other):
                wrong[other] = [self.say("账号和户名应同时填写", "Account and holder go together")]
        if data.get("account") and not _ACCOUNT.fullmatch(folded(data["account"])):
            wrong["account"] = [self.say("银行账号应为 12 至 30 位数字", "12 to 30 digits")]
        if wrong:
            raise ValidationError(wrong)


class FestivalClosing(Form):
    """不再发放: an item that can never be paid; its money stays with the paying unit."""

    cause = choice("不再发放的原因", "Why it can never be paid", choices(CLOSINGS), widget="select")
    reason = text("核实情况", "What was verified", max=200, widget="textarea")


class ListedPerson(Form):
    """One of the other department's list."""

    name = text("姓名", "Name", max=60)
    id_no = text("身份证号", "ID number", max=40)
    community = text("所在居村代码", "Code of the community", max=20)
    hukou_kind = choice("户籍性质", "Household register", choices(festival.HUKOU))
    employed = yes_no("有工作单位", "Has an employer")
    account = text("银行账号", "Bank account", max=40, digits=True)
    holder = text("户名", "Account holder", required=False, max=60, hint="不填为本人", hint_en="Himself when left out")


class FestivalList(Form):
    """优抚对象名单 of another department."""

    year = number("春节年份", "Year of the Spring Festival")
    department = text("提供名单的部门", "Department that keeps the list", max=100)
    persons = rows("名单", "Persons", ListedPerson, required=True, least=1)


class FestivalListFile(Form):
    """优抚对象名单 as a workbook."""

    year = number("春节年份", "Year of the Spring Festival")
    department = text("提供名单的部门", "Department that keeps the list", max=100)


class VisitIn(Form):
    """慰问登记."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "community": ("没有登记家庭的必填", "needed without a registered household"), "target": ("没有登记家庭的必填", "needed without a registered household"),
        "cash": ("慰问金和慰问品至少一项", "money or goods"), "goods": ("慰问金和慰问品至少一项", "money or goods"), "donation_id": ("用社会捐赠的必填", "needed for gifts of society")}  # fmt: skip
    household_id = household("家庭（已登记的）", "Household, if registered", required=False)
    community = text("所在居村", "Community", required=False, max=20)
    target = text("慰问对象（未登记的家庭、机构）", "Who is visited, if not registered", required=False, max=200)
    visited_on = on_date("慰问日期", "Visited on")
    visitors = text("慰问人", "Visitors", max=200)
    cash = money("慰问金", "Money", required=False)
    goods = text("慰问品", "Goods", required=False, max=400)
    goods_value = money("慰问品折价", "Value of the goods", required=False)
    source = choice("资金来源", "Funding source", choices(SOURCES), widget="select")
    donation_id = donation("捐赠编号", "Donation")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get("household_id") is None:
            wrong |= {name: [self.say("没有登记家庭的必填", "Needed without a registered household")] for name in ("community", "target") if not data.get(name)}
        elif data.get("community") or data.get("target"):
            wrong["target" if data.get("target") else "community"] = [self.say("已选择登记的家庭，不填", "Left out for a registered household")]
        if (data.get("source") == "society") != (data.get("donation_id") is not None) and data.get("source"):
            wrong["donation_id"] = [self.say("用社会捐赠慰问的填写捐赠编号，其他来源不填", "The donation of gifts of society, and of nothing else")]
        wrong |= something(self, data)
        if wrong:
            raise ValidationError(wrong)


def something(form: Form, data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Money or goods: not neither; a value only of goods."""
    if not data.get("cash") and not data.get("goods"):
        return {"cash": [form.say("钱和物至少填写一项", "Money or goods: at least one of them")]}
    if data.get("goods_value") and not data.get("goods"):
        return {"goods": [form.say("填写了折价的应写明物品", "Say what the goods are")]}
    return {}


class DonationIn(Form):
    """社会力量捐赠登记."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"cash": ("钱和物至少一项", "money or goods"), "goods": ("钱和物至少一项", "money or goods")}
    unit = text("接收单位代码", "Code of the unit that received it", max=20)
    donor = text("捐赠人", "Donor", max=100)
    donor_kind = choice("捐赠人类别", "Kind of donor", choices(DONORS), widget="select")
    received_on = on_date("接收日期", "Received on")
    cash = money("捐款", "Money", required=False)
    goods = text("捐赠物品", "Goods", required=False, max=400)
    goods_value = money("物品折价", "Value of the goods", required=False)
    purpose = text("捐赠意向", "Wish of the donor", required=False, max=400, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if wrong := something(self, data):
            raise ValidationError(wrong)


def day_of(said: Any) -> date:
    return said if isinstance(said, date) else date.fromisoformat(str(said))
