"""The public side of the demo: telephones, long-term displays put up, replaced and taken down, some of them late, and an objection that waits."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.errors import NotFound, Refused
from engine.model import Actor
from processes import displays, objections, organisation, phones
from processes.case_tables import notice
from processes.tables import benefit, household

if TYPE_CHECKING:
    from web.demo import District

_WEEKDAY = 2  # sheets are made and put up on Wednesdays
_MOST = 6  # of a street in a week


class Public:
    """Draws its lots from a die of its own, so that the rest of the demo stays as it is."""

    def __init__(self) -> None:
        self.chance = random.Random(34)  # noqa: S311 - a demo
        self.objected = False

    def begin(self, d: District) -> None:
        """The first day: the district and every other street have published a number; the rest shows the hotline."""
        with d.made.office.read() as conn:
            streets = [row["code"] for row in organisation.units(conn, organisation.DISTRICT, "street")]
        keeper = d.by_role("admin", organisation.DISTRICT)[0]
        for n, code in enumerate([organisation.DISTRICT, *streets[::2]]):
            with d.made.office.act(keeper) as act:
                phones.put(act, code, {"phone": f"022-653{n:05d}", "hours": "工作日 8:30-17:30", "published": True})

    def day(self, d: District, day: date) -> None:
        """A few acts on Wednesdays; on other days nothing, but one objection to the first notice that hangs in December."""
        if not self.objected and day >= date(2018, 12, 5):
            self._object(d)
        if day.weekday() != _WEEKDAY:
            return
        with d.made.office.read() as conn:
            streets = sorted(set(conn.scalars(select(household.c.street).join(benefit, benefit.c.household_id == household.c.id))))
        for street in streets:
            self._street(d, street, day)

    def _street(self, d: District, street: str, day: date) -> None:
        clerk = next(iter(d.by_role("window_clerk", street)), None)
        if clerk is None:
            return
        with d.made.office.read() as conn:
            owed = displays.owed(conn, clerk, day, unit=street, size=_MOST).items
            todo = displays.listed(conn, clerk, day, unit=street, size=_MOST).items
        for row in owed:
            self._begin(d, clerk, row, day)
        for row in todo:
            with contextlib.suppress(Refused, NotFound):  # another one sees to a household to which the clerk is a near relative, or that moves away
                self._go_on(d, clerk, row, day)

    def _begin(self, d: District, clerk: Actor, row: Mapping[Any, Any], day: date) -> None:
        with contextlib.suppress(Refused):
            with d.made.office.act(clerk) as act:
                made = displays.make(act, row["benefit_id"])["display"]
            if self.chance.random() < 0.8:  # the rest is made and hangs nowhere: late after its period
                self._hang(d, clerk, made, row["household_id"], day)

    def _go_on(self, d: District, clerk: Actor, row: Mapping[Any, Any], day: date) -> None:
        if row["state"] == "to_reprint" and self.chance.random() < 0.7:
            with d.made.office.act(clerk) as act:
                displays.reprint(act, row["id"])
            self._hang(d, clerk, row["id"], row["household_id"], day)
        elif row["state"] == "to_remove" and self.chance.random() < 0.7:
            for level in ("street", "community"):
                if row[f"{level}_version"] is not None:
                    with d.made.office.act(clerk) as act:
                        displays.take_down(act, row["id"], {"level": level, "taken_down_on": day.isoformat(), "photo": d.scans[row["household_id"]], "why": "ended"})

    def _hang(self, d: District, clerk: Actor, number: int, home: int, day: date) -> None:
        if home not in d.scans:
            return
        for level, place in (("community", "居委会公示栏"), ("street", "街道办事处公示栏")):
            with d.made.office.act(clerk) as act:
                displays.post(act, number, {"level": level, "place": place, "posted_on": day.isoformat(), "photo": d.scans[home]})

    def _object(self, d: District) -> None:
        with d.made.office.read() as conn:
            hung = conn.scalar(select(notice.c.id).where(notice.c.stage == "street_opinion", objections.running(d.made.office.today())).order_by(notice.c.id.desc()).limit(1))
        if hung is not None:
            with d.made.office.act() as act:
                objections.against_notice(d.made.cases, act, hung, {"grounds": "听说这家有出租房屋，请核实。"})
            self.objected = True
