//! Who may speak: this user, root, members of the group `tradeagent`. The kernel says who it is.

use std::path::Path;

/// The group whose members may operate the service.
pub const GROUP: &str = "tradeagent";

/// One user's or group's line of `/etc/passwd` or `/etc/group`, by name or number.
fn database(path: &str) -> Vec<Vec<String>> {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(|line| line.split(':').map(str::to_owned).collect())
        .collect()
}

/// The number of [`GROUP`], where it exists.
pub fn group_id() -> Option<u32> {
    let row = database("/etc/group").into_iter().find(|row| row[0] == GROUP)?;
    row.get(2)?.parse().ok()
}

/// The name of a user, or its number.
pub fn user_name(uid: u32) -> String {
    let number = uid.to_string();
    database("/etc/passwd")
        .into_iter()
        .find(|row| row.get(2) == Some(&number))
        .map_or_else(|| format!("uid {uid}"), |row| row[0].clone())
}

/// Whether the user belongs to [`GROUP`].
fn is_member(uid: u32, gid: u32) -> bool {
    let Some(row) = database("/etc/group").into_iter().find(|row| row[0] == GROUP) else { return false };
    let id = row.get(2).and_then(|id| id.parse::<u32>().ok());
    let user = user_name(uid);
    id == Some(gid) || row.get(3).is_some_and(|members| members.split(',').any(|member| member == user))
}

/// Whether a peer may speak to this process.
pub fn may_speak(uid: u32, gid: u32, ours: u32) -> bool {
    uid == ours || uid == 0 || is_member(uid, gid)
}

/// Gives the socket to the group, where it exists, and to nobody else.
pub fn restrict(socket: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if let Some(group) = group_id()
        && let Err(error) = std::os::unix::fs::chown(socket, None, Some(group))
    {
        // A user who is not a member cannot give it away; the socket stays this user's own.
        tracing::debug!(%error, "the control socket stays with this user's group");
    }
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o660))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_user_and_root_may_speak_and_a_stranger_not() {
        assert!(may_speak(1000, 1000, 1000));
        assert!(may_speak(0, 0, 1000));
        assert!(!may_speak(4_000_000_001, 4_000_000_001, 1000));
        assert_eq!(user_name(0), "root");
        assert_eq!(user_name(4_000_000_001), "uid 4000000001");
    }
}
