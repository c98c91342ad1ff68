from django.db import migrations, models
from django.db.models.expressions import RawSQL, Value


class Migration(migrations.Migration):
    dependencies = [("realtime", "0002_notifications")]

    # Events that are there already get 0, of which nobody can tell what was missed since; the default is for new ones.
    operations = [
        migrations.AddField("event", "oldest", models.BigIntegerField(db_default=Value(0))),
        migrations.AlterField(
            "event",
            "oldest",
            models.BigIntegerField(db_default=RawSQL("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])),
        ),
    ]
