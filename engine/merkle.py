"""The tree over all entries: RFC 6962 hashing, and its two proofs. Pure: hashes of full subtrees come from outside.

A tree of `size` leaves is made of full subtrees; `get(level, index)` gives the hash of leaves
[index * 2**level, (index + 1) * 2**level). Suite 2 hashes with SM3 (GB/T 32905) in place of SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Get = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Suite:
    """Which hash the tree is made with. number: as it stands in bundles; name: of the hash, for hashlib; 32 bytes."""

    number: int
    name: str

    def digest(self, text: bytes) -> bytes:
        return hashlib.new(self.name, text).digest()

    def leaf(self, body: bytes) -> bytes:
        return self.digest(b"\x00" + body)

    def parent(self, left: bytes, right: bytes) -> bytes:
        return self.digest(b"\x01" + left + right)


SHA256, SM3 = Suite(1, "sha256"), Suite(2, "sm3")
SUITES = {suite.number: suite for suite in (SHA256, SM3)}


def _split(count: int) -> int:
    """The largest power of two below the count: where RFC 6962 divides."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree(suite: Suite, get: Get, start: int, end: int) -> bytes:
    """The hash of leaves [start, end), where start is a multiple of the power of two at or above their number."""
    count = end - start
    if count == 0:
        return suite.digest(b"")
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return get(level, start >> level)
    middle = start + _split(count)
    return suite.parent(subtree(suite, get, start, middle), subtree(suite, get, middle, end))


def root(suite: Suite, get: Get, size: int) -> bytes:
    return subtree(suite, get, 0, size)


def inclusion(suite: Suite, get: Get, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` (RFC 6962 2.1.1). ValueError when it is outside."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of {size}")
    found, start, end = list[bytes](), 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(subtree(suite, get, middle, end))
            end = middle
        else:
            found.append(subtree(suite, get, start, middle))
            start = middle
    return found[::-1]


def consistency(suite: Suite, get: Get, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with that of `old` (RFC 6962 2.1.2). ValueError unless 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"tree of {old} in tree of {new}")
    found, start, end, whole = list[bytes](), 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(subtree(suite, get, middle, end))
            end = middle
        else:
            found.append(subtree(suite, get, start, middle))
            start, whole = middle, False
    return ([] if whole else [subtree(suite, get, start, end)]) + found[::-1]


def included(suite: Suite, leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the proof shows that the leaf is number `index` of the tree of `size` with this root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = suite.parent(step, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = suite.parent(found, step)
        here, last = here >> 1, last >> 1
    return last == 0 and found == expected


def consistent(suite: Suite, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that nothing of the old tree was changed or taken away in the new one (RFC 9162 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return old_root == new_root and not proof
    if old == 0:
        return not proof and old_root == suite.digest(b"")
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            was, now = suite.parent(step, was), suite.parent(step, now)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            now = suite.parent(now, step)
        here, last = here >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def batch(get: Callable[[int, int], bytes], indexes: Sequence[int], size: int) -> Iterator[bytes]:
    """The hashes that somebody needs beside the leaves `indexes` (rising) to compute the root of the tree of `size`: one for
    each part of the tree, from left to right, that holds none of them. get(start, end): the hash of leaves [start, end)."""

    def walk(start: int, end: int, low: int, high: int) -> Iterator[bytes]:
        if low == high:
            yield get(start, end)
        elif end - start > 1:
            middle = start + _split(end - start)
            cut = low
            while cut < high and indexes[cut] < middle:
                cut += 1
            yield from walk(start, middle, low, cut)
            yield from walk(middle, end, cut, high)

    if size:
        yield from walk(0, size, 0, len(indexes))
