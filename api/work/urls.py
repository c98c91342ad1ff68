from django.urls import path

from api.work.views import AssignmentViewSet, ClaimViewSet, FeedViewSet

urlpatterns = [
    path("assignments/<uuid:assignment_id>/submit", AssignmentViewSet.as_view({"post": "submit"})),
    path("projects/<uuid:project_id>/claim", ClaimViewSet.as_view({"post": "claim"})),
    path("assignments/<uuid:assignment_id>/draft", AssignmentViewSet.as_view({"put": "draft"})),
    path("assignments/<uuid:assignment_id>/return", AssignmentViewSet.as_view({"post": "give_back"})),
    path("assignments/<uuid:assignment_id>/skip", AssignmentViewSet.as_view({"post": "skip"})),
    path("assignments/<uuid:assignment_id>", AssignmentViewSet.as_view({"get": "retrieve"})),
    path("assignments", AssignmentViewSet.as_view({"get": "list"})),
    path("tasks/<uuid:task_id>/claim", ClaimViewSet.as_view({"post": "claim_task"})),
    path("feed", FeedViewSet.as_view({"get": "list"})),
    path("feed/<uuid:project_id>", FeedViewSet.as_view({"get": "retrieve"})),
    path("projects/<uuid:project_id>/hide", FeedViewSet.as_view({"post": "hide", "delete": "show"})),
    path("work/summary", FeedViewSet.as_view({"get": "summary"})),
]
