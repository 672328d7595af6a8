"""Settings that another application keeps in its environment, taken over into a plan."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from console_core.console import Console
from console_core.errors import CollectionNotFound, Refused
from console_core.migration.dot_env import known_in, variables_of
from console_core.migration.importing import imported
from console_core.migration.variables import NAMES, Here, Imported

FromEnv = Annotated[
    Path | None, typer.Option("--from-env", help="A .env file with SIGLIP_MODEL_NAME, GPU_BATCH_SIZE and the like.")
]
FromEnvironment = Annotated[
    bool, typer.Option("--from-environment", help="The same variables, from this process's environment.")
]


def import_variables(
    console: Console, file: Path | None, from_environment: bool, *, alias: str, model: str, target: str
) -> Imported:
    """What the variables of a file, or else of the environment, mean for a migration of `alias`.

    Raises:
        Refused: one of them is wrong, or none is known; nothing is taken over.
        SettingsError: the file cannot be read.
    """
    if file is None and not from_environment:
        return Imported()
    found = known_in(variables_of(file) if file is not None else os.environ, NAMES)
    try:
        served = console.store.describe(alias)
    except CollectionNotFound:  # the preflight says so
        served = None
    told = imported(found, Here(console.models.cards, alias, served, console.settings.device, model, target))
    if told.wrong:
        raise Refused(
            "Nothing was taken over. " + " ".join(f"{one.name}={one.value}: {one.message}" for one in told.wrong),
            " ".join(f"{one.name}: {one.remedy}" for one in told.wrong),
        )
    if not told.answers:
        where = str(file) if file is not None else "The environment"
        raise Refused(f"{where} sets none of the variables that are known here.", f"Known: {', '.join(sorted(NAMES))}.")
    if not (told.model or model):
        raise Refused("No variable names a model.", "Set SIGLIP_MODEL_NAME or CLIP_MODEL_NAME, or say --to MODEL.")
    return told


def answers_json(told: Imported) -> dict[str, Any]:
    """What becomes of a document where variables were imported; nothing where none were."""
    plain = [{**asdict(one), "outcome": one.outcome.value} for one in told.answers]
    return {"imported": plain} if plain else {}
