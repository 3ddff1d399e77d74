"""Four devices, one training: which small vision transformer reads digits best within each device's latency?

One supernet of all networks is trained as ElasticViT's is (Tang et al., ICCV 2023): networks of one complexity a step,
those that do well more often. Then networks are scored with the weights that they inherit, and none is trained. The
best for a device: python -m search best elasticvit --within 'latency_ms@raspberrypi4-estimated <= 0.3'; an export holds
its weights. Latencies are estimated from the devices' published peaks (docs/costs.md). Scaled down: a space of this
project's for small images, 16x16 pixels, 40 epochs, no teacher; docs/supernet_training.md. Some six CPU minutes.
--set recipe=paper adds, as far as that page says, the paper's clipping, average of weights, changes of images and
exceptions from weight decay; --set teacher=DIR a network to learn from, in place of half of the labels' loss: what an
export of this space wrote.
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
from hardware_models.device_sheet import device_sheet
from hardware_models.roofline import Roofline
from search.algorithms.nsga2 import NSGA2
from spaces.elasticvit import elasticvit

data = ""  # in place of the digits: CIFAR-10, MNIST, or pictures in a folder a class, by path: docs/data.md
resolutions = (16,)  # of the digits; the released space has 128 to 256, the small one for CIFAR-10 (24, 32)

supernet_epochs = 40  # the paper's are 600, of ImageNet
supernet_batch = 64  # `batch` would be that of measured latencies, which are of one image
supernet_workers = 1  # processes that share each batch; on CUDA a GPU each
lr = 1e-3  # of AdamW; the paper's is 5e-4 for a batch of 512
recipe = "plain"  # or "paper"
teacher = ""  # the folder of an exported network; the paper's two ResNeXt-101 are no network of a space
networks = 16  # in each level's memory; the paper's 150 and 50
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
objectives = {"accuracy": "maximize"} | {f"latency_ms@{name}-estimated": "minimize" for name in sheets}
report = ["test_accuracy", "macs", "params"]

algorithm = NSGA2(
    population=24, offspring=12
)  # as the paper's, an evolution; more objectives than `auto`'s model takes
max_trials = 120
timeout_s = 600
