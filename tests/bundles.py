"""Evidence bundles for tests, put together without the exporter: from hand-made entries, sealed with the engine's own tree and notes."""

from __future__ import annotations

import copy
import hashlib
import hmac
import io
import json
import pathlib
import zipfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine import merkle, notes
from engine.model import GENESIS, canonical, leaf_hash
from processes import law

LOG = "yingbao/test"
DRAWING = b"<definitions/>"
LAW = pathlib.Path(law.__file__).parent


def key(number):
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


SIGNER = notes.Ed25519Signer(LOG, key(1))
WITNESS = notes.Ed25519Signer("audit-office", key(2))
POLICY = f"log {SIGNER.public()}\nwitness office {WITNESS.witness_public()}\nquorum office\n"
DUTIES = [{"rule": "investigator-reviews", "nodes": ["street_opinion"], "others": ["home_survey"]},
          {"rule": "two-investigators", "nodes": ["survey_cosign"], "others": ["home_survey"], "last": True},
          {"rule": "approver-touched", "nodes": ["decide"], "others": ["start", "home_survey", "street_opinion"]}]  # fmt: skip


def lines(rows):
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


class Made:
    """A district of a few records. `entries` of all records in the order of the tree; `told` are those of the bundle."""

    def __init__(self, suite=merkle.SHA256):
        self.suite, self.heads, self.seqs, self.kinds = suite, {}, {}, {}
        self.entries, self.payloads, self.computations, self.attachments, self.rows = [], [], [], [], {}
        self.files = {f"drawings/{hashlib.sha256(DRAWING).hexdigest()}.bpmn": DRAWING}
        self.files |= {f"law/{file.name}": file.read_bytes() for file in sorted(LAW.glob("*.yaml")) if file.name in law.RAW}
        self.duties, self.signer, self.witness = DUTIES, SIGNER, WITNESS
        self.told, self.waiting, self.kept = None, 0, []

    def add(self, record, event, data=None, *, who="clerk", acting_for=None, puts=(), sealed=None, at=None, kind="case"):
        """An entry with opened payloads `sealed` (subject -> data). Returns its seq."""
        seq = self.seqs[record] = self.seqs.get(record, 0) + 1
        self.kinds[record] = kind
        at = at or f"2018-12-03T01:{len(self.entries) // 60 % 60:02d}:{len(self.entries) % 60:02d}.000000Z"
        actor = {"id": who, "unit": "120116001"} | ({"for": acting_for} if acting_for else {})
        body = {"v": 1, "log": LOG, "record": record, "kind": kind, "seq": seq, "prev": self.heads.get(record, GENESIS), "at": at, "actor": actor, "event": event}
        body |= {"data": data} if data else {}
        listed = []
        for number, (table, row, values, *private) in enumerate(puts):
            put = {"table": table, "id": row, "set": values}
            self.rows.setdefault((table, row), {}).update(values)
            if private:
                subject, hidden = private
                put["of"] = subject
                sealed = {**(sealed or {}), subject: {**(sealed or {}).get(subject, {})}}
                sealed[subject].setdefault("puts", {})[str(number)] = hidden
                self.rows[table, row].update(hidden)
            listed.append(put)
        body |= {"puts": listed} if listed else {}
        if sealed:
            body["sealed"] = {}
            for subject, opened in sealed.items():
                salt = hashlib.sha256(f"{record}/{seq}/{subject}".encode()).digest()
                body["sealed"][subject] = hmac.digest(salt, canonical(opened), "sha256").hex()
                self.payloads.append({"record": record, "seq": seq, "subject": subject, "salt": salt.hex(), "data": opened})
        self.put_body(record, seq, body)
        return seq

    def put_body(self, record, seq, body):
        stored = canonical(body)
        self.heads[record] = leaf_hash(stored)
        self.entries.append({"record": record, "seq": seq, "body": stored.decode()})

    def attach(self, table, row, name, content, secret=b"k" * 32):
        self.attachments.append({"table": table, "row": row, "name": name, "digest": hmac.digest(secret, content, "sha256").hex(), "key": secret.hex(), "media": "text/plain"})
        self.files[f"attachments/{len(self.attachments) - 1}"] = content

    def get(self, size):
        leaves = [self.suite.leaf(e["body"].encode()) for e in self.entries[:size]]
        memo = {}

        def get(level, index):
            if level == 0:
                return leaves[index]
            if (level, index) not in memo:
                memo[level, index] = self.suite.parent(get(level - 1, 2 * index), get(level - 1, 2 * index + 1))
            return memo[level, index]

        return get

    def checkpoint(self, size, *, signer=None, witness=True):
        found = notes.Checkpoint(LOG, size, merkle.root(self.suite, self.get(size), size))
        signed = [(signer or self.signer).sign(found.text.encode())]
        return notes.signed(found, signed + ([self.witness.cosign(found.text.encode(), 1543800000)] if witness and self.witness else []))

    def tables(self):
        """The files of the bundle as values: name -> bytes, or rows of a .jsonl."""
        size, told = len(self.entries) - self.waiting, self.told or set(self.heads)
        get = self.get(size)
        chosen = [{"record": e["record"], "seq": e["seq"], "index": n if n < size else None, "body": e["body"]} for n, e in enumerate(self.entries) if e["record"] in told]
        places = [e["index"] for e in chosen if e["index"] is not None]
        rest = merkle.batch(lambda start, end: merkle.subtree(self.suite, get, start, end), places, size)

        def order(row):
            return row["record"], row["seq"]

        return {
            "checkpoint.txt": self.checkpoint(size).encode(),
            "checkpoints.txt": "-----\n".join(self.checkpoint(n) for n in self.kept).encode(),
            "consistency.jsonl": [{"old": n, "proof": [p.hex() for p in merkle.consistency(self.suite, get, n, size)]} for n in self.kept],
            "log.pub": (self.signer.public() + "\n").encode(),
            "entries.jsonl": sorted(chosen, key=order),
            "tree.txt": b"".join(h.hex().encode() + b"\n" for h in rest),
            "payloads.jsonl": sorted((p for p in self.payloads if p["record"] in told), key=order),
            "rows.jsonl": [{"table": t, "id": i, "values": v} for (t, i), v in sorted(self.rows.items()) if i >> 16 in told],
            "duties.json": json.dumps(self.duties, ensure_ascii=False).encode(),
            "computations.jsonl": sorted(self.computations, key=order),
            "attachments.jsonl": self.attachments,
            **self.files,
        }

    def manifest(self):
        told = self.told or set(self.heads)
        records = [{"record": r, "kind": self.kinds[r], "seq": self.seqs[r], "head": self.heads[r]} for r in sorted(told)]
        cases = [{"no": f"DB-2018-{r:06d}", "record": r} for r in sorted(told)]
        return {"format": 1, "log": LOG, "suite": self.suite.number, "made_at": "2018-12-31T00:00:00Z", "made_by": "auditor", "cases": cases, "records": records}


def packed(tables, manifest, *, files=True):
    """The zip's bytes; the manifest names the files as they are now."""
    raw = {name: value if isinstance(value, bytes) else lines(value) for name, value in tables.items()}
    said = copy.deepcopy(manifest)
    if files:
        said["files"] = {name: {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text)} for name, text in raw.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(said, ensure_ascii=False))
        for name, text in raw.items():
            archive.writestr(name, text)
    return out.getvalue()


SNAPSHOT = {"income": "2100.00", "members": 3}
STEPS = [
    {"id": "income", "op": "input", "from": "/income", "value": "2100.00"},
    {"id": "members", "op": "input", "from": "/members", "value": "3"},
    {"id": "standard", "op": "law", "from": ["parameters.yaml", "dibao_standard_urban", "2018-12-01"], "value": "920"},
    {"id": "whole", "op": "mul", "args": ["standard", "members"], "value": "2760"},
    {"id": "less", "op": "sub", "args": ["whole", "income"], "value": "660"},
    {"id": "paid", "op": "half_up", "args": ["less", "2"], "value": "660.00"},
]


def district(suite=merkle.SHA256):
    """Two cases of the bundle among others that are not in it; everything in it proves itself."""
    made = Made(suite)
    for n in range(5):
        made.add(900 + n, "noted", {"n": n})
    for record in (7, 9):
        subject, row = f"household:{record}", record * 65536
        drawing = hashlib.sha256(DRAWING).hexdigest()
        made.add(record, "case_started", {"process": "dibao", "drawing": drawing, "no": f"DB-2018-{record:06d}"}, who="clerk",
                 puts=[("application", row + 1, {"state": "open", "n": 1}, subject, {"name": "王芳"})])  # fmt: skip
        made.add(901, "noted", {"n": record})
        made.add(record, "task_completed", {"task": "home_survey.1", "facts": {"seen": True}}, who="visitor", acting_for="chief", sealed={subject: {"said": {"answers": {"words": "如实"}}}})
        made.add(record, "task_completed", {"task": "street_opinion.1"}, who="reviewer", puts=[("application", row + 1, {"state": "reviewed"})])
        made.add(record, "signer_answered", {"task": "street_opinion.1", "agrees": True}, who="colleague")
        seq = made.add(record, "task_completed", {"task": "means_check.1", "then": {"ran": [["assess", {"amount_fen": 66000, "category": "dibao"}]]}}, who="checker",
                       sealed={subject: {"said": {"snapshots": {"assess": SNAPSHOT}}}})  # fmt: skip
        made.computations.append({"record": record, "seq": seq, "node": "assess", "result": {"amount_fen": "paid"}, "steps": copy.deepcopy(STEPS)})
        content = f"决定书 {record}".encode()
        letter = hmac.digest(b"k" * 32, content, "sha256").hex()
        made.add(record, "task_completed", {"task": "decide.1"}, who="director", puts=[("letter", row + 2, {"kind": "approval", "digest": letter})])
        made.attach("letter", row + 2, "approval.txt", content)
        made.add(904, "noted", {"n": record})
    made.told, made.kept = {7, 9}, [3, 8, 16]
    return made
