"""Citizen identity numbers (GB 11643): form, check digit, birth date; masking; invented ones for demo and tests."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
INVENTED_DIVISION = "120199"  # never allotted; accepted outside production only
SAMPLES = frozenset({"120116195001010013", "120116198006150027", "120116201009090036"})


def normalise(text: str) -> str:
    """Half-width, no blanks, capital X."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


def check_digit(body: str) -> str:
    return _CHECK[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex(number: str) -> str:
    return "male" if int(number[16]) % 2 else "female"


def problem(number: str, today: date, *, production: bool = False) -> str | None:
    """What is wrong with a normalised number, in plain Chinese; None when nothing is."""
    if len(number) == 15 and number.isdecimal():
        return "15 位旧号码请换成 18 位"
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return "身份证号应为 18 位"
    born = birth_date(number)
    if born is None or born > today or today.year - born.year > 130:
        return "身份证号中的出生日期不正确"
    if check_digit(number[:17]) != number[17]:
        return "身份证号校验位不正确，请核对"
    if production and (number[:6] == INVENTED_DIVISION or number in SAMPLES):
        return "这是演示用号码，不能登记"
    return None


def mask(number: str) -> str:
    """1201**********0013"""
    return number if len(number) < 12 else number[:4] + "*" * (len(number) - 8) + number[-4:]


def mask_name(name: str) -> str:
    """张建国 -> 张*国"""
    if len(name) <= 1:
        return name
    return name[0] + "*" * max(1, len(name) - 2) + (name[-1] if len(name) > 2 else "")


def invent(born: date, sex_: str, serial: int) -> str:
    """A number with a valid check digit that nobody has: its division was never allotted. serial: 0..499."""
    sequence = serial % 500 * 2 + (sex_ == "male")
    body = f"{INVENTED_DIVISION}{born:%Y%m%d}{sequence:03d}"
    return body + check_digit(body)
