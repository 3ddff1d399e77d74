"""Which NAS-Bench-201 networks are the best trade of real CIFAR-10 accuracy against latency on this computer?

15,625 networks, all of them trained by Dong & Yang (ICLR 2020): accuracies are looked up, latency is this machine's.
"""

from evaluators.table import nasbench201_table
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.nasbench201 import nasbench201

dataset = "cifar10"  # or cifar100, imagenet16-120; latency is that of CIFAR's network in any case

space = nasbench201()
evaluator = nasbench201_table(dataset)
objectives = {"accuracy": "maximize", "latency_ms": "minimize"}  # accuracy in percent of the validation images

algorithm = RegularizedEvolution(population=100, tournament=25)
max_trials = 1000  # a fifteenth of the space
