//! What the cases share: an open platform, drafts, rows, and threads that start together.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use uuid::Uuid;

use super::Harness;
use crate::access::{AttemptKeys, Attempts, Credentials};
use crate::error::{Code, Result};
use crate::login_domain::{Claim, LabelRow, LabelState};
use crate::records::{self, Reads, Tx};
use crate::reseller::NewReseller;
use crate::schema::entity::Entity;
use crate::storage::{Scope, Storage};
use crate::usage::{AgencySlot, CounterDay, DayKey, Meter, MeterKey};
use crate::values::{AgencyId, Email, LoginDomain, Metadata, Name, Phone, Timestamp};
use crate::{
    Agency, Clock, ContactDraft, ContactPerson, Metric, PartnerType, PhoneDraft, Platform,
    PlatformBuilder, Reseller, ResellerDraft, ResellerId, Status, UsageEvent,
};

pub(super) const PASSWORD: &str = "plain teal walrus 94 umbrella";

/// A platform on an empty store, with one agency and a clock that stands still.
pub(super) struct Bench<'h> {
    pub harness: &'h dyn Harness,
    pub storage: Arc<dyn Storage>,
    pub clock: Arc<StillClock>,
    pub platform: Platform,
    pub agency: Agency,
}

/// A clock that moves only when it is told to.
pub(super) struct StillClock(AtomicI64);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl StillClock {
    /// Noon of a day in the middle of a month.
    fn new() -> Self {
        Self(AtomicI64::new(1_773_576_000_000))
    }

    /// Another clock, which is ahead of this one's present time.
    pub fn ahead(&self, millis: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(self.now().plus_millis(millis).as_millis())))
    }

    pub fn forward(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl<'h> Bench<'h> {
    pub fn new(harness: &'h dyn Harness) -> Self {
        Self::with(harness, |builder| builder)
    }

    pub fn with(
        harness: &'h dyn Harness,
        configure: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> Self {
        Self::on(harness, harness.storage(), configure)
    }

    /// Makes a bench on the given empty store.
    pub fn on(
        harness: &'h dyn Harness,
        storage: Arc<dyn Storage>,
        configure: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> Self {
        let clock = Arc::new(StillClock::new());
        let builder = Platform::builder().login_base("partner.example.com").clock(clock.clone());
        let platform = configure(builder).open_storage(storage.clone()).expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates an agency");
        Self { harness, storage, clock, platform, agency }
    }

    /// Runs `n` threads that start together; each gets its number.
    pub fn together<T: Send>(&self, n: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let (barrier, work) = (Barrier::new(n), &work);
        thread::scope(|scope| {
            let spawn = |i| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let _end = ThreadEnd(self.harness);
                    barrier.wait();
                    work(i)
                })
            };
            let threads: Vec<_> = (0..n).map(spawn).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        })
    }

    pub fn read<T: Send>(&self, work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send) -> T {
        records::read(&*self.storage, self.agency.id(), work).expect("reads")
    }

    /// What the agency used, by quarter-hour and day.
    pub fn agency_slots(&self) -> Vec<AgencySlot> {
        self.read(|reads| {
            let all = reads.of_agency(AgencySlot::TABLE, 10_000);
            reads.ask(records::scan(all))
        })
    }

    pub fn write<T: Send>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send) -> T {
        self.try_write(work).expect("writes")
    }

    pub fn try_write<T: Send>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::write(&*self.storage, self.agency.id(), Scope::Join, work)
    }

    /// An invited reseller with this label.
    pub fn create(&self, label: &str) -> Reseller {
        self.agency.create_reseller(draft(label)).expect("creates a reseller")
    }

    pub fn label(&self, label: &str) -> Option<LabelRow> {
        let label = LoginDomain::parse(label).expect("a label");
        crate::login_domain::holders(&*self.storage, &[label]).expect("reads").pop().flatten()
    }

    /// An event of the present moment.
    pub fn event(
        &self,
        id: &str,
        reseller: &Reseller,
        metric: Metric,
        quantity: i64,
    ) -> UsageEvent {
        let (id, reseller, at) = (id.to_owned(), reseller.id, self.clock.now());
        UsageEvent { id, reseller, metric, quantity, at }
    }

    /// The number of stored failed sign-ins of an account.
    pub fn failures_of(&self, account: &Reseller) -> u32 {
        let secrets = self.platform.operator.shared.secrets().expect("secrets");
        let keys = AttemptKeys::of_account(&secrets, &account.into());
        let rows = self.attempts(&keys).into_iter().flatten();
        rows.map(|row| row.failures).max().unwrap_or_default()
    }

    /// The stored attempts under these keys.
    pub fn attempts(&self, keys: &AttemptKeys) -> Vec<Option<Attempts>> {
        let platform = AgencyId::platform();
        let read = |reads: &mut Reads<'_>| reads.attempts(keys.as_slice());
        records::read(&*self.storage, &platform, read).expect("reads")
    }

    pub fn total(&self, name: &'static str) -> i64 {
        self.read(|reads| reads.totals(&[name]))[0]
    }
}

struct ThreadEnd<'h>(&'h dyn Harness);

impl Drop for ThreadEnd<'_> {
    fn drop(&mut self) {
        self.0.thread_ends();
    }
}

/// The form of an invited reseller.
pub(super) fn draft(label: &str) -> ResellerDraft {
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: format!("The {label} company"),
        email: format!("owner@{label}.example"),
        phone: PhoneDraft::national("US", "(415) 555-2671"),
        invite: true,
        contact: ContactDraft {
            name: "Ann Lee".into(),
            email: "ann@contact.example".into(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: label.into(),
        ..ResellerDraft::default()
    }
}

/// The form of a reseller that can sign in.
pub(super) fn draft_with_password(label: &str) -> ResellerDraft {
    ResellerDraft {
        invite: false,
        password: PASSWORD.into(),
        password_confirmation: PASSWORD.into(),
        ..draft(label)
    }
}

/// A label of letters for a number.
pub(super) fn label(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    format!("acme{}{}{}", letter(n / 676), letter(n / 26), letter(n))
}

pub(super) fn id(n: u128) -> ResellerId {
    ResellerId::from_uuid(Uuid::from_u128(n))
}

/// A reseller as a row, not made by a form.
pub(super) fn row(agency: &AgencyId, n: u128) -> NewReseller {
    let label = label(usize::try_from(n).unwrap_or(0));
    let phone = Phone::parse("+14155552671", None).expect("a phone");
    let name = Name::parse(&format!("Row {n}")).expect("a name");
    let email = Email::parse(&format!("Row{n}@rows.example")).expect("an email");
    let at = Timestamp::from_millis(1_000);
    let contact = ContactPerson { name: name.clone(), email: email.clone(), phone: phone.clone() };
    let reseller = Reseller {
        id: id(n),
        agency: agency.clone(),
        version: 1,
        status: Status::Active,
        deactivation_reason: None,
        partner_type: PartnerType::Commission,
        login_domain: LoginDomain::parse(&label).expect("a label"),
        name,
        email,
        phone,
        contact,
        website: None,
        external_id: None,
        metadata: Metadata::default(),
        created_at: at,
        updated_at: at,
    };
    new_reseller(reseller)
}

/// A new reseller without a password.
pub(super) fn new_reseller(reseller: Reseller) -> NewReseller {
    NewReseller::new(reseller, Credentials::from_stored([7; 16], None)).expect("a row")
}

pub(super) fn held(agency: &AgencyId, label: &str, n: u128) -> LabelRow {
    let label = LoginDomain::parse(label).expect("a label");
    LabelRow { label, agency: agency.clone(), state: LabelState::Held(id(n)) }
}

/// Single steps of a transaction, which the core sends together.
impl Tx<'_> {
    /// Claims labels; returns why a label cannot be claimed.
    pub(super) fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Option<Code>>> {
        let claim = Claim::new(labels, now);
        let question = claim.question(self)?;
        let held = self.ask(question)?;
        claim.settle(self, held, |_| false)
    }

    /// Inserts resellers with their credentials; `false` for each with a unique field that is
    /// taken.
    pub(super) fn insert_resellers(&mut self, new: &[NewReseller]) -> Result<Vec<bool>> {
        let question = self.insertion(new)?;
        let inserted = self.ask(question)?;
        let done = new.iter().zip(&inserted).filter(|(_, inserted)| **inserted);
        self.put_credentials_of(&done.map(|(new, _)| new.clone()).collect::<Vec<_>>())?;
        Ok(inserted)
    }

    /// Locks meters, and reads days of counters after that.
    pub(super) fn lock_usage(
        &mut self,
        meters: &[MeterKey],
        days: &[DayKey],
    ) -> Result<(Vec<Meter>, Vec<CounterDay>)> {
        let (meters, days) = self.usage(meters, days)?;
        self.ask((meters, days.present()))
    }
}
