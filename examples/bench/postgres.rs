//! A PostgreSQL server as it is installed, with everything that keeps what was committed, and what
//! it counts.

use std::sync::Arc;

use jobrunner_core::testkit::servers::PrivatePostgres;

use crate::rows::Scale;

/// A server.
#[derive(Clone)]
pub(crate) struct Postgres(Arc<PrivatePostgres>);

/// What a server did, to be compared with what it had done before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) statements: f64,
    pub(crate) transactions: f64,
}

impl Postgres {
    /// Each has one of its own, so that what an earlier one left to clean up does not disturb it;
    /// where time means nothing, all share one.
    pub(crate) fn of(scale: &Scale) -> Self {
        scale.shared_postgres().unwrap_or_else(Self::start)
    }

    pub(crate) fn start() -> Self {
        let server = PrivatePostgres::builder().durable().counting_statements().start();
        let settings = "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings \
                        where name in ('fsync', 'synchronous_commit', 'full_page_writes')";
        let durable = "fsync=on full_page_writes=on synchronous_commit=on";
        assert_eq!(server.ask(settings), durable, "the server keeps what was committed");
        Self(Arc::new(server))
    }

    pub(crate) fn create_database(&self) -> String {
        self.0.create_database()
    }

    /// How many bytes of its log it has written.
    pub(crate) fn log_position(&self) -> f64 {
        self.number("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    }

    /// Counts the statements of a database from now on, in connections that are still to be made.
    /// It costs a little, so it is not done while something is timed.
    pub(crate) fn count_statements(&self, database: &str) {
        let name = name(database);
        for sql in [
            &format!("alter database {name} set pg_stat_statements.track = 'top'"),
            &format!("alter database {name} set pg_stat_statements.track_planning = on"),
            "create extension if not exists pg_stat_statements",
        ] {
            assert_eq!(self.0.ask(sql), "");
        }
    }

    /// How long counted statements of a database have taken, planning and execution, in
    /// milliseconds.
    pub(crate) fn statement_time(&self, database: &str) -> f64 {
        self.number(&format!(
            "select coalesce(sum(s.total_plan_time + s.total_exec_time), 0) from pg_stat_statements s
             join pg_database d on d.oid = s.dbid where d.datname = '{}'",
            name(database)
        ))
    }

    /// The counted statements of a database that took the longest: milliseconds of planning and of
    /// execution, calls, microseconds a call, and how they begin.
    pub(crate) fn slowest_statements(&self, database: &str) -> String {
        self.0.ask(&format!(
            "select string_agg(line, E'\\n') from (
                 select format('%7s %7s %7s %7s  %s', round(s.total_plan_time), round(s.total_exec_time), s.calls,
                               round(1000 * (s.total_plan_time + s.total_exec_time) / s.calls),
                               left(regexp_replace(regexp_replace(s.query, '--[^\\n]*', '', 'g'), '\\s+', ' ', 'g'), 100))
                        as line
                 from pg_stat_statements s join pg_database d on d.oid = s.dbid
                 where d.datname = '{}'
                 order by s.total_plan_time + s.total_exec_time desc limit 15) l",
            name(database)
        ))
    }

    /// What was done in a database; connections that are still open may not have said all.
    pub(crate) fn work(&self, database: &str) -> Work {
        let name = name(database);
        let statements = format!(
            "select coalesce(sum(s.calls), 0) from pg_stat_statements s
             join pg_database d on d.oid = s.dbid where d.datname = '{name}'"
        );
        let transactions = format!(
            "select xact_commit + xact_rollback from pg_stat_database where datname = '{name}'"
        );
        Work { statements: self.number(&statements), transactions: self.number(&transactions) }
    }

    fn number(&self, sql: &str) -> f64 {
        self.0.ask(sql).parse().expect("a number")
    }
}

/// The name of the database of a URL.
fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}
