//! Who owns a thing on Windows, and who may speak on a pipe. Whoever owns a folder or a pipe can put anything
//! into it; ours belong to the system, to administrators, or to this process's own user.

use std::io;
use std::os::windows::io::AsRawHandle;
use std::ptr::{from_mut, null_mut};

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT,
    SE_KERNEL_OBJECT, SE_OBJECT_TYPE,
};
use windows_sys::Win32::Security::{
    EqualSid, GetTokenInformation, IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID,
    SECURITY_ATTRIBUTES, TOKEN_INFORMATION_CLASS, TOKEN_OWNER, TOKEN_QUERY, TOKEN_USER, TokenOwner,
    TokenUser, WinBuiltinAdministratorsSid, WinLocalSystemSid,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// The system, administrators and whoever makes it may read and write; nobody else even reads.
const PIPE_ACCESS: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";

/// What an open handle is of.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A file or a folder.
    File,
    /// A named pipe.
    Pipe,
}

impl Kind {
    const fn raw(self) -> SE_OBJECT_TYPE {
        match self {
            Self::File => SE_FILE_OBJECT,
            Self::Pipe => SE_KERNEL_OBJECT,
        }
    }
}

/// Whether the owner is the system, an administrator, or this process's own user.
pub fn is_ours(thing: &impl AsRawHandle, kind: Kind) -> io::Result<bool> {
    let handle = thing.as_raw_handle();
    // What this process makes belongs to its user, or to who its token names in the user's place.
    let (user, default_owner) = (token(TokenUser)?, token(TokenOwner)?);
    let (mut owner, mut descriptor): (PSID, PSECURITY_DESCRIPTOR) = (null_mut(), null_mut());
    // SAFETY: the handle is open as long as `thing` is; the two pointers are written to, and the rest may be null.
    let code = unsafe {
        GetSecurityInfo(
            handle,
            kind.raw(),
            OWNER_SECURITY_INFORMATION,
            &mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &mut descriptor,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    // SAFETY: `owner` points into `descriptor`, which is freed after its last use; the two others hold what the
    // system wrote for their names, whose SIDs point into themselves.
    unsafe {
        let me = (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        let mine = (*default_owner.as_ptr().cast::<TOKEN_OWNER>()).Owner;
        let ours = IsWellKnownSid(owner, WinLocalSystemSid) != 0
            || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) != 0
            || EqualSid(owner, me) != 0
            || EqualSid(owner, mine) != 0;
        LocalFree(descriptor);
        Ok(ours)
    }
}

/// What the token of this process says, in memory that is aligned for it.
fn token(what: TOKEN_INFORMATION_CLASS) -> io::Result<Vec<u64>> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the pseudo handle of this process needs no closing; `token` is written to.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut length = 0;
    // SAFETY: asks for the length only.
    unsafe { GetTokenInformation(token, what, null_mut(), 0, &mut length) };
    let mut told = vec![0_u64; (length as usize).div_ceil(8)];
    // SAFETY: `told` has room for `length` bytes.
    let done = unsafe { GetTokenInformation(token, what, told.as_mut_ptr().cast(), length, &mut length) };
    let error = io::Error::last_os_error();
    // SAFETY: opened above, and not used again.
    unsafe { CloseHandle(token) };
    if done == 0 || told.is_empty() { Err(error) } else { Ok(told) }
}

/// The access list of our pipe, for as long as `make` takes.
pub fn with_pipe_access<T>(make: impl FnOnce(*mut std::ffi::c_void) -> io::Result<T>) -> io::Result<T> {
    let text: Vec<u16> = PIPE_ACCESS.encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the text ends with a zero, and `descriptor` is written to.
    let done = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            null_mut(),
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).expect("a small structure"),
        lpSecurityDescriptor: descriptor,
        bInheritHandle: 0,
    };
    let made = make(from_mut(&mut attributes).cast());
    // SAFETY: from the call above; `make` has returned.
    unsafe { LocalFree(descriptor) };
    made
}
