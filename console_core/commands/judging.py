"""The commands of judging: query sets, asking them, and what judges say of the answers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.judging.asking import KIND, USUAL_DEPTH, AskPlan, begin
from console_core.judging.grade_lists import from_qrels, from_table
from console_core.judging.judgements import Evaluation, Way
from console_core.judging.looks import early
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import QuerySet
from console_core.judging.sampling import sample_of
from console_core.judging.twins import twins
from console_core.querylab.encoder_standing import standing
from console_core.querylab.rankings import Query
from console_core.runs.types import Lane, Run


def save_query_set(
    console: Console, actor: Actor, *, query_set: str, queries: Sequence[Query], origin: str = ""
) -> QuerySet:
    """Keep questions as the next version of a set."""
    return console.lab.query_sets.save(query_set, queries, origin=origin, by=actor.name)


def ask_query_set(
    console: Console,
    actor: Actor,
    *,
    query_set: str,
    columns: Sequence[str],
    depth: int = USUAL_DEPTH,
    version: int | None = None,
    unchecked: bool = False,
) -> Run:
    """Queue the run that asks a query set of collections or aliases, each in a way (images~exact), and keeps the
    answers as a snapshot. `unchecked` asks also one whose newest encoder check is red."""
    asked = console.lab.query_sets.get(query_set, version)
    snapshot = begin(
        console.store,
        console.lab.snapshots,
        asked,
        columns,
        depth=depth,
        by=actor.name,
        standing=partial(standing, console.store, console.ledger, console.models),
        unchecked=unchecked,
    )
    return console.ledger.submit(
        kind=KIND,
        lane=Lane.ACCELERATOR,
        title=f"Ask {asked.label} of {' and '.join(columns)}",
        target=snapshot.columns[0].collection,
        spec=AskPlan(asked.name, asked.version, snapshot.id).as_json(),
        actor=actor.name,
        selected=asked.size,
        writes=False,
    )


def begin_evaluation(
    console: Console,
    actor: Actor,
    *,
    snapshot: str,
    columns: Sequence[int],
    protocol: Protocol,
    way: Way = "grades",
) -> Evaluation:
    """Lock a protocol, and let columns of a snapshot be judged blindly under it. The first column is the reference."""
    kept = console.lab.snapshots.get(snapshot)
    if not kept.is_complete:
        raise Refused("The query set was not asked to its end.", "Let the run that asks it finish first.")
    if any(not 0 <= place < len(kept.columns) for place in columns):
        raise Refused("The snapshot has no such column.", f"It has {len(kept.columns)}.")
    if protocol.k > kept.depth:
        raise Refused(
            f"The first {protocol.k} answers are to be judged, but {kept.depth} were kept.",
            f"Judge the first {kept.depth}, or ask the query set again for more.",
        )
    if way == "votes" and twins([kept.columns[place] for place in columns]):
        raise Refused(
            "One of these columns is another one in another way, and votes do not tell whose a loss is.",
            "Name each collection once, or judge by grades.",
        )
    rankings = console.lab.snapshots.rankings(kept)
    if not sample_of(protocol, [rankings[place] for place in columns]).queue:
        raise Refused("All columns answer every question alike.", "There is nothing to judge: no metric can differ.")
    judgements = console.lab.judgements
    return judgements.get(judgements.begin(snapshot, columns, protocol, way=way, by=actor.name))


def give_grade(
    console: Console, actor: Actor, *, evaluation: str, query: str, key: str, grade: int, judge: str = ""
) -> None:
    """A grade for a picture; by `judge` where several share one console."""
    of = console.lab.judgements.get(evaluation)
    if not console.lab.desk(of).has(query, key):
        raise Refused("That picture is not judged here.", "Go on with the next one.")
    console.lab.judgements.judge(of, query, key, grade, by=judge or actor.name)


def import_grades(console: Console, actor: Actor, *, evaluation: str, told: str, qrels: bool = False) -> int:
    """Grades that were given elsewhere, all of a file or none: a CSV table, or TREC qrels. Without a judge in the table
    they are the actor's. Returns how many there were."""
    of = console.lab.judgements.get(evaluation)
    if of.way != "grades":
        raise Refused(f"In {evaluation} lists are voted on; it takes no grades.", "Begin an evaluation by grades.")
    given = (from_qrels if qrels else from_table)(told, console.lab.desk(of), judge=actor.name)
    console.lab.judgements.judge_all(of, given)
    return len(given)


def look_at_verdict(console: Console, actor: Actor, *, evaluation: str) -> EvaluationOutcome:
    """What became of an evaluation by now, with this look among those that are told. After the models were told nothing
    can be judged any more, and looks are not counted."""
    of = console.lab.judgements.get(evaluation)
    outcome = outcome_of(console.lab, of)
    if of.revealed_at is not None:
        return outcome
    console.lab.looks.add(of.id, words=outcome.words, outcome=outcome.summary, by=actor.name)
    seen = console.lab.looks.of(of.id)
    return replace(outcome, looks=seen, early_looks=early(seen, outcome.words))


def give_vote(
    console: Console, actor: Actor, *, evaluation: str, query: str, x: int, y: int, winner: int, judge: str = ""
) -> None:
    """A vote between two lists."""
    of = console.lab.judgements.get(evaluation)
    if query not in console.lab.desk(of).queries or not {x, y} <= set(of.columns):
        raise Refused("These lists are not judged here.", "Go on with the next ones.")
    console.lab.judgements.vote(of, query, x, y, winner, by=judge or actor.name)


def undo_judgement(console: Console, actor: Actor, *, evaluation: str, judge: str = "") -> bool:
    """Take back one's own newest grade or vote."""
    return console.lab.judgements.undo(console.lab.judgements.get(evaluation), by=judge or actor.name)


def reveal(console: Console, actor: Actor, *, evaluation: str) -> Evaluation:
    """End the judging, and tell which model is which."""
    return console.lab.judgements.reveal(evaluation, by=actor.name)
