from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "api.realtime"
    label = "realtime"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.realtime import selectors, services

        exports.register("notifications", selectors.own_notifications)
        closing.register("notifications", services.close_account)
