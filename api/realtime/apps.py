from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "api.realtime"
    label = "realtime"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.core import metrics
        from api.realtime import selectors, services

        exports.register("notifications", selectors.own_notifications)
        closing.register("notifications", services.close_account)
        metrics.measure(
            "guildhall_outbox_lag_seconds",
            "For how long the oldest event that a consumer has not read has been waiting",
            selectors.outbox_lag,
            by="consumer",
        )
