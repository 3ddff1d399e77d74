"""Which hyper-parameters make the best perceptron on a tabular task? HPOBench: 30,000 settings, all trained already.

Each was trained five times by Eggensperger et al. (NeurIPS 2021): results are looked up, a study takes seconds.
"""

from evaluators.hpo_table import hpobench_table
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.hpobench import hpobench

dataset = "australian"  # or blood_transfusion, car, credit_g, kc1, phoneme, segment, vehicle

space = hpobench()
evaluator = hpobench_table(dataset)
objectives = {"accuracy": "maximize"}  # in percent, of the validation part, the mean of five runs

algorithm = RegularizedEvolution(population=50, tournament=10)
max_trials = 500
