"""Threads, their messages, and what each person has to do with them."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Now

from api.core.ids import uuid7

SEARCHED_AS = "simple"
"""The text search configuration: whole words of any language, without its grammar."""


class Kind(models.TextChoices):
    """Between whom a thread is."""

    TALK = "talk"
    MEMBERS = "members"
    ANNOUNCEMENTS = "announcements"


class Side(models.TextChoices):
    """For whom a message was written."""

    WORKER = "worker"
    COLLECTIVE = "collective"


class Thread(models.Model):
    """A conversation about one thing. Of collectives and projects it knows the ids only, since they stand above it.

    `alias` is the worker's pseudonym with the collective, `title` what it is about, in words of the time it was begun.
    `messages` counts its messages, and is the number of the newest. Whoever writes holds the row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=13, choices=Kind)
    about_kind = models.CharField(max_length=16)
    about_id = models.UUIDField()
    collective_id = models.UUIDField()
    project_id = models.UUIDField(null=True)
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    alias = models.CharField(max_length=10, blank=True)
    title = models.CharField(max_length=160)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    messages = models.IntegerField(default=0)
    newest = models.ForeignKey("Message", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    newest_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["about_id", "about_kind", "collective_id", "kind", "worker"],
                nulls_distinct=False,
                name="thread_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="talk", worker__isnull=False)
                | (~models.Q(kind="talk") & models.Q(worker__isnull=True)),
                name="thread_talk_has_a_worker",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["worker", "-newest_at"], name="thread_of_worker"),
            models.Index(fields=["collective_id", "-newest_at"], name="thread_of_collective"),
            models.Index(
                fields=["project_id"], condition=models.Q(kind="announcements"), name="thread_of_announcements"
            ),
            models.Index(fields=["created_by", "-created_at"], name="thread_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_kind_display()})"


class Message(models.Model):
    """What one person wrote, in Markdown. Never changed; an operator may hide it.

    `links` are the https addresses in it, its attachments: {url, label, host}. `digest` is of the text as it is
    compared with others.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.IntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    side = models.CharField(max_length=10, choices=Side)
    body = models.TextField()
    links = models.JSONField(default=list)
    digest = models.BinaryField(max_length=16)
    at = models.DateTimeField(db_default=Now())
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["thread", "number"], name="message_number_once")]
        indexes: ClassVar = [
            models.Index(fields=["author", "-at"], name="message_limit"),
            GinIndex(SearchVector("body", config=SEARCHED_AS), name="message_text"),
        ]

    def __str__(self) -> str:
        return f"message {self.number} of {self.thread_id}"


class Mark(models.Model):
    """How far a user has read a thread, and was written to about it: numbers of messages. Made when first needed."""

    id = models.BigAutoField(primary_key=True)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    read = models.IntegerField(default=0)
    mailed = models.IntegerField(default=0)
    muted = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "thread"], name="mark_once")]

    def __str__(self) -> str:
        return f"{self.user_id} has read {self.read} of {self.thread_id}"


class Block(models.Model):
    """A worker and a collective between whom no message is sent, because one side wants it so."""

    id = models.BigAutoField(primary_key=True)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    collective_id = models.UUIDField()
    side = models.CharField(max_length=10, choices=Side, help_text="Who wants it.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["worker", "collective_id", "side"], name="block_once")]

    def __str__(self) -> str:
        return f"{self.worker_id} and {self.collective_id}, by the {self.side}"


class Report(models.Model):
    """A reader's word to the operators that a message should not stand."""

    class Category(models.TextChoices):
        SPAM = "spam"
        ABUSE = "abuse"
        PRIVATE = "private", "asks for or shows personal data"
        FRAUD = "fraud", "fraud, or work outside the platform"
        OTHER = "other"

    class State(models.TextChoices):
        OPEN = "open"
        DISMISSED = "dismissed"
        HIDDEN = "hidden", "message hidden"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    category = models.CharField(max_length=7, choices=Category)
    reason = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    handled_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["message", "reporter"], name="report_once")]

    def __str__(self) -> str:
        return f"{self.category}: {self.message_id}"


class Correspondent(models.Model):
    """A user to whom messages are sent. `digest_at` is when to look for unread ones to mail; null: nothing waits."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    wants_digest = models.BooleanField(default=True)
    digest_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["digest_at"], condition=models.Q(digest_at__isnull=False), name="correspondent_clock")
        ]

    def __str__(self) -> str:
        return str(self.user_id)
