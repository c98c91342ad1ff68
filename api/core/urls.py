from django.urls import path

from api.core.views import TimeViewSet

urlpatterns = [path("time", TimeViewSet.as_view({"get": "retrieve"}))]
