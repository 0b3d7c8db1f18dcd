"""支出型困难家庭认定 (domain 3.10) through the HTTP API: expenses item by item, the rule of the day, recognition with its last day."""

from __future__ import annotations

from typing import Any

import pytest

from processes import benefits, spot_check
from tests.api_roads import Roads, elders
from tests.served import app_of
from tests.web.test_pages import Desk

pytestmark = pytest.mark.usefixtures("registries")
KEY = "illness-expenditure-2018"


class SpentRoads(Roads):
    def spent(self, amount: str, paid_on: str = "2018-06-01", *, member: int = 0, kind: str = "medical", **more: Any) -> dict[str, Any]:
        return {"person_id": self.members[member], "kind": kind, "amount_fen": amount, "paid_on": paid_on, "institution": "区医院", "document_id": self.page, **more}

    def begin(self, *spent: dict[str, Any]) -> None:
        self.start(KEY, programme="illness_expenditure", applied_on=self.today, applied_by="head", reason="大病", expenses=list(spent))

    def to_expenses(self, *spent: dict[str, Any]) -> None:
        self.begin(*spent)
        self.accept()
        self.check()
        self.survey()

    def looked_at(self, *rows: dict[str, Any], **more: Any) -> Any:
        return self.go("ann", "check_expenses", expenses=list(rows), statement="逐笔核对票据", **more)

    def opinion(self, **more: Any) -> Any:
        self.go("rita", "street_opinion", **{"street_outcome": "propose_grant", "help_kind": "referral", "referral": "temporary_assistance", "opinion": "属实", **more})
        return self.go("lee", "street_signoff", signoff="agree", opinion="同意")

    def decided(self, over: str) -> Any:
        self.post()
        self.at(over)
        self.remove()
        self.submit("application", "survey", "opinion")
        self.examine()
        self.late_visit()
        self.go("app", "decide", decision="granted", opinion="批准")
        return self.deliver()


@pytest.fixture
def roads(bureau, district) -> SpentRoads:
    made = SpentRoads(bureau, district)
    made.at("2018-12-03T09:00")
    return made


def one(n: int, compliant: bool = True, **more: Any) -> dict[str, Any]:  # noqa: FBT001, FBT002
    return {"item": n, "compliant": compliant, **more}


def test_a_family_of_three_with_72000_of_90000_spent_is_recognised_for_twelve_months(roads):
    roads.register(*elders("2500.00", "2500.00", "2500.00"))
    roads.to_expenses(roads.spent("72000.00"), roads.spent("500.00", member=1), roads.spent("800.00", kind="education"))
    assert roads.open() == {"check_expenses": "2019-01-15"}, "30 working days from acceptance, as configured"
    declared = roads.good("ann", "GET", f"/cases/{roads.no}/expenses")["items"]
    assert [(e["position"], e["amount_fen"], e["checked"], e["kind"]) for e in declared] == [(1, 7_200_000, False, "medical"), (2, 50_000, False, "medical"), (3, 80_000, False, "education")]
    roads.looked_at(one(1), one(2, compliant=False, note="非定点药店"), one(3))
    assert roads.facts("category", "net_per_capita", "expenses_counted", "members_counted", "expense_share") == ("illness_expenditure", "500.00", "72000.00", 3, None)
    roads.opinion()
    [notice] = [roads.post(), *roads.good(None, "GET", f"/notices?unit={roads.case()['facts']['community']}")["items"]][1:]
    assert notice["amount_fen"] == 0
    roads.at("2018-12-11T09:00")
    roads.remove()
    roads.submit("application", "survey", "opinion")
    roads.examine()
    roads.refused(422, "app", "decide", decision="refused", opinion="x", reason_code="other", clause="x")
    roads.go("app", "decide", decision="granted", opinion="批准")
    assert roads.deliver()["outcome"] == "ended_granted"
    [found] = roads.good("rita", "GET", f"/recognitions?household_id={roads.home}")["items"]
    assert (found["kind"], found["recognised_on"], found["valid_until"], found["help_kind"], found["referral"], found["members"], found["by_meeting"]) == (
        "illness_expenditure", "2018-12-11", "2019-12-10", "referral", "temporary_assistance", 3, False)  # fmt: skip
    assert roads.good("rita", "GET", f"/benefits?household_id={roads.home}")["items"] == [], "no monthly benefit"
    assert "on" in roads.bad(422, "rita", "GET", "/recognitions?on=2018-13-01")["errors"]
    assert roads.bad(403, "rita", "GET", "/recognitions?unit=120119")["rule"] == "unit"
    assert [len(roads.good("rita", "GET", f"/recognitions?on={day}")["items"]) for day in ("2018-12-10", "2018-12-11", "2019-12-10", "2019-12-11")] == [0, 1, 1, 0]
    letter = roads.letter("approval")
    assert "有效期自2018年12月11日至2019年12月10日" in letter and "临时救助（支出型）" in letter and "因病支出型困难家庭" in letter
    assert "支出型困难家庭认定申请受理通知书" in roads.letter("acceptance")
    assert roads.letters() == ["acceptance", "approval"]
    items = roads.good("ann", "GET", f"/cases/{roads.no}/expenses")["items"]
    assert [(e["checked_fen"], e["compliant"], e["note"], e["checked_by"]) for e in items] == [(7_200_000, True, None, "ann"), (50_000, False, "非定点药店", "ann"), (80_000, True, None, "ann")]
    said = {"household_id": roads.home, "programme": "illness_expenditure", "applied_on": roads.today, "applied_by": "head", "reason": "再次", "expenses": [roads.spent("1.00")]}
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": KEY, "answers": said})["rule"] == "recognised"
    roads.proven()


def test_40000_is_not_enough_and_the_letter_says_what_would_be(roads):
    roads.register(*elders("2500.00", "2500.00", "2500.00"))
    roads.to_expenses(roads.spent("40000.00"))
    roads.looked_at(one(1))
    assert roads.facts("category", "net_per_capita") == ("refused_expenditure", "1388.89")
    roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", help_kind="status", opinion="同意")
    reason = {"reason_code": "other", "clause": "第四条"}
    roads.street("propose_refuse", **reason)
    roads.submit("application", "survey", "opinion")
    roads.examine("propose_refuse", **reason)
    roads.refused(422, "app", "decide", decision="granted", opinion="批准")
    roads.go("app", "decide", decision="refused", opinion="不符合", **reason)
    assert roads.deliver("deliver_refusal")["outcome"] == "ended_refused"
    letter = roads.letter("refusal")
    assert "人均每月1388.89元，不低于低保标准" in letter and "超过56880.00元" in letter and "行政复议" in letter
    assert roads.good("rita", "GET", "/recognitions")["items"] == []
    roads.proven()


@pytest.mark.parametrize(("paid", "category", "share"), [("30000.00", "rigid_expenditure", "60.0"), ("29999.99", "refused_expenditure", "59.9")])
def test_since_2025_it_is_60_per_cent_of_the_yearly_income(roads, paid, category, share):
    roads.at("2025-03-10T09:00")
    roads.register(*elders("4166.67"), unsigned=())
    roads.to_expenses(roads.spent(paid, "2024-06-01"), roads.spent("0.03", "2024-06-02"))
    roads.looked_at(one(1), one(2), complex_case=True)
    assert roads.facts("category", "expense_share", "whole_case_workdays") == (category, share, 45)


@pytest.mark.parametrize("why", ["near_relative", "doubtful", "reported"])
def test_whom_the_district_visits_in_every_case(roads, why):
    """A near relative's, a doubtful and a reported file are visited, every one (N220 art 26, as in dibao)."""
    roads.register(*elders("2500.00", "2500.00", "2500.00"), **({"near_relative_declared": True} if why == "near_relative" else {}))
    roads.begin(roads.spent("72000.00"))
    roads.accept()
    if why == "near_relative":
        roads.go("clerk", "register_near_relative", staff_name="某某", position="居委会委员", relation="sibling")
    roads.check(doubtful=why == "doubtful")
    roads.survey()
    roads.looked_at(one(1))
    roads.opinion()
    roads.post()
    if why == "reported":
        roads.send("vera", "objection", objection_on=roads.today, objector_kind="resident", grounds="费用已报销")
        roads.go("ann", "street_reinvestigate", investigated_on=roads.today, findings="票据属实", upheld=False, figures_changed=False)
        roads.post()
    roads.at("2018-12-12T09:00")
    roads.remove()
    roads.go("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    assert roads.open() == {"spot_check_visit": "2018-12-19"}, "five working days, and nobody examines before"
    assert roads.facts("spot_check") is True and why in roads.facts("spot_reason").split()
    visit = {"visited_on": roads.today, "second_visitor": "乙", "findings": "一致", "agrees": True, "photos": [roads.page]}
    roads.refused(403, "exam", "spot_check_visit", **visit)
    roads.refused(422, "spot", "spot_check_visit", **visit | {"visited_on": "2018-12-11"})
    roads.go("spot", "spot_check_visit", **visit)
    roads.examine()
    assert set(roads.open()) == {"decide"}
    roads.go("app", "decide", decision="granted", opinion="批准")
    assert roads.deliver()["outcome"] == "ended_granted"
    roads.proven()


def test_a_file_added_at_the_months_end_is_visited_before_the_decision_once(roads, monkeypatch):
    monkeypatch.setattr(spot_check, "drawn", lambda _seed, _on: frozenset())  # the lot leaves it alone at its receipt
    roads.register(*elders("2500.00", "2500.00", "2500.00"))
    roads.to_expenses(roads.spent("72000.00"))
    roads.looked_at(one(1))
    roads.opinion()
    roads.post()
    roads.at("2018-12-11T09:00")
    roads.remove()
    roads.go("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    assert set(roads.open()) == {"district_examination"} and roads.facts("spot_check") is False
    roads.at("2019-01-07T09:00")
    roads.examine()
    assert roads.open() == {"late_spot_check_visit": "2019-01-14"}
    roads.go("spot", "late_spot_check_visit", visited_on=roads.today, second_visitor="乙", findings="费用多数已报销", late_agrees=False, photos=[roads.page])
    assert set(roads.open()) == {"district_examination"}, "what the visit found is examined"
    roads.examine("return_survey", reason_code="other", clause="民发〔2012〕220号第二十六条")
    assert roads.facts("category", "spot_check") == (None, False)
    assert "home_survey" in roads.open()
    roads.proven()


def test_each_declared_expense_is_looked_at_and_none_is_made_larger(roads):
    roads.register(*elders("2500.00", "2500.00"))
    said = {"household_id": roads.home, "programme": "illness_expenditure", "applied_on": roads.today, "applied_by": "head", "reason": "大病"}
    for wrong, field in (({"expenses": []}, "expenses"), ({}, "expenses"), ({"expenses": [roads.spent("0.00")]}, "expenses.0.amount_fen"),
                         ({"expenses": [roads.spent("1.00", person_id=1)]}, "expenses.0.person_id"), ({"expenses": [roads.spent("1.00", document_id=999_999)]}, "expenses.0.document_id"),
                         ({"expenses": [roads.spent("1.00", "2019-01-01")]}, "expenses.0.paid_on"), ({"expenses": [roads.spent("1.00", kind="wine")]}, "expenses.0.kind")):  # fmt: skip
        assert field in roads.bad(422, "clerk", "POST", "/cases", {"process": KEY, "answers": {**said, **wrong}})["errors"], wrong
    roads.begin(roads.spent("60000.00"))
    roads.go("clerk", "completeness_check", outcome="incomplete", missing=["diagnosis"])
    roads.go("clerk", "supplement", received_on=roads.today, supplied=["diagnosis"], expenses=[roads.spent("700.00")])
    roads.accept()
    roads.check()
    roads.survey()
    for rows, field in (([one(1)], "expenses"), ([one(1), one(2), one(3)], "expenses.2.item"), ([one(1), one(1), one(2)], "expenses"), ([], "expenses"),
                        ([one(1), one(2, amount_fen="700.01")], "expenses.1.amount_fen")):  # fmt: skip
        assert field in roads.refused(422, "ann", "check_expenses", expenses=rows, statement="x")["errors"], rows
    roads.refused(403, "rita", "check_expenses", expenses=[one(1), one(2)], statement="x")
    roads.looked_at(one(1, amount_fen="50000.00"), one(2))
    assert roads.facts("expenses_counted", "category") == ("50700.00", "illness_expenditure")
    for wrong in ({"help_kind": None}, {"help_kind": "one_off", "referral": None}, {"help_kind": "status"}, {"help_kind": "one_off", "referral": None, "help_fen": "100.00"}):
        answers = {"street_outcome": "propose_grant", "help_kind": "referral", "referral": "charity", "opinion": "x"} | wrong
        roads.refused(422, "rita", "street_opinion", **{name: value for name, value in answers.items() if value is not None})
    roads.bad(403, "auditor", "GET", f"/cases/{roads.no}/expenses")
    roads.bad(404, "stranger", "GET", f"/cases/{roads.no}/expenses")


def test_one_off_help_stays_under_the_most_of_the_law_and_is_on_the_notice_and_the_letter(roads):
    roads.at("2021-07-05T09:00")
    roads.register(*elders("2600.00", "2600.00"))
    roads.to_expenses(roads.spent("60000.00", "2021-01-05"))
    roads.looked_at(one(1))
    over = {"street_outcome": "propose_grant", "help_kind": "one_off", "help_fen": "6060.01", "opinion": "x"}
    assert "help_fen" in roads.refused(422, "rita", "street_opinion", **over)["errors"]
    roads.go("rita", "street_opinion", **{**over, "help_fen": "6060.00"})
    roads.go("lee", "street_signoff", signoff="agree", opinion="同意")
    assert roads.decided("2021-07-13T09:00")["outcome"] == "ended_granted"
    [found] = roads.good("rita", "GET", "/recognitions?kind=illness_expenditure")["items"]
    assert (found["help_kind"], found["help_fen"]) == ("one_off", 606_000)
    assert "一次性救助6060.00元" in roads.letter("approval")
    roads.proven()


def test_an_objection_begins_anew_and_a_withdrawal_ends_it(roads):
    roads.register(*elders("2500.00", "2500.00", "2500.00"))
    roads.to_expenses(roads.spent("72000.00"))
    roads.looked_at(one(1))
    roads.opinion()
    roads.post()
    roads.send("vera", "objection", objection_on=roads.today, objector_kind="resident", grounds="费用已报销")
    roads.go("ann", "street_reinvestigate", investigated_on=roads.today, findings="部分已报销", upheld=True, figures_changed=True)
    roads.check()
    roads.survey()
    roads.looked_at(one(1, amount_fen="40000.00"))
    assert roads.facts("category", "help_kind") == ("refused_expenditure", None)
    assert roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="不再申请", signed_document=roads.page)["outcome"] == "ended_withdrawn"
    roads.proven()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_show_what_the_api_says(roads, lang):
    roads.register(*elders("2500.00", "2500.00", "2500.00"))
    app = app_of(roads.bureau)
    clerk, ann, rita = (Desk(app, who, lang) for who in ("clerk", "ann", "rita"))
    assert f'href="/households/{roads.home}/expenditure"' in clerk.text(f"/households/{roads.home}")
    assert ("票据" if lang == "zh" else "Receipt") in clerk.text(f"/households/{roads.home}/expenditure")
    sent = {"programme": "illness_expenditure", "applied_on": roads.today, "applied_by": "head", "reason": "大病", "household_id": str(roads.home),
            **{f"expenses-0-{name}": str(value) for name, value in roads.spent("72000.00").items()}}  # fmt: skip
    answer = clerk.post(f"/households/{roads.home}/expenditure", sent)
    assert answer.status_code == 302, answer.get_data(as_text=True)[-3000:]
    roads.no = answer.headers["Location"].rsplit("/", 1)[-1]
    roads.accept()
    roads.check()
    roads.survey()
    task = next(t for t in roads.case()["tasks"] if t["node"] == "check_expenses")
    shown = ann.text(f"/tasks/{task['id']}")
    assert "72,000.00" in shown or "72000.00" in shown
    assert ("逐笔支出" if lang == "zh" else "Expenses, item by item") in shown
    roads.looked_at(one(1))
    case = rita.text(f"/cases/{roads.no}?tab=means")
    assert ("逐笔支出" if lang == "zh" else "Expenses, item by item") in case and "500.00" in case
    assert ("因病支出型困难家庭" if lang == "zh" else "Hardship for the expenses of an illness") in rita.text(f"/cases/{roads.no}")
    assert rita.get(f"/cases/{roads.no}/replay").status_code == 200
    roads.opinion()
    assert roads.decided("2018-12-11T09:00")["outcome"] == "ended_granted"
    listed = rita.text("/recognitions/?valid=1&kind=illness_expenditure")
    assert roads.no in listed and "2019-12-10" in listed
    assert roads.no not in rita.text("/recognitions/?kind=rigid_expenditure")
    assert "500.00" in Desk(app, "auditor", lang).text(f"/cases/{roads.no}/replay?step=12")


@pytest.mark.parametrize(("day", "refused"), [("2018-12-03", False), ("2025-03-10", True)])
def test_who_receives_low_income_relief_may_ask_before_2025_and_who_receives_dibao_never(roads, day, refused):
    roads.at(f"{day}T09:00")
    for category in ("low_income", "dibao"):
        roads.register(*elders("2500.00", "2500.00"))
        with roads.bureau.office.act() as act:
            benefits.begin(act, "benefit_granted", {
                "household_id": roads.home, "category": category, "amount_fen": 27_600, "status": "active", "first_payment_month": day[:7], "members": 2,
                "granted_on": day, "law_version": "TJ-STD-2018"}, {})  # fmt: skip
        said = {"household_id": roads.home, "programme": "illness_expenditure", "applied_on": day, "applied_by": "head", "reason": "大病",
                "expenses": [roads.spent("100.00", f"{int(day[:4])}-01-02")]}  # fmt: skip
        if refused or category == "dibao":
            assert roads.bad(403, "clerk", "POST", "/cases", {"process": KEY, "answers": said})["rule"] == "active_benefit"
        else:
            roads.good("clerk", "POST", "/cases", {"process": KEY, "answers": said})
