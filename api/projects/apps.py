from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "api.projects"
    label = "projects"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.projects import notices, selectors, services, subjects

        exports.register("projects", selectors.own_projects)
        exports.register("imports", selectors.own_batches)
        closing.register("projects", services.refuse_open_projects)
        notices.register()
        subjects.register()
