"""What the ledger's audit asks of work: that every escrow holds what is still owed, and that no place is lost."""

from api.ledger import audits

# What one assignment at a reward costs: with the hall's fee, rounded up, as `core.money.fee_of` has it.
_COST = "({reward} + ({reward} * p.fee_bps + 9999) / 10000)"
# Assignments whose money is in escrow and whose place is not open. A rejection holds both until it is settled.
_HELD = "(a.state IN ('claimed', 'submitted', 'sent_back') OR a.state = 'rejected' AND a.settles_at IS NOT NULL)"


def escrows_hold_what_is_owed() -> list[str]:
    """Open places at the published price and held assignments at their own reward make up the escrow exactly."""
    return audits.problems_in(
        f"""
        SELECT p.id, COALESCE(e.balance, 0), COALESCE(o.owed, 0) + COALESCE(h.owed, 0)
          FROM projects_project p
          LEFT JOIN (
              SELECT held_for_id, sum(balance) AS balance FROM ledger_purse
               WHERE kind = 'escrow' AND held_for_kind = 'project' GROUP BY 1
          ) e ON e.held_for_id = p.id
          LEFT JOIN (
              SELECT o.project_id, sum(o.free * {_COST.format(reward="v.reward")}) AS owed
                FROM projects_opentask o
                JOIN projects_project p ON p.id = o.project_id
                JOIN projects_version v ON v.id = p.published_id
               GROUP BY 1
          ) o ON o.project_id = p.id
          LEFT JOIN (
              SELECT a.project_id, sum({_COST.format(reward="a.reward")}) AS owed
                FROM work_assignment a JOIN projects_project p ON p.id = a.project_id
               WHERE {_HELD} GROUP BY 1
          ) h ON h.project_id = p.id
         WHERE COALESCE(e.balance, 0) <> COALESCE(o.owed, 0) + COALESCE(h.owed, 0)
        """,  # noqa: S608
        "the escrow of project {0} holds {1} and owes {2}",
    ) + audits.problems_in(
        "SELECT e.id, e.held_for_id, e.balance FROM ledger_purse e LEFT JOIN projects_project p ON p.id = e.held_for_id"
        " WHERE e.kind = 'escrow' AND e.held_for_kind = 'project' AND p.id IS NULL",
        "escrow {0} holds {2} for project {1}, which is not there",
    )


def places_add_up() -> list[str]:
    """In a published or paused project every task's places are open, wait for money, or are held or accepted."""
    return audits.problems_in(
        f"""
        SELECT t.project_id, t.position, COALESCE(o.free, 0), COALESCE(u.places, 0), COALESCE(a.taken, 0),
               p.assignments_per_task
          FROM projects_project p
          JOIN projects_task t ON t.project_id = p.id
          LEFT JOIN projects_opentask o ON o.project_id = t.project_id AND o.position = t.position
          LEFT JOIN projects_unfundedplace u ON u.project_id = t.project_id AND u.position = t.position
          LEFT JOIN (
              SELECT a.task_id, count(*) AS taken FROM work_assignment a
               WHERE a.state = 'accepted' OR {_HELD} GROUP BY 1
          ) a ON a.task_id = t.id
         WHERE p.state IN ('published', 'paused')
           AND COALESCE(o.free, 0) + COALESCE(u.places, 0) + COALESCE(a.taken, 0) <> p.assignments_per_task
        """,  # noqa: S608
        "task {1} of project {0} has {2} places open, {3} waiting and {4} taken, of {5}",
    ) + audits.problems_in(
        "SELECT o.project_id, o.position, p.state FROM projects_opentask o"
        " LEFT JOIN projects_project p ON p.id = o.project_id"
        " WHERE p.state IS NULL OR p.state NOT IN ('published', 'paused')",
        "task {1} of project {0}, which is {2}, has open places",
    )


def nothing_beyond_its_places() -> list[str]:
    """No task has more assignments that hold a place than it has places, whatever has become of its project."""
    return audits.problems_in(
        """
        SELECT a.project_id, a.task_id, count(*), min(p.assignments_per_task)
          FROM work_assignment a JOIN projects_project p ON p.id = a.project_id
         WHERE a.state IN ('claimed', 'submitted', 'sent_back', 'accepted')
         GROUP BY 1, 2 HAVING count(*) > min(p.assignments_per_task)
        """,
        "task {1} of project {0} has {2} live assignments, of {3}",
    )


def register() -> None:
    audits.register("every escrow holds what its project still owes", escrows_hold_what_is_owed)
    audits.register("every task's places are open, waiting or taken", places_add_up)
    audits.register("no task has more live assignments than places", nothing_beyond_its_places)
