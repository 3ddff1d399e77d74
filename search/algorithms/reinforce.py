"""REINFORCE (Williams, Machine Learning 1992): a policy over decisions climbs its rewards, as in NASNet and ENAS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search.algorithms._policy_gradient import PolicyGradient


@dataclass
class Reinforce(PolicyGradient):
    """One step of Adam a batch along the mean of advantage * d log P(genotype), plus the entropy bonus.

    The policy is the factorised one of ProxylessNAS (Cai et al., ICLR 2019, section 3.3.2) rather than NASNet's
    recurrent one: decisions are independent given that they are active. See `PolicyGradient` for the settings.
    """

    name: ClassVar[str] = "reinforce"
    source: ClassVar[str] = "Williams, Machine Learning 1992; ProxylessNAS (Cai et al., ICLR 2019)"

    def _improve(self, genotypes: np.ndarray, advantages: np.ndarray) -> None:
        self._step(genotypes, advantages)
