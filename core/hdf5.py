"""HDF5 that came from outside: numbers that lie in the file itself, and no others."""

from typing import IO, Any


def own_numbers(stream: IO[bytes]) -> int:
    """The count of numbers in an HDF5 file. Raises ValueError, in one line, for what is not all in it.

    That is a link (an external one leads to another file), an array whose numbers are in another file or are only
    claimed, one that holds no numbers, and a group that contains itself. Raises what h5py raises for damage.
    """
    import h5py
    from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]  # a compiled module

    count, seen = 0, set[int]()
    with h5py.File(stream, "r") as opened:
        groups: list[Any] = [opened]
        while groups:
            group = groups.pop()
            seen.add(h5o.get_info(group.id).addr)
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"its weights have a link, {name[:200]!r}")
                found = group[name]
                if isinstance(found, h5py.Dataset):
                    _require_stored(found, name)
                    count += int(found.size or 0)
                elif h5o.get_info(found.id).addr in seen:
                    raise ValueError(f"the group {name[:200]!r} of its weights is there twice")
                else:
                    groups.append(found)
    return count


def _require_stored(found: Any, name: str) -> None:
    if found.dtype.kind not in "biufV" or found.dtype.hasobject:
        raise ValueError(f"{name[:200]!r} of its weights holds no numbers")
    if found.external or found.is_virtual or found.nbytes > _most(found):
        raise ValueError(f"the numbers of {name[:200]!r} are not in its weights")


def _most(found: Any) -> int:
    """Bytes that its stored bytes can stand for: as many, or 1032 times as many where they are deflated."""
    return found.id.get_storage_size() * (1032 if found.compression else 1)
