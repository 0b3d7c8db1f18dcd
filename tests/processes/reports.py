"""Hands for tests of change reports: a household that was granted dibao by the real procedure, and the road of a report."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.office import history, seals_hold
from processes import benefits, households, paperwork
from processes.benefit_tables import benefit_adjustment, report_duty, settlement
from processes.case_tables import letter
from processes.rebuild import differences
from processes.tables import benefit, benefit_person
from tests.district import District

FIGURES = "income_changed"


class Reports:
    """A district with one household in benefit; `do` and `send` speak for the open report."""

    def __init__(self, district: District) -> None:
        self.d = district

    def granted(self, *, on: str = "2018-10-08", **kind: Any) -> int:
        """A household whose dibao was granted: three members, one with 1500 yuan, unless said otherwise. The clock stands at the
        beginning of the month after."""
        kind.setdefault("members", family(150_000, 0, 0))
        return self.d.road("a report's benefit", (on, kind), lambda: self._granted(on, kind), self)

    def _granted(self, on: str, kind: dict[str, Any]) -> int:
        d = self.d
        day = int(on[8:])
        d.clock.set(f"{on}T09:00")
        d.apply(d.household(**kind))
        self.home = d.facts()["household_id"]
        d.accept()
        d.check()
        d.survey()
        d.review()
        d.street()
        d.post()
        d.at(f"{on[:8]}{day + 8:02d}T09:00")
        d.submit()
        d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
        d.post("post_district_notice")
        d.at(f"{on[:8]}{day + 16:02d}T09:00")
        d.do("vera", "remove_district_notice", removed_on=d.office.today().isoformat(), objections="none")
        if "late_spot_check_visit" in d.tasks():
            d.do("spot", "late_spot_check_visit", visited_on=d.office.today().isoformat(), second_visitor="乙", findings="一致", agrees=True)
        d.do("app", "decide", decision="granted", opinion="批准")
        d.do("clerk", "deliver_approval", delivered_on=d.office.today().isoformat(), method="direct", recipient="张一")
        self.benefit_id = self.row()["id"]
        d.at(f"{benefits.month_after(d.office.today())}-01T00:01")
        return self.home

    # -- looking

    def row(self) -> Any:
        with self.d.office.read() as conn:
            query = select(benefit).where(benefit.c.household_id == self.home).order_by(benefit.c.id.desc()).limit(1)
            return conn.execute(query).mappings().one()

    def adjustments(self) -> list[Any]:
        return self._rows(benefit_adjustment, benefit_adjustment.c.benefit_id == self.benefit_id)

    def settlements(self) -> list[Any]:
        return self._rows(settlement, settlement.c.benefit_id == self.benefit_id)

    def duties(self) -> list[Any]:
        return self._rows(report_duty, report_duty.c.benefit_id == self.benefit_id)

    def counted(self) -> set[int]:
        return {r["person_id"] for r in self._rows(benefit_person, benefit_person.c.benefit_id == self.benefit_id) if r["active"]}

    def letters(self, no: str | None = None) -> list[str]:
        return [r["kind"] for r in self._rows(letter, letter.c.case_no == (no or self.d.no))]

    def letter(self, kind: str) -> str:
        d = self.d
        with d.office.read() as conn:
            number = conn.scalar(select(letter.c.id).where(letter.c.case_no == d.no, letter.c.kind == kind).order_by(letter.c.id.desc()))
            return paperwork.issued_bytes(conn, d.office.keys.on(conn), number)[1].decode()

    def _rows(self, table: Any, where: Any) -> list[Any]:
        with self.d.office.read() as conn:
            return list(conn.execute(select(table).where(where).order_by(table.c.id)).mappings())

    def paid(self, *months: str) -> list[int]:
        with self.d.office.read() as conn:
            return [benefits.payable(conn, self.benefit_id, month) for month in months]

    def members(self) -> list[int]:
        with self.d.office.read() as conn:
            return [m["person_id"] for m in households.members_of(conn, self.home)]

    def proven(self, no: str | None = None) -> None:
        """Seals hold, replay gives the same, rows follow from the records."""
        d = self.d
        with d.office.read() as conn:
            row = d.case(no)
            entries = history(conn, d.office.keys.on(conn), row["id"])
            assert seals_hold(entries) is None
            assert entries[-1].leaf == row["head"]
            assert len(list(d.cases.replaying(conn, entries))) == len(entries)
        assert differences(d.office) == []

    # -- the road

    def said(self, kind: str, event_on: str | None = None, **more: Any) -> dict[str, Any]:
        found = {"kind": kind, "reported_on": self.d.office.today().isoformat(), "channel": "window", "reported_by": "household", "details": "情况变化"}
        return found | ({"event_on": event_on} if event_on else {}) | more

    def report(self, kind: str, event_on: str | None = None, *, who: str = "clerk", **more: Any) -> str:
        with self.d.office.act(self.d.people[who]) as act:
            told = self.d.cases.start(act, "change-report-2012", {"household_id": self.home, **self.said(kind, event_on, **more)})
        self.d.no = told["case"]
        return told["case"]

    def register(self, **answers: Any) -> Any:
        return self.d.do("clerk", "register_change", **{"evidence_outcome": "complete", **answers})

    def investigate(self, **found: Any) -> None:
        d = self.d
        if "home_survey" in d.tasks():
            d.do("ann", "home_survey", surveyed_on=d.office.today().isoformat(), second_investigator="bob", met_person="张一", housing="一居室",
                 living="简朴", findings="属实", surveyed_signature=d.scan)
            d.do("bob", "survey_cosign", agree="agree")
        if "registry_answer" in self.waits():
            d.registries()
            d.do("checker", "means_check", check_conclusion="consistent", report="报告", **found)

    def waits(self) -> set[str]:
        from engine.bpmn import Run

        row = self.d.case()
        with self.d.office.read() as conn:
            return set(Run.load(self.d.cases.drawing(conn, row["drawing"]), row["state"], self.d.clock()).waits_for())

    def conclude(self, conclusion: str, reason_code: str = FIGURES, **more: Any) -> None:
        d = self.d
        d.do("rita", "street_opinion", conclusion=conclusion, reason_code=reason_code, opinion="情况属实", **more)
        d.do("lee", "street_signoff", signoff="agree", opinion="同意")
        if "decide" in d.tasks():
            d.do("app", "decide", decision="approved", opinion="同意")

    def deliver(self, node: str = "deliver_conclusion") -> Any:
        return self.d.do("clerk", node, delivered_on=self.d.office.today().isoformat(), method="direct", recipient="张一")


def family(*incomes: int, kind: str = "transfer_income", serial: int = 300, last: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Members with one income each (fen a month; 0: none): head, spouse, child, child."""
    from datetime import date

    from processes import identity

    found = []
    for n, fen in enumerate(incomes):
        income = [{"kind": kind, "amount_fen": fen, "period": "month"}] if fen else []
        found.append({"name": f"赵{'一二三四五'[n]}", "id_no": identity.invent(date(1971 + n, 3, 1), "male", serial + n),
                      "relation": ("head", "spouse", "child", "child", "other")[n], "employment": "none", "labour_ability": "full", "income": income})  # fmt: skip
    found[-1] |= last or {}
    return found
