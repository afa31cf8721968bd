//! Rows of resellers and of their credentials.

use crate::access::{Credentials, CredentialsRow};
use crate::error::{Error, Result};
use crate::records::{self, Insert, Question, Reads, Tx};
use crate::reseller::{NewReseller, Reseller, ResellerId, one};
use crate::schema::entity::Entity;
use crate::schema::{RESELLERS, Row, TABLES, Table};
use crate::storage::{Ask, Batch, Filter, Lock, PageSpec, Scan};
use crate::values::{Email, ExternalId};

/// A reseller by a unique field other than its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// By email.
    Email(Email),
    /// By the host's own id.
    ExternalId(ExternalId),
}

/// More than a reseller has rows in any table.
const ALL: u32 = 1_000_000;

impl Reads<'_> {
    /// Resellers by id.
    pub fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        self.get(ids)
    }

    /// Resellers by other unique fields.
    pub fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>> {
        let key = |value: String| vec![self.agency_id().as_str().into(), value.into()];
        let (mut emails, mut ids): (Vec<Row>, Vec<Row>) = Default::default();
        for lookup in lookups {
            match lookup {
                Lookup::Email(email) => emails.push(key(email.key())),
                Lookup::ExternalId(id) => ids.push(key(id.to_string())),
            }
        }
        let by_email = records::find::<Reseller>(RESELLERS.index("email"), emails, None);
        let by_id = records::find::<Reseller>(RESELLERS.index("external_id"), ids, None);
        let (by_email, by_id) = self.ask((by_email, by_id))?;
        let (mut by_email, mut by_id) = (by_email.into_iter(), by_id.into_iter());
        let found = lookups.iter().map(|lookup| match lookup {
            Lookup::Email(_) => by_email.next().flatten(),
            Lookup::ExternalId(_) => by_id.next().flatten(),
        });
        Ok(found.collect())
    }

    /// A reseller with its credentials.
    pub fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let agency = self.agency_id();
        let reseller = records::get::<Reseller>(agency, &[id]);
        let credentials = records::get::<CredentialsRow>(agency, &[id]);
        let (mut reseller, mut credentials) = self.ask((reseller, credentials))?;
        let credentials = credentials.pop().flatten();
        let credentials = credentials.map(|CredentialsRow { credentials, .. }| credentials);
        Ok(reseller.pop().flatten().zip(credentials))
    }

    /// One page of the list.
    pub fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        self.ask(records::found(Ask::Page(spec.clone())))
    }

    /// Counts the resellers that a filter finds, up to `cap`.
    pub fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        self.ask(records::count(Ask::Count(filter.clone(), cap)))
    }
}

impl Tx<'_> {
    /// Locks resellers.
    pub fn lock_resellers(
        &mut self,
        ids: &[ResellerId],
        lock: Lock,
    ) -> Result<Vec<Option<Reseller>>> {
        self.lock(ids, lock)
    }

    /// Locks resellers that exist, and tells which do.
    pub fn hold_resellers(&mut self, ids: &[ResellerId], lock: Lock) -> Result<Vec<bool>> {
        let question = records::lock_existing::<Reseller>(self.agency_id(), ids, lock);
        self.ask(question)
    }

    /// Locks a reseller, and reads its credentials. Errors: `NotFound`.
    pub fn lock_account(&mut self, id: ResellerId) -> Result<(Reseller, Credentials)> {
        let agency = self.agency_id();
        let reseller = records::lock::<Reseller>(agency, &[id], Lock::Update);
        let credentials = records::get::<CredentialsRow>(agency, &[id]);
        let (reseller, credentials) = self.ask((reseller, credentials))?;
        let CredentialsRow { credentials, .. } = one(credentials)?;
        Ok((one(reseller)?, credentials))
    }

    /// The query that inserts resellers, without their credentials; `false` for each with a unique
    /// field that is taken, and then the core finds out which.
    pub fn insertion(&self, new: &[NewReseller]) -> Result<Question<Vec<bool>>> {
        let rows = new.iter().map(|new| Ok(new.rows_in(self.agency_id())?.reseller.clone()));
        let rows = rows.collect::<Result<_>>()?;
        Ok(records::insert_rows(Batch { table: Reseller::TABLE, rows }))
    }

    /// Stores the credentials of inserted resellers.
    pub fn put_credentials_of(&mut self, new: &[NewReseller]) -> Result<()> {
        let rows = new.iter().map(|new| Ok(new.rows_in(self.agency_id())?.credentials.clone()));
        let rows = rows.collect::<Result<_>>()?;
        self.put_rows(Batch { table: CredentialsRow::TABLE, rows })
    }

    /// Stores a locked reseller, unless a unique field is taken.
    pub fn update_reseller(&mut self, reseller: &Reseller) -> Result<Insert<()>> {
        let update = records::update(self.agency_id(), std::slice::from_ref(reseller))?;
        match self.ask(update)?.pop() {
            Some(updated) => Ok(done_or_taken(updated)),
            None => Err(Error::storage("the storage did not update the reseller's row")),
        }
    }

    /// Stores the credentials of a locked reseller.
    pub fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> Result<()> {
        self.put(&[CredentialsRow { reseller: id, credentials: credentials.clone() }])
    }

    /// Removes resellers with their credentials and meters. Events and days stay.
    pub fn erase_resellers(&mut self, ids: &[ResellerId]) -> Result<()> {
        let agency = self.agency_id();
        let with_them = TABLES.iter().filter(|table| table.goes_with(Reseller::TABLE));
        let of_table = |table: &'static Table| {
            ids.iter().map(move |id| {
                let equals = Reseller::key_row(agency, id);
                records::removal(Scan::all(table, &["agency", "reseller"], equals, ALL))
            })
        };
        let removals: Vec<_> = with_them.flat_map(|table| of_table(table)).collect();
        self.ask(removals)?;
        self.delete::<Reseller>(ids)
    }
}

fn done_or_taken(done: bool) -> Insert<()> {
    if done { Insert::Done } else { Insert::Existing(()) }
}
