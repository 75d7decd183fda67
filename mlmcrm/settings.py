"""Everything comes from the environment. Safe for production by default: MLMCRM_ENV=development
is what loosens it, and outside development the process does not start without its secrets."""

import logging
import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from mlmcrm import logs, servers
from mlmcrm.environment import amount, boolean, env, env_as, key, key_ring, words

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = servers.data_dir()


def postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("PostgreSQL is the only store.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


# What kind of process this is

ENVIRONMENT = env("MLMCRM_ENV", "production")
if ENVIRONMENT not in {"development", "production"}:
    raise ImproperlyConfigured("MLMCRM_ENV is either development or production.")
DEVELOPMENT = ENVIRONMENT == "development"
PROCESS = env("MLMCRM_PROCESS", "command")
IN_WEB = PROCESS == "web"
DEBUG = DEVELOPMENT and env_as(boolean, "DEBUG", "false")

# In development the secrets and the servers' addresses live in the data folder.
local = servers.development_environment(DATA_DIR) if DEVELOPMENT else {}

SECRET_KEY = env("SECRET_KEY", local.get("SECRET_KEY"))
FIELD_KEYS: dict[str, bytes] = env_as(key_ring, "FIELD_KEYS", local.get("FIELD_KEYS"))
INDEX_KEY: bytes = env_as(key, "INDEX_KEY", local.get("INDEX_KEY"))
ALLOWED_HOSTS = env_as(words, "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEVELOPMENT else None)
CSRF_TRUSTED_ORIGINS = env_as(words, "CSRF_TRUSTED_ORIGINS", ",")

# Where the portal is reached, for links in messages.
PORTAL_URL = env(
    "PORTAL_URL", "http://localhost:8000" if DEVELOPMENT else f"https://{ALLOWED_HOSTS[0]}"
).rstrip("/")

# The company

COMPANY_NAME = env("COMPANY_NAME", "Harbour & Hearth")
COMPANY_CURRENCY = env("COMPANY_CURRENCY", "GBP")
COMPANY_TIMEZONE = env("COMPANY_TIMEZONE", "Europe/London")
env_as(ZoneInfo, "COMPANY_TIMEZONE", "Europe/London")
MIN_PAYOUT_AMOUNT: Decimal = env_as(amount, "MIN_PAYOUT_AMOUNT", "10.00")
# Details that replace earlier ones rest this long before a payout may go to them.
PAYOUT_METHOD_HOLD_HOURS: int = env_as(int, "PAYOUT_METHOD_HOLD_HOURS", "72")
# An enrolment that nobody finishes is deleted after so many days; its link in a message works
# shorter, and another one can be asked for.
ENROLMENT_OPEN_DAYS: int = env_as(int, "ENROLMENT_OPEN_DAYS", "30")
ENROLMENT_LINK_DAYS: int = env_as(int, "ENROLMENT_LINK_DAYS", "7")
# The distributor agreement is a contract, which nobody younger can make.
ENROLMENT_MIN_AGE: int = env_as(int, "ENROLMENT_MIN_AGE", "18")
# Up to so many distributors a page waits for what a move would do; beyond, a task works it out.
MOVE_EFFECTS_AT_ONCE: int = env_as(int, "MOVE_EFFECTS_AT_ONCE", "20000")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = COMPANY_TIMEZONE
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "accounts.formats"

# Applications

INSTALLED_APPS = [
    "mlmcrm",
    "accounts",
    "genealogy",
    "commerce",
    "commissions",
    "compliance",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_htmx",
    "django_structlog",
    "lucide",
    "simple_history",
    "accounts.admin_config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "mlmcrm.web.RequestLog",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mlmcrm.web.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "mlmcrm.web.RefuseNul",
    "accounts.middleware.LiveCursor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "mlmcrm.urls"
ASGI_APPLICATION = "mlmcrm.asgi.application"
CSRF_FAILURE_VIEW = "mlmcrm.web.csrf_failure"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.shell",
            ],
        },
    }
]

# Database

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": env_as(postgres, "DATABASE_URL", local.get("DATABASE_URL"))}
_timeouts = {"lock_timeout": "5s", "application_name": f"mlmcrm-{PROCESS}"}
if IN_WEB:
    _timeouts |= {"statement_timeout": "15s", "idle_in_transaction_session_timeout": "30s"}
    # Under ASGI each request has its own thread: a pool, never a connection kept by a thread.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env_as(int, "DATABASE_POOL_SIZE", "8"),
        "timeout": 10,
    }
DATABASES["default"]["OPTIONS"]["options"] = " ".join(
    f"-c {name}={value}" for name, value in _timeouts.items()
)
DATABASES["default"]["CONN_MAX_AGE"] = 0
# The pool looks before it hands out a connection that a restarted server has dropped.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Redis: cache, channel layer, queue

REDIS_URL = env("REDIS_URL", local.get("REDIS_URL"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env("CACHE_URL", REDIS_URL),
        "KEY_PREFIX": "mlmcrm.cache",
    }
}
# Publish and subscribe know no database numbers, so the prefix keeps two of them apart.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [REDIS_URL],
            "prefix": f"mlmcrm.{urlsplit(REDIS_URL).path.strip('/') or 0}",
        },
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 12 * 3600,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_DEFAULT_QUEUE = "mlmcrm"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env_as(int, "WORKER_CONCURRENCY", "2")
# Somebody with more people than this, himself among them, is moved only with a second person.
MOVE_ALONE_UP_TO = env_as(int, "MOVE_ALONE_UP_TO", "25")
# Database sessions, one or two, that a close reads and writes with at a time.
CLOSE_SESSIONS = env_as(int, "CLOSE_SESSIONS", "2")
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_TIMEZONE = TIME_ZONE
# Each sweep takes what it finds by conditional update: a second beat does no harm.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": seconds, "options": {"expires": 60}}
    for task, seconds in (
        ("accounts.tasks.sweep_events", 5.0),
        ("accounts.tasks.sweep_imports", 30.0),
        ("accounts.tasks.prune_events", 3600.0),
        ("genealogy.tasks.do_due_moves", 300.0),
        ("genealogy.tasks.place_waiting", 60.0),
        ("compliance.tasks.expire_documents", 3600.0),
        ("genealogy.tasks.sweep_exports", 30.0),
        ("genealogy.tasks.sweep_enrolments", 30.0),
        ("commissions.tasks.sweep_claims", 5.0),
        ("commissions.tasks.sweep_estimates", 10.0),
        ("commissions.tasks.sweep_runs", 10.0),
        ("commissions.tasks.sweep_trials", 30.0),
        ("commissions.tasks.sweep_measured", 60.0),
        ("commissions.tasks.sweep_moves", 30.0),
        ("commissions.tasks.measure_teams", 10.0),
    )
}

# Who signs in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{COMPANY_NAME}: "
ALLAUTH_TRUSTED_PROXY_COUNT = env_as(int, "TRUSTED_PROXY_COUNT", "0")

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEVELOPMENT
CSRF_COOKIE_HTTPONLY = True

# Headers

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not DEVELOPMENT:
    SECURE_SSL_REDIRECT = env_as(boolean, "SSL_REDIRECT", "true")
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Files

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = None if DEVELOPMENT else env("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
MEDIA_ROOT = env("MEDIA_ROOT", str(DATA_DIR / "media"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEVELOPMENT
WHITENOISE_MAX_AGE = 0 if DEVELOPMENT else 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Pictures of identity papers stay in memory until they are sealed: no plain copy on disk.
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 2**20
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# Mail

EMAIL_BACKEND = f"django.core.mail.backends.{'console' if DEVELOPMENT else 'smtp'}.EmailBackend"
EMAIL_HOST = env("EMAIL_HOST", "localhost")
EMAIL_PORT = env_as(int, "EMAIL_PORT", "25" if DEVELOPMENT else "587")
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = not DEVELOPMENT
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "no-reply@localhost")

# Logs

LOG_DIR = Path(env("LOG_DIR", str(DATA_DIR / "logs")))
LOGGING = logs.configuration(LOG_DIR, console_level="WARNING" if DEVELOPMENT else "INFO")
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
SLOW_REQUEST_SECONDS = 3.0
