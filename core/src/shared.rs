//! What the handles of one platform have in common: the store and the settings.

use std::sync::Arc;

use crate::access::{AttemptPolicy, Hasher, Secret};
use crate::clock::{Clock, Entropy};
use crate::storage::Storage;
use crate::values::PasswordPolicy;

/// Made once, when a platform is opened.
pub(crate) struct Shared {
    pub storage: Arc<dyn Storage>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub hasher: Hasher,
    pub secret: Secret,
    pub login_base: String,
    pub password_policy: PasswordPolicy,
    pub attempts: AttemptPolicy,
}
