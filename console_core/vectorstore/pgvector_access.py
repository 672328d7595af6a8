"""Whether the console's role may write, as far as PostgreSQL tells it without a write."""

from psycopg import sql

from console_core.errors import StoreDenied, StoreError
from console_core.vectorstore.pgvector_server import Connection, PostgresServer

_GENERAL = """
SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on', current_user,
       has_database_privilege(current_database(), 'TEMP'), has_database_privilege(current_database(), 'CREATE'),
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = %s)
"""


def refusal(connection: Connection, server: PostgresServer, relation: str | None) -> StoreError | None:
    """The error that writing would meet: to the table of a collection, or to one yet to be made where it is None."""
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
    if relation is not None:
        return _about_table(connection, server, relation, role)
    if may_make is None:
        return None if may_make_schema else _lacks(server, role, f"CREATE on the database, or a schema {server.schema}")
    return None if may_make else _lacks(server, role, f"CREATE and USAGE on the schema {server.schema}")


def _about_table(connection: Connection, server: PostgresServer, relation: str, role: str) -> StoreError | None:
    table = sql.Identifier(server.schema, relation).as_string()
    for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        row = connection.execute("SELECT has_table_privilege(%s, %s)", (table, privilege)).fetchone()
        if row is None or not row[0]:
            return _lacks(server, role, f"{privilege} on the table {table}")
    return None


def _lacks(server: PostgresServer, role: str, what: str) -> StoreDenied:
    return StoreDenied(
        f"{server.place} forbids writing: the role {role} lacks {what}.", "Grant it to the role, or use another one."
    )
