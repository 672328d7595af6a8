"""A protocol that was locked when grades or verdicts of the same were known is not passed off as one that was not."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from console_core import settings
from console_core.commands import Actor, command
from console_core.console import Console, open_console
from console_core.database import Database, now
from console_core.errors import NotAllowed, Refused
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.exports import judgements_csv
from console_core.judging.grade_lists import from_table
from console_core.judging.judgements import Evaluation, Given, Judgements
from console_core.judging.outcome import outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.judging.report import html_of
from console_core.judging.snapshots import ColumnAnswer, Ranked
from console_core.judging.wording import moment
from console_core.vectorstore.ways import Search
from tests.conftest import make_workspace
from tests.unit.judging.judged import DEPTH, MODELS, Judged, judged

OLGA, PETE = Actor("olga", "operator"), Actor("pete", "judge")
OTHER = Protocol(metric="P", k=DEPTH, margin=0.2, seed=7)


@pytest.fixture
def made(database: Database, tmp_path: Path) -> Judged:
    """An evaluation that Olga judged whole."""
    found = judged(database, tmp_path, size=14)
    found.grade(lambda query, key: (len(key) + len(query)) % 4)
    return found


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Console]:
    workspace = make_workspace(tmp_path / "workspace", 1)
    with closing(open_console(settings.read(workspace, {}), owner_name="a test")) as console:
        yield console


def begun(made: Judged, protocol: Protocol = OTHER, columns: tuple[int, ...] = (0, 1), snapshot: str = "") -> Judged:
    """Another evaluation, of the same answers if nothing else is said."""
    name = made.lab.judgements.begin(snapshot or made.evaluation.snapshot, columns, protocol, by="olga")
    return Judged(made.lab, made.lab.judgements.get(name), made.thumbnails)


def exported(made: Judged) -> str:
    return judgements_csv(made.lab.judgements.of(made.evaluation.id), made.lab.desk(made.evaluation).queries)


def without(text: str, *names: str) -> str:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, [name for name in rows[0] if name not in names], extrasaction="ignore")
    table.writeheader()
    table.writerows(rows)
    return written.getvalue()


def warnings_of(made: Judged) -> tuple[str, ...]:
    return outcome_of(made.lab, made.evaluation).warnings


def test_the_same_answers_that_were_judged_and_looked_at_before_are_told_with_every_verdict(made: Judged) -> None:
    first = made.evaluation
    for _ in range(3):
        made.lab.looks.add(first.id, words=1, outcome="inferior", by="olga")
    told = made.lab.judgements.reveal(first.id, by="olga")
    assert told.revealed_at is not None
    later = begun(made)
    made.lab.looks.add(first.id, words=1, outcome="inferior", by="olga")
    (sibling,) = outcome_of(later.lab, later.evaluation).siblings
    assert (sibling.evaluation, sibling.measure, sibling.margin) == (first.id, first.protocol.measure, 0.1)
    words = len(made.lab.judgements.of(first.id))
    assert (sibling.words, sibling.looks, sibling.revealed_at) == (words, 3, told.revealed_at)
    said = (
        f"The same answers were judged before, in {first.id}, with nDCG@5 and a margin of 0.1 ({words} judgements), "
        f"and its verdict was looked at 3 times; its models were told on {moment(told.revealed_at)}. This protocol was "
        "locked after that."
    )
    assert warnings_of(later) == (said,)
    document = outcome_of(later.lab, later.evaluation).to_json()
    assert document["warnings"] == [said]
    assert [name for name in (*MODELS, "images__", "inferior") if name in json.dumps(document)] == []
    report = html_of(outcome_of(later.lab, (shown := later.reveal()).evaluation), made.lab.snapshots, made.thumbnails)
    assert report.index(said) < report.index("What this rests on")
    assert warnings_of(shown) == (said,)
    begun(made).grade(lambda query, key: 1)
    assert outcome_of(made.lab, told).warnings == ()


def answered_again(
    made: Judged,
    *,
    questions: int = 14,
    columns: tuple[int, ...] = (0, 1),
    mark: str = "fp",
    ways: tuple[Search, ...] = (Search.USUAL, Search.USUAL),
    capitals: bool = False,
) -> str:
    """Another snapshot: of so many of the same questions, to some of the collections."""
    lab, first = made.lab, made.lab.snapshots.get(made.evaluation.snapshot)
    asked = list(made.lab.desk(made.evaluation).queries.values())[:questions]
    asked = [query(f"{one.text.upper()}?", like=one.like) for one in asked] if capitals else asked
    asked += [query(f"another {number}") for number in range(14 - questions)]
    kept = lab.query_sets.save("again", asked, origin="a test", by="olga")
    names = [*first.columns, AskedColumn("new", "new", "new", "fp", 4, 4)]
    asks = [names[place] if mark == "fp" else replace(names[place], fingerprint=mark) for place in columns]
    asks = [replace(one, way=way) for one, way in zip(asks, ways, strict=True)]
    snapshot = lab.snapshots.begin(kept, asks, depth=DEPTH, by="olga")
    given = [
        ColumnAnswer(one.id, place, tuple(Ranked(f"picture {place + rank}.jpg", rank, 0.5) for rank in range(DEPTH)))
        for one in asked
        for place in range(len(columns))
    ]
    lab.snapshots.add(snapshot.id, given, [])
    return lab.snapshots.seal(snapshot.id).id


@pytest.mark.parametrize(
    ("again", "told"),
    [
        ({}, True),
        ({"questions": 7}, True),
        ({"questions": 6}, False),
        ({"columns": (0, 2)}, False),
        ({"mark": "another model under the same names"}, False),
        ({"capitals": True}, True),
        ({"questions": 6, "capitals": True}, False),
        ({"ways": (Search.EXACT, Search.EXACT)}, True),
    ],
)
def test_answers_that_were_asked_anew_are_the_same_where_questions_and_collections_are(
    made: Judged, again: dict[str, object], told: bool
) -> None:
    later = begun(made, snapshot=answered_again(made, **again))  # type: ignore[arg-type]
    said = warnings_of(later)
    assert bool(said) is told
    assert all("The same questions to the same collections were judged before" in one for one in said)


def test_one_collection_that_was_judged_in_two_ways_before_is_told(made: Judged) -> None:
    exactly = answered_again(made, columns=(0, 0), ways=(Search.USUAL, Search.EXACT))
    first = begun(made, snapshot=exactly)
    first.grade(lambda query, key: 1)
    later = begun(made, snapshot=exactly)
    assert [one.evaluation for one in outcome_of(made.lab, later.evaluation).siblings] == [first.evaluation.id]
    elsewhere = begun(made)
    assert [one.evaluation for one in outcome_of(made.lab, elsewhere.evaluation).siblings] == [made.evaluation.id]


def test_imported_grades_are_recognised_where_their_questions_are_spelled_otherwise(made: Judged) -> None:
    later = begun(made, snapshot=answered_again(made, capitals=True))
    by_text = {one.text.upper(): one.id for one in made.lab.desk(made.evaluation).queries.values()}
    judgements, desk = made.lab.judgements, made.lab.desk(later.evaluation)
    before = {(one.query, one.key): one.grade for one in judgements.of(made.evaluation.id)}
    given = [
        Given(one.id, key, "olga", grade)
        for one in desk.queries.values()
        for key in desk.pools.get(one.id, ())
        if (grade := before.get((by_text[one.text.rstrip("?")], key))) is not None
    ]
    judgements.judge_all(later.evaluation, given, origin="sheet.csv", actor="olga")
    (sibling,) = outcome_of(made.lab, later.evaluation).siblings
    assert (sibling.same, sibling.imported) == (len(given), len(given))
    assert given


def test_what_was_begun_before_and_judged_after_a_lock_could_choose_nothing(made: Judged) -> None:
    first = begun(made)
    second = begun(made)
    outcome = outcome_of(made.lab, second.evaluation)
    assert ([one.evaluation for one in outcome.siblings], outcome.beside) == ([made.evaluation.id], ())
    first.grade(lambda query, key: 1)
    outcome = outcome_of(made.lab, second.evaluation)
    assert [one.evaluation for one in outcome.siblings] == [made.evaluation.id]
    assert [one.evaluation for one in outcome.beside] == [first.evaluation.id]
    said = f"The same answers are judged in {first.evaluation.id}, too, with P@5 and a margin of 0.2. Whoever chooses"
    assert outcome.warnings[-1].startswith(said)
    told = second.reveal()
    third = begun(made)
    third.grade(lambda query, key: 1)
    outcome = outcome_of(made.lab, told.evaluation)
    assert [one.evaluation for one in outcome.beside] == [first.evaluation.id]


def test_grades_survive_a_file_with_the_time_when_they_were_given_and_say_from_where_they_come(made: Judged) -> None:
    before = sorted(made.lab.judgements.of(made.evaluation.id), key=lambda one: one.number)
    later = begun(made)
    made.lab.judgements.judge_all(
        later.evaluation,
        from_table(exported(made), made.lab.desk(later.evaluation), judge="nobody"),
        origin="judgements.csv",
        actor="pete",
    )
    found = sorted(made.lab.judgements.of(later.evaluation.id), key=lambda one: one.number)
    assert [(one.query, one.key, one.judge, one.grade) for one in found] == [
        (one.query, one.key, one.judge, one.grade) for one in before
    ]
    assert [one.made for one in found] == [one.at for one in before]
    assert {(one.origin, one.actor, one.entered_by) for one in found} == {("judgements.csv", "pete", "pete")}
    rows = list(csv.DictReader(io.StringIO(exported(later), newline="")))
    assert {(row["origin"], row["entered_by"]) for row in rows} == {("judgements.csv", "pete")}
    assert [row["at"] for row in rows] == [one.at.isoformat() for one in before]
    assert {row["origin"] for row in csv.DictReader(io.StringIO(exported(made), newline=""))} == {""}
    assert from_table(exported(later), made.lab.desk(later.evaluation), judge="x") == from_table(
        exported(made), made.lab.desk(made.evaluation), judge="x"
    )


def test_a_time_that_is_none_or_to_come_is_refused_with_its_line(made: Judged) -> None:
    desk = made.lab.desk(made.evaluation)
    (name, pool) = next((name, pool) for name, pool in desk.pools.items() if "\n" not in "".join(pool))
    with pytest.raises(Refused) as refused:
        from_table(
            f"query,key,grade,at\n{name},{pool[0]},1,yesterday\n{name},{pool[1]},1,{now() + timedelta(days=1)}\n",
            desk,
            judge="olga",
        )
    assert "line 2: 'yesterday' is no time from 1900 to now" in refused.value.message
    assert "line 3: " in refused.value.message
    (taken,) = from_table(f"query,key,grade,at\n{name},{pool[0]},1,2026-11-03 14:05\n", desk, judge="olga")
    assert (taken.made_at and taken.made_at.isoformat()) == "2026-11-03T14:05:00+00:00"


def test_a_date_without_an_hour_is_the_end_of_its_day_or_now(made: Judged) -> None:
    desk = made.lab.desk(made.evaluation)
    name, pool = next(iter(desk.pools.items()))
    dates = [now().date(), now().date() - timedelta(days=1), now().date() + timedelta(days=2)]

    def read(at: object) -> datetime:
        (taken,) = from_table(f"query\tkey\tgrade\tat\n{name}\t{pool[0]}\t1\t{at}\n", desk, judge="olga")
        assert taken.made_at is not None
        return taken.made_at

    assert made.evaluation.made_at <= read(dates[0]) <= now()
    assert read(dates[1]) == datetime.combine(dates[0], time(), UTC) - timedelta(microseconds=1)
    for wrong in (dates[2], "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "0001-01-02", "1899-12-31T12:00"):
        with pytest.raises(Refused, match="line 2: "):
            read(wrong)


def test_grades_from_before_the_lock_are_refused_unless_they_are_asked_for_and_then_told(
    opened: Console, tmp_path: Path
) -> None:
    made = judged(opened.database, tmp_path, size=14)
    made.grade(lambda query, key: len(key) % 4)
    later = begun(made)
    wanted = {"evaluation": later.evaluation.id, "told": exported(made), "file": "/somewhere/judgements.csv"}
    with pytest.raises(Refused, match="Nothing was taken: ") as refused:
        command(opened, OLGA, "import_grades", **wanted)
    assert f"before the protocol of {later.evaluation.id} was locked" in refused.value.message
    assert "--before-lock" in refused.value.remedy
    assert made.lab.judgements.of(later.evaluation.id) == []
    taken = command(opened, OLGA, "import_grades", **wanted, before_lock=True)
    outcome = outcome_of(opened.lab, later.evaluation)
    assert (outcome.imported.grades, outcome.imported.early) == (taken, taken)
    assert f"{taken} of {taken} imported grades were given before this protocol was locked." in outcome.warnings
    assert "came in files (judgements.csv, imported by olga)" in outcome.imported.text
    assert outcome.comparisons[0].verdict.decision is not None


def test_grades_without_times_are_recognised_as_those_of_an_evaluation_before_under_any_name(
    opened: Console, tmp_path: Path
) -> None:
    made = judged(opened.database, tmp_path, size=14)
    made.grade(lambda query, key: len(key) % 4)
    later = begun(made)
    rows = without(exported(made), "at", "judge", "origin").splitlines(keepends=True)
    changed = [rows[0], *(row.replace(",0,", ",2,") for row in rows[1:])]
    zeros = sum(one.grade == 0 for one in made.lab.judgements.of(made.evaluation.id))
    wanted = {"evaluation": later.evaluation.id, "file": "sheet.csv"}
    taken = command(opened, OLGA, "import_grades", **wanted, told="".join(changed))
    assert 0 < zeros < taken
    (said,) = outcome_of(opened.lab, later.evaluation).warnings
    assert f"{taken - zeros} of {taken} imported grades are the same as grades that were given there" in said


def test_a_judge_brings_their_own_grades_and_an_operator_those_of_several(opened: Console, tmp_path: Path) -> None:
    made = judged(opened.database, tmp_path, size=14)
    name, pool = next(iter(made.lab.desk(made.evaluation).pools.items()))
    told = f"query\tkey\tgrade\tjudge\n{name}\t{pool[0]}\t2\tanna\n{name}\t{pool[0]}\t1\t\n"
    wanted = {"evaluation": made.evaluation.id, "told": told, "file": "sheet.tsv"}
    with pytest.raises(NotAllowed, match="grades of anna, and pete may bring none but their own"):
        command(opened, PETE, "import_grades", **wanted)
    assert command(opened, OLGA, "import_grades", **wanted) == 2
    found = {one.judge: one.entered_by for one in made.lab.judgements.of(made.evaluation.id)}
    assert found == {"anna": "olga", "olga": ""}


def test_the_journal_says_of_what_a_command_of_judging_did_so_many(opened: Console, tmp_path: Path) -> None:
    made = judged(opened.database, tmp_path, size=14)
    name, pool = next(iter(made.lab.desk(made.evaluation).pools.items()))
    told = f"query\tkey\tgrade\n{name}\t{pool[0]}\t2\n{name}\t{pool[1]}\t1\n"
    command(opened, OLGA, "import_grades", evaluation=made.evaluation.id, told=told, file="sheet.tsv")
    command(opened, OLGA, "open_answers", snapshot=made.evaluation.snapshot)
    details = {one.action: one.detail for one in opened.ledger.journal()}
    assert details == {"import_grades": "2 grades", "open_answers": "1 blind evaluation"}


def test_who_signed_in_judges_votes_and_takes_back_under_no_other_name(opened: Console, tmp_path: Path) -> None:
    made = judged(opened.database, tmp_path, size=14)
    name, pool = next(iter(made.lab.desk(made.evaluation).pools.items()))
    anna, ben = (Actor(who, "judge", known=True) for who in ("anna", "ben"))
    grade = {"evaluation": made.evaluation.id, "query": name, "key": pool[0], "grade": 2}
    command(opened, anna, "judge", **grade, browser="first")
    command(opened, anna, "judge", **grade, browser="second")
    for act, wanted in (
        ("judge", grade),
        ("undo_judgement", {"evaluation": made.evaluation.id}),
        ("take_up_name", {"evaluation": made.evaluation.id, "browser": "first"}),
        ("vote", {"evaluation": made.evaluation.id, "query": name, "x": 0, "y": 1, "winner": 0}),
        ("import_grades", {"evaluation": made.evaluation.id, "told": "", "file": "sheet.csv"}),
    ):
        with pytest.raises(NotAllowed, match="ben is signed in, and judges as nobody else; not as anna"):
            command(opened, ben, act, **wanted, judge="anna")
    assert [one.judge for one in made.lab.judgements.of(made.evaluation.id)] == ["anna"]


def test_a_name_is_held_by_the_browser_that_judged_first_until_another_takes_it_up(
    opened: Console, tmp_path: Path
) -> None:
    made = judged(opened.database, tmp_path, size=14)
    name, pool = next(iter(made.lab.desk(made.evaluation).pools.items()))
    visitor, browsers = Actor("console", "judge"), made.lab.judge_browsers
    of = {"evaluation": made.evaluation.id, "judge": "anna"}

    def grade(key: str, browser: str) -> None:
        command(opened, visitor, "judge", **of, query=name, key=key, grade=2, browser=browser)

    assert not browsers.is_others(made.evaluation.id, "anna", "first")
    grade(pool[0], "first")
    grade(pool[1], "first")
    assert not browsers.is_others(made.evaluation.id, "anna", "first")
    assert browsers.is_others(made.evaluation.id, "anna", "second")
    brought = {"told": f"query,key,grade\n{name},{pool[0]},0\n", "file": "sheet.csv", "browser": "second"}
    for act in (
        lambda: grade(pool[0], "second"),
        lambda: command(opened, visitor, "import_grades", **of, **brought),
        lambda: command(opened, visitor, "undo_judgement", **of, browser="x"),
    ):
        with pytest.raises(Refused, match="Somebody has judged here as anna already, in another browser"):
            act()
    command(opened, visitor, "take_up_name", **of, browser="second")
    command(opened, visitor, "take_up_name", **of, browser="second")
    grade(pool[2], "second")
    assert {(one.judge, one.entered_by) for one in made.lab.judgements.of(made.evaluation.id)} == {("anna", "console")}
    assert not browsers.is_others("e-other", "anna", "third")


def test_of_two_browsers_that_begin_under_one_name_one_is_asked(database: Database, tmp_path: Path) -> None:
    browsers = judged(database, tmp_path, size=14).lab.judge_browsers
    browsers.hold("e-1", "anna", "first", actor="console")
    with pytest.raises(Refused):
        browsers.hold("e-1", "anna", "second", actor="console")


def test_only_an_operator_ends_the_judging(opened: Console, tmp_path: Path) -> None:
    made = judged(opened.database, tmp_path, size=14)
    with pytest.raises(NotAllowed, match="reveal needs operator"):
        command(opened, PETE, "reveal", evaluation=made.evaluation.id)
    assert command(opened, OLGA, "reveal", evaluation=made.evaluation.id).revealed_by == "olga"


def test_words_of_a_ledger_from_before_are_kept_and_their_origin_stays_open(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(Database(address)) as database:
        records = Judgements(database)
        evaluation: Evaluation = records.get(records.begin("s-1", (0, 1), OTHER, by="olga"))
        records.judge(evaluation, "q1", "a", 2, by="anna")
        records.vote(evaluation, "q1", 0, 1, 1, by="anna")
        with database.transaction() as connection:
            for table, column in (("judgements", "actor"), ("judgements", "origin"), ("judgements", "made_at")):
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
            connection.exec_driver_sql("ALTER TABLE votes DROP COLUMN actor")
            connection.exec_driver_sql("DROP TABLE judge_browsers")
            connection.exec_driver_sql("DELETE FROM schema_steps WHERE number > 5")
    for _ in range(2):
        with closing(Database(address)) as database:
            records = Judgements(database)
            (word,), (vote,) = records.of(evaluation.id), records.votes(evaluation.id)
            assert (word.grade, word.origin, word.entered_by, word.made) == (2, "", "", word.at)
            assert (vote.winner, vote.entered_by) == (1, "")
    with closing(Database(address)) as database:
        Judgements(database).judge_all(
            evaluation, [Given("q1", "b", "ben", 1, now())], origin="sheet.csv", actor="olga"
        )
        (brought,) = Judgements(database).of(evaluation.id, "ben")
        assert (brought.origin, brought.entered_by, brought.made == brought.made_at) == ("sheet.csv", "olga", True)
