"""What is odd about a collection. Pure: `panels.findings` shows it."""

from collections.abc import Iterator, Sequence

from console_core.embedding.types import ModelCard
from console_core.migration.findings import Finding, block, info, warn
from console_core.rollout.records import Move
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.types import CollectionInfo, Point


def contradicts(collection: CollectionInfo, card: ModelCard | None) -> bool:
    """Whether the recorded model cannot have made the collection: it makes vectors of another dimension."""
    return card is not None and card.dimension != collection.dimension


def concerns(collection: CollectionInfo, card: ModelCard | None, moves: Sequence[Move]) -> Iterator[Finding]:
    """`card` is the recorded model's, None where none is recorded or it is not known here.

    `moves` are the latest moves of the collection's aliases, at most one each.
    """
    if collection.problem:
        yield block("shape", collection.problem, "It can be looked at here, but neither searched nor migrated.")
    if contradicts(collection, card):
        assert card is not None
        yield block(
            "dimension",
            f"{card.title} makes vectors of {card.dimension} numbers, but this collection has {collection.dimension}: "
            "that model cannot have made it, and every search with it fails.",
            "Record the model that made it.",
        )
    if collection.stamp and collection.stamp.model and card is None:
        yield warn(
            "model-unknown",
            f"Its model, {collection.stamp.model}, is not known here, so it can be neither searched nor verified.",
            "Add the model to console.toml, or record another one if that was wrong.",
        )
    for move in moves:
        if move.after != collection.name:
            yield warn(
                "moved-elsewhere",
                f"{move.alias} was last moved by this console to {move.after}, and yet it serves this collection: "
                "something else moved it.",
                "Make sure that the applications behind it ask with this collection's model.",
            )
    if collection.points == 0 and collection.aliases:
        yield warn("empty", "It is being searched, and it has no points.", "Fill it, or move its alias elsewhere.")
    if collection.distance not in ("cosine", "dot"):
        yield info("distance", f"It measures {collection.distance} distance; the models here are made for cosine.")


def strangers(collection: CollectionInfo, points: Sequence[Point]) -> int:
    """How many of these points another model made than the collection's."""
    if collection.stamp is None:
        return 0
    origins = (provenance(point.payload) for point in points)
    made_by = collection.stamp.fingerprint
    return sum(1 for origin in origins if origin is not None and origin.fingerprint not in ("", made_by))
