use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

/// Where to look when the environment has no `PATH`, as execvp(3) does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Finds the file of a program, as an absolute path: a name with a slash is relative to the working
/// directory, any other is looked up in `path`, whose empty and relative entries are relative to the
/// working directory too.
///
/// Doing this here rather than in the child keeps the standard library on `posix_spawn`, which it
/// leaves for the slower fork when it would have to search a changed `PATH`.
///
/// # Errors
/// Why there is no such program, in words that follow its name.
pub(super) fn find(
    program: &str,
    working_dir: &Path,
    path: Option<&OsStr>,
) -> Result<PathBuf, String> {
    if program.contains('/') {
        let file = working_dir.join(program);
        return match check(&file) {
            Ok(()) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err("does not exist".to_owned())
            }
            Err(error) => Err(format!("cannot be run: {error}")),
        };
    }
    let path = path.unwrap_or_else(|| OsStr::new(DEFAULT_PATH));
    let mut refused = None;
    for directory in path.as_bytes().split(|byte| *byte == b':') {
        let file = working_dir.join(OsStr::from_bytes(directory)).join(program);
        match check(&file) {
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

fn check(file: &Path) -> io::Result<()> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a file"));
    }
    access(file, Access::EXEC_OK)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_name_without_a_slash_is_looked_up_in_the_given_path() {
        let nowhere = Path::new("/");
        assert_eq!(find("sh", nowhere, Some(OsStr::new("/none:/bin"))), Ok("/bin/sh".into()));
        assert_eq!(find("sh", nowhere, None), Ok("/bin/sh".into()));
        assert_eq!(find("sh", Path::new("/bin"), Some(OsStr::new(""))), Ok("/bin/sh".into()));
        let missing = find("sh", nowhere, Some(OsStr::new("/none")));
        assert_eq!(missing, Err("was not found in PATH (/none)".to_owned()));
    }

    #[test]
    fn a_name_with_a_slash_is_relative_to_the_working_directory() {
        assert_eq!(find("./sh", Path::new("/bin"), None), Ok("/bin/./sh".into()));
        assert_eq!(find("/bin/sh", Path::new("/none"), None), Ok("/bin/sh".into()));
        assert_eq!(find("./sh", Path::new("/"), None), Err("does not exist".to_owned()));
    }

    #[test]
    fn directories_and_plain_files_are_not_programs() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("plain"), "").expect("a file");
        let refused = find("plain", Path::new("/"), Some(directory.path().as_os_str()));
        assert!(refused.expect_err("refused").contains("plain is not executable"));
        assert_eq!(
            find("/bin", Path::new("/"), None),
            Err("cannot be run: it is not a file".to_owned())
        );
    }
}
