"""`unetbench doctor` says what is here, what is wrong and what mends it."""

import json
from pathlib import Path

import pytest

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"


@pytest.fixture(scope="module")
def found(command, tmp_path_factory):
    """What the installation that runs the tests is told, with an empty data folder."""
    process = command("doctor", "--json", "--data", tmp_path_factory.mktemp("data"))
    return process, {entry["what"]: entry for entry in json.loads(process.stdout)}


def test_a_sound_installation_has_nothing_wrong(found):
    process, entries = found
    assert process.returncode == 0, process.stdout
    assert ", which trains where nobody says otherwise; sees " in entries["backend tensorflow"]["text"]
    assert entries["runtime keras"] == {"what": "runtime keras", "state": "ok", "text": "here"}
    assert entries["data set cells"]["state"] == "ok"


def test_what_is_absent_names_what_brings_it(found):
    entries = found[1]
    assert entries["data set dsb2018"]["state"] == "absent"
    assert entries["runtime onnx_cuda"]["state"] == "ok" or "pip install" in entries["runtime onnx_cuda"]["text"]
    assert "data set folder" not in entries


@pytest.mark.slow
@pytest.mark.slow
def test_what_is_wrong_is_marked_and_a_recipe_gives_the_same_bits_twice_on_a_processor(command, tmp_path):
    words = ("--data", tmp_path / "nowhere", "--plugin", FAULTY, "--recipe", "tiny", "unet_3d_of_nobody")
    process = command("doctor", *words)
    assert process.returncode == 1
    assert f"wrong data: {tmp_path}/nowhere is no folder; check --data or UNETBENCH_DATA\n" in process.stdout
    assert "ok    recipe tiny: two runs give the same bits (" in process.stdout
    assert "wrong recipe unet_3d_of_nobody: " in process.stdout
