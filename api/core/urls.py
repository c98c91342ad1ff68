from django.urls import path

from api.core.views import DescriptionViewSet, TimeViewSet

urlpatterns = [
    path("time", TimeViewSet.as_view({"get": "retrieve"})),
    path("openapi.yaml", DescriptionViewSet.as_view({"get": "retrieve"})),
]
