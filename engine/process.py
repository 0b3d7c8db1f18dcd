"""A process: one drawing, and the Python that its nodes name. They meet by BPMN id; a mismatch is refused at start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import CompoundSelect, Connection, Select, Table
from sqlalchemy.sql import visitors

from engine.bpmn import Drawing
from engine.errors import BadProcess
from engine.expression import parse_due
from engine.forms import Form
from engine.given import given, gives
from engine.lint import check_drawing
from engine.lint_rules import Finding, finding
from engine.model import ENGINE, ROLLS_SINCE, SHANGHAI, Actor, Data, Put
from engine.prepared import Prepared

if TYPE_CHECKING:
    from engine.office import Act

Service = Callable[..., Data]
Logins = Select[Any] | CompoundSelect[Any]
Gather = Callable[["Act", Data], Data]  # act, facts and case_no -> snapshot (JSON; personal, goes to the payload)
Effect = Callable[["Act", "CaseRef", Data, Data], Sequence[Put] | None]  # act, case, answers, facts


@dataclass(frozen=True, slots=True)
class CaseRef:
    id: int
    no: str
    next_id: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Message:
    """What one case tells another: `raw` is the answer to the receiving process's form of that message."""

    case_no: str
    name: str
    raw: Data


Send = Callable[["Act", "CaseRef", Data, Data], Sequence[Message]]  # act, sending case, answers, facts


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that forbids what somebody wanted to do."""

    rule: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a task is to be done, with all that it follows from."""

    rule: str  # as it stands on the drawing
    since_fact: str | None  # None: since the task opened
    start: date  # not counted
    n: int
    unit: str  # workdays | days
    stopped: int  # working days for which the clock stood still; added to n
    end: date  # the last day
    provisional: bool  # past the last published calendar: it may move


def _stood_still(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


@cache
def _parameters(function: Service) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


@gives()
def no_further_facts(_act: Act, _facts: Data) -> Data:
    return {}


_prepared = cache(Prepared)


def logins(conn: Connection, of: Logins, facts: Data) -> frozenset[str]:
    """What a SELECT of logins finds."""
    return frozenset(login for row in _prepared(of).rows(conn, facts) for login in row.values() if login)


def nobody_is_refused(*_: Any, **__: Any) -> Broken | None:
    return None


@dataclass(frozen=True)
class Process:
    """What the engine asks of the business. Services are pure: named facts, `today` and `snapshot` in, new facts out."""

    key: str
    title: str
    title_en: str
    prefix: str  # of case numbers
    bpmn: Path
    start_form: type[Form]
    starters: frozenset[str]  # roles that may start a case
    forms: Mapping[str, type[Form]]  # user task -> form
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)  # user task -> roles that may do it too, beside the one in whose list it stands
    messages: Mapping[str, type[Form]] = field(default_factory=dict)  # message name -> form
    senders: Mapping[str, frozenset[str]] = field(default_factory=dict)  # message name -> roles that may record it
    sent_from: Callable[[str, Data], Collection[str]] = lambda _name, _facts: ()  # message, facts -> units whose posts count beside the case's own
    services: Mapping[str, Service] = field(default_factory=dict)  # service task -> pure function
    # service task -> version -> what it was before: a change of arithmetic is a new version, and a case replays with its entries'
    former_rules: Mapping[str, Mapping[int, Service]] = field(default_factory=dict)
    gather: Mapping[str, Gather] = field(default_factory=dict)  # service task -> where its snapshot comes from
    vet: Callable[[Act, str, Form, Data, Data, Sequence[Any]], None] = lambda *_: None  # act, name, form, answers, facts (of a task also case_no and done_as), acts; raises Invalid
    former: Mapping[str, type[Form]] = field(default_factory=dict)  # user task of an earlier drawing -> form: running cases keep theirs
    sends: Mapping[str, Send] = field(default_factory=dict)  # node or message -> messages to other cases, in the same transaction
    # user task -> the other records that completing it will append to (connection, case's id, answers as sent)
    partners: Mapping[str, Callable[[Connection, int, Data], Sequence[int]]] = field(default_factory=dict)
    before: Mapping[str, Effect] = field(default_factory=dict)  # node or message -> what is written before the tokens move
    effects: Mapping[str, Effect] = field(default_factory=dict)  # node or message or "start" -> what else is written
    begin: Callable[[Act, Data], Data] = no_further_facts  # further facts at the start; may refuse
    # user task, facts with its answers, today -> key of the process by whose drawing the case goes on from this task; None: its own
    moves: Callable[[str, Data, date], str | None] = lambda _node, _facts, _today: None
    unit_of: Callable[[str, Data], str] = lambda _level, _facts: ""  # level of the task, facts -> unit code
    subject: Callable[[Data], str] = lambda _facts: "case"  # whose personal data the opinions hold
    recused: Logins | None = None  # SELECT of the logins of staff who may not touch a case; its binds are named like facts
    may: Callable[..., Broken | None] = nobody_is_refused
    # units of the delegator's posts with the task's role, those of the delegate's; today, until, delegated (already)
    may_delegate: Callable[..., Broken | None] = nobody_is_refused
    add_workdays: Callable[[date, int, int], date] = lambda start, _n, _published: start
    # facts, last year of the calendar -> those of them that are days counted in working days, as that calendar gives them
    counted: Callable[[Data, int], Data] = lambda _facts, _published: {}
    published: int = 9999  # the last year whose calendar of working days is known; later ones count as Monday to Friday

    @cached_property
    def _recusal(self) -> tuple[str, ...]:
        return () if self.recused is None else tuple(self.recused.compile().params)

    @cached_property
    def recusal_tables(self) -> frozenset[str]:
        """The tables on which it hangs who is recused from a case."""
        found = [] if self.recused is None else visitors.iterate(self.recused)
        return frozenset(part.name for part in found if isinstance(part, Table))

    def sending(self, message: str, who: Actor, unit: str, facts: Data) -> frozenset[str]:
        """The roles in which somebody may record a message to a case of this unit with these facts. Posts of the community count
        where the case has one: the villagers' objections come to the village committee; and those of `sent_from`."""
        here = who.roles_at(unit).union(*map(who.roles_at, [self.unit_of("community", facts) or unit, *self.sent_from(message, facts)]))
        return self.senders.get(message, frozenset()) & here

    def recusal_facts(self, facts: Data) -> dict[str, Any]:
        """The facts that the SELECT of recused staff asks for."""
        return {name: facts.get(name) for name in self._recusal}

    def recused_from(self, conn: Connection, facts: Data) -> frozenset[str]:
        """Logins of the staff who may not touch a case with these facts."""
        if self.recused is None:
            return frozenset()
        return logins(conn, self.recused, self.recusal_facts(facts))

    @cached_property
    def answered(self) -> Mapping[str, type[Form]]:
        """All forms whose answers a record may hold, by task or message."""
        return {**self.former, **self.messages, **self.forms}

    def roles_of(self, task: Mapping[Any, Any]) -> frozenset[str]:
        """The roles in which a task (its row) may be done."""
        return self.others.get(task["node"], frozenset()) | {task["role"]}

    def reaching(self, names: Iterable[str]) -> bool:
        """Whether something runs with one of these nodes that may write beyond the case's tokens and tasks."""
        return any(name in part for name in names for part in (self.effects, self.before, self.gather))

    def form_of(self, node: str) -> type[Form]:
        """The form of a user task, also of one that only earlier drawings have."""
        return self.forms[node] if node in self.forms else self.former[node]

    @cached_property
    def drawing(self) -> Drawing:
        return Drawing.parse(self.bpmn.read_bytes())

    def rule(self, node: str) -> int:
        """The version of a service's arithmetic that is in use."""
        return max(self.former_rules.get(node, {0: None})) + 1

    def knows(self, node: str, version: int) -> bool:
        """Whether this version of a service's arithmetic is here."""
        return node in self.services if version == self.rule(node) else version in self.former_rules.get(node, {})

    def service(self, node: str, facts: Data, today: date, snapshot: Data, *, version: int | None = None) -> Data:
        """Run a service task's function, of this version or the one in use, on the facts that it names. LookupError when it is not here."""
        function = self.services[node] if version in (None, self.rule(node)) else self.former_rules[node][version]
        known: dict[str, Any] = {"today": today, "snapshot": snapshot}
        return function(**{name: known[name] if name in known else facts.get(name) for name in _parameters(function)})

    def deadline(
        self, node: str, facts: Data, opened: datetime, drawing: Drawing | None = None, *, published: int | None = None, engine: int = ENGINE
    ) -> Deadline | None:
        """The deadline of a task by the rule on the drawing; None for "promptly". `published`: the last year of the
        calendar that was known, where that is not today's; `engine`: how days were counted when the task opened. Calendar
        days that end on a day off end on the next working day, like the last days in letters (domain 10)."""
        rule = (drawing or self.drawing).nodes[node].due or "promptly()"
        due, known = parse_due(rule), self.published if published is None else published
        if due.kind == "promptly":
            return None
        n = int(facts[due.limit] if due.limit else due.n or 0)
        since = facts.get(due.since) if due.since else None
        start = date.fromisoformat(since[:10]) if since else opened.astimezone(SHANGHAI).date()
        stopped = _stood_still(facts.get(due.stopped)) if due.stopped else 0
        by_workdays = due.kind == "workdays"
        end = self.add_workdays(start, n + stopped, known) if by_workdays else start + timedelta(days=n)
        if rolls := not by_workdays and engine >= ROLLS_SINCE:
            end = max(end, self.add_workdays(end - timedelta(days=1), 1, known))
        return Deadline(rule, due.since if since else None, start, n, due.kind, stopped, end, (by_workdays or rolls) and end.year > known)

    @cached_property
    def known_facts(self) -> frozenset[str]:
        """All facts that a case can have: marked fields of forms, and what forms, services and the start say they give."""
        forms = {self.start_form, *self.forms.values(), *self.former.values(), *self.messages.values()}
        marked = {name for form in forms for name, field in form._declared_fields.items() if field.metadata.get("fact")}
        givers = [(form.__name__, form.extra_facts) for form in forms] + [*self.services.items(), ("begin", self.begin)]
        if mute := sorted(name for name, function in givers if given(function) is None):
            raise BadProcess(f"{self.key}: {', '.join(mute)} does not say which facts it gives (engine.given)")
        return frozenset(marked).union(*(given(function) or () for _, function in givers))

    def check(self) -> None:
        """Refuse to serve a drawing that its Python does not cover, or the reverse."""
        findings = check_drawing(
            self.bpmn.read_bytes(),
            forms=self.forms,
            services=self.services,
            messages=self.messages,
            facts=self.known_facts,
        )
        if findings:
            raise BadProcess("\n".join(f"{self.bpmn.name}: {f.rule} {f.element}: {f.message_en}" for f in findings))
        self._match("form", self.drawing.of_kind("userTask").keys(), self.forms)
        self._match("service", self.drawing.of_kind("serviceTask").keys(), self.services)
        self._match("message", self.drawing.messages, self.messages)
        asked = {name for function in self.services.values() for name in _parameters(function)} - {"today", "snapshot"}
        if unknown := sorted((asked | {*self._recusal}) - self.known_facts):
            raise BadProcess(f"{self.key}: a service or the recusal asks for facts that nobody gives: {unknown}")

    def faults_of(self, xml: bytes) -> list[Finding]:
        """What keeps a drawing from taking the place of this process's own: the lint, and whatever this module has no form, service,
        message, lane or end for. It may leave elements out, but then nothing on it may ask for the facts that they gave."""
        if found := check_drawing(xml, forms=self.forms, services=self.services, messages=self.messages):
            return found
        try:
            drawing = Drawing.parse(xml)
        except Exception as error:  # noqa: BLE001 - whatever the engine has against it, the lint did not know
            return [finding("engine-refuses", self.key, 1, f"引擎读不懂：{error}", f"the engine cannot read it: {error}")]
        if drawing.key != self.key:
            return [finding("other-process", drawing.key, 1, f"流程编号应为 {self.key}", f"the process's id is {self.key}")]
        found = check_drawing(xml, facts=self._given_on(drawing))
        lanes = {(node.role, node.level) for node in self.drawing.of_kind("userTask").values()}
        for node in drawing.of_kind("userTask").values():
            if (node.role, node.level) not in lanes:
                found.append(finding("lane-not-installed", node.id, 0, f"所装模块没有这个岗位和层级：{node.role} {node.level or ''}",
                                     f"the installed module has no lane {node.role} {node.level or ''}"))  # fmt: skip
        ends = self.drawing.of_kind("endEvent")
        found += [finding("end-not-installed", node, 0, f"所装模块没有这种结局：{node}", f"the installed module knows no end {node}")
                  for node in drawing.of_kind("endEvent") if node not in ends]  # fmt: skip
        asked = {name: node for node, function in self.services.items() if node in drawing.nodes for name in _parameters(function)}
        found += [finding("unknown-fact", node, 0, f"服务任务要用 {name}，图上没有环节给出", f"the service asks for {name}, and nothing on the drawing gives it")
                  for name, node in sorted(asked.items()) if name not in {"today", "snapshot"} | self._given_on(drawing)]  # fmt: skip
        return found

    def _given_on(self, drawing: Drawing) -> frozenset[str]:
        """The facts that somebody on this drawing gives: its forms, messages and services, and the start."""
        forms = {self.start_form, *(f for node, f in self.forms.items() if node in drawing.nodes), *(f for name, f in self.messages.items() if name in drawing.messages)}
        marked = {name for form in forms for name, field in form._declared_fields.items() if field.metadata.get("fact")}
        givers: list[Any] = [*(form.extra_facts for form in forms), *(f for node, f in self.services.items() if node in drawing.nodes), self.begin]
        return frozenset(marked).union(*(given(function) or () for function in givers))

    def _match(self, what: str, drawn: Any, written: Any) -> None:
        if odd := set(drawn) ^ set(written):
            raise BadProcess(f"{self.bpmn.name}: {what} only drawn or only written: {sorted(map(str, odd))}")


