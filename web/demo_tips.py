"""What others bring to light in the demo: leads of the grass roots, complaints and what was found, an auditor's sample with its findings, two matters of accountability."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import store
from engine.errors import EngineError, Refused
from engine.forms import Form, understand
from engine.model import Actor
from engine.office import Act
from engine.queries import case_row, case_tasks
from processes import (
    accountability,
    audit,
    benefits,
    calendar,
    complaints,
    eligibility,
    findings,
    households,
    investigation,
    leads,
    organisation,
)
from processes.complaint_forms import ReporterIn
from processes.findings import Finding
from processes.lead_forms import LeadIn, LeadVerified
from processes.organisation import DISTRICT
from processes.screening_forms import CASE
from processes.tables import benefit, household

if TYPE_CHECKING:
    from web.demo import District

_GRID = "田石雷白"  # one grid worker for a quarter of the communities
_VERIFIERS = ("civil_affairs_officer", "window_clerk", "reviewer")
_FOLLOWED = 3  # leads whose applications are looked after until they are decided: the ledger's L3


@dataclass(frozen=True, slots=True)
class Given:
    """A lead. outcome None: it is never verified; known_as "": it is about a household of the demo that has not applied yet."""

    on: date
    verified: date | None
    by: str
    outcome: str | None
    hardship: str
    reason: str
    known_as: str = ""
    finder: str = ""
    referred_to: str = ""


_LEADS = (
    Given(date(2018, 11, 19), date(2018, 11, 20), "grid_worker", "help_apply", "low_income", "入户走访发现全家收入很低，冬季取暖费没有着落。"),
    Given(date(2018, 11, 20), date(2018, 11, 22), "village_committee", "help_apply", "illness", "户主住院后停工，家庭收入减少。"),
    Given(date(2018, 11, 22), date(2018, 11, 26), "civil_affairs_officer", "help_apply", "job_loss", "企业停产后收入下降，不知道可以申请救助。"),
    Given(date(2018, 11, 26), date(2018, 11, 28), "village_cadre", "help_apply", "low_income", "驻村走访了解到该户靠亲戚接济。", finder="驻村干部谭某"),
    Given(date(2018, 11, 28), date(2018, 11, 30), "resident", "help_apply", "other", "邻居反映该户常到社区食堂赊账。", finder="邻居贺某"),
    Given(date(2018, 12, 4), date(2018, 12, 6), "grid_worker", "no_need", "other", "反映生活困难。", "五号楼租住的外卖员"),
    Given(date(2018, 12, 11), date(2018, 12, 13), "village_committee", "no_need", "old_age", "独居，子女在外地。", "平房区高姓老人"),
    Given(date(2018, 12, 18), date(2018, 12, 20), "grid_worker", "referral", "accident", "厨房失火，家具烧毁。", "二号院顾家", referred_to="滨海新区慈善协会"),
    Given(date(2018, 12, 27), date(2019, 1, 3), "police", "no_need", "disability", "肢体残疾，出行不便。", "菜场旁修鞋师傅", "辖区派出所"),
    Given(date(2019, 1, 9), date(2019, 1, 11), "organisation", "referral", "illness", "欠费出院，无人照料。", "急诊送来的务工人员", "社区卫生服务中心", "区救助管理站"),
    Given(date(2019, 1, 22), date(2019, 1, 24), "grid_worker", "help_apply", "orphan", "随奶奶生活，父母失联，正在准备材料。", "三号楼祖孙二人"),  # is being helped to apply
    Given(date(2019, 2, 26), None, "grid_worker", None, "old_age", "腿部骨折，无人照料。", "七号楼独居老人"),  # nobody has looked into it yet
)
_NOTES = {"help_apply": "入户核实，情况属实，已告知申请条件并帮助准备材料。", "no_need": "入户核实，收入和财产均高于标准，已作解释。", "referral": "不符合低保条件，确有临时困难。"}

_REPORTER = {"name": "曲某", "phone": "13900000117"}
_HOT_LINE = {"name": "滕某", "address": "演示路117号"}
_PASSER = {"name": "阮某", "phone": "13900000118"}
Steps = tuple[tuple[date, str, dict[str, Any]], ...]


def _looked(first: date, second: date | None, accepted: date, found: str, evidence: str) -> Steps:
    """受理 and 核查; second None: the second investigator has not signed."""
    steps: Steps = ((accepted, "accept_complaint", {"acceptance": "accept"}), (first, "investigate", {"investigated_on": first.isoformat(), "facts_found": found, "evidence": evidence}))
    return (*steps, (second, "investigate_cosign", {"agree": "agree"})) if second else steps


# received on, channel, about, allegation, who complains, the steps taken
_COMPLAINTS: tuple[tuple[date, str, str, str, dict[str, str] | None, Steps], ...] = (
    (date(2018, 11, 27), "phone", "household", "该户有人在外打工，收入没有申报。", _REPORTER,
     (*_looked(date(2018, 12, 10), date(2018, 12, 11), date(2018, 11, 30), "走访单位和邻居，该成员近一年没有务工。", "社保缴费查询、单位证明"),
      (date(2018, 12, 17), "conclude", {"result": "unsubstantiated", "action": "维持待遇，向举报人说明情况。"}),
      (date(2018, 12, 19), "deliver_feedback", {"delivered_on": "2018-12-19", "method": "phone", "words": "经核查，反映的情况不属实，感谢监督。"}))),
    (date(2018, 12, 4), "letter", "household", "该户儿子购买了小汽车，仍在享受低保。", None,
     (*_looked(date(2018, 12, 13), date(2018, 12, 14), date(2018, 12, 6), "车辆登记在户主名下，10月购入。", "车辆登记信息、现场照片"),
      (date(2018, 12, 21), "conclude", {"result": "substantiated", "event_on": "2018-10-15", "action": "开启复审，重新核定待遇。"}))),
    (date(2018, 12, 12), "12345", "household", "该户弄虚作假骗取低保。", _HOT_LINE,
     (*_looked(date(2018, 12, 26), date(2018, 12, 27), date(2018, 12, 14), "双方有邻里纠纷，举报人承认所述系编造。", "谈话笔录、核对报告"),
      (date(2019, 1, 4), "conclude", {"result": "malicious", "action": "对举报人批评教育，待遇不变。"}),
      (date(2019, 1, 7), "deliver_feedback", {"delivered_on": "2019-01-07", "method": "12345", "words": "经核查，所举报情况不属实，请实事求是反映问题。"}))),
    (date(2018, 12, 25), "transferred", "household", "信访部门转来：该户有两套住房。", None,  # the second investigator never signs: late since 2019-02-26
     _looked(date(2019, 1, 15), None, date(2018, 12, 28), "不动产登记一套，另一处为租住。", "不动产登记查询")),
    (date(2019, 1, 8), "visit", "staff", "居委会工作人员没有入户，表是在办公室填的。", _PASSER,
     (*_looked(date(2019, 1, 23), date(2019, 1, 24), date(2019, 1, 10), "一户漏访，其余按规定入户。", "走访记录、住户谈话"),
      (date(2019, 1, 29), "conclude", {"result": "partly", "action": "补做走访，按程序追责。"}),
      (date(2019, 1, 31), "deliver_feedback", {"delivered_on": "2019-01-31", "method": "direct", "words": "反映的情况部分属实，已责成整改。"}))),
    (date(2019, 2, 21), "web", "unknown", "有人领着低保开店。", None, ()),  # open, and in time
)  # fmt: skip
_ABOUT_STAFF = 4

_COMMITTED, _DRAWN, _RAISED = date(2018, 12, 10), date(2018, 12, 11), date(2018, 12, 13)
_FINDINGS = (Finding("minor", "民发〔2012〕220号第十四条", "档案缺少入户照片说明。"), Finding("serious", "民发〔2012〕220号第十四条", "入户调查记录过于简单，收入情况没有逐项核实。"))
_REPLIES = ((date(2018, 12, 18), "已补齐说明并归档。"), (date(2018, 12, 21), "当日走访户数多，记录从简。"))
_VERDICTS = ((date(2018, 12, 20), "accepted", "已整改，予以了结。"), (date(2019, 1, 3), "upheld", "答复不能说明没有核实的原因，维持认定。"))
_NEGLIGENT = {"category": "subjective_intent", "sub_type": "negligence", "severity": "serious", "wrong": "wrong_grant", "treatment": "serious",
              "discipline": "街道纪工委 单某", "proposal": "未按规定逐项核实收入，造成严重错保。"}  # fmt: skip
_EXEMPT = {"category": "objective_deviation", "severity": "ordinary", "treatment": "exempt", "discipline": "区纪委监委派驻组 佟某", "proposal": "漏访系住户外出，事后已补做。"}


class Tips:
    """`begin` on the first day, `day` on every day after. Draws no lots of the demo's."""

    def __init__(self) -> None:
        self.lots = random.Random(2018)  # noqa: S311 - a demo, the same every time
        self.grid: list[Actor] = []
        self.leads: dict[int, tuple[int, int | None, str]] = {}  # place in _LEADS -> lead, its household, its community
        self.followed: list[str] = []  # cases that began with a lead
        self.complaints: dict[int, str] = {}
        self.staff = ""  # whom one complaint is about
        self.sample, self.drawn, self.findings = "", list[str](), list[int]()
        self.matters: dict[str, tuple[int, str]] = {}  # name -> matter, who is concerned

    def begin(self, d: District) -> None:
        """The grid workers. They have no tasks of cases, so the demo's staff does not know them."""
        from web.demo import PASSWORD

        hashed = organisation.hash_password(PASSWORD)
        places = [community for _, community in d.streets]
        for n, surname in enumerate(_GRID):
            theirs = places[len(places) * n // len(_GRID) : len(places) * (n + 1) // len(_GRID)]
            if not theirs:
                continue
            with d.made.office.act() as act:
                organisation.add_staff(act, f"grid{n + 1}", f"{surname}网格", "", [("grid_worker", place) for place in theirs], hashed=hashed)
            with d.made.office.read() as conn:
                found = organisation.find_actor(conn, f"grid{n + 1}")
            self.grid += [found] if found else []

    def day(self, d: District, day: date) -> None:
        """What is due on a working day."""
        if not calendar.is_workday(day):
            return
        self._leads(d, day)
        self._follow(d)
        self._complaints(d, day)
        self._audit(d, day)
        self._matters(d, day)

    # -- leads

    def _leads(self, d: District, day: date) -> None:
        for n, one in enumerate(_LEADS):
            if one.on == day:
                self._give(d, n, one, day)
            if one.verified == day and n in self.leads:
                lead, _, community = self.leads[n]
                said = {"outcome": one.outcome, "note": _NOTES[str(one.outcome)], **({"referred_to": one.referred_to} if one.referred_to else {})}
                able = self._able(d, _VERIFIERS if one.by != "civil_affairs_officer" else _VERIFIERS[1:], community)
                _try(d, able, lambda act, lead=lead, said=said: leads.verify(d.made.cases, act, lead, _understood(act, LeadVerified, said)))

    def _give(self, d: District, n: int, one: Given, day: date) -> None:
        """In the giver's own name, or entered by the window for who has no account."""
        home, place = (None, d.streets[n * len(d.streets) // len(_LEADS)][1]) if one.known_as else self._hardship(d, day)
        if not place:
            return
        where = {"community": place, "known_as": one.known_as} if home is None else {"household_id": home}
        said = {**where, "hardship": one.hardship, "reason": one.reason, "found_on": day.isoformat(), "found_by": one.by, **({"finder": one.finder} if one.finder else {})}
        own = one.by in leads.WITH_ACCOUNT
        able = self._able(d, [one.by] if own and home is None else _VERIFIERS, place)
        if own and home is not None:  # who reads no case names no household: the window enters it, and whose lead it is
            finder = next(iter(self._able(d, [one.by], place)), None)
            if finder is None:
                return
            said["finder_login"] = finder.id
            able = [finder, *able] if one.by == "civil_affairs_officer" else able
        told = _try(d, able, lambda act: leads.report(d.made.cases, act, _understood(act, LeadIn, said)))
        if told:
            self.leads[n] = (told["lead"], home, place)

    def _hardship(self, d: District, day: date) -> tuple[int | None, str]:
        """A household that will come to the window some days later, and by what it declares can be helped; (None, "") when there is none left."""
        places, known = [community for _, community in d.streets], {home for _, home, _ in self.leads.values()}
        with d.made.office.read() as conn:
            busy = set(conn.scalars(select(store.record.c.subject).where(store.record.c.kind == "case", store.record.c.process != CASE)))
            held = set(conn.scalars(select(benefit.c.household_id)))
            rows = conn.execute(select(household.c.id, household.c.community).where(household.c.community.in_(places)).order_by(household.c.id)).all()
            coming = [row for row in rows if row.id not in held and f"household:{row.id}" not in busy]
            for row in coming[len(coming) // 15 :]:
                if row.id not in known and self._in_need(households.snapshot(conn, d.made.office.keys.on(conn), row.id, day)):
                    return row.id, row.community
        return None, ""

    @staticmethod
    def _in_need(facts: Mapping[str, Any]) -> bool:
        return eligibility.assess(facts)["category"] in ("dibao", "low_income")

    def _follow(self, d: District) -> None:
        """The window's applications are linked to the leads that they came of; the first ones are looked after, so that they are decided before the campaign ends."""
        for n, (lead, home, community) in list(self.leads.items()):
            if home is None or _LEADS[n].outcome != "help_apply" or (no := self._applied(d, home)) in (None, *self.followed):
                continue
            if _try(d, self._able(d, ("window_clerk", "civil_affairs_officer"), community), lambda act, lead=lead, no=no: leads.link(d.made.cases, act, lead, str(no))):
                self.followed.append(str(no))
        for no in self.followed[:_FOLLOWED]:
            self._hurry(d, no)

    @staticmethod
    def _applied(d: District, home: int) -> str | None:
        row = store.record.c
        with d.made.office.read() as conn:
            query = select(row.no).where(row.kind == "case", row.subject == f"household:{home}", row.process.in_(sorted(leads.applications())))
            found: str | None = conn.scalar(query.order_by(row.id).limit(1))
        return found

    def _hurry(self, d: District, no: str) -> None:
        """Today's open steps of a case, by whoever may do them; also the one that the demo would leave undone, another will be left for it."""
        from web.demo import _ANSWERS

        theirs = replace(d, chance=self.lots)
        for row in _open_tasks(d, no):
            answers = _ANSWERS.get(row["node"])
            if answers is None:
                continue
            able = [who for who in self._able(d, [row["role"]], row["unit"]) if row["assignee"] in (None, who.id)]
            home, paper = int(row["subject"].partition(":")[2]), investigation.PAPERS.get(row["node"], ("", ""))[0]
            pages = {paper: d.scans[home]} if paper and home in d.scans else {}
            for who in able:
                with contextlib.suppress(Refused):
                    said = pages | answers(theirs, who, home, d.clock.now.date().isoformat())
                    if _complete(d, [who], row, said):
                        if d.left.get(row["node"]) == row["id"]:
                            del d.left[row["node"]]
                        break

    # -- complaints

    def _complaints(self, d: District, day: date) -> None:
        for n, (received, channel, kind, allegation, reporter, steps) in enumerate(_COMPLAINTS):
            if received == day and (about := self._target(d, n, kind)):
                said = {"channel": channel, "received_on": day.isoformat(), "target_kind": kind, "allegation": allegation, **about}
                told = _try(d, self._able(d, ["complaint_officer"], DISTRICT), lambda act, said=said, who=reporter: complaints.register(d.made.cases, act, said, who and _understood(act, ReporterIn, who)))
                if told:
                    self.complaints[n] = told["case"]
            for on, node, said in steps if n in self.complaints else ():
                if on == day:
                    self._step(d, self.complaints[n], node, said)

    def _target(self, d: District, n: int, kind: str) -> dict[str, Any]:
        """Households in benefit of the last streets: the first ones are looked at in the round of re-checks."""
        if kind == "staff":
            self.staff = next((who.id for who in reversed(self._able(d, ["village_committee"], ""))), "")
            return {"target_login": self.staff} if self.staff else {}
        if kind == "unknown":
            return {"target_unit": d.streets[-1][0]}
        with d.made.office.read() as conn:
            homes = list(conn.scalars(select(benefit.c.household_id).distinct().where(benefit.c.status == "active").order_by(benefit.c.household_id)))
            homes = homes or list(conn.scalars(select(household.c.id).order_by(household.c.id)))
            live = [home for home in reversed(homes) if benefits.live(conn, home) is not None] or homes
        return {"household_id": live[(n * 2) % len(live)]} if live else {}

    def _step(self, d: District, no: str, node: str, said: dict[str, Any]) -> None:
        for row in _open_tasks(d, no):
            able = self._able(d, [row["role"]], row["unit"])
            if row["node"] == node == "investigate":
                for first in able:
                    second = next((who.id for who in able if who.id != first.id), None)
                    if _complete(d, [first], row, {**said, "second_investigator": second}):
                        break
            elif row["node"] == node:
                _complete(d, able, row, said)

    # -- audit and accountability

    def _audit(self, d: District, day: date) -> None:
        auditors = self._able(d, ["auditor"], DISTRICT)
        if day == _COMMITTED:
            with d.made.office.read() as conn:
                there = len(audit.cases_of(conn, population := audit.Population(from_on="2018-11-19", until_on=day.isoformat())))
            told = there and _try(d, auditors, lambda act: audit.commit_seed(act, population, min(6, there), ["process"], "抽查百日会战以来办理的个案", seed=self.lots.randbytes(32)))
            self.sample = told["sample"] if told else ""
        if day == _DRAWN and self.sample:
            told = _try(d, auditors, lambda act: audit.draw_sample(act, self.sample))
            self.drawn = [no for no in told["drawn"] if no not in self.complaints.values()] if told else []
        if day == _RAISED:
            for no, said in zip(self.drawn, _FINDINGS, strict=False):
                told = _try(d, auditors, lambda act, no=no, said=said: findings.raise_on(act, d.made.cases, no, said))
                self.findings += [told["finding"]] if told else []
        for n, number in enumerate(self.findings):
            if _REPLIES[n][0] == day:
                with d.made.office.read() as conn:
                    place = findings.seen(conn, auditors[0], number)["unit"]
                _try(d, self._able(d, ("civil_affairs_officer", "window_clerk", "district_examiner"), place), lambda act, n=n, number=number: findings.reply(act, number, _REPLIES[n][1]))
            if _VERDICTS[n][0] == day:
                _try(d, auditors, lambda act, n=n, number=number: findings.settle(act, number, *_VERDICTS[n][1:]))

    def _matters(self, d: District, day: date) -> None:
        """One is proposed with discipline inspection, replied to and decided by another; one waits for the reply."""
        bosses, auditors = self._able(d, ["supervisor"], DISTRICT), self._able(d, ["auditor"], DISTRICT)
        if day == date(2019, 1, 10) and len(self.findings) == len(_FINDINGS):
            with d.made.office.read() as conn:
                found = findings.seen(conn, auditors[0], self.findings[1])
                worked = [task["done_by"] for task in case_tasks(conn, case_row(conn, found["case_no"])["id"]) if task["done_by"] in d.actors]
            worked = [login for login in worked if d.actors[login].roles.isdisjoint(accountability.HANDLERS)]
            worked = worked or [who.id for who in self._able(d, ("civil_affairs_officer", "window_clerk"), found["unit"])]
            self._open(d, "decided", worked[0], {"unit": found["unit"], "findings": str(found["id"]), "facts": "审计抽查发现入户调查没有逐项核实收入，答复后维持认定。"}, bosses)
        if day == date(2019, 2, 13) and _ABOUT_STAFF in self.complaints:
            no = self.complaints[_ABOUT_STAFF]
            with d.made.office.read() as conn:
                place = case_row(conn, no)["unit"]
            self._open(d, "waits", self.staff, {"unit": place, "cases": no, "facts": "举报核查部分属实：一户漏访。"}, bosses)
        for name, on, proposal in (("decided", date(2019, 1, 15), _NEGLIGENT), ("waits", date(2019, 2, 20), _EXEMPT)):
            if day == on and name in self.matters:
                _try(d, bosses, lambda act, name=name, said=proposal: accountability.propose(act, self.matters[name][0], _understood(act, accountability.MatterProposed, said)))
        if "decided" in self.matters:
            matter, login = self.matters["decided"]
            if day == date(2019, 1, 18):
                _try(d, [d.actors[login]], lambda act: accountability.reply(act, matter, {"text": "当日走访任务集中，未能逐项核实，愿意改正。"}))
            if day == date(2019, 1, 25):
                said = {"conclusion": "严肃追究：通报批评，取消当年评优资格。", "rectified_on": "2019-01-24"}
                _try(d, auditors, lambda act: accountability.conclude(act, matter, {**_understood(act, accountability.MatterConcluded, said), "rectified_on": said["rectified_on"]}))

    def _open(self, d: District, name: str, login: str, said: Mapping[str, str], bosses: Iterable[Actor]) -> None:
        told = _try(d, bosses, lambda act: accountability.open_matter(act, _understood(act, accountability.MatterOpened, {**said, "persons": login})))
        if told:
            self.matters[name] = (told["matter"], login)

    # -- who

    def _able(self, d: District, roles: Iterable[str], unit: str) -> list[Actor]:
        """Holders of the first role over a unit, then those of the next; unit "": anywhere."""
        people = [*d.actors.values(), *self.grid]
        return [who for role in roles for who in people if (role in who.roles if not unit else who.holds(role, unit))]


def _open_tasks(d: District, no: str) -> list[Mapping[Any, Any]]:
    task, row = store.task.c, store.record.c
    with d.made.office.read() as conn:
        query = select(task.id, task.node, task.role, task.unit, task.assignee, row.subject).join(store.record, row.id == task.case_id).where(store.is_open, row.no == no)
        return list(conn.execute(query.order_by(task.id)).mappings())


def _complete(d: District, able: Iterable[Actor], row: Mapping[Any, Any], said: Mapping[str, Any]) -> Any:
    return _try(d, able, lambda act: d.made.cases.complete(act, row["id"], dict(said)))


def _understood(act: Act, form: type[Form], said: Mapping[str, Any]) -> dict[str, Any]:
    """As the pages and the API understand it: the demo writes nothing that they would not take."""
    return understand(form(context={"today": act.today, "actor": act.actor, "lang": "zh", "facts": {}}), dict(said))


def _try(d: District, able: Iterable[Actor], verb: Callable[..., Any]) -> Any:
    """What the verb answers to the first who may; None when it is refused to all of them, as to a near relative or before its time."""
    for who in able:
        try:
            with d.made.office.act(who) as act:
                return verb(act) or True
        except EngineError:
            continue
    return None
