"""Which people a share of the traffic concerns: a stable hash puts everybody's key into one of 10,000 buckets.

The first eight bytes of SHA-256 over `alias`, a zero byte and `key`, both in UTF-8, as a big-endian number modulo
10,000. A share of s % is the buckets below 100 s. So a key always falls into the same bucket, raising a share only adds
keys, and the alias is the salt: who is among the first of one alias need not be among the first of another.
"""

from hashlib import sha256

BUCKETS = 10_000
"""Buckets are numbered from 0; each is a hundredth of a percent."""
LONGEST = 500
"""Characters of a key."""


def bucket(alias: str, key: str) -> int:
    """The bucket of a caller's key, from 0 to 9,999; a user's or a session's id says who it is."""
    digest = sha256(f"{alias}\0{key}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def concerns(bucket: int, hundredths: int) -> bool:
    """Whether a share, in hundredths of a percent, concerns a bucket: 0 concerns nobody, 10,000 everybody."""
    return bucket < hundredths
