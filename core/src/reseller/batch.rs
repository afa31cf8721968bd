//! The rows of a batch: which can be created together, and why the others cannot.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use super::profile::active;
use super::{FORM_ORDER, Reseller};
use crate::changes::Change;
use crate::error::{Code, FieldError, FieldErrors, Result, refused};
use crate::login_domain::{Claim, LabelRow, LabelState, label_row};
use crate::records::Tx;
use crate::reseller::NewReseller;
use crate::tenant::Tenant;
use crate::usage::{ACTIVE_RESELLERS, TotalDelta};
use crate::values::Timestamp;

/// The unique values that earlier rows of a file have taken, as hashes, so that a long file needs
/// little memory.
#[derive(Default)]
pub(crate) struct Taken(HashSet<UniqueKey>);

type UniqueKey = [u8; 16];

impl Taken {
    /// Whether an earlier row has a unique value of this reseller.
    pub fn has_any_of(&self, reseller: &Reseller) -> bool {
        unique_fields(reseller).iter().any(|(_, key)| self.0.contains(key))
    }
}

/// A valid row, which can be created unless one of its unique values is taken.
struct Row {
    new: NewReseller,
    change: Change,
    unique: Vec<(&'static str, UniqueKey)>,
}

/// The rows of a batch by their place in it.
#[derive(Default)]
pub(super) struct Batch {
    rows: BTreeMap<usize, Row>,
    /// The errors of rows whose unique values are taken in the store.
    taken: BTreeMap<usize, FieldErrors>,
    /// The errors of invalid rows.
    wrong: BTreeMap<usize, FieldErrors>,
}

impl Batch {
    pub fn add(&mut self, place: usize, new: NewReseller, change: Change) {
        let unique = unique_fields(new.reseller());
        self.rows.insert(place, Row { new, change, unique });
    }

    pub fn add_wrong(&mut self, place: usize, errors: FieldErrors) {
        self.wrong.insert(place, errors);
    }

    /// The valid rows.
    pub fn resellers(&self) -> Vec<(usize, Reseller)> {
        self.rows.iter().map(|(i, row)| (*i, row.new.reseller().clone())).collect()
    }

    /// Forgets which values are taken in the store.
    pub fn forget_taken(&mut self) {
        self.taken.clear();
    }

    /// The time at which a quarantine must have ended, which is the same for all rows and for every
    /// check.
    pub fn now(&self) -> Timestamp {
        let times = self.rows.values().map(|row| row.new.reseller().updated_at);
        times.max().unwrap_or(Timestamp::from_millis(0))
    }

    /// Records that a value of a row is taken in the store.
    pub fn refuse(&mut self, place: usize, error: FieldError) {
        self.taken.entry(place).or_default().push(error);
    }

    /// The rows that can be created, and why the others cannot. If rows agree in a unique field,
    /// the first one that can be created gets it: a row that cannot be created takes nothing from
    /// the others.
    fn settled(&self, before: &Taken) -> (Vec<usize>, BTreeMap<usize, FieldErrors>) {
        let (mut can, mut cannot) = (Vec::new(), BTreeMap::new());
        let mut seen = HashSet::new();
        for (place, row) in &self.rows {
            let mut errors = self.taken.get(place).cloned().unwrap_or_default();
            for (field, key) in &row.unique {
                if before.0.contains(key) || seen.contains(key) {
                    errors.keep::<()>(field, Err(Code::Taken.into()));
                }
            }
            if errors.is_empty() {
                seen.extend(row.unique.iter().map(|(_, key)| *key));
                can.push(*place);
            } else {
                cannot.insert(*place, errors);
            }
        }
        (can, cannot)
    }

    /// The rows that can be created: their labels in the lock order, the rows in the order of the
    /// list, in which stores find them faster, and their feed entries in the order of their ids.
    /// `None` if no row can be created.
    pub fn insertion(&self, before: &Taken) -> Option<Insertion> {
        let (can, _) = self.settled(before);
        let changes = can.iter().map(|place| self.rows[place].change.clone()).collect();
        let mut rows: Vec<_> = can.iter().map(|place| self.rows[place].new.clone()).collect();
        rows.sort_by_key(|new| (new.reseller().created_at, new.reseller().id));
        let label =
            |new: &NewReseller| label_row(new.reseller(), LabelState::Held(new.reseller().id));
        let mut labels: Vec<_> = rows.iter().map(label).collect();
        labels.sort_by(|a, b| a.label.cmp(&b.label));
        (!can.is_empty()).then_some(Insertion { rows, labels, changes, now: self.now() })
    }

    /// The outcomes of the rows, in their order. Adds the unique values of created rows to
    /// `before`.
    pub fn answers(mut self, before: &mut Taken) -> Vec<Result<Reseller, FieldErrors>> {
        let (can, cannot) = self.settled(before);
        let mut answers = BTreeMap::new();
        for place in can {
            if let Some(row) = self.rows.remove(&place) {
                before.0.extend(row.unique.iter().map(|(_, key)| *key));
                answers.insert(place, Ok(row.new.into_reseller()));
            }
        }
        let refused = self.wrong.into_iter().chain(cannot);
        answers.extend(refused.map(|(place, errors)| (place, Err(errors.in_order_of(FORM_ORDER)))));
        answers.into_values().collect()
    }
}

/// What one transaction inserts. It is made before the transaction, because others wait while one
/// is open.
pub(super) struct Insertion {
    rows: Vec<NewReseller>,
    labels: Vec<LabelRow>,
    changes: Vec<Change>,
    now: Timestamp,
}

impl Insertion {
    /// Inserts every row, or fails with `Validation` and is rolled back. The error is not shown,
    /// because it may depend on a transaction that is undone. Labels and rows can be inserted in
    /// one round trip, since the rollback removes the rows that should not have been inserted.
    pub(super) fn run(&self, tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
        let claim = Claim::new(&self.labels, self.now);
        let questions = (claim.question(tx)?, tx.insertion(&self.rows)?);
        let (held, inserted) = tx.ask(questions)?;
        let agency = tx.held_agency()?;
        let refusals = claim.settle(tx, held, tenant.shared.reserves(&agency.settings))?;
        if let Some(code) = refusals.into_iter().flatten().next() {
            return Err(refused("login_domain")(code));
        }
        if inserted.contains(&false) {
            return Err(refused("email")(Code::Taken)); // or its external id
        }
        tx.put_credentials_of(&self.rows)?;
        let add = self.rows.iter().map(|new| active(new.reseller())).sum();
        tx.add_totals(&[TotalDelta { name: ACTIVE_RESELLERS, add }])?;
        tx.append_changes(&self.changes)
    }
}

/// The unique values of a reseller, by field.
fn unique_fields(of: &Reseller) -> Vec<(&'static str, UniqueKey)> {
    let external = of.external_id.as_ref().map(|id| ("external_id", id.to_string()));
    let fields = [("email", of.email.key()), ("login_domain", of.login_domain.to_string())];
    let key = |(field, value): (&'static str, String)| (field, short_hash(&[field, &value]));
    fields.into_iter().chain(external).map(key).collect()
}

/// A short hash, by which values are compared without being kept.
fn short_hash([field, value]: &[&str; 2]) -> UniqueKey {
    let hash = Sha256::new().chain_update(field).chain_update([0]).chain_update(value).finalize();
    std::array::from_fn(|i| hash[i])
}
