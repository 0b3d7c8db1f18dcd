"""People with names and places: the staff of one street and of the district, and a household that applies."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import argon2

from engine import queries
from engine.model import Actor
from processes import documents, households, identity, organisation
from tests.kept import Shelf

STREET, COMMUNITY = "120116001", "120116001016"
PASSWORD = "binhai-2018"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # a good hash is slow on purpose, at every sign-in
HASHED = CHEAP.hash(PASSWORD)
STAFF = {
    "clerk": ("window_clerk", STREET), "clerk2": ("window_clerk", STREET), "ann": ("investigator", STREET), "bob": ("investigator", STREET),
    "carl": ("investigator", STREET), "officer": ("civil_affairs_officer", STREET), "rita": ("reviewer", STREET), "lee": ("street_leader", STREET),
    "vera": ("village_committee", COMMUNITY), "checker": ("means_checker", "120116"), "spot": ("spot_checker", "120116"), "exam": ("district_examiner", "120116"),
    "app": ("approver", "120116"), "sue": ("supervisor", "120116"), "admin": ("admin", "120116"), "admin2": ("admin", "120116"),
    "stranger": ("window_clerk", "120116005"), "auditor": ("auditor", "120116"),
}  # fmt: skip
REVIEWERS = [{"name": "干部", "kind": "street_staff", "signed": True}] + [{"name": f"代表{n}", "kind": "resident_representative", "signed": True} for n in range(2)]


def paper(town: Any, who: str | Actor, household_id: int, kind: str = "signature", title: str = "签字页", data: bytes = b"%PDF-1.4 page") -> int:
    """A scan that somebody of the town sends in for a household, as each door does it; the document's id."""
    actor = town.people[who] if isinstance(who, str) else who
    staged = documents.stage(town.office, actor, town.bureau.settings.files, household_id, io.BytesIO(data))
    with town.office.act(actor) as act:
        return documents.keep(act, staged, kind, title)


class District:
    """The tests' hands: `do` completes a task as somebody, through the engine's own verbs."""

    def __init__(self, bureau: Any, clock: Any, *, filled: bool = False) -> None:
        """`filled`: the database is a copy of one that has these people."""
        self.bureau, self.clock, self.office, self.cases = bureau, clock, bureau.office, bureau.cases
        self.shelf: Shelf | None = None
        if not filled:
            self._fill()
        with self.office.read() as conn:
            self.people: dict[str, Actor] = {login: organisation.find_actor(conn, login) for login in STAFF}  # type: ignore[misc]

    def _fill(self) -> None:
        with self.office.act() as act:
            record = act.new("unit", "120116")
            from engine.model import Put

            rows = [("120116", "滨海新区", "district", ""), (STREET, "塘沽街道", "street", "120116"), (COMMUNITY, "紫云园社区", "community", STREET),
                    ("120116005", "杭州道街道", "street", "120116"), ("120116005001", "某社区", "community", "120116005")]  # fmt: skip
            puts = [Put("unit", record.next_id(), {"code": c, "name": n, "level": level, "parent_code": p}) for c, n, level, p in rows]
            act.append(record, "units_listed", puts=puts)
            for login, (role, unit) in STAFF.items():
                organisation.add_staff(act, login, f"某{login}", PASSWORD, [(role, unit)], hashed=HASHED)

    def road(self, name: str, how: Any, make: Callable[[], Any], *holders: Any) -> Any:
        """Do what `make` does, as `how` says; in a test of a fresh district where another test has done it, take its copy."""
        return self.shelf.go(self, (name, repr(how)), make, self, *holders) if self.shelf else make()

    def household(self, *wages: int, n: int = 3, serial: int = 1, sign: bool = True, assets: int = 0, **more: Any) -> int:
        """n members; the first earns `wages` (fen a month, employed). Returns the household's id."""
        born = date(1975, 3, 1)
        members = []
        for i in range(n):
            income = [{"kind": "wage_income", "amount_fen": w, "period": "month"} for w in wages] if i == 0 else []
            members.append({
                "name": f"张{'一二三四五六'[i]}", "id_no": identity.invent(date(born.year + i, 3, 1), "male", serial * 7 + i),
                "relation": ("head", "spouse", "child", "other", "other", "other")[i], "employment": "employed" if income else "none",
                "labour_ability": "full", "income": income})  # fmt: skip
        members[-1] |= more.pop("last", {})
        data = {"community": COMMUNITY, "hukou_kind": "urban", "address": "演示路1号", "phone": "13800138000", "members": members, **more}
        if assets:
            data["property"] = [{"kind": "monetary_assets", "amount_fen": assets}]
        with self.office.act(self.people["clerk"]) as act:
            household_id = households.register(act, data)
        self.scan = paper(self, "clerk", household_id)
        with self.office.act(self.people["clerk"]) as act:
            if sign:
                self.sign(act, household_id)
        return household_id

    def sign(self, act: Any, household_id: int) -> None:
        day = act.today
        for person_id in households.missing_authorisations(act.conn, household_id, day):
            households.authorise(act, household_id, person_id, day.isoformat(), f"{day.year + 1}-12-31")

    def apply(self, household_id: int, process: str = "dibao-2012") -> str:
        answers = {"household_id": household_id, "programme": "dibao", "applied_on": self.office.today().isoformat(), "applied_by": "head", "reason": "困难"}
        with self.office.act(self.people["clerk"]) as act:
            self.no = self.cases.start(act, process, answers)["case"]
        return self.no

    def tasks(self, no: str | None = None) -> dict[str, Any]:
        with self.office.read() as conn:
            row = queries.case_row(conn, no or self.no)
            return {t["node"]: t for t in queries.case_tasks(conn, row["id"]) if t["state"] == "open"}

    def case(self, no: str | None = None) -> Any:
        with self.office.read() as conn:
            return queries.case_row(conn, no or self.no)

    def facts(self) -> dict[str, Any]:
        from engine.bpmn import Run

        row = self.case()
        with self.office.read() as conn:
            return Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).facts

    def do(self, who: str, node: str, **answers: Any) -> dict[str, Any]:
        task = self.tasks()[node]
        with self.office.act(self.people[who]) as act:
            return self.cases.complete(act, task["id"], answers)

    def send(self, who: str, message: str, **answers: Any) -> dict[str, Any]:
        with self.office.act(self.people[who]) as act:
            return self.cases.receive(act, self.no, message, answers)

    def registries(self, status: str = "complete") -> None:
        with self.office.act() as act:
            self.cases.receive_by_id(act, self.case()["id"], "registry_answer", {"status": status, "results": []})

    def resolve(self, resolution: str = "approve_as", **more: Any) -> None:
        """What a joint meeting would tell the case; tests/meeting_room.py holds real meetings."""
        said = {"resolution": resolution, "reasons": "集体研究", "meeting_no": "LX-2018-000000", "item": 1, **more}
        if resolution == "approve_as":
            said = {"approved_category": "low_income", "approved_amount": "276"} | said
        with self.office.act() as act:
            self.cases.receive(act, self.no, "resolution", said)

    # -- stretches of the road

    def accept(self) -> None:
        self.do("clerk", "completeness_check", outcome="complete")

    def check(self, conclusion: str = "consistent", **more: Any) -> None:
        self.registries()
        self.do("checker", "means_check", check_conclusion=conclusion, report="报告", **more)

    def survey(self) -> None:
        day = self.office.today().isoformat()
        self.do("ann", "home_survey", surveyed_on=day, second_investigator="bob", met_person="张一", housing="一居室", living="简朴", findings="属实", surveyed_signature=self.scan)
        self.do("bob", "survey_cosign", agree="agree")
        self.do("ann", "neighbor_enquiry", enquired_on=day, persons="邻居", statement="困难")

    def review(self, conclusion: str = "agree") -> None:
        self.do("officer", "democratic_review", held_on=self.office.today().isoformat(), place="居委会", chair="主任", participants=REVIEWERS, statements="属实", review_conclusion=conclusion)

    def street(self) -> None:
        self.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
        self.do("lee", "street_signoff", signoff="agree", opinion="同意")

    def post(self, node: str = "post_street_notice") -> None:
        self.do("vera", node, posted_on=self.office.today().isoformat(), places=["village_board"])

    def submit(self) -> None:
        self.do("vera", "remove_street_notice", removed_on=self.office.today().isoformat(), objections="none")
        self.do("rita", "submit_to_district", contents=["application", "survey", "review", "opinion"])
        if "spot_check_visit" in self.tasks():
            self.do("spot", "spot_check_visit", visited_on=self.office.today().isoformat(), second_visitor="乙", findings="一致", agrees=True)

    def at(self, moment: str) -> None:
        """Move the clock and let timers fire."""
        self.clock.set(moment)
        self.bureau.jobs.run_all()

    def to_street_opinion(self, *wages: int, **kind: Any) -> None:
        self.road("to_street_opinion", (wages, kind), lambda: self._to_street_opinion(*wages, **kind))

    def _to_street_opinion(self, *wages: int, **kind: Any) -> None:
        self.apply(self.household(*(wages or (210_000,)), **kind))
        self.accept()
        self.check()
        self.survey()

    def to_refusal(self) -> None:
        """A household whose income is too high, up to the delivery of the letter, on one day."""
        self.road("to_refusal", None, self._to_refusal)

    def _to_refusal(self) -> None:
        reason = {"reason_code": "income_over", "clause": "第四条"}
        self.to_street_opinion(600_000)
        self.review()
        self.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入高", **reason)
        self.do("lee", "street_signoff", signoff="agree", opinion="同意")
        self.do("rita", "submit_to_district", contents=["application", "survey", "opinion"])
        if "spot_check_visit" in self.tasks():
            self.do("spot", "spot_check_visit", visited_on=self.office.today().isoformat(), second_visitor="乙", findings="一致", agrees=True)
        self.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符合", **reason)
        self.do("app", "decide_refusal", decision="refused", opinion="收入高于标准", **reason)

    def to_decision(self, last: str = "2018-12-19") -> None:
        """From the street's notice, posted on 2018-12-03, to the decision; the district's comes down on `last`."""
        self.at("2018-12-11T09:00")
        self.submit()
        self.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
        self.post("post_district_notice")
        self.at(f"{last}T09:00")
        self.do("vera", "remove_district_notice", removed_on=last, objections="none")

    def to_district(self) -> None:
        self.road("to_district", None, self._to_district)

    def _to_district(self) -> None:
        self.to_street_opinion()
        self.review()
        self.street()
        self.post()
        self.at("2018-12-11T09:00")
        self.submit()
