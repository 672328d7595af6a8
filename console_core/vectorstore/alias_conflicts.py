"""Why an alias was not moved, in the words of every store."""

from console_core.errors import AliasConflict, CollectionNotFound, OutcomeUnknown, StoreUnavailable


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
