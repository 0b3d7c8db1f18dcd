"""`yingbao bench --timers`: two worker processes share due timers while a person works; what it prints is what happened."""

from __future__ import annotations

import json

from click.testing import CliRunner

from web import bench_timers
from web.cli import cli


def test_two_workers_share_the_timers_and_people_get_their_turn(db_url, tmp_path):
    told = bench_timers.measure(db_url, tmp_path, jobs=500)
    assert (told["timers"], told["lost"], told["doubles"]) == (500, 0, 0)
    assert sum(told["done_by_each_worker"]) == 500
    assert told["claims_meanwhile"] > 0
    assert 0 < told["claim_p50_ms"] <= told["claim_p95_ms"]
    assert told["ratio_to_floor"] > 0


def test_the_command_prints_json_and_fails_when_a_timer_was_lost(monkeypatch):
    figures = {"database": "sqlite", "timers": 5, "lost": 0, "doubles": 0}
    monkeypatch.setattr(bench_timers, "measure", lambda *_, **__: figures)
    done = CliRunner().invoke(cli, ["bench", "--timers", "--json", "--quick"])
    assert (done.exit_code, json.loads(done.output)) == (0, figures)
    figures["lost"] = 1
    assert CliRunner().invoke(cli, ["bench", "--timers"]).exit_code == 1
