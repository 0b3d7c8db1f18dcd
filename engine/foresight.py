"""What an act is going to ask of the database, guessed from what acts of its kind have asked before, so that it can be asked with one
journey: a questioner who knows what he will want to know need not walk for each answer.

A guess is never wrong, only useless. An answer is taken by the very question, with the very values, that the act then asks, and only as
long as it cannot have changed (engine/prepared.py); whoever reads or writes a process knows nothing of all this.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, String

from engine.prepared import Prepared, Question

Known = Mapping[str, Mapping[str, Any]]  # group ("typed", "facts", "case") -> name -> value
Source = tuple[str, str]  # group, name

_LESSONS = 16  # acts of a kind from which is learned: then it is known what they ask
_PATIENCE = 8  # so many times more in vain than not, and it is asked no more
_LONGEST = 60  # characters
_HIGHEST = 2**47  # ids are below; times 65536 it is still a bigint (store.of_tasks)
_MOST = 100  # questions of an act that are learned: more come from a loop over rows, which nobody foresees


class _Guess:
    """A question of a kind of act, and where each of its values may come from."""

    def __init__(self, asked: Prepared, known: Known, values: Mapping[str, Any]) -> None:
        self.asked, self.in_vain = asked, 0
        self.always = dict(values)  # values that were the same each time
        self.sources = {name: _sources(known, value) for name, value in values.items()}
        self._takes = {name: _taken(asked.binds[name].type) for name in values}

    def question(self, known: Known) -> Question | None:
        values: dict[str, Any] = {}
        for name, sources in self.sources.items():
            found = None
            for group, field in sources:
                if (found := known[group].get(field)) is not None:
                    break
            else:
                found = self.always.get(name)
            if not self._takes[name](found):
                return None
            values[name] = found
        return self.asked, values

    def narrow(self, known: Known, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.sources[name] = [(group, field) for group, field in self.sources[name] if _same(known[group].get(field), value)] or _sources(known, value)
            if name in self.always and not _same(self.always[name], value):
                del self.always[name]


class Foresight:
    """One for all acts of a program, in whatever thread they run; losing what it knows costs a few journeys."""

    def __init__(self) -> None:
        self._guesses: dict[Hashable, dict[tuple[Prepared, int], _Guess]] = {}
        self._lessons: Counter[Hashable] = Counter()
        self._lock = threading.Lock()  # one learns at a time; who asks takes what is there
        self.facts: frozenset[str] = frozenset()  # names of the facts that a guess may need

    def questions(self, kind: Hashable, known: Known) -> list[Question]:
        """What an act of this kind will ask, as far as it can be told from what is known before."""
        guesses = self._guesses.get(kind)
        if not guesses:
            return []
        found = (guess.question(known) for guess in list(guesses.values()) if guess.in_vain < _PATIENCE)
        return [one for one in found if one is not None]

    def learn(self, kind: Hashable, known: Known, guessed: Sequence[Question], missed: Sequence[Question], used: Iterable[Question]) -> None:
        """After an act: what was guessed, what had to be asked nevertheless, and what of the guesses somebody wanted to know."""
        with self._lock:
            self._learn(kind, known, guessed, missed, used)

    def _learn(self, kind: Hashable, known: Known, guessed: Sequence[Question], missed: Sequence[Question], used: Iterable[Question]) -> None:
        guesses, wanted = self._guesses.setdefault(kind, {}), list(used)
        for one in guessed:
            vain = one not in wanted
            for (asked, _), guess in guesses.items():
                if asked is one[0] and (vain or guess.in_vain):
                    guess.in_vain += 1 if vain else -1
        plain = [one for one in missed if one[0].reads is not None][:_MOST]
        if not plain or self._lessons[kind] >= _LESSONS:
            return
        self._lessons[kind] += 1
        for place, (asked, values) in _numbered(plain):
            if (asked, place) in guesses:
                guess = guesses[asked, place]
                guess.narrow(known, values)
            else:
                guess = guesses[asked, place] = _Guess(asked, known, values)
            self.facts |= {name for sources in guess.sources.values() for group, name in sources if group == "facts"}


def _numbered(asked: Sequence[Question]) -> Iterator[tuple[int, Question]]:
    """Each question once, with its number among those of the same statement."""
    times: Counter[int] = Counter()
    seen: list[Question] = []
    for one in asked:
        if one not in seen:
            seen.append(one)
            yield times[id(one[0])], one
            times[id(one[0])] += 1


def _sources(known: Known, value: Any) -> list[Source]:
    return [(group, name) for group, values in known.items() for name, found in values.items() if _same(found, value)]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _taken(kind: Any) -> Callable[[Any], bool]:
    """Which values the database takes for a column without an error, which would end the act: what was typed may be anything."""
    if isinstance(kind, BigInteger):
        return lambda value: type(value) is int and 0 <= value < _HIGHEST
    if isinstance(kind, String):
        return lambda value: type(value) is str and len(value) <= _LONGEST and value.isprintable()
    return lambda _value: False
