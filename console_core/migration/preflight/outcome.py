"""The preflight as a whole: each part is looked at, and where nothing blocks, a plan is made."""

from console_core.embedding.types import Embedder
from console_core.engine.shape import Shape
from console_core.errors import CatalogError
from console_core.migration.current import count_lacking
from console_core.migration.findings import Estimate, Finding, Preflight, Request, Severity, block, info
from console_core.migration.plan import USUAL_BATCH, MigrationPlan
from console_core.migration.preflight.catalog import look_at_catalog
from console_core.migration.preflight.ledger import about_ledger
from console_core.migration.preflight.model import about_change, about_former_weights, look_at_model
from console_core.migration.preflight.own_payload import about_own_payload
from console_core.migration.preflight.parts import Parts
from console_core.migration.preflight.pictures import about_roots, look_at_pictures
from console_core.migration.preflight.resources import Need, about_room, need
from console_core.migration.preflight.sharing import about_sharing
from console_core.migration.preflight.source import about_source_model, look_at_source
from console_core.migration.preflight.store import about_limits, about_store
from console_core.migration.preflight.switching import about_switching
from console_core.migration.preflight.target import Target, Wanted, look_at_target
from console_core.migration.preflight.trial import Trial
from console_core.migration.preflight.tuning import about_tuning
from console_core.vectorstore.tuning import settings_of
from console_core.vectorstore.types import CollectionInfo


def preflight(parts: Parts, request: Request, *, beside: Need | None = None) -> Preflight:
    """Findings, exact counts, the target's name and an estimate for what a person chose. Nothing is written.

    `beside` is what others need that are about to be built at the same time.

    Raises:
        StoreUnavailable, LedgerUnavailable: the preflight itself cannot be done.
    """
    findings: list[Finding] = []
    if request.batch_size < 1:
        findings.append(
            block("batch-size", f"A batch cannot have {request.batch_size} pictures.", f"Use {USUAL_BATCH}.")
        )
    aliases = parts.store.aliases()
    source = look_at_source(parts, request, aliases, findings)
    embedder = look_at_model(parts.models, request, findings)
    chosen = look_at_catalog(parts.catalog, request.part, findings)
    wanted = Wanted.of(source, embedder, request.tuning)
    target = look_at_target(parts.store, parts.ledger, request, wanted, findings)
    findings += about_switching(parts.store, parts.catalog, request.served, target.name)
    findings += about_sharing(parts.store, request, target.name)
    findings += about_own_payload(parts.catalog, request.served, source, target.name)
    findings += about_store(parts.store, target.name)
    filled = target.found if target.continued else None
    findings += about_tuning(parts.store, wanted, request.tuning, former=source, found=filled)
    findings += about_ledger(parts)
    to_embed = _to_embed(parts, request, target, wanted.fingerprint, chosen.selected, findings)
    if embedder is not None:
        findings += about_former_weights(embedder, request, source, target.others)
    if source is not None and embedder is not None:
        findings += about_source_model(source, request, embedder, parts.models)
        findings += about_change(source, embedder, request)
    looked = None
    if embedder is not None and chosen.readable:
        looked = look_at_pictures(parts, request, embedder, chosen.selected, findings)
    measured, parity = looked or (None, None)
    findings += about_roots(parts, measured)
    estimate, needed = None, beside
    if embedder is not None:
        findings += about_limits(source, target.found, chosen.selected, request.batch_size, wanted.dimension)
        if measured is not None and measured.rate:
            own = _need(parts, request, embedder, to_embed)
            needed = own.plus(beside) if beside else own
            findings += about_room(parts.store.info(), needed, chosen.selected, parts.ledger_url)
            estimate = _estimate(measured, to_embed, own)
    blocked = any(finding.severity is Severity.BLOCK for finding in findings)
    memory = estimate.memory if estimate is not None else 0
    plan = _plan(request, source, wanted, target, aliases, memory) if source and embedder and not blocked else None
    points = source.points if source else 0
    found = tuple(dict.fromkeys(findings))
    return Preflight(request, plan, target.name, found, chosen.selected, to_embed, points, estimate, parity, needed)


def _to_embed(
    parts: Parts, request: Request, target: Target, fingerprint: str, selected: int, findings: list[Finding]
) -> int:
    """How many pictures the target lacks: all that are selected, but where it exists and is continued."""
    if not target.continued or not fingerprint or not selected:
        return selected
    try:
        lacking = count_lacking(parts.catalog, request.part, parts.store, target.name, fingerprint)
    except CatalogError as error:
        findings.append(block("catalog", error.message, error.remedy))
        return selected
    findings.append(
        info(
            "target-continued",
            f"{target.name} exists with {target.points:,} points of this model; only gaps are filled: "
            f"{lacking:,} of {selected:,} pictures.",
        )
    )
    return lacking


def _need(parts: Parts, request: Request, embedder: Embedder, to_embed: int) -> Need:
    return need(
        parts.store.info(),
        to_embed=to_embed,
        dimension=embedder.card.dimension,
        batch_size=max(request.batch_size, 1),
        shape=Shape.of([embedder], largest=True, readers=parts.images.readers),
    )


def _estimate(measured: Trial, to_embed: int, needed: Need) -> Estimate:
    seconds = to_embed / measured.rate
    return Estimate(measured.rate, (0.7 * seconds, 1.5 * seconds), needed.store, measured.tried, needed.memory)


def _plan(
    request: Request, source: CollectionInfo, wanted: Wanted, target: Target, aliases: dict[str, str], memory: int
) -> MigrationPlan:
    kept = settings_of(target.found) if target.found else None  # what is there stays as it is
    index, quantization = kept or (wanted.index, wanted.quantization)
    return MigrationPlan(
        alias=request.served if request.served in aliases else "",
        source=source.name,
        model=request.model,
        fingerprint=wanted.fingerprint,
        target=target.name,
        dimension=wanted.dimension,
        distance=wanted.distance,
        part=request.part,
        index=index,
        quantization=quantization,
        batch_size=request.batch_size,
        mode=request.mode,
        fills=target.continued,
        in_place=request.in_place and request.served not in aliases,
        memory=memory,
    )
