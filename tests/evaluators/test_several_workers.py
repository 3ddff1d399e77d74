"""Several workers train one supernet: to the weights of one that averages over halves, also when one was killed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from several_workers import PAIR, SAMPLER, Training
from small_nested import small_nested
from torch.nn import functional

from evaluators._base import Member
from evaluators._preparation import Job
from evaluators._reproducible import reproducible, seed_of
from evaluators._shared_weights import batches
from evaluators.datasets import load
from evaluators.nested.distillation import adaptive_divergence
from evaluators.nested.space import NestedSpace
from evaluators.nested.weights import NestedWeights, build_unfilled
from evaluators.nested_supernet import NESTEROV, NestedSupernet, shared_weights
from evaluators.samplers._base import Step
from search.launchers.beside import Beside, Fate, WorkerLostError, follow
from search.launchers.preparing import Measured, steps_of


def weights_in(folder: Path) -> list[torch.Tensor]:
    return list(shared_weights(folder, small_nested()).parameters())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Measured | None]]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, list(steps_of(Training(str(folder))))


def averaged_over_halves() -> list[torch.Tensor]:
    """Return the weights after the same steps in this process, a half of each batch after the other."""
    space, part, memory = small_nested(), load("digits").train, dict[str, object]()
    nets, steps = NestedSpace(space), len(part.labels) // PAIR.batch

    def network(row: np.ndarray) -> torch.nn.Module:
        return build_unfilled(space.decode(row)).train()

    with reproducible("cpu", 1, 0, 0):
        weights = NestedWeights(space.decode(nets.largest).build())
    optimizer = NESTEROV.make_optimizer(weights, fused=False)
    for epoch in range(PAIR.epochs):
        for step, batch in enumerate(
            batches(part, PAIR.batch, torch.Generator().manual_seed(seed_of(0, epoch + 1, 1)))
        ):
            halves = list(zip(batch.images.chunk(2), batch.labels.chunk(2), strict=True))

            def loss_of(row: np.ndarray, halves: list[tuple[torch.Tensor, torch.Tensor]] = halves) -> float:
                with torch.no_grad():
                    losses = [
                        functional.cross_entropy(weights(network(row), images), labels) for images, labels in halves
                    ]
                return float(torch.stack(losses).mean())

            rng = np.random.default_rng((0, epoch, step))
            at = Step(nets, epoch, PAIR.epochs, step, steps, rng, NESTEROV.lr_at, lambda row, loss=loss_of: -loss(row))
            for group in optimizer.param_groups:
                group["lr"] = NESTEROV.lr_at(at.progress)
            drawn = SAMPLER.draw(at, memory)
            losses = [loss_of(subnet.genotype) for subnet in drawn]
            optimizer.zero_grad()
            for images, labels in halves:
                outputs: list[torch.Tensor] = []
                for subnet in drawn:
                    logits = weights(network(subnet.genotype), images)
                    loss = subnet.labels * functional.cross_entropy(logits, labels, label_smoothing=0.1)
                    if subnet.teachers:
                        loss = loss + adaptive_divergence(logits, torch.stack(outputs).mean(0))
                    torch.autograd.backward(loss / 2)
                    outputs.append(logits.detach().softmax(1))
            optimizer.step()
            SAMPLER.learn(at, drawn, losses, memory)
    return list(weights.parameters())


def test_two_workers_train_as_one_that_averages_over_halves(whole: tuple[Path, list[Measured | None]]) -> None:
    for found, expected in zip(weights_in(whole[0]), averaged_over_halves(), strict=True):
        torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.faults
def test_a_killed_worker_ends_the_others_and_they_go_on_to_the_same_end(
    whole: tuple[Path, list[Measured | None]], tmp_path: Path
) -> None:
    with pytest.raises(WorkerLostError, match=r"^worker 1 of 2: its process \d+ died \(SIGKILL\)"):
        list(steps_of(Training(str(tmp_path), "killed")))
    assert list(steps_of(Training(str(tmp_path)))) == whole[1]
    found, expected = weights_in(tmp_path), weights_in(whole[0])
    assert all(torch.equal(mine, yours) for mine, yours in zip(found, expected, strict=True))


def test_workers_that_do_not_share_a_folder_are_told(whole: tuple[Path, list[Measured | None]]) -> None:
    with pytest.raises(ValueError, match=r"worker 0 of 2 found 3 epochs done, others another number: .* must lie on a"):
        list(steps_of(Training(str(whole[0]), "elsewhere")))


def test_what_fails_in_another_worker_comes_before_what_that_has_ended(tmp_path: Path) -> None:
    failed = follow(Training(str(tmp_path)), Member(1, 3, "127.0.0.1:1"))
    beside = Beside(Member(0, 3, "127.0.0.1:1"), lambda: [Fate("its process died", lost=True), Fate(failed)])
    error = beside.explained(ConnectionError("closed by peer"))
    assert type(error) is RuntimeError
    assert (
        str(error) == "worker 2 of 3: ValueError: workers=2: expected a job that a launcher runs in 2 processes, got 3"
    )


def test_a_job_of_one_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers=2: expected a job that a launcher runs in 2 processes, got 1"):
        next(PAIR(Job(small_nested(), tmp_path)))


@pytest.mark.parametrize("workers", [0, 3])
def test_workers_share_a_batch(workers: int) -> None:
    with pytest.raises(ValueError, match=f"workers must be at least 1 and share the batch of 64, got {workers}"):
        NestedSupernet(workers=workers)
