"""A change of the law's past, of arithmetic or of a drawing: exactly the cases that it concerns are reported, at the entry that it changes."""

from __future__ import annotations

import dataclasses
import zipfile
from datetime import date

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from engine import step, store
from engine.bpmn import Run
from engine.dmn import Table
from engine.errors import Cannot
from engine.expression import ExpressionError
from engine.office import history
from engine.proof import judge
from processes import dibao_2012, dmn, law, verify
from processes.bureau import CATALOGUE
from processes.eligibility_facts import BadFacts
from tests.processes.test_evidence import bundle, verified
from tests.processes.test_verify import KEYS, seal, signer
from tests.served import app_of
from tests.tamper import tampering
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from web import replaying


@pytest.fixture
def two(district, bureau):
    """One case that was assessed, and one that was not yet."""
    district.to_street_opinion(serial=1)
    district.assessed = district.no
    district.apply(district.household(serial=2))
    seal(bureau)
    return district


def wrong(district):
    report = verify.run(district.bureau.settings, keys=KEYS)
    assert report.faults == []
    return report.wrong


def changed_law(monkeypatch, name, text):
    rows = law._LAW[name]
    monkeypatch.setattr(law, "_LAW", {**law._LAW, name: tuple(dataclasses.replace(row, text=text) for row in rows)})


def test_a_changed_value_of_then_shows_in_the_cases_that_used_it(two, monkeypatch):
    assert wrong(two) == []
    changed_law(monkeypatch, "dibao_standard_urban", "930")
    [one] = wrong(two)
    assert (one["case"], one["result"]) == (two.assessed, "different")
    with two.office.read() as conn:
        entries = history(conn, two.office.keys.on(conn), two.case(two.assessed)["id"])
    assert [entry.seq for entry in entries if "assess" in dict(entry.data.get("then", {}).get("ran", ()))] == [one["entry"]]
    assert "amount_fen" in one["recorded"]
    assert one["recorded"] != one["computed"]


@pytest.mark.parametrize(("known_from", "results"), [(date(2018, 12, 2), ["different"]), (date(2019, 6, 1), [])])
def test_a_correction_concerns_what_was_decided_after_it_was_known(two, monkeypatch, known_from, results):
    rows = law._LAW["dibao_standard_urban"]
    better = [dataclasses.replace(row, text="930", known_from=known_from) for row in rows if row.since == date(2018, 4, 1)]
    monkeypatch.setattr(law, "_LAW", {**law._LAW, "dibao_standard_urban": tuple(sorted((*rows, *better), key=lambda row: (row.since, row.known_from or date.min)))})
    assert [one["result"] for one in wrong(two)] == results


def lost_law(monkeypatch, name, since=None):
    """The parameter is gone, or begins on another day."""
    rows = () if since is None else tuple(dataclasses.replace(row, since=since) for row in law._LAW[name])
    monkeypatch.setattr(law, "_LAW", {key: value for key, value in {**law._LAW, name: rows}.items() if value})


@pytest.mark.parametrize("since", [None, date(2030, 1, 1)])
def test_a_value_that_is_gone_or_begins_later_is_cannot_at_that_entry(two, monkeypatch, since):
    lost_law(monkeypatch, "dibao_standard_urban", since)
    [one] = wrong(two)
    assert (one["case"], one["result"]) == (two.assessed, "cannot")
    with two.office.read() as conn:
        row = two.case(two.assessed)
        entries = history(conn, two.office.keys.on(conn), row["id"])
        verdict = judge(two.cases, conn, entries)
        with pytest.raises(Cannot):
            list(two.cases.replaying(conn, entries))
    assert "assess" in dict(entries[one["entry"] - 1].data["then"]["ran"])
    assert (verdict.result, verdict.entry) == ("cannot", one["entry"])
    assert "dibao_standard_urban" in verdict.why


@pytest.mark.parametrize("error", [BadFacts({"income": ["?"]}), ExpressionError("?"), AttributeError("?"), ZeroDivisionError("?")])
def test_whatever_the_arithmetic_says_is_an_answer_about_the_entry(two, monkeypatch, error):
    def refuses(snapshot):
        raise error

    process = CATALOGUE["dibao-2012"]
    monkeypatch.setitem(CATALOGUE, "dibao-2012", dataclasses.replace(process, services={**process.services, "assess": refuses}))
    [one] = wrong(two)
    assert (one["case"], one["result"]) == (two.assessed, "cannot")
    assert type(error).__name__ in one["why"]


def test_a_condition_that_cannot_be_answered_is_cannot_at_its_entry(two, monkeypatch):
    def go(run, *_):
        raise ExpressionError("no such fact")

    monkeypatch.setattr(Run, "go", go)
    assert {(one["result"], one["entry"]) for one in wrong(two)} == {("cannot", 1)}


def test_a_database_that_fails_says_nothing_about_the_case(two, monkeypatch):
    def failing(snapshot):
        raise OperationalError("select", {}, Exception("gone"))

    process = CATALOGUE["dibao-2012"]
    monkeypatch.setitem(CATALOGUE, "dibao-2012", dataclasses.replace(process, services={**process.services, "assess": failing}))
    with pytest.raises(OperationalError):
        wrong(two)


def test_page_and_api_say_that_a_value_is_gone(two, monkeypatch):
    door, page = Door(two.bureau, two), Desk(app_of(two.bureau), "auditor")
    lost_law(monkeypatch, "dibao_standard_urban")
    for method in ("GET", "POST"):
        said = door.good("auditor", method, f"/cases/{two.assessed}/replay")
        assert said["result"] == "cannot"
        assert "dibao_standard_urban" in said["why"]
    assert "dibao_standard_urban" in page.text(f"/cases/{two.assessed}/replay")
    replaying._read.clear()

    def steps(*_):
        raise law.BadLaw("hasty_decision_seconds")

    monkeypatch.setattr(replaying.case_steps, "steps", steps)  # the page's own list of steps goes by the law, too
    assert door.good("auditor", "GET", f"/cases/{two.assessed}/replay")["result"] == "cannot"
    assert "hasty_decision_seconds" in page.text(f"/cases/{two.assessed}/replay")


def of_later(monkeypatch, old, new):
    """A later program, one of whose law files says something else. Its digest comes back."""
    raw = {**law.RAW, "parameters.yaml": law.RAW["parameters.yaml"].replace(old, new)}
    assert raw != law.RAW
    book = law.Book.of(raw)
    for name, value in {"RAW": raw, "DIGEST": book.digest, "_LAW": book.values, "_TABLES": dict(book.tables)}.items():
        monkeypatch.setattr(law, name, value)
    return book.digest


def test_cases_of_an_older_law_are_proven_and_done_again_by_its_text(two, bureau, monkeypatch, tmp_path):
    """A new law file made bundles of older cases incomplete: nobody had kept the old one."""
    older = law.DIGEST
    bundle(two, tmp_path / "before.zip")
    later = of_later(monkeypatch, b'"920"', b'"930"')
    [one] = wrong(two)
    assert (one["case"], one["result"], one["recorded_law"]) == (two.assessed, "different", "same")
    two.bureau.cases.law, two.bureau.cases.law_text = later, law.packed(law.RAW)
    two.to_street_opinion(serial=3)
    seal(two.bureau)
    with two.office.read() as conn:
        assert set(conn.scalars(select(store.law.c.digest))) == {older, later}
    bundle(two, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert {name.split("/")[1] for name in archive.namelist() if name.startswith("law/")} == {older, later}
    (tmp_path / "policy.txt").write_text(f"log {signer().public()}\nquorum none\n")
    code, said = verified(tmp_path, "b.zip", "--policy", "policy.txt")
    assert (code, said["broken"], said["gaps"]) == (0, [], [])
    page = Desk(app_of(two.bureau), "auditor")
    assert "法规文件" in page.text(f"/cases/{two.assessed}/replay")
    assert Door(two.bureau, two).good("auditor", "GET", f"/cases/{two.assessed}/replay")["recorded_law"] == "same"


def test_an_altered_text_of_the_law_is_named(two):
    assert verify.run(two.bureau.settings, keys=KEYS).faults == []
    with tampering(two.office.store) as conn:
        conn.execute(update(store.law).values(text=law.packed(law.RAW) + b"\n"))
    assert [fault["what"] for fault in verify.run(two.bureau.settings, keys=KEYS).faults] == [f"the kept text of the law {law.DIGEST} is altered"]


def test_a_law_that_was_never_kept_is_a_gap_of_the_bundle_and_no_alarm(two, monkeypatch, tmp_path):
    with tampering(two.office.store) as conn:
        conn.execute(delete(store.law))
    of_later(monkeypatch, b'"920"', b'"930"')
    assert [(one["result"], one["recorded_law"]) for one in wrong(two)] == [("different", "cannot")]
    bundle(two, tmp_path / "b.zip")
    (tmp_path / "policy.txt").write_text(f"log {signer().public()}\nquorum none\n")
    code, said = verified(tmp_path, "b.zip", "--policy", "policy.txt")
    assert (code, said["broken"], {gap["check"] for gap in said["gaps"]}) == (2, [], {10})


def test_a_packed_law_is_read_back_and_a_cut_one_is_not():
    assert law.unpacked(law.packed(law.RAW)) == dict(law.RAW)
    with pytest.raises(law.BadLaw):
        law.unpacked(law.packed(law.RAW)[:-1])


def test_a_value_that_nobody_used_changes_nothing(two, monkeypatch):
    changed_law(monkeypatch, "record_retention_years", "1")
    assert wrong(two) == []


def test_other_arithmetic_without_a_new_version_is_a_difference(two, monkeypatch):
    old = dibao_2012.DIBAO_2012.services["assess"]

    def dearer(snapshot):
        found = old(snapshot)
        return {**found, "amount_fen": found["amount_fen"] + 1}

    changed = dataclasses.replace(CATALOGUE["dibao-2012"], services={**dibao_2012.DIBAO_2012.services, "assess": dearer})
    monkeypatch.setitem(CATALOGUE, "dibao-2012", changed)
    assert [(one["case"], one["result"]) for one in wrong(two)] == [(two.assessed, "different")]


def test_with_a_new_version_old_cases_go_by_the_old_one(two, bureau, monkeypatch):
    process = CATALOGUE["dibao-2012"]
    old = process.services["assess"]

    def dearer(snapshot):
        found = old(snapshot)
        return {**found, "amount_fen": found["amount_fen"] + 100}

    changed = dataclasses.replace(process, services={**process.services, "assess": dearer}, former_rules={"assess": {1: old}})
    monkeypatch.setitem(CATALOGUE, "dibao-2012", changed)
    assert wrong(two) == []
    two.bureau.cases.processes = CATALOGUE
    two.to_street_opinion(serial=3)
    seal(bureau)
    assert wrong(two) == []
    with two.office.read() as conn:
        row = two.case()
        entries = history(conn, two.office.keys.on(conn), row["id"])
        named = [entry.data["rules"] for entry in entries if "rules" in entry.data]
        assert named == [{"assess": 2}]
        assert {entry.data["law"] for entry in entries if "law" in entry.data} == {law.DIGEST}
        monkeypatch.setitem(CATALOGUE, "dibao-2012", process)  # a program from before
        verdict = judge(two.cases, conn, entries)
    assert verdict.result == "cannot"
    assert "assess" in verdict.why


def test_an_entry_of_a_newer_engine_cannot_be_done_again(two, monkeypatch):
    monkeypatch.setattr(step, "ENGINE", 0)
    assert {one["result"] for one in wrong(two)} == {"cannot"}


# -- a changed decision table (docs/decisions/034)


def entries_of(district, no):
    with district.office.read() as conn:
        return history(conn, district.office.keys.on(conn), district.case(no)["id"])


def test_one_changed_cell_shows_in_exactly_the_cases_that_fired_its_row(two, bureau, monkeypatch):
    """Three cases: one by the row "dibao", one by "band", one without figures yet."""
    two.to_street_opinion(300_000, serial=7)
    over = two.no
    seal(bureau)
    [by_row, other] = [next(e for e in entries_of(two, no) if "assess" in dict(e.data.get("then", {}).get("ran", ()))) for no in (two.assessed, over)]
    assert [(e.data["tables"], e.data["decided"][0]["rules"]) for e in (by_row, other)] == [
        ({"category": dmn.SHELF.digest("category")}, ["dibao"]), ({"category": dmn.SHELF.digest("category")}, ["band"])]  # fmt: skip
    assert wrong(two) == []
    band = b'<rule id="band">'
    head, _, tail = dmn.RAW["category"].partition(band)
    changed = head + band + tail.replace(b'"low_income"', b'"refused_income"', 1)
    monkeypatch.setitem(dmn.SHELF.tables, "category", Table.parse(changed))
    [one] = wrong(two)
    assert (one["case"], one["result"], one["entry"]) == (over, "different", other.seq)
    assert "refused_income" in one["computed"]
    monkeypatch.setitem(dmn.SHELF.tables, "category", Table.parse(dmn.RAW["category"].replace(b"<text>&lt; 1</text>", b"<text>&lt; 0.5</text>", 1)))
    assert [(one["case"], one["result"], one["entry"]) for one in wrong(two)] == [(two.assessed, "cannot", by_row.seq)], "0.5 to 1 fits no row any more"


def test_a_cell_that_nobody_asked_and_a_word_beside_the_rows_change_nothing(two, monkeypatch):
    monkeypatch.setitem(dmn.SHELF.tables, "category", Table.parse(dmn.RAW["category"].replace(b'"refused_luxury"</text></outputEntry>', b'"refused_vehicle"</text></outputEntry>')))
    monkeypatch.setitem(dmn.SHELF.tables, "spot-check", Table.parse(dmn.RAW["spot-check"].replace(b"N220 art 26", b"N220 art 27")))
    assert dmn.SHELF.digest("category") != dmn.SHELF["category"].parse(dmn.RAW["category"]).digest
    assert wrong(two) == []


def test_a_table_asked_for_other_facts_leaves_old_decisions_to_the_recorded_text(two, monkeypatch):
    """Like a former version of a service: it is done again by the text that its entry names."""
    renamed = dmn.RAW["category"].replace(b"<text>limit_included</text>", b"<text>limit_counts</text>")
    monkeypatch.setitem(dmn.SHELF.tables, "category", Table.parse(renamed))
    assert wrong(two) == []


def test_a_recorded_table_that_is_gone_or_altered_is_said(two, monkeypatch):
    with two.office.read() as conn:
        entries = entries_of(two, two.assessed)
        at = next(e.seq for e in entries if "decided" in e.data)
        two.cases._tables.clear()
        monkeypatch.setattr(store, "decision_table", store.drawing)  # a database in which no table lies
        verdict = judge(two.cases, conn, entries)
    assert (verdict.result, verdict.entry) == ("cannot", at)
    assert dmn.SHELF.digest("category") in verdict.why


def test_a_notice_of_other_days_shows_in_the_case_that_hung_it(two, monkeypatch):
    two.no = two.assessed
    two.review()
    two.street()
    two.post()
    entries = entries_of(two, two.assessed)
    [posted] = [e for e in entries if "notice-period" in e.data.get("tables", {})]
    assert posted.data["decided"] == [{"table": "notice-period", "inputs": {"notice": "street_opinion", "procedure": "2012"}, "rules": ["street-2012"], "outputs": [{"days": "7"}]}]
    seal(two.bureau)
    assert wrong(two) == []
    head, row, tail = dmn.RAW["notice-period"].partition(b'<rule id="street-2012">')
    monkeypatch.setitem(dmn.SHELF.tables, "notice-period", Table.parse(head + row + tail.replace(b"<text>7</text>", b"<text>8</text>", 1)))
    assert [(one["case"], one["entry"]) for one in wrong(two)] == [(two.assessed, posted.seq)]
