//! Room on the disk that a folder is on.

use std::path::Path;

/// Free space below which a journal is in danger, in bytes.
pub const JOURNAL_MIN: u64 = 512 << 20;
/// Free space, in bytes, that what can be done without leaves alone: the journal is in danger well after.
pub const SPARE_MIN: u64 = 2 * JOURNAL_MIN;

/// Bytes that this user may still write where `dir` is; none when the system does not tell.
#[cfg(unix)]
pub fn of(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that this user may still write where `dir` is; none when the system does not tell.
#[cfg(windows)]
pub fn of(dir: &Path) -> Option<u64> {
    use std::os::windows::ffi::OsStrExt as _;
    use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

    let name: Vec<u16> = dir.as_os_str().encode_wide().chain([0]).collect();
    let mut free = 0_u64;
    let (all, total) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the name ends with a zero and `free` is written to before the call returns; the rest may be null.
    let told = unsafe { GetDiskFreeSpaceExW(name.as_ptr(), &mut free, all, total) };
    (told != 0).then_some(free)
}
