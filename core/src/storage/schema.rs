//! The schema as data: the tables, columns, keys and indexes every backend keeps.
//!
//! Backends build their statements from it and host languages their models; a test compares it
//! with the migrations.

use std::fmt;

use uuid::Uuid;

use crate::error::{Error, Result};

/// The version of these tables, for stores that keep them as they are here; the next one goes
/// with a change of them.
pub const VERSION: u32 = 2;

/// A store that a newer release has brought up to date is left alone (S52). One that still has to
/// be is not refused: its host may be about to.
pub(crate) fn known(version: u32) -> Result<()> {
    if version <= VERSION {
        return Ok(());
    }
    Err(Error::configuration(format_args!(
        "the store has schema version {version}, this release knows versions up to {VERSION}"
    )))
}

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
    /// Whether two rows may not agree in all of them (nulls never agree).
    pub unique: bool,
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
    /// Whether each row is one agency's, and goes with it.
    pub of_agency: bool,
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

const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer, nullable: false, derived: false }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, nullable: false, derived: false }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes, nullable: false, derived: false }
}

const fn uuid(name: &'static str) -> Column {
    Column { name, kind: Kind::Uuid, nullable: false, derived: false }
}

const fn nullable(column: Column) -> Column {
    Column { nullable: true, ..column }
}

const fn derived(column: Column) -> Column {
    Column { derived: true, ..column }
}

/// Every table.
pub const TABLES: &[&Table] = &[
    &SECRETS,
    &AGENCIES,
    &IDEMPOTENCY,
    &LABELS,
    &RESELLERS,
    &CREDENTIALS,
    &ATTEMPTS,
    &EVENTS,
    &METERS,
    &ROLLUPS,
    &TOTALS,
    &PENDING_CHANGES,
    &CHANGES,
];

/// Keys of the platform's own keyed hashes.
pub const SECRETS: Table = Table {
    name: "secrets",
    columns: &[text("agency"), integer("id"), bytes("secret"), integer("created_at")],
    key: &["agency", "id"],
    indexes: &[],
    of_agency: false,
};

/// Agencies. `numbered` is the sequence of the newest numbered change, `pruned` that of the
/// newest one that was removed; `closed_at` says that the agency is being erased.
pub const AGENCIES: Table = Table {
    name: "agencies",
    columns: &[
        text("agency"),
        integer("version"),
        text("time_zone"),
        text("capacity"),
        text("reserved_labels"),
        integer("created_at"),
        integer("updated_at"),
        integer("numbered"),
        integer("pruned"),
        nullable(integer("closed_at")),
    ],
    key: &["agency"],
    indexes: &[],
    of_agency: false,
};

/// Keys of creates, so that a repeated one is answered as the first (S23).
pub const IDEMPOTENCY: Table = Table {
    name: "idempotency",
    columns: &[
        text("agency"),
        text("idempotency_key"),
        bytes("fingerprint"),
        uuid("reseller"),
        integer("version"),
        integer("created_at"),
    ],
    key: &["agency", "idempotency_key"],
    indexes: &[Index { name: "age", columns: &["agency", "created_at"], unique: false }],
    of_agency: true,
};

/// Login domains: the one table that is unique across agencies.
pub const LABELS: Table = Table {
    name: "labels",
    columns: &[
        text("label"),
        text("agency"),
        nullable(uuid("reseller")),
        nullable(integer("quarantined_until")),
    ],
    key: &["label"],
    indexes: &[Index { name: "quarantine", columns: &["quarantined_until"], unique: false }],
    of_agency: false,
};

/// Resellers. The columns `sort_name`, `sort_email` and `search_text` hold folded text.
pub const RESELLERS: Table = Table {
    name: "resellers",
    columns: &[
        text("agency"),
        uuid("id"),
        integer("version"),
        text("status"),
        nullable(text("deactivation_reason")),
        text("partner_type"),
        text("login_domain"),
        text("name"),
        text("email"),
        derived(text("email_key")),
        text("phone"),
        text("contact_name"),
        text("contact_email"),
        text("contact_phone"),
        nullable(text("website")),
        nullable(text("external_id")),
        text("metadata"),
        integer("created_at"),
        integer("updated_at"),
        derived(text("sort_name")),
        derived(text("sort_email")),
        derived(text("search_text")),
    ],
    key: &["agency", "id"],
    indexes: &[
        Index { name: "email", columns: &["agency", "email_key"], unique: true },
        Index { name: "external_id", columns: &["agency", "external_id"], unique: true },
        Index { name: "by_joined", columns: &["agency", "created_at", "id"], unique: false },
        Index { name: "by_name", columns: &["agency", "sort_name", "id"], unique: false },
        Index { name: "by_email", columns: &["agency", "sort_email", "id"], unique: false },
    ],
    of_agency: true,
};

/// Password hashes and access generations, apart from the records that are shown.
pub const CREDENTIALS: Table = Table {
    name: "credentials",
    columns: &[text("agency"), uuid("reseller"), bytes("generation"), nullable(text("hash"))],
    key: &["agency", "reseller"],
    indexes: &[],
    of_agency: true,
};

/// Failed sign-ins, by a keyed hash of what was typed.
pub const ATTEMPTS: Table = Table {
    name: "attempts",
    columns: &[text("agency"), bytes("attempt"), integer("failures"), integer("blocked_until")],
    key: &["agency", "attempt"],
    indexes: &[Index { name: "age", columns: &["agency", "blocked_until"], unique: false }],
    of_agency: false,
};

/// Usage events, kept to tell a repeated one from a new one.
pub const EVENTS: Table = Table {
    name: "events",
    columns: &[
        text("agency"),
        text("id"),
        uuid("reseller"),
        text("metric"),
        integer("quantity"),
        integer("at"),
    ],
    key: &["agency", "id"],
    indexes: &[Index { name: "age", columns: &["agency", "at"], unique: false }],
    of_agency: true,
};

/// Meters. `period` and `period_end` are the instants that hold the period of `period_used`.
pub const METERS: Table = Table {
    name: "meters",
    columns: &[
        text("agency"),
        uuid("reseller"),
        text("metric"),
        integer("value"),
        integer("events"),
        integer("period"),
        integer("period_used"),
        integer("last_at"),
        nullable(text("last_event")),
        nullable(integer("usage_limit")),
        integer("period_end"),
    ],
    key: &["agency", "reseller", "metric"],
    indexes: &[],
    of_agency: true,
};

/// Rollups by UTC day; the day leads, so that what is written together lies together.
pub const ROLLUPS: Table = Table {
    name: "rollups",
    columns: &[
        text("agency"),
        integer("day"),
        uuid("reseller"),
        text("metric"),
        integer("sum"),
        integer("events"),
        bytes("slots"),
    ],
    key: &["agency", "day", "reseller", "metric"],
    indexes: &[],
    of_agency: true,
};

/// An agency's totals, only ever added to.
pub const TOTALS: Table = Table {
    name: "totals",
    columns: &[text("agency"), text("name"), integer("value")],
    key: &["agency", "name"],
    indexes: &[],
    of_agency: true,
};

/// Entries of the change feed that have no number yet, keyed in the order of numbering.
pub const PENDING_CHANGES: Table = Table {
    name: "pending_changes",
    columns: &[
        text("agency"),
        integer("at"),
        integer("version"),
        uuid("id"),
        text("kind"),
        nullable(uuid("reseller")),
        nullable(text("actor")),
        text("fields"),
    ],
    key: &["agency", "at", "version", "id"],
    indexes: &[],
    of_agency: true,
};

/// The change feed.
pub const CHANGES: Table = Table {
    name: "changes",
    columns: &[
        text("agency"),
        integer("sequence"),
        integer("at"),
        integer("version"),
        uuid("id"),
        text("kind"),
        nullable(uuid("reseller")),
        nullable(text("actor")),
        text("fields"),
    ],
    key: &["agency", "sequence"],
    indexes: &[],
    of_agency: true,
};

/// A stored row, taken apart column by column.
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    pub fn of(row: Row) -> Self {
        Self(row.into_iter())
    }

    pub fn skip(&mut self) -> Result<()> {
        self.0.next().map(drop).ok_or_else(damaged)
    }

    pub fn integer(&mut self) -> Result<i64> {
        self.optional_integer()?.ok_or_else(damaged)
    }

    pub fn text(&mut self) -> Result<String> {
        self.optional_text()?.ok_or_else(damaged)
    }

    pub fn uuid(&mut self) -> Result<Uuid> {
        self.optional_uuid()?.ok_or_else(damaged)
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(damaged()),
        }
    }

    pub fn optional_integer(&mut self) -> Result<Option<i64>> {
        match self.0.next() {
            Some(Value::Integer(integer)) => Ok(Some(integer)),
            Some(Value::Null) => Ok(None),
            _ => Err(damaged()),
        }
    }

    pub fn optional_text(&mut self) -> Result<Option<String>> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(damaged()),
        }
    }

    pub fn optional_uuid(&mut self) -> Result<Option<Uuid>> {
        match self.0.next() {
            Some(Value::Uuid(uuid)) => Ok(Some(uuid)),
            Some(Value::Null) => Ok(None),
            _ => Err(damaged()),
        }
    }
}

pub(crate) fn damaged() -> Error {
    Error::storage("a stored row does not have the shape of its table")
}
