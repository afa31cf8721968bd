//! Random steps in random order: every store answers like the store in memory, and that one like a
//! simple model.

mod model;
mod steps;

use model::Model;
use partnerkit::{Clock, Platform};
use partnerkit_tests::seeded::Seeded;
use partnerkit_tests::vectors::perform::step_of;
use partnerkit_tests::vectors::{Step, StillClock, difference};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use steps::{AGENCIES, LABELS, made, step};

/// A platform on one store.
struct World {
    platform: Platform,
    clock: std::sync::Arc<StillClock>,
    _keep: Box<dyn std::any::Any>,
}

impl World {
    fn open(url: &str, keep: impl std::any::Any) -> Self {
        let clock = StillClock::new();
        // Failures are not delayed, so that the model knows who may sign in.
        let builder = Platform::builder().sign_in_delay_from(1_000).sign_in_limit(1_000);
        let builder = builder.login_base("partner.example.com").secret(1, [7; 32]);
        // The same random numbers, so that ids and stamps agree, too.
        let entropy = std::sync::Arc::new(Seeded::new(42));
        let platform = builder.clock(clock.clone()).entropy(entropy).open(url).expect("opens");
        for agency in AGENCIES {
            platform.create_agency(agency, None).expect("creates");
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

    fn now(&self) -> i64 {
        self.clock.now().as_millis()
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
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_store_answers_alike(numbers in prop::collection::vec(any::<[u8; 4]>(), 1..80)) {
        let worlds = worlds();
        let mut model = Model::with_agencies(&AGENCIES);
        for numbers in numbers {
            let now = worlds[0].now();
            let step = step(&model, now, numbers);
            let mut answers = worlds.iter().map(|world| world.perform(&step));
            let reference = answers.next().expect("the one in memory");
            for answer in answers {
                prop_assert_eq!(&answer, &reference, "{:?}", step);
            }
            if step.forward.is_none() {
                model.learn(&step, &reference, now);
            }
            model.check(&worlds[0].platform, &AGENCIES, &LABELS);
            // Within one millisecond the feed promises an order only for each reseller.
            worlds.iter().for_each(|world| world.clock.forward(1));
        }
        let mut all = worlds.iter().map(everything);
        let reference = all.next().expect("the one in memory");
        for seen in all {
            prop_assert_eq!(difference(&reference, &seen), None);
        }
        for world in &worlds {
            model.check(&world.platform, &AGENCIES, &LABELS);
        }
    }
}
