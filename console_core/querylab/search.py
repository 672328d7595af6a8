"""The same question to several collections, each asked through the model that made it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from time import perf_counter

from console_core.embedding.types import Embedder
from console_core.errors import ConsoleError, FingerprintMismatch, ModelUnknown, NoTextTower, Refused
from console_core.querylab.comparison import Answer, ColumnResult, Comparison, Models, Where
from console_core.querylab.shifts import agreement, shifts
from console_core.vectorstore.provenance import application_payload, picture_key
from console_core.vectorstore.types import CollectionInfo, Hit, Outline, Vector, VectorStore

MOST = 1000
"""The most answers a column can be asked for."""


def ask(
    store: VectorStore,
    models: Models,
    columns: Sequence[str],
    text: str,
    *,
    limit: int = 20,
    where: Where | None = None,
) -> Comparison:
    """The pictures nearest to a text in each collection or alias. The text is embedded once per model.

    What goes wrong in one column (no such collection, no recorded model, another fingerprint, no text tower) is that
    column's `error`.

    Raises:
        Refused: there is no text, no column, or no sensible limit.
    """
    text = text.strip()
    if not text:
        raise Refused("There is nothing to search for.", "Type a few words that describe a picture.")
    embedded: dict[str, tuple[Vector, float]] = {}

    def answer(info: CollectionInfo) -> ColumnResult:
        embedder = fitting_model(models, info)
        if embedder.card.key not in embedded:
            embedded[embedder.card.key] = _embedded(embedder, text)
        vector, embed_ms = embedded[embedder.card.key]
        return replace(nearest(store, info, vector, limit, where), embed_ms=embed_ms)

    return compare(store, columns, text, limit, answer)


def fitting_model(models: Models, info: CollectionInfo | Outline, *, text: bool = True) -> Embedder:
    """The loaded model that made a collection, and no other; `text` says that it is to embed one, and a model that
    embeds none is then not even loaded.

    Raises:
        ModelUnknown: the collection does not say which model made it, or there is no such model.
        ModelNotLoadable: there is, but it cannot be loaded.
        FingerprintMismatch: it was made by other weights, preprocessing or text handling than those loaded.
        NoTextTower: it is to embed a text and cannot.
    """
    stamp = info.stamp
    if stamp is None:
        raise ModelUnknown(
            f'Nothing says which model made the collection "{info.name}".',
            "Stamp it with its model on the Collections page; asking it through a guess would give wrong answers.",
        )
    if text and not models.cards.embeds_text(stamp.model):
        raise NoTextTower(
            f'The collection "{info.name}" cannot be searched by text: {stamp.model} embeds pictures only.',
            "Pick a picture and search for others like it.",
        )
    embedder = models.get(stamp.model)
    if embedder.fingerprint.digest != stamp.fingerprint:
        raise FingerprintMismatch(
            f'The collection "{info.name}" was made by {stamp.model} with fingerprint {stamp.fingerprint}, '
            f"but the model loaded here has {embedder.fingerprint.digest}.",
            "Re-embed the collection, load the weights that made it, or stamp it anew if the record is wrong.",
        )
    return embedder


def compare(
    store: VectorStore,
    columns: Sequence[str],
    query: str,
    limit: int,
    answer: Callable[[CollectionInfo], ColumnResult],
) -> Comparison:
    """Asks every column, keeps each one's error to itself, and compares with the first that answered."""
    if not columns:
        raise Refused("No collection was chosen.", "Choose at least one collection or alias.")
    if not 1 <= limit <= MOST:
        raise Refused(f"{limit} is not a number of answers.", f"Ask for 1 to {MOST} answers.")
    results = [_column(store, asked, answer) for asked in columns]
    reference = next((place for place, result in enumerate(results) if result.error is None), None)
    if reference is not None:
        ranking = results[reference].keys
        results = [
            result if place == reference or result.error else _against(ranking, result, limit)
            for place, result in enumerate(results)
        ]
    return Comparison(query=query, limit=limit, columns=tuple(results), reference=reference)


def nearest(
    store: VectorStore, info: CollectionInfo | Outline, vector: Vector, limit: int, where: Where | None
) -> ColumnResult:
    """The answers of one collection to a vector."""
    started = perf_counter()
    hits = store.search(info.name, vector, limit=limit, where=where)
    elapsed = _ms_since(started)
    sound = [hit for hit in hits if isfinite(hit.score)]
    return ColumnResult(asked=info.name, answers=answers(sound), search_ms=elapsed, note=_note(len(hits) - len(sound)))


def answers(hits: Sequence[Hit]) -> tuple[Answer, ...]:
    """Hits as ranked answers."""
    return tuple(
        Answer(rank, picture_key(hit.id, hit.payload), hit.id, hit.score, application_payload(hit.payload))
        for rank, hit in enumerate(hits, start=1)
    )


def _embedded(embedder: Embedder, text: str) -> tuple[Vector, float]:
    started = perf_counter()
    vector: Vector = embedder.embed_texts([text])[0]
    return vector, _ms_since(started)


def _column(store: VectorStore, asked: str, answer: Callable[[CollectionInfo], ColumnResult]) -> ColumnResult:
    info: CollectionInfo | None = None
    model = ""
    try:
        info = store.describe(asked)
        model = info.stamp.model if info.stamp else ""
        return replace(answer(info), asked=asked, collection=info, model=model)
    except ConsoleError as error:
        return ColumnResult(asked=asked, collection=info, model=model, error=error)


def _against(reference: Sequence[str], result: ColumnResult, k: int) -> ColumnResult:
    moved = shifts(reference, result.keys)
    return replace(
        result,
        answers=tuple(replace(answer, shift=shift) for answer, shift in zip(result.answers, moved.hits, strict=True)),
        gone=moved.gone,
        agreement=agreement(reference, result.keys, k=k),
    )


def _note(unsound: int) -> str:
    if not unsound:
        return ""
    points = "1 point" if unsound == 1 else f"{unsound} points"
    return f"{points} without a finite score left out: verify this collection."


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
