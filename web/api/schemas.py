"""Shapes of the API's bodies, query strings and answers: they check what is read, and OpenAPI is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from engine.forms import MAX_TEXT, Form, Text, Whole
from engine.queries import SORTS, VIEWS

MAX_PAGE, MAX_SIZE = 1_000_000, 200


class Strict(Form):
    """A body or a query string that is not a form of the business: unknown fields refused, words for caseworkers."""


def text(about: str = "", *, required: bool = False, most: int = 60, example: str | None = None, **kind: Any) -> Text:
    metadata = ({"description": about} if about else {}) | ({"example": example} if example else {})
    checks = [validate.Length(max=most, error=f"最多 {most} 个字"), *kind.pop("also", [])]
    return Text(required=required, validate=checks, metadata=metadata, **kind)


def one_of(*values: str, about: str = "", required: bool = False) -> Text:
    allowed = validate.OneOf(values, error="请从所列各项中选择：" + "、".join(values))
    return Text(required=required, validate=allowed, metadata={"description": about} if about else {})


def bounded(low: int, high: int, default: int, about: str = "") -> Whole:
    allowed = validate.Range(low, high, error=f"应在 {low} 至 {high} 之间")
    return Whole(load_default=default, validate=allowed, metadata={"description": about} if about else {})


# -- query strings


class Nothing(Strict):
    """No parameters, or an empty object."""


class Language(Strict):
    lang = one_of("zh", "en", about="language of labels; Accept-Language when it is left out")


class Paging(Strict):
    page = bounded(1, MAX_PAGE, 1, "first page is 1")
    size = bounded(1, MAX_SIZE, 25, f"at most {MAX_SIZE}")


class TaskQuery(Paging):
    view = one_of(*VIEWS, about="mine (default), available, signing (your opinion is asked for), substitute (of those whom you stand in for), done, started, copied")
    unit = text("code of a unit: it and those below it; of a community: whatever concerns the households that live there", most=20, example="120116011")
    node = text("node of the drawing", example="home_survey")
    process = text("key of a process", example="dibao-2012")
    no = text("number of a case", most=40)
    flag = one_of("returned", "escalated", "late", "unmanned")
    card = one_of("yellow", "red", about="soon due, or late")
    due_before = text("due before this day", most=10, example="2018-12-17")
    due_from = text("due on or after this day", most=10)
    sort = one_of(*SORTS, about="due (default: most urgent first), oldest or newest received, unit")


class TaskExport(TaskQuery):
    """The whole list as CSV: what narrows and sorts it; pages do not count."""

    class Meta:
        exclude = ("page", "size")


class ViewParts(Strict):
    """What the address of the page `/tasks` says; each may be left out."""

    view = one_of(*VIEWS)
    unit = text(most=20)
    process = text()
    node = text()
    no = text(most=40)
    due = one_of("late", "yellow", "today", "soon")
    flag = one_of("returned", "escalated", "late", "unmanned")
    sort = one_of(*SORTS)
    size = one_of("25", "50", "100", "200")


class ViewToKeep(Strict):
    name = text("yours; one of the same name is replaced", required=True, most=40, example="本周到期")
    query = fields.Nested(ViewParts, required=True)


class CaseQuery(Paging):
    unit = text("code of a unit that yours covers: it and those below it", most=20, example="120116011")
    state = one_of("open", "closed")
    process = text("key of a process", example="dibao-2012")
    household_id = Whole(metadata={"description": "cases of this household"})


class StepQuery(Strict):
    step = Whole(
        validate=validate.Range(1, 1_000_000, error="从 1 开始"),
        metadata={"description": "as of this entry; all when left out"},
    )


class HouseholdQuery(Paging):
    id_no = text("exact ID number of a member; better POST households/search, which keeps it out of logs", most=40)
    name = text("beginning of a member's name")


class UnitQuery(Paging):
    under = text("code of a unit; your own when left out", most=20)
    level = one_of("district", "street", "community", "department")


class StaffQuery(Paging):
    role = text("post", example="investigator")
    unit = text("code of a unit that the post must cover", most=20)


class NoticeQuery(Paging):
    unit = text("code of a street or community", most=20)


class MoveClock(Strict):
    days = Whole(allow_none=True, load_default=None, validate=validate.Range(1, 31, error="应在 1 至 31 之间"), metadata={"description": "so many days on"})
    moment = text("or to this moment", most=40, example="2018-12-24T09:00")

    @validates_schema(skip_on_field_errors=False)
    def _one(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data.get("days") is None) == (data.get("moment") is None):
            raise ValidationError({"days": [self.say("days 与 moment 填写其中一项", "Either days or moment")]})
        try:
            datetime.fromisoformat(data.get("moment") or "2018-01-01")
        except ValueError:
            raise ValidationError({"moment": [self.say("不是时刻，如 2018-12-24T09:00", "Not a moment, e.g. 2018-12-24T09:00")]}) from None


class MonthQuery(Strict):
    month = text("this month when left out", most=7, example="2018-12")
    since = text("count working days from this day, which is not counted", most=10, example="2018-12-03")
    workdays = text("so many, 0 to 250", most=3, example="10")


# -- bodies


class Complete(Strict):
    answers = fields.Dict(required=True, metadata={"description": "the task's form: `form` of GET tasks/{id}"})


class Draft(Strict):
    answers = fields.Dict(required=True, metadata={"description": "whatever was typed so far"})


class Reason(Strict):
    reason = text("why", required=True, most=MAX_TEXT)


class HandOver(Strict):
    to = text("login of the colleague, see GET staff", required=True, example="li.wei")
    reason = text("why", required=True, most=MAX_TEXT)


class Delegation(HandOver):
    until = text("the last day of the delegation; left out: the task's last day, or a week", most=10, example="2018-12-14")


class TaskBatch(Strict):
    do = one_of("claim", "transfer", "urge", about="the verb; nothing is completed this way", required=True)
    tasks = fields.List(Whole(), required=True, validate=validate.Length(1, MAX_SIZE, error=f"应为 1 至 {MAX_SIZE} 件"), metadata={"description": "their ids"})
    to = text("for transfer: login of the colleague")
    reason = text("for transfer: why", most=MAX_TEXT)
    words = text("for urge: what to say, may be left out", most=MAX_TEXT)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("do") == "transfer" and (missing := [name for name in ("to", "reason") if not data.get(name)]):
            raise ValidationError({name: [self.say("必须填写", "Required")] for name in missing})


class Return(Strict):
    to = text("an allowed earlier node: `returns` of GET tasks/{id}", required=True, example="home_survey")
    answers = fields.Dict(load_default=dict, metadata={"description": "the rest of the task's form: opinion, reason"})


class Reveal(Strict):
    field = one_of(
        "address",
        "phone",
        "bank_account",
        "hardship_cause",
        "id_no",
        "health",
        "labour_ability",
        required=True,
        about="of the household, or of the member person_id",
    )
    person_id = Whole(load_default=None, allow_none=True)
    reason = text("why it must be seen; kept in your own record", required=True, most=200)


class Upload(Strict):
    kind = text("what it is", most=30)
    title = text("how lists name it", most=120)


class HouseholdSearch(Paging):
    id_no = text("exact ID number of a member", most=40)
    name = text("beginning of a member's name")


# -- answers


class Said(Schema):
    """An answer that the view has made as JSON already; the tests hold it against this shape."""


def _s(about: str = "", *, none: bool = False, example: Any = None) -> fields.String:
    metadata = ({"description": about} if about else {}) | ({"example": example} if example is not None else {})
    return fields.String(required=True, allow_none=none, metadata=metadata)


def _n(about: str = "", *, none: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=none, metadata={"description": about} if about else {})


def _b() -> fields.Boolean:
    return fields.Boolean(required=True)


def _many(inner: type[Schema] | fields.Field[Any], about: str = "") -> fields.List[Any]:
    listed = fields.Nested(inner) if isinstance(inner, type) else inner
    return fields.List(listed, required=True, metadata={"description": about} if about else {})


said_text, said_number, said_list = _s, _n, _many  # for shapes of answers in other modules


def _object(about: str = "", **kind: Any) -> fields.Dict:
    return fields.Dict(required=True, metadata={"description": about} if about else {}, **kind)


class TaskNow(Said):
    """A task as somebody else left it."""

    state = _s(example="done")
    assignee = _s(none=True)
    done_by = _s(none=True)
    due_on = _s(none=True)
    flags = _s()
    closed_at = _s(none=True)
    etag = _s()


class Problem(Said):
    """Every refusal and failure."""

    code = _n("HTTP status")
    status = _s("kind of problem", example="Invalid")
    message = _s("for the person who asked")
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True,
                         metadata={"description": "path of a field -> what is wrong with it"})  # fmt: skip
    rule = fields.String(metadata={"description": "name of the rule that forbids it"})
    now = fields.Nested(TaskNow, metadata={"description": "of a conflict over a task: how it stands now"})


class Moved(Said):
    """What an act on a case brought about."""

    case = _s(example="DB-2018-000123")
    seq = _n("number of the entry")
    opened = _many(fields.String(), "keys of the tasks that opened, like home_survey.1")
    outcome = fields.String(metadata={"description": "the end event, when the case ended"})
    waits_for_signers = fields.List(fields.String(), metadata={"description": "handed in only: it takes effect when these have agreed"})


class Held(Said):
    """Whose a task is now."""

    case = _s()
    task = _n()
    assignee = _s(none=True)
    etag = _s(example="65538-2")


class Saved(Said):
    saved_at = _s(example="2018-12-03T09:00:00+08:00")


class Id(Said):
    id = _n()


class HeldPost(Said):
    role = _s()
    unit = _s()


class Me(Said):
    id = _s("login")
    name = _s()
    roles = _many(fields.String())
    unit = _s("covers all posts: for show")
    posts = _many(fields.Nested(HeldPost))


class TaskKind(Said):
    node = _s()
    name = _s()
    role = _s()
    level = _s(none=True)
    due = _s("the rule on the drawing", none=True, example="workdays(10, since='investigation_from')")
    law = _s(none=True)
    form = _object("JSON Schema")


class ProcessKind(Said):
    key = _s(example="dibao-2012")
    title = _s()
    applies_from = _s("first day of acceptance for which the law names it; null where its time is no matter of law", none=True)
    applies_until = _s("the day from which another one applies", none=True)
    drawing = _s("SHA-256 of the drawing")
    start_form = _object("JSON Schema")
    tasks = _many(TaskKind)
    messages = _object("name -> JSON Schema", keys=fields.String(), values=fields.Dict())


class Unit(Said):
    code = _s()
    name = _s()
    level = _s()
    parent_code = _s()


class Colleague(Said):
    login = _s()
    name = _s()
    role = _s()
    unit = _s()


class TaskRow(Said):
    id = _n()
    key = _s("node and how many times it was reached", example="home_survey.1")
    node = _s()
    name = _s()
    name_en = _s()
    role = _s()
    unit = _s()
    assignee = _s(none=True)
    owner = _s("who delegated it", none=True)
    until_on = _s("the last day of the delegation; then it is its owner's again", none=True)
    on_behalf_of = _s("whom you stand in for when you do this task", none=True)
    opened_at = _s()
    due_on = _s("last day; none means promptly", none=True)
    workdays_left = _n("negative when late", none=True)
    card = _s("yellow: few working days are left; red: late", none=True, example="yellow")
    state = _s(example="open")
    done_by = _s(none=True)
    flags = _s("words: returned, escalated, late, countersign (handed in, waits for its signers), taken_back, unmanned (nobody may do it)")
    priority = _n()
    law = _s(none=True)
    case = _s()
    process = _s()
    etag = _s()


class WholeLimit(Said):
    """The limit over the whole procedure: an alarm for the office."""

    since = _s("the acceptance", example="2018-12-03")
    workdays = _n("so many in all")
    last = _s(example="2019-01-25")
    workdays_left = _n("negative when it is over")


class BoardQuery(Paging):
    list = one_of("late", "yellow", "escalated", "special", about="which tasks: late (default), soon due, escalated, special cases and near relatives")
    unit = text("code of a unit that yours covers: it and those below it", most=20, example="120116011")


class Unmanned(Said):
    """Why somebody who holds the post may not do the task."""

    staff = _s("login; none: nobody holds the post", none=True)
    rule = _s("name of the rule; no-holder: nobody holds the post", example="near-relative")
    why = _s("the rule in words")


class BoardTask(Said):
    id = _n()
    case = _s()
    process = _s()
    node = _s()
    role = _s()
    unit = _s()
    assignee = _s(none=True)
    due_on = _s(none=True)
    flags = _s()
    unmanned = _many(fields.Nested(Unmanned), "of a task with the flag unmanned: who holds the post and why he may not")


class Overlong(WholeLimit):
    case = _s()
    unit = _s()


class StaffLoad(Said):
    who = _s()
    open = _n()
    late = _n()
    done = _n("in the last seven days")


class NodeLoad(Said):
    process = _s()
    node = _s()
    role = _s()
    open = _n()
    taken = _n()
    late = _n()


class Board(Said):
    """What a supervisor sees: a page of one list, and how much there is of everything."""

    counts = _object("list -> how many tasks", keys=fields.String(), values=fields.Integer())
    items = _many(BoardTask)
    page = _n()
    size = _n()
    total = _n()
    pages = _n()
    overlong = _many(Overlong, "open applications beyond the limit of the whole procedure")
    staff = _many(StaffLoad)
    nodes = _many(NodeLoad)


class CaseRisk(Said):
    code = one_of("double_benefit", "double_case", "two_households", "check_differs", "sources_differ", "registries_differ", "doubtful", "reported", "near_relative",
                  required=True)  # fmt: skip
    of = _many(fields.String(), "numbers of benefits or cases that it is about")
    people = _many(fields.Integer(), "persons that it is about")


class Glance(Said):
    case = _s(example="DB-2018-000123")
    category = _s(none=True)
    amount_fen = _n("as proposed, whole fen", none=True)
    law_version = _s("the standard applied", none=True)
    check_conclusion = _s(none=True)
    street_outcome = _s(none=True)
    district_outcome = _s(none=True)
    conclusion = _s(none=True)
    decision = _s(none=True)
    risks = _many(fields.Nested(CaseRisk), "what to look at twice")


class DeadlineParts(Said):
    """By when, and why then."""

    rule = _s("as it stands on the drawing", example="workdays(10, since='accepted_on')")
    since_fact = _s("none: since the task opened", none=True)
    start = _s("not counted", example="2018-12-03")
    n = _n()
    unit = _s("workdays | days")
    stopped = _n("working days for which the clock stood still; added")
    end = _s("the last day", example="2018-12-17")
    workdays_left = _n("negative when late")
    provisional = fields.Boolean(required=True, metadata={"description": "past the last published calendar: it may move"})


class Task(TaskRow):
    due_rule = _s(none=True)
    deadline = fields.Nested(DeadlineParts, required=True, allow_none=True, metadata={"description": "null: promptly, or the task is closed"})
    form = _object("JSON Schema of `answers`")
    returns = _many(fields.String(), "nodes for POST tasks/{id}/return")
    final = fields.Dict(required=True, allow_none=True, metadata={"description": "field -> answers that no other step undoes (empty: whatever is answered): have a person check them; null: none"})
    facts = _object("the facts of the case")
    draft = fields.Dict(required=True, allow_none=True, metadata={"description": "what I typed and did not send"})
    unmanned = _many(fields.Nested(Unmanned), "who holds the post and why he may not, where nobody may (flag unmanned); a supervisor sees it on the board")


class TaskListed(TaskRow):
    overlong = fields.Nested(WholeLimit, required=True, allow_none=True, metadata={"description": "where the open application is beyond the limit of the whole procedure"})
    sent_by = _s("who sent it: who delegated it, did the step before, or began the case; `system` for a message or a period")
    unmanned = _many(fields.Nested(Unmanned), "of a task with the flag unmanned: who holds the post and why he may not")


class SavedView(Said):
    id = _n()
    name = _s(example="本周到期")
    query = fields.Dict(required=True, keys=fields.String(), values=fields.String(), metadata={"description": "see POST tasks/views"})


class BatchItem(Said):
    task = _n()
    case = _s("none for a task that you may not see", none=True)
    done = fields.Boolean(required=True)
    code = _n("200, or what the verb alone would have been answered")
    status = _s(example="Refused")
    message = _s("why it was not done")
    rule = _s("the rule of a refusal", none=True)


class BatchDone(Said):
    done = _n("how many")
    items = _many(fields.Nested(BatchItem), "one for each task, in the order sent")


class CaseRow(Said):
    no = _s(example="DB-2018-000123")
    process = _s()
    unit = _s()
    seq = _n("entries in its record")
    opened_by = _s()
    opened_at = _s()
    closed_at = _s(none=True)
    outcome = _s(none=True)
    household_id = _n(none=True)


class StandsStill(Said):
    job = _s("kind of job", example="means_check")
    key = _s()
    state = _s("incident (a supervisor decides, see GET incidents) | cancelled (given up)")
    tries = _n()


class Case(CaseRow):
    limit = fields.Nested(WholeLimit, required=True, allow_none=True)
    facts = _object("ids, flags, dates and amounts (fen)")
    tasks = _many(TaskRow, "all tasks, open and closed")
    waits_for = _many(fields.String(), "messages that can be recorded now")
    stands_still = _many(StandsStill, "jobs that failed for good: why the case may not go on")
    messages = _object("JSON Schema of those that you may record", keys=fields.String(), values=fields.Dict())


class Line(Said):
    """An entry as it was sealed, with what its payload still holds."""

    v = _n("format")
    engine = fields.Integer(metadata={"description": "version of the engine's rules; entries from before it was named have none"})
    log = _s()
    record = _n()
    kind = _s()
    seq = _n()
    prev = _s("leaf of the entry before")
    at = _s()
    clock = fields.String(metadata={"description": "the real time, where a training clock was moved away from it"})
    actor = _object()
    event = _s()
    data = fields.Dict()
    puts = fields.List(fields.Dict())
    sealed = fields.Dict(metadata={"description": "subject -> commitment to its payload"})
    leaf = _s("SHA-256 over 0x00 and the canonical bytes")
    personal = fields.Dict(
        metadata={"description": "subject -> payload, null when erased; only for readers of the area"}
    )


class Record(Said):
    case = _s()
    intact = _b()
    head = _s()
    items = _many(Line)


class Odd(Said):
    code = _s("late | returned | taken_back | escalated | on_behalf | incident | hasty | seal | replay")
    words = _s()


class ReplayBrief(Said):
    step = _n()
    event = _s()
    what = _s("what happened, in words")
    name = _s("of the step on the drawing")
    at = _s(example="2018-12-03 09:00")
    who = _s()
    outcome = _s("what was chosen, in the words of the form")
    odd = _many(Odd)
    undone = _b()


class ReplayDecision(Said):
    step = _n()
    node = _s()
    name = _s()
    at = _s()
    login = _s()
    who = _s()
    post = _s()
    post_words = _s()
    decision = _s()
    why = _s("the opinion; empty when it was erased")


class Labelled(Said):
    label = _s()
    value = fields.Raw(required=True, metadata={"description": "text; rows as {head, rows}; papers as {papers: [[id, title]]}"})


class Changed(Said):
    label = _s()
    before = _s()
    after = _s()


class ReplayWho(Said):
    login = _s()
    name = _s()
    post = _s("role of the lane", none=True)
    post_words = _s()
    unit = _s(none=True)
    unit_words = _s()
    on_behalf_of = _s(none=True)
    on_behalf_words = _s()


class ReplayShown(Said):
    step = _n()
    event = _s()
    what = _s()
    node = _s("node or message")
    name = _s()
    at = _s("moment, UTC")
    who = fields.Nested(ReplayWho, required=True, allow_none=True)
    received = _s("when the task came", none=True)
    took = _s()
    answers = _many(Labelled)
    changes = _many(Changed)
    erased = _b()
    opens = fields.List(fields.Dict(), required=True, metadata={"description": "tasks that it opened: node, name, due_on"})
    odd = _many(Odd)
    undone = _b()


class ReplayDeadline(Said):
    due_on = _s()
    done_on = _s(none=True)
    late_workdays = _n()
    left_workdays = _n()
    rule = _s(none=True)
    rule_words = _s()


class ReplaySeal(Said):
    leaf = _s("SHA-256 over 0x00 and the entry's bytes")
    previous = _s()
    holds = _b()
    index = _n("place in the tree", none=True)
    tree_size = _n(none=True)
    checkpoint = _s("the newest signed checkpoint with the witnesses' lines", none=True)
    signed_at = _s(none=True)
    waits_too_long = _b()


class ReplayLaw(Said):
    task = _s("article that the drawing names for the task", none=True)
    task_words = _s()
    drawing = _s("SHA-256 of the drawing")
    version = _s("of the standards in the calculation", none=True)
    tables = fields.List(fields.Dict(), required=True, metadata={"description": "decision tables of this step: name, title, rules that fired; GET tables/{name}?case="})
    sources = fields.List(fields.Dict(), required=True)


class ReplayInput(Said):
    what = _s("income | property")
    who = _s("masked name; empty: the household")
    kind = _s()
    kind_words = _s()
    amount = _s("yuan", none=True)
    period = _s("month | year", none=True)
    when = _s("the month or year that it was said for", none=True)
    source = _s("declared | checked | seen; null: recorded before that was kept", none=True)
    source_words = _s(none=True)


class ReplayComputation(Said):
    step = _n("entry at which it was computed")
    inputs = fields.List(fields.Nested(ReplayInput), metadata={"description": "income and property by which it was computed, with where each is from"})
    category = _s()
    amount_fen = _n(none=True)
    law_version = _s(none=True)
    lines = fields.List(fields.Dict(), required=True)
    would = fields.List(fields.String(), metadata={"description": "after a refusal, a stop or a decrease: what would have changed it, by these figures"})
    agrees = fields.Boolean(required=True, allow_none=True, metadata={"description": "computed again, it gives what the record says; null: its figures were erased"})
    why = fields.String()


ReplayComputation._declared_fields["from"] = _s("snapshot (computed again) | record (its figures were erased)")


class FindingSaid(Said):
    kind = _s("reply | verdict")
    staff = _s()
    said_on = _s()
    late = _b()
    text = _s()


class FindingRow(Said):
    id = _n()
    case_no = _s()
    entry = _n("of the case's record; null: the case as a whole", none=True)
    unit = _s("whose people reply")
    severity = _s("minor | serious | grave")
    article = _s()
    text = _s()
    raised_by = _s()
    raised_on = _s()
    due_on = _s("last day of the reply")
    state = _s("open | replied | accepted | upheld")
    settled_by = _s(none=True)
    settled_on = _s(none=True)
    late = _n("working days past the last day of the reply")
    may = fields.List(fields.String(), required=True, metadata={"description": "what you may do now: reply, accept, uphold"})
    said = _many(FindingSaid)


class FindingMoved(Said):
    finding = _n()
    case = _s()
    state = _s()
    due_on = _s()


class FindingIn(Strict):
    severity = one_of("minor", "serious", "grave", required=True)
    article = text("what it offends against", required=True, most=200, example="N220 art 18")
    text = text("what was found", required=True, most=2000)
    entry = Whole(validate=validate.Range(1, 1_000_000, error="从 1 开始"), metadata={"description": "number in the case's record; left out: the case as a whole"})


class FindingText(Strict):
    text = text("the reply, or the reasons", required=True, most=2000)


class FindingQuery(Paging):
    state = one_of("open", "replied", "accepted", "upheld", "unsettled", about="unsettled: open and replied")


class AppealRow(Said):
    id = _n()
    letter_id = _n("GET letters/{id}: by which the decision was told")
    letter_kind = _s()
    letter_number = _s()
    delivered_on = _s("of that letter", none=True)
    case_no = _s("as the letter names it: a case, a benefit or a batch")
    benefit_id = _n("of a letter in a benefit's own record", none=True)
    household_id = _n()
    unit = _s()
    kind = _s("review | suit")
    body = _s("district_government | city_bureau | court")
    lodged_on = _s()
    lodged_by = _s(none=True)
    grounds = _s(none=True)
    document = _n(none=True)
    last_day = _s("by which it was measured; null: the delivery was not proven", none=True)
    recorded_by = _s()
    state = _s("lodged | accepted | rejected | withdrawn | maintained | redo | changed")
    accepted_on = _s(none=True)
    due_on = _s("of a review: the body's last day to decide", none=True)
    extended_days = _n(none=True)
    decided_on = _s(none=True)
    received_on = _s(none=True)
    decision_no = _s(none=True)
    summary = _s(none=True)
    decision_document = _n(none=True)
    outcome_by = _s(none=True)
    follow = _s("open | done: what the district owes after redo and changed", none=True)
    followed_by = _s(none=True)
    followed_on = _s(none=True)
    followed_case = _s(none=True)
    adjustment_id = _n(none=True)
    waits_until = _s("the body's next last day, to accept or to decide", none=True)
    days_left = _n("calendar days until then; below zero: over", none=True)
    suit_until = _s("the last day to go to court after the review", none=True)
    may = fields.List(fields.String(), required=True, metadata={"description": "what you may do now: accept, reject, extend, outcome, withdraw, redone, redress"})


class AppealMoved(Said):
    appeal = _n()
    state = _s()
    adjustment_id = fields.Integer(metadata={"description": "of a redress: the decision on the benefit"})
    arrears_fen = fields.Integer(metadata={"description": "of a redress: what is paid later for months that are over"})


class AppealQuery(Paging):
    state = one_of("lodged", "accepted", "rejected", "withdrawn", "maintained", "redo", "changed", "open", "owed", about="open: undecided, or something is owed after it; owed: the latter")


class TemporaryGrant(Said):
    id = _n()
    case_no = _s()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s("where the household was")
    kind = _s("emergency | expenditure")
    cause = _s("fire | traffic_accident | sudden_illness | other_emergency | education | medical | other_expenditure")
    form = _s("cash | goods | referral")
    amount_fen = _n("of goods: their value; of a referral: 0")
    description = _s(none=True)
    referred_to = _s(none=True)
    state = _s("proposed | granted | paid | dropped")
    persons = _n("in need")
    unnamed = fields.Boolean(required=True, metadata={"description": "somebody's identity was not known yet"})
    year = _n("the calendar year of the decision", none=True)
    granted_on = _s(none=True)
    decided_by = _s(none=True)
    decided_at = _s("street | district", none=True)
    paid_on = _s("paid, handed over or referred", none=True)
    paid_by = _s(none=True)
    pay_method = _s("cash | bank | handed_over | referred", none=True)
    receiver = _s(none=True)
    proof_document = _n(none=True)
    registered_on = _s("of emergency help: the day on which its papers were completed", none=True)


class TemporaryYear(Said):
    year = _n()
    cases = _n()
    households = _n()
    amount_fen = _n("given: granted or paid")
    paid_fen = _n()
    unnamed = _n("cases in which somebody's identity was not known yet")


class TemporaryYears(Said):
    years = fields.List(fields.Nested(TemporaryYear), required=True, metadata={"description": "the newest first"})


class TemporaryYearsQuery(Strict):
    household_id = Whole(metadata={"description": "of this household"})
    year = Whole(validate=validate.Range(2014, 2200, error="应在 2014 至 2200 之间"))
    kind = one_of("emergency", "expenditure")


class TemporaryQuery(Paging):
    household_id = Whole(metadata={"description": "of this household"})
    case_no = text("number of a case", most=40)
    year = Whole(validate=validate.Range(2014, 2200, error="应在 2014 至 2200 之间"), metadata={"description": "of the decision"})
    kind = one_of("emergency", "expenditure")
    state = one_of("proposed", "granted", "paid", "dropped")
    unnamed = fields.Boolean(metadata={"description": "only those of whom somebody's identity was not known"})
    unregistered = fields.Boolean(metadata={"description": "only emergency help whose papers are not completed"})


class Replay(Said):
    """`step`, and all that follows it, is there when the record can be read at all."""

    case = _s()
    result = _s("same | different | cannot")
    reason = fields.String(metadata={"description": "seal | head | tree | replay | record"})
    entry = fields.Integer(metadata={"description": "the first entry that differs"})
    why = fields.String()
    recorded = fields.String()
    computed = fields.String()
    recorded_law = fields.String(metadata={"description": "same | different | cannot: what comes out by the law that the entries name; only where this program's gives something else"})
    recorded_law_words = fields.String()
    entries = fields.Integer()
    step = fields.Integer()
    process = fields.String()
    title = fields.String()
    outcome = fields.String(allow_none=True)
    outcome_words = fields.String()
    shown = fields.Nested(ReplayShown)
    facts = fields.Dict()
    fact_lines = fields.List(fields.Nested(Labelled))
    done = fields.Dict(keys=fields.String(), values=fields.Integer())
    active = fields.List(fields.String())
    active_words = fields.List(fields.String())
    flows = fields.List(fields.String())
    documents = fields.List(fields.Dict(), metadata={"description": "the household's papers that were kept by then"})
    letters = fields.List(fields.Dict())
    notices = fields.List(fields.Dict())
    law = fields.Nested(ReplayLaw)
    computation = fields.Nested(ReplayComputation, allow_none=True)
    deadline = fields.Nested(ReplayDeadline, allow_none=True)
    seal = fields.Nested(ReplaySeal)
    steps = fields.List(fields.Nested(ReplayBrief))
    decisions = fields.List(fields.Nested(ReplayDecision))
    anomalies = fields.List(fields.Integer(), metadata={"description": "numbers of the steps with something odd"})
    findings = fields.List(fields.Nested(FindingRow))


class CompareQuery(Strict):
    pass


CompareQuery._declared_fields["with"] = text("number of the other case", required=True, most=40, example="DB-2018-000002")


class Compared(Said):
    unreadable = fields.String(metadata={"description": "why, when the record of one of them cannot be read; then nothing else is there"})
    heads = fields.List(fields.Dict(), metadata={"description": "number, outcome, days, entries of both"})
    path = fields.List(fields.Dict(), metadata={"description": "{name, left, right, is, notes}; is: same | differs | left | right"})
    facts = fields.List(fields.Dict())
    computation = fields.List(fields.Dict())
    same_process = fields.Boolean()
    same_outcome = fields.Boolean()
    differs = fields.Dict(metadata={"description": "how many rows of each differ"})


class LetterRow(Said):
    id = _n()
    case_no = _s()
    household_id = _n()
    kind = _s()
    number = _s("as printed")
    issued_on = _s()
    issued_by = _s()
    digest = _s("keyed commitment to the issued bytes")
    size = _n()
    delivered_on = _s(none=True)
    delivery_method = _s(none=True)
    receipt_document = _n(none=True)
    objection_until = _s("last day to object to a check's result; runs from the delivery", none=True)
    review_until = _s("last day to ask for administrative review; runs from the delivery", none=True)
    suit_until = _s("last day to go to court directly; runs from the delivery", none=True)


class Assessment(Said):
    category = _s(example="dibao")
    amount = _s("yuan a month", example="660.00")
    amount_fen = _n()
    members_counted = _n()
    household_income = _s()
    income_after_deductions = _s()
    per_capita = _s()
    per_capita_exact = _s()
    standard = _s()
    low_income_limit = _s()
    property_limit = _s()
    monetary_assets = _s()
    hardships = fields.List(fields.Raw(), required=True)
    flags = fields.List(fields.Raw(), required=True)
    unverified = fields.List(fields.Raw(), required=True)
    law_version = _s()
    law_digest = _s()
    lines = fields.List(fields.Raw(), required=True, metadata={"description": "the explanation, line by line"})


class EstimateLine(Said):
    zh = _s()
    en = _s()
    figure = _s()
    source = _s("key of the source, perhaps with the article")
    article = _s("the source in Chinese")
    article_en = _s()


class EstimatedProgramme(Said):
    programme = _s("dibao | low_income | destitute | temporary_assistance | illness_expenditure")
    title = _s()
    title_en = _s()
    verdict = _s("fits | does_not_fit | ask")
    amount = _s("yuan a month, about; none: not said", none=True)
    amount_fen = _n(none=True)
    per = _s("household | person")
    to_confirm = _b()
    lines = _many(EstimateLine)


class OpenAssessment(Said):
    decision = fields.Boolean(required=True, metadata={"description": "always false"})
    notice = fields.Dict(required=True, metadata={"description": "zh, en"})
    benefit_month = _s()
    programmes = _many(EstimatedProgramme)
    papers = _many(fields.Dict(), "paper, zh, en")
    where = fields.Dict(required=True, metadata={"description": "street, street_name, zh, en, source"})
    flags = fields.List(fields.Raw(), required=True)


class Notice(Said):
    id = _n()
    stage = _s("street_opinion | district_proposal | destitute_stop | temporary_assistance")
    street = _s()
    street_name = _s()
    community = _s()
    community_name = _s()
    applicant = _s()
    members = _n()
    category = _s()
    amount_fen = _n()
    posted_on = _s()
    until_on = _s("the first day on which it is gone")
    days_left = _n("after today; 0: today is the last")


class ClockNow(Said):
    now = _s(example="2018-12-20T17:00:00+08:00")


class ClockMoved(ClockNow):
    jobs = _n("how many jobs came due")


class CalendarDay(Said):
    day = _s(example="2019-02-02")
    kind = _s("workday, makeup (a weekend worked), weekend, holiday")
    name = _s("of the holiday that it belongs to, also on the days worked for it")
    name_en = _s()
    due = _n("open tasks of your area that fall due")


class Counted(Said):
    since = _s()
    workdays = _n()
    last = _s("the last day", example="2018-12-17")
    provisional = _b()


class Month(Said):
    month = _s(example="2018-12")
    provisional = fields.Boolean(required=True, metadata={"description": "the calendar of this year is not published yet"})
    days = _many(CalendarDay)
    counted = fields.Nested(Counted, allow_none=True)


class Registered(Said):
    id = _n()
    members = _many(fields.Integer(), "ids of its persons")


class MemberMade(Said):
    person_id = _n()


class HouseholdTouched(Said):
    household_id = _n()


class Revealed(Said):
    value = _s()


class HouseholdRow(Said):
    id = _n()
    no = _s()
    community = _s()
    street = _s()
    applicant = _s()


class HouseholdMember(Said):
    person_id = _n()
    name = _s()
    relation = _s()
    id_no = _s("masked")
    birth_date = _s(none=True)
    sex = _s(none=True)
    employment = _s(none=True)
    labour_ability = _s("masked", none=True)
    full_time_student = _b()
    placeholder = _b()
    excluded_reason = _s(none=True)
    authorised = _b()
    income = fields.List(fields.Dict(), required=True)


class ChangeLine(Said):
    field = _s("a column; `member`: somebody joined; `income`, `property`: lists of items of one source, whole fen", example="employment")
    person_id = _n("whose it is; none: the household's", none=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class HouseholdChange(Said):
    at = _s()
    by = _s()
    event = _s(example="income_declared")
    lines = _many(fields.Nested(ChangeLine))


class HouseholdChanges(Said):
    items = _many(fields.Nested(HouseholdChange))


class Household(Said):
    """Sealed fields are masked; POST households/{id}/reveal shows one of them, for a reason."""

    id = _n()
    no = _s()
    street = _s()
    community = _s()
    hukou_kind = _s()
    review_class = _s(none=True)
    near_relative_declared = _b()
    bank_holder = _s(none=True)
    hardship_cause = _s("masked", none=True)
    hardships = _many(fields.String(), "kinds, as declared")
    childless = fields.Boolean(required=True, allow_none=True)
    applicant = _s()
    address = _s("masked")
    phone = _s("masked")
    bank_account = _s("masked")
    members = _many(HouseholdMember)
    property = fields.List(fields.Dict(), required=True)


class DocumentRow(Said):
    id = _n()
    kind = _s()
    title = _s()
    media_type = _s()
    size = _n()
    uploaded_by = _s()
    uploaded_on = _s()


class NearRelative(Said):
    id = _n()
    staff_login = _s(none=True)
    staff_name = _s(none=True)
    position = _s(none=True)
    relation = _s()
    revoke_asked_by = _s("who asks to take it back as a mistake", none=True)
    revoke_asked_on = _s(none=True)
    revoke_reason = _s(none=True)
    revoked_by = _s("who agreed; from then on nobody is recused by it", none=True)
    revoked_on = _s(none=True)


class Authorised(Said):
    id = _n()
    person_id = _n()
    signed_on = _s()
    valid_until = _s()
    document_id = _n("the signed page", none=True)


class NoticeOnFile(Said):
    id = _n()
    stage = _s("street_opinion, district_proposal, destitute_stop, temporary_assistance")
    members = _n()
    category = _s()
    amount_fen = _n()
    posted_on = _s()
    until_on = _s("moment at which it is over")
    removed_on = _s(none=True)
    photo_posted = _n("number of the document", none=True)
    photo_removed = _n("number of the document", none=True)


@cache
def paged(row: type[Schema]) -> type[Schema]:
    """{items, page, size, total, pages}; tasks are counted up to 5,000, and pages beyond can be asked for all the same."""
    counted = {name: fields.Integer(required=True) for name in ("page", "size", "total", "pages")}
    made: type[Schema] = Said.from_dict({"items": _many(row), **counted}, name=f"{row.__name__}Page")
    return made


def listed(items: list[Any], total: int, page: int, size: int) -> dict[str, Any]:
    return {"items": items, "page": page, "size": size, "total": total, "pages": max(1, -(-total // size))}


def cut(items: list[Any], page: int, size: int) -> dict[str, Any]:
    """A page of a list that is all here."""
    return listed(items[(page - 1) * size : page * size], len(items), page, size)
