"""The roads of cases gone through the HTTP API alone: every act is a request of its role, with that role's token; time moves and jobs run between."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from sqlalchemy import select

from engine import store
from processes import identity
from processes.rebuild import differences
from tests.district import COMMUNITY, REVIEWERS
from tests.web.test_api import Door

_MARKED = range(93, 98)  # the bundled registries answer oddly about whose number ends so: see web.registry


def person(name: str, relation: str, born: str, income: str = "", *, sex: str = "male", kind: str = "transfer_income", **more: Any) -> dict[str, Any]:
    """A member as POST households takes him; `income`: yuan a month. Without `id_no` he gets an invented number when he is registered."""
    items = [{"kind": kind, "amount_fen": income, "period": "month"}] if income else []
    return {"name": name, "relation": relation, "born": born, "sex": sex, "employment": "none", "labour_ability": "full", "income": items, **more}


def worker(wage: str, name: str = "张一") -> dict[str, Any]:
    return person(name, "head", "1980-06-15", wage, kind="wage_income", employment="employed")


def wife(**more: Any) -> dict[str, Any]:
    return person("李二", "spouse", "1981-02-03", sex="female", **{"labour_ability": "completely_lost", **more})


def child(**more: Any) -> dict[str, Any]:
    return person("张三", "child", "2010-09-09", **{"employment": "student", "labour_ability": "none", "full_time_student": True, **more})


def elders(*incomes: str, **last: object) -> list[dict[str, Any]]:
    """Members with an income a month each, as a pension: head, spouse, children."""
    people = [person(f"赵{'一二三四'[n]}", ("head", "spouse", "child", "child")[n], f"{1971 + n}-03-01", income) for n, income in enumerate(incomes)]
    people[-1] |= last
    return people


class Roads(Door):
    """`go` completes a task of the case that `no` names; `home` is the household that was registered last."""

    def __init__(self, bureau: Any, district: Any) -> None:
        super().__init__(bureau, district)
        self.clock, self.no, self.home, self.members, self.page = district.clock, "", 0, [], 0
        self._invented: dict[tuple[str, str], int] = {}
        self._pages: dict[int, int] = {}

    # -- time

    @property
    def today(self) -> str:
        return self.clock.now.date().isoformat()

    def at(self, moment: str) -> None:
        """The clock comes to that moment, and the jobs that are due are done."""
        self.clock.set(moment)
        self.bureau.jobs.run_all()

    # -- households

    def number(self, born: str, sex: str) -> str:
        while True:
            serial = self._invented[born, sex] = self._invented.get((born, sex), 0) + 1
            found = identity.invent(date.fromisoformat(born), sex, serial)
            if int(found[-3:-1]) not in _MARKED:
                return found

    def written(self, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The body of POST households."""
        members = []
        for one in people:
            found = dict(one)
            born, sex = found.pop("born"), found.pop("sex")
            members.append({"id_no": self.number(born, sex), **found})
        return {"community": COMMUNITY, "hukou_kind": "urban", "address": "演示路1号", "phone": "13800138000", "members": members, **more}

    def register(self, *people: dict[str, Any], unsigned: tuple[int, ...] = (), **more: Any) -> int:
        """A household with a scanned page, whose adults have signed the authorisation, but for the positions `unsigned`."""
        return self.take(self.written(*people, **more), unsigned)

    def take(self, body: dict[str, Any], unsigned: tuple[int, ...] = ()) -> int:
        made = self.good("clerk", "POST", "/households", body)
        self.home, self.members, self.body = made["id"], made["members"], body
        self._pages[self.home] = self.upload()
        self.choose(self.home)
        for position, one in enumerate(body["members"]):
            if one["id_no"][6:10] < "2000" and position not in unsigned:
                self.authorise(position)
        return self.home

    def choose(self, home: int) -> None:
        self.home, self.page = home, self._pages[home]

    def upload(self, name: str = "签字页.pdf", kind: str = "signature") -> int:
        files = {"file": (io.BytesIO(b"%PDF-1.4 " + name.encode()), name), "kind": kind}
        answer = self.call("clerk", "POST", f"/households/{self.home}/documents", data=files)
        assert answer.status_code == 201, answer.json
        return int(answer.json["id"])

    def authorise(self, position: int) -> None:
        said = {"person_id": self.members[position], "signed_on": self.today, "valid_until": f"{int(self.today[:4]) + 1}-12-31", "document_id": self.page}
        self.good("clerk", "POST", f"/households/{self.home}/authorizations", said)

    # -- the case

    def start(self, process: str, who: str = "clerk", **answers: Any) -> str:
        self.no = self.good(who, "POST", "/cases", {"process": process, "answers": {"household_id": self.home, **answers}})["case"]
        return self.no

    def apply(self, process: str = "dibao-2012") -> str:
        return self.start(process, programme="dibao", applied_on=self.today, applied_by="head", reason="收入低，生活困难")

    def case(self, no: str | None = None) -> Any:
        return self.good("auditor", "GET", f"/cases/{no or self.no}")

    def facts(self, *names: str) -> Any:
        found = self.case()["facts"]
        return tuple(found.get(name) for name in names) if len(names) > 1 else found.get(names[0])

    def open(self, no: str | None = None) -> dict[str, str | None]:
        """The open tasks with the last day of each."""
        return {t["node"]: t["due_on"] for t in self.case(no)["tasks"] if t["state"] == "open"}

    def go(self, who: str, node: str, **answers: Any) -> Any:
        return self.do(who, self.no, node, **answers)

    def refused(self, status: int, who: str, node: str, **answers: Any) -> Any:
        """What that task says to answers that it does not take; nothing is done."""
        before = self.case()
        task = next(t for t in before["tasks"] if t["node"] == node and t["state"] == "open")
        told = self.bad(status, who, "POST", f"/tasks/{task['id']}/complete", {"answers": answers})
        assert self.case() == before
        return told

    def send(self, who: str, message: str, **answers: Any) -> Any:
        return self.good(who, "POST", f"/cases/{self.no}/messages/{message}", answers)

    # -- stretches of the application

    def accept(self) -> None:
        """From here the registries can be asked; a job does it, over HTTP."""
        self.go("clerk", "completeness_check", outcome="complete")
        self.bureau.jobs.run_all()

    def check(self, conclusion: str = "consistent", **more: Any) -> None:
        self.bureau.jobs.run_all()
        self.go("checker", "means_check", check_conclusion=conclusion, report="核对报告", **more)

    def seen(self, **more: Any) -> dict[str, Any]:
        return {"surveyed_on": self.today, "second_investigator": "bob", "met_person": "户主", "housing": "一居室", "living": "简朴", "findings": "属实",
                "surveyed_signature": self.page, "photos": [self.page], **more}  # fmt: skip

    def survey(self) -> None:
        self.go("ann", "home_survey", **self.seen())
        self.go("bob", "survey_cosign", agree="agree")
        if "neighbor_enquiry" in self.open():
            self.go("ann", "neighbor_enquiry", enquired_on=self.today, persons="邻居", statement="困难属实")

    def consent(self, yes: bool = True) -> None:  # noqa: FBT001, FBT002
        if "low_income_consent" in self.open():
            self.go("clerk", "low_income_consent", low_income_consent=yes, signed_on=self.today, signed_document=self.page)

    def minutes(self, *kinds: str, **more: Any) -> dict[str, Any]:
        """A democratic review; without `kinds` of participants, one that fits."""
        people = [{"name": f"参加人{n}", "kind": kind, "signed": True} for n, kind in enumerate(kinds)] or REVIEWERS
        return {"held_on": self.today, "place": "居委会", "chair": "主任", "participants": people, "statements": "属实", "review_conclusion": "agree",
                "signed_document": self.page, **more}  # fmt: skip

    def review(self) -> None:
        self.go("officer", "democratic_review", **self.minutes())

    def street(self, outcome: str = "propose_grant", **more: Any) -> None:
        self.go("rita", "street_opinion", street_outcome=outcome, opinion="审核意见", **more)
        self.go("lee", "street_signoff", signoff="agree", opinion="同意")

    def post(self, stage: str = "street") -> None:
        self.go("vera", f"post_{stage}_notice", posted_on=self.today, places=["village_board"], photo=self.page)

    def remove(self, stage: str = "street") -> None:
        self.go("vera", f"remove_{stage}_notice", removed_on=self.today, objections="none", photo=self.page)

    def submit(self, *contents: str) -> None:
        """To the district, and the visit where the draw or the file asks for one."""
        self.go("rita", "submit_to_district", contents=list(contents or ("application", "survey", "review", "opinion")))
        if "spot_check_visit" in self.open():
            self.go("spot", "spot_check_visit", visited_on=self.today, second_visitor="乙", findings="一致", agrees=True, photos=[self.page])

    def examine(self, outcome: str = "propose_grant", **more: Any) -> None:
        self.go("exam", "district_examination", district_outcome=outcome, opinion="审查意见", **more)

    def late_visit(self) -> None:
        """Of a file that was drawn at the month's end."""
        if "late_spot_check_visit" in self.open():
            self.go("spot", "late_spot_check_visit", visited_on=self.today, second_visitor="乙", findings="一致", late_agrees=True, photos=[self.page])

    def deliver(self, node: str = "deliver_approval") -> Any:
        return self.go("clerk", node, delivered_on=self.today, method="direct", recipient="户主", receipt_document=self.page)

    def decide(self) -> Any:
        self.late_visit()
        self.go("app", "decide", decision="granted", opinion="批准")
        return self.deliver()

    def investigated(self) -> None:
        """From the window to the neighbours, on one day."""
        self.apply()
        self.accept()
        self.check()
        self.survey()
        self.consent()

    def refuse(self, reason_code: str, opinion: str) -> Any:
        """From the street's opinion to the delivered letter, on one day."""
        reason = {"reason_code": reason_code, "clause": "民发〔2012〕220号第四条"}
        self.street("propose_refuse", **reason)
        self.submit()
        self.examine("propose_refuse", **reason)
        self.go("app", "decide_refusal", decision="refused", opinion=opinion, **reason)
        return self.deliver("deliver_refusal")

    def granted(self, *homes: int) -> list[str]:
        """Households through the whole application, decided on the 16th day; the clock comes to the first of the month after. Their cases."""
        day = date.fromisoformat(self.today)
        later = [day.fromordinal(day.toordinal() + n).isoformat() for n in (8, 16)]
        cases: dict[int, str] = {}
        self.each(homes, cases, self.investigated, self.review, self.street, self.post)
        self.at(f"{later[0]}T09:00")
        self.each(homes, cases, self.remove, self.submit, self.examine, lambda: self.post("district"))
        self.at(f"{later[1]}T09:00")
        self.each(homes, cases, lambda: self.remove("district"), self.decide)
        self.at(f"{_month_after(self.today)}-01T09:00")
        return list(cases.values())

    def each(self, homes: tuple[int, ...], cases: dict[int, str], *acts: Any) -> None:
        for home in homes:
            self.choose(home)
            self.no = cases.get(home, "")
            for act in acts:
                act()
            cases[home] = self.no

    # -- a report of a change

    def report(self, kind: str, event_on: str, **more: Any) -> str:
        said = {"kind": kind, "event_on": event_on, "reported_on": self.today, "channel": "window", "reported_by": "household", "details": "情况变化",
                "evidence": [self.page], **more}  # fmt: skip
        return self.start("change-report-2012", **said)

    def looked_into(self) -> None:
        """What the kind of change asks for: the home, the registries, or neither."""
        self.bureau.jobs.run_all()
        tasks = self.open()
        if "home_survey" in tasks:
            self.survey()
        if "means_check" in tasks:
            self.check()

    def concluded(self, conclusion: str, reason_code: str, **more: Any) -> Any:
        """From the street's opinion to the delivered letter."""
        self.go("rita", "street_opinion", conclusion=conclusion, reason_code=reason_code, clause="民发〔2012〕220号第三十二条", opinion="情况属实", **more)
        self.go("lee", "street_signoff", signoff="agree", opinion="同意")
        if "decide" in self.open():
            self.go("app", "decide", decision="approved", opinion="同意")
        return self.deliver("deliver_conclusion")

    # -- looking

    def benefit(self, home: int = 0) -> Any:
        [row] = self.good("rita", "GET", f"/benefits?household_id={home or self.home}")["items"]
        return self.good("rita", "GET", f"/benefits/{row['id']}")

    def stable(self) -> None:
        """The street sorts the household into class B, so that no review falls due while the test waits."""
        self.good("rita", "PUT", f"/benefits/{self.benefit()['id']}/review-class", {"review_class": "B", "reason": "经济状况比较稳定"})

    def payable(self, *months: str) -> list[int]:
        where = f"/benefits/{self.benefit()['id']}"
        return [self.good("rita", "GET", f"{where}?month={month}")["payable"]["payable_fen"] for month in months]

    def letters(self) -> list[str]:
        return [row["kind"] for row in self.good("clerk", "GET", f"/cases/{self.no}/letters")["items"]]

    def letter(self, kind: str) -> str:
        [row] = [row for row in self.good("clerk", "GET", f"/cases/{self.no}/letters")["items"] if row["kind"] == kind]
        return str(self.call("clerk", "GET", f"/letters/{row['id']}").get_data(as_text=True))

    def heads(self) -> list[Any]:
        """Of all records: what was written shows in them."""
        with self.bureau.office.read() as conn:
            return list(conn.execute(select(store.record.c.id, store.record.c.head).order_by(store.record.c.id)))

    def proven(self, *numbers: str) -> None:
        """Done again from its record each case comes to the same, its seals hold, and all rows follow from the records."""
        for no in numbers or (self.no,):
            assert self.good("auditor", "POST", f"/cases/{no}/replay")["result"] == "same"
            assert self.good("auditor", "GET", f"/cases/{no}/record")["intact"] is True
        assert differences(self.bureau.office) == []


def _month_after(day: str) -> str:
    year, month = int(day[:4]), int(day[5:7])
    return f"{year + month // 12}-{month % 12 + 1:02d}"
