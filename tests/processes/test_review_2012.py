"""Periodic re-review as the roles do it: what falls due, what is concluded, what becomes of the benefit, to the day and the fen."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections import Counter
from datetime import date, timedelta

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from engine import store
from engine.bpmn import Run
from engine.errors import Conflict, Invalid, NotWaiting, Refused
from engine.forms import understand
from engine.office import history, seals_hold
from processes import benefit_acts, benefits, conclusions, households, identity, paperwork, reviews
from processes import import_annex1 as annex1
from processes.benefit_tables import benefit_adjustment, report_duty, settlement, special_case_request
from processes.case_tables import letter, notice
from processes.rebuild import differences
from processes.tables import benefit, benefit_person
from tests.district import COMMUNITY, STREET, paper
from tests.engine import reviewing
from web.importing import bring_in


class Reviewed:
    """A household in benefit, and the road of its review."""

    def __init__(self, district) -> None:
        self.d = district

    def granted(self, *wages: int, begun: str = "2018-10-22T09:00", pension: int = 0, **kind) -> int:
        """Through the whole application: decided 18 days after it was begun. `pension`: of the first member, instead of wages.
        Returns the household."""
        return self.d.road("a review's benefit", (wages, begun, pension, kind), lambda: self._granted(wages, begun, pension, kind))

    def _granted(self, wages, begun, pension, kind) -> int:
        d = self.d
        d.clock.set(begun)
        home = d.household(*(() if pension else wages or (210_000,)), **kind)
        if pension:
            earns(self, home, pension, member=0, kind="transfer_income")
        d.apply(home)
        d.accept()
        d.check()
        d.survey()
        d.review()
        d.street()
        d.post()
        self.later(9)
        d.submit()
        d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
        d.post("post_district_notice")
        self.later(9)
        d.do("vera", "remove_district_notice", removed_on=self.day, objections="none")
        if "late_spot_check_visit" in d.tasks():  # drawn at the month's end
            d.do("spot", "late_spot_check_visit", visited_on=self.day, second_visitor="乙", findings="一致", late_agrees=True)
        d.do("app", "decide", decision="granted", opinion="批准")
        d.do("clerk", "deliver_approval", delivered_on=self.day, method="direct", recipient="张一")
        return home

    def listed(self, category: str, amount: int, *, review_class: str = "A", n: int = 1) -> int:
        """A household that was in benefit before this system came, from a list."""
        number = identity.invent(date(1950, 1, 1), "male", 700)
        book = Workbook()
        book.active.append(list(annex1.HEADINGS))
        book.active.append([1, "何甲", number, n, "塘沽街道", "紫云园社区", 0, "无", category, amount, "因病", "属实", ""])
        home = brought_in(self.d, book, review_class=review_class)[0]
        self.d.scan = paper(self.d, "clerk", home)
        with self.d.office.act(self.d.people["clerk"]) as act:
            self.d.sign(act, home)
        return home

    @property
    def day(self) -> str:
        return self.d.office.today().isoformat()

    def later(self, days: int) -> None:
        self.d.clock.advance(days=days)
        self.d.bureau.jobs.run_all()

    def benefit(self, home: int):
        with self.d.office.read() as conn:
            return conn.execute(select(benefit).where(benefit.c.household_id == home).order_by(benefit.c.id.desc())).mappings().first()

    def opened(self, home: int, at: str | None = None) -> str:
        """The number of the review that is under way, after the clock came to `at`."""
        if at:
            self.d.at(at)
        with self.d.office.read() as conn:
            where = (store.record.c.subject == f"household:{home}", store.record.c.closed_at.is_(None), store.record.c.kind == "case")
            [row] = conn.execute(select(store.record).where(*where)).mappings()
        assert row["process"] == "review-2012"
        self.d.no = row["no"]
        return self.d.no

    def due(self, home: int) -> str:
        """The review of a household that was granted 2018-11-09, in class C."""
        return self.opened(home, "2018-12-10T09:00")

    def contact(self, node: str = "contact_household", outcome: str = "contacted", **more):
        note = {} if outcome == "contacted" else {"note": "门上留条"}
        return self.d.do("officer", node, contacted_on=self.day, method="visit", contact_outcome=outcome, asked_for=["income_proof"], **note, **more)

    def survey(self, agree: str = "agree") -> None:
        d = self.d
        d.do("ann", "home_survey", surveyed_on=self.day, second_investigator="bob", met_person="张一", housing="一居室", living="简朴", findings="属实",
             surveyed_signature=d.scan)  # fmt: skip
        d.do("bob", "survey_cosign", agree=agree, **({"statement": "所见不符"} if agree == "disagree" else {}))

    def to_opinion(self, **found) -> None:
        self.contact()
        self.d.check(**found)
        self.survey()

    def opinion(self, conclusion: str, reason: str | None = None, **more):
        said = {"reason_code": reason, "clause": "民发〔2012〕220号第三十二条"} if reason else {}
        return self.d.do("rita", "street_opinion", conclusion=conclusion, opinion="复审意见", **said, **more)

    def conclude(self, conclusion: str, reason: str | None = None, **more):
        """From the opinion to the delivered letter."""
        self.opinion(conclusion, reason, **more)
        self.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
        if conclusion != "keep":
            self.d.do("app", "decide", decision="approved", opinion="同意")
        return self.d.do("clerk", "deliver_conclusion", delivered_on=self.day, method="direct", recipient="张一")

    def letter(self, kind: str) -> str:
        d = self.d
        with d.office.read() as conn:
            number = conn.scalar(select(letter.c.id).where(letter.c.case_no == d.no, letter.c.kind == kind).order_by(letter.c.id.desc()))
            return paperwork.issued_bytes(conn, d.office.keys.on(conn), number)[1].decode()

    def rows(self, table, **where):
        with self.d.office.read() as conn:
            query = select(table).where(*(table.c[name] == value for name, value in where.items())).order_by(table.c.id)
            return conn.execute(query).mappings().all()

    def proven(self) -> None:
        """Seals hold, replay gives the same, rows follow from the records: of all cases."""
        d = self.d
        with d.office.read() as conn:
            for row in conn.execute(select(store.record).where(store.record.c.kind == "case")).mappings().all():
                entries = history(conn, d.office.keys.on(conn), row["id"])
                assert seals_hold(entries) is None
                assert entries[-1].leaf == row["head"]
                last = list(d.cases.replaying(conn, entries))[-1][1]
                assert last.facts == Run.load(d.cases.drawing(conn, row["drawing"]), row["state"], d.clock()).facts
        assert differences(d.office) == []


def brought_in(district, book, *, review_class: str) -> list[int]:
    """Households of a list, by the importer. Their benefits are paid already."""
    out = io.BytesIO()
    book.save(out)
    answers = {"hukou_kind": "urban", "review_class": review_class, "first_payment_month": "2018-01"}
    with district.office.read() as conn:
        seen = annex1.preview(io.BytesIO(out.getvalue()), conn, district.office.keys.on(conn), district.people["sue"], answers, district.office.today())
    done = bring_in(district.bureau, seen)
    assert not done.errors, done.errors
    return list(done.homes.values())


@pytest.fixture
def review(district):
    return Reviewed(district)


def told(review, home: int, member: int = 0, key: str = "") -> dict:
    """At the window, of this member; or the member alone, by another name."""
    with review.d.office.read() as conn:
        found = households.members_of(conn, home)[member]["person_id"]
    return {key: found} if key else {"channel": "window", "person_id": found}


def earns(review, home: int, fen: int, member: int = 1, kind: str = "wage_income") -> None:
    """The household declares what a member earns now."""
    with review.d.office.act(review.d.people["clerk"]) as act:
        person = households.members_of(act.conn, home)[member]["person_id"]
        households.set_income(act, home, person, [{"kind": kind, "amount_fen": fen, "period": "month"}])


# -- falling due


def test_a_review_opens_by_itself_on_the_day_it_falls_due(review):
    home = review.granted()
    before = review.benefit(home)
    assert (before["review_class"], before["last_review_on"], before["next_review_on"]) == ("C", "2018-11-09", "2018-12-09")
    review.d.at("2018-12-08T23:59")
    with pytest.raises(ValueError, match="expected 1, got 0"):
        review.opened(home)
    no = review.opened(home, "2018-12-09T00:00")
    assert no.startswith("FS-2018-")
    facts = review.d.facts()
    assert (facts["occasion"], facts["due_on"], facts["benefit_fen"], facts["exit_trigger"]) == ("due", "2018-12-09", 66_000, "cleared")
    assert {node: task["due_on"] for node, task in review.d.tasks().items()} == {"contact_household": "2018-12-14"}
    review.d.bureau.jobs.run_all()
    assert review.opened(home) == no
    review.proven()


def test_the_review_waits_for_another_case_of_the_household_to_the_next_working_day(review):
    """Nothing but another open case keeps the household from being opened; it is tried again when offices work."""
    home = review.granted()
    with review.d.office.act() as act:  # some other case of the household: a record is all that is looked at
        other = act.new("case", STREET, subject=f"household:{home}", process="other", no="XX-2018-000001", opened_at=act.now)
    review.d.at("2018-12-09T08:00")  # a Sunday
    with review.d.office.read() as conn:
        job = store.job.c
        assert conn.execute(select(job.key, job.state).where(job.kind == "review_due").order_by(job.id)).all() == [("2018-12-09", "done"), ("2018-12-10", "ready")]
    with review.d.office.act() as act:
        act.open("case", other.id).changes["closed_at"] = act.now
    review.opened(home, "2018-12-10T00:01")
    assert review.d.facts()["due_on"] == "2018-12-09"


def test_nothing_opens_when_the_date_has_moved_or_the_benefit_ended(review):
    home = review.granted()
    with review.d.office.act(review.d.people["officer"]) as act:  # another class: the next date moves
        found = benefits.live(act.conn, home)
        benefits.decide(act, found["id"], benefits.Change("keep", "unchanged", "2018-12", review_class="B"))
    assert review.benefit(home)["next_review_on"] == "2019-05-09"
    review.d.at("2018-12-10T09:00")
    with pytest.raises(ValueError, match="got 0"):
        review.opened(home)
    with review.d.office.act(review.d.people["officer"]) as act:
        benefits.decide(act, found["id"], benefits.Change("stop", "voluntary", "2019-01", exit_class="voluntary"))
    review.d.at("2019-05-10T09:00")
    with pytest.raises(ValueError, match="got 0"):
        review.opened(home)
    with review.d.office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(store.job).where(store.job.c.state == "incident")) == 0


@pytest.mark.parametrize(("last", "review_class", "category", "hukou", "due"), [
    ("2018-12-03", "A", "dibao", "urban", "2019-12-03"), ("2018-12-03", "B", "dibao", "urban", "2019-06-03"),
    ("2018-12-03", "C", "dibao", "urban", "2019-01-03"), ("2018-12-03", "C", "dibao", "rural", "2019-03-03"),
    ("2018-12-03", "C", "destitute_dispersed", "urban", "2019-12-03"), ("2019-01-31", "C", "low_income", "urban", "2019-02-28"),
    ("2020-01-31", "C", "dibao", "urban", "2020-02-29"), ("2018-11-30", "C", "dibao", "rural", "2019-02-28"), ("2018-08-31", "B", "dibao", "rural", "2019-02-28"),
    ("2020-02-29", "A", "dibao", "urban", "2021-02-28"), ("2021-06-30", "C", "dibao", "urban", "2021-07-30"), ("2021-06-30", "B", "dibao", "urban", "2021-12-30"),
    ("2021-07-01", "A", "dibao", "urban", "2022-07-01"), ("2021-07-01", "B", "dibao", "urban", "2022-07-01"), ("2021-07-01", "C", "dibao", "urban", "2022-01-01"),
    ("2021-08-31", "C", "dibao", "rural", "2022-02-28"),
])  # fmt: skip
def test_intervals_by_class_hukou_and_law_to_the_day(last, review_class, category, hukou, due):
    assert benefits.next_review(date.fromisoformat(last), review_class, category, hukou).isoformat() == due


# -- beginning by hand


def test_a_person_begins_early_with_a_reason_and_not_twice(review):
    home = review.granted()
    clerk = review.d.people["clerk"]

    def start(who=clerk, **answers):
        with review.d.office.act(who) as act:
            review.d.no = review.d.cases.start(act, "review-2012", {"household_id": home, **answers})["case"]

    with pytest.raises(Refused) as refused:
        start(occasion="due")
    assert refused.value.rule == "not-due"
    with pytest.raises(Invalid) as invalid:
        start(occasion="early")
    assert set(invalid.value.fields) == {"note"}
    with pytest.raises(Refused) as refused:
        start(review.d.people["stranger"], occasion="campaign")
    assert refused.value.rule == "unit"
    with pytest.raises(Refused) as refused:
        start(review.d.people["rita"], occasion="campaign")
    assert refused.value.rule == "starter"
    start(occasion="early", note="举报线索")
    assert review.d.facts()["due_on"] == "2018-11-09"
    with pytest.raises(Refused) as refused:
        start(occasion="campaign")
    assert refused.value.rule == "open_case"
    review.proven()


def test_a_household_without_benefit_is_not_reviewed(review):
    home = review.d.household(210_000)
    with pytest.raises(Refused) as refused, review.d.office.act(review.d.people["clerk"]) as act:
        review.d.cases.start(act, "review-2012", {"household_id": home, "occasion": "campaign"})
    assert refused.value.rule == "no-benefit"


# -- conclusions


def test_keep_ends_at_the_street_with_a_letter_and_the_next_date(review):
    home = review.granted()
    review.due(home)
    review.to_opinion()
    assert review.d.tasks()["street_opinion"]["due_on"] == "2019-01-07", "20 working days from 2018-12-09"
    told = review.conclude("keep")
    assert told["outcome"] == "ended_kept"
    after = review.benefit(home)
    assert (after["amount_fen"], after["status"], after["last_review_on"], after["next_review_on"]) == (66_000, "active", "2018-12-10", "2019-01-10")
    said = review.rows(benefit_adjustment, case_no=review.d.no)
    assert [(a["kind"], a["before_fen"], a["after_fen"], a["from_month"], a["decided_by"]) for a in said] == [("keep", 66_000, 66_000, "2019-01", "lee")]
    assert all(words in review.letter("review_result") for words in ("660.00元不变", "复核结果通知书"))
    no = review.d.no
    assert review.opened(home, "2019-01-10T00:00") != no
    review.proven()


@pytest.mark.parametrize(("now", "conclusion", "amount"), [(205_000, "increase", 71_000), (240_000, "decrease", 36_000)])
def test_another_income_changes_the_amount_from_the_month_after_the_decision(review, now, conclusion, amount):
    home = review.granted()
    review.due(home)
    review.contact()
    earns(review, home, now, member=0)
    review.d.check()
    review.survey()
    assert review.conclude(conclusion, "income_changed")["outcome"] == "ended_changed"
    after = review.benefit(home)
    assert (after["amount_fen"], after["amount_from"], after["category"]) == (amount, "2019-01", "dibao")
    with review.d.office.read() as conn:
        assert [benefits.payable(conn, after["id"], month) for month in ("2018-11", "2018-12", "2019-01")] == [0, 66_000, amount]
    text = review.letter("adjustment")
    assert all(words in text for words in (f"{amount // 100}.00元", "660.00元", "收入变化", "2019年1月", "60日内"))
    review.proven()


def test_a_conclusion_against_the_figures_is_refused(review):
    home = review.granted()
    review.due(home)
    review.to_opinion()
    for wrong, reason in (("increase", "income_changed"), ("decrease", "income_changed"), ("stop", "income_over"), ("convert", "converted"), ("suspend", "income_over")):
        with pytest.raises(Invalid) as invalid:
            review.opinion(wrong, reason, convert_consent=True)
        assert "conclusion" in invalid.value.fields, wrong
    earns(review, home, 500_000)
    review.opinion("return_survey")
    review.d.check()
    review.survey()
    with pytest.raises(Invalid):
        review.opinion("keep")
    review.opinion("stop", "income_over")


def s14(review, *, hardship: bool) -> int:
    """S14: n=3, the wife began to work on 2018-12-10 for 2,300 net; it is found at the review: per head 1,166.67."""
    home = review.granted(pension=120_000)
    assert review.benefit(home)["amount_fen"] == 156_000
    review.opened(home, "2018-12-12T09:00")
    review.contact()
    with review.d.office.act(review.d.people["clerk"]) as act:
        if hardship:
            households.set_hardships(act, home, {"hardships": ["major_illness"]})
    earns(review, home, 230_000)
    review.d.check("inconsistent")
    review.survey()
    facts = review.d.facts()
    assert (facts["category"], facts["per_capita"]) == ("low_income", "1166.67")
    return home


def test_s14_found_at_a_review_without_hardship_stops_from_january_as_cleared(review):
    home = s14(review, hardship=False)
    with pytest.raises(Invalid):
        review.opinion("convert", "converted", convert_consent=True)
    assert review.conclude("stop", "income_over")["outcome"] == "ended_stopped"
    after = review.benefit(home)
    assert (after["status"], after["stopped_from"], after["exit_class"], after["exit_reason"]) == ("stopped", "2019-01", "cleared", "income_over")
    assert (after["next_review_on"], after["next_report_on"]) == (None, None)
    assert [row["active"] for row in review.rows(benefit_person, benefit_id=after["id"])] == [False, False, False]
    text = review.letter("stop")
    assert all(words in text for words in ("2019年1月起停止发放", "1560.00元", "1166.67元", "920.00元", "60日内"))
    assert "理由：收入超过标准；复审意见。" in text, "the street's reasons, not the words of who approved"
    assert "依据：民发〔2012〕220号第三十二条。" in text, "the clause that the street named"
    assert "同意" not in text
    with review.d.office.read() as conn:
        assert [benefits.payable(conn, after["id"], month) for month in ("2018-12", "2019-01")] == [156_000, 0]
    review.d.at("2019-01-01T00:00")
    assert review.benefit(home)["status"] == "closed"
    review.d.apply(home)  # everybody may apply again
    review.proven()


def test_s14_with_hardship_and_consent_becomes_low_income_of_276(review):
    home = s14(review, hardship=True)
    with pytest.raises(Invalid) as invalid:
        review.opinion("convert", "converted")
    assert "convert_consent" in invalid.value.fields
    assert review.conclude("convert", "converted", convert_consent=True)["outcome"] == "ended_changed"
    after = review.benefit(home)
    assert (after["category"], after["amount_fen"], after["amount_from"], after["status"]) == ("low_income", 27_600, "2019-01", "active")
    assert {row["active"] for row in review.rows(benefit_person, benefit_id=after["id"])} == {True}
    assert all(words in review.letter("adjustment") for words in ("由最低生活保障转为低收入家庭救助", "276.00元"))
    review.proven()


def test_dibao_ends_for_a_household_that_declines_low_income_relief(review):
    home = s14(review, hardship=True)
    review.conclude("stop", "income_over", convert_consent=False)
    assert review.benefit(home)["exit_class"] == "cleared"


def test_s22_a_grown_son_leaves_and_the_household_of_three_is_decided_anew(review):
    home = review.granted(210_000, n=4)
    assert review.benefit(home)["amount_fen"] == 158_000
    review.due(home)
    review.contact()
    with review.d.office.act(review.d.people["clerk"]) as act:
        son = households.members_of(act.conn, home)[3]["person_id"]
        number = identity.invent(date(1978, 3, 1), "male", 10)
        households.end_member(act, home, son, review.day)
    review.d.check()
    review.survey()
    review.conclude("decrease", "member_changed")
    after = review.benefit(home)
    assert (after["amount_fen"], after["members"]) == (66_000, 3)
    assert {row["person_id"]: row["active"] for row in review.rows(benefit_person, benefit_id=after["id"])}[son] is False
    own = [{"name": "张四", "id_no": number, "relation": "head", "labour_ability": "full"},
           {"name": "李五", "id_no": identity.invent(date(1980, 3, 1), "female", 999), "relation": "spouse", "labour_ability": "full"}]  # fmt: skip
    new = review.d.household(members=own)
    review.d.apply(new)
    review.d.accept()
    review.proven()


def test_what_was_paid_too_much_is_written_down_and_paid_back_by_a_plan(review):
    """Hidden wages since October: November is the first month that was paid (decided in October)."""
    home = review.granted(pension=120_000, begun="2018-09-10T09:00")
    assert review.benefit(home)["first_payment_month"] == "2018-10"
    review.opened(home, "2018-12-12T09:00")
    review.contact()
    earns(review, home, 230_000)
    review.d.check("inconsistent")
    review.survey()
    for wrong in ("2019-01", "10/2018", "2018-13", "2018-09", "0001-01", ""):  # without a month nothing would be asked back from who lied (N649 art 68)
        with pytest.raises(Invalid) as invalid:
            review.opinion("stop", "fraud", **({"changed_since": wrong} if wrong else {}))
        assert set(invalid.value.fields) == {"changed_since"}
    told = review.conclude("stop", "fraud", changed_since="2018-11")
    assert "outcome" not in told
    assert list(review.d.tasks()) == ["recovery_plan"]
    [found] = review.rows(settlement, case_no=review.d.no)
    assert (found["kind"], found["from_month"], found["to_month"], found["amount_fen"], found["status"]) == ("recovery", "2018-11", "2018-12", 312_000, "found")
    assert "3120.00元" in review.letter("stop")
    for wrong in ({"instalment": "0"}, {"instalment": "3120.01"}, {"first_month": "2018-11"}):
        with pytest.raises(Invalid):
            review.d.do("officer", "recovery_plan", **{"agreed_on": review.day, "instalment": "500", "first_month": "2019-01", **wrong})
    told = review.d.do("officer", "recovery_plan", agreed_on=review.day, instalment="500", first_month="2019-01", signed_document=review.d.scan)
    assert told["outcome"] == "ended_stopped"
    [agreed] = review.rows(settlement, case_no=review.d.no)
    assert (agreed["instalment_fen"], agreed["first_month"], agreed["status"]) == (50_000, "2019-01", "agreed")
    review.d.at("2019-01-01T00:00")
    assert review.benefit(home)["status"] == "stopped", "not closed while money is to be settled"
    review.proven()


# -- what must come before a conclusion


def test_both_means_check_and_home_visit_come_before_a_conclusion(review):
    home = review.granted()
    review.due(home)
    review.contact()
    assert set(review.d.tasks()) == {"home_survey"}
    review.survey()
    assert review.d.tasks() == {}, "the visit alone leads nowhere"
    review.d.registries()
    assert set(review.d.tasks()) == {"means_check"}
    review.d.do("checker", "means_check", check_conclusion="query_again", report="再核")
    assert review.d.tasks() == {}
    review.d.check()
    assert set(review.d.tasks()) == {"street_opinion"}


def test_a_second_investigator_who_disagrees_sends_the_visit_back(review):
    home = review.granted()
    review.due(home)
    review.contact()
    review.d.check()
    review.survey("disagree")
    assert set(review.d.tasks()) == {"home_survey"}
    review.survey()
    assert set(review.d.tasks()) == {"street_opinion"}
    with pytest.raises(Refused) as refused:
        review.d.do("ann", "street_opinion", conclusion="keep", opinion="x")
    assert refused.value.rule == "role"
    review.proven()


def test_no_check_without_the_authorisation_of_every_adult(review):
    home = review.granted(begun="2018-10-22T09:00")
    review.due(home)
    with review.d.office.act(review.d.people["clerk"]) as act:  # a grown-up came into the household, who has signed nothing
        new = {"name": "张六", "id_no": identity.invent(date(1990, 5, 5), "female", 321), "relation": "other", "labour_ability": "full"}
        households.add_member(act, home, new)
    review.contact()
    assert {node: task["due_on"] for node, task in review.d.tasks().items()} == {"renew_authorisations": "2018-12-17"}
    with pytest.raises(Invalid) as invalid:
        review.d.do("clerk", "renew_authorisations", contacted_on=review.day, contact_outcome="contacted")
    assert "contact_outcome" in invalid.value.fields
    with review.d.office.act(review.d.people["clerk"]) as act:
        review.d.sign(act, home)
    review.d.do("clerk", "renew_authorisations", contacted_on=review.day, contact_outcome="contacted")
    assert set(review.d.tasks()) == {"home_survey"}
    review.proven()


def test_no_cooperation_takes_two_dated_attempts_on_two_days(review):
    home = review.granted()
    review.due(home)
    review.contact(outcome="not_reached")
    assert {node: task["due_on"] for node, task in review.d.tasks().items()} == {"second_contact": "2018-12-17"}
    with pytest.raises(Invalid) as invalid:
        review.contact("second_contact", "refuses")
    assert set(invalid.value.fields) == {"contacted_on"}
    review.d.clock.set("2018-12-13T09:00")
    review.contact("second_contact", "refuses")
    for conclusion, reason in (("keep", None), ("decrease", "income_changed"), ("stop", "income_over"), ("stop", "voluntary"), ("suspend", "no_cooperation"), ("joint_meeting", None)):
        special = {"trigger": "policy_gap", "special_facts": "x", "wish": "y"} if conclusion == "joint_meeting" else {}
        with pytest.raises(Invalid) as invalid:
            review.opinion(conclusion, reason, **special)
        assert "conclusion" in invalid.value.fields
    review.conclude("stop", "no_cooperation")
    after = review.benefit(home)
    assert (after["status"], after["exit_class"], after["stopped_from"]) == ("stopped", "cleared", "2019-01")
    assert "拒不配合复核" in review.letter("stop")
    review.proven()


def test_a_stop_without_figures_needs_its_fact(review):
    """Nobody asked to leave, died, moved or is in prison: a tick does not end a benefit. The household's own word does."""
    home = review.granted()
    review.due(home)
    review.to_opinion()
    for reason in ("voluntary", "imprisoned", "moved_out_district"):
        with pytest.raises(Refused) as no:
            review.opinion("stop", reason)
        assert no.value.rule == "reason-without-fact"
    said = {"change_kind": "other", "changed_on": review.day, "reported_on": review.day, "channel": "window", "details": "要求退出", "wants_exit": True}
    with pytest.raises(Invalid) as invalid:
        review.d.send("clerk", "change_reported", **said, reported_by="others")
    assert set(invalid.value.fields) == {"wants_exit"}
    review.d.send("clerk", "change_reported", **said, reported_by="household")
    review.d.check()
    review.survey()
    review.conclude("stop", "voluntary")
    assert (review.benefit(home)["status"], review.benefit(home)["exit_class"]) == ("stopped", "voluntary")
    review.proven()


@pytest.mark.parametrize(("trigger", "counts_as"), [("voluntary", "cleared"), ("cleared", "cleared"), ("reported", "reported")])
def test_who_lied_never_left_of_his_own_will(trigger, counts_as):
    assert conclusions.exit_class("fraud", trigger) == counts_as
    assert conclusions.exit_class("income_over", trigger) == trigger


def test_a_household_that_lets_nobody_in_is_asked_again(review):
    home = review.granted()
    review.due(home)
    review.contact()
    review.d.registries()
    review.d.send("ann", "not_cooperating", contacted_on="2018-12-10", note="拒绝入户")
    assert set(review.d.tasks()) == {"second_contact"}
    review.d.clock.set("2018-12-11T09:00")
    review.contact("second_contact")
    assert set(review.d.tasks()) == {"home_survey"}
    with pytest.raises(NotWaiting):
        review.d.send("rita", "objection", objection_on="2018-12-11", objector_kind="resident", grounds="x")
    review.d.send("ann", "not_cooperating", contacted_on="2018-12-11", note="拒绝入户")
    with pytest.raises(Invalid) as invalid:
        review.opinion("stop", "death_single")
    assert "reason_code" in invalid.value.fields
    review.opinion("return_survey")
    assert set(review.d.tasks()) == {"home_survey"}
    review.survey()
    review.d.check()
    review.conclude("keep")
    review.proven()


def test_once_is_not_enough_when_the_household_cooperates_later(review):
    home = review.granted()
    review.due(home)
    review.contact(outcome="not_reached")
    review.d.clock.set("2018-12-11T09:00")
    review.contact("second_contact")
    review.d.check()
    review.survey()
    with pytest.raises(Invalid) as invalid:
        review.opinion("stop", "no_cooperation")
    assert "reason_code" in invalid.value.fields


def test_the_death_of_a_sole_recipient_needs_no_visit(review):
    home = review.granted(pension=10_000, n=1)
    review.due(home)
    review.contact(outcome="died", death_document=review.d.scan)
    review.conclude("stop", "death_single")
    after = review.benefit(home)
    assert (after["exit_class"], after["stopped_from"]) == ("other", "2019-01")
    assert "享受待遇人员死亡" in review.letter("stop")
    review.proven()


def test_the_death_of_one_of_several_is_a_change_of_members(review):
    home = review.granted()
    review.due(home)
    with pytest.raises(Invalid) as invalid:
        review.contact(outcome="died")
    assert set(invalid.value.fields) == {"contact_outcome"}


@pytest.mark.parametrize("odd", [{"contacted_on": "2018-12-08"}, {"contacted_on": "2018-12-11"}, {"contact_outcome": "not_reached", "note": ""}])
def test_a_contact_is_dated_and_told(review, odd):
    home = review.granted()
    review.due(home)
    with pytest.raises(Invalid):
        review.d.do("officer", "contact_household", **{"contacted_on": review.day, "method": "phone", "contact_outcome": "contacted", **odd})
    assert set(review.d.tasks()) == {"contact_household"}


# -- returns, separation of duties, meeting, changes


def test_what_the_leader_or_the_district_returns_is_written_anew_and_says_nothing_of_the_old_opinion(review):
    home = review.granted()
    review.due(home)
    review.contact()
    earns(review, home, 240_000, member=0)
    review.d.check()
    review.survey()
    review.opinion("decrease", "income_changed", review_class="A")
    review.d.do("lee", "street_signoff", signoff="return", opinion="再议")
    review.opinion("decrease", "income_changed")
    assert review.d.facts()["review_class"] is None
    with pytest.raises(Refused):
        review.d.do("rita", "street_signoff", signoff="agree", opinion="同意")
    review.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    review.d.do("app", "decide", decision="returned", opinion="请核对")
    assert set(review.d.tasks()) == {"street_opinion"}
    review.conclude("decrease", "income_changed", review_class="B")
    after = review.benefit(home)
    assert (after["review_class"], after["next_review_on"]) == ("B", "2019-06-10")
    review.proven()


def to_meeting(review) -> int:
    home = s14(review, hardship=True)
    review.opinion("joint_meeting", trigger="income_slightly_over", special_facts="肾衰竭，自付多", wish="维持低保")
    assert review.d.tasks() == {}
    [asked] = review.rows(special_case_request, case_no=review.d.no)
    assert (asked["status"], asked["process"], asked["ordinary_category"], asked["ordinary_fen"], asked["due_on"]) == (
        "submitted", "review-2012", "low_income", 27_600, "2018-12-26")  # fmt: skip
    return home


def resolve(review, resolution: str, **more):
    with review.d.office.act() as act:
        said = {"resolution": resolution, "reasons": "集体研究", "meeting_no": "LX-2018-1", "item": 1, "by_vote": True, **more}
        return review.d.cases.receive(act, review.d.no, "resolution", said)


def test_the_meeting_s_resolution_brings_the_review_back_to_the_street(review):
    home = to_meeting(review)
    with pytest.raises(Refused), review.d.office.act(review.d.people["sue"]) as act:
        review.d.cases.receive(act, review.d.no, "resolution", {"resolution": "refuse", "reasons": "x", "meeting_no": "1", "item": 1})
    review.d.clock.set("2018-12-14T10:00")
    resolve(review, "approve_as", approved_category="dibao", approved_amount="500")
    [asked] = review.rows(special_case_request, case_no=review.d.no)
    assert (asked["status"], asked["resolution"], asked["decided_on"]) == ("decided", "approve_as", "2018-12-14")
    review.conclude("decrease", "special_case")
    after = review.benefit(home)
    assert (after["category"], after["amount_fen"], after["amount_from"]) == ("dibao", 50_000, "2019-01")
    review.proven()


@pytest.mark.parametrize(("said", "day"), [
    ({"review_on": "2019-06-14"}, "2019-06-14"), ({"fixed_until": "2019-06"}, "2019-06-01"), ({"review_on": "2019-04-15", "fixed_until": "2019-06"}, "2019-04-15"),
    ({"review_on": "2020-06-14"}, "2019-12-14")])  # fmt: skip
def test_what_the_meeting_resolved_is_looked_at_again_when_it_said_so(review, said, day):
    home = to_meeting(review)
    review.d.clock.set("2018-12-14T10:00")
    resolve(review, "approve_as", approved_category="dibao", approved_amount="500", conditions="按时报告医疗支出", **said)
    review.conclude("decrease", "special_case", review_class="A")
    assert review.benefit(home)["next_review_on"] == day, "not later than the ordinary review of class A, 2019-12-14"
    text = review.letter("adjustment")
    assert "附带条件：按时报告医疗支出。" in text
    assert ("联席会议研究确定，执行至2019年6月" in text) == ("fixed_until" in said)
    assert ("2019年6月14日前再次研究" in text) == (said.get("review_on") == "2019-06-14")
    with review.d.office.act(review.d.people["rita"]) as act:  # another class does not take the day away
        benefit_acts.change_class(act, benefits.live(act.conn, home)["id"], {"review_class": "B", "reason": "情况变化"})
    assert review.benefit(home)["next_review_on"] == min(day, "2019-06-14")
    first = review.d.no
    assert review.opened(home, f"{min(day, '2019-06-14')}T00:01") != first
    review.proven()


def test_an_amount_that_the_meeting_fixed_stays_under_its_resolution_while_it_is_kept(review):
    home = to_meeting(review)
    review.d.clock.set("2018-12-14T10:00")
    resolve(review, "approve_as", approved_category="dibao", approved_amount="500", fixed_until="2019-06")
    review.conclude("decrease", "special_case", review_class="A")
    found = review.benefit(home)
    for month, kind, fen, day in (("2019-04", "keep", None, "2019-06-01"), ("2019-05", "increase", 60_000, "2020-04-10")):
        review.d.clock.set("2019-03-10T10:00" if kind == "keep" else "2019-04-10T10:00")
        with review.d.office.act(review.d.people["app"]) as act:
            change = benefits.Change(kind, "unchanged", month, amount_fen=fen, reviewed_on=act.today.isoformat())
            benefits.decide(act, found["id"], change)
        assert review.benefit(home)["next_review_on"] == day


def test_the_meeting_may_ask_for_another_investigation_or_refuse(review):
    home = to_meeting(review)
    resolve(review, "return_for_investigation")
    assert set(review.d.tasks()) == {"home_survey"}
    review.d.check()
    review.survey()
    review.opinion("joint_meeting", trigger="income_slightly_over", special_facts="肾衰竭", wish="维持低保")
    resolve(review, "refuse")
    review.conclude("convert", "converted", convert_consent=True)
    assert review.benefit(home)["amount_fen"] == 27_600
    review.proven()


def test_a_late_report_during_the_review_begins_the_investigation_anew_and_is_paid_back(review):
    """Job since 2018-09-20, reported in December: October was the first month after it, paid 1,560 a month until the stop."""
    home = review.granted(pension=120_000, begun="2018-08-20T09:00")
    review.opened(home, "2018-12-12T09:00")
    review.to_opinion()
    said = {"change_kind": "job_start", "changed_on": "2018-09-20", "reported_on": "2018-12-12", "reported_by": "household", "details": "妻子在超市上班", **told(review, home, 1)}
    with pytest.raises(Refused) as refused:
        review.d.send("clerk", "change_reported", **{**said, "changed_on": "2018-08-01"})
    assert refused.value.rule == "before-benefit"
    for odd, field in (({"reported_on": "2018-12-01"}, "reported_on"), ({"reported_on": "2018-12-13"}, "reported_on")):
        with pytest.raises(Invalid) as invalid:
            review.d.send("clerk", "change_reported", **{**said, **odd})
        assert field in invalid.value.fields
    with pytest.raises(Refused):
        review.d.send("stranger", "change_reported", **said)
    review.d.send("clerk", "change_reported", **said)
    assert set(review.d.tasks()) == {"home_survey"}, "contacted already: the investigation begins anew"
    facts = review.d.facts()
    assert (facts["reported_late"], facts["overpaid_since"], facts["exit_trigger"], facts["investigated"]) == (True, "2018-10", "voluntary", None)
    earns(review, home, 230_000)
    review.d.check("inconsistent")
    review.survey()
    review.conclude("stop", "income_over")
    [found] = review.rows(settlement, case_no=review.d.no)
    assert (found["from_month"], found["to_month"], found["amount_fen"]) == ("2018-10", "2018-12", 468_000)
    assert review.benefit(home)["exit_class"] == "voluntary"
    review.proven()


def test_a_neighbour_s_report_counts_as_reported_unless_the_check_had_found_it(review):
    home = review.granted(pension=120_000)
    review.opened(home, "2018-12-12T09:00")
    said = {"change_kind": "job_start", "changed_on": "2018-12-10", "reported_on": "2018-12-12", "reported_by": "others", "details": "妻子上班", **told(review, home, 1)}
    review.d.send("officer", "change_reported", **said)
    assert set(review.d.tasks()) == {"contact_household"}
    assert (review.d.facts()["exit_trigger"], review.d.facts()["reported_late"]) == ("reported", False)
    assert review.d.facts().get("overpaid_since") is None
    review.contact()
    earns(review, home, 230_000)
    review.d.check("inconsistent")
    review.d.send("clerk", "change_reported", **{**said, "reported_by": "household"})
    assert review.d.facts()["exit_trigger"] == "reported", "the check had found it"
    review.d.check("inconsistent")
    review.survey()
    review.conclude("stop", "income_over")
    assert review.benefit(home)["exit_class"] == "reported"
    review.proven()


def test_a_change_while_the_meeting_is_awaited_lapses_the_request(review):
    to_meeting(review)
    said = {"change_kind": "job_loss", "changed_on": "2018-12-12", "reported_on": "2018-12-12", "reported_by": "household", "details": "下岗", **told(review, int(review.d.case()["subject"].partition(":")[2]))}
    review.d.send("clerk", "change_reported", **said)
    [asked] = review.rows(special_case_request, case_no=review.d.no)
    assert asked["status"] == "lapsed"
    with pytest.raises(NotWaiting):
        resolve(review, "refuse")
    review.proven()


def test_the_reported_death_of_a_sole_recipient_ends_the_investigation(review):
    home = review.granted(pension=10_000, n=1)
    review.due(home)
    review.contact()
    said = {"change_kind": "death", "changed_on": "2018-12-09", "reported_on": "2018-12-10", "reported_by": "committee", "details": "病故", **told(review, home)}
    review.d.send("vera", "change_reported", **said)
    assert set(review.d.tasks()) == {"street_opinion"}
    assert review.d.facts()["exit_trigger"] == "cleared"
    review.conclude("stop", "death_single")
    assert review.benefit(home)["exit_class"] == "other"
    review.proven()


def test_a_benefit_that_was_adjusted_meanwhile_is_compared_as_it_stands_now(review):
    """The yearly adjustment of the standard comes between: the review measures against the new amount."""
    home = review.granted()
    review.due(home)
    review.contact(outcome="not_reached")
    with review.d.office.act(review.d.people["app"]) as act:
        found = benefits.live(act.conn, home)
        benefits.decide(act, found["id"], benefits.Change("increase", "special_case", "2019-01", batch_no="TB-1", amount_fen=70_000))
    review.d.clock.set("2018-12-11T09:00")
    review.contact("second_contact")
    assert review.d.facts()["benefit_fen"] == 70_000
    review.d.check()
    review.survey()
    with pytest.raises(Invalid):
        review.opinion("keep")
    review.conclude("decrease", "income_changed")
    assert review.benefit(home)["amount_fen"] == 66_000
    review.proven()


# -- the destitute


def destitute(review) -> int:
    review.d.clock.set("2018-10-22T09:00")
    home = review.listed("特困（分散）", 1780)
    with review.d.office.act(review.d.people["officer"]) as act:
        review.d.no = review.d.cases.start(act, "review-2012", {"household_id": home, "occasion": "campaign"})["case"]
    review.to_opinion()
    return home


def test_support_of_the_destitute_ends_after_seven_days_of_notice(review):
    home = destitute(review)
    assert review.benefit(home)["category"] == "destitute_dispersed"
    with pytest.raises(Invalid):
        review.opinion("decrease", "income_changed")
    review.opinion("stop", "income_over")
    review.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    assert set(review.d.tasks()) == {"post_stop_notice"}
    with pytest.raises(Invalid):
        review.d.do("vera", "post_stop_notice", posted_on="2018-10-15", places=["village_board"])
    review.d.do("vera", "post_stop_notice", posted_on="2018-10-22", places=["village_board"])
    review.d.at("2018-10-29T23:59")
    assert review.d.tasks() == {}
    review.d.at("2018-10-30T00:00")
    assert set(review.d.tasks()) == {"remove_stop_notice"}
    with pytest.raises(Invalid):
        review.d.do("vera", "remove_stop_notice", removed_on="2018-10-29", objections="none")
    review.d.do("vera", "remove_stop_notice", removed_on="2018-10-30", objections="none")
    review.d.do("app", "decide", decision="approved", opinion="同意")
    review.d.do("clerk", "deliver_conclusion", delivered_on="2018-10-30", method="direct", recipient="何甲")
    [posted] = review.rows(notice, case_no=review.d.no)
    assert (posted["stage"], posted["category"], posted["amount_fen"], posted["removed_on"]) == ("destitute_stop", "destitute_dispersed", 178_000, "2018-10-30")
    assert review.benefit(home)["stopped_from"] == "2018-11"
    review.proven()


def test_an_objection_to_the_stop_brings_it_back_to_the_street(review):
    home = destitute(review)
    review.opinion("stop", "income_over")
    review.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    review.d.do("vera", "post_stop_notice", posted_on="2018-10-22", places=["village_board"])
    review.d.clock.set("2018-10-24T09:00")
    review.d.send("clerk", "objection", objection_on="2018-10-24", objector_kind="applicant", grounds="没有收入")
    assert set(review.d.tasks()) == {"street_opinion"}
    review.conclude("keep")
    assert review.benefit(home)["status"] == "active"
    assert [row["removed_on"] for row in review.rows(notice, case_no=review.d.no)] == ["2018-10-24"]
    review.d.at("2018-11-05T09:00")
    review.proven()


def test_from_the_destitute_it_is_converted_to_what_the_calculation_gives_without_a_gap(review):
    home = destitute(review)
    assert review.d.facts()["category"] == "dibao"
    review.conclude("convert", "converted", convert_consent=True)
    after = review.benefit(home)
    assert (after["category"], after["amount_fen"], after["status"], after["exit_class"]) == ("dibao", 92_000, "active", None)
    with review.d.office.read() as conn:
        assert [benefits.payable(conn, after["id"], month) for month in ("2018-10", "2018-11")] == [178_000, 92_000]
    review.proven()


def test_what_is_no_category_nothing_is_converted_to(review):
    review.d.clock.set("2018-10-22T09:00")
    home = review.listed("特困（分散）", 1780)
    earns(review, home, 300_000, member=0)
    with review.d.office.act(review.d.people["officer"]) as act:
        review.d.no = review.d.cases.start(act, "review-2012", {"household_id": home, "occasion": "campaign"})["case"]
    review.to_opinion()
    assert review.d.facts()["category"].startswith("refused")
    for said, field in (({"conclusion": "convert", "reason": "converted", "convert_consent": True}, "conclusion"),
                        ({"conclusion": "keep", "refer_destitute": True, **told(review, home, key="destitute_person")}, "refer_destitute")):  # fmt: skip
        with pytest.raises(Invalid) as invalid:
            review.opinion(**said)
        assert set(invalid.value.fields) == {field}


def test_who_may_be_destitute_is_referred_and_the_benefit_goes_on_until_that_is_decided(review):
    """特困 is decided in a procedure of its own: the review converts nobody to it, and says what it does instead."""
    home = review.granted()
    review.due(home)
    review.to_opinion()
    for odd in ({"refer_destitute": True}, {"destitute_person": 1}, {"refer_destitute": False, "destitute_person": 1}):
        with pytest.raises(Invalid) as invalid:
            review.opinion("keep", **odd)
        assert set(invalid.value.fields) == {"destitute_person"}
    with pytest.raises(Refused) as refused:
        review.opinion("keep", refer_destitute=True, destitute_person=home)
    assert refused.value.rule == "not-a-member"
    person = told(review, home, 2, key="destitute_person")
    assert review.conclude("keep", refer_destitute=True, **person)["outcome"] == "ended_kept"
    assert "您家庭的张三可能符合特困人员救助供养条件，街镇将协助提出申请" in review.letter("review_result")
    facts = review.d.facts()
    assert (facts["refer_destitute"], facts["destitute_person"]) == (True, person["destitute_person"])
    assert (review.benefit(home)["status"], review.benefit(home)["amount_fen"]) == ("active", 66_000)
    review.proven()


# -- rounds and lists


def test_a_round_opens_everybody_once_whatever_the_class(review, monkeypatch):
    monkeypatch.setattr(reviews, "BATCH", 2)
    homes = [review.granted(begun="2018-10-22T09:00", review_class="A", serial=10), review.granted(begun="2018-11-12T09:00", review_class="B", serial=20),
             review.granted(begun="2018-12-03T09:00", serial=30)]  # fmt: skip
    for who, unit in (("clerk", STREET), ("stranger", STREET), ("officer", "120116"), ("sue", "120116099"), ("sue", "x")):
        with pytest.raises(Refused), review.d.office.act(review.d.people[who]) as act:
            reviews.begin_round(act, unit)
    with review.d.office.act(review.d.people["sue"], ("k", {"unit": "120116"})) as act:
        told = reviews.begin_round(act, "120116")
    with review.d.office.act(review.d.people["sue"], ("k", {"unit": "120116"})) as act:
        assert reviews.begin_round(act, "120116") == told
    assert told["benefits"] == 3
    review.d.bureau.jobs.run_all()
    for home in homes:
        review.opened(home)
        assert review.d.facts()["occasion"] in ("campaign", "due")
    with review.d.office.read() as conn:
        [shown] = reviews.rounds(conn, "120116")
        listed = reviews.listing(conn, STREET, reviews.Wanted("under_way"), review.d.office.today())
    assert (shown["waiting"], listed.total) == (0, 3)
    with review.d.office.act(review.d.people["officer"]) as act:
        reviews.begin_round(act, COMMUNITY)
    review.d.bureau.jobs.run_all()
    with review.d.office.read() as conn:
        assert reviews.listing(conn, STREET, reviews.Wanted("under_way"), review.d.office.today()).total == 3
    review.proven()


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_round_counts_what_waits_behind_another_case(review):
    """Its job is tried again the next working day; until then the round is not through."""
    home = review.granted()
    review.d.clock.set("2018-12-12T09:00")
    with review.d.office.act(review.d.people["clerk"]) as act:
        no = review.d.cases.start(act, "change-report-2012", {"household_id": home, "kind": "other", "event_on": "2018-12-11", "reported_on": "2018-12-12",
                                                              "channel": "window", "reported_by": "household", "details": "情况变化"})["case"]  # fmt: skip
    with review.d.office.act(review.d.people["officer"]) as act:
        reviews.begin_round(act, COMMUNITY)

    def waiting():
        review.d.bureau.jobs.run_all()
        with review.d.office.read() as conn:
            return reviews.rounds(conn, "120116")[0]["waiting"]

    assert waiting() == 1
    review.d.clock.set("2018-12-13T09:00")
    assert waiting() == 1, "still behind it, and tried again"
    with review.d.office.act(review.d.people["clerk"]) as act:
        review.d.cases.receive(act, no, "withdrawal", {"withdrawn_on": "2018-12-13", "reason": "报错了"})
    review.d.clock.set("2018-12-14T09:00")
    assert waiting() == 0
    review.opened(home)


def test_the_lists_show_who_is_due_overdue_under_way_and_done(review):
    home = review.granted()
    today = review.d.office.today

    def seen(state: str, area: str = STREET, **more):
        with review.d.office.read() as conn:
            return [row["household_id"] for row in reviews.listing(conn, area, reviews.Wanted(state, **more), today()).items]

    assert seen("due") == [home]
    assert seen("due", street=STREET, review_class="C") == [home]
    assert seen("due", review_class="A") == seen("due", street="120116005") == seen("due", "120116005") == []
    review.d.clock.set("2018-12-10T09:00")
    assert (seen("due"), seen("overdue")) == ([], [home])
    review.due(home)
    assert (seen("overdue"), seen("under_way"), seen("done")) == ([], [home], [])
    review.to_opinion()
    review.conclude("keep")
    assert (seen("under_way"), seen("done"), seen("due")) == ([], [home], [])
    with review.d.office.read() as conn:
        assert reviews.counts(conn, STREET, reviews.Wanted(), today()) == {"overdue": 0, "due": 0, "under_way": 0, "done": 1}


# -- many at once: `make test` takes 150 for each database, `make load` sets YINGBAO_TEST_REVIEWS to 50,000

MANY = int(os.environ.get("YINGBAO_TEST_REVIEWS", "150"))
PROVED = 400  # more cases than these are proved by a sample


def many(district, n: int) -> list[int]:
    """n households in benefit, from lists of at most 5,000 lines: their reviews fall due at the same second."""
    homes: list[int] = []
    for first in range(0, n, annex1.MAX_ROWS):
        book = Workbook()
        book.active.append(list(annex1.HEADINGS))
        for k in range(first, min(n, first + annex1.MAX_ROWS)):
            number = identity.invent(date(1938, 1, 1) + timedelta(days=k // 50), "male", k % 50)
            book.active.append([k + 1, "何甲", number, 1, "塘沽街道", "紫云园社区", 0, "无", "低保", 920, "因病", "属实", ""])
        homes += brought_in(district, book, review_class="C")
    return homes


def opened_by_two(district, processes, *, meanwhile) -> float:
    """Two workers, each a process of its own, until no job is due; seconds. `meanwhile`: what a person does."""
    place = (district.bureau.settings.database, str(district.bureau.settings.files), district.clock.now.isoformat())
    workers = [processes.Process(target=reviewing.work, args=place) for _ in range(2)]
    begun = time.monotonic()
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        meanwhile()
        time.sleep(0.02)
    assert [worker.exitcode for worker in workers] == [0, 0]
    return time.monotonic() - begun


def test_reviews_due_in_one_second_are_opened_once_each_by_two_workers_while_a_person_works(district, processes):
    """The person answers tasks of other households all the time: none of his requests fails for good, and each is quick."""
    review, waits = Reviewed(district), []
    begun = time.monotonic()
    homes = many(district, MANY)
    imported = time.monotonic() - begun
    with district.office.act(district.people["officer"]) as act:
        early = [district.cases.start(act, "review-2012", {"household_id": home, "occasion": "campaign"})["case"] for home in homes[:4]]
    due = review.benefit(homes[-1])["next_review_on"]
    assert due == "2019-01-03"
    district.clock.set("2019-01-03T09:00")

    def person() -> None:
        if early:
            district.no = early[-1]
            before = time.monotonic()
            with contextlib.suppress(Conflict):  # the database was busy: a person presses again
                review.contact(outcome="not_reached")
                early.pop()
            waits.append(time.monotonic() - before)

    took = opened_by_two(district, processes, meanwhile=person)
    sys.stdout.write(f"\n{MANY} reviews due at once ({district.office.store.url.get_backend_name()}): imported in {imported:.0f} s, "
                     f"opened by two workers in {took:.1f} s ({MANY / took:.0f} a second), a person waited {max(waits) * 1000:.0f} ms at most\n")  # fmt: skip
    assert not early, "a person could not work"
    with district.office.read() as conn:
        subjects = conn.scalars(select(store.record.c.subject).where(store.record.c.process == "review-2012")).all()
        states = conn.execute(select(store.job.c.kind, store.job.c.state, func.count()).where(
            store.job.c.kind == "review_due").group_by(store.job.c.kind, store.job.c.state)).all()  # fmt: skip
    assert Counter(subjects) == Counter(f"household:{home}" for home in homes), "each once"
    assert states == [("review_due", "done", MANY)]
    if MANY <= PROVED:
        review.proven()


def test_a_review_that_falls_due_while_the_last_letter_is_not_delivered_is_not_lost(review):
    """Found by the state machine: the day came while the concluded review was still open, and its job was gone."""
    home = review.granted()
    review.due(home)
    review.to_opinion()
    review.opinion("keep")
    review.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    letter_case, planned = review.d.no, review.benefit(home)["next_review_on"]
    assert "deliver_conclusion" in review.d.tasks()
    review.d.at(f"{planned}T09:00")
    with review.d.office.read() as conn:
        no = conclusions.open_case(conn, home)
    assert no not in (None, letter_case), "the next one opens, though the letter of the last one is still to be delivered"
    assert review.d.case(no)["process"] == "review-2012"
    review.d.do("clerk", "deliver_conclusion", delivered_on=review.day, method="direct", recipient="张一")
    assert review.opened(home) == no
    review.proven()


def test_a_report_opens_its_case_behind_a_review_that_has_decided(review):
    home = review.granted()
    review.due(home)
    review.to_opinion()
    review.opinion("keep")
    said = {"household_id": home, "kind": "other", "event_on": review.day, "reported_on": review.day, "channel": "window", "reported_by": "household", "details": "x"}

    def report():
        with review.d.office.act(review.d.people["clerk"]) as act:
            return review.d.cases.start(act, "change-report-2012", said)["case"]

    with pytest.raises(Refused) as refused:
        report()
    assert refused.value.rule == "open_case"
    review.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    no = report()
    review.d.do("clerk", "deliver_conclusion", delivered_on=review.day, method="direct", recipient="张一")
    assert review.d.case(no)["closed_at"] is None
    review.proven()


def test_an_opinion_that_was_sent_back_does_not_reach_the_letter(review):
    home = s14(review, hardship=False)
    review.d.do("rita", "street_opinion", conclusion="stop", reason_code="income_over", clause="第一稿条款", opinion="第一稿")
    review.d.do("lee", "street_signoff", signoff="return", opinion="写明收入来源")
    review.d.do("rita", "street_opinion", conclusion="stop", reason_code="income_over", clause="民发〔2012〕220号第四条", opinion="妻子在超市就业，月收入2300元")
    review.d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    review.d.do("app", "decide", decision="approved", opinion="准予停发")
    text = review.letter("stop")
    assert "理由：收入超过标准；妻子在超市就业，月收入2300元。" in text
    assert "依据：民发〔2012〕220号第四条。" in text
    assert not any(words in text for words in ("第一稿", "准予停发", "写明收入来源"))
    assert review.benefit(home)["status"] == "stopped"
    review.proven()


# -- a benefit whose payment is suspended


def suspended(review, home: int) -> None:
    with review.d.office.read() as conn:
        found = benefits.live(conn, home)
    for who, work, form, said in (("rita", benefit_acts.propose, benefit_acts.Suspension, {"reason_code": "unreachable", "reason": "三次上门无人"}),
                                  ("app", benefit_acts.confirm, benefit_acts.Settling, {"opinion": "同意"})):  # fmt: skip
        with review.d.office.act(review.d.people[who]) as act:
            work(act, found["id"], "suspend", understand(form(context={"today": act.today}), said))


def suspended_in_review(review) -> int:
    home = review.granted()
    review.d.at("2018-12-03T09:00")
    suspended(review, home)
    review.due(home)
    review.d.clock.set("2019-02-11T09:00")
    review.contact()
    return home


@pytest.mark.parametrize(("now", "conclusion", "reason", "amount", "letter_"), [
    (210_000, "keep", None, 66_000, "review_result"), (205_000, "increase", "income_changed", 71_000, "adjustment"), (240_000, "decrease", "income_changed", 36_000, "adjustment")])  # fmt: skip
def test_a_review_that_finds_the_household_entitled_ends_the_suspension(review, now, conclusion, reason, amount, letter_):
    home = suspended_in_review(review)
    earns(review, home, now, member=0)
    review.d.check()
    review.survey()
    review.conclude(conclusion, reason)
    after = review.benefit(home)
    assert (after["status"], after["amount_fen"]) == ("active", amount)
    [said] = review.rows(benefit_adjustment, case_no=review.d.no)
    assert (said["before_status"], said["after_status"], said["from_month"]) == ("suspended", "active", "2019-03")
    with review.d.office.read() as conn:
        assert [benefits.payable(conn, after["id"], month) for month in ("2018-12", "2019-01", "2019-02", "2019-03")] == [66_000, 0, 0, amount]
    assert "自2019年3月起恢复发放" in review.letter(letter_)
    review.proven()


@pytest.mark.parametrize(("said", "paid"), [({}, True), ({"pay_suspended": True}, True), ({"pay_suspended": False}, False)])
def test_the_months_of_the_suspension_are_paid_later_or_expressly_not(review, said, paid):
    """January and February were not paid; from March on it goes on. What nobody says is configured (suspended_months_paid)."""
    home = suspended_in_review(review)
    review.d.check()
    review.survey()
    review.conclude("keep", **said)
    facts = review.d.facts()
    assert (facts["pay_suspended"], facts["arrears_fen"], facts["arrears_months"]) == (paid, 132_000 if paid else 0, ["2019-01", "2019-02"] if paid else [])
    found = [(s["kind"], s["amount_fen"], s["from_month"], s["to_month"], json.loads(s["months"])) for s in review.rows(settlement, case_no=review.d.no)]
    assert found == ([("arrears", 132_000, "2019-01", "2019-02", {"2019-01": 66_000, "2019-02": 66_000})] if paid else [])
    assert ("2019年1月、2019年2月暂停期间的救助金共1320.00元" in review.letter("review_result")) is paid
    assert ("暂停期间的救助金不予补发" in review.letter("review_result")) is not paid
    assert review.benefit(home)["status"] == "active"
    review.proven()


def test_whether_they_are_paid_is_asked_of_nobody_whose_benefit_goes_on(review):
    home = review.granted()
    review.due(home)
    review.to_opinion()
    with pytest.raises(Invalid) as invalid:
        review.opinion("keep", pay_suspended=True)
    assert set(invalid.value.fields) == {"pay_suspended"}


def test_what_is_suspended_is_not_suspended_again_and_the_street_is_told_so(review):
    suspended_in_review(review)
    review.d.check()
    review.survey()
    with pytest.raises(Invalid) as invalid:
        review.opinion("suspend", "under_verification")
    assert set(invalid.value.fields) == {"conclusion"}
    review.conclude("keep")
    review.proven()


def test_a_review_suspends_for_the_reasons_of_a_suspension(review):
    home = review.granted()
    review.due(home)
    review.to_opinion()
    for conclusion, reason, field in (("stop", "unreachable", "reason_code"), ("keep", "unreachable", "reason_code"), ("suspend", "income_over", "conclusion")):
        with pytest.raises(Invalid) as invalid:
            review.opinion(conclusion, reason)
        assert field in invalid.value.fields
    assert review.conclude("suspend", "under_verification")["outcome"] == "ended_changed"
    after = review.benefit(home)
    assert after["status"] == "suspended"
    with review.d.office.read() as conn:
        assert [benefits.payable(conn, after["id"], month) for month in ("2018-12", "2019-01")] == [66_000, 0]
    assert "理由：家庭情况有待核实；复审意见。" in review.letter("suspension")
    review.proven()


# -- the duty to report, answered into a review


def in_review_and_owing(review) -> int:
    home = review.granted()
    review.due(home)
    review.d.at("2019-02-11T09:00")
    assert [(row["due_on"], row["answered_on"]) for row in review.rows(report_duty)] == [("2019-02-09", None)]
    return home


def test_the_household_s_report_into_its_review_answers_the_duty_and_gets_a_receipt(review):
    home = in_review_and_owing(review)
    said = {"change_kind": "split", "changed_on": "2019-02-10", "reported_on": "2019-02-11", "reported_by": "household", "details": "儿子分户", "channel": "window"}
    review.d.send("clerk", "change_reported", **said)
    [duty] = review.rows(report_duty)
    assert (duty["answered_on"], duty["case_no"]) == ("2019-02-11", review.d.no)
    assert review.benefit(home)["next_report_on"] == "2019-05-11"
    text = review.letter("report_receipt")
    assert "于2019年2月11日报告的情况已收到：分户（发生日期：2019年2月10日）" in text
    assert "超过了规定的报告期限" not in text
    review.d.at("2019-02-25T09:00")
    assert review.rows(report_duty)[0]["reminded_again_on"] is None
    review.proven()


@pytest.mark.parametrize("reporter", ["others", "committee", "data"])
def test_what_others_report_into_a_review_answers_nothing_and_nobody_is_told_of_it(review, reporter):
    home = in_review_and_owing(review)
    said = {"change_kind": "job_start", "changed_on": "2019-02-10", "reported_on": "2019-02-11", "reported_by": reporter, "details": "x", **told(review, home)}
    review.d.send("clerk", "change_reported", **said)
    assert review.rows(report_duty)[0]["answered_on"] is None
    assert review.rows(letter, kind="report_receipt") == []


def test_what_staff_report_for_the_household_is_its_own_report(review):
    home = in_review_and_owing(review)
    said = {"change_kind": "illness", "changed_on": "2019-02-10", "reported_on": "2019-02-11", "reported_by": "staff", "details": "住院", **told(review, home, 2)}
    review.d.send("officer", "change_reported", **said)
    assert review.rows(report_duty)[0]["answered_on"] == "2019-02-11"
    facts = review.d.facts()
    assert (facts["exit_trigger"], facts["contact_outcome"], facts["channel"], facts["person_id"]) == ("voluntary", "contacted", "window", said["person_id"])
    assert "患病" in review.letter("report_receipt")
    review.proven()


def test_a_report_into_a_review_names_a_member_where_it_is_about_one(review):
    home = in_review_and_owing(review)
    said = {"change_kind": "illness", "changed_on": "2019-02-10", "reported_on": "2019-02-11", "reported_by": "household", "details": "住院", "channel": "window"}
    with pytest.raises(Invalid) as invalid:
        review.d.send("officer", "change_reported", **said)
    assert set(invalid.value.fields) == {"person_id"}
    with pytest.raises(Refused) as refused:
        review.d.send("officer", "change_reported", **said, person_id=home)
    assert refused.value.rule == "not-a-member"
    with pytest.raises(Invalid) as invalid:
        review.d.send("officer", "change_reported", **{k: v for k, v in said.items() if k != "channel"}, person_id=told(review, home)["person_id"])
    assert set(invalid.value.fields) == {"channel"}


def test_a_late_report_into_a_review_is_told_so(review):
    home = review.granted()
    review.due(home)
    review.d.clock.set("2019-02-11T09:00")
    said = {"change_kind": "income_up", "changed_on": "2018-12-11", "reported_on": "2019-02-11", "reported_by": "household", "details": "x", "channel": "phone"}
    review.d.send("clerk", "change_reported", **said)
    assert "超过了规定的报告期限" in review.letter("report_receipt")
    review.proven()
