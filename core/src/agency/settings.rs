//! An agency's own settings (S56).

use super::Agency;
use super::resellers::expect_version;
use crate::changes::ChangeKind;
use crate::error::{Error, Result};
use crate::settings::{AgencyPatch, AgencySettings};
use crate::storage::{AgencyRow, Lock};

impl Agency {
    /// The settings as they are now. Errors: `NotFound` once the agency is deleted.
    pub fn settings(&self) -> Result<AgencySettings> {
        self.observe("settings", None, || {
            self.read(|reads| reads.held_agency()).map(|row| row.settings)
        })
    }

    /// Changes settings; every handle goes by them at once. A patch that changes nothing leaves
    /// the version as it is.
    ///
    /// Errors: `NotFound`, `Conflict`; fields `time_zone`, `capacity`, `reserved_labels`.
    pub fn configure(&self, version: Option<u64>, patch: &AgencyPatch) -> Result<AgencySettings> {
        self.observe("configure", None, || {
            let now = self.now();
            let change = self.change(ChangeKind::AgencyUpdated, None, 0, now);
            self.write(|tx| {
                let before =
                    tx.lock_agency(Lock::NoKeyUpdate)?.ok_or_else(|| Error::not_found("agency"))?;
                expect_version(version, before.settings.version)?;
                let (mut settings, changed) = patch.apply(&before.settings)?;
                if changed.is_empty() {
                    return Ok(settings);
                }
                settings.version += 1;
                settings.updated_at = now.max(settings.updated_at);
                tx.put_agency(&AgencyRow { settings: settings.clone(), ..before })?;
                let mut change = change.clone();
                (change.version, change.at) = (settings.version, settings.updated_at);
                change.fields = changed.into_iter().map(str::to_owned).collect();
                tx.append_changes(&[change])?;
                Ok(settings)
            })
        })
    }
}
