"""What lies in a folder that may not be read is not told from what was deleted, so nobody is told either."""

import os
from pathlib import Path

import pytest

from console_core.catalog.folder import FolderCatalog
from console_core.errors import CatalogUnavailable


def test_a_picture_below_a_closed_folder_is_not_said_to_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    catalog = FolderCatalog(tmp_path, fresh=0)
    assert [row.key for row in catalog.get(["open/1.jpg", "closed/1.jpg"])] == ["open/1.jpg", "closed/1.jpg"]
    scandir = os.scandir

    def refused(path: Path) -> object:  # a superuser may read everything, so the refusal is made
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert [row.key for row in catalog.get(["open/1.jpg", "open/2.jpg"])] == ["open/1.jpg"]
    with pytest.raises(CatalogUnavailable, match=r"folder closed may not be read.*closed/1.jpg"):
        catalog.get(["open/1.jpg", "closed/1.jpg"])
