"""What is odd in a former collection when it begins to be kept in step: noted, so that it is left as it was."""

from collections.abc import Iterator
from itertools import islice

from console_core.following.comparing import PAGE, Comparison
from console_core.vectorstore.paging import pages


def take_stock(comparison: Comparison) -> Iterator[None]:
    """Accept gaps, orphans and points that do not say their revision, page by page. Doing it again does no harm.

    Raises:
        CollectionNotFound, StoreError, CatalogError
    """
    follows, follow = comparison.follows, comparison.follow
    rows = comparison.catalog.rows(follow.part)
    while page := list(islice(rows, PAGE)):
        follows.accept(follow.id, comparison.oddities(page))
        yield
    for points in pages(comparison.store, follow.collection, size=PAGE):
        follows.accept(follow.id, comparison.orphans(points))
        yield
    follows.took_stock(follow.id)
