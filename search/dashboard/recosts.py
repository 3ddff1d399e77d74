"""The same trials on further devices: nothing is evaluated, nothing is written."""

from __future__ import annotations

import numpy as np

from hardware_models.latency_table import LatencyTable
from search.dashboard.device_models import Device
from search.dashboard.refusal import Refusal, bad_request
from search.dashboard.store import Opened, Store


def recostable(store: Store, study: Opened) -> list[str]:
    """Return the devices that any trial of a study can be costed on.

    Those with a model of the study's space; with a table of operators, where the study's program is at hand.
    """
    program = not store.programs.why_not(study.view)
    found = [
        device.name
        for device in store.devices.all()
        if (program if isinstance(device.model, LatencyTable) else _of_space(device, study))
    ]
    return list(dict.fromkeys(found))


def costs(store: Store, study: Opened, device: str) -> np.ndarray:
    """Return every trial's latency on a device, by its newest model, (n,). Raises Refusal."""

    def compute() -> np.ndarray:
        model, genotypes = store.devices.find(device).model, study.columns.genotypes(study.sequence)
        if model is None:
            raise bad_request(f"the model of {device[:80]!r} is damaged")
        try:
            if isinstance(model, LatencyTable):
                return store.programs.costs(study.view, model, genotypes)
            if model.space.fingerprint != study.view.fingerprint:
                raise ValueError(f"its model is of the space {model.space.name}")
            found: np.ndarray = model.costs(genotypes)[:, 0]
        except (ValueError, LookupError) as error:
            raise bad_request(f"the trials cannot be costed on {device[:80]!r}: {error}") from error
        return found

    return study.columns.known.get(("costs", device), (study.sequence, store.devices.stamp()), compute)


def operator_tables(store: Store) -> dict[str, LatencyTable]:
    """Return the newest table of operators of each device that has one, by name."""
    found: dict[str, LatencyTable] = {}
    for device in store.devices.all():
        if isinstance(device.model, LatencyTable):
            found.setdefault(device.name, device.model)
    return found


def table_of(store: Store, digest: str) -> LatencyTable | None:
    """Return the table of operators with a digest; None where there is none."""
    try:
        model = store.devices.find(digest).model
    except Refusal:
        return None
    return model if isinstance(model, LatencyTable) else None


def _of_space(device: Device, study: Opened) -> bool:
    return device.model is not None and getattr(device.model, "space").fingerprint == study.view.fingerprint  # noqa: B009
