"""Moving money. The database checks everything again (see the migration `guards`)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from api.core.ids import uuid7
from api.ledger.errors import InsufficientFunds, KeyReused
from api.ledger.models import Entry, Purse, Transfer


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer to make.

    `lines` are (purse id, amount) in minor units; they sum to zero per currency; lines of 0 are left out, lines of the
    same purse are added up, and at least two remain. `by` is the id of the user who caused it. `subject` is what it is
    about, as (kind, id), such as `("assignment", id)`. A `memo` over 200 characters is shortened. `key` is
    `<verb>:<id>`, at most 120 characters.
    """

    key: str
    kind: Transfer.Kind
    lines: Sequence[tuple[UUID, int]]
    memo: str = ""
    by: UUID | None = None
    subject: tuple[str, UUID] | None = None


@dataclass(slots=True)
class _Account:
    currency: str
    may_be_negative: bool
    balance: int


def transfer(
    *,
    key: str,
    kind: Transfer.Kind,
    lines: Sequence[tuple[UUID, int]],
    memo: str = "",
    by: UUID | None = None,
    subject: tuple[str, UUID] | None = None,
) -> Transfer:
    """Move money once; see `Move` for the arguments and `transfer_many` for what it raises."""
    (identifier,) = transfer_many(moves=[Move(key, kind, lines, memo, by, subject)])
    return Transfer.objects.get(id=identifier)


@transaction.atomic
def transfer_many(*, moves: Sequence[Move]) -> list[UUID]:
    """Make the transfers in the order given, all or none, in four statements however many they are.

    Answers their ids in the same order. A key that was used before moves nothing and answers the id of
    the first transfer; KeyReused if that one had another kind or other lines. Raises InsufficientFunds
    when a purse would go below zero on the way; ValueError for lines that do not balance, a caller's
    mistake.

    Purses are locked in the order of their ids. A caller who makes several transfers in one transaction
    passes them in one call, or else two such callers can deadlock.
    """
    if not moves:
        return []
    lines = [_merged(move) for move in moves]
    # Purses before keys: who waits for a rival with the same key then sees what the rival committed, and
    # the times of entries rise within a purse.
    accounts = _lock({purse_id for each in lines for purse_id in each})
    for move, each in zip(moves, lines, strict=True):
        _require_balanced(move, each, accounts)
    made = _insert_transfers(moves)
    ids = dict(made)
    if len(made) < len(moves):
        ids |= _repeated(moves, lines, made)
    posted = [(made.pop(move.key), each) for move, each in zip(moves, lines, strict=True) if move.key in made]
    if posted:
        _insert_entries(posted, accounts)
    return [ids[move.key] for move in moves]


def _merged(move: Move) -> dict[UUID, int]:
    amounts: dict[UUID, int] = defaultdict(int)
    for purse_id, amount in move.lines:
        amounts[purse_id] += amount
    merged = {purse_id: amount for purse_id, amount in amounts.items() if amount}
    if len(merged) < 2:
        raise ValueError(f"The transfer {move.key} moves nothing between two purses.")
    return merged


def _lock(purse_ids: Collection[UUID]) -> dict[UUID, _Account]:
    # NO KEY: an entry's foreign key does not wait for it.
    rows = Purse.objects.filter(id__in=purse_ids).order_by("id").select_for_update(no_key=True)
    accounts = {
        id_: _Account(currency, kind == Purse.Kind.EXTERNAL, balance)
        for id_, currency, kind, balance in rows.values_list("id", "currency", "kind", "balance")
    }
    if missing := set(purse_ids) - accounts.keys():
        raise ValueError(f"There is no purse {min(missing)}.")
    return accounts


def _require_balanced(move: Move, lines: Mapping[UUID, int], accounts: Mapping[UUID, _Account]) -> None:
    sums: dict[str, int] = defaultdict(int)
    for purse_id, amount in lines.items():
        sums[accounts[purse_id].currency] += amount
    if any(sums.values()):
        raise ValueError(f"The lines of the transfer {move.key} do not sum to zero: {dict(sums)}.")


def _insert_transfers(moves: Sequence[Move]) -> dict[str, UUID]:
    """Insert those whose key is new; ids by key. In the order of keys, so that two calls cannot deadlock."""
    rows = sorted({move.key: move for move in reversed(moves)}.items())
    columns: list[Any] = [
        [uuid7() for _ in rows],
        [key for key, _ in rows],
        [str(move.kind) for _, move in rows],
        [_shortened(move.memo) for _, move in rows],
        [move.by for _, move in rows],
        [move.subject and move.subject[0] for _, move in rows],
        [move.subject and move.subject[1] for _, move in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_transfer (id, key, kind, memo, by_id, subject_kind, subject_id)"
            " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[],"
            " %s::text[], %s::uuid[])"
            " ON CONFLICT (key) DO NOTHING RETURNING key, id",
            columns,
        )
        return dict(cursor.fetchall())


def _shortened(memo: str) -> str:
    longest = 200
    return memo if len(memo) <= longest else memo[: longest - 1] + "…"


def _repeated(moves: Sequence[Move], lines: Sequence[Mapping[UUID, int]], made: Mapping[str, UUID]) -> dict[str, UUID]:
    """Ids by key of the transfers made before this call. Raises KeyReused where one moved something else."""
    said: dict[str, tuple[str, Mapping[UUID, int]]] = {}
    for move, each in zip(moves, lines, strict=True):
        if said.setdefault(move.key, (str(move.kind), each)) != (str(move.kind), each):
            raise KeyReused(key=move.key)
    earlier = {
        id_: (key, kind)
        for id_, key, kind in Transfer.objects.filter(key__in=said.keys() - made.keys()).values_list(
            "id", "key", "kind"
        )
    }
    moved: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    rows = Entry.objects.filter(transfer_id__in=earlier)
    for transfer_id, purse_id, amount in rows.values_list("transfer_id", "purse_id", "amount"):
        moved[transfer_id][purse_id] = amount
    for id_, (key, kind) in earlier.items():
        if said[key] != (kind, moved[id_]):
            raise KeyReused(key=key)
    return {key: id_ for id_, (key, _) in earlier.items()}


def _insert_entries(posted: Sequence[tuple[UUID, Mapping[UUID, int]]], accounts: Mapping[UUID, _Account]) -> None:
    rows: list[tuple[UUID, UUID, int, int, str]] = []
    lowest: dict[UUID, int] = defaultdict(int)
    for transfer_id, lines in posted:
        for purse_id, amount in lines.items():
            account = accounts[purse_id]
            account.balance += amount
            if not account.may_be_negative:
                lowest[purse_id] = min(lowest[purse_id], account.balance)
            rows.append((transfer_id, purse_id, amount, account.balance, account.currency))
    for purse_id, balance in sorted(lowest.items()):
        if balance < 0:
            raise InsufficientFunds(-balance, accounts[purse_id].currency)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_entry (transfer_id, purse_id, amount, balance_after, currency)"
            " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::text[])",
            [list(column) for column in zip(*rows, strict=True)],
        )
