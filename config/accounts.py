"""Settings of django-allauth (signing in) and django-oauth-toolkit (OAuth2)."""

from config import env

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "/accounts/login/"

SCOPES = {
    "account:read": "See your profile, sessions and applications",
    "account:write": "Change your profile, sessions and applications",
    "projects:read": "See your projects, tasks and results",
    "projects:write": "Create, publish and close projects",
    "work:read": "See the work you may do and have done",
    "work:write": "Claim and submit work in your name",
    "reviews:read": "See answers that wait for your review",
    "reviews:write": "Accept, reject and send back answers",
    "ledger:read": "See your purses and statements",
    "ledger:write": "Deposit into and pay out of your purses",
    "messages:read": "Read your messages",
    "messages:write": "Write messages in your name",
    "collectives:read": "See your collectives",
    "collectives:write": "Act in your collectives",
    "webhooks:read": "See webhooks and their deliveries",
    "webhooks:write": "Register and change webhooks",
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.Application"
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "DEFAULT_SCOPES": ["account:read"],
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": env.number("ACCESS_TOKEN_SECONDS", 3600),
}
