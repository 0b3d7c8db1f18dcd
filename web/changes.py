"""变更: how a household's data changed, old → new, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import Connection, select

from engine.crypto import BoundKeys
from processes import household_changes, organisation, recusals
from processes.household_changes import Change, Line
from processes.identity import mask_name
from processes.money import yuan
from processes.tables import person
from web import wording

EVENTS = {
    "household_registered": lazy_gettext("Household registered"), "member_added": lazy_gettext("Member added"), "member_ended": lazy_gettext("Member left"),
    "member_excluded": lazy_gettext("Member not counted any more"), "member_counted": lazy_gettext("Member counted again"),
    "support_looked_into": lazy_gettext("Person and legal supporters looked into"), "member_named": lazy_gettext("Member named"), "person_named": lazy_gettext("Member named"),
    "holder_changed": lazy_gettext("Applicant changed"), "household_moved": lazy_gettext("Household moved"), "person_changed": lazy_gettext("Data of a member"),
    "income_declared": lazy_gettext("Income declared"), "income_found": lazy_gettext("Income found"), "property_declared": lazy_gettext("Property declared"),
    "property_found": lazy_gettext("Property found"), "hardships_declared": lazy_gettext("Hardships declared"), "expenses_checked": lazy_gettext("Expenses checked"),
    "near_relative_declared": lazy_gettext("Near relative declared"), recusals.ASKED: lazy_gettext("Near-relative statement: to be taken back"),
    recusals.REFUSED: lazy_gettext("Near-relative statement: stands"), recusals.REVOKED: lazy_gettext("Near-relative statement taken back")}  # fmt: skip
FIELDS = {
    "community": lazy_gettext("Unit"), "applicant_id": lazy_gettext("Applicant"), "hukou_kind": lazy_gettext("Hukou"), "address": lazy_gettext("Address"),
    "phone": lazy_gettext("Phone"), "bank_account": lazy_gettext("Bank account"), "bank_holder": lazy_gettext("Account holder"), "review_class": lazy_gettext("Review class"),
    "hardship_cause": lazy_gettext("Cause of hardship"), "near_relative_declared": lazy_gettext("Near relative declared"), "hardships": lazy_gettext("Hardships"),
    "childless": lazy_gettext("Childless"), "relation": lazy_gettext("Relation"), "to_on": lazy_gettext("Member until"), "excluded_reason": lazy_gettext("Not counted"),
    "left_reason": lazy_gettext("Left because"), "name": lazy_gettext("Name"), "id_no": lazy_gettext("ID"), "health": lazy_gettext("Health"),
    "labour_ability": lazy_gettext("Labour ability"), "employment": lazy_gettext("Employment"), "full_time_student": lazy_gettext("Full-time student"),
    "member": lazy_pgettext("change", "Member"), "revoke_asked_by": lazy_gettext("Taking back asked for by"), "revoked_by": lazy_gettext("Taken back by"), "income": lazy_gettext("Income"), "property": lazy_gettext("Property")}  # fmt: skip
_CODES = {"relation": "relation", "member": "relation", "excluded_reason": "excluded", "employment": "employment", "labour_ability": "labour", "left_reason": "leaving"}


def of_household(conn: Connection, keys: BoundKeys, household_id: int) -> list[dict[str, Any]]:
    """For pages, newest first: at, who, event, and lines of (label, whose, before, after)."""
    found = household_changes.of_household(conn, keys, household_id)
    people = {line.person_id for change in found for line in change.lines}
    people |= {value for change in found for line in change.lines if line.field == "applicant_id" for value in (line.before, line.after)}
    names = dict(conn.execute(select(person.c.id, person.c.name).where(person.c.id.in_(people - {None}))).all())
    units = {code: organisation.unit_name(conn, code) for change in found for line in change.lines if line.field == "community" for code in (line.before, line.after) if code}
    staff = wording.names_of(conn, [change.by for change in found])
    return [_told(change, names, units, staff) for change in reversed(found)]


def _told(change: Change, names: Mapping[int, str], units: Mapping[str, str], staff: Mapping[str, str]) -> dict[str, Any]:
    lines = []
    for line in change.lines:
        before, after = (_word(line, value, names, units) for value in (line.before, line.after))
        if before != after or line.before == household_changes.HIDDEN:
            whose = mask_name(names.get(line.person_id, "")) if line.person_id else ""
            lines.append((str(FIELDS[line.field]), whose, before, after))
    return {"at": change.at, "who": staff.get(change.by, change.by), "event": str(EVENTS.get(change.event, change.event)), "lines": lines}


def _word(line: Line, value: Any, names: Mapping[int, str], units: Mapping[str, str]) -> str:  # noqa: PLR0911 - one line per kind of value
    if value in (None, "", []):
        return "—"
    if line.field in ("income", "property"):
        return _items(value)
    if line.field in _CODES:
        return wording.word(_CODES[line.field], value)
    if line.field == "hardships":
        return _("; ").join(wording.word("hardship", one) for one in json.loads(value))
    if line.field == "hukou_kind":
        return _("urban") if value == "urban" else _("rural")
    if line.field == "applicant_id":
        return mask_name(names.get(value, ""))
    if line.field in ("name", "bank_holder"):
        return mask_name(value)
    if isinstance(value, bool):
        return wording.yes(value)
    return units.get(value, str(value))


def _items(items: Sequence[Mapping[str, Any]]) -> str:
    found = []
    for item in items:
        amount = f" {yuan(item['amount_fen'])}" if item.get("amount_fen") is not None else ""
        when = _(" a year") if item.get("period") == "year" else ""
        found.append(f"{wording.word('income', item['kind'])}{amount}{when}（{wording.word('source', item.get('source', ''))}）")
    return _("; ").join(found)
