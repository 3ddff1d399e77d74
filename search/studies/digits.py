"""Which small MBConv network reads handwritten digits best for its latency on this computer? Trains each one.

About two seconds of one CPU a network: a few minutes in all on two.
"""

from evaluators.train import Train
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.mbconv import mbconv

epochs = 10  # enough for 95 to 99 percent; fewer make a quicker and noisier study

space = mbconv(image=(1, 8, 8), classes=10)
evaluator = Train(dataset="digits", epochs=epochs)
objectives = {"accuracy": "maximize", "latency_ms": "minimize"}  # accuracy in percent of the validation images

algorithm = RegularizedEvolution(population=16, tournament=4)  # a third of the trials at random, then evolution
max_trials = 48
timeout_s = 300  # a network takes seconds; one that takes minutes has met trouble
