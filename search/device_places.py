"""The order of all devices' names, by which a device has the same colour on every page and in every picture."""

from __future__ import annotations

import sqlalchemy as sa

from search.database import Database
from search.schema import latency_tables, studies
from search.study_tables import DEVICES, device_names


def devices_in_order(database: Database) -> list[str]:
    """Return the devices that a storage knows, those with stored models and those named by studies, as they came.

    What comes later stands behind, so that other devices keep their places; but what a relaunch adds to an older study
    stands at that study's place.
    """
    tables = sa.select(latency_tables.c.created_at, latency_tables.c.device).order_by(latency_tables.c.id)
    devices = studies.c.settings[DEVICES]  # most studies have none, and settings may be long
    named_by = sa.select(studies.c.created_at, devices).where(devices.as_string().is_not(None)).order_by(studies.c.id)
    with database.read() as connection:
        stored = [(at, (name,)) for at, name in connection.execute(tables).all()]
        named = [(at, device_names({DEVICES: said})) for at, said in connection.execute(named_by).all()]
    ordered = sorted([*stored, *named], key=lambda item: item[0])
    return list(dict.fromkeys(name for _, names in ordered for name in names))
