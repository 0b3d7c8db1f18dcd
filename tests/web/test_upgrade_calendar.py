"""`yingbao upgrade` and the start of `serve` move provisional deadlines when a year's calendar has been published."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from processes import bureau as bureaus
from processes import schema
from tests.conftest import DATA_KEY
from tests.district import District
from web import serving
from web.cli import cli
from web.settings import Settings


@pytest.fixture
def before(db_url, tmp_path, clock):
    """A case accepted ten working days before New Year, by a program that knows the calendar up to 2018 only."""
    settings = Settings(database=db_url, secret_key="s" * 32, data_key=DATA_KEY, files=tmp_path / "files", registry="http://127.0.0.1:9")
    schema.upgrade(db_url)
    clock.set("2018-12-20T09:00")
    made = bureaus.build(settings, clock, published=2018)
    district = District(made, clock)
    district.apply(district.household(210_000))
    district.accept()
    assert district.tasks()["home_survey"]["due_on"] == "2019-01-03"
    yield settings, district
    made.office.store.close()


def test_upgrade_moves_them_once_and_says_so(before, tmp_path):
    settings, district = before
    environment = {"YINGBAO_DATABASE": settings.database, "YINGBAO_DATA_KEY": settings.data_key, "YINGBAO_HOME": str(tmp_path)}
    told = [CliRunner().invoke(cli, ["upgrade"], env=environment) for _ in range(2)]
    assert [one.exit_code for one in told] == [0, 0], told[0].output
    assert ["deadlines moved" in one.output for one in told] == [True, False]
    assert district.tasks()["home_survey"]["due_on"] == "2019-01-04"


def test_serving_moves_them_before_anybody_looks(before, monkeypatch):
    settings, district = before
    seen = []
    monkeypatch.setattr(serving, "waitress_serve", lambda *_, **__: seen.append(district.tasks()["home_survey"]["due_on"]))
    serving.run(settings, "127.0.0.1", 0, worker=False)
    assert seen == ["2019-01-04"]
