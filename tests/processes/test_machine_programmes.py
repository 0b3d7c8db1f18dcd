"""Everybody tries everything on 特困, 低收入, 临时救助, 支出型 and 自理能力, by the hands of the state machine (`test_machine`) and with its eyes: usual
answers, seldom ones, whatever a form says it would take, wrong people, repeated requests. After each stretch what must hold is looked
at from outside, and at the end each case is done again from its record. `YINGBAO_TEST_MACHINE_RUNS` over 20: so many runs, new ones.
"""

from __future__ import annotations

import pathlib
import tempfile
from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from processes import spot_check
from processes.bureau import CATALOGUE
from processes.conclusions import AFTERWARDS
from processes.tables import benefit
from tests.processes import machine_worlds as worlds
from tests.processes.machine_answers import Told, from_form, options
from tests.processes.machine_worlds import Player, regular
from tests.processes.test_machine import EVERYBODY, HAND_OVER, RUNS, SEEN, District, Seeds, mostly, rarely, spoiled

PLAYED = ("destitute-2016", "low-income-2016", "temporary-assistance", "illness-expenditure-2018", "self-care")
OLD = {"labour_ability": "none", "relation": "head"}
LOOKED_AT = ("nobody_is_counted_in_two_benefits", "every_open_case_has_something_that_moves_it", "a_closed_case_is_closed", "tasks_belong_to_somebody_who_may_do_them",
             "deadlines_only_move_on", "what_is_due_for_review_is_reviewed_or_will_be", "the_next_report_of_each_household_is_planned",
             "money_of_past_months_keeps_a_benefit_from_being_closed_and_nothing_else_does", "nobody_did_two_things_that_exclude_each_other")  # fmt: skip


def asked(key, home, members, day, scan, **more):
    """The usual answers with which a case begins."""
    said = {"household_id": home, "applied_on": day, "reason": "困难"}
    usual = {
        "destitute-2016": {**said, "programme": "destitute", "supported_person_id": members[0] if members else 0, "applied_by": "self", "support_form": "dispersed"},
        "low-income-2016": {**said, "programme": "low_income", "applied_by": "head"},
        "temporary-assistance": {**said, "persons": 1, "residence_basis": "local_hukou", "kind": "emergency", "cause": "fire", "begun_by": "application", "happened_on": day},
        "illness-expenditure-2018": {**said, "programme": "illness_expenditure", "applied_by": "head", "expenses": [
            {"person_id": members[0] if members else 0, "kind": "medical", "amount_fen": "72000.00", "paid_on": "2018-06-01", "institution": "区医院", "document_id": scan}]},
    }[key]  # fmt: skip
    return {name: value for name, value in (usual | more).items() if value is not None}


def programmes(p: Player) -> None:
    """Cases of the four programmes along their roads, one benefit of 特困 with its self-care being assessed again."""
    p.clock.set("2018-10-15T09:00")
    day, serial = p.office.today().isoformat(), iter(range(800, 900))

    def begun(key, income, **more):
        n = next(serial)
        old = {} if key != "destitute-2016" else {"id_no": worlds.identity.invent(worlds.date(1940, 3, 1), "male", n)}
        home = p.home(n=1, serial=n, last={"income": [{"kind": "transfer_income", "amount_fen": income, "period": "month"}], **old})
        return p.begin(key, "clerk", **asked(key, home, p.members(home), day, p.scans[home], **more))

    supported = begun("destitute-2016", 0)
    p.carry(supported, "post_street_notice")
    p.usually(supported, "post_street_notice")
    p.carry(supported)
    assert p.case(supported)["outcome"] == "ended_granted"
    with p.office.read() as conn:
        own = conn.execute(select(benefit)).mappings().one()
    p.begin("self-care", "clerk", benefit_id=own["id"], reported_on=p.office.today().isoformat(), reported_by="family", details="不能自主吃饭")
    day = p.office.today().isoformat()
    for node in ("completeness_check", "circumstances", "self_care_assessment", "decide", "publish_result"):
        p.carry(begun("destitute-2016", 0), node)
    p.carry(begun("destitute-2016", 120_000), "decide_refusal")
    day = p.office.today().isoformat()
    for node, income in (("hardship_proof", 100_000), ("street_opinion", 100_000), ("issue_certificate", 100_000), ("dibao_consent", 50_000), ("decide_refusal", 200_000)):
        p.carry(begun("low-income-2016", income), node)
    day = p.office.today().isoformat()
    for node in ("emergency_decide", "emergency_pay", "emergency_register", "emergency_signoff"):
        p.carry(begun("temporary-assistance", 100_000), node)
    begun("temporary-assistance", 100_000, residence_basis="none")
    usual = {"kind": "expenditure", "cause": "medical", "happened_on": None}
    for node, income in (("street_opinion", 100_000), ("street_confirmation", 100_000), ("pay_grant", 100_000), ("deliver_refusal", 400_000)):
        p.carry(begun("temporary-assistance", income, requested_amount="2000.00", **usual), node)
    day = p.office.today().isoformat()
    for node, income in (("check_expenses", 250_000), ("street_opinion", 250_000), ("deliver_approval", 250_000), ("decide", 320_000)):
        p.carry(begun("illness-expenditure-2018", income), node)
    for _ in range(3):  # who has not applied yet
        p.home(n=1, serial=next(serial))


class Windows(District):
    """The machine's hands and eyes; what is done next is drawn by the walk."""

    world = "programmes"

    def step(self, data):
        verbs = {"work": self.do_a_task, "start": self.begin_one, "message": self.tell, "again": lambda _: self.repeat_the_last_request(), "time": self.later, "aside": self.other_hands}
        verbs[data.draw(st.sampled_from([*["work"] * 6, *list(verbs)[1:]]), label="next")](data)

    def other_hands(self, data):
        self.hand_over(data, data.draw(st.sampled_from(HAND_OVER), label="hand over"))

    def later(self, data):
        self.jump(data.draw(mostly(timedelta(days=8), timedelta(days=1), timedelta(days=40)), label="how long"))

    def do_a_task(self, data):
        """One case is carried on for some steps, mostly as is usual."""
        task = self.task(data)
        if task is None:
            return
        for _ in range(data.draw(st.integers(1, 5), label="steps")):
            told = self.told(task["case_id"])
            known = options(task["node"], told)
            assert known, f"nobody knows what to write: {task['process']} {task['node']}"
            answers = data.draw(mostly(known[0], *known), label="answers")
            if rarely(data, "from the form"):
                made = data.draw(from_form(CATALOGUE[told.process].form_of(task["node"]), told), label="by the form")
                answers = {**answers, **made} if data.draw(st.booleans(), label="over the usual?") else made
            who = self.fitting(data, task) if rarely(data, "somebody") else regular(task, told.facts)
            if task["assignee"] and task["assignee"] in self.people:
                who = task["assignee"]
            answers = spoiled(data, answers)
            self.complete(task, who, answers, (f"k{next(self.numbers)}", answers), f"{task['id']}-{task['version']}")
            rows = self.look("SELECT t.*, r.process FROM task t JOIN record r ON r.id = t.case_id WHERE t.case_id = ? AND t.state = 'open' ORDER BY t.id", task["case_id"])
            if not rows:
                self.come_in()
                return
            task = rows[0]

    def complete(self, task, who, answers, idem, etag):
        """Whoever has to sign besides does so at once."""
        told = super().complete(task, who, answers, idem, etag)
        for other in (told or {}).get("waits_for_signers", ()):
            self.attempt("sign", other, lambda act: self.made.habits.sign(act, task["id"], agrees=True, words="属实"))
        return told

    def begin_one(self, data):
        key = data.draw(st.sampled_from(PLAYED), label="process")
        home = data.draw(st.sampled_from(sorted(self.scans)), label="home")
        if key == "self-care":
            rows = self.look("SELECT id FROM benefit ORDER BY id")
            answers = {"benefit_id": data.draw(st.sampled_from([r["id"] for r in rows]), label="benefit"), "reported_on": self.day, "reported_by": "family", "details": "变化"}
        else:
            kind = data.draw(mostly({}, {"kind": "expenditure", "cause": "medical", "happened_on": None}, {"residence_basis": "unknown"}), label="kind") if key == "temporary-assistance" else {}
            answers = asked(key, home, self.members(home), self.day, self.scans[home], **kind)
        if rarely(data, "from the form"):
            told = Told(key, {}, self.day, self.scans[home], self.members(home))
            answers |= data.draw(from_form(CATALOGUE[key].start_form, told), label="by the form")
        answers = spoiled(data, answers)
        who = data.draw(mostly("clerk", *EVERYBODY), label="who")
        self.attempt(f"start {key}", who, lambda act: self.cases.start(act, key, answers))

    def tell(self, data):
        rows = self.look("SELECT id, no, process FROM record WHERE kind = 'case' AND closed_at IS NULL AND process <> 'self-care' ORDER BY id")
        if not rows:
            return
        row = data.draw(st.sampled_from(rows), label="case")
        name = data.draw(st.sampled_from(["objection", "withdrawal", "resolution"]), label="message")
        said = {"objection": {"objection_on": self.day, "objector_kind": "resident", "grounds": "有车"}, "withdrawal": {"withdrawn_on": self.day, "reason": "已就业"},
                "resolution": {"resolution": "approve_as", "reasons": "研究", "meeting_no": "LX-2018-000001", "item": 1}}[name]  # fmt: skip
        who = data.draw(mostly("clerk", *EVERYBODY), label="who")
        answers = spoiled(data, said)
        told = self.attempt(name, who, lambda act: self.cases.receive(act, row["no"], name, answers))
        assert told is None or name != "resolution", "only a meeting tells a case its resolution"

    def looked_at(self):
        for name in LOOKED_AT:
            getattr(self, name)()
        self.every_programme_has_its_own()

    def every_programme_has_its_own(self):
        """One open case of a household, temporary assistance aside, which may stand beside it; one recognition at a time; what was
        given was decided on, and what was paid was given by somebody else than who decided; nobody is supported who was refused."""
        twice = "SELECT subject FROM record r WHERE kind = 'case' AND closed_at IS NULL AND process {} 'temporary-assistance' AND subject LIKE 'household:%' {} GROUP BY subject HAVING count(*) > 1"
        assert not self.look(twice.format("=", ""))
        assert not self.look(twice.format("<>", f"AND NOT EXISTS (SELECT 1 FROM task t WHERE t.case_id = r.id AND t.state = 'open' AND t.node IN {AFTERWARDS})"))
        assert not self.look("SELECT id FROM temporary_grant WHERE state IN ('granted', 'paid') AND (decided_by IS NULL OR granted_on IS NULL)")
        assert not self.look("SELECT id FROM temporary_grant WHERE state = 'paid' AND (paid_by IS NULL OR paid_by = decided_by)")
        assert not self.look("SELECT b.id FROM benefit b JOIN record r ON r.no = b.case_no WHERE b.category LIKE 'refused%' OR r.outcome IN ('ended_refused', 'ended_withdrawn')")
        assert not self.look("SELECT b.id FROM benefit b WHERE b.category LIKE 'destitute%' AND (b.person_id IS NULL OR b.members <> 1)")

    def close_the_day(self):
        for _ in range(12):
            rows = self.look("SELECT t.*, r.process, r.no FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' ORDER BY t.id")
            rows.sort(key=lambda row: self.done[row["process"], row["node"]])
            if rows:
                self.do_regularly(rows[0])
        self.looked_at()


def test_whatever_people_try_on_the_other_programmes_the_records_hold(monkeypatch, caplog):
    caplog.set_level("CRITICAL", "engine.jobs")
    monkeypatch.setattr(spot_check, "secrets", Seeds())
    SEEN.clear()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        monkeypatch.setitem(worlds.WORLDS, "programmes", programmes)
        Windows.worlds = worlds.Worlds(folder, "programmes")

        # A run is long and shrinking it would take minutes: what was drawn is printed, and the record of the case tells the rest.
        @settings(max_examples=3 if RUNS == 20 else RUNS, phases=[Phase.generate], deadline=None, derandomize=RUNS == 20, database=None, print_blob=True,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(data=st.data())
        def walk(data):
            walker = Windows()
            try:
                walker.begin(keen="hat1")
                for _ in range(30):
                    walker.step(data)
                    walker.looked_at()
            finally:
                walker.teardown()

        walk()
    done = Counter(key.split(" ")[0] for key in SEEN["completed"])
    assert set(PLAYED) <= done.keys(), done
    assert SEEN["refused"]["complete"] and SEEN["done"]["complete"] >= 100, "both ways"
