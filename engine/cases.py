"""What people, messages and the clock do to cases: one method per verb.

All have the same shape: lock, look, ask the rules, step, append. They take an open Act, so that an act which concerns
several records is still one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, literal, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine import jobs, signers, store
from engine.bpmn import Drawing, Run
from engine.dmn import merged, noting
from engine.errors import Conflict, Invalid, NotFound, NotWaiting, Refused
from engine.foresight import Foresight
from engine.forms import Form, apart, facts_of, form_for, named, understand
from engine.migration import Hindrance, hindrances, stands
from engine.model import OTHERS, SHANGHAI, SYSTEM, Actor, Data, Put
from engine.office import Act, Record, history
from engine.prepared import Prepared, Question, ask_ahead, listen, run_all, together, travels
from engine.process import Broken, CaseRef, Deadline, Logins, Message, Process
from engine.replaying import Replayer, counted_by
from engine.step import Outcome, fingerprint, moved, step

# Built once: building a statement costs as much as running it.
_CASE = (
    select(store.record, store.subject_key.c.wrapped)
    .outerjoin(store.subject_key, store.subject_key.c.subject == store.record.c.subject)
    .where(store.record.c.kind == "case")
    .with_for_update(of=store.record)
)
_CASE_BY_ID = Prepared(_CASE.where(store.record.c.id == bindparam("the_id")))
_CASE_BY_NO = Prepared(_CASE.where(store.record.c.no == bindparam("the_no")))
_PROCESS = Prepared(select(store.record.c.process).where(store.record.c.id == bindparam("the_id")))
_KNOWN_CASES = 10_000  # of which something is remembered
_DIGITS = 19  # a number of fewer fits into the database
_DROP_DRAFTS = delete(store.draft).where(store.draft.c.task_id == bindparam("the_task"))
_NEW_JOB = insert(store.job).inline()  # nobody asks for the new id
_OPEN_JOBS = or_(*(store.job.c.state == literal_column(f"'{state}'") for state in ("ready", "incident", "cancelled")))
_DROPPED = update(store.job).where(store.job.c.record_id == bindparam("the_record"), _OPEN_JOBS).values(state="dropped")
_DROP_JOBS = Prepared(_DROPPED)
_DROP_TIMER = _DROPPED.where(store.job.c.kind == "timer", store.job.c.key == bindparam("the_key"))
_POSTS = frozenset({"staff", "post"})  # tables that say who holds what
UNMANNED = "unmanned"  # flag of a task that nobody may do
_CLOSING = ("state", "closed_at", "done_by", "done_for", "version")  # all that closing a task changes
_TASK_COLUMNS = tuple(store.task.c.keys())
_READ = tuple(c for c in store.task.c if c.name not in ("case_id", "opened_at", "closed_at"))  # times cost the most to read


def _put_tasks(made: Any) -> Any:
    """New tasks and closed ones in one statement."""
    return made.on_conflict_do_update(index_elements=[store.task.c.id], set_={c: made.excluded[c] for c in _CLOSING})


_PUT_TASKS = {"sqlite": _put_tasks(sqlite.insert(store.task)), "postgresql": _put_tasks(postgresql.insert(store.task))}


_THE_CASE = bindparam("the_case", type_=store.Id)
_SIGNERS = Prepared(select(store.task.c.id, store.signers).where(store.tasks_of(_THE_CASE)))


@lru_cache(maxsize=64)
def _tasks_of(recused: Logins | None) -> Prepared:
    """A case's tasks; with each of them, what is true of the case: whether there are drafts, or signers, and whom the rules keep away
    from it (logins with spaces between). One question for the case is far cheaper than one for each task."""
    kept = None if recused is None else recused.subquery()
    kept_away = literal("") if kept is None else select(func.aggregate_strings(next(iter(kept.c)), " ")).select_from(kept).scalar_subquery()
    drafted = exists().where(store.of_tasks(store.draft.c.task_id, _THE_CASE)).label("drafted")
    signed = exists().where(store.of_tasks(store.task_signer.c.task_id, _THE_CASE)).label("signed")
    return Prepared(select(*_READ, drafted, signed, kept_away.label("recused")).where(store.tasks_of(_THE_CASE)))


class TaskAct(NamedTuple):
    """Who did what in a case: what the rules of separation of duties look at."""

    node: str
    staff: str


class Holder(NamedTuple):
    """Somebody in office with a post, and whether recusal keeps him from the case in question."""

    login: str
    role: str
    unit: str
    recused: bool


@dataclass
class Open:
    """A case opened under a lock, with all its tasks."""

    record: Record
    row: Mapping[Any, Any]
    process: Process
    drawing: Drawing
    run: Run
    tasks: Sequence[Mapping[Any, Any]]
    recused: frozenset[str] | None = None  # logins of whom the rules keep away from it, as it was opened; None: not asked
    holders: Sequence[Mapping[Any, Any]] | None = None  # rows (login, role, unit) of who has a post over `place` that a task may need; None: not asked
    place: str = ""
    asked: Sequence[Question] = ()  # how its tasks were asked for, and with them who is recused
    changed: list[dict[str, Any]] = field(default_factory=list)  # rows of tasks to write at the end

    @cached_property
    def acts(self) -> list[TaskAct]:
        """Who did what in it up to now."""
        return acts_of(self.row.get("opened_by"), self.tasks)

    @property
    def ref(self) -> CaseRef:
        return CaseRef(self.record.id, self.row["no"], self.record.next_id)


class _Seen(NamedTuple):
    """What is remembered of a case, to ask for all at once the next time. It may have changed meanwhile: then that costs a journey."""

    asked: list[Question]  # how its tasks, and who holds what, were asked for
    process: str
    no: str
    nodes: dict[int, str]  # open task -> node
    facts: dict[str, Any]  # those that guesses need


class _Days:
    """Last days of tasks that open in a step, and whether one of them went past the published calendar."""

    def __init__(self, case: Open, published: int) -> None:
        self._case, self._published, self._provisional = case, published, False

    def __call__(self, node: str, facts: Data, opened: datetime) -> str | None:
        found = self._case.process.deadline(node, facts, opened, self._case.drawing, published=self._published)
        self._provisional |= found is not None and found.provisional
        return None if found is None else found.end.isoformat()

    def said(self) -> dict[str, int]:
        """What the entry needs so that a replay comes to the same days after the calendar was published."""
        return {"calendar": self._published} if self._provisional else {}


def subject_of(case: Open) -> str:
    """Whose personal data the case's opinions and reasons hold."""
    return case.record.subject or f"case:{case.record.id}"


def acts_of(opened_by: str | None, tasks: Sequence[Mapping[Any, Any]]) -> list[TaskAct]:
    """Who did what in a case. Beginning it counts: who took an application in has touched it; so does an opinion on a task,
    and what somebody else did in one's place."""
    begun = [TaskAct("start", opened_by)] if opened_by else []
    done = [TaskAct(t["node"], who) for t in tasks if t["state"] == "done" for who in (t["done_by"], t["done_for"]) if who]
    return begun + done + [TaskAct(t["node"], who) for t in tasks if t.get("signers") for who in signers.answered(t)]


def barred(
    conn: Connection, process: Process, facts: Data, acts: Sequence[TaskAct], task: Mapping[Any, Any], verb: str, who: Actor,
    *, relatives: frozenset[str] | None = None,
) -> Broken | None:  # fmt: skip
    """Why `who` may not get or do a task: role, area of the posts with that role, assignment, then the rules of the process,
    which bind also the one he stands in for. None when he may.

    `relatives`: whom recusal keeps from the case, where that is known already.
    """
    roles = process.roles_of(task)
    if roles.isdisjoint(who.roles):
        return Broken("role", "这件待办不属于您的岗位", "This task belongs to another post")
    if roles.isdisjoint(who.roles_at(task["unit"])):
        return Broken("unit", "这件待办不在您的辖区", "This task is outside your area")
    if verb == "complete" and task["assignee"] not in (None, *who.persons):
        return Broken("assignee", "这件待办已由别人领取，您不能代办", "This task is with somebody else")
    relatives = process.recused_from(conn, facts) if relatives is None else relatives
    for person in who.persons:
        broken = process.may(
            verb, task["node"], task["role"], person, actor_roles=who.roles_at(task["unit"]), acts=acts, relatives=relatives, facts=facts
        )
        if broken is not None:
            return broken if person == who.id else Broken(broken.rule, f"被代理人（{person}）：{broken.zh}", f"For {person}: {broken.en}")
    return None


def signer_barred(conn: Connection, case: Open, task: Mapping[Any, Any], who: Actor) -> Broken | None:
    """A signer may hold another post, but one that covers the unit; recusal and separation of duties hold as for who gets the task."""
    if not who.covers(task["unit"]):
        return Broken("unit", "这件待办不在其辖区，不能作为加签人", "This task is outside the signer's area")
    relatives = case.process.recused_from(conn, case.run.facts) if case.recused is None else case.recused
    return case.process.may(
        "add_signer", task["node"], task["role"], who.id, actor_roles=who.roles_at(task["unit"]), acts=case.acts, relatives=relatives, facts=case.run.facts
    )


@dataclass
class Cases(Replayer):
    find_actor: Callable[[Connection, str], Actor | None] = lambda _conn, _id: None
    # facts, tasks, who is recused (None: to be asked) -> everybody in office who holds the role of one of these tasks over its unit; None: not known here
    holders: Callable[[Connection, Process, Data, Sequence[Mapping[Any, Any]], frozenset[str] | None], Sequence[Holder] | None] = lambda *_: None
    holding: Callable[[Sequence[str], str], Question] | None = None  # roles, place -> the question who holds one of them over it
    law_now: Callable[[], tuple[str, bytes] | None] = lambda: None  # digest and text of the law that is asked now, where it is not `law`
    deployed: Callable[[Connection, str, date], str | None] = lambda *_: None  # process, day -> digest of the drawing put in force for it; None: its own
    _keys: dict[int, str] = field(default_factory=dict)  # case -> process
    _seen: dict[int, _Seen] = field(default_factory=dict)  # case -> what was seen of it last
    _foresight: Foresight = field(default_factory=Foresight)

    # -- verbs that move the tokens

    def start(self, act: Act, key: str, raw: Data, *, lang: str = "zh") -> dict[str, Any]:
        """Begin a case. Returns {"case": number, "seq": n, "opened": [task keys]}."""
        process = self._process(key)
        if (told := act.recall()) is not None:
            return told  # type: ignore[no-any-return]
        if process.starters.isdisjoint(
            act.actor.roles
        ):  # SYSTEM's only role is "system": a process that opens by itself names it
            raise Refused("starter", "您的岗位不能发起这项业务", "Your post may not start this")
        form, answers = self._understand(process.start_form, raw, act, {}, lang)
        facts = facts_of(form, answers)
        facts |= process.begin(act, facts)
        self._not_kept_away(act, process, facts, "start", process.starters & act.actor.roles)
        _vetted(process, act, "start", form, answers, facts, ())
        drawing = self._keep(act.conn, self.current(act.conn, process, act.today))
        act.keep(self.shelf.tables.values())
        subject = process.subject(facts)
        unit = process.unit_of("street", facts)
        record = act.new("case", unit, subject=subject, process=key, drawing=drawing.digest, opened_at=act.now,
                         opened_by=act.actor.id)  # fmt: skip
        no = f"{process.prefix}-{act.today.year}-{record.id:06d}"
        record.changes["no"] = no
        run = Run.start(drawing, facts, act.now)
        case = Open(record, {"no": no}, process, drawing, run, [])
        if travels(act.conn):  # there no id is given out twice, whatever becomes of this act
            self._keys[record.id] = key
            self._remember(record.id, self._asking(act, record.id, process, run), process, no, run, ())
        data = {"process": key, "drawing": drawing.digest, "no": no, "facts": facts}
        return self._apply(act, case, "case_started", data, answers, "start")

    def complete(
        self, act: Act, task_id: int, raw: Data, *, etag: str | None = None, lang: str = "zh"
    ) -> dict[str, Any]:
        """Do a task. `raw`: the form's fields. Raises Invalid, Refused, Conflict, NotFound."""
        self._hold_partners(act, task_id, raw)
        typed = _plainly(raw) if travels(act.conn) else {}
        guessed = self._guessed(act, task_id, typed)
        case, task = self._task(act, task_id, guessed)
        with self._learning(act, case, task["node"], typed, guessed):
            return self._complete(act, case, task, raw, etag, lang)

    def _complete(self, act: Act, case: Open, task: Mapping[Any, Any], raw: Data, etag: str | None, lang: str) -> dict[str, Any]:
        if (told := act.recall()) is not None:
            return told  # type: ignore[no-any-return]
        self._still_open(task, etag)
        _not_lapsed(act, task)
        self._may(act, case, task, "complete", act.actor)
        signers.ready(task, act.actor.persons)
        data, answers, second = self._checked(act, case, task, raw, act.actor, lang)
        if second or signers.asked(task, "after"):
            told = {"case": case.row["no"], **signers.hold(act, case.record, task, _typed(case, task["node"], raw), second, subject_of(case))}
            act.remember(told)
            return told
        return self._completed(act, case, task, data, answers, act.actor)

    def _checked(self, act: Act, case: Open, task: Mapping[Any, Any], raw: Data, who: Actor, lang: str) -> tuple[dict[str, Any], Data, list[str]]:
        """What the entry will say, the answers, and whom they name as second signature that was not asked for yet. Raises Invalid."""
        agreed = tuple(one.staff for one in signers.of(task) if one.state == "agreed")
        form, answers = self._understand(case.process.form_of(task["node"]), raw, act, case.run.facts, lang, who, agreed)
        known = {**case.run.facts, "case_no": case.row["no"], "done_as": [who for who in (*who.persons, task["owner"]) if who]}
        _vetted(case.process, act, task["node"], form, answers, known, case.acts)
        owner = {"owner": task["owner"]} if task["owner"] not in (None, *who.persons) else {}
        return {"task": task["key"], **_given(act, form, answers), **owner}, answers, self._cosigners(act, case, task, form, answers, who)

    def _cosigners(self, act: Act, case: Open, task: Mapping[Any, Any], form: Any, answers: Data, who: Actor) -> list[str]:
        """Whom a form names as second signature (`Form.COSIGNED`), where he is no signer of what is handed in: he has to be asked. A
        name that somebody types is no signature. Raises Invalid, Refused for who may not sign it."""
        login = answers.get(form.COSIGNED) if form.COSIGNED else None
        if login is None or login in {one.staff for one in signers.of(task) if one.kind == "after" and one.state in ("asked", "agreed")}:
            return []
        found, roles = self.find_actor(act.conn, login), form.fields[form.COSIGNED].metadata["role"].split()
        if found is None or not any(found.holds(role, task["unit"]) for role in roles):
            raise Invalid({form.COSIGNED: [form.say("请填写本单位有此岗位的工作人员的登录名，由其本人登录签字", "The login of a colleague with that post, who signs in a session of his own")]})
        if login in (*who.persons, task["assignee"], task["owner"]):
            raise Invalid({form.COSIGNED: [form.say("应由另一名工作人员签字，不能是本人或这件待办的承办人", "Somebody else signs: neither you nor who holds the task")]})
        if broken := signer_barred(act.conn, case, task, found):
            raise Refused(broken.rule, f"{login}：{broken.zh}", f"{login}: {broken.en}")
        return [login]

    def _completed(
        self, act: Act, case: Open, task: Mapping[Any, Any], data: Data, answers: Data, who: Actor, puts: Sequence[Put] = ()
    ) -> dict[str, Any]:
        done = {"state": "done", "closed_at": act.now, "done_by": who.id, "done_for": who.on_behalf_of or data.get("owner")}
        case.changed.append({**task, **done, "version": task["version"] + 1})
        self._move(act, case, case.process.moves(task["node"], {**case.run.facts, **data["facts"]}, act.today))
        return self._apply(act, case, "task_completed", data, answers, task["node"], puts)

    def _move(self, act: Act, case: Open, key: str | None) -> None:
        """Another law applies from this task on: the case goes on by the process of that key, on the drawing which is that process's
        today. An entry of its own says so, before the one of the task."""
        if key is None or key == case.process.key:
            return
        process = self._process(key)
        there = self.current(act.conn, process, act.today)
        if there.digest != process.drawing.digest and not stands(case.run, there):
            there = process.drawing  # what was put in force for new cases has no place for this one; the program's own has
        self._put_on(act, case, process, self._keep(act.conn, there), {})

    def _put_on(self, act: Act, case: Open, process: Process, drawing: Drawing, why: Data) -> None:
        run, outcome = moved(case.run, drawing)
        state = run.dump()
        said = {"process": process.key, "drawing": drawing.digest, "from": [case.process.key, case.drawing.digest], "then": outcome.said(), "state": fingerprint(state)}
        act.append(case.record, "case_moved", {**said, **why})
        case.record.changes |= {"process": process.key, "drawing": drawing.digest, "state": run.packed(state)}
        case.process, case.drawing, case.run = process, drawing, run
        case.recused = case.holders = None  # were asked for with the posts of the other drawing, by the rules of the other process

    def current(self, conn: Connection, process: Process, day: date) -> Drawing:
        """The drawing on which a case of this process begins on a day: what was put in force for it, else the program's own."""
        digest = self.deployed(conn, process.key, day)
        return process.drawing if digest in (None, process.drawing.digest) else self.drawing(conn, digest)

    def migrate(self, act: Act, case_id: int, here: str, there: str, why: Data) -> list[Hindrance]:
        """Put a running case that stands on the drawing `here` (digest) on the drawing `there`, of the same process: an entry of its
        own, `case_moved`, which says `why`; tasks and timers stay what they are. What keeps it from that; empty when it is done."""
        case = self._case(act, case_id)
        if case.row["closed_at"] is not None:
            return [Hindrance("", "个案已经办结", "the case has ended")]
        if case.drawing.digest != here:
            return [Hindrance("", "个案已不在原来的流程图上", "the case does not stand on that drawing any more")]
        drawing = self.drawing(act.conn, there)
        if found := hindrances(case.run, drawing):
            return found
        self._put_on(act, case, case.process, drawing, why)
        return []

    def send_back(self, act: Act, task_id: int, to: str, raw: Data, **kind: Any) -> dict[str, Any]:
        """退回: complete the task with the outcome that the drawing leads back along. `to`: an allowed earlier node."""
        case, task = self._task(act, task_id)
        form = case.process.form_of(task["node"])
        allowed: Mapping[str, Data] = getattr(form, "RETURNS", {})
        if to not in allowed:
            names = [node.name for node in map(case.run.drawing.nodes.get, allowed) if node]
            raise Invalid({"to": [f"只能退回到：{'、'.join(names)}（{'、'.join(allowed)}）" if allowed else "本环节不能退回"]}, labels={"to": ""})
        return self.complete(act, task_id, {**raw, **allowed[to]}, **kind)

    def receive(self, act: Act, no: str, message: str, raw: Data, *, lang: str = "zh") -> dict[str, Any]:
        """Deliver a message to a case; NotWaiting when no node of it waits for that message now."""
        case = self._case(act, no)
        if (told := act.recall()) is not None:
            return told  # type: ignore[no-any-return]
        return self._receive(act, case, message, raw, lang)

    def _deliver(self, act: Act, message: Message, sender: tuple[str, int]) -> None:
        """A message from another case: the same act, a cause on both records. NotWaiting undoes both."""
        case = self._case(act, message.case_no)
        if message.name not in case.run.waits_for() or case.run.over_since(message.name):
            raise NotWaiting(f"个案 {message.case_no} 现在不在等候这项结果", f"Case {message.case_no} does not wait for this now")
        form, answers = self._understand(case.process.messages[message.name], message.raw, act, case.run.facts, "zh")
        _vetted(case.process, act, message.name, form, answers, case.run.facts, case.acts)
        data = {"message": message.name, **_given(act, form, answers), "from": list(sender)}
        self._apply(act, case, "message_received", data, answers, message.name)

    def _receive(self, act: Act, case: Open, message: str, raw: Data, lang: str, *, instead: bool = False) -> dict[str, Any]:
        process = case.process
        if message not in process.messages:
            raise NotFound(f"没有这种来件：{message}")
        sending = frozenset() if instead else self._may_send(act, case, message)
        self._awaited(act, case, message)
        with self._learning(act, case, message, raw):
            if not instead:
                self._not_kept_away(act, process, case.run.facts, message, sending)
            form, answers = self._understand(process.messages[message], raw, act, case.run.facts, lang)
            _vetted(process, act, message, form, answers, case.run.facts, case.acts)
            data = {"message": message, **_given(act, form, answers)}
            return self._apply(act, case, "message_received", data, answers, message)

    def _awaited(self, act: Act, case: Open, message: str) -> None:
        """Raises NotWaiting, and says where the case stands. What came after its period is late, whether or not anybody has rung: the
        timer's job goes on with the case."""
        otherwise: tuple[str, str] = getattr(case.process.messages[message], "OTHERWISE", ("", ""))
        if ended := case.run.over_since(message):
            last = (ended - timedelta(seconds=1)).astimezone(SHANGHAI).date()
            raise NotWaiting(f"登记这类来件的期限到 {last} 为止，现已超过，不能登记{otherwise[0]}", f"The period for this ended on {last}: it cannot be recorded any more{otherwise[1]}")
        if message in case.run.waits_for():
            return
        if case.run.ended:
            raise NotWaiting("这件个案已经办结，不在等候这类来件，不能登记", "The case is closed: it waits for nothing that comes in")
        nodes = [case.run.drawing.nodes[node] for node in sorted(set(case.run.open_tasks().values()))]
        here = (f"这件个案现在的环节是“{'、'.join(node.name for node in nodes)}”，", f" It stands at: {', '.join(node.name_en for node in nodes)}.") if nodes else ("这件个案现在", "")
        raise NotWaiting(f"{here[0]}不在等候这类来件，不能登记{otherwise[0]}", f"No node of this case waits for that message.{here[1]}{otherwise[1]}")

    def _may_send(self, act: Act, case: Open, message: str) -> frozenset[str]:
        """In which roles the actor may record this message; Refused when in none. The system may record all."""
        process = case.process
        senders = process.senders.get(message, frozenset())
        sending = process.sending(message, act.actor, case.record.unit, case.run.facts)
        if act.actor.id != SYSTEM.id and senders.isdisjoint(act.actor.roles):
            raise Refused("sender", "您的岗位不能登记这类来件", "Your post may not record this message")
        if act.actor.id != SYSTEM.id and not sending:
            raise Refused("unit", "这件个案不在您的辖区", "This case is outside your area")
        places = (case.record.unit, process.unit_of("community", case.run.facts), *process.sent_from(message, case.run.facts))
        act.through(next(filter(None, (act.actor.post_over(place, senders) for place in places)), None))
        return sending

    def receive_by_id(self, act: Act, case_id: int, message: str, raw: Data, *, instead: bool = False) -> dict[str, Any]:
        """`instead`: somebody decided that a machine's message comes without the machine; who may is asked elsewhere."""
        return self._receive(act, self._case(act, case_id), message, raw, "zh", instead=instead)

    def tick(self, act: Act, case_id: int, key: str) -> dict[str, Any] | None:
        """A timer came due; None when it does not run any more."""
        case = self._case(act, case_id)
        due = case.run.timers().get(key)
        if due is None or due > act.now:
            return None
        node = key.rpartition(".")[0]
        with self._learning(act, case, node, {}):
            return self._apply(act, case, "timer_fired", {"timer": key}, {}, node)

    # -- verbs around a task: the row and the record change, the tokens do not

    def claim(self, act: Act, task_id: int, *, etag: str | None = None) -> dict[str, Any]:
        case, task = self._task(act, task_id)
        self._still_open(task, etag)
        if task["assignee"] == act.actor.holder:
            return self._told(case, task)
        if task["assignee"]:
            raise Conflict("这件待办已被别人领取", "Somebody else has claimed this task")
        self._may(act, case, task, "claim", act.actor)
        return self._mark(act, case, task, "task_claimed", {"assignee": act.actor.holder})

    def release(self, act: Act, task_id: int) -> dict[str, Any]:
        case, task = self._mine(act, task_id)
        changes = {"assignee": None} | ({"owner": None, "until_on": None} if task["owner"] else {})  # whoever takes it now does it for himself
        return self._mark(act, case, task, "task_released", changes)

    def transfer(self, act: Act, task_id: int, to: str, reason: str) -> dict[str, Any]:
        """转办: give a task for good to somebody who may do it."""
        case, task = self._mine(act, task_id, boss=True)
        target = self._target(act, case, task, "transfer", to)
        changes = {"assignee": target.id, "owner": None} | ({"until_on": None} if task["until_on"] else {})
        return self._mark(act, case, task, "task_transferred", changes, reason)

    def delegate(self, act: Act, task_id: int, to: str, reason: str, until: str = "") -> dict[str, Any]:
        """委托: somebody else does it for me, up to and with `until` (left out: the task's last day, or a week); I stay its
        owner, and then have it again."""
        case, task = self._mine(act, task_id)
        target = self._target(act, case, task, "delegate", to)
        last = _day_of("until", until) if until.strip() else _usual_end(act.today, task["due_on"])
        broken = case.process.may_delegate(_posts_over(act.actor, task), _posts_over(target, task), today=act.today, until=last, delegated=task["owner"] is not None)
        if broken is not None:
            raise Refused(broken.rule, broken.zh, broken.en)
        changes = {"assignee": target.id, "owner": act.actor.holder, "until_on": last.isoformat()}
        return self._mark(act, case, task, "task_delegated", changes, reason)

    def escalate(self, act: Act, task_id: int, reason: str) -> dict[str, Any]:
        """升级: put the task on the supervisor's board; it stays where it is."""
        case, task = self._task(act, task_id)
        self._still_open(task, None)
        _needed("reason", reason)
        if {task["assignee"], SYSTEM.id}.isdisjoint(act.actor.persons) and not act.actor.holds("supervisor", task["unit"]):
            self._may(act, case, task, "claim", act.actor)
        act.through(act.actor.post_over(task["unit"], (task["role"], "supervisor")))
        if "escalated" in task["flags"].split():
            return self._told(case, task)
        flags = " ".join(sorted({*task["flags"].split(), "escalated"}))
        return self._mark(act, case, task, "task_escalated", {"flags": flags, "priority": 1}, reason)

    def save_draft(self, act: Act, task_id: int, raw: Data) -> str:
        """Keep what was typed, for this actor only; not part of the record. Returns the time it was saved."""
        # The case is locked first: whoever completes the task at this moment sees the draft and removes it, or we see it closed.
        act.conn.execute(select(store.record.c.id).where(store.record.c.id == task_id >> 16).with_for_update())
        task = act.conn.execute(select(store.task).where(store.task.c.id == task_id)).mappings().one_or_none()
        if task is None:
            raise NotFound("没有这件待办")
        self._still_open(task, None)
        keep_draft(act, task_id, act.actor.id, raw)
        return act.now.isoformat()

    def as_seen(self, act: Act, task_id: int, etag: str) -> None:
        """Lock the task's case; Conflict where the task is no longer as whoever sends `etag` has seen it."""
        act.open("case", task_id >> 16)
        task = act.conn.execute(select(store.task).where(store.task.c.id == task_id)).mappings().one_or_none()
        if task is None:
            raise NotFound("没有这件待办")
        if etag != task_etag(task):
            self._still_open(task, etag)

    # -- what others ask of a case

    def published_for(self, process: Process) -> int:
        return process.published if self.published is None else self.published

    def deadline(self, conn: Connection, keys: Any, task: Mapping[Any, Any], run: Run, drawing: Drawing, process: Process) -> Deadline | None:
        """A task's deadline with all that it follows from. Where the facts have changed since, or how days are counted, as it was
        when it opened."""
        found = process.deadline(task["node"], run.facts, task["opened_at"], drawing, published=self.published)
        if found is None or found.end.isoformat() == task["due_on"]:
            return found
        for entry, then in self.replaying(conn, history(conn, keys, task["case_id"])):
            if any(key == task["key"] for key, _ in entry.data.get("then", {}).get("opened", ())):
                found = process.deadline(task["node"], then.facts, task["opened_at"], drawing, published=self.published, engine=counted_by(entry))
                break
        return found

    def unmanned(self, conn: Connection, task: Mapping[Any, Any], facts: Data) -> list[tuple[str | None, Broken]]:
        """Why nobody may do an open task as things stand now: (login, rule) of all who hold its post, (None, NO_HOLDER) where nobody
        does; empty when somebody may, or has it. `task`: a row with `process`, `opened_by`."""
        if task["state"] != "open" or UNMANNED not in task["flags"].split():
            return []
        process = self._process(task["process"])
        tasks = conn.execute(select(*store.task.c, store.signers).where(store.tasks_of(task["case_id"]))).mappings().all()
        return _barring(process, task, facts, acts_of(task["opened_by"], tasks), self.holders(conn, process, facts, [task], None) or ())

    def unmanned_among(self, conn: Connection, tasks: Sequence[Mapping[Any, Any]]) -> dict[int, list[tuple[str | None, Broken]]]:
        """`unmanned` of those rows of a list that have the flag: task's id -> what it says."""
        flagged = {task["id"]: task for task in tasks if task["state"] == "open" and UNMANNED in task["flags"].split()}
        if not flagged:
            return {}
        c = store.record.c
        query = select(c.id, c.process, c.opened_by, c.drawing, c.state.label("run")).where(c.id.in_({task["case_id"] for task in flagged.values()}))
        cases = {row["id"]: row for row in conn.execute(query).mappings()}
        facts = {number: Run.load(self.drawing(conn, row["drawing"]), row["run"], datetime.now(UTC)).facts for number, row in cases.items()}
        return {n: self.unmanned(conn, {**task, "process": cases[task["case_id"]]["process"], "opened_by": cases[task["case_id"]]["opened_by"]}, facts[task["case_id"]])
                for n, task in flagged.items()}  # fmt: skip

    def waits(self, conn: Connection, case_id: int, message: str) -> bool:
        """Whether a node of the case waits for that message now."""
        query = select(store.record.c.drawing, store.record.c.state).where(store.record.c.id == case_id, store.record.c.closed_at.is_(None))
        row = conn.execute(query).one_or_none()
        return row is not None and message in Run.load(self.drawing(conn, row.drawing), row.state, datetime.now(UTC)).waits_for()

    def refuse_relatives(self, act: Act, case_id: int) -> None:
        """Recusal also holds for those who decide how a case goes on where a machine failed."""
        case = self._case(act, case_id)
        if act.actor.id in case.process.recused_from(act.conn, case.run.facts):
            raise Refused("near-relative", "这件个案涉及您本人或您的近亲属，您应当回避", "This case concerns you or a near relative of yours")

    # -- the parts

    def _not_kept_away(self, act: Act, process: Process, facts: Data, node: str, roles: frozenset[str]) -> None:
        """Whoever begins a case or records what came in for it, in one of these roles of his, is held to recusal like those
        who handle it."""
        if act.actor.id == SYSTEM.id:
            return
        role, relatives = min(roles), process.recused_from(act.conn, facts)
        broken = process.may("start", node, role, act.actor.id, actor_roles=roles, acts=(), relatives=relatives, facts=facts)
        if broken is not None:
            raise Refused(broken.rule, broken.zh, broken.en)

    def _process(self, key: str | None) -> Process:
        if key is None or key not in self.processes:
            raise NotFound(f"没有这项业务：{key}")
        return self.processes[key]

    def _understand(
        self, form_class: Any, raw: Data, act: Act, facts: Data, lang: str, who: Actor | None = None, agreed: Sequence[str] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """`agreed`: who countersigned what is handed in, each in a session of his own."""
        form = form_for(form_class, {"facts": facts, "today": act.today, "actor": who or act.actor, "agreed": agreed, "lang": lang,
                                     "published": act.office.published})  # fmt: skip
        return form, understand(form, raw)

    def _keep(self, conn: Connection, drawing: Drawing) -> Drawing:
        if drawing.digest not in self._drawings:
            known = conn.scalar(select(store.drawing.c.digest).where(store.drawing.c.digest == drawing.digest))
            if known is None:
                values = {"digest": drawing.digest, "key": drawing.key, "xml": drawing.xml}
                conn.execute(insert(store.drawing).values(**values))
            else:
                self._drawings[drawing.digest] = drawing
        return drawing

    def _keep_law(self, conn: Connection) -> None:
        """Once a database. What this act writes may be rolled back, so only what was found there is remembered."""
        digest, text = self.law_now() or (self.law, self.law_text)
        if not text or digest in self._laws:
            return
        if (found := conn.scalar(select(store.law.c.text).where(store.law.c.digest == digest))) is not None:
            self._laws[digest] = found
        else:
            new = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(store.law)
            conn.execute(new.values(digest=digest, text=text).on_conflict_do_nothing())  # another worker may be first

    def _hold_partners(self, act: Act, task_id: int, raw: Data) -> None:
        """Lock all records that completing the task will append to, in ascending order, before any of them is read."""
        case_id = task_id >> 16
        process = self.processes.get(self._key_of(act.conn, case_id))
        partners = process.partners if process else {}
        if not partners:
            return
        node = act.conn.scalar(select(store.task.c.node).where(store.task.c.id == task_id)) or ""
        if node in partners:
            ids = sorted({case_id, *partners[node](act.conn, case_id, raw)})
            act.conn.execute(
                select(store.record.c.id).where(store.record.c.id.in_(ids)).order_by(store.record.c.id).with_for_update()
            ).all()

    def _key_of(self, conn: Connection, case_id: int) -> str:
        """The process under which a case was first met: looked up once. To which it may move has the same partners."""
        if case_id not in self._keys:
            if len(self._keys) >= _KNOWN_CASES:
                self._keys.clear()
            found = _PROCESS.row(conn, {"the_id": case_id})
            if found is None:
                return ""  # it may come
            self._keys[case_id] = found["process"] or ""
        return self._keys[case_id]

    def _guessed(self, act: Act, task_id: int, typed: Data) -> list[Question]:
        """What completing the task will ask, as far as it can be told before the case is read."""
        seen = self._seen.get(task_id >> 16)
        if seen is None or task_id not in seen.nodes or not travels(act.conn):
            return []
        return self._foresight.questions((seen.process, seen.nodes[task_id]), _known(act, task_id >> 16, seen.no, seen.facts, typed))

    @contextmanager
    def _learning(self, act: Act, case: Open, node: str, typed: Data, guessed: Sequence[Question] = ()) -> Iterator[None]:
        """Within, a node of the case runs; what it asks of the database is learned for the next one."""
        if not travels(act.conn):
            yield
            return
        heard, kind = listen(act.conn), (case.process.key, node)
        known = _known(act, case.record.id, case.row["no"], dict(case.run.facts), typed)
        if not guessed:
            guessed = self._foresight.questions(kind, known)
            ask_ahead(act.conn, guessed)
        yield
        self._foresight.learn(kind, known, guessed, heard.missed, heard.known)

    def _case(self, act: Act, where: int | str, ahead: Sequence[Question] = ()) -> Open:
        seen = self._seen.get(where) if isinstance(where, int) else None
        asked = seen.asked if seen else []
        case = (_CASE_BY_ID, {"the_id": where}) if isinstance(where, int) else (_CASE_BY_NO, {"the_no": where})
        # What to ask for depends on the case, and hardly ever changes: as long as it does not, all comes with one journey.
        found, *beside = together(act.conn, case, *asked, ahead=[*ahead, *act.recalling()])
        if not found:
            raise NotFound("没有这件个案")
        return self._opened(act, found[0], asked, beside)

    def _opened(self, act: Act, row: Mapping[Any, Any], asked: list[Question], found: Sequence[list[dict[str, Any]]]) -> Open:
        if row["wrapped"] is not None:
            act.keys.learn(row["subject"], row["wrapped"])
        process, drawing = self._process(row["process"]), self.drawing(act.conn, row["drawing"])
        run = Run.load(drawing, row["state"], act.now)
        wanted = self._asking(act, row["id"], process, run)
        if asked != wanted:
            found = together(act.conn, *wanted)
        tasks, *holders = found
        if travels(act.conn):
            self._remember(row["id"], wanted, process, row["no"], run, tasks)
        said = {one["id"]: one["signers"] for one in _SIGNERS.rows(act.conn, {"the_case": row["id"]})} if tasks and tasks[0]["signed"] else {}
        for task in tasks:
            task["signers"] = said.get(task["id"])
        recused = frozenset((tasks[0]["recused"] or "").split()) if tasks else None
        return Open(act.adopt(row), row, process, drawing, run, tasks, recused, holders[0] if holders else None, process.unit_of("community", run.facts), wanted)

    def _asking(self, act: Act, case_id: int, process: Process, run: Run) -> list[Question]:
        """How a case's tasks are asked for, and, where it saves a journey, who holds what."""
        wanted = [(_tasks_of(process.recused), {"the_case": case_id, **process.recusal_facts(run.facts)})]
        if self.holding is not None and run.drawing.roles and travels(act.conn):  # which task opens next is not known yet
            wanted.append(self.holding(run.drawing.roles, process.unit_of("community", run.facts)))
        return wanted

    def _remember(self, case_id: int, asked: list[Question], process: Process, no: str, run: Run, tasks: Sequence[Mapping[Any, Any]]) -> None:
        if len(self._seen) >= _KNOWN_CASES:
            self._seen.clear()
        needed = {name: run.facts[name] for name in self._foresight.facts if name in run.facts}
        self._seen[case_id] = _Seen(asked, process.key, no, {task["id"]: task["node"] for task in tasks if task["state"] == "open"}, needed)

    def _task(self, act: Act, task_id: int, ahead: Sequence[Question] = ()) -> tuple[Open, Mapping[Any, Any]]:
        case_id = task_id >> 16  # a task's id is given out by its case's record
        case = self._case_or_task(act, case_id, ahead)
        for task in case.tasks:
            if task["id"] == task_id:
                return case, task
        raise NotFound("没有这件待办")

    def _case_or_task(self, act: Act, case_id: int, ahead: Sequence[Question]) -> Open:
        try:
            return self._case(act, case_id, ahead)
        except NotFound:
            raise NotFound("没有这件待办") from None

    def _still_open(self, task: Mapping[Any, Any], etag: str | None) -> None:
        if task["state"] != "open":
            by = f"（{task['done_by']}）" if task["done_by"] else ""
            raise Conflict(f"这件待办已经办结{by}，您这次提交没有生效", "This task is closed already; nothing was changed")
        if etag is not None and etag != task_etag(task):
            raise Conflict("这件待办在您打开后有变化，请核对后再提交", "This task has changed since you opened it")

    def _mine(self, act: Act, task_id: int, *, boss: bool = False) -> tuple[Open, Mapping[Any, Any]]:
        case, task = self._task(act, task_id)
        self._still_open(task, None)
        signers.let_go(task)
        bossy, own = boss and act.actor.holds("supervisor", task["unit"]), task["assignee"] in act.actor.persons
        if not own and not bossy:
            raise Refused("assignee", "这件待办不在您名下", "This task is not yours")
        if own:
            _not_lapsed(act, task)
        act.through(act.actor.post_over(task["unit"], case.process.roles_of(task) if own else ("supervisor",)))
        return case, task

    def _target(self, act: Act, case: Open, task: Mapping[Any, Any], verb: str, to: str) -> Actor:
        target = self.find_actor(act.conn, to)
        if target is None:
            raise Invalid({"to": ["没有这位工作人员，或已停用"]})
        self._may(act, case, task, verb, target)
        return target

    def _may(self, act: Act, case: Open, task: Mapping[Any, Any], verb: str, who: Actor) -> None:
        broken = barred(act.conn, case.process, case.run.facts, case.acts, task, verb, who, relatives=case.recused)
        if broken is not None:
            raise Refused(broken.rule, broken.zh, broken.en)
        if who is act.actor:
            act.through(who.post_over(task["unit"], (task["role"],)) or who.post_over(task["unit"], case.process.roles_of(task)))

    def _apply(
        self, act: Act, case: Open, cause: str, data: Data, answers: Data, name: str, more: Sequence[Put] = ()
    ) -> dict[str, Any]:
        """Step, and write down what followed: the entry, the task rows, the timers, the case's state."""
        timers, planned = set(case.run.timers()) if cause != "case_started" else set(), jobs.planned(act.conn)
        snapshots: dict[str, Any] = {}
        if name in case.process.before:
            case.process.before[name](act, case.ref, answers, case.run.facts)

        def call(service: str, facts: Data) -> Data:
            if service in case.process.gather:
                snapshots[service] = case.process.gather[service](act, {**facts, "case_no": case.row["no"]})
            return case.process.service(service, facts, act.today, snapshots.get(service, {}))

        days = _Days(case, self.published_for(case.process))
        with noting() as asked, self.known(act.today):
            outcome = step(case.run, cause, data, call, days)
        names = [name, *(ran[0] for ran in outcome.ran)]
        puts = [*more, *self._effects(act, case, names, answers)]
        messages = self._messages(act, case, names, answers)
        state = case.run.dump()
        # Other records that this cause wrote to, and how many jobs it planned: with them it is not taken back any more. Said
        # also when there are none, where there could have been some.
        beside = [f"record {n}" for n in act.moved(case.record)] + ["job"] * (jobs.planned(act.conn) - planned)
        reached = {"beside": beside} if beside or case.process.reaching(names) else {}
        said = {**data, "then": outcome.said(), "state": fingerprint(state), **days.said()} | reached
        said |= merged(data, act.used(asked))
        if outcome.ran:
            self._keep_law(act.conn)
            said |= _rules(case.process, (self.law_now() or (self.law,))[0], [node for node, _ in outcome.ran])
        if messages:
            said["sent"] = [[message.case_no, message.name] for message in messages]
        act.append(case.record, cause, said, personal=_personal(case, name, answers, snapshots), puts=puts)
        seq = case.record.seq
        case.record.changes["state"] = case.run.packed(state)
        if outcome.ended:
            case.record.changes |= {"closed_at": act.now, "outcome": outcome.ended}
        self._bring_tasks(act, case, outcome)
        self._bring_timers(act, case, outcome, timers)
        told = {"case": case.row["no"], "seq": seq, "opened": [key for key, _ in outcome.opened]}
        if outcome.ended:
            told["outcome"] = outcome.ended
        if "from" not in data:  # what another case told is part of that case's act
            act.remember(told)
        for message in messages:
            self._deliver(act, message, (case.row["no"], seq))
        return told

    def _effects(self, act: Act, case: Open, names: Sequence[str], answers: Data) -> list[Put]:
        puts: list[Put] = []
        for name in names:
            if name in case.process.effects:
                puts += case.process.effects[name](act, case.ref, answers, case.run.facts) or ()
        return puts

    def _messages(self, act: Act, case: Open, names: Sequence[str], answers: Data) -> list[Message]:
        sends = case.process.sends
        found = [message for name in names if name in sends for message in sends[name](act, case.ref, answers, case.run.facts)]
        if len({message.case_no for message in found}) != len(found):
            raise ValueError(f"{case.row['no']} tells one case two things in one act")
        return found

    def _bring_tasks(self, act: Act, case: Open, outcome: Outcome) -> None:
        gone = [t for t in case.tasks if t["state"] == "open" and t["key"] in outcome.gone]
        case.changed += [{**t, "state": "withdrawn", "closed_at": act.now} for t in gone]
        act.write(_DROP_DRAFTS, [{"the_task": t["id"]} for t in case.changed if t["drafted"]])
        opened = [self._row(act, case, key, due) for key, due in outcome.opened]
        self._unmanned(act, case, opened)
        case.changed += opened
        if (seen := self._seen.get(case.record.id)) is not None:
            seen.nodes.update((row["id"], row["node"]) for row in opened)
        rest = {"case_id": case.record.id, "opened_at": act.now}  # of a task that is there already, only what _CLOSING names is written
        act.write(_PUT_TASKS[act.conn.dialect.name], [{c: row.get(c, rest.get(c)) for c in _TASK_COLUMNS} for row in case.changed])
        case.changed.clear()

    def _unmanned(self, act: Act, case: Open, opened: Sequence[dict[str, Any]]) -> None:
        """A task that nobody may do is no reason to go on without it: it comes flagged, and on the supervisor's board (DESIGN 3,
        row 12). The rows are changed where they are."""
        if not opened:
            return
        facts = case.run.facts
        known = case.recused if case.recused is not None and self._still_recused(act, case, facts) else None
        holders: Sequence[Holder] | None = _asked_ahead(act, case, opened, known)
        if holders is None:
            holders = self.holders(act.conn, case.process, facts, opened, known)
        if holders is None:
            return
        acts = (case.acts if case.row.get("opened_by") else acts_of(act.actor.id, case.tasks)) + acts_of(None, case.changed)  # with what this act has closed
        for row in opened:
            if rules := sorted({broken.rule for _, broken in _barring(case.process, row, facts, acts, holders)}):
                row |= {"flags": " ".join(sorted({*row["flags"].split(), "escalated", UNMANNED})), "priority": 1}
                act.append(case.record, "task_escalated", {"task": row["key"], "flags": row["flags"], "priority": 1, "rules": rules})

    def _still_recused(self, act: Act, case: Open, facts: Data) -> bool:
        """Whether recusal keeps the same people away as when the case was opened, as far as this act goes."""
        same = bool(case.asked) and case.asked[0][1].items() >= case.process.recusal_facts(facts).items()
        return same and act.touched.isdisjoint(case.process.recusal_tables)

    def look_for_hands(self, act: Act, case_id: int) -> None:
        """Posts, staff or recusals have changed: an open task that nobody may do any more is flagged as one that comes so
        (`task_escalated` with `rules`), and one that somebody may do again stays on the board as escalated only (`task_manned`)."""
        case = self._case(act, case_id)
        tasks = [task for task in case.tasks if task["state"] == "open"]
        holders = self.holders(act.conn, case.process, case.run.facts, tasks, case.recused) if tasks else None
        for task in tasks if holders is not None else ():
            rules = sorted({broken.rule for _, broken in _barring(case.process, task, case.run.facts, case.acts, holders or ())})
            if bool(rules) == (UNMANNED in task["flags"].split()):
                continue
            flags = " ".join(sorted({*task["flags"].split(), "escalated", UNMANNED})) if rules else signers.with_flag(task, UNMANNED, on=False)
            said = {"flags": flags, "priority": 1, "rules": rules} if rules else {"flags": flags}
            act.append(case.record, "task_escalated" if rules else "task_manned", {"task": task["key"], **said})
            values = {"flags": flags, "priority": 1 if rules else task["priority"]}  # its version stays: who has it open may still send it
            act.conn.execute(update(store.task).where(store.task.c.id == task["id"]).values(**values))

    def _row(self, act: Act, case: Open, key: str, due: str | None) -> dict[str, Any]:
        node = case.drawing.nodes[key.rpartition(".")[0]]
        again = any(t["node"] == node.id and "taken_back" not in t["flags"] for t in case.tasks)
        return {
            "id": case.record.next_id(),
            "case_id": case.record.id,
            "key": key,
            "node": node.id,
            "role": node.role,
            "unit": case.process.unit_of(node.level or "street", case.run.facts),
            "opened_at": act.now,
            "due_on": due,
            "priority": 0,
            "state": "open",
            "flags": "returned" if again else "",
            "version": 1,
        }

    def _bring_timers(self, act: Act, case: Open, outcome: Outcome, before: set[str]) -> None:
        timers = case.run.timers()
        act.write(_DROP_TIMER, [{"the_record": case.record.id, "the_key": key} for key in sorted(before - timers.keys())])
        if outcome.ended:  # nobody waits any more for what its other jobs would bring
            run_all(act.conn, [(_DROP_JOBS, [{"the_record": case.record.id}])])
        rows = [
            {"kind": "timer", "record_id": case.record.id, "key": key, "due_at": due, "state": "ready", "data": "{}"}
            for key, due in timers.items()
            if key not in before
        ]
        act.write(_NEW_JOB, rows)

    def _mark(
        self, act: Act, case: Open, task: Mapping[Any, Any], event: str, changes: dict[str, Any], reason: str = ""
    ) -> dict[str, Any]:
        personal = {subject_of(case): {"reason": reason}} if reason else {}
        if changes.get("assignee") and UNMANNED in task["flags"].split():  # somebody came who may: it stays on the board as escalated
            changes = {**changes, "flags": signers.with_flag(task, UNMANNED, on=False)}
        act.append(case.record, event, {"task": task["key"], **changes}, personal=personal)
        values = {**changes, "version": task["version"] + 1}
        act.conn.execute(update(store.task).where(store.task.c.id == task["id"]).values(**values))
        return self._told(case, {**task, **values})

    def _told(self, case: Open, task: Mapping[Any, Any]) -> dict[str, Any]:
        return {"case": case.row["no"], "task": task["id"], "assignee": task["assignee"], "etag": task_etag(task)}

def _personal(case: Open, name: str, answers: Data, snapshots: Data) -> dict[str, Any]:
    """Subject -> what an entry says of him: the household's own part, and one for each other person named in the answers."""
    own, others = apart(case.process.answered.get(name, case.process.start_form), answers)
    entry = f"{OTHERS}{case.record.id}.{case.record.seq + 1}."
    mine = {k: v for k, v in (("answers", own), ("snapshots", snapshots)) if v}
    return ({subject_of(case): mine} if mine else {}) | {entry + who: {"answers": said} for who, said in others.items()}


def _typed(case: Open, node: str, raw: Data) -> dict[str, Data]:
    """Subject -> what was typed of him, the household first, as it will be when the form is completed."""
    own, others = apart(case.process.form_of(node), raw)
    entry = f"{OTHERS}{case.record.id}.{case.record.seq + 1}."
    return {subject_of(case): own, **{entry + who: said for who, said in others.items()}}


def _asked_ahead(act: Act, case: Open, tasks: Sequence[Mapping[Any, Any]], recused: frozenset[str] | None) -> list[Holder] | None:
    """Who holds the posts of these tasks, where it came with the case; None where that does not answer it (any more)."""
    if case.holders is None or recused is None or not act.touched.isdisjoint(_POSTS):
        return None
    if any(task["role"] not in case.drawing.roles or not case.place.startswith(task["unit"]) for task in tasks):
        return None
    return [Holder(row["login"], row["role"], row["unit"], row["login"] in recused) for row in case.holders]


NO_HOLDER = Broken("no-holder", "本单位没有在岗人员担任这个岗位", "Nobody over this unit holds the post")  # in place of a rule


def _barring(
    process: Process, task: Mapping[Any, Any], facts: Data, acts: Sequence[TaskAct], holders: Sequence[Holder]
) -> list[tuple[str | None, Broken]]:
    """(login, the rule that keeps him from the task), of everybody who holds its post; empty when somebody may do it."""
    here = [one for one in holders if one.role == task["role"] and task["unit"].startswith(one.unit)]
    relatives = frozenset(one.login for one in here if one.recused)
    found: list[tuple[str | None, Broken]] = []
    for one in here:
        broken = process.may("complete", task["node"], task["role"], one.login, actor_roles={one.role}, acts=acts, relatives=relatives, facts=facts)
        if broken is None:
            return []
        found.append((one.login, broken))
    return found or [(None, NO_HOLDER)]


def _rules(process: Process, law: str, nodes: Sequence[str]) -> dict[str, Any]:
    """By what the services of an entry computed: the law's digest, and the versions that are not the first."""
    versions = {node: version for node in nodes if (version := process.rule(node)) > 1}
    return ({"law": law} if law else {}) | ({"rules": versions} if versions else {})


def _posts_over(who: Actor, task: Mapping[Any, Any]) -> list[str]:
    """The units of the posts in which somebody may do a task."""
    return [unit for role, unit in who.posts if role == task["role"] and task["unit"].startswith(unit)]


def _usual_end(today: date, due_on: str | None) -> date:
    """A delegation's last day where none is said: that of the task; a week when it has none, or it is over."""
    due = date.fromisoformat(due_on) if due_on else today
    return due if due > today else today + timedelta(days=7)


def _day_of(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid({name: ["日期格式不正确，请写成 2018-12-03"]}) from None


def _not_lapsed(act: Act, task: Mapping[Any, Any]) -> None:
    """Between the end of a delegation and the daily sweep, which gives the task back."""
    if task["until_on"] and task["until_on"] < act.today.isoformat():
        raise Refused("delegation-over", f"委托已于 {task['until_on']} 到期，应由委托人办理", f"The delegation ended on {task['until_on']}: its owner does the task")


def keep_draft(act: Act, task_id: int, staff: str, raw: Data) -> None:
    """In place of an earlier one of the same person."""
    table, cipher = store.draft, act.keys.subject(f"draft:{staff}")
    act.conn.execute(delete(table).where(table.c.task_id == task_id, table.c.staff == staff))
    sealed = cipher.seal(json.dumps(dict(raw), ensure_ascii=False).encode(), f"draft:{task_id}".encode())
    act.conn.execute(insert(table).values(task_id=task_id, staff=staff, sealed=sealed, saved_at=act.now))


def _given(act: Act, form: Any, answers: Data) -> dict[str, Any]:
    """What a form says as facts, and the decision tables that it asked for them."""
    with noting() as asked:
        facts = facts_of(form, answers)
    return {"facts": facts, **act.used(asked)}


def _plainly(raw: Data) -> dict[str, Any]:
    """What was typed, with numbers as numbers: a page sends them as texts."""
    return {name: int(said) if isinstance(said, str) and len(said) < _DIGITS and said.isascii() and said.isdecimal() else said for name, said in raw.items()}


def _known(act: Act, case_id: int, no: str, facts: Data, typed: Data) -> dict[str, Mapping[str, Any]]:
    """All from which the values of a question may come."""
    return {"case": {"id": case_id, "no": no, "today": act.today.isoformat(), "actor": act.actor.id}, "facts": facts, "typed": typed}


def task_etag(task: Mapping[Any, Any]) -> str:
    return f"{task['id']}-{task['version']}"


def _vetted(process: Process, act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    """What only the tables can tell; a field is called as the form calls it."""
    try:
        process.vet(act, node, form, answers, facts, acts)
    except Invalid as error:
        raise named(form, error) from error


def _needed(name: str, text: str) -> None:
    if not text.strip():
        raise Invalid({name: ["必须填写"]})

