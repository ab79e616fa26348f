"""tf2onnx without the copies of weights that it never frees."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CATCH_ERRORS = "TF2ONNX_CATCH_ERRORS"

WRITTEN = "_unetbench_written"
"""What a node of tf2onnx is marked with: its value that its message holds."""


@contextmanager
def weights_once() -> Iterator[None]:
    """Within, tf2onnx writes a constant into its node once, and optimises in place.

    tf2onnx 1.17 copies the whole graph before each of its twelve optimizers, several times over, and after each writes
    every constant into its node anew; protobuf (upb) frees the former value with the node only. Eight 3D convolutions
    of 28 MB added 59 times their size to the process, and 22 times so; a 3D attention U-Net of 416 MB took more than
    16 GB (stopped), and 8 GB so. An optimizer that fails raises its error, where tf2onnx would go on without it.
    """
    from tf2onnx.graph import Node

    plain = Node.update_proto

    def update_proto(node: Any, external_tensor_storage: Any = None) -> None:
        value = node.get_attr("value") if node.is_const() else None
        if value is not None and vars(node).get(WRITTEN) is value and list(node.op.output) == list(node.output):
            return
        vars(node)[WRITTEN] = value
        plain(node, external_tensor_storage)

    before = os.environ.get(CATCH_ERRORS)
    # Whatever it says, errors are no longer caught (tf2onnx compares its name with TRUE), nor copies made for that.
    os.environ[CATCH_ERRORS] = "FALSE"
    Node.update_proto = update_proto  # pyright: ignore[reportAttributeAccessIssue]  # in place of the method
    try:
        yield
    finally:
        Node.update_proto = plain
        if before is None:
            del os.environ[CATCH_ERRORS]
        else:
            os.environ[CATCH_ERRORS] = before
