use super::tool::{Listing, Test, Tool, Unit};
use crate::exit::Failure;

/// pytest: `--collect-only` lists node ids, which are also its arguments.
pub(super) struct Pytest;

impl Tool for Pytest {
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        // -1 is one -q, however many the project's own options have.
        let text = listing.text(["--collect-only", "--verbosity=-1", "--color=no"])?;
        let ids = text.lines().take_while(|line| !line.trim().is_empty());
        let ids = ids.filter(|line| line.contains("::"));
        Ok(ids.map(|id| test(id).into()).collect())
    }

    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let junit = format!("--junitxml={junit}");
        let mut command = listing.call([&*junit]);
        command.extend(tests.iter().map(|test| test.id.clone()));
        Ok(command)
    }

    fn variables(&self) -> &'static [&'static str] {
        &[
            "PYTHONPATH",
            "PYTHONHASHSEED",
            "PYTEST_ADDOPTS",
            "PYTEST_PLUGINS",
            "PYENV_VERSION",
            "VIRTUAL_ENV",
        ]
    }
}

/// A test by its node id, `tests/test_a.py::TestB::test_c[d::e]`; in JUnit its class is
/// `tests.test_a.TestB`.
fn test(id: &str) -> Test {
    let (path, rest) = id.split_once("::").unwrap_or((id, ""));
    let (rest, parameters) = rest.find('[').map_or((rest, ""), |at| rest.split_at(at));
    let (classes, function) = rest.rsplit_once("::").unwrap_or(("", rest));
    let mut class = path.strip_suffix(".py").unwrap_or(path).replace('/', ".");
    if !classes.is_empty() {
        class = format!("{class}.{}", classes.replace("::", "."));
    }
    Test { id: id.to_owned(), class, name: format!("{function}{parameters}"), ..Test::default() }
}

#[cfg(test)]
mod tests {
    use super::test;

    #[test]
    fn the_class_and_the_name_of_a_test_are_those_of_its_junit() {
        for (id, class, name) in [
            ("tests/test_a.py::test_b", "tests.test_a", "test_b"),
            ("t.py::TestA::TestB::test_c[x]", "t.TestA.TestB", "test_c[x]"),
            ("a/t.py::test_c[x::y/z.py]", "a.t", "test_c[x::y/z.py]"),
            ("README.rst::README.rst", "README.rst", "README.rst"),
        ] {
            let test = test(id);
            assert_eq!((test.class.as_str(), test.name.as_str()), (class, name), "{id}");
        }
    }
}
