use super::*;
use crate::suite::Suite;

/// The combinations of a matrix, each as its values in the order of their names.
fn cells_of(matrix: &str, base: Option<&Path>) -> Result<Vec<String>, String> {
    let yaml = format!(
        "name: s\nvars: {{two: 2, d: sub}}\njobs:\n  - name: j\n    shell: x\n    matrix: {matrix}\n"
    );
    let suite = Suite::parse(&yaml, "s.yaml".as_ref(), base.map(Into::into));
    let suite = suite.map_err(|failure| failure.to_string())?;
    let vars = [("two".to_owned(), "2".to_owned()), ("d".to_owned(), "sub".to_owned())].into();
    let jobs = suite.root.field("jobs").expect("jobs").items().expect("a list");
    let cells = cells(jobs[0].field("matrix").map(|matrix| &**matrix), &vars, base)
        .map_err(|wrong| wrong.to_string())?;
    Ok(cells.iter().map(|cell| cell.values().cloned().collect::<Vec<_>>().join(" ")).collect())
}

#[test]
fn axes_take_ranges_lists_and_single_values() {
    for (matrix, expected) in [
        ("{n: [1..3, 7, a..b]}", "1|2|3|7|a..b"),
        ("{n: 1..3}", "1|2|3"),
        ("{n: '1..${two}', m: [x, y]}", "x 1|x 2|y 1|y 2"),
        ("{n: [0..6..3, '${two}']}", "0|3|6|2"),
        ("{n: 5}", "5"),
        ("", ""),
    ] {
        assert_eq!(cells_of(matrix, None).expect(matrix).join("|"), expected, "{matrix}");
    }
}

#[test]
fn excluded_combinations_are_left_out() {
    for (matrix, expected) in [
        ("{n: [1..3], m: [x, y], exclude: [{n: 2, m: x}]}", "x 1|x 3|y 1|y 2|y 3"),
        ("{n: [1..3], m: [x, y], exclude: [{n: 1..2}]}", "x 3|y 3"),
        ("{n: [1..3], m: [x, y], exclude: [{n: [1, 3], m: x}, {m: y}]}", "x 2"),
    ] {
        assert_eq!(cells_of(matrix, None).expect(matrix).join("|"), expected, "{matrix}");
    }
}

#[test]
fn included_maps_add_variables_or_combinations() {
    for (matrix, expected) in [
        ("{n: [1, 2], m: x, include: [{n: 9, m: z}]}", "x 1|x 2|z 9"),
        ("{n: [1, 2], include: [{n: 2, more: yes}]}", "1|yes 2"),
        ("{n: [1, 2], include: [{more: yes}, {n: '1..3', more: no}]}", "yes 1|yes 2|no 1..3"),
        ("{include: [{n: 1}, {n: '${two}'}]}", "1|2"),
        ("{n: [1, 2], exclude: [{n: 1}], include: [{n: 1}]}", "2|1"),
    ] {
        assert_eq!(cells_of(matrix, None).expect(matrix).join("|"), expected, "{matrix}");
    }
}

#[test]
fn values_come_from_lines_and_from_names_of_files() {
    let directory = tempfile::Builder::new().prefix("[a]*").tempdir().expect("a directory");
    let base = directory.path();
    std::fs::create_dir_all(base.join("sub/deep")).expect("a directory");
    for file in ["sub/b.t", "sub/a.t", "sub/.hidden.t", "sub/deep/c.t", "sub/d.txt"] {
        std::fs::write(base.join(file), "").expect("a file");
    }
    std::fs::write(base.join("list"), "one\r\n\n  two # no comment\n1..3\n").expect("a file");
    for (matrix, expected) in [
        ("{f: {glob: '${d}/*.t'}}", "sub/a.t|sub/b.t"),
        ("{f: {glob: '**/*.t'}}", "sub/a.t|sub/b.t|sub/deep/c.t"),
        ("{f: [{glob: 'sub/*.txt'}, x]}", "sub/d.txt|x"),
        ("{l: {lines: list}}", "one|  two # no comment|1..3"),
    ] {
        assert_eq!(cells_of(matrix, Some(base)).expect(matrix).join("|"), expected, "{matrix}");
    }
    for (matrix, why) in [
        ("{f: {glob: 'sub/*.zip'}}", "matches nothing"),
        ("{f: {glob: 'sub/[a'}}", "no pattern"),
        ("{f: {lines: missing}}", "cannot be read"),
        ("{f: {line: list}}", "unknown field \"line\"; did you mean \"lines\"?"),
        ("{f: {lines: list, glob: x}}", "one field"),
    ] {
        let refused = cells_of(matrix, Some(base)).expect_err(matrix);
        assert!(refused.contains(why) && refused.starts_with("6:"), "{refused}");
    }
}

#[test]
fn a_matrix_that_cannot_be_meant_is_refused() {
    for (matrix, why) in [
        ("{n: []}", "empty matrix.n"),
        ("{n: [1, 1..2]}", "the value \"1\" twice in matrix.n"),
        ("{two: [1]}", "is a variable, too"),
        ("{n: [[1]]}", "must be text"),
        ("{n: [3..1]}", "count down with 3..1..-1"),
        ("{n: [1..1000], m: [1..1000]}", "more than 100000 jobs"),
        ("{n: [1..2], exclude: [{m: 1}]}", "no axis \"m\""),
        ("{n: [1..2], exclude: [{n: 3}]}", "no value of it"),
        ("{n: [1..2], exclude: [{n: 1..2}]}", "nothing is left"),
        ("{n: [1..2], exclude: [{}]}", "without a value"),
        ("{n: [1..2], exclude: {n: 1}}", "must be a list"),
        ("{n: [1..2], include: [{n: 1}]}", "there already"),
        ("{n: [1..2], include: [{two: 1}]}", "is a variable, too"),
        ("{n: ['${x}']}", "unknown variable \"x\""),
    ] {
        let refused = cells_of(matrix, None).expect_err(matrix);
        assert!(refused.contains(why), "{matrix}: {refused}");
    }
}
