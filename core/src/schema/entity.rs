//! Entities: records that are stored as rows, declared once, next to the struct.
//!
//! [`stored!`] makes the columns of a struct from its fields, and [`entity!`] makes its table.
//! Stores, the tests of migrations, host languages and CSV all use these columns by their names.

#[cfg(test)]
mod tests;
mod values;

use crate::error::Result;
use crate::schema::{Column, Kind, Row, Table, Value, damaged, find, same};
use crate::values::AgencyId;

/// A type that is stored in columns of a row: a value in one column, which has the name of its
/// field, or a struct in several.
pub(crate) trait Stored: Sized {
    /// The columns in order.
    const COLUMNS: &'static [Column];

    /// Appends a value for each column.
    fn write(&self, row: &mut Row) -> Result<()>;

    /// Takes the values back.
    fn read(fields: &mut Fields) -> Result<Self>;
}

/// A type that is stored as one row of a table.
pub(crate) trait Entity: Stored {
    const TABLE: &'static Table;

    /// Whether a leading column has the agency, because the record does not.
    const IS_LED: bool = find(Self::COLUMNS, AGENCY).is_none();

    /// The primary key, without a leading agency.
    type Key: Stored;

    /// Appends the derived columns, which are not read back.
    fn write_derived(&self, _: &mut Row) -> Result<()> {
        Ok(())
    }

    /// The complete values of the table's primary key, in its order.
    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        let mut row = Row::with_capacity(Self::TABLE.key.len());
        if Self::TABLE.key.len() > Self::Key::COLUMNS.len() {
            row.push(Self::TABLE.owner(agency));
        }
        key.write(&mut row).expect("a key has no JSON in it");
        row
    }

    /// The row, in the order of the table's columns.
    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let mut row = Row::with_capacity(Self::TABLE.columns.len());
        if Self::IS_LED {
            row.push(Self::TABLE.owner(agency));
        }
        self.write(&mut row)?;
        self.write_derived(&mut row)?;
        Ok(row)
    }

    /// The record, from the table's columns.
    fn from_row(row: Row) -> Result<Self> {
        if row.len() != Self::TABLE.columns.len() {
            return Err(damaged());
        }
        let mut fields = Fields(row.into_iter());
        if Self::IS_LED {
            fields.next()?;
        }
        Self::read(&mut fields)
    }
}

/// The name of the column that has the agency of a row.
const AGENCY: &str = "agency";

/// The values of a row that is being read.
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    /// The next column's value.
    pub fn next(&mut self) -> Result<Value> {
        self.0.next().ok_or_else(damaged)
    }

    /// Inserts a value at a place among the remaining ones.
    pub fn insert(&mut self, place: usize, value: Value) {
        let mut rest: Row = std::mem::take(&mut self.0).collect();
        rest.insert(place, value);
        self.0 = rest.into_iter();
    }

    fn next_is_null(&self) -> bool {
        self.0.as_slice().first() == Some(&Value::Null)
    }
}

/// The one column of a value, which gets the name of the field that has it.
pub(crate) const fn unnamed(kind: Kind) -> [Column; 1] {
    [Column { name: "", kind, nullable: false, derived: false }]
}

/// The columns of a field, which get its name if they have none of their own.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub name: &'static str,
    pub columns: &'static [Column],
    pub derived: bool,
}

/// How many columns the parts have.
pub(crate) const fn count(parts: &[Part]) -> usize {
    let (mut sum, mut i) = (0, 0);
    while i < parts.len() {
        sum += parts[i].columns.len();
        i += 1;
    }
    sum
}

/// The columns of all parts.
pub(crate) const fn joined<const N: usize>(parts: &[Part]) -> [Column; N] {
    let [first] = unnamed(Kind::Integer);
    let mut all = [first; N];
    let (mut filled, mut i) = (0, 0);
    while i < parts.len() {
        let Part { name, columns, derived } = parts[i];
        let mut j = 0;
        while j < columns.len() {
            let own = columns[j];
            let name = if own.name.is_empty() { name } else { own.name };
            all[filled] = Column { name, derived, ..own };
            filled += 1;
            j += 1;
        }
        i += 1;
    }
    all
}

/// The columns without the one at a place.
pub(crate) const fn without<const N: usize>(columns: &[Column], place: usize) -> [Column; N] {
    let [first] = unnamed(Kind::Integer);
    let mut rest = [first; N];
    let mut i = 0;
    while i < N {
        rest[i] = columns[if i < place { i } else { i + 1 }];
        i += 1;
    }
    rest
}

/// The leading column `agency`, for a record that does not have it.
pub(crate) const fn leading(columns: &[Column]) -> &'static [Column] {
    const LEADING: [Column; 1] = unnamed(Kind::Text);
    if find(columns, AGENCY).is_some() { &[] } else { &LEADING }
}

/// Whether a type's columns are those of the table's key, after an agency that leads it.
pub(crate) const fn is_key(table: &Table, columns: &[Column]) -> bool {
    let led = table.key.len() - columns.len();
    let mut i = 0;
    while i < columns.len() {
        let (of_table, own) = (&table.columns[table.place(table.key[led + i])], columns[i]);
        if of_table.kind as u8 != own.kind as u8
            || !(own.name.is_empty() || same(own.name, of_table.name))
        {
            return false;
        }
        i += 1;
    }
    led == 0 || (led == 1 && same(table.key[0], AGENCY))
}

/// Declares a struct whose fields are columns, with their own names or the names after `as`; or
/// declares that a type around one value is stored as that value.
macro_rules! stored {
    (
        $(#[$about:meta])*
        $seen:vis struct $Name:ident {
            $(
                $(#[$meant:meta])*
                $known:vis $field:ident: $Type:ty $(as $column:ident)?
            ),* $(,)?
        }
    ) => {
        $(#[$about])*
        $seen struct $Name {
            $($(#[$meant])* $known $field: $Type),*
        }

        const _: () = {
            use $crate::schema::entity::{Fields, Part, Stored, count, joined};
            use $crate::schema::{Column, Row};

            const PARTS: &[Part] = &[$(Part {
                name: $crate::schema::entity::stored!(@name $field $($column)?),
                columns: <$Type as Stored>::COLUMNS,
                derived: false,
            }),*];
            const COLUMNS: [Column; count(PARTS)] = joined(PARTS);

            impl Stored for $Name {
                const COLUMNS: &'static [Column] = &COLUMNS;

                fn write(&self, row: &mut Row) -> $crate::error::Result<()> {
                    $(Stored::write(&self.$field, row)?;)*
                    Ok(())
                }

                fn read(fields: &mut Fields) -> $crate::error::Result<Self> {
                    Ok(Self { $($field: Stored::read(fields)?),* })
                }
            }
        };
    };

    ($Name:ident($Inner:ty)) => {
        impl $crate::schema::entity::Stored for $Name {
            const COLUMNS: &'static [$crate::schema::Column] =
                <$Inner as $crate::schema::entity::Stored>::COLUMNS;

            fn write(&self, row: &mut $crate::schema::Row) -> $crate::error::Result<()> {
                $crate::schema::entity::Stored::write(&self.0, row)
            }

            fn read(
                fields: &mut $crate::schema::entity::Fields,
            ) -> $crate::error::Result<Self> {
                $crate::schema::entity::Stored::read(fields).map(Self)
            }
        }
    };

    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $column:ident) => { stringify!($column) };
}

/// Declares the table of a stored type, which gets a leading column `agency` if it has none. The
/// key is given as a stored type and its columns; `derived` is a stored type that is made from the
/// record, for searching and sorting.
macro_rules! entity {
    (
        $Record:ident in $name:literal {
            key: $Key:ty [$($of_key:ident),+];
            home: $home:expr;
            $(derived: $Derived:ty = $derive:expr;)?
            parent: $parent:expr, refers: $refers:expr;
            $($kind:ident $index:ident [$($of_index:ident),+];)*
        }
    ) => {
        const _: () = {
            use $crate::schema::entity::{Entity, Part, Stored, count, is_key, joined, leading};
            use $crate::schema::{Column, Home, Table};

            const OWN: &[Column] = <$Record as Stored>::COLUMNS;
            const PARTS: &[Part] = &[
                Part { name: "agency", columns: leading(OWN), derived: false },
                Part { name: "", columns: OWN, derived: false },
                $(Part { name: "", columns: <$Derived as Stored>::COLUMNS, derived: true },)?
            ];
            const COLUMNS: [Column; count(PARTS)] = joined(PARTS);
            const TABLE: Table = Table {
                name: $name,
                columns: &COLUMNS,
                key: &[$(stringify!($of_key)),+],
                indexes: &[$($crate::schema::Index {
                    name: stringify!($index),
                    columns: &[$(stringify!($of_index)),+],
                    unique: $crate::schema::entity::entity!(@$kind),
                }),*],
                home: $home,
                parent: $parent,
                refers: $refers,
            };
            const _: () = TABLE.check();
            const _: () = assert!(is_key(&TABLE, <$Key as Stored>::COLUMNS), "another key");

            impl Entity for $Record {
                const TABLE: &'static Table = &TABLE;

                type Key = $Key;

                $(fn write_derived(
                    &self,
                    row: &mut $crate::schema::Row,
                ) -> $crate::error::Result<()> {
                    let derive: fn(&Self) -> $Derived = $derive;
                    derive(self).write(row)
                })?
            }
        };
    };

    (@index) => { false };
    (@unique) => { true };
}

/// Stores a collection packed into one column of bytes.
macro_rules! packed {
    ($Type:ty) => {
        impl $crate::schema::entity::Stored for $Type {
            const COLUMNS: &'static [$crate::schema::Column] =
                &$crate::schema::entity::unnamed($crate::schema::Kind::Bytes);

            fn write(&self, row: &mut $crate::schema::Row) -> $crate::error::Result<()> {
                let packed = postcard::to_allocvec(self).map_err(|_| $crate::schema::damaged())?;
                row.push($crate::schema::Value::Bytes(packed));
                Ok(())
            }

            fn read(fields: &mut $crate::schema::entity::Fields) -> $crate::error::Result<Self> {
                match fields.next()? {
                    $crate::schema::Value::Bytes(packed) => {
                        postcard::from_bytes(&packed).map_err(|_| $crate::schema::damaged())
                    }
                    _ => Err($crate::schema::damaged()),
                }
            }
        }
    };
}

pub(crate) use {entity, packed, stored};
