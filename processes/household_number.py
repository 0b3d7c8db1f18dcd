"""The number of a household in a form, as the pages show it (H0000127) or as the API counts it (127)."""

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


def household(label: str, label_en: str, *, required: bool = True, fact: bool = False) -> HouseholdNumber:
    """A field for a household that somebody types: both forms of its number are understood."""
    meta = number(label, label_en, required=required, fact=fact, hint="家庭编号，如 H0000127", hint_en="The household's number, like H0000127").metadata
    return HouseholdNumber(required=required, metadata={**meta, "widget": "text"})
