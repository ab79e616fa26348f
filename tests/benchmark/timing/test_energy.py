"""Counters of energy are read where the machine has them, across their start at 0, and their lack is no failure."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from unetbench.benchmark.timing.energy import EnergyMeter
from unetbench.benchmark.timing.interleave import interleave


@pytest.fixture
def domain(tmp_path):
    """Writes a folder of Linux's power capping as the kernel lays it out, microjoules in text files."""

    def put(folder, name, energy_uj, most_uj=262_143_328_850, root=tmp_path):
        place = root / folder
        place.mkdir(exist_ok=True)
        (place / "name").write_text(f"{name}\n")
        (place / "max_energy_range_uj").write_text(f"{most_uj}\n")
        (place / "energy_uj").write_text(f"{energy_uj}\n")
        return place / "energy_uj"

    return put


@pytest.fixture
def no_gpu():
    """A stand-in of pynvml where no driver is loaded."""

    def init():
        raise OSError("Driver Not Loaded")

    return SimpleNamespace(NVMLError=OSError, nvmlInit=init)


def test_packages_are_added_up_and_their_parts_and_the_platform_are_not(domain, tmp_path, no_gpu):
    first = domain("intel-rapl:0", "package-0", 1_000_000)
    second = domain("intel-rapl:1", "package-1", 5_000_000)
    for folder, name in (("intel-rapl:0:0", "core"), ("intel-rapl:2", "psys"), ("intel-rapl-mmio:0", "package-0")):
        domain(folder, name, 7)
    meter = EnergyMeter.of_machine(tmp_path, no_gpu)
    before = meter.read()
    assert sorted(before.values()) == [1.0, 5.0]
    first.write_text("3500000\n")
    second.write_text("5500000\n")
    assert meter.between(before, meter.read()) == pytest.approx(2.5 + 0.5)
    assert meter.problems == ()


def test_a_counter_that_started_again_at_0_goes_on_from_its_range(domain, tmp_path, no_gpu):
    file = domain("intel-rapl:0", "package-0", 9_000_000, most_uj=10_000_000)
    meter = EnergyMeter.of_machine(tmp_path, no_gpu)
    before = meter.read()
    file.write_text("500000\n")
    assert meter.between(before, meter.read()) == pytest.approx(1.5)  # 1 J to the end of the range, 0.5 J after it


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="files have no owners here")
def test_a_counter_that_only_root_may_read_is_named_with_what_to_do(domain, no_gpu):
    """As root, which may read every file, it is read as another user, in a folder that this one may enter."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        file = domain("intel-rapl:0", "package-0", 1, root=place)
        file.chmod(0o400 if os.geteuid() == 0 else 0)
        own = os.geteuid()
        os.seteuid(65534 if own == 0 else own)
        try:
            meter = EnergyMeter.of_machine(place, no_gpu)
        finally:
            os.seteuid(own)
    assert meter.read() == {}
    (problem,) = meter.problems
    assert problem == f"{file}: only root may read it, so that energy is not measured; chmod a+r it to have it"


def test_a_counter_that_does_not_hold_a_number_is_named(domain, tmp_path, no_gpu):
    file = domain("intel-rapl:0", "package-0", "many")
    meter = EnergyMeter.of_machine(tmp_path, no_gpu)
    assert meter.read() == {}
    assert str(file) in meter.problems[0]


def test_a_machine_without_counters_tells_nothing_and_that_is_no_problem(tmp_path, no_gpu):
    meter = EnergyMeter.of_machine(tmp_path / "nothing", no_gpu)
    assert (meter.read(), meter.problems) == ({}, ())


def test_gpus_that_count_are_added_and_one_that_does_not_is_left_out(tmp_path):
    class Unsupported(Exception):
        pass

    millijoules = {0: 1_000, 1: 2_000}

    def energy(handle):
        if handle not in millijoules:
            raise Unsupported("Not Supported")
        return millijoules[handle]

    library = SimpleNamespace(
        NVMLError=Unsupported,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 3,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )
    meter = EnergyMeter.of_machine(tmp_path, library)
    before = meter.read()
    assert before == {"nvml 0": 1.0, "nvml 1": 2.0}
    millijoules.update({0: 1_250, 1: 2_500})
    assert meter.between(before, meter.read()) == pytest.approx(0.75)


def test_each_round_has_the_joules_of_a_call(domain, tmp_path, no_gpu):
    """A candidate whose calls take 2 J, and one whose calls take 0.5 J."""
    file, spent = domain("intel-rapl:0", "package-0", 0), [0]

    def take(joules):
        def calls(count):
            spent[0] += round(count * joules * 1e6)
            file.write_text(f"{spent[0]}\n")
            return [0.01] * count

        return calls

    meter = EnergyMeter.of_machine(tmp_path, no_gpu)
    found, _ = interleave({"a": take(2.0), "b": take(0.5)}, samples=20, budget_s=1, rounds=4, meter=meter)
    assert found["a"].energy_j == pytest.approx([2.0] * 4)
    assert found["b"].energy_j == pytest.approx([0.5] * 4)


def test_without_counters_no_energy_is_said():
    found, _ = interleave({"a": lambda count: [0.01] * count}, samples=5, budget_s=1, rounds=5)
    assert found["a"].energy_j == []
