"""The sheets of long-term displays, for the board: pure builders of standalone HTML for A4 paper, from the whitelist alone, in Chinese as they hang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from processes.benefit_letters import CATEGORY_WORDS
from processes.letters import chinese_date, standalone
from processes.money import yuan

TITLE = "社会救助家庭长期公示"
_HEAD = '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'


def _amount(row: Mapping[str, Any]) -> str:
    return f"每月{yuan(row['amount_fen'])}元" if row["amount_fen"] else "不按月发放救助金"


def _foot(street_name: str, phone: str, day: str, more: str) -> str:
    return (f"<p>对上述家庭有异议的，请向{escape(street_name)}社会救助窗口反映，电话 <span class='nowrap'>{escape(phone)}</span>。本公示只公布姓名、家庭人口、救助类别和金额"
            f'（民发〔2012〕220号第三十四条）。</p>{more}<p class="foot">制表：{escape(street_name)}　{chinese_date(day)}</p>')  # fmt: skip


def sheet(row: Mapping[str, Any], community_name: str, street_name: str, phone: str, more: str = "", *, large: bool = False) -> str:
    """One household's sheet. row: applicant, members, category, amount_fen, made_on. more: HTML that goes under it (a QR code)."""
    pairs = [("申请人", row["applicant"]), ("居村", community_name), ("家庭人口", f"{row['members']}人"), ("救助类别", CATEGORY_WORDS.get(row["category"], "")), ("保障金额", _amount(row))]
    cells = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in pairs)
    return standalone(TITLE, f"<h1>{TITLE}</h1><table>{cells}</table>{_foot(street_name, phone, row['made_on'], more)}", _HEAD, large=large)


def board(rows: Sequence[Mapping[str, Any]], community_name: str, street_name: str, phone: str, day: str, more: str = "") -> str:
    """All households of a community on one sheet, as it hangs at each of the three levels."""
    heads = "".join(f"<th>{name}</th>" for name in ("序号", "申请人", "家庭人口", "救助类别", "保障金额"))
    lines = "".join(
        f"<tr><td>{n}</td><td>{escape(str(row['applicant']))}</td><td>{row['members']}人</td><td>{CATEGORY_WORDS.get(row['category'], '')}</td><td>{_amount(row)}</td></tr>"
        for n, row in enumerate(rows, start=1))  # fmt: skip
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>" if rows else "<p>目前没有公示的家庭。</p>"
    return standalone(f"{community_name}{TITLE}", f"<h1>{escape(community_name)}{TITLE}</h1>{table}{_foot(street_name, phone, day, more)}", _HEAD)
