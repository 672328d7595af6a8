"""From settings to a catalog."""

from pathlib import Path

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.types import ImageCatalog
from console_core.settings import CatalogSettings


def open_catalog(settings: CatalogSettings) -> ImageCatalog:
    """The catalog that the settings describe.

    Raises:
        CatalogUnavailable: it cannot be read.
        CatalogInvalid: it can, but not as configured.
    """
    match settings.kind:
        case "sql":
            from console_core.catalog.sql import SqlCatalog

            return SqlCatalog(settings)
        case "folder":
            from console_core.catalog.folder import FolderCatalog

            return FolderCatalog(Path(settings.location), recursive=settings.recursive)
        case "list":
            from console_core.catalog.image_list import ImageListCatalog

            return ImageListCatalog(Path(settings.location))


def open_column(settings: CatalogSettings) -> EmbeddingColumn | None:
    """The column that keeps the vectors of a catalog's pictures; None where the settings name none.

    Raises:
        CatalogUnavailable: it cannot be read.
        CatalogInvalid: it can, but not as configured.
    """
    return EmbeddingColumn(settings) if settings.embedding else None
