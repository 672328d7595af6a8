"""console.toml is changed where it was asked for, and stays as it was everywhere else, whatever happens meanwhile."""

import os
import tomllib
from pathlib import Path

import pytest

from console_core.errors import Refused, SettingsError
from console_core.settings.changing import FORMER, Change, changed, save, set_store_url, take_back, written

NEW = "edge:qdrant-edge"
FILES = {
    "as the demo writes it": '[store]\nurl = "local:qdrant"\n\n[catalog]\nlocation = "images"\n',
    "with remarks": '# ours\ndevice = "cpu"\n\n[store]   # vectors\ntimeout = 9\nurl="local:qdrant" # old\n[images]\n',
    "a section without it": "[store]\ntimeout = 9\n\n# about pictures\n[images]\nroot = 'x'\n",
    "no section": '[catalog]\nlocation = "url = 1"\n',
    "only a setting": 'device = "cpu"\n',
    "empty": "",
    "another url before": '[ledger]\nurl = "sqlite:///x.db"\n[store]\n',
    "in one line": 'store = {url = "local:qdrant"}\n',
    "with a dot": 'store.url = "local:qdrant"\n',
    "no end of line": '[store]\nurl = "local:qdrant"',
    "another section in between": '[store]\ntimeout = 9\n[images]\nroot = "x"\n[store.tables]\n',
}
FULL = """\
# our workspace
device = "cpu"      # no card here

[store]             # vectors
timeout   = 9
url="local:qdrant"  # old

# about pictures
[images]
root = 'pictures'

[models.first]      # ours
architecture = "local-dir:a"
"""


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_only_the_url_of_the_store_is_another(tmp_path: Path, text: str) -> None:
    file = tmp_path / "console.toml"
    file.write_text(text)
    before = tomllib.loads(text)
    set_store_url(tmp_path, NEW)
    after = tomllib.loads(file.read_text())
    assert after == {**before, "store": {**before.get("store", {}), "url": NEW}}
    assert all(line in file.read_text() for line in text.splitlines() if "local:" not in line)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["console.toml", FORMER]
    assert (tmp_path / FORMER).read_text() == text


def test_a_file_that_is_no_toml_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "console.toml").write_text("not = = toml")
    with pytest.raises(SettingsError, match="must be valid TOML"):
        set_store_url(tmp_path, NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["console.toml"]
    assert (tmp_path / "console.toml").read_text() == "not = = toml"


def test_what_is_not_edited_stays_byte_for_byte() -> None:
    changes = [
        Change(("store", "timeout"), 30),
        Change(("store", "retries"), 5),
        Change(("images", "also"), ["b", "c"]),
        Change(("models", "second", "architecture"), "ViT-B-32"),
        Change(("models", "second", "title"), 'The "house" model'),
    ]
    assert changed(FULL, changes) == (
        FULL.replace("= 9", "= 30")
        .replace("# old\n", "# old\nretries = 5\n")
        .replace("'pictures'\n", '\'pictures\'\nalso = ["b", "c"]\n')
        + '\n[models.second]\narchitecture = "ViT-B-32"\ntitle = "The \\"house\\" model"\n'
    )


def test_a_section_that_is_removed_takes_nothing_else_with_it() -> None:
    assert changed(FULL, [Change(("models", "first"))]) == FULL[: FULL.index("[models.first]")]
    assert changed(FULL, [Change(("models", "nobody")), Change(("catalog", "table"))]) == FULL


def test_the_last_of_the_tables_can_be_removed_too() -> None:
    text = '[store]\nurl = "postgresql://a@b/c"\n\n[store.tables.one]\ntable = "x"\n'
    assert tomllib.loads(changed(text, [Change(("store", "tables", "one"))])) in (
        {"store": {"url": "postgresql://a@b/c"}},
        {"store": {"url": "postgresql://a@b/c", "tables": {}}},
    )


def test_a_file_with_the_line_ends_of_windows_keeps_them() -> None:
    text = FULL.replace("\n", "\r\n")
    after = changed(text, [Change(("store", "retries"), 5), Change(("catalog", "location"), "list.txt")])
    assert after.count("\n") == after.count("\r\n") == FULL.count("\n") + 4


def test_nothing_is_written_where_the_file_says_it_already(tmp_path: Path) -> None:
    (tmp_path / "console.toml").write_text(FULL)
    assert not save(tmp_path, [Change(("store", "timeout"), 9)])
    assert not (tmp_path / FORMER).exists()


def test_a_file_that_was_changed_since_it_was_looked_at_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "console.toml"
    file.write_text(FULL)
    digest = written(tmp_path).digest
    file.write_text(FULL + "# somebody was here\n")
    with pytest.raises(Refused, match="somebody else"):
        save(tmp_path, [Change(("store", "timeout"), 30)], digest=digest)
    assert file.read_text() == FULL + "# somebody was here\n"
    assert save(tmp_path, [Change(("store", "timeout"), 30)], digest=written(tmp_path).digest)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(("store", "timeout"), 0), "timeout"),
        (Change(("store", "url"), "http://${NOBODY_SET_THIS}:6333"), "NOBODY_SET_THIS"),
        (Change(("catalog", "kind"), "sql"), "names no table"),
        (Change(("models", "x", "title"), "x"), "no architecture"),
    ],
)
def test_what_the_console_could_not_read_is_refused_and_changes_nothing(
    tmp_path: Path, change: Change, said: str
) -> None:
    (tmp_path / "console.toml").write_text(FULL)
    with pytest.raises(SettingsError, match=said):
        save(tmp_path, [change], environment={})
    assert [path.name for path in tmp_path.iterdir()] == ["console.toml"]
    assert (tmp_path / "console.toml").read_text() == FULL


@pytest.mark.parametrize("rename", [1, 2])
def test_a_crash_before_the_draft_takes_the_place_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rename: int
) -> None:
    (tmp_path / "console.toml").write_text(FULL)
    renames = 0
    real = Path.replace

    def dies(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == rename:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, [Change(("store", "timeout"), 30)])
    assert (tmp_path / "console.toml").read_text() == FULL
    monkeypatch.undo()
    assert save(tmp_path, [Change(("store", "timeout"), 30)]), "what the crash left behind is no hindrance"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["console.toml", FORMER]


def test_a_folder_that_cannot_be_written_is_told_with_what_to_write_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "console.toml").write_text(FULL)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match=r"Write it yourself: \[store\] timeout"):
        save(tmp_path, [Change(("store", "timeout"), 30)])
    assert [path.name for path in tmp_path.iterdir()] == ["console.toml"]


def test_who_may_read_the_file_stays_and_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "settings.toml"
    real.parent.mkdir()
    real.write_text(FULL)
    real.chmod(0o600)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "console.toml").symlink_to(real)
    save(workspace, [Change(("store", "timeout"), 30)])
    assert (workspace / "console.toml").is_symlink()
    assert "timeout   = 30" in real.read_text()
    assert {path.stat().st_mode & 0o777 for path in real.parent.iterdir()} == {0o600}


def test_the_former_version_comes_back(tmp_path: Path) -> None:
    (tmp_path / "console.toml").write_text(FULL)
    save(tmp_path, [Change(("store", "timeout"), 30)])
    take_back(tmp_path)
    assert (tmp_path / "console.toml").read_text() == FULL


def test_a_change_is_named_without_its_value() -> None:
    assert Change(("store", "api_key"), "s3cret").name == "[store] api_key"
    assert Change(("device",), "cpu").name == "device"
    assert os.sep not in Change(("images", "root"), "/srv").name
