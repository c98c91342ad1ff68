from django.urls import path

from api.results.views import ResultsViewSet

urlpatterns = [
    path("projects/<uuid:project_id>/results", ResultsViewSet.as_view({"get": "download"})),
    path("projects/<uuid:project_id>/results/summary", ResultsViewSet.as_view({"get": "summary"})),
    path("projects/<uuid:project_id>/results/workers", ResultsViewSet.as_view({"get": "workers"})),
]
