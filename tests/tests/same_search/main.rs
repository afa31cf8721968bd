//! Ten thousand searches over real organisations, while the rows change: every store finds the rows
//! that the store in memory finds, in the same order.

mod changes;
mod searches;
mod seen;
mod texts;
mod worlds;

use std::sync::Mutex;

use changes::Changes;
use partnerkit_tests::seeded::Random;
use searches::{Search, Searches};
use seen::Seen;
use worlds::{World, worlds};

const ROUNDS: usize = 25;
/// The searches of each round; there are 10,000 in all.
const SEARCHES: usize = 400;
const THREADS: usize = 3;

#[test]
fn s27_s28_s29_s30_s58_a_search_finds_the_same_rows_in_every_store() {
    let worlds = worlds();
    let mut changes = Changes::fill(&worlds);
    worlds.iter().for_each(World::settle);
    let mut searches = Searches::new(Random::new(27));
    let seen = Mutex::new(Seen::default());
    for _ in 0..ROUNDS {
        let round: Vec<_> = (0..SEARCHES).map(|_| searches.next_search(&changes)).collect();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let mine = round.iter().enumerate().skip(thread).step_by(THREADS);
                let (worlds, seen) = (&worlds, &seen);
                scope.spawn(move || mine.for_each(|(n, search)| run(worlds, n, search, seen)));
            }
        });
        changes.make(&worlds);
    }
    seen.into_inner().expect("no panic").is_enough();
}

/// Runs a search page by page, with the cursors of the store in memory.
fn run(worlds: &[World], n: usize, search: &Search, seen: &Mutex<Seen>) {
    let (memory, others) = worlds.split_first().expect("the one in memory");
    let mut after = None;
    for number in 0..search.pages {
        let query = search.query(after.as_deref());
        let page = memory.page(n, search.agency, &query);
        for other in others {
            let found = other.page(n, search.agency, &query);
            let what = format!("{}, page {number} of {search:?}", other.name);
            assert_eq!(ids(&found), ids(&page), "{what}");
            assert_eq!(found.total, page.total, "{what}");
            assert!(found == page, "records or cursors differ: {what}");
        }
        seen.lock().expect("no panic").add(search, number, &page);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
}

fn ids(page: &partnerkit::Page) -> Vec<partnerkit::ResellerId> {
    page.resellers.iter().map(|reseller| reseller.id).collect()
}
