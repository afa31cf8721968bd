//! What is shown: progress while it runs, then what was refused, the overview and the day.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::time::Instant;

use partnerkit::{Agency, Metric, ResellerQuery, Result, Timestamp, UsageQuery, Window};

use crate::chart;
use crate::load::Loaded;
use crate::messages::{DAY, Sent};

/// How far a long step has come: redrawn in a terminal, a line now and then elsewhere.
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    since: Instant,
    terminal: bool,
}

impl Progress {
    pub fn of(what: &'static str, total: usize) -> Self {
        Self { what, total, done: 0, since: Instant::now(), terminal: stderr().is_terminal() }
    }

    pub fn advance(&mut self, n: usize) {
        self.done += n;
        let step = if self.terminal { 100 } else { 2_000 };
        if self.done.is_multiple_of(step) || (self.terminal && self.done == self.total) {
            self.show();
        }
    }

    fn show(&self) {
        let rate = self.done as f64 / self.since.elapsed().as_secs_f64().max(0.001);
        let line = format!("{} of {} {}, {rate:.0} a second", self.done, self.total, self.what);
        match (self.terminal, self.done == self.total) {
            (true, false) => eprint!("\r{line} "),
            (true, true) => eprintln!("\r{line} "),
            (false, _) => eprintln!("{line}"),
        }
    }
}

/// Says what became of the rows, and why some were refused.
pub fn loaded(loaded: &Loaded) {
    let Loaded { created, there_already, refused } = loaded;
    for row in refused {
        println!("  row {}, {}: {}", row.row, row.name, row.reasons.join("; "));
    }
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in refused.iter().flat_map(|row| &row.reasons) {
        *by_reason.entry(reason).or_default() += 1;
    }
    for (reason, rows) in by_reason {
        println!("  {rows} × {reason}");
    }
    println!("{created} created, {there_already} there already, {} refused", refused.len());
}

/// Says what became of the events.
pub fn sent(sent: &Sent) {
    let Sent { accepted, duplicates, others, day: _ } = sent;
    println!("{accepted} events counted, {duplicates} counted before, {others} refused");
}

/// Shows the overview.
pub fn overview(agency: &Agency) -> Result<()> {
    let overview = agency.overview()?;
    println!("\nOverview of {}", agency.id());
    for (what, value) in [
        ("active resellers", i64::try_from(overview.active_resellers).unwrap_or(i64::MAX)),
        ("messages", overview.messages),
        ("WhatsApp messages", overview.whatsapp_messages),
        ("WhatsApp conversations", overview.whatsapp_conversations),
        ("team members", overview.team_members),
    ] {
        println!("  {what:<24}{value:>12}");
    }
    Ok(())
}

/// Draws the messages of a day, by the hour.
pub fn day(agency: &Agency, start: Timestamp) -> Result<()> {
    let end = Timestamp::from_millis(start.as_millis() + DAY);
    let page = agency.usage(&UsageQuery {
        window: Window::Hour,
        time_zone: Some("UTC".into()),
        metrics: Some(vec![Metric::MESSAGES]),
        fill: true,
        ..UsageQuery::between(start, end)
    })?;
    let hours: Vec<_> = page.rows.iter().map(|row| row.value).collect();
    let most = hours.iter().max().copied().unwrap_or(0);
    println!("\nMessages by the hour (UTC) of {}, at most {most}", &start.to_string()[..10]);
    print!("{}", chart::by_the_hour(&hours));
    Ok(())
}

/// Shows what some searches find.
pub fn searches(agency: &Agency) -> Result<()> {
    println!("\nSearch");
    for text in ["universite", "lodz", "sao", "„felix", "100%"] {
        println!("  {text:<24}{:>12}", found(agency, text)?);
    }
    Ok(())
}

fn found(agency: &Agency, text: &str) -> Result<String> {
    let page = agency.page(&ResellerQuery::text(text).limit(200))?;
    let more = if page.next.is_some() { "+" } else { "" };
    Ok(format!("{}{more}", page.resellers.len()))
}
