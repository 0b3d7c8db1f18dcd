"""Who may look, and who looked at what: each reader has a record of his own, so that reading a case does not change the case.

Source of the roles: domain.md 5.2, its column "must not"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.errors import Refused
from engine.model import OTHERS, Actor, Entry
from engine.office import Act
from processes import erasure

# Posts that show no case, household or paper of their area: a system administrator keeps accounts, a volunteer goes along,
# a grid worker reports what he saw, a department sees what was transferred to it; none of them sees anybody's means. Payment sees benefits, and no case.
_NO_MEANS = frozenset({"admin", "volunteer", "grid_worker", "department_worker"})
_NO_CASES = _NO_MEANS | {"finance_officer"}


def of_cases(actor: Actor) -> Actor:
    """The actor in the posts in which he reads the cases, households and papers of his area. A task of his own he sees besides."""
    return actor.only(actor.roles - _NO_CASES)


def of_benefits(actor: Actor) -> Actor:
    """The actor in the posts in which he reads the benefits of his area."""
    return actor.only(actor.roles - _NO_MEANS)


FORECASTS = frozenset({"admin", "auditor", "supervisor"})


def of_forecasts(actor: Actor) -> Actor:
    """The actor in the posts in which he tries a changed law over the benefits of his area. Refused to all others. What a household
    gets is told to those of them only who read its benefit (`of_benefits`)."""
    made = actor.only(actor.roles & FORECASTS)
    if not made.posts:
        raise Refused("role", "只有管理员、审计人员和监督人员可以试算法规变动", "Only administrators, auditors and supervisors try a changed law")
    return made


def reads_opinions(actor: Actor, unit: str) -> bool:
    """Whether somebody sees what others think of a case of the unit: who only checks means there does not, so that his report
    follows from what the registries say."""
    return of_cases(actor).roles_at(unit) != {"means_checker"}


def told_to(conn: Connection, actor: Actor, unit: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of a case of the unit, without opinions for who does not read them, and without what others said whose data
    are restricted."""
    others = {subject for entry in entries for subject in entry.personal if subject.startswith(OTHERS)}
    if hidden := erasure.restricted(conn, others) if others else frozenset():
        entries = [replace(e, personal={who: None if who in hidden else said for who, said in e.personal.items()}) for e in entries]
    return entries if reads_opinions(actor, unit) else [replace(e, personal=_cut(e.personal)) for e in entries]


def opens_replay(actor: Actor, unit: str) -> None:
    """Refused to who reads no opinions: a replay shows all that was said."""
    if not reads_opinions(actor, unit):
        raise Refused("opinions", "核对员只出具核对报告，不查看本案的办理意见，不能打开回放", "Who checks means does not see the opinions of a case, and so not its replay")


_OPINIONS = frozenset({"opinion", "reason", "reasons", "statement", "statements", "neighbors", "dissent", "words", "text", "question"})


def _cut(value: Any) -> Any:
    return {k: _cut(v) for k, v in value.items() if k not in _OPINIONS} if isinstance(value, Mapping) else value


def note(act: Act, event: str, data: Mapping[str, Any], reason: str = "") -> None:
    subject = f"staff:{act.actor.id}"
    row = store.record
    found = act.conn.scalar(select(row.c.id).where(row.c.kind == "reader", row.c.subject == subject))
    record = act.open("reader", found) if found else act.new("reader", act.actor.unit or "120116", subject=subject)
    act.append(record, event, data, personal={subject: {"reason": reason}} if reason else {})
