"""Make ResNet-20 fit: which of its channels does reading digits need, for its latency on this computer?

The whole network begins to train while LAPP (Zhai et al., 2023) learns by gradient how much of each layer can go at the
wanted share of the multiply-accumulates. The nearest rates of the space are the first trial, the others lie around
them; each is a smaller network that trains on from the weights which the learning left. Some three minutes on two CPUs.
"""

from evaluators.datasets import AtPath, EnlargedDigits
from evaluators.fine_tune import FineTune
from evaluators.lapp import Lapp
from search.algorithms.distribution import Distribution
from spaces.lapp import lapp
from spaces.networks.resnet import ResNet

data = ""  # a path of CIFAR, MNIST or pictures in place of scikit-learn's digits: docs/data.md
resolution = 16  # their side in pixels: enlarged digits for a multiple of 8
limit = 0  # how many images train; 0 for all
keep = 0.5  # the share of the whole network's multiply-accumulates
learning_epochs = 10  # of the whole network, in which rates are learned
epochs = 6  # of each trial

_images = AtPath(data, resolution, limit or None) if data else EnlargedDigits(resolution // 8)

space = lapp(ResNet, (3, resolution, resolution), rates=(0.0, 0.25, 0.5, 0.75), multiple=4)
preparations = [Lapp(_images, keep=keep, epochs=learning_epochs)]
evaluator = FineTune(_images, epochs=epochs, lr=0.02, test=True)
objectives = {"accuracy": "maximize", "latency_ms": "minimize"}
report = ["test_accuracy", "macs", "params"]

algorithm = Distribution()  # the learned rates first
max_trials = 24
