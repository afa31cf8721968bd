"""A counter's day and a gauge's day are two tables, and agencies have sums by quarter-hour."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import partnerkit.django.fields
from partnerkit.django.migrations import _rollups


def unpack(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Moves what is in rollups to the new tables."""
    is_postgres = editor.connection.vendor == "postgresql"
    for statement in (_rollups.POSTGRES if is_postgres else _rollups.SQLITE, *_rollups.MOVED):
        editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('partnerkit', '0002_periods_and_closing'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgencySlots',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'day', 'metric', 'slot', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('day', models.BigIntegerField()),
                ('metric', partnerkit.django.fields.CodePointTextField()),
                ('slot', models.BigIntegerField()),
                ('sum', models.BigIntegerField()),
                ('events', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_agency_slots',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CounterDays',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'day', 'reseller', 'metric', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('day', models.BigIntegerField()),
                ('reseller', models.UUIDField()),
                ('metric', partnerkit.django.fields.CodePointTextField()),
                ('sum', models.BigIntegerField()),
                ('events', models.BigIntegerField()),
                ('slots', models.BinaryField()),
            ],
            options={
                'db_table': 'partnerkit_counter_days',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='GaugeDays',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'reseller', 'metric', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField()),
                ('metric', partnerkit.django.fields.CodePointTextField()),
                ('day', models.BigIntegerField()),
                ('slots', models.BinaryField()),
            ],
            options={
                'db_table': 'partnerkit_gauge_days',
                'default_permissions': (),
            },
        ),
        migrations.RunPython(unpack, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel(
            name='Rollups',
        ),
        migrations.AddField(
            model_name='events',
            name='voided',
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
    ]
