"""Everybody tries everything in any order on a real database; after every step and at the end what must hold is looked at from outside.

`make test`: the same 20 runs of 50 steps each time. `make load` sets YINGBAO_TEST_MACHINE_RUNS to more, and those are new each time.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event as sql_event
from sqlalchemy import select

from engine import incidents, store
from engine.bpmn import unpacked
from engine.errors import EngineError
from engine.model import SYSTEM
from engine.office import history, seals_hold
from engine.step import fingerprint
from engine.store import metadata
from processes import bureau as bureaus
from processes import organisation, spot_check
from processes.rebuild import differences
from tests.conftest import DATA_KEY, Clock
from tests.district import PASSWORD, REVIEWERS, STAFF, District
from web.settings import Settings

RUNS = int(os.environ.get("YINGBAO_TEST_MACHINE_RUNS", "20"))
STREET_POSTS = ("window_clerk", "investigator", "civil_affairs_officer", "reviewer", "street_leader", "village_committee")
DISTRICT_POSTS = ("means_checker", "district_examiner", "spot_checker", "approver", "supervisor")
# People of many posts: only with them does the separation of duties decide anything.
MANY = {"hat1": [(p, "120116") for p in STREET_POSTS + DISTRICT_POSTS], "hat2": [(p, "120116") for p in STREET_POSTS + DISTRICT_POSTS],
        "hat3": [(p, "120116001") for p in STREET_POSTS]}  # fmt: skip
EVERYBODY = [*STAFF, *MANY]
RELATIVE = "hat2"  # of a member of the last household
HAND_OVER = ["claim", "release", "transfer", "delegate", "escalate"]
HABITS = ["add_signers", "sign", "withdraw_signer", "urge", "take_back"]
BACK_TO = ["home_survey", "democratic_review", "street_opinion", "district_examination", "completeness_check"]
HOUSES = {"dibao": 1, "low_income": 2, "rich": 3, "related": 4}

# -- the tests' own table of who may not have done what (domain 5.3, 5.4), apart from processes/duties.py
INVESTIGATE = {"home_survey", "survey_cosign", "neighbor_enquiry", "street_reinvestigate"}
REVIEW = {"street_opinion", "street_signoff", "submit_to_district", "reject_after_check"}
APPROVE = {"decide", "decide_refusal"}
ACCEPT = {"start", "completeness_check"}
NEVER_BOTH = [(INVESTIGATE, REVIEW), (ACCEPT, REVIEW), ({"street_opinion"}, {"street_signoff"})]
NOT_AFTER = [({"district_examination", "district_recheck", "spot_check_visit", "late_spot_check_visit"}, INVESTIGATE | REVIEW), ({"means_check"}, REVIEW)]  # fmt: skip

SEEN: dict[str, Counter[str]] = defaultdict(Counter)  # over all runs: what was done, refused, reached


class Seeds:
    """In place of `secrets` in the spot check: the same draw each time, or Hypothesis could not repeat a run."""

    n = 0

    def token_hex(self, size: int) -> str:
        self.n += 1
        return f"{self.n:0{2 * size}x}"


# -- where runs begin: a few stations of the road, made once and copied


class Stations:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.scans, self.homes, self.at = folder, {}, {}, {}
        d = District(opened(folder / "work.sqlite", folder, clock := Clock()), clock)
        self._people(d)
        for name, wages, more in (("dibao", 210_000, {}), ("low_income", 276_300, {"last": {"disability_kind": "limb", "disability_grade": 2}}),
                                  ("rich", 900_000, {}), ("related", 100_000, {})):  # fmt: skip
            self.homes[name] = d.household(wages, serial=HOUSES[name], **more)
            self.scans[self.homes[name]] = d.scan
        self._related(d)
        d.scan = self.scans[self.homes["dibao"]]
        self._keep(d, "nothing")
        d.apply(self.homes["dibao"])
        d.accept()
        self._keep(d, "investigation")
        d.check()
        d.survey()
        self._keep(d, "democratic_review")
        d.review()
        d.street()
        d.post()
        self._keep(d, "street_notice")
        d.at("2018-12-11T09:00")
        d.submit()
        self._keep(d, "district_examination")
        d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
        d.post("post_district_notice")
        d.at("2018-12-19T09:00")
        d.do("vera", "remove_district_notice", removed_on="2018-12-19", objections="none")
        self._keep(d, "decide")
        d.office.store.close()

    def _people(self, d: District) -> None:
        with d.office.act() as act:
            for login, posts in MANY.items():
                organisation.add_staff(act, login, f"某{login}", PASSWORD, posts, hashed="unused")

    def _related(self, d: District) -> None:
        from processes import households

        with d.office.read() as conn:
            row = households.members_of(conn, self.homes["related"])[0]
            number = d.office.keys.on(conn).reveal("person", "id_no", row["person_id"], row["id_no"])
        with d.office.act() as act:
            organisation.declare_relative(act, RELATIVE, "sibling", "张一", number)

    def _keep(self, d: District, name: str) -> None:
        self.at[name] = d.clock.now.isoformat()
        with sqlite3.connect(self.folder / "work.sqlite") as conn:
            conn.execute("VACUUM INTO ?", (str(self.folder / f"{name}.sqlite"),))


def opened(file: pathlib.Path, folder: pathlib.Path, clock: Clock):
    """A bureau on a file; commits do not wait for the disk, which no run of these can outlive."""
    made = bureaus.build(Settings(database=f"sqlite:///{file}", secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files", registry="http://127.0.0.1:9"), clock)
    made.jobs.real_clock = clock
    sql_event.listen(made.office.store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    metadata.create_all(made.office.store.engine)
    return made


# -- what people write into the forms


def mostly(*values):
    """The first value about as often as all the others together."""
    return st.one_of(st.just(values[0]), st.sampled_from(values))


def rarely(data, what):
    """About once in ten; not at either end of the range, which Hypothesis likes to try."""
    return data.draw(st.integers(0, 9), label=f"{what}?") == 6


REASON = {"reason_code": "facts_unclear", "clause": "第二十六条"}
MEETING = {"trigger": "policy_gap", "special_facts": "特殊", "wish": "请研究"}


def reasoned(name, *outcomes):
    """An outcome with the reason, or what the meeting needs, where the law asks for it."""
    plain = ("propose_grant", "agree", "granted")
    return mostly(*outcomes).map(lambda one: {name: one, "opinion": "意见", **(MEETING if one == "joint_meeting" else {} if one in plain else REASON)})


def answers_for(node: str, day: str, scan: int):
    """A strategy of answers that the form usually takes; whether they suit the case is for the engine to say."""
    made = st.fixed_dictionaries
    if node in ("post_street_notice", "post_district_notice"):
        return made({"posted_on": st.just(day), "places": st.just(["village_board"])})
    if node in ("remove_street_notice", "remove_district_notice"):
        return made({"removed_on": st.just(day), "objections": st.just("none")})
    if node in ("deliver_approval", "deliver_refusal"):
        return made({"delivered_on": st.just(day), "method": st.just("direct"), "recipient": st.just("张一")})
    return {
        "completeness_check": mostly({"outcome": "complete"}, {"outcome": "incomplete", "missing": ["authorization"]}),
        "supplement": made({"received_on": st.just(day), "supplied": st.just(["authorization"])}),
        "register_near_relative": made({"staff_name": st.just("某某"), "position": st.just("委员"), "relation": st.just("sibling")}),
        "means_check": made({"check_conclusion": mostly("consistent", "inconsistent", "exceeds_standard", "query_again"), "report": st.just("报告")},
                            optional={"found_assets": st.sampled_from(["60000", "1"]), "found_income": st.sampled_from(["10", "1500.5"]), "doubtful": st.booleans()}),
        "home_survey": made({"surveyed_on": st.just(day), "second_investigator": mostly("bob", "ann", "carl", "hat1", "hat3", "clerk"), "met_person": st.just("张一"),
                             "housing": st.just("一居室"), "living": st.just("简朴"), "findings": st.just("属实"), "surveyed_signature": st.just(scan)}),
        "survey_cosign": mostly({"agree": "agree"}, {"agree": "disagree", "statement": "不同"}),
        "neighbor_enquiry": made({"enquired_on": st.just(day), "persons": st.just("邻居"), "statement": st.just("困难")}),
        "reject_after_check": made({"delivered_on": st.just(day), "reasons": st.just("超标")}),
        "low_income_consent": made({"low_income_consent": mostly(True, False), "signed_on": st.just(day), "signed_document": st.just(scan)}),
        "democratic_review": made({"held_on": st.just(day), "place": st.just("居委会"), "chair": st.just("主任"), "participants": mostly(REVIEWERS, REVIEWERS[:2]),
                                   "statements": st.just("属实"), "review_conclusion": mostly("agree", "disagree", "re_survey")}),
        "street_opinion": reasoned("street_outcome", "propose_grant", "propose_refuse", "return_survey", "return_review", "joint_meeting"),
        "street_signoff": mostly({"signoff": "agree", "opinion": "同意"}, {"signoff": "return", "opinion": "再议"}),
        "street_reinvestigate": made({"investigated_on": st.just(day), "findings": st.just("查明"), "upheld": st.booleans(), "figures_changed": mostly(False, True)}),
        "submit_to_district": mostly({"contents": ["application", "survey", "review", "opinion"]}, {"contents": ["application"]}),
        "spot_check_visit": made({"visited_on": st.just(day), "second_visitor": st.just("乙"), "findings": st.just("一致"), "agrees": mostly(True, False)}),
        "late_spot_check_visit": made({"visited_on": st.just(day), "second_visitor": st.just("乙"), "findings": st.just("一致"), "late_agrees": mostly(True, False)}),
        "district_examination": reasoned("district_outcome", "propose_grant", "propose_refuse", "return_survey", "return_street", "joint_meeting"),
        "district_recheck": st.sampled_from(["propose_grant", "propose_refuse"]).map(lambda o: {"district_outcome": o, "findings": "查明", **(REASON if o == "propose_refuse" else {})}),
        "decide": reasoned("decision", "granted", "refused", "returned"),
        "decide_refusal": reasoned("decision", "refused", "returned"),
    }.get(node, st.just({"note": "看看"}))  # fmt: skip


def spoiled(data, answers: dict) -> dict:
    """Sometimes: a field too many, one missing, one of the wrong kind, a day to come, a paper of another household."""
    if not rarely(data, "spoil"):
        return answers
    name = data.draw(st.sampled_from(sorted(answers)), label="field")
    bad = data.draw(st.sampled_from([{"nonsense": 1}, {name: None}, {name: 5}, {name: "x\u202ey"}, {name: "2031-01-01"}, {name: []}]), label="spoiled")
    return {**answers, **bad}


# -- the machine


class Street(RuleBasedStateMachine):
    stations: Stations
    numbers = itertools.count()

    @initialize(name=st.sampled_from(["nothing", "investigation", "democratic_review", "street_notice", "district_examination", "decide"]), keen=st.sampled_from(list(MANY)))
    def begin(self, name, keen):
        self.keen = keen  # tries to do everything himself
        spot_check.secrets.n = 0
        file = self.stations.folder / f"run{next(self.numbers)}.sqlite"
        shutil.copy(self.stations.folder / f"{name}.sqlite", file)
        self.clock = Clock(self.stations.at[name])
        self.made = opened(file, self.stations.folder, self.clock)
        self.office, self.cases = self.made.office, self.made.cases
        self.eye = sqlite3.connect(file)  # looks from outside, past the engine
        self.eye.row_factory = sqlite3.Row
        self.file, self.last, self.acts, self.read_to = file, None, defaultdict(list), defaultdict(int)
        self.signed = defaultdict(list)
        with self.office.read() as conn:
            self.people = {login: organisation.find_actor(conn, login) for login in EVERYBODY} | {"system": SYSTEM}

    def look(self, sql, *values):
        return [dict(row) for row in self.eye.execute(sql, values)]

    def one(self, sql, *values):
        return self.eye.execute(sql, values).fetchone()[0]

    def attempt(self, verb, who, call, idem=None):
        """Do it, or be refused; who is refused has changed nothing at all in the database."""
        version = self.one("PRAGMA data_version")  # moves with every commit of another connection
        try:
            with self.office.act(self.people[who], idem) as act:
                told = call(act)
        except EngineError:
            assert self.one("PRAGMA data_version") == version, f"{verb} was refused and changed something"
            SEEN["refused"][verb] += 1
            return None
        SEEN["done"][verb] += 1
        return told

    def task(self, data, *, closed=True):
        """A row of any task, open ones rather; None when there is none."""
        rows = self.look("SELECT * FROM task WHERE state = 'open' ORDER BY id")
        if closed and (not rows or rarely(data, "closed")):
            rows = self.look("SELECT * FROM task ORDER BY id")
        return data.draw(st.sampled_from(rows), label="task") if rows else None

    def fitting(self, data, task):
        """Somebody who may do the task, as a rule; sometimes anybody."""
        if rarely(data, "anybody"):
            return data.draw(st.sampled_from(EVERYBODY), label="who")
        if task["assignee"] and task["assignee"] in self.people:
            return task["assignee"]
        found = [n for n, a in self.people.items() if task["role"] in a.roles and a.covers(task["unit"])]
        if self.keen in found and data.draw(st.booleans(), label="the keen one?"):
            return self.keen
        return data.draw(st.sampled_from(found or EVERYBODY), label="who")

    def home(self, case_id):
        return int(self.one("SELECT subject FROM record WHERE id = ?", case_id).partition(":")[2])

    def case_no(self, data):
        rows = self.look("SELECT no FROM record WHERE kind = 'case' ORDER BY closed_at IS NOT NULL, id")
        return data.draw(st.sampled_from([r["no"] for r in rows]), label="case") if rows else "DB-2018-000000"

    # -- what people do

    @rule(data=st.data(), who=mostly("clerk", *EVERYBODY), home=mostly("low_income", "dibao", "rich", "related"))
    def start(self, data, who, home):
        self.apply(data, who, home)

    def apply(self, data, who, home):
        answers = spoiled(data, {"household_id": self.stations.homes[home], "programme": "dibao", "applied_on": self.office.today().isoformat(),
                                 "applied_by": "head", "reason": "困难"})  # fmt: skip
        self.attempt("start", who, lambda act: self.cases.start(act, "dibao-2012", answers))

    # Thrice, so that work is seldom left out of a run: Hypothesis leaves rules out on purpose, one by one.
    @rule(data=st.data())
    def morning(self, data):
        self.work(data)

    @rule(data=st.data())
    def afternoon(self, data):
        self.work(data)

    @rule(data=st.data())
    def overtime(self, data):
        self.work(data)

    def work(self, data):
        """A stretch of a day: tasks are done one after the other."""
        for _ in range(data.draw(st.integers(2, 5), label="tasks")):
            task = self.task(data)
            if task is None or (task["state"] != "open" and not self.look("SELECT id FROM task WHERE state = 'open'")):
                self.bring_work(data)
                continue
            if rarely(data, "something else"):
                self.aside(data)
                continue
            who = self.fitting(data, task)
            if task["node"] == "survey_cosign" and data.draw(st.booleans(), label="the one named?"):
                who = self.named(task["case_id"]) or who
            answers = spoiled(data, data.draw(answers_for(task["node"], self.office.today().isoformat(), self.stations.scans[self.home(task["case_id"])]), label="answers"))
            etag = f"{task['id']}-{999 if rarely(data, 'stale') else task['version']}"
            request = ("complete", who, task["id"], answers, (f"k{next(self.numbers)}", answers), etag)
            told = self.complete(request)
            if told is not None:
                self.last = (request, told)
                SEEN["nodes"][task["node"]] += 1

    def aside(self, data):
        verb = data.draw(st.sampled_from([*HAND_OVER, *HABITS, "send_back", "objection", "withdrawal"]), label="verb")
        if verb in HAND_OVER:
            self.hand_over(data, verb)
        elif verb in HABITS:
            self.habit(data, verb)
        elif verb == "send_back":
            self.send_back(data, data.draw(st.sampled_from(BACK_TO), label="to"))
        else:
            getattr(self, verb)(data, "clerk")

    def bring_work(self, data):
        """Nobody has anything to do: a case waits for the registries or for a day, or somebody applies."""
        waiting = self.look("SELECT no FROM record WHERE kind = 'case' AND closed_at IS NULL")
        if not waiting:
            self.apply(data, "clerk", data.draw(mostly(*HOUSES), label="home"))
        elif self.look("SELECT id FROM job WHERE kind = 'timer' AND state = 'ready'"):
            self.jump(timedelta(days=8))
        else:
            self.answered(waiting[0]["no"], "complete", "system")
            self.resolved(data, waiting[0]["no"], "system")

    def complete(self, request):
        verb, who, task_id, answers, idem, etag = request
        return self.attempt(verb, who, lambda act: self.cases.complete(act, task_id, answers, etag=etag), idem)

    def named(self, case_id):
        """The second investigator whom the last survey of the case names: a fact, so it stands in the entry."""
        names = [e.get("data", {}).get("facts", {}).get("second_investigator") for e in self.bodies(case_id)]
        return next((n for n in reversed(names) if n in self.people), None)

    def bodies(self, case_id, after=0):
        return [json.loads(r["body"]) for r in self.look("SELECT body FROM entry WHERE record_id = ? AND seq > ? ORDER BY seq", case_id, after)]

    @rule()
    def repeat_the_last_request(self):
        """The network lost the answer and the browser asks again: the same answer, and nothing more is done."""
        if self.last is None:
            return
        request, told = self.last
        version = self.one("PRAGMA data_version")
        assert self.complete(("repeat", *request[1:])) == told
        assert self.one("PRAGMA data_version") == version

    @rule(data=st.data(), verb=st.sampled_from(HAND_OVER))
    def hand_over_rule(self, data, verb):
        self.hand_over(data, verb)

    def hand_over(self, data, verb):
        if (task := self.task(data)) is None:
            return
        who, to = self.fitting(data, task), self.fitting(data, {**task, "assignee": None})
        if verb == "transfer" and data.draw(st.booleans(), label="by the supervisor?"):
            who = "sue"
        more = {"claim": (), "release": (), "escalate": ("久拖不决",)}.get(verb, (to, data.draw(mostly("外出", ""), label="reason")))
        self.attempt(verb, who, lambda act: getattr(self.cases, verb)(act, task["id"], *more))

    @rule(data=st.data(), verb=st.sampled_from([*HABITS, "sign", "sign", "take_back"]))
    def habit_rule(self, data, verb):
        self.habit(data, verb)

    def habit(self, data, verb):
        """What people do around a task; opinions are asked for and given, so that no case waits for them for ever."""
        do = self.made.habits
        if verb in ("sign", "withdraw_signer"):
            asked = self.look("SELECT s.task_id, s.staff, s.asked_by FROM task_signer s JOIN task t ON t.id = s.task_id WHERE s.state = 'asked' AND t.state = 'open'")
            if not asked:
                return
            row = data.draw(st.sampled_from(asked), label="asked")
            agrees = not rarely(data, "disagrees")
            who = data.draw(mostly(row["staff"] if verb == "sign" else row["asked_by"], *EVERYBODY), label="who")
            more = {"sign": lambda act: do.sign(act, row["task_id"], agrees=agrees, words="意见"),
                    "withdraw_signer": lambda act: do.withdraw_signer(act, row["task_id"], row["staff"], "出差")}  # fmt: skip
            self.attempt(verb, who, more[verb])
        elif verb == "take_back":
            rows = self.look("SELECT id, done_by FROM task WHERE state = 'done' ORDER BY closed_at DESC, id DESC LIMIT 2")
            if rows:
                row = data.draw(st.sampled_from(rows), label="done")
                self.attempt(verb, data.draw(mostly(row["done_by"], *EVERYBODY), label="who"), lambda act: do.take_back(act, row["id"], "写错"))
        elif (task := self.task(data)) is not None:
            who, to = self.fitting(data, task), data.draw(st.sampled_from(EVERYBODY), label="to")
            kind = data.draw(st.sampled_from(["before", "after"]), label="kind")
            self.attempt(verb, who, lambda act: do.urge(act, task["id"]) if verb == "urge" else do.add_signers(act, task["id"], kind, [to], "请看"))

    @rule(data=st.data(), to=st.sampled_from(BACK_TO))
    def send_back_rule(self, data, to):
        self.send_back(data, to)

    def send_back(self, data, to):
        rows = self.look("SELECT * FROM task WHERE state = 'open' AND node IN ('street_opinion', 'street_signoff', 'district_examination', 'decide', 'decide_refusal')")
        task = data.draw(st.sampled_from(rows), label="task") if rows else self.task(data)
        if task is not None:
            answers = {"opinion": "退回", **REASON} if task["node"] != "street_signoff" else {"opinion": "退回"}
            self.attempt("send_back", self.fitting(data, task), lambda act: self.cases.send_back(act, task["id"], to, answers))

    @rule(data=st.data())
    def draft(self, data):
        if (task := self.task(data)) is not None:
            self.attempt("draft", self.fitting(data, task), lambda act: self.cases.save_draft(act, task["id"], {"opinion": "写到一半"}))

    @rule(data=st.data(), who=mostly("clerk", *EVERYBODY))
    def objection_rule(self, data, who):
        self.objection(data, who)

    def objection(self, data, who):
        no = self.case_no(data)
        answers = spoiled(data, {"objection_on": self.office.today().isoformat(), "objector_kind": "resident", "grounds": "有车"})
        self.attempt("objection", who, lambda act: self.cases.receive(act, no, "objection", answers))

    @rule(data=st.data(), who=mostly("clerk", *EVERYBODY))
    def withdrawal_rule(self, data, who):
        self.withdrawal(data, who)

    def withdrawal(self, data, who):
        if not rarely(data, "really"):
            who = "ann"  # who may not: else most cases would end here
        no = self.case_no(data)
        answers = {"withdrawn_on": self.office.today().isoformat(), "reason": "已就业"}
        self.attempt("withdrawal", who, lambda act: self.cases.receive(act, no, "withdrawal", answers))

    @rule(data=st.data(), status=mostly("complete", "partial", "contradictory", "unavailable", "nonsense"), who=st.sampled_from(["system", "system", "clerk"]))
    def registries_answer(self, data, status, who):
        self.answered(self.case_no(data), status, who)

    @rule(data=st.data(), who=st.sampled_from(["system", "system", "sue"]))
    def a_meeting_resolves(self, data, who):
        self.resolved(data, self.case_no(data), who)

    def resolved(self, data, no, who):
        said = data.draw(st.sampled_from(["approve_as", "refuse", "return_for_investigation", "refer"]), label="resolution")
        answers = {"resolution": said, "reasons": "集体研究", "meeting_no": "LX-2018-000001", "item": 1}
        answers |= {"approved_category": "low_income", "approved_amount": "276"} if said == "approve_as" else {}
        self.attempt("resolution", who, lambda act: self.cases.receive(act, no, "resolution", answers))

    def answered(self, no, status, who):
        self.attempt("registries", who, lambda act: self.cases.receive(act, no, "registry_answer", {"status": status, "results": []}))

    @rule(data=st.data(), verb=mostly(*incidents.VERBS), who=mostly("sue", *EVERYBODY), reason=mostly("接口停用", ""))
    def incident_decided(self, data, verb, who, reason):
        rows = self.look("SELECT id FROM job WHERE state = 'incident' ORDER BY id")
        if rows:
            number = data.draw(st.sampled_from([r["id"] for r in rows]), label="incident")
            self.attempt("incident", who, lambda act: incidents.decide(act, self.made.jobs, self.cases.refuse_relatives, number, verb, reason))

    @rule(length=mostly(timedelta(days=8), timedelta(hours=1), timedelta(minutes=1), timedelta(days=1), timedelta(days=30)))
    def time_passes(self, length):
        self.jump(length)

    def jump(self, length):
        for _ in range(6):  # in steps, so that what fails fails often enough to become an incident
            self.clock.now += length / 6
            self.made.jobs.run_all()
        SEEN["done"]["clock"] += 1
        for job in self.look("SELECT * FROM job WHERE state NOT IN ('done', 'dropped', 'incident', 'cancelled')"):
            assert job["state"] == "ready", "no worker holds a job now"
            due, retry = utc(job["due_at"]), job["retry_at"] and utc(job["retry_at"])
            assert due > self.clock.now or (retry and retry > self.clock.now), job

    # -- what must hold after each step, read from the rows

    @invariant()
    def count(self):
        SEEN["done"]["steps"] += 1

    @invariant()
    def nobody_did_two_things_that_exclude_each_other(self):
        for case in self.look("SELECT id, subject, opened_by FROM record WHERE kind = 'case'"):
            acts, signed = self.acts[case["id"]], self.signed[case["id"]]
            for said in self.bodies(case["id"], self.read_to[case["id"]]):
                self.read_to[case["id"]] = said["seq"]
                if said["event"] == "case_started":
                    acts.append(("start", said["actor"]["id"]))
                elif said["event"] == "task_completed":
                    node = said["data"]["task"].rpartition(".")[0]
                    acts.append((node, said["data"].get("completer", said["actor"]["id"])))
                    signed += [(node, said["actor"]["id"])] if "completer" in said["data"] else []
                elif said["event"] == "signer_answered":
                    signed.append((said["data"]["task"].rpartition(".")[0], said["actor"]["id"]))
                elif said["event"] == "task_taken_back":
                    assert acts.pop() == (said["data"]["task"].rpartition(".")[0], said["actor"]["id"]), "the latest is taken back, by who did it"
            check_duties(acts, related=case["subject"] == f"household:{self.stations.homes['related']}")
            for _, who in signed:  # an opinion is held to what excludes each other like an act, in whatever order they came
                nodes = {node for node, one in [*acts, *signed] if one == who}
                assert not any(nodes & one and nodes & other for one, other in NEVER_BOTH), (who, nodes)
                assert not (nodes & APPROVE and nodes - APPROVE), (who, nodes)
            rows = self.look("SELECT node, done_by FROM task WHERE case_id = ? AND state = 'done'", case["id"])
            assert sorted((r["node"], r["done_by"]) for r in rows) == sorted(acts[1:]), "the rows say what the record says"
            assert acts[0] == ("start", case["opened_by"])

    @invariant()
    def nobody_is_counted_in_two_benefits(self):
        twice = self.look("SELECT p.id_blind FROM benefit_person p JOIN benefit b ON b.id = p.benefit_id WHERE p.active"
                          " AND b.status IN ('pending_first_payment', 'active', 'suspended') GROUP BY p.id_blind HAVING count(*) > 1")  # fmt: skip
        assert not twice

    @invariant()
    def every_open_case_has_something_that_moves_it(self):
        stuck = self.look("SELECT no FROM record r WHERE kind = 'case' AND closed_at IS NULL"
                          " AND NOT EXISTS (SELECT 1 FROM task t WHERE t.case_id = r.id AND t.state = 'open')"
                           " AND NOT EXISTS (SELECT 1 FROM job j WHERE j.record_id = r.id AND j.state IN ('ready', 'running', 'incident', 'cancelled'))"
                           " AND NOT EXISTS (SELECT 1 FROM special_case_request q WHERE q.case_no = r.no AND q.status = 'submitted')")  # fmt: skip
        assert not stuck

    @invariant()
    def a_closed_case_is_closed(self):
        assert not self.look("SELECT t.key FROM task t JOIN record r ON r.id = t.case_id WHERE r.closed_at IS NOT NULL AND t.state = 'open'")
        assert not self.look("SELECT j.key FROM job j JOIN record r ON r.id = j.record_id WHERE j.kind = 'timer' AND r.closed_at IS NOT NULL AND j.state = 'ready'")
        assert not self.look("SELECT no FROM record WHERE kind = 'case' AND (closed_at IS NULL) <> (outcome IS NULL)")

    # -- and at the end of a run, with the engine's own proof

    def teardown(self):
        if not hasattr(self, "eye"):
            return
        try:
            self.proof()
        finally:
            self.eye.close()
            self.office.store.close()
            for part in self.file.parent.glob(f"{self.file.name}*"):
                part.unlink()

    def proof(self):
        with self.office.read() as conn:
            for row in conn.execute(select(store.record).where(store.record.c.kind == "case")).mappings().all():
                entries = history(conn, self.office.keys.on(conn), row["id"])
                assert seals_hold(entries) is None
                assert (entries[-1].leaf, len(entries)) == (row["head"], row["seq"])
                run = list(self.cases.replaying(conn, entries))[-1][1]
                assert fingerprint(run.dump()) == fingerprint(unpacked(row["state"]))
                open_keys = {r["key"] for r in self.look("SELECT key FROM task WHERE case_id = ? AND state = 'open'", row["id"])}
                assert open_keys == run.open_tasks().keys()
                timers = {r["key"] for r in self.look("SELECT key FROM job WHERE record_id = ? AND kind = 'timer' AND state = 'ready'", row["id"])}
                assert timers == (set() if run.ended else run.timers().keys())
                SEEN["ended"][row["outcome"]] += 1
                event(f"ended: {row['outcome']}")
        assert differences(self.office) == []


def utc(text: str):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def check_duties(acts, *, related):
    """acts: (node, person) in order."""
    for who in {a[1] for a in acts}:
        mine = [node for node, one in acts if one == who]
        nodes = set(mine)
        assert not (nodes & APPROVE and nodes - APPROVE), (who, mine)
        # "start": he may still take the application in, which test_dibao_2012 marks as a defect
        assert not (related and who == RELATIVE and nodes - {"start"}), (who, mine)
        for one, other in NEVER_BOTH:
            assert not (nodes & one and nodes & other), (who, mine)
        for late, early in NOT_AFTER:
            first = next((n for n, node in enumerate(mine) if node in early), len(mine))
            assert not set(mine[first:]) & late, (who, mine)
    surveyor = None
    for node, who in acts:
        if node == "home_survey":
            surveyor = who
        assert node != "survey_cosign" or who != surveyor, "two distinct investigators sign"


@pytest.mark.parametrize(("acts", "wrong"), [
    ([("start", "a"), ("home_survey", "b"), ("survey_cosign", "c"), ("street_opinion", "d"), ("street_signoff", "e"), ("decide", "f")], False),
    ([("home_survey", "b"), ("survey_cosign", "b")], True), ([("start", "a"), ("street_signoff", "a")], True), ([("neighbor_enquiry", "a"), ("reject_after_check", "a")], True),
    ([("street_opinion", "a"), ("street_signoff", "a")], True), ([("decide", "a"), ("deliver_approval", "a")], True), ([("street_opinion", "a"), ("means_check", "a")], True),
    ([("means_check", "a"), ("street_opinion", "a")], False), ([("supplement", RELATIVE)], True),
])  # fmt: skip
def test_the_tests_own_table_of_duties_can_tell(acts, wrong):
    if wrong:
        with pytest.raises(AssertionError):
            check_duties(acts, related=True)
    else:
        check_duties(acts, related=True)


def test_whatever_people_try_the_records_hold(monkeypatch, caplog):
    caplog.set_level("CRITICAL", "engine.jobs")
    monkeypatch.setattr(spot_check, "secrets", Seeds())
    with tempfile.TemporaryDirectory() as folder:
        Street.stations = Stations(pathlib.Path(folder))
        SEEN.clear()
        run_state_machine_as_test(Street, settings=settings(
            max_examples=RUNS, stateful_step_count=60, deadline=None, derandomize=RUNS == 20, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck)))  # fmt: skip
    sys.stdout.write(json.dumps({k: dict(v) for k, v in SEEN.items()}, default=str))
    # Not about what is right, only that much was tried: Hypothesis leaves rules out of runs as it likes.
    assert SEEN["done"]["complete"] >= 3 * RUNS
    assert len(SEEN["done"]) >= 10, SEEN["done"]
    assert len(SEEN["refused"]) >= 7, SEEN["refused"]
    assert len(SEEN["nodes"]) >= 15, SEEN["nodes"]
