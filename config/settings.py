"""Django's settings. Everything that differs between installations comes from `config.env`."""

import secrets
import socket
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.databases import databases
from config.domains import DOMAINS
from config.headers import add_headers, page_policy

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()
CLIENT_DIST = Path(env.text("CLIENT_DIST") or BASE_DIR / "client" / "dist")

# "local" is for one machine and its own browser; anything else must bring its own secrets.
MODE = env.mode()
LOCAL = MODE == "local"
DEBUG = env.flag("DEBUG")
if DEBUG and not LOCAL:
    raise ImproperlyConfigured("DEBUG shows everything to everybody; it is for GUILDHALL_MODE=local alone.")
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000)


def _local_secret(path: Path) -> str:
    """The secret of a local installation: made once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if not LOCAL:
        raise ImproperlyConfigured("SECRET_KEY is not set. Give this installation a secret of its own.")
    SECRET_KEY = _local_secret(DATA_DIR / "secret-key")
# Whoever knows it can sign in as anybody, so what stands in an example or can be guessed is none.
if not LOCAL and (len(SECRET_KEY) < 32 or len(set(SECRET_KEY)) < 8 or SECRET_KEY.startswith("django-insecure-")):
    raise ImproperlyConfigured("SECRET_KEY can be guessed. Make one of 32 random characters or more.")

PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost" if LOCAL else "")
if not LOCAL and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts this installation answers for.")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CORS_ALLOWED_ORIGINS = env.words("CLIENT_ORIGINS")
# For browsers, where no proxy leads `/ws` of this installation to a gateway.
GATEWAY_URL = env.text("GATEWAY_URL").rstrip("/")
PAGE_POLICY = page_policy(local=LOCAL, forms=CORS_ALLOWED_ORIGINS, live=GATEWAY_URL)
CORS_URLS_REGEX = r"^/(api|oauth)/"
CORS_EXPOSE_HEADERS = [
    "Link",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
    "Content-Disposition",
    "Idempotency-Replayed",
    "X-Read-After",
]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "x-request-id",
    "x-read-after",
]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "drf_spectacular",
    "django_tasks",
    "django_tasks_db",
    *[f"api.{domain}" for domain in DOMAINS],
]

MIDDLEWARE = [
    "api.core.middleware.RequestContext",
    "api.core.middleware.CrossOrigin",
    "api.core.middleware.ApiEntrance",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.core.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "api.core.middleware.ApiExit",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # First, so that our pages stand in for those of the packages.
        "DIRS": [BASE_DIR / "api" / "accounts" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = databases(env.database_url(), env.text("REPLICA_URLS"))
# Safe requests read one of these (api/core/replicas.py), unless it is more seconds behind than this.
REPLICAS = [alias for alias in DATABASES if alias != "default"]
REPLICA_MAX_LAG = env.number("REPLICA_MAX_LAG", 5)
DATABASES["default"]["TEST"] = {"NAME": env.text("TEST_DATABASE_NAME") or None}
DATABASE_ROUTERS = ["api.core.router.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What nodes share besides the database; empty where there is one node, or none is wanted.
REDIS_URL = env.text("REDIS_URL")
# Where to listen for wake-ups without Redis, if not at DATABASE_URL: a coordinator may not pass them on.
LISTEN_URL = env.text("LISTEN_URL")

# Websockets.
GATEWAY_HOST = env.text("HOST", "127.0.0.1")
GATEWAY_PORT = env.number("GATEWAY_PORT", PORT)
SOCKETS_PER_USER = env.number("SOCKETS_PER_USER", 20)
SOCKETS_MAX = env.number("SOCKETS_MAX", 12_000)
EVENTS_KEPT = timedelta(days=env.number("EVENTS_DAYS", 30))

# Shared by all workers of all nodes, so that a limit on sign-in holds whichever of them answers. In the database also
# where there is a Redis: with Redis gone it would forget who has tried too often, and nothing else is kept in it.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS: list[Path] = []
WHITENOISE_ROOT = CLIENT_DIST if CLIENT_DIST.exists() else None
# The view adds the gateway's address to the page.
WHITENOISE_INDEX_FILE = not GATEWAY_URL
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers
# What Vite builds carries its hash in its name.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/assets/"

SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# How many trusted proxies each write one address into X-Forwarded-For; with 0 the header is not believed.
PROXIES = env.number("PROXIES", int(env.flag("BEHIND_PROXY")))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
IMPORT_MAX_BYTES = env.number("IMPORT_MAX_BYTES", 10 * 1024**3)

EMAIL_URL = env.text("SMTP_HOST")
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "Guildhall <guildhall@localhost>")
if EMAIL_URL:
    # Sent by a job: nobody's request waits for the mail server, and none fails with it.
    EMAIL_BACKEND = "api.core.mail.QueuedMail"
    EMAIL_TIMEOUT = 20
    EMAIL_HOST = EMAIL_URL
    EMAIL_PORT = env.number("SMTP_PORT", 587)
    EMAIL_HOST_USER = env.text("SMTP_USER")
    EMAIL_HOST_PASSWORD = env.text("SMTP_PASSWORD")
    EMAIL_USE_TLS = env.flag("SMTP_TLS", True)
else:
    # Without a mail server a message becomes a file, so a local user can still follow its link.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.core.permissions.TablePermission"],
    "DEFAULT_PARSER_CLASSES": ["api.core.http.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.core.http.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.core.http.OnlyJSON",
    "DEFAULT_SCHEMA_CLASS": "api.core.schema.Schema",
    "EXCEPTION_HANDLER": "api.core.problems.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Guildhall",
    "DESCRIPTION": "A marketplace for crowd work that the people who use it govern.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "PREPROCESSING_HOOKS": ["api.core.schema.only_api"],
    "POSTPROCESSING_HOOKS": ["api.core.schema.finish"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# Requests a minute: for one user over all applications, one application over all users, one address
# without a token.
RATE_LIMITS = {
    "user": env.number("RATE_LIMIT_USER", 3000),
    "application": env.number("RATE_LIMIT_APPLICATION", 60_000),
    "address": env.number("RATE_LIMIT_ADDRESS", 300),
    # Tries at one application's secret from one address.
    "secret": env.number("RATE_LIMIT_SECRET", 60),
}
RATE_LIMIT_FILE = DATA_DIR / "run" / "limits"

# Rules of the house; a charter may be stricter towards requesters, never towards workers.
LATE_GRACE = timedelta(minutes=2)
# After how long an unread message is mailed.
DIGEST_AFTER_HOURS = env.number("DIGEST_AFTER_HOURS", 4)
APPEAL_WINDOW = timedelta(days=14)
REJECTION_LIMIT_SHARE = 0.20
REJECTION_LIMIT_COUNT = 20
HOLD_LIMIT = 10
FEE_BPS = env.number("FEE_BPS", 0)
CURRENCY = env.text("CURRENCY", "USD")
PAYMENT_PROVIDERS = env.words("PAYMENT_PROVIDERS", "api.ledger.providers.Manual")
DEPOSIT_INSTRUCTIONS = env.text(
    "DEPOSIT_INSTRUCTIONS",
    "Pay the operator of this Guildhall. The money is in your purse as soon as the operator has confirmed it.",
)
MIN_PAYOUT = env.number("MIN_PAYOUT", 100)

# What `manage.py release` runs, in this order.
RELEASE_COMMANDS = [
    ("migrate", ["--no-input", "--verbosity=0"]),
    ("after_restore", []),
    ("createcachetable", []),
    ("collectstatic", ["--no-input", "--verbosity=0"]),
    ("create_first_party", []),
]

# Jobs (api/core/queue.py): rows of the database, run by `manage.py jobs`.
TASKS = {"default": {"BACKEND": "api.core.queue.Backend", "QUEUES": ["default"]}}
JOBS_THREADS = env.number("JOBS_THREADS", 2)
JOBS_LEASE_SECONDS = env.number("JOBS_LEASE_SECONDS", 30)
GRACEFUL_SECONDS = env.number("GRACEFUL_SECONDS", 20)

# Stands in every log line and span of this node.
NODE_NAME = env.text("NODE_NAME", f"{socket.gethostname()}:{PORT}")
METRICS_TOKEN = env.text("METRICS_TOKEN")
METRICS_PORT = env.number("METRICS_PORT", 0)
TRACES = bool(env.text("OTEL_EXPORTER_OTLP_ENDPOINT") or env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
TRACE_DATABASE = env.flag("TRACE_DATABASE")
if TRACES:
    MIDDLEWARE.insert(MIDDLEWARE.index("api.core.middleware.RequestContext") + 1, "api.core.tracing.Spans")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.orjson.OrjsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        },
        "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
    },
    "filters": {"request": {"()": "api.core.logs.RequestFields"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.text("LOG_FORMAT", "json"),
            "filters": ["request"],
        },
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "WARNING")},
    "loggers": {
        "guildhall": {"level": env.text("LOG_LEVEL", "INFO")},
        # A refusal is an answer, and stands in the request log; this logger would write a second line for each.
        "django.request": {"level": "ERROR"},
    },
}

ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
from config.accounts import *  # noqa: E402, F403  (allauth and OAuth2 have a page of their own)
