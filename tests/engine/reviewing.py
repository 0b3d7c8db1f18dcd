"""A worker as a process of its own: does what is due until nothing is left (test_review_2012, test_reviews_load)."""

from __future__ import annotations

from tests.engine.killed import opened


def work(url: str, files: str, moment: str) -> None:
    made = opened(url, files, moment)
    idle = 0
    while idle < 3:  # the other worker may hold the last ones
        idle = 0 if made.jobs.run_due() else idle + 1
    made.office.store.close()
