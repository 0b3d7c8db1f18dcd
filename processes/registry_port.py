"""The means check asks other departments through this port: JSON over HTTP (contract: docs/registry.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

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
            response = httpx.post(f"{self._base}/v1/queries", json=body, timeout=self._timeout, trust_env=False)
            if response.status_code == httpx.codes.ACCEPTED:
                raise RegistryBusy(int(response.headers.get("Retry-After", "60")))
            response.raise_for_status()
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RegistryFailed(f"{type(error).__name__}: {error}") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("answers"), list):
            raise RegistryFailed("the answer is not in the agreed form")
        return answer


def conclude(answer: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the message `registry_answer`: pure."""
    results, missing, by_item = [], False, {}  # type: ignore[var-annotated]
    for one in answer["answers"]:
        base = {"source": str(one.get("source", ""))[:40]}
        if one.get("status") != "answered":
            missing = True
            results.append({**base, "status": "unavailable"})
            continue
        for found in one.get("found", ()):
            row = {**base, "status": "answered", **{k: str(found[k])[:200] for k in ("ref", "item", "value", "as_of") if found.get(k)}}
            results.append(row)
            by_item.setdefault((found.get("ref"), found.get("item")), set()).add(found.get("value"))
        if not one.get("found"):
            results.append({**base, "status": "answered"})
    contradictory = any(len(values) > 1 for values in by_item.values())
    status = "contradictory" if contradictory else "partial" if missing else "complete"
    return {"status": status, "results": results[:100]}
