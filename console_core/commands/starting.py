"""The commands that begin migrations: one, or several that are built together."""

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.findings import Preflight, Request, Severity
from console_core.migration.plan import MigrationPlan
from console_core.migration.preflight import preflight, preflights
from console_core.migration.records import Migration
from console_core.runs.lifecycle import Submission
from console_core.runs.types import Lane, Run


@dataclass(frozen=True, slots=True)
class Started:
    """A migration that was begun, and its build run."""

    migration: Migration
    run: Run
    preflight: Preflight


def start_migration(console: Console, actor: Actor, *, request: Request) -> Started:
    return _start(console, actor, [preflight(console.preflight_parts(request.served), request)])[0]


def start_migrations(console: Console, actor: Actor, *, requests: Sequence[Request]) -> list[Started]:
    """Begin a migration for each of several models, as a convoy: each picture is decoded once for all of them."""
    _refuse_what_differs(requests)
    return _start(console, actor, preflights(console.preflight_parts(requests[0].served), requests))


def _start(console: Console, actor: Actor, found: Sequence[Preflight]) -> list[Started]:
    convoy = f"c-{secrets.token_hex(3)}" if len(found) > 1 else ""
    plans = [_together(plan, convoy, found[-1]) if convoy else plan for plan in _plans(found)]
    with ExitStack() as created:
        for plan in plans:
            if plan.target != plan.source:
                console.intakes.share(plan.target, plan.source, anew=not plan.fills)
        migrations = [created.enter_context(console.migrations.created(plan, actor.name)) for plan in plans]
        runs = console.ledger.submit_together(
            [
                Submission(
                    kind="reembed",
                    lane=Lane.ACCELERATOR,
                    title=plan.title,
                    target=plan.target,
                    spec=plan.as_json(),
                    actor=actor.name,
                    migration=migration.id,
                    selected=checked.selected,
                    writes=True,
                )
                for plan, migration, checked in zip(plans, migrations, found, strict=True)
            ]
        )
    return [Started(*parts) for parts in zip(migrations, runs, found, strict=True)]


def _together(plan: MigrationPlan, convoy: str, last: Preflight) -> MigrationPlan:
    """The plan of one of several; memory is stated for all of them, because nobody can tell whose it is."""
    return replace(plan, convoy=convoy, memory=last.need.memory if last.need else plan.memory)


def _plans(found: Sequence[Preflight]) -> list[MigrationPlan]:
    """The plans of all preflights.

    Raises:
        Refused: something blocks one of them.
    """
    blocking = {
        one.request.model: [finding for finding in one.findings if finding.severity is Severity.BLOCK]
        for one in found
        if one.plan is None
    }
    if blocking:
        said = {model: " ".join(one.message for one in findings) for model, findings in blocking.items()}
        remedies = dict.fromkeys(one.remedy for findings in blocking.values() for one in findings if one.remedy)
        raise Refused(
            " ".join(f"{model}: {text}" if len(found) > 1 else text for model, text in said.items() if text)
            or "The preflight made no plan.",
            " ".join(remedies) or "Mend what blocks, then start again.",
        )
    return [one.plan for one in found if one.plan is not None]


def _refuse_what_differs(requests: Sequence[Request]) -> None:
    """Migrations that are built together differ in their models, and in nothing that decides what is read."""
    models = [request.model for request in requests]
    if not requests:
        raise Refused("No model was named.", "Name at least one.")
    if len(set(models)) < len(models):
        raise Refused(f"A model is named twice: {', '.join(models)}.", "Name each model once.")
    alike = [replace(request, model="", target="", text_search=True) for request in requests]
    if any(one != alike[0] for one in alike):
        raise Refused(
            "Migrations that are built together migrate the same collection, slice and batch size.",
            "Start those that differ on their own.",
        )
