//! Conflicts are values, and a transaction goes on after one.

use std::sync::Barrier;
use std::time::Duration;

use super::Harness;
use super::fixture::{Bench, held, new_reseller, row};
use crate::access::{Secret, SecretRow};
use crate::agency::{AgencyRow, AgencySettings};
use crate::error::{Code, Error};
use crate::login_domain::LabelState;
use crate::records::{self, Insert};
use crate::reseller::Reseller;
use crate::storage::Scope;
use crate::usage::{Event, EventId, Metric};
use crate::values::{AgencyId, Timestamp};

pub(super) fn a_taken_label_is_answered_with_its_holder(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    let first = held(bench.agency.id(), "acme", 1);
    let second = held(other.id(), "acme", 2);
    let now = Timestamp::from_millis(0);
    let claimed = bench.write(|tx| tx.claim_labels(std::slice::from_ref(&first), now));
    assert_eq!(claimed, [None]);
    let claimed = records::write(&*bench.storage, other.id(), Scope::Join, |tx| {
        let labels = [held(other.id(), "aaa", 3), second.clone(), held(other.id(), "zzz", 4)];
        tx.claim_labels(&labels, now)
    });
    assert_eq!(claimed.expect("writes"), [None, Some(Code::Taken), None]);
    assert_eq!(bench.label("acme"), Some(first));
    assert!(bench.label("zzz").is_some());
}

pub(super) fn a_label_can_be_claimed_when_its_quarantine_is_over(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let until = LabelState::Quarantined(Timestamp::from_millis(1_000));
    let mut gone = held(bench.agency.id(), "acme", 1);
    gone.state = until;
    let next = held(bench.agency.id(), "acme", 2);
    let claim = |millis| {
        let now = Timestamp::from_millis(millis);
        bench.write(|tx| tx.claim_labels(std::slice::from_ref(&next), now))
    };
    bench.write(|tx| tx.put(&[gone.clone()]));
    assert_eq!(claim(999), [Some(Code::Quarantined)]);
    assert_eq!(claim(1_000), [None]);
    assert_eq!(claim(2_000), [Some(Code::Taken)]);
    assert_eq!(bench.label("acme"), Some(next.clone()));
}

pub(super) fn a_taken_unique_field_leaves_the_transaction_usable(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let agency = bench.agency.id();
    let first = row(agency, 1);
    let email = first.reseller().email.clone();
    let same_email = new_reseller(Reseller { email, ..row(agency, 2).into_reseller() });
    let same_id = row(agency, 1);
    let fine = row(agency, 3);
    bench.write(|tx| tx.insert_resellers(std::slice::from_ref(&first)));
    let inserted = bench.write(|tx| {
        let new = [same_email.clone(), same_id.clone(), fine.clone()];
        tx.insert_resellers(&new)
    });
    assert_eq!(inserted, [false, false, true]);
    let ids = [&first, &same_email, &fine].map(|new| new.reseller().id);
    let stored = bench.read(|reads| reads.resellers(&ids));
    assert_eq!(stored, [Some(first.into_reseller()), None, Some(fine.reseller().clone())]);
    let account = bench.read(|reads| reads.account(fine.reseller().id));
    assert_eq!(account, Some((fine.reseller().clone(), fine.credentials().clone())));
}

pub(super) fn an_update_to_a_taken_email_leaves_the_transaction_usable(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (first, second) = (row(bench.agency.id(), 1), row(bench.agency.id(), 2));
    bench.write(|tx| tx.insert_resellers(&[first.clone(), second.clone()]));
    let mut changed = second.reseller().clone();
    changed.email = first.reseller().email.clone();
    bench.write(|tx| {
        assert_eq!(tx.update_reseller(&changed)?, Insert::Existing(()));
        changed.email = second.reseller().email.clone();
        changed.version = 2;
        assert_eq!(tx.update_reseller(&changed)?, Insert::Done);
        Ok(())
    });
    let stored = bench.read(|reads| reads.resellers(&[changed.id]));
    assert_eq!(stored, [Some(changed)]);
}

fn event(id: &str, quantity: i64) -> Event {
    let (reseller, metric) = (super::fixture::id(1), Metric::MESSAGES);
    let (id, at) = (EventId::parse(id).expect("an id"), Timestamp::from_millis(5_000));
    Event { id, reseller, metric, quantity, at, voided: false }
}

pub(super) fn a_known_event_is_answered_as_it_is(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.write(|tx| tx.insert_events(&[event("b", 1)]));
    let inserted =
        bench.write(|tx| tx.insert_events(&[event("a", 2), event("b", 9), event("c", 3)]));
    assert_eq!(inserted, [Insert::Done, Insert::Existing(event("b", 1)), Insert::Done]);
    let ids = [event("c", 0).id, event("x", 0).id, event("a", 0).id];
    let stored = bench.read(|reads| reads.events(&ids));
    assert_eq!(stored, [Some(event("c", 3)), None, Some(event("a", 2))]);
}

/// The answer to a transaction that inserts an event which another open transaction has inserted.
fn blocked_duplicate(bench: &Bench<'_>, first_commits: bool) -> Insert<Event> {
    let inserted = Barrier::new(2);
    let insert_and_wait = || {
        let mut waited = false;
        let _ = bench.try_write(|tx| {
            tx.insert_events(&[event("e", 1)])?;
            if !std::mem::replace(&mut waited, true) {
                inserted.wait();
                // Gives the other transaction time to meet the row; its answer is right without
                // this, too.
                std::thread::sleep(Duration::from_millis(50));
            }
            if first_commits { Ok(()) } else { Err(Error::storage("told to fail")) }
        });
        None
    };
    let insert_again = || {
        inserted.wait();
        bench.write(|tx| tx.insert_events(&[event("e", 1)])).pop()
    };
    let mut answers =
        bench.together(2, |i| if i == 0 { insert_and_wait() } else { insert_again() });
    answers.pop().flatten().expect("the second is answered")
}

pub(super) fn a_blocked_duplicate_is_answered_with_what_was_committed(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    assert_eq!(blocked_duplicate(&bench, true), Insert::Existing(event("e", 1)));
}

pub(super) fn a_duplicate_of_what_was_rolled_back_is_inserted(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    assert_eq!(blocked_duplicate(&bench, false), Insert::Done);
}

pub(super) fn an_agency_and_a_secret_are_made_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let agency = AgencyId::parse("tailspin").expect("an id");
    let created_at = Timestamp::from_millis(1);
    let row = |time_zone: &str| {
        let settings = AgencySettings::new(agency.clone(), time_zone.to_owned(), created_at);
        AgencyRow::new(settings)
    };
    let insert = |zone: &str| {
        let row = row(zone);
        records::write_unheld(&*bench.storage, &agency, Scope::Join, |tx| tx.insert(&row))
    };
    assert_eq!(insert("UTC").expect("writes"), Insert::Done);
    assert_eq!(insert("Europe/Berlin").expect("writes"), Insert::Existing(row("UTC")));
    let secret = |byte| SecretRow { id: 9, secret: Secret::from_bytes([byte; 32]), created_at };
    assert_eq!(bench.write(|tx| tx.insert(&secret(1))), Insert::Done);
    assert_eq!(bench.write(|tx| tx.insert(&secret(2))), Insert::Existing(secret(1)));
    assert_eq!(bench.read(|reads| reads.secrets()), [secret(1)]);
}
