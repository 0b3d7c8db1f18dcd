"""The one window in the demo: matters taken in, transferred, answered, returned, late, referred; also by phone and for somebody else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.model import Actor
from processes import calendar, intake_lists, intakes, organisation, routing
from processes.intake_tables import intake, intake_part

if TYPE_CHECKING:
    from web.demo import District

_WORKERS = (("dept-civil", "civil_affairs", "钱"), ("dept-housing", "housing", "孙"), ("dept-education", "education", "郑"), ("dept-jobs", "human_resources", "吴"),
            ("dept-medical", "medical_insurance", "冯"), ("dept-emergency", "emergency_management", "褚"))  # fmt: skip
# day, who needs help, programmes, need, more
_TAKEN: tuple[tuple[date, str, list[str], str, dict[str, str]], ...] = (
    (date(2018, 11, 21), "韩大爷", ["medical"], "住院自付部分难以承担，申请医疗救助。", {}),
    (date(2018, 11, 27), "蒋女士", ["housing"], "租住危旧平房，申请住房救助。", {}),
    (date(2018, 12, 5), "沈某", ["unknown"], "家里困难，不清楚可以申请什么。", {"requester": "neighbour", "requester_name": "邻居曹某", "channel": "phone"}),
    (date(2018, 12, 12), "杨师傅", ["employment"], "下岗半年，希望介绍工作。", {}),
    (date(2018, 12, 13), "朱家", ["education"], "子女考入大学，学费困难。", {"requester": "committee", "requester_name": "居委会", "channel": "committee"}),
    (date(2018, 12, 19), "秦大妈", ["disaster", "housing"], "暴雪压坏屋顶。", {"requester": "family", "requester_name": "秦某"}),
    (date(2019, 1, 16), "尤某", ["medical", "unknown"], "慢性病长期用药。", {}),
    (date(2019, 2, 20), "许师傅", ["employment"], "想参加技能培训。", {}),
    (date(2019, 2, 27), "何奶奶", ["medical"], "手术费用较高。", {"channel": "visit"}),
)  # fmt: skip


def begin(d: District) -> None:
    """The departments' workers. They have no tasks of cases, so the demo's staff does not know them."""
    units = {one.key: one.code for one in routing.departments()}
    hashed = organisation.hash_password(_password())
    with d.made.office.act() as act:
        for login, key, surname in _WORKERS:
            organisation.add_staff(act, login, f"{surname}经办", "", [("department_worker", units[key])], hashed=hashed)


def _password() -> str:
    from web.demo import PASSWORD

    return PASSWORD


def day(d: District, on: date) -> None:
    """What is due on a day: intakes of the list, a department's answer to what came some days before. The employment office answers late."""
    if not calendar.is_workday(on):
        return
    for place, (when, person, programmes, need, more) in enumerate(_TAKEN):
        if when == on:
            _take(d, place, person, programmes, need, more)
        if _after(when, 1) == on and programmes == ["medical"]:
            _handle(d, person, "accept", {"promised_on": (on + timedelta(days=14)).isoformat()})
        if _after(when, 1) == on and programmes == ["housing"]:
            _handle(d, person, "give_back", {"reason": "申请人已享受公租房补贴，危房修缮由民政会同街镇处理。", "next_unit": routing.departments()[0].code})
        if _after(when, 2) == on and programmes == ["housing"]:
            _window(d, person, "pass_on", {"to_unit": routing.departments()[0].code, "note": "按退回意见转办"})
        if _after(when, 2) == on and programmes == ["unknown"]:
            _window(d, person, "to_charity", {"to_name": "滨海新区慈善协会", "note": "收入略高于标准，现行救助均不适用。"})
        if _after(when, 6) == on and programmes == ["medical"]:
            _handle(d, person, "answer", {"result": "granted", "result_text": "按规定给予医疗救助。"})
        if _after(when, 7) == on and programmes == ["education"]:
            _handle(d, person, "accept", {"promised_on": (on + timedelta(days=10)).isoformat()})


def _after(when: date, days: int) -> date:
    return calendar.add_workdays(when, days)


def _clerk(d: District, place: int) -> tuple[Actor, str]:
    street, community = d.streets[place % len(d.streets)]
    return d.by_role("window_clerk", street)[0], community


def _take(d: District, place: int, person: str, programmes: list[str], need: str, more: dict[str, str]) -> None:
    clerk, community = _clerk(d, place)
    said = {"community": community, "known_as": person, "requester": "self", "channel": "window", "received_on": d.made.office.today(), "programmes": programmes, "need": need, **more}
    with d.made.office.act(clerk) as act:
        intakes.take(act, said)


def _part(d: District, person: str) -> tuple[int, str]:
    """(the first open part of the newest intake about somebody, its clerk)."""
    with d.made.office.read() as conn:
        keys = d.made.office.keys.on(conn)
        for row in conn.execute(select(intake).order_by(intake.c.id.desc())).mappings():
            if keys.reveal("intake", "known_as", row["id"], row["known_as"]) == person:
                return int(conn.execute(select(intake_part.c.id).where(intake_part.c.intake_id == row["id"]).order_by(intake_part.c.id)).scalars().first() or 0), str(row["taken_by"])
    raise LookupError(person)


def _window(d: District, person: str, verb: str, said: dict[str, Any]) -> None:
    part, login = _part(d, person)
    with d.made.office.act(d.actors[login]) as act:
        getattr(intakes, verb)(act, part, said)


def _handle(d: District, person: str, verb: str, said: dict[str, Any]) -> None:
    part, _ = _part(d, person)
    with d.made.office.read() as conn:
        sent = intake_lists.last_transfer(conn, part)
        workers = [organisation.find_actor(conn, login) for login, _, _ in _WORKERS]
    worker = next(one for one in workers if one is not None and sent is not None and one.holds("department_worker", sent["to_unit"]))
    with d.made.office.act(worker) as act:
        getattr(intakes, verb)(act, sent["id"] if sent else 0, said)
