"""Whether the store can take a new collection at all: its version, its permissions, and the limits that it enforces."""

from collections.abc import Iterator, Mapping
from typing import Any

from console_core.migration.findings import Finding, block, info, warn
from console_core.vectorstore.types import REQUEST, CollectionInfo, VectorStore


def about_store(store: VectorStore, target: str) -> Iterator[Finding]:
    """What speaks against writing the target, as far as it can be known without a write."""
    found = store.info()
    if found.problem:
        yield block("server-version", found.problem, found.remedy)
    elif not found.keeps_metadata:
        yield warn(
            "server-metadata",
            f"{found.kind} {found.version} keeps no metadata: a collection's model is told from its points only.",
            "Upgrade it to 1.16 or newer; until then an empty collection does not say which model it is for.",
        )
    refusal = store.refuses_writes(target)
    if refusal is not None:
        yield block("store-read-only", refusal.message, refusal.remedy)


def about_limits(
    source: CollectionInfo | None, target: CollectionInfo | None, selected: int, batch_size: int, dimension: int
) -> Iterator[Finding]:
    """The strict mode of the target, or, where that is not there yet, of the source as a hint at the server's usual."""
    like = target or source
    if like is None:
        return
    severe = block if target else warn
    where = f"{like.name} has a limit" if target else f"{like.name} has a limit, and the new collection may get it too"
    for limit, needed, unit in _needed(like.limits, selected, batch_size, dimension):
        value = like.limits[limit]
        yield severe(
            "store-limits",
            f"{where}: {limit} is {value:,}, and {needed:,} {unit} are needed.",
            f"Raise strict_mode_config.{limit} on the server"
            + (f", or use batches of at most {value:,}." if limit == "upsert_max_batchsize" else "."),
        )
    if rate := like.limits.get("write_rate_limit"):
        yield info("store-rate", f"{like.name} takes {rate:,} writes a minute; the build waits where that is reached.")


def _needed(
    limits: Mapping[str, Any], selected: int, batch_size: int, dimension: int
) -> Iterator[tuple[str, int, str]]:
    wanted = {
        "max_points_count": (selected, "points"),
        "upsert_max_batchsize": (min(batch_size, REQUEST), "points a request"),
        "max_collection_vector_size_bytes": (4 * selected * dimension, "bytes of vectors"),
    }
    for limit, (needed, unit) in wanted.items():
        if limits.get(limit) is not None and limits[limit] < needed:
            yield limit, needed, unit
