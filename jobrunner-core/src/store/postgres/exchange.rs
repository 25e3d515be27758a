use sqlx::PgConnection;

use super::{claim, finish, tally::Tally};
use crate::{
    Result,
    lease::{Claim, Exchanged, Finish},
};

/// Records how attempts ended, then claims: the lanes are locked for as short as can be.
pub(super) async fn exchange(
    connection: &mut PgConnection,
    reports: Vec<Finish>,
    next: Option<Claim>,
) -> Result<(Exchanged, Tally)> {
    let mut tally = Tally::default();
    let finished = finish::finish(connection, &reports, &mut tally).await?;
    let leased = match next {
        Some(next) => claim::claim(connection, next, &mut tally).await?,
        None => Vec::new(),
    };
    Ok((Exchanged { finished, leased }, tally))
}
