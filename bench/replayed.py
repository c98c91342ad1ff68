"""The answers of real people, played through the market: what came out."""

from typing import Any

from bench.machine import Bench
from bench.replay import lines, play


def measure(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with bench.world() as world:
        for name in bench.sizes.replays:
            played = play(world.stack, name)
            for line in lines(played):
                bench.say(line)
            if played.problems:
                raise RuntimeError(f"{name}: {'; '.join(played.problems)}")
            found[name] = {
                "answers": played.answers,
                "skips": played.skips,
                "seconds": played.seconds,
                **{method: round(share, 4) for method, share in played.accuracy.items()},
                "tied_tasks": played.ties,
                "majority_range": [round(share, 4) for share in played.majority_range],
            }
    return {"replay": found}
