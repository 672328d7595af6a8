"""Where a picture stands in a column that does not have it among its answers."""

from contextlib import suppress

import numpy as np

from console_core.errors import ConsoleError
from console_core.querylab.answering import Sampling
from console_core.querylab.comparison import ColumnResult
from console_core.querylab.stored import vector_of
from console_core.vectorstore.distances import scores
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import VectorStore


def percentile_of(store: VectorStore, result: ColumnResult, key: str, samples: Sampling) -> float | None:
    """The percentile, 0 to 100, of the picture of a catalog key for the question that a column answered; None where the
    column has no sample, or no usable vector of that picture."""
    info = result.collection
    if info is None or result.vector is None:
        return None
    with suppress(ConsoleError):
        sample = samples(info)
        vector = np.asarray(vector_of(store, info, key), dtype=np.float32)[np.newaxis]
        if sample is not None and vector.shape[1] == info.dimension:
            score = float(scores(vector, result.vector, sample.distance)[0])
            return sample.percentiles(result.vector, [(point_id(key), score)])[0]
    return None
