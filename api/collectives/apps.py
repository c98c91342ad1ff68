from django.apps import AppConfig


class CollectivesConfig(AppConfig):
    name = "api.collectives"
    label = "collectives"
