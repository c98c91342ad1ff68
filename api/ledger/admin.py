"""Money for operators: all of it to read; deposits to confirm; payouts to gather, download and settle."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse

from api.core import csvtext
from api.core.admin import NewestPages
from api.core.errors import DomainError
from api.core.money import shown
from api.ledger import owners, services
from api.ledger.models import Deposit, Entry, Payout, PayoutBatch, Purse, Transfer

_PAYOUT_HEADER = ("payout", "method", "details", "amount", "currency", "owner", "purse", "requested_at")


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only services write."""

    paginator = NewestPages
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whether the operator may move money here; those who may only view may not."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}


def amount_of(field: str = "amount") -> Callable[[Any], str]:
    """A column with an amount as people write it, sorted by `field`."""

    @admin.display(description=field.replace("_", " "), ordering=field)
    def column(row: Any) -> str:
        return shown(getattr(row, field), row.currency)

    return column


class EntriesInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Entry
    fields = readonly_fields = ("purse", amount_of(), amount_of("balance_after"))
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).select_related("purse")


@admin.register(Purse)
class PurseAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "owner_id", amount_of("balance"), "held_for_kind", "held_for_id", "created_at")
    list_filter = ("kind", "currency")
    search_fields = ("=id", "=owner_id", "=held_for_id")
    search_help_text = "The id of a purse, of its owner, or of what it is held for"
    ordering = ("-id",)


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ("id", "at", "kind", "key", "memo", "by_id", "subject_kind", "subject_id")
    list_filter = ("kind",)
    search_fields = ("=id", "=key", "=subject_id")
    search_help_text = "The id or key of a transfer, or the id of what it is about"
    ordering = ("-id",)
    inlines = (EntriesInline,)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("id", "at", "purse", "transfer", amount_of(), amount_of("balance_after"))
    list_select_related = ("purse", "transfer")
    search_fields = ("=purse__id", "=transfer__key", "=purse__owner_id")
    search_help_text = "The id of a purse or of its owner, or the key of a transfer"
    ordering = ("-id",)


@admin.register(Deposit)
class DepositAdmin(ReadOnlyAdmin):
    list_display = ("code", "state", amount_of(), "owner", "reference", "provider", "created_at", "decided_at")
    list_filter = ("state", "provider", "currency")
    list_select_related = ("purse",)
    search_fields = ("=id", "code", "=purse__id", "=purse__owner_id", "reference")
    search_help_text = "The code on the payment, a reference, or the id of a deposit, a purse or its owner"
    ordering = ("-id",)
    actions = ("confirm", "cancel")

    @admin.display(description="owner")
    def owner(self, row: Deposit) -> str:
        return str(row.purse.owner_id)

    @admin.action(permissions=["settle"], description="The money has arrived: put it into the purse …")
    def confirm(self, request: HttpRequest, rows: QuerySet[Deposit]) -> HttpResponse | None:
        return _confirmed(
            self,
            request,
            rows,
            action="confirm",
            question="Has this money arrived? It will be in the purses at once.",
            do=lambda row, text: services.confirm_deposit(deposit_id=row.id, by=request.user),
        )

    @admin.action(permissions=["settle"], description="The money will not come: cancel …")
    def cancel(self, request: HttpRequest, rows: QuerySet[Deposit]) -> HttpResponse | None:
        return _confirmed(
            self,
            request,
            rows,
            action="cancel",
            question="Cancel these deposits?",
            do=lambda row, text: services.give_up_deposit(deposit_id=row.id, by=request.user),
        )


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = ("id", "state", amount_of(), "method", "owner", "batch", "reference", "failure", "created_at")
    list_filter = ("state", "provider", "method", "currency")
    list_select_related = ("purse", "batch")
    search_fields = ("=id", "=batch__id", "=purse__id", "=purse__owner_id", "reference")
    search_help_text = "The bank's reference, or the id of a payout, a batch, a purse or its owner"
    ordering = ("-id",)
    actions = ("gather", "mark_paid", "mark_failed")

    @admin.display(description="owner")
    def owner(self, row: Payout) -> str:
        return str(row.purse.owner_id)

    @admin.action(permissions=["settle"], description="Gather those waiting into a batch")
    def gather(self, request: HttpRequest, rows: QuerySet[Payout]) -> None:
        ids = list(rows.values_list("id", flat=True))
        try:
            batches = services.gather_payouts(by=request.user, payout_ids=ids)  # type: ignore[arg-type]
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            made = ", ".join(str(batch) for batch in batches)
            self.message_user(request, f"Made {made}. Download it under Payout batches.", messages.SUCCESS)

    @admin.action(permissions=["settle"], description="Mark as paid …")
    def mark_paid(self, request: HttpRequest, rows: QuerySet[Payout]) -> HttpResponse | None:
        return _confirmed(
            self,
            request,
            rows,
            action="mark_paid",
            question="Have these been paid? The money then leaves the books for good.",
            asks="The bank's reference (optional)",
            do=lambda row, text: services.mark_payouts_paid(payout_ids=[row.id], by=request.user, reference=text),
        )

    @admin.action(permissions=["settle"], description="Mark as failed, and give the money back …")
    def mark_failed(self, request: HttpRequest, rows: QuerySet[Payout]) -> HttpResponse | None:
        return _confirmed(
            self,
            request,
            rows,
            action="mark_failed",
            question="Could these not be paid? The money goes back into the purses.",
            asks="Why; its owner reads this",
            required=True,
            do=lambda row, text: services.mark_payouts_failed(payout_ids=[row.id], by=request.user, reason=text),
        )


class PayoutsInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Payout
    fields = readonly_fields = ("id", "state", amount_of(), "method", "details", "reference", "failure")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ReadOnlyAdmin):
    list_display = ("id", "provider", "by_id", "created_at")
    list_filter = ("provider",)
    search_fields = ("=id",)
    ordering = ("-id",)
    inlines = (PayoutsInline,)
    actions = ("download", "mark_rest_paid")

    @admin.action(description="Download as CSV")
    def download(self, request: HttpRequest, rows: QuerySet[PayoutBatch]) -> StreamingHttpResponse:
        payouts = list(Payout.objects.filter(batch__in=rows).select_related("purse").order_by("id"))
        names = owners.names_of({payout.purse.owner_id for payout in payouts if payout.purse.owner_id})
        lines = [
            (
                payout.id,
                payout.method,
                payout.details,
                shown(payout.amount, payout.currency).split()[0],
                payout.currency,
                names.get(payout.purse.owner_id, "") if payout.purse.owner_id else "",
                payout.purse_id,
                payout.created_at.isoformat(),
            )
            for payout in payouts
        ]
        return csvtext.response("payouts.csv", _PAYOUT_HEADER, lines)

    @admin.action(permissions=["settle"], description="Mark all that are still open in it as paid …")
    def mark_rest_paid(self, request: HttpRequest, rows: QuerySet[PayoutBatch]) -> HttpResponse | None:
        def settle(batch: PayoutBatch, text: str) -> None:
            still_open = Payout.objects.filter(batch=batch, state=Payout.State.BATCHED)
            ids = list(still_open.values_list("id", flat=True))
            services.mark_payouts_paid(payout_ids=ids, by=request.user, reference=text)  # type: ignore[arg-type]

        return _confirmed(
            self,
            request,
            rows,
            action="mark_rest_paid",
            question="Have all open payouts of these batches been paid? Mark those that failed first, one by one.",
            asks="The bank's reference (optional)",
            do=settle,
        )


def _confirmed(
    page: ReadOnlyAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    action: str,
    question: str,
    do: Callable[[Any, str], Any],
    asks: str = "",
    required: bool = False,
) -> HttpResponse | None:
    """Ask first; once the operator has said yes, `do` it to each row and say what came of it."""
    text = request.POST.get("text", "").strip()
    if "confirmed" not in request.POST or (required and not text):
        context = {
            **page.admin_site.each_context(request),
            "title": question,
            "opts": page.model._meta,
            "rows": rows,
            "action": action,
            "asks": asks,
            "required": required,
        }
        return TemplateResponse(request, "admin/ledger/confirm.html", context)
    done, refused = 0, []
    for row in rows:
        try:
            do(row, text)
            done += 1
        except DomainError as error:
            refused.append(f"{row}: {error.detail}")
    if done:
        page.message_user(request, f"Done for {done}.", messages.SUCCESS)
    for sentence in refused:
        page.message_user(request, sentence, messages.ERROR)
    return None
