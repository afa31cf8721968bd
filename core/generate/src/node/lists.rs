//! The slugs of enumerations as lists, for what a program shows for choosing.

use super::{header, listed};
use crate::surface::Surface;

/// The enumerations of which a program may need all, with the names of the lists.
const LISTS: [(&str, &str); 6] = [
    ("ChangeKind", "CHANGE_KINDS"),
    ("Metric", "METRICS"),
    ("PartnerType", "PARTNER_TYPES"),
    ("SortBy", "SORT_ORDERS"),
    ("Status", "STATUSES"),
    ("Window", "WINDOWS"),
];

pub fn text(surface: &Surface) -> String {
    let types: Vec<_> = LISTS.iter().map(|(of, _)| (*of).to_owned()).collect();
    let mut text =
        header("All that there is of metrics, windows, statuses and others: for a choice.");
    text += "\n";
    text += &listed("import type {", &types, "} from './records';");
    for (of, name) in LISTS {
        let Some(enumeration) = surface.enumeration(of) else { continue };
        let slugs = enumeration.variants.iter().map(|variant| format!("'{}'", variant.slug));
        let slugs: Vec<_> = slugs.collect();
        text += &format!("\n/** Every `{of}`. */\n");
        let before = format!("export const {name}: readonly {of}[] = Object.freeze([");
        text += &listed(&before, &slugs, "]);");
    }
    text
}
