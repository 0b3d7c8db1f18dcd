"""What the records of other parts show of a campaign's obligations (domain 1.3, 1.16, 1.17): inspections, visits, training. Joined to OBLIGATIONS when this module is read."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection

from processes import dispersed_visits, facilities, training_sessions
from processes.campaign_obligations import OBLIGATIONS, Context, Standing


def _days(context: Context) -> tuple[date, date]:
    """The campaign's first day, and the day as of which it stands."""
    return date.fromisoformat(context.start_on), date.fromisoformat(context.today)


def _facility_inspection(conn: Connection, unit: str, context: Context) -> Standing:
    """Met when every facility has a finished inspection of the campaign and no hazard is overdue, since the last of both was so."""
    (first, today), last = _days(context), date.fromisoformat(context.due_on or context.end_on)
    told = facilities.obligation(conn, unit, today, since=first, before=last + timedelta(days=1))
    lacking, overdue = told["facilities"] - told["inspected"], told["hazards"]["overdue"]
    if not told["facilities"]:
        return Standing("open", "尚未登记供养服务机构", "No facility is listed yet")
    if lacking or overdue:
        return Standing("open", f"未完成检查的机构{lacking}家，逾期未整改的隐患{overdue}处", f"{lacking} facilities without a finished inspection, {overdue} hazards overdue")
    return Standing("met", f"{told['facilities']}家机构全部完成检查，没有逾期隐患", f"All {told['facilities']} facilities inspected, no hazard overdue", max(row["settled_on"] for row in told["rows"]))


def _dispersed_visits(conn: Connection, unit: str, context: Context) -> Standing:
    """Met when everybody who is supported at home was met in a visit; who a visit found to have died is not waited for."""
    first, today = _days(context)
    rows = [row for row in dispersed_visits.people(conn, unit, today, first) if not row["died"]]
    left = sum(row["first_visited_on"] is None for row in rows)
    if left:
        return Standing("open", f"应走访{len(rows)}人，还有{left}人未走访", f"{left} of {len(rows)} persons are not visited yet")
    if not rows:
        return Standing("met", "没有需要走访的分散供养特困人员", "Nobody is to be visited")
    return Standing("met", f"{len(rows)}人全部走访", f"All {len(rows)} persons were visited", max(row["first_visited_on"] for row in rows))


def _trained(level: str) -> None:
    def judge(conn: Connection, unit: str, context: Context) -> Standing:
        held = training_sessions.first_held(conn, level, unit, context.start_on, context.today)
        return Standing("met", f"{held} 已举办", f"Held on {held}", held) if held else Standing("open", "培训台账中还没有", "None in the register of training yet")

    OBLIGATIONS["district_training" if level == "district" else "own_training"] = judge


OBLIGATIONS["facility_inspection"] = _facility_inspection
OBLIGATIONS["dispersed_visits"] = _dispersed_visits
_trained("district")
_trained("street")
