from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "api.messaging"
    label = "messaging"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.messaging import selectors, services

        exports.register("messages", selectors.own_messages)
        exports.register("threads", selectors.own_marks)
        closing.register("messages", services.close_account)
