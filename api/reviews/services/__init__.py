"""What requesters decide about answers, and what they pay beyond."""

from api.reviews.services.accept import accept_assignment, accept_due, accept_many
from api.reviews.services.pay import pay_bonus, pay_part
from api.reviews.services.refuse import reject_assignment, reject_many, send_back, send_back_many

__all__ = [
    "accept_assignment",
    "accept_due",
    "accept_many",
    "pay_bonus",
    "pay_part",
    "reject_assignment",
    "reject_many",
    "send_back",
    "send_back_many",
]
