"""Having applications find another column of bytes under the name that they read: in one transaction."""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, text

from console_core.errors import AliasConflict, StoreRefused
from console_core.vectorstore.blob_homes import Home, altered, quoted
from console_core.vectorstore.blob_places import TableColumn
from console_core.vectorstore.blob_registry import Kept
from console_core.vectorstore.switching import Switching

_IN_SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_IN_POSTGRESQL = """
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     LEFT JOIN pg_catalog.pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(:relation) AND a.attname = :searched
  AND c.contype IS DISTINCT FROM 'n'
"""


@dataclass(frozen=True, slots=True)
class Written:
    """A table, view, trigger or index of SQLite, as the application wrote it, and the table or view that it is of."""

    kind: str
    name: str
    of: str
    statement: str


def switch(connection: Connection, home: Home, before: Kept, to: Kept) -> None:
    """Give the searched name to another column of the same table.

    SQLite changes the text of views and triggers when a column is renamed, so that they would go on with the former
    one: those that name the searched column are made again as they were written.

    Raises:
        AliasConflict: it is no column of that table.
        StoreRefused: something is bound to the searched column that cannot follow.
    """
    place = to.place
    if not isinstance(place, TableColumn) or place.table.fullname != home.table.fullname:
        raise AliasConflict(
            f'"{home.alias}" is the name of a column, which only another column of {home.table.fullname} can take.',
            f'Build the new collection in that table: give it a name that begins with "{home.settings.name}.".',
        )
    if before.name == to.name:
        return
    if bound := _bound(connection, home):
        raise StoreRefused(
            f'Another column of {home.table.fullname} cannot take the name "{home.settings.vector}" yet: '
            f"{', '.join(bound)} would stay with the former one.",
            "Drop it, cut over, and make it again for the new column. Nothing was changed.",
        )
    again = _written(connection, home)
    for one in reversed(again):
        connection.exec_driver_sql(f"DROP {one.kind} {quoted(connection, one.name)}")
    searched = quoted(connection, home.settings.vector)
    altered(connection, home, f"RENAME COLUMN {searched} TO {quoted(connection, before.own)}")
    altered(connection, home, f"RENAME COLUMN {quoted(connection, place.vector.name)} TO {searched}")
    for one in again:
        connection.exec_driver_sql(one.statement)


def announce(connection: Connection, home: Home) -> Switching:
    """What would follow if another column took the searched name, and what keeps that from happening."""
    follows = tuple(f"the {one.kind} {one.name}" for one in _written(connection, home))
    return Switching(home.table.fullname, home.settings.vector, "", follows, tuple(_bound(connection, home)))


def _written(connection: Connection, home: Home) -> list[Written]:
    """The views and triggers of SQLite that speak of the searched column, and those that would go with such a view."""
    if connection.dialect.name != "sqlite":
        return []
    found = [Written(*row) for row in connection.execute(text(_IN_SQLITE))]
    views = [one for one in found if one.kind == "view" and _speaks_of(one.statement, home.settings.vector)]
    gone = {view.name for view in views}
    triggers = [one for one in found if one.kind == "trigger"]
    return views + [one for one in triggers if one.of in gone or _speaks_of(one.statement, home.settings.vector)]


def _bound(connection: Connection, home: Home) -> list[str]:
    if connection.dialect.name == "sqlite":
        found = [Written(*row) for row in connection.execute(text(_IN_SQLITE))]
        searched = home.settings.vector
        bound = [
            f"the index {one.name}" for one in found if one.kind == "index" and _speaks_of(one.statement, searched)
        ]
        (table,) = (one for one in found if one.kind == "table" and one.name == home.table.name)
        if len(_mentions(searched, _COMMENT.sub(" ", table.statement))) > 1:
            bound.append(f"a check or a computed column of {home.table.name} that speaks of {searched}")
        return bound + ([f"the NOT NULL of {searched}"] if not home.table.c[searched].nullable else [])
    relation = connection.dialect.identifier_preparer.format_table(home.table)
    parameters = {"relation": relation, "searched": home.settings.vector}
    return sorted({row[0] for row in connection.execute(text(_IN_POSTGRESQL), parameters)})


def _speaks_of(statement: str, name: str) -> bool:
    return bool(_mentions(name, statement))


def _mentions(name: str, statement: str) -> list[str]:
    return re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", statement, re.IGNORECASE)
