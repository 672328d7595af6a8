"""The index of a collection, built while whoever wants it goes on giving signs of life."""

from collections.abc import Iterator
from concurrent.futures import Future, wait
from threading import Thread

from console_core.vectorstore.types import VectorStore

LOOK = 1.0
"""Seconds between two looks whether the index stands."""


def restoring(store: VectorStore, collection: str) -> Iterator[None]:
    """Put the index settings of a collection in force again; yields again and again until its index stands.

    A store that builds in the background is not waited for. Whoever stops asking leaves a build that has begun to
    itself: it goes on to its end, and a later call waits for it instead of beginning another one.

    Raises:
        StoreError: as `VectorStore.restore_index`.
    """
    restored: Future[None] = Future()

    def restore() -> None:
        try:
            store.restore_index(collection)
        except BaseException as error:
            restored.set_exception(error)
        else:
            restored.set_result(None)

    # A daemon: nobody waits at the end of the process for what the store does by itself.
    Thread(target=restore, name=f"the index of {collection}", daemon=True).start()
    while not wait([restored], LOOK).done:
        yield
    restored.result()
