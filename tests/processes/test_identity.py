"""Identity numbers: form, check digit, birth date, division, masks, invented ones."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes import identity

TODAY = date(2018, 12, 3)
SAMPLES = [
    ("120116195001010013", date(1950, 1, 1), "male"),
    ("120116198006150027", date(1980, 6, 15), "female"),
    ("120116201009090036", date(2010, 9, 9), "male"),
]


@pytest.mark.parametrize(("number", "born", "sex"), SAMPLES)
def test_the_fictional_samples_of_the_domain(number: str, born: date, sex: str) -> None:
    assert identity.problem(number, TODAY) is None
    assert identity.birth_date(number) == born
    assert identity.sex(number) == sex
    assert identity.allowed(number, production=False)
    assert not identity.allowed(number, production=True)


def test_normalises_as_people_type() -> None:
    assert identity.normalise(" １２０１１６ 19800615\u3000002x ") == "12011619800615002X"
    assert identity.normalise("ｘ") == "X"
    assert identity.normalise("12②") == "12②"  # a circled two is not a digit here


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "18 位"),
        ("12011619800615002", "18 位"),
        ("1201161980061500277", "18 位"),
        ("120116800615002", "15 位"),
        ("12011619800615002A", "18 位"),
        ("X20116198006150027", "18 位"),
        ("120116198013150027", "出生日期"),
        ("120116201902290013", "出生日期"),
        ("120116178006150027", "出生日期"),
        ("120116198006150028", "校验位"),
        ("000116198006150027", "地区"),
    ],
)
def test_says_what_is_wrong(number: str, words: str) -> None:
    assert words in (identity.problem(number, TODAY) or "")
    assert not identity.allowed(number, production=False)


def test_a_birth_in_the_future_is_refused_on_the_day_before() -> None:
    number = identity.invent(date(2018, 12, 4), "female", 3)
    assert "出生日期" in (identity.problem(number, TODAY) or "")
    assert identity.problem(number, date(2018, 12, 4)) is None
    assert not identity.allowed(number, production=False, today=TODAY)
    assert identity.allowed(number, production=False)


@given(st.dates(date(1900, 1, 1), TODAY), st.sampled_from(["male", "female"]), st.integers(0, 499))
def test_invented_numbers_pass_only_outside_production(born: date, sex: str, serial: int) -> None:
    number = identity.invent(born, sex, serial)
    assert number.startswith("120199")
    assert (identity.birth_date(number), identity.sex(number)) == (born, sex)
    assert identity.allowed(number, production=False, today=TODAY)
    assert not identity.allowed(number, production=True, today=TODAY)


def test_a_real_division_is_allowed_in_production() -> None:
    body = "12011619800615004"
    assert identity.allowed(body + identity.check_digit(body), production=True)


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, by: int) -> None:
    number = "120116198006150027"
    other = str((int(number[place]) + by) % 10)
    assert not identity.allowed(number[:place] + other + number[place + 1 :], production=False)


def test_invented_numbers_differ() -> None:
    born = date(1980, 1, 1)
    assert len({identity.invent(born, sex, n) for sex in ("male", "female") for n in range(500)}) == 1000


def test_only_two_sexes_can_be_invented() -> None:
    with pytest.raises(ValueError, match="male or female"):
        identity.invent(date(1980, 1, 1), "other", 1)


def test_masks() -> None:
    assert identity.mask("120116195001010013") == "1201**********0013"
    assert identity.mask("12011650013") == "***********"
    assert identity.mask("") == ""
    assert [identity.mask_name(n) for n in ("张建国", "李四", "王", "欧阳建国", "待登记成员2")] == ["张*国", "李*", "王", "欧**国", "待登记成员2"]
