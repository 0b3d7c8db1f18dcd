"""揭下照片: the photo of a notice that came down before its time, by an objection, a withdrawal or a further change (N220 arts 25, 29).

A notice that hangs its full time is taken down by a task of its drawing, which asks for the photo. One that is disputed is over on the
day on which that is recorded, by no task; whoever takes it off the board records the photo here. The entry stands in the case's record.
This module opens no transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form, document, on_date, text
from engine.model import Actor, Data, Put
from engine.office import Act
from engine.store import record
from processes import documents, erasure, households, readers
from processes.case_tables import notice

EVENT = "notice_removal_shown"
REMOVERS = frozenset({"village_committee", "window_clerk", "civil_affairs_officer"})


class Removal(Form):
    """The photo, and the day on which the sheet was really taken off the board."""

    taken_down_on = on_date("实际揭下日期", "Taken off the board on")
    photo = document("揭下照片", "Photo of the removal", required=True)
    note = text("说明", "Note", required=False, widget="textarea", max=500)


def show_removal(act: Act, no: str, notice_id: int, said: Data) -> None:
    """Record the photo of a notice that came down early; `said` as `Removal` understood it. Once: a photo is not replaced. The day on
    which the notice was over (`removed_on`) stays. Refused: no such post there, near relatives, a notice that still hangs."""
    case = act.open("case", notice_id >> 16)
    row, household_id = _row(act.conn, no, notice_id)
    if not readers.of_cases(act.actor).covers(row["community"]):
        raise NotFound("没有这份公示")
    post = act.actor.post_over(row["community"], REMOVERS)
    if post is None:
        raise Refused("role", "揭下照片由居村委会、窗口经办人或民政专干登记", "The committee, window clerks and civil affairs officers record that")
    act.through(post)
    households.refuse_relative(act, household_id)
    erasure.refuse_restricted(act.conn, household_id)
    if row["removed_on"] is None:
        raise Refused("notice-hangs", "公示尚未结束，到期由“揭下公示”环节登记", "The notice still hangs: its own task takes it down")
    if row["photo_removed"] is not None:
        raise Conflict("这份公示已登记揭下照片", "The photo of its removal is recorded already")
    wrong = documents.foreign(act.conn, Removal(), said, household_id)
    if said["taken_down_on"] < row["posted_on"]:
        wrong["taken_down_on"] = [f"不能早于张贴日期（{row['posted_on']}）"]
    if wrong:
        raise Invalid(wrong)
    act.append(case, EVENT, {"notice": notice_id, "stage": row["stage"]}, personal={f"household:{household_id}": {"answers": dict(said)}},
               puts=[Put("notice", notice_id, {"photo_removed": said["photo"]})])  # fmt: skip


def waits(conn: Connection, actor: Actor, row: Mapping[Any, Any]) -> bool:
    """Whether this actor may record the photo of this notice's removal now: what a page offers."""
    if row["removed_on"] is None or row["photo_removed"] is not None or actor.post_over(row["community"], REMOVERS) is None:
        return False
    return actor.id not in households.recused_staff(conn, _row(conn, row["case_no"], row["id"])[1])


def household_of(conn: Connection, no: str, notice_id: int) -> int:
    """Whose notice it is. Raises NotFound."""
    return _row(conn, no, notice_id)[1]


def _row(conn: Connection, no: str, notice_id: int) -> tuple[Mapping[Any, Any], int]:
    query = select(notice, record.c.subject).join(record, record.c.no == notice.c.case_no)
    found = conn.execute(query.where(notice.c.id == notice_id, notice.c.case_no == no)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这份公示")
    return found, int(found["subject"].partition(":")[2])
