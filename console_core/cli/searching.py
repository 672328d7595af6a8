"""The commands that ask a collection: its nearest pictures to a text or a picture, and pictures that it has twice."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from console_core.catalog.decoding import decode_question
from console_core.catalog.names import told
from console_core.cli.foreground import opened
from console_core.cli.output import Json, progress_bar, show
from console_core.errors import Refused
from console_core.querylab.duplicates import (
    LEAST,
    THRESHOLD,
    Duplicates,
    Group,
    groups_csv,
    groups_told,
    same_file,
    with_paths,
)
from console_core.querylab.filtering import NAMESPACE, where_of
from console_core.querylab.finding import TextOrPicture, search_one
from console_core.querylab.image_search import search_like

Namespace = Annotated[str | None, typer.Option("--namespace", help="Only points of this namespace.")]
WherePayload = Annotated[
    list[str] | None, typer.Option("--where", help="Only points with FIELD=VALUE in the payload; can be repeated.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (search, duplicates):
        app.command()(function)


def search(
    alias_or_collection: str,
    text: Annotated[str, typer.Argument(help="What to look for; leave it out with --image.")] = "",
    image: Annotated[Path | None, typer.Option("--image", help="A picture: what looks like it.")] = None,
    like: Annotated[str, typer.Option("--like", help="The catalog key of a picture: what looks like that.")] = "",
    namespace: Namespace = None,
    where: WherePayload = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 10,
    as_json: Json = False,
) -> None:
    """The nearest pictures to a text, or to a picture."""
    if bool(text) + (image is not None) + bool(like) != 1:
        raise typer.BadParameter("Give a text, a picture with --image, or a picture of the catalog with --like.")
    wanted = _where(where or (), namespace)
    with opened() as console:
        if like:
            hits = search_like(console.store, alias_or_collection, like, limit=limit, where=wanted)
        else:
            question: TextOrPicture = text if image is None else decode_question(_bytes(image), str(image))
            hits = search_one(console.store, console.models, alias_or_collection, question, limit=limit, where=wanted)
    lines = [f"{h['rank']:3}  {h['score']:.4f}  {h['id']}  {_said(h['payload'])}".rstrip() for h in hits]
    show(hits, as_json, lines or ["Nothing found."])


def duplicates(
    collection: str,
    threshold: Annotated[
        float, typer.Option(min=LEAST, max=1.0, help="From this cosine on two points are the same picture.")
    ] = THRESHOLD,
    namespace: Namespace = None,
    where: WherePayload = None,
    as_csv: Annotated[Path | None, typer.Option("--csv", help="Write the groups into this file too.")] = None,
    as_json: Json = False,
) -> None:
    """Pictures that a collection has more than once: points whose vectors are nearer than a threshold."""
    stopped: list[int] = []
    with opened() as console:
        looking = Duplicates(console.store, collection, threshold=threshold, where=_where(where or (), namespace))
        former = signal.signal(signal.SIGINT, lambda number, _frame: stopped.append(number))
        try:
            with progress_bar(f"Looking through {collection}") as advance:
                for looked_at, points in looking.steps():
                    advance(f"Looking through {collection}", looked_at / max(points, 1))
                    if stopped:
                        break
            groups = groups_told(console.store, looking.collection, looking.groups())
            found = list(with_paths(groups, console.rows))
        finally:
            signal.signal(signal.SIGINT, former)
    if as_csv is not None:
        _write(as_csv, found)
    document = {
        "collection": looking.collection,
        "threshold": threshold,
        "looked_at": looking.looked_at,
        "complete": not stopped,
        "groups": [_group(group) for group in found],
    }
    lines = [line for group in found for line in _group_lines(group)]
    surplus = sum(len(group) - 1 for group in found)
    lines.append(f"{len(found):,} pictures are there more than once, {surplus:,} times too often.")
    lines += [f"Stopped after {looking.looked_at:,} points; the others were not looked at."] if stopped else []
    show(document, as_json, lines)
    if stopped:
        raise typer.Exit(1)


def _group(group: Group) -> list[dict[str, Any]]:
    alike = same_file(group)
    return [
        {
            **{"id": one.id, "path": told(one.path), "cosine": one.cosine, "namespace": one.namespace},
            **{"key": told(one.key), "same_file": one.id in alike},
        }
        for one in group
    ]


def _group_lines(group: Group) -> list[str]:
    alike = same_file(group)
    return [*(f"{one.cosine:.4f}  {one.place}{'  (same file)' if one.id in alike else ''}" for one in group), ""]


def _where(given: Sequence[str], namespace: str | None) -> dict[str, list[Any]]:
    """Payload field → values; see `where_of`. A namespace is meant as it is written."""
    chosen: dict[str, list[str]] = {}
    for text in given:
        field, equals, value = text.partition("=")
        if not equals or not field:
            raise typer.BadParameter(f"{text!r} is not FIELD=VALUE.")
        chosen.setdefault(field, []).append(value)
    found = where_of(chosen)
    if namespace is not None:
        found.setdefault(NAMESPACE, []).insert(0, namespace)
    return found


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(
            f"{file} cannot be read: {error.strerror or error}.", "Name a picture that may be read."
        ) from error


def _said(payload: dict[str, Any]) -> str:
    return str(payload.get("caption") or "") or told(str(payload.get("path") or ""))


def _write(file: Path, found: list[Group]) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(groups_csv(found))
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror or error}.", "Name another file.") from error
