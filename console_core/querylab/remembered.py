"""What models made of questions that were asked lately, so that looking at an answer again embeds nothing again."""

import threading
from collections import OrderedDict
from hashlib import blake2b

from console_core.embedding.types import Embedder
from console_core.querylab.question import Embedded, Question, embedded

MOST = 200
"""Questions that are remembered, each for one model: 800 kB where vectors have 1,000 numbers and questions one part."""

_Key = tuple[str, tuple[str, ...], bytes]


class Remembered:
    """Embedded parts of questions by model, texts and pixels. Weights and filters are no part of that.

    A model is known by its fingerprint, which says everything that moves a vector. Safe to use from several threads.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._made: OrderedDict[_Key, Embedded] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, question: Question, embedder: Embedder) -> tuple[Embedded, bool]:
        """What a model made of a question, and whether it is remembered.

        Raises:
            ModelError: it embeds no text, or cannot be asked.
        """
        pixels = b""
        if question.picture is not None:
            size = repr(question.picture.size).encode()
            pixels = blake2b(size + question.picture.tobytes(), digest_size=20).digest()
        key = (embedder.fingerprint.digest, question.texts, pixels)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key], True
        made = embedded(question, embedder)
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made, False
