"""The environment, read in one place: every variable Guildhall knows, with its type and default.

A wrong value stops the start with a sentence that names the variable; nothing is guessed.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    value = text(name)
    if not value:
        return default
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; it must be 1 or 0.")


def number(name: str, default: int) -> int:
    value = text(name)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number.") from None


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def data_dir() -> Path:
    """Where this installation keeps what is not in the database: the embedded server, secrets, run files."""
    return Path(text("GUILDHALL_DATA") or BASE_DIR / ".data").resolve()


def mode() -> str:
    """`GUILDHALL_MODE`, or "local" where `make run` has set up this checkout; else "production"."""
    marker = data_dir() / "run" / "mode"
    found = text("GUILDHALL_MODE") or (marker.read_text().strip() if marker.exists() else "production")
    if found not in ("local", "production"):
        raise ImproperlyConfigured(f"GUILDHALL_MODE is {found!r}; it must be local or production.")
    return found


def database_url() -> str:
    """`DATABASE_URL`, or else the address the embedded PostgreSQL wrote when it was started."""
    url = text("DATABASE_URL")
    if url:
        return url
    address = data_dir() / "run" / "database-url"
    if address.exists():
        return address.read_text().strip()
    return f"postgresql://postgres@/guildhall?host={data_dir() / 'postgres'}"
