"""The hot path: claim and submit, each one call of a function whose plans the server keeps.

`docs/work.md` says why it is done so.
"""

from django.db import migrations

FORWARD = r"""
ALTER TABLE work_participation ADD COLUMN seen int4multirange NOT NULL DEFAULT '{}';
-- Rows are rewritten in place (no indexed column changes), if their page has room for a second copy.
ALTER TABLE work_participation SET (fillfactor = 60);
ALTER TABLE projects_opentask SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE work_assignment SET (fillfactor = 80);

-- The name under which a collective knows a worker: made once, 8 letters and digits that cannot be misread.
CREATE FUNCTION work_pseudonym(p_collective uuid, p_worker uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    alphabet constant text := 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
BEGIN
    WHILE NOT EXISTS (
        SELECT 1 FROM collectives_pseudonym WHERE collective_id = p_collective AND worker_id = p_worker
    ) LOOP
        INSERT INTO collectives_pseudonym (collective_id, worker_id, alias)
        SELECT p_collective, p_worker, string_agg(substr(alphabet, 1 + get_byte(b, i) % 30, 1), '')
          FROM (SELECT uuid_send(gen_random_uuid()) AS b) r, unnest(ARRAY[0, 1, 2, 3, 4, 5, 9, 10]) AS i
        ON CONFLICT DO NOTHING;
    END LOOP;
END $$;

-- Take one place of the task at a position: true when this call took it. A rival that holds the row is passed over
-- unless p_wait; one that finished has either left a place or removed the row.
CREATE FUNCTION work_take_place(p_project uuid, p_position int, p_wait boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_free int;
BEGIN
    IF p_wait THEN
        SELECT free INTO v_free FROM projects_opentask
         WHERE project_id = p_project AND position = p_position FOR UPDATE;
    ELSE
        SELECT free INTO v_free FROM projects_opentask
         WHERE project_id = p_project AND position = p_position FOR UPDATE SKIP LOCKED;
    END IF;
    IF v_free IS NULL THEN
        RETURN false;
    ELSIF v_free = 1 THEN
        DELETE FROM projects_opentask WHERE project_id = p_project AND position = p_position;
    ELSE
        UPDATE projects_opentask SET free = free - 1 WHERE project_id = p_project AND position = p_position;
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION work_claim(
    p_id uuid, p_worker uuid, p_project uuid, p_task uuid, p_hold_limit int,
    OUT code text, OUT task_id uuid, OUT version_id uuid, OUT reward bigint, OUT currency text,
    OUT claimed_at timestamptz, OUT expires_at timestamptz, OUT input jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    pr record;
    part record;
    cand record;
    v_seen int4multirange;
    v_next int;
    v_cur int;
    v_bound int;
    v_end int;
    v_tries int := 0;
    v_position int;
    v_horizon bigint;
BEGIN
    SELECT p.state, p.collective_id, p.last_position, p.currency, v.max_tasks_per_worker INTO pr
      FROM projects_project p LEFT JOIN projects_version v ON v.id = p.published_id
     WHERE p.id = p_project;
    IF NOT FOUND OR pr.state = 'draft' THEN code := 'not_found'; RETURN; END IF;
    IF pr.state <> 'published' THEN code := 'project_not_open'; RETURN; END IF;
    IF pr.collective_id = p_worker THEN code := 'own_project'; RETURN; END IF;

    SELECT w.id, w.next_position, w.seen, w.reopened_seen, w.reopened_position, w.taken,
           w.claims INTO part
      FROM work_participation w WHERE w.worker_id = p_worker AND w.project_id = p_project FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO work_participation (project_id, worker_id, next_position)
        VALUES (p_project, p_worker, floor(random() * (pr.last_position + 1))::int)
        ON CONFLICT ON CONSTRAINT participation_once DO NOTHING;
        SELECT w.id, w.next_position, w.seen, w.reopened_seen, w.reopened_position, w.taken,
           w.claims INTO part
          FROM work_participation w WHERE w.worker_id = p_worker AND w.project_id = p_project FOR UPDATE;
        PERFORM work_pseudonym(pr.collective_id, p_worker);
    END IF;
    IF part.taken >= pr.max_tasks_per_worker THEN code := 'worker_limit'; RETURN; END IF;
    IF (SELECT count(*) FROM work_assignment a
         WHERE a.worker_id = p_worker AND a.state IN ('claimed', 'sent_back')) >= p_hold_limit THEN
        code := 'hold_limit'; RETURN;
    END IF;
    v_seen := part.seen;
    v_next := part.next_position;
    v_end := pr.last_position + 1;

    IF p_task IS NOT NULL THEN
        -- One task that the worker named.
        SELECT t.position INTO v_cur FROM projects_task t WHERE t.id = p_task AND t.project_id = p_project;
        IF NOT FOUND THEN code := 'not_found'; RETURN; END IF;
        IF EXISTS (SELECT 1 FROM work_assignment a WHERE a.task_id = p_task AND a.worker_id = p_worker) THEN
            code := 'already_had'; RETURN;
        END IF;
        IF NOT work_take_place(p_project, v_cur, true) THEN code := 'task_taken'; RETURN; END IF;
        v_position := v_cur;
        task_id := p_task;
        v_seen := v_seen + int4multirange(int4range(v_cur, v_cur + 1));
    ELSE
        -- First, places that were given back since this worker last looked, oldest first. Only those of
        -- transactions that all older ones have ended before: so none can appear behind the mark later.
        v_horizon := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
        LOOP
            SELECT o.position, o.task_id, o.reopened INTO cand FROM projects_opentask o
             WHERE o.project_id = p_project AND o.reopened IS NOT NULL AND o.reopened < v_horizon
               AND (o.reopened, o.position) > (part.reopened_seen, part.reopened_position)
             ORDER BY o.reopened, o.position LIMIT 1;
            EXIT WHEN NOT FOUND;
            part.reopened_seen := cand.reopened;
            part.reopened_position := cand.position;
            CONTINUE WHEN EXISTS (
                SELECT 1 FROM work_assignment a WHERE a.task_id = cand.task_id AND a.worker_id = p_worker
            );
            IF work_take_place(p_project, cand.position, false) THEN
                v_position := cand.position;
                task_id := cand.task_id;
                v_seen := v_seen + int4multirange(int4range(cand.position, cand.position + 1));
                EXIT;
            END IF;
            -- A rival holds it, and may let go of it again: the walk below shall look once more.
            v_seen := v_seen - int4multirange(int4range(cand.position, cand.position + 1));
        END LOOP;

        -- Then onwards around the ring of positions, from this worker's own place in it.
        WHILE v_position IS NULL AND NOT v_seen @> int4range(0, v_end) LOOP
            v_tries := v_tries + 1;
            v_cur := CASE WHEN v_next >= v_end THEN 0 ELSE v_next END;
            SELECT upper(r) INTO v_next FROM unnest(v_seen) r WHERE r @> v_cur;
            IF FOUND THEN
                CONTINUE WHEN v_next >= v_end;
                v_cur := v_next;
            END IF;
            SELECT LEAST(min(lower(r)), v_end) INTO v_bound FROM unnest(v_seen) r WHERE lower(r) > v_cur;
            v_bound := COALESCE(v_bound, v_end);
            SELECT o.position, o.task_id INTO cand FROM projects_opentask o
             WHERE o.project_id = p_project AND o.position >= v_cur AND o.position < v_bound
               AND NOT EXISTS (
                   SELECT 1 FROM work_assignment a WHERE a.task_id = o.task_id AND a.worker_id = p_worker
               )
             ORDER BY o.position LIMIT 1;
            IF NOT FOUND THEN
                v_seen := v_seen + int4multirange(int4range(v_cur, v_bound));
                v_next := v_bound;
            ELSE
                v_next := cand.position + 1;
                IF work_take_place(p_project, cand.position, v_tries > 8) THEN
                    v_position := cand.position;
                    task_id := cand.task_id;
                    v_seen := v_seen + int4multirange(int4range(v_cur, v_next));
                ELSE
                    v_seen := v_seen + int4multirange(int4range(v_cur, cand.position));
                END IF;
                -- Others have been here: walk on from a place of one's own, not behind them in a queue.
                IF (cand.position - v_cur > 64 OR v_position IS NULL)
                   AND (SELECT count(*) FROM unnest(v_seen)) < 16 THEN
                    v_next := floor(random() * v_end)::int;
                END IF;
            END IF;
        END LOOP;
    END IF;

    UPDATE work_participation w
       SET next_position = v_next, seen = v_seen, reopened_seen = part.reopened_seen,
           reopened_position = part.reopened_position, taken = w.taken + (v_position IS NOT NULL)::int,
           claims = w.claims + (v_position IS NOT NULL)::int
     WHERE w.id = part.id;
    IF v_position IS NULL THEN code := 'no_task_left'; RETURN; END IF;

    -- Read only now, with the place in hand: whoever changes the price locks all open places first, so this is the
    -- price the place is funded at.
    SELECT v.id, v.reward, v.claim_lasts, t.input INTO STRICT cand
      FROM projects_project p JOIN projects_version v ON v.id = p.published_id, projects_task t
     WHERE p.id = p_project AND t.id = work_claim.task_id;
    version_id := cand.id;
    reward := cand.reward;
    currency := pr.currency;
    claimed_at := clock_timestamp();
    expires_at := claimed_at + cand.claim_lasts;
    input := cand.input;
    INSERT INTO work_assignment
        (id, project_id, version_id, task_id, worker_id, position, state, reward, claimed_at, expires_at, late)
    VALUES (p_id, p_project, version_id, task_id, p_worker, v_position, 'claimed', reward, claimed_at, expires_at,
            false);
    INSERT INTO work_move (assignment_id, "to", by_id) VALUES (p_id, 'claimed', p_worker);
    INSERT INTO realtime_event (type, subject_id, audience, data)
    VALUES ('assignment.claimed', p_id, ARRAY[p_worker], jsonb_build_object(
        'project', p_project, 'first', part.claims = 0));
END $$;

CREATE FUNCTION work_submit(
    p_id uuid, p_worker uuid, p_answer jsonb, p_grace interval,
    OUT code text, OUT submitted_at timestamptz, OUT auto_accept_at timestamptz, OUT late boolean
) LANGUAGE plpgsql AS $$
DECLARE
    a record;
    pr record;
BEGIN
    SELECT w.state, w.project_id, w.version_id, w.claimed_at, w.expires_at, w.answer, w.submitted_at,
           w.auto_accept_at, w.late
      INTO a FROM work_assignment w WHERE w.id = p_id AND w.worker_id = p_worker FOR UPDATE;
    IF NOT FOUND THEN code := 'not_found'; RETURN; END IF;
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
BACKWARD = """
DROP FUNCTION work_submit(uuid, uuid, jsonb, interval);
DROP FUNCTION work_claim(uuid, uuid, uuid, uuid, int);
DROP FUNCTION work_take_place(uuid, int, boolean);
DROP FUNCTION work_pseudonym(uuid, uuid);
ALTER TABLE work_participation DROP COLUMN seen;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0001_initial"),
        ("projects", "0001_initial"),
        ("collectives", "0002_solo_collectives"),
        ("realtime", "0001_initial"),
    ]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
