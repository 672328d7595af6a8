"""What a person can ask of the embedding column: to be filled, together with a collection."""

from collections.abc import Mapping, Sequence

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.types import Slice
from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.generate import GeneratePlan
from console_core.migration.generating import Forecast, forecast, plan_generation, submit_generation
from console_core.runs.types import Run

Where = Mapping[str, Sequence[str]]
"""Values by facet."""


def generate(
    console: Console, actor: Actor, *, into: str = "", model: str = "", where: Where | None = None, batch_size: int = 0
) -> Run:
    """Bring the pictures of a slice in step: embedded in the collection, and their vectors in the column."""
    embedding_column(console)
    plan = _plan(console, into, model, where, batch_size)
    if plan.makes:
        console.intakes.forget(plan.collection)  # what stands there is of a collection of that name which is gone
    return submit_generation(console.ledger, console.catalog, plan, actor.name)


def forecast_generation(
    console: Console, *, into: str = "", model: str = "", where: Where | None = None, batch_size: int = 0
) -> Forecast:
    """What `generate` would do. Nothing is changed, so that this is no command.

    Raises:
        Refused: as `generate`, or there is no embedding column.
        CatalogError, StoreError
    """
    column = embedding_column(console)
    plan = _plan(console, into, model, where, batch_size)
    return forecast(console.catalog, console.store, column, console.ledger.failed_among, plan)


def embedding_column(console: Console) -> EmbeddingColumn:
    """The column of the workspace.

    Raises:
        Refused: the settings name none.
    """
    if console.embedding_column is None:
        raise Refused(
            "The catalog has no embedding column.",
            'Name it in [catalog] of console.toml: embedding = "…" and embedding_model = "…".',
        )
    return console.embedding_column


def _plan(console: Console, into: str, model: str, where: Where | None, batch_size: int) -> GeneratePlan:
    part = Slice({facet: tuple(values) for facet, values in (where or {}).items()})
    return plan_generation(
        console.store,
        console.ledger,
        console.models.get,
        into=into,
        model=model,
        part=part,
        batch_size=batch_size,
    )
