"""The query code of an application: it follows from the case's number under the district's key, so nothing is stored and every case has one."""

from __future__ import annotations

import base64

from engine.crypto import BoundKeys

_LENGTH = 8


def of_case(keys: BoundKeys, case_no: str) -> str:
    """Eight signs of base 32 (no 0, 1, 8, 9)."""
    return base64.b32encode(bytes.fromhex(keys.blind(f"case-code:{case_no}")))[:_LENGTH].decode()
