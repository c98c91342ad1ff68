"""Who may review."""

from api.core.permissions import GOVERNED, MEMBER, Row

REVIEWS = {
    "list": Row(MEMBER, "reviews:read"),
    "retrieve": Row(MEMBER, "reviews:read"),
    "accept": Row(GOVERNED, "reviews:write"),
    "reject": Row(GOVERNED, "reviews:write"),
    "send_back": Row(GOVERNED, "reviews:write"),
    "bonus": Row(GOVERNED, "reviews:write"),
    "pay_partial": Row(GOVERNED, "reviews:write"),
    "accept_many": Row(GOVERNED, "reviews:write"),
    "reject_many": Row(GOVERNED, "reviews:write"),
    "send_back_many": Row(GOVERNED, "reviews:write"),
}
