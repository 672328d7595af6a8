"""What the console is connected to. The only reader of environment variables and of `console.toml`.

A workspace is a folder. `console.toml` in it says which store, catalog and pictures it belongs to; paths in it are
relative to the workspace. Environment variables win over the file:

CONSOLE_WORKSPACE       the workspace folder (default ./workspace)
CONSOLE_STORE_URL       local:<folder>, http(s)://host:6333 or grpc(s)://host:6334
CONSOLE_STORE_API_KEY   sent to the store; never shown, stored or logged
CONSOLE_CATALOG_URL     an SQLAlchemy URL, a folder, or an image list
CONSOLE_IMAGE_ROOT      folders that pictures may lie in, separated like PATH; relative paths start from the first
CONSOLE_LEDGER_URL      an SQLAlchemy URL (default: ledger.db in the workspace)
CONSOLE_DEVICE          auto, cpu or cuda
CONSOLE_ACTOR           the name written into the journal (default: the login name)
CONSOLE_ROLE            viewer, operator or admin (default: admin)
CONSOLE_ALLOWED_HOSTS   further host names that the server answers to, separated by commas
"""

import getpass
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from console_core.errors import SettingsError

FILE = "console.toml"

CatalogKind = Literal["sql", "folder", "list"]
Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where vectors are stored. `timeout` is in seconds, `retries` counts tries after the first."""

    url: str
    api_key: str = field(default="", repr=False)
    timeout: int = 30
    retries: int = 3


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    """What pictures exist. `location` is an SQLAlchemy URL, a folder or a list file, by `kind`.

    The fields after it say which columns of `table` mean what; they are not used by folders and lists.
    """

    kind: CatalogKind
    location: str
    table: str = ""
    key: str = "id"
    paths: tuple[str, ...] = ()
    payload: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    updated_at: str = ""
    recursive: bool = True


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model of the user's own, in addition to the built-in cards. `dimension` 0: ask the model."""

    key: str
    architecture: str
    weights: str = ""
    title: str = ""
    dimension: int = 0
    image_size: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """`examples` are queries that the Query lab suggests."""

    workspace: Path
    store: StoreSettings
    catalog: CatalogSettings
    image_roots: tuple[Path, ...]
    ledger_url: str
    models: tuple[ModelSettings, ...] = ()
    examples: tuple[str, ...] = ()
    device: str = "auto"
    actor: str = "operator"
    role: Role = "admin"

    @property
    def cache(self) -> Path:
        """Files that can be deleted at any time: thumbnails, weights digests."""
        return self.workspace / "cache"


def workspace_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The workspace: as given, else CONSOLE_WORKSPACE, else ./workspace."""
    return (given or Path(environment.get("CONSOLE_WORKSPACE") or "workspace")).expanduser().resolve()


def allowed_hosts(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The host names that the server answers to: this machine's own, and those of CONSOLE_ALLOWED_HOSTS."""
    further = environment.get("CONSOLE_ALLOWED_HOSTS", "").split(",")
    return ("127.0.0.1", "localhost", *(host for host in map(str.strip, further) if host))


def read(workspace: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a workspace.

    Raises:
        SettingsError: there is no workspace, or the file or a variable is wrong.
    """
    workspace = workspace.resolve()
    file = workspace / FILE
    table = _table(file)
    store, catalog, images = (_section(table, name, file) for name in ("store", "catalog", "images"))
    device = environment.get("CONSOLE_DEVICE") or str(table.get("device", "auto"))
    if device not in ("auto", "cpu") and not device.startswith("cuda"):
        raise SettingsError(f'device = "{device}" in {file} is not known.', "Use auto, cpu or cuda.")
    role = environment.get("CONSOLE_ROLE") or "admin"
    if role not in ROLES:
        raise SettingsError(f'CONSOLE_ROLE="{role}" is not a role.', f"Use one of: {', '.join(ROLES)}.")
    ledger = environment.get("CONSOLE_LEDGER_URL") or str(
        _section(table, "ledger", file).get("url", "sqlite:///ledger.db")
    )
    pictures = _catalog(catalog, workspace, environment, file)
    return Settings(
        workspace=workspace,
        store=_store(store, workspace, environment),
        catalog=pictures,
        image_roots=_image_roots(images, workspace, environment, pictures),
        ledger_url=_database_url(workspace, ledger),
        models=tuple(_model(key, entry, file) for key, entry in _section(table, "models", file).items()),
        examples=_examples(_section(table, "query_lab", file), file),
        device=device,
        actor=environment.get("CONSOLE_ACTOR") or _login_name(),
        role=role,
    )


def _table(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{file.parent} is not a workspace: it has no {FILE}.",
            "Run `embedding-console demo` for the demo workspace, or write the file (README, Connect your own).",
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Mend the file; it must be valid TOML.") from error


def _section(table: Mapping[str, Any], name: str, file: Path) -> dict[str, Any]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise SettingsError(f"[{name}] in {file} is not a table.", f"Write it as a section: [{name}].")
    return section


def _store(section: Mapping[str, Any], workspace: Path, environment: Mapping[str, str]) -> StoreSettings:
    url = environment.get("CONSOLE_STORE_URL") or str(section.get("url", "local:qdrant"))
    if url.startswith("local:"):
        url = f"local:{_path(workspace, url.removeprefix('local:'))}"
    return StoreSettings(
        url=url,
        api_key=environment.get("CONSOLE_STORE_API_KEY") or str(section.get("api_key", "")),
        timeout=int(section.get("timeout", 30)),
        retries=int(section.get("retries", 3)),
    )


def _catalog(
    section: Mapping[str, Any], workspace: Path, environment: Mapping[str, str], file: Path
) -> CatalogSettings:
    location = environment.get("CONSOLE_CATALOG_URL") or str(section.get("location", "images"))
    kind = section.get("kind") or _guess_kind(location)
    if kind not in ("sql", "folder", "list"):
        raise SettingsError(f'[catalog] kind = "{kind}" in {file} is not known.', "Use sql, folder or list.")
    if kind == "sql" and not section.get("table"):
        raise SettingsError(
            f"[catalog] in {file} names no table.", 'Add table = "…" with the table or view of pictures.'
        )
    return CatalogSettings(
        kind=cast(CatalogKind, kind),
        location=_database_url(workspace, location) if kind == "sql" else str(_path(workspace, location)),
        table=str(section.get("table", "")),
        key=str(section.get("key", "id")),
        paths=tuple(section.get("paths", ())),
        payload=tuple(section.get("payload", ())),
        facets=tuple(section.get("facets", ())),
        updated_at=str(section.get("updated_at", "")),
        recursive=bool(section.get("recursive", True)),
    )


def _guess_kind(location: str) -> str:
    if "://" in location:
        return "sql"
    return "list" if Path(location).suffix in (".txt", ".csv", ".list") else "folder"


def _model(key: str, entry: Any, file: Path) -> ModelSettings:
    if not isinstance(entry, dict) or not entry.get("architecture"):
        raise SettingsError(
            f"[models.{key}] in {file} names no architecture.",
            'Add architecture = "…", an open_clip name or local-dir:<folder>.',
        )
    known = {name: entry[name] for name in ModelSettings.__slots__ if name in entry}
    return ModelSettings(**{**known, "key": key})


def _examples(section: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    given = section.get("examples", [])
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise SettingsError(
            f"[query_lab] examples in {file} is not a list of texts.", 'Write examples = ["a red car"].'
        )
    return tuple(text.strip() for text in given if text.strip())


def _image_roots(
    section: Mapping[str, Any], workspace: Path, environment: Mapping[str, str], catalog: CatalogSettings
) -> tuple[Path, ...]:
    """The configured folders, and the one that a folder catalog or an image list lies in."""
    given = environment.get("CONSOLE_IMAGE_ROOT")
    texts = given.split(os.pathsep) if given else [str(section.get("root", "images")), *section.get("also", ())]
    roots = [_path(workspace, str(text)) for text in texts if text]
    if catalog.kind != "sql":
        location = Path(catalog.location)
        roots.append(location if catalog.kind == "folder" else location.parent)
    return tuple(dict.fromkeys(roots))


def _path(workspace: Path, text: str) -> Path:
    return (workspace / Path(text).expanduser()).resolve()


def _database_url(workspace: Path, url: str) -> str:
    """SQLite files are relative to the workspace; every other URL stays as it is."""
    prefix, slashes, file = url.partition(":///")
    if not prefix.startswith("sqlite") or not slashes or file in ("", ":memory:"):
        return url
    return f"{prefix}:///{_path(workspace, file)}"


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
