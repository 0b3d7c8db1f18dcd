"""Temporary assistance in the demo, one of each on its last morning: helped with the papers complete, helped with them waiting, referred, asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import store
from processes import households, temporary_assistance

if TYPE_CHECKING:
    from web.demo import District

_FIRE = {"kind": "emergency", "cause": "fire", "reason": "住房失火，衣物被褥烧毁，当晚无处居住。", "residence_basis": "local_hukou"}
_HELP = [{"form": "cash", "amount": "1500.00", "description": "基本生活"}, {"form": "goods", "amount": "300.00", "description": "棉被、食品"},
         {"form": "referral", "description": "临时安置", "referred_to": "滨海新区救助管理站"}]  # fmt: skip


def fill(d: District, homes: list[int]) -> None:
    """`homes`: some of the demo's households. Draws no lots, so that the rest of the demo stays as it is."""
    if len(homes) < 4:
        return
    first, second, third, fourth = homes[:4]
    no = _helped(d, first)
    _do(d, no, first, "civil_affairs_officer", "emergency_register", object="申请人一家", reason="住房失火", amount="1800.00", signed_document=d.scans[first])
    _do(d, no, first, "street_leader", "emergency_signoff", signoff="agree", stamped=True, opinion="手续齐备。")
    _do(d, no, first, "window_clerk", "deliver_approval", delivered_on=_today(d), method="direct", recipient="申请人", receipt_document=d.scans[first])
    _helped(d, second)
    no = _asked(d, third, kind="expenditure", cause="medical", reason="住院费用较高。", residence_basis="none")
    _do(d, no, third, "window_clerk", "refer_applicant", agency="滨海新区救助管理站", handed_to="值班人员", handed_on=_today(d), way_there="accompanied")
    _asked(d, fourth, kind="expenditure", cause="education", reason="子女考取大学，学费难以承担。", residence_basis="local_hukou", requested_amount="4000.00")


def _today(d: District) -> str:
    return d.made.office.today().isoformat()


def _street(d: District, home: int) -> str:
    with d.made.office.read() as conn:
        return str(households.row(conn, home)["street"])


def _asked(d: District, home: int, **said: Any) -> str:
    with d.made.office.act(d.by_role("window_clerk", _street(d, home))[0]) as act:
        return str(d.made.cases.start(act, temporary_assistance.KEY, {"household_id": home, "persons": 1, "begun_by": "application", "applied_on": _today(d), **said})["case"])


def _helped(d: District, home: int) -> str:
    no = _asked(d, home, **_FIRE, happened_on=_today(d))
    _do(d, no, home, "street_leader", "emergency_decide", emergency_outcome="help", items=_HELP, opinion="情况紧急，先行救助。")
    _do(d, no, home, "window_clerk", "emergency_pay", helped_on=_today(d), pay_method="cash", receiver="申请人")
    return no


def _do(d: District, no: str, home: int, role: str, node: str, **answers: Any) -> None:
    row, one = store.record.c, store.task.c
    with d.made.office.read() as conn:
        task = conn.scalars(select(one.id).join(store.record, row.id == one.case_id).where(row.no == no, one.node == node, one.state == "open")).one()
    with d.made.office.act(d.by_role(role, _street(d, home))[0]) as act:
        d.made.cases.complete(act, task, answers)
