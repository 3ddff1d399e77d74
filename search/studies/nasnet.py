"""Which NASNet cells read handwritten digits best for their multiply-accumulates? Trains each candidate.

The whole space of cells (Zoph et al. 2017), but networks of five cells and few filters, for 8x8 images. Not latency but
multiply-accumulates are minimised: these networks have hundreds of different operators, which would all be timed first.
About four seconds of one CPU a network: a few minutes in all on two.
"""

from evaluators.datasets import AtPath
from evaluators.train import Train
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.nasnet import nasnet

data = ""  # in place of the digits: CIFAR-10, MNIST, or pictures in a folder a class, by path: docs/data.md
limit = 0  # how many of its images train; 0 for all
classes = 10
resolution = 8  # of the digits; of other images any

epochs = 5  # enough for 90 to 99 percent; fewer make a quicker and noisier study
cells = 3  # normal cells, with a reduction cell before the second and the third
filters = 4  # of the first cell; 8 and 16 after the reductions

space = nasnet(cells=cells, filters=filters, resolution=resolution, classes=classes, image_channels=3 if data else 1)
evaluator = Train(AtPath(data, resolution, limit or None) if data else "digits", epochs=epochs)
objectives = {"accuracy": "maximize", "macs": "minimize"}  # accuracy in percent of the validation images
report = ["params"]

algorithm = RegularizedEvolution(population=16, tournament=4)  # a third of the trials at random, then evolution
max_trials = 48
timeout_s = 300  # a network takes seconds; one that takes minutes has met trouble
