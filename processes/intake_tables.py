"""Rows of the one window: what was taken in, its parts (one for each programme), and every transfer of a part (domain 1.4)."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import SEALED

intake = Table(
    "intake",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("no", String(40), nullable=False),  # on the slip
    Column("code_hash", String(32), nullable=False),  # keyed digest of number and query code; the code itself is nowhere
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("household_id", Id),  # none: nobody registered (yet)
    Column("known_as", LargeBinary, info=SEALED),  # who needs help, where no household is registered
    Column("requester", String(12), nullable=False),  # who came: self | family | neighbour | committee | staff | other
    Column("requester_name", LargeBinary, info=SEALED),
    Column("phone", LargeBinary, info=SEALED),
    Column("need", LargeBinary, info=SEALED),
    Column("channel", String(12), nullable=False),  # window | phone | visit | committee | letter
    Column("received_on", String(10), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Column("taken_by", String(60), nullable=False),  # 首问负责人: stays named
    Column("answerable", String(60), nullable=False),  # the same, unless it was handed over
    Column("lead_id", Id),
    Index("ix_intake_no", "no", unique=True),
    Index("ix_intake_community", "community"),
    Index("ix_intake_answerable", "answerable"),
    Index("ix_intake_household_id", "household_id"),
)

intake_part = Table(
    "intake_part",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("intake_id", Id, nullable=False),
    Column("programme", String(24), nullable=False),  # of routing.PROGRAMMES, or "unknown"
    Column("state", String(10), nullable=False),  # to_decide | to_start | case | sent | accepted | returned | referred | done
    Column("due_on", String(10)),  # by when the next act is owed by whose turn it is; none: the case has its own limits, or it is done
    Column("case_no", String(40)),
    Column("result", String(12)),
    Column("result_text", LargeBinary, info=SEALED),
    Column("result_by", String(60)),
    Column("result_on", String(10)),
    Index("ix_intake_part_intake_id", "intake_id"),
    Index("ix_intake_part_state", "state", "due_on"),
    Index("ix_intake_part_case_no", "case_no"),
)

intake_transfer = Table(
    "intake_transfer",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("part_id", Id, nullable=False),
    Column("kind", String(10), nullable=False),  # department | meeting | charity
    Column("to_unit", String(20)),  # of a department; of the joint meeting, the district
    Column("to_name", LargeBinary, info=SEALED),  # of a charity
    Column("note", LargeBinary, info=SEALED),
    Column("sent_by", String(60), nullable=False),
    Column("sent_on", String(10), nullable=False),
    Column("due_on", String(10)),  # to be taken or returned by; of a taken one, the day that the department named; of a charity none
    Column("state", String(10), nullable=False),  # sent | accepted | returned | done | recalled
    Column("accepted_by", String(60)),
    Column("accepted_on", String(10)),
    Column("returned_by", String(60)),
    Column("returned_on", String(10)),
    Column("reason", LargeBinary, info=SEALED),
    Column("next_unit", String(20)),
    Column("next_address", LargeBinary, info=SEALED),
    Column("result", String(12)),
    Column("result_text", LargeBinary, info=SEALED),
    Column("result_by", String(60)),
    Column("result_on", String(10)),
    Column("meeting_no", String(40)),
    Index("ix_intake_transfer_part_id", "part_id"),
    Index("ix_intake_transfer_to_unit", "to_unit", "state", "due_on"),
)
