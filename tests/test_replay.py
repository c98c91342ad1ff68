"""Answers that real people gave, played through the market by HTTP against real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.replay import Played, play
from bench.stack import Stack, running

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(Path(tmp_path_factory.mktemp("replay")), quiet=True) as stack:
        yield stack


def shares(played: Played) -> dict[str, float]:
    return {method: round(share, 4) for method, share in played.accuracy.items()}


def test_duck_comes_out_as_people_answered(stack: Stack) -> None:
    """From task to task: everybody answered everything, so nobody skips."""
    played = play(stack, "duck")
    assert played.problems == []
    assert (played.answers, played.tasks, played.workers) == (4212, 108, 39)
    assert shares(played) == {"majority": 0.7593, "dawid_skene": 0.8889}
    assert played.ties == 0


def test_dog_comes_out_as_people_answered(stack: Stack) -> None:
    """Each claims the tasks that they answered; going past the others by skipping is the bench's to play."""
    played = play(stack, "dog", skipping=False)
    assert played.problems == []
    assert (played.answers, played.tasks, played.workers) == (8070, 807, 109)
    assert shares(played)["dawid_skene"] == pytest.approx(0.8426, abs=1.01 / 807)
    assert played.ties == 50
    low, high = played.majority_range
    assert low <= played.accuracy["majority"] <= high
    assert (round(low, 4), round(high, 4)) == (0.7918, 0.8525)
