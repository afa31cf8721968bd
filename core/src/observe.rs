//! Tracing: with the feature `tracing` every operation is a span (S53).
//!
//! A span has ids, the kind of outcome and the duration, and never names, addresses or secrets. Its
//! ids come from the handle, the call and the answer. A typed text (a login domain, an agency that
//! may not exist) is recorded only if the answer confirms it.
#![cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "nobody looks at the ids then"))]

mod answers;

use crate::agency::Agency;
use crate::error::Result;
use crate::platform::Platform;
use crate::reseller::ResellerId;
use crate::storage::Erasure;
use crate::tenant::Tenant;
use crate::values::AgencyId;

impl Agency {
    /// Runs an operation of this agency.
    pub(crate) fn observe<T: Telling>(
        &self,
        operation: &'static str,
        reseller: impl Into<Option<ResellerId>>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        span(operation, Known { agency: Some(self.id()), reseller: reseller.into() }, work)
    }
}

impl Platform {
    /// Runs an operation of the whole platform.
    pub(crate) fn observe<T: Telling>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        span(operation, Known::default(), work)
    }
}

/// The agency and reseller that a call is about.
#[derive(Default)]
pub(crate) struct Known<'k> {
    agency: Option<&'k AgencyId>,
    reseller: Option<ResellerId>,
}

/// An answer, which may have the ids that the call was about.
pub(crate) trait Telling {
    /// The ids in it: none, or those of many.
    fn known(&self) -> Known<'_> {
        Known::default()
    }
}

impl Telling for Tenant {
    fn known(&self) -> Known<'_> {
        Known { agency: Some(&self.id), reseller: None }
    }
}

impl Telling for DeletedAgency {
    fn known(&self) -> Known<'_> {
        Known { agency: Some(&self.id), reseller: None }
    }
}

impl<T: Telling> Telling for Option<T> {
    fn known(&self) -> Known<'_> {
        self.as_ref().map_or_else(Known::default, Telling::known)
    }
}

impl<T> Telling for Vec<T> {}

/// Answers that have no name of their own.
macro_rules! silent {
    ($($answer:ty),*) => {
        $(impl Telling for $answer {})*
    };
}

silent!((), bool, i64, u32, u64, String);

/// How far the deletion of an agency has got, and the agency's id.
pub(crate) struct DeletedAgency {
    pub id: AgencyId,
    pub erasure: Erasure,
}

impl From<DeletedAgency> for Erasure {
    fn from(deleted: DeletedAgency) -> Self {
        deleted.erasure
    }
}

#[cfg(feature = "tracing")]
fn span<T: Telling>(
    operation: &'static str,
    before: Known<'_>,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    use tracing::field::{Empty, display};

    let span = tracing::info_span!(
        target: "partnerkit",
        "call",
        operation,
        agency = before.agency.map(display),
        reseller = before.reseller.map(display),
        outcome = Empty,
        microseconds = Empty,
    );
    let began = std::time::Instant::now();
    let result = span.in_scope(work);
    let outcome = result.as_ref().err().map_or("ok", |error| error.kind().slug());
    let microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let after = result.as_ref().map_or_else(|_| Known::default(), Telling::known);
    if let Some(agency) = after.agency.filter(|_| before.agency.is_none()) {
        span.record("agency", display(agency));
    }
    if let Some(reseller) = after.reseller.filter(|_| before.reseller.is_none()) {
        span.record("reseller", display(reseller));
    }
    span.record("outcome", outcome).record("microseconds", microseconds);
    result
}

#[cfg(not(feature = "tracing"))]
fn span<T: Telling>(_: &'static str, _: Known<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    work()
}
