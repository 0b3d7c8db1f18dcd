"""Conformance from a log alone: what the drawing allows fits, what it does not is named; pure, but for the cases of a district."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import event_log
from processes.bureau import CATALOGUE
from processes.conformance import KINDS, Seen, check, effective, fitness_of, model, recorded

OURS = KINDS - {"inner"}
DRAWN = {key: model(p.bpmn.read_bytes()) for key, p in CATALOGUE.items()}
HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">{}</process></definitions>'


def drawn(*elements: str):
    """A drawing out of "kind id" and "from > to" words."""
    out = []
    for one in elements:
        a, b, *c = one.split()
        out.append(f'<sequenceFlow id="{a}_{c[0]}" sourceRef="{a}" targetRef="{c[0]}"/>' if b == ">" else f'<{a} id="{b}" name="{b.upper()}"/>')
    return model(HEAD.format("".join(out)).encode())


LINE = drawn("startEvent s", "userTask a", "userTask b", "userTask c", "endEvent e", "s > a", "a > b", "b > c", "c > e")
BOTH = drawn("startEvent s", "parallelGateway f", "userTask a", "userTask b", "parallelGateway j", "userTask c", "endEvent e",
             "s > f", "f > a", "f > b", "a > j", "b > j", "j > c", "c > e")  # fmt: skip
EITHER = drawn("startEvent s", "exclusiveGateway x", "userTask a", "userTask b", "exclusiveGateway j", "userTask c", "exclusiveGateway g", "endEvent e",
               "s > x", "x > a", "x > b", "a > j", "b > j", "j > c", "c > g", "g > e", "g > x")  # fmt: skip


def held(drawing, text, *, closed=True, kinds=frozenset({"userTask"})):
    return check(drawing, [Seen(one) for one in text.split()], obligatory=kinds, closed=closed)


def odd(drawing, text, **kind):
    return [(d.kind, d.activity, d.position) for d in held(drawing, text, **kind).deviations]


def test_what_the_drawing_allows_fits():
    for drawing, text in ((LINE, "a b c"), (BOTH, "a b c"), (BOTH, "b a c"), (EITHER, "a c"), (EITHER, "b c")):
        assert held(drawing, text).fits, text
        assert held(drawing, text).fitness == 1
    assert held(LINE, "A B C").fits, "activities may be called as the drawing calls them"
    assert held(LINE, "a b", closed=False).fits, "a case under way is not at its end"
    assert held(LINE, "", closed=False).fits


def test_each_kind_of_deviation_is_named_and_where():
    assert odd(LINE, "a x b c") == [("unknown", "x", 2)]
    assert odd(LINE, "a c") == [("skipped", "b", 2)]
    assert odd(LINE, "a b b c") == [("extra", "b", 3)]
    assert odd(LINE, "a c b") == [("skipped", "b", 2), ("out_of_order", "b", 3)]
    assert odd(LINE, "a b") == [("unfinished", "c", 3)]
    assert odd(LINE, "a b c a") == [("beyond_end", "a", 4)]
    assert odd(BOTH, "a c") == [("skipped", "b", 2)], "a parallel branch that was left out"
    assert odd(EITHER, "a b c") == [("extra", "b", 2)] or odd(EITHER, "a b c")[0][0] == "skipped", "two branches of which one is to be chosen"


def test_a_node_that_follows_two_outgoing_flows_starts_both():
    """A task with several outgoing flows is a parallel split."""
    split = drawn("startEvent s", "userTask a", "userTask b", "userTask c", "endEvent e", "endEvent f", "s > a", "a > b", "a > c", "b > e", "c > f")
    assert held(split, "a b c").fits
    assert held(split, "a c b").fits
    assert odd(split, "a b") == [("unfinished", "c", 3)]
    assert held(EITHER, "a c b c").fits, "a gateway gives one token, and may go back"


def test_what_the_log_does_not_record_is_no_deviation_and_what_it_records_must_be_there():
    drawing = drawn("startEvent s", "userTask a", "serviceTask m", "userTask b", "endEvent e", "s > a", "a > m", "m > b", "b > e")
    assert held(drawing, "a b").fits
    assert odd(drawing, "a b", kinds=OURS) == [("skipped", "s", 1), ("skipped", "m", 2), ("unfinished", "e", 3)]
    assert recorded(drawing, [[Seen("a"), Seen("m")]]) == {"userTask", "serviceTask"}


def test_what_was_taken_back_counts_as_never_done():
    events = [Seen("a"), Seen("b"), Seen("b", "pi_abort"), Seen("b", "assign"), Seen("b"), Seen("c")]
    assert check(LINE, events, obligatory=frozenset({"userTask"}), closed=True).fits
    assert [position for position, _ in effective(events)] == [1, 5, 6]
    assert effective([Seen("a", "pi_abort"), Seen("a")]) == [(2, Seen("a"))]


def test_fitness_is_between_nothing_and_all():
    assert held(LINE, "x y z").fitness == 0
    assert held(LINE, "a c").fitness == 1 - Fraction(1, 5)
    assert fitness_of([]) == 1
    assert fitness_of([held(LINE, "a b c"), held(LINE, "x y z")]) == Fraction(1, 2)


def test_withdrawal_leaves_a_sub_process_from_wherever_it_stands():
    dibao = DRAWN["dibao-2012"]
    text = "applied completeness_check accept open_investigation request_means_check withdrawal close_withdrawn ended_withdrawn"
    assert held(dibao, text, kinds=OURS).fits
    assert odd(dibao, text.replace(" withdrawal", ""), kinds=OURS)[0] == ("skipped", "withdrawn", 6)


def test_bad_drawings_are_refused_in_words():
    from engine.errors import Invalid

    for xml in (b"", b"<x", b"<definitions/>", HEAD.encode()[:60]):
        with pytest.raises(Invalid):
            model(xml)


@st.composite
def walks(draw):
    """A way through one of our drawings that its tokens allow, to its end or broken off: (key, seen nodes, whether at the end)."""
    key = draw(st.sampled_from(sorted(DRAWN)))
    drawing, marking, seen = DRAWN[key], DRAWN[key].initial, []
    for _ in range(draw(st.integers(0, 90))):
        moves = sorted(drawing.moves(marking), key=lambda m: (m.label or "", sorted(m.after)))
        if not moves:
            break
        move = draw(st.sampled_from(moves))
        marking = move.after
        if move.label is not None and drawing.nodes[move.label].kind != "inner":
            seen.append(move.label)
    return key, seen, not marking


@given(walks())
@settings(max_examples=120, deadline=None)
def test_every_way_that_the_tokens_allow_fits(walk):
    key, seen, ended = walk
    verdict = check(DRAWN[key], [Seen(one) for one in seen], obligatory=OURS, closed=ended)
    assert verdict.deviations == ()
    assert verdict.fitness == 1


@given(walks(), st.data())
@settings(max_examples=120, deadline=None)
def test_an_unknown_activity_is_one_deviation_wherever_it_stands(walk, data):
    key, seen, ended = walk
    at = data.draw(st.integers(0, len(seen)))
    events = [Seen(one) for one in [*seen[:at], "not on the drawing", *seen[at:]]]
    verdict = check(DRAWN[key], events, obligatory=OURS, closed=ended)
    assert [(d.kind, d.activity, d.position) for d in verdict.deviations] == [("unknown", "not on the drawing", at + 1)]
    assert verdict.fitness < 1


@given(st.lists(st.sampled_from([*sorted(DRAWN["dibao-2012"].activities), "unheard of"]), max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_anything_gets_a_verdict_with_a_fitness_that_is_one_only_where_it_fits(names, closed):
    verdict = check(DRAWN["dibao-2012"], [Seen(name) for name in names], obligatory=OURS, closed=closed)
    assert 0 <= verdict.fitness <= 1
    assert verdict.fits == (verdict.fitness == 1)
    assert sum(d.kind == "unknown" for d in verdict.deviations) == names.count("unheard of")


# -- our own log, on both databases


def logged(bureau, process=None, area="120116"):
    with bureau.office.read() as conn:
        drawings = lambda digest: bureau.cases.drawing(conn, digest)  # noqa: E731
        return list(event_log.traces(conn, drawings, event_log.Wanted(area, process)))


def conformed(bureau):
    with bureau.office.read() as conn:
        drawings = lambda digest: bureau.cases.drawing(conn, digest)  # noqa: E731
        return list(event_log.conform(drawings, event_log.traces(conn, drawings, event_log.Wanted("120116"))))


def test_our_cases_fit_and_one_whose_record_says_otherwise_does_not(district):
    district.to_refusal()
    district.apply(district.household(210_000, serial=2))
    found = conformed(district.bureau)
    assert [(one.verdict.fits, one.closed) for one in found] == [(True, False), (True, False)]
    trace = logged(district.bureau)[0]
    names = [e.activity for e in trace.events if e.lifecycle == "complete"]
    assert "decide_refusal" in names
    without = [one for one in trace.seen() if one.activity != "district_examination"]
    verdict = check(DRAWN["dibao-2012"], without, obligatory=OURS, closed=False)
    assert [(d.kind, d.activity) for d in verdict.deviations] == [("skipped", "district_examination")]


def test_a_taken_back_step_still_fits(district):
    district.apply(district.household(210_000))
    district.accept()
    district.check()
    district.do("ann", "home_survey", surveyed_on=district.office.today().isoformat(), second_investigator="bob", met_person="张一", housing="一", living="简朴", findings="属实",
                surveyed_signature=district.scan)  # fmt: skip
    done = [t for t in _all_tasks(district) if t["node"] == "home_survey"][0]
    with district.office.act(district.people["ann"]) as act:
        district.bureau.habits.take_back(act, done["id"], "写错了")
    [held_case] = conformed(district.bureau)
    assert held_case.verdict.fits, held_case.verdict.deviations
    [trace] = logged(district.bureau)
    assert ("home_survey", "pi_abort") in [(e.activity, e.lifecycle) for e in trace.events]


def _all_tasks(district):
    from engine import queries

    with district.office.read() as conn:
        return queries.case_tasks(conn, district.case()["id"])


@pytest.mark.parametrize("kind", ["csv", "xes"])
def test_what_goes_out_comes_back_in_and_holds_no_names(district, kind):
    district.to_refusal()
    found = logged(district.bureau)
    text = "".join(event_log.chunks(kind, found))
    for personal in ("张一", "某ann", "收入高", "13800138000", "600000"):
        assert personal not in text
    back = event_log.parse(text.encode())
    assert [(one.no, [(e.activity, e.lifecycle) for e in one.events]) for one in back] == [(t.no, [(e.activity, e.lifecycle) for e in t.events]) for t in found]
    assert all(one.verdict.fits for one in event_log.conform_foreign(DRAWN["dibao-2012"], back, "dibao-2012"))


def test_xes_is_well_formed_and_declares_its_extensions(district):
    from datetime import datetime

    from lxml import etree

    district.apply(district.household(210_000))
    tree = etree.fromstring("".join(event_log.chunks("xes", logged(district.bureau))).encode())
    ns = {"x": "http://www.xes-standard.org/"}
    assert tree.get("xes.version") == "1849-2016"
    assert [e.get("prefix") for e in tree.iterfind("x:extension", ns)] == ["concept", "time", "org", "lifecycle"]
    declared = {"concept", "time", "org", "lifecycle"}
    keys = {e.get("key") for e in tree.iter() if e.get("key")}
    assert {key.partition(":")[0] for key in keys if ":" in key} <= declared
    for stamp in tree.iterfind(".//x:event/x:date", ns):
        assert datetime.fromisoformat(stamp.get("value")).tzinfo is not None


def test_no_cell_is_a_formula():
    for cell in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert event_log.harmless(cell).startswith("'")
    assert event_log._plain(event_log.harmless("=1+1")) == "=1+1", "read back as it was"
    assert event_log.harmless("张三") == "张三"


def test_other_systems_logs_are_read_by_the_names_that_they_use_and_bad_ones_refused():
    from engine.errors import Invalid

    good = "case_id,concept:name\r\n1,a\r\n1,b\r\n\r\n1,c\r\n2,a\r\n2,c\r\n"
    held_cases = event_log.conform_foreign(LINE, event_log.parse(good.encode("gb18030")), "p")
    assert [(one.no, one.verdict.fits) for one in held_cases] == [("1", True), ("2", False)]
    chinese = "个案,环节\n一,A\n".encode("gb18030")
    assert event_log.parse(chinese)[0].events == [Seen("A", "complete", "", "2")]
    for bad in (b"", b"  ", b"a,b\n1,2\n", b"case,activity\n", b"case,activity\n1,\n", b"<log>", b"<log/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><log><trace><event/></trace></log>",
                b"\xff\xfe\x00c", b'case,activity\n"1,a\n', b"x" * (event_log.MAX_BYTES + 1)):  # fmt: skip
        with pytest.raises(Invalid):
            event_log.parse(bad)


def test_period_process_and_area_choose_whole_cases(district):
    from datetime import date, timedelta

    no = district.apply(district.household(210_000))
    today = district.office.today()
    with district.office.read() as conn:
        drawings = lambda digest: district.cases.drawing(conn, digest)  # noqa: E731

        def numbers(**kind):
            return [t.no for t in event_log.traces(conn, drawings, event_log.Wanted(**{"area": "120116", **kind}))]

        assert numbers() == numbers(from_on=today, until_on=today, process="dibao-2012") == [no]
        assert numbers(process="review-2012") == numbers(area="120116005") == numbers(area=()) == []
        assert numbers(from_on=today + timedelta(days=1)) == numbers(until_on=today - timedelta(days=1)) == numbers(until_on=date(2000, 1, 1)) == []
