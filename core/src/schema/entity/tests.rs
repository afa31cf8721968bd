//! Every entity comes back as it was stored, from columns of the kinds that it declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::{Entity, Fields, Stored};
use crate::access::{
    AttemptKey, Attempts, Credentials, CredentialsRow, Generation, Secret, SecretRow,
};
use crate::agency::{AgencyRow, AgencySettings};
use crate::changes::{Change, ChangeKind, PendingChange};
use crate::login_domain::{LabelRow, LabelState};
use crate::partner_type::PartnerType;
use crate::reseller::{ContactPerson, IdempotencyRow, Reseller, ResellerId, Status};
use crate::schema::{Kind, Row, Value};
use crate::usage::{
    AgencySlot, AgencySlotKey, CounterDay, CounterSlot, DayKey, Event, EventId, GaugeDay,
    GaugeDayKey, GaugeSlot, Meter, MeterKey, Metric, Period, TotalRow, WHOLE_DAY,
};
use crate::values::{
    AgencyId, Email, ExternalId, LoginDomain, Metadata, Name, Phone, Timestamp, Website,
};

/// The record comes back; its row has the shape of the table, and the key where the table says.
fn comes_back<E: Entity + PartialEq + Debug>(record: &E, agency: &AgencyId) {
    let (columns, mut row) = (E::TABLE.columns, record.to_row(agency).expect("a row"));
    assert_eq!(row.len(), columns.len());
    let key = E::TABLE.key_of(&row);
    let own: Row = key.iter().skip(key.len() - E::Key::COLUMNS.len()).cloned().collect();
    let mut own = Fields(own.into_iter());
    assert_eq!(E::key_row(agency, &E::Key::read(&mut own).expect("a key")), key);
    for (column, value) in columns.iter().zip(&mut row) {
        let fits = match value {
            Value::Null => column.nullable,
            Value::Integer(_) => column.kind == Kind::Integer,
            Value::Text(_) => column.kind == Kind::Text,
            Value::Bytes(_) => column.kind == Kind::Bytes,
            Value::Uuid(_) => column.kind == Kind::Uuid,
        };
        assert!(fits, "{value:?} in {column:?}");
        if column.derived {
            *value = Value::Null; // as a store gives it
        }
    }
    assert_eq!(E::from_row(row.clone()).as_ref().ok(), Some(record));
    let own = columns.iter().enumerate().skip(usize::from(E::IS_LED));
    for (place, column) in own.filter(|(_, column)| !column.derived) {
        let mut other = row.clone();
        let of_another_kind = if column.kind == Kind::Integer {
            Value::Bytes(Vec::new())
        } else {
            Value::Integer(-1)
        };
        other[place] = of_another_kind;
        assert!(E::from_row(other).is_err(), "{column:?} is not looked at");
    }
    row.pop();
    assert!(E::from_row(row).is_err(), "a column is missing");
}

fn at() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn id() -> impl Strategy<Value = ResellerId> {
    uuid().prop_map(ResellerId::from_uuid)
}

fn number() -> impl Strategy<Value = u64> {
    (0..=i64::MAX).prop_map(i64::unsigned_abs)
}

fn agency() -> impl Strategy<Value = AgencyId> {
    "[a-z]{1,9}".prop_map(AgencyId::from_stored)
}

fn label() -> impl Strategy<Value = LoginDomain> {
    "[a-z]{1,9}".prop_map(LoginDomain::from_stored)
}

fn event_id() -> impl Strategy<Value = EventId> {
    any::<String>().prop_map(EventId::from_stored)
}

fn meter_key() -> impl Strategy<Value = MeterKey> {
    let metric = select(&Metric::ALL[..]);
    (id(), metric).prop_map(|(reseller, metric)| MeterKey { reseller, metric })
}

prop_compose! {
    fn person()(name: String, email: String, phone: String) -> ContactPerson {
        ContactPerson {
            name: Name::from_stored(name),
            email: Email::from_stored(email),
            phone: Phone::from_stored(phone),
        }
    }
}

prop_compose! {
    fn reseller()(
        (agency, id, version, login_domain) in (agency(), id(), number(), label()),
        (own, contact) in (person(), person()),
        status in select(&[Status::Active, Status::Inactive][..]),
        partner_type in select(&[PartnerType::OwnPlans, PartnerType::Commission][..]),
        deactivation_reason: Option<String>,
        website: Option<String>,
        external_id: Option<String>,
        metadata: BTreeMap<String, String>,
        (created_at, updated_at) in (at(), at()),
    ) -> Reseller {
        let ContactPerson { name, email, phone } = own;
        Reseller {
            agency, id, version, status, deactivation_reason, partner_type, name, email, phone,
            contact, login_domain,
            website: website.map(Website::from_stored),
            external_id: external_id.map(ExternalId::from_stored),
            metadata: Metadata::from_stored(metadata),
            created_at, updated_at,
        }
    }
}

prop_compose! {
    fn agency_row()(
        (agency, version) in (agency(), number()),
        time_zone: String,
        capacity in btree_map(select(&Metric::ALL[..]), any::<i64>(), 0..3),
        reserved_labels in btree_set(label(), 0..3),
        (created_at, updated_at, closed_at) in (at(), at(), of(at())),
        (numbered, pruned) in (number(), number()),
    ) -> AgencyRow {
        let reserved_labels: BTreeSet<_> = reserved_labels;
        let settings = AgencySettings {
            agency, version, time_zone, capacity, reserved_labels, created_at, updated_at,
        };
        AgencyRow { settings, numbered, pruned, closed_at }
    }
}

prop_compose! {
    fn change()(
        (sequence, id, version, at) in (number(), uuid(), number(), at()),
        kind in select(&[ChangeKind::AgencyCreated, ChangeKind::PartnerTypeChanged][..]),
        reseller in of(id()),
        actor: Option<String>,
        fields: Vec<String>,
    ) -> Change {
        Change { sequence, id, kind, reseller, version, at, actor, fields }
    }
}

prop_compose! {
    fn meter()(
        key in meter_key(),
        (value, events, period_used, limit) in any::<(i64, i64, i64, Option<i64>)>(),
        (start, end, last_at) in (at(), at(), at()),
        last_event in of(event_id()),
    ) -> Meter {
        let period = Period { start, end };
        Meter { key, value, events, period, period_used, last_at, last_event, limit }
    }
}

prop_compose! {
    fn counter_day()(
        (day, meter) in (any::<i32>(), meter_key()),
        (sum, events) in any::<(i64, i64)>(),
        slots in vec((0..96_u8, any::<u64>(), any::<i64>()), 0..3),
    ) -> CounterDay {
        let slot = |(slot, events, sum)| (slot, CounterSlot { events, sum });
        let slots = slots.into_iter().map(slot).collect();
        CounterDay { key: DayKey { day, meter }, sum, events, slots }
    }
}

prop_compose! {
    fn gauge_day()(
        (day, meter) in (any::<i32>(), meter_key()),
        slots in vec((0..96_u8, any::<(u64, i64, i64, i64, i64)>(), any::<String>()), 0..3),
    ) -> GaugeDay {
        let slot = |(slot, (events, min, max, last, last_at), last_event)| {
            (slot, GaugeSlot { events, min, max, last, last_at, last_event })
        };
        let slots = slots.into_iter().map(slot).collect();
        GaugeDay { key: GaugeDayKey { meter, day }, slots }
    }
}

proptest! {
    #[test]
    fn what_is_an_agencys_comes_back(
        of in agency(), row in agency_row(), change in change(), name: String, value: i64,
    ) {
        comes_back(&row, &row.settings.agency);
        comes_back(&change, &of);
        comes_back(&PendingChange(Change { sequence: 0, ..change }), &of);
        comes_back(&TotalRow { name, value }, &of);
    }

    #[test]
    fn what_is_a_resellers_comes_back(
        reseller in reseller(), until in at(), key: String, fingerprint: [u8; 32],
        generation: [u8; 16], hash: Option<String>,
    ) {
        let Reseller { id, agency, version, created_at, .. } = reseller.clone();
        comes_back(&reseller, &agency);
        let credentials = Credentials { generation: Generation::from_bytes(generation), hash };
        comes_back(&CredentialsRow { reseller: id, credentials }, &agency);
        comes_back(&IdempotencyRow { key, fingerprint, reseller: id, version, created_at }, &agency);
        let label = reseller.login_domain;
        for state in [LabelState::Held(id), LabelState::Quarantined(until)] {
            comes_back(&LabelRow { label: label.clone(), agency: agency.clone(), state }, &agency);
        }
    }

    #[test]
    fn what_is_used_comes_back(
        of in agency(), meter in meter(), counted in counter_day(), levels in gauge_day(),
        id in event_id(), at in at(), (quantity, voided) in any::<(i64, bool)>(),
        (day, slot) in (any::<i32>(), 0..=WHOLE_DAY), (sum, events) in any::<(i64, i64)>(),
    ) {
        let MeterKey { reseller, metric } = meter.key;
        comes_back(&meter, &of);
        comes_back(&counted, &of);
        comes_back(&levels, &of);
        comes_back(&Event { id, reseller, metric, quantity, at, voided }, &of);
        comes_back(&AgencySlot { key: AgencySlotKey { day, metric, slot }, sum, events }, &of);
    }

    #[test]
    fn what_is_the_platforms_comes_back(
        bytes: [u8; 32], id: i64, failures: u32, at in at(),
    ) {
        let of = AgencyId::platform();
        let secret = Secret::from_bytes(bytes);
        comes_back(&SecretRow { id, secret, created_at: at }, &of);
        let key = AttemptKey::from_bytes(bytes);
        comes_back(&Attempts { key, failures, blocked_until: at }, &of);
    }
}
