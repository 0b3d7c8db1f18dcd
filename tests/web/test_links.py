"""No page offers a link that its reader may not follow: everybody follows the links of the pages that his head shows."""

from __future__ import annotations

import html
import re
from collections import Counter

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from processes import organisation
from tests.district import COMMUNITY, PASSWORD
from tests.processes.test_benefits import Granted
from tests.served import app_of
from tests.web.test_pages import Desk

NEW = {"grid": ("grid_worker", COMMUNITY), "fin": ("finance_officer", "120116")}
WHO = ("checker", "vera", "sue", "admin", "auditor", *NEW)  # one of those who read alike
TWICE = ("cases.show", "tasks.show", "benefits.show", "households.show")  # of every other kind of page one is opened


@pytest.fixture
def app(bureau, district):
    """A benefit that is paid, and beside it a case under way with letters, notices and a near relative."""
    Granted(district)
    with district.office.act() as act:
        for login, post in NEW.items():
            organisation.add_staff(act, login, login, PASSWORD, [post])
    district.at("2019-02-11T09:00")
    district.apply(district.household(210_000, serial=9, near_relative_declared=True))
    district.accept()
    return app_of(bureau)


def links(text):
    return [html.unescape(one) for one in re.findall(r'<a [^>]*?href="([^"#]+)[^"]*"', text)]


def follow(app, login):
    """What a person's links lead to: (from, address, status) of those that lead nowhere."""
    desk, urls, met = Desk(app, login), app.url_map.bind("localhost"), Counter()
    waiting, known, dead = [("", "/tasks"), ("", "/tasks?view=available")], set(), []
    while waiting:
        came, address = waiting.pop(0)
        path, _, query = address.partition("?")
        if address in known or not address.startswith("/"):
            continue
        known.add(address)
        try:
            kind = urls.match(path)[0], *re.findall(r"(?:^|&)(?:tab|view)=(\w+)", query)
        except RequestRedirect as moved:
            waiting.append((came, moved.new_url.replace("http://localhost", "")))
            continue
        except HTTPException:
            dead.append((came, address, 404))
            continue
        met[kind] += 1
        if kind[0] in ("static", "tasks.export") or met[kind] > (2 if kind[0] in TWICE else 1):
            continue
        answer = desk.get(address)
        if answer.status_code >= 400:
            dead.append((came, address, answer.status_code))
        elif answer.status_code == 302:
            waiting.append((came, answer.location))
        elif answer.mimetype == "text/html":
            waiting += [(address, path + one if one.startswith("?") else one) for one in links(answer.get_data(as_text=True))]
    return dead, len(known)


def test_nobody_is_offered_a_link_that_he_may_not_follow(app, bureau):
    """Who is offered what hangs on posts, never on the database: on PostgreSQL two follow, so that the statements of the pages run there, too."""
    found = {login: follow(app, login) for login in (WHO if bureau.office.store.sqlite else ("fin", "sue"))}
    assert {login: dead for login, (dead, _) in found.items() if dead} == {}
    assert all(n > 10 for _, n in found.values()), {login: n for login, (_, n) in found.items()}
    assert found["fin"][1] > 20, "payment has its benefits"


