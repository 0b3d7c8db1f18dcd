"""How a recorded amount follows, step by step, for whoever checks it without this program (docs/evidence.md, Computations).

A second derivation beside `eligibility`: it says the arithmetic and the comparisons formally, each step from earlier ones, from
the recorded snapshot or from the law. Which items, members and ages count is decided by the same functions as there; that choice
is checked by replay, not by these steps. Both have to come to the same result; the tests hold them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from engine.audit_verify import computed, given, pointed
from processes import destitution, eligibility, expenditure, law
from processes.eligibility_facts import PROPERTY, BadFacts, check, month_of

_EARNED = ("wage_income", "business_net_income")
Step = dict[str, Any]


class _Sheet:
    """Steps as they are written down. Every method returns the id of its step."""

    def __init__(self, snapshot: Mapping[str, Any], on: date | None = None) -> None:
        self.snapshot, self.on = snapshot, on
        self.steps: list[Step] = []
        self.values: dict[str, Any] = {}

    def input(self, pointer: str) -> str:
        return self._add({"op": "input", "from": pointer}, given(pointed(self.snapshot, pointer)))

    def law(self, name: str) -> str:
        assert self.on is not None
        found = law.value(name, self.on)
        place, day = [law.file_of(name), name, self.on.isoformat()], law.known_day()
        if day is not None and any(row.known_from for row in law.rows(name)):
            place.append(day.isoformat())
        return self._add({"op": "law", "from": place}, given(found.text))

    def do(self, op: str, *args: str | bool) -> str:
        """An operation on ids of steps, decimal texts, true, false and `=texts`."""
        return self._add({"op": op, "args": list(args)}, computed(op, [self._value(arg) for arg in args]))

    def sum(self, parts: Sequence[str]) -> str:
        return self.do("add", *parts) if parts else self.do("add", "0")

    def _value(self, arg: Any) -> Any:
        return self.values[arg] if isinstance(arg, str) and arg in self.values else given(arg)

    def _add(self, step: Step, value: Any) -> str:
        name = f"s{len(self.steps) + 1}"
        self.values[name] = value
        self.steps.append({"id": name, **step, "value": written(value)})
        return name


def written(value: Any) -> str | bool:
    """A value as the steps write it: an exact decimal text, `a/b` where there is none, true or false, `=text`."""
    if not isinstance(value, Fraction):
        return value  # type: ignore[no-any-return]
    for places in range(13):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = f"{abs(scaled.numerator):0{places + 1}d}"
            sign = "-" if value < 0 else ""
            return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
    return f"{value.numerator}/{value.denominator}"


def steps(node: str, snapshot: Mapping[str, Any], facts: Mapping[str, Any], today: date) -> dict[str, Any] | None:
    """The formal list for what the service of `node` gave from this recorded snapshot: {"steps": [...], "result": {fact: id}}.

    None for nodes that compute no amount, and for a snapshot from which nothing could be computed. Amounts are yuan; facts that end
    in `_fen` are a hundred times that.
    """
    found = _NODES.get(node)
    if node == "sort_request":  # the first ones were recorded without their day, which is that of the entry
        snapshot = {"on": today.isoformat(), **snapshot}
    try:
        return None if found is None else found(snapshot)
    except (BadFacts, law.BadLaw, KeyError, ValueError):
        return None


class _Assessed(NamedTuple):
    """The sheet of an assessment, its results, and the steps that other programmes go on from: income a month before deductions,
    income per head before it is rounded, the persons, the standard, whether the property keeps to the band's limit."""

    sheet: _Sheet
    result: dict[str, Any]
    income: str
    per_capita: str
    people: str
    standard: str
    band_fine: str


def _assess(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`investigation.assess`: category, amount, income per head, members counted, whether it lies on the line (domain 3.3)."""
    found = _assessed(snapshot)
    return {"steps": found.sheet.steps, "result": found.result}


def _assess_need(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`temporary_assistance.assess_need`: the same, with income per head a year below the figure of the place (N23 part 2(1))."""
    made = _assessed({name: value for name, value in snapshot.items() if name != "on"})
    sheet, found = made.sheet, made.result
    sheet.on = date.fromisoformat(snapshot["on"])
    over = sheet.do("le", sheet.law("temp_income_limit"), sheet.do("mul", made.per_capita, "12"))
    owns = sheet.do("not", sheet.do("or", *(sheet.do("eq", found["category"], f"={one}") for one in ("dibao", "low_income", "refused_income"))))
    both = sheet.do("if", owns, "=refused_both", "=refused_income")
    need = sheet.do("if", over, both, sheet.do("if", owns, "=refused_property", "=fits"))
    return {"steps": sheet.steps, "result": {"need_outcome": need, "per_capita": found["per_capita"], "members_counted": found["members_counted"]}}


def _spent(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`illness_expenditure.assess_expenditure` (domain 3.10): what counts of the expenses against the income before deductions. Which
    of them count is decided by `expenditure` (kind, day, whose, compliant)."""
    expenditure._check(snapshot)
    made = _assessed(expenditure.eligibility_facts(snapshot))
    sheet, category = made.sheet, made.result["category"]
    sheet.snapshot = snapshot
    on = sheet.on = date.fromisoformat(str(snapshot.get("on") or snapshot["applied_on"]))
    paid = sheet.sum([sheet.input(f"/expenses/{n}/amount") for n in expenditure.counting(snapshot, on)])
    year = sheet.do("mul", made.income, "12")
    shown = {"per_capita": sheet.do("half_up", sheet.do("div", made.income, made.people), "2")}
    some = sheet.do("lt", "0", paid)
    if rigid := law.in_force(expenditure.RIGID, on) is not None:
        met = sheet.do("and", some, sheet.do("le", sheet.do("mul", year, sheet.law(expenditure.RIGID)), paid))
        if sheet.values[year]:
            shown["expense_share"] = sheet.do("floor", sheet.do("mul", sheet.do("div", paid, year), "100"), "1")
    else:
        net = sheet.do("div", sheet.do("div", sheet.do("max", "0", sheet.do("sub", year, paid)), "12"), made.people)
        met = sheet.do("and", some, sheet.do("lt", net, made.standard))
        shown["net_per_capita"] = sheet.do("half_up", net, "2")
    over = sheet.do("le", sheet.law("temp_income_limit"), sheet.do("div", year, made.people))
    said = sheet.do("if", met, f"={'rigid' if rigid else 'illness'}_expenditure", "=refused_expenditure")
    said = sheet.do("if", over, "=refused_income", said)
    unnamed = sheet.do("or", *(sheet.do("eq", category, f"={one}") for one in ("dibao", "low_income", "refused_income")))
    said = sheet.do("if", made.band_fine, said, sheet.do("if", unnamed, "=refused_property", category))
    if rigid:
        said = sheet.do("if", sheet.do("eq", category, "=low_income"), "=refused_edge", said)
    said = sheet.do("if", sheet.do("eq", category, "=dibao"), "=refused_dibao", said)
    return {"steps": sheet.steps, "result": {**shown, "category": said, "amount_fen": sheet.do("add", "0"), "members_counted": made.people,
                                             "expenses_counted": sheet.do("half_up", paid, "2")}}  # fmt: skip


def _street_limit(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`temporary_assistance.sort_request`: up to which the street decides (N649 art 48), by the district's own row where it has one."""
    sheet = _Sheet(snapshot, date.fromisoformat(snapshot["on"]))
    own = f"temp_street_limit_months_{snapshot['district']}"
    months = sheet.law(own if law.in_force(own, date.fromisoformat(snapshot["on"])) else "temp_street_limit_months")
    return {"steps": sheet.steps, "result": {"street_limit_fen": sheet.do("mul", months, sheet.law(f"dibao_standard_{snapshot['hukou_kind']}"))}}


def _assessed(snapshot: Mapping[str, Any]) -> _Assessed:
    check(snapshot)
    work = eligibility._Work(month_of(snapshot["benefit_month"]), date.fromisoformat(snapshot["applied_on"]), snapshot["hukou_kind"])
    sheet = _Sheet(snapshot, work.on)
    counted = {n: m for n, m in enumerate(snapshot["members"]) if eligibility._counts(m, work)}
    standard = sheet.law(f"dibao_standard_{work.kind}")
    people = sheet.sum(["1"] * len(counted))
    income = sheet.sum([one for n, m in counted.items() if (one := _income(sheet, n, m, work, standard)) is not None])
    deductions = sheet.sum([sheet.law(value) for m in counted.values() for value in _deductions(m, work)])
    after = sheet.do("max", "0", sheet.do("sub", income, deductions))
    per_capita = sheet.do("div", after, people)
    refused, name, fine, band_fine = _property(sheet, snapshot, list(counted.values()), work, standard, people)
    upper = sheet.law(f"low_income_limit_{work.kind}")
    at_most = sheet.do("eq", sheet.law("low_income_upper_operator"), "=<=")
    in_band = sheet.do("and", band_fine, sheet.do("if", at_most, sheet.do("le", per_capita, upper), sheet.do("lt", per_capita, upper)))
    dibao = sheet.do("and", fine, sheet.do("lt", per_capita, standard))
    hardship = bool(eligibility._hardships(snapshot, list(counted.values()), work))
    cash = sheet.do("if", hardship, sheet.law(f"low_income_cash_{work.kind}"), "0")
    difference = sheet.do("sub", sheet.do("mul", standard, people), after)
    paid = sheet.do("half_up", sheet.do("if", dibao, difference, sheet.do("if", in_band, cash, "0")), "2")
    neither = sheet.do("if", refused, name, "=refused_income")
    category = sheet.do("if", dibao, "=dibao", sheet.do("if", in_band, "=low_income", neither))
    shown, edge = sheet.do("half_up", per_capita, "2"), sheet.do("eq", per_capita, standard)
    result = {"category": category, "amount_fen": paid, "per_capita": shown, "members_counted": people, "edge": edge}
    if "benefit" in snapshot:  # of a re-check: the benefit as it stood in the tables
        result["benefit_fen"] = sheet.do("div", sheet.input("/benefit/amount_fen"), "100")
        result["benefit_category"] = sheet.input("/benefit/category")
    if "benefit" in snapshot and sheet.values[dibao]:  # what could be taken from one member (domain 2.9)
        result["share_fen"] = sheet.do("half_up", sheet.do("sub", standard, per_capita), "2")
    return _Assessed(sheet, result, income, per_capita, people, standard, band_fine)


def _income(sheet: _Sheet, n: int, member: Mapping[str, Any], work: eligibility._Work, standard: str) -> str | None:
    """A member's counted income a month; None when he studies or has none."""
    if eligibility._studies(member):
        return None
    earned, other = list[str](), list[str]()
    window = eligibility._window(work.applied, work.kind, int(work.rule(f"income_window_months_{work.kind}").text))
    for k, item in enumerate(member.get("income") or ()):
        if not eligibility._is_counted(item, member["ref"], work):
            continue
        if (monthly := _monthly(sheet, work, item, window, f"/members/{n}/income/{k}/amount")) is not None:
            (earned if item["kind"] in _EARNED else other).append(monthly)
    own = _earned(sheet, member, work, standard, sheet.sum(earned))
    return sheet.do("add", own, *other)


def _monthly(sheet: _Sheet, work: eligibility._Work, item: Mapping[str, Any], window: Collection[str], place: str) -> str | None:
    """What an item of income comes to a month: the amount at `place` (a pointer into the snapshot), a year's by twelve, a month's by the months of
    the window; None for one of another year or of a month outside the window."""
    share: str | None = "1"
    if item.get("period") == "year":
        share = "12" if item.get("year") in (None, work.applied.year - 1) else None
    elif item.get("month") is not None:
        share = sheet.law(f"income_window_months_{work.kind}") if item["month"] in window else None
    if share is None:
        return None
    whole = sheet.input(place)
    return whole if share == "1" else sheet.do("div", whole, share)


def _earned(sheet: _Sheet, member: Mapping[str, Any], work: eligibility._Work, standard: str, earned: str) -> str:
    """What was earned, or the figure that stands for it when it does not exceed the minimum wage (domain 3.4.3)."""
    employment, ability = member.get("employment"), member.get("labour_ability") or "full"
    flexible = employment == "flexible"
    if employment not in ("employed", "flexible") or (flexible and ability in ("completely_lost", "mostly_lost", "none")):
        return earned
    wage = sheet.law("minimum_wage")
    low = sheet.do("le" if flexible else "lt", earned, wage)
    if not sheet.values[low]:
        return earned
    if flexible and ability == "partly_lost":
        figure = sheet.do("mul", standard, sheet.law("imputed_partly_lost_share"))
    elif flexible and eligibility._older(member, work):
        figure = standard
    else:
        figure = sheet.do("mul", wage, sheet.law("imputed_wage_share"))
    return sheet.do("if", low, figure, earned)


def _deductions(member: Mapping[str, Any], work: eligibility._Work) -> list[str]:
    """Names of the law values that are taken off for a member (domain 3.5)."""
    illnesses = eligibility._illness_deductions(member, work)
    chosen = (eligibility._disability_deduction(member, work), max(illnesses, key=lambda value: value.amount, default=None))
    return [value.name for value in chosen if value is not None]


def _property(
    sheet: _Sheet, snapshot: Mapping[str, Any], members: Sequence[Mapping[str, Any]], work: eligibility._Work, standard: str, people: str
) -> tuple[str, str, str, str]:
    """Whether the property refuses, in which words, whether it does not, and whether it keeps to the low-income band's limit."""
    items = list(enumerate(snapshot.get("property") or ()))
    assets = sheet.sum([sheet.input(f"/property/{n}/amount") for n, item in items if item["kind"] == "monetary_assets"])
    limit = sheet.do("mul", sheet.law("asset_limit_months"), standard, people)
    kinds = list[str]()
    name = "=refused_property"
    for kind in [k for k in ("vehicle", "dwelling", "non_residential", "study_abroad", "luxury") if k in PROPERTY]:
        count = sum(item["kind"] == kind and not (kind == "vehicle" and item.get("functional_vehicle")) for _, item in items)
        if count:
            kinds.append(sheet.do("le", sheet.law(f"property_refuses_{kind}"), sheet.sum(["1"] * count)))
            if sheet.values[kinds[-1]] and name == "=refused_property":
                name = f"=refused_{kind}"
    by_kind = sheet.do("or", False, *kinds)
    refused = sheet.do("or", by_kind, sheet.do("lt", limit, assets))
    band = sheet.do("mul", sheet.law("low_income_asset_limit_months"), standard, people)
    band_fine = sheet.do("and", sheet.do("not", by_kind), sheet.do("le", assets, band))
    return refused, name, sheet.do("not", refused), band_fine


def _conclude(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`conclusions.conclude`: what was paid above what was right, over the months in which it was."""
    sheet, due = _Sheet(snapshot), {}
    if snapshot.get("due"):
        amount, less = (sheet.do("div", sheet.input(f"/due/{name}"), "100") for name in ("amount_fen", "less_fen"))
        due = {"decided_fen": sheet.do("sub", amount, less)}
    over = {month: sheet.do("div", sheet.input(f"/over/{month}"), "100") for month in sorted(snapshot["over"])}
    if "charged" not in snapshot:  # the first version
        return {"steps": sheet.steps, "result": {"overpaid_fen": sheet.sum([sheet.do("max", "0", paid) for paid in over.values()])}}
    charged = {month: sheet.do("div", sheet.input(f"/charged/{month}"), "100") if month in snapshot["charged"] else "0" for month in over}
    back = [sheet.do("max", "0", sheet.do("sub", over[month], charged[month])) for month in over]
    owed = [sheet.do("max", "0", sheet.do("sub", charged[month], over[month] if month in snapshot["later"] else sheet.do("max", "0", over[month]))) for month in over]
    known = [sheet.do("max", "0", sheet.do("min", over[month], charged[month])) for month in over]
    return {"steps": sheet.steps, "result": {**due, "overpaid_fen": sheet.sum(back), "arrears_fen": sheet.sum(owed), "charged_fen": sheet.sum(known)}}


def _benefit(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`open_investigation`: the benefit as it stood in the tables."""
    sheet = _Sheet(snapshot)
    amount, category = sheet.do("div", sheet.input("/amount_fen"), "100"), sheet.input("/category")
    return {"steps": sheet.steps, "result": {"benefit_fen": amount, "benefit_category": category}}


def _tested(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """`destitute_2016.assess_destitute`: own income, full standard. The conditions that are no arithmetic (age, grade, obligors, property)
    are taken as `destitution` finds them."""
    on, month, kind = date.fromisoformat(snapshot["rules_on"]), month_of(snapshot["benefit_month"]), snapshot["hukou_kind"]
    unmet = [one["code"] for one in destitution.assess(snapshot)["lines"] if one["met"] is False and one["code"] != "obligor"]
    sheet = _Sheet(snapshot, on)
    income = sheet.do("half_up", _own_income(sheet, snapshot, eligibility._Work(on, date.fromisoformat(snapshot["applied_on"]), kind)), "2")
    exact = sheet.steps[-1]["args"][0]
    sheet.on = month
    poor = sheet.do("lt", exact, sheet.law(f"dibao_standard_{kind}"))
    full = sheet.law("destitute_urban" if kind == "urban" else f"destitute_rural_{snapshot['support_form']}")
    first = next((code for code in unmet if code in ("orphan", "ability")), None)
    last = next((code for code in unmet if code in ("property", "obligors")), None)
    names = {"obligors": "obligor"}
    granted = sheet.do("and", poor, first is None and last is None)
    paid = sheet.do("half_up", sheet.do("if", granted, full, "0"), "2")
    refused = sheet.do("if", poor, f"=refused_{names.get(str(last), last)}", "=refused_income") if first is None else f"=refused_{first}"
    category = sheet.do("if", granted, f"=destitute_{snapshot['support_form']}", refused)
    return {"steps": sheet.steps, "result": {"category": category, "amount_fen": paid, "income_fen": income}}


def _own_income(sheet: _Sheet, snapshot: Mapping[str, Any], work: eligibility._Work) -> str:
    """The sum of what counts of the person's income, a month."""
    window, parts = eligibility._window(work.applied, work.kind, int(work.rule(f"income_window_months_{work.kind}").text)), list[str]()
    for k, item in enumerate(snapshot["person"]["income"]):
        if not destitution.counts(item, work.on):
            continue
        if (monthly := _monthly(sheet, work, item, window, f"/person/income/{k}/amount")) is not None:
            parts.append(monthly)
    return sheet.sum(parts)


_NODES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "assess": _assess, "apply_conclusion": _conclude, "open_investigation": _benefit, "assess_need": _assess_need, "sort_request": _street_limit,
    "assess_destitute": _tested, "assess_expenditure": _spent}  # fmt: skip
