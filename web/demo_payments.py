"""Payments in the demo: the runs of December, January and February, with accounts that the bank does not know and one run that is late."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import store
from engine.errors import Refused
from engine.forms import understand
from engine.model import Actor
from processes import bank_files, households, organisation, payment_accounts, payment_answers, payment_lists, payments
from processes.bank_files import Head, Line
from processes.payment_forms import AccountChange, AccountSettled, ProblemAnswer
from processes.payment_run import KEY
from processes.payment_tables import payment_item, payment_sending
from processes.tables import household

if TYPE_CHECKING:
    from web.demo import District

# What happens on which day. The February run must be credited before Spring Festival; it is sent in time and one answer is late.
_DAYS = {
    "2018-12-03": ("start", "2018-12"), "2018-12-04": ("approve", ""), "2018-12-05": ("send", "2018-12-06"), "2018-12-07": ("answer", ""), "2018-12-10": ("reissue", "2018-12-11"),
    "2018-12-12": ("settle", ""), "2018-12-28": ("start", "2019-01"), "2019-01-02": ("approve", ""), "2019-01-03": ("send", "2019-01-04"), "2019-01-07": ("answer", ""),
    "2019-01-28": ("start", "2019-02"), "2019-01-29": ("approve", ""), "2019-01-30": ("send", "2019-01-31"), "2019-02-12": ("answer", ""), "2019-02-13": ("reissue", "2019-02-14"),
}  # fmt: skip
_CAUSES = ("account_closed", "name_differs", "account_frozen")


class Payments:
    """`begin` on the first day, `day` on each: cheap on all but a few. Draws its own lots."""

    def __init__(self) -> None:
        self._chance = random.Random(20181203)  # noqa: S311 - a demo, the same every time
        self._no = ""
        self._officers: list[Actor] = []

    def begin(self, d: District) -> None:
        """A run takes two officers: the second one comes with it."""
        with d.made.office.read() as conn:
            known = organisation.find_actor(conn, "finance2")
        if known is None:
            with d.made.office.act() as act:
                organisation.add_staff(act, "finance2", "郑敏", "binhai-2018", [("finance_officer", organisation.DISTRICT)])
        with d.made.office.read() as conn:
            found = organisation.find_actor(conn, "finance2")
        self._officers = [d.by_role("finance_officer", organisation.DISTRICT)[0], *([found] if found else [])]
        for n, home in enumerate(d.benefits.homes if d.benefits is not None else ()):
            if n % 9 != 8:  # those have no account yet: what they are owed is held back
                self._open_account(d, home)

    def _open_account(self, d: District, home: int) -> None:
        """The lists that came in name no account: the window registers the passbook, a reviewer confirms it."""
        with d.made.office.read() as conn:
            street, holder = str(households.row(conn, home)["street"]), str(households.applicant(conn, home)["name"])
        said = {"holder": holder, "bank": "中国农业银行天津滨海支行", "account": f"6217{home:015d}", "from_month": "2018-12", "reason": "原名单没有账户，凭存折登记。"}
        with contextlib.suppress(Refused):  # a near relative of the household is at the desk
            with d.made.office.act(d.by_role("window_clerk", street)[0]) as act:
                change = payment_accounts.propose(act, home, understand(AccountChange(context={"today": act.today}), said))["change"]
            with d.made.office.act(d.by_role("reviewer", street)[0]) as act:
                payment_accounts.settle(act, change, understand(AccountSettled(context={"today": act.today}), {"outcome": "confirm", "opinion": "与存折原件相符。"}))

    def day(self, d: District, day: date) -> None:
        what, said = _DAYS.get(day.isoformat(), ("", ""))
        if what == "start":
            with d.made.office.act(self._officers[0]) as act:
                self._no = str(d.made.cases.start(act, KEY, {"scope": organisation.DISTRICT, "month": said})["case"])
        elif what and self._no:
            getattr(self, f"_{what}")(d, said)
        if what:
            d.made.jobs.run_all()

    def _approve(self, d: District, _said: str) -> None:
        d.made.jobs.run_all()
        maker, checker = self._officers
        with d.made.office.read() as conn:
            overtaken = payments.changed(conn, payments.of_case(conn, self._no))
        if overtaken:  # a benefit or an account has changed since the list was made
            with d.made.office.act(maker) as act:
                payment_lists.list_again(act, self._no)
            d.made.jobs.run_all()
        with d.made.office.read() as conn:
            run = payments.of_case(conn, self._no)
            wrong = payments.problems(conn, d.made.office.keys.on(conn), run, organisation.DISTRICT, state="open", size=200).items
            if not payments.totals(conn, run["id"])["items"]:  # nobody is in benefit yet
                self._no = ""
                return
        for problem in wrong:
            with d.made.office.act(maker) as act:
                payment_lists.answer(act, self._no, problem["id"], understand(ProblemAnswer(context={"today": act.today}), {"answer": "keep", "reason": "已与社区核实。"}))
        self._do(d, maker, "prepare_list", list_outcome="submit")
        self._do(d, checker, "check_list", check_outcome="agree", opinion="与审批数核对一致。")
        self._do(d, d.by_role("approver", organisation.DISTRICT)[0], "approve_list", approval_outcome="approve", opinion="同意发放。")

    def _send(self, d: District, pay_on: str) -> None:
        self._do(d, self._officers[0], "send_file", pay_on=pay_on)
        d.made.jobs.run_all()

    def _answer(self, d: District, _said: str) -> None:
        """The bank knows a few accounts no more; one line of its answer is cut short, and comes later."""
        with d.made.office.read() as conn:
            keys, run = d.made.office.keys.on(conn), payments.of_case(conn, self._no)
            file = payments.files_of(conn, run["id"])[-1]
            rows = conn.execute(select(payment_sending).where(payment_sending.c.file_id == file["id"]).order_by(payment_sending.c.line)).mappings().all()
            lines = [Line(row["line"], row["serial"], keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], "paid", date.fromisoformat(file["pay_on"]))
                     for row in rows]  # fmt: skip
        for n in sorted(self._chance.sample(range(len(lines)), min(len(lines) // 2, 3))):
            lines[n] = replace(lines[n], result=_CAUSES[n % 3], credited_on=None, reason="")
        form, head = bank_files.profile(file["profile"]), Head(file["no"], self._no, "monthly", "", "", date.fromisoformat(file["pay_on"]), d.made.office.today())
        whole = bank_files.write_back(form, head, lines)
        cut = whole.split(b"\r\n")
        cut[-3] = cut[-3][:20]
        for data in (b"\r\n".join(cut), *([whole] if d.made.office.today() < date(2019, 2, 1) else [])):
            reading = payment_answers.read_answer(d.made.office, self._officers[0], self._no, None, data)
            with d.made.office.act(self._officers[0]) as act:
                payment_answers.take_answer(act, self._no, reading)

    def _reissue(self, d: District, pay_on: str) -> None:
        """Households bring another account; one change still waits to be confirmed."""
        with d.made.office.read() as conn:
            run = payments.of_case(conn, self._no)
            if payments.totals(conn, run["id"])["sent"]:  # the bank still owes an answer: everything waits for it
                return
            item = payment_item.c
            back = conn.execute(select(item.id, item.household_id, household.c.street, household.c.bank_holder).join(household, household.c.id == item.household_id).where(
                item.run_id == run["id"], item.live, item.state == "returned").order_by(item.id)).all()  # fmt: skip
        if not back:
            return
        for n, row in enumerate(back):
            with d.made.office.read() as conn:
                holder = row.bank_holder or str(households.applicant(conn, row.household_id)["name"])
            said = {"holder": holder, "bank": "中国农业银行天津滨海支行", "account": f"6228{row.household_id:015d}", "from_month": run["month"], "reason": "原账户不能使用，改用新开账户。"}
            with d.made.office.act(d.by_role("window_clerk", row.street)[0]) as act:
                change = payment_accounts.propose(act, row.household_id, understand(AccountChange(context={"today": act.today}), said))["change"]
            if n or len(back) == 1:
                with d.made.office.act(d.by_role("reviewer", row.street)[0]) as act:
                    payment_accounts.settle(act, change, understand(AccountSettled(context={"today": act.today}), {"outcome": "confirm", "opinion": "与存折原件相符。"}))
        self._do(d, self._officers[0], "enter_returns", returns_outcome="reissue")
        self._do(d, self._officers[0], "prepare_reissue")
        self._do(d, self._officers[1], "check_reissue", reissue_outcome="agree")
        self._do(d, self._officers[0], "send_file", pay_on=pay_on, late_reason="账户更正后补发。")
        d.made.jobs.run_all()

    def _settle(self, d: District, _said: str) -> None:
        with d.made.office.read() as conn:
            keys, run = d.made.office.keys.on(conn), payments.of_case(conn, self._no)
            file = payments.files_of(conn, run["id"])[-1]
            rows = conn.execute(select(payment_sending).where(payment_sending.c.file_id == file["id"], payment_sending.c.state == "sent").order_by(payment_sending.c.line)).mappings().all()
            lines = [Line(row["line"], row["serial"], keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], "paid", date.fromisoformat(file["pay_on"]))
                     for row in rows]  # fmt: skip
        head = Head(file["no"], self._no, "monthly", "", "", date.fromisoformat(file["pay_on"]), d.made.office.today())
        reading = payment_answers.read_answer(d.made.office, self._officers[0], self._no, None, bank_files.write_back(bank_files.profile(file["profile"]), head, lines))
        with d.made.office.act(self._officers[0]) as act:
            payment_answers.take_answer(act, self._no, reading)
        self._do(d, self._officers[0], "enter_returns", returns_outcome="close", opinion="一户新账户待复核，转下月补发。")
        self._do(d, self._officers[0], "close_run", opinion="发放数与银行回盘核对一致。")

    def _do(self, d: District, who: Actor, node: str, **answers: Any) -> None:
        one, row = store.task.c, store.record.c
        with d.made.office.read() as conn:
            task = conn.scalar(select(one.id).join(store.record, row.id == one.case_id).where(row.no == self._no, one.node == node, one.state == "open"))
        if task is not None:
            with d.made.office.act(who) as act:
                d.made.cases.complete(act, task, answers)
