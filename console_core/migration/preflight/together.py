"""Preflights of migrations that shall be built together: each its own, and room for all of them."""

from collections.abc import Sequence
from dataclasses import replace

from console_core.migration.findings import Finding, Preflight, Request, block
from console_core.migration.preflight.outcome import preflight
from console_core.migration.preflight.parts import Parts
from console_core.migration.preflight.resources import Need


def preflights(parts: Parts, requests: Sequence[Request]) -> list[Preflight]:
    """One for each request. What one needs of disk and memory is not there for those after it.

    Raises:
        as `preflight`.
    """
    found: list[Preflight] = []
    needed: Need | None = None
    for request in requests:
        one = preflight(parts, request, beside=needed)
        if any(one.target == other.target for other in found):
            told = block("target-busy", f"{one.target} would be built twice.", "Give each model a target of its own.")
            one = replace(one, plan=None, findings=(told, *one.findings))
        if found:
            one = replace(one, findings=tuple(map(_of_all, one.findings)))
        found.append(one)
        needed = one.need
    return found


def _of_all(finding: Finding) -> Finding:
    """Figures of room are those of all so far, and say so."""
    if finding.code != "room":
        return finding
    return replace(finding, message=finding.message.replace("Needed:", "Needed, together with those before it:", 1))
