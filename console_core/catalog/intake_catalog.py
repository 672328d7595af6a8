"""What was ingested as a catalog: the pictures of several folders and lists, each once."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import NamedTuple

from console_core.catalog.intake import FACETS, Intake, Places, path_in, picture_key, told_of
from console_core.catalog.intake_members import PAGE, Member, Members, Told
from console_core.catalog.listing import commonest, unknown_facet
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.errors import CatalogInvalid, CatalogUnavailable

_PAGES = 10 * PAGE
"""How many pictures of all lists together are in memory."""


class _Entry(NamedTuple):
    """A picture by its key, with the number of the member that tells it. No two of one key have the same number."""

    key: str
    number: int
    told: Told


class IntakeCatalog:
    """The pictures of several intakes, each once, merged as they are read.

    A list tells its labels also of pictures that a folder has, and a later list wins over an earlier one. Memory: a
    page, and what the folders take.
    """

    def __init__(
        self,
        intakes: Sequence[Intake],
        places: Places,
        *,
        only: Intake | None = None,
        members: Members | None = None,
        collection: str = "",
    ) -> None:
        """Open all of them, among `members` that others ask too; with `only` there are the pictures of that one, as all
        of them tell them. `collection` is whose they are, for who must be told that one cannot be read.

        Raises:
            CatalogUnavailable, CatalogInvalid: one of them cannot be read. It may be a disk that is not there for a
                moment, so that its pictures are not taken for deleted: that it is gone is for a person to say.
        """
        self.intakes = tuple(intakes)
        self.places = places
        self._collection = collection
        opened = Members(places) if members is None else members
        self._own = opened if members is None else None
        # A list comes after the folders: what is told last wins.
        ordered = sorted(intakes, key=lambda one: one.kind == "list")
        self._members: list[tuple[Intake, Member]] = []
        for one in ordered:
            with self._named(one):
                self._members.append((one, opened.of(one)))
        self._only = None if only is None else ordered.index(only)
        self._page = max(_PAGES // max(len(ordered), 1), 50) if len(ordered) > 10 else PAGE

    def info(self) -> CatalogInfo:
        told = [(one.namespace, str(self.places.path(one.location))) for one in self.intakes]
        shown = "; ".join(f"{namespace}: {location}" for namespace, location in told)
        return CatalogInfo("ingested", ", ".join(dict.fromkeys(at for _, at in told)), FACETS, {"namespaces": shown})

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The number of pictures in the slice, optionally of those behind a key."""
        if not part.is_everything:
            return sum(1 for _ in self._selected(part, after))
        if self._only is not None:
            behind = self._behind(self._only, after)
            return 0 if behind is None else self._count(self._only, behind)
        return sum(self._counted(numbers, after) for numbers in self._by_namespace().values())

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Pictures in ascending order of their keys, strictly behind `after`; those deleted meanwhile are left out."""
        return (row for entry in self._selected(part, after) if (row := self._row(entry)) is not None)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The pictures with these keys that exist, in the order asked for.

        Raises:
            CatalogUnavailable: of one that lies in a folder which may not be read now, nobody knows whether it exists.
        """
        found = self._found(keys)
        self._refuse_hidden([key for key in keys if key not in found])
        return [row for key in keys if key in found and (row := self._row(found[key])) is not None]

    def check_keys(self) -> None:
        """Nothing to find: keys are paths, each once, sorted by the console itself."""

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of pictures."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
        for entry in self._selected(EVERYTHING, None):
            for name, value in self._facets(entry).items():
                counts[name][value] += 1
        return {name: commonest(counter) for name, counter in counts.items()}

    def close(self) -> None:
        """Let go of what it opened itself; members that others ask too are their owner's."""
        if self._own is not None:
            self._own.close()

    def _selected(self, part: Slice, after: str | None) -> Iterator[_Entry]:
        """Raises CatalogInvalid: the slice filters by something else than the facets."""
        for name in part.filters:
            if name not in FACETS:
                raise unknown_facet(name, FACETS)
        listed = self._listed(after) if part.keys is None else self._chosen(part.keys, after)
        return (entry for entry in listed if self._passes(entry, part))

    def _passes(self, entry: _Entry, part: Slice) -> bool:
        if not part.filters:
            return True
        values = self._facets(entry)
        return all(values[name] in allowed for name, allowed in part.filters.items())

    def _listed(self, after: str | None) -> Iterator[_Entry]:
        if self._only is None:
            yield from self._merged(range(len(self._members)), after)
            return
        entries = self._stream(self._only, after)
        while page := list(islice(entries, self._page)):
            later = self._found([entry.key for entry in page], beyond=self._only)
            yield from (later.get(entry.key, entry) for entry in page)

    def _chosen(self, keys: Iterable[str], after: str | None) -> Iterator[_Entry]:
        wanted = iter(sorted({key for key in keys if after is None or key > after}))
        while some := list(islice(wanted, PAGE)):
            found = self._found(some)
            own = found.keys() if self._only is None else self._found(some, of=self._only).keys()
            yield from (found[key] for key in some if key in found and key in own)

    def _merged(self, numbers: Iterable[int], after: str | None) -> Iterator[_Entry]:
        held: _Entry | None = None
        for entry in merge(*(self._stream(number, after) for number in numbers)):
            if held is not None and held.key != entry.key:
                yield held
            held = entry
        if held is not None:
            yield held

    def _stream(self, number: int, after: str | None) -> Iterator[_Entry]:
        """The pictures of one member behind a key."""
        intake, member = self._members[number]
        own, behind = picture_key(intake.namespace, ""), self._behind(number, after)
        if behind is not None:
            with self._named(intake):
                for told in member.told(behind or None, self._page):
                    yield _Entry(own + told.path, number, told)

    def _behind(self, number: int, after: str | None) -> str | None:
        """The path behind which a member goes on after a key; "" from its beginning, None where nothing is left."""
        own = picture_key(self._members[number][0].namespace, "")
        if after is None or after < own:
            return ""
        return after.removeprefix(own) if after.startswith(own) else None

    def _counted(self, numbers: Sequence[int], after: str | None) -> int:
        """How many pictures members of one namespace have together."""
        if len(numbers) > 1:
            return sum(1 for _ in self._merged(numbers, after))
        behind = self._behind(numbers[0], after)
        return 0 if behind is None else self._count(numbers[0], behind)

    def _count(self, number: int, behind: str) -> int:
        intake, member = self._members[number]
        with self._named(intake):
            return member.count(behind or None)

    @contextmanager
    def _named(self, intake: Intake) -> Iterator[None]:
        """Of what cannot be read within it is told whose it is, and what to do where it is gone for good."""
        try:
            yield
        except (CatalogUnavailable, CatalogInvalid) as error:
            if not self._collection:
                raise
            forget = f"embedding-console ingested {shlex.quote(self._collection)} --forget {shlex.quote(intake.name)}"
            raise type(error)(
                f"What was ingested into {self._collection} as {intake.namespace} cannot be told. {error.message}",
                f"{error.remedy} If its pictures were deleted for good, forget it: {forget}",
            ) from error

    def _by_namespace(self) -> dict[str, list[int]]:
        numbers: dict[str, list[int]] = {}
        for number, (intake, _) in enumerate(self._members):
            numbers.setdefault(intake.namespace, []).append(number)
        return numbers

    def _found(self, keys: Iterable[str], *, beyond: int = -1, of: int | None = None) -> dict[str, _Entry]:
        """Those of the keys that are told, by whoever comes last; only by members `beyond` a number, or `of` one."""
        found: dict[str, _Entry] = {}
        for number, (intake, member) in enumerate(self._members):
            own = picture_key(intake.namespace, "")
            paths = [key.removeprefix(own) for key in keys if key.startswith(own)]
            if paths and number > beyond and of in (None, number):
                with self._named(intake):
                    told = member.among(paths)
                found |= {own + path: _Entry(own + path, number, one) for path, one in told.items()}
        return found

    def _refuse_hidden(self, keys: Sequence[str]) -> None:
        """A picture that no member lists may still exist, in a folder that may not be read now: that one refuses it."""
        for intake, member in self._members:
            own = picture_key(intake.namespace, "")
            with self._named(intake):
                member.refuse_hidden([path_in(key) for key in keys if key.startswith(own)])

    def _row(self, entry: _Entry) -> ImageRow | None:
        intake, member = self._members[entry.number]
        row = member.row(entry.told)
        if row is None:
            return None
        path = entry.told.path
        payload = {**row.payload, **told_of(path), "namespace": intake.namespace, "label": row.payload.get("label", "")}
        return replace(row, key=entry.key, payload=payload, facets=self._facets(entry))

    def _facets(self, entry: _Entry) -> dict[str, str]:
        told = told_of(entry.told.path)
        named = {"folder": told["folder"], "extension": told["extension"]}
        return {"namespace": self._members[entry.number][0].namespace, "label": entry.told.label, **named}
