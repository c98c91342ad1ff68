from django.urls import path

from api.projects.views import BatchViewSet, ProjectViewSet, TaskViewSet, VersionViewSet

_project = ProjectViewSet.as_view
urlpatterns = [
    path("projects", _project({"get": "list", "post": "create"})),
    path("projects/check", _project({"post": "check"})),
    path(
        "projects/<uuid:project_id>",
        _project({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("projects/<uuid:project_id>/draft", _project({"delete": "discard"})),
    path("projects/<uuid:project_id>/versions", _project({"get": "versions"})),
    path("projects/<uuid:project_id>/quote", _project({"get": "quote"})),
    path("projects/<uuid:project_id>/progress", _project({"get": "progress"})),
    path("projects/<uuid:project_id>/publish", _project({"post": "publish"})),
    path("projects/<uuid:project_id>/pause", _project({"post": "pause"})),
    path("projects/<uuid:project_id>/resume", _project({"post": "resume"})),
    path("projects/<uuid:project_id>/close", _project({"post": "close"})),
    path("projects/<uuid:project_id>/batches", BatchViewSet.as_view({"get": "list"})),
    path("projects/<uuid:project_id>/tasks", TaskViewSet.as_view({"get": "list", "post": "create"})),
    path("batches/<uuid:batch_id>", BatchViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("batches/<uuid:batch_id>/problems", BatchViewSet.as_view({"get": "problems"})),
    path("tasks/<uuid:task_id>", TaskViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("versions/<uuid:version_id>", VersionViewSet.as_view({"get": "retrieve"})),
]
