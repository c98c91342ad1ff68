from django.urls import path

from api.realtime.views import NotificationViewSet

urlpatterns = [
    path("notifications", NotificationViewSet.as_view({"get": "list"})),
    path("notifications/unread", NotificationViewSet.as_view({"get": "unread"})),
    path("notifications/read", NotificationViewSet.as_view({"post": "read"})),
]
