"""The factorised policy: its probabilities, their gradients, and what it draws."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._policy import Policy
from spaces.genotype import GenotypeSpace

NESTED = pg.Dict(
    stem=pg.oneof([pg.Dict(kernel=pg.oneof([3, 5, 7]), rate=pg.floatv(1e-3, 1.0, scale="log")), "none"]),
    depth=pg.oneof([1, 2, 3]),
    drop=pg.floatv(0.0, 0.5),
    decay=pg.floatv(0.9, 0.999, scale="rlog"),
)


def moved(value: object) -> tuple[GenotypeSpace, Policy, np.ndarray]:
    """Return a space, a policy of random parameters, and rows that it drew."""
    space, rng = GenotypeSpace(value), np.random.default_rng(3)
    policy = Policy(space)
    policy.parameters += rng.normal(size=policy.parameters.shape) * 0.5
    policy.bound()
    return space, policy, policy.sample(200, rng)


def slopes(policy: Policy, rows: np.ndarray) -> np.ndarray:
    """Return the gradient of the rows' summed log-probabilities by central differences."""
    found = np.zeros_like(policy.parameters)
    for at in np.ndindex(found.shape):
        sides = []
        for step in (1e-6, -1e-6):
            policy.parameters[at] += step
            sides.append(policy.log_probabilities(rows).sum())
            policy.parameters[at] -= step
        found[at] = (sides[0] - sides[1]) / 2e-6
    return found


def test_gradients_are_those_of_the_log_probabilities() -> None:
    _, policy, rows = moved(NESTED)
    assert np.allclose(policy.gradient(rows, np.ones(len(rows))), slopes(policy, rows), atol=1e-4)


def test_probabilities_of_choices_sum_to_one() -> None:
    value = pg.Dict(stem=pg.oneof([pg.Dict(kernel=pg.oneof([3, 5, 7])), "none"]), depth=pg.oneof([1, 2, 3]))
    space, policy, _ = moved(value)
    assert np.exp(policy.log_probabilities(space.enumerate(0, 12))).sum() == pytest.approx(1.0)


def test_inactive_columns_have_no_gradient() -> None:
    space, policy, rows = moved(NESTED)
    without = rows[rows[:, 0] == 1]
    assert len(without) > 10
    names = [column.name for column in space.columns]
    gradient, bonus = policy.gradient(without, np.ones(len(without))), policy.entropy_gradient(without)
    for index, name in enumerate(names):
        if name.endswith(("kernel", "rate")):
            assert not gradient[index].any()
            assert not bonus[index].any()
    assert gradient[names.index("depth")].any()


def test_draws_follow_the_probabilities() -> None:
    policy = Policy(GenotypeSpace(pg.Dict(a=pg.oneof([0, 1, 2]), b=pg.floatv(1e-4, 1.0, scale="log"))))
    policy.parameters[0], policy.parameters[1, :2] = np.log([0.1, 0.2, 0.7]), (0.0, np.log(0.1))
    drawn = policy.sample(20_000, np.random.default_rng(0))
    assert np.bincount(drawn[:, 0].astype(int)) / 20_000 == pytest.approx([0.1, 0.2, 0.7], abs=0.01)
    assert np.median(drawn[:, 1]) == pytest.approx(1e-2, rel=0.02)


def test_a_new_policy_is_uniform_over_choices_and_nearly_so_over_floats() -> None:
    drawn = Policy(GenotypeSpace(pg.Dict(a=pg.oneof([0, 1]), b=pg.floatv(0.0, 1.0)))).sample(
        20_000, np.random.default_rng(0)
    )
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.01)
    assert np.histogram(drawn[:, 1], 4, (0, 1))[0] / 20_000 == pytest.approx([0.25] * 4, abs=0.02)


def test_heat_flattens_a_sharp_policy() -> None:
    policy = Policy(GenotypeSpace(pg.Dict(a=pg.oneof([0, 1, 2]))))
    policy.parameters[0, 0] = 50.0
    assert not policy.sample(200, np.random.default_rng(0)).any()
    assert np.bincount(policy.sample(3_000, np.random.default_rng(0), 400.0)[:, 0]).min() > 800


def test_entropy_climbs_to_uniform() -> None:
    _, policy, rows = moved(pg.Dict(a=pg.oneof([0, 1, 2])))
    for _ in range(400):
        policy.parameters += 0.5 * policy.entropy_gradient(rows)
    assert np.ptp(policy.parameters) < 1e-3


def test_repeats_in_a_distinct_manyof_are_repaired() -> None:
    space = GenotypeSpace(pg.manyof(3, list("abcde"), distinct=True, sorted=True))
    assert space.valid(Policy(space).sample(500, np.random.default_rng(0))).all()
