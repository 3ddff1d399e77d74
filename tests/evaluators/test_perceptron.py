"""Perceptrons read from files of arrays: what they compute, and files that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators.perceptron import read_perceptron

STATE = {
    "0.weight": np.array([[1.0, 0.0], [0.0, -1.0], [1.0, 1.0]]),
    "0.bias": np.array([0.0, 0.5, -1.0]),
    "2.weight": np.array([[1.0, 10.0, 100.0]]),
    "2.bias": np.array([0.25]),
}


def saved(path: Path, **changes: np.ndarray) -> Path:
    np.savez(path, **{name.replace("_", "."): array for name, array in (STATE | changes).items()})
    return path


def test_layers_are_applied_with_relu_between_them(tmp_path: Path) -> None:
    perceptron = read_perceptron(saved(tmp_path / "p.npz"))
    assert perceptron(np.array([[2.0, 1.0], [-1.0, -1.0]])).tolist() == [202.25, 15.25]
    assert perceptron.inputs == 2


def test_a_state_of_tensors_is_read_alike(tmp_path: Path) -> None:
    torch.save({name: torch.tensor(array) for name, array in STATE.items()}, tmp_path / "p.pth")
    features = np.random.default_rng(0).normal(size=(5, 2))
    from_state, from_arrays = read_perceptron(tmp_path / "p.pth"), read_perceptron(saved(tmp_path / "p.npz"))
    assert np.array_equal(from_state(features), from_arrays(features))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"3_bias": np.zeros(1)},
            r"expected arrays 0.weight, 0.bias, ..., got 0.bias, 0.weight, 2.bias, 2.weight, 3.b",
        ),
        ({"0_bias": np.zeros(2)}, r"layer 0 has weights \(3, 2\) and biases \(2,\), which do not fit 3 inputs"),
        ({"2_weight": np.zeros((2, 3)), "2_bias": np.zeros(2)}, "layer 2 .* which do not fit 1 inputs"),
        ({"2_bias": np.array([np.nan])}, "layer 2 holds values that are not finite"),
        ({"0_weight": np.array([["a", "b"]])}, "not an .npz file of plain numbers"),
        ({"0_weight": np.array([[{}]], dtype=object)}, "not an .npz file of plain numbers: Object arrays"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, changes: dict[str, np.ndarray], message: str) -> None:
    arrays = {name.replace("_", "."): array for name, array in changes.items()}
    np.savez(tmp_path / "p.npz", **(STATE | arrays))
    with pytest.raises(ValueError, match=message):
        read_perceptron(tmp_path / "p.npz")


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("unpickled",)


def test_a_state_that_holds_code_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"0.weight": Harmful()}, tmp_path / "p.pth")
    with pytest.raises(ValueError, match=r"p.pth: not a PyTorch state of tensors alone"):
        read_perceptron(tmp_path / "p.pth")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["p.npz", "p.pth"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("nothing of the kind")
    with pytest.raises(ValueError, match=rf"{name}: not a"):
        read_perceptron(tmp_path / name)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.npz").read_bytes()
    torch.save({name: torch.tensor(array) for name, array in STATE.items()}, tmp_path / "whole.pth")
    state = (tmp_path / "whole.pth").read_bytes()
    for number, cut in enumerate((b"", whole[:200], whole[:-40])):
        (tmp_path / f"{number}.npz").write_bytes(cut)
        with pytest.raises(ValueError, match=r"not an \.npz file of plain numbers"):
            read_perceptron(tmp_path / f"{number}.npz")
    for number, cut in enumerate((b"", state[:300], state[:-100])):
        (tmp_path / f"{number}.pth").write_bytes(cut)
        with pytest.raises(ValueError, match="not a PyTorch state of tensors alone"):
            read_perceptron(tmp_path / f"{number}.pth")


def test_weights_without_axes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected weights of two axes"):
        read_perceptron(saved(tmp_path / "p.npz", **{"2_weight": np.array(1.0)}))
