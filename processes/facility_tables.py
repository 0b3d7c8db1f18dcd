"""Rows of the safety inspections: facilities of destitute support (a record each), inspections (a record each) with inspectors and items,
and the hazards that they found."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

facility = Table(
    "facility",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),  # the street or community in which it lies
    Column("name", String(60), nullable=False),
    Column("organisation", String(100), nullable=False),  # who runs it
    Column("kind", String(16), nullable=False),
    Column("address", String(200)),
    Column("capacity", Integer, nullable=False),  # beds
    Column("residents", Integer, nullable=False),
    Column("registered_by", String(60), nullable=False),
    Column("registered_on", String(10), nullable=False),
    Column("closed_on", String(10)),
    Column("closed_by", String(60)),
    Column("closed_why", String(200)),
    Index("ix_facility_unit", "unit"),
)

inspection = Table(
    "inspection",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("facility_id", Id, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("inspected_on", String(10), nullable=False),
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Column("opinion", String(500)),
    Column("state", String(10), nullable=False),  # recorded | finished (every inspector has confirmed)
    Column("finished_on", String(10)),
    Index("ix_inspection_facility_id", "facility_id", "state"),
    Index("ix_inspection_unit", "unit"),
)

inspection_inspector = Table(
    "inspection_inspector",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("inspection_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("confirmed_on", String(10)),  # by himself; who enters the inspection confirms with that
    Index("ix_inspection_inspector_inspection_id", "inspection_id"),
    Index("ix_inspection_inspector_staff", "staff"),
)

inspection_item = Table(
    "inspection_item",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("inspection_id", Id, nullable=False),
    Column("group", String(12), nullable=False),  # electricity | heating | fire | food
    Column("item", String(100), nullable=False),
    Column("result", String(4), nullable=False),  # pass | fail | n/a
    Column("note", String(300)),
    Column("photo", Id),  # attachment
    Index("ix_inspection_item_inspection_id", "inspection_id"),
)

hazard = Table(
    "hazard",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("inspection_id", Id, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("facility_id", Id, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("group", String(12), nullable=False),
    Column("item", String(100), nullable=False),
    Column("level", String(6), nullable=False),  # minor | major
    Column("found_on", String(10), nullable=False),
    Column("state", String(10), nullable=False),  # on_spot | open | verified
    Column("measure", String(300)),
    Column("responsible", String(60), info=PERSONAL),  # name, or login of who has one
    Column("due_on", String(10)),
    Column("verified_on", String(10)),
    Column("verified_by", String(60)),
    Index("ix_hazard_facility_id", "facility_id", "state"),
    Index("ix_hazard_unit", "unit", "state"),
)

hazard_check = Table(
    "hazard_check",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("hazard_id", Id, nullable=False),
    Column("checked_on", String(10), nullable=False),
    Column("checked_by", String(60), nullable=False),
    Column("outcome", String(10), nullable=False),  # fixed | not_fixed
    Column("text", String(300), nullable=False),
    Column("photo", Id, nullable=False),
    Index("ix_hazard_check_hazard_id", "hazard_id"),
)

dispersed_visit = Table(  # visits to the destitute who live at home (分散供养); each is a record of its own
    "dispersed_visit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("household_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("benefit_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("visited_on", String(10), nullable=False),
    Column("visitor", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Column("companions", String(200), info=PERSONAL),
    Column("condition", String(8), nullable=False),  # safe | unsafe | absent | died
    Column("died_on", String(10)),
    Column("checks", LargeBinary, info=SEALED),  # JSON: food, heating, electricity, medicine -> ok | problem | n/a
    Column("caretaker_present", Boolean),
    Column("agreement_signed", Boolean),
    Column("money_received", Boolean),
    Column("policy_explained", Boolean),
    Column("leaflet_given", Boolean),
    Column("help_given", LargeBinary, info=SEALED),
    Column("photo", Id),  # a document of the household
    Index("ix_dispersed_visit_community", "community", "visited_on"),
    Index("ix_dispersed_visit_person_id", "person_id", "visited_on"),
    Index("ix_dispersed_visit_household_id", "household_id"),
)

dispersed_problem = Table(
    "dispersed_problem",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("visit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("text", LargeBinary, info=SEALED),
    Column("found_on", String(10), nullable=False),
    Column("due_on", String(10)),
    Column("state", String(8), nullable=False),  # open | solved
    Column("on_spot", Boolean, nullable=False),
    Column("solved_on", String(10)),
    Column("solved_by", String(60)),
    Column("solved_text", LargeBinary, info=SEALED),
    Index("ix_dispersed_problem_visit_id", "visit_id"),
    Index("ix_dispersed_problem_community", "community", "state"),
)
