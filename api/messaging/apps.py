from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "api.messaging"
    label = "messaging"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.messaging import selectors, services
        from api.realtime import ephemeral

        exports.register("messages", selectors.own_messages)
        exports.register("threads", selectors.own_marks)
        closing.register("messages", services.close_account)
        ephemeral.register("typing", selectors.concerned)
        ephemeral.register("presence", selectors.concerned_by_presence)
