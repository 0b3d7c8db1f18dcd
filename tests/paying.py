"""Hands for the tests of payments: officers, households in benefit, and a bank that may lose what it acknowledges."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from engine.errors import Refused
from engine.forms import understand
from processes import (
    bank_files,
    benefits,
    households,
    identity,
    organisation,
    payment_accounts,
    payment_answers,
    payment_lists,
    payment_run,
    payments,
)
from processes.bank_files import Head, Line
from processes.bank_port import BankFailed
from processes.benefits import Change
from processes.payment_forms import AccountChange, AccountSettled, ProblemAnswer
from processes.payment_tables import payment_item, payment_sending
from tests.district import COMMUNITY, HASHED, PASSWORD

FINANCE = {"fin": ("finance_officer", "120116"), "fin2": ("finance_officer", "120116"), "app2": ("approver", "120116")}
ELSEWHERE = "120116005001"


class FakeBank:
    """Keeps what it is given by number; `loses`: how often it takes a file and its acknowledgement does not arrive."""

    def __init__(self, loses: int = 0) -> None:
        self.files: dict[str, bytes] = {}
        self.given: list[str] = []
        self.loses = loses

    def send(self, no: str, suffix: str, data: bytes) -> None:
        self.given.append(no)
        assert self.files.setdefault(no, data) == data, "the same file, whenever it is given"
        if self.loses:
            self.loses -= 1
            raise BankFailed("the line was cut")


class Paying:
    """The verbs of a run, as pages and API call them."""

    def __init__(self, district: Any, bank: FakeBank | None = None) -> None:
        self.d, self.office, self.no = district, district.office, ""
        self.bank = bank or FakeBank()
        district.bureau.jobs.handlers = {**district.bureau.jobs.handlers, **payment_run.handlers(self.office, self.bank)}
        with self.office.act() as act:
            for login, (role, unit) in FINANCE.items():
                organisation.add_staff(act, login, f"某{login}", PASSWORD, [(role, unit)], hashed=HASHED)
        with self.office.read() as conn:
            district.people |= {login: organisation.find_actor(conn, login) for login in FINANCE}
        self.serial = 0

    # -- households in benefit

    def home(self, n: int = 2, *, account: str | None = "", holder: str | None = None, community: str = COMMUNITY) -> int:
        """A household with an account in the head's name; `account` None: without one."""
        self.serial += 1
        members = [{"name": f"赵{'一二三四五六'[i]}", "id_no": identity.invent(date(1960 + i, 5, 1 + self.serial // 500), "female", self.serial), "relation": "head" if i == 0 else "other",
                    "employment": "none", "labour_ability": "none", "income": []} for i in range(n)]  # fmt: skip
        more = {} if account is None else {"bank_account": account or f"62220000{self.serial:011d}", "bank_holder": holder or "赵一"}
        with self.office.act() as act:
            return households.register(act, {"community": community, "hukou_kind": "urban", "members": members, **more})

    def benefit(self, home: int, fen: int, *, month: str = "2018-12", category: str = "dibao") -> int:
        with self.office.act() as act:
            values = {"household_id": home, "category": category, "amount_fen": fen, "status": "active", "first_payment_month": month,
                      "members": len(households.counted_members(act.conn, home, act.today)), "law_version": "TJ-STD-2018"}  # fmt: skip
            return benefits.begin(act, "benefit_granted", values, {})

    def paid_home(self, fen: int, **more: Any) -> int:
        home = self.home(**more)
        self.benefit(home, fen)
        return home

    def decide(self, benefit_id: int, kind: str, month: str, fen: int | None = None, who: str = "app") -> None:
        with self.office.act(self.d.people[who]) as act:
            benefits.decide(act, benefit_id, Change(kind, "income_changed", month, amount_fen=fen))

    # -- the run

    def start(self, month: str = "2018-12", scope: str = "120116", who: str = "fin") -> str:
        with self.office.act(self.d.people[who]) as act:
            self.no = self.d.cases.start(act, "payment-run", {"scope": scope, "month": month})["case"]
        self.d.no = self.no
        self.jobs()
        return self.no

    def jobs(self) -> None:
        self.d.bureau.jobs.run_all()

    def do(self, who: str, node: str, **answers: Any) -> None:
        self.d.no = self.no
        self.d.do(who, node, **answers)
        self.jobs()

    def approve(self) -> None:
        self.do("fin", "prepare_list", list_outcome="submit")
        self.do("fin2", "check_list", check_outcome="agree")
        self.do("app", "approve_list", approval_outcome="approve")

    def send(self, pay_on: str = "2018-12-10", profile: str = "own-csv", **more: Any) -> bytes:
        self.do("fin", "send_file", pay_on=pay_on, profile=profile, **more)
        return self.bank.files.get(self.files()[-1]["no"], b"")

    def run(self) -> Any:
        with self.office.read() as conn:
            return payments.told(conn, payments.of_case(conn, self.no), self.office.today())

    def files(self) -> list[Any]:
        with self.office.read() as conn:
            return payments.files_of(conn, payments.of_case(conn, self.no)["id"])

    def items(self, view: str | None = None, area: Any = "120116") -> list[Any]:
        with self.office.read() as conn:
            return list(payments.items(conn, self.office.keys.on(conn), payments.of_case(conn, self.no), area, self.office.today(), view=view, size=10_000).items)

    def problems(self, state: str | None = None) -> list[Any]:
        with self.office.read() as conn:
            return list(payments.problems(conn, self.office.keys.on(conn), payments.of_case(conn, self.no), "120116", state=state).items)

    def answer(self, problem: Any, answer: str, who: str = "fin", reason: str = "已核实") -> None:
        with self.office.act(self.d.people[who]) as act:
            payment_lists.answer(act, self.no, problem["id"], understand(ProblemAnswer(context={"today": act.today}), {"answer": answer, "reason": reason}))

    # -- the bank

    def sent(self, file: int = -1) -> list[Line]:
        """The lines of a file, as a bank would answer that it has paid them all."""
        with self.office.read() as conn:
            keys = self.office.keys.on(conn)
            rows = conn.execute(select(payment_sending).where(payment_sending.c.file_id == self.files()[file]["id"]).order_by(payment_sending.c.line)).mappings().all()
            return [Line(row["line"], row["serial"], keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], "paid", self.office.today()) for row in rows]

    def answer_bytes(self, lines: list[Line], file: int = -1, profile: str | None = None) -> bytes:
        of = self.files()[file]
        head = Head(of["no"], self.no, "monthly", "", "", date.fromisoformat(of["pay_on"]), self.office.today())
        return bank_files.write_back(bank_files.profile(profile or of["profile"]), head, lines)

    def take(self, data: bytes, who: str = "fin", file_no: str | None = None) -> dict[str, Any]:
        reading = payment_answers.read_answer(self.office, self.d.people[who], self.no, file_no, data)
        with self.office.act(self.d.people[who]) as act:
            told = payment_answers.take_answer(act, self.no, reading)
        self.jobs()
        return told

    def change_account(self, home: int, account: str, month: str = "2018-12", *, holder: str = "赵一", by: str = "clerk", confirmed_by: str = "rita") -> int:
        said = {"holder": holder, "bank": "中国银行", "account": account, "from_month": month, "reason": "换卡"}
        with self.office.act(self.d.people[by]) as act:
            change = payment_accounts.propose(act, home, understand(AccountChange(context={"today": act.today}), said))["change"]
        if confirmed_by:
            with self.office.act(self.d.people[confirmed_by]) as act:
                payment_accounts.settle(act, change, understand(AccountSettled(context={"today": act.today}), {"outcome": "confirm", "opinion": "相符"}))
        return change

    def state_of(self, home: int) -> str:
        with self.office.read() as conn:
            return conn.scalar(select(payment_item.c.state).where(payment_item.c.household_id == home).order_by(payment_item.c.id.desc()).limit(1))  # type: ignore[no-any-return]


def rule(work: Any) -> str:
    """The rule by which something is refused."""
    try:
        work()
    except Refused as refused:
        return refused.rule
    return ""
