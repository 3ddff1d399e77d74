"""NAS-Bench-201: its size, codes, live edges and published counts, and that what is built is what is counted."""

from __future__ import annotations

import gzip
from itertools import product

import numpy as np
import pytest
import torch
from shared_data import shared_data
from torch.utils.flop_counter import FlopCounterMode

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import OPERATIONS, NasBench201, live_edges, nasbench201

LARGEST, FIRST, DEAD, CUT = "333333", "421211", "311210", "100000"


def cell(code: str, **settings: int) -> NasBench201:
    return NasBench201(*(OPERATIONS[int(digit)] for digit in code), **settings)


def published() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the codes (n, 6) of all cells, and their published weights and multiply-accumulates."""
    with gzip.open(shared_data("nasbench201/nasbench201.csv.gz"), "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=str)
    header = rows[0].tolist()
    codes = np.array([list(code) for code in rows[1:, header.index("arch_code")]], np.intp)
    params, macs = (rows[1:, header.index(name)].astype(float) * 1e6 for name in ("c10_params_m", "c10_macs_m"))
    return codes, params.round(), macs.round()


def counted(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and multiply-accumulates of cells (n, 6): an empty cell's, and what each edge adds to them."""
    empty = cell("000000")
    added = np.zeros((6, 5, 2), np.int64)
    for edge, operation in product(range(6), range(5)):
        network = cell("0" * edge + str(operation) + "0" * (5 - edge))
        added[edge, operation] = network.params - empty.params, network.macs - empty.macs
    params, macs = added[np.arange(6), codes].sum(axis=1).T
    return empty.params + params, empty.macs + macs


def test_a_genotype_is_the_published_code() -> None:
    space = GenotypeSpace(nasbench201())
    assert (space.size, space.width) == (15_625, 6)
    assert [column.name for column in space.columns] == [
        "edge_01",
        "edge_02",
        "edge_12",
        "edge_03",
        "edge_13",
        "edge_23",
    ]
    assert space.decode(np.array([4, 2, 1, 2, 1, 1], space.dtype)).code == FIRST


def test_published_counts_of_the_first_and_the_largest() -> None:
    assert (cell(FIRST).params, cell(FIRST).macs) == (129_306, 15_647_370)
    assert (cell(LARGEST).params, cell(LARGEST).macs) == (1_531_546, 220_119_690)
    assert (cell(FIRST, classes=100).params, cell(FIRST, classes=100).macs) == (135_156, 15_653_220)


def test_macs_of_all_cells_are_the_published_ones() -> None:
    codes, _, macs = published()
    assert len(codes) == 15_625
    assert (counted(codes)[1] == macs).all()


def test_params_of_all_cells_are_the_published_ones_where_those_fit_their_own_macs() -> None:
    """In 150 rows the published weights are those of an equivalent cell with other dead edges; the MACs are right."""
    codes, params, macs = published()
    convolutions = np.divmod((macs - macs.min()) / 3_932_160, 9)  # a 3x3 costs nine 1x1s, of which a cell has at most 6
    of_these_macs = 73_306 + 243_040 * convolutions[0] + 28_000 * convolutions[1]
    assert (params != of_these_macs).sum() == 150
    assert (counted(codes)[0] == of_these_macs).all()


def test_edges_add_up() -> None:
    codes = np.random.default_rng(0).integers(0, 5, (50, 6))
    cells = [cell("".join(map(str, code))) for code in codes]
    assert [network.params for network in cells] == counted(codes)[0].tolist()
    assert [network.macs for network in cells] == counted(codes)[1].tolist()


@pytest.mark.parametrize("code", [FIRST, LARGEST, DEAD, CUT, "000000", "034212", "240130"])
def test_the_built_network_is_what_is_counted(code: str) -> None:
    candidate = cell(code)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = candidate.build().eval()
        assert network(torch.empty(2, *candidate.input_shape)).shape == (2, 10)
    assert counter.get_total_flops() == 2 * 2 * counts.macs(candidate.ops())
    assert sum(weights.numel() for weights in network.parameters()) == candidate.params


@pytest.mark.parametrize(
    ("code", "live"),
    [(LARGEST, (0, 1, 2, 3, 4, 5)), (DEAD, (0, 3, 4)), (CUT, ()), ("000100", (3,)), ("101001", (0, 2, 5))],
)
def test_live_edges_lie_on_a_path_from_input_to_output(code: str, live: tuple[int, ...]) -> None:
    assert live_edges(cell(code).edges) == live


def test_operators_are_those_of_live_edges_and_their_sums() -> None:
    kinds = [op.kind for op in cell("311210", cells=1).ops()]  # node 3 sums a 1x1 convolution and node 1
    assert kinds[:4] == ["conv_bn", "relu_conv_bn", "relu_conv_bn", "add"]
    assert kinds.count("add") == 3 + 2
    assert len(cell("311210", cells=1).ops(live_only=False)) == len(kinds) + 3  # the sum in node 2, which nobody reads


def test_a_dead_edge_changes_no_output() -> None:
    network = cell(DEAD).build().eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before = network(images)
    for name, weights in network.named_parameters():
        if ".edges.1." in name or ".edges.2." in name:
            weights.data.fill_(1e9)
    assert torch.equal(network(images), before)


def test_a_cut_cell_gives_zeros() -> None:
    network = cell(CUT).build().eval()
    logits = network(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(logits[0], logits[1])


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4, got 30"):
        nasbench201(resolution=30)
    with pytest.raises(ValueError, match="at least 1, got 10, 16, 0"):
        nasbench201(cells=0)
