//! The schema as data: the tables, columns, keys and indexes every backend keeps.
//!
//! It follows from what the entities declare. Backends build their statements from it and host
//! languages their models; tests compare it with the migrations.

#[doc(hidden)]
pub mod ddl;
pub(crate) mod entity;
mod versions;

use std::fmt;

use uuid::Uuid;

#[cfg(feature = "postgres")]
pub(crate) use versions::POSTGRES;
#[cfg(feature = "sqlite")]
pub(crate) use versions::SQLITE;
pub use versions::VERSION;
pub(crate) use versions::known;
#[cfg(feature = "sqlite")]
pub(crate) use versions::missing;

use crate::access::{Attempts, CredentialsRow, SecretRow};
use crate::agency::AgencyRow;
use crate::changes::{Change, PendingChange};
use crate::error::Error;
use crate::login_domain::LabelRow;
use crate::reseller::{IdempotencyRow, Reseller};
use crate::schema::entity::Entity;
use crate::usage::{AgencySlot, CounterDay, Event, GaugeDay, Meter, TotalRow};
use crate::values::AgencyId;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A 64-bit signed integer; instants are milliseconds since the epoch.
    Integer,
    /// Text in UTF-8, compared by code points.
    Text,
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it follows from the others: it is stored to be searched and sorted by, and no
    /// record is read from it.
    pub derived: bool,
}

/// One index; the agency leads it wherever the table has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// The name, within its table.
    pub name: &'static str,
    /// The columns in order.
    pub columns: &'static [&'static str],
    /// Whether no two rows may have equal values in all of them (nulls are never equal).
    pub unique: bool,
}

/// The column by which a database on several machines distributes a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The agency, so that all rows of one agency are on one machine.
    Agency,
    /// This column, because rows are queried across agencies.
    Column(&'static str),
    /// None: each machine has all rows.
    Everywhere,
}

/// One table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// The name, without a host's prefix.
    pub name: &'static str,
    /// The columns in order.
    pub columns: &'static [Column],
    /// The primary key.
    pub key: &'static [&'static str],
    /// Further indexes.
    pub indexes: &'static [Index],
    /// Where its rows are kept if there are several machines.
    pub home: Home,
    /// The table of the parent rows, with which this table's rows are deleted. The key begins with
    /// the columns of the parent's key. The last ancestor is the agency; `None` for the agency
    /// itself and for rows of the whole platform.
    pub parent: Option<&'static Table>,
    /// Whether a row must have a parent, which a database may enforce by a foreign key. The core
    /// deletes a parent's rows before the parent, so a store without foreign keys has nothing to
    /// do.
    pub refers: bool,
}

impl Table {
    /// Whether each row belongs to an agency, and is deleted with it.
    ///
    /// ```
    /// use partnerkit::schema::{RESELLERS, SECRETS};
    ///
    /// assert!(RESELLERS.of_agency());
    /// assert!(!SECRETS.of_agency()); // the platform's
    /// ```
    pub const fn of_agency(&self) -> bool {
        self.parent.is_some()
    }

    /// The value of a row's column `agency` if the record does not have it: rows that are not
    /// stored with their agency belong to the platform, for whichever agency they are queried.
    pub(crate) fn owner(&self, agency: &AgencyId) -> Value {
        match self.home {
            Home::Agency => agency.as_str().into(),
            Home::Column(_) | Home::Everywhere => AgencyId::platform().as_str().into(),
        }
    }

    /// Whether `parent` is the direct parent of this table, with whose rows its own are deleted.
    ///
    /// ```
    /// use partnerkit::schema::{AGENCIES, CREDENTIALS, RESELLERS};
    ///
    /// assert!(RESELLERS.goes_with(&AGENCIES));
    /// assert!(CREDENTIALS.goes_with(&RESELLERS));
    /// assert!(!CREDENTIALS.goes_with(&AGENCIES));
    /// ```
    pub fn goes_with(&self, parent: &Table) -> bool {
        self.parent.is_some_and(|own| own.name == parent.name)
    }

    /// The columns of an index, by its name.
    ///
    /// # Panics
    /// When the table has no such index; in a constant that is an error of the compiler.
    ///
    /// ```
    /// use partnerkit::schema::RESELLERS;
    ///
    /// assert_eq!(RESELLERS.index("by_name"), ["agency", "sort_name", "id"]);
    /// ```
    pub const fn index(&self, name: &str) -> &'static [&'static str] {
        let mut i = 0;
        while !same(self.indexes[i].name, name) {
            i += 1; // the table has such an index
        }
        self.indexes[i].columns
    }

    /// The position of a column.
    ///
    /// # Panics
    /// When the table has no such column; in a constant that is an error of the compiler.
    ///
    /// ```
    /// use partnerkit::schema::RESELLERS;
    ///
    /// const EMAIL: usize = RESELLERS.place("email");
    /// assert_eq!(RESELLERS.columns[EMAIL].name, "email");
    /// ```
    pub const fn place(&self, column: &str) -> usize {
        find(self.columns, column).expect("the table has no such column")
    }

    /// For the compiler: names are unique, and keys and indexes have columns that exist.
    pub(crate) const fn check(&self) {
        let mut i = 0;
        while i < self.columns.len() {
            assert!(self.place(self.columns[i].name) == i, "two columns have one name");
            i += 1;
        }
        self.check_places(self.key);
        let mut i = 0;
        while i < self.indexes.len() {
            self.check_places(self.indexes[i].columns);
            i += 1;
        }
        if let Home::Column(column) = self.home {
            self.check_places(&[column]);
        }
        if let Some(parent) = self.parent {
            assert!(self.place("agency") == 0 && same(self.key[0], "agency"), "whose is it?");
            assert!(self.key.len() >= parent.key.len(), "the parent's key leads");
        }
        assert!(!self.refers || self.parent.is_some(), "refers to nobody");
    }

    const fn check_places(&self, columns: &[&str]) {
        let mut i = 0;
        while i < columns.len() {
            self.place(columns[i]);
            i += 1;
        }
    }
}

/// The position of a column, if there is one with this name.
pub(crate) const fn find(columns: &[Column], name: &str) -> Option<usize> {
    let mut i = 0;
    while i < columns.len() {
        if same(columns[i].name, name) {
            return Some(i);
        }
        i += 1;
    }
    None
}

/// Whether two texts are equal, in a constant.
pub(crate) const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
}

/// One value of a row. Debug shows no text and no bytes: they may be a hash, a secret or somebody's
/// name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// No value.
    Null,
    /// For [`Kind::Integer`].
    Integer(i64),
    /// For [`Kind::Text`].
    Text(String),
    /// For [`Kind::Bytes`].
    Bytes(Vec<u8>),
    /// For [`Kind::Uuid`].
    Uuid(Uuid),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Integer(integer) => write!(f, "Integer({integer})"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Uuid(uuid) => write!(f, "Uuid({uuid})"),
        }
    }
}

/// The values of a row, in the order of its table's columns.
pub type Row = Vec<Value>;

/// Declares the tables of the entities, and the one list of them in the order in which they are
/// created.
macro_rules! tables {
    ($($(#[$about:meta])* $NAME:ident: $Record:ty),* $(,)?) => {
        $($(#[$about])* pub const $NAME: Table = *<$Record as Entity>::TABLE;)*

        /// Every table, parents before their children.
        pub const TABLES: &[&Table] = &[$(&$NAME),*];
    };
}

tables! {
    /// Keys of the platform's own keyed hashes.
    SECRETS: SecretRow,
    /// Agencies. `numbered` is the sequence of the newest numbered change, `pruned` that of the
    /// newest one that was removed; `closed_at` says that the agency is being erased.
    AGENCIES: AgencyRow,
    /// Idempotency keys, so that a repeated create is answered as the first.
    IDEMPOTENCY: IdempotencyRow,
    /// Login domains: the one table that is unique across agencies.
    LABELS: LabelRow,
    /// Resellers. The columns `sort_name`, `sort_email` and `search_text` hold folded text.
    RESELLERS: Reseller,
    /// Password hashes and access generations, separate from the records that are shown.
    CREDENTIALS: CredentialsRow,
    /// Failed sign-ins, by a keyed hash of what was typed.
    ATTEMPTS: Attempts,
    /// Usage events, kept to tell a repeated one from a new one.
    EVENTS: Event,
    /// Meters. `period` and `period_end` are the instants that hold the period of `period_used`.
    METERS: Meter,
    /// Counters by UTC day. The day comes first in the key, so that rows that are written together
    /// are neighbours.
    COUNTER_DAYS: CounterDay,
    /// Gauges by UTC day. The day comes last in the key, so that the latest level before a day is
    /// found at once.
    GAUGE_DAYS: GaugeDay,
    /// An agency's totals, which are changed only by adding.
    TOTALS: TotalRow,
    /// An agency's counters by quarter-hour and by UTC day, which are changed only by adding.
    AGENCY_SLOTS: AgencySlot,
    /// Entries of the change feed that have no number yet, keyed in the order of numbering.
    PENDING_CHANGES: PendingChange,
    /// The change feed.
    CHANGES: Change,
}

const _: () = {
    let mut i = 0;
    while i < TABLES.len() {
        if let Some(parent) = TABLES[i].parent {
            let mut before = 0;
            while !same(TABLES[before].name, parent.name) {
                before += 1;
                assert!(before < i, "a parent comes before those that go with it");
            }
        }
        i += 1;
    }
};

pub(crate) fn damaged() -> Error {
    Error::storage("a stored row does not match the columns of its table")
}
