"""REINFORCE and PPO: what they learn from, what they find, and what they refuse."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._base import Problem, Results
from search.algorithms._policy_gradient import PolicyGradient
from search.algorithms.ppo import Ppo
from search.algorithms.reinforce import Reinforce
from spaces.genotype import GenotypeSpace

BOTH = (Reinforce, Ppo)
LAYERS = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(9))) for i in range(22)}))


def started(algorithm: PolicyGradient, space: GenotypeSpace, seed: int = 0, objectives: int = 1) -> PolicyGradient:
    algorithm.start(Problem(space, objectives, seed))
    return algorithm


def told(genotypes: np.ndarray, *scores: np.ndarray, violations: np.ndarray | None = None) -> Results:
    return Results(genotypes, np.stack(scores, axis=1), np.zeros(len(genotypes)) if violations is None else violations)


@pytest.mark.parametrize("made", BOTH)
def test_floats_close_in_on_their_best(made: type[PolicyGradient]) -> None:
    space = GenotypeSpace(pg.Dict(rate=pg.floatv(1e-5, 1.0, scale="log"), drop=pg.floatv(0.0, 1.0)))
    algorithm = started(made(), space)
    for _ in range(100):
        batch = algorithm.propose(8)
        algorithm.learn(told(batch, -((np.log10(batch[:, 0]) + 3) ** 2) - (batch[:, 1] - 0.8) ** 2))
    last = algorithm.propose(100)
    assert np.log10(np.median(last[:, 0])) == pytest.approx(-3, abs=0.3)
    assert np.median(last[:, 1]) == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("made", BOTH)
def test_the_unit_of_the_objective_does_not_matter(made: type[PolicyGradient]) -> None:
    small, large = started(made(), LAYERS), started(made(), LAYERS)
    for _ in range(20):
        batch, same = small.propose(8), large.propose(8)
        assert np.array_equal(batch, same)
        scores = batch.sum(axis=1).astype(float)
        small.learn(told(batch, scores))
        large.learn(told(same, scores * 1024 + 4096))  # powers of two: exact in floating point


def test_what_another_algorithm_was_told_is_learnt() -> None:
    first, second = started(Reinforce(), LAYERS), started(Reinforce(), LAYERS, seed=1)
    batch = first.propose(20)
    results = told(batch, batch.sum(axis=1).astype(float))
    first.learn(results)
    second.take_over(batch, results)
    assert second.state()["policy"] == first.state()["policy"] != started(Reinforce(), LAYERS).state()["policy"]
    assert not set(LAYERS.keys(batch)) & set(LAYERS.keys(second.propose(40)))


def test_results_may_come_one_by_one() -> None:
    at_once, singly = started(Reinforce(), LAYERS), started(Reinforce(), LAYERS)
    batch = at_once.propose(20)
    results = told(batch, batch.sum(axis=1).astype(float))
    at_once.learn(results)
    for row in range(20):
        singly.learn(told(batch[row : row + 1], results.scores[row]))
    assert {**singly.state(), "random": None} == {**at_once.state(), "random": None}


def test_what_violates_a_constraint_is_unlearnt_however_well_it_scores() -> None:
    algorithm = started(Reinforce(), GenotypeSpace(pg.Dict(a=pg.oneof([0, 1]), b=pg.floatv(0.0, 1.0))))
    for _ in range(40):
        batch = algorithm.propose(8)
        algorithm.learn(told(batch, 100 * batch[:, 0], violations=0.5 * batch[:, 0]))
    assert algorithm.propose(100)[:, 0].mean() < 0.1


def cost_reached(reward: str, exponent: float) -> float:
    """Return the mean cost proposed after 800 trials where quality and cost grow together; uniform draws cost 89."""
    algorithm = started(Reinforce(reward=reward, target=60.0, exponent=exponent), LAYERS, objectives=2)
    for _ in range(100):
        batch = algorithm.propose(8)
        algorithm.learn(told(batch, 50.0 + (batch == 8).sum(axis=1), -1.0 - batch.sum(axis=1)))
    return 1.0 + float(algorithm.propose(50).sum(axis=1).mean())


def test_tunas_stays_at_the_target_and_mnasnet_trades_beyond_it() -> None:
    assert cost_reached("tunas", -50.0) == pytest.approx(60, abs=8)
    assert cost_reached("tunas", -1.0) > 120
    assert cost_reached("mnasnet", -0.5) < 40


def test_a_collapsed_policy_goes_on_nearby() -> None:
    algorithm = started(Reinforce(entropy=0.0), LAYERS)
    algorithm._policy.parameters[:, 0] = 40.0
    batch = algorithm.propose(40)
    assert (batch != 0).sum(axis=1).mean() < 8  # uniform draws change 19.6 of the 22 layers


def test_an_outlier_neither_ends_the_learning_nor_leads_it() -> None:
    algorithm = started(Reinforce(), LAYERS)
    for step in range(100):
        batch = algorithm.propose(8)
        scores = batch.sum(axis=1).astype(float)
        scores[0] = -4e7 if step % 10 == 5 else scores[0]
        algorithm.learn(told(batch, scores))
    assert algorithm.propose(50).sum(axis=1).mean() > 150  # uniform draws give 88, the best is 176


@pytest.mark.parametrize("settings", [{"batch": 0}, {"learning_rate": 0.0}, {"entropy": -1.0}, {"baseline_decay": 1.0}])
def test_settings_out_of_bounds_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="reinforce needs batch >= 1, learning_rate > 0"):
        started(Reinforce(**settings), LAYERS)  # type: ignore[arg-type]


def test_settings_of_ppo_and_unknown_rewards_are_refused() -> None:
    with pytest.raises(ValueError, match=r"ppo needs epochs >= 1 and 0 < clip < 1, got 0 and 0\.2"):
        started(Ppo(epochs=0), LAYERS)
    with pytest.raises(ValueError, match="unknown reward 'sum'; there are mnasnet, tunas"):
        started(Reinforce(reward="sum"), LAYERS)


def test_one_epoch_of_ppo_is_a_step_of_reinforce() -> None:
    batch = LAYERS.sample(8, np.random.default_rng(0))
    one, other = started(Ppo(epochs=1), LAYERS), started(Reinforce(), LAYERS)
    for algorithm in (one, other):
        algorithm.learn(told(batch, np.arange(8.0)))
    assert one.state()["policy"] == other.state()["policy"]


def test_clipping_holds_the_policy_near_the_old_one() -> None:
    batch = LAYERS.sample(8, np.random.default_rng(0))
    moves = []
    for clip in (0.01, 0.9):
        algorithm = started(Ppo(epochs=20, clip=clip, entropy=0.0), LAYERS)
        algorithm.learn(told(batch, np.arange(8.0)))
        moves.append(np.abs(algorithm._policy.log_probabilities(batch) + 22 * np.log(9)).mean())
    assert moves[0] < 0.9 * moves[1]
