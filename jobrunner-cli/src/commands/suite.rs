//! What is done with suites without running them.

use jobrunner_core::{
    NewBatch, NewJob,
    config::Settings,
    daemon::{Trouble, Variables},
    job::Rules,
    terminal,
};

use crate::{
    args::{Expanded, Output, Suite as Args, SuiteCommand},
    client::NewBatchWithJobs,
    exit::{Context, Exit, Failure},
    limits, output,
    suite::{self, Suite},
};

pub(crate) async fn suite(args: Args) -> Result<Exit, Failure> {
    match args.command {
        SuiteCommand::Check { suite, set, output } => {
            let settings = Variables::of_environment().settings()?;
            let suite = Suite::read(&suite)?;
            match suite.examined(&set, &settings.rules()) {
                Ok(made) => {
                    tell_limits(&made.1, &settings);
                    dry_run(&made, output)
                }
                Err(mut wrong) => {
                    let last = wrong.pop().unwrap_or_default();
                    wrong.iter().for_each(|line| output::say(&terminal::line(line)));
                    Err(Failure::new(Trouble::Data, last))
                }
            }
        }
        SuiteCommand::Expand { suite, set, output } => {
            let (batch, jobs) = Suite::read(&suite)?.checked(&set, &usual_rules()?)?;
            match output {
                Expanded::Yaml => output::put(suite::as_yaml(&batch, &jobs)?.as_bytes())?,
                Expanded::Json => output::json(&NewBatchWithJobs { batch: &batch, jobs: &jobs })?,
            }
            Ok(Exit::Success)
        }
        SuiteCommand::From(from) => {
            let (batch, jobs) = suite::made(&from)?;
            let yaml = suite::as_yaml(&batch, &jobs)?;
            match &from.out {
                Some(file) => std::fs::write(file, yaml).context(Trouble::CannotCreate, || {
                    format!("cannot write {}", file.display())
                })?,
                None => output::put(yaml.as_bytes())?,
            }
            Ok(Exit::Success)
        }
        SuiteCommand::Record(record) => suite::record(&record),
    }
}

/// The rules of a service whose settings are not known: those it has by default.
pub(crate) fn usual_rules() -> Result<Rules, Failure> {
    let settings = Settings::from_vars(|_| None);
    let settings = settings.map_err(|wrong| {
        let wrong: Vec<_> = wrong.iter().map(ToString::to_string).collect();
        Failure::new(Trouble::Software, wrong.join("; "))
    });
    Ok(settings?.rules())
}

/// Says if the service will make a timeout shorter.
pub(crate) fn tell_limits(jobs: &[NewJob], settings: &Settings) {
    if let Some(asked) = limits::longest_timeout(jobs) {
        limits::tell_capped(asked, settings.command_timeout.as_secs().min(asked));
    }
}

/// Shows what would be run.
pub(crate) fn dry_run(
    (batch, jobs): &(NewBatch, Vec<NewJob>),
    format: Output,
) -> Result<Exit, Failure> {
    if format == Output::Json {
        output::json(&NewBatchWithJobs { batch, jobs })?;
        return Ok(Exit::Success);
    }
    let mut shown = format!("{}: {} jobs\n", terminal::line(&batch.name), jobs.len());
    for job in jobs {
        shown.push_str(&format!("\n{}\n", terminal::line(&job.name)));
        for line in suite::script(job).lines() {
            let line = line.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
            shown.push_str(&format!("    {line}\n"));
        }
    }
    output::put(shown.as_bytes())?;
    Ok(Exit::Success)
}
