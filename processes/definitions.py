"""Deploying a drawing, a decision table or a law file: one person proposes it, another puts it in force from a day (decision 049).

A version is a record of its own, its text is kept by its digest where entries look for it. Cases that run keep their drawing; which tables
and law are asked goes by the day (processes/in_force.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lxml import etree
from sqlalchemy import Connection, func, insert, select

from engine import store
from engine.bpmn import Drawing
from engine.cases import Cases
from engine.dmn import Table
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.lint import MAX_BYTES, check_table
from engine.lint_rules import BPMN, Finding, finding
from engine.model import Put
from engine.office import Act
from engine.queries import Page
from processes import dmn, law, parameters
from processes.definition_diff import Difference, differences
from processes.definition_tables import definition
from processes.in_force import law_file, text_of
from processes.organisation import DISTRICT

PROPOSERS = frozenset({"admin"})
DECIDERS = frozenset({"supervisor", "approver"})
KINDS: Mapping[str, tuple[str, str]] = {"drawing": ("流程图", "drawing"), "table": ("决策表", "decision table"), "law": ("法规参数", "law file")}
STATES = ("proposed", "confirmed", "withdrawn")
# Law files that acts ask by the day; the calendar comes with the program (decision 080).
FILES = ("parameters.yaml", "procedure.yaml", "deductions.yaml", "destitute.yaml", "excluded_income.yaml", "versions.yaml", "change_checks.yaml", "relation_scope.yaml",
         "routing.yaml", law.PROCEDURES)  # fmt: skip
MOST_WORDS = 400


class NotSound(Invalid):
    """The lint has something against it; `findings` says what."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        zh = [f"第 {f.line} 行 {f.rule} [{f.element}]：{f.message_zh}；{f.advice_zh}" for f in findings]
        en = [f"line {f.line}, {f.rule} [{f.element}]: {f.message_en}; {f.advice_en}" for f in findings]
        super().__init__({"text": zh}, {"text": en})
        self.findings = list(findings)


@dataclass(frozen=True, slots=True)
class Text:
    """A definition as it was handed in. key: the process, table or law file that it is a version of; digest: its name in the database."""

    kind: str
    key: str
    raw: bytes
    digest: str
    findings: tuple[Finding, ...] = ()


# -- what was handed in


def understood(cases: Cases, raw: bytes, name: str, today: date) -> Text:
    """What a file is, and all that the lint and the installed module say of it. `name`: the file's name; a law file is known by it."""
    name = name.replace("\\", "/").rpartition("/")[2]
    if name.endswith((".yaml", ".yml")):
        return _law(cases, raw, name, today)
    space, key = _root(raw)
    return _table(raw) if "DMN" in space else _drawing(cases, raw, key)


def _drawing(cases: Cases, raw: bytes, key: str) -> Text:
    process = cases.processes.get(key)
    if process is not None:
        found = process.faults_of(raw)
    else:
        found = next(iter(cases.processes.values())).faults_of(raw) if not key else [_unknown("other-process", key, "流程", "process", sorted(cases.processes))]
    return Text("drawing", key, raw, _sha(raw), tuple(found))


def _root(raw: bytes) -> tuple[str, str]:
    """The namespace of the outermost element, and the id of the process in it; empty where there is none, or no XML."""
    if len(raw) > MAX_BYTES:
        return "", ""
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        tree: Any = etree.fromstring(raw, closed)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return "", ""
    if tree.getroottree().docinfo.doctype:
        return "", ""
    found = tree.find(f"{{{BPMN}}}process")
    return etree.QName(tree).namespace or "", "" if found is None else str(found.get("id") or "")[:60]


def _table(raw: bytes) -> Text:
    found = check_table(raw)
    if found:
        return Text("table", "", raw, _sha(raw), tuple(found))
    table = Table.parse(raw)
    if table.key not in dmn.SHELF.tables:
        found = [_unknown("dmn-name", table.key, "决策表", "decision table", sorted(dmn.SHELF.tables))]
    elif not dmn.SHELF.asks_like(table.key, table):
        found = check_table(raw, [one.name for one in dmn.SHELF.current(table.key).inputs]) or [_other_columns(table)]
    elif table.personal != dmn.SHELF.tables[table.key].personal or [(one.name, one.kind) for one in table.outputs] != [(one.name, one.kind) for one in dmn.SHELF.tables[table.key].outputs]:
        found = [_other_columns(table)]
    else:
        found = _strange_values(table)
    return Text("table", table.key, raw, _sha(raw), tuple(found))


def _other_columns(table: Table) -> Finding:
    return finding("dmn-columns", table.element, table.line, "输入、输出的名称、类型、次序及 yb:personal 应与所装程序的决策表一致",
                   "inputs, outputs (names, types, order) and yb:personal are those of the installed table")  # fmt: skip


def _strange_values(table: Table) -> list[Finding]:
    """Texts that the program's own table cannot give: no module knows what follows from them."""
    found = []
    for place, one in enumerate(dmn.SHELF.tables[table.key].outputs):
        known = {rule.values[place] for rule in dmn.SHELF.tables[table.key].rules} | one.values.points
        odd = [rule for rule in table.rules if one.kind == "string" and rule.values[place] not in known]
        found += [finding("dmn-type", rule.id, rule.line, f"{one.name} 的值 {rule.texts[place]}，所装模块不认识",
                          f"{rule.texts[place]} of {one.name}: no installed module knows it") for rule in odd]  # fmt: skip
    return found


def _law(cases: Cases, raw: bytes, name: str, today: date) -> Text:
    packed = law.packed({name: raw})
    if name not in FILES:
        return Text("law", name, raw, _sha(packed), (_unknown("not-deployable", name, "法规参数文件", "law file", FILES),))
    return Text("law", name, raw, _sha(packed), tuple(parameters.faults(raw, name, today) or _strange_names(raw, name) or _strange_procedures(cases, raw, name)))


def _strange_procedures(cases: Cases, raw: bytes, file: str) -> list[Finding]:
    """Procedures of which no drawing and module is installed: no case could begin from that day on."""
    if file != law.PROCEDURES:
        return []
    at = law.lines(raw)
    rows = [(name, place, row.text) for name, rows in law.read(raw, file, law.fits_in(file)).items() for place, row in enumerate(rows)]
    return [finding("other-process", name, at[name][place], f"所装程序没有这个流程：{key}", f"no process {key} is installed")
            for name, place, key in rows if key not in cases.processes and not name.endswith("_confirmation")]  # fmt: skip


def _strange_names(raw: bytes, file: str) -> list[Finding]:
    """Names that the program does not ask for, or that it asks for and misses; a name that stands in two files."""
    here = law.book()
    try:
        names = set(law.Book.of({**(law.RAW if here is None else here.raw), file: raw}).tables[file])
    except law.BadLaw as error:
        return [finding("law-names", file, 1, f"与其他法规文件冲突：{error}", str(error))]
    own_names = set(law.Book.of({file: law.RAW[file]}).tables[file])
    at = law.lines(raw)
    found = [finding("law-names", name, at[name][0], f"所装程序不认识这个名称：{name}", f"the installed program does not know the name {name}") for name in sorted(names - own_names) if file != "versions.yaml"]
    return found + [finding("law-names", name, 1, f"缺少 {name}", f"{name} is missing") for name in sorted(own_names - names)]


def _unknown(rule: str, key: str, zh: str, en: str, known: Sequence[str]) -> Finding:
    return finding(rule, key, 1, f"所装程序没有这份{zh}：{key or '（空）'}；有：{'、'.join(known)}", f"no {en} {key or '(none)'} is installed; there are: {', '.join(known)}")


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


# -- versions


def own(cases: Cases, kind: str, key: str) -> tuple[str, bytes]:
    """Digest and text of the version that the program brings."""
    if kind == "drawing":
        return cases.processes[key].drawing.digest, cases.processes[key].drawing.xml
    if kind == "table":
        return dmn.SHELF.tables[key].digest, dmn.SHELF.tables[key].xml
    return _sha(law.packed({key: law.RAW[key]})), law.RAW[key]


def last(conn: Connection, cases: Cases, kind: str, key: str) -> str:
    """The digest of the version that was confirmed last, whether it has begun or not; else of the program's own."""
    c = definition.c
    query = select(c.digest).where(c.state == "confirmed", c.kind == kind, c.key == key).order_by(c.from_on.desc(), c.id.desc()).limit(1)
    return str(conn.scalar(query) or own(cases, kind, key)[0])


def text(conn: Connection, cases: Cases, kind: str, key: str, digest: str) -> bytes:
    """The text of a version, the program's own or a kept one."""
    mine, raw = own(cases, kind, key)
    if digest == mine:
        return raw
    return law_file(conn, digest, key) if kind == "law" else text_of(conn, kind, digest)


def row(conn: Connection, number: int) -> Mapping[Any, Any]:
    found = conn.execute(select(definition).where(definition.c.id == number)).mappings().one_or_none()
    if found is None:
        raise NotFound(f"没有这次部署：{number}")
    return found


def listed(conn: Connection, *, kind: str | None = None, key: str | None = None, state: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Proposals and versions, the newest first."""
    c = definition.c
    where = [column == value for column, value in ((c.kind, kind), (c.key, key), (c.state, state)) if value]
    total = conn.scalar(select(func.count()).select_from(definition).where(*where)) or 0
    rows = conn.execute(select(definition).where(*where).order_by(c.id.desc()).limit(size).offset((page - 1) * size)).mappings().all()
    return Page(list(rows), total, page, size)


def installed(conn: Connection, cases: Cases, day: date) -> list[dict[str, Any]]:
    """Everything that can be deployed, with the version in force on a day: kind, key, digest, number (of its deployment, or None: the
    program's own), from_on (or None)."""
    c = definition.c
    rows = conn.execute(select(definition).where(c.state == "confirmed", c.from_on <= day.isoformat()).order_by(c.from_on, c.id)).mappings()
    begun = {(one["kind"], one["key"]): one for one in rows}
    keys = [("drawing", key) for key in cases.processes] + [("table", key) for key in sorted(dmn.SHELF.tables)] + [("law", file) for file in FILES]
    found = []
    for kind, key in keys:
        one = begun.get((kind, key))
        found.append({"kind": kind, "key": key, "digest": one["digest"] if one else own(cases, kind, key)[0], "number": one["id"] if one else None,
                      "from_on": one["from_on"] if one else None})  # fmt: skip
    return found


def compared(conn: Connection, cases: Cases, one: Mapping[Any, Any]) -> list[Difference]:
    """What a version changes in the one that it follows."""
    before, after = (text(conn, cases, one["kind"], one["key"], one[name]) for name in ("before", "digest"))
    return differences(one["kind"], before, after, one["key"])


# -- two persons


def propose(act: Act, cases: Cases, raw: bytes, name: str, reason: str) -> dict[str, Any]:
    """Propose a version. NotSound when lint or module have something against it; Conflict when it is the version that there is."""
    _at_the_district(act, PROPOSERS, "只有区级系统管理员可以提出部署", "Only administrators of the district propose a deployment")
    words = _words("reason", reason)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    said = understood(cases, raw, name, act.today)
    if said.findings:
        raise NotSound(said.findings)
    before = last(act.conn, cases, said.kind, said.key)
    if said.digest == before:
        raise Conflict("与现行版本完全相同", "It is the version that there is already")
    c = definition.c
    if waits := act.conn.scalar(select(c.id).where(c.state == "proposed", c.kind == said.kind, c.key == said.key)):
        raise Conflict(f"{said.key} 已有一项待确认的部署：{waits}", f"A deployment of {said.key} waits to be confirmed already: {waits}")
    _keep(act, cases, said)
    record = act.new("definition", DISTRICT)
    values = {"kind": said.kind, "key": said.key, "digest": said.digest, "before": before, "reason": words, "state": "proposed", "proposed_by": act.actor.id,
              "proposed_on": act.today.isoformat()}  # fmt: skip
    act.append(record, "definition_proposed", {"kind": said.kind, "key": said.key, "sha256": said.digest, "before": before}, puts=[Put("definition", record.id, values)])
    told = {"number": record.id}
    act.remember(told)
    return told


def confirm(act: Act, cases: Cases, number: int, from_on: date | None = None) -> dict[str, Any]:
    """Another person puts it in force, from the day after today or a later one."""
    _at_the_district(act, DECIDERS, "只有区级监督主管或审批人可以确认部署", "Only supervisors and approvers of the district confirm a deployment")
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, one = _opened(act, number)
    if one["state"] != "proposed":
        raise Conflict("这次部署已经处理", "This deployment is settled already")
    if one["proposed_by"] in act.actor.persons:
        raise Refused("four-eyes", "提出部署的人不能自己确认（双人规则）", "Who proposed it may not confirm it")
    first = act.today + timedelta(days=1)
    since = first if from_on is None else from_on
    if since < first:
        raise Invalid({"from_on": [f"最早从次日（{first}）起施行：同一天不能有两个版本"]}, {"from_on": [f"at the earliest from the day after ({first}): no day has two versions"]})
    if last(act.conn, cases, one["kind"], one["key"]) != one["before"]:
        raise Conflict("提出之后又有别的版本获得确认，请重新提出", "Another version was confirmed since it was proposed: propose it again")
    c = definition.c
    later = act.conn.scalar(select(func.max(c.from_on)).where(c.state == "confirmed", c.kind == one["kind"], c.key == one["key"]))
    if later is not None and later >= since.isoformat():
        raise Conflict(f"已有自 {later} 起施行的版本，只能从其后的日期起施行", f"There is a version from {later} on: this one can only follow it")
    name = one["key"] if one["kind"] == "law" else ""
    if found := understood(cases, text(act.conn, cases, one["kind"], one["key"], one["digest"]), name, act.today).findings:
        raise NotSound(found)  # the program has changed since
    if one["kind"] == "law":
        _joins(act.conn, cases, one)
    values = {"state": "confirmed", "from_on": since.isoformat(), "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    act.append(record, "definition_confirmed", {"kind": one["kind"], "key": one["key"], "from_on": since.isoformat()}, puts=[Put("definition", record.id, values)])
    told = {"number": number}
    act.remember(told)
    return told


def _joins(conn: Connection, cases: Cases, one: Mapping[Any, Any]) -> None:
    """The file must go with the last confirmed version of every other one, begun or not."""
    files = {file: text(conn, cases, "law", file, last(conn, cases, "law", file)) for file in FILES}
    try:
        law.Book.of({**law.RAW, **files, one["key"]: text(conn, cases, "law", one["key"], one["digest"])})
    except law.BadLaw as error:
        raise Conflict(f"与另一份已确认的法规文件冲突：{error}", f"It contradicts another law file that was confirmed: {error}") from error


def withdraw(act: Act, number: int, reason: str) -> dict[str, Any]:
    """Before it is confirmed, by its proposer or who might confirm it; once confirmed, by the latter, before its first day."""
    _at_the_district(act, PROPOSERS | DECIDERS, "只有区级系统管理员、监督主管或审批人可以撤回部署", "Only administrators, supervisors and approvers of the district withdraw a deployment")
    words = _words("reason", reason)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, one = _opened(act, number)
    decides = act.actor.post_over(DISTRICT, DECIDERS) is not None
    if one["state"] == "withdrawn" or (one["state"] == "confirmed" and one["from_on"] <= act.today.isoformat()):
        raise Conflict("这次部署已经处理或已经施行；要恢复旧版，请把旧版再部署一次", "It is settled or in force already; to return to an earlier version, deploy that one again")
    if not decides and (one["state"] != "proposed" or one["proposed_by"] not in act.actor.persons):
        raise Refused("role", "只有提出人或可以确认的人可以撤回", "Only who proposed it, or may confirm it, withdraws it")
    values = {"state": "withdrawn", "from_on": None, "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    act.append(record, "definition_withdrawn", {"kind": one["kind"], "key": one["key"]}, personal={f"staff:{act.actor.id}": {"reason": words}},
               puts=[Put("definition", record.id, values)])  # fmt: skip
    told = {"number": number}
    act.remember(told)
    return told


def _keep(act: Act, cases: Cases, said: Text) -> None:
    """Beside the texts that entries name, so that a replay, a bundle and the next program find it."""
    if said.kind == "drawing":
        cases._keep(act.conn, Drawing.parse(said.raw))
    elif said.kind == "table":
        act.keep([Table.parse(said.raw)])
    elif act.conn.scalar(select(store.law.c.digest).where(store.law.c.digest == said.digest)) is None:
        act.conn.execute(insert(store.law).values(digest=said.digest, text=law.packed({said.key: said.raw})))


def _opened(act: Act, number: int) -> tuple[Any, Mapping[Any, Any]]:
    row(act.conn, number)
    record = act.open("definition", number)
    return record, row(act.conn, number)  # as it stands now that it is locked


def _words(name: str, text_: str) -> str:
    if not 0 < len(text_.strip()) <= MOST_WORDS:
        raise Invalid({name: [f"请写明理由，最多 {MOST_WORDS} 字"]}, {name: [f"say why, in at most {MOST_WORDS} characters"]})
    return text_.strip()


def _at_the_district(act: Act, roles: frozenset[str], zh: str, en: str) -> None:
    post = act.actor.post_over(DISTRICT, roles)
    if post is None:
        raise Refused("role", zh, en)
    act.through(post)
