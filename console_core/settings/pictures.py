"""Which pictures there are: [catalog]."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from console_core.errors import SettingsError
from console_core.settings.places import database_url, path_of
from console_core.settings.section import FILE, Section
from console_core.settings.types import CatalogKind, CatalogSettings

CATALOG = ("kind", "location", "table", "key", "paths", "payload", "facets", "updated_at", "recursive")


def catalog_settings(section: Section, workspace: Path, environment: Mapping[str, str]) -> CatalogSettings:
    given = environment.get("CONSOLE_CATALOG_URL", "")
    location = given or section.text("location", "images")
    kind = (not given and section.text("kind")) or _guess_kind(location, workspace)
    if kind not in ("sql", "folder", "list"):
        raise SettingsError(f'[catalog] kind = "{kind}" is not known.', "Use sql, folder or list.")
    if kind == "sql" and not section.text("table"):
        raise SettingsError(
            f"[catalog] in {workspace / FILE} names no table.", 'Add table = "…" with the table or view of pictures.'
        )
    return CatalogSettings(
        kind=cast(CatalogKind, kind),
        location=database_url(workspace, location) if kind == "sql" else str(path_of(workspace, location)),
        table=section.text("table"),
        key=section.text("key", "id"),
        **{name: section.texts(name) for name in ("paths", "payload", "facets")},
        updated_at=section.text("updated_at"),
        recursive=section.truth("recursive", True),
    )


def _guess_kind(location: str, workspace: Path) -> str:
    if "://" in location:
        return "sql"
    path = path_of(workspace, location)
    return "list" if path.is_file() or (path.suffix in (".txt", ".csv", ".list") and not path.is_dir()) else "folder"
