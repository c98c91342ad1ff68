from django.db import migrations, models


class Migration(migrations.Migration):
    """A column for whether the answer is stored encrypted. Rows of the version before are not, for their 24 hours."""

    dependencies = [
        ('core', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='idempotencykey',
            name='sealed',
            field=models.BooleanField(db_default=False),
        ),
    ]
