"""个案: what a case is, what happened in it, where it stands on its drawing, and what was issued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from engine import queries
from engine.bpmn import Run
from engine.errors import Diverged, Invalid, NotFound, Refused
from engine.forms import from_html
from engine.model import Actor, Entry
from engine.office import history, seals_hold
from processes import documents, eligibility, households, letters, organisation, paperwork, readers
from processes.bureau import CATALOGUE
from processes.case_tables import letter, notice
from processes.tables import document
from web.desk import bureau, idem, lang, me, t
from web.svg import Marks, render
from web.tasks import _whole

bp = Blueprint("cases", __name__)

TABS = (
    ("overview", "概况", "Overview"),
    ("household", "家庭与收入财产", "Household and means"),
    ("record", "流转记录", "Record"),
    ("drawing", "流程跟踪", "Diagram"),
    ("papers", "材料与文书", "Documents and letters"),
)

EVENTS = {
    "case_started": ("提出申请", "Application made"),
    "task_completed": ("办结", "Completed"),
    "message_received": ("收到来件", "Message received"),
    "timer_fired": ("期限届满", "Period ended"),
    "task_claimed": ("领取", "Claimed"),
    "task_released": ("退回待领", "Released"),
    "task_transferred": ("转办", "Transferred"),
    "task_delegated": ("委托", "Delegated"),
    "task_escalated": ("提请关注", "Escalated"),
}
OUTCOMES = {
    "ended_granted": ("已批准", "Granted"),
    "ended_refused": ("不予批准", "Refused"),
    "ended_withdrawn": ("已撤回", "Withdrawn"),
}


@bp.get("/cases")
def listing() -> ResponseReturnValue:
    made, actor = bureau(), me()
    page, no = _whole(request.args.get("page"), 1, 100_000), request.args.get("no", "").strip()
    if no:
        return redirect(url_for("cases.show", no=no))
    state = request.args.get("state")
    with made.office.read() as conn:
        found = queries.cases(conn, actor.unit, state=state, page=page)
        names = households.applicant_names(conn, [row["subject"] for row in found.items])
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in found.items}
    return render_template("cases.html", found=found, names=names, places=places, state=state, titles=CATALOGUE, outcomes=OUTCOMES)


def visible(conn: Any, actor: Actor, no: str) -> Mapping[Any, Any]:
    """The case's row, for those whose area it lies in or who have had a task of it; for others there is no such case."""
    row = queries.case_row(conn, no)
    if actor.covers(row["unit"]):
        return row
    mine = any(
        actor.id in (x["assignee"], x["done_by"]) or (x["role"] in actor.roles and actor.covers(x["unit"])) for x in queries.case_tasks(conn, row["id"])
    )
    if not mine:
        raise NotFound("没有这件个案")
    return row


@bp.get("/cases/<no>")
def show(no: str) -> ResponseReturnValue:
    made, actor = bureau(), me()
    tab = request.args.get("tab", "drawing" if "step" in request.args else "overview")
    with made.office.read() as conn:
        row = visible(conn, actor, no)
        keys, process = made.office.keys.on(conn), CATALOGUE[row["process"]]
        drawing = made.cases.drawing(conn, row["drawing"])
        run = Run.load(drawing, row["state"], made.office.clock())
        household_id = run.facts["household_id"]
        entries = history(conn, keys, row["id"])
        shown = {
            "house": households.view(conn, keys, household_id),
            "tasks": queries.case_tasks(conn, row["id"]),
            "timeline": [_line(e, process) for e in entries],
            "letters": conn.execute(select(letter).where(letter.c.case_no == no).order_by(letter.c.id)).mappings().all(),
            "notices": conn.execute(select(notice).where(notice.c.case_no == no).order_by(notice.c.id)).mappings().all(),
            "documents": conn.execute(select(document).where(document.c.household_id == household_id)).mappings().all(),
            "benefits": households.active_benefits(conn, household_id),
            "result": _assessed(entries),
            "picture": _picture(conn, made, row, entries, drawing) if tab == "drawing" else None,
            "street": organisation.unit_name(conn, run.facts["street"]),
            "community": organisation.unit_name(conn, run.facts["community"]),
        }
    waits = sorted(run.waits_for() & {"objection", "withdrawal"}) if not row["closed_at"] else []
    names = {n.id: (n.name_en if lang() == "en" else n.name) for n in drawing.nodes.values()}
    return render_template("case.html", case=row, tab=tab, tabs=TABS, facts=run.facts, waits=waits, names=names, process=process,
                           outcomes=OUTCOMES, titles=letters.TITLES, nodes=drawing.nodes, **shown)  # fmt: skip


def _line(entry: Entry, process: Any) -> dict[str, Any]:
    """An entry as a line of the timeline."""
    what = entry.event
    node: str | None = ""
    key = str(entry.data.get("task") or entry.data.get("timer") or "")
    if key and (found := process.drawing.nodes.get(key.rpartition(".")[0])):
        node = found.name_en if lang() == "en" else found.name
    if what == "message_received":
        node = {"objection": t("异议", "Objection"), "withdrawal": t("撤回申请", "Withdrawal"), "registry_answer": t("信息核对结果", "Registries' answer")}.get(
            str(entry.data["message"]), str(entry.data["message"]))  # fmt: skip
    said: dict[str, Any] = {}
    erased = False
    for secret in entry.personal.values():
        if secret is None:
            erased = True
        else:
            said |= (secret.get("said") or {}).get("answers", {}) or {k: v for k, v in (secret.get("said") or {}).items() if k == "reason"}
    return {"seq": entry.seq, "at": entry.at, "who": entry.actor, "event": EVENTS.get(what, (what, what))[lang() == "en"], "node": node,
            "answers": _readable(said, process, key, entry), "facts": entry.data.get("facts", {}), "leaf": entry.leaf, "erased": erased,
            "then": entry.data.get("then", {})}  # fmt: skip


def _readable(said: Mapping[Any, Any], process: Any, key: str, entry: Entry) -> list[tuple[str, str]]:
    """Answers with the labels of their form."""
    form_class = process.forms.get(key.rpartition(".")[0]) or process.messages.get(entry.data.get("message", "")) or process.start_form
    fields = form_class().fields
    found = []
    for name, value in said.items():
        meta = fields[name].metadata if name in fields else {}
        label = meta.get("label_en" if lang() == "en" else "label", name)
        words = {c[0]: c[2 if lang() == "en" else 1] for c in meta.get("choices", ())}
        found.append((label, _shown(value, words, meta.get("widget"))))
    return found


def _shown(value: Any, words: Mapping[str, str], widget: str | None) -> str:
    if widget == "money" and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    if isinstance(value, bool):
        return t("是", "yes") if value else t("否", "no")
    if isinstance(value, list):
        return "；".join(_shown(v, words, None) for v in value)
    if isinstance(value, dict):
        return "，".join(str(v) for v in value.values())
    return words.get(str(value), str(value))


def _assessed(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The last assessment, computed again from the snapshot that its entry keeps."""
    for entry in reversed(entries):
        for secret in entry.personal.values():
            figures = ((secret or {}).get("said") or {}).get("snapshots", {}).get("assess")
            if figures:
                return eligibility.assess(figures)
    return None


def _picture(conn: Any, made: Any, row: Mapping[Any, Any], entries: Sequence[Entry], drawing: Any) -> dict[str, Any]:
    """The drawing as of entry n (all, when no step is asked for), by doing the case again."""
    last = len(entries)
    step = _whole(request.args.get("step"), last, last)
    current: Sequence[str] = ()
    notes: dict[str, list[str]] = {}
    path = trouble = None
    facts: Mapping[Any, Any] = {}
    try:
        for entry, run in made.cases.replaying(conn, entries[:step]):
            path, facts = run.path(), dict(run.facts)
            key = entry.data.get("task") or entry.data.get("timer")
            current = [key.rpartition(".")[0]] if key else []
            if key and entry.event == "task_completed":
                notes[current[0]] = [f"{entry.actor} {entry.at:%m-%d}"]
    except Diverged as error:
        trouble = str(error)
    marks = Marks(path.done, [c for c in current if step < last], path.active, path.flows, notes) if path else Marks()
    svg = render(drawing.xml, marks, title=t(f"个案流程图，第 {step} 步", f"Diagram of the case, step {step}"), lang=lang())
    return {"svg": svg, "step": step, "last": last, "trouble": trouble, "facts": facts, "intact": seals_hold(entries) is None}


@bp.route("/cases/<no>/messages/<name>", methods=["GET", "POST"])
def message(no: str, name: str) -> ResponseReturnValue:
    """Record an objection or a withdrawal."""
    made, actor = bureau(), me()
    with made.office.read() as conn:
        row = visible(conn, actor, no)
    process = CATALOGUE[row["process"]]
    if name not in ("objection", "withdrawal"):
        raise NotFound("没有这种来件")
    form_class, errors, typed = process.messages[name], {}, {}
    if request.method == "POST":
        typed = from_html(form_class, request.form)
        try:
            with made.office.act(actor, idem()) as act:
                made.cases.receive(act, no, name, typed, lang=lang())
            flash(t("已登记。", "Recorded."))
            return redirect(url_for("cases.show", no=no))
        except Invalid as error:
            errors = error.fields
    title = t("登记异议", "Record an objection") if name == "objection" else t("登记撤回申请", "Record a withdrawal")
    return render_template("form_page.html", title=title, form=form_class(), values=typed, errors=errors, back=url_for("cases.show", no=no),
                           papers=[], colleagues=[]), 422 if errors else 200  # fmt: skip


@bp.get("/letters/<int:letter_id>")
def show_letter(letter_id: int) -> ResponseReturnValue:
    """The bytes as they were issued."""
    made = bureau()
    with made.office.read() as conn:
        row, stored = paperwork.issued_bytes(conn, made.office.keys.on(conn), letter_id)
        visible(conn, me(), row["case_no"])
    return Response(stored, mimetype="text/html")


@bp.get("/documents/<int:document_id>")
def show_document(document_id: int) -> ResponseReturnValue:
    made, actor = bureau(), me()
    with made.office.act(actor) as act:
        data, media_type, household_id = documents.fetch(act.conn, act.keys, made.settings.files, document_id)
        unit = households.row(act.conn, household_id)["community"]
        if not actor.covers(unit) and not unit.startswith(actor.unit):
            raise NotFound("没有这份材料")
        readers.note(act, "document_read", {"document": document_id})
    headers = {"Content-Disposition": f'inline; filename="document-{document_id}"', "Content-Security-Policy": "default-src 'none'"}
    return Response(data, mimetype=media_type, headers=headers)


@bp.get("/cases/<no>/survey-sheet")
def survey_sheet(no: str) -> ResponseReturnValue:
    """入户调查表, prefilled, for paper."""
    made, actor = bureau(), me()
    if "investigator" not in actor.roles and "window_clerk" not in actor.roles:
        raise Refused("role", "只有窗口和调查人员可以打印调查表", "Only clerks and investigators print survey sheets")
    with made.office.read() as conn:
        row = visible(conn, actor, no)
        house = households.view(conn, made.office.keys.on(conn), int(row["subject"].partition(":")[2]))
    return Response(letters.survey_sheet({"household": house, "case_no": no}), mimetype="text/html")
