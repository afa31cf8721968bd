//! Makes steps from a few numbers: an operation and its arguments.

use partnerkit_tests::vectors::Step;
use serde_json::{Value, json};

use crate::model::{HASH, Model, PASSWORD};

pub const LABELS: [&str; 6] = ["acme", "globex", "initech", "hooli", "umbrella", "www"];
const NAMES: [&str; 6] = ["Véronique", "veronique", "ŁÓDŹ", "東京 大学", "100 %", "Zürich"];
const TEXTS: [&str; 6] = ["", "veron", "lodz", "大", "%", "example acme"];
const METRICS: [&str; 3] = ["messages", "whatsapp_messages", "team_members"];
const PASSWORDS: [&str; 2] = [PASSWORD, "another teal walrus 95 umbrella"];
pub const AGENCIES: [&str; 2] = ["northwind", "tailspin"];
const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";
const DAY: i64 = 86_400_000;

fn pick(from: &[&str], n: u8) -> String {
    from[usize::from(n) % from.len()].to_owned()
}

/// A step on an agency.
pub fn step(model: &Model, now: i64, [what, a, b, c]: [u8; 4]) -> Step {
    let id = model.ids.get(usize::from(a) % (model.ids.len() + 1));
    let anybody = (AGENCIES[usize::from(a >= 200)], id.map_or(UNKNOWN, String::as_str));
    let what = what % 40;
    // A reseller with a valid stamp is preferred, because it has access to lose, except for
    // activation.
    let inside = model.inside(what != 9).filter(|_| c % 2 == 1);
    let (agency, id) = inside.unwrap_or(anybody);
    let (label, name, text) = (pick(&LABELS, b), pick(&NAMES, c), pick(&TEXTS, b));
    let version = if c % 3 == 0 { json!(c % 4) } else { json!(null) };
    let email =
        format!("{}@{}.example", if c % 2 == 0 { "owner" } else { "OWNER" }, pick(&LABELS, a));
    let external = (c % 4 == 0).then(|| pick(&LABELS, b));
    let mut form =
        json!({"label": label, "but": {"name": name, "email": email, "external_id": external}});
    if a % 2 == 0 {
        form["but"]["invite"] = json!(false);
        form["but"]["password_hash"] = json!(HASH);
    }
    let metric = pick(&METRICS, b);
    let at = now - i64::from(c) * DAY / 4;
    let event = |n: u8| json!({"id": format!("e-{}", (b ^ n) % 32), "reseller": id, "metric": metric, "quantity": i64::from(c % 7), "at": at - i64::from(n)});
    let sort = pick(&["joined", "name", "email"], c);
    let list = json!({"text": text, "sort": sort, "descending": b % 2 == 0, "limit": 1 + c % 5, "with_total": true,
        "status": if a % 5 == 0 { json!("active") } else { json!(null) }});
    let (call, with) = match what {
        0..=3 => ("create_reseller", form),
        4 => {
            form["idempotency_key"] = json!(format!("key-{}", a % 4));
            ("create_reseller", form)
        }
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
        13 => {
            ("set_allowance", json!({"reseller": id, "metric": "messages", "limit": i64::from(c)}))
        }
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
        21 => ("preview_deletion", json!({"id": id})),
        22 => ("revoke_access", json!({"id": id})),
        23 => {
            let password = pick(&PASSWORDS, b);
            let with = json!({"id": id, "password": password, "password_confirmation": password});
            ("set_password", with)
        }
        24 => ("import_csv", json!({"file": file([a, b, c]), "dry_run": a % 4 == 0})),
        25..=29 => return sign_in(model, [a, b, c]),
        30 | 31 => return check_access(model, a),
        32 => return made("delete_agency", None, json!({"id": AGENCIES[usize::from(b >= 40)]})),
        33 => return made("create_agency", None, json!({"id": pick(&AGENCIES, b)})),
        34 => ("create_reseller", form),
        _ => return elsewhere([a, b, c], &label),
    };
    made(call, Some(agency.to_owned()), with)
}

/// Three rows, whose labels, and so emails, may be equal.
fn file(numbers: [u8; 3]) -> String {
    let head =
        "partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain";
    let row = |n: u8| {
        let (label, name) = (pick(&LABELS, n), pick(&NAMES, n));
        format!(
            "commission,{name},owner@{label}.example,+4930901820,Ann,ann@x.example,+4930901820,{label}"
        )
    };
    [head.to_owned(), row(numbers[0]), row(numbers[1]), row(numbers[2])].join("\n")
}

/// A sign-in, mostly of an existing reseller, with one of two passwords.
fn sign_in(model: &Model, [a, b, c]: [u8; 3]) -> Step {
    let accounts = model.resellers.values().map(|one| (one.label.clone(), one.email.clone()));
    let somebody = accounts.cycle().nth(usize::from(a) % 16).filter(|_| c % 8 != 0);
    let nobody = || (pick(&LABELS, a), format!("owner@{}.example", pick(&LABELS, b)));
    let (label, email) = somebody.unwrap_or_else(nobody);
    let email = if c % 2 == 0 { email } else { email.to_uppercase() };
    let password = pick(&PASSWORDS, u8::from(b >= 180));
    let with = json!({"login_domain": label, "email": email, "password": password});
    made("sign_in", None, with)
}

/// A check of an earlier stamp, or of a text that is not a stamp.
fn check_access(model: &Model, a: u8) -> Step {
    let stamp = model.stamps.get(usize::from(a) % (model.stamps.len() + 1));
    let stamp = stamp.map_or("northwind.none", |stamp| &stamp.text);
    made("check_access", None, json!({"stamp": stamp}))
}

/// A step on the platform, or the passing of time.
fn elsewhere([a, b, c]: [u8; 3], label: &str) -> Step {
    match a % 5 {
        0 => made("domain_availability", None, json!({"label": label})),
        1 => made("resolve_host", None, json!({"host": format!("{label}.partner.example.com")})),
        2 => made("maintain", None, json!({"budget": 1 + b % 50})),
        _ => Step { forward: Some(i64::from(c) * DAY / 5), ..made("", None, json!({})) },
    }
}

pub fn made(call: &str, on: Option<String>, with: Value) -> Step {
    let with = with.as_object().cloned().unwrap_or_default();
    let call = call.to_owned();
    Step { call, on, actor: None, with, gives: None, fails: None, keep: None, forward: None }
}
