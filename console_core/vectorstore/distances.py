"""How near vectors are to a query, in each distance that a collection can have."""

import numpy as np
from numpy.typing import NDArray


def scores(rows: NDArray[np.float32], query: NDArray[np.float32], distance: str) -> NDArray[np.float32]:
    """A score for each row of shape (n, dimension), as `Hit.score` has it: the higher, the nearer.

    A row without a direction has the cosine 0 to everything.
    """
    found: NDArray[np.float32]
    match distance:
        case "cosine":
            lengths = np.linalg.norm(rows, axis=1)
            found = np.divide(rows @ query, lengths, out=np.zeros(len(rows), dtype=np.float32), where=lengths > 0)
        case "dot":
            found = rows @ query
        case "euclid":
            found = -np.linalg.norm(rows - query, axis=1)
        case _:
            found = -np.abs(rows - query).sum(axis=1)
    return found
