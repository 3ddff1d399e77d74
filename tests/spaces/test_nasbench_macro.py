"""The NAS-Bench-Macro space: its codes, and the published weights and multiply-accumulates of all its networks."""

from __future__ import annotations

import csv
import gzip
from itertools import pairwise
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from shared_data import shared_data
from spaces_built import built_counts
from torch import nn

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.nasbench_macro import NasBenchMacro, from_code, nasbench_macro
from spaces.networks.chain import Chain

SPACE = GenotypeSpace(nasbench_macro())
PUBLISHED = {
    "00000000": (387_882, 7_713_280),
    "00000001": (791_594, 14_115_328),
    "00000002": (1_219_370, 20_910_592),
    "22212220": (1_985_514, 85_164_544),
}
"""Weights and multiply-accumulates."""


def counted(network: NasBenchMacro) -> tuple[int, int]:
    return counts.params(network.ops()), counts.macs(network.ops())


def test_the_size_is_the_published_one() -> None:
    assert (SPACE.size, SPACE.width) == (6561, 8)


@pytest.mark.parametrize(("code", "expected"), PUBLISHED.items())
def test_published_counts(code: str, expected: tuple[int, int]) -> None:
    assert counted(from_code(code)) == built_counts(from_code(code)) == expected


def test_published_counts_of_all_networks() -> None:
    path = shared_data("nasbench_macro/nasbench_macro_cifar10.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["arch"] for row in rows}) == 6561
    told = [(int(row["params"]), int(row["macs"])) for row in rows]
    assert [counted(from_code(row["arch"])) for row in rows] == told


def test_the_built_networks_are_what_is_counted() -> None:
    for row in SPACE.sample(20, np.random.default_rng(0)):
        network = SPACE.decode(row)
        ops = network.ops()
        assert counted(network) == built_counts(network)
        assert all(after.inputs[0] == before.output for before, after in pairwise(ops))


def test_a_genotype_is_the_published_code() -> None:
    network = from_code("20122011")
    assert network.code == "20122011"
    assert SPACE.encode(network).tolist() == [2, 0, 1, 2, 2, 0, 1, 1]


def test_a_network_runs() -> None:
    network = from_code("22212220", channels=4, resolution=9, classes=7)
    with torch.inference_mode():
        assert network.build().eval()(torch.zeros(2, 3, 9, 9)).shape == (2, 7)


def test_an_identity_projects_where_a_stage_begins() -> None:
    chain = from_code("00000000").build()
    assert isinstance(chain, Chain)
    kinds = [nn.Sequential, nn.Identity] + 2 * [nn.Sequential, nn.Identity, nn.Identity]
    assert [type(layer) for layer in chain.layers] == kinds
    ops = from_code("00000000").ops()
    assert [op.kind for op in ops] == ["conv_bn_relu", *["conv_bn"] * 3, "conv_bn_relu", "pooled_classifier"]
    assert [op.output for op in ops[1:4]] == [(64, 16, 16), (128, 8, 8), (256, 4, 4)]


def test_a_layer_can_be_narrowed() -> None:
    space = nasbench_macro()
    space.rebind({"layers[3]": pg.oneof(["identity", "mb6_k5"]), "layers[0]": "mb3_k3"})
    assert (GenotypeSpace(space).size, GenotypeSpace(space).width) == (2 * 3**6, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_code("0000000"), "a code must be 8 digits from 0 to 2, got '0000000'"),
        (lambda: from_code("00000003"), "a code must be 8 digits from 0 to 2, got '00000003'"),
        (lambda: nasbench_macro(classes=0), "channels, resolution and classes must be at least 1, got 32, 32 and 0"),
    ],
)
def test_impossible_settings_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
