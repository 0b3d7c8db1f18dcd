"""What the later law asks otherwise of a report of a change: the conclusion may be a grace period, and the street may confirm it."""

from __future__ import annotations

from engine.forms import Form, choice
from processes import change_report_2012_forms as before
from processes import conclusions


class ConcludeChange(before.ConcludeChange):
    conclusion = conclusions.with_grace()
    reason_code = conclusions.reasons_with_grace()
    clause = conclusions.clause_2021()


class StreetConfirmation(conclusions.DecideConclusion):
    """Where confirmation was handed down the street's leader decides; nothing goes to the district (TDEL)."""

    decision = choice("审核确认", "Decision", [("approved", "确认", "Confirm"), ("returned", "退回审核人", "Return")], fact=True)


FORMS: dict[str, type[Form]] = {**before.FORMS, "street_opinion": ConcludeChange, "street_confirmation": StreetConfirmation}
