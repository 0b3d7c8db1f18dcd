# ruff: noqa: INP001 - a script beside what it makes
"""Makes the two sample lists beside it, clean and dirty, in the layout of annex 1; all people are invented.

Run from the root of the tree: python processes/data/samples/make_samples.py
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from processes.identity import invent
from processes.import_annex1 import HEADINGS

HERE = Path(__file__).parent
TITLE, NOTE = "滨海新区社会救助家庭排查情况统计表（在保）", (
    "注：备注栏须写明：1.除城乡低保、低收入、特困供养外，是否享受其他救助政策；2.保障后是否仍有困难；3.近亲属是否享受社会救助。")  # fmt: skip
PLACE = ("塘沽街道", "紫云园社区居委会")


def line(name: Any, born: date, sex: str, serial: int, members: Any, income: Any, assets: str, kind: str, amount: Any, cause: str, **odd: Any) -> list[Any]:
    """A household's line without its running number. `odd`: id_no, street, community, remarks as they should not be."""
    street, community = odd.get("street", PLACE[0]), odd.get("community", PLACE[1])
    remarks = odd.get("remarks", "1.另享受：取暖补贴；2.保障后仍有困难：否；3.近亲属享受社会救助：否")
    number = odd.get("id_no", invent(born, sex, serial))
    return [name, number, members, street, community, income, assets, kind, amount, cause, "情况属实", remarks]


def clean() -> list[list[Any]]:
    """Amounts are those of 2018: (920 x members - income); 276 for a household of low income; 1780 and 1380 a person for 特困."""
    hard = "1.另享受：医疗救助、取暖补贴；2.保障后仍有困难：是（大病自费）；3.近亲属享受社会救助：否"
    return [
        line("孙桂珍", date(1950, 1, 10), "female", 400, 1, 0, "无", "低保", 920, "因老", community="紫云园社区"),
        line("韩立本", date(1954, 2, 11), "male", 401, 2, 500, "3000", "低保", 1340, "因残"),
        line("谢春梅", date(1978, 3, 12), "female", 402, 3, 2100, "存款1.2万元", "低保", 660, "因病", remarks=hard),
        line("邓永福", date(1982, 4, 13), "male", 403, 4, 1500.5, "住房一套", "低保", 2179.5, "失业"),
        line("曹秀兰", date(1946, 5, 14), "female", 404, 1, 0, "无", "特困（分散）", 1780, "年老无依靠"),
        line("彭志远", date(1970, 6, 15), "male", 405, 2, 0, "12000元", "低保", 1840, "因病", remarks=hard),
        line("曾玉芳", date(1980, 7, 16), "female", 406, 3, "3600.00", "无", "低收入", 276, "单亲，子女在校"),
        line("萧国强", date(1976, 8, 17), "male", 407, 4, "３０００", "无", "低保", "680.00", "因残"),
    ]


def dirty() -> list[list[Any]]:
    """Four good lines, then one of each kind of error."""
    good = [
        line("许立本", date(1961, 3, 3), "male", 440, 1, 0, "无", "低保", 920, "因病"),
        line("许春梅", date(1962, 3, 3), "female", 441, 2, 500, "3000元", "低保", 1340, "因残"),
        line("许永福", date(1963, 3, 3), "male", 442, 3, 2100, "无", "低保", 660, "失业", remarks="无"),
        line("许桂珍", date(1964, 3, 3), "female", 443, 4, 1500, "住房一套", "低保", 2180, "因学"),
    ]

    def bad(serial: int, **odd: Any) -> list[Any]:
        given: dict[str, Any] = {"name": f"何{'甲乙丙丁戊己庚辛壬癸子丑寅卯辰'[serial - 450]}", "members": 1, "income": 0, "kind": "低保", "amount": 920, "cause": "因病"} | odd
        return line(given.pop("name"), date(1970, 5, 5), "male", serial, given.pop("members"), given.pop("income"), "无", given.pop("kind"),
                    given.pop("amount"), given.pop("cause"), **given)  # fmt: skip

    return [
        *good,
        bad(450, id_no="120116197001010011"),  # check digit
        bad(451, id_no="12345"),
        bad(452, id_no=120199197005059030),  # a number cell: Excel keeps 15 digits
        bad(453, members="三"),
        bad(454, members=0),
        bad(455, street="塘沽镇里"),
        bad(456, community="不存在社区"),
        bad(457, kind="五保"),
        bad(458, amount="-660"),
        bad(459, amount="=1+1"),
        bad(460, amount=0),
        bad(461, income="一千"),
        bad(462, name=None),
        bad(463, cause=""),
        bad(464, id_no=good[0][1]),  # twice in the list
    ]


def write(name: str, lines: list[list[Any]]) -> None:
    book = Workbook()
    book.properties.created = book.properties.modified = datetime(2018, 11, 19)  # noqa: DTZ001 - the format knows no zone
    book.properties.creator = "yingbao"
    sheet = book.active
    assert sheet is not None
    sheet.title = "附件1"
    for row in ["附件1"], [TITLE], [*HEADINGS[:10], "致困   原因", *HEADINGS[11:]]:
        sheet.append(row)
    for number, row in enumerate(lines, start=1):
        sheet.append([number, *row])
    sheet.append([NOTE])
    sheet.merge_cells(start_row=2, end_row=2, start_column=1, end_column=len(HEADINGS))
    for column, width in zip("ABCDEFGHIJKLM", (6, 10, 22, 10, 14, 20, 12, 16, 14, 12, 16, 16, 60), strict=True):
        sheet.column_dimensions[column].width = width
    book.save(HERE / name)


if __name__ == "__main__":
    write("annex1_clean.xlsx", clean())
    write("annex1_dirty.xlsx", dirty())
