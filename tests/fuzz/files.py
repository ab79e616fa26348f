"""Small files of every format that is read, as programs write them, from which hypothesis makes wrong ones."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping

import cv2
import numpy as np

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (7, 9), np.uint8)
COLOURS = RNG.integers(0, 256, (7, 9, 3), np.uint8)
LABELS = RNG.integers(0, 4, (7, 9), np.uint8)
VOLUME = RNG.integers(0, 4, (5, 6, 7), np.uint16)


def png() -> list[bytes]:
    """Grey, colours, 16 bits, a palette, two bits, transparency, and text and EXIF beside."""
    from PIL import Image

    made = [_encoded(".png", one) for one in (GREY, COLOURS, GREY.astype(np.uint16) * 257)]
    palette = Image.fromarray(COLOURS).quantize(4)
    exif = Image.Exif()
    exif[274] = 6
    made += [_saved(palette, "PNG", bits=2), _saved(Image.fromarray(LABELS * 85).convert("1"), "PNG")]
    made += [_saved(Image.fromarray(np.dstack([COLOURS, GREY])), "PNG", exif=exif)]
    return made


def jpeg() -> list[bytes]:
    """Grey and colours, baseline and progressive, with EXIF, and CMYK."""
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 8
    image = Image.fromarray(cv2.resize(COLOURS, (24, 16)))
    made = [_encoded(".jpg", GREY), _saved(image, "JPEG", progressive=True), _saved(image, "JPEG", exif=exif)]
    return [*made, _saved(image.convert("CMYK"), "JPEG")]


def bmp() -> list[bytes]:
    """Grey, colours and a palette."""
    from PIL import Image

    return [_encoded(".bmp", GREY), _encoded(".bmp", COLOURS), _saved(Image.fromarray(COLOURS).quantize(8), "BMP")]


def webp() -> list[bytes]:
    """Lossless, lossy, with transparency."""
    from PIL import Image

    image = Image.fromarray(COLOURS)
    made = [_saved(image, "WEBP", lossless=True), _saved(image, "WEBP", quality=80)]
    return [*made, _saved(Image.fromarray(np.dstack([COLOURS, GREY])), "WEBP", lossless=True)]


def gif() -> list[bytes]:
    """Grey and colours."""
    from PIL import Image

    return [_saved(Image.fromarray(GREY), "GIF"), _saved(Image.fromarray(COLOURS).quantize(16), "GIF")]


def netpbm() -> list[bytes]:
    """Binary and as text."""
    made = [_encoded(".pgm", GREY), _encoded(".ppm", COLOURS), _encoded(".pbm", (GREY > 99) * np.uint8(255))]
    numbers = " ".join(map(str, GREY.ravel())).encode()
    return [*made, b"P2\n# grey\n9 7\n255\n" + numbers, b"P3 3 7 255 " + numbers]


def jpeg2000() -> list[bytes]:
    """In a box and bare, lossless and lossy."""
    import imagecodecs

    options = ({"codecformat": "jp2"}, {"codecformat": "j2k"}, {"codecformat": "jp2", "level": 20, "reversible": False})
    return [imagecodecs.jpeg2k_encode(image, **own) for image in (GREY, COLOURS) for own in options]


def tiff() -> list[bytes]:
    """Strips and tiles, compressions, ImageJ, OME-XML, a palette, pages."""
    import tifffile

    told = [
        {"data": GREY},
        {"data": COLOURS, "photometric": "rgb", "compression": "zlib"},
        {"data": GREY, "compression": "lzw", "predictor": 2},
        {"data": np.tile(GREY, (4, 4)), "tile": (16, 16), "compression": "packbits"},
        {"data": VOLUME, "imagej": True, "metadata": {"axes": "ZYX", "spacing": 2.0, "unit": "um"}},
        {"data": VOLUME, "ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}},
        {"data": GREY, "photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)},
        {"data": GREY > 99, "photometric": "miniswhite"},
        {"data": np.tile(GREY, (2, 2)), "compression": "jpeg"},
    ]
    return [_tiff(tifffile, **own) for own in told]


def nifti() -> list[bytes]:
    """Plain NIfTI-1 and -2 with sform and qform, scaled, in four dimensions, and a pair's header."""
    import nibabel

    made = []
    for kind, array in ((nibabel.Nifti1Image, VOLUME), (nibabel.Nifti2Image, np.stack([VOLUME] * 2, -1))):
        volume = kind(array, np.diag([0.5, 1, 2, 1]))
        volume.header.set_xyzt_units("mm", "sec")
        volume.set_qform(np.diag([0.5, 1, 2, 1]), 1)
        made.append(volume.to_bytes())
        volume.header.set_slope_inter(0.5, 1)
        made.append(volume.to_bytes())
    return made


def npy() -> list[bytes]:
    """Images, masks and volumes, in C and Fortran order, of several types."""
    arrays = (GREY, COLOURS, VOLUME, VOLUME.astype(np.float32), np.asfortranarray(GREY.astype(">i2")), GREY > 9)
    return [_npy(array) for array in arrays]


def npz() -> list[dict[str, bytes]]:
    """One array and several."""
    return [{"image": _npy(GREY)}, {"image": _npy(COLOURS), "label": _npy(LABELS)}]


def rows() -> list[dict[str, bytes]]:
    """Arrays whose rows are cases."""
    return [{"train_images": _npy(np.stack([COLOURS] * 4)), "train_label": _npy(np.stack([LABELS] * 4))}]


def previews() -> list[dict[str, bytes]]:
    """What the report shows of two cases."""
    own = {"image_0": GREY, "image_1": COLOURS, "case_0": np.array("a"), "case_1": np.array("b")}
    own |= {f"{kind}_{k}": LABELS for kind in ("truth", "prediction") for k in range(2)}
    return [{name: _npy(array) for name, array in own.items()}]


def checkpoints() -> list[dict[str, bytes]]:
    """A training after two epochs, as it is kept now and as it was kept when one epoch was."""

    history = [{"epoch": k, "loss": 0.5, "val_loss": 0.4, "val_dice": 0.7, "rate": 1e-3} for k in (1, 2)]
    common = {"epoch": 2, "since_best": 0, "since_drop": 0, "rate": 1e-3, "history": history}
    now, before = {**common, "best": [[2, 0.7, 0.4], [1, 0.6, 0.4]]}, {**common, "best": 0.7, "best_epoch": 2}
    arrays = {f"{name}_{k}": state for name in ("state", "best", "best1") for k, state in enumerate(STATE)}
    return [{**_all(arrays), "progress": _npy(np.array(json.dumps(told)))} for told in (now, before)]


STATE = (np.ones((3, 3), np.float32), np.zeros(3, np.float32))
"""Of the model whose training that is."""


def with_checksums(content: bytes) -> bytes:
    """A PNG with the checksum of each chunk set right, so that what was changed inside is looked at."""
    chunks, rest = _chunks(content)
    return content[:8] + b"".join(_chunk(*chunk) for chunk in chunks) + rest


def filtered_rows(content: bytes) -> bytes:
    """What a PNG has compressed: its rows, each with the number of its filter first."""
    return zlib.decompress(b"".join(body for name, body in _chunks(content)[0] if name == b"IDAT"))


def with_rows(content: bytes, changed: bytes) -> bytes:
    """The PNG with other rows, compressed anew."""
    chunks = [(name, body) for name, body in _chunks(content)[0] if name != b"IDAT"]
    chunks.insert(-1, (b"IDAT", zlib.compress(changed)))
    return content[:8] + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunks(content: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Names and bodies of the chunks of a PNG that are whole, and what is behind them."""
    found, place = [], 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        found.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return found, content[place:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def zipped(members: Mapping[str, bytes], *, deflated: bool = False) -> bytes:
    """An archive of these members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def zipped_arrays(members: Mapping[str, bytes]) -> bytes:
    """An NPZ of arrays by name."""
    return zipped({f"{name}.npy": content for name, content in members.items()}, deflated=True)


def gzipped(content: bytes) -> bytes:
    """Content through gzip, the same bytes at any time."""
    return gzip.compress(content, 1, mtime=0)


def _encoded(suffix: str, array: np.ndarray) -> bytes:
    return cv2.imencode(suffix, array)[1].tobytes()


def _saved(image, kind: str, **options) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def _tiff(tifffile, data: np.ndarray, **options) -> bytes:
    made = io.BytesIO()
    tifffile.imwrite(made, data, **options)
    return made.getvalue()


def _npy(array: np.ndarray) -> bytes:
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def _all(arrays: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    return {name: _npy(array) for name, array in arrays.items()}
