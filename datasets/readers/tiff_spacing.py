"""The size of a TIFF's pixels, where it is one and not a printer's resolution."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

_MILLIMETRES = {
    "pm": 1e-9, "picometer": 1e-9, "å": 1e-7, "angstrom": 1e-7, "nm": 1e-6, "nanometer": 1e-6, "µm": 1e-3, "um": 1e-3,
    "micron": 1e-3, "micrometer": 1e-3, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "centimeter": 10.0, "m": 1e3,
    "meter": 1e3,
}  # fmt: skip
_SIZELESS = ("", "pixel", "inch", "reference frame")
_DEFAULTS_PER_INCH = (72, 96, 150, 200, 300, 400, 600, 1200)
_CENTIMETRE = 3  # ResolutionUnit

Found = tuple[dict[str, float], str, tuple[str, ...]]
"""Edges in millimetres by the letter of their axis, what says them, and what to note."""


def millimetres(unit: str) -> float | None:
    """How many a unit of length has, by its name or sign in any usual spelling, or None for others."""
    return _MILLIMETRES.get(_plainly(unit))


def spacing(opened: Any, *, volume: bool) -> tuple[tuple[float, ...] | None, str, tuple[str, ...]]:
    """Voxel edges (z,) y, x in millimetres of a `tifffile.TiffFile`, or None; what says them; what to note.

    OME-XML and ImageJ state sizes with a unit. Of other files a resolution per centimetre is a size, unless it is one
    that programs write for printers (72, 96, 150, 200, 300, 400, 600 or 1200 per inch); one per inch is none, also
    where ImageJ carried it on as unit.
    """
    if opened.is_ome:
        edges, source, notes = _ome(opened.ome_metadata)
    elif opened.is_imagej:
        edges, source, notes = _imagej(opened.imagej_metadata or {}, opened.pages[0].tags)
    else:
        edges, source, notes = _plain(opened.pages[0].tags)
    if not {"X", "Y"} <= edges.keys():
        return None, "", notes
    if volume and "Z" not in edges:
        return None, "", (*notes, f"{source} states the size of a pixel and no distance of slices; give `spacing_mm`")
    return tuple(edges[letter] for letter in ("ZYX" if volume else "YX")), source, notes


def _ome(text: str) -> Found:
    try:
        elements = ElementTree.fromstring(text).iter()
    except ElementTree.ParseError:
        return {}, "", ("the OME-XML is damaged and not used",)
    pixels = next((element.attrib for element in elements if element.tag.endswith("Pixels")), {})
    stated = {
        letter: (float(pixels[f"PhysicalSize{letter}"]), pixels.get(f"PhysicalSize{letter}Unit", "µm"))
        for letter in "XYZ"
        if f"PhysicalSize{letter}" in pixels
    }
    edges, notes = _in_millimetres(stated)
    return edges, "OME-XML", notes


def _imagej(metadata: Mapping[str, Any], tags: Any) -> Found:
    unit = str(metadata.get("unit", ""))
    units = {"X": unit, "Y": str(metadata.get("yunit", unit)), "Z": str(metadata.get("zunit", unit))}
    # ImageJ writes no distance of 1, and reads a missing one as 1; it may be negative
    stated = {"X": _edge(tags, "X"), "Y": _edge(tags, "Y"), "Z": abs(float(metadata.get("spacing") or 1))}
    if tags.valueof("ResolutionUnit") == _CENTIMETRE and millimetres(unit) == 1e-3:
        units |= {"X": "cm", "Y": "cm"}  # as ImageJ reads a description of µm beside a tag of cm
    edges, notes = _in_millimetres({letter: (edge, units[letter]) for letter, edge in stated.items()})
    if "Z" in edges and not metadata.get("spacing") and int(metadata.get("slices", 1)) > 1:
        notes += (f"ImageJ's distance of slices is not stated, which means 1 {units['Z']}",)
    return edges, "ImageJ", notes


def _plain(tags: Any) -> Found:
    edges = {letter: edge * 10 for letter in "XY" if (edge := _edge(tags, letter))}
    if tags.valueof("ResolutionUnit") != _CENTIMETRE or not edges:
        return {}, "", ()
    if any(abs(25.4 / edge - default) < 1e-3 * default for edge in edges.values() for default in _DEFAULTS_PER_INCH):
        return {}, "", ("a printer's resolution is no size of a pixel; give `spacing_mm` if it is one",)
    return {letter: float(f"{edge:.6g}") for letter, edge in edges.items()}, "TIFF resolution", ()


def _edge(tags: Any, letter: str) -> float:
    """One over the resolution, 0 where there is none."""
    over, under = tags.valueof(f"{letter}Resolution", (0, 1))
    return under / over if over else 0.0


def _in_millimetres(stated: Mapping[str, tuple[float, str]]) -> tuple[dict[str, float], tuple[str, ...]]:
    edges, strange = {}, {}
    for letter, (edge, unit) in stated.items():
        if _plainly(unit) in _SIZELESS or not edge > 0:
            continue
        if (factor := millimetres(unit)) is None:
            strange[f"the unit {unit!r} of its pixels is not known; give `spacing_mm`"] = None
        else:
            edges[letter] = float(f"{edge * factor:.6g}")
    return edges, tuple(strange)


def _plainly(unit: str) -> str:
    """A unit's name in small letters, in the singular, with one spelling of metre and of the sign of micro."""
    unit = unit.replace("\\u00B5", "µ").replace("\u03bc", "µ").strip().lower().replace("metre", "meter")
    return unit.removesuffix("s") if len(unit) > 2 else unit
