"""The drawing of a case as a file, by page and by API; the viewer that shows it is the one that was vendored."""

from __future__ import annotations

import hashlib
import pathlib
import re

import pytest

import web
from processes.bureau import CATALOGUE
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk

XML = CATALOGUE["dibao-2012"].bpmn.read_bytes()
DIGEST = hashlib.sha256(XML).hexdigest()
VENDORED = sorted((pathlib.Path(web.__file__).parent / "static" / "vendor").iterdir())


@pytest.fixture
def app(bureau, district):
    return app_of(bureau)


@pytest.fixture
def case(district):
    return district.apply(district.household(210_000))


def test_the_page_s_script_gets_the_bytes_that_the_case_runs_on(app, case):
    answer = Desk(app, "clerk").get(f"/cases/{case}/drawing")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/xml", XML)
    assert answer.headers["ETag"] == f'"{DIGEST}"'


def test_a_browser_may_keep_it_but_asks_each_time_and_gets_no_second_copy(app, case):
    desk = Desk(app, "clerk")
    assert desk.get(f"/cases/{case}/drawing").headers["Cache-Control"] == "private, no-cache"
    again = desk.http.get(f"/cases/{case}/drawing", headers={"If-None-Match": f'"{DIGEST}"'})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", f'"{DIGEST}"')
    assert desk.http.get(f"/cases/{case}/drawing", headers={"If-None-Match": '"other"'}).data == XML


def test_for_a_stranger_there_is_no_such_case_even_with_the_right_etag(app, case):
    stranger = Desk(app, "stranger")
    for headers in ({}, {"If-None-Match": f'"{DIGEST}"'}):
        answer = stranger.http.get(f"/cases/{case}/drawing", headers=headers)
        assert answer.status_code == stranger.get(f"/cases/{case}").status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"
    assert stranger.get("/cases/DB-2018-999999/drawing").status_code == 404


def test_who_is_not_signed_in_is_sent_to_sign_in(app, case):
    assert app.test_client().get(f"/cases/{case}/drawing").status_code == 302


def test_the_api_gives_the_same_bytes_and_304(bureau, district, case):
    door = Door(bureau, district)
    answer = door.call("clerk", "GET", f"/cases/{case}/drawing")
    assert (answer.mimetype, answer.data, answer.headers["ETag"]) == ("application/xml", XML, f'"{DIGEST}"')
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer.headers["Vary"]
    headers = {"Authorization": f"Bearer {door.token('clerk')}", "If-None-Match": f'"{DIGEST}"'}
    assert door.app.test_client().get(f"/api/v1/cases/{case}/drawing", headers=headers).status_code == 304
    assert "304" in door.doc["paths"]["/api/v1/cases/{no}/drawing"]["get"]["responses"]
    door.bad(404, "stranger", "GET", f"/cases/{case}/drawing", headers={"If-None-Match": f'"{DIGEST}"'})
    door.bad(401, None, "GET", f"/cases/{case}/drawing")
    door.bad(422, "clerk", "GET", f"/cases/{case}/drawing?step=1")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_diagram_s_page_says_what_the_script_needs_and_works_without_it(app, case, lang):
    page = Desk(app, "clerk", lang).text(f"/cases/{case}/replay")
    said = dict(re.findall(r'data-(\w+)="([^"]*)"', re.search(r'<section id="diagram"[^>]*>', page)[0]))
    assert said.keys() == {"xml", "viewer", "styles", "open", "close", "loading", "failed", "label"}
    assert said["xml"] == f"/cases/{case}/drawing"
    client = app.test_client()
    for address in (said["viewer"], *said["styles"].split(), *re.findall(r'<script type="module" src="([^"]+)"', page)):
        with client.get(address) as answer:
            assert answer.status_code == 200, address
    assert '<div class="explore" hidden>' in page
    assert '<div id="explorer" hidden>' in page
    assert (re.search(r"[一-鿿]", "".join(said.values())) is None) is (lang == "en")
    assert "js/diagram.js" not in Desk(app, "clerk", lang).text(f"/cases/{case}")


# -- what others made


@pytest.mark.parametrize("folder", VENDORED, ids=lambda f: f.name)
def test_vendored_files_are_those_that_were_fetched_with_their_licence(folder):
    listed = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert {f.name for f in folder.iterdir()} == {*listed, "SHA256SUMS", "VERSION"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed} == listed
    assert "LICENSE" in listed
    name, version = (folder / "VERSION").read_text().split()[:2]
    assert f"{name}-{version}" == folder.name


def test_the_viewer_is_of_the_version_that_its_folder_names_and_keeps_its_watermark():
    [folder] = [f for f in VENDORED if f.name.startswith("bpmn-js-")]
    code = (folder / "bpmn-navigated-viewer.production.min.js").read_text(encoding="utf-8")
    assert f"v{folder.name.removeprefix('bpmn-js-')} |" in code.splitlines()[0]
    assert "bjs-powered-by" in code
    for path in (folder.parents[1] / "css").glob("*.css"):
        assert "bjs-powered-by" not in path.read_text(encoding="utf-8"), path
