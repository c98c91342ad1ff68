"""Tables that belong to no domain."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django_tasks_db.models import DBTaskResult

from api.core.ids import uuid7


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


class Job(DBTaskResult):  # type: ignore[type-arg]
    """Background work: a row of django-tasks, under the name it has here.

    `READY` waits for its time, `RUNNING` is in the hands of the last of `worker_ids`, `SUCCESSFUL` is done, and
    `FAILED` is parked: nobody tries again until an operator says so.
    """

    class Meta:
        proxy = True
        verbose_name = "job"
        verbose_name_plural = "jobs"

    def __str__(self) -> str:
        return self.task_path.removeprefix("api.")

    @property
    def attempt(self) -> int:
        """The number of the attempt that runs or was the last, from 1; 0 before the first."""
        return len(self.worker_ids)


class JobWorker(models.Model):
    """A process that runs jobs, and when it last showed that it lives."""

    id = models.TextField(primary_key=True)
    node = models.TextField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.id


class Mail(models.Model):
    """A message that has not been sent yet: JSON, encrypted, for there are keys to accounts in it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    sealed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.id)
