"""The notice before the support of a destitute person ends (N43 arts 24-26; 2016 the same in substance; domain 2.4.8, 2.9), for every
process that re-checks a benefit.

Drawings share these nodes by name: `post_stop_notice`, `remove_stop_notice`, the wait between them, and the message `objection`, by which
the file goes back to the street's opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from marshmallow import ValidationError, validates_schema

from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef
from processes import conclusions, paperwork
from processes.dibao_2012_forms import Objection, PostNotice, RemoveNotice, midnight_after, notice_days

STAGE = "destitute_stop"
SENDERS = frozenset({"window_clerk", "reviewer", "complaint_officer", "village_committee"})


class SignOffBeforeNotice(conclusions.SignOff):
    @gives("stop_notice_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"stop_notice_from": self.context_value("today").isoformat()} if loaded["signoff"] == "agree" else {}


class PostStopNotice(PostNotice):
    @validates_schema(skip_on_field_errors=False)
    def _signed_first(self, data: Mapping[str, Any], **_: Any) -> None:
        posted, since = data.get("posted_on"), self.fact("stop_notice_from")
        if posted and since and posted < date.fromisoformat(since):
            raise ValidationError({"posted_on": [self.say(f"不能早于街镇签批日期（{since}）", f"May not be before the street's signature ({since})")]})

    @gives("stop_notice_posted_on", "stop_notice_until")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        posted = date.fromisoformat(loaded["posted_on"])
        return {"stop_notice_posted_on": posted.isoformat(), "stop_notice_until": midnight_after(posted, notice_days(STAGE))}


class RemoveStopNotice(RemoveNotice):
    NOTICE = STAGE
    UNTIL = "stop_notice_until"


FORMS: dict[str, type[Form]] = {"street_signoff": SignOffBeforeNotice, "post_stop_notice": PostStopNotice, "remove_stop_notice": RemoveStopNotice}
MESSAGES: dict[str, type[Form]] = {"objection": Objection}


def _on_posting(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    paid = {"category": facts["benefit_category"], "amount_fen": facts["benefit_fen"]}
    return paperwork.post_notice(act, case, STAGE, {**facts, **paid}, answers)


def _on_removal(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
    return paperwork.remove_notice(act, case, STAGE, answers)


def _on_objection(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
    return paperwork.remove_notice(act, case, STAGE, {"removed_on": answers["objection_on"]})


def taken_down(act: Act, case: CaseRef) -> Sequence[Put]:
    """What hangs comes down: the case begins anew or ends without a decision. Nothing when none hangs."""
    return paperwork.remove_notice(act, case, STAGE, {"removed_on": act.today.isoformat()})


EFFECTS = {"post_stop_notice": _on_posting, "remove_stop_notice": _on_removal, "objection": _on_objection}
