"""The files of a report and the list of them, by which the next report removes what it does not write again."""

import hashlib
import json
from pathlib import Path

from ...core.files import write
from ...core.json_text import read_json

LIST = "unetbench-report.json"
"""In a report's folder: each file that a report wrote, with the digest of what it wrote."""

LONGEST = 255
"""Bytes of a file's name; systems refuse to look for a longer one."""


class Written:
    """The files that a report writes into a folder.

    The list is written before each file, so that a report that is broken off loses track of none. `problem`: why the
    list of the report before cannot be read, in which case its files stay.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem = ""
        self._digests: dict[str, list[str]] = {}
        self._before = self._read()

    def put(self, name: str, content: bytes) -> Path:
        """Write one file of the folder, whole or not at all. Raises OSError."""
        file = self.folder / name
        digest = hashlib.sha256(content).hexdigest()
        if self._digests.get(name) != [digest]:
            self._digests[name] = [digest]
            kept = {key: self._before.get(key, []) + self._digests.get(key, []) for key in self._names()}
            self._save(kept)
        write(file, content)
        return file

    def finish(self) -> None:
        """Remove what an earlier report wrote and this one did not.

        A file that has changed since it was written is somebody's own by now and stays. Raises OSError.
        """
        here = [self.folder / name for name in self._digests]
        for name in self._before.keys() - self._digests.keys():
            file = self.folder / name
            if file.is_symlink() or not file.is_file() or any(file.samefile(other) for other in here):
                continue  # some file systems take A and a for the same
            if hashlib.sha256(file.read_bytes()).hexdigest() in self._before[name]:
                file.unlink()
        self._save(self._digests)

    def _names(self) -> list[str]:
        return sorted(self._before.keys() | self._digests.keys())

    def _save(self, digests: dict[str, list[str]]) -> None:
        write(self.folder / LIST, (json.dumps(digests, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())

    def _read(self) -> dict[str, list[str]]:
        file = self.folder / LIST
        try:
            found = read_json(file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self.problem = f"{file}: cannot be read ({error}), so files of earlier reports stay"
            return {}
        if not isinstance(found, dict) or not all(_listed(name, digests) for name, digests in found.items()):
            self.problem = f"{file}: is no list of a report's files, so files of earlier reports stay"
            return {}
        return found


def _listed(name: str, digests: object) -> bool:
    plain = name not in ("", ".", "..") and Path(name).name == name and "\\" not in name
    return plain and len(name.encode("utf-8", "surrogatepass")) <= LONGEST and isinstance(digests, list)
