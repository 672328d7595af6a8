"""What a preflight found, gravest first and by what it is about; notes are tucked away."""

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from console_core.embedding.preprocessing import Mode
from console_core.migration.filling import mode_of
from console_core.migration.findings import About, Finding, Preflight, Severity
from console_core.migration.preflight.parity import nearer
from console_core.ui import panels, session, words
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.named import offer_named

_ORDER = tuple(Severity)


def show_findings(found: Preflight, draft: Draft, key: str = "") -> None:
    """One line that sums up, then what blocks and warns, then notes. `key` tells several preflights on a page apart."""
    st.markdown(_summary(found))
    for about, findings in grouped(found.findings):
        with st.container(border=True, gap="small", key=f"found-{about.name.lower()}{key}"):
            st.markdown(f"**{_title(about)}**")
            panels.findings(findings, action=lambda finding: _offer(finding, found, draft, key))
    notes = [finding for finding in found.findings if finding.severity is Severity.INFO]
    if notes:
        with st.expander(f"Good to know ({len(notes)})", icon=":material/info:"):
            panels.findings(notes, action=lambda finding: _offer(finding, found, draft, key))


def grouped(findings: Iterable[Finding]) -> list[tuple[About, list[Finding]]]:
    """What blocks or warns, by what it is about; where something blocks comes first."""
    groups: dict[About, list[Finding]] = {}
    for finding in findings:
        if finding.severity is not Severity.INFO:
            groups.setdefault(finding.about, []).append(finding)
    places = list(About)
    worst = {about: min(_ORDER.index(one.severity) for one in group) for about, group in groups.items()}
    return sorted(groups.items(), key=lambda item: (worst[item[0]], places.index(item[0])))


def _summary(found: Preflight) -> str:
    number = {kind: sum(finding.severity is kind for finding in found.findings) for kind in Severity}
    blocks, warnings = number[Severity.BLOCK], number[Severity.WARN]
    minded = f", and {words.count(warnings, 'warning')} to mind" if warnings else ""
    if blocks:
        verb = "thing blocks" if blocks == 1 else "things block"
        return f":red[:material/block:] **{blocks} {verb} the build**{minded}. Nothing was written."
    clear = "Nothing blocks; mind the warnings." if warnings else "Nothing stands in the way."
    return f":green[:material/check_circle:] {clear}"


def _title(about: About) -> str:
    return about.value[0].upper() + about.value[1:]


def _offer(finding: Finding, found: Preflight, draft: Draft, key: str) -> None:
    """The answer that a person can give on the spot."""
    if finding.code == "no-text-tower":
        by_picture = replace(draft, text_search=False).write
        st.button("Only by picture", key=f"image-only{key}", icon=":material/image_search:", on_click=by_picture)
    elif finding.code == "parity" and finding.severity is not Severity.INFO:
        _offer_mode(nearer(draft.mode), draft, key)
    elif finding.code == "target-mode":
        _offer_mode(mode_of(session.console().store, draft.target), draft, key)
    elif finding.code == "named-elsewhere":
        offer_named(draft, key)
    elif finding.code == "image-only" and session.console().models.cards.embeds_text(found.request.model):
        st.button("By text too", key=f"text-too{key}", on_click=replace(draft, text_search=True).write)


def _offer_mode(mode: Mode, draft: Draft, key: str) -> None:
    st.button(f"{mode.capitalize()} mode", key=f"take-{mode}{key}", on_click=replace(draft, mode=mode).write)
