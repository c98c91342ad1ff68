from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "api.work"
    label = "work"
