from django.db import migrations

GUARD = """
CREATE FUNCTION projects_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'version % of project % is published and never changes', OLD.number, OLD.project_id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER projects_version_immutable BEFORE UPDATE OR DELETE ON projects_version
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION projects_version_guard();
"""
UNGUARD = """
DROP TRIGGER projects_version_immutable ON projects_version;
DROP FUNCTION projects_version_guard();
"""
START = "INSERT INTO projects_rollupcursor (id, seen, target, xid, event, floor) VALUES (1, '1:1:', '', 0, 0, 0)"


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_unfunded_places_rollup_cursor")]

    operations = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(START, migrations.RunSQL.noop),
    ]
