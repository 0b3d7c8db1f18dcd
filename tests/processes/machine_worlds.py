"""Where runs of the state machine begin: three districts with cases at many places of all four drawings, made once and copied.

Every case got to its place by real forms, filled in by the people whose posts they are (`carry`).
"""

from __future__ import annotations

import io
import pathlib
import sqlite3
from collections.abc import Callable
from datetime import date
from typing import Any

from openpyxl import Workbook
from sqlalchemy import event as sql_event
from sqlalchemy import select

from engine import store
from engine.bpmn import Run
from engine.office import Office, history, seals_hold
from engine.store import metadata
from processes import bureau as bureaus
from processes import conclusions, households, identity, organisation, rebuild
from processes import import_annex1 as annex1
from tests.conftest import DATA_KEY, Clock
from tests.district import PASSWORD, STREET, paper
from tests.meeting_room import KEY, Room
from tests.processes.machine_answers import Told, options
from tests.processes.reports import family
from web.importing import bring_in
from web.settings import Settings

FAR = "120116005"
OBJECTION = {"objector_kind": "resident", "grounds": "有车"}
STREET_POSTS = ("window_clerk", "investigator", "civil_affairs_officer", "reviewer", "street_leader", "village_committee")
DISTRICT_POSTS = ("means_checker", "district_examiner", "spot_checker", "approver", "supervisor")
EVERY_POST = [(p, "120116") for p in STREET_POSTS + DISTRICT_POSTS]
# People of many posts: only with them does the separation of duties decide anything. Two of another street, which takes over files.
MANY = {"hat1": EVERY_POST, "hat2": EVERY_POST, "hat3": [(p, STREET) for p in STREET_POSTS],
        "hat4": [("meeting_secretary", "120116"), ("meeting_convener", "120116"), ("investigator", STREET)],
        "far1": [(p, FAR) for p in STREET_POSTS], "far2": [(p, FAR) for p in STREET_POSTS]}  # fmt: skip
RELATIVE = "hat2"  # of a member of one household
REGULAR = {"window_clerk": "clerk", "investigator": "ann", "civil_affairs_officer": "officer", "reviewer": "rita", "street_leader": "lee", "village_committee": "vera",
           "means_checker": "checker", "district_examiner": "exam", "spot_checker": "spot", "approver": "app", "meeting_secretary": "secretary",
           "meeting_convener": "convener"}  # fmt: skip
FAR_AWAY = {"window_clerk": "stranger", "investigator": "far1", "reviewer": "far1", "street_leader": "far2", "civil_affairs_officer": "far1"}


def opened(file: pathlib.Path, folder: pathlib.Path, clock: Clock):
    """A bureau on a file; commits do not wait for the disk, which no run of these can outlive."""
    made = bureaus.build(Settings(database=f"sqlite:///{file}", secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files", registry="http://127.0.0.1:9"), clock)
    made.jobs.real_clock = clock
    sql_event.listen(made.office.store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    metadata.create_all(made.office.store.engine)
    return made


class Player(Room):
    """Does what comes next in a case, as those do it whose work it is."""

    def __init__(self, made, clock) -> None:
        super().__init__(made, clock)
        self.scans: dict[int, int] = {}
        with self.office.act() as act:
            for login, posts in {**MANY, "fin": [("finance_officer", "120116")]}.items():
                organisation.add_staff(act, login, f"某{login}", PASSWORD, posts, hashed="unused")
        with self.office.read() as conn:
            self.people |= {login: organisation.find_actor(conn, login) for login in (*MANY, "fin")}

    def home(self, *wages: int, **kind: Any) -> int:
        made = self.household(*wages, **kind)
        self.scans[made] = self.scan
        return made

    def members(self, home: int) -> list[int]:
        with self.office.read() as conn:
            return [m["person_id"] for m in households.members_of(conn, home)] if home else []

    def carry(self, no: str, *until: str, **differ: Any) -> str:
        """Go on until one of these nodes is open, or the case ends. `differ`: other answers to a node, instead of or over the usual;
        a number: which of the known ones."""
        for _ in range(80):
            closed, tasks, run, told = self.standing(no)
            if closed or {t["node"] for t in tasks} & set(until) or (not tasks and "resolution" in run.waits_for()):
                return no
            if tasks:
                self._do_one(tasks[0], told, differ)
            elif "registry_answer" in run.waits_for():
                with self.office.act() as act:
                    self.cases.receive(act, no, "registry_answer", {"status": "complete", "results": []})
            else:
                self.clock.advance(days=8)
                self.bureau.jobs.run_all()
        raise AssertionError(f"{no} does not come to {until}: {self.tasks(no).keys()}")

    def standing(self, no: str) -> tuple[bool, list[Any], Run, Told]:
        """Whether it is closed, its open tasks, where it stands, and what an answer is made from: looked up at once, for worlds have many cases."""
        with self.office.read() as conn:
            row = conn.execute(select(store.record).where(store.record.c.no == no)).mappings().one()
            where = (store.tasks_of(row["id"]), store.task.c.state == "open")
            tasks = list(conn.execute(select(store.task).where(*where).order_by(store.task.c.id)).mappings())
            run = Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock())
            home = run.facts.get("household_id", 0)
            members = [m["person_id"] for m in households.members_of(conn, home)] if home and row["process"] == "change-report-2012" else []
        return row["closed_at"] is not None, tasks, run, Told(row["process"], run.facts, self.office.today().isoformat(), self.scans.get(home, 0), members)

    def usually(self, no: str, node: str) -> None:
        """The usual answers, by who usually does it."""
        _, tasks, _, told = self.standing(no)
        self._do_one(next(t for t in tasks if t["node"] == node), told, {})

    def _do_one(self, task: Any, told: Told, differ: dict[str, Any]) -> None:
        node = task["node"]
        known, other = options(node, told), differ.get(node, 0)
        answers = known[other] if isinstance(other, int) else {**known[0], **other}
        if node == "renew_authorisations":
            with self.office.act(self.people["clerk"]) as act:
                self.sign(act, told.facts["household_id"])
        with self.office.act(self.people[regular(task, told.facts)]) as act:
            done = self.cases.complete(act, task["id"], answers)
        for other in done.get("waits_for_signers", ()):
            with self.office.act(self.people[other]) as act:
                self.bureau.habits.sign(act, task["id"], agrees=True, words="属实")

    def waits(self, no: str) -> set[str]:
        row = self.case(no)
        with self.office.read() as conn:
            return set(Run.load(self.cases.drawing(conn, row["drawing"]), row["state"], self.clock()).waits_for())

    def begin(self, key: str, who: str, **answers: Any) -> str:
        with self.office.act(self.people[who]) as act:
            return self.cases.start(act, key, answers)["case"]

    def application(self, home: int) -> str:
        return self.begin("dibao-2012", "clerk", household_id=home, programme="dibao", applied_on=self.office.today().isoformat(), applied_by="head", reason="困难")

    def in_benefit(self, *homes: int) -> None:
        """Households are granted dibao by the whole procedure, all at about the same time."""
        cases = [self.application(home) for home in homes]
        for node in ("post_street_notice", "post_district_notice"):
            for no in cases:
                self.carry(no, node)
                self.usually(no, node)
        for no in cases:
            self.carry(no)
            assert self.case(no)["outcome"] == "ended_granted", self.case(no)["outcome"]

    def early_review(self, home: int) -> str:
        return self.under_way(home) or self.begin("review-2012", "clerk", household_id=home, occasion="early", note="核实")

    def under_way(self, home: int) -> str | None:
        """The case of the household that a job may have opened."""
        with self.office.read() as conn:
            return conclusions.open_case(conn, home)

    def reports(self, home: int, kind: str, event_on: str = "", **more: Any) -> str:
        if busy := self.under_way(home):
            self.carry(busy)
        day = self.office.today().isoformat()
        return self.begin("change-report-2012", "clerk", household_id=home, kind=kind, event_on=event_on or day, reported_on=day, channel="window",
                          reported_by="household", details="情况变化", **more)  # fmt: skip

    def listed(self, name: str, category: str, amount: int, serial: int) -> int:
        """A household that was in benefit before this system came; nobody of it has signed an authorisation."""
        book, out = Workbook(), io.BytesIO()
        book.active.append(list(annex1.HEADINGS))
        book.active.append([1, name, identity.invent(date(1950, 1, 1), "male", serial), 1, "塘沽街道", "紫云园社区", 0, "无", category, amount, "因病", "属实", ""])
        book.save(out)
        answers = {"hukou_kind": "urban", "review_class": "A", "first_payment_month": "2018-01"}
        with self.office.read() as conn:
            seen = annex1.preview(io.BytesIO(out.getvalue()), conn, self.office.keys.on(conn), self.people["sue"], answers, self.office.today())
        done = bring_in(self.bureau, seen)
        assert not done.errors, done.errors
        [made] = done.homes.values()
        self.scans[made] = paper(self, "clerk", made)
        return made


def regular(task: Any, facts: dict[str, Any]) -> str:
    """Whose work it is as a rule."""
    if task["node"] == "survey_cosign":
        return facts["second_investigator"]
    return (FAR_AWAY if task["unit"].startswith(FAR) else REGULAR).get(task["role"], REGULAR.get(task["role"], "sue"))


# -- three districts


def applications(p: Player) -> None:
    """Cases of the application along the whole road; one household has a relative in office, one is too rich."""
    p.clock.set("2018-10-15T09:00")  # it takes three months: all of it before the standard of 2019, by which nobody computed yet
    at = ["completeness_check", "home_survey", "survey_cosign", "democratic_review", "street_signoff", "submit_to_district", "district_examination", "decide", "deliver_approval"]
    for n, node in enumerate(at):
        p.carry(p.application(p.home(210_000, serial=10 + n)), node)
    refusal = p.carry(p.application(p.home(600_000, serial=30)), "decide_refusal", street_opinion=1, district_examination=1)
    assert "decide_refusal" in p.tasks(refusal)
    p.carry(p.application(p.home(600_000, serial=29)), "deliver_refusal", street_opinion=1, district_examination=1)
    p.carry(p.application(p.home(276_300, serial=31, last={"disability_kind": "limb", "disability_grade": 2})), "low_income_consent")
    p.carry(p.application(p.home(900_000, serial=32)), "issue_check_rejection", means_check=4)
    p.carry(p.application(p.home(900_000, serial=28)), "deliver_check_rejection", means_check=4)
    p.carry(p.application(p.home(210_000, serial=33)), "supplement", completeness_check=1)
    related = p.home(100_000, serial=34)
    with p.office.read() as conn:
        row = households.members_of(conn, related)[0]
        number = p.office.keys.on(conn).reveal("person", "id_no", row["person_id"], row["id_no"])
    with p.office.act() as act:
        organisation.declare_relative(act, RELATIVE, "sibling", "张一", number)
    p.application(related)
    p.application(p.home(210_000, serial=35, near_relative_declared=True))
    late = p.home(210_000, serial=27)  # its relative comes out when the district has received the file
    no = p.carry(p.application(late), "post_district_notice")
    with p.office.act(p.people["clerk"]) as act:
        households.declare_near_relative(act, late, {"staff_name": "某某", "relation": "sibling"})
    p.carry(no, "late_spot_check_visit")
    for n, (post, left) in enumerate((("post_street_notice", "street"), ("post_district_notice", "district"))):
        no = p.carry(p.application(p.home(210_000, serial=36 + n)), post)
        p.usually(no, post)
        objected = p.carry(p.application(p.home(210_000, serial=40 + n)), post)
        p.usually(objected, post)
        with p.office.act(p.people["clerk"]) as act:
            p.cases.receive(act, objected, "objection", OBJECTION | {"objection_on": p.office.today().isoformat()})
        assert {"street": "street_reinvestigate", "district": "district_recheck"}[left] in p.tasks(objected)
        if left == "street":  # files that others objected to are always visited
            visited = p.carry(p.application(p.home(210_000, serial=44)), post)
            p.usually(visited, post)
            with p.office.act(p.people["clerk"]) as act:
                p.cases.receive(act, visited, "objection", OBJECTION | {"objection_on": p.office.today().isoformat()})
            p.carry(visited, "spot_check_visit")
    for n in range(3):  # households that have not applied yet
        p.home(150_000 + 60_000 * n, serial=50 + n)


def benefits(p: Player) -> None:
    """Households in benefit: reviews and reports along their roads."""
    p.clock.set("2018-09-03T09:00")
    homes = [p.home(members=family(150_000, 0, 0, serial=300 + 10 * n)) for n in range(18)]  # the last two without a case
    changed = p.home(members=family(150_000, 0, 0, serial=490))
    unchanged = p.home(members=family(150_000, 0, 0, serial=480))
    alone = [p.home(serial=60 + n, n=1) for n in range(2)]
    p.in_benefit(*homes, *alone, changed, unchanged)
    poor = [p.listed(name, "特困（分散）", 1158, 700 + n) for n, name in enumerate(("何甲", "何乙", "何丙"))]
    p.clock.set(max("2018-12-03T09:00", f"{p.clock.now:%Y-%m-%dT%H:%M}"))
    p.bureau.jobs.run_all()
    p.carry(p.early_review(changed), "deliver_conclusion", means_check=5)
    for home, node in zip(homes, ("contact_household", "home_survey", "street_opinion", "decide", "recovery_plan", "second_contact"), strict=False):
        differ = {"means_check": 5} if node == "decide" else {"street_opinion": 6} if node == "recovery_plan" else {"contact_household": 1} if node == "second_contact" else {}
        p.carry(p.early_review(home), node, **differ)
    died = p.carry(p.early_review(alone[0]), "street_opinion", contact_household=3)
    assert p.facts_of(died)["contact_outcome"] == "died"
    p.carry(p.early_review(poor[0]), "renew_authorisations")
    p.carry(p.early_review(poor[1]), "post_stop_notice", street_opinion=2)
    posted = p.carry(p.early_review(poor[2]), "post_stop_notice", street_opinion=2)
    p.usually(posted, "post_stop_notice")
    for home, (kind, day, node, differ) in zip(homes[6:], (
        ("income_up", "", "register_change", {}), ("move_out", "", "receive_transfer", {}), ("income_up", "2018-10-12", "recovery_plan", {"register_change": 4}),
        ("death", "", "street_opinion", {}), ("income_down", "", "survey_cosign", {}), ("income_up", "", "supplement", {"register_change": 1}),
        ("move_out", "", "deliver_transfer", {}), ("income_up", "", "decide", {"register_change": 4}), ("income_down", "", "home_survey", {}),
        ("income_up", "", "means_check", {})), strict=False):  # fmt: skip
        more = {"person_id": p.members(home)[-1]} if kind == "death" else {}
        no = p.reports(home, kind, day, **more)
        p.carry(no, node, **differ)
    p.carry(p.reports(alone[1], "other", wants_exit=True), "deliver_conclusion")
    day = p.office.today().isoformat()
    p.begin("change-report-2012", "clerk", household_id=unchanged, kind="no_change", reported_on=day, channel="window", reported_by="household", details="没有变化")  # ends at once


def meeting(p: Player) -> None:
    """Cases that wait for the joint meeting; meetings at every stage."""
    asked = []
    for n in range(8):
        no = p.carry(p.application(p.home(n=2, serial=70 + n, last={"income": [{"kind": "transfer_income", "amount_fen": 189_000, "period": "month"}]})),
                     street_opinion=2)  # fmt: skip
        assert "resolution" in p.waits(no), p.tasks(no)
        asked.append(no)
    p.in_benefit(home := p.home(members=family(150_000, 0, 0, serial=400)))
    p.carry(p.early_review(home), street_opinion=-1)
    requests = p.requests()
    planned = p.office.today().isoformat()
    p.convene(*requests[:2], planned_on=planned)  # waits for its screening
    approved = p.convene(requests[2], planned_on=planned)
    p.screen()
    assert "approve_agenda" in p.tasks(approved)
    p.convene(*requests[3:5], planned_on=planned)
    p.screen()
    p.approve()
    p.open()
    held = p.convene(requests[5], planned_on=planned)
    p.screen()
    p.approve()
    p.open()
    p.all_vote()
    p.announce("approve_as", approved_category="low_income")
    p.step("secretary", "draft_minutes")
    assert not p.tasks(held)
    p.confirm("finance")
    p.convene(requests[6], planned_on=planned)
    p.screen()
    p.approve()


WORLDS: dict[str, Callable[[Player], None]] = {"applications": applications, "benefits": benefits, "meeting": meeting}


class Rows:
    """What the records of a district add up to, kept so that a run builds anew only what it changed: entries are only ever added, and a
    record with the same head has the same entries. Otherwise like `processes.rebuild.differences`, which is asked once."""

    def __init__(self, office: Office) -> None:
        assert rebuild.differences(office) == []
        self.heads: dict[int, str] = {}
        self._built: dict[int, tuple[Any, set[Any]]] = {}
        with office.read() as conn:
            keys = office.keys.on(conn)
            for row in conn.execute(_HEADS):
                self.heads[row.id], self._built[row.id] = row.head, _built(conn, keys, row.id)

    def differences(self, office: Office) -> list[str]:
        with office.read() as conn:
            keys = office.keys.on(conn)
            whole: dict[str, dict[int, Any]] = {}
            gone: set[Any] = set()
            for row in conn.execute(_HEADS).all():
                built, erased = self._built[row.id] if self.heads.get(row.id) == row.head else _built(conn, keys, row.id)
                gone |= erased
                for table, rows in built.items():
                    whole.setdefault(table, {}).update(rows)
            return [line for name in sorted(whole) for line in rebuild._compare(conn, keys, metadata.tables[name], whole[name], gone)]


def proved(office: Office, cases: Any) -> None:
    """Every case of a district has its seals, and does not differ when it is done again: what no run changes is not proved again."""
    with office.read() as conn:
        for row in conn.execute(select(store.record).where(store.record.c.kind == "case")).mappings().all():
            entries = history(conn, office.keys.on(conn), row["id"])
            assert seals_hold(entries) is None
            assert (entries[-1].leaf, len(entries)) == (row["head"], row["seq"])
            assert len(cases.replayed(conn, office.keys.on(conn), row["id"])) == len(entries)


_HEADS = select(store.record.c.id, store.record.c.head).order_by(store.record.c.id)


def _built(conn: Any, keys: Any, record_id: int) -> tuple[Any, set[Any]]:
    built, erased, spoiled = {}, set(), []
    rebuild._build(conn, keys, record_id, built, erased, spoiled)
    assert spoiled == []
    return built, erased


class Worlds:
    """The files, and what is to be known of them: the day, the scanned pages of each household, the rows."""

    def __init__(self, folder: pathlib.Path, *names: str) -> None:
        self.folder, self.at, self.scans, self.last, self.rows = folder, {}, {}, {}, {}
        for name in names or WORLDS:
            build = WORLDS[name]
            p = Player(opened(folder / f"{name}.work.sqlite", folder, clock := Clock()), clock)
            build(p)
            self.at[name], self.scans[name] = p.clock.now.isoformat(), dict(p.scans)
            proved(p.office, p.cases)
            self.rows[name] = Rows(p.office)
            p.office.store.close()
            with sqlite3.connect(folder / f"{name}.work.sqlite") as conn:
                self.last[name] = dict(conn.execute("SELECT id, seq FROM record WHERE kind = 'case'").fetchall())
                conn.execute("VACUUM INTO ?", (str(folder / f"{name}.sqlite"),))


MEMBERS = {f"m.{key}": code for code, key in KEY.items()}  # in the tests' meeting room
