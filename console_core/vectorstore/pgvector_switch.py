"""Having applications search another vector column of their table, under the same name: in one transaction.

The column that is searched gets its own name back, and the other takes the name that is searched. Statements that name
the column follow by themselves. Views do not, because PostgreSQL binds them to the column and not to its name, and are
made again; functions whose text has the number of a vector's numbers are given the new one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from console_core.errors import AliasConflict, StoreRefused
from console_core.vectorstore.pgvector_built import index_on
from console_core.vectorstore.pgvector_columns import PgvectorColumns, alias_of, is_searched, own_name
from console_core.vectorstore.pgvector_places import TableColumn
from console_core.vectorstore.pgvector_server import Connection
from console_core.vectorstore.pgvector_tables import Home
from console_core.vectorstore.pgvector_views import View, made_again, views_of
from console_core.vectorstore.pgvector_words import Kept
from console_core.vectorstore.switching import Switching

_BOUND = """
SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_catalog.pg_depend d
     LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
     LEFT JOIN pg_catalog.pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = %s::regclass AND d.refobjsubid = %s
  AND d.classid = ANY('{pg_attrdef,pg_constraint,pg_policy,pg_trigger,pg_publication_rel}'::regclass[])
  AND f.adnum IS DISTINCT FROM d.refobjsubid AND c.contype IS DISTINCT FROM 'n'
UNION SELECT 'the grants on the column ' || quote_ident(attname) || ' itself' FROM pg_catalog.pg_attribute
WHERE attrelid = %s::regclass AND attnum = %s AND attacl IS NOT NULL
ORDER BY 1
"""
"""What PostgreSQL binds to the column itself, so that it would stay with the former one. A default of its own may, and
its NOT NULL is taken off."""

_FUNCTIONS = """
SELECT n.nspname, p.proname, pg_catalog.pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p
     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND l.lanname IN ('sql', 'plpgsql') AND n.nspname <> ALL(%s)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the application, as it can be made again. `bound`: PostgreSQL binds its body to columns."""

    schema: str
    name: str
    text: str

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def bound(self) -> bool:
        return re.search(r"^AS \$", self.text, re.MULTILINE) is None

    def for_length(self, before: int, after: int) -> str:
        """Its text with the length of vectors that it names changed."""
        return re.sub(rf"\b(vector|halfvec)\s*\(\s*{before}\s*\)", rf"\g<1>({after})", self.text)


def switch(connection: Connection, columns: PgvectorColumns, home: Home, to: Kept) -> None:
    """Let the name that applications search be that of another column of the same table.

    Raises:
        AliasConflict: it is no column of that table.
        StoreRefused: something is bound to the searched column that cannot follow.
    """
    home = columns.tables.look(connection, home.settings, "ACCESS EXCLUSIVE")
    place = to.place
    if not isinstance(place, TableColumn) or (place.schema, place.relation) != (home.schema, home.relation):
        raise AliasConflict(
            f'"{alias_of(home)}" is the name of a column, which only another column of {home.shown_name} can take.',
            f'Build the new collection in that table: give it a name that begins with "{home.settings.name}.".',
        )
    before = next(kept for kept in columns.within(connection, home) if is_searched(home, kept))
    if before.name == to.name:
        return
    _refuse_bound(connection, home)
    views, functions = _views(connection, columns, home), functions_of(connection, columns, home)
    for view in reversed(views):
        connection.execute(sql.SQL("DROP VIEW {}").format(view.path))
    searched = sql.Identifier(home.settings.vector)
    renaming = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}")
    connection.execute(renaming.format(home.table, searched, sql.Identifier(own_name(before))))
    connection.execute(renaming.format(home.table, sql.Identifier(place.vector), searched))
    if home.attributes[home.settings.vector].required:  # rows that are added from now on have none
        former = sql.Identifier(own_name(before))
        connection.execute(sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL").format(home.table, former))
    for view in views:
        made_again(connection, view)
    connection.execute("SET LOCAL check_function_bodies = off")  # its own search path may be another
    for function in functions:
        text = function.for_length(before.dimension, to.dimension)
        if function.bound or text != function.text:
            connection.execute(text.encode())
    columns.moved(connection, home, before, to)


def announce(connection: Connection, columns: PgvectorColumns, home: Home) -> Switching:
    """What would follow if another column took the searched name, and what keeps that from happening."""
    views = views_of(connection, home, columns.schema)
    functions = functions_of(connection, columns, home)
    shown = [f"the view {view.shown}" for view in views] + [f"the function {one.shown}" for one in functions]
    blocked = [*_bound(connection, home), *(view.problem for view in views if view.problem)]
    searched = next(kept for kept in columns.within(connection, home) if is_searched(home, kept))
    built = index_on(connection, searched.place)
    return Switching(
        table=home.shown_name,
        searched=home.settings.vector,
        index=built.words if built else "",
        follows=tuple(shown),
        blocked=tuple(blocked),
    )


def functions_of(connection: Connection, columns: PgvectorColumns, home: Home) -> list[Function]:
    """The functions that are named in the settings, or else those that speak of the table and the searched column.

    Raises:
        StoreRefused: one of the settings does not exist.
    """
    besides = ["pg_catalog", "information_schema", columns.schema]
    found = [Function(*row) for row in connection.execute(_FUNCTIONS, (besides,))]
    wanted = home.settings.functions
    if not wanted:
        return [one for one in found if _speaks_of(one, home.relation) and _speaks_of(one, home.settings.vector)]
    for name in wanted:
        if not any(name in (one.name, one.shown) for one in found):
            raise StoreRefused(
                f"[store.tables.{home.settings.name}] names the function {name}, which the database does not have.",
                "Correct functions in that section, or leave it out to have them found.",
            )
    return [one for one in found if one.name in wanted or one.shown in wanted]


def _speaks_of(function: Function, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", function.text, re.IGNORECASE) is not None


def _views(connection: Connection, columns: PgvectorColumns, home: Home) -> Sequence[View]:
    views = views_of(connection, home, columns.schema)
    if problem := next((view.problem for view in views if view.problem), None):
        raise _cannot(home, problem)
    return views


def _bound(connection: Connection, home: Home) -> list[str]:
    number = home.attributes[home.settings.vector].number
    return [row[0] for row in connection.execute(_BOUND, (home.table.as_string(), number) * 2)]


def _refuse_bound(connection: Connection, home: Home) -> None:
    if bound := _bound(connection, home):
        raise _cannot(home, ", ".join(bound))


def _cannot(home: Home, what: str) -> StoreRefused:
    return StoreRefused(
        f'Another column of {home.shown_name} cannot take the name "{home.settings.vector}" yet: {what} would stay '
        "with the former one.",
        "Drop it, cut over, and make it again for the new column. Nothing was changed.",
    )
