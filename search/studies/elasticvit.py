"""Four devices, one training: which small vision transformer reads digits best within each device's latency?

One supernet of all networks is trained as ElasticViT's is (Tang et al., ICCV 2023): networks of one complexity a step,
those that do well more often. Then networks are scored with the weights that they inherit, and none is trained. The
best for a device: python -m search best elasticvit --within 'latency_ms@raspberrypi4-estimated <= 0.3'; an export holds
its weights. Latencies are estimated from the devices' published peaks (docs/costs.md). Scaled down: a space of this
project's for small images, 16x16 pixels, 40 epochs, no teacher; docs/supernet_training.md. Some six CPU minutes.
--set recipe=paper adds, as far as that page says, the paper's clipping, average of weights, changes of images and
exceptions from weight decay; --set teacher=DIR a network to learn from, in place of half of the labels' loss: what an
export of this space wrote. --set search=paper searches as the released code does, for accuracy alone among networks of
--set limit_macs=2e6 multiply-accumulates or up to a fifth more; latencies are then reported.
"""

from dataclasses import replace

from evaluators.augmentation import Erase, Flip, RandAugment, ResizedCrop
from evaluators.datasets import AtPath, EnlargedDigits
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.mixing import Mix
from evaluators.nested.recipe import Recipe
from evaluators.nested.teachers import ExportedNetwork
from evaluators.nested_supernet import NestedSupernet
from evaluators.optimization import Optimization
from evaluators.samplers.performance_aware import PerformanceAware
from hardware_models.counts import macs
from hardware_models.device_sheet import device_sheet
from hardware_models.roofline import Roofline
from search.algorithms.nsga2 import NSGA2
from search.algorithms.truncation_evolution import ELASTICVIT, TruncationEvolution
from spaces.elasticvit import elasticvit, largest, smallest

data = ""  # in place of the digits: CIFAR-10, MNIST, or pictures in a folder a class, by path: docs/data.md
resolutions = (16,)  # of the digits; the released space has 128 to 256, the small one for CIFAR-10 (24, 32)

supernet_epochs = 40  # the paper's are 600, of ImageNet
supernet_batch = 64  # `batch` would be that of measured latencies, which are of one image
supernet_workers = 1  # processes that share each batch; on CUDA a GPU each
lr = 1e-3  # of AdamW; the paper's is 5e-4 for a batch of 512
recipe = "plain"  # or "paper"
teacher = ""  # the folder of an exported network; the paper's two ResNeXt-101 are no network of a space
networks = 16  # in each level's memory; the paper's 150 and 50
search = "nsga2"  # or "paper"
limit_macs = 2e6  # of the paper's search; networks have 0.95 to 8.5 million, the paper's levels are 100 to 1200 million
sheets = ("raspberrypi4", "jetson-nano", "snapdragon855-prime", "rtx2080ti")

space = elasticvit("small", resolutions=resolutions)
hardware_models = [Roofline(device_sheet(name)) for name in sheets]
_images = AtPath(data, max(resolutions)) if data else EnlargedDigits(max(resolutions) // 8)
_taught = Recipe(teachers=(ExportedNetwork(teacher),) if teacher else (), temperature=1.0, labels=0.5)
_recipes = {
    "plain": _taught,
    "paper": replace(
        _taught, clip=0.1, average=0.99985, spared=r"(stem|layers\.\d+\.(\d+|reduction))\.",  # the convolutions
        augment=(ResizedCrop(), *([Flip()] if data else []), RandAugment(), Erase(0.01)), mix=Mix(0.01, 0.01),
    ),
}  # fmt: skip
if recipe not in _recipes:
    raise ValueError(f"recipe must be {' or '.join(_recipes)}, got {recipe!r}")
_floor = 0.01 if recipe == "paper" else 0.0  # of the learning rate, at the end
preparations = [
    NestedSupernet(
        sampler=PerformanceAware(capacity=networks), dataset=_images, epochs=supernet_epochs, batch=supernet_batch,
        workers=supernet_workers,
        optimization=Optimization("adamw", lr, 0.9, 0.05, "cosine", 0.01, (), 0.1, _floor), recipe=_recipes[recipe],
    )
]  # fmt: skip
evaluator = InheritedAccuracy(dataset=_images, test=True)
_latencies = [f"latency_ms@{name}-estimated" for name in sheets]
_fewer = {"population": 48, "parents": 24, "mutants": 12, "crossovers": 12}  # the paper's are 512, 256, 128 and 128
_searches = {
    "nsga2": NSGA2(population=24, offspring=12),  # an evolution too; more objectives than `auto`'s model takes
    "paper": TruncationEvolution(**ELASTICVIT | _fewer),  # three generations in 120 trials; the paper's are 40
}
if search not in _searches:
    raise ValueError(f"search must be {' or '.join(_searches)}, got {search!r}")
_paper = search == "paper"
_least, _most = (macs(edge("small", resolutions=resolutions).ops()) for edge in (smallest, largest))
if _paper and not _least / 1.2 <= limit_macs <= _most:
    raise ValueError(
        f"limit_macs must be from {_least / 1.2:.3g} to {_most:.3g}, got {limit_macs}: no network is there"
    )
objectives = {"accuracy": "maximize"} | dict.fromkeys([] if _paper else _latencies, "minimize")
constraints = [f"macs >= {limit_macs}", f"macs <= {1.2 * limit_macs}"] if _paper else []  # its window is 20 million
report = ["test_accuracy", "macs", "params", *(_latencies if _paper else [])]

algorithm = _searches[search]
max_trials = 120
timeout_s = 600
