from django.apps import AppConfig


class CollectivesConfig(AppConfig):
    name = "api.collectives"
    label = "collectives"

    def ready(self) -> None:
        from api.collectives import selectors, services
        from api.ledger import owners

        owners.register(
            owners.Owners(
                ids_of=selectors.collective_ids_of,
                may=services.govern_treasury,
                names_of=selectors.names_of,
            )
        )
