"""Deploying drawings, tables and law files: two persons, from a day, only what the installed module can run; differences and dry runs."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from engine import store
from engine.errors import Conflict, Invalid, Refused
from processes import definitions, dmn, dry_run, law, whatif_law
from processes.bureau import CATALOGUE
from processes.definition_diff import differences
from processes.definition_tables import definition
from processes.rebuild import differences as rebuilt
from tests.processes.test_dibao_2012 import proven

OWN = CATALOGUE["dibao-2012"].drawing.xml
SOONER = OWN.replace(b"workdays(3, since='district_notice_ended_on')", b"workdays(2, since='district_notice_ended_on')")
SIGNED = OWN.replace(b'<yb:task role="street_leader" level="street" due="promptly()"', b'<yb:task role="street_leader" level="street" due="days(2)"')
LONGER = dmn.RAW["notice-period"].replace(b"<outputEntry><text>7</text></outputEntry>", b"<outputEntry><text>10</text></outputEntry>", 1)
NEXT = b'  - {from: 2019-04-01, value: "980", source: T19}\n'
RAISED = law.RAW["parameters.yaml"].replace(NEXT, b'  - {from: 2019-01-01, value: "950", source: draft}\n' + NEXT, 1)
BEGINS = b'  - {from: 2021-07-01, value: "dibao-2021", source: N57 art 42}\n'
LATER = law.RAW["procedures.yaml"].replace(BEGINS, BEGINS + b"""  - {from: 2021-07-01, known_from: 2018-12-05, value: "dibao-2012", source: draft}
  - {from: 2021-09-01, value: "dibao-2021", source: draft}
""", 1)
assert OWN not in (SOONER, SIGNED) and LONGER != dmn.RAW["notice-period"] and RAISED != law.RAW["parameters.yaml"]


def propose(town, raw, name="", who="admin", reason="试行"):
    with town.office.act(town.people[who]) as act:
        return definitions.propose(act, town.cases, raw, name, reason)["number"]


def confirm(town, number, who="sue", from_on=None):
    with town.office.act(town.people[who]) as act:
        definitions.confirm(act, town.cases, number, from_on and date.fromisoformat(from_on))


def deploy(town, raw, name=""):
    confirm(town, number := propose(town, raw, name))
    return number


def rules(town, raw, name=""):
    with town.office.read():
        return {f.rule for f in definitions.understood(town.cases, raw, name, town.office.today()).findings}


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_module_fits_its_own_drawing(key):
    assert CATALOGUE[key].faults_of(CATALOGUE[key].drawing.xml) == []


def without(xml, *parts):
    for part in parts:
        assert part in xml
        xml = xml.replace(part, b"")
    return xml


def test_what_the_installed_module_cannot_run_is_refused(district):
    wrong = {
        "task-without-form": OWN.replace(b'"street_signoff"', b'"street_sign"').replace(b">street_signoff<", b">street_sign<"),
        "task-without-service": OWN.replace(b'"close_withdrawn"', b'"close_it"').replace(b">close_withdrawn<", b">close_it<"),
        "message-without-form": OWN.replace(b'name="withdrawal"', b'name="retreat"'),
        "lane-not-installed": OWN.replace(b'role="street_leader" level="street"', b'role="street_leader" level="community"'),
        "end-not-installed": OWN.replace(b'"ended_refused"', b'"ended_no"').replace(b">ended_refused<", b">ended_no<"),
        "other-process": OWN.replace(b'"dibao-2012"', b'"dibao-1999"'),
        "unknown-fact": OWN.replace(b"since='district_notice_ended_on'", b"since='some_day'"),
        "not-xml": OWN[:-5], "doctype": b"<!DOCTYPE d>" + OWN.partition(b"?>")[2].strip(), "too-large": OWN + b" " * (2 << 20),
    }  # fmt: skip
    for rule, xml in wrong.items():
        assert rule in rules(district, xml), rule
        with pytest.raises(definitions.NotSound):
            propose(district, xml)
    table = dmn.RAW["notice-period"]
    for rule, xml in {
        "dmn-name": table.replace(b'<decision id="notice-period"', b'<decision id="other"'),
        "dmn-unknown-input": table.replace(b"<text>procedure</text>", b"<text>something</text>"),
        "dmn-columns": table.replace(b'name="days"', b'name="length"'),
        "dmn-gap": table.replace(b'<text>"2021"</text></inputEntry>', b'<text>"2012"</text></inputEntry>', 1),
        "dmn-type": dmn.RAW["category"].replace(b'<outputEntry><text>"dibao"</text>', b'<outputEntry><text>"other"</text>'),
    }.items():  # fmt: skip
        assert xml != table and rule in rules(district, xml), rule
    assert rules(district, LONGER) == set()
    files = law.RAW
    assert rules(district, files["calendar.yaml"], "calendar.yaml") == {"not-deployable"}
    assert rules(district, files["parameters.yaml"], "other.yaml") == {"not-deployable"}
    assert rules(district, LATER, "procedures.yaml") == set()
    assert rules(district, LATER.replace(b'"dibao-2021", source: draft', b'"dibao-2099", source: draft'), "procedures.yaml") == {"other-process"}
    assert rules(district, LATER.replace(b', known_from: 2018-12-05, value: "dibao-2012"', b', value: "dibao-2012"'), "procedures.yaml") == {"law-malformed"}, "two from one day"
    assert rules(district, b"a: [", "parameters.yaml") == {"law-malformed"}
    assert rules(district, RAISED.replace(b"2019-01-01", b"2018-12-01"), "parameters.yaml") == {"law-back-dated"}
    assert "law-row-changed" in rules(district, files["parameters.yaml"].replace(b'value: "920"', b'value: "921"', 1), "parameters.yaml")
    assert rules(district, RAISED, "parameters.yaml") == set()
    more = b'something_new:\n  - {from: 2019-01-01, value: "1", source: draft}\n'
    assert rules(district, files["parameters.yaml"] + more, "parameters.yaml") == {"law-names"}
    other = files["procedure.yaml"].split(b":\n")[0].splitlines()[-1]
    assert rules(district, files["parameters.yaml"] + other + b':\n  - {from: 2019-01-01, value: "1", source: draft}\n', "parameters.yaml") == {"law-names"}
    with district.office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(definition)) == 0


def test_from_when_a_procedure_applies_is_deployed_like_every_other_value(district):
    """A paper of 2021 begins two months later: from the day after two persons said so, for whoever asks about a day to come."""
    first, moved = date(2021, 8, 31), date(2021, 9, 1)
    number = propose(district, LATER, "procedures.yaml")
    with district.office.read() as conn:
        rows = definitions.compared(conn, district.cases, definitions.row(conn, number))
        assert {one.change for one in rows} == {"added"} and len(rows) == 2
    confirm(district, number)
    with district.office.read():
        assert law.procedure("dibao", first) == "dibao-2021", "not before its first day"
    district.at("2018-12-05T09:00")
    with district.office.read():
        assert (law.procedure("dibao", first), law.procedure("dibao", moved)) == ("dibao-2012", "dibao-2021")
        assert law.procedure_times("dibao-2012")[1] == law.procedure_times("dibao-2021")[0] == moved
        assert law.procedure("destitute", first) == "destitute-2021", "the other matters as before"


def test_two_persons_in_their_posts_and_a_day_to_come(district):
    for who in ("clerk", "sue", "app", "auditor"):
        with pytest.raises(Refused):
            propose(district, SOONER, who=who)
    with pytest.raises(Invalid):
        propose(district, SOONER, reason="  ")
    with pytest.raises(Conflict):
        propose(district, OWN)
    number = propose(district, SOONER)
    with pytest.raises(Conflict):
        propose(district, SIGNED, who="admin2")
    for who in ("admin", "admin2", "clerk", "auditor", "lee"):
        with pytest.raises(Refused):
            confirm(district, number, who)
    for day in ("2018-12-03", "2018-12-02"):
        with pytest.raises(Invalid):
            confirm(district, number, from_on=day)
    confirm(district, number, "app", "2018-12-10")
    with pytest.raises(Conflict):
        confirm(district, number)
    second = propose(district, SIGNED, who="admin2")
    with pytest.raises(Conflict, match="2018-12-10"):
        confirm(district, second, from_on="2018-12-10")
    with district.office.act(district.people["admin"]) as act, pytest.raises(Refused):
        definitions.withdraw(act, second, "不要了")
    with district.office.act(district.people["sue"]) as act:
        definitions.withdraw(act, number, "有误")
    with pytest.raises(Conflict, match="重新提出"):
        confirm(district, second)
    assert rebuilt(district.office) == []


def test_who_holds_both_posts_does_not_confirm_his_own(district):
    from processes import organisation

    with district.office.act() as act:
        organisation.add_staff(act, "both", "两", "binhai-2018", [("admin", "120116"), ("supervisor", "120116")])
    with district.office.read() as conn:
        district.people["both"] = organisation.find_actor(conn, "both")
    number = propose(district, SOONER, who="both")
    with pytest.raises(Refused, match="双人"):
        confirm(district, number, "both")


def test_new_cases_begin_on_the_drawing_in_force_and_older_ones_keep_theirs(district):
    before = district.apply(district.household(210_000))
    deploy(district, SOONER)
    same_day = district.apply(district.household(210_000, serial=2))
    district.clock.set("2018-12-04T09:00")
    after = district.apply(district.household(210_000, serial=3))
    own, sooner = CATALOGUE["dibao-2012"].drawing.digest, definitions._sha(SOONER)
    assert [district.case(no)["drawing"] for no in (before, same_day, after)] == [own, own, sooner]
    district.accept()
    assert district.case(before)["drawing"] == own
    proven(district)
    with district.office.read() as conn:
        here = {(one["kind"], one["key"]): one["digest"] for one in definitions.installed(conn, district.cases, district.office.today())}
    assert here["drawing", "dibao-2012"] == sooner
    deploy(district, OWN)
    district.clock.set("2018-12-05T09:00")
    assert district.case(district.apply(district.household(210_000, serial=4)))["drawing"] == own


def test_a_case_that_moves_by_the_day_of_acceptance_takes_the_drawing_in_force_where_it_can(district):
    newer = CATALOGUE["dibao-2021"].drawing.xml
    renamed = newer.replace(b'name_en="Completeness check"', b'name_en="Papers"')
    elsewhere = newer.replace(b'id="withdrawn" name', b'id="retreat" name').replace(b'"withdrawn"', b'"retreat"').replace(b">withdrawn<", b">retreat<")
    district.clock.set("2021-06-30T09:00")
    cases = [district.apply(district.household(230_000, serial=serial)) for serial in (1, 2)]
    for case, xml, day in zip(cases, (renamed, elsewhere), ("2021-07-01T09:00", "2021-07-02T09:00"), strict=True):
        assert xml != newer
        deploy(district, xml)
        district.clock.set(day)
        district.no = case
        district.accept()
        row = district.case()
        assert (row["process"], row["drawing"]) == ("dibao-2021", definitions._sha(renamed) if xml is renamed else CATALOGUE["dibao-2021"].drawing.digest)
        proven(district)


def test_a_table_in_force_decides_from_its_day_and_each_case_replays_by_what_was_in_force(district):
    district._to_street_opinion()
    district.review()
    district.street()
    district.post()
    old = district.no
    assert district.facts()["street_notice_until"][:10] == "2018-12-11"
    deploy(district, LONGER)
    assert dmn.SHELF.digest("notice-period") == definitions._sha(dmn.RAW["notice-period"])
    district.clock.set("2018-12-04T09:00")
    district._to_street_opinion(serial=2)
    district.review()
    district.street()
    district.post()
    assert district.facts()["street_notice_until"][:10] == "2018-12-15"
    proven(district)
    district.no = old
    proven(district)
    with district.office.read():
        assert dmn.SHELF.digest("notice-period") == definitions._sha(LONGER)


def test_a_law_file_in_force_is_named_by_entries_and_changes_no_earlier_case(district):
    district._to_street_opinion()
    old, before = district.no, district.facts()["amount_fen"]
    deploy(district, RAISED, "parameters.yaml")
    district.clock.set("2018-12-04T09:00")
    district._to_street_opinion(serial=2)
    assert (before, district.facts()["amount_fen"]) == (66_000, 75_000), "920 and 950 for three, of 2100"
    with district.office.read() as conn:
        digests = set(conn.scalars(select(store.law.c.digest)))
        assert law.digest() in digests and law.digest() != law.DIGEST
        for tried in (whatif_law.Changed(), whatif_law.Changed(law.overlaid({}), {}, {})):
            with tried.applies():
                assert law.value("dibao_standard_urban", date(2019, 1, 1)).text == "950", "what is tried is laid over what is in force"
    proven(district)
    district.no = old
    proven(district)


def test_differences_name_what_changed():
    [one] = differences("drawing", OWN, SOONER)
    assert (one.part, one.id, one.change) == ("node", "decide", "changed")
    assert (one.before["due"], one.after["due"]) == ("workdays(3, since='district_notice_ended_on')", "workdays(2, since='district_notice_ended_on')")
    gone = differences("drawing", CATALOGUE["dibao-2021"].drawing.xml, OWN)
    assert {("node", "added"), ("node", "removed"), ("flow", "added"), ("lane", "changed")} <= {(d.part, d.change) for d in gone} | {("lane", "changed")}
    [row] = differences("table", dmn.RAW["notice-period"], LONGER)
    assert (row.part, row.id, row.before, row.after) == ("row", "street-2012", {"days": "7"}, {"days": "10"})
    [value] = differences("law", law.RAW["parameters.yaml"], RAISED, "parameters.yaml")
    assert (value.change, value.after["name"], value.after["from"], value.after["value"]) == ("added", "dibao_standard_urban", "2019-01-01", "950")
    assert differences("drawing", OWN, OWN) == differences("table", LONGER, LONGER) == differences("law", RAISED, RAISED, "parameters.yaml") == []


def tried(town, raw, name=""):
    number = propose(town, raw, name)
    with town.office.snapshot() as conn:
        return dry_run.run(conn, town.office.keys.on(conn), town.cases, definitions.row(conn, number))


def test_the_dry_run_gives_a_verdict_for_each_finished_case(district):
    district.apply(district.household(210_000, serial=2))
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-03", reason="已找到工作")
    short = district.no
    district._to_refusal()
    district.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="direct", recipient="张一")
    refused = district.no
    found = {one.no: one.trial for one in tried(district, SIGNED)}
    assert found[short].result == "same"
    assert (found[refused].result, "street_signoff" in found[refused].computed) == ("different", True)
    with district.office.read() as conn:
        entry = conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == district.case()["id"], store.entry.c.seq == found[refused].entry))
    assert b"street_opinion" in entry
    with district.office.act(district.people["admin"]) as act:
        number = act.conn.scalar(select(definition.c.id))
        definitions.withdraw(act, number, "再改")
    trouble = OWN.replace(b"review_conclusion", b"amount_fen", 1)
    if rules(district, trouble) == set() and trouble != OWN:
        assert {one.trial.result for one in tried(district, trouble)} <= {"same", "different", "cannot"}


def test_the_dry_run_of_a_table_and_of_a_law_file(district):
    district._to_refusal()
    district.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="direct", recipient="张一")
    raised = law.RAW["parameters.yaml"].replace(NEXT, b'  - {from: 2018-12-04, value: "2500", source: draft}\n' + NEXT, 1)
    [one] = tried(district, raised, "parameters.yaml")
    assert one.trial.result == "different" and one.trial.entry
    [other] = tried(district, LONGER)
    assert other.trial.result == "same", "a refusal hangs nowhere"
    proven(district)
