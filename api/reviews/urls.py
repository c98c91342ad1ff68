from django.urls import path

from api.reviews.views import ReviewViewSet

urlpatterns = [
    path("assignments/<uuid:assignment_id>/accept", ReviewViewSet.as_view({"post": "accept"})),
    path("assignments/<uuid:assignment_id>/reject", ReviewViewSet.as_view({"post": "reject"})),
    path("assignments/<uuid:assignment_id>/send-back", ReviewViewSet.as_view({"post": "send_back"})),
    path("assignments/<uuid:assignment_id>/bonus", ReviewViewSet.as_view({"post": "bonus"})),
    path("assignments/<uuid:assignment_id>/pay-partial", ReviewViewSet.as_view({"post": "pay_partial"})),
    path("reviews/assignments/<uuid:assignment_id>", ReviewViewSet.as_view({"get": "retrieve"})),
    path("projects/<uuid:project_id>/assignments", ReviewViewSet.as_view({"get": "list"})),
    path("projects/<uuid:project_id>/assignments/accept", ReviewViewSet.as_view({"post": "accept_many"})),
    path("projects/<uuid:project_id>/assignments/reject", ReviewViewSet.as_view({"post": "reject_many"})),
    path("projects/<uuid:project_id>/assignments/send-back", ReviewViewSet.as_view({"post": "send_back_many"})),
]
