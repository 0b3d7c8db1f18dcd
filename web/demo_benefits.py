"""The demo's households in benefit: brought in from the streets' lists, reviewed as they fall due, reporting what changes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook
from sqlalchemy import select

from engine import store
from engine.bpmn import Run
from engine.errors import Invalid, Refused
from processes import conclusions, households, identity, import_annex1, organisation, reviews
from processes.screening_forms import CASE
from web import importing

PER_STREET = 2
ROUND_ON = date(2018, 12, 5)  # 全面复核: the first team's streets look at everybody in benefit once
FROM = date(2018, 12, 3)  # reports of changes begin
STANDARD = 920
_CLASSES = "CCCBCABCCBAC"
_CAUSES = ("因病", "因残", "年老", "失业")


class Benefits:
    """What happens to people in benefit on a day of the demo. `d`: web.demo.District."""

    def __init__(self, d: Any) -> None:
        self.d, self.homes = d, list[int]()

    def begin(self, names: Callable[[int], str], scan: bytes) -> None:
        """Each street's window brings its list in."""
        for n, street in enumerate(dict.fromkeys(street for street, _ in self.d.streets)):
            clerk = self.d.by_role("window_clerk", street)[0]
            places = [community for of, community in self.d.streets if of == street]
            with self.d.made.office.read() as conn:
                named = [organisation.unit_name(conn, code) for code in (street, *places)]
            book = Workbook()
            sheet = book.create_sheet("在保", 0)
            sheet.append(list(import_annex1.HEADINGS))
            for k in range(PER_STREET):
                sheet.append(self._line(n * PER_STREET + k, k, names, named))
            out = io.BytesIO()
            book.save(out)
            lines = {k + 2: {"review_class": _CLASSES[(n * PER_STREET + k) % len(_CLASSES)]} for k in range(PER_STREET)}
            seen = importing.look(self.d.made, clerk, out.getvalue(), {"hukou_kind": "urban", "first_payment_month": "2017-05"}, lines)
            brought = importing.bring_in(self.d.made, seen, clerk)
            for home in brought.homes.values():
                self.d.page(clerk, home, scan)
                self.homes.append(home)

    def _line(self, serial: int, k: int, names: Callable[[int], str], named: list[str]) -> list[Any]:
        income, people = (0, 300, 520)[serial % 3], 1 + serial % 2  # older than all others of the demo: numbers do not meet
        number = identity.invent(date(1930 + serial % 15, 1 + serial % 12, 9), "male" if serial % 2 else "female", serial)
        return [k + 1, names(serial), number, people, named[0], named[1 + serial % (len(named) - 1)], income, "无", "低保", STANDARD * people - income,
                _CAUSES[serial % 4], "属实", "1.另享受：医疗救助；2.保障后仍有困难：否；3.近亲属享受社会救助：否"]  # fmt: skip

    def day(self, day: date) -> None:
        if day == ROUND_ON:
            officer = self.d.by_role("civil_affairs_officer", self.d.streets[0][0])[0]
            for street in sorted({unit for _, unit in officer.posts}):
                with self.d.made.office.act(officer) as act:
                    reviews.begin_round(act, street)
        if day >= FROM:
            for _ in range(2):
                self._report(day)

    def _report(self, day: date) -> None:
        """Somebody tells the window what has changed."""
        home = self.d.chance.choice(self.homes)
        with self.d.made.office.read() as conn:
            house = households.row(conn, home)
        clerk = self.d.by_role("window_clerk", house["street"])[0]
        kind, back = self.d.chance.choice([("job_start", 6), ("income_up", 45), ("income_down", 4), ("illness", 10), ("no_change", 0), ("move_out", 3)])
        said: dict[str, Any] = {"household_id": home, "kind": kind, "reported_on": day.isoformat(), "channel": self.d.chance.choice(["window", "phone"]),
                                "reported_by": "household", "details": "家庭情况有变化，特来报告。" if back else "情况没有变化。"}  # fmt: skip
        if back:
            said["event_on"] = (day - timedelta(days=back)).isoformat()
        with contextlib.suppress(Refused, Invalid), self.d.made.office.act(clerk) as act:
            self.d.made.cases.start(act, "change-report-2012", said)


def facts_of(d: Any, household_id: int, having: str = "") -> dict[str, Any]:
    """The facts of the household's open case; of several, of the first that knows the fact `having`."""
    row = store.record
    with d.made.office.read() as conn:
        found = conn.execute(select(row).where(row.c.subject == f"household:{household_id}", row.c.kind == "case", row.c.process != CASE, row.c.closed_at.is_(None)).order_by(row.c.id)).mappings().all()
        each = (dict(Run.load(d.made.cases.drawing(conn, one["drawing"]), one["state"], d.clock.now).facts) for one in found)
        return next((facts for facts in each if not having or having in facts), {})


def _head(d: Any, household_id: int) -> int:
    with d.made.office.read() as conn:
        return int(households.applicant(conn, household_id)["id"])


def _renewed(d: Any, actor: Any, household_id: int, day: str) -> dict[str, Any]:
    with d.made.office.act(actor) as act:
        for person_id in households.missing_authorisations(act.conn, household_id, act.today):
            households.authorise(act, household_id, person_id, day, "2019-11-18", d.scans[household_id])
    return {"contacted_on": day, "contact_outcome": "contacted"}


def _contact(d: Any, _actor: Any, _household: int, day: str) -> dict[str, Any]:
    if d.chance.random() < 0.15:
        return {"contacted_on": day, "method": "phone", "contact_outcome": "not_reached", "note": "电话无人接听。"}
    return {"contacted_on": day, "method": "visit", "contact_outcome": "contacted", "asked_for": ["income_proof"]}


def _registered(d: Any, actor: Any, household_id: int, day: str) -> dict[str, Any]:
    kind = facts_of(d, household_id, "kind").get("kind")
    _renewed(d, actor, household_id, day)
    said: dict[str, Any] = {"evidence_outcome": "complete"}
    wages = {"job_start": d.chance.choice(["1500.00", "2600.00"]), "income_up": "700.00", "income_down": "100.00"}
    if kind in wages:
        said["incomes"] = [{"person_id": _head(d, household_id), "kind": "wage_income", "amount_fen": wages[kind], "period": "month"}]
    if kind == "move_out":
        with d.made.office.read() as conn:
            street = households.row(conn, household_id)["street"]
        said["new_community"] = next(community for other, community in reversed(d.streets) if other != street)
    return said


def _concluded(d: Any, _actor: Any, household_id: int, _day: str) -> dict[str, Any]:
    facts = facts_of(d, household_id, "benefit_category")
    right = conclusions.expected(facts["benefit_category"], facts["benefit_fen"], facts.get("category"), facts.get("amount_fen")) or "keep"
    reason = {"keep": "unchanged", "stop": "income_over", "convert": "converted"}.get(right, "income_changed")
    return {"conclusion": right, "reason_code": reason, "opinion": "经核对和入户调查，情况属实。", "clause": "民发〔2012〕220号第三十二条",
            **({"convert_consent": True} if right == "convert" else {})}  # fmt: skip


def _plan(_d: Any, _actor: Any, _household: int, day: str) -> dict[str, Any]:
    return {"agreed_on": day, "instalment": "100.00", "first_month": "2019-01"}


def _delivered(_d: Any, _actor: Any, _household: int, day: str) -> dict[str, Any]:
    return {"delivered_on": day, "method": "direct", "recipient": "申请人"}


_SHARED: dict[str, Callable[[Any, Any, int, str], dict[str, Any]]] = {
    "street_opinion": _concluded,
    "decide": lambda *_: {"decision": "approved", "opinion": "同意。"},
    "deliver_conclusion": _delivered,
    "recovery_plan": _plan,
}
# (process, task) -> what people write there; tasks that are the same in every process stand in web.demo.
ANSWERS = {
    **{("review-2012", node): answer for node, answer in _SHARED.items()},
    **{("change-report-2012", node): answer for node, answer in _SHARED.items()},
    ("review-2012", "contact_household"): _contact,
    ("review-2012", "second_contact"): _contact,
    ("review-2012", "renew_authorisations"): _renewed,
    ("change-report-2012", "register_change"): _registered,
    ("change-report-2012", "receive_transfer"): lambda *_: {"transfer_outcome": "accepted", "opinion": "同意接收。"},
    ("change-report-2012", "deliver_transfer"): _delivered,
}

