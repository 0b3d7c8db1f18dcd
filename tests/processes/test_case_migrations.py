"""Running cases put on another version of their drawing: by two persons, on a ground, each wholly or not at all, exact on replay."""

from __future__ import annotations

import json
import signal

import pytest
from sqlalchemy import select

from engine import store
from engine.errors import Conflict, Invalid, Refused
from engine.office import history
from engine.proof import row_faults
from processes import case_migrations, definitions
from processes.bureau import CATALOGUE
from processes.rebuild import differences as rebuilt
from tests.engine import killed
from tests.processes.test_definitions import OWN, SIGNED, SOONER, deploy
from tests.processes.test_dibao_2012 import proven

KEY, HERE = "dibao-2012", CATALOGUE["dibao-2012"].drawing.digest
SURVEY = OWN.replace(b"""due="workdays(10, since='investigation_from')" law="N220 art 18-19\"""", b"""due="workdays(8, since='investigation_from')" law="N220 art 18-19\"""")
assert SURVEY != OWN
MOMENT = OWN.replace(b"street_notice_until</bpmn:timeDate>", b"street_notice_until if True else None</bpmn:timeDate>", 1)
GROUND = "津民发〔2021〕14号"


def in_force(town, raw):
    number = deploy(town, raw)
    town.clock.advance(days=1)
    return number


def look(town, to):
    with town.office.read() as conn:
        there = case_migrations.digest_of(conn, town.cases, KEY, "to", str(to), town.office.today())
    return there, case_migrations.look(town.office, town.cases, KEY, HERE, there)


def propose(town, to, who="admin", ground=GROUND):
    there, found = look(town, to)
    with town.office.act(town.people[who]) as act:
        return case_migrations.propose(act, town.cases, KEY, HERE, there, ground, found)["number"]


def confirm(town, number, who="sue"):
    with town.office.act(town.people[who]) as act:
        case_migrations.confirm(act, number)


def migrate(town, to):
    confirm(town, number := propose(town, to))
    town.bureau.jobs.run_all()
    return number


def standing(town, no=None):
    row = town.case(no)
    with town.office.read() as conn:
        tasks = [dict(t) for t in conn.execute(select(store.task).where(store.tasks_of(row["id"])).order_by(store.task.c.id)).mappings()]
        jobs = [tuple(j) for j in conn.execute(select(store.job.c.kind, store.job.c.key, store.job.c.due_at, store.job.c.state).where(
            store.job.c.record_id == row["id"], store.job.c.kind == "timer").order_by(store.job.c.id))]  # fmt: skip
    return tasks, jobs


def at_the_notice(town):
    town._to_street_opinion()
    town.review()
    town.street()
    town.post()


def test_a_case_with_a_timer_moves_as_it_stands_and_goes_on(district):
    at_the_notice(district)
    number = in_force(district, SOONER)
    before = standing(district)
    assert any(job[0] == "timer" for job in before[1])
    moved = migrate(district, number)
    assert standing(district) == before, "tasks and timers are what they were"
    row, there = district.case(), definitions._sha(SOONER)
    assert (row["process"], row["drawing"]) == (KEY, there)
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), row["id"])
        assert case_migrations.progress(conn, moved) == {"moved": 1, "stays": 0, "waits": 0, "ended": 0}
    assert row_faults(row, entries) == []
    [entry] = [one for one in entries if one.event == "case_moved"]
    assert entry is entries[-1] and (entry.data["from"], entry.data["migration"], entry.data["ground"]) == ([KEY, HERE], moved, GROUND)
    district.to_decision()
    assert district.tasks()["decide"]["due_on"] == "2018-12-20", "two working days on the new drawing, not three"
    proven(district)
    assert rebuilt(district.office) == []


def test_cases_in_a_sub_process_move_or_stay_each_for_its_reason(district):
    district.apply(district.household(210_000))
    district.accept()  # parallel: survey, neighbours, means check
    inside, scan = district.no, district.scan
    district.apply(district.household(210_000, serial=2))
    waiting = district.no
    survey, sooner = in_force(district, SURVEY), None
    before = standing(district, inside)
    _, found = look(district, survey)
    verdicts = {one.no: one for one in found}
    assert not verdicts[inside].can and "home_survey" in verdicts[inside].hindrances[0].zh and "时限" in verdicts[inside].hindrances[0].zh
    assert verdicts[waiting].can
    moved = migrate(district, survey)
    with district.office.read() as conn:
        rows = {row["case_no"]: row for row in case_migrations.items(conn, moved).items}
    assert [(rows[no]["state"], bool(json.loads(rows[no]["why"]))) for no in (inside, waiting)] == [("stays", True), ("moved", False)]
    assert (district.case(inside)["drawing"], district.case(waiting)["drawing"]) == (HERE, definitions._sha(SURVEY))
    sooner = in_force(district, SOONER)
    migrate(district, sooner)
    assert district.case(inside)["drawing"] == definitions._sha(SOONER) and standing(district, inside) == before
    district.no, district.scan = inside, scan
    district.check()
    district.survey()
    assert "democratic_review" in district.tasks()
    proven(district)


def test_what_would_be_lost_or_another_keeps_a_case_where_it_is(district):
    at_the_notice(district)
    from engine.bpmn import Drawing, Run
    from engine.migration import hindrances

    row = district.case()
    with district.office.read() as conn:
        run = Run.load(district.cases.drawing(conn, row["drawing"]), row["state"], district.clock())

    def told(xml):
        return [(one.node, one.zh) for one in hindrances(run, Drawing.parse(xml))]

    assert told(SOONER) == []
    assert [node for node, _ in told(MOMENT)] == ["street_notice_ends"]
    renamed = OWN.replace(b'"street_notice_wait"', b'"street_wait"').replace(b">street_notice_wait<", b">street_wait<")
    assert ("street_notice_wait", "正停留的环节 street_notice_wait 在新图上没有") in told(renamed)
    past = OWN.replace(b'"completeness_check"', b'"papers"')
    assert any(node == "completeness_check" and "走过" in why for node, why in told(past))
    boundary = OWN.replace(b'id="withdrawn" name', b'id="gone" name').replace(b'"withdrawn"', b'"gone"').replace(b">withdrawn<", b">gone<")
    assert {"withdrawn", "gone"} <= {node for node, _ in told(boundary)}
    other = OWN.replace(b'id="street_objection_def" messageRef="msg_objection"', b'id="street_objection_def" messageRef="msg_withdrawal"')
    assert told(other)


def test_branches_under_way_want_the_same_joins(district):
    from engine.bpmn import Run
    from engine.migration import _found
    from engine.outline import outline

    district.apply(district.household(210_000))
    district.accept()
    row = district.case()
    with district.office.read() as conn:
        run = Run.load(district.cases.drawing(conn, row["drawing"]), row["state"], district.clock())
    fewer = OWN.replace(b'sourceRef="investigate_split" targetRef="neighbor_enquiry"', b'sourceRef="survey_cosign" targetRef="neighbor_enquiry"')
    assert fewer != OWN
    assert {one.node for one in _found(run, outline(OWN), outline(fewer))} == {"investigate_split"}
    assert list(_found(run, outline(OWN), outline(OWN))) == []


def test_two_persons_a_ground_and_a_drawing_that_is_in_force(district):
    at_the_notice(district)
    number = definitions_proposed = None
    with district.office.act(district.people["admin"]) as act:
        number = definitions.propose(act, district.cases, SOONER, "", "试行")["number"]
    for bad in (str(number), "program2", "0" * 64, "12", "zz"):
        with pytest.raises(Invalid):
            look(district, bad)
    with pytest.raises(Invalid):
        look(district, "program")  # the same as it stands on
    with district.office.act(district.people["sue"]) as act:
        definitions.confirm(act, district.cases, number)
    for early in (str(number), definitions._sha(SOONER)):
        with pytest.raises(Invalid):
            look(district, early)
    district.clock.advance(days=1)
    assert look(district, definitions._sha(SOONER)[:12])[0] == definitions._sha(SOONER) == look(district, number)[0]
    for who in ("clerk", "sue", "app"):
        with pytest.raises(Refused):
            propose(district, number, who)
    with pytest.raises(Invalid):
        propose(district, number, ground=" ")
    first = propose(district, number)
    with pytest.raises(Conflict):
        propose(district, number)
    for who in ("admin", "admin2", "clerk"):
        with pytest.raises(Refused):
            confirm(district, first, who)
    with district.office.act(district.people["admin"]) as act:
        case_migrations.withdraw(act, first, "再议")
    with pytest.raises(Conflict):
        confirm(district, first)
    assert district.case()["drawing"] == HERE and definitions_proposed is None


def test_an_interrupted_migration_is_whole_case_by_case_and_goes_on(district, monkeypatch):
    numbers = [district.apply(district.household(210_000, serial=n)) for n in range(1, 4)]
    to = in_force(district, SIGNED)
    confirm(district, number := propose(district, to))
    ids = case_migrations.waiting(district.office, number)
    assert ids == [district.case(no)["id"] for no in numbers]
    with district.office.act() as act:
        case_migrations.move(act, district.cases, number, ids[0])
    with pytest.raises(RuntimeError), district.office.act() as act:
        case_migrations.move(act, district.cases, number, ids[1])
        raise RuntimeError("the machine stops")
    assert [district.case(no)["drawing"] == HERE for no in numbers] == [False, True, True]
    assert case_migrations.waiting(district.office, number) == ids[1:]
    district.no = numbers[2]
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-04", reason="已找到工作")
    district.bureau.jobs.run_all()
    with district.office.act() as act:  # again: nothing is done twice
        case_migrations.move(act, district.cases, number, ids[1])
    with district.office.read() as conn:
        assert case_migrations.progress(conn, number) == {"moved": 2, "stays": 0, "waits": 0, "ended": 1}
        keys = district.office.keys.on(conn)
        assert [sum(e.event == "case_moved" for e in history(conn, keys, n)) for n in ids] == [1, 1, 0]
    assert rebuilt(district.office) == []
    for no in numbers:
        district.no = no
        proven(district)


def test_killed_at_any_statement_a_case_has_moved_or_has_not(district, processes):
    district.apply(district.household(210_000))
    to = in_force(district, SIGNED)
    confirm(district, number := propose(district, to))
    [case_id] = case_migrations.waiting(district.office, number)
    place = (district.bureau.settings.database, str(district.bureau.settings.files), district.clock.now.isoformat(), number, case_id)
    for at in (1, 4, 7, 10, 13, 100):
        child = processes.Process(target=killed.die_migrating, args=(*place, at))
        child.start()
        child.join(60)
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        assert district.case()["drawing"] == HERE and case_migrations.waiting(district.office, number) == [case_id], at
    assert at == 100 and child.exitcode == 0, "it came to its end only where nothing killed it"
    assert district.case()["drawing"] == definitions._sha(SIGNED) and case_migrations.waiting(district.office, number) == []
    proven(district)


def test_a_bundle_of_a_migrated_case_is_proven_without_us(district, tmp_path):
    import zipfile

    from engine.sealing import Sequencer
    from processes import verify
    from tests.processes.test_evidence import ORIGIN, bundle, signer, verified

    at_the_notice(district)
    migrate(district, in_force(district, SOONER))
    Sequencer(district.office.store, signer(), ORIGIN).run()
    report = verify.run(district.bureau.settings)
    assert (report.wrong, report.faults) == ([], [])
    (tmp_path / "policy.txt").write_text(f"log {signer().public()}\nquorum none\n")
    manifest = bundle(district, tmp_path / "one.zip", district.no)
    assert manifest["cases"] == [district.no] or len(manifest["cases"]) == 1
    code, said = verified(tmp_path, "one.zip", "--policy", "policy.txt")
    assert code == 0, (said["broken"], said["gaps"])
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {f"drawings/{HERE}.bpmn", f"drawings/{definitions._sha(SOONER)}.bpmn"} <= set(archive.namelist())
