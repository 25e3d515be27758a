use std::{
    ffi::OsStr,
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, FileType, accessat, statat};

/// Where to look when the environment has no `PATH`, as execvp(3) does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Finds the file of a program. A name with a slash is relative to the working directory, any other
/// is looked up in `path`, whose empty and relative entries are relative to the working directory
/// too. The answer is an absolute path or one that is relative to the working directory.
///
/// Doing this here rather than in the child keeps the standard library on `posix_spawn`, which it
/// leaves for the slower fork when it would have to search a changed `PATH`.
///
/// # Errors
/// Why there is no such program, in words that follow its name.
pub(super) fn find(
    program: &str,
    working_dir: impl AsFd,
    path: Option<&OsStr>,
) -> Result<PathBuf, String> {
    let working_dir = working_dir.as_fd();
    if program.contains('/') {
        return match check(working_dir, Path::new(program)) {
            Ok(()) => Ok(program.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err("does not exist".to_owned())
            }
            Err(error) => Err(format!("cannot be run: {error}")),
        };
    }
    let path = path.unwrap_or_else(|| OsStr::new(DEFAULT_PATH));
    let mut refused = None;
    for directory in path.as_bytes().split(|byte| *byte == b':') {
        // With a slash in any case, lest it be looked up once more.
        let file = Path::new(".").join(OsStr::from_bytes(directory)).join(program);
        match check(working_dir, &file) {
            Ok(()) => return Ok(file),
            // As a shell does, go on: a later directory may have one that can be run.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                refused.get_or_insert(file);
            }
            Err(_) => {}
        }
    }
    Err(match refused {
        Some(file) => format!("cannot be run: {} is not executable", file.display()),
        None => format!("was not found in PATH ({})", path.display()),
    })
}

fn check(working_dir: BorrowedFd<'_>, file: &Path) -> io::Result<()> {
    let status = statat(working_dir, file, AtFlags::empty())?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a file"));
    }
    accessat(working_dir, file, Access::EXEC_OK, AtFlags::empty())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn find_in(directory: &str, program: &str, path: Option<&str>) -> Result<PathBuf, String> {
        find(program, File::open(directory).expect("a directory"), path.map(OsStr::new))
    }

    #[test]
    fn a_name_without_a_slash_is_looked_up_in_the_given_path() {
        assert_eq!(find_in("/", "sh", Some("/none:/bin")), Ok("/bin/sh".into()));
        assert_eq!(find_in("/", "sh", None), Ok("/bin/sh".into()));
        assert_eq!(find_in("/bin", "sh", Some("")), Ok("./sh".into()));
        assert_eq!(find_in("/", "sh", Some("none:bin")), Ok("./bin/sh".into()));
        let missing = find_in("/", "sh", Some("/none"));
        assert_eq!(missing, Err("was not found in PATH (/none)".to_owned()));
    }

    #[test]
    fn a_name_with_a_slash_is_relative_to_the_working_directory() {
        assert_eq!(find_in("/bin", "./sh", None), Ok("./sh".into()));
        assert_eq!(find_in("/", "/bin/sh", None), Ok("/bin/sh".into()));
        assert_eq!(find_in("/", "./sh", None), Err("does not exist".to_owned()));
    }

    #[test]
    fn directories_and_plain_files_are_not_programs() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("plain"), "").expect("a file");
        let refused = find_in("/", "plain", directory.path().to_str());
        assert!(refused.expect_err("refused").contains("plain is not executable"));
        assert_eq!(find_in("/", "/bin", None), Err("cannot be run: it is not a file".to_owned()));
    }
}
