//! Measures what JobRunner costs: the real programs over real, durable servers, each figure beside
//! its limit, measured in the same rounds.
//!
//! `scripts/bench` builds everything and starts this; `scripts/bench --help` says what it can do.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod bare;
mod limits;
mod machine;
mod noop;
mod postgres;
mod report;
mod rows;
mod series;
mod site;
mod stores;
mod table;
mod target;
mod watch;
mod wire;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

use self::{
    report::Report,
    rows::{Row, Scale},
};

/// Measures JobRunner on this machine and prints a table: medians and ranges of all rounds, each
/// row beside its limit, and whether the target is met.
#[derive(Debug, Parser)]
#[command(name = "scripts/bench")]
struct Options {
    /// How many times each figure is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure only these rows; a name stands for all that begin with it
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// List the rows, and measure nothing
    #[arg(long)]
    list: bool,
    /// Run every row at a tiny size, only to see that it can be run
    #[arg(long)]
    smoke: bool,
    /// Print the statements of the database that took the longest, for rows that count them
    /// (end-to-end, lanes)
    #[arg(long)]
    profile: bool,
    /// Keep the results in this file; other rows that it has stay in it
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print the table as Markdown
    #[arg(long)]
    markdown: bool,
    /// Print what a file of --json has, and measure nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "list", "smoke", "json"])]
    from: Option<PathBuf>,
    /// Run so many commands for the row `executor`, in this process
    #[arg(long, value_name = "N", hide = true)]
    execute: Option<usize>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, String> {
    if let Some(jobs) = options.execute {
        let [rate, each] = rows::execute(jobs);
        println!("{rate} {each}");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(file) = &options.from {
        let report = Report::read(file)?;
        let report = report.ok_or_else(|| format!("there is no file {}", file.display()))?;
        show(&report, options.markdown);
        return Ok(ExitCode::SUCCESS);
    }
    let is_meant = |row: &&Row| row.is_meant_by(&options.only);
    let chosen: Vec<&Row> = rows::ALL.iter().filter(is_meant).collect();
    if chosen.is_empty() {
        return Err("no row has such a name; --list shows all of them".to_owned());
    }
    if options.list {
        for row in chosen {
            println!("{:20} {}", row.name, row.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    measure(options, &chosen)
}

fn measure(options: &Options, chosen: &[&Row]) -> Result<ExitCode, String> {
    let scale =
        if options.smoke { Scale::smoke() } else { Scale::full(options.rounds, options.profile) };
    // Before anything is measured in vain.
    let earlier = options.json.as_deref().map_or(Ok(None), Report::read)?;
    let mut report = Report::of_this_machine();
    if !options.smoke && report.machine.file_system == "tmpfs" {
        let advice = "set TMPDIR to a directory on a disk";
        return Err(format!("temporary files are in memory, where nothing is durable; {advice}"));
    }
    if !options.smoke && cfg!(debug_assertions) {
        eprintln!("this is a debug build: its figures are not those that users get");
    }
    let mut failures = Vec::new();
    for row in chosen {
        eprintln!("{}: {} …", row.name, row.about);
        match row.measure(&scale) {
            Ok(measured) => {
                eprintln!("{}: {:.1} s", row.name, measured.seconds);
                report.add(measured);
            }
            // What it said is on stderr already.
            Err(rows::Failed) => failures.push(row.name),
        }
        if let Some(file) = &options.json {
            report.write(file, earlier.as_ref())?;
        }
    }
    if options.smoke {
        println!("{} of {} rows can be measured", report.rows.len(), chosen.len());
    } else {
        show(&report, options.markdown);
    }
    if failures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("these rows could not be measured: {}", failures.join(", "));
    Ok(ExitCode::FAILURE)
}

fn show(report: &Report, as_markdown: bool) {
    print!("{}", if as_markdown { table::markdown(report) } else { table::text(report) });
}
