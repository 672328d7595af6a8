"""From settings to a catalog."""

from pathlib import Path

from console_core.catalog.points import ListedPoints
from console_core.catalog.types import ImageCatalog
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogSettings


def open_catalog(
    settings: CatalogSettings, *, cache: Path | None = None, points: ListedPoints | None = None, dry: bool = False
) -> ImageCatalog:
    """The catalog that the settings describe.

    What is read of a file is kept below `cache`, where files may be deleted at any time; `dry`, or without it, nothing
    is written. `points` are the store's, for a catalog that is one of its collections.

    Raises:
        CatalogUnavailable: it cannot be read.
        CatalogInvalid: it can, but not as configured.
    """
    kept = cache / "catalogs" if cache is not None else None
    match settings.kind:
        case "sql":
            from console_core.catalog.sql import SqlCatalog

            return SqlCatalog(settings)
        case "table":
            from console_core.catalog.table import TableCatalog

            return TableCatalog(settings, kept, dry=dry)
        case "folder":
            from console_core.catalog.folder import FolderCatalog

            return FolderCatalog(Path(settings.location), recursive=settings.recursive)
        case "list":
            from console_core.catalog.image_list import ImageListCatalog

            return ImageListCatalog(Path(settings.location), kept, dry=dry)
        case "collection":
            from console_core.catalog.collection import CollectionCatalog

            if points is None:
                raise CatalogInvalid("There is no store whose collection could be a catalog.", "Open the workspace.")
            return CollectionCatalog(settings, points)
