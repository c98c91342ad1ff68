"""Who may call what in results."""

from api.core.permissions import MEMBER, Row

RESULTS = {
    "download": Row(MEMBER, "projects:read"),
    "summary": Row(MEMBER, "projects:read"),
    "workers": Row(MEMBER, "projects:read"),
}
