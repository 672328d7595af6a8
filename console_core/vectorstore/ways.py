"""How a collection is to be searched: as always, or so that what its index and its quantization lose can be told."""

from enum import StrEnum


class Search(StrEnum):
    """A way to search. A store takes the nearest that it has: where nothing is quantized, or there is no index, several
    of them are one. An embedded `local:` store, and one that keeps vectors as bytes, compare every vector in each.
    """

    USUAL = "usual"
    """As the console searches: through the index, and what is found by rounded vectors is ranked by the whole ones."""
    EXACT = "exact"
    """Every whole vector is compared, whatever index and quantization there are. Slow for a large collection."""
    UNQUANTIZED = "unquantized"
    """Through the index, by whole vectors: what is lost is the index's alone. Where the only index is over rounded
    vectors, every whole one is compared."""
    WITHOUT_RESCORING = "without rescoring"
    """Through the index, and ranked by the rounded vectors: as an application searches that does not ask for more."""
