"""Query sets: named lists of questions. A change is a new version, and what was asked before stays as it was."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint, Integer, Row, Table, Text, func, insert, select

from console_core.database import Database, Instant, Json, metadata, now
from console_core.errors import NotFound, Refused
from console_core.querylab.finding import LONGEST
from console_core.querylab.rankings import Query

MOST = 10_000
"""Questions in a set."""

query_sets = Table(
    "query_sets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
queries = Table(
    "queries",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("like", Text, nullable=False),
    Column("tags", Json, nullable=False),
    ForeignKeyConstraint(["name", "version"], ["query_sets.name", "query_sets.version"]),
)
_S, _Q = query_sets.c, queries.c


@dataclass(frozen=True, slots=True)
class QuerySet:
    """A version of a query set, without its questions. `origin` says where they come from, `digest` is of their
    texts, pictures and tags."""

    name: str
    version: int
    origin: str
    digest: str
    size: int
    made_by: str
    made_at: datetime

    @property
    def label(self) -> str:
        return f"{self.name} v{self.version}"


def worded(text: str) -> str:
    """A question's words as they are kept: in Unicode's composed form (NFC), with one space between them, and
    without the sign NUL, which PostgreSQL keeps in no text."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\0", " ")).split())


def folded(text: str) -> str:
    """What a question's words are told from others' by: in Unicode's compatible form (NFKC), in small letters, and
    without signs at the end. "A red car?" asks what "a red car" asks."""
    return worded(unicodedata.normalize("NFKC", text)).casefold().rstrip(" .,;:!?…。！？")


def asks(text: str, like: str) -> tuple[str, str]:
    """What a question asks: the same for all spellings of it. Signs alone are told apart as they are."""
    return folded(text) or text, like


def query(text: str = "", *, like: str = "", tags: Iterable[str] = ()) -> Query:
    """A question whose id is made of what it asks, so that it is the same in every set and version. A picture's key is
    taken as it is."""
    said = worded(text)
    identity = hashlib.sha256(json.dumps([said, like]).encode()).hexdigest()[:12]
    return Query(identity, said, like, tuple(sorted({worded(tag) for tag in tags} - {""})))


class QuerySets:
    """The query sets of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[query_sets, queries])

    def save(self, name: str, asked: Iterable[Query], *, origin: str, by: str) -> QuerySet:
        """A set's next version; the newest one as it is where that asks the same. A question that comes twice is asked
        once, in its first spelling and with the tags of both; capitals and a sign at the end make no other question.

        Raises:
            Refused: there is no name or no question, or too many, too long a one, or one with half a character.
        """
        name, origin = name.strip(), origin.encode("utf-8", "replace").decode()
        wanted = distinct(asked)
        _refuse(name, wanted)
        digest = _digest(wanted)
        with self._database.transaction() as connection:
            newest = connection.execute(
                select(query_sets).where(_S.name == name).order_by(_S.version.desc()).limit(1)
            ).first()
            if newest is not None and newest.digest == digest:
                return _set(newest)
            version = newest.version + 1 if newest is not None else 1
            made = QuerySet(name, version, origin, digest, len(wanted), by, now())
            connection.execute(
                insert(query_sets).values(
                    name=name,
                    version=version,
                    origin=origin,
                    digest=digest,
                    size=made.size,
                    made_by=by,
                    made_at=made.made_at,
                )
            )
            connection.execute(
                insert(queries),
                [
                    {
                        "name": name,
                        "version": version,
                        "position": place,
                        "id": one.id,
                        "text": one.text,
                        "like": one.like,
                        "tags": list(one.tags),
                    }
                    for place, one in enumerate(wanted)
                ],
            )
        return made

    def get(self, name: str, version: int | None = None) -> QuerySet:
        """A version of a set, by default the newest.

        Raises:
            NotFound: there is no such set, or no such version.
        """
        asked = select(query_sets).where(_S.name == name).order_by(_S.version.desc()).limit(1)
        if version is not None:
            asked = asked.where(_S.version == version)
        with self._database.reading() as connection:
            row = connection.execute(asked).first()
        if row is None:
            which = f'query set "{name}"' if version is None else f'version {version} of the query set "{name}"'
            known = ", ".join(dict.fromkeys(one.name for one in self.all())) or "none yet"
            raise NotFound(f"There is no {which}.", f"Known query sets: {known}.")
        return _set(row)

    def all(self) -> list[QuerySet]:
        """The newest version of each set, by name."""
        newest = select(_S.name, func.max(_S.version).label("version")).group_by(_S.name).subquery()
        asked = (
            select(query_sets)
            .join(newest, (_S.name == newest.c.name) & (_S.version == newest.c.version))
            .order_by(_S.name)
        )
        with self._database.reading() as connection:
            return [_set(row) for row in connection.execute(asked)]

    def versions(self, name: str) -> list[QuerySet]:
        """All versions of a set, the newest first."""
        with self._database.reading() as connection:
            return [
                _set(row)
                for row in connection.execute(select(query_sets).where(_S.name == name).order_by(_S.version.desc()))
            ]

    def queries(self, of: QuerySet) -> list[Query]:
        """The questions of a version, in their order."""
        asked = select(queries).where(_Q.name == of.name, _Q.version == of.version).order_by(_Q.position)
        with self._database.reading() as connection:
            return [Query(row.id, row.text, row.like, tuple(row.tags)) for row in connection.execute(asked)]


def distinct(asked: Iterable[Query]) -> list[Query]:
    """Each question once, in its first spelling and with the tags of all."""
    found: dict[tuple[str, str], Query] = {}
    for one in asked:
        what = asks(one.text, one.like)
        known = found.get(what)
        found[what] = replace(known, tags=tuple(sorted({*known.tags, *one.tags}))) if known else one
    return list(found.values())


def _refuse(name: str, wanted: Sequence[Query]) -> None:
    if not name:
        raise Refused("The query set has no name.", "Name it.")
    _refuse_half(name)
    if not wanted:
        raise Refused("There is no question in it.", "Put one on each line, or in a column named query.")
    if len(wanted) > MOST:
        raise Refused(f"These are {len(wanted):,} questions.", f"A set has at most {MOST:,}; take a sample of them.")
    for one in wanted:
        for said in (one.text, one.like, *one.tags):
            _refuse_half(said)
        if not one.text and not one.like:
            raise Refused("A question asks nothing.", "Give each one words or a picture.")
        if len(one.text) > LONGEST:
            raise Refused(
                f'A question has {len(one.text):,} characters: "{one.text[:40]}…"', f"Ask with at most {LONGEST:,}."
            )


def _refuse_half(said: str) -> None:
    """Refuse a text that has half a character, a lone surrogate, as JSON may: no database keeps it."""
    try:
        said.encode()
    except UnicodeEncodeError as error:
        shown = said[:40].encode("ascii", "backslashreplace").decode()
        raise Refused(f'A text has half a character: "{shown}".', "Write it anew, or leave it out.") from error


def _digest(wanted: Sequence[Query]) -> str:
    told = [[one.id, one.text, one.like, list(one.tags)] for one in wanted]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _set(row: Row[tuple[object, ...]]) -> QuerySet:
    return QuerySet(row.name, row.version, row.origin, row.digest, row.size, row.made_by, row.made_at)
