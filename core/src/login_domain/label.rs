//! Login domains and their holders, on the whole platform.

use crate::error::{Code, Result};
use crate::reseller::ResellerId;
use crate::schema::entity::{Fields, Stored, entity, stored};
use crate::schema::{Column, Row, damaged};
use crate::values::{AgencyId, LoginDomain, Timestamp};

stored! {
    /// A login domain and its state.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LabelRow {
        /// The label.
        pub label: LoginDomain,
        /// The agency that holds it, or held it last.
        pub agency: AgencyId,
        /// Whether it is held.
        pub state: LabelState,
    }
}

entity! {
    LabelRow in "labels" {
        key: LoginDomain [label];
        home: Home::Column("label");
        parent: None, refers: false;
        index quarantine [quarantined_until];
    }
}

impl LabelRow {
    /// Whether a new reseller may have the label.
    pub fn is_free(&self, now: Timestamp) -> bool {
        matches!(self.state, LabelState::Quarantined(until) if until <= now)
    }
}

/// Whether a label is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelState {
    /// It is held by this reseller.
    Held(ResellerId),
    /// It is not held, and may not be taken before this instant. This holds no personal data (S7).
    Quarantined(Timestamp),
}

impl LabelState {
    /// The code for a form of somebody else who wants the label.
    pub(crate) fn refusal(self) -> Code {
        match self {
            Self::Held(_) => Code::Taken,
            Self::Quarantined(_) => Code::Quarantined,
        }
    }
}

stored! {
    /// A state as two columns, one of which is null.
    struct StateColumns {
        reseller: Option<ResellerId>,
        quarantined_until: Option<Timestamp>,
    }
}

impl Stored for LabelState {
    const COLUMNS: &'static [Column] = StateColumns::COLUMNS;

    fn write(&self, row: &mut Row) -> Result<()> {
        let (reseller, quarantined_until) = match *self {
            Self::Held(reseller) => (Some(reseller), None),
            Self::Quarantined(until) => (None, Some(until)),
        };
        StateColumns { reseller, quarantined_until }.write(row)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        match StateColumns::read(fields)? {
            StateColumns { reseller: Some(reseller), quarantined_until: None } => {
                Ok(Self::Held(reseller))
            }
            StateColumns { reseller: None, quarantined_until: Some(until) } => {
                Ok(Self::Quarantined(until))
            }
            _ => Err(damaged()),
        }
    }
}
