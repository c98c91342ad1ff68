from django.urls import path

from api.ledger.views import DepositViewSet, PayoutViewSet, ProviderViewSet, PurseViewSet

urlpatterns = [
    path("purses", PurseViewSet.as_view({"get": "list"})),
    path("purses/<uuid:purse_id>", PurseViewSet.as_view({"get": "retrieve"})),
    path("purses/<uuid:purse_id>/statement", PurseViewSet.as_view({"get": "statement"})),
    path("purses/<uuid:purse_id>/deposit", DepositViewSet.as_view({"post": "create"})),
    path("purses/<uuid:purse_id>/deposits", DepositViewSet.as_view({"get": "list"})),
    path("purses/<uuid:purse_id>/payouts", PayoutViewSet.as_view({"get": "list", "post": "create"})),
    path("deposits/<uuid:deposit_id>/cancel", DepositViewSet.as_view({"post": "cancel"})),
    path("payouts/<uuid:payout_id>/cancel", PayoutViewSet.as_view({"post": "cancel"})),
    path("providers", ProviderViewSet.as_view({"get": "list"})),
]
