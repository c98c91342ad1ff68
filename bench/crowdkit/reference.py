"""What crowd-kit makes of a file of answers.

Runs in the environment of `requirements.txt`, never in Guildhall's.

reference.py labels ANSWERS.csv    prints task,majority,dawid_skene (columns question, worker, answer)
reference.py time ANSWERS.npz LABELS.npy    fits Dawid–Skene, writes its labels by task, prints seconds
"""

import csv
import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene, MajorityVote


def labels(path: str) -> None:
    data = pd.read_csv(path, dtype=str).set_axis(["task", "worker", "label"], axis=1)
    majority = MajorityVote().fit_predict(data)
    model = _model().fit(data)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["task", "majority", "dawid_skene"])
    for task in sorted(majority.index, key=int):
        out.writerow([task, majority[task], model.labels_[task]])


def time_it(path: str, labels_path: str) -> None:
    columns = np.load(path)
    data = pd.DataFrame({name: columns[name] for name in ("task", "worker", "label")})
    start = time.perf_counter()
    model = _model().fit(data)
    seconds = time.perf_counter() - start
    np.save(labels_path, model.labels_.sort_index().to_numpy())
    print(json.dumps({"seconds": seconds, "iterations": len(model.loss_history_)}))


def _model() -> Any:
    return DawidSkene(n_iter=100, tol=1e-5)


if __name__ == "__main__":
    {"labels": labels, "time": time_it}[sys.argv[1]](*sys.argv[2:])
