"""Do one image at a time and eight at a time want the same NAS-Bench-201 networks on this computer?

Each way of running them counts as a device of its own, with its own latency table. Every trial is costed on both, so
that one set of accuracies gives two fronts; the search itself minds both. Measuring the tables takes a minute or two.
"""

from evaluators.table import nasbench201_table
from search.algorithms.nsga2 import NSGA2
from spaces.nasbench201 import nasbench201

space = nasbench201()
evaluator = nasbench201_table("cifar10")
devices = {"single": "this", "batch8": {"device": "this", "batch": 8}}  # ms a batch; more: names of imported tables
objectives = {"accuracy": "maximize", "latency_ms@single": "minimize", "latency_ms@batch8": "minimize"}

algorithm = NSGA2()
max_trials = 600
