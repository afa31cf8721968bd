//! Creates rows, and changes them between searches, in the same way in every store.

use partnerkit::{FieldErrors, Reseller, ResellerDraft, ResellerId, ResellerPatch, Result};
use partnerkit_tests::seeded::Random;
use partnerkit_tests::{invitation, letters};

use crate::texts::{FOREIGN, organisations};
use crate::worlds::{AGENCIES, World};

/// The size of a batch.
const BATCH: usize = 1_000;
const DAY: i64 = 86_400_000;
/// How many rows the small agency has, and how many of each kind a round changes.
const SMALL: usize = 300;
const CHANGED: usize = 6;

pub struct Changes {
    random: Random,
    names: Vec<(String, String)>,
    /// The ids of the large agency.
    ids: Vec<ResellerId>,
    instants: Vec<i64>,
    made: usize,
    round: usize,
}

impl Changes {
    /// Creates every organisation in the large agency, and some with the same names in the small
    /// one.
    pub fn fill(worlds: &[World]) -> Self {
        let mut names = organisations();
        names.extend(FOREIGN.iter().map(|(name, email)| ((*name).into(), (*email).into())));
        let mut changes = Self {
            random: Random::new(58),
            names,
            ids: Vec::new(),
            instants: Vec::new(),
            made: 0,
            round: 0,
        };
        for agency in AGENCIES {
            in_each(worlds, |world| {
                drop(world.platform().create_agency(agency, None).expect("creates"))
            });
        }
        let rows = changes.names.clone();
        let forms: Vec<_> = rows.iter().map(|(name, email)| changes.form(name, email)).collect();
        for batch in forms.chunks(BATCH) {
            let created = changes.create(worlds, AGENCIES[0], batch);
            changes.ids.extend(created);
        }
        assert!(changes.ids.len() > 10_200, "few are refused: {}", changes.ids.len());
        changes.fill_small(worlds);
        changes
    }

    /// An instant near one at which rows were created.
    pub fn some_instant(&self, random: &mut Random) -> i64 {
        random.pick(&self.instants) + random.pick(&[-1, 0, 0, 1])
    }

    /// Makes some changes of each kind, in one store after the other.
    pub fn make(&mut self, worlds: &[World]) {
        self.round += 1;
        in_each(worlds, |world| world.forward(DAY / 7));
        for _ in 0..CHANGED {
            let (name, _) = self.some_name();
            self.update(worlds, ResellerPatch { name: Some(name), ..ResellerPatch::default() });
            let email = self.some_email();
            self.update(worlds, ResellerPatch { email: Some(email), ..ResellerPatch::default() });
            let (name, email) = (self.some_name().0, self.some_email());
            let form = self.form(&name, &email);
            let created = self.create(worlds, AGENCIES[0], &[form]);
            self.ids.extend(created);
            let id = self.some_id();
            same(worlds, |world| world.agency(AGENCIES[0]).deactivate(id, None)).expect("there");
            let place = self.random.below(self.ids.len());
            let id = self.ids.swap_remove(place);
            same(worlds, |world| world.agency(AGENCIES[0]).delete_reseller(id).map(drop))
                .expect("there");
        }
        if self.round % 8 == 4 {
            let delete = |world: &World| world.platform().delete_agency(AGENCIES[1]).map(drop);
            same(worlds, delete).expect("there");
            same(worlds, |world| world.platform().create_agency(AGENCIES[1], None).map(drop))
                .expect("creates");
            self.fill_small(worlds);
        }
    }

    fn fill_small(&mut self, worlds: &[World]) {
        let rows: Vec<_> = (0..SMALL).map(|_| self.some_name()).collect();
        let forms: Vec<_> = rows.iter().map(|(name, email)| self.form(name, email)).collect();
        let created = self.create(worlds, AGENCIES[1], &forms);
        assert!(created.len() > SMALL / 2, "most are created: {}", created.len());
    }

    /// Creates resellers; one with an email that is taken is refused.
    fn create(
        &mut self,
        worlds: &[World],
        agency: &str,
        forms: &[ResellerDraft],
    ) -> Vec<ResellerId> {
        in_each(worlds, |world| world.forward(DAY));
        self.instants.push(worlds[0].now());
        let create = |world: &World| world.agency(agency).create_resellers(forms);
        let answers = same(worlds, create).expect("creates");
        let id = |answer: std::result::Result<Reseller, FieldErrors>| Some(answer.ok()?.id);
        answers.into_iter().filter_map(id).collect()
    }

    fn update(&mut self, worlds: &[World], patch: ResellerPatch) {
        let id = self.some_id();
        // The update may be refused, if another reseller has the email.
        drop(same(worlds, |world| world.agency(AGENCIES[0]).update_reseller(id, None, &patch)));
    }

    fn form(&mut self, name: &str, email: &str) -> ResellerDraft {
        self.made += 1;
        let partner_type = if self.made.is_multiple_of(3) { "commission" } else { "own_plans" };
        ResellerDraft {
            partner_type: partner_type.into(),
            name: name.into(),
            email: email.into(),
            ..invitation(&format!("row{}", letters(self.made)))
        }
    }

    fn some_id(&mut self) -> ResellerId {
        self.random.pick(&self.ids)
    }

    fn some_name(&mut self) -> (String, String) {
        let from = if self.random.once_in(3) { self.names.len() - FOREIGN.len() } else { 0 };
        let place = from + self.random.below(self.names.len() - from);
        self.names[place].clone()
    }

    /// An email that nobody has, or, seldom, one that somebody has or had.
    fn some_email(&mut self) -> String {
        let (_, email) = self.some_name();
        let n = self.random.below(1_000);
        if self.random.once_in(6) { email } else { format!("n{n}.{email}") }
    }
}

fn in_each(worlds: &[World], work: impl Fn(&World)) {
    worlds.iter().for_each(work);
}

/// Runs work on all stores at the same time, and checks that the answers are equal.
fn same<T>(worlds: &[World], work: impl Fn(&World) -> Result<T> + Sync) -> Result<T>
where
    T: PartialEq + Send,
{
    let work = &work;
    let mut answers: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = worlds.iter().map(|world| scope.spawn(move || work(world))).collect();
        started.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let memory = answers.remove(0);
    for (answer, world) in answers.iter().zip(&worlds[1..]) {
        let alike = match (&memory, answer) {
            (Ok(one), Ok(other)) => one == other,
            (Err(one), Err(other)) => one.to_string() == other.to_string(),
            _ => false,
        };
        assert!(alike, "{} answers otherwise", world.name);
    }
    memory
}
