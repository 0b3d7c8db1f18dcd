"""Whoever changes the database is found out: each alteration is named, and a clean district raises no alarm."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
import zipfile
from collections import Counter
from dataclasses import replace

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import String, create_engine, delete, func, insert, select, text, update
from sqlalchemy.exc import InternalError

from engine import merkle, notes, sealing, store
from engine.model import leaf_hash
from engine.notes import Ed25519Signer, Verifier
from engine.proof import LISTED, Tree
from engine.sealing import Sequencer
from processes import bureau as bureaus
from processes import evidence, rebuild, verify
from processes.rebuild import differences
from tests.engine.test_notes import module  # noqa: F401 - a fixture
from tests.tamper import tampering
from web import bench, cli_record
from web.progress import progress

ROWS = int(os.environ.get("YINGBAO_TEST_TAMPERED", "4"))  # of each column; 200 in `make load`, 0 there for many clean entries
CASES = int(os.environ.get("YINGBAO_TEST_TAMPERED_CASES", "3"))  # of the larger district; 1,000 in `make load`
PROCESSES = (os.cpu_count() or 1) if CASES > 100 else 1  # a small district is looked at before they have started
ORIGIN = "yingbao/binhai/training"


def signer(seed=7):
    return Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)))


KEYS = [Verifier.parse(signer().public())]


def seal(made):
    return Sequencer(made.office.store, signer(), made.office.origin).run()


def checked(made, **kind):
    return verify.run(made.settings, keys=KEYS, **kind)


@pytest.fixture
def sealed(district, bureau):
    """A district with cases at several steps, all of it sealed."""

    def make():
        district.to_refusal()
        seal(bureau)
        district.to_street_opinion(serial=2)
        seal(bureau)
        district.apply(district.household(serial=3))
        seal(bureau)

    district.road("sealed at several steps", "", make)
    return bureau


def entries(made):
    with made.office.read() as conn:
        return conn.execute(select(store.entry.c.record_id, store.entry.c.seq).order_by(store.entry.c.record_id, store.entry.c.seq)).all()


def named(report):
    return {(fault["record"], fault["entry"]) for fault in report.faults}


def test_a_clean_district_raises_no_alarm(sealed):
    report = checked(sealed)
    assert report.good, (report.faults, report.wrong)
    assert (report.cases, report.entries, report.sealed, report.waiting) == (3, len(entries(sealed)), len(entries(sealed)), 0)
    assert differences(sealed.office) == []


COLUMNS = {
    "entry": ("record_id", "seq", "body", "leaf"),
    "payload": ("record_id", "seq", "subject", "sealed"),
    "leaf": ("leaf_index", "record_id", "seq", "hash"),
}


def other(value, chance):
    """Another value of the same kind."""
    if isinstance(value, bytes):
        place = chance.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1 :]
    if isinstance(value, str):
        place = chance.randrange(len(value))
        return value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]
    return value + 1_000_003  # free for certain


def test_each_altered_value_of_the_record_is_named(sealed):
    """Many in one copy: each of them, and nothing else; then all is put back, and the next column."""
    for table, columns in COLUMNS.items():
        for column in columns:
            altered(sealed, getattr(store, table), column)
    assert checked(sealed).good


def test_each_altered_value_in_a_district_of_granted_cases_is_named_and_nothing_else(office, settings):
    """The same where every case went the whole road; as many as the issue asks for in `make load`."""
    clock = bench._Clock()
    made = bureaus.build(settings, clock)
    made.jobs.real_clock = clock
    people, homes = bench._prepare(made, CASES)
    for home, _ in homes:
        bench._start(made, people, home)
    bench._road(made, clock, people, 1, bench._cases_of(made, dict(homes)), None)
    seal(made)
    clean = checked(made, processes=PROCESSES)
    assert clean.good, (clean.faults[:5], clean.wrong[:5])
    assert (clean.cases, clean.waiting) == (CASES, 0)
    if ROWS:  # all of it in one copy, which is read once; a small district has records for the last columns only
        altered_at_once(made, [(getattr(store, table), column) for table, columns in COLUMNS.items() for column in (columns if CASES > 100 else columns[-1:])])
    assert not ROWS or checked(made, processes=PROCESSES).good
    kind = settings.database.partition(":")[0]
    sys.stdout.write(f"\n{CASES} cases, {clean.entries} clean entries, no alarm; {ROWS} rows of each column altered, each named ({kind})\n")
    made.office.store.close()


def altered(sealed, table, column):
    chance = random.Random(f"{table.name}.{column}")
    with tampering(sealed.office.store) as conn:
        rows = conn.execute(select(table)).mappings().all()
        hit = chance.sample(rows, min(ROWS, len(rows)))
        new = otherwise(table, {_key(table, row) for row in rows}, hit, column, chance)
        exchange(conn, table, hit, new)
    report = checked(sealed)
    places = {(row["record_id"], row["seq"]) for row in hit}
    if (table.name, column) == ("leaf", "leaf_index"):
        assert {f"leaf {row['leaf_index']} of the tree is missing" for row in hit} <= {fault["what"] for fault in report.faults}
    else:
        assert places <= named(report), (column, Counter(fault["what"] for fault in report.faults))
    if column in ("body", "sealed", "leaf", "hash"):
        assert {place for place in named(report) if place != (None, None)} == places, (table.name, column, sorted(report.faults, key=str)[:6])
    with tampering(sealed.office.store) as conn:
        exchange(conn, table, new, hit)


def altered_at_once(made, columns):
    """Every column at once, each in records of its own: every altered row is named, and no record that was let alone."""
    chance, done, places = random.Random(7), [], {}
    with tampering(made.office.store) as conn:
        for number, (table, column) in enumerate(columns):
            rows = conn.execute(select(table).where(table.c.record_id % len(columns) == number)).mappings().all()
            hit = chance.sample(rows, min(ROWS, len(rows)))
            assert hit, (table.name, column)
            keys = {tuple(row) for row in conn.execute(select(*table.primary_key.columns))}
            new = otherwise(table, keys, hit, column, chance)
            exchange(conn, table, hit, new)
            done.append((table, new, hit))
            places[table.name, column] = {(row["record_id"], row["seq"]) for row in hit}
    began = time.monotonic()
    report = checked(made, processes=PROCESSES)
    took = time.monotonic() - began
    gone = {f"leaf {row['leaf_index']} of the tree is missing" for table, new, hit in done for row, to in zip(hit, new, strict=True) if "leaf_index" in row and row["leaf_index"] != to["leaf_index"]}
    assert gone <= {fault["what"] for fault in report.faults}
    for (table, column), where in places.items():
        if (table, column) != ("leaf", "leaf_index"):
            assert where <= named(report), (table, column, sorted(where - named(report))[:6])
    touched = {row["record_id"] for _, new, hit in done for row in [*new, *hit]}
    with made.office.read() as conn:
        ids = dict(conn.execute(select(store.record.c.no, store.record.c.id).where(store.record.c.no.is_not(None))).all())
    innocent = {fault["record"] for fault in report.faults} | {ids[one["case"]] for one in report.wrong}
    innocent -= touched | {None}
    assert not innocent, [fault for fault in report.faults if fault["record"] in innocent][:6]
    sys.stdout.write(f"\n{sum(map(len, places.values()))} alterations in {len(places)} columns, all named, {len(innocent)} records named for nothing, {took:.1f} s\n")
    with tampering(made.office.store) as conn:
        for table, new, hit in done:
            exchange(conn, table, new, hit)


def _key(table, row):
    return tuple(row[name] for name in table.primary_key.columns.keys())


def otherwise(table, keys, hit, column, chance):
    """The rows with another value in that column; what is part of a key becomes none that was ever there."""
    keys, new = set(keys), []
    for row in hit:
        one = dict(row) | {column: other(row[column], chance)}
        while _key(table, one) != _key(table, row) and _key(table, one) in keys:
            one[column] = other(row[column], chance)
        keys.add(_key(table, one))
        new.append(one)
    return new


def exchange(conn, table, old, new):
    for row in old:
        conn.execute(delete(table).where(*[table.c[name] == row[name] for name in table.primary_key.columns.keys()]))
    conn.execute(insert(table), [dict(row) for row in new])
    if table is store.entry:
        conn.execute(delete(store.pending))


@pytest.mark.parametrize("table", ["entry", "record"])
def test_a_number_that_was_moved_far_away_is_a_page_to_read_and_not_a_million_lines(sealed, table):
    of = getattr(store, table)
    with tampering(sealed.office.store) as conn:
        row = conn.execute(select(store.record.c.id, store.record.c.seq).where(store.record.c.kind == "case").limit(1)).one()
        where = of.c.id == row.id if table == "record" else (of.c.record_id == row.id) & (of.c.seq == row.seq)
        conn.execute(update(of).where(where).values(seq=1_000_003 + row.seq))
    gone = [fault for fault in checked(sealed).faults if fault["record"] == row.id and fault["what"].startswith("the entry is gone")]
    first = row.seq if table == "entry" else row.seq + 1
    assert [fault["entry"] for fault in gone[:LISTED]] == list(range(first, first + LISTED))
    beyond = {fault["what"] for fault in gone[LISTED:]} - {"the entry is gone, it stands in the tree"}
    assert beyond == {f"the entry is gone, and so is each up to {1_000_003 + row.seq - (table == 'entry')}"}


def test_each_altered_value_of_a_cases_row_is_found(sealed):
    with sealed.office.read() as conn:
        row = conn.execute(select(store.record).where(store.record.c.kind == "case").limit(1)).mappings().one()
    for column in ("kind", "seq", "head", "no", "process", "drawing", "state", "opened_at", "opened_by", "outcome", "closed_at"):
        chance = random.Random(column)
        value = {"outcome": "granted", "closed_at": row["opened_at"], "opened_at": row["opened_at"].replace(year=2017), "kind": "person", "process": "review-2012"}.get(column)
        with tampering(sealed.office.store) as conn:
            conn.execute(update(store.record).where(store.record.c.id == row["id"]).values({column: value or other(row[column], chance)}))
        assert not checked(sealed).good, column
        with tampering(sealed.office.store) as conn:
            conn.execute(update(store.record).where(store.record.c.id == row["id"]).values({column: row[column]}))
    assert checked(sealed).good


def test_deleted_inserted_and_exchanged_entries_are_named(sealed):
    with sealed.office.read() as conn:
        case = conn.execute(select(store.record.c.id, store.record.c.seq).where(store.record.c.kind == "case").order_by(store.record.c.id).limit(1)).one()
    bodies = select(store.entry).where(store.entry.c.record_id == case.id).order_by(store.entry.c.seq)

    def at(seq):
        return (store.entry.c.record_id == case.id) & (store.entry.c.seq == seq)

    with tampering(sealed.office.store) as conn:
        kept = conn.execute(bodies).mappings().all()
        conn.execute(delete(store.entry).where(at(3)))
    assert (case.id, 3) in named(checked(sealed))
    with tampering(sealed.office.store) as conn:
        conn.execute(insert(store.entry).values(dict(kept[2])))
        conn.execute(delete(store.pending))
        conn.execute(insert(store.entry).values(record_id=case.id, seq=case.seq + 1, body=kept[0]["body"], leaf=kept[0]["leaf"]))
    assert (case.id, case.seq + 1) in named(checked(sealed))
    with tampering(sealed.office.store) as conn:
        conn.execute(delete(store.entry).where(at(case.seq + 1)))
        conn.execute(delete(store.pending))
        for seq, source in ((2, kept[3]), (4, kept[1])):
            conn.execute(update(store.entry).where(at(seq)).values(body=source["body"], leaf=source["leaf"]))
    assert {(case.id, 2), (case.id, 4)} <= named(checked(sealed))


def test_a_whole_case_that_is_gone_is_missed(sealed):
    with sealed.office.read() as conn:
        case = conn.scalar(select(store.record.c.id).where(store.record.c.kind == "case").limit(1))
    with tampering(sealed.office.store) as conn:
        for table in (store.entry, store.payload):
            conn.execute(delete(table).where(table.c.record_id == case))
        conn.execute(delete(store.record).where(store.record.c.id == case))
    report = checked(sealed)
    assert case in {fault["record"] for fault in report.faults}


def cut(made, keep):
    """What a forger with the signing key's database does: the last entries go, with all that tells of them."""
    with tampering(made.office.store) as conn:
        gone = conn.execute(select(store.leaf.c.record_id, store.leaf.c.seq).where(store.leaf.c.leaf_index >= keep)).all()
        for record_id, seq in gone:
            for table in (store.entry, store.payload):
                conn.execute(delete(table).where(table.c.record_id == record_id, table.c.seq == seq))
        for record_id in {row.record_id for row in gone}:
            last = conn.execute(select(store.entry).where(store.entry.c.record_id == record_id).order_by(store.entry.c.seq.desc()).limit(1)).mappings().first()
            if last is None:
                conn.execute(delete(store.record).where(store.record.c.id == record_id))
            else:
                conn.execute(update(store.record).where(store.record.c.id == record_id).values(seq=last["seq"], head=last["leaf"]))
        conn.execute(delete(store.leaf).where(store.leaf.c.leaf_index >= keep))
        conn.execute(delete(store.pending))
        conn.execute(delete(store.checkpoint).where(store.checkpoint.c.tree_size > keep))


def test_a_cut_tail_shows_by_the_checkpoints_left_or_by_one_kept_elsewhere(sealed):
    """Whoever also cuts the checkpoints leaves no trace in here: that is what witnesses and paper are for (docs/evidence.md)."""
    with sealed.office.read() as conn:
        kept = notes.read(sealing.latest(conn)["note"])[0]
        sizes = conn.scalars(select(store.checkpoint.c.tree_size).order_by(store.checkpoint.c.tree_size)).all()
    assert checked(sealed, old=[kept]).good
    cut(sealed, sizes[0] - 3 if len(sizes) == 1 else sizes[-2])
    report = checked(sealed, old=[kept])
    assert [f for f in report.faults if "taken away" in f["what"]]


def test_a_backup_that_was_put_back_shows_by_a_checkpoint_kept_elsewhere(district, sealed, tmp_path):
    if not sealed.office.store.sqlite:
        return  # a file is copied; the same check runs above on both
    file = sealed.office.store.url.database
    with sealed.office.store.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(file, tmp_path / "old.sqlite")
    district.household(serial=4)
    seal(sealed)
    with sealed.office.read() as conn:
        kept = notes.read(sealing.latest(conn)["note"])[0]
    sealed.office.store.close()
    for name in tmp_path.glob("yingbao.sqlite*"):
        name.unlink()
    shutil.copy(tmp_path / "old.sqlite", file)
    assert checked(sealed).good  # nothing in here tells
    assert [f["what"] for f in checked(sealed, old=[kept]).faults] == [f"{kept.size} entries were here once, now there are {len(entries(sealed))}: entries were taken away"]


def test_another_checkpoint_in_its_place_is_named(sealed):
    with sealed.office.read() as conn:
        row = conn.execute(select(store.checkpoint).order_by(store.checkpoint.c.tree_size.desc()).limit(1)).mappings().one()
    found = notes.Checkpoint(ORIGIN, row["tree_size"], b"\1" * 32)
    for values in (
        {"note": notes.signed(found, [signer(8).sign(found.text.encode())]), "root": found.root},
        {"note": notes.signed(found, [signer(8).sign(found.text.encode())])},
        {"note": row["note"].replace("\n", "\r\n", 1)},
        {"note": "", "root": row["root"]},
    ):
        with tampering(sealed.office.store) as conn:
            conn.execute(update(store.checkpoint).where(store.checkpoint.c.tree_size == row["tree_size"]).values(**values))
        assert f"checkpoint {row['tree_size']}" in " ".join(f["what"] for f in checked(sealed).faults), values
    with tampering(sealed.office.store) as conn:
        conn.execute(delete(store.checkpoint).where(store.checkpoint.c.tree_size == row["tree_size"]))
    assert "no checkpoint stands at the end of the tree" in {f["what"] for f in checked(sealed).faults}


def test_a_forger_who_seals_anew_shows_by_the_signature_or_the_old_checkpoint(sealed):
    """An entry is rewritten with all seals after it, and the tree is made again from it."""
    with sealed.office.read() as conn:
        kept = notes.read(sealing.latest(conn)["note"])[0]
        case = conn.execute(select(store.record.c.id, store.record.c.seq).where(store.record.c.kind == "case").limit(1)).one()
    with tampering(sealed.office.store) as conn:
        where = (store.entry.c.record_id == case.id) & (store.entry.c.seq == case.seq)
        body = conn.scalar(select(store.entry.c.body).where(where)).replace(b'"at":"2018', b'"at":"2019')
        conn.execute(update(store.entry).where(where).values(body=body, leaf=leaf_hash(body)))
        conn.execute(update(store.record).where(store.record.c.id == case.id).values(head=leaf_hash(body)))
        for table in (store.leaf, store.node, store.checkpoint):
            conn.execute(delete(table))
        conn.execute(delete(store.pending))
        conn.execute(insert(store.pending), [{"record_id": r, "seq": s, "since": 0} for r, s in conn.execute(select(store.entry.c.record_id, store.entry.c.seq)).all()])
    Sequencer(sealed.office.store, signer(8), ORIGIN).run()
    assert any("not signed with a known key" in f["what"] for f in checked(sealed).faults)
    assert any("saw other entries" in f["what"] for f in checked(sealed, old=[kept]).faults)


def test_a_trigger_that_is_gone_is_named(sealed):
    engine = create_engine(sealed.office.store.url)
    with engine.begin() as conn:
        conn.execute(text("DROP TRIGGER leaf_no_update" if sealed.office.store.sqlite else "DROP TRIGGER leaf_no_change ON leaf"))
    engine.dispose()
    assert [f["what"] for f in checked(sealed).faults] == [f"the guard is off: trigger {'leaf_no_update' if sealed.office.store.sqlite else 'leaf_no_change'} is missing, or does something else"]


def test_a_value_in_a_column_that_no_put_ever_named_is_a_difference(sealed):
    with sealed.office.read() as conn:
        bodies = [json.loads(body) for body in conn.scalars(select(store.entry.c.body))]
    named = {}
    for put in (put for body in bodies for put in body.get("puts", ())):
        named.setdefault((put["table"], put["id"]), set()).update(put.get("set", ()), {"*"} if "of" in put else ())
    table, row, column = next((store.metadata.tables[table], row, column) for (table, row), names in sorted(named.items()) for column in store.metadata.tables[table].c
                              if "*" not in names and column.name not in names and column.nullable and isinstance(column.type, String))  # fmt: skip
    with sealed.office.store.write() as conn:
        conn.execute(update(table).where(table.c.id == row).values({column: "x"}))
    assert differences(sealed.office) == [f"{table.name} {row}: {column.name} is in the table, not in the records"]


def test_lines_of_witnesses_are_checked_and_so_is_the_log_that_a_checkpoint_names(sealed):
    witness, other = (Ed25519Signer("audit-office", Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))) for seed in (21, 22))
    known = [Verifier.parse(witness.witness_public())]
    with sealed.office.read() as conn:
        row = sealing.latest(conn)
    note = notes.read(row["note"])[0].text.encode()
    good = witness.cosign(note, 1_543_800_000).text
    rows = [{"tree_size": row["tree_size"], "witness": f"http://{n}", "line": line} for n, line in enumerate((good, other.cosign(note, 1).text))]
    with tampering(sealed.office.store) as conn:
        conn.execute(insert(store.cosignature), rows)
    report = checked(sealed, witnesses=known)
    assert (report.faults, report.cosigned, report.cosigned_unknown) == ([], 1, 1)
    assert checked(sealed).cosigned_unknown == 2
    for line, words in ((witness.cosign(note + b"x", 1).text, "does not hold"), ("- no line", "not a signature line")):
        with tampering(sealed.office.store) as conn:
            conn.execute(update(store.cosignature).where(store.cosignature.c.witness == "http://0").values(line=line))
        [fault] = checked(sealed, witnesses=known).faults
        assert words in fault["what"]
    with tampering(sealed.office.store) as conn:
        conn.execute(delete(store.cosignature))
        found = notes.Checkpoint("yingbao/elsewhere", row["tree_size"], notes.read(row["note"])[0].root)
        values = {"note": notes.signed(found, [signer().sign(found.text.encode())])}
        conn.execute(update(store.checkpoint).where(store.checkpoint.c.tree_size == row["tree_size"]).values(values))
    assert [fault["what"] for fault in checked(sealed).faults] == [f"checkpoint {row['tree_size']} is of another log: yingbao/elsewhere"]


def test_a_record_altered_after_its_result_was_kept_is_looked_at_again(sealed, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "CHUNK", 1)
    kept = tmp_path / "kept.jsonl"

    def told(done, of):
        if done == of - 1:
            raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError, match="lights"):
        checked(sealed, resume=kept, told=told)
    with sealed.office.read() as conn:
        row = conn.execute(select(store.payload).order_by(store.payload.c.record_id).limit(1)).mappings().one()
    with tampering(sealed.office.store) as conn:
        conn.execute(update(store.payload).where(store.payload.c.record_id == row["record_id"], store.payload.c.seq == row["seq"]).values(sealed=b"x"))
    report = checked(sealed, resume=kept)
    assert (row["record_id"], row["seq"]) in named(report)
    assert 0 < report.earlier == report.records - 2
    assert any("earlier run" in line for line in cli_record._lines(report))


def test_without_a_terminal_a_line_per_thousand(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with progress("records") as told:
        for done in range(0, 2600, 13):
            told(done, 2600)
    assert capsys.readouterr().err.splitlines() == ["records: 1001 of 2600", "records: 2002 of 2600"]


def test_a_key_that_is_gone_without_an_act_is_named(sealed):
    with sealed.office.store.write() as conn:
        subject = conn.scalar(select(store.record.c.subject).where(store.record.c.kind == "case").limit(1))
        conn.execute(delete(store.subject_key).where(store.subject_key.c.subject == subject))
    found = checked(sealed).faults
    assert found
    assert all("no entry says that it was erased" in fault["what"] for fault in found)


def test_several_processes_say_the_same_and_an_interrupted_run_goes_on(sealed, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "CHUNK", 2)
    monkeypatch.setattr(verify, "FEW", 2)
    whole = checked(sealed)
    assert checked(sealed, processes=2) == whole
    kept = tmp_path / "kept.jsonl"
    looked, stop = [], RuntimeError("the lights went out")

    def told(done, _all):
        if done == 5:
            raise stop

    with pytest.raises(RuntimeError, match="lights"):
        checked(sealed, resume=kept, told=told)
    look = verify.look
    monkeypatch.setattr(verify, "look", lambda made, ids: looked.extend(ids) or look(made, ids))
    with kept.open("a") as file:
        file.write('{"record": 1, "torn')
    assert checked(sealed, resume=kept) == whole
    assert 0 < len(looked) < whole.records
    assert not kept.exists()


def once_before(monkeypatch, owner, name, work):
    """Somebody works while it reads: before the first call of a function that is called between two statements."""
    known, done = getattr(owner, name), []

    def called(*given):
        if not done:
            done.append(work())
        return known(*given)

    monkeypatch.setattr(owner, name, called)
    return done


def test_work_that_goes_on_meanwhile_raises_no_alarm(sealed, district, monkeypatch):
    done = [once_before(monkeypatch, verify, "faults_of", district.accept), once_before(monkeypatch, Tree, "_at", lambda: seal(sealed))]
    report = checked(sealed)
    assert report.good, (report.faults, report.wrong)
    done.append(once_before(monkeypatch, rebuild, "_compare", district.check))
    assert differences(sealed.office) == []
    assert all(done)
    assert checked(sealed).good


def test_a_bundle_is_of_one_moment(sealed, district, monkeypatch, tmp_path):
    monkeypatch.setattr(cli_record, "bureau", lambda: sealed)
    done = once_before(monkeypatch, evidence, "_Source", district.accept)  # after the heads, before the entries
    assert CliRunner().invoke(cli_record.export, ["evidence", "--cases", district.no, "--as", "auditor", "--reason", "抽查", "--out", str(tmp_path / "b.zip")]).exit_code == 0
    assert done
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        listed = {one["record"]: one["seq"] for one in json.loads(archive.read("manifest.json"))["records"]}
        for record, told in evidence.entries(archive, set(listed)).items():
            assert [entry.seq for entry in told] == list(range(1, listed[record] + 1))


def test_a_snapshot_takes_no_writing_and_ends_with_its_reader(sealed, district):
    count = select(func.count()).select_from(store.entry)
    with sealed.office.snapshot() as conn:
        before = conn.scalar(count)
        district.accept()
        assert conn.scalar(count) == before
        if not sealed.office.store.sqlite:
            with pytest.raises(InternalError, match="read-only"):
                conn.execute(delete(store.draft))
    with sealed.office.read() as conn:
        assert conn.scalar(count) > before
    if not sealed.office.store.sqlite:
        with sealed.office.store.engine.connect() as conn:  # the pool's connections are as before
            assert conn.scalar(text("SHOW transaction_isolation")) == "read committed"
            assert conn.scalar(text("SHOW transaction_read_only")) == "off"


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_without_the_key_it_is_said_that_signatures_were_not_checked(sealed, tmp_path, monkeypatch):
    assert (checked(sealed).signatures, checked(sealed).exit) == ("checked", 0)
    monkeypatch.setattr(cli_record, "bureau", lambda: sealed)

    def told(*line):
        end = CliRunner().invoke(cli_record.verify, ["--processes", "1", *line])
        return end.exit_code, end.output

    code, words = told()
    assert code == 2
    assert "SIGNATURES WERE NOT CHECKED" in words
    assert "all as it was written" not in words
    assert json.loads(told("--json")[1])["signatures"] == "no key"
    (tmp_path / "key.pub").write_text(signer().public() + "\n")
    for key in (signer().public(), str(tmp_path / "key.pub")):
        code, words = told("--key", key)
        assert (code, "all as it was written" in words) == (0, True)
    code, words = told("--key", signer(8).public())
    assert code == 1
    assert "not signed with a known key" in words
    for bad in ("", "rubbish", "a+b+c"):
        assert isinstance(CliRunner().invoke(cli_record.verify, ["--key", bad]).exception, notes.BadNote)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_suite_2_is_verified_by_openssl(district, bureau, module, monkeypatch):  # noqa: F811 - the fixture
    district.apply(district.household())
    made = replace(module, name=ORIGIN)
    Sequencer(bureau.office.store, made, ORIGIN, merkle.SM3).run()
    keys = [Verifier.parse(made.public())]
    report = verify.run(bureau.settings, keys=keys)
    assert (report.faults, report.signatures, report.exit) == ([], "checked", 0)
    other = Verifier.parse(replace(made, key=bytes(64)).public())
    assert verify.run(bureau.settings, keys=[other]).exit == 1
    forged = [replace(keys[0], key=bytes(64))]  # says the same id, and is another key
    assert verify.run(bureau.settings, keys=forged).exit in (1, 2)
    monkeypatch.setenv("PATH", "")
    report = verify.run(bureau.settings, keys=keys)
    assert (report.faults, report.signatures, report.exit) == ([], "no openssl", 2)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_file_that_no_run_wrote_is_refused_and_left(sealed, tmp_path):
    kept = tmp_path / "kept.jsonl"
    for content in (b"minutes of a meeting\n", b"\xff\xfe", verify._program(sealed).encode() + b"\n[1]\n", verify._program(sealed).encode() + b'\n{"record": 1}\n'):
        kept.write_bytes(content)
        with pytest.raises(verify.BadResume):
            checked(sealed, resume=kept)
        assert kept.read_bytes() == content


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_results_after_a_torn_line_stand_on_lines_of_their_own(sealed, tmp_path, monkeypatch):
    kept = tmp_path / "kept.jsonl"
    monkeypatch.setattr(verify, "CHUNK", 1)

    def stopping(at):
        def told(done, _all):
            if done == at:
                raise RuntimeError("the lights went out")

        return told

    with pytest.raises(RuntimeError):
        checked(sealed, resume=kept, told=stopping(2))
    with kept.open("a") as file:
        file.write('{"record": 1, "torn')
    with pytest.raises(RuntimeError):
        checked(sealed, resume=kept, told=stopping(4))
    assert len(kept.read_text().splitlines()) == 5
    assert checked(sealed, resume=kept).good


def test_a_case_alone(sealed):
    with sealed.office.read() as conn:
        no = conn.scalar(select(store.record.c.no).where(store.record.c.kind == "case").limit(1))
    report = checked(sealed, only=no)
    assert (report.cases, report.records, report.good) == (1, 1, True)


def test_another_law_or_program_starts_a_run_anew(sealed, tmp_path):
    kept = tmp_path / "kept.jsonl"
    kept.write_text('["other"]\n{"record": 1, "head": "x"}\n')
    assert checked(sealed, resume=kept).good
