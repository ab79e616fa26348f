"""Some records of each sweep, the same ones each time."""

from dataclasses import replace

from unetbench.benchmark.records.sample import sample
from unetbench.benchmark.records.store import Store
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {}, Choice("unet"), Choice("dice"), Recipe((64, 64)), 0)


def test_a_small_sweep_is_read_whole_and_a_large_one_in_part(tmp_path):
    for name, count in (("small", 3), ("large", 20)):
        store = Store(tmp_path, name, "desk")
        for seed in range(count):
            store.put(Record(replace(TRIAL, loss=Choice(name), seed=seed), "done"))
    found = sample(tmp_path, 10)
    assert [record.trial.loss.name for record in found] == ["small"] * 3 + ["large"] * 7
    assert len({record.trial.id for record in found}) == 10
    assert sample(tmp_path, 10) == found
    assert len(sample(tmp_path)) == 23
    (tmp_path / "small/records/desk/broken.json").write_text("{")
    assert len(sample(tmp_path)) == 23
    assert not sample(tmp_path / "nowhere")
