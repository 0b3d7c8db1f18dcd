"""调标 (example 31): one decision for all, computed from figures, by two persons; each benefit once, however often a worker dies.

Benefits are written here as a grant would write them, for what is tried is the batch. S36 by real acts alone, from the
applications to the letters, stands in tests/web/test_scenarios.py.
"""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from engine import store
from engine.errors import Conflict, Invalid, Refused
from processes import benefits, households, identity, organisation, paperwork, standards
from processes.benefit_act_tables import standard_item, standard_result
from processes.benefit_tables import benefit_adjustment
from processes.benefits import Change
from processes.case_tables import letter
from processes.rebuild import differences
from tests.district import COMMUNITY
from tests.engine import killed
from tests.processes.test_benefits import Granted

MEMBER = {"ref": "1", "relation": "head", "birth_date": "1970-01-01", "sex": "male", "employment": "none", "labour_ability": "completely_lost"}


def figures(n, income, hukou="urban", **more):
    """A household of n with an income a month in yuan, as `eligibility.assess` reads it."""
    members = [{**MEMBER, "ref": str(k), "relation": "head" if k == 1 else "other"} for k in range(1, n + 1)]
    members[0] = {**members[0], "income": [{"kind": "transfer_income", "amount": f"{income}.00", "period": "month"}]}
    return {"benefit_month": "2018-12", "applied_on": "2018-12-03", "hukou_kind": hukou, "members": members, "property": [], "hardships": [], "childless": False, **more}


DISABLED = {"hardships": ["disabled_member"]}


@pytest.mark.parametrize(("category", "fen", "snapshot", "expected"), [
    ("dibao", 66_000, figures(3, 2100), ("change", 84_000, None, False)),  # example 30
    ("dibao", 300, figures(3, 2757), ("change", 18_300, None, False)),  # example 4
    ("dibao", 84_000, figures(3, 2100), ("unchanged", 84_000, None, False)),  # a re-check has come first
    ("low_income", 27_600, figures(3, 2763, **DISABLED), ("change", 29_400, None, True)),  # example 31: 921 a head, above 920 and below 980
    ("low_income", 27_600, figures(2, 2758, **DISABLED), ("change", 29_400, None, False)),  # example 8: above 980 still
    ("low_income", 0, figures(3, 2763), ("unchanged", 0, None, True)),  # without hardship there is no cash, and it may apply
    ("low_income", 27_600, figures(2, 1960, **DISABLED), ("change", 29_400, None, False)),  # 980.00 a head is not below 980
    ("dibao", 70_000, figures(3, 2100), ("person", 70_000, "figures_differ", False)),  # fixed by the meeting, or listed without figures
    ("low_income", 27_600, figures(3, 2100, **DISABLED), ("person", 27_600, "figures_differ", False)),
    ("dibao", 92_000, {**figures(1, 0), "members": []}, ("person", 92_000, "no_figures", False)),
    ("destitute_dispersed", 138_000, figures(1, 0, "rural"), ("change", 147_000, None, False)),
    ("destitute_institutional", 178_000, figures(1, 0, "rural"), ("change", 184_000, None, False)),
    ("destitute_dispersed", 178_000, figures(1, 0, "urban"), ("change", 184_000, None, False)),
    ("destitute_dispersed", 150_000, figures(1, 0, "rural"), ("person", 150_000, "figures_differ", False))])  # fmt: skip
def test_what_a_benefit_comes_to(category, fen, snapshot, expected):
    came = standards.outcome(category, fen, max(1, len(snapshot["members"])), snapshot, "2019-04")
    assert (came.state, came.after_fen, came.reason, came.contact) == expected


@pytest.mark.parametrize(("today", "months"), [
    ("2018-12-03", ["2018-04"]), ("2019-02-28", ["2018-04"]), ("2019-03-01", ["2018-04", "2019-04"]), ("2019-04-01", ["2019-04"]), ("2020-08-31", ["2019-04", "2020-09"])])
def test_the_months_for_which_the_law_has_a_new_standard(today, months):
    assert standards.months_with_new_standard(datetime.fromisoformat(today).date()) == months


# -- with a district


class Office:
    """The district's people for it, and the verbs."""

    def __init__(self, district) -> None:
        self.d, self.office = district, district.office
        with self.office.act() as act:
            organisation.add_staff(act, "fin", "发放", "binhai-2018", [("finance_officer", "120116")])
            organisation.add_staff(act, "app2", "审批二", "binhai-2018", [("approver", "120116")])
        with self.office.read() as conn:
            district.people |= {login: organisation.find_actor(conn, login) for login in ("fin", "app2")}

    def propose(self, who="fin", month="2019-04", run=True):
        with self.office.act(self.d.people[who]) as act:
            self.no = standards.propose(act, month)
        if run:
            self.d.bureau.jobs.run_all()
        return self.no

    def confirm(self, who="app", run=True):
        with self.office.act(self.d.people[who]) as act:
            standards.confirm(act, self.no, "同意")
        if run:
            self.d.bureau.jobs.run_all()

    def withdraw(self, who="fin"):
        with self.office.act(self.d.people[who]) as act:
            standards.withdraw(act, self.no, "名单有误")

    def batch(self):
        with self.office.read() as conn:
            return standards.batch_row(conn, self.no)

    def items(self, view=None):
        with self.office.read() as conn:
            return standards.items(conn, self.batch()["id"], "120116", view=view, size=1000).items

    def benefit(self, household_id, fen, category="dibao", month="2019-01"):
        values = {"household_id": household_id, "category": category, "amount_fen": fen, "status": "active", "first_payment_month": month, "members": 3, "law_version": "TJ-STD-2018"}
        with self.office.act() as act:
            values["members"] = len(households.counted_members(act.conn, household_id, act.today))
            return benefits.begin(act, "benefit_granted", values, {})

    def row(self, benefit_id):
        with self.office.read() as conn:
            return benefits.row(conn, benefit_id)

    def payable(self, benefit_id, *months):
        with self.office.read() as conn:
            return [benefits.payable(conn, benefit_id, month) for month in months]

    def letter(self, letter_id):
        with self.office.read() as conn:
            return paperwork.issued_bytes(conn, self.office.keys.on(conn), letter_id)[1].decode()

    def count(self, table, *where):
        with self.office.read() as conn:
            return conn.scalar(select(func.count()).select_from(table).where(*where))


@pytest.fixture
def bureau_of(district):
    return Office(district)


def transfers(district, fen, serial, n=3, **more):
    """A household without earners, with other income: nothing is imputed."""
    income = [{"kind": "other_income", "amount_fen": fen, "period": "month"}]
    members = [{"name": f"李{'一二三四五六'[i]}", "id_no": identity.invent(datetime(1960 + i, 5, 1).date(), "female", serial * 7 + i), "relation": "head" if i == 0 else "other",
                "employment": "none", "labour_ability": "none", "income": income if i == 0 and fen else []} for i in range(n)]  # fmt: skip
    with district.office.act(district.people["clerk"]) as act:
        return households.register(act, {"community": COMMUNITY, "hukou_kind": "urban", "members": members, **more})


def test_in_its_month_a_batch_adjusts_and_lists_for_contact(district, bureau_of):
    granted = Granted(district)
    low = transfers(district, 279_000, 2, hardships=["disabled_member"])  # 930.00 a head
    contact = bureau_of.benefit(low, 27_600, "low_income")
    district.at("2019-04-01T09:00")
    assert granted.payable("2019-03", "2019-04") == [66_000, 66_000]
    bureau_of.propose()
    proposed = bureau_of.batch()
    assert {k: proposed[k] for k in ("status", "changes", "contacts", "persons", "before_fen", "after_fen")} == {
        "status": "proposed", "changes": 2, "contacts": 1, "persons": 0, "before_fen": 93_600, "after_fen": 113_400}  # fmt: skip
    assert granted.payable("2019-04") == [66_000], "what is only proposed changes nothing"
    bureau_of.confirm()
    assert granted.payable("2019-03", "2019-04", "2019-05") == [66_000, 84_000, 84_000]
    row = bureau_of.row(contact)
    assert (row["category"], row["amount_fen"]) == ("low_income", 29_400), "listed, never converted silently"
    [listed] = bureau_of.items("contact")
    assert (listed["household_id"], listed["per_capita"]) == (low, "930.00")
    done = bureau_of.batch()
    assert {k: done[k] for k in ("status", "finished_on", "applied", "left_alone", "stopped", "for_persons", "applied_before_fen", "applied_after_fen", "arrears_fen")} == {
        "status": "finished", "finished_on": "2019-04-01", "applied": 2, "left_alone": 0, "stopped": 0, "for_persons": 0, "applied_before_fen": 93_600,
        "applied_after_fen": 113_400, "arrears_fen": 0}  # fmt: skip
    with bureau_of.office.read() as conn:
        last = benefits.history_of(conn, granted.id)[-1]
        letters = {r.household_id: r.id for r in conn.execute(select(letter).where(letter.c.kind == "standard_adjustment"))}
    assert {k: last[k] for k in ("kind", "reason_code", "batch_no", "case_no", "before_fen", "after_fen", "from_month", "law_version")} == {
        "kind": "increase", "reason_code": "standard_adjusted", "batch_no": "TB-2019-04", "case_no": None, "before_fen": 66_000, "after_fen": 84_000, "from_month": "2019-04",
        "law_version": "TJ-STD-2019"}  # fmt: skip
    text = bureau_of.letter(letters[granted.household])
    assert all(part in text for part in ("每人每月920元调整为980元", "660.00元调整为840.00元", "980元×3人－家庭月收入2100.00元＝840.00元", "TB-2019-04", "行政复议"))
    text = bureau_of.letter(letters[low])
    assert all(part in text for part in ("每户每月276元调整为294元", "可能符合最低生活保障条件"))
    assert differences(bureau_of.office) == []


def test_a_late_decision_counts_from_its_month_and_pays_the_rest_later(district, bureau_of):
    granted = Granted(district)
    district.at("2019-06-10T09:00")
    bureau_of.propose("app2")
    bureau_of.confirm()
    assert granted.payable("2019-04", "2019-05", "2019-06") == [66_000, 66_000, 84_000], "past months stay as they were"
    with bureau_of.office.read() as conn:
        [owed] = benefits.of_settlements(conn, granted.id)
        result = conn.execute(select(standard_result)).mappings().one()
    assert (owed["kind"], owed["amount_fen"], owed["from_month"], owed["to_month"], owed["case_no"]) == ("arrears", 36_000, "2019-04", "2019-05", "TB-2019-04")
    assert result["arrears_fen"] == bureau_of.batch()["arrears_fen"] == 36_000
    assert "360.00元" in bureau_of.letter(result["letter_id"])
    assert differences(bureau_of.office) == []


def test_before_the_month_it_counts_from_that_month(district, bureau_of):
    granted = Granted(district)
    district.at("2019-03-20T09:00")
    bureau_of.propose()
    bureau_of.confirm()
    assert granted.payable("2019-03", "2019-04") == [66_000, 84_000]


def test_what_changed_meanwhile_is_computed_again(district, bureau_of):
    """Between proposal and confirmation: one stops, one is re-checked, one begins, one has other figures."""
    homes = [transfers(district, fen, serial) for serial, fen in enumerate((210_000, 210_000, 210_000, 210_000), start=3)]
    stops, checked, altered, suspended = (bureau_of.benefit(home, 66_000) for home in homes)
    district.at("2019-04-02T09:00")
    bureau_of.propose()
    assert bureau_of.batch()["changes"] == 4
    person = district.people["app2"]
    with bureau_of.office.act(person) as act:
        benefits.decide(act, stops, Change("stop", "voluntary", "2019-05", exit_class="voluntary"))
        benefits.decide(act, checked, Change("increase", "income_changed", "2019-05", amount_fen=84_000))
        benefits.decide(act, suspended, Change("suspend", "unreachable", "2019-05"))
    with bureau_of.office.act(district.people["clerk"]) as act:
        who = households.applicant(act.conn, homes[2])["id"]
        households.set_income(act, homes[2], who, [{"kind": "other_income", "amount_fen": 150_000, "period": "month"}])
    newcomer = bureau_of.benefit(transfers(district, 240_000, 9), 36_000, month="2019-05")
    bureau_of.confirm()
    outcomes = {item["benefit_id"]: (item["outcome"], item["done_reason"], item["done_recomputed"]) for item in bureau_of.items()}
    assert outcomes[stops] == ("stopped", None, True)
    assert outcomes[altered] == ("person", "figures_differ", True), "other figures are for a re-check, not for a batch"
    assert outcomes[newcomer] == ("applied", None, True)
    assert bureau_of.payable(stops, "2019-04", "2019-05") == [66_000, 0]
    assert bureau_of.payable(altered, "2019-05") == [66_000]
    assert bureau_of.payable(newcomer, "2019-05") == [54_000]
    assert (bureau_of.row(suspended)["amount_fen"], bureau_of.payable(suspended, "2019-05")) == (84_000, [0])
    assert (outcomes[checked][0], bureau_of.payable(checked, "2019-04", "2019-05")) == ("unchanged", [66_000, 84_000])
    with bureau_of.office.read() as conn:
        assert [(s["kind"], s["amount_fen"], s["from_month"]) for s in benefits.of_settlements(conn, checked)] == [("arrears", 18_000, "2019-04")]
    done = bureau_of.batch()
    assert (done["status"], done["applied"], done["stopped"], done["for_persons"], done["left_alone"]) == ("finished", 2, 1, 1, 1)
    assert differences(bureau_of.office) == []


def test_dated_income_counts_by_the_window_of_the_application(district, bureau_of):
    """Wages of autumn 2018 are the figures of a benefit granted then; months later they are not outside of a window."""
    home = district.household(210_000, serial=4)
    with bureau_of.office.act(district.people["clerk"]) as act:
        who = households.applicant(act.conn, home)["id"]
        households.set_income(act, home, who, [{"kind": "wage_income", "amount_fen": 210_000, "period": "month", "month": m} for m in ("2018-09", "2018-10", "2018-11")])
    one = bureau_of.benefit(home, 66_000)
    district.at("2019-04-02T09:00")
    bureau_of.propose()
    [item] = bureau_of.items()
    assert (item["benefit_id"], item["state"], item["after_fen"]) == (one, "change", 84_000)


def test_a_running_case_goes_on(district, bureau_of):
    """The household's case is not touched: figures come at its own conclusion."""
    granted = Granted(district)
    district.at("2019-04-01T09:00")
    other = district.apply(district.household(250_000, serial=8))
    before = district.case(other)
    bureau_of.propose()
    bureau_of.confirm()
    assert dict(district.case(other)) == dict(before)
    district.accept()
    assert granted.payable("2019-04") == [84_000]


def everything(office):
    with office.read() as conn:
        return {name: sorted(str(tuple(row)) for row in conn.execute(select(table))) for name, table in store.metadata.tables.items()}


NO_PROPOSAL = [
    ("rita", "2019-04", "role"), ("clerk", "2019-04", "role"), ("auditor", "2019-04", "role"), ("fin", "2019-05", Invalid), ("fin", "2017-04", Invalid), ("fin", "2018-04", Invalid)]  # fmt: skip


def test_what_is_no_proposal(district, bureau_of):
    district.at("2019-04-01T09:00")
    before = everything(bureau_of.office)
    for who, month, error in NO_PROPOSAL:
        with pytest.raises(Refused if isinstance(error, str) else error) as refused:
            bureau_of.propose(who, month)
        assert not isinstance(error, str) or refused.value.rule == error, (who, month)
        assert everything(bureau_of.office) == before, (who, month)


def test_two_persons_and_one_batch_a_month(district, bureau_of):
    one = bureau_of.benefit(transfers(district, 210_000, 5), 66_000)
    district.at("2019-04-01T09:00")
    bureau_of.propose("app", run=False)
    with pytest.raises(Conflict, match="计算"):
        bureau_of.confirm("app2")
    with pytest.raises(Conflict, match="TB-2019-04"):
        bureau_of.propose("fin")
    district.bureau.jobs.run_all()
    before = everything(bureau_of.office)
    for who, rule in (("app", "four-eyes"), ("fin", "role"), ("rita", "role")):
        with pytest.raises(Refused) as refused:
            bureau_of.confirm(who)
        assert refused.value.rule == rule
    with pytest.raises(Refused):
        bureau_of.withdraw("fin")  # neither the proposer nor an approver
    assert everything(bureau_of.office) == before
    bureau_of.withdraw("app2")
    with pytest.raises(Conflict, match="撤销"):
        bureau_of.confirm("app2")
    assert bureau_of.payable(one, "2019-04") == [66_000]
    assert bureau_of.propose("fin") == "TB-2019-04-2"
    bureau_of.confirm()
    with pytest.raises(Conflict):
        bureau_of.withdraw("fin")
    with pytest.raises(Conflict):
        bureau_of.confirm()
    assert bureau_of.payable(one, "2019-04") == [84_000]
    assert differences(bureau_of.office) == []


def test_withdrawn_while_it_is_computed(district, bureau_of):
    bureau_of.benefit(transfers(district, 210_000, 5), 66_000)
    district.at("2019-04-01T09:00")
    bureau_of.propose(run=False)
    bureau_of.withdraw()
    district.bureau.jobs.run_all()
    assert (bureau_of.batch()["status"], bureau_of.count(standard_item)) == ("withdrawn", 0)


# -- many, and workers that die

MANY = 240


def many(district, office, n):
    """n households with a benefit of 660.00 or 276.00, written by the verbs; ids of the benefits."""
    ids = []
    for start in range(0, n, 50):
        with district.office.act() as act:
            for serial in range(start, min(start + 50, n)):
                low = serial % 20 == 0
                fen = 93_000 if low else 26_000
                member = {"name": f"王{serial}", "id_no": identity.invent(datetime(1950, 1, 1).date() + timedelta(days=serial * 9), "male", serial % 900 + 1), "relation": "head",
                          "employment": "none", "labour_ability": "none", "income": [{"kind": "other_income", "amount_fen": fen, "period": "month"}]}  # fmt: skip
                act.actor = district.people["clerk"]
                home = households.register(act, {"community": COMMUNITY, "hukou_kind": "urban", "members": [member], "hardships": ["disabled_member"] if low else []})
                values = {"household_id": home, "category": "low_income" if low else "dibao", "amount_fen": 27_600 if low else 66_000, "status": "active", "first_payment_month": "2019-01",
                          "members": 1, "law_version": "TJ-STD-2018"}  # fmt: skip
                ids.append(benefits.begin(act, "benefit_granted", values, {}))
    return ids


def test_hundreds_and_a_worker_that_dies_again_and_again(district, bureau_of, processes):
    ids = many(district, bureau_of, MANY)
    district.clock.set("2019-04-01T09:00")
    with district.office.store.write() as conn:  # the reviews that fall due are not what this is about
        conn.execute(store.job.update().where(store.job.c.kind.in_(("review_due", "report_due", "benefit_month"))).values(state="done"))
    bureau_of.propose()
    assert (bureau_of.batch()["changes"], bureau_of.batch()["contacts"]) == (MANY, MANY // 20)
    bureau_of.confirm(run=False)
    place = (district.bureau.settings.database, str(district.bureau.settings.files), district.clock.now.isoformat())
    interrupted = 0
    for pause in (0.2, 0.4, 0.6):
        child = processes.Process(target=killed.drain, args=place)
        child.start()
        before, until = bureau_of.count(standard_result), time.monotonic() + 30
        while bureau_of.count(standard_result) <= before and time.monotonic() < until and child.is_alive():
            time.sleep(0.02)
        time.sleep(pause)
        child.kill()
        child.join(60)
        assert child.exitcode in (-signal.SIGKILL, 0)
        interrupted += before < bureau_of.count(standard_result) < MANY
    assert interrupted, "it died in the middle"
    left_behind = bureau_of.count(standard_result)
    late = timedelta(minutes=5)
    district.bureau.jobs.real_clock = lambda: datetime.now(UTC) + late
    written: list[int] = []  # results of each write transaction

    def counted(_conn, _cursor, statement, parameters, _context, executemany) -> None:
        if statement.startswith("INSERT INTO standard_result"):
            written[-1] += len(parameters) if executemany else 1

    opened = district.office.store
    opened.on_write = lambda said: written.append(0) if said == "begun" else None
    event.listen(opened.engine, "before_cursor_execute", counted)
    district.bureau.jobs.run_all()
    district.clock.advance(minutes=2)
    district.bureau.jobs.run_all()
    event.remove(opened.engine, "before_cursor_execute", counted)
    done = bureau_of.batch()
    assert (done["status"], done["applied"], done["for_persons"], done["stopped"], done["left_alone"]) == ("finished", MANY, 0, 0, 0)
    assert bureau_of.count(standard_result) == bureau_of.count(letter) == MANY
    assert bureau_of.count(benefit_adjustment, benefit_adjustment.c.batch_no == bureau_of.no) == MANY
    with district.office.read() as conn:
        paid = [benefits.payable(conn, one, "2019-04") for one in ids[:40]]
        numbers = conn.scalars(select(letter.c.number)).all()
        assert conn.scalar(select(func.count()).select_from(store.job).where(store.job.c.state == "incident")) == 0
    assert set(paid) == {72_000, 29_400}
    assert len(set(numbers)) == MANY
    assert max(written, default=1) == 1, "no write transaction of a batch is long: each holds one household"
    assert sum(written) == MANY - left_behind
    assert differences(district.office) == []
