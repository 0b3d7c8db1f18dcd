"""Files to and from the bank: pure, by profile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import bank_files
from processes.bank_files import BadFile, Head, Line, Payment, Sent, Unwritable

DAY = date(2018, 12, 7)
HEAD = Head("FF-2018-000001-1", "FF-2018-000001", "monthly", "滨海新区民政局", "0302000000000001", date(2018, 12, 10), DAY)
PAYMENTS = [Payment(f"FF-2018-000001-1-{n:06d}", name, "中国银行", f"6222{n:015d}", fen, "低保金 2018-12")
            for n, (name, fen) in enumerate([("王秀英", 66000), ('㐂,"引"', 1), ("阿卜杜·热西提", 9_999_999_999)], start=1)]  # fmt: skip
SENT = {one.serial: Sent(one.account, one.amount_fen, DAY) for one in PAYMENTS}
BOTH = pytest.mark.parametrize("key", ["own-csv", "fixed"])


def paid(n: int, result: str = "paid", **more: object) -> Line:
    one = PAYMENTS[n]
    return replace(Line(n + 1, one.serial, one.account, one.amount_fen, result, date(2018, 12, 10) if result == "paid" else None, ""), **more)  # type: ignore[arg-type]


def answer(key: str, lines: list[Line]) -> bytes:
    return bank_files.write_back(bank_files.profile(key), HEAD, lines)


def compared(key: str, data: bytes, sent: dict[str, Sent] = SENT, today: date = date(2018, 12, 11)) -> bank_files.Compared:
    return bank_files.compare(bank_files.read_back(bank_files.profile(key), data), sent, today)


@BOTH
def test_a_file_has_header_details_and_control_totals(key: str) -> None:
    form = bank_files.profile(key)
    data = bank_files.write(form, HEAD, PAYMENTS)
    lines = data.decode("gb18030").split("\r\n")
    assert len(lines) == 6 and lines[-1] == "" and data == bank_files.write(form, HEAD, PAYMENTS)
    total = sum(one.amount_fen for one in PAYMENTS)
    if key == "own-csv":
        assert lines[0] == "H,FF-2018-000001-1,monthly,滨海新区民政局,0302000000000001,20181210,3,100000660.00" and lines[-2] == "T,3,100000660.00"
        assert lines[1] == "D,1,FF-2018-000001-1-000001,王秀英,中国银行,6222000000000000001,660.00,低保金 2018-12" and lines[2].split(",", 3)[3].startswith('"㐂,""引"""')
    else:
        widths = {len(line.encode("gb18030")) for line in lines[1:4]}
        assert widths == {234} and lines[-2] == f"9{3:08d}{total:015d}" and lines[0].endswith(f"20181210{3:08d}{total:015d}")


@BOTH
def test_what_does_not_fit_is_refused_and_never_cut(key: str) -> None:
    form = bank_files.profile(key)
    for wrong, field in [(replace(PAYMENTS[0], holder="王\n秀英"), "holder"), (replace(PAYMENTS[0], amount_fen=0), "amount"), (replace(PAYMENTS[0], amount_fen=-1), "amount"),
                         (replace(PAYMENTS[0], holder="\ud800"), "holder"), (replace(PAYMENTS[1], serial=PAYMENTS[2].serial), "serial")]:  # fmt: skip
        with pytest.raises(Unwritable) as refused:
            bank_files.write(form, HEAD, [wrong, PAYMENTS[2]])
        assert refused.value.field == field
    long = replace(PAYMENTS[0], holder="长" * 31)
    assert bank_files.writable(form, long) == (None if key == "own-csv" else "holder") and bank_files.writable(form, PAYMENTS[0]) is None


@BOTH
def test_an_answer_with_a_wrong_amount_an_unknown_item_a_duplicate_and_a_cut_line(key: str) -> None:
    """Issue 7: each reported with its line, the rest processed."""
    lines = [paid(0), paid(1, amount_fen=2), paid(2, serial="FF-2018-000001-1-999999"), paid(0), paid(2, "account_closed", reason="已销户")]
    rows = answer(key, lines).split(b"\r\n")
    rows.insert(5, rows[5][:20])  # line 6
    found = compared(key, b"\r\n".join(rows))
    assert [(line.serial, line.result) for line in found.taken] == [(PAYMENTS[0].serial, "paid"), (PAYMENTS[2].serial, "account_closed")]
    assert [(fault.number, fault.code) for fault in found.faults] == [(3, "wrong_amount"), (4, "unknown_item"), (5, "duplicate"), (6, "truncated")]
    assert found.faults[-1].text.startswith(("R,FF", "2FF"))


@BOTH
def test_the_same_answer_again_changes_nothing_and_another_one_takes_back(key: str) -> None:
    known = SENT | {PAYMENTS[0].serial: replace(SENT[PAYMENTS[0].serial], result="paid")}
    again = compared(key, answer(key, [paid(0)]), known)
    assert again.taken == () and again.repeated == 1 and again.faults == ()
    other = compared(key, answer(key, [paid(0, "account_closed")]), known)
    assert (other.taken, other.faults) == ((), ()) and [(line.serial, line.result) for line in other.back] == [(PAYMENTS[0].serial, "account_closed")]
    late = compared(key, answer(key, [paid(0)]), SENT | {PAYMENTS[0].serial: replace(SENT[PAYMENTS[0].serial], result="account_closed")})
    assert (late.taken, late.back) == ((), ()) and [fault.code for fault in late.faults] == ["already"], "it may have been paid again since"


@BOTH
@pytest.mark.parametrize(("change", "code"), [
    ({"account": "6222000000000000009"}, "wrong_account"), ({"credited_on": date(2018, 12, 6)}, "bad_date"), ({"credited_on": date(2018, 12, 12)}, "bad_date"),
    ({"credited_on": None}, "bad_date"),
])  # fmt: skip
def test_a_line_that_cannot_be_is_a_fault(key: str, change: dict[str, object], code: str) -> None:
    found = compared(key, answer(key, [paid(0, **change), paid(1)]))
    assert [fault.code for fault in found.faults] == [code] and [line.serial for line in found.taken] == [PAYMENTS[1].serial]


@BOTH
def test_contradictory_lines_are_not_taken_at_all(key: str) -> None:
    found = compared(key, answer(key, [paid(0), paid(0, "name_differs"), paid(1)]))
    assert [(fault.number, fault.code) for fault in found.faults] == [(2, "contradictory"), (3, "contradictory")] and len(found.taken) == 1


@BOTH
def test_control_characters_never_reach_a_row(key: str) -> None:
    """PostgreSQL keeps no NUL: a serial with one is unreadable, and a reason is kept without."""
    data = answer(key, [paid(0, serial="FF-2018-000001-1-00000X"), paid(1, "other", reason="no~reason")]).replace(b"00000X", b"00000\0").replace(b"~", b"\0")
    found = compared(key, data)
    assert [(fault.number, fault.code, fault.serial) for fault in found.faults] == [(2, "unreadable", None)]
    assert [line.reason for line in found.taken] == ["noreason"]


@BOTH
def test_totals_header_and_trailer(key: str) -> None:
    data = answer(key, [paid(0), paid(1)])
    rows = data.split(b"\r\n")[:-1]
    assert [f.code for f in compared(key, b"\r\n".join(rows[1:])).faults] == ["no_header"]
    assert [(f.number, f.code) for f in compared(key, b"\n".join(rows[:-1])).faults] == [(3, "no_trailer")]
    assert [(f.number, f.code) for f in compared(key, b"\r\n".join([*rows[:2], rows[-1]])).faults] == [(3, "totals_differ")]
    assert [(f.number, f.code) for f in compared(key, b"\r\n".join([*rows, rows[1]])).faults] == [(5, "after_trailer")]
    assert bank_files.read_back(bank_files.profile(key), data).file == HEAD.file
    as_utf8 = b"\xef\xbb\xbf" + data.decode("gb18030").encode()  # saved again by an editor
    assert compared(key, as_utf8).faults == () and len(compared(key, as_utf8).taken) == 2


@BOTH
def test_what_is_no_answer_is_refused_as_a_whole(key: str) -> None:
    form = bank_files.profile(key)
    for data in (b"", b"\r\n \r\n", b"MZ\x90\x00 not a file of ours", b"%PDF-1.4\n..."):
        with pytest.raises(BadFile):
            bank_files.read_back(form, data)
    with pytest.raises(BadFile):
        bank_files.read_back(form, b"x" * (bank_files.MOST_BYTES + 1))
    with pytest.raises(BadFile, match="行数太多"):
        bank_files.read_back(form, b"\n" * (bank_files.MOST_LINES + 1))


@BOTH
@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_no_spoiled_byte_breaks_the_reading_or_pays_another_amount(key: str, at: int, byte: int, cut: int) -> None:
    data = bytearray(answer(key, [paid(0), paid(1), paid(2, "account_closed")]))
    data[at % len(data)] = byte
    try:
        found = compared(key, bytes(data[: len(data) - cut % len(data)]))
    except BadFile:
        return
    for line in found.taken:
        assert line.amount_fen == SENT[line.serial].amount_fen and len({one.serial for one in found.taken}) == len(found.taken)


def test_profiles_are_configuration_and_a_wrong_one_is_refused() -> None:
    for text in ("[]", "a: {layout: odd}", "a: {title: t, title_en: t, layout: csv, encoding: gb18030, suffix: csv, item: [{is: D}, {of: serial}], back: {item: [{is: D}, {of: serial}]}, codes: {'0': paid}}",
                 "a: {title: t, title_en: t, layout: csv, encoding: nowhere, suffix: csv, item: [], back: {item: []}, codes: {'0': paid}}"):  # fmt: skip
        with pytest.raises(ValueError):
            bank_files.read_profiles(text)
    pipe = bank_files.read_profiles("""
post: {title: 邮储, title_en: Post, layout: csv, encoding: utf-8, suffix: txt, item: [{is: D}, {of: serial}, {of: account}, {of: amount, as: fen}],
  back: {item: [{is: D}, {of: serial}, {of: amount, as: fen}, {of: status}]}, codes: {OK: paid, X: other}}""")["post"]
    found = bank_files.read_back(pipe, b"D,S1,66000,OK\nD,S2,1,NO")
    assert found.lines == (Line(1, "S1", None, 66000, "paid", None, ""),) and [f.code for f in found.faults] == ["unknown_code"]
