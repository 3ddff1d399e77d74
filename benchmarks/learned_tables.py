"""How well a latency table that is learnt from whole networks predicts others, on 20 device settings and two spaces.

    python benchmarks/learned_tables.py [--write]

Needs the data folder `../shared/data` beside the checkout (HELP's latencies; raspi4 and pixel3 are HW-NAS-Bench's). On
FBNet's space, from 5,000 networks, the tables of raspi4 and pixel3 must be the true ones to 1e-6 ms: their latencies
were summed from tables. All others are measured; their error is that of five-fold cross-validation. On NAS-Bench-201,
from all 15,625 cells, the tables that come with the project must be what the data gives; --write writes them.
Ends with 1 where either does not hold.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardware_models.additive_terms import pairs_of
from hardware_models.documents import load_model
from hardware_models.learned_table import LearnedTable
from hardware_models.learning import learn
from hardware_models.shipped_devices import FOLDER as SHIPPED
from hardware_models.space_identity import identity_of
from hardware_models.table_origin import Origin
from spaces.fbnet import fbnet
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import nasbench201

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SUMMED = ("raspi4", "pixel3")
LARGEST_MS = 1e-6
SOURCE = "HELP (Lee et al., NeurIPS 2021), github.com/HayeonLee/HELP at 45f70eb, MIT licence"
SUMMED_SOURCE = f"HW-NAS-Bench (Li et al., ICLR 2021), by way of {SOURCE}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the tables that come with the project")
    write = parser.parse_args().write
    if not FOLDER.exists():
        print(f"the data folder {FOLDER} is not on this machine")
        return 1
    began = time.process_time()
    recovered = fbnet_tables()
    kept = nasbench_tables(write=write)
    print(f"{time.process_time() - began:.0f} s of CPU")
    print(f"true tables {'recovered' if recovered else 'NOT recovered'}; shipped tables {'hold' if kept else 'DIFFER'}")
    return 0 if recovered and kept else 1


def fbnet_tables() -> bool:
    """Learn FBNet's tables; return whether the ones that are known are found."""
    names, genotypes, latencies = networks("hw_latency_fbnet", "arch")
    truth = json.loads(gzip.decompress((FOLDER / "hw_latency_fbnet/fbnet_additive_lut.json.gz").read_bytes()))
    space = identity_of(GenotypeSpace(fbnet("cifar")), "fbnet")
    heading(f"FBNet's space, 22 decisions of 9, {len(genotypes):,} networks")
    largest = 0.0
    for name, measured in zip(names, latencies.T, strict=True):
        table = learn(space, genotypes, measured, about(name))
        note = ""
        if name in SUMMED:
            distance = off_by(table, truth["devices"][name], truth["position_to_group"])
            largest, note = max(largest, distance), f"  off the true table by {distance:.0e} ms"
        row(name, table, note)
    return largest <= LARGEST_MS


def off_by(table: LearnedTable, truth: dict[str, object], groups: list[int]) -> float:
    """Return the largest difference from the true table, both with `skip` at zero."""
    skip = len(table.space.choices[0]) - 1
    found = table.relative_to([skip] * table.space.width)
    effects = np.abs(np.array(found.effects_ms) - np.array(truth["delta"])[groups]).max()
    return max(float(effects), abs(found.intercept_ms - float(str(truth["intercept"]))))


def nasbench_tables(*, write: bool) -> bool:
    """Learn NAS-Bench-201's tables; return whether the shipped ones are the same."""
    names, genotypes, latencies = networks("hw_latency_nasbench201", "arch_code")
    space = identity_of(GenotypeSpace(nasbench201()), "nasbench201")
    heading(f"NAS-Bench-201, 6 decisions of 5 and all their pairs, {len(genotypes):,} networks")
    same, pairs = True, pairs_of(space, "all")
    for name, measured in zip(names, latencies.T, strict=True):
        table = learn(space, genotypes, measured, about(name), pairs)
        row(name, table, "")
        file = SHIPPED / f"nasbench201-{name}.json"
        if write:
            SHIPPED.mkdir(exist_ok=True)
            file.write_text(table.to_json() + "\n", encoding="utf-8")
        same &= file.exists() and close(load_model(file.read_text("utf-8")), table)
    return same


def close(shipped: object, found: LearnedTable) -> bool:
    """Return whether a shipped table is the one that was found, but for rounding."""
    if not isinstance(shipped, LearnedTable) or replace(shipped.origin, created_at="") != replace(
        found.origin, created_at=""
    ):
        return False
    rows = found.space.grid()
    return shipped.space == found.space and np.allclose(shipped.costs(rows), found.costs(rows), rtol=1e-6, atol=1e-9)


def about(name: str) -> Origin:
    """Return where a device's latencies come from; a GPU's name ends in the batch."""
    family, _, last = name.rpartition("_")
    batch = int(last) if family in ("1080ti", "2080ti", "titanx", "titanxp") else None
    source = SUMMED_SOURCE if name in SUMMED else SOURCE
    return Origin(name, "unknown", batch, "learned", source, "", 0, "2021-12-01T00:00:00+00:00")


def networks(folder: str, column: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the devices' names, genotypes (n, width) and latencies (n, devices)."""
    with gzip.open(FOLDER / folder / "latency_ms.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if not name.startswith("arch")]
    genotypes = np.array([[int(digit) for digit in line[column]] for line in rows])
    return names, genotypes, np.array([[float(line[name]) for name in names] for line in rows])


def heading(text: str) -> None:
    print(f"\n{text}\n{'device':16}{'mean error':>11}{'median':>9}{'RMSE (ms)':>11}{'Kendall':>9}{'Spearman':>10}")


def row(name: str, table: LearnedTable, note: str) -> None:
    check = table.validation
    assert check is not None
    print(
        f"{name:16}{check.mape:11.2%}{check.median_error:9.2%}{check.rmse_ms:11.4f}{check.kendall_tau:9.3f}"
        f"{check.spearman:10.3f}{note}"
    )


if __name__ == "__main__":
    sys.exit(main())
