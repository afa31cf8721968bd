//! Performing the steps of a vector with the library's own handles.

use std::time::Duration;

use partnerkit::{
    Agency, AgencyId, AgencyPatch, EventDraft, FieldErrors, ImportOptions, LoginDomain,
    LoginDomainPolicy, Metric, PartnerType, PasswordPolicy, Patch, Phone, Platform,
    PlatformBuilder, Quarantine, ResellerDraft, ResellerId, ResellerPatch, ResellerQuery, Result,
    SortBy, Status, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Case, Step, StillClock, difference, form, resolved};

/// Runs a case on a new store.
///
/// # Panics
/// When something is not as the case says.
pub fn run(case: &Case, store: &str) {
    let clock = StillClock::new();
    let builder = configured(&case.settings).login_base("partner.example.com");
    let platform = builder.clock(clock.clone()).open(store).expect("opens");
    platform.create_agency("northwind").expect("creates");
    let mut kept = Map::new();
    for (n, step) in case.steps.iter().enumerate() {
        if let Some(millis) = step.forward {
            clock.forward(millis);
            continue;
        }
        kept.insert("now".into(), json!(partnerkit::Clock::now(&*clock)));
        let place = format!("{}, step {} ({})", case.name, n + 1, step.call);
        let answer = step_of(&platform, step, &kept);
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
            other => panic!("an unknown setting: {other}"),
        }
    }
    builder.login_domain_policy(policy)
}

/// The arguments of a step.
struct With(Map<String, Value>);

impl With {
    fn get<T: DeserializeOwned>(&self, name: &str) -> T {
        read(self.0.get(name).unwrap_or(&Value::Null))
    }

    fn text(&self, name: &str) -> String {
        self.get(name)
    }

    fn id(&self) -> ResellerId {
        self.get("id")
    }

    fn form(&self) -> ResellerDraft {
        read(&draft(&Value::Object(self.0.clone())))
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

/// `{"label": "acme", "but": {…}}` as a form.
fn draft(of: &Value) -> Value {
    let changes = of.get("but").and_then(Value::as_object).cloned().unwrap_or_default();
    form(of["label"].as_str().unwrap_or("acme"), &changes)
}

fn wire<T: Serialize>(result: Result<T>) -> Result<Value> {
    result.map(|value| json!(value))
}

/// Performs one step.
///
/// # Errors
/// What the operation fails with.
pub fn step_of(platform: &Platform, step: &Step, kept: &Map<String, Value>) -> Result<Value> {
    let with = resolved(&Value::Object(step.with.clone()), kept);
    let with = With(with.as_object().cloned().unwrap_or_default());
    match &step.on {
        None => on_platform(platform, &step.call, &with),
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

fn on_platform(platform: &Platform, call: &str, with: &With) -> Result<Value> {
    let text = |name| with.text(name);
    match call {
        "create_agency" => {
            let created = match with.get::<Option<String>>("time_zone") {
                None => platform.create_agency(&text("id")),
                Some(zone) => platform.create_agency_in(&text("id"), &zone),
            };
            wire(created.map(|agency| agency.id().clone()))
        }
        "ensure_agency" => {
            let ensured = match with.get::<Option<String>>("time_zone") {
                None => platform.ensure_agency(&text("id")),
                Some(zone) => platform.ensure_agency_in(&text("id"), &zone),
            };
            wire(ensured.map(|agency| agency.id().clone()))
        }
        "agencies" => {
            let after: Option<AgencyId> = with.get("after");
            let limit: Option<u32> = with.get("limit");
            wire(platform.agencies(after.as_ref(), limit.unwrap_or(Platform::DEFAULT_AGENCIES)))
        }
        "plan_agency_deletion" => wire(platform.plan_agency_deletion(&text("id"))),
        "delete_agency" => wire(platform.delete_agency(&text("id"))),
        "sign_in" => {
            let (label, email, password) = (text("login_domain"), text("email"), text("password"));
            wire(match with.get::<Option<String>>("source") {
                None => platform.sign_in(&label, &email, &password),
                Some(source) => platform.sign_in_from(&source, &label, &email, &password),
            })
        }
        "check_access" => wire(platform.check_access(&text("stamp"))),
        "reset_password" => {
            let (password, again) = (text("password"), text("password_confirmation"));
            wire(platform.reset_password(&text("token"), &password, &again))
        }
        "resolve_host" => wire(platform.resolve_host(&text("host"))),
        "login_url" => {
            let label = LoginDomain::parse(&text("login_domain"));
            let label = label.map_err(|refusal| FieldErrors::from(refusal.of("login_domain")))?;
            Ok(json!(platform.login_url(&label)))
        }
        "domain_availability" => wire(platform.domain_availability(&text("label"))),
        "maintain" => {
            let budget: Option<u32> = with.get("budget");
            wire(platform.maintain(budget.unwrap_or(Platform::DEFAULT_BUDGET)))
        }
        "phone_countries" => {
            let wanted = text("code");
            let countries = partnerkit::phone_countries();
            Ok(json!(countries.into_iter().find(|country| country.code == wanted)))
        }
        "national_format" => {
            let refused =
                |refusal: partnerkit::Refusal| FieldErrors::from_iter([refusal.of("phone")]);
            let phone = Phone::parse(&text("phone"), None).map_err(refused)?;
            Ok(json!(phone.national_format()))
        }
        other => panic!("the platform has no operation {other}"),
    }
}

fn on_agency(agency: &Agency, call: &str, with: &With) -> Result<Value> {
    let (text, id) = (|name| with.text(name), || with.id());
    match call {
        "settings" => wire(agency.settings()),
        "configure" => wire(agency.configure(with.get("version"), &agency_patch(with))),
        "domain_availability" => wire(agency.domain_availability(&text("label"))),
        "create_reseller" => wire(match with.get::<Option<String>>("idempotency_key") {
            None => agency.create_reseller(with.form()),
            Some(key) => agency.create_reseller_once(&key, with.form()),
        }),
        "create_resellers" => answers(agency.create_resellers(&drafts(with))),
        "check_resellers" => answers(agency.check_resellers(&drafts(with))),
        "import_csv" => import(agency, with),
        "export_csv" => {
            let mut file = Vec::new();
            agency.export_csv(&query(with), &mut file)?;
            Ok(json!(String::from_utf8(file).expect("text")))
        }
        "reseller" => wire(agency.reseller(id())),
        "reseller_by_external_id" => wire(agency.reseller_by_external_id(&text("external_id"))),
        "page" => wire(agency.page(&query(with))),
        "update_reseller" => wire(agency.update_reseller(id(), with.get("version"), &patch(with))),
        "change_partner_type" => {
            let partner_type = text("partner_type");
            wire(agency.change_partner_type(id(), with.get("version"), &partner_type))
        }
        "rename_login_domain" => {
            let label = text("login_domain");
            wire(agency.rename_login_domain(id(), with.get("version"), &label))
        }
        "deactivate" => {
            let reason: Option<String> = with.get("reason");
            wire(agency.deactivate(id(), reason.as_deref()))
        }
        "activate" => wire(agency.activate(id())),
        "plan_deletion" => wire(agency.plan_deletion(id())),
        "delete_reseller" => wire(agency.delete_reseller(id())),
        "set_password" => {
            wire(agency.set_password(id(), &text("password"), &text("password_confirmation")))
        }
        "change_password" => {
            let (current, new) = (text("current"), text("password"));
            wire(agency.change_password(id(), &current, &new, &text("password_confirmation")))
        }
        "reset_token" => wire(agency.reset_token(id())),
        "revoke_access" => wire(agency.revoke_access(id())),
        "unlock" => wire(agency.unlock(id())),
        "record_usage" => wire(agency.record_usage(&with.get::<Vec<EventDraft>>("events"))),
        "consume" => {
            let metric: Metric = with.get("metric");
            let reseller = with.get("reseller");
            wire(agency.consume(reseller, metric, with.get("quantity"), &text("id")))
        }
        "set_allowance" => wire(agency.set_allowance(id(), with.get("metric"), with.get("limit"))),
        "overview" => wire(agency.overview()),
        "changes" => {
            let (after, limit): (Option<u64>, Option<u32>) = (with.get("after"), with.get("limit"));
            let limit = limit.unwrap_or(Agency::DEFAULT_CHANGES);
            wire(agency.changes(after.unwrap_or_default(), limit))
        }
        other => panic!("an agency has no operation {other}"),
    }
}

fn agency_patch(with: &With) -> AgencyPatch {
    let (time_zone, capacity) = (with.get("time_zone"), with.get("capacity"));
    AgencyPatch { time_zone, capacity, reserved_labels: with.get("reserved_labels") }
}

fn drafts(with: &With) -> Vec<ResellerDraft> {
    let forms: Vec<Value> = with.get("forms");
    forms.iter().map(|form| read(&draft(form))).collect()
}

/// A record, or `{"fields": […]}`, for each.
fn answers(answers: Result<Vec<Result<partnerkit::Reseller, FieldErrors>>>) -> Result<Value> {
    let answer = |answer| match answer {
        Ok(reseller) => json!(reseller),
        Err(errors) => json!({ "fields": json!(errors) }),
    };
    Ok(answers?.into_iter().map(answer).collect())
}

fn import(agency: &Agency, with: &With) -> Result<Value> {
    let mut rows = Vec::new();
    let delimiter: Option<String> = with.get("delimiter");
    let default = ImportOptions::default();
    let options = ImportOptions {
        dry_run: with.get::<Option<bool>>("dry_run").unwrap_or_default(),
        delimiter: delimiter.map_or(default.delimiter, |text| text.as_bytes()[0]),
    };
    let file = with.text("file");
    let report = agency.import_csv(file.as_bytes(), &options, |row| rows.push(json!(row)))?;
    Ok(json!({ "report": json!(report), "rows": rows }))
}

fn query(with: &With) -> ResellerQuery {
    let mut query = ResellerQuery::text(with.get::<Option<String>>("text").unwrap_or_default());
    if let Some(status) = with.get::<Option<Status>>("status") {
        query = query.status(status);
    }
    if let Some(partner_type) = with.get::<Option<PartnerType>>("partner_type") {
        query = query.partner_type(partner_type);
    }
    if let Some(from) = with.get::<Option<Timestamp>>("joined_from") {
        query = query.joined_from(from);
    }
    if let Some(before) = with.get::<Option<Timestamp>>("joined_before") {
        query = query.joined_before(before);
    }
    let by = with.get::<Option<String>>("sort");
    let by = by.map_or_else(SortBy::default, |slug| SortBy::from_slug(&slug).expect("a slug"));
    let descending = with.get::<Option<bool>>("descending").unwrap_or(by.descends());
    query = if descending { query.descending(by) } else { query.ascending(by) };
    if let Some(limit) = with.get("limit") {
        query = query.limit(limit);
    }
    if let Some(after) = with.get::<Option<String>>("after") {
        query = query.after(after);
    }
    if with.get::<Option<bool>>("with_total") == Some(true) { query.with_total() } else { query }
}

/// A field that is not there is left, `null` clears.
fn patch(with: &With) -> ResellerPatch {
    let clearable = |name| match with.0.get(name) {
        None => Patch::Leave,
        Some(Value::Null) => Patch::Clear,
        Some(value) => Patch::Set(read(value)),
    };
    ResellerPatch {
        name: with.get("name"),
        email: with.get("email"),
        phone: with.get("phone"),
        contact: with.get("contact"),
        website: clearable("website"),
        external_id: clearable("external_id"),
        metadata: with.get("metadata"),
        ..ResellerPatch::default()
    }
}
