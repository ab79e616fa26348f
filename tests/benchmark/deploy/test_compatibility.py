"""The table recipe by runtime, where a process dies over one of them."""

import json
from dataclasses import dataclass
from math import inf, nan

import pytest

from unetbench.benchmark import cli
from unetbench.benchmark.deploy import compatibility
from unetbench.benchmark.deploy.compatibility import Compatibility, as_row
from unetbench.core.trial import Choice

RUNTIMES = [Choice(name) for name in ("litert", "onnx", "openvino")]


@dataclass
class Process:
    """Stands for the process that converts."""

    name: str
    alive: bool = True

    def is_alive(self) -> bool:
        return self.alive

    def close(self) -> None:
        self.alive = False


def test_a_runtime_over_which_the_process_dies_costs_its_own_row_only(monkeypatch):
    asked: list[tuple[str, int, str]] = []
    processes: list[Process] = []

    def begun(name: str) -> Process:
        processes.append(Process(name))
        return processes[-1]

    def tried(recipe, rank, runtimes, folder, child):
        rows = []
        for runtime in runtimes:
            asked.append((recipe, rank, runtime.name))
            dies = (recipe, rank, runtime.name) == ("unet", 3, "onnx")
            rows.append(Compatibility(recipe, rank, runtime.label, "failed" if dies else "exact"))
            if dies:
                child.alive = False
                break
        return rows

    monkeypatch.setattr(compatibility, "Child", begun)
    monkeypatch.setattr(compatibility, "_of", tried)
    found = list(compatibility.compatibilities(["unet", "vnet"], RUNTIMES))
    assert [[row.verdict for row in rows] for rows in found] == [
        ["exact"] * 3,
        ["exact", "failed", "exact"],
        ["exact"] * 3,
        ["exact"] * 3,
    ]
    assert len(asked) == len(set(asked)) == 12  # nothing is tried twice
    assert len(processes) == 2 and not any(process.alive for process in processes)


def test_what_was_found_in_parts_becomes_one_table_and_the_last_of_two_counts(tmp_path, capsys):
    exact = Compatibility("unet", 2, "onnx", "exact", (64, 64), 3e-6, 2e-7)
    eight_bits = Compatibility("unet", 2, "onnx_int8", "within margin", (64, 64), 0.02, 0.031)
    failed = Compatibility("vnet", 3, "onnx", "failed", problem="no such operator")
    for name, rows in (("a", [exact, eight_bits]), ("b", [failed]), ("c", [as_row(failed) | {"verdict": "unfit"}])):
        rows = [row if isinstance(row, dict) else as_row(row) for row in rows]
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    files = [str(tmp_path / f"{name}.json") for name in "abc"]
    assert cli.main(["check", "runtimes", "--read", *files[:2]]) == 1
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["Recipe", "Rank", "onnx", "onnx_int8"]
    assert lines[2:4] == [["unet", "2D", "3e-06", "3.1%"], ["vnet", "3D", "fails", ""]]
    assert lines[-2] == ["- vnet 3D on onnx: no such operator"]
    assert cli.main(["check", "runtimes", "--json", "--read", *files]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read == [as_row(exact), as_row(eight_bits), as_row(failed) | {"verdict": "unfit"}]


def test_what_is_not_finite_is_null_in_json_and_stays_off(tmp_path, capsys):
    (tmp_path / "a.json").write_text(json.dumps([as_row(Compatibility("unet", 2, "onnx", "off", (64, 64), inf, nan))]))
    assert cli.main(["check", "runtimes", "--json", "--read", str(tmp_path / "a.json")]) == 1
    (row,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)  # Infinity and NaN are no JSON
    assert (row["verdict"], row["difference"], row["error"]) == ("off", None, None)
    assert cli.main(["check", "runtimes", "--read", str(tmp_path / "a.json")]) == 1
    assert " off (inf) " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{}", "it is no list"), ('[{"recipe": "unet"}]', "[0] has no 'runtime'"), ("no", "Expecting value")],
)
def test_a_file_of_something_else_is_named(tmp_path, capsys, text, reason):
    file = tmp_path / "rows.json"
    file.write_text(text)
    assert cli.main(["check", "runtimes", "--read", str(file)]) == 2
    said = capsys.readouterr().err
    assert f"{file}: is not what `unetbench check runtimes --json` prints ({reason}" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runtimes", "--size", "64x64"], "--size is of `check models`"),
        (["runtimes", "--read", "a.json", "--only", "unet"], "--only and --runtimes say what to try"),
        (["models", "--only", "unet"], "--only, --runtimes and --read are of `check runtimes`"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(capsys, words, said):
    assert cli.main(["check", *words]) == 2
    assert said in capsys.readouterr().err
