"""The best perceptron when each is judged by the best training found for it: factorized (nested) search (HPOLib).

The same problem and budget as `flow_joint`.
"""

from evaluators.hpo_table import hpolib_table
from search.algorithms.factorized import Factorized
from search.algorithms.hill_climb import HillClimb
from spaces.hpolib import hpolib

dataset = "protein_structure"  # or naval_propulsion, parkinsons_telemonitoring, slice_localization
trials = 5  # of each network's search of its training
warm_start = False  # True: that search begins with the training of the best network so far

space = hpolib()
evaluator = hpolib_table(dataset)
objectives = {"loss": "minimize"}  # mean squared error of the validation part, the mean of four runs

algorithm = Factorized(
    outer=("activation_fn_*", "dropout_*", "n_units_*"),  # 1,296 networks, of 48 trainings each
    trials=trials,
    algorithm=HillClimb(),
    warm_start=warm_start,
)
max_trials = 200
