"""What was read of a file is kept in a folder that may be emptied at any time, and never tells half of the file."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from console_core.catalog import table_file
from console_core.catalog.image_list import ImageListCatalog
from console_core.catalog.table import TableCatalog
from console_core.errors import CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "images.csv", 10)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def written(file: Path, number: int, path: str = "jpg") -> Path:
    draft = file.with_suffix(".draft")
    draft.write_text("id,path\n" + "".join(f"{n:05},{n}.{path}\n" for n in range(number)))
    draft.replace(file)
    return file


def opened(file: Path, cache: Path | None, *, dry: bool = False, page: int = 3) -> TableCatalog:
    return TableCatalog(CatalogSettings("table", str(file), paths=("path",)), cache, dry=dry, page=page)


def kept(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*")) if cache.exists() else []


def test_a_file_is_read_once_for_every_process_that_asks(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(opened(file, cache)) as first:
        (index,) = kept(cache)
        made = index.stat()
        monkeypatch.setattr(table_file, "open_table_file", None)
        with closing(opened(file, cache)) as second:
            assert list(first.rows()) == list(second.rows())
    assert (index.stat().st_mtime_ns, index.stat().st_ino) == (made.st_mtime_ns, made.st_ino)


def test_a_changed_file_is_read_again_at_the_next_question_and_a_pass_under_way_ends_as_it_began(
    file: Path, cache: Path
) -> None:
    with closing(opened(file, cache)) as catalog:
        under_way = catalog.rows()
        before = [next(under_way)]
        written(file, 4, "png")
        assert catalog.count() == 4
        assert [row.candidates for row in catalog.rows()] == [(f"{n}.png",) for n in range(4)]
        assert len(kept(cache)) == 1, "what was read before is not kept for ever"
        before += under_way
        assert [row.candidates for row in before] == [(f"{n}.jpg",) for n in range(10)]


def test_other_columns_make_another_index_and_the_former_one_goes(file: Path, cache: Path) -> None:
    opened(file, cache).close()
    (before,) = kept(cache)
    with closing(TableCatalog(CatalogSettings("table", str(file), key="path", paths=("path",)), cache)) as other:
        assert next(iter(other.rows())).key == "0.jpg"
    (after,) = kept(cache)
    assert before != after


def test_a_cache_that_is_emptied_costs_nobody_a_row(file: Path, cache: Path) -> None:
    with closing(opened(file, cache)) as catalog:
        rows = catalog.rows()
        seen = list(islice(rows, 2))
        for each in kept(cache):
            each.unlink()
        cache.rmdir()
        seen += rows
        assert len(seen) == catalog.count() == 10
    with closing(opened(file, cache)) as catalog:
        assert list(catalog.rows()) == seen


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"not a database at all, but a long text" * 100])
def test_what_is_no_finished_index_is_made_anew(file: Path, cache: Path, content: bytes) -> None:
    opened(file, cache).close()
    (index,) = kept(cache)
    index.write_bytes(content)
    with closing(opened(file, cache)) as catalog:
        assert catalog.count() == 10


def test_a_process_that_dies_while_it_reads_leaves_nothing_that_is_served(file: Path, cache: Path) -> None:
    written(file, 20_000)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from console_core.catalog import table_file\n"
        "from console_core.catalog.table import TableCatalog\n"
        "from console_core.settings import CatalogSettings\n"
        "whole = table_file._with_keys\n"
        "def half(*given):\n"
        "    for number, record in enumerate(whole(*given)):\n"
        "        if number == 15_000:\n"
        "            os.kill(os.getpid(), 9)\n"
        "        yield record\n"
        "table_file._with_keys = half\n"
        "TableCatalog(CatalogSettings('table', sys.argv[1], paths=('path',)), Path(sys.argv[2]))\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(file), str(cache)], check=False)
    assert died.returncode == -9
    (draft,) = kept(cache)
    assert draft.suffix == ".part"
    with closing(opened(file, cache, page=1000)) as catalog:
        assert catalog.count() == 20_000
    os.utime(draft, (1, 1))
    written(file, 3)
    with closing(opened(file, cache)) as catalog:
        assert catalog.count() == 3
    assert draft not in kept(cache), "a draft that nobody writes any more goes with the next one"


def test_several_that_open_a_file_at_once_all_see_the_whole_of_it(file: Path, cache: Path) -> None:
    written(file, 3000)
    found: list[int] = []

    def ask() -> None:
        with closing(opened(file, cache, page=1000)) as catalog:
            found.append(sum(1 for _ in catalog.rows()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3000] * 4
    assert len(kept(cache)) == 1


def test_a_file_that_changes_whenever_it_is_read_is_not_served(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, times = table_file.open_table_file, 0

    def while_it_grows(*given: object) -> object:
        nonlocal times
        times += 1
        written(file, 10 + times)
        return really(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(table_file, "open_table_file", while_it_grows)
    with pytest.raises(CatalogUnavailable, match="is being written"):
        opened(file, cache)
    assert kept(cache) == []
    monkeypatch.setattr(table_file, "open_table_file", really)
    with closing(opened(file, cache)) as catalog:
        assert catalog.count() == 10 + times


def test_a_file_that_changes_once_while_it_is_read_is_read_again(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = table_file.open_table_file

    def once(*given: object) -> object:
        monkeypatch.setattr(table_file, "open_table_file", really)
        found = really(*given)  # type: ignore[arg-type]
        written(file, 12)
        return found

    monkeypatch.setattr(table_file, "open_table_file", once)
    with closing(opened(file, cache)) as catalog:
        assert catalog.count() == 12


def test_a_dry_run_writes_nothing_and_uses_what_is_there(file: Path, cache: Path, tmp_path: Path) -> None:
    with closing(opened(file, cache, dry=True)) as catalog:
        assert catalog.count() == 10
    assert not cache.exists()
    opened(file, cache).close()
    before = [(path, path.stat().st_mtime_ns) for path in kept(cache)]
    with closing(opened(file, cache, dry=True)) as catalog:
        assert catalog.count() == 10
    assert [(path, path.stat().st_mtime_ns) for path in kept(cache)] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "images.csv"]


def test_a_file_that_becomes_malformed_is_refused_until_it_is_mended(file: Path, cache: Path) -> None:
    with closing(opened(file, cache)) as catalog:
        file.write_text("id,path\n1\n")
        with pytest.raises(CatalogInvalid, match="Line 2"):
            catalog.count()
        written(file, 2)
        assert catalog.count() == 2


def test_a_cache_that_cannot_be_written_is_named(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(CatalogUnavailable, match="taken") as raised:
        opened(file, tmp_path / "taken")
    assert raised.value.remedy


def test_an_index_that_was_damaged_since_is_told_and_not_believed(file: Path, cache: Path) -> None:
    written(file, 3000)
    opened(file, cache).close()
    (index,) = kept(cache)
    with closing(sqlite3.connect(index)) as connection:
        ((size,),) = connection.execute("PRAGMA page_size")
    with index.open("r+b") as stream:
        stream.seek(2 * size)
        stream.write(b"\xff" * (index.stat().st_size - 3 * size))
    with closing(opened(file, cache)) as catalog, pytest.raises(CatalogUnavailable, match="cannot be asked") as raised:
        list(catalog.rows())
    assert "Delete the folder cache/catalogs" in raised.value.remedy


def test_a_list_is_kept_like_a_table(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.jpg,cat\nb.jpg,dog\na.jpg,cat\n")
    with closing(ImageListCatalog(file, cache)) as catalog:
        before = list(catalog.rows())
    (index,) = kept(cache)
    made = index.stat().st_mtime_ns
    with closing(ImageListCatalog(file, cache)) as catalog:
        assert list(catalog.rows()) == before
        assert catalog.info().details == {"pictures": "2", "repeated lines left out": "1 (line 3)"}
    assert index.stat().st_mtime_ns == made
