//! Where credentials are found, and what is said when they are not right.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const LEGACY: &str = "\
# kotak neo
KOTAK_CONSUMER_KEY='canary-key'
export KOTAK_MOBILE_NUMBER=9876543210
KOTAK_TOTP_SECRET=\"JBSW Y3DP EHPK 3PXP\"
KOTAK_MPIN=271828
KOTAK_PASSWORD=canary-not-used
";

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).expect("writable");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mine");
}

fn places(folder: &Path) -> Places {
    Places { beside: folder.to_owned(), ..Places::default() }
}

#[test]
fn the_legacy_file_works_once_the_ucc_is_added() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    write(&path, LEGACY, 0o600);
    let error = read(&places(folder.path())).expect_err("the UCC is missing");
    assert!(matches!(&error, CredentialsError::Missing { missing, .. } if missing == &[UCC]), "{error}");
    assert!(error.hint().contains("KOTAK_UCC=…"), "{}", error.hint());
    write(&path, &format!("{LEGACY}KOTAK_UCC=ABC12\n"), 0o600);
    let found = read(&places(folder.path())).expect("complete");
    assert_eq!(found.login.consumer_key.expose_secret(), "canary-key");
    assert_eq!(found.login.mobile_number.expose_secret(), "+919876543210", "the country code is added");
    assert_eq!(found.login.ucc.expose_secret(), "ABC12");
    assert_eq!(found.login.mpin.expose_secret(), "271828");
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join(FILE_NAME), "KOTAK_MPIN=\nOTHER=1\n", 0o600);
    let error = read(&places(folder.path())).expect_err("all five");
    for (name, _) in NAMES {
        assert!(error.to_string().contains(name) && error.hint().contains(name), "{error}\n{}", error.hint());
    }
    std::fs::remove_file(folder.path().join(FILE_NAME)).expect("there");
    let error = read(&places(folder.path())).expect_err("nowhere");
    assert!(matches!(error, CredentialsError::Nowhere { .. }));
    assert!(error.hint().contains("chmod 600"), "{}", error.hint());
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_chmod() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    for mode in [0o644, 0o640, 0o604, 0o620, 0o666] {
        write(&path, &format!("{LEGACY}KOTAK_UCC=ABC12\n"), mode);
        let error = read(&places(folder.path())).expect_err("others can read it");
        assert!(matches!(error, CredentialsError::Open { .. }), "{mode:o}: {error}");
        assert_eq!(error.hint(), format!("chmod 600 {}", path.display()));
    }
    for mode in [0o600, 0o400] {
        write(&path, &format!("{LEGACY}KOTAK_UCC=ABC12\n"), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mine");
        read(&places(folder.path())).expect("private");
    }
}

#[test]
fn the_service_managers_folder_is_read_either_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let manager = Places { directory: Some(folder.path().to_owned()), ..places(Path::new("/nowhere")) };
    // An access list for the service's user shows in the group's bits.
    write(&folder.path().join(FILE_NAME), &format!("{LEGACY}KOTAK_UCC=ABC12\n"), 0o440);
    read(&manager).expect("one file");
    std::fs::remove_file(folder.path().join(FILE_NAME)).expect("there");
    for (name, value) in [
        (CONSUMER_KEY, "key\n"),
        (MOBILE_NUMBER, "+919876543210"),
        (UCC, "ABC12"),
        (TOTP_SECRET, "JBSWY3DPEHPK3PXP"),
        (MPIN, "271828\n"),
    ] {
        write(&folder.path().join(name), value, 0o440);
    }
    let found = read(&manager).expect("one file each");
    assert_eq!(found.login.mpin.expose_secret(), "271828");
    let path = folder.path().join(MPIN);
    write(&path, "271828", 0o444);
    assert!(matches!(read(&manager), Err(CredentialsError::Open { .. })));
}

#[test]
fn what_is_wrong_is_told_without_the_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    for (line, named) in [
        ("KOTAK_MPIN=canary", MPIN),
        ("KOTAK_MOBILE_NUMBER=canary", MOBILE_NUMBER),
        ("KOTAK_TOTP_SECRET=canary-1-0-8", TOTP_SECRET),
    ] {
        write(&path, &format!("{LEGACY}KOTAK_UCC=ABC12\n{line}\n"), 0o600);
        let error = read(&places(folder.path())).expect_err("malformed");
        let told = format!("{error} {error:?} {}", error.hint());
        assert!(told.contains(named) && !told.contains("canary"), "{told}");
    }
    for text in ["KOTAK_MPIN canary", "KOTAK_MPIN='canary", "\u{0}canary"] {
        write(&path, text, 0o600);
        let error = read(&places(folder.path())).expect_err("no env file");
        let told = format!("{error} {error:?} {}", error.hint());
        assert!(!told.contains("canary"), "{told}");
    }
    std::fs::write(&path, [0xff, 0xfe]).expect("writable");
    assert!(read(&places(folder.path())).expect_err("not text").to_string().contains("not text"));
    write(&path, &"x".repeat(FILE_BYTES_MAX as usize + 1), 0o600);
    assert!(read(&places(folder.path())).expect_err("too long").to_string().contains("longer"));
}

#[test]
fn nothing_secret_is_in_debug() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join(FILE_NAME), &format!("{LEGACY}KOTAK_UCC=canary-ucc\n"), 0o600);
    let found = read(&places(folder.path())).expect("complete");
    let told = format!("{found:?}");
    for secret in ["canary", "271828", "JBSW", "9876543210"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn a_folder_is_told_to_be_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let places = Places { env_file: Some(folder.path().to_owned()), ..Places::default() };
    let error = read(&places).expect_err("no file");
    assert!(error.to_string().contains("is a folder"), "{error}");
    assert!(error.hint().contains("env_file = ") && error.hint().contains(FILE_NAME), "{}", error.hint());
}

#[test]
fn the_digest_tells_one_value_from_another_and_repeats_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    write(&path, &format!("{LEGACY}KOTAK_UCC=ABC12\n"), 0o600);
    let one = read(&places(folder.path())).expect("complete").digest();
    assert_eq!(one, read(&places(folder.path())).expect("complete").digest());
    write(&path, &format!("{LEGACY}KOTAK_UCC=ABC12\nKOTAK_MPIN=271829\n"), 0o600);
    let other = read(&places(folder.path())).expect("complete").digest();
    assert_ne!(one, other);
    assert!(!other.contains("271829") && !other.contains("canary"));
}
