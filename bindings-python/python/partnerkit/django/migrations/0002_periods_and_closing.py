"""The period of a meter is kept as its instants, and an agency that is deleted is closed first."""

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
        migrations.AddField(
            model_name='meters',
            name='period_end',
            field=models.BigIntegerField(default=-9223372036854775808),
            preserve_default=False,
        ),
    ]
