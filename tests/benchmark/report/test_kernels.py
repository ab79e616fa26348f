import pytest

from unetbench.benchmark.report.kernels import delegated_text, kernel_counts, precision_text


@pytest.mark.parametrize(
    ("asked", "session", "text"),
    [
        ("int8", {"convolutions": {"int8": 18}}, "int8"),
        ("int8", {"convolutions": {"int8": 10, "float32": 8}}, "int8 in 10 of 18 convolutions"),
        ("int8", {"convolutions": {"float32": 18}}, "float32, not int8"),
        ("int8 weights", {"convolutions": {"int8 weights": 13, "float32": 5}}, "int8 weights in 13 of 18 convolutions"),
        ("bfloat16", {"kernels": {"bf16": 18}}, "bfloat16"),
        ("bfloat16", {"kernels": {"f32": 18}}, "float32, not bfloat16"),
        ("float16 weights", {"convolutions": {"float32": 18}}, "float16 weights"),  # of the file, as it says
        ("int8", {"providers": ["CPUExecutionProvider"]}, "int8"),  # it does not tell
    ],
)
def test_a_file_is_called_by_the_precision_of_its_kernels(asked, session, text):
    assert precision_text({"precision": asked, "session": session}) == text


def test_convolutions_that_a_quantiser_left_in_float_are_not_int8():
    row = {"precision": "int8", "session": {"kernels": {"u8": 18}}, "convolutions": 18, "quantised_convolutions": 11}
    assert kernel_counts(row) == {"int8": 11, "float32": 7}
    assert precision_text(row) == "int8 in 11 of 18 convolutions"


def test_the_delegate_and_the_provider_are_told():
    assert delegated_text({"session": {"operators": 26, "delegated": 20}}) == "20 of 26"
    assert delegated_text({"session": {"providers": ["CPUExecutionProvider"]}}) == "CPU"
    assert delegated_text({}) == ""
    assert precision_text({}) == ""
