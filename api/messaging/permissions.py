"""Who may do what with threads and messages. Who is one of a thread's two sides, its selectors say."""

from api.core.permissions import GOVERNED, SIGNED_IN, Row, Rule

SIDE = Rule("the two sides of the thread", lambda user: bool(user.is_authenticated))

THREADS = {
    "list": Row(SIGNED_IN, "messages:read"),
    "create": Row(SIGNED_IN, "messages:write"),
    "unread": Row(SIGNED_IN, "messages:read"),
    "retrieve": Row(SIDE, "messages:read"),
    "read": Row(SIDE, "messages:write"),
    "mute": Row(SIDE, "messages:write"),
    "unmute": Row(SIDE, "messages:write"),
    "block": Row(SIDE, "messages:write"),
    "unblock": Row(SIDE, "messages:write"),
}
MESSAGES = {
    "list": Row(SIDE, "messages:read"),
    "create": Row(SIDE, "messages:write"),
    "search": Row(SIGNED_IN, "messages:read"),
    "report": Row(SIDE, "messages:write"),
}
SETTINGS = {
    "retrieve": Row(SIGNED_IN, "messages:read"),
    "partial_update": Row(SIGNED_IN, "messages:write"),
}
ANNOUNCEMENTS = {
    "list": Row(SIGNED_IN, "messages:read"),
    "create": Row(GOVERNED, "messages:write"),
}
