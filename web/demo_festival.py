"""Festival payments in the demo: batches of four streets before the Spring Festival of 2019, one finished, one with money that came back and is late, one half
answered, one that nobody has checked; visits and a donation.

Draws no lots of the demo's own, so that the rest of it stays as it is; a few acts on a few days."""

from __future__ import annotations

import contextlib
from datetime import date
from typing import TYPE_CHECKING, Any

from engine.errors import Refused
from processes import bank_files, condolences, festival_batches, festival_facts, in_benefit
from processes.bank_files import Line

if TYPE_CHECKING:
    from engine.model import Actor
    from web.demo import District

_YEAR, _STREETS = 2019, 4
_KINDS = ["year_end", "festival_fee", "heating"]


class Festival:
    def __init__(self) -> None:
        self.streets: list[str] = []
        self.batches: dict[str, int] = {}
        self.again: dict[str, int] = {}  # street -> the item that is to be paid again
        self.gift = 0

    def begin(self, d: District) -> None:
        """The streets that it is about."""
        self.streets = list(dict.fromkeys(street for street, _ in d.streets))[:_STREETS]

    def day(self, d: District, day: date) -> None:
        """What happens on a day: nothing on most."""
        work = {"2019-01-07": self._describe, "2019-01-08": self._give, "2019-01-10": self._make, "2019-01-11": self._check, "2019-01-14": self._send, "2019-01-17": self._answer,
                "2019-01-21": self._reissue, "2019-01-22": self._agree, "2019-01-25": self._last}.get(day.isoformat())  # fmt: skip
        if work is not None:
            work(d, day)

    def _officer(self, d: District, street: str, role: str = "civil_affairs_officer") -> Actor:
        found: Actor = d.by_role(role, street)[0]
        return found

    def _describe(self, d: District, day: date) -> None:
        """Two of three dwellings have central heating; of every fifth nobody knows yet."""
        for street in self.streets:
            with d.made.office.read() as conn:
                homes = sorted({row["household_id"] for row in in_benefit.on(conn, street, day) if row["category"] != "low_income"})
            for n, home in enumerate(homes[:40]):
                if n % 5 == 4:
                    continue
                warm: dict[str, Any] = {"year": _YEAR, "central": n % 3 != 0, "area": f"{38 + n % 25}", "three_nos": False}
                with d.made.office.act(self._officer(d, street)) as act:
                    festival_facts.describe(act, home, warm | ({"fee": (38 + n % 25) * 2_500} if warm["central"] else {}))

    def _give(self, d: District, day: date) -> None:
        street = self.streets[0]
        with d.made.office.act(self._officer(d, street)) as act:
            self.gift = condolences.receive(act, {"unit": street, "donor": "某商会", "donor_kind": "social_organisation", "received_on": day.isoformat(), "cash": 2_000_000, "goods": "棉被 30 床", "goods_value": 450_000})["donation"]
            homes = [row["household_id"] for row in in_benefit.on(act.conn, street, day)][:5]
        for n, home in enumerate(homes):
            more: dict[str, Any] = {"source": "society", "donation_id": self.gift} if n % 2 else {"source": "government", "goods": "米、油", "goods_value": 18_000}
            with d.made.office.act(self._officer(d, street)) as act:
                condolences.pay_visit(act, {"household_id": home, "visited_on": day.isoformat(), "visitors": "街道领导、民政专干", "cash": 50_000, **more})

    def _make(self, d: District, day: date) -> None:
        for street in self.streets:
            with contextlib.suppress(Refused), d.made.office.act(self._officer(d, street)) as act:  # a street where nobody has an account yet
                self.batches[street] = festival_batches.make(act, {"street": street, "year": _YEAR, "kinds": _KINDS, "cut_off": day.isoformat()})["batch"]

    def _check(self, d: District, _day: date) -> None:
        for street, number in list(self.batches.items())[:3]:
            with d.made.office.act(self._officer(d, street, "street_leader")) as act:
                festival_batches.check(act, number, {"outcome": "agree"})

    def _send(self, d: District, _day: date) -> None:
        for street, number in list(self.batches.items())[:3]:
            with d.made.office.act(self._officer(d, street)) as act:
                festival_batches.send(act, number, next(iter(bank_files.profiles())))

    def _answer(self, d: District, day: date) -> None:
        """All of the first street; in the second one the last came back; half of the third."""
        for place, (street, number) in enumerate(list(self.batches.items())[:3]):
            lines = self._lines(d, street, number, day)
            if place == 1 and lines:
                last = lines[-1]
                lines[-1] = Line(last.number, last.serial, None, last.amount_fen, "account_closed", day, "销户")
                self.again[street] = int(last.serial[1:])
            with d.made.office.act(self._officer(d, street)) as act:
                festival_batches.answer(act, number, lines[: (len(lines) + 1) // 2] if place == 2 else lines)

    def _lines(self, d: District, street: str, number: int, day: date) -> list[Line]:
        """Every item that went to the bank and of which nothing is known, as credited."""
        with d.made.office.read() as conn:
            rows = festival_batches.items(conn, self._officer(d, street), batch_id=number, state="sent", size=1_000).items
        return [Line(n, f"F{row['id']}", None, row["amount_fen"], "paid", day) for n, row in enumerate(rows, 1)]

    def _reissue(self, d: District, _day: date) -> None:
        for street, number in list(self.again.items()):
            with d.made.office.act(self._officer(d, street)) as act:
                [row] = festival_batches.items(act.conn, act.actor, item_id=number).items
                self.again[street] = festival_batches.reissue(act, number, {"account": "6228480000000019000", "holder": row["holder"], "reason": "原账户已销户，本人提供新账户。"})["item"]

    def _agree(self, d: District, _day: date) -> None:
        """Paid again, and of the second time the bank has not said anything: the street is late after the holiday has begun."""
        for street, number in self.again.items():
            with d.made.office.act(self._officer(d, street, "street_leader")) as act:
                festival_batches.agree(act, number, {"outcome": "agree"})
            with d.made.office.act(self._officer(d, street)) as act:
                festival_batches.send(act, self.batches[street], next(iter(bank_files.profiles())))

    def _last(self, d: District, day: date) -> None:
        for street, number in list(self.batches.items())[2:3]:
            if lines := self._lines(d, street, number, day):
                with d.made.office.act(self._officer(d, street)) as act:
                    festival_batches.answer(act, number, lines[:-1])  # of one nobody has heard
