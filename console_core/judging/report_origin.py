"""The parts of a report that say what was judged, under which protocol, and what that cannot say."""

from console_core.judging import wording
from console_core.judging.outcome import EvaluationOutcome
from console_core.judging.report_numbers import Numbers, listing, paragraph

_PROTOCOL = {
    "metric": "Metric",
    "k": "Depth k",
    "scale": "Scale of grades",
    "gain": "Gain",
    "relevant": "Relevant from grade",
    "margin": "Margin",
    "confidence": "Confidence of each bound, or of all comparisons together",
    "floor": "Least Judged@k of either column",
    "gap": "Largest gap between the two",
    "queries": "Questions to judge (0: all)",
    "prefers": "Drawn more often, if not all",
    "repeats": "Questions with the same answers count",
    "seed": "Seed",
}
_OF_VOTES = ("k", "confidence", "queries", "prefers", "seed")
"""What votes go by."""


def limits() -> str:
    """What a verdict does not say."""
    return "<h2>What this does not say</h2>" + "".join(map(paragraph, wording.LIMITS))


def columns(outcome: EvaluationOutcome, numbers: Numbers) -> str:
    """Which collection and model each letter is."""
    names = ("letter", "asked", "way", "collection", "model", "fingerprint", "dimension", "points", "settings")
    written = {"points": "count", "settings": "settings"}
    rows = []
    for place in range(len(outcome.columns)):
        told = [numbers(f"columns.{place}.{name}", written.get(name, "plain")) for name in names]
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in told)}</tr>")
    heads = ("", "Asked as", "Searched", "Collection", "Model", "Fingerprint", "Dimension", "Points", "Settings")
    fed = [(one.letter, numbers(f"columns.{place}.fed", "plain")) for place, one in enumerate(outcome.columns)]
    twins = "".join(
        paragraph(f"{one.letter} is {one.twin_of}'s twin: the same collection, searched another way ({one.way}).")
        for one in outcome.columns
        if one.twin_of
    )
    if twins:
        twins += paragraph(wording.TWINS)
    return (
        f"<h2>Columns</h2><table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table>"
        f"{paragraph('A is the reference.')}{twins}"
        f"<h3>Encoders, when the questions were asked</h3>{listing('', fed)}"
    )


def origin(outcome: EvaluationOutcome, numbers: Numbers) -> str:
    """All that is needed to look the evaluation up, or to do it again."""
    names = _PROTOCOL if outcome.way == "grades" else _OF_VOTES
    protocol = [(_PROTOCOL[name], numbers(f"protocol.{name}", "plain")) for name in names]
    intact = "intact" if outcome.answered.intact else "NOT what they were sealed with"
    rows = [
        ("Evaluation", f"{numbers('evaluation', 'plain')}, by {numbers('way', 'plain')}"),
        ("Begun", f"{numbers('made_at', 'moment')} by {numbers('made_by', 'plain')}"),
        ("Models told", f"{numbers('revealed_at', 'moment')} to {numbers('revealed_by', 'plain')}"),
        (
            "Query set",
            f"{numbers('answered.set_name', 'plain')}, version {numbers('answered.set_version', 'plain')}",
        ),
        (
            "Kept answers",
            f"{numbers('answered.id', 'plain')}, {numbers('answered.depth', 'count')} to each question, "
            f"{numbers('answered.made_at', 'moment')} by {numbers('answered.made_by', 'plain')}",
        ),
        ("Their digest", f"<code>{numbers('answered.digest', 'plain')}</code>, {intact}"),
        ("Versions", numbers("versions", "versions")),
    ]
    seen = [
        (
            numbers(f"looks.{place}.at", "moment"),
            f"{numbers(f'looks.{place}.by', 'plain')}: {numbers(f'looks.{place}.outcome', 'plain')}",
        )
        for place in range(len(outcome.looks))
    ]
    return (
        listing(
            "Protocol, locked before the first judgement",
            [*protocol, ("Digest", f"<code>{numbers('digest', 'plain')}</code>")],
        )
        + listing("Where it comes from", rows)
        + (listing("Looks", seen) if seen else "")
    )
