"""What is asked for with a migration on the command line, and how a plan is told."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from console_core.cli.output import finding_lines
from console_core.migration.findings import Preflight, Request
from console_core.vectorstore.tuning import index_text, quantization_text

To = Annotated[str, typer.Option("--to", help="The target model; where variables are imported, they may name it.")]
IntoTarget = Annotated[
    str, typer.Option("--target", help="The new collection; an empty one that was prepared, or one to be completed.")
]


def must_name_a_model(to: str, from_env: Path | None, from_environment: bool) -> None:
    """Before anything is opened.

    Raises:
        typer.BadParameter: no model is named, and nothing that could name one.
    """
    if not to and from_env is None and not from_environment:
        raise typer.BadParameter("Name the target model, or import it with --from-env.", param_hint="'--to'")


def requests_of(first: Request, also: Sequence[str] | None) -> list[Request]:
    """One for each model; a name that was chosen is for the first model's collection."""
    return [first, *(replace(first, model=model, target="") for model in also or ())]


def plan_lines(found: Preflight) -> list[str]:
    """A preflight for people."""
    lines = finding_lines(found.findings)
    where = f"{found.target}, in {found.request.mode} mode"
    lines.append(f"{found.to_embed:,} of {found.selected:,} pictures into {where}")
    if (plan := found.plan) is not None and (plan.index or plan.quantization):
        lines.append(f"index: {index_text(plan.index)}; quantization: {quantization_text(plan.quantization)}")
    if found.estimate:
        low, high = found.estimate.seconds
        lines.append(f"about {low:,.0f} to {high:,.0f} s, {found.estimate.bytes / 1e6:,.0f} MB")
    return lines
