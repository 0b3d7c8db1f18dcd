"""Random samples: the draw is pure and fair, the seed is committed to before it, and whatever is changed afterwards is found."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import canonical
from processes import audit
from processes.audit import Listed, Population, commitment, draw, population_hash, rank, shares
from processes.audit_tables import audit_sample, audit_sample_case
from processes.rebuild import differences

SEED = bytes(range(32))
sizes = st.dictionaries(st.text("abcde/", max_size=4), st.integers(0, 40), max_size=6)
populations = st.lists(st.tuples(st.integers(0, 10**6).map(lambda n: f"DB-2018-{n:06d}"), st.sampled_from(["", "a", "b", "b/c"])), unique_by=lambda one: one[0], max_size=60)


@given(sizes, st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_shares_add_up_and_no_stratum_gives_more_than_it_has(sizes, n):
    given_ = shares(sizes, n)
    real = {name: size for name, size in sizes.items() if size}
    assert sum(given_.values()) == min(n, sum(real.values()))
    assert all(0 <= given_[name] <= real[name] for name in given_)
    if n >= len(real):
        assert all(given_.values()), "one at least from each"
    ranked = [given_[name] for _, name in sorted((size, name) for name, size in real.items())]
    for n, (less, more) in enumerate(zip(ranked, ranked[1:], strict=False)):
        same = sorted(real.values())[n] == sorted(real.values())[n + 1]
        assert same or less <= more, "who has more does not give less"


@given(populations, st.integers(1, 70), st.binary(min_size=32, max_size=32), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_draw_hangs_on_seed_numbers_and_size_alone(cases, n, seed, shuffler):
    drawn = draw(seed, cases, n)
    mixed = list(cases)
    shuffler.shuffle(mixed)
    assert draw(seed, mixed, n) == drawn
    assert len(drawn) == len(set(drawn)) == min(n, len(cases))
    assert set(drawn) <= set(cases)
    for no, stratum in drawn:  # nobody who was left out ranks before somebody of the same stratum who was drawn
        left = [other for other, its in cases if its == stratum and (other, its) not in drawn]
        assert all(rank(seed, no) < rank(seed, other) for other in left)


@given(populations.filter(lambda cases: len(cases) > 1), st.binary(min_size=32, max_size=32))
@settings(max_examples=60, deadline=None)
def test_a_larger_sample_holds_the_smaller_one(cases, seed):
    plain = [(no, "") for no, _ in cases]
    assert [one for n in range(1, len(plain)) for one in [draw(seed, plain, n + 1)[:n] == draw(seed, plain, n)] if not one] == []


def test_every_case_has_the_same_chance():
    cases = [(f"DB-2018-{n:06d}", "") for n in range(20)]
    hits = Counter(no for n in range(2000) for no, _ in draw(hashlib.sha256(b"%d" % n).digest(), cases, 5))
    assert len(hits) == 20
    assert all(abs(count - 500) < 120 for count in hits.values()), "six standard deviations of 500"


def test_the_algorithm_is_the_documented_one():
    """As docs/audit.md has it, written down again with the standard library alone."""
    listed = [Listed("DB-2018-000001", 3, "aa" * 32, "x"), Listed("DB-2018-000002", 1, "bb" * 32, "x")]
    text = "".join(f"{one.no}\t{one.head}\t{one.stratum}\n" for one in listed)
    assert population_hash(listed) == hashlib.sha256(text.encode()).hexdigest()
    definition = {"size": 1, "population": population_hash(listed)}
    assert commitment(SEED, definition) == hashlib.sha256(b"yingbao/sample/1\n" + SEED + json.dumps(definition, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    first = min(("DB-2018-000001", "DB-2018-000002"), key=lambda no: hashlib.sha256(SEED + no.encode()).digest())
    assert draw(SEED, [(one.no, one.stratum) for one in listed], 1) == [(first, "x")]


# -- on the record


@pytest.fixture
def cases(district):
    return list(district.road("five cases", None, lambda: [district.apply(district.household(210_000, serial=n)) for n in range(2, 7)]))


def commit(district, who="auditor", size=2, strata=(), purpose="例行抽查", **population):
    with district.office.act(district.people[who]) as act:
        return audit.commit_seed(act, Population(**population), size, strata, purpose)


def drawn(district, no, who="auditor"):
    with district.office.act(district.people[who]) as act:
        return audit.draw_sample(act, no)


def verdict(district, no):
    return {one.name: one.good for one in audit.verify(district.office, no)}


ALL = ("seals", "order", "population", "filter", "commitment", "draw", "rows")


def test_the_seed_is_committed_to_before_anybody_can_know_it(district, cases):
    told = commit(district)
    no = told["sample"]
    with district.office.read() as conn:
        row = audit.sample(conn, "120116", no)
        [body] = conn.scalars(select(store.entry.c.body).where(store.entry.c.record_id == row["id"] >> 16)).all()
        seed = district.office.keys.on(conn).reveal("audit_sample", "kept_seed", row["id"], row["kept_seed"])
        assert row["seed"] is None
        assert audit.drawn_cases(conn, row["id"]) == []
    assert seed.encode() not in body
    assert json.loads(body)["event"] == "sample_seed_committed"
    assert verdict(district, no) == dict.fromkeys(ALL, True) | {"commitment": None, "draw": None}
    found = drawn(district, no)["drawn"]
    assert len(found) == 2
    assert set(found) < set(cases)
    with district.office.read() as conn:
        row = audit.sample(conn, "120116", no)
        assert row["seed"] == seed
        assert [one["case_no"] for one in audit.drawn_cases(conn, row["id"])] == found
    assert found == [one for one, _ in draw(bytes.fromhex(seed), [(c, "") for c in cases], 2)]
    assert verdict(district, no) == dict.fromkeys(ALL, True)
    with pytest.raises(Conflict):
        drawn(district, no)
    assert differences(district.office) == []


def test_cases_may_go_on_afterwards_and_the_sample_still_fits(district, cases):
    no = commit(district, strata=["category"], outcome="open")["sample"]
    district.no = cases[0]
    district.accept()
    drawn(district, no)
    district.apply(district.household(210_000, serial=9))
    assert verdict(district, no) == dict.fromkeys(ALL, True)


def test_only_auditors_and_only_in_their_area(district, cases):
    for who in ("clerk", "sue", "admin", "lee", "app", "rita"):
        with pytest.raises(Refused):
            commit(district, who)
    no = commit(district)["sample"]
    for who in ("clerk", "sue", "admin"):
        with pytest.raises(Refused):
            drawn(district, no, who)
    from processes import organisation

    with district.office.act() as act:
        organisation.add_staff(act, "local", "某某", "binhai-2018", [("auditor", "120116005")], hashed=organisation.hash_password("binhai-2018"))
    with district.office.read() as conn:
        district.people["local"] = organisation.find_actor(conn, "local")
    with pytest.raises(Refused):
        commit(district, "local")
    with pytest.raises(NotFound):
        drawn(district, no, "local")


NO_SAMPLE = [
    ({"size": 0}, "size"), ({"size": 6}, "size"), ({"size": 1001}, "size"), ({"purpose": "  "}, "purpose"), ({"purpose": "长" * 401}, "purpose"), ({"from_on": "3.12.2018"}, "from_on"),
    ({"from_on": "2018-12-03", "until_on": "2018-12-01"}, "until_on"), ({"process": "review-2012"}, "population"), ({"basis": "drawn"}, "basis"), ({"unit": "x"}, "unit")]  # fmt: skip


def test_what_makes_no_sample_is_refused_in_words(district, cases):
    for wrong, field in NO_SAMPLE:
        with pytest.raises(Invalid) as error:
            commit(district, **wrong)
        assert field in error.value.fields, wrong


def test_strata_and_filters(district, cases):
    district.to_refusal()  # a sixth, decided
    no = commit(district, size=2, strata=["outcome", "category"], basis="opened")["sample"]
    found = drawn(district, no)["drawn"]
    with district.office.read() as conn:
        rows = audit.drawn_cases(conn, audit.sample(conn, "120116", no)["id"])
        assert {row["stratum"] for row in rows} == {"open/none", "open/refused_income"}, "one from each stratum"
        assert [one.no for one in audit.cases_of(conn, Population(category="refused_income"))] == [district.no]
        assert audit.cases_of(conn, Population(unit="120116005")) == []
        assert audit.cases_of(conn, Population(basis="closed")) == []
        assert len(audit.cases_of(conn, Population(from_on=district.office.today().isoformat(), until_on=district.office.today().isoformat()))) == 6
    assert district.no in found
    assert verdict(district, no) == dict.fromkeys(ALL, True)


def unguarded(district, *statements):
    """Write past the guard, as somebody with the database file could; on PostgreSQL as the owner who switched its triggers off."""
    engine = district.office.store.engine
    if not district.office.store.sqlite:
        with engine.begin() as conn:
            conn.exec_driver_sql("SET session_replication_role = replica")
            conn.exec_driver_sql("ALTER TABLE entry DISABLE TRIGGER ALL")
            for statement in statements:
                conn.execute(statement)
        return
    from sqlalchemy.dialects import sqlite

    with sqlite3.connect(district.office.store.url.database) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            made = statement.compile(dialect=sqlite.dialect())
            raw.execute(str(made), [made.params[name] for name in made.positiontup])


def body_of(district, no, seq):
    with district.office.read() as conn:
        row = audit.sample(conn, "120116", no)
        return row["id"], json.loads(conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == row["id"] >> 16, store.entry.c.seq == seq)))


def forged(district, no, seq, change):
    """An entry of a sample with another content and the right hash of it, but not resealed."""
    row_id, body = body_of(district, no, seq)
    change(body)
    written = canonical(body)
    entry = store.entry.c
    return update(store.entry).where(entry.record_id == row_id >> 16, entry.seq == seq).values(body=written, leaf=hashlib.sha256(b"\x00" + written).hexdigest())


def test_another_seed_is_found(district, cases):
    no = commit(district)["sample"]
    drawn(district, no)
    unguarded(district, forged(district, no, 2, lambda body: body["data"].update(seed=SEED.hex())))
    found = verdict(district, no)
    assert found["commitment"] is False
    assert found["seals"] is False, "the head of the record is another"
    assert found["rows"] is False


def test_another_drawn_case_is_found(district, cases):
    no = commit(district)["sample"]
    told = drawn(district, no)["drawn"]
    other = next(one for one in cases if one not in told)
    unguarded(district, forged(district, no, 2, lambda body: body["data"].update(drawn=[[other, ""], [told[1], ""]])))
    assert verdict(district, no)["draw"] is False


def test_a_case_left_out_of_the_population_is_found(district, cases):
    no = commit(district)["sample"]
    district.clock.advance(minutes=5)

    def leave_out(body):
        body["data"]["cases"] = body["data"]["cases"][1:]
        body["data"]["definition"]["cases"] -= 1

    unguarded(district, forged(district, no, 1, leave_out))
    found = verdict(district, no)
    assert found["population"] is False
    assert found["seals"] is False


def test_the_filter_must_give_the_list(district, cases):
    """Whoever commits to a list that is not what its filter gives is found, however well it is sealed."""
    district.clock.advance(minutes=5)
    real = audit.cases_of

    def short(conn, population, strata=()):
        return real(conn, population, strata)[1:]

    audit.cases_of = short
    try:
        no = commit(district)["sample"]
    finally:
        audit.cases_of = real
    found = verdict(district, no)
    assert found["filter"] is False
    assert found["population"] is True


def test_a_case_of_the_population_that_was_altered_is_found(district, cases):
    no = commit(district)["sample"]
    entry = store.entry.c
    with district.office.read() as conn:
        record_id = conn.scalar(select(store.record.c.id).where(store.record.c.no == cases[0]))
    unguarded(district, update(store.entry).where(entry.record_id == record_id, entry.seq == 1).values(leaf="0" * 64))
    assert verdict(district, no)["population"] is False


def test_rows_that_say_something_else_are_found(district, cases):
    no = commit(district)["sample"]
    told = drawn(district, no)["drawn"]
    other = next(one for one in cases if one not in told)
    with district.office.store.write() as conn:
        conn.execute(update(audit_sample_case).where(audit_sample_case.c.case_no == told[0]).values(case_no=other))
    assert verdict(district, no)["rows"] is False
    with district.office.store.write() as conn:
        conn.execute(update(audit_sample_case).where(audit_sample_case.c.case_no == other).values(case_no=told[0]))
        conn.execute(update(audit_sample).values(commitment="0" * 64))
    assert verdict(district, no)["rows"] is False


def test_a_repeat_with_the_same_key_is_one_sample(district, cases):
    told = []
    for _ in range(2):
        with district.office.act(district.people["auditor"], ("k", ["x"])) as act:
            told.append(audit.commit_seed(act, Population(), 2, (), "例行"))
    assert told[0] == told[1]
    with district.office.read() as conn:
        assert audit.samples(conn, "120116").total == 1
