"""The report of an evaluation: one HTML file that needs nothing else, for whoever has to decide.

It asks for nothing from anywhere: no script, font or picture but its own, and a policy in it that forbids them. Every
number is taken from the outcome's JSON document and written by `wording`; `data-of` says which one, `data-as` how.
"""

from html import escape

from console_core.catalog.thumbnails import Thumbnails
from console_core.errors import Refused
from console_core.judging import wording
from console_core.judging.comparisons import Comparison
from console_core.judging.judgements import Evaluation
from console_core.judging.outcome import EvaluationOutcome
from console_core.judging.report_numbers import Numbers, exploratory, listing, paragraph
from console_core.judging.report_origin import columns, limits, origin
from console_core.judging.report_queries import queries
from console_core.judging.report_style import STYLE
from console_core.judging.snapshots import Snapshots

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_METRICS = (("nDCG", "ndcg"), ("P", "p"), ("RR", "rr"), ("Recall", "recall"))


def refuse_unrevealed(evaluation: Evaluation) -> None:
    """
    Raises:
        Refused: the models were not told yet, and a report names them.
    """
    if evaluation.revealed_at is None:
        raise Refused(
            f"{evaluation.id} is still judged blindly, and a report names the models.",
            f"When all is judged, `embedding-console reveal {evaluation.id}` ends the judging.",
        )


def html_of(outcome: EvaluationOutcome, snapshots: Snapshots, thumbnails: Thumbnails) -> str:
    """The report as HTML, at most about 10 MB. Pictures that cannot be had are grey, with their keys.

    Raises:
        Refused: the models were not told yet.
    """
    if outcome.revealed_at is None:
        raise Refused("A report names the models, and they were not told yet.", "Reveal the evaluation first.")
    numbers = Numbers(outcome.to_json())
    labels = ", ".join(column.label for column in outcome.columns)
    body = [
        _verdicts(outcome, numbers),
        _facts(outcome, numbers),
        *(_comparison(outcome, place, numbers) for place in range(len(outcome.comparisons))),
        _votes(outcome, numbers),
        limits(),
        columns(outcome, numbers),
        origin(outcome, numbers),
        queries(outcome, numbers, snapshots, thumbnails),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>Verdict: {escape(labels)}</title><style>{STYLE}</style></head><body>"
        f"{''.join(body)}</body></html>\n"
    )


def _verdicts(outcome: EvaluationOutcome, numbers: Numbers) -> str:
    """The verdict first, for each column in a headline and a sentence."""
    label = {column.letter: column.label for column in outcome.columns}
    found: list[str] = []
    for place, one in enumerate(outcome.comparisons):
        said = wording.headline(one.verdict.outcome, label[one.letter], label["A"])
        found.append(f'<h1 class="{one.verdict.outcome}">{escape(said)}</h1>')
        found.append(_said(one, f"comparisons.{place}", numbers))
        if one.attributed is not None:
            found.append(f'<p class="lead">{numbers(f"comparisons.{place}.attributed.text", "plain")}</p>')
        found.append(paragraph(outcome.advice(one)))
    for place, pair in enumerate(outcome.ballots.pairs if outcome.ballots else ()):
        said = wording.preferred(pair.finding, label[pair.x], label[pair.y])
        kind = {"A": "preferred", "B": "preferred", "withheld": "withheld"}.get(pair.finding, "inconclusive")
        found.append(f'<h1 class="{kind}">{escape(said)}</h1>')
        found.append(f'<p class="lead">{numbers(f"ballots.pairs.{place}.text", "plain")}</p>')
        if pair.missing:
            found.append(paragraph(wording.advice("withheld", revealed=True)))
    found += [
        f'<p class="lead warning">{numbers(f"warnings.{place}", "plain")}</p>' for place in range(len(outcome.warnings))
    ]
    if outcome.caution:
        found.append(f'<p class="caution">{numbers("caution", "plain")}</p>')
    return "".join(found)


def _said(one: Comparison, at: str, numbers: Numbers) -> str:
    """The verdict in a sentence, or each reason why there is none."""
    if one.verdict.decision:
        return f'<p class="lead">{numbers(f"{at}.text", "plain")}</p>'
    reasons = (numbers(f"{at}.verdict.reasons.{place}.text", "plain") for place in range(len(one.verdict.reasons)))
    return f"<ul>{''.join(f'<li>{reason}</li>' for reason in reasons)}</ul>"


def _facts(outcome: EvaluationOutcome, numbers: Numbers) -> str:
    """What the verdict rests on, in a few lines."""
    rows = [
        ("Judges, and how much they said", numbers("judges", "judges")),
        *([("Of these count", numbers("counting", "finished"))] if outcome.counting != outcome.judges else []),
        ("Looks at the verdict", numbers("looked", "plain")),
        ("Questions in the set", numbers("answered.questions", "count")),
    ]
    if outcome.way == "votes":
        voted = [
            ("Voted on", f"lists of {numbers('protocol.k', 'count')}; of votes there is no metric and no margin"),
            ("Confidence of all pairs together", numbers("protocol.confidence", "share")),
            ("Questions to vote on (0: all that are not answered alike)", numbers("protocol.queries", "count")),
        ]
        return listing("What this rests on", [*voted, *rows])
    agreement = (
        f"{numbers('agreement.alpha', 'strength')}, from {numbers('agreement.shared', 'count')} pictures that two or "
        "more graded (Krippendorff's alpha; 1 is agreement throughout)"
    )
    if outcome.agreement is None or outcome.agreement.alpha is None:
        agreement = numbers("agreement.reason", "plain")
    unjudged = f"{numbers('pictures.unjudged', 'count')} of {numbers('pictures.all', 'count')}"
    *judges, looks, questions = rows
    rows = [
        ("Margin", f"{numbers('protocol.margin', 'plain')} of {numbers('protocol.measure', 'plain')}"),
        *(
            (
                f"Questions (n), {one.letter} beside A",
                numbers(f"comparisons.{place}.verdict.decision.estimate.n", "count"),
            )
            for place, one in enumerate(outcome.comparisons)
        ),
        *judges,
        ("Where the grades come from", numbers("imported.text", "plain")),
        ("Agreement of judges", agreement),
        ("Unjudged pictures", f"{numbers('pictures.share', 'share')}: {unjudged}"),
        looks,
        ("Gain of each grade", f"{numbers('protocol.gain', 'plain')}: {numbers('gains', 'gain')}"),
        ("Relevant from grade", numbers("protocol.relevant", "count")),
        ("Confidence of all comparisons together", numbers("protocol.confidence", "share")),
        *(
            (
                f"Confidence of each bound, {one.letter} beside A",
                numbers(f"comparisons.{place}.verdict.decision.estimate.confidence", "share"),
            )
            for place, one in enumerate(outcome.comparisons)
        ),
        questions,
    ]
    return listing("What this rests on", rows)


def _comparison(outcome: EvaluationOutcome, place: int, numbers: Numbers) -> str:
    """One column beside the reference: each metric with Judged@k, how many queries, and the slices by tag."""
    one, at = outcome.comparisons[place], f"comparisons.{place}.verdict"
    k, letter, primary = outcome.protocol.k, one.letter, outcome.protocol.metric
    secondary = {each.name: number for number, each in enumerate(one.verdict.secondary)}
    rows = []
    for name, field in _METRICS:
        apart = numbers.text(None, "difference")
        if name == primary and one.verdict.decision:
            apart = numbers(f"{at}.decision.estimate.mean", "difference")
        elif name in secondary:
            slice_at = f"{at}.secondary.{secondary[name]}"
            apart = f"{numbers(f'{slice_at}.mean', 'difference')} {exploratory()}"
        cells = [
            numbers(f"{at}.{side}.{what}", how)
            for side in ("a", "b")
            for what, how in ((f"scores.{field}", "score"), ("judged.at_k", "share"))
        ]
        values = "".join(f"<td class=n>{cell}</td>" for cell in (*cells, apart))
        rows.append(f"<tr><td>{wording.metric_at(name, k)}</td>{values}</tr>")
    heads = ("A", f"Judged@{k}", letter, f"Judged@{k}", f"{letter} less A")
    head = "".join(f'<th class="n">{name}</th>' for name in heads)
    return (
        f"<h2>{letter} beside A</h2><table><tr><th>Metric</th>{head}</tr>{''.join(rows)}</table>"
        f"{_numbers_of(one, place, numbers)}{_whose(one, place, numbers)}{_slices(one, place, numbers)}"
    )


def _whose(one: Comparison, place: int, numbers: Numbers) -> str:
    """The change split into what the model and what searching does, each with its interval."""
    if one.attributed is None or one.attributed.found is None:
        return ""
    at = f"comparisons.{place}.attributed.found"
    rows = [
        ("Questions that all four answered", numbers(f"{at}.queries", "count")),
        ("Confidence of each interval, two-sided", numbers(f"comparisons.{place}.attributed.confidence", "share")),
    ]
    for part, said in (
        ("total", "The whole change, searched as usual"),
        ("searching", "Of that the index's, with rounding"),
        ("model", "Of that the model's: the change, searched exactly"),
    ):
        mean, low, high = (numbers(f"{at}.{part}.{name}", "difference") for name in ("mean", "low", "high"))
        rows.append((said, f"{mean}, between {low} and {high}"))
    return f"<h3>Whose it is</h3>{listing('', rows)}"


def _numbers_of(one: Comparison, place: int, numbers: Numbers) -> str:
    at = f"comparisons.{place}.verdict"
    rows = [
        ("Questions that both answered", numbers(f"{at}.queries", "count")),
        ("Left out: not answered by one of them, or by both", numbers(f"comparisons.{place}.left_out", "named")),
        ("Answered alike by both: no difference, no label needed", numbers(f"{at}.identical", "count")),
        ("Judged, where the two differ", numbers(f"{at}.drawn", "count")),
        ("Of these graded, and without a relevant picture", numbers(f"{at}.barren", "count")),
        ("Mean difference of the others", numbers(f"{at}.elsewhere", "difference")),
        ("Questions that repeat another one", numbers(f"{at}.repeated", "count")),
    ]
    if one.verdict.decision:
        if wording.differ(one.verdict.worst, one.verdict.best):
            fell = f"{numbers(f'{at}.worst', 'difference')} to {numbers(f'{at}.best', 'difference')}"
            rows.append(("If all unjudged pictures fell one way", fell))
        found = f"{at}.decision"
        rows = [
            (
                "Mean difference",
                f"{numbers(f'{found}.estimate.mean', 'difference')}, between "
                f"{numbers(f'{found}.estimate.lower', 'difference')} and "
                f"{numbers(f'{found}.estimate.upper', 'difference')}",
            ),
            ("The lower bound if one more question lost all it can", numbers(f"{found}.lost", "difference")),
            ("The upper bound if one more question won all it can", numbers(f"{found}.won", "difference")),
            ("Questions (n)", numbers(f"{found}.estimate.n", "count")),
            ("Standard deviation of single questions", numbers(f"{found}.estimate.spread", "score")),
            ("p of a loss of the margin or more", numbers(f"{found}.p", "chance")),
            *rows,
        ]
    if one.verdict.decision and one.verdict.decision.check:
        rows.insert(6, ("p of the sign-flip check", numbers(f"{at}.decision.check.p", "chance")))
    return listing("", rows)


def _slices(one: Comparison, place: int, numbers: Numbers) -> str:
    if not one.tags:
        return ""
    rows = []
    for number, each in enumerate(one.tags):
        at = f"comparisons.{place}.tags.{number}"
        cells = [
            numbers(f"{at}.{what}", how)
            for what, how in (("n", "count"), ("mean", "difference"), ("p", "chance"), ("adjusted", "chance"))
        ]
        said = escape(wording.finding(each.finding, one.letter))
        rows.append(
            f"<tr><td><bdi>{escape(each.name)}</bdi></td>{''.join(f'<td class=n>{cell}</td>' for cell in cells)}"
            f"<td>{said}</td></tr>"
        )
    heads = "".join(f"<th class=n>{name}</th>" for name in ("n", f"{one.letter} less A", "p", "corrected"))
    return (
        f"<h3>By tag {exploratory()}</h3>{paragraph(wording.EXPLORATORY)}"
        f"<table><tr><th>Tag</th>{heads}<th></th></tr>{''.join(rows)}</table>"
    )


def _votes(outcome: EvaluationOutcome, numbers: Numbers) -> str:
    if outcome.ballots is None:
        return ""
    found = []
    for place, pair in enumerate(outcome.ballots.pairs):
        at = f"ballots.pairs.{place}"
        rows = [
            ("Drawn questions that both answered", numbers(f"{at}.both", "count")),
            ("Answered apart, so to vote on", numbers(f"{at}.asked", "count")),
            ("Without a vote", numbers(f"{at}.missing", "count")),
        ]
        if pair.preference is not None and pair.asked:
            counts = (numbers(f"{at}.preference.{side}", "count") for side in ("a", "b", "ties"))
            rows.append((f"{pair.x}, {pair.y}, neither", " : ".join(counts)))
            rows.append(("p of no preference", numbers(f"{at}.preference.p", "chance")))
            rows.append(("The same, corrected for all pairs", numbers(f"{at}.preference.adjusted", "chance")))
        found.append(listing(f"{pair.x} and {pair.y}", rows))
    board = outcome.ballots.leaderboard
    if board is not None:
        label = {column.letter: column.label for column in outcome.columns}
        rows_of = []
        for place, each in enumerate(board.standings):
            at = f"ballots.leaderboard.standings.{place}"
            whats = (("strength", "strength"), ("lower", "strength"), ("upper", "strength"))
            won = (("wins", "count"), ("losses", "count"), ("ties", "count"))
            cells = "".join(f"<td class=n>{numbers(f'{at}.{what}', how)}</td>" for what, how in (*whats, *won))
            rows_of.append(
                f"<tr><td>{numbers(f'{at}.rank', 'count')}</td><td>{escape(label[each.name])}</td>{cells}</tr>"
            )
        heads = "".join(f"<th class=n>{name}</th>" for name in ("Strength", "from", "to", "Won", "Lost", "Tied"))
        found.append(f"<h2>In one order</h2>{paragraph(board.reason)}")
        found.append(f"<table><tr><th></th><th>Column</th>{heads}</tr>{''.join(rows_of)}</table>" if rows_of else "")
    return "".join(found)
