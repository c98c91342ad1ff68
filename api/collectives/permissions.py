"""Who may do what with collectives."""

from api.core.permissions import GOVERNED, MEMBER, SIGNED_IN, Row

COLLECTIVES = {
    "list": Row(SIGNED_IN, "collectives:read"),
    "retrieve": Row(MEMBER, "collectives:read"),
    "partial_update": Row(GOVERNED, "collectives:write"),
    "members": Row(MEMBER, "collectives:read"),
}
