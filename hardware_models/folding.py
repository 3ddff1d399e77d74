"""What inference engines do to a network first: norms folded into convolutions, identities left out, tables read.

Folding is of Jacob et al., 2018, section 3.2. A call of an identity takes PyTorch one to two microseconds, and networks
of a search space hold many: skip connections, and operators that were not chosen.
"""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from hardware_models.torch_tokens import RelativePositions
from hardware_models.tracing import trace


def fold(module: nn.Module) -> nn.Module:
    """Return a copy of `module` in evaluation mode that computes the same by fewer calls.

    Biases of relative positions are laid out, as they hang on no input. A module that `torch.fx` can trace loses each
    norm that alone follows a convolution, and what does nothing. In one that it cannot trace, only the norms right
    after a convolution in an `nn.Sequential` go. One of PyTorch's own layers is copied as it is.
    """
    plain = copy.deepcopy(module).eval()
    for part in plain.modules():
        if isinstance(part, RelativePositions):
            part.settle()
    if fx.Tracer().is_leaf_module(plain, ""):
        return plain
    try:
        traced = trace(plain)
    except Exception:  # tracing runs the network's own forward, which may fail in any way
        return _fold_neighbours(plain)
    return _fold_traced(traced)


def _fold_traced(traced: fx.GraphModule) -> fx.GraphModule:
    """Fold in place; a convolution that is called twice keeps its norms."""
    called = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    for node in list(traced.graph.nodes):
        pair = _convolution_and_norm(traced, node)
        if pair is not None and called.count(node.args[0].target) == 1:
            traced.set_submodule(node.args[0].target, fuse_conv_bn_eval(*pair))
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
        elif node.op == "call_module" and isinstance(traced.get_submodule(node.target), nn.Identity | nn.Dropout):
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _convolution_and_norm(traced: fx.GraphModule, node: fx.Node) -> tuple[nn.Conv2d, nn.BatchNorm2d] | None:
    """Return the two modules where `node` normalises what a convolution hands to it alone."""
    source = node.args[0] if node.op == "call_module" and node.args else None
    if not isinstance(source, fx.Node) or source.op != "call_module" or len(source.users) > 1:
        return None
    conv, norm = traced.get_submodule(str(source.target)), traced.get_submodule(str(node.target))
    return (conv, norm) if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) else None


def _fold_neighbours(module: nn.Module) -> nn.Module:
    for part in module.modules():
        if isinstance(part, nn.Sequential):
            for first, second in pairwise(range(len(part))):
                conv, norm = part[first], part[second]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    part[first], part[second] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return module
