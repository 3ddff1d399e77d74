"""Which two-layer perceptrons trade regression loss against size best? HPOLib: 62,208 recipes, all trained already.

Each was trained four times by Klein and Hutter (arXiv 1905.04970): results are looked up, a study takes seconds.
"""

from evaluators.hpo_table import hpolib_table
from search.algorithms.regularized_evolution import RegularizedEvolution
from spaces.hpolib import hpolib

dataset = "protein_structure"  # or naval_propulsion, parkinsons_telemonitoring, slice_localization

space = hpolib()
evaluator = hpolib_table(dataset)
objectives = {"loss": "minimize", "params": "minimize"}  # mean squared error of the validation part; weights

algorithm = RegularizedEvolution(population=50, tournament=10)
max_trials = 500
