"""Separation of duties and recusal of near relatives (domain 5.3, 5.4; N220 art 14): pure rules over every hand-over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from engine.process import Broken

INVESTIGATE = frozenset({"home_survey", "survey_cosign", "neighbor_enquiry", "street_reinvestigate", "circumstances", "hardship_proof", "check_expenses"})
REVIEW = frozenset({"street_opinion", "street_signoff", "submit_to_district", "issue_check_rejection", "reject_after_check", "decide_termination"})
WRITE, SIGN = frozenset({"street_opinion"}), frozenset({"street_signoff", "decide_termination"})  # two pairs of eyes inside the review
APPROVE = frozenset({"decide", "decide_refusal", "street_confirmation", "emergency_decide", "emergency_signoff", "confirm_self_care"})
PAY = frozenset({"emergency_pay", "pay_grant"})  # of temporary assistance: who decides does not pay
ACCEPT = frozenset({"start", "completeness_check", "register_change"})  # "start": who took the application in
EXAMINE = frozenset({"district_examination", "district_recheck", "spot_check_visit", "late_spot_check_visit", "self_care_assessment"})
CHECK = frozenset({"means_check"})
MEETING = frozenset({"special_case_decision"})  # on drawings before the joint meeting was a process of its own
PREPARE = frozenset({"screen_agenda", "open_meeting", "draft_minutes"})  # the meeting's secretary
PRESIDE = frozenset({"approve_agenda", "announce_item", "issue_minutes"})  # its convener
WATCHERS = frozenset({"auditor", "admin", "volunteer"})  # they look on, so their opinion is no part of a decision

# (the node's group, the group the person acted in, rule, what to say). Order: the most telling reason first.
_CONFLICTS = (
    (REVIEW, INVESTIGATE, "investigator-reviews", "您是本案入户调查人，不能审核本案（岗位分离）", "You investigated this case; you may not review it"),
    (INVESTIGATE, REVIEW, "reviewer-investigates", "您是本案审核人，不能调查本案（岗位分离）", "You reviewed this case; you may not investigate it"),
    (SIGN, WRITE, "own-opinion", "审核意见是您本人提出的，应由另一人签批", "You wrote this opinion: somebody else signs it off"),
    (WRITE, SIGN, "own-opinion", "您签批过本案，审核意见应由另一人提出", "You signed this case off: somebody else writes the opinion"),
    (REVIEW, ACCEPT, "acceptor-reviews", "您受理了本案，不能审核本案（岗位分离）", "You accepted this case; you may not review it"),
    (ACCEPT, REVIEW, "reviewer-accepts", "您审核过本案，不能受理本案（岗位分离）", "You reviewed this case; you may not accept it"),
    (PAY, APPROVE, "decider-pays", "本案的救助是您决定的，应由另一人支付（交付）", "You decided on this help: somebody else pays it"),
    (APPROVE, PAY, "payer-decides", "本案的救助由您支付（交付），不能再由您审批", "You paid this help: somebody else decides"),
    (EXAMINE, INVESTIGATE | REVIEW | APPROVE, "street-examines", "您在街镇环节或审批环节办过本案，不能作区级审查（岗位分离）", "You handled this case before; you may not examine it"),
    (PRESIDE, PREPARE | {"start"}, "secretary-presides", "您是本次会议的秘书，不能主持会议（岗位分离）", "You are the secretary of this meeting; you may not preside over it"),
    (PREPARE, PRESIDE, "convener-keeps-minutes", "您主持本次会议，不能同时担任秘书（岗位分离）", "You preside over this meeting; you may not be its secretary"),
    (CHECK, REVIEW | APPROVE, "opinion-holder-checks", "您已对本案发表意见，不能出具核对报告（岗位分离）", "You gave an opinion on this case; you may not check its means"),
)  # fmt: skip


class HasActed(Protocol):
    @property
    def node(self) -> str: ...
    @property
    def staff(self) -> str: ...


def may(  # noqa: PLR0911 - one line per rule
    verb: str, node: str, role: str, actor_id: str, *, actor_roles: Collection[str], acts: Sequence[HasActed],
    relatives: Collection[str], facts: Mapping[str, Any],
) -> Broken | None:  # fmt: skip
    """None, or the rule that forbids `actor_id` to get (claim, transfer, delegate …) or do (complete) this task. A signer
    may hold another post, but is held to everything else."""
    if verb == "add_signer" and WATCHERS.issuperset(actor_roles):
        return Broken("watcher-signs", "只有查看权限的岗位不能作为加签人", "A post that only looks on gives no opinion on a case")
    if verb != "add_signer" and role not in actor_roles:
        return Broken("role", "这件待办不属于您的岗位", "This task belongs to another post")
    if actor_id in relatives:
        return Broken("near-relative", "您与申请家庭成员有近亲属关系，应当回避，不能办理本案", "You are a near relative of the household: you may not handle this case")  # fmt: skip
    mine = {act.node for act in acts if act.staff == actor_id}
    for group, other, rule, zh, en in _CONFLICTS:
        if node in group and mine & other:
            return Broken(rule, zh, en)
    if node in APPROVE and mine - APPROVE:
        return Broken(
            "approver-touched",
            "您办理过本案的其他环节，不能审批本案（审批人不得事先经办）",
            "You handled this case before; you may not approve it",
        )
    if node in MEETING and mine & (INVESTIGATE | REVIEW | APPROVE):
        return Broken(
            "handler-decides-special",
            "您经办过本案，不能主持特殊个案研究",
            "You handled this case; you may not decide it as special",
        )
    if node not in APPROVE and mine & APPROVE and node not in MEETING:
        return Broken(
            "approver-handles",
            "您审批过本案，不能再办理其他环节（岗位分离）",
            "You approved this case; you may not handle other steps",
        )
    return _second_signature(node, actor_id, acts, facts)


DECIDED = APPROVE | SIGN  # whose decision an appeal is against


def may_handle_appeal(actor_id: str, *, deciders: Collection[str], relatives: Collection[str]) -> Broken | None:
    """None, or the rule that keeps `actor_id` from handling an appeal, and from deciding anew after it. `deciders`: who made the decision."""
    if actor_id in relatives:
        return Broken("near-relative", "您与这户家庭成员有近亲属关系，应当回避", "You are a near relative of the household")
    if actor_id in deciders:
        return Broken("decider-handles-appeal", "这项决定是您作出的，不能办理对它的复议、诉讼（岗位分离）", "You made this decision: somebody else handles the appeal against it")
    return None


HANDLED = INVESTIGATE | REVIEW | APPROVE | EXAMINE | CHECK | ACCEPT


def may_study(
    actor_id: str, *, acts: Sequence[HasActed], relatives: Collection[str], handlers_relatives: Collection[str]
) -> Broken | None:
    """None, or the rule that keeps `actor_id` from voting on a case in the joint meeting, and from presiding over its item.
    `acts`: of the case that is studied; `handlers_relatives`: who is a near relative of somebody that handled it (domain 4.4)."""
    if actor_id in relatives:
        return Broken("near-relative", "您与申请家庭成员有近亲属关系，应当回避", "You are a near relative of the household: you do not take part in this item")
    if any(act.staff == actor_id and act.node in HANDLED for act in acts):
        return Broken("handler-decides-special", "您经办过本案，研究本案时应当回避", "You handled this case: you do not take part in this item")
    if actor_id in handlers_relatives:
        return Broken("handler-relative", "您与本案经办人员有近亲属关系，应当回避", "You are a near relative of somebody who handled this case")
    return None


LONGEST = 92  # days that a delegation or a substitution lasts at most: a quarter. An office's rule, no law's


def may_delegate(own: Collection[str], theirs: Collection[str], *, today: date, until: date, delegated: bool) -> Broken | None:
    """None, or the rule that forbids a delegation: only downward or in the same unit, for a time (domain 5.3.6), and not on.
    `own`, `theirs`: the units of the posts in which the two may do the task."""
    if delegated:
        return Broken("delegated-on", "这件待办是别人委托给您的，不能再委托", "This task was delegated to you: it is not delegated on")
    if not any(unit.startswith(above) for unit in theirs for above in own):
        return Broken("downward", "只能向本级或下级机构的同岗位人员委托，不能向上委托", "A task is delegated in the same unit or below it, not upward")
    if not today <= until <= today + timedelta(days=LONGEST - 1):
        return Broken("time-limited", f"委托应有期限：不早于今天，最长 {LONGEST} 天", f"A delegation is limited in time: from today, at most {LONGEST} days")
    return None


def _second_signature(node: str, actor_id: str, acts: Sequence[HasActed], facts: Mapping[str, Any]) -> Broken | None:
    """At least two distinct investigators sign, the second in his own session (N220 art 18-19)."""
    if node != "survey_cosign":
        return None
    surveyors = [act.staff for act in acts if act.node == "home_survey"]
    if surveyors and surveyors[-1] == actor_id:
        return Broken(
            "two-investigators", "入户调查应由两名以上调查人员签字，不能由同一人再次签字", "Two distinct investigators must sign"
        )
    chosen = facts.get("second_investigator")
    if chosen and chosen != actor_id:
        return Broken(
            "named-investigator",
            "应由入户调查表上的第二调查人本人签字",
            "Only the second investigator named on the form may sign",
        )
    return None


def rules(nodes: Collection[str]) -> list[dict[str, Any]]:
    """The rules on whole cases as data, for whoever checks a record without us: nobody acts in one of `nodes` after one of
    `others`; with `last`, not who was the last of them (a later survey is signed by another than who made it, N220 art 18).
    nodes: all that drawings have. Rules that ask for more than who did what before are not among them."""
    every = {*nodes, "start"}
    found: list[dict[str, Any]] = [{"rule": rule, "nodes": sorted(group), "others": sorted(other)} for group, other, rule, *_ in _CONFLICTS]
    found.append({"rule": "approver-touched", "nodes": sorted(APPROVE), "others": sorted(every - APPROVE)})
    found.append({"rule": "approver-handles", "nodes": sorted(every - APPROVE - MEETING), "others": sorted(APPROVE)})
    found.append({"rule": "two-investigators", "nodes": ["survey_cosign"], "others": ["home_survey"], "last": True})
    return [*found, {"rule": "handler-decides-special", "nodes": sorted(MEETING), "others": sorted(INVESTIGATE | REVIEW | APPROVE)}]
