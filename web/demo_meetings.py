"""The demo's joint meetings: convened when cases wait, held on Fridays, their minutes confirmed and issued on Mondays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from engine.model import Actor
from processes import calendar, meeting_units, meetings, organisation

FRIDAY, MONDAY = 4, 0
ABSENT, RETURNED = 0.1, 0.25  # of members, of items


def people(made: Any, password: str, names: Any) -> dict[str, Actor]:
    """A secretary, two conveners, and a member and a liaison of each unit: "finance", "finance.l"."""
    hashed, posts = organisation.hash_password(password), []
    posts += [("secretary", meetings.SECRETARY, organisation.DISTRICT), ("convener1", meetings.CONVENER, organisation.DISTRICT),
              ("convener2", meetings.CONVENER, organisation.DISTRICT)]  # fmt: skip
    for one in meeting_units.every():
        login = one.key.replace("_", "-")
        posts += [(login, meetings.MEMBER, one.code), (f"{login}.l", "meeting_liaison", one.code)]
    with made.office.act() as act:
        for n, (login, role, unit) in enumerate(posts):
            organisation.add_staff(act, login, names(n), "", [(role, unit)], hashed=hashed)
    with made.office.read() as conn:
        found = {login: organisation.find_actor(conn, login) for login, _, _ in posts}
    return {login: actor for login, actor in found.items() if actor is not None}


class Meetings:
    """What the people of the meeting do on a day of the demo."""

    def __init__(self, made: Any, chance: Any, actors: dict[str, Actor]) -> None:
        self.made, self.chance, self.actors = made, chance, actors
        self.member = {unit: a for a in actors.values() for role, unit in a.posts if role == meetings.MEMBER}

    def day(self, day: date) -> None:
        due = [meeting for meeting in self._in("approved") if meeting["planned_on"] <= day.isoformat()]
        if due or day.weekday() == FRIDAY:
            self._sit(due, day)
            return
        if day.weekday() == MONDAY:
            self._issue()
        if not self._in("approved"):
            self._convene(day)

    def has_work(self) -> bool:
        """Whether a case waits for a meeting."""
        with self.made.office.read() as conn:
            return bool(meetings.open_requests(conn))

    def _do(self, who: str, no: str, answers: dict[str, Any]) -> None:
        actor = self.actors[who]
        with self.made.office.act(actor) as act:
            task = meetings.open_task(act.conn, meetings.row(act.conn, no))
            if task is not None:
                self.made.cases.complete(act, task["id"], answers)

    def _in(self, status: str) -> list[Any]:
        with self.made.office.read() as conn:
            return meetings.of(conn, self.actors["secretary"], [status])

    def _convene(self, day: date) -> None:
        with self.made.office.read() as conn:
            waiting = [row["id"] for row in meetings.open_requests(conn)]
            listed = meetings.agendas_of(conn, waiting)
        asked = [number for number in waiting if number not in listed][:20]
        if not asked:
            return
        answers = {"kind": "case", "planned_on": _next_friday(day).isoformat(), "place": "区民政局三楼会议室", "requests": asked, "again_reason": "情况有新变化"}
        with self.made.office.act(self.actors["secretary"]) as act:
            no = self.made.cases.start(act, "joint-meeting", answers)["case"]
        with self.made.office.read() as conn:
            fit = {}
            for item in meetings.items(conn, no):
                request = meetings.request(conn, item["request_id"])
                fit[item["position"]] = request is not None and meetings.agenda_bar(conn, request) is None
        rows = [{"position": n, "admitted": ok, "presenter": "街镇社会救助窗口", **({} if ok else {"reason_code": "ordinary_recheck"})} for n, ok in fit.items()]
        self._do("secretary", no, {"items": rows})
        if any(fit.values()):
            self._do("convener1", no, {"agenda_outcome": "approve"})

    def _sit(self, due: list[Any], day: date) -> None:
        for meeting in due:
            here = [unit for unit in meeting["invited"].split() if unit in meeting_units.REQUIRED or self.chance.random() > ABSENT]
            rows = [{"unit": unit, "present": True} for unit in here]
            self._do("secretary", meeting["no"], {"opening": "open", "held_on": day.isoformat(), "members": rows,
                                                  "guests": [{"name": "民政办主任", "office": "有关街镇"}]})  # fmt: skip
            with self.made.office.read() as conn:
                items = [item for item in meetings.items(conn, meeting["no"]) if item["status"] == "admitted"]
            for item in items:
                self._decide(meeting["no"], item, here)
            self._do("secretary", meeting["no"], {})

    def _decide(self, no: str, item: Any, here: list[str]) -> None:
        with self.made.office.read() as conn:
            asked = meetings.request(conn, item["request_id"])
        if asked is None or asked["status"] != "submitted":
            self._do("convener1", no, {"item": item["position"], "announced": "lapsed", "reasons": "申请人撤回"})
            return
        back = self.chance.random() < RETURNED
        if back:
            with self.made.office.act(self.actors["secretary"]) as act:
                meetings.new_ballot(act, no, item["position"], "return_for_investigation", "与会成员建议先补充调查")
        for unit in sorted(here, key=lambda code: code == meeting_units.CHAIR):
            choice = "against" if self.chance.random() < ABSENT else "for"
            with self.made.office.act(self.member[unit]) as act:
                meetings.cast_vote(act, no, item["position"], choice, dissent="建议先核实收入" if choice == "against" else "")
        said: dict[str, Any] = {"announced": "return_for_investigation"} if back else {"announced": "approve_as", "approved_category": asked["ordinary_category"]}
        with self.made.office.read() as conn:
            meeting, now = meetings.row(conn, no), meetings.item_at(conn, no, item["position"])
            passed = meetings.sum_of(conn, meeting, now, self.made.office.today()).passed
        self._do("convener1", no, {"item": item["position"], "reasons": "集体研究，一事一议。", **(said if passed else {"announced": "defer"})})

    def _issue(self) -> None:
        for meeting in self._in("confirming"):
            with self.made.office.read() as conn:
                here = [seat["unit"] for seat in meetings.attendance(conn, meeting["no"]) if seat["voting"] and seat["present"]]
            for unit in here:
                with self.made.office.act(self.member[unit]) as act:
                    meetings.confirm(act, self.made.cases, meeting["no"], {"unit": unit, "agrees": True})
            self._do("convener1", meeting["no"], {})


def _next_friday(day: date) -> date:
    """Or the first working day after it."""
    found = day + timedelta(days=(FRIDAY - day.weekday()) % 7)
    while not calendar.is_workday(found):
        found += timedelta(days=1)
    return found
