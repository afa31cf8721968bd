"""The first version of every table, made by makemigrations."""

from django.db import migrations, models

import partnerkit.django.fields


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Agencies',
            fields=[
                ('agency', partnerkit.django.fields.CodePointTextField(primary_key=True, serialize=False)),
                ('version', models.BigIntegerField()),
                ('time_zone', partnerkit.django.fields.CodePointTextField()),
                ('capacity', partnerkit.django.fields.CodePointTextField()),
                ('reserved_labels', partnerkit.django.fields.CodePointTextField()),
                ('created_at', models.BigIntegerField()),
                ('updated_at', models.BigIntegerField()),
                ('numbered', models.BigIntegerField()),
                ('pruned', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_agencies',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Changes',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'sequence', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('sequence', models.BigIntegerField()),
                ('at', models.BigIntegerField()),
                ('version', models.BigIntegerField()),
                ('id', models.UUIDField()),
                ('kind', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField(null=True)),
                ('actor', partnerkit.django.fields.CodePointTextField(null=True)),
                ('fields', partnerkit.django.fields.CodePointTextField()),
            ],
            options={
                'db_table': 'partnerkit_changes',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Credentials',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'reseller', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField()),
                ('generation', models.BinaryField()),
                ('hash', partnerkit.django.fields.CodePointTextField(null=True)),
            ],
            options={
                'db_table': 'partnerkit_credentials',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Meters',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'reseller', 'metric', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField()),
                ('metric', partnerkit.django.fields.CodePointTextField()),
                ('value', models.BigIntegerField()),
                ('events', models.BigIntegerField()),
                ('period', models.BigIntegerField()),
                ('period_used', models.BigIntegerField()),
                ('last_at', models.BigIntegerField()),
                ('last_event', partnerkit.django.fields.CodePointTextField(null=True)),
                ('usage_limit', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': 'partnerkit_meters',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='PendingChanges',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'at', 'version', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('at', models.BigIntegerField()),
                ('version', models.BigIntegerField()),
                ('id', models.UUIDField()),
                ('kind', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField(null=True)),
                ('actor', partnerkit.django.fields.CodePointTextField(null=True)),
                ('fields', partnerkit.django.fields.CodePointTextField()),
            ],
            options={
                'db_table': 'partnerkit_pending_changes',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Rollups',
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
                'db_table': 'partnerkit_rollups',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Secrets',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('id', models.BigIntegerField()),
                ('secret', models.BinaryField()),
                ('created_at', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_secrets',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Totals',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'name', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('name', partnerkit.django.fields.CodePointTextField()),
                ('value', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_totals',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Attempts',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'attempt', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('attempt', models.BinaryField()),
                ('failures', models.BigIntegerField()),
                ('blocked_until', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_attempts',
                'default_permissions': (),
                'indexes': [models.Index(fields=['agency', 'blocked_until'], name='partnerkit_attempts_age')],
            },
        ),
        migrations.CreateModel(
            name='Events',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('id', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField()),
                ('metric', partnerkit.django.fields.CodePointTextField()),
                ('quantity', models.BigIntegerField()),
                ('at', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_events',
                'default_permissions': (),
                'indexes': [models.Index(fields=['agency', 'at'], name='partnerkit_events_age')],
            },
        ),
        migrations.CreateModel(
            name='Idempotency',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'idempotency_key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('idempotency_key', partnerkit.django.fields.CodePointTextField()),
                ('fingerprint', models.BinaryField()),
                ('reseller', models.UUIDField()),
                ('version', models.BigIntegerField()),
                ('created_at', models.BigIntegerField()),
            ],
            options={
                'db_table': 'partnerkit_idempotency',
                'default_permissions': (),
                'indexes': [models.Index(fields=['agency', 'created_at'], name='partnerkit_idempotency_age')],
            },
        ),
        migrations.CreateModel(
            name='Labels',
            fields=[
                ('label', partnerkit.django.fields.CodePointTextField(primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('reseller', models.UUIDField(null=True)),
                ('quarantined_until', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': 'partnerkit_labels',
                'default_permissions': (),
                'indexes': [models.Index(fields=['quarantined_until'], name='partnerkit_labels_quarantine')],
            },
        ),
        migrations.CreateModel(
            name='Resellers',
            fields=[
                ('pk', models.CompositePrimaryKey('agency', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('agency', partnerkit.django.fields.CodePointTextField()),
                ('id', models.UUIDField()),
                ('version', models.BigIntegerField()),
                ('status', partnerkit.django.fields.CodePointTextField()),
                ('deactivation_reason', partnerkit.django.fields.CodePointTextField(null=True)),
                ('partner_type', partnerkit.django.fields.CodePointTextField()),
                ('login_domain', partnerkit.django.fields.CodePointTextField()),
                ('name', partnerkit.django.fields.CodePointTextField()),
                ('email', partnerkit.django.fields.CodePointTextField()),
                ('email_key', partnerkit.django.fields.CodePointTextField()),
                ('phone', partnerkit.django.fields.CodePointTextField()),
                ('contact_name', partnerkit.django.fields.CodePointTextField()),
                ('contact_email', partnerkit.django.fields.CodePointTextField()),
                ('contact_phone', partnerkit.django.fields.CodePointTextField()),
                ('website', partnerkit.django.fields.CodePointTextField(null=True)),
                ('external_id', partnerkit.django.fields.CodePointTextField(null=True)),
                ('metadata', partnerkit.django.fields.CodePointTextField()),
                ('created_at', models.BigIntegerField()),
                ('updated_at', models.BigIntegerField()),
                ('sort_name', partnerkit.django.fields.CodePointTextField()),
                ('sort_email', partnerkit.django.fields.CodePointTextField()),
                ('search_text', partnerkit.django.fields.CodePointTextField()),
            ],
            options={
                'db_table': 'partnerkit_resellers',
                'default_permissions': (),
                'indexes': [models.Index(fields=['agency', 'created_at', 'id'], name='partnerkit_resellers_by_joined'), models.Index(fields=['agency', 'sort_name', 'id'], name='partnerkit_resellers_by_name'), models.Index(fields=['agency', 'sort_email', 'id'], name='partnerkit_resellers_by_email')],
                'constraints': [models.UniqueConstraint(fields=('agency', 'email_key'), name='partnerkit_resellers_email'), models.UniqueConstraint(fields=('agency', 'external_id'), name='partnerkit_resellers_external_id')],
            },
        ),
    ]
