"""Everybody tries everything in any order on a real database, over all four processes; after every step and at the end what must
hold is looked at from outside.

`make test`: the same 20 runs of 50 steps each time. `make load` sets YINGBAO_TEST_MACHINE_RUNS to more, and those are new each time;
of new runs the rarest end may be missing. Before the runs of each district a tour by hand does what chance comes to too seldom. At the end it is proved from what was counted that the machine did play all of it: every task of the four drawings, every kind of end.
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
from hypothesis import HealthCheck, currently_in_test_context, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from engine import incidents, store
from engine.bpmn import Run, unpacked
from engine.errors import EngineError
from engine.forms import understand
from engine.model import SYSTEM
from engine.office import history, seals_hold
from engine.step import fingerprint
from processes import benefit_acts, households, meetings, organisation, reviews, spot_check, standards, substitutes
from processes.bureau import CATALOGUE
from tests.conftest import Clock
from tests.district import STAFF
from tests.meeting_room import SMALL
from tests.processes import machine_worlds as worlds
from tests.processes.machine_answers import Told, from_form, options, report, review_change
from tests.processes.machine_worlds import MANY, MEMBERS, RELATIVE, opened, regular

RUNS = int(os.environ.get("YINGBAO_TEST_MACHINE_RUNS", "20"))
PLAYED = ["dibao-2012", "review-2012", "change-report-2012", "joint-meeting"]  # of its days; those of 2021 have scenarios and golden histories
SUSPENDING = ("propose", "confirm", "refuse")
ROOM = ["secretary", "convener", "deputy", *MEMBERS]
EVERYBODY = [*STAFF, *MANY, "fin", *ROOM]
MAY_LEAVE = ("carl", "rita", "checker", "hat3", "deputy")  # others can do their work
ABSENT = {"lee": "hat3", "officer": "clerk2", "app": "exam", "ann": "rita", "exam": "spot", "convener": "exam"}  # and who may stand in
MEMBER_OF = {code: login for login, code in MEMBERS.items()}
CLOSING = 16  # tasks that are still done when a run is over
HAND_OVER = ["claim", "release", "transfer", "delegate", "escalate"]
HABITS = ["add_signers", "sign", "withdraw_signer", "urge", "take_back", "copy", "mark_read", "comment", "note"]
DECIDED = ("EXISTS (SELECT 1 FROM task t WHERE t.case_id = r.id AND t.state = 'open'"
           " AND t.node IN ('deliver_approval', 'deliver_conclusion', 'deliver_transfer', 'recovery_plan'))")  # fmt: skip
BACK_TO = ["home_survey", "democratic_review", "street_opinion", "district_examination", "completeness_check", "register_change"]

# -- the tests' own table of who may not have done what (domain 5.3, 5.4), apart from processes/duties.py
INVESTIGATE = {"home_survey", "survey_cosign", "neighbor_enquiry", "street_reinvestigate"}
REVIEW = {"street_opinion", "street_signoff", "submit_to_district", "issue_check_rejection"}
APPROVE = {"decide", "decide_refusal"}
ACCEPT = {"start", "completeness_check", "register_change"}
PRESIDE = {"approve_agenda", "announce_item", "issue_minutes"}
PREPARE = {"screen_agenda", "open_meeting", "draft_minutes"}
NEVER_BOTH = [(INVESTIGATE, REVIEW), (ACCEPT, REVIEW), ({"street_opinion"}, {"street_signoff"}), (PRESIDE, PREPARE)]
NOT_AFTER = [({"district_examination", "district_recheck", "spot_check_visit", "late_spot_check_visit"}, INVESTIGATE | REVIEW), ({"means_check"}, REVIEW)]  # fmt: skip

# What an end means for the benefit: one of these kinds of adjustment, or none at all.
BECAME: dict[str, set[str]] = {
    "ended_granted": {"grant"}, "ended_refused": set(), "ended_withdrawn": set(), "ended_no_change": set(), "ended_kept": {"keep"}, "ended_stopped": {"stop"},
    "ended_changed": {"increase", "decrease", "convert", "suspend"}, "ended_transferred": {"transfer"}}  # fmt: skip

KINDS = ("done", "refused", "completed", "ended")
SHARES = {"applications": 7, "benefits": 8, "meeting": 5}  # of 20 runs
SEEN: dict[str, Counter[str]] = defaultdict(Counter)  # over all runs: what was done, refused, reached


class Seeds:
    """In place of `secrets` in the spot check: the same draw each time, or Hypothesis could not repeat a run."""

    n = 0

    def token_hex(self, size: int) -> str:
        self.n += 1
        return f"{self.n:0{2 * size}x}"


def mostly(*values):
    """The first value about as often as all the others together."""
    return st.one_of(st.just(values[0]), st.sampled_from(values))


def rarely(data, what):
    """About once in ten; not at either end of the range, which Hypothesis likes to try."""
    return data.draw(st.integers(0, 9), label=f"{what}?") == 6


def spoiled(data, answers: dict) -> dict:
    """Sometimes: a field too many, one missing, one of the wrong kind, a day to come, a paper of another household."""
    if not rarely(data, "spoil"):
        return answers
    name = data.draw(st.sampled_from(sorted(answers) or ["opinion"]), label="field")
    bad = data.draw(st.sampled_from([{"nonsense": 1}, {name: None}, {name: 5}, {name: "x\u202ey"}, {name: "2031-01-01"}, {name: []}]), label="spoiled")
    return {**answers, **bad}


# -- the machine


class District(RuleBasedStateMachine):
    worlds: worlds.Worlds
    world = ""  # where runs begin
    numbers = itertools.count()

    @initialize(keen=st.sampled_from(list(MANY)))
    def begin(self, keen):
        name = self.world
        self.keen = keen  # tries to do everything himself
        spot_check.secrets.n = 0
        file = self.worlds.folder / f"run{next(self.numbers)}.sqlite"
        shutil.copy(self.worlds.folder / f"{name}.sqlite", file)
        self.clock = Clock(self.worlds.at[name])
        self.made = opened(file, self.worlds.folder, self.clock)
        self.office, self.cases = self.made.office, self.made.cases
        self.eye = sqlite3.connect(file)  # looks from outside, past the engine
        self.eye.row_factory = sqlite3.Row
        self.file, self.last, self.scans, self.before = file, None, self.worlds.scans[name], self.worlds.last[name]
        self.acts, self.read_to, self.signed, self.due, self.done = defaultdict(list), defaultdict(int), defaultdict(list), {}, Counter()
        self.people = {}
        self.meet()
        SEEN["worlds"][name] += 1
        self.begun = {kind: Counter(SEEN[kind]) for kind in KINDS}

    def meet(self):
        """Who is in office now, with the posts of now."""
        with self.office.read() as conn:
            found = {login: organisation.find_actor(conn, login) for login in EVERYBODY}
        self.people = {login: one for login, one in found.items() if one is not None} | {"system": SYSTEM}

    def look(self, sql, *values):
        return [dict(row) for row in self.eye.execute(sql, values)]

    def one(self, sql, *values):
        return self.eye.execute(sql, values).fetchone()[0]

    def attempt(self, verb, who, call, idem=None, task=None):
        """Do it, or be refused; who is refused has changed nothing at all in the database. `task`: of which the actor may have to
        stand in for its absent holder."""
        actor = self.people.get(who)
        if actor is None:
            return None
        if task is not None and actor is not SYSTEM:
            with self.office.read() as conn:
                actor = substitutes.as_whom(actor, substitutes.standing(conn, actor, self.office.today()), task)
        version = self.one("PRAGMA data_version")  # moves with every commit of another connection
        try:
            with self.office.act(actor, idem) as act:
                told = call(act)
        except EngineError:
            assert self.one("PRAGMA data_version") == version, f"{verb} was refused and changed something"
            SEEN["refused"][verb] += 1
            return None
        SEEN["done"][verb] += 1
        if actor.on_behalf_of:
            SEEN["done"]["for an absent one"] += 1
        return told if told is not None else {}

    def task(self, data, *, closed=True):
        """A row of any task, open ones rather, and of those what this run has done least; None when there is none."""
        rows = self.look("SELECT t.*, r.process FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' ORDER BY t.id")
        if closed and (not rows or rarely(data, "closed")):
            rows = self.look("SELECT t.*, r.process FROM task t JOIN record r ON r.id = t.case_id ORDER BY t.id DESC LIMIT 40")
        rows.sort(key=lambda row: self.done[row["process"], row["node"]])
        return data.draw(mostly(*rows), label="task") if rows else None

    def fitting(self, data, task):
        """Somebody who may do the task, as a rule; sometimes anybody."""
        if rarely(data, "anybody"):
            return data.draw(st.sampled_from(EVERYBODY), label="who")
        if task["assignee"] and task["assignee"] in self.people:
            away = ABSENT.get(task["assignee"])
            return data.draw(mostly(task["assignee"], *([away] if away else [])), label="holder")
        found = [n for n, a in self.people.items() if task["role"] in a.roles and a.covers(task["unit"])]
        away = self.look("SELECT absent, substitute FROM substitute WHERE ended_on IS NULL AND from_on <= ? AND until_on >= ? ORDER BY id", self.day, self.day)
        instead = [row["substitute"] for row in away if row["absent"] in found]
        if instead and data.draw(st.booleans(), label="for the absent one?"):
            return data.draw(st.sampled_from(instead), label="substitute")
        if self.keen in found and data.draw(st.booleans(), label="the keen one?"):
            return self.keen
        return data.draw(st.sampled_from(found or EVERYBODY), label="who")

    def facts(self, case_id):
        row = self.look("SELECT drawing, state FROM record WHERE id = ?", case_id)[0]
        with self.office.read() as conn:
            return Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).facts

    def told(self, case_id):
        """What an answer is made from."""
        process, facts = self.one("SELECT process FROM record WHERE id = ?", case_id), self.facts(case_id)
        home = facts.get("household_id", 0)
        return Told(process, facts, self.day, self.scans.get(home, 0), self.members(home))

    @property
    def day(self):
        return self.office.today().isoformat()

    def members(self, home):
        with self.office.read() as conn:
            return [m["person_id"] for m in households.members_of(conn, home)] if home else []

    def case(self, data, *processes):
        """A case, open ones rather; None when there is none."""
        rows = self.look("SELECT id, no, process, subject FROM record WHERE kind = 'case' ORDER BY closed_at IS NOT NULL, id")
        rows = [r for r in rows if not processes or r["process"] in processes]
        return data.draw(st.sampled_from(rows), label="case") if rows else None

    # -- what people do

    def home(self, data, *, in_benefit):
        live = {r["household_id"] for r in self.look("SELECT household_id FROM benefit WHERE status IN ('pending_first_payment', 'active', 'suspended')")}
        busy = {r["subject"] for r in self.look(f"SELECT subject FROM record r WHERE kind = 'case' AND closed_at IS NULL AND NOT {DECIDED}")}
        rows = [home for home in self.scans if (home in live) == in_benefit and (f"household:{home}" not in busy or rarely(data, "busy"))] or list(self.scans)
        return data.draw(st.sampled_from(rows), label="home")

    @rule(data=st.data(), key=st.sampled_from(PLAYED), by_form=st.booleans())
    def start(self, data, key, by_form):
        self.apply(data, key, by_form)

    def apply(self, data, key, by_form=False):
        home = self.home(data, in_benefit=key in ("review-2012", "change-report-2012"))
        who = data.draw(mostly({"joint-meeting": "secretary"}.get(key, "clerk"), *EVERYBODY), label="who")
        told = Told(key, {}, self.day, self.scans.get(home, 0), self.members(home))
        if key == "dibao-2012":
            answers = {"household_id": home, "programme": "dibao", "applied_on": self.day, "applied_by": "head", "reason": "困难"}
        elif key == "review-2012":
            answers = {"household_id": home, "occasion": data.draw(mostly("early", "due", "campaign"), label="occasion"), "note": "核实"}
        elif key == "change-report-2012":
            answers = data.draw(st.sampled_from(report(home, told)), label="report")
        else:
            asked = [r["id"] for r in self.look("SELECT id FROM special_case_request WHERE status = 'submitted' ORDER BY id")]
            answers = {"kind": "case", "planned_on": self.day, "place": "三楼", "requests": data.draw(mostly(asked[-1:], asked[:2], [1]), label="requests"),
                       "again_reason": "情况有变", "units": [MEMBERS[f"m.{one}"] for one in SMALL]}  # fmt: skip
        if by_form and rarely(data, "from the form"):
            answers = {**answers, **data.draw(from_form(CATALOGUE[key].start_form, told), label="answers")}
        answers = spoiled(data, answers)
        return self.attempt(f"start {key}", who, lambda act: self.cases.start(act, key, answers))

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

    @rule(data=st.data())
    def another_case(self, data):
        self.carry_on(data)

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
            told = self.told(task["case_id"])
            who = self.fitting(data, task)
            if task["node"] == "survey_cosign" and data.draw(st.booleans(), label="the one named?"):
                who = told.facts.get("second_investigator") or who
            self.prepare(data, task, told)
            answers = spoiled(data, self.answers(data, task["node"], told))
            etag = f"{task['id']}-{999 if rarely(data, 'stale') else task['version']}"
            if self.complete(task, who, answers, (f"k{next(self.numbers)}", answers), etag) is not None and rarely(data, "oops"):
                self.attempt("take_back", who, lambda act, task=task: self.made.habits.take_back(act, task["id"], "写错"))

    def answers(self, data, node, told):
        """What usually suits, what seldom does, or anything that the form itself would take: all of it, or over what suits."""
        known = options(node, told) or [{"note": "看看"}]
        chosen = data.draw(mostly(*known), label="answers")
        if not rarely(data, "from the form"):
            return chosen
        process = CATALOGUE[told.process]
        made = data.draw(from_form(process.form_of(node), told), label="by the form")
        SEEN["done"]["answers from the form"] += 1
        return {**chosen, **made} if data.draw(st.booleans(), label="over the usual?") else made

    def prepare(self, data, task, told):
        """What somebody does before he sits down to the form: papers are signed, members vote."""
        if task["node"] == "renew_authorisations" and data.draw(st.booleans(), label="they sign?"):
            self.papers(told.facts["household_id"])
        if task["node"] == "announce_item" and data.draw(mostly(True, False), label="they vote?"):
            self.votes(data, self.one("SELECT no FROM record WHERE id = ?", task["case_id"]))

    def papers(self, home):
        def sign(act):
            for person_id in households.missing_authorisations(act.conn, home, act.today):
                households.authorise(act, home, person_id, act.today.isoformat(), f"{act.today.year + 1}-12-31")

        self.attempt("authorise", "clerk", sign)

    def complete(self, task, who, answers, idem, etag):
        request = (task, who, answers, idem, etag)
        told = self.completing("complete", *request)
        if told is not None:
            self.last = (request, told)
            if "waits_for_signers" not in told:
                self.done[task["process"], task["node"]] += 1
        return told

    def completing(self, verb, task, who, answers, idem, etag):
        return self.attempt(verb, who, lambda act: self.cases.complete(act, task["id"], answers, etag=etag), idem, task)

    @rule(data=st.data())
    def one_case(self, data):
        self.carry_on(data)

    def carry_on(self, data):
        """One case is worked on by the people whose work it is, until nothing can be done: so runs come to the ends."""
        rows = self.look("SELECT id, no, process FROM record WHERE kind = 'case' AND closed_at IS NULL ORDER BY id")
        if not rows:
            return
        case = data.draw(st.sampled_from(rows), label="case")
        for _ in range(data.draw(st.integers(3, 10), label="steps")):
            task = next(iter(self.look("SELECT t.*, ? AS process FROM task t WHERE case_id = ? AND state = 'open' ORDER BY id", case["process"], case["id"])), None)
            if task is None:
                self.waiting(data, case)
                if self.one("SELECT closed_at IS NOT NULL FROM record WHERE id = ?", case["id"]):
                    return
                continue
            told = self.told(case["id"])
            who = regular(task, told.facts)
            if task["assignee"] not in (None, who):
                self.attempt("transfer", "sue", lambda act, task=task, who=who: self.cases.transfer(act, task["id"], who, "代办"))
                task = self.look("SELECT t.*, ? AS process FROM task t WHERE id = ?", case["process"], task["id"])[0]
            self.prepare(data, task, told)
            known = options(task["node"], told)
            chosen = data.draw(mostly(0, 0, 0, *range(len(known))), label="which")
            if self.complete(task, who, known[chosen], (f"k{next(self.numbers)}", known[chosen]), f"{task['id']}-{task['version']}") is None:
                self.other(data, task, known)

    def other(self, data, task, known):
        """The regular one may not, or his answer did not suit: anybody who may, with any other."""
        who = self.fitting(data, task)
        answers = data.draw(st.sampled_from(known), label="other answers")
        self.complete(task, who, answers, (f"k{next(self.numbers)}", answers), None)

    def waiting(self, data, case):
        """What a case without tasks may wait for: the registries, a day, the meeting, the units."""
        row = self.look("SELECT no, drawing, state FROM record WHERE id = ?", case["id"])[0]
        with self.office.read() as conn:
            waits = Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).waits_for()
        if "minutes_confirmed" in waits:
            self.confirmed(data, row["no"])
        elif "registry_answer" in waits:
            self.answered(row["no"], "complete", "system")
        elif "resolution" in waits:
            self.hold_meeting(data)
        else:
            self.jump(timedelta(days=8))

    def hold_meeting(self, data):
        """A meeting is called for what waits, unless one is under way; then it goes on."""
        rows = self.look("SELECT id, no, process FROM record WHERE process = 'joint-meeting' AND closed_at IS NULL ORDER BY id")
        if not rows:
            self.apply(data, "joint-meeting")
            return
        task = self.look("SELECT t.*, 'joint-meeting' AS process FROM task t JOIN record r ON r.id = t.case_id WHERE r.process = 'joint-meeting'"
                         " AND t.state = 'open' ORDER BY t.id")  # fmt: skip
        if not task:
            self.confirmed(data, rows[0]["no"])
            return
        told = self.told(task[0]["case_id"])
        self.prepare(data, task[0], told)
        answers = data.draw(mostly(*options(task[0]["node"], told)), label="answers")
        self.complete(task[0], regular(task[0], told.facts), answers, (f"k{next(self.numbers)}", answers), None)

    def aside(self, data):
        verb = data.draw(st.sampled_from([*HAND_OVER, *HABITS, "send_back", "message"]), label="verb")
        if verb in HAND_OVER:
            self.hand_over(data, verb)
        elif verb in HABITS:
            self.habit(data, verb)
        elif verb == "send_back":
            self.send_back(data, data.draw(st.sampled_from(BACK_TO), label="to"))
        else:
            self.message(data)

    def bring_work(self, data):
        """Nobody has anything to do: a case waits for something, or somebody applies."""
        waiting = self.look("SELECT id, no FROM record WHERE kind = 'case' AND closed_at IS NULL")
        if waiting:
            self.waiting(data, waiting[0])
        else:
            self.apply(data, data.draw(st.sampled_from(PLAYED), label="key"))

    def bodies(self, case_id, after=0):
        return [json.loads(r["body"]) for r in self.look("SELECT body FROM entry WHERE record_id = ? AND seq > ? ORDER BY seq", case_id, after)]

    @rule()
    def repeat_the_last_request(self):
        """The network lost the answer and the browser asks again: the same answer, and nothing more is done."""
        if self.last is None or self.last[0][1] not in self.people:
            return
        request, told = self.last
        version = self.one("PRAGMA data_version")
        assert self.completing("repeat", *request) == told
        assert self.one("PRAGMA data_version") == version

    @rule(data=st.data(), verb=st.sampled_from(HAND_OVER))
    def hand_over_rule(self, data, verb):
        self.hand_over(data, verb)

    def hand_over(self, data, verb):
        if verb in ("release", "transfer", "delegate") and not rarely(data, "somebody else's"):
            task = self.held(data)
        else:
            task = self.task(data)
        if task is None:
            return
        who, to = self.fitting(data, task), self.fitting(data, {**task, "assignee": None})
        if verb == "transfer" and data.draw(st.booleans(), label="by the supervisor?"):
            who = "sue"
        more = {"claim": (), "release": (), "escalate": ("久拖不决",)}.get(verb, (to, data.draw(mostly("外出", ""), label="reason")))
        self.attempt(verb, who, lambda act: getattr(self.cases, verb)(act, task["id"], *more), task=task)

    def held(self, data):
        """A task that is in somebody's name; one is claimed when there is none."""
        query = "SELECT t.*, r.process FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' AND t.assignee IS NOT NULL ORDER BY t.id"
        if not self.look(query) and (task := self.task(data, closed=False)) is not None:
            self.attempt("claim", self.fitting(data, task), lambda act: self.cases.claim(act, task["id"]), task=task)
        rows = self.look(query)
        return data.draw(st.sampled_from(rows), label="held") if rows else None

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
        elif verb == "mark_read":
            rows = self.look("SELECT task_id, staff FROM case_copy WHERE read_on IS NULL ORDER BY id")
            if rows:
                row = data.draw(st.sampled_from(rows), label="copy")
                self.attempt(verb, data.draw(mostly(row["staff"], *EVERYBODY), label="who"), lambda act: do.mark_read(act, row["task_id"]))
        elif (task := self.held(data) if verb == "add_signers" else self.task(data)) is not None:
            who = self.fitting(data, task)
            to = data.draw(mostly("sue", "lee", "clerk2", "exam", "deputy", *EVERYBODY), label="to")
            kind = data.draw(st.sampled_from(["before", "after"]), label="kind")
            calls = {"urge": lambda act: do.urge(act, task["id"]), "add_signers": lambda act: do.add_signers(act, task["id"], kind, [to], "请看"),
                     "copy": lambda act: do.copy(act, task["id"], [to]), "comment": lambda act: do.comment(act, task["id"], "已联系"),
                     "note": lambda act: do.note(act, task["id"], "下午再打电话")}  # fmt: skip
            if self.attempt(verb, who, calls[verb]) is not None and data.draw(st.booleans(), label="answered at once?"):
                answer = {"copy": ("mark_read", lambda act: do.mark_read(act, task["id"])), "add_signers": ("sign", lambda act: do.sign(act, task["id"], agrees=True, words="同意"))}
                if verb in answer:
                    self.attempt(answer[verb][0], to, answer[verb][1])

    @rule(data=st.data(), to=st.sampled_from(BACK_TO))
    def send_back_rule(self, data, to):
        self.send_back(data, to)

    def send_back(self, data, to):
        nodes = ("street_opinion", "street_signoff", "district_examination", "decide", "decide_refusal", "receive_transfer")
        rows = self.look(f"SELECT * FROM task WHERE state = 'open' AND node IN {nodes}")
        task = data.draw(st.sampled_from(rows), label="task") if rows else self.task(data)
        if task is not None:
            answers = {"opinion": "退回", "reason_code": "facts_unclear", "clause": "第二十六条"} if task["node"] in ("district_examination", "decide_refusal") else {"opinion": "退回"}
            self.attempt("send_back", self.fitting(data, task), lambda act: self.cases.send_back(act, task["id"], to, answers), task=task)

    @rule(data=st.data())
    def draft(self, data):
        if (task := self.task(data)) is not None:
            self.attempt("draft", self.fitting(data, task), lambda act: self.cases.save_draft(act, task["id"], {"opinion": "写到一半"}))

    # -- what others tell a case

    @rule(data=st.data())
    def message_rule(self, data):
        self.message(data)

    @rule(data=st.data())
    def morning_post(self, data):
        self.message(data)

    def message(self, data):
        """Mostly one for which a case waits now."""
        known = {"objection", "withdrawal", "change_reported", "not_cooperating"}
        rows = self.look("SELECT id, no, process, drawing, state FROM record WHERE kind = 'case' AND closed_at IS NULL AND process <> 'joint-meeting' ORDER BY id")
        with self.office.read() as conn:
            waits = {r["no"]: known & set(Run.load(self.cases.drawing(conn, r["drawing"]), r["state"], self.clock()).waits_for()) for r in rows}
        if rarely(data, "any message"):
            waits = {r["no"]: known & CATALOGUE[r["process"]].messages.keys() for r in rows}
        pairs = sorted((name, no) for no, names in waits.items() for name in names)
        if not pairs:
            return
        name = data.draw(st.sampled_from(sorted({name for name, _ in pairs})), label="message")
        no = data.draw(st.sampled_from([no for one, no in pairs if one == name]), label="case")
        case = next(r for r in rows if r["no"] == no)
        told = self.told(case["id"])
        said = {"objection": [{"objection_on": self.day, "objector_kind": "resident", "grounds": "有车"}], "withdrawal": [{"withdrawn_on": self.day, "reason": "已就业"}],
                "change_reported": review_change(told) if case["process"] == "review-2012" else report(0, told),
                "not_cooperating": [{"contacted_on": self.day, "note": "不开门"}]}  # fmt: skip
        who = data.draw(mostly("officer" if name == "not_cooperating" else "clerk", *EVERYBODY), label="who")
        answers = spoiled(data, data.draw(mostly(*said[name]), label="answers"))
        if rarely(data, "from the form"):
            answers = data.draw(from_form(CATALOGUE[case["process"]].messages[name], told), label="by the form")
        self.attempt(name, who, lambda act: self.cases.receive(act, no, name, answers))

    @rule(data=st.data(), status=mostly("complete", "partial", "contradictory", "unavailable", "nonsense"), who=st.sampled_from(["system", "system", "clerk"]))
    def registries_answer(self, data, status, who):
        case = self.case(data)
        self.answered(case["no"] if case else "DB-2018-000000", status, who)

    def answered(self, no, status, who):
        self.attempt("registries", who, lambda act: self.cases.receive(act, no, "registry_answer", {"status": status, "results": []}))

    @rule(data=st.data(), who=st.sampled_from(EVERYBODY))
    def a_resolution_without_a_meeting(self, data, who):
        """Only a meeting tells a case its resolution: no person does."""
        case = self.case(data)
        answers = {"resolution": "approve_as", "reasons": "研究", "meeting_no": "LX-2018-000001", "item": 1, "approved_category": "low_income", "approved_amount": "276"}
        if case is not None:
            assert self.attempt("resolution", who, lambda act: self.cases.receive(act, case["no"], "resolution", answers)) is None

    # -- in the meeting room

    @rule(data=st.data())
    def in_the_room(self, data):
        rows = self.look("SELECT no, status FROM joint_meeting WHERE status IN ('open', 'confirming') ORDER BY id")
        if not rows:
            return
        row = data.draw(st.sampled_from(rows), label="meeting")
        if row["status"] == "confirming":
            self.confirmed(data, row["no"])
            return
        no, position = row["no"], data.draw(mostly(1, 2, 7), label="item")
        verb = data.draw(st.sampled_from(["vote", "vote", "votes", "recuse", "attend", "new_ballot"]), label="verb")
        who = data.draw(st.sampled_from([*ROOM[:3], *(f"m.{one}" for one in SMALL)]), label="who")
        unit = MEMBERS[data.draw(st.sampled_from([f"m.{one}" for one in SMALL]), label="unit")]
        calls = {
            "vote": lambda act: meetings.cast_vote(act, no, position, "against", unit=unit if who == "secretary" else None),
            "recuse": lambda act: meetings.recuse(act, no, position, "self_declared", unit=unit if who == "secretary" else None),
            "attend": lambda act: meetings.attend(act, no, unit, present=present),
            "new_ballot": lambda act: meetings.new_ballot(act, no, position, motion, "再议"),
        }  # fmt: skip
        present, motion = data.draw(mostly(True, False), label="present"), data.draw(st.sampled_from([m[0] for m in meetings.MOTIONS]), label="motion")
        if verb == "votes":
            self.votes(data, no)
        else:
            self.attempt(verb, who, calls[verb])

    def votes(self, data, no):
        """All who are present vote on the next item, most of them for it. Another motion is put sometimes."""
        motion = data.draw(mostly("", *(m[0] for m in meetings.MOTIONS)), label="motion")
        self.ballot(no, motion, data.draw(mostly("for", "against", "abstain"), label="choice"))

    def ballot(self, no, motion="", choice="for"):
        """Civil affairs votes last."""
        rows = self.look("SELECT i.position, i.motion FROM agenda_item i JOIN joint_meeting m ON m.no = i.meeting_no WHERE m.no = ? AND m.status = 'open' AND i.status = 'admitted' ORDER BY 1", no)
        if not rows:
            return
        position = rows[0]["position"]
        if motion not in ("", rows[0]["motion"]):
            self.attempt("new_ballot", "secretary", lambda act: meetings.new_ballot(act, no, position, motion, "另付表决"))
        for one in ("finance", "health", "human_resources", "disabled_federation", "civil_affairs"):
            self.attempt("vote", f"m.{one}", lambda act: meetings.cast_vote(act, no, position, choice))

    def confirmed(self, data, no):
        """The units that attended say yes to the minutes, or one does not."""
        agrees = not rarely(data, "objects")
        for one in data.draw(mostly(SMALL, SMALL[:2], ("education",)), label="units"):
            said = {"unit": MEMBERS[f"m.{one}"], "agrees": agrees, **({} if agrees else {"objection": "时间不对"})}
            self.attempt("minutes_confirmed", f"m.{one}", lambda act, said=said: meetings.confirm(act, self.cases, no, said))

    # -- what is decided on benefits outside a case

    # Twice, as with `morning`.
    @rule(data=st.data())
    def on_benefits(self, data):
        self.outside_a_case(data)

    @rule(data=st.data())
    def on_benefits_again(self, data):
        self.outside_a_case(data)

    def outside_a_case(self, data):
        what = data.draw(st.sampled_from(["suspend", "suspend", "suspend", "payment", "waiver", "class", "district"]), label="what")
        if what in ("payment", "waiver"):
            self.money_of_past_months(data, waive=what == "waiver")
        elif what == "class":
            self.another_review_class(data)
        elif what == "district":
            self.the_whole_district(data)
        else:
            for _ in range(data.draw(st.integers(2, 4), label="turns")):  # suspended, resumed, and once more
                self.suspended_or_resumed(data, data.draw(mostly(*SUSPENDING), label="verb"))

    def suspended_or_resumed(self, data, verb):
        """The street proposes, the district decides, at once or another day; sometimes somebody who may not."""
        waiting = self.look("SELECT benefit_id, kind, proposed_by FROM benefit_proposal WHERE state = 'proposed' ORDER BY id")
        if waiting and (verb != "propose" or not rarely(data, "another one")):
            verb = "confirm" if verb == "propose" else verb
            row = data.draw(st.sampled_from(waiting), label="proposal")
            self.decide_proposal(data, verb, row["benefit_id"], row["kind"], row["proposed_by"])
            return
        if (found := self.benefit(data, "active", "suspended")) is None:
            return
        kind = "suspend" if found["status"] == "active" else "resume"
        form = benefit_acts.Suspension if kind == "suspend" else benefit_acts.Resumption
        said = {"reason_code": "under_verification" if kind == "suspend" else "verified", "reason": "核实", **({} if kind == "suspend" else {"pay_suspended": data.draw(st.booleans())})}
        usual = "far1" if found["street"] == worlds.FAR else "rita"
        who = data.draw(mostly(usual, usual, usual, "clerk", "ann"), label="who")
        told = self.attempt(f"propose {kind}", who, lambda act: {"id": benefit_acts.propose(act, found["id"], kind, understand(form(context={"today": act.today}), said))})
        if told is not None and data.draw(mostly(True, False), label="decided at once?"):
            self.decide_proposal(data, verb if verb != "propose" else "confirm", found["id"], kind, who)

    def decide_proposal(self, data, verb, benefit_id, kind, proposer):
        who = data.draw(mostly("app", "app", "app", proposer, "hat1", "rita"), label="decides")
        told = self.attempt(f"{verb} {kind}", who, lambda act: {"id": getattr(benefit_acts, verb)(act, benefit_id, kind, {"opinion": "意见"})})
        assert told is None or verb == "refuse" or who != proposer, "who proposed it does not confirm it"

    def benefit(self, data, *statuses):
        marks = ", ".join("?" * len(statuses))
        rows = self.look(f"SELECT b.id, b.status, h.street FROM benefit b JOIN household h ON h.id = b.household_id WHERE b.status IN ({marks}) ORDER BY b.status DESC, b.id", *statuses)
        return data.draw(st.sampled_from(rows), label="benefit") if rows else None

    def another_review_class(self, data):
        wanted = data.draw(st.sampled_from(["A", "B", "C"]), label="class")
        if (found := self.benefit(data, "pending_first_payment", "active", "suspended")) is not None:
            who = data.draw(mostly("far1" if found["street"] == worlds.FAR else "rita", *EVERYBODY), label="who")
            said = {"review_class": wanted, "reason": "情况变化"}
            self.attempt("review class", who, lambda act: {"id": benefit_acts.change_class(act, found["id"], said)})
            self.made.jobs.run_all()

    def money_of_past_months(self, data, *, waive):
        rows = self.look("SELECT id, benefit_id, kind FROM settlement WHERE status IN ('found', 'agreed') ORDER BY id")
        if waive and not rarely(data, "what the household is owed"):
            rows = [row for row in rows if row["kind"] == "recovery"]
        if not rows:
            return
        row, usual = data.draw(st.sampled_from(rows), label="settlement"), "app" if waive else "fin"
        who = data.draw(mostly(usual, usual, "app", "fin", "clerk"), label="who")
        work, said = (benefit_acts.waived, {"reason": "确有困难"}) if waive else (benefit_acts.settled, {"cleared_on": self.day, "note": "凭证"})
        self.attempt("waiver" if waive else "payment", who, lambda act: work(act, row["benefit_id"], row["id"], said))

    def the_whole_district(self, data):
        """A round of reviews over an area, and the yearly adjustment of the standard."""
        verb, who = data.draw(st.sampled_from(["round", "propose", "confirm", "withdraw"]), label="verb"), data.draw(mostly("app", "hat1", *EVERYBODY), label="who")
        if verb == "round":
            unit = data.draw(mostly(worlds.STREET, "120116", "x"), label="unit")
            if not rarely(data, "everybody is re-checked"):
                return  # else runs would do nothing but reviews
            self.attempt("round", data.draw(mostly("officer" if unit == worlds.STREET else "sue", who), label="by"), lambda act: reviews.begin_round(act, unit))
        elif verb == "propose":
            [month, *_] = standards.months_with_new_standard(self.office.today())
            self.attempt("propose standard", who, lambda act: {"no": standards.propose(act, month)})
        else:
            if not (batches := self.look("SELECT no FROM standard_batch ORDER BY id DESC")):
                [month, *_] = standards.months_with_new_standard(self.office.today())
                self.attempt("propose standard", "app", lambda act: {"no": standards.propose(act, month)})
                self.made.jobs.run_all()
                batches, who = self.look("SELECT no FROM standard_batch ORDER BY id DESC"), "hat1"
            no = batches[0]["no"]
            self.attempt(f"{verb} standard", who, lambda act: getattr(standards, verb)(act, no, "意见"))
        self.made.jobs.run_all()

    # -- people come and go

    @rule(data=st.data(), absent=st.sampled_from(list(ABSENT)), by=mostly("sue", "admin", *ABSENT), days=mostly(60, 1, 200))
    def somebody_is_away(self, data, absent, by, days):
        until = (self.office.today() + timedelta(days=days)).isoformat()
        rows = self.look("SELECT id FROM substitute WHERE ended_on IS NULL ORDER BY id")
        if rows and rarely(data, "back"):
            number = data.draw(st.sampled_from([r["id"] for r in rows]), label="substitution")
            self.attempt("substitute ends", by, lambda act: substitutes.end(act, number))
            return
        if self.attempt("substitute", by, lambda act: substitutes.appoint(act, absent, ABSENT[absent], self.day, until, "休假")) is not None:
            task = self.free_for(absent) if absent in self.people else None
            if task is not None and self.attempt("claim", ABSENT[absent], lambda act: self.cases.claim(act, task["id"]), task=task) is not None:
                task = {**task, **self.look("SELECT t.*, r.process FROM task t JOIN record r ON r.id = t.case_id WHERE t.id = ?", task["id"])[0]}
                answers = self.answers(data, task["node"], self.told(task["case_id"]))
                self.complete(task, ABSENT[absent], answers, (f"k{next(self.numbers)}", answers), None)

    @rule(data=st.data(), login=st.sampled_from(MAY_LEAVE), second=mostly("admin2", "admin"), leaves=mostly(True, False))
    def somebody_leaves(self, data, login, second, leaves):
        """Two administrators; his tasks stay in his name until a supervisor hands them over."""
        if leaves and login in self.people and len([one for one in MAY_LEAVE if one in self.people]) > 3:
            if (task := self.free_for(login)) is not None:  # what is then left behind
                self.attempt("claim", login, lambda act: self.cases.claim(act, task["id"]))
            made = self.attempt("propose", "admin", lambda act: {"change": organisation.propose_change(act, login, "deactivate", {})})
            if self.attempt("confirm", second, lambda act: organisation.confirm_change(act, made["change"])) is not None:
                self.meet()
        gone = sorted({r["assignee"] for r in self.look("SELECT assignee FROM task WHERE state = 'open' AND assignee IS NOT NULL")} - self.people.keys())
        for one in gone:
            rows = self.look("SELECT t.*, r.no FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' AND t.assignee = ? ORDER BY t.id", one)
            row = data.draw(st.sampled_from(rows), label="left behind")
            to = self.fitting(data, {**row, "assignee": None})
            self.attempt("hand_over", data.draw(mostly("sue", "admin"), label="by"), lambda act, row=row, one=one, to=to: self.made.habits.hand_over(act, row["no"], one, to, "离职"))

    def free_for(self, login):
        who = self.people[login]
        rows = self.look("SELECT * FROM task WHERE state = 'open' AND assignee IS NULL ORDER BY id")
        return next((t for t in rows if who.holds(t["role"], t["unit"])), None)

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
        # In steps, where something may fail: often enough to become an incident.
        steps = 6 if self.look("SELECT id FROM job WHERE kind = 'means_check' AND state = 'ready'") else 1
        for _ in range(steps):
            self.clock.now += length / steps
            self.made.jobs.run_all()
        SEEN["done"]["clock"] += 1
        for job in self.look("SELECT * FROM job WHERE state NOT IN ('done', 'dropped', 'incident', 'cancelled')"):
            assert job["state"] == "ready", "no worker holds a job now"
            due, retry = utc(job["due_at"]), job["retry_at"] and utc(job["retry_at"])
            assert due > self.clock.now or (retry and retry > self.clock.now), job

    # -- the tour: what chance comes to seldom is done once by hand, and tried by somebody who may not

    def tour(self):
        """What this world has for it. Only the attempts are scripted; whether they hold is looked at as everywhere."""
        {"applications": self._round_the_tasks, "benefits": self._round_the_benefits, "meeting": self._round_the_room}[self.world]()

    def at(self, node, process="dibao-2012"):
        """An open task at a node, an unclaimed one first."""
        rows = self.look("SELECT t.*, r.process, r.no FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' AND t.node = ? AND r.process = ?"
                         " ORDER BY t.assignee IS NOT NULL, t.id", node, process)  # fmt: skip
        return rows[0]

    def tried(self, verb, who, call, *, refused="vera", task=None):
        """First by somebody who may not, then by whom it behoves."""
        for one in (refused, who):
            self.attempt(verb, one, call, task=task)

    def finish(self, task, which=0):
        told = self.told(task["case_id"])
        answers = options(task["node"], told)[which]
        return self.complete(task, regular(task, told.facts), answers, (f"k{next(self.numbers)}", answers), None)

    def post(self, name, answers, who="clerk"):
        """A message to every case that waits for it; the first one also from somebody who may not send it."""
        rows = self.look("SELECT no, drawing, state FROM record WHERE kind = 'case' AND closed_at IS NULL ORDER BY id")
        with self.office.read() as conn:
            waiting = [r["no"] for r in rows if name in Run.load(self.cases.drawing(conn, r["drawing"]), r["state"], self.clock()).waits_for()]
        for no in waiting[:2]:
            self.tried(name, who, lambda act, no=no: self.cases.receive(act, no, name, answers), refused="fin")

    def _round_the_tasks(self):
        cases, do = self.cases, self.made.habits
        for task in self.look("SELECT t.*, r.process FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' AND t.node = 'completeness_check' ORDER BY t.id"):
            self.finish(task)
        self.finish(self.at("register_near_relative"))
        self.repeat_the_last_request()
        task = self.at("street_signoff")
        n = task["id"]
        self.tried("claim", "lee", lambda act: cases.claim(act, n))
        self.tried("release", "lee", lambda act: cases.release(act, n))
        self.attempt("claim", "lee", lambda act: cases.claim(act, n))
        self.tried("draft", "lee", lambda act: cases.save_draft(act, n, {"opinion": "写到一半"}))
        self.tried("copy", "lee", lambda act: do.copy(act, n, ["sue"]))
        self.attempt("mark_read", "sue", lambda act: do.mark_read(act, n))
        self.attempt("comment", "lee", lambda act: do.comment(act, n, "已联系"))
        self.attempt("note", "lee", lambda act: do.note(act, n, "下午再打电话"))
        self.attempt("urge", "sue", lambda act: do.urge(act, n))
        self.tried("add_signers", "lee", lambda act: do.add_signers(act, n, "before", ["sue", "clerk2"], "请看"))
        self.attempt("sign", "sue", lambda act: do.sign(act, n, agrees=True, words="同意"))
        self.attempt("withdraw_signer", "lee", lambda act: do.withdraw_signer(act, n, "clerk2", "出差"))
        self.tried("transfer", "lee", lambda act: cases.transfer(act, n, "hat3", "外出"))
        self.tried("delegate", "hat3", lambda act: cases.delegate(act, n, "lee", "外出"))
        self.tried("escalate", "lee", lambda act: cases.escalate(act, n, "久拖不决"))
        back = self.at("decide")["id"]
        self.tried("send_back", "app", lambda act: cases.send_back(act, back, "district_examination", {"opinion": "退回", "reason_code": "facts_unclear", "clause": "第二十六条"}))
        for node in ("district_examination", "post_district_notice"):
            self.finish(self.at(node))
        task = self.at("home_survey")
        self.finish(task)
        self.tried("take_back", "ann", lambda act: do.take_back(act, task["id"], "写错"))
        self.post("objection", {"objection_on": self.day, "objector_kind": "resident", "grounds": "有车"})
        self.post("withdrawal", {"withdrawn_on": self.day, "reason": "已就业"})
        until = (self.office.today() + timedelta(days=60)).isoformat()
        self.tried("substitute", "sue", lambda act: substitutes.appoint(act, "officer", "clerk2", self.day, until, "休假"))
        task = self.at("democratic_review")
        self.attempt("claim", "clerk2", lambda act: cases.claim(act, task["id"]), task=task)
        task = self.at("home_survey")
        self.attempt("claim", "carl", lambda act: cases.claim(act, task["id"]), task=task)
        made = self.attempt("propose", "admin", lambda act: {"change": organisation.propose_change(act, "carl", "deactivate", {})})
        self.tried("confirm", "admin2", lambda act: organisation.confirm_change(act, made["change"]), refused="admin")
        self.meet()
        self.attempt("hand_over", "sue", lambda act: do.hand_over(act, task["no"], "carl", "ann", "离职"))
        home = next(h for h in self.scans if not self.look("SELECT id FROM record WHERE kind = 'case' AND subject = ?", f"household:{h}"))
        answers = {"household_id": home, "programme": "dibao", "applied_on": self.day, "applied_by": "head", "reason": "困难"}
        self.tried("start dibao-2012", "clerk", lambda act: cases.start(act, "dibao-2012", answers))
        self.jump(timedelta(days=8))
        for row in self.look("SELECT id FROM job WHERE state = 'incident' ORDER BY id LIMIT 1"):
            self.tried("incident", "sue", lambda act: incidents.decide(act, self.made.jobs, cases.refuse_relatives, row["id"], "retry", "接口停用"))
        for row in self.look("SELECT no FROM record WHERE process = 'dibao-2012' AND closed_at IS NULL ORDER BY id"):
            for who in ("clerk", "system"):
                self.answered(row["no"], "complete", who)

    def _round_the_benefits(self):
        cases = self.cases
        live = [row["household_id"] for row in self.look("SELECT household_id FROM benefit b JOIN household h ON h.id = b.household_id WHERE b.status = 'active'"
                                                              " AND b.category = 'dibao' AND h.street = ? ORDER BY b.id", worlds.STREET)]  # fmt: skip
        free = [h for h in live if not self.look(f"SELECT id FROM record r WHERE kind = 'case' AND subject = ? AND closed_at IS NULL AND NOT {DECIDED}", f"household:{h}")]
        home = free[0]
        told = Told("change-report-2012", {}, self.day, self.scans[home], self.members(home))
        for which in (6, 0):  # no change, which ends at once; then one that is withdrawn
            self.tried("start change-report-2012", "clerk", lambda act, which=which: cases.start(act, "change-report-2012", report(home, told)[which]), refused="fin")
        [opened] = self.look("SELECT no FROM record WHERE kind = 'case' AND subject = ? AND closed_at IS NULL AND process = 'change-report-2012'", f"household:{home}")
        self.attempt("withdrawal", "clerk", lambda act: cases.receive(act, opened["no"], "withdrawal", {"withdrawn_on": self.day, "reason": "报错了"}))
        review = {"household_id": home, "occasion": "early", "note": "核实"}
        self.tried("start review-2012", "clerk", lambda act: cases.start(act, "review-2012", review), refused="fin")
        for node in ("deliver_transfer", "deliver_conclusion"):
            self.finish(self.at(node, "change-report-2012"))
        self.post("not_cooperating", {"contacted_on": self.day, "note": "不开门"}, "officer")
        self.jump(timedelta(days=1))
        for process in ("change-report-2012", "review-2012"):
            self.finish(self.at("second_contact", process), 1 if process == "change-report-2012" else 0)
        waiting = self.at("home_survey", "review-2012")
        self.tried("change_reported", "clerk", lambda act: cases.receive(act, waiting["no"], "change_reported", review_change(self.told(waiting["case_id"]))[0]), refused="fin")
        idle = self.look("SELECT id FROM benefit WHERE status = 'active' AND category = 'dibao' ORDER BY id")[0]["id"]
        said = {"suspend": {"reason_code": "under_verification", "reason": "核实"}, "resume": {"reason_code": "verified", "reason": "核实", "pay_suspended": True}}
        for kind, verb in (("suspend", "confirm"), ("resume", "confirm"), ("suspend", "refuse")):
            form = benefit_acts.Suspension if kind == "suspend" else benefit_acts.Resumption
            self.tried(f"propose {kind}", "rita", lambda act, kind=kind, form=form: {"id": benefit_acts.propose(
                act, idle, kind, understand(form(context={"today": act.today}), said[kind]))}, refused="ann")  # fmt: skip
            self.tried(f"{verb} {kind}", "app", lambda act, verb=verb, kind=kind: {"id": getattr(benefit_acts, verb)(act, idle, kind, {"opinion": "意见"})}, refused="rita")
            self.made.jobs.run_all()
        self.tried("review class", "rita", lambda act: {"id": benefit_acts.change_class(act, idle, {"review_class": "B", "reason": "情况变化"})}, refused="ann")
        owed = self.look("SELECT id, benefit_id FROM settlement WHERE status = 'found' AND kind = 'recovery' ORDER BY id")
        self.tried("waiver", "app", lambda act: benefit_acts.waived(act, owed[0]["benefit_id"], owed[0]["id"], {"reason": "确有困难"}), refused="clerk")
        self.tried("payment", "fin", lambda act: benefit_acts.settled(act, owed[1]["benefit_id"], owed[1]["id"], {"cleared_on": self.day, "note": "凭证"}), refused="clerk")
        [month, *_] = standards.months_with_new_standard(self.office.today())
        for verb in ("withdraw", "confirm"):
            self.tried("propose standard", "app", lambda act: {"no": standards.propose(act, month)}, refused="clerk")
            self.made.jobs.run_all()
            no = self.look("SELECT no FROM standard_batch ORDER BY id DESC")[0]["no"]
            by = "app" if verb == "withdraw" else "hat1"
            self.tried(f"{verb} standard", by, lambda act, verb=verb, no=no: getattr(standards, verb)(act, no, "意见"), refused="clerk")
            self.made.jobs.run_all()

    def _round_the_room(self):
        asked = self.look("SELECT id FROM special_case_request WHERE status = 'submitted' ORDER BY id DESC")[0]["id"]
        answers = {"kind": "case", "planned_on": self.day, "place": "三楼", "requests": [asked], "units": [MEMBERS[f"m.{one}"] for one in SMALL]}
        self.tried("start joint-meeting", "secretary", lambda act: self.cases.start(act, "joint-meeting", answers))
        held = self.look("SELECT no FROM joint_meeting WHERE status = 'open' ORDER BY id")[0]["no"]
        self.attempt("vote", "vera", lambda act: meetings.cast_vote(act, held, 1, "for"))
        self.ballot(held, next(m[0] for m in meetings.MOTIONS if m[0] not in ("", "approve_as")))
        done = self.look("SELECT no FROM joint_meeting WHERE status = 'confirming' ORDER BY id")[0]["no"]
        for one in ("finance", "health"):
            said = {"unit": MEMBERS[f"m.{one}"], "agrees": True}
            self.tried("minutes_confirmed", f"m.{one}", lambda act, said=said: meetings.confirm(act, self.cases, done, said))
        waiting = self.look("SELECT r.no FROM record r JOIN special_case_request s ON s.case_no = r.no WHERE s.status = 'submitted'")[0]["no"]
        answers = {"resolution": "approve_as", "reasons": "研究", "meeting_no": "LX-2018-000001", "item": 1, "approved_category": "low_income", "approved_amount": "276"}
        self.attempt("resolution", "secretary", lambda act: self.cases.receive(act, waiting, "resolution", answers))

    # -- what must hold after each step, read from the rows

    @invariant()
    def count(self):
        SEEN["done"]["steps"] += 1

    @invariant()
    def nobody_did_two_things_that_exclude_each_other(self):
        for case in self.look("SELECT id, seq, process, subject, opened_by FROM record WHERE kind = 'case'"):
            if self.read_to[case["id"]] == case["seq"]:
                continue
            acts, signed = self.acts[case["id"]], self.signed[case["id"]]
            for said in self.bodies(case["id"], self.read_to[case["id"]]):
                self.read_to[case["id"]] = said["seq"]
                self.read(said, acts, signed)
                if said["event"] == "task_completed" and said["seq"] > self.before.get(case["id"], 0):  # in this run
                    SEEN["completed"][f"{case['process']} {said['data']['task'].rpartition('.')[0]}"] += 1
            related = self.related(case["subject"])
            persons = [(node, who) for node, *both in acts for who in both if who and who != "system"]
            check_duties(persons, related=related)
            for _, who in signed:  # an opinion is held to what excludes each other like an act, in whatever order they came
                nodes = {node for node, one in [*persons, *signed] if one == who}
                assert not any(nodes & one and nodes & other for one, other in NEVER_BOTH), (who, nodes)
                assert not (nodes & APPROVE and nodes - APPROVE), (who, nodes)
            rows = self.look("SELECT node, done_by, done_for FROM task WHERE case_id = ? AND state = 'done'", case["id"])
            assert sorted((r["node"], r["done_by"], r["done_for"] or "") for r in rows) == sorted(acts[1:]), "the rows say what the record says"
            assert acts[0][:2] == ("start", case["opened_by"])

    def read(self, said, acts, signed):
        """acts: (node, who did it, for whom)."""
        data, actor = said.get("data", {}), said["actor"]
        node = data.get("task", "").rpartition(".")[0]
        if said["event"] == "case_started":
            acts.append(("start", actor["id"], actor.get("for", "")))
        elif said["event"] == "task_completed":
            late = "completer" in data
            who = (data["completer"], data.get("on_behalf_of")) if late else (actor["id"], actor.get("for"))
            acts.append((node, who[0], who[1] or data.get("owner") or ""))
            signed += [(node, actor["id"])] if late else []
        elif said["event"] == "signer_answered":
            signed.append((node, actor["id"]))
        elif said["event"] == "task_taken_back":
            gone = acts.pop()
            assert gone[0] == node and actor["id"] in gone[1:], "the latest is taken back, by who did it"

    def related(self, subject):
        home = int((subject or "").partition(":")[2] or 0) if (subject or "").startswith("household:") else 0
        return bool(home) and bool(self.look("SELECT p.id FROM household_member h JOIN person p ON p.id = h.person_id JOIN staff_relative s ON s.id_blind = p.id_blind"
                                             " WHERE h.household_id = ?", home))  # fmt: skip

    @invariant()
    def nobody_is_counted_in_two_benefits(self):
        twice = self.look("SELECT p.id_blind FROM benefit_person p JOIN benefit b ON b.id = p.benefit_id WHERE p.active"
                          " AND b.status IN ('pending_first_payment', 'active', 'suspended') GROUP BY p.id_blind HAVING count(*) > 1")  # fmt: skip
        assert not twice

    @invariant()
    def a_household_has_one_case_under_way(self):
        """So no benefit has two reviews, and no report stands beside one: it is recorded in the case that is open. One that has decided,
        and has only its letter or its plan left, is in nobody's way."""
        assert not self.look(f"SELECT subject FROM record r WHERE kind = 'case' AND closed_at IS NULL AND subject LIKE 'household:%' AND NOT {DECIDED} GROUP BY subject HAVING count(*) > 1")

    @invariant()
    def every_open_case_has_something_that_moves_it(self):
        stuck = self.look("SELECT no FROM record r WHERE kind = 'case' AND closed_at IS NULL"
                          " AND NOT EXISTS (SELECT 1 FROM task t WHERE t.case_id = r.id AND t.state = 'open')"
                          " AND NOT EXISTS (SELECT 1 FROM job j WHERE j.record_id = r.id AND j.state IN ('ready', 'running', 'incident', 'cancelled'))"
                          " AND NOT EXISTS (SELECT 1 FROM special_case_request q WHERE q.case_no = r.no AND q.status = 'submitted')"
                          " AND NOT EXISTS (SELECT 1 FROM joint_meeting m WHERE m.case_id = r.id AND m.status = 'confirming')")  # fmt: skip
        assert not stuck
        for row in self.look("SELECT r.id FROM record r JOIN joint_meeting m ON m.case_id = r.id WHERE m.status = 'confirming' AND r.closed_at IS NULL"
                             " AND NOT EXISTS (SELECT 1 FROM task t WHERE t.case_id = r.id AND t.state = 'open')"):  # fmt: skip
            assert self.facts(row["id"])["to_confirm"], "a unit can still say something to the minutes"

    @invariant()
    def a_closed_case_is_closed(self):
        assert not self.look("SELECT t.key FROM task t JOIN record r ON r.id = t.case_id WHERE r.closed_at IS NOT NULL AND t.state = 'open'")
        assert not self.look("SELECT j.key FROM job j JOIN record r ON r.id = j.record_id WHERE j.kind = 'timer' AND r.closed_at IS NOT NULL AND j.state = 'ready'")
        assert not self.look("SELECT no FROM record WHERE kind = 'case' AND (closed_at IS NULL) <> (outcome IS NULL)")
        assert not self.look("SELECT q.id FROM special_case_request q JOIN record r ON r.no = q.case_no WHERE r.closed_at IS NOT NULL AND q.status = 'submitted'")

    @invariant()
    def how_a_case_ended_is_what_became_of_the_benefit(self):
        for row in self.look("SELECT id, no, seq, outcome FROM record WHERE kind = 'case' AND closed_at IS NOT NULL AND process <> 'joint-meeting'"):
            if self.before.get(row["id"]) != row["seq"]:
                kinds = {r["kind"] for r in self.look("SELECT kind FROM benefit_adjustment WHERE case_no = ?", row["no"])}
                assert kinds & BECAME[row["outcome"]] or kinds == BECAME[row["outcome"]], (row["outcome"], kinds)

    @invariant()
    def what_is_due_for_review_is_reviewed_or_will_be(self):
        late = self.look("SELECT b.id FROM benefit b WHERE b.status IN ('pending_first_payment', 'active', 'suspended') AND b.next_review_on < ?"
                         f" AND NOT EXISTS (SELECT 1 FROM record r WHERE r.kind = 'case' AND r.closed_at IS NULL AND r.subject = 'household:' || b.household_id AND NOT {DECIDED})"
                         " AND NOT EXISTS (SELECT 1 FROM job j WHERE j.record_id = b.id / 65536 AND j.kind = 'review_due' AND j.state IN ('ready', 'incident', 'cancelled'))",
                         self.day)  # fmt: skip
        assert not late

    @invariant()
    def the_next_report_of_each_household_is_planned(self):
        """The duty to report is never lost: whoever receives a benefit has a next day, to come, with its job; and is reminded of each once."""
        live = "b.status IN ('pending_first_payment', 'active', 'suspended')"
        assert not self.look(f"SELECT b.id FROM benefit b WHERE {live} AND (b.next_report_on IS NULL OR b.next_report_on <= ?)", self.day)
        assert not self.look(f"SELECT b.id FROM benefit b WHERE {live} AND NOT EXISTS (SELECT 1 FROM job j WHERE j.record_id = b.id / 65536 AND j.kind = 'report_due'"
                             " AND j.state IN ('ready', 'incident', 'cancelled') AND substr(j.key, 1, 10) = b.next_report_on)")  # fmt: skip
        assert not self.look("SELECT benefit_id FROM report_duty GROUP BY benefit_id, due_on HAVING count(*) > 1")

    @invariant()
    def money_of_past_months_keeps_a_benefit_from_being_closed_and_nothing_else_does(self):
        assert not self.look("SELECT s.id FROM settlement s JOIN benefit b ON b.id = s.benefit_id WHERE s.status IN ('found', 'agreed') AND b.status = 'closed'")
        assert not self.look("SELECT id FROM settlement WHERE kind = 'arrears' AND status = 'waived'")
        assert not self.look("SELECT b.id FROM benefit b WHERE b.status = 'stopped' AND b.stopped_from <= ? AND NOT EXISTS"
                             " (SELECT 1 FROM settlement s WHERE s.benefit_id = b.id AND s.status IN ('found', 'agreed'))", self.day[:7])  # fmt: skip
        assert not self.look("SELECT benefit_id FROM benefit_proposal WHERE state = 'proposed' GROUP BY benefit_id HAVING count(*) > 1")

    @invariant()
    def tasks_belong_to_somebody_who_may_do_them(self):
        """Who holds a task has the post for it and is no relative; or he has left, and it is on the supervisor's list of what is left behind."""
        for task in self.look("SELECT t.*, r.subject FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' AND t.assignee IS NOT NULL"):
            who = self.people.get(task["assignee"])
            if who is None:
                assert not self.one("SELECT active FROM staff WHERE login = ?", task["assignee"]), task
                continue
            assert who.holds(task["role"], task["unit"]), task
            assert not (task["assignee"] == RELATIVE and self.related(task["subject"])), task

    @invariant()
    def deadlines_only_move_on(self):
        """The clock stands for supplements and never runs backwards."""
        for task in self.look("SELECT id, due_on FROM task WHERE state = 'open' AND due_on IS NOT NULL"):
            assert self.due.get(task["id"], "") <= task["due_on"], task
            self.due[task["id"]] = task["due_on"]

    @invariant()
    def votes_are_one_a_unit_and_locked_at_the_announcement(self):
        assert not self.look("SELECT item_id FROM meeting_vote GROUP BY item_id, ballot, unit HAVING count(*) > 1")
        assert not self.look("SELECT i.id FROM agenda_item i WHERE i.resolution = 'approve_as' AND i.votes_for * 2 <= i.base")
        for row in self.look("SELECT i.id, i.votes_for FROM agenda_item i WHERE i.resolution IS NOT NULL"):
            counted = self.one("SELECT count(*) FROM meeting_vote v JOIN agenda_item i ON i.id = v.item_id AND i.ballot = v.ballot WHERE i.id = ? AND v.choice = 'for'", row["id"])
            assert counted >= row["votes_for"], "no vote came after the announcement, and none is gone"

    # -- and at the end of a run: whatever came before, the work goes on; then the engine's own proof

    def close_the_day(self):
        """The people whose work it is do what is open, what this run has done least first. No choice is drawn here."""
        tried = set()
        for row in self.look("SELECT id, no, drawing, state FROM record WHERE kind = 'case' AND closed_at IS NULL AND process <> 'joint-meeting' ORDER BY id"):
            with self.office.read() as conn:
                waits = Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).waits_for()
            if "registry_answer" in waits:  # what the registries say is read in every run
                self.answered(row["no"], "complete", "system")
        for _ in range(CLOSING):
            rows = self.look("SELECT t.*, r.process, r.no FROM task t JOIN record r ON r.id = t.case_id WHERE t.state = 'open' ORDER BY t.id")
            rows = sorted((r for r in rows if r["id"] not in tried), key=lambda row: self.done[row["process"], row["node"]])
            if not rows:
                if not self.come_in():
                    break
                continue
            tried.add(rows[0]["id"])
            self.do_regularly(rows[0])
        for looked_at in (self.nobody_did_two_things_that_exclude_each_other, self.every_open_case_has_something_that_moves_it, self.a_closed_case_is_closed,
                          self.tasks_belong_to_somebody_who_may_do_them, self.deadlines_only_move_on, self.a_household_has_one_case_under_way):  # fmt: skip
            looked_at()

    def do_regularly(self, task):
        told = self.told(task["case_id"])
        who, known = regular(task, told.facts), options(task["node"], told)
        if task["node"] == "renew_authorisations":
            self.papers(told.facts["household_id"])
        if task["node"] == "announce_item":
            self.ballot(task["no"])
        others = [n for n, a in self.people.items() if n != who and a.holds(task["role"], task["unit"])]
        for one, answers in [*((n, known[0]) for n in [who, *others[:3]]), *((who, answers) for answers in known[1:4])]:
            task = {**task, **self.look("SELECT * FROM task WHERE id = ?", task["id"])[0]}
            if task["assignee"] not in (None, one):
                self.attempt("transfer", "sue", lambda act, task=task, one=one: self.cases.transfer(act, task["id"], one, "代办"))
            if self.complete(task, one, answers, (f"k{next(self.numbers)}", answers), None) is not None:
                return

    def come_in(self):
        """What cases without tasks wait for arrives; whether anything did."""
        rows = self.look("SELECT r.id, r.no, r.drawing, r.state FROM record r WHERE kind = 'case' AND closed_at IS NULL"
                         " AND NOT EXISTS (SELECT 1 FROM task t WHERE t.case_id = r.id AND t.state = 'open') ORDER BY r.id")  # fmt: skip
        before = self.one("PRAGMA data_version")
        for row in rows:
            with self.office.read() as conn:
                waits = Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).waits_for()
            if "registry_answer" in waits:
                self.answered(row["no"], "complete", "system")
            if "minutes_confirmed" in waits:
                for unit in self.facts(row["id"])["to_confirm"]:
                    said = {"unit": unit, "agrees": True}
                    self.attempt("minutes_confirmed", MEMBER_OF[unit], lambda act, no=row["no"], said=said: meetings.confirm(act, self.cases, no, said))
        if before == self.one("PRAGMA data_version"):
            self.jump(timedelta(days=8))
        return before != self.one("PRAGMA data_version")

    def teardown(self):
        if not hasattr(self, "eye"):
            return
        try:
            self.close_the_day()
            self.proof()
            for kind in KINDS:  # in how many runs something came to pass, apart from how often
                SEEN["runs"].update(f"{kind} {name}" for name in SEEN[kind] - self.begun[kind])
        finally:
            self.eye.close()
            self.office.store.close()
            for part in self.file.parent.glob(f"{self.file.name}*"):
                part.unlink()

    def proof(self):
        with self.office.read() as conn:
            for row in conn.execute(select(store.record).where(store.record.c.kind == "case")).mappings().all():
                if self.before.get(row["id"]) == row["seq"]:
                    assert row["head"] == self.worlds.rows[self.world].heads[row["id"]]
                    continue  # nothing happened to it in this run: it was proved when the district was made
                entries = history(conn, self.office.keys.on(conn), row["id"])
                assert seals_hold(entries) is None
                assert (entries[-1].leaf, len(entries)) == (row["head"], row["seq"])
                run = list(self.cases.replaying(conn, entries))[-1][1]
                assert fingerprint(run.dump()) == fingerprint(unpacked(row["state"]))
                open_keys = {r["key"] for r in self.look("SELECT key FROM task WHERE case_id = ? AND state = 'open'", row["id"])}
                assert open_keys == run.open_tasks().keys()
                timers = {r["key"] for r in self.look("SELECT key FROM job WHERE record_id = ? AND kind = 'timer' AND state = 'ready'", row["id"])}
                assert timers == (set() if run.ended else run.timers().keys())
                SEEN["ended"][f"{row['process']} {row['outcome']}"] += 1
                if currently_in_test_context():
                    event(f"ended: {row['outcome']}")
        assert self.worlds.rows[self.world].differences(self.office) == []


def utc(text: str):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def check_duties(acts, *, related):
    """acts: (node, person) in order."""
    for who in {a[1] for a in acts}:
        mine = [node for node, one in acts if one == who]
        nodes = set(mine)
        assert not (nodes & APPROVE and nodes - APPROVE), (who, mine)
        assert not (related and who == RELATIVE and nodes), (who, mine)
        for one, other in NEVER_BOTH:
            assert not (nodes & one and nodes & other), (who, mine)
        for late, early in NOT_AFTER:
            first = next((n for n, node in enumerate(mine) if node in early), len(mine))
            assert not set(mine[first:]) & late, (who, mine)
    surveyors = set()
    for n, (node, who) in enumerate(acts):
        if node == "home_survey":  # done for somebody else, both stand for it
            surveyors = {who} if n == 0 or acts[n - 1][0] != "home_survey" else surveyors | {who}
        assert node != "survey_cosign" or who not in surveyors, "two distinct investigators sign"


@pytest.mark.parametrize(("acts", "wrong"), [
    ([("start", "a"), ("home_survey", "b"), ("survey_cosign", "c"), ("street_opinion", "d"), ("street_signoff", "e"), ("decide", "f")], False),
    ([("home_survey", "b"), ("survey_cosign", "b")], True), ([("start", "a"), ("street_signoff", "a")], True), ([("neighbor_enquiry", "a"), ("issue_check_rejection", "a")], True),
    ([("street_opinion", "a"), ("street_signoff", "a")], True), ([("decide", "a"), ("deliver_approval", "a")], True), ([("street_opinion", "a"), ("means_check", "a")], True),
    ([("means_check", "a"), ("street_opinion", "a")], False), ([("supplement", RELATIVE)], True), ([("start", RELATIVE)], True),
    ([("register_change", "a"), ("street_signoff", "a")], True), ([("open_meeting", "a"), ("announce_item", "a")], True), ([("contact_household", "a"), ("decide", "a")], True),
    ([("home_survey", "a"), ("home_survey", "b"), ("survey_cosign", "a")], True), ([("contact_household", "a"), ("means_check", "a"), ("recovery_plan", "a")], False),
])  # fmt: skip
def test_the_tests_own_table_of_duties_can_tell(acts, wrong):
    if wrong:
        with pytest.raises(AssertionError):
            check_duties(acts, related=True)
    else:
        check_duties(acts, related=True)


@pytest.mark.parametrize("world", SHARES)
def test_whatever_people_try_the_records_hold(world, monkeypatch, caplog, tmp_path_factory):
    """A test for each district in which runs begin, so that two workers of the tests share them."""
    caplog.set_level("CRITICAL", "engine.jobs")
    monkeypatch.setattr(spot_check, "secrets", Seeds())
    SEEN.clear()
    with tempfile.TemporaryDirectory() as folder:
        District.worlds = worlds.Worlds(pathlib.Path(folder), world)
        machine = type(f"District of {world}", (District,), {"world": world})
        toured(machine())
        run_state_machine_as_test(machine, settings=settings(
            max_examples=RUNS * SHARES[world] // 20, stateful_step_count=50, deadline=None, derandomize=RUNS == 20, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck)))  # fmt: skip
    sys.stdout.write(json.dumps({k: dict(v) for k, v in SEEN.items()}, default=str))
    if (together := all_seen(world, tmp_path_factory)) is not None:
        they_tried_all_of_it(together)


def toured(machine):
    """One run by hand: what chance comes to too seldom. All that must hold after a step holds after it, and the same is proved."""
    try:
        machine.begin(keen="hat1")
        machine.tour()
        for name in sorted(vars(District)):
            if hasattr(getattr(District, name), "hypothesis_stateful_invariant"):
                getattr(machine, name)()
    finally:
        machine.teardown()


def all_seen(world, tmp_path_factory):
    """What was seen in all districts, for whoever is through last; None for the others. Workers of the tests share a folder."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "machine"
    folder.mkdir(exist_ok=True)
    (part := folder / f"{world}.part").write_text(json.dumps(SEEN), encoding="utf-8")
    part.rename(folder / f"{world}.json")
    parts = sorted(folder.glob("*.json"))
    if len(parts) < len(SHARES):
        return None
    found = defaultdict(Counter)
    for one in parts:
        for kind, names in json.loads(one.read_text(encoding="utf-8")).items():
            found[kind].update(names)
    return found


def they_tried_all_of_it(seen):
    """Not about what is right: that the machine still plays every task of the four drawings, every kind of end, and every verb."""
    drawn = {f"{key} {node}" for key in PLAYED for node in CATALOGUE[key].drawing.of_kind("userTask")}
    assert sorted(drawn - ELSEWHERE - seen["completed"].keys()) == []
    ends = {key: {one for one in seen["ended"] if one.startswith(f"{key} ended_")} for key in PLAYED}
    wanted = {key: number - (RUNS != 20) for key, number in ENDS.items()}  # of new runs the rarest end may be missing, like a meeting that is called off
    assert {key: len(found) for key, found in ends.items() if len(found) < wanted[key]} == {}, ends
    for kind, names in (("done", VERBS), ("refused", REFUSED)):
        assert sorted(names - seen[kind].keys()) == []  # each of them: the tour sees to the rare ones
    assert seen["done"]["complete"] >= 10 * RUNS


ELSEWHERE = {f"{key} {node}" for key in ("change-report-2012", "review-2012") for node in ("post_stop_notice", "remove_stop_notice")}  # of the destitute, of whom these districts have none (test_destitute)
ENDS = {"dibao-2012": 3, "review-2012": 3, "change-report-2012": 6, "joint-meeting": 2}  # different ends that the same 20 runs come to: all of them
VERBS = {"complete", "repeat", "clock", "start dibao-2012", "start review-2012", "start change-report-2012", "start joint-meeting", "claim", "release", "transfer", "delegate",
         "escalate", "send_back", "sign", "add_signers", "withdraw_signer", "urge", "take_back", "copy", "mark_read", "comment", "draft", "objection", "withdrawal",
         "change_reported", "not_cooperating", "registries", "vote", "new_ballot", "minutes_confirmed", "substitute", "for an absent one", "confirm", "hand_over",
         "incident", "answers from the form", "note", "propose suspend", "confirm suspend", "refuse suspend", "propose resume", "confirm resume", "review class",
         "payment", "waiver", "propose standard", "confirm standard", "withdraw standard"}  # fmt: skip
REFUSED = {"complete", "start dibao-2012", "start review-2012", "start change-report-2012", "start joint-meeting", "claim", "release", "transfer", "delegate", "escalate",
           "send_back", "add_signers", "take_back", "copy", "objection", "withdrawal", "change_reported", "resolution", "registries", "vote", "minutes_confirmed",
           "substitute", "confirm", "incident", "propose suspend", "confirm suspend", "review class", "payment", "waiver", "propose standard", "confirm standard"}  # fmt: skip
