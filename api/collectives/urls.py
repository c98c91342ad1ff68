from django.urls import path

from api.collectives.views import CollectiveViewSet

urlpatterns = [
    path("collectives", CollectiveViewSet.as_view({"get": "list"})),
    path(
        "collectives/<uuid:collective_id>",
        CollectiveViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path("collectives/<uuid:collective_id>/members", CollectiveViewSet.as_view({"get": "members"})),
]
