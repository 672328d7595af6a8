"""Pictures in S3 and in stores that speak it (Supabase storage, MinIO, …): http addresses that obstore signs."""

import contextlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
from obstore import sign_async
from obstore.exceptions import BaseError
from obstore.store import S3Store

from console_core.catalog.http_answers import is_later, seconds_of
from console_core.catalog.http_transport import Transport
from console_core.catalog.transfer import Answer, TryAgain, replaced
from console_core.catalog.web_addresses import Address, below, is_address, is_outside, outside, parsed, without_dots
from console_core.errors import ImageError, ImageForbidden, ImageMissing, ImageUnavailable, ImageUnreadable
from console_core.settings import ImageSettings

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Config

SCHEME = "s3://"
_VALID = timedelta(hours=1)
"""For how long a signed address can be asked for; it is asked for at once."""
_PATIENCE: "RetryConfig" = {"max_retries": 1, "retry_timeout": timedelta(seconds=10)}
"""Of asking this machine's cloud for credentials, where none are set."""
_TOLD = 4096
"""Bytes of an error's text that are looked at."""
_LATER = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "RequestLimitExceeded"}
)
_IMPOSSIBLE = re.compile(r"//|/$|[\x00-\x1f\x7f\ud800-\udfff]")
"""In what obstore does not sign, after a slash."""
_NO_OBJECT = "a-key-that-the-console-asks-for-to-see-whether-there-is-an-answer"
_KEYS = "Set key and secret in [images.s3], or let their owner read this bucket (s3:GetObject, s3:ListBucket)."


class S3Source:
    """See `transfer.Source`. Addresses of paths are a bucket and a key with a slash between them."""

    def __init__(self, settings: ImageSettings) -> None:
        self.roots = tuple(root for root in settings.roots if root.startswith(SCHEME))
        self._location = ", ".join(self.roots)
        self._s3 = settings.s3
        region = settings.s3.region or "us-east-1"
        self._endpoint = parsed(settings.s3.endpoint_url or f"https://s3.{region}.amazonaws.com")
        self._transport = Transport(settings)
        self._stores: dict[str, S3Store] = {}

    def locate(self, path: str) -> str:
        if path.startswith("/"):
            raise outside(path, self._location)
        if not is_address(path):
            return self._within(self.roots[0], path, path)
        for root in self.roots:
            if path.startswith(root):
                return self._within(root, path[len(root) :], path)
        raise outside(path, self._location)

    def _within(self, root: str, name: str, path: str) -> str:
        if is_outside(name):
            raise outside(path, self._location)
        key = without_dots(f"/{name}", str)[1:]
        if _IMPOSSIBLE.search(f"/{key}"):
            raise ImageMissing(
                f"{path!r} is no key that can be asked for.", "Correct the path in the catalog.", path=path
            )
        return root.removeprefix(SCHEME) + key

    async def ask(self, address: str, path: str, start: int, version: str) -> Answer:
        at = await self._signed(address, path)
        wanted = {"Range": f"bytes={start}-", "If-Match": version} if start else {}
        response = await self._transport.get(at, path, wanted, trusted=True)
        try:
            if response.status in (200, 206):
                return self._transport.answer(response, at, path, start, version)
            error = (await _Refusal.of(response)).error(path)
        except BaseException:
            response.release()
            raise
        response.release()
        raise error

    async def trouble(self, root: str) -> tuple[str, str]:
        """Ask for what is not there: the answer says whether there is a bucket, and whether the key is known."""
        try:
            refusal = await self._refused(root.removeprefix(SCHEME) + _NO_OBJECT, root)
        except (TryAgain, ImageError) as error:
            found = error.error if isinstance(error, TryAgain) else error
            return f"does not answer: {found.message}".rstrip("."), found.remedy
        refused = refusal.error(root)
        remedy = refused.error.remedy if isinstance(refused, TryAgain) else refused.remedy
        fine = refusal.code in ("NoSuchKey", "AccessDenied")  # of what may not be listed, nobody is told that it is not
        return ("", "") if fine else (f"answers {refusal.said}", remedy)

    async def close(self) -> None:
        await self._transport.close()

    async def _signed(self, address: str, path: str) -> Address:
        bucket, _, key = address.partition("/")
        if self._s3.anonymous:
            return below(below(self._endpoint, bucket), key)
        try:
            return parsed(await sign_async(self._store(bucket), "GET", key, _VALID))
        except (BaseError, OSError, ValueError, TypeError) as error:
            raise ImageForbidden(
                f"{path} cannot be asked for: there are no credentials for S3, or they do not fit.",
                "Set key and secret in [images.s3], or anonymous = true for a public bucket.",
                path=path,
            ) from error

    def _store(self, bucket: str) -> S3Store:
        store = self._stores.get(bucket)
        if store is None:
            given: S3Config = {}
            if self._s3.endpoint_url:
                given["endpoint"] = str(self._endpoint).rstrip("/")
            if self._s3.region:
                given["region"] = self._s3.region
            if self._s3.key:
                given |= {"access_key_id": self._s3.key, "secret_access_key": self._s3.secret}
            store = S3Store(bucket, config=given, client_options={"allow_http": True}, retry_config=_PATIENCE)
            self._stores[bucket] = store
        return store

    async def _refused(self, address: str, path: str) -> "_Refusal":
        response = await self._transport.get(await self._signed(address, path), path, {}, trusted=True)
        try:
            return await _Refusal.of(response)
        finally:
            response.release()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a store says instead of giving an object."""

    status: int
    code: str
    why: str
    after: float | None

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> "_Refusal":
        text = ""
        with contextlib.suppress(aiohttp.ClientError, OSError):
            text = (await response.content.read(_TOLD)).decode("utf-8", "replace")
        found = [re.search(f"<{name}>([^<]{{1,200}})</{name}>", text) for name in ("Code", "Message")]
        code, why = (one[1].strip() if one else "" for one in found)
        if not code:
            code = {403: "AccessDenied", 404: "NoSuchKey"}.get(response.status, "")
        return cls(response.status, code, why, seconds_of(response.headers.get("Retry-After", "")))

    @property
    def said(self) -> str:
        """As the end of a sentence."""
        return f"{self.code or self.status}{f' ({self.why.rstrip(chr(46))})' if self.why else ''}"

    def error(self, path: str) -> ImageError | TryAgain:
        shown = f"The store answers {self.said} for {path}."
        if self.code == "NoSuchBucket":
            return ImageMissing(shown, "Correct the image root: there is no such bucket.", path=path)
        if self.status in (404, 410):
            return ImageMissing(shown, "Store the picture again.", path=path)
        if self.status in (401, 403):
            return ImageForbidden(shown, _KEYS, path=path)
        if self.status in (412, 416):
            return replaced(path)
        if is_later(self.status) or self.code in _LATER:
            return TryAgain(ImageUnavailable(shown, "Try it again later.", path=path), after=self.after)
        return ImageUnreadable(shown, "Correct region or endpoint_url in [images.s3].", path=path)
