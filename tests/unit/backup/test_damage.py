# ruff: noqa: T201
"""Every kind of damage to a backup is refused by its name before anything is written to the store."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from console_core.backup.backups import BackupState
from console_core.backup.damage import Damage
from console_core.backup.manifest import sealed
from console_core.errors import BackupDamaged
from tests.unit.backup.conftest import World

LIST = f"{'0' * 24}.csv"


@dataclass
class Copy:
    """A copy of a good archive, to be damaged; another good one lies beside it."""

    folder: Path
    other: Path

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "manifest.json").read_text()))

    def part(self, number: int) -> Path:
        return self.folder / f"part-{number:05}.parquet"

    def seal(self, **changes: Any) -> None:
        """Write the manifest with changes, and seal it as its writer would."""
        (self.folder / "manifest.json").write_text(sealed({**self.manifest, **changes}))

    def rewrite(self, number: int, change: Callable[[pa.Table], pa.Table]) -> None:
        """Write a part anew, with digest and seal as its writer would: only what it says is wrong."""
        file = self.part(number)
        table = pq.read_table(file)
        changed = change(table)
        pq.write_table(changed, file, compression="zstd", write_page_checksum=True)
        parts = self.manifest["parts"]
        parts[number] |= {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        self.seal(parts=parts)


def _cut(copy: Copy) -> None:
    data = copy.part(1).read_bytes()
    copy.part(1).write_bytes(data[: len(data) // 2])


def _flip(copy: Copy) -> None:
    data = bytearray(copy.part(1).read_bytes())
    data[len(data) // 2] ^= 1
    copy.part(1).write_bytes(bytes(data))


def _swap_within(copy: Copy) -> None:
    first, second = copy.part(0).read_bytes(), copy.part(1).read_bytes()
    copy.part(0).write_bytes(second)
    copy.part(1).write_bytes(first)


def _column(name: str, change: Callable[[list[Any]], list[Any]]) -> Callable[[pa.Table], pa.Table]:
    def changed(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(name)
        values = pa.array(change(table.column(name).to_pylist()), table.schema.field(name).type)
        return table.set_column(place, table.schema.field(name), values)

    return changed


def _other_list(copy: Copy) -> None:
    copy.seal(lists=[LIST])
    (copy.folder / LIST).write_text("1.jpg,cat\n")


def _shorter_vectors(table: pa.Table) -> pa.Table:
    shorter = pa.array([vector[:4] for vector in table.column("vector").to_pylist()], pa.list_(pa.float32(), 4))
    return table.set_column(2, "vector", shorter)


def _infinite(vectors: list[Any]) -> list[Any]:
    return [[np.inf] * 8, *vectors[1:]]


DAMAGES: dict[str, tuple[Damage, Callable[[Copy], Any]]] = {
    "the manifest is missing": (Damage.UNFINISHED, lambda c: (c.folder / "manifest.json").unlink()),
    "the manifest is not JSON": (
        Damage.MANIFEST_UNREADABLE,
        lambda c: (c.folder / "manifest.json").write_text("{ half a manif"),
    ),
    "the manifest is something else": (
        Damage.MANIFEST_UNREADABLE,
        lambda c: (c.folder / "manifest.json").write_text('["a list"]'),
    ),
    "the manifest lacks its parts": (Damage.MANIFEST_UNREADABLE, lambda c: c.seal(parts=None)),
    "the format is of another version": (Damage.VERSION, lambda c: c.seal(version=99)),
    "the manifest was edited": (
        Damage.MANIFEST_EDITED,
        lambda c: (c.folder / "manifest.json").write_text(
            (c.folder / "manifest.json").read_text().replace('"dimension":8', '"dimension":9')
        ),
    ),
    "the manifest is another backup's": (
        Damage.MANIFEST_FOREIGN,
        lambda c: shutil.copy(c.other / "manifest.json", c.folder),
    ),
    "a part is missing": (Damage.PART_MISSING, lambda c: c.part(1).unlink()),
    "a part is too many": (Damage.PART_EXTRA, lambda c: shutil.copy(c.part(0), c.part(77))),
    "a part is truncated": (Damage.PART_TRUNCATED, _cut),
    "a bit of a part is flipped": (Damage.PART_CHANGED, _flip),
    "a part is longer": (
        Damage.PART_CHANGED,
        lambda c: c.part(1).write_bytes(c.part(1).read_bytes() + b"more"),
    ),
    "a part is another backup's": (Damage.PART_FOREIGN, lambda c: shutil.copy(c.other / c.part(1).name, c.folder)),
    "two parts are swapped": (Damage.PART_MISPLACED, _swap_within),
    "parts are listed in another order": (
        Damage.PART_MISPLACED,
        lambda c: c.seal(parts=[*reversed(c.manifest["parts"])]),
    ),
    "a part is no Parquet": (
        Damage.PART_UNREADABLE,
        lambda c: _replace(c, 1, b"no table at all"),
    ),
    "a list is missing": (Damage.LIST_MISSING, lambda c: c.seal(lists=[LIST])),
    "a list is another": (Damage.LIST_CHANGED, _other_list),
    "a column is missing": (Damage.COLUMNS, lambda c: c.rewrite(1, lambda table: table.drop_columns(["payload"]))),
    "the dimension is another": (Damage.DIMENSION, lambda c: c.rewrite(1, _shorter_vectors)),
    "rows are missing": (Damage.ROWS, lambda c: c.rewrite(1, lambda table: table.slice(0, table.num_rows - 1))),
    "the manifest counts more points": (Damage.ROWS, lambda c: c.seal(points=301)),
    "an id is there twice": (
        Damage.ORDER,
        lambda c: c.rewrite(0, _column("id", lambda ids: [ids[0], ids[0], *ids[2:]])),
    ),
    "rows are in another order": (
        Damage.ORDER,
        lambda c: c.rewrite(0, lambda table: table.take(list(reversed(range(table.num_rows))))),
    ),
    "an id is none": (Damage.IDENTIFIER, lambda c: c.rewrite(0, _column("id", lambda ids: ["-7", *ids[1:]]))),
    "a payload is not JSON": (
        Damage.PAYLOAD,
        lambda c: c.rewrite(0, _column("payload", lambda texts: ["{not json", *texts[1:]])),
    ),
    "a payload is no object": (
        Damage.PAYLOAD,
        lambda c: c.rewrite(0, _column("payload", lambda texts: ["7", *texts[1:]])),
    ),
    "a vector is infinite": (Damage.VECTOR, lambda c: c.rewrite(0, _column("vector", _infinite))),
    "a payload is another": (
        Damage.CONTENT,
        lambda c: c.rewrite(0, _column("payload", lambda texts: ['{"caption":"forged"}', *texts[1:]])),
    ),
    "a vector is another": (
        Damage.CONTENT,
        lambda c: c.rewrite(0, _column("vector", lambda rows: [rows[1], *rows[1:]])),
    ),
}


def _replace(copy: Copy, number: int, content: bytes) -> None:
    copy.part(number).write_bytes(content)
    parts = copy.manifest["parts"]
    parts[number] |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    copy.seal(parts=parts)


class _Untouched:
    """A store that fails the test at the first write."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        assert name not in ("create", "upsert", "delete", "drop", "stamp", "set_alias"), f"{name} was called"
        return getattr(self._store, name)


def test_every_kind_of_damage_is_refused_by_name_before_any_write(world: World) -> None:
    world.made()
    good, other = world.back_up(), world.back_up()
    names = [info.name for info in world.store.collections()]
    honest, world.store = world.store, _Untouched(world.store)
    lines = []
    for what, (damage, harm) in DAMAGES.items():
        folder = world.backups.folder / good
        shutil.copytree(folder, world.backups.folder / "kept")
        harm(Copy(folder, world.backups.folder / other))
        said = []
        for act in (partial(world.restore, good, "images-2"), partial(world.prove, good)):
            with pytest.raises(BackupDamaged) as refused:
                act()
            assert refused.value.damage == damage, what
            assert f"({damage})" in refused.value.message
            assert refused.value.remedy
            said.append(refused.value.message.split(": ", 1)[1])
        state = world.backups.get(good).state
        assert state is not BackupState.PROVEN
        lines.append(f"{what:36} {damage:40} {said[0]}")
        shutil.rmtree(folder)
        (world.backups.folder / "kept").rename(folder)
    world.store = honest
    assert [info.name for info in world.store.collections()] == names
    assert world.restore(good, "images-2")["differences"] == 0
    kinds = {damage for damage, _ in DAMAGES.values()}
    print(f"\n{len(DAMAGES)} damages to a backup of {len(kinds)} kinds, each refused before any write, with its name:")
    print("\n".join(lines))
    assert kinds == set(Damage)
    assert len(kinds) >= 10


def test_damage_that_shows_without_reading_the_parts_is_seen_in_the_list(world: World) -> None:
    world.made()
    backup = world.back_up()
    _cut(Copy(world.backups.folder / backup, Path()))
    found = world.backups.get(backup)
    assert found.state is BackupState.DAMAGED
    assert "truncated part" in found.problem
    assert found.collection == "images"
    assert found.taken_at is not None
