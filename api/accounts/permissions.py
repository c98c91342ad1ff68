"""Who may call what in accounts."""

from api.core.permissions import SIGNED_IN, Row

READ, WRITE = "account:read", "account:write"

ME = {
    "retrieve": Row(SIGNED_IN, READ),
    "partial_update": Row(SIGNED_IN, WRITE),
    "export": Row(SIGNED_IN, READ),
    "close": Row(SIGNED_IN, WRITE),
}
SESSIONS = {
    "list": Row(SIGNED_IN, READ),
    "destroy": Row(SIGNED_IN, WRITE),
}
AUTHORISED = {
    "list": Row(SIGNED_IN, READ),
    "destroy": Row(SIGNED_IN, WRITE),
}
APPLICATIONS = {
    "list": Row(SIGNED_IN, READ),
    "create": Row(SIGNED_IN, WRITE),
    "retrieve": Row(SIGNED_IN, READ),
    "partial_update": Row(SIGNED_IN, WRITE),
    "destroy": Row(SIGNED_IN, WRITE),
}
