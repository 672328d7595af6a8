"""Where a migration would write: the target's name, and whether it may be written to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from console_core.errors import CollectionNotFound
from console_core.migration.findings import Finding, Request, block, warn
from console_core.migration.plan import target_name
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.types import CollectionInfo, VectorStore

SAMPLE = 64
"""Points of an existing target that are looked at for where they come from."""
_NAME = re.compile(r"[^\s<>:\"/\\|?*\x00-\x1f]{1,200}")
"""Names that Qdrant takes for a collection; the embedded store makes a folder of that name."""


@dataclass(frozen=True, slots=True)
class Target:
    """The target's name, what was found about it, and whether it exists and may be continued, with its `points`."""

    name: str
    findings: tuple[Finding, ...]
    continued: bool
    points: int


def look_at_target(store: VectorStore, ledger: Ledger, request: Request, fingerprint: str) -> Target:
    """The target of a request; `fingerprint` is the digest of the model that would write, "" where it is unknown."""
    aliases = store.aliases()
    collections = store.collections()
    taken = {collection.name for collection in collections} | set(aliases)
    name = request.target or target_name(request.served, request.model, taken)
    findings = [*_about_name(name), *_about_runs(name, ledger)]
    try:
        found = store.describe(name)
    except CollectionNotFound:
        same = [one for one in collections if fingerprint and one.stamp and one.stamp.fingerprint == fingerprint]
        findings += _built_before(request, aliases, same, ledger)
        return Target(name, tuple(findings), False, 0)
    if name in aliases:
        findings.append(block("target-alias", f"{name} is an alias.", "Choose another name for the target."))
    elif fingerprint and found.stamp and found.stamp.fingerprint == fingerprint:
        findings += _about_points(name, store)
        if name in aliases.values():
            text = f"{name} is live: new points are found by searches as soon as they are written."
            findings.append(warn("target-live", text))
        return Target(name, tuple(findings), True, found.points)
    else:
        findings.append(
            block(
                "target-exists",
                f"{name} exists and was not made by this model.",
                "Choose another name for the target.",
            )
        )
    return Target(name, tuple(findings), False, found.points)


def _about_name(name: str) -> Iterator[Finding]:
    if not _NAME.fullmatch(name) or name in (".", ".."):
        yield block(
            "target-name",
            f'"{name}" cannot be the name of a collection.',
            'Use up to 200 characters, without spaces and any of < > : " / \\ | ? *',
        )


def _about_runs(name: str, ledger: Ledger) -> Iterator[Finding]:
    unfinished = [run for run in ledger.runs(writes=True, target=name) if run.state not in TERMINAL]
    for run in unfinished[:1]:
        text = f"Run {run.id} ({run.state}) writes to {name}."
        yield block("target-busy", text, "Resume or cancel that run first.")


def _about_points(name: str, store: VectorStore) -> Iterator[Finding]:
    points, _ = store.page(name, limit=SAMPLE)
    foreign = [point.id for point in points if provenance(point.payload) is None]
    if foreign:
        yield block(
            "target-foreign",
            f"{name} has points that the console did not write, such as {foreign[0]}; embedding them "
            "again would replace their payload by the catalog's.",
            "Choose another name for the target.",
        )


def _built_before(
    request: Request, aliases: dict[str, str], same: list[CollectionInfo], ledger: Ledger
) -> Iterator[Finding]:
    """Collections that this very model made for this alias, beside the one that is served."""
    stem = f"{request.served.split('__')[0] or request.served}__"
    for one in same:
        builds = ledger.runs(kinds=("reembed",), target=one.name)
        ours = one.name.startswith(stem) or any(run.spec.get("alias") == request.served for run in builds)
        if ours and one.name not in (request.served, aliases.get(request.served)):
            yield warn(
                "already-built",
                f"{one.name} was made by this model already ({one.points:,} points).",
                "Fill its gaps or cut over to it instead, or go on to build another one.",
            )
