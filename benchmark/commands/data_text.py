"""What `data check` understood of a data set, as lines for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...datasets.remarks import Remark

SHOWN = 5
"""Kinds of one thing (sizes, spacings, strata) that are listed; the JSON holds more."""

_LABEL = 13
_UNITS = (("mm", 1.0, 0.1), ("µm", 1e3, 1e-4), ("nm", 1e6, 0.0))


def lines(described: Mapping[str, Any]) -> list[str]:
    """One line a subject, its name before it; subjects that the data set does not have are left out.

    described: as `Summary.described` gives it, with `findings`.
    """
    subjects = {
        "task": [_task(described["task"])],
        "sizes": [_sizes(described["sizes"])],
        "pixels": [f"{_counts(described['dtypes'])}; channels: {_counts(described['channels'])}"],
        "values": _values(described["values"]),
        "classes": _classes(described),
        "objects": _objects(described["objects"]),
        "spacing": _spacings(described["spacings_mm"]),
        "orientation": [_counts(described["orientations"])] if any(described["orientations"]) else [],
        "groups": [_groups(described["groups"])],
        "strata": [_counts(described["strata"])] if described["strata"] else [],
        "notes": [*described["listing"], *map(_note, described["notes"])],
        "look at": [Remark(**{**entry, "cases": tuple(entry["cases"])}).line for entry in described["worth_a_look"]],
        "findings": described["findings"] or ["none"],
    }
    if not described["read"]:
        subjects = {key: subjects[key] for key in ("task", "groups", "notes", "findings")}
    return [
        f"  {name if place == 0 else '':{_LABEL}}{line}"
        for name, found in subjects.items()
        for place, line in enumerate(found)
    ]


def _task(task: Mapping[str, Any]) -> str:
    modalities = ", ".join(f"{name} ({count})" for name, count in task.get("modalities", {}).items())
    told = f"; channels of {modalities}" if modalities else ""
    return f"{task['rank']}D, {task['kind']}: {', '.join(task['classes'])}{told}"


def _sizes(sizes: Mapping[str, Any]) -> str:
    listed = [f"{_by(entry['space'])} ({entry['cases']})" for entry in sizes["listed"][:SHOWN]]
    if sizes["distinct"] == 1:
        return _by(sizes["listed"][0]["space"])
    more = f" and {sizes['distinct'] - len(listed)} more" if sizes["distinct"] > len(listed) else ""
    ends = zip(sizes["smallest"], sizes["largest"], strict=True)
    return f"{_by(f'{low}-{high}' if low != high else low for low, high in ends)}: {', '.join(listed)}{more}"


def _values(channels: Sequence[Mapping[str, float]]) -> list[str]:
    texts = [
        f"{_number(v['min'])} to {_number(v['max'])}; 1 % below {_number(v['p1'])}, 99 % below {_number(v['p99'])}"
        for v in channels
    ]
    if len(set(texts)) == 1:
        return texts[:1]
    return [f"channel {number}: {text}" for number, text in enumerate(texts)]


def _classes(described: Mapping[str, Any]) -> list[str]:
    width = max((len(entry["name"]) for entry in described["classes"]), default=0)
    found = [
        f"{entry['name']:{width}}  {_percent(entry['share']):>8} of pixels, "
        f"in {entry['cases']} of {described['read']} cases"
        for entry in described["classes"]
    ]
    ignored = described["ignored_share"]
    return [*found, f"ignored: {_percent(ignored)} of all pixels"] if ignored else found


def _objects(objects: Mapping[str, Any] | None) -> list[str]:
    if objects is None or not objects["count"]:
        return [] if objects is None else ["none"]
    case, pixels = (
        f"{_number(found['min'])} to {_number(found['max'])} (median {_number(found['median'])})"
        for found in (objects["a_case"], objects["pixels"])
    )
    return [f"{objects['count']:,}; a case has {case}, an object {pixels} pixels"]


def _spacings(spacings: Sequence[Mapping[str, Any]]) -> list[str]:
    def text(entry: Mapping[str, Any]) -> str:
        if entry["spacing_mm"] is None:
            return "not known"
        unit, factor = next((unit, f) for unit, f, least in _UNITS if max(entry["spacing_mm"]) >= least)
        edges = " × ".join(_number(edge * factor) for edge in entry["spacing_mm"])
        return f"{edges} {unit}{', from ' + entry['source'] if entry['source'] else ''}"

    if len(spacings) == 1:
        return [text(spacings[0])]
    listed = [f"{text(entry)} ({entry['cases']})" for entry in spacings[:SHOWN]]
    return [*listed, "others in the JSON"] if len(spacings) > SHOWN else listed


def _groups(groups: Mapping[str, Any]) -> str:
    if groups["cases"] == 1:
        return f"{groups['count']}, one case each"
    return f"{groups['count']}, the largest ({groups['largest']}) of {groups['cases']} cases"


def _note(note: Mapping[str, Any]) -> str:
    return f"{note['note']} ({note['cases']} cases; first: {note['first']})"


def _counts(counts: Mapping[str, int]) -> str:
    listed = [f"{name or 'not known'} ({count})" for name, count in counts.items()]
    if len(listed) == 1:
        return next(iter(counts)) or "not known"
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def _by(edges: Iterable[Any]) -> str:
    return "×".join(map(str, edges))


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e9 else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %" if share else "0 %"
