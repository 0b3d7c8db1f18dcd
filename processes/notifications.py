"""Telling residents (issue 7, line 7): who agreed is told that something happened, by SMS or e-mail, and never what.

No act waits for a gateway, or writes anything for one: a scan looks at the rows that acts left (letters, payments, dates of reviews) and puts what is new into
the outbox, each thing once for each contact (`dedupe_key`); a job for each message sends it, at least once, always with the same key. What stands in a
text is a whitelist: a number, a day, an office. Off until a gateway is configured (decision 073).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form, choice, folded, number, text
from engine.jobs import Handler, Job, Later, plan
from engine.model import SHANGHAI, Actor, Put
from engine.office import Act, Office
from engine.queries import Page, within
from processes import erasure, households, organisation, readers
from processes.case_tables import letter
from processes.conclusions import LETTERS
from processes.festival_tables import festival_item
from processes.gateways import CHANNELS, Gateway, GatewayFailed, GatewayRefused, Message
from processes.notification_tables import inbox_seen, notification
from processes.notification_tables import notification_contact as contact
from processes.payment_tables import payment_item, payment_return, payment_sending
from processes.tables import benefit, household

SCAN, SEND = "notify_scan", "notify_send"  # kinds of jobs
EVERY = timedelta(minutes=5)  # from one look to the next, on one business day
LOOKS_BACK = 3  # days: what is older, nobody is told any more
REVIEW_AHEAD = 14  # days before a review falls due
AT_ONCE = 100  # messages of one scan
RECORDERS = frozenset({"window_clerk", "civil_affairs_officer", "investigator", "reviewer"})
READERS = frozenset({"admin", "supervisor"})
STATES = {"waiting": ("待发送", "Waiting"), "sent": ("已发送", "Sent"), "refused": ("网关拒收", "Refused by the gateway"), "dropped": ("不再发送", "Not sent any more")}
WHY = {"switched_off": ("本人已停止接收", "He wants no more messages"), "no_gateway": ("网关未启用", "No gateway is switched on"), "refused": ("号码或地址无效", "No such number or address"),
       "skipped": ("主管决定不再发送", "Given up by the supervisor"), "restricted": ("数据限制处理", "His data are restricted")}  # fmt: skip

# What may stand in a text, and how it looks: nothing of anybody's circumstances, no name, no amount, no ID (reference/ui.md; domain S33).
WHITELIST: Mapping[str, re.Pattern[str]] = {"no": re.compile(r"[A-Z]{1,4}(-[0-9]{4}-)?[0-9]{1,9}"), "day": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "unit": re.compile(r"[^\x00-\x1f【】\[\]]{1,80}")}
# event -> (Chinese, English): title for staff; text
EVENTS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "accepted": (("申请已受理", "Application accepted"), ("【{unit}】您的申请{no}已于 {day} 受理，请留意后续通知。", "[{unit}] Your application{no} was accepted on {day}.")),
    "supplement": (("需要补充材料", "Supplement needed"), ("【{unit}】您的申请{no}需要补充材料，请查看 {day} 的通知书或到窗口询问。", "[{unit}] Papers are missing for your application{no}: see the letter of {day}, or ask at the window.")),
    "decided": (("决定已作出", "Decision issued"), ("【{unit}】您的事项{no}已于 {day} 出具文书，请等候送达或到窗口领取。", "[{unit}] A letter about your case{no} was issued on {day}; it is delivered to you, or can be fetched at the window.")),
    "credited": (("款项已到账", "Payment credited"), ("【{unit}】您的款项已于 {day} 划入登记的账户，请查收。", "[{unit}] A payment was credited to your account on {day}.")),
    "returned": (("款项被退回", "Payment returned"), ("【{unit}】您的款项因账户原因未能到账，请持身份证件和银行卡到窗口办理。", "[{unit}] A payment could not be credited because of the account: please come to the window with your ID and bank card.")),
    "review_due": (("即将复审", "Review due soon"), ("【{unit}】您家的定期复审将于 {day} 到期，请按通知准备材料。", "[{unit}] Your regular review falls due on {day}; please have your papers ready.")),
}  # fmt: skip
_LETTERS = {
    "acceptance": "accepted", "supplement": "supplement", "temp_supplement": "supplement", "evidence_request": "supplement",
    **dict.fromkeys(("approval", "refusal", "termination", "low_income_certificate", "check_rejection", "temp_grant", "temp_refusal", *LETTERS.values()), "decided"),
}  # fmt: skip
_PHONE, _MAIL = re.compile(r"1[0-9]{10}"), re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class ContactIn(Form):
    """本人同意接收通知: where a member of the household wants to hear from us."""

    person_id = number("家庭成员", "Member")
    channel = choice("方式", "By", [(code, zh, en) for code, (zh, en) in CHANNELS.items()])
    address = text("手机号码或电子邮箱", "Mobile number or e-mail address", max=120)
    lang = choice("语言", "Language", [("zh", "中文", "Chinese"), ("en", "英文", "English")], required=False)


def render(event: str, lang: str, values: Mapping[str, str]) -> str:
    """The text of a message. ValueError for what the whitelist does not have, or does not look like that."""
    wrong = [name for name, value in values.items() if name not in WHITELIST or not WHITELIST[name].fullmatch(value)]
    if wrong:
        raise ValueError(f"not on the whitelist of a message: {sorted(wrong)}")
    english = lang == "en"
    no = values.get("no")
    return EVENTS[event][1][english].format(**{**values, "no": "" if no is None else f" (No. {no})" if english else f"（编号 {no}）"})


# -- contacts


def agree(act: Act, household_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A member agreed to be told, at this number or address; it takes the place of his earlier one of the same channel. `said`: as understood by ContactIn. Returns {"contact"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    row = _home(act, household_id)
    address = folded(said["address"])
    if not (_PHONE if said["channel"] == "sms" else _MAIL).fullmatch(address):
        raise Invalid({"address": ["请填写 11 位手机号码" if said["channel"] == "sms" else "电子邮箱不正确"]})
    if said["person_id"] not in {m["person_id"] for m in households.members_of(act.conn, household_id)}:
        raise Invalid({"person_id": ["不是该家庭的成员"]})
    erasure.refuse_restricted(act.conn, household_id)
    record = act.open("household", household_id)
    before = act.conn.scalars(select(contact.c.id).where(contact.c.household_id == household_id, contact.c.person_id == said["person_id"], contact.c.channel == said["channel"], contact.c.active)).all()
    ended = {"active": False, "ended_on": act.today.isoformat(), "ended_by": act.actor.id}
    number_ = record.next_id()
    values = {"household_id": household_id, "person_id": said["person_id"], "channel": said["channel"], "address": address, "lang": said.get("lang") or "zh", "active": True, "agreed_on": act.today.isoformat(), "recorded_by": act.actor.id}
    puts = [*(Put("notification_contact", one, ended) for one in before), Put("notification_contact", number_, values, f"person:{said['person_id']}")]
    act.append(record, "contact_agreed", {"channel": said["channel"], "person": said["person_id"]}, puts=puts)
    told = {"contact": number_, "household_id": row["id"]}
    act.remember(told)
    return told


def switch_off(act: Act, contact_id: int) -> dict[str, Any]:
    """He wants no more messages there; what waits to be sent is not sent."""
    row = act.conn.execute(select(contact).where(contact.c.id == contact_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这个联系方式")
    _home(act, row["household_id"])
    record = act.open("household", row["household_id"])
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if not act.conn.scalar(select(contact.c.active).where(contact.c.id == contact_id)):
        raise Conflict("已经停止接收", "It is switched off already")
    act.append(record, "contact_ended", {"channel": row["channel"], "person": row["person_id"]}, puts=[Put("notification_contact", contact_id, {"active": False, "ended_on": act.today.isoformat(), "ended_by": act.actor.id})])
    told = {"contact": contact_id, "household_id": row["household_id"]}
    act.remember(told)
    return told


def _home(act: Act, household_id: int) -> Mapping[Any, Any]:
    row = households.row(act.conn, household_id)
    if not readers.of_cases(act.actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    post = act.actor.post_over(row["community"], RECORDERS)
    if post is None:
        raise Refused("contact-recorder", "通知方式由街镇经办人员登记", "The street's staff record where somebody wants to be told")
    act.through(post)
    return row


def contacts(conn: Connection, keys: BoundKeys, actor: Actor, household_id: int) -> list[dict[str, Any]]:
    """The contacts of a household, the latest first: addresses masked."""
    row = households.row(conn, household_id)
    if not readers.of_cases(actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    rows = conn.execute(select(contact).where(contact.c.household_id == household_id).order_by(contact.c.id.desc())).mappings()
    return [{**{name: one[name] for name in ("id", "household_id", "person_id", "channel", "lang", "active", "agreed_on", "ended_on")}, "address": masked(_address(keys, one))} for one in rows]


def _address(keys: BoundKeys, one: Mapping[Any, Any]) -> str:
    return keys.reveal("notification_contact", "address", one["id"], one["address"]) if one["address"] else ""


def masked(address: str) -> str:
    name, at, host = address.rpartition("@")
    return f"{name[:1]}***{at}{host}" if at else f"{address[:3]}****{address[-4:]}" if len(address) == 11 else ""


# -- what there is to tell


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a household: `key` names it for good; `on`: its day; `no`: of the case, where there is one."""

    event: str
    key: str
    household_id: int
    on: str
    no: str | None = None
    person_id: int | None = None  # only he is told; none: whoever of the household agreed


def _letters(conn: Connection, _keys: BoundKeys, today: date) -> Iterator[News]:
    query = select(letter.c.id, letter.c.kind, letter.c.household_id, letter.c.case_no, letter.c.issued_on)
    for row in conn.execute(query.where(letter.c.issued_on >= _back(today), letter.c.kind.in_(_LETTERS)).order_by(letter.c.id)):
        yield News(_LETTERS[row.kind], f"letter:{row.id}", row.household_id, row.issued_on, row.case_no)


def _festival(conn: Connection, _keys: BoundKeys, today: date) -> Iterator[News]:
    c = festival_item.c
    since = _back(today)
    query = select(c.id, c.household_id, c.person_id, c.state, c.credited_on, c.returned_on).where(c.household_id.is_not(None), c.year.in_((today.year, today.year + 1)))
    for row in conn.execute(query.where(or_((c.state == "credited") & (c.credited_on >= since), (c.state == "returned") & (c.returned_on >= since))).order_by(c.id)):
        yield News(row.state, f"festival:{row.id}:{row.state}", row.household_id, row.credited_on or row.returned_on, person_id=row.person_id)


def _monthly(conn: Connection, _keys: BoundKeys, today: date) -> Iterator[News]:
    """What the bank has said of the monthly payments; of runs with an answer of these days, and households of which somebody wants to be told."""
    c, since = payment_sending.c, _back(today)
    runs = select(payment_return.c.run_id).where(payment_return.c.entered_on >= since)
    agreed = select(contact.c.household_id).where(contact.c.active)
    query = select(c.id, c.state, c.credited_on, c.answered_on, c.taken_back_on, payment_item.c.household_id, benefit.c.person_id).join(payment_item, payment_item.c.id == c.item_id).join(benefit, benefit.c.id == payment_item.c.benefit_id)
    for row in conn.execute(query.where(c.run_id.in_(runs), or_(c.state.in_(("paid", "returned")) & (c.answered_on >= since), c.taken_back_on >= since), payment_item.c.household_id.in_(agreed)).order_by(c.id)):
        paid = row.state == "paid"
        day = row.credited_on if paid and row.credited_on else row.taken_back_on or row.answered_on
        yield News("credited" if paid else "returned", f"payment:{row.id}:{row.state}", row.household_id, day, person_id=row.person_id)


def _reviews(conn: Connection, _keys: BoundKeys, today: date) -> Iterator[News]:
    c = benefit.c
    query = select(c.id, c.household_id, c.person_id, c.next_review_on).where(c.status == "active", c.next_review_on > today.isoformat(), c.next_review_on <= (today + timedelta(days=REVIEW_AHEAD)).isoformat())
    for row in conn.execute(query.order_by(c.id)):
        yield News("review_due", f"review:{row.id}:{row.next_review_on}", row.household_id, row.next_review_on, person_id=row.person_id)


def _back(today: date) -> str:
    return (today - timedelta(days=LOOKS_BACK)).isoformat()


SOURCES: list[Callable[[Connection, BoundKeys, date], Iterable[News]]] = [_letters, _festival, _monthly, _reviews]
"""Where news comes from: each gives what is no older than LOOKS_BACK days; what was told already is left out afterwards."""


def scan(office: Office, gateways: Mapping[str, Gateway]) -> Handler:
    """Puts what is new into the outbox, and itself down for the next look on the same business day."""

    def handler(job: Job) -> Callable[[Act], None]:
        with office.read() as conn:
            found = _new(conn, office.keys.on(conn), office.today(), frozenset(gateways))

        def effect(act: Act) -> None:
            some = found[:AT_ONCE]
            for one in some:
                _put(act, *one)
            again = act.now + (timedelta() if len(found) > len(some) else EVERY)
            if len(found) > len(some) or again.astimezone(SHANGHAI).date() == act.today:
                plan(act.conn, SCAN, job.record_id, f"{act.today}:{job.id}", again, {})

        return effect

    return handler


def _new(conn: Connection, keys: BoundKeys, today: date, channels: frozenset[str]) -> list[tuple[str, News, Mapping[Any, Any], str]]:
    """(dedupe key, news, contact, street) of what nobody was told yet, by household."""
    if not channels:
        return []
    told = {}
    for source in SOURCES:
        told.update({one.key: one for one in source(conn, keys, today)})
    asked: dict[int, list[Mapping[Any, Any]]] = {}
    for some in _in_lists(sorted({one.household_id for one in told.values()})):
        query = select(contact, household.c.street).join(household, household.c.id == contact.c.household_id)
        for row in conn.execute(query.where(contact.c.household_id.in_(some), contact.c.active, contact.c.channel.in_(channels)).order_by(contact.c.id)).mappings():
            asked.setdefault(row["household_id"], []).append(row)
    pairs = [(f"{news.key}:{row['id']}", news, row, row["street"]) for news in told.values() for row in asked.get(news.household_id, ()) if _for_him(news, row, today)]
    known = {key for some in _in_lists([pair[0] for pair in pairs]) for key in conn.scalars(select(notification.c.dedupe_key).where(notification.c.dedupe_key.in_(some)))}
    shut = erasure.restricted(conn, {f"person:{pair[2]['person_id']}" for pair in pairs}) if pairs else frozenset()
    return sorted((pair for pair in pairs if pair[0] not in known and f"person:{pair[2]['person_id']}" not in shut), key=lambda pair: (pair[1].household_id, pair[0]))


def _for_him(news: News, row: Mapping[Any, Any], today: date) -> bool:
    """Not what happened before he agreed; another member's own benefit is not his to hear of."""
    return (news.event == "review_due" or news.on >= row["agreed_on"]) and news.person_id in (None, row["person_id"]) and row["agreed_on"] <= today.isoformat()


def _in_lists(rows: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _put(act: Act, key: str, news: News, row: Mapping[Any, Any], street: str) -> None:
    record = act.open("household", news.household_id)
    if act.conn.scalar(select(notification.c.id).where(notification.c.dedupe_key == key)) is not None:
        return  # another worker's scan was first
    values = {"unit": organisation.unit_name(act.conn, street), "day": news.on, **({"no": news.no} if news.no and WHITELIST["no"].fullmatch(news.no) else {})}
    message = render(news.event, row["lang"], values)
    number_ = record.next_id()
    put = {"dedupe_key": key, "household_id": news.household_id, "contact_id": row["id"], "street": street, "channel": row["channel"], "event": news.event, "lang": row["lang"], "content": json.dumps(values, ensure_ascii=False),
           "digest": hashlib.sha256(message.encode()).hexdigest(), "state": "waiting", "made_on": act.today.isoformat(), "made_at": act.now.astimezone(UTC).isoformat(timespec="seconds")}  # fmt: skip
    act.append(record, "notification_made", {"event": news.event, "channel": row["channel"]}, puts=[Put("notification", number_, put)])
    plan(act.conn, SEND, record.id, str(number_), act.now, {})


# -- sending


def send(office: Office, gateways: Mapping[str, Gateway]) -> Handler:
    """One message through its gateway, outside of every transaction; then the row says so. At least once, always with the same key."""

    def handler(job: Job) -> Callable[[Act], None]:
        number_ = int(job.key)
        with office.read() as conn:
            row = conn.execute(select(notification).where(notification.c.id == number_)).mappings().one()
            to = conn.execute(select(contact).where(contact.c.id == row["contact_id"])).mappings().one()
            address = _address(office.keys.on(conn), to)
            shut = bool(erasure.restricted(conn, {f"person:{to['person_id']}"}))
        gateway = gateways.get(row["channel"])
        if row["state"] != "waiting":
            return lambda _act: None
        why = "switched_off" if not to["active"] else "restricted" if shut or not address else "no_gateway" if gateway is None else None
        if why is not None or gateway is None:
            return lambda act: _ended(act, number_, "dropped", why or "no_gateway")
        values = json.loads(row["content"])
        message = Message(row["dedupe_key"], row["channel"], address, row["lang"], EVENTS[row["event"]][0][row["lang"] == "en"], render(row["event"], row["lang"], values), row["event"], values)
        try:
            receipt = gateway.send(message)
        except GatewayRefused:
            return lambda act: _ended(act, number_, "refused", "refused")
        except GatewayFailed as trouble:
            raise Later(trouble.retry_after, str(trouble)) from None
        return lambda act: _ended(act, number_, "sent", None, receipt)

    return handler


def given_up(job: Job) -> Callable[[Act], None]:
    """What stands for it when the supervisor skips a message that failed for good: it is not sent."""
    return lambda act: _ended(act, int(job.key), "dropped", "skipped")


def _ended(act: Act, number_: int, state: str, why: str | None, receipt: str = "") -> None:
    row = act.conn.execute(select(notification).where(notification.c.id == number_)).mappings().one()
    record = act.open("household", row["household_id"])
    values = {"state": state, "why": why, **({"sent_at": act.now.astimezone(UTC).isoformat(timespec="seconds"), "receipt": receipt or None} if state == "sent" else {})}
    act.append(record, f"notification_{state}", {"event": row["event"], "channel": row["channel"], "digest": row["digest"]}, puts=[Put("notification", number_, values)])


# -- looking


def outbox(conn: Connection, keys: BoundKeys, actor: Actor, *, state: str | None = None, event: str | None = None, channel: str | None = None, household_id: int | None = None, page: int = 1, size: int = 25) -> Page:
    """Messages of the area of administrators and supervisors, the latest first: addresses masked, no text."""
    c = notification.c
    areas = actor.only(actor.roles & READERS).areas
    if not areas:
        raise Refused("outbox-reader", "发件箱由系统管理员和监督主管查看", "Administrators and supervisors see the outbox")
    where: list[ColumnElement[bool]] = [within(c.street, areas)]
    where += [column == value for column, value in ((c.state, state), (c.event, event), (c.channel, channel), (c.household_id, household_id)) if value is not None]
    query = select(notification, contact.c.address, contact.c.id.label("cid")).join(contact, contact.c.id == c.contact_id).where(*where).order_by(c.made_on.desc(), c.id.desc())
    total = conn.scalar(select(func.count()).select_from(notification).where(*where)) or 0
    rows: list[Mapping[Any, Any]] = []
    for row in conn.execute(query.limit(size).offset((page - 1) * size)).mappings():
        address = keys.reveal("notification_contact", "address", row["cid"], row["address"]) if row["address"] else ""
        rows.append({**{name: row[name] for name in ("id", "household_id", "street", "channel", "event", "lang", "state", "made_at", "sent_at", "receipt", "why", "digest")}, "address": masked(address)})
    return Page(rows, total, page, size)


def sums(conn: Connection, actor: Actor) -> dict[str, int]:
    """How many there are in each state."""
    c = notification.c
    found = dict.fromkeys(STATES, 0)
    for row in conn.execute(select(c.state, func.count().label("n")).where(within(c.street, actor.only(actor.roles & READERS).areas)).group_by(c.state)):
        found[row.state] = row.n
    return found


# -- the workers' inbox: when each last looked


def seen_at(conn: Connection, staff: str) -> datetime | None:
    found: datetime | None = conn.scalar(select(inbox_seen.c.at).where(inbox_seen.c.staff == staff))
    return found


def look(act: Act) -> None:
    """From now on, what is older is not new to him."""
    act.conn.execute(delete(inbox_seen).where(inbox_seen.c.staff == act.actor.id))
    act.conn.execute(insert(inbox_seen).values(staff=act.actor.id, at=act.now))
