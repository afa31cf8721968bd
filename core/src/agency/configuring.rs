//! Changing an agency's settings.

use crate::agency::AgencyRow;
use crate::changes::ChangeKind;
use crate::error::{Error, Result};
use crate::reseller::expect_version;
use crate::storage::Lock;
use crate::tenant::Tenant;

use super::{AgencyPatch, AgencySettings};

impl Tenant {
    /// The settings as they are now. Errors: `NotFound` once the agency is deleted.
    ///
    /// ```example
    /// let settings = agency.settings()?;
    /// assert_eq!((settings.version, &*settings.time_zone), (1, "UTC"));
    /// assert!(settings.capacity.is_empty()); // unlimited
    /// ```
    /// ```python
    /// settings = agency.settings()
    /// assert (settings.version, settings.time_zone) == (1, "UTC")
    /// assert settings.capacity == {}  # unlimited
    /// ```
    /// ```javascript
    /// const settings = await agency.settings();
    /// assert.deepEqual([settings.version, settings.timeZone], [1, 'UTC']);
    /// assert.deepEqual(settings.capacity, {}); // unlimited
    /// ```
    pub fn settings(&self) -> Result<AgencySettings> {
        self.read(|reads| reads.held_agency()).map(|row| row.settings)
    }

    /// Changes settings, which take effect for every handle at once. A patch that changes nothing
    /// leaves the version as it is.
    ///
    /// Errors: `NotFound`; `Conflict` if `version` is given and is not the present one; fields
    /// `time_zone`, `capacity`, `reserved_labels`.
    ///
    /// ```example
    /// use partnerkit::AgencyPatch;
    ///
    /// let seen = agency.settings()?;
    /// let patch = AgencyPatch { time_zone: Some("Europe/Berlin".into()), ..AgencyPatch::default() };
    /// let settings = agency.configure(Some(seen.version), &patch)?;
    /// assert_eq!(settings.time_zone, "Europe/Berlin");
    ///
    /// let stale = agency.configure(Some(seen.version), &patch).unwrap_err();
    /// assert_eq!(stale.current_version(), Some(settings.version));
    /// ```
    /// ```python
    /// seen = agency.settings()
    /// settings = agency.configure(seen.version, time_zone="Europe/Berlin")
    /// assert settings.time_zone == "Europe/Berlin"
    /// try:
    ///     agency.configure(seen.version, capacity={"messages": 100_000})
    /// except partnerkit.ConflictError as error:
    ///     assert error.current_version == settings.version
    /// ```
    /// ```javascript
    /// const { version } = await agency.settings();
    /// const settings = await agency.configure({ timeZone: 'Europe/Berlin' }, { version });
    /// assert.equal(settings.timeZone, 'Europe/Berlin');
    ///
    /// const outdated = agency.configure({ capacity: { messages: 100_000 } }, { version });
    /// await assert.rejects(outdated, { name: 'ConflictError', currentVersion: settings.version });
    /// ```
    pub fn configure(&self, version: Option<u64>, patch: &AgencyPatch) -> Result<AgencySettings> {
        let mutation = self.mutation(ChangeKind::AgencyUpdated, None);
        self.write(|tx| {
            let before =
                tx.lock_agency(Lock::NoKeyUpdate)?.ok_or_else(|| Error::not_found("agency"))?;
            expect_version(version, before.settings.version)?;
            let (settings, fields) = patch.apply(&before.settings)?;
            if fields.is_empty() {
                return Ok(settings);
            }
            let settings = mutation.next(settings);
            tx.put_agency(&AgencyRow { settings: settings.clone(), ..before })?;
            tx.append_changes(&[mutation.entry(settings.version, settings.updated_at, fields)])?;
            Ok(settings)
        })
    }
}
