"""Makes letter.docx, the one template of all letters: `python -m processes.word.make_template`. No other text stands in it than the
names of the places and the line of the footer. Paper and type as GB/T 9704-2012 has them for official documents."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

from processes.word import packed

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FONT = '<w:rFonts w:ascii="FangSong" w:hAnsi="FangSong" w:eastAsia="FangSong" w:cs="FangSong"/>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def _paragraph(style: str, text: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def _style(name: str, shown: str, paragraph: str, run: str = "", *, based: str = "Normal") -> str:
    return (f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{name}"><w:name w:val="{shown}"/><w:basedOn w:val="{based}"/>'
            f"<w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>")  # fmt: skip


def _size(half_points: int) -> str:
    return f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


_STYLES = (
    f'{_HEAD}<w:styles {_W}><w:docDefaults><w:rPrDefault><w:rPr>{_FONT}{_size(32)}<w:lang w:val="zh-CN" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault>'
    '<w:pPrDefault><w:pPr><w:spacing w:line="560" w:lineRule="exact"/></w:pPr></w:pPrDefault></w:docDefaults>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:next w:val="LetterBody"/>'
    '<w:pPr><w:keepNext/><w:spacing w:after="400" w:line="640" w:lineRule="exact"/><w:jc w:val="center"/><w:outlineLvl w:val="0"/></w:pPr>'
    f"<w:rPr><w:b/>{_size(44)}</w:rPr></w:style>"
    + _style("LetterNumber", "Letter Number", '<w:spacing w:after="320"/><w:jc w:val="center"/>')
    + _style("LetterTo", "Letter To", "")
    + _style("LetterBody", "Letter Body", '<w:ind w:firstLine="640" w:firstLineChars="200"/><w:jc w:val="both"/>')
    + _style("LetterSealing", "Letter Sealing", '<w:keepNext/><w:keepLines/><w:spacing w:before="160"/><w:ind w:left="4200"/><w:jc w:val="center"/>')
    + _style("LetterFoot", "Letter Foot", '<w:spacing w:before="600" w:line="400" w:lineRule="exact"/>', _size(22))
    + _style("LetterFooter", "Letter Footer", '<w:spacing w:line="240" w:lineRule="auto"/><w:jc w:val="center"/>', _size(15))
    + "</w:styles>"
)  # fmt: skip
_PAGE = ('<w:sectPr><w:footerReference w:type="default" r:id="rId2"/><w:pgSz w:w="11906" w:h="16838"/>'
         '<w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1588" w:header="851" w:footer="992" w:gutter="0"/></w:sectPr>')  # fmt: skip
_BODY = "".join((
    _paragraph("Heading1", "{{ title }}"), _paragraph("LetterNumber", "{{ number }}"), _paragraph("LetterTo", "{{ to }}"),
    _paragraph("LetterBody", "{%p for text in body %}"), _paragraph("LetterBody", "{{ text }}"), _paragraph("LetterBody", "{%p endfor %}"),
    _paragraph("LetterSealing", "{%p for text in sealing %}"), _paragraph("LetterSealing", "{{ text }}"), _paragraph("LetterSealing", "{%p endfor %}"),
    _paragraph("LetterFoot", "{{ foot }}"),
))  # fmt: skip
_PARTS = {
    "[Content_Types].xml": f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_MAIN}.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="{_MAIN}.styles+xml"/>'
    f'<Override PartName="/word/footer1.xml" ContentType="{_MAIN}.footer+xml"/>'
    '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
    "_rels/.rels": f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>',
    "docProps/core.xml": f'{_HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<dc:language>zh-CN</dc:language></cp:coreProperties>",
    "word/_rels/document.xml.rels": f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/styles" Target="styles.xml"/><Relationship Id="rId2" Type="{_OFFICE}/footer" Target="footer1.xml"/></Relationships>',
    "word/document.xml": f"{_HEAD}<w:document {_W}><w:body>{_BODY}{_PAGE}</w:body></w:document>",
    "word/footer1.xml": f'{_HEAD}<w:ftr {_W}>{_paragraph("LetterFooter", "依已签发的文书制作，以签发件为准。签发件摘要：{{ digest }}")}</w:ftr>',
    "word/styles.xml": _STYLES,
}


def template() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in _PARTS.items():
            made.writestr(name, text)
    return packed(out.getvalue())


if __name__ == "__main__":
    Path(__file__).with_name("letter.docx").write_bytes(template())
