"""A database under another data key: one line that says so and exit 2, and no door opens on it."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from sqlalchemy import insert

from engine import store
from processes import bureau as bureaus
from processes import schema
from tests.district import District
from web import demo, serving
from web.cli import main

OTHER = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def lived_in(settings, clock, monkeypatch):
    """A migrated database with people and a case; the environment names it, with another key. Returns (settings, case number)."""
    schema.upgrade(settings.database)
    made = bureaus.build(settings, clock)
    district = District(made, clock)
    no = district.apply(district.household(210_000))
    made.office.store.close()
    for name, value in {"DATABASE": settings.database, "DATA_KEY": OTHER, "HOME": str(settings.files.parent), "ENV": "training"}.items():
        monkeypatch.setenv(f"YINGBAO_{name}", value)
    return settings, no


COMMANDS = [["verify"], ["rebuild", "--check"], ["replay", "NO"], ["serve", "--no-worker"], ["demo", "--no-serve"], ["worker", "--once"],
            ["clock", "show"], ["user", "token", "clerk"]]  # fmt: skip


def test_every_command_says_in_one_line_that_the_key_is_not_this_databases(lived_in, capsys):
    _, no = lived_in
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([no if word == "NO" else word for word in command])
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, ""), command
        assert len(said.err.strip().splitlines()) == 1, command
        assert "YINGBAO_DATA_KEY" in said.err, command
        assert "Traceback" not in said.err, command


def test_server_and_demo_refuse_to_start(lived_in):
    settings, _ = lived_in
    wrong = dataclasses.replace(settings, data_key=OTHER)
    for start in (lambda: serving.run(wrong, "127.0.0.1", 0, worker=False), lambda: demo.run(wrong, households=1, seed=1, serve=False, port=None)):
        with pytest.raises(bureaus.OtherKey):
            start()


def test_a_wrong_setting_is_said_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("YINGBAO_HOME", str(tmp_path))
    monkeypatch.setenv("YINGBAO_PORT", "x")
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "yingbao: YINGBAO_PORT must be a port number, not 'x'\n"


def test_the_right_key_fits_even_when_one_wrapped_key_was_spoiled_and_an_empty_database_has_none_yet(settings, lived_in):
    made = bureaus.build(settings)
    bureaus.refuse_other_key(made)
    with made.office.store.write() as conn:
        conn.execute(insert(store.subject_key).values(subject="a:0", wrapped=b"\x01spoiled-spoiled-spoiled-spoiled"))
    bureaus.refuse_other_key(made)
    with made.office.store.write() as conn:
        conn.execute(store.subject_key.delete())
    bureaus.refuse_other_key(made)
    made.office.store.close()
