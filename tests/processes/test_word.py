"""A letter in Word says what the issued one says, is the same file each time, and holds what people wrote as text."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import pytest
from lxml import etree

from processes import letters, word
from processes.word import make_template
from tests.processes.test_letters import CASE, words

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DIGEST = "ab" * 32
HOSTILE = '<script>alert(1)</script>"&\' {{ 7*7 }} {% for x in y %} {_{ a }_} {_% b %_} {# c #} {%p d %} {{ self.__init__ }} ]]> &amp; &#123; <w:p/>'


def made(kind: str, **more) -> bytes:
    return word.document(letters.render(kind, {**CASE, **more}).encode(), DIGEST, CASE["issued_on"])


def part(docx: bytes, name: str):
    with zipfile.ZipFile(BytesIO(docx)) as file:
        return etree.fromstring(file.read(name))


def paragraphs(docx: bytes) -> list[tuple[str, str]]:
    return [(p.find(f"{W}pPr/{W}pStyle").get(f"{W}val"), "".join(t.text or "" for t in p.iter(f"{W}t"))) for p in part(docx, "word/document.xml").iter(f"{W}p")]


@pytest.mark.parametrize("kind", letters.TITLES)
def test_every_letter_says_in_word_what_it_says_on_the_page(kind):
    found = paragraphs(made(kind))
    page = words(letters.render(kind, CASE))
    assert re.sub(r"\s+", "", "".join(text for _, text in found)) == re.sub(r"\s+", "", page)
    styles = [style for style, _ in found]
    assert (styles[0], found[0][1], styles[1], found[1][1]) == ("Heading1", letters.title(kind, CASE), "LetterNumber", CASE["number"])
    assert found[2] == ("LetterTo", "张建国：") and styles[-1] == "LetterFoot" and set(styles[3:-4]) == {"LetterBody"}
    assert [text for style, text in found if style == "LetterSealing"][1:] == ["（盖章处）", "2019年1月21日"]
    assert DIGEST in "".join(part(made(kind), "word/footer1.xml").itertext())


def test_the_same_letter_is_the_same_file():
    docx = made("approval")
    assert docx == made("approval")
    with zipfile.ZipFile(BytesIO(docx)) as file:
        assert {one.date_time for one in file.infolist()} == {(1980, 1, 1, 0, 0, 0)} and {one.compress_type for one in file.infolist()} == {zipfile.ZIP_STORED}
        assert file.testzip() is None and file.namelist()[0] == "[Content_Types].xml"
    about = "".join(part(docx, "docProps/core.xml").itertext())
    assert CASE["number"] in about and about.count("2019-01-21T00:00:00Z") == 2 and "张建国" not in about


def test_what_people_wrote_is_text_and_no_template():
    found = paragraphs(made("refusal", opinion=HOSTILE, number=HOSTILE, case_no=HOSTILE, household={**CASE["household"], "applicant": HOSTILE}))
    flat = " ".join(HOSTILE.split())
    assert [style for style, text in found if flat in text] == ["LetterNumber", "LetterTo", "LetterBody", "LetterFoot"]
    assert len(found) == len(paragraphs(made("refusal")))


def test_what_xml_cannot_hold_is_marked_and_the_file_still_opens():
    odd = "甲\x00\x07\x0b\x0c\x1f\ufffe乙\t丙\r\n丁"
    [text] = [text for _, text in paragraphs(made("refusal", opinion=odd)) if "甲" in text]
    assert re.search("甲\ufffd+ ?\ufffd+乙 丙 丁", text), ascii(text)


def test_text_in_no_known_place_is_not_lost():
    page = "<!doctype html><html><head><title>t</title></head><body><main><h1>题</h1><p>一</p>二<table><tr><td>三</td></tr></table><p class='x'>四</p><h1>五</h1></main>六</body></html>"
    found = word.read(page.encode())
    assert (found.title, found.body, found.number) == ("题", ["一", "二", "三", "四", "五"], "")


def test_the_template_is_what_its_maker_makes():
    assert make_template.template() == word._template()
    styles = part(word._template(), "word/styles.xml")
    assert {fonts.get(f"{W}eastAsia") for fonts in styles.iter(f"{W}rFonts")} == {"FangSong"}
