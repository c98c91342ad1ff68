from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "api.projects"
    label = "projects"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.core import metrics
        from api.projects import notices, selectors, services, subjects

        exports.register("projects", selectors.own_projects)
        exports.register("imports", selectors.own_batches)
        closing.register("projects", services.refuse_open_projects)
        notices.register()
        metrics.measure(
            "guildhall_rollup_lag_seconds",
            "For how long the oldest event that progress does not count yet has been waiting",
            services.rollup_lag,
        )
        subjects.register()
