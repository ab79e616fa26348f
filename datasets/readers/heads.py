"""What the first bytes of a picture say of its samples before anything is decoded."""

from pathlib import Path

PNG, BMP, GIF, JPEG = b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"\xff\xd8\xff"

_LENGTH = 34


def head_of(file: Path) -> bytes:
    """The first bytes, padded with zeros where there are fewer."""
    with file.open("rb") as opened:
        return opened.read(_LENGTH).ljust(_LENGTH, b"\0")


def grey_bits(head: bytes) -> int | None:
    """Bits of a sample of a grey PNG of less than 8, whose samples decoders stretch to 0 .. 255; None for others."""
    depth, colour_type = head[24], head[25]
    return depth if head.startswith(PNG) and colour_type == 0 and depth < 8 else None


def lossy(head: bytes) -> bool:
    """Whether a file is a JPEG, or a WebP of one lossy picture and nothing else."""
    return head.startswith(JPEG) or (head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8 ")
