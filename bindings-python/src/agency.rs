//! `partnerkit.Agency`, and the iterator over a search.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use partnerkit::ResellerQuery;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::call;
use crate::value::{Id, Typed, integer, metric, status};
use crate::{reseller, usage, value};

/// One agency's resellers, usage and changes. Ids of other agencies do not exist here.
#[pyclass(frozen, module = "partnerkit")]
pub struct Agency(pub partnerkit::Agency);

#[pymethods]
impl Agency {
    /// The agency's id.
    #[getter]
    fn id(&self) -> &str {
        self.0.id().as_str()
    }

    /// The same agency, with every change noted as made by this actor of the host's. Raises
    /// ValidationError with the field `actor` (1-200 characters).
    fn acting_as(&self, py: Python<'_>, actor: &str) -> PyResult<Self> {
        call(py, || self.0.acting_as(actor)).map(Self)
    }

    /// Creates a reseller from a form, given by name: partner_type, name, email, phone,
    /// password, password_confirmation, contact, login_domain; optional website, external_id,
    /// metadata; invite=True instead of a password. Raises ValidationError with everything that
    /// is wrong at once; nothing is written then.
    #[pyo3(signature = (**fields))]
    fn create_reseller<'py>(
        &self,
        py: Python<'py>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let draft = reseller::draft(fields)?;
        reseller::reseller(py, call(py, || self.0.create_reseller(draft))?)
    }

    /// A reseller by id. Raises NotFoundError.
    fn reseller<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        reseller::reseller(py, call(py, || self.0.reseller(id.0))?)
    }

    /// A reseller by the host's own id; None if no reseller has it.
    fn reseller_by_external_id<'py>(
        &self,
        py: Python<'py>,
        external_id: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = call(py, || self.0.reseller_by_external_id(external_id))?;
        found.map(|found| reseller::reseller(py, found)).transpose()
    }

    /// Changes a profile: a field that is not named stays, None clears website or external_id.
    /// With a version, raises ConflictError if the record has changed since. Raises
    /// ValidationError, NotFoundError.
    #[pyo3(signature = (id, version=None, **patch))]
    fn update_reseller<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        version: Option<u64>,
        patch: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let patch = reseller::patch(patch)?;
        reseller::reseller(py, call(py, || self.0.update_reseller(id.0, version, &patch))?)
    }

    /// Switches a reseller off, now and on every process. Repeating it changes nothing. Raises
    /// NotFoundError, ValidationError with the field `reason` (1-500 characters).
    #[pyo3(signature = (id, reason=None))]
    fn deactivate<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        reason: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        reseller::reseller(py, call(py, || self.0.deactivate(id.0, reason))?)
    }

    /// Switches a reseller on again. Stamps from before stay invalid. Raises NotFoundError.
    fn activate<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        reseller::reseller(py, call(py, || self.0.activate(id.0))?)
    }

    /// Deletes a reseller for good, with its personal data. What it used stays in the agency's
    /// totals; its login domain is quarantined for 30 days. Raises NotFoundError.
    fn delete_reseller(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        call(py, || self.0.delete_reseller(id.0)).map(drop)
    }

    /// Gives a reseller another login domain, in one step; the old one is quarantined for 30
    /// days. Raises ConflictError, NotFoundError, ValidationError with `login_domain`.
    #[pyo3(signature = (id, login_domain, version=None))]
    fn rename_login_domain<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        login_domain: Typed,
        version: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let renamed = call(py, || self.0.rename_login_domain(id.0, version, &login_domain.0))?;
        reseller::reseller(py, renamed)
    }

    /// Sets a reseller's password, as the agency decides; earlier stamps end. Raises
    /// NotFoundError, ValidationError with `password` and `password_confirmation`.
    #[pyo3(signature = (id, *, password, password_confirmation))]
    fn set_password(
        &self,
        py: Python<'_>,
        id: Id,
        password: &Bound<'_, PyAny>,
        password_confirmation: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (password, again) = reseller::new_password(password, password_confirmation)?;
        call(py, || self.0.set_password(id.0, &password, &again))
    }

    /// Changes a reseller's password for somebody who knows the current one; a wrong one counts
    /// as a failed sign-in. Raises AccessDeniedError, NotFoundError, ValidationError.
    #[pyo3(signature = (id, *, current, password, password_confirmation))]
    fn change_password(
        &self,
        py: Python<'_>,
        id: Id,
        current: Typed,
        password: &Bound<'_, PyAny>,
        password_confirmation: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (password, again) = reseller::new_password(password, password_confirmation)?;
        call(py, || self.0.change_password(id.0, &current.0, &password, &again))
    }

    /// A token with which `Platform.reset_password` sets a password, once and within an hour.
    /// It is as good as the password. Raises NotFoundError.
    fn reset_token(&self, py: Python<'_>, id: Id) -> PyResult<String> {
        call(py, || self.0.reset_token(id.0))
    }

    /// Ends every access stamp of a reseller; it may sign in again. Raises NotFoundError.
    fn revoke_access(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        call(py, || self.0.revoke_access(id.0))
    }

    /// Forgets a reseller's failed sign-ins, a hard stop included. Raises NotFoundError.
    fn unlock(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        call(py, || self.0.unlock(id.0))
    }

    /// One page of resellers, newest first. `after` is `next` of the page before; limit is
    /// 1-200, 25 when not said. Raises InvalidCursorError, ValidationError.
    #[pyo3(signature = (text="", status=None, limit=None, after=None))]
    fn page<'py>(
        &self,
        py: Python<'py>,
        text: &str,
        status: Option<&str>,
        limit: Option<&Bound<'py, PyAny>>,
        after: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut query = query(py, text, status, limit)?;
        if let Some(after) = after {
            query = query.after(after);
        }
        reseller::page(py, call(py, || self.0.page(&query))?)
    }

    /// Every reseller a search finds, newest first, read page by page as they are asked for.
    /// limit is the size of a page, 1-200.
    #[pyo3(signature = (text="", status=None, limit=None))]
    fn search<'py>(
        &self,
        py: Python<'py>,
        text: &str,
        status: Option<&str>,
        limit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Search> {
        let next = Some(query(py, text, status, limit)?);
        let place = Place { read: VecDeque::new(), next };
        Ok(Search { agency: self.0.clone(), place: Mutex::new(place) })
    }

    /// Records at most 10,000 events in one step; the report has an outcome for each. An event
    /// that was recorded before is a duplicate and changes nothing. Raises ValidationError.
    fn record_usage<'py>(
        &self,
        py: Python<'py>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let events: PyResult<Vec<_>> = events.try_iter()?.map(|e| usage::event(&e?)).collect();
        let events = events?;
        usage::report(py, call(py, || self.0.record_usage(&events))?)
    }

    /// Uses some of a counter if its limit allows, now, in one step. The same id again is
    /// answered as before. Raises NotFoundError, ValidationError with the fields `id`,
    /// `metric`, `quantity`.
    #[pyo3(signature = (reseller, metric, quantity, id))]
    fn consume<'py>(
        &self,
        py: Python<'py>,
        reseller: Id,
        metric: &str,
        quantity: &Bound<'py, PyAny>,
        id: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (what, quantity) = (self::metric(py, metric)?, integer("quantity", quantity)?);
        let answer = call(py, || self.0.consume(reseller.0, what, quantity, id))?;
        usage::consumption(py, answer, quantity)
    }

    /// Sets how much a reseller may consume in a calendar month of the agency's time zone; None
    /// lifts the limit. Raises NotFoundError, ValidationError with the field `limit`.
    fn set_allowance(
        &self,
        py: Python<'_>,
        reseller: Id,
        metric: &str,
        limit: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let what = self::metric(py, metric)?;
        let limit = limit.map(|limit| integer("limit", limit)).transpose()?;
        call(py, || self.0.set_allowance(reseller.0, what, limit))
    }

    /// Active resellers and what was used, over all time.
    fn overview<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        usage::overview(py, call(py, || self.0.overview())?)
    }

    /// Entries of the change feed behind the sequence `after`, in order and without gaps; limit
    /// is 1-1,000, 100 when not said. Raises ValidationError.
    #[pyo3(signature = (after=0, limit=None))]
    fn changes<'py>(
        &self,
        py: Python<'py>,
        after: u64,
        limit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let limit = limit.map_or(Ok(100), value::limit)?;
        let changes = call(py, || self.0.changes(after, limit))?;
        changes.into_iter().map(|change| usage::change(py, change)).collect()
    }

    fn __repr__(&self) -> String {
        format!("<partnerkit.Agency '{}'>", self.id())
    }
}

fn query<'py>(
    py: Python<'py>,
    text: &str,
    with_status: Option<&str>,
    limit: Option<&Bound<'py, PyAny>>,
) -> PyResult<ResellerQuery> {
    let mut query = ResellerQuery::text(text);
    if let Some(slug) = with_status {
        query = query.status(status(py, slug)?);
    }
    if let Some(limit) = limit {
        query = query.limit(value::limit(limit)?);
    }
    Ok(query)
}

/// The resellers that a search finds, page by page.
#[pyclass(frozen, module = "partnerkit")]
pub struct Search {
    agency: partnerkit::Agency,
    place: Mutex<Place>,
}

/// How far a search has got.
struct Place {
    read: VecDeque<partnerkit::Reseller>,
    /// The query of the next page; none behind the last one.
    next: Option<ResellerQuery>,
}

#[pymethods]
impl Search {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = call(py, || self.next())?;
        found.map(|found| reseller::reseller(py, found)).transpose()
    }
}

impl Search {
    /// The next reseller. Another thread that asks meanwhile waits, and gets another one.
    fn next(&self) -> partnerkit::Result<Option<partnerkit::Reseller>> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        while place.read.is_empty() {
            // An error leaves the place as it is: the next call tries the same page again.
            let Some(query) = &place.next else { return Ok(None) };
            let page = self.agency.page(query)?;
            place.next = page.next.map(|cursor| query.clone().after(cursor));
            place.read = page.resellers.into();
        }
        Ok(place.read.pop_front())
    }
}
