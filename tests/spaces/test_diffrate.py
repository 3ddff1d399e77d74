"""The space of token counts: released schedules to the digit, what is built and counted, and genotypes of schedules."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from hardware_models import counts
from hardware_models.counts import Counts
from search.known_metrics import KnownMetrics
from spaces.diffrate import LAYOUTS, SCHEDULES, Layout, candidates, compressed, diffrate, published, uniform
from spaces.genotype import GenotypeSpace
from spaces.networks.vit import ViT
from spaces.token_compression.caformer import caformer_macs
from spaces.token_compression.compressible import Compressible
from spaces.token_compression.counts import published_macs_of
from spaces.token_compression.schedules import CAFORMER_SCHEDULES
from tests.spaces_built import built_counts

TINY = Layout(16, 3, 2, 2, side=8, channels=1, classes=4, pool="mean")


def tiny() -> nn.Module:
    return ViT(TINY)


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("DeiT-T", 1_253_830_656), ("DeiT-S", 4_599_177_216), ("DeiT-B", 17_564_418_048),
        ("MAE-ViT-L", 61_555_499_008), ("MAE-ViT-H", 167_295_861_760),
    ],
)  # fmt: skip
def test_whole_transformers_have_the_published_macs(name: str, macs: int) -> None:
    whole = [LAYOUTS[name].tokens] * LAYOUTS[name].depth
    assert published_macs_of(LAYOUTS[name], whole, whole) == macs


def test_released_schedules_have_the_published_macs() -> None:
    labels = {name: float(name.rpartition("-")[2]) for name in SCHEDULES}
    found = {name: round(published(name).published_macs / 1e9, 3) for name in SCHEDULES}
    assert found == {
        "DeiT-T-0.6": 0.655, "DeiT-T-0.8": 0.809, "DeiT-T-1.0": 1.004,
        "DeiT-S-2.3": 2.327, "DeiT-S-2.5": 2.505, "DeiT-S-2.7": 2.709, "DeiT-S-2.9": 2.905, "DeiT-S-3.1": 3.108,
        "DeiT-B-8.7": 8.731, "DeiT-B-10.4": 10.434, "DeiT-B-12.5": 12.523,
        "MAE-ViT-B-8.7": 8.711, "MAE-ViT-B-10.4": 10.419,
        "MAE-ViT-L-31.0": 31.005, "MAE-ViT-L-38.5": 38.481, "MAE-ViT-L-46.1": 46.083,
        "MAE-ViT-H-83.7": 83.647, "MAE-ViT-H-103.4": 103.337,
    }  # fmt: skip
    assert [name for name in SCHEDULES if abs(found[name] - labels[name]) > 0.1] == []
    assert [name for name in SCHEDULES if abs(found[name] / labels[name] - 1) > 0.02] == ["DeiT-T-0.6"]


def test_released_schedules_of_caformer_have_the_published_macs() -> None:
    assert [caformer_macs(kept) for kept in CAFORMER_SCHEDULES.values()] == [5_215_003_136, 5_994_935_936]
    assert caformer_macs([196] * 18 + [49] * 3) == 7_972_596_736


def test_caformer_merges_in_16_blocks_alone() -> None:
    with pytest.raises(ValueError, match="blocks that compress nothing must keep 49 tokens"):
        caformer_macs([196] * 18 + [49, 48, 49])


@pytest.mark.parametrize("name", ["DeiT-S-2.9", "MAE-ViT-B-8.7"])
def test_what_is_built_is_what_is_counted(name: str) -> None:
    candidate = published(name)
    assert built_counts(candidate) == (counts.params(candidate.ops()), counts.macs(candidate.ops()))


def test_random_candidates_are_counted_as_they_are_built() -> None:
    space = GenotypeSpace(diffrate("digits"))
    for row in space.sample(3, np.random.default_rng(0)):
        candidate = space.decode(row)
        assert built_counts(candidate) == (counts.params(candidate.ops()), counts.macs(candidate.ops()))


def test_each_block_but_the_first_has_two_counts() -> None:
    space = GenotypeSpace(diffrate("DeiT-S"))
    assert space.size == 49 ** (2 * 11)
    assert (space.columns[0].name, space.columns[-1].name) == ("prune_kept[1]", "merge_kept[11]")
    assert (space.columns[0].choices[0], space.columns[0].choices[-1]) == ("197", "5")
    assert (len(candidates(256)), candidates(8), candidates(3, 1)) == (64, (8, 4), (3, 2, 1))


def test_a_count_above_what_there_is_changes_nothing() -> None:
    whole = Compressible(TINY)
    made = compressed(whole, [17, 9, 15], [17, 12, 8])
    assert made.tokens == (17, 9, 8)
    assert made.ops() == compressed(whole, [17, 9, 9], [17, 9, 8]).ops()


def test_a_schedule_has_a_genotype() -> None:
    space = GenotypeSpace(diffrate(TINY, gap=1))
    assert space.encode(compressed(Compressible(TINY), [17, 17, 5], [17, 16, 2])).tolist() == [0, 12, 1, 15]


@pytest.mark.parametrize("by", ["merge", "prune"])
def test_a_uniform_schedule_removes_as_many_tokens_everywhere(by: Any) -> None:
    made = uniform(Compressible("DeiT-S"), 0.7, by)
    steps = np.diff(made.tokens)
    assert 0.69 < made.published_macs / 4_599_177_216 <= 0.7
    assert set(steps.tolist()) == {-11, -12}
    assert (set(made.prune_kept) == {197}) == (by == "merge")


def test_a_model_of_ones_own_has_the_space_of_its_layout() -> None:
    own, named = diffrate(tiny), diffrate(TINY)
    assert own.vit.layout == TINY
    assert GenotypeSpace(own).fingerprint == GenotypeSpace(diffrate(tiny)).fingerprint
    assert GenotypeSpace(own).fingerprint != GenotypeSpace(named).fingerprint


def test_weights_are_those_that_are_given() -> None:
    torch.manual_seed(0)
    weights, images = tiny().state_dict(), torch.randn(2, 1, 8, 8)
    whole = tiny().eval()
    whole.load_state_dict(weights)
    candidate = compressed(Compressible(tiny), [17] * 3, [17] * 3)
    assert torch.equal(candidate.build(weights).eval()(images), whole(images))


def test_known_metrics_are_those_of_the_operators() -> None:
    space = GenotypeSpace(diffrate(TINY))
    rows = space.sample(50, np.random.default_rng(0))
    ops = [space.decode(row).ops() for row in rows]
    expected = [[counts.macs(each), counts.params(each)] for each in ops]
    assert KnownMetrics(space, [Counts(("macs", "params"))])(rows).tolist() == expected


def test_a_space_goes_to_another_process_and_is_written_as_plain_data() -> None:
    space = GenotypeSpace(diffrate(TINY))
    other = pickle.loads(pickle.dumps(space))
    assert other.fingerprint == space.fingerprint
    written = pg.to_json(space.decode(space.enumerate(3, 1)[0]))
    assert (written["vit"]["make"], written["vit"]["layout"]["width"]) == ("ViT", 16)
    assert "OpaqueObject" not in str(written)


def test_the_blocks_can_be_held() -> None:
    space = GenotypeSpace(diffrate(TINY).rebind({"prune_kept[1]": 17}))
    assert space.size == 4**3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: diffrate("DeiT-S", gap=0), "gap must be at least 1, got 0"),
        (lambda: diffrate("DeiT-X"), "no published network is called 'DeiT-X'; there are DeiT-T, DeiT-S"),
        (lambda: diffrate(lambda: nn.Linear(2, 2)), "Linear is no vision transformer of a known layout"),
        (lambda: diffrate(Layout(16, 1, 2, 2, side=8)), "at least 2 blocks, got 1"),
        (lambda: Layout(16, 2, 2, 3, side=8), "the patch must divide the side"),
        (lambda: compressed(Compressible(TINY), [17, 17], [17, 17]), "expected 3 counts of each, got 2 and 2"),
        (lambda: compressed(Compressible(TINY), [17, 9, 1], [17] * 3), "a block keeps the class token and another one"),
        (lambda: uniform(Compressible(TINY), 0.1), "share must be at most 1 and within reach"),
        (lambda: published("DeiT-S-9.9"), "there are DeiT-T-0.6"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_makes_no_module_is_refused() -> None:
    with pytest.raises(TypeError, match="returned a int; expected a function that makes a torch module"):
        diffrate(lambda: 3)  # type: ignore[arg-type, return-value]
