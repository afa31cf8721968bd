//! The same handles for hosts on tokio (feature `tokio`): each call runs on the runtime's threads
//! for blocking work, whether the runtime has one thread of its own or many.
//!
//! What a call is given it owns. A call whose future is dropped runs to its end all the same.

use std::io::{Read, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;

use tokio::runtime::Handle;

use crate::error::{Error, FieldErrors, Result};
use crate::{
    Access, Agency, AgencyDeletionPlan, AgencyId, AgencyPatch, AgencySettings, Change, Consumption,
    DeletionPlan, DomainAvailability, Erasure, Identity, ImportOptions, ImportReport, LoginDomain,
    Maintenance, Metric, Overview, Page, Place, Platform, PlatformBuilder, Reported, Reseller,
    ResellerDraft, ResellerId, ResellerPatch, ResellerQuery, RowReport, UsageReport,
};

/// A [`Platform`] whose calls are awaited. In a child of `fork` that needs a runtime which was
/// started there.
#[derive(Clone)]
pub struct AsyncPlatform(Platform);

/// An [`Agency`] whose calls are awaited.
#[derive(Clone)]
pub struct AsyncAgency(Agency);

/// Runs a call where it may block. A panic of it goes on here.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let none = |_| Error::configuration("there is no tokio runtime here");
    let done = Handle::try_current().map_err(none)?.spawn_blocking(work).await;
    match done {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Error::storage("the tokio runtime is shutting down")),
        },
    }
}

/// The asynchronous twins of a handle's methods, each with what it owns and how it calls.
macro_rules! twins {
    ($twin:ident, $handle:ident: $(
        fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty = |$it:ident| $call:expr;
    )*) => {
        impl $twin {
            $(
                #[doc = concat!("[`", stringify!($handle), "::", stringify!($name), "`].")]
                pub async fn $name(&self, $($arg: $type),*) -> Result<$result> {
                    let $it = self.0.clone();
                    blocking(move || $call).await
                }
            )*
        }
    };
}

impl AsyncPlatform {
    /// [`Platform::open`].
    pub async fn open(url: impl Into<String>) -> Result<Self> {
        Self::open_with(Platform::builder(), url).await
    }

    /// [`PlatformBuilder::open`], with settings.
    pub async fn open_with(settings: PlatformBuilder, url: impl Into<String>) -> Result<Self> {
        let url = url.into();
        blocking(move || settings.open(&url)).await.map(Self)
    }

    /// [`Platform::login_url`]; it asks no store.
    pub fn login_url(&self, login_domain: &LoginDomain) -> String {
        self.0.login_url(login_domain)
    }

    /// The platform whose calls block.
    pub fn blocking(&self) -> &Platform {
        &self.0
    }
}

impl From<Platform> for AsyncPlatform {
    fn from(platform: Platform) -> Self {
        Self(platform)
    }
}

twins! { AsyncPlatform, Platform:
    fn create_agency(id: String) -> AsyncAgency = |it| it.create_agency(&id).map(AsyncAgency);
    fn create_agency_in(id: String, time_zone: String) -> AsyncAgency =
        |it| it.create_agency_in(&id, &time_zone).map(AsyncAgency);
    fn ensure_agency(id: String) -> AsyncAgency = |it| it.ensure_agency(&id).map(AsyncAgency);
    fn ensure_agency_in(id: String, time_zone: String) -> AsyncAgency =
        |it| it.ensure_agency_in(&id, &time_zone).map(AsyncAgency);
    fn agency(id: String) -> AsyncAgency = |it| it.agency(&id).map(AsyncAgency);
    fn agencies(after: Option<AgencyId>, limit: u32) -> Vec<AgencyId> =
        |it| it.agencies(after.as_ref(), limit);
    fn plan_agency_deletion(id: String) -> AgencyDeletionPlan = |it| it.plan_agency_deletion(&id);
    fn delete_agency(id: String) -> Erasure = |it| it.delete_agency(&id);
    fn sign_in(login_domain: String, email: String, password: String) -> Access =
        |it| it.sign_in(&login_domain, &email, &password);
    fn sign_in_from(source: String, login_domain: String, email: String, password: String)
        -> Access = |it| it.sign_in_from(&source, &login_domain, &email, &password);
    fn check_access(stamp: String) -> Identity = |it| it.check_access(&stamp);
    fn reset_password(token: String, password: String, confirmation: String) -> () =
        |it| it.reset_password(&token, &password, &confirmation);
    fn resolve_host(host: String) -> Place = |it| it.resolve_host(&host);
    fn domain_availability(label: String) -> DomainAvailability =
        |it| it.domain_availability(&label);
    fn prepare() -> () = |it| it.prepare();
    fn backup(path: PathBuf) -> () = |it| it.backup(&path);
    fn maintain(budget: u32) -> Maintenance = |it| it.maintain(budget);
}

impl AsyncAgency {
    /// The agency whose calls block.
    pub fn blocking(&self) -> &Agency {
        &self.0
    }

    /// [`Agency::id`].
    pub fn id(&self) -> &AgencyId {
        self.0.id()
    }

    /// [`Agency::acting_as`]; it asks no store.
    pub fn acting_as(&self, actor: &str) -> Result<Self> {
        self.0.acting_as(actor).map(Self)
    }
}

/// One answer for each draft.
type Answers = Vec<Result<Reseller, FieldErrors>>;

twins! { AsyncAgency, Agency:
    fn settings() -> AgencySettings = |it| it.settings();
    fn configure(version: Option<u64>, patch: AgencyPatch) -> AgencySettings =
        |it| it.configure(version, &patch);
    fn domain_availability(label: String) -> DomainAvailability =
        |it| it.domain_availability(&label);
    fn create_reseller(draft: ResellerDraft) -> Reseller = |it| it.create_reseller(draft);
    fn create_reseller_once(key: String, draft: ResellerDraft) -> Reseller =
        |it| it.create_reseller_once(&key, draft);
    fn create_resellers(drafts: Vec<ResellerDraft>) -> Answers = |it| it.create_resellers(&drafts);
    fn check_resellers(drafts: Vec<ResellerDraft>) -> Answers = |it| it.check_resellers(&drafts);
    fn reseller(id: ResellerId) -> Reseller = |it| it.reseller(id);
    fn reseller_by_external_id(external_id: String) -> Option<Reseller> =
        |it| it.reseller_by_external_id(&external_id);
    fn page(query: ResellerQuery) -> Page = |it| it.page(&query);
    fn update_reseller(id: ResellerId, version: Option<u64>, patch: ResellerPatch) -> Reseller =
        |it| it.update_reseller(id, version, &patch);
    fn change_partner_type(id: ResellerId, version: Option<u64>, partner_type: String)
        -> Reseller = |it| it.change_partner_type(id, version, &partner_type);
    fn rename_login_domain(id: ResellerId, version: Option<u64>, login_domain: String)
        -> Reseller = |it| it.rename_login_domain(id, version, &login_domain);
    fn deactivate(id: ResellerId, reason: Option<String>) -> Reseller =
        |it| it.deactivate(id, reason.as_deref());
    fn activate(id: ResellerId) -> Reseller = |it| it.activate(id);
    fn plan_deletion(id: ResellerId) -> DeletionPlan = |it| it.plan_deletion(id);
    fn delete_reseller(id: ResellerId) -> Erasure = |it| it.delete_reseller(id);
    fn set_password(id: ResellerId, password: String, confirmation: String) -> () =
        |it| it.set_password(id, &password, &confirmation);
    fn change_password(id: ResellerId, current: String, password: String, confirmation: String)
        -> () = |it| it.change_password(id, &current, &password, &confirmation);
    fn reset_token(id: ResellerId) -> String = |it| it.reset_token(id);
    fn revoke_access(id: ResellerId) -> () = |it| it.revoke_access(id);
    fn unlock(id: ResellerId) -> () = |it| it.unlock(id);
    fn record_usage(events: Vec<impl Reported + Send + 'static>) -> UsageReport =
        |it| it.record_usage(&events);
    fn consume(reseller: ResellerId, metric: Metric, quantity: i64, id: String) -> Consumption =
        |it| it.consume(reseller, metric, quantity, &id);
    fn set_allowance(reseller: ResellerId, metric: Metric, limit: Option<i64>) -> () =
        |it| it.set_allowance(reseller, metric, limit);
    fn import_csv(
        input: Box<dyn Read + Send>, options: ImportOptions, each: Box<dyn FnMut(RowReport) + Send>
    ) -> ImportReport = |it| it.import_csv(input, &options, each);
    fn export_csv(query: ResellerQuery, output: Box<dyn Write + Send>) -> u64 =
        |it| it.export_csv(&query, output);
    fn overview() -> Overview = |it| it.overview();
    fn changes(after: u64, limit: u32) -> Vec<Change> = |it| it.changes(after, limit);
}
