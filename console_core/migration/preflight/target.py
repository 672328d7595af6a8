"""Where a migration would write: the target's name, and whether it may be written to."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from console_core.embedding.types import Embedder
from console_core.errors import CollectionNotFound
from console_core.migration.findings import Finding, Request, block, info, warn
from console_core.migration.plan import MigrationPlan, target_name, target_stem
from console_core.runs.ledger import Ledger
from console_core.vectorstore.naming import RULE, is_name
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.sharing import AT, sharing_of
from console_core.vectorstore.spread import spread
from console_core.vectorstore.tuning import AS_FORMER, Tuning, index_text, lacking, quantization_text, settings_of
from console_core.vectorstore.types import CollectionInfo, VectorStore


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the target shall be. `fingerprint` is "" and `dimension` 0 where the model cannot be loaded."""

    fingerprint: str = ""
    dimension: int = 0
    distance: str = "cosine"
    index: Mapping[str, Any] = field(default_factory=dict)
    quantization: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, source: CollectionInfo | None, embedder: Embedder | None, tuning: Tuning = AS_FORMER) -> Self:
        """The source's settings, with what is asked for instead, for the model's vectors."""
        index, quantization = tuning.over(*(settings_of(source) if source else ({}, {})))
        return cls(
            fingerprint=embedder.fingerprint.digest if embedder else "",
            dimension=embedder.card.dimension if embedder else 0,
            distance=source.distance if source and source.distance in ("cosine", "dot") else "cosine",
            index=index,
            quantization=quantization,
        )


@dataclass(frozen=True, slots=True)
class Target:
    """The target's name, the collection where it exists already, whether that may be continued, and all others."""

    name: str
    found: CollectionInfo | None
    continued: bool
    others: tuple[CollectionInfo, ...]

    @property
    def points(self) -> int:
        return self.found.points if self.found else 0


def look_at_target(
    store: VectorStore, ledger: Ledger, request: Request, wanted: Wanted, findings: list[Finding]
) -> Target:
    """The target of a request."""
    aliases = store.aliases()
    collections = store.collections()
    taken = {collection.name for collection in collections} | set(aliases)
    name = request.target or _proposed(store, request, taken)
    others = tuple(collection for collection in collections if collection.name != name)
    findings += about_name(name, ledger)
    try:
        found = store.describe(name)
    except CollectionNotFound:
        findings += _built_before(request, wanted, aliases, collections, ledger)
        return Target(name, None, continued=False, others=others)
    if name in aliases:
        text = f"{name} is an alias, of {aliases[name]}: writing to it would change what is searched now."
        findings.append(block("target-alias", text, "Choose another name for the target."))
        return Target(name, None, continued=False, others=tuple(collections))
    ours = bool(wanted.fingerprint) and found.stamp is not None and found.stamp.fingerprint == wanted.fingerprint
    if ours:
        findings += _about_shape(found, wanted, request)
        findings += _about_points(store, found, wanted)
        findings += _about_mode(found, request)
        if name in aliases.values():
            text = f"{name} is live: new points are found by searches as soon as they are written."
            findings.append(warn("target-live", text, "Leave the target's name free to build beside it instead."))
    else:
        findings.append(_not_ours(found, request, wanted))
    return Target(name, found, continued=ours, others=others)


def _proposed(store: VectorStore, request: Request, taken: Collection[str]) -> str:
    """A free name for a collection with points of its own: a named vector beside others must be asked for."""
    served = sharing_of(store, request.served)
    name = target_name(served.home if served else request.served, request.model, taken)
    return name.replace(AT, "-") if sharing_of(store, name) else name


def about_name(name: str, ledger: Ledger) -> Iterator[Finding]:
    """Whether a collection may bear the name, and nobody writes to it."""
    if not is_name(name):
        yield block("target-name", f'"{name}" cannot be the name of a collection.', RULE)
    run = ledger.holder(name)
    if run is not None:
        text = f"Run {run.id} ({run.kind}, {run.state}) writes to {name}."
        yield block("target-busy", text, "Resume or cancel that run first, on the Runs page.")


def _not_ours(found: CollectionInfo, request: Request, wanted: Wanted) -> Finding:
    if wanted.fingerprint and found.stamp and found.stamp.model == request.model:
        return block(
            "target-weights",
            f"{found.name} was made by {request.model} with the fingerprint {found.stamp.fingerprint}; it has "
            f"{wanted.fingerprint} now: weights or preprocessing changed under the same name.",
            "Put the former files back to fill its gaps, or choose another name for the target.",
        )
    made = f"by {found.stamp.model or 'another model'}" if found.stamp else "by nobody knows which model"
    return block(
        "target-exists",
        f"{found.name} exists with {found.points:,} points and was not made by this model, but {made}.",
        "Choose another name for the target.",
    )


def _about_shape(found: CollectionInfo, wanted: Wanted, request: Request) -> Iterator[Finding]:
    """Whether what exists is what the plan would make."""
    new = "Choose another name for the target, so that a new one is built."
    if found.problem:
        yield block("target-shape", f"{found.name} cannot be filled. {found.problem}", new)
    if found.dimension != wanted.dimension:
        text = f"{found.name} has vectors of {found.dimension:,} numbers, and the model makes {wanted.dimension:,}."
        yield block("target-dimension", text, new)
    if found.distance != wanted.distance:
        text = f"{found.name} measures {found.distance} distance, and the plan wants {wanted.distance}."
        yield block("target-distance", text, new)
    asked, (index, quantization) = not request.tuning.as_former, settings_of(found)
    if not found.points and not asked:
        yield info(
            "target-settings",
            f"{found.name} is there and empty, and its own settings are kept: {index_text(index)}; quantization: "
            f"{quantization_text(quantization)}.",
        )
        return
    than = "what is asked for" if asked else "what is served now"
    for what, has, wants in (
        ("index", index, wanted.index),
        ("quantization", quantization, wanted.quantization),
    ):
        if differing := _differing(has, wants):
            yield warn(
                f"target-{what}",
                f"The {what} of {found.name} differs from {than}: {differing}.",
                f"{new} Or change these settings on the server; search is as right, but slower or less exact.",
            )


def _differing(has: Mapping[str, Any], wants: Mapping[str, Any]) -> str:
    names = sorted({*lacking(has, wants), *lacking(wants, has)})
    return ", ".join(f"{name} is {_said(has.get(name))}, not {_said(wants.get(name))}" for name in names)


def _said(value: Any) -> str:
    return "unset" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _about_points(store: VectorStore, found: CollectionInfo, wanted: Wanted) -> Iterator[Finding]:
    """A sample from everywhere in it: points of others would lose their payload, or mix two models."""
    foreign = [
        (point.id, made.fingerprint if (made := provenance(point.payload)) else "")
        for points in spread(store, found.name)
        for point in points
    ]
    theirs = [identifier for identifier, digest in foreign if not digest]
    mixed = [identifier for identifier, digest in foreign if digest not in ("", wanted.fingerprint)]
    if theirs:
        yield block(
            "target-foreign",
            f"{found.name} has points that the console did not write, such as {theirs[0]}; embedding them "
            "again would replace their payload by the catalog's.",
            "Choose another name for the target.",
        )
    if mixed:
        yield warn(
            "target-mixed",
            f"{len(mixed):,} of {len(foreign):,} points sampled in {found.name} are of another model, like {mixed[0]}.",
            "Filling embeds those anew that are in the catalog; verify it afterwards, before it goes live.",
        )


def _about_mode(found: CollectionInfo, request: Request) -> Iterator[Finding]:
    """Whether what is there was decoded and resized in the mode that is asked for now."""
    built = found.stamp.preprocess if found.stamp else ""
    if built and built != request.mode:
        yield warn(
            "target-mode",
            f"{found.name} was built in {built} mode, and the pictures that it lacks would be embedded in "
            f"{request.mode} mode. One search finds both; their vectors differ as far as the two modes do, and "
            f"verification, repair and catching up go on in {built} mode.",
            f"Choose {built} mode, so that all of its vectors are made alike.",
        )


def _built_before(
    request: Request, wanted: Wanted, aliases: Mapping[str, str], collections: list[CollectionInfo], ledger: Ledger
) -> Iterator[Finding]:
    """Collections that this very model made for this alias, beside the one that is served."""
    stem = f"{target_stem(request.served)}__"
    for one in collections:
        if not wanted.fingerprint or one.stamp is None or one.stamp.fingerprint != wanted.fingerprint:
            continue
        builds = ledger.runs(kinds=("reembed",), target=one.name)
        ours = one.name.startswith(stem) or any(
            MigrationPlan.from_json(run.spec).served_as == request.served for run in builds
        )
        if ours and one.name not in (request.served, aliases.get(request.served)):
            yield warn(
                "already-built",
                f"{one.name} was made by this model already ({one.points:,} points).",
                "Fill its gaps or cut over to it instead, or go on to build another one.",
            )
