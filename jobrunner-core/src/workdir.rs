//! Where commands may run: the operator's `ALLOWED_WORKDIRS`.

use std::path::{Component, Path, PathBuf};

/// The directories under which a path must lie. Without any, every absolute path is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedRoots(Vec<PathBuf>);

impl AllowedRoots {
    /// The given roots.
    ///
    /// # Errors
    /// The first root that is not absolute or has `..` in it.
    pub fn new<P: Into<PathBuf>>(roots: impl IntoIterator<Item = P>) -> Result<Self, PathBuf> {
        let mut allowed = Vec::new();
        for root in roots {
            let root = root.into();
            if !root.is_absolute() || root.components().any(|part| part == Component::ParentDir) {
                return Err(root);
            }
            allowed.push(root);
        }
        Ok(Self(allowed))
    }

    /// The first root, which serves as the default directory.
    #[must_use]
    pub fn first(&self) -> Option<&Path> {
        self.0.first().map(PathBuf::as_path)
    }

    /// Judges a path by its text: absolute, without `..`, under a root by whole components.
    ///
    /// # Errors
    /// What is wrong, without the field's name.
    pub fn check_text(&self, path: &str) -> Result<(), String> {
        let parsed = Path::new(path);
        if path.contains('\0') {
            return Err("must not contain a NUL byte".to_owned());
        }
        if !parsed.is_absolute() {
            return Err("must be an absolute path".to_owned());
        }
        if parsed.components().any(|part| part == Component::ParentDir) {
            return Err("must not contain '..'".to_owned());
        }
        if self.contains(parsed) { Ok(()) } else { Err(self.refusal()) }
    }

    /// Judges where a path leads: follows every symbolic link of the part of it that exists on this
    /// machine. A path that does not exist here is judged by its existing parents, since it may
    /// exist where the job will run.
    ///
    /// Blocks on the file system; a path on a hung network mount blocks for as long.
    ///
    /// # Errors
    /// The path leads out of the roots; the text is without the field's name.
    pub fn check_target(&self, path: &str) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let above_the_roots =
            |part: &Path| self.0.iter().any(|root| root.starts_with(part) && root != part);
        for part in Path::new(path).ancestors() {
            // Only what is above the roots exists here: nothing can be told, the worker will.
            if above_the_roots(part) {
                return Ok(());
            }
            if let Ok(real) = part.canonicalize() {
                return if self.real().contains(&real) { Ok(()) } else { Err(self.refusal()) };
            }
        }
        Ok(())
    }

    /// The roots with their own links followed.
    fn real(&self) -> Self {
        let real = |root: &PathBuf| root.canonicalize().unwrap_or_else(|_| root.clone());
        Self(self.0.iter().map(real).collect())
    }

    fn contains(&self, path: &Path) -> bool {
        self.0.is_empty() || self.0.iter().any(|root| path.starts_with(root))
    }

    fn refusal(&self) -> String {
        let roots: Vec<_> = self.0.iter().map(|root| root.display().to_string()).collect();
        format!("must lie under one of the allowed directories: {}", roots.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots() -> AllowedRoots {
        AllowedRoots::new(["/allowed", "/srv/nightly/"]).expect("absolute")
    }

    #[test]
    fn only_whole_components_under_a_root_are_allowed() {
        for path in ["/allowed", "/allowed/", "/allowed/a/b", "/srv/nightly", "/allowed/./a"] {
            assert_eq!(roots().check_text(path), Ok(()), "{path}");
        }
        for path in ["/allowed-evil", "/allowed/../etc", "/", "allowed", "", "/srv", "/allowed/a\0"]
        {
            assert!(roots().check_text(path).is_err(), "{path}");
        }
    }

    #[test]
    fn without_roots_every_absolute_path_is_allowed() {
        assert_eq!(AllowedRoots::default().check_text("/anywhere"), Ok(()));
        assert!(AllowedRoots::default().check_text("relative").is_err());
    }

    #[test]
    fn relative_roots_are_refused() {
        assert_eq!(AllowedRoots::new(["a"]), Err(PathBuf::from("a")));
        assert_eq!(AllowedRoots::new(["/a/../b"]), Err(PathBuf::from("/a/../b")));
    }
}
