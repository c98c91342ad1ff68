from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "api.projects"
    label = "projects"
