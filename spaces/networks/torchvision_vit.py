"""torchvision's vision transformers (`torchvision.models.vit_b_16` and its kin) as this project's, weight for weight.

They are recognised by the names of their submodules; the package is not imported.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from spaces.networks.vit import EPSILON, ViT
from spaces.token_compression.layouts import Layout

TORCHVISION = ("conv_proj", "class_token", "encoder", "heads")

NAMES = (
    ("conv_proj.", "patch_embed.proj."),
    ("class_token", "cls_token"),
    ("encoder.pos_embedding", "pos_embed"),
    ("encoder.layers.encoder_layer_", "blocks."),
    ("encoder.ln.", "norm."),
    ("heads.head.", "head."),
    (".ln_1.", ".norm1."),
    (".ln_2.", ".norm2."),
    (".self_attention.in_proj_", ".attn.qkv."),
    (".self_attention.out_proj.", ".attn.proj."),
    (".mlp.linear_", ".mlp.fc"),
    (".mlp.0.", ".mlp.fc1."),
    (".mlp.3.", ".mlp.fc2."),
)


def as_vit(model: nn.Module) -> nn.Module:
    """Return a transformer of torchvision as a `spaces.networks.vit.ViT`, any other model itself.

    It computes the same in evaluation mode; it has no dropout. Its `load_state_dict` takes torchvision's names too.

    Raises:
      ValueError: for one with a hidden layer before its head, or norms with another epsilon.
    """
    if not all(hasattr(model, name) for name in TORCHVISION):
        return model
    whole: Any = model
    linears = [each for each in whole.heads.modules() if isinstance(each, nn.Linear)]
    epsilons = {each.eps for each in whole.modules() if isinstance(each, nn.LayerNorm)}
    if len(linears) != 1 or epsilons != {EPSILON}:
        raise ValueError(
            f"expected a transformer of torchvision with one linear layer as its head and norms with an epsilon of "
            f"{EPSILON}, got {len(linears)} layers and {sorted(epsilons)}"
        )
    made = ViT(_layout(whole, linears[0].out_features)).train(model.training)
    made.register_load_state_dict_pre_hook(_rename)  # type: ignore[no-untyped-call]
    made.load_state_dict(model.state_dict())
    return made.to(whole.class_token.device)


def _layout(model: Any, classes: int) -> Layout:
    blocks, patch = list(model.encoder.layers), model.conv_proj.kernel_size[0]
    width, hidden = model.conv_proj.out_channels, next(each for each in blocks[0].mlp if isinstance(each, nn.Linear))
    side = round((model.encoder.pos_embedding.shape[1] - 1) ** 0.5) * patch
    heads, ratio = blocks[0].self_attention.num_heads, hidden.out_features // width
    return Layout(width, len(blocks), heads, patch, side, model.conv_proj.in_channels, classes, ratio)


def _rename(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Give torchvision's weights the names that they have here."""
    del module
    for name in [name for name in state if name.startswith(prefix)]:
        renamed = name.removeprefix(prefix)
        for theirs, ours in NAMES:
            renamed = renamed.replace(theirs, ours)
        state[prefix + renamed] = state.pop(name)
