"""What the later law asks otherwise of a re-review: the conclusion may be a grace period, and the street may confirm it."""

from __future__ import annotations

from engine.forms import Form
from processes import conclusions
from processes import review_2012_forms as before
from processes.change_report_2021_forms import StreetConfirmation


class ReviewOpinion(before.ReviewOpinion):
    conclusion = conclusions.with_grace()
    reason_code = conclusions.reasons_with_grace()
    clause = conclusions.clause_2021()


FORMS: dict[str, type[Form]] = {**before.FORMS, "street_opinion": ReviewOpinion, "street_confirmation": StreetConfirmation}
