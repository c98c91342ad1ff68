"""Every user gets a solo collective with the user's own id, in the statement that makes the user."""

from django.db import migrations

FORWARD = """
INSERT INTO collectives_collective (id, kind, name)
VALUES ('00000000-0000-7000-8000-000000000001', 'hall', 'The hall');

CREATE FUNCTION collectives_make_solo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO collectives_collective (id, kind, name)
    VALUES (NEW.id, 'solo', COALESCE(NULLIF(NEW.name, ''), 'User ' || right(replace(NEW.id::text, '-', ''), 6)));
    INSERT INTO collectives_membership (id, collective_id, user_id, role)
    VALUES (gen_random_uuid(), NEW.id, NEW.id, 'owner');
    RETURN NULL;
END $$;
CREATE TRIGGER user_gets_solo AFTER INSERT ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION collectives_make_solo();

CREATE FUNCTION collectives_follow_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE collectives_collective
       SET name = COALESCE(NULLIF(NEW.name, ''), 'User ' || right(replace(NEW.id::text, '-', ''), 6))
     WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER solo_follows_name AFTER UPDATE OF name ON accounts_user
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION collectives_follow_name();
"""
BACKWARD = """
DROP TRIGGER user_gets_solo ON accounts_user;
DROP TRIGGER solo_follows_name ON accounts_user;
DROP FUNCTION collectives_make_solo();
DROP FUNCTION collectives_follow_name();
"""


class Migration(migrations.Migration):
    dependencies = [("collectives", "0001_initial"), ("accounts", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
