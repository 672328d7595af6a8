"""What a complete snapshot is sealed with: one digest of all that a verdict over it rests on."""

import hashlib
import json

from sqlalchemy import Connection, Text, select, type_coerce

from console_core.judging.query_sets import queries
from console_core.judging.snapshot_tables import answers, shown, snapshots

_S, _A, _P, _Q = snapshots.c, answers.c, shown.c, queries.c
_AT_ONCE = 500


def digest_of(connection: Connection, snapshot: str) -> str:
    """Of the whole: set, depth and columns; the questions in their order; all answers; the pictures' keys, revisions
    and candidates. What is kept as JSON goes in as its text, which is what makes this quick."""
    found = hashlib.sha256()
    columns, ranked, candidates, tags = (type_coerce(c, Text) for c in (_S.columns, _A.ranked, _P.candidates, _Q.tags))
    of_set = select(_S.set_name, _S.set_version).where(_S.id == snapshot).subquery().c
    parts = (
        select(_S.set_name, _S.set_version, _S.depth, columns).where(_S.id == snapshot),
        select(_Q.id, _Q.text, _Q.like, tags)
        .where(_Q.name == of_set.set_name, _Q.version == of_set.set_version)
        .order_by(_Q.position),
        select(_A.query, _A.column, ranked, _A.error, _A.margin)
        .where(_A.snapshot == snapshot)
        .order_by(_A.query, _A.column),
        select(_P.key, _P.revision, candidates).where(_P.snapshot == snapshot).order_by(_P.key),
    )
    for part in parts:
        rows = connection.execute(part)
        while some := rows.fetchmany(_AT_ONCE):
            found.update(json.dumps([tuple(row) for row in some]).encode())
        found.update(b"\0")  # where one part ends and the next begins
    return found.hexdigest()[:16]
