"""Backups as one file, at signed addresses: /backup/<id>.tar?e=<expiry>&s=<signature>.

The archive is sent as it is read, a block at a time, so that it may be larger than the memory.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from console_core.backup.proof import FILE as PROOF
from console_core.errors import BackupError, ConsoleError, NotFound
from console_core.web import process
from console_core.web.signing import expiry, is_valid, secret_of, signature

BLOCK = 1 << 20
_UNIT = tarfile.BLOCKSIZE
_HEADERS = {"cache-control": "private, no-store", "cross-origin-resource-policy": "same-origin"}


def backup_url(backup: str) -> str:
    """The address of a backup on this server, good for six hours or more.

    Raises:
        ConsoleError: the Console cannot be opened.
    """
    secret, expires = secret_of(process.console().settings.workspace), expiry()
    query = {"e": expires, "s": signature(secret, "backup", backup, expires)}
    return f"/backup/{backup}.tar?{urlencode(query)}"


def download(request: Request) -> Response:
    """The archive; 403 for a bad or expired signature, 404 where there is none, 409 where it is damaged."""
    console = process.opened()
    if console is None:
        return PlainTextResponse("the console is not open yet", 503)
    backup = request.path_params["backup"]
    try:
        expires = int(request.query_params.get("e", ""))
    except ValueError:
        return PlainTextResponse("not a backup's address", 403)
    secret = secret_of(console.settings.workspace)
    if not is_valid(secret, request.query_params.get("s", ""), expires, "backup", backup):
        return PlainTextResponse("this address is not valid, or no longer: reload the page", 403)
    try:
        archive = console.backups.open(backup)
    except NotFound as error:
        return PlainTextResponse(str(error), 404)
    except BackupError as error:
        return PlainTextResponse(str(error), 409)
    except ConsoleError as error:
        return PlainTextResponse(str(error), 503)
    names = ["manifest.json", *archive.manifest.lists, *(part.file for part in archive.parts)]
    files = [archive.folder / name for name in (*names, PROOF) if (archive.folder / name).exists()]
    sizes = {file: file.stat().st_size for file in files}
    length = sum(_UNIT + -(-size // _UNIT) * _UNIT for size in sizes.values()) + 2 * _UNIT
    headers = {
        **_HEADERS,
        "content-length": str(length),
        "content-disposition": f'attachment; filename="{backup}.tar"',
    }
    return StreamingResponse(_tar(backup, sizes), 200, headers, "application/x-tar")


def _tar(folder: str, sizes: dict[Path, int]) -> Iterator[bytes]:
    """A tar file, block by block. A file that shrank meanwhile ends it early, which a browser reports as failed."""
    for file, size in sizes.items():
        entry = tarfile.TarInfo(f"{folder}/{file.name}")
        entry.size, entry.mtime, entry.mode = size, int(file.stat().st_mtime), 0o644
        yield entry.tobuf(tarfile.GNU_FORMAT)
        with file.open("rb") as stream:
            left = size
            while left and (block := stream.read(min(BLOCK, left))):
                left -= len(block)
                yield block
        if left:
            return
        yield b"\0" * (-size % _UNIT)
    yield b"\0" * (2 * _UNIT)


ROUTES = [Route("/backup/{backup}.tar", download)]
