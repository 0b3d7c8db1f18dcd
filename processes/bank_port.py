"""The way to the bank: a folder of its front-end machine (前置机), from which the bank's own program takes the files.

A file is given under its number. Giving it again, because nobody knows whether it arrived, is the same as giving it once: the same bytes
under the same number change nothing, and others are refused. Without a folder the files are carried there by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from processes import documents


class BankFailed(Exception):
    """The bank could not be reached: try again."""


class BankRefused(Exception):
    """The bank has another file under this number: nobody may go on."""


class Bank(Protocol):
    """What a run asks of the bank."""

    def send(self, no: str, suffix: str, data: bytes) -> None:
        """Give a file under its number; the same again changes nothing. Raises BankFailed, BankRefused."""


class Folder:
    """`out/` of the folder: files stand there under their numbers, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / "out"

    def send(self, no: str, suffix: str, data: bytes) -> None:
        name = f"{no}.{suffix}"
        try:
            if (self._out / name).exists():
                if (self._out / name).read_bytes() != data:
                    raise BankRefused(f"{name} is there with other bytes")
                return
            documents.write(self._out, name, data)
        except OSError as error:
            raise BankFailed(f"{type(error).__name__}: {error}") from error


class Carried:
    """No folder: who has the task carries the file to the bank."""

    def send(self, no: str, suffix: str, data: bytes) -> None:
        pass


def at(folder: str) -> Bank:
    """The bank of a setting (YINGBAO_BANK)."""
    return Folder(Path(folder)) if folder else Carried()
