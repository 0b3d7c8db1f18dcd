"""Puts the parts together: one Bureau is a running district."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.cases import Cases
from engine.clock import BusinessClock
from engine.crypto import Keys
from engine.errors import EngineError, NotWaiting
from engine.habits import Habits
from engine.jobs import Handler, Job, Jobs, Later
from engine.office import Act, Office
from engine.process import Process
from engine.store import Store
from processes import benefits, households, organisation, spot_check, standards
from processes.dibao_2012 import DIBAO_2012
from processes.registry_port import Registry, RegistryBusy, RegistryFailed, conclude

CATALOGUE: Mapping[str, Process] = {process.key: process for process in (DIBAO_2012,)}

_GIVE_UP_AFTER = 4  # tries; then the answer is "unavailable" and a person decides how to go on


@dataclass
class Bureau:
    office: Office
    cases: Cases
    jobs: Jobs
    settings: Any
    registry: Registry = field(repr=False)

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


def build(settings: Any, clock: Callable[[], datetime] | None = None) -> Bureau:
    """`settings`: database, data_key, files, registry, env (see web.settings.Settings)."""
    store = Store(settings.database)
    office = Office(store, Keys(settings.data_key), clock or BusinessClock(store), production=settings.env == "production")
    cases = Cases(CATALOGUE, organisation.find_actor)
    registry = Registry(settings.registry)
    handlers: dict[str, Handler] = {"timer": _timer(cases), "means_check": _means_check(office, cases, registry), "spot_month_end": _spot_month_end,
                                    "benefit_month": _benefit_month, **standards.handlers(office)}  # fmt: skip
    return Bureau(office, cases, Jobs(office, handlers), settings, registry)


def _timer(cases: Cases) -> Handler:
    def handler(job: Job) -> Callable[[Act], None]:
        return lambda act: void(cases.tick(act, job.record_id, job.key))

    return handler


def _means_check(office: Office, cases: Cases, registry: Registry) -> Handler:
    """Ask the registries over HTTP, outside any transaction; their answer is a message to the case."""

    def handler(job: Job) -> Callable[[Act], None]:
        with office.read() as conn:
            asked = households.check_request(conn, office.keys.on(conn), job.data["household_id"], office.today())
        request_id = f"{job.record_id}-{job.key}"
        try:
            answer = registry.query(request_id, asked["persons"])
            message = conclude(answer, asked["declared"])
        except (RegistryBusy, RegistryFailed) as trouble:
            if job.attempts < _GIVE_UP_AFTER:
                raise Later(getattr(trouble, "retry_after", None) or 60, str(trouble)) from trouble
            message = {"status": "unavailable", "results": []}
        return lambda act: _deliver(cases, act, job.record_id, message)

    return handler


def _spot_month_end(job: Job) -> Callable[[Act], None]:
    return lambda act: spot_check.month_end(act, job.record_id, int(job.key))


def _benefit_month(job: Job) -> Callable[[Act], None]:
    return lambda act: benefits.month_begins(act, job.record_id)


def _deliver(cases: Cases, act: Act, case_id: int, message: dict[str, Any]) -> None:
    """An answer that came when the case had gone on (withdrawn meanwhile) is dropped: nobody waits for it."""
    with contextlib.suppress(NotWaiting):
        cases.receive_by_id(act, case_id, "registry_answer", message)


def void(_: object) -> None:
    """For lambdas whose result nobody wants."""
