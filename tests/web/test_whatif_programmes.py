"""试算 of 特困, 临时救助 and 支出型: decisions of a month by another law, and who is supported as he stands, each equal to what the rules of
its programme give by themselves (decision 085). Through the API; nothing is seeded."""

from __future__ import annotations

import pytest

from processes import destitution, expenditure, law, whatif, whatif_decisions, whatif_law
from processes.eligibility import measured
from processes.money import parse
from tests.api_roads import elders, person
from tests.web.test_destitute import Support, old_woman
from tests.web.test_illness_expenditure import SpentRoads, one
from tests.web.test_temporary_assistance import CASH, Help

pytestmark = pytest.mark.usefixtures("registries")
OVER = {"reason_code": "income_over", "clause": "第四条"}
PERIOD = {"over": "decisions", "from_on": "2018-12-01", "until_on": "2018-12-31", "on": "2019-01-01", "view": "all"}
HIGHER = """destitute_urban:
  - {from: 2018-12-01, value: "1900", source: draft}
care_grade_completely_lost:
  - {from: 2018-12-01, value: "300", source: draft}
dibao_standard_urban:
  - {from: 2018-12-01, value: "980", source: draft}
temp_income_limit:
  - {from: 2018-12-01, value: "38000", source: draft}
temp_emergency_months:
  - {from: 2018-12-01, value: "2", source: draft}
"""
LOWER = 'temp_income_limit:\n  - {from: 2018-12-01, value: "20000", source: draft}\n'


class Windows(Support, Help, SpentRoads):
    """One street's window takes them all."""


@pytest.fixture
def decided(bureau, district):
    """(roads, name -> case): a month's decisions of three programmes, granted and refused."""
    roads, cases = Windows(bureau, district), {}
    roads.at("2018-12-03T09:00")

    def kept(name):
        cases[name] = (roads.no, roads.home)

    def again(name):
        no, home = cases[name]
        roads.choose(home)
        roads.no = no

    roads.register(old_woman())
    Support.to_notice(roads, "destitute-2016")
    kept("supported")
    roads.register(person("钱爷爷", "head", "1940-05-01", "950.00", labour_ability="none"))
    Support.asks(roads)
    roads.looked_at()
    Support.opinion(roads, "propose_refuse", **OVER)
    kept("pension")
    roads.register(*elders("2000.00", "2000.00"))
    roads.to_opinion()
    Help.opinion(roads, "2500.00", "500.00")
    roads.post()
    kept("treatment")
    roads.register(*elders("3100.00"))
    roads.to_opinion(requested_amount="3000.00")
    roads.go("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入超过", **OVER)
    roads.go("lee", "street_confirmation", decision="refused", opinion="收入超过", **OVER)
    kept("earner")
    roads.register(*elders("1000.00"))
    roads.ask()
    roads.helped({**CASH, "amount": "2500.00"})
    roads.papers("2500.00")
    Help.signed(roads)
    kept("fire")
    roads.register(*elders("2500.00", "2500.00", "2500.00"))
    SpentRoads.begin(roads, roads.spent("72000.00"))
    roads.accept()
    roads.check()
    roads.survey()
    SpentRoads.looked_at(roads, one(1))
    SpentRoads.opinion(roads)
    roads.post()
    kept("illness")
    roads.at("2018-12-11T09:00")
    again("supported")
    Support.to_decision(roads, 4)
    roads.grant()
    again("pension")
    roads.handed_in()
    roads.examine("propose_refuse", **OVER)
    roads.late_visit()
    roads.go("app", "decide_refusal", decision="refused", opinion="收入超过", **OVER)
    again("treatment")
    roads.remove()
    roads.go("lee", "street_confirmation", decision="granted", opinion="同意")
    again("illness")
    roads.remove()
    roads.submit("application", "survey", "opinion")
    roads.examine()
    roads.late_visit()
    roads.go("app", "decide", decision="granted", opinion="批准")
    return roads, {name: no for name, (no, _home) in cases.items()}


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # a month's work at the windows: once is enough, tests/processes/test_whatif.py asks both
def test_what_another_law_had_decided_of_the_other_programmes(decided):
    roads, cases = decided
    for file, wanted in ((HIGHER, {
        "supported": ("destitute_dispersed", 178_000, 0, "destitute_dispersed", 220_000, 0, "gains"), "pension": ("refused_income", 0, 0, "destitute_dispersed", 190_000, 0, "enters"),
        "treatment": ("temporary_assistance", 0, 300_000, "temporary_assistance", 0, 300_000, "same"), "earner": ("refused_income", 0, 0, "temporary_assistance", 0, 0, "enters"),
        "fire": ("temporary_assistance", 0, 250_000, "temporary_assistance", 0, 196_000, "loses"), "illness": ("illness_expenditure", 0, 0, "illness_expenditure", 0, 0, "same"),
    }), (LOWER, {
        "supported": ("destitute_dispersed", 178_000, 0, "destitute_dispersed", 178_000, 0, "same"), "pension": ("refused_income", 0, 0, "refused_income", 0, 0, "same"),
        "treatment": ("temporary_assistance", 0, 300_000, "refused_income", 0, 0, "leaves"), "earner": ("refused_income", 0, 0, "refused_income", 0, 0, "same"),
        "fire": ("temporary_assistance", 0, 250_000, "temporary_assistance", 0, 250_000, "same"), "illness": ("illness_expenditure", 0, 0, "refused_income", 0, 0, "leaves"),
    })):  # fmt: skip
        said = roads.good("sue", "POST", "/whatif", {"law": file, **PERIOD})
        rows = {row["case_no"]: row for row in said["items"]}
        names = ("before", "before_fen", "before_once_fen", "after", "after_fen", "after_once_fen", "move")
        assert {name: tuple(rows[no][key] for key in names) for name, no in cases.items()} == wanted
        assert (said["left_out"], said["differs"], said["households"]) == ([], 0, 6)
        for side in ("before", "after"):
            assert (said[f"{side}_fen"], said[f"{side}_once_fen"]) == (sum(row[f"{side}_fen"] for row in rows.values()), sum(row[f"{side}_once_fen"] for row in rows.values()))
            assert said[f"{side}_fen"] == sum(row[f"{side}_fen"] for row in said["streets"])
    by_itself(roads, HIGHER)
    [row] = roads.good("sue", "POST", "/whatif", {"law": HIGHER, "on": "2019-01-05", "view": "all"})["items"]
    assert (row["before_fen"], row["after_fen"], row["move"], row["differs"]) == (178_000, 220_000, "gains", False), "who is supported, as he stands"
    for name, value in (("destitute_street_workdays", "5"), ("temp_street_limit_months", "3"), ("destitute_age_years", "0"), ("care_grade_some", "3")):
        law_file = f'{name}:\n  - {{from: 2018-12-01, value: "{value}", source: x}}\n'
        assert roads.bad(422, "sue", "POST", "/whatif", {"law": law_file, **PERIOD})["errors"].keys() == {"law"}


def by_itself(roads, file):
    """Each decision's figures, given to the rules of its programme without `whatif` between."""
    question = whatif.Question.understood([file.encode()], PERIOD["on"], over="decisions", from_on=PERIOD["from_on"], until_on=PERIOD["until_on"])
    rows = {row["case_no"]: row for row in whatif.run(roads.bureau, question).rows}
    with roads.bureau.office.read() as conn:
        ids = list(conn.scalars(whatif_decisions.cases(*question.period, "120116", None)))
        found = whatif_decisions.of_cases(conn, roads.bureau.office.keys.on(conn), ids, *question.period)
    assert len(found) == 6
    for one_ in found:
        with whatif_law.read([file.encode()], question.month).always(question.month).applies():
            wanted = RULES[one_.rule](one_)
        row = rows[one_.row["case_no"]]
        assert (row["after"].startswith("refused"), row["after_fen"], row["after_once_fen"]) == wanted, one_.row["case_no"]


def _destitute(one_):
    said = destitution.assess(one_.figures)
    refused = said["category"].startswith("refused")
    return refused, 0 if refused else said["amount_fen"] + (30_000 if one_.facts.get("self_care") == "completely_lost" else 0), 0


def _spent(one_):
    return not expenditure.assess(one_.figures)["qualifies"], 0, int(one_.facts.get("help_fen") or 0)


def _need(one_):
    if one_.figures is None:
        return False, 0, min(one_.facts["emergency_fen"], parse("980.00") * 2 * one_.facts["persons"])
    said = measured({name: value for name, value in one_.figures.items() if name != "on"})
    num, den = map(int, said["per_capita_exact"].split("/"))
    over = num * 12 >= int(law.value("temp_income_limit", law.date.fromisoformat(one_.figures["on"])).text) * den or not said["band_property_ok"]
    return over, 0, 0 if over else int(one_.facts.get("aid_fen") or 0)


RULES = {"assess_destitute": _destitute, "assess_expenditure": _spent, "assess_need": _need}
