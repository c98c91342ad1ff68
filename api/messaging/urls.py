from django.urls import path

from api.messaging.views import AnnouncementViewSet, MessageViewSet, SettingsViewSet, ThreadViewSet

_thread = "threads/<uuid:thread_id>"

urlpatterns = [
    path("threads", ThreadViewSet.as_view({"get": "list", "post": "create"})),
    path("threads/unread", ThreadViewSet.as_view({"get": "unread"})),
    path(_thread, ThreadViewSet.as_view({"get": "retrieve"})),
    path(f"{_thread}/messages", MessageViewSet.as_view({"get": "list", "post": "create"})),
    path(f"{_thread}/read", ThreadViewSet.as_view({"post": "read"})),
    path(f"{_thread}/mute", ThreadViewSet.as_view({"post": "mute"})),
    path(f"{_thread}/unmute", ThreadViewSet.as_view({"post": "unmute"})),
    path(f"{_thread}/block", ThreadViewSet.as_view({"post": "block"})),
    path(f"{_thread}/unblock", ThreadViewSet.as_view({"post": "unblock"})),
    path("messages/search", MessageViewSet.as_view({"get": "search"})),
    path("messages/settings", SettingsViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("messages/<uuid:message_id>/report", MessageViewSet.as_view({"post": "report"})),
    path("projects/<uuid:project_id>/announcements", AnnouncementViewSet.as_view({"get": "list", "post": "create"})),
]
