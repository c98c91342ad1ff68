"""The page on capacity says what the measured figures make it say."""

import json
from typing import Any

import pytest

from bench import capacity

_NEEDED = {
    "answer_bytes": 1_600.0,
    "answer_key_bytes": 1_200.0,
    "pair_cpu_ms_of_the_client": 2.6,
    "pair_db_ms": 1.2,
    "accept_cpu_ms": 0.6,
    "accept_db_ms": 0.3,
    "draft_cpu_ms": 2.0,
    "draft_db_ms": 0.8,
    "read_cpu_ms": {"feed": 4.0, "review": 6.0},
    "read_db_ms": {"feed": 1.0, "review": 2.0},
    "fanout_5k_s": 0.4,
    "sockets_10k_mb": 250.0,
}


def test_the_tables_are_those_of_the_results() -> None:
    figures: dict[str, Any] = json.loads(capacity.RESULTS.read_text())
    text = capacity.PAGE.read_text()
    if missing := _NEEDED.keys() - figures.keys():
        assert text.count("Not written yet") == 2, f"{missing} were not measured, and the page says otherwise"
    else:
        assert capacity.page(text, figures, capacity.Habits()) == text, "run python -m bench.capacity"


def test_what_is_needed_follows_from_the_figures() -> None:
    small, middle, large = (capacity.need(size, _NEEDED, capacity.Habits()) for size in capacity.SIZES)
    assert (small.nodes, small.replicas, small.gateways) == (2, 2, 2), "two of everything is the least"
    assert large.answers == pytest.approx(1_000_000 / 600)
    assert large.primary_cores == pytest.approx(large.answers * (1.2 + 0.3 + 2 * 0.8) / 1000 / 0.6)
    assert large.replica_cores == pytest.approx(large.answers * 2 * 1.5 / 1000 / 0.6)
    assert (middle.gateways, large.gateways) == (2, 20)
    assert large.gb_a_day == pytest.approx(60e6 * 1600 / 1e9)


def test_tables_are_put_where_the_page_has_marks() -> None:
    page = capacity.page(capacity.PAGE.read_text(), _NEEDED, capacity.Habits())
    assert "| answers a second in the busiest hour | 1.7 | 166.7 | 1,666.7 |" in page
    assert "Not written yet" not in page
    with pytest.raises(ValueError, match="no mark"):
        capacity.page("nothing", _NEEDED, capacity.Habits())
