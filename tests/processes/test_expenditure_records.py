"""A case of hardship for expenses as evidence: a bundle proves it, and says step by step how the recognition follows."""

from __future__ import annotations

import json
import zipfile

from engine.sealing import Sequencer
from tests.histories.make import rigid_2025
from tests.processes.test_evidence import ORIGIN, bundle, policy, signer, verified  # noqa: F401 - a fixture


def test_a_bundle_proves_it_to_a_machine_without_our_program(district, bureau, tmp_path, policy):  # noqa: F811
    rigid_2025(district)
    Sequencer(bureau.office.store, signer(), ORIGIN).run()
    file = tmp_path / "b.zip"
    assert len(bundle(district, file, district.no)["cases"]) == 1
    code, said = verified(tmp_path, "b.zip", "--policy", policy)
    assert code == 0, (said["broken"], said["gaps"])
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    shown = [json.loads(line) for line in parts["computations.jsonl"].splitlines()]
    [made] = [one for one in shown if one["node"] == "assess_expenditure"]
    assert set(made["result"]) == {"category", "amount_fen", "per_capita", "members_counted", "expenses_counted", "expense_share"}
    paid = next(step for step in made["steps"] if step.get("from") == "/expenses/0/amount")
    assert (paid["op"], paid["value"]) == ("input", "36000")
    parts["computations.jsonl"] = parts["computations.jsonl"].replace(b'"36000"', b'"46000"')  # another receipt than the one that was checked
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    code, said = verified(tmp_path, "b.zip", "--policy", policy)
    assert code != 0
    assert any("assess_expenditure" in json.dumps(one, ensure_ascii=False) for one in said["broken"]), said["broken"]
