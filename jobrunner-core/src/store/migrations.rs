use std::borrow::Cow;

use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// A migration: its file's name, which begins with its number, and its text.
pub(super) type File = (&'static str, &'static str);

/// The migrations that every dialect has, and after them those that one has of its own. A released
/// one is never changed.
macro_rules! files {
    ($dialect:literal $(, $own:literal)*) => {
        $crate::store::migrations::files!(@ $dialect,
            "0001_initial",
            "0002_repetitions",
            "0003_causes",
            "0004_audit",
            "0005_sign_outs",
            "0006_lists",
            "0007_order_of_output",
            "0008_hosts",
            "0009_refresh_tokens"
            $(, $own)*)
    };
    (@ $dialect:literal, $($name:literal),+) => {
        &[$((
            $name,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/migrations/", $dialect, "/", $name, ".sql"
            )),
        )),+]
    };
}
pub(super) use files;

/// The number of the newest.
#[cfg(feature = "postgres")]
pub(super) fn newest(files: &[File]) -> Option<i64> {
    files.last().and_then(|&(name, _)| number_of(name)).map(|(version, _)| version)
}

/// Carries out those that a database does not have yet, which it remembers in a table of this name:
/// one of our own, so that an embedder's migrations do not collide with it.
pub(super) fn migrator(files: &[File], table: &'static str) -> Migrator {
    let migration = |&(name, sql): &File| {
        let (version, name) = number_of(name)?;
        let sql = SqlStr::from_static(sql);
        Some(Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql, false))
    };
    let migrations: Vec<Migration> = files.iter().filter_map(migration).collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(table);
    migrator
}

fn number_of(name: &'static str) -> Option<(i64, &'static str)> {
    let (number, name) = name.split_once('_')?;
    Some((number.parse().ok()?, name))
}

#[cfg(all(test, feature = "postgres", feature = "sqlite"))]
mod tests {
    use super::*;

    const POSTGRES: &[File] = files!(
        "postgres",
        "0010_fewer_indexes",
        "0011_turns",
        "0012_skipped",
        "0013_accounts",
        "0014_results",
        "0015_reports",
        "0016_projects",
        "0017_notifications",
        "0018_known_issues",
        "0019_series_of_projects",
        "0020_months",
        "0021_windows"
    );
    const SQLITE: &[File] = files!(
        "sqlite",
        "0011_turns",
        "0012_skipped",
        "0013_accounts",
        "0014_results",
        "0015_reports",
        "0016_projects",
        "0017_notifications",
        "0018_known_issues",
        "0019_series_of_projects",
        "0021_windows"
    );

    #[test]
    fn migrations_are_in_the_order_of_their_numbers() {
        for files in [POSTGRES, SQLITE] {
            let migrator = migrator(files, "table");
            let numbers: Vec<i64> = migrator.iter().map(|migration| migration.version).collect();
            assert_eq!(numbers.len(), files.len());
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        }
        assert_eq!(newest(POSTGRES), Some(21));
    }
}
