"""A record proves itself: any change of a stored byte, of a row, of a state is found; nothing personal is in clear."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update

from engine import model, office, store
from engine.errors import Conflict, Diverged, Invalid
from engine.office import history, seals_hold
from processes.rebuild import differences
from processes.tables import household, person
from tests.tamper import tampering


def entries_of(district):
    with district.office.read() as conn:
        return history(conn, district.office.keys.on(conn), district.case()["id"])


def test_a_changed_body_breaks_the_seal(district):
    district.to_street_opinion()
    assert seals_hold(entries_of(district)) is None
    case_id = district.case()["id"]
    where = (store.entry.c.record_id == case_id) & (store.entry.c.seq == 4)
    with tampering(district.office.store) as conn:
        body = conn.scalar(select(store.entry.c.body).where(where))
        conn.execute(update(store.entry).where(where).values(body=body.replace(b"consistent", b"incomplete ")))
    assert seals_hold(entries_of(district)) == 4


def test_entries_of_an_older_format_are_lifted_and_never_rewritten(district, monkeypatch):
    """A later version says `actor` another way: old bytes keep their seals, are read as new ones, and replay and rebuild the same."""

    def lift(said):
        actor = dict(said["actor"])
        return {**said, "v": 2, "actor": {**actor, "as": "staff"}}

    district.to_street_opinion()
    case_id = district.case()["id"]
    with district.office.read() as conn:
        before = conn.execute(select(store.entry.c.seq, store.entry.c.body).where(store.entry.c.record_id == case_id).order_by(store.entry.c.seq)).all()
    monkeypatch.setattr(model, "FORMAT", 2)
    monkeypatch.setattr(office, "FORMAT", 2)
    monkeypatch.setitem(model.UPCASTERS, 1, lift)
    district.review()
    found = entries_of(district)
    assert seals_hold(found) is None
    old, new = found[: len(before)], found[len(before) :]
    assert [(one.seq, one.body) for one in old] == [tuple(row) for row in before]
    assert {(one.said["v"], one.said["actor"]["as"]) for one in old} == {(2, "staff")}
    assert [b'"v":2' in one.body for one in new] == [True] * len(new)
    assert new
    with district.office.read() as conn:
        assert len(list(district.cases.replaying(conn, found))) == len(found)
    assert differences(district.office) == []
    monkeypatch.delitem(model.UPCASTERS, 1)
    with pytest.raises(KeyError):
        entries_of(district)


def test_a_removed_entry_is_missed(district):
    district.to_street_opinion()
    where = (store.entry.c.record_id == district.case()["id"]) & (store.entry.c.seq == 2)
    with tampering(district.office.store) as conn:
        conn.execute(delete(store.entry).where(where))
    assert seals_hold(entries_of(district)) == 2


def test_replay_notices_a_decision_that_the_inputs_do_not_give(district):
    district.to_street_opinion()
    entries = entries_of(district)
    last = next(e for e in entries if any(ran[0] == "assess" for ran in e.data.get("then", {}).get("ran", [])))
    [assessed] = [ran for ran in last.data["then"]["ran"] if ran[0] == "assess"]
    assessed[1]["amount_fen"] += 1
    with district.office.read() as conn, pytest.raises(Diverged) as diverged:
        list(district.cases.replaying(conn, entries))
    assert diverged.value.seq == last.seq


def test_a_row_changed_behind_the_records_is_found(district):
    household_id = district.household(210_000)
    assert differences(district.office) == []
    with district.office.store.write() as conn:
        conn.execute(update(household).where(household.c.id == household_id).values(hukou_kind="rural"))
    assert differences(district.office) == [f"household {household_id}: hukou_kind differs from the records"]


def test_a_sealed_value_moved_to_another_row_cannot_be_read(district):
    district.household(210_000)
    with district.office.store.write() as conn:
        one, two = conn.execute(select(person.c.id, person.c.id_no).order_by(person.c.id).limit(2)).all()
        conn.execute(update(person).where(person.c.id == one.id).values(id_no=two.id_no))
    from engine.crypto import Unreadable

    with district.office.read() as conn, pytest.raises(Unreadable):
        row = conn.execute(select(person).where(person.c.id == one.id)).one()
        district.office.keys.on(conn).reveal("person", "id_no", one.id, row.id_no)


def test_nothing_personal_stands_in_clear_in_entries_or_sealed_columns(district):
    district.to_street_opinion()
    district.review()
    secrets = ["张一", "演示路1号", "13800138000", "1201991975", "生活", "简朴", "属实", "困难"]
    with district.office.read() as conn:
        bodies = b"".join(conn.scalars(select(store.entry.c.body)))
        sealed = b"".join(conn.scalars(select(store.payload.c.sealed)))
        rows = b"".join(b for b in conn.scalars(select(household.c.address)) if b)
    for word in secrets:
        assert word.encode() not in bodies, word
        assert word.encode() not in sealed + rows, word


def test_erasing_a_subjects_key_leaves_the_seals_and_the_replay(district):
    district.to_street_opinion()
    subject = district.case()["subject"]
    with district.office.store.write() as conn:
        conn.execute(delete(store.subject_key).where(store.subject_key.c.subject == subject))
    entries = entries_of(district)
    assert seals_hold(entries) is None
    others = {who: said for e in entries for who, said in e.personal.items() if who != subject}
    assert all(e.personal.get(subject) is None for e in entries)
    assert set(others) and all(who.startswith("other:") and said for who, said in others.items()), "what others said has keys of its own"
    with district.office.read() as conn:
        assert len(list(district.cases.replaying(conn, entries))) == len(entries)


def test_a_repeated_request_gets_the_same_answer_and_has_one_effect(district):
    household_id = district.household(210_000)
    answers = {"household_id": household_id, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}
    told = []
    for _ in range(2):
        with district.office.act(district.people["clerk"], ("key-1", answers)) as act:
            told.append(district.cases.start(act, "dibao-2012", answers))
    assert told[0] == told[1]
    with pytest.raises(Invalid), district.office.act(district.people["clerk"], ("key-1", {"other": 1})) as act:
        district.cases.start(act, "dibao-2012", answers)


def test_an_act_is_all_or_nothing(district):
    household_id = district.household(210_000)
    with district.office.read() as conn:
        before = conn.scalar(text("select count(*) from entry"))
    with pytest.raises(RuntimeError), district.office.act(district.people["clerk"]) as act:
        answers = {"household_id": household_id, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}
        district.cases.start(act, "dibao-2012", answers)
        raise RuntimeError
    with district.office.read() as conn:
        assert conn.scalar(text("select count(*) from entry")) == before
        assert conn.scalar(text("select count(*) from task")) == 0


def test_a_stale_etag_changes_nothing(district):
    district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]
    with district.office.act(district.people["clerk"]) as act:
        district.cases.claim(act, task["id"])
    with pytest.raises(Conflict), district.office.act(district.people["clerk"]) as act:
        district.cases.complete(act, task["id"], {"outcome": "complete"}, etag=f"{task['id']}-1")
    assert "completeness_check" in district.tasks()


def test_a_removed_payload_is_missed_while_its_key_is_there(district):
    """Else whoever removes one may change the household's row unseen: rebuild skips rows that count as erased."""
    household_id = district.household(210_000)
    with tampering(district.office.store) as conn:
        conn.execute(delete(store.payload).where(store.payload.c.record_id == household_id, store.payload.c.seq == 1))
        conn.execute(update(household).where(household.c.id == household_id).values(hukou_kind="rural"))
    assert differences(district.office) != []


@pytest.mark.parametrize("data", [{}, {"said": {"answers": {"opinion": "情况属实，同意上报。" * 40}}}], ids=["short", "long"])
def test_payloads_of_now_and_of_before_are_read_alike(data):
    """Salt and data as bytes, long ones compressed; the first payloads were JSON with the salt in hex."""
    from engine import office
    from engine.model import canonical

    salt = bytes(range(32))
    assert office._unpacked(office._packed(salt, canonical(data))) == office._unpacked(canonical({"data": data, "salt": salt.hex()})) == {"data": data, "salt": salt.hex()}


def test_a_row_that_is_put_is_changed_or_made(office):
    """Business rows come so (`office.project`), on PostgreSQL in one statement."""
    unit = store.metadata.tables["unit"]
    whole = {"code": "x", "name": "某街", "level": "street", "parent_code": "120116"}
    with office.act() as act:
        record = act.new("unit", "120116")
        row, strange = record.next_id(), record.id * 65536  # the second nobody has given out
        act.append(record, "units_listed", puts=[model.Put("unit", row, {**whole, "code": "120116"})])
        act.append(record, "unit_renamed", puts=[model.Put("unit", row, {"name": "新区"}), model.Put("unit", strange, whole)])
    with office.act() as act:
        act.append(act.open("unit", record.id), "unit_renamed", puts=[model.Put("unit", strange, {"name": "另一街"}), model.Put("unit", row, {"level": "district", "name": "滨海新区"})])
    with office.read() as conn:
        found = conn.execute(select(unit.c.id, unit.c.name, unit.c.level).order_by(unit.c.id)).all()
    assert [tuple(one) for one in found] == [(strange, "另一街", "street"), (row, "滨海新区", "district")]
