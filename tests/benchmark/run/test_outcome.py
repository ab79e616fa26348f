"""What a driver keeps of the records that it made."""

from unetbench.benchmark.run.outcome import WHOLE, kept
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {}, Choice("unet", {"width": 8}), Choice("bce"), Recipe(), 1)


def test_of_many_records_only_how_they_went_stays_in_memory():
    record = Record(TRIAL, "failed", "NaN", versions={"keras": "3"}, scores=[{"case": "a"}], log=["a line"])
    assert kept(record, [record] * (WHOLE - 1)) is record
    assert kept(record, [record] * WHOLE) == Record(TRIAL, "failed", "NaN")
