//! Variables of this environment that commands get on request.

use jobrunner_core::{NewJob, config::Settings, daemon::Trouble};

use crate::{
    args::Run,
    exit::{Context, Failure},
    output::note,
};

/// Variables with longer values are not passed on with the whole environment: they would leave too
/// little for arguments.
const LONGEST: usize = 100_000;

/// Passes on what was asked for to jobs that do not set it themselves, and allows it, loading
/// variables included: whoever starts a program here has them anyway.
pub(super) fn pass_on(
    args: &Run,
    jobs: &mut [NewJob],
    settings: &mut Settings,
) -> Result<(), Failure> {
    let (variables, allowed) = if args.inherit_env {
        (whole(), "*".to_owned())
    } else if args.pass_env.is_empty() {
        return Ok(());
    } else {
        let variables =
            args.pass_env.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?;
        (variables.into_iter().flatten().collect(), args.pass_env.join(","))
    };
    let set = std::env::var("JOB_ENV_ALLOW").unwrap_or_default();
    let loading = format!("{set},{allowed}").parse();
    settings.loading_variables =
        loading.context(Trouble::Config, || "these variables cannot be passed on".to_owned())?;
    for job in jobs {
        for (name, value) in &variables {
            job.env.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

/// A variable that was asked for by name; `None` with a word if it is not set.
fn named(name: &str) -> Result<Option<(String, String)>, Failure> {
    if !is_name(name) || name.starts_with("JOBRUNNER_") {
        return Err(Failure::usage(format!(
            "--pass-env {name} names nothing that can be passed on"
        )));
    }
    let Some(value) = std::env::var_os(name) else {
        note(&format!("{name} is not set here, and commands do not get it"));
        return Ok(None);
    };
    let value = value.into_string();
    let value = value.map_err(|_| Failure::usage(format!("--pass-env {name}: it is not UTF-8")))?;
    Ok(Some((name.to_owned(), value)))
}

fn whole() -> Vec<(String, String)> {
    let (mut variables, mut left) = (Vec::new(), Vec::new());
    for (name, value) in std::env::vars_os() {
        let shown = name.to_string_lossy().into_owned();
        // Set for each command anew.
        if shown.starts_with("JOBRUNNER_") || shown == "PWD" {
            continue;
        }
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) if is_name(&name) && value.len() <= LONGEST => {
                variables.push((name, value));
            }
            _ => left.push(shown),
        }
    }
    if !left.is_empty() {
        note(&format!("commands do not get {}", left.join(", ")));
    }
    variables
}

/// Whether jobs may have a variable of this name.
fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}
