"""What 特困, 支出型 and 临时救助 come to by the law that applies around the call, for `whatif`: pure, from the figures of a decision.

What a law gives a month and what is given once are kept apart. Where somebody's judgement sets an amount within a limit (help on the
spot, one-off help), it stays what it was, and another limit only cuts it: nobody knows what would have been given above the old one
(docs/decisions/085). Raises BadFacts and BadLaw where the figures cannot be computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from processes import destitution, eligibility, expenditure, temporary
from processes.eligibility_facts import month_of
from processes.money import to_fen

Said = tuple[str, int, int]  # category, fen a month, fen once


def care_fen(self_care: str | None, month: str) -> int:
    """The care amount of a class of self-care, fen a month; 0 where the law has none (domain 3.1: no paper was found)."""
    found = destitution.care_grade(self_care, month_of(month)) if self_care else None
    return 0 if found is None else to_fen(found.amount)


def supported(month: str, hukou_kind: str, category: str, persons: int, self_care: str | None) -> int:
    """特困 in benefit: the standard of the month and the care amount, fen."""
    amount = eligibility.destitute_amount(month, hukou_kind, "institutional" if category == "destitute_institutional" else "dispersed").amount
    return (to_fen(amount) + care_fen(self_care, month)) * persons


def destitute(figures: Mapping[str, Any], self_care: str | None) -> Said:
    """The three conditions and the full standard, with the care amount of the class that was assessed."""
    found = destitution.assess(figures)
    if found["category"].startswith("refused"):
        return found["category"], 0, 0
    return found["category"], found["amount_fen"] + care_fen(self_care, figures["benefit_month"]), 0


def spent(figures: Mapping[str, Any], decided: date, help_fen: int) -> Said:
    """支出型: recognised or not, and the help that was given once, within the most of the day."""
    found = expenditure.assess(figures)
    if not found["qualifies"]:
        return found["category"], 0, 0
    most = expenditure.most_help(decided, figures["hukou_kind"], found["members_counted"])
    return found["category"], 0, help_fen if most is None else min(help_fen, most[0])


def in_need(figures: Mapping[str, Any], on: date, aid_fen: int) -> Said:
    """临时救助, 支出型: within the limits of income and property, or what is over."""
    found = eligibility.measured(figures)
    came = temporary.fits(Fraction(found["per_capita_exact"]), found["band_property_ok"], on)
    return ("temporary_assistance", 0, aid_fen) if came == temporary.FITS else (came, 0, 0)


def on_the_spot(on: date, hukou_kind: str, persons: int, given_fen: int) -> int:
    """临时救助, 急难型: what was given, within the most for so many persons, fen."""
    return min(given_fen, temporary.emergency_cap(on, hukou_kind, persons).fen)
