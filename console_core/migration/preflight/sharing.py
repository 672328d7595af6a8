"""Where the target would be a further named vector of a collection: what that is, and where it cannot be searched."""

from collections.abc import Iterator

from console_core.migration.findings import Finding, Request, block, info, warn
from console_core.migration.plan import model_name
from console_core.vectorstore.sharing import AT, Sharing, sharing_of
from console_core.vectorstore.types import VectorStore


def about_sharing(store: VectorStore, request: Request, target: str) -> Iterator[Finding]:
    """Nothing where both the target and what is served have points of their own.

    Raises:
        StoreError
    """
    served, wanted = sharing_of(store, request.served), sharing_of(store, target)
    if wanted is not None and wanted.refused is not None:
        yield block("named-refused", wanted.refused.message, wanted.refused.remedy)
    elif served is not None and (wanted is None or wanted.home != served.home or request.in_place):
        yield block(
            "named-elsewhere",
            f"{request.served} leads to a named vector of {served.home}, and to nothing else: it cannot be moved to "
            f"{target}{', nor its name be passed on' if request.in_place else ''}.",
            f"Give the target a name that begins with {served.home}{AT}, to add a named vector beside that one: "
            f"--target {named_beside(served, request.model)}. A parallel collection needs an alias of a whole one.",
        )
    elif wanted is not None and served is None:
        yield block(
            "named-elsewhere",
            f"{target} would be a named vector of {wanted.home}, and {request.served} cannot lead to one.",
            f"Introduce the alias {wanted.home}{AT}searched for the vector that is searched now, let the application "
            f"read it, and migrate that alias; or leave the target's name out, for a parallel collection.",
        )
    elif wanted is not None:
        yield _about_adding(store, request, wanted)
        if wanted.left_alone:
            yield info(
                "named-beside",
                f"{wanted.home} also has {', '.join(wanted.left_alone)}, which the console cannot make: they stay as "
                "they are, and a point that is made new has none.",
            )


def named_beside(served: Sharing, model: str) -> str:
    """A name for a further vector of the same collection."""
    return f"{served.home}{AT}{model_name(model)}"


def _about_adding(store: VectorStore, request: Request, wanted: Sharing) -> Finding:
    found = store.info()
    known = (
        f"{found.kind} ({found.version}) does it in its own way."
        if wanted.embedded
        else f"This is {found.kind} {found.version or 'of an unknown version'}; while it is filled, points move within "
        "the collection, and searches of the other vector may be slower until these are indexed again."
    )
    return warn(
        "named-vector",
        f"The vectors become {wanted.vector}, a named vector of {wanted.home}, which {request.served} is searched in "
        "now. Qdrant's own tests have adding and dropping vectors switched off as known to be broken, in 1.19, the "
        f"last version that was looked at. {known} Payload fields of the application's are not written again.",
        f"A parallel collection touches nothing that is searched: prefer it where the application can search another "
        f"collection. Otherwise back {request.served} up first, and prove that.",
    )
