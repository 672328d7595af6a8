"""The commands of judging: query sets, asking them, and what judges say of the answers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.database import now
from console_core.errors import NotAllowed, Refused
from console_core.judging.asking import KIND, USUAL_DEPTH, AskPlan, begin
from console_core.judging.grade_lists import from_qrels, from_table
from console_core.judging.judgements import Evaluation, Given, Way
from console_core.judging.looks import OPENED, early
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import QuerySet
from console_core.judging.sampling import sample_of
from console_core.judging.told import ToldVerdict
from console_core.judging.twins import twins
from console_core.judging.wording import moment
from console_core.querylab.encoder_standing import standing
from console_core.querylab.rankings import Query
from console_core.runs.types import Lane, Run
from console_core.runs.wording import count, listed
from console_core.settings import reaches


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
        title=f"Ask {asked.label} of {listed(columns)}",
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
    if way == "votes" and not sample_of(protocol, [rankings[place] for place in columns]).queue:
        raise Refused("All columns answer every question alike.", "There is nothing to vote on: no list is better.")
    protocol = protocol.voted if way == "votes" else protocol
    judgements = console.lab.judgements
    return judgements.get(judgements.begin(snapshot, columns, protocol, way=way, by=actor.name))


def give_grade(
    console: Console,
    actor: Actor,
    *,
    evaluation: str,
    query: str,
    key: str,
    grade: int,
    judge: str = "",
    browser: str = "",
) -> None:
    """A grade for a picture; by `judge` where several share one console, each in a `browser` of their own."""
    of = console.lab.judgements.get(evaluation)
    if not console.lab.desk(of).has(query, key):
        raise Refused("That picture is not judged here.", "Go on with the next one.")
    by = _judging(console, actor, of, judge, browser)
    console.lab.judgements.judge(of, query, key, grade, by=by, actor=actor.name)


def take_up_name(console: Console, actor: Actor, *, evaluation: str, judge: str, browser: str) -> None:
    """Say that whoever sits at this browser is a judge who has judged here before."""
    of = console.lab.judgements.get(evaluation)
    console.lab.judge_browsers.take_up(of.id, _own(actor, judge), browser, actor=actor.name)


def import_grades(
    console: Console,
    actor: Actor,
    *,
    evaluation: str,
    told: str,
    file: str,
    qrels: bool = False,
    judge: str = "",
    browser: str = "",
    before_lock: bool = False,
) -> int:
    """Grades that were given elsewhere, all of a file or none: a CSV table, or TREC qrels. Without a judge in the table
    they are those of `judge`, or the actor's. Grades that were given before the protocol was locked, as the file says,
    are taken only with `before_lock`. Returns how many there were."""
    of = console.lab.judgements.get(evaluation)
    if of.way != "grades":
        raise Refused(f"In {evaluation} lists are voted on; it takes no grades.", "Begin an evaluation by grades.")
    mine = _own(actor, judge)
    given = (from_qrels if qrels else from_table)(told, console.lab.desk(of), judge=mine)
    if others := sorted({one.judge for one in given} - {mine}):
        _refuse_others(actor, mine, others)
    if not before_lock:
        _refuse_early(of, given)
    if any(one.judge == mine for one in given):
        _judging(console, actor, of, mine, browser)
    origin = PurePath(file).name or "a file"
    console.lab.judgements.judge_all(of, given, origin=origin, actor=actor.name)
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


def open_answers(console: Console, actor: Actor, *, snapshot: str) -> int:
    """See what each column of a snapshot answered, though it is being judged blindly. It is told with each verdict on
    it. Returns how many evaluations that concerns."""
    lab, blind = console.lab, console.lab.judgements.blind(snapshot)
    for one in blind:
        lab.looks.add(one.id, words=lab.judgements.counted(one.id), outcome=OPENED, by=actor.name)
    return len(blind)


def give_vote(
    console: Console,
    actor: Actor,
    *,
    evaluation: str,
    query: str,
    x: int,
    y: int,
    winner: int,
    judge: str = "",
    browser: str = "",
) -> None:
    """A vote between two lists."""
    of = console.lab.judgements.get(evaluation)
    if query not in console.lab.desk(of).queries or not {x, y} <= set(of.columns):
        raise Refused("These lists are not judged here.", "Go on with the next ones.")
    by = _judging(console, actor, of, judge, browser)
    console.lab.judgements.vote(of, query, x, y, winner, by=by, actor=actor.name)


def undo_judgement(console: Console, actor: Actor, *, evaluation: str, judge: str = "", browser: str = "") -> bool:
    """Take back one's own newest grade or vote."""
    of = console.lab.judgements.get(evaluation)
    by = _judging(console, actor, of, judge, browser)
    return console.lab.judgements.undo(of, by=by, actor=actor.name)


def reveal(console: Console, actor: Actor, *, evaluation: str) -> Evaluation:
    """End the judging, tell which model is which, and keep what the verdict says then."""
    of = console.lab.judgements.get(evaluation)
    if of.revealed_at is not None:
        return of
    # computed first: what cannot be computed is not told either
    outcome = outcome_of(console.lab, replace(of, revealed_at=now(), revealed_by=actor.name))
    document = {name: value for name, value in outcome.to_json().items() if name != "queries"}
    told = console.lab.judgements.reveal(evaluation, by=actor.name)
    said = ToldVerdict(outcome.sentences, outcome.figures, outcome.versions, now())
    console.lab.told.keep(told.id, said, document)
    return told


def _own(actor: Actor, judge: str) -> str:
    """The name that is judged under: of somebody who signed in it is theirs.

    Raises:
        NotAllowed: it is another's.
    """
    if actor.known and judge not in ("", actor.name):
        raise NotAllowed(
            f"{actor.name} is signed in, and judges as nobody else; not as {judge}.",
            "Judge under your own name. An operator can import the sheets of others.",
        )
    return judge or actor.name


def _judging(console: Console, actor: Actor, of: Evaluation, judge: str, browser: str) -> str:
    """The name that a word is given under.

    Raises:
        NotAllowed: it is another's.
        Refused: somebody else judges under it in another browser. Who signed in is known, whatever browser it is.
    """
    name = _own(actor, judge)
    if browser and not actor.known:
        console.lab.judge_browsers.hold(of.id, name, browser, actor=actor.name)
    return name


def _refuse_others(actor: Actor, mine: str, others: Sequence[str]) -> None:
    if not reaches(actor.role, "operator"):
        raise NotAllowed(
            f"The file has grades of {', '.join(others[:3])}, and {mine} may bring none but their own.",
            "Ask an operator to import the sheets of several judges.",
        )


def _refuse_early(of: Evaluation, given: Sequence[Given]) -> None:
    early = [one.made_at for one in given if one.made_at is not None and one.made_at < of.made_at]
    if early:
        raise Refused(
            f"Nothing was taken: {len(early):,} of {count(len(given), 'grade')} were given before the protocol of "
            f"{of.id} was locked on {moment(of.made_at)}, the first of them on {moment(min(early))}.",
            "A protocol that is chosen when grades are known can be chosen for them: judge anew under it. To take them "
            "all the same, say so (--before-lock, or the tick on the page); the verdict then says it, too.",
        )
