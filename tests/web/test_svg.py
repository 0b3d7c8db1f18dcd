"""The server-made picture: one SVG per drawing, no style, states and names in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import etree

from processes.bureau import CATALOGUE
from web.svg import Marks, _wrapped, render

XML = CATALOGUE["dibao-2012"].bpmn.read_bytes()
S = "{http://www.w3.org/2000/svg}"
MARKS = Marks(
    done={"applied": 1, "completeness_check": 2, "accept": 1}, current=["accept"], active=["home_survey", "registry_answered"],
    flows=["f_complete_gw__accept"], notes={"accept": ["王某 12-03", "<b>&"]})  # fmt: skip


def drawn(marks: Marks = MARKS, **kind: Any) -> Any:
    return etree.fromstring(render(XML, marks, title="个案 & 流程图", **kind))


def part(svg: Any, node: str) -> Any:
    [found] = [g for g in svg.iter() if g.get("data-id") == node]
    return found


def words(element: Any) -> str:
    return "".join(element.itertext())


def test_it_is_one_image_with_a_name_and_without_style_or_script():
    svg = drawn()
    assert (svg.tag, svg.get("role"), svg.get("aria-label")) == (f"{S}svg", "img", "个案 & 流程图")
    assert not [e for e in svg.iter() if e.get("style") or e.tag in (f"{S}style", f"{S}script", f"{S}image", f"{S}foreignObject")]
    assert not [k for e in svg.iter() for k in e.keys() if k.startswith("on") or k.endswith("href")]


def test_everything_on_the_drawing_is_on_the_picture():
    tree: Any = etree.fromstring(XML)
    drawn_ids = {e.get("bpmnElement") for e in tree.iter("{*}BPMNShape", "{*}BPMNEdge")}
    shown = [e.get("data-id") for e in drawn().iter() if e.get("data-id")]
    assert sorted(shown) == sorted(drawn_ids)


def test_every_node_has_a_title_with_its_state():
    svg = drawn()
    for node, said in {"accept": "受理：本步", "completeness_check": "材料审查：已完成 ×2", "home_survey": "入户调查：当前待办", "decide": "审批决定：未开始"}.items():
        assert part(svg, node).findtext(f"{S}title") == said
    assert [part(svg, n).get("class") for n in ("applied", "accept", "registry_answered", "grant")] == ["done", "current", "active", "none"]


def test_states_differ_by_more_than_colour():
    svg = drawn()
    looks = {n: part(svg, n).find(f"{S}rect") for n in ("completeness_check", "accept", "home_survey", "decide")}
    assert len({(r.get("stroke-width"), r.get("stroke-dasharray")) for r in looks.values()}) == 4
    assert looks["home_survey"].get("stroke-dasharray")


def test_flows_taken_stand_out():
    svg = drawn()
    taken, other = part(svg, "f_complete_gw__accept"), part(svg, "f_incomplete")
    assert float(taken.get("stroke-width")) > float(other.get("stroke-width"))
    assert taken.get("marker-end") != other.get("marker-end")


def test_flows_taken_lie_over_those_that_share_their_way():
    order = [e.get("class") for e in drawn().iter(f"{S}polyline")]
    assert order == sorted(order)
    assert order.count("taken") == 1


def test_every_label_says_whose_it_is_and_no_line_holds_a_lone_character():
    svg = drawn()
    labels: dict[str, list[str]] = {}
    for text in svg.iter(f"{S}text"):
        if text.get("class") == "label":
            labels.setdefault(text.get("data-of"), []).append(text.text)
    ids = {e.get("data-id") for e in svg.iter()}
    assert labels["f_incomplete"] == ["不齐"]
    assert len(labels) > 50
    assert labels.keys() <= ids
    assert [lines for lines in labels.values() if len(lines) > 1 and len(lines[-1]) < 2] == []


def test_kinds_can_be_told_apart_without_colour():
    svg = drawn(Marks())
    shapes = {n: [re.sub(r"[-\d.]+", "", e.get("d", "")) + etree.QName(e).localname for e in part(svg, n) if e.tag not in (f"{S}title", f"{S}text")]
              for n in ("decide", "accept", "complete_gw", "investigate_split", "street_notice_wait", "street_notice_ends", "street_objection", "withdrawn",
                        "applied", "handled")}  # fmt: skip
    assert shapes["street_objection"] == shapes["withdrawn"]
    assert len({str(v) for v in shapes.values()}) == 9


def test_the_post_stands_in_the_box():
    assert words(part(drawn(), "decide")).endswith("审批人")
    assert words(part(drawn(), "assess")).endswith("系统")
    assert words(part(drawn(lang="en"), "decide")).endswith("Approver")


def test_notes_are_shown_and_escaped():
    assert "<b>&" in words(part(drawn(), "accept"))
    assert "&lt;b&gt;&amp;" in render(XML, MARKS, title="x")


def test_english_leaves_no_chinese_but_the_notes():
    svg = render(XML, Marks(done={"applied": 1}, active=["handling"]), title="Diagram", lang="en")
    text = "".join(etree.fromstring(svg).itertext())
    assert not re.findall(r"[\u4e00-\u9fff]+", text)
    assert "Democratic review: not begun" in text or "Democratic review：not begun" in text
    for said in ("Query again", "Street", "District"):
        assert said in text


def test_two_pictures_on_a_page_share_no_id():
    def ids(name: str) -> set[str]:
        return set(re.findall(r' id="([^"]+)"', render(XML, MARKS, title="x", name=name)))

    one, two = ids("one"), ids("two")
    assert one
    assert not one & two
    assert render(XML, MARKS, title="x") == render(XML, MARKS, title="x")


def test_marks_of_nodes_that_are_not_drawn_do_no_harm():
    assert render(XML, Marks(done={"gone": 1}, active=["gone"], flows=["gone"], notes={"gone": ["x"]}), title="x")


def test_a_drawing_without_a_diagram_gives_nothing():
    assert render(re.sub(rb"<bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>", b"", XML, flags=re.DOTALL), Marks(), title="x") == ""


@pytest.mark.parametrize("doctype", [b"<!DOCTYPE a>", b'<!DOCTYPE a [<!ENTITY x "y">]>', b'<!DOCTYPE a SYSTEM "file:///etc/passwd">'])
def test_a_doctype_is_refused(doctype):
    head, body = XML.split(b"?>", 1)
    with pytest.raises(ValueError, match="DOCTYPE"):
        render(head + b"?>" + doctype + body, Marks(), title="x")


def test_names_are_escaped():
    wicked = XML.replace('name="民主评议"'.encode(), b'name="&lt;script&gt;&quot;"')
    svg = render(wicked, Marks(), title='"><script>')
    assert "<script" not in svg
    assert etree.fromstring(svg).get("aria-label") == '"><script>'


@pytest.mark.parametrize(("text", "em", "lines"), [
    ("征求低收入救助意愿", 7, ["征求低收入救助", "意愿"]),
    ("听证（七天）", 5, ["听证（七天）"]),
    ("One-time supplement notice", 7, ["One-time", "supplement", "notice"]),
    ("incomprehensibilities", 5, ["incomprehensibilities"]),
    ("共3户", 2, ["共3", "户"]),
])  # fmt: skip
def test_lines_are_broken_where_a_reader_breaks_them(text, em, lines):
    assert [line.strip() for line in _wrapped(text, em)] == lines
