"""Which part of a candidate is its network: all of it, or the member `architecture` as the other members change it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from hardware_models.op import Op

if TYPE_CHECKING:
    import numpy as np

ARCHITECTURE = "architecture"


class KeyOperators(Hashable, Protocol):
    """Gives the operators of keys; equal ones give the same."""

    def __call__(self, key: int) -> Sequence[Op]:
        """Return the operators that a key stands for."""

    def ends(self, key: int) -> bool:
        """Return whether the network's last layer is among a key's operators."""


@runtime_checkable
class KeyedOperators(Protocol):
    """A space's value that tells the operators of many genotypes at once, where tables of few decisions cannot.

    A key is a number that stands for some operators. Those of a candidate are its keys' together, in any order. A
    member of a joint space that is applied to a candidate may leave the keys, and change what they stand for: what it
    returns then has `key_operators` of its own, which hang on no decision of the architecture.

    Attributes:
      key_bound: what all keys are below.
      key_operators: what they stand for.
    """

    @property
    def key_bound(self) -> int:
        """What all keys are below."""

    def operator_keys(self, chosen: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the keys, int64 (n, keys), of n genotypes, given the candidate's place for each open choice, (n,)."""

    @property
    def key_operators(self) -> KeyOperators:
        """What keys stand for."""


def architecture_of(candidate: Any) -> Any:
    """Return what has `ops()` and `build()`: the candidate itself, or a mapping's `architecture`, changed if need be.

    Each other member of the mapping that has `applied_to(architecture)`, which returns another architecture, is applied
    in the mapping's order. So `pg.Dict(architecture=mbconv(), pruning=pruning_rates(), training=hyperparameters())`
    costs what its pruned networks cost.
    """
    if not isinstance(candidate, Mapping) or ARCHITECTURE not in candidate:
        return candidate
    architecture = candidate[ARCHITECTURE]
    for name, member in candidate.items():
        if name != ARCHITECTURE and hasattr(member, "applied_to"):
            architecture = member.applied_to(architecture)
    return architecture


def members_of_cost(value: Any) -> tuple[str, ...]:
    """Return the members of a space's value that its networks hang on; none where it has no `architecture`."""
    if not isinstance(value, Mapping) or ARCHITECTURE not in value:
        return ()
    return tuple(name for name, member in value.items() if name == ARCHITECTURE or _may_change(member))


def _may_change(member: Any) -> bool:
    """Return whether a member, or one of the candidates that an open choice has for it, changes an architecture."""
    return hasattr(member, "applied_to") or any(map(_may_change, getattr(member, "candidates", ())))
