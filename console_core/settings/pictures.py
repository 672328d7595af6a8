"""Which pictures there are: [catalog]."""

from collections.abc import Mapping
from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings.places import database_url, path_of
from console_core.settings.section import FILE, Section
from console_core.settings.types import CATALOG_KINDS, CatalogKind, CatalogSettings

CATALOG = (
    *("kind", "location", "table", "key", "paths", "payload", "facets", "updated_at", "tenant", "recursive"),
    *("embedding", "embedding_model"),
)
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
    _check_embedding(section, kind, workspace)
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
            f"{where} names an embedding column, but a catalog of the kind {kind} has none that could be written.",
            "Take embedding and embedding_model out, or name a table of a database.",
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
