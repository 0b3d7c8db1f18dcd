"""Puts the parts together: one Bureau is a running district."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

import processes.account_tables
import processes.accountability_tables
import processes.appeal_tables
import processes.attachment_tables
import processes.attempt_tables
import processes.campaign_tables
import processes.definition_tables
import processes.display_tables
import processes.expenditure_tables
import processes.facility_tables
import processes.festival_tables
import processes.finding_tables
import processes.lead_tables
import processes.ledger_snapshot_tables
import processes.notification_tables
import processes.outreach_tables
import processes.payment_tables
import processes.progress_tables
import processes.screening_tables
import processes.supervision_tables
import processes.temporary_tables  # noqa: F401 - its rows are projected from records like all others
from engine import deadlines, unmanned
from engine.cases import Cases
from engine.clock import BusinessClock
from engine.crypto import Keys
from engine.errors import EngineError, NotWaiting
from engine.habits import Habits
from engine.jobs import Handler, Job, Jobs, Later, Way, backoff
from engine.office import Act, Office
from engine.process import Process
from engine.replays import Replays
from engine.store import Store, record
from processes import (
    account_book,
    bank_files,
    bank_port,
    benefits,
    case_migrations,
    complaints,
    dmn,
    gateways,
    households,
    law,
    notifications,
    organisation,
    payment_run,
    progress_reports,
    report_duties,
    reviews,
    spot_check,
    standards,
)
from processes import audit_tables as _audit_tables  # noqa: F401 - its tables belong to every database
from processes import proof_tables as _proof_tables  # noqa: F401 - the same
from processes.change_report_2012 import CHANGE_REPORT_2012
from processes.change_report_2021 import CHANGE_REPORT_2021
from processes.destitute_2016 import DESTITUTE_2016
from processes.destitute_2021 import DESTITUTE_2021
from processes.dibao_2012 import DIBAO_2012
from processes.dibao_2021 import DIBAO_2021
from processes.discovery import DISCOVERY
from processes.gateways import Gateway
from processes.illness_expenditure import ILLNESS_EXPENDITURE_2018
from processes.in_force import InForce, law_now
from processes.joint_meeting import JOINT_MEETING
from processes.low_income import LOW_INCOME_2016, LOW_INCOME_2021
from processes.payment_run import PAYMENT_RUN
from processes.registry_port import Registry, RegistryFailed, conclude
from processes.review_2012 import REVIEW_2012
from processes.review_2021 import REVIEW_2021
from processes.screening_process import SCREENING
from processes.self_care import SELF_CARE
from processes.temporary_assistance import TEMPORARY_ASSISTANCE

CATALOGUE: Mapping[str, Process] = {process.key: process for process in (DIBAO_2012, DIBAO_2021, LOW_INCOME_2016, LOW_INCOME_2021, ILLNESS_EXPENDITURE_2018, REVIEW_2012, REVIEW_2021, CHANGE_REPORT_2012, CHANGE_REPORT_2021, JOINT_MEETING, DESTITUTE_2016, DESTITUTE_2021, SELF_CARE, TEMPORARY_ASSISTANCE, complaints.COMPLAINT, PAYMENT_RUN, DISCOVERY, SCREENING)}

# What the jobs are, in words for those who decide what becomes of one that failed.
_WAYS = {
    "timer": ("流程图上的定时：到期后个案自动进入下一环节", "A timer of the drawing: when it is due the case goes on by itself"),
    "benefit_month": ("待遇随月份变化：到月初起付、停发或调整", "What the first of a month brings a benefit: it begins, stops or changes"),
    "spot_month_end": ("月末补抽：把街镇未满十户的抽查补足比例", "The draw at the month's end: fills up a street's incomplete ten"),
    "review_due": ("复审到期：开启定期复审个案", "A re-review falls due: its case is opened"),
    "review_early": ("提前复审或全面复核：开启复审个案", "An early review, or one of a round: its case is opened"),
    complaints.REVIEW_JOB: ("举报查实：开启复审个案", "A complaint was proved: the benefit's review is opened"),
    "review_round": ("全面复核分批开启", "A round of reviews is opened batch by batch"),
    "report_due": ("定期报告到期：登记报告义务并发提醒", "A periodic report falls due: the duty is written down and the household reminded"),
    "report_reminder": ("逾期未报告：再次提醒", "A report is overdue: the household is reminded once more"),
    "standard_scan": ("调标：测算在享家庭", "A new standard: households in benefit are computed"),
    "standard_feed": ("调标：分批下达", "A new standard: the batch is handed out"),
    "standard_item": ("调标：调整一户", "A new standard: one household's benefit is adjusted"),
    "standard_finish": ("调标：汇总办结", "A new standard: the batch is summed up"),
    "account_post": ("账户记账：按单位分批登记", "The accounts of a unit are posted part by part"),
    "payment_list": ("发放清单：分批生成明细", "A payment run: its list is made part by part"),
    "payment_compare": ("发放清单：查找重复", "A payment run: duplicates are looked for"),
    "payment_release": ("撤销的发放：释放明细", "A payment run was called off: its items are released"),
    "payment_fill": ("银行文件：分批生成", "A file for the bank is filled part by part"),
    "payment_hand_over": ("银行文件：送交银行", "A file is handed over to the bank"),
    "payment_answer": ("银行回盘：分批登记", "The bank's answer is written down part by part"),
    case_migrations.KIND: ("个案迁移：把一件在办个案移到另一版流程图", "A migration: one running case is put on another version of its drawing"),
    notifications.SCAN: ("查找应告知居民的事项，放入发件箱", "Looks for what residents are to be told, and puts it into the outbox"),
    unmanned.KIND: ("人员、岗位或回避变动：查找无人可办的待办并报主管", "Posts, staff or recusals changed: tasks that nobody may do are put before the supervisor"),
    progress_reports.SWEEP: ("作战进度：到期前提醒，逾期未报的标出", "Progress reports: units are reminded of what is due, and what is missing is marked"),
    deadlines.LATE: ("每日逾期清查：把过了时限的待办标出并报主管", "The daily sweep: marks work that is past its last day"),
}


@dataclass
class Bureau:
    office: Office
    cases: Cases
    jobs: Jobs
    settings: Any
    registry: Registry = field(repr=False)
    in_force: InForce = field(default_factory=InForce, repr=False)
    gateways: dict[str, Gateway] = field(default_factory=dict, repr=False)  # channel -> where its messages leave; none: nobody is told
    replays: Replays = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.replays = Replays(self.cases)

    def connect(self, channel: str, gateway: Gateway) -> None:
        """From now on residents are told through this gateway."""
        self.gateways[channel] = gateway
        self.jobs.daily[notifications.SCAN] = district_record

    @property
    def habits(self) -> Habits:
        return Habits(self.cases)


class OtherKey(EngineError):
    """The data key is not the one that this database was written with."""


def refuse_other_key(made: Bureau) -> None:
    """Raises OtherKey: with a wrong key nothing personal could be read, and what is written now could not be read later."""
    with made.office.read() as conn:
        fits = made.office.keys.fit(conn)
    if not fits:
        made.office.store.close()
        raise OtherKey("YINGBAO_DATA_KEY 不是这个数据库的密钥 / YINGBAO_DATA_KEY is not the key of this database")


def build(settings: Any, clock: Callable[[], datetime] | None = None, *, published: int | None = None, bank: bank_port.Bank | None = None) -> Bureau:
    """`settings`: database, data_key, files, registry, env (see web.settings.Settings). `published`: the last year whose
    calendar of working days counts as known, where that is not what processes.calendar knows. `bank`: where it is not the settings'."""
    if own := getattr(settings, "bank_profiles", ""):
        bank_files.install(Path(own))
    store, in_force = Store(settings.database), InForce()
    office = Office(store, Keys(settings.data_key), clock or BusinessClock(store), origin=settings.origin, production=settings.env == "production",
                    published=published, in_force=in_force.around)  # fmt: skip
    cases = Cases(CATALOGUE, organisation.find_actor, organisation.holders, holding=organisation.holding, published=published, law=law.DIGEST, shelf=dmn.SHELF, law_text=law.packed(law.RAW), under=law.by_text, known=law.known,
                  law_now=law_now, deployed=in_force.drawing, in_force=in_force.on)  # fmt: skip
    registry = Registry(settings.registry)
    handlers: dict[str, Handler] = {"timer": _timer(cases), "means_check": _means_check(office, cases, registry), "spot_month_end": _spot_month_end,
                                    "benefit_month": _benefit_month, "report_due": _report_due, "report_reminder": _report_reminder,
                                    "review_due": _review(cases, reviews.fall_due), "review_early": _review_early(cases),
                                    "review_round": _review_round, complaints.REVIEW_JOB: lambda job: lambda act: complaints.open_review(cases, act, job.record_id, job.key), deadlines.LATE: deadlines.sweep, progress_reports.SWEEP: lambda _job: progress_reports.sweep, unmanned.KIND: unmanned.handler(cases), case_migrations.KIND: case_migrations.handler(cases), **standards.handlers(office),
                                    **account_book.handlers(), **payment_run.handlers(office, bank or bank_port.at(getattr(settings, "bank", "")))}  # fmt: skip
    ways = {kind: Way(*words) for kind, words in _WAYS.items()}
    ways["means_check"] = Way("向各部门核对家庭经济状况", "Asking the registries about the household's means", skip=_unavailable(cases))
    leaving: dict[str, Gateway] = {}
    handlers |= {notifications.SCAN: notifications.scan(office, leaving), notifications.SEND: notifications.send(office, leaving)}
    ways[notifications.SEND] = Way("向居民发送通知", "A message to a resident", skip=notifications.given_up)
    made = Bureau(office, cases, Jobs(office, handlers, ways=ways, daily={deadlines.LATE: district_record, progress_reports.SWEEP: district_record}), settings, registry, in_force, leaving)
    for channel, gateway in gateways.of(settings).items():
        made.connect(channel, gateway)
    return made


def district_record(conn: Connection) -> int | None:
    """The record of the district's tree: with it are kept the jobs that belong to no case."""
    found: int | None = conn.scalar(select(func.min(record.c.id)).where(record.c.kind == "unit"))
    return found


def _timer(cases: Cases) -> Handler:
    def handler(job: Job) -> Callable[[Act], None]:
        return lambda act: void(cases.tick(act, job.record_id, job.key))

    return handler


def _means_check(office: Office, cases: Cases, registry: Registry) -> Handler:
    """Ask the registries over HTTP, outside any transaction; their answer is a message to the case. When they stay away
    the job becomes an incident in the end: nothing decides by itself that it goes without them."""

    def handler(job: Job) -> Callable[[Act], None]:
        with office.read() as conn:
            if not cases.waits(conn, job.record_id, "registry_answer"):
                return void
            asked = households.check_request(conn, office.keys.on(conn), job.data["household_id"], office.today())
        request_id = f"{job.record_id}-{job.key}"
        try:
            answer = registry.query(request_id, asked["persons"])
        except RegistryFailed as trouble:
            raise Later(_asked_again(job, getattr(trouble, "retry_after", 0)), str(trouble)) from trouble
        message = conclude(answer, asked["declared"])
        return lambda act: _deliver(cases, act, job.record_id, message)

    return handler


def _asked_again(job: Job, retry_after: int) -> int:
    """Seconds. A registry that works on it is believed the first time; from then on five tries take as long as those of
    one that fails, or it would be given up within seconds."""
    by_itself = backoff(job.attempts)
    return retry_after if retry_after and job.attempts == 1 else max(retry_after, by_itself)


def _unavailable(cases: Cases) -> Handler:
    """What a person chooses by skipping: the case goes on with the honest answer that there is none."""
    return lambda job: lambda act: _deliver(cases, act, job.record_id, {"status": "unavailable", "results": []}, instead=True)


def _spot_month_end(job: Job) -> Callable[[Act], None]:
    return lambda act: spot_check.month_end(act, job.record_id, int(job.key))


def _benefit_month(job: Job) -> Callable[[Act], None]:
    return lambda act: benefits.month_begins(act, job.record_id)


def _report_due(job: Job) -> Callable[[Act], None]:
    return lambda act: report_duties.due(act, job.record_id, job.key)


def _report_reminder(job: Job) -> Callable[[Act], None]:
    return lambda act: report_duties.remind(act, job.record_id, job.key)


def _review(cases: Cases, work: Callable[[Cases, Act, int], None]) -> Handler:
    """A review of a benefit is opened: the job's record is the benefit's."""

    def handler(job: Job) -> Callable[[Act], None]:
        return lambda act: work(cases, act, job.record_id)

    return handler


def _review_early(cases: Cases) -> Handler:
    return lambda job: lambda act: reviews.open_early(cases, act, job.record_id, job.key)


def _review_round(job: Job) -> Callable[[Act], None]:
    return lambda act: reviews.next_batch(act, job.record_id, int(job.key))


def _deliver(cases: Cases, act: Act, case_id: int, message: dict[str, Any], *, instead: bool = False) -> None:
    """An answer that came when the case had gone on (withdrawn meanwhile) is dropped: nobody waits for it."""
    with contextlib.suppress(NotWaiting):
        cases.receive_by_id(act, case_id, "registry_answer", message, instead=instead)


def void(_: object) -> None:
    """For lambdas whose result nobody wants."""
