"""One latency as it was measured, with its spread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """The latency of an operator or of a whole network, for one batch.

    Attributes:
      latency_ms: the estimate, corrected for the machine's drift in speed.
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
