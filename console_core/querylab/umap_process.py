"""UMAP in a process of its own: it needs half a minute of Python's time, for which no page would be answered, and finds
modules of the screen's folder in the place of its own where it is imported beside Streamlit."""

import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from console_core.errors import Refused
from console_core.own_process import connected


def flattened(vectors: Sequence[NDArray[np.float32]], seed: int) -> list[NDArray[np.float64]]:
    """Each array's rows in two dimensions (McInnes, Healy and Melville, "UMAP", 2018), by cosine; the same for the same
    vectors and seed.

    Raises:
        Refused: the process could not be started, or ended without an answer.
    """
    try:
        process, connection = connected("console_core.querylab.umap_process")
    except OSError as error:
        raise Refused("UMAP could not be started.", "Choose PCA, or free memory on the server.") from error
    with process, connection:
        try:
            connection.send((list(vectors), seed))
            found: list[NDArray[np.float64]] = connection.recv()
        except (EOFError, OSError) as error:
            raise Refused("UMAP ended without a map.", "The server's log says why. PCA needs nothing of it.") from error
        finally:
            process.kill()
    return found


def _answer(connection: Connection) -> None:
    from umap import UMAP

    vectors, seed = connection.recv()
    connection.send(
        [
            np.asarray(
                UMAP(n_components=2, metric="cosine", random_state=seed, n_jobs=1).fit_transform(rows), dtype=np.float64
            )
            for rows in vectors
        ]
    )


if __name__ == "__main__":
    os.nice(10)
    _answer(Connection(int(sys.argv[1])))  # open until the process ends, so that what went wrong is told before
