"""A person is restricted, then forgotten: nothing readable is left of him, and everything still verifies."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import func, select

from engine import habits, sealing, store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.office import Act, history
from processes import documents, erasure, households, leads, readers, verify
from processes.case_tables import letter, letter_bytes
from processes.proof_tables import erasure as table
from processes.rebuild import differences
from processes.tables import document, household_member, person
from tests.district import COMMUNITY, paper
from tests.processes.test_verify import KEYS, seal


@pytest.fixture
def closed(district, bureau):
    """A household of two whose only case was refused and delivered."""
    reason = {"reason_code": "income_over", "clause": "第四条"}
    district.to_street_opinion(600_000, n=2)
    district.review()
    district.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入高", **reason)
    with district.office.act(district.people["clerk"]) as act:
        district.cases.receive(act, district.no, "withdrawal", {"withdrawn_on": act.today.isoformat(), "reason": "搬走"})
    if district.tasks():
        for node in district.tasks():
            raise AssertionError(f"{node} is still open")
    seal(bureau)
    with bureau.office.read() as conn:
        district.home = int(district.case()["subject"].partition(":")[2])
        district.two = conn.scalars(select(household_member.c.person_id).where(household_member.c.household_id == district.home).order_by(household_member.c.person_id)).all()
    return district


def act(district, who, work):
    with district.office.act(district.people[who]) as opened:
        return work(opened)


def restricted(district, person_id):
    return act(district, "sue", lambda a: erasure.restrict(a, person_id, "request"))["id"]


def forgotten(district, person_id):
    row = restricted(district, person_id)
    act(district, "sue", lambda a: erasure.propose(a, row))
    return act(district, "admin", lambda a: erasure.erase(a, row))


def dump(district):
    """Everything that the database holds, as text, and the documents."""
    with district.office.read() as conn:
        return "\n".join(str(tuple(row)) for one in store.metadata.sorted_tables for row in conn.execute(select(one)))


def test_restricted_data_are_kept_and_not_worked_with(closed):
    row = restricted(closed, closed.two[0])
    with closed.office.read() as conn:
        assert erasure.restricted(conn, [f"person:{closed.two[0]}"])
    with pytest.raises(Refused, match="限制处理"):
        closed.apply(closed.home)
    with pytest.raises(Refused, match="限制处理"):
        act(closed, "clerk", lambda a: households.reveal(a, "person", closed.two[0], "id_no", "核对"))
    with pytest.raises(Conflict, match="已限制处理"):
        restricted(closed, closed.two[0])
    with pytest.raises(Conflict, match="保管期限未满"):
        act(closed, "sue", lambda a: erasure.propose(a, row))
    act(closed, "admin", lambda a: erasure.lift(a, row))
    act(closed, "clerk", lambda a: households.reveal(a, "person", closed.two[0], "id_no", "核对"))
    assert closed.apply(closed.home)


def test_no_restriction_while_a_case_is_open_and_none_by_others(closed):
    with pytest.raises(Refused):
        act(closed, "rita", lambda a: erasure.restrict(a, closed.two[0], "request"))
    with pytest.raises(NotFound):
        act(closed, "sue", lambda a: erasure.restrict(a, 999_999, "request"))
    closed.apply(closed.home)
    with pytest.raises(Conflict, match="在办个案"):
        restricted(closed, closed.two[0])


def test_two_persons_erase_one_member_then_the_other_and_the_household(closed):
    files = closed.bureau.settings.files
    assert any(files.iterdir())
    closed.clock.set("2029-01-02T09:00")
    row = restricted(closed, closed.two[0])
    act(closed, "sue", lambda a: erasure.propose(a, row))
    with pytest.raises(Refused, match="另一人"):
        act(closed, "sue", lambda a: erasure.erase(a, row))
    act(closed, "admin", lambda a: erasure.erase(a, row))
    with closed.office.read() as conn:
        one = conn.execute(select(person).where(person.c.id == closed.two[0])).mappings().one()
        assert (one["name"], one["id_no"], one["id_blind"], one["birth_date"], one["phone"]) == ("", None, None, None, None)
        other = conn.execute(select(person).where(person.c.id == closed.two[1])).mappings().one()
        assert other["name"] == "张二"
        assert erasure.erased(conn) == {f"person:{closed.two[0]}"}
        assert conn.scalar(select(func.count()).select_from(letter_bytes)) or not conn.scalar(select(func.count()).select_from(letter))
    holds(closed)
    assert any(files.iterdir())
    said_of_them = set(others_of(closed)[0])
    told = forgotten(closed, closed.two[1])
    assert told["state"] == "erased"
    with closed.office.read() as conn:
        assert documents.sweep(conn, files) == 1, "the files of the erased go after the commit, however new they are"
        assert documents.sweep(conn, files) == 0
        assert erasure.erased(conn) == {f"person:{n}" for n in closed.two} | {f"household:{closed.home}", *said_of_them}
        assert conn.scalar(select(func.count()).select_from(letter_bytes)) == 0
        for name in conn.scalars(select(document.c.stored_name)):
            assert not (files / name).exists()
    left = dump(closed)
    for word in ("张一", "张二", "演示路", "13800138000", "收入高", "搬走"):
        assert word not in left
    report = holds(closed)
    assert [one["case"] for one in report.by_record] == [closed.no]


def test_an_erasure_that_comes_to_nothing_loses_no_file_and_an_erased_household_takes_none(closed, monkeypatch):
    """The files were removed inside the act: one that failed at its end had lost them, and kept the rest."""
    files = closed.bureau.settings.files
    closed.clock.set("2029-01-02T09:00")
    forgotten(closed, closed.two[0])
    row = restricted(closed, closed.two[1])
    act(closed, "sue", lambda a: erasure.propose(a, row))
    with monkeypatch.context() as patch, pytest.raises(OSError, match="no disk"):
        patch.setattr(Act, "finish", lambda _: (_ for _ in ()).throw(OSError("no disk")))
        act(closed, "admin", lambda a: erasure.erase(a, row))
    with closed.office.read() as conn:
        assert documents.sweep(conn, files) == 0
        assert documents.fetch(conn, closed.office.keys.on(conn), files, closed.scan)[0] == b"%PDF-1.4 page"
    staged = documents.stage(closed.office, closed.people["clerk"], files, closed.home, io.BytesIO(b"%PDF-1.4 late"))
    act(closed, "admin", lambda a: erasure.erase(a, row))
    with pytest.raises(Refused, match="已删除"):
        act(closed, "clerk", lambda a: documents.keep(a, staged, "other", "late"))
    with pytest.raises(Refused, match="已删除"):
        paper(closed, "clerk", closed.home)
    holds(closed)


def holds(closed):
    """Every seal, the tree, the replay and the rows."""
    seal(closed.bureau)
    report = verify.run(closed.bureau.settings, keys=KEYS)
    assert report.good, (report.faults[:5], report.wrong[:5])
    assert report.waiting == 0
    assert differences(closed.office) == []
    with closed.office.read() as conn:
        assert sealing.state(conn).size == report.entries
    return report


def test_the_record_says_what_was_erased_and_why(closed):
    closed.clock.set("2029-01-02T09:00")
    told = forgotten(closed, closed.two[0])
    with closed.office.read() as conn:
        row = conn.execute(select(table).where(table.c.id == told["id"])).mappings().one()
        assert (row["state"], row["asked_by"], row["decided_by"], row["reason"]) == ("erased", "sue", "admin", "request")
        bodies = [body for body in conn.scalars(select(store.entry.c.body)) if b'"event":"erased"' in body]
    assert all(b"PIPL art 47" in body for body in bodies)
    assert len(bodies) >= 2


# -- who is named in a case without being a party


def others_of(district, no=None):
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), district.case(no)["id"])
    return {who: said for entry in entries for who, said in entry.personal.items() if who.startswith("other:")}, entries


def test_each_other_person_has_a_payload_of_his_own(closed):
    others, entries = others_of(closed)
    assert sorted(who.split(".", 2)[2] for who in others) == ["chair", "neighbours", "participant.00", "participant.01", "participant.02"]
    review = next(e for e in entries if e.data.get("task") == "democratic_review.1")
    assert [p["name"] for p in review.answers["participants"]] == ["干部", "代表0", "代表1"]
    assert (review.answers["chair"], review.answers["statements"]) == ("主任", "属实")
    home = review.personal[closed.case()["subject"]]["said"]["answers"]
    assert "participants" not in home and "chair" not in home
    enquiry = next(e for e in entries if "persons" in e.answers)
    assert next(said["said"]["answers"] for who, said in enquiry.personal.items() if who.endswith(".neighbours")) == {"persons": "邻居", "statement": "困难"}


def test_neighbours_who_were_asked_one_by_one_are_people_of_their_own(district):
    """One of them is restricted: his words are not shown, the other's are. Whoever checks means sees no neighbour's words."""
    district.apply(district.household(600_000, n=2))
    district.accept()
    district.check()
    for wrong in ({}, {"neighbors": []}, {"persons": "邻居"}, {"neighbors": [{"name": "赵某"}]}, {"neighbors": [{"name": "赵某", "statement": "困难"}], "statement": "困难"}):
        with pytest.raises(Invalid):
            district.do("ann", "neighbor_enquiry", enquired_on="2018-12-03", **wrong)
    asked = [{"name": "赵某", "lives": "对门", "statement": "常年生病"}, {"name": "钱某", "statement": "靠捡废品"}]
    district.do("ann", "neighbor_enquiry", enquired_on="2018-12-03", neighbors=asked)
    others, entries = others_of(district)
    mine = {who.split(".", 2)[2]: said["said"]["answers"] for who, said in others.items()}
    assert mine == {"neighbour.00": {"neighbors": asked[:1]}, "neighbour.01": {"neighbors": asked[1:]}}
    assert next(e for e in entries if e.data.get("task") == "neighbor_enquiry.1").answers["neighbors"] == asked
    with district.office.act(district.people["clerk"]) as opened:
        district.cases.receive(opened, district.no, "withdrawal", {"withdrawn_on": "2018-12-03", "reason": "搬走"})
    restricted(district, next(who for who in others if who.endswith(".00")))
    with district.office.read() as conn:
        kept, unit = history(conn, district.office.keys.on(conn), district.case()["id"]), district.case()["unit"]
        told, checker = (str([e.answers for e in readers.told_to(conn, district.people[who], unit, kept)]) for who in ("rita", "checker"))
    assert ("常年生病" in told, "靠捡废品" in told, "靠捡废品" in checker) == (False, True, False)


def test_an_objector_is_forgotten_and_the_case_stays(closed, bureau):
    others, _ = others_of(closed)
    whom = next(who for who in others if who.endswith(".neighbours"))
    row = restricted(closed, whom)
    with pytest.raises(Conflict, match="已限制处理"):
        restricted(closed, whom)
    with closed.office.read() as conn:
        told = readers.told_to(conn, closed.people["rita"], closed.case()["unit"], history(conn, closed.office.keys.on(conn), closed.case()["id"]))
    assert [e.personal[whom] for e in told if whom in e.personal] == [None], "restricted: kept, and not shown"
    assert others_of(closed)[0][whom], "kept"
    with pytest.raises(Conflict, match="保管期限未满"):
        act(closed, "sue", lambda a: erasure.propose(a, row))
    closed.clock.set("2029-01-02T09:00")
    act(closed, "sue", lambda a: erasure.propose(a, row))
    act(closed, "admin", lambda a: erasure.erase(a, row))
    others, _entries = others_of(closed)
    assert others[whom] is None
    assert all(said for who, said in others.items() if who != whom)
    holds(closed)


@pytest.mark.parametrize("whom", ["other:1.1.nobody", "other:", "other:x.1.y", "other:99999999999999999999.1.chair", "household:1"])
def test_nobody_is_restricted_who_is_not_there(closed, whom):
    with pytest.raises(NotFound):
        restricted(closed, whom)


def test_no_objector_is_restricted_while_the_case_is_open(district):
    district.to_street_opinion()
    others, _ = others_of(district)
    with pytest.raises(Conflict, match="在办个案"):
        restricted(district, min(others))


def test_what_waited_for_a_countersignature_is_forgotten_with_whom_it_concerns(district, bureau):
    """A form that is held keeps what each other person is called and said apart from the household's own, as the entry of its completion does."""
    district.apply(district.household(600_000, n=2))
    district.accept()
    district.check()
    task = district.tasks()["neighbor_enquiry"]
    said = {"enquired_on": "2018-12-03", "persons": "邻居某某", "statement": "困难"}
    with district.office.act(district.people["ann"]) as opened:
        bureau.habits.add_signers(opened, task["id"], "after", ["carl"], "请复核")
    district.do("ann", "neighbor_enquiry", **said)
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        assert habits.handed_in(conn, keys, task["id"])["answers"] == said
        entry = next(e for e in history(conn, keys, district.case()["id"]) if e.event == "task_submitted")
        own = entry.personal[district.case()["subject"]]["puts"]
    assert "邻居" not in str(own)
    whom = next(who for who in entry.personal if who.endswith(".neighbours"))
    with district.office.act(district.people["carl"]) as opened:
        bureau.habits.sign(opened, task["id"], agrees=True, words="同意")
    assert "neighbor_enquiry" not in district.tasks()
    with district.office.act(district.people["clerk"]) as opened:
        district.cases.receive(opened, district.no, "withdrawal", {"withdrawn_on": "2018-12-03", "reason": "搬走"})
    row = restricted(district, whom)
    district.clock.set("2029-01-02T09:00")
    act(district, "sue", lambda a: erasure.propose(a, row))
    act(district, "admin", lambda a: erasure.erase(a, row))
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        held = [keys.reveal("held", "answers", r.id, r.answers) for r in conn.execute(select(store.held).order_by(store.held.c.id)) if r.answers]
    assert held == ['{"enquired_on": "2018-12-03"}']
    assert differences(district.office) == []


def test_what_was_written_of_him_before_he_was_registered_is_forgotten_with_him(district, bureau):
    """A lead about somebody unregistered keeps its own key after it is linked; it falls with the applicant of the household that it led to."""
    said = {"community": COMMUNITY, "known_as": "三号楼独居老人", "hardship": "old_age", "reason": "无人照料，靠捡废品", "found_on": "2018-12-03", "found_by": "village_committee"}
    number = act(district, "vera", lambda a: leads.report(district.cases, a, said))["lead"]
    act(district, "officer", lambda a: leads.verify(district.cases, a, number, {"outcome": "help_apply", "note": "属实，家徒四壁"}))
    home = district.household(600_000, n=2)
    no = district.apply(home)
    act(district, "officer", lambda a: leads.link(district.cases, a, number, no))
    act(district, "clerk", lambda a: district.cases.receive(a, no, "withdrawal", {"withdrawn_on": a.today.isoformat(), "reason": "搬走"}))
    with district.office.read() as conn:
        first = households.row(conn, home)["applicant_id"]
        assert erasure.keep_until(conn, f"person:{first}") is not None
    assert "独居老人" in str(act(district, "officer", lambda a: leads.told(a.keys, [leads.seen(a.conn, a.actor, number)], a.actor)))
    district.clock.set("2030-01-02T09:00")
    forgotten(district, first)
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        assert keys.find(f"case:{number >> 16}") is None
        assert keys.find(f"household:{home}") is not None, "the other member is still there"
        row = leads.seen(conn, district.people["officer"], number)
        assert (row["known_as"], row["reason"], row["note"]) == (None, None, None)
        told = leads.told(keys, [row], district.people["officer"])[0]
        assert (told["known_as"], told["state"]) == (None, "applied")
    assert differences(district.office) == []
