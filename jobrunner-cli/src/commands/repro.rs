use jobrunner_core::{Job, JobId, daemon::Trouble};
use serde_json::json;
use tokio::process::Command;

use crate::{
    args::{Output, Remote},
    client::Client,
    exit::{Context, Exit, Failure},
    output::{self, note},
};

/// What a command gets of the environment that it is started in.
const INHERITED: [&str; 13] = [
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "USER",
    "TMPDIR",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
];

/// Prints a script that does what a job does, or runs it.
pub(crate) async fn repro(
    client: &Client,
    remote: &Remote,
    id: JobId,
    run: bool,
) -> Result<Exit, Failure> {
    let job = client.job(id).await?;
    let script = script(&job);
    if run {
        return self::run(&script).await;
    }
    match remote.output {
        Output::Json => output::json(&json!({
            "job_id": job.id,
            "working_dir": job.spec.working_dir,
            "env": environment(&job).collect::<std::collections::BTreeMap<_, _>>(),
            "command": job.spec.command,
            "script": script,
        }))?,
        Output::Table => output::put(script.as_bytes())?,
    }
    Ok(Exit::Success)
}

/// The variables that are set for a job, in the order in which later ones win.
fn environment(job: &Job) -> impl Iterator<Item = (String, String)> {
    let of_job = job.spec.env.clone().into_iter();
    let batch = job.batch_id.map(|id| ("JOBRUNNER_BATCH_ID".to_owned(), id.to_string()));
    let service = [
        ("JOBRUNNER_JOB_ID".to_owned(), job.id.to_string()),
        ("JOBRUNNER_ATTEMPT".to_owned(), job.attempt.max(1).to_string()),
        ("JOBRUNNER_QUEUE".to_owned(), job.spec.queue.clone()),
        ("PWD".to_owned(), job.spec.working_dir.clone()),
    ];
    of_job.chain(service).chain(batch)
}

fn script(job: &Job) -> String {
    let name: String = job.spec.name.chars().filter(|letter| !letter.is_control()).collect();
    let inherited = INHERITED.map(|name| format!("${{{name}+\"{name}=${name}\"}}")).join(" ");
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!("# Does what the job {} does: {name}", job.id),
        format!("cd {} || exit 66", shell_words::quote(&job.spec.working_dir)),
        "# A clean environment: these of yours, as far as they are set, and those of the job."
            .to_owned(),
        format!("exec env -i {inherited} \\"),
    ];
    for (name, value) in environment(job) {
        lines.push(format!("    {} \\", shell_words::quote(&format!("{name}={value}"))));
    }
    let command = shell_words::join(job.spec.command.iter().map(String::as_str));
    // `env` would take a program with a `=` in its name for a variable.
    let through = match job.spec.command.first() {
        Some(program) if program.contains('=') => "/bin/sh -c 'exec \"$@\"' sh ",
        _ => "",
    };
    lines.push(format!("    {through}{command} </dev/null"));
    lines.join("\n") + "\n"
}

/// Runs a script here; what it ends with is the result.
async fn run(script: &str) -> Result<Exit, Failure> {
    let mut shell = Command::new("/bin/sh");
    let ended = shell.arg("-c").arg(script).arg("repro").status().await;
    let ended = ended.context(Trouble::Os, || "cannot run /bin/sh".to_owned())?;
    if ended.success() {
        return Ok(Exit::Success);
    }
    note(&format!("jobrunner: {ended}"));
    Ok(Exit::Failed)
}
