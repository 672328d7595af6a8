"""What is migrated: the alias, the collection behind it, and whether its points are of one model."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from console_core.embedding.loaded import Models
from console_core.embedding.types import Embedder, Fingerprint, ModelCard
from console_core.errors import CollectionNotFound, ModelError
from console_core.migration.findings import Finding, Request, block, info, warn
from console_core.migration.preflight.in_place import about_in_place
from console_core.migration.preflight.parts import Parts
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.spread import spread
from console_core.vectorstore.types import CollectionInfo, VectorStore

UNIT = 1e-3
"""How far a length may be from 1 by rounding alone."""


def look_at_source(
    parts: Parts, request: Request, aliases: Mapping[str, str], findings: list[Finding]
) -> CollectionInfo | None:
    """The collection that is served now; None where there is none."""
    name = request.served
    try:
        source = parts.store.describe(name)
    except CollectionNotFound:
        known = ", ".join(sorted({*aliases, *aliases.values()})) or "none"
        findings.append(block("source-missing", f"There is no alias or collection {name}.", f"Choose one of: {known}."))
        return None
    findings += _about_alias(parts, request, source, aliases)
    findings += _about_collection(source)
    findings += about_points(parts.store, source)
    if (run := parts.ledger.holder(source.name)) is not None:
        text = f"Run {run.id} ({run.kind}, {run.state}) writes to {source.name}, which is served now."
        findings.append(warn("source-busy", text, "Let it end first, so that the two collections can be compared."))
    return source


def _about_alias(
    parts: Parts, request: Request, source: CollectionInfo, aliases: Mapping[str, str]
) -> Iterator[Finding]:
    name = request.served
    if name in aliases:
        if request.in_place:
            yield info("in-place-needless", f"{name} is an alias, so it is cut over, without a gap, and not recreated.")
        recorded = parts.moved_to(name)
        if recorded and recorded != source.name:
            yield warn(
                "alias-moved",
                f"{name} serves {source.name}, and the console's last recorded move of it led to {recorded}: somebody "
                "moved it elsewhere, or that move was not made.",
                "Look at who searches what on the Rollout page before you go on; that move cannot be rolled back.",
            )
    elif source.aliases:
        yield block(
            "alias-instead",
            f"{name} is served through the alias {source.aliases[0]}.",
            f"Migrate {source.aliases[0]}: the alias is what moves at cut-over.",
        )
    elif request.in_place:
        yield from about_in_place(parts, source)
    else:
        yield block(
            "no-alias",
            f"{name} is searched by its own name, so traffic cannot be moved: an alias cannot bear a "
            "collection's name.",
            "Introduce an alias for it and let the application search that, once; then migrate the alias. If it cannot "
            "search an alias, ask for the collection to be recreated in place (--in-place).",
        )


def _about_collection(source: CollectionInfo) -> Iterator[Finding]:
    if source.problem:
        remedy = "Migrate it into a collection with one vector a point first, or one of its named vectors alone."
        yield block("source-shape", source.problem, remedy)
    if source.stamp is None:
        yield warn(
            "source-unknown",
            f"{source.name} does not say which model made it, so it cannot be compared in the query lab.",
            "Stamp it on the Collections page if you know the model.",
        )
    if source.distance not in ("cosine", "dot"):
        yield warn(
            "distance",
            f"{source.name} measures {source.distance} distance; the new one measures cosine.",
            "Check that the application expects no distances where it will get similarities: higher is nearer.",
        )


def about_points(store: VectorStore, source: CollectionInfo) -> Iterator[Finding]:
    """A sample from everywhere in the collection: which models its points are of, and whether its vectors are sound."""
    models: Counter[str] = Counter()
    unsound = longer = 0
    for points in spread(store, source.name):
        models.update(made.fingerprint if (made := provenance(point.payload)) else "" for point in points)
        for vector in (point.vector for point in points):
            length = 0.0 if vector is None else float(np.linalg.norm(vector))
            unsound += not np.isfinite(length) or length == 0.0
            longer += bool(np.isfinite(length)) and length > 0 and abs(length - 1) > UNIT
    seen = models.total()
    unmarked = models.pop("", 0)
    own = source.stamp.fingerprint if source.stamp else (models.most_common(1) or [("", 0)])[0][0]
    foreign = {digest: number for digest, number in models.items() if digest != own}
    if foreign and len(models) == 1:
        (digest,) = models
        yield warn(
            "source-mixed",
            f"{source.name} is stamped as made by {own}, and its points say {digest}: {models[digest]:,} of {seen:,} "
            "sampled.",
            "Stamp it anew on the Collections page: the stamp decides by which model texts search it.",
        )
    elif foreign:
        told = ", ".join(f"{number:,} of {digest}" for digest, number in sorted(foreign.items()))
        yield warn(
            "source-mixed",
            f"{source.name} has points of several models: of {seen:,} points sampled, {told}, not of {own}.",
            "Searches of it compare what is not comparable. The new collection will be of one model; judge the two by "
            "pictures that the old one has right.",
        )
    if unmarked and models:
        yield info(
            "source-unmarked",
            f"{unmarked:,} of {seen:,} points sampled in {source.name} were written by something else than the "
            "console; which model made them is not recorded.",
        )
    if unsound:
        yield warn(
            "source-vectors",
            f"{unsound:,} of {seen:,} vectors sampled in {source.name} are zero or not finite, and are never found.",
            "They are embedded anew like all others; pictures that appear after cut-over may be these.",
        )
    if longer and source.distance == "dot":
        yield warn(
            "source-lengths",
            f"{longer:,} of {seen:,} vectors sampled in {source.name} are not of length 1, and its dot product ranks "
            "by length too; all new vectors have length 1.",
            "Expect other scores and another order; thresholds on scores in the application need another look.",
        )


def about_source_model(
    source: CollectionInfo, request: Request, embedder: Embedder, models: Models
) -> Iterator[Finding]:
    """Whether the model that is said to have made the collection is the one that is here under its name."""
    stamp = source.stamp
    if stamp is None or not stamp.model:
        return
    try:
        made, card = _looked_at(models, stamp.model) if stamp.model != request.model else _identity(embedder)
    except ModelError as error:
        yield warn(
            "source-model",
            f"{stamp.model}, which made {source.name}, cannot be loaded here: {error.message} Until it can, texts "
            "cannot search the old collection, in the query lab or after a rollback.",
            error.remedy,
        )
        return
    if made.digest != stamp.fingerprint:
        yield warn(
            "source-weights",
            f"{source.name} was made by {stamp.model} with the fingerprint {stamp.fingerprint}; {stamp.model} is here "
            f"with {made.digest}: its weights or preprocessing changed under the same name.",
            "Put the former files back under that name, and give the new ones another; until then texts cannot search "
            "the old collection, in the query lab or after a rollback.",
        )
    if card.dimension != source.dimension:
        yield warn(
            "source-dimension",
            f"{source.name} has vectors of {source.dimension:,} numbers and is stamped as made by {stamp.model}, which "
            f"makes {card.dimension:,}.",
            "Stamp it anew on the Collections page with the model that made it.",
        )


def _identity(embedder: Embedder) -> tuple[Fingerprint, ModelCard]:
    return embedder.fingerprint, embedder.card


def _looked_at(models: Models, key: str) -> tuple[Fingerprint, ModelCard]:
    """What a model is, without what it takes of memory afterwards where nobody else wants it."""
    models.check(key)
    before = key in models.resident()
    try:
        return _identity(models.get(key))
    finally:
        if not before:
            models.release(key)
