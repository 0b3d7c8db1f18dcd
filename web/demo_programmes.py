"""特困, 低收入 and 支出型 in the demo: of each one granted, one refused and one that is open, by the hands of those whose work it is.

Each case is carried on in one go at four in the afternoon until its notice hangs, and again when the notice is over, so that the other
days of the demo have no more work to draw lots for. What stays open is never taken up by anybody and is late in the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import store
from engine.bpmn import Run
from engine.errors import EngineError, Refused
from engine.model import Actor
from processes import destitution, households, identity
from processes.organisation import DISTRICT
from processes.tables import benefit

if TYPE_CHECKING:
    from web.demo import District

_PAGE = b"%PDF-1.4\n% a signature page of the demo\n"
_ODD = range(93, 98)  # the bundled registries answer oddly about whose number ends so: web.registry
_STEPS = 40  # of a case in one afternoon, at most
_GRANT, _REFUSE, _OPEN = "granted", "refused", "open"
_SAY = {"opinion": "情况属实。"}


@dataclass(frozen=True)
class Story:
    """A case: who asks when for what, and how far it gets. income: fen a month of each; stops: the task that nobody does."""

    day: date
    process: str
    name: str
    born: date
    income: int
    ends: str
    reason: str
    spent: str = ""
    stops: str = ""
    disabled: bool = False


STORIES = (
    Story(date(2018, 11, 19), "destitute-2016", "孟桂英", date(1936, 4, 2), 0, _GRANT, "年老无依，无生活来源，申请特困供养。"),
    Story(date(2018, 11, 19), "destitute-2016", "邵长海", date(1949, 8, 17), 0, _OPEN, "独居，无子女，申请特困供养。", stops="circumstances"),
    Story(date(2018, 11, 20), "destitute-2016", "侯玉珍", date(1951, 2, 9), 145_000, _REFUSE, "退休金不够用，申请特困供养。"),
    Story(date(2018, 11, 20), "low-income-2016", "龙建军", date(1972, 5, 21), 112_000, _GRANT, "本人肢体残疾，收入略高于低保标准。", disabled=True),
    Story(date(2018, 11, 21), "low-income-2016", "谭秀兰", date(1969, 10, 3), 168_000, _REFUSE, "收入低，申请低收入家庭救助。"),
    Story(date(2018, 11, 21), "low-income-2016", "贺春生", date(1975, 7, 30), 105_000, _OPEN, "收入低，有慢性病。", stops="hardship_proof"),
    Story(date(2018, 11, 22), "illness-expenditure-2018", "石立新", date(1968, 1, 12), 260_000, _GRANT, "肾病透析，自付费用高。", spent="26000.00"),
    Story(date(2018, 11, 22), "illness-expenditure-2018", "白晓红", date(1977, 12, 5), 260_000, _REFUSE, "住院手术，自付费用高。", spent="9000.00"),
    Story(date(2018, 11, 23), "illness-expenditure-2018", "段国庆", date(1970, 6, 18), 240_000, _OPEN, "恶性肿瘤治疗，自付费用高。", spent="31000.00", stops="check_expenses"),
)
_REASSESSED = date(2018, 12, 10)  # on which the first one's self-care is assessed again; it waits for its confirmation


class Programmes:
    def __init__(self) -> None:
        self.cases: dict[str, Story] = {}
        self.again = False

    def begin(self, d: District) -> None:
        """Nothing before the first day: who asks is registered when he comes to the window."""

    def day(self, d: District, day: date) -> None:
        for place, story in enumerate(STORIES):
            if story.day == day:
                self._asks(d, story, *d.streets[place % len(d.streets)], serial=9000 + place)
        for no, story in self.cases.items():
            _carry(d, no, story)
        if day >= _REASSESSED and not self.again:
            with contextlib.suppress(Refused):  # a review of the household is under way: another day
                self.again = self._assessed_again(d)

    def _asks(self, d: District, story: Story, street: str, community: str, serial: int) -> None:
        clerk, today = d.by_role("window_clerk", street)[0], d.made.office.today().isoformat()
        income = [{"kind": "transfer_income", "amount_fen": story.income, "period": "month"}] if story.income else []
        disabled = {"disability_kind": "limb", "disability_grade": 3} if story.disabled else {}
        member = {"name": story.name, "id_no": _number(story, serial), "relation": "head", "employment": "none", "labour_ability": "completely_lost", "income": income, **disabled}
        with d.made.office.act(clerk) as act:
            home = households.register(act, {"community": community, "hukou_kind": "urban", "address": f"演示路{serial}号", "phone": f"139{serial:08d}", "members": [member],
                                             "hardship_cause": "因病", "property": []})  # fmt: skip
        d.page(clerk, home, _PAGE)
        with d.made.office.act(clerk) as act:
            [person] = [one["person_id"] for one in households.members_of(act.conn, home)]
            households.authorise(act, home, person, today, "2019-11-18", d.scans[home])
        said = {"household_id": home, "applied_on": today, "reason": story.reason, "programme": story.process.rpartition("-")[0].replace("-", "_")}
        if story.process == "destitute-2016":
            said |= {"supported_person_id": person, "applied_by": "self", "support_form": "dispersed"}
        else:
            said |= {"applied_by": "head"}
        if story.spent:
            said["expenses"] = [{"person_id": person, "kind": "medical", "amount_fen": story.spent, "paid_on": "2018-09-14", "institution": "塘沽医院", "document_id": d.scans[home]}]
        with d.made.office.act(clerk) as act:
            self.cases[str(d.made.cases.start(act, story.process, said)["case"])] = story

    def _assessed_again(self, d: District) -> bool:
        """The district has assessed, and who confirms it has not yet. Whether it has."""
        home = next((_home(d, no) for no, story in self.cases.items() if story is STORIES[0]), None)
        with d.made.office.read() as conn:
            own = home and conn.execute(select(benefit).where(benefit.c.household_id == home, benefit.c.category.startswith("destitute"))).mappings().one_or_none()
        if not own or not home:
            return False
        said = {"benefit_id": own["id"], "reported_on": d.made.office.today().isoformat(), "reported_by": "village_committee", "details": "跌倒后不能自行洗澡、上下床。"}
        with d.made.office.act(d.by_role("civil_affairs_officer", _street(d, home))[0]) as act:
            no = str(d.made.cases.start(act, "self-care", said)["case"])
        _carry(d, no, Story(_REASSESSED, "self-care", "", date(1936, 4, 2), 0, _OPEN, "", stops="confirm_self_care"))
        return True


def _number(story: Story, serial: int) -> str:
    return next(found for n in range(serial, serial + 100) if int((found := identity.invent(story.born, "female" if n % 2 else "male", n))[-3:-1]) not in _ODD)


def _home(d: District, no: str) -> int:
    with d.made.office.read() as conn:
        return int(str(conn.scalar(select(store.record.c.subject).where(store.record.c.no == no))).partition(":")[2])


def _street(d: District, home: int) -> str:
    with d.made.office.read() as conn:
        return str(households.row(conn, home)["street"])


def _carry(d: District, no: str, story: Story) -> None:
    """On until the case waits for a day, ends, or comes to where it is left."""
    home, asked = _home(d, no), False
    for _ in range(_STEPS):
        with d.made.office.read() as conn:
            row = conn.execute(select(store.record).where(store.record.c.no == no)).mappings().one()
            where = (store.tasks_of(row["id"]), store.task.c.state == "open")
            tasks = [dict(one) for one in conn.execute(select(store.task).where(*where).order_by(store.task.c.id)).mappings()]
            run = Run.load(d.made.cases.drawing(conn, row["drawing"]), row["state"], d.clock.now)
        doable = [one for one in tasks if one["node"] != story.stops]
        if not doable:
            if asked or row["closed_at"] is not None or "registry_answer" not in run.waits_for():
                return
            asked = True
            d.made.jobs.run_all()  # the registries answer
            continue
        task = doable[0]
        if (answers := _answer(d, story, task["node"], home)) is None or not _done(d, _who(d, task, run.facts), task["id"], answers):
            return  # another day, or somebody else's


def _done(d: District, actor: Actor, task_id: int, answers: dict[str, Any]) -> bool:
    """Whether it was taken; whoever signs besides does so at once."""
    with contextlib.suppress(EngineError):
        with d.made.office.act(actor) as act:
            told = d.made.cases.complete(act, task_id, answers)
        for other in told.get("waits_for_signers", ()):
            with d.made.office.act(d.actors[other]) as act:
                d.made.habits.sign(act, task_id, agrees=True, words="情况属实")
        return True
    return False


def _who(d: District, task: Mapping[str, Any], facts: Mapping[str, Any]) -> Actor:
    """The holder, the second investigator who was named, or the first of the post."""
    wanted = task["assignee"] or (facts.get("second_investigator") if task["node"] == "survey_cosign" else None)
    able = d.by_role(task["role"], task["unit"])
    return next((one for one in able if one.id == wanted), able[0])


def _answer(d: District, story: Story, node: str, home: int) -> dict[str, Any] | None:
    """None: no step of these stories."""
    day, page = d.made.office.today().isoformat(), d.scans[home]
    grants = story.ends != _REFUSE
    refusal = {"reason_code": "income_over" if story.process != "illness-expenditure-2018" else "other", "clause": "第四条"}
    proposes = {**_SAY, **({} if grants else refusal)}
    helps = {"help_kind": "referral", "referral": "temporary_assistance"} if grants and story.spent else {}
    street = _street(d, home)
    made: dict[str, Callable[[], dict[str, Any]]] = {
        "completeness_check": lambda: {"outcome": "complete"},
        "means_check": lambda: {"check_conclusion": "consistent", "report": "各来源信息与申报一致。"},
        "home_survey": lambda: {"surveyed_on": day, "second_investigator": d.by_role("investigator", street)[1].id, "met_person": "申请人本人", "housing": "平房一间", "living": "陈设简单",
                                "findings": "与申报一致。", "surveyed_signature": page},
        "survey_cosign": lambda: {"agree": "agree"},
        "neighbor_enquiry": lambda: {"enquired_on": day, "persons": "邻居两户", "statement": "生活确有困难。"},
        "circumstances": lambda: {"enquired_on": day, "orphan": False, "property_fits": True, "obligors": [], "statement": "无法定赡养、扶养义务人。"},
        "hardship_proof": lambda: {"hardships": [{"hardship": "disabled_member", "person_id": _person(d, home), "document_id": page}] if story.disabled else [], "statement": "已核实残疾证。"},
        "check_expenses": lambda: {"expenses": [{"item": 1, "compliant": True}], "statement": "逐笔核对票据。"},
        "democratic_review": lambda: {"held_on": day, "place": "居委会会议室", "chair": "居委会主任", "statements": "评议认为情况属实。", "review_conclusion": "agree", "participants": [
            {"name": "街道干部", "kind": "street_staff", "signed": True}, *({"name": f"居民代表{n}", "kind": "resident_representative", "signed": True} for n in range(1, 4))]},
        "street_opinion": lambda: {"street_outcome": "propose_grant" if grants else "propose_refuse", **proposes, **helps},
        "street_signoff": lambda: {"signoff": "agree", "opinion": "同意。"},
        "post_street_notice": lambda: {"posted_on": day, "places": ["village_board"]},
        "post_district_notice": lambda: {"posted_on": day, "places": ["village_board"]},
        "remove_street_notice": lambda: {"removed_on": day, "objections": "none"},
        "remove_district_notice": lambda: {"removed_on": day, "objections": "none"},
        "street_reinvestigate": lambda: {"investigated_on": day, "findings": "异议不成立。", "upheld": False, "figures_changed": False},
        "district_recheck": lambda: {"findings": "异议不成立。", "district_outcome": "propose_grant"},
        "submit_to_district": lambda: {"contents": ["application", "survey", "review", "opinion"] if story.process.startswith("low") else ["application", "survey", "opinion"]},
        "spot_check_visit": lambda: {"visited_on": day, "second_visitor": "同行干部", "findings": "与街镇调查一致。", "agrees": True},
        "late_spot_check_visit": lambda: {"visited_on": day, "second_visitor": "同行干部", "findings": "与街镇调查一致。", "late_agrees": True},
        "self_care_assessment": lambda: {"assessed_on": day, "second_assessor": d.by_role("spot_checker", DISTRICT)[1].id, **{name: n > 2 for n, name in enumerate(destitution.INDICATORS)}},
        "district_examination": lambda: {"district_outcome": "propose_grant" if grants else "propose_refuse", **proposes},
        "decide": lambda: {"decision": "granted" if grants else "refused", **proposes},
        "decide_refusal": lambda: {"decision": "refused", **proposes},
        "issue_certificate": lambda: {"holder": story.name},
        "publish_result": lambda: {"posted_on": day, "places": ["village_board"]},
        **dict.fromkeys(("deliver_approval", "deliver_refusal"), lambda: {"delivered_on": day, "method": "direct", "recipient": "申请人", "receipt_document": page}),
    }  # fmt: skip
    return made[node]() if node in made else None


def _person(d: District, home: int) -> int:
    with d.made.office.read() as conn:
        return int(households.members_of(conn, home)[0]["person_id"])
