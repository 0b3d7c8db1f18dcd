"""The papers of a joint meeting: the text of its minutes as the data gives it, the issued bytes, the sheet for votes on paper."""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from sqlalchemy import Connection, insert, select

from engine.crypto import BoundKeys, file_commitment
from engine.errors import NotFound
from engine.office import Act
from engine.process import CaseRef
from processes import households, letters, meeting_units, meetings, special_cases
from processes.case_tables import letter_bytes
from processes.identity import mask_name
from processes.joint_meeting_forms import CHOICES, KINDS, MEASURES, RECUSALS
from processes.money import yuan

TITLE = "滨海新区社会救助联席会议纪要"
Words = Sequence[tuple[str, str, str]]


def number(year: int, n: int) -> str:
    return f"津滨联席纪〔{year}〕{n}号"


def word(choices: Words, code: str | None) -> str:
    return next((zh for value, zh, _ in choices if value == code), code or "")


# -- the text


def generated(conn: Connection, keys: BoundKeys, no: str, today: date) -> str:
    """The minutes as the meeting's data gives them; households by masked name and case number."""
    meeting, lines = meetings.row(conn, no), []
    seats = meetings.attendance(conn, no)
    sum_ = meetings.sum_of(conn, meeting, None, today)
    lines.append(f"{letters.chinese_date(meeting['held_on'] or meeting['planned_on'])}，在{meeting['place']}召开社会救助联席会议（{word(KINDS, meeting['kind'])}，{no}）。")
    came = [f"{meeting_units.named([s['unit']])[0]}（{s['name']}）" for s in seats if s["voting"] and s["staff"]]
    lines.append(f"出席：{'、'.join(came)}。")
    if absent := meeting_units.named(s["unit"] for s in seats if s["voting"] and not s["staff"]):
        lines.append(f"缺席：{'、'.join(absent)}。")
    if guests := [s["name"] for s in seats if not s["voting"]]:
        lines.append(f"列席：{'、'.join(guests)}。")
    lines.append(f"应到成员单位 {sum_.expected} 个，实到 {len(came)} 个，法定人数 {sum_.required} 个。")
    for item in meetings.items(conn, no):
        if item["status"] in ("announced", "deferred", "lapsed"):
            lines += _item_lines(conn, keys, item)
    return "\n".join(lines)


def reveal(keys: BoundKeys, table: str, column: str, row: Mapping[Any, Any]) -> str:
    return str(keys.reveal(table, column, row["id"], row[column]) or "") if row[column] else ""


def _item_lines(conn: Connection, keys: BoundKeys, item: Mapping[Any, Any]) -> list[str]:
    name = mask_name(households.applicant(conn, item["household_id"])["name"])
    found = [f"议题 {item['position']}：{name}户（{item['case_no']}）。"]
    if discussion := reveal(keys, "agenda_item", "discussion", item):
        found.append(f"讨论：{discussion}")
    if item["status"] == "lapsed":
        return [*found, "个案已撤回或已办结，议题失效。"]
    found += _vote_lines(conn, keys, item)
    found.append(f"决议：{_resolved(item)}。理由：{reveal(keys, 'agenda_item', 'reasons', item)}")
    if conditions := reveal(keys, "agenda_item", "conditions", item):
        found.append(f"条件：{conditions}")
    if item["review_on"]:
        found.append(f"{letters.chinese_date(item['review_on'])}再次研究。")
    for one in meetings.measures(conn, item):
        found.append(f"其他帮扶：{measure_words(one)}。")
    return found


def measure_words(one: Mapping[Any, Any]) -> str:
    fen = f"{yuan(one['amount_fen'])}元" if one["amount_fen"] is not None else ""
    return word(MEASURES, one["kind"]) + fen + (f"（{one['by_whom']}）" if one["by_whom"] else "")


def _resolved(item: Mapping[Any, Any]) -> str:
    said = word(special_cases.RESOLUTIONS, item["resolution"])
    if item["resolution"] == "approve_as":
        said += f"{word(special_cases.APPROVED_ALL, item['approved_category'])}，{'' if item['approved_category'] == special_cases.ONCE else '每月'}{yuan(item['approved_fen'])}元"
        said += f"（会议确定的金额，执行至{item['fixed_until']}）" if item["fixed"] else "（按规定测算）"
    return said + (f"：{item['referred_to']}" if item["referred_to"] else "")


def _vote_lines(conn: Connection, keys: BoundKeys, item: Mapping[Any, Any]) -> list[str]:
    cast = meetings.votes(conn, item)
    found = []
    if recused := meetings.recused_units(conn, item):
        found.append("回避：" + "、".join(f"{meeting_units.named([unit])[0]}（{word(RECUSALS, ground)}）" for unit, ground in recused.items()) + "。")
    if not cast:
        return [*found, "未付表决。"]
    found.append(
        f"付表决的决议：{word(special_cases.RESOLUTIONS, item['motion'])}。第 {item['ballot']} 次表决，参加表决 {item['base']} 个单位："
        f"同意 {item['votes_for']}，反对 {item['votes_against']}，弃权 {item['abstain']}。"
    )
    for vote in cast:
        if vote["choice"] != "for":
            dissent = reveal(keys, "meeting_vote", "dissent", vote)
            found.append(f"{meeting_units.named([vote['unit']])[0]}{word(CHOICES, vote['choice'])}" + (f"：{dissent}" if dissent else "。"))
    return found


# -- on paper


def marked(words: str, made: str) -> str:
    """The text as paragraphs of HTML; lines that a person changed or added are marked."""
    ours, theirs = words.splitlines(), made.splitlines()
    same = {n for block in difflib.SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks() for n in range(block.b, block.b + block.size)}
    return "\n".join(f"<p>{escape(line)}</p>" if n in same else f"<p><mark>{escape(line)}</mark></p>" for n, line in enumerate(ours) if line.strip())


def page(meeting: Mapping[Any, Any], words: str, made: str, issued_no: str, confirmed: Iterable[str]) -> str:
    head = f'<h1>{TITLE}</h1>\n<p class="number">{escape(issued_no)}</p>\n'
    note = "<p>（标出的文字与系统生成的不同）</p>" if words != made else ""
    names = "、".join(confirmed)
    return letters.standalone(
        f"{TITLE} {issued_no}",
        f"{head}{marked(words, made)}{note}<p>经下列单位确认：{escape(names)}。</p>"
        f'<p class="foot">会议编号：{escape(meeting["no"])}</p>',
    )


def keep(act: Act, case: CaseRef, latest: Mapping[Any, Any], issued_no: str) -> tuple[str, int]:
    """Keep the issued bytes sealed; their digest and size."""
    words, made = (reveal(act.keys, "meeting_minutes", name, latest) for name in ("text", "generated"))
    units = meeting_units.named(one["unit"] for one in meetings.confirmations(act.conn, latest["id"]) if one["agrees"])
    written = page(meetings.row(act.conn, case.no), words, made, issued_no, units)
    cipher = act.keys.subject(f"case:{case.id}")
    sealed = cipher.seal(zlib.compress(written.encode(), 9), f"minutes:{latest['id']}".encode())
    act.conn.execute(insert(letter_bytes), {"id": latest["id"], "sealed": sealed})
    return file_commitment(cipher, written.encode()), len(written.encode())


def issued_bytes(conn: Connection, keys: BoundKeys, meeting: Mapping[Any, Any]) -> bytes:
    """The minutes as they were issued, byte for byte."""
    return bytes_of(conn, keys, meeting["minutes_id"], meeting["case_id"])


def bytes_of(conn: Connection, keys: BoundKeys, minutes_id: int | None, case_id: int) -> bytes:
    """The bytes of a version that was issued; `case_id`: the meeting's record. NotFound when it was not."""
    sealed = conn.scalar(select(letter_bytes.c.sealed).where(letter_bytes.c.id == minutes_id)) if minutes_id else None
    cipher = keys.find(f"case:{case_id}")
    if sealed is None or cipher is None:
        raise NotFound("会议还没有纪要")
    return zlib.decompress(cipher.open(sealed, f"minutes:{minutes_id}".encode()))


def draft_page(conn: Connection, keys: BoundKeys, meeting: Mapping[Any, Any]) -> str:
    """The newest version, to be read before it is confirmed."""
    versions = meetings.minutes(conn, meeting["no"])
    if not versions:
        raise NotFound("会议还没有纪要")
    latest = versions[-1]
    words, made = (reveal(keys, "meeting_minutes", name, latest) for name in ("text", "generated"))
    units = meeting_units.named(one["unit"] for one in meetings.confirmations(conn, latest["id"]) if one["agrees"])
    return page(meeting, words, made, f"第 {latest['version']} 稿（未签发）", units)


def vote_sheet(conn: Connection, keys: BoundKeys, meeting: Mapping[Any, Any]) -> str:
    """A sheet for each item, to vote on paper; the secretary enters it afterwards."""
    seats = {one["unit"]: one for one in meetings.attendance(conn, meeting["no"]) if one["voting"]}
    parts = [f"<h1>联席会议表决票</h1><p>{escape(meeting['no'])}　{letters.chinese_date(meeting['held_on'] or meeting['planned_on'])}　{escape(meeting['place'])}</p>"]
    for item in meetings.items(conn, meeting["no"]):
        if item["status"] not in ("listed", "admitted"):
            continue
        name = mask_name(households.applicant(conn, item["household_id"])["name"])
        rows = [(meeting_units.named([unit])[0], (seats.get(unit) or {}).get("name") or "", "□同意　□反对　□弃权　□回避", "", "") for unit in _in_order(meeting)]
        parts.append(f"<h2>议题 {item['position']}：{escape(name)}户（{escape(item['case_no'])}）</h2><p>付表决的决议：{word(special_cases.RESOLUTIONS, item['motion'])}</p>")
        parts.append(letters.table(("成员单位", "成员", "表决", "不同意见", "签字"), rows))
    parts.append("<p>区民政局最后表决；票数相等视为未通过。召集人签字：　　　　　　秘书签字：　　　　　　</p>")
    return letters.standalone("联席会议表决票", "".join(parts))


def _in_order(meeting: Mapping[Any, Any]) -> list[str]:
    """Civil affairs stands last, as it votes."""
    invited = meeting["invited"].split()
    return [unit for unit in invited if unit != meeting_units.CHAIR] + [unit for unit in invited if unit == meeting_units.CHAIR]
