"""Which network, how much of each of its stages pruned, AND which training read digits best, on two devices?

One space of three parts has one front: small MBConv networks, a pruning rate for each resolution, and training recipes.
One image at a time and sixteen at a time count as a device each; measuring their tables takes a minute or two.
"""

import pyglove as pg

from evaluators.train import Train
from search.algorithms.nsga2 import NSGA2
from spaces.hyperparameters import hyperparameters
from spaces.mbconv import mbconv
from spaces.pruning_rates import pruning_rates

epochs = 5  # of every trial, after its network was pruned

space = pg.Dict(
    architecture=mbconv(widths=((8, 16), (16, 24), (24, 32)), depth=2, kernels=(3,), expansions=(2, 4)),
    pruning=pruning_rates(stages=3, rates=(0.0, 0.25, 0.5), multiple=4),  # applied to the architecture above
    training=hyperparameters(epochs=[epochs]),
)
evaluator = Train(dataset="digits")
devices = {"single": "this", "batch16": {"device": "this", "batch": 16}}  # ms a batch; more: names of imported tables
objectives = {"accuracy": "maximize", "latency_ms@single": "minimize", "latency_ms@batch16": "minimize"}

algorithm = NSGA2(population=16)
max_trials = 48
timeout_s = 300  # a network takes seconds; one that takes minutes has met trouble
