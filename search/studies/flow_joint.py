"""Which two-layer perceptron, and which training of it, loses least? Joint search: one loop over both (HPOLib).

62,208 recipes, all trained by Klein and Hutter (arXiv 1905.04970): results are looked up, a study takes seconds.
`flow_separate` and `flow_factorized` search the same with the same budget; docs/flows.md compares them.
"""

from evaluators.hpo_table import hpolib_table
from search.algorithms.hill_climb import HillClimb
from spaces.hpolib import hpolib

dataset = "protein_structure"  # or naval_propulsion, parkinsons_telemonitoring, slice_localization

space = hpolib()
evaluator = hpolib_table(dataset)
objectives = {"loss": "minimize"}  # mean squared error of the validation part, the mean of four runs

algorithm = HillClimb()
max_trials = 200
