"""The model that shall embed: whether it can be loaded, and answers what its card promises."""

from collections.abc import Iterable, Iterator

from console_core.embedding.loaded import Models
from console_core.embedding.types import Embedder
from console_core.errors import ModelError
from console_core.migration.findings import Finding, Request, block, info, warn
from console_core.vectorstore.types import CollectionInfo

_PROBE = "a photo of a dog"


def look_at_model(models: Models, request: Request, findings: list[Finding]) -> Embedder | None:
    """The loaded model; None where it cannot be loaded from the files on this machine."""
    try:
        models.check(request.model)  # `get` would download weights that are not here
        embedder = models.get(request.model)
    except ModelError as error:
        findings.append(block("model", error.message, error.remedy))
        return None
    findings += _about_texts(embedder, request)
    findings.append(info("device", f"{embedder.card.title} runs on {embedder.device}."))
    return embedder


def _about_texts(embedder: Embedder, request: Request) -> Iterator[Finding]:
    title = embedder.card.title
    if not request.text_search:
        checked = "text search is not checked" if embedder.card.has_text else "it embeds no texts"
        yield info("image-only", f"{title} is wanted for search by picture only; {checked}.")
        return
    try:
        embedder.embed_texts([_PROBE])
    except ModelError as error:
        yield block(
            "no-text-tower",
            f"{title} cannot embed text, and search by text is wanted: {error.message}",
            "Choose a model with a text tower, or say that people search by picture only (--image-only).",
        )


def about_dimension(embedder: Embedder, answered: int) -> Iterator[Finding]:
    """Whether the vectors that the model made are as long as its card says."""
    card = embedder.card
    if answered != card.dimension:
        yield block(
            "model-dimension",
            f"{card.title} is recorded with {card.dimension:,} numbers a vector, and answers with {answered:,}.",
            f"Correct the card of {card.key}: its architecture and its weights do not belong together.",
        )


def about_former_weights(
    embedder: Embedder, request: Request, source: CollectionInfo | None, collections: Iterable[CollectionInfo]
) -> Iterator[Finding]:
    """Collections that were built by a model of the same name and another fingerprint."""
    ours = embedder.fingerprint.digest
    for one in collections:
        if source is not None and one.name == source.name:
            continue  # told with what else is told of the source
        if one.stamp and one.stamp.model == request.model and one.stamp.fingerprint != ours:
            yield warn(
                "weights-changed",
                f"{one.name} was made by {request.model} with the fingerprint {one.stamp.fingerprint}; it has "
                f"{ours} now: weights or preprocessing changed under the same name.",
                f"Check that these are the files that you want. {one.name} cannot be filled or searched by text with "
                "them.",
            )


def about_change(source: CollectionInfo, embedder: Embedder, request: Request) -> Iterator[Finding]:
    """What the model changes about the collection that is served."""
    if source.stamp and source.stamp.fingerprint == embedder.fingerprint.digest and not request.target:
        yield warn(
            "same-model",
            f"{source.name} was made by this very model; search would not change.",
            "Choose another model, or name the collection as the target to fill its gaps.",
        )
    if source.dimension != embedder.card.dimension:
        yield info("dimension", f"The dimension changes from {source.dimension} to {embedder.card.dimension}.")
