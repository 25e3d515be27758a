use std::{fs::File, io, os::unix::process::CommandExt, process::Command};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::JobSpec;

/// How long a command may go on after SIGXCPU, in seconds of processor time, before the kernel
/// kills it.
const CPU_GRACE: u64 = 5;

/// What a child sets up for itself between fork and exec. Without any of it the child is started
/// without a fork.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    limits: Vec<(Resource, Rlimit)>,
    /// The control group to join.
    group: Option<File>,
}

impl Preparation {
    /// What a job asks for; its limit of memory is left out where a control group keeps it. Nobody
    /// gets more than this process may have itself.
    pub(super) fn of(spec: &JobSpec, group: Option<File>, memory_is_limited: bool) -> Self {
        let memory = spec.max_memory_mb.filter(|_| !memory_is_limited);
        let memory = memory.map(|megabytes| megabytes.saturating_mul(1024 * 1024));
        let limits = [
            (Resource::As, memory, memory),
            (Resource::Nofile, spec.max_open_files, spec.max_open_files),
            (
                Resource::Cpu,
                spec.max_cpu_seconds,
                spec.max_cpu_seconds.map(|seconds| seconds.saturating_add(CPU_GRACE)),
            ),
        ];
        let limits = limits.into_iter().filter_map(|(resource, soft, hard)| {
            let soft = soft?;
            let most = getrlimit(resource).maximum;
            let within = |limit: u64| most.map_or(limit, |most| limit.min(most));
            let limit = Rlimit { current: Some(within(soft)), maximum: hard.map(within) };
            Some((resource, limit))
        });
        Self { limits: limits.collect(), group }
    }

    /// Has the child of a command prepare itself.
    pub(super) fn apply(self, command: &mut Command) {
        if self.limits.is_empty() && self.group.is_none() {
            return;
        }
        let prepare = move || {
            if let Some(group) = &self.group {
                rustix::io::write(group, b"0")?;
            }
            for (resource, limit) in &self.limits {
                setrlimit(*resource, *limit)?;
            }
            io::Result::Ok(())
        };
        #[expect(
            unsafe_code,
            reason = "the child of a fork may only make system calls, and these are all it makes: nothing \
                      is allocated, locked or freed before exec"
        )]
        // SAFETY: see above; `prepare` owns what it uses.
        unsafe {
            command.pre_exec(prepare);
        }
    }
}
