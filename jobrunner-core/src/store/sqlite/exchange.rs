use sqlx::SqliteConnection;

use super::{claim, finish, tally::Tally};
use crate::{
    Result,
    lease::{Claim, Exchanged, Finish},
};

/// Records how attempts ended, then claims.
pub(super) async fn exchange(
    connection: &mut SqliteConnection,
    reports: Vec<Finish>,
    next: Option<Claim>,
) -> Result<Exchanged> {
    let mut tally = Tally::default();
    let finished = finish::finish(connection, &reports, &mut tally).await?;
    let leased = match next {
        Some(next) => claim::claim(connection, next, &mut tally).await?,
        None => Vec::new(),
    };
    tally.write(connection).await?;
    Ok(Exchanged { finished, leased })
}
