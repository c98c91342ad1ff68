"""The queue of jobs, who runs them, and mail that waits to be sent."""

import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0002_idempotencykey_sealed'),
        ('django_tasks_database', '0021_conditional_partial_index_ordering'),
    ]

    operations = [
        migrations.CreateModel(
            name='JobWorker',
            fields=[
                ('id', models.TextField(primary_key=True, serialize=False)),
                ('node', models.TextField()),
                ('seen_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Mail',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, primary_key=True, serialize=False)),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
            ],
            options={
                'verbose_name': 'job',
                'verbose_name_plural': 'jobs',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('django_tasks_database.dbtaskresult',),
        ),
        # The package's index has those that wait; this one what runs, what is parked, and what is old enough to forget.
        migrations.RunSQL(
            "CREATE INDEX core_job_taken ON django_tasks_database_dbtaskresult (status, finished_at)"
            " WHERE status <> 'READY'",
            "DROP INDEX core_job_taken",
        ),
    ]
