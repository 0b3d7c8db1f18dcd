"""A real browser (Debian's chromium) on a real server of a demo district."""

from __future__ import annotations

import pathlib
import shutil
import threading
from dataclasses import replace

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from tests.conftest import missing
from web.cli import cli

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
_PATIENCE = 120_000  # milliseconds; a loaded machine is slow, not wrong


@pytest.fixture(scope="session")
def browser():
    path = shutil.which("chromium")
    if path is None:
        missing("chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory):
    """A YINGBAO_HOME that `yingbao demo` has filled with a small district. Only looked at: who changes it takes a copy."""
    home = tmp_path_factory.mktemp("demo") / "home"
    told = CliRunner().invoke(cli, ["demo", "--no-serve", "--households", "40", "--seed", "1"], env={"YINGBAO_HOME": str(home)}, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert "clerk11" in told.output
    return home


@pytest.fixture(scope="session")
def site(tmp_path_factory, demo_home):
    """(address, bureau) of a small demo district, served from a thread, with the bundled registries."""
    from processes import bureau as bureaus
    from web import create_app
    from web.demo import registries
    from web.settings import Settings

    home = tmp_path_factory.mktemp("site") / "home"
    shutil.copytree(demo_home, home)
    settings = Settings.from_environment({"YINGBAO_HOME": str(home)})
    with registries() as address:
        made = bureaus.build(replace(settings, registry=address))
        server = make_server("127.0.0.1", 0, create_app(made.settings, made), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", made
        server.shutdown()
        thread.join()
        made.office.store.close()


@pytest.fixture
def page(browser, site, request):
    """A page that may say nothing wrong: no console error, no request off the host."""
    wants = getattr(request, "param", {})
    context = browser.new_context(base_url=site[0], locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1400, "height": 900}, **wants)
    context.set_default_timeout(_PATIENCE)
    opened = context.new_page()
    trouble: list[str] = []
    refusals = ("(UNPROCESSABLE ENTITY)", "(CONFLICT)", "(FORBIDDEN)", "(NOT FOUND)")  # the browser's word for what the tests ask for
    opened.on("console", lambda m: trouble.append(m.text) if m.type == "error" and not m.text.endswith(refusals) else None)
    opened.on("pageerror", lambda e: trouble.append(str(e)))
    opened.on("request", lambda r: trouble.append(r.url) if not r.url.startswith((site[0], "data:")) else None)
    yield opened
    context.close()
    assert trouble == []


@pytest.fixture(scope="session")
def axe() -> str:
    return (pathlib.Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
