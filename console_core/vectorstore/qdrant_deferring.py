"""Leaving indexing to later on a Qdrant server: a threshold of 0, and the former one noted with the collection."""

from qdrant_client import models

from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore.qdrant_named_writing import FillsVectors


class DefersIndexing(FillsVectors):
    """The two calls of a `VectorStore` that are about indexing during a load."""

    def defer_index(self, name: str) -> None:
        """Nothing for a named vector: the threshold is that of the whole collection, and others are searched in it."""
        with self._alone:
            if self._vector(name) is not None:
                return
            aliases = self.aliases()
            name = aliases.get(name, name)
            config = self._raw(name).config
            if name in aliases.values():
                return
            if words.deferred_threshold(config.metadata) is None:
                threshold = config.optimizer_config.indexing_threshold
                if not threshold:  # its owner has switched indexing off, or the server does not tell
                    return
                self._note_threshold(name, threshold)
                if words.deferred_threshold(self._raw(name).config.metadata) != threshold:
                    return  # nothing else could restore it
            self._set_threshold(name, 0)

    def restore_index(self, name: str) -> None:
        """The server builds the index in the background: `status` is "green" once it stands."""
        with self._alone:
            place = self._vector(name)
            name = place.collection if place else self.aliases().get(name, name)
            config = self._raw(name).config
            threshold = words.deferred_threshold(config.metadata)
            if threshold is None:
                return
            if config.optimizer_config.indexing_threshold == 0:  # else somebody has chosen another one meanwhile
                self._set_threshold(name, threshold)
            self._note_threshold(name, None)

    def _note_threshold(self, name: str, threshold: int | None) -> None:
        metadata = words.with_deferred_threshold(self._raw(name).config.metadata, threshold)
        self._ask(lambda: self._client.update_collection(name, metadata=metadata), name=name)

    def _set_threshold(self, name: str, threshold: int) -> None:
        wanted = models.OptimizersConfigDiff(indexing_threshold=threshold)
        self._ask(lambda: self._client.update_collection(name, optimizers_config=wanted), name=name)
