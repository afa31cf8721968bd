//! The handles for hosts on tokio (feature `tokio`): each call runs on the runtime's threads for
//! blocking work, whether the runtime is single-threaded or not.
//!
//! A call owns its arguments. If its future is dropped, the call still runs to its end.

mod resellers;
mod twins;

pub use resellers::AsyncResellers;

use std::panic::resume_unwind;

use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::{Agency, AgencyId, LoginDomain, Platform, PlatformBuilder};

/// A [`Platform`] whose calls are awaited. In a child of `fork` it needs a runtime that was started
/// in the child.
///
/// Each operation is that of [`Platform`], but owns what it is given: a `String` for a `&str`, a
/// `Vec` for a slice.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// use partnerkit::{AsyncPlatform, ErrorKind};
///
/// let platform = AsyncPlatform::open("memory:").await?;
/// platform.create_agency("northwind".into(), Some("Europe/Berlin".into())).await?;
/// let guess = ["acme", "owner@acme.example", "a guess"].map(String::from);
/// let [login_domain, email, password] = guess;
/// let denied = platform.sign_in(login_domain, email, password, None).await.unwrap_err();
/// assert_eq!(denied.kind(), ErrorKind::AccessDenied);
/// # Ok::<(), partnerkit::Error>(()) })?;
/// # Ok::<(), partnerkit::Error>(())
/// ```
#[derive(Clone)]
pub struct AsyncPlatform(Platform);

/// An [`Agency`] whose calls are awaited.
///
/// Each operation is that of [`Agency`], but owns what it is given.
///
/// ```
/// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
/// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// use partnerkit::{AsyncAgency, Metric, ResellerQuery};
///
/// let agency = AsyncAgency::from(agency); // or from an `AsyncPlatform`
/// agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1".into()).await?;
/// assert_eq!(agency.overview().await?.messages, 3);
/// assert_eq!(agency.page(ResellerQuery::text("telecom")).await?.resellers, [acme]);
/// # Ok::<(), partnerkit::Error>(()) })?;
/// # Ok::<(), partnerkit::Error>(())
/// ```
#[derive(Clone)]
pub struct AsyncAgency(Agency);

/// Runs a call on a thread where it may block, and resumes its panic here.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let none = |_| Error::configuration("the call was not made inside a tokio runtime");
    let done = Handle::try_current().map_err(none)?.spawn_blocking(work).await;
    match done {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Error::storage("the tokio runtime is shutting down")),
        },
    }
}

impl AsyncPlatform {
    /// Opens a store, as [`Platform::open`] does.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use partnerkit::AsyncPlatform;
    ///
    /// let platform = AsyncPlatform::open("memory:").await?;
    /// let agency = platform.create_agency("northwind".into(), None).await?;
    /// assert_eq!(agency.overview().await?.active_resellers, 0);
    /// # Ok::<(), partnerkit::Error>(()) })?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub async fn open(url: impl Into<String>) -> Result<Self> {
        Self::open_with(Platform::builder(), url).await
    }

    /// Opens a store with these settings, as [`PlatformBuilder::open`] does.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use partnerkit::{AsyncPlatform, LoginDomain, Platform};
    ///
    /// let settings = Platform::builder().login_base("partner.example.com");
    /// let platform = AsyncPlatform::open_with(settings, "memory:").await?;
    /// let acme = LoginDomain::parse("acme").unwrap();
    /// assert_eq!(platform.login_url(&acme), "https://acme.partner.example.com");
    /// # Ok::<(), partnerkit::Error>(()) })?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub async fn open_with(settings: PlatformBuilder, url: impl Into<String>) -> Result<Self> {
        let url = url.into();
        blocking(move || settings.open(&url)).await.map(Self)
    }

    /// What [`Platform::login_url`] answers. It asks no store, so it is not awaited.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use partnerkit::{AsyncPlatform, LoginDomain};
    ///
    /// let platform = AsyncPlatform::open("memory:").await?;
    /// let acme = LoginDomain::parse("acme").unwrap();
    /// assert_eq!(platform.login_url(&acme), "https://acme.partner.localhost");
    /// # Ok::<(), partnerkit::Error>(()) })?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn login_url(&self, login_domain: &LoginDomain) -> String {
        self.0.login_url(login_domain)
    }

    /// The same platform, as a handle whose calls block.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::AsyncPlatform;
    ///
    /// let awaited = AsyncPlatform::from(platform);
    /// assert_eq!(awaited.blocking().agencies(None, None)?, [agency.id().clone()]);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn blocking(&self) -> &Platform {
        &self.0
    }
}

impl From<Platform> for AsyncPlatform {
    fn from(platform: Platform) -> Self {
        Self(platform)
    }
}

impl AsyncAgency {
    /// The same agency, as a handle whose calls block.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::AsyncAgency;
    ///
    /// let awaited = AsyncAgency::from(agency);
    /// assert_eq!(awaited.blocking().reseller(acme.id)?, acme);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn blocking(&self) -> &Agency {
        &self.0
    }

    /// The agency's id, as [`Agency::id`] answers it.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::AsyncAgency;
    ///
    /// assert_eq!(AsyncAgency::from(agency).id().as_str(), "northwind");
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn id(&self) -> &AgencyId {
        self.0.id()
    }

    /// What [`Agency::acting_as`] answers. It asks no store, so it is not awaited.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use partnerkit::AsyncAgency;
    ///
    /// let agency = AsyncAgency::from(agency);
    /// agency.acting_as("user-42")?.deactivate(acme.id, None).await?;
    /// let changes = agency.changes(None, None).await?;
    /// assert_eq!(changes.last().unwrap().actor.as_deref(), Some("user-42"));
    /// # Ok::<(), partnerkit::Error>(()) })?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn acting_as(&self, actor: &str) -> Result<Self> {
        self.0.acting_as(actor).map(Self)
    }
}

impl From<Agency> for AsyncAgency {
    fn from(agency: Agency) -> Self {
        Self(agency)
    }
}
