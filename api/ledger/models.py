"""Purses, transfers and entries; deposits and payouts."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from api.core.ids import uuid7


class Purse(models.Model):
    """A ledger account. `balance` is kept by the database from the entries; nothing else can change it.

    `owner_id` is a collective's; null for the hall's own two kinds: `fees`, and `external`, the world
    outside, whose balance is minus what is inside.
    """

    class Kind(models.TextChoices):
        PURSE = "purse"
        ESCROW = "escrow"
        PAYOUT = "payout"
        FEES = "fees"
        EXTERNAL = "external"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=8, choices=Kind)
    held_for_kind = models.CharField(max_length=16, null=True)
    held_for_id = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)
    balance = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner_id", "currency"], condition=Q(kind="purse"), name="purse_once_per_owner"
            ),
            models.UniqueConstraint(
                fields=["held_for_kind", "held_for_id", "currency"],
                condition=Q(kind__in=["escrow", "payout"]),
                name="purse_once_per_hold",
            ),
            models.UniqueConstraint(
                fields=["kind", "currency"],
                condition=Q(kind__in=["fees", "external"]),
                name="purse_once_per_system",
            ),
            models.CheckConstraint(condition=Q(balance__gte=0) | Q(kind="external"), name="purse_not_negative"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="purse_currency_code"),
            models.CheckConstraint(
                condition=Q(kind="purse", owner_id__isnull=False, held_for_kind=None, held_for_id=None)
                | Q(
                    kind__in=["escrow", "payout"],
                    owner_id__isnull=False,
                    held_for_kind__isnull=False,
                    held_for_id__isnull=False,
                )
                | Q(kind__in=["fees", "external"], owner_id=None, held_for_kind=None, held_for_id=None),
                name="purse_kind_fits",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["owner_id", "id"], name="purse_of_owner")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.currency})"


class Transfer(models.Model):
    """Money moved at once from some purses to others. `key` says what for, and makes it happen once.

    A row lasts for ever, so `memo` holds nothing about a person that may have to be erased.
    """

    class Kind(models.TextChoices):
        DEPOSIT = "deposit"
        FUND = "fund"
        ACCEPT = "accept"
        BONUS = "bonus"
        PARTIAL = "partial"
        RELEASE = "release"
        PAYOUT = "payout"
        PAYOUT_PAID = "payout_paid"
        PAYOUT_FAILED = "payout_failed"
        FEE = "fee"
        REFUND = "refund"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    memo = models.CharField(max_length=200, blank=True)
    by_id = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=16, null=True)
    subject_id = models.UUIDField(null=True)
    # When the statement began, not the transaction: by then the purses are locked, so times rise within
    # a purse.
    at = models.DateTimeField(db_default=RawSQL("statement_timestamp()", []))

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_id"], name="transfer_subject", condition=Q(subject_id__isnull=False)),
            models.Index(fields=["at", "id"], name="transfer_at"),
        ]

    def __str__(self) -> str:
        return self.key


class Entry(models.Model):
    """One line of a transfer: `amount` more (or less) in a purse, which then held `balance_after`."""

    id = models.BigAutoField(primary_key=True)
    # The trigger that posts entries checks both, for all of a statement at once; the database's own check asks row by
    # row, with a plan that a session may have made when the tables were small.
    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    purse = models.ForeignKey(
        Purse, on_delete=models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField(db_default=RawSQL("statement_timestamp()", []))

    class Meta:
        verbose_name_plural = "entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transfer", "purse"], name="entry_once_per_purse"),
            models.CheckConstraint(condition=~Q(amount=0), name="entry_moves_something"),
        ]
        indexes: ClassVar = [models.Index(fields=["purse", "at", "id"], name="entry_statement")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Deposit(models.Model):
    """Money that its owner says is on its way in. `code` is what they write on the payment."""

    class State(models.TextChoices):
        WAITING = "waiting"
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purse = models.ForeignKey(Purse, on_delete=models.PROTECT, related_name="deposits", db_index=False)
    provider = models.CharField(max_length=32)
    code = models.CharField(max_length=12, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=140, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    by_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="deposit_amount_positive"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at=None) | ~Q(state="waiting") & Q(decided_at__isnull=False),
                name="deposit_decided_once_not_waiting",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["purse", "id"], name="deposit_of_purse"),
            models.Index(fields=["id"], name="deposit_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return self.code


class PayoutBatch(models.Model):
    """Payouts that an operator carries out together, such as one file for the bank."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=32)
    by_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "payout batches"

    def __str__(self) -> str:
        return f"batch {self.id}"


class Payout(models.Model):
    """Money on its way out. It waits in a hold of its own until it is paid, fails or is cancelled."""

    class State(models.TextChoices):
        WAITING = "waiting"
        BATCHED = "batched"
        PAID = "paid"
        FAILED = "failed"
        CANCELLED = "cancelled"

        @classmethod
        def held(cls) -> list["Payout.State"]:
            """The states in which the money is in the hold."""
            return [cls.WAITING, cls.BATCHED]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purse = models.ForeignKey(Purse, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    hold = models.OneToOneField(Purse, on_delete=models.PROTECT, related_name="payout")
    provider = models.CharField(max_length=32)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=32)
    details = models.CharField(max_length=500)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    batch = models.ForeignKey(PayoutBatch, null=True, on_delete=models.PROTECT, related_name="payouts")
    by_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)
    reference = models.CharField(max_length=140, blank=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_amount_positive"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "batched"], decided_at=None)
                | Q(state__in=["paid", "failed", "cancelled"], decided_at__isnull=False),
                name="payout_decided_once_not_held",
            ),
            models.CheckConstraint(
                condition=~Q(state="batched") | Q(batch__isnull=False), name="payout_batched_has_batch"
            ),
            models.CheckConstraint(condition=~Q(purse=F("hold")), name="payout_hold_is_another"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["purse", "id"], name="payout_of_purse"),
            models.Index(fields=["id"], name="payout_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"payout {self.id}"
