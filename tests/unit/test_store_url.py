"""The store's URL is changed in console.toml, and nothing else in it."""

import tomllib
from pathlib import Path

import pytest

from console_core.errors import SettingsError
from console_core.settings.changing import set_store_url

NEW = "edge:qdrant-edge"
FILES = {
    "as the demo writes it": '[store]\nurl = "local:qdrant"\n\n[catalog]\nlocation = "images"\n',
    "with remarks": '# ours\ndevice = "cpu"\n\n[store]   # vectors\ntimeout = 9\nurl="local:qdrant" # old\n[images]\n',
    "a section without it": "[store]\ntimeout = 9\n\n[images]\nroot = 'x'\n",
    "no section": '[catalog]\nlocation = "url = 1"\n',
    "only a setting": 'device = "cpu"\n',
    "empty": "",
    "another url before": '[ledger]\nurl = "sqlite:///x.db"\n[store]\n',
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_only_the_url_of_the_store_is_another(tmp_path: Path, text: str) -> None:
    file = tmp_path / "console.toml"
    file.write_text(text)
    before = tomllib.loads(text)
    set_store_url(tmp_path, NEW)
    after = tomllib.loads(file.read_text())
    assert after["store"]["url"] == NEW
    assert after == {**before, "store": {**before.get("store", {}), "url": NEW}}
    assert all(line in file.read_text() for line in text.splitlines() if "local:" not in line)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("text", ['store = {url = "local:qdrant"}\n', 'store.url = "local:qdrant"\n', "not = = toml"])
def test_a_file_that_is_written_otherwise_is_left_to_its_owner(tmp_path: Path, text: str) -> None:
    file = tmp_path / "console.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=rf'Write it yourself: \[store\] url = "{NEW}"'):
        set_store_url(tmp_path, NEW)
    assert file.read_text() == text
