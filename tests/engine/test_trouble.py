"""Trouble of the database: a lost race is a conflict in words; a bug stays a bug; a worker outlives a hiccup."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from engine import store
from engine.errors import Conflict
from processes.case_tables import letter_number


def test_losing_a_race_for_a_unique_key_is_a_conflict(office):
    row = {"kind": "acceptance", "unit": "120116001", "year": 2018, "last": 1}
    with office.act() as act:
        act.conn.execute(insert(letter_number).values(**row))
    with pytest.raises(Conflict), office.act() as act:
        act.conn.execute(insert(letter_number).values(**row))


def test_a_missing_value_or_table_is_not_called_a_conflict(office):
    with pytest.raises(DBAPIError), office.act() as act:
        act.conn.execute(insert(store.setting).values(name="x", value=None))
    with pytest.raises(DBAPIError), office.act() as act:
        act.conn.execute(text("SELECT * FROM no_such_table"))
