"""What may unpack the chunks of a Zarr array that came from outside: codecs that hold numbers and no code."""

from collections.abc import Iterator, Mapping
from typing import Any

CODECS = (
    "adler32", "astype", "bitround", "blosc", "bytes", "bz2", "crc32", "crc32c", "delta", "fixedscaleoffset",
    "fletcher32", "gzip", "lz4", "lzma", "packbits", "quantize", "sharding_indexed", "shuffle", "transpose", "zlib",
    "zstd",
)  # fmt: skip
"""By name, without the `numcodecs.` that Zarr 3 puts before those of that package.

Among those that are left out, numcodecs' `pickle` runs what a chunk says; versions of before 2026 do so for any array.
"""


def foreign_codec(metadata: Mapping[str, Any]) -> str:
    """The first codec of an array's metadata, as Zarr 2 or 3 has it, that is none of these; "" where all are."""
    return next((name for name in _names(metadata) if name.removeprefix("numcodecs.") not in CODECS), "")


def _names(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Names of the codecs, those inside shards too."""
    named = [metadata.get("compressor"), *(metadata.get("filters") or ()), *(metadata.get("codecs") or ())]
    for told in (one for one in named if one is not None):
        own = told if isinstance(told, Mapping) else {}
        yield str(own.get("id") or own.get("name"))
        inside = own.get("configuration")
        if isinstance(inside, Mapping):
            yield from _names({"codecs": [*(inside.get("codecs") or ()), *(inside.get("index_codecs") or ())]})
