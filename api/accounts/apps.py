from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "api.accounts"
    label = "accounts"

    def ready(self) -> None:
        from api.accounts import own_data

        own_data.register()
