import pytest

from unetbench.benchmark.lint.meanings import understand

QUANTITY = {
    "Dice": "dice", "DSC (%)": "dice", "mDice↑": "dice", "Dice similarity coefficient": "dice", "F1-score": "f1",
    "mIoU": "iou", "Jaccard index": "iou", "PPV": "precision", "Sensitivity [%]": "recall", "Spec.": "specificity",
    "HD95 (mm) ↓": "hd95", "95HD": "hd95", "Hausdorff distance": "hd", "ASSD": "assd", "#Params (M)": "parameters",
    "GFLOPs": "flops", "FLOPs (G)": "flops", "MACs at 256×256 [G]": "macs", "FPS": "fps", "Images/s": "fps",
    "Latency, p95 [ms]": "latency_s", "n": "n", "# cases": "n", "Surface Dice": "nsd", "Boundary IoU": "boundary_iou",
    "clDice": "cldice", "Object F1": "object_f1", "p value": "p", "Kvasir / Dice": "dice", "dice_low": "dice",
}  # fmt: skip

NOTHING = [
    "Dice lost", "Δ Dice", "Dice gain (%)", "Dice / IoU", "Precision of convolutions", "Model", "Params/FLOPs", "×",
    "Training [s]", "Dice SEM", "Year",
]  # fmt: skip


@pytest.mark.parametrize("header", QUANTITY)
def test_a_header_is_understood(header):
    assert understand(header).quantity == QUANTITY[header]


@pytest.mark.parametrize("header", NOTHING)
def test_a_difference_or_two_quantities_are_not_understood(header):
    assert understand(header).quantity == ""


def test_what_else_a_header_says():
    assert understand("DSC (%)").percent and understand("Dice [%] ↑").arrow == "higher"
    factors = {"Params (M)": 1e6, "GFLOPs": 1e9, "FLOPs [M]": 1e6, "MACs at 256×256 [G]": 1e9, "macs": 1.0}
    assert {header: understand(header).factor for header in factors} == factors
    assert understand("mIoU").averaged and not understand("IoU").averaged
    assert understand("Kvasir / mDice").apart == understand("Kvasir / mIoU").apart == {"kvasir"}
    roles = {
        "dice_sd_seeds": "sd",
        "dice_low": "low",
        "dice_high": "high",
        "95 % CI": "interval",
        "Dice median": "other",
    }
    assert {header: understand(header).role for header in roles} == roles
