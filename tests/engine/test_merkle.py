"""The tree against the published roots, and every proof of every small tree: right ones hold, damaged ones do not."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import merkle

# The reference implementation of Certificate Transparency: inputs and roots for sizes 1 to 8.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def source(leaves, suite=merkle.SHA256):
    """Full subtrees of these leaves."""

    def get(level, index):
        part = leaves[index << level : (index + 1) << level]
        assert len(part) == 1 << level
        while len(part) > 1:
            part = [suite.parent(part[n], part[n + 1]) for n in range(0, len(part), 2)]
        return part[0]

    return get


def leaves_of(count, suite=merkle.SHA256):
    return [suite.leaf(b"%d" % n) for n in range(count)]


def test_the_published_roots():
    leaves = [merkle.SHA256.leaf(bytes.fromhex(text)) for text in INPUTS]
    assert [merkle.root(merkle.SHA256, source(leaves), n).hex() for n in range(1, 9)] == ROOTS
    assert merkle.root(merkle.SHA256, source([]), 0) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("suite", merkle.SUITES.values(), ids=lambda s: s.name)
def test_every_proof_of_every_tree_below_40(suite):
    leaves = leaves_of(40, suite)
    get = source(leaves, suite)
    roots = [merkle.root(suite, get, n) for n in range(41)]
    spoil = suite.digest
    for size in range(1, 41):
        for index in range(size):
            proof = merkle.inclusion(suite, get, index, size)
            assert merkle.included(suite, leaves[index], index, size, proof, roots[size])
            assert not merkle.included(suite, leaves[index], (index + 1) % size, size, proof, roots[size]) or size == 1
            assert not merkle.included(suite, leaves[index], index, size, [*proof, roots[size]], roots[size])
            for n in range(len(proof)):
                assert not merkle.included(suite, leaves[index], index, size, [*proof[:n], spoil(proof[n]), *proof[n + 1 :]], roots[size])
        for old in range(1, size + 1):
            proof = merkle.consistency(suite, get, old, size)
            assert merkle.consistent(suite, old, size, roots[old], roots[size], proof)
            assert not merkle.consistent(suite, old, size, spoil(roots[old]), roots[size], proof)
            for n in range(len(proof)):
                assert not merkle.consistent(suite, old, size, roots[old], roots[size], [*proof[:n], spoil(proof[n]), *proof[n + 1 :]])


def test_proofs_outside_of_the_tree_are_refused():
    get = source(leaves_of(4))
    with pytest.raises(ValueError, match="leaf 4 of 4"):
        merkle.inclusion(merkle.SHA256, get, 4, 4)
    with pytest.raises(ValueError, match="tree of 5"):
        merkle.consistency(merkle.SHA256, get, 5, 4)
    assert not merkle.included(merkle.SHA256, b"", 4, 4, [], b"")
    assert not merkle.consistent(merkle.SHA256, 5, 4, b"", b"", [])


def recomputed(suite, picked, size, given_hashes):
    """What somebody with the picked leaves does: the root, taking a given hash for each part without any."""
    indexes = sorted(picked)

    def walk(start, end, low, high):
        if low == high:
            return next(given_hashes)
        if end - start == 1:
            return picked[start]
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        cut = low + sum(1 for n in indexes[low:high] if n < middle)
        return suite.parent(walk(start, middle, low, cut), walk(middle, end, cut, high))

    return walk(0, size, 0, len(indexes))


@given(st.integers(1, 90), st.data())
def test_one_proof_for_many_leaves(size, data):
    leaves = leaves_of(size)
    get, suite = source(leaves), merkle.SHA256
    indexes = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    found = list(merkle.batch(lambda start, end: merkle.subtree(suite, get, start, end), indexes, size))
    left = iter(found)
    assert recomputed(suite, {n: leaves[n] for n in indexes}, size, left) == merkle.root(suite, get, size)
    assert next(left, None) is None
    assert (not found) == all(b - a == 1 for a, b in pairwise([-1, *indexes, size]))
