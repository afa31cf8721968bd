//! Any steps in any order: every store answers as the one in memory does, and that one as a
//! plain model says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use partnerkit::{Entropy, Platform};
use partnerkit_tests::vectors::perform::step_of;
use partnerkit_tests::vectors::{Step, StillClock, difference};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const LABELS: [&str; 6] = ["acme", "globex", "initech", "hooli", "umbrella", "www"];
const NAMES: [&str; 6] = ["Véronique", "veronique", "ŁÓDŹ", "東京 大学", "100 %", "Zürich"];
const TEXTS: [&str; 6] = ["", "veron", "lodz", "大", "%", "example acme"];
const METRICS: [&str; 3] = ["messages", "whatsapp_messages", "team_members"];
const AGENCIES: [&str; 2] = ["northwind", "tailspin"];
const DAY: i64 = 86_400_000;

/// The same numbers for every store: so ids agree, too.
struct Seeded(Mutex<u64>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no panic");
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (*state >> 56) as u8;
        }
    }
}

/// A platform on one store.
struct World {
    platform: Platform,
    clock: std::sync::Arc<StillClock>,
    _keep: Box<dyn std::any::Any>,
}

impl World {
    fn open(url: &str, keep: impl std::any::Any) -> Self {
        let clock = StillClock::new();
        let builder = Platform::builder().login_base("partner.example.com").secret(1, [7; 32]);
        let entropy = std::sync::Arc::new(Seeded(Mutex::new(42)));
        let platform = builder.clock(clock.clone()).entropy(entropy).open(url).expect("opens");
        for agency in AGENCIES {
            platform.create_agency(agency).expect("creates");
        }
        Self { platform, clock, _keep: Box::new(keep) }
    }

    fn perform(&self, step: &Step) -> Value {
        match step.forward {
            Some(millis) => {
                self.clock.forward(millis);
                json!(null)
            }
            None => match step_of(&self.platform, step, &Map::new()) {
                Ok(answer) => json!({ "gives": answer }),
                Err(error) => json!({ "fails": error }),
            },
        }
    }
}

fn worlds() -> Vec<World> {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("resellers.db").display());
    #[allow(unused_mut, reason = "without a server there is no third one")]
    let mut worlds = vec![World::open("memory:", ()), World::open(&sqlite, folder)];
    #[cfg(feature = "postgres-server")]
    {
        let database = partnerkit_tests::postgres::Database::create();
        let url = database.url.clone();
        worlds.push(World::open(&url, database));
    }
    worlds
}

/// What must be true, told by nothing but the answers.
#[derive(Default)]
struct Model {
    /// By agency and id, whether it is switched on.
    resellers: BTreeMap<(String, String), bool>,
    /// Every id there ever was, in the order of creation.
    ids: Vec<(String, String)>,
}

impl Model {
    fn learn(&mut self, step: &Step, answer: &Value) {
        let Some(gives) = answer.get("gives") else { return };
        let agency = step.on.clone().unwrap_or_default();
        let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
        match step.call.as_str() {
            "create_reseller" => self.add(&agency, id(gives)),
            "create_resellers" => {
                let created = gives.as_array().expect("a list").iter();
                created.filter(|c| c.get("id").is_some()).for_each(|c| self.add(&agency, id(c)));
            }
            "deactivate" | "activate" => {
                self.resellers.insert((agency, id(gives)), step.call == "activate");
            }
            "delete_reseller" => {
                let id = step.with["id"].as_str().expect("an id").to_owned();
                self.resellers.remove(&(agency, id));
            }
            _ => {}
        }
    }

    /// A repeated create gives what is there already.
    fn add(&mut self, agency: &str, id: String) {
        let key = (agency.to_owned(), id);
        if !self.ids.contains(&key) {
            self.ids.push(key.clone());
            self.resellers.insert(key, true);
        }
    }

    fn check(&self, platform: &Platform) {
        for name in AGENCIES {
            let agency = platform.agency(name).expect("there");
            let mine = self.resellers.iter().filter(|((agency, _), _)| agency == name);
            let active = mine.clone().filter(|(_, active)| **active).count();
            assert_eq!(agency.overview().expect("reads").active_resellers, active as i64);
            let query = partnerkit::ResellerQuery::all().limit(200);
            let listed = agency.page(&query).expect("reads").resellers;
            let labels: BTreeSet<_> = listed.iter().map(|r| r.login_domain.to_string()).collect();
            assert_eq!(labels.len(), listed.len(), "no label twice");
            let listed: BTreeSet<_> = listed.iter().map(|r| r.id.to_string()).collect();
            assert_eq!(listed, mine.map(|((_, id), _)| id.clone()).collect::<BTreeSet<_>>());
        }
    }
}

/// A step from a few numbers: what to do, and with what.
fn step(model: &Model, now: i64, [what, a, b, c]: [u8; 4]) -> Step {
    let pick = |from: &[&str], n: u8| from[usize::from(n) % from.len()].to_owned();
    let agency = pick(&AGENCIES, u8::from(a >= 200));
    let unknown = "00000000-0000-7000-8000-000000000000".to_owned();
    let id = model.ids.get(usize::from(a) % (model.ids.len() + 1));
    let id = id.map_or(unknown, |(_, id)| id.clone());
    let (label, name, text) = (pick(&LABELS, b), pick(&NAMES, c), pick(&TEXTS, b));
    let version = if c % 3 == 0 { json!(c % 4) } else { json!(null) };
    let email =
        format!("{}@{}.example", if c % 2 == 0 { "owner" } else { "OWNER" }, pick(&LABELS, a));
    let external = (c % 4 == 0).then(|| pick(&LABELS, b));
    let form =
        json!({"label": label, "but": {"name": name, "email": email, "external_id": external}});
    let metric = pick(&METRICS, b);
    let at = now - i64::from(c) * DAY / 4;
    let event = |n: u8| json!({"id": format!("e-{}", (b ^ n) % 32), "reseller": id, "metric": metric, "quantity": i64::from(c % 7), "at": at - i64::from(n)});
    let sort = pick(&["joined", "name", "email"], c);
    let list = json!({"text": text, "sort": sort, "descending": b % 2 == 0, "limit": 1 + c % 5, "with_total": true,
        "status": if a % 5 == 0 { json!("active") } else { json!(null) }});
    let (call, with) = match what % 24 {
        0..=3 => ("create_reseller", form),
        4 => ("create_reseller", {
            let mut form = form;
            form["idempotency_key"] = json!(format!("key-{}", a % 4));
            form
        }),
        5 => (
            "create_resellers",
            json!({"forms": [form, {"label": pick(&LABELS, c)}, {"label": pick(&LABELS, a)}]}),
        ),
        6 => (
            "update_reseller",
            json!({"id": id, "version": version, "name": name, "email": email, "external_id": external}),
        ),
        7 => (
            "update_reseller",
            json!({"id": id, "version": version, "website": null, "metadata": {"tier": name}}),
        ),
        8 => ("deactivate", json!({"id": id, "reason": name})),
        9 => ("activate", json!({"id": id})),
        10 => ("rename_login_domain", json!({"id": id, "version": version, "login_domain": label})),
        11 => (
            "change_partner_type",
            json!({"id": id, "version": version, "partner_type": if c % 2 == 0 { "commission" } else { "own_plans" }}),
        ),
        12 => ("delete_reseller", json!({"id": id})),
        13 => ("set_allowance", json!({"id": id, "metric": "messages", "limit": i64::from(c)})),
        14 => (
            "consume",
            json!({"reseller": id, "metric": "messages", "quantity": i64::from(c % 9), "id": format!("c-{}", b % 8)}),
        ),
        15 | 16 => ("record_usage", json!({"events": [event(0), event(1), event(2), event(0)]})),
        17 | 18 => ("page", list),
        19 => (
            "configure",
            json!({"version": version, "reserved_labels": [label], "capacity": {metric: c}}),
        ),
        20 => ("changes", json!({"after": a % 16, "limit": 1 + b % 20})),
        21 => ("plan_deletion", json!({"id": id})),
        22 => ("revoke_access", json!({"id": id})),
        _ => return elsewhere(a, b, c, &label),
    };
    made(call, Some(agency), with)
}

/// What is no agency's, and time.
fn elsewhere(a: u8, b: u8, c: u8, label: &str) -> Step {
    match a % 5 {
        0 => made("domain_availability", None, json!({"label": label})),
        1 => made("resolve_host", None, json!({"host": format!("{label}.partner.example.com")})),
        2 => made("maintain", None, json!({"budget": 1 + b % 50})),
        _ => Step { forward: Some(i64::from(c) * DAY / 5), ..made("", None, json!({})) },
    }
}

fn made(call: &str, on: Option<String>, with: Value) -> Step {
    let with = with.as_object().cloned().unwrap_or_default();
    let call = call.to_owned();
    Step { call, on, actor: None, with, gives: None, fails: None, keep: None, forward: None }
}

/// Every page of every order, and the whole feed.
fn everything(world: &World) -> Value {
    let mut seen = Vec::new();
    for agency in AGENCIES {
        for sort in ["joined", "name", "email"] {
            let mut after = json!(null);
            loop {
                let with = json!({"sort": sort, "limit": 2, "after": after});
                let page = world.perform(&made("page", Some(agency.to_owned()), with));
                after = page["gives"]["next"].clone();
                seen.push(page);
                if after.is_null() {
                    break;
                }
            }
        }
        let all = json!({"after": 0, "limit": 1_000});
        seen.push(world.perform(&made("changes", Some(agency.to_owned()), all)));
        seen.push(world.perform(&made("overview", Some(agency.to_owned()), json!({}))));
        seen.push(world.perform(&made("settings", Some(agency.to_owned()), json!({}))));
    }
    Value::Array(seen)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_store_answers_alike(numbers in prop::collection::vec(any::<[u8; 4]>(), 1..60)) {
        let worlds = worlds();
        let mut model = Model::default();
        for numbers in numbers {
            let now = partnerkit::Clock::now(&*worlds[0].clock).as_millis();
            let step = step(&model, now, numbers);
            let mut answers = worlds.iter().map(|world| world.perform(&step));
            let reference = answers.next().expect("the one in memory");
            for answer in answers {
                prop_assert_eq!(&answer, &reference, "{:?}", step);
            }
            model.learn(&step, &reference);
            model.check(&worlds[0].platform);
            // Of one millisecond the feed promises an order for each reseller only.
            worlds.iter().for_each(|world| world.clock.forward(1));
        }
        let mut all = worlds.iter().map(everything);
        let reference = all.next().expect("the one in memory");
        for seen in all {
            prop_assert_eq!(difference(&reference, &seen), None);
        }
    }
}
