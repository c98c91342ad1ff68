"""Reads of the work domain."""

from api.work.selectors.assignments import (
    access_assignment,
    answer_problems,
    answer_validator,
    decision_of,
    moves_of,
    visible_assignments,
)
from api.work.selectors.feed import SORTS, Wanted, as_card, feed, feed_card
from api.work.selectors.own import own_assignments, own_hidden, own_moves
from api.work.selectors.summary import work_summary

__all__ = [
    "SORTS",
    "Wanted",
    "access_assignment",
    "answer_problems",
    "answer_validator",
    "as_card",
    "decision_of",
    "feed",
    "feed_card",
    "moves_of",
    "own_assignments",
    "own_hidden",
    "own_moves",
    "visible_assignments",
    "work_summary",
]
