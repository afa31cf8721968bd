//! Performing the steps of a vector with the library's own handles.

use std::time::Duration;

use partnerkit::form::{Form, Given};
use partnerkit::{
    Agency, FieldErrors, ImportOptions, LoginDomain, LoginDomainPolicy, PasswordPolicy, Phone,
    Platform, PlatformBuilder, Quarantine, ResellerDraft, Result,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Case, Step, StillClock, awaiting, difference, dispatch, form, resolved};

/// Performs one step on a platform, with what was kept from earlier ones.
///
/// # Errors
/// The error of the operation.
pub type Perform<'p> = dyn Fn(&Platform, &Step, &Map<String, Value>) -> Result<Value> + 'p;

/// Runs a case on a new store.
///
/// # Panics
/// If something is not as the case says.
pub fn run(case: &Case, store: &str) {
    run_by(case, store, &step_of);
}

/// Runs a case on a new store by awaiting each of its calls.
///
/// # Panics
/// If something is not as the case says.
pub fn run_awaited(case: &Case, store: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    run_by(case, store, &|platform, step, kept| {
        runtime.block_on(awaiting::step_of(platform, step, kept))
    });
}

fn run_by(case: &Case, store: &str, perform: &Perform<'_>) {
    let clock = StillClock::new();
    let builder = configured(&case.settings).login_base("partner.example.com");
    let platform = builder.clock(clock.clone()).open(store).expect("opens");
    platform.create_agency("northwind", None).expect("creates");
    let mut kept = Map::new();
    for (n, step) in case.steps.iter().enumerate() {
        if let Some(millis) = step.forward {
            clock.forward(millis);
            continue;
        }
        kept.insert("now".into(), json!(partnerkit::Clock::now(&*clock)));
        let place = format!("{}, step {} ({})", case.name, n + 1, step.call);
        let answer = perform(&platform, step, &kept);
        let (expected, actual) = match &answer {
            Ok(value) => (&step.gives, value.clone()),
            Err(error) => (&step.fails, json!(error)),
        };
        let as_it_should = answer.is_err() == step.fails.is_some();
        assert!(as_it_should, "{place}: it gave {actual}");
        if let Some(found) =
            expected.as_ref().and_then(|e| difference(&resolved(e, &kept), &actual))
        {
            panic!("{place}: {found}");
        }
        if let Some(name) = &step.keep {
            kept.insert(name.clone(), actual);
        }
    }
}

fn configured(settings: &Map<String, Value>) -> PlatformBuilder {
    let mut builder = Platform::builder();
    let mut policy = match settings.get("login_domains").and_then(Value::as_str) {
        Some("dns") => LoginDomainPolicy::dns(),
        _ => LoginDomainPolicy::letters(),
    };
    for (name, value) in settings {
        let number = || u32::try_from(value.as_u64().expect("a number")).expect("small");
        match name.as_str() {
            "login_domains" => {}
            "reserve" => policy = policy.reserve(read::<Vec<String>>(value)),
            "reserve_only" => policy = policy.reserve_only(read::<Vec<String>>(value)),
            "quarantine" => {
                policy = policy.quarantine(match value.as_str() {
                    Some("immediately") => Quarantine::Immediately,
                    Some(_) => Quarantine::Never,
                    None => Quarantine::Days(number()),
                });
            }
            "second_factor" => builder = builder.password_policy(PasswordPolicy::with_mfa()),
            "sign_in_limit" => builder = builder.sign_in_limit(number()),
            "sign_in_delay_from" => builder = builder.sign_in_delay_from(number()),
            "source_limit" => {
                let (burst, seconds) = read::<(u32, u64)>(value);
                builder = builder.source_limit(burst, Duration::from_secs(seconds));
            }
            "keep_changes_days" => {
                builder = builder.keep_changes(Duration::from_secs(86_400 * u64::from(number())));
            }
            "usage_lateness_days" => {
                builder = builder.usage_lateness(Duration::from_secs(86_400 * u64::from(number())));
            }
            other => panic!("an unknown setting: {other}"),
        }
    }
    builder.login_domain_policy(policy)
}

/// The arguments of a step.
pub(super) struct With(Map<String, Value>);

impl With {
    pub fn of(step: &Step, kept: &Map<String, Value>) -> Self {
        let with = resolved(&Value::Object(step.with.clone()), kept);
        Self(with.as_object().cloned().unwrap_or_default())
    }

    /// An argument; a missing one is null.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> T {
        read(self.0.get(name).unwrap_or(&Value::Null))
    }

    /// An argument that is a text.
    pub fn text(&self, name: &str) -> String {
        self.get(name)
    }

    /// The arguments, except some, as the fields of a form.
    pub fn form<T: Form>(&self, but: &[&str]) -> T {
        let mut fields = self.0.clone();
        fields.retain(|name, _| !but.contains(&name.as_str()));
        given(&Value::Object(fields))
    }

    /// The form of a reseller: `{"label": "acme", "but": {…}}`.
    pub fn draft(&self) -> ResellerDraft {
        draft(&Value::Object(self.0.clone()))
    }

    /// Several forms of resellers.
    pub fn forms(&self) -> Vec<ResellerDraft> {
        self.get::<Vec<Value>>("forms").iter().map(draft).collect()
    }
}

/// A form as other languages give it.
fn given<T: Form>(fields: &Value) -> T {
    let named = fields.as_object().cloned().unwrap_or_default().into_iter();
    let read = partnerkit::form::read(
        named
            .map(|(name, value)| {
                let is_instant = dispatch::INSTANTS.contains(&name.as_str());
                let value = match value.as_i64().filter(|_| is_instant) {
                    Some(at) => Given::Instant(partnerkit::Timestamp::from_millis(at)),
                    None => Given::from(value),
                };
                (name, value)
            })
            .collect(),
    );
    read.unwrap_or_else(|refused| panic!("{fields}: {refused}"))
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

fn draft(of: &Value) -> ResellerDraft {
    let changes = of.get("but").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut form = form(of["label"].as_str().unwrap_or("acme"), &changes);
    form["idempotency_key"] = of["idempotency_key"].clone();
    given(&form)
}

/// An answer in JSON.
pub(super) fn wire<T: Serialize>(result: Result<T>) -> Result<Value> {
    result.map(|value| json!(value))
}

/// Performs one step.
///
/// # Errors
/// The error of the operation.
pub fn step_of(platform: &Platform, step: &Step, kept: &Map<String, Value>) -> Result<Value> {
    let with = With::of(step, kept);
    match &step.on {
        None => of_no_store(platform, &step.call, &with).unwrap_or_else(|| {
            dispatch::on_platform(platform, &step.call, &with)
                .unwrap_or_else(|| panic!("the platform has no operation {}", step.call))
        }),
        Some(agency) => {
            let agency = platform.agency(agency)?;
            let agency = match &step.actor {
                Some(actor) => agency.acting_as(actor)?,
                None => agency,
            };
            on_agency(&agency, &step.call, &with)
        }
    }
}

/// Calls that need no store, and are not awaited; `None` for all others.
pub(super) fn of_no_store(platform: &Platform, call: &str, with: &With) -> Option<Result<Value>> {
    match call {
        "login_url" => Some(login_url(platform, with)),
        "phone_countries" => {
            let wanted = with.text("code");
            let countries = partnerkit::phone_countries();
            Some(Ok(json!(countries.into_iter().find(|country| country.code == wanted))))
        }
        "national_format" => Some(national_format(with)),
        _ => None,
    }
}

fn login_url(platform: &Platform, with: &With) -> Result<Value> {
    let label = LoginDomain::parse(&with.text("login_domain"));
    let label = label.map_err(|refusal| FieldErrors::from(refusal.of("login_domain")))?;
    Ok(json!(platform.login_url(&label)))
}

fn national_format(with: &With) -> Result<Value> {
    let refused = |refusal: partnerkit::Refusal| FieldErrors::from_iter([refusal.of("phone")]);
    let phone = Phone::parse(&with.text("phone"), None).map_err(refused)?;
    Ok(json!(phone.national_format()))
}

/// Calls with a stream, which are not generated.
fn on_agency(agency: &Agency, call: &str, with: &With) -> Result<Value> {
    match call {
        "import_csv" => import(agency, with),
        "export_csv" => {
            let mut file = Vec::new();
            agency.export_csv(&with.form(&[]), &mut file)?;
            Ok(json!(String::from_utf8(file).expect("text")))
        }
        _ => dispatch::on_agency(agency, call, with)
            .unwrap_or_else(|| panic!("an agency has no operation {call}")),
    }
}

/// For each form a record or `{"fields": […]}`.
pub(super) fn answers(
    answers: Result<Vec<Result<partnerkit::Reseller, FieldErrors>>>,
) -> Result<Value> {
    let answer = |answer| match answer {
        Ok(reseller) => json!(reseller),
        Err(errors) => json!({ "fields": json!(errors) }),
    };
    Ok(answers?.into_iter().map(answer).collect())
}

fn import(agency: &Agency, with: &With) -> Result<Value> {
    let mut rows = Vec::new();
    let (file, options) = (with.text("file"), import_options(with));
    let report = agency.import_csv(file.as_bytes(), &options, |row| rows.push(json!(row)))?;
    Ok(json!({ "report": json!(report), "rows": rows }))
}

pub(super) fn import_options(with: &With) -> ImportOptions {
    let delimiter: Option<String> = with.get("delimiter");
    let default = ImportOptions::default();
    ImportOptions {
        dry_run: with.get::<Option<bool>>("dry_run").unwrap_or_default(),
        delimiter: delimiter.map_or(default.delimiter, |text| text.as_bytes()[0]),
    }
}
