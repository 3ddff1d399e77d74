"""Which once-for-all MobileNetV3 is the most accurate within 30 ms on a Samsung Note10? Trains and measures nothing.

Accuracy is the published predictor's, latency the sum of the published table (Cai et al., ICLR 2020). Both files are
looked for in the current folder, or where --set predictor=PATH and --set latency_table=PATH say: docs/spaces.md.

With --set train=true neither is needed: a supernet is trained on digits by progressive shrinking, networks are scored
with the weights that they inherit, and latency is a Raspberry Pi's, estimated. Scaled down: a quarter of the channels,
one or two blocks a stage, 32x32 images, 60 epochs, one learning-rate schedule (--set restarts=true: the paper's, each
phase its own); docs/supernet_training.md. Some five CPU minutes. --set data=PATH trains on other images.
"""

from pathlib import Path

from evaluators.datasets import AtPath, EnlargedDigits
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.nested_supernet import NestedSupernet
from evaluators.once_for_all_predictor import OnceForAllPredictor
from evaluators.samplers.progressive_shrinking import ProgressiveShrinking
from hardware_models.device_sheet import device_sheet
from hardware_models.formats.once_for_all import read
from hardware_models.roofline import Roofline
from search.algorithms.nsga2 import NSGA2
from spaces.once_for_all import once_for_all

predictor = "ofa_acc_predictor.npz"  # or the published acc_predictor.pth
latency_table = "note10_lut.json.gz"  # or a folder of the published YAML files, one a resolution
limit_ms = 30  # the paper's tutorial takes 15 to 60

train = False
data = ""  # in place of the digits: CIFAR-10, MNIST, or pictures in a folder a class, by path: docs/data.md
restarts = False  # whether each phase of the training has the paper's learning rate of its own
supernet_epochs = 60  # of all phases together; the paper's are 605, of ImageNet
train_limit_ms = 0.08  # networks take 0.053 to 0.139 ms

resolutions = (160, 176, 192, 208, 224)  # those of the paper's tutorial; the predictor knows no finer steps
space = (
    once_for_all("mobilenetv3", width=0.25, resolutions=(32,), depths=(1, 2), classes=10)
    if train
    else once_for_all("mobilenetv3", width=1.2, resolutions=resolutions)
)
_images = AtPath(data, 32) if data else EnlargedDigits(4)
_shrinking = ProgressiveShrinking(restarts=restarts)
preparations = [
    NestedSupernet(
        sampler=_shrinking, dataset=_images, epochs=supernet_epochs, divergence="cross_entropy", transforms=True
    )
][: int(train)]
evaluator = InheritedAccuracy(dataset=_images, test=True) if train else OnceForAllPredictor(predictor)
hardware_models = (
    [Roofline(device_sheet("raspberrypi4"))]
    if train
    else read(Path(latency_table), device="note10", resolutions=resolutions)
)
objectives = {"accuracy": "maximize"}  # in percent, of images held out of the training set: 3.5 above ImageNet's top-1
_latency, _limit_ms = ("latency_ms@raspberrypi4-estimated", train_limit_ms) if train else ("latency_ms", limit_ms)
constraints = [f"{_latency} <= {_limit_ms}"]
report = [_latency, "macs", "params"]

algorithm = NSGA2(population=20 if train else 100, offspring=20 if train else 100)  # one objective: a genetic algorithm
max_trials = 100 if train else 5_000
launcher = "serial"  # an evaluation takes less than a millisecond, or with train less than a second: no workers
