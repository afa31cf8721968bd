//! Lists and search: the same rows in the same order, everywhere.

use std::collections::BTreeSet;

use super::Harness;
use super::fixture::{Bench, draft, label};
use crate::storage::Filter;
use crate::values::fold;
use crate::{Clock, ErrorKind, PartnerType, Reseller, ResellerQuery, SortBy, Status, Total};

/// Resellers with these names; three of every four were created in the same millisecond.
fn named(bench: &Bench<'_>, names: &[&str]) -> Vec<Reseller> {
    let create = |(n, name): (usize, &&str)| {
        if n % 4 == 3 {
            bench.clock.forward(1);
        }
        let mut form = draft(&label(n));
        form.name = (*name).to_owned();
        bench.agency.create_reseller(form).expect("creates")
    };
    names.iter().enumerate().map(create).collect()
}

fn walk(bench: &Bench<'_>, query: &ResellerQuery) -> Vec<Reseller> {
    let mut rows = Vec::new();
    let mut next = Some(query.clone());
    while let Some(query) = next {
        let page = bench.agency.page(&query).expect("reads");
        next = page.next.map(|cursor| query.after(cursor));
        rows.extend(page.resellers);
    }
    rows
}

/// S28: newest first, ties by id.
pub(super) fn pages_follow_the_newest_first(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut expected = named(&bench, &["a"; 17]);
    expected.sort_by_key(|reseller| std::cmp::Reverse((reseller.created_at, reseller.id)));
    let all = bench.agency.page(&ResellerQuery::all()).expect("reads");
    assert_eq!((all.resellers, all.next), (expected.clone(), None));
    for limit in [1, 4, 16, 17, 18] {
        assert_eq!(walk(&bench, &ResellerQuery::all().limit(limit)), expected);
    }
    let off = bench.agency.deactivate(expected[3].id, None).expect("deactivates");
    assert_eq!(walk(&bench, &ResellerQuery::all().status(Status::Inactive)), [off]);
    assert_eq!(walk(&bench, &ResellerQuery::all().status(Status::Active).limit(5)).len(), 16);
    for limit in [0, 201] {
        let refused = bench.agency.page(&ResellerQuery::all().limit(limit)).expect_err("refused");
        assert_eq!(refused.kind(), ErrorKind::Validation);
    }
}

/// S29: the order follows the times even if the clocks of machines differ, or one is set back. A
/// store must not use the order of insertion instead.
pub(super) fn a_search_follows_the_times_whatever_clocks_do(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut expected = Vec::new();
    for n in 0..90 {
        let jump = [7, 7, -3, 0, 40, -45, 3, -1, 0, 0, 900, -880, 5][n % 13];
        bench.clock.forward(if n == 60 { -100_000 } else { jump });
        let mut form = draft(&label(n));
        form.name = if n % 3 == 0 { "Globex" } else { "Acme Stores" }.into();
        let reseller = bench.agency.create_reseller(form).expect("creates");
        if n % 3 != 0 {
            expected.push(reseller);
        }
    }
    expected.sort_by_key(|reseller| (reseller.created_at, reseller.id));
    for (text, limit) in [("acme", 1), ("acme", 7), ("stores acm", 25), ("ac", 4), ("e", 9)] {
        let query = ResellerQuery::text(text).limit(limit);
        let oldest_first = walk(&bench, &query.clone().ascending(SortBy::Joined));
        let mut newest_first = walk(&bench, &query);
        newest_first.reverse();
        assert_eq!(oldest_first, newest_first, "{text}");
        let acme = oldest_first.into_iter().filter(|reseller| reseller.name.as_str() != "Globex");
        assert_eq!(acme.collect::<Vec<_>>(), expected, "{text}");
    }
}

/// S29: a walk is right whatever is inserted or deleted meanwhile.
pub(super) fn a_walk_sees_each_row_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let before = named(&bench, &["a"; 20]);
    let deleted = before[8].id;
    let mut seen = Vec::new();
    let mut query = Some(ResellerQuery::all().limit(3));
    for n in 0.. {
        let Some(page_of) = query else { break };
        let page = bench.agency.page(&page_of).expect("reads");
        seen.extend(page.resellers.into_iter().map(|reseller| reseller.id));
        query = page.next.map(|cursor| page_of.after(cursor));
        if n == 1 {
            bench.agency.delete_reseller(deleted).expect("deletes");
        }
        bench.create(&label(100 + n));
    }
    let unique: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(unique.len(), seen.len(), "no row twice");
    assert!(
        before.iter().all(|row| row.id == deleted || unique.contains(&row.id)),
        "no row missed"
    );
}

/// S27.
pub(super) fn a_search_finds_what_was_folded(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let names = [
        "Véronique & Fils",
        "Politechnika Łódzka",
        "Straße 24",
        "Ελληνικό Πανεπιστήμιο",
        "東京大学",
        "Университет",
        "جامعة القاهرة",
        "ガラス",
    ];
    named(&bench, &names);
    let find = |text: &str| -> Vec<String> {
        let rows = walk(&bench, &ResellerQuery::text(text));
        rows.into_iter().map(|reseller| reseller.name.to_string()).collect()
    };
    for (text, name) in [
        ("veronique", 0),
        ("VÉRONIQUE fils", 0),
        ("lodz", 1),
        ("ŁÓDZ polit", 1),
        ("strasse", 2),
        ("ελληνικο", 3),
        ("京大", 4),
        ("大", 4),
        ("университет", 5),
        ("القاهره", usize::MAX),
        ("القاهرة", 6),
        ("ｶﾞﾗｽ", 7),
        ("カラス", usize::MAX),
    ] {
        let expected: Vec<_> = names.get(name).into_iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(find(text), expected, "{text}");
    }
    assert_eq!(find("fils strasse"), [""; 0], "every term must occur");
    assert_eq!(find("acmeaab"), [names[1]], "in the email, too");
    assert_eq!(find("  \t ").len(), names.len());
    let limited = walk(&bench, &ResellerQuery::text("example").limit(3));
    assert_eq!(limited.len(), names.len());
}

/// S27: a mark that stands by itself is searched like any other character.
pub(super) fn a_search_finds_marks_without_letters(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let names =
        ["O´Neil & Søn", "Zwei ¨ Punkte", "¸", "Lone \u{301} mark", "Plain name", "Ænima ﷺ"];
    named(&bench, &names);
    let find = |text: &str| -> Vec<String> {
        let rows = walk(&bench, &ResellerQuery::text(text));
        rows.into_iter().map(|reseller| reseller.name.to_string()).collect()
    };
    for (text, name) in [("´", 0), ("¨", 1), ("¸", 2), ("\u{301}", 3), ("ﷺ", 5)] {
        assert_eq!(find(text), [names[name]], "{text}");
    }
    for absent in ["¯", "\u{308}", "oneil"] {
        assert_eq!(find(absent), [""; 0], "{absent}");
    }
    for name in names {
        assert_eq!(find(name), [name], "as it was typed");
    }
}

pub(super) fn no_character_is_a_wildcard(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    named(&bench, &["100 % pure", "under_score", "back\\slash", "quo'te", "dou\"ble", "plain"]);
    for (text, found) in [
        ("%", 1),
        ("_", 1),
        ("\\", 1),
        ("'", 1),
        ("\"", 1),
        ("0 %", 1),
        ("u_d", 0),
        ("pl%n", 0),
        ("\\%", 0),
        ("*", 0),
        ("?", 0),
        ("[a-z]", 0),
        ("' OR 1=1 --", 0),
        ("\u{0}", 0),
    ] {
        assert_eq!(walk(&bench, &ResellerQuery::text(text)).len(), found, "{text}");
    }
}

/// S29.
pub(super) fn a_foreign_cursor_is_refused(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    named(&bench, &["a"; 5]);
    let query = ResellerQuery::all().limit(2);
    let cursor = bench.agency.page(&query).expect("reads").next.expect("more");
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    let mut damaged = cursor.clone().into_bytes();
    damaged[5] = if damaged[5] == b'A' { b'B' } else { b'A' };
    let damaged = String::from_utf8(damaged).expect("ASCII");
    let attempts = [
        other.page(&query.clone().after(cursor.clone())),
        bench.agency.page(&ResellerQuery::text("a").after(cursor.clone())),
        bench.agency.page(&ResellerQuery::all().status(Status::Active).after(cursor.clone())),
        bench.agency.page(&query.clone().after(damaged)),
        bench.agency.page(&query.clone().after("")),
        bench.agency.page(&query.clone().after("nonsense")),
    ];
    for attempt in attempts {
        assert_eq!(attempt.expect_err("refused").kind(), ErrorKind::InvalidCursor);
    }
    bench.agency.page(&query.limit(3).after(cursor)).expect("another limit is the same query");
}

/// S28.
pub(super) fn a_list_is_filtered(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let rows = named(&bench, &["a"; 8]);
    let sells = bench.agency.change_partner_type(rows[1].id, Some(1), "commission");
    let sells = sells.expect("changes");
    assert_eq!((sells.partner_type, sells.version), (PartnerType::Commission, 2));
    let all = ResellerQuery::all;
    let sells = [sells];
    assert_eq!(walk(&bench, &all().partner_type(PartnerType::Commission)), sells);
    assert_eq!(walk(&bench, &all().partner_type(PartnerType::OwnPlans).limit(3)).len(), 7);
    let (first, last) = (rows[0].created_at, rows[7].created_at);
    assert!(first < last);
    let since = rows.iter().filter(|row| row.created_at >= last).count();
    assert_eq!(walk(&bench, &all().joined_from(last)).len(), since);
    assert_eq!(walk(&bench, &all().joined_before(first)).len(), 0);
    assert_eq!(walk(&bench, &all().joined_before(last)).len(), 8 - since);
    let both = all().joined_from(first).joined_before(rows[3].created_at);
    assert_eq!(walk(&bench, &both.clone().limit(1)).len(), 3);
    assert_eq!(walk(&bench, &both.partner_type(PartnerType::Commission)), sells);
}

/// S28, S58: by folded code points, then by id, either way, ties across pages included.
pub(super) fn a_list_is_sorted_by_folded_text(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let names = [
        "beta",
        "Älpha",
        "alpha",
        "ALPHA",
        "Zürich",
        "zurich",
        "東京",
        "éclair",
        "Eclair",
        "\u{10348}",
        "\u{fe6b}",
        "10",
        "9",
        "alpha",
    ];
    let rows = named(&bench, &names);
    for by in [SortBy::Name, SortBy::Email, SortBy::Joined] {
        let key = |row: &Reseller| match by {
            SortBy::Name => fold(row.name.as_str()),
            SortBy::Email => fold(row.email.as_str()),
            SortBy::Joined => format!("{:020}", row.created_at.as_millis()),
        };
        let mut expected = rows.clone();
        expected.sort_by_key(|row| (key(row).chars().collect::<Vec<_>>(), row.id));
        for limit in [1, 3, 200] {
            let ascending = ResellerQuery::all().ascending(by).limit(limit);
            assert_eq!(walk(&bench, &ascending), expected, "{by:?}, {limit} a page");
        }
        expected.reverse();
        for limit in [1, 4, 200] {
            let descending = ResellerQuery::all().descending(by).limit(limit);
            assert_eq!(walk(&bench, &descending), expected, "{by:?}, {limit} a page");
        }
    }
    let cursor = bench.agency.page(&ResellerQuery::all().ascending(SortBy::Name).limit(2));
    let cursor = cursor.expect("reads").next.expect("more");
    for other in [SortBy::Email, SortBy::Joined] {
        let other = ResellerQuery::all().ascending(other).after(cursor.clone());
        let refused = bench.agency.page(&other).expect_err("another order");
        assert_eq!(refused.kind(), ErrorKind::InvalidCursor);
    }
}

/// S49: every instant is stored, returned and used in cursors, before 1970 and in the year 9999.
pub(super) fn an_instant_of_any_year_is_kept_and_followed(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let years = [-62_135_596_800_000, -1_900_000_000_001, -1, 0, 253_402_300_799_999];
    let create = |(n, millis): (usize, &i64)| {
        bench.clock.forward(millis - bench.clock.now().as_millis());
        bench.create(&label(n))
    };
    let rows: Vec<_> = years.iter().enumerate().map(create).collect();
    let joined = |rows: &[Reseller]| -> Vec<i64> {
        rows.iter().map(|row| row.created_at.as_millis()).collect()
    };
    assert_eq!(joined(&rows), years);
    for row in &rows {
        assert_eq!(bench.agency.reseller(row.id).expect("there"), *row);
        let json = serde_json::to_string(row).expect("a record");
        assert_eq!(serde_json::from_str::<Reseller>(&json).expect("its own form"), *row);
    }
    let one_by_one = ResellerQuery::all().ascending(SortBy::Joined).limit(1);
    assert_eq!(walk(&bench, &one_by_one), rows, "a cursor holds it");
    let between = |from: usize, before: usize| {
        let query = ResellerQuery::all().joined_from(rows[from].created_at);
        joined(&walk(&bench, &query.joined_before(rows[before].created_at).limit(1)))
    };
    assert_eq!(between(1, 3), [-1, -1_900_000_000_001]);
    assert_eq!(between(0, 4), [0, -1, -1_900_000_000_001, -62_135_596_800_000]);
    let feed = bench.agency.changes(Some(0), Some(100)).expect("reads");
    let told: BTreeSet<_> = feed.iter().map(|change| change.at.as_millis()).collect();
    assert!(years.iter().all(|millis| told.contains(millis)), "{told:?}");
}

/// S30.
pub(super) fn a_page_can_carry_the_total(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    named(&bench, &["some", "some", "other", "100 %"]);
    let total = |query: ResellerQuery| bench.agency.page(&query.with_total()).expect("reads").total;
    assert_eq!(bench.agency.page(&ResellerQuery::all()).expect("reads").total, None);
    assert_eq!(total(ResellerQuery::all().limit(1)), Some(Total::Exact(4)));
    assert_eq!(total(ResellerQuery::text("some").limit(1)), Some(Total::Exact(2)));
    assert_eq!(total(ResellerQuery::text("%")), Some(Total::Exact(1)));
    assert_eq!(total(ResellerQuery::text("\0")), Some(Total::Exact(0)));
    assert_eq!(total(ResellerQuery::all().status(Status::Inactive)), Some(Total::Exact(0)));
    // A count stops at its cap.
    let everybody = Filter::all(bench.agency.id().clone());
    assert_eq!(bench.read(|reads| reads.count(&everybody, 3)), 3);
    assert_eq!(bench.read(|reads| reads.count(&everybody, 5)), 4);
}
