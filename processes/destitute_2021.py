"""The support of the destitute (特困) by the procedure in force since 2021-07-01 (民发〔2021〕43号): fifteen and fifteen working days, one
notice, a renewed check and a new notice after an objection, and the street that confirms since 2021-09-01.

Beside the procedure of 2016; which of them handles a case goes by its day of acceptance (law/procedures.yaml).
"""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

from processes import destitute_2016
from processes.destitute_2016 import DESTITUTE_2016
from processes.destitute_forms import FORMS_2021

KEY = "destitute-2021"

DESTITUTE_2021 = replace(
    DESTITUTE_2016,
    key=KEY,
    title="特困人员救助供养审核确认（2021年办法）",
    title_en="Support of the destitute: application and confirmation (2021 rules)",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "destitute-2021.bpmn")),
    forms=FORMS_2021,
    gather={**DESTITUTE_2016.gather, "accept": destitute_2016.at_acceptance("民发〔2021〕43号")},
    effects={**DESTITUTE_2016.effects, "street_confirmation": DESTITUTE_2016.effects["decide"]},
    begin=destitute_2016.begin(KEY),
)
