//! Lists: the bounds of a page and of a count, which need many resellers and one store.

use partnerkit::{
    Agency, Code, ContactDraft, Page, PhoneDraft, Platform, ResellerDraft, ResellerQuery, Total,
};

/// Invitations with labels of letters, for numbers.
fn invitations(numbers: std::ops::Range<usize>) -> Vec<ResellerDraft> {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).expect("a letter"));
    let invitation = |n: usize| {
        let login_domain: String =
            [676 * 26, 676, 26, 1].map(|of| letter(n / of)).into_iter().collect();
        ResellerDraft {
            partner_type: "commission".into(),
            name: "Acme".into(),
            email: format!("owner@x{login_domain}.example"),
            phone: PhoneDraft::international("+4930901820"),
            invite: true,
            contact: ContactDraft {
                name: "Ann Lee".into(),
                email: "ann@acme.example".into(),
                phone: PhoneDraft::international("+4930901820"),
            },
            login_domain: format!("x{login_domain}"),
            ..ResellerDraft::default()
        }
    };
    numbers.map(invitation).collect()
}

fn create(agency: &Agency, numbers: std::ops::Range<usize>) {
    let created = agency.create_resellers(&invitations(numbers)).expect("answers");
    assert!(created.iter().all(Result::is_ok));
}

fn page(agency: &Agency, query: &ResellerQuery) -> Page {
    agency.page(query).expect("reads")
}

#[test]
fn s28_a_page_has_25_resellers_or_1_to_200() {
    let agency = Platform::open("memory:").expect("opens").create_agency("northwind", None);
    let agency = agency.expect("creates");
    create(&agency, 0..201);
    let shown = |query| page(&agency, &query).resellers.len();
    assert_eq!(shown(ResellerQuery::all()), 25);
    for limit in [1, 24, 26, 200] {
        assert_eq!(shown(ResellerQuery::all().limit(limit)), limit as usize);
    }
    for limit in [0, 201, u32::MAX] {
        let refused = agency.page(&ResellerQuery::all().limit(limit)).expect_err("refused");
        let field = &refused.fields()[0];
        assert_eq!((field.field.as_str(), field.code), ("limit", Code::OutOfRange));
        assert_eq!(field.params, [("min", 1), ("max", 200)]);
    }
    let first = page(&agency, &ResellerQuery::all().limit(200));
    let rest = ResellerQuery::all().limit(200).after(first.next.expect("one more"));
    assert_eq!((shown(rest.clone()), page(&agency, &rest).next), (1, None));
}

#[test]
fn s30_counting_ends_at_ten_thousand() {
    let agency = Platform::open("memory:").expect("opens").create_agency("northwind", None);
    let agency = agency.expect("creates");
    let total = || page(&agency, &ResellerQuery::all().limit(1).with_total()).total;
    for thousand in 0..9 {
        create(&agency, thousand * 1_000..(thousand + 1) * 1_000);
    }
    create(&agency, 9_000..9_999);
    assert_eq!(total(), Some(Total::Exact(9_999)));
    create(&agency, 9_999..10_000);
    assert_eq!(total(), Some(Total::AtLeast(10_000)));
    create(&agency, 10_000..10_001);
    assert_eq!(total(), Some(Total::AtLeast(10_000)));
    let found = page(&agency, &ResellerQuery::text("xaaaa").limit(1).with_total());
    assert_eq!(found.total, Some(Total::Exact(1)));
}
