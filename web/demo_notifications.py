"""Messages to residents in the demo: some households agreed, a gateway of the demo's own takes their messages, refuses one number, and stays away at the end."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from processes import households, notifications
from processes.gateways import GatewayFailed, GatewayRefused, Message
from processes.tables import household

if TYPE_CHECKING:
    from web.demo import District

_AGREE_ON, _AWAY_FROM, _HOMES = date(2018, 11, 19), date(2019, 2, 27), 24


class _Gateway:
    """Keeps nothing; a number that ends in 7 does not exist."""

    def __init__(self) -> None:
        self.away, self.taken = False, 0

    def send(self, message: Message) -> str:
        if self.away:
            raise GatewayFailed("HTTP 503", 3600)
        if message.to.endswith("7"):
            raise GatewayRefused("HTTP 422")
        self.taken += 1
        return f"demo-{self.taken}"


class Notifications:
    def __init__(self) -> None:
        self.gateway = _Gateway()

    def begin(self, d: District) -> None:
        """From now on what happens is told: by SMS."""
        d.made.connect("sms", self.gateway)

    def day(self, d: District, day: date) -> None:
        """On the first day some agree; in January one wants no more; in the last days the gateway stays away."""
        self.gateway.away = day >= _AWAY_FROM
        if day == _AGREE_ON:
            self._agree(d)
        elif day == date(2019, 1, 15):
            self._end(d)

    def _homes(self, d: District) -> list[tuple[int, str]]:
        with d.made.office.read() as conn:
            return [(row.id, row.street) for row in conn.execute(select(household.c.id, household.c.street).order_by(household.c.id).limit(_HOMES))]

    def _agree(self, d: District) -> None:
        for n, (home, street) in enumerate(self._homes(d)):
            if not (clerks := d.by_role("window_clerk", street)):
                continue
            with d.made.office.act(clerks[0]) as act:
                member = households.members_of(act.conn, home)[0]["person_id"]
                notifications.agree(act, home, {"person_id": member, "channel": "sms", "address": f"1390000{n:04d}", "lang": "zh"})

    def _end(self, d: District) -> None:
        for home, street in self._homes(d)[:1]:
            clerk = d.by_role("window_clerk", street)[0]
            with d.made.office.act(clerk) as act:
                for one in notifications.contacts(act.conn, act.keys, act.actor, home):
                    if one["active"]:
                        notifications.switch_off(act, one["id"])
