//! Types that are stored in one column: whole numbers, texts, bytes, ids, and types that are
//! written as one of these.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Fields, Stored, unnamed};
use crate::changes::ChangeKind;
use crate::error::Result;
use crate::partner_type::PartnerType;
use crate::reseller::Status;
use crate::schema::{Column, Kind, Row, Value, damaged};
use crate::usage::{EventId, Metric};
use crate::values::{
    AgencyId, Email, ExternalId, LoginDomain, Metadata, Name, Phone, Timestamp, Website,
};

/// Stores a type as another one, by a conversion there and one back, which may fail.
macro_rules! as_other {
    ($($Type:ty: $Kind:ident, |$value:ident| $write:expr, |$stored:ident| $read:expr;)*) => {
        $(impl Stored for $Type {
            const COLUMNS: &'static [Column] = &unnamed(Kind::$Kind);

            fn write(&self, row: &mut Row) -> Result<()> {
                let $value = self;
                row.push(Value::$Kind($write));
                Ok(())
            }

            fn read(fields: &mut Fields) -> Result<Self> {
                match fields.next()? {
                    Value::$Kind($stored) => $read.ok_or_else(damaged),
                    _ => Err(damaged()),
                }
            }
        })*
    };
}

as_other! {
    i64: Integer, |number| *number, |stored| Some(stored);
    bool: Integer, |flag| i64::from(*flag),
        |stored| match stored { 0 => Some(false), 1 => Some(true), _ => None };
    u8: Integer, |number| i64::from(*number), |stored| stored.try_into().ok();
    i32: Integer, |number| i64::from(*number), |stored| stored.try_into().ok();
    u32: Integer, |number| i64::from(*number), |stored| stored.try_into().ok();
    u64: Integer, |number| i64::try_from(*number).unwrap_or(i64::MAX),
        |stored| stored.try_into().ok();
    Timestamp: Integer, |at| at.as_millis(), |stored| Some(Self::from_millis(stored));
    Uuid: Uuid, |uuid| *uuid, |stored| Some(stored);
    String: Text, |text| text.clone(), |stored| Some(stored);
}

impl<const N: usize> Stored for [u8; N] {
    const COLUMNS: &'static [Column] = &unnamed(Kind::Bytes);

    fn write(&self, row: &mut Row) -> Result<()> {
        row.push(Value::Bytes(self.to_vec()));
        Ok(())
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        match fields.next()? {
            Value::Bytes(bytes) => bytes.try_into().map_err(|_| damaged()),
            _ => Err(damaged()),
        }
    }
}

/// Stores canonical texts, which are not parsed again when they are read.
macro_rules! texts {
    ($($Type:ty),*) => {
        as_other! {
            $($Type: Text, |value| value.as_str().to_owned(),
                |stored| Some(Self::from_stored(stored));)*
        }
    };
}

texts!(AgencyId, Email, EventId, ExternalId, LoginDomain, Name, Phone, Website);

/// Stores enumerations by their slugs.
macro_rules! slugs {
    ($($Type:ty),*) => {
        as_other! {
            $($Type: Text, |value| value.slug().to_owned(),
                |stored| Self::from_slug(&stored);)*
        }
    };
}

slugs!(ChangeKind, Metric, PartnerType, Status);

/// Stores collections as JSON.
macro_rules! in_json {
    ($($Type:ty),* $(,)?) => {
        $(impl Stored for $Type {
            const COLUMNS: &'static [Column] = String::COLUMNS;

            fn write(&self, row: &mut Row) -> Result<()> {
                row.push(Value::Text(serde_json::to_string(self).map_err(|_| damaged())?));
                Ok(())
            }

            fn read(fields: &mut Fields) -> Result<Self> {
                serde_json::from_str(&String::read(fields)?).map_err(|_| damaged())
            }
        })*
    };
}

in_json!(
    BTreeMap<Metric, i64>, BTreeMap<String, String>, BTreeSet<LoginDomain>, Vec<String>,
);

impl Stored for Metadata {
    const COLUMNS: &'static [Column] = String::COLUMNS;

    fn write(&self, row: &mut Row) -> Result<()> {
        self.as_map().write(row)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        Stored::read(fields).map(Self::from_stored)
    }
}

/// Stored in a nullable column, which is null for `None`.
impl<T: Stored> Stored for Option<T> {
    const COLUMNS: &'static [Column] = {
        assert!(T::COLUMNS.len() == 1, "only one column can be nullable");
        &[Column { nullable: true, ..T::COLUMNS[0] }]
    };

    fn write(&self, row: &mut Row) -> Result<()> {
        match self {
            Some(value) => value.write(row),
            None => {
                row.push(Value::Null);
                Ok(())
            }
        }
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        if fields.next_is_null() {
            return fields.next().map(|_| None);
        }
        T::read(fields).map(Some)
    }
}

/// The rest of a key that is only the agency.
impl Stored for () {
    const COLUMNS: &'static [Column] = &[];

    fn write(&self, _: &mut Row) -> Result<()> {
        Ok(())
    }

    fn read(_: &mut Fields) -> Result<Self> {
        Ok(())
    }
}
