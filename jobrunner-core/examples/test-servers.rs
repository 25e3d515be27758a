//! Starts the servers that the tests need, once for a run of all of them: prints where they are, as
//! lines for a shell to export, and ends them when stdin closes.
//!
//! ```text
//! coproc SERVERS { cargo run -p jobrunner-core --example test-servers --features testkit; }
//! for _ in 1 2; do read -r -u "${SERVERS[0]}" line; export "$line"; done
//! cargo nextest run
//! ```

use std::io::{self, Write};

use jobrunner_core::testkit::servers::{
    POSTGRES_VARIABLE, PrivatePostgres, PrivateRedis, REDIS_VARIABLE,
};

fn main() -> io::Result<()> {
    let (postgres, redis) = (PrivatePostgres::start(), PrivateRedis::start());
    let mut out = io::stdout();
    writeln!(out, "{POSTGRES_VARIABLE}={}", postgres.url())?;
    writeln!(out, "{REDIS_VARIABLE}={}", redis.url())?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
