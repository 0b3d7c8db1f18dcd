"""救助测算: the assessment for everybody, without sign-in. Nothing is stored and no content reaches a log; works without a script."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests

from processes import attempts, law, programmes
from processes import household_forms as hf
from processes.eligibility_facts import HARDSHIPS, BadFacts
from web import public, wording
from web.desk import bureau, lang, whole
from web.errors import said as errors_said

bp = Blueprint("estimate", __name__)
bp.before_request(public.begin)
bp.after_request(public.keepable)

TRIES, WINDOW_SECONDS, MOST_MEMBERS = 60, 60, 12
_INCOMES = ("wage_income", "business_net_income", "property_income", "transfer_income", "other_income")
_ASSETS = ("vehicle", "dwelling", "non_residential", "study_abroad", "luxury")
_computing = threading.BoundedSemaphore(4)


def computed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`programmes.assess`, for today where no month or day is said. Raises BadFacts, and TooManyRequests (with Retry-After) for who asks
    more than TRIES times a minute from one address; of the address a keyed digest is kept for that minute, in the database for all processes."""
    if wait := attempts.tried(bureau().office, "estimate", request.remote_addr or "", TRIES, WINDOW_SECONDS):
        raise TooManyRequests(retry_after=wait)
    today = bureau().office.today()
    with _computing, law.known(today):
        return programmes.assess({**facts, "benefit_month": facts.get("benefit_month") or f"{today:%Y-%m}", "applied_on": facts.get("applied_on") or today.isoformat()})


@bp.route("/public/assessment", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    """The page without answers is the same for everybody and may be kept on the way; it asks for no cookie."""
    count = min(whole(request.values.get("people"), 1, MOST_MEMBERS), MOST_MEMBERS)
    found, wrong = None, {}
    if request.method == "POST" and "count" not in request.form:
        facts, places = _facts(request.form, count)
        try:
            found = computed(facts)
        except BadFacts as error:
            wrong = {_place(path, places): texts for path, texts in errors_said(error, lang()).items()}
        except TooManyRequests:
            wrong = {"people": [_("Too many estimates from here. Try again in a minute.")]}
    page = public.rendered("estimate.html", count=count, form=request.form, found=found, wrong=wrong, label=_label, hf=hf, incomes=_INCOMES, assets=_ASSETS,
                           streets=programmes.streets(), hardships=list(HARDSHIPS), most=MOST_MEMBERS)  # fmt: skip
    return make_response(page, 422 if wrong else 200)


def _facts(form: Mapping[str, Any], count: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of the page as facts, and where each amount of the facts stands on the page: path -> field."""
    places: dict[str, str] = {}

    def text(name: str) -> str | None:
        return (form.get(name) or "").strip()[:200] or None

    members = []
    for n in range(count):
        incomes: list[dict[str, str]] = []
        for kind in _INCOMES:
            if amount := text(f"m{n}-{kind}"):
                places[f"members.{n}.income.{len(incomes)}.amount"] = f"m{n}-{kind}"
                incomes.append({"kind": kind, "amount": amount})
        grade = text(f"m{n}-disability_grade")
        one: dict[str, Any] = {"ref": str(n + 1), "income": incomes, "disability_grade": int(grade) if grade and grade in "1234" else grade}
        for name in ("relation", "birth_date", "sex", "employment", "labour_ability", "disability_kind", "serious_illness"):
            one[name] = text(f"m{n}-{name}")
        one["full_time_student"] = True if text(f"m{n}-employment") == "student" else None
        members.append({name: value for name, value in one.items() if value is not None})
    owned = [{"kind": kind} for kind in _ASSETS for _one in range(int(form.get(kind) or 0) if (form.get(kind) or "") in ("1", "2") else 0)]
    if money := text("monetary_assets"):
        places[f"property.{len(owned)}.amount"] = "monetary_assets"
        owned.append({"kind": "monetary_assets", "amount": money})
    chosen = [name for name in HARDSHIPS if form.get(f"hardship-{name}")]
    places |= {f"hardships.{n}": f"hardship-{name}" for n, name in enumerate(chosen)}
    facts = {"hukou_kind": text("hukou_kind"), "members": members, "property": owned, "hardships": chosen, "community": text("community"), "medical_self_paid": text("medical_self_paid")}
    return {name: value for name, value in facts.items() if value is not None}, places


def _place(path: str, places: Mapping[str, str]) -> str:
    """The field of the page to which a path of the facts belongs."""
    if path in places:
        return places[path]
    parts = path.split(".")
    return f"m{parts[1]}-{parts[2]}" if parts[0] == "members" and len(parts) > 2 else parts[0]


def _label(field: str) -> str:
    """What a field of the page is called."""
    if field[:1] == "m" and "-" in field and field[1 : field.index("-")].isdigit():
        number, name = field[1:].split("-", 1)
        return _("Person %(n)s", n=int(number) + 1) + " · " + _label(name)
    if field.startswith("hardship-"):
        return wording.word("hardship", field.removeprefix("hardship-"))
    if field in _INCOMES or field in _ASSETS or field == "monetary_assets":
        return wording.word("income", field)
    names = {"relation": _("Relation to the applicant"), "birth_date": _("Date of birth"), "sex": _("Sex"), "employment": _("Work"), "labour_ability": _("Ability to work"),
             "disability_kind": _("Kind of disability"), "disability_grade": _("Grade of disability"), "serious_illness": _("Serious illness"), "hukou_kind": _("Kind of household register"),
             "community": _("Village or residents' committee"), "medical_self_paid": _("Treatment paid by the family itself in the last twelve months"), "people": _("How many people live in the household"),
             "members": _("Members of the household"), "hardships": _("Special hardships"), "property": _("Property")}  # fmt: skip
    return names.get(field, field)
