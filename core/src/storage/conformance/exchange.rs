//! Resellers as CSV: each row has its answer, and a file can be imported again.

use super::Harness;
use super::fixture::{Bench, draft, label};
use crate::{
    Code, ErrorKind, ImportOptions, ImportReport, LoginDomainPolicy, Platform, ResellerQuery,
    RowOutcome, RowReport, SortBy,
};

const HEADER: &str = "partner_type,name,email,phone_country,phone,contact_name,contact_email,\
                      contact_phone,login_domain,external_id,metadata\n";

fn line(name: &str, label: &str) -> String {
    format!(
        "own_plans,{name},owner@{label}.example,US,(415) 555-2671,Ann Lee,ann@{label}.example,\
         '+49 30 901820,{label},crm-{label},\"{{\"\"tier\"\":\"\"gold\"\"}}\"\n"
    )
}

fn import(bench: &Bench<'_>, file: &str, dry_run: bool) -> (ImportReport, Vec<RowReport>) {
    let mut rows = Vec::new();
    let options = ImportOptions { dry_run, ..ImportOptions::default() };
    let each = |row| rows.push(row);
    let report = bench.agency.import_csv(file.as_bytes(), &options, each).expect("imports");
    (report, rows)
}

fn rejected(row: &RowReport) -> (u64, Vec<(&str, Code)>) {
    let RowOutcome::Rejected(errors) = &row.outcome else { panic!("{row:?} is not rejected") };
    (row.line, errors.as_slice().iter().map(|e| (e.field.as_str(), e.code)).collect())
}

/// S48.
pub(super) fn every_row_of_a_file_has_its_answer(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let file = [
        HEADER.to_owned(),
        line("\"Acme, \"\"the\"\" first\"", "acme"),
        line("", "Globex1"),
        line("Second of its name", "acme"),
        "own_plans,too few cells\n".to_owned(),
        line("'=1+1", "initech"),
    ]
    .concat();
    let computed = bench.platform.hash_computations();
    let taken = |field| (field, Code::Taken);
    for dry_run in [true, false] {
        let (report, rows) = import(&bench, &file, dry_run);
        assert_eq!(report, ImportReport { created: 2, existing: 0, rejected: 3 });
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6], "in the order of the file");
        let wrong = [("name", Code::Empty), ("login_domain", Code::Uppercase)];
        assert_eq!(rejected(&rows[1]), (3, wrong.to_vec()), "everything at once");
        let repeated = [taken("email"), taken("login_domain"), taken("external_id")];
        assert_eq!(rejected(&rows[2]), (4, repeated.to_vec()));
        assert_eq!(rejected(&rows[3]), (5, vec![("row", Code::Invalid)]));
        let active = bench.agency.overview().expect("reads").active_resellers;
        assert_eq!(active, if dry_run { 0 } else { 2 });
    }
    let found = bench.agency.page(&ResellerQuery::text("the first")).expect("reads");
    let acme = &found.resellers[0];
    assert_eq!(acme.name.as_str(), "Acme, \"the\" first");
    assert_eq!(acme.contact.phone.as_str(), "+4930901820");
    assert_eq!(acme.metadata.as_map()["tier"], "gold");
    let found = bench.agency.page(&ResellerQuery::text("initech")).expect("reads");
    assert_eq!(found.resellers[0].name.as_str(), "=1+1");

    // Again, with the wrong rows corrected.
    let right = [file, line("Globex", "globex")].concat();
    let (report, rows) = import(&bench, &right, false);
    // The repeated row now matches the reseller of the first one.
    assert_eq!(report, ImportReport { created: 1, existing: 3, rejected: 2 });
    assert_eq!(rows[0].outcome, RowOutcome::Existing(acme.id));
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 3);
    assert_eq!(bench.platform.hash_computations(), computed, "no password was hashed");
}

/// S48: a dry run answers as a real one does, however far apart two rows are.
pub(super) fn a_row_is_compared_with_every_row_before(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    // More rows than are created in one step, and none of them a reseller.
    let far = "own_plans,too few cells\n".repeat(600);
    let email_of_globex = line("Initech", "initech").replace("owner@initech", "owner@globex");
    let file = [
        HEADER.to_owned(),
        line("Globex", "globex"),
        far,
        email_of_globex,
        line("Globex again", "globex"),
        line("Initech", "initech"),
    ]
    .concat();
    let taken = |field| (field, Code::Taken);
    for dry_run in [true, false] {
        let (report, rows) = import(&bench, &file, dry_run);
        assert_eq!(report, ImportReport { created: 2, existing: 0, rejected: 602 });
        assert_eq!(rejected(&rows[601]), (603, vec![taken("email")]));
        let repeated = vec![taken("email"), taken("login_domain"), taken("external_id")];
        assert_eq!(rejected(&rows[602]), (604, repeated), "as if it stood beside the first");
    }
    let (report, _) = import(&bench, &file, true);
    assert_eq!(report.existing, 3, "the second time they are there");
}

/// S4, S48: a holder keeps its label, even if the policy changes.
pub(super) fn a_file_comes_again_under_another_policy(harness: &dyn Harness) {
    let dns = LoginDomainPolicy::dns();
    let bench = Bench::with(harness, |builder| builder.login_domain_policy(dns));
    let file = [HEADER.to_owned(), line("Acme", "acme-1"), line("Globex", "globex")].concat();
    assert_eq!(import(&bench, &file, false).0.created, 2);
    let stricter = LoginDomainPolicy::letters().reserve(["globex", "initech"]);
    let builder = Platform::builder().login_domain_policy(stricter);
    let platform = builder.open_storage(bench.storage.clone()).expect("opens");
    let agency = platform.agency("northwind").expect("there");
    let file = [file, line("", "globex"), line("Initech", "initech"), line("A", "a-b")].concat();
    for dry_run in [true, false] {
        let mut rows = Vec::new();
        let options = ImportOptions { dry_run, ..ImportOptions::default() };
        let report = agency.import_csv(file.as_bytes(), &options, |row| rows.push(row));
        let expected = ImportReport { created: 0, existing: 2, rejected: 3 };
        assert_eq!(report.expect("imports"), expected);
        let reserved = ("login_domain", Code::Reserved);
        assert_eq!(rejected(&rows[2]), (4, vec![("name", Code::Empty), reserved]));
        assert_eq!(rejected(&rows[3]), (5, vec![reserved]));
        assert_eq!(rejected(&rows[4]), (6, vec![("login_domain", Code::SpecialCharacter)]));
    }
}

/// S48.
pub(super) fn a_file_that_cannot_be_read_says_why(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let import = |file: &[u8]| {
        let imported = bench.agency.import_csv(file, &ImportOptions::default(), |_| ());
        imported.expect_err("refused")
    };
    let header = import(b"name,favourite colour,name,email\n");
    let mut codes = super::life::codes(&header);
    assert_eq!(codes.remove(0), ("columns", Code::UnknownColumn));
    assert_eq!(codes.remove(0), ("columns", Code::Taken));
    assert_eq!(header.fields()[0].params, [("column", 2)]);
    let missing =
        ["partner_type", "phone", "contact_name", "contact_email", "contact_phone", "login_domain"];
    assert_eq!(codes, missing.map(|field| (field, Code::Empty)));
    assert!(!format!("{header} {header:?}").contains("colour"), "no input in a message");
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("secret path"))
        }
    }
    let broken = bench.agency.import_csv(Broken, &ImportOptions::default(), |_| ());
    let broken = broken.expect_err("fails");
    assert_eq!(broken.kind(), ErrorKind::Io);
    assert!(!broken.to_string().contains("secret"));
    // A row that is not text is one bad row.
    let acme = line("Acme", "acme");
    let bytes = [HEADER.as_bytes(), b"own_plans,\xff\xfe,x\n", acme.as_bytes()];
    let mut rows = Vec::new();
    let options = ImportOptions::default();
    let report = bench.agency.import_csv(&bytes.concat()[..], &options, |row| rows.push(row));
    assert_eq!(report.expect("imports"), ImportReport { created: 1, existing: 0, rejected: 1 });
    assert_eq!(rejected(&rows[0]), (2, vec![("row", Code::Invalid)]));
    // As spreadsheets write it in countries with a decimal comma.
    let semicolons = format!("\u{feff}{HEADER}{}", line("Globex", "globex")).replace(',', ";");
    let options = ImportOptions { delimiter: b';', ..ImportOptions::default() };
    let report = bench.agency.import_csv(semicolons.as_bytes(), &options, |_| ());
    assert_eq!(report.expect("imports").created, 1);
}

/// S48: after a row with a wrong quotation mark, or one that is too long, the next line is a row
/// again.
pub(super) fn a_stray_quotation_mark_costs_its_row(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let stray = |label: &str| line("Stray", label).replacen(",S", ",\"S", 1);
    let file = [
        HEADER.to_owned(),
        stray("contoso"),
        line("\"Acme, Inc\"", "acme"),
        line(&"x".repeat(1 << 18), "fabrikam"),
        line("\"Two\nlines\"", "globex"),
        format!("own_plans,\"{}", format!("{}\n", "x".repeat(1_023)).repeat(300)),
        line("Hooli", "hooli"),
        stray("initech"),
        line("Umbrella", "umbrella"),
    ]
    .concat();
    let invalid = (Code::Invalid, vec![]);
    let too_long = (Code::TooLong, vec![("max", 1 << 18)]);
    let (report, rows) = import(&bench, &file, false);
    assert_eq!(report.created, 3);
    let created = |row: &&RowReport| matches!(row.outcome, RowOutcome::Created(_));
    let created: Vec<_> = rows.iter().filter(created).map(|row| row.line).collect();
    let (hooli, initech) = (307, 308);
    assert_eq!(created, [3, hooli, 309]);
    let why = |at: u64| {
        let row = rows.iter().find(|row| row.line == at).expect("each line has its answer");
        let RowOutcome::Rejected(errors) = &row.outcome else { panic!("{row:?}") };
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(error.field == "row" || at == 5, "{error:?}");
        (error.code, error.params.clone())
    };
    assert_eq!([why(2), why(4), why(7)], [invalid.clone(), too_long.clone(), too_long]);
    assert_eq!([why(5), why(initech)], [(Code::ControlCharacter, vec![]), invalid]);
    for (header, code) in [
        (format!("\"name\n{}", "x\n".repeat(1 << 17)), Code::TooLong),
        ("\"name\n".to_owned(), Code::Invalid),
        ("name,".repeat(100), Code::TooMany),
        ("x".repeat(1 << 19), Code::TooLong),
    ] {
        let imported =
            bench.agency.import_csv(header.as_bytes(), &ImportOptions::default(), |_| ());
        assert_eq!(super::life::codes(&imported.expect_err("refused")), [("columns", code)]);
    }
    let options = ImportOptions { delimiter: b'"', ..ImportOptions::default() };
    let refused = bench.agency.import_csv(file.as_bytes(), &options, |_| ()).expect_err("refused");
    assert_eq!(super::life::codes(&refused), [("delimiter", Code::Invalid)]);
}

/// S48: an export can be imported elsewhere.
pub(super) fn an_export_comes_back(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let names = ["=cmd|' /C calc'!A0", "Zoë, \"quoted\"\nÉlan", "東京 🏢", "＝1+1;=2", "'; \"-1\""];
    for (n, name) in names.iter().enumerate() {
        let mut form = draft(&label(n));
        form.name = name.replace('\n', " ");
        form.external_id = Some(format!("+{n}"));
        form.website = Some("https://example.com/?a=1,2".into());
        form.metadata = [("note".to_owned(), "-1, \"x\"\n'=2".to_owned())].into();
        let reseller = bench.agency.create_reseller(form).expect("creates");
        if n == 2 {
            bench.agency.deactivate(reseller.id, Some("=unpaid")).expect("deactivates");
        }
    }
    let mut file = Vec::new();
    let query = ResellerQuery::all().ascending(SortBy::Name);
    assert_eq!(bench.agency.export_csv(&query, &mut file).expect("exports"), 5);
    let text = String::from_utf8(file.clone()).expect("text");
    assert!(text.contains("'=cmd") && text.contains(",'+14155552671,"), "guarded: {text}");
    assert!(text.contains(",'＝1+1;'=2,"), "guarded: {text}");
    let (report, _) = import(&bench, &text, false);
    assert_eq!(report, ImportReport { created: 0, existing: 5, rejected: 0 });

    let elsewhere = Platform::open("memory:").expect("opens").create_agency("tailspin", None);
    let elsewhere = elsewhere.expect("creates");
    let options = ImportOptions::default();
    let report = elsewhere.import_csv(&file[..], &options, |_| ()).expect("imports");
    assert_eq!(report.created, 5);
    let forms = |agency: &crate::Agency| {
        let page = agency.page(&query).expect("reads").resellers.into_iter();
        let form = |r: crate::Reseller| {
            let beside = (r.status, r.deactivation_reason, r.created_at);
            (r.name, r.email, r.phone, r.contact, r.website, r.external_id, r.metadata, beside)
        };
        page.map(form).collect::<Vec<_>>()
    };
    assert_eq!(forms(&elsewhere), forms(&bench.agency));
}
