"""`yingbao bench`: the figures that it names are there, on both databases, beside the floor of the same run."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from web import bench, bench_replay, bench_whatif, serving
from web.cli import cli
from web.settings import Settings

FIGURES = {
    "database", "floor_per_second", "ratio_to_floor", "completions_per_case", "bytes_per_finished_case", "room_per_finished_case",
    "list_25_of_30_p95_ms", "page_25_of_30_p95_ms", *(f"{what}_{n}_clients_{unit}" for what in ("starts", "completions") for n in (1, 4) for unit in ("per_second", "p50_ms", "p95_ms")),
}  # fmt: skip


@pytest.fixture
def empty_url(request, tmp_path):
    from tests.conftest import database

    with database(request.param, tmp_path, request) as url:
        yield url


@pytest.mark.parametrize("empty_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_every_figure_is_measured(empty_url, tmp_path):
    told = bench.measure(empty_url, tmp_path, cases=2, open_tasks=(30,))
    assert set(told) == FIGURES
    assert all(value > 0 for name, value in told.items() if name != "database")
    assert told["ratio_to_floor"] == round(told["completions_1_clients_per_second"] / told["floor_per_second"], 3)
    assert told["completions_per_case"] >= 15


def test_a_step_of_the_replay_is_measured_beside_the_floor(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_replay, "ENTRIES", 6)
    told = bench_replay.measure(tmp_path, None, rounds=1)
    assert set(told) == {"database", "entries", "first_step_ms", "step_p50_ms", "step_p95_ms", "floor_per_second", "floors_per_step"}
    assert told["entries"] > 6
    assert 0 < told["step_p50_ms"] <= told["step_p95_ms"]


def test_a_what_if_is_measured_beside_the_floor(tmp_path):
    told = bench_whatif.measure(f"sqlite:///{tmp_path}/whatif.sqlite", tmp_path, 40)
    assert set(told) == {"database", "households", "seconds", "households_per_second", "processor_seconds", "floor_seconds", "ratio_to_floor", "wanted_seconds_for_100000"}
    assert (told["households"], told["database"]) == (40, "sqlite")
    assert min(told["seconds"], told["processor_seconds"], told["floor_seconds"]) > 0


def test_the_command_prints_json(monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda *_, **__: {"database": "sqlite", "ratio_to_floor": 0.3})
    assert json.loads(CliRunner().invoke(cli, ["bench", "--json"]).output) == {"database": "sqlite", "ratio_to_floor": 0.3}
    assert "ratio_to_floor" in CliRunner().invoke(cli, ["bench", "--quick"]).output


def test_one_sqlite_file_is_served_once(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path / 'a.sqlite'}", secret_key="s" * 32, data_key="", files=tmp_path)
    first = serving._only_one(settings)
    with pytest.raises(click.ClickException, match="another server"):
        serving._only_one(settings)
    first.close()
    serving._only_one(settings).close()
