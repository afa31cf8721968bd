//! What must be true of a store after many processes have changed it.

use std::collections::BTreeMap;

use partnerkit::schema::{self, Value};
use partnerkit::storage::Storage;
use partnerkit::{
    Agency, AgencyId, ChangeKind, ErrorKind, LoginDomain, Platform, Reseller, ResellerDraft,
    ResellerId, ResellerQuery,
};

use crate::rows::committed;
use crate::{invitation, letters};

/// How many login domains the processes compete for.
pub const LABELS: usize = 24;
/// How many sign-ins of an account may fail in a row.
pub const LIMIT: u32 = 3;
/// The password of every account.
pub const PASSWORD: &str = "plain teal walrus 94 umbrella";

/// The n-th login domain.
pub fn label(n: usize) -> String {
    letters(n)
}

/// A form with the n-th login domain, with or without a password.
pub fn form(n: usize, with_password: bool) -> ResellerDraft {
    let form = invitation(&label(n));
    if !with_password {
        return form;
    }
    let [password, password_confirmation] = [PASSWORD; 2].map(str::to_owned);
    ResellerDraft { invite: false, password, password_confirmation, ..form }
}

/// Every login domain is held by exactly the reseller that has it, or by nobody, and every hard
/// stop in the feeds is still in force (S3, S7, S19).
///
/// # Panics
/// If this is not true.
pub fn assert_holds(platform: &Platform, storage: &dyn Storage) {
    let mut holders = BTreeMap::new();
    for id in platform.agencies(None, Some(1_000)).expect("lists") {
        let agency = platform.agency(id.as_str()).expect("there");
        let resellers = resellers(&agency);
        for Reseller { id: reseller, login_domain, .. } in &resellers {
            let before = holders.insert(login_domain.clone(), (id.clone(), *reseller));
            assert_eq!(before, None, "two resellers have {login_domain}");
        }
        assert_stops_stand(platform, &agency, &resellers);
    }
    let labels = (0..LABELS).map(|n| LoginDomain::parse(&label(n)).expect("a label"));
    for label in labels {
        assert_eq!(holder(storage, &label), holders.get(&label).cloned(), "who has {label}");
    }
}

/// The holder of a login domain in the store.
fn holder(storage: &dyn Storage, label: &LoginDomain) -> Option<(AgencyId, ResellerId)> {
    let table = &schema::LABELS;
    let row = committed(storage, table, vec![label.as_str().into()])?;
    let value = |column| &row[table.place(column)];
    match (value("agency"), value("reseller")) {
        (Value::Text(name), Value::Uuid(reseller)) => {
            Some((AgencyId::parse(name).expect("an id"), ResellerId::from_uuid(*reseller)))
        }
        _ => None,
    }
}

fn resellers(agency: &Agency) -> Vec<Reseller> {
    let (mut all, mut next) = (Vec::new(), Some(ResellerQuery::all().limit(200)));
    while let Some(query) = next {
        let page = agency.page(&query).expect("reads");
        all.extend(page.resellers);
        next = page.next.map(|cursor| query.after(cursor));
    }
    all
}

/// A reseller whose last entry in the feed is a hard stop cannot sign in, even with the right
/// password.
fn assert_stops_stand(platform: &Platform, agency: &Agency, resellers: &[Reseller]) {
    let (mut last, mut stopped) = (0, BTreeMap::new());
    loop {
        let changes = agency.changes(Some(last), Some(1_000)).expect("reads");
        let Some(newest) = changes.last() else { break };
        last = newest.sequence;
        for change in &changes {
            match (change.kind, change.reseller) {
                (ChangeKind::SignInLocked, Some(id)) => stopped.insert(id, true),
                (ChangeKind::SignInUnlocked | ChangeKind::PasswordChanged, Some(id)) => {
                    stopped.insert(id, false)
                }
                _ => None,
            };
        }
    }
    for reseller in resellers.iter().filter(|reseller| stopped.get(&reseller.id) == Some(&true)) {
        let (label, email) = (reseller.login_domain.as_str(), reseller.email.as_str());
        let denied = platform.sign_in(label, email, PASSWORD, None).expect_err("stopped");
        assert_eq!(denied.kind(), ErrorKind::AccessDenied);
    }
}
