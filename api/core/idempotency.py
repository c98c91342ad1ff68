"""`Idempotency-Key`: the same key and body give the same answer for 24 hours, on any node.

The key is inserted first and the answer stored beside it in the transaction that does the work. So a second request
with the same key waits on the unique index until the first has committed or rolled back, and then replays or runs.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework.request import Request

from api.core.errors import Conflict, DomainError, FieldError, Invalid
from api.core.sealing import seal, unseal

KEPT_FOR = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{8,128}\Z")
_KEPT_HEADERS = ("Content-Type", "Link", "Location", "Content-Disposition")
# A body above this (an import) is told apart by its length and digest header, so that it can be streamed.
_HASHED_BYTES = 1_048_576


class KeyReused(Invalid):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request. Send a new key for a new request."
    status = 422


def read_key(request: Request) -> str | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not _KEY.match(key):
        detail = "The Idempotency-Key has 8 to 128 visible ASCII characters."
        raise Invalid(errors=[FieldError("Idempotency-Key", detail)])
    return key


def run_once(
    request: Request,
    key: str,
    work: Callable[[], HttpResponse],
    on_error: Callable[..., HttpResponse],
    body_digest: bytes | None = None,
    secret: bool = False,
) -> HttpResponse:
    """Do `work` unless this user's `key` has been answered already to this application; then give that answer again.

    A domain error is an answer like any other and is kept; a crash, a server error or "later" (429) is not, and rolls
    back everything with the key. `body_digest` tells bodies apart for a view that has streamed its own. With `secret`
    the answer is stored so that only who has the key can read it.
    """
    digest = digest_of(request.user.pk, request.auth.application_id, key)
    fingerprint = _fingerprint(request, body_digest)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_idempotencykey (digest, fingerprint, created_at) VALUES (%s, %s, now())"
            " ON CONFLICT (digest) DO NOTHING",
            [digest, fingerprint],
        )
        if cursor.rowcount == 0:
            cursor.execute(
                "SELECT fingerprint, status, headers, body, sealed FROM core_idempotencykey WHERE digest = %s", [digest]
            )
            return _replay(cursor.fetchone(), fingerprint, key, digest)
        try:
            response = work()
        except DomainError as error:
            response = on_error(error)
        if response.status_code >= 500 or response.status_code == 429 or response.streaming:
            transaction.set_rollback(True)
            return response
        kept = [f"{name}: {response[name]}" for name in _KEPT_HEADERS if name in response]
        body = seal(response.content, key, digest) if secret else response.content
        cursor.execute(
            "UPDATE core_idempotencykey SET status = %s, headers = %s, body = %s, sealed = %s WHERE digest = %s",
            [response.status_code, "\n".join(kept), body, secret, digest],
        )
        return response


def digest_of(user_id: UUID, application_id: UUID, key: str) -> bytes:
    """What a key is stored by: the key itself is nobody's business, and may be long.

    The application is in it because an answer may hold what another application of the same user must not see.
    """
    return hashlib.blake2b(user_id.bytes + application_id.bytes + key.encode(), digest_size=16).digest()


def _fingerprint(request: Request, body_digest: bytes | None) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    # Without its parameters: a form that is sent again has another boundary.
    content_type = (request.content_type or "").partition(";")[0]
    digest.update(f"{request.method} {request.get_full_path()}\n{content_type}\n".encode())
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if body_digest is not None:
        digest.update(body_digest)
    elif length <= _HASHED_BYTES and not content_type.startswith("multipart/"):
        digest.update(request._request.body)
    else:
        digest.update(f"{length} {request.META.get('HTTP_CONTENT_DIGEST', '')}".encode())
    return digest.digest()


def _replay(row: tuple[bytes, int, str, bytes, bool], fingerprint: bytes, key: str, digest: bytes) -> HttpResponse:
    stored, status, headers, body, sealed = row
    if bytes(stored) != fingerprint:
        raise KeyReused
    content = unseal(bytes(body), key, digest) if sealed else bytes(body)
    if content is None:
        # The installation's secret was changed since.
        raise Conflict("This was done, but its answer can no longer be shown.")
    response = HttpResponse(content, status=status)
    for line in headers.splitlines():
        name, _, value = line.partition(": ")
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def forget_old(limit: int = 10_000) -> int:
    """Delete up to `limit` keys older than `KEPT_FOR`. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM core_idempotencykey WHERE digest IN"
            " (SELECT digest FROM core_idempotencykey WHERE created_at < now() - %s LIMIT %s FOR UPDATE SKIP LOCKED)",
            [KEPT_FOR, limit],
        )
        return cursor.rowcount
