"""Training and publicity in the demo: the district's class before the year's end, classes of streets, activities in streets and communities; some directors and some programmes are left."""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING, Any

from processes import attachments, publicity, training_sessions
from processes.organisation import DISTRICT
from processes.outreach_forms import DIRECTOR

if TYPE_CHECKING:
    from web.demo import District

_SHEET = b"%PDF-1.4\n% a signed sheet of the demo\n"
_CLASS = date(2018, 12, 18)
_STREETS = (date(2018, 12, 5), date(2018, 12, 26), date(2019, 1, 9), date(2019, 1, 16))  # one street's class each
_TALKS = (date(2018, 11, 26), date(2018, 12, 3), date(2018, 12, 12), date(2019, 1, 4), date(2019, 1, 22))
_CHANNELS = ("event", "leaflets", "display", "wechat", "broadcast")
_SURNAMES = "张王李赵刘陈杨黄周吴徐孙"


def begin(d: District) -> None:
    """Nothing is held on the first day."""
    del d


def day(d: District, day: date) -> None:
    """A few acts on the days that matter."""
    streets = sorted({street for street, _ in d.streets})
    if day == _CLASS:
        _session(d, "district", DISTRICT, "全区社会救助业务培训班", day, streets)
    elif day in _STREETS:
        _session(d, "street", streets[_STREETS.index(day) % len(streets)], "社会救助政策和廉政教育培训", day, streets)
    if day in _TALKS:
        for n, street in enumerate(streets):
            if (n + _TALKS.index(day)) % 2 == 0:
                _talk(d, street, day, _TALKS.index(day) + n)


def _session(d: District, level: str, unit: str, title: str, day: date, streets: list[str]) -> None:
    """Two thirds of the staff sign in, and the directors of the first communities; a sheet is missing after the last class."""
    roles = ("supervisor",) if level == "district" else ("civil_affairs_officer",)
    who = next(one for role in roles for one in d.by_role(role, unit))
    staff = sorted(login for login, one in d.actors.items() if one.roles & training_sessions.STAFF and any(post.startswith(unit) for _, post in one.posts))
    people: list[dict[str, Any]] = [{"staff": login, "role": "assistance_staff", "unit": min(post for _, post in d.actors[login].posts if post.startswith(unit)), "signed": n % 3 != 2, "quiz_score": 70 + n * 7 % 30}
                                    for n, login in enumerate(staff)]  # fmt: skip
    communities = [community for street, community in d.streets if street.startswith(unit)][: None if level == "street" else len(streets)]
    people += [{"name": f"{_SURNAMES[n % len(_SURNAMES)]}主任", "role": DIRECTOR, "unit": code, "signed": True} for n, code in enumerate(communities)]
    said: dict[str, Any] = {"level": level, "unit": unit, "title": title, "held_on": day.isoformat(), "place": "三楼会议室", "trainer": "区民政局社会救助科", "topics": ["policy", "conditions", "procedure", "discipline"],
                            "attendance": people}  # fmt: skip
    if day != _STREETS[-1]:
        staged = attachments.stage(d.made.office, who, d.made.settings.files, unit, io.BytesIO(_SHEET))
        with d.made.office.act(who) as act:
            said["sheet"] = attachments.keep(act, staged, "sheet", "签到表.pdf")
    with d.made.office.act(who) as act:
        training_sessions.record(act, said)


def _talk(d: District, street: str, day: date, n: int) -> None:
    """Three programmes at a time, in the street's first communities."""
    officers = d.by_role("civil_affairs_officer", street)
    communities = sorted({community for where, community in d.streets if where == street})
    codes = [publicity.CODES[(n * 3 + i) % (len(publicity.CODES) - 1)] for i in range(3)]  # nobody speaks of the last one
    said = {"unit": street, "channel": _CHANNELS[n % len(_CHANNELS)], "programmes": codes, "title": "救助政策进社区", "held_on": day.isoformat(), "place": "社区活动中心",
            "communities": "、".join(communities), "audience_count": 40 + n * 13 % 90, "material_type": "leaflet", "copies": 100 + n * 37 % 200}  # fmt: skip
    with d.made.office.act(officers[0]) as act:
        publicity.record(act, said)
