"""What policy gradient methods share: a factorised policy, rewards, a moving baseline, batches, and exact resume."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.algorithms._adam import Adam
from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._policy import Policy
from search.algorithms._rewards import Aim, aim_at, check_reward, reward_of, targets_of

DRAWN_AT_LEAST = 32
CUT_OFF = 3.0
QUARTILES_OF_A_NORMAL = 1.349
"""The distance between a normal distribution's quartiles, in deviations."""

TEMPERATURES = tuple(1.5**power for power in range(16))
"""Tried in turn until a draw holds something new; the last is uniform for all purposes."""


@dataclass
class PolicyGradient(Algorithm):
    """Samples a policy and moves it, after every `batch` results, towards those above a moving baseline.

    Advantages are (reward - baseline) / deviation, both exponential moving averages with weight 1 - `baseline_decay`
    for the newest batch, so that settings do not depend on the objective's unit; they are cut off at 3, and so is what
    an outlier, say a diverged training, does to the averages. A result that violates a constraint counts as one to two
    deviations below the baseline and does not move it. Trials without a result are left out.

    Since no genotype is proposed twice, what the policy repeats is dropped, and where a draw repeats only what was
    seen its temperature is raised until it does not; gradients are those of the policy at temperature 1 all the same,
    and of the policy as it is when a batch is complete, though some of the batch may have been drawn from an older one.

    Attributes:
      batch: results a step of learning.
      learning_rate: of Adam, on the logits.
      entropy: the weight of the columns' summed entropies, in units of one deviation of the reward.
      baseline_decay: of the moving averages, from 0 (the last batch alone) to below 1.
      reward: of several objectives, the first of which is the quality and the others costs to be minimized:
        `tunas` or `mnasnet`; see `search.algorithms._rewards`.
      target: of each cost, in its unit; None for the medians of the first batch.
      exponent: MnasNet's w or TuNAS's beta; None for -0.07, and for the first batch's spread of the quality.
    """

    batch: int = 8
    learning_rate: float = 0.1
    entropy: float = 0.05
    baseline_decay: float = 0.9
    reward: str = "tunas"
    target: float | tuple[float, ...] | None = None
    exponent: float | None = None

    @property
    def learning_changes_state(self) -> bool:
        """True: the policy is its state."""
        return True

    def start(self, problem: Problem) -> None:
        """Begin with a uniform policy. Raises ValueError for settings out of bounds."""
        if self.batch < 1 or self.learning_rate <= 0 or self.entropy < 0 or not 0 <= self.baseline_decay < 1:
            raise ValueError(
                f"{self.name} needs batch >= 1, learning_rate > 0, entropy >= 0 and 0 <= baseline_decay < 1, got "
                f"{self.batch}, {self.learning_rate}, {self.entropy} and {self.baseline_decay}"
            )
        check_reward(self.reward)
        self._targets = targets_of(self.target, problem.objectives - 1) if problem.objectives > 1 else ()
        super().start(problem)
        self._policy = Policy(problem.space)
        self._adam = Adam(self._policy.parameters.shape, self.learning_rate)
        self._baseline: tuple[float, float] | None = None
        self._aim: Aim | None = None
        self._waiting = Results(
            np.zeros((0, problem.space.width), problem.space.dtype), np.zeros((0, problem.objectives)), np.zeros(0)
        )

    def _draw(self, count: int) -> np.ndarray:
        for temperature in TEMPERATURES:
            drawn = self._policy.sample(max(count, DRAWN_AT_LEAST), self._random, temperature)
            if not self._seen.keys() >= set(self._space.keys(drawn)):
                break
        return drawn

    def learn(self, results: Results) -> None:
        """Keep results until there is a batch of them, then improve the policy."""
        usable = _usable(results)
        waiting = (self._waiting.genotypes, self._waiting.scores, self._waiting.violations)
        genotypes, scores, violations = (
            np.concatenate([old, new])
            for old, new in zip(waiting, (usable.genotypes, usable.scores, usable.violations), strict=True)
        )
        whole = len(genotypes) - len(genotypes) % self.batch
        for start in range(0, whole, self.batch):
            rows = slice(start, start + self.batch)
            self._improve(genotypes[rows], self._advantages(scores[rows], violations[rows]))
        self._waiting = Results(genotypes[whole:], scores[whole:], violations[whole:])

    @abstractmethod
    def _improve(self, genotypes: np.ndarray, advantages: np.ndarray) -> None:
        """Change the policy by one batch of genotypes (batch, width) and their advantages (batch,)."""

    def _step(self, genotypes: np.ndarray, weights: np.ndarray) -> None:
        """Climb the mean of weights times log-probabilities, plus the entropy bonus."""
        gradient = self._policy.gradient(genotypes, weights) / len(genotypes)
        self._adam.climb(self._policy.parameters, gradient + self.entropy * self._policy.entropy_gradient(genotypes))
        self._policy.bound()

    def _advantages(self, scores: np.ndarray, violations: np.ndarray) -> np.ndarray:
        """Return each row's advantage, shape (n,), and move the baseline."""
        if self._aim is None:
            self._aim = aim_at(self.reward, scores, self._targets, self.exponent)
        rewards = reward_of(self.reward, scores, self._aim)
        feasible = violations <= 0
        advantages: np.ndarray = -1 - np.minimum(violations, 1.0)
        if feasible.any():
            advantages[feasible] = self._standardised(rewards[feasible])
        return advantages

    def _standardised(self, rewards: np.ndarray) -> np.ndarray:
        """Return (rewards - baseline) / deviation, cut off, and move both; the first batch sets them."""
        if self._baseline is None:
            low, middle, high = np.quantile(rewards, (0.25, 0.5, 0.75)).tolist()
            self._baseline = middle, ((high - low) / QUARTILES_OF_A_NORMAL) ** 2 or float(rewards.var())
        mean, variance = self._baseline
        deviation = np.sqrt(variance) or np.abs(rewards - mean).max() or 1.0
        standardised: np.ndarray = ((rewards - mean) / deviation).clip(-CUT_OFF, CUT_OFF)
        share, centred = 1 - self.baseline_decay, standardised * deviation
        self._baseline = (
            float(mean + share * centred.mean()),
            float(variance + share * (np.mean(centred**2) - variance)),
        )
        return standardised

    def state(self) -> dict[str, Any]:
        """Return the policy, its optimiser's moments, the baseline, and how many results wait for a full batch."""
        return {
            **super().state(),
            "policy": self._policy.parameters.tolist(),
            "adam": self._adam.state(),
            "baseline": self._baseline,
            "aim": None if self._aim is None else dataclasses.asdict(self._aim),
            "waiting": len(self._waiting.genotypes),
        }

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on from the stored policy; the results that wait are the last ones told."""
        usable = _usable(results)
        rest = slice(len(usable.genotypes) - state["waiting"], None)
        self._waiting = Results(usable.genotypes[rest], usable.scores[rest], usable.violations[rest])
        super().restore(state, proposed, _rows(results, np.zeros(len(results.genotypes), bool)))
        self._policy.parameters[:] = np.reshape(state["policy"], self._policy.parameters.shape)
        self._adam.restore(state["adam"])
        self._baseline = None if state["baseline"] is None else (state["baseline"][0], state["baseline"][1])
        self._aim = None if state["aim"] is None else Aim(tuple(state["aim"]["targets"]), state["aim"]["exponent"])


def _usable(results: Results) -> Results:
    """Return the results that have scores."""
    return _rows(results, np.isfinite(results.scores).all(axis=1))


def _rows(results: Results, rows: np.ndarray) -> Results:
    return Results(results.genotypes[rows], results.scores[rows], results.violations[rows])
