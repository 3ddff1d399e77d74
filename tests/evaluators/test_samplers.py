"""Samplers: what a step trains, held over thousands of draws; the preference scores that were published networks'."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyglove as pg
import pytest
from small_nested import Seen

from evaluators.nested.space import NestedSpace
from evaluators.optimization import Optimization
from evaluators.samplers._base import KEPT, Memory, Step
from evaluators.samplers.complexity_aware import ComplexityAware
from evaluators.samplers.delayed_shrinking import DelayedShrinking
from evaluators.samplers.nested import Nested, chain
from evaluators.samplers.performance_aware import PerformanceAware
from evaluators.samplers.progressive_shrinking import Phase, ProgressiveShrinking, opened
from evaluators.samplers.sandwich import Sandwich
from evaluators.samplers.uniform import Uniform
from spaces.elasticvit import NETS, elasticvit, published, released_macs
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all

SMALL = NestedSpace(GenotypeSpace(elasticvit("small")))
RELEASED = NestedSpace(GenotypeSpace(elasticvit()), released_macs)
ONCE_FOR_ALL = NestedSpace(GenotypeSpace(once_for_all(resolutions=[32, 40], width=0.25, depths=(1, 2, 3))))
LEVELS = (100e6, 200e6, 300e6, 400e6, 500e6, 700e6, 900e6, 1200e6)
MINIMUMS = tuple(
    (macs, tuple(RELEASED.space.encode(published(f"min-{macs / 1e6:.0f}")).tolist())) for macs in (200e6, 400e6, 800e6)
)
PAPERS = PerformanceAware(levels=LEVELS, window=20e6, smallest=MINIMUMS)
PREFERENCES = {
    "ElasticViT-T1": -15.5791, "ElasticViT-T2": -12.03, "ElasticViT-S1": -5.66, "ElasticViT-S2": -5.82,
    "ElasticViT-M": -9.69, "ElasticViT-L1": -7.69, "ElasticViT-L1.5": -44.67, "ElasticViT-L2": -107.83,
    "ElasticViT-L3": -115.61,
}  # fmt: skip
"""In million multiply-accumulates, against the smallest network."""


def step(nets: NestedSpace, number: int = 0, *, epoch: int = 0, epochs: int = 100, steps: int = 1000) -> Step:
    rng = np.random.default_rng((epoch, number))
    return Step(nets, epoch, epochs, number, steps, rng, lambda progress: 1 - progress, lambda _: -1.0)


@pytest.mark.parametrize("name", PREFERENCES)
def test_preferences_of_the_published_networks(name: str) -> None:
    row = RELEASED.space.encode(published(name))
    anchor = RELEASED.space.encode(published("min-200"))
    assert PAPERS.preference(RELEASED, row, anchor) / 1e6 == pytest.approx(PREFERENCES[name], abs=0.006)
    assert name in NETS


def test_which_smallest_network_goes_with_a_level() -> None:
    names = ("min-200", "min-400", "min-800")
    expected = {100: 0, 200: 0, 220: 0, 221: 1, 300: 1, 400: 1, 420: 1, 421: 2, 500: 2, 1200: 2}
    for level, place in expected.items():
        row = PAPERS.smallest_for(RELEASED, level * 1e6)
        assert RELEASED.space.decode(row) == published(names[place]), level


def test_levels_are_walked_step_by_step_and_all_are_reached() -> None:
    sampler, walked = ComplexityAware(levels=LEVELS), list[int]()
    memory: Memory = {}
    for number in range(10_000):
        at = step(SMALL, number % 100, epoch=number // 100, steps=100)
        memory["level"] = sampler._next(at, memory, len(LEVELS))
        walked.append(memory["level"])
    assert walked[0] == 0
    moves = [abs(first - second) for first, second in pairwise(walked)]
    assert max(moves[number] for number in range(len(moves)) if (number + 1) % 100) == 1
    assert max(moves) <= 2
    shares = np.bincount(walked, minlength=8) / len(walked)
    assert shares.min() > 0.05
    assert shares.max() < 0.25


@pytest.mark.parametrize("sampler", [ComplexityAware(), PerformanceAware(capacity=8)])
def test_networks_of_a_step_have_its_level(sampler: ComplexityAware) -> None:
    memory: Memory = {}
    levels = sampler.levels_of(SMALL)
    assert levels[0] == pytest.approx(1.25 * SMALL.smallest_macs)
    assert levels[-1] == pytest.approx(SMALL.largest_macs / 2)
    for number in range(20):
        at = step(SMALL, number, epoch=50)
        *random, smallest = sampler.draw(at, memory)
        level = levels[memory["level"]]
        assert all(level <= SMALL.macs(subnet.genotype) <= 1.2 * level for subnet in random)
        assert (smallest.kind, smallest.teachers, smallest.labels) == ("smallest", (0, 1, 2), 0.0)
        sampler.learn(at, [*random, smallest], [1.0 + 0.01 * number] * 4, memory)


def test_ten_thousand_networks_have_the_levels_of_their_steps() -> None:
    space = Seen(seen=pg.oneof(list(range(8, 65, 4))), idle=pg.oneof(list(range(4, 33, 4))))
    nets, memory, drawn = NestedSpace(GenotypeSpace(space)), Memory(), 0
    sampler = PerformanceAware(capacity=6, widths="seen", depths="idle")
    levels = sampler.levels_of(nets)
    while drawn < 10_000:
        at = step(nets, drawn, epoch=50)
        *random, smallest = sampler.draw(at, memory)
        level = levels[memory["level"]]
        assert all(level <= nets.macs(subnet.genotype) <= 1.2 * level for subnet in random)
        assert nets.macs(smallest.genotype) <= level
        sampler.learn(at, [*random, smallest], at.rng.random(4).tolist(), memory)
        drawn += 4
    assert sorted(memory["banks"]) == ["0", "1", "2", "3", "4", "5"]
    assert {len(entries) for entries in memory["banks"].values()} == {6}


@pytest.mark.parametrize("level", LEVELS[:6])
def test_levels_of_the_released_space_are_met_above_their_smallest_network(level: float) -> None:
    row = PAPERS.random_at(step(RELEASED), level)
    assert level <= RELEASED.macs(row) <= level + 20e6
    least = RELEASED.ranks(PAPERS.smallest_for(RELEASED, level))
    assert (RELEASED.ranks(row) <= least).all()


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no network of 1 to 1\.2 multiply-accumulates was found; the space's have"):
        ComplexityAware(levels=(1.0,)).random_at(step(SMALL), 1.0)


def test_a_bank_takes_the_better_and_drops_the_worst() -> None:
    sampler = PerformanceAware(capacity=2)
    memory: Memory = {"level": 0}
    at, level = step(SMALL), 1.25 * SMALL.smallest_macs
    drawn = [sampler._one(at, level, memory) for _ in range(4)]
    sampler.learn(at, drawn, [2.0, 3.0, 4.0, 1.0], memory)
    assert sorted(score for _, score in memory["banks"]["0"]) == [-2.0, -1.0]
    assert sampler.anchor(at, {**memory, "level": 1}).tolist() == drawn[3].genotype.tolist()
    assert sampler.anchor(at, memory).tolist() == SMALL.smallest.tolist()


def test_a_bank_is_drawn_from_in_proportion_to_the_exponential_of_its_scores() -> None:
    sampler = PerformanceAware(capacity=3)
    rows = [[0] * SMALL.space.width, [1] * SMALL.space.width]
    memory = {"level": 0, "banks": {"0": [[rows[0], -1.0], [rows[1], -1.0 - np.log(3)]]}}
    level = sampler.levels_of(SMALL)[0]
    drawn = [sampler._one(step(SMALL, number, epoch=99), level, memory) for number in range(400)]
    kept = [subnet.genotype[0] for subnet in drawn if subnet.kind == "kept"]
    assert len(kept) / 400 == pytest.approx(0.95, abs=0.04)
    assert np.mean(kept) == pytest.approx(0.25, abs=0.08)


def test_the_chance_of_drawing_from_a_bank() -> None:
    epochs = (0, 99, 100, 200, 300, 400, 500, 599)
    chances = [PerformanceAware().chance(step(SMALL, epoch=epoch, epochs=600)) for epoch in epochs]
    assert chances == pytest.approx([0.2, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.95])


def test_banks_are_scored_anew_at_an_epochs_first_step() -> None:
    memory: Memory = {"level": 0, "banks": {"0": [[SMALL.smallest.tolist(), -9.0]]}}
    PerformanceAware().draw(step(SMALL), memory)
    assert memory["banks"]["0"][0][1] == -1.0


def test_a_sandwich_is_taught_by_its_largest_network() -> None:
    largest, smallest, *random = Sandwich(random=2).draw(step(SMALL), {})
    assert (largest.genotype.tolist(), smallest.genotype.tolist()) == (SMALL.largest.tolist(), SMALL.smallest.tolist())
    assert (largest.teachers, largest.labels) == ((), 1.0)
    assert [(each.teachers, each.labels) for each in (smallest, *random)] == [((0,), 0.0)] * 3


def test_uniform_networks_learn_from_labels() -> None:
    drawn = Uniform(3).draw(step(SMALL), {})
    assert [(each.kind, each.teachers, each.labels) for each in drawn] == [("random", (), 1.0)] * 3


def test_a_chain_is_nested_and_ends_at_the_extremes() -> None:
    rows = [chain(SMALL, level / 7) for level in range(8)]
    assert (rows[0].tolist(), rows[-1].tolist()) == (SMALL.smallest.tolist(), SMALL.largest.tolist())
    assert all((SMALL.ranks(small) >= SMALL.ranks(large)).all() for small, large in pairwise(rows))
    kinds = {each.kind for number in range(100) for each in Nested().draw(step(SMALL, number), {})}
    assert kinds == {f"level{level}" for level in range(8)}


def test_delayed_shrinking_begins_with_the_largest_alone_and_ramps_the_others_up() -> None:
    sampler = DelayedShrinking(start=0.5, ramp=0.1)
    early, ramping, late = (sampler.draw(step(SMALL, epoch=epoch), {}) for epoch in (39, 45, 50))
    assert [each.kind for each in early] == ["largest"]
    assert [each.kind for each in ramping] == ["largest", "smallest", "random", "random"]
    assert [each.scale for each in late] == [1.0] * 4
    done = (0.05 + 1e-5) / 0.1
    assert [each.scale for each in ramping] == pytest.approx([1.0] + [done * 0.5 / 0.55] * 3)
    assert ramping[1].teachers == (0,)


def test_the_smallest_and_the_random_networks_have_multipliers_of_their_own() -> None:
    sampler = DelayedShrinking(start=0.5, ramp=0.1, multiplier=0.8, smallest=0.25)
    assert [each.scale for each in sampler.draw(step(SMALL, epoch=60), {})] == [1.0, 0.25, 0.8, 0.8]


def test_delayed_shrinking_sorts_channels_once() -> None:
    memory: Memory = {}
    sampler = DelayedShrinking(start=0.5, ramp=0.1, sort=True)
    assert [sampler.sorts(step(SMALL, epoch=epoch), memory) for epoch in (39, 40, 41, 60)] == [None, [], None, None]
    assert DelayedShrinking().sorts(step(SMALL, epoch=60), {}) is None


def test_phases_have_learning_rates_of_their_own() -> None:
    once = Optimization("sgd", 2.6, 0.9, 3e-5, "cosine", 0.1, (), 0.1)
    epochs = (0, 90, 180, 182.5, 185, 245, 305, 317.5, 330, 335, 395, 455, 467.5, 480, 485, 545, 605)
    rates = [ProgressiveShrinking(restarts=True).lr_at(epoch / 605, once) for epoch in epochs]
    assert rates == pytest.approx(
        [2.6, 1.3, 0.03, 0.495, 0.96, 0.48, 0.08, 0.04, 0.0075, 0.24, 0.12, 0.08, 0.04, 0.0075, 0.24, 0.12, 0.0]
    )
    assert ProgressiveShrinking().lr_at(0.55, once) == pytest.approx(1.3)


def test_progressive_shrinking_opens_one_dimension_after_another() -> None:
    sampler = ProgressiveShrinking()
    kinds = [[each.kind for each in sampler.draw(step(ONCE_FOR_ALL, epoch=epoch), {})] for epoch in (0, 29, 30, 51)]
    assert kinds == [["largest"], ["largest"], ["random"], ["random"] * 2]
    assert sampler.draw(step(ONCE_FOR_ALL, epoch=99), {})[0].teachers == (KEPT,)
    assert len(sampler.draw(step(ONCE_FOR_ALL, epoch=99), {})) == 4


@pytest.mark.parametrize(
    ("phase", "kernels", "depths", "expansions"),
    [
        (Phase(1, 0), {7}, {3}, {6}),
        (Phase(1, 1, kernel=9), {3, 5, 7}, {3}, {6}),
        (Phase(1, 2, kernel=9, depth=2), {3, 5, 7}, {2, 3}, {6}),
        (Phase(1, 2, kernel=9, depth=3), {3, 5, 7}, {1, 2, 3}, {6}),
        (Phase(1, 4, kernel=9, depth=9, expansion=2), {3, 5, 7}, {1, 2, 3}, {4, 6}),
        (Phase(1, 4, kernel=9, depth=9, expansion=3), {3, 5, 7}, {1, 2, 3}, {3, 4, 6}),
    ],
)
def test_what_a_phase_has_opened(phase: Phase, kernels: set[int], depths: set[int], expansions: set[int]) -> None:
    rng = np.random.default_rng(0)
    drawn = [ONCE_FOR_ALL.space.decode(opened(ONCE_FOR_ALL, phase, rng)) for _ in range(60)]
    assert {kernel for network in drawn for kernel in network.kernels} == kernels
    assert {depth for network in drawn for depth in network.depths} == depths
    assert {expansion for network in drawn for expansion in network.expansions} == expansions
    assert {network.resolution for network in drawn} == {32, 40}


def test_a_step_of_progressive_shrinking_has_one_resolution() -> None:
    for number in range(12):
        drawn = ProgressiveShrinking().draw(step(ONCE_FOR_ALL, number, epoch=99), {})
        kept = ONCE_FOR_ALL.space.decode(drawn[0].kept)
        assert {ONCE_FOR_ALL.space.decode(each.genotype).resolution for each in drawn} == {kept.resolution}
        assert (set(kept.kernels), set(kept.depths), set(kept.expansions)) == ({7}, {3}, {6})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: ComplexityAware(levels=(2.0, 1.0)), r"levels must be ascending, got \(2.0, 1.0\)"),
        (lambda: ComplexityAware(subnets=0), "subnets and count must be whole numbers of at least 1, got 0 and 6"),
        (
            lambda: PerformanceAware(capacity=0),
            "capacity and explored must be whole numbers of at least 1, got 0 and 5",
        ),
        (lambda: Nested(levels=1), "levels must be at least 2 and subnets 1, got 1 and 2"),
        (lambda: DelayedShrinking(start=0.1, ramp=0.2), "expected 0 < ramp <= start < 1"),
        (
            lambda: ProgressiveShrinking((Phase(5, 0, warmup=5),)),
            "rates above 0 and warm-ups shorter than their phases",
        ),
        (lambda: ProgressiveShrinking(phases=()), r"expected phases of more than 0 epochs each, got \(\)"),
    ],
)
def test_impossible_settings_are_refused(made: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made()  # type: ignore[operator]
