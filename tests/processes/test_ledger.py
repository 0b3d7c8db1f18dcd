"""作战台账: one street's campaign on a small scale through the product's own verbs, the numbers counted by hand, and check sums that break."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import update

from engine.errors import Invalid, NotFound
from processes import identity, leads, ledger
from processes import import_annex1 as annex1
from processes.benefit_tables import benefit_adjustment
from processes.ledger import Asked, Side
from processes.tables import benefit
from tests.district import COMMUNITY, STREET, paper
from tests.processes.reports import Reports, family
from tests.processes.test_review_2012 import Reviewed, brought_in

OTHER = "120116005001"
SINCE, UNTIL = "2018-11-19", "2019-02-28"


class Street:
    """Before the campaign: four households with 8 persons. In it: one with 3 is granted; own report (2), re-check (1) and a tip (2) end
    three; one person of the fourth dies; three households (6 persons) are re-checked."""

    def __init__(self, district: Any) -> None:
        self.d, self.reports, self.review = district, Reports(district), Reviewed(district)

    def lived(self) -> None:
        d, reports = self.d, self.reports
        dying = reports.granted(members=family(0, 150_000, 0))
        own, checked, told_of = self._listed(2, 1, 2)
        d.clock.set("2018-12-03T10:00")
        self._choose(own)
        reports.report("other", "2018-12-02", wants_exit=True)
        reports.register()
        reports.conclude("stop", "voluntary", clause="第三十二条")
        reports.deliver()
        d.clock.set("2018-12-05T10:00")
        self._review(checked)
        self.review.conclude("stop", "fraud", changed_since="2018-12")
        self._choose(told_of)
        reports.report("property_change", "2018-11-20", reported_by="public", channel="phone")
        reports.register(property=[{"kind": "vehicle"}])
        reports.investigate()
        reports.conclude("stop", "fraud", clause="第三十三条")
        reports.deliver()
        self._review(dying)
        self.review.conclude("keep")
        self._choose(dying)
        d.clock.set("2018-12-09T10:00")
        given = self._lead("village_committee", "vera")  # on the day before the application
        late = self._lead("resident", "vera", finder="邻居")
        reports.granted(on="2018-12-10", members=family(0, 150_000, 0, serial=500))
        for one in (late, given):
            with d.office.act(d.people["clerk"]) as act:
                leads.link(d.cases, act, one, d.no)
        self._choose(dying)
        d.clock.set("2019-01-08T10:00")
        dead = reports.members()[1]
        reports.report("death", "2018-12-28", person_id=dead)
        reports.register(leaves=[{"person_id": dead, "left_on": "2018-12-28", "left_reason": "death"}])
        reports.conclude("increase", "member_changed")
        reports.deliver()
        self.dead = dead
        d.at(f"{UNTIL}T10:00")

    def _lead(self, found_by: str, who: str, **more: str) -> int:
        d, day = self.d, self.d.office.today().isoformat()
        said = {"community": COMMUNITY, "known_as": "三口之家", "hardship": "other", "reason": "失业", "found_on": day, "found_by": found_by, **more}
        with d.office.act(d.people[who]) as act:
            number = leads.report(d.cases, act, said)["lead"]
        with d.office.act(d.people["officer"]) as act:
            leads.verify(d.cases, act, number, {"outcome": "help_apply", "note": "属实"})
        return number

    def _listed(self, *sizes: int) -> list[int]:
        book = Workbook()
        book.active.append(list(annex1.HEADINGS))
        for n, size in enumerate(sizes):
            number = identity.invent(date(1950, 1, 1), "male", 700 + n)
            book.active.append([n + 1, "何甲", number, size, "塘沽街道", "紫云园社区", 0, "无", "低保", 920 * size, "因病", "属实", ""])
        homes = brought_in(self.d, book, review_class="A")
        for home in homes:
            with self.d.office.act(self.d.people["clerk"]) as act:
                self.d.sign(act, home)
        return homes

    def _choose(self, home: int) -> None:
        self.reports.home = home
        self.reports.benefit_id = self.reports.row()["id"]
        self.d.scan = paper(self.d, "clerk", home)

    def _review(self, home: int) -> None:
        self._choose(home)
        with self.d.office.act(self.d.people["officer"]) as act:
            self.d.no = self.d.cases.start(act, "review-2012", {"household_id": home, "occasion": "campaign"})["case"]
        self.review.to_opinion()

    def told(self, unit: str = STREET, since: str = SINCE, until: str = UNTIL) -> dict[str, Any]:
        with self.d.office.read() as conn:
            return ledger.told(conn, Asked(unit, date.fromisoformat(since), date.fromisoformat(until)), self.d.office.today())

    def named(self, number: str) -> list[Any]:
        d = self.d
        with d.office.read() as conn:
            found = ledger.persons_of(conn, d.office.keys.on(conn), Asked(STREET, date.fromisoformat(SINCE), date.fromisoformat(UNTIL)), d.office.today(), number)
        return list(found.items)


def numbers(told: dict[str, Any], *, of: str = "persons") -> dict[str, int]:
    return {one["number"]: one[of] for one in told["numbers"]}


def red(told: dict[str, Any]) -> set[str]:
    return {one["check"] for one in told["checks"] if not one["ok"]}


def test_a_street_s_campaign_gives_the_numbers_counted_by_hand_as_of_any_day(district):
    street = Street(district)
    street.lived()
    told = street.told()
    assert numbers(told) == {"L1": 6, "L2": 3, "L3": 3, "L4": 6, "L4a": 2, "L4b": 1, "L4c": 2, "L4d": 1}
    assert numbers(told, of="households") == {"L1": 3, "L2": 1, "L3": 1, "L4": 3, "L4a": 1, "L4b": 1, "L4c": 1, "L4d": 0}
    assert (told["start"], told["end"]) == ({"persons": 8, "households": 4}, {"persons": 5, "households": 2})
    assert red(told) == set()
    assert [one for one in told["corrections"] if one["persons"] or one["households"]] == []
    whole = street.told("120116")
    assert (numbers(whole), whole["units"][0]["L4"]) == (numbers(told), 6)
    assert numbers(street.told("120116005"))["L1"] == 0
    # who died, and where it stands
    [gone] = street.named("L4d")
    assert (gone["person_id"], gone["name"], gone["day"][:7], gone["exit_class"]) == (street.dead, identity.mask_name("赵二"), "2019-01", "other")
    assert gone["id_no"].count("*") == 10
    assert gone["case_no"] == district.no
    assert gone["entry"] > 1
    assert {one["entry"] is not None for one in street.named("L1")} == {True}
    # as of an earlier day, and increments that add up
    early, late = street.told(until="2018-12-04"), street.told(since="2018-12-05")
    assert (numbers(early)["L4"], early["end"]["persons"], red(early)) == (2, 6, set())
    assert {n: numbers(early)[n] + numbers(late)[n] for n in ("L1", "L2", "L4")} == {n: numbers(told)[n] for n in ("L1", "L2", "L4")}
    # an exit that counts as nothing, and a benefit that no decision ended: shown, and not smoothed over
    with district.office.store.write() as conn:
        conn.execute(update(benefit).where(benefit.c.exit_class == "voluntary").values(exit_class=None))
        conn.execute(update(benefit_adjustment).where(benefit_adjustment.c.reason_code == "voluntary").values(case_no=None, reason_code="unchanged"))
    assert red(street.told()) == {"vi"}
    with district.office.store.write() as conn:
        conn.execute(update(benefit).where(benefit.c.status == "active").values(status="closed"))
    assert red(street.told()) == {"i_persons", "i_households", "vi"}


def _side(**hits: int) -> Side:
    found: dict[str, dict[int, Any]] = {n: dict.fromkeys(range(hits.get(n, 0))) for n in ledger.NUMBERS}  # type: ignore[misc]
    return Side(start=180, end=182, hits=found, corrections=dict.fromkeys(ledger.CORRECTIONS, 0), ever=195)


EXAMPLE = {"L1": 180, "L2": 15, "L3": 9, "L4": 13, "L4a": 3, "L4b": 7, "L4c": 2, "L4d": 1}  # domain 8


@pytest.mark.parametrize(
    ("changed", "broken"),
    [({}, set()), ({"L2": 14}, {"i_persons", "vii"}), ({"L3": 16}, {"iv", "vii"}), ({"L1": 196}, {"v", "vii"}), ({"L4d": 0}, {"vi"})],
)
def test_each_check_sum_of_the_example_can_break(changed, broken):
    whole, houses = _side(**{**EXAMPLE, **changed}), replace(_side(L2=7, L4=6), start=100, end=101)
    sides = {"120116": {"persons": whole, "households": houses}, "120116001": {"persons": _side(**EXAMPLE), "households": houses}}
    assert {one["check"] for one in ledger.checks(sides, "120116", ["120116001"]) if not one["ok"]} == broken


def test_what_is_asked_is_checked(district):
    with district.office.read() as conn:
        today = date(2019, 2, 20)
        rita, admin = district.people["rita"], district.people["admin"]
        assert ledger.asked(conn, rita, None, None, None, today) == Asked(STREET, date(2018, 11, 19), today)
        assert ledger.asked(conn, rita, COMMUNITY, "2019-01-01", "2019-01-01", today).unit == COMMUNITY
        for unit in ("120116", "120116005", "12011600", "x", STREET + "9"):
            with pytest.raises(NotFound):
                ledger.asked(conn, rita, unit, None, None, today)
        with pytest.raises(NotFound):
            ledger.asked(conn, admin, None, None, None, today)
        for since, until, field in (("2019-02-21", None, "from"), (None, "2019-02-21", "to"), ("20190101", None, "from"), ("2019-02-30", None, "from"), ("1900-01-01", None, "from")):
            with pytest.raises(Invalid) as caught:
                ledger.asked(conn, rita, None, since, until, today)
            assert list(caught.value.fields) == [field]


def test_a_household_that_moves_to_another_street_is_neither_new_nor_gone(district):
    """And as of the day before, it was where it was; a cut in the middle of its stay loses nobody."""
    reports, street = Reports(district), Street(district)
    reports.granted(members=family(0, 150_000, 0))
    district.clock.set("2018-12-12T10:00")
    reports.report("move_out", "2018-12-11")
    reports.register(new_community=OTHER, new_address="新址1号")
    district.do("stranger", "receive_transfer", transfer_outcome="accepted", opinion="接收")
    district.clock.set("2018-12-20T10:00")
    old, new, whole = (street.told(unit, until="2018-12-20") for unit in (STREET, OTHER[:9], "120116"))
    for told, start, end, moved in ((old, 3, 0, ("moved_out", -3)), (new, 0, 3, ("moved_in", 3)), (whole, 3, 3, None)):
        assert (told["start"]["persons"], told["end"]["persons"], numbers(told)["L2"], numbers(told)["L4"], red(told)) == (start, end, 0, 0, set())
        assert [(one["kind"], one["persons"]) for one in told["corrections"] if one["persons"]] == ([moved] if moved else [])
    before = street.told(STREET, until="2018-12-11")
    assert (before["end"], red(before)) == ({"persons": 3, "households": 1}, set())
