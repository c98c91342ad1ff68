"""Reading results: the answers' keys, the consensus, and exports."""

from api.results.selectors.consensus import Labels, consensus_of, gold_labels, summary_of, worker_quality
from api.results.selectors.exports import Export, consensus_export, raw_export
from api.results.selectors.keys import ANSWERED, COUNTED, answer_keys, chosen_key

__all__ = [
    "ANSWERED",
    "COUNTED",
    "Export",
    "Labels",
    "answer_keys",
    "chosen_key",
    "consensus_export",
    "consensus_of",
    "gold_labels",
    "raw_export",
    "summary_of",
    "worker_quality",
]
