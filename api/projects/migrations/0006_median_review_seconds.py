"""The median time to a decision beside the durations it is of: every card of the feed shows it."""

from django.db import migrations, models

FILL = """
UPDATE projects_projectstats
   SET median_review_seconds =
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r) FROM unnest(recent_review_seconds) r)
 WHERE recent_review_seconds <> '{}'
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0005_offers")]
    operations = [
        migrations.AddField("projectstats", "median_review_seconds", models.FloatField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
