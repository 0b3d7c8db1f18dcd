"""What an application for low-income relief asks for beside what dibao asks (TLOW; the procedure is the dibao one of the day): the proof
of each hardship, consent to dibao where the household fits it, and the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, number, on_date, rows, text, yes_no
from engine.given import gives
from processes import dibao_2012_forms as of_2012
from processes import dibao_2021_forms as of_2021
from processes.dibao_2012_forms import Application, Step
from processes.household_forms import HARDSHIP_KINDS

BY_MEETING = "recognised_other"  # item (六): nobody but civil affairs and finance together recognise it
OF_A_MEMBER = frozenset({"disabled_member", "major_illness", "single_parent_student", "family_planning_special"})


class LowIncomeApplication(Application):
    programme = choice("申请事项", "Programme", [("low_income", "低收入家庭救助", "Low-income relief")], fact=True)


class ProvedHardship(Form):
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"person_id": ("除全家年满60周岁且无子女外必填", "needed but for all over 60 and childless")}
    hardship = choice("特殊困难", "Hardship", [one for one in HARDSHIP_KINDS if one[0] != BY_MEETING], widget="select")
    person_id = number("成员", "Member", required=False)
    document_id = document("证明材料", "Proof", required=True)
    note = text("说明", "Note", required=False, max=200)

    @validates_schema(skip_on_field_errors=False)
    def _whose(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("hardship") in OF_A_MEMBER and data.get("person_id") is None:
            raise ValidationError({"person_id": [self.say("请选择有这项困难的成员", "Say whose hardship it is")]})


class HardshipProof(Step):
    """The six kinds of TLOW, each with its proof (domain 3.8). What is not proved does not count; the sixth goes to the joint meeting."""

    hardships = rows("已证明的特殊困难", "Hardships that are proved", ProvedHardship, hint="没有特殊困难的不填；其他特殊困难由民政、财政共同认定，请在审核意见中提交联席会议",
                     hint_en="Left empty where there is none; another special hardship is recognised by civil affairs and finance: send it to the joint meeting with the opinion")  # fmt: skip
    statement = text("核实情况", "What was found", widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _once(self, data: Mapping[str, Any], **_: Any) -> None:
        seen = set()
        for n, one in enumerate(data.get("hardships") or ()):
            if not isinstance(one, Mapping):
                continue
            said = one.get("hardship"), one.get("person_id")
            if said in seen:
                raise ValidationError({f"hardships.{n}.hardship": [self.say("同一困难不能重复填写", "Said twice")]})
            seen.add(said)

    @gives("hardships_counted")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """How many kinds, and not which: two of them tell of somebody's health."""
        return {"hardships_counted": len({one["hardship"] for one in loaded.get("hardships") or ()})}


class DibaoConsent(Step):
    """The household fits dibao: that is proposed only where it wants it, as low-income relief is to who applied for dibao."""

    AFTER: ClassVar[Mapping[str, str]] = {"signed_on": "accepted_on"}
    dibao_consent = yes_no("是否同意按最低生活保障办理", "Consents to dibao", fact=True)
    signed_on = on_date("签字日期", "Signed on")
    signed_document = document("申请人签字页（扫描件）", "Signed page", required=True)


class IssueCertificate(Step):
    """《天津市城乡居民低收入救助证》, issued by the street (TLOW); its number is given by the record."""

    holder = text("持证人", "Holder", max=60)
    note = text("备注", "Note", required=False, widget="textarea")


def _six_in_band(form: Form, data: Mapping[str, Any]) -> None:
    """A hardship brings money to a household in the band; it brings nobody into it (domain 3.3, 3.8)."""
    if data.get("trigger") == "hardship_other_six" and form.fact("category") not in (None, "low_income"):
        raise ValidationError({"trigger": [form.say("测算结果不属于低收入家庭，不能申请认定其他特殊困难", "Not a low-income family by the calculation: no hardship is recognised")]})


class LowIncomeOpinion2016(of_2012.StreetOpinion):
    @validates_schema(skip_on_field_errors=False)
    def _six(self, data: Mapping[str, Any], **_: Any) -> None:
        _six_in_band(self, data)


class LowIncomeExamination2016(of_2012.DistrictExamination):
    @validates_schema(skip_on_field_errors=False)
    def _six(self, data: Mapping[str, Any], **_: Any) -> None:
        _six_in_band(self, data)


class LowIncomeOpinion2021(of_2021.StreetOpinion):
    @validates_schema(skip_on_field_errors=False)
    def _six(self, data: Mapping[str, Any], **_: Any) -> None:
        _six_in_band(self, data)


class LowIncomeExamination2021(of_2021.DistrictExamination):
    @validates_schema(skip_on_field_errors=False)
    def _six(self, data: Mapping[str, Any], **_: Any) -> None:
        _six_in_band(self, data)


_OWN: Mapping[str, type[Form]] = {"hardship_proof": HardshipProof, "dibao_consent": DibaoConsent, "issue_certificate": IssueCertificate}


def _of(forms: Mapping[str, type[Form]], **more: type[Form]) -> dict[str, type[Form]]:
    return {**{node: form for node, form in forms.items() if node != "low_income_consent"}, **_OWN, **more}


FORMS_2016 = _of(of_2012.FORMS, street_opinion=LowIncomeOpinion2016, district_examination=LowIncomeExamination2016)
FORMS_2021 = _of(of_2021.FORMS, street_opinion=LowIncomeOpinion2021, district_examination=LowIncomeExamination2021)
