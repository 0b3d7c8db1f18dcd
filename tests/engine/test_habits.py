"""What people do around a task: it changes rows and the record, never the tokens; taking back is a cause that replay does again."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from engine import deadlines, habits, queries, store
from engine.bpmn import Run
from engine.errors import Conflict, EngineError, Invalid, Refused
from engine.office import history, seals_hold
from engine.step import fingerprint
from processes import organisation, substitutes
from processes.rebuild import differences
from tests.district import HASHED, PASSWORD, REVIEWERS, STREET

EXTRA = {"paul": [("reviewer", STREET)], "deputy": [("street_leader", STREET)], "ben": [("supervisor", STREET)], "dora": [("district_examiner", "120116")]}


class Around:
    """The habits, as somebody, on the open task of a node."""

    def __init__(self, district: Any, to: str = "nothing") -> None:
        """`to`: the name of a further road below, gone with that of the people who come."""
        self.d = district
        district.road(f"around-{to}", None, getattr(self, f"_{to}"))
        with district.office.read() as conn:
            district.people |= {login: organisation.find_actor(conn, login) for login in EXTRA}

    def _nothing(self) -> None:
        with self.d.office.act() as act:
            for login, posts in EXTRA.items():
                organisation.add_staff(act, login, f"某{login}", PASSWORD, posts, hashed=HASHED)

    def _opinion(self) -> None:
        self._nothing()
        self.d.to_street_opinion()
        self.d.review()

    def __call__(self, who: str, verb: str, node: str | int, *args: Any, **kind: Any) -> dict[str, Any]:
        task_id = node if isinstance(node, int) else self.d.tasks()[node]["id"]
        with self.d.office.act(self.d.people[who]) as act:
            return getattr(self.d.bureau.habits, verb)(act, task_id, *args, **kind)

    def rule(self, who: str, verb: str, node: str | int, *args: Any, **kind: Any) -> str:
        before = self.heads()
        with pytest.raises(Refused) as refused:
            self(who, verb, node, *args, **kind)
        assert self.heads() == before, "what is refused changes nothing"
        assert refused.value.en.isascii()
        return refused.value.rule

    def heads(self) -> Any:
        with self.d.office.read() as conn:
            tables = [conn.execute(select(t)).all() for t in (store.task, store.task_signer, store.held, store.urge, store.case_copy, store.case_comment, store.case_note)]
            return conn.execute(select(store.record.c.id, store.record.c.head).order_by(store.record.c.id)).all(), tables

    def last(self) -> Any:
        with self.d.office.read() as conn:
            return history(conn, self.d.office.keys.on(conn), self.d.case()["id"])[-1]

    def task(self, task_id: int) -> Any:
        with self.d.office.read() as conn:
            return conn.execute(select(store.task).where(store.task.c.id == task_id)).mappings().one()

    def draft(self, who: str, task_id: int) -> Any:
        from web.tasks import _draft

        with self.d.office.read() as conn:
            return _draft(conn, self.d.office.keys.on(conn), task_id, self.d.people[who])[0]

    def proven(self) -> None:
        with self.d.office.read() as conn:
            row = self.d.case()
            entries = history(conn, self.d.office.keys.on(conn), row["id"])
            assert seals_hold(entries) is None
            run = self.d.cases.replayed(conn, self.d.office.keys.on(conn), row["id"])[-1][1]
            assert run.packed(run.dump()) == row["state"], "replay gives the stored state, byte for byte"
        assert differences(self.d.office) == []


@pytest.fixture
def around(district) -> Around:
    return Around(district)


@pytest.fixture
def opinion(district) -> Around:
    """A case whose street opinion is due."""
    return Around(district, "opinion")


GRANT = {"street_outcome": "propose_grant", "opinion": "拟同意"}


# -- 加签 before


def test_a_signer_before_has_to_answer_first_and_his_answer_decides_nothing(opinion, district):
    tokens = district.case()["state"]
    opinion("rita", "add_signers", "street_opinion", "before", ["paul", "officer"], "收入口径请把关")
    with pytest.raises(Refused) as refused:
        district.do("rita", "street_opinion", **GRANT)
    assert refused.value.rule == "countersign"
    opinion("paul", "sign", "street_opinion", agrees=False, words="还应核实奖金")
    assert district.case()["state"] == tokens
    with pytest.raises(Refused, match="officer"):
        district.do("rita", "street_opinion", **GRANT)
    opinion("officer", "sign", "street_opinion", agrees=True, words="同意")
    assert district.case()["state"] == tokens, "opinions move no token"
    with district.office.read() as conn:
        said = habits.opinions(conn, district.office.keys.on(conn), district.tasks()["street_opinion"]["id"])
    assert [(s["staff"], s["state"], s["words"], s["question"]) for s in said] == [
        ("paul", "disagreed", "还应核实奖金", "收入口径请把关"), ("officer", "agreed", "同意", "收入口径请把关")]  # fmt: skip
    district.do("rita", "street_opinion", **GRANT)
    assert set(district.tasks()) == {"street_signoff"}
    opinion.proven()


def test_words_of_signers_stand_in_no_entry(opinion, district):
    opinion("rita", "add_signers", "street_opinion", "before", ["paul"], "机密问题")
    opinion("paul", "sign", "street_opinion", agrees=True, words="机密答复")
    with district.office.read() as conn:
        bodies = b"".join(conn.scalars(select(store.entry.c.body)))
        rows = conn.execute(select(store.task_signer.c.question, store.task_signer.c.words)).all()
    assert "机密".encode() not in bodies
    assert all("机密".encode() not in part for row in rows for part in row)


def test_who_signs_has_touched_the_case(opinion, district):
    opinion("rita", "add_signers", "street_opinion", "before", ["app"], "请提前看")
    opinion("app", "sign", "street_opinion", agrees=True, words="看过")
    acts = [(a.node, a.staff) for a in _acts(district)]
    assert ("street_opinion", "app") in acts
    task = {"node": "decide", "role": "approver", "unit": "120116", "assignee": None}
    from engine.cases import barred

    with district.office.read() as conn:
        broken = barred(conn, district.cases.processes["dibao-2012"], district.facts(), _acts(district), task, "claim", district.people["app"])
    assert broken is not None
    assert broken.rule == "approver-touched"


def _acts(district):
    from engine.cases import acts_of

    with district.office.read() as conn:
        return acts_of(district.case()["opened_by"], queries.case_tasks(conn, district.case()["id"]))


ODD = [
    ("before", [], "问", "至少"),
    ("before", ["paul", "paul"], "问", "重复"),
    ("before", ["nobody"], "问", "没有这位"),
    ("around", ["paul"], "问", "before"),
    ("before", ["paul"], "  ", "必须"),
    ("before", [f"p{n}" for n in range(11)], "问", "最多"),
    ("before", ["paul"], "问" * 2001, "最多"),
]


def test_odd_askings_are_refused(opinion):
    before = opinion.heads()
    for kind, staff, words, error in ODD:
        with pytest.raises(Invalid, match=error):
            opinion("rita", "add_signers", "street_opinion", kind, staff, words)
        assert opinion.heads() == before, (kind, staff, words[:9])


def test_signers_are_held_to_the_rules(opinion):
    for who, staff, rule in (
        ("rita", "rita", "own-countersign"),  # oneself
        ("rita", "ann", "investigator-reviews"),  # investigated this case
        ("rita", "clerk", "acceptor-reviews"),  # accepted it
        ("rita", "stranger", "unit"),  # another street
        ("rita", "auditor", "watcher-signs"),  # only looks on
        ("rita", "admin", "watcher-signs"),
        ("ann", "paul", "role"),  # may not do the task herself
    ):
        assert opinion.rule(who, "add_signers", "street_opinion", "before", [staff], "问") == rule, (who, staff)
        assert opinion.rule(who, "add_signers", "street_opinion", "after", [staff], "问") == rule, (who, staff)


def test_nobody_is_asked_twice_and_nobody_answers_twice(opinion):
    opinion("rita", "add_signers", "street_opinion", "before", ["paul"], "问")
    with pytest.raises(Invalid, match="paul"):
        opinion("rita", "add_signers", "street_opinion", "after", ["paul"], "问")
    opinion("paul", "sign", "street_opinion", agrees=True, words="同意")
    assert opinion.rule("paul", "sign", "street_opinion", agrees=True, words="同意") == "not-asked"
    assert opinion.rule("officer", "sign", "street_opinion", agrees=True, words="同意") == "not-asked"


def test_a_signer_who_meanwhile_acted_elsewhere_may_not_sign_any_more(around, district):
    """The rule is asked again when he answers."""
    district.to_street_opinion()
    around("officer", "add_signers", "democratic_review", "before", ["carl"], "问")
    assert around.rule("officer", "add_signers", "democratic_review", "before", ["officer"], "问") == "own-countersign"
    around("carl", "sign", "democratic_review", agrees=True, words="好")
    district.review()
    assert around.rule("rita", "add_signers", "street_opinion", "before", ["ann"], "问") == "investigator-reviews"


def test_a_signer_cannot_complete_what_he_signs(opinion, district):
    opinion("rita", "add_signers", "street_opinion", "before", ["paul"], "问")
    opinion("paul", "sign", "street_opinion", agrees=True, words="同意")
    with pytest.raises(Refused) as refused:
        district.do("paul", "street_opinion", **GRANT)
    assert refused.value.rule == "own-countersign"


# -- 减签


def test_a_signer_is_withdrawn_with_a_reason_and_the_record_says_when_he_was_the_last(opinion, district):
    opinion("rita", "add_signers", "street_opinion", "before", ["paul", "officer"], "问")
    assert opinion.rule("paul", "withdraw_signer", "street_opinion", "officer", "多余") == "not-asker"
    with pytest.raises(Invalid):
        opinion("rita", "withdraw_signer", "street_opinion", "officer", " ")
    opinion("rita", "withdraw_signer", "street_opinion", "officer", "出差")
    assert opinion.last().data == {"task": "street_opinion.1", "kind": "before", "staff": "officer", "last": False}
    opinion("ben", "withdraw_signer", "street_opinion", "paul", "不必再等")
    assert opinion.last().data["last"] is True
    assert opinion.last().actor == "ben"
    assert opinion.rule("rita", "withdraw_signer", "street_opinion", "paul", "再来") == "not-asked"
    district.do("rita", "street_opinion", **GRANT)
    opinion.proven()


# -- 加签 after


@pytest.fixture
def handed_in(opinion, district) -> Around:
    opinion("rita", "add_signers", "street_opinion", "after", ["paul", "officer"], "请会签")
    told = district.do("rita", "street_opinion", **GRANT)
    assert (told["opened"], told["waits_for_signers"]) == ([], ["officer", "paul"])
    return opinion


def test_what_is_handed_in_opens_nothing_until_all_have_agreed(handed_in, district):
    task = district.tasks()["street_opinion"]
    assert (task["state"], task["flags"], task["assignee"], task["done_by"]) == ("open", "countersign", "rita", None)
    with pytest.raises(Conflict):
        district.do("rita", "street_opinion", **GRANT)
    for verb in ("release", "transfer", "delegate"):
        with pytest.raises(Conflict), district.office.act(district.people["rita"]) as act:
            getattr(district.cases, verb)(act, task["id"], *(("paul", "忙") if verb != "release" else ()))
    handed_in("paul", "sign", "street_opinion", agrees=True, words="同意")
    assert set(district.tasks()) == {"street_opinion"}
    handed_in("officer", "sign", "street_opinion", agrees=True, words="同意")
    assert set(district.tasks()) == {"street_signoff"}
    entry = handed_in.last()
    assert (entry.event, entry.actor, entry.said["actor"]["for"], entry.data["completer"]) == ("task_completed", "officer", "rita", "rita")
    assert entry.data["facts"]["street_outcome"] == "propose_grant"
    assert handed_in.task(task["id"])["done_by"] == "rita"
    handed_in.proven()


def test_one_who_disagrees_sends_it_back_and_all_are_asked_again(handed_in, district):
    handed_in("paul", "sign", "street_opinion", agrees=True, words="同意")
    handed_in("officer", "sign", "street_opinion", agrees=False, words="意见太简单")
    task = district.tasks()["street_opinion"]
    assert (task["flags"], task["state"], handed_in.last().data["returned"]) == ("", "open", True)
    assert handed_in.draft("rita", task["id"]) == GRANT
    told = district.do("rita", "street_opinion", **{**GRANT, "opinion": "拟同意，理由如下"})
    assert told["waits_for_signers"] == ["officer", "paul"], "who agreed to the first version is asked about the second"
    for who in ("paul", "officer"):
        handed_in(who, "sign", "street_opinion", agrees=True, words="同意")
    assert set(district.tasks()) == {"street_signoff"}
    handed_in.proven()


def test_withdrawing_the_last_signer_does_not_complete_the_task(handed_in, district):
    handed_in("paul", "sign", "street_opinion", agrees=True, words="同意")
    handed_in("rita", "withdraw_signer", "street_opinion", "officer", "出差")
    assert handed_in.last().data == {"task": "street_opinion.1", "kind": "after", "staff": "officer", "last": True, "returned": True}
    assert set(district.tasks()) == {"street_opinion"}
    district.do("rita", "street_opinion", **GRANT)
    assert set(district.tasks()) == {"street_signoff"}
    handed_in.proven()


def test_nobody_signs_before_it_is_handed_in(opinion):
    opinion("rita", "add_signers", "street_opinion", "after", ["paul"], "问")
    assert opinion.rule("paul", "sign", "street_opinion", agrees=True, words="同意") == "not-handed-in"


def test_a_completer_who_may_not_any_more_gets_it_back_instead(handed_in, district):
    with district.office.act() as act:
        organisation.change_posts(act, "rita", [("window_clerk", STREET)])
    handed_in("paul", "sign", "street_opinion", agrees=True, words="同意")
    handed_in("officer", "sign", "street_opinion", agrees=True, words="同意")
    assert (handed_in.last().event, handed_in.last().data["why"]) == ("signer_answered", "role")
    assert set(district.tasks()) == {"street_opinion"}
    handed_in.proven()


def test_two_last_signers_at_once_complete_it_once(handed_in, district):
    handed_in("paul", "sign", "street_opinion", agrees=True, words="同意")
    outcomes, ready = [], threading.Barrier(6)
    task_id = district.tasks()["street_opinion"]["id"]

    def press() -> None:
        ready.wait()
        try:
            handed_in("officer", "sign", task_id, agrees=True, words="同意")
            outcomes.append("signed")
        except EngineError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("signed") == 1
    assert set(outcomes) <= {"signed", "Conflict", "Refused"}
    handed_in.proven()


def test_a_withdrawn_application_ends_the_waiting(handed_in, district):
    task_id = district.tasks()["street_opinion"]["id"]
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-03", reason="不再申请")
    with pytest.raises(Conflict):
        handed_in("paul", "sign", task_id, agrees=True, words="同意")
    handed_in.proven()


# -- 委派


def test_when_a_delegate_completes_the_owner_is_named_and_counts(opinion, district):
    task = district.tasks()["street_opinion"]
    with district.office.act(district.people["rita"]) as act:
        district.cases.claim(act, task["id"])
    with district.office.act(district.people["rita"]) as act:
        district.cases.delegate(act, task["id"], "paul", "出差")
    district.do("paul", "street_opinion", **GRANT)
    assert opinion.last().data["owner"] == "rita"
    assert opinion.task(task["id"])["done_for"] == "rita"
    assert {("street_opinion", "rita"), ("street_opinion", "paul")} <= {(a.node, a.staff) for a in _acts(district)}
    opinion.proven()


@pytest.fixture
def lent(opinion, district):
    """`lent(to, until)`: rita delegates her opinion to somebody; the task's number."""
    with district.office.act() as act:
        organisation.add_staff(act, "high", "区审核", PASSWORD, [("reviewer", "120116")])
    with district.office.read() as conn:
        district.people["high"] = organisation.find_actor(conn, "high")
    task_id = district.tasks()["street_opinion"]["id"]
    with district.office.act(district.people["rita"]) as act:
        district.cases.claim(act, task_id)

    def lend(to, until, who="rita"):
        with district.office.act(district.people[who]) as act:
            return district.cases.delegate(act, task_id, to, "出差", until)

    lend.id = task_id
    return lend


@pytest.mark.parametrize(("to", "until", "rule"), [
    ("high", "2018-12-05", "downward"), ("paul", "2018-12-02", "time-limited"), ("paul", "2019-03-05", "time-limited"), ("ann", "2018-12-05", "role")])
def test_a_delegation_goes_downward_and_is_limited_in_time(lent, district, to, until, rule):
    with pytest.raises(Refused) as refused:
        lent(to, until)
    assert refused.value.rule == rule
    assert district.tasks()["street_opinion"]["assignee"] == "rita"


def test_a_delegation_s_last_day_is_a_day(lent):
    with pytest.raises(Invalid) as wrong:
        lent("paul", "soon")
    assert set(wrong.value.fields) == {"until"}


def test_without_a_day_a_delegation_lasts_a_week_where_the_task_has_no_deadline(lent, district, opinion):
    lent("paul", "")
    assert opinion.task(lent.id)["until_on"] == "2018-12-10"
    assert opinion.last().data["until_on"] == "2018-12-10"
    with pytest.raises(Refused) as refused:
        lent("rita", "2018-12-05", who="paul")
    assert refused.value.rule == "delegated-on"


def test_when_a_delegation_is_over_the_task_is_its_owner_s_again(lent, district, opinion):
    lent("paul", "2018-12-05")
    district.clock.set("2018-12-05T23:00")
    assert opinion.task(lent.id)["assignee"] == "paul"
    district.clock.set("2018-12-06T00:00")  # before the daily sweep has run
    for verb in (lambda: district.do("paul", "street_opinion", **GRANT), lambda: lent("rita", "2018-12-08", who="paul")):
        with pytest.raises(Refused) as refused:
            verb()
        assert refused.value.rule == "delegation-over"
    district.at("2018-12-06T00:30")
    row = opinion.task(lent.id)
    assert (row["assignee"], row["owner"], row["until_on"]) == ("rita", None, None)
    assert opinion.last().event == "delegation_ended"
    district.at("2018-12-07T00:30")
    district.do("rita", "street_opinion", **GRANT)
    assert opinion.task(lent.id)["done_for"] is None
    opinion.proven()


def test_what_was_lent_and_is_given_on_for_good_has_no_end(lent, district, opinion):
    lent("paul", "2018-12-05")
    with district.office.act(district.people["paul"]) as act:
        district.cases.transfer(act, lent.id, "rita", "退还")
    district.at("2018-12-06T00:30")
    assert opinion.task(lent.id)["assignee"] == "rita"
    assert opinion.last().event == "task_transferred"
    opinion.proven()


def test_many_delegations_end_in_batches(lent, district, monkeypatch):
    monkeypatch.setattr(deadlines, "AT_ONCE", 1)
    lent("paul", "2018-12-04")
    other = district.no
    district.to_street_opinion(serial=2)
    district.review()
    second = district.tasks()["street_opinion"]["id"]
    with district.office.act(district.people["rita"]) as act:
        district.cases.claim(act, second)
    with district.office.act(district.people["rita"]) as act:
        district.cases.delegate(act, second, "paul", "出差", "2018-12-04")
    district.at("2018-12-06T00:30")
    assert [district.tasks(no)["street_opinion"]["assignee"] for no in (other, district.no)] == ["rita", "rita"]


# -- 催办, 抄送, 办理意见, 备注


def test_urging_is_for_once_a_day(opinion, district, clock):
    task = district.tasks()["street_opinion"]["id"]
    assert opinion("clerk", "urge", task)["task"] == task
    assert opinion.rule("clerk", "urge", task) == "urged-today"
    opinion("sue", "urge", task, "请抓紧")
    assert opinion.rule("stranger", "urge", task) == "handler"
    clock.set("2018-12-04T00:01")
    opinion("clerk", "urge", task)
    with district.office.read() as conn:
        assert [(u["staff"], u["urged_on"]) for u in habits.urges(conn, task)] == [("clerk", "2018-12-03"), ("sue", "2018-12-03"), ("clerk", "2018-12-04")]
    opinion.proven()


def test_nobody_urges_himself(opinion, district):
    with district.office.act(district.people["rita"]) as act:
        district.cases.claim(act, district.tasks()["street_opinion"]["id"])
    assert opinion.rule("rita", "urge", "street_opinion") == "own-task"


def test_twenty_urges_at_once_are_one(opinion, district):
    task, outcomes, ready = district.tasks()["street_opinion"]["id"], [], threading.Barrier(8)

    def press() -> None:
        ready.wait()
        try:
            opinion("clerk", "urge", task)
            outcomes.append("urged")
        except EngineError:
            outcomes.append("refused")

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("urged") == 1


def test_a_copy_goes_to_who_may_see_the_case_anyway_and_is_marked_read_on_purpose(opinion, district):
    task = district.tasks()["street_opinion"]["id"]
    assert opinion.rule("rita", "copy", task, ["stranger"]) == "unit"
    for odd in ([], ["auditor", "auditor"], ["rita"], ["nobody"]):
        with pytest.raises(Invalid):
            opinion("rita", "copy", task, odd)
    opinion("rita", "copy", task, ["auditor", "exam"])
    with pytest.raises(Invalid):
        opinion("rita", "copy", task, ["exam"])
    with district.office.read() as conn:
        assert task in [r["id"] for r in queries.tasks(conn, district.people["exam"], "copied").items]
    assert opinion.rule("paul", "mark_read", task) == "not-copied"
    opinion("exam", "mark_read", task)
    opinion("exam", "mark_read", task)
    with district.office.read() as conn:
        assert [(c["staff"], c["read_on"]) for c in habits.copies(conn, task)] == [("auditor", None), ("exam", "2018-12-03")]
        events = [e.event for e in history(conn, district.office.keys.on(conn), district.case()["id"])]
    assert events.count("copy_read") == 1
    opinion.proven()


def test_a_comment_is_in_the_file_and_a_note_is_not(opinion, district):
    task = district.tasks()["street_opinion"]["id"]
    head = district.case()["head"]
    opinion("rita", "note", task, "下午打电话")
    assert district.case()["head"] == head, "a note is not in the record"
    opinion("rita", "comment", task, "请注意奖金")
    assert opinion.rule("stranger", "comment", task, "x") == "handler"
    assert opinion.rule("stranger", "note", task, "x") == "handler"
    for text in ("", " ", "x" * 2001):
        with pytest.raises(Invalid):
            opinion("rita", "comment", task, text)
        with pytest.raises(Invalid):
            opinion("rita", "note", task, text)
    with district.office.read() as conn:
        keys, row = district.office.keys.on(conn), district.case()
        assert [c["text"] for c in habits.comments(conn, keys, row["id"])] == ["请注意奖金"]
        assert [n["text"] for n in habits.notes(conn, keys, row)] == ["下午打电话"]
        assert "下午".encode() not in conn.scalar(select(store.case_note.c.sealed))
        assert b"\xe8\xaf\xb7" not in b"".join(conn.scalars(select(store.entry.c.body).where(store.entry.c.record_id == row["id"])))
    opinion.proven()


# -- 离职转办


def leave(district, login):
    with district.office.act() as act:
        organisation.deactivate(act, login)


def hand_over(district, who, leaver, to, reason="离职"):
    with district.office.act(district.people[who]) as act:
        return district.bureau.habits.hand_over(act, district.no, leaver, to, reason)


def test_a_leavers_tasks_go_to_who_may_do_them(opinion, district):
    task = district.tasks()["street_opinion"]["id"]
    with district.office.act(district.people["rita"]) as act:
        district.cases.claim(act, task)
    with pytest.raises(Refused) as refused:
        hand_over(district, "ben", "rita", "paul")
    assert refused.value.rule == "still-here"
    leave(district, "rita")
    with pytest.raises(Refused) as refused:
        hand_over(district, "officer", "rita", "paul")
    assert refused.value.rule == "supervisor"
    told = hand_over(district, "ben", "rita", "ann")
    assert (told["moved"], [s["rule"] for s in told["stayed"]]) == ([], ["role"])
    assert opinion.task(task)["assignee"] == "rita"
    told = hand_over(district, "ben", "rita", "paul")
    assert (told["moved"], told["stayed"]) == ([task], [])
    assert opinion.task(task)["assignee"] == "paul"
    assert opinion.last().data == {"from": "rita", "to": "paul", "tasks": ["street_opinion.1"], "stayed": {}}
    district.do("paul", "street_opinion", **GRANT)
    opinion.proven()


def test_what_is_handed_in_stays_with_the_leaver_until_its_signers_are_withdrawn(handed_in, district):
    leave(district, "rita")
    assert [s["rule"] for s in hand_over(district, "ben", "rita", "paul")["stayed"]] == ["countersign"]
    handed_in("paul", "sign", "street_opinion", agrees=True, words="同意")
    handed_in("officer", "sign", "street_opinion", agrees=True, words="同意")
    assert handed_in.last().data["why"] == "left"
    with district.office.act() as act:
        organisation.add_staff(act, "nina", "某nina", PASSWORD, [("reviewer", STREET)], hashed=HASHED)
    assert hand_over(district, "ben", "rita", "nina")["moved"]
    handed_in.proven()


# -- 代理


def appoint(district, by, absent, who, start="2018-12-03", end="2018-12-10", roles=()):
    with district.office.act(district.people[by]) as act:
        return substitutes.appoint(act, absent, who, start, end, "病假", roles)


def standing(district, who):
    with district.office.read() as conn:
        return substitutes.standing(conn, district.people[who], district.office.today())


def as_substitute(district, who, node):
    task = district.tasks()[node]
    return substitutes.as_whom(district.people[who], standing(district, who), task), task


def test_a_substitute_acts_in_the_name_of_the_absent_one_for_the_period(opinion, district, clock):
    appoint(district, "lee", "lee", "paul", "2018-12-04", "2018-12-05")
    district.do("rita", "street_opinion", **GRANT)
    assert standing(district, "paul") == []
    clock.set("2018-12-04T09:00")
    actor, task = as_substitute(district, "paul", "street_signoff")
    assert (actor.id, actor.on_behalf_of, actor.roles) == ("paul", "lee", {"street_leader"})
    with district.office.read() as conn:
        assert [r["id"] for r in queries.tasks(conn, district.people["paul"], "substitute", standing=[actor]).items] == [task["id"]]
    with district.office.act(actor) as act:
        district.cases.claim(act, task["id"])
    assert district.tasks()["street_signoff"]["assignee"] == "lee", "what a substitute takes stays with the absent one"
    with district.office.act(actor) as act:
        district.cases.complete(act, task["id"], {"signoff": "agree", "opinion": "同意"})
    assert opinion.last().said["actor"] == {"id": "paul", "unit": STREET, "for": "lee"}
    done = opinion.task(task["id"])
    assert (done["done_by"], done["done_for"]) == ("paul", "lee")
    assert {("street_signoff", "lee"), ("street_signoff", "paul")} <= {(a.node, a.staff) for a in _acts(district)}
    clock.set("2018-12-06T00:00")
    assert standing(district, "paul") == []
    opinion.proven()


def test_the_rules_hold_for_both(opinion, district):
    appoint(district, "lee", "lee", "rita")
    district.do("rita", "street_opinion", **GRANT)
    actor, task = as_substitute(district, "rita", "street_signoff")
    assert actor.on_behalf_of == "lee"
    with pytest.raises(Refused) as refused, district.office.act(actor) as act:
        district.cases.complete(act, task["id"], {"signoff": "agree", "opinion": "同意"})
    assert refused.value.rule == "own-opinion", "the substitute wrote the opinion himself"


def test_the_rules_of_the_absent_one_bind_his_substitute(around, district):
    with district.office.act() as act:
        organisation.change_posts(act, "ann", [("investigator", STREET), ("reviewer", STREET)])
    district.to_street_opinion()
    district.review()
    appoint(district, "ann", "ann", "carl")
    actor, task = as_substitute(district, "carl", "street_opinion")
    assert actor.on_behalf_of == "ann"
    with pytest.raises(Refused, match="ann") as refused, district.office.act(actor) as act:
        district.cases.complete(act, task["id"], GRANT)
    assert refused.value.rule == "investigator-reviews", "the absent one investigated"


@pytest.mark.parametrize(
    ("by", "absent", "who", "rule"),
    [
        ("rita", "lee", "rita", "own-substitute"),
        ("officer", "lee", "rita", "supervisor"),
        ("lee", "lee", "exam", "downward"),  # the district does not stand in for a street
        ("lee", "lee", "stranger", "downward"),  # another street
        ("vera", "vera", "ann", "downward"),  # nor a street for a community
    ],
)
def test_only_downward_or_on_the_same_level_and_by_who_may_say_so(around, district, by, absent, who, rule):
    with pytest.raises(Refused) as refused:
        appoint(district, by, absent, who)
    assert refused.value.rule == rule


def test_periods_and_chains(around, district, clock):
    for start, end in (("2018-12-02", "2018-12-05"), ("2018-12-05", "2018-12-04"), ("2018-12-03", "2019-03-05"), ("x", "y")):
        with pytest.raises(Invalid):
            appoint(district, "lee", "lee", "paul", start, end)
    with pytest.raises(Invalid):
        appoint(district, "lee", "lee", "lee")
    with pytest.raises(Invalid):
        appoint(district, "lee", "lee", "paul", roles=["approver"])
    with pytest.raises(Refused) as refused:
        appoint(district, "admin", "admin", "admin2")
    assert refused.value.rule == "downward", "an administrator's post is never lent"
    row = appoint(district, "ben", "lee", "paul")
    for absent, who, rule in (("lee", "deputy", "one-substitute"), ("paul", "rita", "no-chain"), ("rita", "lee", "no-chain")):
        with pytest.raises(Refused) as refused:
            appoint(district, absent, absent, who)
        assert refused.value.rule == rule
    assert [a.on_behalf_of for a in standing(district, "paul")] == ["lee"]
    with pytest.raises(Refused), district.office.act(district.people["rita"]) as act:
        substitutes.end(act, row)
    with district.office.act(district.people["lee"]) as act:
        substitutes.end(act, row)
    assert standing(district, "paul") == []
    with pytest.raises(Conflict), district.office.act(district.people["lee"]) as act:
        substitutes.end(act, row)
    assert differences(district.office) == []


def test_a_leaver_lends_nothing(around, district):
    appoint(district, "lee", "lee", "paul")
    leave(district, "lee")
    assert standing(district, "paul") == []


# -- 拿回


def test_taking_back_puts_the_tokens_where_they_stood(opinion, district):
    before, old = district.case()["state"], district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", **GRANT)
    new = district.tasks()["street_signoff"]["id"]
    told = opinion("rita", "take_back", old, "金额写错")
    assert told["opened"] == ["street_opinion.1"]
    assert district.case()["state"] == before
    assert opinion.last().data["state"] == fingerprint(before)
    assert district.facts().get("street_outcome") is None
    task = opinion.task(old)
    assert (task["state"], task["assignee"], task["done_by"], task["closed_at"]) == ("open", "rita", None, None)
    assert opinion.task(new)["state"] == "withdrawn"
    assert opinion.draft("rita", old) == GRANT
    opinion.proven()
    assert opinion.rule("rita", "take_back", new, "再来") == "take-back-own"
    district.do("rita", "street_opinion", **{**GRANT, "opinion": "改正后拟同意"})
    again = district.tasks()["street_signoff"]
    assert (again["key"], again["flags"]) == ("street_signoff.1", "")
    opinion("rita", "take_back", old, "又错了")
    opinion.proven()
    district.do("rita", "street_opinion", **GRANT)
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    opinion.proven()


def test_one_step_is_taken_back_and_only_by_who_did_it(opinion, district):
    old = district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", **GRANT)
    for who in ("paul", "lee", "ben", "stranger"):
        assert opinion.rule(who, "take_back", old, "错") == "take-back-own"
    with pytest.raises(Invalid):
        opinion("rita", "take_back", old, " ")
    with district.office.read() as conn:
        earlier = next(t["id"] for t in queries.case_tasks(conn, district.case()["id"]) if t["node"] == "democratic_review")
    assert opinion.rule("officer", "take_back", earlier, "错") == "take-back-later"


@pytest.mark.parametrize("how", ["seen", "claimed", "released", "draft", "urged", "signers", "comment"])
def test_what_somebody_has_looked_at_is_not_taken_back(opinion, district, how):
    old = district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", **GRANT)
    new = district.tasks()["street_signoff"]["id"]
    if how == "seen":
        opinion("lee", "mark_seen", new)
    elif how in ("claimed", "released"):
        with district.office.act(district.people["lee"]) as act:
            district.cases.claim(act, new)
        if how == "released":
            with district.office.act(district.people["lee"]) as act:
                district.cases.release(act, new)
    elif how == "draft":
        with district.office.act(district.people["lee"]) as act:
            district.cases.save_draft(act, new, {"opinion": "草稿"})
    elif how == "urged":
        opinion("clerk", "urge", new)
    elif how == "signers":
        opinion("lee", "add_signers", new, "before", ["deputy"], "问")
    else:
        opinion("lee", "comment", new, "看过")
    assert opinion.rule("rita", "take_back", old, "错") == "take-back-opened"


def test_who_opens_his_own_next_task_may_still_take_back(opinion, district):
    old = district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", **GRANT)
    opinion("rita", "mark_seen", "street_signoff")
    opinion("rita", "take_back", old, "错")
    opinion.proven()


def test_a_countersigned_completion_is_not_taken_back(handed_in, district):
    old = district.tasks()["street_opinion"]["id"]
    for who in ("paul", "officer"):
        handed_in(who, "sign", "street_opinion", agrees=True, words="同意")
    assert handed_in.rule("rita", "take_back", old, "错") == "take-back-countersigned"


def test_opening_and_taking_back_at_once(opinion, district):
    """Either the opening is first, and taking back is refused; or the task is gone, and no mark is left."""
    old = district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", **GRANT)
    new, ready, outcomes = district.tasks()["street_signoff"]["id"], threading.Barrier(2), []

    def press(who: str, verb: str, *args: Any) -> None:
        ready.wait()
        try:
            opinion(who, verb, *args)
            outcomes.append(verb)
        except EngineError as error:
            outcomes.append(getattr(error, "rule", type(error).__name__))

    threads = [threading.Thread(target=press, args=a) for a in (("rita", "take_back", old, "错"), ("lee", "mark_seen", new))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with district.office.read() as conn:
        marks = conn.scalars(select(store.task_seen.c.staff).where(store.task_seen.c.task_id == new)).all()
    assert ("take_back" in outcomes) == (marks == [])
    opinion.proven()


def test_replay_notices_a_taking_back_that_did_not_follow(opinion, district):
    from engine.errors import Diverged

    old = district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", **GRANT)
    opinion("rita", "take_back", old, "错")
    for change in ({"undoes": 1}, {"task": "home_survey.1"}, {"state": "0" * 32}, {"then": {}}):
        with district.office.read() as conn:
            entries = history(conn, district.office.keys.on(conn), district.case()["id"])
            entries[-1].said["data"].update(change)
            with pytest.raises(Diverged) as diverged:
                list(district.cases.replaying(conn, entries))
        assert diverged.value.seq == len(entries)


# Every completion of two roads through the drawing: which of them can be taken back at once.
TAKEN_BACK = {
    "completeness_check": "take-back-effects", "means_check": None, "home_survey": None, "survey_cosign": None, "neighbor_enquiry": None,
    "democratic_review": None, "street_opinion": None, "street_signoff": None, "post_street_notice": "take-back-effects",
    "remove_street_notice": "take-back-effects", "submit_to_district": "take-back-effects", "spot_check_visit": None, "district_examination": None,
    "post_district_notice": "take-back-effects", "remove_district_notice": "take-back-effects", "decide": "take-back-effects",
    "deliver_approval": "take-back-own", "issue_check_rejection": "take-back-effects", "deliver_check_rejection": "take-back-effects", "decide_refusal": "take-back-effects", "deliver_refusal": "take-back-own",
}  # fmt: skip


def test_which_completions_can_be_taken_back(around, district, monkeypatch):
    """After each completion its doer tries; when he may, the state is the one before, and he does it again."""
    found: dict[str, str | None] = {}
    plain = type(district).do

    def do(who: str, node: str, **answers: Any) -> Any:
        before, task_id = district.case()["state"], district.tasks()[node]["id"]
        told = plain(district, who, node, **answers)
        after = district.case()["state"]
        try:
            around(who, "take_back", task_id, "看看能否拿回")
        except Refused as refused:
            found[node] = refused.rule
            assert district.case()["state"] == after
            return told
        found[node] = None
        assert district.case()["state"] == before
        told = plain(district, who, node, **answers)
        assert Run.load(district.cases.drawing(None, district.case()["drawing"]), district.case()["state"], district.clock()).open_tasks()
        return told

    monkeypatch.setattr(district, "do", do)
    district.to_district()
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    district.at("2018-12-19T09:00")
    district.do("vera", "remove_district_notice", removed_on="2018-12-19", objections="none")
    if "late_spot_check_visit" in district.tasks():
        pytest.fail("drawn late on a day that is no month's end")
    district.do("app", "decide", decision="granted", opinion="批准")
    district.do("clerk", "deliver_approval", delivered_on=date(2018, 12, 19).isoformat(), method="direct", recipient="张一")
    around.proven()
    assert found == {node: TAKEN_BACK[node] for node in found}
    assert len(found) >= 15
    assert REVIEWERS
