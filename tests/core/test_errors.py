"""What goes wrong is told in one line."""

import pytest

from unetbench.core.errors import DataError, one_line

IN_A_GRAPH = """Graph execution error:

Detected at node compile_loss/Fill defined at (most recent call last):
  File "<string>", line 1, in <module>

  File "/lib/python3.11/multiprocessing/spawn.py", line 122, in spawn_main

OOM when allocating tensor with shape[281474976710656] and type float by allocator cpu
\t [[{{node compile_loss/Fill}}]]
Hint: If you want to see a list of allocated tensors when OOM happens, add report_tensor_allocations_upon_oom.
 [Op:__inference_one_step_on_data_1337]"""


def test_an_error_of_a_traced_step_is_told_without_the_stack_and_names_that_differ_from_process_to_process():
    told = "OOM when allocating tensor with shape[281474976710656] and type float by allocator cpu"
    assert one_line(RuntimeError(IN_A_GRAPH)) == f"RuntimeError: {told}"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("a.png:\nis cut"), "a.png: is cut"),
        (ValueError("no\n  such"), "ValueError: no such"),
        (ValueError("Graph execution error:"), "ValueError: Graph execution error:"),
        (ValueError("x" * 600), f"ValueError: {'x' * 500}"),
    ],
)
def test_any_error_is_one_line_with_its_type_where_it_is_not_ours(error, line):
    assert one_line(error) == line
