"""Who may do what with work."""

from api.core.permissions import SIGNED_IN, WORKER, Row

FEED = {
    "list": Row(SIGNED_IN, "work:read"),
    "retrieve": Row(SIGNED_IN, "work:read"),
    "hide": Row(SIGNED_IN, "work:write"),
    "show": Row(SIGNED_IN, "work:write"),
    "summary": Row(SIGNED_IN, "work:read"),
}
CLAIMS = {
    "claim": Row(SIGNED_IN, "work:write"),
    "claim_task": Row(SIGNED_IN, "work:write"),
}
ASSIGNMENTS = {
    "list": Row(WORKER, "work:read"),
    "retrieve": Row(WORKER, "work:read"),
    "draft": Row(WORKER, "work:write"),
    "submit": Row(WORKER, "work:write"),
    "give_back": Row(WORKER, "work:write"),
    "skip": Row(WORKER, "work:write"),
}
