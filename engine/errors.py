"""What callers may catch.

* EngineError
  x NotFound         no such record, task or process
  x Refused          this actor may not do that, or not now; `.rule` names the rule
  x Invalid          the answers do not fit the form; `.fields` says where
  x Conflict         somebody else was first
  x NotWaiting       a message came for which no node waits
  x BadProcess       a drawing and its Python do not agree
  x Diverged         doing it all again does not give what the record says
  x Cannot           it cannot be done again: something that the record names is not here
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class EngineError(Exception):
    """Base of everything this package raises on purpose; the text is for the person who asked."""


class NotFound(EngineError): ...


class Refused(EngineError):
    def __init__(self, rule: str, zh: str, en: str = "") -> None:
        super().__init__(zh)
        self.rule, self.zh, self.en = rule, zh, en or zh


class Invalid(EngineError):
    """`fields`: path ("members.0.id_no") -> messages. `english`: the same in English, where whoever raises it knows it. `labels`: path ->
    what the form calls it, in its language ("": the message says it by itself); a path without one is said as it is."""

    def __init__(self, fields: dict[str, list[str]], english: dict[str, list[str]] | None = None, labels: Mapping[str, str] | None = None) -> None:
        self.fields, self.english, self.labels = fields, english, labels or {}
        super().__init__(self.told("：", "，", "；", fields))

    def told(self, colon: str, comma: str, semicolon: str, fields: Mapping[str, Sequence[str]]) -> str:
        """One sentence of `fields` (as `fields`, in whichever language)."""
        return semicolon.join(f"{label}{colon}{comma.join(texts)}" if (label := self.labels.get(path, path)) else comma.join(texts) for path, texts in fields.items())


class Conflict(EngineError):
    def __init__(self, zh: str, en: str = "") -> None:
        super().__init__(zh)
        self.zh, self.en = zh, en or zh


class NotWaiting(Conflict): ...


class BadProcess(EngineError): ...


class Diverged(EngineError):
    def __init__(self, seq: int, recorded: object, computed: object) -> None:
        super().__init__(f"entry {seq}: the record says {recorded!r}, replay gives {computed!r}")
        self.seq, self.recorded, self.computed = seq, recorded, computed


class Cannot(EngineError):
    """`seq`: the entry that cannot be done again."""

    def __init__(self, seq: int, zh: str, en: str = "") -> None:
        super().__init__(zh if not en else f"{zh} / {en}")
        self.seq, self.zh, self.en = seq, zh, en or zh
