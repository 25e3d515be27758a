//! What is measured.

mod backlog;
mod batch;
mod commands;
mod end_to_end;
mod executor;
mod idle;
mod lanes;
mod memory;
mod noop;
mod others;
mod output;
mod pages;
mod post;
mod snapshot;
mod workers;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use chrono::{SecondsFormat, Utc};

pub(crate) use self::executor::execute;
use crate::{
    machine,
    postgres::Postgres,
    report::{Line, Measured},
    site::Backend,
};

/// Something that is measured by itself.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    run: fn(&Scale) -> Vec<Line>,
}

/// A row could not be measured, or what it measured did the wrong thing.
pub(crate) struct Failed;

/// How much is done for a figure.
pub(crate) struct Scale {
    pub(crate) rounds: u32,
    /// The server of a run that only shows that it can be done.
    smoke: Option<Postgres>,
    /// Whether the slowest statements of a database are printed.
    is_profiled: bool,
}

impl Scale {
    pub(crate) const fn full(rounds: u32, is_profiled: bool) -> Self {
        Self { rounds, smoke: None, is_profiled }
    }

    /// One round of next to nothing.
    pub(crate) fn smoke() -> Self {
        Self { rounds: 1, smoke: Some(Postgres::start()), is_profiled: false }
    }

    /// How many: usually, and in a run that only shows that it can be done.
    pub(crate) const fn count(&self, usually: usize, smoke: usize) -> usize {
        if self.smoke.is_some() { smoke } else { usually }
    }

    /// Prints the slowest statements of a database, if that is asked for. They have to be counted.
    pub(crate) fn profile(&self, server: &Postgres, database: &str) {
        if self.is_profiled {
            eprintln!(
                "   plan    exec   calls us/call  (ms)\n{}",
                server.slowest_statements(database)
            );
        }
    }

    /// What a run shares that only shows that it can be done.
    pub(crate) fn shared_postgres(&self) -> Option<Postgres> {
        self.smoke.clone()
    }
}

/// In the order of the table.
pub(crate) const ALL: &[Row] = &[
    Row {
        name: "end-to-end-redis",
        about: "5,000 times `true` in one batch, Postgres + Redis",
        run: |scale| end_to_end::measure(scale, Backend::PostgresAndRedis),
    },
    Row {
        name: "end-to-end-postgres",
        about: "the same, Postgres alone",
        run: |scale| end_to_end::measure(scale, Backend::Postgres),
    },
    Row {
        name: "end-to-end-embedded",
        about: "the same, embedded",
        run: |scale| end_to_end::measure(scale, Backend::Embedded),
    },
    Row {
        name: "workers",
        about: "the same by 1, 2 and 4 workers, Postgres + Redis",
        run: |scale| workers::measure(scale, Backend::PostgresAndRedis),
    },
    Row { name: "xargs", about: "5,000 times `true`, xargs -P2", run: others::xargs },
    Row {
        name: "run",
        about: "2,000 times `true`, jobrunner run beside xargs -P2",
        run: others::local,
    },
    Row { name: "parallel", about: "500 times `true`, GNU parallel", run: others::parallel },
    Row { name: "hyperqueue", about: "5,000 times `true`, HyperQueue", run: others::hyperqueue },
    Row {
        name: "executor",
        about: "4,000 times `true`, without store and service",
        run: executor::measure,
    },
    Row {
        name: "post-postgres",
        about: "POST /jobs by 16 clients, Postgres",
        run: |scale| post::measure(scale, Backend::Postgres),
    },
    Row {
        name: "post-embedded",
        about: "the same, embedded",
        run: |scale| post::measure(scale, Backend::Embedded),
    },
    Row {
        name: "batch-postgres",
        about: "100,000 jobs in one request, Postgres",
        run: |scale| batch::measure(scale, Backend::Postgres),
    },
    Row {
        name: "batch-embedded",
        about: "the same, embedded",
        run: |scale| batch::measure(scale, Backend::Embedded),
    },
    Row {
        name: "idle-redis",
        about: "one job when nothing else is to do: its answer, start and end, Postgres + Redis",
        run: |scale| idle::measure(scale, Backend::PostgresAndRedis),
    },
    Row {
        name: "idle-postgres",
        about: "the same, Postgres alone",
        run: |scale| idle::measure(scale, Backend::Postgres),
    },
    Row {
        name: "idle-embedded",
        about: "the same, embedded",
        run: |scale| idle::measure(scale, Backend::Embedded),
    },
    Row {
        name: "noop",
        about: "20,000 jobs that run nothing, Postgres + Redis",
        run: |scale| noop::measure(scale, Backend::PostgresAndRedis),
    },
    Row {
        name: "lanes-redis",
        about: "4 workers and 100 owners with Redis and without",
        run: noop::many_lanes,
    },
    Row {
        name: "lanes-postgres",
        about: "a claim with 1,000 active lanes, Postgres",
        run: |scale| lanes::measure(scale, Backend::Postgres, lanes::Of::Owners),
    },
    Row {
        name: "lanes-embedded",
        about: "the same, embedded",
        run: |scale| lanes::measure(scale, Backend::Embedded, lanes::Of::Owners),
    },
    Row {
        name: "queues-postgres",
        about: "a claim with 1,000 active lanes of one owner, Postgres",
        run: |scale| lanes::measure(scale, Backend::Postgres, lanes::Of::One),
    },
    Row {
        name: "queues-embedded",
        about: "the same, embedded",
        run: |scale| lanes::measure(scale, Backend::Embedded, lanes::Of::One),
    },
    Row {
        name: "backlog-postgres",
        about: "claims, ends and lists with 1,000 and 1,000,000 jobs waiting, Postgres",
        run: |scale| backlog::measure(scale, Backend::Postgres),
    },
    Row {
        name: "backlog-embedded",
        about: "the same, embedded",
        run: |scale| backlog::measure(scale, Backend::Embedded),
    },
    Row {
        name: "snapshot",
        about: "a claim while an old snapshot is held and 500,000 jobs end, Postgres",
        run: snapshot::measure,
    },
    Row {
        name: "output-postgres",
        about: "2 GB written by one job, and by 64 at once, Postgres",
        run: |scale| output::measure(scale, Backend::Postgres),
    },
    Row {
        name: "output-embedded",
        about: "the same, embedded",
        run: |scale| output::measure(scale, Backend::Embedded),
    },
    Row {
        name: "pages-postgres",
        about: "what the dashboard asks a store, 100,000 jobs in a batch, Postgres",
        run: |scale| pages::measure(scale, Backend::Postgres),
    },
    Row {
        name: "pages-embedded",
        about: "the same, embedded",
        run: |scale| pages::measure(scale, Backend::Embedded),
    },
    Row {
        name: "commands-postgres",
        about: "20,000 jobs submitted, listed and canceled by the command line, Postgres",
        run: |scale| commands::measure(scale, Backend::Postgres),
    },
    Row {
        name: "commands-embedded",
        about: "the same, embedded",
        run: |scale| commands::measure(scale, Backend::Embedded),
    },
    Row { name: "memory", about: "processes that have nothing to do", run: memory::measure },
];

/// Where a row stands in the table.
pub(crate) fn place(name: &str) -> usize {
    ALL.iter().position(|row| row.name == name).unwrap_or(ALL.len())
}

impl Row {
    /// Whether it is among these, each of which may be the beginning of a name; nothing is
    /// everything.
    pub(crate) fn is_meant_by(&self, names: &[String]) -> bool {
        names.is_empty() || names.iter().any(|name| self.name.starts_with(name.as_str()))
    }

    pub(crate) fn measure(&self, scale: &Scale) -> Result<Measured, Failed> {
        let (at, started) = (Utc::now(), Instant::now());
        let run = self.run;
        let lines = catch_unwind(AssertUnwindSafe(|| run(scale))).map_err(|_| Failed)?;
        Ok(Measured {
            row: self.name.to_owned(),
            at: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            commit: machine::commit(),
            seconds: started.elapsed().as_secs_f64(),
            lines,
        })
    }
}
