"""Tables that belong to no domain."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """A key, what it was used for, and the answer it got.

    `digest` is BLAKE2b of user, application and key. A `sealed` body is encrypted, and only the key opens it.
    """

    digest = models.BinaryField(primary_key=True, max_length=16)
    fingerprint = models.BinaryField(max_length=16)
    status = models.SmallIntegerField(null=True)
    headers = models.TextField(null=True)
    body = models.BinaryField(null=True)
    sealed = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [BrinIndex(fields=["created_at"], name="idempotencykey_created", autosummarize=True)]

    def __str__(self) -> str:
        return self.digest.hex()
