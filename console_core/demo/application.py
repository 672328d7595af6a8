"""The database of the imaginary application whose pictures the demo has."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console_core.demo.pictures import USERS, Picture

TABLE = "images"
_SCHEMA = f"""
CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE {TABLE} (
    id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    compressed_path TEXT,
    original_path TEXT,
    file_path TEXT,
    processing_status TEXT NOT NULL,
    caption TEXT,
    image_type TEXT,
    embedding BLOB,
    embedding_model TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX images_of_a_user ON {TABLE} (user_id);
"""


def create(file: Path, pictures: Sequence[Picture]) -> None:
    """A new database with all users and pictures; no picture has an embedding yet."""
    rows = [
        (
            picture.key,
            picture.user,
            picture.compressed_path or None,
            picture.original_path or None,
            picture.file_path or None,
            "pending",
            picture.caption,
            picture.image_type,
            picture.created_at.isoformat(timespec="seconds"),
        )
        for picture in pictures
    ]
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(_SCHEMA)
        database.execute("PRAGMA journal_mode = WAL")
        database.executemany("INSERT INTO users VALUES (?, ?)", USERS.items())
        database.executemany(
            f"INSERT INTO {TABLE} (id, user_id, compressed_path, original_path, file_path, processing_status, caption, "
            "image_type, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def record_embeddings(
    file: Path, model: str, vectors: Mapping[int, NDArray[np.float32]], failed: Sequence[int]
) -> None:
    """Write vectors as little-endian float32, as many applications keep them, and mark the pictures that failed."""
    with closing(sqlite3.connect(file)) as database, database:
        database.executemany(
            f"UPDATE {TABLE} SET embedding = ?, embedding_model = ?, processing_status = 'completed' WHERE id = ?",
            [(vector.astype("<f4").tobytes(), model, key) for key, vector in vectors.items()],
        )
        database.executemany(
            f"UPDATE {TABLE} SET processing_status = 'failed' WHERE id = ?", [(key,) for key in failed]
        )


def delete_rows(file: Path, keys: Sequence[int]) -> None:
    """Forget pictures, as an application does that does not tell its vector store."""
    with closing(sqlite3.connect(file)) as database, database:
        database.executemany(f"DELETE FROM {TABLE} WHERE id = ?", [(key,) for key in keys])


def edit_captions(file: Path, keys: Sequence[int]) -> None:
    """Change rows after they were embedded."""
    with closing(sqlite3.connect(file)) as database, database:
        database.executemany(
            f"UPDATE {TABLE} SET caption = caption || ' (retouched)' WHERE id = ?", [(key,) for key in keys]
        )
