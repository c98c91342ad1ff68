"""Who may do what with notifications: everybody with their own."""

from api.core.permissions import SIGNED_IN, Row

NOTIFICATIONS = {
    "list": Row(SIGNED_IN, "account:read"),
    "unread": Row(SIGNED_IN, "account:read"),
    "read": Row(SIGNED_IN, "account:write"),
}
