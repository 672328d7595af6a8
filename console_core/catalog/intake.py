"""Folders and image lists whose pictures were put into a collection: an intake each, under a namespace.

The key of such a picture is `ingest:<namespace>:<path>`, the path being as the image store takes it: relative to the
first folder among the image roots, absolute where the picture lies in another one, and an address where a list names
one. So one picture of one namespace has one key, by whatever folder or list it was found, and pictures of two
namespaces never share one.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote

from console_core.catalog.folder import file_row
from console_core.catalog.listing import told_by_path
from console_core.catalog.names import on_disk, printable
from console_core.catalog.types import ImageRow
from console_core.catalog.web_addresses import is_address, lies_below, spelled

PREFIX = "ingest:"
"""How the key of a picture begins that was ingested. Keys of other catalogs hardly ever do."""
FACETS = ("namespace", "label", "folder", "extension")


@dataclass(frozen=True, slots=True)
class Intake:
    """A folder, or a list, whose pictures belong to a collection under a namespace.

    `location` is a path as the image store takes it. What a list says is read from `copy`, the file among the
    workspace's copies that holds it as it was ingested: a list that is written anew for every delivery must not take
    the pictures of the last one away. "" reads the list itself.
    """

    namespace: str
    kind: Literal["folder", "list"]
    location: str
    recursive: bool = True
    copy: str = ""

    @property
    def name(self) -> str:
        """How people name it: its namespace and its location. Copies of one list have the same name."""
        return f"{self.namespace}:{self.location}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The intake as stored; the reverse of `as_json`."""
        return cls(**data)

    def folder(self, places: "Places") -> Path:
        """The folder itself, or the one in which a list lay: its relative paths start there."""
        found = places.path(self.location)
        return found if self.kind == "folder" else found.parent

    def file(self, places: "Places") -> Path:
        """What is read of a list: its copy, or itself."""
        return places.copies / self.copy if self.copy else places.path(self.location)

    def hindrance(self, places: "Places") -> str:
        """Why it cannot be read now, as the system says it; "" where it can be opened."""
        try:
            if self.kind == "folder":
                with os.scandir(self.folder(places)):
                    return ""
            with self.file(places).open("rb"):
                return ""
        except OSError as error:
            return error.strerror or str(error)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was ingested into a collection, the newest last; `beside` the workspace's catalog, or alone.

    `emptied`: all of it was forgotten, and the collection has a catalog of its own nevertheless.
    """

    intakes: tuple[Intake, ...] = ()
    beside: bool = False
    emptied: bool = False

    def __bool__(self) -> bool:
        """Whether the collection has a catalog of its own."""
        return bool(self.intakes) or self.emptied


@dataclass(frozen=True, slots=True)
class Places:
    """Where intakes lie: below the folders among the image `roots` or elsewhere, and the folder with the workspace's
    `copies` of lists. `addresses` are the other roots: prefixes on servers.

    What is recorded of them moves with the first root and with the workspace.
    """

    roots: tuple[Path, ...]
    copies: Path
    addresses: tuple[str, ...] = ()

    def path(self, text: str) -> Path:
        """The absolute path of one as the image store takes it: relative to the first root, or absolute."""
        return Path("/", *self.roots[:1]) / on_disk(text)

    def text(self, path: Path) -> str:
        """An absolute path as the image store takes it; the reverse of `path`."""
        plain = Path(os.path.normpath(path))
        if self.roots and plain.is_relative_to(self.roots[0]):
            plain = plain.relative_to(self.roots[0])
        return printable(plain.as_posix())

    def picture(self, folder: Path, name: str) -> str:
        """A picture that something in a folder names, as the image store takes it."""
        return spelled(name) if is_address(name) else self.text(folder / on_disk(name))

    def holding(self) -> Callable[[str], bool]:
        """A look whether such a picture lies in an image root, also where links lead; nobody is asked for it. Where
        folders lead is looked up once, so it is for many pictures one after the other."""
        roots, real = [os.path.realpath(root) for root in self.roots], lru_cache(1000)(os.path.realpath)

        def holds(picture: str) -> bool:
            if is_address(picture):
                return lies_below(picture, self.addresses)
            folder, name = os.path.split(self.path(picture))
            file = os.path.join(real(folder), name)  # noqa: PTH118  a hundred thousand times
            file = os.path.realpath(file) if name == ".." or os.path.islink(file) else file  # noqa: PTH114
            return any(f"{file}/".startswith(f"{root.rstrip('/')}/") for root in roots)

        return holds


def picture_key(namespace: str, path: str) -> str:
    """The key of a picture that is ingested: of its namespace and its path as the image store takes it."""
    return f"{PREFIX}{namespace}:{path}"


def path_in(key: str) -> str:
    """The path in such a key; "" in keys of other catalogs. A namespace has no colon."""
    return key.removeprefix(PREFIX).partition(":")[2] if key.startswith(PREFIX) else ""


def row_of(key: str, places: Places) -> ImageRow | None:
    """A picture by such a key alone, whatever collection it is in; None where no file is there. Of an address nobody
    is asked whether something is there.

    Its payload and revision say what the path and the file do, and nothing of a list.
    """
    path = path_in(key)
    if is_address(path):
        return ImageRow(key, (path,), {"type": "image", **told_of(path)}, "")
    found = file_row(path, places.path(path)) if path else None
    return None if found is None else replace(found, key=key)


def told_of(path: str) -> dict[str, str]:
    """What the path of a picture tells of it; of an address that is encoded, its file name as people write it."""
    told = told_by_path(path.partition("?")[0] if is_address(path) else path)
    if path.startswith(("http://", "https://")):
        told["filename"] = unquote(told["filename"])
    return {"path": path, **told}
