"""Business rows: units, staff, persons, households and what belongs to them. Each is projected from exactly one record.

`personal` columns are kept out of entries; `sealed` ones are encrypted here too. Dates are ISO text, money is whole fen.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from engine.store import Id, metadata

PERSONAL = {"personal": True}
SEALED = {"personal": True, "sealed": True}


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


unit = Table(
    "unit",
    metadata,
    _id(),
    Column("code", String(20), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("level", String(12), nullable=False),  # district | street | community | department
    Column("parent_code", String(20), nullable=False),
)

staff = Table(
    "staff",
    metadata,
    _id(),
    Column("login", String(60), nullable=False, unique=True),
    Column("name", String(60), nullable=False, info=PERSONAL),
    Column("active", Boolean, nullable=False),
    Column("password_hash", String(200), info=PERSONAL),
    Column("person_blind", String(32), info=PERSONAL),  # blind index of the staff member's own ID, if known
)

post = Table(
    "post",
    metadata,
    _id(),
    Column("staff_id", Id, nullable=False, index=True),
    Column("role", String(30), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("active", Boolean, nullable=False),
)

staff_relative = Table(
    "staff_relative",
    metadata,
    _id(),
    Column("staff_id", Id, nullable=False),
    Column("relation", String(20), nullable=False),
    Column("name", String(60), info=PERSONAL),
    Column("id_blind", String(32), index=True, info=PERSONAL),
)

staff_change = Table(
    "staff_change",
    metadata,
    _id(),
    Column("staff_login", String(60), nullable=False),
    Column("kind", String(20), nullable=False),  # add | posts | relative | deactivate
    Column("detail", LargeBinary, info=SEALED),  # JSON
    Column("proposed_by", String(60), nullable=False),
    Column("confirmed_by", String(60)),
    Column("state", String(12), nullable=False),  # proposed | confirmed | refused
)

# 代理: a row in the record of the absent one. It ends by itself after `until_on`.
substitute = Table(
    "substitute",
    metadata,
    _id(),
    Column("absent", String(60), nullable=False, index=True),
    Column("substitute", String(60), nullable=False, index=True),
    Column("from_on", String(10), nullable=False),
    Column("until_on", String(10), nullable=False),
    Column("roles", String(400), nullable=False),  # words: the posts that are lent; none: all that may be
    Column("reason", String(400), info=PERSONAL),
    Column("set_by", String(60), nullable=False),
    Column("ended_on", String(10)),
)

api_token = Table(
    "api_token",
    metadata,
    _id(),
    Column("staff_id", Id, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", String(60), nullable=False),
    Column("revoked", Boolean, nullable=False),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("name", String(60), nullable=False, info=PERSONAL),
    Column("id_no", LargeBinary, info=SEALED),
    Column("id_blind", String(32), index=True, info=PERSONAL),
    Column("birth_date", String(10), info=PERSONAL),
    Column("sex", String(6), info=PERSONAL),
    Column("health", LargeBinary, info=SEALED),  # JSON: disability, illness
    Column("phone", LargeBinary, info=SEALED),
    Column("labour_ability", LargeBinary, info=SEALED),  # what is lost of it is health
    Column("employment", String(20), info=PERSONAL),
    Column("full_time_student", Boolean, info=PERSONAL),
    Column("placeholder", Boolean, nullable=False),  # counted, not named yet (import from annex 1)
)

household = Table(
    "household",
    metadata,
    _id(),
    Column("no", String(20), nullable=False, unique=True),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("applicant_id", Id, nullable=False),
    Column("hukou_kind", String(6), nullable=False),  # urban | rural
    Column("address", LargeBinary, info=SEALED),
    Column("phone", LargeBinary, info=SEALED),
    Column("bank_account", LargeBinary, info=SEALED),
    Column("bank_holder", String(60), info=PERSONAL),
    Column("review_class", String(1)),
    Column("hardship_cause", LargeBinary, info=SEALED),  # often an illness
    Column("near_relative_declared", Boolean, nullable=False),
    Column("hardships", LargeBinary, info=SEALED),  # JSON: kinds as declared; two of them tell of health
    Column("childless", Boolean, info=PERSONAL),
    Index("ix_household_unit", "street", "community"),
)

household_member = Table(
    "household_member",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("person_id", Id, nullable=False, index=True),
    Column("relation", String(30), nullable=False),
    Column("from_on", String(10), nullable=False),
    Column("to_on", String(10)),
    Column("excluded_reason", String(20), info=PERSONAL),
    Column("left_reason", String(20), info=PERSONAL),
)

income_item = Table(
    "income_item",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("person_id", Id, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("amount_fen", BigInteger, nullable=False, info=PERSONAL),
    Column("period", String(6), nullable=False),
    Column("month", String(7)),
    Column("year", Integer),
    Column("source", String(12), nullable=False),  # declared | checked | seen
    Column("valid", Boolean, nullable=False),
)

property_item = Table(
    "property_item",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("person_id", Id),
    Column("kind", String(30), nullable=False),
    Column("amount_fen", BigInteger, info=PERSONAL),
    Column("functional_vehicle", Boolean, nullable=False),
    Column("source", String(12), nullable=False),
    Column("valid", Boolean, nullable=False),
)

authorization = Table(
    "authorization",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("person_id", Id, nullable=False),
    Column("signed_on", String(10), nullable=False),
    Column("valid_until", String(10), nullable=False),
    Column("document_id", Id),
)

near_relative = Table(
    "near_relative",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("staff_login", String(60)),
    Column("staff_name", String(60), info=PERSONAL),
    Column("position", String(60), info=PERSONAL),
    Column("relation", String(20), nullable=False),
    Column("revoke_asked_by", String(60)),  # a mistake: asked for by one, agreed to by another; from `revoked_on` on it recuses nobody
    Column("revoke_asked_on", String(10)),
    Column("revoke_reason", Text, info=PERSONAL),
    Column("revoked_by", String(60)),
    Column("revoked_on", String(10)),
)

document = Table(
    "document",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("case_no", String(40)),
    Column("kind", String(30), nullable=False),
    Column("title", String(120), info=PERSONAL),
    Column("media_type", String(60), nullable=False),
    Column("size", Integer, nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("stored_name", String(80), nullable=False),
    Column("uploaded_by", String(60), nullable=False),
    Column("uploaded_on", String(10), nullable=False),
)

saved_view = Table(  # how a worker narrows his list of tasks: his own convenience, in no record
    "saved_view",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("staff", String(60), nullable=False),
    Column("name", String(40), nullable=False),
    Column("query", String(800), nullable=False),
    Index("uq_saved_view", "staff", "name", unique=True),
)

benefit = Table(
    "benefit",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False, index=True),
    Column("case_no", String(40)),
    Column("category", String(30), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("status", String(24), nullable=False),  # pending_first_payment | active | suspended | stopped | closed
    Column("first_payment_month", String(7), nullable=False),
    Column("members", Integer, nullable=False),
    Column("granted_on", String(10)),
    Column("law_version", String(20)),
    Column("amount_from", String(7)),  # from which month the present amount counts
    Column("review_class", String(1)),  # A | B | C, domain 2.6
    Column("last_review_on", String(10)),
    Column("next_review_on", String(10)),
    Column("next_report_on", String(10)),
    Column("stopped_from", String(7)),  # the first month without payment
    Column("exit_class", String(12)),  # voluntary | cleared | reported | other, as the ledger counts (domain 8)
    Column("exit_reason", String(30)),
    Column("grace_until", String(7)),  # 渐退期: the last month of it, and whose work it is for (decision 037)
    Column("grace_person", Id),
    Column("person_id", Id),  # of a benefit of one person (特困); none: of the household
    Column("self_care", String(20)),  # and his class: full | partly_lost | completely_lost (decision 043)
    Index("ix_benefit_next_review_on", "next_review_on"),
)

benefit_person = Table(
    "benefit_person",
    metadata,
    _id(),
    Column("benefit_id", Id, nullable=False, index=True),
    Column("person_id", Id, nullable=False),
    Column("id_blind", String(32), info=PERSONAL),
    Column("active", Boolean, nullable=False),
    Index("uq_benefit_person_active", "id_blind", unique=True, sqlite_where=text("active = 1"), postgresql_where=text("active")),
)
