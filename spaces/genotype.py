"""Genotypes: a symbolic space compiled into columns, so that candidates are rows of numbers until one is built."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import numpy as np
import pyglove as pg

from spaces import _canonical, _ranks, _variation
from spaces._columns import Column, Nodes, compile_spec
from spaces._decoding import UnusualValueError, compile_decoder
from spaces._encoding import compile_encoder
from spaces._fingerprint import fingerprint
from spaces._parts import Part, open_part
from spaces._sizes import product
from spaces._validation import row_from_json, row_from_numbers

Compiled = TypeVar("Compiled")

__all__ = ["Column", "GenotypeSpace", "Part"]


class GenotypeSpace:
    """A compiled space. A genotype is a row of numbers, one for each column; a batch is an array (n, width).

    A choice is stored as the candidate's index, a float as itself. Columns that the choices above them switch off hold
    0, or a float's low bound, so that equal candidates have equal rows. All methods take and return such canonical
    rows; `repair` makes them of anything. Instances do not change, and may be read from several threads.

    Attributes:
      value: the symbolic value, or None for a space made from a specification.
      dna_spec: PyGlove's specification of the same space.
      columns: the decisions, depth first.
      width: the number of columns; 0 for a constant.
      dtype: of genotypes: the smallest unsigned integer that holds every choice, float64 if there is any float.
      size: the exact number of genotypes; None if a float is open.
      fingerprint: a SHA-256 in hex that changes with anything in the symbolic value, and is stable between processes.
    """

    def __init__(self, value: Any) -> None:
        """Compile a hyper value or a `pg.DNASpec`. Raises ValueError for custom decision points."""
        from_spec = isinstance(value, pg.DNASpec)
        self.value: Any = None if from_spec else _symbolic(value)
        self._template = None if from_spec else pg.template(self.value)
        self.dna_spec: pg.DNASpec = value if self._template is None else self._template.dna_spec()
        self._layout = compile_spec(self.dna_spec)
        self.columns: tuple[Column, ...] = self._layout.columns
        self.width: int = self._layout.width
        self.dtype: np.dtype = self._layout.dtype
        self.size: int | None = product(node.size for node in self._layout.nodes)
        self.fingerprint: str = fingerprint(self._made_from, (column.name for column in self.columns))
        self._build = self._if_usual(compile_decoder)
        self._peeks = threading.local()
        self._match = self._if_usual(compile_encoder)
        self._template_lock = threading.Lock()

    def _if_usual(self, compiler: Callable[[Any, Nodes], Compiled]) -> Compiled | None:
        """Return what a compiler makes of the value, None where only PyGlove itself knows what to do."""
        try:
            return compiler(self.value, self._layout.nodes) if self._template is not None else None
        except UnusualValueError:
            return None

    @property
    def _made_from(self) -> Any:
        return self.dna_spec if self._template is None else self.value

    def __reduce__(self) -> tuple[Any, ...]:
        return GenotypeSpace, (self._made_from,)

    def __repr__(self) -> str:
        return f"GenotypeSpace(width={self.width}, size={self.size}, fingerprint={self.fingerprint[:12]!r})"

    def members(self, names: Collection[str]) -> tuple[GenotypeSpace, np.ndarray] | None:
        """Return the space of some members of a symbolic dict, and its columns in this space, (width,).

        Genotypes of that space are these columns, and decode to a dict of what `decode(row)` has under `names`. None
        where the value is no plain dict that has them all, or its members may depend on each other.
        """
        plain = self._build is not None and type(self.value) is pg.Dict and not self.value.value_spec
        if not names or not plain or not set(names) <= set(self.value.sym_keys()):
            return None
        items = {key: pg.clone(item, deep=True) for key, item in self.value.sym_items()}
        inside = [np.full(GenotypeSpace(item).width, key in names) for key, item in items.items()]
        chosen = GenotypeSpace(pg.Dict({key: item for key, item in items.items() if key in names}))
        return chosen, np.flatnonzero(np.concatenate(inside))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` genotypes, each decision uniform over its candidates and each float uniform on its scale."""
        return _variation.sample(self._layout, n, rng)

    def mutate(self, genotypes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return `genotypes` with one active decision of each row changed; newly activated columns are sampled.

        Every row changes, unless the space has a single genotype. The decision and its new value are uniform over what
        the rules of `manyof` allow: in a distinct one without order, a value that another position holds is exchanged.
        """
        return _variation.mutate(self._layout, self._rows(genotypes), rng)

    def crossover(
        self, first: np.ndarray, second: np.ndarray, rng: np.random.Generator, share: float | np.ndarray = 0.5
    ) -> np.ndarray:
        """Return valid children of paired rows, each decision from either parent, a `manyof`'s choices from one.

        `share` is how probable it is that a decision is the first parent's: a number, or an array that broadcasts to
        (n, width). What only one parent decides, as the other's choices switch it off, is that one's.
        """
        first, second = self._rows(first), self._rows(second)
        if len(first) != len(second):
            raise ValueError(f"crossover needs as many first as second parents, got {len(first)} and {len(second)}")
        return _variation.crossover(self._layout, first, second, rng, share)

    def neighbours(self, genotype: np.ndarray) -> np.ndarray:
        """Return every genotype one choice away from one row, (m, width), none twice; floats are not varied.

        Newly activated columns take their first values.
        """
        row = self._rows(np.asarray(genotype)[None, :])
        found: np.ndarray = np.concatenate([row, _variation.neighbours(self._layout, row[0])])
        result: np.ndarray = found[self.unique(found)[1:]]
        return result

    def repair(self, genotypes: np.ndarray, *, keep_inactive: bool = False) -> np.ndarray:
        """Return canonical valid genotypes for any numbers of shape (n, width).

        Choices are rounded and clipped, floats clipped, NaN becomes the lowest value; repeats in a distinct `manyof`
        become the lowest unused candidates, a sorted one is sorted; inactive columns are reset. Valid rows stay.
        With `keep_inactive` they are not reset, but kept to the rules, too, as what they are to hold once activated.
        """
        repair = _canonical.in_bounds if keep_inactive else _canonical.repair
        return repair(self._layout, self._shaped(genotypes))

    def valid(self, genotypes: np.ndarray) -> np.ndarray:
        """Return which rows are canonical and in bounds, shape (n,), bool. Any numeric dtype; NaN is not valid."""
        return _canonical.valid(self._layout, self._shaped(genotypes))

    def active(self, genotypes: np.ndarray) -> np.ndarray:
        """Return which columns the choices of each row leave in force, shape (n, width), bool."""
        return _canonical.active(self._layout, self._shaped(genotypes))

    def keys(self, genotypes: np.ndarray) -> list[bytes]:
        """Return the exact identity of each row: equal for equal genotypes and for no others."""
        return _canonical.keys(self._layout, self._shaped(genotypes))

    def unique(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the index of the first occurrence of each distinct row, in order, shape (m,), int64."""
        first: dict[bytes, int] = {}
        for index, key in enumerate(self.keys(genotypes)):
            first.setdefault(key, index)
        return np.fromiter(first.values(), np.int64, len(first))

    def enumerate(self, start: int, count: int) -> np.ndarray:
        """Return the genotypes from rank `start`, at most `count`, in the order of `pg.geno.Sweeping`.

        Fewer (or none) where the space ends. Raises ValueError for an infinite space and for negative numbers.
        """
        if self.size is None:
            raise ValueError("a space with open floats cannot be listed; sample it instead")
        if start < 0 or count < 0:
            raise ValueError(f"start and count must not be negative, got start={start}, count={count}")
        return _ranks.genotypes_at(self._layout, start, max(0, min(count, self.size - start)))

    def part(self, free: np.ndarray, held: np.ndarray) -> Part:
        """Return the part of the space in which the columns `free`, (width,) bool, are open and the others are held.

        The others have the values of the row `held` wherever they are active, whether or not they are in `held`.
        Raises ValueError where positions of a `manyof` would differ in what is open.
        """
        row = self.repair(np.asarray(held)[None, :], keep_inactive=True)[0]
        spec, columns = open_part(self.dna_spec, free, row)
        return Part(self, GenotypeSpace(spec), columns, row)

    def to_dna(self, row: np.ndarray) -> pg.DNA:
        """Return the `pg.DNA` of one valid genotype, bound to `dna_spec`."""
        values = self._plain(row)
        in_force = self.active(np.asarray(row)[None, :])[0]
        return pg.DNA.from_numbers([value for value, on in zip(values, in_force, strict=True) if on], self.dna_spec)

    def from_dna(self, dna: pg.DNA) -> np.ndarray:
        """Return the genotype of a DNA. Raises ValueError for one that does not fit this space."""
        return row_from_numbers(self._layout, dna.to_numbers())

    def decode(self, row: np.ndarray) -> Any:
        """Return a fresh value of the space: what `pg.template(value).decode(to_dna(row))` gives, by `pg.eq`.

        Raises ValueError for a row that is no valid genotype, and for a space made from a specification alone.
        """
        template = self._required_template("decode")
        if not self.valid(np.asarray(row)[None, ...])[0]:
            raise ValueError(
                f"{np.asarray(row).tolist()!r:.200} is no genotype of this space; `repair` makes one of it"
            )
        if self._build is not None:
            return self._build(np.asarray(row).tolist())
        with self._template_lock:  # a hyper value keeps the DNA that it decodes
            return pg.clone(template.decode(self.to_dna(row)), deep=True)

    def peek(self, row: np.ndarray) -> Any:
        """Return what `decode` does, to be read before this thread's next call and then dropped.

        Several times as fast, as parts of the value are those of earlier ones.
        """
        if self._build is None:
            return self.decode(row)
        if not hasattr(self._peeks, "build"):
            self._peeks.build = compile_decoder(self.value, self._layout.nodes, reuse=True)
        return self._peeks.build(np.asarray(row).tolist())

    def encode(self, value: Any) -> np.ndarray:
        """Return the genotype of a value of this space: the first, where several decode to it.

        Raises ValueError for a value that the space does not hold.
        """
        template = self._required_template("encode")
        if self._match is not None:
            row = self._layout.defaults.copy()
            for column, number in self._match(value, 0).items():
                row[column] = number
            return row
        try:
            return self.from_dna(template.encode(value))
        except (KeyError, TypeError) as error:
            raise ValueError(f"the space does not hold this value: {error}") from error

    def from_json(self, values: object) -> np.ndarray:
        """Return the genotype of a JSON list from outside, as `to_json` writes it.

        Raises ValueError, naming the column and the value, unless it is a canonical genotype of this space.
        """
        return row_from_json(self._layout, values)

    def to_json(self, row: np.ndarray) -> list[int | float]:
        """Return one genotype as plain numbers: int for choices, float for floats."""
        return self._plain(row)

    def _plain(self, row: np.ndarray) -> list[int | float]:
        numbers: Sequence[Any] = np.asarray(row).tolist()
        return [
            int(number) if column.kind == "choice" else float(number)
            for number, column in zip(numbers, self.columns, strict=True)
        ]

    def _shaped(self, genotypes: np.ndarray) -> np.ndarray:
        rows = np.asarray(genotypes)
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise ValueError(f"genotypes must have shape (n, {self.width}), got {rows.shape}")
        return rows

    def _rows(self, genotypes: np.ndarray) -> np.ndarray:
        return self._shaped(genotypes).astype(self.dtype, copy=False)

    def _required_template(self, action: str) -> Any:
        if self._template is None:
            raise ValueError(f"cannot {action}: this space was made from a DNASpec, which has no values")
        return self._template


def _symbolic(value: Any) -> Any:
    """Return plain dicts and lists as the symbolic ones that PyGlove can decode."""
    if isinstance(value, dict) and not isinstance(value, pg.Dict):
        return pg.Dict(value)
    return pg.List(value) if isinstance(value, list) and not isinstance(value, pg.List) else value
