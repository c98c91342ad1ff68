"""What the feed sorts by, in one narrow table with an index for each order, kept by triggers."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

KEYS = ("published_at", "wage", "reward", "open_places")
FORWARD = r"""
-- Make the offers of these projects what the projects are now. The progress of each is locked first, in the order of
-- ids: the roll-up locks it before it gets here, and whoever publishes or adds tasks must not do it the other way around.
CREATE FUNCTION projects_write_offers(p_projects uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM projects_projectstats WHERE project_id = ANY(p_projects) ORDER BY project_id FOR NO KEY UPDATE;
    DELETE FROM projects_offer o USING projects_project p
     WHERE o.project_id = ANY(p_projects) AND p.id = o.project_id AND p.state <> 'published';
    INSERT INTO projects_offer AS o (project_id, collective_id, published_at, reward, wage, open_places, last_position,
                                     max_tasks_per_worker, keywords, text)
    SELECT p.id, p.collective_id, p.published_at, v.reward,
           COALESCE(s.hourly_wage, (v.reward * 60 / NULLIF(v.expected_minutes, 0))::bigint, 0),
           s.open_places, p.last_position, v.max_tasks_per_worker, v.keywords,
           lower(concat_ws(E'\n', v.title, v.summary, c.name, array_to_string(v.keywords, ' ')))
      FROM projects_project p
      JOIN projects_version v ON v.id = p.published_id
      JOIN projects_projectstats s ON s.project_id = p.id
      JOIN collectives_collective c ON c.id = p.collective_id
     WHERE p.id = ANY(p_projects) AND p.state = 'published'
     ORDER BY p.id
        ON CONFLICT (project_id) DO UPDATE SET
           collective_id = EXCLUDED.collective_id, published_at = EXCLUDED.published_at, reward = EXCLUDED.reward,
           wage = EXCLUDED.wage, open_places = EXCLUDED.open_places, last_position = EXCLUDED.last_position,
           max_tasks_per_worker = EXCLUDED.max_tasks_per_worker, keywords = EXCLUDED.keywords, text = EXCLUDED.text
     WHERE (o.*) IS DISTINCT FROM (EXCLUDED.*);
END $$;

CREATE FUNCTION projects_offers_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_write_offers(array_agg(id)) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER offers_of_new_projects AFTER INSERT ON projects_project
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION projects_offers_of_projects();
CREATE TRIGGER offers_of_projects AFTER UPDATE ON projects_project
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION projects_offers_of_projects();

CREATE FUNCTION projects_offers_of_stats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_write_offers(array_agg(project_id)) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER offers_of_new_stats AFTER INSERT ON projects_projectstats
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION projects_offers_of_stats();
CREATE TRIGGER offers_of_stats AFTER UPDATE ON projects_projectstats
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION projects_offers_of_stats();

CREATE FUNCTION projects_offers_of_collective() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_write_offers(array_agg(project_id))
       FROM projects_offer WHERE collective_id = NEW.id HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER offers_of_collective AFTER UPDATE OF name ON collectives_collective
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION projects_offers_of_collective();

SELECT projects_write_offers(array_agg(id)) FROM projects_project WHERE state = 'published' HAVING count(*) > 0;
"""
BACKWARD = """
DROP TRIGGER offers_of_collective ON collectives_collective;
DROP TRIGGER offers_of_stats ON projects_projectstats;
DROP TRIGGER offers_of_new_stats ON projects_projectstats;
DROP TRIGGER offers_of_projects ON projects_project;
DROP TRIGGER offers_of_new_projects ON projects_project;
DROP FUNCTION projects_offers_of_collective();
DROP FUNCTION projects_offers_of_stats();
DROP FUNCTION projects_offers_of_projects();
DROP FUNCTION projects_write_offers(uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("collectives", "0002_solo_collectives"),
        ("projects", "0004_minute_waits_for_no_project"),
    ]
    operations = [
        migrations.CreateModel(
            name="Offer",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                (
                    "collective",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="collectives.collective",
                    ),
                ),
                ("published_at", models.DateTimeField()),
                ("reward", models.BigIntegerField()),
                ("wage", models.BigIntegerField()),
                ("open_places", models.IntegerField()),
                ("last_position", models.IntegerField()),
                ("max_tasks_per_worker", models.PositiveIntegerField(null=True)),
                (
                    "keywords",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                ("text", models.TextField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("open_places__gt", 0)), fields=[key, "project"], name=f"offer_by_{key}"
                    )
                    for key in KEYS
                ],
            },
        ),
        migrations.RemoveIndex(model_name="project", name="project_open_newest"),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
