"""The number of a household in a form, as the pages show it (H0000127) or as the API counts it (127); likewise of a donation (JZ0000012)."""

from __future__ import annotations

import re
from typing import Any

from engine.forms import Whole, folded, number

_SHOWN = re.compile("[Hh\uff28\uff48]([0-9]{7,18})")  # also as a Chinese keyboard writes it


class HouseholdNumber(Whole):
    """Gives the id: the number that a page shows is made of it (processes.households.register)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and (found := _SHOWN.fullmatch(folded(value).strip())):
            value = found[1]
        return super()._deserialize(value, attr, data, **kwargs)


_DONATION = re.compile("[Jj\uff2a\uff4a][Zz\uff3a\uff5a]([0-9]{7,14})")


class DonationNumber(Whole):
    """Gives the id of the row: a donation is the first row of its record, by whose number it goes (processes.condolences.number)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and (found := _DONATION.fullmatch(folded(value).strip())):
            return (int(found[1]) << 16) + 1
        return super()._deserialize(value, attr, data, **kwargs)


def donation(label: str, label_en: str) -> DonationNumber:
    meta = number(label, label_en, required=False, hint="捐赠编号，如 JZ0000012", hint_en="The donation's number, like JZ0000012").metadata
    return DonationNumber(required=False, metadata={**meta, "widget": "text"})


def household(label: str, label_en: str, *, required: bool = True, fact: bool = False) -> HouseholdNumber:
    """A field for a household that somebody types: both forms of its number are understood."""
    meta = number(label, label_en, required=required, fact=fact, hint="家庭编号，如 H0000127", hint_en="The household's number, like H0000127").metadata
    return HouseholdNumber(required=required, metadata={**meta, "widget": "text"})
