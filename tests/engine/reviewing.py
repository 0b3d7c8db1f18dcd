"""A worker as a process of its own: does what is due until nothing is left (test_review_2012, test_reviews_load)."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from tests.engine.killed import opened


def work(url: str, files: str, moment: str) -> None:
    made = opened(url, files, moment)
    idle = 0
    while idle < 3:  # the other worker may hold the last ones
        try:
            idle = 0 if made.jobs.run_due() else idle + 1
        except OperationalError as error:  # the bell of a server rings again, whatever became of the last ring
            if "database is locked" not in str(error):
                raise
    made.office.store.close()
