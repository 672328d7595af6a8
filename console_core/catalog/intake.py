"""Folders and image lists whose pictures were put into a collection: an intake each, under a namespace.

The key of such a picture is `ingest:<namespace>:<path>`, the path being as the image store takes it: relative to the
first folder among the image roots, absolute where the picture lies in another one, and an address where a list names
one. So one picture of one namespace has one key, by whatever folder or list it was found, and pictures of two
namespaces never share one.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote

from console_core.catalog.folder import FolderCatalog, file_row
from console_core.catalog.image_list import ImageListCatalog
from console_core.catalog.listing import facet_counts, selected, told_by_path
from console_core.catalog.names import on_disk, printable
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
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

    def opened(self, places: "Places") -> FolderCatalog | ImageListCatalog:
        """The folder or the list as a catalog of its own.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        if self.kind == "folder":
            return FolderCatalog(self.folder(places), recursive=self.recursive)
        file = places.copies / self.copy if self.copy else places.path(self.location)
        return ImageListCatalog(file, folder=self.folder(places))


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


@dataclass(frozen=True, slots=True)
class _Merged:
    """The pictures of all members when they `listed` these keys: where each is told, by member and its key there, and
    the ascending `keys` of those that belong to the catalog."""

    listed: tuple[tuple[str, ...], ...]
    places: Mapping[str, tuple[int, str]]
    keys: tuple[str, ...]


class IntakeCatalog:
    """The pictures of several intakes, each once.

    A list tells its labels also of pictures that a folder has, and a later list wins over an earlier one. Memory: a few
    strings for each picture.
    """

    def __init__(self, intakes: Sequence[Intake], places: Places, *, only: Intake | None = None) -> None:
        """Open all of them; with `only` there are the pictures of that one, as all of them tell them.

        Raises:
            CatalogUnavailable, CatalogInvalid: one of them cannot be read.
        """
        self.intakes = tuple(intakes)
        self.places = places
        # A list comes after the folders: what is told last wins.
        self._members = [(one, one.opened(places)) for one in sorted(intakes, key=lambda one: one.kind == "list")]
        self._only = None if only is None else [one for one, _ in self._members].index(only)
        self._last = _Merged((), {}, ())

    def info(self) -> CatalogInfo:
        told = [(one.namespace, str(self.places.path(one.location))) for one in self.intakes]
        shown = "; ".join(f"{namespace}: {location}" for namespace, location in told)
        return CatalogInfo("ingested", ", ".join(dict.fromkeys(at for _, at in told)), FACETS, {"namespaces": shown})

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The number of pictures in the slice, optionally of those behind a key."""
        return sum(1 for _ in self._selected(self._merged(), part, after))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Pictures in ascending order of their keys, strictly behind `after`; those deleted meanwhile are left out."""
        now = self._merged()
        return (row for key in self._selected(now, part, after) if (row := self._row(now, key)) is not None)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The pictures with these keys that exist, in the order asked for.

        Raises:
            CatalogUnavailable: of one that lies in a folder which may not be read now, nobody knows whether it exists.
        """
        now = self._merged()
        self._refuse_hidden([key for key in keys if key not in now.places])
        return [row for key in keys if key in now.places and (row := self._row(now, key)) is not None]

    def check_keys(self) -> None:
        """Nothing to find: keys are paths, each once, sorted by the console itself."""

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of pictures."""
        now = self._merged()
        return facet_counts(now.keys, FACETS, lambda key: self._facets(now, key))

    def close(self) -> None:
        for _, member in self._members:
            member.close()

    def _selected(self, now: _Merged, part: Slice, after: str | None) -> Iterator[str]:
        return selected(now.keys, part, after, FACETS, lambda key: self._facets(now, key))

    def _merged(self) -> _Merged:
        """The members as they are now, merged anew where one of them has changed."""
        listed = tuple(member.all_keys() for _, member in self._members)
        last = self._last
        if listed == last.listed:
            return last
        places: dict[str, tuple[int, str]] = {}
        own: set[str] = set()
        for number, (intake, _) in enumerate(self._members):
            base = intake.folder(self.places)
            for inner in listed[number]:
                key = picture_key(intake.namespace, self.places.picture(base, inner))
                places[key] = number, inner
                if number == self._only:
                    own.add(key)
        self._last = _Merged(listed, places, tuple(sorted(places if self._only is None else own)))
        return self._last

    def _refuse_hidden(self, keys: Sequence[str]) -> None:
        """A picture that no member lists may still exist, in a folder that may not be read now: that one refuses it."""
        for intake, member in self._members:
            if intake.kind == "folder":
                base, own = intake.folder(self.places), picture_key(intake.namespace, "")
                named = [path_in(key) for key in keys if key.startswith(own)]
                paths = [self.places.path(path) for path in named if not is_address(path)]
                inner = [path.relative_to(base) for path in paths if path.is_relative_to(base)]
                member.get([printable(path.as_posix()) for path in inner])

    def _row(self, now: _Merged, key: str) -> ImageRow | None:
        number, inner = now.places[key]
        intake, member = self._members[number]
        row = member.row(inner)
        if row is None:
            return None
        path = path_in(key)
        payload = {**row.payload, **_told(path), "namespace": intake.namespace, "label": row.payload.get("label", "")}
        return replace(row, key=key, payload=payload, facets=self._facets(now, key))

    def _facets(self, now: _Merged, key: str) -> dict[str, str]:
        number, inner = now.places[key]
        intake, member = self._members[number]
        label = member.label(inner) if isinstance(member, ImageListCatalog) else ""
        told = _told(path_in(key))
        named = {"folder": told["folder"], "extension": told["extension"]}
        return {"namespace": intake.namespace, "label": label, **named}


def row_of(key: str, places: Places) -> ImageRow | None:
    """A picture by such a key alone, whatever collection it is in; None where no file is there. Of an address nobody
    is asked whether something is there.

    Its payload and revision say what the path and the file do, and nothing of a list.
    """
    path = path_in(key)
    if is_address(path):
        return ImageRow(key, (path,), {"type": "image", **_told(path)}, "")
    found = file_row(path, places.path(path)) if path else None
    return None if found is None else replace(found, key=key)


def _told(path: str) -> dict[str, str]:
    """What the path of a picture tells of it; of an address that is encoded, its file name as people write it."""
    told = told_by_path(path.partition("?")[0] if is_address(path) else path)
    if path.startswith(("http://", "https://")):
        told["filename"] = unquote(told["filename"])
    return {"path": path, **told}
