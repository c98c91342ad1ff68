from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "api.work"
    label = "work"

    def ready(self) -> None:
        from api.work import audits

        audits.register()
