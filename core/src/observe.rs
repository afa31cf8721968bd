//! What a host can watch: with the feature `tracing` every operation is a span (S53).

use crate::agency::Agency;
use crate::error::Result;
use crate::platform::Platform;
use crate::reseller::ResellerId;
use crate::values::AgencyId;

impl Agency {
    /// Runs an operation of this agency.
    pub(crate) fn observe<T>(
        &self,
        operation: &'static str,
        reseller: impl Into<Option<ResellerId>>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        span(operation, Some(self.id()), reseller.into(), work)
    }
}

impl Platform {
    /// Runs an operation of the whole platform.
    pub(crate) fn observe<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        span(operation, None, None, work)
    }
}

/// Names, addresses and secrets have no way in: a span has ids, the kind of outcome and how long
/// it took.
#[cfg(feature = "tracing")]
fn span<T>(
    operation: &'static str,
    agency: Option<&AgencyId>,
    reseller: Option<ResellerId>,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    use tracing::field::Empty;

    let span = tracing::info_span!(
        target: "partnerkit",
        "call",
        operation,
        agency = agency.map(display),
        reseller = reseller.map(display),
        outcome = Empty,
        microseconds = Empty,
    );
    let began = std::time::Instant::now();
    let result = span.in_scope(work);
    let outcome = result.as_ref().err().map_or("ok", |error| error.kind().slug());
    let microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.record("outcome", outcome).record("microseconds", microseconds);
    result
}

#[cfg(not(feature = "tracing"))]
fn span<T>(
    _: &'static str,
    _: Option<&AgencyId>,
    _: Option<ResellerId>,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    work()
}
