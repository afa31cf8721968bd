//! A model of what must be true, which knows only the steps and their answers: which resellers
//! exist, which labels are held, who may sign in, and which stamps are valid.

use std::collections::{BTreeMap, BTreeSet};

use partnerkit::{ErrorKind, Platform, ResellerQuery};
use partnerkit_tests::vectors::{Step, form};
use serde_json::{Map, Value, json};

/// The password of the imported hash.
pub const PASSWORD: &str = "plain teal walrus 94 umbrella";
/// The hash in the notation of the vectors. It costs as much as a new one, so no sign-in replaces
/// it.
pub const HASH: &str = "$$argon2id$v=19$m=19456,t=2,p=1$6lsp4tC7pxMTQYnfBEQjOw$6F1lBjkR4g2AKpqynByLkctnLrfXjb746R5fd5mCsPE";
const QUARANTINE: i64 = 30 * 86_400_000;

/// A reseller, by agency and id.
type Key = (String, String);

pub struct Reseller {
    pub label: String,
    pub email: String,
    name: String,
    external_id: Option<String>,
    tier: Option<String>,
    partner_type: String,
    version: u64,
    active: bool,
    reason: Option<String>,
    password: Option<String>,
    /// Counts the changes that end stamps.
    generation: u32,
}

struct Agency {
    version: u64,
    reserved: Value,
    capacity: Value,
}

pub struct Stamp {
    pub text: String,
    key: Key,
    generation: u32,
}

#[derive(Default)]
pub struct Model {
    agencies: BTreeMap<String, Agency>,
    pub resellers: BTreeMap<Key, Reseller>,
    /// Every id there ever was, in the order of creation.
    pub ids: Vec<String>,
    pub stamps: Vec<Stamp>,
    /// Released labels, and until when nobody may take them.
    quarantined: BTreeMap<String, i64>,
}

/// A text from the arguments or a form.
fn text(of: &Value) -> Option<String> {
    of.as_str().map(str::to_owned)
}

fn key_of(email: &str) -> String {
    email.to_ascii_lowercase()
}

impl Model {
    pub fn with_agencies(names: &[&str]) -> Self {
        let mut model = Self::default();
        names.iter().for_each(|name| model.create_agency(name));
        model
    }

    /// Applies a step to the model, and checks its answer.
    pub fn learn(&mut self, step: &Step, answer: &Value, now: i64) {
        let agency = step.on.clone().unwrap_or_default();
        let with = &step.with;
        // The argument `id` of `consume` is the id of an event.
        let id = with.get("reseller").or(with.get("id")).filter(|_| step.on.is_some());
        let key = id.and_then(text).map(|id| (agency.clone(), id));
        match answer.get("gives") {
            Some(gives) => {
                if step.on.is_some() {
                    assert!(self.agencies.contains_key(&agency), "{agency} is gone");
                }
                match key.clone() {
                    Some(key) => self.changed(key, step, now),
                    None => self.other(&agency, step, gives, now),
                }
            }
            None => self.failed(&agency, key.clone(), step, &answer["fails"], now),
        }
        self.sign_in_is_right(step, answer);
    }

    /// Applies a change of a reseller.
    fn changed(&mut self, key: Key, step: &Step, now: i64) {
        let with = Value::Object(step.with.clone());
        let quarantined = &mut self.quarantined;
        if step.call == "delete_reseller" {
            let gone = self.resellers.remove(&key).expect("it was there");
            quarantined.insert(gone.label, now + QUARANTINE);
            return;
        }
        let held: BTreeSet<_> = self.resellers.values().map(|one| one.label.clone()).collect();
        let it = self.resellers.get_mut(&key).expect("it is there");
        let expected = |version| with["version"].as_u64().is_none_or(|v| v == version);
        let (mut edited, mut ends_stamps) = (false, false);
        match step.call.as_str() {
            "update_reseller" => {
                assert!(expected(it.version), "an update of another version");
                (edited, ends_stamps) = it.update(&step.with);
            }
            "change_partner_type" => {
                assert!(expected(it.version), "a change of another version");
                let kind = text(&with["partner_type"]).expect("a slug");
                edited = std::mem::replace(&mut it.partner_type, kind.clone()) != kind;
            }
            "deactivate" if it.active => {
                (it.active, it.reason) = (false, text(&with["reason"]));
                (edited, ends_stamps) = (true, true);
            }
            "activate" if !it.active => {
                (it.active, it.reason) = (true, None);
                edited = true;
            }
            "rename_login_domain" if with["login_domain"] != json!(it.label) => {
                let label = text(&with["login_domain"]).expect("a label");
                assert!(expected(it.version), "a rename of another version");
                assert!(!held.contains(&label), "{label} is held");
                assert!(quarantined.get(&label).is_none_or(|until| *until <= now), "{label}");
                let old = std::mem::replace(&mut it.label, label.clone());
                quarantined.remove(&label);
                quarantined.insert(old, now + QUARANTINE);
                edited = true;
            }
            "set_password" => {
                it.password = text(&with["password"]);
                ends_stamps = true;
            }
            "revoke_access" => ends_stamps = true,
            _ => {}
        }
        it.version += u64::from(edited);
        it.generation += u32::from(ends_stamps);
    }

    /// Applies a change of an agency, or of many resellers.
    fn other(&mut self, agency: &str, step: &Step, gives: &Value, now: i64) {
        let with = Value::Object(step.with.clone());
        match step.call.as_str() {
            "create_reseller" => {
                let id = text(&gives["id"]).expect("an id");
                let known = self.resellers.contains_key(&(agency.to_owned(), id.clone()));
                assert!(!known || with["idempotency_key"].is_string(), "{id} is there already");
                if !known {
                    self.create(agency, id, &form_of(&with), now);
                }
            }
            "create_resellers" => {
                let forms = with["forms"].as_array().expect("forms");
                let mut earlier = Vec::new();
                for (form, answer) in forms.iter().zip(gives.as_array().expect("answers")) {
                    let form = form_of(form);
                    match text(&answer["id"]) {
                        Some(id) => self.create(agency, id, &form, now),
                        None => self.refused(agency, &form, &earlier, answer, now),
                    }
                    earlier.push(Reseller::of(&form));
                }
            }
            "import_csv" if with["dry_run"] == json!(false) => {
                let rows = gives["rows"].as_array().expect("rows");
                for (form, row) in forms_of(&with).iter().zip(rows) {
                    if let Some(id) = text(&row["outcome"]["created"]) {
                        self.create(agency, id, form, now);
                    }
                }
            }
            "configure" => self.configured(agency, &with),
            "create_agency" => self.create_agency(&text(&with["id"]).expect("an id")),
            "delete_agency" => self.delete_agency(&text(&with["id"]).expect("an id"), now),
            _ => {}
        }
    }

    fn create_agency(&mut self, name: &str) {
        let new = Agency { version: 1, reserved: json!([]), capacity: json!({}) };
        assert!(self.agencies.insert(name.to_owned(), new).is_none(), "{name} was there");
    }

    fn delete_agency(&mut self, name: &str, now: i64) {
        assert!(self.agencies.remove(name).is_some(), "{name} was not there");
        let theirs = self.resellers.iter().filter(|((agency, _), _)| agency == name);
        let labels: Vec<_> = theirs.map(|(_, one)| (one.label.clone(), now + QUARANTINE)).collect();
        self.quarantined.extend(labels);
        self.resellers.retain(|(agency, _), _| agency != name);
    }

    fn configured(&mut self, name: &str, with: &Value) {
        let agency = self.agencies.get_mut(name).expect("it is there");
        let version = with["version"].as_u64();
        assert!(version.is_none_or(|version| version == agency.version), "another version");
        let (reserved, capacity) = (&with["reserved_labels"], &with["capacity"]);
        let changed = agency.reserved != *reserved || agency.capacity != *capacity;
        agency.version += u64::from(changed);
        (agency.reserved, agency.capacity) = (reserved.clone(), capacity.clone());
    }

    fn create(&mut self, agency: &str, id: String, form: &Value, now: i64) {
        let new = Reseller::of(form);
        assert_eq!(self.in_the_way(agency, &new, now), BTreeSet::new());
        self.quarantined.remove(&new.label);
        self.ids.push(id.clone());
        self.resellers.insert((agency.to_owned(), id), new);
    }

    /// The values of a form that are not available, as pairs of field and code.
    fn in_the_way(&self, agency: &str, new: &Reseller, now: i64) -> BTreeSet<(String, String)> {
        let reserved = &self.agencies[agency].reserved;
        let reserved = reserved.as_array().is_some_and(|labels| labels.contains(&json!(new.label)));
        let mut found = BTreeSet::new();
        if self.resellers.values().any(|one| one.label == new.label) {
            found.insert(("login_domain", "taken"));
        } else if self.quarantined.get(&new.label).is_some_and(|until| *until > now) {
            found.insert(("login_domain", "quarantined"));
        } else if new.label == "www" || reserved {
            found.insert(("login_domain", "reserved"));
        }
        for (_, one) in self.of(agency) {
            found.extend(one.agrees(new).filter(|(field, _)| *field != "login_domain"));
        }
        found.into_iter().map(|(field, code)| (field.to_owned(), code.to_owned())).collect()
    }

    /// Checks that every reason for refusing a form is true, possibly because of an earlier form in
    /// the batch.
    fn refused(&self, agency: &str, form: &Value, earlier: &[Reseller], refusal: &Value, now: i64) {
        let new = Reseller::of(form);
        let mut reasons = self.in_the_way(agency, &new, now);
        let earlier = earlier.iter().flat_map(|one| one.agrees(&new));
        reasons.extend(earlier.map(|(field, code)| (field.to_owned(), code.to_owned())));
        for field in refusal["fields"].as_array().expect("fields") {
            let reason = (text(&field["field"]), text(&field["code"]));
            let (Some(field), Some(code)) = reason else { panic!("a field has a code") };
            assert!(reasons.contains(&(field.clone(), code.clone())), "{field}: {code}");
        }
    }

    fn failed(&self, agency: &str, key: Option<Key>, step: &Step, error: &Value, now: i64) {
        let with = Value::Object(step.with.clone());
        let there = key.as_ref().and_then(|key| self.resellers.get(key));
        match text(&error["kind"]).as_deref() {
            Some("not_found") if key.is_some() => assert!(there.is_none(), "it is there"),
            Some("conflict") if there.is_some() => {
                let current = there.map(|one| json!(one.version));
                assert_eq!(Some(&error["current_version"]), current.as_ref());
                assert_ne!(Some(&with["version"]), current.as_ref());
            }
            Some("conflict") if step.call == "configure" => {
                let current = json!(self.agencies[agency].version);
                assert_eq!(error["current_version"], current);
                assert_ne!(with["version"], current);
            }
            Some("validation") if step.call == "create_reseller" => {
                self.refused(agency, &form_of(&with), &[], error, now);
            }
            Some("not_found") if step.call == "delete_agency" => {
                assert!(!self.agencies.contains_key(with["id"].as_str().expect("an id")));
            }
            _ => {}
        }
    }

    /// Checks that a sign-in succeeds exactly if it should.
    fn sign_in_is_right(&mut self, step: &Step, answer: &Value) {
        let argument = |name: &str| step.with.get(name).and_then(text).unwrap_or_default();
        let expected = match step.call.as_str() {
            "sign_in" => {
                let (label, email) = (argument("login_domain"), key_of(&argument("email")));
                let right = |one: &Reseller| {
                    let password = one.password.as_deref() == Some(&argument("password"));
                    one.active && password && one.label == label && key_of(&one.email) == email
                };
                self.resellers.iter().find(|(_, one)| right(one)).map(|(key, _)| key.clone())
            }
            "check_access" => {
                let stamp = self.stamps.iter().find(|stamp| stamp.text == argument("stamp"));
                stamp.filter(|stamp| self.lives(stamp)).map(|stamp| stamp.key.clone())
            }
            _ => return,
        };
        let Some((agency, id)) = expected else {
            assert_eq!(answer["fails"]["kind"], json!(ErrorKind::AccessDenied), "{step:?}");
            return;
        };
        let gives = &answer["gives"];
        assert_eq!(gives["agency"], json!(agency), "{step:?}");
        if step.call == "check_access" {
            assert_eq!(gives["reseller"], json!(id));
            return;
        }
        assert_eq!(gives["reseller"]["id"], json!(id));
        let text = text(&gives["stamp"]).expect("a stamp");
        let key = (agency, id);
        let generation = self.resellers[&key].generation;
        self.stamps.push(Stamp { text, key, generation });
    }

    /// The agency and id of the reseller with the newest stamp, which is either valid or of an
    /// inactive reseller.
    pub fn inside(&self, active: bool) -> Option<(&str, &str)> {
        let is = |stamp: &&Stamp| match self.resellers.get(&stamp.key) {
            Some(one) => one.active == active && (!active || self.lives(stamp)),
            None => false,
        };
        self.stamps
            .iter()
            .rev()
            .find(is)
            .map(|Stamp { key: (agency, id), .. }| (agency.as_str(), id.as_str()))
    }

    fn lives(&self, stamp: &Stamp) -> bool {
        let of = self.resellers.get(&stamp.key);
        of.is_some_and(|one| one.active && one.generation == stamp.generation)
    }

    fn of<'m>(&'m self, name: &'m str) -> impl Iterator<Item = (&'m str, &'m Reseller)> {
        let theirs = self.resellers.iter().filter(move |((agency, _), _)| agency == name);
        theirs.map(|((_, id), one)| (id.as_str(), one))
    }

    /// Checks that everything a platform shows is as the model says.
    pub fn check(&self, platform: &Platform, agencies: &[&str], labels: &[&str]) {
        for name in agencies {
            let Some(known) = self.agencies.get(*name) else {
                let gone = platform.agency(name).map(drop).expect_err("it is gone");
                assert_eq!(gone.kind(), ErrorKind::NotFound);
                continue;
            };
            let agency = platform.agency(name).expect("there");
            assert_eq!(agency.settings().expect("reads").version, known.version, "{name}");
            let active = self.of(name).filter(|(_, one)| one.active).count();
            assert_eq!(agency.overview().expect("reads").active_resellers, active as u64);
            let query = ResellerQuery::all().limit(200);
            let listed = agency.page(&query).expect("reads").resellers;
            let shown: BTreeMap<_, _> = listed.iter().map(shown).collect();
            let expected = self.of(name).map(|(id, one)| (id.to_owned(), one.shown()));
            assert_eq!(shown, expected.collect::<BTreeMap<_, _>>(), "{name}");
        }
        for label in labels {
            let place = platform.resolve_host(&format!("{label}.partner.example.com"));
            let holder = place.ok().map(|p| (p.agency.to_string(), p.reseller.to_string()));
            let held = self.resellers.iter().find(|(_, one)| one.label == *label);
            assert_eq!(holder.as_ref(), held.map(|(key, _)| key), "{label}");
        }
        for stamp in &self.stamps {
            let identity = platform.check_access(&stamp.text, None);
            let whose = identity.ok().map(|i| (i.agency.to_string(), i.reseller.to_string()));
            assert_eq!(whose, self.lives(stamp).then(|| stamp.key.clone()));
        }
    }
}

impl Reseller {
    fn of(form: &Value) -> Self {
        let field = |name: &str| text(&form[name]);
        Self {
            label: field("login_domain").expect("a label"),
            email: field("email").expect("an email"),
            name: field("name").expect("a name"),
            external_id: field("external_id"),
            tier: None,
            partner_type: field("partner_type").expect("a slug"),
            version: 1,
            active: true,
            reason: None,
            password: field("password_hash").map(|_| PASSWORD.to_owned()),
            generation: 0,
        }
    }

    /// The unique fields in which two resellers agree.
    fn agrees(&self, other: &Self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let external_id = self.external_id.is_some() && self.external_id == other.external_id;
        let pairs = [
            ("email", key_of(&self.email) == key_of(&other.email)),
            ("external_id", external_id),
            ("login_domain", self.label == other.label),
        ];
        pairs.into_iter().filter(|(_, agrees)| *agrees).map(|(field, _)| (field, "taken"))
    }

    /// Whether anything differs now, and whether the email does.
    fn update(&mut self, with: &Map<String, Value>) -> (bool, bool) {
        let before = (self.shown(), self.email.clone());
        if let Some(name) = with.get("name").and_then(text) {
            self.name = name;
        }
        if let Some(email) = with.get("email").and_then(text) {
            self.email = email;
        }
        if let Some(external_id) = with.get("external_id") {
            self.external_id = text(external_id);
        }
        if let Some(metadata) = with.get("metadata") {
            self.tier = text(&metadata["tier"]);
        }
        (self.shown() != before.0, self.email != before.1)
    }

    /// Everything that is visible of it.
    fn shown(&self) -> Value {
        json!({
            "login_domain": self.label, "email": self.email, "name": self.name,
            "external_id": self.external_id, "tier": self.tier, "version": self.version,
            "partner_type": self.partner_type, "active": self.active, "reason": self.reason,
        })
    }
}

fn shown(one: &partnerkit::Reseller) -> (String, Value) {
    let shown = json!({
        "login_domain": one.login_domain, "email": one.email, "name": one.name,
        "external_id": one.external_id, "tier": one.metadata.as_map().get("tier"),
        "version": one.version, "partner_type": one.partner_type,
        "active": one.status == partnerkit::Status::Active, "reason": one.deactivation_reason,
    });
    (one.id.to_string(), shown)
}

/// The complete form of `{"label": …, "but": {…}}`.
fn form_of(of: &Value) -> Value {
    let changes = of["but"].as_object().cloned().unwrap_or_default();
    form(of["label"].as_str().expect("a label"), &changes)
}

/// The rows of a file as forms.
fn forms_of(with: &Value) -> Vec<Value> {
    let file = text(&with["file"]).expect("a file");
    let mut lines = file.lines();
    let names: Vec<_> = lines.next().expect("a head").split(',').collect();
    let form = |line: &str| -> Value {
        let cells = line.split(',').map(|cell| json!(cell));
        Value::Object(names.iter().map(|name| (*name).to_owned()).zip(cells).collect())
    };
    lines.map(form).collect()
}
