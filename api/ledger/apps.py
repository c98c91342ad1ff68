from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "api.ledger"
    label = "ledger"
