"""What people do around a task besides doing it: 加签 减签 催办 抄送 办理意见 备注 离职转办, and 拿回.

All but the last change rows and the record, never the tokens. 拿回 is a cause: it puts the tokens back to where they
stood before the latest completion, as long as nothing came of it but tasks that nobody has looked at (docs/decisions/010).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, exists, func, insert, select, update

from engine import signers, store
from engine.bpmn import Run
from engine.cases import barred, keep_draft, signer_barred, subject_of
from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound, Refused
from engine.model import Actor, Data, Entry, Put, joined, stamp
from engine.office import Act, history
from engine.process import Broken
from engine.step import CAUSES, fingerprint, undone

if TYPE_CHECKING:
    from engine.cases import Cases, Open

Task = Mapping[Any, Any]
MOST = 10  # people who are asked, or copied, at once
LONGEST = 2000  # characters of an opinion, a comment, a note


@dataclass(frozen=True)
class Habits:
    cases: Cases

    # -- 加签, 减签

    def add_signers(self, act: Act, task_id: int, kind: str, staff: Sequence[str], question: str) -> dict[str, Any]:
        """Ask colleagues for their opinion, before the task is handed in or after. Whoever may do the task asks."""
        case, task = self._open(act, task_id)
        signers.let_go(task)
        if kind not in ("before", "after"):
            raise Invalid({"kind": ["请选择：提交前加签（before）或提交后加签（after）"]})
        text, logins = _text("question", question), _people(staff)
        self.cases._may(act, case, task, "complete", act.actor)
        if twice := [one for one in logins if one in {s.staff for s in signers.of(task) if s.state != "withdrawn"}]:
            raise Invalid({"staff": [f"已经请过：{'、'.join(twice)}"]})
        for login in logins:
            self._signer(act, case, task, login)
        values = {"task_id": task_id, "kind": kind, "state": "asked", "round": 1, "asked_by": act.actor.id, "asked_on": act.today.isoformat(), "question": text}
        puts = [Put("task_signer", case.record.next_id(), {**values, "staff": login}, subject_of(case)) for login in logins]
        return self._noted(act, case, task, "signers_added", {"kind": kind, "staff": logins}, puts=puts)

    def sign(self, act: Act, task_id: int, *, agrees: bool, words: str, lang: str = "zh") -> dict[str, Any]:
        """同意 or 不同意, with words. The last consent to what was handed in brings it about, in the name of who handed it in."""
        if waiting := handed_in(act.conn, act.keys, task_id):
            self.cases._hold_partners(act, task_id, waiting["answers"])
        case, task = self._open(act, task_id)
        if (told := act.recall()) is not None:
            return told  # type: ignore[no-any-return]
        row = self._asked(act, task, act.actor.id)
        text, after = _text("words", words), row["kind"] == "after"
        if after and not signers.is_held(task):
            raise Refused("not-handed-in", "这件待办还没有提交，提交后才能签署意见", "It has not been handed in yet: you sign after that")
        self._refuse(signer_barred(act.conn, case, task, act.actor))
        act.through(act.actor.post_over(task["unit"]))
        values = {"state": "agreed" if agrees else "disagreed", "answered_on": act.today.isoformat(), "words": text}
        put = Put("task_signer", row["id"], values, subject_of(case))
        said = {"kind": row["kind"], "agrees": agrees}
        if not after or (agrees and signers.asked(task) != [act.actor.id]):
            return self._remembered(act, self._noted(act, case, task, "signer_answered", said, puts=[put]))
        if not agrees:
            return self._returned(act, case, task, "signer_answered", said, [put, *self._again(act, case, task, row)])
        return self._applied(act, case, task, said, put, lang)

    def withdraw_signer(self, act: Act, task_id: int, staff: str, reason: str) -> dict[str, Any]:
        """减签: whoever asked, or a supervisor, withdraws a signer who has not answered. What was handed in and has nobody
        left to answer goes back to who handed it in: it takes effect only when he hands it in again."""
        case, task = self._open(act, task_id)
        row, text = self._asked(act, task, staff), _text("reason", reason)
        if act.actor.id != row["asked_by"] and not act.actor.holds("supervisor", task["unit"]):
            raise Refused("not-asker", "只有提出加签的人或主管可以减签", "Only who asked, or a supervisor, withdraws a signer")
        act.through(act.actor.post_over(task["unit"]))
        last = signers.asked(task) == [staff]
        said = {"kind": row["kind"], "staff": staff, "last": last}
        puts = [Put("task_signer", row["id"], {"state": "withdrawn"})]
        if last and signers.is_held(task):
            return self._returned(act, case, task, "signer_withdrawn", said, puts, text)
        return self._noted(act, case, task, "signer_withdrawn", said, text, puts)

    def _signer(self, act: Act, case: Open, task: Task, login: str) -> None:
        who = self.cases.find_actor(act.conn, login)
        if who is None:
            raise Invalid({"staff": ["没有这位工作人员，或已停用"]})
        if login in (*act.actor.persons, task["assignee"], task["owner"]):
            raise Refused("own-countersign", "不能请本人或这件待办的承办人加签（同一人不能签两次）", "Neither you nor who holds the task can be its signer")
        self._refuse(signer_barred(act.conn, case, task, who))

    def _asked(self, act: Act, task: Task, staff: str) -> Mapping[Any, Any]:
        table = store.task_signer
        where = and_(table.c.task_id == task["id"], table.c.staff == staff, table.c.state == "asked")
        row = act.conn.execute(select(table).where(where)).mappings().one_or_none()
        if row is None:
            raise Refused("not-asked", "没有请这位工作人员加签，或已经答复", "Not asked for an opinion, or answered already")
        return row

    def _again(self, act: Act, case: Open, task: Task, row: Mapping[Any, Any]) -> list[Put]:
        """Who has signed what went back is asked again when it is handed in again."""
        subject, old = subject_of(case), [one.staff for one in signers.of(task) if one.kind == "after" and one.state == "agreed"]
        question = act.keys.reveal("task_signer", "question", row["id"], row["question"])
        values = {"task_id": task["id"], "kind": "after", "state": "asked", "round": row["round"] + 1, "asked_by": row["asked_by"],
                  "asked_on": act.today.isoformat(), "question": question}  # fmt: skip
        now = {s.staff for s in signers.of(task) if s.state == "asked"} - {row["staff"]}
        return [Put("task_signer", case.record.next_id(), {**values, "staff": one}, subject) for one in dict.fromkeys([*old, row["staff"]]) if one not in now]

    def _held(self, act: Act, task: Task) -> tuple[list[Mapping[Any, Any]], dict[str, Any]]:
        """The rows of what was handed in, of the household first, and the answers put together."""
        rows = _held_rows(act.conn, task["id"])
        return rows, _together(act.keys, rows)

    def _applied(self, act: Act, case: Open, task: Task, said: Data, put: Put, lang: str) -> dict[str, Any]:
        """The last signer agrees: what was handed in is completed in the name of who handed it in, if he still may."""
        rows, raw = self._held(act, task)
        who = self._completer(act.conn, rows[0])
        if who is None:
            return self._returned(act, case, task, "signer_answered", {**said, "why": "left"}, [put])
        try:
            self.cases._may(act, case, task, "complete", who)
            data, answers, unsigned = self.cases._checked(act, case, task, raw, who, lang)
            if unsigned:  # whom the answers name was withdrawn
                return self._returned(act, case, task, "signer_answered", {**said, "why": "countersign"}, [put])
        except (Refused, Invalid) as error:
            why = error.rule if isinstance(error, Refused) else "answers"
            return self._returned(act, case, task, "signer_answered", {**said, "why": why}, [put])
        act.actor = replace(act.actor, on_behalf_of=who.id)
        also = {"on_behalf_of": who.on_behalf_of} if who.on_behalf_of else {}
        puts = [put, *(Put("held", row["id"], {"state": "applied"}) for row in rows)]
        return self.cases._completed(act, case, task, {**data, "completer": who.id, **also}, answers, who, puts)

    def _completer(self, conn: Connection, row: Mapping[Any, Any]) -> Actor | None:
        """Who handed it in, in the posts in which he did."""
        own, lent = (self.cases.find_actor(conn, login) if login else None for login in (row["staff"], row["on_behalf_of"]))
        if own is None or row["on_behalf_of"] is None:
            return own
        return None if lent is None else replace(lent, id=own.id, name=own.name, on_behalf_of=lent.id)

    def _returned(self, act: Act, case: Open, task: Task, event: str, said: Data, puts: Sequence[Put], reason: str = "") -> dict[str, Any]:
        rows, raw = self._held(act, task)
        keep_draft(act, task["id"], rows[0]["staff"], raw)
        puts = [*puts, *(Put("held", row["id"], {"state": "returned"}) for row in rows)]
        flags = signers.with_flag(task, signers.HELD, on=False)
        return self._remembered(act, self._noted(act, case, task, event, {**said, "returned": True}, reason, puts, flags=flags))

    def _remembered(self, act: Act, told: dict[str, Any]) -> dict[str, Any]:
        act.remember(told)
        return told

    # -- 催办, 抄送, 办理意见, 备注

    def urge(self, act: Act, task_id: int, words: str = "") -> dict[str, Any]:
        """Once a day, by who has to do with the case; for what lies with others."""
        case, task = self._open(act, task_id)
        self._handler(act, case)
        if act.actor.id == task["assignee"]:
            raise Refused("own-task", "这件待办就在您名下，不必催办", "This task is yours: nobody else to urge")
        table, today = store.urge, act.today.isoformat()
        if act.conn.scalar(select(table.c.id).where(table.c.task_id == task_id, table.c.staff == act.actor.id, table.c.urged_on == today)) is not None:
            raise Refused("urged-today", "您今天已经催办过这件待办，每天只能催办一次", "You have urged this task today: once a day")
        puts = [Put("urge", case.record.next_id(), {"task_id": task_id, "staff": act.actor.id, "urged_on": today})]
        return self._noted(act, case, task, "task_urged", {}, words.strip()[:LONGEST], puts, changed=False)

    def copy(self, act: Act, task_id: int, staff: Sequence[str]) -> dict[str, Any]:
        """抄送: put the case before colleagues who may see it anyway; a copy gives nobody a sight that he has not."""
        case, task = self._task(act, task_id)
        self._handler(act, case)
        logins = _people(staff)
        away = case.process.recused_from(act.conn, case.run.facts)
        has = set(act.conn.scalars(select(store.case_copy.c.staff).where(store.case_copy.c.task_id == task_id)))
        for login in logins:
            self._refuse(self._not_copied(act, case, login, has, away))
        values = {"case_id": case.record.id, "task_id": task_id, "sent_by": act.actor.id, "sent_on": act.today.isoformat(), "read_on": None}
        puts = [Put("case_copy", case.record.next_id(), {**values, "staff": login}) for login in logins]
        return self._noted(act, case, task, "task_copied", {"staff": logins}, puts=puts, changed=False)

    def _not_copied(self, act: Act, case: Open, login: str, has: set[str], away: frozenset[str]) -> Broken | None:
        who = self.cases.find_actor(act.conn, login)
        if who is None:
            raise Invalid({"staff": ["没有这位工作人员，或已停用"]})
        if login == act.actor.id or login in has:
            raise Invalid({"staff": [f"不能抄送给本人，也不能重复抄送：{login}"]})
        if login in away:
            return _KEPT_AWAY
        if not who.covers(case.record.unit):
            return Broken("unit", f"这件个案不在其辖区，不能抄送：{login}", f"The case is outside the area of {login}: no copy")
        return None

    def mark_read(self, act: Act, task_id: int) -> dict[str, Any]:
        """已阅: a deliberate act; opening a page marks nothing."""
        case, task = self._task(act, task_id)
        table = store.case_copy
        rows = act.conn.execute(select(table.c.id, table.c.read_on).where(table.c.task_id == task_id, table.c.staff == act.actor.id)).all()
        if not rows:
            raise Refused("not-copied", "这件事项没有抄送给您", "This was not copied to you")
        if unread := [row.id for row in rows if row.read_on is None]:
            puts = [Put("case_copy", n, {"read_on": act.today.isoformat()}) for n in unread]
            act.through(act.actor.post_over(case.record.unit))
            return self._noted(act, case, task, "copy_read", {}, puts=puts, changed=False)
        return self._told(case, task)

    def comment(self, act: Act, task_id: int, text: str) -> dict[str, Any]:
        """办理意见: personal, part of the file, printed with the case."""
        case, task = self._task(act, task_id)
        self._handler(act, case)
        values = {"case_id": case.record.id, "task_id": task_id, "staff": act.actor.id, "said_at": stamp(act.now), "text": _text("text", text)}
        return self._noted(act, case, task, "comment_added", {}, puts=[Put("case_comment", case.record.next_id(), values, subject_of(case))], changed=False)

    def note(self, act: Act, task_id: int, text: str) -> dict[str, Any]:
        """备注: for those who handle the case; encrypted, not in the record, never in the file."""
        case, task = self._task(act, task_id)
        self._handler(act, case)
        sealed = act.keys.subject(subject_of(case)).seal(_text("text", text).encode(), _note_aad(case.record.id))
        act.conn.execute(insert(store.case_note).values(case_id=case.record.id, staff=act.actor.id, at=act.now, sealed=sealed))
        return self._told(case, task)

    # -- 离职转办

    def hand_over(self, act: Act, no: str, who: str, to: str, reason: str) -> dict[str, Any]:
        """The open tasks of somebody who has left, in one case, to somebody who may do them. What he may not get stays."""
        case = self.cases._case(act, no)
        if (told := act.recall()) is not None:
            return told  # type: ignore[no-any-return]
        text, target, left = _text("reason", reason), self.cases.find_actor(act.conn, to), self.cases.find_actor(act.conn, who)
        if target is None:
            raise Invalid({"to": ["没有这位工作人员，或已停用"]})
        tasks = [t for t in case.tasks if t["state"] == "open" and t["assignee"] == who]
        if not tasks:
            raise NotFound("这件个案没有在其名下的待办")
        checked = [(t, self._not_given(act, case, t, left, target)) for t in tasks]
        moved = [t for t, broken in checked if broken is None]
        stayed = [{"task": t["id"], "rule": b.rule, "zh": b.zh, "en": b.en} for t, b in checked if b is not None]
        if moved:
            act.through(act.actor.post_over(moved[0]["unit"], ("supervisor",)))
            said = {"from": who, "to": to, "tasks": [t["key"] for t in moved], "stayed": {t["key"]: b.rule for t, b in checked if b is not None}}
            act.append(case.record, "tasks_handed_over", said, personal={subject_of(case): {"reason": text}})
            for t in moved:
                act.conn.execute(update(store.task).where(store.task.c.id == t["id"]).values(assignee=to, owner=None, until_on=None, version=t["version"] + 1))
        told = {"case": no, "moved": [t["id"] for t in moved], "stayed": stayed}
        act.remember(told)
        return told

    def _not_given(self, act: Act, case: Open, task: Task, left: Actor | None, to: Actor) -> Broken | None:
        if not act.actor.holds("supervisor", task["unit"]):
            raise Refused("supervisor", "离职转办由主管办理", "A supervisor hands over the tasks of a leaver")
        if left is not None and left.holds(task["role"], task["unit"]):
            raise Refused("still-here", "这位工作人员仍在岗，请由本人转办", "This person still holds the post: let him transfer his tasks")
        if signers.is_held(task):
            return Broken("countersign", "已提交，正在等候加签人答复；请先减签", "Handed in, waits for its signers: withdraw them first")
        return barred(act.conn, case.process, case.run.facts, case.acts, task, "transfer", to)

    # -- 拿回

    def take_back(self, act: Act, task_id: int, reason: str) -> dict[str, Any]:
        """Undo one's own completion, while it is the latest cause of the case and nothing came of it but tasks that nobody opened."""
        case, task = self._task(act, task_id)
        if (told := act.recall()) is not None:
            return told  # type: ignore[no-any-return]
        text = _text("reason", reason)
        if task["state"] != "done" or task["done_by"] != act.actor.id or case.row["closed_at"]:
            raise Refused("take-back-own", "只能拿回本人办结、个案尚未办结的事项", "You take back only what you completed yourself, in a case that is open")
        entries = history(act.conn, act.keys, case.record.id)
        latest = next(e for e in reversed(entries) if e.event in CAUSES)
        opened, restored = self._only_tasks(act, case, task, entries, latest)
        self.cases._may(act, case, task, "claim", act.actor)
        before = self._before(act, entries, latest)
        if before.timers() != case.run.timers():
            raise Refused("take-back-timer", "本环节办结后已开始或停止计时，不能拿回", "A period began or ended with it: it cannot be taken back")
        state = before.dump()
        outcome = undone(before, case.run)
        said = {"task": task["key"], "undoes": latest.seq, "then": outcome.said(), "state": fingerprint(state)}
        act.append(case.record, "task_taken_back", said, personal={subject_of(case): {"reason": text}}, puts=restored)
        case.record.changes["state"] = before.packed(state)
        self._reopen(act, case, task, latest, opened)
        told = {"case": case.row["no"], "seq": case.record.seq, "opened": [key for key, _ in outcome.opened]}
        act.remember(told)
        return told

    def _only_tasks(self, act: Act, case: Open, task: Task, entries: Sequence[Entry], latest: Entry) -> tuple[list[Task], list[Put]]:
        """The tasks that the completion opened, and what puts the rows back that it changed; raises Refused when more came of it, or
        somebody has looked at the tasks."""
        if latest.event != "task_completed" or latest.data["task"] != task["key"]:
            raise Refused("take-back-later", "此后个案又有进展，不能拿回", "The case has gone on since: it cannot be taken back")
        if "completer" in latest.data:
            raise Refused("take-back-countersigned", "这件事项经他人加签后办结，不能拿回", "Others have signed it: it cannot be taken back")
        then, names = latest.data["then"], {task["node"], *(ran[0] for ran in latest.data["then"].get("ran", ()))}
        restored = _restored(entries, latest)
        wrote = restored is None or any(latest.data.get(name) for name in ("beside", "sent"))
        unknown = case.process.reaching(names) and "beside" not in latest.data  # written by an older version, which did not say
        if wrote or unknown or then.get("ended") or then.get("gone"):
            raise Refused("take-back-effects", "本环节办结后已产生文书、公示、待遇、作业或其他记录，不能拿回", "A letter, notice, benefit, job or other record came of it: it cannot be taken back")  # fmt: skip
        keys = [key for key, _ in then.get("opened", ())]
        opened = [t for t in case.tasks if t["key"] in keys and t["state"] == "open"]
        touched = {e.data.get("task") for e in entries[latest.seq :] if not _by_itself(e)} & {*keys}
        seen = exists().where(store.task_seen.c.task_id.in_([t["id"] for t in opened]), store.task_seen.c.staff != act.actor.id)
        drafts = exists().where(store.draft.c.task_id.in_([t["id"] for t in opened]), store.draft.c.staff != act.actor.id)
        if len(opened) != len(keys) or touched or any(t["assignee"] or t["version"] != 1 for t in opened) or act.conn.scalar(select(seen | drafts)):
            raise Refused("take-back-opened", "下一环节已有人查看或领取，不能拿回", "Somebody has opened or claimed the next task: it cannot be taken back")
        return opened, restored or []

    def _before(self, act: Act, entries: Sequence[Entry], latest: Entry) -> Run:
        """The run as it stood before the latest cause: from doing everything before it again."""
        *_, (_entry, run) = self.cases.replaying(act.conn, entries[: latest.seq - 1])  # a completion is never the first entry
        return Run.load(run.drawing, run.dump(), act.now)

    def _reopen(self, act: Act, case: Open, task: Task, latest: Entry, opened: Sequence[Task]) -> None:
        """The tasks that came of it are withdrawn; the old one is open again, with what was answered as its draft."""
        table, conn = store.task, act.conn
        for t in opened:
            gone = {"state": "withdrawn", "closed_at": act.now, "flags": signers.with_flag(t, "taken_back")}
            conn.execute(update(table).where(table.c.id == t["id"]).values(**gone))
        back = {"state": "open", "closed_at": None, "done_by": None, "done_for": None, "assignee": act.actor.holder, "version": task["version"] + 1}
        conn.execute(update(table).where(table.c.id == task["id"]).values(**back))
        keep_draft(act, task["id"], act.actor.id, typed(case.process.form_of(task["node"]), latest.answers))

    # -- the parts

    def mark_seen(self, act: Act, task_id: int) -> None:
        """Somebody who could do the task has opened it. Under the case's lock: a taking back sees it, or it sees the taking back."""
        act.conn.execute(select(store.record.c.id).where(store.record.c.id == task_id >> 16).with_for_update())
        table, known = store.task_seen, store.task
        is_there = exists().where(table.c.task_id == task_id, table.c.staff == act.actor.id)
        if act.conn.scalar(select(known.c.id).where(known.c.id == task_id, known.c.state == "open", ~is_there)) is not None:
            act.conn.execute(insert(table).values(task_id=task_id, staff=act.actor.id, at=act.now))

    def _task(self, act: Act, task_id: int) -> tuple[Open, Task]:
        return self.cases._task(act, task_id)

    def _open(self, act: Act, task_id: int) -> tuple[Open, Task]:
        case, task = self._task(act, task_id)
        self.cases._still_open(task, None)
        return case, task

    def _handler(self, act: Act, case: Open) -> None:
        """Raises Refused for who has nothing to do with the case, or is kept away from it."""
        if act.actor.id in (case.recused or ()):
            self._refuse(_KEPT_AWAY)
        if not handles(case.row, case.tasks, act.actor):
            raise Refused("handler", "您没有经办这件个案，也不是其主管", "You have nothing to do with this case, nor are you its supervisor")
        act.through(act.actor.post_over(case.record.unit))

    def _refuse(self, broken: Broken | None) -> None:
        if broken is not None:
            raise Refused(broken.rule, broken.zh, broken.en)

    def _noted(
        self, act: Act, case: Open, task: Task, event: str, said: Data, reason: str = "", puts: Sequence[Put] = (), *, changed: bool = True, **columns: Any
    ) -> dict[str, Any]:
        """An entry about a task. `changed`: whoever has the task open has to look again before he hands it in."""
        personal = {subject_of(case): {"reason": reason}} if reason else {}
        act.append(case.record, event, {"task": task["key"], **said}, personal=personal, puts=puts)
        values = {**columns, "version": task["version"] + 1} if changed else columns
        if values:
            act.conn.execute(update(store.task).where(store.task.c.id == task["id"]).values(**values))
        return self._told(case, {**task, **values})

    def _told(self, case: Open, task: Task) -> dict[str, Any]:
        return self.cases._told(case, task)


_KEPT_AWAY = Broken("near-relative", "与申请家庭成员有近亲属关系，应当回避本案", "A near relative of the household keeps away from this case")


def handles(case: Task, tasks: Sequence[Task], who: Actor) -> bool:
    """Whether somebody began the case, has or had a task of it or an opinion to give, may do one that is open, or supervises it."""
    if who.id == case["opened_by"] or who.holds("supervisor", case["unit"]):
        return True
    return any(
        who.id in (t["assignee"], t["owner"], t["done_by"], t["done_for"], *(s.staff for s in signers.of(t) if s.state != "withdrawn"))
        or (t["state"] == "open" and who.holds(t["role"], t["unit"]))
        for t in tasks
    )


def _people(staff: Sequence[str]) -> list[str]:
    if not staff:
        raise Invalid({"staff": ["至少选择一人"]})
    if len(staff) > MOST:
        raise Invalid({"staff": [f"一次最多 {MOST} 人"]})
    if len({*staff}) != len(staff):
        raise Invalid({"staff": ["同一人不能重复"]})
    return list(staff)


def _text(name: str, text: str) -> str:
    if not text.strip():
        raise Invalid({name: ["必须填写"]})
    if len(text) > LONGEST:
        raise Invalid({name: [f"最多 {LONGEST} 个字"]})
    return text.strip()


def _note_aad(case_id: int) -> bytes:
    return f"note:{case_id}".encode()


def _by_itself(entry: Entry) -> bool:
    """A mark that the machine set on a task: nobody has looked at it for that."""
    return entry.event in ("task_late", "task_manned", "deadline_recomputed") or (entry.event == "task_escalated" and "rules" in entry.data)


def _restored(entries: Sequence[Entry], latest: Entry) -> list[Put] | None:
    """What makes the rows that `latest` wrote as they were before; None where that cannot be: a row that it made, a table whose
    rows somebody has heard of (no `restorable` in its info, or it says no), later rows beside them, or a part that was erased."""
    wrote: dict[tuple[str, int], dict[str, Any]] = {}
    before: dict[tuple[str, int], dict[str, Any] | None] = {}
    subjects: dict[tuple[str, int], str | None] = {}
    for put, values in _puts(latest):
        key, may = (put["table"], put["id"]), store.metadata.tables[put["table"]].info.get("restorable")
        if values is None or may is None or not may(values):
            return None
        wrote.setdefault(key, {}).update(values)
        subjects[key] = put.get("of") or subjects.get(key)
    for entry in entries[: latest.seq - 1] if wrote else ():
        for put, values in _puts(entry):
            if (key := (put["table"], put["id"])) in wrote:
                known = before.get(key, {})
                before[key] = None if known is None or values is None else {**known, **values}
    if wrote and any(entry.said.get("puts") for entry in entries[latest.seq :]):
        return None
    if any(before.get(key) is None for key in wrote):
        return None
    return [Put(table, n, {name: (before[table, n] or {}).get(name) for name in values}, subjects[table, n]) for (table, n), values in wrote.items()]


def _puts(entry: Entry) -> Iterator[tuple[Data, dict[str, Any] | None]]:
    """What an entry put, each with its columns, personal ones included; None where they were erased."""
    for number, put in enumerate(entry.said.get("puts", ())):
        part = entry.personal.get(put["of"]) if "of" in put else {"puts": {}}
        yield put, None if part is None else {**put.get("set", {}), **part.get("puts", {}).get(str(number), {})}


def typed(form_class: Any, answers: Data) -> dict[str, Any]:
    """Answers as they are typed into their form: money in yuan, what was left empty left out."""
    fields = form_class().fields
    found = {name: _typed(fields[name].metadata, value) for name, value in answers.items() if name in fields}
    return {name: value for name, value in found.items() if value is not None}


def _typed(meta: Mapping[str, Any], value: Any) -> Any:
    if meta.get("widget") == "money" and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    if meta.get("widget") == "rows":
        return [typed(meta["form"], row) for row in value or ()]
    return value


# -- reads


def opinions(conn: Connection, keys: BoundKeys, task_id: int) -> list[dict[str, Any]]:
    """Everybody who was asked for an opinion on a task, oldest first, with question and answer."""
    table = store.task_signer
    rows = conn.execute(select(table).where(table.c.task_id == task_id).order_by(table.c.id)).mappings()
    return [{**row, **{name: row[name] and keys.reveal("task_signer", name, row["id"], row[name]) for name in ("question", "words")}} for row in rows]


def handed_in(conn: Connection, keys: BoundKeys, task_id: int) -> dict[str, Any] | None:
    """What waits for its signers: {staff, on_behalf_of, answers as typed}; None when nothing does."""
    rows = _held_rows(conn, task_id)
    return {"staff": rows[0]["staff"], "on_behalf_of": rows[0]["on_behalf_of"], "answers": _together(keys, rows)} if rows else None


def _held_rows(conn: Connection, task_id: int) -> list[Mapping[Any, Any]]:
    """One for each whom the answers concern; rows of before they were apart hold everything."""
    table = store.held
    return list(conn.execute(select(table).where(table.c.task_id == task_id, table.c.state == "held").order_by(table.c.id)).mappings())


def _together(keys: BoundKeys, rows: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    return joined([{"answers": json.loads(keys.reveal("held", "answers", row["id"], row["answers"]) or "{}")} for row in rows])


def urges(conn: Connection, task_id: int) -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(store.urge).where(store.urge.c.task_id == task_id).order_by(store.urge.c.id)).mappings())


def copies(conn: Connection, task_id: int) -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(store.case_copy).where(store.case_copy.c.task_id == task_id).order_by(store.case_copy.c.id)).mappings())


def comments(conn: Connection, keys: BoundKeys, case_id: int) -> list[dict[str, Any]]:
    table = store.case_comment
    rows = conn.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.id)).mappings()
    return [{**row, "text": keys.reveal("case_comment", "text", row["id"], row["text"])} for row in rows]


def notes(conn: Connection, keys: BoundKeys, case: Task) -> list[dict[str, Any]]:
    """The working notes of a case, for those who handle it: ask `handles` first."""
    table, cipher = store.case_note, keys.find(case["subject"] or f"case:{case['id']}")
    rows = conn.execute(select(table).where(table.c.case_id == case["id"]).order_by(table.c.id)).mappings()
    return [{"id": r["id"], "staff": r["staff"], "at": r["at"], "text": cipher.open(r["sealed"], _note_aad(case["id"])).decode()} for r in rows if cipher]


def taken_back(entries: Sequence[Entry]) -> frozenset[int]:
    """Numbers of the completions that were taken back."""
    return frozenset(e.data["undoes"] for e in entries if e.event == "task_taken_back")


def left_behind(conn: Connection, area: Any, active: Any) -> list[Mapping[Any, Any]]:
    """Open tasks in the area that are in the name of somebody who is not `active` (SELECT of logins), case by case."""
    task, record = store.task, store.record
    where = and_(store.is_open, task.c.assignee.is_not(None), area, task.c.assignee.not_in(active))
    query = select(*task.c, record.c.no, record.c.process).join(record, record.c.id == task.c.case_id).where(where)
    return list(conn.execute(query.order_by(task.c.assignee, task.c.case_id, func.coalesce(task.c.due_on, "9999")).limit(500)).mappings())
