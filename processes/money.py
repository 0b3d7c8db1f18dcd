"""Money is whole fen; this module shows it, in figures and in capital characters (大写)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


def yuan(fen: int | None) -> str:
    """66000 -> "660.00"."""
    return "" if fen is None else f"{Decimal(fen) / 100:.2f}"


def to_fen(amount: Decimal) -> int:
    """Rounded once, half up, at the end (DESIGN 9)."""
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def capital(fen: int) -> str:
    """66050 -> "陆佰陆拾元伍角整", as on printed forms."""
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
            gap = text and (groups[index] < 1000 or (index + 1 < len(groups) and not groups[index + 1]))
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
