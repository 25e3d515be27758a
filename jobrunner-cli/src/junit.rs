//! Results as JUnit XML, written as they come.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use futures_util::{StreamExt, stream::BoxStream};

use crate::exit::{Context, Failure};

/// A document of JUnit XML, part by part.
pub(crate) type Document<'a> = BoxStream<'a, Result<bytes::Bytes, Failure>>;

/// Writes a document to a file.
pub(crate) async fn write(document: Document<'_>, file: &Path) -> Result<(), Failure> {
    let cannot = || format!("cannot write {}", file.display());
    let mut writer = File::create(file).context(cannot)?;
    copy(document, &mut writer, cannot).await
}

/// Writes a document to standard output.
pub(crate) async fn print(document: Document<'_>) -> Result<(), Failure> {
    copy(document, &mut io::stdout(), || "cannot write the results".to_owned()).await
}

async fn copy(
    mut document: Document<'_>,
    writer: &mut (impl Write + Send),
    cannot: impl Fn() -> String,
) -> Result<(), Failure> {
    while let Some(part) = document.next().await {
        writer.write_all(&part?).context(&cannot)?;
    }
    writer.flush().context(&cannot)
}
