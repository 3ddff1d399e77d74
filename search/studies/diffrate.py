"""How few tokens does a vision transformer need to read digits? Their numbers are learned, then searched around.

A small transformer is trained once; DiffRate (Chen et al., ICCV 2023) then learns by gradient how many tokens each
block prunes and merges at the wanted share of its multiply-accumulates. That schedule is the first trial, the others
lie around it; none trains anything. Some two minutes on two CPUs.
"""

from functools import partial

from evaluators.datasets import Mnist
from evaluators.diffrate import DiffRate
from evaluators.frozen import Frozen
from evaluators.train import Train
from search.algorithms.distribution import Distribution
from spaces.diffrate import Layout, diffrate
from spaces.networks.vit import ViT

data = ""  # MNIST's folder, 28x28, in place of scikit-learn's digits of 8x8: docs/data.md
keep = 0.5  # the share of the whole transformer's multiply-accumulates
epochs = 40  # of the whole transformer
learning_epochs = 12  # of the token counts; the paper's 3 are of 1,281,167 images

_images = Mnist(data, limit=10_000) if data else "digits"
_side, _patch, _drop = (28, 4, 0.5) if data else (8, 2, 0.0)  # of 16 patches none can be spared in training
_batch, _lr, _unit = (512, 0.1, 4e6) if data else (64, 0.03, 5e5)  # transformers of 9.8e6 and 2.6e6
layout = Layout(width=48, depth=6, heads=3, patch=_patch, side=_side, channels=1, classes=10)

space = diffrate(partial(ViT, layout, patch_drop=_drop), gap=1)  # 16 or 49 patches: every number of them
preparations = [
    DiffRate(
        dataset=_images, keep=keep, epochs=learning_epochs, batch=_batch, lr=_lr, gap=1, unit_macs=_unit,
        train=Train(_images, epochs=epochs, optimizer="adamw", lr=3e-3, weight_decay=0.05),
    )
]  # fmt: skip
evaluator = Frozen(_images, test=True, keep=True)
objectives = {"accuracy": "maximize", "macs": "minimize"}
report = ["test_accuracy", "params"]

algorithm = Distribution()  # the learned schedule first
max_trials = 24
launcher = "serial"  # a trial takes less than a second
