//! Batches beside a concurrent row, which is inserted between the batch's check and its
//! transaction, and may never be committed.

use std::sync::{Arc, Mutex};

use super::Harness;
use super::fixture::{Bench, draft, held, id, row};
use crate::error::{Error, Result};
use crate::records::Tx;
use crate::reseller::NewReseller;
use crate::storage::{ReadWork, Scope, Storage, WriteWork};
use crate::values::{AgencyId, Email, ExternalId, LoginDomain};
use crate::{Code, Platform, Reseller, ResellerDraft};

/// A storage whose first write meets a neighbour, which is a concurrent row. A neighbour that is
/// not committed is undone together with the work that met it, and the work runs again. That is
/// what happens if a shared commit fails and each member runs again alone.
struct Beside {
    inner: Arc<dyn Storage>,
    neighbour: Mutex<Option<NewReseller>>,
    commits: bool,
}

impl Storage for Beside {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.inner.read(agency, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        let neighbour = self.neighbour.lock().expect("no panic").take();
        if let Some(neighbour) = neighbour {
            let met = self.inner.write(agency, scope, &mut |rows| {
                insert(&mut Tx::new(rows, agency, false), agency, &neighbour)?;
                if self.commits {
                    return Ok(());
                }
                // The result does not matter, because it is undone.
                let _ = work(rows);
                Err(Error::storage("given up"))
            });
            assert_eq!(met.is_ok(), self.commits);
        }
        self.inner.write(agency, scope, work)
    }
}

fn insert(tx: &mut Tx<'_>, agency: &AgencyId, new: &NewReseller) -> Result<()> {
    let label = held(agency, new.reseller().login_domain.as_str(), 7);
    let claimed = tx.claim_labels(&[label], new.reseller().created_at)?;
    assert_eq!(claimed, [None]);
    tx.insert_resellers(std::slice::from_ref(new)).map(drop)
}

/// Neighbours with a unique field that the first row of the batch wants.
fn neighbours(agency: &AgencyId) -> [NewReseller; 3] {
    let new = row(agency, 7);
    let with = |change: fn(&mut Reseller)| {
        let mut reseller = new.reseller().clone();
        change(&mut reseller);
        NewReseller::new(reseller, new.credentials().clone()).expect("a row")
    };
    let label = with(|it| it.login_domain = LoginDomain::parse("globex").expect("a label"));
    let email = with(|it| it.email = Email::parse("owner@globex.example").expect("an email"));
    let external = with(|it| it.external_id = Some(ExternalId::parse("crm-1").expect("an id")));
    [label, email, external]
}

/// The answers to the rows of a batch beside a neighbour.
fn answers(harness: &dyn Harness, which: usize, commits: bool) -> Vec<Vec<(String, Code)>> {
    let bench = Bench::new(harness);
    let inner = bench.storage.clone();
    let storage = Arc::new(Beside { inner, neighbour: Mutex::default(), commits });
    let builder = Platform::builder().clock(bench.clock.clone());
    let platform = builder.open_storage(storage.clone()).expect("opens");
    let agency = platform.agency("northwind").expect("there");
    let neighbour = neighbours(agency.id()).into_iter().nth(which);
    *storage.neighbour.lock().expect("no panic") = neighbour;
    let globex = ResellerDraft { external_id: Some("crm-1".into()), ..draft("globex") };
    // This row wants the first row's email, too, and gets it if the first row cannot be created.
    let initech = ResellerDraft { email: globex.email.clone(), ..draft("initech") };
    let answers = agency.create_resellers(&[globex, initech, draft("hooli")]).expect("answers");
    assert!(storage.neighbour.lock().expect("no panic").is_none(), "the neighbour was met");
    let there = bench.read(|reads| reads.resellers(&[id(7)])).remove(0).is_some();
    assert_eq!(there, commits);
    let created = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(bench.total("active_resellers"), created as i64);
    let told = answers.into_iter().map(|answer| match answer {
        Ok(_) => Vec::new(),
        Err(errors) => errors.as_slice().iter().map(|e| (e.field.clone(), e.code)).collect(),
    });
    told.collect()
}

/// S3, S48: a row that was refused in a transaction that is undone is decided again.
pub(super) fn a_neighbour_that_never_was_takes_nothing(harness: &dyn Harness) {
    for which in 0..3 {
        let repeated = vec![("email".to_owned(), Code::Taken)];
        assert_eq!(answers(harness, which, false), [vec![], repeated, vec![]], "{which}");
    }
}

/// S3, S48: a row whose field is taken in between is refused, although the check found it free.
pub(super) fn a_neighbour_that_comes_in_between_keeps_what_it_has(harness: &dyn Harness) {
    let taken = |field: &str| vec![(field.to_owned(), Code::Taken)];
    for (which, field) in ["login_domain", "email", "external_id"].into_iter().enumerate() {
        // The second row shares only its email with the first one.
        let second = if field == "email" { taken("email") } else { vec![] };
        assert_eq!(answers(harness, which, true), [taken(field), second, vec![]], "{field}");
    }
}
