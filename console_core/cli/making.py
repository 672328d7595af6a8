"""The commands about a collection that is made before it is filled: make it, and look whether it is what was wanted."""

from dataclasses import asdict
from typing import Annotated

import typer

from console_core.cli.foreground import actor_of, opened
from console_core.cli.output import Json, finding_lines, show
from console_core.cli.tuning import AlwaysRam, Candidates, EdgesOfANode, Int8, Quantile, Quantization, tuning_of
from console_core.commands import command, refuse_low_role
from console_core.migration.checking import checked
from console_core.migration.making import Making, NewCollection, making

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be made; leave every byte as it is.")]
Like = Annotated[str, typer.Option(help="The alias or collection whose distance and settings it takes over.")]
Points = Annotated[int | None, typer.Option(min=0, help="How many points it must have.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (create, check):
        app.command()(function)


def create(
    collection: str,
    model: Annotated[str, typer.Option(help="The model that shall fill it.")],
    like: Like = "",
    m: EdgesOfANode = None,
    ef_construct: Candidates = None,
    int8: Int8 = False,
    quantization: Quantization = "",
    quantile: Quantile = None,
    always_ram: AlwaysRam = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make an empty collection with a model's dimension and stamp, for a migration to fill."""
    tuning = tuning_of(m, ef_construct, int8, quantization, quantile, always_ram)
    if dry_run:
        with opened(dry=True) as console:
            refuse_low_role(actor_of(console), "create_collection")
            found = making(console.preflight_parts(), NewCollection(collection, model, like, tuning))
    else:
        with opened(owner="embedding-console create") as console:
            asked = {"collection": collection, "model": model, "like": like, "tuning": tuning}
            found = command(console, actor_of(console), "create_collection", **asked)
    show({**found.as_json(), "dry_run": dry_run}, as_json, _lines(found, dry_run))
    if found.spec is None:
        raise typer.Exit(1)


def check(
    collection: str,
    model: Annotated[str, typer.Option(help="The model that it must be for.")] = "",
    like: Like = "",
    m: EdgesOfANode = None,
    ef_construct: Candidates = None,
    int8: Int8 = False,
    quantization: Quantization = "",
    quantile: Quantile = None,
    always_ram: AlwaysRam = False,
    points: Points = None,
    as_json: Json = False,
) -> None:
    """Read a collection back from the store, and say line by line what was expected and what is there."""
    tuning = tuning_of(m, ef_construct, int8, quantization, quantile, always_ram)
    with opened() as console:
        found = console.store.describe(collection)
        if model:
            console.models.check(model)  # `get` would download weights that are not here
        lines = checked(
            found,
            embedder=console.models.get(model) if model else None,
            like=console.store.describe(like) if like else None,
            tuning=tuning,
            points=points,
        )
    fits = all(line.fits for line in lines)
    document = {"collection": found.name, "fits": fits, "lines": [asdict(line) for line in lines]}
    show(document, as_json, [*map(str, lines), f"{found.name} is {'' if fits else 'not '}as expected."])
    if not fits:
        raise typer.Exit(1)


def _lines(found: Making, dry_run: bool) -> list[str]:
    done = "Would make" if dry_run else "Made"
    if found.spec is None:
        done = "Would not make"
    facts = [f"  {name}: {value}" for name, value in found.facts.items()]
    end = ["Nothing was written."] if dry_run else []
    return [*finding_lines(found.findings), f"{done} {found.asked.name}", *facts, *end]
