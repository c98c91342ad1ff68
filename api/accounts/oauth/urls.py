from django.urls import path

from api.accounts.oauth import views

urlpatterns = [
    path("oauth/authorize", views.AuthoriseView.as_view(), name="oauth_authorize"),
    path("oauth/token", views.TokenView.as_view(), name="oauth_token"),
    path("oauth/revoke", views.RevokeView.as_view(), name="oauth_revoke"),
    path("oauth/introspect", views.IntrospectView.as_view(), name="oauth_introspect"),
    path(".well-known/oauth-authorization-server", views.metadata, name="oauth_metadata"),
]
