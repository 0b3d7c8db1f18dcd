"""The same letters for a word processor: made on demand from the bytes that were issued, so nothing can stand in the one that does
not stand in the other (docs/decisions/051).

    issued HTML ──read──> Letter ──template.docx (docxtpl)──> .docx, byte for byte the same each time
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from html.parser import HTMLParser
from importlib import resources
from io import BytesIO
from typing import Any

from docxtpl import DocxTemplate
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_BLOCKS = frozenset({"h1", "h2", "p", "tr", "li"})
_BLANKS = re.compile(r"[ \t\r\n\f]+")  # as a browser reads them; the ideographic space stays
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENVIRONMENT = SandboxedEnvironment(autoescape=True)  # the template is ours; what people wrote is never one
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip: the time of making is not part of a letter


@dataclass
class Letter:
    """A letter's texts by their place on the paper."""

    title: str = ""
    number: str = ""
    to: str = ""
    body: list[str] = field(default_factory=list)
    sealing: list[str] = field(default_factory=list)  # who issues it, where the seal goes, the day
    foot: str = ""


class _Reader(HTMLParser):
    """What `letters.render` wrote. Text that stands in no known place is a paragraph: nothing is lost."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = Letter()
        self._inside, self._sealing, self._class, self._text = False, False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of_class = dict(attrs).get("class") or ""
        if tag == "main":
            self._inside = True
        elif tag == "div":
            self._end()
            self._sealing = of_class == "sealing"
        elif tag in _BLOCKS:
            self._end()
            self._class = tag if tag == "h1" else of_class

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS or tag in ("div", "main"):
            self._end()
        self._sealing = self._sealing and tag != "div"
        self._inside = self._inside and tag != "main"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._text += data

    def _end(self) -> None:
        text, where, self._text, self._class = _BLANKS.sub(" ", self._text).strip(" "), self._class, "", ""
        if not text:
            return
        if self._sealing:
            self.found.sealing.append(text)
        elif (name := {"h1": "title"}.get(where, where)) in ("title", "number", "to", "foot") and not getattr(self.found, name):
            setattr(self.found, name, text)
        else:
            self.found.body.append(text)


def read(issued: bytes) -> Letter:
    """A letter as it was issued (`paperwork.issued_bytes`), by its places."""
    reader = _Reader()
    reader.feed(issued.decode())
    reader.close()
    return reader.found


def document(issued: bytes, digest: str, issued_on: str) -> bytes:
    """A letter as .docx. digest: by which its entry names the issued bytes; it stands in the footer, that the copy can be told to
    be of this letter. issued_on: the day that the file bears. The same bytes for the same letter."""
    letter = read(issued)
    made = DocxTemplate(BytesIO(_template()))
    made.render({
        "title": _literal(letter.title), "number": _literal(letter.number), "to": _literal(letter.to), "body": [_literal(text) for text in letter.body],
        "sealing": [_literal(text) for text in letter.sealing], "foot": _literal(letter.foot), "digest": _literal(digest),
    }, _ENVIRONMENT)  # fmt: skip
    about: Any = made.docx.core_properties
    about.title = _NO_XML.sub("\ufffd", f"{letter.title} {letter.number}")[:255]
    about.created = about.modified = datetime.combine(date.fromisoformat(issued_on), datetime.min.time(), UTC).replace(tzinfo=None)
    out = BytesIO()
    made.save(out)
    return packed(out.getvalue())


def _literal(text: str) -> Markup:
    """Text as the XML of a run, braces as references, so that neither Jinja nor what docxtpl replaces afterwards finds any; what XML
    cannot hold shows as U+FFFD."""
    return Markup(str(escape(_NO_XML.sub("\ufffd", text))).replace("{", "&#123;").replace("}", "&#125;"))  # noqa: S704 - escaped just before


@cache
def _template() -> bytes:
    return (resources.files(__package__) / "letter.docx").read_bytes()


def packed(docx: bytes) -> bytes:
    """The same parts in the order of their names, [Content_Types].xml first, stored with one fixed time."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(docx)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = zipfile.ZipInfo(name, _FIRST_DAY)
            part.external_attr, part.create_system = 0o600 << 16, 3
            made.writestr(part, source.read(name))
    return out.getvalue()
