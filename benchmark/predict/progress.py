"""How far a run is, on stderr: a bar, or a line a minute where stderr is no terminal."""

import sys
import time
from typing import Any

from tqdm import tqdm

from ...core.counted import counted

LINE_EVERY_S = 60.0


class Progress:
    """Counts images, and windows of the one at hand. quiet: problems only."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet, self._shown = quiet, not quiet and sys.stderr.isatty()
        self._images: tqdm[Any] | None = None
        self._windows: tqdm[Any] | None = None
        self._total = self._done = 0
        self._begun = self._told = time.monotonic()
        self._notes: set[str] = set()
        self._window_begun: float | None = None

    def begin(self, total: int, skipped: int) -> None:
        """So many images are to be segmented, and so many are finished."""
        self._total, self._begun = total, time.monotonic()
        if skipped and not self._quiet:
            are = f"{counted(skipped, 'image')} {'is' if skipped == 1 else 'are'} finished already"
            print(f"unetbench: {are}; --overwrite segments {'it' if skipped == 1 else 'them'} anew", file=sys.stderr)
        if self._shown:
            shared: dict[str, Any] = {"file": sys.stderr, "dynamic_ncols": True, "leave": False}
            self._images = tqdm(total=total, unit="image", position=0, **shared)
            self._windows = tqdm(total=1, unit="window", position=1, **shared)

    def image(self, name: str) -> None:
        """An image is next."""
        self._window_begun = None
        if self._images is not None and self._windows is not None:
            self._images.set_description_str(name[-40:], refresh=False)
            self._windows.reset()

    def note(self, name: str, text: str) -> None:
        """What was understood of an image that is not plain; the same of others is told once."""
        if text not in self._notes and not self._quiet:
            self._write(f"{name}: {text}")
        self._notes.add(text)

    def windows(self, done: int, of: int) -> None:
        """So many windows of the image are done."""
        if self._windows is not None:
            self._windows.total = of
            self._windows.update(done - self._windows.n)
        if self._window_begun is None:
            self._window_begun = time.monotonic()
        elif done < of:
            left = (time.monotonic() - self._window_begun) / done * (of - done)
            self._line(f"{100 * done / of:.1f} % of the windows of an image are done, about {_duration(left)} left")

    def finish(self) -> None:
        """An image is done, or cannot be."""
        self._done += 1
        if self._images is not None:
            self._images.update()
        left = (time.monotonic() - self._begun) / self._done * (self._total - self._done)
        self._line(f"{self._done} of {self._total} images are done, about {_duration(left)} left")

    def problem(self, text: str) -> None:
        """What a person must know."""
        self._write(text)

    def close(self) -> None:
        """Remove the bars."""
        for bar in (self._windows, self._images):
            if bar is not None:
                bar.close()

    def _write(self, text: str) -> None:
        tqdm.write(f"unetbench: {text}", file=sys.stderr)

    def _line(self, text: str) -> None:
        if not self._quiet and not self._shown and time.monotonic() - self._told > LINE_EVERY_S:
            self._told = time.monotonic()
            self._write(text)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
