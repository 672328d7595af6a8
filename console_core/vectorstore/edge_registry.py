"""Which collections and aliases an edge store has: the engine knows shards only, so the names are kept here.

One SQLite file in the store's folder. Each change is one transaction that the disk has confirmed, so that a crash at
any moment leaves either what was before or what was asked for.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console_core.vectorstore.types import CollectionSpec, ModelStamp

FILE = "registry.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS collections (
    name TEXT PRIMARY KEY, shard TEXT NOT NULL UNIQUE, made INTEGER NOT NULL DEFAULT 0,
    dimension INTEGER NOT NULL, distance TEXT NOT NULL, vector_name TEXT NOT NULL,
    model TEXT, fingerprint TEXT, preprocess TEXT NOT NULL DEFAULT '',
    settings_index TEXT NOT NULL, quantization TEXT NOT NULL,
    deferred INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS aliases (
    alias TEXT PRIMARY KEY, collection TEXT NOT NULL REFERENCES collections (name)
);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A collection: its name, the folder of its shard, what it was made as, and whether its index is deferred."""

    name: str
    shard: str
    spec: CollectionSpec
    deferred: bool = field(default=False)


class Registry:
    """Collections and aliases by name. For one thread."""

    def __init__(self, folder: Path) -> None:
        """Open the registry, which is made if it is missing.

        Raises:
            sqlite3.Error: it cannot be read or written.
        """
        self._database = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        try:
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute("PRAGMA foreign_keys=ON")
            self._database.executescript(_TABLES)
        except BaseException:
            self._database.close()
            raise

    def collections(self) -> dict[str, Entry]:
        """Those that are wholly made, by name."""
        rows = self._database.execute(
            "SELECT name, shard, dimension, distance, vector_name, model, fingerprint, preprocess, settings_index, "
            "quantization, deferred FROM collections WHERE made ORDER BY name"
        )
        return {row[0]: _entry(*row) for row in rows}

    def shards(self) -> set[str]:
        """The folders of collections that are wholly made; every other folder is a left-over."""
        return {shard for (shard,) in self._database.execute("SELECT shard FROM collections WHERE made")}

    def aliases(self) -> dict[str, str]:
        return dict(self._database.execute("SELECT alias, collection FROM aliases ORDER BY alias"))

    def begin(self, name: str, shard: str, spec: CollectionSpec) -> None:
        """Note a collection whose shard is about to be made; it counts from `finish` on."""
        stamp = spec.stamp
        with self._changed() as database:
            database.execute(
                "INSERT INTO collections (name, shard, dimension, distance, vector_name, model, fingerprint, "
                "preprocess, settings_index, quantization) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    shard,
                    spec.dimension,
                    spec.distance,
                    spec.vector_name,
                    stamp.model if stamp else None,
                    stamp.fingerprint if stamp else None,
                    stamp.preprocess if stamp else "",
                    _text(spec.index),
                    _text(spec.quantization),
                ),
            )

    def finish(self, name: str) -> None:
        self._change("UPDATE collections SET made = 1 WHERE name = ?", name)

    def forget(self, name: str) -> None:
        self._change("DELETE FROM collections WHERE name = ?", name)

    def forget_half_made(self) -> None:
        self._change("DELETE FROM collections WHERE NOT made")

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        self._change(
            "UPDATE collections SET model = ?, fingerprint = ?, preprocess = ? WHERE name = ?",
            stamp.model,
            stamp.fingerprint,
            stamp.preprocess,
            name,
        )

    def move(self, name: str, shard: str) -> None:
        """Let a collection have its points in another folder from now on."""
        self._change("UPDATE collections SET shard = ? WHERE name = ?", shard, name)

    def defer(self, name: str, deferred: bool) -> None:
        self._change("UPDATE collections SET deferred = ? WHERE name = ?", int(deferred), name)

    def point(self, alias: str, to: str) -> None:
        self._change(
            "INSERT INTO aliases (alias, collection) VALUES (?, ?) "
            "ON CONFLICT (alias) DO UPDATE SET collection = excluded.collection",
            alias,
            to,
        )

    def close(self) -> None:
        self._database.close()

    def _change(self, statement: str, *values: object) -> None:
        with self._changed() as database:
            database.execute(statement, values)

    @contextmanager
    def _changed(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            self._database.rollback()
            raise


def _entry(
    name: str,
    shard: str,
    dimension: int,
    distance: str,
    vector_name: str,
    model: str | None,
    fingerprint: str | None,
    preprocess: str,
    index: str,
    quantization: str,
    deferred: int,
) -> Entry:
    stamp = ModelStamp(model or "", fingerprint, preprocess) if fingerprint else None
    spec = CollectionSpec(dimension, distance, stamp, json.loads(index), json.loads(quantization), vector_name)
    return Entry(name, shard, spec, bool(deferred))


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), sort_keys=True)
