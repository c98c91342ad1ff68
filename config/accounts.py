"""Settings of django-allauth (signing in) and django-oauth-toolkit (OAuth2)."""

from datetime import timedelta

from config import env

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
CSRF_FAILURE_VIEW = "api.accounts.pages.csrf_failure"

ACCOUNT_ADAPTER = "api.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "api.accounts.forms.SignUpForm"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "api.accounts.adapter.shown_name"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
# As allauth has them, but wider where a class or an office comes from one address.
ACCOUNT_RATE_LIMITS = {"signup": "60/m/ip", "login": "120/m/ip"}

MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Guildhall"
USERSESSIONS_ADAPTER = "api.accounts.adapter.SessionsAdapter"
USERSESSIONS_TRACK_ACTIVITY = True

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    # For secrets of applications only; see there.
    "api.accounts.hashers.SecretHasher",
]

# Only what some route needs. webhooks:* are the names kept for what is not there yet.
SCOPES = {
    "account:read": "See your profile, sessions and applications",
    "account:write": "Change your profile",
    "projects:read": "See your projects, tasks and results",
    "projects:write": "Create, publish and close projects",
    "work:read": "See the work you may do and have done",
    "work:write": "Claim and submit work in your name",
    "reviews:read": "See answers that wait for your review",
    "reviews:write": "Accept, reject and send back answers",
    "ledger:read": "See your purses and statements",
    "ledger:write": "Deposit into and pay out of your purses",
    "collectives:read": "See your collectives",
    "collectives:write": "Act in your collectives",
    "messages:read": "Read your messages",
    "messages:write": "Write messages in your name",
}
ACCESS_TOKEN_LASTS = timedelta(seconds=min(3600, env.number("ACCESS_TOKEN_SECONDS", 3600)))
REFRESH_TOKEN_LASTS = timedelta(seconds=env.number("REFRESH_TOKEN_SECONDS", 30 * 86_400))
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.Application"
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "DEFAULT_SCOPES": ["account:read"],
    "OAUTH2_VALIDATOR_CLASS": "api.accounts.oauth.server.Validator",
    "CLIENT_SECRET_HASHER": "guildhall_secret",
    "ACCESS_TOKEN_EXPIRE_SECONDS": int(ACCESS_TOKEN_LASTS.total_seconds()),
    "REFRESH_TOKEN_EXPIRE_SECONDS": int(REFRESH_TOKEN_LASTS.total_seconds()),
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ROTATE_REFRESH_TOKEN": True,
    "PKCE_REQUIRED": True,
    "REQUEST_APPROVAL_PROMPT": "force",
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http", "org.guildhall.app"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
}
