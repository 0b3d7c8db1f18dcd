"""The demo's snapshots of the ledger: one a week, as a report would take it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from processes import ledger, ledger_snapshots, organisation

if TYPE_CHECKING:
    from web.demo import District

FRIDAY, SUMMARY = 4, date(2019, 2, 20)  # the summary reports are due (domain 1.0)


def begin(d: District) -> None:
    """Nothing is kept before the first Friday."""


def day(d: District, day: date) -> None:
    """On Fridays and on the campaign's last day a supervisor keeps the numbers of the district, and the leader of one street his own; on
    the day of the summary reports all streets do."""
    since, last = ledger.CAMPAIGN
    if day < since or (day.weekday() != FRIDAY and day not in (last, SUMMARY)):
        return
    with d.made.office.read() as conn:
        streets = [row["code"] for row in organisation.units(conn, organisation.DISTRICT, "street") if any(street == row["code"] for street, _ in d.streets)]
    for unit in streets if day == SUMMARY else streets[:1]:
        _keep(d, unit, "street_leader", day)
    _keep(d, organisation.DISTRICT, "supervisor", day)


def _keep(d: District, unit: str, role: str, day: date) -> None:
    if holders := d.by_role(role, unit):
        with d.made.office.act(holders[0]) as act:
            ledger_snapshots.take(act, ledger.Asked(unit, ledger.CAMPAIGN[0], day))
