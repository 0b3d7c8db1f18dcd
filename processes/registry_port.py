"""The means check asks other departments through this port: JSON over HTTP (contract: docs/registry.md)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import httpx

from processes.money import BadMoney, parse, yuan

MAX_ANSWER = 1024 * 1024  # bytes; a longer one is not an answer to our question
LONGEST_WAIT = 3600  # seconds
MOST_ROWS = 100  # of the message; more would not be read
_INCOMES = (("monthly_wage", "wage_income", "月工资"), ("monthly_pension", "transfer_income", "月养老金"))
_THINGS = (("plate", "vehicle", "机动车辆"), ("non_residential", "non_residential", "非居住类房屋"))
SOURCES = ("household_registration", "vehicle", "social_security", "real_estate", "tax", "deposits", "business", "housing_fund")


class RegistryFailed(Exception):
    """No usable answer: try again later."""


class RegistryBusy(RegistryFailed):
    """The registry works on it; ask again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"ask again after {retry_after} s")
        self.retry_after = retry_after


class Registry:
    def __init__(self, base: str, timeout: float = 5.0) -> None:
        self._base, self._timeout = base.rstrip("/"), timeout

    def query(self, request_id: str, persons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Ask once; asking again with the same request_id is the same question. Raises RegistryBusy or RegistryFailed."""
        body = {"request_id": request_id, "persons": list(persons), "sources": list(SOURCES)}
        try:
            response = httpx.post(f"{self._base}/v1/queries", json=body, timeout=self._timeout, verify=_trusted(), trust_env=False)
            if response.status_code == httpx.codes.ACCEPTED:
                raise RegistryBusy(_wait(response.headers.get("Retry-After", "")))
            response.raise_for_status()
            if len(response.content) > MAX_ANSWER:
                raise RegistryFailed("the answer is too long")
            answer = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            raise RegistryFailed(f"{type(error).__name__}: {error}") from error
        if not _agreed(answer, {str(p["ref"]) for p in persons}):
            raise RegistryFailed("the answer is not in the agreed form")
        return dict(answer)


@cache
def _trusted() -> ssl.SSLContext:
    """Read once: reading the certificates takes longer than most questions."""
    return httpx.create_ssl_context(trust_env=False)


def _wait(said: str) -> int:
    return min(int(said), LONGEST_WAIT) if re.fullmatch(r"[0-9]{1,9}", said) and int(said) else 60


def _agreed(answer: Any, refs: set[str]) -> bool:
    """Whether an answer has the form of docs/registry.md, and is about the persons that were asked for."""
    if not isinstance(answer, dict) or not isinstance(answer.get("answers"), list):
        return False
    for one in answer["answers"]:
        if not isinstance(one, dict) or one.get("source") not in SOURCES or one.get("status") not in ("answered", "unavailable"):
            return False
        found = one.get("found", [])
        if not isinstance(found, list) or not all(isinstance(f, dict) and str(f.get("ref")) in refs and _words(f) for f in found):
            return False
    return True


def _words(found: Mapping[str, Any]) -> bool:
    return all(isinstance(found.get(k, ""), (str, int)) for k in ("item", "value", "as_of")) and bool(found.get("item"))


def conclude(answer: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the message `registry_answer`: pure. A source that was asked and said nothing is unavailable.
    Sources that disagree about the same item of the same member make it contradictory; two accounts at one source do not."""
    results: list[dict[str, str]] = []
    told: dict[tuple[str, str], dict[str, set[str]]] = {}
    for one in _in_order(answer["answers"]):
        base = {"source": str(one["source"])[:40], "status": str(one["status"])}
        found = one.get("found", ()) if one["status"] == "answered" else ()
        for f in found:
            row = {k: _clean(f[k], most) for k, most in (("ref", 40), ("item", 60), ("value", 200), ("as_of", 10)) if f.get(k) not in (None, "")}
            results.append({**base, **row})
            told.setdefault((row["ref"], row["item"]), {}).setdefault(base["source"], set()).add(row.get("value", ""))
        if not found:
            results.append(base)
    contradictory = any(len({frozenset(v) for v in by_source.values()}) > 1 for by_source in told.values())
    compared = compare(results, declared)
    whole = len(compared) + len(results) <= MOST_ROWS and all(r["status"] == "answered" for r in results)
    return {"status": "contradictory" if contradictory else "complete" if whole else "partial", "results": [*compared, *results][:MOST_ROWS]}


def compare(results: Sequence[Mapping[str, str]], declared: Mapping[str, Any]) -> list[dict[str, str]]:
    """Where more was found than declared: rows for the checker, who concludes. Pure."""
    rows = []
    for member in declared.get("members", ()):
        for item, kind, label in _INCOMES:
            found = max(_amounts(results, item, member["ref"]), default=0)  # the same wage is known to several sources
            rows += _more(member["ref"], label, found, _monthly(member.get("income", ()), kind))
    assets = declared.get("property", ())
    balances = sum(_amounts(results, "balance"))
    rows += _more("", "货币财产", balances, sum(parse(a["amount"]) for a in assets if a["kind"] == "monetary_assets" and a.get("amount")))
    for item, kind, label in _THINGS:
        found, said = len({(r.get("ref"), r.get("value")) for r in results if r.get("item") == item}), sum(a["kind"] == kind for a in assets)
        if found > said:
            rows.append({"source": "comparison", "status": "answered", "item": label, "value": f"申报 {said}，查得 {found}"})
    return rows


def _more(ref: str, label: str, found: int, said: int) -> list[dict[str, str]]:
    if found <= said:
        return []
    told = {"source": "comparison", "status": "answered", "item": label, "value": f"申报 {yuan(said)}，查得 {yuan(found)}，相差 {yuan(found - said)}"}
    return [{**told, "ref": ref} if ref else told]


def _amounts(results: Sequence[Mapping[str, str]], item: str, ref: str | None = None) -> list[int]:
    found = []
    for r in results:
        if r.get("item") == item and ref in (None, r.get("ref")):
            try:
                found.append(parse(r.get("value", "")))
            except BadMoney:
                continue  # shown as it came; only a person can compare it
    return found


def _monthly(items: Sequence[Mapping[str, Any]], kind: str) -> int:
    """Declared fen a month of one kind: months named one by one are averaged, years are spread."""
    own = [i for i in items if i["kind"] == kind]
    months = {i["month"] for i in own if i.get("month")}
    named = sum(parse(i["amount"]) for i in own if i.get("month"))
    yearly = sum(parse(i["amount"]) for i in own if i.get("period") == "year" and not i.get("month"))
    plain = sum(parse(i["amount"]) for i in own if i.get("period") != "year" and not i.get("month"))
    return plain + yearly // 12 + (named // len(months) if months else 0)


def _in_order(answers: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """What was answered, then every source of ours that is missing among the answers."""
    yield from answers
    yield from ({"source": name, "status": "unavailable"} for name in SOURCES if name not in {a["source"] for a in answers})


def _clean(value: Any, most: int) -> str:
    """Foreign text, fit for our forms: no control characters, not too long."""
    return "".join(c for c in str(value) if c.isprintable())[:most].strip()
