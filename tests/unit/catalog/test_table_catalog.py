"""CSV, TSV and Parquet files as catalogs: whatever program wrote them, they are read, or refused by line."""

import csv
import tracemalloc
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console_core.catalog.table import TableCatalog
from console_core.catalog.types import ImageRow, Slice
from console_core.errors import CatalogError, CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings


def written(folder: Path, content: str | bytes, name: str = "images.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def opened(file: Path, cache: Path | None = None, **changes: Any) -> TableCatalog:
    given: dict[str, Any] = {"kind": "table", "location": str(file), "paths": ("path",), **changes}
    return TableCatalog(CatalogSettings(**given), cache, page=2)


def rows(file: Path, **changes: Any) -> list[ImageRow]:
    with closing(opened(file, **changes)) as catalog:
        return list(catalog.rows())


def refusal(file: Path, **changes: Any) -> CatalogError:
    with pytest.raises(CatalogInvalid) as raised:
        opened(file, **changes)
    assert raised.value.remedy
    return raised.value


def test_a_mark_of_byte_order_crlf_and_values_in_quotes_are_csvs_affair(tmp_path: Path) -> None:
    content = (
        "\ufeffid,path,caption\r\n"
        '7,"a, b.jpg","says ""hi"""\r\n'
        "\r\n"
        '8,b.jpg,"first line\r\nsecond line"\r\n'
        "9, c.jpg ,\r\n"
    )
    found = rows(written(tmp_path, content), payload=("caption",))
    assert [(row.key, row.candidates, row.payload["caption"]) for row in found] == [
        ("7", ("a, b.jpg",), 'says "hi"'),
        ("8", ("b.jpg",), "first line\r\nsecond line"),
        ("9", (" c.jpg ",), ""),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "id\tpath\n1\ta, b.jpg\n"),
        ("a.csv", "id;path\n1;a, b.jpg\n"),
        ("a.csv", "id|path\n1|a, b.jpg\n"),
        ("a.csv", "id\tpath\n1\ta, b.jpg\n"),
        ("a.tsv", 'id,path\n1,"a, b.jpg"\n'),
        ("a.csv", 'id,path\r1,"a, b.jpg"\r'),
        ("a.csv", ' id , path \n1,"a, b.jpg"'),
    ],
)
def test_other_delimiters_and_ends_of_lines_are_told_by_the_heading(tmp_path: Path, name: str, content: str) -> None:
    assert [(row.key, row.candidates) for row in rows(written(tmp_path, content, name))] == [("1", ("a, b.jpg",))]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "images.csv is empty"),
        ("\n\r\n", "images.csv is empty"),
        ("id,path\n1,a.jpg\n2\n", "Line 3 of .* has 1 value where the heading has 2"),
        ('id,path\n1,"a\nb\n.jpg"\n2,b.jpg,more\n', "Line 5 of .* has 3 values where the heading has 2"),
        ('id,path\n1,a.jpg\n2,"b.jpg\n3,c.jpg\n', "Line 3 of .* is malformed"),
        ('id,path\n1,"a"b.jpg\n', "Line 2 of .* is malformed"),
        ('id,path\n1,"' + 30_000 * "long line\n", "Line 2 of .* is malformed: field larger"),
        ("id,path\n1,a.jpg\n".encode("utf-16"), "Line 1 of .* has a NUL character"),
        (b"id,path\n1,a.jpg\n2,\0.jpg\n", "Line 3 of .* has a NUL character"),
        ("id,path\n1,a.jpg\n" + 2**21 * "x", "Line 3 of .* is longer than 1,048,576 letters"),
        ("id,path\n1,a.jpg\n,b.jpg\n", "Line 3 of .* has no id, which is the key"),
        ("id,path\n1,a.jpg\n2,b.jpg\n1,c.jpg\n", "Line 2 and line 4 of .* have the same id: 1"),
        ("id,path,path\n1,a.jpg,b.jpg\n", "has 2 columns of the name path"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(CatalogInvalid, match=words) as raised:
        opened(written(tmp_path, content))
    assert raised.value.remedy


def test_a_file_with_a_heading_only_has_no_pictures(tmp_path: Path) -> None:
    with closing(opened(written(tmp_path, "id,path\n"), facets=("path",))) as catalog:
        assert list(catalog.rows()) == []
        assert catalog.count(after="anything") == 0
        assert catalog.facets() == {"path": {}}


def test_columns_that_nobody_asks_for_may_be_named_twice_or_not_at_all(tmp_path: Path) -> None:
    assert [row.key for row in rows(written(tmp_path, "id,path,,note,note\n1,a.jpg,,x,y\n"))] == ["1"]


def test_names_that_differ_in_case_only_are_different_columns(tmp_path: Path) -> None:
    (row,) = rows(written(tmp_path, "id,path,Path,ID\n1,a.jpg,b.jpg,2\n"), paths=("Path", "path"), payload=("ID", "id"))
    assert (row.candidates, row.payload) == (("b.jpg", "a.jpg"), {"ID": "2", "id": "1"})


def test_names_with_quotes_dots_and_unicode_are_only_names(tmp_path: Path) -> None:
    names = ("it's", 'the "path"', "a.b; drop", "日本 %s", "c0")
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([names, ("1", "a.jpg", "x", "y", "z")])
    (row,) = rows(tmp_path / "a.csv", key="it's", paths=('the "path"',), payload=("a.b; drop", "日本 %s"), tenant="c0")
    assert (row.key, row.candidates) == ("1", ("a.jpg",))
    assert row.payload == {"a.b; drop": "x", "日本 %s": "y", "c0": "z"}
    assert row.facets == {"c0": "z"}


def test_letters_that_are_not_utf8_cost_nothing_but_themselves_and_their_lines_are_named(tmp_path: Path) -> None:
    content = b"id,path,caption\n1,caf\xe9.jpg,caf\xe9\n2,b.jpg,good\n3,c.jpg,\xff\n"
    with closing(opened(written(tmp_path, content), payload=("caption",))) as catalog:
        found = list(catalog.rows())
        assert [row.candidates for row in found] == [("caf\\xe9.jpg",), ("b.jpg",), ("c.jpg",)]
        assert [row.payload["caption"] for row in found] == ["caf\\xe9", "good", "\\xff"]
        assert catalog.info().details["lines that are not UTF-8"] == "2 (line 2, 4)"


def test_a_key_of_several_columns_and_a_fallback_of_paths(tmp_path: Path) -> None:
    content = "tenant,number,small,large\nb,1,,l.jpg\na,10,s.jpg,l.jpg\na,9,,\n"
    found = rows(written(tmp_path, content), key=("tenant", "number"), paths=("small", "large"), tenant="tenant")
    assert [(row.key, row.candidates) for row in found] == [
        ('["a","10"]', ("s.jpg", "l.jpg")),
        ('["a","9"]', ()),
        ('["b","1"]', ("l.jpg",)),
    ]
    assert found[0].facets == {"tenant": "a"}
    refused = refusal(written(tmp_path, "tenant,number,path\na,1,\na,1,\n"), key=("tenant", "number"))
    assert "Line 2 and line 3" in refused.message


def test_a_missing_column_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    file = written(tmp_path, "id,path,caption\n1,a.jpg,x\n")
    for change in ({"key": "no"}, {"paths": ("no",)}, {"payload": ("no",)}, {"facets": ("no",)}, {"updated_at": "no"}):
        refused = refusal(file, **change)
        assert "has no column 'no'" in refused.message
        assert "id, path, caption" in refused.remedy
    assert "the columns are: id, path, caption" in refusal(file, paths=()).remedy


def test_the_revision_changes_with_payload_paths_and_time_only(tmp_path: Path) -> None:
    def revision(line: str) -> str:
        (row,) = rows(written(tmp_path, f"id,path,caption,note,at\n{line}\n"), payload=("caption",), updated_at="at")
        return row.revision

    usual = revision("1,a.jpg,x,n,1")
    assert revision("1,a.jpg,x,other,1") == usual
    assert len({usual, revision("1,b.jpg,x,n,1"), revision("1,a.jpg,y,n,1"), revision("1,a.jpg,x,n,2")}) == 4


def test_a_file_that_is_missing_a_folder_or_vanishes_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnavailable, match=r"none\.csv"):
        opened(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CatalogError, match=r"folder\.csv"):
        opened(tmp_path / "folder.csv")
    with closing(opened(written(tmp_path, "id,path\n1,a.jpg\n"))) as catalog:
        (tmp_path / "images.csv").unlink()
        with pytest.raises(CatalogUnavailable, match=r"images\.csv"):
            catalog.count()


def parquet(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "images.parquet", row_group_size=2)
    return folder / "images.parquet"


def test_parquet_keeps_numbers_and_truth_and_writes_everything_else_as_json_can_hold_it(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "id": [2, 1],
        "path": ["b.jpg", None],
        "small": pa.array([1, 2], pa.int8()),
        "weight": [1.5, float("nan")],
        "public": [True, None],
        "price": [Decimal("12.50"), None],
        "at": [datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), None],
        "day": [date(2024, 5, 6), None],
        "tags": [["a", "b"], None],
        "owner": pa.array(["x", "y"]).dictionary_encode(),
        "raw": [b"\x00", None],
        "a.b": ["dotted", ""],
    }
    names = tuple(name for name in columns if name not in ("id", "path"))
    one, two = rows(parquet(tmp_path, **columns), payload=names)
    assert (one.key, two.key) == ("1", "2")
    assert two.payload == {
        **{"small": 1, "weight": 1.5, "public": True, "price": 12.5, "at": "2024-05-06T07:08:09+00:00"},
        **{"day": "2024-05-06", "tags": '["a", "b"]', "owner": "x", "raw": None, "a.b": "dotted"},
    }
    assert one.payload == {**dict.fromkeys(names), "small": 2, "owner": "y", "a.b": ""}
    assert one.candidates == ()


def test_numbers_of_parquet_are_ordered_by_value_and_facets_of_every_type_can_be_chosen(tmp_path: Path) -> None:
    columns = {"id": [10, 9, 100], "path": ["a", "b", "c"], "public": [True, False, None], "owner": [7, 7, 8]}
    with closing(opened(parquet(tmp_path, **columns), facets=("public",), tenant="owner")) as catalog:
        assert [row.key for row in catalog.rows()] == ["9", "10", "100"]
        assert catalog.info().facets == ("owner", "public")
        assert catalog.facets() == {"owner": {"7": 2, "8": 1}, "public": {"": 1, "false": 1, "true": 1}}
        for name, values in catalog.facets().items():
            for value, number in values.items():
                assert catalog.count(Slice({name: (value,)})) == number


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": [1, None], "path": ["a", "b"]}, "Row 2 of .* has no id"),
        ({"id": [1, 2, 1], "path": ["a", "b", "c"]}, "Row 1 and row 3 of .* have the same id: 1"),
        ({"id": [0.5], "path": ["a"]}, "key column id holds float values"),
        ({"id": pa.array([2**64 - 1], pa.uint64()), "path": ["a"]}, "more than 64 bits"),
    ],
)
def test_keys_of_parquet_that_cannot_be_used_are_refused_by_row(
    tmp_path: Path, columns: dict[str, Any], words: str
) -> None:
    with pytest.raises(CatalogInvalid, match=words):
        opened(parquet(tmp_path, **columns))


def test_a_parquet_file_that_is_none_or_damaged_is_refused(tmp_path: Path) -> None:
    file = parquet(tmp_path, id=list(range(5000)), path=[f"{number}.jpg" for number in range(5000)])
    whole = file.read_bytes()
    for content in (
        b"",
        b"id,path\n",
        whole[: len(whole) // 2],
        whole[:4] + bytes(len(whole) // 2) + whole[len(whole) // 2 :],
    ):
        file.write_bytes(content)
        assert file.name in refusal(file).message


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_is_bounded_whatever_the_size_of_the_file(tmp_path: Path, ending: str) -> None:
    number = 8000
    names, captions = [f"{n}.jpg" for n in range(number)], ["x" * 1500] * number
    if ending == "parquet":
        table = pa.table(
            {"id": list(range(number)), "path": names, "caption": [f"{n} {c}" for n, c in enumerate(captions)]}
        )
        pq.write_table(table, tmp_path / "a.parquet", row_group_size=number)
        del table
    else:
        with (tmp_path / "a.csv").open("w") as stream:
            stream.write("id,path,caption\n")
            stream.writelines(f"{n},{n}.jpg,{'x' * 1500}\n" for n in range(number))
    del names, captions
    tracemalloc.start()
    configured = CatalogSettings("table", str(tmp_path / f"a.{ending}"), paths=("path",), payload=("caption",))
    with closing(TableCatalog(configured)) as catalog:
        assert sum(1 for _ in catalog.rows()) == number
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000, "8,000 rows take about 15 MB"


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(_cells, _cells), max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from(",;\t|"))
def test_whatever_a_spreadsheet_writes_is_read_as_it_was(
    tmp_path: Path, records: list[tuple[str, str]], end: str, delimiter: str
) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        broken = any("\r" in cell for record in records for cell in record)  # Python's own writer leaves it unquoted
        every = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer = every if broken else csv.writer(stream, delimiter=delimiter, lineterminator=end)
        writer.writerows([("id", "path", "said"), *((number, *record) for number, record in enumerate(records))])
    with closing(opened(tmp_path / "a.csv", payload=("path", "said"))) as catalog:
        assert [(row.payload["path"], row.payload["said"]) for row in catalog.rows()] == records


def test_a_heading_in_quotes_is_read_between_whatever_stands_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"id";"path";"said"\n"1";"a.jpg";"a, b"\n')
    with closing(opened(tmp_path / "a.csv", payload=("said",))) as catalog:
        assert [(row.key, row.payload) for row in catalog.rows()] == [("1", {"said": "a, b"})]
