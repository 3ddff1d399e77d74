"""The networks of a space on devices that are known, from which a new device is learnt with few measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_models._base import MissingEntry
from hardware_models.architecture import architecture_of
from hardware_models.documents import DeviceModel
from hardware_models.latency_table import LatencyTable
from hardware_models.learned_table import LearnedTable
from hardware_models.learning import learn
from hardware_models.listed_table import ListedTable, can_be_listed
from hardware_models.onboarding import LEAST_MEASURED, Knowledge, knowledge, left_out, predict, suggest
from hardware_models.smoothing import smoothed
from hardware_models.space_identity import SpaceIdentity, identity_of
from hardware_models.table_origin import Origin
from search.known_metrics import KnownMetrics

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

SAMPLED = 20_000
"""How many networks stand for a space that is too large to be listed."""


@dataclass(frozen=True, slots=True)
class DevicePool:
    """Networks and what known devices take for them.

    Attributes:
      space: what is kept of their space.
      genotypes: (n, width): all networks of the space in the order of its grid, or a sample.
      models: of the known devices, by name.
      knowledge: their latencies on these networks.
    """

    space: SpaceIdentity
    genotypes: np.ndarray
    models: Mapping[str, DeviceModel]
    knowledge: Knowledge

    def suggest(self, count: int) -> np.ndarray:
        """Return the genotypes (count, width) that tell most of a new device; see `onboarding.suggest`."""
        found: np.ndarray = self.genotypes[suggest(self.knowledge, count)]
        return found

    def onboard(self, genotypes: np.ndarray, latencies_ms: np.ndarray, origin: Origin) -> ListedTable | LearnedTable:
        """Return the model of a device on which `genotypes` (k, width) took `latencies_ms` (k,).

        It lists every network of a small space; of a large one, a table is learnt from what is predicted for the pool.
        The pool must have been made with these genotypes. Its validation leaves each measured network out once;
        from three networks there is none.

        Raises:
          ValueError: for fewer than three networks, or latencies that are not above zero.
        """
        keys = {key: index for index, key in enumerate(map(tuple, self.genotypes.tolist()))}
        measured = np.array([keys[tuple(row)] for row in self.space.rows(genotypes).tolist()], np.int64)
        predicted = predict(self.knowledge, measured, latencies_ms)
        enough = len(measured) > LEAST_MEASURED
        validation = left_out(self.knowledge, measured, latencies_ms) if enough else None
        about = replace(origin, method="onboarded", networks=len(measured))
        if can_be_listed(self.space):
            return ListedTable(self.space, about, predicted, validation)
        least = float(latencies_ms.min()) * 1e-3
        pairs = {(pair.first, pair.second) for model in self.models.values() for pair in getattr(model, "pairs", ())}
        table = learn(self.space, self.genotypes, np.maximum(predicted, least), about, tuple(sorted(pairs)))
        return replace(table, origin=about, validation=validation)


def device_pool(
    space: GenotypeSpace, name: str, models: Iterable[tuple[str, DeviceModel]], measured: np.ndarray | None = None
) -> DevicePool:
    """Return the pool of a space from the models of it, whatever else is among `models` left out.

    Tables of operators are taken where they hold every operator; onboarded models are not: they are made of the others.

    Args:
      name: the space's, for people.
      models: by device; of a device that comes twice the first that fits is taken.
      measured: (k, width) genotypes that must be in the pool.

    Raises:
      ValueError: where no model is of this space.
    """
    identity = identity_of(space, name)
    genotypes = identity.grid() if can_be_listed(identity) else _sampled(space, measured)
    known: dict[str, DeviceModel] = {}
    columns = []
    for device, model in models:
        latencies = None if device in known else _latencies(space, identity, genotypes, model)
        if latencies is not None:
            known[device] = model
            columns.append(latencies)
    if not known:
        raise ValueError(
            f"no other device is known for the space {name}: import one (python -m search devices import), or learn "
            f"this one from more networks (python -m search devices learn)"
        )
    return DevicePool(identity, genotypes, known, knowledge(np.stack(columns, axis=1), identity.counts(genotypes)))


def _sampled(space: GenotypeSpace, measured: np.ndarray | None) -> np.ndarray:
    rows = space.sample(SAMPLED, np.random.default_rng(0)).astype(np.int64)
    everything: np.ndarray = rows if measured is None else np.concatenate([measured, rows])
    kept: np.ndarray = everything[space.unique(everything)]
    return kept


def _latencies(
    space: GenotypeSpace, identity: SpaceIdentity, genotypes: np.ndarray, model: DeviceModel
) -> np.ndarray | None:
    """Return what a model says of the pool, (n,), without most of the noise of lists; None where it cannot."""
    if isinstance(model, LatencyTable):
        return _of_operators(space, genotypes, model)
    if model.space.fingerprint != space.fingerprint or model.origin.method == "onboarded":
        return None
    if isinstance(model, ListedTable):
        return smoothed(model.latencies_ms, identity.cardinalities)
    return np.asarray(model.costs(genotypes)[:, 0])


def _of_operators(space: GenotypeSpace, genotypes: np.ndarray, model: LatencyTable) -> np.ndarray | None:
    if not hasattr(architecture_of(space.decode(genotypes[0])), "ops"):
        return None
    try:
        return KnownMetrics(space, [model])(genotypes)[:, 0]
    except MissingEntry:
        return None
