"""The commands about the list of pictures."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from console_core.catalog.preview import Preview
from console_core.catalog.preview import preview as previewed
from console_core.cli.output import Json, show, told
from console_core.settings import catalog_location

catalog = typer.Typer(no_args_is_help=True, help="The list of pictures that there are.")


@catalog.callback()
def _topic() -> None:
    """Several commands, though there is one so far."""


@catalog.command()
def preview(
    location: Annotated[str, typer.Argument(help="A database URL, a CSV, TSV or Parquet file, a list, or a folder.")],
    table: Annotated[str, typer.Option("--table", help="The table or view of a database.")] = "",
    as_json: Json = False,
) -> None:
    """What is at a location, before it is the catalog: tables, columns, first rows, and what they probably mean."""
    with told():
        kind, place = catalog_location(location, Path.cwd())
        found = previewed(kind, place, table)
    show(asdict(found), as_json, _lines(found))


def _lines(found: Preview) -> list[str]:
    lines = [f"{found.location} ({found.kind})"]
    if found.tables and not found.table:
        lines += [f"  {one.name}  {one.kind}, {one.columns} columns" for one in found.tables]
    if found.columns:
        lines += ["", "Columns"]
        keys = {"yes": "can be the key", "perhaps": "can perhaps be the key", "no": "cannot be the key"}
        lines += [f"  {one.name}  {one.type}  {keys[one.key]}. {one.why}".rstrip() for one in found.columns]
    if found.rows:
        lines += ["", "First rows", *(f"  {' | '.join(row)}" for row in found.rows)]
    if found.proposal:
        lines += ["", "Proposed for console.toml", *_section(found)]
    return [*lines, *found.remarks]


def _section(found: Preview) -> list[str]:
    """The section as it could stand in console.toml."""
    guessed = found.proposal
    assert guessed is not None
    key = guessed.key[0] if len(guessed.key) == 1 else list(guessed.key)
    values = {
        "kind": found.kind,
        "location": found.location,
        "table": found.table,
        "key": key,
        "paths": list(guessed.paths),
        "updated_at": guessed.updated_at,
        "tenant": guessed.tenant,
    }
    return ["  [catalog]", *(f"  {name} = {_toml(value)}" for name, value in values.items() if value)]


def _toml(value: str | list[str]) -> str:
    """A text or a list of texts as TOML writes them, which is as JSON does."""
    return json.dumps(value, ensure_ascii=False)
