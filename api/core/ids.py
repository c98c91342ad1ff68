"""Identifiers: UUIDv7, so that rows made together lie together in an index."""

from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["UUID", "uuid7"]
