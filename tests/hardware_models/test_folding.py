"""Batch norms folded into convolutions, identities left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hardware_models.attention import attention
from hardware_models.folding import fold
from hardware_models.torch_ops import build


def trained(module: nn.Module) -> nn.Module:
    """Give the norms statistics and weights that are not the initial ones."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.running_mean, part.running_var, part.weight.data, part.bias.data):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return module.eval()


def norms(module: nn.Module) -> int:
    """Return the norms that are left."""
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


class Branches(nn.Module):
    """A norm that alone follows its convolution, and one whose convolution is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.first_norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.second, self.second_norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

    def forward(self, images: Tensor) -> Tensor:
        """Return a sum of normalised and plain features."""
        features = self.second(self.first_norm(self.first(images)))
        return features + self.second_norm(features)


class Branching(nn.Module):
    """Its way depends on its input: it cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        """Return features, doubled for bright images."""
        features: Tensor = self.body(images)
        return features * 2 if images.mean() > 0 else features


def largest_difference(module: nn.Module) -> float:
    """Return the largest absolute difference that folding makes to an output."""
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return (module(images) - fold(module)(images)).abs().max().item()


def test_a_norm_that_alone_follows_a_convolution_is_folded():
    assert norms(fold(trained(Branches()))) == 1


def test_folding_changes_no_output():
    assert largest_difference(trained(Branches())) < 1e-5


def test_a_network_that_cannot_be_traced_is_folded_within_its_sequences():
    module = trained(Branching())
    assert norms(fold(module)) == 0
    assert largest_difference(module) < 1e-5


def test_a_norm_before_its_convolution_stays():
    assert norms(fold(trained(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1))))) == 1


def test_a_convolution_that_is_called_twice_keeps_its_norms():
    conv = nn.Conv2d(3, 3, 1)
    module = trained(nn.Sequential(conv, nn.BatchNorm2d(3), conv, nn.BatchNorm2d(3)))
    assert largest_difference(module) < 1e-5


def test_the_module_itself_is_left_alone():
    module = trained(Branches()).train()
    fold(module)
    assert module.training
    assert norms(module) == 2


def test_what_does_nothing_is_left_out():
    kept = fold(nn.Sequential(nn.Identity(), nn.ReLU(), nn.Dropout()))
    assert [type(part) for part in kept.children()] == [nn.ReLU]


def test_a_single_layer_is_copied_as_it_is():
    layer = nn.ReLU()
    assert type(fold(layer)) is nn.ReLU
    assert fold(layer) is not layer


def test_a_bias_of_positions_is_laid_out_once():
    attend = build(attention((4, 2), 1, bias=True))
    assert [weights.shape for weights in attend.parameters()] == [(1, 3, 3)]
    folded = fold(attend)
    assert not list(folded.parameters())
    assert [tuple(values.shape) for values in folded.buffers()] == [(1, 4, 4)]
