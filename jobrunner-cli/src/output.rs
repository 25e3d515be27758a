//! Tables for people, JSON for programs.

use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use jobrunner_core::terminal;
use serde::Serialize;

use crate::exit::{Context, Failure};

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).context(|| "cannot write JSON".to_owned())?;
    println!("{text}");
    Ok(())
}

/// Prints rows under their headings, without lines between them.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| terminal::line(&cell)));
    }
    println!("{}", table.trim_fmt());
}

/// A time to the second, or a dash.
pub(crate) fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}
