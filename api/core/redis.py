"""Redis, which nodes share where there is more than one. It is never the only home of anything.

A Redis that is gone costs one time-out for each process and pause, not one for each request.
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

Answer = TypeVar("Answer")
TIMEOUT = 0.3
"""Seconds that a request waits for Redis."""
PAUSE = 2.0
"""Seconds for which a Redis that failed is not asked again."""
_lock = threading.Lock()
_asked_again_at = 0.0


@lru_cache(maxsize=1)
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=15,
    )


def is_configured() -> bool:
    return bool(settings.REDIS_URL)


def ask(question: Callable[["redis.Redis"], Answer], otherwise: Answer) -> Answer:
    """What `question` gets from Redis; `otherwise` where there is none, or it has failed within `PAUSE` seconds."""
    global _asked_again_at
    if not settings.REDIS_URL or time.monotonic() < _asked_again_at:
        return otherwise
    try:
        return question(_client(settings.REDIS_URL))
    except redis.RedisError:
        with _lock:
            _asked_again_at = time.monotonic() + PAUSE
        return otherwise


def is_up() -> bool:
    """Ask now, whatever was found a moment ago."""
    try:
        return bool(_client(settings.REDIS_URL).ping())
    except redis.RedisError:
        return False
