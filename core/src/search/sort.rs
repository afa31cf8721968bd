//! The order of a list, and a row's place in it (S28, S58).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::reseller::{Reseller, ResellerId};
use crate::schema::Value;
use crate::values::{Timestamp, fold};

/// The order of a list; the id decides between equals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// The time at which the reseller joined.
    #[default]
    Joined,
    /// The folded name, by code points.
    Name,
    /// The folded email, by code points.
    Email,
}

impl SortBy {
    /// All orders.
    pub const ALL: [Self; 3] = [Self::Joined, Self::Name, Self::Email];

    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::SortBy::Joined.slug(), "joined");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Name => "name",
            Self::Email => "email",
        }
    }

    /// Whether the largest comes first unless a query says otherwise: the newest reseller does, but
    /// names and emails begin with the first letters of the alphabet.
    ///
    /// ```
    /// use partnerkit::SortBy;
    ///
    /// assert!(SortBy::Joined.descends());
    /// assert!(!SortBy::Name.descends());
    /// ```
    pub fn descends(self) -> bool {
        self == Self::Joined
    }

    /// The column by which rows are sorted.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Joined => "created_at",
            Self::Name => "sort_name",
            Self::Email => "sort_email",
        }
    }

    /// The order with this slug.
    ///
    /// ```
    /// use partnerkit::SortBy;
    ///
    /// assert_eq!(SortBy::from_slug("email"), Some(SortBy::Email));
    /// assert_eq!(SortBy::from_slug("phone"), None);
    /// ```
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.slug() == slug)
    }
}

/// An order in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    /// What the rows are sorted by.
    pub by: SortBy,
    /// Whether the largest comes first; then also the largest id among equals.
    pub descending: bool,
}

impl Sort {
    /// A row's place in this order.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::{Sort, SortBy, SortKey};
    ///
    /// let place = Sort { by: SortBy::Name, descending: false }.position(&acme);
    /// assert_eq!(place.key, SortKey::Text("acme telecom".into())); // without case and accents
    /// assert_eq!(place.id, acme.id);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn position(self, of: &Reseller) -> Position {
        let key = match self.by {
            SortBy::Joined => SortKey::Instant(of.created_at),
            SortBy::Name => SortKey::Text(fold(of.name.as_str())),
            SortBy::Email => SortKey::Text(fold(of.email.as_str())),
        };
        Position { key, id: of.id }
    }
}

/// The value of one row by which a list is sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SortKey {
    /// The value for [`SortBy::Joined`].
    Instant(Timestamp),
    /// The value for the other orders: folded text.
    Text(String),
}

/// A row's place in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The value by which the list is sorted.
    pub key: SortKey,
    /// The id, which decides between rows with equal keys.
    pub id: ResellerId,
}

impl Position {
    /// The place as values for a store.
    pub(crate) fn values(self) -> (Value, Uuid) {
        let value = match self.key {
            SortKey::Instant(at) => Value::Integer(at.as_millis()),
            SortKey::Text(text) => Value::Text(text),
        };
        (value, self.id.as_uuid())
    }
}
