import pytest

from unetbench.benchmark.lint.cell import Cell, Number, has_decimal_commas, read_cell

READ = {
    "0.912": {"number": Number(0.912, 0.0005)},
    ".912": {"number": Number(0.912, 0.0005)},
    "91.2 %": {"number": Number(91.2, 0.05), "percent": True},
    "91": {"number": Number(91, 0.5)},
    "−0.5": {"number": Number(-0.5, 0.05)},
    "0.912 ± 0.013": {"number": Number(0.912, 0.0005), "spread": Number(0.013, 0.0005)},
    "91.2±1.3%": {"number": Number(91.2, 0.05), "spread": Number(1.3, 0.05), "percent": True},
    "0.912 +/- 0.013": {"number": Number(0.912, 0.0005), "spread": Number(0.013, 0.0005)},
    "0.912 (0.013)": {"number": Number(0.912, 0.0005), "spread": Number(0.013, 0.0005)},
    "0.912 (std=0.013)": {"number": Number(0.912, 0.0005), "spread": Number(0.013, 0.0005)},
    "0.912(13)": {"number": Number(0.912, 0.0005), "spread": Number(0.013, 0.0005)},
    "0.912 (+0.013)": {"number": Number(0.912, 0.0005)},
    "0.912 [0.88, 0.93]": {
        "number": Number(0.912, 0.0005), "low": Number(0.88, 0.005), "high": Number(0.93, 0.005),
    },
    "0.912 (95% CI 0.88–0.93)": {
        "number": Number(0.912, 0.0005), "low": Number(0.88, 0.005), "high": Number(0.93, 0.005),
    },
    "[0.88, 0.93]": {"low": Number(0.88, 0.005), "high": Number(0.93, 0.005)},
    "45/60": {"count": 45, "of": 60},
    "45/60 (75.0%)": {"count": 45, "of": 60, "number": Number(75.0, 0.05), "percent": True},
    "45 (75.0%)": {"count": 45, "number": Number(75.0, 0.05), "percent": True},
    "31.03M": {"number": Number(31.03, 0.005), "factor": 1e6},
    "54.7 GFLOPs": {"number": Number(54.7, 0.05), "factor": 1e9},
    "1,941,105": {"number": Number(1941105, 0.5)},
    "0,912": {"number": Number(0.912, 0.0005)},
    "5e-05": {"number": Number(5e-05, 0.5e-5)},
    "0.912†": {"number": Number(0.912, 0.0005)},
    "12.3 ms": {"number": Number(12.3, 0.05)},
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_printed_number_is_read_with_what_stands_beside_it(text):
    cell, expected = Cell(**read_cell(text)), Cell(**READ[text])
    for name in ("number", "spread", "low", "high"):
        read, wanted = getattr(cell, name), getattr(expected, name)
        assert (read.value, read.half) == pytest.approx((wanted.value, wanted.half), nan_ok=True), name
    assert (cell.percent, cell.factor, cell.count, cell.of) == (
        expected.percent, expected.factor, expected.count, expected.of,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "—", "-", "n/a", "<0.001", "1–3", "256×256", "ResNet-50", "1.2.3", "1 done", "1e999", "9" * 5000],
)
def test_what_is_no_number_is_text(text):
    assert not Cell(**read_cell(text)).number


def test_a_comma_is_decimal_where_it_can_be_nothing_else():
    assert has_decimal_commas(["0,9", "U-Net"]) and has_decimal_commas(["91,25"]) and has_decimal_commas(["0,912"])
    assert not has_decimal_commas(["1,941", "31,030,593"])
    assert not has_decimal_commas(["0,9", "0.9"])
    assert Cell(**read_cell("91,234", decimal_comma=True)).number.value == pytest.approx(91.234)
    assert Cell(**read_cell("91,234")).number.value == 91234
