"""Which pictures there are: [catalog]."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from console_core.errors import SettingsError
from console_core.settings.places import database_url, path_of
from console_core.settings.section import FILE, Section
from console_core.settings.types import CatalogKind, CatalogSettings

CATALOG = (
    *("kind", "location", "table", "key", "paths", "payload", "facets", "updated_at", "recursive"),
    *("embedding", "embedding_model"),
)


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
    _check_embedding(section, kind, workspace)
    return CatalogSettings(
        kind=cast(CatalogKind, kind),
        location=database_url(workspace, location) if kind == "sql" else str(path_of(workspace, location)),
        table=section.text("table"),
        key=section.text("key", "id"),
        **{name: section.texts(name) for name in ("paths", "payload", "facets")},
        updated_at=section.text("updated_at"),
        recursive=section.truth("recursive", True),
        embedding=section.text("embedding"),
        embedding_model=section.text("embedding_model"),
    )


def _check_embedding(section: Section, kind: str, workspace: Path) -> None:
    vector, model = section.text("embedding"), section.text("embedding_model")
    where = f"[catalog] in {workspace / FILE}"
    if bool(vector) != bool(model):
        given, lacking = ("embedding", "embedding_model") if vector else ("embedding_model", "embedding")
        raise SettingsError(
            f"{where} names {given}, but not {lacking}.",
            "Name both columns, the one of the vectors and the one of the model that made them, or neither.",
        )
    if vector and kind != "sql":
        raise SettingsError(
            f"{where} names an embedding column, but a catalog of the kind {kind} has no columns.",
            "Take embedding and embedding_model out, or name a table.",
        )


def _guess_kind(location: str, workspace: Path) -> str:
    if "://" in location:
        return "sql"
    path = path_of(workspace, location)
    return "list" if path.is_file() or (path.suffix in (".txt", ".csv", ".list") and not path.is_dir()) else "folder"
