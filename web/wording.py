"""Codes in the words of the people who read them: facts, answers, articles of law, deadline rules, names of staff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import LazyString, lazy_gettext, lazy_pgettext
from flask_babel import gettext as _
from sqlalchemy import Connection, select

from engine.expression import parse_due
from engine.forms import Form
from engine.model import SHANGHAI, Entry
from engine.process import Process
from processes import (
    benefits,
    change_kinds,
    complaint_forms,
    dispersed_forms,
    dispersed_visits,
    display_forms,
    displays,
    facilities,
    facility_forms,
    intake_forms,
    intake_lists,
    law,
    lead_forms,
    leads,
    meeting_units,
    objections,
    outreach_forms,
    screening,
    screening_forms,
    supervision,
    supervision_forms,
    temporary,
    temporary_forms,
    temporary_grants,
    training_sessions,
)
from processes import household_forms as hf
from processes.destitute_forms import SELF_CARE
from processes.dibao_2012_forms import MATERIALS, METHODS, PARTICIPANTS
from processes.illness_expenditure_forms import EXPENSE_KINDS, HELP, REFERRALS
from processes.money import yuan
from processes.review_2012_forms import CHANGES, MESSAGES, OCCASIONS
from processes.tables import staff
from web.desk import either, lang

Pair = tuple[str, str]

_KINDS_EN = {
    "wage_income": "Wages", "business_net_income": "Net income of family business", "property_income": "Income from property",
    "transfer_income": "Transfers", "other_income": "Other income", "scholarship": "Scholarship", "study_grant": "Study or hardship grant",
    "model_worker_allowance": "Model worker's allowance", "science_award": "Science award", "bravery_award": "Award for bravery",
    "one_child_fee": "One-child fee", "family_planning_award": "Family planning award", "injury_medical": "Medical costs of a work injury",
    "injury_compensation": "Compensation for a work injury", "funeral_fee": "Funeral allowance", "medical_reimbursement": "Reimbursed medical costs",
    "basic_pension_resident": "Basic pension of residents", "rent_subsidy": "Rent subsidy", "elderly_subsidy": "Subsidy for elderly without income",
    "preferential_allowance": "Allowance of entitled groups", "social_assistance": "Social assistance", "charity_gift": "Gift of charity",
    "monetary_assets": "Money and savings", "vehicle": "Motor vehicle", "dwelling": "Dwelling", "non_residential": "Non-residential building",
    "study_abroad": "Study abroad at own expense", "luxury": "Luxury goods",
}  # fmt: skip
_HARDSHIPS_EN = {code: en for code, _zh, en in hf.HARDSHIP_KINDS}
_HINTS_EN = {"元，如 2100.00": "Yuan, like 2100.00", "如 2018-11": "Like 2018-11"}


def _both(choices: Iterable[tuple[str, str, str]]) -> dict[str, LazyString]:
    """Codes whose words are data in both languages: (code, zh, en) of the forms."""
    return {code: LazyString(either, zh, en) for code, zh, en in choices}


_ANNEX1 = {
    "序号": lazy_gettext("No."), "申请人": lazy_gettext("Applicant"), "身份证号": lazy_gettext("ID number"), "家庭人口": lazy_pgettext("number", "Members"),
    "乡镇（街道）": lazy_gettext("Street or town"), "村（居委会）": lazy_gettext("Village or residents' committee"), "家庭收入": lazy_gettext("Household income"),
    "家庭财产": lazy_gettext("Property"), "救助类别": lazy_gettext("Kind of assistance"), "保障金额": lazy_gettext("Amount"), "致困原因": lazy_gettext("Cause of hardship"),
    "入户核查结果": lazy_gettext("Result of the home check"), "备注": lazy_gettext("Remarks"), "申请救助时间": lazy_gettext("Applied on"),
    "申请救助类别": lazy_gettext("Applied for"), "未批准救助原因": lazy_gettext("Why it was refused"),
    "核查结果（是否达到救助条件、并注明享受何种救助）": lazy_gettext("Result: does it qualify, which assistance"), "调查人": lazy_gettext("Visitors")}  # fmt: skip
SIGNER = {"before": lazy_gettext("before it is handed in"), "after": lazy_gettext("after it is handed in"), "asked": lazy_gettext("not answered yet"),
          "agreed": lazy_gettext("agrees"), "disagreed": lazy_gettext("does not agree"), "withdrawn": lazy_gettext("withdrawn as a signer")}  # fmt: skip
CODES: Mapping[str, Mapping[str, LazyString]] = {
    "relation": _both(hf.RELATIONS),
    "employment": _both(hf.EMPLOYMENTS),
    "labour": _both(hf.ABILITIES),
    "leaving": _both(change_kinds.LEAVING),
    "screening_population": _both(screening_forms.POPULATIONS),
    "screening_cause": _both(screening_forms.CAUSES),
    "screening_assistance": _both(screening_forms.ASSISTANCE),
    "screening_result": _both(screening_forms.RESULTS),
    "screening_finding": _both(screening_forms.FINDINGS),
    "screening_state": _both((code, *said) for code, said in screening.STATES.items()),
    "screening_finding_state": _both((code, *said) for code, said in screening.FINDING_STATES.items()),
    "facility_kind": _both(facility_forms.KINDS),
    "inspection_group": _both(facility_forms.GROUPS),
    "inspection_result": _both(facility_forms.RESULTS),
    "inspection_state": _both((code, *said) for code, said in facilities.STATES.items()),
    "hazard_level": _both(facility_forms.LEVELS),
    "hazard_state": _both((code, *said) for code, said in facilities.HAZARD_STATES.items()),
    "hazard_check": _both(facility_forms.CHECKED),
    "facility_why": _both((code, *said) for code, said in facilities.WHY.items()),
    "dispersed_condition": _both(dispersed_forms.CONDITIONS),
    "dispersed_check": _both(dispersed_forms.CHECKS),
    "dispersed_problem": _both(dispersed_forms.PROBLEMS),
    "dispersed_state": _both((code, *said) for code, said in dispersed_visits.STATES.items()),
    "intake_programme": _both(intake_forms.ASKED),
    "intake_channel": _both(intake_forms.CHANNELS),
    "intake_requester": _both(intake_forms.REQUESTERS),
    "intake_result": _both([*intake_forms.RESULTS, intake_lists.ROUTED]),
    "intake_state": _both((code, *said) for code, said in intake_lists.STATES.items()),
    "intake_outcome": _both(intake_lists.OUTCOMES),
    "transfer_state": _both((code, *said) for code, said in intake_lists.TRANSFER_STATES.items()),
    "display_state": _both((code, *said) for code, said in displays.STATES.items()),
    "display_level": _both(display_forms.LEVELS),
    "display_removed": _both(display_forms.REMOVED_WHY),
    "objection_state": _both((code, *said) for code, said in objections.STATES.items()),
    "training_level": _both(outreach_forms.LEVELS),
    "training_topic": _both(outreach_forms.TOPICS),
    "training_role": _both(outreach_forms.ROLES),
    "training_kind": _both((code, *said) for code, said in training_sessions.KINDS.items()),
    "publicity_channel": _both(outreach_forms.CHANNELS),
    "programme": _both(outreach_forms.PROGRAMMES),
    "publicity_material": _both(outreach_forms.MATERIALS),
    "inspection_kind": _both(supervision_forms.KINDS),
    "inspection_method": _both(supervision_forms.METHODS),
    "inspection_problem": _both(supervision_forms.PROBLEMS),
    "inspection_plan_state": _both((code, *said) for code, said in supervision.STATES.items()),
    "inspection_finding_state": _both((code, *said) for code, said in supervision.FINDING_STATES.items()),
    "inspection_verb": {"reply": lazy_pgettext("inspection", "Reply to it"), "settle": lazy_pgettext("inspection", "Decide on it"),
                        "rectify": lazy_pgettext("inspection", "Say what was put right"), "verify": lazy_pgettext("inspection", "Verify what was put right")},
    "screening_outcome": _both(screening_forms.OUTCOMES),
    "screening_home": {"left": lazy_gettext("not visited yet"), "visited": lazy_gettext("visited"), "dropped": lazy_gettext("taken out")},
    "screening_visits": {"today": lazy_pgettext("visit list", "Today"), "left": lazy_gettext("Left to visit"), "visited": lazy_gettext("Visited")},
    "filled_line": {"new": lazy_gettext("can be brought in"), "known": lazy_gettext("visit here already"), "differs": lazy_gettext("a visit of that day says something else"),
                    "blank": lazy_gettext("not filled in"), "error": lazy_gettext("has errors")},
    "lead_hardship": _both(lead_forms.HARDSHIPS),
    "lead_finder": _both(lead_forms.GIVERS),
    "lead_outcome": _both([*lead_forms.OUTCOMES, lead_forms.WITHDRAWN]),
    "lead_state": _both((code, *said) for code, said in leads.STATES.items()),
    "lead_why": _both((code, *said) for code, said in leads.WHY_NOT.items()),
    "excluded": _both(hf.EXCLUSIONS),
    "income": _both((c, zh, _KINDS_EN.get(c, c.replace("_", " "))) for c, zh, _ in [*hf.INCOME_KINDS, *hf.PROPERTY_KINDS]),
    "document": _both(MATERIALS) | {
        "signed_document": lazy_gettext("Signed page"), "surveyed_signature": lazy_gettext("Signature of the person surveyed"),
        "receipt_document": lazy_gettext("Proof of delivery"), "photo": lazy_gettext("Photo"), "photos": lazy_gettext("Photos"),
        "documents": lazy_gettext("Application papers"), "evidence": lazy_gettext("Evidence"), "application": lazy_gettext("Application papers"),
        "signature": lazy_gettext("Signature page"), "survey": lazy_gettext("Home survey")},
    "delivery": _both(METHODS),
    "participant": _both(PARTICIPANTS),
    "source": {
        "declared": lazy_gettext("declared"), "checked": lazy_gettext("checked"), "seen": lazy_gettext("seen"),
        "household_registration": lazy_gettext("Household registration"), "vehicle": lazy_gettext("Vehicles"), "social_security": lazy_gettext("Social security"),
        "real_estate": lazy_gettext("Real estate"), "tax": lazy_gettext("Tax"), "deposits": lazy_gettext("Deposits"), "business": lazy_gettext("Business register"),
        "housing_fund": lazy_gettext("Housing fund"), "answered": lazy_gettext("answered"), "unavailable": lazy_gettext("unavailable")},
    "category": {
        "dibao": lazy_gettext("Minimum living guarantee"), "low_income": lazy_gettext("Low-income relief"),
        "destitute_institutional": lazy_gettext("Destitute support in an institution"),
        "destitute_dispersed": lazy_gettext("Destitute support at home"), "temporary_assistance": lazy_gettext("Temporary assistance"),
        "refused_income": lazy_gettext("Income over the limit"), "refused_property": lazy_gettext("Property over the limit"),
        "refused_vehicle": lazy_gettext("Motor vehicle"), "destitute": lazy_gettext("Support of the destitute"),
        "refused_ability": lazy_gettext("Not without labour ability"), "refused_obligor": lazy_gettext("A legal supporter is able"),
        "refused_orphan": lazy_gettext("Goes to the support of orphans"),
        "illness_expenditure": lazy_gettext("Hardship for the expenses of an illness"), "rigid_expenditure": lazy_gettext("Hardship for rigid expenses"),
        "refused_dibao": lazy_gettext("Fits dibao"), "refused_edge": lazy_gettext("Fits low-income relief"), "refused_expenditure": lazy_gettext("Expenses too small")},
    "help": _both(HELP),
    "referral": _both(REFERRALS),
    "expense": _both(EXPENSE_KINDS),
    "self_care": _both(SELF_CARE),
    "benefit": {
        "pending_first_payment": lazy_gettext("first payment pending"), "active": lazy_gettext("active"), "suspended": lazy_gettext("suspended"),
        "stopped": lazy_gettext("stopped"), "closed": lazy_gettext("closed")},
    "registry": {
        "complete": lazy_gettext("complete"), "partial": lazy_gettext("partial"), "contradictory": lazy_gettext("contradictory"),
        "unavailable": lazy_gettext("unavailable")},
    "spot": {"near_relative": lazy_gettext("near relative"), "doubtful": lazy_gettext("doubtful"), "drawn": lazy_gettext("drawn at random"), "reported": lazy_gettext("reported")},
    "change": {"posts": lazy_pgettext("change", "Posts"), "add": lazy_gettext("New staff"), "relative": lazy_gettext("Declared relative"),
               "deactivate": lazy_gettext("Deactivate")},
    "line": {"new": lazy_gettext("can be brought in"), "known": lazy_gettext("here already"),
             "differs": lazy_gettext("here already, but not as listed"), "error": lazy_gettext("has errors")},
    "annex1": _ANNEX1,
    "hardship": _both(hf.HARDSHIP_KINDS),
    "kin": _both(hf.NEAR_RELATIONS),
    "means": {"member": lazy_gettext("Add a member")},
    "help_kind": _both(temporary.KINDS),
    "help_cause": _both((code, zh, en) for code, zh, en, _ in temporary.CAUSES),
    "help_form": _both(temporary.FORMS_OF_HELP),
    "help_pay": _both(temporary_forms.METHODS_OF_PAY),
    "help_state": _both((code, zh, en) for code, (zh, en) in temporary_grants.STATES.items()),
    "help_need": {"fits": lazy_gettext("Income and property within the limits"), "refused_income": lazy_gettext("Income over the limit"),
                  "refused_property": lazy_gettext("Property over the limit"), "refused_both": lazy_gettext("Income and property over the limit")},
    "help_way": {"refer": lazy_gettext("Refer to the relief station"), **_both(temporary.KINDS)},
    "report_kind": _both(change_kinds.KINDS),
    "report_channel": _both(change_kinds.CHANNELS),
    "reporter": _both(MESSAGES["change_reported"]._declared_fields["reported_by"].metadata["choices"]) | _both(change_kinds.REPORTERS),
    "reason": _both((code, zh, en) for code, zh, en, _ in benefits.REASONS),
    "trigger": {"report": lazy_gettext("report of a change"), "told": lazy_gettext("told during the review"), "check": lazy_gettext("re-check"), "tip": lazy_gettext("complaint"),
                "screening": lazy_gettext("screening visit")},
    "exit": {"voluntary": lazy_gettext("own report or request"), "cleared": lazy_gettext("review or check"), "reported": lazy_gettext("report by the public"),
             "other": lazy_gettext("other: death, moved away")},
    "occasion": _both(OCCASIONS),
    "complaint_channel": _both(complaint_forms.CHANNELS),
    "complaint_target": _both(complaint_forms.TARGETS),
    "complaint_state": _both(complaint_forms.STATES),
    "complaint_finding": {**_both(complaint_forms.FINDINGS), "none": lazy_gettext("no finding yet")},
    "reported_change": _both(CHANGES),
    "review_state": {"overdue": lazy_gettext("Overdue"), "due": lazy_gettext("Due within 30 days"), "under_way": lazy_gettext("Under way"),
                     "done": lazy_gettext("Done")},
    "signer": SIGNER,
    "substitution": {"planned": lazy_gettext("planned"), "active": lazy_pgettext("substitution", "active"), "over": lazy_gettext("over"),
                     "ended": lazy_gettext("ended early")},
    "meeting": {"street": lazy_gettext("street opinion"), "district": lazy_gettext("district examination")},
    "confirmed": {"street": lazy_pgettext("confirms", "the street"), "district": lazy_pgettext("confirms", "the district")},
    "risk": {
        "double_benefit": lazy_gettext("A member is counted in another benefit"), "double_case": lazy_gettext("Another case is under way"),
        "two_households": lazy_gettext("A member lives in another household, too"), "check_differs": lazy_gettext("The check does not agree with what was declared"),
        "sources_differ": lazy_gettext("Sources give different amounts"), "registries_differ": lazy_gettext("The registries contradict each other"),
        "doubtful": lazy_gettext("Doubtful"), "reported": lazy_gettext("Reported by others"), "near_relative": lazy_gettext("Near relative registered")},
    "calculation": {  # what a person should look at
        "edge": lazy_gettext("Per head exactly the standard: not below it. Check the figures again"),
        "locally_decided_income": lazy_gettext("An income whose treatment the district decides is counted"),
        "outside_window": lazy_gettext("An income lies outside the months that count"),
        "window_incomplete": lazy_gettext("Not every month of the period has its income"),
        "imputed_below_declared": lazy_gettext("Declared more than the imputed income: the declared one counts"),
        "rural_flexible_income": lazy_gettext("Flexible work of a rural member: the district decides on its income"),
        "age_or_sex_unknown": lazy_gettext("Age or sex of a member is unknown: not taken as old"),
        "disability_and_illness": lazy_gettext("Disability and illness: the higher deduction counts"),
        "multiple_disability": lazy_gettext("Several disabilities: the kinds decide on the deduction"),
        "illness_unlisted": lazy_gettext("An illness that is not on the list"),
        "owner_not_counted": lazy_gettext("Property of somebody who is not counted"),
        "single_parent_derived": lazy_gettext("Single parent, as the members suggest: ask for proof"),
    },
}  # fmt: skip

# Facts worth reading, in the order in which they come about; what is not named here is the machine's own.
FACTS: Mapping[str, tuple[LazyString, str]] = {
    "programme": (lazy_gettext("Programme"), "category"),
    "applied_on": (lazy_gettext("Applied on"), ""),
    "kind": (lazy_gettext("Kind"), "form"),
    "event_on": (lazy_gettext("Happened on"), ""),
    "cause": (lazy_gettext("Cause"), "help_cause"),
    "happened_on": (lazy_gettext("Happened on"), ""),
    "persons": (lazy_gettext("Persons in need"), ""),
    "residence_basis": (lazy_gettext("At home here by"), "form"),
    "begun_by": (lazy_gettext("How it came"), "form"),
    "found_by": (lazy_gettext("Found by"), "form"),
    "requested_amount": (lazy_gettext("Amount asked for (yuan)"), "money"),
    "way": (lazy_gettext("How it is handled"), "help_way"),
    "repeated": (lazy_gettext("Helped for the same cause this year"), "yes"),
    "exception_outcome": (lazy_gettext("Good reason to help again"), "form"),
    "handed_on": (lazy_gettext("Handed over to the relief station on"), ""),
    "emergency_outcome": (lazy_gettext("Emergency help"), "form"),
    "ordered_on": (lazy_gettext("Decided on"), ""),
    "emergency_fen": (lazy_gettext("Emergency help (yuan)"), "money"),
    "helped_on": (lazy_gettext("Helped on"), ""),
    "finder_login": (lazy_gettext("Finder"), "staff"),
    "given_on": (lazy_gettext("Entered on"), ""),
    "given_by": (lazy_gettext("Entered by"), "staff"),
    "outcome": (lazy_gettext("What the verification found"), "form"),
    "verified_on": (lazy_gettext("Verified on"), ""),
    "helper": (lazy_gettext("Helps to apply"), "staff"),
    "help_outcome": (lazy_gettext("What became of the help"), "form"),
    "application_no": (lazy_gettext("Application that followed"), ""),
    "counts": (lazy_gettext("Counts as discovered by the grass roots"), "yes"),
    "why_not": (lazy_gettext("Does not count because"), "lead_why"),
    "complaint_no": (lazy_gettext("Complaint"), ""),
    "is_named": (lazy_gettext("Named complaint"), "yes"),
    "reporter_id": (lazy_gettext("Entry of the reporter"), ""),
    "target_kind": (lazy_gettext("Complaint about"), "complaint_target"),
    "target_login": (lazy_gettext("Member of staff complained about"), "staff"),
    "target_unit": (lazy_gettext("Unit or place complained about"), ""),
    "acceptance": (lazy_gettext("Acceptance of the complaint"), "form"),
    "result": (lazy_gettext("Finding of the investigation"), "form"),
    "followup_workdays": (lazy_gettext("Working days to complete the papers"), ""),
    "temp_workdays": (lazy_gettext("Working days from acceptance to decision"), ""),
    "street_limit_fen": (lazy_gettext("Up to which the street decides (yuan)"), "money"),
    "street_limit_source": (lazy_gettext("Source of the limit"), "cited"),
    "need_outcome": (lazy_gettext("Conditions for help with expenditure"), "help_need"),
    "approved_fen": (lazy_gettext("Amount of the joint meeting (yuan)"), "money"),
    "aid_fen": (lazy_gettext("Proposed, once (yuan)"), "money"),
    "paid_on": (lazy_gettext("Paid on"), ""),
    "reported_on": (lazy_gettext("Reported on"), ""),
    "channel": (lazy_gettext("Reported by way of"), "form"),
    "reported_by": (lazy_gettext("Reported by"), "reporter"),
    "late": (lazy_gettext("Reported late"), "yes"),
    "wants_exit": (lazy_gettext("Asks to leave assistance"), "yes"),
    "doubted": (lazy_gettext("To be verified"), "yes"),
    "benefit_category": (lazy_gettext("Assistance until now"), "category"),
    "benefit_fen": (lazy_gettext("Amount until now (yuan)"), "money"),
    "evidence_outcome": (lazy_gettext("Evidence"), "form"),
    "supplement_asked_on": (lazy_gettext("Evidence asked for on"), ""),
    "stopped_workdays": (lazy_gettext("Working days that the clock stood"), ""),
    "reopened_on": (lazy_gettext("Begun again on"), ""),
    "check_means": (lazy_gettext("Means check asked for"), "yes"),
    "check_home": (lazy_gettext("Home survey asked for"), "yes"),
    "exit_reason": (lazy_gettext("Leaves because"), "reason"),
    "handed_over_on": (lazy_gettext("Handed over to the new street on"), ""),
    "transfer_outcome": (lazy_gettext("The new street says"), "form"),
    "transferred_on": (lazy_gettext("Transferred on"), ""),
    "transfer_month": (lazy_gettext("With the new street from"), ""),
    "near_relative_declared": (lazy_gettext("Near relative declared"), "yes"),
    "complete": (lazy_gettext("Papers complete"), "yes"),
    "first_missing": (lazy_gettext("Asked for in the first notice"), "document"),
    "accepted_on": (lazy_gettext("Accepted on"), ""),
    "near_relative": (lazy_gettext("Near relative registered"), "yes"),
    "confirmed_by": (lazy_pgettext("application", "Confirmed by"), "confirmed"),
    "whole_case_workdays": (lazy_gettext("Working days for the whole case"), ""),
    "extension": (lazy_gettext("Limit extended because"), "form"),
    "started_on": (lazy_gettext("Investigation started on"), ""),
    "investigation_from": (lazy_gettext("Investigation began"), ""),
    "not_cooperating_on": (lazy_gettext("Did not co-operate on"), ""),
    "registry_status": (lazy_gettext("Registries' answers"), "registry"),
    "check_conclusion": (lazy_gettext("Means check"), "form"),
    "doubtful": (lazy_gettext("Doubtful"), "yes"),
    "second_investigator": (lazy_gettext("Second investigator"), "staff"),
    "agree": (lazy_gettext("Second investigator's signature"), "form"),
    "survey_ended_on": (lazy_gettext("Survey ended on"), ""),
    "check_result_on": (lazy_gettext("Result of the check delivered on"), ""),
    "check_rejected_on": (lazy_gettext("Result of the check told on"), ""),
    "check_objection_until": (lazy_gettext("Objection to the check, last day"), "last_day"),
    "category": (lazy_gettext("Calculated category"), "category"),
    "members_counted": (lazy_gettext("Members counted"), ""),
    "per_capita": (lazy_gettext("Income per head (yuan)"), ""),
    "amount_fen": (lazy_gettext("Amount a month (yuan)"), "money"),
    "share_fen": (lazy_gettext("Share of one member (yuan)"), "money"),
    "law_version": (lazy_gettext("Standard applied"), ""),
    "grace": (lazy_gettext("Grace period for who began to work"), "yes"),
    "grace_until": (lazy_gettext("Grace period until"), ""),
    "change_workdays": (lazy_gettext("Working days from the report to the decision"), ""),
    "support_form": (lazy_gettext("Form of support"), "form"),
    "circumstances_on": (lazy_gettext("Person and legal supporters looked into on"), ""),
    "income_fen": (lazy_gettext("Own income a month (yuan)"), "money"),
    "able_obligors": (lazy_gettext("Legal supporters who are able"), ""),
    "self_care_before": (lazy_gettext("Self-care until now"), "self_care"),
    "assessed_on": (lazy_gettext("Self-care assessed on"), ""),
    "self_care": (lazy_gettext("Self-care"), "self_care"),
    "confirmation": (lazy_gettext("Result of the assessment"), "form"),
    "recorded_on": (lazy_gettext("Kept with the benefit on"), ""),
    "low_income_consent": (lazy_gettext("Consents to low-income relief"), "yes"),
    "hardships_counted": (lazy_gettext("Special hardships that are proved"), ""),
    "dibao_consent": (lazy_gettext("Consents to dibao"), "yes"),
    "expenses_counted": (lazy_gettext("Expenses that count (yuan)"), ""),
    "expense_share": (lazy_gettext("Expenses of the yearly income (per cent)"), ""),
    "net_per_capita": (lazy_gettext("Left per head and month (yuan)"), ""),
    "complex_case": (lazy_gettext("Complex case"), "yes"),
    "help_kind": (lazy_gettext("Help"), "form"),
    "help_fen": (lazy_gettext("One-off help (yuan)"), "money"),
    "referral": (lazy_gettext("Referred to"), "form"),
    "valid_until": (lazy_gettext("Recognised until"), ""),
    "review_conclusion": (lazy_gettext("Democratic review"), "form"),
    "street_outcome": (lazy_gettext("Street opinion"), "form"),
    "signoff": (lazy_gettext("Street sign-off"), "form"),
    "street_notice_posted_on": (lazy_gettext("Street notice posted"), ""),
    "street_notice_until": (lazy_gettext("Street notice, last day"), "last_day"),
    "objection_on": (lazy_gettext("Objection raised on"), ""),
    "disputed": (lazy_gettext("Notice disputed"), "yes"),
    "dispute_way": (lazy_gettext("What was done about the objection"), "form"),
    "figures_changed": (lazy_gettext("Figures changed"), "yes"),
    "meeting_requested_on": (lazy_gettext("Sent to the joint meeting"), ""),
    "meeting_from": (lazy_gettext("Sent from"), "meeting"),
    "resolution": (lazy_gettext("Resolution of the meeting"), "form"),
    "resolved_on": (lazy_gettext("Resolved on"), ""),
    "submitted_on": (lazy_gettext("Submitted to the district"), ""),
    "examination_from": (lazy_gettext("On the district's table since"), ""),
    "spot_check": (lazy_gettext("Spot check"), "yes"),
    "spot_reason": (lazy_gettext("Why"), "spot"),
    "reported": (lazy_gettext("Reported by others"), "yes"),
    "late_drawn": (lazy_gettext("Added to the spot check later"), "yes"),
    "late_reason": (lazy_gettext("Why"), "spot"),
    "late_drawn_on": (lazy_gettext("Late visit asked for on"), ""),
    "late_agrees": (lazy_gettext("The late visit agrees"), "yes"),
    "district_outcome": (lazy_gettext("District examination"), "form"),
    "district_notice_posted_on": (lazy_gettext("District notice posted"), ""),
    "district_notice_until": (lazy_gettext("District notice, last day"), "last_day"),
    "conclusion": (lazy_gettext("Conclusion"), "form"),
    "reason_code": (lazy_gettext("Reason of the conclusion"), "form"),
    "review_class": (lazy_gettext("Class from now on"), "form"),
    "refer_destitute": (lazy_gettext("Referred to the support of the destitute"), "yes"),
    "convert_consent": (lazy_gettext("Consents to the conversion"), "yes"),
    "decision": (lazy_gettext("Decision"), "form"),
    "decided_on": (lazy_gettext("Decided on"), ""),
    "first_payment_month": (lazy_gettext("First payment month"), ""),
    "decided_fen": (lazy_gettext("Decided amount a month (yuan)"), "money"),
    "from_month": (lazy_gettext("Counts from"), ""),
    "exit_class": (lazy_gettext("Counted as an exit by"), "exit"),
    "overpaid_since": (lazy_gettext("Overpaid since"), ""),
    "overpaid_fen": (lazy_gettext("Overpaid (yuan)"), "money"),
    "charged_fen": (lazy_gettext("Asked back before (yuan)"), "money"),
    "arrears_fen": (lazy_gettext("Paid later (yuan)"), "money"),
    "pay_suspended": (lazy_gettext("Months of the suspension are paid later"), "yes"),
    "delivered_on": (lazy_gettext("Delivered on"), ""),
    "withdrawn_on": (lazy_gettext("Withdrawn on"), ""),
    "convened_on": (lazy_gettext("Convened on"), ""),
    "planned_on": (lazy_gettext("Planned for"), ""),
    "items_listed": (lazy_gettext("Items listed"), "units"),
    "screened_on": (lazy_gettext("Screened on"), ""),
    "scope": (lazy_pgettext("payment", "Whom"), "unit"), "month": (lazy_gettext("Month"), ""), "pay_by": (lazy_gettext("To be credited by"), ""),
    "pay_eve": (lazy_gettext("The day before the last day of payment"), ""),
    "list_outcome": (lazy_gettext("The list"), "form"), "check_outcome": (lazy_gettext("The check"), "form"), "approval_outcome": (lazy_gettext("Approval"), "form"),
    "returns_outcome": (lazy_gettext("After the bank’s answer"), "form"), "reissue_outcome": (lazy_gettext("Check of the reissue"), "form"),
    "agenda_outcome": (lazy_gettext("Agenda"), "form"),
    "agenda_by": (lazy_gettext("Agenda settled by"), "staff"),
    "opening": (lazy_gettext("Opening"), "form"),
    "held_on": (lazy_gettext("Held on"), ""),
    "items_open": (lazy_gettext("Items to decide"), "units"),
    "items_announced": (lazy_gettext("Items announced"), "units"),
    "announced_by": (lazy_gettext("Announced by"), "staff"),
    "minutes_version": (lazy_gettext("Version of the minutes"), ""),
    "attended": (lazy_gettext("Attended by"), "units"),
    "to_confirm": (lazy_gettext("Minutes to be confirmed by"), "units"),
    "objected": (lazy_gettext("Objection to the minutes"), "yes"),
    "issued_on": (lazy_gettext("Issued on"), ""),
    "occasion": (lazy_gettext("Occasion of the review"), "occasion"),
    "due_on": (lazy_gettext("Review due on"), ""),
    "contact_outcome": (lazy_gettext("Contact with the household"), "form"),
    "contact_attempts": (lazy_gettext("Attempts in vain"), ""),
    "last_attempt_on": (lazy_gettext("Last attempt in vain"), ""),
    "authorisations_missing": (lazy_gettext("Authorisations missing"), ""),
    "change_kind": (lazy_gettext("Change reported"), "reported_change"),
    "changed_on": (lazy_gettext("Changed on"), ""),
    "reported_late": (lazy_gettext("Reported late"), "yes"),
    "finding_kind": (lazy_gettext("Kind of finding"), "screening_finding"),
    "found_on": (lazy_gettext("Found on"), ""),
    "rectify_by": (lazy_pgettext("screening", "To be put right by"), ""),
    "proved_unfounded": (lazy_gettext("Proved unfounded"), "yes"),
    "verdict": (lazy_gettext("Verdict"), "form"),
    "stop_notice_posted_on": (lazy_gettext("Notice of the stop posted"), ""),
    "stop_notice_until": (lazy_gettext("Notice of the stop, last day"), "last_day"),
}

# What is typed around a task, and what its entries hold.
HABIT_FIELDS: Mapping[str, LazyString] = {
    "question": lazy_gettext("Question to the signer"), "words": lazy_gettext("Opinion of the signer"), "text": lazy_gettext("Comment"),
    "staff": lazy_gettext("Colleagues"), "signers": lazy_gettext("Waits for"), "kind": lazy_gettext("When they sign"), "agrees": lazy_gettext("Agrees")}  # fmt: skip

_SINCE = {
    "investigation_from": lazy_gettext("the beginning of this investigation"),
    "late_drawn_on": lazy_gettext("the late draw"),
    "survey_ended_on": lazy_gettext("the end of the survey"),
    "meeting_requested_on": lazy_gettext("the request to the joint meeting"),
    "objection_on": lazy_gettext("the objection"),
    "planned_on": lazy_gettext("the day planned for the meeting"),
    "submitted_on": lazy_gettext("the submission to the district"),
    "examination_from": lazy_gettext("the day on which the file came to the district's table"),
    "district_notice_ended_on": lazy_pgettext("deadline", "the end of the district notice"),
    "decided_on": lazy_gettext("the decision"),
    "reported_on": lazy_gettext("the report"),
    "handed_over_on": lazy_gettext("the hand-over of the file"),
    "due_on": lazy_gettext("the day on which the review fell due"),
    "last_attempt_on": lazy_gettext("the last attempt"),
    "accepted_on": lazy_gettext("the acceptance"),
    "street_from": lazy_gettext("the acceptance, or the day on which the file came back to the street"),
    "authorisations_asked_on": lazy_gettext("the request for authorisations"),
    "delivered_on": lazy_gettext("the delivery"),
    "helped_on": lazy_gettext("the help"),
    "rectify_by": lazy_gettext("the day set by the visit"),
    "received_on": lazy_gettext("the receipt"),
    "given_on": lazy_gettext("the entry of the lead"),
    "verified_on": lazy_gettext("the verification"),
}
_LAWS = {
    "N220": lazy_gettext("Minfa [2012] No. 220 (dibao review and approval)"),
    "N57": lazy_gettext("Minfa [2021] No. 57 (dibao examination and confirmation)"),
    "N2022": lazy_gettext("Notice of 2022 on dibao and other basic assistance"),
    "TDEL": lazy_gettext("Confirmation handed down to streets and towns (Tianjin, 2021)"),
    "JNAT": lazy_gettext("National inter-ministerial joint conference on social assistance (2013)"),
    "JDIS": lazy_gettext("Rules of district joint meetings"),
    "N649": lazy_gettext("Interim measures on social assistance (State Council decree 649)"),
    "N178": lazy_gettext("Measures for the recognition of the destitute (2016)"),
    "N43": lazy_gettext("Measures for the recognition of the destitute (2021)"),
    "N23": lazy_gettext("Opinions on temporary assistance (2018)"),
    "N47": lazy_gettext("State Council notice on temporary assistance (2014)"),
    "TTEMP21": lazy_gettext("Limits of temporary assistance in Tianjin (2021)"),
    "TEMPK": lazy_gettext("Procedure of temporary assistance of another place (example)"),
    "LXF": lazy_gettext("Regulations on petitions"),
    "TLOW": lazy_gettext("Tianjin notice on low-income relief (2016)"),
    "TECON": lazy_gettext("Tianjin rules on means assessment"),
    "TCLS": lazy_gettext("Tianjin rules on deductions"),
    "T18": lazy_gettext("Tianjin standards from 2018-04-01"),
    "T20": lazy_gettext("Tianjin standards and property rules of 2020"),
}
_DIGITS = "零一二三四五六七八九"


def word(kind: str, code: Any) -> str:
    """A code in words; the code itself where nobody gave it words."""
    found = CODES[kind].get(str(code))
    return str(code if found is None else found)


def words(kind: str, codes: Any) -> str:
    listed = codes if isinstance(codes, list) else str(codes).split()
    return _(", ").join(word(kind, code) for code in listed)


def choice_word(choice: tuple[str, str, str]) -> str:
    """A choice of a form; where its English is only the code, the words are here."""
    code, zh, en = choice
    return zh if lang() == "zh" else _KINDS_EN.get(code, code.replace("_", " ")) if en == code else en


def spelled(text: str) -> str:
    """English lines of a calculation with words instead of codes."""
    known = _KINDS_EN | _HARDSHIPS_EN
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda m: known.get(m[0], m[0].replace("_", " ")).lower(), text)


def hint(meta: Mapping[str, Any]) -> str:
    zh = str(meta.get("hint") or "")
    if not zh and meta.get("widget") == "date":
        return _("Like 2018-12-03")
    return zh if lang() == "zh" else str(meta.get("hint_en") or _HINTS_EN.get(zh, zh))


def path_label(form: Form, path: str) -> str:
    """ "members.0.id_no" as its labels say it: 家庭成员 1 身份证号."""
    if path in HABIT_FIELDS:
        return str(HABIT_FIELDS[path])
    if path in ("_to", "_reason", "_until"):
        return {"_to": _("Hand over to"), "_reason": _("Reason"), "_until": _("Delegated until")}[path]
    fields, found = form.fields, []
    for part in path.split("."):
        if part.isdecimal():
            found.append(str(int(part) + 1))
        elif part in fields:
            meta = fields[part].metadata
            found.append(str(meta.get("label_en" if lang() == "en" else "label", part)))
            fields = meta["form"]().fields if "form" in meta else fields
    return " ".join(found) or _("What was entered")


def yes(value: Any) -> str:
    return _("yes") if value else _("no")


def instalments(plan: Iterable[Any]) -> list[tuple[str, str, int]]:
    """A plan of repayment, month by month as (month, fen) or {month, fen}, in as few words as say the same: (first month, last month, fen a month)."""
    found: list[tuple[str, str, int]] = []
    for one in plan:
        month, fen = (one["month"], one["fen"]) if isinstance(one, Mapping) else one
        if found and found[-1][2] == fen and benefits.month_after(benefits.first_of(found[-1][1])) == month:
            found[-1] = (found[-1][0], month, fen)
        else:
            found.append((month, month, fen))
    return found


def forms_of(process: Process) -> dict[str, type[Form]]:
    """The forms whose words stand behind the facts of a case: those of its steps and the one with which it began."""
    return {**process.answered, "": process.start_form}


def fact_lines(facts: Mapping[Any, Any], forms: Mapping[str, type[Form]], names: Mapping[str, str]) -> list[Pair]:
    """The facts that people read, with labels, in the order of the procedure."""
    return [(str(FACTS[k][0]), fact(k, facts[k], forms, names)) for k in FACTS if facts.get(k) not in (None, "")]


def last_day(moment: str) -> str:
    """The last day of a period that ends at this moment: it is over at a midnight, and people count to the day before."""
    end = datetime.fromisoformat(moment)
    return (end - timedelta(microseconds=1)).date().isoformat()


def fact(name: str, value: Any, forms: Mapping[str, type[Form]], names: Mapping[str, str] | None = None) -> str:  # noqa: PLR0911 - one line per kind
    kind = FACTS[name][1] if name in FACTS else ""
    match kind:
        case "yes":
            return yes(value)
        case "money":
            return yuan(value)
        case "last_day":
            return last_day(str(value))
        case "staff" | "unit":
            return (names or {}).get(value, str(value))
        case "form":
            return answer_word(name, value, forms)
        case "cited":
            return law.ABOUT.cited(str(value))[lang() == "en"]
        case "units":
            return _(", ").join(_units().get(str(one), str(one)) for one in value) or "—"
        case "":
            return str(value)
        case _:
            return words(kind, value)


def _units() -> dict[str, str]:
    """Code -> name of the member units of the joint meeting."""
    return {one.code: one.name_en if lang() == "en" else one.name for one in meeting_units.every()}


def answer_word(name: str, value: Any, forms: Mapping[str, type[Form]]) -> str:
    """The words that the forms give to an answer: several forms may ask for the same fact."""
    for form_class in forms.values():
        field = form_class._declared_fields.get(name)
        for choice in field.metadata.get("choices", ()) if field is not None else ():
            if choice[0] == value:
                return choice_word(choice)
    return str(value)


def article(text: str) -> str:
    """"N220 art 18-19" as an article of law."""
    return _("; ").join(_one_article(part.strip()) for part in text.split(";") if part.strip())


def _one_article(text: str) -> str:
    key, rest = text.split(" art ", 1) if " art " in text else (text, "")
    if key not in _LAWS:
        return str(law.ABOUT.cited(text)[lang() == "en"])  # the titles that the law files give; what they do not know stays as it is
    articles = rest if lang() == "en" else _chinese(rest)
    return _("%(law)s, art. %(articles)s", law=_LAWS[key], articles=articles) if articles else str(_LAWS[key])


def _chinese(numbers: str) -> str:
    """1 to 99 in Chinese numerals: "18-19" is 十八至十九; what is no number is left out."""
    return "至".join(_numeral(n) for n in numbers.split("-") if n.isdecimal())


def _numeral(number: str) -> str:
    tens, ones = divmod(int(number), 10)
    return ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (_DIGITS[ones] if ones or not tens else "")


def deadline(rule: str | None) -> str:
    """The rule of the drawing in words: workdays(10, since='investigation_from')."""
    due = parse_due(rule or "promptly()")
    if due.kind == "promptly":
        return _("Promptly")
    since = since_word(due.since)
    if due.limit == "extra_workdays":
        return _("By %(since)s", since=since)
    if due.limit:
        return _("Within the working days of the law from %(since)s", since=since)
    if due.kind == "workdays":
        return _("Within %(n)s working days of %(since)s", n=due.n, since=since)
    return _("Within %(n)s days of %(since)s", n=due.n, since=since)


def since_word(name: str | None) -> str:
    """From what a deadline runs: a fact, or the arrival of the task."""
    if name is None:
        return _("the arrival of the task")
    known = _SINCE.get(name) or (FACTS[name][0] if name in FACTS else None)
    return str(known or name.replace("_", " "))


def names_of(conn: Connection, logins: Iterable[str | None]) -> dict[str, str]:
    """Login -> name of staff; the system has one too."""
    wanted = {login for login in logins if login}
    rows = conn.execute(select(staff.c.login, staff.c.name).where(staff.c.login.in_(wanted)))
    return {"system": _("System"), "import": _("Import")} | {row.login: row.name for row in rows}


def logins_in(entries: Iterable[Entry]) -> list[str]:
    """Everybody whom entries name: who acted, for whom, and whom it concerns."""
    found: list[str] = []
    for entry in entries:
        found += [entry.actor, entry.said["actor"].get("for", "")]
        for name in ("completer", "owner", "assignee", "from", "to", "staff", "signers"):
            value = entry.data.get(name)
            found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
    return found


def moment(value: datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def iso_moment(text: str | None) -> str:
    """A moment in ISO text as pages show it."""
    return moment(datetime.fromisoformat(text)) if text else ""
