"""The command line given what it cannot use: exit 2 with words for an operator, never a traceback."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

from engine.errors import Refused
from web import training
from web.cli import main


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """Runs a command over an empty folder; gives its exit code and what it said on stderr."""
    for name in [name for name in os.environ if name.startswith("YINGBAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("YINGBAO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noise").write_bytes(b"\x00\xff\xfe no database, no text")
    (tmp_path / "folder").mkdir()

    def run(*argv: str, **settings: str) -> tuple[object, str]:
        for name, value in settings.items():
            monkeypatch.setenv(f"YINGBAO_{name}", value)
        with pytest.raises(SystemExit) as ended:
            main(list(argv))
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(("argv", "words"), [
    (("export", "verifier", "--out", "nowhere/v.py"), "nowhere/v.py: No such file or directory"),
    (("export", "evidence", "--as", "a", "--reason", "x", "--out", "nowhere/z.zip"), "nowhere/z.zip cannot be written"),
    (("key", "new", "--file", "noise/key"), "noise: File exists"),
    (("key", "new", "--file", "k", "--name", "a\nb"), "name"),
    (("serve", "--host", "nowhere.invalid"), "not an address to listen on"),
    (("bench", "--quick", "--database", "mysql://x"), "YINGBAO_DATABASE"),
    (("witness", "--folder", "w", "--log", "noise"), "no text"),
    (("verify", "--processes", "0"), "processes"),
    (("serve", "--port", "99999"), "65535"),
    (("registry", "--port", "0"), "65535"),
    (("demo", "--households", "-1"), "households"),
])  # fmt: skip
def test_what_cannot_be_used_is_said_in_words(said, argv, words):
    code, told = said(*argv)
    assert (code, words in told, "Traceback" in told) == (2, True, False), told


@pytest.mark.parametrize(("settings", "words"), [
    ({"DATABASE": "sqlite:///noise"}, "the database cannot be used"),
    ({"DATABASE": "sqlite:///folder"}, "the database cannot be used"),
    ({"DATABASE": "sqlite:///noise/x.sqlite"}, "noise"),
    ({"DATABASE": "postgresql://x@127.0.0.1:1/x"}, "the database cannot be used"),
    ({"DATABASE": "postgresql://x@127.0.0.1:port/x"}, "YINGBAO_DATABASE"),
    ({"HOME": "noise"}, "noise"),
    ({"REGISTRY": "registries"}, "YINGBAO_REGISTRY"),
    ({"WITNESSES": "http://one two"}, "YINGBAO_WITNESSES"),
    ({"PORT": "８０００"}, "YINGBAO_PORT"),
])  # fmt: skip
def test_settings_that_cannot_be_used_are_refused_in_words(said, settings, words):
    code, told = said("clock", "show", **settings)
    assert (code, words in told, "Traceback" in told) == (2, True, False), told


@pytest.mark.parametrize("moment", ["9999-12-31T23:59", "0001-01-01T00:00"])
def test_the_training_clock_stays_where_law_and_forms_go(bureau, clock, moment):
    """In the year 9999 nothing worked any more, and there was no way back."""
    before = clock.now
    with pytest.raises(Refused) as told:
        training.set_to(bureau, datetime.fromisoformat(moment))
    assert (told.value.rule, clock.now) == ("clock-range", before)
