"""Query sets are kept by version, and questions come from lists, tables, logs and captions."""

import pytest

from console_core.catalog.types import ImageRow
from console_core.database import Database
from console_core.errors import NotFound, Refused
from console_core.judging.query_files import Format, format_of, read_questions
from console_core.judging.query_lists import decoded, from_captions, from_csv, from_lines, from_log
from console_core.judging.query_sets import MOST, QuerySets, query


@pytest.fixture
def sets(database: Database) -> QuerySets:
    return QuerySets(database)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", "csv"), ("A.TSV", "csv"), ("a.jsonl", "log"), ("b.log", "log"), ("a.txt", "lines"), ("a", "lines")],
)
def test_what_a_file_is_is_known_by_its_name(name: str, kind: str) -> None:
    assert format_of(name) == kind


@pytest.mark.parametrize(
    ("told", "kind", "line"),
    [
        ("a fox\n\n{long}\na cat", Format.LINES, 3),
        ("\nquery,tags\na fox,wild\n{long},wild\n", Format.CSV, 4),
        ('query\n"a\nfox"\n{long}\n', Format.CSV, 4),
    ],
)
def test_too_long_a_question_of_a_file_is_named_by_its_line(told: str, kind: Format, line: int) -> None:
    with pytest.raises(Refused, match=f"Line {line} has a question of 2,001 characters"):
        read_questions(told.format(long="x" * 2001).encode(), kind)


@pytest.mark.parametrize(
    ("told", "kind", "said"),
    [
        ("a fox\n\na  fox\n# red\na cat\na cat\n\n\n", Format.LINES, "2 questions were there already. 2 lines without"),
        ("query,tags\na fox,wild\n,wild\na cat,\n", Format.CSV, "1 line without a question."),
        ("query,tags\na fox,wild\na fox,red\n", Format.CSV, "1 question was there already."),
        ("a fox\na cat\n\n", Format.LINES, ""),
        ("", Format.LINES, ""),
        ("a fox\n\na fox\n", Format.LOG, ""),
    ],
)
def test_what_of_a_file_is_not_asked_is_said(told: str, kind: Format, said: str) -> None:
    found = read_questions(told.encode(), kind).text
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_change_is_a_new_version_and_the_former_one_stays_as_it_was(sets: QuerySets) -> None:
    first = sets.save("animals", [query("a fox"), query("a cat", tags=("pets",))], origin="typed", by="ann")
    second = sets.save("animals", [query("a fox"), query("a dog")], origin="typed", by="ben")
    assert (first.version, second.version, sets.get("animals")) == (1, 2, second)
    assert [one.text for one in sets.queries(first)] == ["a fox", "a cat"]
    assert sets.queries(first)[0].id == sets.queries(second)[0].id
    assert [one.version for one in sets.versions("animals")] == [2, 1]
    assert sets.get("animals", 1) == first


def test_what_asks_the_same_is_no_new_version(sets: QuerySets) -> None:
    made = sets.save("animals", [query("a fox"), query("a cat")], origin="typed", by="ann")
    assert sets.save("animals", [query("a  fox "), query("a cat")], origin="a file", by="ben") == made


def test_a_question_that_comes_twice_is_asked_once_with_the_tags_of_both(sets: QuerySets) -> None:
    made = sets.save("animals", [query("a fox", tags=("wild",)), query(" a fox", tags=("red",))], origin="", by="ann")
    assert sets.queries(made) == [query("a fox", tags=("red", "wild"))]


def test_capitals_and_a_sign_at_the_end_make_no_other_question(sets: QuerySets) -> None:
    said = ("A red car", "a RED car?", "a red \uff43ar.", "a red cab", "?", "!")
    made = sets.save("cars", [query(text, tags=(text[-1],)) for text in said], origin="", by="ann")
    assert [one.text for one in sets.queries(made)] == ["A red car", "a red cab", "?", "!"]
    assert sets.queries(made)[0].tags == (".", "?", "r")


def test_sets_are_listed_by_their_newest_versions(sets: QuerySets) -> None:
    sets.save("b", [query("1")], origin="", by="ann")
    newest = sets.save("b", [query("2")], origin="", by="ann")
    other = sets.save("a", [query("3", like="77")], origin="", by="ann")
    assert sets.all() == [other, newest]


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        (" ", [query("a fox")], "no name"),
        ("a", [], "no question"),
        ("a", [query("  ")], "asks nothing"),
        ("a", [query("x" * 2001)], "2,001 characters"),
        ("a", [query("a \ud800 fox")], r"half a character: \"a \\ud800 fox"),
        ("a", [query("a fox", like="\udc41")], "half a character"),
        ("a", [query("a fox", tags=("\udc41",))], "half a character"),
        ("a\ud800", [query("a fox")], "half a character"),
        ("a", [query(str(number)) for number in range(MOST + 1)], "10,001 questions"),
    ],
)
def test_a_set_that_cannot_be_asked_is_refused_and_nothing_is_kept(
    sets: QuerySets, name: str, asked: list[object], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        sets.save(name, asked, origin="", by="ann")  # type: ignore[arg-type]
    assert sets.all() == []


def test_a_set_or_a_version_that_is_not_there_is_named_with_those_that_are(sets: QuerySets) -> None:
    sets.save("animals", [query("a fox")], origin="", by="ann")
    with pytest.raises(NotFound, match="birds") as told:
        sets.get("birds")
    assert "animals" in told.value.remedy
    with pytest.raises(NotFound, match="version 7"):
        sets.get("animals", 7)


def test_lines_are_questions_but_for_empty_ones_and_remarks() -> None:
    assert from_lines("a fox\r\n\n# more\n  a cat \n") == [query("a fox"), query("a cat")]


def test_a_table_has_words_pictures_and_tags_whatever_separates_them() -> None:
    told = 'Query;Tags;Like\r\n"a fox; red";animals|wild;\r\n;;17\r\n;;\r\n'
    assert from_csv(told) == [query("a fox; red", tags=("animals", "wild")), query(like="17")]


@pytest.mark.parametrize("told", ["name,size\nfox,1\n", "", '"query\nopen'])
def test_a_table_without_questions_is_refused(told: str) -> None:
    with pytest.raises(Refused):
        from_csv(told)


@pytest.mark.parametrize(
    "told",
    [
        "fox\ncat\nfox\nfox\ndog\ncat\n",
        "query,count\nfox,3\ncat,2\ndog,1\n",
        '{"query": "fox", "count": 3}\n{"query": "cat", "count": 2}\n{"q": "dog"}\n',
    ],
)
def test_a_search_log_becomes_its_most_frequent_questions_tagged_by_how_frequent_they_are(told: str) -> None:
    found = from_log(told, most=3)
    assert [(one.text, one.tags) for one in found] == [("fox", ("head",)), ("cat", ("torso",)), ("dog", ("tail",))]
    assert [one.text for one in from_log(told, most=1)] == ["fox"]


@pytest.mark.parametrize(
    "told",
    ['"blue" car\nfox\n"blue" car\n', "red, or blue\nfox\n", '"open\nfox', "fox\rfox\r\n\rcat", "x" * 200_000],
)
def test_a_log_without_a_header_is_taken_line_by_line_as_it_is(told: str) -> None:
    lines = [line for line in told.replace("\r", "\n").split("\n") if line]
    assert sorted(one.text for one in from_log(told)) == sorted(set(lines))


def test_what_was_searched_for_no_times_is_no_question() -> None:
    assert [one.text for one in from_log("query,count\nfox,0\ncat,2\n")] == ["cat"]
    assert [one.text for one in from_log('{"query": "fox", "count": 0}\n{"query": "cat", "count": null}')] == ["cat"]
    with pytest.raises(Refused, match="No search"):
        from_log("query,count\nfox,0\ncat,0\n")


@pytest.mark.parametrize("told", ["query,count\nfox,{}\n", '{{"query": "fox", "count": {}}}'])
def test_a_count_of_thousands_of_digits_is_refused(told: str) -> None:
    with pytest.raises(Refused, match="5,000 digits"):
        from_log(told.format("9" * 5000))


def test_signs_that_end_a_line_elsewhere_are_part_of_a_question() -> None:
    assert from_log('{"query": "a\u2028fox"}\r\n{"query": "a\x85cat"}') == [
        query("a fox", tags=("head",)),
        query("a cat", tags=("torso",)),
    ]
    assert from_lines("a\u2028fox\ra cat") == [query("a fox"), query("a cat")]


@pytest.mark.parametrize("told", ["query,tags\ra fox,x\ra cat,\r", "\r\n \t\n\rquery;tags\na fox;x\na cat;\n"])
def test_a_table_may_end_its_lines_with_cr_and_begin_with_empty_ones(told: str) -> None:
    assert from_csv(told) == [query("a fox", tags=("x",)), query("a cat")]
    assert len(from_log(told)) == 2


def test_a_letter_with_an_accent_is_the_same_question_however_it_was_typed() -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    assert query(apart, tags=(apart,)) == query(composed, tags=(composed,))
    assert query(like=apart) != query(like=composed)
    assert [one.text for one in from_log(f"{composed}\n{apart}\n")] == [composed]


def test_captions_are_a_seeded_sample_of_the_whole_catalog_in_its_order() -> None:
    rows = [ImageRow(str(place), (), {"caption": f"picture {place}"}, "1") for place in range(1000)]
    rows += [ImageRow("x", (), {"caption": "  "}, "1"), ImageRow("y", (), {"caption": "picture 3"}, "1")]
    found = from_captions(rows, most=50, seed=4)
    places = [int(one.text.split()[1]) for one in found]
    assert places == sorted(places)
    assert len(set(places)) == 50
    assert 300 < sum(places) / 50 < 700
    assert found == from_captions(rows, most=50, seed=4) != from_captions(rows, most=50, seed=5)
    assert {one.tags for one in found} == {("caption",)}


def test_a_file_that_is_no_text_is_refused() -> None:
    assert decoded("\ufeffa fox".encode()) == "a fox"
    with pytest.raises(Refused, match="UTF-8"):
        decoded(b"\xff\xfe\x00")
