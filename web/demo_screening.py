"""The screening in the demo's campaign: plans of every community, visits until 2019-02-20, what they find and what comes of it; one inspection."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.errors import EngineError
from engine.model import Actor
from processes import in_benefit, organisation, screening, screening_apply, screening_findings, screening_plans, supervision
from processes.screening_forms import IN_BENEFIT, REFUSED
from processes.screening_tables import screening_finding, screening_plan, screening_plan_home
from processes.tables import household

if TYPE_CHECKING:
    from web.demo import District

UNTIL, LAST = date(2019, 1, 31), date(2019, 2, 20)
RENEWED = frozenset({date(2018, 12, 10), date(2018, 12, 24), date(2019, 1, 14), date(2019, 1, 28)})  # who came into benefit since is added
SWEPT = frozenset({date(2019, 2, 13), date(2019, 2, 19)})  # who was not reached yet
REFUSALS = date(2019, 1, 21)
_CAUSES = ("illness", "disability", "old_age", "unemployment", "lack_labour")
_FINDINGS: dict[int, dict[str, Any]] = {  # of the visits in their order; what else comes of them stands below
    3: {"kind": "policy_not_implemented", "text": "符合条件但未享受取暖补贴。"},
    6: {"kind": "outstanding_hardship", "text": "户主大病自费部分较高，借款度日。", "referred_to": "区慈善协会"},
    9: {"kind": "unlawful_benefit", "text": "儿子已就业，收入未申报。"},
    14: {"kind": "policy_not_implemented", "text": "残疾人补贴漏发两个月。"},
    21: {"kind": "unlawful_benefit", "text": "一名成员户籍已迁出，未及时核减。"},  # nobody puts it right: overdue
    27: {"kind": "outstanding_hardship", "text": "独居老人冬季取暖困难。", "referred_to": "社区志愿服务队"},  # still open
}
_TEXT = {3: "已补发取暖补贴。", 6: "协会资助医疗费 3000 元。", 9: "已按变动报告重新核算。", 14: "已补发两个月补贴。"}


class Screening:
    """`begin` on the first day, `day` on every day after: what visitors and the district's inspectors do. Draws no lots of the demo's."""

    d: District

    def __init__(self) -> None:
        self.visits, self.applied, self.inspection = 0, False, 0
        self.due: list[tuple[date, int, int, int]] = []  # (day, number of the visit in order, finding, how often done)

    def begin(self, d: District) -> None:
        """A plan for each community where somebody is in benefit, and for the old and disabled of the first two."""
        self.d, first = d, d.made.office.today()
        with self.d.made.office.read() as conn:
            places = sorted({one["community"] for one in in_benefit.on(conn, "", first)})
        for n, place in enumerate(places):  # one or two households each: the streets begin one after the other
            self._plan(place, IN_BENEFIT, first + timedelta(days=n % 30), UNTIL)
        for place in [community for _, community in self.d.streets][:2]:
            self._plan(place, "elderly", first, UNTIL)
            self._plan(place, "disabled", first, UNTIL)

    def day(self, d: District, day: date) -> None:
        self.d = d
        if day in RENEWED:
            self._renew(day)
        if day == REFUSALS:
            for place in [community for _, community in self.d.streets][:6]:
                self._plan(place, REFUSED, day, LAST)
        with self.d.made.office.read() as conn:
            h = screening_plan_home.c
            query = select(h.household_id, h.population, h.community).where(h.visit_on == day.isoformat(), h.dropped_on.is_(None)).order_by(h.id)
            planned = [tuple(row) for row in conn.execute(query)]
            if day in SWEPT:
                ids = screening_plans.missing(conn, "", day, screening.SINCE, IN_BENEFIT)
                homes = {row.id: row.community for row in conn.execute(select(household.c.id, household.c.community).where(household.c.id.in_(ids)))}
                planned = [*planned, *((one, IN_BENEFIT, homes[one]) for one in ids if one not in {row[0] for row in planned})]
        for home, population, community in planned:
            self._visit(home, population, community, day)
        for entry in [one for one in self.due if one[0] == day]:
            self._put_right(*entry[1:], day)
        if day in _INSPECTED:
            _INSPECTED[day](self, day)

    def _plan(self, place: str, population: str, first: date, last: date) -> None:
        officer, *_ = self.d.by_role("civil_affairs_officer", place)
        teams = [{"first": a.id, "second": b.id} for a, b in self._teams(place)]
        try:
            with self.d.made.office.act(officer) as act:
                screening_plans.make(act, {"community": place, "population": population, "from_on": first, "until_on": last, "note": "百日会战摸底排查。", "teams": teams})
        except EngineError:
            return  # there is one already

    def _teams(self, place: str) -> list[tuple[Actor, Actor]]:
        officer, committee, workers = (self.d.by_role(role, place) for role in ("civil_affairs_officer", "village_committee", "investigator"))
        return [(officer[0], committee[0]), (workers[0], workers[1])] if committee else [(workers[0], workers[1])]

    def _renew(self, day: date) -> None:
        with self.d.made.office.read() as conn:
            rows = conn.execute(select(screening_plan.c.id, screening_plan.c.community).where(screening_plan.c.population == IN_BENEFIT, screening_plan.c.until_on >= day.isoformat()).order_by(screening_plan.c.id)).all()
        for row in rows:
            with self.d.made.office.act(self.d.by_role("civil_affairs_officer", row.community)[0]) as act:
                screening_plans.renew(act, row.id)

    def _visit(self, home: int, population: str, community: str, day: date) -> None:
        """Both visitors do their part; of every fortieth the second one has not confirmed yet. Who may not visit gives way to the next team."""
        self.visits += 1
        n, found = self.visits, _FINDINGS.get(self.visits)
        findings = [found | ({} if found["kind"] == "outstanding_hardship" else {"due_on": day + timedelta(days=10)})] if found else []
        said = {"household_id": home, "population": population, "visited_on": day, "met_person": "户主", "causes": [_CAUSES[n % 5]], "assistance": ["medical"] if n % 3 == 0 else [],
                "result": "changed" if n % 11 == 0 else "true", "result_text": "收入有变化，已告知办理变动报告。" if n % 11 == 0 else None, "still_hardship": n % 6 == 0,
                "hardship_text": "医疗费自付较高" if n % 6 == 0 else None, "relative_of_staff": False, "relatives_on_assistance": n % 13 == 0, "findings": findings,
                **({} if population == IN_BENEFIT else {"qualifies": population != REFUSED and not self.applied})}  # fmt: skip
        for first, second in self._teams(community):
            try:
                with self.d.made.office.act(first) as act:
                    made = screening.record(self.d.made.cases, act, said | {"second_visitor": second.id})
            except EngineError:
                continue  # a near relative, or no longer of the population
            if n % 40:
                with self.d.made.office.act(second) as act:
                    screening.confirm(act, made["screening"])
                if made["lead"] is not None:
                    self._apply(made["screening"], home, community, day)
            if found and n in _TEXT:
                with self.d.made.office.read() as conn:
                    one = screening.told(conn, self.d.made.office.keys.on(conn), [screening.seen(conn, first, made["screening"])], first, day)[0]
                self.due.append((day + timedelta(days=6), n, one["findings"][0]["id"], 0))
            return

    def _apply(self, visit: int, home: int, community: str, day: date) -> None:
        """The first who qualifies applies on the spot; the lead is a few minutes older."""
        self.d.clock.now += timedelta(minutes=5)
        clerk = self.d.by_role("window_clerk", community)[0]
        answers = {"programme": "dibao", "applied_on": day.isoformat(), "applied_by": "head", "reason": "入户排查认为符合条件。"}
        try:
            with self.d.made.office.act(clerk) as act:
                screening_apply.begin(act, self.d.made.cases, visit, "dibao-2012", answers)
            self.applied = True
        except EngineError:
            return  # an application of the household is under way

    def _put_right(self, n: int, finding: int, times: int, day: date) -> None:
        """Done, and verified by the street's leader two days later; the second one is sent back once, and done again."""
        with self.d.made.office.read() as conn:
            community = conn.scalar(select(household.c.community).where(household.c.id == self._home(conn, finding)))
        officer, leader = (self.d.by_role(role, str(community))[0] for role in ("civil_affairs_officer", "street_leader"))
        if times % 2 == 0:
            with self.d.made.office.act(officer) as act:
                screening_findings.rectify(self.d.made.cases, act, finding, {"done_on": day, "text": _TEXT[n], **({"outcome": "partly"} if n == 6 else {})})
            self.due.append((day + timedelta(days=2), n, finding, times + 1))
            return
        back = n == 14 and times == 1
        with self.d.made.office.act(leader) as act:
            screening_findings.verify(self.d.made.cases, act, finding, {"verdict": "returned", "text": "没有补发凭证。"} if back else {"verdict": "verified", "text": "已查看凭证。"})
        if back:
            self.due.append((day + timedelta(days=3), n, finding, times + 1))

    def _home(self, conn: Any, finding: int) -> int:
        return int(conn.scalar(select(screening_finding.c.household_id).where(screening_finding.c.id == finding)))

    # -- the district inspects what the first streets visited

    def _boss(self) -> Actor:
        return self.d.by_role("supervisor", organisation.DISTRICT)[0]

    def _inspect_plan(self, day: date) -> None:
        units = ",".join(dict.fromkeys(street for street, _ in self.d.streets[:8]))
        said = {"title": "百日会战摸底排查质量检查", "units": units, "kind": "visits", "from_on": day - timedelta(days=26), "until_on": day, "method": "by_street", "size": 5,
                "items": "是否两人入户\n致困原因与家庭情况是否相符\n发现的问题是否限期整改", "due_on": day + timedelta(days=30)}  # fmt: skip
        try:
            with self.d.made.office.act(self._boss()) as act:
                self.inspection = supervision.make(act, said)["plan"]
        except EngineError:
            return  # a demo so small that nobody was visited there yet
        with self.d.made.office.act(self._boss()) as act:
            supervision.draw(act, self.inspection)

    def _inspect(self, day: date) -> None:
        """All but the last one; of the first two something is not in order."""
        for n, one in enumerate(self._targets()[:-1]):
            wrong = [{"kind": ("procedure", "policy")[n], "text": ("走访记录未写明接待人与申请人的关系。", "应享受的教育救助未告知。")[n], "due_on": day + timedelta(days=15)}] if n < 2 else []
            said = {"inspected_on": day, "failed": str(n + 1) if wrong else "", "note": "查阅走访记录并电话回访。", "findings": wrong}
            with self.d.made.office.act(self._boss()) as act:
                supervision.inspect(act, one["id"], said)

    def _targets(self) -> list[dict[str, Any]]:
        if not self.inspection:
            return []
        with self.d.made.office.read() as conn:
            row = supervision.seen(conn, self._boss(), self.inspection)
            return supervision.targets(conn, self.d.made.office.keys.on(conn), row, self._boss())

    def _answer(self, day: date) -> None:
        """The first finding is put right and verified; the second waits, and is late in the end."""
        if not self.inspection:
            return
        with self.d.made.office.read() as conn:
            first = next(iter(supervision.findings_listed(conn, self._boss(), day, plan_id=self.inspection).items), None)
        if first is not None:
            with self.d.made.office.act(self.d.by_role("civil_affairs_officer", first["unit"])[0]) as act:
                supervision.rectify(act, first["id"], {"done_on": day, "text": "已补记并由调查人签字。"})
            with self.d.made.office.act(self._boss()) as act:
                supervision.verify(act, first["id"], {"verdict": "verified", "text": "已查看补记。"})


_INSPECTED = {date(2018, 12, 17): Screening._inspect_plan, date(2018, 12, 19): Screening._inspect, date(2018, 12, 27): Screening._answer}
