"""Which pictures there are and where they lie: [catalog] and [images]."""

import os
from collections.abc import Mapping
from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings.places import database_url, path_of
from console_core.settings.section import FILE, Section
from console_core.settings.types import CATALOG_KINDS, CatalogKind, CatalogSettings

CATALOG = ("kind", "location", "table", "key", "paths", "payload", "facets", "updated_at", "tenant", "recursive")
IMAGES = ("root", "also")
_TABLES = (".tsv", ".tab", ".parquet", ".pq")
_LISTS = (".txt", ".csv", ".list")


def catalog_settings(section: Section, workspace: Path, environment: Mapping[str, str]) -> CatalogSettings:
    given = environment.get("CONSOLE_CATALOG_URL", "")
    location = given or section.text("location", "images")
    paths = section.texts("paths")
    kind = _kind((not given and section.text("kind")) or kind_of(location, workspace, names_columns=bool(paths)))
    if kind == "sql" and not section.text("table"):
        raise SettingsError(
            f"[catalog] in {workspace / FILE} names no table.", 'Add table = "…" with the table or view of pictures.'
        )
    return CatalogSettings(
        kind=kind,
        location=_location(kind, location, workspace),
        table=section.text("table"),
        key=section.text_or_texts("key", "id"),
        paths=paths,
        payload=section.texts("payload"),
        facets=section.texts("facets"),
        updated_at=section.text("updated_at"),
        recursive=section.truth("recursive", True),
        tenant=section.text("tenant"),
    )


def kind_of(location: str, workspace: Path, *, names_columns: bool = False) -> CatalogKind:
    """The kind of catalog that a location tells. A CSV file whose columns are named is a table, else an image list."""
    if "://" in location:
        return "sql"
    path = path_of(workspace, location)
    ending = path.suffix.lower()
    if path.is_dir():
        return "folder"
    if ending in _TABLES or (ending == ".csv" and names_columns):
        return "table"
    return "list" if path.is_file() or ending in _LISTS else "folder"


def image_roots(
    section: Section, workspace: Path, environment: Mapping[str, str], catalog: CatalogSettings
) -> tuple[Path, ...]:
    """The configured folders, and the one that a folder catalog or an image list lies in; a table's own where none is
    configured."""
    given = environment.get("CONSOLE_IMAGE_ROOT")
    usual = str(Path(catalog.location).parent) if catalog.kind == "table" else "images"
    texts = given.split(os.pathsep) if given else [section.text("root", usual), *section.texts("also")]
    roots = [path_of(workspace, text) for text in texts if text]
    if catalog.kind in ("folder", "list"):
        location = Path(catalog.location)
        roots.append(location if catalog.kind == "folder" else location.parent)
    return tuple(dict.fromkeys(roots))


def _kind(text: str) -> CatalogKind:
    for kind in CATALOG_KINDS:
        if kind == text:
            return kind
    raise SettingsError(f'[catalog] kind = "{text}" is not known.', f"Use one of: {', '.join(CATALOG_KINDS)}.")


def _location(kind: CatalogKind, text: str, workspace: Path) -> str:
    match kind:
        case "sql":
            return database_url(workspace, text)
        case "collection":
            return text
        case _:
            return str(path_of(workspace, text))


def catalog_location(text: str, folder: Path) -> tuple[CatalogKind, str]:
    """The kind and the location that a text means where a CSV file is taken for a table; paths start from `folder`.

    Raises:
        SettingsError: it is no path.
    """
    kind = kind_of(text, folder, names_columns=True)
    return kind, _location(kind, text, folder)
