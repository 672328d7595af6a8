"""Whether the console's role may write, as far as PostgreSQL tells it without a write."""

from psycopg import sql

from console_core.errors import StoreDenied, StoreError
from console_core.vectorstore.pgvector_server import Connection, PostgresServer

_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
_GENERAL = """
SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on', current_user,
       has_database_privilege(current_database(), 'TEMP'), has_database_privilege(current_database(), 'CREATE'),
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = %s)
"""


def refusal(connection: Connection, server: PostgresServer, table: sql.Identifier | None) -> StoreError | None:
    """The error that writing would meet: to the table of a collection, or to one yet to be made where it is None."""
    if table is not None:
        return _in_general(connection, server, may_make_tables=False) or _about_table(connection, server, table, _ALL)
    return _in_general(connection, server, may_make_tables=True)


def column_refusal(
    connection: Connection, server: PostgresServer, table: sql.Identifier, there: bool
) -> StoreError | None:
    """The error that writing to a column of an application's table would meet, or making one where it is not `there`.

    Making one, and having another searched, takes what only the table's owner may do.
    """
    found = _in_general(connection, server, may_make_tables=not there)
    found = found or _about_table(connection, server, table, ("SELECT", "UPDATE"))
    if found or there:
        return found
    query = "SELECT pg_has_role(relowner, 'USAGE'), current_user FROM pg_catalog.pg_class WHERE oid = %s::regclass"
    row = connection.execute(query, (table.as_string(),)).fetchone()
    assert row is not None
    return None if row[0] else _lacks(server, row[1], f"the ownership of the table {table.as_string()}")


def _in_general(connection: Connection, server: PostgresServer, *, may_make_tables: bool) -> StoreError | None:
    row = connection.execute(_GENERAL, (server.schema,)).fetchone()
    assert row is not None
    standby, read_only, role, may_stage, may_make_schema, may_make = row
    if standby:
        return StoreDenied(f"{server.place} is a standby, which takes no writes.", "Connect to the primary server.")
    if read_only:
        return StoreDenied(
            f"{server.place} takes no writes of the role {role}.",
            "Set default_transaction_read_only to off for this role, or use another one.",
        )
    if not may_stage:
        return _lacks(server, role, "TEMPORARY on the database")
    if not may_make_tables:
        return None
    if may_make is None:
        return None if may_make_schema else _lacks(server, role, f"CREATE on the database, or a schema {server.schema}")
    return None if may_make else _lacks(server, role, f"CREATE and USAGE on the schema {server.schema}")


def _about_table(
    connection: Connection, server: PostgresServer, table: sql.Identifier, privileges: tuple[str, ...]
) -> StoreError | None:
    for privilege in privileges:
        row = connection.execute(
            "SELECT has_table_privilege(%s, %s), current_user", (table.as_string(), privilege)
        ).fetchone()
        assert row is not None
        if not row[0]:
            return _lacks(server, row[1], f"{privilege} on the table {table.as_string()}")
    return None


def _lacks(server: PostgresServer, role: str, what: str) -> StoreDenied:
    return StoreDenied(
        f"{server.place} forbids writing: the role {role} lacks {what}.", "Grant it to the role, or use another one."
    )
