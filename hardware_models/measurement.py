"""One latency as it was measured, with its spread."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_MS = 1e-6
"""A latency cannot be nothing, also where noise says less."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The latency of an operator or of a whole network, for one batch.

    Attributes:
      latency_ms: the estimate (`hardware_models.fastest`).
      samples: how many timed samples it rests on.
      minimum_ms, quartile_ms, median_ms: of the raw samples, uncorrected; the quartile is the lower one.
      halves_ms: two independent estimates, each from half of the rounds.
    """

    latency_ms: float
    samples: int
    minimum_ms: float
    quartile_ms: float
    median_ms: float
    halves_ms: tuple[float, float]

    def less(self, part: Measurement, share: float) -> Measurement:
        """Return what is left without `share` of `part`, which was timed along with it; nothing falls below 1 ns."""
        taken_ms = share * part.latency_ms
        first, second = (
            max(own - share * other, LEAST_MS) for own, other in zip(self.halves_ms, part.halves_ms, strict=True)
        )
        return Measurement(
            max(self.latency_ms - taken_ms, LEAST_MS),
            self.samples,
            max(self.minimum_ms - taken_ms, LEAST_MS),
            max(self.quartile_ms - taken_ms, LEAST_MS),
            max(self.median_ms - taken_ms, LEAST_MS),
            (first, second),
        )

    def scaled(self, factor: float) -> Measurement:
        """Return the same on a machine that is `factor` times as slow."""
        return Measurement(
            self.latency_ms * factor,
            self.samples,
            self.minimum_ms * factor,
            self.quartile_ms * factor,
            self.median_ms * factor,
            (self.halves_ms[0] * factor, self.halves_ms[1] * factor),
        )
