"""The same question to several collections, each asked through the model that made it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

from console_core.embedding.types import Embedder
from console_core.errors import ConsoleError, FingerprintMismatch, ModelUnknown, NoTextTower, Refused
from console_core.querylab.answering import Asked, Sampling, answered
from console_core.querylab.answering import nearest as nearest
from console_core.querylab.comparison import Column, ColumnResult, Comparison, Models, Where
from console_core.querylab.question import Embedded, Question, combined, embedded
from console_core.querylab.remembered import Remembered
from console_core.querylab.shifts import agreement, shifts
from console_core.querylab.stored import vector_of
from console_core.vectorstore.types import CollectionInfo, Outline, VectorStore

MOST = 1000
"""The most answers a column can be asked for."""


def ask(
    store: VectorStore,
    models: Models,
    columns: Sequence[str | Column],
    question: str | Question,
    *,
    limit: int = 20,
    where: Where | None = None,
    samples: Sampling | None = None,
    remembered: Remembered | None = None,
) -> Comparison:
    """The pictures nearest to a text, or to what a `Question` says, in each column. Texts and an uploaded picture are
    embedded once per model; a question that is a catalog's picture only needs no model. That picture is left out of
    the answers. With `samples`, answers have their percentiles. With `remembered`, what was embedded lately is not
    embedded again, and took no time.

    What goes wrong in one column (no such collection, no recorded model, another fingerprint, no text tower, no such
    picture) is that column's `error`.

    Raises:
        Refused: there is nothing to search for, no column, or no sensible limit.
    """
    question = Question(question) if isinstance(question, str) else question
    question.check()
    made: dict[str, tuple[Embedded, float]] = {}

    def answer(info: CollectionInfo, column: Column) -> ColumnResult:
        parts, embed_ms = Embedded(), 0.0
        if question.needs_model:
            embedder = fitting_model(models, info, text=bool(question.texts))
            if embedder.card.key not in made:
                started = perf_counter()
                parts, known = (
                    remembered.of(question, embedder) if remembered else (embedded(question, embedder), False)
                )
                made[embedder.card.key] = parts, 0.0 if known else (perf_counter() - started) * 1000
            parts, embed_ms = made[embedder.card.key]
        vector = combined(question, parts, lambda key: vector_of(store, info, key))
        asked = Asked(vector, limit, where, column, leave_out=question.like)
        return replace(answered(store, info, asked, samples), embed_ms=embed_ms)

    return compare(store, columns, question.label, limit, answer)


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
    columns: Sequence[str | Column],
    query: str,
    limit: int,
    answer: Callable[[CollectionInfo, Column], ColumnResult],
) -> Comparison:
    """Asks every column, keeps each one's error to itself, and compares with the first that answered."""
    if not columns:
        raise Refused("No collection was chosen.", "Choose at least one collection or alias.")
    if not 1 <= limit <= MOST:
        raise Refused(f"{limit} is not a number of answers.", f"Ask for 1 to {MOST} answers.")
    asked = [Column(column) if isinstance(column, str) else column for column in columns]
    results = [_column(store, column, answer) for column in asked]
    reference = next((place for place, result in enumerate(results) if result.error is None), None)
    if reference is not None:
        ranking = results[reference].keys
        results = [
            result if place == reference or result.error else _against(ranking, result, limit)
            for place, result in enumerate(results)
        ]
    return Comparison(query=query, limit=limit, columns=tuple(results), reference=reference)


def _column(
    store: VectorStore, column: Column, answer: Callable[[CollectionInfo, Column], ColumnResult]
) -> ColumnResult:
    info: CollectionInfo | None = None
    model = ""
    try:
        info = store.describe(column.asked)
        model = info.stamp.model if info.stamp else ""
        result = answer(info, column)
    except ConsoleError as error:
        result = ColumnResult(asked=column.asked, error=error)
    return replace(result, asked=column.asked, collection=info, model=model, way=column.way, threshold=column.threshold)


def _against(reference: Sequence[str], result: ColumnResult, k: int) -> ColumnResult:
    moved = shifts(reference, result.keys)
    return replace(
        result,
        answers=tuple(replace(answer, shift=shift) for answer, shift in zip(result.answers, moved.hits, strict=True)),
        gone=moved.gone,
        agreement=agreement(reference, result.keys, k=k) if reference or result.keys else None,
    )
