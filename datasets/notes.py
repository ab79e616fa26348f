"""What a data set says of the files it leaves out: one line a kind, however many files it is."""

from collections.abc import Sequence


def skipped(names: Sequence[str], one: str, many: str) -> tuple[str, ...]:
    """`1 image without mask skipped: a.png`, `53 images without mask skipped (first: a.png)`, or nothing for none.

    one, many: what each of the names is, for one and for several of them.
    """
    if not names:
        return ()
    if len(names) == 1:
        return (f"1 {one} skipped: {names[0]}",)
    return (f"{len(names)} {many} skipped (first: {names[0]})",)
