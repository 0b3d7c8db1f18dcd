"""入户 (domain 2.2, ui screen 9): today's visits of an investigator, what the household declared beside what was seen, and when.

A visit is a task of its case: nothing here moves a case. Figures are those that the household declared itself; what was checked
stays with the calculation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, case, or_, select

from engine import habits, store
from engine.crypto import BoundKeys
from engine.model import SHANGHAI, Actor, Entry
from processes import households
from processes.audit import facts_of
from processes.household_forms import INCOME_KINDS, PROPERTY_KINDS, RELATIONS
from processes.identity import mask_name
from processes.tables import household, person

SURVEY, COSIGN = "home_survey", "survey_cosign"
NODES = (SURVEY, COSIGN, "spot_check_visit", "late_spot_check_visit")
MOST = 200  # on one list: more than anybody visits in a month
# What says that the seen is the declared; everything else is marked as a difference.
SAME = frozenset({"一致", "与申报一致", "相符", "与申报相符", "属实", "同申报", "无出入", "same", "as declared"})
_KINDS = {code: zh for code, zh, *_ in (*INCOME_KINDS, *PROPERTY_KINDS)}
_RELATIONS = {code: zh for code, zh, *_ in RELATIONS}
_PERIODS = {"month": "月", "year": "年"}
_ITEM, _DECLARED = 60, 200  # as SeenRow keeps them


def listed(conn: Connection, who: Sequence[Actor]) -> list[dict[str, Any]]:
    """Open visits that these actors (one, and those whom he stands in for) hold or may claim, by community, what is due first: task
    {id, node, due_on, flags, assignee}, case, process, household_id, community, applicant (masked), second (the second investigator
    named, for whoever signs)."""
    task, record = store.task.c, store.record.c
    persons = {login for one in who for login in one.persons}
    posts = [(role, unit) for one in who for role, unit in one.posts]
    free = [(task.role == role) & task.unit.startswith(unit, autoescape=True) & task.assignee.is_(None) for role, unit in posts]
    query = (
        select(task.id, task.node, task.due_on, task.flags, task.assignee, record.no, record.process, record.subject, record.state)
        .join(store.record, record.id == task.case_id)
        .where(task.state == "open", task.node.in_(NODES), or_(task.assignee.in_(persons), *free))
        .order_by(case((task.due_on.is_(None), 1), else_=0), task.due_on, task.id)
        .limit(MOST)
    )
    found = []
    for row in conn.execute(query).mappings():
        facts = facts_of(row["state"])
        second = facts.get("second_investigator") if row["node"] == COSIGN else None
        if second is None or second in persons:  # nobody else may sign
            home = int((row["subject"] or "").rpartition(":")[2] or 0)
            found.append({**{name: row[name] for name in ("id", "node", "due_on", "flags", "assignee", "no", "process")}, "household_id": home, "second": second})
    places = _places(conn, {one["household_id"] for one in found})
    told = [{**one, **places[one["household_id"]]} for one in found if one["household_id"] in places]
    return sorted(told, key=lambda one: (one["community"], one["due_on"] or "9999", one["id"]))


def _places(conn: Connection, ids: Collection[int]) -> dict[int, dict[str, str]]:
    query = select(household.c.id, household.c.community, person.c.name).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(ids))
    return {row.id: {"community": row.community, "applicant": mask_name(row.name)} for row in conn.execute(query)}


def declared(conn: Connection, keys: BoundKeys, household_id: int) -> list[dict[str, str]]:
    """What the household declared, line by line, as the survey's `compared` takes it: {item, declared}, in Chinese as on the paper form:
    members, each income, housing and each piece of property."""
    house = households.view(conn, keys, household_id)
    names = {m["person_id"]: mask_name(m["name"]) for m in house["members"]}
    people = "、".join(f"{names[m['person_id']]}（{_RELATIONS.get(m['relation'], m['relation'])}）" for m in house["members"])
    lines = [("家庭成员", f"{len(house['members'])} 人：{people}")]
    for member in house["members"]:
        own = [one for one in member["income"] if one["source"] == "declared"]
        lines += [(f"{names[member['person_id']]} · {_KINDS.get(one['kind'], one['kind'])}", _income(one)) for one in own]
        if not own:
            lines.append((f"{names[member['person_id']]} · 收入", "未申报收入"))
    assets = [one for one in house["property"] if one["source"] == "declared"]
    lines += [(_KINDS.get(one["kind"], one["kind"]), f"{one['amount']} 元" if "amount" in one else "有") for one in assets]
    if not any(one["kind"] == "dwelling" for one in assets):
        lines.append(("住房", f"未申报自有住房；住址 {house['address'] or '未填'}"))
    if not any(one["kind"] != "dwelling" for one in assets):
        lines.append(("财产", "未申报财产"))
    return [{"item": item[:_ITEM], "declared": said[:_DECLARED]} for item, said in lines]


def _income(one: Mapping[str, Any]) -> str:
    when = one.get("month") or one.get("year")
    return f"{one['amount']} 元" + (f"（{when}）" if when else f"/{_PERIODS.get(one['period'] or 'month', '月')}")


def differs(row: Mapping[str, Any]) -> bool:
    """Whether what was seen is marked as another thing than what was declared."""
    seen = _plain(row.get("seen"))
    return bool(seen) and seen not in SAME and seen != _plain(row.get("declared"))


def _plain(text: Any) -> str:
    return "".join(str(text or "").split()).rstrip("。.；;").casefold()


def answered(rows: Sequence[Any], prefilled: Sequence[Mapping[str, str]]) -> list[Any]:
    """The rows of a page's form without those that it had filled in itself and nobody answered: a visit need not look at everything."""
    given = {(one["item"], one["declared"]) for one in prefilled}
    return [row for row in rows if not (isinstance(row, Mapping) and not str(row.get("seen") or "").strip() and (row.get("item"), row.get("declared")) in given)]


def last_survey(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The latest survey of a case that stands, for whoever signs it or builds on it: {visited_on, entered_on, by, second, met_person, housing,
    living, findings, compared [{item, declared, seen, differs}], photos, signature}. None without one. When it was and when it was entered
    are told apart: a paper sheet may be entered later."""
    undone = habits.taken_back(entries)
    for entry in reversed(entries):
        if entry.event == "task_completed" and entry.seq not in undone and str(entry.data.get("task", "")).rpartition(".")[0] == SURVEY:
            said = entry.answers
            rows = [{name: row.get(name) or "" for name in ("item", "declared", "seen")} for row in said.get("compared") or ()]
            return {
                "visited_on": str(said.get("surveyed_on") or entry.data.get("facts", {}).get("survey_ended_on") or ""), "entered_on": entry.at.astimezone(SHANGHAI).date().isoformat(),
                "by": entry.data.get("completer", entry.actor), "second": entry.data.get("facts", {}).get("second_investigator") or said.get("second_investigator"),
                **{name: said.get(name) for name in ("met_person", "housing", "living", "findings")}, "compared": [{**row, "differs": differs(row)} for row in rows],
                "photos": [int(n) for n in said.get("photos") or ()], "signature": said.get("surveyed_signature"),
            }  # fmt: skip
    return None


def days_late(survey: Mapping[str, Any]) -> int:
    """Days from the visit to its entry."""
    return (date.fromisoformat(survey["entered_on"]) - date.fromisoformat(survey["visited_on"])).days if survey["visited_on"] else 0
