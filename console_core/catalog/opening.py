"""From settings to a catalog, and to the pictures that it lists. An adapter comes with its first use."""

from pathlib import Path

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.local_files import MEBIBYTE, LocalFiles
from console_core.catalog.mixed_images import MixedImages
from console_core.catalog.points import ListedPoints
from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.errors import CatalogInvalid, SettingsError
from console_core.settings import CatalogSettings, ImageSettings

CATALOGS = "catalogs"
"""The folder of the workspace's cache with what was read of files."""


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
    kept = cache / CATALOGS if cache is not None else None
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


def open_column(settings: CatalogSettings) -> EmbeddingColumn | None:
    """The column that keeps the vectors of a catalog's pictures; None where the settings name none.

    Raises:
        CatalogUnavailable: it cannot be read.
        CatalogInvalid: it can, but not as configured.
    """
    return EmbeddingColumn(settings) if settings.embedding else None


def open_images(settings: ImageSettings) -> ImageStore:
    """The image store of the settings' roots; no server is asked yet.

    Raises:
        SettingsError: a root cannot be used, or what reads from its kind of server is not installed.
    """
    kinds = list(dict.fromkeys(map(_kind, settings.roots)))
    stores = {kind: _images(kind, settings) for kind in kinds}
    if kinds in ([], ["folder"]):
        return _images("folder", settings)
    schemes = {"folder": ("",), "http": ("http", "https"), "s3": ("s3",)}
    return MixedImages({scheme: store for kind, store in stores.items() for scheme in schemes[kind]})


def _kind(root: str) -> str:
    scheme, colon, _ = root.partition("://")
    return scheme.replace("https", "http") if colon else "folder"


def _images(kind: str, settings: ImageSettings) -> ImageStore:
    try:
        match kind:
            case "http":
                from console_core.catalog.http_source import HttpSource
                from console_core.catalog.remote_files import RemoteFiles

                return RemoteFiles(HttpSource, settings)
            case "s3":
                from console_core.catalog.remote_files import RemoteFiles
                from console_core.catalog.s3_source import S3Source

                return RemoteFiles(S3Source, settings)
    except ImportError as error:
        raise SettingsError(
            f"Pictures from http and S3 servers need aiohttp and obstore, which cannot be loaded: {error}.",
            "Install them where the console runs: pip install 'embedding-console[remote]'.",
        ) from error
    return LocalFiles(settings.folders, settings.largest * MEBIBYTE)
