//! What calls take in Rust, for `bench_calls.py` to compare with.

use std::hint::black_box;
use std::time::Instant;

use partnerkit::ResellerQuery;
use pyo3::prelude::*;

use crate::agency::Agency;
use crate::error::call;
use crate::value::Id;

/// How many seconds so many calls take: each reads the reseller with the id, or the first page.
#[pyfunction]
#[pyo3(signature = (agency, id, calls))]
pub fn seconds_in_rust(
    py: Python<'_>,
    agency: &Agency,
    id: Option<Id>,
    calls: u32,
) -> PyResult<f64> {
    call(py, || {
        let query = ResellerQuery::text("");
        let begun = Instant::now();
        for _ in 0..calls {
            match &id {
                Some(Id(id)) => drop(black_box(agency.0.reseller(*id)?)),
                None => drop(black_box(agency.0.page(&query)?)),
            }
        }
        Ok(begun.elapsed().as_secs_f64())
    })
}
