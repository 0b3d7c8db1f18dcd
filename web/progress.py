"""How far a long command is: a bar on a terminal, elsewhere one line per thousand things done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from tqdm import tqdm

EVERY = 1000


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Within, call it with how many of how many are done. It goes to stderr, beside whatever a command gives out."""
    if sys.stderr.isatty():
        with tqdm(desc=what, unit="", leave=False) as bar:

            def moved(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            yield moved
        return
    last = 0

    def told(done: int, of: int) -> None:
        nonlocal last
        if done // EVERY > last // EVERY:
            click.echo(f"{what}: {done} of {of}", err=True)
        last = done

    yield told
