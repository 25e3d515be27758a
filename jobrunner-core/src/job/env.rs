use std::str::FromStr;

/// Variables that make a program load or run something else before its own first step: those that
/// glibc takes away from set-user-ID programs (`unsecvars.h`; ld.so(8)), and those by which shells
/// run a file or a text at their start (bash(1), dash(1)). An ending `*` stands for any text.
///
/// Variables of interpreters, as `PYTHONPATH` or `NODE_OPTIONS`, are what test suites are
/// configured with, and are not among them.
const LOADING: [&str; 18] = [
    "LD_*",
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "GETCONF_DIR",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_*",
    "NIS_PATH",
    "NLSPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "TZDIR",
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
];

/// Which of the variables that make a program load or run something else a job may set: none,
/// unless the operator names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadingVariables(Vec<String>);

impl LoadingVariables {
    /// Why a job may not set a variable of this name, in words that follow it; `None` if it may.
    #[must_use]
    pub fn refusal(&self, name: &str) -> Option<String> {
        let is_loading = LOADING.iter().any(|pattern| matches(pattern, name));
        if !is_loading || self.0.iter().any(|pattern| matches(pattern, name)) {
            return None;
        }
        let why = "may not be set: it makes programs load or run something else; an operator can allow \
                   it with JOB_ENV_ALLOW";
        Some(why.to_owned())
    }
}

impl FromStr for LoadingVariables {
    type Err = String;

    /// Names separated by commas, each with an optional `*` at its end.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match names.iter().find(|name| !name.trim_end_matches('*').chars().all(is_plain)) {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(Self(names)),
        }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_load_something_are_refused_until_they_are_allowed() {
        let none = LoadingVariables::default();
        for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "GLIBC_TUNABLES", "LD_"] {
            assert!(none.refusal(name).is_some(), "{name}");
        }
        for name in
            ["PATH", "PYTHONPATH", "NODE_OPTIONS", "LDFLAGS", "ENVIRONMENT", "TMPDIR", "ld_x"]
        {
            assert_eq!(none.refusal(name), None, "{name}");
        }
        let some: LoadingVariables = "LD_LIBRARY_PATH, MALLOC_*".parse().expect("names");
        assert_eq!(some.refusal("LD_LIBRARY_PATH"), None);
        assert_eq!(some.refusal("MALLOC_ARENA_MAX"), None);
        assert!(some.refusal("LD_PRELOAD").is_some());
    }

    #[test]
    fn what_is_no_name_cannot_be_allowed() {
        assert_eq!("A,LD-X".parse::<LoadingVariables>(), Err("LD-X".to_owned()));
        assert_eq!("".parse(), Ok(LoadingVariables::default()));
    }
}
