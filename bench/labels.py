"""Dawid–Skene's time, and crowd-kit's: `bench/aggregation.py` in a process of its own."""

import json
import subprocess
import sys
from typing import Any

from bench.machine import Bench
from bench.stack import ROOT

KEYS = ("dawid_skene_s", "dawid_skene_vs_crowdkit")


def measure(bench: Bench) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.aggregation", "--answers", str(bench.sizes.answers)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=3600)
    told = json.loads(done.stdout)
    if not told["labels_equal"]:
        raise RuntimeError("crowd-kit finds other labels.")
    return {
        "dawid_skene_s": told["dawid_skene_s"],
        "dawid_skene_vs_crowdkit": told["dawid_skene_vs_crowdkit"],
        "crowdkit_s": told["crowdkit_s"],
        "dawid_skene_iterations": [told["iterations"], told["crowdkit_iterations"]],
    }
