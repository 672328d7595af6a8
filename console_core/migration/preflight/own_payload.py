"""A catalog that is a collection of the store, beside the collections that a migration is about."""

from collections.abc import Iterator

from console_core.catalog.types import ImageCatalog
from console_core.errors import CatalogError
from console_core.migration.findings import Finding, block, info
from console_core.vectorstore.types import CollectionInfo


def about_own_payload(
    catalog: ImageCatalog, served: str, source: CollectionInfo | None, target: str
) -> Iterator[Finding]:
    """Whether pictures could get lost because the list of them is in the store itself."""
    try:
        told = catalog.info()
    except CatalogError:  # which is told by whoever reads the catalog
        return
    if told.kind != "collection":
        return
    listed = told.details["collection"]
    if listed == target:
        yield block(
            "catalog-target",
            f"The catalog is {target}, the collection that is to be built: what it lacks would be on no list.",
            "Give the new collection another name, or name another catalog in [catalog] of console.toml.",
        )
    elif source is not None and listed == source.name and told.location != served:
        yield block(
            "catalog-pinned",
            f"The catalog is {told.location}, which stays with {source.name} at the cut-over: what applications write "
            f"to {served} afterwards would be in no catalog, and be deleted as if its pictures were gone.",
            f'Set location = "{served}" in [catalog] of console.toml: that leads to the new collection then.',
        )
    elif source is not None and listed == source.name:
        yield info(
            "catalog-moves",
            f"The catalog is what {served} serves: from the cut-over on that is the new collection. A picture that "
            f"fails is on no list any more then; {source.name} keeps its point, and rolling back brings it back.",
            f"Mend and retry what fails before you cut over, and in any case before {source.name} is retired.",
        )
