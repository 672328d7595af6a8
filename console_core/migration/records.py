"""Migrations as the ledger keeps them: the plan, the runs that belong to it, and how far it has come."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Row, Table, Text, delete, insert, select

from console_core.database import Database, Instant, Json, metadata, now
from console_core.errors import NotFound
from console_core.migration.plan import MigrationPlan
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState

migrations = Table(
    "migrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("plan", Json, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)


class Stage(StrEnum):
    """How far a migration has come; each stage names what a person does next."""

    BUILDING = "building"
    STOPPED = "stopped"
    BUILT = "built"
    VERIFYING = "verifying"
    REFUTED = "refuted"
    READY = "ready"
    LIVE = "live"
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: its plan and who began it when."""

    id: str
    plan: MigrationPlan
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a migration stands now: its stage, its latest build and verify runs, and what answers applications."""

    migration: Migration
    stage: Stage
    build: Run | None
    verify: Run | None
    serves: str


class Migrations:
    """All migrations of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, plan: MigrationPlan, actor: str) -> Migration:
        migration = Migration(f"m-{secrets.token_hex(3)}", plan, actor, now())
        with self._database.transaction() as connection:
            connection.execute(
                insert(migrations).values(
                    id=migration.id, plan=plan.as_json(), created_by=actor, created_at=migration.created_at
                )
            )
        return migration

    @contextmanager
    def created(self, plan: MigrationPlan, actor: str) -> Iterator[Migration]:
        """A new migration whose first run the body submits; taken back where that fails."""
        migration = self.create(plan, actor)
        try:
            yield migration
        except BaseException:
            with self._database.transaction() as connection:
                connection.execute(delete(migrations).where(migrations.c.id == migration.id))
            raise

    def get(self, identifier: str) -> Migration:
        """One migration.

        Raises:
            NotFound
        """
        with self._database.reading() as connection:
            row = connection.execute(select(migrations).where(migrations.c.id == identifier)).first()
        if row is None:
            raise NotFound(f"There is no migration {identifier}.", "Choose one from the Migrations page.")
        return _migration(row)

    def all(self, limit: int = 100) -> list[Migration]:
        """The newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(migrations).order_by(migrations.c.created_at.desc()).limit(limit)).all()
        return [_migration(row) for row in rows]


def standing(
    migration: Migration, ledger: Ledger, aliases: Mapping[str, str], overtaken: Stage | None = None
) -> Standing:
    """Where a migration stands, from its runs and the alias.

    `overtaken` is what the alias' moves have made of it (rolled back, superseded); it replaces stages that would
    otherwise wait for somebody's decision.
    """
    runs = ledger.runs(migration=migration.id, limit=200)
    build = next((run for run in runs if run.kind == "reembed"), None)
    verify = next((run for run in runs if run.kind == "verify"), None)
    plan = migration.plan
    serves = plan.serving(aliases)
    stage = _stage(plan, build, verify, serves)
    if stage is Stage.LIVE and any(run.kind == "retire" and run.state is RunState.SUCCEEDED for run in runs):
        stage = Stage.RETIRED
    if overtaken is not None and stage in (Stage.BUILT, Stage.REFUTED, Stage.READY):
        stage = overtaken
    return Standing(migration, stage, build, verify, serves)


def _stage(plan: MigrationPlan, build: Run | None, verify: Run | None, serves: str) -> Stage:
    if serves == plan.target != plan.source:
        return Stage.LIVE
    if build is None or build.state is RunState.CANCELLED:
        return Stage.CANCELLED
    if build.state is not RunState.SUCCEEDED:
        moving = build.state in (RunState.QUEUED, RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING)
        return Stage.BUILDING if moving else Stage.STOPPED
    if verify is None or verify.state is RunState.CANCELLED or verify.created_at < build.created_at:
        return Stage.BUILT
    if verify.state is not RunState.SUCCEEDED:
        return Stage.BUILT if verify.state is RunState.FAILED else Stage.VERIFYING
    if (verify.result or {}).get("verdict") != "green":
        return Stage.REFUTED
    return Stage.LIVE if serves == plan.target else Stage.READY


def _migration(row: Row[Any]) -> Migration:
    return Migration(row.id, MigrationPlan.from_json(row.plan), row.created_by, row.created_at)
