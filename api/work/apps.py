from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "api.work"
    label = "work"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.work import audits, notices, selectors, services, subjects

        audits.register()
        notices.register()
        exports.register("assignments", selectors.own_assignments)
        exports.register("moves", selectors.own_moves)
        exports.register("hidden_projects", selectors.own_hidden)
        closing.register("work", services.close_account)
        subjects.register()
