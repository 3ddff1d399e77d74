"""Networks of the front measured directly on this machine, beside what the latency table predicted for them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from hardware_models.architecture import architecture_of
from search.cli.output import Column, Output
from search.cli.trial_rows import device_front, ordered_front, spread
from search.metric_names import measured, number
from search.study_devices import LATENCY
from search.study_tables import metric_of

if TYPE_CHECKING:
    import numpy as np

    from hardware_models.sampling import Progress
    from search.cli.tables import Table
    from search.study import Study
    from spaces.genotype import GenotypeSpace

CONTROLS = 4
"""Networks that are not of the front, measured with it: they tell how fast the machine is now."""

SURVEYED = 32
"""Random candidates that the controls are chosen from."""

NOTABLE = 0.03
"""How far the machine's speed may be from the table's before it is told."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One network: its trial, its latency as predicted and as measured, and the measurement's two halves, in ms."""

    trial: int
    predicted_ms: float
    measured_ms: float
    halves_ms: tuple[float, float]

    @property
    def error(self) -> float:
        """The prediction's error relative to the measurement."""
        return self.predicted_ms / self.measured_ms - 1.0

    @property
    def noise(self) -> float:
        """How far the measurement's two halves are apart, relative to their mean."""
        return abs(self.halves_ms[0] - self.halves_ms[1]) / fmean(self.halves_ms)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was measured, and the machine's slowness now: 1.1 if it takes 1.1 times as long as for the table.

    `device` is what the study calls the machine; "" where its latency is the plain one.
    """

    networks: tuple[Verified, ...] = ()
    slowness: float = 1.0
    device: str = ""

    @property
    def mean_error(self) -> float:
        """The mean absolute relative error; of predictions as they are."""
        return fmean(abs(one.error) for one in self.networks)

    @property
    def mean_error_at_speed(self) -> float:
        """The same, of predictions that are multiplied by the machine's slowness now."""
        return fmean(abs(one.predicted_ms * self.slowness / one.measured_ms - 1.0) for one in self.networks)

    @property
    def mean_noise(self) -> float:
        """The mean relative difference of the measurements' two halves."""
        return fmean(one.noise for one in self.networks)


def verify(  # noqa: PLR0917 - called by a session alone
    study: Study, space: GenotypeSpace, table: Table, name: str, count: int, progress: Progress | None = None
) -> Verification:
    """Measure `count` networks, evenly spread over the front of the table's device, and keep it with their trials.

    Other networks are measured in the same rounds: by how much they as a whole differ from the table's predictions
    is the change of the machine's speed since, which is no error of the table. `name` is the device's in the study.
    """
    import numpy as np

    from hardware_models.profiler import measure
    from search.cli.latency import network_of
    from search.coverage import stratified, survey

    metric = metric_of(name)
    front = device_front(study, name) if name else ordered_front(study)
    if not len(front) or metric not in front.metrics or not count:
        return Verification()
    chosen = front.select(np.array(spread(len(front), count)))
    controls = [decoded(space, row) for row in stratified(survey(space, SURVEYED, np.random.default_rng(0)), CONTROLS)]
    networks = [network_of(candidate) for candidate in (*(decoded(space, row) for row in chosen.genotypes), *controls)]
    measurements = measure(
        [network for network in networks if network is not None], engine=table.origin["engine"],
        threads=table.origin["threads"], batch=table.origin["batch"], progress=progress,
    )  # fmt: skip
    if len(measurements) < len(networks):
        return Verification()
    found = tuple(
        Verified(int(trial), float(predicted), one.latency_ms, one.halves_ms)
        for trial, predicted, one in zip(chosen.numbers, chosen.metrics[metric], measurements, strict=False)
    )
    for one in found:
        study.annotate(one.trial, {measured(metric): one.measured_ms})
    expected = [table.model(candidate.ops())[LATENCY] for candidate in controls]
    now = [one.latency_ms for one in measurements[len(found) :]]
    return Verification(found, median(is_ms / was_ms for is_ms, was_ms in zip(now, expected, strict=True)), name)


def decoded(space: GenotypeSpace, genotype: np.ndarray) -> Any:
    """Return a genotype's candidate: the architecture of it, where the space holds more."""
    return architecture_of(space.decode(genotype))


def print_verification(out: Output, done: Verification) -> None:
    """Print predicted beside measured latencies, and the mean error beside the measurement's own noise."""
    if not done.networks:
        return
    columns = ["trial", "predicted (ms)", "measured (ms)", "error (%)", "noise (%)"]
    rows = [
        [str(one.trial), number(one.predicted_ms), number(one.measured_ms), f"{100 * one.error:+.1f}",
         f"{100 * one.noise:.1f}"] for one in done.networks
    ]  # fmt: skip
    title = f"Measured directly on this machine{f', as {done.device}' if done.device else ''}"
    out.line()
    out.table([Column(heading, numeric=True) for heading in columns], rows, title)
    noise = f"the measurements' own split halves differ by {100 * done.mean_noise:.1f} %"
    out.line(f"mean error {100 * done.mean_error:.1f} %; {noise}")
    if abs(done.slowness - 1) > NOTABLE:
        change = f"{done.slowness:.2f} times slower" if done.slowness > 1 else f"{1 / done.slowness:.2f} times faster"
        out.line(
            f"the machine is {change} now than when the table was measured ({CONTROLS} other networks say); "
            f"at its speed now the mean error is {100 * done.mean_error_at_speed:.1f} %"
        )


def records(done: Verification) -> dict[str, Any]:
    """Return what was measured as plain values."""
    networks = [
        {"trial": one.trial, "predicted_ms": one.predicted_ms, "measured_ms": one.measured_ms,
         "error": one.error, "noise": one.noise} for one in done.networks
    ]  # fmt: skip
    if not networks:
        return {"networks": []}
    return {
        "networks": networks, "mean_error": done.mean_error, "mean_noise": done.mean_noise,
        "machine_slowness": done.slowness, "mean_error_at_speed": done.mean_error_at_speed,
    }  # fmt: skip
