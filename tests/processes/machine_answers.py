"""What people write into the forms of all four processes in the state machine: what usually suits, what seldom does, and whatever
the form itself says it would take. Whether an answer suits the case is for the engine to say."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from marshmallow import fields

from engine.forms import Day, Fen, Form, Several, Text, Whole, YesNo
from processes import conclusions
from processes.meeting_units import CHAIR
from tests.district import REVIEWERS
from tests.meeting_room import CODE, SMALL

REASON = {"reason_code": "facts_unclear", "clause": "第二十六条"}
MEETING = {"trigger": "policy_gap", "special_facts": "特殊", "wish": "请研究"}
PLAIN = {"propose_grant", "agree", "granted", "approved"}
PAPERS = ["application", "survey", "review", "opinion"]


class Told:
    """What an answer is made from. `facts`: of the case; `members`: person ids of its household, the holder first."""

    def __init__(self, process: str, facts: dict[str, Any], day: str, scan: int, members: list[int] | None = None) -> None:
        self.process, self.facts, self.day, self.scan, self.members = process, facts, day, scan, members or []
        self.month = day[:7]


def reasoned(name: str, *outcomes: str, reason: dict[str, str] = REASON) -> list[dict[str, Any]]:
    """An outcome with the reason, or what the meeting needs, where the law asks for it."""
    return [{name: one, "opinion": "意见", **(MEETING if one == "joint_meeting" else {} if one in PLAIN else reason)} for one in outcomes]


def options(node: str, t: Told) -> list[dict[str, Any]]:
    """Answers to a task, the usual one first; some are refused in some cases. Empty: nothing is known of this task."""
    told = _OF.get((t.process, node)) or _SAME.get(node)
    return told(t) if told else []


def usual(node: str, t: Told) -> dict[str, Any]:
    return options(node, t)[0]


_SECOND = ("bob", "carl", "ann", "hat1", "hat3", "far2", "clerk")
_DELIVERED = lambda t: [{"delivered_on": t.day, "method": "direct", "recipient": "张一"}, {"delivered_on": t.day, "method": "lien", "recipient": "张一"}]  # noqa: E731
_POSTED = lambda t: [{"posted_on": t.day, "places": ["village_board"]}]  # noqa: E731
_REMOVED = lambda t: [{"removed_on": t.day, "objections": "none"}]  # noqa: E731


def _survey(t: Told) -> list[dict[str, Any]]:
    said = {"surveyed_on": t.day, "met_person": "张一", "housing": "一居室", "living": "简朴", "findings": "属实", "surveyed_signature": t.scan}
    far = str(t.facts.get("street", "")).endswith("005")
    return [{**said, "second_investigator": one} for one in (("far2", *_SECOND) if far else _SECOND)]


def _means(t: Told) -> list[dict[str, Any]]:
    return [{"check_conclusion": "consistent", "report": "报告"}, {"check_conclusion": "inconsistent", "report": "报告", "found_income": "1500.5"},
            {"check_conclusion": "inconsistent", "report": "报告", "found_assets": "60000"}, {"check_conclusion": "query_again", "report": "报告"},
            {"check_conclusion": "exceeds_standard", "report": "报告", "doubtful": True}, {"check_conclusion": "consistent", "report": "报告", "found_income": "10"}]  # fmt: skip


def _conclusion(t: Told) -> list[dict[str, Any]]:
    """Of a re-check: what the figures say first."""
    f = t.facts
    right = conclusions.expected(str(f.get("benefit_category")), int(f.get("benefit_fen") or 0), f.get("category"), f.get("amount_fen")) or "keep"
    said = {"opinion": "意见", "clause": "第三十二条"}
    reason = "income_over" if right == "stop" else "income_changed"
    by_figures = {"conclusion": right, "reason_code": reason, **said, **({"convert_consent": True} if right == "convert" else {})}
    stops = [{"conclusion": "stop", "reason_code": one, **said} for one in ("voluntary", "fraud", "no_cooperation", "death_single", "income_over")]
    first = [by_figures]
    if f.get("exit_reason"):
        first = [{"conclusion": "stop", "reason_code": f["exit_reason"], **said}]
    elif f.get("contact_outcome") == "died":
        first = [stops[3]]
    elif t.process == "review-2012" and f.get("investigated") is not True:
        first = [stops[2], {"conclusion": "return_survey", **said}]
    elif t.process == "change-report-2012" and f.get("category") is None:
        first = [stops[2], {"conclusion": "return_survey", **said}]
    late = {"changed_since": "2018-11"} if t.process == "review-2012" else {}
    stops[1] |= late  # who lied says since when
    wild = [{**stops[1], **({"changed_since": "0001-01"} if late else {})}, *({"conclusion": one, "reason_code": "income_changed", **said} for one in ("increase", "decrease"))]
    return [*first, *stops, {**stops[1], **late}, {**by_figures, "review_class": "B", **late}, {"conclusion": "keep", **said},
            {"conclusion": "suspend", "reason_code": "no_cooperation", **said}, {"conclusion": "suspend", "reason_code": "under_verification", **said}, {"conclusion": "return_survey", **said},
            *wild, {"conclusion": "joint_meeting", "opinion": "意见", **MEETING}]  # fmt: skip


def _contact(t: Told) -> list[dict[str, Any]]:
    if t.process == "change-report-2012":
        again = {"contacted_on": t.day, "method": "visit", "note": "门上留条"}
        return [{**again, "contact_outcome": one} for one in ("contacted", "refuses", "not_reached")]
    said = {"contacted_on": t.day, "method": "visit", "contact_outcome": "contacted", "asked_for": ["income_proof"]}
    return [said, *({**said, "contact_outcome": one, "note": "门上留条"} for one in ("not_reached", "refuses", "died"))]


def _register(t: Told) -> list[dict[str, Any]]:
    complete: dict[str, Any] = {"evidence_outcome": "complete"}
    kind, who = t.facts.get("kind"), t.facts.get("person_id")
    day = t.facts.get("event_on") or t.day
    last = t.members[-1] if t.members else 0
    more: list[dict[str, Any]] = [complete, {"evidence_outcome": "supplement", "missing": ["income_proof"]}]
    if kind in ("death", "imprisonment") and who is not None and len(t.members) > 1:
        left = {**complete, "leaves": [{"person_id": who, "left_on": day, "left_reason": kind}]}
        more.insert(0, {**left, "new_holder": last} if t.members[:1] == [who] and kind == "death" else left)
    if kind == "move_out" and who is None:
        more = [{**complete, "new_community": "120116005001", "new_address": "杭州道2号"}, *more]
    income = {"person_id": t.members[0] if t.members else 0, "kind": "wage_income", "period": "month"}
    more += [{**complete, "incomes": [{**income, "amount_fen": fen}]} for fen in ("0.00", "500.00", "9000.00")]
    return [*more, {**complete, "property": [{"kind": "monetary_assets", "amount_fen": "500000.00"}]}, {**complete, "check_means": True, "check_home": True},
            {**complete, "new_community": "120116001016"}, {**complete, "new_holder": last}]  # fmt: skip


def _plan(t: Told) -> list[dict[str, Any]]:
    fen = int(t.facts.get("overpaid_fen") or 0)
    said = {"agreed_on": t.day, "first_month": t.month}
    plans = [{**said, "instalment": f"{part // 100}.{part % 100:02d}"} for part in (fen, fen // 2, fen + 1, 0)]
    return [plans[0], {"plan_outcome": "refuses", "note": "不同意"}, *plans[1:]]


def _opening(t: Told) -> list[dict[str, Any]]:
    rows = [{"unit": CODE[key], "present": True} for key in SMALL]
    few = [{**row, "present": row["unit"] == CHAIR} for row in rows]
    return [{"opening": "open", "held_on": t.day, "members": rows}, {"opening": "open", "held_on": t.day, "members": [*rows[:-1], {**rows[-1], "present": False}]},
            {"opening": "open", "held_on": t.day, "members": few}, {"opening": "adjourn", "planned_on": t.day, "note": "人数不足"},
            {"opening": "call_off", "note": "不开了"}, {"opening": "open", "held_on": "2010-01-04", "members": rows}, {"opening": "adjourn", "planned_on": "2018-01-05", "note": "人数不足"}]  # fmt: skip


def _announcement(t: Told) -> list[dict[str, Any]]:
    open_ones = t.facts.get("items_open") or [1]
    said = {"item": open_ones[0], "reasons": "集体研究"}
    more = {"approve_as": {"approved_category": "low_income"}, "refer": {"referred_to": "区慈善协会"}}
    found = [{**said, "announced": one, **more.get(one, {})} for one in ("approve_as", "refuse", "return_for_investigation", "refer", "defer", "lapsed")]
    fixed = {**said, "announced": "approve_as", "approved_category": "dibao", "fixed_amount": "300.00", "fixed_until": "2019-06"}
    return [*found, fixed, {**found[0], "item": open_ones[-1]}, {**found[4], "item": open_ones[-1]}]


def _screening(t: Told) -> list[dict[str, Any]]:
    listed = t.facts.get("items_listed") or [1]
    rows = [{"position": n, "admitted": True, "presenter": "街道民政办"} for n in listed]
    sent_back = [{"position": n, "admitted": False, "reason_code": "file_incomplete"} for n in listed]
    return [{"items": rows}, {"items": [*rows[:-1], sent_back[-1]]}, {"items": sent_back}, {"items": rows[1:] or rows}]


_SAME = {
    "supplement": lambda t: [{"received_on": t.day, "supplied": ["authorization"]}],
    "means_check": _means,
    "home_survey": _survey,
    "survey_cosign": lambda _: [{"agree": "agree"}, {"agree": "disagree", "statement": "不同"}],
    "street_signoff": lambda _: [{"signoff": "agree", "opinion": "同意"}, {"signoff": "return", "opinion": "再议"}],
    **dict.fromkeys(("deliver_approval", "deliver_refusal", "deliver_check_rejection", "deliver_transfer", "deliver_conclusion"), _DELIVERED),
    **dict.fromkeys(("post_street_notice", "post_district_notice", "post_stop_notice"), _POSTED),
    **dict.fromkeys(("remove_street_notice", "remove_district_notice", "remove_stop_notice"), _REMOVED),
    "recovery_plan": _plan,
    # -- the application
    "completeness_check": lambda _: [{"outcome": "complete"}, {"outcome": "incomplete", "missing": ["authorization"]}],
    "register_near_relative": lambda _: [{"staff_name": "某某", "position": "委员", "relation": "sibling"}],
    "neighbor_enquiry": lambda t: [{"enquired_on": t.day, "persons": "邻居", "statement": "困难"}],
    "issue_check_rejection": lambda _: [{"reasons": "超标"}],
    "low_income_consent": lambda t: [{"low_income_consent": one, "signed_on": t.day, "signed_document": t.scan} for one in (True, False)],
    "democratic_review": lambda t: [{"held_on": t.day, "place": "居委会", "chair": "主任", "participants": people, "statements": "属实", "review_conclusion": one}
                                    for one in ("agree", "re_survey", "disagree") for people in (REVIEWERS, REVIEWERS[:2])],
    "street_reinvestigate": lambda t: [{"investigated_on": t.day, "findings": "查明", "upheld": up, "figures_changed": new} for up, new in ((False, False), (True, True))],
    "submit_to_district": lambda _: [{"contents": PAPERS}, {"contents": ["application"]}],
    "spot_check_visit": lambda t: [{"visited_on": t.day, "second_visitor": "乙", "findings": "一致", "agrees": one} for one in (True, False)],
    "late_spot_check_visit": lambda t: [{"visited_on": t.day, "second_visitor": "乙", "findings": "一致", "late_agrees": one} for one in (True, False)],
    "district_examination": lambda _: reasoned("district_outcome", "propose_grant", "propose_refuse", "joint_meeting", "return_survey", "return_street"),
    "district_recheck": lambda _: [{"district_outcome": one, "findings": "查明", **(REASON if one != "propose_grant" else {})} for one in ("propose_grant", "propose_refuse")],
    "decide_refusal": lambda _: reasoned("decision", "refused", "returned"),
    # -- the review
    **dict.fromkeys(("contact_household", "second_contact"), _contact),
    "renew_authorisations": lambda t: [{"contacted_on": t.day, "contact_outcome": "contacted"}, {"contacted_on": t.day, "contact_outcome": "refuses", "note": "不签"}],
    # -- the report
    "register_change": _register,
    "receive_transfer": lambda _: [{"transfer_outcome": one, "opinion": "意见"} for one in ("accepted", "returned")],
    # -- the meeting
    "screen_agenda": _screening,
    "approve_agenda": lambda _: [{"agenda_outcome": "approve"}, {"agenda_outcome": "return", "opinion": "再看"}, {"agenda_outcome": "call_off", "opinion": "不开"}],
    "open_meeting": _opening,
    "announce_item": _announcement,
    "draft_minutes": lambda _: [{}, {"text": "纪要"}],
    "issue_minutes": lambda _: [{}, {"opinion": "同意"}],
}  # fmt: skip
_CONCLUDED = {
    "street_opinion": _conclusion,
    "decide": lambda _: [{"decision": "approved", "opinion": "同意"}, {"decision": "returned", "opinion": "再议"}],
}
_OF = {
    ("dibao-2012", "street_opinion"): lambda _: reasoned("street_outcome", "propose_grant", "propose_refuse", "joint_meeting", "return_survey", "return_review"),
    ("dibao-2012", "decide"): lambda _: reasoned("decision", "granted", "refused", "returned"),
    **{(process, node): told for process in ("review-2012", "change-report-2012") for node, told in _CONCLUDED.items()},
}




# -- 特困, 低收入, 临时救助, 支出型, 自理能力

INDICATORS = ("eats", "dresses", "bed", "toilet", "walks", "bathes")
_SON = {"relation": "child", "name": "王儿", "age": 61, "receives": "dibao", "state": "present", "property_fits": True}


def _circumstances(t: Told) -> list[dict[str, Any]]:
    said = {"enquired_on": t.day, "orphan": False, "property_fits": True, "obligors": [], "statement": "属实"}
    return [said, {**said, "obligors": [_SON]}, {**said, "obligors": [{**_SON, "age": 40, "receives": "none"}]}, {**said, "property_fits": False}, {**said, "orphan": True}]


def _indicators(t: Told) -> list[dict[str, Any]]:
    return [{"assessed_on": t.day, "second_assessor": who, **{name: n >= lost for n, name in enumerate(INDICATORS)}}
            for lost, who in ((0, "exam"), (3, "exam"), (4, "hat1"), (6, "exam"), (6, "丙"))]  # fmt: skip


def _by_figures(t: Told, name: str, *more: str, grant: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What the figures say first."""
    word = t.facts.get("category") or t.facts.get("need_outcome") or ""
    refused = str(word).startswith("refused")
    grants = {name: "propose_grant", "opinion": "意见", **(grant or {})}
    why = {"refused_obligor": "obligor_able", "refused_income": "income_over", "refused_property": "property_over", "refused_orphan": "orphan", "refused_ability": "able_to_work"}
    refuses = {name: "propose_refuse", "opinion": "意见", "clause": "第四条", "reason_code": why.get(str(word), "income_over" if "temporary" in t.process else "other")}
    others = reasoned(name, *more, reason={"reason_code": "facts_unclear", "clause": "第四条"})
    return [*((refuses, grants) if refused else (grants, refuses)), {**refuses, "reason_code": "facts_unclear"}, *others]


def _decisions(t: Told) -> list[dict[str, Any]]:
    first = [row for row in _by_figures(t, "x") if "reason_code" in row][0]
    reason = {"reason_code": first["reason_code"], "clause": "第四条"}
    refuses = {"decision": "refused", "opinion": "意见", **reason}
    proposed = t.facts.get("district_outcome") or t.facts.get("street_outcome")
    grants = {"decision": "granted", "opinion": "同意"}
    return [*((refuses, grants) if proposed == "propose_refuse" else (grants, refuses)), {"decision": "returned", "opinion": "再议", "reason_code": "facts_unclear", "clause": "第四条"}]


def _hardships(t: Told) -> list[dict[str, Any]]:
    row = {"document_id": t.scan}
    people = [{**row, "hardship": "disabled_member", "person_id": one} for one in t.members[:1]]
    return [{"hardships": people, "statement": "已核实"}, {"hardships": [], "statement": "没有"}, {"hardships": [*people, {**row, "hardship": "family_planning_special"}], "statement": "已核实"},
            {"hardships": [{**row, "hardship": "single_parent_student", "person_id": t.members[-1] if t.members else 1}], "statement": "已核实"}]  # fmt: skip


def _checked(_: Told) -> list[dict[str, Any]]:
    said = {"statement": "逐笔核对"}
    return [{**said, "expenses": [{"item": 1, "compliant": True}]}, {**said, "expenses": [{"item": 1, "compliant": False, "note": "不合规"}]}, {**said, "expenses": [{"item": 2, "compliant": True}]},
            {**said, "expenses": [{"item": 1, "compliant": True, "amount_fen": "100.00"}], "complex_case": True}]  # fmt: skip


_CASH = {"form": "cash", "amount": "2000.00", "description": "基本生活"}
_REFERRED = {"help_kind": "referral", "referral": "temporary_assistance"}


def _emergency(_: Told) -> list[dict[str, Any]]:
    help_ = {"emergency_outcome": "help", "opinion": "先行救助"}
    return [{**help_, "items": [_CASH]}, {**help_, "items": [{**_CASH, "amount": "90000.00"}]}, {**help_, "items": [_CASH, {"form": "referral", "description": "住院", "referred_to": "医院"}]},
            {"emergency_outcome": "not_emergency", "items": [], "opinion": "按支出型办理"}]  # fmt: skip


def _emergency_papers(t: Told) -> list[dict[str, Any]]:
    fen = int(t.facts.get("emergency_fen") or 0)
    said = {"object": "张一一家", "reason": "火灾", "amount": f"{fen // 100}.{fen % 100:02d}", "signed_document": t.scan}
    return [said, {**said, "identity_note": "证件烧毁"}, {**said, "amount": "1.00"}]


def _aided(t: Told) -> list[dict[str, Any]]:
    grants = [{"items": [{**_CASH, "amount": amount}]} for amount in ("2000.00", "9000.00")]
    return [*_by_figures(t, "street_outcome", "joint_meeting", "return_survey", grant=grants[0]), {"street_outcome": "propose_grant", "opinion": "意见", **grants[1]}]


_PAID = {"pay_method": "cash", "receiver": "张一"}
_SAME |= {
    "circumstances": _circumstances, "self_care_assessment": _indicators, "hardship_proof": _hardships, "check_expenses": _checked, "emergency_decide": _emergency,
    "publish_result": _POSTED,
    "dibao_consent": lambda t: [{"dibao_consent": one, "signed_on": t.day, "signed_document": t.scan} for one in (True, False)],
    "issue_certificate": lambda _: [{"holder": "张一"}],
    "confirm_self_care": lambda _: [{"confirmation": "agree", "opinion": "同意"}, {"confirmation": "return", "opinion": "再评"}],
    "tell_result": lambda t: [{"told_on": t.day, "recipient": "本人"}],
    "refer_applicant": lambda t: [{"agency": "救助站", "handed_to": "值班员", "handed_on": t.day, "way_there": "accompanied"}],
    "same_cause_exception": lambda _: [{"exception_outcome": one, "reason": "再次失火"} for one in ("allowed", "refused")],
    "emergency_pay": lambda t: [{"helped_on": t.day, **_PAID}],
    "emergency_register": _emergency_papers,
    "emergency_signoff": lambda _: [{"signoff": one, "stamped": one != "return", "opinion": "意见"} for one in ("agree", "further", "return")],
    "pay_grant": lambda t: [{"paid_on": t.day, **_PAID, "proof_document": t.scan}],
    "street_confirmation": _decisions,
}
for _process in ("destitute-2016", "low-income-2016", "illness-expenditure-2018", "temporary-assistance"):
    _OF[_process, "decide"] = _decisions
for _process, _more in (("destitute-2016", {}), ("low-income-2016", {}), ("illness-expenditure-2018", _REFERRED)):
    _OF[_process, "street_opinion"] = lambda t, more=_more: _by_figures(t, "street_outcome", "joint_meeting", "return_survey", grant=more)  # type: ignore[misc]
    _OF[_process, "district_examination"] = lambda t: _by_figures(t, "district_outcome", "return_survey", "return_street", "joint_meeting")
_OF["temporary-assistance", "street_opinion"] = _aided


# -- messages and starts


def report(household_id: int, t: Told) -> list[dict[str, Any]]:
    """Reports of a change, at the start of a case or into one that runs."""
    who = {"household_id": household_id} if household_id else {}
    said = {**who, "reported_on": t.day, "channel": "window", "reported_by": "household", "details": "情况变化"}
    event = {**said, "event_on": t.day}
    first, last = (t.members[0], t.members[-1]) if t.members else (0, 0)
    return [{**event, "kind": "income_up"}, {**event, "kind": "income_down", "event_on": "2018-10-20"}, {**event, "kind": "move_out"},
            {**event, "kind": "death", "person_id": last}, {**event, "kind": "death", "person_id": first}, {**event, "kind": "income_up", "event_on": "2018-10-12"},
            {**said, "kind": "no_change"}, {**said, "kind": "no_change", "doubted": True}, {**event, "kind": "income_up", "reported_by": "public"},
            {**event, "kind": "other", "wants_exit": True}, {**event, "kind": "imprisonment", "person_id": last}]  # fmt: skip


def review_change(t: Told) -> list[dict[str, Any]]:
    said = {"change_kind": "income_up", "changed_on": t.day, "reported_on": t.day, "reported_by": "household", "channel": "window", "details": "涨了"}
    died = {"change_kind": "death", "reported_by": "others", "person_id": t.members[-1] if t.members else 1}
    return [said, {**said, "changed_on": "2018-10-20"}, {**said, **died}, {**said, "reported_by": "committee"}, {**said, "reported_by": "staff"}]


# -- from the form itself


def from_form(form: type[Form], t: Told) -> st.SearchStrategy[dict[str, Any]]:
    """Answers of the right kinds in every field: required ones always, the others sometimes."""
    declared = {name: field for name, field in form._declared_fields.items() if not field.dump_only}
    made = {name: _any_of(field, t) for name, field in declared.items()}
    return st.fixed_dictionaries({n: made[n] for n, f in declared.items() if f.required}, optional={n: made[n] for n, f in declared.items() if not f.required})


def _any_of(field: fields.Field[Any], t: Told) -> st.SearchStrategy[Any]:
    meta = field.metadata
    if isinstance(field, Several):
        inner = from_form(meta["form"], t) if "form" in meta else _any_of(field.inner, t)
        return st.lists(inner, min_size=meta.get("least", 0), max_size=3, unique_by=repr)
    if isinstance(field, Day):
        return st.sampled_from([t.day, t.day, "2018-10-20", "2018-12-20", "2019-01-15"])
    if isinstance(field, Fen):
        return st.sampled_from(["0", "1.00", "300.00", "12345.67"])
    if isinstance(field, YesNo):
        return st.booleans()
    if isinstance(field, Whole):
        return st.sampled_from([t.scan, 1, 2, *t.members])
    assert isinstance(field, Text), field
    if choices := meta.get("choices"):
        return st.sampled_from([one[0] for one in choices])
    return st.sampled_from(["说明", "ann", "bob", "2019-06", "120116005001"])
