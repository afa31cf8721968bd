//! Calls in Rust, with which `bench_calls.py` compares calls in Python.

use std::hint::black_box;

use partnerkit::{ResellerId, ResellerQuery};
use pyo3::prelude::*;

use crate::agency::Agency;
use crate::error::call;
use crate::given::optional;

/// Reads the reseller with an id, or without an id the first page, as many times as given.
#[pyfunction]
#[pyo3(signature = (agency, id, calls))]
pub fn repeat_in_rust(
    py: Python<'_>,
    agency: &Agency,
    id: Option<&Bound<'_, PyAny>>,
    calls: u32,
) -> PyResult<()> {
    let id: Option<ResellerId> = optional("id", id)?;
    call(py, || {
        let query = ResellerQuery::text("");
        for _ in 0..calls {
            match id {
                Some(id) => drop(black_box(agency.0.reseller(id)?)),
                None => drop(black_box(agency.0.page(&query)?)),
            }
        }
        Ok(())
    })
}
