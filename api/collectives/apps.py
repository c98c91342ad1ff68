from django.apps import AppConfig


class CollectivesConfig(AppConfig):
    name = "api.collectives"
    label = "collectives"

    def ready(self) -> None:
        from api.accounts import closing, exports
        from api.collectives import selectors, services, subjects
        from api.ledger import owners
        from api.realtime import audiences, notices

        exports.register("collectives", selectors.own_memberships)
        closing.register("collectives", services.close_account)
        owners.register(
            owners.Owners(
                ids_of=selectors.collective_ids_of,
                may=services.govern_treasury,
                names_of=selectors.names_of,
            )
        )
        notices.register_people(selectors.actors_for)
        audiences.register(selectors.collectives_of)
        subjects.register()
