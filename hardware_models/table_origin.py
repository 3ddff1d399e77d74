"""Where a model of genotypes comes from: the device, and the networks that were measured on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The provenance of a learned or listed table.

    Attributes:
      device: the device's short name.
      engine: what ran the networks; `unknown` where nobody said.
      batch: the images in each call; None where nobody said.
      method: `learned` (fitted to measured networks), `listed` (every network measured) or `onboarded` (a few measured
        networks and what is known of other devices).
      source: the file or set that the measurements are from, for people.
      sha256: the hexadecimal digest of that file; empty where there was none.
      networks: how many were measured.
      created_at: when it was measured, as far as is known, or published; ISO 8601 with the offset from UTC.
    """

    device: str
    engine: str
    batch: int | None
    method: str
    source: str
    sha256: str
    networks: int
    created_at: str


METHODS = ("learned", "listed", "onboarded")
