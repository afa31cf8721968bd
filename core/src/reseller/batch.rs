//! The rows of a batch: which of them can be created together, and why others cannot.

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

/// What the rows before have taken of what is unique: hashes, so that a long file needs little
/// memory.
#[derive(Default)]
pub(crate) struct Taken(HashSet<UniqueKey>);

type UniqueKey = [u8; 16];

impl Taken {
    /// Whether a row before has something that this reseller has, too.
    pub fn has_any_of(&self, reseller: &Reseller) -> bool {
        unique_fields(reseller).iter().any(|(_, key)| self.0.contains(key))
    }
}

/// A row that is a reseller, unless something it needs is taken.
struct Row {
    new: NewReseller,
    change: Change,
    unique: Vec<(&'static str, UniqueKey)>,
}

/// The rows of a batch by their place in it.
#[derive(Default)]
pub(super) struct Batch {
    rows: BTreeMap<usize, Row>,
    /// What the store says that rows cannot have.
    taken: BTreeMap<usize, FieldErrors>,
    /// Rows that are wrong in themselves.
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

    /// The rows that are not wrong in themselves.
    pub fn resellers(&self) -> Vec<(usize, Reseller)> {
        self.rows.iter().map(|(i, row)| (*i, row.new.reseller().clone())).collect()
    }

    /// Nothing is known any more of what is taken.
    pub fn forget_taken(&mut self) {
        self.taken.clear();
    }

    /// When a quarantine has to be over, for all rows and every look alike.
    pub fn now(&self) -> Timestamp {
        let times = self.rows.values().map(|row| row.new.reseller().updated_at);
        times.max().unwrap_or(Timestamp::from_millis(0))
    }

    /// The store says that a row cannot have something.
    pub fn refuse(&mut self, place: usize, error: FieldError) {
        self.taken.entry(place).or_default().push(error);
    }

    /// The rows that can be created, and why others cannot. Of rows that agree in a unique field
    /// the first one that can be created has it: one that cannot takes nothing from the others.
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

    /// The rows that can be created, in the order of labels, which is that of their locks, and
    /// their entries in the order of their ids, which is that of places. `None` if there is none.
    pub fn insertion(&self, before: &Taken) -> Option<Insertion> {
        let (can, _) = self.settled(before);
        let changes = can.iter().map(|place| self.rows[place].change.clone()).collect();
        let mut rows: Vec<_> = can.iter().map(|place| self.rows[place].new.clone()).collect();
        rows.sort_by(|a, b| a.reseller().login_domain.cmp(&b.reseller().login_domain));
        let label =
            |new: &NewReseller| label_row(new.reseller(), LabelState::Held(new.reseller().id));
        let labels = rows.iter().map(label).collect();
        (!can.is_empty()).then_some(Insertion { rows, labels, changes, now: self.now() })
    }

    /// What became of each row, in the order given; what the created ones have is taken now.
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

/// What one transaction inserts, made before it, because while one is open others wait.
pub(super) struct Insertion {
    rows: Vec<NewReseller>,
    labels: Vec<LabelRow>,
    changes: Vec<Change>,
    now: Timestamp,
}

impl Insertion {
    /// Inserts every row, or is refused (`Validation`): what is taken depends on a transaction
    /// that may be undone, so nobody keeps it. A row that should not have been inserted goes with
    /// the transaction, so labels and rows are one question.
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

/// What no two resellers share, by field.
fn unique_fields(of: &Reseller) -> Vec<(&'static str, UniqueKey)> {
    let external = of.external_id.as_ref().map(|id| ("external_id", id.to_string()));
    let fields = [("email", of.email.key()), ("login_domain", of.login_domain.to_string())];
    let key = |(field, value): (&'static str, String)| (field, short_hash(&[field, &value]));
    fields.into_iter().chain(external).map(key).collect()
}

/// A short hash, to tell values apart without keeping them.
fn short_hash([field, value]: &[&str; 2]) -> UniqueKey {
    let hash = Sha256::new().chain_update(field).chain_update([0]).chain_update(value).finalize();
    std::array::from_fn(|i| hash[i])
}
