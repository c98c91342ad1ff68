from django.urls import path, re_path

from api.accounts.views import ApplicationViewSet, AuthorisedApplicationViewSet, MeViewSet, SessionViewSet

urlpatterns = [
    path("me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("me/export", MeViewSet.as_view({"get": "export"})),
    path("me/close", MeViewSet.as_view({"post": "close"})),
    path("me/sessions", SessionViewSet.as_view({"get": "list"})),
    re_path(r"^me/sessions/(?P<session_id>[0-9]{1,18})\Z", SessionViewSet.as_view({"delete": "destroy"})),
    path("me/applications", AuthorisedApplicationViewSet.as_view({"get": "list"})),
    path("me/applications/<uuid:application_id>", AuthorisedApplicationViewSet.as_view({"delete": "destroy"})),
    path("applications", ApplicationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "applications/<uuid:application_id>",
        ApplicationViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
]
