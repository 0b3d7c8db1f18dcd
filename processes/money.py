"""Money is whole fen; this module reads it from text and shows it, in figures and in capital characters (大写)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

LIMIT_FEN = 9_999_999_999
"""The largest amount that may be entered: 99,999,999.99 yuan."""

_MOST = 10**14  # capital characters go up to 仟亿
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")
_FOLD = str.maketrans("０１２３４５６７８９．－", "0123456789.-")


class BadMoney(ValueError):
    """A text is not an amount; the message says why, in Chinese."""


def parse(text: str, *, negative: bool = False, limit: int = LIMIT_FEN) -> int:
    """Yuan text -> fen: "660.5" -> 66050. Strict: plain digits (full-width ones folded), at most two decimals,
    no sign unless `negative`, no exponent, no separators, not above `limit` fen. Raises BadMoney."""
    found = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?", text.translate(_FOLD).strip())
    if found is None:
        raise BadMoney("金额只能是数字，如 660.00")
    sign, whole, part = found[1], found[2], found[3] or ""
    if sign and not negative:
        raise BadMoney("金额不能为负数")
    if len(part) > 2:
        raise BadMoney("金额最多两位小数")
    if len(whole.lstrip("0")) > len(str(limit)) or (fen := int(whole) * 100 + int(part.ljust(2, "0"))) > limit:
        raise BadMoney(f"金额不能超过 {yuan(limit)} 元")
    return -fen if sign else fen


def yuan(fen: int | None) -> str:
    """66000 -> "660.00"; None -> ""."""
    if fen is None:
        return ""
    whole, part = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{part:02d}"


def to_fen(amount: Decimal | Fraction) -> int:
    """Yuan -> fen, rounded once, half up (away from zero), at the end (DESIGN 9). Exact for fractions too."""
    if not isinstance(amount, Decimal):  # to be a Fraction is asked of an abstract class, which is slow
        rounded = (abs(amount.numerator) * 200 + amount.denominator) // (amount.denominator * 2)  # in whole numbers: fractions are slow
        return -rounded if amount.numerator < 0 else rounded
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def capital(fen: int) -> str:
    """66050 -> "陆佰陆拾元伍角整", as on printed forms; negative amounts begin with 负. ValueError from 万亿 yuan on."""
    if abs(fen) >= _MOST:
        raise ValueError("too large for capital characters")
    if fen < 0:
        return "负" + capital(-fen)
    whole, jiao, fen_left = fen // 100, fen // 10 % 10, fen % 10
    text = (_whole(whole) + "元") if whole else ("" if jiao or fen_left else "零元")
    if not jiao and not fen_left:
        return text + "整"
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif whole:
        text += "零"
    return text + (_DIGITS[fen_left] + "分" if fen_left else "整")


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    for index in range(len(groups) - 1, -1, -1):
        if groups[index]:
            gap = text and (groups[index] < 1000 or not groups[index + 1])
            text += ("零" if gap else "") + _group(groups[index]) + _GROUPS[index]
    return text


def _group(number: int) -> str:
    text, pending = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            text += ("零" if pending and text else "") + _DIGITS[digit] + _UNITS[place]
            pending = False
        else:
            pending = True
    return text
