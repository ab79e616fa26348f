"""What a reader must know of trials whose steps took their batch in parts."""

from .summary import ComparisonTable


def micro_batch_remarks(table: ComparisonTable, *, brief: bool = False) -> list[str]:
    """Which trials computed how much of a batch at once, why, and whether that makes another network of them.

    brief: without the reason and the trials' names.
    """
    found: dict[tuple[str, int, int, bool, str], list[str]] = {}
    for row in table.rows:
        for key in row.records:
            told = table.records[key].training
            if told.get("micro_batch") and table.records[key].status == "done":
                about = told["micro_batch"], told["batch"], bool(told.get("batch_statistics"))
                found.setdefault((table.short(row), *about, told.get("micro_because", "")), []).append(key)
    lines: list[str] = []
    for (label, part, batch, statistics, because), keys in found.items():
        what = f"{label}: steps of {batch} patches in parts of {part}, gradients averaged"
        why = f", because {because}" if because and not brief else ", for want of memory" if because else ""
        effect = (
            f"batch normalisation saw {part} patches, so it is not what training on the whole batch gives"
            if statistics
            else "to rounding what the whole batch gives, but for the draws of dropout"
        )
        which = "" if brief else f" ({', '.join(keys)})"
        lines.append(f"{what}{why}; {effect}{which}")
    return lines
