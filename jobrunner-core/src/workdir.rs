//! Where commands may run: the operator's `ALLOWED_WORKDIRS`.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, open, openat2},
    io::Errno,
};

/// How often a path is looked up again whose links were exchanged in the middle.
const MOST_TRIES: u32 = 20;

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

    /// Opens what a path stands for, as a descriptor that names it and nothing else (`O_PATH`):
    /// whatever becomes of the path's symbolic links later, the descriptor leads to what was found
    /// to be allowed.
    ///
    /// Links are followed as long as they end under a root; those in the path of a root itself are
    /// the operator's own. What is found is opened anew from its root on without following any
    /// link, so one that is exchanged at the same moment leads nowhere.
    ///
    /// Blocks on the file system; a path on a hung network mount blocks for as long.
    ///
    /// # Errors
    /// It does not exist, cannot be reached, or lies outside of the roots; the text is without the
    /// field's name.
    pub fn open(&self, path: &Path) -> Result<OwnedFd, String> {
        let mut tries = 0;
        loop {
            match self.open_once(path) {
                Err(Refused::Moved) if tries < MOST_TRIES => tries += 1,
                Err(Refused::Moved) => return Err("is being moved all the time".to_owned()),
                Err(Refused::Outside) => return Err(self.refusal()),
                Err(Refused::File(error)) => return Err(file_error(&error)),
                Ok(descriptor) => return Ok(descriptor),
            }
        }
    }

    fn open_once(&self, path: &Path) -> Result<OwnedFd, Refused> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        if self.0.is_empty() {
            return Ok(open(path, flags, Mode::empty())?);
        }
        let real = path.canonicalize().map_err(Refused::File)?;
        for root in &self.0 {
            let Ok(real_root) = root.canonicalize() else { continue };
            let Ok(below) = real.strip_prefix(&real_root) else { continue };
            let root = open(&real_root, flags | OFlags::DIRECTORY, Mode::empty())?;
            if below.as_os_str().is_empty() {
                return Ok(root);
            }
            let beneath =
                ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            return match openat2(&root, below, flags, Mode::empty(), beneath) {
                Err(Errno::LOOP | Errno::XDEV | Errno::AGAIN | Errno::NOENT) => Err(Refused::Moved),
                opened => Ok(opened?),
            };
        }
        Err(Refused::Outside)
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

/// Why a path was not opened.
enum Refused {
    /// Its links lead out of the roots.
    Outside,
    /// It was another one when it was opened than when it was looked up.
    Moved,
    File(io::Error),
}

impl From<Errno> for Refused {
    fn from(error: Errno) -> Self {
        Self::File(error.into())
    }
}

/// What is wrong with a file, in words that follow its name.
pub(crate) fn file_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::NotADirectory => "has a part that is not a directory".to_owned(),
        _ => format!("cannot be used: {error}"),
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
