"""An agency that is deleted is closed first, and erased in steps."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('partnerkit', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='agencies',
            name='closed_at',
            field=models.BigIntegerField(null=True),
        ),
    ]
