//! `partnerkit.Agency`.

use std::collections::BTreeMap;

use partnerkit::{AgencyPatch, FieldErrors, ImportOptions, Reseller, ResellerDraft};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::answer::answer;
use crate::error::{call, validation};
use crate::exchange::{PythonFile, Raised, Told};
use crate::handle::Handle;
use crate::query::query;
use crate::search::Search;
use crate::value::{self, Id, Listed, Text, Typed, Version, metric, number};
use crate::{reseller, usage};

/// One agency's resellers, usage and changes. Ids of other agencies do not exist here.
#[pyclass(frozen, module = "partnerkit")]
pub struct Agency(pub Handle<partnerkit::Agency>);

#[pymethods]
impl Agency {
    /// A handle is its own copy: Django's `setUpTestData` asks for one for each test.
    fn __copy__(handle: Py<Self>) -> Py<Self> {
        handle
    }

    fn __deepcopy__(handle: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        handle
    }

    /// The agency's id.
    #[getter]
    fn id(&self) -> &str {
        self.0.id().as_str()
    }

    /// The same agency, with every change noted as made by this actor of the host's. Raises
    /// ValidationError with the field `actor` (1-200 characters).
    fn acting_as(&self, py: Python<'_>, actor: Text) -> PyResult<Self> {
        let actor = actor.of(py, "actor")?;
        call(py, || self.0.acting_as(&actor)).map(|agency| Self(agency.into()))
    }

    /// The settings as they are now. Raises NotFoundError once the agency is deleted.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.settings())?)
    }

    /// Changes settings: time_zone, capacity (a mapping from metric to amount), reserved_labels.
    /// Every handle goes by them at once. Raises ConflictError, NotFoundError, ValidationError.
    #[pyo3(signature = (version=None, *, time_zone=None, capacity=None, reserved_labels=None))]
    fn configure<'py>(
        &self,
        py: Python<'py>,
        version: Option<Version>,
        time_zone: Option<Typed>,
        capacity: Option<BTreeMap<Typed, Bound<'py, PyAny>>>,
        reserved_labels: Option<Listed<Typed>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let amount = |(Typed(slug), amount): (Typed, Bound<'_, PyAny>)| {
            PyResult::Ok((slug, number("capacity", &amount)?))
        };
        let patch = AgencyPatch {
            time_zone: time_zone.map(|Typed(zone)| zone),
            capacity: capacity.map(|c| c.into_iter().map(amount).collect()).transpose()?,
            reserved_labels: reserved_labels.map(|l| l.0.into_iter().map(|Typed(l)| l).collect()),
        };
        let version = version.map(|Version(version)| version);
        answer(py, &call(py, || self.0.configure(version, &patch))?)
    }

    /// Whether a reseller of this agency could have a login domain, why not, and what it could
    /// have instead. Advice for a form: only creating and renaming decide. Raises NotFoundError
    /// once the agency is deleted.
    fn domain_availability<'py>(
        &self,
        py: Python<'py>,
        label: Typed,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.domain_availability(&label.0))?)
    }

    /// Creates a reseller from a form, given by name: partner_type, name, email, phone,
    /// password, password_confirmation, contact, login_domain; optional website, external_id,
    /// metadata; invite=True or password_hash instead of a password. Raises ValidationError with
    /// everything that is wrong at once; nothing is written then.
    ///
    /// With an idempotency_key, a repeated call returns the reseller that the first one created;
    /// ConflictError if the key was used for another form.
    #[pyo3(signature = (*, idempotency_key=None, **fields))]
    fn create_reseller<'py>(
        &self,
        py: Python<'py>,
        idempotency_key: Option<Text>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut draft = reseller::draft(fields)?;
        let key = idempotency_key.map(|key| key.noted("idempotency_key", &mut draft.no_text));
        // A form that will be refused has no use for its key.
        let key = key.filter(|_| draft.no_text.is_empty());
        draft.idempotency_key = key;
        let created = call(py, || self.0.create_reseller(draft))?;
        answer(py, &created)
    }

    /// Creates up to 1,000 resellers in one step from a list of forms, each a dict. The list of
    /// answers has a Reseller, or a ValidationError that is not raised, for each. Raises
    /// ValidationError with the field `resellers`.
    fn create_resellers<'py>(
        &self,
        py: Python<'py>,
        forms: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let drafts = drafts(forms)?;
        answers(py, call(py, || self.0.create_resellers(&drafts))?)
    }

    /// The same, without creating anything: what could be created is answered with the record it
    /// would become.
    fn check_resellers<'py>(
        &self,
        py: Python<'py>,
        forms: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let drafts = drafts(forms)?;
        answers(py, call(py, || self.0.check_resellers(&drafts))?)
    }

    /// Creates a reseller of each row of a CSV file, invited to set its password. `file` is a
    /// path or reads bytes; `each` is called with a RowReport for every row, and what it raises
    /// ends the import. Rows that are there already are left alone, so that a file can be taken
    /// in again. Raises FileError, ValidationError; what the file raises; TypeError for a file
    /// that gives text; BlockingIOError for one that does not block and has nothing now.
    #[pyo3(signature = (file, *, dry_run=false, delimiter=None, each=None))]
    fn import_csv<'py>(
        &self,
        py: Python<'py>,
        file: &Bound<'py, PyAny>,
        dry_run: bool,
        delimiter: Option<Typed>,
        each: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut options = ImportOptions { dry_run, ..ImportOptions::default() };
        if let Some(Typed(delimiter)) = delimiter {
            let &[delimiter] = delimiter.as_bytes() else {
                return Err(PyValueError::new_err("a delimiter is one ASCII character"));
            };
            options.delimiter = delimiter;
        }
        let raised = Raised::default();
        let mut reader = PythonFile::open(file, "rb", &raised)?;
        let mut told = Told { to: each, raised };
        let done = call(py, || self.0.import_csv(&mut reader, &options, |row| told.tell(row)));
        answer(py, &reader.end(py, done)?)
    }

    /// Writes resellers as CSV and says how many. `file` is a path or takes bytes, all or part of
    /// them at a time as its `write` answers; text and conditions are those of `page`. Raises
    /// FileError; what the file raises; TypeError for a file that takes text; BlockingIOError for
    /// one that does not block and takes nothing now. Then the file may hold a part of the rows.
    #[pyo3(signature = (file, text=Text::default(), **conditions))]
    fn export_csv(
        &self,
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        text: Text,
        conditions: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        let query = query(py, text, conditions)?;
        let mut writer = PythonFile::open(file, "wb", &Raised::default())?;
        let done = call(py, || self.0.export_csv(&query, &mut writer));
        writer.end(py, done)
    }

    /// A reseller by id. Raises NotFoundError.
    fn reseller<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.reseller(id.0))?)
    }

    /// A reseller by the host's own id; None if no reseller has it.
    fn reseller_by_external_id<'py>(
        &self,
        py: Python<'py>,
        external_id: Text,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let external_id = external_id.of(py, "external_id")?;
        let found = call(py, || self.0.reseller_by_external_id(&external_id))?;
        found.map(|found| answer(py, &found)).transpose()
    }

    /// Changes a profile: a field that is not named stays, None clears website or external_id.
    /// With a version, raises ConflictError if the record has changed since. Raises
    /// ValidationError, NotFoundError.
    #[pyo3(signature = (id, version=None, **patch))]
    fn update_reseller<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        version: Option<Version>,
        patch: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let patch = reseller::patch(patch)?;
        let version = version.map(|Version(version)| version);
        answer(py, &call(py, || self.0.update_reseller(id.0, version, &patch))?)
    }

    /// Switches a reseller off, now and on every process. Repeating it changes nothing. Raises
    /// NotFoundError, ValidationError with the field `reason` (1-500 characters).
    #[pyo3(signature = (id, reason=None))]
    fn deactivate<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        reason: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reason = reason.map(|reason| reason.of(py, "reason")).transpose()?;
        answer(py, &call(py, || self.0.deactivate(id.0, reason.as_deref()))?)
    }

    /// Switches a reseller on again. Stamps from before stay invalid. Raises NotFoundError.
    fn activate<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.activate(id.0))?)
    }

    /// Changes what a reseller sells, from now on. Raises ConflictError, NotFoundError,
    /// ValidationError with `partner_type`.
    #[pyo3(signature = (id, partner_type, version=None))]
    fn change_partner_type<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        partner_type: Typed,
        version: Option<Version>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let version = version.map(|Version(version)| version);
        let changed = call(py, || self.0.change_partner_type(id.0, version, &partner_type.0))?;
        answer(py, &changed)
    }

    /// What `delete_reseller` would do now; it changes nothing. Raises NotFoundError.
    fn plan_deletion<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.plan_deletion(id.0))?)
    }

    /// Deletes a reseller for good, with its personal data. What it used stays in the agency's
    /// totals; its login domain is quarantined. Raises NotFoundError.
    fn delete_reseller<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.delete_reseller(id.0))?)
    }

    /// Gives a reseller another login domain, in one step; the old one is quarantined for 30
    /// days. Raises ConflictError, NotFoundError, ValidationError with `login_domain`.
    #[pyo3(signature = (id, login_domain, version=None))]
    fn rename_login_domain<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        login_domain: Typed,
        version: Option<Version>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let version = version.map(|Version(version)| version);
        let renamed = call(py, || self.0.rename_login_domain(id.0, version, &login_domain.0))?;
        answer(py, &renamed)
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

    /// One page of the resellers that a text and conditions find: status, partner_type,
    /// joined_from, joined_before (aware datetimes); sort ("joined", "name", "email") and
    /// descending; limit, 1-200, 25 when not said. `after` is `next` of the page before;
    /// with_total also counts them. Raises InvalidCursorError, ValidationError.
    #[pyo3(signature = (text=Text::default(), *, after=None, with_total=false, **conditions))]
    fn page<'py>(
        &self,
        py: Python<'py>,
        text: Text,
        after: Option<Typed>,
        with_total: bool,
        conditions: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut query = query(py, text, conditions)?;
        if let Some(Typed(after)) = after {
            query = query.after(after);
        }
        if with_total {
            query = query.with_total();
        }
        answer(py, &call(py, || self.0.page(&query))?)
    }

    /// Every reseller that a text and the conditions of `page` find, read page by page as they
    /// are asked for; limit is the size of a page.
    #[pyo3(signature = (text=Text::default(), **conditions))]
    fn search(
        &self,
        py: Python<'_>,
        text: Text,
        conditions: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Search> {
        Ok(Search::new(self.0.clone(), query(py, text, conditions)?))
    }

    /// Records at most 10,000 events in one step; the report has an outcome for each. An event
    /// that was recorded before is a duplicate and changes nothing. Whatever a field of an event
    /// holds that it cannot, of another type or None included, is that event's own rejection;
    /// what is no event at all is a TypeError. Raises ValidationError for too many.
    fn record_usage<'py>(
        &self,
        py: Python<'py>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let events: PyResult<Vec<_>> = events.try_iter()?.map(|e| usage::event(&e?)).collect();
        let events = events?;
        answer(py, &call(py, || self.0.record_usage(&events))?)
    }

    /// Uses some of a counter if its limit allows, now, in one step. The same id again is
    /// answered as before. Raises NotFoundError, ValidationError with the fields `id`,
    /// `metric`, `quantity`.
    #[pyo3(signature = (reseller, metric, quantity, id))]
    fn consume<'py>(
        &self,
        py: Python<'py>,
        reseller: Id,
        metric: Typed,
        quantity: &Bound<'py, PyAny>,
        id: Text,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (what, quantity) = (self::metric(py, &metric.0)?, number("quantity", quantity)?);
        let id = id.of(py, "id")?;
        answer(py, &call(py, || self.0.consume(reseller.0, what, quantity, &id))?)
    }

    /// Sets how much a reseller may consume in a calendar month of the agency's time zone; None
    /// lifts the limit. Raises NotFoundError, ValidationError with the field `limit`.
    fn set_allowance(
        &self,
        py: Python<'_>,
        reseller: Id,
        metric: Typed,
        limit: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let what = self::metric(py, &metric.0)?;
        let limit = limit.map(|limit| number("limit", limit)).transpose()?;
        call(py, || self.0.set_allowance(reseller.0, what, limit))
    }

    /// Active resellers and what was used, over all time.
    fn overview<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.overview())?)
    }

    /// Entries of the change feed behind the sequence `after`, in order and without gaps; limit
    /// is 1-1,000, 100 when not said. Raises ValidationError.
    #[pyo3(signature = (after=None, limit=None))]
    fn changes<'py>(
        &self,
        py: Python<'py>,
        after: Option<&Bound<'py, PyAny>>,
        limit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let after = after.map_or(Ok(0), |after| number("after", after))?;
        let limit = limit.map(value::limit).transpose()?;
        answer(py, &call(py, || self.0.changes(Some(after), limit))?)
    }

    fn __repr__(&self) -> String {
        format!("<partnerkit.Agency '{}'>", self.id())
    }
}

fn drafts(forms: &Bound<'_, PyAny>) -> PyResult<Vec<ResellerDraft>> {
    let draft = |form: PyResult<Bound<'_, PyAny>>| reseller::draft(Some(form?.cast::<PyDict>()?));
    forms.try_iter()?.map(draft).collect()
}

/// A record, or an exception that is not raised, for each.
fn answers(
    py: Python<'_>,
    answers: Vec<Result<Reseller, FieldErrors>>,
) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let of_form = |of_form| match of_form {
        Ok(created) => answer(py, &created),
        Err(errors) => Ok(validation(py, errors).into_value(py).into_bound(py).into_any()),
    };
    answers.into_iter().map(of_form).collect()
}
