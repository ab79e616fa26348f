"""The table recipe by runtime, where a process dies over one of them."""

from dataclasses import dataclass

from unetbench.benchmark.deploy import compatibility
from unetbench.benchmark.deploy.compatibility import Compatibility
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
