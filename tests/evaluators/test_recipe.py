"""A supernet's recipe on numbers worked out by hand: gradients, averages, teachers, mixed labels, what decays."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from small_nested import Seeing, small_nested
from torch import Tensor, nn

from evaluators._preparation import Job
from evaluators.datasets import Part
from evaluators.mixing import Mix
from evaluators.nested.gradient_clipping import clip_gradients
from evaluators.nested.recipe import InUse, Recipe
from evaluators.nested.scoring import Fitted
from evaluators.nested.shared_gradients import divide
from evaluators.nested.teachers import ExportedNetwork, Teachers, TrainedNetwork, check_teachers
from evaluators.nested.weight_average import WeightAverage
from evaluators.nested.weights import NestedWeights
from evaluators.nested_supernet import NestedSupernet, shared_weights
from evaluators.optimization import Optimization
from search.study_file import load_study_file
from spaces.elasticvit import largest


def parameter(values: list[float] | list[list[float]], gradient: list[float] | list[list[float]]) -> nn.Parameter:
    made = nn.Parameter(torch.tensor(values))
    made.grad = torch.tensor(gradient)
    return made


def gradients(made: nn.Parameter) -> list[float] | list[list[float]]:
    assert made.grad is not None
    return [[round(each, 6) for each in row] if isinstance(row, list) else round(row, 6) for row in made.grad.tolist()]


def test_a_row_of_gradients_is_clipped_to_a_share_of_the_rows_weights() -> None:
    made = parameter([[3.0, 4.0], [0.0, 0.0]], [[0.6, 0.8], [0.3, 0.4]])  # lengths 5 and 0; of gradients 1 and 0.5
    clip_gradients([made], 0.1)
    assert gradients(made) == [[0.3, 0.4], [0.00006, 0.00008]]  # 0.5 and 0.1 x 1e-3


def test_a_vector_is_clipped_as_a_whole_and_a_short_gradient_stays() -> None:
    long, short = parameter([3.0, 4.0], [6.0, 8.0]), parameter([3.0, 4.0], [0.3, 0.4])
    clip_gradients([long, short, nn.Parameter(torch.ones(2))], 0.1)
    assert (gradients(long), gradients(short)) == ([0.3, 0.4], [0.3, 0.4])


@pytest.mark.parametrize(
    ("shared", "expected"), [("sum", [6.0, 6.0, 6.0]), ("root", [4.0, 6.0, 6.0]), ("mean", [2.666667, 6.0, 6.0])]
)
def test_a_gradient_is_divided_by_the_scales_of_those_that_use_it(shared: str, expected: list[float]) -> None:
    weights, small = NestedWeights(nn.Linear(2, 1, bias=False)), nn.Linear(1, 1, bias=False)
    both = nn.Linear(2, 1, bias=False)
    weights.largest.weight.grad = torch.tensor([[6.0, 6.0]])  # type: ignore[union-attr]
    divide(weights, [(both, 1.0), (small, 1.25)], shared)
    assert gradients(weights.largest.weight)[0] == expected[:2]  # type: ignore[arg-type]


def averaged(decay: float, *values: float) -> WeightAverage:
    weights = NestedWeights(nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        weights.largest.weight.fill_(1.0)  # type: ignore[union-attr, operator]
        average = WeightAverage(weights, decay)
        for value in values:
            weights.largest.weight.fill_(value)  # type: ignore[union-attr, operator]
            average.move(weights)
    return average


def test_an_average_after_three_steps() -> None:
    first = 0.1 * 1 + 0.9 * 2
    second = 2 / 11 * first + 9 / 11 * 3
    assert next(averaged(0.99985, 2, 3, 4).weights.parameters()).item() == pytest.approx(0.25 * second + 0.75 * 4)
    assert next(averaged(0.05, 2, 3, 4).weights.parameters()).item() == pytest.approx(3.947375)  # .05 at every step


def test_an_average_goes_on_from_its_state() -> None:
    average = averaged(0.5, 2.0)
    other = averaged(0.5)
    other.load(average.state())
    assert (other.steps, next(other.weights.parameters()).item()) == (1, next(average.weights.parameters()).item())


class Fixed(nn.Module):
    """Gives the same logits for every image."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images: Tensor) -> Tensor:
        return self.logits.expand(len(images), -1)


def test_teachers_probabilities_are_the_mean_of_sharpened_ones() -> None:
    both = Teachers([Fitted(Fixed(0.0, 0.2), None), Fitted(Fixed(0.4, 0.0), None)], 0.2)
    first, second = 1 / (1 + np.e), np.e**2 / (1 + np.e**2)
    assert both(torch.zeros(1, 1, 2, 2))[0, 0].item() == pytest.approx((first + second) / 2)


def in_use(recipe: Recipe) -> InUse:
    return InUse(recipe, NestedWeights(nn.Linear(1, 1)), small_nested(), "cpu")


def test_teachers_stand_in_for_labels_as_far_as_the_recipe_says() -> None:
    logits, labels, taught = torch.zeros(1, 2), torch.tensor([0]), torch.tensor([[0.5, 0.5]])
    logits[0, 1] = 1.0
    soft, hard = np.log(1 + np.e) - 0.5, np.log(1 + np.e)
    for share, expected in ((0.0, soft), (0.5, (soft + hard) / 2)):
        assert in_use(Recipe(labels=share)).loss(logits, labels, taught, 0.0).item() == pytest.approx(expected)
    assert in_use(Recipe()).loss(logits, labels, None, 0.0).item() == pytest.approx(hard)


def test_mixup_mixes_with_the_batch_in_reverse() -> None:
    share = np.random.default_rng(1).beta(0.5, 0.5)
    inputs, labels = torch.tensor([0.0, 1.0, 2.0]).view(3, 1, 1, 1), torch.tensor([0, 1, 2])
    mixed, shares = Mix(0.5)(inputs, labels, 4, np.random.default_rng(1))
    assert mixed.flatten().tolist() == pytest.approx([2 * (1 - share), 1.0, 2 * share])
    assert shares[0].tolist() == pytest.approx([share, 0, 1 - share, 0])
    assert shares[1].tolist() == pytest.approx([0, 1, 0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_cutmix_gives_labels_the_share_of_their_pixels(seed: int) -> None:
    inputs = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    mixed, shares = Mix(0, 1.0)(inputs, torch.tensor([0, 1]), 2, np.random.default_rng(seed))
    assert shares[0, 1].item() == pytest.approx(mixed[0].mean().item())
    assert torch.equal(mixed[0], 1 - mixed[1])
    assert set(mixed.unique().tolist()) <= {0.0, 1.0}


def test_changes_of_images_hang_on_the_step_alone() -> None:
    recipe = in_use(Recipe(augment=(torch.bernoulli,), mix=Mix(0.5)))
    batch = Part(torch.full((4, 1, 6, 6), 0.5), torch.tensor([0, 1, 2, 3]))
    first, again, other = (recipe.changed(batch, 10, 0, 1, step) for step in (2, 2, 3))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)


def test_what_does_not_decay_are_the_convolutions_of_blocks_and_the_first() -> None:
    spared = load_study_file("elasticvit", {"recipe": "paper"}).preparations[0].recipe.spared
    network = largest("small").build()
    kinds = {
        name
        for module_name, module in network.named_modules()
        if type(module).__name__ == "MobileBlock" or module_name == "stem"
        for name in (f"{module_name}.{each}" for each, _ in module.named_parameters())
    }
    weights = NestedWeights(network)
    made = Optimization("adamw", 1e-3, 0.9, 0.05, "cosine", 0.1, (), 0.1).make_optimizer(weights, spared=spared)
    decaying = {id(each) for each in made.param_groups[0]["params"]}
    expected = {name for name, each in network.named_parameters() if each.ndim > 1 and name not in kinds}
    assert {name for name, each in network.named_parameters() if id(each) in decaying} == expected
    assert len(kinds) == 96


def kept(folder: Path, network: nn.Module) -> str:
    torch.save(network.state_dict(), folder / "weights.pt")
    return str(folder / "weights.pt")


def seeing() -> nn.Module:
    return Seeing(64, 4)


def seven() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 7))


def test_a_teacher_has_the_weights_of_its_file(tmp_path: Path) -> None:
    network = seeing()
    read = TrainedNetwork(seeing, kept(tmp_path, network)).read(small_nested())
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(read.eval()(images), network.eval()(images))


def test_an_exported_network_teaches_its_own_space_alone(tmp_path: Path) -> None:
    space = small_nested()
    network = space.decode(np.array([1, 0])).build()
    torch.save(network.state_dict(), tmp_path / "state_dict.pt")
    for fingerprint in (space.fingerprint, "another"):
        document = {"genotype": [1, 0], "space_fingerprint": fingerprint}
        (tmp_path / "candidate.json").write_text(json.dumps(document))
        if fingerprint == "another":
            with pytest.raises(ValueError, match="is of another space than the supernet"):
                ExportedNetwork(str(tmp_path)).read(space)
        else:
            images = torch.rand(3, 1, 8, 8)
            read = ExportedNetwork(str(tmp_path)).read(space)
            assert torch.equal(read.eval()(images), network.eval()(images))


def test_teachers_that_are_no_use_are_refused(tmp_path: Path) -> None:
    check = partial(check_teachers, dataset="digits", space=small_nested(), classes=10)
    with pytest.raises(FileNotFoundError, match=r"gone\.pt"):
        check([TrainedNetwork(seeing, "gone.pt")])
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(ValueError, match=r"text\.pt' holds no weights of the teacher's network"):
        check([TrainedNetwork(seeing, str(tmp_path / "text.pt"))])
    with pytest.raises(ValueError, match=r"TrainedNetwork\(seven, .* tells 7 classes apart, and .* networks 10"):
        check([TrainedNetwork(seven, kept(tmp_path, seven()))])


def test_a_taught_supernet_does_not_see_the_labels(tmp_path: Path) -> None:
    """A teacher that takes every image for a 3 makes a supernet that does so too."""

    network = seeing()
    with torch.no_grad():
        network.classify.weight.zero_()  # type: ignore[union-attr, operator]
        network.classify.bias.copy_(torch.eye(10)[3] * 5)  # type: ignore[union-attr, operator]
    recipe = Recipe(teachers=(TrainedNetwork(seeing, kept(tmp_path, network)),))
    *_, last = NestedSupernet(epochs=3, batch=128, recipe=recipe)(Job(small_nested(), tmp_path))
    assert 5 < last.metrics["accuracy_largest"] < 15


def test_what_is_scored_is_the_average(tmp_path: Path) -> None:
    space, train = small_nested(), NestedSupernet(epochs=2, batch=128, recipe=Recipe(average=0.9))
    *_, last = train(Job(space, tmp_path))
    found = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    kept = dict(shared_weights(tmp_path, space).named_parameters())
    assert torch.equal(kept["largest.see.weight"], found["recipe"]["average"]["weights"]["largest.see.weight"])
    assert not torch.equal(kept["largest.see.weight"], found["weights"]["largest.see.weight"])
    plain = replace(train, recipe=Recipe())
    assert [step.metrics for step in plain(Job(space, tmp_path / "plain"))][-1] != last.metrics


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Recipe(average=1.0), r"average in \[0, 1\), clip at least 0; got 0\.2, 0\.0, 1\.0 and 0\.0"),
        (lambda: Recipe(spared="("), r"spared must be a regular expression, got '\('"),
        (lambda: Recipe(shared="max"), "shared must be sum, root, mean, got 'max'"),
        (lambda: NestedSupernet(transforms=True, recipe=Recipe(shared="mean")), "gradients are summed up; got"),
        (lambda: Mix(0.0), r"mixup and cutmix must be at least 0, one of them above, .*; got 0\.0, 0\.0 and 0\.5"),
    ],
)
def test_impossible_settings_are_refused(made: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made()  # type: ignore[operator]


def test_a_folder_without_an_exported_network_is_told_what_belongs_there(tmp_path: Path) -> None:
    wrong = f"no network that `python -m search export` wrote in {tmp_path}: expected candidate.json there"
    with pytest.raises(FileNotFoundError, match=re.escape(wrong)):
        ExportedNetwork(str(tmp_path)).read(small_nested())
