"""One question to one collection, as an application asks it: a text or a picture, and the nearest points."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from PIL import Image

from console_core.embedding.types import Embedder
from console_core.errors import CollectionNotFound, DimensionMismatch, Refused
from console_core.querylab.answering import nearest
from console_core.querylab.comparison import Answer, Models, Where
from console_core.querylab.question import LONGEST as LONGEST
from console_core.querylab.search import MOST, fitting_model
from console_core.vectorstore.types import Outline, Vector, VectorStore

TextOrPicture = str | Image.Image
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """The answers of `collection`, which `asked` led to, best first; `took_ms` is all the time from the question on."""

    asked: str
    collection: Outline
    answers: tuple[Answer, ...]
    took_ms: float


def find(
    store: VectorStore,
    models: Models,
    asked: str,
    question: TextOrPicture,
    *,
    limit: int = 10,
    where: Where | None = None,
) -> Found:
    """The points of a collection or alias that are nearest to a text, or to a picture in mode RGB.

    Where an alias leads is looked up once; the question is embedded by the model that made that very collection, and
    asked of it by its real name. So a cut-over meanwhile never has one model's vectors asked for with another's. Where
    the collection vanished, or its name passed to another one, before it was asked, all of that is done again.

    Raises:
        Refused: there is nothing to search for, too long a text, or no sensible limit.
        ModelError: the collection's model is not known, cannot be loaded, or embeds no text.
        FingerprintMismatch: it is another one by now than that which made the collection.
        StoreError
    """
    started = perf_counter()
    _refuse(question, limit)
    for tries_left in reversed(range(_TRIES)):
        info = store.outline(asked)
        embedder = fitting_model(models, info, text=isinstance(question, str))
        vector = _embedded(embedder, question)
        try:
            column = nearest(store, info, vector, limit, where)
        except (CollectionNotFound, DimensionMismatch):
            if not tries_left or not _moved(store, asked, info):
                raise
            continue
        if info.name not in store.aliases():  # else its name was another collection's by the time it was asked
            return Found(asked, info, column.answers, (perf_counter() - started) * 1000)
    raise Refused(f"The name {asked} passes from collection to collection.", "Ask again in a moment.")


def search_one(
    store: VectorStore,
    models: Models,
    name: str,
    question: TextOrPicture,
    *,
    limit: int = 10,
    where: Where | None = None,
) -> list[dict[str, Any]]:
    """The answers of `find` as plain data: `[{rank, id, score, payload}]`, payloads as the application has them."""
    return plain(find(store, models, name, question, limit=limit, where=where).answers)


def plain(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Answers as plain data: `[{rank, id, score, payload}]`."""
    return [
        {"rank": answer.rank, "id": answer.id, "score": answer.score, "payload": dict(answer.payload)}
        for answer in answers
    ]


def _refuse(question: TextOrPicture, limit: int) -> None:
    if isinstance(question, str) and not question.strip():
        raise Refused("There is nothing to search for.", "Type a few words that describe a picture.")
    if isinstance(question, str) and len(question) > LONGEST:
        raise Refused(f"The text has {len(question):,} characters.", f"Ask with at most {LONGEST:,}.")
    if not 1 <= limit <= MOST:
        raise Refused(f"{limit} is not a number of answers.", f"Ask for 1 to {MOST} answers.")


def _moved(store: VectorStore, asked: str, info: Outline) -> bool:
    """Whether what was asked leads elsewhere than a moment ago."""
    aliases = store.aliases()
    return info.name in aliases or aliases.get(asked, asked) != info.name


def _embedded(embedder: Embedder, question: TextOrPicture) -> Vector:
    if isinstance(question, str):
        vector: Vector = embedder.embed_texts([question.strip()])[0]
    else:
        vector = embedder.embed_images([embedder.preprocessing.exact(question)])[0]
    return vector
