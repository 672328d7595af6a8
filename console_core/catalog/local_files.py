"""Pictures on a disk of this machine, and nothing else that lies on it."""

import errno
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from console_core.catalog.names import on_disk, told
from console_core.catalog.web_addresses import ImageOutside, is_address
from console_core.errors import (
    ImageEmpty,
    ImageError,
    ImageForbidden,
    ImageMissing,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
)

MEBIBYTE = 1024 * 1024
READERS = 4
"""Threads that read at a time: more would only take Python's lock from those that decode."""
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


class LocalFiles:
    """The image store of local folders: relative paths start from the first root, no path leads outside all of them.

    Of any number of threads. Where a root that is a link leads is looked up once, and again when a path leads outside.
    """

    def __init__(self, roots: tuple[Path, ...], max_bytes: int = 100 * MEBIBYTE) -> None:
        self.roots = tuple(Path(root).absolute() for root in roots)
        self.max_bytes = max_bytes
        self._real_roots: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """The roots."""
        return ", ".join(map(str, self.roots)) or "no image root"

    @property
    def readers(self) -> int:
        return READERS

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        """All bytes at a path; `make_room` is told the file's size before it is read.

        Raises:
            ImageOutside: an address, or a path outside the roots, also by `..` or a link.
            ImageForbidden: no permission.
            ImageMissing: there is nothing.
            ImageEmpty: the file has no byte.
            ImageTooLarge: it has more than `max_bytes`.
            ImageUnsupported: a folder, a device or a pipe.
            ImageUnreadable: the disk reports an error.
        """
        try:
            return self._read(path, self._locate(path), make_room)
        except OSError as error:
            raise self._translated(path, error) from error
        except ValueError as error:  # a NUL, or a character that no file name can have
            raise ImageMissing(
                f"{path!r} is not a file name.", "Correct the path in the catalog.", path=path
            ) from error

    def changed_at(self, path: str) -> datetime | None:
        """The later of the file's times of writing and of being moved there; None where it cannot be looked at."""
        try:
            state = self._locate(path).stat()
        except (ImageError, OSError, ValueError):
            return None
        return datetime.fromtimestamp(max(state.st_mtime, state.st_ctime), UTC)

    def trouble(self, root: str) -> tuple[str, str]:
        """See `ImageStore`. Any folder can be asked about."""
        return folder_trouble(Path(root))

    def close(self) -> None:
        """Nothing is held open."""

    def _locate(self, path: str) -> Path:
        if is_address(path):
            raise ImageOutside(
                f"{told(path)} is an address, and pictures are read from folders only.",
                f"Put paths into the catalog that lie in {self.location}, or add where it lies to the image roots.",
                path=path,
            )
        if not self.roots:
            raise ImageForbidden(
                f"{path} may not be read: no image root is set.", "Set one in console.toml.", path=path
            )
        given = self.roots[0] / path
        if "\\x" in path and not given.exists():
            given = self.roots[0] / on_disk(path)
        real = os.path.realpath(given)
        if not _lies_in(real, self._real_roots):
            self._real_roots = tuple(map(os.path.realpath, self.roots))
        if not _lies_in(real, self._real_roots):
            raise ImageOutside(
                f"{path} leads outside the image roots: {self.location}.",
                "Correct the path in the catalog, or add its folder to the image roots.",
                path=path,
            )
        return Path(real)

    def _read(self, path: str, real: Path, make_room: Callable[[int], object] | None) -> bytes:
        state = real.stat()
        if not stat.S_ISREG(state.st_mode):  # opening a pipe would wait for ever
            what = "a folder" if stat.S_ISDIR(state.st_mode) else "a device or a pipe"
            raise ImageUnsupported(f"{path} is {what}, not a picture.", "Correct the path in the catalog.", path=path)
        data = b""
        if state.st_size <= self.max_bytes:
            if make_room is not None:
                make_room(state.st_size)
            with real.open("rb") as file:
                data = file.read(state.st_size + 1)  # and not `max_bytes`, for which memory would be had each time
                if len(data) > state.st_size:  # it grows meanwhile
                    data += file.read(self.max_bytes + 1 - len(data))
        if (size := max(state.st_size, len(data))) > self.max_bytes:
            raise ImageTooLarge(
                f"{path} has {size / MEBIBYTE:.1f} MiB, more than the {self.max_bytes / MEBIBYTE:g} MiB that are read.",
                "Store a smaller version of this picture.",
                path=path,
            )
        if not data:
            raise ImageEmpty(f"{path} is an empty file.", "Store the picture again.", path=path)
        return data

    def _translated(self, path: str, error: OSError) -> ImageError:
        if error.errno in _DENIED:
            return ImageForbidden(
                f"{path} may not be read: {error.strerror}.", "Let the console's user read this file.", path=path
            )
        if error.errno in _ABSENT:
            absent = [str(root) for root in self.roots if not root.is_dir()]
            remedy = f"There is no image root {', '.join(absent)}." if absent else "Store the picture again."
            return ImageMissing(f"{path} does not exist.", remedy, path=path)
        return ImageUnreadable(f"{path} cannot be read: {error.strerror or error}.", "Check the disk.", path=path)


def _lies_in(real: str, roots: tuple[str, ...]) -> bool:
    return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in roots)


def folder_trouble(root: Path) -> tuple[str, str]:
    """Why nothing can be read from a folder, and what to do; ("", "") where it can be read."""
    where = "Correct root or also in [images] of console.toml, or CONSOLE_IMAGE_ROOT, or mount the disk that it is on."
    try:
        if not root.exists():
            return "does not exist", where
        if not root.is_dir():
            return "is not a folder", where
    except OSError as error:  # a folder above it is closed
        return f"cannot be reached: {error.strerror or error}", "Let the console's user into the folders above it."
    if not os.access(root, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return "may not be read by this user", "Let the console's user read it: chmod o+rx, or its group."
    return "", ""
