"""Having applications search another vector column of their table, under the same name: in one transaction.

The column that is searched gets its own name back, and the other takes the name that is searched. Statements that name
the column follow by themselves. Views do not, because PostgreSQL binds them to the column and not to its name, and are
made again; functions whose text has the number of a vector's numbers are given the new one, where it can be told that
this column is meant.
"""

from collections.abc import Iterator, Sequence

from psycopg import sql

from console_core.errors import AliasConflict, StoreDenied, StoreRefused
from console_core.vectorstore.pgvector_built import index_on
from console_core.vectorstore.pgvector_columns import PgvectorColumns, alias_of, is_searched, own_name
from console_core.vectorstore.pgvector_functions import Speaking, functions_of
from console_core.vectorstore.pgvector_places import TableColumn
from console_core.vectorstore.pgvector_server import Connection
from console_core.vectorstore.pgvector_tables import Home
from console_core.vectorstore.pgvector_views import View, made_again, views_of
from console_core.vectorstore.pgvector_words import Kept
from console_core.vectorstore.switching import Foreign, Switching

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

_TRIGGERS = """
SELECT t.tgname, p.prosrc FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0 AND t.tgattr = ''
ORDER BY 1
"""


def switch(connection: Connection, columns: PgvectorColumns, home: Home, to: Kept) -> None:
    """Let the name that applications search be that of another column of the same table.

    Raises:
        AliasConflict: it is no column of that table.
        StoreRefused: something is bound to the searched column that cannot follow.
        StoreDenied: a view or a function that must follow is another role's.
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
    views, speaking = _speaking(connection, columns, home, before.dimension)
    if blocked := _blocked(connection, home, views, speaking):
        raise _cannot(home, ", ".join(blocked))
    for foreign in _foreign(views, speaking):
        raise StoreDenied(f"{foreign.message(home.settings.vector)} Nothing was changed.", foreign.remedy)
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
    for function in speaking.follow:
        text = function.for_length(before.dimension, to.dimension)
        if function.bound or text != function.text:
            connection.execute(text.encode())
    columns.moved(connection, home, before, to)


def announce(connection: Connection, columns: PgvectorColumns, home: Home) -> Switching:
    """What would follow if another column took the searched name, and what keeps that from happening."""
    searched = next(kept for kept in columns.within(connection, home) if is_searched(home, kept))
    views, speaking = _speaking(connection, columns, home, searched.dimension)
    shown = [f"the view {view.shown}" for view in views] + [f"the function {one.shown}" for one in speaking.follow]
    built = index_on(connection, searched.place)
    return Switching(
        table=home.shown_name,
        searched=home.settings.vector,
        index=built.words if built else "",
        follows=tuple(shown),
        blocked=tuple(_blocked(connection, home, views, speaking)),
        left=tuple(one.shown for one in speaking.left if not one.bound),
        numbers=tuple((one.shown, one.language) for one in speaking.numbers),
        length=searched.dimension,
        foreign=tuple(_foreign(views, speaking)),
        triggers=tuple((name, text) for name, text in connection.execute(_TRIGGERS, (home.table.as_string(),))),
    )


def _speaking(
    connection: Connection, columns: PgvectorColumns, home: Home, length: int
) -> tuple[Sequence[View], Speaking]:
    views = views_of(connection, home, columns.schema)
    return views, functions_of(connection, home, length, columns.schema, [view.shown for view in views])


def _blocked(connection: Connection, home: Home, views: Sequence[View], speaking: Speaking) -> list[str]:
    """What would stay with the former column, or cannot be made again."""
    unclear = [
        f"the function {one.shown}, whose body is bound to the column and names other vectors of the same length,"
        for one in speaking.left
        if one.bound
    ]
    return [*_bound(connection, home), *(view.problem for view in views if view.problem), *unclear]


def _foreign(views: Sequence[View], speaking: Speaking) -> Iterator[Foreign]:
    """What our role may not make again."""
    yield from (view.foreign for view in views if view.foreign)
    for one in speaking.follow:
        if one.owner:
            yield Foreign.owned(f"the function {one.shown}", one.owner)
        elif not one.may_make:
            yield Foreign.closed(f"the function {one.shown}", one.schema)


def _bound(connection: Connection, home: Home) -> list[str]:
    number = home.attributes[home.settings.vector].number
    return [row[0] for row in connection.execute(_BOUND, (home.table.as_string(), number) * 2)]


def _cannot(home: Home, what: str) -> StoreRefused:
    return StoreRefused(
        f'Another column of {home.shown_name} cannot take the name "{home.settings.vector}" yet: {what} would stay '
        "with the former one.",
        "Drop it, cut over, and make it again for the new column. Nothing was changed.",
    )
