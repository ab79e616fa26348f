"""What the bytes of a picture say of its samples before anything is decoded."""

from .orientation import parts

PNG, BMP, JPEG = b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8\xff"

JPEG2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
"""In a box, and bare."""

_IHDR_END = 33


def grey_bits(content: bytes) -> int | None:
    """Bits of a sample of a grey PNG of less than 8, whose samples decoders stretch to 0 .. 255; None for others."""
    if not content.startswith(PNG) or len(content) < _IHDR_END:
        return None
    depth, colour_type = content[24], content[25]
    return depth if colour_type == 0 and depth < 8 else None


def lossy(content: bytes) -> bool:
    """Whether the compression of a file changes values: JPEG, WebP but for lossless, JPEG 2000 of wavelet 9-7."""
    if content.startswith(JPEG):
        return True
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return b"VP8 " in {name for name, _, _ in parts(content)}
    if content.startswith(JPEG2000):
        coding = content.find(b"\xff\x52", content.find(b"\xff\x4f\xff\x51"))
        return content[coding + 13 : coding + 14] == b"\0"  # the wavelet, after 4 bytes of progression and 4 of blocks
    return False
