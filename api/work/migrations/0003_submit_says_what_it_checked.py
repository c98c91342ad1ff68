"""`work_submit` takes the version whose schema the answer was checked against, so that nobody has to ask for it first.

The one without it stays for nodes of the release before, and goes with the next.
"""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION work_submit(
    p_id uuid, p_worker uuid, p_checked uuid, p_answer jsonb, p_grace interval,
    OUT code text, OUT version_id uuid, OUT project_id uuid,
    OUT submitted_at timestamptz, OUT auto_accept_at timestamptz, OUT late boolean
) LANGUAGE plpgsql AS $$
DECLARE
    a record;
    pr record;
BEGIN
    SELECT w.state, w.project_id, w.version_id, w.claimed_at, w.expires_at, w.answer, w.submitted_at,
           w.auto_accept_at, w.late
      INTO a FROM work_assignment w WHERE w.id = p_id AND w.worker_id = p_worker FOR UPDATE;
    IF NOT FOUND THEN code := 'not_found'; RETURN; END IF;
    version_id := a.version_id;
    project_id := a.project_id;
    -- The caller has checked the answer against another version's schema, or found it wanting.
    IF a.version_id IS DISTINCT FROM p_checked THEN code := 'unchecked'; RETURN; END IF;
    IF a.state = 'submitted' AND a.answer = p_answer THEN
        submitted_at := a.submitted_at; auto_accept_at := a.auto_accept_at; late := a.late;
        RETURN;
    END IF;
    IF a.state NOT IN ('claimed', 'sent_back') THEN code := 'wrong_state'; RETURN; END IF;
    submitted_at := clock_timestamp();
    IF submitted_at > a.expires_at + p_grace THEN code := 'too_late'; RETURN; END IF;
    SELECT p.collective_id, v.auto_accept_after INTO STRICT pr
      FROM projects_version v JOIN projects_project p ON p.id = v.project_id WHERE v.id = a.version_id;
    auto_accept_at := submitted_at + pr.auto_accept_after;
    late := submitted_at > a.expires_at;
    UPDATE work_assignment w
       SET state = 'submitted', answer = p_answer, submitted_at = work_submit.submitted_at,
           auto_accept_at = work_submit.auto_accept_at, late = work_submit.late, draft = NULL,
           draft_saved_at = NULL
     WHERE w.id = p_id;
    INSERT INTO work_move (assignment_id, "to", by_id) VALUES (p_id, 'submitted', p_worker);
    INSERT INTO realtime_event (type, subject_id, audience, data)
    VALUES ('assignment.submitted', p_id, ARRAY[pr.collective_id, p_worker], jsonb_build_object(
        'project', a.project_id, 'from', a.state, 'seconds',
        CASE a.state WHEN 'claimed' THEN round(extract(epoch FROM submitted_at - a.claimed_at), 3) END));
END $$;
"""
BACKWARD = "DROP FUNCTION work_submit(uuid, uuid, uuid, jsonb, interval);"


class Migration(migrations.Migration):
    dependencies = [("work", "0002_claim_and_submit")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
