"""Give every reader of files very many wrong files: each must be read, or refused in one line.

    python tests/fuzz/readers.py --inputs 1000000

Each reader runs in a process of its own, in which memory is limited. What counts as a failure: any exception but a
UnetbenchError, an error of several lines, a file that takes more than `--seconds` of a processor, a process that ends
or hangs. The inputs are those of hypothesis for `--seed`, the same ones each time with the same versions of it and of
the libraries that write the files it begins with; `--keep` leaves what failed in a folder. Ends with status 1 where
anything failed.
"""

import argparse
import contextlib
import hashlib
import json
import logging
import mmap
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from targets import TARGETS, Prepared, Target

from unetbench.core.errors import UnetbenchError

BATCH = 500
"""Inputs of one run of hypothesis, which remembers all that it drew."""

HEADROOM = 2**30
"""Bytes of address space that reading may take beside what the process has after it has read whole files."""

COUNTS = struct.Struct("<5q")
"""Inputs begun, batches begun, inputs of this batch begun, values, errors."""

SILENT_S = 120.0
"""Without a further input, after which a process is ended: a library does not come back, or waits for ever."""

LOOK_S = 0.05
"""Between two looks at what a child has done."""

QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "TF_CPP_MIN_LOG_LEVEL": "3"}
"""The environment in which libraries do not say what is wrong with each input."""


class TooLong(BaseException):
    """Reading took longer than the limit."""


class Counter:
    """What a child has done, in a file that outlives it."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(COUNTS.pack(0, 0, 0, 0, 0))
        with file.open("rb+") as stream:
            self._memory = mmap.mmap(stream.fileno(), COUNTS.size)
        self.all, self.batches, self.here, self.values, self.errors = COUNTS.unpack_from(self._memory)

    def put(self) -> None:
        COUNTS.pack_into(self._memory, 0, self.all, self.batches, self.here, self.values, self.errors)


def main() -> int:
    """The command line."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    words.add_argument("--inputs", type=int, default=10_000, help="in all (default 10000)")
    words.add_argument("--only", nargs="+", default=list(TARGETS), choices=list(TARGETS), metavar="READER")
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--seconds", type=float, default=5.0, help="of a processor that a file may take (default 5)")
    words.add_argument("--keep", type=Path, metavar="DIR", help="where files that failed are left")
    words.add_argument("--child", help=argparse.SUPPRESS)
    words.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = words.parse_args()
    if options.child:
        return _child(TARGETS[options.child], options)
    weights = sum(TARGETS[name].weight for name in options.only)
    failed, total = 0, 0
    print(f"{'reader':<18}{'inputs':>9}{'read':>9}{'refused':>9}{'failed':>8}{'seconds':>9}", flush=True)
    for name in options.only:
        target, count = TARGETS[name], round(options.inputs * TARGETS[name].weight / weights)
        if target.needs and find_spec(target.needs) is None:
            print(f"{name:<18}left out: {target.needs} is not installed")
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="unetbench-fuzz-") as folder:
            counter, failures = _watched(target, count, Path(folder), options)
        took = time.monotonic() - begun
        print(
            f"{name:<18}{counter.all:>9}{counter.values:>9}{counter.errors:>9}{len(failures):>8}{took:>9.1f}",
            flush=True,
        )
        for told, times in _grouped(failures):
            print(f"    {times} × {told}", flush=True)
        failed, total = failed + len(failures), total + counter.all
    print(f"{total} inputs, {failed} failures")
    return 1 if failed else 0


def _grouped(failures: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for failure in failures:
        found[failure["told"]] = found.get(failure["told"], 0) + 1
    return sorted(found.items(), key=lambda pair: -pair[1])[:20]


def _watched(
    target: Target, count: int, folder: Path, options: argparse.Namespace
) -> tuple[Counter, list[dict[str, Any]]]:
    """Run children until so many inputs were read; where one ends or hangs, the next goes on after that input."""
    counts, log = folder / "counts", folder / "failures"
    Counter(counts)
    while True:
        call = [sys.executable, __file__, "--child", target.name, "--folder", str(folder), "--inputs", str(count)]
        call += ["--seed", str(options.seed), "--seconds", str(options.seconds)]
        call += ["--keep", str(options.keep)] if options.keep else []
        before = Counter(counts).all
        said = (folder / "said").open("wb")
        child = subprocess.Popen(call, stdout=said, stderr=said, env={**os.environ, **QUIET})
        hung = not _waited(child, counts)
        said.close()
        if child.returncode == 0:
            break
        counter = Counter(counts)
        last = (folder / "said").read_text("utf-8", "replace").strip().rpartition("\n")[2][:200]
        how = "hangs in a library" if hung else f"the process ended with {child.returncode}: {last}"
        _put_failure(log, how, folder / "scratch", options.keep, f"{target.name}-{counter.all}")
        if counter.all == before:  # it did not come to its first input
            break
    failures = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
    return Counter(counts), failures


def _waited(child: subprocess.Popen[bytes], counts: Path) -> bool:
    """Wait for the end; False where the child had to be ended, for it had begun no other input for so long.

    Looks are counted, for clocks go on while both are stopped.
    """
    last, looks = -1, 0
    while child.poll() is None:
        time.sleep(LOOK_S)
        now = Counter(counts).all
        looks = looks + 1 if now == last else 0
        last = now
        if looks * LOOK_S > SILENT_S:
            child.kill()
            child.wait()
            return False
    return True


def _child(target: Target, options: argparse.Namespace) -> int:
    """Read inputs until there were so many, batch by batch, from where an earlier child ended."""
    warnings.simplefilter("ignore")
    logging.disable()
    scratch, counter = options.folder / "scratch", Counter(options.folder / "counts")
    prepared = target.prepare()
    for content in prepared.valid:
        prepared.read(_emptied(scratch), content)  # a reader that refuses these proves nothing
    limit = _address_space() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGPROF, _too_long)
    skipped, counter.here = counter.here, 0
    while counter.all < options.inputs:
        before = counter.all
        count = min(BATCH, options.inputs - counter.all + skipped)
        _batch(target, prepared, counter, count, skipped, options)
        skipped, counter.here = 0, 0
        counter.batches += 1
        counter.put()
        if counter.all == before and counter.batches > 10 * options.inputs:
            break
    return 0


def _batch(
    target: Target, prepared: Prepared, counter: Counter, count: int, skipped: int, options: argparse.Namespace
) -> None:
    """Read what hypothesis draws for the seed of this batch, without the first ones, which were read before."""
    scratch, log = options.folder / "scratch", options.folder / "failures"
    drawn = 0

    @seed(int.from_bytes(hashlib.sha256(f"{options.seed} {target.name} {counter.batches}".encode()).digest()[:8]))
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(prepared.inputs)
    def read(content: Any) -> None:
        nonlocal drawn
        drawn += 1
        if drawn <= skipped:
            return
        counter.here, counter.all = drawn, counter.all + 1
        counter.put()
        told = _outcome(prepared, _emptied(scratch), content, options.seconds)
        if told in ("value", "error"):
            counter.values += told == "value"
            counter.errors += told == "error"
            counter.put()
        else:
            _put_failure(log, told, scratch, options.keep, f"{target.name}-{counter.all}")

    read()


def _outcome(prepared: Prepared, scratch: Path, content: Any, limit_s: float) -> str:
    """`value`, `error`, or in words what should not be."""
    try:
        with _limited(limit_s):
            prepared.read(scratch, content)
    except UnetbenchError as error:
        return "error" if str(error) and "\n" not in str(error) else f"an error of several lines: {error!r}"
    except TooLong:
        return f"takes more than {limit_s:g} s of a processor"
    except BaseException as error:  # whatever it is, it is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
        where = f"{Path(own[-1].filename).name}:{own[-1].lineno}, at last {Path(place.filename).name}:{place.lineno}"
        return f"{type(error).__name__} in {where}: {' '.join(str(error).split())[:160]}"
    return "value"


@contextlib.contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_long(*_: object) -> None:
    raise TooLong


def _emptied(scratch: Path) -> Path:
    """The folder in which an input lies, without what the one before left."""
    scratch.mkdir(exist_ok=True)
    for entry in os.scandir(scratch):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)  # noqa: PTH108  a hundred thousand times
    return scratch


def _put_failure(log: Path, told: str, scratch: Path, keep: Path | None, name: str) -> None:
    with log.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"told": told, "input": name}) + "\n")
    if keep is not None:
        shutil.copytree(scratch, keep / name, dirs_exist_ok=True)


def _address_space() -> int:
    """Bytes of it that this process has."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
