from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "api.reviews"
    label = "reviews"

    def ready(self) -> None:
        from api.reviews import notices

        notices.register()
