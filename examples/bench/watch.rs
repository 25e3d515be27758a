//! When a command really starts and ends: the kernel says who opens a file that is executed, and
//! when the last of those who have it has let go.

use std::{
    fs::{self, Permissions},
    mem::MaybeUninit,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// How long a command may take to start.
const LIMIT: Duration = Duration::from_secs(60);

/// A program that does nothing, and of which this process learns when it is run.
pub(crate) struct Watched {
    program: PathBuf,
    moments: Receiver<Moment>,
}

/// What happened to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Started(Instant),
    Ended(Instant),
}

impl Watched {
    /// A copy of `/bin/true` in a directory.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        let program = directory.join("watched");
        fs::copy("/bin/true", &program).expect("a copy");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("a program");
        let watch = inotify::init(CreateFlags::CLOEXEC).expect("inotify");
        let what = WatchFlags::OPEN | WatchFlags::CLOSE_NOWRITE;
        inotify::add_watch(&watch, &program, what).expect("a watch");
        let (tell, moments) = sync_channel(64);
        // It ends with the process, or when nobody listens any more and the file goes.
        thread::spawn(move || {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut events = Reader::new(watch, &mut buffer);
            while let Ok(event) = events.next() {
                let now = Instant::now();
                let kind = event.events();
                let moment = if kind.contains(ReadFlags::OPEN) {
                    Moment::Started(now)
                } else if kind.contains(ReadFlags::CLOSE_NOWRITE) {
                    Moment::Ended(now)
                } else {
                    continue;
                };
                if tell.send(moment).is_err() {
                    return;
                }
            }
        });
        Self { program, moments }
    }

    pub(crate) fn program(&self) -> &str {
        self.program.to_str().expect("a plain path")
    }

    /// When it was started, which may be before this is called.
    pub(crate) fn started(&self) -> Instant {
        match self.next() {
            Moment::Started(at) => at,
            Moment::Ended(_) => panic!("the program ended before it was started"),
        }
    }

    /// When it was over, which may be before this is called.
    pub(crate) fn ended(&self) -> Instant {
        match self.next() {
            Moment::Ended(at) => at,
            Moment::Started(_) => panic!("the program was started again before it ended"),
        }
    }

    fn next(&self) -> Moment {
        self.moments.recv_timeout(LIMIT).expect("the program is run in time")
    }
}
