"""The example of domain 8 at its full size, through the API day by day: 100 households with 180 persons, and the numbers that the paper expects."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import Workbook

from processes import organisation
from processes.import_annex1 import HEADINGS
from processes.rebuild import differences
from tests.api_roads import Roads, elders
from tests.district import COMMUNITY, PASSWORD, STREET

pytestmark = pytest.mark.usefixtures("registries")
SIZES = [1, 2, 3, 2, 2, 2, *[2] * 74, *[1] * 20]  # own reports; found by screening; told of; the others, of whom one person dies
OTHER = "120116005001"
OWN, SCREENED, TOLD_OF, DYING = (0, 1), (2, 3, 4), 5, 6
STOP = {"clause": "民发〔2012〕220号第三十三条", "opinion": "情况属实"}


class Campaign(Roads):
    """A street's campaign: `listed` are the households of its list, in order."""

    def __init__(self, bureau: Any, district: Any) -> None:
        super().__init__(bureau, district)
        with bureau.office.act() as act:
            organisation.add_staff(act, "tess", "某tess", PASSWORD, [("complaint_officer", STREET)])
        self.listed: list[int] = []

    def brought_in(self, sizes: list[int]) -> None:
        """The street's list, as a spreadsheet, before the campaign."""
        book = Workbook()
        book.active.append(list(HEADINGS))
        for n, size in enumerate(sizes):
            book.active.append([n + 1, f"何{'甲乙丙丁戊己庚辛壬癸'[n % 10]}", self.number(f"1950-01-{1 + n % 28:02d}", "male"), size, "塘沽街道", "紫云园社区", 0, "无", "低保", 920 * size, "因病", "属实", ""])
        raw = io.BytesIO()
        book.save(raw)
        seen = self.call("clerk", "POST", "/household-lists", data={"file": (io.BytesIO(raw.getvalue()), "list.xlsx")}, content_type="multipart/form-data").json
        answers = {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"}
        told = self.good("clerk", "POST", f"/household-lists/{seen['list']}/import", {"answers": answers})
        assert (len(told["imported"]), told["errors"]) == (len(sizes), [])
        self.listed = [one["household_id"] for one in sorted(told["imported"], key=lambda one: one["row"])]

    def known(self, home: int) -> None:
        """A household of the list with a scanned page, whose adults sign."""
        self.home = home
        members = self.good("clerk", "GET", f"/households/{home}")["members"]
        self.members = [one["person_id"] for one in members]
        if home in self._pages:
            self.choose(home)
            return
        self._pages[home] = self.upload()
        self.choose(home)
        for position, one in enumerate(members):
            if not one["placeholder"]:  # who is only counted signs nothing
                self.authorise(position)

    def recheck(self, no: str, conclusion: str = "consistent", *, car: bool = False) -> None:
        """From the contact to the signature of the second visitor."""
        self.no = no
        self.go("officer", "contact_household", contacted_on=self.today, method="phone", contact_outcome="contacted", asked_for=[])
        self.check(conclusion)
        if car:
            self.good("officer", "PUT", f"/households/{self.home}/property", {"property": [{"kind": "vehicle"}]})
        self.go("ann", "home_survey", **self.seen())
        self.go("bob", "survey_cosign", agree="agree")

    def reviewed(self, home: int) -> str:
        self.known(home)
        return self.start("review-2012", "officer", occasion="campaign")


    # -- roads of the campaign

    def lead(self, about: str) -> int:
        said = {"community": COMMUNITY, "known_as": about, "hardship": "low_income", "reason": "没有收入", "found_on": self.today, "found_by": "village_committee"}
        number = self.good("vera", "POST", "/leads", said)["lead"]
        self.good("officer", "POST", f"/leads/{number}/verification", {"outcome": "help_apply", "note": "属实"})
        return int(number)

    def screened(self, home: int) -> None:
        """A visit by two that finds a car; the re-check follows."""
        visit = {"household_id": home, "population": "in_benefit", "visited_on": self.today, "second_visitor": "vera", "met_person": "户主", "causes": ["illness"], "assistance": [], "result": "untrue", "result_text": "名下有小汽车",
                 "still_hardship": False, "relative_of_staff": False, "relatives_on_assistance": False,
                 "findings": [{"kind": "unlawful_benefit", "text": "名下有小汽车", "due_on": "2018-12-28"}]}  # fmt: skip
        made = self.good("officer", "POST", "/screenings", visit)
        self.good("vera", "POST", f"/screenings/{made['screening']}/confirmation")

    def car(self, no: str) -> None:
        """A re-check that finds a car, and the stop."""
        self.no = no
        self.choose(int(self.facts("household_id")))
        self.recheck(no, "exceeds_standard", car=True)
        self.concluded("stop", "property_over")

    def tip(self, home: int) -> str:
        said = {"channel": "phone", "received_on": self.today, "target_kind": "household", "household_id": home, "allegation": "家中有小汽车"}
        return str(self.good("tess", "POST", "/complaints", {"answers": said})["case"])

    def proved(self, no: str) -> str | None:
        """The tip proves true; the number of the review that it opens."""
        self.no = no
        self.go("tess", "accept_complaint", acceptance="accept")
        self.go("ann", "investigate", investigated_on=self.today, second_investigator="bob", facts_found="车辆登记查询", evidence="登记信息")
        self.go("bob", "investigate_cosign", agree="agree")
        self.go("tess", "conclude", result="substantiated", event_on=self.today, action="开启复审")
        self.bureau.jobs.run_all()
        return next(row["review_no"] for row in self.good("tess", "GET", "/complaints?size=100")["items"] if row["case_no"] == no)

    def asks_to_leave(self, home: int) -> str:
        self.known(home)
        no = self.report("other", self.today, wants_exit=True)
        self.go("clerk", "register_change", evidence_outcome="complete")
        self.looked_into()
        return no

    def left(self, no: str, home: int) -> None:
        self.known(home)
        self.no = no
        self.concluded("stop", "voluntary")

    def dies(self, home: int, position: int = 1, reason: str = "death") -> int:
        """A member of a household that goes on; or he is in prison."""
        self.known(home)
        gone = self.members[position]
        self.report("death" if reason == "death" else "imprisonment", self.today, person_id=gone)
        self.go("clerk", "register_change", evidence_outcome="complete", leaves=[{"person_id": gone, "left_on": self.today, "left_reason": reason}])
        self.looked_into()
        self.concluded("decrease", "member_changed")
        return gone

    def told(self, **asked: str) -> Any:
        return self.good("rita", "GET", "/ledger?" + "&".join(f"{name}={value}" for name, value in ({"unit": STREET, "from": "2018-11-19", "to": "2019-02-28"} | asked).items()))


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # 1,500 requests: once is enough; test_ledger.py counts on both
def test_the_example_of_the_domain(bureau, district):
    street = Campaign(bureau, district)
    street.clock.set("2018-11-12T09:00")
    street.brought_in(SIZES)
    homes = street.listed
    street.at("2018-11-20T09:00")
    leads = [street.lead(f"{n}号院一户") for n in range(4)]
    street.at("2018-11-21T09:00")
    applying = [street.register(*elders(*[""] * size)) for size in (3, 2, 2, 2, 2, 2, 2)]
    cases: dict[int, str] = {}
    street.each(tuple(applying), cases, street.investigated, street.review, street.street, street.post)
    for number, home in zip(leads, applying, strict=False):
        assert street.good("clerk", "POST", f"/leads/{number}/application", {"case_no": cases[home]})["counts"]
    # the re-checks, some each day; those that end otherwise are concluded first
    kept = {}
    for n, home in enumerate(homes):
        if n in SCREENED or n == TOLD_OF:
            continue
        street.at(f"2018-11-{22 + n % 7}T09:00")
        kept[home] = street.reviewed(home)
        street.recheck(kept[home])
        if n in (*OWN, DYING):
            street.concluded("keep", "unchanged")
    street.at("2018-11-29T09:00")
    street.each(tuple(applying), cases, street.remove, street.submit, street.examine, lambda: street.post("district"))
    first = street.good("rita", "POST", "/ledger/snapshots", {"from": "2018-11-19"})["snapshot"]
    street.at("2018-12-03T09:00")
    for n in OWN:
        street.left(street.asks_to_leave(homes[n]), homes[n])
    street.at("2018-12-07T09:00")
    street.each(tuple(applying), cases, lambda: street.remove("district"), street.decide)
    street.at("2018-12-10T09:00")
    for n in SCREENED:
        street.known(homes[n])
        street.screened(homes[n])
    street.at("2018-12-11T09:00")
    for n in SCREENED:
        street.car(street.reviewed(homes[n]))
    street.at("2018-12-13T09:00")
    street.known(homes[TOLD_OF])
    opened = street.proved(street.tip(homes[TOLD_OF]))
    street.at("2018-12-17T09:00")
    street.car(str(opened))
    street.at("2019-01-08T09:00")
    dead = street.dies(homes[DYING])
    street.at("2019-02-28T09:00")

    told = street.told()
    assert {one["number"]: (one["persons"], one["households"]) for one in told["numbers"]} == {
        "L1": (180, 100), "L2": (15, 7), "L3": (9, 4), "L4": (13, 6), "L4a": (3, 2), "L4b": (7, 3), "L4c": (2, 1), "L4d": (1, 0)}  # fmt: skip
    assert (told["start"], told["end"]) == ({"persons": 180, "households": 100}, {"persons": 182, "households": 101})
    assert told["ok"], [one for one in told["checks"] if not one["ok"]]
    assert {one["check"]: one["left"] for one in told["checks"]} == {"i_persons": 182, "i_households": 101, "ii_persons": 182, "ii_households": 101, "iii": 0, "iv": 9, "v": 180, "vi": 13,
                                                                    "vii": 180 + 15 + 9 + 13, "vii_households": 100 + 7 + 4 + 6}  # fmt: skip
    assert told["problems"]["found"] == 3
    assert len(street.good("rita", "GET", f"/annexes/1?unit={STREET}&on=2019-02-28")["rows"]) == 101
    assert {one["unit"]: one["L4"] for one in street.good("sue", "GET", "/ledger?unit=120116&from=2018-11-19")["units"]} == {STREET: 13, "120116005": 0}
    # each number leads to its people and entries
    [gone] = street.good("rita", "GET", "/ledger/L4d")["items"]
    assert (gone["person_id"], gone["trigger"], gone["record_id"] is None, gone["entry"] is None) == (dead, None, False, False)
    listed = street.good("rita", "GET", "/ledger/L4b?size=100")["items"]
    assert {(one["trigger"]["what"], one["trigger"]["day"]) for one in listed} == {("screening", "2018-12-10")}
    assert {one["trigger"]["what"] for one in street.good("rita", "GET", "/ledger/L4c")["items"]} == {"tip"}
    assert (street.good("rita", "GET", "/ledger/L1?size=1")["total"], street.good("rita", "GET", "/ledger/L1?size=1&count=households")["total"]) == (180, 100)
    assert street.good("rita", "GET", "/ledger/end?size=1&count=households")["total"] == 101
    found = street.good("rita", "GET", "/ledger/L6?type=unlawful&state=overdue")["items"]
    assert [(one["source"], one["found_on"], one["due_on"], one["entry"]) for one in found] == [("screening", "2018-12-10", "2018-12-28", 1)] * 3
    assert [street.good("rita", "GET", f"/ledger/L6?{part}")["total"] for part in ("", "type=money", "state=settled", "to=2018-12-28&state=open")] == [3, 0, 0, 3]
    # the report of November, and the one of now
    last = street.good("rita", "POST", "/ledger/snapshots", {"from": "2018-11-19"})["snapshot"]
    seen = street.good("rita", "GET", f"/ledger/snapshots/{last}")
    assert (seen["intact"], seen["reproduced"], seen["previous"], seen["figures"]) == (True, True, first, told)
    assert {one["number"]: (one["entered"], one["left"]) for one in seen["changes"]} == {
        "L1": (9, 0), "L2": (15, 0), "L3": (9, 0), "L4": (13, 0), "L4a": (3, 0), "L4b": (7, 0), "L4c": (2, 0), "L4d": (1, 0), "L6": (3, 0)}  # fmt: skip
    assert street.good("rita", "GET", f"/ledger/snapshots/{first}")["reproduced"], "any past day gives what it gave"
    assert differences(bureau.office) == []
    assert street.told() == told


# -- another district, against a model that knows nothing of benefits and decisions


class Model:
    """What happened, in plain words; `count` adds it up by the definitions of domain 8."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str, int, tuple[int, ...], str, str]] = []  # day, what, home, persons, unit, category or kind of exit
        self.led: set[int] = set()  # homes with a lead of the grass roots that is older than the application

    def say(self, day: str, what: str, home: int, persons: Any, unit: str = COMMUNITY, kind: str = "dibao") -> None:
        self.log.append((day, what, home, tuple(persons), unit, kind))

    def count(self, unit: str, since: str, until: str, *, homes: bool = False) -> dict[str, int]:
        seen = [(day, what, (home,) if homes else persons, kind, home) for day, what, home, persons, where, kind in self.log if day <= until and where.startswith(unit)]
        if homes:
            seen = [one for one in seen if one[1] not in ("joined", "member_left")]
        ins = {"in", "joined", "moved_in"}
        began = [(day, one, kind, home, what) for day, what, keys, kind, home in seen if what in ins for one in keys]
        ended = [(day, one, kind, what) for day, what, keys, kind, _ in seen if what in ("out", "member_left", "moved_out") for one in keys]
        category = {}  # at its end
        for _, one, kind, _, what in sorted(began, key=lambda row: row[0]):
            category.setdefault(one, []).append(kind)
        found: dict[str, set[Any]] = {n: set() for n in ("L1", "L2", "L3", "L4", "L4a", "L4b", "L4c", "L4d")}
        for day, one, kind, home, what in began:
            converted = kind != "dibao" and any(other == one and on[:7] == day[:7] for on, other, _, _ in ended)
            if since <= day and what != "moved_in" and not converted:
                found["L2"].add(one)
                if home in self.led:
                    found["L3"].add(one)
        for day, one, kind, what in ended:
            again = any(other == one and on[:7] == day[:7] and on >= day and cat != "dibao" for on, other, cat, _, _ in began)
            if since <= day and what != "moved_out" and not again:
                found["L4"].add(one)
                found[{"voluntary": "L4a", "cleared": "L4b", "reported": "L4c", "other": "L4d"}[kind]].add(one)
        found["L1"] = {one for day, what, keys, _, _ in seen if what == "recheck" and since <= day for one in keys}
        start = sum(day < since for day, *_ in began) - sum(day < since for day, *_ in ended)
        return {n: len(keys) for n, keys in found.items()} | {"start": start, "end": len(began) - len(ended)}


class Lot:
    """Households of the list, each with what becomes of it; days by lot."""

    def __init__(self, street: Campaign, seed: int) -> None:
        self.street, self.model, self.chance = street, Model(), random.Random(seed)
        self.plan: list[tuple[str, int, Any]] = []

    def on(self, day: int, act: Any) -> None:
        """`day`: of the campaign, 1 is 2018-11-19."""
        self.plan.append(((date(2018, 11, 18) + timedelta(days=day)).isoformat(), len(self.plan), act))

    def run(self) -> None:
        for day, _, act in sorted(self.plan, key=lambda one: one[:2]):
            if self.street.today != day:
                self.street.at(f"{day}T09:00")
            act()
            self.street.clock.advance(minutes=1)

    def say(self, what: str, home: int, persons: Any = None, unit: str = COMMUNITY, kind: str = "dibao") -> None:
        self.model.say(self.street.today, what, home, self.people(home) if persons is None else persons, unit, kind)

    def people(self, home: int) -> list[int]:
        self.street.known(home)
        return list(self.street.members)

    # -- what becomes of a household

    def kept(self, home: int) -> None:
        def act() -> None:
            self.street.recheck(self.street.reviewed(home))
            self.say("recheck", home)
            self.street.known(home)
            self.street.concluded("keep", "unchanged")

        self.on(self.chance.randint(2, 20), act)

    def own(self, home: int) -> None:
        def act() -> None:
            self.street.left(self.street.asks_to_leave(home), home)
            self.say("out", home, kind="voluntary")

        self.on(self.chance.randint(2, 40), act)

    def stopped(self, home: int, no: str, kind: str) -> None:
        self.street.car(no)
        self.say("recheck", home)
        self.say("out", home, kind=kind)

    def screened(self, home: int) -> None:
        def visit() -> None:
            self.street.known(home)
            self.street.screened(home)

        day = self.chance.randint(2, 30)
        self.on(day, visit)
        self.on(day + 1, lambda: self.street.tip(home))  # too late, and never proved
        self.on(day + 2, lambda: self.stopped(home, self.street.reviewed(home), "cleared"))

    def says_it_in_the_review(self, home: int) -> None:
        """The household tells of its car before the check finds it."""
        def act() -> None:
            street = self.street
            no = street.reviewed(home)
            street.go("officer", "contact_household", contacted_on=street.today, method="phone", contact_outcome="contacted", asked_for=[])
            street.send("clerk", "change_reported", change_kind="property_change", changed_on=street.today, reported_on=street.today, channel="window", reported_by="household", details="购置小汽车")
            street.check("exceeds_standard")
            street.good("officer", "PUT", f"/households/{home}/property", {"property": [{"kind": "vehicle"}]})
            street.go("ann", "home_survey", **street.seen())
            street.go("bob", "survey_cosign", agree="agree")
            street.no = no
            street.concluded("stop", "property_over")
            self.say("recheck", home)
            self.say("out", home, kind="voluntary")

        self.on(self.chance.randint(2, 50), act)

    def told_of(self, home: int) -> None:
        def act() -> None:
            self.street.known(home)
            self.opened = self.street.proved(self.street.tip(home))

        day = self.chance.randint(2, 40)
        self.on(day, act)
        self.on(day, lambda: self.stopped(home, str(self.opened), "reported"))

    def told_of_before_the_check(self, home: int) -> None:
        """A tip of before the re-check counts, though it is proved when all is over."""
        def tip() -> None:
            self.street.known(home)
            self.tip = self.street.tip(home)

        self.on(22, tip)
        self.on(23, lambda: self.stopped(home, self.street.reviewed(home), "reported"))
        self.on(24, lambda: self.street.proved(self.tip))

    def own_before_a_tip(self, home: int) -> None:
        def ask() -> None:
            self.asked = self.street.asks_to_leave(home)

        def proved() -> None:
            self.street.proved(self.street.tip(home))

        def conclude() -> None:
            self.street.left(self.asked, home)
            self.say("out", home, kind="voluntary")

        for day, act in zip((25, 26, 29), (ask, proved, conclude), strict=True):
            self.on(day, act)

    def own_after_a_tip(self, home: int) -> None:
        def tip() -> None:
            self.street.known(home)
            self.second = self.street.tip(home)

        def proved() -> None:
            no = self.street.asks_to_leave(home)
            self.street.proved(self.second)
            self.street.left(no, home)
            self.say("out", home, kind="reported")

        self.on(30, tip)
        self.on(31, proved)

    def loses(self, home: int, reason: str) -> None:
        def act() -> None:
            gone = self.street.dies(home, reason=reason)
            self.say("member_left", home, [gone], kind="other")

        self.on(self.chance.randint(2, 60), act)

    def dies_out(self, home: int) -> None:
        def act() -> None:
            self.street.known(home)
            [alone] = self.street.members
            self.street.report("death", self.street.today, person_id=alone, reported_by="committee", channel="visit")
            self.street.go("clerk", "register_change", evidence_outcome="complete")
            self.street.concluded("stop", "death_single")
            self.say("out", home, [alone], kind="other")

        self.on(self.chance.randint(2, 60), act)

    def moves(self, home: int) -> None:
        def act() -> None:
            self.street.known(home)
            self.street.report("move_out", self.street.today)
            self.street.go("clerk", "register_change", evidence_outcome="complete", new_community=OTHER, new_address="新址1号")
            people = list(self.street.members)
            self.street.go("stranger", "receive_transfer", transfer_outcome="accepted", opinion="接收")
            self.say("moved_out", home, people)
            self.say("moved_in", home, people, OTHER)

        self.on(self.chance.randint(2, 60), act)

    def grows(self, home: int) -> None:
        def act() -> None:
            self.street.known(home)
            born = {"name": "何小", "id_no": self.street.number("2018-11-20", "female"), "relation": "child", "employment": "none", "labour_ability": "none"}
            self.street.good("clerk", "POST", f"/households/{home}/members", born)
            self.street.known(home)
            self.street.report("birth", self.street.today)
            self.street.go("clerk", "register_change", evidence_outcome="complete")
            self.street.looked_into()
            self.street.concluded("increase", "member_changed")
            self.say("joined", home, self.street.members[-1:])

        self.on(self.chance.randint(4, 60), act)

    def found_out(self, home: int) -> None:
        """The committee reports it."""
        def act() -> None:
            self.street.known(home)
            self.street.report("property_change", self.street.today, reported_by="committee", channel="visit")
            self.street.go("clerk", "register_change", evidence_outcome="complete", property=[{"kind": "vehicle"}])
            self.street.looked_into()
            self.street.concluded("stop", "property_over")
            self.say("recheck", home) if self.both() else None
            self.say("out", home, kind="cleared")

        self.on(self.chance.randint(2, 60), act)

    def both(self) -> bool:
        done = {t["node"] for t in self.street.case()["tasks"] if t["state"] == "done"}
        return {"means_check", "survey_cosign"} <= done

    def comes_again(self, home: int, income: str = "") -> None:
        """It leaves on 12-03 and applies on the next day: with an income for another kind of assistance, else for the same."""
        cases: dict[int, str] = {}
        street = self.street

        def left() -> None:
            street.left(street.asks_to_leave(home), home)
            self.say("out", home, kind="voluntary")

        def apply() -> None:
            for n, member in enumerate(self.people(home)[1:]):  # of the list only the applicant has a name
                named = {"name": f"何{'二三四'[n]}", "id_no": street.number(f"1952-03-0{n + 1}", "female"), "relation": "spouse" if n == 0 else "other"}
                street.good("clerk", "POST", f"/households/{home}/members/{member}/naming", named)
                street.authorise(n + 1)  # who has a name signs
            for member in street.members if income else ():
                street.good("clerk", "PUT", f"/households/{home}/members/{member}/income", {"income": [{"kind": "transfer_income", "amount_fen": income, "period": "month"}]})
            street.each((home,), cases, street.investigated, street.review, street.street, street.post)

        def granted() -> None:
            street.each((home,), cases, lambda: street.remove("district"), street.decide)
            self.say("in", home, kind="low_income" if income else "dibao")

        self.on(15, left)
        self.on(16, apply)
        self.on(24, lambda: street.each((home,), cases, street.remove, street.submit, street.examine, lambda: street.post("district")))
        self.on(32, granted)

    def applies(self, size: int, *, by: str | None) -> None:
        """A new household; `by`: who gave the lead, if anybody."""
        cases: dict[int, str] = {}
        street, begun = self.street, self.chance.randint(3, 8)
        known: dict[str, int] = {}

        def lead() -> None:
            said = {"community": COMMUNITY, "known_as": f"{size}口之家", "hardship": "low_income", "reason": "没有收入", "found_on": street.today, "found_by": by}
            who, more = ("vera", {}) if by == "village_committee" else ("clerk", {"finder": "邻居"})
            known["lead"] = street.good(who, "POST", "/leads", said | more)["lead"]
            street.good("officer", "POST", f"/leads/{known['lead']}/verification", {"outcome": "help_apply", "note": "属实"})

        def apply() -> None:
            known["home"] = home = street.register(*elders(*[""] * size))
            street.each((home,), cases, street.investigated, street.review, street.street, street.post)
            if by:
                street.good("clerk", "POST", f"/leads/{known['lead']}/application", {"case_no": cases[home]})
            if by == "village_committee":
                self.model.led.add(home)

        def granted() -> None:
            street.each((known["home"],), cases, lambda: street.remove("district"), street.decide)
            self.say("in", known["home"])

        if by:
            self.on(begun - 1, lead)
        self.on(begun, apply)
        self.on(begun + 8, lambda: street.each((known["home"],), cases, street.remove, street.submit, street.examine, lambda: street.post("district")))
        self.on(begun + 16, granted)

    def refused(self) -> None:
        def act() -> None:
            self.street.register(*elders("9000.00", ""))
            self.street.investigated()
            self.street.review()
            self.street.refuse("income_over", "收入高于标准")

        self.on(self.chance.randint(2, 30), act)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_another_district_counts_as_a_model_of_it(bureau, district):
    street = Campaign(bureau, district)
    lot = Lot(street, 20190228)
    street.clock.set("2018-11-12T09:00")
    size = lambda: lot.chance.randint(2, 4)  # noqa: E731
    fates = [lot.kept, lot.own, lot.screened, lot.told_of, lot.told_of_before_the_check, lot.own_before_a_tip, lot.own_after_a_tip, lambda home: lot.loses(home, "death"),
             lambda home: lot.loses(home, "imprisonment"), lot.moves, lot.grows, lot.found_out, lot.says_it_in_the_review, lot.comes_again, lambda home: lot.comes_again(home, "1200.00"), lot.dies_out]  # fmt: skip
    street.brought_in([*(size() for _ in fates[:-1]), 1])
    for fate, home in zip(fates, street.listed, strict=True):
        fate(home)
        lot.model.say("2018-01-01", "in", home, lot.people(home))
    for by in ("village_committee", "resident", None):
        lot.applies(size(), by=by)
    lot.refused()
    lot.run()
    street.at("2019-02-28T09:00")

    def held(unit: str, since: str, until: str) -> Any:
        told = street.good("sue", "GET", f"/ledger?unit={unit}&from={since}&to={until}")
        for count in ("persons", "households"):
            expected = lot.model.count(unit, since, until, homes=count == "households")
            numbers = {one["number"]: one[count] for one in told["numbers"]} | {name: told[name][count] for name in ("start", "end")}
            assert numbers == expected, (unit, since, until, count)
            assert (unit, until, count) != ("120116", "2019-02-28", "persons") or min(numbers.values()) > 0, "each number is put to the test"
        assert told["ok"], [one for one in told["checks"] if not one["ok"]]
        return told

    for unit in ("120116", STREET, COMMUNITY, OTHER[:9]):
        held(unit, "2018-11-19", "2019-02-28")
    for until in ("2018-11-30", "2018-12-10", "2018-12-20", "2019-01-05"):
        held("120116", "2018-11-19", until)
        held(STREET, "2018-12-01", until) if until > "2018-12-01" else None
    assert next(one for one in street.told()["checks"] if one["check"] == "iii")["left"] == 1
    assert differences(bureau.office) == []
