"""Which network AND which training recipe read handwritten digits best for their latency on this computer?

One space holds both: the small MBConv networks, and optimiser, learning rate, schedule, batch and regularisation.
About two seconds of one CPU a trial: a few minutes in all on two.
"""

import pyglove as pg

from evaluators.train import Train
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.hyperparameters import hyperparameters
from spaces.mbconv import mbconv

epochs = 10  # of every trial; more let slow recipes catch up

space = pg.Dict(architecture=mbconv(image=(1, 8, 8), classes=10), training=hyperparameters(epochs=[epochs]))
evaluator = Train(dataset="digits")  # a candidate's own `training` replaces the evaluator's settings
objectives = {"accuracy": "maximize", "latency_ms": "minimize"}  # accuracy in percent of the validation images

algorithm = RegularizedEvolution(population=16, tournament=4)  # a third of the trials at random, then evolution
max_trials = 48
timeout_s = 300  # a network takes seconds; one that takes minutes has met trouble
