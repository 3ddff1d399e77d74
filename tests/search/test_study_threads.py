"""One driver's threads share a study."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from stored_study import evaluate, make_study

from search.storage import Storage


def test_threads_get_each_trial_once_and_every_result_counts(storage: Storage) -> None:
    with make_study(storage, max_trials=100) as study:

        def work(_: int) -> list[int]:
            numbers = []
            while trials := study.ask(2):
                numbers += [trial.number for trial in trials]
                for trial in trials:
                    assert study.tell(trial, evaluate(trial))
            return numbers

        with ThreadPoolExecutor(4) as pool:
            asked = [number for numbers in pool.map(work, range(4)) for number in numbers]
        assert sorted(asked) == list(range(100))
        assert set(study.trials().states) == {"COMPLETED"}
