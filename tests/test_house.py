"""The house itself: what README promises exists, the migration gives the schema, settings are refused when wrong."""

from __future__ import annotations

import pathlib
import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from engine.store import Store, metadata
from processes import schema
from web.cli import cli
from web.settings import BadSetting, Settings

ROOT = pathlib.Path(__file__).parent.parent


def test_every_command_and_setting_is_named_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in cli.commands:
        assert f"yingbao {name}" in readme, name
    asked = set(re.findall(r'given.get."([A-Z_]+)"', (ROOT / "web/settings.py").read_text()))
    for name in asked | {"SECRET_KEY", "DATA_KEY", "DATABASE"}:
        assert f"YINGBAO_{name}" in readme, name


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")  # SQLite: alembic cannot read it; PostgreSQL can
def test_the_migrations_give_the_schema_of_the_code(db_url):
    import processes.case_tables
    import processes.tables  # noqa: F401

    schema.upgrade(db_url)
    schema.refuse_old(db_url)
    store = Store(db_url)
    with store.engine.connect() as conn:
        found = compare_metadata(MigrationContext.configure(conn), metadata)
    store.close()
    unread = ("uq_benefit_person_active", *(("ix_task_worklist",) if store.sqlite else ()))
    assert [d for d in found if not any(name in str(d) for name in unread)] == []


def test_an_empty_database_is_refused(db_url):
    with pytest.raises(schema.OldSchema):
        schema.refuse_old(db_url)


@pytest.mark.parametrize("wrong", [{"YINGBAO_ENV": "prod"}, {"YINGBAO_ENV": "production"}, {"YINGBAO_PORT": "x"}, {"YINGBAO_DATA_KEY": "abc"}, {"YINGBAO_DATABASE": "mysql://x"}])
def test_wrong_settings_are_refused_at_start(wrong, tmp_path):
    with pytest.raises(BadSetting):
        Settings.from_environment({"YINGBAO_HOME": str(tmp_path), **wrong})


def test_an_empty_setting_counts_as_not_set(tmp_path, monkeypatch):
    """`YINGBAO_HOME=` once meant the current folder, and key files appeared there."""
    monkeypatch.chdir(tmp_path)
    names = ("ENV", "HOME", "FILES", "REGISTRY", "SIGNING_KEY", "SUITE", "HOST", "PORT", "AUDIT", "WITNESSES", "DATABASE", "SECRET_KEY", "DATA_KEY")
    found = Settings.from_environment({f"YINGBAO_{name}": " " if name == "HOST" else "" for name in names})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["var"]
    assert found == Settings.from_environment({"OTHER": ""}), "as with none of them"
    assert (found.files, found.host, found.port) == (tmp_path / "var/files", "127.0.0.1", 8000)


def test_one_place_opens_a_transaction_and_nothing_evaluates():
    for path in [*ROOT.glob("engine/*.py"), *ROOT.glob("processes/*.py"), *ROOT.glob("web/**/*.py")]:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![.\w])(eval|exec)\(", code), path
        if path.parts[-2:] != ("engine", "store.py"):
            assert ".commit()" not in code.replace("conn.commit()", "" if path.name == "schema.py" else "conn.commit()"), path


def test_the_architecture_names_every_kind_of_record():
    """docs/architecture.md 1 is where somebody looks which kinds there are: sixteen were missing when this test came."""
    made = set[str]()
    for place in ("engine", "processes", "web"):
        for file in (ROOT / place).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            made |= {*re.findall(r'act\.new\("([a-z_]+)"', text)}
            if named := re.search(r"act\.new\((KIND|RECORD),", text):
                made |= {*re.findall(rf'^{named[1]} = "([a-z_]+)"', text, re.MULTILINE)}
    told = re.search(r"\(kinds: ([^)]+)\)", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert {*re.findall(r"`([a-z_]+)`", told[1])} == made
    assert len(made) > 40
