"""What is asked: words, a picture, or both, without what it is not to be; and the one vector that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from console_core.embedding.types import Embedder
from console_core.errors import Refused
from console_core.vectorstore.types import Vector

LONGEST = 2000
"""Characters of a text that is searched for; models read a few hundred at most."""
MOST_TERMS = 20
"""Texts that one question may turn away from."""
_FAINT = 1e-3
"""Length of a weighted sum, in lengths of its weights, below which it has no direction worth asking for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for. At least one of `text`, `like` and `picture` is given.

    `like` is a catalog key: the picture's vector is taken from each collection itself. `picture` is one that need not
    be in any, in mode RGB and upright. `without` are texts to turn away from. A weight says how much its part counts
    against the others; that of `without` is shared among its texts.
    """

    text: str = ""
    like: str = ""
    picture: Image.Image | None = None
    without: tuple[str, ...] = ()
    text_weight: float = 1.0
    like_weight: float = 1.0
    picture_weight: float = 1.0
    without_weight: float = 0.5

    @property
    def label(self) -> str:
        """What it asks, for people: "a red car + picture 12 - night"."""
        parts = [self.text.strip(), f"picture {self.like}" if self.like else "", "a picture" if self.picture else ""]
        asked = " + ".join(part for part in parts if part)
        return " - ".join([asked, *self._turned_from])

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that a model must embed: the one asked for first, then those to turn away from."""
        return (*([self.text.strip()] if self.text.strip() else []), *self._turned_from)

    @property
    def _turned_from(self) -> tuple[str, ...]:
        return tuple(text.strip() for text in self.without if text.strip())

    @property
    def needs_model(self) -> bool:
        """Whether a model has to embed anything; the vector of a catalog's picture is in the collection."""
        return bool(self.texts) or self.picture is not None

    def check(self) -> None:
        """Refuse a question that has no sense.

        Raises:
            Refused: nothing is searched for, too long a text, too many texts, or a weight that is none.
        """
        if not (self.text.strip() or self.like or self.picture):
            raise Refused("There is nothing to search for.", "Type a few words that describe a picture.")
        longest = max(map(len, self.texts), default=0)
        if longest > LONGEST:
            raise Refused(f"The text has {longest:,} characters.", f"Ask with at most {LONGEST:,}.")
        if len(self._turned_from) > MOST_TERMS:
            raise Refused(
                f"The question turns away from {len(self._turned_from)} texts.", f"Name at most {MOST_TERMS} of them."
            )
        weights = (self.text_weight, self.like_weight, self.picture_weight, self.without_weight)
        if not all(np.isfinite(weight) and 0 <= weight <= 100 for weight in weights):
            raise Refused("A weight is not a number from 0 to 100.", "Give each part a weight from 0 to 100.")


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one model made of a question's texts and of its picture; unit vectors, texts in the order of `texts`."""

    texts: tuple[Vector, ...] = ()
    picture: Vector | None = None


def embedded(question: Question, embedder: Embedder) -> Embedded:
    """What must be embedded of a question, in one batch of texts and one picture.

    Raises:
        ModelError: it embeds no text, or cannot be asked.
    """
    texts = embedder.embed_texts(list(question.texts)) if question.texts else ()
    picture: Vector | None = None
    if question.picture is not None:
        picture = embedder.embed_images([embedder.preprocessing.exact(question.picture)])[0]
    return Embedded(tuple(texts), picture)


def combined(question: Question, made: Embedded, stored: Callable[[str], Vector]) -> Vector:
    """The vector that a question asks with, shape (dimension,), float32, length 1.

    The weighted sum of the unit vectors of its parts, minus the mean of those to turn away from, laid back on the unit
    sphere: the vector arithmetic of Kiros, Salakhutdinov and Zemel (2014, "Unifying Visual-Semantic Embeddings").
    By cosine, that ranks pictures by the weighted sum of their similarities to the parts, less the similarity to
    what is turned away from. Nothing is shut out: pictures like that come later, if they come. One part alone is
    asked with as it is, to the last bit. `stored` gives the vector that the collection has of a catalog's picture.

    Raises:
        Refused: the parts cancel each other out.
    """
    wanted = 1 if question.text.strip() else 0
    parts: list[tuple[float, Vector]] = [(question.text_weight, made.texts[0])] if wanted else []
    if question.like:
        parts.append((question.like_weight, _unit(stored(question.like))))
    if made.picture is not None:
        parts.append((question.picture_weight, made.picture))
    turned_from = made.texts[wanted:]
    if turned_from:
        mean = np.asarray(np.mean(turned_from, axis=0, dtype=np.float64), dtype=np.float32)
        parts.append((-question.without_weight, mean))
    parts = [(weight, vector) for weight, vector in parts if weight]
    if len(parts) == 1 and parts[0][0] > 0:
        return parts[0][1]
    total = sum((weight * vector.astype(np.float64) for weight, vector in parts), np.zeros(1))
    length = float(np.linalg.norm(total))
    if not any(weight > 0 for weight, _ in parts) or length < _FAINT * sum(abs(weight) for weight, _ in parts):
        raise Refused(
            "The parts of the question cancel each other out: nothing is left to search for.",
            "Give what is searched for more weight, or turn away from less.",
        )
    return np.asarray(total / length, dtype=np.float32)


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length, dtype=np.float32) if length else vector
