"""The OAuth2 endpoints: django-oauth-toolkit's models and token grants behind strict doors of our own.

Authorisation code with PKCE, refresh tokens and client credentials; nothing else is offered or advertised.
"""
