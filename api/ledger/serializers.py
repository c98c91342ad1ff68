"""The shapes of the ledger."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from api.core.money import MAX_AMOUNT, money
from api.core.serializers import In, LineField, MoneyIn, MoneyOut, Out
from api.ledger.models import Deposit, Entry, Payout, Purse, Transfer


class CollectiveRefOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()


class HeldForOut(Out):
    kind = serializers.ChoiceField(["project", "payout"])
    id = serializers.UUIDField()


class PurseOut(Out):
    id = serializers.UUIDField()
    collective = CollectiveRefOut()
    name = serializers.CharField(help_text="The owner's name.")
    kind = serializers.ChoiceField(["purse", "escrow", "payout"])
    held_for = HeldForOut(allow_null=True, help_text="What the money is set aside for; null for a purse.")
    balance = MoneyOut()
    created_at = serializers.DateTimeField()


class SubjectOut(Out):
    kind = serializers.CharField(help_text="Such as project, assignment, deposit or payout.")
    id = serializers.UUIDField()


class EntryOut(Out):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(Transfer.Kind.choices)
    memo = serializers.CharField()
    amount = MoneyOut(help_text="Negative when money left the purse.")
    balance_after = MoneyOut()
    subject = SubjectOut(allow_null=True)


class DepositOut(Out):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Deposit.State.choices)
    amount = MoneyOut()
    provider = serializers.CharField()
    code = serializers.CharField(help_text="What to write on the payment.")
    reference = serializers.CharField()
    instructions = serializers.CharField(help_text="How to pay, as plain text; empty once it is decided.")
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class DestinationOut(Out):
    method = serializers.CharField()
    details = serializers.CharField(help_text="Empty once the account of its owner was closed.")


class PayoutOut(Out):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Payout.State.choices)
    amount = MoneyOut()
    provider = serializers.CharField()
    destination = DestinationOut()
    failure = serializers.CharField(help_text="Why it failed; empty unless it did.")
    reference = serializers.CharField(help_text="The bank's, once it is paid.")
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class ProviderOut(Out):
    name = serializers.CharField()
    deposit_instructions = serializers.CharField()
    instant = serializers.BooleanField(help_text="Whether a deposit arrives as soon as it is asked for.")
    methods = serializers.ListField(child=serializers.CharField(), help_text="How it can pay out.")
    min_payout = MoneyOut()


class PositiveMoneyIn(MoneyIn):
    amount = serializers.IntegerField(min_value=1, max_value=MAX_AMOUNT, help_text="Minor units: 15 is $0.15.")


class DepositIn(In):
    amount = PositiveMoneyIn()
    reference = LineField(max_length=140, allow_blank=True, default="", help_text="Your own note.")
    provider = serializers.CharField(max_length=32, required=False)


class DestinationIn(In):
    method = serializers.CharField(max_length=32)
    details = serializers.CharField(max_length=500, help_text="Where the money goes, such as an account number.")


class PayoutIn(In):
    amount = PositiveMoneyIn()
    destination = DestinationIn()
    provider = serializers.CharField(max_length=32, required=False)


class ListQuery(In):
    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)


class PursesQuery(ListQuery):
    kind = serializers.ChoiceField(
        ["purse", "escrow", "payout"], required=False, help_text="By default purses and escrows."
    )
    collective = serializers.UUIDField(required=False)


class StatementQuery(ListQuery):
    format = serializers.ChoiceField(["json", "csv"], default="json")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python, so it cannot be declared as the others are.
        instants = {
            "from": serializers.DateTimeField(required=False, help_text="The first instant, or a day."),
            "to": serializers.DateTimeField(required=False, help_text="The instant (or day) to stop before."),
        }
        return {**super().get_fields(), **instants}


def purse_body(purse: Purse, names: dict[UUID, str]) -> dict[str, Any]:
    owner_id = purse.owner_id
    name = names.get(owner_id, "") if owner_id else ""
    held = {"kind": purse.held_for_kind, "id": purse.held_for_id} if purse.held_for_kind else None
    return {
        "id": purse.id,
        "collective": {"id": owner_id, "name": name},
        "name": name,
        "kind": purse.kind,
        "held_for": held,
        "balance": money(purse.balance, purse.currency),
        "created_at": purse.created_at,
    }


def entry_body(entry: Entry) -> dict[str, Any]:
    made = entry.transfer
    return {
        "id": entry.id,
        "at": entry.at,
        "kind": made.kind,
        "memo": made.memo,
        "amount": money(entry.amount, entry.currency),
        "balance_after": money(entry.balance_after, entry.currency),
        "subject": {"kind": made.subject_kind, "id": made.subject_id} if made.subject_id else None,
    }


def deposit_body(deposit: Deposit, instructions: str) -> dict[str, Any]:
    return {
        "id": deposit.id,
        "state": deposit.state,
        "amount": money(deposit.amount, deposit.currency),
        "provider": deposit.provider,
        "code": deposit.code,
        "reference": deposit.reference,
        "instructions": instructions,
        "created_at": deposit.created_at,
        "decided_at": deposit.decided_at,
    }


def payout_body(payout: Payout) -> dict[str, Any]:
    return {
        "id": payout.id,
        "state": payout.state,
        "amount": money(payout.amount, payout.currency),
        "provider": payout.provider,
        "destination": {"method": payout.method, "details": payout.details},
        "failure": payout.failure,
        "reference": payout.reference,
        "created_at": payout.created_at,
        "decided_at": payout.decided_at,
    }
