"""The hundred-day campaign in the demo: begun on the first day, each street's part and plans, shortfalls, what is owed, and the reports.

Made through the verbs of processes/campaigns.py and progress_reports.py. Some streets are late, one shortfall and one report of each
period come back, and something waits for the district.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine.model import Actor
from processes import campaigns, organisation, progress_reports
from processes.campaign_obligations import OBLIGATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from web.demo import District

_STAGES = (
    ("动员部署", date(2018, 11, 19), date(2018, 11, 30), "成立领导小组，制定方案，开展宣传培训，全面动员部署。"),
    ("全面排查", date(2018, 12, 1), date(2019, 1, 20), "对在保家庭、未保困难群众和2018年申请未获批准的家庭逐户排查，建立台账。"),
    ("整改提高、两节保障", date(2019, 1, 21), date(2019, 2, 10), "对排查问题立查立改，两节补贴在春节前全部发放到账，走访慰问困难群众。"),
    ("总结验收", date(2019, 2, 11), date(2019, 2, 28), "汇总统计表，报送总结报告，完善长效机制。"),
)
_GOALS = "提高政策知晓度；增强工作人员责任意识和业务能力；摸清困难群众基本状况；做到应保尽保，杜绝漏保；减少错保、骗保；消除人情保、关系保。"
_NAMES = ["王建国", "李淑英", "张志强", "刘桂兰", "陈永明", "杨丽华", "赵文博", "黄秀珍", "周海涛", "吴玉梅", "徐国栋", "孙晓燕"]
_PLANS = ("召开动员会，成立由主要领导任组长的工作专班，张贴政策宣传材料。", "以居村为单位组成排查小组，每组不少于两人，逐户走访并登记台账。",
          "对台账问题逐项整改，核对发放名册，走访分散供养特困人员。", "汇总附件1、附件2，形成总结报告，梳理经验做法。")  # fmt: skip
_LACKS = (("staff", "缺少专职救助工作人员1名", "通过政府购买服务补充1名专职人员"), ("equipment", "受理窗口没有高拍仪", "采购高拍仪1台"), ("premises", "没有独立的谈话室", "调整办公用房，设立谈话室"))


_WORDS = {
    "progress": ("本期入户走访按计划推进，已完成的家庭均已登记台账，发现的问题当场整改。", "召开工作推进会，组织民政专干和居村干部入户排查，宣传救助政策。", "对在保家庭开展信息核对和入户复核，对未保困难群众逐户了解情况。"),
    "good_practice": ("网格员与低保专干结对走访，线索当日报送。", "在居村公示栏和微信群同步公布政策和举报电话。", "无"),
    "difficulties": ("部分居民白天不在家，入户率受影响。", "人户分离家庭核查难度较大。", "基层专职人员不足，年底任务集中。"),
    "suggestions": ("建议增加一次业务培训。", "建议部门间核对信息及时反馈。", "无"),
}  # fmt: skip


class Campaign:
    """`begin` on the first day, `day` on every day after; draws its own lots, so that the rest of the demo stays as it is."""

    def __init__(self) -> None:
        self.id = 0
        self.chance = random.Random(1119)  # noqa: S311 - a demo, the same every time
        self.lacks: dict[str, int] = {}  # unit -> its shortfall

    def begin(self, d: District) -> None:
        stages = [{"name": name, "start_on": first.isoformat(), "end_on": last.isoformat(), "goals": goals} for name, first, last, goals in _STAGES]
        said = {"name": "精准救助百日会战", "paper": "市民政局《关于开展“精准救助百日会战”的通知》（津民发〔2018〕59号）", "start_on": "2018-11-19", "end_on": "2019-02-28", "goals": _GOALS, "stages": stages, "report_weeks": 4}
        self.id = self._do(d, self._keeper(d), campaigns.begin, said)["campaign"]

    def day(self, d: District, day: date) -> None:
        """A few acts on the days that matter; one street in seven does them later or not at all."""
        work: dict[date, Callable[[District], None]] = {
            date(2018, 11, 20): self._parts, date(2018, 11, 22): self._shortfalls, date(2018, 12, 3): lambda d: self._plans(d, 1), date(2018, 12, 14): self._remedied, date(2018, 12, 17): self._verified,
            date(2018, 12, 21): self._district_training, date(2019, 1, 22): lambda d: self._plans(d, 2), date(2019, 2, 1): self._visits, date(2019, 2, 2): self._confirmed, date(2019, 2, 12): lambda d: self._plans(d, 3)}  # fmt: skip
        if day in work:
            work[day](d)
        self._reports(d, day)

    # -- what is done on a day

    def _parts(self, d: District) -> None:
        for n, (street, who) in enumerate(self._streets(d)):
            if n % 9 == 8:
                continue  # has not answered
            leader, deputy, contact = self.chance.sample(_NAMES, 3)
            said = {"unit": street, "leader": leader, "deputy": deputy, "contact": contact, "staff_full": 1 + n % 4, "staff_part": n % 3, "office": True, "service_window": n % 5 != 3,
                    "equipment": [{"name": "电脑", "count": 2 + n % 3}, {"name": "高拍仪", "count": 1}]}  # fmt: skip
            self._do(d, who, campaigns.set_part, self.id, said)
        self._plans(d, 0)

    def _plans(self, d: District, stage: int) -> None:
        with d.made.office.read() as conn:
            row = campaigns.seen(conn, self._keeper(d), self.id)
            number = campaigns.stages_told(conn, row, d.made.office.today())[stage]["id"]
        for n, (street, who) in enumerate(self._streets(d)):
            if (n + stage) % 7 != 6:
                self._do(d, who, campaigns.set_plan, self.id, {"unit": street, "stage": number, "plan": _PLANS[stage]})

    def _shortfalls(self, d: District) -> None:
        for n, (street, who) in enumerate(self._streets(d)[::4]):
            kind, what, measure = _LACKS[n % len(_LACKS)]
            said = {"unit": street, "kind": kind, "what": what, "measure": measure, "responsible": self.chance.choice(_NAMES), "due_on": "2018-12-15" if n % 2 else "2019-01-31"}
            self.lacks[street] = self._do(d, who, campaigns.add_shortfall, self.id, said)["id"]

    def _remedied(self, d: District) -> None:
        people = dict(self._streets(d))
        for street, number in list(self.lacks.items())[:-2]:  # the last two stay open, one of them past its day
            said = {"remedied_on": d.made.office.today().isoformat(), "remedy": "已按措施补齐"}
            self._do(d, people[street], campaigns.remedy, number, said)

    def _verified(self, d: District) -> None:
        for n, number in enumerate(list(self.lacks.values())[:-2]):
            said = {"verdict": "return", "reason": "人员尚未到岗，请补齐后再报"} if n == 0 else {"verdict": "accept"}
            self._do(d, self._keeper(d), campaigns.verify, number, said)

    def _district_training(self, d: District) -> None:
        said = {"unit": organisation.DISTRICT, "done_on": d.made.office.today().isoformat(), "what": "举办区、街镇、居村三级培训班一期", "proof": "培训通知、签到表、课件"}
        self._prove(d, "district_training", [(organisation.DISTRICT, self._keeper(d, 1))], said)

    def _visits(self, d: District) -> None:
        said = {"done_on": d.made.office.today().isoformat(), "what": "走访慰问分散供养特困人员，帮助解决取暖等实际困难", "proof": "走访记录"}
        self._prove(d, "dispersed_visits", self._streets(d)[:-3], said)

    def _confirmed(self, d: District) -> None:
        """The district confirms what waits, but for the newest one, and sends one back."""
        keeper = self._keeper(d)
        with d.made.office.read() as conn:
            row = campaigns.seen(conn, keeper, self.id)
            units = [one["unit"] for one in campaigns.units_of(conn, row, keeper)]
            waiting = campaigns.proofs(conn, row, units, keeper, state="entered")
        for n, one in enumerate(one for one in waiting[1:] if one["may"]):
            said = {"verdict": "return", "reason": "走访记录没有对象签字"} if n == 0 else {"verdict": "accept"}
            self._do(d, keeper, campaigns.judge, one["id"], said)

    def _prove(self, d: District, kind: str, who: list[tuple[str, Actor]], said: dict[str, Any]) -> None:
        """Nothing to enter where another part's records show it."""
        if kind in OBLIGATIONS:
            return
        with d.made.office.read() as conn:
            number = next(one["id"] for one in campaigns.obligations_told(conn, campaigns.seen(conn, self._keeper(d), self.id)) if one["kind"] == kind)
        for unit, actor in who:
            self._do(d, actor, campaigns.prove, number, {"unit": unit, **said})

    # -- reports

    def _reports(self, d: District, day: date) -> None:
        """The streets report on the last day of each period, but for one in nine: most of these do it days later, one never; the district
        looks at them in the week after. Each report counts the ledger from the records: so every four weeks are enough for a demo."""
        with d.made.office.read() as conn:
            row = campaigns.seen(conn, self._keeper(d), self.id)
            listed, summary = progress_reports.periods(row), progress_reports.whole(conn, row)
        streets = self._streets(d)
        for period in [*listed, summary]:
            late = [one for n, one in enumerate(streets) if (n + period.number) % 9 == 1]
            if day == period.due_on:
                self._all_report(d, [one for one in streets if one not in late], period.number)
            elif day == period.due_on + timedelta(days=3):
                self._looked_at(d, period.number)
            elif day == period.due_on + timedelta(days=4):
                self._all_report(d, late[1:], period.number)

    def _all_report(self, d: District, streets: list[tuple[str, Actor]], number: int) -> None:
        for street, who in streets:
            self._report(d, street, who, number)

    def _report(self, d: District, street: str, who: Actor, number: int) -> None:
        texts = {name: self.chance.choice(_WORDS[name]) for name in _WORDS}
        report = self._do(d, who, progress_reports.draft, self.id, {"unit": street, "period": number, **texts})["report"]
        self._do(d, who, progress_reports.submit, report)

    def _looked_at(self, d: District, number: int) -> None:
        """All but the newest; the first one comes back, and is handed in again in every second week."""
        keeper, now = self._keeper(d), d.made.office.clock()
        with d.made.office.read() as conn:
            row = campaigns.seen(conn, keeper, self.id)
            rows = progress_reports.listed(conn, row, campaigns.units_of(conn, row, keeper), progress_reports.period_of(conn, row, number), now)
        handed = [one for one in rows if one["state"] == "submitted"]
        again = (now.date() + timedelta(days=3)).isoformat()
        for n, one in enumerate(handed[:-1] or handed):
            said = {"verdict": "return", "reason": "困难问题写得过于笼统，请写明具体情况。", "again_on": again} if n == 0 and len(handed) > 1 else {"verdict": "accept"}
            self._do(d, keeper, progress_reports.judge, one["id"], said)
            if n == 0 and len(handed) > 1 and number % 2 == 0:
                self._report(d, one["unit"], dict(self._streets(d))[one["unit"]], number)

    # -- who

    def _keeper(self, d: District, n: int = 0) -> Actor:
        found = d.by_role("supervisor", organisation.DISTRICT)
        return found[n % len(found)]

    def _streets(self, d: District) -> list[tuple[str, Actor]]:
        """The streets that have people in the demo, each with who enters its part."""
        streets = dict.fromkeys(street for street, _ in d.streets)
        return [(street, (d.by_role("civil_affairs_officer", street) or d.by_role("window_clerk", street))[0]) for street in streets]

    @staticmethod
    def _do(d: District, who: Actor, verb: Callable[..., dict[str, Any]], *said: Any) -> dict[str, Any]:
        with d.made.office.act(who) as act:
            return verb(act, *said)
