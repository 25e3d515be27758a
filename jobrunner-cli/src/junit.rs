//! Results as JUnit XML, written as they come.

use std::{fs::File, io::Write, path::Path};

use futures_util::{StreamExt, stream::BoxStream};
use jobrunner_core::daemon::Trouble;

use crate::{
    exit::{Context, Failure},
    output,
};

/// A document of JUnit XML, part by part.
pub(crate) type Document<'a> = BoxStream<'a, Result<bytes::Bytes, Failure>>;

/// The document of no test at all.
pub(crate) const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"0\" failures=\"0\" errors=\"0\"/>\n";

/// Writes a document to a file.
pub(crate) async fn write(mut document: Document<'_>, file: &Path) -> Result<(), Failure> {
    let cannot = || format!("cannot write {}", file.display());
    let mut writer = File::create(file).context(Trouble::CannotCreate, cannot)?;
    while let Some(part) = document.next().await {
        writer.write_all(&part?).context(Trouble::Io, cannot)?;
    }
    Ok(())
}

/// Writes a document to standard output.
pub(crate) async fn print(mut document: Document<'_>) -> Result<(), Failure> {
    while let Some(part) = document.next().await {
        output::put(&part?)?;
    }
    Ok(())
}
