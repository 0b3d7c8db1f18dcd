"""Money: strict reading, showing, rounding, capital characters."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes.money import BadMoney, capital, parse, to_fen, yuan

VALUES = {"零": 0, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9}
UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def read_capital(text: str) -> int:
    """An independent reader of 大写, fen."""
    yuan_part, _, rest = text.partition("元") if "元" in text else ("", "", text)
    total = group = digit = 0
    for sign in yuan_part:
        if sign in VALUES:
            digit = VALUES[sign]
        elif sign in UNITS:
            group, digit = group + digit * UNITS[sign], 0
        else:
            total, group, digit = total + (group + digit) * {"万": 10**4, "亿": 10**8}[sign], 0, 0
    fen = (total + group + digit) * 100
    for n, sign in enumerate(rest):
        fen += {"角": 10, "分": 1}.get(sign, 0) * VALUES.get(rest[n - 1], 0)
    return fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("660.00", 66000),
        ("0", 0),
        ("660.5", 66050),
        (" 12.34 ", 1234),
        ("１２３．４５", 12345),
        ("007", 700),
        ("99999999.99", 9_999_999_999),
    ],
)
def test_reads_amounts(text: str, fen: int) -> None:
    assert parse(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", "1.234", "1.", ".5", "1e3", "1E3", "NaN", "Infinity", "-1", "+1", "1,000", "1 000", "0x10", "１２３a", "一百",
     "1_000", "٣", "100000000", "99999999.999", "9" * 5000],
)  # fmt: skip
def test_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(BadMoney):
        parse(text)


def test_negative_and_limit_are_the_callers_choice() -> None:
    assert parse("-3.10", negative=True) == -310
    assert parse("100", limit=10_000) == 10_000
    with pytest.raises(BadMoney, match=r"不能超过 100\.00 元"):
        parse("100.01", limit=10_000)


@given(st.integers(0, 9_999_999_999))
def test_shown_amounts_read_back(fen: int) -> None:
    assert parse(yuan(fen)) == fen
    assert parse(yuan(-fen), negative=True) == -fen


def test_shows() -> None:
    assert (yuan(66000), yuan(5), yuan(-50), yuan(None)) == ("660.00", "0.05", "-0.50", "")


@pytest.mark.parametrize(
    ("amount", "fen"), [("0.004", 0), ("0.005", 1), ("0.015", 2), ("2.675", 268), ("-0.005", -1), ("-0.004", 0)]
)
def test_rounds_half_up(amount: str, fen: int) -> None:
    assert to_fen(Decimal(amount)) == fen
    assert to_fen(Fraction(amount)) == fen


def test_fractions_round_exactly() -> None:
    assert to_fen(Fraction(1900, 3)) == 63333
    assert to_fen(Fraction(5 * 10**40 - 1, 10**43)) == 0  # a hair below half a fen
    assert to_fen(Fraction(5 * 10**40, 10**43)) == 1


@pytest.mark.parametrize(
    ("fen", "text"),
    [(66000, "陆佰陆拾元整"), (66050, "陆佰陆拾元伍角整"), (92001, "玖佰贰拾元零壹分"), (5, "伍分"), (10, "壹角整"), (0, "零元整"),
     (100_000_00, "壹拾万元整"), (1_0000_0001_00, "壹亿零壹元整"), (1005_00, "壹仟零伍元整"), (100_0500_00, "壹佰万零伍佰元整"),
     (1_0005_0000_00, "壹亿零伍万元整"), (2_1000_00, "贰万壹仟元整"), (-300, "负叁元整"), (1123, "壹拾壹元贰角叁分")],
)  # fmt: skip
def test_capital_characters(fen: int, text: str) -> None:
    assert capital(fen) == text


@given(st.integers(0, 10**14 - 1))
def test_capital_characters_read_back(fen: int) -> None:
    text = capital(fen)
    assert read_capital(text) == fen
    assert "零零" not in text


def test_capital_has_an_end() -> None:
    with pytest.raises(ValueError, match="too large"):
        capital(10**14)
