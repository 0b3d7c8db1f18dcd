"""API: temporary assistance as it was granted: forms of help one by one, and sums per year."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from processes import readers, temporary_grants
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_temporary", __name__, url_prefix="/api/v1", description="临时救助: what was given, to whom, paid by whom")
_PARTS = ("household_id", "case_no", "year", "kind", "state", "unnamed", "unregistered")


def _wanted(asked: dict[str, Any]) -> temporary_grants.Filter:
    return temporary_grants.Filter(**{name: asked[name] for name in _PARTS if asked.get(name) is not None})


@operation(blp, "GET", "/temporary-grants", schemas.paged(schemas.TemporaryGrant), asks=schemas.TemporaryQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Forms of help of your area, the newest first; those that came to nothing only with state=dropped. A case is begun by `POST cases` with
    process `temporary-assistance`; what it decides and pays shows here."""
    made = bureau()
    with made.office.read() as conn:
        found = temporary_grants.search(conn, made.office.keys.on(conn), readers.of_cases(me()).areas, _wanted(asked), page=asked["page"], size=asked["size"])
    return schemas.listed(found.items, found.total, found.page, found.size)


@operation(blp, "GET", "/temporary-grants/years", schemas.TemporaryYears, asks=schemas.TemporaryYearsQuery)
def years(asked: dict[str, Any]) -> Any:
    """Sums of what was given (granted or paid) per calendar year, of your area or of one household."""
    with bureau().office.read() as conn:
        return {"years": temporary_grants.totals(conn, readers.of_cases(me()).areas, _wanted(asked))}
