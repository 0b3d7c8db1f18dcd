"""Citizen identity numbers (GB 11643): form, check digit, birth date; masking; invented ones for demo and tests."""

from __future__ import annotations

import re
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
INVENTED_DIVISION = "120199"  # never allotted; accepted outside production only
SAMPLES = frozenset({"120116195001010013", "120116198006150027", "120116201009090036"})  # domain 9, fictional
PLACEHOLDER = "待登记成员"  # and a number: a member of a list of whom only the household's size is known
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_EARLIEST = 1880
_FOLD = str.maketrans({chr(0xFF01 + n): chr(0x21 + n) for n in range(94)})


def normalise(text: str) -> str:
    """Half-width, no blanks, capital X."""
    return re.sub(r"\s", "", text.translate(_FOLD)).upper()


def check_digit(body: str) -> str:
    """The 18th character for the first 17 digits (GB 11643)."""
    return _CHECK[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def birth_date(number: str) -> date | None:
    """The birth date that a normalised 18-digit number says; None when it is no date."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex(number: str) -> str:
    """ "male" or "female", from the 17th digit of a normalised number."""
    return "male" if int(number[16]) % 2 else "female"


def problem(number: str, today: date, *, production: bool = False) -> str | None:
    """What is wrong with a normalised number, in plain Chinese; None when nothing is."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return "15 位旧号码请换成 18 位" if re.fullmatch(r"[0-9]{15}", number) else "身份证号应为 18 位"
    if not _PROVINCE.fullmatch(number[:2]):
        return "身份证号中的地区不正确"
    born = birth_date(number)
    if born is None or born > today or born.year < _EARLIEST or today.year - born.year > 130:
        return "身份证号中的出生日期不正确"
    if check_digit(number[:17]) != number[17]:
        return "身份证号校验位不正确，请核对"
    if production and (number[:6] == INVENTED_DIVISION or number in SAMPLES):
        return "这是演示用号码，不能登记"
    return None


def allowed(number: str, production: bool, *, today: date | None = None) -> bool:  # noqa: FBT001
    """Whether a number (as typed) may be kept: form, check digit, birth date, division; invented ones only in demos.
    Without `today` a birth date in the future is not noticed."""
    found = normalise(number)
    return problem(found, today or birth_date(found) or date.min, production=production) is None


def mask(number: str) -> str:
    """1201**********0013; what is too short to keep eight characters is hidden whole."""
    return "*" * len(number) if len(number) < 12 else number[:4] + "*" * (len(number) - 8) + number[-4:]


def mask_name(name: str) -> str:
    """张建国 -> 张*国; who has no name yet has none to hide."""
    if len(name) <= 1 or name.startswith(PLACEHOLDER):
        return name
    return name[0] + "*" * max(1, len(name) - 2) + (name[-1] if len(name) > 2 else "")


ADULT_YEARS = 18


def public_name(name: str, birth_date: str | None, on: date) -> tuple[str, bool]:
    """(name as the public reads it, whether it is masked): of a minor the surname alone (N649 art 61; domain 1.11)."""
    born = date.fromisoformat(birth_date) if birth_date else None
    if born is not None and on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < ADULT_YEARS:
        return name[:1] + "*" * max(1, len(name) - 1), True
    return name, False


def invent(born: date, sex_: str, serial: int) -> str:
    """A number with a valid check digit that nobody has: its division was never allotted.
    Numbers of one birth date and sex differ for 500 serials in a row, then repeat. ValueError on an unknown sex."""
    if sex_ not in ("male", "female"):
        raise ValueError("sex is male or female")
    sequence = serial % 500 * 2 + (sex_ == "male")
    body = f"{INVENTED_DIVISION}{born:%Y%m%d}{sequence:03d}"
    return body + check_digit(body)
