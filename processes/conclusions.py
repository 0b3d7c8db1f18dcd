"""How a re-check of a benefit ends, for every process that re-checks one: opinion, sign-off, decision, and what they bring about.

Drawings share these nodes by name: `street_opinion`, `street_signoff`, `decide`, `apply_conclusion`, `deliver_conclusion`,
`recovery_plan`. The facts that they need come from `begin`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema
from sqlalchemy import ColumnElement, Connection, and_, exists, select

from engine import store
from engine.errors import Invalid, Refused
from engine.forms import Form, choice, document, money, number, on_date, rows, text, yes_no
from engine.given import given, gives
from engine.model import SYSTEM, Data, Put
from engine.office import Act, Kept
from engine.process import CaseRef, Service
from processes import (
    benefits,
    counterfactual,
    eligibility,
    fired,
    grace,
    households,
    investigation,
    law,
    paperwork,
    special_cases,
)
from processes.dibao_2012_forms import Deliver, Outcome, Step, opinion
from processes.eligibility_facts import WAGES_SINCE
from processes.money import yuan
from processes.screening_forms import CASE
from processes.tables import household

CONCLUSIONS = [
    ("keep", "维持不变", "Keep"),
    ("increase", "增发", "Increase"),
    ("decrease", "减发", "Decrease"),
    ("convert", "转为其他救助类别", "Convert"),
    ("stop", "停发", "Stop"),
    ("suspend", "暂停发放", "Suspend"),
    ("return_survey", "退回重新调查", "Return for a new survey"),
    ("joint_meeting", "提交联席会议", "To the joint meeting"),
]
GRACE = ("grace", "给予渐退期，继续发放", "Grace period: goes on for a time")  # where the law knows one: since 2022
# Stops for which the arithmetic is not asked (domain 2.9).
WITHOUT_FIGURES = frozenset({"death_single", "imprisoned", "moved_out_district", "voluntary", "fraud", "no_cooperation"})
TO_SUSPEND = frozenset(code for code, _, _ in benefits.SUSPENSIONS)
REFUSALS = 3  # of suitable work, in a row and without reason: then the member's own share goes (N649 art 45; domain 2.9)
WORKING_AGE = 16
ABLE = frozenset({None, "full", "partly_lost"})
ROUND = ("category", "amount_fen", "per_capita", "conclusion", "reason_code", "signoff", "decision", "decided_on", "resolution", "meeting_from",
         "meeting_requested_on")  # fmt: skip


def expected(benefit_category: str, benefit_fen: int, category: str | None, amount_fen: int | None) -> str | None:
    """The conclusion that follows from the figures; None where the arithmetic does not decide (特困, no calculation)."""
    if category is None or benefits.is_destitute(benefit_category):
        return None
    if category not in ("dibao", "low_income") or (category != benefit_category and not amount_fen):
        return "stop"  # low-income status without its money is no benefit that goes on
    if category != benefit_category:
        return "convert"
    fen = amount_fen or 0
    return "increase" if fen > benefit_fen else "decrease" if fen < benefit_fen else "keep"


def due_fen(reason_code: str | None, amount_fen: int | None, share_fen: int | None) -> int | None:
    """What the household is due by its figures (fen a month): without the share of who refused work, where that is the reason."""
    if amount_fen is None or reason_code != "refused_jobs":
        return amount_fen
    return max(0, amount_fen - (share_fen or 0))


def _follows(benefit_category: str, benefit_fen: int, facts: Data, reason_code: str | None) -> str | None:
    """`expected`, also where a member's own share is taken (a household of which nothing is left receives no benefit any more), and
    where what began is work: then it goes on for a time."""
    fen = due_fen(reason_code, facts.get("amount_fen"), facts.get("share_fen"))
    if reason_code == "refused_jobs" and facts.get("category") == "dibao" and not fen:
        return "stop"
    found = expected(benefit_category, benefit_fen, facts.get("category"), fen)
    return "grace" if facts.get("grace") and found in ("stop", "convert") else found


def exit_class(reason_code: str, exit_trigger: str) -> str:
    """As which an exit counts (domain 8). Who lied or hid leaves by the check, or by the tip, never of his own will (domain 2.9)."""
    if reason_code == "fraud" and exit_trigger == "voluntary":
        return "cleared"
    fixed = next((kind for code, _, _, kind in benefits.REASONS if code == reason_code), None)
    return fixed or exit_trigger


STARTED = ("street", "community", "near_relative", "benefit_id", "benefit_category", "benefit_fen", "exit_trigger")


def begin(act: Act, household_id: int, exit_trigger: str, starters: Collection[str], *, beside: bool = False,
          person_id: int | None = None) -> dict[str, Any]:  # fmt: skip
    """The facts (STARTED) that a re-check begins with. Refused: a household outside the actor's area, without a benefit, or with
    another case that has not decided (unless it may stand `beside` one). The household stays locked: two windows at once begin one case."""
    house = act.conn.execute(select(household).where(household.c.id == household_id)).mappings().one_or_none()
    if house is None or not _may_begin(act, house["community"], starters):
        raise Refused("unit", "没有这户家庭，或不在您的辖区", "No such household in your area")
    act.open("household", household_id)
    found = benefits.live(act.conn, household_id, person_id)  # of the one member whom it is about, where one is named
    if found is None:
        raise Refused("no-benefit", "这户没有在享的救助待遇", "This household receives no benefit")
    if not beside and (no := open_case(act.conn, household_id)):
        raise Refused("open_case", f"这户已有在办个案 {no}，请在该个案中登记", f"This household has an open case, record it there: {no}")
    return {
        "street": house["street"], "community": house["community"], "near_relative": households.near_relative_known(act.conn, household_id),
        "benefit_id": found["id"], "benefit_category": found["category"], "benefit_fen": found["amount_fen"], "exit_trigger": exit_trigger,
    }  # fmt: skip


def refuse_other_procedure(matter: str, key: str, today: date) -> None:
    """Raises Refused when the law names another process than `key` for what begins today."""
    if (right := law.procedure(matter, today)) != key:
        raise Refused("procedure", f"{today}起办的不适用这一办法，请按现行办法（{right}）登记", f"This procedure does not apply on {today}: it is {right}")


def _may_begin(act: Act, community: str, starters: Collection[str]) -> bool:
    if act.actor.id == SYSTEM.id:
        return True
    window = act.actor.post_over(community, starters)
    act.through(window)
    return window is not None


def granted_on(conn: Connection, benefit_id: int) -> str:
    """The day from which the household had to report; of a list brought in, the first day of the first month."""
    found = benefits.row(conn, benefit_id)
    return str(found["granted_on"] or benefits.first_of(found["first_payment_month"]).isoformat())


def refuse_before(granted: str, day: str) -> None:
    """Raises Refused: what happened before the benefit is no change of it (N220 art 32)."""
    if day < granted:
        raise Refused(
            "before-benefit", f"变化发生在享受救助（{granted}）之前，不属于变化报告；申请时隐瞒的，请按举报核查办理",
            f"This happened before the benefit was granted ({granted}): it is no change. What was hidden then is a complaint")  # fmt: skip


def refuse_stranger(conn: Connection, household_id: int, person_id: int | None) -> None:
    """Raises Refused when a report names somebody who is no member."""
    if person_id is not None and all(m["person_id"] != person_id for m in households.members_of(conn, household_id)):
        raise Refused("not-a-member", "这户没有这名成员", "This household has no such member")


# What is still done when a case has decided: nothing more can be recorded in it, so it stands in nobody's way. A household that
# moves out of reach, or agrees to no plan, would else neither report nor be reviewed (N220 arts 32 and 33).
AFTERWARDS = ("issue_certificate", "deliver_approval", "publish_result", "deliver_conclusion", "deliver_transfer", "recovery_plan")


def undecided() -> ColumnElement[bool]:
    """Of a case's record: it is open, and has not come to its decision."""
    tasks = store.task.c
    decided = exists().where(store.tasks_of(store.record.c.id), tasks.state == "open", tasks.node.in_(AFTERWARDS))
    return and_(store.record.c.closed_at.is_(None), ~decided)


BESIDE = ("temporary-assistance", CASE)


def open_case(conn: Connection, household_id: int) -> str | None:
    """The number of the household's case that has not come to its decision. What is of BESIDE decides on no monthly benefit, and stands
    beside every other case (decisions 047, 082)."""
    cases = store.record.c
    where = and_(cases.subject == f"household:{household_id}", cases.kind == "case", cases.process.not_in(BESIDE), undecided())
    found: str | None = conn.scalar(select(cases.no).where(where).limit(1))
    return found


# -- forms

LEFT_OUT = ("reason_code", "review_class", "convert_consent", "pay_suspended", "refer_destitute", "destitute_person", "refusing_member")


def with_grace() -> Any:
    """The field `conclusion` where the law knows a grace period."""
    return choice("审核意见", "Opinion", [CONCLUSIONS[0], GRACE, *CONCLUSIONS[1:]], fact=True)


def reasons_with_grace() -> Any:
    codes = [*((c, zh, en) for c, zh, en, _ in benefits.REASONS), benefits.BEGAN_TO_WORK, *benefits.SUSPENSIONS]
    return choice("理由", "Reason", codes, required=False, widget="select", fact=True)


def clause_2021() -> Any:
    return text("依据条款", "Clause of law", required=False, max=200, hint="如：民发〔2021〕57号第三十二条", hint_en="Like: 民发〔2021〕57号 art 32")


class JobRefusal(Form):
    """One refusal of suitable work, as the labour office (人社) or the street recorded it."""

    refused_on = on_date("拒绝日期", "Refused on")
    job = text("介绍的工作", "Work that was offered", max=200)
    said = text("拒绝的理由", "What he said", required=False, max=200)


class Conclude(Outcome):
    """The street's opinion: what is to become of the benefit. It may not differ from the figures but for a named reason."""

    OUTCOME = "conclusion"
    REASONED = frozenset({"stop", "suspend", "decrease"})
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        **Outcome.NEEDED, **dict.fromkeys(("refusing_member", "job_refusals"), ("理由为三次拒绝就业时必填", "needed where work was refused three times")),
        "reason_code": ("保持不变以外的结论必填", "needed for every conclusion but “unchanged”"),
        "clause": ("减发、停发或暂停时必填", "needed to decrease, stop or suspend"), "convert_consent": ("转换类别时必填", "needed to convert"),
        "destitute_person": ("转介时必填", "needed when somebody is referred")}  # fmt: skip
    RETURNS = {"home_survey": {"conclusion": "return_survey"}}  # noqa: RUF012
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "conclusion": ("结论和理由", "Conclusion and reason"), "pay_suspended": ("待遇和今后复审", "Benefit and later reviews"), "opinion": ("办理意见", "Opinion"),
        "trigger": ("提交联席会议（仅在提交时填写）", "For the joint meeting (only where it goes there)")}  # fmt: skip
    conclusion = choice("审核意见", "Opinion", CONCLUSIONS, fact=True)
    reason_code = choice("理由", "Reason", [*((c, zh, en) for c, zh, en, _ in benefits.REASONS), *benefits.SUSPENSIONS], required=False, widget="select", fact=True)
    clause = text("依据条款", "Clause of law", required=False, max=200, hint="如：民发〔2012〕220号第三十二条", hint_en="Like: 民发〔2012〕220号 art 32")
    pay_suspended = yes_no("暂停期间的救助金是否补发", "Are the months of the suspension paid later?", required=False, fact=True,
                           hint="仅在复核结束暂停时填写；不填的按配置办理", hint_en="Only where this re-check ends a suspension; left out: as configured")  # fmt: skip
    review_class = choice("今后的复审类别", "Review class from now on", [(c, f"{c} 类", f"Class {c}") for c in benefits.CLASSES], required=False, fact=True)
    convert_consent = yes_no("申请人是否同意转换类别", "Household consents to the conversion", required=False, fact=True)
    refer_destitute = yes_no("是否转介特困人员救助供养", "Refer somebody to the support of the destitute?", required=False, fact=True,
                             hint="发现可能符合特困供养条件的成员时填写；认定另行办理，现有待遇按本次结论执行",
                             hint_en="Where a member may qualify for it; that is decided in its own procedure, the benefit follows this conclusion")  # fmt: skip
    destitute_person = number("转介的成员", "Who is referred", required=False, fact=True)
    refusing_member = number("拒绝就业的成员", "Who refused work", required=False, fact=True,
                             hint="仅在以三次拒绝就业为由时填写；扣减的是其本人份额", hint_en="Only where work was refused three times: his own share is taken")  # fmt: skip
    job_refusals = rows("三次拒绝介绍工作的记录", "The three refusals", JobRefusal, hint="连续三次，按日期先后", hint_en="Three in a row, by their dates")
    jobs_notice = document("人社部门的通知", "Notice of the labour office")
    opinion = opinion()
    trigger = special_cases.asking_fields()["trigger"]
    special_facts = special_cases.asking_fields()["special_facts"]
    wish = special_cases.asking_fields()["wish"]

    @validates_schema(skip_on_field_errors=False)
    def _by_figures(self, data: Mapping[str, Any], **_: Any) -> None:
        said, reason = data.get("conclusion"), data.get("reason_code")
        if said in (None, "return_survey", "joint_meeting"):
            return
        if said != "keep" and not reason:
            raise ValidationError({"reason_code": [self.say("请选择理由", "Choose the reason")]})
        if said != "suspend" and reason in TO_SUSPEND:
            raise ValidationError({"reason_code": [self.say("这项理由只用于暂停发放", "A reason to suspend the payment only")]})
        if (said == "grace") != (reason == benefits.BEGAN_TO_WORK[0]):
            raise ValidationError({"reason_code": [self.say("“就业渐退”是给予渐退期的理由，且只用于渐退期", "That somebody began to work is the reason of a grace period, and of nothing else")]})
        if said == "convert" and self.fact("category") not in [code for code, _, _ in special_cases.APPROVED]:
            raise ValidationError({"conclusion": [self.say(
                "按测算结果没有可以转入的类别；可能符合特困供养条件的，请选转介", "By the calculation there is nothing to convert to; who may be destitute is referred")]})  # fmt: skip
        if said == "convert" and data.get("convert_consent") is not True:
            raise ValidationError({"convert_consent": [self.say("转换救助类别应取得申请人同意", "The household must consent to a conversion")]})
        if (said in ("stop", "suspend") and reason in WITHOUT_FIGURES) or (said == "suspend" and reason in TO_SUSPEND):
            return
        if said == "stop" and self._declined(data):
            return
        if said in ("increase", "decrease", "convert") and (self.fact("category") is None or self.fact("amount_fen") is None):
            raise ValidationError({"conclusion": [self.say("没有测算结果，不能增发、减发或转换；请先退回调查", "Nothing was computed: return it for a survey first")]})
        self._as_computed(str(said), reason)

    def _as_computed(self, said: str, reason: str | None) -> None:
        if reason == "refused_jobs" and (self.fact("category") != "dibao" or self.fact("benefit_category") != "dibao" or self.fact("share_fen") is None):
            raise ValidationError({"reason_code": [self.say(
                "只有经测算仍享受低保的家庭才能扣减成员本人份额", "A member's share is taken only from dibao that has been computed")]})  # fmt: skip
        figures = {name: self.fact(name) for name in ("category", "amount_fen", "share_fen", "grace")}
        right = _follows(str(self.fact("benefit_category")), int(self.fact("benefit_fen") or 0), figures, reason)
        if right is not None and said != right:
            zh, en = next((zh, en) for code, zh, en in [*CONCLUSIONS, GRACE] if code == right)
            raise ValidationError({"conclusion": [self.say(
                f"按测算结果应为“{zh}”；特殊情况请提交联席会议", f"By the calculation it is “{en}”; special cases go to the joint meeting")]})  # fmt: skip

    @validates_schema(skip_on_field_errors=False)
    def _whom(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data.get("refer_destitute")) != (data.get("destitute_person") is not None):
            raise ValidationError({"destitute_person": [self.say("转介时请选择成员，不转介时不填", "Name the member who is referred; else leave it empty")]})

    @validates_schema(skip_on_field_errors=False)
    def _three_refusals(self, data: Mapping[str, Any], **_: Any) -> None:
        """Three records of one member, on days one after the other; none for any other reason."""
        said, kept = data.get("reason_code") == "refused_jobs", data.get("job_refusals") or ()
        wrong: dict[str, list[str]] = {}
        if not said:
            unasked = self.say("只在以三次拒绝就业为由时填写", "Only where the reason is that work was refused three times")
            wrong = {name: [unasked] for name in ("refusing_member", "job_refusals") if data.get(name)}
        else:
            if data.get("refusing_member") is None:
                wrong["refusing_member"] = [self.say("请选择拒绝就业的成员", "Say who refused the work")]
            days = [row["refused_on"] for row in kept if row.get("refused_on")]
            if len(days) < REFUSALS or len(days) != len(kept):
                wrong["job_refusals"] = [self.say("应有三次注明日期的拒绝记录", "Three dated refusals come first")]
            elif any(after <= before for before, after in pairwise(days)):
                wrong["job_refusals"] = [self.say("三次拒绝应在不同日期，按先后填写", "On different days, one after the other")]
        if wrong:
            raise ValidationError(wrong)

    def _declined(self, data: Mapping[str, Any]) -> bool:
        """Dibao ends although low-income relief would follow: the household does not want it."""
        return data.get("convert_consent") is False and not self.fact("grace") and self.fact("category") == "low_income" and self.fact("benefit_category") == "dibao"

    @gives(*special_cases.ASKED, *LEFT_OUT)
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """What this opinion leaves out, an earlier one does not say for it."""
        unsaid = {name: None for name in LEFT_OUT if loaded.get(name) is None}
        return unsaid | special_cases.asked(self, loaded["conclusion"], "street", loaded.get("trigger"))


ATTEMPTS = 2  # dated ones, on different days, before a household counts as not co-operating (domain 2.9)


def _founded(act: Act, reason: str, facts: Data) -> bool:
    """Whether the case knows of what a reason says for which no figures are asked (domain 2.9). What is for the street to judge
    (fraud, refused jobs) is not asked here. A report into a review is not sorted by its drawing, so its words are read here."""
    if reason == "no_cooperation":  # who was re-checked in the end is concluded on by what was found
        return (facts.get("contact_attempts") or 0) >= ATTEMPTS and facts.get("category") is None
    if reason not in ("death_single", "imprisoned", "moved_out_district", "voluntary") or facts.get("exit_reason") == reason:
        return True
    kind, who = facts.get("change_kind"), facts.get("person_id")
    if reason == "death_single":
        return facts.get("contact_outcome") == "died"
    if reason == "imprisoned":
        return kind == "imprisonment" and {n for n, _ in households.counted_members(act.conn, facts["household_id"], act.today)} <= {who}
    if reason == "moved_out_district":
        return kind == "move_out" and who is None
    return bool(facts.get("wants_exit"))


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data) -> None:
    """What only the benefit can tell of an opinion, its sign-off and the decision. Raises Invalid, and Refused for figures of before a
    new standard."""
    said = answers["conclusion"] if node == "street_opinion" else facts.get("conclusion")
    if said in benefits.RESUMING:
        special_cases.refuse_overruled(act, facts["case_no"], facts)
    if node == "street_opinion":
        _vet_opinion(act, form, answers, facts)
        _refuse_old_figures(act, answers["conclusion"], answers.get("reason_code"), facts)
    elif (node, answers.get("signoff"), answers.get("decision")) in (("street_signoff", "agree", None), ("decide", None, "approved"), ("street_confirmation", None, "approved")):
        _refuse_old_figures(act, facts["conclusion"], facts.get("reason_code"), facts)
        if facts.get("resolution") == "approve_as" and facts["conclusion"] in benefits.RESUMING:
            special_cases.refuse_outlived(act, facts["case_no"], benefits.month_after(act.today))


def _refuse_old_figures(act: Act, conclusion: str, reason_code: str | None, facts: Data) -> None:
    """A new standard may have come between the assessment and this act, its batch, or other data of the household: another conclusion
    follows then.
    What the joint meeting resolved, and what needs no arithmetic, stands."""
    if conclusion not in (*benefits.RESUMING, "stop") or (conclusion == "stop" and reason_code in WITHOUT_FIGURES) or facts.get("resolution") == "approve_as":
        return
    followed = _follows(facts["benefit_category"], facts["benefit_fen"], facts, reason_code)
    if followed is None and conclusion != "convert":
        return
    investigation.refuse_old_figures(act, facts)
    found = benefits.row(act.conn, facts["benefit_id"])
    if _follows(found["category"], found["amount_fen"], facts, reason_code) != followed:
        raise Refused(
            "figures-old", f"测算以后待遇已调整为每月 {yuan(found['amount_fen'])} 元，请退回重新调查测算",
            f"The benefit became {yuan(found['amount_fen'])} yuan a month after the calculation: return the case for a new survey")  # fmt: skip
    investigation.refuse_changed_figures(act, facts)


def _vet_opinion(act: Act, form: Form, answers: Data, facts: Data) -> None:
    """What only the benefit and the case can tell of the street's opinion: at the decision it would be too late."""
    if answers["conclusion"] in ("stop", "suspend") and not _founded(act, answers["reason_code"], facts):
        zh, en = benefits.REASON_WORDS[answers["reason_code"]]
        raise Refused("reason-without-fact", f"本案没有登记可以认定“{zh}”的事实，不能以此为由；请先登记变化、退出申请或联系未果的情况",
                      f"Nothing in this case shows “{en}”: record the change, the wish to leave or the attempts first")  # fmt: skip
    if (gone := _gone(facts)) and (answers["conclusion"] != "return_survey" and (answers["conclusion"], answers.get("reason_code")) not in (("stop", gone), ("stop", "fraud"))):
        zh, en = benefits.REASON_WORDS[gone]
        raise Refused("recipient-gone", f"本案登记为“{zh}”，已没有可以享受待遇的人，只能以此停发；登记有误的，请先登记新的变化报告",
                      f"Registered as “{en}”: nobody is left who could receive it, so it stops for that; where that is wrong, report a further change first")  # fmt: skip
    if answers.get("reason_code") == "refused_jobs":
        _vet_refusing(act, form, answers, facts)
    whose, status = (benefits.row(act.conn, facts["benefit_id"])[name] for name in ("person_id", "status"))
    if answers.get("reason_code") in benefits.OF_DESTITUTE and (not benefits.is_destitute(str(facts["benefit_category"])) or answers["conclusion"] != "stop"):
        raise Invalid({"reason_code": [form.say("这项理由只用于终止特困人员救助供养", "A reason to end the support of the destitute only")]})
    if answers["conclusion"] == "convert" and whose is not None and whose not in {n for n, _ in households.counted_members(act.conn, facts["household_id"], act.today)}:
        raise Invalid({"conclusion": [form.say("此人不计入本户其他救助，不能直接转换：先终止特困供养，再由家庭申请或报告人口变化",
                                               "He is not counted in the household's other assistance: end this support first, then the household applies or reports him")]})  # fmt: skip
    if answers.get("pay_suspended") is not None and not (status == "suspended" and answers["conclusion"] in benefits.RESUMING):
        raise Invalid({"pay_suspended": [form.say("这项结论不结束暂停，不填写", "This conclusion ends no suspension: leave it out")]})
    if (person_id := answers.get("destitute_person")) is not None:
        refuse_stranger(act.conn, facts["household_id"], person_id)
        if benefits.is_destitute(str(facts["benefit_category"])):
            raise Invalid({"refer_destitute": [form.say("这户享受的就是特困人员救助供养", "This is the support of the destitute already")]})
    if answers["conclusion"] == "suspend" and status != "active":
        raise Invalid({"conclusion": [form.say("只有正在发放的待遇可以暂停", "Only a benefit that is being paid can be suspended")]})


def _gone(facts: Data) -> str | None:
    """The reason why nobody receives the benefit any more, whatever a survey of the empty home computes: the only recipient died,
    or is in prison."""
    if facts.get("contact_outcome") == "died":
        return "death_single"
    way = facts.get("exit_reason")
    return way if way in ("death_single", "imprisoned") else None


def _vet_refusing(act: Act, form: Form, answers: Data, facts: Data) -> None:
    """Whose share is taken: a counted member, of age and able to work, who has no work (N649 art 45). Raises Invalid, Refused."""
    refuse_stranger(act.conn, facts["household_id"], answers["refusing_member"])
    known = households.snapshot(act.conn, act.keys, facts["household_id"], act.today)
    who = next(m for m in known["members"] if m["ref"] == str(answers["refusing_member"]))
    adult = act.today.isoformat() >= f"{int(who['birth_date'][:4]) + WORKING_AGE}{who['birth_date'][4:]}"
    idle = who["employment"] not in ("employed", "flexible", "student", "retired") and not who["full_time_student"]
    if who["excluded_reason"] or who["labour_ability"] not in ABLE or not adult or not idle:
        raise Invalid({"refusing_member": [form.say(
            "只适用于有劳动能力、未就业的成年成员（国务院令第649号第四十五条）", "Only of a member of age who can work and does not (N649 art 45)")]})  # fmt: skip
    if act.office.production and not answers.get("jobs_notice"):
        raise Invalid({"jobs_notice": [form.say("请附人社部门的通知", "The labour office's notice is needed")]})


class SignOff(Outcome):
    OUTCOME = "signoff"
    RETURNS = {"street_opinion": {"signoff": "return"}}  # noqa: RUF012
    signoff = choice("签批", "Sign-off", [("agree", "同意审核意见", "Agree"), ("return", "退回审核人", "Return")], fact=True)
    opinion = opinion()


class DecideConclusion(Outcome):
    """The district decides; a decided amount is changed by nothing else (domain 5.3.7)."""

    OUTCOME = "decision"
    REASONED = frozenset({"returned"})
    RETURNS = {"street_opinion": {"decision": "returned"}}  # noqa: RUF012
    FINAL = {"decision": ("approved",)}  # noqa: RUF012
    decision = choice("审批决定", "Decision", [("approved", "同意", "Approve"), ("returned", "退回街镇审核", "Return to the street")], fact=True)
    opinion = opinion()

    @gives("decided_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


PLANS = [("agreed", "已约定", "Agreed"), ("refuses", "不同意约定，或无法约定", "No plan was to be had")]


class RecoveryPlan(Step):
    """How the household pays back what it got too much: agreed in writing, within what it can bear."""

    AFTER: ClassVar[Mapping[str, str]] = {"agreed_on": "decided_on"}
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {**dict.fromkeys(("agreed_on", "instalment", "first_month"), ("已约定时必填", "needed when there is a plan")), "note": ("没有约定时必填", "needed when there is none")}
    plan_outcome = choice("商定结果", "Outcome", PLANS, required=False)  # not said: agreed, as when there was nothing else
    agreed_on = on_date("约定日期", "Agreed on", required=False)
    instalment = money("每月退还金额", "Paid back a month", required=False)
    first_month = text("从哪个月开始", "First month", required=False, max=7, hint="如 2019-03", hint_en="Like 2019-03")
    signed_document = document("还款协议签字页（扫描件）", "Signed agreement")
    note = text("说明", "Note", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _sensible(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("plan_outcome") == "refuses":
            if not data.get("note"):
                raise ValidationError({"note": [self.say("没有约定时请写明情况", "Say why there is no plan")]})
            return
        wrong: dict[str, list[str]] = {n: [self.say("必须填写", "Required")] for n in ("agreed_on", "instalment") if data.get(n) is None}
        if (fen := data.get("instalment")) is not None and not 0 < fen <= (self.fact("overpaid_fen") or 0):
            wrong["instalment"] = [self.say("每月退还金额应大于零，且不超过追缴总额", "More than nothing, and not more than the whole")]
        month = data.get("first_month") or ""
        if not is_month(month) or month < (self.context_value("today").isoformat()[:7]):
            wrong["first_month"] = [self.say("月份写成 2019-03，且不能早于本月", "Like 2019-03, and not before this month")]
        if wrong:
            raise ValidationError(wrong)


def is_month(said: str) -> bool:
    try:
        return len(said) == 7 and bool(date.fromisoformat(f"{said}-01"))
    except ValueError:
        return False


# -- what is computed and decided: pure


@gives(*(given(investigation.assess) or ()), "benefit_category", "benefit_fen", "share_fen")
def assess(snapshot: Data) -> Data:
    """The figures, and beside them the benefit as it stands when they are computed: a new standard may have changed it since the case
    began; and the share of one member (fen; None: no dibao). `snapshot`: that of `investigation.assess` with benefit {category,
    amount_fen}."""
    held = snapshot["benefit"]
    result = eligibility.assess({name: value for name, value in snapshot.items() if name != "benefit"})
    return {**investigation.of_result(result), "benefit_category": held["category"], "benefit_fen": held["amount_fen"],
            "share_fen": eligibility.own_share(result)}  # fmt: skip


@gives(*(given(investigation.assess) or ()), "benefit_category", "benefit_fen")
def assess_2(snapshot: Data) -> Data:
    """The second version, which said nothing of the share of one member."""
    held = snapshot["benefit"]
    figures = investigation.assess({name: value for name, value in snapshot.items() if name != "benefit"})
    return {**figures, "benefit_category": held["category"], "benefit_fen": held["amount_fen"]}


_CONCLUDED = ("from_month", "decided_on", "overpaid_fen", "overpaid_months", "charged_fen", "arrears_fen", "arrears_months", "pay_suspended", "exit_class")


@gives(*_CONCLUDED, "decided_fen")
def conclude(today: date, snapshot: Data, conclusion: str, reason_code: str | None, exit_trigger: str, decided_on: str | None) -> Data:
    """`conclude_2`, and what the household gets from then on (fen a month; None: the amount stays, or the benefit ends): what it is
    due by its figures, less the share of who refused work (`snapshot`: due {amount_fen, less_fen}, or None). Who lied or hid does not
    leave of his own will, even where he reported it himself."""
    due = snapshot["due"]
    ends = {"exit_class": exit_class(reason_code or "", exit_trigger)} if conclusion == "stop" else {}
    return {**conclude_2(today, snapshot, conclusion, reason_code, exit_trigger, decided_on), **ends,
            "decided_fen": due["amount_fen"] - due["less_fen"] if due else None}  # fmt: skip


@gives(*_CONCLUDED)
def conclude_2(today: date, snapshot: Data, conclusion: str, reason_code: str | None, exit_trigger: str, decided_on: str | None) -> Data:
    """From when the conclusion counts, and what was paid too much or too little until then (fen). `snapshot`: first (the earliest month
    that may change), over {month: fen paid above what was right}, charged {month: fen of it that was found before}, later (months of
    which what is lacking is paid later), pay_suspended (None: this ends no suspension). charged_fen: what is not asked back twice."""
    back, owed, known = balance(snapshot)
    return {
        **conclude_1(today, snapshot, conclusion, reason_code, exit_trigger, decided_on),
        "overpaid_fen": sum(back.values()), "overpaid_months": sorted(back), "charged_fen": sum(known.values()),
        "arrears_fen": sum(owed.values()), "arrears_months": sorted(owed), "pay_suspended": snapshot["pay_suspended"],
    }  # fmt: skip


def balance(snapshot: Data) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """(asked back, paid later, asked back before and therefore not again), each month -> fen above zero. What was asked back for a
    month and turns out to have been right is given back, whatever is configured about arrears."""
    back, owed, known = {}, {}, {}
    for month, over in snapshot["over"].items():
        charged = snapshot["charged"].get(month, 0)
        back[month] = over - charged
        owed[month] = charged - (over if month in snapshot["later"] else max(0, over))
        known[month] = min(over, charged)
    return tuple({month: fen for month, fen in sorted(found.items()) if fen > 0} for found in (back, owed, known))  # type: ignore[return-value]


@gives("from_month", "decided_on", "overpaid_fen", "overpaid_months", "exit_class")
def conclude_1(today: date, snapshot: Data, conclusion: str, reason_code: str | None, exit_trigger: str, decided_on: str | None) -> Data:
    """The first version, which knew nothing of what had been asked back before, and of no arrears."""
    decided = date.fromisoformat(decided_on) if decided_on else today
    over: Mapping[str, int] = snapshot["over"]
    return {
        "from_month": max(benefits.month_after(decided), snapshot["first"]),
        "decided_on": decided.isoformat(),
        "overpaid_fen": sum(fen for fen in over.values() if fen > 0),
        "overpaid_months": sorted(month for month, fen in over.items() if fen > 0),
        "exit_class": _exit_class_1(reason_code or "", exit_trigger) if conclusion == "stop" else None,
    }


def _exit_class_1(reason_code: str, exit_trigger: str) -> str:
    """As exits counted before version 3 of `conclude`: a fraud that the household told itself was one of its own will."""
    fixed = next((kind for code, _, _, kind in benefits.REASONS if code == reason_code), None)
    return fixed or exit_trigger


def figures(act: Act, facts: Data) -> Data:
    """Gathered for `assess`."""
    found = benefits.row(act.conn, facts["benefit_id"])
    return {**investigation.figures(act, facts), "benefit": {"category": found["category"], "amount_fen": found["amount_fen"]}}


def paid_and_right(act: Act, facts: Data) -> Data:
    """Gathered for `conclude`. The fact `overpaid_since` (a month; missing: nothing was late) says from when the figures were
    others than those paid by. What is paid later is configuration (docs/decisions/021): no paper says."""
    benefit_id, found = facts["benefit_id"], benefits.row(act.conn, facts["benefit_id"])
    first = found["amount_from"] or found["first_payment_month"]
    since, over, pays = facts.get("overpaid_since"), dict[str, int](), None
    if since:
        since = max(since, first_of_past(found))  # a late report may tell of what was long before
        stopped = facts["conclusion"] == "stop"
        right = {month: 0 if stopped else _right(act, facts, month) for month in benefits.months(since, f"{act.today:%Y-%m}") if not grace.spares(facts, month)}
        over = benefits.overpaid(act.conn, benefit_id, right)
    held = dict[str, int]()
    if found["status"] == "suspended" and facts["conclusion"] in benefits.RESUMING:
        held = benefits.suspended_months(act.conn, benefit_id, max(benefits.month_after(act.today), first))
        over = {month: -fen for month, fen in held.items() if not since or month < since} | over
        said = facts.get("pay_suspended")
        pays = bool(law.value("suspended_months_paid", act.today).amount) if said is None else said
    late = bool(law.value("late_rise_arrears", act.today).amount)
    return {"first": first, "over": over, "charged": benefits.charged(act.conn, benefit_id, over), "pay_suspended": pays, "due": _due(facts),
            "later": sorted(month for month in over if (pays if month in held else late))}  # fmt: skip


def _due(facts: Data) -> dict[str, int] | None:
    """What the figures give a month, and how much of it is taken for refused work; None where the conclusion sets no amount."""
    amount = facts.get("amount_fen")
    if facts["conclusion"] not in ("increase", "decrease", "convert") or amount is None:
        return None
    left = due_fen(facts.get("reason_code"), amount, facts.get("share_fen"))
    return {"amount_fen": amount, "less_fen": amount - (left or 0)}


def first_of_past(found: Mapping[Any, Any]) -> str:
    """The first month that can be computed again: the benefit was paid, and its law is known. `found`: the benefit's row."""
    return max(str(found["first_payment_month"]), WAGES_SINCE)


def _right(act: Act, facts: Data, month: str) -> int:
    """What the household's figures of now would have given in that month, by that month's law."""
    asked = households.snapshot(act.conn, act.keys, facts["household_id"], act.today) | {"benefit_month": month}
    result = eligibility.assess(asked)
    share = (eligibility.own_share(result) or 0) if benefits.share_withheld(act.conn, facts["benefit_id"], month) else 0
    return int(result["amount_fen"]) - share


# -- effects


def apply_conclusion(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """Change the benefit, write what is to be paid back, and issue the letter that says so."""
    kind = facts["conclusion"]
    converts = facts["category"] if kind == "convert" else None
    amount = facts.get("decided_fen") if kind in ("increase", "decrease", "convert") else None
    before = benefits.row(act.conn, facts["benefit_id"])
    change = benefits.Change(
        kind, facts.get("reason_code") or "unchanged", facts["from_month"], case_no=case.no, amount_fen=amount, category=converts,
        law_version=facts.get("law_version") or law.version(act.today), exit_class=facts.get("exit_class"),
        reviewed_on=facts["decided_on"], review_class=facts.get("review_class"),
        **({"grace_until": facts["grace_until"], "grace_person": facts["grace_person"]} if kind == "grace" else {}))  # fmt: skip
    back, owed, _ = balance(paid_and_right(act, facts))  # as the service had it: the decision is not made yet
    benefits.decide(act, facts["benefit_id"], change)
    resumed = {"resumed_from": facts["from_month"]} if benefits.resumes(before, change) else {}
    benefits.settle(act, facts["benefit_id"], case.no, facts.get("reason_code") or "unchanged", back | {month: -fen for month, fen in owed.items()})
    said = {**answers, **_street_said(act, case.id, facts), **special_cases.told(act, case.id, facts), "before_fen": before["amount_fen"], "before_category": before["category"], **resumed, **_referred(act, facts)}
    if facts.get("reason_code") == "refused_jobs":
        said |= _share_taken(act, facts)
    if kind == "grace":
        said["worker"] = next(m["name"] for m in households.members_of(act.conn, facts["household_id"]) if m["person_id"] == facts["grace_person"])
    if amount is not None:
        said["amount_fen"] = amount
    if kind in ("stop", "decrease") and not facts.get("resolution"):
        said["would"] = counterfactual.of_case(act.conn, act.keys, case.id, facts.get("reason_code"), kind, facts.get("category"))
    if not facts.get("resolution") and (kind in ("keep", "increase", "decrease", "convert") or (kind == "stop" and facts.get("reason_code") in counterfactual.BY_FIGURES)):
        said["rows"] = fired.rows_of(act.conn, case.id, facts.get("category"))
    return paperwork.issue(act, case, LETTERS[kind], facts, said)


def _referred(act: Act, facts: Data) -> Data:
    """The street helps whoever may be destitute to apply (N649 art 17): a procedure of its own, which decides on him alone. Until then the
    household has what this conclusion gives, without a gap; from then on he is not in it (domain 2.4, 2.9, 3.7)."""
    found = next((m for m in households.members_of(act.conn, facts["household_id"]) if m["person_id"] == facts.get("destitute_person")), None)
    return {"referred": found["name"]} if found else {}


def _street_said(act: Act, case_id: int, facts: Data) -> Data:
    """The reasons and the clause of the street's opinion, which the district approved: they are what the household is told (N649 art
    13), not the words with which somebody signed. Free text is no fact, so it is read from the entry of the opinion."""
    kept = Kept(act.conn, act.keys, case_id)
    for place, entry in reversed(list(enumerate(kept.closed))):
        if entry.event == "task_completed" and entry.data["task"].startswith("street_opinion."):
            part = kept.entry(place).personal.get(f"household:{facts['household_id']}") or {}
            told = part.get("said", {}).get("answers", {})
            refusals = {"refused_on": [one["refused_on"] for one in told["job_refusals"]]} if told.get("job_refusals") else {}
            return {"opinion": told.get("opinion"), "clause": told.get("clause"), **refusals}
    return {}


def _share_taken(act: Act, facts: Data) -> Data:
    """Whose share is taken, and how much it is, for the letter."""
    house = households.row(act.conn, facts["household_id"])
    who = next(m for m in households.members_of(act.conn, facts["household_id"]) if m["person_id"] == facts["refusing_member"])
    standard = law.value(f"dibao_standard_{house['hukou_kind']}", benefits.first_of(facts["from_month"]))
    return {"refusing": who["name"], "share_standard": f"{standard.amount:.2f}"}


LETTERS = {"keep": "review_result", "grace": "grace_period", "increase": "adjustment", "decrease": "adjustment", "convert": "adjustment", "stop": "stop", "suspend": "suspension"}


def delivered(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.delivered(act, case, LETTERS[facts["conclusion"]], answers)


def agreed(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """The settlement that this case found is paid back by a plan; the household gets it in writing. Without one it stays as it was
    found, on the list of money that is still to be settled."""
    if answers.get("plan_outcome") == "refuses":
        return ()
    for found in benefits.of_settlements(act.conn, facts["benefit_id"]):
        if found["case_no"] == case.no and found["kind"] == "recovery":
            benefits.agree(act, found["id"], answers["instalment"], answers["first_month"])
    return paperwork.issue(act, case, "recovery", facts, answers)


FORMS: dict[str, type[Form]] = {
    "street_opinion": Conclude,
    "street_signoff": SignOff,
    "decide": DecideConclusion,
    "deliver_conclusion": Deliver,
    "recovery_plan": RecoveryPlan,
}
SERVICES: dict[str, Service] = {"assess": assess, "apply_conclusion": conclude}
FORMER_RULES: dict[str, dict[int, Service]] = {"assess": {1: investigation.assess, 2: assess_2}, "apply_conclusion": {1: conclude_1, 2: conclude_2}}
GATHER = {"assess": figures, "apply_conclusion": paid_and_right}
EFFECTS = {"apply_conclusion": apply_conclusion, "deliver_conclusion": delivered, "recovery_plan": agreed}
