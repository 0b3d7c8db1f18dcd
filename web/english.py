"""English for refusals that their makers say in Chinese only; where it lacks one, the Chinese stays: better than nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SAID: Mapping[str, str] = {
    r"没有这件待办": "There is no such task",
    r"没有这件个案": "There is no such case",
    r"没有这户家庭": "There is no such household",
    r"没有这份材料": "There is no such document",
    r"没有这份文书": "There is no such letter",
    r"没有这份公示，或公示已经结束": "There is no such notice, or it is over",
    r"没有这种来件(：.*)?": "There is no such message",
    r"没有这种列表：.*": "There is no such list",
    r"没有这项业务：.*": "There is no such procedure",
    r"没有这份记录：.*": "There is no such record",
    r"没有这份流程图：.*": "There is no such drawing",
    r"没有这项变更": "There is no such change",
    r"没有这种变更": "There is no such kind of change",
    r"没有这种操作": "There is no such action",
    r"没有这个页面": "There is no such page",
    r"没有这项资料": "There is no such field",
    r"没有这位工作人员，或已停用": "No such member of staff, or deactivated",
    r"没有这位工作人员：(.*)": r"No such member of staff: \1",
    r"没有这种近亲属关系": "No such relation",
    r"没有这个岗位：(.*)": r"No such post: \1",
    r"没有这个机构：(.*)": r"No such unit: \1",
    r"没有这名成员|这户没有这名成员|不是这户的成员": "Not a member of this household",
    r"这份材料与记录不符": "This document is not what was recorded",
    r"这户没有这份材料": "This household has no such document",
    r"至少一个岗位": "At least one post",
    r"必须填写": "Required",
    r"缺少这一项，或没有这一项": "Missing, or unknown",
    r"请填写姓名，最多 60 字": "Give a name, at most 60 characters",
    r"登录名用 2 至 60 个小写字母.*": "A login has 2 to 60 lower-case letters, digits, dots, underscores or hyphens; not system or import",
    r"密码为 8 至 200 位": "A password has 8 to 200 characters",
    r"应有且只有一名户主（申请人）": "Exactly one member is the head (the applicant)",
    r"同一身份证号不能重复登记": "The same ID number is listed twice",
    r"离户日期不能早于入户日期，也不能晚于今天": "May not be before the member joined, nor after today",
    r"签署日期不能晚于今天，有效期不能早于签署日期": "Not signed after today, and valid not before it was signed",
    r"这一项不能查看明文": "This field cannot be revealed",
    r"请写明查看理由": "Say why you need to see it",
    r"文件是空的": "The file is empty",
    r"文件太大，最多 8 MB": "The file is too large, at most 8 MB",
    r"只接受 PDF、PNG 或 JPEG 文件": "Only PDF, PNG or JPEG files",
    r"15 位旧号码请换成 18 位": "Give the 18 digits instead of the old 15",
    r"身份证号应为 18 位": "An ID number has 18 digits",
    r"身份证号中的地区不正确": "The region in the ID number is wrong",
    r"身份证号中的出生日期不正确": "The date of birth in the ID number is wrong",
    r"身份证号校验位不正确，请核对": "The check digit of the ID number is wrong",
    r"这是演示用号码，不能登记": "This number is for demonstrations only",
    r"月份写成 2018-11": "Write the month like 2018-11",
    r"货币财产请填写金额": "Give the amount of the money and savings",
    r"残疾等级为 1 至 4": "The grade is 1 to 4",
    r"电话号码不正确": "Not a telephone number",
    r"银行账号应为 12 至 30 位数字": "A bank account has 12 to 30 digits",
    r"这个幂等键已用于另一份内容不同的请求": "This page was sent before with other content; open it again",
}


def english(text: str) -> str:
    for pattern, said in _SAID.items():
        if found := re.fullmatch(pattern, text):
            return found.expand(said)
    return text
