"""The best perceptron with a fixed training first, then the best training of it: separate search (HPOLib).

The same problem and budget as `flow_joint`.
"""

from evaluators.hpo_table import hpolib_table
from search.algorithms.hill_climb import HillClimb
from search.algorithms.separate import Separate
from spaces.hpolib import hpolib

dataset = "protein_structure"  # or naval_propulsion, parkinsons_telemonitoring, slice_localization
trials = 100  # of each part

space = hpolib()
evaluator = hpolib_table(dataset)
objectives = {"loss": "minimize"}  # mean squared error of the validation part, the mean of four runs

algorithm = Separate(
    first=("activation_fn_*", "dropout_*", "n_units_*"),  # 1,296 networks
    trials=trials,
    algorithm=HillClimb(),
    default={"batch_size": 32, "init_lr": 0.001, "lr_schedule": "const"},  # one of 48 trainings, till they are searched
)
max_trials = 200
