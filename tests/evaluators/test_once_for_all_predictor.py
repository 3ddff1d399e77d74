"""The published once-for-all accuracy predictor: its known predictions, and spaces that it must not be asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pyglove as pg
import pytest
from shared_data import shared_data

from evaluators._base import Task
from evaluators.once_for_all_predictor import OnceForAllPredictor, features
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all, published

RESOLUTIONS = [160, 176, 192, 208, 224]


@pytest.fixture(scope="module")
def predictor() -> OnceForAllPredictor:
    return OnceForAllPredictor(shared_data("ofa_mobilenetv3/ofa_acc_predictor.npz"))


@pytest.fixture(scope="module")
def space() -> GenotypeSpace:
    return GenotypeSpace(once_for_all(width=1.2, resolutions=RESOLUTIONS))


def untrained(path: Path, inputs: int = 128) -> Path:
    sizes = [(400, inputs), (400, 400), (400, 400), (1, 400)]
    arrays = {f"{2 * i}.weight": np.full(size, 1e-3, np.float32) for i, size in enumerate(sizes)}
    np.savez(path, **arrays, **{f"{2 * i}.bias": np.zeros(size[0], np.float32) for i, size in enumerate(sizes)})
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [("note10_lat@30ms_top1@78.4_finetune@75", 81.96709), ("flops@389M_top1@79.1_finetune@75", 82.56405)],
)
def test_published_networks(predictor: OnceForAllPredictor, space: GenotypeSpace, name: str, expected: float) -> None:
    task = Task(space, space.encode(published(name)))
    assert list(predictor(task)) == [{"accuracy": pytest.approx(expected, abs=1e-4)}]


@pytest.mark.parametrize(
    ("depth", "expansion", "kernel", "resolution", "expected"),
    [
        (4, 6, 7, 224, 83.59278),
        (4, 3, 3, 224, 80.62292),
        (2, 3, 3, 224, 77.73865),
        (2, 3, 3, 160, 75.31186),
        (4, 6, 7, 160, 80.75032),
    ],
)
def test_uniform_networks(
    predictor: OnceForAllPredictor, depth: int, expansion: int, kernel: int, resolution: int, expected: float
) -> None:
    made = GenotypeSpace(
        once_for_all(width=1.2, resolutions=[resolution], depths=[depth], expansions=[expansion], kernels=[kernel])
    )
    genotypes = np.zeros((1, made.width), made.dtype)
    assert predictor.evaluate_many(made, genotypes)["accuracy"] == pytest.approx([expected], abs=1e-4)


def test_many_are_predicted_at_once_as_one_by_one(predictor: OnceForAllPredictor, space: GenotypeSpace) -> None:
    genotypes = space.sample(50, np.random.default_rng(0))
    one_by_one = [next(predictor(Task(space, row)))["accuracy"] for row in genotypes]
    assert predictor.evaluate_many(space, genotypes)["accuracy"] == pytest.approx(one_by_one, abs=1e-4)


def test_features_are_one_of_each_present_block_and_of_the_resolution(space: GenotypeSpace) -> None:
    row = space.encode(published("note10_lat@30ms_top1@78.4_finetune@75"))
    [told] = features(space, row[None])
    assert (told[:60].sum(), told[60:120].sum(), told[120:].tolist()) == (15, 15, [0] * 7 + [1])
    assert told[:12].tolist() == [1, 0, 0, 1, 0, 0] + [0] * 6  # two blocks of kernel 3, two absent ones
    assert told[60:72].tolist() == [1, 0, 0, 1, 0, 0] + [0] * 6


def test_other_decisions_are_passed_over(predictor: OnceForAllPredictor, space: GenotypeSpace) -> None:
    joint = GenotypeSpace(pg.Dict(rate=pg.floatv(0.0, 1.0), architecture=space.value.clone(deep=True)))
    alone = space.sample(3, np.random.default_rng(0))
    beside = np.array([joint.encode(pg.Dict(rate=0.5, architecture=space.decode(row))) for row in alone])
    assert np.array_equal(features(joint, beside), features(space, alone))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 1.0, "resolutions": [224]}, r"width 1.2 and depth 4 at most.* the widths \(24, 40, 80, 112, 160\)"),
        ({"width": 1.2, "resolutions": [224], "depths": [2, 5]}, "depth 4 at most"),
        ({"width": 1.2, "resolutions": [228]}, r"learned resolution of \(112, .*, 224\), and this space has 228"),
        ({"width": 1.2, "resolutions": [224], "kernels": [3, 9]}, r"kernel of \(3, 5, 7\), and this space has 9"),
        ({"supernet": "proxylessnas", "resolutions": [224]}, "for once-for-all MobileNetV3 of width 1.2"),
    ],
)
def test_other_spaces_are_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    predictor = OnceForAllPredictor(untrained(tmp_path / "p.npz"))
    space = GenotypeSpace(once_for_all(**settings))
    with pytest.raises(ValueError, match=message):
        predictor.evaluate_many(space, space.sample(1, np.random.default_rng(0)))


def test_a_choice_that_is_no_decision_is_refused(tmp_path: Path) -> None:
    predictor = OnceForAllPredictor(untrained(tmp_path / "p.npz"))
    space = GenotypeSpace(once_for_all(width=1.2, resolutions=[224]).rebind({"stages[2].first.kernel": 7}))
    with pytest.raises(ValueError, match="cannot read this space: write each kernel, expansion and resolution"):
        predictor.evaluate_many(space, space.sample(1, np.random.default_rng(0)))


def test_a_missing_file_is_told_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no accuracy predictor at 'nowhere.npz': give the path of acc_predic"):
        OnceForAllPredictor("nowhere.npz")


def test_a_predictor_of_other_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"p.npz: expected a predictor of 128 features, got 82"):
        OnceForAllPredictor(untrained(tmp_path / "p.npz", inputs=82))


def test_a_worker_is_sent_no_weights(tmp_path: Path) -> None:
    assert len(cloudpickle.dumps(OnceForAllPredictor(untrained(tmp_path / "p.npz")))) < 1_000
