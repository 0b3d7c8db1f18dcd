"""个案: what a case is, what happened in it, where it stands on its drawing, and what was issued."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from engine import habits, queries, store
from engine.bpmn import Run
from engine.errors import Conflict, EngineError, Invalid, NotFound, Refused
from engine.forms import from_html
from engine.model import SYSTEM, Actor, Entry, joined
from engine.office import Act, history
from processes import (
    appeals,
    complaints,
    counterfactual,
    deadlines,
    deliveries,
    destitution,
    dmn,
    documents,
    eligibility,
    expenditure,
    grace,
    households,
    illness_expenditure,
    leads,
    letters,
    money,
    notices,
    organisation,
    paperwork,
    query_codes,
    readers,
    word,
)
from processes.bureau import CATALOGUE
from processes.case_tables import notice
from processes.tables import document
from web import changes, incidents, uploads, wording
from web.desk import READERS, bureau, either, idem, lang, me, roles_for, standing_in, whole, works_cases
from web.errors import said, status_of, words
from web.tasks import _papers, named_lines, sees, since

bp = Blueprint("cases", __name__)

TABS = (
    ("overview", lazy_gettext("Overview")),
    ("household", lazy_gettext("Household members")),
    ("means", lazy_gettext("Income and property")),
    ("checks", lazy_gettext("Checks and survey")),
    ("record", lazy_gettext("Record")),
    ("drawing", lazy_gettext("Diagram")),
    ("papers", lazy_gettext("Documents and letters")),
    ("changes", lazy_gettext("Changes of data")),
)
_WITHOUT_HOUSEHOLD = ("overview", "record", "drawing")


def without_household() -> list[tuple[str, Any]]:
    """The tabs of a case that is about no household: a meeting."""
    return [one for one in TABS if one[0] in _WITHOUT_HOUSEHOLD]


CHECKS = ("means_check", "registry_answer", "home_survey", "survey_cosign", "neighbor_enquiry", "democratic_review",
          "street_reinvestigate", "handle_dispute", "spot_check_visit", "late_spot_check_visit", "district_recheck",
          "contact_household", "second_contact", "renew_authorisations", "not_cooperating", "change_reported")  # fmt: skip

EVENTS = {
    "case_started": lazy_gettext("Case begun"),
    "task_completed": lazy_gettext("Completed"),
    "message_received": lazy_gettext("Message received"),
    "timer_fired": lazy_gettext("Period ended"),
    "task_claimed": lazy_gettext("Claimed"),
    "task_released": lazy_gettext("Released"),
    "task_transferred": lazy_gettext("Transferred"),
    "task_delegated": lazy_gettext("Delegated"),
    "delegation_ended": lazy_gettext("Delegation over: back with its owner"),
    "task_escalated": lazy_gettext("Escalated"),
    "task_manned": lazy_gettext("Somebody may do it again"),
    "task_late": lazy_gettext("Late: on the supervisor's board"),
    "deadline_recomputed": lazy_gettext("Last day computed again"),
    "facts_recomputed": lazy_gettext("Period computed again after the calendar was published"),
    "incident_opened": lazy_gettext("A job failed for good"),
    "incident_retried": lazy_gettext("To be tried again"),
    "incident_skipped": lazy_gettext("Went on without it"),
    "incident_cancelled": lazy_gettext("Job given up"),
    "vote_cast": lazy_gettext("Vote"),
    "member_recused": lazy_gettext("Recusal"),
    "member_arrived": lazy_gettext("Member arrived"),
    "member_left": lazy_gettext("Member left"),
    "ballot_opened": lazy_gettext("New ballot"),
    "task_submitted": lazy_gettext("Handed in, waits for signers"),
    "signers_added": lazy_gettext("Signers added"),
    "signer_answered": lazy_gettext("Signer answered"),
    "signer_withdrawn": lazy_gettext("Signer withdrawn"),
    "task_urged": lazy_gettext("Urged"),
    "task_copied": lazy_gettext("Copied to colleagues"),
    "copy_read": lazy_gettext("Copy read"),
    "comment_added": lazy_gettext("Comment"),
    deliveries.EVENT: lazy_gettext("Delivery recorded"),
    notices.EVENT: lazy_gettext("Photo of a notice's removal recorded"),
    query_codes.EVENT: lazy_gettext("Query code given anew"),
    "tasks_handed_over": lazy_gettext("A leaver's tasks handed over"),
    "task_taken_back": lazy_gettext("Taken back"),
    complaints.REVIEW_OPENED: lazy_gettext("Review opened by the proved complaint"),
    "case_moved": lazy_gettext("Goes on by the procedure of the day of acceptance"),
}
_MIGRATED = lazy_gettext("Put on another version of the drawing")
KINDS = {  # what the record can be narrowed to, with the events that are of no such kind among the steps
    "steps": lazy_gettext("Steps and decisions"),
    "messages": lazy_gettext("What came in"),
    "hands": lazy_gettext("Claims and handing over"),
    "opinions": lazy_gettext("Signers, copies, comments"),
    "machine": lazy_gettext("Periods, deadlines, jobs"),
}
_KIND_OF = {
    "message_received": "messages", deliveries.EVENT: "messages", notices.EVENT: "messages", query_codes.EVENT: "messages",
    **dict.fromkeys(("task_claimed", "task_released", "task_transferred", "task_delegated", "delegation_ended", "task_escalated", "task_manned", "tasks_handed_over"), "hands"),
    **dict.fromkeys(("signers_added", "signer_answered", "signer_withdrawn", "task_urged", "task_copied", "copy_read", "comment_added"), "opinions"),
    **dict.fromkeys(("timer_fired", "task_late", "deadline_recomputed", "incident_opened", "incident_retried", "incident_skipped", "incident_cancelled"), "machine"),
}  # fmt: skip
_BESIDE = {deliveries.EVENT: deliveries.Delivery, notices.EVENT: notices.Removal}  # what is said in a case beside its tasks and messages, by event
RECORDED = {  # what people record for a case, as the button says it
    "objection": lazy_gettext("Record an objection"),
    "withdrawal": lazy_gettext("Record a withdrawal"),
    "change_reported": lazy_gettext("Record a change that the household reports"),
    "not_cooperating": lazy_gettext("Record that the household does not co-operate"),
}
MESSAGES = {
    "change_reported": lazy_gettext("Change reported"),
    "objection": lazy_gettext("Objection"),
    "withdrawal": lazy_gettext("Withdrawal"),
    "registry_answer": lazy_gettext("Registries' answer"),
    "resolution": lazy_gettext("Resolution of the joint meeting"),
    "minutes_confirmed": lazy_gettext("Minutes confirmed"),
    "not_cooperating": lazy_gettext("Household does not co-operate"),
    "lead_verified": lazy_gettext("Lead verified"),
    "application_started": lazy_gettext("The application began"),
    "applied_at_once": lazy_gettext("Verified at the visit, and applied"),
    "lead_withdrawn": lazy_gettext("Lead withdrawn"),
}
OUTCOMES = {
    "ended_granted": lazy_gettext("Granted"),
    "ended_applied": lazy_gettext("Applied"),
    "ended_referred": lazy_gettext("Referred to other help"),
    "ended_no_need": lazy_gettext("No need"),
    "ended_in_aid": lazy_gettext("In assistance already"),
    "ended_declined": lazy_gettext("Wants no help"),
    "ended_duplicate": lazy_gettext("Given before by another lead"),
    "ended_refused": lazy_gettext("Refused"),
    "ended_withdrawn": lazy_gettext("Withdrawn"),
    "ended_terminated": lazy_gettext("Procedure ended: no co-operation"),
    "ended_issued": lazy_gettext("Minutes issued"),
    "ended_called_off": lazy_gettext("Called off"),
    "ended_nothing": lazy_gettext("Nothing to study"),
    "ended_no_change": lazy_gettext("No change"),
    "ended_transferred": lazy_gettext("Transferred to another street"),
    "ended_kept": lazy_gettext("Benefit kept"),
    "ended_changed": lazy_gettext("Benefit changed"),
    "ended_stopped": lazy_gettext("Benefit stopped"),
    "ended_concluded": lazy_gettext("Concluded"),
    "ended_not_accepted": lazy_gettext("Not accepted or passed on"),
}


@bp.route("/cases", methods=["GET", "POST"])
def listing() -> ResponseReturnValue:
    """A list; what is looked for by name is sent, never put into the address."""
    made, actor, sent = bureau(), me(), request.form
    sought = sent.get("sought", "").strip()[:60]
    page = whole(sent.get("page") or request.args.get("page"), 1, 100_000)
    state = request.args.get("state")
    with made.office.read() as conn:
        if sought.upper().startswith(tuple(f"{process.prefix}-" for process in CATALOGUE.values())):
            return redirect(url_for("cases.show", no=sought.upper()))
        found = _named(conn, actor, sought, page) if sought else queries.cases(conn, readers.of_cases(actor).areas, state=state, only=complaints.listed(conn, actor), page=page)
        names = households.applicant_names(conn, [row["subject"] for row in found.items])
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in found.items}
    return render_template("cases.html", found=found, names=names, places=places, state=state, sought=sought, outcomes=OUTCOMES)


def _named(conn: Any, actor: Actor, name: str, page: int) -> queries.Page:
    """Cases of the households in which somebody of that name lives."""
    keys = bureau().office.keys.on(conn)
    houses = households.search(conn, keys, readers.of_cases(actor).areas, name=name, page=1, size=200).items
    subjects = [f"household:{row['id']}" for row in houses]
    where = (store.record.c.kind == "case") & store.record.c.subject.in_(subjects)
    rows = conn.execute(select(store.record).where(where).order_by(store.record.c.id.desc())).mappings().all()
    return queries.Page(rows[(page - 1) * 25 : page * 25], len(rows), page, 25)


def visible(conn: Any, actor: Actor, no: str) -> Mapping[Any, Any]:
    """The case's row, for those whose area it lies in, who began it, or who have had a task of it; for others there is no such case."""
    row = queries.case_row(conn, no)
    if row["process"] == complaints.KEY:
        return _complaint(conn, actor, row)
    if readers.of_cases(actor).covers(row["unit"]) or actor.id == row["opened_by"]:
        return row
    mine = any(
        not {x["assignee"], x["done_by"]}.isdisjoint(one.persons) or one.holds(x["role"], x["unit"])
        for one in (actor, *standing_in(actor))
        for x in queries.case_tasks(conn, row["id"])
    )
    if not mine:
        raise NotFound("没有这件个案")
    return row


def _complaint(conn: Any, actor: Actor, row: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A complaint is there for fewer than other cases, and never for whom it is about."""
    tasks = queries.case_tasks(conn, row["id"])
    had = any(not {x["assignee"], x["done_by"]}.isdisjoint(one.persons) or one.holds(x["role"], x["unit"]) for one in (actor, *standing_in(actor)) for x in tasks)
    if not complaints.opens(conn, actor, row["no"], had_task=had):
        raise NotFound("没有这件个案")
    return row


def opens(no: str) -> bool:
    """Whether who is signed in may open the case: pages offer no link that leads nowhere."""
    with bureau().office.read() as conn, suppress(NotFound):
        visible(conn, me(), no)
        return True
    return False


def recordable(conn: Any, actor: Actor, no: str, name: str) -> Mapping[Any, Any]:
    """The row of a case that the actor sees, or for which he may record this message: the committee of the household's community
    reports into a case that it does not read."""
    try:
        return visible(conn, actor, no)
    except NotFound:
        row, made = queries.case_row(conn, no), bureau()
        run = Run.load(made.cases.drawing(conn, row["drawing"]), row["state"], made.office.clock())
        if not CATALOGUE[row["process"]].sending(name, actor, row["unit"], run.facts):
            raise
        return row


@bp.get("/cases/<no>")
def show(no: str) -> ResponseReturnValue:
    made, actor = bureau(), me()
    tab = request.args.get("tab", "drawing" if "step" in request.args else "overview")
    if tab == "drawing":  # its address until it had a page of its own
        return redirect(url_for("replay.show", no=no, step=request.args.get("step")))
    with made.office.read() as conn:
        row = visible(conn, actor, no)
        keys, process = made.office.keys.on(conn), CATALOGUE[row["process"]]
        drawing = made.cases.drawing(conn, row["drawing"])
        run = Run.load(drawing, row["state"], made.office.clock())
        household_id = None if row["process"] in (complaints.KEY, leads.KEY) else run.facts.get("household_id")  # a meeting has none; a complaint or a lead is no case of its household
        entries = readers.told_to(conn, actor, row["unit"], history(conn, keys, row["id"]))
        tasks = queries.case_tasks(conn, row["id"])
        house = households.view(conn, keys, household_id, on=made.office.today(), production=made.office.production) if household_id else None
        names = wording.names_of(conn, [*wording.logins_in(entries), *(x["assignee"] for x in tasks), run.facts.get("second_investigator")]) | {row["unit"]: organisation.unit_name(conn, row["unit"])}
        story = Story(process, drawing, tasks, names, _titles(conn, household_id))
        shown = {
            "house": house,
            "tasks": tasks,
            "timeline": story.lines(entries),
            "changes": changes.of_household(conn, keys, household_id) if tab == "changes" and household_id else [],
            "openable": {x["id"] for x in tasks if sees(actor, {**x, "case_unit": row["unit"]})},
            "reads_household": house is not None and readers.of_cases(actor).covers(house["community"]),
            "letters": [{**x, "may_deliver": deliveries.waits(conn, actor, x), "may_appeal": appeals.may_lodge(actor, x, row["unit"])} for x in deliveries.of_case(conn, no)],
            "notices": [{**x, "may_show": notices.waits(conn, actor, x)} for x in conn.execute(select(notice).where(notice.c.case_no == no).order_by(notice.c.id)).mappings()],
            "code_renewed": query_codes.renewed(conn, no) if tab == "papers" else None,
            "gives_code": tab == "papers" and query_codes.may_renew(conn, actor, no),
            "appealed": appeals.told(conn, keys, appeals.listed(conn, actor, case_no=no, size=100).items, actor, made.office.today()) if tab == "papers" else [],
            "documents": conn.execute(select(document).where(document.c.household_id == household_id)).mappings().all(),
            "benefits": [b for b in households.active_benefits(conn, household_id) if b["case_no"] == no] if household_id else [],
            "result": assessed(entries, house) if house else None,
            "expenses": illness_expenditure.items(conn, keys, no) if tab == "means" and house is not None and works_cases(house["community"]) else [],
            "days": {x["id"]: made.cases.deadline(conn, keys, x, run, drawing, process) for x in tasks if x["state"] == "open"},
            "limit": deadlines.whole_case(run.facts, made.office.today()) if row["process"] in deadlines.limited() and not row["closed_at"] else None,
            "still": incidents.at_case(conn, row["id"]) if not row["closed_at"] else [],
            "street": organisation.unit_name(conn, run.facts.get("street") or row["unit"]),
            "community": organisation.unit_name(conn, run.facts["community"]) if house else "",
        }
    kind = request.args.get("kind", "")
    oldest = request.args.get("order", "old" if roles_for(actor, row["unit"]) == {"auditor"} else "new") == "old"
    lines: list[dict[str, Any]] = shown["timeline"]  # type: ignore[assignment]
    listed = [line for line in lines if kind in ("", line["kind"])]
    waits = [w for w in sorted(run.waits_for()) if w in RECORDED and process.sending(w, actor, row["unit"], run.facts)] if not row["closed_at"] else []
    nodes = {n.id: either(n.name, n.name_en) for n in drawing.nodes.values()}
    replays = readers.reads_opinions(actor, row["unit"])
    tabs = [one for one in (TABS if house else without_household()) if replays or one[0] != "drawing"]
    return render_template("case.html", case=row, tab=tab, tabs=tabs, replays=replays, facts=run.facts, waits=waits, recorded=RECORDED, names=nodes, process=process, people=names,
                           key_facts=wording.fact_lines(run.facts, wording.forms_of(process), names), outcomes=OUTCOMES, titles=letters.TITLES, checks=CHECKS,
                           waiting=_waiting(run), listed=listed if oldest else listed[::-1], oldest=oldest, kind=kind, kinds=KINDS, sheets=sheets() if works_cases(row["unit"]) else [], **shown)  # fmt: skip


def _waiting(run: Run) -> list[str]:
    """What the case waits for besides people: "the end of the street notice (last day 2018-12-10)"."""
    ends = {"street_notice_until": _("the end of the street notice"), "district_notice_until": _("the end of the district notice"),
            "check_objection_until": _("the end of the objection period"), "stop_notice_until": _("the end of the notice of the stop")}  # fmt: skip
    moments = {str(m)[:10] for m in run.timers().values()}
    found = [_("%(end)s (last day %(day)s)", end=ends[k], day=wording.last_day(run.facts[k])) for k in ends if run.facts.get(k) and moments]
    asked = {"registry_answer": _("the registries' answer"), "resolution": _("the resolution of the joint meeting"),
             "minutes_confirmed": _("the units' confirmation of the minutes")}  # fmt: skip
    return (found[-1:] if run.timers() else []) + [text for name, text in asked.items() if name in run.waits_for()]


def _titles(conn: Any, household_id: int | None) -> dict[str, str]:
    rows = conn.execute(select(document.c.id, document.c.kind, document.c.title).where(document.c.household_id == household_id))
    return {str(row.id): row.title or wording.word("document", row.kind) for row in rows}


class Story:
    """The entries of a case told to people: node, who, in which post, how long it took, what was said, what changed."""

    def __init__(
        self, process: Any, drawing: Any, tasks: Sequence[Mapping[Any, Any]], names: Mapping[str, str], titles: Mapping[str, str]
    ) -> None:
        self.process, self.nodes, self.names, self.titles = process, drawing.nodes, names, titles
        self.tasks = {x["key"]: x for x in tasks}

    def lines(self, entries: Sequence[Entry]) -> list[dict[str, Any]]:
        known: dict[str, Any] = {}
        undone = habits.taken_back(entries)
        return [{**self.line(entry, known), "undone": entry.seq in undone} for entry in entries]

    def line(self, entry: Entry, known: dict[str, Any]) -> dict[str, Any]:
        """One entry. `known`: the facts so far; they grow."""
        key = str(entry.data.get("task") or entry.data.get("timer") or "")
        message = str(entry.data.get("message") or "")
        node = self.nodes.get(key.rpartition(".")[0])
        task = self.tasks.get(key)
        secrets = list(entry.personal.values())
        who = str(entry.data.get("completer", entry.actor))
        return {
            "seq": entry.seq, "at": entry.at, "who": self.names.get(who, who), "login": who,
            "role": either(*organisation.ROLES[node.role]) if node and node.role in organisation.ROLES and entry.actor != SYSTEM.id else "",
            "event": self.event(entry), "kind": _KIND_OF.get(entry.event, "steps"), "node": self.title(entry), "id": node.id if node else message,
            "answers": [*self.around(entry), *self.answers(secrets, key, message or entry.event)], "changes": self.changes(entry, known), "leaf": entry.leaf, "erased": None in secrets,
            "received": task["opened_at"] if task and entry.event == "task_completed" else None,
            "took": _span(entry.at - task["opened_at"]) if task and entry.event == "task_completed" else "",
            "then": entry.data.get("then", {}),
        }  # fmt: skip

    def title(self, entry: Entry) -> str:
        """What it is about: a node of the drawing, a job, a message."""
        node = self.nodes.get(str(entry.data.get("task") or entry.data.get("timer") or "").rpartition(".")[0])
        message = str(entry.data.get("message") or "")
        return either(node.name, node.name_en) if node else incidents.title(entry.data["job"]) if "job" in entry.data else str(MESSAGES.get(message, message))

    def event(self, entry: Entry) -> str:
        """Only applicants apply; another case is begun."""
        if entry.event == "case_started" and self.process.prefix != "DB":
            return _("Begun")
        return str(_MIGRATED if "migration" in entry.data and entry.event == "case_moved" else EVENTS.get(entry.event, entry.event))

    def around(self, entry: Entry) -> list[tuple[str, Any]]:
        """Whom an entry concerns besides who acted, and what signers and commenters said."""
        data, found = entry.data, []
        instead = None if "completer" in data else entry.said["actor"].get("for")
        named = [(_("In the name of"), instead or data.get("on_behalf_of")), (_("Last signer"), entry.actor if "completer" in data else None),
                 (_("Delegated by"), data.get("owner"))]  # fmt: skip
        if entry.event == "tasks_handed_over":
            named += [(_("Who has left"), data["from"]), (_("Hand over to"), data["to"])]
        named += [(str(wording.HABIT_FIELDS[name]), data.get(name)) for name in ("staff", "signers")]
        for label, value in named:
            if value:
                listed = value if isinstance(value, list) else [value]
                found.append((label, _(", ").join(self.names.get(one, one) for one in listed)))
        if "kind" in data and entry.event.startswith("signer"):
            found.append((str(wording.HABIT_FIELDS["kind"]), wording.word("signer", data["kind"])))
        found += [(str(wording.HABIT_FIELDS["agrees"]), wording.yes(data["agrees"]))] if "agrees" in data else []
        found += [(_("Delegated until"), data["until_on"])] if data.get("until_on") else []
        found += [(_("Given back"), _("to who handed it in"))] if data.get("returned") else []
        found += [(_("Signers left"), _("none"))] if data.get("last") else []
        if entry.event in ("signers_added", "signer_answered", "comment_added"):
            said = {name: text for secret in entry.personal.values() for put in ((secret or {}).get("puts") or {}).values() for name, text in put.items() if text}
            found += [(str(wording.HABIT_FIELDS[name]), said[name]) for name in ("question", "words", "text") if name in said]
        return found

    def answers(self, secrets: Sequence[Any], key: str, message: str) -> list[tuple[str, Any]]:
        """What was said, with the labels of its form, in the form's order."""
        given = self.given(secrets)
        form_class = self.process.answered.get(key.rpartition(".")[0]) or self.process.messages.get(message) or _BESIDE.get(message) or self.process.start_form
        fields = form_class().fields
        order = [n for n in fields if n in given] + [n for n in given if n not in fields]
        return [(self.label(fields, n), self.shown(given[n], fields[n].metadata if n in fields else {})) for n in order if n != "household_id"]

    @staticmethod
    def given(secrets: Sequence[Any]) -> dict[str, Any]:
        """Field -> what was answered."""
        parts = [(secret or {}).get("said") or {} for secret in secrets]
        reasons = [part["reason"] for part in parts if "answers" not in part and "reason" in part]
        return joined(parts) | ({"reason": reasons[-1]} if reasons else {})

    def label(self, fields: Mapping[str, Any], name: str) -> str:
        if name not in fields:
            return _("Reason") if name == "reason" else name
        meta = fields[name].metadata
        return str(meta.get("label_en" if lang() == "en" else "label", name))

    def shown(self, value: Any, meta: Mapping[str, Any]) -> Any:
        """Text, or {"head", "rows"} for rows, or {"papers"} for documents."""
        widget = meta.get("widget")
        if widget == "money" and isinstance(value, int):
            return f"{value // 100}.{value % 100:02d}"
        if isinstance(value, bool):
            return wording.yes(value)
        if widget in ("document", "documents"):
            listed = value if isinstance(value, list) else [value]
            return {"papers": [(n, self.titles.get(str(n), f"#{n}")) for n in listed if n]}
        if widget == "rows":
            return self.table(value, meta["form"]().fields)
        if widget == "staff":
            return self.names.get(value, value)
        choices = {c[0]: wording.choice_word(c) for c in meta.get("choices", ())}
        listed = value if isinstance(value, list) else [value]
        return _("; ").join(choices.get(v, str(v)) for v in listed)

    def table(self, rows: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
        used = [n for n in fields if any(row.get(n) not in (None, "") for row in rows)]
        cells = [[self.cell(row.get(n), fields[n].metadata) for n in used] for row in rows]
        return {"head": [self.label(fields, n) for n in used], "rows": cells}

    def cell(self, value: Any, meta: Mapping[str, Any]) -> Any:
        """One cell of rows; yes and no need their label, names of registries their words."""
        if isinstance(value, bool):
            return f"{meta.get('label_en' if lang() == 'en' else 'label')}{_(': ')}{wording.yes(value)}"
        if isinstance(value, str) and not meta.get("choices"):
            return wording.word("source", value)
        return "" if value is None else self.shown(value, meta)

    def changes(self, entry: Entry, known: dict[str, Any]) -> list[tuple[str, str, str]]:
        """Facts that this entry changed: (label, before, after)."""
        new = dict(entry.data.get("facts", {}))
        for _service, result in entry.data.get("then", {}).get("ran", ()):
            new |= result
        found = []
        for name, value in new.items():
            old = known.get(name)
            if name in wording.FACTS and old != value and not (old is None and value is None):
                before, after = (wording.fact(name, v, wording.forms_of(self.process), self.names) if v not in (None, "") else "—" for v in (old, value))
                if before != after:
                    found.append((str(wording.FACTS[name][0]), before, after))
        known |= new
        if entry.event == "deadline_recomputed":
            found.append((_("Last day"), entry.data["from"], entry.data["to"]))
        if entry.event == "task_late":
            found.append((_("Last day"), "—", entry.data["due_on"]))
        return found


def _span(took: timedelta) -> str:
    minutes = max(0, int(took.total_seconds())) // 60
    days, rest = divmod(minutes, 24 * 60)
    if days:
        return _("%(days)s d %(hours)s h", days=days, hours=rest // 60)
    return _("%(hours)s h %(minutes)s min", hours=rest // 60, minutes=rest % 60)


def assessed(entries: Sequence[Entry], house: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last assessment, computed again from the snapshot that its entry keeps."""
    undone = habits.taken_back(entries)
    for entry in reversed(entries):
        for secret in entry.personal.values() if entry.seq not in undone else ():
            snapshots = ((secret or {}).get("said") or {}).get("snapshots", {})
            if "assess_destitute" in snapshots:
                return tested(snapshots["assess_destitute"])
            if spent := snapshots.get("assess_expenditure"):
                result = {**expenditure.assess(spent), "amount": "", "amount_fen": None}
                return {**named_lines(result, house), "would": [], "tables": tables_asked(entries)}
            figures = snapshots.get("assess")
            if figures:
                said = [e.data["facts"]["reason_code"] for e in entries[entry.seq :] if "reason_code" in e.data.get("facts", {})]
                found = named_lines(explained(figures, said[-1] if said else None), house)
                return {**found, "would": counterfactual.told(figures, entries), "tables": tables_asked(entries)}
    return None


def tested(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The test of the three conditions (特困), in the shape of a calculation."""
    found = destitution.assess(figures)
    return {**found, "amount": money.yuan(found["amount_fen"]), "flags": [], "would": [], "tables": []}


def tables_asked(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The decision tables by which the case was decided, each with the rows that fired the last time."""
    found = {said["table"]: said["rules"] for entry in entries for said in entry.data.get("decided", ())}
    known = dmn.SHELF.tables
    return [{"name": name, "title": either(known[name].zh, known[name].en), "rules": rules} for name, rules in sorted(found.items()) if name in known]


def explained(figures: Mapping[str, Any], reason_code: str | None) -> dict[str, Any]:
    """The computation of a snapshot, with the line of a grace period where it gives one."""
    result = eligibility.explained(figures, reason_code)
    return grace.with_line(result, grace.follows(figures, result, (figures.get("benefit") or {}).get("category", "")))


@bp.get("/cases/<no>/drawing")
def show_drawing(no: str) -> ResponseReturnValue:
    """For the page's script, which shows it with bpmn-js."""
    return drawing_file(me(), no)


def drawing_file(actor: Actor, no: str) -> Response:
    """The BPMN bytes that the case runs on, with their SHA-256 as ETag. They hold nothing personal, so a browser may
    keep them, but asks each time whether its reader may still see the case. NotFound for who may not."""
    made = bureau()
    with made.office.read() as conn:
        found = made.cases.drawing(conn, visible(conn, actor, no)["drawing"])
    response = Response(found.xml, mimetype="application/xml")
    response.set_etag(found.digest)
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


@bp.route("/cases/<no>/messages/<name>", methods=["GET", "POST"])
def message(no: str, name: str) -> ResponseReturnValue:
    """Record what came in for a case: an objection, a withdrawal, a change."""
    made, actor = bureau(), me()
    with made.office.read() as conn:
        row = recordable(conn, actor, no, name)
        household_id = int((row["subject"] or "").partition(":")[2] or 0)
        seen = readers.of_cases(actor).covers(row["unit"]) or actor.id == row["opened_by"]
    process, back = CATALOGUE[row["process"]], url_for("cases.show", no=no) if seen else url_for("households.show", household_id=household_id)
    if name not in process.senders or name not in RECORDED:
        raise NotFound("没有这种来件")
    form_class, errors, typed, trouble, status, etag, conflict = process.messages[name], {}, {}, "", 200, str(row["seq"]), ""
    if request.method == "POST":
        typed = from_html(form_class, request.form)
        try:
            uploads.keep(form_class, typed, household_id, no)
            with made.office.act(actor, idem()) as act:
                _unchanged(act, row["id"], request.form.get("_etag", ""))
                made.cases.receive(act, no, name, typed, lang=lang())
            flash(_("Recorded."))
            return redirect(back)
        except Invalid as error:
            errors, status = said(error, lang()), 422
        except Conflict as error:
            conflict, status = words(error, lang()), 409
        except EngineError as error:
            trouble, status = words(error, lang()), status_of(error)
    title = str(RECORDED[name])
    form = form_class(context={"today": made.office.today(), "actor": actor, "lang": lang(), "facts": {}})
    with made.office.read() as conn:
        papers, members, lately = _papers(conn, household_id), households.members_of(conn, household_id), []
        if conflict:
            now = recordable(conn, actor, no, name)
            etag, entries = str(now["seq"]), readers.told_to(conn, actor, now["unit"], history(conn, made.office.keys.on(conn), now["id"])) if seen else []
            lately = since(entries, process, wording.names_of(conn, wording.logins_in(entries)))
    return render_template("form_page.html", title=title, form=form, values=typed, errors=errors, trouble=trouble, conflict=conflict, since=lately, etag=etag,
                           record=url_for("cases.show", no=no, tab="record") if seen else "", back=back, papers=papers, colleagues=[], members=members), status  # fmt: skip


def _unchanged(act: Act, case_id: int, etag: str) -> None:
    """Lock the case; Conflict where more stands on its record than when the page with that `etag` was made, unless this same
    page was sent before: then it gets its first answer."""
    if etag and etag != str(act.open("case", case_id).seq) and act.recall() is None:
        raise Conflict("这件个案在您打开后有变化，请核对后再提交", "This case has changed since you opened it: look at it, then send again")


@bp.get("/letters/<int:letter_id>")
def show_letter(letter_id: int) -> ResponseReturnValue:
    """The bytes as they were issued."""
    return letter_of(me(), letter_id)


@bp.get("/letters/<int:letter_id>.docx")
def show_letter_in_word(letter_id: int) -> ResponseReturnValue:
    return letter_in_word(me(), letter_id)


def letter_of(actor: Actor, letter_id: int) -> Response:
    """As it was issued, byte for byte; in Word where the request asks for that alone, or rather."""
    if request.accept_mimetypes.best_match(["text/html", word.MEDIA_TYPE], default="text/html") == word.MEDIA_TYPE:
        response = letter_in_word(actor, letter_id)
    else:
        response = Response(_issued(actor, letter_id)[1], mimetype="text/html")
    response.vary.add("Accept")
    return response


def letter_in_word(actor: Actor, letter_id: int) -> Response:
    """The same letter in Word, with the digest of these bytes (RFC 9530)."""
    row, stored = _issued(actor, letter_id)
    docx = word.document(stored, row["digest"], row["issued_on"])
    name = quote(f"{word.read(stored).title} {row['number']}.docx")
    return Response(docx, mimetype=word.MEDIA_TYPE, headers={
        "Content-Disposition": f"attachment; filename=\"letter-{letter_id}.docx\"; filename*=UTF-8''{name}",
        "Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(docx).digest()).decode()}:",
    })  # fmt: skip


def _issued(actor: Actor, letter_id: int) -> tuple[Mapping[Any, Any], bytes]:
    """A letter's row and issued bytes. NotFound for who may not see it."""
    made = bureau()
    with made.office.read() as conn:
        row, stored = paperwork.issued_bytes(conn, made.office.keys.on(conn), letter_id)
        letter_visible(conn, actor, row)
    return row, stored


def letter_visible(conn: Any, actor: Actor, row: Mapping[Any, Any]) -> None:
    """A letter is seen by who sees its case; one that stands in a benefit's own record, by those whose area the household lives in."""
    if conn.scalar(select(store.record.c.kind).where(store.record.c.id == row["id"] >> 16)) == "case":
        visible(conn, actor, row["case_no"])
    elif not readers.of_benefits(actor).covers(households.row(conn, row["household_id"])["community"]):
        raise NotFound("没有这份文书")


@bp.get("/cases/<no>/notices/<int:notice_id>")
def show_notice(no: str, notice_id: int) -> ResponseReturnValue:
    return notice_on_file(me(), no, notice_id)


def notice_on_file(actor: Actor, no: str, notice_id: int) -> Response:
    """The sheet of a notice for the file, with the photos of its posting and its removal."""
    with bureau().office.read() as conn:
        visible(conn, actor, no)
        row = conn.execute(select(notice).where(notice.c.id == notice_id, notice.c.case_no == no)).mappings().one_or_none()
        if row is None:
            raise NotFound("没有这份公示")
        kinds = {d.id: d.media_type for d in conn.execute(select(document).where(document.c.id.in_([row["photo_posted"], row["photo_removed"]])))}
        photos = [(row[name], kinds[row[name]]) if row[name] in kinds else None for name in ("photo_posted", "photo_removed")]
        names = (organisation.unit_name(conn, row["community"]), organisation.unit_name(conn, row["street"]))
    return Response(letters.notice_on_file(dict(row), *names, *photos), mimetype="text/html")


@bp.get("/documents/<int:document_id>")
def show_document(document_id: int) -> ResponseReturnValue:
    made, actor = bureau(), me()
    with made.office.act(actor) as act:
        data, media_type, household_id = documents.fetch(act.conn, act.keys, made.settings.files, document_id)
        unit = households.row(act.conn, household_id)["community"]
        if not readers.of_cases(actor).covers(unit):
            raise NotFound("没有这份材料")
        readers.note(act, "document_read", {"document": document_id})
    headers = {"Content-Disposition": f'inline; filename="document-{document_id}"', "Content-Security-Policy": "default-src 'none'"}
    return Response(data, mimetype=media_type, headers=headers)


PAPER_EN = {"application": "Application", "declaration": "Declaration of income and property", "authorisation": "Authorisation for the means check",
            "survey": "Home survey", "democratic_review": "Minutes of the democratic review", "delivery": "Proof of delivery"}  # fmt: skip


def sheets() -> list[tuple[str, str]]:
    """Sheets for paper: kind and title."""
    return [(kind, either(title, PAPER_EN.get(kind, title))) for kind, title in letters.SHEETS.items()]


@bp.get("/cases/<no>/sheets/<kind>")
def sheet(no: str, kind: str) -> ResponseReturnValue:
    return sheet_of(me(), no, kind)


def sheet_of(actor: Actor, no: str, kind: str) -> Response:
    """A sheet for paper, with what is known of the household; numbers stay masked."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, actor, no)
        if roles_for(actor, row["unit"]) <= READERS:
            raise Refused("role", "您的岗位只能查看，不能打印办案表格", "Your post may read, not print sheets")
        house = households.view(conn, made.office.keys.on(conn), int(row["subject"].partition(":")[2]))
    return printed(kind, house, no)


def printed(kind: str, house: Mapping[str, Any], no: str = "") -> Response:
    if kind not in letters.SHEETS:
        raise NotFound("没有这个页面")
    issued = bureau().office.today().isoformat()
    return Response(letters.sheet(kind, {"household": house, "case_no": no, "issued_on": issued}), mimetype="text/html")
