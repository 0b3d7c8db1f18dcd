"""The meeting room in a browser: the secretary's grid by keys 1, 2, 3 with a question before it counts; room, list and wall without faults."""

from __future__ import annotations

import threading

import pytest
from werkzeug.serving import make_server

from tests.conftest import DATA_KEY, Clock
from tests.e2e.looks import clean
from tests.e2e.test_browser import sign_in
from tests.meeting_room import Room

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A district with a meeting that sits on one case."""
    from processes import bureau as bureaus
    from processes import schema
    from web import create_app
    from web.settings import Settings

    folder = tmp_path_factory.mktemp("room")
    settings = Settings(database=f"sqlite:///{folder / 'y.sqlite'}", secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files", registry="http://127.0.0.1:9")
    schema.upgrade(settings.database)
    made = bureaus.build(settings, Clock())
    room = Room(made, made.office.clock)
    room.ask()
    room.sitting()
    room.ask(serial=2)
    server = make_server("127.0.0.1", 0, create_app(settings, made), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", made, room
    server.shutdown()
    thread.join()
    made.office.store.close()


def test_the_secretary_enters_paper_votes_by_keys(page, site, axe):
    room = site[2]
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss() if len(asked) == 1 else dialog.accept()))
    sign_in(page, "secretary")
    clean(page, axe, "/meetings")
    clean(page, axe, f"/meetings/{room.meeting}")
    clean(page, axe, f"/meetings/{room.meeting}?view=projector")
    page.goto(f"/meetings/{room.meeting}")
    page.locator("form.grid [role=radiogroup] input").first.focus()
    for key in "11213":  # for, for, against, for, abstain; civil affairs stands last
        page.keyboard.press(key)
    checked = page.locator("form.grid input:checked").evaluate_all("found => found.map(one => one.value)")
    assert checked == ["for", "for", "against", "for", "abstain"]
    button = page.get_by_role("button", name="登记表决")
    button.click()
    assert room.item()["votes_for"] is None
    assert page.locator("form.grid").count() == 1, "asked, and not wanted"
    button.click()
    page.get_by_text("表决已登记").wait_for()
    assert len(asked) == 2
    assert "同意 3 · 反对 1 · 弃权 1" in page.locator("#item-1").inner_text()
    clean(page, axe)
