"""Who may do what with projects, their versions, imports and tasks."""

from api.core.permissions import GOVERNED, MEMBER, SIGNED_IN, Row

PROJECTS = {
    "list": Row(SIGNED_IN, "projects:read"),
    "create": Row(GOVERNED, "projects:write"),
    "check": Row(SIGNED_IN, "projects:read"),
    "retrieve": Row(SIGNED_IN, "projects:read"),
    "partial_update": Row(GOVERNED, "projects:write"),
    "destroy": Row(GOVERNED, "projects:write"),
    "discard": Row(GOVERNED, "projects:write"),
    "versions": Row(MEMBER, "projects:read"),
    "quote": Row(MEMBER, "projects:read"),
    "progress": Row(MEMBER, "projects:read"),
    "publish": Row(GOVERNED, "projects:write"),
    "pause": Row(GOVERNED, "projects:write"),
    "resume": Row(GOVERNED, "projects:write"),
    "close": Row(GOVERNED, "projects:write"),
}
VERSIONS = {"retrieve": Row(SIGNED_IN, "work:read")}
BATCHES = {
    "list": Row(MEMBER, "projects:read"),
    "retrieve": Row(MEMBER, "projects:read"),
    "problems": Row(MEMBER, "projects:read"),
    "destroy": Row(GOVERNED, "projects:write"),
}
TASKS = {
    "list": Row(MEMBER, "projects:read"),
    "create": Row(GOVERNED, "projects:write"),
    "retrieve": Row(MEMBER, "projects:read"),
    "destroy": Row(GOVERNED, "projects:write"),
}
