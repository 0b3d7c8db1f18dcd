"""The words of a change report (domain 1.6): what may change, how it is told, and by whom."""

from __future__ import annotations

KINDS = [
    ("birth", "出生", "Birth"),
    ("death", "死亡", "Death"),
    ("marriage", "结婚", "Marriage"),
    ("divorce", "离婚", "Divorce"),
    ("move_in", "迁入", "Moved in"),
    ("move_out", "迁出", "Moved out"),
    ("income_up", "收入增加", "Income rose"),
    ("income_down", "收入减少", "Income fell"),
    ("job_start", "就业", "Began to work"),
    ("job_loss", "失业", "Lost work"),
    ("retirement", "退休", "Retired"),
    ("property_change", "财产变化", "Property changed"),
    ("illness", "患病", "Illness"),
    ("disability", "残疾", "Disability"),
    ("imprisonment", "服刑", "Imprisonment"),
    ("study_start", "入学", "Began to study"),
    ("study_end", "毕业或退学", "Studies ended"),
    ("other", "其他变化", "Other change"),
    ("no_change", "没有变化（定期报告）", "No change (periodic report)"),
]
SPLIT = ("split", "分户", "Household split")  # told during a review; of a report it is one of the reasons for which a member leaves
KIND_WORDS = {code: zh for code, zh, _ in [*KINDS, SPLIT]}
# Kinds that concern one member, who must be named.
OF_A_MEMBER = frozenset({
    "death", "job_start", "job_loss", "retirement", "illness", "disability", "imprisonment", "study_start", "study_end"})  # fmt: skip
CHANNELS = [
    ("window", "窗口", "Window"),
    ("phone", "电话", "Telephone"),
    ("visit", "走访", "Visit"),
    ("committee", "居村委会转交", "Through the committee"),
    ("letter", "来信", "Letter"),
    ("data", "数据比对", "Data"),
]
REPORTERS = [
    ("household", "救助家庭", "The household"),
    ("staff", "工作人员代为报告", "Staff for the household"),
    ("committee", "居村委会或网格员发现", "Committee or grid worker"),
    ("public", "群众举报", "The public"),
    ("data", "数据比对发现", "Data"),
]
BY_HOUSEHOLD = frozenset({"household", "staff"})  # its own report: answers its duty, may be withdrawn
LEAVING = [
    ("death", "死亡", "Death"),
    ("marriage", "结婚分户", "Married and left"),
    ("split", "分户", "Split"),
    ("divorce", "离婚", "Divorce"),
    ("moved_out", "迁出", "Moved out"),
    ("imprisonment", "服刑（不再计入）", "In prison (not counted)"),
    ("other", "其他", "Other"),
]
DEPARTING = [one for one in LEAVING if one[0] != "imprisonment"]  # who is in prison stays a member and is not counted


def exit_trigger(reported_by: str) -> str:
    """As which an exit counts that follows (domain 8): the household's own report, a finding, or a tip."""
    return "voluntary" if reported_by in BY_HOUSEHOLD else "reported" if reported_by == "public" else "cleared"
