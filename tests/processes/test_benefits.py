"""The life of a benefit: what each decision may change, what stays, and the acts of two persons outside a case."""

from __future__ import annotations

import pathlib
import tempfile
from datetime import date, timedelta

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import understand
from engine.office import history
from engine.store import Store, metadata
from processes import benefit_acts, benefit_lists, benefits, conclusions, organisation, paperwork
from processes.benefit_act_tables import benefit_proposal
from processes.benefits import Change
from processes.case_tables import letter
from processes.rebuild import differences
from processes.tables import benefit, benefit_person
from tests.conftest import DATA_KEY, Clock
from tests.district import COMMUNITY, District

# -- pure


@pytest.mark.parametrize(("day", "n", "expected"), [
    ("2019-01-31", 1, "2019-02-28"), ("2020-01-31", 1, "2020-02-29"), ("2018-12-20", 1, "2019-01-20"), ("2019-10-31", 6, "2020-04-30"), ("2019-01-28", 1, "2019-02-28"),
    ("2019-03-31", 12, "2020-03-31"), ("2020-02-29", 12, "2021-02-28"), ("2018-12-31", 0, "2018-12-31")])  # fmt: skip
def test_months_are_added_to_a_day(day, n, expected):
    assert benefits.add_months(date.fromisoformat(day), n) == date.fromisoformat(expected)


@pytest.mark.parametrize(("day", "expected"), [("2018-12-31", "2019-01"), ("2018-12-01", "2019-01"), ("2019-01-01", "2019-02"), ("2019-11-30", "2019-12")])
def test_changes_count_from_the_month_after(day, expected):
    assert benefits.month_after(date.fromisoformat(day)) == expected


@pytest.mark.parametrize(("first", "last", "expected"), [
    ("2018-11", "2019-02", ["2018-11", "2018-12", "2019-01", "2019-02"]), ("2019-02", "2019-02", ["2019-02"]), ("2019-03", "2019-02", [])])
def test_the_months_from_one_to_another(first, last, expected):
    assert benefits.months(first, last) == expected


@pytest.mark.parametrize(("last", "review_class", "category", "hukou", "expected"), [
    ("2018-12-20", "A", "dibao", "urban", "2019-12-20"), ("2018-12-20", "B", "dibao", "urban", "2019-06-20"), ("2018-12-20", "C", "dibao", "urban", "2019-01-20"),
    ("2018-12-20", "C", "low_income", "rural", "2019-03-20"), ("2018-12-20", "C", "destitute_dispersed", "rural", "2019-12-20"), ("2018-12-20", "B", "destitute_institutional", "urban", "2019-12-20"),
    ("2021-06-30", "B", "dibao", "urban", "2021-12-30"), ("2021-07-01", "B", "dibao", "urban", "2022-07-01"), ("2021-07-01", "C", "dibao", "urban", "2022-01-01")])  # fmt: skip
def test_the_next_review_is_by_class_kind_and_the_law_of_the_day(last, review_class, category, hukou, expected):
    """Domain 2.6."""
    assert benefits.next_review(date.fromisoformat(last), review_class, category, hukou).isoformat() == expected


@pytest.mark.parametrize(("amount", "instalment", "first", "expected"), [
    (36_000, 12_000, "2019-03", [("2019-03", 12_000), ("2019-04", 12_000), ("2019-05", 12_000)]),
    (25_000, 12_000, "2019-11", [("2019-11", 12_000), ("2019-12", 12_000), ("2020-01", 1_000)]), (5_000, 5_000, "2019-03", [("2019-03", 5_000)])])  # fmt: skip
def test_the_last_instalment_is_the_rest(amount, instalment, first, expected):
    assert benefits.instalments(amount, instalment, first) == expected


def test_an_instalment_is_above_zero():
    with pytest.raises(ValueError, match="above zero"):
        benefits.instalments(100, 0, "2019-01")


ROW = {"status": "active", "amount_from": "2019-01", "first_payment_month": "2019-01"}
TODAY = date(2019, 3, 15)


@pytest.mark.parametrize(("status", "kind", "month", "error"), [
    ("active", "decrease", "2019-04", None), ("active", "increase", "2019-03", None), ("active", "stop", "2019-04", None), ("active", "suspend", "2019-04", None),
    ("suspended", "resume", "2019-04", None), ("suspended", "stop", "2019-04", None), ("suspended", "decrease", "2019-04", None), ("pending_first_payment", "stop", "2019-04", None),
    ("active", "decrease", "2019-02", "past-month"), ("active", "increase", "2018-12", "from-month"), ("active", "resume", "2019-04", Conflict), ("suspended", "suspend", "2019-04", Conflict),
    ("pending_first_payment", "suspend", "2019-04", Conflict), ("pending_first_payment", "resume", "2019-04", Conflict),
    ("stopped", "increase", "2019-04", Conflict), ("stopped", "resume", "2019-04", Conflict), ("closed", "stop", "2019-04", Conflict)])  # fmt: skip
def test_what_may_be_decided_in_which_status(status, kind, month, error):
    change = Change(kind, "income_changed", month)
    if error is None:
        benefits.allow(ROW | {"status": status}, change, TODAY)
    elif isinstance(error, str):
        with pytest.raises(Refused) as refused:
            benefits.allow(ROW | {"status": status}, change, TODAY)
        assert refused.value.rule == error
    else:
        with pytest.raises(error):
            benefits.allow(ROW | {"status": status}, change, TODAY)


# -- with a district


class Granted:
    """A household with a benefit of 660.00 yuan, granted by the road of a case on 2018-12-24; first payment 2019-01."""

    def __init__(self, district) -> None:
        self.d, self.office = district, district.office
        district.road("a benefit", None, lambda: self._grant(district), self)

    def _grant(self, district):
        district.to_district()
        def today():
            return district.office.today().isoformat()

        district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟同意")
        district.do("vera", "post_district_notice", posted_on=today(), places=["village_board"])
        district.at("2018-12-20T09:00")
        district.do("vera", "remove_district_notice", removed_on=today(), objections="none")
        district.do("app", "decide", decision="granted", opinion="同意")
        with self.office.read() as conn:
            self.id = conn.scalar(select(benefit.c.id))
            self.household = conn.scalar(select(benefit.c.household_id))

    def row(self):
        with self.office.read() as conn:
            return benefits.row(conn, self.id)

    def payable(self, *months):
        with self.office.read() as conn:
            return [benefits.payable(conn, self.id, month) for month in months]

    def decide(self, who="app", **change):
        with self.office.act(self.d.people[who]) as act:
            return benefits.decide(act, self.id, Change(**change))

    def act(self, who, work, form, **said):
        """An act as pages and API call it: through its form."""
        with self.office.act(self.d.people[who]) as act:
            return work(act, self.id, *self._kind(work, form), understand(form(context={"today": act.today}), said))

    def _kind(self, work, form):
        if work is benefit_acts.change_class:
            return ()
        return (self.kind,)

    def propose(self, who, kind, **said):
        self.kind = kind
        form = benefit_acts.Suspension if kind == "suspend" else benefit_acts.Resumption
        return self.act(who, benefit_acts.propose, form, **said)

    def confirm(self, who, kind="suspend"):
        self.kind = kind
        return self.act(who, benefit_acts.confirm, benefit_acts.Settling, opinion="同意")

    def finance(self):
        if "fin" not in self.d.people:
            with self.office.act() as act:
                organisation.add_staff(act, "fin", "发放", "binhai-2018", [("finance_officer", "120116")])
            with self.office.read() as conn:
                self.d.people["fin"] = organisation.find_actor(conn, "fin")

    def clear(self, who, settlement, *, waive=False, **said):
        """A settlement is paid, or waived, as pages and API do it."""
        self.finance()
        form, work = (benefit_acts.Waiver, benefit_acts.waived) if waive else (benefit_acts.Paid, benefit_acts.settled)
        with self.office.act(self.d.people[who]) as act:
            work(act, self.id, settlement, understand(form(context={"today": act.today}), said))

    def suspend(self):
        self.propose("rita", "suspend", reason_code="unreachable", reason="三次上门无人")
        self.confirm("app")

    def count(self, table, *where):
        with self.office.read() as conn:
            return conn.scalar(select(func.count()).select_from(table).where(*where))


@pytest.fixture
def granted(district):
    return Granted(district)


def test_pending_then_active_when_the_month_of_the_first_payment_begins(granted):
    assert granted.row()["status"] == "pending_first_payment"
    granted.d.at("2018-12-31T23:59")
    assert granted.row()["status"] == "pending_first_payment"
    granted.d.at("2019-01-01T00:01")
    assert granted.row()["status"] == "active"
    assert granted.payable("2018-12", "2019-01", "2030-01") == [0, 66_000, 66_000]
    assert differences(granted.office) == []


def test_a_stop_before_the_first_payment_pays_nothing_and_closes(granted):
    granted.decide(kind="stop", reason_code="voluntary", from_month="2019-01", exit_class="voluntary")
    assert granted.payable("2019-01", "2019-02") == [0, 0]
    granted.d.at("2019-01-01T00:01")
    assert granted.row()["status"] == "closed"
    assert granted.count(benefit_person, benefit_person.c.active) == 0
    with pytest.raises(Conflict):
        granted.decide(kind="increase", reason_code="income_changed", from_month="2019-02", amount_fen=1)
    assert differences(granted.office) == []


def test_a_stop_counts_from_the_next_month_and_closes_then(granted):
    granted.d.at("2019-03-10T09:00")
    granted.decide(kind="stop", reason_code="income_over", from_month="2019-04", exit_class="cleared")
    assert (granted.row()["status"], granted.payable("2019-03", "2019-04")) == ("stopped", [66_000, 0])
    granted.d.at("2019-03-31T23:59")
    assert granted.row()["status"] == "stopped"
    granted.d.at("2019-04-01T00:01")
    assert granted.row()["status"] == "closed"


def test_who_still_owes_money_is_not_closed_until_it_is_settled(granted):
    granted.d.at("2019-03-10T09:00")
    granted.decide(kind="stop", reason_code="fraud", from_month="2019-04", exit_class="cleared")
    with granted.office.act(granted.d.people["app"]) as act:
        [put] = benefits.settle(act, granted.id, None, "fraud", {"2019-02": 66_000, "2019-03": 66_000})
        benefits.agree(act, put.id, 50_000, "2019-04")
    for moment in ("2019-04-01T00:01", "2019-05-01T00:01", "2019-06-01T00:01"):
        granted.d.at(moment)
        assert granted.row()["status"] == "stopped"
    with granted.office.read() as conn:
        [found] = benefit_lists.settlements(conn, granted.office.keys.on(conn), granted.id, granted.office.today())
    assert (found["amount_fen"], found["plan"][-1], found["rest_fen"]) == (132_000, {"month": "2019-06", "fen": 32_000}, 0)
    assert (found["plan_over"], found["status"]) == (True, "agreed"), "that a month is over does not show that money came"
    granted.clear("fin", put.id, cleared_on="2019-06-01", note="凭证 17 号")
    assert granted.row()["status"] == "closed"
    with granted.office.read() as conn:
        [found] = benefit_lists.settlements(conn, granted.office.keys.on(conn), granted.id, granted.office.today())
    assert {k: found[k] for k in ("status", "plan_over", "cleared_on", "cleared_by", "said")} == {
        "status": "settled", "plan_over": False, "cleared_on": "2019-06-01", "cleared_by": "fin", "said": "凭证 17 号"}
    granted.d.at("2019-07-02T00:01")
    assert granted.row()["status"] == "closed"
    assert differences(granted.office) == []


def test_before_its_last_month_is_over_it_is_not_closed_and_each_settlement_counts(granted):
    granted.d.at("2019-03-10T09:00")
    granted.decide(kind="stop", reason_code="fraud", from_month="2019-04", exit_class="cleared")
    with granted.office.act(granted.d.people["app"]) as act:
        [back] = benefits.settle(act, granted.id, None, "fraud", {"2019-03": 66_000})
        [later] = benefits.settle(act, granted.id, None, "income_changed", {"2019-02": -10_000})
    granted.clear("fin", back.id, cleared_on="2019-03-10")
    granted.d.at("2019-04-01T00:01")
    assert granted.row()["status"] == "stopped", "the arrears are not paid out yet"
    granted.clear("fin", later.id, cleared_on="2019-04-01")
    assert granted.row()["status"] == "closed"
    assert differences(granted.office) == []


def waived_letters(granted) -> list[str]:
    with granted.office.read() as conn:
        ids = conn.scalars(select(letter.c.id).where(letter.c.kind == "waiver").order_by(letter.c.id)).all()
        return [paperwork.issued_bytes(conn, granted.office.keys.on(conn), one)[1].decode() for one in ids]


def test_an_approver_waives_a_recovery_and_nobody_waives_what_is_owed_to_the_household(granted):
    granted.d.at("2019-03-10T09:00")
    granted.decide(kind="stop", reason_code="income_over", from_month="2019-04", exit_class="cleared")
    with granted.office.act(granted.d.people["app"]) as act:
        [back] = benefits.settle(act, granted.id, None, "fraud", {"2019-03": 66_000})
        [later] = benefits.settle(act, granted.id, None, "income_changed", {"2019-02": -10_000})
    granted.finance()
    before = everything(granted.office)
    for who, settlement, waive, said, name in (("clerk", back.id, True, {"reason": "x"}, "role"), ("fin", back.id, True, {"reason": "x"}, "role"), ("app", back.id, False, {"cleared_on": "2019-03-10"}, "role"),
                                               ("app", later.id, True, {"reason": "x"}, "waive-arrears")):  # fmt: skip
        with pytest.raises(Refused) as refused:
            granted.clear(who, settlement, waive=waive, **said)
        assert refused.value.rule == name
    assert waived_letters(granted) == [], "what was refused has told nobody anything"
    for said in ({"cleared_on": "2019-02-28"}, {"cleared_on": "2019-03-11"}, {}):
        with pytest.raises(Invalid) as invalid:
            granted.clear("fin", back.id, **said)
        assert set(invalid.value.fields) == {"cleared_on"}
    with pytest.raises(NotFound):
        granted.clear("fin", granted.id, cleared_on="2019-03-10")
    assert everything(granted.office) == before
    granted.clear("app", back.id, waive=True, reason="家庭无力退还")
    [text] = waived_letters(granted)
    assert "2019年3月多领取的救助金660.00元（大写：陆佰陆拾元整），经区民政局审核，决定免予退还。" in text
    assert "理由：家庭无力退还。" in text
    assert "停止执行" not in text, "there was no plan"
    with pytest.raises(Conflict):
        granted.clear("fin", back.id, cleared_on="2019-03-10")
    with pytest.raises(Conflict), granted.office.act() as act:
        benefits.agree(act, back.id, 1, "2019-04")
    granted.clear("fin", later.id, cleared_on="2019-03-10")
    assert granted.row()["status"] == "stopped", "its month has not begun"
    granted.d.at("2019-04-01T00:01")
    assert granted.row()["status"] == "closed"
    assert differences(granted.office) == []


def test_past_months_stay_as_they_were(granted):
    granted.d.at("2019-03-10T09:00")
    before = granted.payable("2019-01", "2019-02")
    with pytest.raises(Refused, match="已经过去"):
        granted.decide(kind="decrease", reason_code="income_changed", from_month="2019-02", amount_fen=100)
    granted.decide(kind="decrease", reason_code="income_changed", from_month="2019-04", amount_fen=100)
    with pytest.raises(Refused, match="不能早于"):
        granted.decide(kind="increase", reason_code="income_changed", from_month="2019-03", amount_fen=200)
    assert granted.payable("2019-01", "2019-02", "2019-03", "2019-04") == [*before, 66_000, 100]


def test_suspension_and_resumption_by_two_persons_with_letters(granted):
    granted.d.at("2019-02-11T09:00")
    granted.propose("rita", "suspend", reason_code="unreachable", reason="三次上门无人，电话停机")
    assert granted.payable("2019-03") == [66_000], "what is only proposed changes nothing"
    granted.confirm("app")
    assert (granted.row()["status"], granted.payable("2019-02", "2019-03")) == ("suspended", [66_000, 0])
    granted.d.at("2019-04-15T09:00")
    granted.propose("clerk", "resume", reason_code="verified", reason="已回家，情况没有变化", pay_suspended=True)
    granted.confirm("app", "resume")
    assert (granted.row()["status"], granted.payable("2019-03", "2019-04", "2019-05")) == ("active", [0, 0, 66_000])
    with granted.office.read() as conn:
        [owed] = benefits.of_settlements(conn, granted.id)
        assert (owed["kind"], owed["amount_fen"], owed["from_month"], owed["to_month"]) == ("arrears", 132_000, "2019-03", "2019-04")
        keys = granted.office.keys.on(conn)
        life = benefit_lists.life(conn, keys, granted.id)
        assert [(one["kind"], one["said"]) for one in life] == [("grant", None), ("suspend", "三次上门无人，电话停机"), ("resume", "已回家，情况没有变化")]
        texts = [paperwork.issued_bytes(conn, keys, one["letter"]["id"])[1].decode() for one in life]
    assert "2019年3月起暂停发放您家庭的最低生活保障金" in texts[1]
    assert "三次上门无人，电话停机" in texts[1]
    assert "2019年5月起恢复发放" in texts[2]
    assert "1320.00元" in texts[2]
    assert all("行政复议" in text and "行政诉讼" in text for text in texts[1:])
    assert all(benefits.number(granted.id) in text for text in texts[1:])
    assert differences(granted.office) == []


def test_a_suspension_not_paid_later_says_so(granted):
    granted.d.at("2019-02-11T09:00")
    granted.suspend()
    granted.d.at("2019-04-15T09:00")
    granted.propose("clerk", "resume", reason_code="account_mended", reason="换卡", pay_suspended=False)
    granted.confirm("app", "resume")
    with granted.office.read() as conn:
        assert benefits.of_settlements(conn, granted.id) == []
        letter = benefit_lists.life(conn, granted.office.keys.on(conn), granted.id)[-1]["letter"]
        assert "不予补发" in paperwork.issued_bytes(conn, granted.office.keys.on(conn), letter["id"])[1].decode()


def test_a_suspended_benefit_is_stopped(granted):
    granted.d.at("2019-02-11T09:00")
    granted.suspend()
    granted.decide(kind="stop", reason_code="no_cooperation", from_month="2019-03", exit_class="cleared")
    granted.d.at("2019-03-01T00:01")
    assert granted.row()["status"] == "closed"


def everything(office):
    with office.read() as conn:
        return {name: sorted(str(tuple(row)) for row in conn.execute(select(table))) for name, table in store.metadata.tables.items()}


@pytest.mark.parametrize(("who", "error"), [("ann", "role"), ("app", "role"), ("sue", "role"), ("stranger", NotFound), ("auditor", "role")])
def test_who_may_not_propose(granted, who, error):
    granted.d.at("2019-02-11T09:00")
    before = everything(granted.office)
    with pytest.raises(Refused if isinstance(error, str) else error) as refused:
        granted.propose(who, "suspend", reason_code="unreachable", reason="x")
    assert not isinstance(error, str) or refused.value.rule == error
    assert everything(granted.office) == before


def test_the_same_person_does_not_confirm_and_nothing_changes(granted):
    with granted.office.act() as act:
        organisation.add_staff(act, "both", "两岗", "binhai-2018", [("reviewer", COMMUNITY[:9]), ("approver", "120116")])
    with granted.office.read() as conn:
        granted.d.people["both"] = organisation.find_actor(conn, "both")
    granted.d.at("2019-02-11T09:00")
    granted.propose("both", "suspend", reason_code="unreachable", reason="x")
    before = everything(granted.office)
    with pytest.raises(Refused) as refused:
        granted.confirm("both")
    assert refused.value.rule == "four-eyes"
    assert everything(granted.office) == before
    granted.confirm("app")
    assert granted.row()["status"] == "suspended"


def test_one_proposal_at_a_time_and_none_twice(granted):
    granted.d.at("2019-02-11T09:00")
    with pytest.raises(Conflict):
        granted.confirm("app")
    granted.propose("rita", "suspend", reason_code="unreachable", reason="x")
    with pytest.raises(Conflict, match="待确认"):
        granted.propose("clerk", "suspend", reason_code="unreachable", reason="y")
    with pytest.raises(Refused):
        granted.act("clerk", benefit_acts.refuse, benefit_acts.Settling, opinion="不是我提的")
    granted.act("rita", benefit_acts.refuse, benefit_acts.Settling, opinion="已联系上")
    with pytest.raises(Conflict):
        granted.confirm("app")
    assert granted.row()["status"] == "active"
    with pytest.raises(Conflict):
        granted.propose("rita", "resume", reason_code="verified", reason="x", pay_suspended=False)
    assert granted.count(benefit_proposal) == 1
    assert differences(granted.office) == []


def test_another_class_moves_the_next_review_and_nothing_else(granted):
    granted.d.at("2019-01-05T09:00")
    before = granted.row()
    wanted = "A" if before["review_class"] != "A" else "B"
    granted.act("rita", benefit_acts.change_class, benefit_acts.ReviewClass, review_class=wanted, reason="户主患重病")
    after = granted.row()
    assert after["next_review_on"] == {"A": "2019-12-20", "B": "2019-06-20"}[wanted]
    assert {k: after[k] for k in ("amount_fen", "status", "members", "category", "last_review_on")} == {k: before[k] for k in ("amount_fen", "status", "members", "category", "last_review_on")}
    with granted.office.read() as conn:
        last = benefit_lists.life(conn, granted.office.keys.on(conn), granted.id)[-1]
        due = conn.scalar(select(func.count()).select_from(store.job).where(store.job.c.kind == "review_due", store.job.c.key == after["next_review_on"]))
    assert (last["kind"], last["reason_code"], last["said"], last["before_fen"], last["after_fen"]) == ("keep", "class_changed", "户主患重病", 66_000, 66_000)
    assert due == 1
    with pytest.raises(Invalid):
        granted.act("rita", benefit_acts.change_class, benefit_acts.ReviewClass, review_class=wanted, reason="再来一次")
    with pytest.raises(Refused):
        granted.act("clerk", benefit_acts.change_class, benefit_acts.ReviewClass, review_class="C", reason="窗口")
    assert differences(granted.office) == []


def test_a_day_that_comes_back_when_its_job_is_done_gets_another_job(granted):
    """The class was moved away before the day and back on it: the job of the morning had found nothing to do."""
    day = granted.row()["next_review_on"]
    first, other = granted.row()["review_class"], "A"
    assert first != other
    granted.d.at("2019-01-05T09:00")
    granted.act("rita", benefit_acts.change_class, benefit_acts.ReviewClass, review_class=other, reason="患重病")
    assert granted.row()["next_review_on"] > day
    granted.d.at(f"{day}T09:00")
    with granted.office.read() as conn:
        assert conclusions.open_case(conn, granted.household) is None
    granted.act("rita", benefit_acts.change_class, benefit_acts.ReviewClass, review_class=first, reason="登记有误")
    assert granted.row()["next_review_on"] == day
    granted.d.bureau.jobs.run_all()
    with granted.office.read() as conn:
        keys = conn.scalars(select(store.job.c.key).where(store.job.c.kind == "review_due", store.job.c.key.startswith(day)).order_by(store.job.c.id)).all()
        assert keys == [day, f"{day}.2"]
        assert conclusions.open_case(conn, granted.household) is not None
    assert differences(granted.office) == []


def test_a_day_is_planned_once_as_long_as_its_job_waits(granted):
    for _ in range(3):
        with granted.office.act() as act:
            benefits.plan(act, granted.id >> 16, "review_due", date(2030, 1, 1))
    assert granted.count(store.job, store.job.c.key.startswith("2030-01-01")) == 1


def test_reasons_are_personal_and_stay_out_of_the_entries(granted):
    granted.d.at("2019-02-11T09:00")
    granted.propose("rita", "suspend", reason_code="unreachable", reason="邻居说去外地打工")
    granted.confirm("app")
    with granted.office.read() as conn:
        bodies = [e.body.decode() for e in history(conn, granted.office.keys.on(conn), granted.id >> 16)]
    assert not any("外地打工" in body or "同意" in body for body in bodies)


def test_benefits_from_before_get_their_dates_once(granted):
    """What an upgrade does for benefits that were granted when reviews had no dates."""
    with granted.office.act() as act:  # as an earlier version wrote it: its columns did not exist
        record = act.new("benefit", COMMUNITY[:9])
        values = {"household_id": granted.household, "category": "dibao", "amount_fen": 10_000, "status": "pending_first_payment", "first_payment_month": "2019-01", "members": 1,
                  "granted_on": "2018-12-10", "law_version": "TJ-STD-2018"}  # fmt: skip
        from engine.model import Put

        old = record.next_id()
        act.append(record, "benefit_granted", puts=[Put("benefit", old, values)])
    assert benefits.date_all(granted.office) == 1
    with granted.office.read() as conn:
        found = benefits.row(conn, old)
        assert found["next_review_on"] == benefits.next_review(date(2018, 12, 10), found["review_class"], "dibao", "urban").isoformat()
    assert benefits.date_all(granted.office) == 0
    granted.d.at("2019-01-01T00:01")
    with granted.office.read() as conn:
        assert benefits.row(conn, old)["status"] == "active"
        assert [e.event for e in history(conn, granted.office.keys.on(conn), old >> 16)] == ["benefit_granted", "benefit_dated", "benefit_active"]
    assert differences(granted.office) == []


# -- all ways through a life


MOVES = {
    None: {"pending_first_payment", "active"}, "pending_first_payment": {"pending_first_payment", "active", "stopped"}, "active": {"active", "suspended", "stopped"},
    "suspended": {"suspended", "active", "stopped"}, "stopped": {"stopped", "closed"}, "closed": {"closed"}}  # fmt: skip


class Lives(RuleBasedStateMachine):
    """Any decisions on three benefits in any order while months go by: past months stay, the chain holds, the status moves as it may."""

    @initialize()
    def begin(self):
        from processes import bureau as bureaus
        from web.settings import Settings

        self.folder = tempfile.TemporaryDirectory()
        place = pathlib.Path(self.folder.name)
        opened = Store(f"sqlite:///{place / 'lives.sqlite'}")
        metadata.create_all(opened.engine)
        opened.close()
        self.clock = Clock("2018-12-20T09:00")
        settings = Settings(database=f"sqlite:///{place / 'lives.sqlite'}", secret_key="s" * 32, data_key=DATA_KEY, files=place / "files", registry="http://127.0.0.1:9")
        self.bureau = bureaus.build(settings, self.clock)
        self.bureau.jobs.real_clock = self.clock
        self.d = District(self.bureau, self.clock)
        self.office, self.paid, self.status = self.d.office, {}, {}
        self.ids = []
        for serial in (1, 2, 3):
            home = self.d.household(210_000, serial=serial)
            values = {"household_id": home, "category": "dibao", "amount_fen": 66_000, "status": "pending_first_payment", "first_payment_month": "2019-01", "members": 3,
                      "granted_on": "2018-12-20", "law_version": "TJ-STD-2018"}  # fmt: skip
            with self.office.act() as act:
                self.ids.append(benefits.begin(act, "benefit_granted", values, {}))

    def teardown(self):
        if hasattr(self, "bureau"):
            assert differences(self.office) == []
            self.office.store.close()
            self.folder.cleanup()

    @rule(which=st.integers(0, 2), kind=st.sampled_from(["keep", "increase", "decrease", "stop", "suspend", "resume", "convert"]), amount=st.integers(0, 300_000),
          shift=st.integers(-2, 2), review=st.booleans())  # fmt: skip
    def decide(self, which, kind, amount, shift, review):
        today = self.office.today()
        month = f"{benefits.add_months(today.replace(day=1), shift):%Y-%m}"
        reviewed = today.isoformat() if review else None
        change = Change(kind, "income_changed", month, amount_fen=amount if kind in ("increase", "decrease", "convert") else None,
                        category="low_income" if kind == "convert" else None, reviewed_on=reviewed)  # fmt: skip
        try:
            with self.office.act(self.d.people["app"]) as act:
                benefits.decide(act, self.ids[which], change)
        except (Refused, Conflict):
            return
        self.bureau.jobs.run_all()  # one that stops with this month is closed as soon as the worker looks

    @rule(which=st.integers(0, 2))
    def second_benefit(self, which):
        """The persons of a live benefit never get another one."""
        with self.office.read() as conn:
            found = benefits.row(conn, self.ids[which])
        if found["status"] not in benefits.LIVE:
            return
        values = {"household_id": found["household_id"], "category": "dibao", "amount_fen": 1, "status": "active", "first_payment_month": "2019-01", "members": 3}
        with pytest.raises(Conflict), self.office.act() as act:
            benefits.begin(act, "benefit_granted", values, {})

    @rule(days=st.integers(1, 40))
    def time_passes(self, days):
        self.clock.now += timedelta(days=days)
        self.bureau.jobs.run_all()

    @invariant()
    def past_months_stay(self):
        month = f"{self.office.today():%Y-%m}"
        with self.office.read() as conn:
            for one in self.ids:
                for past in benefits.months("2018-12", month)[:-1]:
                    fen = benefits.payable(conn, one, past)
                    assert self.paid.setdefault((one, past), fen) == fen

    @invariant()
    def the_chain_holds(self):
        with self.office.read() as conn:
            for one in self.ids:
                chain = benefits.history_of(conn, one)
                for before, after in zip(chain, chain[1:], strict=False):
                    assert [before[f"after_{n}"] for n in ("fen", "category", "members")] == [after[f"before_{n}"] for n in ("fen", "category", "members")]
                    assert after["before_status"] in (before["after_status"], "active"), "between them only the first payment"
                    assert before["from_month"] <= after["from_month"]

    @invariant()
    def the_status_moves_as_it_may(self):
        with self.office.read() as conn:
            for one in self.ids:
                found = benefits.row(conn, one)
                month = f"{self.office.today():%Y-%m}"
                if found["status"] == "closed" and self.status.get(one) not in ("stopped", "closed"):
                    assert found["stopped_from"] <= month, "only what stops with this month is stopped and closed in one step"
                else:
                    assert found["status"] in MOVES[self.status.get(one)]
                self.status[one] = found["status"]
                if found["status"] == "pending_first_payment":
                    assert month < found["first_payment_month"]
                if found["status"] == "stopped":
                    assert month < found["stopped_from"]

    @invariant()
    def one_live_benefit_a_person(self):
        query = select(benefit_person.c.person_id).where(benefit_person.c.active)
        with self.office.read() as conn:
            people = conn.scalars(query).all()
        assert len(people) == len(set(people))


TestLives = Lives.TestCase
TestLives.settings = hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # shrinking takes minutes
