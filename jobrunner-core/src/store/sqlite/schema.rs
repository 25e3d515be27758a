//! Statements that both databases have in the same words name the schema `jobrunner`, which the
//! tables of a SQLite file are not in: it is left out when this is compiled.

const SCHEMA: &[u8] = b"jobrunner.";

/// A statement without the schema.
macro_rules! main {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const BYTES: [u8; $crate::store::sqlite::schema::length(TEXT)] =
            $crate::store::sqlite::schema::without(TEXT);
        const SQL: &str = match std::str::from_utf8(&BYTES) {
            Ok(sql) => sql,
            Err(_) => panic!("only whole words are left out"),
        };
        SQL
    }};
}
pub(super) use main;

/// How long a text is without the schema.
pub(super) const fn length(text: &str) -> usize {
    let (bytes, mut from, mut length) = (text.as_bytes(), 0, 0);
    while from < bytes.len() {
        if is_schema(bytes, from) {
            from += SCHEMA.len();
        } else {
            from += 1;
            length += 1;
        }
    }
    length
}

/// A text without the schema.
pub(super) const fn without<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let (bytes, mut from, mut to) = (text.as_bytes(), 0, 0);
    let mut kept = [0; LENGTH];
    while from < bytes.len() {
        if is_schema(bytes, from) {
            from += SCHEMA.len();
        } else {
            kept[to] = bytes[from];
            from += 1;
            to += 1;
        }
    }
    kept
}

const fn is_schema(bytes: &[u8], from: usize) -> bool {
    let mut at = 0;
    while at < SCHEMA.len() {
        if from + at >= bytes.len() || bytes[from + at] != SCHEMA[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_schema_is_left_out() {
        let sql = main!("select jobrunner.job.id, 'jobrunner' from jobrunner.job -- jobrunner");
        assert_eq!(sql, "select job.id, 'jobrunner' from job -- jobrunner");
        assert_eq!(main!("jobrunner."), "");
    }
}
