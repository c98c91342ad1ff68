"""What workers do, and the clocks that run meanwhile."""

from api.work.services.claim import Claim, claim_next, claim_task
from api.work.services.handback import (
    expire_overdue,
    lock_projects,
    resubmit_overdue,
    return_assignment,
    settle_rejections,
)
from api.work.services.hiding import hide_project, show_project
from api.work.services.leaving import close_account
from api.work.services.restored import forget_old_transactions
from api.work.services.submit import Submission, save_draft, submit_answer

__all__ = [
    "Claim",
    "Submission",
    "claim_next",
    "claim_task",
    "close_account",
    "expire_overdue",
    "forget_old_transactions",
    "hide_project",
    "lock_projects",
    "resubmit_overdue",
    "return_assignment",
    "save_draft",
    "settle_rejections",
    "show_project",
    "submit_answer",
]
