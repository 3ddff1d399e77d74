"""Which once-for-all MobileNetV3 is the most accurate within 30 ms on a Samsung Note10? Trains and measures nothing.

Accuracy is the published predictor's, latency the sum of the published table (Cai et al., ICLR 2020). Both files are
looked for in the current folder, or where --set predictor=PATH and --set latency_table=PATH say: docs/spaces.md.
"""

from pathlib import Path

from evaluators.once_for_all_predictor import OnceForAllPredictor
from hardware_models.formats.once_for_all import read
from search.algorithms.nsga2 import NSGA2
from spaces.once_for_all import once_for_all

predictor = "ofa_acc_predictor.npz"  # or the published acc_predictor.pth
latency_table = "note10_lut.json.gz"  # or a folder of the published YAML files, one a resolution
limit_ms = 30  # the paper's tutorial takes 15 to 60

resolutions = (160, 176, 192, 208, 224)  # those of the paper's tutorial; the predictor knows no finer steps
space = once_for_all("mobilenetv3", width=1.2, resolutions=resolutions)
evaluator = OnceForAllPredictor(predictor)
hardware_models = read(Path(latency_table), device="note10", resolutions=resolutions)
objectives = {"accuracy": "maximize"}  # in percent, of images held out of the training set: 3.5 above ImageNet's top-1
constraints = [f"latency_ms <= {limit_ms}"]
report = ["latency_ms", "macs", "params"]

algorithm = NSGA2(population=100, offspring=100)  # with one objective a genetic algorithm: the best of ours here
max_trials = 5_000
launcher = "serial"  # an evaluation takes less than a millisecond: a worker would only be waited for
