//! A CSV file of any bytes: every row has one answer, a dry run tells what a real one does, and what
//! came in goes out and is known when it comes again.

use partnerkit::{Agency, ErrorKind, ImportOptions, ImportReport, Platform, RowReport};

pub const SEEDS: &[&str] = &[
    "partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain\n\
     own_plans,\"Acme, \"\"Inc\"\"\",owner@acme.example,'+14155552671,Ann,a@b.example,'+4930901820,acme\n\
     commission,'=1+1,owner@globex.example,'+14155552672,Ann,a@b.example,'+4930901820,globex\n",
    "partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain,external_id,\
     website,metadata,status,created_at,deactivation_reason\r\n\
     own_plans,Acme,o@acme.example,'+14155552671,Ann,a@b.example,'+4930901820,acme,crm-7,a.example,\
     \"{\"\"tier\"\":\"\"gold\"\"}\",inactive,2020-02-03T04:05:06Z,unpaid\r\n",
    "\u{feff}name,colour\n\"a\nb\",c\n",
    "name\r\r\n\"\"\"",
];

pub fn run(bytes: &[u8]) {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let planned = import(&agency, bytes, true);
    assert_eq!(agency.overview().expect("reads").active_resellers, 0, "a dry run writes nothing");
    let done = import(&agency, bytes, false);
    assert_eq!(planned, done);
    let Some(report) = done else { return };
    let mut file = Vec::new();
    let all = partnerkit::ResellerQuery::all();
    let exported = agency.export_csv(&all, &mut file).expect("exports");
    assert_eq!(exported, report.created);
    let again = import(&agency, &file, false);
    assert_eq!(again, Some(ImportReport { created: 0, existing: exported, rejected: 0 }));
}

/// `None` for a file without the columns that it takes.
fn import(agency: &Agency, bytes: &[u8], dry_run: bool) -> Option<ImportReport> {
    let mut lines = Vec::new();
    let options = ImportOptions { dry_run, ..ImportOptions::default() };
    match agency.import_csv(bytes, &options, |row: RowReport| lines.push(row.line)) {
        Ok(report) => {
            let rows = report.created + report.existing + report.rejected;
            assert_eq!(lines.len() as u64, rows, "an answer for each row");
            assert!(lines.is_sorted(), "in the order of the file");
            Some(report)
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Validation);
            None
        }
    }
}
