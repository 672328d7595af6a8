"""A store that speaks S3 and checks signatures, as a process of its own on this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import S3Store

KEY, SECRET = "AKIAEXAMPLE", "s3cret-value"


@dataclass
class ObjectStore:
    """Its buckets are folders."""

    url: str
    folder: Path

    def bucket(self, name: str) -> S3Store:
        """A bucket, which is made where it is not there."""
        (self.folder / name).mkdir(exist_ok=True)
        return S3Store(
            name,
            endpoint=self.url,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def put(self, bucket: str, key: str, data: bytes) -> None:
        obstore.put(self.bucket(bucket), key, data)


@contextmanager
def storing(folder: Path) -> Iterator[ObjectStore]:
    """A store until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "nanio", "serve", "--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "NANIO_ACCESS_KEY": KEY, "NANIO_SECRET_KEY": SECRET},
    )
    try:
        _await(port, process)
        yield ObjectStore(f"http://127.0.0.1:{port}", folder)
    finally:
        process.kill()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert process.poll() is None, "the store does not start"
            assert time.monotonic() < until, "the store does not answer"
            time.sleep(0.02)
        else:
            return
