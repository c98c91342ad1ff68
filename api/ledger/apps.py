from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "api.ledger"
    label = "ledger"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.ledger import notices, selectors, services

        exports.register("ledger_entries", selectors.own_entries)
        exports.register("deposits", selectors.own_deposits)
        exports.register("payouts", selectors.own_payouts)
        closing.register("ledger", services.close_owner)
        notices.register()
