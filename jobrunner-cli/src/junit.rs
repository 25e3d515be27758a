//! Results as a file of JUnit XML.

use std::{fs::File, io::BufWriter, path::Path};

use jobrunner_core::{Batch, Status};
use jobrunner_server::junit::{Details, JUnit};

use crate::{
    exit::{Context, Failure},
    results::Results,
};

/// Writes the results of a batch to a file.
pub(crate) async fn write(
    results: &dyn Results,
    batch: &Batch,
    file: &Path,
) -> Result<(), Failure> {
    let junit = gather(results, batch).await?;
    let cannot = || format!("cannot write {}", file.display());
    let writer = BufWriter::new(File::create(file).context(cannot)?);
    junit.write(writer).context(cannot)
}

/// Writes the results of a batch to standard output.
pub(crate) async fn print(results: &dyn Results, batch: &Batch) -> Result<(), Failure> {
    let junit = gather(results, batch).await?;
    let mut document = Vec::new();
    junit.write(&mut document).context(|| "cannot write the results".to_owned())?;
    print!("{}", String::from_utf8_lossy(&document));
    Ok(())
}

async fn gather(results: &dyn Results, batch: &Batch) -> Result<JUnit, Failure> {
    let mut junit = JUnit::new(batch.clone());
    let mut cursor = None;
    loop {
        let page = results.jobs(batch.id, None, cursor, 1000).await?;
        for job in &page.items {
            let mut details = Details::default();
            if job.flaky {
                details.attempts = results.attempts(job.id).await?;
            }
            if job.status == Status::Failed {
                let tail = results.tail(job.id).await?;
                (details.stdout, details.stderr) = (tail.stdout, tail.stderr);
            }
            junit.add(job, details);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(junit)
}
