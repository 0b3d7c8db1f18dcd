"""追责 by API and on its pages: the same acts at both doors, and words for what is refused."""

from __future__ import annotations

from tests.api_roads import Roads
from tests.district import STREET
from tests.processes.test_accountability import MILD, Matters
from tests.served import app_of
from tests.web.test_pages import Desk


def test_a_matter_by_the_api_and_on_its_pages(bureau, district):
    finding, roads = Matters(district).finding, Roads(bureau, district)
    said = {"unit": STREET, "persons": "ann", "findings": str(finding), "facts": "未到现场"}
    assert roads.call("clerk", "POST", "/accountability", json=said).json["rule"] == "role"
    assert list(roads.call("sue", "POST", "/accountability", json={**said, "facts": ""}).json["errors"]) == ["facts"]
    number = roads.good("sue", "POST", "/accountability", said)["matter"]
    wrong = roads.call("sue", "POST", f"/accountability/{number}/propose", json={**MILD, "treatment": "serious"})
    assert (wrong.status_code, wrong.json["errors"]) == (422, {"treatment": ["“客观偏差”的处理只能是：从轻、减轻、免于追责"]})
    roads.good("sue", "POST", f"/accountability/{number}/propose", MILD)
    assert roads.call("rita", "GET", f"/accountability/{number}").status_code == 404
    assert [one["id"] for one in roads.good("ann", "GET", "/accountability")["items"]] == [number]
    early = roads.call("auditor", "POST", f"/accountability/{number}/conclude", json={"conclusion": "免于追责"})
    assert (early.status_code, early.json["rule"]) == (403, "right-of-reply")
    # who is concerned replies on the page, and another one concludes there
    ann, auditor, app = f"/accountability/{number}/reply", f"/accountability/{number}/conclude", app_of(bureau)
    assert Desk(app, "ann").post(ann, {"text": "当日确已入户"}).status_code == 302
    assert Desk(app, "auditor").post(auditor, {"conclusion": "免于追责"}).status_code == 302
    page = Desk(app, "sue").text(f"/accountability/{number}")
    assert "当日确已入户" in page
    assert "免于追责" in page
    assert str(number) in Desk(app, "sue").text("/accountability?state=concluded")
    told = roads.good("sue", "GET", f"/accountability/{number}")
    assert (told["state"], told["treatment"], told["may"]) == ("concluded", "exempt", [])
    assert roads.good("sue", "GET", "/ledger?from=2018-11-01")["violations"]["matters"] == [number]
    assert "L5" in Desk(app, "sue").text("/ledger?from=2018-11-01")
    [row] = roads.good("sue", "GET", "/ledger/L5?from=2018-11-01")["items"]
    assert (row["id"], row["state"], row["category"], row["entry"] > 1) == (number, "concluded", told["category"], True)
    assert roads.good("sue", "GET", "/ledger/L5?from=2018-11-01&category=subjective_intent")["total"] == int(told["category"] == "subjective_intent")
    assert roads.good("sue", "GET", "/ledger/L5?from=2018-11-01&state=open")["total"] == 0
    assert str(number) in Desk(app, "sue").text("/ledger/L5?from=2018-11-01")
    assert Desk(app, "rita").get("/accountability/new").status_code == 403
    assert '<select id="f-unit"' in Desk(app, "sue").text("/accountability/new"), "nobody knows the codes of units by heart"
    opened = Desk(app, "sue").post("/accountability/new", {**said, "persons": "bob"})
    assert (opened.status_code, opened.location.startswith("/accountability/")) == (302, True)
