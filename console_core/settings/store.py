"""Where vectors are: [store], and the application's own tables in it, [store.tables.<name>]."""

import re
from collections.abc import Mapping
from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings.places import store_url
from console_core.settings.section import Section
from console_core.settings.types import StoreSettings, TableSettings

STORE = ("url", "api_key", "timeout", "retries", "tables")
_NAME = re.compile(r"[\w-]{1,40}")
_TABLE = ("table", "key", "vector", "distance", "payload", "functions")


def store_settings(section: Section, workspace: Path, environment: Mapping[str, str]) -> StoreSettings:
    """The store of a workspace; environment variables win over the file.

    Raises:
        SettingsError: a value is wrong, or tables are named and the store is no PostgreSQL database.
    """
    url = environment.get("CONSOLE_STORE_URL") or section.text("url", "local:qdrant")
    found = StoreSettings(
        url=store_url(workspace, url),
        api_key=environment.get("CONSOLE_STORE_API_KEY") or section.text("api_key"),
        timeout=section.number("timeout", 30, least=1),
        retries=section.number("retries", 3),
        tables=tuple(_table(name, table) for name, table in section.sections("tables", _TABLE)),
    )
    if found.tables and not (found.is_postgresql or found.url.startswith(("sqlite:", "blob:"))):
        raise SettingsError(
            f"[store.tables.{found.tables[0].name}] names a table, and the store is no SQL database.",
            "Set url in [store] to the database that has the table, or remove the section.",
        )
    return found


def _table(name: str, section: Section) -> TableSettings:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"[store.tables.{name}] is no name for a table's collections.",
            'Use letters, digits, "-" and "_", and write the table\'s own name as table = "…" below it.',
        )
    return TableSettings(
        name=name,
        table=section.text("table", name),
        key=section.text("key", "id"),
        vector=section.text("vector", "embedding"),
        distance=section.text("distance", "cosine"),
        payload=section.texts("payload"),
        functions=section.texts("functions"),
    )
