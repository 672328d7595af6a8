"""What every store refuses, in the same words, and what is done where nobody knows whether an alias was moved."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from console_core.errors import AliasConflict, CollectionNotFound, OutcomeUnknown, StoreUnavailable


def not_found(name: str, place: str) -> CollectionNotFound:
    return CollectionNotFound(
        f'There is no collection or alias "{name}" in {within(place)}.',
        "Look at the list of collections; it may have been renamed, dropped, or live in another store.",
    )


def within(place: str) -> str:
    """A place in the middle of a sentence."""
    return place[:1].lower() + place[1:]


def read_only(paths: Iterable[Path], place: str) -> StoreUnavailable | None:
    """Why a store in files may not be written, by the first of its paths that is there and read-only; or None."""
    for path in paths:
        if path.exists() and not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return StoreUnavailable(
                f"{place} may not be written: {path} is read-only for this user.",
                "Give this user write permission to the folder and its files, and mount its disk for writing.",
            )
    return None


def point(alias: str, to: str, move: Callable[[], object], aliases: Callable[[], Mapping[str, str]]) -> None:
    """Move an alias, and read it back. A move whose answer was lost may have been made all the same.

    Raises:
        AliasConflict: it leads elsewhere now.
        OutcomeUnknown: nobody knows whether it was moved.
        StoreUnavailable: it was not moved.
    """
    try:
        move()
    except StoreUnavailable as error:
        if _read_back(alias, to, aliases, error) != to:
            raise
    found = _read_back(alias, to, aliases)
    if found != to:
        raise moved_meanwhile(alias, to, found)


def _read_back(
    alias: str, to: str, aliases: Callable[[], Mapping[str, str]], cause: StoreUnavailable | None = None
) -> str | None:
    try:
        return aliases().get(alias)
    except StoreUnavailable as error:
        raise not_known(alias, to, error) from (cause or error)


def not_expected(alias: str, found: str | None, expected: str | None) -> AliasConflict:
    return AliasConflict(
        f'"{alias}" {points_to(found)}, not to what was expected ({expected or "nothing"}).',
        "Somebody else moved it. Look at who searches what now, then decide again; nothing was changed.",
    )


def moved_meanwhile(alias: str, to: str, found: str | None) -> AliasConflict:
    return AliasConflict(
        f'"{alias}" was pointed to "{to}", but now {points_to(found)}.',
        "Somebody else moved it at the same moment. Look at who searches what now, then decide again.",
    )


def bears_a_name(alias: str, store: str) -> AliasConflict:
    return AliasConflict(
        f'"{alias}" is a collection, and {store} refuses an alias that bears a collection\'s name.',
        "Choose another alias and point the application to it once; later cut-overs need no such step.",
    )


def searched_through(name: str, aliases: list[str]) -> AliasConflict:
    return AliasConflict(
        f'"{name}" is being searched through the alias {", ".join(aliases)}.',
        "Point the alias to another collection first.",
    )


def is_an_alias(name: str, target: str) -> CollectionNotFound:
    return CollectionNotFound(f'"{name}" is an alias of "{target}".', "Name the collection itself.")


def not_known(alias: str, to: str, error: StoreUnavailable) -> OutcomeUnknown:
    return OutcomeUnknown(
        f'"{alias}" may have been pointed to "{to}": the store stopped answering meanwhile. {error.message}',
        "When the store answers again, look at what the alias serves. If it was moved, it can be rolled back.",
    )


def points_to(target: str | None) -> str:
    return f'points to "{target}"' if target else "points to nothing"
