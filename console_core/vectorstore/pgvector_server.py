"""The way to a PostgreSQL server: its URL, its connections, transactions that are tried again where that may help."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

import psycopg
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import PoolProxiedConnection

from console_core.errors import SettingsError, StoreError, StoreUnavailable
from console_core.vectorstore.patience import Patience
from console_core.vectorstore.pgvector_errors import NotAnswered, NotConnected, cause_of, translated
from console_core.vectorstore.pgvector_versions import Versions
from console_core.vectorstore.pgvector_watch import cut_after
from console_core.vectorstore.pgvector_words import LONGEST_NAME

EXAMPLES = "postgresql://user@host:5432/database, postgresql://user@host/database?schema=vectors&sslmode=require"
SCHEMA = "embedding_console"
LOCK_TIMEOUT = 3
"""Seconds to wait for what another session has locked, before its turn is given up and taken again: whoever comes
after a waiting change waits too, searches included."""

_SETTINGS = """
SELECT current_setting('server_version'), extension.extversion,
       set_config('search_path', quote_ident(%(schema)s) || ', ' || coalesce(quote_ident(namespace.nspname), 'public'),
                  %(local)s),
       set_config('statement_timeout', %(statement)s, %(local)s),
       set_config('lock_timeout', %(lock)s, %(local)s),
       CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', %(local)s) END
FROM (SELECT 1) one
     LEFT JOIN pg_catalog.pg_extension extension ON extension.extname = 'vector'
     LEFT JOIN pg_catalog.pg_namespace namespace ON namespace.oid = extension.extnamespace
"""

_OFFER = """
SELECT bool_or(NOT v.superuser OR r.rolsuper OR (v.trusted AND has_database_privilege(current_database(), 'CREATE')))
FROM pg_catalog.pg_available_extension_versions v, pg_catalog.pg_roles r
WHERE v.name = 'vector' AND r.rolname = current_user
"""

Connection = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")


class PostgresServer:
    """A database and a schema in it, reached by a few pooled connections. Safe to use from several threads."""

    def __init__(
        self,
        url: str,
        *,
        password: str = "",
        timeout: int = 30,
        retries: int = 3,
        pause: float = 0.25,
        dry: bool = False,
    ) -> None:
        """Prepare to connect; nothing is sent before the first question.

        `url` may name the schema (`?schema=…`) and anything that libpq knows. `password` is used where the URL has
        none. `timeout` is in seconds for one statement; a question takes at most about twice as long with all its
        `retries`. `dry`: transactions are read-only.

        Raises:
            SettingsError: the URL cannot be understood, or the driver is not installed.
        """
        found, self.schema = _parsed(url)
        self._secret = str(found.password or found.query.get("password") or password)
        if self._secret and not found.query.get("password"):
            found = found.set(password=self._secret)
        self.location = _shown(found, self.schema)
        self.place = f"The PostgreSQL database {self.location}"
        self.versions = Versions()
        self.answered: bool | None = None
        self._timeout, self._retries, self._pause, self._dry = timeout, retries, pause, dry
        self._budget = 2.0 * timeout
        usual: dict[str, Any] = {
            "connect_timeout": min(timeout, 10),
            "application_name": "embedding-console",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * timeout,
        }
        arguments: dict[str, Any] = {name: value for name, value in usual.items() if name not in found.query}
        arguments["prepare_threshold"] = None  # prepared statements break behind a pooler
        self._engine = create_engine(
            found,
            pool_size=4,
            max_overflow=8,
            pool_timeout=timeout,
            connect_args=arguments,
        )

    def ask(self, work: Callable[[Connection], T], *, name: str = "", again: bool = True) -> T:
        """The result of some work in one transaction, which is committed. `name` is the collection for people.

        Done again when that may help; with `again` False only where it is certain that nothing was changed.

        Raises:
            StoreError
        """
        patience = Patience(self._retries, self._budget, self._pause)
        while True:
            try:
                with self._transaction() as connection:
                    result = work(connection)
            except StoreError:
                raise
            except Exception as error:
                found = cause_of(error)
                may_help = found is not None and found.worth_another_try and (again or found.changed_nothing)
                if not may_help or not patience.pause(None):
                    raise self._translated(error, name) from error
            else:
                self.answered = True
                return result

    @contextmanager
    def alone(self, name: str) -> Iterator[Connection]:
        """A connection of its own outside of any transaction, for what takes as long as it takes.

        Raises:
            StoreError
        """
        try:
            proxied, connection = self._connected()
            proxied.detach()
            try:
                connection.autocommit = True
                self._set_up(connection, local=False, statement=0, lock=0)
                yield connection
            finally:
                connection.close()
        except StoreError:
            raise
        except Exception as error:
            raise self._translated(error, name) from error

    def learn_offer(self, connection: Connection) -> None:
        """Where pgvector is not installed in the database: whether this role could install it."""
        if self.versions.extension:
            return
        row = connection.execute(_OFFER).fetchone()
        self.versions = replace(self.versions, offered=bool(row and row[0]))

    def close(self) -> None:
        self._engine.dispose()

    def named(self, *path: str) -> sql.Composable:
        """A table, view or index of the schema."""
        return sql.Identifier(self.schema, *path)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        proxied, connection = self._connected()
        try:
            if self._dry:
                connection.read_only = True
            with self._answering(connection):
                self._set_up(connection, local=True, statement=self._timeout, lock=min(LOCK_TIMEOUT, self._timeout))
                yield connection
                connection.commit()
        except BaseException:
            if connection.closed:
                proxied.invalidate()
            else:
                connection.rollback()
            raise
        finally:
            proxied.close()

    @contextmanager
    def _answering(self, connection: Connection) -> Iterator[None]:
        """For as long as one question may take: the server ends its statements itself, but not where it is frozen."""
        with cut_after(connection, self._budget) as watch:
            try:
                yield
            except (psycopg.OperationalError, NotConnected) as error:
                if watch.over:
                    raise NotAnswered from error
                raise

    def _connected(self) -> tuple[PoolProxiedConnection, Connection]:
        """A connection of the pool, and the driver's own within it."""
        try:
            proxied = self._engine.raw_connection()
        except Exception as error:
            raise NotConnected from error
        return proxied, cast(Connection, proxied.driver_connection)

    def _set_up(self, connection: Connection, *, local: bool, statement: int, lock: int) -> None:
        seconds = {"statement": f"{statement}s", "lock": f"{lock}s"}
        try:
            row = connection.execute(_SETTINGS, {"schema": self.schema, "local": local, **seconds}).fetchone()
        except psycopg.OperationalError as error:
            if connection.closed:  # while it lay in the pool
                raise NotConnected from error
            raise
        assert row is not None
        self.versions = Versions(str(row[0]).partition(" ")[0], row[1] or "", self.versions.offered)

    def _translated(self, error: Exception, name: str) -> Exception:
        reason = translated(error, self.place, name, self._secret)
        if isinstance(reason, StoreUnavailable):
            self.answered = False
        return reason or error


def wait_for(free: Callable[[], bool], pause: float) -> None:
    """Ask again and again, `pause` seconds apart, until it is so."""
    while not free():
        time.sleep(pause)


def _parsed(url: str) -> tuple[URL, str]:
    """The URL without what is ours, and the schema. What is wrong is told without the URL: that may have a password."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            "The store's URL cannot be understood.",
            f"Percent-encode special characters of a password. Examples: {EXAMPLES}.",
        ) from error
    if found.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise SettingsError(
            f'The store is reached with psycopg, not with "{found.drivername}".', f"Examples: {EXAMPLES}."
        )
    schema = found.query.get("schema", SCHEMA)
    if not isinstance(schema, str) or not schema or len(schema.encode()) > LONGEST_NAME or "\0" in schema:
        raise SettingsError(
            "The schema in the store's URL is not one name of at most 63 bytes.", f"Examples: {EXAMPLES}."
        )
    return found.difference_update_query(["schema"]).set(drivername="postgresql+psycopg"), schema


def _shown(url: URL, schema: str) -> str:
    told = url.query.get("host")
    host = url.host or (told if isinstance(told, str) else ", ".join(told or ("this machine",)))
    port = f":{url.port}" if url.port else ""
    return f"{url.database or url.username or 'postgres'} on {host}{port}, schema {schema}"
