"""A joint meeting played by named roles: the member units with one member and one liaison each, a secretary, two conveners."""

from __future__ import annotations

from typing import Any

from engine import queries
from engine.bpmn import Run
from engine.model import Put
from processes import meeting_units, meetings, organisation
from tests.district import HASHED, PASSWORD, District

DISTRICT = "120116"
KEY = {one.code: one.key for one in meeting_units.every()}
CODE = {key: code for code, key in KEY.items()}
SMALL = ("civil_affairs", "finance", "health", "human_resources", "disabled_federation")


def _people() -> list[tuple[str, str, str]]:
    """(login, role, unit)."""
    return [
        ("secretary", "meeting_secretary", DISTRICT), ("convener", "meeting_convener", DISTRICT), ("deputy", "meeting_convener", DISTRICT),
        *((f"m.{one.key}", "meeting_member", one.code) for one in meeting_units.every()),
        *((f"l.{one.key}", "meeting_liaison", one.code) for one in meeting_units.every()),
    ]  # fmt: skip


class Room(District):
    """Members sign in as "m.finance", liaisons as "l.finance"."""

    def __init__(self, bureau: Any, clock: Any, *, filled: bool = False) -> None:
        super().__init__(bureau, clock, filled=filled)
        with self.office.read() as conn:
            self.people |= {login: organisation.find_actor(conn, login) for login, _, _ in _people()}  # type: ignore[misc]

    def _fill(self) -> None:
        super()._fill()
        with self.office.act() as act:
            record = act.new("unit", DISTRICT)
            puts = [Put("unit", record.next_id(), {"code": one.code, "name": one.name, "level": "department", "parent_code": DISTRICT}) for one in meeting_units.every()]
            act.append(record, "units_listed", puts=puts)
            for login, role, unit in _people():
                organisation.add_staff(act, login, f"某{login}", PASSWORD, [(role, unit)], hashed=HASHED)

    def requests(self) -> list[int]:
        with self.office.read() as conn:
            return [row["id"] for row in meetings.open_requests(conn)]

    def ask(self, pension: int = 189_000, *, serial: int = 1, n: int = 2, **kind: Any) -> str:
        """A case that waits for the meeting's resolution; its number. `pension`: fen a month, all that the household has."""
        return str(self.road("asked", (pension, serial, n, kind), lambda: self._ask(pension, serial, n, kind)))

    def _ask(self, pension: int, serial: int, n: int, kind: dict[str, Any]) -> str:
        last = {"income": [{"kind": "transfer_income", "amount_fen": pension, "period": "month"}]}
        self.apply(self.household(n=n, serial=serial, last=last, **kind))
        self.accept()
        self.check()
        self.survey()
        self.consent()
        self.review()
        self.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究", trigger="income_slightly_over", special_facts="肾衰竭，自付费用八万元",
                wish="纳入低收入")  # fmt: skip
        return self.no

    def consent(self) -> None:
        if "low_income_consent" in self.tasks():
            self.do("clerk", "low_income_consent", low_income_consent=True, signed_on=self.office.today().isoformat(), signed_document=self.scan)

    # -- the meeting's tasks

    def convene(self, *requests: int, units: tuple[str, ...] = SMALL, planned_on: str = "2018-12-14", **more: Any) -> str:
        answers = {"kind": "case", "planned_on": planned_on, "place": "区民政局三楼会议室", "requests": list(requests) or self.requests(),
                   "units": [CODE[key] for key in units], **more}  # fmt: skip
        with self.office.act(self.people["secretary"]) as act:
            self.meeting = self.cases.start(act, "joint-meeting", answers)["case"]
        return self.meeting

    def step(self, who: str, node: str, meeting: str | None = None, **answers: Any) -> Any:
        task = self.tasks(meeting or self.meeting)[node]
        with self.office.act(self.people[who]) as act:
            return self.cases.complete(act, task["id"], answers)

    def screen(self, *back: int, meeting: str | None = None) -> None:
        with self.office.read() as conn:
            positions = [item["position"] for item in meetings.items(conn, meeting or self.meeting)]
        rows = [{"position": n, "admitted": n not in back, "presenter": "街道民政办"} | ({"reason_code": "file_incomplete"} if n in back else {}) for n in positions]
        self.step("secretary", "screen_agenda", meeting, items=rows)

    def approve(self, meeting: str | None = None) -> None:
        self.step("convener", "approve_agenda", meeting, agenda_outcome="approve")

    def open(self, *present: str, meeting: str | None = None, **more: Any) -> None:
        rows = [{"unit": CODE[key], "present": True} for key in present or SMALL]
        self.step("secretary", "open_meeting", meeting, opening="open", held_on=self.office.today().isoformat(), members=rows, **more)

    def sitting(self, *requests: int, units: tuple[str, ...] = SMALL, **kind: Any) -> str:
        """From the convening to an open meeting at which all of `units` are present."""
        return str(self.road("sitting", (requests, units, kind), lambda: self._sitting(requests, units, kind)))

    def _sitting(self, requests: tuple[int, ...], units: tuple[str, ...], kind: dict[str, Any]) -> str:
        self.convene(*requests, units=units, **kind)
        self.screen()
        self.approve()
        self.open(*units)
        return self.meeting

    # -- the room

    def vote(self, key: str, choice: str = "for", item: int = 1, meeting: str | None = None, **more: Any) -> Any:
        with self.office.act(self.people[f"m.{key}"]) as act:
            return meetings.cast_vote(act, meeting or self.meeting, item, choice, **more)

    def paper(self, key: str, choice: str = "for", item: int = 1, **more: Any) -> Any:
        with self.office.act(self.people["secretary"]) as act:
            return meetings.cast_vote(act, self.meeting, item, choice, unit=CODE[key], **more)

    def all_vote(self, choice: str = "for", item: int = 1, meeting: str | None = None, units: tuple[str, ...] = SMALL, **differ: str) -> None:
        for key in [*(u for u in units if u != "civil_affairs"), "civil_affairs"]:
            self.vote(key, differ.get(key, choice), item, meeting)

    def announce(self, announced: str, item: int = 1, who: str = "convener", meeting: str | None = None, **more: Any) -> Any:
        return self.step(who, "announce_item", meeting, item=item, announced=announced, reasons="集体研究", **more)

    def confirm(self, key: str, *, agrees: bool = True, **more: Any) -> Any:
        with self.office.act(self.people[f"m.{key}"]) as act:
            return meetings.confirm(act, self.cases, self.meeting, {"unit": CODE[key], "agrees": agrees, **more})

    def finish(self, *units: str, **draft: Any) -> None:
        """Minutes drafted, confirmed by all who attended, issued."""
        self.step("secretary", "draft_minutes", **draft)
        for key in units or SMALL:
            self.confirm(key)
        self.step("convener", "issue_minutes")

    # -- looking

    def row(self, no: str | None = None) -> Any:
        with self.office.read() as conn:
            return meetings.row(conn, no or self.meeting)

    def item(self, position: int = 1, no: str | None = None) -> Any:
        with self.office.read() as conn:
            return meetings.item_at(conn, no or self.meeting, position)

    def facts_of(self, no: str) -> dict[str, Any]:
        with self.office.read() as conn:
            row = queries.case_row(conn, no)
            return Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).facts
