"""Event files of TensorBoard, written with its own record writer and messages, without TensorFlow."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

PATTERN = "events.out.tfevents.*"
"""Of names that TensorBoard takes for event files."""

TAIL_BYTES = 1024
"""At the end of a file, in which the last record is found."""

# TensorBoard's messages are made as it is imported, and no type checker sees them.
EVENTS: Any = event_pb2
SUMMARIES: Any = summary_pb2
TENSORS: Any = tensor_pb2
TYPES: Any = types_pb2
HPARAMS: Any = plugin_data_pb2
STATUS: Any = api_pb2


class EventFile:
    """A file of its own in a folder, in the place of those that were there.

    TensorBoard's `EventFileWriter` imports TensorFlow wherever it is installed, which takes seconds and memory; hence
    the layer below it. Every record is written at once and whole. Raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in folder.glob(PATTERN):
            earlier.unlink()
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        self._file = (folder / name).open("wb", buffering=0)
        self._records = RecordWriter(self._file)
        self._put(EVENTS.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def scalars(self, values: Mapping[str, float], step: int, at: float) -> None:
        """Write values of a step, each under its name. at: seconds since 1970."""
        self._summary([SUMMARIES.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()], step, at)

    def text(self, tag: str, text: str, at: float) -> None:
        """Write a text, in Markdown."""
        plugin = SUMMARIES.SummaryMetadata.PluginData(plugin_name="text")
        shape = {"dim": [{"size": 1}]}
        tensor = TENSORS.TensorProto(dtype=TYPES.DT_STRING, tensor_shape=shape, string_val=[text.encode()])
        about = SUMMARIES.SummaryMetadata(plugin_data=plugin)
        self._summary([SUMMARIES.Summary.Value(tag=tag, metadata=about, tensor=tensor)], 0, at)

    def begin(self, settings: Mapping[str, str | float | int], at: float) -> None:
        """Write the settings that TensorBoard's table HPARAMS shows."""
        info = HPARAMS.SessionStartInfo(start_time_secs=at)
        for key, value in settings.items():
            field = "string_value" if isinstance(value, str) else "number_value"
            setattr(info.hparams[key], field, value)
        self._hparams(metadata.SESSION_START_INFO_TAG, at, session_start_info=info)

    def end(self, at: float, *, done: bool) -> None:
        """Write how it ended, and close the file."""
        status = STATUS.STATUS_SUCCESS if done else STATUS.STATUS_FAILURE
        info = HPARAMS.SessionEndInfo(status=status, end_time_secs=at)
        self._hparams(metadata.SESSION_END_INFO_TAG, at, session_end_info=info)
        self.close()

    def close(self) -> None:
        """Close the file of a trial that has not ended."""
        self._file.close()

    def _hparams(self, tag: str, at: float, **fields: Any) -> None:
        about = metadata.create_summary_metadata(HPARAMS.HParamsPluginData(**fields))
        self._summary([SUMMARIES.Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR)], 0, at)

    def _summary(self, values: list[Any], step: int, at: float) -> None:
        if values:
            self._put(EVENTS.Event(wall_time=at, step=step, summary=SUMMARIES.Summary(value=values)))

    def _put(self, event: Any) -> None:
        self._records.write(event.SerializeToString())


def is_ended(folder: Path) -> bool:
    """Whether its event file says how the trial ended; not where the log failed before, or its driver was killed."""
    for file in folder.glob(PATTERN):
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - TAIL_BYTES))
            if metadata.SESSION_END_INFO_TAG.encode() in stream.read():
                return True
    return False
