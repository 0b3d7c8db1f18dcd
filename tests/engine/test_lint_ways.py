"""Overlapping conditions and holes: what the lint says is what trying every value says."""

from __future__ import annotations

import ast
import itertools
import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expression import BadExpression, ExpressionError, compile_expression
from engine.lint_ways import TooMany, Ways

TEXTS = ["'a'", "'b'", "''"]
NUMBERS = ["0", "1", "3", "-2"]
# More values than any condition below can tell apart, and kinds that none of them mentions.
VALUES = [None, True, False, "\0", *range(-4, 6), *(Decimal(n) / 2 for n in range(-7, 11, 2)), "", "a", "a\0", "aa", "b", "b\0", "z", [], ["a"], [1, 3], {}, {"k": 1}]
names = st.sampled_from(["x", "y"])
numbers, texts = st.sampled_from(NUMBERS), st.sampled_from(TEXTS)
equality, order = st.sampled_from(["==", "!="]), st.sampled_from(["<", "<=", ">", ">="])
constants = st.one_of(numbers, texts, st.sampled_from(["None", "True", "False", "[1, 3]"]))
atoms = st.one_of(
    st.builds("{} {} {}".format, names, equality, constants),
    st.builds("{1} {2} {0}".format, names, constants, equality),
    st.builds("{} {} {}".format, names, order, st.one_of(numbers, texts)),
    st.builds("{} {} {}".format, names, st.sampled_from(["is", "is not"]), st.sampled_from(["None", "True", "False"])),
    st.builds("{} {} [{}, {}]".format, names, st.sampled_from(["in", "not in"]), constants.filter(lambda c: "[" not in c), texts),
    st.builds("{} {} {} {} {}".format, numbers, order, names, order, numbers),
    names,
    st.sampled_from(["True", "1 == 2"]),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)


def holds(text, facts):
    try:
        return bool(compile_expression(text).evaluate(facts))
    except ExpressionError:
        return None


def tried(*said):
    """What holds for every pair of VALUES."""
    for x, y in itertools.product(VALUES, VALUES):
        yield [holds(text, {"x": x, "y": y}) for text in said]


def told(witness):
    """The values that a finding names. A fact that the conditions do not read is not named."""
    parts = [one.split(" = ") for one in re.split(", (?=[xy] = )", witness) if one]
    return {name: Decimal(value[9:-2]) if value.startswith("Decimal") else ast.literal_eval(value) for name, value in parts}


@settings(max_examples=200, deadline=None)
@given(conditions, conditions)
def test_an_overlap_is_found_exactly_where_trying_every_value_finds_one(one, other):
    found = [(a, b, witness) for a, b, witness in Ways({"f_one": one, "f_other": other}).overlaps()]
    assert bool(found) == any(both == [True, True] for both in tried(one, other))
    for a, b, witness in found:
        assert (a, b) == ("f_one", "f_other")
        facts = told(witness)
        assert holds(one, facts) and holds(other, facts), (one, other, witness)


@settings(max_examples=200, deadline=None)
@given(conditions, conditions)
def test_a_hole_is_found_exactly_where_trying_every_value_finds_one(one, other):
    witness = Ways({"f_one": one, "f_other": other}).hole()
    assert (witness is not None) == any(both == [False, False] for both in tried(one, other))
    if witness is not None:
        facts = told(witness)
        assert holds(one, facts) is False and holds(other, facts) is False, (one, other, witness)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("len(x) == 1", "len(x) > 1", False),
        ("len(x) < 1", "len(x) > 0", False),
        ("len(x) != 1", "len(x) == 2", True),
        ("date(x) < date('2019-01-01')", "date(x) >= date('2019-01-01')", False),
        ("date(x) <= date('2019-01-01')", "date(x) >= date('2019-01-01')", True),
        ("x > y", "not x > y", False),
        ("x > y", "x == y", True),  # not seen through: refused, and written as `not` the other instead
        ("x == y == 1", "x == 1", True),
        ("'a' in x", "'b' in x", True),
        ("x in 'ab'", "x == 'b'", True),
        ("x['k'] == 1", "x['k'] == 2", False),
        ("x['k'] == 1", "x['j'] == 2", True),
        ("x + y > 2", "x + y < 2", False),
        ("x == '…'", "x != '…' and x is not None", False),
        ("x == '…'", "x != '……' and x is not None", True),
        ("x < [1]", "x == [0]", True),
    ],
)
def test_what_is_computed_from_facts_is_a_value_of_its_own(one, other, overlap):
    assert bool(list(Ways({"f_one": one, "f_other": other}).overlaps())) == overlap


def test_only_pairs_are_tried_so_that_many_flows_are_no_trouble():
    ways = Ways({f"f{n}": f"outcome == 'way{n}' and more{n} == True" for n in range(15)})
    assert list(ways.overlaps()) == []
    with pytest.raises(TooMany):
        ways.hole()


@pytest.mark.parametrize("text", ["x =", "__import__('os')", "x.y", "1.5 < x", "a" * 3000])
def test_what_is_no_condition_is_not_tried(text):
    with pytest.raises(BadExpression):
        Ways({"f_one": text, "f_other": "x == 1"})


def test_more_values_than_are_tried_are_refused_not_passed():
    ways = Ways({"f_one": " or ".join(f"x{n} == {n}" for n in range(9)), "f_other": "x0 != 0"})
    with pytest.raises(TooMany):
        list(ways.overlaps())


def test_a_condition_that_is_too_long_when_written_out_is_refused_not_passed():
    longest = "x=='" + "a" * 1_995 + "'"
    compile_expression(longest)
    with pytest.raises(TooMany):
        Ways({"f_one": longest, "f_other": "x == 1"})
    escaped = "x=='" + "\u200b" * 1_000 + "'"  # six letters each when written out: no literal then, but a truth of its own
    assert list(Ways({"f_one": escaped, "f_other": "x == 1"}).overlaps())
