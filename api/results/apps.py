from django.apps import AppConfig


class ResultsConfig(AppConfig):
    name = "api.results"
    label = "results"
