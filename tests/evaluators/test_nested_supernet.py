"""Training of nested supernets: resumed to equal numbers, what matters is ranked rightly, inherited accuracies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_nested import small_nested

from evaluators._base import Task
from evaluators._preparation import Job, Preparation
from evaluators.augmentation import Crop, Erase
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.mixing import Mix
from evaluators.nested.recipe import Recipe
from evaluators.nested_supernet import NestedSupernet, inherited, shared_weights
from evaluators.samplers._base import Sampler
from evaluators.samplers.complexity_aware import ComplexityAware
from evaluators.samplers.delayed_shrinking import DelayedShrinking
from evaluators.samplers.nested import Nested
from evaluators.samplers.performance_aware import PerformanceAware
from evaluators.samplers.progressive_shrinking import ProgressiveShrinking
from evaluators.samplers.sandwich import Sandwich
from evaluators.samplers.uniform import Uniform
from evaluators.train import evaluate, trained_weights

SHORT = NestedSupernet(epochs=4, batch=128)
WIDE = PerformanceAware(levels=(1000.0, 2000.0), window=3000.0, capacity=3, widths="seen", depths="idle")
SAMPLERS = [
    Uniform(2), Sandwich(), Nested(3), ComplexityAware(levels=(1000.0, 2000.0), window=3000.0), WIDE,
    DelayedShrinking(0.5, 0.25, sort=True), ProgressiveShrinking(restarts=True),
]  # fmt: skip
LONG = NestedSupernet(sampler=Uniform(2), epochs=15)


WHOLE = Recipe(average=0.9, clip=0.1, spared="see", shared="mean", augment=(Crop(1), Erase(0.5)), mix=Mix(0.5, 0.5))


@pytest.mark.parametrize("recipe", [Recipe(), WHOLE], ids=["plain", "whole recipe"])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_an_interrupted_training_ends_as_an_uninterrupted_one(sampler: Sampler, recipe: Recipe, tmp_path: Path) -> None:
    preparation: Preparation = replace(SHORT, sampler=sampler, recipe=recipe)
    space = small_nested()
    expected = list(preparation(Job(space, tmp_path / "whole")))
    interrupted = preparation(Job(space, tmp_path / "broken"))  # begins
    assert [next(interrupted) for _ in range(3)] == expected[:3]
    interrupted.close()
    assert list(preparation(Job(space, tmp_path / "broken"))) == expected
    first, second = (shared_weights(tmp_path / name, space) for name in ("whole", "broken"))
    assert all(torch.equal(mine, yours) for mine, yours in zip(first.parameters(), second.parameters(), strict=True))


def test_a_killed_training_goes_on_in_another_process(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from small_nested import small_nested
from evaluators._preparation import Job
from evaluators.augmentation import Crop
from evaluators.mixing import Mix
from evaluators.nested.recipe import Recipe
from evaluators.nested_supernet import NestedSupernet
from evaluators.samplers.performance_aware import PerformanceAware
sampler = PerformanceAware(levels=(1000.0, 2000.0), window=3000.0, capacity=3, widths="seen", depths="idle")
recipe = Recipe(average=0.9, clip=0.1, augment=(Crop(1),), mix=Mix(0.5))
train = NestedSupernet(sampler=sampler, epochs=4, batch=128, recipe=recipe)
steps = train(Job(small_nested(), Path({str(tmp_path / "killed")!r})))
print(next(steps), next(steps))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "PYTHONPATH": f".{os.pathsep}tests"}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    search = replace(SHORT, sampler=WIDE, recipe=Recipe(average=0.9, clip=0.1, augment=(Crop(1),), mix=Mix(0.5)))
    expected = list(search(Job(small_nested(), tmp_path / "whole")))
    assert list(search(Job(small_nested(), tmp_path / "killed"))) == expected


def test_the_decision_that_matters_is_ranked_rightly(tmp_path: Path) -> None:
    space = small_nested()
    list(LONG(Job(space, tmp_path)))
    rows = space.enumerate(0, 9)
    accuracy = {tuple(row): score(space, row, tmp_path) for row in rows}
    for few, more in ((0, 1), (1, 2)):
        assert all(accuracy[few, one] + 5 < accuracy[more, other] for one in range(3) for other in range(3))
    spread = [
        max(accuracy[seen, idle] for idle in range(3)) - min(accuracy[seen, idle] for idle in range(3))
        for seen in (1, 2)
    ]
    assert max(spread) < 3


def score(space: object, row: np.ndarray, folder: Path) -> float:
    (metrics,) = InheritedAccuracy()(Task(space, row, prepared=(folder,)))  # type: ignore[arg-type]
    return metrics["accuracy"]


def test_what_an_epoch_measures(tmp_path: Path) -> None:
    steps = list(SHORT(Job(small_nested(), tmp_path)))
    assert list(steps[0].metrics) == [
        "accuracy_largest", "accuracy_smallest", "loss_largest", "loss_random", "loss_smallest",
    ]  # fmt: skip
    assert [step.share for step in steps] == [0.25, 0.5, 0.75, 1.0]
    assert steps[-1].metrics["loss_largest"] < steps[0].metrics["loss_largest"]
    assert steps[-1].metrics["accuracy_largest"] == score(small_nested(), np.array([2, 2]), tmp_path)


def test_a_sampler_with_other_settings_starts_anew(tmp_path: Path) -> None:
    first = list(SHORT(Job(small_nested(), tmp_path)))
    assert list(replace(SHORT, sampler=Sandwich(3))(Job(small_nested(), tmp_path))) != first


def test_a_trial_keeps_weights_that_give_its_accuracy(tmp_path: Path) -> None:
    space = small_nested()
    list(SHORT(Job(space, tmp_path / "supernet")))
    task = Task(space, np.array([1, 0]), folder=tmp_path / "trial", prepared=(tmp_path / "supernet",))
    (metrics,) = InheritedAccuracy(test=True)(task)
    assert list(metrics) == ["accuracy", "loss", "test_accuracy"]
    network = task.candidate.build()
    network.load_state_dict(trained_weights(tmp_path / "trial"))
    from evaluators.images.digits import digits

    assert evaluate(network, digits().val) == pytest.approx((metrics["accuracy"], metrics["loss"]))


def test_a_network_without_statistics_of_its_own_is_not_scored_with_the_supernets(tmp_path: Path) -> None:
    space = small_nested()
    list(SHORT(Job(space, tmp_path)))
    network = inherited(shared_weights(tmp_path, space), space, np.array([2, 2]))
    assert network.network.get_buffer("norm.running_mean").abs().sum() == 0


def test_a_study_without_such_a_preparation_is_told(tmp_path: Path) -> None:
    task = Task(small_nested(), np.array([0, 0]))
    with pytest.raises(ValueError, match=r"InheritedAccuracy\(supernet=0\) needs .* NestedSupernet .*: none$"):
        InheritedAccuracy().check_early(task.space, [])
    with pytest.raises(FileNotFoundError, match=r"no nested supernet in .*: expected a readable checkpoint\.pt"):
        next(InheritedAccuracy()(replace(task, prepared=(tmp_path,))))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"epochs": 0},
            "epochs, batch, statistics and threads must be whole numbers of at least 1, got 0, 64, 512 and 1",
        ),
        ({"epochs": 1.5}, "must be whole numbers of at least 1, got 1.5, 64, 512 and 1"),
        ({"divergence": "alpha"}, "divergence must be adaptive or cross_entropy, got 'alpha'"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NestedSupernet(**settings)  # type: ignore[arg-type]
