from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "api.reviews"
    label = "reviews"
