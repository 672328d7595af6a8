# ruff: noqa: T201
"""A build keeps to the memory that was stated before it, whatever the pictures are and however many."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="tells its peak on Linux only")


def _measured(*options: str) -> dict[str, Any]:
    """What a build in a process of its own took of memory, in bytes beyond its start."""
    command = [sys.executable, "-m", "benchmarks.memory", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=230, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    print(
        f"\n{found['rows']:,} rows: peak {found['peak'] / 1e6:,.0f} MB, stated {found['stated'] / 1e6:,.0f} MB, "
        f"for these pictures {found['stated_for_these'] / 1e6:,.0f} MB"
    )
    assert (found["state"], found["done"]) == ("succeeded", found["rows"])
    return found


def test_a_build_with_pictures_of_100_megapixels_keeps_to_what_was_stated() -> None:
    found = _measured("--rows", "500", "--large", "2", "--model", "demo-clip")
    assert found["large"] == 6
    assert 300e6 < found["peak"] <= found["stated_for_these"] < found["stated"]


def test_memory_does_not_grow_with_the_catalog() -> None:
    found = _measured("--rows", "30000", "--large", "0")
    assert found["peak"] < 60e6
