"""The demo: a living district from 2018-11-19 to 2018-12-20, or through the whole campaign to 2019-02-28, made by scripted staff through the engine's own verbs."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click
from sqlalchemy import Connection, String, and_, bindparam, or_, select
from tqdm import tqdm
from werkzeug.serving import make_server

from engine import incidents, store
from engine.clock import BusinessClock
from engine.errors import EngineError, Invalid, NotWaiting, Refused
from engine.model import SHANGHAI, Actor
from engine.prepared import Prepared
from engine.queries import SORTS
from processes import bureau as bureaus
from processes import calendar, complaints, documents, households, identity, investigation, leads, organisation, schema
from processes.case_tables import notice
from processes.screening_forms import CASE
from processes.tables import staff
from web import demo_facilities, demo_help, demo_intakes, demo_ledger, demo_training, sequencer
from web.demo_benefits import ANSWERS as OF_BENEFITS
from web.demo_benefits import Benefits, facts_of
from web.demo_campaign import Campaign
from web.demo_festival import Festival
from web.demo_meetings import Meetings
from web.demo_meetings import people as meeting_people
from web.demo_notifications import Notifications
from web.demo_payments import Payments
from web.demo_programmes import Programmes
from web.demo_public import Public
from web.demo_screening import Screening
from web.demo_tips import Tips
from web.registry import DOWN, create_registry
from web.settings import Settings

FIRST, LAST = date(2018, 11, 19), date(2018, 12, 20)
CAMPAIGN_LAST = date(2019, 2, 28)
# What happens beside applications, reviews, reports and meetings: each has begin(d) and day(d, day).
PARTS: tuple[Callable[[], Any], ...] = (
    Campaign, Public, Payments, Festival, Screening, Notifications, lambda: demo_training, lambda: demo_facilities, lambda: demo_intakes, Tips, Programmes,
    lambda: demo_ledger,  # last: it keeps what the day came to
)  # fmt: skip
PASSWORD = "binhai-2018"  # noqa: S105 - printed for everybody who runs the demo
_KNOWN_LATE = 4
_OBJECTIONS, _EXCEEDING = 0.03, 0.05  # of notices a day, of checks
_SURNAMES = "张王李赵刘陈杨黄周吴徐孙马朱胡郭何林高罗"
_GIVEN = ["建国", "秀英", "志强", "桂兰", "海燕", "德福", "玉梅", "永生", "春花", "立新", "国庆", "淑珍", "小军", "晓红", "宝山", "文静", "长顺", "美玲", "金生", "翠兰"]
_BORN = date(1971, 1, 1)
STREETS, TEAMS = 26, 4  # all streets and zones; the staff of a team hold their posts in each of its six or seven
_SCAN = b"%PDF-1.4\n% a signature page of the demo\n"


class DemoClock:
    """Moved by the script while the demo is being made."""

    def __init__(self) -> None:
        self.now = datetime.combine(FIRST, time(8, 30), SHANGHAI)

    def __call__(self) -> datetime:
        return self.now

    def offset(self) -> timedelta:
        """How far it stands from the real time, which the entries carry, too."""
        return self.now - datetime.now(UTC)


@dataclass
class District:
    made: bureaus.Bureau
    clock: DemoClock
    chance: random.Random
    actors: dict[str, Actor] = field(default_factory=dict)
    streets: list[tuple[str, str]] = field(default_factory=list)  # (street, community) where people live
    scans: dict[int, int] = field(default_factory=dict)
    meetings: Meetings | None = None
    benefits: Benefits | None = None
    last: date = LAST
    parts: list[Any] = field(default_factory=list)
    known_late: int = 0  # households whose near relative came out when the district had received the file
    left: dict[str, int] = field(default_factory=dict)  # node -> the task that nobody ever does, so that every step has open work

    def by_role(self, role: str, unit: str) -> list[Actor]:
        return [a for a in self.actors.values() if a.holds(role, unit)]

    def page(self, who: Actor, household_id: int, scan: bytes) -> None:
        """A household's signed page, which all its papers share."""
        staged = documents.stage(self.made.office, who, self.made.settings.files, household_id, io.BytesIO(scan))
        with self.made.office.act(who) as act:
            self.scans[household_id] = documents.keep(act, staged, "signature", "签字页")


def run(settings: Settings, *, households: int, seed: int, serve: bool, port: int | None, campaign: bool = False) -> None:
    if settings.production:
        raise click.ClickException("the demo is never made in a production database")
    schema.upgrade(settings.database)
    if not _made_already(settings):
        fill(settings, households, seed, CAMPAIGN_LAST if campaign else LAST)
    _accounts(settings)
    if not serve:
        sequencer.apart(settings)
    else:
        from web.serving import run as serve_now

        with registries() as address:
            serve_now(replace(settings, registry=address), settings.host, port or settings.port)


def _made_already(settings: Settings) -> bool:
    made = bureaus.build(settings)
    bureaus.refuse_other_key(made)
    with made.office.read() as conn:
        return organisation.staff_count(conn) > 0


def fill(settings: Settings, count: int, seed: int, last: date = LAST) -> None:
    """Make the district. Fast because nothing waits for the disk until the end: a demo may be made again."""
    clock = DemoClock()
    with registries() as address:
        made = bureaus.build(replace(settings, registry=address), clock)
        made.jobs.real_clock = clock  # retries come due with the demo's days
        _fill(made, clock, count, seed, last)


def _fill(made: bureaus.Bureau, clock: DemoClock, count: int, seed: int, last: date) -> None:
    district = District(made, clock, random.Random(seed), last=last)  # noqa: S311 - a demo, the same every time
    with _relaxed(made):
        _people(district)
        days = (last - FIRST).days + 1
        ids = _households(district, count)
        district.parts = [make() for make in PARTS]
        for part in district.parts:
            part.begin(district)
        with tqdm(total=days, desc=f"{FIRST} … {last}", disable=None, unit="day") as bar:
            for n in range(days):
                day = FIRST + timedelta(days=n)
                done = calendar.workdays_between(FIRST - timedelta(days=1), day)
                begun = calendar.workdays_between(FIRST - timedelta(days=1), day - timedelta(days=1))
                whole = calendar.workdays_between(FIRST - timedelta(days=1), last)
                _a_day(district, day, ids[begun * len(ids) // whole : done * len(ids) // whole])
                bar.update()
        demo_help.fill(district, ids)
        _claims(district)
    BusinessClock(made.office.store).set(clock.now + timedelta(minutes=5))  # after the last act, or what comes next would stand before it


def _claims(d: District) -> None:
    """On the last morning about half of the open work lies with somebody: the first tab of the task list is not empty."""
    with d.made.office.read() as conn:
        free = conn.execute(select(store.task).where(store.is_free).order_by(store.task.c.id)).mappings().all()
    for n, row in enumerate(free):
        able = d.by_role(row["role"], row["unit"])
        if n % 2 or not able:
            continue
        for who in (able[n // 2 % len(able)], *able):
            with contextlib.suppress(EngineError), d.made.office.act(who) as act:
                d.made.cases.claim(act, row["id"])
                break


@contextlib.contextmanager
def registries(port: int = 0) -> Iterator[str]:
    """The bundled registries on a port of this machine: the demo asks them over HTTP like everybody."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, create_registry(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@contextlib.contextmanager
def _relaxed(made: bureaus.Bureau) -> Iterator[None]:
    """On SQLite, commits of the demo do not wait for the disk one by one."""
    from sqlalchemy import event

    engine = made.office.store.engine

    def relax(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    if made.office.store.sqlite:
        engine.dispose()
        event.listen(engine, "connect", relax)
    yield
    if made.office.store.sqlite:
        event.remove(engine, "connect", relax)
        engine.dispose()


def _people(d: District) -> None:
    """About sixty staff: the district's, and four teams who hold the posts of all streets and zones and of two communities in each."""
    with d.made.office.act() as act:
        organisation.seed(act)
    communities: dict[str, list[str]] = {}
    for row in organisation.divisions():
        if row["level"] == "community":
            communities.setdefault(row["code"][:9], []).append(row["code"])
    chosen = sorted(communities)[:STREETS]
    wanted: list[tuple[str, str, list[tuple[str, str]]]] = []
    for role, n in (("means_checker", 3), ("district_examiner", 4), ("spot_checker", 3), ("approver", 3), ("supervisor", 2), ("auditor", 1), ("admin", 2), ("complaint_officer", 1), ("finance_officer", 1)):  # fmt: skip
        wanted += [(f"{_SHORT[role]}{i}", role, [(role, organisation.DISTRICT)]) for i in range(1, n + 1)]
    for s in range(1, TEAMS + 1):
        theirs = chosen[len(chosen) * (s - 1) // TEAMS : len(chosen) * s // TEAMS]
        for role, n in (("window_clerk", 2), ("investigator", 3), ("civil_affairs_officer", 1), ("reviewer", 2), ("street_leader", 1)):
            wanted += [(f"{_SHORT[role]}{s}{i}", role, [(role, street) for street in theirs]) for i in range(1, n + 1)]
        wanted += [(f"village{s}{c}", "village_committee", [("village_committee", communities[street][c - 1]) for street in theirs]) for c in (1, 2)]
        d.streets += [(street, community) for street in theirs for community in communities[street][:2]]
    hashed = organisation.hash_password(PASSWORD)  # once: a good hash is slow on purpose
    with d.made.office.act() as act:
        for n, (login, role, posts) in enumerate(wanted):
            name = _SURNAMES[n % len(_SURNAMES)] + _GIVEN[(n * 7 + 3) % len(_GIVEN)]
            organisation.add_staff(act, login, name, PASSWORD, posts, hashed=hashed)
            del role
    with d.made.office.read() as conn:
        for login, _, _ in wanted:
            actor = organisation.find_actor(conn, login)
            if actor is not None:
                d.actors[login] = actor
    names = [_SURNAMES[n % len(_SURNAMES)] + _GIVEN[(n * 3 + 1) % len(_GIVEN)] for n in range(60)]
    d.benefits = Benefits(d)
    d.benefits.begin(lambda n: names[n % len(names)], _SCAN)
    d.meetings = Meetings(d.made, random.Random(d.chance.random()), meeting_people(d.made, PASSWORD, names.__getitem__))  # noqa: S311


_SHORT = {
    "means_checker": "checker", "district_examiner": "examiner", "spot_checker": "spot", "approver": "approver", "supervisor": "supervisor",
    "auditor": "auditor", "admin": "admin", "complaint_officer": "complaint", "finance_officer": "finance", "window_clerk": "clerk",
    "investigator": "investigator", "civil_affairs_officer": "officer", "reviewer": "reviewer", "street_leader": "leader"}  # fmt: skip


def _households(d: District, count: int) -> list[int]:
    """Invented households; the IDs have a division that was never allotted."""
    found = []
    for n in tqdm(range(count), desc="households", disable=None):
        street, community = d.streets[n % len(d.streets)]
        clerk = d.by_role("window_clerk", street)[0]
        with d.made.office.act(clerk) as act:
            household_id = households.register(act, _household(d, n, community))
        d.page(clerk, household_id, _SCAN)
        with d.made.office.act(clerk) as act:
            if d.chance.random() < 0.95:
                for person_id in households.missing_authorisations(act.conn, household_id, act.today):
                    households.authorise(act, household_id, person_id, act.today.isoformat(), "2019-11-18", d.scans[household_id])
            if n % 20 == 7:
                relation = {"staff_name": "某工作人员", "position": "居委会委员", "relation": "sibling"}
                households.declare_near_relative(act, household_id, relation)
        found.append(household_id)
    return found


def _household(d: District, n: int, community: str) -> dict[str, Any]:
    roll = d.chance
    head_sex = roll.choice(["male", "female"])
    surname = _SURNAMES[n % len(_SURNAMES)]
    members = [_member(roll, surname, n * 4, roll.randint(32, 66), head_sex, "head")]
    if roll.random() < 0.7:
        members.append(_member(roll, roll.choice(_SURNAMES), n * 4 + 1, roll.randint(30, 64), "female" if head_sex == "male" else "male", "spouse"))
    if roll.random() < 0.6:
        child = _member(roll, surname, n * 4 + 2, roll.randint(5, 17), roll.choice(["male", "female"]), "child")
        members.append({**child, "employment": "student", "full_time_student": True, "income": []})
    wage = roll.choice([0, 0, 205_000, 210_000, 230_000, 260_000, 300_000])
    if n % 20 == 2:  # a registry that stays away: the bundled one goes by two digits of the number
        born = _BORN + timedelta(days=n)  # of one day of birth only ten numbers have those digits
        serial = next(s for s in range(n * 4 + 3, n * 4 + 503) if identity.invent(born, "male", s)[-3:-1] == DOWN)
        members[0]["id_no"] = identity.invent(born, "male", serial)
    members[0] |= {"employment": "employed" if wage else "unemployed", "income": [{"kind": "wage_income", "amount_fen": wage, "period": "month"}] if wage else []}
    if n % 9 == 4:
        members[-1] |= {"disability_kind": "limb", "disability_grade": 2}
    assets = roll.choice([0, 120_000, 500_000, 1_800_000])
    return {
        "community": community, "hukou_kind": "urban", "address": f"演示路{n + 1}号", "phone": f"138{n:08d}", "members": members,
        "bank_account": f"6222{n:012d}", "bank_holder": members[0]["name"], "hardship_cause": roll.choice(["因病", "因残", "失业", "因学", "年老"]),
        "property": [{"kind": "monetary_assets", "amount_fen": assets}] if assets else [],
    }  # fmt: skip


def _member(roll: random.Random, surname: str, serial: int, age: int, sex: str, relation: str) -> dict[str, Any]:
    born = date(2018 - age, roll.randint(1, 12), roll.randint(1, 28))
    return {"name": surname + roll.choice(_GIVEN), "id_no": identity.invent(born, sex, serial), "relation": relation, "employment": "none",
            "labour_ability": roll.choice(["full", "full", "partly_lost", "completely_lost"]), "income": []}  # fmt: skip


# -- a day of work


def _a_day(d: District, day: date, applying: list[int]) -> None:
    d.clock.now = datetime.combine(day, time(0, 10), SHANGHAI)
    d.made.jobs.run_all()
    if calendar.is_workday(day):
        _a_working_day(d, day, applying)
    d.clock.now = max(d.clock.now, datetime.combine(day, time(16, 0), SHANGHAI))
    for part in d.parts:
        part.day(d, day)


def _a_working_day(d: District, day: date, applying: list[int]) -> None:
    d.clock.now = datetime.combine(day, time(9, 0), SHANGHAI)
    for household_id in applying:
        _apply(d, household_id, day)
    _object(d, day)
    _comes_out(d)
    _skip_incidents(d)
    if d.benefits is not None:
        d.benefits.day(day)
    if d.meetings is not None:
        d.meetings.day(day)
    for hour, login in enumerate(sorted(d.actors)):
        d.clock.now = datetime.combine(day, time(9, 30), SHANGHAI) + timedelta(minutes=5 * hour)
        _work(d, d.actors[login], day)


def _skip_incidents(d: District) -> None:
    """A supervisor lets cases go on without registries that stay away; the oldest incident waits, so that there is one to see."""
    boss = next(a for a in d.actors.values() if "supervisor" in a.roles)
    with d.made.office.read() as conn:
        found = incidents.listed(conn, boss.areas, 1, 100).items
    for row in found[1:]:
        with d.made.office.act(boss) as act:
            verb = "skip" if row["kind"] == "means_check" else "retry"
            incidents.decide(act, d.made.jobs, d.made.cases.refuse_relatives, row["id"], verb, "相关部门接口停用，改由人工核对。" if verb == "skip" else "")


def _object(d: District, day: date) -> None:
    """Now and then somebody reads a notice and objects."""
    with d.made.office.read() as conn:
        rows = conn.execute(select(notice.c.case_no, notice.c.street).where(notice.c.removed_on.is_(None)).order_by(notice.c.id)).all()
    for row in rows:
        if d.chance.random() > _OBJECTIONS:
            continue
        clerk = d.by_role("window_clerk", row.street)[0]
        said = {"objection_on": day.isoformat(), "objector_kind": d.chance.choice(["resident", "anonymous", "applicant"]), "grounds": "反映该户有其他收入，请复查。"}
        with contextlib.suppress(Refused, Invalid, NotWaiting), d.made.office.act(clerk) as act:
            d.made.cases.receive(act, row.case_no, "objection", said)


def _comes_out(d: District) -> None:
    """A few near relatives become known when the district has received the file already: it is visited before the decision."""
    waiting = select(store.record.c.subject).join(store.task, store.task.c.case_id == store.record.c.id).where(store.is_open, store.task.c.node == "post_district_notice")
    with d.made.office.read() as conn:
        homes = [int(subject.partition(":")[2]) for subject in conn.scalars(waiting.order_by(store.task.c.id))]
    for home in homes if d.known_late < _KNOWN_LATE else ():
        facts = facts_of(d, home)
        if not facts.get("spot_check") and not facts.get("near_relative") and d.known_late < _KNOWN_LATE:
            with d.made.office.act(d.by_role("window_clerk", _street(d, home))[0]) as act:
                if not households.near_relative_known(act.conn, home):
                    households.declare_near_relative(act, home, {"staff_name": "某干部", "position": "居委会委员", "relation": "child"})
                    d.known_late += 1


def _apply(d: District, household_id: int, day: date) -> None:
    clerk = d.by_role("window_clerk", _street(d, household_id))[d.chance.randint(0, 1)]
    answers = {"household_id": household_id, "programme": "dibao", "applied_on": day.isoformat(), "applied_by": "head", "reason": "家庭收入低，生活困难，申请救助。"}
    with contextlib.suppress(Refused), d.made.office.act(clerk) as act:  # refused: visitors or a lead have brought it to the window before
        d.made.cases.start(act, "dibao-2012", answers)


def _work(d: District, actor: Actor, day: date) -> None:
    """Do most of what this person can do today; some is left, so that every step has open work and some is late."""
    with d.made.office.read() as conn:
        todo = _todo(conn, actor)
    for row in todo:
        if row["process"] in (complaints.KEY, leads.KEY, CASE):  # worked by web.demo_tips and web.demo_screening
            continue
        if d.left.setdefault(row["node"], row["id"]) == row["id"] or d.chance.random() < _LAZY.get(row["node"], 0.25) or _forgotten(row):
            continue
        answers = OF_BENEFITS.get((row["process"], row["node"])) or _ANSWERS.get(row["node"])
        if answers is None:
            continue
        household_id = int(row["subject"].partition(":")[2])
        with contextlib.suppress(Refused):
            _do(d, actor, row, answers(d, actor, household_id, day.isoformat()))


def _todo(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    """What lies with somebody, then what he could claim, the most pressing first, as in his list; the lists themselves would take a sixth of the demo's time."""
    roles = sorted(actor.roles)
    if len(roles) > _ROLES:
        raise ValueError(f"{actor.id} has more than {_ROLES} posts")
    found = _OPEN.rows(conn, {"the_who": actor.id, **{f"role_{n}": roles[min(n, len(roles) - 1)] for n in range(_ROLES)}})
    mine = [row for row in found if row["assignee"]]
    return mine[:40] + [row for row in found if not row["assignee"] and actor.holds(row["role"], row["unit"])][:40]


def _forgotten(row: Mapping[str, Any]) -> bool:
    """Some work is never done: so that every step has open tasks, and some of them are late."""
    steps = [*_ANSWERS, *(node for _, node in OF_BENEFITS if node not in _ANSWERS)]
    return (row["case_id"] * 31 + steps.index(row["node"]) * 7) % 23 == 0 if row["node"] in steps else True


def _do(d: District, actor: Actor, row: Mapping[str, Any], answers: dict[str, Any]) -> None:
    field, _ = investigation.PAPERS.get(row["node"], ("", ""))
    pages = {field: d.scans[int(row["subject"].partition(":")[2])]} if field else {}
    with contextlib.suppress(Invalid), d.made.office.act(actor) as act:
        d.made.cases.complete(act, row["id"], pages | answers)


_ROLES = 6
_NOBODYS = and_(store.task.c.assignee.is_(None), store.task.c.role.in_([bindparam(f"role_{n}", type_=String) for n in range(_ROLES)]))
_OPEN = Prepared(
    select(*(store.task.c[name] for name in ("id", "case_id", "node", "role", "unit", "assignee")), store.record.c.process, store.record.c.subject)
    .join(store.record, store.record.c.id == store.task.c.case_id)
    .where(store.is_open, or_(store.task.c.assignee == bindparam("the_who", type_=String), _NOBODYS)).order_by(*SORTS["due"]))  # fmt: skip
_LAZY = {"home_survey": 0.45, "democratic_review": 0.4, "decide": 0.4, "means_check": 0.3, "supplement": 0.6,
         "register_near_relative": 0.5, "deliver_refusal": 0.5, "deliver_approval": 0.4}  # fmt: skip

Answer = Callable[[District, Actor, int, str], dict[str, Any]]


def _street(d: District, household_id: int) -> str:
    with d.made.office.read() as conn:
        return str(households.row(conn, household_id)["street"])


def _survey(d: District, actor: Actor, household_id: int, day: str) -> dict[str, Any]:
    others = [a.id for a in d.by_role("investigator", _street(d, household_id)) if a.id != actor.id]
    return {"surveyed_on": day, "second_investigator": d.chance.choice(others), "met_person": "申请人本人", "housing": "自有住房一套，约50平方米",
            "living": "陈设简单，水电正常", "findings": "所见与申报基本一致。", "surveyed_signature": d.scans[household_id]}  # fmt: skip


def _check(d: District, _actor: Actor, _household: int, _day: str) -> dict[str, Any]:
    if d.chance.random() < _EXCEEDING:
        return {"check_conclusion": "exceeds_standard", "report": "名下存款超过申报。", "found_assets": "90000.00"}
    return {"check_conclusion": "consistent", "report": "各来源信息与申报一致。"}


def _completeness(d: District, _actor: Actor, household_id: int, _day: str) -> dict[str, Any]:
    with d.made.office.read() as conn:
        lacking = households.missing_authorisations(conn, household_id, d.made.office.today())
    if lacking or d.chance.random() < 0.08:
        return {"outcome": "incomplete", "missing": ["authorization"]}
    return {"outcome": "complete"}


def _supplement(d: District, actor: Actor, household_id: int, day: str) -> dict[str, Any]:
    with d.made.office.act(actor) as act:
        for person_id in households.missing_authorisations(act.conn, household_id, act.today):
            households.authorise(act, household_id, person_id, day, "2019-11-18", d.scans[household_id])
    return {"received_on": day, "supplied": ["authorization"]}


def _review(d: District, _actor: Actor, _household: int, day: str) -> dict[str, Any]:
    people = [{"name": "居委会主任", "kind": "party_or_committee", "signed": True}, {"name": "街道干部", "kind": "street_staff", "signed": True}]
    people += [{"name": f"居民代表{n}", "kind": "resident_representative", "signed": True} for n in range(1, 6)]
    verdict = "re_survey" if d.chance.random() < 0.04 else "agree"
    return {"held_on": day, "place": "居委会会议室", "chair": "居委会主任", "participants": people, "statements": "评议认为调查情况属实。", "review_conclusion": verdict}


def _opinion(d: District, _actor: Actor, household_id: int, _day: str) -> dict[str, Any]:
    if _category(d, household_id) in ("dibao", "low_income"):
        # In the last week one goes there in any case: a small demo, too, has a meeting with an agenda.
        late = d.clock.now.date() >= d.last - timedelta(days=3) and d.meetings is not None and not d.meetings.has_work()
        outcome = "joint_meeting" if d.chance.random() < 0.06 or late else "propose_grant"
        meeting = {"trigger": "data_conflict", "special_facts": "核对与实际不符。", "wish": "请研究认定。"} if outcome == "joint_meeting" else {}
        return {"street_outcome": outcome, "opinion": "情况属实，拟同意。", **meeting}
    return {"street_outcome": "propose_refuse", "opinion": "人均收入高于标准，拟不同意。", "reason_code": "income_over", "clause": "民发〔2012〕220号第四条"}


def _examination(d: District, _actor: Actor, household_id: int, _day: str) -> dict[str, Any]:
    if _category(d, household_id) in ("dibao", "low_income"):
        return {"district_outcome": "propose_grant", "opinion": "材料齐全，程序合规，拟批准。"}
    return {"district_outcome": "propose_refuse", "opinion": "不符合条件。", "reason_code": "income_over", "clause": "民发〔2012〕220号第四条"}


def _category(d: District, household_id: int) -> str | None:
    from engine.bpmn import Run

    row = store.record
    with d.made.office.read() as conn:
        found = conn.execute(select(row).where(row.c.subject == f"household:{household_id}", row.c.kind == "case", row.c.process != CASE)).mappings().first()
        run = found and Run.load(d.made.cases.drawing(conn, found["drawing"]), found["state"], d.clock.now)
    return run.facts.get("category") if run else None


_ANSWERS: dict[str, Answer] = {
    "completeness_check": _completeness,
    "supplement": _supplement,
    "register_near_relative": lambda d, _a, h, _day: {"staff_login": d.by_role("reviewer", _street(d, h))[-1].id, "position": "街镇审核人", "relation": "sibling"},
    "means_check": _check,
    "issue_check_rejection": lambda *_: {"reasons": "核对发现的货币财产超过规定限额。"},
    "district_recheck": lambda _d, _a, _h, _day: {"findings": "异议不成立。", "district_outcome": "propose_grant"},
    "home_survey": _survey,
    "survey_cosign": lambda *_: {"agree": "agree"},
    "neighbor_enquiry": lambda _d, _a, _h, day: {"enquired_on": day, "neighbors": [
        {"name": "对门邻居", "lives": "同楼层对门", "statement": "常年有人生病，生活确有困难。"}, {"name": "楼下邻居", "lives": "同单元楼下", "statement": "没有见过其他收入来源。"}]},
    "low_income_consent": lambda d, _a, h, day: {"low_income_consent": True, "signed_on": day, "signed_document": d.scans[h]},
    "democratic_review": _review,
    "street_opinion": _opinion,
    "street_signoff": lambda *_: {"signoff": "agree", "opinion": "同意审核意见。"},
    "post_street_notice": lambda _d, _a, _h, day: {"posted_on": day, "places": ["village_board", "street_hall"]},
    "remove_street_notice": lambda _d, _a, _h, day: {"removed_on": day, "objections": "none"},
    "street_reinvestigate": lambda _d, _a, _h, day: {"investigated_on": day, "findings": "异议不成立。", "upheld": False, "figures_changed": False},
    "submit_to_district": lambda *_: {"contents": ["application", "survey", "review", "opinion"]},
    "spot_check_visit": lambda _d, _a, _h, day: {"visited_on": day, "second_visitor": "同行干部", "findings": "与街镇调查一致。", "agrees": True},
    "late_spot_check_visit": lambda _d, _a, _h, day: {"visited_on": day, "second_visitor": "同行干部", "findings": "与街镇调查一致。", "late_agrees": True},
    "district_examination": _examination,
    "post_district_notice": lambda _d, _a, _h, day: {"posted_on": day, "places": ["village_board", "web"]},
    "remove_district_notice": lambda _d, _a, _h, day: {"removed_on": day, "objections": "none"},
    "decide": lambda *_: {"decision": "granted", "opinion": "批准。"},
    "decide_refusal": lambda *_: {"decision": "refused", "opinion": "不予批准。", "reason_code": "income_over", "clause": "民发〔2012〕220号第四条"},
    "deliver_approval": lambda d, _a, h, day: {"delivered_on": day, "method": "direct", "recipient": "申请人", "receipt_document": d.scans[h]},
    "deliver_check_rejection": lambda d, _a, h, day: {"delivered_on": day, "method": "direct", "recipient": "申请人", "receipt_document": d.scans[h]},
    "deliver_refusal": lambda d, _a, h, day: {"delivered_on": day, "method": "direct", "recipient": "申请人", "receipt_document": d.scans[h]},
}


def _accounts(settings: Settings) -> None:
    made = bureaus.build(settings)
    with made.office.read() as conn:
        shown: dict[str, tuple[str, str]] = {}
        others: dict[str, list[str]] = {}
        for person in organisation.colleagues(conn):
            if shown.setdefault(person["role"], (person["login"], organisation.unit_name(conn, person["unit"])))[0] != person["login"]:
                others.setdefault(person["role"], []).append(person["login"])
        total = conn.scalar(select(staff.c.id).order_by(staff.c.id.desc()).limit(1))
    click.echo(f"\n密码 / password: {PASSWORD}   ({'demo' if total else 'empty'} database)")
    for role, (login, place) in shown.items():
        more = sorted({*others.get(role, ())})
        click.echo(f"  {login:<16} {organisation.ROLES[role][0]}（{place}）" + ("；另有 " + more[0] + (f" 等 {len(more)} 人" if more[1:] else "") if more else ""))
    click.echo(f"  {datetime.now(UTC):%H:%M} UTC, business clock {made.office.clock().astimezone(SHANGHAI):%Y-%m-%d %H:%M}")


